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

	"github.com/yotiface/yotiface"
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
		Demo           bool
		UserTrackingID string `json:"user_tracking_id"`
		Outcome        string
		FaceSearches   []struct {
			Recommendation string
			Reason         string
			MatchStatus    string `json:"match_status"`
			Captured       []struct {
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
	assert.Equal(t, "<YOUR_USER_ID>", got.UserTrackingID)
	assert.Equal(t, "REJECTED", got.Outcome)
	require.Len(t, got.FaceSearches, 1)
	assert.Equal(t, "REJECT", got.FaceSearches[0].Recommendation)
	assert.Equal(t, "MATCH_FOUND", got.FaceSearches[0].Reason)
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
		{"where the sessions of the demo are", "", "", []string{"-session", "nobody"}, "run without -session for the list"},
		{"the same for what is no ID", "", "", []string{"-session", "../x"}, "run without -session for the list"},
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
			if row.sdkID != "" {
				assert.NotContains(t, stderr, "run without -session")
			}
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
			world := account(t)
			world.Inject(test.fault.On(http.MethodGet, content).Times(2))
			for _, args := range [][]string{nil, {"-json"}} {
				folder := t.TempDir()
				status, stdout, stderr := run(append(args, "-session", world.Sessions[0].ID, "-out", folder)...)
				assert.Equal(t, test.status, status)
				assert.Equal(t, test.status == 1, stderr != "")
				assert.Contains(t, stdout, test.want)
				assert.Equal(t, args == nil && test.want != "", strings.Contains(stdout, "\n  Captured   "+test.want+"\n"))
				assert.Contains(t, stdout, filepath.Join(folder, "match-1.jpg"))
				assert.NoFileExists(t, filepath.Join(folder, "captured-1.jpg"))
			}
		})
	}
}

// Who is deleted after the search hides neither the verdict nor the others who matched.
//
//nolint:paralleltest // it sets the environment
func TestMatchThatIsNotThere(t *testing.T) {
	const applicant, face = "/applicant/{applicant_id}", "/applicant/{applicant_id}/faces/{face_id}"
	for _, test := range []struct {
		name   string
		harm   func(world *yotitest.World, applicantID string)
		status int
		want   string
	}{
		{"the applicant is deleted", func(world *yotitest.World, id string) {
			require.NoError(t, world.Client().DeleteApplicant(t.Context(), id))
		}, 2, "applicant deleted"},
		{"the face is deleted", func(world *yotitest.World, id string) {
			found, err := world.Client().GetApplicant(t.Context(), id)
			require.NoError(t, err)
			faceID, _ := found.FaceID()
			require.NoError(t, world.Client().DeleteFace(t.Context(), id, faceID))
		}, 2, "no face any more"},
		{"the face is deleted just now", func(world *yotitest.World, _ string) {
			world.Inject(yotitest.Status(http.StatusNotFound).On(http.MethodGet, face))
		}, 2, "no face any more"},
		{"an error with the applicant", func(world *yotitest.World, _ string) {
			world.Inject(yotitest.Status(http.StatusForbidden).On(http.MethodGet, applicant))
		}, 1, ""},
		{"an error with the face", func(world *yotitest.World, _ string) {
			world.Inject(yotitest.Status(http.StatusForbidden).On(http.MethodGet, face))
		}, 1, ""},
	} {
		for _, args := range [][]string{nil, {"-json"}} {
			t.Run(strings.Join(append([]string{test.name}, args...), " "), func(t *testing.T) {
				run := clean(t)
				world, folder := account(t), t.TempDir()
				two := world.Sessions[6].ID
				session, err := world.Client().GetSession(t.Context(), two)
				require.NoError(t, err)
				matches := session.FamiliarFaceSearches()[0].Matches()
				require.Len(t, matches, 2)
				test.harm(world, matches[0].ApplicantID)

				status, stdout, stderr := run(append(args, "-session", two, "-out", folder)...)
				assert.Equal(t, test.status, status)
				assert.Equal(t, test.status == 1, stderr != "")
				assert.Contains(t, stdout, "REJECTED")
				file := filepath.Join(folder, "match-1.jpg")
				assert.FileExists(t, file)
				assert.NoFileExists(t, filepath.Join(folder, "match-2.jpg"))
				if args == nil {
					first, second := "  Match      applicant "+matches[0].ApplicantID+"\n", "  Match      applicant "+matches[1].ApplicantID+"\n"
					if test.want != "" {
						first += "             " + test.want + "\n"
					}
					assert.Contains(t, stdout, first+second+"             "+file+"\n")
				} else if test.want != "" {
					assert.Equal(t, 1, strings.Count(stdout, `"missing": "`+test.want+`"`))
				}
			})
		}
	}
}

// The faces of two sessions in one folder would be taken for those of one.
//
//nolint:paralleltest // it sets the environment
func TestFolderThatHasFacesIsRefused(t *testing.T) {
	run := clean(t)
	for _, name := range []string{"captured-1.jpg", "match-2.png"} {
		world, folder := account(t), t.TempDir()
		file := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(file, []byte("of another session"), 0o600))
		status, stdout, stderr := run("-session", world.Sessions[0].ID, "-out", folder)
		assert.Equal(t, 1, status)
		assert.Empty(t, stdout)
		assert.Equal(t, "the folder "+folder+" has faces already: name another one with -out\n", stderr)
		assert.Empty(t, world.Requests(), "nothing was fetched")
		left, err := os.ReadDir(folder)
		require.NoError(t, err)
		assert.Len(t, left, 1)
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, "of another session", string(data))
	}
}

