package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/yotiface/yotiface"
)

// A receiver works off notifications. A notification proves nothing and may come twice or out of order, so only its
// session ID is used: the session is read, and its verdict is final once the session is.
//
// It keeps what it knows in memory. A program that must not forget keeps it in a database, and polls now and then for
// sessions that it was not told about.
type receiver struct {
	client *yotiface.Client
	log    *slog.Logger
	queue  chan string // session IDs

	mu    sync.Mutex
	final map[string]yotiface.ApprovalOutcome
}

func newReceiver(client *yotiface.Client, log *slog.Logger) *receiver {
	return &receiver{
		client: client,
		log:    log,
		queue:  make(chan string, 1000),
		final:  map[string]yotiface.ApprovalOutcome{},
	}
}

var errBusy = errors.New("the queue is full")

// take is quick, so that Yoti is not kept waiting. Its error makes the answer a 500, so that Yoti may come again; so would a
// panic, which nobody would hear of.
func (r *receiver) take(ctx context.Context, n yotiface.Notification) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
		if err != nil {
			r.log.ErrorContext(ctx, "notification not taken", "topic", n.Topic, "error", err)
		}
	}()
	select {
	case r.queue <- n.SessionID:
		return nil
	default:
		return errBusy
	}
}

// close lets work end once the queue is empty. Nothing may be taken any more.
func (r *receiver) close() { close(r.queue) }

// work works off the queue, a few sessions at a time.
func (r *receiver) work(ctx context.Context) {
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for sessionID := range r.queue {
				r.judge(ctx, sessionID)
			}
		})
	}
	workers.Wait()
}

// judge reads a session and logs its verdict, once it is final. The log holds session IDs, without which nobody could act on
// it: keep it as you keep the records of your customers.
func (r *receiver) judge(ctx context.Context, sessionID string) {
	if _, known := r.verdict(sessionID); known {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	session, err := r.client.GetSession(ctx, sessionID)
	if err != nil {
		r.log.ErrorContext(ctx, "session not read", "session", sessionID, "error", err)
		return
	}
	if session.State == yotiface.SessionOngoing {
		r.log.InfoContext(ctx, "session goes on", "session", sessionID)
		return // there will be another notification
	}
	outcome := session.FaceSearchOutcome()
	if !r.keep(sessionID, outcome) {
		return // another worker was faster
	}
	r.log.InfoContext(ctx, "verdict", "session", sessionID, "outcome", outcome)
	for _, search := range session.FamiliarFaceSearches() {
		r.log.InfoContext(ctx, "face search", "session", sessionID, "explanation", search.Explain())
	}
}

// verdict returns what was concluded of a session.
func (r *receiver) verdict(sessionID string) (outcome yotiface.ApprovalOutcome, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	outcome, known = r.final[sessionID]
	return outcome, known
}

// keep remembers a verdict, if there is none yet.
func (r *receiver) keep(sessionID string, outcome yotiface.ApprovalOutcome) (kept bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.final[sessionID]; known {
		return false
	}
	r.final[sessionID] = outcome
	return true
}
