// Package rig has what tests and measurements need: a Yoti in a process of its own that fails at random, the nodes of a
// cluster, and a grip on processes that can be killed.
package rig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

// A World is what the Yoti process says about itself.
type World struct {
	URL, SDKID      string
	Key             []byte
	Pool, Applicant string // the applicant is in the pool
}

// A Command is what the Yoti process is told to do. It does several at the same time.
type Command struct {
	Do      string // complete, pend, expire, put, fill, notify, inject, fail, report
	Session string
	After   time.Duration // before it is done

	Match                 bool // of complete: the face is found
	Drop, Double, Reverse bool // of complete: what happens to the notifications

	JSON []byte // of put: a session as it stands; of fill: one with the ID "SESSION", which becomes Session and a number

	Endpoint, User, Password string // of notify: a notification without a session that was created for it

	Faults     string        // of fail and inject: one of the kinds below; of fail also "mixed"
	Share      float64       // of fail: of the requests for sessions
	Times      int           // of inject: how many requests for sessions; of fill: how many sessions
	RetryAfter time.Duration // of inject: what the answer says
}

// A Report is what has happened in the Yoti process.
type Report struct {
	Requests    int            // for sessions
	ByStatus    map[int]int    // 0: no answer
	Times       []time.Time    // of the requests' arrival
	Limited     []time.Time    // when a request that was answered with 429 arrived
	NoncesTwice int            // nonces that came more than once
	Notified    map[int]int    // notifications by status; 0: no answer
	Faults      map[string]int // that were injected, some of which may not have been met yet
}

const getSession = "/sessions/{session_id}"

// faults are what can go wrong with a request.
var faults = map[string]func() yotitest.Fault{
	"500":                  func() yotitest.Fault { return yotitest.Status(500) },
	"502 with HTML":        func() yotitest.Fault { return yotitest.Status(502).Body([]byte("<html>bad gateway</html>")) },
	"503":                  func() yotitest.Fault { return yotitest.Status(503) },
	"429":                  func() yotitest.Fault { return yotitest.Status(429) },
	"429 with Retry-After": func() yotitest.Fault { return yotitest.Status(429).RetryAfter(time.Second) },
	"401":                  func() yotitest.Fault { return yotitest.Status(401) },
	"404":                  func() yotitest.Fault { return yotitest.Status(404) },
	"302":                  func() yotitest.Fault { return yotitest.Status(302) },
	"204":                  func() yotitest.Fault { return yotitest.Status(204) },
	"drop":                 yotitest.Drop,
	"stall":                yotitest.Stall,
	"truncate":             func() yotitest.Fault { return yotitest.Truncate(rand.IntN(2000)) }, //nolint:gosec // G404: no secret
	"slow": func() yotitest.Fault {
		return yotitest.Slow(time.Duration(rand.IntN(500)) * time.Millisecond) //nolint:gosec // G404: no secret
	},
	"garbage": yotitest.Garbage,
}

// yoti is the Yoti process. It ends when its input does.
type yoti struct {
	server *yotitest.Server
	mu     sync.Mutex
	busy   chan struct{} // one for each command that is being done
	failed map[string]int
	sent   map[int]int
}

// ServeYoti is the main function of the Yoti process.
func ServeYoti(in io.Reader, out io.Writer) error {
	y := yoti{server: yotitest.NewServer(), busy: make(chan struct{}, 32), failed: map[string]int{}, sent: map[int]int{}}
	defer y.server.Close()
	w := World{URL: y.server.URL(), SDKID: y.server.SDKID(), Key: y.server.KeyPEM()}
	w.Applicant = y.server.PutApplicant(yotitest.DrawFace(1))
	w.Pool = y.server.PutPool("STAFF", w.Applicant)
	tell := json.NewEncoder(out)
	if err := tell.Encode(w); err != nil {
		return err
	}
	var doing sync.WaitGroup
	for decoder := json.NewDecoder(in); ; {
		var c Command
		if err := decoder.Decode(&c); err == io.EOF { //nolint:errorlint // the decoder returns it as it is
			return nil
		} else if err != nil {
			return err
		}
		if c.Do == "report" {
			doing.Wait()
			if err := tell.Encode(y.report()); err != nil {
				return err
			}
			continue
		}
		switch c.Do {
		case "fail":
			go y.fail(c) // to the end
			continue
		case "inject":
			y.do(c, w.Applicant) // before whatever comes next
			continue
		}
		doing.Go(func() {
			time.Sleep(c.After)
			y.busy <- struct{}{}
			defer func() { <-y.busy }()
			y.do(c, w.Applicant)
		})
	}
}

