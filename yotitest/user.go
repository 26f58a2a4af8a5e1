package yotitest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/yotiface/yotiface"
)

// CompleteOption changes what happens when the user of a session finishes; see
// [Server.CompleteSession] and [Server.PendSession].
type CompleteOption func(*completion)

// completion is what the options fill.
type completion struct {
	matching []string
	capture  *blob // nil for a drawn one
	deliver  []func([]yotiface.Notification) []yotiface.Notification
}

func newCompletion(opts []CompleteOption) *completion {
	var c completion
	for _, opt := range opts {
		opt(&c)
	}
	return &c
}

// Matches makes the searches of a session find applicants, each search those that
// are in its pool. Without it, or with none, nobody is found.
func Matches(applicantIDs ...string) CompleteOption {
	applicantIDs = slices.Clone(applicantIDs)
	return func(c *completion) { c.matching = append(c.matching, applicantIDs...) }
}

// NoMatch makes the searches of a session find nobody, which they do without it
// too: it is for tests that say what they are about.
func NoMatch() CompleteOption {
	return func(c *completion) { c.matching = nil }
}

// WithCapture makes an image the one that is captured of the user. Its type is
// told from its bytes, which need not be an image at all; where there are none,
// the service withholds them and answers 204. Without the option the image is
// [DrawCapture] of 0.
func WithCapture(image []byte) CompleteOption {
	capture := newBlob(http.DetectContentType(image), image)
	return func(c *completion) { c.capture = &capture }
}

// DropNotifications loses notifications of some topics on their way, or all of
// them if no topic is given.
func DropNotifications(topics ...yotiface.Topic) CompleteOption {
	topics = slices.Clone(topics)
	return delivering(func(events []yotiface.Notification) []yotiface.Notification {
		return slices.DeleteFunc(events, func(n yotiface.Notification) bool {
			return len(topics) == 0 || slices.Contains(topics, n.Topic)
		})
	})
}

// DoubleNotifications sends each notification twice, one directly after the
// other.
func DoubleNotifications() CompleteOption {
	return delivering(func(events []yotiface.Notification) []yotiface.Notification {
		var doubled []yotiface.Notification
		for _, n := range events {
			doubled = append(doubled, n, n)
		}
		return doubled
	})
}

// ReverseNotifications sends the notifications in the opposite order: that the
// session is complete comes before that a check is.
func ReverseNotifications() CompleteOption {
	return delivering(func(events []yotiface.Notification) []yotiface.Notification {
		slices.Reverse(events)
		return events
	})
}

func delivering(change func([]yotiface.Notification) []yotiface.Notification) CompleteOption {
	return func(c *completion) { c.deliver = append(c.deliver, change) }
}

// PendSession lets the user of a session finish, but not Yoti: there is a
// liveness capture with its image and the client session token is gone, a
// LIVENESS check is done, the other checks are PENDING, and the session is still
// ONGOING. [Server.CompleteSession] does the rest. [Matches] has to wait until
// then.
//
// It sends notifications and panics as CompleteSession does.
func (s *Server) PendSession(sessionID string, opts ...CompleteOption) {
	c := newCompletion(opts)
	s.happen("PendSession", sessionID, c, func(st *state, session *session) []yotiface.Notification {
		if len(c.matching) > 0 {
			panic("yotitest: PendSession: nobody matches before the session is completed")
		}
		if session.now.ClientSessionToken == "" {
			panic("yotitest: PendSession: the user of this session has finished before")
		}
		return st.captureUser(session, c.capture)
	})
}

