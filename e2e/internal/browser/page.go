package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A Page is a tab that shares no cookies with the others.
type Page struct {
	View View

	ctx        context.Context //nolint:containedctx // chromedp's handle of a tab
	mu         sync.Mutex
	complaints []string
}

// patience is how long a page of this machine may take for anything.
const patience = 30 * time.Second

// Do takes steps, one after the other.
func (p *Page) Do(steps ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Do(ctx, steps...)
}

// Go opens a URL and waits until it is there.
func (p *Page) Go(url string) error {
	if err := p.Do(chromedp.Navigate(url)); err != nil {
		return err
	}
	return p.Settled()
}

// Reload opens the page anew. It does not wait for what the page fetches.
func (p *Page) Reload() error {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if _, err := Eval[bool](p, `document.documentElement.dataset.old = "yes", true`); err != nil {
		return err
	}
	if _, err := chromedp.Call(ctx, page.Reload, page.ReloadParams{}); err != nil {
		return err
	}
	return p.Until(`!document.documentElement.dataset.old && document.querySelector("main")`)
}

// Eval evaluates a JavaScript expression in the page, and waits for it if it is a promise.
func Eval[T any](p *Page, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Until waits until a JavaScript expression is true, also across pages.
func (p *Page) Until(expression string) error {
	var last error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(40 * time.Millisecond) {
		var ok bool
		if ok, last = Eval[bool](p, "Boolean("+expression+")"); ok {
			return nil
		}
		if p.ctx.Err() != nil {
			return p.ctx.Err()
		}
	}
	return fmt.Errorf("waited in vain until %s (%v)", expression, last) //nolint:errorlint // it may be nil
}

// Settled waits until the page has all that it shows: its content, and the faces or why there are none.
func (p *Page) Settled() error {
	if p.View.NoScript {
		return nil
	}
	return p.Until(`document.readyState === "complete" && !document.documentElement.classList.contains("busy") &&
		!document.querySelector(".arrived .frame.wait") && document.querySelector(".arrived, .sheet")`)
}

// Press presses keys, one after the other, on whatever has the focus.
func (p *Page) Press(keys string) error { return p.Do(chromedp.KeyEvent(keys)) }

// Fill writes into a field.
func (p *Page) Fill(selector, text string) error {
	return p.Do(chromedp.SetValue(chromedp.CSS(selector), text))
}

// Click clicks on something with the mouse.
func (p *Page) Click(selector string) error { return p.Do(chromedp.Click(chromedp.CSS(selector))) }

// Enter says who is reviewing, on the page that asks for it.
func (p *Page) Enter(name string) error {
	if err := p.Fill("input[name=name]", name); err != nil {
		return err
	}
	if err := p.Click("form[action='/enter'] button"); err != nil {
		return err
	}
	if err := p.Until(`location.pathname !== "/enter"`); err != nil {
		return err
	}
	return p.Settled()
}

// Text returns the text of the first element that a selector finds, as it is read: "" if there is none.
func (p *Page) Text(selector string) (string, error) {
	return Eval[string](p, fmt.Sprintf(`document.querySelector(%s)?.innerText ?? ""`, quote(selector)))
}

// Picture takes a picture of what is to be seen or, if whole, of the whole page. It is a PNG.
func (p *Page) Picture(whole bool) ([]byte, error) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	fast := true // rather than small
	taken, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{
		Format: page.CaptureScreenshotFormatPng, CaptureBeyondViewport: &whole, OptimizeForSpeed: &fast,
	})
	return taken.Data, err
}

func (p *Page) hear(event any) {
	var text string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = "exception: " + e.ExceptionDetails.Text
		if thrown := e.ExceptionDetails.Exception; thrown != nil {
			text += " " + thrown.Description
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type != runtime.ConsoleAPICalledTypeError && e.Type != runtime.ConsoleAPICalledTypeWarning {
			return
		}
		text = "console: "
		for _, arg := range e.Args {
			text += string(arg.Value) + arg.Description + " "
		}
	case *log.EventEntryAdded:
		if e.Entry.Level != log.EntryLevelError && e.Entry.Level != log.EntryLevelWarning {
			return
		}
		text = fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
	default:
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.complaints = append(p.complaints, text)
}

// Complaints returns what the console and the security policy of the page have said so far, and forgets it. What contains
// one of the expected texts is left out.
func (p *Page) Complaints(expected ...string) ([]string, error) {
	var all []string
	if !p.View.NoScript {
		violations, err := Eval[[]string](p, `violations`)
		if err != nil {
			return nil, err
		}
		all = violations
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	all = append(all, p.complaints...)
	p.complaints = nil
	var unexpected []string
	for _, complaint := range all {
		wanted := false
		for _, text := range expected {
			wanted = wanted || strings.Contains(complaint, text)
		}
		if !wanted {
			unexpected = append(unexpected, complaint)
		}
	}
	return unexpected, nil
}

// quote writes text as a JavaScript string.
func quote(text string) string {
	quoted, _ := json.Marshal(text) // text can always be encoded
	return string(quoted)
}
