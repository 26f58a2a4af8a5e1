package yotitest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

// notified is a notification as it arrived.
type notified struct {
	method, contentType, authorization, body string
}

// receiver is a backend that receives notifications.
type receiver struct {
	*httptest.Server

	mu  sync.Mutex
	got []notified
}

// newReceiver starts one. answer may be nil: then it answers 200.
func newReceiver(tb testing.TB, start func(http.Handler) *httptest.Server, answer http.HandlerFunc) *receiver {
	tb.Helper()
	r := new(receiver)
	r.Server = start(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		assert.NoError(tb, err)
		r.mu.Lock()
		r.got = append(r.got, notified{req.Method, req.Header.Get("Content-Type"), req.Header.Get("Authorization"), string(body)})
		r.mu.Unlock()
		if answer != nil {
			answer(w, req)
		}
	}))
	tb.Cleanup(r.Close)
	return r
}

// all are the notifications that arrived, in order.
func (r *receiver) all() []notified {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// topics are those that arrived, in order, each without "_completion".
func (r *receiver) topics(tb testing.TB) string {
	tb.Helper()
	var topics []string
	for _, n := range r.all() {
		var v struct{ Topic string }
		require.NoError(tb, json.Unmarshal([]byte(n.body), &v))
		topics = append(topics, strings.TrimSuffix(v.Topic, "_completion"))
	}
	return strings.Join(topics, " ")
}

// notifying is the specification of a session with liveness alone that notifies
// an endpoint.
func notifying(endpoint, more string) string {
	return fmt.Sprintf(`{"requested_checks":[{"type":"LIVENESS"}],"notifications":{"endpoint":%q%s}}`, endpoint, more)
}

// searchingAndNotifying does a search too.
func searchingAndNotifying(poolID, endpoint, more string) string {
	return fmt.Sprintf(`{"notifications":{"endpoint":%q%s},`, endpoint, more) + searching("NO_MATCH", poolID)[len("{"):]
}

const allTopics = `,"topics":["session_completion","CHECK_COMPLETION","Task_Completion","RESOURCE_UPDATE","client_session_token_deleted"]`

func TestNotificationsAreWhatIsDocumented(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(http.Handler) *httptest.Server{
		"http":  httptest.NewServer,
		"https": httptest.NewTLSServer,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, backend := newServer(t), newReceiver(t, start, nil)
			id := createSession(t, server, notifying(backend.URL+"/yoti", allTopics))
			server.CompleteSession(id)
			session := getSession(t, server, id)
			var want []notified
			for _, body := range []string{
				`{"session_id":"` + id + `","resource_id":"` + session.Resources.LivenessCaptures[0].ID + `","topic":"resource_update"}`,
				`{"session_id":"` + id + `","topic":"client_session_token_deleted"}`,
				`{"session_id":"` + id + `","check_id":"` + session.Checks[0].ID + `","topic":"check_completion"}`,
				`{"session_id":"` + id + `","topic":"session_completion"}`,
			} {
				want = append(want, notified{http.MethodPost, "application/json", "", body})
			}
			assert.Equal(t, want, backend.all())

			sent := server.Notifications()
			require.Len(t, sent, 4)
			assert.Equal(t, yotitest.Delivery{
				Notification: yotiface.Notification{SessionID: id, Topic: yotiface.TopicCheckCompletion, CheckID: session.Checks[0].ID},
				Endpoint:     backend.URL + "/yoti",
				Status:       http.StatusOK,
			}, sent[2])
			sent[0].Status = 0
			assert.Equal(t, http.StatusOK, server.Notifications()[0].Status, "the list is a copy")
		})
	}
}

