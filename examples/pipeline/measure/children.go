package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/examples/pipeline/internal/flow"
)

const (
	roleWorker   = "worker"
	roleReceiver = "receiver"

	// rawVariable and nodesVariable tell a child what it cannot know.
	rawVariable   = "MEASURE_RAW"
	nodesVariable = "MEASURE_NODES"

	token = "token" // of notifications
)

// childConfig is that of a process that measure has started.
func childConfig() flow.Config {
	var nodes int
	_, _ = fmt.Sscan(os.Getenv(nodesVariable), &nodes)
	c := config(nodes)
	c.Raw = os.Getenv(rawVariable) == "true"
	return c
}

// work is a worker process.
func work(ctx context.Context, urls string) error {
	nc, queue, err := open(ctx, urls, childConfig())
	if err != nil {
		return err
	}
	defer nc.Close()
	client, err := yotiface.NewClientFromEnv(flow.RetryPolicy())
	if err != nil {
		return err
	}
	worker, err := flow.NewWorker(ctx, queue, client, new(flow.Stats))
	if err != nil {
		return err
	}
	worker.Run(ctx)
	return nc.FlushTimeout(time.Second)
}

// receive is a receiver process. It writes where it listens.
func receive(ctx context.Context, urls string) error {
	nc, queue, err := open(ctx, urls, childConfig())
	if err != nil {
		return err
	}
	defer nc.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("%q\n", "http://"+listener.Addr().String())
	server := &http.Server{
		Handler:     queue.Receiver(yotiface.BearerToken(token), new(flow.Stats)),
		ReadTimeout: 10 * time.Second,
	}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
