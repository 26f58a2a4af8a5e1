package main

import (
	"bufio"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface/yotitest"
)

func TestEachStateIsShownAsWhatItIs(t *testing.T) {
	t.Parallel()
	s := newDemoSite(t)
	for title, want := range map[string]struct {
		words   []string
		absent  []string
		faces   int
		decide  bool
		refresh bool
	}{
		"documented session": {
			words: []string{
				"<YOUR_USER_ID>", "Rejected", "POOL EXAMPLE", "NO_MATCH approve who is not in the pool", "REJECT because of MATCH_FOUND",
				"the face was found face_not_found_in_pool FAIL", "Is this the same person?", "Liveness LIVENESS Done APPROVE",
				"4 Jun 2025, 08:51 UTC", "let a person compare the faces before acting on it",
			},
			faces: 2, decide: true,
		},
		"Staff entrance: the face is found": {
			words: []string{"Approved", "STAFF", "MATCH approve who is in the pool", "APPROVE", "the face was found face_found_in_pool PASS"},
			faces: 2, decide: true,
		},
		"Staff entrance: the face is not found": {
			words:  []string{"Rejected", "No match", "No face in STAFF was reported as a match."},
			absent: []string{"Is this the same person?"},
			faces:  1,
		},
		"no barred face is found": {
			words: []string{"Approved", "No match", "the face was not found face_not_found_in_pool PASS"},
			faces: 1,
		},
		"still pending": {
			words: []string{"Pending", "There is no result yet.", "No result yet", "Yoti is still searching POOL EXAMPLE."},
			faces: 1, refresh: true,
		},
		"approved, though a barred face is found": {
			words: []string{
				"The answer contradicts itself.", "Undetermined",
				"Approved under the criterion NO_MATCH, although the face was found in the pool, so let a person decide.",
			},
			faces: 2, decide: true,
		},
		"two barred faces": {
			words: []string{"Match 1", "Match 2", "Rejected"},
			faces: 2, decide: true,
		},
		"has been deleted since": {
			words: []string{"No face any more", "There is no face to compare with any more.", "Note needed"},
			faces: 1, decide: true,
		},
		"expired before anybody came": {
			words:  []string{"The session has expired.", "There is nothing to review.", "EXPIRED"},
			absent: []string{"Undetermined", "Is this the same person?"},
		},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			page := s.get(t, s.demoPath(t, title))
			require.Equal(t, http.StatusOK, page.status)
			text := words(strings.ReplaceAll(strings.ReplaceAll(page.body, "&lt;", "‹"), "&gt;", "›"))
			for _, w := range want.words {
				w = strings.NewReplacer("<", "‹", ">", "›").Replace(w)
				assert.Contains(t, text, w)
			}
			for _, w := range want.absent {
				assert.NotContains(t, text, w)
			}
			assert.Contains(t, text, "Demo world")
			assert.Equal(t, want.faces, strings.Count(page.body, "<img "))
			assert.Equal(t, want.decide, strings.Contains(page.body, "/decide"))
			assert.Equal(t, want.refresh, strings.Contains(page.body, "data-again"))
		})
	}
}

func TestSeveralMatchesAreSwitchedBetween(t *testing.T) {
	t.Parallel()
	s := newDemoSite(t)
	path := s.demoPath(t, "two barred faces")
	first, second := s.get(t, path), s.get(t, path+"?match=2")
	one, two := attributes(first.body, "src"), attributes(second.body, "src")
	require.Len(t, one, 3) // the script is the first one
	require.Len(t, two, 3)
	assert.Equal(t, one[1], two[1], "the captured face is the same, under the same name")
	assert.NotEqual(t, one[2], two[2])
	assert.Contains(t, first.body, `<a href="`+path+`?match=2" data-swap>`)
	for _, odd := range []string{"?match=99", "?match=-1", "?match=x", "?match=2&captured=7&face=7"} {
		assert.Equal(t, http.StatusOK, s.get(t, path+odd).status, odd)
	}
}

func TestAllImagesOfBothPeopleCanBeSeen(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.enter(t, "Robin")
	applicant := s.yoti.PutApplicant(aFace().data, yotitest.DrawFace(2), yotitest.DrawFace(3))
	id := s.put(t, sessionSpec{state: "COMPLETED", captures: []picture{aFace(), aFace()}, searches: []searchSpec{found(applicant)}})
	path := s.pathOf(t, id)
	page := words(s.get(t, path).body)
	assert.Contains(t, page, "1 of 2 Next image")
	assert.Contains(t, page, "1 of 3 Next image")
	page = words(s.get(t, path+"?captured=2&face=2").body)
	assert.Contains(t, page, "Previous image 2 of 2")
	assert.Contains(t, page, "Previous image 2 of 3 Next image")
	for _, src := range attributes(s.get(t, path+"?captured=2&face=3").body, "src")[1:] {
		assert.Equal(t, http.StatusOK, s.get(t, src).status)
	}
}

