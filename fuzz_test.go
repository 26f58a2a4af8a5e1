package yotiface_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
)

// readSeeds gives a fuzz test all recorded JSON, and what broke other decoders.
func readSeeds(f *testing.F, more ...string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(body)
	}
	for _, body := range append(more, "", "null", "{}", "[]", "\xef\xbb\xbf{}", `{"a":1,"a":2}`, `{"a":"\ud800"}`, "{\"\xff\":1}", `{} {}`) {
		f.Add([]byte(body))
	}
}

// Whatever the bytes are: either a session or an error; a session for exactly the JSON that has the documented types; and
// never an approval that is not in it.
func FuzzSession(f *testing.F) {
	const approval = `{"type":"FAMILIAR_FACE_SEARCH","state":"DONE","report":{"recommendation":{"value":"APPROVE"}}}`
	readSeeds(
		f,
		`{"session_id":"s","state":"COMPLETED","checks":[`+approval+`]}`,
		`{"session_id":"s","state":"EXPIRED","checks":[`+approval+`]}`,
		`{"session_id":"s","state":"completed","checks":[`+approval+`]}`,
		`{"session_id":"s","state":"COMPLETED","checks":[`+approval+`,`+strings.Replace(approval, "APPROVE", "REJECT", 1)+`]}`,
		`{"session_id":"s","state":"ONGOING","STATE":"COMPLETED","checks":[`+approval+`]}`,
		`{"session_id":"s","state":"COMPLETED","checks":[null,`+strings.Replace(approval, `"value"`, `"VALUE"`, 1)+`]}`,
		`{"session_id":"s","client_session_token_ttl":-0,"biometric_consent":"yesterday","client_session_token":"t","novelty":{"a":[{}]}}`,
		`{"session_id":"s","client_session_token_ttl":9223372036854775808}`,
		`{"resources":{"share_codes":[{"source":"END_USER","tasks":[{"recommendation":{"reason":"QUALITY"}}]}],"liveness_capture":[{"frames":[{},null]}]}}`,
		`{"checks":[{"config":{"pool_id":1},"type":"FAMILIAR_FACE_SEARCH","report":{"watchlist_summary":{"api_key":"k"}}}]}`,
	)
	f.Fuzz(func(t *testing.T, body []byte) {
		var session, viaV1, viaV2 yotiface.Session
		err, errV1, errV2 := session.UnmarshalJSON(body), json.Unmarshal(body, &viaV1), jsonv2.Unmarshal(body, &viaV2)
		if expected := readIsSession(body); (err == nil) != expected {
			t.Fatalf("is a session: %t, and still: %v", expected, err)
		}
		if (err == nil) != (errV1 == nil) || (err == nil) != (errV2 == nil) {
			t.Fatalf("one verdict for all packages: %v, %v, %v", err, errV1, errV2)
		}
		if err != nil {
			var decodeErr *yotiface.DecodeError
			if !errors.As(err, &decodeErr) || !bytes.Equal(decodeErr.Body, body[:min(len(body), 64<<10)]) {
				t.Fatalf("no *DecodeError with the body: %v", err)
			}
			if !reflect.DeepEqual(session, yotiface.Session{}) {
				t.Fatal("a half-filled session")
			}
			readOneLine(t, err.Error())
			return
		}
		if !bytes.Equal(session.RawJSON(), body) {
			t.Fatal("RawJSON is not what was read")
		}
		if outcome := session.FaceSearchOutcome(); outcome == yotiface.OutcomeApproved && !readIsApproved(body) {
			t.Fatal("approved, though Yoti did not")
		} else if outcome != viaV1.FaceSearchOutcome() || outcome != viaV2.FaceSearchOutcome() {
			t.Fatal("one outcome for all packages")
		}
		for _, search := range session.FamiliarFaceSearches() {
			readConsistent(t, search)
		}
		readSurvivesStorage(t, session)
	})
}

