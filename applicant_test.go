package yotiface_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
)

const (
	readApplicantID = "db59ddde-ca99-48aa-ac77-e59be74fc0d1"
	readFaceID      = "8b9c3ea5-ebd4-436b-836d-ba8dbc80b57e"
)

func TestGetApplicantReadsEveryField(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, body string
		want       yotiface.Applicant
		because    string
	}{
		{
			"as the documentation reads it", string(readFile(t, "applicant.json")),
			yotiface.Applicant{
				ID:    "db59ddde-ca99-48aa-ac77-e59be74fc0d1",
				Faces: yotiface.ApplicantFaces{ArchetypeFaceID: "8b9c3ea5-ebd4-436b-836d-ba8dbc80b57e", Faces: []yotiface.FaceRef{}},
				Pools: []yotiface.Pool{{ID: "3fa85f64-5717-4562-b3fc-2c963f66afa6", Label: "Test Pool2"}},
			},
			"no times",
		},
		{
			"as the documentation creates it",
			`{"id":"db59ddde-ca99-48aa-ac77-e59be74fc0d1","created_at":"2026-02-03T10:58:32.627Z","last_updated":"2026-02-03T10:58:33Z","faces":{"faces":[]},"pools":[]}`,
			yotiface.Applicant{
				ID:          "db59ddde-ca99-48aa-ac77-e59be74fc0d1",
				Faces:       yotiface.ApplicantFaces{Faces: []yotiface.FaceRef{}},
				Pools:       []yotiface.Pool{},
				Created:     time.Date(2026, 2, 3, 10, 58, 32, 627e6, time.UTC),
				LastUpdated: time.Date(2026, 2, 3, 10, 58, 33, 0, time.UTC),
			},
			"no archetype face",
		},
		{"the ID alone", `{"id":"db59ddde-ca99-48aa-ac77-e59be74fc0d1"}`, yotiface.Applicant{ID: "db59ddde-ca99-48aa-ac77-e59be74fc0d1"}, "all else is optional"},
		{"the ID in capitals", `{"id":"DB59DDDE-CA99-48AA-AC77-E59BE74FC0D1"}`, yotiface.Applicant{ID: "DB59DDDE-CA99-48AA-AC77-E59BE74FC0D1"}, "UUIDs are compared without regard to case"},
		{"null for all else", `{"id":"db59ddde-ca99-48aa-ac77-e59be74fc0d1","faces":null,"pools":null,"created_at":null}`, yotiface.Applicant{ID: "db59ddde-ca99-48aa-ac77-e59be74fc0d1"}, "absent and null are the same"},
		{"no times", `{"id":"db59ddde-ca99-48aa-ac77-e59be74fc0d1","created_at":"yesterday","last_updated":""}`, yotiface.Applicant{ID: "db59ddde-ca99-48aa-ac77-e59be74fc0d1"}, "a string that is no time costs itself and nothing else"},
		{"unknown members", `{"id":"db59ddde-ca99-48aa-ac77-e59be74fc0d1","ID":"x","mood":{"good":[true]}}`, yotiface.Applicant{ID: "db59ddde-ca99-48aa-ac77-e59be74fc0d1"}, "names are case-sensitive"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := readClient(t, readAnswer(test.body)).GetApplicant(t.Context(), readApplicantID)
			require.NoError(t, err, test.because)
			assert.Equal(t, test.want, *got, test.because)
		})
	}
}

