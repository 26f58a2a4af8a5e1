package yotiface

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/getyoti/yoti-go-sdk/v3/docscan/session/create/check"
)

// A FamiliarFaceSearch is the check that looked for the user's face in a pool of known faces.
//
// Its methods judge it. They are pure: no network, and no change to the search.
type FamiliarFaceSearch struct {
	Check
	Config FamiliarFaceSearchConfig `json:"config,omitzero"`

	configErr error // why the configuration could not be read
}

// FamiliarFaceSearchConfig is what the search was asked to do.
type FamiliarFaceSearchConfig struct {
	PoolID           string           `json:"pool_id"`
	PoolLabel        string           `json:"pool_label,omitzero"` // for display: labels are not unique
	ApprovalCriteria ApprovalCriteria `json:"approval_criteria"`
}

// ApprovalCriteria says what Yoti should recommend to approve: a face that is in the pool, or one that is not. Unknown
// values are kept as received.
type ApprovalCriteria string

// The documented criteria. The documentation also writes "NO MATCH" and "NO_ MATCH"; the verdict reads all three as one.
const (
	CriteriaMatch   ApprovalCriteria = "MATCH"    // approve who is in the pool, such as staff
	CriteriaNoMatch ApprovalCriteria = "NO_MATCH" // approve who is not, such as anybody but the self-excluded
)

// ApprovalOutcome is what the library concludes from a face search. The zero value is OutcomeUndetermined.
type ApprovalOutcome int

// The outcomes. Act on [OutcomeApproved] and [OutcomeRejected] only.
const (
	OutcomeUndetermined ApprovalOutcome = iota // no trustworthy answer: let a person decide
	OutcomePending                             // no answer yet: ask again later
	OutcomeApproved                            // Yoti recommends approval, and the evidence does not contradict it
	OutcomeRejected                            // Yoti recommends rejection, and the evidence does not contradict it
)

// MatchStatus is what the evidence of a face search says about a match, whatever was recommended.
type MatchStatus int

// The match statuses.
const (
	MatchUnknown  MatchStatus = iota // no evidence, or evidence on both sides
	MatchFound                       // the face is in the pool
	MatchNotFound                    // the face is not in the pool
)

// A Match is an applicant whose face matched, and the pool that it was found in.
type Match struct{ ApplicantID, PoolID string }

// The sub-checks and details of a face search that are evidence. Which of the two sub-checks is reported depends on the
// criterion; PASS means "as wished", so the name and the result together say whether the face was found.
const (
	subCheckFound    = "face_found_in_pool"
	subCheckNotFound = "face_not_found_in_pool"

	detailMatchingPool      = "matching_pool"
	detailMatchingApplicant = "matching_applicant"
)

// Why evidence contradicts itself or the recommendation. They are values, so that judging a search does not allocate.
var (
	errBothSides       = errors.New("yotiface: the evidence says both that the face was found in the pool and that it was not")
	errForeignPool     = errors.New("yotiface: the match is reported from a pool other than the one that was searched")
	errMatchRejected   = errors.New("yotiface: rejected under the criterion MATCH, although the face was found in the pool")
	errNoMatchApproved = errors.New("yotiface: approved under the criterion MATCH, although the face was not found in the pool")
	errMatchApproved   = errors.New("yotiface: approved under the criterion NO_MATCH, although the face was found in the pool")
	errNoMatchRejected = errors.New("yotiface: rejected under the criterion NO_MATCH, although the face was not found in the pool")
)

// newFamiliarFaceSearch types the configuration of a check. One that cannot be read is remembered: what the search was
// asked is unknown then, so it can be neither approved nor rejected.
func newFamiliarFaceSearch(c *Check) *FamiliarFaceSearch {
	f := &FamiliarFaceSearch{Check: *c}
	if len(c.Config) > 0 && string(c.Config) != "null" {
		config, err := decode[FamiliarFaceSearchConfig](c.Config)
		if err != nil {
			f.configErr = err
		} else {
			f.Config = *config
		}
	}
	return f
}

