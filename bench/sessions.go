package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/getyoti/yoti-go-sdk/v3/docscan"

	"github.com/yotiface/yotiface"
)

var errOther = errors.New("the answer is not the one that was asked for")

// session measures the reading of a session, one call after the other.
func (b *bench) session() error {
	c := b.clients
	calls, warm := b.calls(60), b.calls(10)
	rounds := 4 * b.rounds // what is compared is nearly the same
	all, err := interleave(rounds, []subject{
		{name: "yotiface", calls: calls, warm: warm, call: readSession(c.yotiface)},
		{name: "official client", calls: calls, warm: warm, call: readOfficially(c.official)},
		{name: "floor", calls: calls, warm: warm, call: readBarely(c.bare)},
		{name: "signature alone", calls: calls, warm: warm, call: func() error {
			_, err := c.bare.sign("GET&/sessions/" + documentedSessionID)
			return err
		}},
	})
	if err != nil {
		return err
	}
	ours, official, floor, signature := all[0], all[1], all[2], all[3]

	s := b.report.section("Reading a session", `One call after the other over one TLS connection, the documented session, `+
		`without its indentation. *Floor*: one bare `+"`rsa.SignPKCS1v15`"+`, one bare `+"`http.Client`"+` exchange of the same `+
		`bytes, one decoding into the same type; no limit, no check, no second try. As the differences are small, there were `+
		fmt.Sprint(rounds)+` rounds of this table.`)
	s.head = []string{"", "time, µs", "CPU, µs", "CPU against the official client", "CPU against the floor", "allocations", "bytes"}
	for _, one := range all {
		s.row(one.name, digits(one.median(wallTime)*1e6), digits(one.median(processor)*1e6),
			times(ratio(one, official, processor)), times(ratio(one, floor, processor)),
			digits(one.median(allocations)), digits(one.median(allocated)))
	}
	beside := make([]float64, rounds)
	for i := range beside {
		beside[i] = (ours.samples[i].cpu - floor.samples[i].cpu) / signature.samples[i].cpu
	}
	own := spreadOf(beside)
	s.note("What the library adds to the floor is %s %% of a signature (quartiles %s to %s %%).",
		digits(own.median*100), digits(own.low*100), digits(own.high*100))

	b.report.target("GetSession: CPU against the official client", ratio(ours, official, processor), "≤", 0.90)
	b.report.target("GetSession: allocations against the official client", ratio(ours, official, allocations), "≤", 0.50)
	b.report.target("GetSession: bytes against the official client", ratio(ours, official, allocated), "≤", 0.70)
	b.report.target("GetSession: CPU against the floor", ratio(ours, floor, processor), "<", 1.10)
	return nil
}

func readSession(c *yotiface.Client) func() error {
	return func() error {
		s, err := c.GetSession(context.Background(), documentedSessionID)
		if err == nil && s.ID != documentedSessionID {
			err = errOther
		}
		return err
	}
}

func readBarely(c bare) func() error {
	return func() error {
		s, err := c.getSession(documentedSessionID)
		if err == nil && s.ID != documentedSessionID {
			err = errOther
		}
		return err
	}
}

func readOfficially(c *docscan.Client) func() error {
	return func() error {
		s, err := c.GetSession(documentedSessionID)
		if err == nil && s.SessionID != documentedSessionID {
			err = errOther
		}
		return err
	}
}

// callers measures the reading of sessions by many at the same time.
func (b *bench) callers() error {
	s := b.report.section("Many callers", `The same call by many goroutines at the same time, over TLS. Every sample starts without `+
		`a connection; a call of every caller warms up, and is counted among the connections but not in the rest. *As it comes* is `+
		"`http.DefaultClient`, *tuned* a transport of its own with 1,024 idle connections to a host. Only HTTP/1.1 is offered by the "+
		`server, but for the line that says so; which of the two Yoti speaks is not documented. A few connections more than callers come `+
		`of an overloaded machine: net/http gives a connection up whose writing goroutine gets no processor for 50 ms.`)
	s.head = []string{"callers", "", "calls a second", "yotiface against it", "connections opened", "calls", "p50, ms", "p99, ms", "CPU, µs"}
	for _, callers := range b.effort.callers {
		if err := b.atOnce(s, callers); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) atOnce(s *section, callers int) error {
	c := b.clients
	var subjects []subject
	add := func(name string, port int, closeIdle func(), call func() error) {
		subjects = append(subjects, subject{
			name: name, callers: callers, warm: callers, calls: max(b.calls(100+callers*8), callers),
			before: func() error {
				closeIdle()
				_, err := b.service.opened()
				return err
			},
			call: call,
			after: func(s *sample) error {
				n, err := b.service.opened()
				s.connections = float64(n[port])
				return err
			},
		})
	}
	add("yotiface", forYotiface, c.yotiface.CloseIdleConnections, readSession(c.yotiface))
	add("official, as it comes", forOfficial, http.DefaultClient.CloseIdleConnections, readOfficially(c.official))
	add("official, as it comes, HTTP/2", forHTTP2, http.DefaultClient.CloseIdleConnections, readOfficially(c.officialHTTP2))
	add("official, tuned", forTuned, c.tuned.CloseIdleConnections, readOfficially(c.officialTuned))
	if callers == b.judged {
		add("official, tuned, once more", forTuned, c.tuned.CloseIdleConnections, readOfficially(c.officialTuned))
		add("floor", forOthers, c.bare.http.CloseIdleConnections, readBarely(c.bare))
	}
	all, err := interleave(b.rounds, subjects)
	if err != nil {
		return err
	}
	ours, official, tuned := all[0], all[1], all[3]
	for _, one := range all {
		s.row(digits(float64(callers)), one.name, digits(one.median(throughput)), times(ratio(ours, one, throughput)),
			digits(one.median(connected)), digits(float64(one.calls+one.warm)),
			digits(one.median(halfWithin)*1e3), digits(one.median(nearlyAll)*1e3), digits(one.median(processor)*1e6))
	}
	if callers != b.judged {
		return nil
	}
	least := ratio(all[5], official, throughput)
	s.note("The floor, one bare signature and one bare exchange on a tuned transport, had %s times the throughput of the official client as "+
		"it comes (quartiles %s to %s): more is hardly possible.", digits(least.median), digits(least.low), digits(least.high))
	noise := ratio(all[4], tuned, throughput)
	s.note("What noise means: with %d callers, the tuned official client against itself, measured in turn as two subjects, had "+
		"%s times its own throughput (quartiles %s to %s).", callers, digits(noise.median), digits(noise.low), digits(noise.high))
	name := func(what string) string { return fmt.Sprintf("GetSession, %d callers: %s", callers, what) }
	b.report.target(name("throughput against the official client as it comes"), ratio(ours, official, throughput), "≥", 1.75)
	b.report.target(name("CPU against the official client as it comes"), ratio(ours, official, processor), "≤", 0.70)
	b.report.target(name("connections opened for each caller"), ours.spread(connected).over(float64(callers)), "≤", 1)
	b.report.target(name("throughput against the official client, tuned"), ratio(ours, tuned, throughput), "≥", 0.97)
	return nil
}
