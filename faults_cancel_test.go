package yotiface_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
)

// The server of these tests never ends what the context interrupts, and no timeout is near: what does not return
// promptly does not return at all.
func TestContextEndsEveryCall(t *testing.T) {
	t.Parallel()
	errCause := errors.New("the shop closes")
	hold := func(c *faultConn, _ string) { <-c.gone() }
	for _, when := range []struct {
		name    string
		content bool // only calls that expect some
		serve   func(c *faultConn, right string)
		is      error // beside the context's error
	}{
		{"before the call", false, nil, nil},
		{"in flight", false, hold, nil},
		{"in the header", false, func(c *faultConn, right string) {
			c.write(right[:20])
			hold(c, right)
		}, nil},
		{"in the body", true, func(c *faultConn, right string) {
			c.write(right[:len(right)-1])
			hold(c, right)
		}, nil},
		{"in the body of an error", false, func(c *faultConn, _ string) {
			c.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\n{")
			hold(c, "")
		}, yotiface.ErrForbidden},
		{"in the back-off", false, func(c *faultConn, right string) {
			c.write(faultAnswer(http.StatusTooManyRequests, "", "Retry-After: 3600"))
			hold(c, right)
		}, yotiface.ErrRateLimited},
	} {
		for _, call := range faultCalls {
			if when.content && !call.content {
				continue
			}
			t.Run(when.name+"/"+call.name, func(t *testing.T) {
				t.Parallel()
				arrived := make(chan struct{})
				s := newFaultServer(t, func(c *faultConn) {
					if request, ok := c.next(); ok {
						close(arrived)
						when.serve(c, faultRight(request.method, request.path()))
					}
				})
				ctx, cancel := context.WithCancelCause(s.traced(t))
				defer cancel(nil)
				attempted := make(chan struct{}, 1)
				client := newFaultClient(t, s.url, yotiface.WithAttemptTimeout(time.Hour),
					yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxAttempts: 3, MinBackoff: time.Hour, MaxBackoff: 2 * time.Hour}),
					yotiface.WithLogger(slog.New(faultLog{func() { attempted <- struct{}{} }})))
				switch when.name {
				case "before the call":
					cancel(errCause)
				case "in flight":
					go func() { <-arrived; cancel(errCause) }()
				case "in the back-off":
					go func() { <-attempted; cancel(errCause) }()
				default:
					go func() { <-s.answered; cancel(errCause) }()
				}
				got, err := call.do(ctx, client)
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, errCause, "the cause can be reached")
				require.NotErrorIs(t, err, context.DeadlineExceeded)
				var timeout interface{ Timeout() bool }
				require.ErrorAs(t, err, &timeout)
				assert.False(t, timeout.Timeout())
				if !call.streams {
					assert.Empty(t, got)
				}
				if when.is != nil {
					require.ErrorIs(t, err, when.is, "and so can the answer")
				}
				s.assertSaysLittle(t, err)
				if when.name == "before the call" {
					assert.Zero(t, s.conns.Load(), "nothing sent")
					assert.Empty(t, attempted, "nothing signed")
					assert.Contains(t, err.Error(), "context canceled before anything was sent")
				} else {
					assert.Equal(t, 1, s.count())
				}
			})
		}
	}
}

func TestDeadlineEndsEveryCall(t *testing.T) {
	t.Parallel()
	errCause := errors.New("the shop closes")
	for _, when := range []string{"in flight", "in the body"} {
		for _, call := range faultCalls {
			if when == "in the body" && !call.content {
				continue
			}
			t.Run(when+"/"+call.name, func(t *testing.T) {
				t.Parallel()
				s := newFaultServer(t, func(c *faultConn) {
					if request, ok := c.next(); ok {
						if when == "in the body" {
							right := faultRight(request.method, request.path())
							c.write(right[:len(right)-1])
						}
						<-c.gone()
					}
				})
				ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errCause)
				defer cancel()
				_, err := call.do(ctx, newFaultClient(t, s.url, yotiface.WithAttemptTimeout(time.Hour)))
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.NotErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, errCause)
				var timeout interface{ Timeout() bool }
				require.ErrorAs(t, err, &timeout)
				assert.True(t, timeout.Timeout())
				assert.LessOrEqual(t, s.count(), 1, "not tried again")
				s.assertSaysLittle(t, err)
			})
		}
	}
}