// ApprovalOutcome judges the search: Yoti's recommendation, unless the search is not done or its own evidence
// contradicts the recommendation.
//
//	state             recommendation          evidence                         outcome
//	CREATED, PENDING  any                     any                              OutcomePending
//	other than DONE   any                     any                              OutcomeUndetermined
//	DONE              APPROVE                 none, or agrees with criterion   OutcomeApproved
//	DONE              REJECT                  none, or agrees with criterion   OutcomeRejected
//	DONE              APPROVE, REJECT         contradicts it, or itself        OutcomeUndetermined; see Inconsistency
//	DONE              anything else           any                              OutcomeUndetermined
//
// A nil search, one of another type, and one whose configuration could not be read are never approved.
//
// A match is a resemblance, not a proof: let a person compare the faces before anybody is turned away or let in on it.
//
// Documented at https://developers.yoti.com/identity-verification/results-face-check.
func (f *FamiliarFaceSearch) ApprovalOutcome() ApprovalOutcome {
	if f == nil || (f.Type != CheckTypeFamiliarFaceSearch && f.Type != "") {
		return OutcomeUndetermined
	}
	switch f.State {
	case CheckCreated, CheckPending:
		return OutcomePending
	case CheckDone:
		// Judged below.
	default:
		return OutcomeUndetermined
	}
	if f.configErr != nil || f.Inconsistency() != nil {
		return OutcomeUndetermined
	}
	switch f.Report.Recommendation.Value {
	case RecommendationApprove:
		return OutcomeApproved
	case RecommendationReject:
		return OutcomeRejected
	default:
		return OutcomeUndetermined
	}
}

// Inconsistency returns why the evidence contradicts itself, the searched pool, or the recommendation under the approval
// criterion; nil where it does not, whatever the state of the check.
func (f *FamiliarFaceSearch) Inconsistency() error {
	if f == nil {
		return nil
	}
	found, notFound := f.evidence()
	if found && notFound {
		return errBothSides
	}
	if f.foreignPool() {
		return errForeignPool
	}
	match := f.Config.ApprovalCriteria == CriteriaMatch
	noMatch := isNoMatch(string(f.Config.ApprovalCriteria))
	approve := f.Report.Recommendation.Value == RecommendationApprove
	reject := f.Report.Recommendation.Value == RecommendationReject
	switch {
	case match && found && reject:
		return errMatchRejected
	case match && notFound && approve:
		return errNoMatchApproved
	case noMatch && found && approve:
		return errMatchApproved
	case noMatch && notFound && reject:
		return errNoMatchRejected
	}
	return nil
}

// MatchStatus returns what the evidence says: sub-checks with their results, matching applicants, and the reason of the
// recommendation. The recommendation itself, the type and the configuration do not count.
func (f *FamiliarFaceSearch) MatchStatus() MatchStatus {
	if f == nil {
		return MatchUnknown
	}
	switch found, notFound := f.evidence(); {
	case found && !notFound:
		return MatchFound
	case notFound && !found:
		return MatchNotFound
	default:
		return MatchUnknown
	}
}

// evidence collects what speaks for a match and what against one.
func (f *FamiliarFaceSearch) evidence() (found, notFound bool) {
	for i := range f.Report.Breakdown {
		sub := &f.Report.Breakdown[i]
		switch {
		case sub.Name == subCheckFound && sub.Result == ResultPass, sub.Name == subCheckNotFound && sub.Result == ResultFail:
			found = true
		case sub.Name == subCheckFound && sub.Result == ResultFail, sub.Name == subCheckNotFound && sub.Result == ResultPass:
			notFound = true
		}
		for j := range sub.Details {
			if sub.Details[j].Name == detailMatchingApplicant && sub.Details[j].Value != "" {
				found = true
			}
		}
	}
	switch reason := f.Report.Recommendation.Reason; {
	case reason == "MATCH" || reason == "MATCH_FOUND":
		found = true
	case isNoMatch(reason) || reason == "NO_MATCH_FOUND":
		notFound = true
	}
	return found, notFound
}

// isNoMatch knows the three ways in which the documentation writes NO_MATCH.
func isNoMatch(s string) bool {
	return s == string(CriteriaNoMatch) || s == "NO MATCH" || s == "NO_ MATCH"
}

// foreignPool reports whether a match comes from another pool than the configured one.
func (f *FamiliarFaceSearch) foreignPool() bool {
	if f.Config.PoolID == "" {
		return false
	}
	for i := range f.Report.Breakdown {
		for _, d := range f.Report.Breakdown[i].Details {
			if d.Name == detailMatchingPool && d.Value != "" && !strings.EqualFold(d.Value, f.Config.PoolID) {
				return true
			}
		}
	}
	return false
}

