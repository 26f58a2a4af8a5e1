package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface/yotitest"
)

func TestTheListIsFiltered(t *testing.T) {
	t.Parallel()
	s := newDemoSite(t)
	assert.Contains(t, words(s.get(t, "/?show=waiting").body), "not read yet")
	s.readAll(t)
	for show, want := range map[string]int{"": 5, "waiting": 1, "closed": 3, "all": 9, "nonsense": 5} {
		page := s.get(t, "/?show="+show)
		assert.Equal(t, want, strings.Count(page.body, `<li class="row `), show)
		assert.Contains(t, words(page.body), "To review 5 Waiting 1 Closed 3 All 9")
		assert.Equal(t, 1, strings.Count(page.body, `aria-current="page"`))
	}
	all := words(s.get(t, "/?show=all").body)
	for _, text := range []string{"2 matches to review", "1 match to review", "nothing to compare", "no result yet", "session expired here since", "guest-8"} {
		assert.Contains(t, all, text)
	}
}

func TestASessionIsAskedForByItsID(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.enter(t, "Robin")
	assert.Contains(t, words(s.get(t, "/").body), "No session has come yet.")
	id := s.put(t, sessionSpec{state: "COMPLETED", who: "somebody", searches: []searchSpec{found("nobody")}})
	answer := s.post(t, "/sessions", url.Values{"session_id": {"  " + strings.ToUpper(id) + " "}})
	if answer.status != http.StatusSeeOther { // whether IDs are found in either case is Yoti's business
		answer = s.post(t, "/sessions", url.Values{"session_id": {"  " + id + " "}})
	}
	require.Equal(t, http.StatusSeeOther, answer.status)
	require.Equal(t, http.StatusOK, s.get(t, answer.header.Get("Location")).status)
	assert.Contains(t, words(s.get(t, "/").body), "somebody asked for by ID")
	again := s.post(t, "/sessions", url.Values{"session_id": {id}})
	assert.Equal(t, answer.header.Get("Location"), again.header.Get("Location"), "it is on the list once")

	for name, want := range map[string]struct {
		id     string
		fault  *yotitest.Fault
		status int
		text   string
	}{
		"unknown": {id: newID(), status: 404, text: "The ID is wrong"},
		"no ID":   {id: "../../applicants", status: 422, text: "That is not a session ID."},
		"empty":   {id: "", status: 422, text: "That is not a session ID."},
		"down":    {id: id, fault: new(yotitest.Status(503)), status: 503, text: "Nothing is lost"},
	} {
		if want.fault != nil {
			s.yoti.Inject(*want.fault)
		}
		answer = s.post(t, "/sessions", url.Values{"session_id": {want.id}})
		assert.Equal(t, want.status, answer.status, name)
		assert.Contains(t, words(answer.body), want.text, name)
		assert.Contains(t, answer.body, `role="alert"`, name)
	}
	records, err := s.app.store.sessions()
	require.NoError(t, err)
	assert.Len(t, records, 1)
}

func (s *site) notify(t *testing.T, authorization, body string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/notifications", strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return s.do(t, r)
}

func TestNotificationsPutSessionsOnTheList(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.enter(t, "Robin")
	id := s.put(t, sessionSpec{state: "COMPLETED", who: "somebody", searches: []searchSpec{found("nobody")}})
	body := `{"session_id":"` + id + `","topic":"session_completion"}`
	for _, wrong := range []string{"", "Bearer another", "Basic YSBzZWNyZXQgb2YgdGhlaXJz"} {
		assert.Equal(t, http.StatusUnauthorized, s.notify(t, wrong, body).status)
	}
	const right = "Bearer a secret of theirs"
	assert.Equal(t, http.StatusBadRequest, s.notify(t, right, `{"session_id":"../x","topic":"y"}`).status)
	assert.Equal(t, http.StatusNoContent, s.get(t, "/news?since=0").status)
	for range 3 {
		assert.Equal(t, http.StatusOK, s.notify(t, right, body).status)
	}
	news := s.get(t, "/news?since=0")
	assert.Equal(t, "1", news.body, "however often it is said")
	assert.Equal(t, http.StatusNoContent, s.get(t, "/news?since=1").status)
	s.readAll(t)
	assert.Contains(t, words(s.get(t, "/").body), "somebody Yoti sent a notification THE POOL NO_MATCH Rejected 1 match to review")
}

