package yotitest

import (
	"fmt"

	"github.com/yotiface/yotiface"
)

// Client returns a client of the server, with its key and its SDK ID, that opts
// change further. It panics if an option is not a valid one.
func (s *Server) Client(opts ...yotiface.Option) *yotiface.Client {
	own := []yotiface.Option{yotiface.WithBaseURL(s.URL())}
	if s.http.TLS != nil {
		own = append(own, yotiface.WithHTTPClient(s.HTTPClient()))
	}
	client, err := yotiface.NewClient(s.SDKID(), s.KeyPEM(), append(own, opts...)...)
	if err != nil {
		panic(fmt.Sprintf("yotitest: Client: %v", err))
	}
	return client
}
