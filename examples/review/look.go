package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/yotiface/yotiface"
)

// A finding is a match with the search that it is of, or a search without a match.
type finding struct {
	search *yotiface.FamiliarFaceSearch
	match  *yotiface.Match
	about  subject
	open   bool // there is something to decide about it
}

func findingsOf(s *yotiface.Session) (findings []finding) {
	for _, f := range s.FamiliarFaceSearches() {
		for _, m := range f.Matches() {
			findings = append(findings, finding{f, &m, subjectOf(s, f, m), true})
		}
		if len(f.Matches()) == 0 {
			about, open := subjectWithoutMatch(s, f)
			findings = append(findings, finding{f, nil, about, open})
		}
	}
	return findings
}

// look reads a session and puts together what there is to see.
func (a *app) look(ctx context.Context, base page, it item, at place) screen {
	session, err := a.desk.read(ctx, it.ID)
	if fresh, ok := a.desk.find(it.Handle); ok {
		it = fresh // what was read belongs in the way to the next one, too
	}
	n, navErr := a.navFor(it, at.show)
	if navErr != nil {
		return a.broken(base, n, navErr)
	}
	base.Title = n.Who
	if err != nil {
		p := problemOf(err)
		p.Back = n.List
		switch p.Kind {
		case "unknown":
			p.Remove = "/review/" + it.Handle + "/remove"
		case "down":
			p.Retry = "/review/" + it.Handle + at.query()
		}
		return screen{"problem", problemView{base, n, p}, p.Status}
	}
	view := &reviewView{
		page: base, Nav: n,
		Session: sessionView{State: clean(string(session.State)), Began: session.BiometricConsent, Read: it.Brief.Read},
		IDs:     []idView{{"Session", session.ID}},
	}
	if err := a.fill(ctx, view, session, it, at); err != nil {
		return a.broken(base, n, err)
	}
	return screen{"review", view, http.StatusOK}
}

func (a *app) broken(base page, n nav, err error) screen {
	a.log.Error("the database failed", slog.Any("error", err))
	return screen{"problem", problemView{base, n, problem{
		Kind: "down", Title: "This page does not work right now", Back: "/",
		Text: "The database did not do what it was asked to do. Whoever runs this page finds the reason in its log.",
	}}, http.StatusInternalServerError}
}

// fill shows one finding of a session.
func (a *app) fill(ctx context.Context, view *reviewView, session *yotiface.Session, it item, at place) error {
	findings := findingsOf(session)
	at.item = max(1, min(at.item, len(findings)))
	url := func(p place) string { return "/review/" + it.Handle + p.query() }
	if len(findings) == 0 {
		view.Notice = noticeWithout(session)
		view.Checks = checkViews(session, nil)
		if session.State == yotiface.SessionOngoing {
			view.Again = again
		}
		return nil
	}
	for i, f := range findings {
		current, _, err := a.store.current(f.about)
		if err != nil {
			return err
		}
		if current.Verdict == verdictReopened {
			current.Verdict = ""
		}
		there := place{show: at.show, item: i + 1}
		view.Tabs = append(view.Tabs, tab{url(there), tabLabel(findings, i), current.Verdict, i+1 == at.item})
	}
	f := findings[at.item-1]
	view.Search = searchViewOf(f.search)
	view.Notice = noticeOf(session, f.search)
	view.Captured = a.capturedView(session, f.search, at, url)
	view.Checks = checkViews(session, f.search)
	view.IDs = append(view.IDs, idView{"Face search", f.search.ID}, idView{"Pool", f.search.Config.PoolID})
	if f.search.ApprovalOutcome() == yotiface.OutcomePending {
		view.Again = again
	}
	gone := a.knownView(ctx, view, f, at, url)
	if !f.open {
		return nil
	}
	return a.decisionOf(view, f, it, at, gone)
}

// again is after how many seconds a page without a result asks anew.
const again = 10