func TestSeveralSearchesHaveTheirOwnTabs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.enter(t, "Robin")
	other := found()
	other.pool, other.label, other.value, other.reason, other.result = "pool-2", "OTHERS", "APPROVE", "", "PASS"
	foreign := found(s.yoti.PutApplicant(aFace().data))
	foreign.matches[0].PoolID = "somewhere-else"
	id := s.put(t, sessionSpec{
		state: "COMPLETED", captures: []picture{aFace()},
		searches: []searchSpec{found(s.yoti.PutApplicant(aFace().data)), other, foreign},
	})
	page := s.get(t, s.pathOf(t, id))
	assert.Contains(t, words(page.body), "Match 1 in THE POOL No match in OTHERS Match 3 in THE POOL")
	page = s.get(t, s.pathOf(t, id)+"?match=3")
	assert.Contains(t, words(page.body), "Known face in another pool", "whatever the search was asked")
	assert.Contains(t, words(page.body), "The answer contradicts itself.")
	assert.Contains(t, words(page.body), "Pool of the match somewhere-else")
}

func TestAnApplicantWhoIsGoneIsNotAnOutage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.enter(t, "Robin")
	id := s.put(t, sessionSpec{state: "COMPLETED", captures: []picture{aFace()}, searches: []searchSpec{found("nobody")}})
	page := words(s.get(t, s.pathOf(t, id)).body)
	assert.Contains(t, page, "No applicant any more")
	assert.Contains(t, page, "Note needed")

	s.yoti.Inject(yotitest.Status(503).On(http.MethodGet, "/applicant/{applicant_id}"))
	page = words(s.get(t, s.pathOf(t, id)).body)
	assert.Contains(t, page, "The face could not be fetched Yoti does not answer. Try again")
	assert.Contains(t, page, "Decide when both faces are there.")
	assert.NotContains(t, page, "Confirm match")
	assert.Contains(t, page, "REJECT", "the rest is there")
}

func TestSearchesWithoutAnythingToCompare(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.enter(t, "Robin")
	contradicted := found()
	contradicted.result, contradicted.reason = "PASS", "" // not found, and rejected all the same
	pending := searchSpec{state: "PENDING", pool: "pool-1", label: "THE POOL", criterion: "NO_MATCH"}
	for name, want := range map[string]struct {
		spec sessionSpec
		text string
	}{
		"needs a person":    {sessionSpec{state: "COMPLETED", searches: []searchSpec{contradicted}}, "Has somebody seen to this?"},
		"no captured image": {sessionSpec{state: "COMPLETED", searches: []searchSpec{found("nobody")}}, "No captured image"},
		"none at all":       {sessionSpec{state: "COMPLETED"}, "There is no face search in this session."},
		"not begun":         {sessionSpec{state: "ONGOING"}, "The search has not begun."},
		"will never come":   {sessionSpec{state: "EXPIRED", searches: []searchSpec{pending}}, "The search in it will not get a result any more."},
		"after the end":     {sessionSpec{state: "EXPIRED", searches: []searchSpec{found("nobody")}}, "Its images may be gone already."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Contains(t, words(s.get(t, s.pathOf(t, s.put(t, want.spec))).body), want.text)
		})
	}
}

func TestYotiIsDown(t *testing.T) {
	t.Parallel()
	s := newDemoSite(t)
	path := s.demoPath(t, "two barred faces")
	for _, fault := range []yotitest.Fault{
		yotitest.Status(500), yotitest.Status(503).RetryAfter(7 * time.Second), yotitest.Status(429), yotitest.Drop(), yotitest.Truncate(20),
	} {
		s.yoti.Inject(fault)
		page := s.get(t, path+"?match=2")
		assert.Equal(t, http.StatusServiceUnavailable, page.status)
		assert.Contains(t, page.body, `<a class="button primary" href="`+path+`?match=2"`, "to try again")
		assert.NotContains(t, page.body, "<img ")
	}
	assert.Contains(t, s.log.String(), "status=503")
	assert.Equal(t, http.StatusOK, s.get(t, path+"?match=2").status, "and up again")

	s.yoti.Inject(yotitest.Status(503).RetryAfter(7 * time.Second))
	assert.Contains(t, words(s.get(t, path).body), "Yoti asks to wait 7s.")
	s.yoti.Inject(yotitest.Status(401))
	page := s.get(t, path)
	assert.Equal(t, http.StatusBadGateway, page.status)
	assert.Contains(t, words(page.body), "Yoti refuses this application")
	assert.NotContains(t, page.body, "Try again", "it would be no use")
	s.yoti.Inject(yotitest.Garbage())
	page = s.get(t, path)
	assert.Equal(t, http.StatusBadGateway, page.status)
	assert.Contains(t, words(page.body), "cannot be trusted")
}

func TestASessionThatYotiDoesNotKnow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.enter(t, "Robin")
	path := s.pathOf(t, newID())
	page := s.get(t, path)
	assert.Equal(t, http.StatusNotFound, page.status)
	assert.Contains(t, words(page.body), "Yoti does not know this session")
	assert.Contains(t, s.get(t, "/?show=all").body, "unknown to Yoti")

	assert.Equal(t, http.StatusSeeOther, s.post(t, path+"/remove", url.Values{}).status)
	assert.Contains(t, words(s.get(t, "/?show=all").body), "No session has come yet.")
	page = s.get(t, path)
	assert.Equal(t, http.StatusNotFound, page.status)
	assert.Contains(t, words(page.body), "This address leads nowhere")
	records, err := s.app.store.sessions()
	require.NoError(t, err)
	assert.Empty(t, records)
}

