package e2e

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // of the drawn faces
	"image/png"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface/e2e/internal/browser"
	"github.com/yotiface/yotiface/yotitest"
)

// The pages of the demo, in the order of its list, with what has to be read on each.
var sessions = []struct {
	name string
	says map[string]string // by selector
}{
	{"rejected", map[string]string{"#outcome": "Rejected", "#decision-title": "Is this the same person?", ".path h1": "<YOUR_USER_ID>"}},
	{"approved", map[string]string{"#outcome": "Approved", ".face:nth-child(2) figcaption": "Known face in STAFF"}},
	{"no-match-rejected", map[string]string{"#outcome": "Rejected", ".frame.empty strong": "No match"}},
	{"no-match-approved", map[string]string{"#outcome": "Approved", ".frame.empty strong": "No match"}},
	{"pending", map[string]string{"#outcome": "Pending", ".frame.empty strong": "No result yet", ".notice": "There is no result yet."}},
	{"contradicted", map[string]string{"#outcome": "Undetermined", ".notice": "The answer contradicts itself."}},
	{"two-matches", map[string]string{"#outcome": "Rejected", ".tabs [aria-current]": "Match 1"}},
	{"no-face-any-more", map[string]string{"#outcome": "Rejected", ".frame.empty strong": "No face any more"}},
	{"expired", map[string]string{".notice": "The session has expired."}},
}

func TestEveryPageLooksRight(t *testing.T) {
	t.Parallel()
	url := demo(t)
	tab := open(t, url, desktop)
	look := func(name string) {
		for view, v := range views {
			require.NoError(t, tab.Look(v))
			audit(t, tab, name+" "+view)
			keep(t, tab, name+"-"+view)
		}
		require.NoError(t, tab.Look(desktop))
	}
	list(t, tab, url)
	assert.Empty(t, eval[[]string](t, tab, `moved`), "nothing moves while the list loads")
	look("list")
	hrefs := eval[[]string](t, tab, `[...document.querySelectorAll(".row-who a")].map((a) => a.href)`)
	require.Len(t, hrefs, len(sessions))
	for i, s := range sessions {
		require.NoError(t, tab.Go(hrefs[i]))
		assert.Empty(t, eval[[]string](t, tab, `moved`), "nothing moves while %s loads", s.name)
		for selector, says := range s.says {
			assert.Contains(t, text(t, tab, selector), says, s.name)
		}
		assert.Contains(t, text(t, tab, ".demo"), "Demo world")
		look(s.name)
	}

	press(t, tab, "?")
	until(t, tab, `document.querySelector("#help").open`)
	look("help")
	require.NoError(t, tab.Go(url+"enter"))
	look("enter")
	require.NoError(t, tab.Go(url+"?show=all"))
	require.NoError(t, tab.Fill("#session-id", "../x"))
	require.NoError(t, tab.Click(".ask button"))
	until(t, tab, `document.querySelector("#ask-problem")`)
	look("not-an-id")
	_, err := tab.Complaints("422")
	require.NoError(t, err)
}

func TestBothFacesAreSeen(t *testing.T) {
	t.Parallel()
	url := demo(t)
	captured, known := reduced(t, yotitest.DrawCapture(25)), reduced(t, yotitest.DrawFace(25))
	stranger := reduced(t, yotitest.DrawFace(9))
	tab := open(t, url, desktop)
	for view, v := range views {
		require.NoError(t, tab.Look(v))
		first(t, tab, url)
		for i, want := range [][]color.RGBA{captured, known} {
			shown := seen(t, tab, fmt.Sprintf(".face:nth-child(%d) img", i+1))
			assert.Less(t, distance(shown, want), 8.0, "%s: picture %d is that of the person", view, i+1)
			assert.Greater(t, distance(shown, stranger), 20.0, "%s: and of nobody else", view)
			assert.Greater(t, distance(shown, [][]color.RGBA{known, captured}[i]), 20.0, "%s: nor the other picture", view)
		}
		box := eval[[]float64](t, tab, `[...document.querySelectorAll(".frame")].flatMap((f) => { const r = f.getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; })`)
		assert.InDelta(t, box[1], box[5], 1, "%s: side by side", view)
		assert.Greater(t, box[4], box[0]+box[2], view)
		assert.InDelta(t, 1.25, box[3]/box[2], 0.01, "%s: in the shape of a face", view)
		if v.Width == wide {
			assert.Greater(t, box[2], 380.0, "large")
			assert.LessOrEqual(t, box[1]+box[3], float64(v.Height), "and without scrolling")
			assert.LessOrEqual(t, eval[float64](t, tab, `document.querySelector(".choices").getBoundingClientRect().bottom`), float64(v.Height))
		}
	}
}

