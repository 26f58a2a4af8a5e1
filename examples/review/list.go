package main

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/yotiface/yotiface"
)

// A filter is which sessions a list shows. The zero filter is the one for work.
type filter string

const (
	filterOpen    filter = ""
	filterWaiting filter = "waiting"
	filterClosed  filter = "closed"
	filterAll     filter = "all"
)

func filterOf(name string) filter {
	switch f := filter(name); f {
	case filterWaiting, filterClosed, filterAll:
		return f
	default:
		return filterOpen
	}
}

func (f filter) takes(s standing) bool {
	switch f {
	case filterAll:
		return true
	case filterWaiting:
		return s == standingWaiting || s == standingUnread || s == standingDown
	case filterClosed:
		return s == standingDecided || s == standingClear || s == standingExpired || s == standingUnknown
	default:
		return s == standingOpen
	}
}

// query is the part of a URL that keeps the filter.
func (f filter) query() string {
	if f == filterOpen {
		return ""
	}
	return "?show=" + string(f)
}

// listView is the list of sessions.
type listView struct {
	page
	Filters []filterView
	Rows    []row
	More    int // sessions that are not shown
	Empty   string
	Came    int
	Asked   string // what was asked for, if that was no use
	Problem string // why
	Arrival bool   // the demo can let somebody come
}

type filterView struct {
	Name    string
	Query   string
	Count   int
	Current bool
}

type row struct {
	Href     string
	Who      string
	Title    string
	From     source
	Searches []searched
	Outcome  string // "" where nothing is known
	Word     string
	Matches  int
	Standing standing
	When     time.Time
	Since    bool // When is when the session got here: more is not known
}

type searched struct{ Pool, Criterion string }

// maxRows is how long a list may be.
const maxRows = 300

func (a *app) showList(w http.ResponseWriter, r *http.Request) {
	a.list(w, r, http.StatusOK, "", "")
}

func (a *app) list(w http.ResponseWriter, r *http.Request, status int, asked, problem string) {
	shown := filterOf(r.URL.Query().Get("show"))
	items, came := a.desk.all()
	view := listView{page: a.page(r, "Sessions"), Came: came, Asked: asked, Problem: problem, Arrival: a.demo != nil && a.demo.endpoint != ""}
	counts := map[filter]int{}
	for _, it := range items {
		at, err := a.store.standing(it.Brief)
		if err != nil {
			a.failed(w, r, err)
			return
		}
		for _, f := range []filter{filterOpen, filterWaiting, filterClosed, filterAll} {
			if f.takes(at) {
				counts[f]++
			}
		}
		switch {
		case !shown.takes(at):
		case len(view.Rows) == maxRows:
			view.More++
		default:
			view.Rows = append(view.Rows, rowOf(it, at, shown))
		}
	}
	for _, f := range []struct {
		filter
		name string
	}{{filterOpen, "To review"}, {filterWaiting, "Waiting"}, {filterClosed, "Closed"}, {filterAll, "All"}} {
		view.Filters = append(view.Filters, filterView{f.name, f.query(), counts[f.filter], f.filter == shown})
	}
	view.Empty = emptyWord(shown, len(items))
	a.render(w, status, "list", view)
}

func emptyWord(f filter, all int) string {
	switch {
	case all == 0:
		return "No session has come yet. Notifications put them here, and so does asking for one by its ID."
	case f == filterOpen:
		return "Nothing is left to review."
	case f == filterWaiting:
		return "Nothing is waiting for a result."
	case f == filterClosed:
		return "Nothing has been closed yet."
	default:
		return ""
	}
}

func rowOf(it item, at standing, shown filter) row {
	b := it.Brief
	out := row{
		Href: "/review/" + it.Handle + shown.query(),
		Who:  who(it), Title: it.Title, From: it.From,
		Matches: b.Matches, Standing: at, When: b.Began,
	}
	if out.When.IsZero() {
		out.When, out.Since = it.Added, true
	}
	for i := range b.Pools {
		out.Searches = append(out.Searches, searched{b.Pools[i], b.Criteria[i]})
	}
	if at != standingUnread && at != standingDown && at != standingUnknown && at != standingExpired {
		out.Outcome, out.Word = strings.ToLower(b.Outcome.String()), outcomeWord(b.Outcome)
	}
	return out
}

// who names a session as a person would: by what the backend called its user or else by the beginning of its ID.
func who(it item) string {
	if it.Brief.Who != "" {
		return it.Brief.Who
	}
	return "Session " + clean(it.ID[:min(8, len(it.ID))]) + "…"
}

// showNews tells how many sessions have come since a list was made.
func (a *app) showNews(w http.ResponseWriter, r *http.Request) {
	_, came := a.desk.all()
	since, err := strconv.Atoi(r.URL.Query().Get("since"))
	if err != nil || since >= came {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(strconv.Itoa(came - since)))
}

// addSession looks a session up that somebody asked for by its ID, and puts it on the desk if there is one.
func (a *app) addSession(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimSpace(r.PostFormValue("session_id"))
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	session, err := a.client.GetSession(ctx, id)
	if err != nil {
		p := problemOf(err)
		if errors.Is(err, yotiface.ErrInvalidArgument) {
			p.Status, p.Text = http.StatusUnprocessableEntity, "That is not a session ID."
		}
		a.list(w, r, p.Status, clean(id), p.Text)
		return
	}
	it, err := a.desk.add(session.ID, fromReviewer)
	if err != nil {
		a.failed(w, r, err)
		return
	}
	http.Redirect(w, r, "/review/"+it.Handle+filterAll.query(), http.StatusSeeOther)
}

// removeSession takes a session off the list.
func (a *app) removeSession(w http.ResponseWriter, r *http.Request) {
	if it, ok := a.desk.find(r.PathValue("session")); ok {
		if err := a.desk.remove(it.ID); err != nil {
			a.failed(w, r, err)
			return
		}
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// notify takes a notification for what it is: a hint to read the session.
func (a *app) notify(_ context.Context, n yotiface.Notification) error {
	_, err := a.desk.add(n.SessionID, fromNotification)
	return err
}
