package yotiface

import "time"

// Resources is everything that was captured or supplied in a session. There is one entry for each attempt, so several
// liveness captures are normal.
type Resources struct {
	IDDocuments            []IDDocument            `json:"id_documents,omitzero"`
	SupplementaryDocuments []SupplementaryDocument `json:"supplementary_documents,omitzero"`
	LivenessCaptures       []LivenessCapture       `json:"liveness_capture,omitzero"`
	FaceCaptures           []FaceCapture           `json:"face_capture,omitzero"`
	ApplicantProfiles      []ApplicantProfile      `json:"applicant_profiles,omitzero"`
	ShareCodes             []ShareCode             `json:"share_codes,omitzero"`
}

// Resource is what all resources of a session have in common. Its ID is what Check.ResourcesUsed refers to.
type Resource struct {
	ID          string    `json:"id"`
	Tasks       []Task    `json:"tasks,omitzero"`
	Source      Source    `json:"source,omitzero"`
	Created     time.Time `json:"created_at,omitzero"`
	LastUpdated time.Time `json:"last_updated,omitzero"`
}

// IDDocument is an identity document that was captured.
type IDDocument struct {
	Resource
	DocumentType           DocumentType `json:"document_type,omitzero"`
	IssuingCountry         string       `json:"issuing_country,omitzero"` // ISO 3166-1 alpha-3, such as "GBR"
	Pages                  []Page       `json:"pages,omitzero"`
	DocumentFields         MediaHolder  `json:"document_fields,omitzero"`
	DocumentIDPhoto        MediaHolder  `json:"document_id_photo,omitzero"`
	ExpandedDocumentFields MediaHolder  `json:"expanded_document_fields,omitzero"`
}

// SupplementaryDocument is another document, such as a proof of address: images are in Pages, an uploaded PDF in File.
type SupplementaryDocument struct {
	Resource
	DocumentType   DocumentType `json:"document_type,omitzero"`
	IssuingCountry string       `json:"issuing_country,omitzero"` // ISO 3166-1 alpha-3, such as "GBR"
	Pages          []Page       `json:"pages,omitzero"`
	DocumentFields MediaHolder  `json:"document_fields,omitzero"`
	File           MediaHolder  `json:"file,omitzero"`
}

// LivenessCapture is one attempt at the liveness test. A STATIC one holds the captured face in Image, a ZOOM one a face
// map and frames; all fields can be read whatever LivenessType says.
type LivenessCapture struct {
	Resource
	LivenessType LivenessType  `json:"liveness_type,omitzero"`
	CaptureType  string        `json:"capture_type,omitzero"` // such as "PHOTOGRAPH"
	Image        MediaHolder   `json:"image,omitzero"`
	FaceMap      MediaHolder   `json:"facemap,omitzero"`
	Frames       []MediaHolder `json:"frames,omitzero"` // some may be zero
}

// FaceCapture is a face that was captured without a liveness test.
type FaceCapture struct {
	Resource
	Image MediaHolder `json:"image,omitzero"`
}

// ApplicantProfile is a profile that the backend supplied; unlike elsewhere its media stands directly in it.
type ApplicantProfile struct {
	Resource
	Media MediaRef `json:"media,omitzero"`
}

// ShareCode is the answer to a share code that was looked up.
type ShareCode struct {
	Resource
	LookupProfile   MediaHolder `json:"lookup_profile,omitzero"`
	ReturnedProfile MediaHolder `json:"returned_profile,omitzero"`
	IDPhoto         MediaHolder `json:"id_photo,omitzero"`
	File            MediaHolder `json:"file,omitzero"`
}

// Page is one side of a document.
type Page struct {
	CaptureMethod      CaptureMethod `json:"capture_method,omitzero"`
	Media              MediaRef      `json:"media,omitzero"`
	Frames             []MediaHolder `json:"frames,omitzero"`
	ExtractionImageIDs []string      `json:"extraction_image_ids,omitzero"`
}

// MediaRef refers to media of a session, whose content is fetched by its ID until the session's resources expire.
type MediaRef struct {
	ID          string    `json:"id"`
	Type        MediaType `json:"type,omitzero"`
	Created     time.Time `json:"created,omitzero"`
	LastUpdated time.Time `json:"last_updated,omitzero"`
}

// MediaHolder is an object that the service wraps around a MediaRef.
type MediaHolder struct {
	Media MediaRef `json:"media,omitzero"`
}

// Source says where a resource came from. It decodes from an object with a type and from a plain string.
type Source struct {
	Type SourceType `json:"type,omitzero"`
}

