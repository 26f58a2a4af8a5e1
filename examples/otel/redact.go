package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// A request's URL holds the IDs of a session, an applicant, a face; its headers hold the signature; and the error of a
// transport or of a body can quote what a broken server sent back. What instruments http.Client records the URL and the error.
// So it is shown others: redacted takes the real ones away, revealed puts them back, and what stands between the two can record
// what it likes.

// sent is what redacted takes away.
type sent struct {
	url    *url.URL
	header http.Header
}

type sentKey struct{}

// redacted shows what comes next a request without IDs, query and signature.
type redacted struct{ next, base http.RoundTripper }

func (t redacted) RoundTrip(req *http.Request) (*http.Response, error) {
	shown := req.WithContext(context.WithValue(req.Context(), sentKey{}, sent{req.URL, req.Header}))
	shown.URL = &url.URL{Scheme: req.URL.Scheme, Host: req.URL.Host, Path: template(req.URL.Path)}
	shown.Header = http.Header{"User-Agent": req.Header["User-Agent"]}
	resp, err := t.next.RoundTrip(shown)
	if err != nil {
		return nil, known(err)
	}
	resp.Body = body{resp.Body, known}
	return resp, nil
}

// CloseIdleConnections lets Client.CloseIdleConnections reach the connections.
func (t redacted) CloseIdleConnections() { (&http.Client{Transport: t.base}).CloseIdleConnections() }

// revealed sends the request as it was.
type revealed struct{ next http.RoundTripper }

func (t revealed) RoundTrip(req *http.Request) (*http.Response, error) {
	real, ok := req.Context().Value(sentKey{}).(sent)
	if !ok {
		return t.next.RoundTrip(req)
	}
	restored := req.WithContext(req.Context())
	restored.URL, restored.Header = real.url, real.header
	resp, err := t.next.RoundTrip(restored)
	if err != nil {
		return nil, &noAnswer{err}
	}
	resp.Body = body{resp.Body, func(err error) error { return &noAnswer{err} }}
	return resp, nil
}

// body is a response's body whose errors are others.
type body struct {
	io.ReadCloser
	change func(error) error
}

func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = b.change(err)
	}
	return n, err
}

// noAnswer says of a transport's error no more than what kind it is.
type noAnswer struct{ err error }

// known is the error that one of those hides.
func known(err error) error {
	if none, ok := errors.AsType[*noAnswer](err); ok {
		return none.err
	}
	return err
}

func (e *noAnswer) Error() string {
	var timeout net.Error
	switch {
	case errors.Is(e.err, context.Canceled):
		return "canceled"
	case errors.As(e.err, &timeout) && timeout.Timeout():
		return "timeout"
	default:
		return "no answer"
	}
}

// ErrorType is what semantic conventions ask an error for.
func (e *noAnswer) ErrorType() string { return e.Error() }

// template is a path with a placeholder for everything that is not one of the service's own words: braces, as in the log,
// would be escaped in a URL.
func template(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if segment != "" && !words[segment] {
			segments[i] = ":id"
		}
	}
	return strings.Join(segments, "/")
}

// words are what paths of the service are made of, beside IDs.
var words = map[string]bool{
	"idverify": true, "sandbox": true, "v1": true,
	"sessions": true, "media": true, "content": true,
	"applicant": true, "applicants": true, "faces": true, "pools": true,
}
