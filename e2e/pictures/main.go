// Command pictures takes the pictures that the README shows, of the page and of a terminal, into docs/images:
//
//	go -C e2e run ./pictures
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"

	"github.com/chromedp/chromedp"

	"github.com/yotiface/yotiface/e2e/internal/browser"
	"github.com/yotiface/yotiface/e2e/internal/program"
)

func main() {
	out := flag.String("out", filepath.Join(program.Root(), "docs", "images"), "`folder` for the pictures")
	flag.Parse()
	if err := run(context.Background(), *out); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil { //nolint:gosec // G301: pictures of nobody
		return err
	}
	folder, err := os.MkdirTemp("", "pictures-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // in a folder for what is temporary
	path, err := program.Build(ctx, folder)
	if err != nil {
		return err
	}
	page, err := program.Start(path, nil)
	if err != nil {
		return err
	}
	defer func() { _ = page.Stop() }()
	chromium, stop, err := browser.Start(ctx)
	if err != nil {
		return err
	}
	defer stop()

	for name, dark := range map[string]bool{"light": false, "dark": true} {
		err := steps(
			func() error { return take(chromium, page.URL, filepath.Join(out, "review-"+name+".png"), dark) },
			func() error {
				return takeTerminal(ctx, chromium, folder, filepath.Join(out, "terminal-"+name+".png"), dark)
			},
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// twoMatches is the row of the session that the README shows.
const twoMatches = 6

// take takes the picture of a match.
func take(chromium *browser.Browser, url, file string, dark bool) error {
	tab, done, err := chromium.Open(browser.View{Width: 1280, Height: 850, Dark: dark})
	if err != nil {
		return err
	}
	defer done()
	return steps(
		func() error { return tab.Go(url) },
		func() error { return tab.Enter("Robin Example") },
		func() error { return ready(tab, url+"?show=all") },
		func() error { return follow(tab, twoMatches) },
		func() error { return tab.Press("m") },
		func() error {
			return tab.Until(`document.querySelector(".tabs [aria-current]").innerText === "Match 2"`)
		},
		func() error { return tab.Do(chromedp.Blur(chromedp.CSS(".tabs [aria-current]"))) },
		func() error { return save(tab, file, false) },
	)
}

func steps(todo ...func() error) error {
	for _, step := range todo {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// ready opens the list and waits until all sessions in it have been read.
func ready(tab *browser.Page, url string) error {
	for range 100 {
		if err := tab.Go(url); err != nil {
			return err
		}
		unread, err := browser.Eval[int](tab, `document.querySelectorAll(".row.unread, .empty").length`)
		if err != nil || unread == 0 {
			return err
		}
	}
	return errors.New("the sessions are not read")
}

// follow opens a session of the list.
func follow(tab *browser.Page, row int) error {
	href, err := browser.Eval[string](tab, fmt.Sprintf(`document.querySelectorAll(".row-who a")[%d].href`, row))
	if err != nil {
		return err
	}
	return tab.Go(href)
}

// save writes a picture of what is to be seen or, if whole, of the whole page, as small as a PNG can be without a loss.
func save(tab *browser.Page, file string, whole bool) error {
	if err := tab.Settled(); err != nil {
		return err
	}
	taken, err := tab.Picture(whole)
	if err != nil {
		return err
	}
	picture, err := png.Decode(bytes.NewReader(taken))
	if err != nil {
		return err
	}
	return write(file, picture)
}

func write(file string, picture image.Image) error {
	var smaller bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&smaller, picture); err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "%s %d KB\n", file, smaller.Len()>>10)
	return os.WriteFile(file, smaller.Bytes(), 0o644) //nolint:gosec // G306: a picture of nobody
}