func TestNotificationsCarryTheirCredentials(t *testing.T) {
	t.Parallel()
	server, backend := newServer(t), newReceiver(t, httptest.NewServer, nil)
	for _, test := range []struct{ auth, want string }{
		{``, ""},
		{`,"auth_token":""`, ""},
		{`,"auth_token":"username:password"`, "Basic dXNlcm5hbWU6cGFzc3dvcmQ="},
		{`,"auth_token":"username:password","auth_type":"BASIC"`, "Basic dXNlcm5hbWU6cGFzc3dvcmQ="},
		{`,"auth_token":"some_auth_token","auth_type":"BASIC"`, "Basic c29tZV9hdXRoX3Rva2Vu"},
		{`,"auth_token":"username:password","auth_type":"BEARER"`, "Bearer username:password"},
	} {
		server.CompleteSession(createSession(t, server, notifying(backend.URL, test.auth)))
		got := backend.all()
		assert.Equal(t, test.want, got[len(got)-1].authorization, test.auth)
	}
}

func TestTopicsDecideWhatIsSent(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	staff := server.PutPool("staff")
	for name, test := range map[string]struct {
		topics string
		opts   []yotitest.CompleteOption
		want   string
	}{
		"none":     {``, nil, "session"},
		"null":     {`,"topics":null`, nil, "session"},
		"an empty": {`,"topics":[]`, nil, "session"},
		"checks":   {`,"topics":["CHECK_COMPLETION"]`, nil, "check check"},
		"both":     {`,"topics":["session_completion","check_completion"]`, nil, "check check session"},
		"tasks":    {`,"topics":["task_completion","first_branch_visit"]`, nil, ""},
		"all":      {allTopics, nil, "resource_update client_session_token_deleted check check session"},

		"doubled":  {allTopics, []yotitest.CompleteOption{yotitest.DoubleNotifications()}, "resource_update resource_update client_session_token_deleted client_session_token_deleted check check check check session session"},
		"reversed": {allTopics, []yotitest.CompleteOption{yotitest.ReverseNotifications()}, "session check check client_session_token_deleted resource_update"},
		"dropped":  {allTopics, []yotitest.CompleteOption{yotitest.DropNotifications()}, ""},
		"some dropped": {
			allTopics,
			[]yotitest.CompleteOption{yotitest.DropNotifications(yotiface.TopicCheckCompletion, yotiface.TopicResourceUpdate)},
			"client_session_token_deleted session",
		},
		"doubled and reversed": {
			`,"topics":["session_completion","check_completion"]`,
			[]yotitest.CompleteOption{yotitest.DoubleNotifications(), yotitest.ReverseNotifications()},
			"session session check check check check",
		},
		"doubled, and all dropped": {``, []yotitest.CompleteOption{yotitest.DoubleNotifications(), yotitest.DropNotifications()}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backend := newReceiver(t, httptest.NewServer, nil)
			id := createSession(t, server, searchingAndNotifying(staff, backend.URL, test.topics))
			server.CompleteSession(id, test.opts...)
			assert.Equal(t, test.want, backend.topics(t))
		})
	}
}

func TestWithoutAnEndpointNothingIsSent(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.CompleteSession(createSession(t, server, searching()), yotitest.DoubleNotifications())
	assert.Empty(t, server.Notifications())
}

func TestNotificationsAreSentWhenTheyAreDue(t *testing.T) {
	t.Parallel()
	server, backend := newServer(t), newReceiver(t, httptest.NewServer, nil)
	id := createSession(t, server, searchingAndNotifying(server.PutPool("staff"), backend.URL, allTopics))
	assert.Empty(t, backend.topics(t))
	server.PendSession(id)
	assert.Equal(t, "resource_update client_session_token_deleted check", backend.topics(t))
	server.CompleteSession(id, yotitest.DropNotifications(yotiface.TopicCheckCompletion))
	assert.Equal(t, "resource_update client_session_token_deleted check session", backend.topics(t))

	expired := createSession(t, server, notifying(backend.URL, allTopics))
	server.ExpireSession(expired)
	assert.Len(t, server.Notifications(), 4)
}

