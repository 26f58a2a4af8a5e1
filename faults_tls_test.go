package yotiface_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
)

// A server that is not who it should be gets no request, whatever the call, and no second chance.
func TestCertificatesThatAreNotTrusted(t *testing.T) {
	t.Parallel()
	now := time.Now()
	authority := newFaultAuthority(t)
	stranger := newFaultAuthority(t)
	loopback := x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	for _, test := range []struct {
		name        string
		certificate tls.Certificate
		is          func(error) bool
		says        string
	}{
		{"unknown authority", stranger.issue(t, loopback), func(err error) bool {
			return errors.As(err, new(x509.UnknownAuthorityError))
		}, "certificate signed by unknown authority"},
		{"signed by itself", newFaultAuthority(t).self, func(err error) bool {
			return errors.As(err, new(x509.UnknownAuthorityError))
		}, "certificate signed by unknown authority"},
		{"another host", authority.issue(t, x509.Certificate{DNSNames: []string{"api.yoti.com"}}), func(err error) bool {
			return errors.As(err, new(x509.HostnameError))
		}, "cannot validate certificate for 127.0.0.1"},
		{"expired", authority.issue(t, x509.Certificate{
			IPAddresses: loopback.IPAddresses, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(0, 0, -1),
		}), func(err error) bool { return errors.As(err, new(x509.CertificateInvalidError)) }, "expired"},
		{"not valid yet", authority.issue(t, x509.Certificate{
			IPAddresses: loopback.IPAddresses, NotBefore: now.AddDate(0, 0, 1), NotAfter: now.AddDate(1, 0, 0),
		}), func(err error) bool { return errors.As(err, new(x509.CertificateInvalidError)) }, "not yet valid"},
		{"for clients only", authority.issue(t, x509.Certificate{
			IPAddresses: loopback.IPAddresses, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		}), func(err error) bool { return errors.As(err, new(x509.CertificateInvalidError)) }, "incompatible key usage"},
	} {
		for _, call := range faultCalls {
			t.Run(test.name+"/"+call.name, func(t *testing.T) {
				t.Parallel()
				var handshakes atomic.Int64
				server := newFaultTLSServer(t, test.certificate, &handshakes, func(http.ResponseWriter, *http.Request) {
					t.Error("a request was sent")
				})
				hc := authority.client()
				defer hc.CloseIdleConnections()
				got, err := call.do(t.Context(), newFaultClient(t, server.URL+"/idverify/v1", yotiface.WithHTTPClient(hc)))
				require.Error(t, err)
				assert.Empty(t, got)
				assert.True(t, test.is(err), "identity of %v", err)
				assert.Contains(t, err.Error(), "the server cannot be trusted: ")
				assert.Contains(t, err.Error(), test.says)
				assert.NotContains(t, err.Error(), "://")
				assertOneLine(t, err.Error())
				assert.EqualValues(t, 1, handshakes.Load(), "not tried again")
			})
		}
	}
}

// The same server, trusted: so it is the certificate that was refused above.
func TestCertificateThatIsTrusted(t *testing.T) {
	t.Parallel()
	authority := newFaultAuthority(t)
	var handshakes atomic.Int64
	server := newFaultTLSServer(t, authority.issue(t, x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}), &handshakes,
		func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "HTTP/1.1", r.Proto, "the library's transport does not speak HTTP/2 even where the server does")
			_, _ = io.WriteString(w, faultBodies["GET /sessions/"+faultID])
		})
	hc := authority.client()
	defer hc.CloseIdleConnections()
	client := newFaultClient(t, server.URL+"/idverify/v1", yotiface.WithHTTPClient(hc))
	for range 2 {
		_, err := client.GetSession(t.Context(), faultID)
		require.NoError(t, err)
	}
	assert.EqualValues(t, 1, handshakes.Load())
}

func TestTLSThatIsTooOld(t *testing.T) {
	t.Parallel()
	authority := newFaultAuthority(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{authority.issue(t, x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})},
		MinVersion:   tls.VersionTLS10,
		MaxVersion:   tls.VersionTLS11,
	}
	server.StartTLS()
	defer server.Close()
	session, err := newFaultClient(t, server.URL, yotiface.WithHTTPClient(authority.client())).GetSession(t.Context(), faultID)
	assert.Nil(t, session)
	require.ErrorContains(t, err, "protocol version not supported")
	assertOneLine(t, err.Error())
}