func TestTheDeskReadsAgainWhatHasNoResult(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pending := searchSpec{state: "PENDING", pool: "pool-1", label: "THE POOL", criterion: "NO_MATCH"}
	waiting := s.put(t, sessionSpec{state: "ONGOING", searches: []searchSpec{pending}})
	done := s.put(t, sessionSpec{state: "COMPLETED", searches: []searchSpec{found("nobody")}})
	down, unknown := s.put(t, sessionSpec{state: "COMPLETED"}), newID()
	for _, id := range []string{waiting, done, down, unknown} {
		s.pathOf(t, id)
	}
	now := time.Now()
	require.Equal(t, []string{waiting, done, down, unknown}, s.app.desk.due(now))
	for _, id := range s.app.desk.due(now) {
		if id == down {
			s.yoti.Inject(yotitest.Status(503))
		}
		_, _ = s.app.desk.read(t.Context(), id)
	}
	assert.Empty(t, s.app.desk.due(now.Add(soonest/2)))
	assert.Equal(t, []string{waiting, down}, s.app.desk.due(now.Add(2*soonest)))

	// A reviewer who reads it first has the news, and so has the list.
	_, err := s.app.desk.read(t.Context(), down)
	require.NoError(t, err)
	assert.Equal(t, []string{waiting}, s.app.desk.due(now.Add(2*soonest)))
	require.NoError(t, s.app.desk.remove(waiting))
	_, err = s.app.desk.read(t.Context(), waiting)
	require.NoError(t, err)
	assert.Empty(t, s.app.desk.due(now.Add(time.Hour)))
}

func TestALongListSaysWhatItDoesNotShow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.enter(t, "Robin")
	for range maxRows + 2 {
		s.app.desk.lay(record{ID: newID(), From: fromNotification, Added: time.Now()})
	}
	page := s.get(t, "/?show=all").body
	assert.Equal(t, maxRows, strings.Count(page, `<li class="row `))
	assert.Contains(t, words(page), "2 more are not shown.")
}

func TestTheDemoLetsSomebodyArrive(t *testing.T) {
	t.Parallel()
	s := newDemoSite(t)
	for range 3 {
		require.Equal(t, http.StatusSeeOther, s.post(t, "/demo/arrival", url.Values{}).status)
	}
	sent := s.yoti.Notifications()
	require.Len(t, sent, 3)
	for _, n := range sent {
		assert.Equal(t, http.StatusOK, n.Status)
	}
	s.readAll(t)
	all := words(s.get(t, "/?show=all").body)
	assert.Contains(t, all, "walk-in-1 Yoti sent a notification BARRED GUESTS NO_MATCH Rejected 1 match to review")
	assert.Contains(t, all, "walk-in-2 Yoti sent a notification BARRED GUESTS NO_MATCH Approved nothing to compare")
	assert.Contains(t, all, "walk-in-3 Yoti sent a notification BARRED GUESTS NO_MATCH Rejected")
}

func TestHandlesAreRandomStableAndFew(t *testing.T) {
	t.Parallel()
	h := newHandles[string](3)
	first := h.of("a")
	assert.Len(t, first, 26)
	assert.Equal(t, first, h.of("a"))
	for _, thing := range []string{"b", "c", "d"} {
		assert.NotEqual(t, first, h.of(thing))
	}
	_, ok := h.lookUp(first)
	assert.False(t, ok, "the oldest goes first")
	thing, ok := h.lookUp(h.of("d"))
	assert.True(t, ok)
	assert.Equal(t, "d", thing)
	assert.NotEqual(t, newHandles[string](0).of("a"), newHandles[string](0).of("a"))
}

func TestWords(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"ID_DOCUMENT_FACE_MATCH": "ID document face match", "LIVENESS": "Liveness", "": "", "  ": "", "élan_vital": "Élan vital",
	} {
		assert.Equal(t, want, sentence(name))
	}
	assert.Equal(t, "a b c", clean(" a\tb\u202e\x00\nc "))
	assert.Equal(t, maxWords+1, len([]rune(clean(strings.Repeat("é", 500)))))
	assert.Equal(t, "The face.", withoutOutcome("Rejected: the face."))
	assert.Equal(t, "Rejected", withoutOutcome("Rejected"))
	assert.Equal(t, "Something new", verdictWord("SOMETHING_NEW"))
}
