package yotitest

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"
)

// basePath is where the API begins, as in production. It is not part of what a
// client signs, so a client that signs it is found out.
const basePath = "/idverify/v1"

// maxRequestBytes is far more than any request needs that the API documents.
const maxRequestBytes = 32 << 20

// Server is an identity-verification service in memory. Create one with
// [NewServer] or [Demo], and close it when done. Its methods may be called at
// any time and from several goroutines at once.
type Server struct {
	http     *httptest.Server
	key      *signingKey
	plural   bool
	verifier *verifier
	state    state
	faults   faults
	journal  journal

	deliveries deliveries

	closing chan struct{} // closed by Close: nothing waits any longer
	close   sync.Once
}

// Option changes how [NewServer] and [Demo] set up their server.
type Option func(*options)

type options struct {
	plural bool
	tls    bool
}

// WithPluralRoutes makes the server read applicants and faces at
// /applicants/{applicant_id}, and answer 404 at /applicant/{applicant_id}, which
// is the documented path and the one that is served otherwise.
func WithPluralRoutes() Option {
	return func(o *options) { o.plural = true }
}

// WithTLS makes the server speak https with a certificate that only
// [Server.Client] and [Server.HTTPClient] trust.
func WithTLS() Option {
	return func(o *options) { o.tls = true }
}

// NewServer starts a server that has nothing in it yet, on a loopback port of
// its own. It panics if it cannot listen.
func NewServer(opts ...Option) *Server {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	key := takeKey()
	s := &Server{
		key:      key,
		plural:   o.plural,
		verifier: newVerifier(newUUID(), &key.private.PublicKey),
		state:    newState(),
		closing:  make(chan struct{}),
	}
	s.http = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	if o.tls {
		// Clients that do not trust the certificate are nothing to write about.
		s.http.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		s.http.StartTLS()
	} else {
		s.http.Start()
	}
	return s
}

// Close ends the server and every request that it has not answered yet. It
// returns when all of them have ended. Closing again does nothing.
func (s *Server) Close() {
	s.close.Do(func() {
		close(s.closing)
		s.http.CloseClientConnections()
		s.http.Close()
		s.key.giveBack()
	})
}

// URL is the base URL of the API, for yotiface.WithBaseURL.
func (s *Server) URL() string { return s.http.URL + basePath }

// SDKID is the only SDK ID that the server knows.
func (s *Server) SDKID() string { return s.verifier.sdkID }

// KeyPEM is the private key that requests have to be signed with, in PEM
// (PKCS #1). No other server that is open has the same one.
func (s *Server) KeyPEM() []byte { return s.key.pem() }

// HTTPClient is a client for requests of one's own: it trusts the certificate of
// a server [WithTLS]. It signs nothing. Close closes its idle connections.
func (s *Server) HTTPClient() *http.Client { return s.http.Client() }

// serve is the way of every request: noted, read, verified, answered.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	c := newCall(r)
	entry := s.journal.add(c)
	send := func(a answer) {
		s.journal.answered(entry, a.status) // before the client can know
		a.write(w)
	}
	if s.faults.takeUnread(c.method, c.endpoint) {
		s.verifier.remember(c.query.Get("nonce"))
		reset(w)
		return
	}

	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBytes))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		send(failure(http.StatusRequestEntityTooLarge, "PAYLOAD_TOO_LARGE", "the request has too many bytes"))
		return
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the client left in the middle of its request
	}
	c.body = body

	if refusal, ok := s.verifier.verify(c); !ok {
		send(refusal)
		return
	}
	fault := s.faults.take(c.method, c.endpoint)
	if fault.kind == drops || fault.kind == dropsUnread {
		panic(http.ErrAbortHandler)
	}
	if fault.kind == stalls {
		s.wait(r, nil)
		panic(http.ErrAbortHandler)
	}
	a := fault.answer(func() answer { return s.handle(c) })
	if fault.kind == drips {
		s.journal.answered(entry, a.status)
		s.drip(w, r, a, fault.delay)
		return
	}
	s.pause(r, fault.delay)
	send(a)
	if fault.kind == truncates {
		// Without the flush net/http would hang up before it has sent anything.
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// dripBytes is how much of a body comes at a time when it drips.
const dripBytes = 8

// drip sends an answer with a pause between any two pieces of its body.
func (s *Server) drip(w http.ResponseWriter, r *http.Request, a answer, pause time.Duration) {
	a.writeHeader(w)
	flush := http.NewResponseController(w).Flush
	_ = flush() // the header comes first, and by itself
	for n, piece := range slices.Collect(slices.Chunk(a.body, dripBytes)) {
		if n > 0 {
			s.pause(r, pause)
		}
		_, _ = w.Write(piece)
		_ = flush()
	}
}

// reset breaks the connection of a request that nobody has read.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // which closes it, if more gently
	}
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// pause waits for d, unless there is nobody left to answer; then the request
// ends.
func (s *Server) pause(r *http.Request, d time.Duration) {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		s.wait(r, timer.C)
	}
}

// wait returns when due does. If the client hangs up or the server is closed
// before that, there is nobody left to answer and the request ends.
func (s *Server) wait(r *http.Request, due <-chan time.Time) {
	select {
	case <-due:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	case <-s.closing:
		panic(http.ErrAbortHandler)
	}
}
