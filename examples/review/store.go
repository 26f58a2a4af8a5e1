package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// A store is the file that decisions are kept in, and which sessions there are to review. It holds IDs, names of reviewers
// and their notes, no faces. Only its owner can read it.
type store struct{ db *bbolt.DB }

// A verdict is what a reviewer says about a match.
type verdict string

const (
	verdictConfirmed verdict = "confirmed" // the two faces are of one person
	verdictDismissed verdict = "dismissed" // they are not
	verdictHandled   verdict = "handled"   // there was nothing to compare, and somebody has seen to it
	verdictReopened  verdict = "reopened"  // what was decided does not hold any more
)

// A subject is what a decision is about: a match or, where the applicant is empty, a search without one.
type subject struct{ session, check, pool, applicant string }

// A decision is never changed: a later one takes its place, and both are kept.
type decision struct {
	Verdict verdict   `json:"verdict"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Note    string    `json:"note,omitzero"`
	Saw     string    `json:"saw"` // the outcome that the page showed
}

// A record is a session to review, as it is kept.
type record struct {
	ID    string    `json:"id"`
	From  source    `json:"from"`
	Added time.Time `json:"added"`
}

// source is how a session got here.
type source string

const (
	fromDemo         source = "demo"
	fromNotification source = "notification"
	fromReviewer     source = "reviewer"
)

var (
	bucketDecisions = []byte("decisions") // subject → number → decision
	bucketSessions  = []byte("sessions")  // number → record
	bucketNumbers   = []byte("numbers")   // session ID → number

	// errDecided is a decision made without knowledge of another one, which came first.
	errDecided = errors.New("somebody else has decided in the meantime")
)

func openStore(path string) (*store, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("the database %s is in use by another process", path)
	}
	if err != nil {
		return nil, fmt.Errorf("the database cannot be opened: %w", err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketDecisions, bucketSessions, bucketNumbers} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the database cannot be written: %w", err), db.Close())
	}
	return &store{db}, nil
}

func (s *store) close() error { return s.db.Close() }

// key compares IDs without regard to case, as the library does. No ID has the separator in it.
func (s subject) key() []byte {
	return []byte(strings.ToLower(strings.Join([]string{s.session, s.check, s.pool, s.applicant}, "\x00")))
}

// decide adds a decision to those of a subject. seen is how many of them the reviewer knew: if there are more by now the
// error is errDecided.
func (s *store) decide(about subject, d decision, seen int) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.Bucket(bucketDecisions).CreateBucketIfNotExists(about.key())
		if err != nil {
			return err
		}
		if seen < 0 || b.Sequence() != uint64(seen) {
			return errDecided
		}
		return put(b, d)
	})
}

// history returns the decisions about a subject, the first one first.
func (s *store) history(about subject) (decisions []decision, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		if b := tx.Bucket(bucketDecisions).Bucket(about.key()); b != nil {
			decisions, err = list[decision](b)
		}
		return err
	})
	return decisions, err
}

// current returns what holds for a subject; ok is false if nothing does.
func (s *store) current(about subject) (d decision, ok bool, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketDecisions).Bucket(about.key())
		if b == nil {
			return nil
		}
		_, last := b.Cursor().Last()
		return json.Unmarshal(last, &d)
	})
	return d, err == nil && d.Verdict != "" && d.Verdict != verdictReopened, err
}

// addSession keeps a session to review. One that is there already stays as it is.
func (s *store) addSession(r record) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		numbers, id := tx.Bucket(bucketNumbers), []byte(strings.ToLower(r.ID))
		if numbers.Get(id) != nil {
			return nil
		}
		b := tx.Bucket(bucketSessions)
		if err := put(b, r); err != nil {
			return err
		}
		return numbers.Put(id, number(b.Sequence()))
	})
}

// removeSession forgets that there is a session to review; decisions about it stay.
func (s *store) removeSession(sessionID string) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		numbers, id := tx.Bucket(bucketNumbers), []byte(strings.ToLower(sessionID))
		at := numbers.Get(id)
		if at == nil {
			return nil
		}
		return errors.Join(tx.Bucket(bucketSessions).Delete(at), numbers.Delete(id))
	})
}

// sessions returns the sessions to review, the first one first.
func (s *store) sessions() (records []record, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		records, err = list[record](tx.Bucket(bucketSessions))
		return err
	})
	return records, err
}

// put adds a value under the next number.
func put(b *bbolt.Bucket, v any) error {
	n, err := b.NextSequence()
	if err != nil {
		return err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.Put(number(n), text)
}

// list reads what put has added, in that order.
func list[T any](b *bbolt.Bucket) (values []T, err error) {
	err = b.ForEach(func(_, text []byte) error {
		var v T
		if err := json.Unmarshal(text, &v); err != nil {
			return err
		}
		values = append(values, v)
		return nil
	})
	return values, err
}

// number is a key that sorts as the number does.
func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
