package yotitest_test

import (
	"bytes"
	"image/jpeg"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

func newDemo(t *testing.T) *yotitest.World {
	t.Helper()
	world := yotitest.Demo()
	t.Cleanup(world.Close)
	return world
}

func TestDemoBeginsWithTheDocumentedSession(t *testing.T) {
	t.Parallel()
	world := newDemo(t)
	documented, err := os.ReadFile("testdata/session_completed.json")
	require.NoError(t, err)
	assert.Equal(t, documented, get(t, world.Server, "/sessions/7938ac1e-0a4a-49b7-953f-08cfa764358f").body)
	assert.Equal(t, "7938ac1e-0a4a-49b7-953f-08cfa764358f", world.Sessions[0].ID)
}

// TestDemoShowsWhatItsTitlesSay reads the demo with the client. What it should
// find is written down here, in the order of the sessions.
func TestDemoShowsWhatItsTitlesSay(t *testing.T) {
	t.Parallel()
	world := newDemo(t)
	client := world.Client()
	want := []struct {
		state    yotiface.SessionState
		outcome  yotiface.ApprovalOutcome
		matched  yotiface.MatchStatus
		matches  int
		faces    int
		searches int
		captures int
	}{
		{yotiface.SessionCompleted, yotiface.OutcomeRejected, yotiface.MatchFound, 1, 1, 1, 1},
		{yotiface.SessionCompleted, yotiface.OutcomeApproved, yotiface.MatchFound, 1, 1, 1, 1},
		{yotiface.SessionCompleted, yotiface.OutcomeRejected, yotiface.MatchNotFound, 0, 0, 1, 1},
		{yotiface.SessionCompleted, yotiface.OutcomeApproved, yotiface.MatchNotFound, 0, 0, 1, 1},
		{yotiface.SessionOngoing, yotiface.OutcomePending, yotiface.MatchUnknown, 0, 0, 1, 1},
		{yotiface.SessionCompleted, yotiface.OutcomeUndetermined, yotiface.MatchFound, 1, 1, 1, 1},
		{yotiface.SessionCompleted, yotiface.OutcomeRejected, yotiface.MatchFound, 2, 2, 1, 1},
		{yotiface.SessionCompleted, yotiface.OutcomeRejected, yotiface.MatchFound, 1, 0, 1, 1},
		{yotiface.SessionExpired, yotiface.OutcomeUndetermined, yotiface.MatchUnknown, 0, 0, 0, 0},
	}
	require.Len(t, world.Sessions, len(want))
	for i, demo := range world.Sessions {
		session, err := client.GetSession(t.Context(), demo.ID)
		require.NoError(t, err, demo.Title)
		assert.Equal(t, want[i].state, session.State, demo.Title)
		assert.Equal(t, want[i].outcome, session.FaceSearchOutcome(), demo.Title)
		require.Len(t, session.FamiliarFaceSearches(), want[i].searches, demo.Title)
		require.Len(t, session.Resources.LivenessCaptures, want[i].captures, demo.Title)
		for _, capture := range session.Resources.LivenessCaptures {
			media := get(t, world.Server, "/sessions/"+session.ID+"/media/"+capture.Image.Media.ID+"/content")
			assert.Equal(t, "image/jpeg", media.Header.Get("Content-Type"))
			assertPicture(t, media.body)
		}
		for _, search := range session.FamiliarFaceSearches() {
			assert.Equal(t, want[i].matched, search.MatchStatus(), demo.Title)
			matches, err := client.MatchedFaces(t.Context(), search)
			require.NoError(t, err, demo.Title)
			assert.Len(t, matches, want[i].matches, demo.Title)
			faces := 0
			for _, m := range matches {
				assert.Equal(t, search.Config.PoolID, m.Applicant.Pools[0].ID, demo.Title)
				if m.Face != nil {
					assertPicture(t, m.Face.Data)
					faces++
				}
			}
			assert.Equal(t, want[i].faces, faces, demo.Title)
		}
	}
}

func TestDemoIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	one, other := newDemo(t), newDemo(t)
	assert.Equal(t, one.Sessions, other.Sessions)
	for _, s := range one.Sessions {
		assert.Equal(t, get(t, one.Server, "/sessions/"+s.ID).body, get(t, other.Server, "/sessions/"+s.ID).body)
	}
}

func TestDrawingsDependOnTheSeedAlone(t *testing.T) {
	t.Parallel()
	assert.Equal(t, yotitest.DrawFace(1), yotitest.DrawFace(1))
	assert.Equal(t, yotitest.DrawCapture(1), yotitest.DrawCapture(1))
	assert.NotEqual(t, yotitest.DrawFace(1), yotitest.DrawFace(2))
	assert.NotEqual(t, yotitest.DrawFace(1), yotitest.DrawCapture(1))
}

// TestEverybodyCanBeDrawn draws those who look like nobody in the demo.
func TestEverybodyCanBeDrawn(t *testing.T) {
	t.Parallel()
	for name, seed := range map[string]int64{
		"quiff":     0,
		"buzz":      3,
		"crop":      5,
		"bob":       14,
		"long":      19,
		"moustache": 29,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assertPicture(t, yotitest.DrawFace(seed))
		})
	}
}

func assertPicture(t *testing.T, data []byte) {
	t.Helper()
	config, err := jpeg.DecodeConfig(bytes.NewReader(data))
	require.NoError(t, err)
	assert.Equal(t, []int{480, 600}, []int{config.Width, config.Height})
}
