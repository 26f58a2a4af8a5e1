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
	"cmp"
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
	"unicode/utf8"

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

const usage = `familiarface reads a Yoti session, judges its face searches, and saves the faces to compare.
Without YOTI_CLIENT_SDK_ID and YOTI_KEY_FILE_PATH it plays in a demo world on this machine.

Usage of familiarface:
`

const statuses = `
Exit status: 0 approved, 1 error, 2 rejected, 3 pending or undetermined
"go run" turns 2 and 3 into 1.
`

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("familiarface", flag.ContinueOnError)
	flags.SetOutput(stderr)
	sessionID := flags.String("session", "", "`ID` of the session to read")
	asJSON := flags.Bool("json", false, "print JSON")
	out := flags.String("out", "", "`FOLDER` to save the faces to, with none in it yet (default: no folder; in the demo a new temporary one)")
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
		fmt.Fprint(stderr, statuses)
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
	faces := &album{folder: *out, saved: map[string]int{}}
	if err := faces.checkEmpty(); err != nil {
		fmt.Fprintln(stderr, err)
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
	if demo == nil && *out == "" {
		faces = nil
	}
	report, err := read(ctx, client, *sessionID, faces)
	if report != nil {
		report.Demo = demo != nil
		if printErr := report.print(stdout, *asJSON, more); err == nil {
			err = printErr
		}
	} else if demo != nil && (errors.Is(err, yotiface.ErrNotFound) || errors.Is(err, yotiface.ErrInvalidArgument)) {
		err = fmt.Errorf("%w; run without -session for the list of the demo's sessions", err)
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
		SessionID:      session.ID,
		UserTrackingID: session.UserTrackingID,
		State:          session.State,
		Outcome:        session.FaceSearchOutcome(),
		Searches:       []search{},
		faceless:       faces == nil,
	}
	for _, f := range session.FamiliarFaceSearches() {
		s := newSearch(session, f)
		if faces != nil {
			err = errors.Join(err, faces.addCaptured(ctx, client, session.ID, s.Captured), faces.addMatched(ctx, client, s.Matches))
		}
		r.Searches = append(r.Searches, s)
	}
	r.Explanation = r.explain()
	return r, err
}

// explain says why the verdict is none that a search gives: "" where one does, which has its own explanation.
func (r *report) explain() string {
	state := fmt.Sprintf("the session is %s", cmp.Or(r.State, "in no state"))
	if len(r.Searches) == 0 {
		return "no face search: " + state
	}
	for _, s := range r.Searches {
		if s.Outcome == r.Outcome {
			return ""
		}
	}
	return state
}

// report is what the program says about a session.
type report struct {
	Demo           bool                     `json:"demo"`
	SessionID      string                   `json:"session_id"`
	UserTrackingID string                   `json:"user_tracking_id"`
	State          yotiface.SessionState    `json:"state"`
	Outcome        yotiface.ApprovalOutcome `json:"outcome"`
	Explanation    string                   `json:"explanation,omitempty"` // where no search explains the outcome
	Searches       []search                 `json:"face_searches"`

	faceless bool // no faces were asked for
}

type search struct {
	CheckID        string                       `json:"check_id"`
	PoolID         string                       `json:"pool_id"`
	PoolLabel      string                       `json:"pool_label"`
	Criterion      yotiface.ApprovalCriteria    `json:"approval_criteria"`
	Recommendation yotiface.RecommendationValue `json:"recommendation"` // Yoti's own; "" if there is none yet
	Reason         string                       `json:"reason"`         // of the recommendation
	MatchStatus    string                       `json:"match_status"`
	Evidence       []string                     `json:"evidence"`
	Outcome        yotiface.ApprovalOutcome     `json:"outcome"`
	Explanation    string                       `json:"explanation"`
	Captured       []captured                   `json:"captured"`
	Matches        []match                      `json:"matches"`
}

// yotiSays is Yoti's recommendation in words.
func (s *search) yotiSays() string {
	switch {
	case s.Recommendation == "":
		return "nothing yet"
	case s.Reason == "":
		return string(s.Recommendation)
	default:
		return fmt.Sprintf("%s because of %s", s.Recommendation, s.Reason)
	}
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
		CheckID:        f.ID,
		PoolID:         f.Config.PoolID,
		PoolLabel:      f.Config.PoolLabel,
		Criterion:      f.Config.ApprovalCriteria,
		Recommendation: f.Report.Recommendation.Value,
		Reason:         f.Report.Recommendation.Reason,
		MatchStatus:    f.MatchStatus().String(),
		Evidence:       []string{},
		Outcome:        f.ApprovalOutcome(),
		Explanation:    f.Explain(),
		Captured:       []captured{},
		Matches:        []match{},
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
	if r.UserTrackingID != "" {
		p.field("Tracking ID", "%s", r.UserTrackingID)
	}
	for _, s := range r.Searches {
		p.line("")
		p.field("Face search", "%s", s.CheckID)
		p.field("  Pool", "%s %s", s.PoolID, s.PoolLabel)
		p.field("  Criterion", "%s", s.Criterion)
		p.field("  Yoti says", "%s", s.yotiSays())
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
				p.file("  Captured", c.FaceFile)
			}
		}
		for _, m := range s.Matches {
			p.field("  Match", "applicant %s", m.ApplicantID)
			switch {
			case m.Missing != "":
				p.field("", "%s", m.Missing)
			case m.FaceFile != "":
				p.file("", m.FaceFile)
			}
		}
	}
	p.line("")
	p.field("Verdict", "%s", r.Outcome)
	if r.Explanation != "" {
		p.field("", "%s", r.Explanation)
	}
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

// The columns that a name takes, and that a line may take.
const (
	nameColumns = 13
	lineColumns = 100
)

// field writes a value beside its name, and what is too long for the line below it.
func (p *printer) field(name, format string, args ...any) {
	for _, part := range wrap(fmt.Sprintf(format, args...), lineColumns-nameColumns) {
		p.line(fmt.Sprintf("%-*s", nameColumns, name) + part)
		name = ""
	}
}

// file is field for a path, which stays in one piece for whoever copies it.
func (p *printer) file(name, path string) {
	p.line(fmt.Sprintf("%-*s", nameColumns, name) + path)
}

// wrap breaks text at spaces into lines of a width, which only a single word can exceed.
func wrap(text string, width int) []string {
	words := strings.Split(text, " ")
	lines := []string{words[0]}
	for _, word := range words[1:] {
		last := &lines[len(lines)-1]
		if utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(word) <= width {
			*last += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}
