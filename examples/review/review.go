package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// A place is what of a session is looked at. It is kept in the query, in numbers.
type place struct {
	show     filter
	item     int // which match, counted over all searches of the session
	captured int // which of the captured images
	face     int // which face of the matching applicant
}

func placeOf(q url.Values) place {
	at := func(name string) int {
		n, err := strconv.Atoi(q.Get(name))
		if err != nil || n < 1 {
			return 1
		}
		return n
	}
	return place{filterOf(q.Get("show")), at("match"), at("captured"), at("face")}
}

func (p place) query() string {
	q := url.Values{}
	if p.show != filterOpen {
		q.Set("show", string(p.show))
	}
	for name, n := range map[string]int{"match": p.item, "captured": p.captured, "face": p.face} {
		if n > 1 {
			q.Set(name, strconv.Itoa(n))
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// A nav leads from one session to the next, in the order in which they came.
type nav struct {
	List     string // URLs; "" for none
	Previous string
	Next     string
	Who      string
	Title    string
	Position int // among those that the filter takes; 0: it does not take this one
	Count    int
	Filter   filter
}

// onward is where to go after a decision.
func (n nav) onward() (url, word string) {
	switch {
	case n.Next == "":
		return n.List, "To the list"
	case n.Filter == filterOpen:
		return n.Next, "Next to review"
	}
	return n.Next, "Next session"
}

// Counted says what is counted.
func (n nav) Counted() string {
	switch {
	case n.Filter == filterOpen:
		return "to review"
	case n.Count == 1:
		return "session"
	}
	return "sessions"
}

// navFor finds the neighbours of a session among those that a filter takes.
func (a *app) navFor(it item, show filter) (nav, error) {
	n := nav{List: "/" + show.query(), Who: who(it), Title: it.Title, Filter: show}
	items, _ := a.desk.all()
	passed := false
	for _, other := range items {
		at, err := a.store.standing(other.Brief)
		if err != nil {
			return nav{}, err
		}
		takes := show.takes(at)
		if takes {
			n.Count++
		}
		switch {
		case other.Handle == it.Handle:
			passed = true
			if takes {
				n.Position = n.Count
			}
		case !takes:
		case passed && n.Next == "":
			n.Next = "/review/" + other.Handle + show.query()
		case !passed:
			n.Previous = "/review/" + other.Handle + show.query()
		}
	}
	return n, nil
}

// A screen is a page that has been put together: the template, what it shows, and the status to answer with.
type screen struct {
	template string
	view     any
	status   int
}

// loadingView is a page whose content is on its way.
type loadingView struct {
	page
	Nav nav
}

// showReview shows a session. Where Yoti takes its time the page begins without it and says so; no script is needed
// for that.
func (a *app) showReview(w http.ResponseWriter, r *http.Request) {
	it, ok := a.desk.find(r.PathValue("session"))
	if !ok {
		p := problem{
			Kind: "unknown", Status: http.StatusNotFound, Title: "This address leads nowhere", Back: "/",
			Text: "Addresses of sessions last until the program is started again, so that they give nothing away. Find the session in the list.",
		}
		a.render(w, p.Status, "problem", problemView{page: a.page(r, p.Title), Problem: p})
		return
	}
	at := placeOf(r.URL.Query())
	n, err := a.navFor(it, at.show)
	if err != nil {
		a.failed(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	base := a.page(r, n.Who)
	ready := make(chan screen, 1)
	go func() { ready <- a.look(ctx, base, it, at) }()

	hold := time.NewTimer(a.hold)
	defer hold.Stop()
	select {
	case s := <-ready:
		a.render(w, s.status, s.template, s.view)
	case <-hold.C:
		a.stream(w, loadingView{base, n}, ready)
	}
}

// stream sends the beginning of a page at once, and the rest when it is ready. It is too late for a status then.
func (a *app) stream(w http.ResponseWriter, loading loadingView, ready <-chan screen) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	send := func(view any, parts ...string) bool {
		var text bytes.Buffer
		for _, part := range parts {
			if err := templates.ExecuteTemplate(&text, part, view); err != nil {
				a.log.Error("a page cannot be written", slog.Any("error", err))
				return false
			}
		}
		_, err := w.Write(text.Bytes())
		return err == nil && http.NewResponseController(w).Flush() == nil
	}
	sent := send(loading, "top", "loading")
	s := <-ready
	if !sent || !send(s.view, s.template, "bottom") {
		panic(http.ErrAbortHandler) // half a page must not look like a whole one
	}
}
