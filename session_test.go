package yotiface_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/yotiface/yotiface"
)

// The session of the documentation, as one Go value.
func TestSessionOfTheDocumentationInFull(t *testing.T) {
	t.Parallel()
	body := readFile(t, "session_completed.json")
	want := yotiface.Session{
		ID:                    "7938ac1e-0a4a-49b7-953f-08cfa764358f",
		State:                 yotiface.SessionCompleted,
		ClientSessionTokenTTL: 0,
		UserTrackingID:        "<YOUR_USER_ID>",
		BiometricConsent:      readTime(50, 43),
		Resources: yotiface.Resources{
			IDDocuments: []yotiface.IDDocument{{
				Resource: yotiface.Resource{
					ID: "02ffe8d4-5f4a-4aaa-a046-21593944e05f",
					Tasks: []yotiface.Task{{
						Type:            yotiface.TaskTypeIDDocumentTextDataExtraction,
						ID:              "1890a33a-1c9e-47f5-88d1-52ff06854e76",
						State:           yotiface.TaskStateDone,
						Created:         readTime(49, 53),
						LastUpdated:     readTime(50, 39),
						GeneratedChecks: []yotiface.GeneratedCheck{},
						GeneratedMedia:  []yotiface.GeneratedMedia{{ID: "3943b63a-acf6-4860-9984-b73616007046", Type: yotiface.MediaTypeJSON}},
						Recommendation:  yotiface.TaskRecommendation{Value: yotiface.TaskRecommendationProgress},
					}},
					Source:      yotiface.Source{Type: yotiface.SourceTypeEndUser},
					Created:     readTime(49, 53),
					LastUpdated: readTime(50, 39),
				},
				DocumentType:   yotiface.DocumentTypePassport,
				IssuingCountry: "GBR",
				Pages: []yotiface.Page{{
					CaptureMethod: yotiface.CaptureMethodCamera,
					Media:         readMedia("fa453d19-32d1-467d-adb9-44ed2dcb6783", "IMAGE", readTime(50, 30)).Media,
					Frames: []yotiface.MediaHolder{
						readMedia("29a8110f-3eb6-496a-a2ee-5fc56a9758ac", "IMAGE", readTime(50, 32)),
						readMedia("5db33604-3616-457e-80fe-e44af11df8ba", "IMAGE", readTime(50, 32)),
						readMedia("aefacec4-087b-41e0-ab2c-567fbad9d343", "IMAGE", readTime(50, 32)),
					},
				}},
				DocumentFields:  readMedia("3943b63a-acf6-4860-9984-b73616007046", "JSON", readTime(50, 39)),
				DocumentIDPhoto: readMedia("a106c265-80d3-4998-8a77-3ccbc3f29ccd", "IMAGE", readTime(50, 39)),
			}},
			SupplementaryDocuments: []yotiface.SupplementaryDocument{},
			LivenessCaptures: []yotiface.LivenessCapture{{
				Resource: yotiface.Resource{
					ID:          "e3d4ce28-4291-4dd4-a650-33fd5c3b0e0f",
					Tasks:       []yotiface.Task{},
					Source:      yotiface.Source{Type: yotiface.SourceTypeEndUser},
					Created:     readTime(50, 45),
					LastUpdated: readTime(51, 0),
				},
				LivenessType: yotiface.LivenessTypeStatic,
				Image:        readMedia("d12ad6f6-2d1e-4b0d-9650-a153478c7d6e", "IMAGE", readTime(51, 0)),
			}},
			FaceCaptures:      []yotiface.FaceCapture{},
			ApplicantProfiles: []yotiface.ApplicantProfile{},
		},
		Checks: []yotiface.Check{
			{
				Type:           yotiface.CheckTypeLiveness,
				ID:             "b1e04326-6bba-4a4e-97c5-7191d60c17d9",
				State:          yotiface.CheckDone,
				ResourcesUsed:  []string{"e3d4ce28-4291-4dd4-a650-33fd5c3b0e0f"},
				GeneratedMedia: []yotiface.GeneratedMedia{},
				Report: yotiface.Report{
					Recommendation: yotiface.Recommendation{Value: yotiface.RecommendationApprove},
					Breakdown: []yotiface.SubCheck{
						{Name: "face_processing", Result: yotiface.ResultPass, Details: []yotiface.Detail{}, Process: yotiface.ProcessAutomated},
						{Name: "liveness_auth", Result: yotiface.ResultPass, Details: []yotiface.Detail{}, Process: yotiface.ProcessAutomated},
						{Name: "payload_signature_verification", Result: yotiface.ResultPass, Details: []yotiface.Detail{}, Process: yotiface.ProcessAutomated},
					},
				},
				Created:     readTime(51, 0),
				LastUpdated: readTime(51, 2),
			},
			{
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
				Created:     readTime(51, 3),
				LastUpdated: readTime(51, 5),
				Config: json.RawMessage(`{
        "pool_id": "a8b2e5de-a31f-4e82-b2ac-557a492fa88e",
        "pool_label": "POOL EXAMPLE",
        "approval_criteria": "NO_MATCH"
      }`),
			},
		},
	}
	for _, way := range readWays {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			got, err := way.read(t, body)
			require.NoError(t, err)
			readSame(t, want, *got)
			assert.Equal(t, strings.TrimSpace(string(body)), strings.TrimSpace(string(got.RawJSON())), "the bytes as received")
		})
	}
}

// The official SDK reaches 76 of the 87 values of the documented session; here all are in typed fields.
func TestSessionKeepsEveryValue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		file    string
		leaves  int
		because string
	}{
		{"session_completed.json", 87, "the session of the documentation"},
		{"session_every_object.json", 232, "every object that the documentation and the official SDKs know"},
	} {
		t.Run(test.file, func(t *testing.T) {
			t.Parallel()
			body := readFile(t, test.file)
			var document any
			require.NoError(t, json.Unmarshal(body, &document))
			leaves := map[string]int{}
			require.Equal(t, test.leaves, readJSONLeaves(leaves, document), test.because)

			var session yotiface.Session
			require.NoError(t, json.Unmarshal(body, &session))
			typed := map[string]int{}
			readTypedLeaves(t, typed, reflect.ValueOf(session))
			for value, times := range leaves {
				assert.GreaterOrEqualf(t, typed[value], times, "the value %s appears %d times in the JSON", value, times)
			}
		})
	}
}

