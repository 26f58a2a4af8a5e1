package main

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestADecisionIsKeptAndCanBeRevised(t *testing.T) {
	t.Parallel()
	s := newDemoSite(t)
	s.readAll(t)
	path := s.demoPath(t, "documented session")
	before := words(s.get(t, "/").body)
	assert.Contains(t, before, "To review 5")

	answer := s.post(t, path+"/decide", form(t, s.get(t, path).body, verdictConfirmed, "  same scar,\r\n same  ears "))
	assert.Equal(t, http.StatusSeeOther, answer.status)
	assert.Equal(t, path, answer.header.Get("Location"))
	page := s.get(t, path).body
	assert.Contains(t, words(page), "Match confirmed by Robin")
	assert.Contains(t, words(page), "same scar, same ears")
	assert.NotContains(t, page, `value="confirmed"`)
	assert.Contains(t, words(s.get(t, "/").body), "To review 4")
	assert.Contains(t, s.get(t, "/?show=closed").body, path)

	s.enter(t, "Kim")
	s.post(t, path+"/decide", form(t, page, verdictDismissed, "a brother"))
	page = s.get(t, path).body
	assert.Contains(t, words(page), "Match dismissed by Kim")
	s.post(t, path+"/decide", form(t, page, verdictReopened, ""))
	page = s.get(t, path).body
	assert.Contains(t, words(s.get(t, "/").body), "To review 5")
	text := words(page)
	_, text, _ = strings.Cut(text, "History of this decision")
	first, second, third := strings.Index(text, "Match confirmed by Robin"), strings.Index(text, "Match dismissed by Kim"), strings.Index(text, "Reopened by Kim")
	assert.True(t, first >= 0 && first < second && second < third, text)
	assert.Contains(t, text, "the outcome was Rejected")
	assert.Contains(t, page, `value="confirmed"`)
	assert.Contains(t, page, `value="dismissed"`)
}

func TestEachMatchIsDecidedOnItsOwn(t *testing.T) {
	t.Parallel()
	s := newDemoSite(t)
	s.readAll(t)
	path := s.demoPath(t, "two barred faces")
	answer := s.post(t, path+"/decide", form(t, s.get(t, path+"?match=2&show=all").body, verdictConfirmed, ""))
	assert.Equal(t, path+"?match=2&show=all", answer.header.Get("Location"))
	first := words(s.get(t, path).body)
	assert.Contains(t, first, "Match 2 Match confirmed")
	assert.NotContains(t, first, "by Robin")
	assert.Contains(t, s.get(t, "/").body, path, "one is left")
	s.post(t, path+"/decide", form(t, s.get(t, path).body, verdictDismissed, ""))
	assert.NotContains(t, s.get(t, "/").body, path)
}

func TestNobodyIsOverruledUnawares(t *testing.T) {
	t.Parallel()
	s := newDemoSite(t)
	path := s.demoPath(t, "documented session")
	seen := s.get(t, path).body
	require.Equal(t, http.StatusSeeOther, s.post(t, path+"/decide", form(t, seen, verdictConfirmed, "")).status)
	s.enter(t, "Kim")
	answer := s.post(t, path+"/decide", form(t, seen, verdictDismissed, ""))
	assert.Equal(t, http.StatusConflict, answer.status)
	assert.Contains(t, words(answer.body), "Somebody else has decided in the meantime")
	assert.Contains(t, answer.body, `href="`+path+`"`)
	assert.Contains(t, words(s.get(t, path).body), "Match confirmed by Robin")

	s.enter(t, "Robin")
	answer = s.post(t, path+"/decide", form(t, seen, verdictConfirmed, ""))
	assert.Equal(t, http.StatusConflict, answer.status, "one form, sent twice")
	assert.Contains(t, words(answer.body), "You have already decided")
	assert.NotContains(t, words(answer.body), "Somebody else")
}

func TestOverrulingSomebodyTakesAWord(t *testing.T) {
	t.Parallel()
	for _, v := range []verdict{verdictDismissed, verdictReopened} {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			s := newDemoSite(t)
			path := s.demoPath(t, "documented session")
			require.Equal(t, http.StatusSeeOther, s.post(t, path+"/decide", form(t, s.get(t, path).body, verdictConfirmed, "")).status)
			page := s.get(t, path).body
			assert.Contains(t, words(page), "Note optional", "for who has decided")
			assert.Contains(t, page, "formnovalidate")

			s.enter(t, "Kim")
			page = s.get(t, path).body
			assert.Contains(t, words(page), "Note needed")
			assert.NotContains(t, page, "formnovalidate")
			answer := s.post(t, path+"/decide", form(t, page, v, " "))
			assert.Equal(t, http.StatusUnprocessableEntity, answer.status)
			assert.Contains(t, words(answer.body), "It would overrule somebody else")
			assert.Contains(t, words(s.get(t, path).body), "Match confirmed by Robin")
			assert.Equal(t, http.StatusSeeOther, s.post(t, path+"/decide", form(t, page, v, "a brother")).status)
			assert.Contains(t, words(s.get(t, path).body), "Note optional", "nobody else's decision holds any more")
		})
	}
}

