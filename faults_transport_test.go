package yotiface_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
)

// A request that reaches a server twice with one nonce is a replay. net/http makes one by itself when a kept-alive
// connection dies; the first subtests show that it does, so that the others prove something.
func TestNoNonceArrivesTwice(t *testing.T) {
	t.Parallel()
	// The second request on the first connection is read and gets no answer.
	dies := func(c *faultConn) {
		for {
			request, ok := c.next()
			if !ok || (c.n == 1 && request.nth == 2) {
				return
			}
			c.right(request)
		}
	}
	bare := func(t *testing.T, s *faultServer, method string, header http.Header) error {
		t.Helper()
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		for _, target := range []string{"/sessions/first?nonce=1", "/sessions/second?nonce=2"} {
			request, err := http.NewRequestWithContext(t.Context(), method, s.url+target, http.NoBody)
			require.NoError(t, err)
			for name, values := range header {
				request.Header[name] = values
			}
			response, err := transport.RoundTrip(request)
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, response.Body)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
		}
		return nil
	}

	t.Run("a bare client repeats a GET", func(t *testing.T) {
		t.Parallel()
		s := newFaultServer(t, dies)
		require.NoError(t, bare(t, s, http.MethodGet, nil))
		assert.Equal(t, []string{"1", "2", "2"}, s.nonces())
	})
	t.Run("a bare client repeats a POST that has an idempotency key", func(t *testing.T) {
		t.Parallel()
		for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
			s := newFaultServer(t, dies)
			require.NoError(t, bare(t, s, http.MethodPost, http.Header{name: {"1"}}))
			assert.Equal(t, []string{"1", "2", "2"}, s.nonces(), name)
		}
		s := newFaultServer(t, dies)
		require.Error(t, bare(t, s, http.MethodPost, nil))
		assert.Equal(t, []string{"1", "2"}, s.nonces(), "and none without")
	})

	for _, call := range faultCalls {
		t.Run(call.method+" of "+call.name, func(t *testing.T) {
			t.Parallel()
			s := newFaultServer(t, dies)
			client := newFaultClient(t, s.url)
			_, err := client.GetSession(t.Context(), faultID)
			require.NoError(t, err)
			got, err := call.do(t.Context(), client)

			arrivals := s.all()
			require.GreaterOrEqual(t, len(arrivals), 2)
			assert.Equal(t, []int{1, 2}, []int{arrivals[1].conn, arrivals[1].nth}, "the fault meets a connection that is used again")
			for _, arrival := range arrivals {
				assert.NotContains(t, arrival.header, "Idempotency-Key")
				assert.NotContains(t, arrival.header, "X-Idempotency-Key")
			}
			s.assertNoNonceTwice(t)
			if call.method == http.MethodPost {
				require.Error(t, err, "whether it was done is not known")
				assert.Empty(t, got)
				assert.Len(t, arrivals, 2, "it arrives once")
				return
			}
			require.NoError(t, err, "it is signed afresh and tried again")
			assert.Len(t, arrivals, 2+call.requests)
			assert.Equal(t, arrivals[1].path(), arrivals[2].path())
		})
	}

	ordinary := func(t *testing.T, arrival faultArrival) {
		t.Helper()
		head, after, found := strings.Cut(arrival.raw, "\r\n\r\n")
		require.True(t, found)
		assert.Empty(t, after, "nothing follows the header")
		assert.True(t, strings.HasPrefix(head, arrival.method+" /idverify/v1/sessions/"+faultID+"?"), head)
		assert.NotContains(t, head, "Content-Length")
		assert.NotContains(t, head, "Transfer-Encoding")
	}
	t.Run("what goes over the wire is an ordinary request", func(t *testing.T) {
		t.Parallel()
		s := newFaultServer(t, dies)
		client := newFaultClient(t, s.url)
		_, err := client.GetSession(t.Context(), faultID)
		require.NoError(t, err)
		require.NoError(t, client.DeleteSession(t.Context(), faultID))
		_, err = client.GetSession(t.Context(), faultID)
		require.NoError(t, err)
		assert.Equal(t, 4, s.count())
		for _, arrival := range s.all() {
			ordinary(t, arrival)
		}
	})
	// net/http gives a body of unknown length 200 ms to show whether there is any, and sends chunks otherwise. On a machine
	// with enough to do, the goroutine that looks does not get its turn.
	t.Run("and stays one on a busy machine", func(t *testing.T) {
		t.Parallel()
		s := newFaultServer(t, (*faultConn).serveRight)
		own := yotiface.NewOwnHTTPClient(func(*http.Transport) {})
		t.Cleanup(own.CloseIdleConnections)
		client := newFaultClient(t, s.url, yotiface.WithHTTPClient(&http.Client{Transport: transportFunc(func(req *http.Request) (*http.Response, error) {
			req = req.Clone(req.Context())
			req.Body = faultLateBody{req.Body}
			return own.Transport.RoundTrip(req)
		})}))
		_, err := client.GetSession(t.Context(), faultID)
		require.NoError(t, err)
		require.NoError(t, client.DeleteSession(t.Context(), faultID))
		for _, arrival := range s.all() {
			ordinary(t, arrival)
		}
	})
	t.Run("a POST without a body says so", func(t *testing.T) {
		t.Parallel()
		s := newFaultServer(t, (*faultConn).serveRight)
		_, err := newFaultClient(t, s.url).CreateApplicant(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []string{"0"}, s.all()[0].header["Content-Length"])
		assert.NotContains(t, s.all()[0].raw, "Transfer-Encoding")
	})
}

