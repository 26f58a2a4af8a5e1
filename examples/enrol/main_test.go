package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface/yotitest"
)

// command returns the program, in an environment without an account.
func command(t *testing.T) func(args ...string) (exit int, stdout, stderr string) {
	t.Helper()
	for _, name := range []string{"YOTI_CLIENT_SDK_ID", "YOTI_KEY_FILE_PATH", "YOTI_DOC_SCAN_API_URL"} {
		t.Setenv(name, "")
	}
	return func(args ...string) (int, string, string) {
		var stdout, stderr bytes.Buffer
		exit := run(nil, args, &stdout, &stderr)
		return exit, stdout.String(), stderr.String()
	}
}

func TestWithoutAnAccountThereIsADemo(t *testing.T) {
	enrol := command(t)
	t.Setenv("TMPDIR", t.TempDir())
	exit, stdout, stderr := enrol()
	assert.Equal(t, exitEnrolled, exit, stderr)
	assert.Contains(t, stdout, "Demo world: no account is set")
	assert.Contains(t, stdout, "enrolled  7\nalready   1\n")
	reports, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "enrol-*", "report.csv"))
	require.NoError(t, err)
	require.Len(t, reports, 1)
	assert.Equal(t, 9, strings.Count(readFile(t, reports[0]), "\n"))

	from := portraits(t, 1)
	exit, _, stderr = enrol("-from", from)
	assert.Equal(t, exitEnrolled, exit, stderr)
	assert.NoFileExists(t, from+".journal", "what a demo did is no reason not to do it")
}

func TestWithAnAccount(t *testing.T) {
	enrol := command(t)
	server := yotitest.NewServer()
	defer server.Close()
	key := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(key, server.KeyPEM(), 0o600))
	t.Setenv("YOTI_CLIENT_SDK_ID", server.SDKID())
	t.Setenv("YOTI_KEY_FILE_PATH", key)
	t.Setenv("YOTI_DOC_SCAN_API_URL", server.URL())
	from := portraits(t, 2)
	exit, stdout, stderr := enrol("-from", from, "-pool", server.PutPool("STAFF"))
	assert.Equal(t, exitEnrolled, exit, stderr)
	assert.NotContains(t, stdout, "Demo")
	assert.FileExists(t, from+".journal")
}

func TestMistakes(t *testing.T) {
	enrol := command(t)
	t.Setenv("TMPDIR", t.TempDir())
	server := yotitest.NewServer()
	defer server.Close()
	key := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(key, server.KeyPEM(), 0o600))
	from, file := portraits(t, 1), filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	rows := []struct {
		name, sdkID string
		args        []string
		want        string
	}{
		{"unknown flag", "", []string{"-nonsense"}, "nonsense"},
		{"a source without its flag", "", []string{"faces"}, "-from"},
		{"two pools", "", []string{"-pool", "x", "-create-pool", "y"}, "exclude"},
		{"none at a time", "", []string{"-concurrency", "0"}, "-concurrency"},
		{"thousands at a time", "", []string{"-concurrency", "1000"}, "-concurrency"},
		{"no tries", "", []string{"-tries", "0"}, "-tries"},
		{"no such source", "", []string{"-from", file + "x"}, "no such file"},
		{"half an account", "", []string{"-from", from, "-pool", "x"}, "YOTI_CLIENT_SDK_ID"},
		{"no source", server.SDKID(), nil, "-from"},
		{"no pool", server.SDKID(), []string{"-from", from}, "-pool"},
		{"a pool that cannot be one", server.SDKID(), []string{"-from", from, "-pool", "a/b"}, "-pool"},
		{"a report that cannot be written", server.SDKID(), []string{"-from", from, "-pool", "x", "-report", file + "x/report"}, "report"},
		{"a journal that cannot be written", server.SDKID(), []string{"-from", from, "-pool", "x", "-journal", file + "x/journal"}, "journal"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv("YOTI_CLIENT_SDK_ID", row.sdkID)
			if row.sdkID != "" || row.name == "half an account" {
				t.Setenv("YOTI_KEY_FILE_PATH", key)
			}
			t.Setenv("YOTI_DOC_SCAN_API_URL", server.URL())
			exit, _, stderr := enrol(row.args...)
			assert.Equal(t, exitError, exit)
			assert.Contains(t, stderr, row.want)
			assert.Equal(t, 1, strings.Count(stderr, "\n"), "one line: %s", stderr)
		})
	}
	assert.Empty(t, server.Requests())
}

func TestHelp(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	assert.Equal(t, exitEnrolled, run(nil, []string{"-h"}, &stdout, &stderr))
	assert.Contains(t, stderr.String(), "-retry-refused")
}

func TestBar(t *testing.T) {
	t.Parallel()
	var screen bytes.Buffer
	p := &bar{w: &screen}
	p.done(reportLine{File: "text.jpg", Status: statusRefused, Reason: "is not an image"})
	p.start(2)
	p.done(reportLine{File: "a.jpg", Status: statusEnrolled})
	p.done(reportLine{File: "\x1b[2Jb.jpg", Status: statusFailed, Reason: "cannot be read"})
	p.end()
	assert.Contains(t, screen.String(), "refused   text.jpg: is not an image\n")
	assert.Contains(t, screen.String(), "failed    �[2Jb.jpg: cannot be read\n", "a name cannot steer the terminal")
	assert.Contains(t, screen.String(), "2/2")
	assert.NotContains(t, screen.String(), "a.jpg")
}
