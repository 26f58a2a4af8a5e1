package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/yotiface/yotiface"
)

// A Verdict is what is known about a session.
type Verdict struct {
	SessionID   string                   `json:"session_id"`
	Outcome     yotiface.ApprovalOutcome `json:"outcome"`
	Final       bool                     `json:"final"` // no later answer will take its place
	State       yotiface.SessionState    `json:"state"`
	Explanation string                   `json:"explanation"`
	At          time.Time                `json:"at"`            // when Yoti was asked
	Raw         json.RawMessage          `json:"raw,omitempty"` // the session, without white space, where that is asked for
	Conflicts   []Conflict               `json:"conflicts,omitempty"`
}

// A Conflict is a final answer that is not the one which came first. A person has to look at it.
type Conflict struct {
	Outcome     yotiface.ApprovalOutcome `json:"outcome"`
	Explanation string                   `json:"explanation"`
	At          time.Time                `json:"at"`
}

// maxRaw is how long a session's JSON may be to be kept; the documented one has six kilobytes. The engine takes messages
// of up to a megabyte.
const maxRaw = 512 << 10

// newVerdict reads a session. Final is the answer about one that is completed, and about one that never will be. The early
// rejection of a session that is still going on is passed on, but what comes at the end counts.
func newVerdict(session *yotiface.Session, at time.Time, raw bool) Verdict {
	v := Verdict{
		SessionID: session.ID,
		Outcome:   session.FaceSearchOutcome(),
		State:     session.State,
		At:        at.UTC(),
	}
	switch session.State {
	case yotiface.SessionCompleted:
		v.Final = v.Outcome != yotiface.OutcomePending
	case yotiface.SessionExpired:
		v.Final = true
	default: // more may come
	}
	var explanations []string
	for _, search := range session.FamiliarFaceSearches() {
		explanations = append(explanations, search.Explain())
	}
	if len(explanations) == 0 {
		explanations = []string{fmt.Sprintf("There is no face search, and the session is %.40q.", session.State)}
	}
	v.Explanation = strings.Join(explanations, " ")
	if raw && v.Final {
		if v.Raw = session.RawJSON(); len(v.Raw) > maxRaw {
			v.Raw = nil
		}
	}
	return v
}

// merge returns what is known after the answer next, and whether that is anything new. A final answer takes the place of
// one that is not; of two that are not final, the later counts; the first final one stays, and a different one is a
// conflict.
func (v Verdict) merge(next Verdict) (Verdict, bool) {
	switch {
	case !v.Final && next.Final:
		return next, true
	case v.Final && next.Final && v.Outcome != next.Outcome:
		known := func(c Conflict) bool { return c.Outcome == next.Outcome }
		if slices.ContainsFunc(v.Conflicts, known) {
			return v, false
		}
		v.Conflicts = append(slices.Clone(v.Conflicts), Conflict{next.Outcome, next.Explanation, next.At})
		return v, true
	case !v.Final && !next.Final && v.Outcome != next.Outcome && next.At.After(v.At):
		return next, true
	}
	return v, false
}

// Verdict returns what is known about a session; ok is false where nothing is.
func (q *Queue) Verdict(ctx context.Context, sessionID string) (v Verdict, ok bool, err error) {
	v, revision, err := q.read(ctx, key(sessionID))
	return v, revision != 0, err
}

// read returns a verdict and its revision, which is 0 where there is none. A replica may answer that has not heard the
// latest; writing with the revision finds that out.
func (q *Queue) read(ctx context.Context, key string) (v Verdict, revision uint64, err error) {
	entry, err := q.verdicts.Get(ctx, key)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return v, 0, nil
	case err != nil:
		return v, 0, err
	}
	if err := json.Unmarshal(entry.Value(), &v); err != nil {
		return v, 0, fmt.Errorf("the verdict in the bucket cannot be read: %w", err)
	}
	return v, entry.Revision(), nil
}

var errContended = errors.New("too many others write this verdict")

// record makes an answer known, by compare-and-set: whoever else writes at the same time, none is lost. It returns what
// is known then, and whether this answer has changed it.
func (q *Queue) record(ctx context.Context, next Verdict) (known Verdict, changed bool, err error) {
	key := key(next.SessionID)
	for range 20 {
		old, revision, err := q.read(ctx, key)
		if err != nil {
			return Verdict{}, false, err
		}
		now, changed := next, true
		if revision != 0 {
			now, changed = old.merge(next)
		}
		if !changed {
			return now, false, nil
		}
		value, err := json.Marshal(now)
		if err != nil {
			return Verdict{}, false, err
		}
		if err = swap(ctx, q.verdicts, key, value, revision); err == nil {
			return now, true, nil
		}
		if !errors.Is(err, errOvertaken) {
			return Verdict{}, false, err
		}
		if !sleep(ctx, 20*time.Millisecond) {
			return Verdict{}, false, ctx.Err()
		}
	}
	return Verdict{}, false, errContended
}

var errOvertaken = errors.New("somebody else was faster")

// swap writes a key if its revision is still the one that was read, 0 standing for none.
func swap(ctx context.Context, bucket jetstream.KeyValue, key string, value []byte, revision uint64) error {
	var err error
	if revision == 0 {
		_, err = bucket.Create(ctx, key, value)
	} else {
		_, err = bucket.Update(ctx, key, value, revision)
	}
	if errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return errOvertaken
	}
	return err
}

// Verdicts calls do with each verdict that there is.
func (q *Queue) Verdicts(ctx context.Context, do func(Verdict) error) error {
	return each(ctx, q.verdicts, func(entry jetstream.KeyValueEntry) error {
		var v Verdict
		if err := json.Unmarshal(entry.Value(), &v); err != nil {
			return err
		}
		return do(v)
	})
}

// each calls do with each key of a bucket that has a value.
func each(ctx context.Context, bucket jetstream.KeyValue, do func(jetstream.KeyValueEntry) error) error {
	watcher, err := bucket.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return err
	}
	defer watcher.Stop() //nolint:errcheck // it has done its work
	for {
		select {
		case entry, ok := <-watcher.Updates():
			if !ok || entry == nil { // nil: that was the last one
				return nil
			}
			if err := do(entry); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