// Every call meets every fault on its first request; the next one is answered as it should be.
func TestEveryCallThroughEveryFault(t *testing.T) {
	t.Parallel()
	for _, fault := range []struct {
		name     string
		inBody   bool // the status has arrived by then
		delivers bool // and so has a part of the body
		serve    func(c *faultConn, right string)
		is       error // nil: of no particular identity
	}{
		{"hangs up before the answer", false, false, func(*faultConn, string) {}, io.EOF},
		{"resets before the answer", false, false, func(c *faultConn, _ string) { c.reset() }, syscall.ECONNRESET},
		{"hangs up in the status line", false, false, func(c *faultConn, right string) { c.write(right[:len("HTTP/1.")]) }, nil},
		{"hangs up in the header", false, false, func(c *faultConn, right string) { c.write(right[:strings.Index(right, "\r\n\r\n")]) }, io.ErrUnexpectedEOF},
		{"does not speak HTTP", false, false, func(c *faultConn, _ string) { c.write("220 mail.example ESMTP ready\r\n\r\n") }, nil},
		{"sends less than Content-Length", true, true, func(c *faultConn, right string) { c.write(right[:len(right)-1]) }, io.ErrUnexpectedEOF},
		{"hangs up in a chunk", true, true, func(c *faultConn, right string) {
			head, body := faultChunked(right)
			c.write(head + fmt.Sprintf("%x\r\n%s", len(body), body[:len(body)-1]))
		}, io.ErrUnexpectedEOF},
		{"sends no last chunk", true, true, func(c *faultConn, right string) {
			head, body := faultChunked(right)
			c.write(head + fmt.Sprintf("%x\r\n%s\r\n", len(body), body)) // all of it, but is it?
		}, io.ErrUnexpectedEOF},
		{"resets in the body", true, true, func(c *faultConn, right string) {
			c.write(right[:len(right)-1])
			<-c.server.answered // or the reset could overtake the answer
			c.reset()
		}, syscall.ECONNRESET},
		{"says gzip and sends something else", true, false, func(c *faultConn, right string) {
			c.write(strings.Replace(right, "\r\n", "\r\nContent-Encoding: gzip\r\n", 1))
		}, nil},
	} {
		for _, call := range faultCalls {
			if fault.inBody && !call.content {
				continue // there is no body to break
			}
			t.Run(fault.name+"/"+call.name, func(t *testing.T) {
				t.Parallel()
				s := newFaultServer(t, func(c *faultConn) {
					for {
						request, ok := c.next()
						if !ok {
							return
						}
						if c.n == 1 && request.nth == 1 {
							fault.serve(c, faultRight(request.method, request.path()))
							return
						}
						c.right(request)
					}
				})
				got, err := call.do(s.traced(t), newFaultClient(t, s.url))
				s.assertNoNonceTwice(t)
				onlyOnce := call.method == http.MethodPost || (fault.delivers && call.streams)
				if !onlyOnce {
					require.NoError(t, err)
					assert.Equal(t, 1+call.requests, s.count(), "one more than without the fault")
					assert.Equal(t, call.right, got, "all of it")
					return
				}
				require.Error(t, err)
				assert.Equal(t, 1, s.count(), "neither a POST nor what has gone to a writer is tried again")
				if fault.is != nil {
					require.ErrorIs(t, err, fault.is)
				}
				if call.method == http.MethodPost {
					assert.Empty(t, got, "no half-filled value")
				}
				s.assertSaysLittle(t, err)
			})
		}
	}
}

// Where there is only one attempt, its error is returned, and nothing beside it.
func TestBrokenAnswersGiveNoHalfFilledValue(t *testing.T) {
	t.Parallel()
	for _, call := range faultCalls {
		if !call.content || call.streams || call.waits() {
			continue
		}
		t.Run(call.name, func(t *testing.T) {
			t.Parallel()
			s := newFaultServer(t, func(c *faultConn) {
				if request, ok := c.next(); ok {
					right := faultRight(request.method, request.path())
					c.write(right[:len(right)-1])
				}
			})
			got, err := call.do(t.Context(), newFaultClient(t, s.url, onlyOneAttempt))
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			assert.Empty(t, got)
			s.assertSaysLittle(t, err)
		})
	}
}

// A body whose end is only the end of the connection may have been cut off. JSON tells; bytes cannot.
func TestBodyWithoutALength(t *testing.T) {
	t.Parallel()
	for _, call := range faultCalls {
		if call.method != http.MethodGet || call.requests > 1 {
			continue
		}
		for _, missing := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s, %d bytes missing", call.name, missing), func(t *testing.T) {
				t.Parallel()
				s := newFaultServer(t, func(c *faultConn) {
					if request, ok := c.next(); ok {
						head, body, _ := strings.Cut(faultRight(request.method, request.path()), "\r\nContent-Length: ")
						_, body, _ = strings.Cut(body, "\r\n\r\n")
						c.write(head + "\r\nConnection: close\r\n\r\n" + body[:len(body)-missing])
					}
				})
				got, err := call.do(t.Context(), newFaultClient(t, s.url))
				if missing == 0 {
					require.NoError(t, err)
					assert.Equal(t, call.right, got)
					return
				}
				if strings.HasSuffix(call.name, "Media") {
					require.NoError(t, err, "nobody can tell: crypto/tls forgives a missing farewell too")
					return
				}
				var decodeErr *yotiface.DecodeError
				require.ErrorAs(t, err, &decodeErr)
				assert.Contains(t, err.Error(), "JSON that ends too early")
				assert.Equal(t, 1, s.count(), "not tried again")
			})
		}
	}
}

