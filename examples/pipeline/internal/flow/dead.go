package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A DeadLetter is a session that cannot be judged, and why. There is one for each such session: the last.
type DeadLetter struct {
	Job
	Reason string    `json:"reason"`
	Detail string    `json:"detail"` // the error; it holds no ID
	Tries  uint64    `json:"tries"`
	At     time.Time `json:"at"`
}

func (q *Queue) bury(ctx context.Context, d DeadLetter) error {
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	_, err = q.js.Publish(ctx, deadSubject+key(d.SessionID), body, jetstream.WithExpectStream(deadStream))
	return err
}

// DeadLetters calls do with each dead letter that there is now, and its number.
func (q *Queue) DeadLetters(ctx context.Context, do func(number uint64, d DeadLetter) error) error {
	stream, err := q.js.Stream(ctx, deadStream)
	if err != nil {
		return err
	}
	state := stream.CachedInfo().State
	for next := max(1, state.FirstSeq); next <= state.LastSeq; {
		msg, err := stream.GetMsg(ctx, next, jetstream.WithGetMsgSubject(deadSubject+">"))
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
			return nil
		case err != nil:
			return err
		case msg.Sequence > state.LastSeq:
			return nil // it has come since
		}
		var d DeadLetter
		if err := json.Unmarshal(msg.Data, &d); err != nil {
			return fmt.Errorf("dead letter %d cannot be read: %w", msg.Sequence, err)
		}
		if err := do(msg.Sequence, d); err != nil {
			return err
		}
		next = msg.Sequence + 1
	}
	return nil
}

// Requeue puts the sessions of all dead letters into the queue again, once what stood in their way is mended, and takes
// the letters away. It returns how many there were.
func (q *Queue) Requeue(ctx context.Context) (n int, err error) {
	stream, err := q.js.Stream(ctx, deadStream)
	if err != nil {
		return 0, err
	}
	err = q.DeadLetters(ctx, func(number uint64, d DeadLetter) error {
		job := Job{SessionID: d.SessionID, Topic: topicRequeue, CheckID: d.CheckID, Round: number}
		if _, err := q.Publish(ctx, job); err != nil {
			return err
		}
		n++
		err := stream.DeleteMsg(ctx, number)
		if _, getErr := stream.GetMsg(ctx, number); errors.Is(getErr, jetstream.ErrMsgNotFound) {
			return nil // it is gone, or it was no use and there is a new letter in its place
		}
		return err
	})
	return n, err
}
