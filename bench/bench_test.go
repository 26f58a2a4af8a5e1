package main

import (
	"flag"
	"os"
	"strings"
	"testing"
)

// TestMain lets the test binary be the service, as the program is.
func TestMain(m *testing.M) {
	flag.Parse()
	if *serving {
		exit(serve())
	}
	os.Exit(m.Run())
}

// TestQuick measures a little of everything: it has to work, whatever the numbers are.
func TestQuick(t *testing.T) {
	t.Parallel()
	r, err := measureAll(quickEffort(), func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	if len(r.sections) != len(sections) || len(r.targets) == 0 {
		t.Errorf("%d sections, %d targets", len(r.sections), len(r.targets))
	}
	for _, s := range r.sections {
		if len(s.rows) == 0 {
			t.Errorf("%s: no rows", s.title)
		}
		for _, row := range s.rows {
			if len(row) != len(s.head) {
				t.Errorf("%s: %d cells below %d heads: %v", s.title, len(row), len(s.head), row)
			}
		}
	}
	text := r.markdown()
	for _, bad := range []string{"NaN", "Inf", "%!"} {
		if strings.Contains(text, bad) {
			t.Errorf("%s in the document:\n%s", bad, text)
		}
	}
}

func TestDigits(t *testing.T) {
	t.Parallel()
	for value, want := range map[float64]string{
		0: "0", 1: "1", 0.0123: "0.012", 0.123: "0.12", 1.234: "1.23", 12.34: "12.3", 123.4: "123", 1234.5: "1,234", 1234567.8: "1,234,568", -0.5: "-0.50",
		-1234: "-1,234", -123: "-123",
	} {
		if got := digits(value); got != want {
			t.Errorf("%v: %s, want %s", value, got, want)
		}
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	if got, want := spreadOf([]float64{5, 1, 4, 2, 3}), (spread{2, 3, 4}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	if got, want := spreadOf([]float64{1, 2}), (spread{1.25, 1.5, 1.75}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		target
		want string
	}{
		{target{got: spread{1, 2, 3}, relation: "≤", limit: 3}, "yes"},
		{target{got: spread{1, 2, 3}, relation: "<", limit: 3}, "yes, but within the noise"},
		{target{got: spread{1, 2, 3}, relation: "≥", limit: 2.5}, "no, but within the noise"},
		{target{got: spread{1, 2, 3}, relation: "≥", limit: 4}, "no"},
	} {
		if got := row.verdict(); got != row.want {
			t.Errorf("%+v: %s, want %s", row.target, got, row.want)
		}
	}
}
