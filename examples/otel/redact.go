package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// A request's URL holds the IDs of a session, an applicant, a face, and the proof that it comes from the application. What
// instruments http.Client records the URL. So it is shown another one: redacted replaces the URL, revealed puts the real one
// back, and what stands between the two can record what it likes.

type realURL struct{}

// redacted shows what comes next a request without IDs, query and signature.
type redacted struct{ next http.RoundTripper }

func (t redacted) RoundTrip(req *http.Request) (*http.Response, error) {
	shown := req.WithContext(context.WithValue(req.Context(), realURL{}, sent{req.URL, req.Header}))
	shown.URL = &url.URL{Scheme: req.URL.Scheme, Host: req.URL.Host, Path: template(req.URL.Path)}
	shown.Header = http.Header{"User-Agent": req.Header["User-Agent"]}
	return t.next.RoundTrip(shown)
}

// sent is what redacted takes away.
type sent struct {
	url    *url.URL
	header http.Header
}

// revealed sends the request as it was.
type revealed struct{ next http.RoundTripper }

func (t revealed) RoundTrip(req *http.Request) (*http.Response, error) {
	real, ok := req.Context().Value(realURL{}).(sent)
	if !ok {
		return t.next.RoundTrip(req)
	}
	restored := req.WithContext(req.Context())
	restored.URL, restored.Header = real.url, real.header
	return t.next.RoundTrip(restored)
}

// template is a path with a placeholder for everything that is not one of the service's own words.
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
