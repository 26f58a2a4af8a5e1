package yotitest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

const sessionEndpoint = "/sessions/{session_id}"

// newServerWithSession returns a server that has a session "a".
func newServerWithSession(t *testing.T) (server *yotitest.Server, session []byte) {
	t.Helper()
	server = newServer(t)
	session = []byte(`{"session_id":"a","state":"ONGOING"}`)
	server.PutSession(session)
	return server, session
}

func errorAs[E error](err error) (E, bool) { return errors.AsType[E](err) }

// sendOnce keeps net/http from repeating a request without a body by itself, and
// from sending it in chunks where the machine is busy.
func sendOnce(r *http.Request) {
	r.Body, r.GetBody = io.NopCloser(http.NoBody), nil
	r.TransferEncoding = []string{"identity"}
}

func TestStatusAnswersWithTheServicesErrors(t *testing.T) {
	t.Parallel()
	server, _ := newServerWithSession(t)
	for status, code := range map[int]string{
		400: "BAD_REQUEST",
		418: "IM_A_TEAPOT",
		429: "TOO_MANY_REQUESTS",
		503: "SERVICE_UNAVAILABLE",
		999: "UNKNOWN_ERROR",
	} {
		server.Inject(yotitest.Status(status))
		resp := get(t, server, "/sessions/a")
		assert.Equal(t, status, resp.StatusCode)
		assert.Equal(t, code, resp.code(t))
		assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
		assert.Empty(t, resp.Header.Get("Retry-After"))
	}
}

func TestStatusBelow400HasNoBodyOfItsOwn(t *testing.T) {
	t.Parallel()
	server, _ := newServerWithSession(t)
	for _, status := range []int{200, 201, 204, 302, 304} {
		server.Inject(yotitest.Status(status))
		r := newRequest(t.Context(), t, server, http.MethodGet, "/sessions/a")
		resp, err := server.HTTPClient().Transport.RoundTrip(r) // follows no redirect
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, status, resp.StatusCode)
		assert.Empty(t, body)
	}
}

func TestStatusPanicsWhereThereIsNoSuchAnswer(t *testing.T) {
	t.Parallel()
	for _, code := range []int{0, 100, 199, 1000} {
		assert.Panics(t, func() { yotitest.Status(code) })
	}
}

func TestDropHangsUpWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	server, _ := newServerWithSession(t)
	server.Inject(yotitest.Drop())
	r := newRequest(t.Context(), t, server, http.MethodGet, "/sessions/a")
	sendOnce(r)
	_, _, err := try(server, r)
	require.ErrorIs(t, err, io.EOF)
	require.Len(t, server.Requests(), 1)
	assert.Zero(t, server.Requests()[0].Status)
}

func TestStallNeverAnswers(t *testing.T) {
	t.Parallel()
	server, _ := newServerWithSession(t)
	server.Inject(yotitest.Stall())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	result := make(chan error, 1)
	go func() {
		_, _, err := try(server, newRequest(ctx, t, server, http.MethodGet, "/sessions/a"))
		result <- err
	}()
	require.Eventually(t, func() bool { return len(server.Requests()) == 1 }, time.Minute, time.Millisecond)
	select {
	case err := <-result:
		require.Fail(t, "it was answered", "%v", err)
	default:
	}
	cancel()
	require.ErrorIs(t, <-result, context.Canceled)
	assert.Zero(t, server.Requests()[0].Status)
}

func TestCloseEndsWhatIsStillWaiting(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]yotitest.Fault{
		"stalled":  yotitest.Stall(),
		"slow":     yotitest.Slow(time.Hour),
		"dripping": yotitest.Drip(time.Hour),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, _ := newServerWithSession(t)
			server.Inject(fault)
			sent, failed := make(chan struct{}), make(chan error)
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
				WroteRequest: func(httptrace.WroteRequestInfo) { close(sent) },
			})
			r := newRequest(ctx, t, server, http.MethodGet, "/sessions/a")
			sendOnce(r)
			go func() {
				_, _, err := try(server, r)
				failed <- err
			}()
			<-sent
			start := time.Now()
			server.Close()
			require.Error(t, <-failed)
			assert.Less(t, time.Since(start), 4*time.Second)
		})
	}
}