// A face is reduced to so many fields, whose colours are compared.
const columns, rows = 12, 15

// reduced averages the colours of an image in each field.
func reduced(t *testing.T, encoded []byte) []color.RGBA {
	t.Helper()
	picture, _, err := image.Decode(bytes.NewReader(encoded))
	require.NoError(t, err)
	return fields(picture, picture.Bounds())
}

// seen is what a person sees where an element is: it is taken from a picture of the page.
func seen(t *testing.T, tab *browser.Page, selector string) []color.RGBA {
	t.Helper()
	taken, err := tab.Picture(false)
	require.NoError(t, err)
	picture, err := png.Decode(bytes.NewReader(taken))
	require.NoError(t, err)
	box := eval[[]float64](t, tab, fmt.Sprintf(`(() => { const r = document.querySelector(%q).getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; })()`, selector))
	region := image.Rect(int(box[0]), int(box[1]), int(box[2]), int(box[3]))
	require.True(t, region.In(picture.Bounds()), "%v is in sight", region)
	return fields(picture, region)
}

func fields(picture image.Image, region image.Rectangle) (averages []color.RGBA) {
	for row := range rows {
		for column := range columns {
			var r, g, b, n uint64
			for y := region.Min.Y + region.Dy()*row/rows; y < region.Min.Y+region.Dy()*(row+1)/rows; y++ {
				for x := region.Min.X + region.Dx()*column/columns; x < region.Min.X+region.Dx()*(column+1)/columns; x++ {
					pr, pg, pb, _ := picture.At(x, y).RGBA()
					r, g, b, n = r+uint64(pr>>8), g+uint64(pg>>8), b+uint64(pb>>8), n+1
				}
			}
			averages = append(averages, color.RGBA{uint8(r / n), uint8(g / n), uint8(b / n), 0xff})
		}
	}
	return averages
}

// distance is by how much the colours of two pictures differ on average, from 0 to 255.
func distance(a, b []color.RGBA) float64 {
	sum := 0
	for i := range a {
		for _, d := range []int{int(a[i].R) - int(b[i].R), int(a[i].G) - int(b[i].G), int(a[i].B) - int(b[i].B)} {
			sum += max(d, -d)
		}
	}
	return float64(sum) / float64(3*len(a))
}

func TestTimesAreInTheReadersZone(t *testing.T) {
	t.Parallel()
	url := demo(t)
	v := desktop
	v.TimeZone = "Asia/Tokyo"
	tab := open(t, url, v)
	first(t, tab, url)
	assert.Contains(t, text(t, tab, ".face .under"), "4 Jun 2025, 17:51")
	assert.Equal(t, "4 Jun 2025, 08:51 UTC", eval[string](t, tab, `document.querySelector(".face .under time").title`))
}

func TestWithoutScriptsThePageWorks(t *testing.T) {
	t.Parallel()
	url := demo(t)
	v := desktop
	v.NoScript = true
	tab := open(t, url, v)
	first(t, tab, url)
	until(t, tab, `[...document.querySelectorAll(".frame img")].every((img) => img.complete && img.naturalWidth === 480)`)
	assert.Contains(t, text(t, tab, ".face .under"), "4 Jun 2025, 08:51 UTC")
	require.NoError(t, tab.Click("button[value=dismissed]"))
	until(t, tab, `document.querySelector("#decided")`)
	assert.Contains(t, text(t, tab, "#decided"), "Match dismissed by Robin")
	require.NoError(t, tab.Click("a[rel=next]"))
	until(t, tab, `document.querySelector("h1")?.innerText === "guest-1"`)
}

func TestMotionIsReducedWhereItIsWished(t *testing.T) {
	t.Parallel()
	url := demo(t)
	const moving = `(() => { const f = document.querySelector(".frame"); f.classList.add("wait"); const name = getComputedStyle(f, "::after").animationName; f.classList.remove("wait"); return name; })()`
	v := desktop
	tab := open(t, url, desktop)
	first(t, tab, url)
	for calm, want := range map[bool]string{false: "wait", true: "none"} {
		v.Calm = calm
		require.NoError(t, tab.Look(v))
		assert.Equal(t, want, eval[string](t, tab, moving))
	}
}
