package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/yotiface/yotiface"
)

// How many images may fail one after the other before a run gives up: while nobody has been enrolled yet, and later.
const (
	maxFailuresAtFirst = 3
	maxFailuresInARow  = 10
)

// An enroller takes the images of a source into a pool, each through the steps of the journal.
type enroller struct {
	settings
	client  *yotiface.Client
	journal *journal
	source  *source
	began   time.Time

	// stopping is done once nothing new shall be begun, and its cause says why. What is in flight is finished.
	stopping context.Context
	stop     context.CancelCauseFunc

	progress progress

	mu       sync.Mutex
	outcomes map[string]outcome // by hash
	failures int                // in a row
}

// A task is one image on its way, under whatever names the source has it.
type task struct {
	hash  string
	image *image // nil: an earlier run has begun it, and it is not in the source any more

	again    bool      // it was refused and shall be tried again
	failures int       // of requests, in this run
	missing  int       // how often its applicant was not found
	doubt    bool      // a request may have done something that nobody has seen the answer to
	quiet    time.Time // when every such request has arrived, or never will
	face     bool      // the applicant has the face
	pooled   bool      // the applicant is in the pool
}

// plan decides what needs no request, and returns the rest: new images first, then what earlier runs have left half-way, so
// that whatever those have sent last has arrived by then.
func (e *enroller) plan() []*task {
	var begun, fresh []*task
	seen := map[string]bool{}
	for _, img := range e.source.images {
		if img.refused != "" || img.failed != "" {
			e.progress.done(newReportLine(img, img.outcome(nil)))
			continue
		}
		if seen[img.hash] {
			continue
		}
		seen[img.hash] = true
		r := e.journal.image(img.hash)
		t := &task{hash: img.hash, image: img, again: e.retryRefused}
		switch {
		case r.step == stepEnrolled:
			e.decided(t, outcome{statusAlready, "", r.applicant})
		case r.step == stepRefused && !e.retryRefused:
			e.decided(t, outcome{statusRefused, r.reason, ""})
		case r.unfinished():
			begun = append(begun, t)
		default:
			fresh = append(fresh, t)
		}
	}
	for _, hash := range e.journal.unfinished() {
		if !seen[hash] {
			begun = append(begun, &task{hash: hash})
		}
	}
	for _, t := range begun {
		t.doubt, t.quiet = true, e.began.Add(e.settle)
	}
	return append(fresh, begun...)
}

// run enrols what the plan leaves to do, some at a time, until all is done or the run is stopped. Before the first success
// it is one at a time: a pool or an account that does not exist is found out with one face, and not with many.
func (e *enroller) run(ctx context.Context) {
	tasks := e.plan()
	e.progress.start(len(tasks))
	defer e.progress.end()
	for proven := e.journal.proven(); !proven && len(tasks) > 0 && e.stopping.Err() == nil; tasks = tasks[1:] {
		e.decided(tasks[0], e.enrol(ctx, tasks[0]))
		proven = e.journal.proven()
	}
	queue := make(chan *task)
	var workers sync.WaitGroup
	for range min(e.concurrency, len(tasks)) {
		workers.Go(func() {
			for t := range queue {
				e.decided(t, e.enrol(ctx, t))
			}
		})
	}
	for _, t := range tasks {
		if e.stopping.Err() != nil {
			break
		}
		select {
		case <-e.stopping.Done():
		case queue <- t:
		}
	}
	close(queue)
	workers.Wait()
}

// rehearse tells what a run would do.
func (e *enroller) rehearse() {
	for _, t := range e.plan() {
		reason := "would be enrolled"
		if r := e.journal.image(t.hash); t.image == nil {
			reason = errNoImage.Error()
		} else if r.unfinished() {
			reason = "would be finished"
		}
		e.decided(t, outcome{status: statusOpen, reason: reason})
	}
}

// decided notes what became of an image.
func (e *enroller) decided(t *task, o outcome) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.outcomes[t.hash] = o
	if o.status == statusEnrolled || o.status == statusRefused {
		e.failures = 0
	}
	img := t.image
	if img == nil {
		img = &image{hash: t.hash}
	}
	e.progress.done(newReportLine(img, o))
}

// enrol takes an image from step to step until it is done with. Where it stands is read from the journal each time, so it
// makes no difference whether this run has got it there or an earlier one.
func (e *enroller) enrol(ctx context.Context, t *task) outcome {
	for {
		r := e.journal.image(t.hash)
		var err error
		switch r.step {
		case stepEnrolled:
			return outcome{statusEnrolled, "", r.applicant}
		case stepCreated:
			err = e.complete(ctx, t, r.applicant)
		case stepRefusing:
			err = e.withdraw(ctx, t, r.applicant)
		case stepRefused:
			if !t.again {
				return outcome{statusRefused, r.reason, ""}
			}
			t.again = false
			err = e.create(ctx, t)
		default:
			err = e.create(ctx, t)
		}
		if err != nil {
			return e.outcomeOf(err, r)
		}
	}
}

// outcomeOf is what becomes of an image that could not be finished.
func (e *enroller) outcomeOf(err error, r record) outcome {
	if errors.Is(err, errStopped) {
		return outcome{statusOpen, err.Error(), r.applicant}
	}
	if endsTheRun(err) {
		e.stop(err)
	} else if _, local := errors.AsType[unreadable](err); !local {
		e.countFailure(err)
	}
	return outcome{statusFailed, reasonOf(err), r.applicant}
}

// countFailure ends the run if nothing seems to work any more.
func (e *enroller) countFailure(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	limit := maxFailuresInARow
	if !e.journal.proven() {
		limit = maxFailuresAtFirst
	}
	if e.failures++; e.failures >= limit {
		e.stop(fmt.Errorf("%d images in a row have failed, the last one with: %s", e.failures, reasonOf(err)))
	}
}

// reasonOf is the text of an error, which holds no IDs.
func reasonOf(err error) string { return strings.TrimPrefix(err.Error(), "yotiface: ") }

// createPool creates the pool of the run, unless the journal has it.
func (e *enroller) createPool(ctx context.Context) error {
	if e.journal.pool != "" {
		return nil
	}
	pool, err := e.client.CreatePool(ctx, e.journal.header.Label)
	if err != nil {
		return fmt.Errorf("the pool could not be created, or its ID is not known: %w", err)
	}
	return e.journal.append(line{Step: stepPool, Pool: pool.ID})
}

var errStopped = errors.New("the run was stopped before it was finished")

// A fatalError is one that every other image would meet too.
type fatalError struct{ error }

func (e fatalError) Unwrap() error { return e.error }

func endsTheRun(err error) bool {
	_, fatal := errors.AsType[fatalError](err)
	return fatal || slices.ContainsFunc([]error{yotiface.ErrUnauthorized, yotiface.ErrForbidden}, func(target error) bool {
		return errors.Is(err, target)
	})
}
