package yotitest

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

type face struct {
	id    string
	image blob
}

func newFace(image []byte) face {
	return face{newUUID(), newBlob(http.DetectContentType(image), image)}
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
	i := a.face(c.ids[1])
	if i < 0 {
		return notFound("face")
	}
	image := a.faces[i].image
	return document(http.StatusOK, faceJSON{imageJSON{image.data(), image.contentType}})
}

// facePayload is the face that a request brings: its data, or where to find them.
type facePayload struct {
	Face *struct {
		Data   *string      `json:"data"`
		Source *mediaSource `json:"source"`
	} `json:"face"`
}

type mediaSource struct {
	SessionID string `json:"session_id"`
	MediaID   string `json:"media_id"`
}

// addFace answers POST /applicants/{applicant_id}/faces.
func (s *Server) addFace(c *call) answer {
	var payload facePayload
	if refusal, ok := c.read(&payload); !ok {
		return refusal
	}
	if payload.Face == nil || (payload.Face.Data == nil) == (payload.Face.Source == nil) {
		return invalidPayload(fieldError{"face", "must have either data or a source"})
	}
	if _, ok := s.state.applicant(c.ids[0]); !ok {
		return notFound("applicant")
	}
	var image []byte
	var refusal answer
	var ok bool
	if payload.Face.Data != nil {
		image, refusal, ok = decodeImage(*payload.Face.Data)
	} else {
		image, refusal, ok = s.state.captured(*payload.Face.Source)
	}
	if !ok {
		return refusal
	}

	added := newFace(image)
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	a, ok := s.state.applicants[c.ids[0]]
	if !ok { // deleted meanwhile
		return notFound("applicant")
	}
	a.faces = append(slices.Clone(a.faces), added)
	s.state.applicants[c.ids[0]] = a
	return document(http.StatusCreated, refJSON{added.id})
}

// decodeImage reads the image in a payload: standard base64 with padding. What it
// shows is not looked at; it only has to be an image by its first bytes.
func decodeImage(data string) (image []byte, refusal answer, ok bool) {
	image, err := base64.StdEncoding.Strict().DecodeString(data)
	if err != nil || strings.ContainsAny(data, "\r\n") {
		return nil, invalidPayload(fieldError{"face.data", "is not standard base64 with padding"}), false
	}
	if len(image) == 0 {
		return nil, invalidPayload(fieldError{"face.data", "must not be empty"}), false
	}
	return usable(image)
}

// captured finds the image that a session has captured.
func (st *state) captured(source mediaSource) (image []byte, refusal answer, ok bool) {
	if source.SessionID == "" || source.MediaID == "" {
		return nil, invalidPayload(fieldError{"face.source", "must have a session_id and a media_id"}), false
	}
	media, ok := st.getMedia(source.SessionID, source.MediaID)
	if !ok {
		return nil, notFound("media"), false
	}
	return usable(media.data())
}

func usable(image []byte) ([]byte, answer, bool) {
	if !strings.HasPrefix(http.DetectContentType(image), "image/") {
		return nil, unprocessable("there is no face in this"), false
	}
	return image, answer{}, true
}

// deleteFace answers DELETE /applicants/{applicant_id}/faces/{face_id}. After the
// archetype face the next one is the archetype.
func (s *Server) deleteFace(c *call) answer {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	a, ok := s.state.applicants[c.ids[0]]
	if !ok {
		return notFound("applicant")
	}
	i := a.face(c.ids[1])
	if i < 0 {
		return notFound("face")
	}
	a.faces = slices.Delete(slices.Clone(a.faces), i, i+1)
	s.state.applicants[c.ids[0]] = a
	return noContent()
}

// face returns the place of a face, -1 if the applicant does not have it.
func (a applicant) face(id string) int {
	return slices.IndexFunc(a.faces, func(f face) bool { return f.id == id })
}
