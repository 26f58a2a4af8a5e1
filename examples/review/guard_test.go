package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// crawl opens every page and file that can be reached, with what is on each.
func crawl(t *testing.T, s *site) map[string]answer {
	t.Helper()
	seen, todo := map[string]answer{}, []string{"/", "/?show=all", "/enter", "/news?since=0", "/nowhere", "/review/nothing", "/static/main.js", "/static/none.js"}
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		if _, ok := seen[path]; ok || !strings.HasPrefix(path, "/") {
			continue
		}
		page := s.get(t, path)
		seen[path] = page
		if strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
			for _, name := range []string{"href", "src"} {
				for _, value := range attributes(page.body, name) {
					todo = append(todo, strings.ReplaceAll(value, "&amp;", "&"))
				}
			}
		}
	}
	return seen
}

func TestEveryAnswerIsGuardedAndNoURLHoldsAnID(t *testing.T) {
	t.Parallel()
	s := newDemoSite(t)
	s.readAll(t)
	pages := crawl(t, s)
	require.Greater(t, len(pages), 40)
	pictures := 0
	for path, page := range pages {
		h := page.header
		assert.Equal(t, policy, h.Get("Content-Security-Policy"), path)
		assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), path)
		assert.Equal(t, "no-referrer", h.Get("Referrer-Policy"), path)
		assert.Equal(t, "DENY", h.Get("X-Frame-Options"), path)
		assert.Equal(t, "same-origin", h.Get("Cross-Origin-Resource-Policy"), path)
		assert.Equal(t, "same-origin", h.Get("Cross-Origin-Opener-Policy"), path)
		if strings.HasPrefix(path, "/static/") && page.status == http.StatusOK {
			assert.Equal(t, "no-cache", h.Get("Cache-Control"), path)
		} else {
			assert.Equal(t, "no-store", h.Get("Cache-Control"), path)
		}
		if strings.HasPrefix(h.Get("Content-Type"), "image/jpeg") {
			pictures++
			continue
		}
		assert.NotRegexp(t, uuid, path)
		assert.NotRegexp(t, uuid, h.Get("Location"))
		for _, match := range attribute.FindAllStringSubmatch(page.body, -1) {
			assert.NotRegexp(t, uuid, match[0], "on %s", path)
		}
		assert.NotContains(t, page.body, "<style")
		assert.NotContains(t, page.body, "<script>")
	}
	assert.Equal(t, 12, pictures, "eight people came, and four of them, or five, are known")
	assert.NotRegexp(t, uuid, s.log.String())
	assert.Contains(t, s.log.String(), `route="GET /review/{session}"`)
	for path := range pages {
		if handle, ok := strings.CutPrefix(path, "/review/"); ok && handle != "nothing" {
			assert.NotContains(t, s.log.String(), handle[:20])
		}
	}
}

func TestTheRulesForWhatAPageMayLoadAreStrict(t *testing.T) {
	t.Parallel()
	assert.Contains(t, policy, "default-src 'none'")
	assert.Contains(t, policy, "frame-ancestors 'none'")
	assert.Contains(t, policy, "base-uri 'none'")
	assert.NotContains(t, policy, "unsafe")
	assert.NotContains(t, policy, "*")
	assert.NotContains(t, policy, "data:")
}