// A deadline that is nearer than the next attempt is not slept towards.
func TestDeadlineBeforeTheNextAttempt(t *testing.T) {
	t.Parallel()
	for _, call := range faultCalls {
		if call.waits() {
			continue // it waits for as long as it may
		}
		s := newFaultServer(t, func(c *faultConn) {
			if _, ok := c.next(); ok {
				c.write(faultAnswer(http.StatusTooManyRequests, "", "Retry-After: 3601"))
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		_, err := call.do(ctx, newFaultClient(t, s.url, yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxBackoff: 2 * time.Hour})))
		cancel()
		require.ErrorIs(t, err, yotiface.ErrRateLimited, call.name)
		require.NotErrorIs(t, err, context.DeadlineExceeded, "it is not over yet")
		assert.Equal(t, 1, s.count(), call.name)
	}
}

// Over HTTP/2 the stream is reset, so the server knows.
func TestContextEndsAStreamOfHTTP2(t *testing.T) {
	t.Parallel()
	authority := newFaultAuthority(t)
	roots := x509.NewCertPool()
	roots.AddCert(authority.self.Leaf)
	for _, call := range faultCalls {
		t.Run(call.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			told := make(chan struct{})
			server := newFaultTLSServer(t, authority.issue(t, x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}), new(atomic.Int64),
				func(_ http.ResponseWriter, r *http.Request) {
					assert.Equal(t, 2, r.ProtoMajor)
					cancel()
					<-r.Context().Done()
					close(told)
				})
			transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
			defer transport.CloseIdleConnections()
			got, err := call.do(ctx, newFaultClient(t, server.URL, yotiface.WithHTTPClient(&http.Client{Transport: transport})))
			require.ErrorIs(t, err, context.Canceled)
			assert.Empty(t, got)
			<-told
		})
	}
}

func TestNilContextOfEveryCall(t *testing.T) {
	t.Parallel()
	s := newFaultServer(t, (*faultConn).serveRight)
	var none context.Context
	for _, call := range faultCalls {
		got, err := call.do(none, newFaultClient(t, s.url))
		require.ErrorIs(t, err, yotiface.ErrInvalidArgument, call.name)
		assert.Empty(t, got, call.name)
	}
	assert.Zero(t, s.conns.Load())
}

// The attempt's end is not the call's.
func TestAttemptTimeoutOfEveryCall(t *testing.T) {
	t.Parallel()
	var calls faultWaiting
	for _, call := range faultCalls {
		s := newFaultServer(t, func(c *faultConn) {
			if c.n == 1 {
				_, _ = c.next()
				<-c.gone()
			}
			c.serveRight()
		})
		client := newFaultClient(t, s.url, yotiface.WithAttemptTimeout(time.Second))
		calls.add(func() func(*testing.T) {
			got, err := call.do(t.Context(), client)
			return func(t *testing.T) {
				t.Helper()
				t.Run(call.name, func(t *testing.T) {
					t.Parallel()
					s.assertNoNonceTwice(t)
					if call.method == http.MethodPost {
						require.ErrorIs(t, err, context.DeadlineExceeded)
						var timeout interface{ Timeout() bool }
						require.ErrorAs(t, err, &timeout)
						assert.True(t, timeout.Timeout())
						assert.Contains(t, err.Error(), "WithAttemptTimeout")
						assert.Equal(t, 1, s.count(), "it may have been done")
						return
					}
					require.NoError(t, err, "tried again")
					assert.Equal(t, call.right, got)
					assert.GreaterOrEqual(t, s.count(), 1+call.requests)
				})
			}
		})
	}
	calls.run(t)
}

func TestIntervalThatIsNotPositive(t *testing.T) {
	t.Parallel()
	s := newFaultServer(t, (*faultConn).serveRight)
	for _, interval := range []time.Duration{0, -1, -time.Hour} {
		session, err := newFaultClient(t, s.url).WaitForSession(t.Context(), faultID, interval)
		require.ErrorIs(t, err, yotiface.ErrInvalidArgument)
		assert.Nil(t, session)
	}
	assert.Zero(t, s.conns.Load())
}

