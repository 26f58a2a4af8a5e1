// The fallback roots are those of the service that the program starts: see newClients.
//go:debug x509usefallbackroots=1

// Command bench measures what the library costs, beside the official client and beside the least that any client has to do.
//
//	go -C bench run .
//
// It takes some minutes, prints what it measured and writes it to docs/benchmarks.md. With -quick it takes seconds, the
// numbers mean little, and nothing is written; -only runs some sections, -cpuprofile all but the last one, and both write nothing either.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/pprof"
	"strings"
	"time"
)

var (
	serving = flag.Bool("serve", false, "be the service (used by the program itself)")
	quick   = flag.Bool("quick", false, "a few calls of everything, to see that it works")
	only    = flag.String("only", "", "the sections to run, such as session,faces; without it all")
	rounds  = flag.Int("rounds", 15, "how often each subject is measured, in turn with the others")
	output  = flag.String("o", "../docs/benchmarks.md", "where to write")
	profile = flag.String("cpuprofile", "", "where to write a CPU profile, labelled by subject")
)

func main() {
	flag.Parse()
	if *serving {
		exit(serve())
	}
	exit(run())
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run() error {
	if *profile != "" {
		file, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	e := fullEffort(*rounds)
	if *quick {
		e = quickEffort()
	}
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(*only, ",") {
		wanted[name] = true
	}
	r, err := measureAll(e, func(name string) bool {
		if name == "profile" && *profile != "" {
			return false // it takes profiles of its own, and there can be one at a time
		}
		return *only == "" || wanted[name]
	})
	if err != nil {
		return err
	}
	text := r.markdown()
	fmt.Print(text)
	if *quick || *only != "" || *profile != "" {
		return nil
	}
	return os.WriteFile(*output, []byte(text), 0o644) //nolint:gosec // documentation
}

// An effort is how much is measured.
type effort struct {
	rounds  int
	divisor int   // of the number of calls
	callers []int // that call at the same time
	judged  int   // the callers for whom there are targets
	images  []int // sizes in bytes
	matches []int
	checks  []int

	profiling time.Duration // of a call
}

func fullEffort(rounds int) effort {
	return effort{
		rounds: rounds, divisor: 1,
		callers: []int{1, 8, 64, 256}, judged: 64,
		images:  []int{50_000, 500_000, 5_000_000, 30_000_000},
		matches: []int{1, 4, 16},
		checks:  []int{10, 100, 1_000, 10_000},

		profiling: 5 * time.Second,
	}
}

func quickEffort() effort {
	return effort{
		rounds: 2, divisor: 50,
		callers: []int{1, 8}, judged: 8,
		images:  []int{50_000, 5_000_000},
		matches: []int{1, 4},
		checks:  []int{10, 1_000},

		profiling: 500 * time.Millisecond,
	}
}

// calls is how many calls make one sample.
func (e effort) calls(full int) int { return max(1, full/e.divisor) }

// The sections, in the order of the document.
var sections = []struct {
	name    string
	measure func(*bench) error
}{
	{"session", (*bench).session},
	{"callers", (*bench).callers},
	{"faces", (*bench).faces},
	{"flow", (*bench).flow},
	{"verdict", (*bench).verdict},
	{"growth", (*bench).growth},
	{"enrol", (*bench).enrol},
	{"profile", (*bench).shares},
}

// bench is what the sections share.
type bench struct {
	effort
	service *service
	clients *clients
	report  *report
}

// measureAll runs the sections that are wanted.
func measureAll(e effort, wanted func(name string) bool) (_ *report, err error) {
	b := &bench{effort: e, report: newReport(e)}
	if b.service, err = startService(); err != nil {
		return nil, err
	}
	defer func() {
		if stopErr := b.service.stop(); err == nil {
			err = stopErr
		}
	}()
	if b.clients, err = newClients(b.service.world); err != nil {
		return nil, err
	}
	for _, s := range sections {
		if !wanted(s.name) {
			continue
		}
		fmt.Fprintln(os.Stderr, "measuring:", s.name)
		if err := s.measure(b); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return b.report, nil
}
