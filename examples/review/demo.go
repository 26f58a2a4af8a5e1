package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

// A demo is a Yoti in memory with sessions to review, and more people to come.
type demo struct {
	world    *yotitest.World
	client   *yotiface.Client
	endpoint string // of notifications
	token    string // that they carry

	mu     sync.Mutex
	pool   *yotiface.Pool
	barred []string // applicants in it
	came   int
}

func newDemo() *demo {
	world := yotitest.Demo()
	return &demo{world: world, client: world.Client(), token: rand.Text()}
}

func (d *demo) titles() map[string]string {
	titles := map[string]string{}
	for _, s := range d.world.Sessions {
		titles[s.ID] = s.Title
	}
	return titles
}

func (d *demo) close() {
	d.client.CloseIdleConnections()
	d.world.Close()
}

// The people who come, by the seeds of their faces. The first ones are barred.
var (
	demoBarred    = []int64{31, 34, 38}
	demoStrangers = []int64{33, 35, 40}
)

// arrive lets somebody go through a session as a guest does: it is created with an address for notifications, the guest
// finishes, and Yoti says so. Every other guest is somebody who is barred.
func (d *demo) arrive(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.prepare(ctx); err != nil {
		return err
	}
	search, err := yotiface.NewFamiliarFaceSearchCheck(d.pool.ID, yotiface.CriteriaNoMatch)
	if err != nil {
		return err
	}
	n := d.came
	d.came++
	spec, err := json.Marshal(map[string]any{
		"client_session_token_ttl": 900,
		"user_tracking_id":         fmt.Sprintf("walk-in-%d", d.came),
		"requested_checks": []any{
			map[string]any{"type": "LIVENESS", "config": map[string]any{"liveness_type": "STATIC", "max_retries": 3}},
			search,
		},
		"notifications": map[string]any{
			"endpoint":   d.endpoint,
			"topics":     []string{"session_completion"},
			"auth_type":  "BEARER",
			"auth_token": d.token,
		},
	})
	if err != nil {
		return err
	}
	session, err := d.client.CreateSession(ctx, json.RawMessage(spec))
	if err != nil {
		return err
	}
	who := n / 2 % len(d.barred)
	seed, match := demoBarred[who], yotitest.Matches(d.barred[who])
	if n%2 == 1 {
		seed, match = demoStrangers[who], yotitest.NoMatch()
	}
	d.world.CompleteSession(session.SessionID, yotitest.WithCapture(yotitest.DrawCapture(seed)), match) //nolint:contextcheck // it takes none
	return nil
}

// prepare makes the pool that arrivals are searched in.
func (d *demo) prepare(ctx context.Context) error {
	if d.pool != nil {
		return nil
	}
	pool, err := d.client.CreatePool(ctx, "BARRED GUESTS")
	if err != nil {
		return err
	}
	var barred []string
	for _, seed := range demoBarred {
		applicant, err := d.client.CreateApplicantWithFace(ctx, yotitest.DrawFace(seed))
		if err == nil {
			err = d.client.AddApplicantToPool(ctx, pool.ID, applicant.ID)
		}
		if err != nil {
			return err
		}
		barred = append(barred, applicant.ID)
	}
	d.pool, d.barred = pool, barred
	return nil
}

// demoArrival lets somebody come. The list has them by the time that the answer goes out.
func (a *app) demoArrival(w http.ResponseWriter, r *http.Request) {
	if err := a.demo.arrive(r.Context()); err != nil {
		a.failed(w, r, err)
		return
	}
	http.Redirect(w, r, "/"+filterAll.query(), http.StatusSeeOther)
}

// temporaryStore is a database in a folder of its own, which goes when the program ends.
func temporaryStore() (s *store, remove func(), err error) {
	folder, err := os.MkdirTemp("", "review-")
	if err != nil {
		return nil, nil, err
	}
	remove = func() { _ = os.RemoveAll(folder) } // in a folder for what is temporary
	s, err = openStore(filepath.Join(folder, "review.db"))
	if err != nil {
		remove()
		return nil, nil, err
	}
	return s, remove, nil
}