// Every object of a session that any source knows, as one Go value. The people and their IDs are invented.
func TestSessionWithEveryDocumentedObject(t *testing.T) {
	t.Parallel()
	at := func(hour, minute, second int) time.Time {
		return time.Date(2026, 2, 3, hour, minute, second, 0, time.UTC)
	}
	media := func(id string, kind yotiface.MediaType, created time.Time) yotiface.MediaHolder {
		return yotiface.MediaHolder{Media: yotiface.MediaRef{ID: id, Type: kind, Created: created, LastUpdated: created.Add(time.Second)}}
	}
	want := yotiface.Session{
		ID:                    "5e551000-0000-4000-8000-000000000001",
		State:                 yotiface.SessionOngoing,
		ClientSessionTokenTTL: 2637668,
		ClientSessionToken:    "70ce0000-0000-4000-8000-000000000001",
		UserTrackingID:        "guest-0042",
		BiometricConsent:      time.Date(2026, 2, 3, 10, 58, 32, 627e6, time.UTC), // times have milliseconds now and then
		Resources: yotiface.Resources{
			IDDocuments: []yotiface.IDDocument{
				{
					Resource: yotiface.Resource{
						ID: "d0c00000-0000-4000-8000-000000000001",
						Tasks: []yotiface.Task{
							{
								Type:            yotiface.TaskTypeIDDocumentTextDataExtraction,
								ID:              "7a5c0000-0000-4000-8000-000000000001",
								State:           yotiface.TaskStateFailed,
								Created:         at(10, 59, 0),
								LastUpdated:     at(10, 59, 1),
								GeneratedChecks: []yotiface.GeneratedCheck{{ID: "c4ec0000-0000-4000-8000-000000000001", Type: yotiface.CheckTypeIDDocumentTextDataCheck}},
								GeneratedMedia:  []yotiface.GeneratedMedia{},
								Recommendation: yotiface.TaskRecommendation{
									Value:  yotiface.TaskRecommendationMustTryAgain,
									Reason: yotiface.TaskReason{Value: "QUALITY", Detail: "NO_DOCUMENT"}, // an object
								},
							},
							{
								Type:            yotiface.TaskTypeIDDocumentTextDataExtraction,
								ID:              "7a5c0000-0000-4000-8000-000000000002",
								State:           yotiface.TaskStatePending,
								Created:         at(10, 59, 2),
								LastUpdated:     at(10, 59, 3),
								GeneratedChecks: []yotiface.GeneratedCheck{},
								GeneratedMedia:  []yotiface.GeneratedMedia{{ID: "3ed1a000-0000-4000-8000-000000000001", Type: yotiface.MediaTypeJSON}},
								Recommendation: yotiface.TaskRecommendation{
									Value:  yotiface.TaskRecommendationShouldTryAgain,
									Reason: yotiface.TaskReason{Value: "USER_ERROR"}, // a string
								},
							},
						},
						Source:      yotiface.Source{Type: yotiface.SourceTypeRelyingBusiness},
						Created:     at(10, 58, 59),
						LastUpdated: at(10, 59, 4),
					},
					DocumentType:   yotiface.DocumentTypeDrivingLicence,
					IssuingCountry: "FRA",
					Pages: []yotiface.Page{{
						CaptureMethod:      yotiface.CaptureMethodUpload,
						Media:              media("3ed1a000-0000-4000-8000-000000000002", yotiface.MediaTypeImage, at(10, 59, 5)).Media,
						Frames:             []yotiface.MediaHolder{},
						ExtractionImageIDs: []string{"3ed1a000-0000-4000-8000-000000000003", "3ed1a000-0000-4000-8000-000000000004"},
					}},
					DocumentFields:         media("3ed1a000-0000-4000-8000-000000000005", yotiface.MediaTypeJSON, at(10, 59, 7)),
					DocumentIDPhoto:        media("3ed1a000-0000-4000-8000-000000000006", yotiface.MediaTypeImage, at(10, 59, 9)),
					ExpandedDocumentFields: media("3ed1a000-0000-4000-8000-000000000007", yotiface.MediaTypeJSON, at(10, 59, 11)),
				},
				{
					Resource:       yotiface.Resource{ID: "d0c00000-0000-4000-8000-000000000002", Tasks: []yotiface.Task{}}, // old ones have no times
					DocumentType:   yotiface.DocumentTypeResidencePermit,
					IssuingCountry: "DEU",
					Pages:          []yotiface.Page{},
				},
			},
			SupplementaryDocuments: []yotiface.SupplementaryDocument{{
				Resource: yotiface.Resource{
					ID: "5d0c0000-0000-4000-8000-000000000001",
					Tasks: []yotiface.Task{{
						Type:            yotiface.TaskTypeSupplementaryDocumentTextDataExtraction,
						ID:              "7a5c0000-0000-4000-8000-000000000003",
						State:           yotiface.TaskStateDone,
						Created:         at(11, 0, 0),
						LastUpdated:     at(11, 0, 1),
						GeneratedChecks: []yotiface.GeneratedCheck{},
						GeneratedMedia:  []yotiface.GeneratedMedia{},
					}},
					Source:      yotiface.Source{Type: yotiface.SourceTypeIBV},
					Created:     at(11, 0, 2),
					LastUpdated: at(11, 0, 3),
				},
				DocumentType:   yotiface.DocumentTypeUtilityBill,
				IssuingCountry: "GBR",
				Pages: []yotiface.Page{{
					CaptureMethod: yotiface.CaptureMethodCamera,
					Media:         media("3ed1a000-0000-4000-8000-000000000008", yotiface.MediaTypeImage, at(11, 0, 4)).Media,
				}},
				DocumentFields: media("3ed1a000-0000-4000-8000-000000000009", yotiface.MediaTypeJSON, at(11, 0, 6)),
				File:           media("3ed1a000-0000-4000-8000-00000000000a", yotiface.MediaTypeBinary, at(11, 0, 8)),
			}},
			LivenessCaptures: []yotiface.LivenessCapture{
				{
					Resource: yotiface.Resource{
						ID:          "11fe0000-0000-4000-8000-000000000001",
						Tasks:       []yotiface.Task{},
						Source:      yotiface.Source{Type: yotiface.SourceTypeEndUser},
						Created:     at(11, 1, 0),
						LastUpdated: at(11, 1, 1),
					},
					LivenessType: yotiface.LivenessTypeZoom,
					FaceMap:      media("3ed1a000-0000-4000-8000-00000000000b", yotiface.MediaTypeBinary, at(11, 1, 2)),
					Frames: []yotiface.MediaHolder{
						media("3ed1a000-0000-4000-8000-00000000000c", yotiface.MediaTypeImage, at(11, 1, 4)),
						media("3ed1a000-0000-4000-8000-00000000000d", yotiface.MediaTypeImage, at(11, 1, 6)),
						media("3ed1a000-0000-4000-8000-00000000000e", yotiface.MediaTypeImage, at(11, 1, 8)),
						{},
						{},
						{},
						{}, // as the examples have them
					},
				},
				{
					Resource: yotiface.Resource{
						ID:          "11fe0000-0000-4000-8000-000000000002",
						Tasks:       []yotiface.Task{},
						Source:      yotiface.Source{Type: yotiface.SourceTypeEndUser},
						Created:     at(11, 1, 10),
						LastUpdated: at(11, 1, 11),
					},
					LivenessType: yotiface.LivenessTypeStatic,
					CaptureType:  "PHOTOGRAPH",
					Image:        media("3ed1a000-0000-4000-8000-00000000000f", yotiface.MediaTypeImage, at(11, 1, 12)),
				},
			},
			FaceCaptures: []yotiface.FaceCapture{{
				Resource: yotiface.Resource{
					ID:          "face0000-0000-4000-8000-000000000001",
					Tasks:       []yotiface.Task{},
					Source:      yotiface.Source{Type: yotiface.SourceTypeEndUser},
					Created:     at(11, 2, 0),
					LastUpdated: at(11, 2, 1),
				},
				Image: media("3ed1a000-0000-4000-8000-000000000010", yotiface.MediaTypeImage, at(11, 2, 2)),
			}},
			ApplicantProfiles: []yotiface.ApplicantProfile{{
				Resource: yotiface.Resource{
					ID:          "a9910000-0000-4000-8000-000000000001",
					Tasks:       []yotiface.Task{},
					Source:      yotiface.Source{Type: yotiface.SourceTypeRelyingBusiness},
					Created:     at(11, 3, 0),
					LastUpdated: at(11, 3, 1),
				},
				Media: media("3ed1a000-0000-4000-8000-000000000011", yotiface.MediaTypeJSON, at(11, 3, 2)).Media,
			}},
			ShareCodes: []yotiface.ShareCode{{
				Resource: yotiface.Resource{
					ID: "54a2e000-0000-4000-8000-000000000001",
					Tasks: []yotiface.Task{{
						Type:            yotiface.TaskTypeVerifyShareCode,
						ID:              "7a5c0000-0000-4000-8000-000000000004",
						State:           yotiface.TaskStateDone,
						Created:         at(11, 4, 0),
						LastUpdated:     at(11, 4, 1),
						GeneratedChecks: []yotiface.GeneratedCheck{},
						GeneratedMedia:  []yotiface.GeneratedMedia{},
					}},
					Source:      yotiface.Source{Type: yotiface.SourceTypeEndUser}, // a plain string in the JSON
					Created:     at(11, 4, 2),
					LastUpdated: at(11, 4, 3),
				},
				LookupProfile:   media("3ed1a000-0000-4000-8000-000000000012", yotiface.MediaTypeJSON, at(11, 4, 4)),
				ReturnedProfile: media("3ed1a000-0000-4000-8000-000000000013", yotiface.MediaTypeJSON, at(11, 4, 6)),
				IDPhoto:         media("3ed1a000-0000-4000-8000-000000000014", yotiface.MediaTypeImage, at(11, 4, 8)),
				File:            media("3ed1a000-0000-4000-8000-000000000015", yotiface.MediaTypeBinary, at(11, 4, 10)),
			}},
		},
		Checks: []yotiface.Check{
			{
				Type:           yotiface.CheckTypeWatchlistAdvancedCA,
				ID:             "c4ec0000-0000-4000-8000-000000000002",
				State:          yotiface.CheckDone,
				ResourcesUsed:  []string{},
				GeneratedMedia: []yotiface.GeneratedMedia{{ID: "3ed1a000-0000-4000-8000-000000000016", Type: yotiface.MediaTypeJSON}},
				Report: yotiface.Report{
					Recommendation:   yotiface.Recommendation{Value: yotiface.RecommendationConsider, Reason: "POTENTIAL_MATCH"},
					Breakdown:        []yotiface.SubCheck{},
					WatchlistSummary: watchlistSummary(t, `{"total_hits":2,"raw_results":{"media":{"id":"3ed1a000-0000-4000-8000-000000000017","type":"JSON"}},"associated_country_codes":["GBR","FRA"],"search_config":{"type":"WITH_CUSTOM_ACCOUNT","remove_deceased":true,"share_url":false,"sources":{"type":"PROFILE","search_profile":"b41d82de"},"matching_strategy":{"type":"FUZZY","fuzziness":0.6},"api_key":"kEy-of-the-provider","monitoring":true,"tags":{"desk":"north"},"client_ref":"hall-7"}}`),
				},
				Created:          at(11, 5, 0),
				LastUpdated:      at(11, 5, 1),
				GeneratedProfile: yotiface.MediaHolder{Media: yotiface.MediaRef{ID: "3ed1a000-0000-4000-8000-000000000018", Type: yotiface.MediaTypeJSON}},
			},
			{
				Type:           yotiface.CheckTypeDocumentSchemeValidity,
				ID:             "c4ec0000-0000-4000-8000-000000000003",
				State:          yotiface.CheckDone,
				ResourcesUsed:  []string{"d0c00000-0000-4000-8000-000000000001"},
				GeneratedMedia: []yotiface.GeneratedMedia{},
				Report: yotiface.Report{
					Recommendation: yotiface.Recommendation{Value: yotiface.RecommendationNotAvailable},
					Breakdown:      []yotiface.SubCheck{},
				},
				Created:     at(11, 5, 2),
				LastUpdated: at(11, 5, 3),
				Scheme:      "UK_DBS",
			},
			{
				Type:           yotiface.CheckTypeIDDocumentFaceMatch,
				ID:             "c4ec0000-0000-4000-8000-000000000004",
				State:          yotiface.CheckDone,
				ResourcesUsed:  []string{"d0c00000-0000-4000-8000-000000000001", "11fe0000-0000-4000-8000-000000000002"},
				GeneratedMedia: []yotiface.GeneratedMedia{},
				Report: yotiface.Report{
					Recommendation: yotiface.Recommendation{
						Value:              yotiface.RecommendationReject,
						Reason:             "PHOTO_TOO_DARK",
						RecoverySuggestion: "BETTER_LIGHTING",
					},
					Breakdown: []yotiface.SubCheck{
						{
							Name:    "ai_face_match",
							Result:  yotiface.ResultFail,
							Details: []yotiface.Detail{{Name: "confidence_score", Value: "0.68"}, {Name: "portrait_substitution", Value: "false"}},
							Process: yotiface.ProcessAutomated,
						},
						{Name: "manual_face_match", Result: yotiface.ResultPass, Process: yotiface.ProcessExpertReview},
					},
				},
				Created:     at(11, 5, 4),
				LastUpdated: at(11, 5, 5),
			},
			{
				Type:           yotiface.CheckTypeFamiliarFaceSearch,
				ID:             "c4ec0000-0000-4000-8000-000000000005",
				State:          yotiface.CheckPending,
				ResourcesUsed:  []string{"11fe0000-0000-4000-8000-000000000002"},
				GeneratedMedia: []yotiface.GeneratedMedia{},
				Created:        at(11, 5, 6),
				LastUpdated:    at(11, 5, 7),
				Config:         json.RawMessage(`{"pool_id":"90010000-0000-4000-8000-000000000001","pool_label":"Self-excluded","approval_criteria":"NO_MATCH"}`),
			},
		},
		IdentityProfile:                json.RawMessage(`{"subject_id":"subject-17","result":"DONE","identity_profile_report":{"trust_framework":"UK_TFIDA","schemes_compliance":[{"scheme":{"type":"DBS","objective":"STANDARD"},"requirements_met":true}],"media":{"id":"3ed1a000-0000-4000-8000-000000000019","type":"JSON"}}}`),
		IdentityProfilePreview:         json.RawMessage(`{"media":{"id":"3ed1a000-0000-4000-8000-00000000001a","type":"JSON"}}`),
		AdvancedIdentityProfile:        json.RawMessage(`{"result":"ABORTED","failure_reason":{"reason_code":"MISSING_LIVENESS","requirements_not_met_details":[{"failure_type":"LIVENESS","details":"none was done"}]}}`),
		AdvancedIdentityProfilePreview: json.RawMessage(`{"media":{"id":"3ed1a000-0000-4000-8000-00000000001b","type":"JSON"}}`),
		ImportToken:                    json.RawMessage(`{"media":{"id":"3ed1a000-0000-4000-8000-00000000001c","type":"JSON"},"failure_reason":"EXPIRED"}`),
	}
	body := readFile(t, "session_every_object.json")
	for _, way := range readWays {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			got, err := way.read(t, body)
			require.NoError(t, err)
			readSame(t, want, *got)
		})
	}
}

