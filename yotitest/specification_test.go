package yotitest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/getyoti/yoti-go-sdk/v3/docscan/session/create"
	"github.com/getyoti/yoti-go-sdk/v3/docscan/session/create/check"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// createdJSON is the answer to the creation of a session.
type createdJSON struct {
	TTL   int    `json:"client_session_token_ttl"`
	Token string `json:"client_session_token"`
	ID    string `json:"session_id"`
}

func TestSessionsAreCreatedOngoing(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	poolID := server.PutPool("staff")
	var created createdJSON
	post(t, server, "/sessions", `{
		"client_session_token_ttl": 900,
		"resources_ttl": 87300,
		"user_tracking_id": "guest-1",
		"requested_checks": [
			{"type": "LIVENESS", "config": {"liveness_type": "STATIC", "max_retries": 3}},
			{"type": "FAMILIAR_FACE_SEARCH", "config": {"pool_id": "`+poolID+`", "approval_criteria": "MATCH"}}
		]
	}`, &created)
	assert.Equal(t, 900, created.TTL)
	assert.Len(t, created.Token, 36)
	assert.NotEqual(t, created.Token, created.ID)

	resp := get(t, server, "/sessions/"+created.ID)
	assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
	assert.JSONEq(t, `{
		"client_session_token_ttl": 900,
		"client_session_token": "`+created.Token+`",
		"session_id": "`+created.ID+`",
		"state": "ONGOING",
		"resources": {
			"id_documents": [], "supplementary_documents": [], "liveness_capture": [],
			"face_capture": [], "applicant_profiles": []
		},
		"checks": [],
		"user_tracking_id": "guest-1"
	}`, string(resp.body))
}

func TestSpecificationsOfTheOfficialBuilders(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	liveness, err := check.NewRequestedLivenessCheckBuilder().ForZoomLiveness().WithMaxRetries(3).Build()
	require.NoError(t, err)
	authenticity, err := check.NewRequestedDocumentAuthenticityCheckBuilder().Build()
	require.NoError(t, err)
	notifications, err := create.NewNotificationConfigBuilder().
		WithEndpoint("https://example.com/yoti").WithAuthToken("user:password").
		ForSessionCompletion().ForCheckCompletion().ForTaskCompletion().ForResourceUpdate().Build()
	require.NoError(t, err)
	sdkConfig, err := create.NewSdkConfigBuilder().WithLocale("en").Build()
	require.NoError(t, err)
	spec, err := create.NewSessionSpecificationBuilder().
		WithClientSessionTokenTTL(600).WithResourcesTTL(90000).WithUserTrackingID("guest-1").
		WithRequestedCheck(liveness).WithRequestedCheck(authenticity).
		WithNotifications(notifications).WithSDKConfig(sdkConfig).WithBlockBiometricConsent(true).Build()
	require.NoError(t, err)
	body, err := json.Marshal(spec)
	require.NoError(t, err)
	var created createdJSON
	post(t, server, "/sessions", string(body), &created)
	assert.Equal(t, 600, created.TTL)
}

func TestSpecificationsThatAreAccepted(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for name, test := range map[string]struct {
		spec string
		ttl  int
	}{
		"nothing at all":        {`{}`, 600},
		"nulls":                 {`{"requested_checks":null,"notifications":null,"client_session_token_ttl":null}`, 600},
		"the shortest time":     {`{"client_session_token_ttl":301}`, 301},
		"the shortest of both":  {`{"client_session_token_ttl":301,"resources_ttl":86701}`, 301},
		"what is not known yet": {`{"mood":"good","sdk_config":{"locale":1}}`, 600},
		"liveness by default":   {`{"requested_checks":[{"type":"LIVENESS"}]}`, 600},
		"another check":         {`{"requested_checks":[{"type":"WATCHLIST_ADVANCED_CA","config":{"type":"WITH_YOTI_ACCOUNT"}}]}`, 600},
		"a remote endpoint":     {`{"notifications":{"endpoint":"https://example.com/yoti?a=b"}}`, 600},
		"a test's endpoint":     {`{"notifications":{"endpoint":"http://127.0.0.1:8080/yoti"}}`, 600},
		"an IPv6 endpoint":      {`{"notifications":{"endpoint":"http://[::1]:8080/"}}`, 600},
		"a local endpoint":      {`{"notifications":{"endpoint":"http://localhost"}}`, 600},
		"topics in either case": {`{"notifications":{"endpoint":"https://localhost","topics":["SESSION_COMPLETION","check_completion","First_Branch_Visit"]}}`, 600},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var created createdJSON
			post(t, server, "/sessions", test.spec, &created)
			assert.Equal(t, test.ttl, created.TTL)
		})
	}
}