// The documentation shows no element of the list of faces, so both forms that it may have are read.
func TestFaceRefDecodesFromBoth(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, faces string
		want        []yotiface.FaceRef
		ids         []string
		err         bool
		because     string
	}{
		{"strings", `["a","b"]`, []yotiface.FaceRef{{ID: "a"}, {ID: "b"}}, []string{"a", "b"}, false, "IDs"},
		{"objects", `[{"id":"a"},{"id":"b","content_type":"image/png"}]`, []yotiface.FaceRef{{ID: "a"}, {ID: "b"}}, []string{"a", "b"}, false, "unknown members pass"},
		{"mixed", `["a",{"id":"b"}]`, []yotiface.FaceRef{{ID: "a"}, {ID: "b"}}, []string{"a", "b"}, false, "each element by itself"},
		{"null among them", `[null,"a",null]`, []yotiface.FaceRef{{}, {ID: "a"}, {}}, []string{"a"}, false, "no panic, and no face"},
		{"without an ID", `[{},{"name":"x"},""]`, []yotiface.FaceRef{{}, {}, {}}, nil, false, "no face"},
		{"null", `null`, nil, nil, false, "absent"},
		{"empty", `[]`, []yotiface.FaceRef{}, nil, false, "an applicant without a face"},
		{"escapes", `["\u0061"]`, []yotiface.FaceRef{{ID: "a"}}, []string{"a"}, false, "a string is a JSON string"},
		{"numbers", `[1]`, nil, nil, true, "neither"},
		{"arrays", `[["a"]]`, nil, nil, true, "neither"},
		{"an object for the list", `{"a":{}}`, nil, nil, true, "no list"},
		{"a number for an ID", `[{"id":1}]`, nil, nil, true, "neither"},
		{"an ID twice", `[{"id":"a","id":"b"}]`, nil, nil, true, "which of them?"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			body := `{"id":"` + readApplicantID + `","faces":{"faces":` + test.faces + `}}`
			got, err := readClient(t, readAnswer(body)).GetApplicant(t.Context(), readApplicantID)
			if test.err {
				var decodeErr *yotiface.DecodeError
				require.ErrorAs(t, err, &decodeErr, test.because)
				assert.Nil(t, got)
				assert.True(t, strings.HasPrefix(decodeErr.Path, "/faces/faces"), decodeErr.Path)
				return
			}
			require.NoError(t, err, test.because)
			assert.Equal(t, test.want, got.Faces.Faces, test.because)
			assert.Equal(t, test.ids, got.FaceIDs(), test.because)
			for _, pkg := range readPackages {
				var applicant yotiface.Applicant
				require.NoError(t, pkg.unmarshal([]byte(body), &applicant), pkg.name)
				assert.Equal(t, test.want, applicant.Faces.Faces, "%s: %s", pkg.name, test.because)
			}
		})
	}
}

// The face to show is the archetype face, or else the first one listed; each face is listed once.
func TestApplicantFaceIDs(t *testing.T) {
	t.Parallel()
	refs := func(ids ...string) (refs []yotiface.FaceRef) {
		for _, id := range ids {
			refs = append(refs, yotiface.FaceRef{ID: id})
		}
		return refs
	}
	for _, test := range []struct {
		name  string
		faces yotiface.ApplicantFaces
		want  []string
	}{
		{"none", yotiface.ApplicantFaces{}, nil},
		{"the archetype alone", yotiface.ApplicantFaces{ArchetypeFaceID: "a"}, []string{"a"}},
		{"a list alone", yotiface.ApplicantFaces{Faces: refs("b", "c")}, []string{"b", "c"}},
		{"the archetype first", yotiface.ApplicantFaces{ArchetypeFaceID: "a", Faces: refs("b", "c")}, []string{"a", "b", "c"}},
		{"the archetype repeated", yotiface.ApplicantFaces{ArchetypeFaceID: "a", Faces: refs("b", "a", "c")}, []string{"a", "b", "c"}},
		{"the archetype repeated in capitals", yotiface.ApplicantFaces{ArchetypeFaceID: "abc", Faces: refs("b", "ABC")}, []string{"abc", "b"}},
		{"faces repeated", yotiface.ApplicantFaces{Faces: refs("b", "c", "b", "B")}, []string{"b", "c"}},
		{"empty ones among them", yotiface.ApplicantFaces{Faces: refs("", "b", "")}, []string{"b"}},
		{"hostile ones", yotiface.ApplicantFaces{Faces: refs("../x")}, []string{"../x"}}, // kept as received, refused when used
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			applicant := &yotiface.Applicant{Faces: test.faces}
			assert.Equal(t, test.want, applicant.FaceIDs())
			id, ok := applicant.FaceID()
			assert.Equal(t, len(test.want) > 0, ok)
			if ok {
				assert.Equal(t, test.want[0], id)
			} else {
				assert.Empty(t, id)
			}
		})
	}
	many := yotiface.ApplicantFaces{Faces: refs("b", "c", "d")}
	applicant := &yotiface.Applicant{Faces: many}
	applicant.FaceIDs()[0] = "x"
	assert.Equal(t, refs("b", "c", "d"), applicant.Faces.Faces, "a change to what it returns does not change the applicant")
}

