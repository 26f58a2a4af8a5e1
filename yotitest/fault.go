package yotitest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is something that goes wrong with one request. It does nothing until it
// is given to [Server.Inject].
//
// Faults are values: each method returns a changed copy, so that one may be kept
// and used again. [Slow], [Drip] and [Truncate] spoil the right answer, so the
// service has done what it was asked to do. After the others it has not.
type Fault struct {
	kind     kind
	status   int
	location string
	keep     int
	delay    time.Duration

	times            int
	method, endpoint string

	retryAfter string // "" for none
	body       []byte // nil for what it would be anyway
}

// kind is what a fault does. That of the zero Fault is no harm at all.
type kind int

const (
	answers kind = iota
	replaces
	garbles
	truncates
	drips
	drops
	dropsUnread
	stalls
)

// Status answers with a status, from 200 to 999, and from 400 on with Yoti's
// JSON for errors, whose code is made from the name of the status.
func Status(code int) Fault {
	if code < 200 || code > 999 {
		panic(fmt.Sprintf("yotitest: Status(%d): there is no such answer", code))
	}
	return Fault{kind: replaces, status: code, times: 1}
}

// Drop reads the request and hangs up without a word.
func Drop() Fault { return Fault{kind: drops, times: 1} }

// DropUnread resets the connection before the body of the request is read. It
// comes before the request is verified, unlike all other faults.
//
// A client that has not sent all of its request yet may or may not have noticed:
// it cannot know whether the service has acted.
func DropUnread() Fault { return Fault{kind: dropsUnread, times: 1} }

// Redirect answers 307 with a location, as it is given, which asks for the same
// request once more. No client may do that: its signature, its nonce and perhaps
// a face would go to another place.
func Redirect(location string) Fault {
	return Fault{kind: replaces, status: http.StatusTemporaryRedirect, location: location, times: 1}
}

// Stall reads the request and never answers. It lasts until the client hangs up
// or the server is closed.
func Stall() Fault { return Fault{kind: stalls, times: 1} }

// Truncate sends the header and the first n bytes of the body of the right
// answer, then hangs up.
func Truncate(n int) Fault { return Fault{kind: truncates, keep: max(n, 0), times: 1} }

// Slow sends the right answer after d.
func Slow(d time.Duration) Fault { return Fault{kind: answers, delay: d, times: 1} }

// Drip sends the header of the right answer at once, and then its body, 8 bytes at
// a time with a pause of d in between.
func Drip(d time.Duration) Fault { return Fault{kind: drips, delay: d, times: 1} }

// Garbage answers 200 with bytes that say they are JSON and are not.
func Garbage() Fault { return Fault{kind: garbles, times: 1} }

// Times is f for n requests instead of one.
func (f Fault) Times(n int) Fault {
	f.times = n
	return f
}

// On is f for requests to one endpoint only: a method and a template such as
// "/sessions/{session_id}". An empty string stands for any. On panics if the
// server has no such endpoint, since the fault would never happen.
func (f Fault) On(method, endpoint string) Fault {
	if endpoint != "" && !isEndpoint(endpoint) {
		panic(fmt.Sprintf("yotitest: On: there is no endpoint %q", endpoint))
	}
	f.method, f.endpoint = method, endpoint
	return f
}

// RetryAfter is f with a Retry-After header, in seconds, rounded up.
func (f Fault) RetryAfter(d time.Duration) Fault {
	f.retryAfter = strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
	return f
}

// Body is f with another body in its answer.
func (f Fault) Body(b []byte) Fault {
	f.body = append([]byte{}, b...) // not nil, even if b is
	return f
}

// answer is what f makes of the right answer, which it asks for only if the
// service shall act on the request.
func (f Fault) answer(right func() answer) answer {
	var a answer
	switch f.kind {
	case replaces:
		a = statusAnswer(f.status)
	case garbles:
		a = content(http.StatusOK, "application/json", []byte("\x89 not JSON \xff"))
	default:
		a = right()
	}
	if f.location != "" {
		a.header.Set("Location", f.location)
	}
	if f.retryAfter != "" {
		a.header.Set("Retry-After", f.retryAfter)
	}
	if f.body != nil {
		a.body, a.length = f.body, len(f.body)
	}
	if f.kind == truncates {
		a.body = a.body[:min(f.keep, len(a.body))]
	}
	return a
}

func statusAnswer(status int) answer {
	if status < http.StatusBadRequest {
		return content(status, "application/json", nil)
	}
	text := http.StatusText(status)
	if text == "" {
		text = "Unknown error"
	}
	code := strings.NewReplacer(" ", "_", "-", "_", "'", "").Replace(strings.ToUpper(text))
	return failure(status, code, "this fault was injected")
}

// Inject makes coming requests fail. A request meets the first fault that is
// meant for it and not used up; a fault is used up after one request, or as many
// as [Fault.Times] says. Faults that are injected later come after those that are
// still waiting.
//
// A request is verified before a fault answers it: one that is not signed as it
// should be is refused and uses up nothing but a [DropUnread].
func (s *Server) Inject(faults ...Fault) {
	s.faults.add(faults)
}

// faults are the faults that are waiting for a request.
type faults struct {
	mu      sync.Mutex
	waiting []Fault
}

func (q *faults) add(faults []Fault) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, faults...)
}

// take returns the fault for a request, which is the harmless zero Fault if none
// is waiting for it.
func (q *faults) take(method, endpoint string) Fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	f := q.next(method, endpoint)
	if f == nil {
		return Fault{}
	}
	f.times--
	return *f
}

// takeUnread takes the fault for a request if it is one that does not read it.
func (q *faults) takeUnread(method, endpoint string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	f := q.next(method, endpoint)
	if f == nil || f.kind != dropsUnread {
		return false
	}
	f.times--
	return true
}

// next returns the fault that a request meets, nil for none. q.mu is held.
func (q *faults) next(method, endpoint string) *Fault {
	for i := range q.waiting {
		f := &q.waiting[i]
		if f.times > 0 && f.isFor(method, endpoint) {
			return f
		}
	}
	return nil
}

func (f *Fault) isFor(method, endpoint string) bool {
	return (f.method == "" || f.method == method) && (f.endpoint == "" || f.endpoint == endpoint)
}
