package yotiface

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
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
func decodeSession(raw []byte) (*Session, error) {
	read, err := decode[plainSession](raw)
	if err != nil {
		return nil, err
	}
	read.raw = raw
	return (*Session)(read), nil
}

// MarshalJSON encodes the session without its client session token, so that a credential does not end up in a log or a
// database by accident. For what the service sent, byte for byte, take [Session.RawJSON].
func (s Session) MarshalJSON() ([]byte, error) {
	s.ClientSessionToken = ""
	return json.Marshal(plainSession(s))
}

// Format prints the state of the session and the number of its checks, whatever the verb: nothing that identifies a
// person, and no credential.
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
	err := c.do(ctx, request{
		method:   http.MethodGet,
		endpoint: "/sessions/{session_id}",
		ids:      []string{sessionID},
	}, func(a *answer) error {
		body, err := a.readAll()
		if err != nil {
			return err
		}
		read, err := decodeSession(body)
		if err != nil {
			return err
		}
		if err := sameID("/session_id", read.ID, sessionID, body); err != nil {
			return err
		}
		session = read
		return nil
	})
	if err != nil {
		return nil, err
	}
	return session, nil
}