// Whatever is not this applicant is refused whole.
func TestGetApplicantRefusesWhatIsNotTheApplicant(t *testing.T) {
	t.Parallel()
	const ok = `{"id":"` + readApplicantID + `"`
	for _, test := range []struct{ name, body, path, because string }{
		{"another applicant", `{"id":"db59ddde-ca99-48aa-ac77-e59be74fc0d2","faces":{"archetype_face":"x"}}`, "/id", "the wrong person's face is the worst answer"},
		{"no ID", `{"faces":{}}`, "/id", "whose face?"},
		{"an empty object", `{}`, "/id", "whose face?"},
		{"an empty ID", `{"id":""}`, "/id", "whose face?"},
		{"the name in capitals", `{"ID":"` + readApplicantID + `"}`, "/id", "names are case-sensitive"},
		{"the ID twice", ok + `,"id":"x"}`, "/id", "which of them?"},
		{"an archetype face twice", ok + `,"faces":{"archetype_face":"a","archetype_face":"b"}}`, "/faces/archetype_face", "which of them?"},
		{"an archetype face as an object", ok + `,"faces":{"archetype_face":{"id":"a"}}}`, "/faces/archetype_face", "documented as a string"},
		{"faces as a list", ok + `,"faces":["a"]}`, "/faces", "documented as an object"},
		{"a pool as a string", ok + `,"pools":["a"]}`, "/pools/0", "documented as an object"},
		{"a time as a number", ok + `,"created_at":1}`, "/created_at", "only strings are forgiven"},
		{"invalid UTF-8", ok + `,"pools":[{"label":"` + "\xff" + `"}]}`, "/pools/0/label", "not JSON"},
		{"null", `null`, "", "a JSON package makes a zero applicant of it"},
		{"a list of applicants", `[` + ok + `}]`, "", "one was asked for"},
		{"something behind it", ok + `} {}`, "", "not one value"},
		{"nothing", ``, "", "200 without a body"},
		{"HTML", `<html>`, "", "a login page"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := readClient(t, readAnswer(test.body)).GetApplicant(t.Context(), readApplicantID)
			assert.Nil(t, got, test.because)
			var decodeErr *yotiface.DecodeError
			require.ErrorAs(t, err, &decodeErr, test.because)
			if test.path != "" {
				assert.Equal(t, test.path, decodeErr.Path)
			}
			assert.Equal(t, "/applicant/{applicant_id}", decodeErr.Endpoint)
			assert.Equal(t, test.body, string(decodeErr.Body))
			assert.NotContains(t, err.Error(), readApplicantID)
		})
	}
}

// A readService answers by the path below the base URL, and remembers what it was asked.
type readService struct {
	answer func(path string) (status int, body string)

	mu    sync.Mutex
	asked []string
}

func (s *readService) RoundTrip(req *http.Request) (*http.Response, error) {
	path := strings.TrimPrefix(req.URL.Path, "/idverify/v1")
	s.mu.Lock()
	s.asked = append(s.asked, path)
	s.mu.Unlock()
	return httpmock.NewStringResponse(s.answer(path)), nil
}

// take returns what was asked since it was called last.
func (s *readService) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

const (
	readApplicantBody = `{"id":"` + readApplicantID + `","faces":{"archetype_face":"` + readFaceID + `"}}`
	readFaceBody      = `{"face":{"data":"/9j/4AAQ"}}`

	readSingularApplicant = "/applicant/" + readApplicantID
	readPluralApplicant   = "/applicants/" + readApplicantID
	readSingularFace      = readSingularApplicant + "/faces/" + readFaceID
	readPluralFace        = readPluralApplicant + "/faces/" + readFaceID
)

// readKnown answers 200 under one prefix and 404 under all others.
func readKnown(prefix string) func(string) (int, string) {
	return func(path string) (int, string) {
		switch {
		case !strings.HasPrefix(path, prefix):
			return http.StatusNotFound, `{"code":"NOT_FOUND","message":"no such thing"}`
		case strings.HasSuffix(path, readFaceID):
			return http.StatusOK, readFaceBody
		}
		return http.StatusOK, readApplicantBody
	}
}

