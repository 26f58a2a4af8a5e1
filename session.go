package yotiface

import (
	"bytes"
	"cmp"
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"
)

// A Session is one person's way through identity verification: its state, what was captured and the checks with their
// reports. Objects that the service left out are zero values.
//
// A Session can hold a credential, the client session token. It is not printed by any formatting verb or log handler
// and not encoded by [Session.MarshalJSON]; ClientSessionToken and [Session.RawJSON] have it.
type Session struct {
	ID                    string       `json:"session_id"`
	State                 SessionState `json:"state"`
	ClientSessionTokenTTL int          `json:"client_session_token_ttl"`      // seconds; 0 once it has expired
	ClientSessionToken    string       `json:"client_session_token,omitzero"` // a credential; absent once the session is completed
	UserTrackingID        string       `json:"user_tracking_id,omitzero"`     // as the backend gave it
	BiometricConsent      time.Time    `json:"biometric_consent,omitzero"`    // when the user consented
	Resources             Resources    `json:"resources,omitzero"`
	Checks                []Check      `json:"checks,omitzero"`

	// What belongs to other products of the service is kept as received.

	IdentityProfile                stdjson.RawMessage `json:"identity_profile,omitzero"`
	IdentityProfilePreview         stdjson.RawMessage `json:"identity_profile_preview,omitzero"`
	AdvancedIdentityProfile        stdjson.RawMessage `json:"advanced_identity_profile,omitzero"`
	AdvancedIdentityProfilePreview stdjson.RawMessage `json:"advanced_identity_profile_preview,omitzero"`
	ImportToken                    stdjson.RawMessage `json:"import_token,omitzero"`

	raw []byte
}

// SessionState says how far a session is; unknown states are kept as received.
type SessionState string

// The documented states of a session.
const (
	SessionOngoing   SessionState = "ONGOING"
	SessionCompleted SessionState = "COMPLETED"
	SessionExpired   SessionState = "EXPIRED"
)

// FamiliarFaceSearches returns the session's face searches in the order received, each with its configuration typed.
// It is empty while Yoti has not created the check yet, which for a face search is until the user has finished. A
// change to what it returns does not change the session.
func (s *Session) FamiliarFaceSearches() []*FamiliarFaceSearch {
	checks := s.ChecksOfType(CheckTypeFamiliarFaceSearch)
	searches := make([]*FamiliarFaceSearch, len(checks))
	for i, c := range checks {
		searches[i] = newFamiliarFaceSearch(c)
	}
	return searches
}

// FaceSearchOutcome judges all face searches of the session together, the most cautious first: rejected if one is
// rejected, undetermined if one is. Only a session that is COMPLETED can be approved, and only if it has a face search
// and all are approved; an ONGOING one is pending, as more searches may come. Without a face search, and in any other
// state of the session, the outcome is undetermined.
//
// It says nothing about whose session it is, nor what was searched. Take the session ID from your own record of the user
// or compare UserTrackingID, compare the pool and the criterion of each search with what you asked for, and use an answer
// once.
func (s *Session) FaceSearchOutcome() ApprovalOutcome {
	if s == nil {
		return OutcomeUndetermined
	}
	count := map[ApprovalOutcome]int{}
	for _, f := range s.FamiliarFaceSearches() {
		count[f.ApprovalOutcome()]++
	}
	switch {
	case count[OutcomeRejected] > 0:
		return OutcomeRejected
	case count[OutcomeUndetermined] > 0:
		return OutcomeUndetermined
	case s.State == SessionOngoing:
		return OutcomePending
	case s.State != SessionCompleted:
		return OutcomeUndetermined
	case count[OutcomePending] > 0:
		return OutcomePending
	case count[OutcomeApproved] > 0:
		return OutcomeApproved
	}
	return OutcomeUndetermined
}

// ChecksOfType returns the session's checks of one type, in the order received.
func (s *Session) ChecksOfType(t CheckType) []*Check {
	if s == nil {
		return nil
	}
	var checks []*Check
	for i := range s.Checks {
		if s.Checks[i].Type == t {
			checks = append(checks, &s.Checks[i])
		}
	}
	return checks
}

// CapturedImages returns the images that a face search looked at: those of the liveness and face captures among the
// search's ResourcesUsed, in that order. A ZOOM capture has no image but frames, which stand for it. Fetch one with
// [Client.GetMedia] to show it beside the face that matched. It is empty if the session does not list the captures.
func (s *Session) CapturedImages(f *FamiliarFaceSearch) []MediaRef {
	if s == nil || f == nil {
		return nil
	}
	var images []MediaRef
	add := func(holders ...MediaHolder) {
		for _, h := range holders {
			if h.Media.ID != "" {
				images = append(images, h.Media)
			}
		}
	}
	for _, id := range f.ResourcesUsed {
		for _, capture := range s.Resources.LivenessCaptures {
			if strings.EqualFold(capture.ID, id) {
				add(capture.Image)
				add(capture.Frames...)
			}
		}
		for _, capture := range s.Resources.FaceCaptures {
			if strings.EqualFold(capture.ID, id) {
				add(capture.Image)
			}
		}
	}
	return images
}

