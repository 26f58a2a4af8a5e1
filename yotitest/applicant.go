package yotitest

import (
	"net/http"
	"time"
)

// applicant is a known person.
type applicant struct {
	faces []face // the first is the archetype
	pools []pool
}

// PutApplicant makes the server know a person by images of their face, and
// returns the applicant's ID. The first image is the archetype face; without any
// the applicant has no face. The type of an image is told from its bytes, which
// need not be an image at all.
func (s *Server) PutApplicant(images ...[]byte) (applicantID string) {
	applicantID = newUUID()
	var a applicant
	for _, image := range images {
		a.faces = append(a.faces, newFace(image))
	}
	s.state.putApplicant(applicantID, a)
	return applicantID
}

func (st *state) putApplicant(id string, a applicant) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.applicants[id] = a
}

func (st *state) applicant(id string) (applicant, bool) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	a, ok := st.applicants[id]
	return a, ok
}

type (
	applicantJSON struct {
		ID          string    `json:"id"`
		CreatedAt   string    `json:"created_at,omitempty"`
		LastUpdated string    `json:"last_updated,omitempty"`
		Faces       facesJSON `json:"faces"`
		Pools       []pool    `json:"pools"`
	}
	facesJSON struct {
		ArchetypeFace string    `json:"archetype_face,omitempty"`
		Faces         []refJSON `json:"faces"`
	}
	refJSON struct {
		ID string `json:"id"`
	}
)

// json is an applicant as the service shows it. All faces are listed, the
// archetype among them. What the elements of the list look like is documented
// nowhere; here they are objects, like the answer to adding a face.
func (a applicant) json(id string) applicantJSON {
	v := applicantJSON{ID: id, Pools: a.pools}
	for _, f := range a.faces {
		v.Faces.Faces = append(v.Faces.Faces, refJSON{f.id})
	}
	if len(a.faces) > 0 {
		v.Faces.ArchetypeFace = a.faces[0].id
	}
	return v
}

// getApplicant answers GET /applicant/{applicant_id}.
func (s *Server) getApplicant(c *call) answer {
	a, ok := s.state.applicant(c.ids[0])
	if !ok {
		return notFound("applicant")
	}
	return document(http.StatusOK, a.json(c.ids[0]))
}

// createApplicant answers POST /applicants. Only this answer has the times, as in
// the documentation.
func (s *Server) createApplicant(c *call) answer {
	var payload facePayload
	if c.hasBody() {
		if refusal, ok := c.read(&payload); !ok {
			return refusal
		}
	}
	var a applicant
	if payload.Face != nil {
		if payload.Face.Data == nil || payload.Face.Source != nil {
			return invalidPayload(fieldError{"face", "must have data, and no source"})
		}
		image, refusal, ok := decodeImage(*payload.Face.Data)
		if !ok {
			return refusal
		}
		a.faces = []face{newFace(image)}
	}
	id := newUUID()
	s.state.putApplicant(id, a)
	v := a.json(id)
	v.CreatedAt = timestamp(time.Now())
	v.LastUpdated = v.CreatedAt
	return document(http.StatusCreated, v)
}

// deleteApplicant answers DELETE /applicants/{applicant_id}. Faces and memberships
// are part of the applicant, so they go too.
func (s *Server) deleteApplicant(c *call) answer {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	if _, ok := s.state.applicants[c.ids[0]]; !ok {
		return notFound("applicant")
	}
	delete(s.state.applicants, c.ids[0])
	return noContent()
}
