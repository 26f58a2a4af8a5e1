package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A site is the page with a Yoti behind it and a browser before it.
type site struct {
	app    *app
	yoti   *yotitest.Server
	world  *yotitest.World // nil if there is no demo
	client *http.Client
	url    string
	log    *syncBuffer
	db     string
}

// newSite serves the page for an empty Yoti. Nobody has entered yet.
func newSite(t *testing.T) *site {
	t.Helper()
	server := yotitest.NewServer()
	return serve(t, &site{yoti: server, db: filepath.Join(t.TempDir(), "review.db")}, nil)
}

// newDemoSite serves the page for the demo world, to a reviewer called Robin.
func newDemoSite(t *testing.T) *site {
	t.Helper()
	d := newDemo()
	s := serve(t, &site{yoti: d.world.Server, world: d.world, db: filepath.Join(t.TempDir(), "review.db")}, d)
	s.enter(t, "Robin")
	return s
}

func serve(t *testing.T, s *site, d *demo) *site {
	t.Helper()
	s.log = &syncBuffer{}
	log := slog.New(slog.NewTextHandler(s.log, nil))
	kept, err := openStore(s.db)
	require.NoError(t, err)
	client := s.yoti.Client(
		yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxAttempts: 1}),
		yotiface.WithHTTPClient(&http.Client{Transport: &http.Transport{}}),
	)
	if d != nil {
		d.client = client
	}
	server := httptest.NewUnstartedServer(nil)
	config := settings{
		address: address{loopback: true}, notifications: yotiface.BearerToken("a secret of theirs"), notified: true,
	}
	s.app, err = config.newApp(client, kept, d, log, server.Listener.Addr())
	require.NoError(t, err)
	u, err := url.Parse("http://" + server.Listener.Addr().String())
	require.NoError(t, err)
	server.Config.Handler = s.app.handler(config.address.hosts(u.Port()))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()

	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	s.url = server.URL
	s.client = server.Client()
	s.client.Jar = jar
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.Cleanup(func() {
		server.Close()
		client.CloseIdleConnections()
		s.yoti.Close()
		require.NoError(t, kept.close())
	})
	return s
}

// enter says who is reviewing.
func (s *site) enter(t *testing.T, name string) {
	t.Helper()
	answer := s.post(t, "/enter", url.Values{"name": {name}})
	require.Equal(t, http.StatusSeeOther, answer.status, answer.body)
}

// readAll does what the background would do.
func (s *site) readAll(t *testing.T) {
	t.Helper()
	for _, id := range s.app.desk.due(time.Now()) {
		_, _ = s.app.desk.read(t.Context(), id)
	}
}

// An answer of the page, read to its end.
type answer struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

func (s *site) do(t *testing.T, r *http.Request) answer {
	t.Helper()
	resp, err := s.client.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(body), err}
}

func (s *site) request(t *testing.T, method, path string, form url.Values) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

func (s *site) get(t *testing.T, path string) answer {
	t.Helper()
	return s.do(t, s.request(t, http.MethodGet, path, nil))
}

func (s *site) post(t *testing.T, path string, form url.Values) answer {
	t.Helper()
	return s.do(t, s.request(t, http.MethodPost, path, form))
}

// pathOf puts a session on the desk, if it is not there yet, and returns the path of its page.
func (s *site) pathOf(t *testing.T, sessionID string) string {
	t.Helper()
	it, err := s.app.desk.add(sessionID, fromReviewer)
	require.NoError(t, err)
	return "/review/" + it.Handle
}

// demoPath is the path of the page of a session of the demo, by what its title contains.
func (s *site) demoPath(t *testing.T, title string) string {
	t.Helper()
	for _, session := range s.world.Sessions {
		if strings.Contains(session.Title, title) {
			return s.pathOf(t, session.ID)
		}
	}
	require.Fail(t, "there is no such session", title)
	return ""
}

var (
	attribute = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
	uuid      = regexp.MustCompile(`(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	value     = regexp.MustCompile(`"[^"]*"`)
	anyTag    = regexp.MustCompile(`<[^>]*>`)
)