func TestWhatIsNoDecisionIsRefused(t *testing.T) {
	t.Parallel()
	s := newDemoSite(t)
	path, faceless := s.demoPath(t, "documented session"), s.demoPath(t, "has been deleted since")
	good := form(t, s.get(t, path).body, verdictConfirmed, "")
	with := func(name, value string) url.Values {
		changed := url.Values{}
		for key, values := range good {
			changed[key] = values
		}
		changed.Set(name, value)
		return changed
	}
	for name, try := range map[string]struct {
		path   string
		form   url.Values
		status int
		text   string
	}{
		"unknown verdict":      {path, with("verdict", "maybe"), 422, "not a decision"},
		"no verdict":           {path, with("verdict", ""), 422, "not a decision"},
		"handled, but a match": {path, with("verdict", "handled"), 422, "not a decision"},
		"long note":            {path, with("note", strings.Repeat("é", maxNote+1)), 422, "too long"},
		"huge note":            {path, with("note", strings.Repeat("x", maxForm)), 404, "incomplete or too old"},
		"no count":             {path, with("seen", ""), 422, "which decisions its page showed"},
		"wrong count":          {path, with("seen", "7"), 422, "which decisions its page showed"},
		"negative count":       {path, with("seen", "-1"), 422, "which decisions its page showed"},
		"no subject":           {path, with("subject", ""), 404, "incomplete or too old"},
		"made-up subject":      {path, with("subject", "AAAAAAAAAAAAAAAAAAAAAAAAAA"), 404, "from an earlier run"},
		"another session":      {faceless, good, 404, "from an earlier run"},
		"no session":           {"/review/nothing", good, 404, "from an earlier run"},
		"nothing to rest on":   {faceless, form(t, s.get(t, faceless).body, verdictConfirmed, " \n "), 422, "no two faces"},
	} {
		answer := s.post(t, try.path+"/decide", try.form)
		assert.Equal(t, try.status, answer.status, name)
		assert.Contains(t, answer.body, "</html>", name)
		assert.Contains(t, words(answer.body), try.text, name)
	}
	history, err := s.app.store.history(s.app.mustChoice(t, good.Get("subject")).about)
	require.NoError(t, err)
	assert.Empty(t, history)
	assert.Equal(t, http.StatusSeeOther, s.post(t, faceless+"/decide", form(t, s.get(t, faceless).body, verdictConfirmed, "his card says so")).status)
	assert.Equal(t, http.StatusSeeOther, s.post(t, path+"/decide", with("note", strings.Repeat("é", maxNote))).status)
	assert.Equal(t, http.StatusMethodNotAllowed, s.get(t, path+"/decide").status)
}

func TestASearchWithoutAMatchIsHandled(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.enter(t, "Robin")
	contradicted := found()
	contradicted.result, contradicted.reason = "PASS", ""
	path := s.pathOf(t, s.put(t, sessionSpec{state: "COMPLETED", searches: []searchSpec{contradicted}}))
	s.readAll(t)
	assert.Contains(t, words(s.get(t, "/").body), "needs a person")
	page := s.get(t, path).body
	assert.Equal(t, http.StatusUnprocessableEntity, s.post(t, path+"/decide", form(t, page, verdictConfirmed, "x")).status)
	assert.Equal(t, http.StatusUnprocessableEntity, s.post(t, path+"/decide", form(t, page, verdictHandled, "")).status)
	require.Equal(t, http.StatusSeeOther, s.post(t, path+"/decide", form(t, page, verdictHandled, "asked Yoti")).status)
	assert.Contains(t, words(s.get(t, path).body), "Marked as handled by Robin")
	assert.Contains(t, words(s.get(t, "/").body), "Nothing is left to review.")
}

func TestADatabaseThatIsOpenedAgainHasEverything(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/review.db"
	kept, err := openStore(path)
	require.NoError(t, err)
	about := subject{"SESSION", "check", "pool", "applicant"}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	first := decision{verdictConfirmed, "Robin", at, "a note", "REJECTED"}
	second := decision{verdictDismissed, "Kim", at.Add(time.Hour), "", "REJECTED"}
	require.NoError(t, kept.decide(about, first, 0))
	require.ErrorIs(t, kept.decide(about, second, 0), errDecided)
	require.ErrorIs(t, kept.decide(about, second, 2), errDecided)
	require.NoError(t, kept.decide(about, second, 1))
	for _, id := range []string{"b", "a", "B", "c"} {
		require.NoError(t, kept.addSession(record{ID: id, From: fromNotification, Added: at}))
	}
	require.NoError(t, kept.removeSession("C"))
	require.NoError(t, kept.removeSession("never there"))
	_, err = openStore(path)
	require.ErrorContains(t, err, "in use by another process")
	require.NoError(t, kept.close())

	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	kept, err = openStore(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, kept.close()) }()
	about.session = "session" // IDs are compared without regard to case
	history, err := kept.history(about)
	require.NoError(t, err)
	assert.Equal(t, []decision{first, second}, history)
	current, ok, err := kept.current(about)
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, second, current)
	for _, other := range []subject{{"session", "check", "pool", ""}, {"session", "check", "", "applicant"}, {"sessio", "ncheck", "pool", "applicant"}, {}} {
		_, ok, err = kept.current(other)
		require.NoError(t, err)
		assert.False(t, ok)
	}
	records, err := kept.sessions()
	require.NoError(t, err)
	require.Len(t, records, 2)
	assert.Equal(t, record{"b", fromNotification, at}, records[0])
	assert.Equal(t, "a", records[1].ID)
}

func TestADatabaseThatFailsIsSaidSo(t *testing.T) {
	t.Parallel()
	s := newDemoSite(t)
	path := s.demoPath(t, "documented session")
	fields := form(t, s.get(t, path).body, verdictConfirmed, "")
	require.NoError(t, s.app.store.close())
	for _, answer := range []answer{s.get(t, path), s.get(t, "/"), s.post(t, path+"/decide", fields), s.post(t, path+"/remove", url.Values{})} {
		assert.Equal(t, http.StatusInternalServerError, answer.status)
		assert.Contains(t, words(answer.body), "This page does not work right now")
	}
	_, err := openStore(t.TempDir())
	require.ErrorContains(t, err, "cannot be opened")
}
