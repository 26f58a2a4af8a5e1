package yotiface

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"sync"
)

// A Face is the image of an applicant's face. It is biometric data: it is not printed by any formatting verb or log
// handler, and not encoded in JSON.
type Face struct {
	ContentType string // such as "image/jpeg"
	Data        []byte `json:"-"` // the decoded image
}

// Format prints the type and the size of the image, whatever the verb.
func (f Face) Format(s fmt.State, verb rune) { formatAs(s, verb, f.summary()) }

// LogValue does for log/slog what Format does for fmt.
func (f Face) LogValue() slog.Value { return slog.StringValue(f.summary()) }

func (f Face) summary() string {
	return fmt.Sprintf("yotiface.Face{%s, %d bytes}", printable(f.ContentType), len(f.Data))
}

// MediaInfo says what went to a writer.
type MediaInfo struct {
	ContentType string // such as "image/jpeg"
	Size        int64  // bytes that were written
}

// A MatchedFace is an applicant that a face search found, and the face to show beside the captured one.
type MatchedFace struct {
	Match
	Applicant *Applicant
	Face      *Face // nil: the applicant lists no face any more
}

// The paths of a face below an applicant's.
const faceBelow = "/faces/{face_id}"

// GetFace fetches the image of an applicant's face; [Applicant.FaceID] has the ID. Where the answer declares its length, the
// image costs one allocation of its own size.
//
// What is not an image, by its bytes or by its declared type, matches [ErrNotAnImage]; an unknown face matches
// [ErrNotFound]. The pixels are not decoded: the bytes are a stranger's until then.
//
// Documented at https://developers.yoti.com/identity-verification/results-face-check.
func (c *Client) GetFace(ctx context.Context, applicantID, faceID string) (*Face, error) {
	var face *Face
	err := c.readApplicant(ctx, faceBelow, []string{applicantID, faceID}, func(a *answer) error {
		var room []byte
		if a.ContentLength > 0 {
			room = make([]byte, 0, decodedSize(min(a.ContentLength, maxDeclared)))
		}
		image, contentType, err := decodeFace(a.body, room, nil)
		if err != nil {
			return err
		}
		face = &Face{ContentType: contentType, Data: image}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return face, nil
}

// DownloadFace is [Client.GetFace] for large images and small memory: it writes the image to w while it arrives, and needs
// the same few kilobytes whatever the size.
//
// The call is not tried again once bytes have gone to w, and an error can come after them: use what was written only if
// the error is nil. The MediaInfo tells how much was written in either case. An error of w is returned as it is.
func (c *Client) DownloadFace(ctx context.Context, applicantID, faceID string, w io.Writer) (MediaInfo, error) {
	if w == nil {
		return MediaInfo{}, invalid("the writer is nil")
	}
	out := &sink{w: w}
	var contentType string
	err := c.readApplicant(ctx, faceBelow, []string{applicantID, faceID}, func(a *answer) (err error) {
		_, contentType, err = decodeFace(a.body, make([]byte, 0, blockBytes), out)
		return out.final(err)
	})
	return MediaInfo{ContentType: contentType, Size: out.written}, err
}

// matchedAtOnce is how many applicants MatchedFaces reads at the same time.
const matchedAtOnce = 4

// MatchedFaces fetches the applicants that a face search found, each with one face: the archetype face, or else the first
// one listed. The order is that of [FamiliarFaceSearch.Matches]. It returns all of them or the first error; if none
// matched, an empty slice, also for a search that is nil or not done: see [FamiliarFaceSearch.MatchStatus].
//
// An applicant that has been deleted since matches [ErrNotFound] and fails the whole call. The verdict is known without the
// faces: do not let this error take its place.
func (c *Client) MatchedFaces(ctx context.Context, f *FamiliarFaceSearch) ([]MatchedFace, error) {
	if ctx == nil {
		return nil, invalid("the context is nil")
	}
	matches := f.Matches()
	faces := make([]MatchedFace, len(matches))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		running sync.WaitGroup
		slots   = make(chan struct{}, matchedAtOnce)
		once    sync.Once
		failure error
	)
	for i, match := range matches {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			var err error
			if faces[i], err = c.matchedFace(ctx, match); err != nil {
				once.Do(func() { failure = err; cancel() }) // the others end with an error of this cancellation
			}
		})
	}
	running.Wait()
	if failure != nil {
		return nil, failure
	}
	return faces, nil
}

func (c *Client) matchedFace(ctx context.Context, match Match) (MatchedFace, error) {
	applicant, err := c.GetApplicant(ctx, match.ApplicantID)
	if err != nil {
		return MatchedFace{}, err
	}
	found := MatchedFace{Match: match, Applicant: applicant}
	if faceID, ok := applicant.FaceID(); ok {
		if found.Face, err = c.GetFace(ctx, applicant.ID, faceID); err != nil {
			return MatchedFace{}, err
		}
	}
	return found, nil
}

// A FaceSource is where a face to be added comes from: [FaceFromImage] or [FaceFromSession].
type FaceSource struct {
	image     []byte
	sessionID string
	mediaID   string
}

// FaceFromImage is the face in an image, such as a JPEG or PNG. The image is not copied: do not change it before the call
// that it is given to has returned.
func FaceFromImage(image []byte) FaceSource { return FaceSource{image: image} }

