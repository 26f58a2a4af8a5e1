// Command enrol takes a folder of images, or those that a CSV names, into a pool for Familiar Face Search. Killed at any
// point and started again, it ends in the same state: nobody is enrolled twice, nobody is forgotten.
//
// With no account it enrols into a demo world on this machine:
//
//	go -C examples/enrol run .
//
// With one it enrols at Yoti:
//
//	export YOTI_CLIENT_SDK_ID=… YOTI_KEY_FILE_PATH=…
//	go -C examples/enrol run . -from /path/to/faces -pool ID -report /path/to/report.csv
//
// How it works: main.go reads the flags, source.go the images, journal.go and record.go keep what was done, enrol.go decides
// what is left to do, and steps.go does it.
//
// The exit status is 0 if every image is enrolled, 1 after an error or if an image could not be dealt with, 2 if images were
// refused and all others are enrolled, and 3 if the run was interrupted before the end.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/yotiface/yotiface"
)

const (
	exitEnrolled = iota
	exitError
	exitRefused
	exitInterrupted
)

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(run(signals, os.Args[1:], os.Stdout, os.Stderr))
}

// settings are what the flags say.
type settings struct {
	from, pool, label, journal, report string

	concurrency, tries       int
	backoff, timeout, settle time.Duration
	dryRun, retryRefused     bool
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("enrol", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.from, "from", "", "a `folder` of images, or a CSV with the columns file and, if you like, reference")
	flags.StringVar(&s.pool, "pool", "", "the `ID` of the pool")
	flags.StringVar(&s.label, "create-pool", "", "create a pool with this `label`, or go on with the one that was created")
	flags.StringVar(&s.journal, "journal", "", "the `file` that remembers what was done (default: beside the source, with .journal added)")
	flags.StringVar(&s.report, "report", "", "write what became of every image to this `file`, as CSV or, if it ends in .json, as JSON")
	flags.IntVar(&s.concurrency, "concurrency", 4, "how many images are on their way at the same time")
	flags.BoolVar(&s.dryRun, "dry-run", false, "check everything that can be checked, and send nothing")
	flags.BoolVar(&s.retryRefused, "retry-refused", false, "try images again that the service has refused before")
	flags.IntVar(&s.tries, "tries", 5, "how many requests for an image may fail before it is left for the next run")
	flags.DurationVar(&s.backoff, "backoff", 500*time.Millisecond, "how long to wait after a failure; it doubles each time, up to 30s")
	flags.DurationVar(&s.timeout, "timeout", 30*time.Second, "how long a request may take")
	flags.DurationVar(&s.settle, "settle", 3*time.Second, "how long a request may still be on its way after its run has died")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("what is %q? The source is named with -from", flags.Arg(0))
	case s.pool != "" && s.label != "":
		return s, errors.New("-pool and -create-pool exclude each other")
	case s.pool != "" && !plausibleID.MatchString(s.pool):
		return s, errors.New("-pool is not the ID of a pool")
	case s.concurrency < 1 || s.concurrency > 64:
		return s, errors.New("-concurrency has to be between 1 and 64")
	case s.tries < 1 || s.backoff <= 0 || s.timeout <= 0 || s.settle < 0:
		return s, errors.New("-tries, -backoff and -timeout have to be more than nothing, -settle no less")
	}
	return s, nil
}

// plausibleID is what an ID can be, in the opinion of package yotiface.
var plausibleID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

func run(signals <-chan os.Signal, args []string, stdout, stderr io.Writer) (exit int) {
	s, err := parse(args, io.Discard)
	if errors.Is(err, flag.ErrHelp) {
		_, _ = parse(args, stderr) // prints the help
		return exitEnrolled
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitError
	}
	account, err := connect(&s, stdout)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitError
	}
	defer account.close()
	return execute(signals, s, account, stdout, stderr)
}

// execute does what the settings say, and tells how it went.
func execute(signals <-chan os.Signal, s settings, account *account, stdout, stderr io.Writer) (exit int) {
	r, err := enrol(signals, s, account, stderr)
	interrupted := errors.Is(err, errInterrupted)
	if r != nil {
		r.print(stdout)
		if s.report != "" {
			writeErr := r.write(s.report)
			err, interrupted = errors.Join(err, writeErr), interrupted && writeErr == nil
		}
	}
	if err != nil {
		fmt.Fprintln(stderr, reasonOf(err))
	}
	switch {
	case interrupted:
		return exitInterrupted
	case err != nil:
		return exitError
	case r.Counts[statusFailed] > 0:
		return exitError
	case r.Counts[statusRefused] > 0:
		return exitRefused
	}
	return exitEnrolled
}

var errInterrupted = errors.New("interrupted; start it again to go on")

// enrol does the work. The report is there as soon as the source has been read, also beside an error.
func enrol(signals <-chan os.Signal, s settings, account *account, stderr io.Writer) (r *report, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stopping, stop := context.WithCancelCause(ctx)
	go func() {
		for {
			select {
			case <-signals:
			case <-ctx.Done():
				return
			}
			if stopping.Err() != nil {
				cancel() // the second signal: the journal makes up for what is cut off
				return
			}
			fmt.Fprintln(stderr, "Finishing what is in flight. Once more ends it at once.")
			stop(errInterrupted)
		}
	}()

	if _, err := os.Stat(filepath.Dir(s.report)); s.report != "" && err != nil {
		return nil, fmt.Errorf("the report could not be written: %w", err)
	}
	source, err := openSource(s.from, s.journal, s.journal+".lock", s.report)
	if err != nil {
		return nil, err
	}
	defer source.close()
	journal, err := open(s, line{SDKID: account.sdkID, Pool: s.pool, Label: s.label})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, journal.close()) }()
	if err := source.check(stopping); err != nil {
		return nil, err
	}

	e := &enroller{
		settings: s, client: account.client, journal: journal, source: source, began: time.Now(),
		stopping: stopping, stop: stop, progress: newProgress(stderr), outcomes: map[string]outcome{},
	}
	if s.dryRun {
		e.rehearse()
	} else if err = e.createPool(ctx); err == nil {
		e.run(ctx)
	}
	r = newReport(source.images, e.outcomes)
	r.Pool, r.DryRun, r.Doubtful = journal.pool, s.dryRun, journal.doubtfulApplicants()
	if cause := context.Cause(stopping); err == nil && cause != nil && (!errors.Is(cause, errInterrupted) || r.Counts[statusOpen] > 0) {
		err = cause
	}
	return r, err
}

func open(s settings, header line) (*journal, error) {
	if s.dryRun {
		return peekJournal(s.journal, header)
	}
	return openJournal(s.journal, header)
}

// beside is where the journal of a source is by default.
func beside(from string) (string, error) {
	path, err := filepath.Abs(from)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	return path + ".journal", err
}

// An account is what images are enrolled with.
type account struct {
	client *yotiface.Client
	sdkID  string
	close  func()
}
