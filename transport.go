package yotiface

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// sharedTransport is what all clients of the process send through, unless they are given one. It speaks HTTP/1.1 only:
// over HTTP/2, net/http repeats requests by itself, and at 64 callers it is no faster. It keeps enough idle connections for
// hundreds of callers to one host, where the default keeps two and opens one for nearly every request.
var sharedTransport = newFrugalTransport(newTransport())

// Transport returns what all clients of the process send through that are given no HTTP client. It is there to be wrapped,
// for tracing, metrics or a limit of one's own, in an [http.Client] that [WithHTTPClient] takes. It speaks HTTP/1.1 over TLS 1.2
// or later, heeds the proxy settings of the environment, and opens no more connections to a host than there are calls at a time.
//
// A wrapper sees the URL, in which there are IDs of people and sessions, and the header with the signature. What records URLs,
// as most tracing does, must be shown others: examples/otel has two small transports for that. A wrapper must neither change
// nor repeat a request, as its signature is for one time only. [Client.CloseIdleConnections] reaches the connections only if
// the wrapper has a CloseIdleConnections that passes it on.
func Transport() http.RoundTripper { return sharedTransport }

func newTransport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		Protocols:              protocols,
		MaxIdleConns:           1024,
		MaxIdleConnsPerHost:    512,
		IdleConnTimeout:        30 * time.Second, // less than most servers' and balancers', so that they seldom hang up first
		MaxResponseHeaderBytes: 1 << 20,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
			if resp.StatusCode != http.StatusOK {
				return &proxyError{resp.StatusCode}
			}
			return nil
		},
	}
}

// A proxyError is a proxy that was asked for a connection to the service and would not make one.
type proxyError struct{ status int }

func (e *proxyError) Error() string {
	text := strings.TrimSpace(fmt.Sprintf("the proxy makes no connection: %d %s", e.status, http.StatusText(e.status)))
	switch {
	case e.status == http.StatusProxyAuthRequired:
		text += " (put user and password into HTTPS_PROXY)"
	case e.refuses():
		text += " (ask who runs it to allow the host of the base URL)"
	}
	return text
}

// refuses reports whether the proxy will say the same again.
func (e *proxyError) refuses() bool {
	switch e.status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return e.status/100 == 4
}

// unredirected takes the Location off a redirect, so that net/http can neither follow it nor quote it. A signature is for
// one path of one host, and must not be sent to another.
type unredirected struct{ next http.RoundTripper }

func (t unredirected) RoundTrip(req *http.Request) (*http.Response, error) {
	next := t.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp == nil {
		return nil, errNoResponse
	}
	if resp.StatusCode/100 == 3 && resp.Header.Get("Location") != "" {
		plain := *resp // the response may be a mock's, to be returned again
		plain.Header = resp.Header.Clone()
		plain.Header.Del("Location")
		return &plain, nil
	}
	return resp, nil
}

var errNoResponse = errors.New("the HTTP client's transport returned neither a response nor an error")

// A transportError is an attempt that got no complete answer.
type transportError struct {
	callError
	final bool // another attempt would fail in the same way
}

// newTransportError describes why there is no complete answer: without the URL, which is signed, and without pieces of
// what was received, which net/http likes to quote. It keeps the error's identity.
func newTransportError(ctx context.Context, r request, hide *secrets, err error) error {
	for {
		outer, ok := err.(*url.Error) //nolint:errorlint // only the outermost, whose text is the URL
		if !ok {
			break
		}
		err = outer.Err
	}
	if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = errors.Join(ctx.Err(), err) // what a body's reader says of it differs between releases of Go
	}
	return &transportError{
		callError: callError{r.method, r.endpoint, hide.mask(transportText(err)), err},
		final:     untrusted(err) || refusedByProxy(err) || errors.Is(err, errNoResponse),
	}
}

// transportText says what failed, in words that hold nothing that was received. They may hold what was sent.
func transportText(err error) string {
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case isTimeout(err) && neverConnected(err):
		return "no connection in time (check the network, the base URL and the proxy)"
	case isTimeout(err):
		return "no complete answer in time (see WithAttemptTimeout, and the Timeout of an HTTP client)"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the answer ended too early"
	case errors.Is(err, io.EOF):
		return "the connection was closed before the answer"
	case errors.Is(err, syscall.ECONNRESET):
		return "the connection was reset"
	case toProxy(err):
		return unquoted(err) + " (check the proxy, as in HTTPS_PROXY)"
	case errors.Is(err, syscall.ECONNREFUSED):
		return unquoted(err) + " (check the base URL)"
	case isUnknownHost(err):
		return unquoted(err) + " (check the base URL, and the network)"
	case untrusted(err):
		return "the server cannot be trusted: " + unquoted(err) + " (check the base URL, the proxy, and the system's certificates)"
	}
	return unquoted(err)
}

// toProxy reports whether it is the connection to a proxy that failed.
func toProxy(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "proxyconnect"
}

func refusedByProxy(err error) bool {
	refusal, ok := errors.AsType[*proxyError](err)
	return ok && refusal.refuses()
}

func isUnknownHost(err error) bool {
	unknown, ok := errors.AsType[*net.DNSError](err)
	return ok && unknown.IsNotFound
}

// quoted finds what net/http quotes, and what net/textproto appends.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"?|(malformed MIME header[^:]*:).*`)

func unquoted(err error) string {
	return quoted.ReplaceAllString(printable(err.Error()), "$1…")
}
