package yotiface_test

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

// A caller's HTTP client may speak HTTP/2.
func TestEveryCallOverHTTP2(t *testing.T) {
	t.Parallel()
	authority := newFaultAuthority(t)
	certificate := authority.issue(t, x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	hc := func(t *testing.T) *http.Client {
		t.Helper()
		roots := x509.NewCertPool()
		roots.AddCert(authority.self.Leaf)
		transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
		t.Cleanup(transport.CloseIdleConnections)
		return &http.Client{Transport: transport}
	}
	for _, call := range faultCalls {
		for _, fault := range []string{"no fault", "the stream is reset before the answer", "the stream is reset in the body"} {
			inBody := strings.HasSuffix(fault, "body")
			if inBody && !call.content {
				continue
			}
			t.Run(fault+"/"+call.name, func(t *testing.T) {
				t.Parallel()
				var mu sync.Mutex
				var nonces []string
				server := newFaultTLSServer(t, certificate, new(atomic.Int64), func(w http.ResponseWriter, r *http.Request) {
					assert.Equal(t, "HTTP/2.0", r.Proto)
					body := assertSigned(t, r, r.RequestURI, "/idverify/v1")
					assert.True(t, r.Method == http.MethodPost || len(body) == 0)
					mu.Lock()
					nonces = append(nonces, r.URL.Query().Get("nonce"))
					first := len(nonces) == 1
					mu.Unlock()
					answer, ok := faultBodies[r.Method+" "+strings.TrimPrefix(r.URL.Path, "/idverify/v1")]
					switch {
					case first && inBody:
						_, _ = io.WriteString(w, answer[:len(answer)-1])
						_ = http.NewResponseController(w).Flush()
						panic(http.ErrAbortHandler)
					case first && fault != "no fault":
						panic(http.ErrAbortHandler)
					case !ok:
						w.WriteHeader(http.StatusNoContent)
					default:
						_, _ = io.WriteString(w, answer)
					}
				})
				got, err := call.do(t.Context(), newFaultClient(t, server.URL+"/idverify/v1", yotiface.WithHTTPClient(hc(t))))
				mu.Lock()
				defer mu.Unlock()
				assertDistinct(t, nonces)
				if fault == "no fault" {
					require.NoError(t, err)
					assert.Equal(t, call.right, got)
					assert.Len(t, nonces, call.requests)
					return
				}
				if call.method == http.MethodPost || (inBody && call.streams) {
					require.Error(t, err)
					assert.Len(t, nonces, 1, "not tried again")
					assertOneLine(t, err.Error())
					assert.NotContains(t, err.Error(), "://")
					return
				}
				require.NoError(t, err)
				assert.Equal(t, call.right, got)
				assert.Len(t, nonces, call.requests+1, "signed afresh and tried again")
			})
		}
	}
}

func assertDistinct(t *testing.T, nonces []string) {
	t.Helper()
	seen := map[string]bool{"": true}
	for _, nonce := range nonces {
		assert.False(t, seen[nonce], "a nonce arrives twice")
		seen[nonce] = true
	}
}

// net/http repeats a request over HTTP/2 when the peer calls it a protocol error, unless it cannot get the body again.
func TestHTTP2StreamIsReset(t *testing.T) {
	t.Parallel()
	cleartext := func(t *testing.T) *http.Transport {
		t.Helper()
		protocols := new(http.Protocols)
		protocols.SetUnencryptedHTTP2(true)
		transport := &http.Transport{Protocols: protocols}
		t.Cleanup(transport.CloseIdleConnections)
		return transport
	}
	for _, code := range []struct {
		name   string
		number uint32
	}{{"PROTOCOL_ERROR", 1}, {"REFUSED_STREAM", 7}} {
		t.Run("a bare client repeats after "+code.name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			s := newFaultServer(t, func(c *faultConn) { c.serveHTTP2(code.number, &requests) })
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url, http.NoBody)
			require.NoError(t, err)
			response, err := cleartext(t).RoundTrip(r)
			require.NoError(t, err)
			response.Body.Close()
			assert.EqualValues(t, 2, requests.Load())
		})
		for _, attempts := range []int{1, 2} {
			t.Run(fmt.Sprintf("the library's %d attempts are as many requests, with %s", attempts, code.name), func(t *testing.T) {
				t.Parallel()
				for _, call := range faultCalls {
					if call.content {
						continue // the server has only 204
					}
					var requests atomic.Int64
					s := newFaultServer(t, func(c *faultConn) { c.serveHTTP2(code.number, &requests) })
					_, err := call.do(t.Context(), newFaultClient(t, s.url, yotiface.WithHTTPClient(&http.Client{Transport: cleartext(t)}),
						yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxAttempts: attempts, MaxBackoff: time.Millisecond})))
					if attempts == 1 || call.method == http.MethodPost {
						require.Error(t, err, call.name)
						assertOneLine(t, err.Error())
						assert.EqualValues(t, 1, requests.Load(), call.name)
					} else {
						require.NoError(t, err, call.name)
						assert.EqualValues(t, 2, requests.Load(), call.name)
					}
				}
			})
		}
	}
}

