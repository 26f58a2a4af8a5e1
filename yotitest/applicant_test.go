package yotitest_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface/yotitest"
)

var (
	pngBytes = []byte("\x89PNG\r\n\x1a\n…")
	gifBytes = []byte("GIF89a…")
)

// faceOf is the JSON of a face that consists of data.
func faceOf(data []byte) string {
	return `{"face":{"data":"` + base64.StdEncoding.EncodeToString(data) + `"}}`
}

// applicantJSON is an applicant as the server shows one.
type applicantJSON struct {
	ID    string
	Faces struct {
		ArchetypeFace string `json:"archetype_face"`
		Faces         []struct{ ID string }
	}
	Pools       []struct{ ID, Label string }
	CreatedAt   string `json:"created_at"`
	LastUpdated string `json:"last_updated"`
}

func getApplicant(tb testing.TB, server *yotitest.Server, id string) applicantJSON {
	tb.Helper()
	var a applicantJSON
	resp := get(tb, server, "/applicant/"+id)
	require.Equal(tb, http.StatusOK, resp.StatusCode)
	require.NoError(tb, json.Unmarshal(resp.body, &a))
	return a
}

func TestApplicantsAreCreated(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for name, test := range map[string]struct {
		body string
		face []byte
	}{
		"without a body":     {"", nil},
		"without a face":     {`{}`, nil},
		"with a null face":   {`{"face":null}`, nil},
		"with a face":        {faceOf(pngBytes), pngBytes},
		"with something new": {`{"mood":"good",` + faceOf(gifBytes)[1:], gifBytes},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var created applicantJSON
			start := time.Now().Truncate(time.Second)
			post(t, server, "/applicants", test.body, &created)
			at, err := time.Parse("2006-01-02T15:04:05Z", created.CreatedAt)
			require.NoError(t, err)
			assert.WithinRange(t, at, start, time.Now())
			assert.Equal(t, created.CreatedAt, created.LastUpdated)
			assert.NotNil(t, created.Pools)
			assert.NotNil(t, created.Faces.Faces)

			read := getApplicant(t, server, created.ID)
			assert.Empty(t, read.CreatedAt, "only the answer to the creation has it")
			assert.Equal(t, created.Faces, read.Faces)
			if test.face == nil {
				assert.Empty(t, created.Faces.ArchetypeFace)
				return
			}
			require.Len(t, read.Faces.Faces, 1)
			assert.Equal(t, read.Faces.ArchetypeFace, read.Faces.Faces[0].ID)
			face := get(t, server, "/applicant/"+created.ID+"/faces/"+read.Faces.ArchetypeFace)
			assert.JSONEq(t, fmt.Sprintf(`{"face":{"data":%q,"content_type":%q}}`,
				base64.StdEncoding.EncodeToString(test.face), http.DetectContentType(test.face)), string(face.body))
		})
	}
}

func TestFacesAreAdded(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	id := createID(t, server, "/applicants", "")
	mediaID := server.PutMedia("session", "image/gif; charset=binary", gifBytes)
	first := createID(t, server, "/applicants/"+id+"/faces", faceOf(pngBytes))
	second := createID(t, server, "/applicants/"+id+"/faces", `{"face":{"source":{"session_id":"session","media_id":"`+mediaID+`"}}}`)

	a := getApplicant(t, server, id)
	assert.Equal(t, first, a.Faces.ArchetypeFace)
	assert.Equal(t, []struct{ ID string }{{first}, {second}}, a.Faces.Faces)
	require.Equal(t, http.StatusNoContent, remove(t, server, "/sessions/session/media/"+mediaID+"/content"))
	face := get(t, server, "/applicant/"+id+"/faces/"+second)
	assert.JSONEq(t, `{"face":{"data":"R0lGODlh4oCm","content_type":"image/gif"}}`, string(face.body), "it is a copy")
}

func TestTheNextFaceTakesTheArchetypesPlace(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	id := server.PutApplicant(pngBytes, gifBytes, pngBytes)
	faces := getApplicant(t, server, id).Faces.Faces

	require.Equal(t, http.StatusNoContent, remove(t, server, "/applicants/"+id+"/faces/"+faces[1].ID))
	a := getApplicant(t, server, id)
	assert.Equal(t, faces[0].ID, a.Faces.ArchetypeFace, "another face has gone")
	require.Equal(t, http.StatusNoContent, remove(t, server, "/applicants/"+id+"/faces/"+faces[0].ID))
	a = getApplicant(t, server, id)
	assert.Equal(t, faces[2].ID, a.Faces.ArchetypeFace)
	assert.Len(t, a.Faces.Faces, 1)
	require.Equal(t, http.StatusNoContent, remove(t, server, "/applicants/"+id+"/faces/"+faces[2].ID))
	assert.JSONEq(t, `{"id":"`+id+`","faces":{"faces":[]},"pools":[]}`, string(get(t, server, "/applicant/"+id).body))
	assert.Equal(t, http.StatusNotFound, remove(t, server, "/applicants/"+id+"/faces/"+faces[2].ID))
}