// CompleteSession lets the user of a session finish, and Yoti too: the session is
// COMPLETED, its client session token is gone, and all its checks are DONE. There
// is a liveness capture with its image. What a FAMILIAR_FACE_SEARCH reports
// follows from its criterion and from [Matches]; one whose pool has been deleted
// since is NOT_AVAILABLE. LIVENESS and the checks of all other types are approved.
//
// Then the notifications that the session was created for are sent over HTTP,
// one after the other: resource_update, client_session_token_deleted,
// check_completion for each check, and session_completion. CompleteSession
// returns when the last has been answered, after 10 seconds each at most;
// [Server.Notifications] tells what came of them. None is sent again, whatever
// the answer. They go to loopback addresses only, and certificates are not
// verified. When the first one arrives, the session is already what it will be.
//
// It panics if no request has created the session, if the session is not ongoing,
// if an applicant that matches has no face or is in none of the pools that are
// searched, and if there is a capture already when [WithCapture] brings another:
// these are mistakes in the test.
func (s *Server) CompleteSession(sessionID string, opts ...CompleteOption) {
	c := newCompletion(opts)
	s.happen("CompleteSession", sessionID, c, func(st *state, session *session) []yotiface.Notification {
		finished := session.now.ClientSessionToken == ""
		if finished && c.capture != nil {
			panic("yotitest: CompleteSession: WithCapture comes too late, the user has finished before")
		}
		st.mustMatch(session.spec, c.matching)
		var events []yotiface.Notification
		if !finished {
			events = st.captureUser(session, c.capture)
		}
		return append(events, st.completeChecks(session, c.matching)...)
	})
}

// ExpireSession lets the time of a session run out: it is EXPIRED, its client
// session token is gone, and its checks stay as they are. No notification is
// documented for that, and none is sent.
//
// It panics if no request has created the session, and if the session is not
// ongoing.
func (s *Server) ExpireSession(sessionID string) {
	s.happen("ExpireSession", sessionID, &completion{}, func(_ *state, session *session) []yotiface.Notification {
		session.now.State = sessionExpired
		session.now.ClientSessionToken, session.now.ClientSessionTokenTTL = "", 0
		return nil
	})
}

// happen lets something happen to an ongoing session, and then tells those who
// want to know.
func (s *Server) happen(method, sessionID string, c *completion, what func(*state, *session) []yotiface.Notification) {
	spec, events := s.state.happen(method, sessionID, what)
	sub := spec.Notifications
	if sub == nil {
		return
	}
	events = slices.DeleteFunc(events, func(n yotiface.Notification) bool { return !sub.wants(n.Topic) })
	for _, change := range c.deliver {
		events = change(events)
	}
	s.notify(sub, events)
}

func (st *state) happen(method, sessionID string, what func(*state, *session) []yotiface.Notification) (*specification, []yotiface.Notification) {
	st.mu.Lock()
	defer st.mu.Unlock()
	session, ok := st.sessions[sessionID]
	switch {
	case !ok:
		panic(fmt.Sprintf("yotitest: %s: there is no session %q", method, sessionID))
	case session.spec == nil:
		panic(fmt.Sprintf("yotitest: %s: the session %q was put, and stays as it is", method, sessionID))
	case session.now.State != sessionOngoing:
		panic(fmt.Sprintf("yotitest: %s: the session %q is %s", method, sessionID, session.now.State))
	}
	events := what(st, &session)
	for i := range events {
		events[i].SessionID = sessionID
	}
	st.sessions[sessionID] = newSession(session.spec, session.now)
	return session.spec, events
}

// captureUser takes the user's image, if any check needs it, and makes the checks.
// st.mu is held.
func (st *state) captureUser(session *session, image *blob) (events []yotiface.Notification) {
	now, at := &session.now, timestamp(time.Now())
	now.ClientSessionToken, now.ClientSessionTokenTTL = "", 0
	if !session.spec.BlockBiometricConsent {
		now.BiometricConsent = at
	}
	var captureIDs []string
	if kind, ok := session.spec.liveness(); ok {
		if image == nil {
			image = &blob{"image/jpeg", drawnCapture(0)}
		}
		media := mediaJSON{newUUID(), "IMAGE", at, at}
		st.media[mediaKey{now.SessionID, media.ID}] = *image
		capture := newLiveness(kind, media, at)
		now.Resources.LivenessCapture = []livenessJSON{capture}
		captureIDs = []string{capture.ID}
		events = append(events, yotiface.Notification{Topic: yotiface.TopicResourceUpdate, ResourceID: capture.ID})
	}
	events = append(events, yotiface.Notification{Topic: yotiface.TopicClientSessionTokenDeleted})

	for _, requested := range session.spec.RequestedChecks {
		check := checkJSON{Type: requested.Type, ID: newUUID(), State: checkPending, Created: at, LastUpdated: at}
		switch check.Type {
		case livenessType:
			check.ResourcesUsed = captureIDs
			check.State, check.Report = checkDone, livenessReport
			events = append(events, yotiface.Notification{Topic: yotiface.TopicCheckCompletion, CheckID: check.ID})
		case faceSearchType:
			check.ResourcesUsed = captureIDs
			p := session.spec.pools[requested.Config.PoolID]
			check.Config = configJSON{p.ID, p.Label, requested.Config.ApprovalCriteria}
		}
		now.Checks = append(now.Checks, check)
	}
	return events
}