// The handler that is being tested reads the session while the notification is
// being delivered.
func TestASessionIsReadyWhenItsNotificationArrives(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	client := server.Client()
	var states []yotiface.SessionState
	backend := httptest.NewServer(yotiface.NewNotificationHandler(yotiface.BasicAuth("user", "password"),
		func(ctx context.Context, n yotiface.Notification) error {
			session, err := client.GetSession(ctx, n.SessionID)
			if err == nil {
				states = append(states, session.State)
			}
			return err
		}))
	defer backend.Close()
	id := createSession(t, server, notifying(backend.URL, allTopics+`,"auth_token":"user:password"`))
	server.PendSession(id)
	server.CompleteSession(id)
	for _, n := range server.Notifications() {
		assert.Equal(t, http.StatusOK, n.Status, n.Topic)
	}
	assert.Equal(t, []yotiface.SessionState{"ONGOING", "ONGOING", "ONGOING", "COMPLETED"}, states)
}

func TestNotificationsThatAreNotTaken(t *testing.T) {
	t.Parallel()
	elsewhere := newReceiver(t, httptest.NewServer, nil)
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		status int
	}{
		"unauthorized": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, 401},
		"failed":       {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) }, 500},
		"redirected": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, 307},
		"hung up on": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, backend := newServer(t), newReceiver(t, httptest.NewServer, test.answer)
			server.CompleteSession(createSession(t, server, notifying(backend.URL, allTopics)))
			assert.Len(t, backend.all(), 4, "the others come all the same")
			for _, n := range server.Notifications() {
				assert.Equal(t, test.status, n.Status)
				assert.Equal(t, test.status == 0, n.Err != nil)
			}
		})
	}
	t.Cleanup(func() { assert.Empty(t, elsewhere.all()) })
}

func TestNotificationsLeaveThisMachineNever(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for _, endpoint := range []string{"https://example.com/yoti", "https://192.0.2.1/", "https://localhost.example.com", "https://[2001:db8::1]/"} {
		server.CompleteSession(createSession(t, server, notifying(endpoint, "")))
		sent := server.Notifications()
		last := sent[len(sent)-1]
		assert.Equal(t, endpoint, last.Endpoint)
		assert.Zero(t, last.Status)
		assert.EqualError(t, last.Err, "yotitest: notifications are sent to this machine only")
	}
}

func TestAnEndpointThatIsNotThere(t *testing.T) {
	t.Parallel()
	server, backend := newServer(t), httptest.NewServer(http.NotFoundHandler())
	backend.Close()
	server.CompleteSession(createSession(t, server, notifying(backend.URL, "")))
	require.Len(t, server.Notifications(), 1)
	assert.Error(t, server.Notifications()[0].Err)
}

func TestCloseEndsADelivery(t *testing.T) {
	t.Parallel()
	server, arrived := newServer(t), make(chan struct{})
	backend := newReceiver(t, httptest.NewServer, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	})
	id, done := createSession(t, server, notifying(backend.URL, "")), make(chan struct{})
	go func() {
		defer close(done)
		server.CompleteSession(id)
	}()
	<-arrived
	server.Close()
	<-done
	require.Len(t, server.Notifications(), 1)
	assert.ErrorIs(t, server.Notifications()[0].Err, context.Canceled)
}

func TestSessionsMayBeCompletedAtOnce(t *testing.T) {
	t.Parallel()
	server, backend := newServer(t), newReceiver(t, httptest.NewServer, nil)
	ids := make([]string, 8)
	for i := range ids {
		ids[i] = createSession(t, server, notifying(backend.URL, allTopics))
	}
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() { server.CompleteSession(id, yotitest.WithCapture(gifBytes)) })
	}
	wg.Wait()
	assert.Len(t, server.Notifications(), 4*len(ids))
	for _, id := range ids {
		assert.Equal(t, yotiface.SessionCompleted, getSession(t, server, id).State)
	}
}