func TestHandshakeThatStalls(t *testing.T) {
	t.Parallel()
	for _, fault := range []struct {
		name  string
		serve func(*faultConn)
	}{
		{"nothing", func(c *faultConn) { <-c.gone() }},
		{"half a record", func(c *faultConn) {
			c.write("\x16\x03\x03\x40\x00")
			<-c.gone()
		}},
	} {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			s := newFaultServer(t, fault.serve)
			client := newFaultClient(t, strings.Replace(s.url, "http:", "https:", 1),
				yotiface.WithHTTPClient(yotiface.NewOwnHTTPClient(func(*http.Transport) {})),
				yotiface.WithAttemptTimeout(50*time.Millisecond), onlyOneAttempt)
			session, err := client.GetSession(t.Context(), faultID)
			assert.Nil(t, session)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			var timeout interface{ Timeout() bool }
			require.ErrorAs(t, err, &timeout)
			assert.True(t, timeout.Timeout())
			s.assertSaysLittle(t, err)
		})
	}

	// net/http goes on with a handshake whose request has ended.
	t.Run("only the first", func(t *testing.T) {
		t.Parallel()
		authority := newFaultAuthority(t)
		certificate := authority.issue(t, x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
		var conns atomic.Int64
		s := newFaultServerOver(t, func(c net.Conn) net.Conn {
			if conns.Add(1) == 1 {
				return c
			}
			return tls.Server(c, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
		}, func(c *faultConn) {
			if c.n == 1 {
				<-c.gone()
			}
			c.serveRight()
		})
		client := newFaultClient(t, strings.Replace(s.url, "http:", "https:", 1),
			yotiface.WithHTTPClient(authority.client()), yotiface.WithAttemptTimeout(time.Second))
		session, err := client.GetSession(t.Context(), faultID)
		require.NoError(t, err, "the next attempt has a connection of its own")
		assert.Equal(t, yotiface.SessionCompleted, session.State)
	})
}

func TestPlainTextOnATLSPort(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, answer, says string
	}{
		{"HTTP", "HTTP/1.1 400 WORD\r\nContent-Length: 4\r\n\r\nWORD", "server gave HTTP response to HTTPS client"},
		{"another protocol", "SSH-2.0-WORD\r\nWORD WORD WORD WORD", "first record does not look like a TLS handshake"},
	} {
		for _, call := range faultCalls {
			t.Run(test.name+"/"+call.name, func(t *testing.T) {
				t.Parallel()
				s := newFaultServer(t, func(c *faultConn) {
					c.write(test.answer)
					<-c.gone()
				})
				got, err := call.do(t.Context(), newFaultClient(t, strings.Replace(s.url, "http:", "https:", 1)))
				require.ErrorContains(t, err, test.says)
				assert.Empty(t, got)
				s.assertSaysLittle(t, err)
				assert.EqualValues(t, 1, s.conns.Load(), "not tried again")
			})
		}
	}
}

// The other way round, Go's and most other servers answer in plain HTTP.
func TestPlainHTTPToATLSPort(t *testing.T) {
	t.Parallel()
	server := newFaultTLSServer(t, newFaultAuthority(t).self, new(atomic.Int64), func(http.ResponseWriter, *http.Request) {
		t.Error("a request was served")
	})
	session, err := newFaultClient(t, strings.Replace(server.URL, "https:", "http:", 1)).GetSession(t.Context(), faultID)
	assert.Nil(t, session)
	require.ErrorIs(t, err, yotiface.ErrBadRequest)
}

// A faultAuthority signs certificates.
type faultAuthority struct {
	self tls.Certificate
}

func newFaultAuthority(t *testing.T) *faultAuthority {
	t.Helper()
	return &faultAuthority{self: faultCertificate(t, x509.Certificate{
		Subject: pkix.Name{CommonName: "an authority"}, IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}, nil)}
}

// issue signs a certificate for a server.
func (a *faultAuthority) issue(t *testing.T, template x509.Certificate) tls.Certificate {
	t.Helper()
	if template.ExtKeyUsage == nil {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	return faultCertificate(t, template, &a.self)
}

// client is an HTTP client like the library's own that trusts the authority and nobody else.
func (a *faultAuthority) client() *http.Client {
	return yotiface.NewOwnHTTPClient(func(transport *http.Transport) {
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		transport.TLSClientConfig.RootCAs.AddCert(a.self.Leaf)
	})
}

// faultCertificate makes a key and a certificate for it. Without a parent it is signed by itself.
func faultCertificate(t *testing.T, template x509.Certificate, parent *tls.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	if parent == nil {
		parent = &tls.Certificate{Leaf: &template, PrivateKey: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, parent.Leaf, key.Public(), parent.PrivateKey)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// newFaultTLSServer starts a server that offers HTTP/2 and HTTP/1.1, and counts its connections.
func newFaultTLSServer(t *testing.T, certificate tls.Certificate, conns *atomic.Int64, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}
