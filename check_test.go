package yotiface_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
)

// readPackages are the JSON packages that a user may decode and encode with.
var readPackages = []struct {
	name      string
	unmarshal func([]byte, any) error
	marshal   func(any) ([]byte, error)
}{
	{"encoding/json", json.Unmarshal, json.Marshal},
	{
		"encoding/json/v2",
		func(b []byte, v any) error { return jsonv2.Unmarshal(b, v) },
		func(v any) ([]byte, error) { return jsonv2.Marshal(v) },
	},
}

// A face search that was stored by itself is read and written with any JSON package.
func TestFamiliarFaceSearchDecodesByItself(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		file    string
		want    yotiface.FamiliarFaceSearch
		outcome yotiface.ApprovalOutcome
		because string
	}{
		{
			"check_match.json",
			yotiface.FamiliarFaceSearch{
				Check: yotiface.Check{
					Type:           yotiface.CheckTypeFamiliarFaceSearch,
					ID:             "bc3caac1-e091-4958-8f05-8763076a6976",
					State:          yotiface.CheckDone,
					ResourcesUsed:  []string{"34590c66-0099-4521-b1d7-391bd5ec4e98"},
					GeneratedMedia: []yotiface.GeneratedMedia{},
					Report: yotiface.Report{
						Recommendation: yotiface.Recommendation{Value: yotiface.RecommendationApprove},
						Breakdown: []yotiface.SubCheck{{
							Name:   "face_found_in_pool",
							Result: yotiface.ResultPass,
							Details: []yotiface.Detail{
								{Name: "matching_pool", Value: "a8b2e5de-a31f-4e82-b2ac-557a492fa88e"},
								{Name: "matching_applicant", Value: "b1ac68ca-c692-449f-b6cc-1ee7c0d366ea"},
							},
							Process: yotiface.ProcessAutomated,
						}},
					},
					Created:     time.Date(2025, 6, 25, 14, 17, 29, 0, time.UTC),
					LastUpdated: time.Date(2025, 6, 25, 14, 17, 32, 0, time.UTC),
				},
				Config: yotiface.FamiliarFaceSearchConfig{
					PoolID: "a8b2e5de-a31f-4e82-b2ac-557a492fa88e", PoolLabel: "Test Pool2", ApprovalCriteria: yotiface.CriteriaMatch,
				},
			},
			yotiface.OutcomeApproved, "the tab MATCH of the documentation",
		},
		{
			"check_no_match_criteria.json",
			yotiface.FamiliarFaceSearch{
				Check: yotiface.Check{
					Type:           yotiface.CheckTypeFamiliarFaceSearch,
					ID:             "c9f2b0c0-df4d-472a-93cb-3f93c7ad9196",
					State:          yotiface.CheckDone,
					ResourcesUsed:  []string{"e3d4ce28-4291-4dd4-a650-33fd5c3b0e0f"},
					GeneratedMedia: []yotiface.GeneratedMedia{},
					Report: yotiface.Report{
						Recommendation: yotiface.Recommendation{Value: yotiface.RecommendationReject, Reason: "MATCH_FOUND"},
						Breakdown: []yotiface.SubCheck{{
							Name:   "face_not_found_in_pool",
							Result: yotiface.ResultFail,
							Details: []yotiface.Detail{
								{Name: "matching_pool", Value: "a8b2e5de-a31f-4e82-b2ac-557a492fa88e"},
								{Name: "matching_applicant", Value: "b1ac68ca-c692-449f-b6cc-1ee7c0d366ea"},
							},
							Process: yotiface.ProcessAutomated,
						}},
					},
					Created:     time.Date(2025, 6, 4, 8, 51, 3, 0, time.UTC),
					LastUpdated: time.Date(2025, 6, 4, 8, 51, 5, 0, time.UTC),
				},
				Config: yotiface.FamiliarFaceSearchConfig{
					PoolID: "a8b2e5de-a31f-4e82-b2ac-557a492fa88e", PoolLabel: "POOL EXAMPLE", ApprovalCriteria: yotiface.CriteriaNoMatch,
				},
			},
			yotiface.OutcomeRejected, "the tab NO MATCH of the documentation, which shows a match",
		},
	} {
		body := readFile(t, test.file)
		for _, pkg := range readPackages {
			t.Run(test.file+" with "+pkg.name, func(t *testing.T) {
				t.Parallel()
				var got yotiface.FamiliarFaceSearch
				require.NoError(t, pkg.unmarshal(body, &got))
				assert.Equal(t, test.want, got, test.because)
				assert.Equal(t, test.outcome, got.ApprovalOutcome(), test.because)

				again, err := pkg.marshal(got)
				require.NoError(t, err)
				assert.JSONEq(t, string(body), string(again), "what was read is what is written")
			})
		}
	}
}

