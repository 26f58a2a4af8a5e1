package main

import (
	"bytes"
	"context"
	_ "embed" // for what a terminal looks like
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/yotiface/yotiface/e2e/internal/browser"
	"github.com/yotiface/yotiface/e2e/internal/program"
)

//go:embed terminal.html
var terminalPage string

var terminal = template.Must(template.New("terminal").Parse(terminalPage))

// takeTerminal runs the example that the README names, and takes the picture of what it prints.
func takeTerminal(ctx context.Context, chromium *browser.Browser, folder, file string, dark bool) error {
	built := filepath.Join(folder, "familiarface")
	build := exec.CommandContext(ctx, "go", "build", "-o", built, "./examples/familiarface") //nolint:gosec // G204: the folder is this program's
	build.Dir = program.Root()
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the example: %w\n%s", err, output)
	}
	command := exec.CommandContext(ctx, built, "-out", "faces")          //nolint:gosec // G204: it was built here
	if err := os.RemoveAll(filepath.Join(folder, "faces")); err != nil { // of the picture before
		return err
	}
	command.Dir, command.Env = folder, program.Environment()
	output, err := command.Output()
	if err != nil {
		return fmt.Errorf("running the example: %w", err)
	}
	var page bytes.Buffer
	err = terminal.Execute(&page, map[string]any{
		"Command": "go run ./examples/familiarface -out faces",
		"Lines":   strings.Split(strings.TrimSpace(string(output)), "\n"),
	})
	if err != nil {
		return err
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page.Bytes()) }))
	defer server.Close()

	tab, done, err := chromium.Open(browser.View{Width: 1000, Height: 400, Dark: dark})
	if err != nil {
		return err
	}
	defer done()
	return steps(
		func() error { return tab.Go(server.URL) },
		func() error { return save(tab, file, true) },
	)
}
