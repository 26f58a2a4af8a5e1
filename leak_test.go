package yotiface_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/yotiface/yotiface"
)

// A leaking is a server for calls that end in all ways: what happens to a call is the beginning of the ID that it asks
// for.
type leaking struct {
	*httptest.Server
	requests atomic.Int64
	bodies   atomic.Int64 // requests that have one, or might have
	cancels  sync.Map     // from the ID of a call to the function that cancels it

	mu         sync.Mutex
	changed    *sync.Cond
	open, most int
	opened     int
}

func newLeaking() *leaking {
	s := &leaking{}
	s.changed = sync.NewCond(&s.mu)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.Config.ConnState = s.count
	s.Start()
	return s
}

func (s *leaking) count(_ net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.opened++
		s.open++
		s.most = max(s.most, s.open)
	case http.StateClosed, http.StateHijacked:
		s.open--
		s.changed.Broadcast()
	default:
	}
}

// waitForAllToClose returns when no connection is open.
func (s *leaking) waitForAllToClose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.open > 0 {
		s.changed.Wait()
	}
}

var leakingPiece = bytes.Repeat([]byte(" "), 16<<10)

func (s *leaking) serve(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	if n, _ := io.Copy(io.Discard, r.Body); n > 0 || r.ContentLength != 0 {
		s.bodies.Add(1)
	}
	_, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	id, _, _ = strings.Cut(id, "/")
	flush := func() { _ = http.NewResponseController(w).Flush() }
	cancel := func() {
		if cancel, ok := s.cancels.Load(id); ok {
			cancel.(context.CancelFunc)()
		}
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
	kind, _, _ := strings.Cut(id, "-")
	switch kind {
	case "good":
		switch {
		case strings.Contains(r.URL.Path, "/faces/"):
			_, _ = io.WriteString(w, `{"face":{"data":"`+base64.StdEncoding.EncodeToString([]byte(faultImage))+`"}}`)
		case strings.HasPrefix(r.URL.Path, "/applicant"):
			fmt.Fprintf(w, `{"id":%q,"faces":{"archetype_face":"face"}}`, id)
		default:
			fmt.Fprintf(w, `{"session_id":%q,"state":"COMPLETED"}`, id)
		}
	case "missing":
		w.WriteHeader(http.StatusNotFound)
	case "failing":
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write(leakingPiece)
	case "moved":
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	case "garbage":
		_, _ = io.WriteString(w, "<html>")
	case "endless":
		for {
			if _, err := w.Write(leakingPiece); err != nil {
				return
			}
		}
	case "truncated":
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"session_id":`)
		flush()
		panic(http.ErrAbortHandler)
	case "dropped":
		panic(http.ErrAbortHandler)
	case "cancelled":
		cancel()
	case "interrupted":
		_, _ = io.WriteString(w, `{"session_id":`)
		flush()
		cancel()
	}
}

// Ten thousand calls, and then all is as it was: no goroutine more, no connection, nothing counted as in use.
//
//nolint:paralleltest // it counts the goroutines of the process
func TestTenThousandCallsLeaveNothingBehind(t *testing.T) {
	const calls, callers = 10_000, 64
	before, goroutines := goleak.IgnoreCurrent(), runtime.NumGoroutine()
	start := time.Now()
	s := newLeaking()
	hc := yotiface.NewOwnHTTPClient(func(*http.Transport) {})
	newClient := func(opts ...yotiface.Option) *yotiface.Client {
		client, err := yotiface.NewClient(ownSDKID, ownPEM(), append([]yotiface.Option{
			yotiface.WithBaseURL(s.URL), yotiface.WithHTTPClient(hc), yotiface.WithMaxResponseBytes(64 << 10), onlyOneAttempt,
		}, opts...)...)
		require.NoError(t, err)
		return client
	}
	once := newClient()
	thrice := newClient(yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxBackoff: time.Millisecond}))
	ways := []struct {
		kind   string
		client *yotiface.Client
		call   func(ctx context.Context, client *yotiface.Client, id string) error
		fails  bool
	}{
		{"good", once, leakGetSession, false},
		{"good", once, leakGetFace, false},
		{"good", once, func(ctx context.Context, c *yotiface.Client, id string) error {
			return onlyError(c.MatchedFaces(ctx, matched(id)))
		}, false},
		{"good", once, func(ctx context.Context, c *yotiface.Client, id string) error {
			return onlyError(c.WaitForSession(ctx, id, time.Hour))
		}, false},
		{"good", once, func(ctx context.Context, c *yotiface.Client, id string) error { return c.DeleteSession(ctx, id) }, false},
		{"good", once, leakGetSession, false},
		{"good", once, leakGetFace, false},
		{"good", once, leakDownload, false},
		{"good", once, leakGetSession, false},
		{"missing", once, leakGetFace, true},
		{"failing", thrice, leakGetSession, true},
		{"failing", once, leakGetFace, true},
		{"moved", once, leakGetSession, true},
		{"garbage", once, leakGetSession, true},
		{"endless", once, leakGetSession, true},
		{"endless", once, leakDownload, true},
		{"truncated", once, leakGetSession, true},
		{"truncated", once, leakDownload, true},
		{"dropped", once, leakGetSession, true},
		{"dropped", once, func(ctx context.Context, c *yotiface.Client, id string) error { return c.DeleteSession(ctx, id) }, true},
		{"cancelled", once, leakGetSession, true},
		{"cancelled", once, leakGetFace, true},
		{"interrupted", once, leakGetSession, true},
		{"interrupted", once, leakDownload, true},
	}
	var next atomic.Int64
	var most atomic.Int64
	var running sync.WaitGroup
	for range callers {
		running.Go(func() {
			for {
				i := next.Add(1) - 1
				if i >= calls {
					return
				}
				way := ways[i%int64(len(ways))]
				id := fmt.Sprintf("%s-%d", way.kind, i)
				ctx, cancel := context.WithCancel(context.Background())
				s.cancels.Store(id, cancel)
				err := way.call(ctx, way.client, id)
				assert.Equal(t, way.fails, err != nil, "%s: %v", id, err)
				cancel()
				s.cancels.Delete(id)
				most.Store(max(most.Load(), int64(runtime.NumGoroutine())))
			}
		})
	}
	running.Wait()
	took := time.Since(start)
	hc.CloseIdleConnections()
	s.waitForAllToClose() // or the test never ends
	assert.Zero(t, yotiface.HostsInUse(hc))
	assert.Zero(t, s.bodies.Load(), "GET and DELETE have no body, however busy the machine is")
	s.Close()
	goleak.VerifyNone(t, before)
	t.Logf("%d calls, %d requests, %d connections (%d at a time), %d goroutines at a time, %d before and %d after, %.1f s",
		calls, s.requests.Load(), s.opened, s.most, most.Load(), goroutines, runtime.NumGoroutine(), took.Seconds())
}

func leakGetSession(ctx context.Context, c *yotiface.Client, id string) error {
	return onlyError(c.GetSession(ctx, id))
}

func leakGetFace(ctx context.Context, c *yotiface.Client, id string) error {
	return onlyError(c.GetFace(ctx, id, "face"))
}

func leakDownload(ctx context.Context, c *yotiface.Client, id string) error {
	return onlyError(c.DownloadMedia(ctx, id, "media", io.Discard))
}
