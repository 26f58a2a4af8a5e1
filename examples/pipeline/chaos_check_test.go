package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/examples/pipeline/internal/flow"
)

var uuid = regexp.MustCompile(`(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// check reads everything from the engine again and compares it with what it should be.
func (c *chaos) check() {
	ctx := c.t.Context()
	verdicts := map[string]yotiface.ApprovalOutcome{}
	require.NoError(c.t, c.queue.Verdicts(ctx, func(v flow.Verdict) error {
		assert.True(c.t, v.Final, v.SessionID)
		assert.Empty(c.t, v.Conflicts, v.SessionID)
		verdicts[v.SessionID] = v.Outcome
		return nil
	}))
	assert.Equal(c.t, c.want, verdicts)

	letters := map[string]string{}
	require.NoError(c.t, c.queue.DeadLetters(ctx, func(_ uint64, d flow.DeadLetter) error {
		letters[d.SessionID] = d.Reason
		return nil
	}))
	assert.Equal(c.t, c.dead, letters)

	bucket, err := c.js.KeyValue(ctx, "verdicts")
	require.NoError(c.t, err)
	watcher, err := bucket.WatchAll(ctx, jetstream.IncludeHistory())
	require.NoError(c.t, err)
	finals := map[string]int{}
	for entry := range watcher.Updates() {
		if entry == nil {
			break
		}
		var v flow.Verdict
		require.NoError(c.t, json.Unmarshal(entry.Value(), &v))
		if v.Final {
			finals[v.SessionID]++
		}
	}
	for id, n := range finals {
		assert.Equal(c.t, 1, n, "final values of %s", id)
	}

	assert.Empty(c.t, uuid.FindString(c.log.String()), "an ID in the log")

	// What is left of the work: jobs of sessions that are decided, and keys that killed workers have not deleted.
	jobs, err := c.js.Stream(ctx, "jobs")
	require.NoError(c.t, err)
	awaited, err := c.js.KeyValue(ctx, "awaited")
	require.NoError(c.t, err)
	assert.Eventually(c.t, func() bool {
		info, err := jobs.Info(ctx)
		keys, keysErr := awaited.Keys(ctx)
		return err == nil && info.State.Msgs == 0 && len(keys) == 0 && keysErr == jetstream.ErrNoKeysFound //nolint:errorlint // it is this one
	}, time.Minute, 300*time.Millisecond, "the queue and the list of awaited sessions are empty")
}

func (c *chaos) figures(took time.Duration) {
	r := c.report()
	assert.Zero(c.t, r.NoncesTwice)
	total := 0
	for _, n := range r.Faults {
		total += n
	}
	outcomes := map[string]int{}
	for _, outcome := range c.want {
		outcomes[outcome.String()]++
	}
	reasons := map[string]int{}
	for _, reason := range c.dead {
		reasons[reason]++
	}
	c.t.Logf(`figures:
sessions              %d in %s (%.0f a second), %s
dead letters          %s
what happened         %s
notifications         by status %s
requests to Yoti      %d (%.2f for each session), by status %s
faults injected       %d: %s
worker processes      %d, killed %d times
engine                3 nodes, killed %d times`,
		len(c.want), took.Round(100*time.Millisecond), float64(len(c.want))/took.Seconds(), list(outcomes), list(reasons), list(c.sent),
		list(r.Notified), r.Requests, float64(r.Requests)/float64(len(c.want)+len(c.dead)), list(r.ByStatus),
		total, list(r.Faults), *chaosWorkers, c.workerKills, c.engineKills)
}

// list writes a map in the order of its keys.
func list[K int | string](m map[K]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%v: %d", k, m[k]))
	}
	return strings.Join(parts, ", ")
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
