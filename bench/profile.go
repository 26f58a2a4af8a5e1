package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"

	pprofile "github.com/google/pprof/profile"
)

// What processor time goes into, in the order of the table.
const (
	signing = iota
	connection
	decoding
	memory
	theRest
	purposeCount
)

// The first function from the top of a stack that has one of the beginnings decides.
var purposes = [...]struct {
	name      string
	functions []string
}{
	signing:    {"signing", []string{"crypto/rsa.", "github.com/yotiface/yotiface.(*signer).", "github.com/getyoti/yoti-go-sdk/v3/requests."}},
	connection: {"connection", []string{"crypto/tls.", "net/http.", "net.", "net/url.", "net/textproto.", "internal/poll.", "syscall.", "bufio.", "context."}},
	decoding: {"decoding", []string{
		"encoding/base64.", "encoding/json.", "github.com/go-json-experiment/json", "github.com/yotiface/yotiface.(*faceReader).",
		"github.com/yotiface/yotiface.decode", "github.com/getyoti/yoti-go-sdk/v3/docscan/session/retrieve.", "time.parse",
	}},
	memory:  {"memory", []string{"runtime.gc", "runtime.bgsweep", "runtime.bgscavenge", "runtime.mallocgc", "runtime.growslice", "runtime.makeslice", "runtime.newobject", "io.ReadAll"}},
	theRest: {"the rest", nil},
}

// shares profiles calls, and shows what stands in the way of a target that is missed.
func (b *bench) shares() error {
	s := b.report.section("Where the processor time goes", "A CPU profile of calls one after the other, `runtime/pprof` at 100 samples a "+
		"second, in microseconds a call and in per cent. *Signing* is nearly all the RSA signature, *connection* TLS, `net/http` and the "+
		"kernel, *memory* allocation and the garbage collector; in *the rest* is the scheduler.")
	s.head = []string{"", "CPU, µs"}
	for _, p := range purposes {
		s.head = append(s.head, p.name)
	}

	c, ctx := b.clients, context.Background()
	small, large := b.images[0], b.images[1]
	get := func(size int) func() error {
		return func() error {
			_, err := c.yotiface.GetFace(ctx, applicantID(0), faceID(size))
			return err
		}
	}
	download := func(size int) func() error {
		return func() error {
			_, err := c.yotiface.DownloadFace(ctx, applicantID(0), faceID(size), io.Discard)
			return err
		}
	}
	byHand := func(size int) func() error {
		return func() error {
			_, err := c.hand.getFace(applicantID(0), faceID(size))
			return err
		}
	}
	type cost struct{ total, needed float64 } // needed: signing and connection
	costs := map[string]cost{}
	for _, one := range []struct {
		name string
		call func() error
	}{
		{"GetSession", readSession(c.yotiface)},
		{"GetSession, official client", readOfficially(c.official)},
		{"GetFace, " + megabyte(small), get(small)},
		{"DownloadFace, " + megabyte(small), download(small)},
		{"by hand, " + megabyte(small), byHand(small)},
		{"GetFace, " + megabyte(large), get(large)},
		{"DownloadFace, " + megabyte(large), download(large)},
		{"by hand, " + megabyte(large), byHand(large)},
	} {
		micros, err := b.profiled(one.call)
		if err != nil {
			return err
		}
		total := 0.0
		for _, part := range micros {
			total += part
		}
		costs[one.name] = cost{total, micros[signing] + micros[connection]}
		cells := []string{one.name, digits(total)}
		for _, part := range micros {
			cells = append(cells, fmt.Sprintf("%s (%.1f %%)", digits(part), 100*part/max(total, 1)))
		}
		s.row(cells...)
	}

	session := costs["GetSession"]
	wanted := 0.9 * costs["GetSession, official client"].total
	s.note("Reading a session: 0.90 of the official client's time is %s µs. Signing and connection take %s µs of GetSession, which "+
		"would leave %s µs for decoding, memory and all else.", digits(wanted), digits(session.needed), digits(wanted-session.needed))
	for _, size := range []int{small, large} {
		hand := costs["by hand, "+megabyte(size)].total
		s.note("A face of %s: a quarter of what it takes by hand is %s µs, a fifth %s µs. Signing and connection alone take %s µs of "+
			"GetFace and %s µs of DownloadFace: the signature does not shrink with the image.", megabyte(size), digits(hand/4), digits(hand/5),
			digits(costs["GetFace, "+megabyte(size)].needed), digits(costs["DownloadFace, "+megabyte(size)].needed))
	}
	return nil
}

// profiled returns what a call costs, in microseconds for each purpose.
func (b *bench) profiled(call func() error) (micros [purposeCount]float64, err error) {
	if err := call(); err != nil {
		return micros, err
	}
	runtime.GC()
	var recorded bytes.Buffer
	if err := pprof.StartCPUProfile(&recorded); err != nil {
		return micros, err
	}
	calls := 0
	var failure error
	for start := time.Now(); failure == nil && time.Since(start) < b.profiling; calls++ {
		failure = call()
	}
	pprof.StopCPUProfile()
	if failure != nil {
		return micros, failure
	}
	read, err := pprofile.Parse(&recorded)
	if err != nil {
		return micros, err
	}
	for _, sample := range read.Sample {
		nanos := sample.Value[len(sample.Value)-1]
		micros[purposeOf(sample)] += float64(nanos) / 1e3 / float64(calls)
	}
	return micros, nil
}

// purposeOf returns the purpose of a sample.
func purposeOf(sample *pprofile.Sample) int {
	for _, location := range sample.Location {
		for _, line := range location.Line {
			for i, p := range purposes {
				for _, beginning := range p.functions {
					if strings.HasPrefix(line.Function.Name, beginning) {
						return i
					}
				}
			}
		}
	}
	return theRest
}