// Every body here is refused whole, whoever decodes it, and the error points at what is wrong without repeating it.
func TestSessionRefusesWhatIsNotOneSession(t *testing.T) {
	t.Parallel()
	const ok = `{"session_id":"` + readSessionID + `","state":"COMPLETED"`
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, test := range []struct {
		name, body string
		path       string // JSON pointer
		says       string // part of the text, "" where the pointer says it all
		because    string
	}{
		{
			"a recommendation twice", ok + `,"checks":[{"report":{"recommendation":{"value":"REJECT","value":"APPROVE"}}}]}`,
			"/checks/0/report/recommendation/value", "appears twice", "encoding/json would take the last, an approval",
		},
		{
			"a recommendation twice, once escaped", ok + `,"checks":[{"report":{"recommendation":{"value":"REJECT","v\u0061lue":"APPROVE"}}}]}`,
			"/checks/0/report/recommendation/value", "appears twice", "escapes do not make another name",
		},
		{"the state twice", ok + `,"state":"EXPIRED"}`, "/state", "appears twice", "which of them?"},
		{"the checks twice", ok + `,"checks":[],"checks":[]}`, "/checks", "appears twice", "which of them?"},
		{"a name twice in an undocumented object", ok + `,"novelty":{"deep":[{"a":1,"a":2}]}}`, "/novelty/deep/0/a", "appears twice", "RawJSON would mean two things"},
		{
			"a name twice in a configuration", ok + `,"checks":[{"config":{"pool_id":"a","pool_id":"b"}}]}`,
			"/checks/0/config/pool_id", "appears twice", "raw objects are read as strictly",
		},
		{"a name twice in an identity profile", ok + `,"identity_profile":{"result":"DONE","result":"ABORTED"}}`, "/identity_profile/result", "appears twice", "raw objects are read as strictly"},
		{"a lone surrogate", ok + `,"user_tracking_id":"\ud800"}`, "/user_tracking_id", "broken JSON", "encoding/json would make U+FFFD of it, another ID"},
		{"a lone surrogate in an undocumented member", ok + `,"novelty":"\udc00"}`, "/novelty", "broken JSON", "as above"},
		{"invalid UTF-8", ok + `,"user_tracking_id":"` + "\xff" + `"}`, "/user_tracking_id", "broken JSON", "encoding/json would make U+FFFD of it, another ID"},
		{"invalid UTF-8 in a name", ok + `,"` + "\xc0\x80" + `":1}`, "", "broken JSON", "as above"},
		{"another value after the session", ok + `}{"state":"EXPIRED"}`, "", "broken JSON", "a json.Decoder would not look at it"},
		{"a bracket after the session", ok + `}]`, "", "broken JSON", "as above"},
		{"null", `null`, "", "null", "a JSON package makes a zero session of it"},
		{"null in white space", " \r\n\tnull\n", "", "null", "as above"},
		{"an array", `[` + ok + `}]`, "", "", "one session was asked for"},
		{"a string", `"COMPLETED"`, "", "", "not an object"},
		{"a number", `200`, "", "", "not an object"},
		{"true", `true`, "", "", "not an object"},
		{"nothing", ``, "", "an empty body", "200 with an empty body"},
		{"white space", " \n\t ", "", "an empty body", "as above"},
		{"HTML", "<!DOCTYPE html><title>Sign in</title>", "", "HTML", "the login page of a proxy"},
		{"text", "upstream connect error", "", "broken JSON", "the page of a proxy"},
		{"a byte order mark", "\xef\xbb\xbf" + ok + `}`, "", "byte order mark", "it is no JSON, and easy to overlook"},
		{"cut off", ok, "", "ends too early", "a half of a session is none"},
		{"cut off in a string", ok + `,"user_tracking_id":"gue`, "", "ends too early", "as above"},
		{"single quotes", `{'session_id':'` + readSessionID + `'}`, "", "broken JSON", "as the documentation writes some JSON"},
		{"a trailing comma", ok + `,}`, "", "broken JSON", "as the documentation writes some JSON"},
		{"NaN", ok + `,"client_session_token_ttl":NaN}`, "/client_session_token_ttl", "broken JSON", "not JSON"},
		{"checks as an object", ok + `,"checks":{}}`, "/checks", "", "not the documented type"},
		{"checks as a string", ok + `,"checks":"DONE"}`, "/checks", "", "not the documented type"},
		{"a check as a string", ok + `,"checks":["DONE"]}`, "/checks/0", "", "not the documented type"},
		{"a check's state as a truth value", ok + `,"checks":[{"state":true}]}`, "/checks/0/state", "", "not the documented type"},
		{
			"a recommendation as a number", ok + `,"checks":[{"type":"LIVENESS"},{"report":{"recommendation":{"value":1}}}]}`,
			"/checks/1/report/recommendation/value", "", "not the documented type",
		},
		{
			"a detail as a number", ok + `,"checks":[{"report":{"breakdown":[{"details":[{"name":"confidence_score","value":0.68}]}]}}]}`,
			"/checks/0/report/breakdown/0/details/0/value", "", "documented as a string, even where it is a number",
		},
		{"the ID as a number", `{"session_id":7938}`, "/session_id", "", "not the documented type"},
		{"resources as an array", ok + `,"resources":[]}`, "/resources", "", "not the documented type"},
		{"a source as a number", ok + `,"resources":{"share_codes":[{"source":7}]}}`, "/resources/share_codes/0/source", "", "an object or a string"},
		{"a task's reason as an array", ok + `,"resources":{"face_capture":[{"tasks":[{"recommendation":{"reason":[]}}]}]}}`, "/resources/face_capture/0/tasks/0/recommendation/reason", "", "an object or a string"},
		{"seconds with a fraction", ok + `,"client_session_token_ttl":1.5}`, "/client_session_token_ttl", "", "no rounding"},
		{"seconds with an exponent", ok + `,"client_session_token_ttl":1e3}`, "/client_session_token_ttl", "", "no guessing"},
		{"seconds of 20 digits", ok + `,"client_session_token_ttl":18446744073709551616}`, "/client_session_token_ttl", "", "no wrap-around"},
		{"seconds as a string", ok + `,"client_session_token_ttl":"599"}`, "/client_session_token_ttl", "", "not the documented type"},
		{"a time as a number", ok + `,"biometric_consent":1749027043}`, "/biometric_consent", "", "only a string that is no time is forgiven"},
		{"a time as an object", ok + `,"checks":[{"created":{}}]}`, "/checks/0/created", "", "only a string that is no time is forgiven"},
		{"10 001 arrays in one another", ok + `,"novelty":` + nested(10001) + `}`, "", "broken JSON", "no stack overflow"},
		{"10 001 arrays as the answer", nested(10001), "", "", "no stack overflow"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, way := range readWays {
				got, err := way.read(t, []byte(test.body))
				if way.lenient {
					require.Error(t, err, "%s: %s", way.name, test.because)
					continue // the package finds some of this by itself, before or after it asks the session
				}
				assert.Nil(t, got, "%s: never a half-filled session", way.name)
				var decodeErr *yotiface.DecodeError
				require.ErrorAs(t, err, &decodeErr, "%s: %s", way.name, test.because)
				if test.path != "" {
					assert.Equal(t, test.path, decodeErr.Path, "%s: where", way.name)
				}
				assert.Contains(t, decodeErr.Error(), test.says, way.name)
				assert.Equal(t, test.body, string(decodeErr.Body), "%s: the bytes, to look into", way.name)
				assert.Error(t, decodeErr.Err, "%s: the decoder's error", way.name)
				readHarmless(t, decodeErr)
			}
		})
	}
}

