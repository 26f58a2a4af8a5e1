package yotitest

import "github.com/go-json-experiment/json/jsontext"

const (
	sessionOngoing   = "ONGOING"
	sessionCompleted = "COMPLETED"
	sessionExpired   = "EXPIRED"

	checkPending = "PENDING"
	checkDone    = "DONE"

	criterionMatch   = "MATCH"
	criterionNoMatch = "NO_MATCH"

	valueApprove      = "APPROVE"
	valueReject       = "REJECT"
	valueNotAvailable = "NOT_AVAILABLE"

	resultPass = "PASS"
	resultFail = "FAIL"
	automated  = "AUTOMATED"

	faceSearchType = "FAMILIAR_FACE_SEARCH"
	livenessType   = "LIVENESS"

	livenessStatic = "STATIC"
	livenessZoom   = "ZOOM"
)

// sessionJSON is a session as far as the server writes it itself. What it does
// not change stays as it is.
type sessionJSON struct {
	ClientSessionTokenTTL int           `json:"client_session_token_ttl"`
	ClientSessionToken    string        `json:"client_session_token,omitempty"`
	SessionID             string        `json:"session_id"`
	State                 string        `json:"state"`
	Resources             resourcesJSON `json:"resources"`
	Checks                []checkJSON   `json:"checks"`
	UserTrackingID        string        `json:"user_tracking_id,omitempty"`
	BiometricConsent      string        `json:"biometric_consent,omitempty"`
}

type (
	resourcesJSON struct {
		IDDocuments            []jsontext.Value `json:"id_documents"`
		SupplementaryDocuments []jsontext.Value `json:"supplementary_documents"`
		LivenessCapture        []livenessJSON   `json:"liveness_capture"`
		FaceCapture            []jsontext.Value `json:"face_capture"`
		ApplicantProfiles      []jsontext.Value `json:"applicant_profiles"`
	}
	livenessJSON struct {
		ID           string           `json:"id"`
		Tasks        []jsontext.Value `json:"tasks"`
		Source       jsontext.Value   `json:"source"`
		CreatedAt    string           `json:"created_at"`
		LastUpdated  string           `json:"last_updated"`
		Image        holderJSON       `json:"image,omitzero"`  // of a static one
		Frames       []holderJSON     `json:"frames,omitzero"` // of a ZOOM one
		LivenessType string           `json:"liveness_type"`
	}
	holderJSON struct {
		Media mediaJSON `json:"media"`
	}
	mediaJSON struct {
		ID          string `json:"id"`
		Type        string `json:"type"`
		Created     string `json:"created"`
		LastUpdated string `json:"last_updated"`
	}
)

type (
	checkJSON struct {
		Type           string           `json:"type"`
		ID             string           `json:"id"`
		State          string           `json:"state"`
		ResourcesUsed  []string         `json:"resources_used"`
		GeneratedMedia []jsontext.Value `json:"generated_media"`
		Report         reportJSON       `json:"report,omitzero"`
		Created        string           `json:"created"`
		LastUpdated    string           `json:"last_updated"`
		Config         configJSON       `json:"config,omitzero"`
	}
	configJSON struct {
		PoolID           string `json:"pool_id"`
		PoolLabel        string `json:"pool_label"`
		ApprovalCriteria string `json:"approval_criteria"`
	}
	reportJSON struct {
		Recommendation recommendationJSON `json:"recommendation"`
		Breakdown      []subCheckJSON     `json:"breakdown"`
	}
	recommendationJSON struct {
		Value  string `json:"value"`
		Reason string `json:"reason,omitempty"`
	}
	subCheckJSON struct {
		SubCheck string       `json:"sub_check"`
		Result   string       `json:"result"`
		Details  []detailJSON `json:"details"`
		Process  string       `json:"process"`
	}
	detailJSON struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
)

// newLiveness is a capture that the user has made just now.
func newLiveness(kind string, media mediaJSON, at string) livenessJSON {
	capture := livenessJSON{ID: newUUID(), Source: endUser, CreatedAt: at, LastUpdated: at, LivenessType: kind}
	if kind == livenessZoom {
		capture.Frames = []holderJSON{{media}}
	} else {
		capture.Image = holderJSON{media}
	}
	return capture
}

var endUser = jsontext.Value(`{"type":"END_USER"}`)

// livenessReport is the documented one, of somebody who is alive.
var livenessReport = reportJSON{
	Recommendation: recommendationJSON{Value: valueApprove},
	Breakdown: []subCheckJSON{
		{SubCheck: "face_processing", Result: resultPass, Process: automated},
		{SubCheck: "liveness_auth", Result: resultPass, Process: automated},
		{SubCheck: "payload_signature_verification", Result: resultPass, Process: automated},
	},
}

// faceSearchReport is what the service reports of a search in a pool that found
// these applicants. Two of the four combinations of a criterion and a find are
// documented. The others are formed after them, with the reason that the
// documentation names in its text.
func faceSearchReport(config configJSON, matching []string) reportJSON {
	found := len(matching) > 0
	sub := subCheckJSON{
		SubCheck: "face_not_found_in_pool",
		Result:   resultPass,
		Details:  []detailJSON{},
		Process:  automated,
	}
	recommendation := recommendationJSON{Value: valueApprove}
	switch config.ApprovalCriteria {
	case criterionMatch:
		sub.SubCheck = "face_found_in_pool"
		if !found {
			sub.Result = resultFail
			recommendation = recommendationJSON{valueReject, "NO_MATCH"}
		}
	case criterionNoMatch:
		if found {
			sub.Result = resultFail
			recommendation = recommendationJSON{valueReject, "MATCH_FOUND"}
		}
	}
	for _, applicantID := range matching {
		sub.Details = append(sub.Details,
			detailJSON{"matching_pool", config.PoolID},
			detailJSON{"matching_applicant", applicantID})
	}
	return reportJSON{recommendation, []subCheckJSON{sub}}
}
