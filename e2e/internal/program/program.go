// Package program builds and runs the page that is tested.
package program

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Root is the folder of the library.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

// Build builds the page into a folder and returns the path of the program.
func Build(ctx context.Context, folder string) (string, error) {
	path := filepath.Join(folder, "review")
	build := exec.CommandContext(ctx, "go", "build", "-o", path, ".") //nolint:gosec // G204: the folder is the caller's
	build.Dir = filepath.Join(Root(), "examples", "review")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the page: %w\n%s", err, output)
	}
	return path, nil
}

// Environment is the caller's, without an account.
func Environment() (env []string) {
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "YOTI_") && !strings.HasPrefix(pair, "REVIEW_") {
			env = append(env, pair)
		}
	}
	return env
}

// A Program is the page as it runs.
type Program struct {
	URL string // with a slash at its end
	cmd *exec.Cmd
}

// Start starts the page on a free port, without the caller's environment of Yoti but with env, and waits until it serves.
func Start(path string, env []string, args ...string) (*Program, error) {
	cmd := exec.Command(path, append([]string{"-addr", "127.0.0.1:0"}, args...)...) //nolint:gosec,noctx // G204: it was built here, and Stop ends it
	cmd.Env = append(Environment(), env...)
	cmd.Stderr = os.Stderr
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Program{cmd: cmd}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "Review faces at "); ok {
			p.URL = url
			break
		}
	}
	go io.Copy(io.Discard, output) //nolint:errcheck // nobody reads the rest
	if p.URL == "" {
		return nil, errors.Join(errors.New("the page did not say where it is"), p.Stop())
	}
	return p, p.wait()
}

func (p *Program) wait() error {
	client := &http.Client{Timeout: time.Second}
	var last error
	for range 100 {
		answer, err := client.Get(p.URL + "enter") //nolint:noctx // the client has a timeout
		if err == nil {
			return answer.Body.Close()
		}
		last = err
		time.Sleep(20 * time.Millisecond)
	}
	return errors.Join(last, p.Stop())
}

// Stop ends the page as Ctrl-C does, and returns an error if it did not end well.
func (p *Program) Stop() error {
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(10 * time.Second):
		return errors.Join(errors.New("the page did not end when it was told to"), p.cmd.Process.Kill())
	}
}