func TestConnectionRefused(t *testing.T) {
	t.Parallel()
	for _, call := range faultCalls {
		t.Run(call.name, func(t *testing.T) {
			t.Parallel()
			t.Run("once", func(t *testing.T) {
				t.Parallel()
				s := newFaultServer(t, (*faultConn).serveRight)
				var dials atomic.Int64
				hc := yotiface.NewOwnHTTPClient(func(transport *http.Transport) {
					transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
						if dials.Add(1) == 1 {
							address = faultClosedPort
						}
						return new(net.Dialer).DialContext(ctx, network, address)
					}
				})
				got, err := call.do(t.Context(), newFaultClient(t, s.url, yotiface.WithHTTPClient(hc)))
				require.NoError(t, err, "no connection was made, so a POST is tried again too")
				assert.Equal(t, call.right, got)
				assert.Equal(t, call.requests, s.count())
			})
			if call.waits() {
				return
			}
			t.Run("always", func(t *testing.T) {
				t.Parallel()
				got, err := call.do(t.Context(), newFaultClient(t, "http://"+faultClosedPort))
				require.ErrorIs(t, err, syscall.ECONNREFUSED)
				assert.Empty(t, got)
				assert.Contains(t, err.Error(), "[3 attempts]")
				assertOneLine(t, err.Error())
				assert.NotContains(t, err.Error(), "nonce")
			})
		})
	}
}

// The connection to the service was not made either if that to the proxy was not.
func TestProxyRefusesTheConnection(t *testing.T) {
	t.Parallel()
	for _, call := range faultCalls {
		if call.waits() {
			continue
		}
		t.Run(call.name, func(t *testing.T) {
			t.Parallel()
			hc := yotiface.NewOwnHTTPClient(func(transport *http.Transport) {
				transport.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: faultClosedPort})
			})
			_, err := call.do(t.Context(), newFaultClient(t, "https://api.yoti.invalid/idverify/v1", yotiface.WithHTTPClient(hc)))
			require.ErrorIs(t, err, syscall.ECONNREFUSED)
			assert.Contains(t, err.Error(), "[3 attempts]")
		})
	}
}

func TestProxyAnswersInPlaceOfTheService(t *testing.T) {
	t.Parallel()
	proxied := func(t *testing.T, baseURL string, handler http.HandlerFunc) (*yotiface.Client, *atomic.Int64) {
		t.Helper()
		var asked atomic.Int64
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			handler(w, r)
		}))
		t.Cleanup(proxy.Close)
		address, err := url.Parse(proxy.URL)
		require.NoError(t, err)
		hc := yotiface.NewOwnHTTPClient(func(transport *http.Transport) { transport.Proxy = http.ProxyURL(address) })
		t.Cleanup(hc.CloseIdleConnections)
		return newFaultClient(t, baseURL, yotiface.WithHTTPClient(hc)), &asked
	}
	const page = "<html><title>Sign in, WORD</title></html>"

	t.Run("407", func(t *testing.T) {
		t.Parallel()
		client, asked := proxied(t, "http://127.0.0.1:1/idverify/v1", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Proxy-Authenticate", "Basic realm=WORD")
			w.WriteHeader(http.StatusProxyAuthRequired)
			_, _ = io.WriteString(w, page)
		})
		_, err := client.GetSession(t.Context(), faultID)
		var apiErr *yotiface.APIError
		require.ErrorAs(t, err, &apiErr)
		assert.Equal(t, http.StatusProxyAuthRequired, apiErr.StatusCode)
		assert.Equal(t, page, string(apiErr.Body), "kept")
		assert.NotContains(t, err.Error(), "WORD", "and not printed")
		assert.Contains(t, err.Error(), "the proxy wants credentials")
		assert.EqualValues(t, 1, asked.Load(), "not tried again")
	})
	t.Run("captive page", func(t *testing.T) {
		t.Parallel()
		client, asked := proxied(t, "http://127.0.0.1:1/idverify/v1", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, page)
		})
		session, err := client.GetSession(t.Context(), faultID)
		assert.Nil(t, session)
		var decodeErr *yotiface.DecodeError
		require.ErrorAs(t, err, &decodeErr)
		assert.Equal(t, page, string(decodeErr.Body))
		assert.NotContains(t, err.Error(), "WORD")
		assert.Contains(t, err.Error(), "HTML or XML")
		assert.EqualValues(t, 1, asked.Load())
	})
	for _, tunnel := range []struct {
		name   string
		status int
		text   string
		asked  int64
	}{
		{"no tunnel without credentials", 407, "407 Proxy Authentication Required (put user and password into HTTPS_PROXY)", 1},
		{"no tunnel to this host", 403, "403 Forbidden (ask who runs it to allow the host of the base URL)", 1},
		{"no tunnel in time", 408, "408 Request Timeout [3 attempts]", 3},
		{"no tunnel so early", 425, "425 Too Early [3 attempts]", 3},
		{"no tunnel so often", 429, "429 Too Many Requests [3 attempts]", 3},
		{"no tunnel with a status of its own", 499, "499 (ask who runs it to allow the host of the base URL)", 1},
		{"no tunnel for now", 503, "503 Service Unavailable [3 attempts]", 3},
	} {
		t.Run(tunnel.name, func(t *testing.T) {
			t.Parallel()
			client, asked := proxied(t, "https://api.yoti.invalid/idverify/v1", func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, http.MethodConnect, r.Method)
				assert.NotContains(t, r.Header, "X-Yoti-Auth-Digest", "the proxy sees no signature")
				w.WriteHeader(tunnel.status)
				_, _ = io.WriteString(w, page)
			})
			_, err := client.CreateApplicant(t.Context())
			require.ErrorContains(t, err, "the proxy makes no connection: "+tunnel.text)
			assert.NotContains(t, err.Error(), "WORD")
			assertOneLine(t, err.Error())
			assert.Equal(t, tunnel.asked, asked.Load(), "a POST too: the service has seen nothing")
		})
	}
}