// serveHTTP2 resets the first stream and answers the others with 204. It counts the requests.
func (c *faultConn) serveHTTP2(code uint32, requests *atomic.Int64) {
	const (
		headers, reset, settings = 1, 3, 4
		ack, endStreamAndHeaders = 1, 5
		status204                = 0x89 // indexed in the static table of HPACK
	)
	frame := func(kind, flags byte, stream uint32, payload ...byte) {
		head := []byte{0, 0, byte(len(payload)), kind, flags}
		c.write(string(append(binary.BigEndian.AppendUint32(head, stream), payload...)))
	}
	if _, err := io.ReadFull(c.r, make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
		return
	}
	frame(settings, 0, 0)
	head := make([]byte, 9)
	for {
		if _, err := io.ReadFull(c.r, head); err != nil {
			return
		}
		length := int64(head[0])<<16 | int64(head[1])<<8 | int64(head[2])
		if _, err := io.CopyN(io.Discard, c.r, length); err != nil {
			return
		}
		stream := binary.BigEndian.Uint32(head[5:])
		switch {
		case head[3] == settings && head[4] != ack:
			frame(settings, ack, 0)
		case head[3] == headers && requests.Add(1) == 1:
			frame(reset, 0, stream, binary.BigEndian.AppendUint32(nil, code)...)
		case head[3] == headers:
			frame(headers, endStreamAndHeaders, stream, status204)
		}
	}
}

// Whatever the body says: only 2xx is a success.
func TestStatusesThatAreNoSuccess(t *testing.T) {
	t.Parallel()
	for _, status := range []int{101, 300, 304, 399, 400, 451, 499, 599, 600, 700, 999} {
		for _, call := range faultCalls {
			t.Run(strconv.Itoa(status)+"/"+call.name, func(t *testing.T) {
				t.Parallel()
				s := newFaultServer(t, func(c *faultConn) {
					request, ok := c.next()
					if !ok {
						return
					}
					right := faultRight(request.method, request.path())
					_, rest, _ := strings.Cut(right, "\r\n")
					if !call.content {
						rest = "Content-Length: 0\r\n\r\n"
					}
					if status == http.StatusSwitchingProtocols {
						rest = "Connection: Upgrade\r\nUpgrade: WORD\r\n" + rest // or net/http would take it for no more than a status
					}
					c.write(fmt.Sprintf("HTTP/1.1 %d WORD\r\n%s", status, rest))
					<-c.gone() // so what waits for the end of a 101 waits for ever
				})
				got, err := call.do(t.Context(), newFaultClient(t, s.url, yotiface.WithAttemptTimeout(time.Minute)))
				assert.Empty(t, got)
				var apiErr *yotiface.APIError
				require.ErrorAs(t, err, &apiErr)
				assert.Equal(t, status, apiErr.StatusCode)
				assert.Equal(t, 1, s.count(), "not tried again")
				s.assertSaysLittle(t, err)
				if status < 200 || status == http.StatusNotModified {
					assert.Empty(t, apiErr.Body, "no body is read")
				}
			})
		}
	}
}

