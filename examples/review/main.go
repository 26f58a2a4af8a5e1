// Command review is a page on which a person compares the faces that a Familiar Face Search found alike, before anybody
// is turned away or let in on it.
//
// With no account it shows a demo world on this machine, and says so:
//
//	go -C examples/review run .
//
// With one it shows real sessions, and decisions are kept in a file that has to be named:
//
//	export YOTI_CLIENT_SDK_ID=… YOTI_KEY_FILE_PATH=…
//	go -C examples/review run . -db decisions.db
//
// # Where sessions come from
//
// A reviewer can ask for a session by its ID. More conveniently, Yoti notifies POST /notifications of each session that
// was created with this address and these credentials, which are read from the environment:
//
//	REVIEW_NOTIFICATION_TOKEN                              auth_type BEARER
//	REVIEW_NOTIFICATION_USER, REVIEW_NOTIFICATION_PASSWORD auth_type BASIC
//
// # Who can see it
//
// The page listens on the loopback address. For others it needs a proxy that speaks https, the name under which it is
// reached (-origin), and an access token that reviewers have to know: REVIEW_ACCESS_TOKEN or, without it, one that is
// printed at the start. There are no accounts: reviewers say who they are, and are believed. From outside of the house
// the proxy should let nothing through but /notifications.
//
// Forms of other sites decide nothing: browsers send the cookie only from this site (SameSite=Strict), net/http's
// CrossOriginProtection refuses what Sec-Fetch-Site or Origin says comes from elsewhere, and no other name in Host is
// answered. A client that sends neither of the two headers is no browser and passes, if it has the cookie.
//
// Faces go through this program to the browser and are kept nowhere. The database holds the IDs of sessions and
// applicants, decisions, notes and the reviewers' names; only its owner can read it. Decisions stay in that file, also
// when a session is taken off the list: to export them is left to you.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/yotiface/yotiface"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "review:", err)
		os.Exit(1)
	}
}

// settings are what the program is started with.
type settings struct {
	address       address
	database      string
	token         string // that reviewers have to know; "" for none
	newToken      bool   // nobody knows it yet
	demo          bool
	notifications yotiface.NotificationAuth
	notified      bool
	verbose       bool
}

func readSettings(args []string, getenv func(string) string, stderr io.Writer) (settings, error) {
	flags := flag.NewFlagSet("review", flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("addr", "127.0.0.1:8080", "`address` to listen on; port 0 takes a free one")
	origin := flags.String("origin", "", "how browsers reach the page if not directly, such as https://review.example.com")
	database := flags.String("db", "", "`file` that decisions are kept in (default in the demo: a temporary one)")
	verbose := flags.Bool("v", false, "log every request, without anything that it was about")
	if err := flags.Parse(args); err != nil {
		return settings{}, err
	}
	if flags.NArg() > 0 {
		return settings{}, fmt.Errorf("what is %q? There are only flags; see -help", flags.Arg(0))
	}
	addr, err := newAddress(*listen, *origin)
	if err != nil {
		return settings{}, err
	}
	s := settings{
		address: addr, database: *database, verbose: *verbose, token: getenv("REVIEW_ACCESS_TOKEN"),
		demo: getenv("YOTI_CLIENT_SDK_ID") == "" && getenv("YOTI_KEY_FILE_PATH") == "",
	}
	const shortest = 16
	switch {
	case s.token != "" && len(s.token) < shortest:
		return settings{}, fmt.Errorf("REVIEW_ACCESS_TOKEN is too short: use at least %d characters, at random", shortest)
	case s.token == "" && (!addr.loopback || addr.secure):
		s.token, s.newToken = rand.Text(), true
	}
	if !s.demo && s.database == "" {
		return settings{}, errors.New("where should decisions be kept? Name a file with -db")
	}
	user, password := getenv("REVIEW_NOTIFICATION_USER"), getenv("REVIEW_NOTIFICATION_PASSWORD")
	switch bearer := getenv("REVIEW_NOTIFICATION_TOKEN"); {
	case bearer != "":
		s.notifications, s.notified = yotiface.BearerToken(bearer), true
	case user != "" && password != "":
		s.notifications, s.notified = yotiface.BasicAuth(user, password), true
	case user != "" || password != "":
		return settings{}, errors.New("set both REVIEW_NOTIFICATION_USER and REVIEW_NOTIFICATION_PASSWORD, or neither")
	}
	return s, nil
}

// run serves the page until the context is done.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) (err error) {
	s, err := readSettings(args, getenv, stderr)
	if err != nil {
		return err
	}
	level := slog.LevelWarn
	if s.verbose {
		level = slog.LevelInfo
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))

	var world *demo
	var client *yotiface.Client
	if s.demo {
		world = newDemo()
		defer world.close()
		client = world.client
	} else if client, err = yotiface.NewClientFromEnv(yotiface.WithAttemptTimeout(attemptTime)); err != nil {
		return err
	}

	kept, remove, err := openKept(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kept.close()); remove() }()

	var listening net.ListenConfig
	listener, err := listening.Listen(ctx, "tcp", s.address.listen)
	if err != nil {
		return fmt.Errorf("%w (another address can be named with -addr)", err)
	}
	a, err := s.newApp(client, kept, world, log, listener.Addr())
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	s.greet(stdout, listener.Addr())
	return a.serve(ctx, listener, s.address.hosts(port))
}

