package yotitest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

// searching is the specification of a session that searches pools, which are
// given as criterion and pool ID in turn.
func searching(pools ...string) string {
	spec := `{"requested_checks":[{"type":"LIVENESS","config":{"liveness_type":"STATIC"}}`
	for pair := range slices.Chunk(pools, 2) {
		spec += fmt.Sprintf(`,{"type":"FAMILIAR_FACE_SEARCH","config":{"approval_criteria":%q,"pool_id":%q}}`, pair[0], pair[1])
	}
	return spec + `]}`
}

// createSession creates a session and returns its ID.
func createSession(tb testing.TB, server *yotitest.Server, spec string) (sessionID string) {
	tb.Helper()
	var created createdJSON
	post(tb, server, "/sessions", spec, &created)
	return created.ID
}

func getSession(tb testing.TB, server *yotitest.Server, id string) *yotiface.Session {
	tb.Helper()
	session, err := server.Client().GetSession(tb.Context(), id)
	require.NoError(tb, err)
	return session
}

func TestCompleteSessionReportsWhatTheCriterionAsksFor(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	alice, bob := server.PutApplicant(pngBytes), server.PutApplicant(pngBytes)
	poolID := server.PutPool("POOL EXAMPLE", alice, bob)
	for name, test := range map[string]struct {
		criterion string
		opts      []yotitest.CompleteOption
		report    string
		outcome   yotiface.ApprovalOutcome
		status    yotiface.MatchStatus
	}{
		"wanted and found": {
			"MATCH",
			[]yotitest.CompleteOption{yotitest.Matches(alice)},
			`{"recommendation":{"value":"APPROVE"},"breakdown":[{"sub_check":"face_found_in_pool","result":"PASS","process":"AUTOMATED",
				"details":[{"name":"matching_pool","value":"POOL"},{"name":"matching_applicant","value":"ALICE"}]}]}`,
			yotiface.OutcomeApproved, yotiface.MatchFound,
		},
		"wanted and not found": {
			"MATCH", nil,
			`{"recommendation":{"value":"REJECT","reason":"NO_MATCH"},"breakdown":[{"sub_check":"face_found_in_pool","result":"FAIL","process":"AUTOMATED","details":[]}]}`,
			yotiface.OutcomeRejected, yotiface.MatchNotFound,
		},
		"barred and found": {
			"NO_MATCH",
			[]yotitest.CompleteOption{yotitest.Matches(alice), yotitest.Matches(bob, alice)},
			`{"recommendation":{"value":"REJECT","reason":"MATCH_FOUND"},"breakdown":[{"sub_check":"face_not_found_in_pool","result":"FAIL","process":"AUTOMATED",
				"details":[{"name":"matching_pool","value":"POOL"},{"name":"matching_applicant","value":"ALICE"},
					{"name":"matching_pool","value":"POOL"},{"name":"matching_applicant","value":"BOB"}]}]}`,
			yotiface.OutcomeRejected, yotiface.MatchFound,
		},
		"barred and not found": {
			"NO_MATCH",
			[]yotitest.CompleteOption{yotitest.Matches(alice), yotitest.NoMatch()},
			`{"recommendation":{"value":"APPROVE"},"breakdown":[{"sub_check":"face_not_found_in_pool","result":"PASS","process":"AUTOMATED","details":[]}]}`,
			yotiface.OutcomeApproved, yotiface.MatchNotFound,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := createSession(t, server, searching(test.criterion, poolID))
			server.CompleteSession(id, test.opts...)
			var raw struct {
				Checks []struct{ Report, Config json.RawMessage }
			}
			require.NoError(t, json.Unmarshal(get(t, server, "/sessions/"+id).body, &raw))
			require.Len(t, raw.Checks, 2)
			want := strings.NewReplacer("POOL", poolID, "ALICE", alice, "BOB", bob).Replace(test.report)
			assert.JSONEq(t, want, string(raw.Checks[1].Report))
			assert.JSONEq(t, `{"pool_id":"`+poolID+`","pool_label":"POOL EXAMPLE","approval_criteria":"`+test.criterion+`"}`, string(raw.Checks[1].Config))

			session := getSession(t, server, id)
			assert.Equal(t, yotiface.SessionCompleted, session.State)
			assert.Equal(t, test.outcome, session.FaceSearchOutcome())
			assert.Equal(t, test.status, session.FamiliarFaceSearches()[0].MatchStatus())
		})
	}
}