func TestSpecificationsThatAreRefused(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	poolID := server.PutPool("staff")
	deleted := server.PutPool("guests")
	require.Equal(t, http.StatusNoContent, remove(t, server, "/pools/"+deleted))
	search := func(config string) string {
		return `{"requested_checks":[{"type":"LIVENESS"},{"type":"FAMILIAR_FACE_SEARCH","config":` + config + `}]}`
	}
	notify := func(config string) string { return `{"notifications":` + config + `}` }
	for name, test := range map[string]struct{ spec, properties string }{
		"a short token":           {`{"client_session_token_ttl":300}`, "client_session_token_ttl"},
		"no time at all":          {`{"client_session_token_ttl":0}`, "client_session_token_ttl"},
		"a token of text":         {`{"client_session_token_ttl":"900"}`, "client_session_token_ttl"},
		"a token of a fraction":   {`{"client_session_token_ttl":900.5}`, "client_session_token_ttl"},
		"short-lived resources":   {`{"resources_ttl":86399}`, "resources_ttl"},
		"resources without token": {`{"client_session_token_ttl":900,"resources_ttl":87299}`, "resources_ttl"},
		"resources of text":       {`{"resources_ttl":"604800"}`, "resources_ttl"},

		"one check for a list":  {`{"requested_checks":{"type":"LIVENESS"}}`, "requested_checks"},
		"a check by name":       {`{"requested_checks":["LIVENESS"]}`, "requested_checks[0]"},
		"a null for a check":    {`{"requested_checks":[null]}`, "requested_checks[0].type"},
		"a check without type":  {`{"requested_checks":[{}]}`, "requested_checks[0].type"},
		"an unknown check":      {`{"requested_checks":[{"type":"LIVENESS"},{"type":"MOOD"}]}`, "requested_checks[1].type"},
		"a check in small":      {`{"requested_checks":[{"type":"liveness"}]}`, "requested_checks[0].type"},
		"an unknown liveness":   {`{"requested_checks":[{"type":"LIVENESS","config":{"liveness_type":"VIDEO"}}]}`, "requested_checks[0].config.liveness_type"},
		"a search without pool": {search(`{"approval_criteria":"MATCH"}`), "requested_checks[1].config.pool_id"},
		"an unknown pool":       {search(`{"pool_id":"staff","approval_criteria":"MATCH"}`), "requested_checks[1].config.pool_id"},
		"a deleted pool":        {search(`{"pool_id":"` + deleted + `","approval_criteria":"MATCH"}`), "requested_checks[1].config.pool_id"},
		"a pool of 1":           {search(`{"pool_id":1}`), "requested_checks[1].config.pool_id"},
		"no criterion":          {search(`{"pool_id":"` + poolID + `"}`), "requested_checks[1].config.approval_criteria"},
		"an unknown criterion":  {search(`{"pool_id":"` + poolID + `","approval_criteria":"NO MATCH"}`), "requested_checks[1].config.approval_criteria"},
		"no config":             {search(`null`), "requested_checks[1].config.pool_id requested_checks[1].config.approval_criteria"},

		"no endpoint":              {notify(`{}`), "notifications.endpoint"},
		"an endpoint of no URL":    {notify(`{"endpoint":"https://[::1"}`), "notifications.endpoint"},
		"an endpoint without host": {notify(`{"endpoint":"https:/yoti"}`), "notifications.endpoint"},
		"a plain remote endpoint":  {notify(`{"endpoint":"http://example.com/yoti"}`), "notifications.endpoint"},
		"another scheme":           {notify(`{"endpoint":"ftp://localhost/yoti"}`), "notifications.endpoint"},
		"an unknown topic":         {notify(`{"endpoint":"https://localhost","topics":["session_completion","mood"]}`), "notifications.topics[1]"},
		"one topic for a list":     {notify(`{"endpoint":"https://localhost","topics":"session_completion"}`), "notifications.topics"},
		"an unknown auth type":     {notify(`{"endpoint":"https://localhost","auth_type":"bearer","auth_token":"t"}`), "notifications.auth_type"},
		"an auth type alone":       {notify(`{"endpoint":"https://localhost","auth_type":"BEARER"}`), "notifications.auth_token"},

		"all at once": {`{"client_session_token_ttl":1,"requested_checks":[{}],"notifications":{}}`, "client_session_token_ttl requested_checks[0].type notifications.endpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resp := call(t, server, http.MethodPost, "/sessions", test.spec)
			assert.Equal(t, test.properties, strings.Join(resp.properties(t), " "))
		})
	}
	for _, body := range []string{``, `null`, `[]`, `"{}"`, `{`} {
		assert.Equal(t, "MALFORMED_REQUEST", call(t, server, http.MethodPost, "/sessions", body).code(t))
	}
}

