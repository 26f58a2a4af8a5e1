package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func account(t *testing.T, sdkID, keyFile, token, baseURL string) {
	t.Helper()
	t.Setenv("YOTI_CLIENT_SDK_ID", sdkID)
	t.Setenv("YOTI_KEY_FILE_PATH", keyFile)
	t.Setenv("YOTI_NOTIFICATION_TOKEN", token)
	t.Setenv("YOTI_DOC_SCAN_API_URL", baseURL)
}

//nolint:paralleltest // it sets the environment
func TestDemoLogsEachVerdictOnce(t *testing.T) {
	account(t, "", "", "", "")
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &out, io.Discard))
	assert.Equal(t, 2, strings.Count(out.String(), "outcome=APPROVED"))
	assert.Equal(t, 1, strings.Count(out.String(), "outcome=REJECTED"))
	assert.Equal(t, 3, strings.Count(out.String(), "msg=\"face search\""))
	assert.NotContains(t, out.String(), "ERROR")
}

//nolint:paralleltest // it sets the environment
func TestWrongSettings(t *testing.T) {
	server := yotitest.NewServer()
	defer server.Close()
	key := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(key, server.KeyPEM(), 0o600))
	for _, test := range []struct {
		name, sdkID, key, token string
		args                    []string
		want                    string
	}{
		{"unknown flag", "", "", "", []string{"-nonsense"}, "nonsense"},
		{"an argument without a flag", "", "", "", []string{"now"}, "unexpected argument"},
		{"address", "", "", "", []string{"-addr", "nowhere:nothing"}, "nothing"},
		{"half an account", server.SDKID(), "", "t", nil, "YOTI_KEY_FILE_PATH"},
		{"no token", server.SDKID(), key, "", nil, "YOTI_NOTIFICATION_TOKEN"},
	} {
		t.Run(test.name, func(t *testing.T) {
			account(t, test.sdkID, test.key, test.token, server.URL())
			require.ErrorContains(t, run(t.Context(), test.args, io.Discard, io.Discard), test.want)
		})
	}
}

// logged is a log that a test can wait for.
type logged struct {
	mu    sync.Mutex
	text  strings.Builder
	lines chan string
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	l.lines <- string(p)
	return len(p), nil
}

func (l *logged) waitFor(t *testing.T, text string) string {
	t.Helper()
	for {
		select {
		case line := <-l.lines:
			if strings.Contains(line, text) {
				return line
			}
		case <-t.Context().Done():
			t.Fatalf("%q was not logged", text)
		}
	}
}

func TestServerReceivesRefusesAndDrains(t *testing.T) {
	t.Parallel()
	yoti := yotitest.NewServer()
	defer yoti.Close()
	log := &logged{lines: make(chan string, 1000)}
	logger := slog.New(slog.NewTextHandler(log, nil))
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	r := newReceiver(yoti.Client(), logger)
	served := make(chan error, 1)
	go func() { served <- serve(ctx, listener, r, yotiface.BearerToken("right"), logger) }()
	endpoint := "http://" + listener.Addr().String() + "/notifications"

	post := func(token, body string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
		req.Close = true
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode
	}
	assert.Equal(t, http.StatusUnauthorized, post("wrong", `{"session_id":"s","topic":"session_completion"}`))
	assert.Contains(t, log.waitFor(t, "request refused"), "level=WARN")
	assert.Equal(t, http.StatusBadRequest, post("right", `{"topic":"session_completion"}`))

	assert.Equal(t, http.StatusOK, post("right", `{"session_id":"unknown","topic":"session_completion"}`))
	assert.Contains(t, log.waitFor(t, "session not read"), "404")

	poolID := yoti.PutPool("staff")
	created, err := yoti.Client().CreateSession(t.Context(), specification(poolID, endpoint, "right"))
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, post("right", `{"session_id":"`+created.SessionID+`","topic":"session_completion"}`))
	log.waitFor(t, "session goes on")
	_, known := r.verdict(created.SessionID)
	assert.False(t, known, "a notification alone is no verdict")

	yoti.Inject(yotitest.Slow(300e6).On(http.MethodGet, "/sessions/{session_id}"))
	yoti.CompleteSession(created.SessionID, yotitest.DropNotifications("check_completion"))
	stop() // while the session is being read
	require.NoError(t, <-served)
	outcome, _ := r.verdict(created.SessionID)
	assert.Equal(t, yotiface.OutcomeApproved, outcome, "what was taken was finished")
}

func TestEveryRefusalIsLoggedOnceAndWithoutWhatItHeld(t *testing.T) {
	t.Parallel()
	const good = `{"session_id":"hidden","topic":"session_completion"}`
	full := func(r *receiver) {
		for range cap(r.queue) {
			r.queue <- "s"
		}
	}
	for _, test := range []struct {
		name                      string
		state                     func(*receiver)
		method, token, kind, body string
		status                    int
		logged                    string // "" for nothing
	}{
		{"taken", nil, http.MethodPost, "right-hidden", "application/json", good, 200, ""},
		{"wrong token", nil, http.MethodPost, "wrong-hidden", "application/json", good, 401, `level=WARN msg="request refused" status=401`},
		{"a method of its own", nil, "hidden", "right-hidden", "application/json", good, 405, `level=WARN msg="request refused" status=405`},
		{"wrong method", nil, http.MethodGet, "right-hidden", "application/json", good, 405, `level=WARN msg="request refused" status=405`},
		{"not JSON by its type", nil, http.MethodPost, "right-hidden", "text/hidden", good, 415, `level=WARN msg="request refused" status=415`},
		{"too long", nil, http.MethodPost, "right-hidden", "application/json", strings.Repeat("hidden", 20_000), 413, `level=WARN msg="request refused" status=413`},
		{"not JSON", nil, http.MethodPost, "right-hidden", "application/json", "hidden", 400, `level=WARN msg="request refused" status=400`},
		{"full queue", full, http.MethodPost, "right-hidden", "application/json", good, 500, `level=ERROR msg="notification not taken" topic=session_completion error="the queue is full"`},
		{"too late", (*receiver).close, http.MethodPost, "right-hidden", "application/json", good, 500, `level=ERROR msg="notification not taken" topic=session_completion error="panic: send on closed channel"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
			r := newReceiver(nil, logger)
			if test.state != nil {
				test.state(r)
			}
			req := httptest.NewRequestWithContext(t.Context(), test.method, "/", strings.NewReader(test.body))
			req.Header.Set("Authorization", "Bearer "+test.token)
			req.Header.Set("Content-Type", test.kind)
			answer := httptest.NewRecorder()
			logRefusals(yotiface.NewNotificationHandler(yotiface.BearerToken("right-hidden"), r.take), logger).ServeHTTP(answer, req)
			assert.Equal(t, test.status, answer.Code)
			assert.Equal(t, test.logged, strings.TrimSuffix(log.String(), "\n"))
		})
	}
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// A stranger who sends no more than the header is answered, and hung up on, at once.
func TestRefusalDoesNotWaitForTheBody(t *testing.T) {
	t.Parallel()
	handler := yotiface.NewNotificationHandler(yotiface.BearerToken("right"), newReceiver(nil, slog.New(slog.DiscardHandler)).take)
	server := httptest.NewServer(logRefusals(handler, slog.New(slog.DiscardHandler)))
	defer server.Close()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n")
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
	answered, err := io.ReadAll(conn)
	require.NoError(t, err)
	assert.Contains(t, string(answered), "401 Unauthorized")
}
