package yotiface

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// A Check is one of the checks that a session was created with: what was checked, how far it is, and its report.
//
// A Familiar Face Search is a check too; [Session.FamiliarFaceSearches] gives it with its configuration typed and with
// the methods that judge it.
type Check struct {
	Type           CheckType        `json:"type"`
	ID             string           `json:"id"`
	State          CheckState       `json:"state"`
	ResourcesUsed  []string         `json:"resources_used,omitzero"` // IDs of the session's resources
	GeneratedMedia []GeneratedMedia `json:"generated_media,omitzero"`
	Report         Report           `json:"report,omitzero"` // the zero Report until the check is done
	Created        time.Time        `json:"created,omitzero"`
	LastUpdated    time.Time        `json:"last_updated,omitzero"`

	// Config is the check's configuration as received, empty where there is none.
	Config json.RawMessage `json:"config,omitzero"`

	// GeneratedProfile is what identity, fraud and watchlist checks leave.
	GeneratedProfile MediaHolder `json:"generated_profile,omitzero"`

	// Scheme is the scheme that a DOCUMENT_SCHEME_VALIDITY_CHECK was made for, such as "UK_DBS".
	Scheme string `json:"scheme,omitzero"`
}

// CheckType names the kind of a check. The service adds kinds without notice; one that this version does not know is
// kept exactly as received.
type CheckType string

// The documented kinds of checks.
const (
	CheckTypeFamiliarFaceSearch                 CheckType = "FAMILIAR_FACE_SEARCH"
	CheckTypeLiveness                           CheckType = "LIVENESS"
	CheckTypeIDDocumentAuthenticity             CheckType = "ID_DOCUMENT_AUTHENTICITY"
	CheckTypeIDDocumentTextDataCheck            CheckType = "ID_DOCUMENT_TEXT_DATA_CHECK"
	CheckTypeIDDocumentFaceMatch                CheckType = "ID_DOCUMENT_FACE_MATCH"
	CheckTypeIDDocumentComparison               CheckType = "ID_DOCUMENT_COMPARISON"
	CheckTypeFaceComparison                     CheckType = "FACE_COMPARISON"
	CheckTypeSupplementaryDocumentTextDataCheck CheckType = "SUPPLEMENTARY_DOCUMENT_TEXT_DATA_CHECK"
	CheckTypeThirdPartyIdentity                 CheckType = "THIRD_PARTY_IDENTITY"
	CheckTypeThirdPartyIdentityFraud1           CheckType = "THIRD_PARTY_IDENTITY_FRAUD_1"
	CheckTypeSynecticsIdentityFraud             CheckType = "SYNECTICS_IDENTITY_FRAUD"
	CheckTypeWatchlistScreening                 CheckType = "WATCHLIST_SCREENING"
	CheckTypeWatchlistAdvancedCA                CheckType = "WATCHLIST_ADVANCED_CA"
	CheckTypeIBVVisualReview                    CheckType = "IBV_VISUAL_REVIEW_CHECK"
	CheckTypeDocumentSchemeValidity             CheckType = "DOCUMENT_SCHEME_VALIDITY_CHECK"
	CheckTypeProfileDocumentMatch               CheckType = "PROFILE_DOCUMENT_MATCH"
)

// CheckState says how far a check is. Only a check that is [CheckDone] has an answer; unknown states are kept as
// received.
type CheckState string

// The documented states of a check.
const (
	CheckCreated CheckState = "CREATED"
	CheckPending CheckState = "PENDING"
	CheckDone    CheckState = "DONE"
)

// GeneratedMedia refers to media that a check or a task made.
type GeneratedMedia struct {
	ID   string    `json:"id"`
	Type MediaType `json:"type,omitzero"`
}

// A Report is what a check found.
type Report struct {
	Recommendation Recommendation `json:"recommendation,omitzero"`
	Breakdown      []SubCheck     `json:"breakdown,omitzero"`

	// WatchlistSummary is part of the reports of WATCHLIST_SCREENING and WATCHLIST_ADVANCED_CA.
	WatchlistSummary WatchlistSummary `json:"watchlist_summary,omitzero"`
}