func TestSessionEndsWhileItIsWaitedFor(t *testing.T) {
	t.Parallel()
	state := func(state string) string {
		return faultAnswer(http.StatusOK, `{"session_id":"`+faultID+`","state":"`+state+`"}`)
	}
	for _, test := range []struct {
		name    string
		answers []string
		want    yotiface.SessionState
		is      error
	}{
		{"completed", []string{state("ONGOING"), state("ONGOING"), state("COMPLETED")}, yotiface.SessionCompleted, nil},
		{"expired", []string{state("ONGOING"), state("EXPIRED")}, yotiface.SessionExpired, nil},
		{"an unknown state in between", []string{state("PAUSED"), state(""), state("COMPLETED")}, yotiface.SessionCompleted, nil},
		{"disappears", []string{state("ONGOING"), faultAnswer(http.StatusNotFound, "")}, "", yotiface.ErrNotFound},
		{"forbidden", []string{state("ONGOING"), faultAnswer(http.StatusForbidden, "")}, "", yotiface.ErrForbidden},
		{"another's", []string{state("ONGOING"), strings.ReplaceAll(state("COMPLETED"), faultID, faultFaceID)}, "", errAnyFault},
		{
			"the service fails for a while",
			[]string{state("ONGOING"), faultAnswer(500, ""), faultAnswer(502, ""), "", faultAnswer(503, ""), faultAnswer(429, ""), "HTTP/1.1 200", state("COMPLETED")},
			yotiface.SessionCompleted, nil,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newFaultServer(t, func(c *faultConn) {
				if _, ok := c.next(); ok {
					c.write(test.answers[c.n-1]) // and hang up
				}
			})
			hc := yotiface.NewOwnHTTPClient(func(transport *http.Transport) { transport.DisableKeepAlives = true })
			client := newFaultClient(t, s.url, yotiface.WithHTTPClient(hc), onlyOneAttempt)
			session, err := client.WaitForSession(t.Context(), faultID, time.Millisecond)
			s.assertNoNonceTwice(t)
			assert.Equal(t, len(test.answers), s.count())
			if test.is == nil {
				require.NoError(t, err)
				assert.Equal(t, test.want, session.State)
				return
			}
			assert.Nil(t, session)
			require.Error(t, err)
			if !errors.Is(test.is, errAnyFault) {
				require.ErrorIs(t, err, test.is)
			}
		})
	}
}

var errAnyFault = errors.New("any error")

func TestCancelledBetweenTwoQuestions(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{
		faultAnswer(http.StatusOK, `{"session_id":"`+faultID+`","state":"ONGOING"}`),
		faultAnswer(http.StatusServiceUnavailable, ""),
	} {
		s := newFaultServer(t, func(c *faultConn) {
			for {
				if _, ok := c.next(); !ok {
					return
				}
				c.write(answer)
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		attempted := make(chan struct{}, 1)
		client := newFaultClient(t, s.url, onlyOneAttempt, yotiface.WithLogger(slog.New(faultLog{func() { attempted <- struct{}{} }})))
		go func() { <-attempted; cancel() }()
		session, err := client.WaitForSession(ctx, faultID, time.Hour)
		assert.Nil(t, session)
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, strings.Contains(answer, "503"), errors.Is(err, yotiface.ErrUnavailable), "the last answer, if it was an error")
		s.assertSaysLittle(t, err)
	}
}

// The writer of a download is where the caller finds out that he has had enough.
func TestCancelledByTheWriter(t *testing.T) {
	t.Parallel()
	s := newFaultServer(t, func(c *faultConn) {
		if _, ok := c.next(); ok {
			c.write("HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 1000000\r\n\r\n" + faultImage)
			<-c.gone()
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	info, err := newFaultClient(t, s.url).DownloadMedia(ctx, faultID, faultFaceID, faultWriterFunc(func(p []byte) (int, error) {
		cancel()
		return len(p), nil
	}))
	require.ErrorIs(t, err, context.Canceled)
	assert.EqualValues(t, len(faultImage), info.Size)
	assert.Equal(t, 1, s.count())
}

// A success without content is one, even if the rest of the answer never comes.
func TestSuccessWhoseBodyNeverComes(t *testing.T) {
	t.Parallel()
	var calls faultWaiting
	for _, call := range faultCalls {
		if call.content {
			continue
		}
		s := newFaultServer(t, func(c *faultConn) {
			if _, ok := c.next(); ok {
				c.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
				<-c.gone()
			}
		})
		client := newFaultClient(t, s.url, yotiface.WithAttemptTimeout(time.Second))
		calls.add(func() func(*testing.T) {
			_, err := call.do(t.Context(), client)
			return func(t *testing.T) {
				t.Helper()
				require.NoError(t, err, call.name)
				assert.Equal(t, 1, s.count(), call.name)
			}
		})
	}
	calls.run(t)
}

type faultWriterFunc func([]byte) (int, error)

func (f faultWriterFunc) Write(p []byte) (int, error) { return f(p) }

var _ io.Writer = faultWriterFunc(nil)

// A faultLog tells when an attempt is over.
type faultLog struct{ attempted func() }

func (l faultLog) Enabled(context.Context, slog.Level) bool { return true }
func (l faultLog) Handle(context.Context, slog.Record) error {
	l.attempted()
	return nil
}
func (l faultLog) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l faultLog) WithGroup(string) slog.Handler      { return l }