// A body that was read has one meaning, and not the one that a lenient decoder would find in it.
func TestSessionNamesAreExact(t *testing.T) {
	t.Parallel()
	check := func(recommendation string) string {
		return `{"session_id":"` + readSessionID + `","state":"COMPLETED","checks":[{"type":"FAMILIAR_FACE_SEARCH","state":"DONE","report":{"recommendation":` + recommendation + `}}]}`
	}
	for _, test := range []struct {
		name, body string
		state      yotiface.SessionState
		outcome    yotiface.ApprovalOutcome
		because    string
	}{
		{"value and VALUE", check(`{"value":"REJECT","VALUE":"APPROVE"}`), "COMPLETED", yotiface.OutcomeRejected, "encoding/json reads an approval"},
		{"VALUE alone", check(`{"VALUE":"APPROVE"}`), "COMPLETED", yotiface.OutcomeUndetermined, "another name is no recommendation"},
		{"an escaped name", check(`{"v\u0061lue":"REJECT"}`), "COMPLETED", yotiface.OutcomeRejected, "escapes do not make another name"},
		{"STATE beside state", `{"session_id":"` + readSessionID + `","state":"ONGOING","STATE":"COMPLETED"}`, "ONGOING", yotiface.OutcomePending, "encoding/json reads COMPLETED"},
		{"a long s", `{"session_id":"` + readSessionID + `","state":"ONGOING","` + "\u017ftate" + `":"COMPLETED"}`, "ONGOING", yotiface.OutcomePending, "encoding/json folds it to s"},
		{"an escaped long s", `{"session_id":"` + readSessionID + `","state":"ONGOING","\u017ftate":"COMPLETED"}`, "ONGOING", yotiface.OutcomePending, "as above"},
		{"a Kelvin sign", `{"session_id":"` + readSessionID + `","state":"COMPLETED","chec` + "\u212a" + `s":[{"type":"FAMILIAR_FACE_SEARCH","state":"DONE","report":{"recommendation":{"value":"APPROVE"}}}]}`, "COMPLETED", yotiface.OutcomeUndetermined, "encoding/json folds it to k"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, way := range readWays {
				got, err := way.read(t, []byte(test.body))
				require.NoError(t, err, way.name)
				assert.Equal(t, test.state, got.State, "%s: %s", way.name, test.because)
				assert.Equal(t, test.outcome, got.FaceSearchOutcome(), "%s: %s", way.name, test.because)
				assert.Equal(t, test.body, string(got.RawJSON()), "%s: the other name is kept", way.name)
			}
		})
	}
}

// The wrong person's answer is the worst answer.
func TestGetSessionTakesOnlyTheSessionAskedFor(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, body string
		accepted   bool
		because    string
	}{
		{"the same ID", `{"session_id":"7938ac1e-0a4a-49b7-953f-08cfa764358f"}`, true, "asked for"},
		{"in capitals", `{"session_id":"7938AC1E-0A4A-49B7-953F-08CFA764358F"}`, true, "UUIDs are compared without regard to case"},
		{"another ID", `{"session_id":"7938ac1e-0a4a-49b7-953f-08cfa7643580","state":"COMPLETED"}`, false, "somebody else's session"},
		{"a longer ID", `{"session_id":"7938ac1e-0a4a-49b7-953f-08cfa764358f0"}`, false, "another ID"},
		{"an ID with a space", `{"session_id":" 7938ac1e-0a4a-49b7-953f-08cfa764358f"}`, false, "another ID"},
		{"no ID", `{"state":"COMPLETED","checks":[]}`, false, "whose session?"},
		{"an empty object", `{}`, false, "whose session?"},
		{"an empty ID", `{"session_id":""}`, false, "whose session?"},
		{"null for an ID", `{"session_id":null}`, false, "whose session?"},
		{"another name for it", `{"id":"7938ac1e-0a4a-49b7-953f-08cfa764358f"}`, false, "session_id is the documented name"},
		{"a long s in the name", `{"` + "\u017fession_id" + `":"7938ac1e-0a4a-49b7-953f-08cfa764358f"}`, false, "encoding/json folds it to session_id"},
		{"the name in capitals", `{"SESSION_ID":"7938ac1e-0a4a-49b7-953f-08cfa764358f"}`, false, "encoding/json folds it to session_id"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := readClient(t, readAnswer(test.body)).GetSession(t.Context(), readSessionID)
			if test.accepted {
				require.NoError(t, err, test.because)
				assert.Equal(t, test.body, string(got.RawJSON()))
				return
			}
			assert.Nil(t, got, test.because)
			var decodeErr *yotiface.DecodeError
			require.ErrorAs(t, err, &decodeErr, test.because)
			assert.Equal(t, "/session_id", decodeErr.Path)
			assert.Equal(t, "GET", decodeErr.Method)
			assert.Equal(t, "/sessions/{session_id}", decodeErr.Endpoint)
			assert.Equal(t, test.body, string(decodeErr.Body))
			readHarmless(t, err)
		})
	}
}

// One odd member does not cost the rest.
func TestSessionToleratesAbsence(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, members string
		checks        []yotiface.Check
		outcome       yotiface.ApprovalOutcome
		because       string
	}{
		{"no checks", ``, nil, yotiface.OutcomeUndetermined, "nothing was searched"},
		{"checks null", `,"checks":null`, nil, yotiface.OutcomeUndetermined, "null is absence"},
		{"checks empty", `,"checks":[]`, []yotiface.Check{}, yotiface.OutcomeUndetermined, "nothing was searched"},
		{"a null check", `,"checks":[null]`, []yotiface.Check{{}}, yotiface.OutcomeUndetermined, "the official SDK panics on it"},
		{"an empty check", `,"checks":[{}]`, []yotiface.Check{{}}, yotiface.OutcomeUndetermined, "no evidence"},
		{
			"a null check before a rejection", `,"checks":[null,{"type":"FAMILIAR_FACE_SEARCH","state":"DONE","report":{"recommendation":{"value":"REJECT"}}}]`,
			[]yotiface.Check{{}, {Type: "FAMILIAR_FACE_SEARCH", State: "DONE", Report: yotiface.Report{Recommendation: yotiface.Recommendation{Value: "REJECT"}}}},
			yotiface.OutcomeRejected, "the verdict is not lost over it",
		},
		{
			"everything in a check null", `,"checks":[{"type":"FAMILIAR_FACE_SEARCH","id":null,"state":"DONE","resources_used":null,"generated_media":null,"report":{"recommendation":{"value":"APPROVE","reason":null,"recovery_suggestion":null},"breakdown":null},"created":null,"last_updated":null}]`,
			[]yotiface.Check{{Type: "FAMILIAR_FACE_SEARCH", State: "DONE", Report: yotiface.Report{Recommendation: yotiface.Recommendation{Value: "APPROVE"}}}},
			yotiface.OutcomeApproved, "absent and null are the same",
		},
		{
			"a null report", `,"checks":[{"type":"FAMILIAR_FACE_SEARCH","state":"DONE","report":null}]`,
			[]yotiface.Check{{Type: "FAMILIAR_FACE_SEARCH", State: "DONE"}},
			yotiface.OutcomeUndetermined, "done, but no answer",
		},
		{
			"null sub-checks and details", `,"checks":[{"report":{"breakdown":[null,{"sub_check":"face_found_in_pool","details":[null]}]}}]`,
			[]yotiface.Check{{Report: yotiface.Report{Breakdown: []yotiface.SubCheck{{}, {Name: "face_found_in_pool", Details: []yotiface.Detail{{}}}}}}},
			yotiface.OutcomeUndetermined, "no evidence",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			body := `{"session_id":"` + readSessionID + `","state":"COMPLETED"` + test.members + `}`
			for _, way := range readWays {
				got, err := way.read(t, []byte(body))
				require.NoError(t, err, "%s: %s", way.name, test.because)
				assert.Equal(t, test.checks, got.Checks, "%s: %s", way.name, test.because)
				assert.Equal(t, test.outcome, got.FaceSearchOutcome(), "%s: %s", way.name, test.because)
			}
		})
	}
}

// A string that is no RFC 3339 time costs itself and nothing else.
func TestSessionForgivesTimes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text    string
		want    time.Time
		because string
	}{
		{"2025-06-04T08:50:43Z", time.Date(2025, 6, 4, 8, 50, 43, 0, time.UTC), "as documented"},
		{"2025-06-04T08:50:43.627Z", time.Date(2025, 6, 4, 8, 50, 43, 627e6, time.UTC), "now and then with milliseconds"},
		{"", time.Time{}, "empty"},
		{"yesterday", time.Time{}, "no time"},
		{"2025-06-04", time.Time{}, "a date only"},
		{"2025-06-04T08:50:43", time.Time{}, "no zone: of which of 24 hours?"},
		{"2025-06-04 08:50:43Z", time.Time{}, "not RFC 3339"},
		{"2025-06-31T08:50:43Z", time.Time{}, "no such day"},
		{"1749027043", time.Time{}, "a number in a string"},
	} {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			body := fmt.Sprintf(`{"session_id":%q,"state":"COMPLETED","biometric_consent":%q,
				"resources":{"face_capture":[{"id":"r","created_at":%[2]q,"last_updated":%[2]q,"tasks":[{"id":"t","created":%[2]q}],"image":{"media":{"id":"m","created":%[2]q}}}]},
				"checks":[{"type":"FAMILIAR_FACE_SEARCH","id":"c","state":"DONE","created":%[2]q,"last_updated":%[2]q,"report":{"recommendation":{"value":"REJECT"}}}]}`,
				readSessionID, test.text)
			for _, way := range readWays {
				got, err := way.read(t, []byte(body))
				require.NoError(t, err, "%s: %s", way.name, test.because)
				capture, check := got.Resources.FaceCaptures[0], got.Checks[0]
				for _, when := range []time.Time{got.BiometricConsent, capture.Created, capture.LastUpdated, capture.Tasks[0].Created, capture.Image.Media.Created, check.Created, check.LastUpdated} {
					assert.Equal(t, test.want, when, "%s: %s", way.name, test.because)
				}
				assert.Equal(t, "m", capture.Image.Media.ID, "what stands beside it is intact")
				assert.Equal(t, yotiface.OutcomeRejected, got.FaceSearchOutcome(), "a verdict is not lost over a time")
				assert.Equal(t, body, string(got.RawJSON()), "the text is there")
			}
		})
	}
}

