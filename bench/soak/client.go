package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yotiface/yotiface"
)

// result is what the client saw.
type result struct {
	took     time.Duration
	callers  int
	calls    int
	right    int
	failed   int
	wrong    int
	wrongs   []string // the first few
	byCall   map[string]int
	byError  map[string]int
	attempts int64
	retries  int64

	peakHeap                uint64
	goroutines, connections int
}

// tries counts attempts: the client logs each.
type tries struct {
	slog.Handler
	all, again *atomic.Int64
}

func (t tries) Enabled(context.Context, slog.Level) bool { return true }

func (t tries) Handle(_ context.Context, r slog.Record) error {
	t.all.Add(1)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "try" && a.Value.Int64() > 1 {
			t.again.Add(1)
		}
		return true
	})
	return nil
}

// soak calls for a while.
func soak(ctx context.Context, w world, length time.Duration, callers int, seed uint64) (result, error) {
	var all, again atomic.Int64
	client, err := yotiface.NewClient(w.SDKID, w.Key,
		yotiface.WithBaseURL(w.URL),
		yotiface.WithAttemptTimeout(500*time.Millisecond),
		yotiface.WithRetryPolicy(yotiface.RetryPolicy{MinBackoff: 5 * time.Millisecond, MaxBackoff: 50 * time.Millisecond}),
		yotiface.WithLogger(slog.New(tries{slog.DiscardHandler, &all, &again})),
	)
	if err != nil {
		return result{}, err
	}
	want, err := newExpectations(ctx, client, w)
	if err != nil {
		return result{}, err
	}
	client.CloseIdleConnections()
	goroutines, sockets := settled(runtime.NumGoroutine, 0), settled(openSockets, 0)

	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	watched, heap := make(chan struct{}), make(chan uint64)
	go watchHeap(watched, heap)
	total := result{callers: callers, byCall: map[string]int{}, byError: map[string]int{}}
	var mu sync.Mutex
	var running sync.WaitGroup
	for i := range callers {
		running.Go(func() {
			r := caller{client: client, w: w, want: want, random: rand.New(rand.NewPCG(seed, uint64(i+2)))} //nolint:gosec // repeatable on purpose
			for ctx.Err() == nil {
				r.call()
			}
			mu.Lock()
			defer mu.Unlock()
			total.add(r.result)
		})
	}
	running.Wait()
	close(watched)
	total.peakHeap = <-heap
	total.took = time.Since(start)
	total.attempts, total.retries = all.Load(), again.Load()
	client.CloseIdleConnections()
	total.goroutines = settled(runtime.NumGoroutine, goroutines) - goroutines
	total.connections = settled(openSockets, sockets) - sockets
	return total, nil
}

func (r *result) add(other result) {
	r.calls += other.calls
	r.right += other.right
	r.failed += other.failed
	r.wrong += other.wrong
	r.wrongs = append(r.wrongs, other.wrongs...)
	for _, counts := range []struct{ to, from map[string]int }{{r.byCall, other.byCall}, {r.byError, other.byError}} {
		for name, n := range counts.from {
			counts.to[name] += n
		}
	}
}

// expectations are the right results, asked for before the faults matter: each is tried until it comes.
type expectations struct {
	sessions map[string]yotiface.ApprovalOutcome
	raw      map[string][]byte
	faces    map[string]string // face ID by applicant
}

func newExpectations(ctx context.Context, client *yotiface.Client, w world) (expectations, error) {
	e := expectations{map[string]yotiface.ApprovalOutcome{}, map[string][]byte{}, map[string]string{}}
	ask := func(f func() error) error {
		var err error
		for range 20 {
			if err = f(); err == nil {
				return nil
			}
		}
		return err
	}
	for _, id := range w.Sessions {
		if err := ask(func() error {
			s, err := client.GetSession(ctx, id)
			if err == nil {
				e.sessions[id], e.raw[id] = s.FaceSearchOutcome(), s.RawJSON()
			}
			return err
		}); err != nil {
			return e, err
		}
	}
	for _, id := range w.Applicants {
		if err := ask(func() error {
			a, err := client.GetApplicant(ctx, id)
			if err == nil {
				e.faces[id], _ = a.FaceID()
			}
			return err
		}); err != nil {
			return e, err
		}
	}
	return e, nil
}

// caller makes calls one after the other.
type caller struct {
	result
	client *yotiface.Client
	w      world
	want   expectations
	random *rand.Rand
}

