package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A subject is one way to do a thing. It is measured in turn with the other ways.
type subject struct {
	name    string
	calls   int                   // in one sample
	callers int                   // at the same time; 0 is 1
	warm    int                   // calls before those that count
	ops     int                   // operations in one call; 0 is 1
	peak    bool                  // measure the peak heap of one more call
	before  func() error          // not measured
	call    func() error          // measured
	after   func(s *sample) error // not measured
}

// A sample is what one operation cost, on average over the calls of a sample.
type sample struct {
	time, cpu     float64 // seconds
	allocs, bytes float64
	p50, p99      float64 // seconds a call
	perSecond     float64
	connections   float64 // that were opened
	peak          float64 // bytes
}

// series are the samples of one subject, one a round.
type series struct {
	subject
	samples []sample
}

// interleave measures the subjects in turn, round after round: A B C A B C. Each round starts with another one, so that
// none always runs in the wake of the same neighbour.
func interleave(rounds int, subjects []subject) ([]series, error) {
	all := make([]series, len(subjects))
	for i, s := range subjects {
		all[i] = series{subject: s, samples: make([]sample, rounds)}
	}
	for round := range rounds {
		for i := range subjects {
			s := &all[(round+i)%len(subjects)]
			var err error
			pprof.Do(context.Background(), pprof.Labels("subject", s.name), func(context.Context) {
				s.samples[round], err = s.measure(round)
			})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	return all, nil
}

func (s subject) measure(round int) (result sample, err error) {
	if s.before != nil {
		if err := s.before(); err != nil {
			return sample{}, err
		}
	}
	call := s.call
	s.call = func() error { return atDepth(round*37%86, call) }
	callers := max(1, s.callers)
	if err := s.repeat(callers, make([]time.Duration, s.warm)); err != nil {
		return sample{}, err
	}

	latencies := make([]time.Duration, s.calls)
	var m0, m1 runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m0)
	cpu, start := cpuTime(), time.Now()
	err = s.repeat(callers, latencies)
	took := time.Since(start).Seconds()
	cpu = cpuTime() - cpu
	runtime.ReadMemStats(&m1)
	if err != nil {
		return sample{}, err
	}

	slices.Sort(latencies)
	n := float64(s.calls * max(1, s.ops))
	result = sample{
		time:      took / n,
		cpu:       cpu.Seconds() / n,
		allocs:    float64(m1.Mallocs-m0.Mallocs) / n,
		bytes:     float64(m1.TotalAlloc-m0.TotalAlloc) / n,
		p50:       latencies[len(latencies)/2].Seconds(),
		p99:       latencies[len(latencies)*99/100].Seconds(),
		perSecond: n / took,
	}
	if s.peak {
		if result.peak, err = peakHeap(s.call); err != nil {
			return sample{}, err
		}
	}
	if s.after != nil {
		err = s.after(&result)
	}
	return result, err
}

// atDepth calls f from further down the stack. Where the numbers of a signature lie on it, relative to others and to the
// lines of the cache, changes its time by several per cent; so that no subject has the luck of one place, each round has
// another, the same for all.
//
//go:noinline
func atDepth(n int, f func() error) error {
	if n == 0 {
		return f()
	}
	return atDepth(n-1, f)
}

// repeat makes as many calls as there is room for, and notes how long each took.
func (s subject) repeat(callers int, latencies []time.Duration) error {
	if callers == 1 {
		for i := range latencies {
			start := time.Now()
			if err := s.call(); err != nil {
				return err
			}
			latencies[i] = time.Since(start)
		}
		return nil
	}
	var (
		next    atomic.Int64
		failure atomic.Pointer[error]
		running sync.WaitGroup
	)
	for range callers {
		running.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(latencies)) && failure.Load() == nil; i = next.Add(1) - 1 {
				start := time.Now()
				if err := s.call(); err != nil {
					failure.Store(&err)
					return
				}
				latencies[i] = time.Since(start)
			}
		})
	}
	running.Wait()
	if err := failure.Load(); err != nil {
		return *err
	}
	return nil
}

// cpuTime is the processor time that this process has used, in user mode and in the kernel.
func cpuTime() time.Duration {
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

var usage syscall.Rusage // not a local variable: that would be an allocation

// peakHeap makes a call and returns by how much the heap grew in it at the most, what was not collected yet included.
func peakHeap(call func() error) (float64, error) {
	heap := func() float64 {
		read := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(read)
		return float64(read[0].Value.Uint64())
	}
	runtime.GC()
	runtime.GC() // what the first one left to be swept
	before := heap()
	stop, peak := make(chan struct{}), make(chan float64)
	go func() {
		most := before
		for {
			most = max(most, heap())
			select {
			case <-stop:
				peak <- max(most, heap())
				return
			case <-time.After(100 * time.Microsecond):
			}
		}
	}()
	err := call()
	close(stop)
	return <-peak - before, err
}

// The values of a sample that are compared.
func wallTime(s sample) float64    { return s.time }
func processor(s sample) float64   { return s.cpu }
func allocations(s sample) float64 { return s.allocs }
func allocated(s sample) float64   { return s.bytes }
func throughput(s sample) float64  { return s.perSecond }
func connected(s sample) float64   { return s.connections }
func peakOf(s sample) float64      { return s.peak }
func halfWithin(s sample) float64  { return s.p50 }
func nearlyAll(s sample) float64   { return s.p99 }

func (s series) values(value func(sample) float64) []float64 {
	values := make([]float64, len(s.samples))
	for i, one := range s.samples {
		values[i] = value(one)
	}
	return values
}

func (s series) spread(value func(sample) float64) spread  { return spreadOf(s.values(value)) }
func (s series) median(value func(sample) float64) float64 { return s.spread(value).median }

// ratio compares two subjects round by round, so that what slowed a whole round down does not count.
func ratio(a, b series, value func(sample) float64) spread {
	values := make([]float64, len(a.samples))
	for i := range values {
		values[i] = value(a.samples[i]) / value(b.samples[i])
	}
	return spreadOf(values)
}

// A spread is a median and the quartiles around it.
type spread struct{ low, median, high float64 }

func spreadOf(values []float64) spread {
	sorted := slices.Sorted(slices.Values(values))
	at := func(share float64) float64 {
		place := share * float64(len(sorted)-1)
		i := int(place)
		if i+1 == len(sorted) {
			return sorted[i]
		}
		return sorted[i] + (place-float64(i))*(sorted[i+1]-sorted[i])
	}
	return spread{at(0.25), at(0.5), at(0.75)}
}

func (s spread) over(n float64) spread { return spread{s.low / n, s.median / n, s.high / n} }