// FaceFromSession is the face in an image that a session captured. Enrol it before the session's media expire; the
// applicant keeps a copy.
func FaceFromSession(sessionID, mediaID string) FaceSource {
	return FaceSource{sessionID: sessionID, mediaID: mediaID}
}

// Format prints what kind of source it is, whatever the verb.
func (s FaceSource) Format(f fmt.State, verb rune) { formatAs(f, verb, s.summary()) }

// LogValue does for log/slog what Format does for fmt.
func (s FaceSource) LogValue() slog.Value { return slog.StringValue(s.summary()) }

func (s FaceSource) summary() string {
	if s.sessionID != "" || s.mediaID != "" {
		return "yotiface.FaceSource{a session}"
	}
	return fmt.Sprintf("yotiface.FaceSource{an image of %d bytes}", len(s.image))
}

// body returns the JSON to send, with one copy of the image: its base64.
func (s FaceSource) body() ([]byte, error) {
	if s.sessionID != "" || s.mediaID != "" {
		if err := checkID("the session ID", s.sessionID); err != nil {
			return nil, err
		}
		if err := checkID("the media ID", s.mediaID); err != nil {
			return nil, err
		}
		return fmt.Appendf(nil, `{"face":{"source":{"session_id":%q,"media_id":%q}}}`, s.sessionID, s.mediaID), nil
	}
	if len(s.image) == 0 {
		return nil, invalid("there is no image")
	}
	if _, err := sniffImage(s.image); err != nil {
		return nil, err
	}
	const before, after = `{"face":{"data":"`, `"}}`
	body := make([]byte, 0, len(before)+base64.StdEncoding.EncodedLen(len(s.image))+len(after))
	body = append(body, before...)
	body = base64.StdEncoding.AppendEncode(body, s.image)
	return append(body, after...), nil
}

// AddFace adds a face to an applicant and returns its ID.
//
// What is not an image by its first bytes matches [ErrNotAnImage], an empty source or one with an ID that cannot be one
// [ErrInvalidArgument], and nothing is sent. An image without a usable face matches [ErrUnprocessable]. It is tried again
// only where the service cannot have acted: after another error the face may have been added, and [Client.GetApplicant]
// can tell.
//
// Documented at https://developers.yoti.com/identity-verification/create-applicant.
func (c *Client) AddFace(ctx context.Context, applicantID string, src FaceSource) (faceID string, err error) {
	body, err := src.body()
	if err != nil {
		return "", err
	}
	r := request{method: http.MethodPost, endpoint: "/applicants/{applicant_id}/faces", ids: []string{applicantID}, body: body}
	var added *FaceRef
	err = c.do(ctx, r, func(a *answer) (err error) {
		added, err = readJSON(a, decode[FaceRef], "/id", "", func(created *FaceRef) string { return created.ID })
		return err
	})
	if err != nil {
		return "", err
	}
	return added.ID, nil
}

// DeleteFace deletes a face of an applicant. One that is not there matches [ErrNotFound], unless an earlier attempt of the
// same call may have deleted it: then the call succeeds. What becomes of an archetype face's place is not documented.
func (c *Client) DeleteFace(ctx context.Context, applicantID, faceID string) error {
	return c.remove(ctx, "/applicants/{applicant_id}"+faceBelow, applicantID, faceID)
}

// maxDeclared is how much of a declared length is believed before the bytes are there.
const maxDeclared = 64 << 20

// A sink is the caller's writer. It counts what was written, and tells the writer's errors from all others.
type sink struct {
	w       io.Writer
	written int64
}

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.written += int64(n)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return n, &sinkError{err}
	}
	return n, nil
}

// final makes sure that a download is not tried again once bytes have gone to the writer.
func (s *sink) final(err error) error {
	if broken, ok := errors.AsType[*transportError](err); ok && s.written > 0 {
		broken.final = true
	}
	return err
}

// A sinkError is an error of the caller's writer, on its way to the caller.
type sinkError struct{ err error }

func (e *sinkError) Error() string { return e.err.Error() }

// notAnImage makes an error that matches ErrNotAnImage.
func notAnImage(why string) error { return fmt.Errorf("yotiface: %w: %s", ErrNotAnImage, why) }

// What an image can be refused for. They are made beforehand, so that a hostile answer does not cost an allocation a byte.
var (
	errNoImage      = notAnImage("the answer holds no image data")
	errBase64       = notAnImage("the image data is not standard base64 with padding")
	errNoImageBytes = notAnImage("the bytes are of another kind of data")
	errDeclared     = notAnImage("the declared content type is not image/…")
)

// sniffLen is how many bytes http.DetectContentType looks at.
const sniffLen = 512

// sniffImage returns the type of an image by its first bytes.
func sniffImage(start []byte) (contentType string, err error) {
	contentType = http.DetectContentType(start[:min(len(start), sniffLen)])
	if !strings.HasPrefix(contentType, "image/") {
		return "", errNoImageBytes
	}
	return contentType, nil
}

// isImage reports whether a declared content type is that of an image.
func isImage(declared string) bool {
	mediaType, _, err := mime.ParseMediaType(declared)
	return err == nil && strings.HasPrefix(mediaType, "image/")
}
