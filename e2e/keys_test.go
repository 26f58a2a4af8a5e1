package e2e

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAReviewWithKeysAlone(t *testing.T) {
	t.Parallel()
	url := demo(t)
	tab := open(t, url, desktop)
	list(t, tab, url)
	require.NoError(t, tab.Go(url))
	require.Equal(t, 5, eval[int](t, tab, `document.querySelectorAll(".row").length`))
	press(t, tab, "jjj")
	until(t, tab, `document.activeElement.innerText === "guest-5"`)
	press(t, tab, "k"+kb.Enter)
	until(t, tab, `document.querySelector("h1").innerText === "guest-1"`)
	require.NoError(t, tab.Settled())

	press(t, tab, "k")
	until(t, tab, `document.querySelector("h1").innerText === "<YOUR_USER_ID>"`)
	require.NoError(t, tab.Settled())
	press(t, tab, "c")
	until(t, tab, `document.querySelector("#decided")?.innerText.includes("Match confirmed by Robin")`)
	until(t, tab, `document.querySelector("#say").innerText.includes("Match confirmed by Robin")`)
	assert.Equal(t, "4 to review", text(t, tab, ".path-count"))
	keep(t, tab, "decided-light-1280")
	audit(t, tab, "decided")

	press(t, tab, "w")
	until(t, tab, `document.activeElement.name === "note"`)
	press(t, tab, "jkcd dc") // writing is not pressing keys
	press(t, tab, kb.Escape+"d")
	until(t, tab, `document.querySelector("#decided")?.innerText.includes("Match dismissed by Robin")`)
	assert.Contains(t, text(t, tab, "#decided"), "jkcd dc")
	press(t, tab, "r")
	until(t, tab, `!document.querySelector("#decided") && document.querySelectorAll(".history li").length === 3`)
	keep(t, tab, "reopened-light-1280")
	audit(t, tab, "reopened")

	press(t, tab, "jjj")
	until(t, tab, `document.querySelector("h1").innerText === "guest-6"`)
	require.NoError(t, tab.Settled())
	captured := eval[string](t, tab, `document.querySelector(".face:nth-child(1) img").src`)
	known := eval[string](t, tab, `document.querySelector(".face:nth-child(2) img").src`)
	press(t, tab, "m")
	until(t, tab, `document.querySelector(".tabs [aria-current]").innerText === "Match 2"`)
	require.NoError(t, tab.Settled())
	assert.Equal(t, captured, eval[string](t, tab, `document.querySelector(".face:nth-child(1) img").src`))
	assert.NotEqual(t, known, eval[string](t, tab, `document.querySelector(".face:nth-child(2) img").src`))
	press(t, tab, "d")
	until(t, tab, `document.querySelector(".tabs [aria-current]").innerText.includes("Match dismissed")`)
	press(t, tab, "m")
	until(t, tab, `document.querySelector(".tabs [aria-current]").innerText === "Match 1"`)

	press(t, tab, "l")
	until(t, tab, `document.querySelector(".rows") && document.readyState === "complete"`)
	press(t, tab, "/")
	until(t, tab, `document.activeElement.id === "session-id"`)
	assert.Equal(t, 0, eval[int](t, tab, `document.querySelectorAll("dialog[open]").length`))
}

func TestTheFacesAreEnlarged(t *testing.T) {
	t.Parallel()
	url := demo(t)
	tab := open(t, url, desktop)
	for name, v := range views {
		require.NoError(t, tab.Look(v))
		first(t, tab, url)
		before := eval[float64](t, tab, `document.querySelector(".frame img").getBoundingClientRect().height`)
		press(t, tab, "z")
		until(t, tab, `document.querySelector("#large")?.open`)
		box := eval[[]float64](t, tab, `(() => { const r = document.querySelector("#large .face:nth-child(2) img").getBoundingClientRect(); return [r.height, r.right, r.bottom]; })()`)
		assert.Greater(t, box[0], before+50, name)
		assert.LessOrEqual(t, box[1], float64(v.Width), name)
		assert.LessOrEqual(t, box[2], float64(v.Height), name)
		audit(t, tab, "enlarged "+name)
		keep(t, tab, "enlarged-"+name)
		press(t, tab, kb.Escape)
		until(t, tab, `!document.querySelector("#large") && document.querySelector(".compare > #faces")`)
	}
	press(t, tab, "z")
	until(t, tab, `document.querySelector("#large")?.open`)
	press(t, tab, "c")
	until(t, tab, `document.querySelector("#decided") && !document.querySelector("#large")`)
}

func TestKeysCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	url := demo(t)
	tab := open(t, url, desktop)
	first(t, tab, url)
	require.NoError(t, tab.Click("#help-open"))
	until(t, tab, `document.querySelector("#help").open`)
	require.NoError(t, tab.Click("#keys-on"))
	press(t, tab, kb.Escape)
	until(t, tab, `!document.querySelector("#help").open`)
	press(t, tab, "c?jz")
	assert.False(t, eval[bool](t, tab, `Boolean(document.querySelector("dialog[open], #decided")) || document.querySelector("h1").innerText !== "<YOUR_USER_ID>"`))
	assert.False(t, eval[bool](t, tab, `document.querySelector(".choices kbd").checkVisibility()`), "and are not shown")
	require.NoError(t, tab.Go(url))
	press(t, tab, "j")
	assert.Equal(t, "BODY", eval[string](t, tab, `document.activeElement.tagName`), "also on the next page")
}

func TestFocusIsSeenAndFollowsTheOrderOfThePage(t *testing.T) {
	t.Parallel()
	url := demo(t)
	tab := open(t, url, desktop)
	first(t, tab, url)
	var order []string
	for range 40 {
		press(t, tab, kb.Tab)
		if eval[bool](t, tab, `document.activeElement === document.body`) {
			break
		}
		order = append(order, eval[string](t, tab, `(document.activeElement.innerText || document.activeElement.name || "").split("\n")[0].trim()`))
		assert.True(t, eval[bool](t, tab, `(() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2; })()`),
			"%s shows that it has the focus", order[len(order)-1])
	}
	assert.Subset(t, order, []string{"Skip to the content", "Face review", "Sessions", "Next", "Enlarge", "Confirm match", "Dismiss match", "note", "IDs, to look things up elsewhere"})
	assert.Equal(t, "Skip to the content", order[0])
}

func TestNobodyIsOverruledUnawares(t *testing.T) {
	t.Parallel()
	url := demo(t)
	one, other := open(t, url, desktop), open(t, url, desktop, "409")
	require.NoError(t, other.Click("form[action='/leave'] button"))
	until(t, other, `document.querySelector("input[name=name]")`)
	require.NoError(t, other.Enter("Kim"))
	first(t, one, url)
	first(t, other, url)
	press(t, one, "c")
	until(t, one, `document.querySelector("#decided")`)
	press(t, other, "d")
	until(t, other, `document.querySelector("#problem-title")?.innerText === "Somebody else has decided in the meantime"`)
	audit(t, other, "overruled")
	keep(t, other, "overruled-light-1280")
	assert.NotContains(t, eval[string](t, other, `location.pathname`), "decide", "so that it can be opened anew")
	require.NoError(t, other.Click(".problem .button"))
	until(t, other, `document.querySelector("#decided")?.innerText.includes("Match confirmed by Robin")`)
	require.NoError(t, other.Settled())
	assert.Equal(t, "needed", text(t, other, ".decide .field small"), "to overrule somebody")
	press(t, other, "r")
	until(t, other, `document.activeElement.name === "note"`)
	press(t, other, "a brother"+kb.Escape+"r")
	until(t, other, `!document.querySelector("#decided") && document.querySelectorAll(".history li").length === 2`)
}

func TestStepsThatAreTakenFastAreAllTaken(t *testing.T) {
	t.Parallel()
	url := demo(t)
	tab := open(t, url, desktop)
	first(t, tab, url)
	press(t, tab, "jjjjc") // C is for what is not to be seen yet
	until(t, tab, `document.querySelector("h1").innerText === "guest-4"`)
	require.NoError(t, tab.Settled())
	require.NoError(t, tab.Go(url+"?show=closed"))
	assert.Equal(t, 3, eval[int](t, tab, `document.querySelectorAll(".row").length`), "nothing was decided")
}