func TestTruncateEndsInTheMiddleOfTheRightAnswer(t *testing.T) {
	t.Parallel()
	server, session := newServerWithSession(t)
	for _, n := range []int{-1, 0, 1, 20, len(session) - 1} {
		server.Inject(yotitest.Truncate(n))
		resp, body, err := try(server, newRequest(t.Context(), t, server, http.MethodGet, "/sessions/a"))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		assert.Equal(t, int64(len(session)), resp.ContentLength)
		assert.Equal(t, session[:max(n, 0)], body)
	}
	server.Inject(yotitest.Truncate(len(session) + 1))
	assert.Equal(t, session, get(t, server, "/sessions/a").body, "nothing to cut off")
}

func TestSlowIsRightAndLate(t *testing.T) {
	t.Parallel()
	server, session := newServerWithSession(t)
	server.Inject(yotitest.Slow(30 * time.Millisecond))
	start := time.Now()
	resp := get(t, server, "/sessions/a")
	assert.GreaterOrEqual(t, time.Since(start), 30*time.Millisecond)
	assert.Equal(t, session, resp.body)
}

func TestGarbageIsNotJSON(t *testing.T) {
	t.Parallel()
	server, _ := newServerWithSession(t)
	server.Inject(yotitest.Garbage())
	resp := get(t, server, "/sessions/a")
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.NotEmpty(t, resp.body)
	assert.False(t, json.Valid(resp.body))
}

func TestDripSendsTheRightAnswerInPieces(t *testing.T) {
	t.Parallel()
	server, session := newServerWithSession(t)
	server.Inject(yotitest.Drip(0), yotitest.Drip(time.Nanosecond), yotitest.Drip(time.Hour))
	for range 2 {
		resp := get(t, server, "/sessions/a")
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		assert.Equal(t, session, resp.body)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	resp, err := server.HTTPClient().Do(newRequest(ctx, t, server, http.MethodGet, "/sessions/a"))
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, int64(len(session)), resp.ContentLength)
	piece := make([]byte, 8)
	_, err = io.ReadFull(resp.Body, piece)
	require.NoError(t, err)
	assert.Equal(t, session[:8], piece)
	cancel() // an hour before the next piece
	_, err = resp.Body.Read(piece)
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, http.StatusOK, server.Requests()[2].Status)
}

func TestDripOfNothingIsNothing(t *testing.T) {
	t.Parallel()
	server, _ := newServerWithSession(t)
	server.Inject(yotitest.Drip(time.Hour))
	assert.Equal(t, http.StatusNoContent, remove(t, server, "/applicants/"+server.PutApplicant()))
}

func TestDropUnreadResetsTheConnection(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]yotitest.Option{
		"http":  nil,
		"https": {yotitest.WithTLS()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(t, opts...)
			server.Inject(yotitest.DropUnread().On(http.MethodPost, "/pools"))
			_, _, err := try(server, newCall(t.Context(), t, server, http.MethodPost, "/pools", `{"label":"staff"}`))
			require.ErrorIs(t, err, syscall.ECONNRESET)
			require.Len(t, server.Requests(), 1)
			assert.Zero(t, server.Requests()[0].Status)
			createID(t, server, "/pools", `{"label":"staff"}`)
		})
	}
}

func TestDropUnreadWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	server, _ := newServerWithSession(t)
	server.Inject(yotitest.Status(503), yotitest.DropUnread(), yotitest.Status(502))
	assert.Equal(t, 503, get(t, server, "/sessions/a").StatusCode)
	r := newRequest(t.Context(), t, server, http.MethodGet, "/sessions/a")
	sendOnce(r)
	_, _, err := try(server, r)
	require.ErrorIs(t, err, syscall.ECONNRESET)
	assert.Equal(t, 502, get(t, server, "/sessions/a").StatusCode)
}