// liveness returns the type of liveness test that the user takes, if any check
// needs one. A face search looks at its image.
func (spec *specification) liveness() (kind string, ok bool) {
	for _, check := range spec.RequestedChecks {
		if check.Type == livenessType {
			if check.Config.LivenessType == livenessZoom {
				return livenessZoom, true
			}
			return livenessStatic, true
		}
		ok = ok || check.Type == faceSearchType
	}
	return livenessStatic, ok
}

// completeChecks ends the checks that are not done yet, and the session. st.mu is
// held.
func (st *state) completeChecks(session *session, matching []string) (events []yotiface.Notification) {
	now, at := &session.now, timestamp(time.Now())
	now.Checks = slices.Clone(now.Checks)
	for i := range now.Checks {
		check := &now.Checks[i]
		if check.State == checkDone {
			continue
		}
		check.State, check.LastUpdated = checkDone, at
		check.Report = reportJSON{Recommendation: recommendationJSON{Value: valueApprove}}
		if check.Type == faceSearchType {
			check.Report = st.search(check.Config, matching)
		}
		events = append(events, yotiface.Notification{Topic: yotiface.TopicCheckCompletion, CheckID: check.ID})
	}
	now.State = sessionCompleted
	return append(events, yotiface.Notification{Topic: yotiface.TopicSessionCompletion})
}

// search reports which of those who match are in a pool. st.mu is held.
func (st *state) search(config configJSON, matching []string) reportJSON {
	if _, ok := st.pools[config.PoolID]; !ok {
		return reportJSON{Recommendation: recommendationJSON{Value: valueNotAvailable}}
	}
	var found []string
	for _, id := range matching {
		if st.canMatch(id, config.PoolID) && !slices.Contains(found, id) {
			found = append(found, id)
		}
	}
	return faceSearchReport(config, found)
}

// canMatch reports whether an applicant can be found in a pool. st.mu is held.
func (st *state) canMatch(id, poolID string) bool {
	a := st.applicants[id]
	return len(a.faces) > 0 && slices.ContainsFunc(a.pools, func(p pool) bool { return p.ID == poolID })
}

// mustMatch panics unless each applicant can be found by some search. st.mu is
// held.
func (st *state) mustMatch(spec *specification, applicantIDs []string) {
	for _, id := range applicantIDs {
		found := slices.ContainsFunc(spec.RequestedChecks, func(check requestedCheck) bool {
			return check.Type == faceSearchType && st.canMatch(id, check.Config.PoolID)
		})
		if !found {
			panic(fmt.Sprintf("yotitest: CompleteSession: the applicant %q cannot match: %s", id, st.whyNot(id)))
		}
	}
}

// whyNot says why an applicant is not in the pools of a session. st.mu is held.
func (st *state) whyNot(id string) string {
	a, ok := st.applicants[id]
	switch {
	case !ok:
		return "there is no such applicant"
	case len(a.faces) == 0:
		return "it has no face"
	case len(a.pools) == 0:
		return "it is in no pool"
	}
	labels := make([]string, len(a.pools))
	for i, p := range a.pools {
		labels[i] = fmt.Sprintf("%q", p.Label)
	}
	return "the session does not search the pools that it is in: " + strings.Join(labels, ", ")
}

// timestamp writes a time as the service does.
func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
