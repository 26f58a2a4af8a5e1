// Command familiarface reads a session, judges its face searches, and saves the faces to compare: captured and matched.
//
// With no account it asks a demo world on this machine:
//
//	go run ./examples/familiarface
//
// With one it asks Yoti, and saves faces only where it is told to:
//
//	export YOTI_CLIENT_SDK_ID=… YOTI_KEY_FILE_PATH=…
//	go run ./examples/familiarface -session ID -out FOLDER
//
// The exit status is 0 for approved, 1 for an error, 2 for rejected, 3 for pending or undetermined. It is that of the built
// program: `go run` turns every one but 0 into 1.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"
	"unicode"

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
	flags := flag.NewFlagSet("familiarface", flag.ContinueOnError)
	flags.SetOutput(stderr)
	sessionID := flags.String("session", "", "`ID` of the session to read")
	asJSON := flags.Bool("json", false, "print JSON")
	out := flags.String("out", "", "`FOLDER` to save the faces to (default: none; in the demo a new temporary one)")
	flags.Usage = func() {
		fmt.Fprintln(stderr, "Usage of familiarface:")
		flags.PrintDefaults()
		fmt.Fprintln(stderr, "\nExit status: 0 approved, 1 error, 2 rejected, 3 pending or undetermined")
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return exitApproved
	} else if err != nil {
		return exitError
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "unexpected argument %q; see -h\n", flags.Arg(0))
		return exitError
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()

	chosen := *sessionID != ""
	client, demo, err := connect(sessionID)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitError
	}
	if demo != nil {
		defer demo.Close()
	}
	var more []yotitest.DemoSession
	if demo != nil && !chosen {
		more = demo.Sessions
	}
	var faces *album
	if demo != nil || *out != "" {
		faces = &album{folder: *out, saved: map[string]int{}}
	}
	report, err := read(ctx, client, *sessionID, faces)
	if report != nil {
		report.Demo = demo != nil
		if printErr := report.print(stdout, *asJSON, more); err == nil {
			err = printErr
		}
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitError
	}
	switch report.Outcome {
	case yotiface.OutcomeApproved:
		return exitApproved
	case yotiface.OutcomeRejected:
		return exitRejected
	default:
		return exitNoAnswer
	}
}

// connect returns a client for Yoti if an account is set, and else one for a demo world. There, no session ID means the
// first session with a face that is approved.
func connect(sessionID *string) (*yotiface.Client, *yotitest.World, error) {
	if os.Getenv("YOTI_CLIENT_SDK_ID") != "" || os.Getenv("YOTI_KEY_FILE_PATH") != "" {
		client, err := yotiface.NewClientFromEnv()
		if err == nil && *sessionID == "" {
			err = errors.New("which session? Name it with -session ID")
		}
		return client, nil, err
	}
	demo := yotitest.Demo()
	if *sessionID == "" {
		*sessionID = demo.Sessions[1].ID
	}
	return demo.Client(), demo, nil
}

// read asks for everything that there is to say about a session, and for its faces if there is an album for them. The
// report is there as soon as the session could be read, also beside an error.
func read(ctx context.Context, client *yotiface.Client, sessionID string, faces *album) (*report, error) {
	session, err := client.GetSession(ctx, sessionID)
	if err != nil {
		return nil, err
	}
	r := &report{
		SessionID: session.ID,
		State:     session.State,
		Outcome:   session.FaceSearchOutcome(),
		Searches:  []search{},
		faceless:  faces == nil,
	}
	for _, f := range session.FamiliarFaceSearches() {
		s := newSearch(session, f)
		if faces != nil {
			err = errors.Join(err, faces.addCaptured(ctx, client, session.ID, s.Captured), faces.addMatched(ctx, client, f, s.Matches))
		}
		r.Searches = append(r.Searches, s)
	}
	return r, err
}

// report is what the program says about a session.
type report struct {
	Demo      bool                     `json:"demo"`
	SessionID string                   `json:"session_id"`
	State     yotiface.SessionState    `json:"state"`
	Outcome   yotiface.ApprovalOutcome `json:"outcome"`
	Searches  []search                 `json:"face_searches"`

	faceless bool // no faces were asked for
}