func TestHostThatDoesNotResolve(t *testing.T) {
	t.Parallel()
	resolver := newFaultResolver(t)
	for _, call := range faultCalls {
		if call.waits() {
			continue
		}
		t.Run(call.name, func(t *testing.T) {
			t.Parallel()
			hc := yotiface.NewOwnHTTPClient(func(transport *http.Transport) {
				transport.Proxy = nil
				transport.DialContext = (&net.Dialer{Resolver: resolver}).DialContext
			})
			got, err := call.do(t.Context(), newFaultClient(t, "https://api.yoti.invalid/idverify/v1", yotiface.WithHTTPClient(hc)))
			assert.Empty(t, got)
			var dnsErr *net.DNSError
			require.ErrorAs(t, err, &dnsErr)
			assert.True(t, dnsErr.IsNotFound)
			assert.Contains(t, err.Error(), "[3 attempts]", "a POST too: no connection was made")
			assert.Contains(t, err.Error(), "no such host")
			var urlErr *url.Error
			require.NotErrorAs(t, err, &urlErr)
			for _, hidden := range []string{"https://", "nonce", ownSDKID, faultID} {
				assert.NotContains(t, err.Error(), hidden)
			}
		})
	}
}

// Faults that would last for ever: the attempt's timeout ends them, or a shorter one of the caller's HTTP client.
func TestAnswersThatNeverEnd(t *testing.T) {
	t.Parallel()
	const timeout = 150 * time.Millisecond
	var calls faultWaiting
	drip := func(c *faultConn, head, body string) {
		c.write(head)
		for _, b := range []byte(body) {
			select {
			case <-c.gone():
				return
			case <-time.After(10 * time.Millisecond):
				c.write(string(b))
			}
		}
		<-c.gone()
	}
	for _, fault := range []struct {
		name  string
		serve func(c *faultConn, right string)
	}{
		{"nothing", func(c *faultConn, _ string) { <-c.gone() }},
		{"half a status line", func(c *faultConn, right string) { c.write(right[:5]); <-c.gone() }},
		{"half a header", func(c *faultConn, right string) { c.write(right[:40]); <-c.gone() }},
		{"a header and no body", func(c *faultConn, right string) {
			c.write(right[:strings.Index(right, "\r\n\r\n")+4])
			<-c.gone()
		}},
		{"a header that drips", func(c *faultConn, right string) { drip(c, right[:20], strings.Repeat("X-Drip: 1\r\n", 1000)) }},
		{"a body that drips", func(c *faultConn, _ string) {
			drip(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", strings.Repeat(" ", 100_000))
		}},
		{"chunks that drip", func(c *faultConn, _ string) {
			drip(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", strings.Repeat("1\r\n \r\n", 10_000))
		}},
	} {
		for _, limit := range []struct {
			name string
			opts []yotiface.Option
		}{
			{"attempt timeout", []yotiface.Option{yotiface.WithAttemptTimeout(timeout)}},
			{"timeout of the HTTP client", []yotiface.Option{
				yotiface.WithHTTPClient(&http.Client{Timeout: timeout, Transport: yotiface.NewOwnHTTPClient(func(*http.Transport) {}).Transport}),
				yotiface.WithAttemptTimeout(time.Hour),
			}},
		} {
			server := newFaultServer(t, func(c *faultConn) {
				for {
					request, ok := c.next()
					if !ok {
						return
					}
					fault.serve(c, faultRight(request.method, request.path()))
				}
			})
			client := newFaultClient(t, server.url, append(limit.opts,
				yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxAttempts: 2, MaxBackoff: time.Millisecond}))...)
			calls.add(func() func(*testing.T) {
				session, err := client.GetSession(t.Context(), faultID)
				_, postErr := client.CreatePool(t.Context(), "label")
				return func(t *testing.T) {
					t.Helper()
					t.Run(fault.name+"/"+limit.name, func(t *testing.T) {
						t.Parallel()
						require.ErrorIs(t, err, context.DeadlineExceeded)
						assert.Nil(t, session)
						var timeout interface{ Timeout() bool }
						require.ErrorAs(t, err, &timeout)
						assert.True(t, timeout.Timeout())
						assert.Contains(t, err.Error(), "[2 attempts]", "tried again")
						server.assertNoNonceTwice(t)
						server.assertSaysLittle(t, err)

						require.ErrorIs(t, postErr, context.DeadlineExceeded)
						assert.NotContains(t, postErr.Error(), "attempts]", "a POST is not")
						posts := 0
						for _, arrival := range server.all() {
							if arrival.method == http.MethodPost {
								posts++
							}
						}
						assert.LessOrEqual(t, posts, 1)
					})
				}
			})
		}
	}
	calls.run(t)
}

// A connection that is stuck while it is being made, like every connection whose first packet is lost, is not ended by
// net/http together with its request: the next attempt, or the caller's next call, must not wait for it.
func TestConnectionThatIsStuckDoesNotHoldUpTheNextAttempt(t *testing.T) {
	t.Parallel()
	s := newFaultServer(t, (*faultConn).serveRight)
	var dials atomic.Int64
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	hc := yotiface.NewOwnHTTPClient(func(transport *http.Transport) {
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			if dials.Add(1) == 1 {
				<-stop
				return nil, net.ErrClosed
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		}
	})
	client := newFaultClient(t, s.url, yotiface.WithHTTPClient(hc), yotiface.WithAttemptTimeout(time.Second))
	session, err := client.GetSession(t.Context(), faultID)
	require.NoError(t, err)
	assert.Equal(t, yotiface.SessionCompleted, session.State)
	assert.GreaterOrEqual(t, dials.Load(), int64(2))
}

