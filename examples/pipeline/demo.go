package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"text/tabwriter"
	"time"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/examples/pipeline/internal/flow"
	"github.com/yotiface/yotiface/yotitest"
)

const (
	demoUser, demoPassword = "demo", "notifications"
	demoTime               = time.Minute // far more than it takes
)

// demo is the whole pipeline in this process, against a Yoti in memory. Some sessions are notified of as they should be,
// some twice, backwards or not at all; one notification is forged, and one is about a session that nobody knows.
func (s *settings) demo(ctx context.Context, stdout io.Writer, log *slog.Logger) (err error) {
	ctx, cancel := context.WithTimeout(ctx, demoTime)
	defer cancel()
	s.SweepEvery, s.SweepAfter, s.Backoff, s.ConfirmAfter = 200*time.Millisecond, time.Second, 200*time.Millisecond, 50*time.Millisecond
	if s.store == "" {
		if s.store, err = os.MkdirTemp("", "pipeline"); err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(s.store) }()
	}
	if s.listen, err = freeAddress(); err != nil {
		return err
	}
	world := yotitest.Demo()
	defer world.Close()
	nc, closeEngine, err := s.connect(log)
	if err != nil {
		return err
	}
	defer closeEngine()
	queue, err := flow.Open(ctx, nc, s.Config, log)
	if err != nil {
		return err
	}
	p := parts{
		settings: s, queue: queue, client: world.Client(flow.RetryPolicy()), auth: yotiface.BasicAuth(demoUser, demoPassword),
		log: slog.New(slog.DiscardHandler), stats: new(flow.Stats),
	}
	running, stop := context.WithCancel(ctx)
	stopped := make(chan error, 1)
	go func() { stopped <- p.run(running) }()

	d := demonstration{queue, world, "http://" + s.listen, map[string]string{}}
	err = d.play(ctx)
	if err == nil {
		err = d.wait(ctx)
	}
	stop()
	if err = errors.Join(err, <-stopped); err != nil {
		return err
	}
	return d.print(ctx, stdout, p.stats)
}

type demonstration struct {
	queue    *flow.Queue
	world    *yotitest.World
	endpoint string
	titles   map[string]string // of the sessions, by ID
}

// play is what happens: sessions are created and announced, users finish, and Yoti notifies.
func (d *demonstration) play(ctx context.Context) error {
	staff := d.world.PutApplicant(yotitest.DrawFace(1))
	pool := d.world.PutPool("STAFF", staff)
	for _, scene := range []struct {
		title  string
		happen func(id string)
	}{
		{"notified as it should be", func(id string) { d.world.CompleteSession(id, yotitest.Matches(staff)) }},
		{"each notification comes twice", func(id string) { d.world.CompleteSession(id, yotitest.DoubleNotifications()) }},
		{"the last notification comes first", func(id string) {
			d.world.CompleteSession(id, yotitest.Matches(staff), yotitest.ReverseNotifications())
		}},
		{"no notification comes", func(id string) { d.world.CompleteSession(id, yotitest.DropNotifications()) }},
		{"pending when the first one comes", func(id string) {
			d.world.PendSession(id)
			d.world.CompleteSession(id, yotitest.Matches(staff), yotitest.DropNotifications())
		}},
		{"the user never comes", func(id string) { d.world.ExpireSession(id) }},
	} {
		id, err := d.create(ctx, pool)
		if err != nil {
			return err
		}
		d.titles[id] = scene.title
		scene.happen(id)
	}
	// The sessions of the demo world are there already, so only the sweep comes to them.
	for _, session := range d.world.Sessions {
		if err := d.queue.Announce(ctx, session.ID); err != nil {
			return err
		}
		d.titles[session.ID] = "no notification; " + session.Title
	}
	for _, forged := range []struct {
		password string
		want     int
	}{{"guessed", http.StatusUnauthorized}, {demoPassword, http.StatusOK}} {
		if status, err := notify(ctx, d.endpoint, demoUser, forged.password, "11111111-2222-3333-4444-555555555555"); err != nil || status != forged.want {
			return fmt.Errorf("a notification was answered with %d, not %d: %w", status, forged.want, err)
		}
	}
	return nil
}

// create is what a backend does for each user.
func (d *demonstration) create(ctx context.Context, pool string) (sessionID string, err error) {
	created, err := d.world.Client().CreateSession(ctx, map[string]any{
		"requested_checks": []any{
			map[string]any{"type": "LIVENESS", "config": map[string]any{"liveness_type": "STATIC", "max_retries": 3}},
			map[string]any{"type": "FAMILIAR_FACE_SEARCH", "config": map[string]any{"pool_id": pool, "approval_criteria": "MATCH"}},
		},
		"notifications": map[string]any{
			"endpoint": d.endpoint, "topics": []string{"session_completion", "check_completion"},
			"auth_type": "BASIC", "auth_token": demoUser + ":" + demoPassword,
		},
	})
	if err != nil {
		return "", err
	}
	return created.SessionID, d.queue.Announce(ctx, created.SessionID)
}

// wait waits until every session has a verdict: a final one, but for the session that stays pending.
func (d *demonstration) wait(ctx context.Context) error {
	for {
		all, final, dead := 0, 0, 0
		err := errors.Join(
			d.queue.Verdicts(ctx, func(v flow.Verdict) error {
				all++
				if v.Final {
					final++
				}
				return nil
			}),
			d.queue.DeadLetters(ctx, func(uint64, flow.DeadLetter) error { dead++; return nil }))
		if err != nil || (all == len(d.titles) && final == all-1 && dead == 1) {
			return err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%d of %d sessions have a verdict: %w", all, len(d.titles), ctx.Err())
		}
	}
}

func (d *demonstration) print(ctx context.Context, stdout io.Writer, stats *flow.Stats) error {
	fmt.Fprintln(stdout, "Demo: no account is set, so this asks a Yoti in memory, on this machine. Nobody in it exists.")
	fmt.Fprintln(stdout)
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	err := d.queue.Verdicts(ctx, func(v flow.Verdict) error {
		fmt.Fprintf(table, "%s\t%s\t%s\n\t\t%s\n", v.SessionID, v.Outcome, d.titles[v.SessionID], v.Explanation)
		return nil
	})
	if err != nil {
		return err
	}
	err = d.queue.DeadLetters(ctx, func(_ uint64, dead flow.DeadLetter) error {
		fmt.Fprintf(table, "%s\t%s\t%s\n\t\t%s\n", dead.SessionID, "dead letter", "nobody knows this session", dead.Detail)
		return nil
	})
	if err = errors.Join(err, table.Flush()); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\n%s\n", stats.LogValue())
	return nil
}

// notify sends a notification as Yoti does, with a password that may be wrong.
func notify(ctx context.Context, endpoint, user, password, sessionID string) (status int, err error) {
	body, err := json.Marshal(map[string]string{"session_id": sessionID, "topic": "session_completion"})
	if err != nil {
		return 0, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.SetBasicAuth(user, password)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return resp.StatusCode, nil
}

// freeAddress finds a port that nobody listens on.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}