// Check returns the check with an ID, such as a notification names. IDs are compared without regard to case.
func (s *Session) Check(id string) (*Check, bool) {
	if s == nil || id == "" {
		return nil, false
	}
	for i := range s.Checks {
		if strings.EqualFold(s.Checks[i].ID, id) {
			return &s.Checks[i], true
		}
	}
	return nil, false
}

// RawJSON returns a copy of the JSON that the session was read from, with every member that the service sent. It is nil
// on a session that was not read from JSON. It can hold the client session token.
func (s *Session) RawJSON() []byte {
	if s == nil {
		return nil
	}
	return bytes.Clone(s.raw)
}

// UnmarshalJSON reads a session as strictly as [Client.GetSession] does, whatever JSON package calls it: names are
// case-sensitive and appear once, text is valid UTF-8, and null is an error. A string that is not an RFC 3339 time reads
// as the zero time. An error is a [*DecodeError] and leaves s as it was.
func (s *Session) UnmarshalJSON(b []byte) error {
	read, err := decodeSession(bytes.Clone(b))
	if err != nil {
		return err
	}
	*s = *read
	return nil
}

// plainSession is a Session without methods, so that decoding one does not call itself.
type plainSession Session

// decodeSession reads a session from raw and keeps raw.
func decodeSession(raw []byte) (*Session, *DecodeError) {
	read, err := decode[plainSession](raw)
	if err != nil {
		return nil, err
	}
	read.raw = raw
	return (*Session)(read), nil
}

// Format prints the state of the session and the number of its checks, whatever the verb: nothing that identifies a
// person, and no credential. To see all of it, encode it as JSON, or take RawJSON.
func (s Session) Format(f fmt.State, verb rune) { formatAs(f, verb, s.summary()) }

// LogValue does for log/slog what Format does for fmt.
func (s Session) LogValue() slog.Value { return slog.StringValue(s.summary()) }

func (s Session) summary() string {
	return fmt.Sprintf("yotiface.Session{State: %s, Checks: %d}", printable(string(s.State)), len(s.Checks))
}

// GetSession reads a session with its checks and their reports. A session whose state is not [SessionCompleted] yet has
// only some of its checks.
//
// An unknown session, one that expired long ago and one of another application match [ErrNotFound]; an ID that cannot be
// one is [ErrInvalidArgument] and nothing is sent; an answer that is not this session is a [*DecodeError].
//
// Documented at https://developers.yoti.com/identity-verification/results-face-check.
func (c *Client) GetSession(ctx context.Context, sessionID string) (*Session, error) {
	var session *Session
	r := request{method: http.MethodGet, endpoint: sessionEndpoint, ids: []string{sessionID}}
	err := c.do(ctx, r, func(a *answer) (err error) {
		session, err = readJSON(a, decodeSession, "/session_id", sessionID, func(read *Session) string { return read.ID })
		return err
	})
	return session, err
}

const sessionEndpoint = "/sessions/{session_id}"

// DeleteSession deletes a session with all its media. The documentation allows that once the session is completed; before,
// the error is likely to match [ErrConflict]. A session that is not there matches [ErrNotFound], unless an earlier attempt
// of the same call may have deleted it: then the call succeeds. Applicants that were enrolled from the session stay.
//
// Documented at https://developers.yoti.com/identity-verification/delete-a-session.
func (c *Client) DeleteSession(ctx context.Context, sessionID string) error {
	return c.remove(ctx, sessionEndpoint, sessionID)
}

// Why a wait was not over. An unknown state is the service's word, and not repeated.
var (
	errOngoing      = errors.New("yotiface: the session was ONGOING")
	errUnknownState = errors.New("yotiface: the session was in a state that is not known")
)

