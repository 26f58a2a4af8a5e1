package flow

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A Gate is shut while no worker may ask Yoti for anything. All workers share it: one that is told to slow down writes
// until when into a key of the engine, and the others watch that key.
type Gate struct {
	queue *Queue
	stats *Stats

	mu      sync.Mutex
	until   time.Time
	changed chan struct{} // closed when until is moved
}

const pauseKey = "pause-until"

// A pause is the value of the key. Its time is that of the clock of whoever wrote it: the workers' clocks should agree to
// within a second, as they have to anyway for Yoti to accept their signatures.
type pause struct {
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
}

// newGate returns a gate that follows the key until ctx is done. It knows of a pause that has begun already.
func newGate(ctx context.Context, q *Queue, stats *Stats) *Gate {
	g := &Gate{queue: q, stats: stats, changed: make(chan struct{})}
	if p, _, err := g.read(ctx); err == nil {
		g.shut(p.Until)
	}
	go func() {
		for ctx.Err() == nil {
			if err := g.follow(ctx); err != nil && ctx.Err() == nil {
				q.log.WarnContext(ctx, "the gate cannot be watched", "error", err)
			}
			sleep(ctx, time.Second)
		}
	}()
	return g
}

func (g *Gate) follow(ctx context.Context) error {
	watcher, err := g.queue.control.Watch(ctx, pauseKey)
	if err != nil {
		return err
	}
	defer watcher.Stop() //nolint:errcheck // it has done its work
	for {
		select {
		case entry, ok := <-watcher.Updates():
			if !ok {
				return nil
			}
			var p pause
			if entry != nil && json.Unmarshal(entry.Value(), &p) == nil {
				g.shut(p.Until)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// shut moves the end of the pause, and never back.
func (g *Gate) shut(until time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until.After(g.until) {
		g.until = until
		close(g.changed)
		g.changed = make(chan struct{})
	}
}

// left returns how long the pause still lasts; 0 or less where there is none.
func (g *Gate) left() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Until(g.until)
}

// wait returns when there is no pause, or false when ctx is done. Not all workers wake up at the same moment.
func (g *Gate) wait(ctx context.Context) bool {
	for {
		left := g.left()
		if left <= 0 {
			return ctx.Err() == nil
		}
		if !sleepFor(ctx, left+rand.N(min(left/10, 2*time.Second)+1)) { //nolint:gosec // G404: jitter is no secret
			return false
		}
	}
}

// open returns a context that ends with ctx, and when the gate is shut.
func (g *Gate) open(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	g.mu.Lock()
	changed, until := g.changed, g.until
	g.mu.Unlock()
	if time.Now().Before(until) {
		cancel()
		return ctx, cancel
	}
	go func() {
		select {
		case <-changed:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// Pause makes all workers pause for d from now on, by compare-and-set: of two pauses the one that ends later holds.
func (g *Gate) Pause(ctx context.Context, d time.Duration, reason string) {
	d = min(d, g.queue.config.MaxPause)
	until := time.Now().Add(d).UTC()
	g.shut(until) // this worker stops whatever the engine says
	if err := g.write(ctx, pause{until, reason}); err != nil {
		g.queue.log.ErrorContext(ctx, "the other workers do not know of a pause", "error", err)
		return
	}
	g.stats.Pauses.Add(1)
	g.queue.log.LogAttrs(ctx, slog.LevelWarn, "all workers pause", slog.Duration("for", d), slog.String("reason", reason))
}

func (g *Gate) write(ctx context.Context, p pause) error {
	value, err := json.Marshal(p)
	if err != nil {
		return err
	}
	for range 20 {
		old, revision, err := g.read(ctx)
		if err != nil {
			return err
		}
		if !p.Until.After(old.Until) {
			return nil
		}
		if err = swap(ctx, g.queue.control, pauseKey, value, revision); !errors.Is(err, errOvertaken) {
			return err
		}
		if !sleep(ctx, 20*time.Millisecond) {
			return ctx.Err()
		}
	}
	return errContended
}

// read returns the pause in the key and its revision, which is 0 where there has never been one.
func (g *Gate) read(ctx context.Context) (p pause, revision uint64, err error) {
	entry, err := g.queue.control.Get(ctx, pauseKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return p, 0, nil
	}
	if err != nil {
		return p, 0, err
	}
	return p, entry.Revision(), json.Unmarshal(entry.Value(), &p)
}
