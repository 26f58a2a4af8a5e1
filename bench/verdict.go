package main

import (
	"fmt"
	"math"

	"github.com/yotiface/yotiface"
)

// verdict measures the judging alone.
func (b *bench) verdict() error {
	const repeats = 1000
	var subjects []subject
	for _, documented := range []struct{ name, file string }{
		{"ApprovalOutcome, MATCH, approved", "../testdata/check_match.json"},
		{"ApprovalOutcome, NO_MATCH, rejected", "../testdata/check_no_match_criteria.json"},
	} {
		check, err := compact(documented.file)
		if err != nil {
			return err
		}
		var session yotiface.Session
		if err := session.UnmarshalJSON(fmt.Appendf(nil, `{"session_id":"x","state":"COMPLETED","checks":[%s]}`, check)); err != nil {
			return err
		}
		search := session.FamiliarFaceSearches()[0]
		want := search.ApprovalOutcome()
		subjects = append(subjects, subject{name: documented.name, ops: repeats, calls: b.calls(200), call: func() error {
			for range repeats {
				if search.ApprovalOutcome() != want {
					return errOther
				}
			}
			return nil
		}})
	}
	text, err := documentedSession()
	if err != nil {
		return err
	}
	var session yotiface.Session
	if err := session.UnmarshalJSON(text); err != nil {
		return err
	}
	subjects = append(subjects,
		subject{name: "Session.FaceSearchOutcome", ops: repeats, calls: b.calls(50), call: func() error {
			for range repeats {
				if session.FaceSearchOutcome() != yotiface.OutcomeRejected {
					return errOther
				}
			}
			return nil
		}},
		subject{name: "Session.UnmarshalJSON", ops: 1, calls: b.calls(2000), call: func() error {
			var session yotiface.Session
			return session.UnmarshalJSON(text)
		}})
	all, err := interleave(b.rounds, subjects)
	if err != nil {
		return err
	}
	s := b.report.section("The verdict alone", "In memory, on the documented checks and the documented session. "+
		"`Session.FaceSearchOutcome` reads the configuration of each search, which the session holds as raw JSON. The reading of the whole "+
		"session is there to compare.")
	s.head = []string{"", "CPU, ns", "allocations", "bytes"}
	for _, one := range all {
		s.row(one.name, digits(one.median(processor)*1e9), digits(one.median(allocations)), digits(one.median(allocated)))
	}
	for _, one := range all[:2] {
		b.report.target(one.name+": ns", one.spread(processor).over(1e-9), "<", 1000)
		b.report.target(one.name+": allocations", one.spread(allocations), "≤", 0)
	}
	return nil
}

// growth measures whether a check costs the same in a session of many.
func (b *bench) growth() error {
	text, err := documentedSession()
	if err != nil {
		return err
	}
	var subjects []subject
	for _, n := range b.checks {
		many, err := sessionWithChecks(text, n)
		if err != nil {
			return err
		}
		subjects = append(subjects, subject{name: digits(float64(n)), ops: n, calls: max(b.calls(10_000/n), 1), warm: 1, call: func() error {
			var session yotiface.Session
			if err := session.UnmarshalJSON(many); err != nil {
				return err
			}
			if session.FaceSearchOutcome() != yotiface.OutcomeRejected || len(session.Checks) != n {
				return errOther
			}
			return nil
		}})
	}
	all, err := interleave(b.rounds, subjects)
	if err != nil {
		return err
	}
	s := b.report.section("Many checks", "A session of nothing but checks, the documented two in turn, read from memory "+
		"and judged; each number is for one check.")
	s.head = []string{"checks", "CPU, µs", "against the fewest", "allocations", "bytes"}
	for _, one := range all {
		s.row(one.name, digits(one.median(processor)*1e6), times(ratio(one, all[0], processor)),
			digits(one.median(allocations)), digits(one.median(allocated)))
	}
	ratios := make([]float64, b.rounds)
	for i := range ratios {
		least, most := math.Inf(1), 0.0
		for _, one := range all {
			least, most = min(least, one.samples[i].cpu), max(most, one.samples[i].cpu)
		}
		ratios[i] = most / least
	}
	b.report.target(fmt.Sprintf("Decoding and verdict of a check, in sessions of %s to %s: the dearest against the cheapest",
		all[0].name, all[len(all)-1].name), spreadOf(ratios), "≤", 1.5)
	return nil
}