// Matches returns the applicants that matched, in the order reported and without repeats. An applicant belongs to the
// matching_pool before it in the same sub-check, or else to the configured pool.
func (f *FamiliarFaceSearch) Matches() []Match {
	if f == nil {
		return nil
	}
	var matches []Match
	seen := map[Match]bool{} // in lower case: IDs are compared without regard to case
	for i := range f.Report.Breakdown {
		pool := f.Config.PoolID
		for _, d := range f.Report.Breakdown[i].Details {
			switch {
			case d.Value == "":
			case d.Name == detailMatchingPool:
				pool = d.Value
			case d.Name == detailMatchingApplicant:
				key := Match{strings.ToLower(d.Value), strings.ToLower(pool)}
				if !seen[key] {
					seen[key] = true
					matches = append(matches, Match{ApplicantID: d.Value, PoolID: pool})
				}
			}
		}
	}
	return matches
}

// MatchingApplicantID returns the first applicant that matched; ok is false if none is reported.
func (f *FamiliarFaceSearch) MatchingApplicantID() (id string, ok bool) {
	if matches := f.Matches(); len(matches) > 0 {
		return matches[0].ApplicantID, true
	}
	return "", false
}

// MatchingApplicantIDs returns the applicants that matched, in the order reported and without repeats.
func (f *FamiliarFaceSearch) MatchingApplicantIDs() []string {
	var ids []string
	seen := map[string]bool{}
	for _, m := range f.Matches() {
		if key := strings.ToLower(m.ApplicantID); !seen[key] {
			seen[key] = true
			ids = append(ids, m.ApplicantID)
		}
	}
	return ids
}

// MatchingPoolID returns the pool that the first match was found in: the first matching_pool reported or else, where an
// applicant matched, the configured pool. ok is false if neither is known.
func (f *FamiliarFaceSearch) MatchingPoolID() (id string, ok bool) {
	if f == nil {
		return "", false
	}
	for i := range f.Report.Breakdown {
		for _, d := range f.Report.Breakdown[i].Details {
			if d.Name == detailMatchingPool && d.Value != "" {
				return d.Value, true
			}
		}
	}
	if matches := f.Matches(); len(matches) > 0 {
		return matches[0].PoolID, matches[0].PoolID != ""
	}
	return "", false
}

// Explain says in one sentence, for a human reviewer, what the outcome is and why. It names the pool by its label and
// holds no ID.
func (f *FamiliarFaceSearch) Explain() string {
	if f == nil {
		return "Undetermined: there is no face search."
	}
	pool := "the pool"
	if f.Config.PoolLabel != "" {
		pool = fmt.Sprintf("the pool %q", f.words(f.Config.PoolLabel))
	}
	switch f.ApprovalOutcome() {
	case OutcomePending:
		return fmt.Sprintf("Pending: the search in %s has no result yet; wait for the session to be completed.", pool)
	case OutcomeApproved:
		return fmt.Sprintf("Approved: Yoti recommends approval%s.", f.because(pool))
	case OutcomeRejected:
		return fmt.Sprintf("Rejected: Yoti recommends rejection%s.", f.because(pool))
	default:
		return fmt.Sprintf("Undetermined: %s, so let a person decide.", f.doubt())
	}
}

// because ends a sentence about a recommendation that stands.
func (f *FamiliarFaceSearch) because(pool string) string {
	criterion := "no known criterion"
	switch {
	case f.Config.ApprovalCriteria == CriteriaMatch:
		criterion = "the criterion MATCH"
	case isNoMatch(string(f.Config.ApprovalCriteria)):
		criterion = "the criterion NO_MATCH"
	}
	switch f.MatchStatus() {
	case MatchFound:
		return fmt.Sprintf(" under %s, and the face was found in %s; let a person compare the faces before acting on it", criterion, pool)
	case MatchNotFound:
		return fmt.Sprintf(" under %s, and the face was not found in %s", criterion, pool)
	default:
		return fmt.Sprintf(" under %s, and the report has no evidence from %s that could contradict it", criterion, pool)
	}
}

