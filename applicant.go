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
	err := c.readApplicant(ctx, "", []string{applicantID}, func(a *answer) error {
		body, err := a.readAll()
		if err != nil {
			return err
		}
		read, decodeErr := decode[Applicant](body)
		if decodeErr != nil {
			return decodeErr
		}
		if err := sameID("/id", read.ID, applicantID, body); err != nil {
			return err
		}
		applicant = read
		return nil
	})
	if err != nil {
		return nil, err
	}
	return applicant, nil
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
	ask := func(route applicantRoute) error {
		return c.do(ctx, request{http.MethodGet, string(route) + below, ids}, func(a *answer) error {
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
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	if pluralErr := ask(pluralRoute); !errors.Is(pluralErr, ErrNotFound) {
		return pluralErr
	}
	return err // the documented route's
}
