package yotitest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/getyoti/yoti-go-sdk/v3/requests"
	"github.com/stretchr/testify/assert"
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
	return newCall(ctx, tb, server, method, endpoint, "")
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

// call sends a request with a JSON body, or none, that the official SDK has
// signed.
func call(tb testing.TB, server *yotitest.Server, method, endpoint, body string) response {
	tb.Helper()
	return send(tb, server, newCall(tb.Context(), tb, server, method, endpoint, body))
}

func newCall(ctx context.Context, tb testing.TB, server *yotitest.Server, method, endpoint, body string) *http.Request {
	tb.Helper()
	signed := requests.SignedRequest{
		HTTPMethod: method,
		BaseURL:    server.URL(),
		Endpoint:   endpoint,
		Params:     map[string]string{"sdkId": server.SDKID()},
	}
	if body != "" {
		signed.Body = []byte(body)
		signed.Headers = requests.JSONHeaders()
	}
	r, err := signed.WithPemFile(server.KeyPEM()).Request()
	require.NoError(tb, err)
	return r.WithContext(ctx)
}

// post sends a POST that has to succeed, and reads the answer into v.
func post(tb testing.TB, server *yotitest.Server, endpoint, body string, v any) {
	tb.Helper()
	resp := call(tb, server, http.MethodPost, endpoint, body)
	require.Equalf(tb, http.StatusCreated, resp.StatusCode, "%s", resp.body)
	require.Equal(tb, "application/json", resp.Header.Get("Content-Type"))
	require.NoError(tb, json.Unmarshal(resp.body, v))
}

// createID is post for what has an ID.
func createID(tb testing.TB, server *yotitest.Server, endpoint, body string) string {
	tb.Helper()
	var created struct{ ID string }
	post(tb, server, endpoint, body, &created)
	require.NotEmpty(tb, created.ID)
	return created.ID
}

// remove sends a DELETE and returns the status.
func remove(tb testing.TB, server *yotitest.Server, endpoint string) int {
	tb.Helper()
	resp := call(tb, server, http.MethodDelete, endpoint, "")
	if resp.StatusCode == http.StatusNoContent {
		assert.Empty(tb, resp.body)
	}
	return resp.StatusCode
}

// properties are those that Yoti's JSON for invalid payloads complains about.
func (r response) properties(tb testing.TB) []string {
	tb.Helper()
	var v struct {
		Code, Message string
		Errors        []struct{ Property, Message string }
	}
	decoder := json.NewDecoder(bytes.NewReader(r.body))
	decoder.DisallowUnknownFields()
	require.NoErrorf(tb, decoder.Decode(&v), "%s", r.body)
	require.Equal(tb, http.StatusBadRequest, r.StatusCode)
	require.Equal(tb, "PAYLOAD_VALIDATION", v.Code)
	require.NotEmpty(tb, v.Message)
	var properties []string
	for _, e := range v.Errors {
		require.NotEmpty(tb, e.Message)
		properties = append(properties, e.Property)
	}
	return properties
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