// The documentation names two routes. The documented one is asked first, and the one that answers is kept, for applicants
// and faces alike.
func TestApplicantRouteIsFoundAndKept(t *testing.T) {
	t.Parallel()
	applicant := func(c *yotiface.Client) error {
		_, err := c.GetApplicant(context.Background(), readApplicantID)
		return err
	}
	face := func(c *yotiface.Client) error {
		_, err := c.GetFace(context.Background(), readApplicantID, readFaceID)
		return err
	}
	download := func(c *yotiface.Client) error {
		_, err := c.DownloadFace(context.Background(), readApplicantID, readFaceID, new(strings.Builder))
		return err
	}
	type call struct {
		call  func(*yotiface.Client) error
		asked []string
	}
	for _, test := range []struct {
		name, known string
		calls       []call
	}{
		{"singular", "/applicant/", []call{
			{applicant, []string{readSingularApplicant}},
			{face, []string{readSingularFace}},
			{download, []string{readSingularFace}},
			{applicant, []string{readSingularApplicant}},
		}},
		{"plural, found by an applicant", "/applicants/", []call{
			{applicant, []string{readSingularApplicant, readPluralApplicant}},
			{applicant, []string{readPluralApplicant}},
			{face, []string{readPluralFace}},
			{download, []string{readPluralFace}},
		}},
		{"plural, found by a face", "/applicants/", []call{
			{face, []string{readSingularFace, readPluralFace}},
			{face, []string{readPluralFace}},
			{applicant, []string{readPluralApplicant}},
		}},
		{"plural, found by a download", "/applicants/", []call{
			{download, []string{readSingularFace, readPluralFace}},
			{applicant, []string{readPluralApplicant}},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			service := &readService{answer: readKnown(test.known)}
			client := readClient(t, service)
			for i, c := range test.calls {
				require.NoError(t, c.call(client), "call %d", i)
				assert.Equal(t, c.asked, service.take(), "call %d", i)
			}
		})
	}
}

// A route that was kept stays: a 404 is an unknown applicant then, not a wrong route.
func TestApplicantRouteIsNotDoubtedLater(t *testing.T) {
	t.Parallel()
	service := &readService{answer: readKnown("/applicants/")}
	client := readClient(t, service)
	_, err := client.GetApplicant(t.Context(), readApplicantID)
	require.NoError(t, err)
	service.take()
	service.answer = readKnown("/nowhere/")
	_, err = client.GetApplicant(t.Context(), readApplicantID)
	require.ErrorIs(t, err, yotiface.ErrNotFound)
	assert.Equal(t, []string{readPluralApplicant}, service.take())
}

// Only a 404 is a reason to try the other route.
func TestApplicantRouteOfFailures(t *testing.T) {
	t.Parallel()
	const garbage = "<html>"
	for _, test := range []struct {
		name             string
		singular, plural int // 0: 200 with garbage
		err              error
		endpoint         string
		asked            []string
		because          string
	}{
		{"404 and 404", 404, 404, yotiface.ErrNotFound, "/applicant/{applicant_id}", []string{readSingularApplicant, readPluralApplicant}, "the error is the documented route's"},
		{"404 and 403", 404, 403, yotiface.ErrForbidden, "/applicants/{applicant_id}", []string{readSingularApplicant, readPluralApplicant}, "the plural route is there"},
		{"404 and 401", 404, 401, yotiface.ErrUnauthorized, "/applicants/{applicant_id}", []string{readSingularApplicant, readPluralApplicant}, "the plural route is there"},
		{"404 and 503", 404, 503, yotiface.ErrUnavailable, "/applicants/{applicant_id}", []string{readSingularApplicant, readPluralApplicant, readPluralApplicant, readPluralApplicant}, "tried again where it failed"},
		{"404 and 302", 404, 302, nil, "/applicants/{applicant_id}", []string{readSingularApplicant, readPluralApplicant}, "never followed"},
		{"400", 400, 200, yotiface.ErrBadRequest, "/applicant/{applicant_id}", []string{readSingularApplicant}, "the plural route is not asked"},
		{"401", 401, 200, yotiface.ErrUnauthorized, "/applicant/{applicant_id}", []string{readSingularApplicant}, "the plural route is not asked"},
		{"403", 403, 200, yotiface.ErrForbidden, "/applicant/{applicant_id}", []string{readSingularApplicant}, "the plural route is not asked"},
		{"405", 405, 200, nil, "/applicant/{applicant_id}", []string{readSingularApplicant}, "the plural route is not asked"},
		{"410", 410, 200, nil, "/applicant/{applicant_id}", []string{readSingularApplicant}, "the plural route is not asked"},
		{"500", 500, 200, yotiface.ErrUnavailable, "/applicant/{applicant_id}", []string{readSingularApplicant, readSingularApplicant, readSingularApplicant}, "tried again, but not elsewhere"},
		{"503", 503, 200, yotiface.ErrUnavailable, "/applicant/{applicant_id}", []string{readSingularApplicant, readSingularApplicant, readSingularApplicant}, "tried again, but not elsewhere"},
		{"429", 429, 200, yotiface.ErrRateLimited, "/applicant/{applicant_id}", []string{readSingularApplicant, readSingularApplicant, readSingularApplicant}, "tried again, but not elsewhere"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			service := &readService{answer: func(path string) (int, string) {
				if strings.HasPrefix(path, "/applicants/") {
					return test.plural, readApplicantBody
				}
				return test.singular, garbage
			}}
			got, err := readClient(t, service).GetApplicant(t.Context(), readApplicantID)
			assert.Nil(t, got)
			assert.Equal(t, test.asked, service.take(), test.because)
			if test.err != nil {
				require.ErrorIs(t, err, test.err, test.because)
			}
			var apiErr *yotiface.APIError
			require.ErrorAs(t, err, &apiErr, test.because)
			assert.Equal(t, test.endpoint, apiErr.Endpoint, test.because)
		})
	}
	t.Run("200 with garbage", func(t *testing.T) {
		t.Parallel()
		service := &readService{answer: func(string) (int, string) { return http.StatusOK, garbage }}
		_, err := readClient(t, service).GetApplicant(t.Context(), readApplicantID)
		var decodeErr *yotiface.DecodeError
		require.ErrorAs(t, err, &decodeErr)
		assert.Equal(t, []string{readSingularApplicant}, service.take(), "the plural route is not asked")
	})
	t.Run("a broken connection", func(t *testing.T) {
		t.Parallel()
		broken := errors.New("broken")
		tries := new(readCount)
		_, err := readClient(t, readTrip(func(*http.Request) (*http.Response, error) {
			tries.Add(1)
			return nil, broken
		})).GetApplicant(t.Context(), readApplicantID)
		require.ErrorIs(t, err, broken)
		assert.EqualValues(t, 3, tries.Load(), "the plural route is not asked")
	})
}