func TestAPageThatTakesItsTimeBeginsAtOnce(t *testing.T) {
	t.Parallel()
	s := newDemoSite(t)
	path := s.demoPath(t, "documented session")
	s.app.hold = 10 * time.Millisecond
	s.yoti.Inject(yotitest.Slow(400*time.Millisecond).On(http.MethodGet, "/sessions/{session_id}"))
	resp, err := s.client.Do(s.request(t, http.MethodGet, path, nil))
	require.NoError(t, err)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	var before []string
	for lines.Scan() && !strings.Contains(lines.Text(), `class="arrived"`) {
		before = append(before, lines.Text())
	}
	assert.Contains(t, strings.Join(before, "\n"), "Asking Yoti for the session…")
	var after []string
	for lines.Scan() {
		after = append(after, lines.Text())
	}
	require.NoError(t, lines.Err())
	assert.Contains(t, strings.Join(after, "\n"), "Is this the same person?")
	assert.Contains(t, strings.Join(after, "\n"), "</html>")

	s.yoti.Inject(yotitest.Slow(100*time.Millisecond), yotitest.Status(503))
	assert.Contains(t, s.get(t, path).body, "Is this the same person?")
}

func TestNextAndPreviousFollowTheFilter(t *testing.T) {
	t.Parallel()
	s := newDemoSite(t)
	s.readAll(t)
	walk := func(query, rel string, from string) (seen []string) {
		for path := s.demoPath(t, from) + query; path != ""; {
			body := s.get(t, path).body
			seen = append(seen, attributeAfter(body, `<div class="path-who">`, "<bdi>", "</bdi>"))
			path = strings.ReplaceAll(attributeAfter(body, `<div class="path-steps">`, `href="`, `" rel="`+rel), "&amp;", "&")
			if i := strings.LastIndex(path, `href="`); i >= 0 {
				path = path[i+len(`href="`):]
			}
		}
		return seen
	}
	assert.Equal(t, []string{"&lt;YOUR_USER_ID&gt;", "guest-1", "guest-5", "guest-6", "guest-7"}, walk("", "next", "documented session"))
	assert.Equal(t, []string{"guest-3", "guest-1", "&lt;YOUR_USER_ID&gt;"}, walk("", "prev", "no barred face"), "from one that needs no review")
	assert.Len(t, walk("?show=all", "next", "documented session"), 9)
	assert.Equal(t, []string{"guest-4"}, walk("?show=waiting", "next", "pending"))
	assert.Contains(t, words(s.get(t, s.demoPath(t, "two barred")).body), "4 of 5 to review")
	assert.Contains(t, words(s.get(t, s.demoPath(t, "pending")).body), " 5 to review")
}

// attributeAfter returns what stands between two texts, after a third.
func attributeAfter(body, after, from, to string) string {
	_, body, _ = strings.Cut(body, after)
	end := strings.Index(body, to)
	if end < 0 {
		return ""
	}
	_, value, _ := strings.Cut(body[:end], from)
	return value
}

func TestHostileTextStaysText(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.enter(t, `<b onclick="x">Robin</b>`)
	hostile := `"><script>alert(1)</script><img src=x onerror=alert(2)>'` + "\u202e\x00\x1b[31m" + `javascript:alert(3)`
	search := found(s.yoti.PutApplicant(aFace().data))
	search.label, search.criterion, search.value, search.reason, search.sub, search.result = hostile, hostile, hostile, hostile, hostile, hostile
	id := s.put(t, sessionSpec{state: "COMPLETED", who: hostile, captures: []picture{aFace()}, searches: []searchSpec{search}})
	path := s.pathOf(t, id)
	for _, page := range []answer{s.get(t, path), s.get(t, "/?show=all"), s.post(t, "/sessions", url.Values{"session_id": {hostile}})} {
		assert.NotContains(t, page.body, "<script>alert")
		assert.NotContains(t, page.body, "<img src=x")
		assert.NotContains(t, page.body, "<b onclick")
		assert.NotContains(t, page.body, "\u202e")
		assert.NotContains(t, page.body, "\x1b")
		for _, name := range []string{"href", "src", "action"} {
			for _, value := range attributes(page.body, name) {
				assert.True(t, strings.HasPrefix(value, "/") || value == "#main", "%s=%q", name, value)
			}
		}
		for _, tag := range anyTag.FindAllString(page.body, -1) {
			assert.NotRegexp(t, `\s(on[a-z]+|style|srcdoc)\s*=`, value.ReplaceAllString(tag, ""))
		}
	}
	unknown := search
	unknown.state = hostile
	id = s.put(t, sessionSpec{state: hostile, searches: []searchSpec{unknown}})
	assert.NotContains(t, s.get(t, s.pathOf(t, id)).body, "<script>alert")
}
