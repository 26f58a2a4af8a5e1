// Package browser drives a Chromium that is installed on this machine, and hears what it complains about.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// ErrNotInstalled is what Start returns where there is no Chromium.
var ErrNotInstalled = errors.New("no Chromium on this machine: run e2e/install.sh, or name one with CHROMIUM=/path/to/it")

// A Browser is a running Chromium.
type Browser struct{ ctx context.Context } //nolint:containedctx // chromedp's handle of a browser

// Start starts a Chromium without a window. stop ends it.
func Start(ctx context.Context) (b *Browser, stop func(), err error) {
	path, err := find()
	if err != nil {
		return nil, nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // it does not work for root, and only pages of this machine are opened
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	)
	ctx, stopAllocator := chromedp.NewExecAllocator(ctx, options...)
	ctx, stopBrowser := chromedp.NewContext(ctx)
	stop = func() { stopBrowser(); stopAllocator() }
	if err := chromedp.Do(ctx); err != nil {
		stop()
		return nil, nil, fmt.Errorf("%s does not start: %w", path, err)
	}
	return &Browser{ctx}, stop, nil
}

// Installed returns ErrNotInstalled where there is no Chromium, and an error where there is no axe-core.
func Installed() error {
	_, missing := find()
	_, err := axeScript()
	return errors.Join(missing, err)
}

func find() (string, error) {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path, nil
	}
	for _, name := range []string{"/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNotInstalled
}

// A View is how a page is looked at.
type View struct {
	Width, Height int64
	Dark          bool
	Calm          bool   // prefers reduced motion
	TimeZone      string // "" for UTC
	NoScript      bool
}

// watcher notes in the page what cannot be heard from outside.
const watcher = `
	window.violations = [];
	document.addEventListener("securitypolicyviolation", (e) => violations.push(e.violatedDirective + " " + e.blockedURI));
	window.moved = [];
	const place = (r) => [r.x, r.y, r.width, r.height].map(Math.round).join(" ");
	const moving = (s) => (s.node?.outerHTML ?? s.node?.textContent ?? "?").slice(0, 120) + " from " + place(s.previousRect) + " to " + place(s.currentRect);
	new PerformanceObserver((list) => {
		for (const e of list.getEntries()) if (!e.hadRecentInput) moved.push(e.value.toFixed(5) + " " + e.sources.map(moving).join("; "));
	}).observe({type: "layout-shift", buffered: true});`

// Open opens a tab. done closes it.
func (b *Browser) Open(v View) (p *Page, done func(), err error) {
	p = &Page{View: v}
	ctx, done := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.hear))
	p.ctx = ctx
	err = chromedp.Do(ctx,
		command(log.Enable, cdp.Empty{}),
		command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watcher}),
		command(emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: "en-GB"}),
	)
	if err == nil {
		err = p.Look(v)
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	return p, done, nil
}

// Look changes how the page is looked at.
func (p *Page) Look(v View) error {
	if v.TimeZone == "" {
		v.TimeZone = "UTC"
	}
	p.View = v
	scheme, motion, narrow := "light", "no-preference", v.Width < 600
	if v.Dark {
		scheme = "dark"
	}
	if v.Calm {
		motion = "reduce"
	}
	return p.Do(
		command(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: v.TimeZone}),
		command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: v.NoScript}),
		command(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: v.Width, Height: v.Height, DeviceScaleFactor: 1, Mobile: narrow,
		}),
		command(emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: narrow}),
		command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: motion},
		}}),
	)
}

// command is a command of the protocol as a step whose result nobody needs.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, c, params)
		return chromedp.Void{}, err
	}
}
