package yotiface

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// An Applicant is a person whose face is known: what a Familiar Face Search finds.
type Applicant struct {
	ID          string         `json:"id"`
	Faces       ApplicantFaces `json:"faces,omitzero"`
	Pools       []Pool         `json:"pools,omitzero"` // the pools that the applicant is in
	Created     time.Time      `json:"created_at,omitzero"`
	LastUpdated time.Time      `json:"last_updated,omitzero"`
}

// ApplicantFaces are the faces of an applicant. The archetype face is the one that stands for the applicant; whether Faces
// repeats it is not documented. [Applicant.FaceIDs] has each once.
type ApplicantFaces struct {
	ArchetypeFaceID string    `json:"archetype_face,omitzero"`
	Faces           []FaceRef `json:"faces,omitzero"`
}

// A FaceRef refers to a face of an applicant. The documentation shows no element of the list, so it decodes from a plain
// ID as well as from an object with an id.
type FaceRef struct {
	ID string `json:"id"`
}

// UnmarshalJSON reads "uuid" as well as {"id":"uuid"}.
func (r *FaceRef) UnmarshalJSON(b []byte) error {
	type plain FaceRef
	return unmarshalStringOr(b, &r.ID, (*plain)(r))
}

// FaceID returns the archetype face, or else the first one listed. ok is false for an applicant without a face.
func (a *Applicant) FaceID() (id string, ok bool) {
	if ids := a.FaceIDs(); len(ids) > 0 {
		return ids[0], true
	}
	return "", false
}

// FaceIDs returns the faces of the applicant without repeats, the archetype face first.
func (a *Applicant) FaceIDs() []string {
	if a == nil {
		return nil
	}
	var ids []string
	seen := map[string]bool{"": true}
	for _, ref := range append([]FaceRef{{a.Faces.ArchetypeFaceID}}, a.Faces.Faces...) {
		if key := strings.ToLower(ref.ID); !seen[key] {
			seen[key] = true
			ids = append(ids, ref.ID)
		}
	}
	return ids
}

// GetApplicant reads an applicant: the IDs of the faces, and the pools.
//
// An unknown applicant matches [ErrNotFound]; an ID that cannot be one is [ErrInvalidArgument] and nothing is sent; an
// answer that is not this applicant is a [*DecodeError].
//
// Documented at https://developers.yoti.com/identity-verification/results-face-check.
func (c *Client) GetApplicant(ctx context.Context, applicantID string) (*Applicant, error) {
	var applicant *Applicant
	err := c.readApplicant(ctx, "", []string{applicantID}, func(a *answer) (err error) {
		applicant, err = readJSON(a, decode[Applicant], "/id", applicantID, func(read *Applicant) string { return read.ID })
		return err
	})
	return applicant, err
}

// CreateApplicant creates an applicant without a face; [Client.AddFace] adds one.
//
// Like every call that creates, it is tried again only where the service cannot have acted. After an error that does not
// say so, such as a timeout, the applicant may exist, and nothing can tell its ID: the service has no list of applicants.
//
// Documented at https://developers.yoti.com/identity-verification/create-applicant.
func (c *Client) CreateApplicant(ctx context.Context) (*Applicant, error) {
	return c.createApplicant(ctx, nil)
}

// CreateApplicantWithFace creates an applicant with the face in an image, which becomes the archetype face.
//
// What is not an image by its first bytes is [ErrNotAnImage] and nothing is sent; an image without a usable face matches
// [ErrUnprocessable]. Whether the answer names the face is not documented: [Client.GetApplicant] tells its ID. For what
// an error leaves open, see [Client.CreateApplicant].
//
// Documented at https://developers.yoti.com/identity-verification/create-applicant.
func (c *Client) CreateApplicantWithFace(ctx context.Context, image []byte) (*Applicant, error) {
	body, err := FaceFromImage(image).body()
	if err != nil {
		return nil, err
	}
	return c.createApplicant(ctx, body)
}

func (c *Client) createApplicant(ctx context.Context, body []byte) (applicant *Applicant, err error) {
	err = c.do(ctx, request{method: http.MethodPost, endpoint: "/applicants", body: body}, func(a *answer) (err error) {
		applicant, err = readJSON(a, decode[Applicant], "/id", "", func(created *Applicant) string { return created.ID })
		return err
	})
	return applicant, err
}

// DeleteApplicant deletes an applicant. Whether the faces and the memberships in pools go with it is not documented: for an
// erasure that can be proved, delete the faces, remove the applicant from its pools, delete the applicant, and read it once
// more until the error matches [ErrNotFound].
//
// An applicant that is not there matches [ErrNotFound], unless an earlier attempt of the same call may have deleted it:
// then the call succeeds.
//
// Documented at https://developers.yoti.com/identity-verification/delete-appllicant.
func (c *Client) DeleteApplicant(ctx context.Context, applicantID string) error {
	return c.remove(ctx, "/applicants/{applicant_id}", applicantID)
}

// An applicantRoute is a path under which applicants and their faces are read. The documentation of reading them says
// /applicant, that of all else about them /applicants.
type applicantRoute string

const (
	singularRoute applicantRoute = "/applicant/{applicant_id}"
	pluralRoute   applicantRoute = "/applicants/{applicant_id}"
)

// readApplicant asks for an applicant, or for what lies below one: under the documented singular route first and, where
// that answers 404, under the plural one. The first route that gives what was asked for is kept.
func (c *Client) readApplicant(ctx context.Context, below string, ids []string, accept func(*answer) error) error {
	wrongRoute := func(err error) bool { return errors.Is(err, ErrNotFound) }
	ask := func(route applicantRoute) error {
		return c.do(ctx, request{method: http.MethodGet, endpoint: string(route) + below, ids: ids}, func(a *answer) error {
			wrongRoute = func(error) bool { return false } // whatever a writer's own error may match
			if err := accept(a); err != nil {
				return err
			}
			c.route.CompareAndSwap(nil, &route)
			return nil
		})
	}
	if kept := c.route.Load(); kept != nil {
		return ask(*kept)
	}
	err := ask(singularRoute)
	if !wrongRoute(err) {
		return err
	}
	if pluralErr := ask(pluralRoute); !wrongRoute(pluralErr) {
		return pluralErr
	}
	return err // the documented route's
}
