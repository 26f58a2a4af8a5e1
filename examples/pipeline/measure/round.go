package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/yotiface/yotiface/examples/pipeline/internal/engine"
	"github.com/yotiface/yotiface/examples/pipeline/internal/flow"
	"github.com/yotiface/yotiface/examples/pipeline/internal/rig"
)

const (
	callers   = 16
	roundTime = 5 * time.Minute
)

// round is one measurement: sessions that are in Yoti and in the queue already, and workers that judge them.
type round struct {
	workers, nodes, sessions int
	document                 []byte
	raw                      bool
}

// result is what came of it; the times are of the processor, for one session or notification.
type result struct {
	rate            float64
	workers, engine time.Duration
	asked           float64 // requests for one session
	kept            uint64  // bytes of one verdict in the bucket, on one node
}

func (r round) run(ctx context.Context) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, roundTime)
	defer cancel()
	b, err := newBench(ctx, r.nodes)
	if err != nil {
		return result{}, err
	}
	defer b.close()
	yoti, world, err := rig.StartYoti(os.Stderr)
	if err != nil {
		return result{}, err
	}
	defer yoti.Stop() //nolint:errcheck // it has done its work
	var before, after rig.Report
	err = errors.Join(
		yoti.Tell(rig.Command{Do: "fill", Session: "s", Times: r.sessions, JSON: r.document}),
		yoti.Tell(rig.Command{Do: "report"}), yoti.Hear(&before),
		b.publish(ctx, r.sessions))
	if err != nil {
		return result{}, err
	}
	env, err := world.Env(b.folder)
	if err != nil {
		return result{}, err
	}
	env = append(env, fmt.Sprintf("%s=%d", nodesVariable, r.nodes), fmt.Sprintf("%s=%t", rawVariable, r.raw))
	var workers []*rig.Process
	defer func() {
		for _, p := range workers {
			p.Kill()
		}
	}()
	for range r.workers {
		p, err := rig.Start(roleWorker, os.Stderr, env, b.cluster.URLs())
		if err != nil {
			return result{}, err
		}
		workers = append(workers, p)
	}
	took, err := b.verdicts(ctx, r.sessions)
	if err != nil {
		return result{}, err
	}
	var res result
	for _, p := range workers {
		if err := errors.Join(p.Terminate(), p.Wait(20*time.Second)); err != nil {
			return result{}, err
		}
		res.workers += p.CPU()
	}
	if err := errors.Join(yoti.Tell(rig.Command{Do: "report"}), yoti.Hear(&after)); err != nil {
		return result{}, err
	}
	n := r.sessions
	res.rate = float64(n-1) / took.Seconds()
	res.workers /= time.Duration(n)
	res.asked = float64(after.Requests-before.Requests) / float64(n)
	if res.kept, err = b.kept(ctx); err != nil {
		return result{}, err
	}
	res.kept /= uint64(n) //nolint:gosec // G115: it is positive
	res.engine, err = b.engineTime(n)
	return res, err
}

// bench is an engine and the queue on it.
type bench struct {
	folder  string
	cluster *rig.Cluster
	nc      *nats.Conn
	queue   *flow.Queue
}

