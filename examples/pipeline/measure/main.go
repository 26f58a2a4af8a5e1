// Command measure tells how fast the pipeline is on this machine, and what it spends its time on.
//
//	go run ./measure
//
// The engine, Yoti, the receiver and each worker are processes of their own, so that the processor time of each can be
// told. The rate is from the first verdict to the last.
package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/yotiface/yotiface/examples/pipeline/internal/flow"
	"github.com/yotiface/yotiface/examples/pipeline/internal/rig"
	"github.com/yotiface/yotiface/yotitest"
)

func main() {
	if status, ok := rig.Main(); ok {
		os.Exit(status)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	switch rig.Role() {
	case roleWorker:
		return work(ctx, os.Args[1])
	case roleReceiver:
		return receive(ctx, os.Args[1])
	}
	sessions := flag.Int("sessions", 4000, "how many for each row, less where they are large")
	flag.Parse()

	signature, err := bareSignature()
	if err != nil {
		return err
	}
	document, err := documented(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%s, %d cores\n\n", runtime.Version(), runtime.NumCPU())
	fmt.Printf("a bare RSA-2048 signature   %s of processor time\n\n", signature.Round(time.Microsecond))
	fmt.Println("workers  nodes  payload     sessions/s  CPU of a session: workers  engine   of the workers' time, signing  kept")
	row := func(r round) error {
		r.sessions = min(*sessions, max(100, (200<<20)/len(r.document)))
		result, err := r.run(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("%7d  %5d  %7s%-4s  %10.0f  %22s  %8s  %26.0f %%  %5d B\n",
			r.workers, r.nodes, size(len(r.document)), map[bool]string{true: " kept"}[r.raw], result.rate,
			result.workers.Round(time.Microsecond), result.engine.Round(time.Microsecond),
			100*float64(signature)*result.asked/float64(result.workers), result.kept)
		return nil
	}
	for _, r := range []round{
		{workers: 1, nodes: 1, document: document},
		{workers: 2, nodes: 1, document: document},
		{workers: 4, nodes: 1, document: document},
		{workers: 8, nodes: 1, document: document},
		{workers: 2, nodes: 3, document: document},
		{workers: 2, nodes: 1, document: []byte(`{"session_id":"SESSION","state":"COMPLETED"}`)},
		{workers: 2, nodes: 1, document: document, raw: true},
		{workers: 2, nodes: 1, document: larger(document, 10)},
		{workers: 2, nodes: 1, document: larger(document, 100)},
	} {
		if err := row(r); err != nil {
			return err
		}
	}
	fmt.Println("\n(kept: bytes of a verdict on each node)\n\nreceiver: nodes  notifications/s  CPU of one: receiver  engine")
	for _, nodes := range []int{1, 3} {
		result, err := notifications(ctx, nodes, *sessions)
		if err != nil {
			return err
		}
		fmt.Printf("%15d  %15.0f  %20s  %6s\n", nodes, result.rate,
			result.workers.Round(time.Microsecond), result.engine.Round(time.Microsecond))
	}
	return nil
}

// bareSignature returns the processor time of one signature, and no more than that.
func bareSignature() (time.Duration, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return 0, err
	}
	hash := sha256.Sum256([]byte("GET&/sessions/…"))
	const n = 2000
	began := processorTime()
	for range n {
		if _, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, hash[:]); err != nil {
			return 0, err
		}
	}
	return (processorTime() - began) / n, nil
}

// processorTime is what this process has used so far.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// documented returns the session of Yoti's documentation, with SESSION for an ID.
func documented(ctx context.Context) ([]byte, error) {
	demo := yotitest.Demo()
	defer demo.Close()
	id := demo.Sessions[0].ID
	session, err := demo.Client().GetSession(ctx, id)
	if err != nil {
		return nil, err
	}
	return []byte(strings.Replace(string(session.RawJSON()), id, "SESSION", 1)), nil
}

// larger returns a session with n copies of itself in it, as a session with many resources would be.
func larger(document []byte, n int) []byte {
	copies := strings.TrimSuffix(strings.Repeat(strings.Replace(string(document), "SESSION", "copy", 1)+",", n-1), ",")
	return []byte(strings.TrimSuffix(strings.TrimSpace(string(document)), "}") + `,"copies":[` + copies + "]}")
}

func size(n int) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%d KB", n/1000)
}

func config(nodes int) flow.Config {
	c := flow.Defaults
	c.Replicas = nodes
	return c
}