// An answer that is larger than a header may be.
func TestHeaderOf11MiB(t *testing.T) {
	t.Parallel()
	line := "X-Filler: " + strings.Repeat("WORD", 256) + "\r\n"
	for _, test := range []struct {
		name string
		opts []yotiface.Option
	}{
		{"the library's transport", nil},
		{"a caller's transport", []yotiface.Option{yotiface.WithHTTPClient(&http.Client{Transport: &http.Transport{}})}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newFaultServer(t, func(c *faultConn) {
				if _, ok := c.next(); !ok {
					return
				}
				c.write("HTTP/1.1 200 OK\r\n")
				for sent := 0; sent < 11<<20; sent += len(line) {
					if _, err := io.WriteString(c, line); err != nil {
						return
					}
				}
				c.write("Content-Length: 2\r\n\r\n{}")
			})
			client := newFaultClient(t, s.url, append(test.opts, onlyOneAttempt)...)
			session, err := client.GetSession(t.Context(), faultID)
			require.Error(t, err)
			assert.Nil(t, session)
			var decodeErr *yotiface.DecodeError
			require.NotErrorAs(t, err, &decodeErr, "the body was not read")
			assert.NotContains(t, err.Error(), "WORD")
			s.assertSaysLittle(t, err)
		})
	}
}

// One answer too many must never pass for the answer to the next call.
func TestAnswerThatNobodyAskedFor(t *testing.T) {
	t.Parallel()
	const other = "00000000-0000-4000-8000-000000000000"
	s := newFaultServer(t, func(c *faultConn) {
		request, ok := c.next()
		if !ok {
			return
		}
		right := faultRight(request.method, request.path())
		if c.n == 1 {
			right += strings.ReplaceAll(right, faultID, other)
		}
		c.write(right)
		c.serveRight()
	})
	client := newFaultClient(t, s.url)
	for range 2 {
		session, err := client.GetSession(t.Context(), faultID)
		if err != nil {
			var decodeErr *yotiface.DecodeError
			require.ErrorAs(t, err, &decodeErr, "the connection was used again before the surplus was seen")
			assert.Equal(t, "/session_id", decodeErr.Path)
			continue
		}
		assert.Equal(t, faultID, session.ID)
	}
}

// The answer comes while the request is still on its way.
func TestAnswerBeforeTheRequestIsThrough(t *testing.T) {
	t.Parallel()
	s := newFaultServer(t, func(c *faultConn) {
		if c.head() {
			c.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 28\r\nConnection: close\r\n\r\n" + `{"code":"PAYLOAD_TOO_LARGE"}`)
			<-c.gone()
		}
	})
	image := append([]byte("\xff\xd8\xff"), make([]byte, 1<<20)...)
	id, err := newFaultClient(t, s.url).AddFace(t.Context(), faultID, yotiface.FaceFromImage(image))
	assert.Empty(t, id)
	var apiErr *yotiface.APIError
	require.ErrorAs(t, err, &apiErr)
	assert.Equal(t, http.StatusRequestEntityTooLarge, apiErr.StatusCode)
	assert.Equal(t, "PAYLOAD_TOO_LARGE", apiErr.Code)
	assert.EqualValues(t, 1, s.conns.Load())
}

// A writer's error is the caller's own affair.
func TestWriterFailsHalfWay(t *testing.T) {
	t.Parallel()
	errFull := errors.New("the disk is full")
	image := append([]byte("\xff\xd8\xff"), make([]byte, 100_000)...)
	s := newFaultServer(t, func(c *faultConn) {
		for {
			request, ok := c.next()
			if !ok {
				return
			}
			body := string(image)
			if strings.Contains(request.path(), "/faces/") {
				body = `{"face":{"data":"` + base64.StdEncoding.EncodeToString(image) + `"}}`
			}
			c.write(faultAnswer(http.StatusOK, body))
		}
	})
	for _, test := range []struct {
		name     string
		download func(*yotiface.Client, io.Writer) (yotiface.MediaInfo, error)
	}{
		{"DownloadFace", func(c *yotiface.Client, w io.Writer) (yotiface.MediaInfo, error) {
			return c.DownloadFace(t.Context(), faultID, faultFaceID, w)
		}},
		{"DownloadMedia", func(c *yotiface.Client, w io.Writer) (yotiface.MediaInfo, error) {
			return c.DownloadMedia(t.Context(), faultID, faultFaceID, w)
		}},
	} {
		before := len(s.all())
		w := &faultWriter{room: 50_000, err: errFull}
		info, err := test.download(newFaultClient(t, s.url), w)
		assert.Same(t, errFull, err, "%s: as it is", test.name)
		assert.EqualValues(t, 50_000, info.Size, test.name)
		assert.Equal(t, image[:50_000], w.Bytes(), test.name)
		assert.Equal(t, before+1, s.count(), "%s: not tried again", test.name)

		short := &faultWriter{room: 50_000}
		info, err = test.download(newFaultClient(t, s.url), short)
		require.ErrorIs(t, err, io.ErrShortWrite, test.name)
		assert.EqualValues(t, 50_000, info.Size, test.name)
	}
}

// What the tests of faults share. A name that begins with fault is theirs.

const (
	faultID     = "7938ac1e-0a4a-49b7-953f-08cfa764358f"
	faultFaceID = "8b9c3ea5-ebd4-436b-836d-ba8dbc80b57e"

	// faultClosedPort is where no server is: the port is reserved, and only the superuser can listen on it.
	faultClosedPort = "127.0.0.1:1"

	faultImage = "\x89PNG\r\n\x1a\n and the rest of a picture"
)

