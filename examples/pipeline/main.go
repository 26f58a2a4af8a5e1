// Command pipeline turns notifications into verdicts, at any rate, with NATS JetStream between the two.
//
//	go run .                                  a demo: everything in one process, against a Yoti in memory
//	go run . -nats URL -role receiver|worker|sweep    one part of it; start as many as you like
//
// With an account (YOTI_CLIENT_SDK_ID, YOTI_KEY_FILE_PATH) and the credentials that notifications carry
// (YOTI_NOTIFICATION_AUTH: "username:password", or "Bearer token") it asks Yoti, until it is told to stop.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/examples/pipeline/internal/engine"
	"github.com/yotiface/yotiface/examples/pipeline/internal/flow"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

type settings struct {
	flow.Config
	role, nats, listen, store string
	attemptTimeout            time.Duration
	verbose                   bool
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err == nil {
		level := slog.LevelInfo
		if s.verbose {
			level = slog.LevelDebug
		}
		log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})).With("role", s.role)
		if s.role == roleAll && os.Getenv("YOTI_CLIENT_SDK_ID") == "" && os.Getenv("YOTI_KEY_FILE_PATH") == "" {
			err = s.demo(ctx, stdout, log)
		} else {
			err = s.serve(ctx, stdout, log)
		}
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

const (
	roleAll      = "all"
	roleReceiver = "receiver"
	roleWorker   = "worker"
	roleSweep    = "sweep"
	roleRequeue  = "requeue"
)

func parse(args []string, stderr io.Writer) (settings, error) {
	s := settings{Config: flow.Defaults}
	flags := flag.NewFlagSet("pipeline", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.role, "role", roleAll, "`part` to be: all, receiver, worker, sweep; or requeue, which puts the dead letters back and ends")
	flags.StringVar(&s.nats, "nats", "", "`URL`s of the engine's nodes, with commas between them (default: a node inside this process)")
	flags.StringVar(&s.listen, "listen", "127.0.0.1:8080", "`address` for notifications; put TLS before it")
	flags.StringVar(&s.store, "store", "", "`folder` of the node inside this process (default pipeline-data; for the demo a temporary one)")
	flags.BoolVar(&s.verbose, "v", false, "log each job that has to be tried again")

	flags.IntVar(&s.Replicas, "replicas", s.Replicas, "`copies` of everything in the engine: 3 in a cluster")
	flags.IntVar(&s.Concurrency, "concurrency", s.Concurrency, "requests of a worker at the same time")
	flags.IntVar(&s.MaxAckPending, "max-ack-pending", s.MaxAckPending, "jobs that all workers may have, with those that wait to be tried again")
	flags.DurationVar(&s.AckWait, "ack-wait", s.AckWait, "silence after which a worker's jobs go to others")
	flags.IntVar(&s.MaxDeliveries, "max-deliveries", s.MaxDeliveries, "tries after which a job is a dead letter")
	flags.DurationVar(&s.Backoff, "backoff", s.Backoff, "wait before the second try; doubled for each further one")
	flags.DurationVar(&s.MaxBackoff, "max-backoff", s.MaxBackoff, "longest wait before another try")
	flags.DurationVar(&s.CheckDelay, "check-delay", s.CheckDelay, "wait before a session is asked for because a check of it is done")
	flags.IntVar(&s.PendingTries, "pending-tries", s.PendingTries, "tries after which a pending session is left to the sweep")
	flags.DurationVar(&s.ConfirmAfter, "confirm-after", s.ConfirmAfter, "wait before a hopeless session is asked for again, to be sure")
	flags.DurationVar(&s.RatePause, "rate-pause", s.RatePause, "pause of all workers after a 429 that names no time")
	flags.DurationVar(&s.RefusedPause, "refused-pause", s.RefusedPause, "pause of all workers while the application is refused")
	flags.DurationVar(&s.MaxPause, "max-pause", s.MaxPause, "longest pause, whatever the service asks for")
	flags.Float64Var(&s.Rate, "rate", s.Rate, "requests a `second` for one worker (default: no limit)")
	flags.DurationVar(&s.SweepEvery, "sweep-every", s.SweepEvery, "time between two sweeps")
	flags.DurationVar(&s.SweepAfter, "sweep-after", s.SweepAfter, "age at which a session without a verdict is asked for")
	flags.DurationVar(&s.Keep, "keep", s.Keep, "how long verdicts and dead letters are kept")
	flags.DurationVar(&s.DrainTime, "drain", s.DrainTime, "time for what is in flight when the process is told to stop")
	flags.DurationVar(&s.attemptTimeout, "attempt-timeout", 30*time.Second, "longest time for one request to Yoti")
	flags.BoolVar(&s.Raw, "raw", s.Raw, "keep the session's JSON with its verdict")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("what is %q? There are only flags", flags.Arg(0))
	}
	return s, s.check()
}

