package yotitest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// session is a session as the server keeps it.
type session struct {
	json []byte // what is answered, byte for byte

	// Of a session that a request has created:
	spec *specification // nil for one that was put
	now  sessionJSON    // what json says
}

func newSession(spec *specification, now sessionJSON) session {
	return session{document(http.StatusOK, now).body, spec, now}
}

// PutSession makes the server answer with a session, byte for byte as it is
// given here, and returns its ID: that of its session_id, or, where it has none,
// a new one that is put in. A session with the same ID is replaced.
//
// It panics if it is not given a JSON object with a usable session_id, since no
// request could ever ask for it. Anything else may be wrong with the session.
func (s *Server) PutSession(sessionJSON []byte) (sessionID string) {
	id, withID, err := identify(sessionJSON)
	if err != nil {
		panic(fmt.Sprintf("yotitest: PutSession: %v", err))
	}
	s.state.putSession(id, session{json: withID})
	return id
}

// lenient reads what a test may want to serve: names that occur twice and broken
// text.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// identify returns the ID of a session, and a copy of the session that has it.
func identify(session []byte) (id string, withID []byte, err error) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(session, &members, lenient); err != nil {
		return "", nil, fmt.Errorf("not a JSON object: %w", err)
	}
	if members == nil {
		return "", nil, errors.New("not a JSON object but null")
	}
	if raw, ok := members["session_id"]; ok {
		if err := json.Unmarshal(raw, &id, lenient); err != nil || id == "" {
			return "", nil, fmt.Errorf("not an ID: %s", raw)
		}
		return id, bytes.Clone(session), nil
	}

	id = newUUID()
	member := fmt.Sprintf(`{"session_id":%q`, id)
	if len(members) > 0 {
		member += ","
	}
	return id, bytes.Replace(session, []byte("{"), []byte(member), 1), nil
}

func (st *state) putSession(id string, session session) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.sessions[id] = session
}

// getSession answers GET /sessions/{session_id}.
func (s *Server) getSession(c *call) answer {
	s.state.mu.RLock()
	session, ok := s.state.sessions[c.ids[0]]
	s.state.mu.RUnlock()
	if !ok {
		return notFound("session")
	}
	return content(http.StatusOK, "application/json", session.json)
}

// deleteSession answers DELETE /sessions/{session_id}, with all the session's
// media. The service demands that the session is completed, and does not say what
// it answers if it is not.
func (s *Server) deleteSession(c *call) answer {
	id := c.ids[0]
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	session, ok := s.state.sessions[id]
	if !ok {
		return notFound("session")
	}
	if session.ongoing() {
		return failure(http.StatusConflict, "CONFLICT", "the session is not completed")
	}
	delete(s.state.sessions, id)
	maps.DeleteFunc(s.state.media, func(key mediaKey, _ blob) bool { return key.sessionID == id })
	return noContent()
}

// ongoing reports whether the session says that it is.
func (v session) ongoing() bool {
	var says struct {
		State string `json:"state"`
	}
	return json.Unmarshal(v.json, &says, lenient) == nil && says.State == sessionOngoing
}
