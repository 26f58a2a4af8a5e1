package main

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface/yotitest"
)

// faces returns the URLs of the pictures on a page.
func (s *site) faces(t *testing.T, path string) []string {
	t.Helper()
	page := s.get(t, path)
	require.Equal(t, http.StatusOK, page.status)
	return attributes(page.body, "src")[1:] // the first one is the script's
}

func TestFacesArePassedOnAsTheyAre(t *testing.T) {
	t.Parallel()
	s := newDemoSite(t)
	srcs := s.faces(t, s.demoPath(t, "documented session"))
	require.Len(t, srcs, 2)
	for i, want := range [][]byte{yotitest.DrawCapture(25), yotitest.DrawFace(25)} {
		face := s.get(t, srcs[i])
		require.NoError(t, face.err)
		assert.Equal(t, http.StatusOK, face.status)
		assert.Equal(t, string(want), face.body)
		assert.Equal(t, "image/jpeg", face.header.Get("Content-Type"))
		assert.Equal(t, "no-store", face.header.Get("Cache-Control"))
		assert.Equal(t, "nosniff", face.header.Get("X-Content-Type-Options"))
		assert.Equal(t, "same-origin", face.header.Get("Cross-Origin-Resource-Policy"))
		assert.Empty(t, face.header.Get("ETag"))
		assert.Empty(t, face.header.Get("Last-Modified"))
	}
}

func TestOnlyImagesThatAreSafeToShowArePassedOn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.enter(t, "Robin")
	for name, want := range map[string]struct {
		declared, start, kind string // kind "" is refused
	}{
		"JPEG":                     {"image/jpeg", "\xff\xd8\xff\xe0 and so on", "image/jpeg"},
		"PNG":                      {"image/png", "\x89PNG\x0d\x0a\x1a\x0a and so on", "image/png"},
		"PNG that says JPEG":       {"image/jpeg", "\x89PNG\x0d\x0a\x1a\x0a and so on", "image/png"},
		"WebP":                     {"image/webp", "RIFF\x00\x00\x00\x00WEBPVP8 and so on", "image/webp"},
		"GIF":                      {"image/gif", "GIF89a and so on", "image/gif"},
		"BMP":                      {"image/bmp", "BM and so on", ""},
		"icon":                     {"image/x-icon", "\x00\x00\x01\x00 and so on", ""},
		"SVG, which is a program":  {"image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`, ""},
		"HTML that says JPEG":      {"image/jpeg", "<!doctype html><script>alert(1)</script>", ""},
		"text":                     {"image/jpeg", "nothing", ""},
		"withheld, as 204":         {"image/jpeg", "", ""},
		"PNG of more than a sniff": {"image/png", "\x89PNG\x0d\x0a\x1a\x0a" + string(make([]byte, 5000)), "image/png"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := s.put(t, sessionSpec{
				state: "COMPLETED", captures: []picture{{want.declared, []byte(want.start)}},
				searches: []searchSpec{found(s.yoti.PutApplicant(aFace().data))},
			})
			face := s.get(t, s.faces(t, s.pathOf(t, id))[0])
			if want.kind == "" {
				assert.GreaterOrEqual(t, face.status, 400)
				assert.Equal(t, "text/plain; charset=utf-8", face.header.Get("Content-Type"))
				assert.NotContains(t, face.body, "<")
				return
			}
			assert.Equal(t, http.StatusOK, face.status)
			assert.Equal(t, want.kind, face.header.Get("Content-Type"))
			assert.Equal(t, want.start, face.body)
		})
	}
}

func TestAFaceThatDoesNotComeIsNotHalfAFace(t *testing.T) {
	t.Parallel()
	s := newDemoSite(t)
	srcs := s.faces(t, s.demoPath(t, "documented session"))
	for endpoint, src := range map[string]string{
		"/sessions/{session_id}/media/{media_id}/content": srcs[0],
		"/applicant/{applicant_id}/faces/{face_id}":       srcs[1],
	} {
		s.yoti.Inject(yotitest.Truncate(20000).On(http.MethodGet, endpoint))
		face := s.get(t, src)
		require.Error(t, face.err, "the connection breaks off: %s %d %d", endpoint, face.status, len(face.body))

		s.yoti.Inject(yotitest.Truncate(0).On(http.MethodGet, endpoint))
		face = s.get(t, src)
		require.NoError(t, face.err)
		assert.Equal(t, http.StatusServiceUnavailable, face.status)

		for status, want := range map[int]struct {
			status int
			text   string
		}{
			503: {503, "did not answer"}, 429: {503, "did not answer"}, 401: {502, "could not be read"},
		} {
			s.yoti.Inject(yotitest.Status(status).On(http.MethodGet, endpoint))
			face = s.get(t, src)
			assert.Equal(t, want.status, face.status)
			assert.Contains(t, face.body, want.text)
		}
		assert.Equal(t, http.StatusOK, s.get(t, src).status, "and it is there again")
	}
	s.yoti.Inject(yotitest.Status(404).On(http.MethodGet, "/sessions/{session_id}/media/{media_id}/content"))
	face := s.get(t, srcs[0])
	assert.Equal(t, http.StatusNotFound, face.status)
	assert.Contains(t, face.body, "expired or was deleted")
	assert.Equal(t, http.StatusNotFound, s.get(t, "/known/AAAAAAAAAAAAAAAAAAAAAAAAAA").status)
	assert.Equal(t, http.StatusNotFound, s.get(t, "/captured/AAAAAAAAAAAAAAAAAAAAAAAAAA").status)
}

