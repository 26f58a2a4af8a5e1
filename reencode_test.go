package yotiface_test

import (
	"encoding/json"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
)

const sessionOfTheFuture = `{
	"session_id": "s-1", "state": "PAUSED", "client_session_token_ttl": 599, "client_session_token": "secret-token",
	"new_at_the_top": {"a": [1, 2.50, "x"], "b": null},
	"resources": {"palm_capture": [{"id": "p-1"}], "liveness_capture": [{"id": "l-1", "liveness_type": "HOLOGRAM", "depth": 3}]},
	"checks": [{
		"type": "PALM_SEARCH", "id": "c-1", "state": "HALF_DONE", "confidence": "0.5", "config": {"palm": 1, "pool_id": "p"},
		"report": {"recommendation": {"value": "PERHAPS", "weight": 7}, "breakdown": [
			{"sub_check": "palm_found", "result": "MAYBE", "details": [{"name": "n", "value": "v", "unit": "mm"}], "process": "GUESS"}
		], "watchlist_summary": {"total_hits": 1, "search_config": {"api_key": "secret-key", "type": "T"}}}
	}]
}`

func TestUnknownValuesAreEncodedAgain(t *testing.T) {
	t.Parallel()
	for name, marshal := range map[string]func(any) ([]byte, error){
		"encoding/json": json.Marshal,
		"json/v2":       func(v any) ([]byte, error) { return jsonv2.Marshal(v) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var session yotiface.Session
			require.NoError(t, json.Unmarshal([]byte(sessionOfTheFuture), &session))
			got, err := marshal(session)
			require.NoError(t, err)
			assert.JSONEq(t, `{
				"session_id": "s-1", "state": "PAUSED", "client_session_token_ttl": 599,
				"new_at_the_top": {"a": [1, 2.50, "x"], "b": null},
				"resources": {"palm_capture": [{"id": "p-1"}], "liveness_capture": [{"id": "l-1", "liveness_type": "HOLOGRAM", "depth": 3}]},
				"checks": [{
					"type": "PALM_SEARCH", "id": "c-1", "state": "HALF_DONE", "confidence": "0.5", "config": {"palm": 1, "pool_id": "p"},
					"report": {"recommendation": {"value": "PERHAPS", "weight": 7}, "breakdown": [
						{"sub_check": "palm_found", "result": "MAYBE", "details": [{"name": "n", "value": "v", "unit": "mm"}], "process": "GUESS"}
					], "watchlist_summary": {"total_hits": 1, "search_config": {"type": "T"}}}
				}]
			}`, string(got))
			assert.Contains(t, string(got), "2.50", "numbers keep their spelling")
		})
	}
}

func TestChangedFieldsAreEncodedAsTheyAreNow(t *testing.T) {
	t.Parallel()
	var session yotiface.Session
	require.NoError(t, json.Unmarshal([]byte(sessionOfTheFuture), &session))
	session.State = yotiface.SessionExpired
	session.Resources.LivenessCaptures[0].LivenessType = "" // taken out, and not to come back from the raw JSON
	session.Checks = append(session.Checks, yotiface.Check{ID: "c-2"})
	got, err := json.Marshal(session)
	require.NoError(t, err)
	var back map[string]any
	require.NoError(t, json.Unmarshal(got, &back))
	assert.Equal(t, "EXPIRED", back["state"])
	assert.NotContains(t, string(got), "HOLOGRAM")
	assert.Contains(t, string(got), `"depth":3`)
	assert.Len(t, back["checks"], 2)
	assert.NotContains(t, string(got), "secret")
}

func TestSessionThatWasNotReadIsEncodedFromItsFields(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(&yotiface.Session{ID: "s-1", State: yotiface.SessionOngoing, ClientSessionToken: "secret"})
	require.NoError(t, err)
	assert.JSONEq(t, `{"session_id":"s-1","state":"ONGOING","client_session_token_ttl":0}`, string(got))
}