// The status is known, so it is the error, however long the rest takes.
func TestErrorBodyThatNeverComes(t *testing.T) {
	t.Parallel()
	var calls faultWaiting
	for _, body := range []string{"", `{"code":"FORBIDDEN_FOR_YOU"`} {
		s := newFaultServer(t, func(c *faultConn) {
			if _, ok := c.next(); ok {
				c.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 1000\r\n\r\n" + body)
				<-c.gone()
			}
		})
		client := newFaultClient(t, s.url, yotiface.WithAttemptTimeout(time.Second))
		calls.add(func() func(*testing.T) {
			_, err := client.GetSession(t.Context(), faultID)
			return func(t *testing.T) {
				t.Helper()
				require.ErrorIs(t, err, yotiface.ErrForbidden)
				var apiErr *yotiface.APIError
				require.ErrorAs(t, err, &apiErr)
				assert.Equal(t, body, string(apiErr.Body))
				assert.Equal(t, 1, s.count())
			}
		})
	}
	calls.run(t)
}

// Provisional answers are not the answer. Without end, they are none.
func TestProvisionalAnswers(t *testing.T) {
	t.Parallel()
	for _, call := range faultCalls {
		t.Run(call.name, func(t *testing.T) {
			t.Parallel()
			s := newFaultServer(t, func(c *faultConn) {
				for {
					request, ok := c.next()
					if !ok {
						return
					}
					c.write("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
					c.right(request)
				}
			})
			got, err := call.do(t.Context(), newFaultClient(t, s.url))
			require.NoError(t, err)
			assert.Equal(t, call.right, got)
		})
	}
	t.Run("without end", func(t *testing.T) {
		t.Parallel()
		s := newFaultServer(t, func(c *faultConn) {
			if _, ok := c.next(); !ok {
				return
			}
			for {
				if _, err := io.WriteString(c, strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: <WORD>\r\n\r\n", 100)); err != nil {
					return
				}
			}
		})
		session, err := newFaultClient(t, s.url, onlyOneAttempt).GetSession(t.Context(), faultID)
		assert.Nil(t, session)
		require.Error(t, err)
		s.assertSaysLittle(t, err)
	})
	t.Run("and nothing else", func(t *testing.T) {
		t.Parallel()
		s := newFaultServer(t, func(c *faultConn) {
			if _, ok := c.next(); ok {
				c.write("HTTP/1.1 103 Early Hints\r\n\r\n")
			}
		})
		session, err := newFaultClient(t, s.url, onlyOneAttempt).GetSession(t.Context(), faultID)
		assert.Nil(t, session)
		require.Error(t, err)
	})
}

// The body decides what it is, not what it is called.
func TestContentTypeOfJSONIsNotAsked(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"", "Content-Type: text/html; charset=WORD", "Content-Type: application/octet-stream", "Content-Type: ;;;"} {
		for _, call := range faultCalls {
			if !call.content || strings.HasSuffix(call.name, "Media") {
				continue
			}
			s := newFaultServer(t, func(c *faultConn) {
				for {
					request, ok := c.next()
					if !ok {
						return
					}
					right := faultRight(request.method, request.path())
					c.write(strings.Replace(right, "Content-Type: application/json\r\n", strings.TrimPrefix(header+"\r\n", "\r\n"), 1))
				}
			})
			got, err := call.do(t.Context(), newFaultClient(t, s.url))
			require.NoError(t, err, "%s: %s", call.name, header)
			assert.Equal(t, call.right, got)
		}
	}
}

