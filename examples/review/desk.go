package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/yotiface/yotiface"
)

// A desk is where sessions lie until they have been reviewed, in the order in which they came. It reads what it was told
// of in the background, and again as long as there is no result: notifications can get lost.
type desk struct {
	client *yotiface.Client
	store  *store
	log    *slog.Logger
	titles map[string]string // of the demo's sessions, by ID

	names *handles[string] // of session IDs
	wake  chan struct{}

	mu    sync.Mutex
	items []*item
	byID  map[string]*item // in lower case
	came  int              // how many sessions have come, those that were removed included
}

// An item is a session on the desk.
type item struct {
	record
	Handle string
	Title  string // what it shows, in the demo
	Brief  brief  // what was read last

	due time.Time // when to read it in the background; zero: not at all
}

// A brief is what a list needs to know of a session: no face, no reports.
type brief struct {
	Read     time.Time // zero: never
	Err      error     // why it could not be read; what was read before it stays
	State    yotiface.SessionState
	Outcome  yotiface.ApprovalOutcome
	Who      string
	Began    time.Time
	Pools    []string
	Criteria []string
	Matches  int
	Searches int
	Subjects []subject // what there is to decide
}

// How often a session without a result is read again: the older it is, the less often.
const (
	soonest = 30 * time.Second
	latest  = 10 * time.Minute
)

func newDesk(client *yotiface.Client, store *store, log *slog.Logger, titles map[string]string) (*desk, error) {
	d := &desk{
		client: client, store: store, log: log, titles: titles,
		names: newHandles[string](0),
		wake:  make(chan struct{}, 1),
		byID:  map[string]*item{},
	}
	records, err := store.sessions()
	for _, r := range records {
		d.lay(r)
	}
	return d, err
}

// add puts a session on the desk, and sees to it that it is read soon. One that is there already is read again.
func (d *desk) add(sessionID string, from source) (item, error) {
	r := record{ID: sessionID, From: from, Added: time.Now().UTC()}
	if err := d.store.addSession(r); err != nil {
		return item{}, err
	}
	return d.lay(r), nil
}

func (d *desk) lay(r record) item {
	d.mu.Lock()
	key := strings.ToLower(r.ID)
	it, ok := d.byID[key]
	if !ok {
		it = &item{record: r, Handle: d.names.of(key), Title: d.titles[r.ID]}
		d.byID[key] = it
		d.items = append(d.items, it)
		d.came++
	}
	it.due = time.Now()
	copied := *it
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default: // it will look at everything when it wakes
	}
	return copied
}

// remove takes a session off the desk.
func (d *desk) remove(sessionID string) error {
	if err := d.store.removeSession(sessionID); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	key := strings.ToLower(sessionID)
	delete(d.byID, key)
	for i, it := range d.items {
		if strings.EqualFold(it.ID, sessionID) {
			d.items = append(d.items[:i:i], d.items[i+1:]...)
			break
		}
	}
	return nil
}

// find returns the session that a handle names.
func (d *desk) find(handle string) (item, bool) {
	key, ok := d.names.lookUp(handle)
	if !ok {
		return item{}, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	it, ok := d.byID[key]
	if !ok {
		return item{}, false
	}
	return *it, true
}

// all returns the sessions, and how many have come so far.
func (d *desk) all() (items []item, came int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, it := range d.items {
		items = append(items, *it)
	}
	return items, d.came
}

// read asks Yoti for a session and remembers the brief of it.
func (d *desk) read(ctx context.Context, sessionID string) (*yotiface.Session, error) {
	session, err := d.client.GetSession(ctx, sessionID)
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, err // nobody wants to know any more, and it says nothing about the session
	}
	now := time.Now().UTC()
	d.mu.Lock()
	defer d.mu.Unlock()
	it, ok := d.byID[strings.ToLower(sessionID)]
	if !ok {
		return session, err
	}
	it.due = time.Time{}
	again := now.Add(min(max(now.Sub(it.Added)/10, soonest), latest))
	if err != nil {
		it.Brief.Err, it.Brief.Read = err, now
		if isDown(err) {
			it.due = again
		}
		return nil, err
	}
	it.Brief = briefOf(session)
	it.Brief.Read = now
	if session.State == yotiface.SessionOngoing || it.Brief.Outcome == yotiface.OutcomePending {
		it.due = again
	}
	return session, nil
}

