// Command soak talks for minutes to a Yoti in memory that fails at random, and checks every single answer.
//
//	go -C bench run ./soak -minutes 10
//
// At the end it prints what was called, which faults the service had, how often calls were tried again, and what must be
// zero: wrong results, nonces that arrived twice, goroutines and connections that are left. The exit status is 1 if one is
// not. The service is a process of its own, so that the memory measured is that of the client.
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

func main() {
	minutes := flag.Float64("minutes", 10, "how long")
	callers := flag.Int("callers", 16, "how many at the same time")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the faults and the calls")
	serving := flag.Bool("serve", false, "be the service (used by the program itself)")
	flag.Parse()
	if *serving {
		serve(*seed)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	service, err := startService(*seed)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	result, err := soak(ctx, service.world, time.Duration(*minutes*float64(time.Minute)), *callers, *seed)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	served, err := service.stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if !report(*seed, result, served) {
		os.Exit(1)
	}
}

// report prints what happened, and tells whether all is well.
func report(seed uint64, r result, s served) bool {
	fmt.Printf("seed                    %d\n", seed)
	fmt.Printf("time                    %s, %d callers\n", r.took.Round(time.Second), r.callers)
	fmt.Printf("calls                   %d (%.0f a second)\n", r.calls, float64(r.calls)/r.took.Seconds())
	for _, name := range slices.Sorted(maps.Keys(r.byCall)) {
		fmt.Printf("  %-22s%d\n", name, r.byCall[name])
	}
	fmt.Printf("right results           %d\n", r.right)
	fmt.Printf("errors, all expected    %d\n", r.failed)
	for _, name := range slices.Sorted(maps.Keys(r.byError)) {
		fmt.Printf("  %-22s%d\n", name, r.byError[name])
	}
	fmt.Printf("attempts                %d, of which retries %d\n", r.attempts, r.retries)
	fmt.Printf("faults injected         %d\n", sum(s.Faults))
	for _, name := range slices.Sorted(maps.Keys(s.Faults)) {
		fmt.Printf("  %-22s%d\n", name, s.Faults[name])
	}
	fmt.Printf("requests that arrived   %d\n", s.Requests)
	fmt.Printf("peak heap               %.1f MiB\n", float64(r.peakHeap)/(1<<20))
	ok := true
	for _, zero := range []struct {
		name string
		n    int
	}{
		{"wrong results", r.wrong},
		{"nonces twice", s.NoncesTwice},
		{"leaked goroutines", r.goroutines},
		{"leaked connections", r.connections},
	} {
		verdict := "ok"
		if zero.n != 0 {
			verdict, ok = "NOT ZERO", false
		}
		fmt.Printf("%-24s%d  %s\n", zero.name, zero.n, verdict)
	}
	for _, example := range r.wrongs {
		fmt.Println("wrong:", example)
	}
	return ok
}

func sum(m map[string]int) (n int) {
	for _, count := range m {
		n += count
	}
	return n
}
