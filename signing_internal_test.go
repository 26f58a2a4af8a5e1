package yotiface

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/getyoti/yoti-go-sdk/v3/requests"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A request is the one that the official package makes with the same nonce and timestamp: PKCS #1 v1.5 signs the same text in
// the same way.
func TestSignedAsTheOfficialPackageSigns(t *testing.T) {
	t.Parallel()
	s := &signer{key: connectionsKey(), sdkID: "b3c60000-0000-4000-8000-000000000b79", baseURL: "https://api.yoti.com/idverify/v1"}
	random := make([]byte, 100_000)
	_, _ = rand.NewChaCha8([32]byte{}).Read(random)
	for _, test := range []struct {
		name, method, path string
		body               []byte
	}{
		{"no body", http.MethodGet, "/sessions/7938ac1e-0a4a-49b7-953f-08cfa764358f", nil},
		{"a deletion", http.MethodDelete, "/pools/d74cf701", nil},
		{"a POST without a body", http.MethodPost, "/applicants", nil},
		{"one byte", http.MethodPost, "/applicants", []byte("{")},
		{"two bytes", http.MethodPost, "/applicants", []byte("{}")},
		{"three bytes", http.MethodPost, "/pools", []byte("{ }")},
		{"less than a block of the encoder", http.MethodPost, "/sessions", random[:767]},
		{"a block of the encoder", http.MethodPost, "/sessions", random[:768]},
		{"more than a block of the encoder", http.MethodPost, "/sessions", random[:769]},
		{"an image", http.MethodPost, "/applicants/eaa0/faces", random},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{"Accept": {"application/json"}}
			ours, proof, err := s.sign(t.Context(), test.method, test.path, header.Clone(), test.body)
			require.NoError(t, err)

			var official *http.Request
			for range 1000 { // the official package takes the parameters out of a map in any order
				official, err = requests.SignedRequest{
					Key: s.key, HTTPMethod: test.method, BaseURL: s.baseURL, Endpoint: test.path, Headers: header, Body: test.body,
					Params: map[string]string{"sdkId": proof.sdkID, "nonce": proof.nonce, "timestamp": proof.timestamp},
				}.Request()
				require.NoError(t, err)
				if official.URL.RawQuery == ours.URL.RawQuery {
					break
				}
			}
			assert.Equal(t, official.URL.String(), ours.URL.String())
			assert.Equal(t, official.Method, ours.Method)
			assert.Equal(t, official.Header, ours.Header)
			assert.Equal(t, official.Header.Get(digestHeader), proof.digest)
			body, err := io.ReadAll(ours.Body)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(test.body, body))
			if len(test.body) > 0 {
				assert.Equal(t, official.ContentLength, ours.ContentLength)
			}
		})
	}
}

// What errors must not tell is all of what proves the request.
func TestProofIsWhatWasSent(t *testing.T) {
	t.Parallel()
	s := &signer{key: connectionsKey(), sdkID: "b3c60000-0000-4000-8000-000000000b79", baseURL: "https://api.yoti.com/idverify/v1"}
	req, proof, err := s.sign(t.Context(), http.MethodGet, "/sessions/ID", http.Header{}, nil)
	require.NoError(t, err)
	query := req.URL.Query()
	assert.Equal(t, query.Get("sdkId"), proof.sdkID)
	assert.Equal(t, query.Get("nonce"), proof.nonce)
	assert.Equal(t, query.Get("timestamp"), proof.timestamp)
	assert.Equal(t, req.Header.Get(digestHeader), proof.digest)
	hide := &secrets{proof, []string{"ID"}}
	assert.Equal(t, "…, …, …, … and …", hide.mask(proof.sdkID+", "+proof.nonce+", "+proof.timestamp+", "+proof.digest+" and ID"))
}