// faultBodies are the right answers to the requests for content, by method and path.
var faultBodies = map[string]string{
	"GET /sessions/" + faultID: `{"session_id":"` + faultID + `","state":"COMPLETED","checks":[]}`,
	"POST /sessions":           `{"session_id":"` + faultID + `","client_session_token":"TOKEN","client_session_token_ttl":600}`,
	"GET /sessions/" + faultID + "/media/" + faultFaceID + "/content": faultImage,
	"GET /applicant/" + faultID:                                       `{"id":"` + faultID + `","faces":{"archetype_face":"` + faultFaceID + `"}}`,
	"GET /applicant/" + faultID + "/faces/" + faultFaceID: `{"face":{"data":"` + base64.StdEncoding.EncodeToString([]byte(faultImage)) +
		`","content_type":"image/png"}}`,
	"POST /applicants":                       `{"id":"` + faultID + `"}`,
	"POST /applicants/" + faultID + "/faces": `{"id":"` + faultFaceID + `"}`,
	"POST /pools":                            `{"id":"` + faultID + `","label":"label"}`,
}

// faultRight is the right answer as it goes over the wire.
func faultRight(method, path string) string {
	body, ok := faultBodies[method+" "+strings.TrimPrefix(path, "/idverify/v1")]
	switch {
	case !ok:
		return "HTTP/1.1 204 No Content\r\n\r\n"
	case strings.HasPrefix(body, "{"):
		return faultAnswer(http.StatusOK, body, "Content-Type: application/json")
	}
	return faultAnswer(http.StatusOK, body, "Content-Type: image/png")
}

