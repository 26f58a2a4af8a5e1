package yotiface_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
)

// A source is an object, and on share codes a string has been seen.
func TestSourceDecodesFromBoth(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		received string
		want     yotiface.SourceType
		err      bool
		because  string
	}{
		{`{"type":"END_USER"}`, yotiface.SourceTypeEndUser, false, "as documented"},
		{`"END_USER"`, yotiface.SourceTypeEndUser, false, "as one SDK takes it"},
		{`{"type":"RELYING_BUSINESS","note":[1]}`, yotiface.SourceTypeRelyingBusiness, false, "unknown members pass"},
		{`"ROBOT"`, "ROBOT", false, "unknown values are kept"},
		{`"\u0049BV"`, yotiface.SourceTypeIBV, false, "a string is a JSON string"},
		{`""`, "", false, "empty"},
		{`{}`, "", false, "absent"},
		{`null`, "", false, "absent"},
		{`{"type":null}`, "", false, "absent"},
		{`7`, "", true, "neither"},
		{`true`, "", true, "neither"},
		{`["END_USER"]`, "", true, "neither"},
		{`{"type":7}`, "", true, "neither"},
	} {
		t.Run(test.received, func(t *testing.T) {
			t.Parallel()
			for _, pkg := range readPackages {
				var resource yotiface.Resource
				err := pkg.unmarshal([]byte(`{"id":"r","source":`+test.received+`}`), &resource)
				if test.err {
					require.Error(t, err, "%s: %s", pkg.name, test.because)
					continue
				}
				require.NoError(t, err, "%s: %s", pkg.name, test.because)
				assert.Equal(t, yotiface.Resource{ID: "r", Source: yotiface.Source{Type: test.want}}, resource, "%s: %s", pkg.name, test.because)
			}
		})
	}
}

// The reason of a task's recommendation is an object; that of a check is a string, and might be here too.
func TestTaskReasonDecodesFromBoth(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		received string
		want     yotiface.TaskReason
		err      bool
		because  string
	}{
		{`{"value":"QUALITY","detail":"NO_DOCUMENT"}`, yotiface.TaskReason{Value: "QUALITY", Detail: "NO_DOCUMENT"}, false, "as one SDK takes it"},
		{`{"value":"USER_ERROR"}`, yotiface.TaskReason{Value: "USER_ERROR"}, false, "without a detail"},
		{`"QUALITY"`, yotiface.TaskReason{Value: "QUALITY"}, false, "as on a check"},
		{`null`, yotiface.TaskReason{}, false, "absent"},
		{`{}`, yotiface.TaskReason{}, false, "absent"},
		{`1`, yotiface.TaskReason{}, true, "neither"},
		{`[]`, yotiface.TaskReason{}, true, "neither"},
		{`{"value":1}`, yotiface.TaskReason{}, true, "neither"},
	} {
		t.Run(test.received, func(t *testing.T) {
			t.Parallel()
			for _, pkg := range readPackages {
				var task yotiface.Task
				err := pkg.unmarshal([]byte(`{"id":"t","recommendation":{"value":"MUST_TRY_AGAIN","reason":`+test.received+`}}`), &task)
				if test.err {
					require.Error(t, err, "%s: %s", pkg.name, test.because)
					continue
				}
				require.NoError(t, err, "%s: %s", pkg.name, test.because)
				assert.Equal(t, yotiface.TaskRecommendation{Value: "MUST_TRY_AGAIN", Reason: test.want}, task.Recommendation, "%s: %s", pkg.name, test.because)
			}
		})
	}
}