func TestApplicantsTakeEverythingWithThem(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	id := server.PutApplicant(pngBytes)
	poolID := server.PutPool("staff", id)
	faceID := getApplicant(t, server, id).Faces.ArchetypeFace

	require.Equal(t, http.StatusNoContent, remove(t, server, "/applicants/"+id))
	for _, path := range []string{"/applicant/" + id, "/applicant/" + id + "/faces/" + faceID} {
		assert.Equal(t, http.StatusNotFound, get(t, server, path).StatusCode, path)
	}
	for _, path := range []string{"/applicants/" + id, "/applicants/" + id + "/faces/" + faceID, "/pools/" + poolID + "/applicants/" + id} {
		assert.Equal(t, http.StatusNotFound, remove(t, server, path), path)
	}
}

func TestPoolsAreListedByTheirMembers(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	id, other := server.PutApplicant(), server.PutApplicant()
	var staff, guests struct{ ID, Label string }
	post(t, server, "/pools", `{"label":"staff"}`, &staff)
	post(t, server, "/pools", `{"label":"guests"}`, &guests)
	assert.Equal(t, "staff", staff.Label)
	join := func(poolID string) int {
		return call(t, server, http.MethodPost, "/pools/"+poolID+"/applicants", `{"applicant_id":"`+id+`"}`).StatusCode
	}
	pools := func() string {
		var labels []string
		for _, p := range getApplicant(t, server, id).Pools {
			assert.Contains(t, []string{staff.ID, guests.ID}, p.ID)
			labels = append(labels, p.Label)
		}
		return strings.Join(labels, " ")
	}

	require.Equal(t, http.StatusNoContent, join(staff.ID))
	assert.Equal(t, "staff", pools())
	require.Equal(t, http.StatusNoContent, join(guests.ID))
	require.Equal(t, http.StatusNoContent, join(guests.ID), "once more")
	assert.Equal(t, "staff guests", pools())
	assert.Empty(t, getApplicant(t, server, other).Pools)

	membership := "/pools/" + staff.ID + "/applicants/" + id
	require.Equal(t, http.StatusNoContent, remove(t, server, membership))
	assert.Equal(t, http.StatusNotFound, remove(t, server, membership))
	assert.Equal(t, "guests", pools())

	require.Equal(t, http.StatusNoContent, remove(t, server, "/pools/"+guests.ID))
	assert.Equal(t, http.StatusNotFound, remove(t, server, "/pools/"+guests.ID))
	assert.Empty(t, pools(), "a pool takes its memberships with it, and leaves the applicants")
	assert.Equal(t, http.StatusNotFound, join(guests.ID))
}

func TestPutPoolKnowsItsApplicants(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	one, other := server.PutApplicant(), server.PutApplicant()
	poolID := server.PutPool("", one, other)
	for _, id := range []string{one, other} {
		assert.Equal(t, []struct{ ID, Label string }{{poolID, ""}}, getApplicant(t, server, id).Pools)
	}
	assert.PanicsWithValue(t, `yotitest: PutPool: there is no applicant "nobody"`, func() { server.PutPool("staff", "nobody") })
}

func TestDemoPoolsAreReal(t *testing.T) {
	t.Parallel()
	world := newDemo(t)
	const poolID, applicantID = "a8b2e5de-a31f-4e82-b2ac-557a492fa88e", "b1ac68ca-c692-449f-b6cc-1ee7c0d366ea"
	require.Equal(t, http.StatusNoContent, remove(t, world.Server, "/pools/"+poolID+"/applicants/"+applicantID))
	assert.Empty(t, getApplicant(t, world.Server, applicantID).Pools)
	require.Equal(t, http.StatusNoContent, remove(t, world.Server, "/pools/"+poolID))
}