// What did not exist when the library was written passes through unharmed.
func TestSessionKeepsWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	const body = `{"session_id":"7938ac1e-0a4a-49b7-953f-08cfa764358f","state":"PAUSED","client_session_token_ttl":7,` +
		`"novelty":{"answer":42},` +
		`"resources":{"hologram_capture":[{"id":"h"}],"face_capture":[{"id":"f","source":{"type":"ROBOT","serial":9}}]},` +
		`"checks":[{"type":"MIND_READING","id":"c1","state":"DREAMING","mood":"good","report":{"recommendation":{"value":"SHRUG","reason":"WHO_KNOWS"},"breakdown":[{"sub_check":"sixth_sense","result":"PERHAPS","process":"ORACLE"}]}},` +
		`{"type":"FAMILIAR_FACE_SEARCH","id":"c2","state":"DONE","report":{"recommendation":{"value":"APPROVE"}},"config":{"pool_id":"p","approval_criteria":"MAYBE","depth":3}}]}`
	for _, way := range readWays {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			got, err := way.read(t, []byte(body))
			require.NoError(t, err)
			assert.Equal(t, body, string(got.RawJSON()), "unknown members are in it")
			assert.Equal(t, yotiface.SessionState("PAUSED"), got.State)
			assert.Equal(t, yotiface.SourceType("ROBOT"), got.Resources.FaceCaptures[0].Source.Type)
			assert.Equal(t, yotiface.Check{
				Type: "MIND_READING", ID: "c1", State: "DREAMING",
				Report: yotiface.Report{
					Recommendation: yotiface.Recommendation{Value: "SHRUG", Reason: "WHO_KNOWS"},
					Breakdown:      []yotiface.SubCheck{{Name: "sixth_sense", Result: "PERHAPS", Process: "ORACLE"}},
				},
			}, got.Checks[0])
			search := got.FamiliarFaceSearches()[0]
			assert.Equal(t, yotiface.FamiliarFaceSearchConfig{PoolID: "p", ApprovalCriteria: "MAYBE"}, search.Config)

			again, err := json.Marshal(got)
			require.NoError(t, err)
			assert.JSONEq(t, body, string(again), "what is stored and read again has lost nothing")
		})
	}
}

// What the service added to one check is never written with another, whatever the caller did to the list.
func TestSessionKeepsUnknownMembersApart(t *testing.T) {
	t.Parallel()
	const body = `{"session_id":"s","checks":[{"id":"a","score":"of a"},{"id":"b","score":"of b"}]}`
	for name, change := range map[string]func(*yotiface.Session){
		"not changed": func(*yotiface.Session) {},
		"sorted":      func(s *yotiface.Session) { s.Checks[0], s.Checks[1] = s.Checks[1], s.Checks[0] },
		"replaced":    func(s *yotiface.Session) { s.Checks[0] = yotiface.Check{ID: "c"} },
		"removed":     func(s *yotiface.Session) { s.Checks = s.Checks[1:] },
		"added":       func(s *yotiface.Session) { s.Checks = append([]yotiface.Check{{ID: "c"}}, s.Checks...) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var session yotiface.Session
			require.NoError(t, json.Unmarshal([]byte(body), &session))
			change(&session)
			encoded, err := json.Marshal(session)
			require.NoError(t, err)
			var back struct {
				Checks []struct{ ID, Score string }
			}
			require.NoError(t, json.Unmarshal(encoded, &back))
			require.Len(t, back.Checks, len(session.Checks))
			for _, check := range back.Checks {
				if check.Score != "" {
					assert.Equal(t, "of "+check.ID, check.Score)
				}
			}
		})
	}
}

// What is kept raw is written as it is, and not gone through level by level, however deep it is.
func TestSessionIsEncodedInLinearTime(t *testing.T) { //nolint:paralleltest // it counts the bytes that the process allocates
	for _, member := range []string{"identity_profile", "novelty"} {
		cost := func(depth int) uint64 {
			body := `{"session_id":"s","` + member + `":` + strings.Repeat("[", depth) + `"` + strings.Repeat(`\u0061`, 5000) + `"` + strings.Repeat("]", depth) + `}`
			var session yotiface.Session
			require.NoError(t, json.Unmarshal([]byte(body), &session))
			return readAllocated(func() {
				_, err := json.Marshal(session)
				require.NoError(t, err)
			})
		}
		assert.Less(t, float64(cost(400))/float64(cost(40)), 3.0, "%s: ten times as deep, and next to no more to write", member)
	}
}

// RawJSON is evidence: neither its readers nor the buffer that it was read from change it.
func TestSessionRawJSONIsACopy(t *testing.T) {
	t.Parallel()
	body := readFile(t, "session_completed.json")
	given := bytes.Clone(body)
	var session yotiface.Session
	require.NoError(t, json.Unmarshal(given, &session))
	clear(given)
	want := strings.TrimSpace(string(body)) // encoding/json hands over the value without what is around it
	assert.Equal(t, want, string(session.RawJSON()), "the caller's buffer was used again")
	clear(session.RawJSON())
	assert.Equal(t, want, string(session.RawJSON()), "a reader wrote into what it was given")

	var direct yotiface.Session
	given = bytes.Clone(body)
	require.NoError(t, direct.UnmarshalJSON(given))
	clear(given)
	assert.Equal(t, string(body), string(direct.RawJSON()), "UnmarshalJSON must copy what it keeps")
	assert.Equal(t, yotiface.CriteriaNoMatch, direct.FamiliarFaceSearches()[0].Config.ApprovalCriteria, "raw members too")

	assert.Nil(t, (&yotiface.Session{ID: readSessionID}).RawJSON(), "not read from JSON")
	assert.Nil(t, (*yotiface.Session)(nil).RawJSON())
}

// Decoding into a session that is in use either replaces all of it or nothing.
func TestSessionIsReplacedWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	body := readFile(t, "session_completed.json")
	decoders := map[string]func([]byte, any) error{
		"encoding/json":    json.Unmarshal,
		"encoding/json/v2": func(b []byte, v any) error { return jsonv2.Unmarshal(b, v) },
		"UnmarshalJSON":    func(b []byte, v any) error { return v.(*yotiface.Session).UnmarshalJSON(b) },
	}
	for name, unmarshal := range decoders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, bad := range []string{
				`null`,
				`{"session_id":"new","state":"EXPIRED","checks":{}}`,
				`{"session_id":"new","checks":[{"type":"FAMILIAR_FACE_SEARCH"},{"report":1}]}`,
				`{"session_id":"new","client_session_token_ttl":1e3}`,
			} {
				session := yotiface.Session{ID: "old", State: yotiface.SessionOngoing}
				var decodeErr *yotiface.DecodeError
				require.ErrorAs(t, unmarshal([]byte(bad), &session), &decodeErr, bad)
				assert.Equal(t, yotiface.Session{ID: "old", State: yotiface.SessionOngoing}, session, bad)
			}
			for _, bad := range []string{ // json/v2 has an error of its own for them
				`{"session_id":"new","state":"EXPIRED","state":"COMPLETED"}`,
				`{"session_id":"new","user_tracking_id":"\udfff"}`,
			} {
				session := yotiface.Session{ID: "old", State: yotiface.SessionOngoing}
				require.Error(t, unmarshal([]byte(bad), &session), bad)
				assert.Equal(t, yotiface.Session{ID: "old", State: yotiface.SessionOngoing}, session, bad)
			}
			session := yotiface.Session{ClientSessionToken: "old", ImportToken: json.RawMessage(`{"failure_reason":"old"}`)}
			require.NoError(t, unmarshal(body, &session))
			assert.Empty(t, session.ClientSessionToken, "what the new JSON leaves out is not kept from before")
			assert.Empty(t, session.ImportToken, "what the new JSON leaves out is not kept from before")
			assert.Equal(t, yotiface.SessionCompleted, session.State)
		})
	}
}

// A session decodes inside a user's own type, as strictly.
func TestSessionInsideAnotherType(t *testing.T) {
	t.Parallel()
	type record struct {
		Session yotiface.Session   `json:"session"`
		Others  []yotiface.Session `json:"others"`
		Maybe   *yotiface.Session  `json:"maybe"`
	}
	const one = `{"session_id":"a","state":"COMPLETED"}`
	for name, unmarshal := range map[string]func([]byte, any) error{
		"encoding/json":    json.Unmarshal,
		"encoding/json/v2": func(b []byte, v any) error { return jsonv2.Unmarshal(b, v) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var good record
			require.NoError(t, unmarshal([]byte(`{"session":`+one+`,"others":[`+one+`],"maybe":`+one+`}`), &good))
			assert.Equal(t, "a", good.Session.ID)
			assert.Equal(t, one, string(good.Others[0].RawJSON()))
			assert.Equal(t, yotiface.SessionCompleted, good.Maybe.State)

			var decodeErr *yotiface.DecodeError
			require.ErrorAs(t, unmarshal([]byte(`{"session":null}`), new(record)), &decodeErr, "null is no session")
			require.ErrorAs(t, unmarshal([]byte(`{"others":[{"session_id":1}]}`), new(record)), &decodeErr)
			assert.Equal(t, "/session_id", decodeErr.Path, "the pointer is into the session")
			require.NoError(t, unmarshal([]byte(`{"maybe":null}`), new(record)), "a pointer is nil where there is no session")
		})
	}
}