// capturedView shows who came.
func (a *app) capturedView(s *yotiface.Session, f *yotiface.FamiliarFaceSearch, at place, url func(place) string) faceView {
	v := faceView{Caption: "Captured", Detail: "in this session", Alt: "The face that was captured in this session"}
	images := s.CapturedImages(f)
	if len(images) == 0 {
		v.Missing = "No captured image"
		v.Hint = "The session does not list an image that the search looked at."
		if s.State == yotiface.SessionExpired {
			v.Hint = "Nobody came before the session expired."
		}
		return v
	}
	n := max(1, min(at.captured, len(images)))
	image := images[n-1]
	v.Src = "/captured/" + a.captures.of(capture{s.ID, image.ID})
	v.Time, v.TimeOf = image.Created, "Captured"
	v.Pager = pagerOf(n, len(images), func(to int) string {
		there := at
		there.captured = to
		return url(there)
	})
	return v
}

// knownView shows who is known, if the search found somebody. gone is true if there is no face any more to compare with.
func (a *app) knownView(ctx context.Context, view *reviewView, f finding, at place, url func(place) string) (gone bool) {
	pool := cmp.Or(clean(f.search.Config.PoolLabel), "the pool")
	if f.match != nil && !strings.EqualFold(f.match.PoolID, f.search.Config.PoolID) {
		pool = "another pool"
		view.IDs = append(view.IDs, idView{"Pool of the match", f.match.PoolID})
	}
	v := &view.Known
	*v = faceView{Caption: "Known face", Detail: "in " + pool, Alt: "The known face in " + pool}
	if f.match == nil {
		switch f.search.ApprovalOutcome() {
		case yotiface.OutcomePending:
			v.Missing, v.Hint, v.Coming = "No result yet", "Yoti is still searching "+pool+".", true
		default:
			v.Missing, v.Hint = "No match", "No face in "+pool+" was reported as a match."
		}
		return true
	}
	view.IDs = append(view.IDs, idView{"Applicant", f.match.ApplicantID})
	applicant, err := a.client.GetApplicant(ctx, f.match.ApplicantID)
	switch {
	case errors.Is(err, yotiface.ErrNotFound):
		v.Missing, v.Hint = "No applicant any more", "The applicant who matched has been deleted since, and the face with them."
		return true
	case err != nil:
		v.Missing, v.Hint, v.Retry = "The face could not be fetched", problemOf(err).Title+".", url(at)
		return false
	}
	faces := applicant.FaceIDs()
	if len(faces) == 0 {
		v.Missing, v.Hint = "No face any more", "The applicant who matched has no face any more: it has been deleted since."
		return true
	}
	n := max(1, min(at.face, len(faces)))
	v.Src = "/known/" + a.known.of(knownFace{applicant.ID, faces[n-1]})
	v.Time, v.TimeOf = applicant.Created, "Enrolled"
	view.IDs = append(view.IDs, idView{"Face", faces[n-1]})
	v.Pager = pagerOf(n, len(faces), func(to int) string {
		there := at
		there.face = to
		return url(there)
	})
	return false
}

// decisionOf shows what has been decided, and what can be.
func (a *app) decisionOf(view *reviewView, f finding, it item, at place, gone bool) error {
	history, err := a.store.history(f.about)
	if err != nil {
		return err
	}
	d := &decisionView{
		Action: "/review/" + it.Handle + "/decide",
		Seen:   len(history), At: strings.TrimPrefix(place{show: at.show, item: at.item}.query(), "?"),
		Match: f.match != nil, History: history,
	}
	if n := len(history); n > 0 && history[n-1].Verdict != verdictReopened {
		d.Current = &history[n-1]
	}
	switch {
	case !d.Match:
		d.Why = "There are no two faces to compare. Say what you have seen to, and what it rests on."
	case gone:
		d.Why = "There is no face to compare with any more. Say what your decision rests on."
	case view.Captured.Src == "":
		d.Why = "There is no captured face to compare. Say what your decision rests on."
	case view.Known.Src == "":
		d.Closed = "Decide when both faces are there."
	}
	faceless := d.Why != ""
	d.Overrules = overrules(history, view.Reviewer)
	if d.Overrules && !faceless {
		d.Why = "Another reviewer has decided. Say why that should not hold: both are kept."
	}
	d.NeedNote = d.Why != ""
	d.Next, d.NextWord = view.Nav.onward()
	d.Subject = a.subjects.of(choice{f.about, f.search.ApprovalOutcome().String(), faceless, view.Captured.Src, view.Known.Src})
	view.Decision = d
	return nil
}
