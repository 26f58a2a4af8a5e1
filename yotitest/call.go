package yotitest

import (
	"net/http"
	"net/url"
	"strings"
)

// call is a request as it arrived, before anything is believed about it.
type call struct {
	method   string
	path     string // below the base path, as sent; "" if it is not below it
	rawQuery string // as sent
	query    url.Values
	badQuery bool
	digests  []string
	chunked  bool

	contentType string
	body        []byte

	endpoint string   // the template of the path, or the path itself
	ids      []string // what stands for the {names} of the template
}

// newCall reads everything but the body.
func newCall(r *http.Request) *call {
	path, rawQuery, _ := strings.Cut(r.RequestURI, "?")
	query, err := url.ParseQuery(rawQuery)
	c := &call{
		method:   r.Method,
		rawQuery: rawQuery,
		query:    query,
		badQuery: err != nil,
		digests:  r.Header.Values(digestHeader),
		chunked:  len(r.TransferEncoding) > 0,
		endpoint: path,

		contentType: r.Header.Get("Content-Type"),
	}
	if below, ok := strings.CutPrefix(path, basePath); ok && strings.HasPrefix(below, "/") {
		c.path = below
		c.endpoint, c.ids = matchEndpoint(below)
	}
	return c
}

// hasOnly reports whether the query consists of the named parameters, once each.
func (c *call) hasOnly(names ...string) bool {
	for _, name := range names {
		if len(c.query[name]) != 1 {
			return false
		}
	}
	return !c.badQuery && len(c.query) == len(names)
}

// hasBody reports whether a body was sent, be it one of no bytes in chunks.
func (c *call) hasBody() bool { return len(c.body) > 0 || c.chunked }