func TestSessionsAreDeletedWithTheirMedia(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	id := server.PutSession([]byte(`{"state":"COMPLETED"}`))
	mine := "/sessions/" + id + "/media/" + server.PutMedia(id, "image/gif", gifBytes) + "/content"
	other := "/sessions/other/media/" + server.PutMedia("other", "image/gif", gifBytes) + "/content"
	require.Equal(t, http.StatusNoContent, remove(t, server, "/sessions/"+id))
	assert.Equal(t, http.StatusNotFound, remove(t, server, "/sessions/"+id))
	assert.Equal(t, http.StatusNotFound, get(t, server, "/sessions/"+id).StatusCode)
	assert.Equal(t, http.StatusNotFound, get(t, server, mine).StatusCode)
	assert.Equal(t, http.StatusOK, get(t, server, other).StatusCode)
}

func TestOngoingSessionsCannotBeDeleted(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	var created createdJSON
	post(t, server, "/sessions", `{}`, &created)
	for id, want := range map[string]int{
		created.ID: http.StatusConflict,
		server.PutSession([]byte(`{"state":"ONGOING"}`)):             http.StatusConflict,
		server.PutSession([]byte(`{"state":"x","state":"EXPIRED"}`)): http.StatusNoContent,
		server.PutSession([]byte(`{"state":"NEW"}`)):                 http.StatusNoContent,
		server.PutSession([]byte(`{"state":1}`)):                     http.StatusNoContent,
		server.PutSession([]byte(`{}`)):                              http.StatusNoContent,
	} {
		resp := call(t, server, http.MethodDelete, "/sessions/"+id, "")
		assert.Equal(t, want, resp.StatusCode)
		if want == http.StatusConflict {
			assert.Equal(t, "CONFLICT", resp.code(t))
			assert.Equal(t, http.StatusOK, get(t, server, "/sessions/"+id).StatusCode)
		}
	}
	server.ExpireSession(created.ID)
	assert.Equal(t, http.StatusNoContent, remove(t, server, "/sessions/"+created.ID))
}

func TestMediaAreDeletedOneByOne(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	one, other := server.PutMedia("a", "image/gif", gifBytes), server.PutMedia("a", "image/gif", nil)
	require.Equal(t, http.StatusNoContent, remove(t, server, "/sessions/a/media/"+one+"/content"))
	assert.Equal(t, http.StatusNotFound, remove(t, server, "/sessions/a/media/"+one+"/content"))
	assert.Equal(t, http.StatusNotFound, get(t, server, "/sessions/a/media/"+one+"/content").StatusCode)
	assert.Equal(t, http.StatusNoContent, get(t, server, "/sessions/a/media/"+other+"/content").StatusCode)
}
