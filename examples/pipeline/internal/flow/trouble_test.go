package flow

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

func TestDiagnose(t *testing.T) {
	t.Parallel()
	status := func(code int) error { return &yotiface.APIError{StatusCode: code} }
	for _, row := range []struct {
		err    error
		kind   troubleKind
		reason string
	}{
		{nil, none, ""},
		{status(404), hopeless, reasonNotFound},
		{status(400), hopeless, reasonClient},
		{status(409), hopeless, reasonClient},
		{status(401), refused, reasonRefused},
		{status(403), refused, reasonRefused},
		{status(302), refused, reasonRefused},
		{status(429), limited, ""},
		{&yotiface.APIError{StatusCode: 503, RetryAfter: time.Second}, limited, ""},
		{status(408), passing, ""},
		{status(500), passing, ""},
		{status(503), passing, ""},
		{status(999), passing, ""},
		{&yotiface.DecodeError{}, hopeless, reasonUndecoded},
		{yotiface.ErrNoContent, hopeless, reasonUndecoded},
		{yotiface.ErrResponseTooLarge, hopeless, reasonUndecoded},
		{yotiface.ErrInvalidArgument, hopeless, reasonInvalid},
		{io.ErrUnexpectedEOF, passing, ""},
		{context.DeadlineExceeded, passing, ""}, // of an attempt
		{errors.New("connection refused"), passing, ""},
	} {
		got := diagnose(row.err)
		assert.Equal(t, row.kind, got.kind, "%v", row.err)
		if row.kind == hopeless || row.kind == refused {
			assert.Equal(t, row.reason, got.reason, "%v", row.err)
		}
	}
}

func TestPassingTroublesPass(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.session("s", yotiface.SessionCompleted, approve)
	l.yoti.Inject(yotitest.Status(500), yotitest.Status(503), yotitest.Drop(), yotitest.Truncate(10), yotitest.Garbage(),
		yotitest.Status(204), yotitest.Status(404), yotitest.Status(404), yotitest.Status(429), yotitest.Status(401), yotitest.Status(302))
	l.work()
	l.publish("s")
	assert.Equal(t, yotiface.OutcomeApproved, l.awaitVerdict("s", true).Outcome)
	assert.Len(t, l.yoti.Requests(), 12, "each fault was met")
	assert.Empty(t, l.dead())
}

func TestHopelessSessionsAreDeadLetters(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.yoti.PutSession([]byte(`{"session_id":"odd","state":["COMPLETED"]}`))
	require.NoError(t, l.Announce(t.Context(), "unknown"))
	l.work()
	for _, id := range []string{"unknown", "odd", "not an ID"} {
		l.publish(id)
	}
	_, err := l.js.Publish(t.Context(), jobsSubject+"strange", []byte("not JSON"))
	require.NoError(t, err)
	l.eventually("four dead letters", func() bool { return len(l.dead()) == 4 })
	assert.Equal(t, map[string]string{
		"unknown": reasonNotFound, "odd": reasonUndecoded, "not an ID": reasonInvalid, "unreadable-4": reasonUnreadable,
	}, l.dead())
	assert.Len(t, l.yoti.Requests(), 2*confirmations)
	l.eventually("nothing is left", func() bool { return l.waiting() == 0 && len(l.awaitedKeys()) == 0 })

	// They are mended, and put back.
	for _, id := range []string{"unknown", "odd"} {
		l.session(id, yotiface.SessionCompleted, approve)
	}
	n, err := l.Requeue(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 4, n)
	for _, id := range []string{"unknown", "odd"} {
		assert.Equal(t, yotiface.OutcomeApproved, l.awaitVerdict(id, true).Outcome)
	}
	l.eventually("what cannot be mended is back", func() bool { return len(l.dead()) == 2 })
}

func TestAJobIsGivenUpAtLast(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(c *Config) { c.MaxDeliveries = 3 })
	l.yoti.Inject(yotitest.Status(500).Times(100))
	l.work()
	l.publish("s")
	l.eventually("a dead letter", func() bool { return len(l.dead()) == 1 })
	assert.Equal(t, map[string]string{"s": reasonGaveUp}, l.dead())
	assert.Len(t, l.yoti.Requests(), 3)
}

// While the whole application is refused nothing becomes a dead letter, and few requests are made.
func TestARefusedApplicationPauses(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"401": 401, "403": 403, "302": 302} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			var asked atomic.Int64
			refuse := func(*http.Request) int {
				asked.Add(1)
				return status
			}
			l.refuse.Store(&refuse)
			for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
				l.session(id, yotiface.SessionCompleted, approve)
				l.publish(id)
			}
			l.work()
			time.Sleep(time.Second) // two or three pauses
			assert.Empty(t, l.dead())
			assert.Positive(t, asked.Load())
			assert.LessOrEqual(t, asked.Load(), int64(4*quick.Concurrency))
			l.refuse.Store(nil)
			for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
				l.awaitVerdict(id, true)
			}
			assert.Empty(t, l.dead())
		})
	}
}

// One session that is refused while others are served does not stop them.
func TestARefusedSessionIsADeadLetter(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	refuse := func(r *http.Request) int {
		if strings.HasSuffix(r.URL.Path, "/odd") {
			return 403
		}
		return 0
	}
	l.refuse.Store(&refuse)
	l.session("a", yotiface.SessionCompleted, approve)
	l.work()
	l.publish("a")
	l.awaitVerdict("a", true)
	l.publish("odd")
	l.eventually("a dead letter", func() bool { return len(l.dead()) == 1 })
	assert.Equal(t, map[string]string{"odd": reasonRefused}, l.dead())
	assert.Zero(t, l.stats.Pauses.Load())
}

// A service that does not answer anybody is not hammered.
func TestManyFailuresInARowPause(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	refuse := func(*http.Request) int { return 500 }
	l.refuse.Store(&refuse)
	for _, id := range strings.Split("abcdefghijklmnop", "") {
		l.publish(id)
	}
	l.work()
	l.eventually("a pause", func() bool { return l.stats.Pauses.Load() > 0 })
	assert.Empty(t, l.dead())
}

func TestAPanicIsADeadLetter(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	refuse := func(*http.Request) int { panic("personal data") }
	l.refuse.Store(&refuse)
	l.work()
	l.publish("s")
	l.eventually("a dead letter", func() bool { return len(l.dead()) == 1 })
	assert.Equal(t, map[string]string{"s": reasonPanic}, l.dead())
	require.NoError(t, l.DeadLetters(t.Context(), func(_ uint64, d DeadLetter) error {
		assert.Equal(t, "string", d.Detail)
		return nil
	}))
}
