package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface/yotitest"
)

const (
	sessionEndpoint = "/sessions/{session_id}"
	mediaEndpoint   = "/sessions/{session_id}/media/{media_id}/content"
	faceEndpoint    = "/applicant/{applicant_id}/faces/{face_id}"
)

// late is long enough for a look at what is shown until then, and shorter than one attempt may take.
const late = 5 * time.Second

// disturbed opens the documented session at a Yoti that the test can disturb.
func disturbed(t *testing.T) (tab *page, yoti *yotitest.World) {
	t.Helper()
	yoti = yotitest.Demo()
	t.Cleanup(yoti.Close)
	url := live(t, yoti.Server)
	v := desktop
	v.Calm = true // nothing has to move while somebody waits
	tab = &page{open(t, url, v, "Failed to load resource")}
	ask(t, tab.Page, url, yoti.Sessions[0].ID)
	return tab, yoti
}

func TestAFaceThatIsLateMovesNothing(t *testing.T) {
	t.Parallel()
	tab, yoti := disturbed(t)
	yoti.Inject(yotitest.Slow(late).On(http.MethodGet, mediaEndpoint), yotitest.Slow(late).On(http.MethodGet, faceEndpoint))
	tab.reload(t)
	until(t, tab.Page, `document.querySelectorAll(".frame.wait").length === 2`)
	assert.Equal(t, "true", eval[string](t, tab.Page, `document.querySelector("button[value=confirmed]").getAttribute("aria-disabled")`))
	press(t, tab.Page, "c")
	until(t, tab.Page, `document.querySelector("#say").innerText === "The faces are still on their way."`)
	audit(t, tab.Page, "faces on their way")
	keep(t, tab.Page, "faces-on-their-way-light-1280")
	require.NoError(t, tab.Settled())
	assert.Empty(t, text(t, tab.Page, "#decided"), "nothing was decided")
	assert.Empty(t, eval[[]string](t, tab.Page, `moved`), "nothing has moved")
	press(t, tab.Page, "c")
	until(t, tab.Page, `document.querySelector("#decided")`)
}

func TestASessionThatIsLateIsSaidToBe(t *testing.T) {
	t.Parallel()
	tab, yoti := disturbed(t)
	for _, noScript := range []bool{false, true} {
		v := tab.View
		v.NoScript = noScript
		require.NoError(t, tab.Look(v))
		yoti.Inject(yotitest.Slow(late).On(http.MethodGet, sessionEndpoint))
		tab.start(t)
		until(t, tab.Page, `document.querySelector(".loading")?.checkVisibility() && !document.querySelector(".arrived")`)
		assert.Contains(t, text(t, tab.Page, "main"), "Asking Yoti for the session…")
		if !noScript {
			audit(t, tab.Page, "loading")
			keep(t, tab.Page, "loading-light-1280")
		}
		until(t, tab.Page, `document.querySelector(".arrived #outcome") && !document.querySelector(".loading")?.checkVisibility()`)
	}
}

func TestYotiIsDownAndComesBack(t *testing.T) {
	t.Parallel()
	tab, yoti := disturbed(t)
	yoti.Inject(yotitest.Status(503).Times(3).On(http.MethodGet, sessionEndpoint))
	tab.start(t)
	until(t, tab.Page, `document.querySelector("#problem-title")`)
	assert.Equal(t, "Yoti does not answer", text(t, tab.Page, "#problem-title"))
	for name, v := range views {
		require.NoError(t, tab.Look(v))
		audit(t, tab.Page, "down "+name)
		keep(t, tab.Page, "down-"+name)
	}
	require.NoError(t, tab.Look(desktop))
	press(t, tab.Page, "r")
	until(t, tab.Page, `document.querySelector("#outcome")?.innerText === "Rejected"`)
	require.NoError(t, tab.Settled())
}