// readSurvivesStorage asserts that a session that is encoded and decoded is the same, but for its token.
func readSurvivesStorage(t *testing.T, session yotiface.Session) {
	t.Helper()
	stored, err := json.Marshal(session)
	if err != nil {
		t.Fatalf("cannot be encoded: %v", err)
	}
	var back yotiface.Session
	if err := json.Unmarshal(stored, &back); err != nil {
		t.Fatalf("cannot be decoded again: %v", err)
	}
	if back.ClientSessionToken != "" {
		t.Fatal("a credential was stored")
	}
	if back.ID != session.ID || back.State != session.State || back.FaceSearchOutcome() != session.FaceSearchOutcome() || len(back.Checks) != len(session.Checks) {
		t.Fatal("another session came back")
	}
	again, err := json.Marshal(back)
	if err != nil || !bytes.Equal(stored, again) {
		t.Fatalf("stored twice, it changed (%v):\n%s\n%s", err, stored, again)
	}
}

// readIsSession is the oracle: strict JSON, an object, and every documented member null or of the documented type. It
// knows the types by their tags, and decodes nothing with the library.
func readIsSession(body []byte) bool {
	if !jsontext.Value(body).IsValid() || !json.Valid(body) {
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var document any
	if decoder.Decode(&document) != nil || document == nil {
		return false
	}
	return readConforms(reflect.TypeFor[yotiface.Session](), document)
}

var readInteger = regexp.MustCompile(`^-?\d+$`)

func readConforms(typ reflect.Type, value any) bool {
	if value == nil {
		return true
	}
	switch typ {
	case reflect.TypeFor[json.RawMessage](), reflect.TypeFor[yotiface.WatchlistSummary]():
		return true
	case reflect.TypeFor[time.Time]():
		_, ok := value.(string)
		return ok
	case reflect.TypeFor[yotiface.Source](), reflect.TypeFor[yotiface.TaskReason]():
		if _, ok := value.(string); ok {
			return true
		}
	}
	switch typ.Kind() {
	case reflect.String:
		_, ok := value.(string)
		return ok
	case reflect.Int:
		number, ok := value.(json.Number)
		if !ok || !readInteger.MatchString(number.String()) {
			return false
		}
		_, err := strconv.ParseInt(number.String(), 10, strconv.IntSize)
		return err == nil
	case reflect.Slice:
		elements, ok := value.([]any)
		for _, element := range elements {
			ok = ok && readConforms(typ.Elem(), element)
		}
		return ok
	case reflect.Struct:
		object, ok := value.(map[string]any)
		for _, field := range reflect.VisibleFields(typ) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if member, there := object[name]; name != "" && there {
				ok = ok && readConforms(field.Type, member)
			}
		}
		return ok
	default:
		panic("a field of kind " + typ.Kind().String())
	}
}

// readIsApproved says whether an approval is in a document at all: a completed session, and a search that is done and
// whose value is exactly APPROVE.
func readIsApproved(body []byte) bool {
	var document map[string]any
	if json.Unmarshal(body, &document) != nil || document["state"] != "COMPLETED" {
		return false
	}
	checks, _ := document["checks"].([]any)
	for _, each := range checks {
		check, _ := each.(map[string]any)
		report, _ := check["report"].(map[string]any)
		recommendation, _ := report["recommendation"].(map[string]any)
		if check["type"] == "FAMILIAR_FACE_SEARCH" && check["state"] == "DONE" && recommendation["value"] == "APPROVE" {
			return true
		}
	}
	return false
}

