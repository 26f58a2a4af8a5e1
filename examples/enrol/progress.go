package main

import (
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// A progress tells somebody how far a run has got. Its methods are not called at the same time.
type progress interface {
	start(n int)     // so many images are left to do
	done(reportLine) // one of them, or one that needed nothing, is decided
	end()
}

// newProgress is a bar on a terminal, and else a line for each image.
func newProgress(w io.Writer) progress {
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return &bar{w: w}
	}
	return lines{w}
}

// lines says what becomes of each image.
type lines struct{ w io.Writer }

func (lines) start(int) {}
func (lines) end()      {}

func (p lines) done(l reportLine) {
	if l.Status != statusAlready && l.Status != statusOpen {
		fmt.Fprintln(p.w, l.text())
	}
}

// A bar moves on with each image. What was not enrolled is told above it.
type bar struct {
	w   io.Writer
	bar *progressbar.ProgressBar
}

func (p *bar) start(n int) {
	p.bar = progressbar.NewOptions(n,
		progressbar.OptionSetWriter(p.w),
		progressbar.OptionSetDescription("enrolling"),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("images"),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionFullWidth(),
		progressbar.OptionUseANSICodes(true),
	)
}

func (p *bar) done(l reportLine) {
	if l.Status == statusRefused || l.Status == statusFailed {
		if p.bar != nil {
			_ = p.bar.Clear() // nothing of what a bar says is worth ending a run for
		}
		fmt.Fprintln(p.w, l.text())
	}
	if p.bar != nil {
		_ = p.bar.Add(1)
	}
}

func (p *bar) end() {
	if p.bar != nil {
		_ = p.bar.Exit()
		fmt.Fprintln(p.w)
	}
}
