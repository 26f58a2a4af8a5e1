package yotitest

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// specification is what a session is created with, as far as it matters here.
type specification struct {
	TokenTTL              *int             `json:"client_session_token_ttl"`
	ResourcesTTL          *int             `json:"resources_ttl"`
	UserTrackingID        string           `json:"user_tracking_id"`
	BlockBiometricConsent bool             `json:"block_biometric_consent"`
	RequestedChecks       []requestedCheck `json:"requested_checks"`
	Notifications         *subscription    `json:"notifications"`

	pools map[string]pool // those to be searched, as they were then
}

type requestedCheck struct {
	Type   string `json:"type"`
	Config struct {
		PoolID           string `json:"pool_id"`
		ApprovalCriteria string `json:"approval_criteria"`
		LivenessType     string `json:"liveness_type"`
	} `json:"config"`
}

// subscription says which notifications are wanted, and where.
type subscription struct {
	Endpoint  string   `json:"endpoint"`
	Topics    []string `json:"topics"`
	AuthToken string   `json:"auth_token"`
	AuthType  string   `json:"auth_type"`
}

const (
	defaultTokenTTL = 600   // in seconds; what the service takes is not documented
	minTokenTTL     = 301   // a documented bound, as are the others
	minResourcesTTL = 86400 // also above the token's

	authBasic  = "BASIC"
	authBearer = "BEARER"
)

var (
	// The checks that the documentation names.
	checkTypes = []string{
		faceSearchType, livenessType, "FACE_COMPARISON",
		"ID_DOCUMENT_AUTHENTICITY", "ID_DOCUMENT_TEXT_DATA_CHECK", "ID_DOCUMENT_FACE_MATCH", "ID_DOCUMENT_COMPARISON",
		"SUPPLEMENTARY_DOCUMENT_TEXT_DATA_CHECK", "THIRD_PARTY_IDENTITY", "THIRD_PARTY_IDENTITY_FRAUD_1",
		"SYNECTICS_IDENTITY_FRAUD", "WATCHLIST_SCREENING", "WATCHLIST_ADVANCED_CA", "IBV_VISUAL_REVIEW_CHECK",
		"DOCUMENT_SCHEME_VALIDITY_CHECK", "PROFILE_DOCUMENT_MATCH",
	}

	// The topics that the documentation names, in the case of notifications.
	topics = []string{
		topicSession, topicCheck, "task_completion", topicResource, topicTokenDeleted,
		"new_pdf_supplied", "instructions_email_requested", "thank_you_email_requested", "first_branch_visit",
	}
)

// createSession answers POST /sessions.
func (s *Server) createSession(c *call) answer {
	var spec specification
	if refusal, ok := c.read(&spec); !ok {
		return refusal
	}
	spec.pools = make(map[string]pool)
	for _, check := range spec.RequestedChecks {
		if p, ok := s.state.pool(check.Config.PoolID); ok {
			spec.pools[p.ID] = p
		}
	}
	if errs := spec.check(); len(errs) > 0 {
		return invalidPayload(errs...)
	}

	created := sessionJSON{
		ClientSessionTokenTTL: spec.tokenTTL(),
		ClientSessionToken:    newUUID(),
		SessionID:             newUUID(),
		State:                 sessionOngoing,
		UserTrackingID:        spec.UserTrackingID,
	}
	s.state.putSession(created.SessionID, newSession(&spec, created))
	return document(http.StatusCreated, struct {
		TTL   int    `json:"client_session_token_ttl"`
		Token string `json:"client_session_token"`
		ID    string `json:"session_id"`
	}{created.ClientSessionTokenTTL, created.ClientSessionToken, created.SessionID})
}

func (spec *specification) tokenTTL() int {
	if spec.TokenTTL == nil {
		return defaultTokenTTL
	}
	return *spec.TokenTTL
}

// check returns what is wrong with the specification.
func (spec *specification) check() []fieldError {
	var errs []fieldError
	wrong := func(property, message string) { errs = append(errs, fieldError{property, message}) }

	if spec.tokenTTL() < minTokenTTL {
		wrong("client_session_token_ttl", "must be more than 300")
	}
	if ttl := spec.ResourcesTTL; ttl != nil && (*ttl < minResourcesTTL || *ttl-minResourcesTTL < spec.tokenTTL()) {
		wrong("resources_ttl", "must be at least 86400, and 86400 more than client_session_token_ttl")
	}
	for i, check := range spec.RequestedChecks {
		name := fmt.Sprintf("requested_checks[%d]", i)
		switch check.Type {
		case faceSearchType:
			if _, ok := spec.pools[check.Config.PoolID]; !ok {
				wrong(name+".config.pool_id", "is not the ID of a pool")
			}
			if criteria := check.Config.ApprovalCriteria; criteria != criterionMatch && criteria != criterionNoMatch {
				wrong(name+".config.approval_criteria", "must be MATCH or NO_MATCH")
			}
		case livenessType:
			if !slices.Contains([]string{"", livenessStatic, livenessZoom}, check.Config.LivenessType) {
				wrong(name+".config.liveness_type", "must be STATIC or ZOOM")
			}
		default:
			if !slices.Contains(checkTypes, check.Type) {
				wrong(name+".type", "is not the type of a check")
			}
		}
	}
	if spec.Notifications != nil {
		spec.Notifications.check(wrong)
	}
	return errs
}

func (sub *subscription) check(wrong func(property, message string)) {
	endpoint, err := url.Parse(sub.Endpoint)
	secure := err == nil && endpoint.Host != "" &&
		(endpoint.Scheme == "https" || endpoint.Scheme == "http" && isLoopback(endpoint.Hostname()))
	if !secure {
		wrong("notifications.endpoint", "must be an https URL")
	}
	for i, topic := range sub.Topics {
		if !slices.Contains(topics, strings.ToLower(topic)) {
			wrong(fmt.Sprintf("notifications.topics[%d]", i), "is not a topic")
		}
	}
	switch sub.AuthType {
	case "":
	case authBasic, authBearer:
		if sub.AuthToken == "" {
			wrong("notifications.auth_token", "must not be empty with an auth_type")
		}
	default:
		wrong("notifications.auth_type", "must be BASIC or BEARER")
	}
}

// isLoopback reports whether a host is this machine.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || (ip != nil && ip.IsLoopback())
}