// A check that is decoded by itself and one in a session have the same verdict, and the verdict follows from the fields.
func FuzzCheck(f *testing.F) {
	readSeeds(
		f,
		`{"type":"FAMILIAR_FACE_SEARCH","state":"DONE","report":{"recommendation":{"value":"APPROVE","reason":"NO_ MATCH"}},"config":{"approval_criteria":"NO MATCH"}}`,
		`{"state":"DONE","report":{"recommendation":{"value":"REJECT"},"breakdown":[{"sub_check":"face_found_in_pool","result":"PASS"},{"sub_check":"face_found_in_pool","result":"FAIL"}]},"config":{"approval_criteria":"MATCH"}}`,
		`{"type":"FAMILIAR_FACE_SEARCH","state":"PENDING","report":{"breakdown":[null,{"details":[{"name":"matching_applicant","value":"a"},{"name":"matching_pool","value":"p"},{"name":"matching_applicant","value":"A"}]}]},"config":{"pool_id":"P"}}`,
		`{"type":"FAMILIAR_FACE_SEARCH","state":"DONE","config":7}`,
		`{"type":"FAMILIAR_FACE_SEARCH","state":"DONE","config":null,"created":"yesterday"}`,
	)
	f.Fuzz(func(t *testing.T, body []byte) {
		var lenient, search yotiface.FamiliarFaceSearch
		if json.Unmarshal(body, &lenient) == nil {
			readConsistent(t, &lenient)
		}
		err := jsonv2.Unmarshal(body, &search)
		if err == nil {
			readConsistent(t, &search)
		}
		var session yotiface.Session
		wrapped := `{"session_id":"s","state":"COMPLETED","checks":[` + string(body) + `]}`
		if session.UnmarshalJSON([]byte(wrapped)) != nil {
			return
		}
		searches := session.FamiliarFaceSearches()
		for _, found := range searches {
			readConsistent(t, found)
		}
		if len(searches) != 1 || len(session.Checks) != 1 {
			return
		}
		found := searches[0]
		if err != nil { // a time is forgiven in a session, but a configuration that cannot be read is not
			var config yotiface.FamiliarFaceSearchConfig
			broken := len(found.Check.Config) > 0 && jsonv2.Unmarshal(found.Check.Config, &config) != nil
			if outcome := found.ApprovalOutcome(); broken && (outcome == yotiface.OutcomeApproved || outcome == yotiface.OutcomeRejected) {
				t.Fatalf("%s, though what the search was asked is unknown", outcome)
			}
			return
		}
		if found.ApprovalOutcome() != search.ApprovalOutcome() || found.MatchStatus() != search.MatchStatus() ||
			found.Config != search.Config || !reflect.DeepEqual(found.Matches(), search.Matches()) {
			t.Fatalf("another search:\n%+v\n%+v", found, search)
		}
	})
}

// readConsistent asserts what holds for every search, whatever it says.
func readConsistent(t *testing.T, f *yotiface.FamiliarFaceSearch) {
	t.Helper()
	outcome, inconsistency, status, matches := f.ApprovalOutcome(), f.Inconsistency(), f.MatchStatus(), f.Matches()
	value, criterion := f.Report.Recommendation.Value, f.Config.ApprovalCriteria
	ours := f.Type == "FAMILIAR_FACE_SEARCH" || f.Type == ""
	fail := func(why string) {
		t.Helper()
		t.Fatalf("%s: %s, %s, %v, %+v", why, outcome, status, inconsistency, *f)
	}
	switch outcome {
	case yotiface.OutcomeApproved:
		if !ours || f.State != "DONE" || value != "APPROVE" || inconsistency != nil {
			fail("approved")
		}
		if criterion == "NO_MATCH" && status == yotiface.MatchFound || criterion == "MATCH" && status == yotiface.MatchNotFound {
			fail("approved against the evidence")
		}
	case yotiface.OutcomeRejected:
		if !ours || f.State != "DONE" || value != "REJECT" || inconsistency != nil {
			fail("rejected")
		}
		if criterion == "MATCH" && status == yotiface.MatchFound || criterion == "NO_MATCH" && status == yotiface.MatchNotFound {
			fail("rejected against the evidence")
		}
	case yotiface.OutcomePending:
		if !ours || f.State != "CREATED" && f.State != "PENDING" {
			fail("pending")
		}
	case yotiface.OutcomeUndetermined:
		if ours && (f.State == "CREATED" || f.State == "PENDING") {
			fail("not pending")
		}
	default:
		fail("no such outcome")
	}

	ids, seen := f.MatchingApplicantIDs(), map[yotiface.Match]bool{}
	for _, match := range matches {
		key := yotiface.Match{ApplicantID: strings.ToLower(match.ApplicantID), PoolID: strings.ToLower(match.PoolID)}
		if match.ApplicantID == "" || seen[key] {
			fail("an empty match, or one twice")
		}
		seen[key] = true
	}
	first, ok := f.MatchingApplicantID()
	if ok != (len(matches) > 0) || ok && (first != matches[0].ApplicantID || first != ids[0]) || len(ids) > len(matches) {
		fail("the first match is another")
	}
	if len(matches) > 0 && status == yotiface.MatchNotFound {
		fail("a match that was not found")
	}
	if pool, ok := f.MatchingPoolID(); ok != (pool != "") {
		fail("an empty pool")
	}

	sentence := f.Explain()
	readOneLine(t, sentence)
	if readUUID.MatchString(sentence) || inconsistency != nil && readUUID.MatchString(inconsistency.Error()) {
		fail("an ID in " + sentence)
	}
}

