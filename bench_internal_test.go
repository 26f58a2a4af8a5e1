package yotiface

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The package's own transport has no more connections than it has callers, over TLS and plain, and keeps them: a bare
// http.Transport opens 70 to 83 for 64 callers.
//
// On a machine that is too busy to report a finished write within 50 ms, net/http gives a connection up and opens another,
// so the number altogether is that of the best of a few runs. Never more than callers at a time holds for each.
//
//nolint:paralleltest // beside others it would measure their load
func TestConnectionsAreFewAndKept(t *testing.T) {
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
			const runs = 8
			fewest := int64(math.MaxInt64)
			for run := 0; run < runs && fewest > int64(test.callers); run++ {
				altogether, atATime := countConnections(t, test.tls, test.callers, test.calls)
				assert.LessOrEqual(t, atATime, int64(test.callers), "connections at a time")
				fewest = min(fewest, altogether)
			}
			assert.LessOrEqual(t, fewest, int64(test.callers), "connections altogether")
		})
	}
}

// A request that was served meanwhile needs no connection any more, even where there is room for one.
func TestNoConnectionIsOpenedForARequestThatWasServed(t *testing.T) {
	t.Parallel()
	f := newFrugalTransport(&http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		t.Error("a connection was opened")
		return nil, io.ErrUnexpectedEOF
	}})
	served := &ticket{host: "https://yoti.test"}
	f.count(served.host, 1, 0)
	f.serve(served)
	_, err := f.DialContext(context.WithValue(t.Context(), ticketKey{}, served), "tcp", "yoti.test:443")
	assert.Equal(t, errServed, err)
	f.count(served.host, -1, 0)
	assert.Empty(t, f.hosts, "nothing is left of it")
}

// countConnections has callers make calls, and counts the connections that arrived, and those that were open at a time.
func countConnections(t *testing.T, overTLS bool, callers, calls int) (altogether, atATime int64) {
	t.Helper()
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
	if overTLS {
		server.StartTLS()
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	} else {
		server.Start()
	}
	defer server.Close()
	client := connectionsClient(t, server.URL, newFrugalTransport(transport))
	defer client.CloseIdleConnections()
	var running sync.WaitGroup
	for range callers {
		running.Go(func() {
			for range calls {
				session, err := client.GetSession(context.Background(), sessionID)
				if !assert.NoError(t, err) {
					return
				}
				assert.Equal(t, SessionCompleted, session.State)
			}
		})
	}
	running.Wait()
	assert.EqualValues(t, callers*calls, served.Load(), "each call is made once")
	return accepted.Load(), dialed.most.Load()
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
