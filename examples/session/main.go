// Command session creates a session with a Familiar Face Search, prints where to send the user, waits, and judges.
//
// With no account it does so in a Yoti in memory, where a user finishes after a moment:
//
//	go run ./examples/session
//
// With one, name the pool and what to approve:
//
//	export YOTI_CLIENT_SDK_ID=… YOTI_KEY_FILE_PATH=…
//	go run ./examples/session -pool ID -criteria NO_MATCH
//
// The exit status is 0 for approved, 1 for an error, 2 for rejected, 3 for undetermined or expired. It is that of the built
// program: `go run` turns every one but 0 into 1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/getyoti/yoti-go-sdk/v3/docscan/session/create"
	"github.com/getyoti/yoti-go-sdk/v3/docscan/session/create/check"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

const (
	exitApproved = iota
	exitError
	exitRejected
	exitNoAnswer
)

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("session", flag.ContinueOnError)
	flags.SetOutput(stderr)
	poolID := flags.String("pool", "", "`ID` of the pool to search")
	criteria := flags.String("criteria", string(yotiface.CriteriaNoMatch), "what to approve: MATCH or NO_MATCH")
	interval := flags.Duration("interval", 5*time.Second, "how often to ask")
	timeout := flags.Duration("timeout", 15*time.Minute, "how long to wait for the user")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return exitApproved
	} else if err != nil {
		return exitError
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "unexpected argument %q; see -h\n", flags.Arg(0))
		return exitError
	}
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()

	client, demo, err := connect(ctx, poolID, interval)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitError
	}
	if demo != nil {
		defer demo.close()
		fmt.Fprintln(stdout, "Demo: no account is set, so this is a Yoti in memory, and the user a drawing who finishes by itself.")
	}
	outcome, err := verify(ctx, client, stdout, demo, *poolID, yotiface.ApprovalCriteria(*criteria), *interval)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitError
	}
	switch outcome {
	case yotiface.OutcomeApproved:
		return exitApproved
	case yotiface.OutcomeRejected:
		return exitRejected
	default:
		return exitNoAnswer
	}
}

// verify takes one user through a session.
func verify(ctx context.Context, client *yotiface.Client, stdout io.Writer, demo *demo, poolID string, criteria yotiface.ApprovalCriteria, interval time.Duration) (yotiface.ApprovalOutcome, error) {
	specification, err := specify(poolID, criteria)
	if err != nil {
		return yotiface.OutcomeUndetermined, err
	}
	created, err := client.CreateSession(ctx, specification)
	if err != nil {
		return yotiface.OutcomeUndetermined, err
	}
	fmt.Fprintf(stdout, "\nSend the user, and nobody else, to\n  %s\nwithin %d seconds.\n",
		created.ClientURL(), created.ClientSessionTokenTTL)
	if demo != nil {
		fmt.Fprintln(stdout, "Nobody can in this demo: there is no page at that address, and in a second it is gone.")
		demo.userFinishes(created.SessionID) //nolint:contextcheck // there is none to take
	}

	fmt.Fprintln(stdout)
	session, err := client.WaitForSession(ctx, created.SessionID, interval)
	if err != nil {
		return yotiface.OutcomeUndetermined, err
	}
	for _, search := range session.FamiliarFaceSearches() {
		fmt.Fprintln(stdout, search.Explain())
		fmt.Fprintf(stdout, "To compare: %d captured, %d matched.\n",
			len(session.CapturedImages(search)), len(search.Matches()))
	}
	outcome := session.FaceSearchOutcome()
	fmt.Fprintf(stdout, "The session is %s: %s\n", session.State, outcome)
	return outcome, nil
}

// specify builds the session with the official builders. The search is made on the image of the liveness check.
func specify(poolID string, criteria yotiface.ApprovalCriteria) (*create.SessionSpecification, error) {
	search, err := yotiface.NewFamiliarFaceSearchCheck(poolID, criteria)
	if err != nil {
		return nil, err
	}
	liveness, err := check.NewRequestedLivenessCheckBuilder().ForStaticLiveness().WithMaxRetries(3).Build()
	if err != nil {
		return nil, err
	}
	return create.NewSessionSpecificationBuilder().
		WithClientSessionTokenTTL(900).
		WithResourcesTTL(7 * 24 * 60 * 60).
		WithUserTrackingID("examples/session"). // a reference of yours, not a name
		WithRequestedCheck(liveness).
		WithRequestedCheck(search).
		Build()
}

// connect returns a client for Yoti if an account is set, and else one for a demo with a pool of its own.
func connect(ctx context.Context, poolID *string, interval *time.Duration) (*yotiface.Client, *demo, error) {
	if os.Getenv("YOTI_CLIENT_SDK_ID") != "" || os.Getenv("YOTI_KEY_FILE_PATH") != "" {
		client, err := yotiface.NewClientFromEnv()
		if err == nil && *poolID == "" {
			err = errors.New("which pool? Name it with -pool ID")
		}
		return client, nil, err
	}
	d, err := newDemo(ctx)
	if err != nil {
		return nil, nil, err
	}
	*interval = min(*interval, 200*time.Millisecond) // nobody waits long for a drawing
	if *poolID == "" {
		*poolID = d.poolID
	}
	return d.client, d, nil
}

// demo is a service with a pool of one excluded player, and a user who is somebody else.
type demo struct {
	server *yotitest.Server
	client *yotiface.Client
	poolID string
}

func newDemo(ctx context.Context) (*demo, error) {
	d := &demo{server: yotitest.NewServer()}
	d.client = d.server.Client()
	pool, err := d.client.CreatePool(ctx, "self-excluded")
	if err == nil {
		d.poolID = pool.ID
		err = d.client.AddApplicantToPool(ctx, pool.ID, d.server.PutApplicant(yotitest.DrawFace(1)))
	}
	if err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *demo) userFinishes(sessionID string) {
	go func() {
		time.Sleep(500 * time.Millisecond)
		d.server.CompleteSession(sessionID, yotitest.NoMatch(), yotitest.WithCapture(yotitest.DrawCapture(2)))
	}()
}

func (d *demo) close() { d.server.Close() }
