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

func (st *state) getMedia(sessionID, mediaID string) (blob, bool) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	media, ok := st.media[mediaKey{sessionID, mediaID}]
	return media, ok
}

// getMedia answers GET /sessions/{session_id}/media/{media_id}/content.
func (s *Server) getMedia(c *call) answer {
	media, ok := s.state.getMedia(c.ids[0], c.ids[1])
	if !ok {
		return notFound("media")
	}
	data := media.data()
	if len(data) == 0 {
		return noContent()
	}
	return content(http.StatusOK, media.contentType, data)
}

// deleteMedia answers DELETE /sessions/{session_id}/media/{media_id}/content. The
// session goes on naming the media.
func (s *Server) deleteMedia(c *call) answer {
	key := mediaKey{c.ids[0], c.ids[1]}
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	if _, ok := s.state.media[key]; !ok {
		return notFound("media")
	}
	delete(s.state.media, key)
	return noContent()
}