// Enumerations are open: a value that is new is kept and written as it came.
func TestCheckKeepsUnknownValues(t *testing.T) {
	t.Parallel()
	const body = `{"type":"MIND_READING","id":"c1","state":"READY","resources_used":["r"],"generated_media":[{"id":"m","type":"HOLOGRAM"}],` +
		`"report":{"recommendation":{"value":"NOT AVAILABLE","reason":"NO_ MATCH","recovery_suggestion":"TRY_LATER"},` +
		`"breakdown":[{"sub_check":"face_found_in_pool","result":"PARTIAL","details":[{"name":"matching_pool","value":""}],"process":"ORACLE"}]},` +
		`"created":"2026-02-03T11:05:00Z","last_updated":"2026-02-03T11:05:00.5Z","config":[1,{"a":null}],"scheme":"MOON"}`
	for _, pkg := range readPackages {
		t.Run(pkg.name, func(t *testing.T) {
			t.Parallel()
			var got yotiface.Check
			require.NoError(t, pkg.unmarshal([]byte(body), &got))
			assert.Equal(t, yotiface.Check{
				Type:           "MIND_READING",
				ID:             "c1",
				State:          "READY",
				ResourcesUsed:  []string{"r"},
				GeneratedMedia: []yotiface.GeneratedMedia{{ID: "m", Type: "HOLOGRAM"}},
				Report: yotiface.Report{
					Recommendation: yotiface.Recommendation{Value: "NOT AVAILABLE", Reason: "NO_ MATCH", RecoverySuggestion: "TRY_LATER"},
					Breakdown: []yotiface.SubCheck{{
						Name: "face_found_in_pool", Result: "PARTIAL", Details: []yotiface.Detail{{Name: "matching_pool"}}, Process: "ORACLE",
					}},
				},
				Created:     time.Date(2026, 2, 3, 11, 5, 0, 0, time.UTC),
				LastUpdated: time.Date(2026, 2, 3, 11, 5, 0, 5e8, time.UTC),
				Config:      json.RawMessage(`[1,{"a":null}]`),
				Scheme:      "MOON",
			}, got)
			again, err := pkg.marshal(got)
			require.NoError(t, err)
			assert.JSONEq(t, body, string(again))
		})
	}
}

// A check that has no report yet is written without one.
func TestCheckIsWrittenWithoutWhatItDoesNotHave(t *testing.T) {
	t.Parallel()
	for _, pkg := range readPackages {
		written, err := pkg.marshal(yotiface.Check{Type: yotiface.CheckTypeLiveness, ID: "c", State: yotiface.CheckCreated})
		require.NoError(t, err, pkg.name)
		assert.JSONEq(t, `{"type":"LIVENESS","id":"c","state":"CREATED"}`, string(written), pkg.name)
	}
}