// run reads in the background what is due, until the context is done.
func (d *desk) run(ctx context.Context) {
	tick := time.NewTicker(soonest / 3)
	defer tick.Stop()
	for {
		for _, id := range d.due(time.Now()) {
			ctx, cancel := context.WithTimeout(ctx, patience)
			_, err := d.read(ctx, id)
			cancel()
			if err != nil {
				d.log.InfoContext(ctx, "a session could not be read", slog.Any("error", err))
			}
			if isDown(err) {
				break // the others would fare no better
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-d.wake:
		case <-tick.C:
		}
	}
}

func (d *desk) due(now time.Time) (ids []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, it := range d.items {
		if !it.due.IsZero() && !it.due.After(now) {
			ids = append(ids, it.ID)
		}
	}
	return ids
}

func briefOf(s *yotiface.Session) brief {
	b := brief{State: s.State, Outcome: s.FaceSearchOutcome(), Who: clean(s.UserTrackingID), Began: s.BiometricConsent}
	for _, f := range s.FamiliarFaceSearches() {
		b.Searches++
		b.Matches += len(f.Matches())
		b.Pools = append(b.Pools, cmp.Or(clean(f.Config.PoolLabel), "a pool without a label"))
		b.Criteria = append(b.Criteria, clean(string(f.Config.ApprovalCriteria)))
		if b.Began.IsZero() {
			b.Began = f.Created
		}
		for _, m := range f.Matches() {
			b.Subjects = append(b.Subjects, subjectOf(s, f, m))
		}
		if about, ok := subjectWithoutMatch(s, f); ok {
			b.Subjects = append(b.Subjects, about)
		}
	}
	return b
}

func subjectOf(s *yotiface.Session, f *yotiface.FamiliarFaceSearch, m yotiface.Match) subject {
	return subject{session: s.ID, check: f.ID, pool: m.PoolID, applicant: m.ApplicantID}
}

// subjectWithoutMatch is for a search that wants a person although there are no two faces to compare.
func subjectWithoutMatch(s *yotiface.Session, f *yotiface.FamiliarFaceSearch) (subject, bool) {
	if len(f.Matches()) > 0 || f.ApprovalOutcome() != yotiface.OutcomeUndetermined {
		return subject{}, false
	}
	return subject{session: s.ID, check: f.ID, pool: f.Config.PoolID}, true
}

// standing is where a session has got to, for the list.
type standing string

const (
	standingUnread  standing = "unread"  // it has never been read
	standingDown    standing = "down"    // Yoti did not answer
	standingUnknown standing = "unknown" // Yoti knows no such session
	standingWaiting standing = "waiting" // there is no result yet
	standingOpen    standing = "open"    // there is something to decide
	standingDecided standing = "decided" // all of it has been decided
	standingClear   standing = "clear"   // there is nothing to decide
	standingExpired standing = "expired" // the user did not come in time
)

// standing looks up what has been decided about a session.
func (s *store) standing(b brief) (standing, error) {
	switch {
	case errors.Is(b.Err, yotiface.ErrNotFound):
		return standingUnknown, nil
	case b.Err != nil && b.Searches == 0:
		return standingDown, nil
	case b.Read.IsZero():
		return standingUnread, nil
	}
	for _, about := range b.Subjects {
		if _, ok, err := s.current(about); err != nil || !ok {
			return standingOpen, err
		}
	}
	switch {
	case len(b.Subjects) > 0:
		return standingDecided, nil
	case b.Outcome == yotiface.OutcomePending || b.State == yotiface.SessionOngoing:
		return standingWaiting, nil
	case b.State == yotiface.SessionExpired:
		return standingExpired, nil
	}
	return standingClear, nil
}