var readUUID = regexp.MustCompile(`(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// readOneLine asserts that a text is one printable line of bearable length.
func readOneLine(t *testing.T, text string) {
	t.Helper()
	if text == "" || len(text) > 500 || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Fatalf("not one printable line of at most 500 bytes: %q", text)
	}
}

// The faces of an applicant are listed once each, the archetype face first, whatever the JSON package.
func FuzzApplicant(f *testing.F) {
	readSeeds(
		f,
		`{"id":"a","faces":{"archetype_face":"x","faces":["y",{"id":"X"},null,{}]}}`,
		`{"id":"a","faces":{"faces":[{"id":"x","id":"y"}]},"created_at":"2026-02-03T10:58:32Z"}`,
		`{"id":"a","pools":[{"id":"p","label":"l"},null]}`,
	)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, pkg := range readPackages {
			var applicant yotiface.Applicant
			if pkg.unmarshal(body, &applicant) != nil {
				continue
			}
			ids, seen := applicant.FaceIDs(), map[string]bool{}
			for _, id := range ids {
				if id == "" || seen[strings.ToLower(id)] {
					t.Fatalf("%s: an empty face, or one twice: %q", pkg.name, ids)
				}
				seen[strings.ToLower(id)] = true
			}
			for _, ref := range append(applicant.Faces.Faces, yotiface.FaceRef{ID: applicant.Faces.ArchetypeFaceID}) {
				if ref.ID != "" && !seen[strings.ToLower(ref.ID)] {
					t.Fatalf("%s: a face is missing: %q", pkg.name, ids)
				}
			}
			first, ok := applicant.FaceID()
			if ok != (len(ids) > 0) || ok && first != ids[0] {
				t.Fatalf("%s: the first face is another: %q, %q", pkg.name, first, ids)
			}
			if archetype := applicant.Faces.ArchetypeFaceID; archetype != "" && first != archetype {
				t.Fatalf("%s: not the archetype face: %q", pkg.name, first)
			}
			if applicant.Created.Year() > math.MaxInt16 {
				t.Fatalf("%s: a time that no JSON has", pkg.name)
			}
			stored, err := pkg.marshal(applicant)
			if err != nil {
				t.Fatalf("%s: cannot be encoded: %v", pkg.name, err)
			}
			var back yotiface.Applicant
			if err := pkg.unmarshal(stored, &back); err != nil || !reflect.DeepEqual(applicant, back) {
				t.Fatalf("%s: another applicant came back (%v):\n%+v\n%+v", pkg.name, err, applicant, back)
			}
		}
	})
}