// A face that comes into the folder in the meantime, from another run, is not written over.
func TestFacesAreNotWrittenOver(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	first, second := &album{folder: folder, saved: map[string]int{}}, &album{folder: folder, saved: map[string]int{}}
	require.NoError(t, first.checkEmpty())
	require.NoError(t, second.checkEmpty())
	path, err := first.save(kindMatch, "image/jpeg", []byte("one"))
	require.NoError(t, err)
	_, err = second.save(kindMatch, "image/jpeg", []byte("another"))
	require.ErrorContains(t, err, "has faces already")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "one", string(data))
}

//nolint:paralleltest // it sets the environment
func TestFolderWithOtherFilesIsUsed(t *testing.T) {
	run := clean(t)
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "notes.txt"), nil, 0o600))
	status, _, stderr := run("-session", "7938ac1e-0a4a-49b7-953f-08cfa764358f", "-out", folder)
	assert.Equal(t, 2, status, stderr)
	assert.FileExists(t, filepath.Join(folder, "match-1.jpg"))
}

func TestYotiSays(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		search search
		want   string
	}{
		{search{}, "nothing yet"},
		{search{Recommendation: "APPROVE"}, "APPROVE"},
		{search{Recommendation: "REJECT", Reason: "MATCH_FOUND"}, "REJECT because of MATCH_FOUND"},
	} {
		assert.Equal(t, row.want, row.search.yotiSays())
	}
}

//nolint:paralleltest // it sets the environment
func TestWhatYotiSaysIsPrintedAboveTheEvidence(t *testing.T) {
	run := clean(t)
	_, stdout, _ := run("-session", "7938ac1e-0a4a-49b7-953f-08cfa764358f", "-out", t.TempDir())
	assert.Contains(t, stdout, "\n  Yoti says  REJECT because of MATCH_FOUND\n  Evidence   FOUND\n")
	assert.Contains(t, stdout, " COMPLETED\nTracking ID  <YOUR_USER_ID>\n")
}

func TestVerdictThatNoSearchGivesIsExplained(t *testing.T) {
	t.Parallel()
	approved := []search{{Outcome: yotiface.OutcomeApproved}}
	for _, row := range []struct {
		report report
		want   string
	}{
		{report{State: yotiface.SessionExpired}, "no face search: the session is EXPIRED"},
		{report{}, "no face search: the session is in no state"},
		{report{State: yotiface.SessionOngoing, Outcome: yotiface.OutcomePending, Searches: approved}, "the session is ONGOING"},
		{report{State: yotiface.SessionExpired, Searches: approved}, "the session is EXPIRED"},
		{report{State: yotiface.SessionCompleted, Outcome: yotiface.OutcomeApproved, Searches: approved}, ""},
	} {
		assert.Equal(t, row.want, row.report.explain())
	}
}

//nolint:paralleltest // it sets the environment
func TestSessionWithoutASearchSaysWhy(t *testing.T) {
	run := clean(t)
	world := account(t)
	expired := world.Sessions[len(world.Sessions)-1].ID
	_, stdout, _ := run("-session", expired)
	assert.Contains(t, stdout, "\nVerdict      UNDETERMINED\n             no face search: the session is EXPIRED\n")
	_, stdout, _ = run("-session", expired, "-json")
	assert.Contains(t, stdout, `"explanation": "no face search: the session is EXPIRED"`)
}

func TestLongValuesAreWrappedBelowTheirColumn(t *testing.T) {
	t.Parallel()
	a87, indent := strings.Repeat("a", 87), strings.Repeat(" ", 13)
	for _, row := range []struct{ name, value, want string }{
		{"empty", "", "Name         \n"},
		{"short", "a  b", "Name         a  b\n"},
		{"as long as fits", a87[:85] + " b", "Name         " + a87[:85] + " b\n"},
		{"one too long", a87[:86] + " b", "Name         " + a87[:86] + "\n" + indent + "b\n"},
		{"characters and no bytes", strings.Repeat("ä", 85) + " ö", "Name         " + strings.Repeat("ä", 85) + " ö\n"},
		{"a word too long", a87 + a87 + " b", "Name         " + a87 + a87 + "\n" + indent + "b\n"},
		{"what would steer the terminal", "a\nb \x1b[2J", "Name         a�b �[2J\n"},
	} {
		var out strings.Builder
		p := printer{w: &out}
		p.field("Name", "%s", row.value)
		assert.Equal(t, row.want, out.String(), row.name)
		require.NoError(t, p.err)
	}
}

// A path stays in one piece, so that it can be copied.
func TestPathsAreNotWrapped(t *testing.T) {
	t.Parallel()
	path := strings.Repeat("my faces/", 20)
	var out strings.Builder
	p := printer{w: &out}
	p.file("Name", path)
	assert.Equal(t, "Name         "+path+"\n", out.String())
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
	assert.Contains(t, stderr, "Exit status: 0 approved, 1 error, 2 rejected, 3 pending or undetermined\n\"go run\" turns 2 and 3 into 1.\n")
	assert.Contains(t, stderr, "Without YOTI_CLIENT_SDK_ID and YOTI_KEY_FILE_PATH it plays in a demo world")
}
