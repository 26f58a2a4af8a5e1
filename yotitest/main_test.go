package yotitest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/getyoti/yoti-go-sdk/v3/requests"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/yotiface/yotiface/yotitest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// newServer returns a server that is closed when the test ends.
func newServer(tb testing.TB, opts ...yotitest.Option) *yotitest.Server {
	tb.Helper()
	server := yotitest.NewServer(opts...)
	tb.Cleanup(server.Close)
	return server
}

// newRequest returns a request that the official SDK has signed.
func newRequest(ctx context.Context, tb testing.TB, server *yotitest.Server, method, endpoint string) *http.Request {
	tb.Helper()
	r, err := requests.SignedRequest{
		HTTPMethod: method,
		BaseURL:    server.URL(),
		Endpoint:   endpoint,
		Params:     map[string]string{"sdkId": server.SDKID()},
	}.WithPemFile(server.KeyPEM()).Request()
	require.NoError(tb, err)
	return r.WithContext(ctx)
}

// response is an answer that has been read to its end.
type response struct {
	*http.Response
	body []byte
}

// send sends a request and reads the answer.
func send(tb testing.TB, server *yotitest.Server, r *http.Request) response {
	tb.Helper()
	resp, body, err := try(server, r)
	require.NoError(tb, err)
	return response{resp, body}
}

// try is send for a request that may fail, in the middle of the answer too.
func try(server *yotitest.Server, r *http.Request) (*http.Response, []byte, error) {
	resp, err := server.HTTPClient().Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, body, err
}

// get sends a GET request that the official SDK has signed.
func get(tb testing.TB, server *yotitest.Server, endpoint string) response {
	tb.Helper()
	return send(tb, server, newRequest(tb.Context(), tb, server, http.MethodGet, endpoint))
}

// code is the code of Yoti's JSON for errors.
func (r response) code(tb testing.TB) string {
	tb.Helper()
	var v struct{ Code, Message string }
	decoder := json.NewDecoder(bytes.NewReader(r.body))
	decoder.DisallowUnknownFields()
	require.NoErrorf(tb, decoder.Decode(&v), "%s", r.body)
	require.NotEmpty(tb, v.Message)
	return v.Code
}
