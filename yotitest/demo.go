package yotitest

import (
	"crypto/sha256"
	_ "embed" // for the documented session
	"fmt"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
)

// documentedSession is the session of Yoti's documentation, byte for byte.
//
//go:embed testdata/session_completed.json
var documentedSession string

const (
	documentedSessionID   = "7938ac1e-0a4a-49b7-953f-08cfa764358f"
	documentedMediaID     = "d12ad6f6-2d1e-4b0d-9650-a153478c7d6e" // of the liveness image
	documentedApplicantID = "b1ac68ca-c692-449f-b6cc-1ee7c0d366ea"
)

// World is a [Server] with sessions in it, and with the people they are about.
// It is the same every time, but for the port, the SDK ID and the key.
type World struct {
	*Server

	// Sessions are the sessions to look at. The first is the documented one.
	Sessions []DemoSession
}

// DemoSession is a session of a [World].
type DemoSession struct {
	ID    string
	Title string // what it shows, in one line
}

// Demo starts a server with a small world in it: the session that Yoti's
// documentation shows, and others that differ from it in one respect each. The
// applicants that they name are there, with drawn faces, and so are the liveness
// images. They are drawn when they are first asked for.
func Demo(opts ...Option) *World {
	w := &World{Server: NewServer(opts...)}
	w.state.putPool(barred)
	w.state.putPool(staff)
	for _, p := range demoPeople {
		w.state.putApplicant(p.id, p.applicant())
	}
	w.put(documentedSessionID, documentedTitle, []byte(documentedSession))
	w.state.putMedia(documentedSessionID, documentedMediaID, blob{"image/jpeg", drawnCapture(documentedSeed)})
	for i, c := range demoCases {
		c.put(w, i+1)
	}
	return w
}

func (w *World) put(id, title string, document []byte) {
	w.state.putSession(id, session{json: document})
	w.Sessions = append(w.Sessions, DemoSession{id, title})
}

var (
	barred = pool{"a8b2e5de-a31f-4e82-b2ac-557a492fa88e", "POOL EXAMPLE"} // the documented one
	staff  = pool{demoID("staff pool"), "STAFF"}
)

// demoPerson is an applicant of the demo. The seed is that of their face.
type demoPerson struct {
	id       string
	pool     pool
	seed     int64
	faceless bool // the face has been deleted since
}

var (
	documentedSeed int64 = 25

	employee  = demoPerson{id: demoID("employee"), pool: staff, seed: 9}
	lookalike = demoPerson{id: demoID("lookalike"), pool: barred, seed: 26}
	original  = demoPerson{id: demoID("original"), pool: barred, seed: 27}
	forgotten = demoPerson{id: demoID("forgotten"), pool: barred, seed: 23, faceless: true}

	demoPeople = []demoPerson{
		{id: documentedApplicantID, pool: barred, seed: documentedSeed},
		employee, lookalike, original, forgotten,
	}
)

func (p demoPerson) applicant() applicant {
	a := applicant{pools: []pool{p.pool}}
	if !p.faceless {
		a.faces = []face{{demoID("face of " + p.id), blob{"image/jpeg", drawnFace(p.seed)}}}
	}
	return a
}

const documentedTitle = "The documented session: a barred face is found"

// demoCase is what a session of the demo is about.
type demoCase struct {
	title     string
	pool      pool
	criterion string
	matching  []string // applicant IDs
	captured  int64    // the seed of the person who came
	change    func(session *sessionJSON, search *checkJSON)
}

var demoCases = []demoCase{
	{
		title: "Staff entrance: the face is found",
		pool:  staff, criterion: criterionMatch, matching: []string{employee.id}, captured: employee.seed,
	},
	{
		title: "Staff entrance: the face is not found",
		pool:  staff, criterion: criterionMatch, captured: 13,
	},
	{
		title: "Guest entrance: no barred face is found",
		pool:  barred, criterion: criterionNoMatch, captured: 16,
	},
	{
		title: "Guest entrance: the search is still pending",
		pool:  barred, criterion: criterionNoMatch, captured: 20,
		change: func(session *sessionJSON, search *checkJSON) {
			session.State = sessionOngoing
			session.ClientSessionTokenTTL = 599
			session.ClientSessionToken = demoID("client session token")
			search.State = checkPending
			search.Report = reportJSON{}
		},
	},
	{
		title: "Guest entrance: approved, though a barred face is found",
		pool:  barred, criterion: criterionNoMatch, matching: []string{original.id}, captured: original.seed,
		change: func(_ *sessionJSON, search *checkJSON) {
			search.Report.Recommendation = recommendationJSON{Value: valueApprove}
		},
	},
	{
		title: "Guest entrance: two barred faces are found",
		pool:  barred, criterion: criterionNoMatch, matching: []string{lookalike.id, original.id}, captured: original.seed,
	},
	{
		title: "Guest entrance: a barred face is found, which has been deleted since",
		pool:  barred, criterion: criterionNoMatch, matching: []string{forgotten.id}, captured: forgotten.seed,
	},
	{
		title: "Guest entrance: the session expired before anybody came",
		pool:  barred, criterion: criterionNoMatch,
		change: func(session *sessionJSON, _ *checkJSON) {
			session.State = sessionExpired
			session.BiometricConsent = ""
			session.Resources.LivenessCapture = nil
			session.Checks = nil
		},
	},
}

// put adds a session that is the documented one but for its IDs, for the passport
// that nobody is asked for, for what the case is about, and for its day.
func (c demoCase) put(w *World, n int) {
	id := func(of string) string { return demoID(fmt.Sprintf("%s %d", of, n)) }
	template := strings.ReplaceAll(documentedSession, "2025-06-04T", fmt.Sprintf("2025-06-%02dT", 4+n))
	var session sessionJSON
	if err := json.Unmarshal([]byte(template), &session); err != nil {
		panic(err)
	}
	session.SessionID = id("session")
	session.UserTrackingID = fmt.Sprintf("guest-%d", n)
	session.Resources.IDDocuments = nil
	capture := &session.Resources.LivenessCapture[0]
	capture.ID = id("capture")
	capture.Image.Media.ID = id("media")
	var search *checkJSON
	for i := range session.Checks {
		check := &session.Checks[i]
		check.ID = id(check.Type)
		check.ResourcesUsed = []string{capture.ID}
		if check.Type == faceSearchType {
			search = check
		}
	}
	search.Config = configJSON{c.pool.ID, c.pool.Label, c.criterion}
	search.Report = faceSearchReport(search.Config, c.matching)

	mediaID := capture.Image.Media.ID
	if c.change != nil {
		c.change(&session, search)
	}
	if c.captured != 0 {
		w.state.putMedia(session.SessionID, mediaID, blob{"image/jpeg", drawnCapture(c.captured)})
	}
	w.put(session.SessionID, c.title, document(0, session).body)
}

// demoID is an ID that is always the same for the same name.
func demoID(name string) string {
	hash := sha256.Sum256([]byte("yotitest demo: " + name))
	return formatUUID([16]byte(hash[:]))
}

// Drawing takes a moment, more so with the race detector, and most tests look at
// few of the pictures: each is drawn when it is first asked for, for all worlds.
var (
	drawnFace    = once(DrawFace)
	drawnCapture = once(DrawCapture)
)

// once makes a drawing function one that only promises a picture, the same one
// for the same seed.
func once(draw func(int64) []byte) func(seed int64) func() []byte {
	var pictures sync.Map
	return func(seed int64) func() []byte {
		picture, _ := pictures.LoadOrStore(seed, sync.OnceValue(func() []byte { return draw(seed) }))
		return picture.(func() []byte)
	}
}