// UnmarshalJSON reads {"type":"END_USER"} as well as "END_USER", which share codes have been seen with.
func (s *Source) UnmarshalJSON(b []byte) error {
	type plain Source
	return unmarshalStringOr(b, (*string)(&s.Type), (*plain)(s))
}

// Task is work that the service did on a resource, such as reading the text of a document.
type Task struct {
	Type            TaskType           `json:"type"`
	ID              string             `json:"id"`
	State           TaskState          `json:"state"`
	Created         time.Time          `json:"created,omitzero"`
	LastUpdated     time.Time          `json:"last_updated,omitzero"`
	GeneratedChecks []GeneratedCheck   `json:"generated_checks,omitzero"`
	GeneratedMedia  []GeneratedMedia   `json:"generated_media,omitzero"`
	Recommendation  TaskRecommendation `json:"recommendation,omitzero"`
}

// GeneratedCheck refers to a check that a task led to.
type GeneratedCheck struct {
	ID   string    `json:"id"`
	Type CheckType `json:"type,omitzero"`
}

// TaskRecommendation says how to go on after a task.
type TaskRecommendation struct {
	Value  TaskRecommendationValue `json:"value"`
	Reason TaskReason              `json:"reason,omitzero"`
}

// TaskReason is why a task did not recommend to go on: unlike on a check it is an object. A plain string is read as
// its Value.
type TaskReason struct {
	Value  string `json:"value"` // such as "QUALITY" or "USER_ERROR"
	Detail string `json:"detail,omitzero"`
}

// UnmarshalJSON reads {"value":"QUALITY","detail":"…"} as well as "QUALITY".
func (r *TaskReason) UnmarshalJSON(b []byte) error {
	type plain TaskReason
	return unmarshalStringOr(b, &r.Value, (*plain)(r))
}

// The string types below name what the service calls things. New values appear without notice and are kept as
// received.
type (
	// DocumentType is the kind of a document.
	DocumentType string
	// MediaType is the kind of a media object.
	MediaType string
	// CaptureMethod is how a page came in.
	CaptureMethod string
	// SourceType is who supplied a resource.
	SourceType string
	// LivenessType is the kind of a liveness test.
	LivenessType string
	// TaskType is the kind of a task.
	TaskType string
	// TaskState is how far a task is.
	TaskState string
	// TaskRecommendationValue is what a task recommends.
	TaskRecommendationValue string
)

// The documented values.
const (
	DocumentTypePassport        DocumentType = "PASSPORT"
	DocumentTypeDrivingLicence  DocumentType = "DRIVING_LICENCE"
	DocumentTypeNationalID      DocumentType = "NATIONAL_ID"
	DocumentTypeResidencePermit DocumentType = "RESIDENCE_PERMIT"
	DocumentTypeTravelDocument  DocumentType = "TRAVEL_DOCUMENT"
	DocumentTypeStateID         DocumentType = "STATE_ID"
	DocumentTypeUtilityBill     DocumentType = "UTILITY_BILL"
	DocumentTypePhoneBill       DocumentType = "PHONE_BILL"
	DocumentTypeBankStatement   DocumentType = "BANK_STATEMENT"
	DocumentTypeCouncilTaxBill  DocumentType = "COUNCIL_TAX_BILL"

	MediaTypeImage  MediaType = "IMAGE"
	MediaTypeJSON   MediaType = "JSON"
	MediaTypeBinary MediaType = "BINARY"

	CaptureMethodCamera CaptureMethod = "CAMERA"
	CaptureMethodUpload CaptureMethod = "UPLOAD"

	SourceTypeEndUser         SourceType = "END_USER"
	SourceTypeRelyingBusiness SourceType = "RELYING_BUSINESS"
	SourceTypeIBV             SourceType = "IBV" // in-branch verification

	LivenessTypeStatic LivenessType = "STATIC"
	LivenessTypeZoom   LivenessType = "ZOOM"

	TaskTypeIDDocumentTextDataExtraction            TaskType = "ID_DOCUMENT_TEXT_DATA_EXTRACTION"
	TaskTypeSupplementaryDocumentTextDataExtraction TaskType = "SUPPLEMENTARY_DOCUMENT_TEXT_DATA_EXTRACTION"
	TaskTypeVerifyShareCode                         TaskType = "VERIFY_SHARE_CODE_TASK"

	TaskStateDone    TaskState = "DONE"
	TaskStatePending TaskState = "PENDING"
	TaskStateFailed  TaskState = "FAILED"

	TaskRecommendationProgress       TaskRecommendationValue = "PROGRESS"
	TaskRecommendationShouldTryAgain TaskRecommendationValue = "SHOULD_TRY_AGAIN"
	TaskRecommendationMustTryAgain   TaskRecommendationValue = "MUST_TRY_AGAIN"
)
