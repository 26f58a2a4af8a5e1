package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface/yotitest"
)

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestWhereThePageMayListen(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		listen, origin string
		err            string
		hosts          []string
	}{
		"the default":           {"127.0.0.1:8080", "", "", []string{"127.0.0.1:8080", "localhost:8080", "[::1]:8080"}},
		"another loopback":      {"[::1]:8080", "", "", []string{"127.0.0.1:8080", "localhost:8080", "[::1]:8080"}},
		"by name":               {"localhost:8080", "", "", []string{"127.0.0.1:8080", "localhost:8080", "[::1]:8080"}},
		"behind a proxy":        {"127.0.0.1:8080", "https://Review.example.com/", "", []string{"127.0.0.1:8080", "localhost:8080", "[::1]:8080", "review.example.com"}},
		"on the network":        {"0.0.0.0:8080", "https://review.example.com:8443", "", []string{"review.example.com:8443"}},
		"through a tunnel":      {"127.0.0.1:8080", "http://localhost:9000", "", []string{"127.0.0.1:8080", "localhost:8080", "[::1]:8080", "localhost:9000"}},
		"everybody":             {":8080", "", "not a loopback address", nil},
		"everybody, in full":    {"0.0.0.0:8080", "", "not a loopback address", nil},
		"a name":                {"review.example.com:80", "", "not a loopback address", nil},
		"in the clear":          {"0.0.0.0:8080", "http://review.example.com", "should begin with https", nil},
		"no port":               {"127.0.0.1", "", "-addr should look like", nil},
		"origin with a path":    {"127.0.0.1:8080", "https://review.example.com/faces", "-origin should look like", nil},
		"origin with a secret":  {"127.0.0.1:8080", "https://user:pass@review.example.com", "-origin should look like", nil},
		"origin without scheme": {"127.0.0.1:8080", "review.example.com", "-origin should look like", nil},
		"another scheme":        {"127.0.0.1:8080", "ftp://127.0.0.1", "should begin with https", nil},
	} {
		addr, err := newAddress(want.listen, want.origin)
		if want.err != "" {
			require.ErrorContains(t, err, want.err, name)
			continue
		}
		require.NoError(t, err, name)
		var hosts []string
		for host := range addr.hosts("8080") {
			hosts = append(hosts, host)
		}
		assert.ElementsMatch(t, want.hosts, hosts, name)
	}
	addr, err := newAddress("127.0.0.1:80", "")
	require.NoError(t, err)
	assert.True(t, addr.hosts("80")["localhost"], "browsers leave the usual port out")
}

func TestSettings(t *testing.T) {
	t.Parallel()
	account := []string{"YOTI_CLIENT_SDK_ID", "x", "YOTI_KEY_FILE_PATH", "y"}
	for name, want := range map[string]struct {
		args []string
		env  []string
		err  string
	}{
		"the demo":               {nil, nil, ""},
		"an account without -db": {nil, account, "Name a file with -db"},
		"half an account":        {nil, account[:2], "Name a file with -db"},
		"a short token":          {nil, []string{"REVIEW_ACCESS_TOKEN", "short"}, "too short"},
		"half of Basic":          {nil, []string{"REVIEW_NOTIFICATION_USER", "x"}, "set both"},
		"Basic":                  {nil, []string{"REVIEW_NOTIFICATION_USER", "x", "REVIEW_NOTIFICATION_PASSWORD", "y"}, ""},
		"an argument":            {[]string{"demo"}, nil, "There are only flags"},
		"an unknown flag":        {[]string{"-nope"}, nil, "not defined"},
		"the network":            {[]string{"-addr", ":0"}, nil, "not a loopback address"},
	} {
		_, err := readSettings(want.args, environment(want.env...), io.Discard)
		if want.err == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, want.err, name)
		}
	}
	s, err := readSettings([]string{"-addr", ":0", "-origin", "https://review.example.com", "-db", "x"}, environment(account...), io.Discard)
	require.NoError(t, err)
	assert.True(t, s.newToken, "who is not on this machine needs a token")
	assert.GreaterOrEqual(t, len(s.token), 26)
	s, err = readSettings(nil, environment(), io.Discard)
	require.NoError(t, err)
	assert.Empty(t, s.token)
}