func TestWritingIsPluralHoweverReadingIs(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]yotitest.Option{
		"singular": nil,
		"plural":   {yotitest.WithPluralRoutes()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(t, opts...)
			id := createID(t, server, "/applicants", "")
			faceID := createID(t, server, "/applicants/"+id+"/faces", faceOf(pngBytes))
			assert.Equal(t, http.StatusMethodNotAllowed, remove(t, server, "/applicant/"+id+"/faces/"+faceID))
			assert.Equal(t, http.StatusMethodNotAllowed, remove(t, server, "/applicant/"+id))
			assert.Equal(t, http.StatusNotFound, call(t, server, http.MethodPost, "/applicant", "").StatusCode)
			assert.Equal(t, http.StatusNotFound, call(t, server, http.MethodPost, "/applicant/"+id+"/faces", faceOf(pngBytes)).StatusCode)
			assert.Equal(t, http.StatusNoContent, remove(t, server, "/applicants/"+id+"/faces/"+faceID))
			assert.Equal(t, http.StatusNoContent, remove(t, server, "/applicants/"+id))
		})
	}
}

// TestPayloadsThatAreRefused has a path "{applicant}" and "{pool}" for those that
// exist.
func TestPayloadsThatAreRefused(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	applicantID := server.PutApplicant()
	ids := strings.NewReplacer("{applicant}", applicantID, "{pool}", server.PutPool("staff"))
	mediaID := server.PutMedia("session", "image/jpeg", []byte("not one"))
	withheld := server.PutMedia("session", "image/jpeg", nil)
	const faces = "/applicants/{applicant}/faces"
	source := func(sessionID, mediaID string) string {
		return fmt.Sprintf(`{"face":{"source":{"session_id":%q,"media_id":%q}}}`, sessionID, mediaID)
	}
	for name, test := range map[string]struct {
		path, body string
		status     int
		code       string // or the property that is complained about
	}{
		"no JSON":                  {"/pools", `{"label":`, 400, "MALFORMED_REQUEST"},
		"a trailing comma":         {"/pools", `{"label":"staff",}`, 400, "MALFORMED_REQUEST"},
		"something behind it":      {"/pools", `{"label":"staff"}{}`, 400, "MALFORMED_REQUEST"},
		"a list":                   {"/pools", `[]`, 400, "MALFORMED_REQUEST"},
		"null":                     {"/applicants", `null`, 400, "MALFORMED_REQUEST"},
		"nothing":                  {"/pools", ``, 400, "MALFORMED_REQUEST"},
		"a name that occurs twice": {"/pools", `{"label":"a","label":"b"}`, 400, "MALFORMED_REQUEST"},

		"no label":       {"/pools", `{}`, 400, "label"},
		"an empty label": {"/pools", `{"label":""}`, 400, "label"},
		"a label of 1":   {"/pools", `{"label":1}`, 400, "label"},

		"no applicant":       {"/pools/{pool}/applicants", `{}`, 400, "applicant_id"},
		"a list of them":     {"/pools/{pool}/applicants", `{"applicant_id":[]}`, 400, "applicant_id"},
		"an unknown one":     {"/pools/{pool}/applicants", `{"applicant_id":"nobody"}`, 404, "NOT_FOUND"},
		"an unknown pool":    {"/pools/nowhere/applicants", `{"applicant_id":"{applicant}"}`, 404, "NOT_FOUND"},
		"nobody and nowhere": {"/pools/nowhere/applicants", `{}`, 400, "applicant_id"},

		"created without data":    {"/applicants", `{"face":{}}`, 400, "face"},
		"created from a session":  {"/applicants", source("session", mediaID), 400, "face"},
		"created of a string":     {"/applicants", `{"face":"data"}`, 400, "face"},
		"created of text":         {"/applicants", faceOf([]byte("text")), 422, "UNPROCESSABLE_ENTITY"},
		"created of nothing":      {"/applicants", faceOf(nil), 400, "face.data"},
		"base64 for URLs":         {"/applicants", `{"face":{"data":"_-8="}}`, 400, "face.data"},
		"base64 without padding":  {"/applicants", `{"face":{"data":"R0lGODlh4oC"}}`, 400, "face.data"},
		"base64 with stray bits":  {"/applicants", `{"face":{"data":"R0lGODlh4oB="}}`, 400, "face.data"},
		"base64 with line breaks": {"/applicants", `{"face":{"data":"R0lG\nODlh4oCm"}}`, 400, "face.data"},
		"a data URL":              {"/applicants", `{"face":{"data":"data:image/gif;base64,R0lGODlh4oCm"}}`, 400, "face.data"},

		"added without a face":           {faces, `{}`, 400, "face"},
		"added without a body":           {faces, ``, 400, "MALFORMED_REQUEST"},
		"added without data":             {faces, `{"face":{"data":null}}`, 400, "face"},
		"added from both":                {faces, `{"face":{"data":"R0lGODlh4oCm","source":{}}}`, 400, "face"},
		"added from nowhere":             {faces, `{"face":{"source":{}}}`, 400, "face.source"},
		"added from a session alone":     {faces, source("session", ""), 400, "face.source"},
		"added from media alone":         {faces, source("", mediaID), 400, "face.source"},
		"added from an unknown session":  {faces, source("other", mediaID), 404, "NOT_FOUND"},
		"added from unknown media":       {faces, source("session", "other"), 404, "NOT_FOUND"},
		"added from media of no image":   {faces, source("session", mediaID), 422, "UNPROCESSABLE_ENTITY"},
		"added from withheld media":      {faces, source("session", withheld), 422, "UNPROCESSABLE_ENTITY"},
		"added of a PDF":                 {faces, faceOf([]byte("%PDF-1.7")), 422, "UNPROCESSABLE_ENTITY"},
		"added to nobody":                {"/applicants/nobody/faces", faceOf(pngBytes), 404, "NOT_FOUND"},
		"added of a number":              {faces, `{"face":{"data":1}}`, 400, "face.data"},
		"added from a session of number": {faces, `{"face":{"source":{"session_id":1}}}`, 400, "face.source.session_id"},
	} {
		resp := call(t, server, http.MethodPost, ids.Replace(test.path), ids.Replace(test.body))
		assert.Equal(t, test.status, resp.StatusCode, name)
		if strings.ToUpper(test.code) == test.code {
			assert.Equal(t, test.code, resp.code(t), name)
		} else {
			assert.Equal(t, []string{test.code}, resp.properties(t), name)
		}
	}
	assert.Empty(t, getApplicant(t, server, applicantID).Faces.Faces)
	assert.Empty(t, getApplicant(t, server, applicantID).Pools)
}

