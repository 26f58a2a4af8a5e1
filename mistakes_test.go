package yotiface_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getyoti/yoti-go-sdk/v3/docscan/session/create"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

// What people do wrong on their first day ends in a message that says what to do.
func TestMistakesOfTheFirstDay(t *testing.T) { //nolint:paralleltest // it sets environment variables
	demo := yotitest.Demo()
	t.Cleanup(demo.Close)
	hurry := yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxAttempts: 1})
	newClient := func(sdkID string, key []byte, opts ...yotiface.Option) error {
		_, err := yotiface.NewClient(sdkID, key, opts...)
		return err
	}
	get := func(client *yotiface.Client, sessionID string) error {
		_, err := client.GetSession(context.Background(), sessionID)
		return err
	}
	at := func(t *testing.T, handler http.HandlerFunc) *yotiface.Client {
		t.Helper()
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return demo.Client(hurry, yotiface.WithBaseURL(server.URL+"/idverify/v1"))
	}
	session := demo.Sessions[0].ID

	for _, mistake := range []struct { //nolint:paralleltest // some set environment variables
		name string
		do   func(t *testing.T) error
		text string
	}{
		{"the public key", func(*testing.T) error {
			return newClient(demo.SDKID(), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")}))
		}, "this is a public key; use the private key, the .pem file from the Yoti Hub"},
		{"the path of the key", func(*testing.T) error {
			return newClient(demo.SDKID(), []byte("/etc/yoti/key.pem"))
		}, "this looks like the path of a key; pass the contents of the file"},
		{"the key in the variable for its path", func(t *testing.T) error {
			t.Setenv("YOTI_CLIENT_SDK_ID", demo.SDKID())
			t.Setenv("YOTI_KEY_FILE_PATH", string(demo.KeyPEM()))
			_, err := yotiface.NewClientFromEnv()
			return err
		}, "YOTI_KEY_FILE_PATH holds a key; it should hold the path of the key's file"},
		{"no variables at all", func(t *testing.T) error {
			t.Setenv("YOTI_CLIENT_SDK_ID", "")
			_, err := yotiface.NewClientFromEnv()
			return err
		}, "YOTI_CLIENT_SDK_ID is not set; it holds the SDK ID of the application"},
		{"a key file that is not there", func(t *testing.T) error {
			t.Setenv("YOTI_CLIENT_SDK_ID", demo.SDKID())
			t.Setenv("YOTI_KEY_FILE_PATH", filepath.Join(t.TempDir(), "key.pem"))
			_, err := yotiface.NewClientFromEnv()
			return err
		}, "the file that YOTI_KEY_FILE_PATH names cannot be read: no such file or directory"},
		{"SDK ID and key swapped", func(*testing.T) error {
			return newClient(string(demo.KeyPEM()), []byte(demo.SDKID()))
		}, "the SDK ID holds a key; are the arguments swapped?"},
		{"a base URL without its scheme", func(*testing.T) error {
			return newClient(demo.SDKID(), demo.KeyPEM(), yotiface.WithBaseURL("api.yoti.com/idverify/v1"))
		}, "the base URL names no host; it should look like https://api.yoti.com/idverify/v1"},
		{"a base URL without its path", func(*testing.T) error {
			return get(demo.Client(yotiface.WithBaseURL(strings.TrimSuffix(demo.URL(), "/idverify/v1"))), session)
		}, "unknown ID, already deleted, of another kind or application, or a wrong base URL"},
		{"the sandbox's application in production", func(t *testing.T) error {
			sandbox := yotitest.NewServer()
			t.Cleanup(sandbox.Close)
			return get(sandbox.Client(yotiface.WithBaseURL(demo.URL())), session)
		}, "(check that the base URL is that of the SDK ID's environment, sandbox or production)"},
		{"another application's key", func(t *testing.T) error {
			other := yotitest.NewServer()
			t.Cleanup(other.Close)
			client, err := yotiface.NewClient(demo.SDKID(), other.KeyPEM(), yotiface.WithBaseURL(demo.URL()))
			require.NoError(t, err)
			return get(client, session)
		}, "check that the key is the newest one of the application with this SDK ID, that the base URL is that of its environment, sandbox or production, and the clock"},
		{"a clock that is slow", func(t *testing.T) error {
			return get(at(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", time.Now().Add(12*time.Minute).UTC().Format(http.TimeFormat))
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = fmt.Fprint(w, `{"code":"INVALID_TIMESTAMP","message":"the request is too old"}`)
			}), session)
		}, "401 Unauthorized: INVALID_TIMESTAMP: the request is too old (set the clock of this machine: it is 12m0s behind the service's)"},
		{"a clock that is fast", func(t *testing.T) error {
			return get(at(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", time.Now().Add(-3*time.Hour).UTC().Format(http.TimeFormat))
				w.WriteHeader(http.StatusUnauthorized)
			}), session)
		}, "and the clock: it is 3h0m0s ahead of the service's)"},
		{"a clock, and a date that is none of today", func(t *testing.T) error {
			return get(at(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", "Fri, 31 Dec 9999 23:59:59 GMT")
				w.WriteHeader(http.StatusUnauthorized)
			}), session)
		}, "sandbox or production, and the clock)"},
		{"a transport that sends a request twice", func(t *testing.T) error {
			twice := transportFunc(func(req *http.Request) (*http.Response, error) {
				resp, err := yotiface.Transport().RoundTrip(req)
				if err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
					resp, err = yotiface.Transport().RoundTrip(req)
				}
				return resp, err
			})
			return get(demo.Client(hurry, yotiface.WithHTTPClient(&http.Client{Transport: twice})), session)
		}, "check that nothing between here and Yoti, such as an HTTP client's transport, changes or repeats requests"},
		{"a proxy's page with 403", func(t *testing.T) error {
			return get(at(t, func(w http.ResponseWriter, _ *http.Request) {
				http.Error(w, "<html>blocked</html>", http.StatusForbidden)
			}), session)
		}, "(it may come from something on the way, so check the proxy and the base URL)"},
		{"a proxy that is not there", func(t *testing.T) error {
			hc := yotiface.NewOwnHTTPClient(func(transport *http.Transport) {
				transport.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: faultClosedPort})
			})
			return get(demo.Client(hurry, yotiface.WithHTTPClient(hc)), session)
		}, "connection refused (check the proxy, as in HTTPS_PROXY)"},
		{"a builder that is not built", func(t *testing.T) error {
			_, err := demo.Client().CreateSession(t.Context(), create.NewSessionSpecificationBuilder())
			return err
		}, "the session specification is a builder; pass what its Build returns"},
		{"JSON as a string", func(t *testing.T) error {
			_, err := demo.Client().CreateSession(t.Context(), `{"client_session_token_ttl":600}`)
			return err
		}, "JSON itself is passed as a json.RawMessage"},
		{"a client that nobody made", func(t *testing.T) error {
			_, err := new(yotiface.Client).GetSession(t.Context(), session)
			return err
		}, "the client was not made by NewClient"},
		{"a placeholder for the ID", func(*testing.T) error { return get(demo.Client(), "<SESSION_ID>") }, "has a bracket at byte 0; is it a placeholder?"},
		{"a quoted ID, as from an environment file", func(*testing.T) error { return get(demo.Client(), `"`+session+`"`) }, "has a quote at byte 0; take the quotes away"},
		{"a session of another application", func(*testing.T) error {
			return get(demo.Client(), "00000000-0000-4000-8000-000000000000")
		}, "unknown ID, already deleted, of another kind or application, or a wrong base URL"},
		{"a line end behind the ID", func(*testing.T) error {
			return get(demo.Client(), session+"\n")
		}, "the session ID has white space at byte 36; was it trimmed, or is this a name?"},
		{"no ID", func(*testing.T) error { return get(demo.Client(), "") }, "the session ID is empty"},
		{"a URL for the ID", func(*testing.T) error {
			return get(demo.Client(), "https://api.yoti.com/idverify/v1/sessions/"+session)
		}, "the session ID has a character other than letters, digits, '-', '_' and '.' at byte 5"},
		{"a pool's label for its ID", func(*testing.T) error {
			_, err := yotiface.NewFamiliarFaceSearchCheck("BARRED GUESTS", yotiface.CriteriaNoMatch)
			return err
		}, "the pool ID has white space at byte 6; was it trimmed, or is this a name?"},
		{"a recommendation for a criterion", func(*testing.T) error {
			_, err := yotiface.NewFamiliarFaceSearchCheck("b3c60000-0000-4000-8000-000000000b79", "APPROVE")
			return err
		}, "the approval criterion is neither MATCH nor NO_MATCH"},
		{"the page of a proxy", func(t *testing.T) error {
			return get(at(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<html>Sign in</html>") }), session)
		}, "HTML or XML, perhaps the page of a proxy or a login (check the base URL and the proxy)"},
		{"a redirect to a login", func(t *testing.T) error {
			return get(at(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }), session)
		}, "redirects are not followed, check the base URL"},
		{"a certificate that nobody knows", func(t *testing.T) error {
			other := yotitest.NewServer(yotitest.WithTLS())
			t.Cleanup(other.Close)
			client, err := yotiface.NewClient(other.SDKID(), other.KeyPEM(), yotiface.WithBaseURL(other.URL()))
			require.NoError(t, err)
			return get(client, session)
		}, "(check the base URL, the proxy, and the system's certificates)"},
		{"nobody listens there", func(*testing.T) error {
			return get(demo.Client(hurry, yotiface.WithBaseURL("http://"+faultClosedPort+"/idverify/v1")), session)
		}, "connection refused (check the base URL)"},
		{"a text for an image", func(t *testing.T) error {
			_, err := demo.Client().CreateApplicantWithFace(t.Context(), []byte("face.jpg"))
			return err
		}, "not an image: the bytes are of another kind of data"},
		{"no context", func(*testing.T) error {
			_, err := demo.Client().GetSession(context.Context(nil), session)
			return err
		}, "the context is nil"},
	} {
		t.Run(mistake.name, func(t *testing.T) {
			err := mistake.do(t)
			require.ErrorContains(t, err, mistake.text)
			assertOneLine(t, err.Error())
			assert.NotContains(t, err.Error(), session)
		})
	}
}

// To read a search before it is done is the mistake that no error can show: what it says instead is what to wait for.
func TestMistakeOfReadingTooEarly(t *testing.T) {
	t.Parallel()
	demo := yotitest.Demo()
	defer demo.Close()
	for _, s := range demo.Sessions {
		read, err := demo.Client().GetSession(t.Context(), s.ID)
		require.NoError(t, err)
		if read.State != yotiface.SessionOngoing {
			continue
		}
		assert.Equal(t, yotiface.OutcomePending, read.FaceSearchOutcome())
		for _, search := range read.FamiliarFaceSearches() {
			assert.Contains(t, search.Explain(), "has no result yet; wait for the session")
			return
		}
	}
	t.Fatal("no session of the demo is ongoing")
}