func TestCompressedBodies(t *testing.T) {
	t.Parallel()
	compress := func(body string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = io.WriteString(w, body)
		_ = w.Close()
		return b.String()
	}
	flip := func(text string, at int) string {
		b := []byte(text)
		b[(at+len(b))%len(b)] ^= 0x55
		return string(b)
	}
	for _, test := range []struct {
		name, encoding string
		body           func(string) string
		tries          int // 0: the answer is right
		decodeError    bool
	}{
		{"gzip", "gzip", compress, 0, false},
		{"gzip in two parts", "gzip", func(s string) string { return compress(s[:9]) + compress(s[9:]) }, 0, false},
		{"identity", "identity", func(s string) string { return s }, 0, false},
		{"not gzip", "gzip", func(s string) string { return s }, 3, false},
		{"gzip that ends early", "gzip", func(s string) string { s = compress(s); return s[:len(s)-9] }, 3, false},
		{"gzip with a wrong checksum", "gzip", func(s string) string { return flip(compress(s), -8) }, 3, false},
		{"gzip with a wrong length", "gzip", func(s string) string { return flip(compress(s), -1) }, 3, false},
		{"gzip of nothing", "gzip", func(string) string { return "" }, 1, true},
		{"br", "br", func(s string) string { return s }, 1, true},
		{"deflate", "deflate", func(s string) string { return s }, 1, true},
		{"zstd", "zstd", func(s string) string { return "\x28\xb5\x2f\xfd" + s }, 1, true},
		{"gzip twice", "gzip, gzip", func(s string) string { return compress(compress(s)) }, 1, true},
		{"an unknown one", "WORD", func(s string) string { return s }, 1, true},
	} {
		for _, call := range faultCalls {
			if call.method != http.MethodGet || call.waits() || call.requests > 1 {
				continue
			}
			t.Run(test.name+"/"+call.name, func(t *testing.T) {
				t.Parallel()
				s := newFaultServer(t, func(c *faultConn) {
					for {
						request, ok := c.next()
						if !ok {
							return
						}
						body := faultBodies[request.method+" "+strings.TrimPrefix(request.path(), "/idverify/v1")]
						c.write(faultAnswer(http.StatusOK, test.body(body), "Content-Encoding: "+test.encoding))
					}
				})
				got, err := call.do(t.Context(), newFaultClient(t, s.url))
				s.assertNoNonceTwice(t)
				if test.tries == 0 {
					require.NoError(t, err)
					assert.Equal(t, call.right, got)
					return
				}
				require.Error(t, err)
				if call.streams && got != "" {
					assert.Equal(t, 1, s.count(), "bytes have gone to the writer")
				} else {
					assert.Empty(t, got)
					assert.Equal(t, test.tries, s.count())
				}
				s.assertSaysLittle(t, err)
				var decodeErr *yotiface.DecodeError
				if test.decodeError {
					require.ErrorAs(t, err, &decodeErr)
					if test.name != "gzip of nothing" {
						assert.Contains(t, err.Error(), "compression that was not asked for")
					}
				} else {
					assert.NotErrorAs(t, err, &decodeErr, "the transport failed, not the service")
				}
			})
		}
	}
}

// The route is found out once, whatever asks first.
func TestPluralRouteIsFoundAndKept(t *testing.T) {
	t.Parallel()
	for _, firstFace := range []bool{false, true} {
		server := yotitest.NewServer(yotitest.WithPluralRoutes())
		t.Cleanup(server.Close)
		id := server.PutApplicant([]byte(faultImage))
		client := server.Client()
		applicant, err := server.Client().GetApplicant(t.Context(), id)
		require.NoError(t, err)
		faceID, ok := applicant.FaceID()
		require.True(t, ok)
		already := len(server.Requests())

		face := func() {
			got, err := client.GetFace(t.Context(), id, faceID)
			require.NoError(t, err)
			assert.Equal(t, faultImage, string(got.Data))
		}
		if firstFace {
			face()
		}
		got, err := client.GetApplicant(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, id, got.ID)
		face()

		var asked []string
		for _, request := range server.Requests()[already:] {
			asked = append(asked, fmt.Sprintf("%d %s", request.Status, request.Endpoint))
		}
		want := []string{"404 /applicant/{applicant_id}", "200 /applicants/{applicant_id}", "200 /applicants/{applicant_id}/faces/{face_id}"}
		if firstFace {
			want = []string{
				"404 /applicant/{applicant_id}/faces/{face_id}", "200 /applicants/{applicant_id}/faces/{face_id}",
				"200 /applicants/{applicant_id}", "200 /applicants/{applicant_id}/faces/{face_id}",
			}
		}
		assert.Equal(t, want, asked)
	}
}