// net/http repeats a request without a body by itself if a connection that was
// kept alive dies. A server that read nothing must not take it for a new one.
func TestARequestThatWasNotReadHasUsedItsNonce(t *testing.T) {
	t.Parallel()
	server, _ := newServerWithSession(t)
	get(t, server, "/sessions/a")
	server.Inject(yotitest.DropUnread())
	resp := get(t, server, "/sessions/a")
	assert.Equal(t, "INVALID_NONCE", resp.code(t))
	assert.Len(t, server.Requests(), 3)
}

func TestRedirectAsksForTheSameAgain(t *testing.T) {
	t.Parallel()
	server, _ := newServerWithSession(t)
	const elsewhere = "https://example.com/login"
	server.Inject(yotitest.Redirect(elsewhere).Times(2))
	resp, err := server.HTTPClient().Transport.RoundTrip(newRequest(t.Context(), t, server, http.MethodGet, "/sessions/a"))
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.StatusTemporaryRedirect, resp.StatusCode)
	assert.Equal(t, elsewhere, resp.Header.Get("Location"))
	assert.Zero(t, resp.ContentLength)

	_, err = server.Client().GetSession(t.Context(), "a")
	refused, ok := errorAs[*yotiface.APIError](err)
	require.True(t, ok)
	assert.Equal(t, http.StatusTemporaryRedirect, refused.StatusCode)
}

func TestOnKnowsEveryEndpoint(t *testing.T) {
	t.Parallel()
	server, _ := newServerWithSession(t)
	for _, endpoint := range []struct{ method, template, path string }{
		{"POST", "/sessions", "/sessions"},
		{"GET", "/sessions/{session_id}", "/sessions/a"},
		{"DELETE", "/sessions/{session_id}", "/sessions/a"},
		{"GET", "/sessions/{session_id}/media/{media_id}/content", "/sessions/a/media/b/content"},
		{"DELETE", "/sessions/{session_id}/media/{media_id}/content", "/sessions/a/media/b/content"},
		{"POST", "/applicants", "/applicants"},
		{"GET", "/applicant/{applicant_id}", "/applicant/a"},
		{"GET", "/applicants/{applicant_id}", "/applicants/a"},
		{"DELETE", "/applicants/{applicant_id}", "/applicants/a"},
		{"POST", "/applicants/{applicant_id}/faces", "/applicants/a/faces"},
		{"GET", "/applicant/{applicant_id}/faces/{face_id}", "/applicant/a/faces/b"},
		{"GET", "/applicants/{applicant_id}/faces/{face_id}", "/applicants/a/faces/b"},
		{"DELETE", "/applicants/{applicant_id}/faces/{face_id}", "/applicants/a/faces/b"},
		{"POST", "/pools", "/pools"},
		{"DELETE", "/pools/{pool_id}", "/pools/a"},
		{"POST", "/pools/{pool_id}/applicants", "/pools/a/applicants"},
		{"DELETE", "/pools/{pool_id}/applicants/{applicant_id}", "/pools/a/applicants/b"},
	} {
		server.Inject(yotitest.Status(http.StatusTeapot).On(endpoint.method, endpoint.template))
		resp := call(t, server, endpoint.method, endpoint.path, "")
		assert.Equal(t, http.StatusTeapot, resp.StatusCode, "%s %s", endpoint.method, endpoint.template)
	}
}

func TestFaultsAreUsedUpInOrder(t *testing.T) {
	t.Parallel()
	server, _ := newServerWithSession(t)
	server.Inject(yotitest.Status(500), yotitest.Status(502).Times(2))
	server.Inject(yotitest.Status(503), yotitest.Status(504).Times(0))
	var statuses []int
	for range 6 {
		statuses = append(statuses, get(t, server, "/sessions/a").StatusCode)
	}
	assert.Equal(t, []int{500, 502, 502, 503, 200, 200}, statuses)
}