// doubt says why a search is undetermined.
func (f *FamiliarFaceSearch) doubt() string {
	if f.Type != CheckTypeFamiliarFaceSearch && f.Type != "" {
		return fmt.Sprintf("the check is not a face search but %q", f.words(string(f.Type)))
	}
	if f.State != CheckDone {
		return fmt.Sprintf("the state of the check is %q, which is neither done nor on the way", f.words(string(f.State)))
	}
	if f.configErr != nil {
		return "the configuration of the check cannot be read"
	}
	if err := f.Inconsistency(); err != nil {
		return strings.TrimPrefix(err.Error(), "yotiface: ")
	}
	switch value := f.Report.Recommendation.Value; value {
	case "":
		return "the report has no recommendation"
	case RecommendationNotAvailable:
		return "Yoti has no recommendation"
	default:
		return fmt.Sprintf("the recommendation %q is not known", f.words(string(value)))
	}
}

// words makes text of the service fit for a sentence: one line, short, without IDs.
func (f *FamiliarFaceSearch) words(text string) string {
	return shorten(mask(text, append(f.MatchingApplicantIDs(), f.ID, f.Config.PoolID)), 80)
}

var outcomeNames = [...]string{
	OutcomeUndetermined: "UNDETERMINED",
	OutcomePending:      "PENDING",
	OutcomeApproved:     "APPROVED",
	OutcomeRejected:     "REJECTED",
}

// String returns "UNDETERMINED", "PENDING", "APPROVED" or "REJECTED". A value that is none of the four is undetermined.
func (o ApprovalOutcome) String() string {
	if o < 0 || int(o) >= len(outcomeNames) {
		o = OutcomeUndetermined
	}
	return outcomeNames[o]
}

// MarshalText returns what String does.
func (o ApprovalOutcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads what MarshalText writes. Anything else is an error that matches [ErrInvalidArgument] and sets the
// outcome to OutcomeUndetermined.
func (o *ApprovalOutcome) UnmarshalText(text []byte) error {
	*o = OutcomeUndetermined
	for i, name := range outcomeNames {
		if string(text) == name {
			*o = ApprovalOutcome(i)
			return nil
		}
	}
	return fmt.Errorf("yotiface: %w: not an outcome", ErrInvalidArgument)
}

// String returns "UNKNOWN", "FOUND" or "NOT_FOUND".
func (m MatchStatus) String() string {
	switch m {
	case MatchFound:
		return "FOUND"
	case MatchNotFound:
		return "NOT_FOUND"
	default:
		return "UNKNOWN"
	}
}

// A RequestedFamiliarFaceSearch asks for a face search when a session is created. It is a check for the official builders:
// their check.RequestedCheck.
type RequestedFamiliarFaceSearch struct {
	config RequestedFamiliarFaceSearchConfig
}

// RequestedFamiliarFaceSearchConfig is the configuration of a RequestedFamiliarFaceSearch.
type RequestedFamiliarFaceSearchConfig struct {
	PoolID           string           `json:"pool_id"`
	ApprovalCriteria ApprovalCriteria `json:"approval_criteria"`
}

var _ check.RequestedCheck = (*RequestedFamiliarFaceSearch)(nil)

// NewFamiliarFaceSearchCheck returns a check that searches a pool, for a session specification built with the official
// builder's WithRequestedCheck. Request a liveness check with it: the search is made on the liveness image.
//
// A pool ID that cannot be one, and a criterion other than [CriteriaMatch] and [CriteriaNoMatch], are
// [ErrInvalidArgument].
//
// Documented at https://developers.yoti.com/identity-verification/configure-face-check.
func NewFamiliarFaceSearchCheck(poolID string, criteria ApprovalCriteria) (*RequestedFamiliarFaceSearch, error) {
	if err := checkID("the pool ID", poolID); err != nil {
		return nil, err
	}
	if criteria != CriteriaMatch && criteria != CriteriaNoMatch {
		return nil, invalid("the approval criterion is neither MATCH nor NO_MATCH")
	}
	return &RequestedFamiliarFaceSearch{RequestedFamiliarFaceSearchConfig{poolID, criteria}}, nil
}

// Type returns "FAMILIAR_FACE_SEARCH".
func (r *RequestedFamiliarFaceSearch) Type() string { return string(CheckTypeFamiliarFaceSearch) }

// Config returns the [RequestedFamiliarFaceSearchConfig].
func (r *RequestedFamiliarFaceSearch) Config() check.RequestedCheckConfig { return r.config }

// MarshalJSON encodes the check as a session specification wants it.
func (r *RequestedFamiliarFaceSearch) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Type   string                            `json:"type"`
		Config RequestedFamiliarFaceSearchConfig `json:"config"`
	}{r.Type(), r.config})
}