// A signature is for one path of one host. net/http would carry it to another.
func TestNothingIsSentWhereARedirectPoints(t *testing.T) {
	t.Parallel()
	// A server that redirects, and one that must not be asked.
	servers := func(t *testing.T, status int, sameHost, http2 bool) (hc *http.Client, baseURL string, asked, followed *atomic.Int64) {
		t.Helper()
		authority := newFaultAuthority(t)
		certificate := authority.issue(t, x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
		asked, followed = new(atomic.Int64), new(atomic.Int64)
		elsewhere := newFaultTLSServer(t, certificate, new(atomic.Int64), func(_ http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Yoti-Auth-Digest") != "" {
				followed.Add(1)
			}
		})
		server := newFaultTLSServer(t, certificate, new(atomic.Int64), func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/login") {
				followed.Add(1)
				return
			}
			asked.Add(1)
			location := elsewhere.URL + "/login?sdkId=WORD&nonce=WORD"
			if sameHost {
				location = "/login"
			}
			w.Header().Set("Location", location)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"code":"MOVED"}`)
		})
		roots := x509.NewCertPool()
		roots.AddCert(authority.self.Leaf)
		transport := &http.Transport{ForceAttemptHTTP2: http2, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
		t.Cleanup(transport.CloseIdleConnections)
		return &http.Client{Transport: transport}, server.URL, asked, followed
	}

	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		t.Run(fmt.Sprintf("a bare client forwards the signature after %d", status), func(t *testing.T) {
			t.Parallel()
			hc, url, _, followed := servers(t, status, false, false)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("{}"))
			require.NoError(t, err)
			r.Header.Set("X-Yoti-Auth-Digest", "signature")
			response, err := hc.Do(r)
			require.NoError(t, err)
			response.Body.Close()
			assert.EqualValues(t, 1, followed.Load())
		})
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, place := range []struct {
			name            string
			sameHost, http2 bool
		}{{"to another host", false, false}, {"to the same host", true, false}, {"to another host, over HTTP/2", false, true}} {
			t.Run(fmt.Sprintf("%d %s", status, place.name), func(t *testing.T) {
				t.Parallel()
				hc, url, asked, followed := servers(t, status, place.sameHost, place.http2)
				checked := false
				hc.CheckRedirect = func(*http.Request, []*http.Request) error {
					checked = true
					return nil
				}
				client := newFaultClient(t, url, yotiface.WithHTTPClient(hc))
				for i, call := range faultCalls {
					got, err := call.do(t.Context(), client)
					assert.Empty(t, got, call.name)
					var apiErr *yotiface.APIError
					require.ErrorAs(t, err, &apiErr, call.name)
					assert.Equal(t, status, apiErr.StatusCode)
					assert.Equal(t, "MOVED", apiErr.Code)
					assert.NotContains(t, err.Error(), "WORD", call.name)
					assert.NotContains(t, err.Error(), "login", call.name)
					assert.NotContains(t, err.Error(), "://", call.name)
					assert.Contains(t, err.Error(), "redirects are not followed")
					assert.EqualValues(t, i+1, asked.Load(), "%s: asked once", call.name)
				}
				assert.Zero(t, followed.Load())
				assert.False(t, checked, "the caller's CheckRedirect is not asked")
				assert.NotNil(t, hc.CheckRedirect, "and not changed")
			})
		}
	}
	t.Run("location missing, broken, or twice", func(t *testing.T) {
		t.Parallel()
		for _, header := range []string{
			"X-Nothing: 1", "Location: ", "Location: http://[::1/WORD", "Location: %zz", "Location: :WORD", "Location: \x00",
			"Location: https://WORD:WORD@elsewhere.example/?X-Amz-Signature=WORD", "Location: /WORD\r\nLocation: /WORD/2", "Location: \r\nLocation: /WORD",
		} {
			for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
				s := newFaultServer(t, func(c *faultConn) {
					if _, ok := c.next(); ok {
						c.write(faultAnswer(status, "", header, "Connection: close"))
					}
				})
				session, err := newFaultClient(t, s.url, onlyOneAttempt).GetSession(t.Context(), faultID)
				assert.Nil(t, session)
				require.Error(t, err, header)
				s.assertSaysLittle(t, err)
				assert.Equal(t, 1, s.count(), header)
				if !strings.Contains(header, "\x00") { // which is no header at all
					var apiErr *yotiface.APIError
					require.ErrorAs(t, err, &apiErr, header)
					assert.Equal(t, status, apiErr.StatusCode)
				}
			}
		}
	})
}