func (y *yoti) do(c Command, applicant string) {
	var options []yotitest.CompleteOption
	if c.Match {
		options = append(options, yotitest.Matches(applicant))
	}
	if c.Drop {
		options = append(options, yotitest.DropNotifications())
	}
	if c.Double {
		options = append(options, yotitest.DoubleNotifications())
	}
	if c.Reverse {
		options = append(options, yotitest.ReverseNotifications())
	}
	switch c.Do {
	case "complete":
		y.server.CompleteSession(c.Session, options...)
	case "pend":
		y.server.PendSession(c.Session)
	case "expire":
		y.server.ExpireSession(c.Session)
	case "put":
		y.server.PutSession(c.JSON)
	case "fill":
		for i := range c.Times {
			y.server.PutSession(bytes.Replace(c.JSON, []byte(`"SESSION"`), fmt.Appendf(nil, `"%s%d"`, c.Session, i), 1))
		}
	case "notify":
		y.notify(c)
	case "inject":
		fault := faults[c.Faults]().Times(c.Times).On(http.MethodGet, getSession)
		if c.RetryAfter > 0 {
			fault = fault.RetryAfter(c.RetryAfter)
		}
		y.server.Inject(fault)
	default:
		panic(fmt.Sprintf("rig: what is %q?", c.Do))
	}
}

// notify sends a notification that no session asked for.
func (y *yoti) notify(c Command) {
	body := fmt.Appendf(nil, `{"session_id":%q,"topic":"session_completion"}`, c.Session)
	r, err := http.NewRequest(http.MethodPost, c.Endpoint, bytes.NewReader(body)) //nolint:noctx // the server has its time limits
	if err != nil {
		panic(err)
	}
	r.SetBasicAuth(c.User, c.Password)
	status := 0
	if resp, err := http.DefaultClient.Do(r); err == nil {
		_ = resp.Body.Close()
		status = resp.StatusCode
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	y.sent[status]++
}

// fail makes a share of the requests for sessions fail. The requests in between meet a fault that is none, so the share is
// exact whatever the rate.
func (y *yoti) fail(c Command) {
	kinds := []string{c.Faults}
	if c.Faults == "mixed" {
		kinds = nil
		for kind := range faults {
			kinds = append(kinds, kind)
		}
	}
	for ahead := 0; ; time.Sleep(100 * time.Millisecond) {
		seen := 0
		for _, request := range y.server.Requests() {
			if request.Method == http.MethodGet {
				seen++
			}
		}
		for ahead < seen+200 {
			kind := kinds[rand.IntN(len(kinds))]                //nolint:gosec // G404: no secret
			between := int(rand.ExpFloat64() * (1/c.Share - 1)) //nolint:gosec // G404: no secret
			y.server.Inject(yotitest.Slow(0).Times(between).On(http.MethodGet, getSession),
				faults[kind]().On(http.MethodGet, getSession))
			ahead += between + 1
			y.mu.Lock()
			y.failed[kind]++
			y.mu.Unlock()
		}
	}
}

func (y *yoti) report() Report {
	y.mu.Lock()
	defer y.mu.Unlock()
	r := Report{ByStatus: map[int]int{}, Notified: maps.Clone(y.sent), Faults: maps.Clone(y.failed)}
	seen := map[string]int{}
	for _, request := range y.server.Requests() {
		if seen[request.Nonce]++; seen[request.Nonce] == 2 {
			r.NoncesTwice++
		}
		if request.Method != http.MethodGet || request.Endpoint != getSession {
			continue
		}
		r.Requests++
		r.ByStatus[request.Status]++
		r.Times = append(r.Times, request.Time)
		if request.Status == http.StatusTooManyRequests {
			r.Limited = append(r.Limited, request.Time)
		}
	}
	for _, delivery := range y.server.Notifications() {
		r.Notified[delivery.Status]++
	}
	return r
}

// Client returns a client for the Yoti process.
func (w World) Client(opts ...yotiface.Option) (*yotiface.Client, error) {
	return yotiface.NewClient(w.SDKID, w.Key, append([]yotiface.Option{yotiface.WithBaseURL(w.URL)}, opts...)...)
}