func TestCompleteSessionCapturesTheUser(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spec         string
		opts         []yotitest.CompleteOption
		livenessType yotiface.LivenessType
		want         []byte
		contentType  string
	}{
		"drawn":          {searching(), nil, yotiface.LivenessTypeStatic, yotitest.DrawCapture(0), "image/jpeg"},
		"given":          {searching(), []yotitest.CompleteOption{yotitest.WithCapture(gifBytes)}, yotiface.LivenessTypeStatic, gifBytes, "image/gif"},
		"by default":     {`{"requested_checks":[{"type":"LIVENESS"}]}`, []yotitest.CompleteOption{yotitest.WithCapture(gifBytes)}, yotiface.LivenessTypeStatic, gifBytes, "image/gif"},
		"with ZOOM":      {`{"requested_checks":[{"type":"LIVENESS","config":{"liveness_type":"ZOOM"}}]}`, []yotitest.CompleteOption{yotitest.WithCapture(gifBytes)}, yotiface.LivenessTypeZoom, gifBytes, "image/gif"},
		"for the search": {`{"requested_checks":[{"type":"FAMILIAR_FACE_SEARCH","config":{"pool_id":"POOL","approval_criteria":"MATCH"}}]}`, nil, yotiface.LivenessTypeStatic, yotitest.DrawCapture(0), "image/jpeg"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(t)
			id := createSession(t, server, strings.Replace(test.spec, "POOL", server.PutPool("staff"), 1))
			start := time.Now().Truncate(time.Second)
			server.CompleteSession(id, test.opts...)

			session := getSession(t, server, id)
			assert.WithinRange(t, session.BiometricConsent, start, time.Now())
			require.Len(t, session.Resources.LivenessCaptures, 1)
			capture := session.Resources.LivenessCaptures[0]
			assert.Equal(t, test.livenessType, capture.LivenessType)
			assert.Equal(t, yotiface.SourceTypeEndUser, capture.Source.Type)
			require.Len(t, session.Checks, 1)
			assert.Equal(t, []string{capture.ID}, session.Checks[0].ResourcesUsed)
			images := session.CapturedImages(&yotiface.FamiliarFaceSearch{Check: session.Checks[0]})
			require.Len(t, images, 1)
			assert.WithinRange(t, images[0].Created, start, time.Now())
			media := get(t, server, "/sessions/"+id+"/media/"+images[0].ID+"/content")
			assert.Equal(t, test.contentType, media.Header.Get("Content-Type"))
			assert.Equal(t, test.want, media.body)
		})
	}
}

func TestACaptureCanBeWithheld(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	id := createSession(t, server, searching())
	server.CompleteSession(id, yotitest.WithCapture(nil))
	mediaID := getSession(t, server, id).Resources.LivenessCaptures[0].Image.Media.ID
	assert.Equal(t, http.StatusNoContent, get(t, server, "/sessions/"+id+"/media/"+mediaID+"/content").StatusCode)
}

func TestCompleteSessionEndsTheSession(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	id := createSession(t, server, `{"client_session_token_ttl":900,"requested_checks":[
		{"type":"ID_DOCUMENT_AUTHENTICITY","config":{"manual_check":"NEVER"}},{"type":"LIVENESS"}],"block_biometric_consent":true}`)
	server.CompleteSession(id)
	session := getSession(t, server, id)
	assert.Equal(t, yotiface.SessionCompleted, session.State)
	assert.Empty(t, session.ClientSessionToken)
	assert.Zero(t, session.ClientSessionTokenTTL)
	assert.Zero(t, session.BiometricConsent)
	require.Len(t, session.Checks, 2)
	for _, check := range session.Checks {
		assert.Equal(t, yotiface.CheckDone, check.State)
		assert.Equal(t, yotiface.RecommendationApprove, check.Report.Recommendation.Value)
	}
	assert.Empty(t, session.Checks[0].ResourcesUsed)
	assert.Empty(t, session.Checks[0].Report.Breakdown)
	assert.Len(t, session.Checks[1].Report.Breakdown, 3)

	mediaID := session.Resources.LivenessCaptures[0].Image.Media.ID
	require.Equal(t, http.StatusNoContent, remove(t, server, "/sessions/"+id))
	assert.Equal(t, http.StatusNotFound, get(t, server, "/sessions/"+id+"/media/"+mediaID+"/content").StatusCode)
}