func TestABodyHasToBeDeclaredAsJSON(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "nonsense; ="} {
		r := newCall(t.Context(), t, server, http.MethodPost, "/pools", `{"label":"staff"}`)
		r.Header.Set("Content-Type", contentType)
		assert.Equal(t, "MALFORMED_REQUEST", send(t, server, r).code(t), contentType)
	}
	r := newCall(t.Context(), t, server, http.MethodPost, "/pools", `{"label":"staff"}`)
	r.Header.Set("Content-Type", "Application/JSON; charset=utf-8")
	assert.Equal(t, http.StatusCreated, send(t, server, r).StatusCode)
}

func TestUnknownIDsCannotBeDeleted(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	id := server.PutApplicant(pngBytes)
	poolID := server.PutPool("staff")
	for _, path := range []string{
		"/sessions/nowhere",
		"/sessions/nowhere/media/nothing/content",
		"/applicants/nobody",
		"/applicants/nobody/faces/none",
		"/applicants/" + id + "/faces/none",
		"/pools/nowhere",
		"/pools/nowhere/applicants/" + id,
		"/pools/" + poolID + "/applicants/nobody",
		"/pools/" + poolID + "/applicants/" + id,
	} {
		resp := call(t, server, http.MethodDelete, path, "")
		assert.Equal(t, http.StatusNotFound, resp.StatusCode, path)
		assert.Equal(t, "NOT_FOUND", resp.code(t), path)
	}
}

func TestEverybodyMayWriteAtOnce(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	shared := server.PutApplicant(pngBytes)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			poolID := createID(t, server, "/pools", `{"label":"staff"}`)
			id := createID(t, server, "/applicants", faceOf(pngBytes))
			for _, member := range []string{id, shared} {
				call(t, server, http.MethodPost, "/pools/"+poolID+"/applicants", `{"applicant_id":"`+member+`"}`)
			}
			faceID := createID(t, server, "/applicants/"+shared+"/faces", faceOf(gifBytes))
			assert.Equal(t, http.StatusNoContent, remove(t, server, "/applicants/"+shared+"/faces/"+faceID))
			assert.Equal(t, http.StatusNoContent, remove(t, server, "/pools/"+poolID))
			assert.Equal(t, http.StatusNoContent, remove(t, server, "/applicants/"+id))
		})
	}
	wg.Wait()
	a := getApplicant(t, server, shared)
	assert.Len(t, a.Faces.Faces, 1)
	assert.Empty(t, a.Pools)
}
