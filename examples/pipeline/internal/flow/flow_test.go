package flow

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/examples/pipeline/internal/engine"
	"github.com/yotiface/yotiface/yotitest"
)

// quick is a configuration whose waits are short.
var quick = Config{
	Replicas: 1, Concurrency: 4, MaxAckPending: 100, AckWait: 2 * time.Second, MaxDeliveries: 50,
	Backoff: 20 * time.Millisecond, MaxBackoff: 200 * time.Millisecond, CheckDelay: 300 * time.Millisecond, PendingTries: 3,
	ConfirmAfter: 10 * time.Millisecond, RatePause: 200 * time.Millisecond, RefusedPause: 400 * time.Millisecond,
	MaxPause: time.Minute, SweepEvery: 50 * time.Millisecond, SweepAfter: 100 * time.Millisecond, Keep: time.Hour, DrainTime: time.Second,
}

// lab is a queue on an engine of its own, a Yoti, and a worker that can be started.
type lab struct {
	*Queue
	t      *testing.T
	yoti   *yotitest.Server
	stats  *Stats
	refuse atomic.Pointer[func(*http.Request) int] // a status in place of Yoti's answer, or 0
}

func newLab(t *testing.T, change ...func(*Config)) *lab {
	t.Helper()
	config := quick
	for _, c := range change {
		c(&config)
	}
	require.NoError(t, config.Check())
	node, err := engine.Node{Name: "test", Dir: t.TempDir()}.Start()
	require.NoError(t, err)
	t.Cleanup(func() {
		node.Shutdown()
		node.WaitForShutdown()
	})
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	nc, err := engine.Connect("", "test", log, nats.InProcessServer(node))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	q, err := Open(t.Context(), nc, config, log)
	require.NoError(t, err)
	l := &lab{Queue: q, t: t, yoti: yotitest.NewServer(), stats: new(Stats)}
	t.Cleanup(l.yoti.Close)
	return l
}