func TestOtherSitesCanDoNothing(t *testing.T) {
	t.Parallel()
	s := newDemoSite(t)
	path := s.demoPath(t, "documented session")
	page := s.get(t, path).body
	fields := form(t, page, verdictConfirmed, "")
	posts := map[string]url.Values{
		path + "/decide": fields, path + "/remove": {}, "/sessions": {"session_id": {newID()}}, "/leave": {}, "/enter": {"name": {"Mallory"}}, "/demo/arrival": {},
	}
	for to, with := range posts {
		for name, header := range map[string]http.Header{
			"another site":          {"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}},
			"another port":          {"Sec-Fetch-Site": {"same-site"}, "Sec-Fetch-Mode": {"navigate"}},
			"a script elsewhere":    {"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"cors"}},
			"an older browser":      {"Origin": {"https://evil.example"}},
			"a page without origin": {"Origin": {"null"}},
		} {
			r := s.request(t, http.MethodPost, to, with)
			for key, value := range header {
				r.Header[key] = value
			}
			assert.Equal(t, http.StatusForbidden, s.do(t, r).status, "%s to %s", name, to)
		}
	}
	d, ok, err := s.app.store.current(s.app.mustChoice(t, fields.Get("subject")).about)
	require.NoError(t, err)
	assert.False(t, ok, "%v", d)
	assert.Contains(t, s.get(t, "/").body, "Robin", "who is still inside")

	for _, src := range attributes(page, "src") {
		r := s.request(t, http.MethodGet, src, nil)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "no-cors")
		assert.Equal(t, http.StatusForbidden, s.do(t, r).status, "an image in another site's page")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		assert.Equal(t, http.StatusOK, s.do(t, r).status)
	}
	r := s.request(t, http.MethodPost, path+"/decide", fields)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	assert.Equal(t, http.StatusSeeOther, s.do(t, r).status)
}

func (a *app) mustChoice(t *testing.T, handle string) choice {
	t.Helper()
	c, ok := a.subjects.lookUp(handle)
	require.True(t, ok)
	return c
}

func TestOtherNamesAreNotServed(t *testing.T) {
	t.Parallel()
	s := newDemoSite(t)
	for _, host := range []string{"evil.example", "evil.example:8080", "127.0.0.1", "localhost", "0.0.0.0:1", "127.0.0.1.evil.example"} {
		for _, path := range []string{"/", "/enter", "/notifications", "/static/main.js"} {
			r := s.request(t, http.MethodGet, path, nil)
			r.Host = host
			answer := s.do(t, r)
			assert.Equal(t, http.StatusMisdirectedRequest, answer.status, host+path)
			assert.NotContains(t, answer.body, "Sessions")
		}
	}
	r := s.request(t, http.MethodGet, "/", nil)
	r.Host = strings.Replace(strings.TrimPrefix(s.url, "http://"), "127.0.0.1", "LocalHost", 1)
	assert.NotEqual(t, http.StatusMisdirectedRequest, s.do(t, r).status)
}

func TestStrangersSeeNothing(t *testing.T) {
	t.Parallel()
	s := newDemoSite(t)
	path := s.demoPath(t, "documented session")
	srcs := s.faces(t, path)
	require.Equal(t, http.StatusSeeOther, s.post(t, "/leave", url.Values{}).status)
	for _, p := range append(srcs, "/news?since=0") {
		assert.Equal(t, http.StatusForbidden, s.get(t, p).status, p)
	}
	for p, to := range map[string]string{"/": "/enter", path: "/enter?next=" + url.QueryEscape(path)} {
		answer := s.get(t, p)
		assert.Equal(t, http.StatusSeeOther, answer.status)
		assert.Equal(t, to, answer.header.Get("Location"))
	}
	for _, p := range []string{"/sessions", path + "/decide", path + "/remove", "/demo/arrival"} {
		assert.Equal(t, http.StatusForbidden, s.post(t, p, url.Values{}).status, p)
	}
}

func TestTheDoor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.app.door.token = "correct horse battery staple"
	for name, with := range map[string]url.Values{
		"no name":     {"token": {s.app.door.token}},
		"blank name":  {"token": {s.app.door.token}, "name": {" \u202e\x00 "}},
		"long name":   {"token": {s.app.door.token}, "name": {strings.Repeat("x", maxName+1)}},
		"no token":    {"name": {"Robin"}},
		"wrong token": {"name": {"Robin"}, "token": {"correct horse"}},
	} {
		answer := s.post(t, "/enter", with)
		assert.Equal(t, http.StatusUnprocessableEntity, answer.status, name)
		assert.Empty(t, answer.header.Get("Set-Cookie"), name)
		assert.Contains(t, answer.body, `role="alert"`)
	}
	answer := s.post(t, "/enter", url.Values{"name": {"Robin"}, "token": {s.app.door.token}, "next": {"/review/ABC?match=2"}})
	assert.Equal(t, http.StatusSeeOther, answer.status)
	assert.Equal(t, "/review/ABC?match=2", answer.header.Get("Location"))
	cookie := answer.header.Get("Set-Cookie")
	assert.Contains(t, cookie, "; HttpOnly")
	assert.Contains(t, cookie, "; SameSite=Strict")
	assert.NotContains(t, cookie, "Robin")
	assert.Contains(t, s.get(t, "/").body, "Robin")

	s.app.door.now = func() time.Time { return time.Now().Add(shift + time.Minute) }
	assert.Equal(t, http.StatusSeeOther, s.get(t, "/").status, "the shift is over")
}

func TestBehindHTTPSTheCookieIsSecure(t *testing.T) {
	t.Parallel()
	cookie := newDoor("", true).cookie("x", 1)
	assert.Equal(t, "__Host-review", cookie.Name)
	assert.True(t, cookie.Secure)
	assert.Equal(t, "/", cookie.Path)
	assert.Empty(t, cookie.Domain)
}

func TestOnlyThisPageIsGoneOnTo(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/review/ABC": "/review/ABC", "/review/ABC?match=2": "/review/ABC?match=2",
		"": "/", "/": "/", "//evil.example": "/", "https://evil.example": "/", "/\\evil.example": "/", "/review/\r\nX: y": "/", "javascript:alert(1)": "/",
	} {
		assert.Equal(t, want, localPath(path), path)
	}
}
