package main

import (
	"bytes"
	"encoding/json"
	"net/http"
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
		came    int // whose captured faces there are
		faces   int // that matched
	}{
		{2, "REJECTED", 1, 1},
		{0, "APPROVED", 1, 1},
		{2, "REJECTED", 1, 0},
		{0, "APPROVED", 1, 0},
		{3, "PENDING", 1, 0},
		{3, "UNDETERMINED", 1, 1},
		{2, "REJECTED", 1, 2},
		{2, "REJECTED", 1, 0},
		{3, "UNDETERMINED", 0, 0},
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
			assert.NotContains(t, stdout, "-out FOLDER")
			captured, _ := filepath.Glob(filepath.Join(folder, "captured-*.jpg"))
			assert.Len(t, captured, rows[i].came)
			for _, file := range captured {
				assert.Contains(t, stdout, "\n  Captured   "+file+"\n")
			}
			matched, _ := filepath.Glob(filepath.Join(folder, "match-*.jpg"))
			assert.Len(t, matched, rows[i].faces)
			for _, file := range matched {
				assert.Contains(t, stdout, "\n             "+file+"\n")
			}
			for _, file := range append(captured, matched...) {
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
	assert.Contains(t, stdout, "captured-1.jpg\n  Match ")
	assert.Contains(t, stdout, "match-1.jpg\n")
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
			Captured    []struct {
				MediaID  string `json:"media_id"`
				FaceFile string `json:"face_file"`
			}
			Matches []struct {
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
	require.Len(t, got.FaceSearches[0].Captured, 1)
	assert.Equal(t, "d12ad6f6-2d1e-4b0d-9650-a153478c7d6e", got.FaceSearches[0].Captured[0].MediaID)
	assert.FileExists(t, got.FaceSearches[0].Captured[0].FaceFile)
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

// account is a demo world that is taken for Yoti.
func account(t *testing.T) *yotitest.World {
	t.Helper()
	world := yotitest.Demo()
	t.Cleanup(world.Close)
	key := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(key, world.KeyPEM(), 0o600))
	t.Setenv("YOTI_CLIENT_SDK_ID", world.SDKID())
	t.Setenv("YOTI_KEY_FILE_PATH", key)
	t.Setenv("YOTI_DOC_SCAN_API_URL", world.URL())
	return world
}

//nolint:paralleltest // it sets the environment
func TestAnAccountAsksTheService(t *testing.T) {
	run := clean(t)
	world, folder := account(t), t.TempDir()
	status, stdout, stderr := run("-session", world.Sessions[0].ID, "-out", folder)
	assert.Equal(t, 2, status, stderr)
	assert.NotContains(t, stdout, "Demo")
	assert.NotContains(t, stdout, "-out FOLDER")
	assert.FileExists(t, filepath.Join(folder, "captured-1.jpg"))
	assert.FileExists(t, filepath.Join(folder, "match-1.jpg"))
}

// Faces of people are biometric data: they stay where they are unless somebody wants them.
func TestAnAccountSavesFacesOnlyWhereItIsTold(t *testing.T) {
	run := clean(t)
	world, folder := account(t), t.TempDir()
	t.Setenv("TMPDIR", folder)
	for _, args := range [][]string{nil, {"-json"}} {
		status, stdout, stderr := run(append(args, "-session", world.Sessions[0].ID)...)
		assert.Equal(t, 2, status, stderr)
		assert.Contains(t, stdout, "b1ac68ca-c692-449f-b6cc-1ee7c0d366ea", "who matched")
		assert.NotContains(t, stdout, ".jpg")
		assert.NotContains(t, stdout, "any more")
		assert.Equal(t, args == nil, strings.Contains(stdout, "\nNo face was fetched: -out FOLDER saves the faces.\n"))
	}
	for _, request := range world.Requests() {
		assert.Equal(t, "/sessions/{session_id}", request.Endpoint)
	}
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Empty(t, left)
}

// What was captured does not last as long as the session, and some is never handed out.
//
//nolint:paralleltest // it sets the environment
func TestCapturedImageThatIsNotThere(t *testing.T) {
	const content = "/sessions/{session_id}/media/{media_id}/content"
	for _, test := range []struct {
		name   string
		fault  yotitest.Fault
		status int
		want   string
	}{
		{"expired", yotitest.Status(http.StatusNotFound), 2, "no image any more: it has expired or was deleted"},
		{"withheld", yotitest.Status(http.StatusNoContent), 2, "no image: Yoti withholds it"},
		{"an error", yotitest.Status(http.StatusForbidden), 1, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			run := clean(t)
			world, folder := account(t), t.TempDir()
			world.Inject(test.fault.On(http.MethodGet, content).Times(2))
			for _, args := range [][]string{nil, {"-json"}} {
				status, stdout, stderr := run(append(args, "-session", world.Sessions[0].ID, "-out", folder)...)
				assert.Equal(t, test.status, status)
				assert.Equal(t, test.status == 1, stderr != "")
				assert.Contains(t, stdout, test.want)
				assert.Equal(t, args == nil && test.want != "", strings.Contains(stdout, "\n  Captured   "+test.want+"\n"))
				assert.Contains(t, stdout, filepath.Join(folder, "match-1.jpg"))
			}
			assert.NoFileExists(t, filepath.Join(folder, "captured-1.jpg"))
		})
	}
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
	assert.Contains(t, stderr, "Exit status: 0 approved, 1 error, 2 rejected, 3 pending or undetermined\n")
}