// A credential does not end up in a database because a session was put there.
func TestSessionIsEncodedWithoutCredentials(t *testing.T) {
	t.Parallel()
	body := readFile(t, "session_every_object.json")
	require.Contains(t, string(body), "70ce0000", "the token")
	require.Contains(t, string(body), "kEy-of-the-provider", "the api_key")
	var session yotiface.Session
	require.NoError(t, json.Unmarshal(body, &session))
	type record struct {
		Session yotiface.Session
		Pointer *yotiface.Session
		Checks  []yotiface.Check
		Any     any
	}
	for name, marshal := range map[string]func(any) ([]byte, error){
		"encoding/json":    json.Marshal,
		"encoding/json/v2": func(v any) ([]byte, error) { return jsonv2.Marshal(v) },
	} {
		for what, v := range map[string]any{
			"a session": session, "a pointer": &session, "a struct": record{session, &session, session.Checks, session},
			"its checks": session.Checks, "a report": session.Checks[0].Report, "a slice": []yotiface.Session{session},
		} {
			encoded, err := marshal(v)
			require.NoError(t, err, "%s, %s", name, what)
			for _, secret := range []string{"client_session_token\"", "70ce0000", "api_key", "kEy-of-the-provider"} {
				assert.NotContains(t, string(encoded), secret, "%s, %s", name, what)
			}
			assert.Contains(t, string(encoded), `"client_ref":"hall-7"`, "%s, %s: what stands beside the key is kept", name, what)
		}
		encoded, err := marshal(session)
		require.NoError(t, err)
		var want, got map[string]any
		require.NoError(t, json.Unmarshal(body, &want))
		require.NoError(t, json.Unmarshal(encoded, &got))
		assert.Equal(t, want["identity_profile"], got["identity_profile"], name)
		assert.Equal(t, want["client_session_token_ttl"], got["client_session_token_ttl"], "%s: only the token itself is left out", name)
	}
	assert.Equal(t, "70ce0000-0000-4000-8000-000000000001", session.ClientSessionToken, "encoding does not change the session")

	for name, members := range map[string]string{
		"a new member":               `"api_key":"SECRET"`,
		"a new object":               `"novelty":{"api_key":"SECRET","client_session_token":"SECRET"}`,
		"a new list":                 `"novelty":[[{"deep":{"api_key":"SECRET"}}]]`,
		"a new member of a check":    `"checks":[{"id":"c","api_key":"SECRET"}]`,
		"a new object of a check":    `"checks":[{"id":"c","account":{"api_key":"SECRET"}}]`,
		"a new object of a resource": `"resources":{"palm_capture":[{"api_key":"SECRET"}]}`,
		"an escaped name":            `"novelty":{"api\u005fkey":"SECRET"}`,
	} {
		var session yotiface.Session
		require.NoError(t, json.Unmarshal([]byte(`{"session_id":"s",`+members+`}`), &session), name)
		encoded, err := json.Marshal(session)
		require.NoError(t, err, name)
		assert.NotContains(t, string(encoded), "SECRET", name)
	}
}

// Reading through an absent session yields zero values and never a panic.
func TestSessionAccessorsOfNothing(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*yotiface.Session{"nil": nil, "zero": {}} {
		assert.Empty(t, s.FamiliarFaceSearches(), name)
		assert.Equal(t, yotiface.OutcomeUndetermined, s.FaceSearchOutcome(), name)
		assert.Empty(t, s.ChecksOfType(yotiface.CheckTypeLiveness), name)
		check, ok := s.Check("c9f2b0c0-df4d-472a-93cb-3f93c7ad9196")
		assert.Nil(t, check, name)
		assert.False(t, ok, name)
		assert.Nil(t, s.RawJSON(), name)
	}
	var applicant *yotiface.Applicant
	assert.Nil(t, applicant.FaceIDs())
	id, ok := applicant.FaceID()
	assert.Empty(t, id)
	assert.False(t, ok)
}

// Checks are found by the ID that a notification names, and by type.
func TestSessionFindsChecks(t *testing.T) {
	t.Parallel()
	var session yotiface.Session
	require.NoError(t, json.Unmarshal(readFile(t, "session_completed.json"), &session))
	for _, test := range []struct {
		id      string
		found   yotiface.CheckType
		because string
	}{
		{"c9f2b0c0-df4d-472a-93cb-3f93c7ad9196", yotiface.CheckTypeFamiliarFaceSearch, "the ID"},
		{"C9F2B0C0-DF4D-472A-93CB-3F93C7AD9196", yotiface.CheckTypeFamiliarFaceSearch, "UUIDs are compared without regard to case"},
		{"b1e04326-6bba-4a4e-97c5-7191d60c17d9", yotiface.CheckTypeLiveness, "the other one"},
		{"c9f2b0c0-df4d-472a-93cb-3f93c7ad9197", "", "unknown"},
		{"", "", "an empty ID finds nothing, not even a check without one"},
	} {
		check, ok := session.Check(test.id)
		assert.Equal(t, test.found != "", ok, test.because)
		if ok {
			assert.Equal(t, test.found, check.Type, test.because)
		}
	}
	_, ok := (&yotiface.Session{Checks: []yotiface.Check{{}}}).Check("")
	assert.False(t, ok, "an empty ID finds nothing, not even a check without one")

	liveness := session.ChecksOfType(yotiface.CheckTypeLiveness)
	require.Len(t, liveness, 1)
	assert.Equal(t, "b1e04326-6bba-4a4e-97c5-7191d60c17d9", liveness[0].ID)
	assert.Empty(t, session.ChecksOfType("NOVELTY"))

	searches := session.FamiliarFaceSearches()
	require.Len(t, searches, 1)
	assert.Equal(t, "c9f2b0c0-df4d-472a-93cb-3f93c7ad9196", searches[0].ID)
	assert.Equal(t, yotiface.FamiliarFaceSearchConfig{
		PoolID: "a8b2e5de-a31f-4e82-b2ac-557a492fa88e", PoolLabel: "POOL EXAMPLE", ApprovalCriteria: yotiface.CriteriaNoMatch,
	}, searches[0].Config)
	searches[0].State = yotiface.CheckPending
	assert.Equal(t, yotiface.OutcomeRejected, session.FaceSearchOutcome(), "a change to a search does not change the session")
}

// How the answer was packed does not matter where the body is right, and is told where it is wrong.
func TestGetSessionOverHTTP(t *testing.T) {
	t.Parallel()
	body := readFile(t, "session_completed.json")
	for _, test := range []struct {
		name    string
		answer  http.HandlerFunc
		err     error // nil: the session is read
		tries   int
		because string
	}{
		{"no content type", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			_, _ = w.Write(body)
		}, nil, 1, "the body decides"},
		{"a wrong content type", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write(body)
		}, nil, 1, "the body decides"},
		{"a broken content type", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", ";;;")
			_, _ = w.Write(body)
		}, nil, 1, "the body decides"},
		{"201", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write(body)
		}, nil, 1, "2xx is success"},
		{"in pieces", func(w http.ResponseWriter, _ *http.Request) {
			for piece := range bytes.SplitSeq(body, []byte("\n")) {
				_, _ = w.Write(append(piece, '\n'))
				w.(http.Flusher).Flush()
			}
		}, nil, 1, "no length is declared"},
		{"gzip", func(w http.ResponseWriter, _ *http.Request) { readGzip(w, body) }, nil, 1, "net/http asks for it"},
		{"identity", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "identity")
			_, _ = w.Write(body)
		}, nil, 1, "not a compression"},
		{"gzip that is none", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(body)
		}, errReadAny, 3, "broken on the way, perhaps: tried again"},
		{"gzip cut off", func(w http.ResponseWriter, _ *http.Request) {
			packed := httptest.NewRecorder()
			readGzip(packed, body)
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed.Body.Bytes()[:packed.Body.Len()/2])
		}, io.ErrUnexpectedEOF, 3, "broken on the way, perhaps: tried again"},
		{"br", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			_, _ = w.Write(body)
		}, errReadDecode, 1, "not asked for, and nothing is guessed"},
		{"gzip twice", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip, gzip")
			_, _ = w.Write(body)
		}, errReadDecode, 1, "not asked for, and nothing is guessed"},
		{"nothing", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }, errReadDecode, 1, "200 with an empty body"},
		{"204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, yotiface.ErrNoContent, 1, "not a zero session"},
		{"a login page", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html><body>Please sign in</body></html>")
		}, errReadDecode, 1, "200 with HTML"},
		{"too short for its length", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			_, _ = w.Write(body[:len(body)-1])
			panic(http.ErrAbortHandler)
		}, io.ErrUnexpectedEOF, 3, "broken on the way: tried again"},
		{"whole, but too short for its length", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)+1))
			_, _ = w.Write(body)
			panic(http.ErrAbortHandler)
		}, io.ErrUnexpectedEOF, 3, "what was announced did not arrive"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server, tries := readServer(t, test.answer)
			got, err := server.GetSession(t.Context(), readSessionID)
			assert.EqualValues(t, test.tries, tries.Load(), test.because)
			if test.err == nil {
				require.NoError(t, err, test.because)
				assert.Equal(t, yotiface.OutcomeRejected, got.FaceSearchOutcome())
				return
			}
			assert.Nil(t, got, test.because)
			require.Error(t, err, test.because)
			var decodeErr *yotiface.DecodeError
			switch {
			case errors.Is(test.err, errReadDecode):
				require.ErrorAs(t, err, &decodeErr, test.because)
			case !errors.Is(test.err, errReadAny):
				require.ErrorIs(t, err, test.err, test.because)
			}
			readHarmless(t, err)
		})
	}
}

// A 204 may have bytes behind it by mistake; they are nobody's session.
func TestGetSessionReadsNoBodyOf204(t *testing.T) {
	t.Parallel()
	body := &readCounter{Reader: strings.NewReader(`{"session_id":"` + readSessionID + `"}`)}
	client := readClient(t, readTrip(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusNoContent, Header: http.Header{}, Body: body, ContentLength: -1, Request: req}, nil
	}))
	got, err := client.GetSession(t.Context(), readSessionID)
	assert.Nil(t, got)
	require.ErrorIs(t, err, yotiface.ErrNoContent)
	assert.True(t, body.closed.Load(), "closed on every path")
}