// running starts the program, and returns its address, a function that ends it, and what it printed.
func running(t *testing.T, getenv func(string) string, args ...string) (url string, stop func() error, printed *syncBuffer) {
	t.Helper()
	printed = &syncBuffer{}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), getenv, printed, printed) }()
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+/`)
	for range 6000 {
		if url = address.FindString(printed.String()); url != "" {
			return url, func() error { cancel(); return <-ended }, printed
		}
		select {
		case err := <-ended:
			cancel()
			require.NoError(t, errors.Join(err, errors.New("it ended at once")))
		case <-time.After(5 * time.Millisecond):
		}
	}
	cancel()
	require.Fail(t, "it does not start", printed.String())
	return "", nil, nil
}

func TestTheDemoRunsAndLeavesNothingBehind(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	url, stop, printed := running(t, environment())
	assert.Contains(t, printed.String(), "Demo world")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"enter", nil)
	require.NoError(t, err)
	resp, err := client.Do(r)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Contains(t, string(body), "Who is reviewing?")
	entries, err := filepath.Glob(filepath.Join(temporary, "review-*", "review.db"))
	require.NoError(t, err)
	assert.Len(t, entries, 1)
	require.NoError(t, stop())
	left, err := os.ReadDir(temporary)
	require.NoError(t, err)
	assert.Empty(t, left)
}

//nolint:paralleltest // it sets the environment
func TestWithAnAccountThePageAsksYoti(t *testing.T) {
	server := yotitest.NewServer()
	defer server.Close()
	folder := t.TempDir()
	key, database := filepath.Join(folder, "key"), filepath.Join(folder, "review.db")
	require.NoError(t, os.WriteFile(key, server.KeyPEM(), 0o600))
	for name, value := range map[string]string{"YOTI_CLIENT_SDK_ID": server.SDKID(), "YOTI_KEY_FILE_PATH": key, "YOTI_DOC_SCAN_API_URL": server.URL()} {
		t.Setenv(name, value)
	}
	id := server.PutSession([]byte(`{"state":"COMPLETED"}`))
	url, stop, printed := running(t, os.Getenv, "-db", database, "-v")
	assert.NotContains(t, printed.String(), "Demo")

	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	post := func(path, form, cookie string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, strings.NewReader(form))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Cookie", cookie)
		resp, err := client.Do(r)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp
	}
	entered := post("enter", "name=Robin", "")
	cookie, _, _ := strings.Cut(entered.Header.Get("Set-Cookie"), ";")
	assert.Equal(t, http.StatusSeeOther, post("sessions", "session_id="+id, cookie).StatusCode)
	assert.Equal(t, http.StatusNotFound, post("demo/arrival", "", cookie).StatusCode)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"notifications", nil)
	require.NoError(t, err)
	resp, err := client.Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.NotEqual(t, http.StatusOK, resp.StatusCode, "without credentials there are no notifications")
	require.NoError(t, stop())
	assert.NotRegexp(t, uuid, printed.String())

	before := len(server.Requests())
	_, stop, _ = running(t, os.Getenv, "-db", database)
	assert.Eventually(t, func() bool { return len(server.Requests()) > before }, 30*time.Second, 10*time.Millisecond, "it is read again at the start")
	err = run(t.Context(), []string{"-addr", "127.0.0.1:0", "-db", database}, os.Getenv, io.Discard, io.Discard)
	require.ErrorContains(t, err, "in use by another process")
	require.NoError(t, stop())
}

func TestGreeting(t *testing.T) {
	t.Parallel()
	s, err := readSettings([]string{"-addr", ":0", "-origin", "https://review.example.com"}, environment(), io.Discard)
	require.NoError(t, err)
	var text strings.Builder
	s.greet(&text, nil)
	assert.Contains(t, text.String(), "https://review.example.com/\n")
	assert.Contains(t, text.String(), "Warning: this listens on the network")
	assert.Contains(t, text.String(), "Access token for reviewers, until the program ends: "+s.token)
}