func newBench(ctx context.Context, nodes int) (b *bench, err error) {
	b = &bench{}
	if b.folder, err = os.MkdirTemp("", "measure"); err != nil {
		return nil, err
	}
	if b.cluster, err = rig.StartCluster(nodes, b.folder, os.Stderr); err == nil {
		b.nc, b.queue, err = open(ctx, b.cluster.URLs(), config(nodes))
	}
	if err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func open(ctx context.Context, urls string, config flow.Config) (*nats.Conn, *flow.Queue, error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	nc, err := engine.Connect(urls, "measure", log)
	if err != nil {
		return nil, nil, err
	}
	queue, err := flow.Open(ctx, nc, config, log)
	return nc, queue, err
}

func (b *bench) close() {
	if b.nc != nil {
		b.nc.Close()
	}
	if b.cluster != nil {
		_ = b.cluster.Stop()
	}
	_ = os.RemoveAll(b.folder)
}

// publish puts n jobs into the queue.
func (b *bench) publish(ctx context.Context, n int) error {
	return parallel(n, func(i int) error {
		_, err := b.queue.Publish(ctx, flow.Job{SessionID: fmt.Sprint("s", i), Topic: "session_completion"})
		return err
	})
}

// verdicts waits for n final verdicts and returns the time between the first and the last, as the engine has noted it.
func (b *bench) verdicts(ctx context.Context, n int) (time.Duration, error) {
	js, err := jetstream.New(b.nc)
	if err != nil {
		return 0, err
	}
	bucket, err := js.KeyValue(ctx, "verdicts")
	if err != nil {
		return 0, err
	}
	watcher, err := bucket.WatchAll(ctx, jetstream.MetaOnly())
	if err != nil {
		return 0, err
	}
	defer watcher.Stop() //nolint:errcheck // it has done its work
	var first, last time.Time
	for seen := 0; seen < n; {
		select {
		case entry, ok := <-watcher.Updates():
			switch {
			case !ok:
				return 0, errors.New("the bucket cannot be watched any more")
			case entry == nil:
				continue // all that was there before
			}
			if last = entry.Created(); seen == 0 {
				first = last
			}
			seen++
		case <-ctx.Done():
			return 0, fmt.Errorf("no more than %d of %d verdicts: %w", seen, n, ctx.Err())
		}
	}
	return last.Sub(first), nil
}

// kept returns how many bytes the verdicts take.
func (b *bench) kept(ctx context.Context) (uint64, error) {
	js, err := jetstream.New(b.nc)
	if err != nil {
		return 0, err
	}
	bucket, err := js.KeyValue(ctx, "verdicts")
	if err != nil {
		return 0, err
	}
	status, err := bucket.Status(ctx)
	if err != nil {
		return 0, err
	}
	return status.Bytes(), nil
}

// engineTime stops the nodes and returns their processor time for one of n.
func (b *bench) engineTime(n int) (sum time.Duration, err error) {
	err = b.cluster.Stop()
	for _, p := range b.cluster.Nodes {
		sum += p.CPU()
	}
	return sum / time.Duration(n), err
}

// notifications sends n notifications over 16 connections to a receiver.
func notifications(ctx context.Context, nodes, n int) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, roundTime)
	defer cancel()
	b, err := newBench(ctx, nodes)
	if err != nil {
		return result{}, err
	}
	defer b.close()
	receiver, err := rig.Start(roleReceiver, os.Stderr, []string{fmt.Sprintf("%s=%d", nodesVariable, nodes)}, b.cluster.URLs())
	if err != nil {
		return result{}, err
	}
	defer receiver.Kill()
	var endpoint string
	if err := receiver.Hear(&endpoint); err != nil {
		return result{}, err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers}}
	began := time.Now()
	err = parallel(n, func(i int) error {
		body := fmt.Sprintf(`{"session_id":"s%d","topic":"session_completion"}`, i)
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := client.Do(r)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("a notification was answered with %s", resp.Status)
		}
		return err
	})
	took := time.Since(began)
	if err = errors.Join(err, receiver.Terminate(), receiver.Wait(20*time.Second)); err != nil {
		return result{}, err
	}
	res := result{rate: float64(n) / took.Seconds(), workers: receiver.CPU() / time.Duration(n)}
	res.engine, err = b.engineTime(n)
	return res, err
}

// parallel calls do for 0 to n-1.
func parallel(n int, do func(int) error) error {
	var next atomic.Int64
	var all sync.WaitGroup
	errs := make([]error, callers)
	for c := range callers {
		all.Go(func() {
			for errs[c] == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				errs[c] = do(i)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