// Whatever stands behind a success that has nothing to say: it is a success, and the connection is for the next call.
func TestDeletionsIgnoreTheBody(t *testing.T) {
	t.Parallel()
	deletions := map[string]func(*yotiface.Client) error{
		"a session":    func(c *yotiface.Client) error { return c.DeleteSession(context.Background(), readSessionID) },
		"an applicant": func(c *yotiface.Client) error { return c.DeleteApplicant(context.Background(), readApplicantID) },
		"a face":       func(c *yotiface.Client) error { return c.DeleteFace(context.Background(), readApplicantID, readFaceID) },
		"media":        func(c *yotiface.Client) error { return c.DeleteMedia(context.Background(), readSessionID, "m") },
		"a pool":       func(c *yotiface.Client) error { return c.DeletePool(context.Background(), "p") },
		"a member of a pool": func(c *yotiface.Client) error {
			return c.RemoveApplicantFromPool(context.Background(), "p", readApplicantID)
		},
		"no member, but adds": func(c *yotiface.Client) error {
			return c.AddApplicantToPool(context.Background(), "p", readApplicantID)
		},
	}
	for _, test := range []struct {
		name   string
		status int
		body   string
		then   io.Reader
		most   int64 // bytes that are read
	}{
		{"204", http.StatusNoContent, "", http.NoBody, 0},
		{"204 with stray bytes", http.StatusNoContent, "stray", http.NoBody, 5},
		{"200 with JSON", http.StatusOK, `{"deleted":true}`, http.NoBody, 16},
		{"202 with HTML", http.StatusAccepted, "<html>", http.NoBody, 6},
		{"200 without an end", http.StatusOK, "", readSpaces{}, 1 << 20},
		{"200 that breaks", http.StatusOK, "{", iotest.ErrReader(io.ErrUnexpectedEOF), 1},
	} {
		for name, remove := range deletions {
			t.Run(name+", "+test.name, func(t *testing.T) {
				t.Parallel()
				body, tries := &readCounter{Reader: io.MultiReader(strings.NewReader(test.body), test.then)}, new(readCount)
				client := readClient(t, readTrip(func(req *http.Request) (*http.Response, error) {
					tries.Add(1)
					return &http.Response{StatusCode: test.status, Header: http.Header{}, Body: body, ContentLength: -1, Request: req}, nil
				}))
				require.NoError(t, remove(client))
				assert.EqualValues(t, 1, tries.Load())
				assert.True(t, body.closed.Load(), "closed on every path")
				assert.GreaterOrEqual(t, body.bytes.Load(), int64(len(test.body)), "drained, so that the connection can be used again")
				assert.LessOrEqual(t, body.bytes.Load(), test.most, "within reason")
			})
		}
	}
}

// A body that cannot be read is kept to look into, but not all of it, and not by reference.
func TestDecodeErrorKeepsPartOfTheBody(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(" ", 100_000)
	for name, body := range map[string]string{
		"no JSON":         long + "<html>",
		"another session": `{"session_id":"another"` + long + `}`,
	} {
		got, err := readClient(t, readAnswer(body)).GetSession(t.Context(), readSessionID)
		assert.Nil(t, got, name)
		var decodeErr *yotiface.DecodeError
		require.ErrorAs(t, err, &decodeErr, name)
		assert.Equal(t, body[:64<<10], string(decodeErr.Body), name)
	}
	given := []byte(`{"session_id":1}`)
	var decodeErr *yotiface.DecodeError
	require.ErrorAs(t, new(yotiface.Session).UnmarshalJSON(given), &decodeErr)
	clear(given)
	assert.Equal(t, `{"session_id":1}`, string(decodeErr.Body), "the caller's buffer was used again")
}

// Several goroutines may look at one session: nothing that only reads writes.
func TestSessionIsReadByManyAtOnce(t *testing.T) {
	t.Parallel()
	var session yotiface.Session
	require.NoError(t, json.Unmarshal(readFile(t, "session_every_object.json"), &session))
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for _, search := range session.FamiliarFaceSearches() {
				_, _ = search.ApprovalOutcome(), session.CapturedImages(search)
			}
			_, _ = session.FaceSearchOutcome(), session.RawJSON()
			_, _ = session.Check("c4ec0000-0000-4000-8000-000000000005")
			_ = session.ChecksOfType(yotiface.CheckTypeWatchlistAdvancedCA)[0].Report.WatchlistSummary.RawJSON()
			_, err := json.Marshal(&session)
			assert.NoError(t, err)
			assert.NotEmpty(t, fmt.Sprint(session))
		})
	}
	readers.Wait()
}

// An answer is read to its limit, and nothing is allocated by the header's word.
func TestGetSessionKeepsToTheLimit(t *testing.T) {
	t.Parallel()
	body := readFile(t, "session_completed.json")
	exactly := int64(len(body))
	send := func(declared bool) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if declared {
				w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			} else {
				w.(http.Flusher).Flush()
			}
			_, _ = w.Write(body)
		}
	}
	packed := func(w http.ResponseWriter, _ *http.Request) { readGzip(w, body) }
	for _, test := range []struct {
		name   string
		limit  int64
		answer http.HandlerFunc
		fits   bool
	}{
		{"exactly the limit, declared", exactly, send(true), true},
		{"exactly the limit, in chunks", exactly, send(false), true},
		{"exactly the limit, unpacked", exactly, packed, true},
		{"one byte more, declared", exactly - 1, send(true), false},
		{"one byte more, in chunks", exactly - 1, send(false), false},
		{"one byte more, unpacked", exactly - 1, packed, false},
		{"a limit of one byte", 1, send(false), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			client, tries := readServer(t, test.answer, yotiface.WithMaxResponseBytes(test.limit))
			got, err := client.GetSession(t.Context(), readSessionID)
			assert.EqualValues(t, 1, tries.Load(), "a larger answer does not shrink")
			if test.fits {
				require.NoError(t, err)
				assert.Equal(t, string(body), string(got.RawJSON()))
				return
			}
			assert.Nil(t, got)
			require.ErrorIs(t, err, yotiface.ErrResponseTooLarge)
			assert.Contains(t, err.Error(), "WithMaxResponseBytes", "what to do about it")
		})
	}
}

// The default limit is 32 MiB, for whatever is read.
func TestTheDefaultLimit(t *testing.T) {
	t.Parallel()
	const limit = 32 << 20
	client := func(size int64) *yotiface.Client {
		return readClient(t, readTrip(func(req *http.Request) (*http.Response, error) {
			body := io.NopCloser(io.LimitReader(readSpaces{}, size))
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body, ContentLength: -1, Request: req}, nil
		}))
	}
	media, err := client(limit).GetMedia(t.Context(), readSessionID, "m")
	require.NoError(t, err)
	assert.Len(t, media.Data, limit)
	media, err = client(limit+1).GetMedia(t.Context(), readSessionID, "m")
	require.ErrorIs(t, err, yotiface.ErrResponseTooLarge)
	assert.Nil(t, media)
	_, err = client(limit+1).GetSession(t.Context(), readSessionID)
	require.ErrorIs(t, err, yotiface.ErrResponseTooLarge)

	_, err = client(limit).DownloadMedia(t.Context(), readSessionID, "m", io.Discard)
	require.NoError(t, err)
	info, err := client(limit+1).DownloadMedia(t.Context(), readSessionID, "m", io.Discard)
	require.ErrorIs(t, err, yotiface.ErrResponseTooLarge, "the same limit")
	assert.EqualValues(t, limit, info.Size, "what was written")

	endless := io.MultiReader(strings.NewReader(`{"face":{"data":"/9j/`), readSame64{})
	face := readClient(t, readTrip(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(endless), ContentLength: -1, Request: req}, nil
	}))
	info, err = face.DownloadFace(t.Context(), readApplicantID, readFaceID, io.Discard)
	require.ErrorIs(t, err, yotiface.ErrResponseTooLarge, "the same limit")
	assert.Less(t, info.Size, int64(limit)/4*3+1, "what was written")
}

// A header that lies costs nothing: what it declares is neither read nor allocated.
func TestGetSessionDoesNotTrustTheDeclaredLength(t *testing.T) {
	t.Parallel()
	const tebibyte = 1 << 40
	for _, test := range []struct {
		name     string
		declared int64
		opts     []yotiface.Option
		refused  bool
	}{
		{"1 TiB over the default limit", tebibyte, nil, true},
		{"one byte over the default limit", 32<<20 + 1, nil, true},
		{"1 TiB under a limit of 2 TiB", tebibyte, []yotiface.Option{yotiface.WithMaxResponseBytes(2 * tebibyte)}, false},
		{"the default limit", 32 << 20, nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			body := &readCounter{Reader: bytes.NewReader(readFile(t, "session_completed.json"))}
			client := readClient(t, readTrip(func(req *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body, ContentLength: test.declared, Request: req}, nil
			}), test.opts...)
			got, err := client.GetSession(t.Context(), readSessionID)
			assert.True(t, body.closed.Load(), "closed on every path")
			if test.refused {
				assert.Nil(t, got)
				require.ErrorIs(t, err, yotiface.ErrResponseTooLarge)
				assert.Zero(t, body.reads.Load(), "not a byte is read")
				return
			}
			require.NoError(t, err, "it came, after all")
			assert.Equal(t, yotiface.SessionCompleted, got.State)
		})
	}
}

// 100 MiB out of 100 kB are refused at the limit, and cost what the limit costs.
func TestGetSessionOfABomb(t *testing.T) { //nolint:paralleltest // it counts the bytes that the process allocates
	packed := httptest.NewRecorder()
	readGzip(packed, bytes.Repeat([]byte(" "), 1<<20))
	bomb := bytes.Repeat(packed.Body.Bytes(), 100) // gzip may consist of several parts
	client, tries := readServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb)
	}, yotiface.WithMaxResponseBytes(1<<20))
	var err error
	allocated := readAllocated(func() { _, err = client.GetSession(t.Context(), readSessionID) })
	require.ErrorIs(t, err, yotiface.ErrResponseTooLarge)
	assert.EqualValues(t, 1, tries.Load(), "a bomb stays one")
	assert.Less(t, allocated, uint64(16<<20), "buffers that double, up to the limit")
}

// The cost of a session grows as the session does: a hundred thousand checks are read, and not in quadratic time.
func TestSessionWithManyChecks(t *testing.T) { //nolint:paralleltest // it counts the bytes that the process allocates
	body := func(n int) []byte {
		var b bytes.Buffer
		b.WriteString(`{"session_id":"` + readSessionID + `","state":"COMPLETED","checks":[`)
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			if i%100 == 99 {
				fmt.Fprintf(&b, `{"type":"FAMILIAR_FACE_SEARCH","id":"%d","state":"DONE","report":{"recommendation":{"value":"APPROVE"}},"config":{"pool_id":"p"}}`, i)
			} else {
				fmt.Fprintf(&b, `{"id":"%d"}`, i)
			}
		}
		b.WriteString(`]}`)
		return b.Bytes()
	}
	const few, many = 10_000, 100_000
	cost := func(n int) uint64 {
		b := body(n)
		require.Less(t, len(b), 32<<20, "within the limit")
		var session yotiface.Session
		return readAllocated(func() {
			require.NoError(t, session.UnmarshalJSON(b))
			assert.Equal(t, yotiface.OutcomeApproved, session.FaceSearchOutcome())
			last, ok := session.Check(fmt.Sprint(n - 1))
			assert.True(t, ok)
			assert.Len(t, session.FamiliarFaceSearches(), n/100)
			assert.Equal(t, yotiface.CheckDone, last.State)
		})
	}
	ten := float64(cost(many)) / float64(cost(few))
	assert.Less(t, ten, 20.0, "ten times the checks for ten times the memory, give or take how slices grow")
}