// faultAnswer is an answer as it goes over the wire.
func faultAnswer(status int, body string, header ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	for _, line := range header {
		b.WriteString(line + "\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return b.String()
}

// faultChunked makes the header of an answer announce chunks.
func faultChunked(answer string) (head, body string) {
	head, body, _ = strings.Cut(answer, "\r\n\r\n")
	head, _, _ = strings.Cut(head, "\r\nContent-Length")
	return head + "\r\nTransfer-Encoding: chunked\r\n\r\n", body
}

// waits reports whether a call goes on for as long as the service fails.
func (c faultCall) waits() bool { return c.name == "WaitForSession" }

// A faultCall is a call of the client: all of them have to come through every fault.
type faultCall struct {
	name     string
	method   string // of its first request
	requests int    // that it makes where nothing goes wrong
	content  bool   // it expects a body
	streams  bool   // the body goes to a writer as it arrives
	right    string // what the right answer is shown as
	do       func(context.Context, *yotiface.Client) (got string, err error)
}

var faultCalls = []faultCall{
	{"GetSession", "GET", 1, true, false, "COMPLETED", func(ctx context.Context, c *yotiface.Client) (string, error) {
		s, err := c.GetSession(ctx, faultID)
		return faultShow(s, err, func() string { return string(s.State) })
	}},
	{"WaitForSession", "GET", 1, true, false, "COMPLETED", func(ctx context.Context, c *yotiface.Client) (string, error) {
		s, err := c.WaitForSession(ctx, faultID, time.Millisecond)
		return faultShow(s, err, func() string { return string(s.State) })
	}},
	{"CreateSession", "POST", 1, true, false, "TOKEN", func(ctx context.Context, c *yotiface.Client) (string, error) {
		s, err := c.CreateSession(ctx, struct{}{})
		return faultShow(s, err, func() string { return s.ClientSessionToken })
	}},
	{"DeleteSession", "DELETE", 1, false, false, "", func(ctx context.Context, c *yotiface.Client) (string, error) {
		return "", c.DeleteSession(ctx, faultID)
	}},
	{"GetMedia", "GET", 1, true, false, faultImage, func(ctx context.Context, c *yotiface.Client) (string, error) {
		m, err := c.GetMedia(ctx, faultID, faultFaceID)
		return faultShow(m, err, func() string { return string(m.Data) })
	}},
	{"DownloadMedia", "GET", 1, true, true, faultImage, func(ctx context.Context, c *yotiface.Client) (string, error) {
		var w strings.Builder
		_, err := c.DownloadMedia(ctx, faultID, faultFaceID, &w)
		return w.String(), err
	}},
	{"DeleteMedia", "DELETE", 1, false, false, "", func(ctx context.Context, c *yotiface.Client) (string, error) {
		return "", c.DeleteMedia(ctx, faultID, faultFaceID)
	}},
	{"GetApplicant", "GET", 1, true, false, faultFaceID, func(ctx context.Context, c *yotiface.Client) (string, error) {
		a, err := c.GetApplicant(ctx, faultID)
		return faultShow(a, err, func() string { return a.Faces.ArchetypeFaceID })
	}},
	{"CreateApplicant", "POST", 1, true, false, faultID, func(ctx context.Context, c *yotiface.Client) (string, error) {
		a, err := c.CreateApplicant(ctx)
		return faultShow(a, err, func() string { return a.ID })
	}},
	{"CreateApplicantWithFace", "POST", 1, true, false, faultID, func(ctx context.Context, c *yotiface.Client) (string, error) {
		a, err := c.CreateApplicantWithFace(ctx, []byte(faultImage))
		return faultShow(a, err, func() string { return a.ID })
	}},
	{"DeleteApplicant", "DELETE", 1, false, false, "", func(ctx context.Context, c *yotiface.Client) (string, error) {
		return "", c.DeleteApplicant(ctx, faultID)
	}},
	{"GetFace", "GET", 1, true, false, faultImage, func(ctx context.Context, c *yotiface.Client) (string, error) {
		f, err := c.GetFace(ctx, faultID, faultFaceID)
		return faultShow(f, err, func() string { return string(f.Data) })
	}},
	{"DownloadFace", "GET", 1, true, true, faultImage, func(ctx context.Context, c *yotiface.Client) (string, error) {
		var w strings.Builder
		_, err := c.DownloadFace(ctx, faultID, faultFaceID, &w)
		return w.String(), err
	}},
	{"MatchedFaces", "GET", 2, true, false, faultImage, func(ctx context.Context, c *yotiface.Client) (string, error) {
		m, err := c.MatchedFaces(ctx, matched(faultID))
		return faultShow(m, err, func() string { return string(m[0].Face.Data) })
	}},
	{"AddFace", "POST", 1, true, false, faultFaceID, func(ctx context.Context, c *yotiface.Client) (string, error) {
		return c.AddFace(ctx, faultID, yotiface.FaceFromSession(faultID, faultFaceID))
	}},
	{"DeleteFace", "DELETE", 1, false, false, "", func(ctx context.Context, c *yotiface.Client) (string, error) {
		return "", c.DeleteFace(ctx, faultID, faultFaceID)
	}},
	{"CreatePool", "POST", 1, true, false, "label", func(ctx context.Context, c *yotiface.Client) (string, error) {
		p, err := c.CreatePool(ctx, "label")
		return faultShow(p, err, func() string { return p.Label })
	}},
	{"DeletePool", "DELETE", 1, false, false, "", func(ctx context.Context, c *yotiface.Client) (string, error) {
		return "", c.DeletePool(ctx, faultID)
	}},
	{"AddApplicantToPool", "POST", 1, false, false, "", func(ctx context.Context, c *yotiface.Client) (string, error) {
		return "", c.AddApplicantToPool(ctx, faultID, faultID)
	}},
	{"RemoveApplicantFromPool", "DELETE", 1, false, false, "", func(ctx context.Context, c *yotiface.Client) (string, error) {
		return "", c.RemoveApplicantFromPool(ctx, faultID, faultID)
	}},
}

// faultShow shows a result beside which there is no error, or what is there beside one, which the tests refuse.
func faultShow(v any, err error, show func() string) (string, error) {
	switch {
	case err == nil:
		return show(), nil
	case reflect.ValueOf(v).IsNil():
		return "", err
	}
	return "a value beside an error", err
}

// The table of the calls has all that the client has.
func TestFaultsMeetEveryCall(t *testing.T) {
	t.Parallel()
	var want, got []string
	client := reflect.TypeFor[*yotiface.Client]()
	for i := range client.NumMethod() {
		if method := client.Method(i); method.Type.NumIn() > 1 && method.Type.In(1) == reflect.TypeFor[context.Context]() {
			want = append(want, method.Name)
		}
	}
	for _, call := range faultCalls {
		got = append(got, call.name)
		s := newFaultServer(t, (*faultConn).serveRight)
		shown, err := call.do(t.Context(), newFaultClient(t, s.url))
		require.NoError(t, err, call.name)
		assert.Equal(t, call.right, shown, call.name)
		assert.Len(t, s.all(), call.requests, call.name)
		assert.Equal(t, call.method, s.all()[0].method, call.name)
	}
	assert.ElementsMatch(t, want, got)
}

// A faultWaiting is what spends its time waiting, so that more of it can go on at once than there are processors.
type faultWaiting []func() (judge func(*testing.T))

func (w *faultWaiting) add(f func() (judge func(*testing.T))) { *w = append(*w, f) }

// run does everything at once, and judges what came of it one after the other.
func (w *faultWaiting) run(t *testing.T) {
	t.Helper()
	judges := make([]func(*testing.T), len(*w))
	var running sync.WaitGroup
	for i, f := range *w {
		running.Go(func() { judges[i] = f() })
	}
	running.Wait()
	for _, judge := range judges {
		judge(t)
	}
}

// newFaultClient makes a client that hardly waits between attempts. It has a transport of its own, or else a test that
// closes the idle connections of the process could take away the one that is to be used again.
func newFaultClient(t *testing.T, baseURL string, opts ...yotiface.Option) *yotiface.Client {
	t.Helper()
	hc := yotiface.NewOwnHTTPClient(func(*http.Transport) {})
	t.Cleanup(hc.CloseIdleConnections)
	client, err := yotiface.NewClient(ownSDKID, ownPEM(), append([]yotiface.Option{
		yotiface.WithBaseURL(baseURL),
		yotiface.WithHTTPClient(hc),
		yotiface.WithRetryPolicy(yotiface.RetryPolicy{MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond}),
	}, opts...)...)
	require.NoError(t, err)
	return client
}

// A faultServer hands each connection to a function that does with it, byte by byte, what it likes. When the function
// returns, the connection is closed.
type faultServer struct {
	url      string
	conns    atomic.Int64
	answered chan struct{} // closed when a client under traced has received the first byte of an answer
	once     sync.Once

	mu       sync.Mutex
	arrivals []faultArrival
	open     map[net.Conn]bool
	closed   bool
}

// A faultArrival is a request as it arrived.
type faultArrival struct {
	conn, nth      int // which connection, and which request on it; from 1
	method, target string
	header         http.Header
	raw            string // with what followed it, if anything did
}

func (a faultArrival) path() string {
	path, _, _ := strings.Cut(a.target, "?")
	return path
}

func (a faultArrival) nonce() string {
	_, query, _ := strings.Cut(a.target, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return err.Error()
	}
	return values.Get("nonce")
}

// newFaultServer starts a server that speaks over each connection what serve speaks.
func newFaultServer(t *testing.T, serve func(*faultConn)) *faultServer {
	t.Helper()
	return newFaultServerOver(t, func(c net.Conn) net.Conn { return c }, serve)
}

// newFaultServerOver is newFaultServer with something around the connection, such as TLS.
func newFaultServerOver(t *testing.T, around func(net.Conn) net.Conn, serve func(*faultConn)) *faultServer {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &faultServer{
		url:      "http://" + listener.Addr().String() + "/idverify/v1",
		answered: make(chan struct{}),
		open:     map[net.Conn]bool{},
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			inner, err := listener.Accept()
			if err != nil {
				return
			}
			if !s.add(inner) {
				inner.Close()
				return
			}
			n := int(s.conns.Add(1))
			running.Go(func() {
				defer s.remove(inner)
				c := &faultConn{Conn: around(inner), inner: inner, server: s, n: n}
				c.r = bufio.NewReader(io.TeeReader(c.Conn, &c.received))
				c.gone = sync.OnceValue(func() <-chan struct{} {
					gone := make(chan struct{})
					running.Go(func() {
						defer close(gone)
						_, _ = io.Copy(io.Discard, c.r)
					})
					return gone
				})
				serve(c)
				_ = c.Close()
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		s.closeAll()
		running.Wait()
	})
	return s
}

func (s *faultServer) add(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[c] = true
	return !s.closed
}

func (s *faultServer) remove(c net.Conn) {
	c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

func (s *faultServer) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for c := range s.open {
		c.Close()
	}
}

// all returns the requests that have arrived, in order.
func (s *faultServer) all() []faultArrival {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]faultArrival(nil), s.arrivals...)
}

// count returns how many requests have arrived.
func (s *faultServer) count() int { return len(s.all()) }

func (s *faultServer) nonces() []string {
	var nonces []string
	for _, arrival := range s.all() {
		nonces = append(nonces, arrival.nonce())
	}
	return nonces
}

func (s *faultServer) assertNoNonceTwice(t *testing.T) {
	t.Helper()
	seen := map[string]bool{"": true}
	for _, nonce := range s.nonces() {
		assert.False(t, seen[nonce], "a nonce arrives twice")
		seen[nonce] = true
	}
}

// assertSaysLittle makes sure that the text of an error holds nothing of the requests and nothing of the answers.
func (s *faultServer) assertSaysLittle(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	assertOneLine(t, text)
	for _, hidden := range append(s.nonces(), s.url, "://", "?", faultID, faultFaceID, ownSDKID, "nonce", "COMPLETED", "TOKEN", "WORD", "ESMTP", "PNG") {
		assert.NotContains(t, text, hidden)
	}
}

// traced is the test's context, and tells the server when the client has received the first byte of an answer.
func (s *faultServer) traced(t *testing.T) context.Context {
	t.Helper()
	return httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GotFirstResponseByte: func() { s.once.Do(func() { close(s.answered) }) },
	})
}

