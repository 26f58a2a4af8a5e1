package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// workshop is a folder for what all tests share.
var workshop string

func TestMain(m *testing.M) {
	var err error
	if workshop, err = os.MkdirTemp("", "enrol-test-"); err != nil {
		panic(err)
	}
	status := m.Run()
	_ = os.RemoveAll(workshop)
	os.Exit(status)
}

// goTool runs the go command, which is how a program is built without the race detector.
func goTool(args ...string) {
	if output, err := exec.CommandContext(context.Background(), "go", args...).CombinedOutput(); err != nil {
		panic(string(output))
	}
}

// binary is the path of the tool.
var binary = sync.OnceValue(func() string {
	path := filepath.Join(workshop, "enrol")
	goTool("build", "-o", path, ".")
	return path
})

// faces are people who do not exist.
func faces(n int) [][]byte { return drawn()[:n] }

var drawn = sync.OnceValue(func() [][]byte {
	const count = 40
	goTool("run", "./testdata/draw", strconv.Itoa(count), workshop)
	pictures := make([][]byte, count)
	for i := range pictures {
		var err error
		if pictures[i], err = os.ReadFile(filepath.Join(workshop, fmt.Sprintf("%02d.jpg", i))); err != nil {
			panic(err)
		}
	}
	return pictures
})

// folder writes files into a new folder.
func folder(tb testing.TB, files map[string][]byte) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "faces")
	require.NoError(tb, os.Mkdir(path, 0o700))
	for name, data := range files {
		file := filepath.Join(path, name)
		require.NoError(tb, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(tb, os.WriteFile(file, data, 0o600))
	}
	return path
}

// portraits is a folder of that many people.
func portraits(tb testing.TB, n int) string {
	tb.Helper()
	files := map[string][]byte{}
	for i, face := range faces(n) {
		files[fmt.Sprintf("%02d.jpg", i)] = face
	}
	return folder(tb, files)
}

// attempt runs the tool in this process, against the service, and returns its exit status and its report.
func (s *service) attempt(tb testing.TB, signals <-chan os.Signal, args ...string) (exit int, r report, output string) {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "report.json")
	args = append([]string{"-backoff", "1ms", "-settle", "0", "-report", file}, args...)
	var screen bytes.Buffer
	set, err := parse(args, &screen)
	require.NoError(tb, err)
	if set.journal == "" {
		set.journal, err = beside(set.from)
		require.NoError(tb, err)
	}
	exit = execute(signals, set, s.account(tb, set), &screen, &screen)
	if data, err := os.ReadFile(file); err == nil {
		require.NoError(tb, json.Unmarshal(data, &r))
		assert.Equal(tb, os.FileMode(0o600), mode(tb, file))
	}
	return exit, r, screen.String()
}

func mode(tb testing.TB, path string) os.FileMode {
	tb.Helper()
	info, err := os.Stat(path)
	require.NoError(tb, err)
	return info.Mode().Perm()
}

// of returns the lines of a report with a status.
func (r report) of(s status) (lines []reportLine) {
	for _, l := range r.Images {
		if l.Status == s {
			lines = append(lines, l)
		}
	}
	return lines
}
