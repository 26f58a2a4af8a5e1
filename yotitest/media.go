package yotitest

import "net/http"

// PutMedia makes the server answer with media of a session, and returns the
// media's ID. The session need not be there yet, since it will name the media.
// Media without data are answered with 204, as the service does where it
// withholds an image.
func (s *Server) PutMedia(sessionID, contentType string, data []byte) (mediaID string) {
	mediaID = newUUID()
	s.state.putMedia(sessionID, mediaID, newBlob(contentType, data))
	return mediaID
}

func (st *state) putMedia(sessionID, mediaID string, media blob) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.media[mediaKey{sessionID, mediaID}] = media
}

// getMedia answers GET /sessions/{session_id}/media/{media_id}/content.
func (s *Server) getMedia(c *call) answer {
	s.state.mu.RLock()
	media, ok := s.state.media[mediaKey{c.ids[0], c.ids[1]}]
	s.state.mu.RUnlock()
	if !ok {
		return notFound("media")
	}
	data := media.data()
	if len(data) == 0 {
		return content(http.StatusNoContent, "", nil)
	}
	return content(http.StatusOK, media.contentType, data)
}