func (s *settings) check() error {
	switch s.role {
	case roleAll, roleReceiver, roleWorker, roleSweep, roleRequeue:
	default:
		return fmt.Errorf("there is no role %q", s.role)
	}
	if s.nats == "" && s.role != roleAll {
		return errors.New("where is the engine? Name it with -nats URL")
	}
	return s.Check()
}

// serve is the program with an account.
func (s *settings) serve(ctx context.Context, stdout io.Writer, log *slog.Logger) error {
	nc, closeEngine, err := s.connect(log)
	if err != nil {
		return err
	}
	defer closeEngine()
	queue, err := flow.Open(ctx, nc, s.Config, log)
	if err != nil {
		return err
	}
	if s.role == roleRequeue {
		n, err := queue.Requeue(ctx)
		fmt.Fprintf(stdout, "%d sessions are in the queue again\n", n)
		return err
	}
	p := parts{settings: s, queue: queue, log: log, stats: new(flow.Stats)}
	if s.role == roleAll || s.role == roleReceiver {
		if p.auth, err = notificationAuth(os.Getenv("YOTI_NOTIFICATION_AUTH")); err != nil {
			return err
		}
	}
	if s.role == roleAll || s.role == roleWorker {
		if p.client, err = yotiface.NewClientFromEnv(flow.RetryPolicy(), yotiface.WithAttemptTimeout(s.attemptTimeout)); err != nil {
			return err
		}
	}
	return p.run(ctx)
}

// connect connects to the engine, or starts one in this process.
func (s *settings) connect(log *slog.Logger) (*nats.Conn, func(), error) {
	if s.nats != "" {
		nc, err := engine.Connect(s.nats, "pipeline "+s.role, log)
		if err != nil {
			return nil, nil, err
		}
		return nc, func() { hangUp(nc) }, nil
	}
	node, err := engine.Node{Name: "pipeline", Dir: cmp.Or(s.store, "pipeline-data"), SyncAlways: true}.Start()
	if err != nil {
		return nil, nil, err
	}
	nc, err := engine.Connect("", "pipeline", log, nats.InProcessServer(node))
	if err != nil {
		node.Shutdown()
		return nil, nil, err
	}
	return nc, func() {
		hangUp(nc)
		node.Shutdown()
		node.WaitForShutdown()
	}, nil
}

// hangUp sends what is still to be sent, such as acknowledgements.
func hangUp(nc *nats.Conn) {
	_ = nc.FlushTimeout(hangUpTime) // what does not get through comes again
	nc.Close()
}

// notificationAuth reads the credentials that notifications carry.
func notificationAuth(text string) (yotiface.NotificationAuth, error) {
	if token, ok := strings.CutPrefix(text, "Bearer "); ok && token != "" {
		return yotiface.BearerToken(token), nil
	}
	username, password, _ := strings.Cut(text, ":")
	if username == "" {
		return yotiface.NotificationAuth{}, errors.New(`YOTI_NOTIFICATION_AUTH is not set; it holds "username:password" or "Bearer token"`)
	}
	return yotiface.BasicAuth(username, password), nil
}