// call makes one call and checks what comes of it. Some contexts end while the call is under way.
func (c *caller) call() {
	if c.byCall == nil {
		c.byCall, c.byError = map[string]int{}, map[string]int{}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if c.random.IntN(20) == 0 {
		timer := time.AfterFunc(time.Duration(c.random.IntN(5000))*time.Microsecond, cancel)
		defer timer.Stop()
	}
	name, right, err := c.one(ctx)
	c.calls++
	c.byCall[name]++
	switch {
	case err == nil && right:
		c.right++
	case err == nil:
		c.bad(name + ": a success with the wrong content")
	case right:
		c.bad(name + ": a result beside an error")
	default:
		kind := kindOf(err)
		c.byError[kind]++
		if kind == "unexpected" {
			c.bad(name + ": " + err.Error())
		} else {
			c.failed++
		}
	}
}

func (c *caller) bad(what string) {
	c.wrong++
	if len(c.wrongs) < 3 {
		c.wrongs = append(c.wrongs, what)
	}
}

// one makes a call of a random kind. right tells whether what came back is exactly what it should be; beside an error,
// whether anything came back at all.
func (c *caller) one(ctx context.Context) (name string, right bool, err error) {
	session := c.w.Sessions[c.random.IntN(len(c.w.Sessions))]
	applicant := c.w.Applicants[c.random.IntN(len(c.w.Applicants))]
	media := c.w.Media[c.random.IntN(len(c.w.Media))]
	switch c.random.IntN(6) {
	case 0, 1:
		s, err := c.client.GetSession(ctx, session)
		return "GetSession", s != nil && s.FaceSearchOutcome() == c.want.sessions[session] && bytes.Equal(s.RawJSON(), c.want.raw[session]), err
	case 2:
		a, err := c.client.GetApplicant(ctx, applicant)
		return "GetApplicant", a != nil && a.ID == applicant && a.Faces.ArchetypeFaceID == c.want.faces[applicant], err
	case 3:
		f, err := c.client.GetFace(ctx, applicant, c.want.faces[applicant])
		return "GetFace", f != nil && bytes.Equal(f.Data, c.w.Face), err
	case 4:
		var out bytes.Buffer
		info, err := c.client.DownloadFace(ctx, applicant, c.want.faces[applicant], &out)
		return "DownloadFace", err == nil && info.Size == int64(len(c.w.Face)) && bytes.Equal(out.Bytes(), c.w.Face), err
	default:
		m, err := c.client.GetMedia(ctx, c.w.Sessions[0], media)
		if err == nil && m.ContentType != "image/jpeg" {
			return "GetMedia", false, errOtherType // media can be of any type: it is the caller who expects an image
		}
		return "GetMedia", m != nil && bytes.Equal(m.Data, c.w.Blob), err
	}
}

var errOtherType = errors.New("media of another type than expected")

// kindOf sorts the errors that the faults may lead to.
func kindOf(err error) string {
	var api *yotiface.APIError
	var decode *yotiface.DecodeError
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.As(err, &api) && strings.Contains(api.Code, "NONCE"):
		return "unexpected" // a nonce was used twice
	case errors.As(err, &api):
		return fmt.Sprintf("status %d", api.StatusCode)
	case errors.As(err, &decode):
		return "not JSON"
	case errors.Is(err, errOtherType):
		return "other content type"
	case errors.Is(err, yotiface.ErrNoContent):
		return "no content"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, yotiface.ErrNotAnImage), errors.Is(err, yotiface.ErrInvalidArgument), errors.Is(err, yotiface.ErrResponseTooLarge):
		return "unexpected"
	default:
		return "broken connection"
	}
}

// watchHeap samples the heap until it is told to stop, and then tells the peak.
func watchHeap(stop <-chan struct{}, peak chan<- uint64) {
	var most uint64
	for {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		most = max(most, stats.HeapAlloc)
		select {
		case <-stop:
			peak <- most
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// settled reads a count until it is at most the aim, for a few seconds: what is being closed takes a moment.
func settled(count func() int, aim int) int {
	n := count()
	for range 50 {
		if n = count(); n <= aim {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return n
}

// openSockets counts the sockets of this process, where the system can tell.
func openSockets() int {
	n := 0
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, entry := range entries {
		if target, _ := os.Readlink("/proc/self/fd/" + entry.Name()); strings.HasPrefix(target, "socket:") {
			n++
		}
	}
	return n
}