// A Recommendation is Yoti's answer to a check.
//
// For a Familiar Face Search it answers the approval criterion, not the question whether there was a match: under
// [CriteriaNoMatch] a match is recommended for rejection, and the value is never "MATCH". Act on
// [FamiliarFaceSearch.ApprovalOutcome] instead, which also looks at the state and the evidence.
type Recommendation struct {
	Value              RecommendationValue `json:"value"`
	Reason             string              `json:"reason,omitzero"`              // such as "MATCH_FOUND"; often absent on an approval
	RecoverySuggestion string              `json:"recovery_suggestion,omitzero"` // such as "BETTER_LIGHTING"
}

// RecommendationValue is what Yoti recommends; unknown values are kept as received.
type RecommendationValue string

// The documented recommendations of a check.
const (
	RecommendationApprove      RecommendationValue = "APPROVE"
	RecommendationReject       RecommendationValue = "REJECT"
	RecommendationNotAvailable RecommendationValue = "NOT_AVAILABLE"
	RecommendationConsider     RecommendationValue = "CONSIDER" // address and watchlist checks only
)

// A SubCheck is one step of a check's breakdown.
type SubCheck struct {
	Name    string   `json:"sub_check"` // such as "face_found_in_pool"
	Result  Result   `json:"result"`
	Details []Detail `json:"details,omitzero"`
	Process string   `json:"process,omitzero"` // ProcessAutomated, ProcessExpertReview or a value not known yet
}

// Result is the outcome of a sub-check; unknown results are kept as received.
type Result string

// The documented results of a sub-check.
const (
	ResultPass Result = "PASS"
	ResultFail Result = "FAIL"
)

// The documented values of SubCheck.Process.
const (
	ProcessAutomated    = "AUTOMATED"
	ProcessExpertReview = "EXPERT_REVIEW"
)

// A Detail is a name with a value that a sub-check reports. The value is always text, also where it is a number
// ("0.68") or a truth value ("false").
type Detail struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// WatchlistSummary is the watchlist_summary of a report, as received. Its search configuration can hold the api_key of a
// provider, so it is not printed by any formatting verb or log handler, and MarshalJSON leaves every api_key out. RawJSON
// has it.
type WatchlistSummary struct {
	raw *[]byte // behind a pointer, which no verb follows inside a struct
}

// RawJSON returns a copy of what was received, nil if there was nothing.
func (w WatchlistSummary) RawJSON() []byte {
	if w.raw == nil {
		return nil
	}
	return bytes.Clone(*w.raw)
}

// UnmarshalJSON keeps a copy of b.
func (w *WatchlistSummary) UnmarshalJSON(b []byte) error {
	raw := bytes.Clone(b)
	w.raw = &raw
	return nil
}

// MarshalJSON encodes what was received without the members named api_key.
func (w WatchlistSummary) MarshalJSON() ([]byte, error) {
	if w.raw == nil {
		return []byte("null"), nil
	}
	return withoutCredentials(*w.raw)
}

// Format prints the length, whatever the verb.
func (w WatchlistSummary) Format(f fmt.State, verb rune) { formatAs(f, verb, w.summary()) }

// LogValue does for log/slog what Format does for fmt.
func (w WatchlistSummary) LogValue() slog.Value { return slog.StringValue(w.summary()) }

func (w WatchlistSummary) summary() string {
	return fmt.Sprintf("yotiface.WatchlistSummary{%d bytes}", len(w.RawJSON()))
}

// withoutCredentials copies a JSON value and leaves out the members that are credentials, at every depth.
func withoutCredentials(value []byte) ([]byte, error) {
	var out bytes.Buffer
	in, enc := jsontext.NewDecoder(bytes.NewReader(value)), jsontext.NewEncoder(&out)
	for {
		token, err := in.ReadToken()
		if errors.Is(err, io.EOF) {
			return bytes.TrimSpace(out.Bytes()), nil
		}
		if err != nil {
			return nil, err
		}
		if kind, length := in.StackIndex(in.StackDepth()); kind == '{' && length%2 == 1 && token.Kind() == '"' && isCredential(token.String()) {
			if err := in.SkipValue(); err != nil {
				return nil, err
			}
			continue
		}
		if err := enc.WriteToken(token); err != nil {
			return nil, err
		}
	}
}

func isCredential(name string) bool { return name == "client_session_token" || name == "api_key" }