// The key of a watchlist provider comes back with the report. It is left out wherever the report is written, at any depth.
func TestWatchlistSummaryIsWrittenWithoutKeys(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, received, written, because string }{
		{"a key", `{"total_hits":1,"api_key":"SECRET"}`, `{"total_hits":1}`, "the documented name"},
		{"a key first", `{"api_key":"SECRET","total_hits":1}`, `{"total_hits":1}`, "order does not matter"},
		{"only a key", `{"api_key":"SECRET"}`, `{}`, "nothing is left"},
		{"where it is documented", `{"search_config":{"type":"WITH_CUSTOM_ACCOUNT","api_key":"SECRET","tags":{}}}`, `{"search_config":{"type":"WITH_CUSTOM_ACCOUNT","tags":{}}}`, "one level down"},
		{"in an array", `{"configs":[{"api_key":"SECRET","a":1},{"api_key":"SECRET"}]}`, `{"configs":[{"a":1},{}]}`, "any depth"},
		{"an object for a key", `{"api_key":{"value":"SECRET","api_key":["SECRET"]},"a":[1]}`, `{"a":[1]}`, "whatever its type"},
		{"an escaped name", `{"api\u005fkey":"SECRET","a":1}`, `{"a":1}`, "escapes do not make another name"},
		{"the name as a value", `{"needs":"api_key","list":["api_key",{"x":"api_key"}]}`, `{"needs":"api_key","list":["api_key",{"x":"api_key"}]}`, "only members count"},
		{"names like it", `{"api_key_id":1,"API_KEY":2,"xapi_key":3}`, `{"api_key_id":1,"API_KEY":2,"xapi_key":3}`, "only the name itself"},
		{"odd values", `{"big":12345678901234567890,"exp":1.50e3,"text":"\u2028<&>","null":null,"yes":true,"none":{}}`, `{"big":12345678901234567890,"exp":1.50e3,"text":"\u2028<&>","null":null,"yes":true,"none":{}}`, "the rest is kept"},
		{"no object", `["a",1]`, `["a",1]`, "whatever it is"},
		{"null", `null`, `null`, "as received"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, pkg := range readPackages {
				var report yotiface.Report
				require.NoError(t, pkg.unmarshal([]byte(`{"watchlist_summary":`+test.received+`}`), &report), pkg.name)
				if test.received != "null" {
					assert.Equal(t, test.received, string(report.WatchlistSummary.RawJSON()), "%s: the bytes have it", pkg.name)
				}
				written, err := pkg.marshal(report.WatchlistSummary)
				require.NoError(t, err, pkg.name)
				assert.JSONEq(t, test.written, string(written), "%s: %s", pkg.name, test.because)
				assert.NotContains(t, string(written), "SECRET", pkg.name)
			}
		})
	}
	t.Run("numbers are written as received", func(t *testing.T) {
		t.Parallel()
		written, err := watchlistSummary(t, `{"n":[12345678901234567890,1.50e3,-0]}`).MarshalJSON()
		require.NoError(t, err)
		assert.Equal(t, `{"n":[12345678901234567890,1.50e3,-0]}`, string(written), "no float in between")
	})
	t.Run("absent", func(t *testing.T) {
		t.Parallel()
		for _, pkg := range readPackages {
			written, err := pkg.marshal(yotiface.Report{})
			require.NoError(t, err, pkg.name)
			assert.NotContains(t, string(written), "watchlist_summary", pkg.name)
			written, err = pkg.marshal(yotiface.WatchlistSummary{})
			require.NoError(t, err, pkg.name)
			assert.Equal(t, "null", string(written), pkg.name)
		}
	})
	t.Run("bytes that are no JSON", func(t *testing.T) {
		t.Parallel()
		for _, broken := range []string{`{"api_key":"SECRET"`, `{"a":`, `nonsense`, `{"api_key" "SECRET"}`, `{} SECRET`} {
			for _, pkg := range readPackages {
				written, err := pkg.marshal(watchlistSummary(t, broken))
				require.Error(t, err, "%s: %s", pkg.name, broken)
				assert.NotContains(t, string(written), "SECRET", "%s: %s", pkg.name, broken)
			}
		}
	})
}

// The bytes of a watchlist summary belong to it.
func TestWatchlistSummaryIsACopy(t *testing.T) {
	t.Parallel()
	given := []byte(`{"total_hits":1}`)
	var summary yotiface.WatchlistSummary
	require.NoError(t, summary.UnmarshalJSON(given))
	clear(given)
	assert.Equal(t, `{"total_hits":1}`, string(summary.RawJSON()))
}

// Nothing prints a watchlist summary.
func TestWatchlistSummaryIsNotPrinted(t *testing.T) {
	t.Parallel()
	check := yotiface.Check{Report: yotiface.Report{WatchlistSummary: watchlistSummary(t, `{"api_key":"kEy"}`)}}
	const decimal, hexadecimal = "107 69 121", "6b4579" // kEy, as verbs that are not meant for it print it
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{check, &check, check.Report, check.Report.WatchlistSummary, []yotiface.Check{check}} {
			text := fmt.Sprintf(verb, v)
			assert.NotContains(t, text, "kEy", verb)
			assert.NotContains(t, text, decimal, verb)
			assert.NotContains(t, text, hexadecimal, verb)
		}
	}
	var log bytes.Buffer
	for _, logger := range []*slog.Logger{slog.New(slog.NewTextHandler(&log, nil)), slog.New(slog.NewJSONHandler(&log, nil))} {
		logger.Info("a check", "check", check, "pointer", &check, "checks", []yotiface.Check{check}, "summary", check.Report.WatchlistSummary)
	}
	assert.NotContains(t, log.String(), "kEy")
}

// watchlistSummary is one that was received, be it JSON or not.
func watchlistSummary(t *testing.T, received string) (w yotiface.WatchlistSummary) {
	t.Helper()
	require.NoError(t, w.UnmarshalJSON([]byte(received)))
	return w
}
