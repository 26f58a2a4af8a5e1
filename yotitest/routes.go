package yotitest

import (
	"net/http"
	"slices"
	"strings"
)

// route is one call of the API.
type route struct {
	method   string
	endpoint string // a path below the base path, with {names} for IDs
	handle   handler
}

// handler answers a request that has been verified.
type handler func(*Server, *call) answer

var routes = []route{
	{http.MethodPost, "/sessions", (*Server).createSession},
	{http.MethodGet, "/sessions/{session_id}", (*Server).getSession},
	{http.MethodDelete, "/sessions/{session_id}", (*Server).deleteSession},
	{http.MethodGet, "/sessions/{session_id}/media/{media_id}/content", (*Server).getMedia},
	{http.MethodDelete, "/sessions/{session_id}/media/{media_id}/content", (*Server).deleteMedia},

	{http.MethodGet, "/applicant/{applicant_id}", singular((*Server).getApplicant)},
	{http.MethodGet, "/applicant/{applicant_id}/faces/{face_id}", singular((*Server).getFace)},
	{http.MethodGet, "/applicants/{applicant_id}", plural((*Server).getApplicant)},
	{http.MethodGet, "/applicants/{applicant_id}/faces/{face_id}", plural((*Server).getFace)},

	// What writes is plural however reading is.
	{http.MethodPost, "/applicants", (*Server).createApplicant},
	{http.MethodDelete, "/applicants/{applicant_id}", (*Server).deleteApplicant},
	{http.MethodPost, "/applicants/{applicant_id}/faces", (*Server).addFace},
	{http.MethodDelete, "/applicants/{applicant_id}/faces/{face_id}", (*Server).deleteFace},

	{http.MethodPost, "/pools", (*Server).createPool},
	{http.MethodDelete, "/pools/{pool_id}", (*Server).deletePool},
	{http.MethodPost, "/pools/{pool_id}/applicants", (*Server).addToPool},
	{http.MethodDelete, "/pools/{pool_id}/applicants/{applicant_id}", (*Server).removeFromPool},
}

// singular serves h unless the server was made [WithPluralRoutes].
func singular(h handler) handler {
	return func(s *Server, c *call) answer {
		if s.plural {
			return noSuchEndpoint()
		}
		return h(s, c)
	}
}

// plural serves h if the server was made [WithPluralRoutes].
func plural(h handler) handler {
	return func(s *Server, c *call) answer {
		if !s.plural {
			return noSuchEndpoint()
		}
		return h(s, c)
	}
}

// handle finds the route of a request and follows it.
func (s *Server) handle(c *call) answer {
	var allowed []string
	for _, r := range routes {
		if r.endpoint != c.endpoint {
			continue
		}
		if r.method == c.method {
			return r.handle(s, c)
		}
		allowed = append(allowed, r.method)
	}
	if allowed == nil {
		return noSuchEndpoint()
	}
	a := failure(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "this endpoint does not know the method")
	a.header.Set("Allow", strings.Join(allowed, ", "))
	return a
}

// isEndpoint reports whether some route has the template.
func isEndpoint(template string) bool {
	return slices.ContainsFunc(routes, func(r route) bool { return r.endpoint == template })
}

// matchEndpoint returns the template that path is an instance of, and what
// stands for its names in path. Without such a template it returns path.
func matchEndpoint(path string) (endpoint string, ids []string) {
	for _, r := range routes {
		if ids, ok := matchPath(r.endpoint, path); ok {
			return r.endpoint, ids
		}
	}
	return path, nil
}

func matchPath(template, path string) (ids []string, ok bool) {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	for i, segment := range want {
		switch {
		case strings.HasPrefix(segment, "{") && got[i] != "":
			ids = append(ids, got[i])
		case segment != got[i]:
			return nil, false
		}
	}
	return ids, true
}