// WaitForSession reads a session every interval, give or take a tenth, until its state is [SessionCompleted] or
// [SessionExpired], and returns it then. Other states, known or not, are waited out, and so is whatever a call would be
// tried again for: answers such as 503, and broken connections. A longer Retry-After takes the place of the interval. Any
// other error, such as [ErrNotFound], ends the wait.
//
// It may wait for as long as the context allows: give it a deadline. When the context is done, the error matches its error
// and, if the last answer was an error, that one; if it was a session, it tells the state. An interval that is not positive is
// [ErrInvalidArgument].
//
// Where notifications arrive, let them start a single [Client.GetSession] instead, and wait only as a safety net.
func (c *Client) WaitForSession(ctx context.Context, sessionID string, interval time.Duration) (*Session, error) {
	if interval <= 0 {
		return nil, invalid("the interval is not positive")
	}
	interval = min(interval, math.MaxInt64/2) // room for the tenth
	stopped := func(last error) error {
		return newStoppedError(ctx, request{method: http.MethodGet, endpoint: sessionEndpoint}, 1, last)
	}
	var last error // what there was to wait for
	for {
		session, err := c.GetSession(ctx, sessionID)
		switch {
		case err == nil && (session.State == SessionCompleted || session.State == SessionExpired):
			return session, nil
		case err == nil:
			last = errUnknownState
			if session.State == SessionOngoing {
				last = errOngoing
			}
		case ctx != nil && ctx.Err() != nil && last != nil:
			if inner, ok := errors.AsType[*stoppedError](err); ok && inner.last != nil {
				last = inner.last
			}
			return nil, stopped(last)
		case ctx == nil || ctx.Err() != nil || !retryable(http.MethodGet, err):
			return nil, err
		default:
			last = err
		}
		wait := interval - interval/10 + rand.N(interval/5+1) //nolint:gosec // G404: jitter is no secret
		if answer, ok := errors.AsType[*APIError](err); ok {
			wait = max(wait, answer.RetryAfter)
		}
		if !pause(ctx, wait) {
			return nil, stopped(last)
		}
	}
}

// A CreatedSession is a session that a user can be sent to.
//
// It holds a credential, the client session token. It is not printed by any formatting verb or log handler and not encoded
// in JSON; ClientSessionToken and [CreatedSession.ClientURL] have it.
type CreatedSession struct {
	SessionID             string `json:"session_id"`
	ClientSessionToken    string `json:"-"`                        // a credential
	ClientSessionTokenTTL int    `json:"client_session_token_ttl"` // seconds

	baseURL string
}

// ClientURL returns where the user's browser goes. It holds the client session token: hand it to that user and to nobody
// else, and keep it out of logs. On a CreatedSession that no client made it is for the default base URL.
func (s *CreatedSession) ClientURL() string {
	query := url.Values{"sessionID": {s.SessionID}, "sessionToken": {s.ClientSessionToken}}
	return cmp.Or(s.baseURL, defaultBaseURL) + "/web/index.html?" + query.Encode()
}

// Format prints how long the token is valid, whatever the verb.
func (s CreatedSession) Format(f fmt.State, verb rune) { formatAs(f, verb, s.summary()) }

// LogValue does for log/slog what Format does for fmt.
func (s CreatedSession) LogValue() slog.Value { return slog.StringValue(s.summary()) }

func (s CreatedSession) summary() string {
	return fmt.Sprintf("yotiface.CreatedSession{ClientSessionTokenTTL: %d}", s.ClientSessionTokenTTL)
}

// CreateSession creates a session. spec is whatever encodes to the documented specification with encoding/json: normally
// the official builder's *create.SessionSpecification, with [NewFamiliarFaceSearchCheck] as one of its checks and a
// liveness check beside it, as the search is made on the liveness image.
//
// Where the official builder lags behind the service, pass a struct around it, or the JSON itself as a [json.RawMessage].
// For notifications with a bearer token, for example, which its notification builder cannot ask for:
//
//	spec := struct {
//		*create.SessionSpecification
//		Notifications any `json:"notifications"`
//	}{specification, map[string]any{
//		"endpoint":   "https://example.com/yoti",
//		"topics":     []string{"session_completion"},
//		"auth_type":  "BEARER",
//		"auth_token": token,
//	}}
//
// What does not encode to a JSON object is [ErrInvalidArgument] and nothing is sent; what the service refuses matches
// [ErrBadRequest], and APIError.Errors says which part. It is tried again only where the service cannot have acted: after
// another error there may be a session whose ID nobody knows, which does no harm but expires.
//
// Documented at https://developers.yoti.com/identity-verification/create-a-session.
func (c *Client) CreateSession(ctx context.Context, spec any) (*CreatedSession, error) {
	body, err := stdjson.Marshal(spec)
	if err != nil {
		return nil, invalid("the session specification cannot be encoded: %s", shorten(mask(err.Error(), nil), 300))
	}
	switch {
	case body[0] != '{':
		return nil, invalid("the session specification does not encode to a JSON object; JSON itself is passed as a json.RawMessage")
	case string(body) == "{}" && reflect.ValueOf(spec).MethodByName("Build").IsValid():
		return nil, invalid("the session specification is a builder; pass what its Build returns")
	}
	type created struct {
		ID       string `json:"session_id"`
		Token    string `json:"client_session_token"`
		TokenTTL int    `json:"client_session_token_ttl"`
	}
	var session *CreatedSession
	r := request{method: http.MethodPost, endpoint: "/sessions", body: body}
	err = c.do(ctx, r, func(a *answer) error {
		read, err := readJSON(a, decode[created], "/session_id", "", func(read *created) string { return read.ID })
		if err != nil {
			return err
		}
		session = &CreatedSession{read.ID, read.Token, read.TokenTTL, c.baseURL}
		return nil
	})
	return session, err
}
