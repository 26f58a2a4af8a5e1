package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
)

// What the service knows. The IDs follow from what they stand for, so that client and service need not tell each other.
const (
	basePath            = "/idverify/v1"
	documentedSessionID = "7938ac1e-0a4a-49b7-953f-08cfa764358f"
	documentedFace      = 50_000 // bytes; the documentation says nothing, and a face of a few hundred pixels is of this order
)

func sessionID(matches int) string { return fmt.Sprintf("5e000000-0000-4000-8000-%012d", matches) }
func applicantID(i int) string     { return fmt.Sprintf("a0000000-0000-4000-8000-%012d", i) }
func faceID(size int) string       { return fmt.Sprintf("fa000000-0000-4000-8000-%012d", size) }

// answers are the bodies by path, each made when it is first asked for.
type answers map[string]func() []byte

func newAnswers(session []byte) answers {
	a := answers{
		basePath + "/sessions/" + documentedSessionID: func() []byte { return session },
		basePath + "/applicants":                      func() []byte { return applicantJSON(applicantID(0)) },
	}
	for _, size := range fullEffort(1).images {
		for i := range 16 {
			a[basePath+"/applicant/"+applicantID(i)+"/faces/"+faceID(size)] = sync.OnceValue(func() []byte { return faceJSON(image(size)) })
		}
	}
	for i := range 16 {
		a[basePath+"/applicant/"+applicantID(i)] = func() []byte { return applicantJSON(applicantID(i)) }
	}
	for _, matches := range fullEffort(1).matches {
		a[basePath+"/sessions/"+sessionID(matches)] = sync.OnceValue(func() []byte { return sessionWithMatches(session, matches) })
	}
	return a
}

func (a answers) to(path string) []byte {
	if body, ok := a[path]; ok {
		return body()
	}
	return nil
}

// documentedSession is the session of the documentation, without its indentation.
func documentedSession() ([]byte, error) { return compact("../testdata/session_completed.json") }

func compact(file string) ([]byte, error) {
	indented, err := os.ReadFile(file) //nolint:gosec // of this repository
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = json.Compact(&out, indented)
	return out.Bytes(), err
}

// sessionWithMatches is the documented session with another number of matching applicants.
func sessionWithMatches(session []byte, matches int) []byte {
	const one = `{"name":"matching_applicant","value":"b1ac68ca-c692-449f-b6cc-1ee7c0d366ea"}`
	details := make([]string, matches)
	for i := range details {
		details[i] = strings.Replace(one, "b1ac68ca-c692-449f-b6cc-1ee7c0d366ea", applicantID(i), 1)
	}
	return []byte(strings.NewReplacer(one, strings.Join(details, ","), documentedSessionID, sessionID(matches)).Replace(string(session)))
}

// sessionWithChecks is a session of nothing but checks: the documented two in turn, with IDs of their own.
func sessionWithChecks(session []byte, n int) ([]byte, error) {
	var documented struct {
		Checks []map[string]any `json:"checks"`
	}
	if err := json.Unmarshal(session, &documented); err != nil {
		return nil, err
	}
	checks := make([]json.RawMessage, n)
	for i := range checks {
		check := documented.Checks[i%len(documented.Checks)]
		check["id"] = fmt.Sprintf("c0000000-0000-4000-8000-%012d", i)
		var err error
		if checks[i], err = json.Marshal(check); err != nil {
			return nil, err
		}
	}
	return json.Marshal(map[string]any{"session_id": documentedSessionID, "state": "COMPLETED", "checks": checks})
}

func applicantJSON(id string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"faces":{"archetype_face":%q,"faces":[]},`+
		`"pools":[{"id":"3fa85f64-5717-4562-b3fc-2c963f66afa6","label":"Test Pool2"}]}`, id, faceID(documentedFace))
}

// image is as many bytes as a JPEG could have: its first four, and then what cannot be compressed.
func image(size int) []byte {
	image := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(image)
	copy(image, "\xff\xd8\xff\xe0")
	return image
}

const faceBefore, faceAfter = `{"face":{"data":"`, `","content_type":"image/jpeg"}}`

func faceJSON(image []byte) []byte {
	body := make([]byte, 0, len(faceBefore)+base64.StdEncoding.EncodedLen(len(image))+len(faceAfter))
	body = append(body, faceBefore...)
	body = base64.StdEncoding.AppendEncode(body, image)
	return append(body, faceAfter...)
}