// The lists of resources are read whatever stands in them, and written as they were read.
func TestResourcesOfOddShapes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, received string
		want           yotiface.Resources
		written        string
		because        string
	}{
		{"absent", `{}`, yotiface.Resources{}, `{}`, "examples omit some"},
		{"null", `null`, yotiface.Resources{}, `{}`, "absent"},
		{"null lists", `{"id_documents":null,"face_capture":null}`, yotiface.Resources{}, `{}`, "absent"},
		{
			"empty lists", `{"id_documents":[],"share_codes":[]}`,
			yotiface.Resources{IDDocuments: []yotiface.IDDocument{}, ShareCodes: []yotiface.ShareCode{}},
			`{"id_documents":[],"share_codes":[]}`, "empty is not absent",
		},
		{"a null entry", `{"liveness_capture":[null]}`, yotiface.Resources{LivenessCaptures: []yotiface.LivenessCapture{{}}}, `{"liveness_capture":[{"id":""}]}`, "no panic"},
		{
			"a capture of both kinds", `{"liveness_capture":[{"id":"l","liveness_type":"HOLOGRAM","image":{"media":{"id":"i"}},"facemap":{"media":{"id":"f","type":"IMAGE"}},"frames":[{},{"media":{"id":"x"}}]}]}`,
			yotiface.Resources{LivenessCaptures: []yotiface.LivenessCapture{{
				Resource:     yotiface.Resource{ID: "l"},
				LivenessType: "HOLOGRAM",
				Image:        yotiface.MediaHolder{Media: yotiface.MediaRef{ID: "i"}},
				FaceMap:      yotiface.MediaHolder{Media: yotiface.MediaRef{ID: "f", Type: yotiface.MediaTypeImage}},
				Frames:       []yotiface.MediaHolder{{}, {Media: yotiface.MediaRef{ID: "x"}}},
			}}},
			`{"liveness_capture":[{"id":"l","liveness_type":"HOLOGRAM","image":{"media":{"id":"i"}},"facemap":{"media":{"id":"f","type":"IMAGE"}},"frames":[{},{"media":{"id":"x"}}]}]}`,
			"all fields are read whatever the type says",
		},
		{
			"a profile", `{"applicant_profiles":[{"id":"p","media":{"id":"m","type":"JSON"}}]}`,
			yotiface.Resources{ApplicantProfiles: []yotiface.ApplicantProfile{{Resource: yotiface.Resource{ID: "p"}, Media: yotiface.MediaRef{ID: "m", Type: yotiface.MediaTypeJSON}}}},
			`{"applicant_profiles":[{"id":"p","media":{"id":"m","type":"JSON"}}]}`, "its media stands directly in it",
		},
		{
			"a source as a string", `{"share_codes":[{"id":"s","source":"END_USER"}]}`,
			yotiface.Resources{ShareCodes: []yotiface.ShareCode{{Resource: yotiface.Resource{ID: "s", Source: yotiface.Source{Type: yotiface.SourceTypeEndUser}}}}},
			`{"share_codes":[{"id":"s","source":{"type":"END_USER"}}]}`, "written as documented elsewhere; RawJSON has the string",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, pkg := range readPackages {
				var got yotiface.Resources
				require.NoError(t, pkg.unmarshal([]byte(test.received), &got), "%s: %s", pkg.name, test.because)
				assert.Equal(t, test.want, got, "%s: %s", pkg.name, test.because)
				written, err := pkg.marshal(got)
				require.NoError(t, err, pkg.name)
				assert.JSONEq(t, test.written, string(written), "%s: %s", pkg.name, test.because)
			}
		})
	}
}

// Who was captured: the image to show beside the face that matched.
func TestCapturedImages(t *testing.T) {
	t.Parallel()
	var documented, every yotiface.Session
	require.NoError(t, json.Unmarshal(readFile(t, "session_completed.json"), &documented))
	require.NoError(t, json.Unmarshal(readFile(t, "session_every_object.json"), &every))
	used := func(ids ...string) *yotiface.FamiliarFaceSearch {
		return &yotiface.FamiliarFaceSearch{Check: yotiface.Check{ResourcesUsed: ids}}
	}
	for _, test := range []struct {
		name    string
		session *yotiface.Session
		search  *yotiface.FamiliarFaceSearch
		want    []string
		because string
	}{
		{"the documented session", &documented, documented.FamiliarFaceSearches()[0], []string{"d12ad6f6-2d1e-4b0d-9650-a153478c7d6e"}, "the liveness image"},
		{"in capitals", &documented, used("E3D4CE28-4291-4DD4-A650-33FD5C3B0E0F"), []string{"d12ad6f6-2d1e-4b0d-9650-a153478c7d6e"}, "UUIDs are compared without regard to case"},
		{
			"a ZOOM capture", &every, used("11fe0000-0000-4000-8000-000000000001"),
			[]string{"3ed1a000-0000-4000-8000-00000000000c", "3ed1a000-0000-4000-8000-00000000000d", "3ed1a000-0000-4000-8000-00000000000e"},
			"frames stand for it, without the empty ones",
		},
		{
			"several captures", &every, used("face0000-0000-4000-8000-000000000001", "11fe0000-0000-4000-8000-000000000002"),
			[]string{"3ed1a000-0000-4000-8000-000000000010", "3ed1a000-0000-4000-8000-00000000000f"},
			"in the order of ResourcesUsed",
		},
		{"a document", &every, used("d0c00000-0000-4000-8000-000000000001"), nil, "a photo in a document is not who was captured"},
		{"an unknown resource", &every, used("ffffffff-0000-4000-8000-000000000001"), nil, "not listed"},
		{"an empty ID", &yotiface.Session{Resources: yotiface.Resources{FaceCaptures: []yotiface.FaceCapture{{}}}}, used(""), nil, "nothing has it"},
		{"no resources used", &every, used(), nil, "nothing"},
		{"no search", &every, nil, nil, "nothing"},
		{"no session", nil, used("x"), nil, "nothing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, media := range test.session.CapturedImages(test.search) {
				got = append(got, media.ID)
			}
			assert.Equal(t, test.want, got, test.because)
		})
	}
}
