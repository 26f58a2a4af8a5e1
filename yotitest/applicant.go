package yotitest

import "net/http"

// applicant is a known person.
type applicant struct {
	faces []face // the first is the archetype
	pools []pool
}

type face struct {
	id    string
	image blob
}

type pool struct {
	ID    string `json:"id"`
	Label string `json:"label"`
}

// PutApplicant makes the server know a person by images of their face, and
// returns the applicant's ID. The first image is the archetype face; without any
// the applicant has no face. The type of an image is told from its bytes, which
// need not be an image at all.
func (s *Server) PutApplicant(images ...[]byte) (applicantID string) {
	applicantID = newUUID()
	var a applicant
	for _, image := range images {
		a.faces = append(a.faces, face{newUUID(), newBlob(http.DetectContentType(image), image)})
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
		ID    string    `json:"id"`
		Faces facesJSON `json:"faces"`
		Pools []pool    `json:"pools"`
	}
	facesJSON struct {
		ArchetypeFace string    `json:"archetype_face,omitempty"`
		Faces         []refJSON `json:"faces"`
	}
	refJSON struct {
		ID string `json:"id"`
	}
)

// getApplicant answers GET /applicant/{applicant_id}. All faces are listed, the
// archetype among them. What the elements of the list look like is documented
// nowhere; here they are objects, like the answer to adding a face.
func (s *Server) getApplicant(c *call) answer {
	a, ok := s.state.applicant(c.ids[0])
	if !ok {
		return notFound("applicant")
	}
	v := applicantJSON{ID: c.ids[0], Pools: a.pools}
	for _, f := range a.faces {
		v.Faces.Faces = append(v.Faces.Faces, refJSON{f.id})
	}
	if len(a.faces) > 0 {
		v.Faces.ArchetypeFace = a.faces[0].id
	}
	return document(http.StatusOK, v)
}

type (
	faceJSON struct {
		Face imageJSON `json:"face"`
	}
	imageJSON struct {
		Data        []byte `json:"data"`
		ContentType string `json:"content_type"`
	}
)

// getFace answers GET /applicant/{applicant_id}/faces/{face_id}.
func (s *Server) getFace(c *call) answer {
	a, ok := s.state.applicant(c.ids[0])
	if !ok {
		return notFound("applicant")
	}
	for _, f := range a.faces {
		if f.id == c.ids[1] {
			return document(http.StatusOK, faceJSON{imageJSON{f.image.data(), f.image.contentType}})
		}
	}
	return notFound("face")
}