// A faultConn is the server's end of a connection.
type faultConn struct {
	net.Conn
	inner    net.Conn // without what is around it
	server   *faultServer
	n        int // which connection of the server's, from 1
	r        *bufio.Reader
	received bytes.Buffer
	requests int
	gone     func() <-chan struct{} // closed when the client has hung up; from the first call on nothing else can read
}

// head reads the header of a request and notes its arrival. ok is false if the client hangs up instead.
func (c *faultConn) head() (ok bool) {
	_, ok = c.read(false)
	return ok
}

// next reads a request and notes its arrival. ok is false if the client hangs up instead.
func (c *faultConn) next() (arrival faultArrival, ok bool) { return c.read(true) }

func (c *faultConn) read(body bool) (arrival faultArrival, ok bool) {
	if c.r.Buffered() == 0 {
		c.received.Reset()
	}
	request, err := http.ReadRequest(c.r)
	if err != nil {
		return arrival, false
	}
	if body {
		if _, err := io.Copy(io.Discard, request.Body); err != nil {
			return arrival, false
		}
	}
	c.requests++
	arrival = faultArrival{c.n, c.requests, request.Method, request.RequestURI, request.Header, c.received.String()}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.server.arrivals = append(c.server.arrivals, arrival)
	return arrival, true
}

// write sends bytes. Whether they arrive is the client's to find out.
func (c *faultConn) write(text string) { _, _ = io.WriteString(c, text) }

// right answers a request as it should be.
func (c *faultConn) right(request faultArrival) { c.write(faultRight(request.method, request.path())) }

// serveRight answers all requests as they should be.
func (c *faultConn) serveRight() {
	for {
		request, ok := c.next()
		if !ok {
			return
		}
		c.right(request)
	}
}

// reset ends the connection with a TCP reset.
func (c *faultConn) reset() {
	if tcp, ok := c.inner.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.inner.Close()
}

// newFaultResolver asks a name server that knows no host.
func newFaultResolver(t *testing.T) *net.Resolver {
	t.Helper()
	server, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() {
		query := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(query)
			if err != nil {
				return
			}
			end := 12 // of the question, which begins there with the labels of the name
			for end < n && query[end] != 0 {
				end += int(query[end]) + 1
			}
			answer := append([]byte(nil), query[:min(n, end+5)]...)
			copy(answer[2:], []byte{0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0}) // one question, no such name
			_, _ = server.WriteTo(answer, from)
		}
	})
	t.Cleanup(func() {
		_ = server.Close()
		running.Wait()
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// A faultLateBody takes its time.
type faultLateBody struct{ io.ReadCloser }

func (b faultLateBody) Read(p []byte) (int, error) {
	<-time.After(300 * time.Millisecond)
	return b.ReadCloser.Read(p)
}

// A faultWriter takes so many bytes and no more.
type faultWriter struct {
	bytes.Buffer
	room int
	err  error // nil: it does not say why
}

func (w *faultWriter) Write(p []byte) (int, error) {
	if len(p) <= w.room {
		w.room -= len(p)
		return w.Buffer.Write(p)
	}
	n, _ := w.Buffer.Write(p[:w.room])
	w.room = 0
	return n, w.err
}