// RoundTrip is the way of the worker's requests.
func (l *lab) RoundTrip(r *http.Request) (*http.Response, error) {
	if refuse := l.refuse.Load(); refuse != nil {
		if status := (*refuse)(r); status != 0 {
			recorder := httptest.NewRecorder()
			recorder.WriteHeader(status)
			return recorder.Result(), nil
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

// work starts a worker, which stops when the test ends.
func (l *lab) work() {
	client := l.yoti.Client(RetryPolicy(), yotiface.WithHTTPClient(&http.Client{Transport: l}))
	w, err := NewWorker(l.t.Context(), l.Queue, client, l.stats)
	require.NoError(l.t, err)
	ctx, cancel := context.WithCancel(l.t.Context())
	stopped := make(chan struct{})
	go func() {
		w.Run(ctx)
		close(stopped)
	}()
	l.t.Cleanup(func() {
		cancel()
		<-stopped
	})
}

const (
	approve = `{"type":"FAMILIAR_FACE_SEARCH","id":"c","state":"DONE","report":{"recommendation":{"value":"APPROVE"},"breakdown":[]}}`
	reject  = `{"type":"FAMILIAR_FACE_SEARCH","id":"c","state":"DONE","report":{"recommendation":{"value":"REJECT"},"breakdown":[]}}`
	pending = `{"type":"FAMILIAR_FACE_SEARCH","id":"c","state":"PENDING"}`
)

func (l *lab) session(id string, state yotiface.SessionState, checks string) {
	l.yoti.PutSession(fmt.Appendf(nil, `{"session_id":%q,"state":%q,"checks":[%s]}`, id, state, checks))
}

func (l *lab) publish(id string) {
	l.t.Helper()
	_, err := l.Publish(l.t.Context(), Job{SessionID: id, Topic: "session_completion"})
	require.NoError(l.t, err)
}

func (l *lab) eventually(what string, condition func() bool) {
	l.t.Helper()
	require.Eventually(l.t, condition, 20*time.Second, 10*time.Millisecond, what)
}

// awaitVerdict waits for a verdict that is final, or is not.
func (l *lab) awaitVerdict(id string, final bool) (v Verdict) {
	l.t.Helper()
	l.eventually("a verdict of "+id, func() bool {
		known, ok, err := l.Verdict(l.t.Context(), id)
		v = known
		return err == nil && ok && known.Final == final
	})
	return v
}

// dead returns the reasons of the dead letters by session.
func (l *lab) dead() map[string]string {
	l.t.Helper()
	reasons := map[string]string{}
	require.NoError(l.t, l.DeadLetters(l.t.Context(), func(_ uint64, d DeadLetter) error {
		reasons[d.SessionID] = d.Reason
		return nil
	}))
	return reasons
}

func (l *lab) waiting() int {
	l.t.Helper()
	stream, err := l.js.Stream(l.t.Context(), jobsStream)
	require.NoError(l.t, err)
	return int(stream.CachedInfo().State.Msgs)
}

func (l *lab) awaitedKeys() []string {
	keys, err := l.awaited.Keys(l.t.Context())
	if err != nil {
		require.ErrorIs(l.t, err, jetstream.ErrNoKeysFound)
	}
	return keys
}

func TestNotificationsBecomeVerdicts(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(c *Config) { c.Raw = true })
	l.session("A-1", yotiface.SessionCompleted, approve)
	receiver := httptest.NewServer(l.Receiver(yotiface.BearerToken("secret"), l.stats))
	defer receiver.Close()
	send := func(token, body string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, receiver.URL, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer resp.Body.Close()
		return resp.StatusCode
	}
	require.NoError(t, l.Announce(t.Context(), "A-1"))
	assert.Equal(t, 401, send("guess", `{"session_id":"A-1","topic":"session_completion"}`))
	assert.Zero(t, l.waiting())
	for range 2 {
		assert.Equal(t, 200, send("secret", `{"session_id":"A-1","topic":"SESSION_COMPLETION"}`))
		assert.Equal(t, 200, send("secret", `{"session_id":"a-1","topic":"session_completion"}`), "the same session")
		assert.Equal(t, 200, send("secret", `{"session_id":"A-1","topic":"check_completion","check_id":"c\r\nX: y"}`))
		assert.Equal(t, 200, send("secret", `{"session_id":"A-1","topic":"resource_update"}`), "decides nothing")
	}
	assert.Equal(t, 2, l.waiting())
	l.work()
	v := l.awaitVerdict("A-1", true)
	assert.Equal(t, yotiface.OutcomeApproved, v.Outcome)
	assert.Contains(t, v.Explanation, "Approved: ")
	assert.JSONEq(t, `{"session_id":"A-1","state":"COMPLETED","checks":[`+approve+`]}`, string(v.Raw))
	assert.Empty(t, v.Conflicts)
	l.eventually("all jobs done", func() bool { return l.waiting() == 0 })
	l.eventually("no session awaited", func() bool { return len(l.awaitedKeys()) == 0 })
	assert.Len(t, l.yoti.Requests(), 1, "the second job found the verdict")
	assert.EqualValues(t, 2, l.stats.Ignored.Load())
}

// Yoti may send a notification again that was not answered with 200.
func TestAReceiverWithoutAnEngineAnswers500(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	require.NoError(t, l.js.DeleteStream(t.Context(), jobsStream))
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(`{"session_id":"s","topic":"session_completion"}`))
	r.SetBasicAuth("u", "p")
	w := httptest.NewRecorder()
	l.Receiver(yotiface.BasicAuth("u", "p"), l.stats).ServeHTTP(w, r)
	assert.Equal(t, 500, w.Code)
	assert.EqualValues(t, 1, l.stats.Refused.Load())
}

func TestAPendingSessionIsLeftToTheSweep(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.session("s", yotiface.SessionOngoing, pending)
	l.work()
	l.publish("s")
	assert.Equal(t, yotiface.OutcomePending, l.awaitVerdict("s", false).Outcome)
	l.eventually("left to the sweep", func() bool { return l.waiting() == 0 && len(l.awaitedKeys()) == 1 })
	assert.Len(t, l.yoti.Requests(), quick.PendingTries)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go l.Sweep(ctx, l.stats)
	l.eventually("swept", func() bool { return l.stats.Swept.Load() >= 2 })
	l.session("s", yotiface.SessionCompleted, reject)
	assert.Equal(t, yotiface.OutcomeRejected, l.awaitVerdict("s", true).Outcome)
	l.eventually("no longer awaited", func() bool { return len(l.awaitedKeys()) == 0 && l.waiting() == 0 })
}

// A key that a killed worker did not delete, or that was written after the verdict, costs no signature.
func TestTheSweepHeals(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	_, _, err := l.record(t.Context(), Verdict{SessionID: "s", Outcome: yotiface.OutcomeApproved, Final: true})
	require.NoError(t, err)
	require.NoError(t, l.Announce(t.Context(), "s"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go l.Sweep(ctx, l.stats)
	l.eventually("healed", func() bool { return len(l.awaitedKeys()) == 0 })
	assert.Zero(t, l.waiting())
	assert.Zero(t, l.stats.Swept.Load())
}

func TestOpenRefusesToWaitForEver(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	config := quick
	config.Replicas = 3 // there is one node
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err := Open(ctx, l.js.Conn(), config, l.log)
	assert.ErrorContains(t, err, "not ready")
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}
