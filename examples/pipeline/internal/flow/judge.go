package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/yotiface/yotiface"
)

// A fate is what becomes of a job.
type fate struct {
	kind   fateKind
	delay  time.Duration // of later
	reason string        // of buried
}

type fateKind int

const (
	done   fateKind = iota // there is a final verdict, or the sweep sees to the rest
	later                  // again, after delay
	buried                 // it is among the dead letters
)

// judge does a job. Whatever happens, the job is not lost: it is done, comes again, or is a dead letter.
func (w *Worker) judge(ctx context.Context, msg jetstream.Msg) (f fate) {
	tries, sequence := uint64(1), uint64(0)
	if meta, err := msg.Metadata(); err == nil {
		tries, sequence = meta.NumDelivered, meta.Sequence.Stream
	}
	var job Job
	defer func() {
		if p := recover(); p != nil { // its text could hold anything
			f = w.bury(ctx, job, tries, reasonPanic, fmt.Sprintf("%T", p))
		}
	}()
	if err := json.Unmarshal(msg.Data(), &job); err != nil || job.SessionID == "" {
		job = Job{SessionID: fmt.Sprintf("unreadable-%d", sequence)}
		return w.bury(ctx, job, tries, reasonUnreadable, "not a job")
	}
	if tries > uint64(w.config.MaxDeliveries) { //nolint:gosec // G115: it is positive
		return w.bury(ctx, job, tries, reasonGaveUp, "tried too often")
	}
	// A check is often the last of its session, whose completion is notified at the same moment and says more.
	if job.Topic == string(yotiface.TopicCheckCompletion) && tries == 1 {
		return fate{kind: later, delay: jitter(w.config.CheckDelay)}
	}
	// Another notification may have led to a verdict. Then there is no need for another signature.
	if known, ok, err := w.queue.Verdict(ctx, job.SessionID); err != nil {
		return w.again(ctx, tries, err)
	} else if ok && known.Final {
		w.stats.Skipped.Add(1)
		return fate{kind: done}
	}

	asked := time.Now()
	session, trouble := w.read(ctx, job.SessionID)
	switch trouble.kind {
	case none:
		return w.pronounce(ctx, job, tries, newVerdict(session, asked, w.config.Raw))
	case hopeless:
		return w.bury(ctx, job, tries, trouble.reason, trouble.err.Error())
	default:
		return w.again(ctx, tries, trouble.err)
	}
}

// pronounce makes a verdict known. Only then the session is no longer awaited, and only then the job is done: wherever the
// worker is killed in between, it comes to the same end once more.
func (w *Worker) pronounce(ctx context.Context, job Job, tries uint64, v Verdict) fate {
	known, changed, err := w.queue.record(ctx, v)
	if err != nil {
		return w.again(ctx, tries, err)
	}
	if known.Final {
		switch {
		case changed && len(known.Conflicts) > 0:
			w.stats.Conflicts.Add(1)
			w.queue.log.ErrorContext(ctx, "a session has got two different final answers: a person has to look at it")
		case changed:
			w.stats.Final.Add(1)
		}
		if err := w.queue.forget(ctx, job.SessionID); err != nil {
			w.queue.log.InfoContext(ctx, "a session stays awaited until the sweep comes to it", "error", err)
		}
		return fate{kind: done}
	}
	w.stats.Pending.Add(1)
	switch {
	case job.Topic == topicSweep:
		return fate{kind: done} // it is still awaited
	case tries < uint64(w.config.PendingTries): //nolint:gosec // G115: it is positive
		return fate{kind: later, delay: w.backoff(tries)}
	}
	// A job that waits counts against MaxAckPending, so a session that takes long must not stay in the queue.
	if err := w.queue.Announce(ctx, job.SessionID); err != nil {
		return w.again(ctx, tries, err)
	}
	w.stats.Left.Add(1)
	return fate{kind: done}
}

// again lets a job come again: after the pause if there is one, at once if the worker stops, and else after a time that
// doubles with each try.
func (w *Worker) again(ctx context.Context, tries uint64, err error) fate {
	switch left := w.gate.left(); {
	case ctx.Err() != nil:
		return fate{kind: later}
	case left > 0:
		return fate{kind: later, delay: jitter(left + left/4)}
	}
	w.queue.log.LogAttrs(ctx, slog.LevelDebug, "a job comes again", slog.Uint64("tries", tries), slog.Any("error", err))
	return fate{kind: later, delay: w.backoff(tries)}
}

func (w *Worker) backoff(tries uint64) time.Duration {
	d := w.config.MaxBackoff
	if doublings := tries - 1; doublings < 32 {
		d = min(d, w.config.Backoff<<doublings)
	}
	return jitter(d)
}

// bury writes the dead letter of a session. It is no longer awaited then: somebody has to look at the reason, and put it
// back into the queue.
func (w *Worker) bury(ctx context.Context, job Job, tries uint64, reason, detail string) fate {
	err := w.queue.bury(ctx, DeadLetter{job, reason, detail, tries, time.Now().UTC()})
	if err != nil {
		return w.again(ctx, tries, err)
	}
	w.stats.Buried.Add(1)
	if err := w.queue.forget(ctx, job.SessionID); err != nil {
		w.queue.log.InfoContext(ctx, "a dead letter's session stays awaited", "error", err)
	}
	w.queue.log.LogAttrs(ctx, slog.LevelWarn, "a dead letter", slog.String("reason", reason), slog.String("detail", detail))
	return fate{kind: buried, reason: reason}
}