// Whoever finds the route first: the choice is made once, and ends right.
func TestApplicantRouteIsRaced(t *testing.T) {
	t.Parallel()
	for _, known := range []string{"/applicant/", "/applicants/"} {
		t.Run(known, func(t *testing.T) {
			t.Parallel()
			service := &readService{answer: readKnown(known)}
			client := readClient(t, service)
			const callers = 12
			start := make(chan struct{})
			var running sync.WaitGroup
			for i := range callers {
				running.Go(func() {
					<-start
					if i%2 == 0 {
						got, err := client.GetApplicant(context.Background(), readApplicantID)
						if assert.NoError(t, err) {
							assert.Equal(t, readApplicantID, got.ID)
						}
						return
					}
					got, err := client.GetFace(context.Background(), readApplicantID, readFaceID)
					if assert.NoError(t, err) {
						assert.Equal(t, "image/jpeg", got.ContentType)
					}
				})
			}
			close(start)
			running.Wait()
			service.take()
			_, err := client.GetApplicant(t.Context(), readApplicantID)
			require.NoError(t, err)
			assert.Equal(t, []string{known + readApplicantID}, service.take(), "the choice is made")
		})
	}
}

// What cannot be an ID is refused before anything is sent, also where it came from an answer.
func TestHostileIDsAreRefusedWhenUsed(t *testing.T) {
	t.Parallel()
	for _, hostile := range []string{
		"../applicants/x", "x?sdkId=evil&", "a#b", "a%2fb", "a b", "a/b", "a\r\nb", "a\x00b", "ü", "", ".", "..", strings.Repeat("a", 129),
	} {
		service := &readService{answer: readKnown("/applicant/")}
		client := readClient(t, service)
		_, err := client.GetApplicant(t.Context(), hostile)
		require.ErrorIs(t, err, yotiface.ErrInvalidArgument, "%q", hostile)
		_, err = client.GetFace(t.Context(), hostile, readFaceID)
		require.ErrorIs(t, err, yotiface.ErrInvalidArgument, "%q", hostile)
		_, err = client.GetFace(t.Context(), readApplicantID, hostile)
		require.ErrorIs(t, err, yotiface.ErrInvalidArgument, "%q", hostile)
		_, err = client.DownloadFace(t.Context(), readApplicantID, hostile, new(strings.Builder))
		require.ErrorIs(t, err, yotiface.ErrInvalidArgument, "%q", hostile)
		assert.Empty(t, service.take(), "%q: nothing is sent", hostile)

		if hostile == "" {
			continue
		}
		search := &yotiface.FamiliarFaceSearch{Check: yotiface.Check{Report: yotiface.Report{Breakdown: []yotiface.SubCheck{{
			Details: []yotiface.Detail{{Name: "matching_applicant", Value: hostile}},
		}}}}}
		faces, err := client.MatchedFaces(t.Context(), search)
		require.ErrorIs(t, err, yotiface.ErrInvalidArgument, "%q in a report", hostile)
		assert.Nil(t, faces)
		assert.NotContains(t, err.Error(), strings.Repeat("a", 129))
		assert.Empty(t, service.take(), "%q: nothing is sent", hostile)
	}
}
