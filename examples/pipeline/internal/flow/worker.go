package flow

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/time/rate"

	"github.com/yotiface/yotiface"
)

// A Worker takes jobs from the queue and judges their sessions. Any number of them share the queue, in as many processes;
// each can be killed at any moment.
type Worker struct {
	queue    *Queue
	config   Config
	client   *yotiface.Client
	gate     *Gate
	limit    *rate.Limiter
	stats    *Stats
	consumer jetstream.Consumer

	lastRead atomic.Pointer[string] // the session that was read last, for when another is refused
	inVain   atomic.Int64           // how many requests in a row the service has not answered
}

// NewWorker returns a worker. The client should not try again by itself: when to do so is the queue's business, where it
// costs no memory and survives the worker.
func NewWorker(ctx context.Context, q *Queue, client *yotiface.Client, stats *Stats) (*Worker, error) {
	consumer, err := q.js.Consumer(ctx, jobsStream, judges)
	if err != nil {
		return nil, err
	}
	limit := rate.Inf
	if q.config.Rate > 0 {
		limit = rate.Limit(q.config.Rate)
	}
	return &Worker{
		queue: q, config: q.config, client: client, stats: stats, consumer: consumer,
		limit: rate.NewLimiter(limit, 1),
	}, nil
}

// RetryPolicy is what the client of a worker needs.
func RetryPolicy() yotiface.Option {
	return yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxAttempts: 1})
}

// Run works until ctx is done. Then it takes no more jobs, gives back those that it has not begun, and returns when those
// in flight are done, after DrainTime at most: what is not done by then is given back too.
func (w *Worker) Run(ctx context.Context) {
	working, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	w.gate = newGate(working, w.queue, w.stats)
	hands := &hands{free: make(chan struct{}, w.config.Concurrency)}
	for w.gate.wait(ctx) {
		if err := w.take(ctx, working, hands); err != nil {
			w.queue.log.WarnContext(ctx, "no jobs can be taken", "error", err)
			sleep(ctx, time.Second)
		}
	}
	defer time.AfterFunc(w.config.DrainTime, abort).Stop()
	hands.Wait()
}

// hands are the goroutines of a worker, each with a job.
type hands struct {
	sync.WaitGroup
	free chan struct{}
}

// take takes jobs until ctx is done or the gate is shut, as many as there are hands. A few more are on their way in
// advance; these are given back at the end.
func (w *Worker) take(ctx, working context.Context, hands *hands) error {
	open, cancel := w.gate.open(ctx)
	defer cancel()
	jobs, err := w.consumer.Messages(
		jetstream.PullMaxMessages(w.config.Concurrency),
		jetstream.PullExpiry(5*time.Second),
		jetstream.WithMessagesErrOnMissingHeartbeat(false)) // it asks the next node then
	if err != nil {
		return err
	}
	defer jobs.Stop()
	defer context.AfterFunc(open, jobs.Drain)()
	for {
		select {
		case hands.free <- struct{}{}:
		case <-open.Done():
			return w.giveBack(ctx, jobs)
		}
		job, err := jobs.Next()
		if err != nil || open.Err() != nil {
			<-hands.free
			if err == nil {
				w.giveBackOne(ctx, job)
			}
			return errors.Join(ignoreClosed(err), w.giveBack(ctx, jobs))
		}
		hands.Go(func() {
			defer func() { <-hands.free }()
			w.work(working, job)
		})
	}
}

// giveBack returns the jobs that are here and not begun.
func (w *Worker) giveBack(ctx context.Context, jobs jetstream.MessagesContext) error {
	jobs.Drain()
	for {
		job, err := jobs.Next(jetstream.NextMaxWait(2 * time.Second)) // without an engine nothing comes
		if err != nil {
			return ignoreClosed(err)
		}
		w.giveBackOne(ctx, job)
	}
}

func (w *Worker) giveBackOne(ctx context.Context, job jetstream.Msg) {
	w.stats.Returned.Add(1)
	w.settle(ctx, fate{kind: later, delay: max(0, w.gate.left())}, job)
}

func ignoreClosed(err error) error {
	if errors.Is(err, jetstream.ErrMsgIteratorClosed) {
		return nil
	}
	return err
}

// work does one job, and tells the engine from time to time that it is still at it.
func (w *Worker) work(ctx context.Context, msg jetstream.Msg) {
	w.stats.Jobs.Add(1)
	done := make(chan struct{})
	defer close(done)
	go func() {
		beat := time.NewTicker(w.config.AckWait / 3)
		defer beat.Stop()
		for {
			select {
			case <-beat.C:
				_ = msg.InProgress() // if it fails, somebody else takes the job, which does no harm
			case <-done:
				return
			}
		}
	}()
	w.settle(ctx, w.judge(ctx, msg), msg)
}

// settle tells the engine what shall become of a job. If the engine does not hear it, the job comes again.
func (w *Worker) settle(ctx context.Context, f fate, msg jetstream.Msg) {
	var err error
	switch f.kind {
	case later:
		w.stats.Later.Add(1)
		err = msg.NakWithDelay(f.delay)
	case buried:
		err = msg.TermWithReason(f.reason)
	default:
		err = msg.Ack()
	}
	if err != nil {
		w.queue.log.LogAttrs(ctx, slog.LevelWarn, "the engine does not know what became of a job",
			slog.Any("error", err))
	}
}
