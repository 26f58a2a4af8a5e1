package yotiface

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
)

// Media is what a session captured or made: an image, a document, JSON. It is personal data, biometric data often: it is not
// printed by any formatting verb or log handler, and not encoded in JSON.
type Media struct {
	ContentType string // as declared, such as "image/jpeg"; it may have parameters
	Data        []byte `json:"-"`
}

// Format prints the type and the size, whatever the verb.
func (m Media) Format(f fmt.State, verb rune) { formatAs(f, verb, m.summary()) }

// LogValue does for log/slog what Format does for fmt.
func (m Media) LogValue() slog.Value { return slog.StringValue(m.summary()) }

func (m Media) summary() string {
	return fmt.Sprintf("yotiface.Media{%s, %d bytes}", printable(m.ContentType), len(m.Data))
}

const mediaEndpoint = "/sessions/{session_id}/media/{media_id}/content"

// GetMedia fetches what a MediaRef of a session refers to. The bytes are as received: nothing is decoded, and the declared
// type is not checked against them. Content that is cut off is an error where the answer declares its length or comes in
// chunks; where it does neither, nothing can tell.
//
// Where the service withholds the content, as it does for some documents, or sends none, the error matches [ErrNoContent];
// media that is unknown or has expired matches [ErrNotFound].
//
// Documented at https://developers.yoti.com/identity-verification/retrieve-results.
func (c *Client) GetMedia(ctx context.Context, sessionID, mediaID string) (*Media, error) {
	var media *Media
	err := c.do(ctx, mediaRequest(sessionID, mediaID), func(a *answer) error {
		data, err := a.readAll(maxDeclared)
		if err != nil {
			return err
		}
		if len(data) == 0 { // whatever its status: it must not pass for an image
			return a.noContent()
		}
		media = &Media{ContentType: a.Header.Get("Content-Type"), Data: data}
		return nil
	})
	return media, err
}

// DownloadMedia is [Client.GetMedia] for large content and small memory: it writes to w while the content arrives.
//
// The call is not tried again once bytes have gone to w, and an error can come after them: use what was written only if
// the error is nil. The MediaInfo tells how much was written in either case. An error of w is returned as it is.
func (c *Client) DownloadMedia(ctx context.Context, sessionID, mediaID string, w io.Writer) (MediaInfo, error) {
	if w == nil {
		return MediaInfo{}, invalid("the writer is nil")
	}
	out := &sink{w: w}
	var contentType string
	err := c.do(ctx, mediaRequest(sessionID, mediaID), func(a *answer) error {
		if _, err := io.Copy(out, a.body); err != nil {
			return out.final(err)
		}
		if out.written == 0 { // whatever its status: it must not pass for an image
			return a.noContent()
		}
		contentType = a.Header.Get("Content-Type")
		return nil
	})
	return MediaInfo{ContentType: contentType, Size: out.written}, err
}

// DeleteMedia deletes one object of a session before its time. Media that is locked matches [ErrConflict]; media that is
// not there matches [ErrNotFound], unless an earlier attempt of the same call may have deleted it: then the call succeeds.
func (c *Client) DeleteMedia(ctx context.Context, sessionID, mediaID string) error {
	return c.remove(ctx, mediaEndpoint, sessionID, mediaID)
}

func mediaRequest(sessionID, mediaID string) request {
	return request{method: http.MethodGet, endpoint: mediaEndpoint, ids: []string{sessionID, mediaID}, accept: "*/*"}
}
