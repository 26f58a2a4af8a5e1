package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/yotiface/yotiface"
)

// report is the document.
type report struct {
	effort   effort
	load     string // of the machine, before
	sections []*section
	targets  []target
}

// section is a table, and what it takes to read it.
type section struct {
	title, text string
	head        []string
	rows        [][]string
	notes       []string
}

// target is what should be reached.
type target struct {
	what     string
	got      spread
	relation string
	limit    float64
}

func newReport(e effort) *report { return &report{effort: e, load: loadAverage()} }

func (r *report) section(title, text string) *section {
	s := &section{title: title, text: text}
	r.sections = append(r.sections, s)
	return s
}

func (s *section) row(cells ...string) { s.rows = append(s.rows, cells) }

func (s *section) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

func (r *report) target(what string, got spread, relation string, limit float64) {
	r.targets = append(r.targets, target{what, got, relation, limit})
}

// meets tells whether a value does.
func (t target) meets(value float64) bool {
	switch t.relation {
	case "≤":
		return value <= t.limit
	case "<":
		return value < t.limit
	default:
		return value >= t.limit
	}
}

// verdict is about the median. It adds when the quartiles do not agree with it.
func (t target) verdict() string {
	met := t.meets(t.got.median)
	text := "no"
	if met {
		text = "yes"
	}
	if t.meets(t.got.low) != met || t.meets(t.got.high) != met {
		text += ", but within the noise"
	}
	return text
}

const introduction = `# Benchmarks

What a call costs, beside the official client for Go and beside the least that any client has to do. To repeat it, on
Linux or macOS:

    go -C bench run .

which takes some minutes, measures all of this anew and writes this file. The service is a process of its own on the same
machine. It speaks TLS, answers from memory, and verifies no signature. The key has 2,048 bits.

Each number is the median of %d rounds. In a round every subject of a table is measured once, one after the other, and
each round begins with another one, and runs from another depth of the stack, which changes the time of a signature by
several per cent; a ratio is taken within a round first. CPU is the processor time of the client
process, in user mode and in the kernel; allocations and bytes are those of the Go heap. The numbers in brackets after a
ratio are its quartiles: half of the rounds were between them. A target is judged by the median, and "within the noise"
says that a quartile says otherwise. Ratios carry over to other machines better than times.

`

func (r *report) markdown() string {
	var out strings.Builder
	fmt.Fprintf(&out, introduction, r.effort.rounds)
	fmt.Fprintf(&out, "| | |\n| --- | --- |\n")
	for _, line := range [][2]string{
		{"processor", cpuModel() + ", " + strconv.Itoa(runtime.NumCPU()) + " cores, shared by client and service"},
		{"load average before", r.load},
		{"system", system()},
		{"Go", runtime.Version()},
		{"yotiface", yotiface.Version},
		{"official client", "github.com/getyoti/yoti-go-sdk/v3 " + moduleVersion("github.com/getyoti/yoti-go-sdk/v3")},
		{"JSON", "github.com/go-json-experiment/json " + moduleVersion("github.com/go-json-experiment/json")},
	} {
		fmt.Fprintf(&out, "| %s | %s |\n", line[0], line[1])
	}
	summary := section{title: "Targets", head: []string{"", "measured", "quartiles", "target", "met"}}
	for _, t := range r.targets {
		summary.row(t.what, digits(t.got.median), digits(t.got.low)+" to "+digits(t.got.high), t.relation+" "+digits(t.limit), t.verdict())
	}
	for _, s := range append([]*section{&summary}, r.sections...) {
		s.write(&out)
	}
	return out.String()
}

func (s *section) write(out *strings.Builder) {
	fmt.Fprintf(out, "\n## %s\n\n", s.title)
	if s.text != "" {
		fmt.Fprintf(out, "%s\n\n", wrapped(s.text))
	}
	fmt.Fprintf(out, "| %s |\n|%s\n", strings.Join(s.head, " | "), strings.Repeat(" --- |", len(s.head)))
	for _, row := range s.rows {
		fmt.Fprintf(out, "| %s |\n", strings.Join(row, " | "))
	}
	for _, note := range s.notes {
		fmt.Fprintf(out, "\n%s\n", wrapped(note))
	}
}

// wrapped breaks text into lines of the width of the other documents.
func wrapped(text string) string {
	const width = 120
	var out strings.Builder
	length := 0
	for i, word := range strings.Fields(text) {
		switch n := len([]rune(word)); {
		case i == 0:
			length = n
		case length+1+n > width:
			out.WriteByte('\n')
			length = n
		default:
			out.WriteByte(' ')
			length += 1 + n
		}
		out.WriteString(word)
	}
	return out.String()
}

// digits writes a number with as many digits as mean something.
func digits(value float64) string {
	decimals := 3
	switch size := max(value, -value); {
	case value == float64(int64(value)), size >= 100:
		decimals = 0
	case size >= 10:
		decimals = 1
	case size >= 0.1:
		decimals = 2
	}
	text := strconv.FormatFloat(value, 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > len(text)-len(strings.TrimLeft(text, "-")); i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return whole
}

// times writes a ratio with its quartiles.
func times(s spread) string {
	if s == (spread{1, 1, 1}) {
		return "1"
	}
	return fmt.Sprintf("%s (%s–%s)", digits(s.median), digits(s.low), digits(s.high))
}

// What cannot be found out on a system is "unknown".
const unknown = "unknown"

func cpuModel() string    { return fromFile("/proc/cpuinfo", "model name\t: ") }
func loadAverage() string { return strings.Join(strings.Fields(fromFile("/proc/loadavg", ""))[:1], "") }

func system() string {
	name := strings.Trim(fromFile("/etc/os-release", "PRETTY_NAME="), `"`)
	return name + ", " + runtime.GOOS + "/" + runtime.GOARCH
}

// fromFile returns the rest of the first line with a prefix.
func fromFile(file, prefix string) string {
	text, _ := os.ReadFile(file) //nolint:gosec // three constants
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte(prefix)); ok {
			return string(bytes.TrimSpace(rest))
		}
	}
	return unknown
}

func moduleVersion(path string) string {
	info, _ := debug.ReadBuildInfo()
	if info != nil {
		for _, dependency := range info.Deps {
			if dependency.Path == path {
				return dependency.Version
			}
		}
	}
	return unknown
}
