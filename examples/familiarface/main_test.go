package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface/yotitest"
)

// clean takes away an account that the environment may hold, and returns a runner.
func clean(t *testing.T) func(args ...string) (status int, stdout, stderr string) {
	t.Helper()
	for _, name := range []string{"YOTI_CLIENT_SDK_ID", "YOTI_KEY_FILE_PATH", "YOTI_DOC_SCAN_API_URL"} {
		t.Setenv(name, "")
	}
	return func(args ...string) (int, string, string) {
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), args, &stdout, &stderr)
		return status, stdout.String(), stderr.String()
	}
}

//nolint:paralleltest // it sets the environment
func TestDemoSessions(t *testing.T) {
	run := clean(t)
	demo := yotitest.Demo() // the same every time
	demo.Close()
	rows := []struct {
		status  int
		verdict string
		faces   int
	}{
		{2, "REJECTED", 1},
		{0, "APPROVED", 1},
		{2, "REJECTED", 0},
		{0, "APPROVED", 0},
		{3, "PENDING", 0},
		{3, "UNDETERMINED", 1},
		{2, "REJECTED", 2},
		{2, "REJECTED", 0},
		{3, "UNDETERMINED", 0},
	}
	require.Len(t, demo.Sessions, len(rows))
	for i, session := range demo.Sessions {
		t.Run(session.Title, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "faces")
			status, stdout, stderr := run("-session", session.ID, "-out", folder)
			assert.Equal(t, rows[i].status, status)
			assert.Contains(t, stdout, "Demo world:")
			assert.Contains(t, stdout, "\nVerdict      "+rows[i].verdict+"\n")
			assert.Empty(t, stderr)
			files, _ := filepath.Glob(filepath.Join(folder, "match-*.jpg"))
			assert.Len(t, files, rows[i].faces)
			for _, file := range files {
				assert.Contains(t, stdout, file)
				image, err := os.ReadFile(file)
				require.NoError(t, err)
				assert.True(t, bytes.HasPrefix(image, []byte("\xff\xd8\xff")), "a JPEG")
				info, err := os.Stat(file)
				require.NoError(t, err)
				assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
			}
		})
	}
}

func TestDefaultIsADemoThatIsApproved(t *testing.T) {
	run := clean(t)
	t.Setenv("TMPDIR", t.TempDir())
	status, stdout, _ := run()
	assert.Equal(t, 0, status)
	assert.Contains(t, stdout, "APPROVED")
	assert.Contains(t, stdout, ".jpg")
}

//nolint:paralleltest // it sets the environment
func TestJSONIsForMachines(t *testing.T) {
	run := clean(t)
	status, stdout, _ := run("-json", "-session", "7938ac1e-0a4a-49b7-953f-08cfa764358f", "-out", t.TempDir())
	assert.Equal(t, 2, status)
	var got struct {
		Demo         bool
		Outcome      string
		FaceSearches []struct {
			MatchStatus string `json:"match_status"`
			Matches     []struct {
				ApplicantID string `json:"applicant_id"`
				FaceFile    string `json:"face_file"`
			}
		} `json:"face_searches"`
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	assert.True(t, got.Demo)
	assert.Equal(t, "REJECTED", got.Outcome)
	require.Len(t, got.FaceSearches, 1)
	assert.Equal(t, "FOUND", got.FaceSearches[0].MatchStatus)
	require.Len(t, got.FaceSearches[0].Matches, 1)
	assert.Equal(t, "b1ac68ca-c692-449f-b6cc-1ee7c0d366ea", got.FaceSearches[0].Matches[0].ApplicantID)
	assert.FileExists(t, got.FaceSearches[0].Matches[0].FaceFile)
}

func TestErrors(t *testing.T) {
	run := clean(t)
	server := yotitest.NewServer()
	defer server.Close()
	key := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(key, server.KeyPEM(), 0o600))
	rows := []struct {
		name       string
		sdkID, key string
		args       []string
		want       string
	}{
		{"unknown flag", "", "", []string{"-nonsense"}, "nonsense"},
		{"an argument without a flag", "", "", []string{"7938ac1e"}, "unexpected argument"},
		{"unknown session of the demo", "", "", []string{"-session", "nobody"}, "404"},
		{"an ID that cannot be one", "", "", []string{"-session", "../x"}, "session ID"},
		{"half an account", server.SDKID(), "", []string{"-session", "x"}, "YOTI_KEY_FILE_PATH"},
		{"the other half", "", key, []string{"-session", "x"}, "YOTI_CLIENT_SDK_ID"},
		{"an account without a session", server.SDKID(), key, nil, "-session"},
		{"an account that does not know the session", server.SDKID(), key, []string{"-session", "x"}, "404"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv("YOTI_CLIENT_SDK_ID", row.sdkID)
			t.Setenv("YOTI_KEY_FILE_PATH", row.key)
			t.Setenv("YOTI_DOC_SCAN_API_URL", server.URL())
			status, stdout, stderr := run(row.args...)
			assert.Equal(t, 1, status)
			assert.Contains(t, stderr, row.want)
			assert.NotContains(t, stdout, "Verdict")
		})
	}
}

func TestAnAccountAsksTheService(t *testing.T) {
	run := clean(t)
	demo := yotitest.Demo()
	defer demo.Close()
	key := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(key, demo.KeyPEM(), 0o600))
	t.Setenv("YOTI_CLIENT_SDK_ID", demo.SDKID())
	t.Setenv("YOTI_KEY_FILE_PATH", key)
	t.Setenv("YOTI_DOC_SCAN_API_URL", demo.URL())
	status, stdout, stderr := run("-session", demo.Sessions[0].ID, "-out", t.TempDir())
	assert.Equal(t, 2, status, stderr)
	assert.NotContains(t, stdout, "Demo")
}

// A face that cannot be fetched does not take the verdict away.
//
//nolint:paralleltest // it sets the environment
func TestVerdictIsPrintedBesideAnError(t *testing.T) {
	run := clean(t)
	blocked := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(blocked, nil, 0o600))
	status, stdout, stderr := run("-session", "7938ac1e-0a4a-49b7-953f-08cfa764358f", "-out", blocked)
	assert.Equal(t, 1, status)
	assert.Contains(t, stdout, "REJECTED")
	assert.NotEmpty(t, strings.TrimSpace(stderr))
}

//nolint:paralleltest // it sets the environment
func TestHelpIsNoError(t *testing.T) {
	run := clean(t)
	status, _, stderr := run("-h")
	assert.Equal(t, 0, status)
	assert.Contains(t, stderr, "-session")
}
