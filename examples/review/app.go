package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"time"

	"github.com/yotiface/yotiface"
)

const (
	patience = 25 * time.Second // how long somebody who looks at the page waits for Yoti at most
	maxForm  = 16 << 10
)

// An app is the page: what it knows, and its handlers.
type app struct {
	client *yotiface.Client
	store  *store
	desk   *desk
	door   *door
	demo   *demo // nil where real sessions are reviewed
	log    *slog.Logger

	notifications yotiface.NotificationAuth
	notified      bool // there are credentials for notifications

	subjects *handles[choice]
	captures *handles[capture]
	known    *handles[knownFace]
	losses   *losses

	hold time.Duration // how long an answer may take before the page says that it is on its way
}

// What handles of the app stand for.
type (
	// A choice is what there is to decide, as the page showed it.
	choice struct {
		about    subject
		saw      string
		faceless bool // there were no two faces to compare, so a note has to say what the decision rests on
		captured string
		face     string // the URLs of the faces; "" for none
	}
	capture   struct{ session, media string }
	knownFace struct{ applicant, face string }
)

// maxShown is how many faces and choices the handles of one kind remember.
const maxShown = 10000

func newApp(client *yotiface.Client, store *store, desk *desk, door *door, log *slog.Logger) *app {
	return &app{
		client: client, store: store, desk: desk, door: door, log: log,
		subjects: newHandles[choice](maxShown),
		captures: newHandles[capture](maxShown),
		known:    newHandles[knownFace](maxShown),
		losses:   newLosses(maxShown),
		hold:     300 * time.Millisecond,
	}
}

// handler is all of the page behind its guards. Notifications come from Yoti and not from a browser, and bring
// credentials of their own.
func (a *app) handler(hosts map[string]bool) http.Handler {
	pages := http.NewServeMux()
	pages.HandleFunc("GET /enter", a.showDoor)
	pages.HandleFunc("POST /enter", a.enter)
	pages.HandleFunc("POST /leave", a.leave)
	pages.HandleFunc("GET /static/{file}", a.static)
	pages.HandleFunc("GET /{$}", a.named(a.showList))
	pages.HandleFunc("GET /news", a.named(a.showNews))
	pages.HandleFunc("POST /sessions", a.named(a.addSession))
	pages.HandleFunc("GET /review/{session}", a.named(a.showReview))
	pages.HandleFunc("POST /review/{session}/decide", a.named(a.decide))
	pages.HandleFunc("POST /review/{session}/remove", a.named(a.removeSession))
	pages.HandleFunc("GET /captured/{capture}", a.named(a.showCaptured))
	pages.HandleFunc("GET /known/{face}", a.named(a.showKnown))
	if a.demo != nil {
		pages.HandleFunc("POST /demo/arrival", a.named(a.demoArrival))
	}

	protection := http.NewCrossOriginProtection()
	root := http.NewServeMux()
	root.Handle("/", sameSite(protection.Handler(limited(pages))))
	if a.notified {
		root.Handle("/notifications", yotiface.NewNotificationHandler(a.notifications, a.notify))
	}
	return guarded(root, hosts, a.log)
}

// sameSite refuses what another site's page loads: an image or a script from here is nothing for it. A link is.
func sameSite(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site := r.Header.Get("Sec-Fetch-Site")
		if (site == "cross-site" || site == "same-site") && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
			http.Error(w, "Not for other sites.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		next.ServeHTTP(w, r)
	})
}

// page is what all pages have in common.
type page struct {
	Title    string
	Reviewer string
	Demo     bool
}

func (a *app) page(r *http.Request, title string) page {
	return page{Title: title, Reviewer: reviewer(r), Demo: a.demo != nil}
}

//go:embed templates
var templateFiles embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"moment":   moment,
	"stamp":    stamp,
	"sentence": sentence,
	"verdict":  verdictWord,
	"clean":    clean,
}).ParseFS(templateFiles, "templates/*.html"))

// render answers with a whole page, or with none.
func (a *app) render(w http.ResponseWriter, status int, name string, view any) {
	var text bytes.Buffer
	for _, part := range []string{"top", name, "bottom"} {
		if err := templates.ExecuteTemplate(&text, part, view); err != nil {
			a.log.Error("a page cannot be written", slog.Any("error", err))
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			return
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // nobody is there any more who could be told
}

// failed answers where the page itself does not work.
func (a *app) failed(w http.ResponseWriter, r *http.Request, err error) {
	a.log.ErrorContext(r.Context(), "a request failed", slog.Any("error", err))
	a.render(w, http.StatusInternalServerError, "problem", problemView{page: a.page(r, "Something is wrong"), Problem: problem{
		Kind: "down", Title: "This page does not work right now",
		Text: "The database did not do what it was asked to do. Nothing was decided. Whoever runs this page finds the reason in its log.",
	}})
}

//go:embed static
var staticFiles embed.FS

// static serves the page's own files. They may be kept, but have to be asked for.
func (a *app) static(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	data, err := fs.ReadFile(staticFiles, path.Join("static", path.Base(name)))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	hash := sha256.Sum256(data)
	w.Header().Set("ETag", `"`+hex.EncodeToString(hash[:8])+`"`)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Type", map[string]string{
		".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	}[path.Ext(name)])
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}
