package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface/yotitest"
)

func runWith(t *testing.T, sdkID, keyFile, baseURL string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	t.Setenv("YOTI_CLIENT_SDK_ID", sdkID)
	t.Setenv("YOTI_KEY_FILE_PATH", keyFile)
	t.Setenv("YOTI_DOC_SCAN_API_URL", baseURL)
	var out, errs bytes.Buffer
	status = run(t.Context(), args, &out, &errs)
	return status, out.String(), errs.String()
}

//nolint:paralleltest // it sets the environment
func TestDemo(t *testing.T) {
	for _, test := range []struct {
		criteria string
		status   int
		outcome  string
	}{
		{"NO_MATCH", 0, "APPROVED"},
		{"MATCH", 2, "REJECTED"},
	} {
		t.Run(test.criteria, func(t *testing.T) {
			status, stdout, stderr := runWith(t, "", "", "", "-criteria", test.criteria)
			assert.Equal(t, test.status, status, stderr)
			assert.Contains(t, stdout, "Demo:")
			assert.Contains(t, stdout, "/web/index.html?sessionID=")
			assert.Contains(t, stdout, "Nobody can in this demo")
			assert.Contains(t, stdout, "1 captured, 0 matched")
			assert.Contains(t, stdout, "The session is COMPLETED: "+test.outcome)
		})
	}
}

//nolint:paralleltest // it sets the environment
func TestAccount(t *testing.T) {
	server := yotitest.NewServer()
	defer server.Close()
	pool, err := server.Client().CreatePool(t.Context(), "staff")
	require.NoError(t, err)
	key := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(key, server.KeyPEM(), 0o600))

	t.Run("nobody comes", func(t *testing.T) {
		status, stdout, stderr := runWith(t, server.SDKID(), key, server.URL(), "-pool", pool.ID, "-interval", "10ms", "-timeout", "2s")
		assert.Equal(t, 1, status)
		assert.Contains(t, stderr, "deadline exceeded")
		assert.NotContains(t, strings.ToLower(stdout), "demo")
	})
	t.Run("the session expires", func(t *testing.T) {
		for name, value := range map[string]string{
			"YOTI_CLIENT_SDK_ID": server.SDKID(), "YOTI_KEY_FILE_PATH": key, "YOTI_DOC_SCAN_API_URL": server.URL(),
		} {
			t.Setenv(name, value)
		}
		var stdout bytes.Buffer
		expire := writerFunc(func(p []byte) {
			stdout.Write(p)
			if id := regexp.MustCompile(`sessionID=([^&]+)`).FindSubmatch(p); id != nil {
				server.ExpireSession(string(id[1]))
			}
		})
		status := run(t.Context(), []string{"-pool", pool.ID, "-interval", "10ms", "-timeout", "20s"}, expire, &stdout)
		assert.Equal(t, 3, status)
		assert.Contains(t, stdout.String(), "The session is EXPIRED: UNDETERMINED")
	})
}

// writerFunc is a writer that does something with what it is given.
type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

//nolint:paralleltest // it sets the environment
func TestErrors(t *testing.T) {
	server := yotitest.NewServer()
	defer server.Close()
	key := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(key, server.KeyPEM(), 0o600))
	for _, test := range []struct {
		name, sdkID, key string
		args             []string
		want             string
	}{
		{"unknown flag", "", "", []string{"-nonsense"}, "nonsense"},
		{"an argument without a flag", "", "", []string{"7938ac1e"}, "unexpected argument"},
		{"half an account", server.SDKID(), "", nil, "YOTI_KEY_FILE_PATH"},
		{"no pool", server.SDKID(), key, nil, "-pool"},
		{"a pool that is not there", server.SDKID(), key, []string{"-pool", "nowhere"}, "400"},
		{"a pool ID that cannot be one", server.SDKID(), key, []string{"-pool", "../x"}, "pool ID"},
		{"a criterion that is none", "", "", []string{"-criteria", "no match"}, "criterion"},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, _, stderr := runWith(t, test.sdkID, test.key, server.URL(), test.args...)
			assert.Equal(t, 1, status)
			assert.Contains(t, stderr, test.want)
		})
	}
	status, _, _ := runWith(t, "", "", "", "-h")
	assert.Equal(t, 0, status)
}
