package yotiface

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The package's own transport has no more connections than it has callers, over TLS and plain, and keeps them: a bare
// http.Transport opens hundreds for 64 callers.
func TestConnectionsAreFewAndKept(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		tls     bool
		callers int
		calls   int // of each
	}{
		{"plain, 1 caller", false, 1, 200},
		{"plain, 64 callers", false, 64, 30},
		{"TLS, 1 caller", true, 1, 200},
		{"TLS, 64 callers", true, 64, 30},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			const sessionID = "7938ac1e-0a4a-49b7-953f-08cfa764358f"
			var accepted, served atomic.Int64
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				served.Add(1)
				_, _ = io.WriteString(w, `{"session_id":"`+sessionID+`","state":"COMPLETED"}`)
			}))
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					accepted.Add(1)
				}
			}
			transport, dialed := newTransport(), new(dialCounts)
			transport.DialContext = dialed.count(transport.DialContext)
			if test.tls {
				server.StartTLS()
				roots := x509.NewCertPool()
				roots.AddCert(server.Certificate())
				transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
			} else {
				server.Start()
			}
			t.Cleanup(server.Close)
			client := connectionsClient(t, server.URL, newFrugalTransport(transport))
			var callers sync.WaitGroup
			for range test.callers {
				callers.Go(func() {
					for range test.calls {
						session, err := client.GetSession(context.Background(), sessionID)
						if !assert.NoError(t, err) {
							return
						}
						assert.Equal(t, SessionCompleted, session.State)
					}
				})
			}
			callers.Wait()
			assert.EqualValues(t, test.callers*test.calls, served.Load(), "each call is made once")
			assert.LessOrEqual(t, dialed.most.Load(), int64(test.callers), "connections at a time")
			// On a machine that is too busy to report a finished write within 50 ms, net/http gives a connection up.
			const givenUp = 4
			assert.LessOrEqual(t, accepted.Load(), int64(test.callers+givenUp), "connections altogether")
			client.CloseIdleConnections()
		})
	}
}

// dialCounts counts the connections of a client.
type dialCounts struct{ open, most atomic.Int64 }

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

func (c *dialCounts) count(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		n := c.open.Add(1)
		for old := c.most.Load(); n > old && !c.most.CompareAndSwap(old, n); old = c.most.Load() {
		}
		return &dialedConn{conn, sync.OnceFunc(func() { c.open.Add(-1) })}, nil
	}
}

type dialedConn struct {
	net.Conn
	closed func()
}

func (c *dialedConn) Close() error {
	c.closed()
	return c.Conn.Close()
}

// connectionsKey is shorter than NewClient accepts: signing is not what these tests are about, and callers that come back
// sooner are harder on the transport.
var connectionsKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic(err)
	}
	return key
})

func connectionsClient(t *testing.T, url string, transport http.RoundTripper) *Client {
	t.Helper()
	config := defaultConfig()
	config.baseURL = url + "/idverify/v1"
	config.http = &http.Client{Transport: transport}
	return &Client{config: config, signer: &signer{key: connectionsKey(), sdkID: "b3c60000-0000-4000-8000-000000000b79", baseURL: config.baseURL}}
}
