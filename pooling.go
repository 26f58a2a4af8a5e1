package yotiface

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
)

// A frugalTransport opens no more connections to a host than it has requests for it at a time.
//
// A bare http.Transport dials for every request that finds no idle connection, and goes on dialling when a connection
// becomes free for the request meanwhile; while connections are slow to open, callers that come back for their second
// request dial again, and 64 callers end up with 80 TLS connections. Here a dial waits where every request in flight
// already has a connection, open or being opened: one of them is about to become free.
type frugalTransport struct {
	*http.Transport

	mu    sync.Mutex
	hosts map[string]*hostUse
}

// hostUse counts what there is for one host.
type hostUse struct {
	requests int           // in flight, until their bodies are closed
	conns    int           // open or being opened
	changed  chan struct{} // closed when a dial should look again; nil while none waits
}

// A ticket ties a dial to the request that asked for it.
type ticket struct {
	host   string
	served bool      // the request needs no connection any more; the transport's mutex guards it
	over   sync.Once // the request is in flight until then

	mu     sync.Mutex
	failed bool
	conns  []func() // take the connections that were dialled for the request out of the count
}

// dialled notes that a connection is being opened for the request.
func (t *ticket) dialled(uncount func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed {
		uncount()
		return
	}
	t.conns = append(t.conns, uncount)
}

// fail ends a request without an answer. What was dialled for it may be stuck, and net/http goes on with it all the same:
// it does not count any more, or the next request would wait for it.
func (t *ticket) fail() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = true
	for _, uncount := range t.conns {
		uncount()
	}
}

type ticketKey struct{}

// errServed ends the dial of a request that got another connection. net/http shows it to nobody.
var errServed = errors.New("yotiface: the request was served by another connection")

func newFrugalTransport(t *http.Transport) *frugalTransport {
	f := &frugalTransport{Transport: t, hosts: map[string]*hostUse{}}
	dial := t.DialContext
	t.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		return f.dial(ctx, func() (net.Conn, error) { return dial(ctx, network, addr) })
	}
	return f
}

// RoundTrip counts the request while it is in flight.
func (f *frugalTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	t := &ticket{host: req.URL.Scheme + "://" + req.URL.Host}
	f.count(t.host, 1, 0)
	resp, err := f.Transport.RoundTrip(req.WithContext(context.WithValue(req.Context(), ticketKey{}, t)))
	f.serve(t)
	if err != nil {
		t.fail()
		f.count(t.host, -1, 0)
		return nil, err
	}
	resp.Body = &countedBody{resp.Body, f, t}
	return resp, nil
}

// count changes the counts of a host and wakes the dials that wait for that.
func (f *frugalTransport) count(host string, requests, conns int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.host(host)
	h.requests += requests
	h.conns += conns
	h.wake()
	if h.requests == 0 && h.conns == 0 {
		delete(f.hosts, host)
	}
}

// serve ends the dial that waits for a request, if there is one.
func (f *frugalTransport) serve(t *ticket) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t.served = true
	f.host(t.host).wake()
}

// wake lets the dials look again that wait for a change.
func (h *hostUse) wake() {
	if h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
}

// host returns the counts of a host; f.mu is held.
func (f *frugalTransport) host(name string) *hostUse {
	h := f.hosts[name]
	if h == nil {
		h = &hostUse{}
		f.hosts[name] = h
	}
	return h
}

// dial opens a connection as soon as there are fewer than requests.
func (f *frugalTransport) dial(ctx context.Context, open func() (net.Conn, error)) (net.Conn, error) {
	t, ok := ctx.Value(ticketKey{}).(*ticket)
	if !ok {
		return open()
	}
	for {
		f.mu.Lock()
		if t.served {
			f.mu.Unlock()
			return nil, errServed
		}
		h := f.host(t.host)
		if h.conns < h.requests {
			h.conns++
			f.mu.Unlock()
			break
		}
		if h.changed == nil {
			h.changed = make(chan struct{})
		}
		changed := h.changed
		f.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	done := sync.OnceFunc(func() { f.count(t.host, 0, -1) })
	t.dialled(done)
	conn, err := open()
	if err != nil {
		done()
		return nil, err
	}
	return &countedConn{Conn: conn, done: done}, nil
}

// countedBody is a body whose request is over when it is closed.
type countedBody struct {
	io.ReadCloser
	transport *frugalTransport
	ticket    *ticket
}

func (b *countedBody) Close() error {
	defer b.ticket.over.Do(func() { b.transport.count(b.ticket.host, -1, 0) })
	return b.ReadCloser.Close()
}

// countedConn is a connection that is over when it is closed.
type countedConn struct {
	net.Conn
	done func()
}

func (c *countedConn) Close() error {
	defer c.done()
	return c.Conn.Close()
}