func TestASessionWithoutChecksNeedsNoCapture(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	id := createSession(t, server, `{}`)
	server.CompleteSession(id)
	session := getSession(t, server, id)
	assert.Equal(t, yotiface.SessionCompleted, session.State)
	assert.Empty(t, session.Checks)
	assert.Empty(t, session.Resources.LivenessCaptures)
}

func TestPendSessionStopsHalfWay(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	alice := server.PutApplicant(pngBytes)
	id := createSession(t, server, searching("MATCH", server.PutPool("staff", alice)))
	server.PendSession(id, yotitest.WithCapture(gifBytes))

	pending := getSession(t, server, id)
	assert.Equal(t, yotiface.SessionOngoing, pending.State)
	assert.Empty(t, pending.ClientSessionToken)
	assert.Zero(t, pending.ClientSessionTokenTTL)
	require.Len(t, pending.Checks, 2)
	assert.Equal(t, yotiface.CheckDone, pending.Checks[0].State)
	assert.Equal(t, yotiface.CheckPending, pending.Checks[1].State)
	assert.Zero(t, pending.Checks[1].Report)
	assert.Equal(t, yotiface.OutcomePending, pending.FaceSearchOutcome())
	assert.Equal(t, http.StatusConflict, remove(t, server, "/sessions/"+id))

	server.CompleteSession(id, yotitest.Matches(alice))
	completed := getSession(t, server, id)
	assert.Equal(t, yotiface.OutcomeApproved, completed.FaceSearchOutcome())
	assert.Equal(t, pending.Resources, completed.Resources)
	assert.Equal(t, pending.Checks[0], completed.Checks[0])
	assert.Equal(t, pending.Checks[1].ID, completed.Checks[1].ID)
}

func TestExpireSessionLeavesTheChecks(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for name, test := range map[string]struct {
		before func(id string)
		checks int
	}{
		"nobody came":         {func(string) {}, 0},
		"Yoti never finished": {func(id string) { server.PendSession(id) }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := createSession(t, server, searching("MATCH", server.PutPool("staff")))
			test.before(id)
			server.ExpireSession(id)
			session := getSession(t, server, id)
			assert.Equal(t, yotiface.SessionExpired, session.State)
			assert.Empty(t, session.ClientSessionToken)
			assert.Zero(t, session.ClientSessionTokenTTL)
			assert.Len(t, session.Checks, test.checks)
		})
	}
}

func TestEachSearchFindsWhoIsInItsPool(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	alice, bob, carol := server.PutApplicant(pngBytes), server.PutApplicant(pngBytes), server.PutApplicant(pngBytes)
	staff, barred, empty := server.PutPool("staff", alice, bob), server.PutPool("barred", bob, carol), server.PutPool("empty")
	id := createSession(t, server, searching("MATCH", staff, "NO_MATCH", barred, "NO_MATCH", empty))
	server.CompleteSession(id, yotitest.Matches(carol, bob, alice))
	searches := getSession(t, server, id).FamiliarFaceSearches()
	require.Len(t, searches, 3)
	assert.Equal(t, []yotiface.Match{{ApplicantID: bob, PoolID: staff}, {ApplicantID: alice, PoolID: staff}}, searches[0].Matches())
	assert.Equal(t, []yotiface.Match{{ApplicantID: carol, PoolID: barred}, {ApplicantID: bob, PoolID: barred}}, searches[1].Matches())
	assert.Empty(t, searches[2].Matches())
}

func TestASearchOfADeletedPoolIsNotAvailable(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	alice := server.PutApplicant(pngBytes)
	poolID := server.PutPool("staff", alice)
	id := createSession(t, server, searching("MATCH", poolID))
	require.Equal(t, http.StatusNoContent, remove(t, server, "/pools/"+poolID))
	server.CompleteSession(id)
	session := getSession(t, server, id)
	search := session.FamiliarFaceSearches()[0]
	assert.Equal(t, yotiface.CheckDone, search.State)
	assert.Equal(t, yotiface.RecommendationNotAvailable, search.Report.Recommendation.Value)
	assert.Equal(t, yotiface.FamiliarFaceSearchConfig{PoolID: poolID, PoolLabel: "staff", ApprovalCriteria: yotiface.CriteriaMatch}, search.Config)
	assert.Equal(t, yotiface.OutcomeUndetermined, session.FaceSearchOutcome())
}