type search struct {
	CheckID     string                    `json:"check_id"`
	PoolID      string                    `json:"pool_id"`
	PoolLabel   string                    `json:"pool_label"`
	Criterion   yotiface.ApprovalCriteria `json:"approval_criteria"`
	MatchStatus string                    `json:"match_status"`
	Evidence    []string                  `json:"evidence"`
	Outcome     yotiface.ApprovalOutcome  `json:"outcome"`
	Explanation string                    `json:"explanation"`
	Captured    []captured                `json:"captured"`
	Matches     []match                   `json:"matches"`
}

type captured struct {
	MediaID  string `json:"media_id"`
	FaceFile string `json:"face_file"`         // "" if it was not saved
	Missing  string `json:"missing,omitempty"` // why the service has none
}

type match struct {
	ApplicantID string `json:"applicant_id"`
	PoolID      string `json:"pool_id"`
	FaceFile    string `json:"face_file"`         // "" if it was not saved
	Missing     string `json:"missing,omitempty"` // why the service has none
}

func newSearch(session *yotiface.Session, f *yotiface.FamiliarFaceSearch) search {
	s := search{
		CheckID:     f.ID,
		PoolID:      f.Config.PoolID,
		PoolLabel:   f.Config.PoolLabel,
		Criterion:   f.Config.ApprovalCriteria,
		MatchStatus: f.MatchStatus().String(),
		Evidence:    []string{},
		Outcome:     f.ApprovalOutcome(),
		Explanation: f.Explain(),
		Captured:    []captured{},
		Matches:     []match{},
	}
	for _, sub := range f.Report.Breakdown {
		s.Evidence = append(s.Evidence, fmt.Sprintf("%s %s", sub.Name, sub.Result))
	}
	for _, image := range session.CapturedImages(f) {
		s.Captured = append(s.Captured, captured{MediaID: image.ID})
	}
	for _, m := range f.Matches() {
		s.Matches = append(s.Matches, match{ApplicantID: m.ApplicantID, PoolID: m.PoolID})
	}
	return s
}

// print writes the report for people or, as JSON, for machines.
func (r *report) print(w io.Writer, asJSON bool, more []yotitest.DemoSession) error {
	if asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	p := printer{w: w}
	if r.Demo {
		p.line("Demo world: no account is set, so this asks a Yoti in memory, on this machine. Nobody in it exists.")
		p.line("")
	}
	p.field("Session", "%s %s", r.SessionID, r.State)
	for _, s := range r.Searches {
		p.line("")
		p.field("Face search", "%s", s.CheckID)
		p.field("  Pool", "%s %s", s.PoolID, s.PoolLabel)
		p.field("  Criterion", "%s", s.Criterion)
		p.field("  Evidence", "%s", s.MatchStatus)
		for _, e := range s.Evidence {
			p.field("", "%s", e)
		}
		p.field("  Outcome", "%s", s.Outcome)
		p.field("", "%s", s.Explanation)
		for _, c := range s.Captured {
			switch {
			case c.Missing != "":
				p.field("  Captured", "%s", c.Missing)
			case c.FaceFile != "":
				p.field("  Captured", "%s", c.FaceFile)
			}
		}
		for _, m := range s.Matches {
			p.field("  Match", "applicant %s", m.ApplicantID)
			switch {
			case m.Missing != "":
				p.field("", "who has %s", m.Missing)
			case m.FaceFile != "":
				p.field("", "%s", m.FaceFile)
			}
		}
	}
	p.line("")
	p.field("Verdict", "%s", r.Outcome)
	if r.faceless {
		p.line("")
		p.line("No face was fetched: -out FOLDER saves the faces.")
	}
	if len(more) > 0 {
		p.line("")
		p.line("More sessions of the demo world, for -session:")
		for _, s := range more {
			p.line("  " + s.ID + "  " + s.Title)
		}
	}
	return p.err
}

// printer writes aligned lines and remembers the first error. What the service sent cannot steer the terminal.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(text string) {
	if p.err == nil {
		text = strings.Map(func(r rune) rune {
			if unicode.IsPrint(r) {
				return r
			}
			return '�'
		}, text)
		_, p.err = fmt.Fprintln(p.w, text)
	}
}

func (p *printer) field(name, format string, args ...any) {
	p.line(fmt.Sprintf("%-13s", name) + fmt.Sprintf(format, args...))
}
