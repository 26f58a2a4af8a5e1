package flow

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// awaiting is a session that has no final verdict yet, as far as the bucket knows.
type awaiting struct {
	SessionID string    `json:"session_id"`
	Next      time.Time `json:"next"`  // when the sweep asks for it
	Asked     int       `json:"asked"` // how often it has
}

// Announce tells the pipeline of a session whose verdict is awaited, so that it gets one even if no notification comes.
// Call it right after CreateSession, before the user is sent to the session. A session that is announced already stays as
// it is.
func (q *Queue) Announce(ctx context.Context, sessionID string) error {
	value, err := json.Marshal(awaiting{SessionID: sessionID, Next: time.Now().Add(q.config.SweepAfter).UTC()})
	if err != nil {
		return err
	}
	if err := swap(ctx, q.awaited, key(sessionID), value, 0); !errors.Is(err, errOvertaken) {
		return err
	}
	return nil
}

// forget ends the wait for a session. What remains of the key is gone after a minute.
func (q *Queue) forget(ctx context.Context, sessionID string) error {
	return q.awaited.Purge(ctx, key(sessionID), jetstream.PurgeTTL(time.Minute))
}

// Sweep looks for sessions without a verdict until ctx is done. One sweep is enough for a pipeline; two do no harm.
func (q *Queue) Sweep(ctx context.Context, stats *Stats) {
	for {
		if err := q.sweepOnce(ctx, stats); err != nil && ctx.Err() == nil {
			q.log.WarnContext(ctx, "a sweep was not completed", "error", err)
		}
		if !sleep(ctx, q.config.SweepEvery) {
			return
		}
	}
}

// sweepOnce makes a job of each session that is due.
func (q *Queue) sweepOnce(ctx context.Context, stats *Stats) error {
	now := time.Now()
	return each(ctx, q.awaited, func(entry jetstream.KeyValueEntry) error {
		var a awaiting
		if err := json.Unmarshal(entry.Value(), &a); err != nil {
			return err
		}
		if now.Before(a.Next) {
			return nil
		}
		// A worker that was killed, or a session that was judged before it was announced, leaves a key behind.
		if v, ok, err := q.Verdict(ctx, a.SessionID); err != nil {
			return err
		} else if ok && v.Final {
			stats.Healed.Add(1)
			return q.forget(ctx, a.SessionID)
		}
		if _, err := q.Publish(ctx, Job{SessionID: a.SessionID, Topic: topicSweep, Round: entry.Revision()}); err != nil {
			return err
		}
		stats.Swept.Add(1)
		a.Next = now.Add(q.config.SweepAfter << min(a.Asked, 10)).UTC()
		a.Asked++
		value, err := json.Marshal(a)
		if err != nil {
			return err
		}
		// If the revision is another one, a worker has just been faster: then the key is gone and has to stay so.
		if err := swap(ctx, q.awaited, entry.Key(), value, entry.Revision()); !errors.Is(err, errOvertaken) {
			return err
		}
		return nil
	})
}