func TestOnWaitsForItsEndpoint(t *testing.T) {
	t.Parallel()
	server, _ := newServerWithSession(t)
	server.Inject(
		yotitest.Status(500).On(http.MethodGet, "/applicant/{applicant_id}"),
		yotitest.Status(501).On(http.MethodDelete, sessionEndpoint),
		yotitest.Status(502).On("", "/applicant/{applicant_id}"),
		yotitest.Status(503).On(http.MethodGet, ""),
	)
	assert.Equal(t, 503, get(t, server, "/sessions/a").StatusCode)
	assert.Equal(t, 200, get(t, server, "/sessions/a").StatusCode)
	assert.Equal(t, 500, get(t, server, "/applicant/b").StatusCode)
	assert.Equal(t, 502, get(t, server, "/applicant/b").StatusCode)
	assert.Equal(t, 404, get(t, server, "/applicant/b").StatusCode)
	assert.Panics(t, func() { yotitest.Drop().On(http.MethodGet, "/session/{session_id}") })
}

func TestRetryAfterIsInSeconds(t *testing.T) {
	t.Parallel()
	server, _ := newServerWithSession(t)
	for d, want := range map[time.Duration]string{
		0:                       "0",
		time.Millisecond:        "1",
		time.Second:             "1",
		1001 * time.Millisecond: "2",
		time.Hour:               "3600",
	} {
		server.Inject(yotitest.Status(429).RetryAfter(d))
		assert.Equal(t, want, get(t, server, "/sessions/a").Header.Get("Retry-After"))
	}
}

func TestBodyReplacesTheBody(t *testing.T) {
	t.Parallel()
	server, _ := newServerWithSession(t)
	body := []byte("<html>")
	server.Inject(
		yotitest.Status(502).Body(body),
		yotitest.Status(200).Body(body),
		yotitest.Garbage().Body(body),
		yotitest.Slow(0).Body(body),
	)
	clear(body)
	for range 4 {
		resp := get(t, server, "/sessions/a")
		assert.Equal(t, "<html>", string(resp.body))
		assert.Equal(t, "6", resp.Header.Get("Content-Length"))
	}
	server.Inject(yotitest.Status(500).Body(nil))
	assert.Empty(t, get(t, server, "/sessions/a").body)
	server.Inject(yotitest.Truncate(2).Body([]byte("<html>")))
	resp, rest, err := try(server, newRequest(t.Context(), t, server, http.MethodGet, "/sessions/a"))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Equal(t, int64(6), resp.ContentLength)
	assert.Equal(t, "<h", string(rest))
}

func TestFaultsAreValues(t *testing.T) {
	t.Parallel()
	server, _ := newServerWithSession(t)
	plain := yotitest.Status(503)
	_ = plain.Times(9).RetryAfter(time.Hour).Body([]byte("changed")).On(http.MethodDelete, sessionEndpoint)
	server.Inject(plain)
	server.Inject(plain)
	for range 2 {
		resp := get(t, server, "/sessions/a")
		assert.Equal(t, "SERVICE_UNAVAILABLE", resp.code(t))
		assert.Empty(t, resp.Header.Get("Retry-After"))
	}
	assert.Equal(t, 200, get(t, server, "/sessions/a").StatusCode)
}

func TestARequestIsVerifiedBeforeAFaultAnswersIt(t *testing.T) {
	t.Parallel()
	server, _ := newServerWithSession(t)
	server.Inject(yotitest.Status(503))
	m := newMessage(server)
	m.signed = "nonsense"
	assert.Equal(t, http.StatusUnauthorized, m.send(t, server).StatusCode)
	assert.Equal(t, 503, get(t, server, "/sessions/a").StatusCode)
}
