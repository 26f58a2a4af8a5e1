package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/examples/pipeline/internal/flow"
)

const hangUpTime = 2 * time.Second

// parts are the parts of the pipeline that run in this process.
type parts struct {
	*settings
	queue  *flow.Queue
	client *yotiface.Client
	auth   yotiface.NotificationAuth
	log    *slog.Logger
	stats  *flow.Stats
}

// run runs them until ctx is done, and then until what is in flight is finished or given back.
func (p *parts) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var running sync.WaitGroup
	var failed error
	if p.role == roleAll || p.role == roleReceiver {
		listener, err := net.Listen("tcp", p.listen)
		if err != nil {
			return err
		}
		running.Go(func() {
			failed = p.receive(ctx, listener)
			stop()
		})
	}
	if p.role == roleAll || p.role == roleWorker {
		worker, err := flow.NewWorker(ctx, p.queue, p.client, p.stats)
		if err != nil {
			return err
		}
		running.Go(func() { worker.Run(ctx) })
	}
	if p.role == roleAll || p.role == roleSweep {
		running.Go(func() { p.queue.Sweep(ctx, p.stats) })
	}
	p.log.InfoContext(ctx, "running")
	go p.tell(ctx)
	<-ctx.Done()
	began := time.Now()
	p.log.InfoContext(ctx, "stopping")
	running.Wait()
	p.log.InfoContext(ctx, "stopped", "after", time.Since(began).Round(time.Millisecond), "counts", p.stats)
	return failed
}

// tell logs the counts once a minute.
func (p *parts) tell(ctx context.Context) {
	every := time.NewTicker(time.Minute)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			p.log.InfoContext(ctx, "so far", "counts", p.stats)
		case <-ctx.Done():
			return
		}
	}
}

// receive serves notifications until ctx is done.
func (p *parts) receive(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler:           p.queue.Receiver(p.auth, p.stats),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(p.log.Handler(), slog.LevelWarn),
	}
	p.log.InfoContext(ctx, "receiving notifications", "address", listener.Addr().String())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.DrainTime)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	return err
}
