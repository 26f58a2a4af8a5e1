// Command webhook receives Yoti's notifications, reads the sessions that they name, and logs the verdicts.
//
// With no account it plays with itself: a Yoti in memory has users finish, and notifies it, each time twice.
//
//	go run ./examples/webhook
//
// With one it serves until it is told to stop. Put it behind a proxy with TLS, and create sessions with its address as the
// endpoint and the token as a bearer token:
//
//	export YOTI_CLIENT_SDK_ID=… YOTI_KEY_FILE_PATH=… YOTI_NOTIFICATION_TOKEN=…
//	go run ./examples/webhook -addr 127.0.0.1:8080
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/yotiface/yotiface"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("webhook", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:0", "`address` to listen on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q; see -h", flags.Arg(0))
	}
	log := slog.New(slog.NewTextHandler(stdout, nil))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *addr)
	if err != nil {
		return err
	}
	if os.Getenv("YOTI_CLIENT_SDK_ID") == "" && os.Getenv("YOTI_KEY_FILE_PATH") == "" {
		return runDemo(ctx, listener, log)
	}
	client, err := yotiface.NewClientFromEnv()
	if err != nil {
		return err
	}
	token := os.Getenv("YOTI_NOTIFICATION_TOKEN")
	if token == "" {
		return errors.New("YOTI_NOTIFICATION_TOKEN is not set; it is the auth_token that sessions are created with")
	}
	return serve(ctx, listener, newReceiver(client, log), yotiface.BearerToken(token), log)
}

// serve answers notifications until the context is done. Then it takes no new ones, and returns when those that were taken
// are done, or after a while.
func serve(ctx context.Context, listener net.Listener, r *receiver, auth yotiface.NotificationAuth, log *slog.Logger) error {
	working := make(chan struct{})
	go func() {
		defer close(working)
		r.work(context.WithoutCancel(ctx)) // what was taken is finished
	}()
	mux := http.NewServeMux()
	mux.Handle("/notifications", yotiface.NewNotificationHandler(auth, r.take))
	server := &http.Server{
		Handler:           logRefusals(mux, log),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		log.InfoContext(ctx, "stopping")
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		err := server.Shutdown(patience) // no notification is taken any more
		r.close()
		select {
		case <-working:
		case <-patience.Done():
			err = errors.Join(err, errors.New("stopped with notifications that were not worked off"))
		}
		stopped <- err
	}()
	log.InfoContext(ctx, "listening", "address", listener.Addr().String())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// logRefusals logs the requests that are refused: a wrong token, say, would otherwise show nowhere on this side. Anybody can
// send one, so nothing is logged of what it holds, not even its method. A 500 is no refusal: take has logged why.
func logRefusals(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &answer{ResponseWriter: w}
		next.ServeHTTP(answer, r)
		if answer.status/100 == 4 {
			log.WarnContext(r.Context(), "request refused", "status", answer.status)
		}
	})
}

// answer remembers the status that was answered.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap lets the handler hang up after a refusal, through an http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