func TestMistakesInATestPanic(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	member, faceless, loner, stranger := server.PutApplicant(pngBytes), server.PutApplicant(), server.PutApplicant(pngBytes), server.PutApplicant(pngBytes)
	poolID := server.PutPool("staff", member, faceless)
	server.PutPool("barred", stranger)
	server.PutPool("guests", stranger)
	spec := searching("MATCH", poolID)
	ongoing, pending, completed, expired := createSession(t, server, spec), createSession(t, server, spec), createSession(t, server, spec), createSession(t, server, spec)
	server.PendSession(pending)
	server.CompleteSession(completed)
	server.ExpireSession(expired)
	blind := createSession(t, server, searching())
	put := server.PutSession([]byte(`{"state":"ONGOING"}`))
	before := get(t, server, "/sessions/"+ongoing).body

	names := strings.NewReplacer(ongoing, "ONGOING", pending, "PENDING", completed, "COMPLETED", expired, "EXPIRED", put, "PUT",
		member, "MEMBER", faceless, "FACELESS", loner, "LONER", stranger, "STRANGER")
	for text, mistake := range map[string]func(){
		`CompleteSession: there is no session "nowhere"`:                                                                                  func() { server.CompleteSession("nowhere") },
		`CompleteSession: the session "PUT" was put, and stays as it is`:                                                                  func() { server.CompleteSession(put) },
		`CompleteSession: the session "COMPLETED" is COMPLETED`:                                                                           func() { server.CompleteSession(completed) },
		`CompleteSession: the session "EXPIRED" is EXPIRED`:                                                                               func() { server.CompleteSession(expired) },
		`CompleteSession: the applicant "nobody" cannot match: there is no such applicant`:                                                func() { server.CompleteSession(ongoing, yotitest.Matches(member, "nobody")) },
		`CompleteSession: the applicant "FACELESS" cannot match: it has no face`:                                                          func() { server.CompleteSession(ongoing, yotitest.Matches(faceless)) },
		`CompleteSession: the applicant "LONER" cannot match: it is in no pool`:                                                           func() { server.CompleteSession(ongoing, yotitest.Matches(loner)) },
		`CompleteSession: the applicant "STRANGER" cannot match: the session does not search the pools that it is in: "barred", "guests"`: func() { server.CompleteSession(ongoing, yotitest.Matches(stranger)) },
		`CompleteSession: the applicant "MEMBER" cannot match: the session does not search the pools that it is in: "staff"`:              func() { server.CompleteSession(blind, yotitest.Matches(member)) },
		`CompleteSession: WithCapture comes too late, the user has finished before`:                                                       func() { server.CompleteSession(pending, yotitest.WithCapture(gifBytes)) },
		`PendSession: there is no session "nowhere"`:                                                                                      func() { server.PendSession("nowhere") },
		`PendSession: nobody matches before the session is completed`:                                                                     func() { server.PendSession(ongoing, yotitest.Matches(member)) },
		`PendSession: the user of this session has finished before`:                                                                       func() { server.PendSession(pending) },
		`ExpireSession: the session "COMPLETED" is COMPLETED`:                                                                             func() { server.ExpireSession(completed) },
		`ExpireSession: the session "PUT" was put, and stays as it is`:                                                                    func() { server.ExpireSession(put) },
	} {
		func() {
			defer func() { assert.Equal(t, "yotitest: "+text, names.Replace(fmt.Sprint(recover()))) }()
			mistake()
		}()
	}
	assert.Equal(t, before, get(t, server, "/sessions/"+ongoing).body, "nothing has happened")
	server.CompleteSession(ongoing, yotitest.Matches(member))
}

func TestAPutSessionReplacesACreatedOne(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	id := createSession(t, server, searching())
	server.PutSession([]byte(`{"session_id":"` + id + `","state":"NEW"}`))
	assert.Equal(t, yotiface.SessionState("NEW"), getSession(t, server, id).State)
	assert.Panics(t, func() { server.CompleteSession(id) })
}
