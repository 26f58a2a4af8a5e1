package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// A door lets people in who say who they are and, if there is an access token, know it. The name is what decisions are
// signed with: it is believed, not verified.
type door struct {
	token  string // "" if none is asked for
	secure bool   // the page is reached over https

	mu     sync.Mutex
	inside map[string]visitor // by the hash of the cookie
	now    func() time.Time
}

type visitor struct {
	name  string
	until time.Time
}

const (
	shift       = 12 * time.Hour // how long a name is remembered
	maxVisitors = 1000
	maxName     = 60
)

func newDoor(token string, secure bool) *door {
	return &door{token: token, secure: secure, inside: map[string]visitor{}, now: time.Now}
}

// cookieName has the prefix that makes browsers insist on https and on this very host, where there is https.
func (d *door) cookieName() string {
	if d.secure {
		return "__Host-review"
	}
	return "review"
}

// enter remembers a visitor and gives them a cookie. A cookie from before is of no use afterwards.
func (d *door) enter(w http.ResponseWriter, r *http.Request, name string) {
	d.forget(r)
	value := rand.Text()
	d.mu.Lock()
	if len(d.inside) >= maxVisitors {
		clear(d.inside) // more than there are people: they say their names again
	}
	d.inside[hashed(value)] = visitor{name, d.now().Add(shift)}
	d.mu.Unlock()
	http.SetCookie(w, d.cookie(value, int(shift.Seconds())))
}

// leave forgets a visitor.
func (d *door) leave(w http.ResponseWriter, r *http.Request) {
	d.forget(r)
	http.SetCookie(w, d.cookie("", -1))
}

func (d *door) forget(r *http.Request) {
	if cookie, err := r.Cookie(d.cookieName()); err == nil {
		d.mu.Lock()
		delete(d.inside, hashed(cookie.Value))
		d.mu.Unlock()
	}
}

func (d *door) cookie(value string, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // G124: Secure is set wherever there is https
		Name: d.cookieName(), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: d.secure, SameSite: http.SameSiteStrictMode,
	}
}

// who returns the name of who makes a request; "" for a stranger.
func (d *door) who(r *http.Request) string {
	cookie, err := r.Cookie(d.cookieName())
	if err != nil {
		return ""
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	key := hashed(cookie.Value)
	v, ok := d.inside[key]
	if ok && d.now().After(v.until) {
		delete(d.inside, key)
		return ""
	}
	return v.name
}

// opens reports whether a token is the right one, in a time that does not depend on what it is.
func (d *door) opens(token string) bool {
	want, got := sha256.Sum256([]byte(d.token)), sha256.Sum256([]byte(token))
	return d.token == "" || subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

func hashed(value string) string {
	hash := sha256.Sum256([]byte(value))
	return string(hash[:])
}

// enterView is the page that asks for a name.
type enterView struct {
	page
	Name     string
	Next     string
	AskToken bool
	Problem  string
}

func (a *app) showDoor(w http.ResponseWriter, r *http.Request) {
	a.render(w, http.StatusOK, "enter", enterView{
		page: a.page(r, "Who is reviewing?"), Next: localPath(r.FormValue("next")), AskToken: a.door.token != "",
	})
}

func (a *app) enter(w http.ResponseWriter, r *http.Request) {
	view := enterView{
		page: a.page(r, "Who is reviewing?"), AskToken: a.door.token != "",
		Name: clean(r.PostFormValue("name")), Next: localPath(r.PostFormValue("next")),
	}
	switch {
	case view.Name == "":
		view.Problem = "Please say who you are: decisions are kept with a name."
	case utf8.RuneCountInString(view.Name) > maxName:
		view.Problem = "That name is too long."
	case !a.door.opens(r.PostFormValue("token")):
		view.Problem = "That is not the access token."
	}
	if view.Problem != "" {
		a.render(w, http.StatusUnprocessableEntity, "enter", view)
		return
	}
	a.door.enter(w, r, view.Name)
	http.Redirect(w, r, view.Next, http.StatusSeeOther)
}

func (a *app) leave(w http.ResponseWriter, r *http.Request) {
	a.door.leave(w, r)
	http.Redirect(w, r, "/enter", http.StatusSeeOther)
}

// localPath is a path of this page to go on to; anything else becomes the list.
func localPath(path string) string {
	if !strings.HasPrefix(path, "/review/") || strings.ContainsAny(path, "\\\r\n") {
		return "/"
	}
	return path
}

type reviewerKey struct{}

// named lets only those through who have said who they are.
func (a *app) named(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := a.door.who(r)
		switch {
		case name != "":
			next(w, r.WithContext(context.WithValue(r.Context(), reviewerKey{}, name)))
		case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/review/"):
			http.Redirect(w, r, "/enter?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther) //nolint:gosec // G710: it stays here
		case r.Method == http.MethodGet && r.URL.Path == "/":
			http.Redirect(w, r, "/enter", http.StatusSeeOther)
		default:
			http.Error(w, "Say who you are first.", http.StatusForbidden)
		}
	}
}

// reviewer is who makes a request that came through named.
func reviewer(r *http.Request) string {
	name, _ := r.Context().Value(reviewerKey{}).(string)
	return name
}
