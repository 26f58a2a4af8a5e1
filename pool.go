package yotiface

import (
	"context"
	"encoding/json"
	"net/http"
	"unicode/utf8"
)

// A Pool is a set of applicants whose faces are searched together. The service has no list of pools nor of their members:
// keep the IDs. An applicant names its pools.
type Pool struct {
	ID    string `json:"id"`
	Label string `json:"label,omitzero"` // for display: labels are not unique
}

// CreatePool creates an empty pool. A label that is empty or not valid UTF-8 is [ErrInvalidArgument]. It is tried again
// only where the service cannot have acted: after another error there may be a pool whose ID nobody knows.
//
// Documented at https://developers.yoti.com/identity-verification/create-pool.
func (c *Client) CreatePool(ctx context.Context, label string) (*Pool, error) {
	if label == "" || !utf8.ValidString(label) {
		return nil, invalid("the label of a pool is empty or not valid UTF-8")
	}
	r := request{method: http.MethodPost, endpoint: "/pools", body: encode(struct {
		Label string `json:"label"`
	}{label})}
	var pool *Pool
	err := c.do(ctx, r, func(a *answer) (err error) {
		pool, err = readJSON(a, decode[Pool], "/id", "", func(created *Pool) string { return created.ID })
		return err
	})
	return pool, err
}

// DeletePool deletes a pool. Its applicants stay, as far as the documentation lets one guess. A pool that is not there
// matches [ErrNotFound], unless an earlier attempt of the same call may have deleted it: then the call succeeds.
func (c *Client) DeletePool(ctx context.Context, poolID string) error {
	return c.remove(ctx, "/pools/{pool_id}", poolID)
}

// AddApplicantToPool puts an applicant into a pool, so that searches of the pool find the applicant's faces. An unknown
// pool matches [ErrNotFound]; what comes of adding an applicant twice, or an unknown one, is not documented.
//
// Documented at https://developers.yoti.com/identity-verification/add-applicant-to-pool.
func (c *Client) AddApplicantToPool(ctx context.Context, poolID, applicantID string) error {
	if err := checkID("the applicant ID", applicantID); err != nil {
		return err
	}
	return c.do(ctx, request{
		method:   http.MethodPost,
		endpoint: "/pools/{pool_id}/applicants",
		ids:      []string{poolID},
		body: encode(struct {
			ApplicantID string `json:"applicant_id"`
		}{applicantID}),
	}, nil)
}

// RemoveApplicantFromPool takes an applicant out of a pool; the applicant stays. One that is not in it matches
// [ErrNotFound], unless an earlier attempt of the same call may have removed it: then the call succeeds.
func (c *Client) RemoveApplicantFromPool(ctx context.Context, poolID, applicantID string) error {
	return c.remove(ctx, "/pools/{pool_id}/applicants/{applicant_id}", poolID, applicantID)
}

// encode encodes a struct of valid strings, which cannot fail.
func encode(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic("yotiface: " + err.Error())
	}
	return body
}