func TestAFaceThatDidNotComeWasNotCompared(t *testing.T) {
	t.Parallel()
	const media, known = "/sessions/{session_id}/media/{media_id}/content", "/applicant/{applicant_id}/faces/{face_id}"
	for name, try := range map[string]struct {
		face     int // which one on the page
		endpoint string
		fault    yotitest.Fault
	}{
		"captured, gone":       {0, media, yotitest.Status(404)},
		"captured, withheld":   {0, media, yotitest.Status(204)},
		"captured, down":       {0, media, yotitest.Status(503)},
		"captured, broken off": {0, media, yotitest.Truncate(20000)},
		"known, gone":          {1, known, yotitest.Status(404)},
		"known, down":          {1, known, yotitest.Drop()},
		"known, broken off":    {1, known, yotitest.Truncate(20000)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newDemoSite(t)
			path := s.demoPath(t, "documented session")
			decide := func(v verdict, text string) answer {
				return s.post(t, path+"/decide", form(t, s.get(t, path).body, v, text))
			}
			refused := func(v verdict) {
				answer := decide(v, " ")
				assert.Equal(t, http.StatusUnprocessableEntity, answer.status)
				assert.Contains(t, words(answer.body), "One of the faces could not be shown")
			}
			srcs := s.faces(t, path)
			for _, src := range srcs {
				s.get(t, src)
			}
			lose := func() {
				s.yoti.Inject(try.fault.On(http.MethodGet, try.endpoint))
				s.get(t, srcs[try.face])
			}
			lose()
			s.get(t, srcs[1-try.face]) // the other one does not help
			refused(verdictConfirmed)
			refused(verdictDismissed)

			asks := s.request(t, http.MethodGet, srcs[try.face], nil)
			asks.Header.Set("Sec-Fetch-Dest", "empty")
			require.Equal(t, http.StatusOK, s.do(t, asks).status)
			refused(verdictConfirmed) // that was a script which asked for the reason

			require.Equal(t, http.StatusSeeOther, decide(verdictConfirmed, "his card says so").status)
			require.Equal(t, http.StatusSeeOther, decide(verdictReopened, "").status, "nothing is compared for that")
			refused(verdictConfirmed)
			require.Equal(t, http.StatusOK, s.get(t, srcs[try.face]).status)
			require.Equal(t, http.StatusSeeOther, decide(verdictConfirmed, "").status, "it was there after all")
			require.Equal(t, http.StatusSeeOther, decide(verdictReopened, "").status)

			lose()
			s.enter(t, "Kim")
			require.Equal(t, http.StatusSeeOther, decide(verdictConfirmed, "").status, "it was somebody else who missed it")
		})
	}
}

func TestLossesAreFewAndTheNewestCount(t *testing.T) {
	t.Parallel()
	l := newLosses(2)
	a, b, c := asked{"Robin", "/a"}, asked{"Robin", "/b"}, asked{"Robin", "/c"}
	l.left(a)
	assert.True(t, l.any("Robin", "/b", "/a"))
	assert.False(t, l.any("Kim", "/a"))
	l.keep(a, false)
	l.left(a)
	assert.False(t, l.any("Robin", "/a"), "a face that was there stays seen")
	l.keep(a, true)
	l.keep(b, true)
	l.keep(b, true)
	assert.True(t, l.any("Robin", "/a"))
	l.keep(c, true)
	assert.False(t, l.any("Robin", "/a"), "the oldest goes first")
	assert.True(t, l.any("Robin", "/b"))
	assert.True(t, l.any("Robin", "/c"))
	assert.Len(t, l.lost, 2)
}

func TestABrowserThatLeavesEndsTheDownload(t *testing.T) {
	t.Parallel()
	s := newDemoSite(t)
	src := s.faces(t, s.demoPath(t, "documented session"))[0]
	s.yoti.Inject(yotitest.Stall().On(http.MethodGet, "/sessions/{session_id}/media/{media_id}/content"))
	r := s.request(t, http.MethodGet, src, nil)
	impatient := *s.client
	impatient.Timeout = 50 * time.Millisecond
	_, err := impatient.Do(r)
	require.Error(t, err)
	assert.Eventually(t, func() bool { return s.get(t, src).status == http.StatusOK }, 30*time.Second, 10*time.Millisecond)
}

func TestAWriterThatFailsIsNotReportedAsYotis(t *testing.T) {
	t.Parallel()
	broken := errors.New("the browser has gone")
	w := &imageWriter{w: failingWriter{err: broken}}
	_, err := w.Write(append([]byte("GIF89a"), make([]byte, sniffLen)...))
	require.ErrorIs(t, err, broken)
	assert.True(t, w.begun)
}

type failingWriter struct{ err error }

func (failingWriter) Header() http.Header         { return http.Header{} }
func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
func (failingWriter) WriteHeader(int)             {}