// Calls that fail leave nothing behind: no goroutine, and no connection that was not there.
func TestFailingCallsLeaveNothingBehind(t *testing.T) { //nolint:paralleltest // it counts the goroutines of the process
	const calls = 300
	before := goleak.IgnoreCurrent()
	conns := newReadConns()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch conns.requests.Add(1) % 6 {
		case 0:
			w.WriteHeader(http.StatusNotFound)
		case 1:
			_, _ = io.WriteString(w, "<html>")
		case 2:
			w.WriteHeader(http.StatusNoContent)
		case 3:
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write(make([]byte, 10<<10))
		case 4:
			_, _ = io.WriteString(w, `{"session_id":"another"}`)
		case 5:
			_, _ = io.WriteString(w, `null`)
		}
	}))
	server.Config.ConnState = conns.count
	server.Start()
	client := readNewClient(t, yotiface.WithBaseURL(server.URL+"/idverify/v1"), yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxAttempts: 1}))
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			for range calls / 4 {
				_, err := client.GetSession(context.Background(), readSessionID)
				assert.Error(t, err)
			}
		})
	}
	running.Wait()
	assert.LessOrEqual(t, conns.opened.Load(), int64(12), "4 callers and 300 calls: bodies that are read leave their connections to the next call")
	client.CloseIdleConnections()
	server.Close()
	goleak.VerifyNone(t, before)
}

// What the tests of decoding share. A name that begins with read is theirs.

const readSessionID = "7938ac1e-0a4a-49b7-953f-08cfa764358f"

// readWays are the ways by which a session is read. Each returns either a session or an error.
var readWays = []struct {
	name    string
	read    func(*testing.T, []byte) (*yotiface.Session, error)
	lenient bool // may refuse a body before the session sees it, or afterwards
}{
	{"GetSession", func(t *testing.T, body []byte) (*yotiface.Session, error) {
		t.Helper()
		var id struct {
			ID string `json:"session_id"`
		}
		if json.Unmarshal(body, &id) != nil || id.ID == "" {
			id.ID = readSessionID
		}
		return readClient(t, readAnswer(string(body))).GetSession(t.Context(), id.ID)
	}, false},
	{"UnmarshalJSON", func(_ *testing.T, body []byte) (*yotiface.Session, error) {
		return readInto(func(s *yotiface.Session) error { return s.UnmarshalJSON(body) })
	}, false},
	{"encoding/json", func(_ *testing.T, body []byte) (*yotiface.Session, error) {
		return readInto(func(s *yotiface.Session) error { return json.Unmarshal(body, s) })
	}, true},
	{"encoding/json/v2", func(_ *testing.T, body []byte) (*yotiface.Session, error) {
		return readInto(func(s *yotiface.Session) error { return jsonv2.Unmarshal(body, s) })
	}, true},
}

func readInto(unmarshal func(*yotiface.Session) error) (*yotiface.Session, error) {
	session := new(yotiface.Session)
	if err := unmarshal(session); err != nil {
		if !reflect.DeepEqual(*session, yotiface.Session{}) {
			return session, err // which the tests refuse
		}
		return nil, err
	}
	return session, nil
}

var (
	errReadAny    = errors.New("any error")
	errReadDecode = errors.New("a *DecodeError")
)

// readKeyPEM is one key for all tests.
var readKeyPEM = sync.OnceValue(func() []byte {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
})

const readSDKID = "b3c60000-0000-4000-8000-000000000b79"

// readNewClient makes a client that does not wait between attempts.
func readNewClient(tb testing.TB, opts ...yotiface.Option) *yotiface.Client {
	tb.Helper()
	hurry := yotiface.WithRetryPolicy(yotiface.RetryPolicy{MinBackoff: 1, MaxBackoff: 1})
	client, err := yotiface.NewClient(readSDKID, readKeyPEM(), append([]yotiface.Option{hurry}, opts...)...)
	require.NoError(tb, err)
	return client
}

// readClient is a client whose requests all go to a stub.
func readClient(tb testing.TB, rt http.RoundTripper, opts ...yotiface.Option) *yotiface.Client {
	tb.Helper()
	return readNewClient(tb, append([]yotiface.Option{
		yotiface.WithHTTPClient(&http.Client{Transport: rt}), yotiface.WithBaseURL("https://yoti.test/idverify/v1"),
	}, opts...)...)
}

// readAnswer answers every request with one body.
func readAnswer(body string) http.RoundTripper {
	mock := httpmock.NewMockTransport()
	mock.RegisterNoResponder(httpmock.NewStringResponder(http.StatusOK, body))
	return mock
}

// readTrip is a transport made of a function.
type readTrip func(*http.Request) (*http.Response, error)

func (f readTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// readServer starts a server, and makes a client of it that has the library's own transport.
func readServer(t *testing.T, handler http.HandlerFunc, opts ...yotiface.Option) (*yotiface.Client, *readCount) {
	t.Helper()
	requests := new(readCount)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	return readNewClient(t, append([]yotiface.Option{yotiface.WithBaseURL(server.URL + "/idverify/v1")}, opts...)...), requests
}

// readFile reads a file of testdata.
func readFile(tb testing.TB, name string) []byte {
	tb.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(tb, err)
	return body
}

// readTime is a time in the hour of the documented session.
func readTime(minute, second int) time.Time {
	return time.Date(2025, 6, 4, 8, minute, second, 0, time.UTC)
}

func readMedia(id string, kind yotiface.MediaType, at time.Time) yotiface.MediaHolder {
	return yotiface.MediaHolder{Media: yotiface.MediaRef{ID: id, Type: kind, Created: at, LastUpdated: at}}
}

// readSame compares the exported fields of two sessions, one by one: a session does not print what is in it.
func readSame(t *testing.T, want, got yotiface.Session) {
	t.Helper()
	w, g := reflect.ValueOf(want), reflect.ValueOf(got)
	for i, field := range reflect.VisibleFields(w.Type()) {
		if field.IsExported() {
			assert.Equal(t, w.Field(i).Interface(), g.Field(i).Interface(), field.Name)
		}
	}
}

// readHarmless asserts that the text of an error is one short line without anything that was received.
func readHarmless(t *testing.T, err error) {
	t.Helper()
	for _, text := range []string{err.Error(), fmt.Sprintf("%v %+v %q", err, err, err)} {
		assert.NotContains(t, text, "\n")
		assert.NotContains(t, strings.ToLower(text), readSessionID)
		for _, quoted := range []string{"APPROVE", "REJECT", "COMPLETED", "EXPIRED", "guest", "DONE", "7938", "0.68", "sign in", "Sign in", "upstream"} {
			assert.NotContains(t, text, quoted, "the text repeats what was received")
		}
	}
	assert.LessOrEqual(t, len(err.Error()), 500)
}

// readJSONLeaves counts the values of a JSON document.
func readJSONLeaves(into map[string]int, document any) (n int) {
	switch v := document.(type) {
	case map[string]any:
		for _, member := range v {
			n += readJSONLeaves(into, member)
		}
	case []any:
		for _, element := range v {
			n += readJSONLeaves(into, element)
		}
	default:
		into[fmt.Sprint(v)]++
		n = 1
	}
	return n
}

// readTypedLeaves counts the values in a Go value's exported fields, written as JSON writes them.
func readTypedLeaves(t *testing.T, into map[string]int, v reflect.Value) {
	t.Helper()
	raw := func(b []byte) {
		if len(b) > 0 {
			var document any
			require.NoError(t, json.Unmarshal(b, &document))
			readJSONLeaves(into, document)
		}
	}
	switch typed := v.Interface().(type) {
	case time.Time:
		into[typed.Format(time.RFC3339Nano)]++
		return
	case json.RawMessage:
		raw(typed)
		return
	case yotiface.WatchlistSummary:
		raw(typed.RawJSON())
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				readTypedLeaves(t, into, v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			readTypedLeaves(t, into, v.Index(i))
		}
	case reflect.String:
		into[v.String()]++
	case reflect.Int:
		into[fmt.Sprint(float64(v.Int()))]++ // as encoding/json reads a number
	default:
		t.Fatalf("a field of kind %s", v.Kind())
	}
}

// readAllocated returns how many bytes the process allocates while f runs.
func readAllocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// readGzip answers with a compressed body.
func readGzip(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Encoding", "gzip")
	packed := gzip.NewWriter(w)
	_, _ = packed.Write(body)
	_ = packed.Close()
}

// readSpaces is white space without an end.
type readSpaces struct{}

var readBlank = bytes.Repeat([]byte(" "), 32<<10)

func (readSpaces) Read(p []byte) (int, error) { return copy(p, readBlank), nil }

// readSame64 is base64 without an end.
type readSame64 struct{}

var readAs = bytes.Repeat([]byte("A"), 32<<10)

func (readSame64) Read(p []byte) (int, error) { return copy(p, readAs), nil }

// A readCount counts what several goroutines do.
type readCount = atomic.Int64

// A readCounter is a body that remembers whether it was read and closed.
type readCounter struct {
	io.Reader
	reads, bytes readCount
	closed       atomic.Bool
}

func (c *readCounter) Read(p []byte) (int, error) {
	c.reads.Add(1)
	n, err := c.Reader.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}

func (c *readCounter) Close() error {
	c.closed.Store(true)
	return nil
}

// readConns counts the connections that a server sees.
type readConns struct{ opened, requests readCount }

func newReadConns() *readConns { return new(readConns) }

func (c *readConns) count(_ net.Conn, state http.ConnState) {
	if state == http.StateNew {
		c.opened.Add(1)
	}
}
