package flow

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
)

func TestNewVerdict(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		state   yotiface.SessionState
		checks  string
		outcome yotiface.ApprovalOutcome
		final   bool
	}{
		{yotiface.SessionCompleted, approve, yotiface.OutcomeApproved, true},
		{yotiface.SessionCompleted, reject, yotiface.OutcomeRejected, true},
		{yotiface.SessionCompleted, "", yotiface.OutcomeUndetermined, true},
		{yotiface.SessionCompleted, pending, yotiface.OutcomePending, false},
		{yotiface.SessionOngoing, approve, yotiface.OutcomePending, false},
		{yotiface.SessionOngoing, reject, yotiface.OutcomeRejected, false}, // early
		{yotiface.SessionOngoing, "", yotiface.OutcomePending, false},
		{yotiface.SessionExpired, "", yotiface.OutcomeUndetermined, true},
		{"SUSPENDED", approve, yotiface.OutcomeUndetermined, false}, // who knows
	} {
		name := fmt.Sprintf("%s with %.80s", row.state, row.checks)
		var session yotiface.Session
		text := fmt.Sprintf(`{"session_id":"s","state":%q,"checks":[%s]}`, row.state, row.checks)
		require.NoError(t, json.Unmarshal([]byte(text), &session))
		v := newVerdict(&session, time.Unix(1, 0), true)
		assert.Equal(t, row.outcome, v.Outcome, name)
		assert.Equal(t, row.final, v.Final, name)
		assert.NotEmpty(t, v.Explanation, name)
		assert.Equal(t, row.final, v.Raw != nil, name)
		assert.Empty(t, newVerdict(&session, time.Unix(1, 0), false).Raw, name)
	}
	var long yotiface.Session
	require.NoError(t, json.Unmarshal([]byte(`{"session_id":"s","state":"COMPLETED","x":"`+strings.Repeat("x", maxRaw)+`"}`), &long))
	assert.Nil(t, newVerdict(&long, time.Now(), true).Raw)
}

func TestMerge(t *testing.T) {
	t.Parallel()
	at := func(second int64, outcome yotiface.ApprovalOutcome, final bool) Verdict {
		return Verdict{SessionID: "s", Outcome: outcome, Final: final, At: time.Unix(second, 0)}
	}
	const a, r, p, u = yotiface.OutcomeApproved, yotiface.OutcomeRejected, yotiface.OutcomePending, yotiface.OutcomeUndetermined
	for _, row := range []struct {
		why       string
		old, next Verdict
		want      yotiface.ApprovalOutcome
		changed   bool
		conflicts int
	}{
		{"a final answer beats pending", at(1, p, false), at(2, a, true), a, true, 0},
		{"also one that was asked for earlier", at(2, p, false), at(1, a, true), a, true, 0},
		{"pending never beats a final answer", at(1, a, true), at(2, p, false), a, false, 0},
		{"nor does an early rejection", at(1, a, true), at(2, r, false), a, false, 0},
		{"the same again", at(1, a, true), at(2, a, true), a, false, 0},
		{"another final answer is a conflict", at(1, a, true), at(2, r, true), a, true, 1},
		{"in whatever order", at(2, r, true), at(1, a, true), r, true, 1},
		{"undetermined too", at(1, u, true), at(2, a, true), u, true, 1},
		{"an early rejection is better than pending", at(1, p, false), at(2, r, false), r, true, 0},
		{"if it is the later one", at(2, p, false), at(1, r, false), p, false, 0},
		{"pending again", at(1, p, false), at(2, p, false), p, false, 0},
		{"the end counts, not the early rejection", at(1, r, false), at(2, a, true), a, true, 0},
	} {
		got, changed := row.old.merge(row.next)
		assert.Equal(t, row.want, got.Outcome, row.why)
		assert.Equal(t, row.changed, changed, row.why)
		assert.Len(t, got.Conflicts, row.conflicts, row.why)
	}
	// A conflict is recorded once for each outcome.
	v, _ := at(1, a, true).merge(at(2, r, true))
	v, changed := v.merge(at(3, r, true))
	assert.False(t, changed)
	v, changed = v.merge(at(4, u, true))
	assert.True(t, changed)
	assert.Len(t, v.Conflicts, 2)
}

// However many write at the same time, none is lost: the first final answer stays, and the other one is a conflict.
func TestRecordIsCompareAndSet(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	outcomes := []yotiface.ApprovalOutcome{yotiface.OutcomePending, yotiface.OutcomeApproved, yotiface.OutcomeRejected}
	var writers sync.WaitGroup
	for i := range 12 {
		writers.Go(func() {
			outcome := outcomes[i%3]
			v := Verdict{SessionID: "S.1", Outcome: outcome, Final: outcome != yotiface.OutcomePending, At: time.Now()}
			_, _, err := l.record(t.Context(), v)
			assert.NoError(t, err)
		})
	}
	writers.Wait()
	v, ok, err := l.Verdict(t.Context(), "s.1")
	require.NoError(t, err)
	require.True(t, ok)
	assert.True(t, v.Final)
	require.Len(t, v.Conflicts, 1)
	assert.NotEqual(t, v.Outcome, v.Conflicts[0].Outcome)
}

func TestKeysAndIDs(t *testing.T) {
	t.Parallel()
	assert.Equal(t, key("A.b-C_"), key("a.B-c_"))
	assert.NotEqual(t, key("a.b"), key("a-b"))
	l := newLab(t)
	for _, id := range []string{".", "..", "a.", ".a", "a..b", "-", "_", strings.Repeat("x", 128)} {
		require.NoError(t, l.Announce(t.Context(), id), id)
		require.NoError(t, l.bury(t.Context(), DeadLetter{Job: Job{SessionID: id}}), id)
	}
	assert.Len(t, l.dead(), 8)

	job := Job{SessionID: "s", Topic: "check_completion", CheckID: "c"}
	ids := map[string]bool{job.id(): true}
	for _, other := range []Job{
		{SessionID: "t", Topic: "check_completion", CheckID: "c"},
		{SessionID: "s", Topic: "session_completion", CheckID: "c"},
		{SessionID: "s", Topic: "check_completion", CheckID: "d"},
		{SessionID: "s", Topic: "check_completion", CheckID: "c", Round: 1},
	} {
		assert.False(t, ids[other.id()])
		ids[other.id()] = true
	}
	assert.Equal(t, job.id(), Job{SessionID: "S", Topic: "check_completion", CheckID: "C"}.id())
}

func TestConfigCheck(t *testing.T) {
	t.Parallel()
	require.NoError(t, Defaults.Check())
	require.NoError(t, quick.Check())
	assert.ErrorContains(t, Config{}.Check(), "not positive")
}