func TestAFaceThatDoesNotComeIsExplained(t *testing.T) {
	t.Parallel()
	tab, yoti := disturbed(t)
	for name, want := range map[string]struct {
		fault yotitest.Fault
		text  string
	}{
		"gone":       {yotitest.Status(404), "expired or was deleted"},
		"down":       {yotitest.Status(503), "did not answer"},
		"broken off": {yotitest.Truncate(15000), "broke off"},
	} {
		yoti.Inject(want.fault.Times(6).On(http.MethodGet, mediaEndpoint)) // three attempts, for the picture and for the reason
		tab.reload(t)
		until(t, tab.Page, `document.querySelector(".frame.failed .reason")`)
		if name != "broken off" { // a whole one may follow where attempts are left over
			assert.Contains(t, text(t, tab.Page, ".frame.failed"), want.text, name)
		}
		assert.Equal(t, "needed", text(t, tab.Page, ".decide .field small"), "nobody decides on one face without a word")
		assert.Contains(t, text(t, tab.Page, ".decide"), "One of the faces cannot be shown.")
		audit(t, tab.Page, "face "+name)
		keep(t, tab.Page, "face-"+strings.ReplaceAll(name, " ", "-")+"-light-1280")
		for range 8 { // until the faults are used up
			if eval[bool](t, tab.Page, `!document.querySelector(".frame.failed")`) {
				break
			}
			require.NoError(t, tab.Click(".frame.failed .reason button"))
			require.NoError(t, tab.Settled())
		}
		assert.Equal(t, 2, eval[int](t, tab.Page, `[...document.querySelectorAll(".frame img")].filter((i) => i.naturalWidth === 480).length`), name)
		assert.Equal(t, "optional", text(t, tab.Page, ".decide .field small"))
	}
}

func TestAnUnknownSessionIsNothingToWaitFor(t *testing.T) {
	t.Parallel()
	tab, yoti := disturbed(t)
	yoti.Inject(yotitest.Status(404).On(http.MethodGet, sessionEndpoint))
	tab.reload(t)
	assert.Equal(t, "Yoti does not know this session", text(t, tab.Page, "#problem-title"))
	for name, v := range views {
		require.NoError(t, tab.Look(v))
		audit(t, tab.Page, "unknown "+name)
		keep(t, tab.Page, "unknown-"+name)
	}
	require.NoError(t, tab.Look(desktop))
	require.NoError(t, tab.Click(".problem form button"))
	until(t, tab.Page, `document.querySelector(".nothing")`)
	audit(t, tab.Page, "empty list")
	keep(t, tab.Page, "list-empty-light-1280")
	require.NoError(t, tab.Fill("#session-id", "7938ac1e-0000-0000-0000-000000000000"))
	require.NoError(t, tab.Click(".ask button"))
	until(t, tab.Page, `document.querySelector("#ask-problem")`)
	assert.Contains(t, text(t, tab.Page, "#ask-problem"), "The ID is wrong")
	assert.NotContains(t, eval[string](t, tab.Page, `location.href`), "7938")
}

func TestAResultArrivesByItself(t *testing.T) {
	t.Parallel()
	yoti := yotitest.NewServer()
	t.Cleanup(yoti.Close)
	url := live(t, yoti)
	const search = `{"type":"FAMILIAR_FACE_SEARCH","id":"c","config":{"pool_id":"p","pool_label":"THE POOL","approval_criteria":"NO_MATCH"},`
	id := yoti.PutSession([]byte(`{"session_id":"s-1","state":"ONGOING","checks":[` + search + `"state":"PENDING"}]}`))
	tab := open(t, url, desktop)
	ask(t, tab, url, id)
	assert.Equal(t, "Pending", text(t, tab, "#outcome"))
	yoti.PutSession([]byte(`{"session_id":"s-1","state":"COMPLETED","checks":[` + search + `"state":"DONE","report":{"recommendation":{"value":"APPROVE"},
		"breakdown":[{"sub_check":"face_not_found_in_pool","result":"PASS","details":[]}]}}]}`))
	until(t, tab, `document.querySelector("#outcome").innerText === "Approved"`)
}

func TestTheListTellsOfNewSessionsAndDoesNotMove(t *testing.T) {
	t.Parallel()
	url := demo(t)
	tab, other := open(t, url, desktop), open(t, url, desktop)
	list(t, tab, url)
	require.NoError(t, other.Click(".tools button"))
	until(t, other, `document.querySelectorAll(".row").length === 10`)
	until(t, tab, `!document.querySelector("#news").hidden`)
	assert.Contains(t, text(t, tab, "#news"), "1 new session has come.")
	assert.Equal(t, 9, eval[int](t, tab, `document.querySelectorAll(".row").length`))
	audit(t, tab, "news")
	keep(t, tab, "list-news-light-1280")
	require.NoError(t, tab.Click("#news a"))
	until(t, tab, `document.querySelectorAll(".row").length === 10`)
	assert.Contains(t, text(t, tab, ".row:last-child"), "Yoti sent a notification")
}