// attemptTime is how long one attempt to ask Yoti may take: there is a person waiting.
const attemptTime = 8 * time.Second

func openKept(s settings) (kept *store, remove func(), err error) {
	if s.database == "" {
		return temporaryStore()
	}
	kept, err = openStore(s.database)
	return kept, func() {}, err
}

// newApp puts the page together.
func (s settings) newApp(client *yotiface.Client, kept *store, world *demo, log *slog.Logger, listening net.Addr) (*app, error) {
	var titles map[string]string
	if world != nil {
		titles = world.titles()
	}
	desk, err := newDesk(client, kept, log, titles)
	if err != nil {
		return nil, err
	}
	a := newApp(client, kept, desk, newDoor(s.token, s.address.secure), log)
	a.notifications, a.notified = s.notifications, s.notified
	if world == nil {
		return a, nil
	}
	a.demo = world
	a.notifications, a.notified = yotiface.BearerToken(world.token), true
	if s.address.loopback {
		world.endpoint = "http://" + listening.String() + "/notifications"
	}
	for _, session := range world.world.Sessions {
		if _, err := desk.add(session.ID, fromDemo); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// greet says where the page is, and what has to be known about it.
func (s settings) greet(w io.Writer, listening net.Addr) {
	fmt.Fprintf(w, "Review faces at %s\n", s.address.url(listening))
	if s.demo {
		fmt.Fprintln(w, "Demo world: no account is set, so this asks a Yoti in memory, on this machine. Nobody in it exists.")
	}
	if !s.address.loopback {
		fmt.Fprintln(w, "Warning: this listens on the network, and speaks plain http. Let nobody reach it but the proxy that speaks https for it.")
	}
	if s.newToken {
		fmt.Fprintf(w, "Access token for reviewers, until the program ends: %s\n", s.token)
	}
}

// serve answers until the context is done, and then ends what is under way.
func (a *app) serve(ctx context.Context, listener net.Listener, hosts map[string]bool) error {
	server := &http.Server{
		Handler:           a.handler(hosts),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      patience + 35*time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var background sync.WaitGroup
	defer background.Wait()
	background.Go(func() { a.desk.run(ctx) })

	ended := make(chan error, 1)
	background.Go(func() { ended <- server.Serve(listener) })
	select {
	case err := <-ended:
		cancel()
		return err
	case <-ctx.Done():
	}
	grace, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer stop()
	if err := server.Shutdown(grace); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}