// attributes returns the values of an attribute, in the order of the page.
func attributes(body, name string) (values []string) {
	for _, match := range attribute.FindAllStringSubmatch(body, -1) {
		if match[1] == name {
			values = append(values, match[2])
		}
	}
	return values
}

// words is the text of a page, as it is read.
func words(body string) string {
	return strings.Join(strings.Fields(anyTag.ReplaceAllString(body, " ")), " ")
}

// form returns the fields of the form that decides, as the page has them.
func form(t *testing.T, body string, v verdict, text string) url.Values {
	t.Helper()
	fields := url.Values{"verdict": {string(v)}, "note": {text}}
	for _, name := range []string{"subject", "seen", "at"} {
		match := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(body)
		require.NotNil(t, match, "the page has no form with %s", name)
		fields.Set(name, strings.ReplaceAll(match[1], "&amp;", "&"))
	}
	return fields
}

// syncBuffer is a log that can be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// A sessionSpec is a session in few words.
type sessionSpec struct {
	state, who string
	captures   []picture // what the searches looked at
	searches   []searchSpec
}

// A picture is what Yoti serves as one.
type picture struct {
	kind string
	data []byte
}

type searchSpec struct {
	state, pool, label, criterion, value, reason string
	sub, result                                  string
	matches                                      []yotiface.Match
}

// put makes Yoti know a session.
func (s *site) put(t *testing.T, spec sessionSpec) (sessionID string) {
	t.Helper()
	type object = map[string]any
	type array = []any
	sessionID = newID()
	var captures, ids, checks array
	for i, p := range spec.captures {
		id := fmt.Sprintf("capture-%d", i)
		ids = append(ids, id)
		captures = append(captures, object{"id": id, "liveness_type": "STATIC", "image": object{"media": object{
			"id": s.yoti.PutMedia(sessionID, p.kind, p.data), "type": "IMAGE", "created": "2025-06-04T08:51:00Z",
		}}})
	}
	for i, f := range spec.searches {
		details := array{}
		for _, m := range f.matches {
			details = append(details, object{"name": "matching_pool", "value": m.PoolID}, object{"name": "matching_applicant", "value": m.ApplicantID})
		}
		check := object{
			"type": "FAMILIAR_FACE_SEARCH", "id": fmt.Sprintf("search-%d", i), "state": f.state, "resources_used": ids,
			"created": "2025-06-04T08:51:03Z", "last_updated": "2025-06-04T08:51:05Z",
			"config": object{"pool_id": f.pool, "pool_label": f.label, "approval_criteria": f.criterion},
		}
		if f.value != "" {
			check["report"] = object{
				"recommendation": object{"value": f.value, "reason": f.reason},
				"breakdown":      array{object{"sub_check": f.sub, "result": f.result, "details": details, "process": "AUTOMATED"}},
			}
		}
		checks = append(checks, check)
	}
	text, err := json.Marshal(object{
		"session_id": sessionID, "state": spec.state, "user_tracking_id": spec.who, "checks": checks,
		"resources": object{"liveness_capture": captures}, "biometric_consent": "2025-06-04T08:50:43Z",
	})
	require.NoError(t, err)
	return s.yoti.PutSession(text)
}

// newID is a UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// aFace is a picture of nobody, drawn once.
var aFace = sync.OnceValue(func() picture { return picture{"image/jpeg", yotitest.DrawFace(1)} })

// found is a search that found applicants.
func found(applicantIDs ...string) searchSpec {
	s := searchSpec{
		state: "DONE", pool: "pool-1", label: "THE POOL", criterion: "NO_MATCH", value: "REJECT", reason: "MATCH_FOUND",
		sub: "face_not_found_in_pool", result: "FAIL",
	}
	for _, id := range applicantIDs {
		s.matches = append(s.matches, yotiface.Match{ApplicantID: id, PoolID: s.pool})
	}
	return s
}
