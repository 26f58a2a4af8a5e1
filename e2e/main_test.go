// Package e2e looks at the page of examples/review as its users do: in a browser. Chromium and axe-core have to be there:
// install.sh gets them. The pictures that the tests take go to screenshots, which git ignores.
package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface/e2e/internal/browser"
	"github.com/yotiface/yotiface/e2e/internal/program"
	"github.com/yotiface/yotiface/yotitest"
)

// What all tests share.
var (
	chromium *browser.Browser
	built    string // the path of the page's program
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder) //nolint:errcheck // in a folder for what is temporary
	if err := browser.Installed(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	if err := os.MkdirAll(filepath.Dir(lastRun), 0o755); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	var stop func()
	built, err = program.Build(ctx, folder)
	if err == nil {
		chromium, stop, err = browser.Start(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer stop()
	flag.Parse()
	if err := flag.Set("test.parallel", "4"); err != nil { // most of a test is waiting
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	status := m.Run()
	if err := os.WriteFile(lastRun, nil, 0o600); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	return status
}

// lastRun is a file that every test reads and that is new after each run, so that go test keeps no result: it does not know
// that the page is part of what is tested.
const lastRun = "screenshots/last-run"

const (
	wide, high   = 1280, 800
	narrow, tall = 390, 844
)

var desktop = browser.View{Width: wide, Height: high}

// views are the ways in which every page has to look right.
var views = map[string]browser.View{
	"light-1280": {Width: wide, Height: high},
	"dark-1280":  {Width: wide, Height: high, Dark: true},
	"light-390":  {Width: narrow, Height: tall},
	"dark-390":   {Width: narrow, Height: tall, Dark: true},
}

// demo runs the page as somebody does who has just cloned it, and returns its URL.
func demo(t *testing.T) string {
	t.Helper()
	p, err := program.Start(built, nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.Stop()) })
	return p.URL
}

// live runs the page with an account, at a Yoti that the test can disturb.
func live(t *testing.T, yoti *yotitest.Server) string {
	t.Helper()
	folder := t.TempDir()
	key := filepath.Join(folder, "key")
	require.NoError(t, os.WriteFile(key, yoti.KeyPEM(), 0o600))
	p, err := program.Start(built, []string{
		"YOTI_CLIENT_SDK_ID=" + yoti.SDKID(), "YOTI_KEY_FILE_PATH=" + key, "YOTI_DOC_SCAN_API_URL=" + yoti.URL(),
	}, "-db", filepath.Join(folder, "review.db"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.Stop()) })
	return p.URL
}

// open opens a page in a tab of its own, as a reviewer who has said who they are. At the end of the test the page must not
// have complained about anything but what is expected.
func open(t *testing.T, url string, v browser.View, expected ...string) *browser.Page {
	t.Helper()
	_, _ = os.ReadFile(lastRun) // it need not be there
	tab, done, err := chromium.Open(v)
	require.NoError(t, err)
	t.Cleanup(done)
	t.Cleanup(func() {
		complaints, err := tab.Complaints(expected...)
		if !errors.Is(err, context.Canceled) {
			assert.NoError(t, err)
		}
		assert.Empty(t, complaints)
	})
	require.NoError(t, tab.Go(url))
	require.NoError(t, tab.Enter("Robin"))
	return tab
}

// ask opens a session by its ID, as a reviewer does.
func ask(t *testing.T, tab *browser.Page, url, sessionID string) {
	t.Helper()
	require.NoError(t, tab.Go(url))
	require.NoError(t, tab.Fill("#session-id", sessionID))
	require.NoError(t, tab.Click(".ask button"))
	require.NoError(t, tab.Until(`document.querySelector(".path")`))
	require.NoError(t, tab.Settled())
}

// list opens the list of the demo's sessions and waits until the page has read them.
func list(t *testing.T, tab *browser.Page, url string) {
	t.Helper()
	require.Eventually(t, func() bool {
		if tab.Go(url+"?show=all") != nil {
			return false
		}
		ready, err := browser.Eval[bool](tab, `document.querySelectorAll(".row").length === 9 && !document.querySelector(".row.unread")`)
		return err == nil && ready
	}, 20*time.Second, 50*time.Millisecond)
}

// first opens the first session of the list, the documented one.
func first(t *testing.T, tab *browser.Page, url string) {
	t.Helper()
	list(t, tab, url)
	href, err := browser.Eval[string](tab, `document.querySelector(".row-who a").href`)
	require.NoError(t, err)
	require.NoError(t, tab.Go(href))
}

// text is what is read at a selector, on one line.
func text(t *testing.T, tab *browser.Page, selector string) string {
	t.Helper()
	found, err := tab.Text(selector)
	require.NoError(t, err)
	return strings.Join(strings.Fields(found), " ")
}

// until waits for something to become true in the page.
func until(t *testing.T, tab *browser.Page, expression string) {
	t.Helper()
	require.NoError(t, tab.Until(expression))
}

// eval evaluates an expression in the page.
func eval[T any](t *testing.T, tab *browser.Page, expression string) T {
	t.Helper()
	value, err := browser.Eval[T](tab, expression)
	require.NoError(t, err)
	return value
}

// press presses keys.
func press(t *testing.T, tab *browser.Page, keys string) {
	t.Helper()
	require.NoError(t, tab.Press(keys))
}

// keep leaves a picture of the whole page for people to look at.
func keep(t *testing.T, tab *browser.Page, name string) {
	t.Helper()
	picture, err := tab.Picture(true)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join("screenshots", name+".png"), picture, 0o644))
}

// audit has axe-core look at the page, and makes sure that nothing sticks out at the side.
func audit(t *testing.T, tab *browser.Page, name string) {
	t.Helper()
	findings, err := tab.Audit()
	require.NoError(t, err)
	assert.Empty(t, findings, name)
	assert.LessOrEqual(t, eval[int](t, tab, `document.documentElement.scrollWidth - innerWidth`), 0, "%s is wider than the window", name)
}
