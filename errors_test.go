package yotiface_test

import (
	"compress/gzip"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
)

// assertOneLine checks what holds for the text of every error: one printable line of at most 500 bytes.
func assertOneLine(t *testing.T, text string) {
	t.Helper()
	assert.LessOrEqual(t, len(text), 500)
	assert.True(t, utf8.ValidString(text), "valid UTF-8: %q", text)
	assert.Equal(t, -1, strings.IndexFunc(text, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }), "printable: %q", text)
	assert.True(t, strings.HasPrefix(text, "yotiface: "), text)
}

var onlyOneAttempt = yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxAttempts: 1})

// getSession asks for ID1, is answered in one way, and returns the error.
func getSession(t *testing.T, status int, body string, header ...string) error {
	t.Helper()
	client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
		return reply(req, status, body, header...), nil
	}, onlyOneAttempt)
	session, err := client.GetSession(t.Context(), "ID1")
	require.Error(t, err)
	assert.Nil(t, session)
	assertOneLine(t, err.Error())
	return err
}

func TestStatusesAndTheirSentinels(t *testing.T) {
	t.Parallel()
	sentinels := []error{
		yotiface.ErrBadRequest, yotiface.ErrUnauthorized, yotiface.ErrForbidden, yotiface.ErrNotFound, yotiface.ErrConflict,
		yotiface.ErrUnprocessable, yotiface.ErrRateLimited, yotiface.ErrUnavailable, yotiface.ErrInvalidArgument,
		yotiface.ErrNoContent, yotiface.ErrResponseTooLarge, yotiface.ErrNotAnImage,
	}
	for _, test := range []struct {
		status int
		is     error // and nothing else
		text   string
		reason string
	}{
		{100, nil, "100 Continue", "no final answer"},
		{101, nil, "101 Switching Protocols", "no HTTP from here on"},
		{199, nil, "199", "no final answer"},
		{300, nil, "300 Multiple Choices (redirects are not followed, check the base URL)", "a choice is not made"},
		{302, nil, "302 Found (redirects are not followed, check the base URL)", "a login page"},
		{304, nil, "304 Not Modified (redirects are not followed, check the base URL)", "nothing was cached"},
		{400, yotiface.ErrBadRequest, "400 Bad Request", "documented"},
		{401, yotiface.ErrUnauthorized, "401 Unauthorized (check that the key is the newest one of the application with this SDK ID, that the base URL is that of its environment, sandbox or production, and the clock)", "documented"},
		{402, nil, "402 Payment Required", "not documented"},
		{403, yotiface.ErrForbidden, "403 Forbidden (ask Yoti to enable this service for the SDK ID)", "documented"},
		{404, yotiface.ErrNotFound, "404 Not Found (unknown ID, already deleted, of another kind or application, or a wrong base URL)", "documented"},
		{405, nil, "405 Method Not Allowed", "not documented"},
		{407, nil, "407 Proxy Authentication Required (the proxy wants credentials, put them into its URL)", "not from the service"},
		{408, nil, "408 Request Timeout", "not documented"},
		{409, yotiface.ErrConflict, "409 Conflict (not finished yet, expired, or locked)", "documented"},
		{410, nil, "410 Gone", "not documented"},
		{413, nil, "413 Request Entity Too Large", "not documented"},
		{422, yotiface.ErrUnprocessable, "422 Unprocessable Entity (check that the image shows one clear face)", "documented"},
		{429, yotiface.ErrRateLimited, "429 Too Many Requests (too many requests, slow down)", "to be expected"},
		{499, nil, "499", "a proxy's own"},
		{500, yotiface.ErrUnavailable, "500 Internal Server Error (the service or a proxy before it failed, try again later)", "documented"},
		{501, yotiface.ErrUnavailable, "501 Not Implemented (the service or a proxy before it failed, try again later)", "5xx"},
		{502, yotiface.ErrUnavailable, "502 Bad Gateway (the service or a proxy before it failed, try again later)", "5xx"},
		{503, yotiface.ErrUnavailable, "503 Service Unavailable (the service or a proxy before it failed, try again later)", "5xx"},
		{504, yotiface.ErrUnavailable, "504 Gateway Timeout (the service or a proxy before it failed, try again later)", "5xx"},
		{599, yotiface.ErrUnavailable, "599 (the service or a proxy before it failed, try again later)", "5xx"},
		{600, nil, "600", "no HTTP status"},
		{999, nil, "999", "no HTTP status, and sent all the same by some"},
	} {
		// A body that would be a session: it must not be read as one.
		err := getSession(t, test.status, `{"code":"C","session_id":"ID1","state":"COMPLETED"}`)
		var apiErr *yotiface.APIError
		require.ErrorAs(t, err, &apiErr, test.reason)
		assert.Equal(t, test.status, apiErr.StatusCode)
		assert.Equal(t, "GET", apiErr.Method)
		assert.Equal(t, "/sessions/{session_id}", apiErr.Endpoint)
		for _, sentinel := range sentinels {
			assert.Equal(t, sentinel == test.is, errors.Is(err, sentinel), "%d, %v", test.status, sentinel)                            //nolint:errorlint // these are the values
			assert.Equal(t, sentinel == test.is, errors.Is(fmt.Errorf("wrapped: %w", err), sentinel), "%d, %v", test.status, sentinel) //nolint:errorlint // these are the values
		}
		words, advice, _ := strings.Cut(test.text, " (")
		if advice != "" {
			advice = " (" + advice
		}
		said := ": C"
		if test.status < 200 {
			said = ": the body is not an error of Yoti's (no content type, 0 bytes)"
		}
		assert.Equal(t, "yotiface: GET /sessions/{session_id}: "+words+said+advice, err.Error())
	}
}

// The body of an answer below 200 is the connection itself: reading it would wait for ever.
func TestBodyOfAProvisionalAnswerIsNotRead(t *testing.T) {
	t.Parallel()
	for _, status := range []int{100, 101, 103, 199} {
		body := &watchedBody{read: func([]byte) (int, error) {
			t.Error("the body was read")
			return 0, io.EOF
		}}
		client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
			resp := reply(req, status, "")
			resp.Body, resp.ContentLength = body, -1
			return resp, nil
		})
		_, err := client.GetSession(t.Context(), "ID1")
		var apiErr *yotiface.APIError
		require.ErrorAs(t, err, &apiErr)
		assert.Equal(t, status, apiErr.StatusCode)
		assert.Empty(t, apiErr.Body)
		assert.True(t, body.closed)
	}
}

// A watchedBody tells whether it was closed, and how much was read of it.
type watchedBody struct {
	read   func([]byte) (int, error)
	n      int
	closed bool
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.read(p)
	b.n += n
	return n, err
}

func (b *watchedBody) Close() error {
	b.closed = true
	return nil
}

func TestOddStatusesOnTheWire(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, answer string
		status       int
	}{
		{"101", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WORD\r\n\r\n{}", 101},
		{"304", "HTTP/1.1 304 Not Modified\r\n\r\n", 304},
		{"600", "HTTP/1.1 600 Odd\r\nContent-Length: 2\r\n\r\n{}", 600},
		{"999", "HTTP/1.1 999 Request denied\r\nContent-Length: 2\r\n\r\n{}", 999},
		{"099", "HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\n{}", 99},
		{"100, then 404", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			baseURL, _ := rawServer(t, test.answer)
			client, err := yotiface.NewClient(ownSDKID, ownPEM(), yotiface.WithBaseURL(baseURL), onlyOneAttempt)
			require.NoError(t, err)
			_, err = client.GetSession(t.Context(), "ID1")
			var apiErr *yotiface.APIError
			require.ErrorAs(t, err, &apiErr)
			assert.Equal(t, test.status, apiErr.StatusCode)
			assertOneLine(t, err.Error())
		})
	}
}

func TestBodiesOfErrors(t *testing.T) {
	t.Parallel()
	const prefix = "yotiface: GET /sessions/{session_id}: 400 Bad Request"
	for _, test := range []struct {
		name, body, contentType string
		code, message           string
		errors                  []yotiface.FieldError
		text                    string // after the prefix
	}{
		{
			"everything", `{"code":"PAYLOAD_VALIDATION","message":"There were errors validating the payload","errors":[{"property":"propertyName","message":"specificMessage"}]}`, "application/json",
			"PAYLOAD_VALIDATION", "There were errors validating the payload",
			[]yotiface.FieldError{{Property: "propertyName", Message: "specificMessage"}},
			": PAYLOAD_VALIDATION: There were errors validating the payload; propertyName: specificMessage",
		},
		{"code and message", `{"code":"BAD_TOKEN","message":"bad token"}`, "application/json", "BAD_TOKEN", "bad token", nil, ": BAD_TOKEN: bad token"},
		{
			"code and errors", `{"code":"MALFORMED_REQUEST","errors":[{"property":"requested_checks","message":"must not be null"}]}`, "application/json",
			"MALFORMED_REQUEST", "",
			[]yotiface.FieldError{{Property: "requested_checks", Message: "must not be null"}},
			": MALFORMED_REQUEST; requested_checks: must not be null",
		},
		{"code only", `{"code":"C"}`, "application/json", "C", "", nil, ": C"},
		{"message only", `{"message":"m"}`, "application/json", "", "m", nil, ": m"},
		{"no content type", `{"code":"C","message":"m"}`, "", "C", "m", nil, ": C: m"},
		{"declared as HTML", `{"code":"C","message":"m"}`, "text/html", "C", "m", nil, ": C: m"},
		{
			"many errors", `{"code":"C","errors":[{"property":"a","message":"1"},{"property":"b","message":"2"},{"property":"c","message":"3"},{"property":"d","message":"4"},{"property":"e","message":"5"}]}`, "application/json",
			"C", "",
			[]yotiface.FieldError{{Property: "a", Message: "1"}, {Property: "b", Message: "2"}, {Property: "c", Message: "3"}, {Property: "d", Message: "4"}, {Property: "e", Message: "5"}},
			": C; a: 1; b: 2; c: 3; and 2 more",
		},
		{"members that are not documented", `{"code":"C","message":"m","trace":{"id":"x"},"errors":[{"property":"a","message":"1","x":2}]}`, "application/json", "C", "m", []yotiface.FieldError{{Property: "a", Message: "1"}}, ": C: m; a: 1"},

		{"errors: null", `{"code":"C","message":"m","errors":null}`, "application/json", "C", "m", nil, ": C: m"},
		{"errors: object", `{"code":"C","message":"m","errors":{"property":"a","message":"1"}}`, "application/json", "C", "m", nil, ": C: m"},
		{"errors: text", `{"code":"C","message":"m","errors":"WORD"}`, "application/json", "C", "m", nil, ": C: m"},
		{"errors: numbers", `{"code":"C","message":"m","errors":[1,2]}`, "application/json", "C", "m", nil, ": C: m"},
		{"errors: a message of the wrong type", `{"code":"C","message":"m","errors":[{"property":"a","message":{}}]}`, "application/json", "C", "m", nil, ": C: m"},
		{"code: number", `{"code":7,"message":"m"}`, "application/json", "", "m", nil, ": m"},
		{"code: null", `{"code":null,"message":"m"}`, "application/json", "", "m", nil, ": m"},
		{"message: object", `{"code":"C","message":{"text":"WORD"}}`, "application/json", "C", "", nil, ": C"},
		{"message: null", `{"code":"C","message":null}`, "application/json", "C", "", nil, ": C"},

		{"empty", "", "", "", "", nil, ": the body is not an error of Yoti's (no content type, 0 bytes)"},
		{"HTML", "<html>WORD</html>", "text/html; charset=utf-8", "", "", nil, ": the body is not an error of Yoti's (text/html, 17 bytes)"},
		{"text", "WORD", "text/plain", "", "", nil, ": the body is not an error of Yoti's (text/plain, 4 bytes)"},
		{"broken content type", "WORD", "WORD/;;;", "", "", nil, ": the body is not an error of Yoti's (no content type, 4 bytes)"},
		{"null", "null", "application/json", "", "", nil, ": the body is not an error of Yoti's (application/json, 4 bytes)"},
		{"list", `["WORD"]`, "application/json", "", "", nil, ": the body is not an error of Yoti's (application/json, 8 bytes)"},
		{"string", `"WORD"`, "application/json", "", "", nil, ": the body is not an error of Yoti's (application/json, 6 bytes)"},
		{"another object", `{"error":"WORD"}`, "application/json", "", "", nil, ": the body is not an error of Yoti's (application/json, 16 bytes)"},
		{"everything of the wrong type", `{"code":[],"message":1,"errors":true}`, "application/json", "", "", nil, ": the body is not an error of Yoti's (application/json, 37 bytes)"},
		{"cut off", `{"code":"C","message":"WORD`, "application/json", "", "", nil, ": the body is not an error of Yoti's (application/json, 27 bytes)"},
		{"binary", "\x00\xff\xfeWORD", "application/octet-stream", "", "", nil, ": the body is not an error of Yoti's (application/octet-stream, 7 bytes)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var header []string
			if test.contentType != "" {
				header = []string{"Content-Type", test.contentType}
			}
			err := getSession(t, http.StatusBadRequest, test.body, header...)
			var apiErr *yotiface.APIError
			require.ErrorAs(t, err, &apiErr)
			require.ErrorIs(t, err, yotiface.ErrBadRequest)
			assert.Equal(t, test.code, apiErr.Code)
			assert.Equal(t, test.message, apiErr.Message)
			assert.Equal(t, test.errors, apiErr.Errors)
			assert.Equal(t, test.body, string(apiErr.Body))
			assert.Equal(t, prefix+test.text, err.Error())
			assert.NotContains(t, err.Error(), "WORD")
		})
	}
}

// The service documents errors[] in every variant with a code; what comes without is not lost either.
func TestFieldErrorsWithoutACode(t *testing.T) {
	t.Parallel()
	err := getSession(t, http.StatusServiceUnavailable, `{"errors":[{"property":"database","message":"down"}]}`)
	var apiErr *yotiface.APIError
	require.ErrorAs(t, err, &apiErr)
	assert.Equal(t, []yotiface.FieldError{{Property: "database", Message: "down"}}, apiErr.Errors)
	assert.Equal(t, "yotiface: GET /sessions/{session_id}: 503 Service Unavailable; database: down (the service or a proxy before it failed, try again later)", err.Error())
}

func TestAdviceNamesTheWait(t *testing.T) {
	t.Parallel()
	err := getSession(t, http.StatusTooManyRequests, `{"code":"C"}`, "Retry-After", "3600")
	assert.Equal(t, "yotiface: GET /sessions/{session_id}: 429 Too Many Requests: C (too many requests, wait 1h0m0s)", err.Error())
}

// Users build an APIError in their own tests.
func TestAPIErrorOfAUser(t *testing.T) {
	t.Parallel()
	err := &yotiface.APIError{StatusCode: 404, Method: "GET", Endpoint: "/sessions/{session_id}", Code: "GONE", Message: "of 7938ac1e-0a4a-49b7-953f-08cfa764358f"}
	require.ErrorIs(t, err, yotiface.ErrNotFound)
	assert.Equal(t, "yotiface: GET /sessions/{session_id}: 404 Not Found: GONE: of … (unknown ID, already deleted, of another kind or application, or a wrong base URL)", err.Error())
	for _, verb := range []string{"%v", "%+v", "%s"} {
		assert.Equal(t, err.Error(), fmt.Sprintf(verb, err), verb)
	}
	assert.Equal(t, strconv.Quote(err.Error()), fmt.Sprintf("%#v", err), "as Go would write it")
	text, marshalErr := json.Marshal(map[string]any{"error": err})
	require.NoError(t, marshalErr)
	assert.JSONEq(t, `{"error":"`+err.Error()+`"}`, string(text))
	assertOneLine(t, (&yotiface.APIError{}).Error())
	assertOneLine(t, (&yotiface.DecodeError{}).Error())
}

// What the service repeats of a request is masked where it is printed, and kept in the fields.
func TestWhatAnErrorMustNotRepeat(t *testing.T) {
	t.Parallel()
	const (
		anyUUID   = "f7a1b2c3-9d8e-4c5b-a6f7-1234567890ab"
		sessionID = "person-0815" // no UUID, so that it is not found as one
	)
	query := func(name string) func(*http.Request) string {
		return func(req *http.Request) string { return req.URL.Query().Get(name) }
	}
	digest := func(req *http.Request) string { return req.Header.Get("X-Yoti-Auth-Digest") }
	for _, test := range []struct {
		name   string
		repeat func(*http.Request) string
	}{
		{"ID of the call", func(*http.Request) string { return sessionID }},
		{"ID of the call in capitals", func(*http.Request) string { return strings.ToUpper(sessionID) }},
		{"SDK ID", query("sdkId")},
		{"SDK ID in capitals", func(*http.Request) string { return strings.ToUpper(ownSDKID) }},
		{"nonce", query("nonce")},
		{"nonce in lower case", func(req *http.Request) string { return strings.ToLower(req.URL.Query().Get("nonce")) }},
		{"timestamp", query("timestamp")},
		{"signature", digest},
		{"half of the signature", func(req *http.Request) string { return digest(req)[:172] }},
		{"UUID", func(*http.Request) string { return anyUUID }},
		{"UUID in capitals", func(*http.Request) string { return strings.ToUpper(anyUUID) }},
		{"UUID without dashes", func(*http.Request) string { return strings.ReplaceAll(anyUUID, "-", "") }},
		{"URL", func(req *http.Request) string { return req.URL.String() }},
		{"URL of something else", func(*http.Request) string { return "https://bucket.example/face.jpg?X-Amz-Signature=00ff" }},
		{"token", func(*http.Request) string { return strings.Repeat("Az09-_", 12) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var repeated string
			client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
				repeated = test.repeat(req)
				body, err := json.Marshal(map[string]any{
					"code": "C " + repeated, "message": "about " + repeated + " it says",
					"errors": []map[string]string{{"property": "of " + repeated, "message": repeated + " is wrong"}},
				})
				assert.NoError(t, err)
				return reply(req, http.StatusBadRequest, string(body)), nil
			})
			_, err := client.GetSession(t.Context(), sessionID)
			var apiErr *yotiface.APIError
			require.ErrorAs(t, err, &apiErr)
			const masked = "yotiface: GET /sessions/{session_id}: 400 Bad Request: C …: about … it says; of …: … is wrong"
			assert.Equal(t, masked, err.Error())
			assert.Equal(t, "C "+repeated, apiErr.Code, "the fields are as received")
			assert.Equal(t, "about "+repeated+" it says", apiErr.Message)
			assert.Equal(t, []yotiface.FieldError{{Property: "of " + repeated, Message: repeated + " is wrong"}}, apiErr.Errors)
		})
	}

	t.Run("path and query", func(t *testing.T) {
		t.Parallel()
		client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
			return reply(req, http.StatusBadRequest, `{"message":"no `+req.URL.RequestURI()+` here"}`), nil
		})
		_, err := client.GetSession(t.Context(), sessionID)
		text := err.Error()
		for _, name := range []string{"sdkId", "nonce", "timestamp"} {
			assert.Contains(t, text, name+"=…")
			text = strings.Replace(text, name+"=…", "", 1)
		}
		assert.Equal(t, "yotiface: GET /sessions/{session_id}: 400 Bad Request: no /idverify/v1/sessions/…?&& here", text)
	})

	t.Run("every ID of the call", func(t *testing.T) {
		t.Parallel()
		client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
			return reply(req, http.StatusConflict, `{"message":"face-12 of person-0815"}`), nil
		})
		_, err := client.GetFace(t.Context(), "person-0815", "face-12")
		assert.Equal(t, "yotiface: GET /applicant/{applicant_id}/faces/{face_id}: 409 Conflict: … of … (not finished yet, expired, or locked)", err.Error())
	})

	// Whatever order they are masked in, nothing of the longer one may be left.
	t.Run("IDs that begin alike", func(t *testing.T) {
		t.Parallel()
		client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
			return reply(req, http.StatusBadRequest, `{"message":"`+ownSDKID+`-face of `+ownSDKID+` or `+ownSDKID+`-face-left"}`), nil
		})
		_, err := client.GetFace(t.Context(), ownSDKID+"-face", ownSDKID+"-face-left")
		assert.Equal(t, "yotiface: GET /applicant/{applicant_id}/faces/{face_id}: 400 Bad Request: … of … or …", err.Error())
	})

	t.Run("content type", func(t *testing.T) {
		t.Parallel()
		client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
			return reply(req, http.StatusBadRequest, "", "Content-Type", "text/"+sessionID), nil
		})
		_, err := client.GetSession(t.Context(), sessionID)
		assert.Equal(t, "yotiface: GET /sessions/{session_id}: 400 Bad Request: the body is not an error of Yoti's (text/…, 0 bytes)", err.Error())
	})
}

func TestTextOfAnErrorIsOneShortLine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, hostile string }{
		{"long", strings.Repeat("word ", 1000)},
		{"long without spaces", strings.Repeat("é", 2000)},
		{"cut inside a character", "a" + strings.Repeat("𝄞", 1000)},
		{"lines", strings.Repeat("line\r\nline\n", 50)},
		{"forged record", "\nlevel=INFO msg=\"all is well\""},
		{"terminal escapes", "\x1b[2J\x1b]0;title\x07"},
		{"NUL, DEL and C1", "a\x00b\x7fc\u0085d\u009be"},
		{"right to left", "\u202egpj.exe\u202c \u2066x\u2069 \u200f"},
		{"zero width", "a\u200bb\u200dc\ufeffd"},
		{"line separators", "a\u2028b\u2029c\vd\fe"},
		{"replacement characters", strings.Repeat("\ufffd", 100)},
		{"tag characters", "\U000e0041\U000e0042"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			body, err := json.Marshal(map[string]any{
				"code": test.hostile, "message": test.hostile,
				"errors": []map[string]string{
					{"property": test.hostile, "message": test.hostile}, {"property": test.hostile}, {"message": test.hostile}, {},
				},
			})
			require.NoError(t, err)
			for _, status := range []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusServiceUnavailable} {
				client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
					return reply(req, status, string(body), "Content-Type", "text/"+test.hostile), nil
				}, yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxBackoff: time.Nanosecond}))
				_, err := client.GetSession(t.Context(), "ID1")
				require.Error(t, err)
				assertOneLine(t, err.Error())
				assert.NotContains(t, err.Error(), "not an error of Yoti's", "the JSON was read")
				assert.Contains(t, err.Error(), fmt.Sprintf("GET /sessions/{session_id}: %d ", status))
				switch status {
				case http.StatusUnauthorized:
					assert.True(t, strings.HasSuffix(err.Error(), ", and the clock)"), "advice comes last: %s", err)
				case http.StatusServiceUnavailable:
					assert.True(t, strings.HasSuffix(err.Error(), " [3 attempts]"), err.Error())
				}
			}
		})
	}
}

func TestAtMost4KiBOfAnErrorBodyAreKept(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 3_000)
	body := `{"code":"C","message":"` + long + `","errors":[{"property":"p","message":"m"}]}`
	err := getSession(t, http.StatusBadRequest, body)
	var apiErr *yotiface.APIError
	require.ErrorAs(t, err, &apiErr)
	assert.Equal(t, body[:4<<10], string(apiErr.Body))
	assert.Equal(t, "C", apiErr.Code, "the JSON is read beyond what is kept")
	assert.Equal(t, long, apiErr.Message)
	assert.Equal(t, []yotiface.FieldError{{Property: "p", Message: "m"}}, apiErr.Errors)
}

func TestEndlessErrorBodyIsReadInPart(t *testing.T) {
	t.Parallel()
	endless := &watchedBody{read: func(p []byte) (int, error) {
		for i := range p {
			p[i] = 'x'
		}
		return len(p), nil
	}}
	client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
		resp := reply(req, http.StatusBadRequest, "")
		resp.Body, resp.ContentLength = endless, -1
		return resp, nil
	})
	_, err := client.GetSession(t.Context(), "ID1")
	var apiErr *yotiface.APIError
	require.ErrorAs(t, err, &apiErr)
	assert.Equal(t, strings.Repeat("x", 4<<10), string(apiErr.Body))
	assert.LessOrEqual(t, endless.n, 128<<10)
	assert.True(t, endless.closed)
	assert.Equal(t, "yotiface: GET /sessions/{session_id}: 400 Bad Request: the body is not an error of Yoti's (no content type, 65536 bytes or more)", err.Error())
}

func TestErrorBodyThatBreaksOffKeepsTheStatus(t *testing.T) {
	t.Parallel()
	parts := []string{`{"code":"C","me`}
	body := &watchedBody{read: func(p []byte) (int, error) {
		if len(parts) == 0 {
			return 0, io.ErrUnexpectedEOF
		}
		n := copy(p, parts[0])
		parts = nil
		return n, nil
	}}
	client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
		resp := reply(req, http.StatusForbidden, "")
		resp.Body, resp.ContentLength = body, 100
		return resp, nil
	})
	_, err := client.GetSession(t.Context(), "ID1")
	require.ErrorIs(t, err, yotiface.ErrForbidden)
	var apiErr *yotiface.APIError
	require.ErrorAs(t, err, &apiErr)
	assert.Equal(t, `{"code":"C","me`, string(apiErr.Body))
	assert.True(t, body.closed)
}

// The clock of a bubble starts at midnight UTC 2000-01-01, a Saturday.
func TestRetryAfterForms(t *testing.T) {
	t.Parallel()
	const centuries = 9223372036 * time.Second // all that fits
	for _, test := range []struct {
		value  string
		want   time.Duration
		reason string
	}{
		{"", 0, "absent"},
		{"5", 5 * time.Second, "seconds"},
		{" 5 ", 5 * time.Second, "white space"},
		{"0", 0, "now"},
		{"3600", time.Hour, "an hour"},
		{"-5", 0, "negative"},
		{"+5", 0, "no number of HTTP's"},
		{"1.5", 0, "no number of HTTP's"},
		{"0x10", 0, "no number of HTTP's"},
		{"1_000", 0, "no number of HTTP's"},
		{"soon", 0, "garbage"},
		{"5 seconds", 0, "garbage"},
		{"9223372036", centuries, "the most that fits"},
		{"9223372037", centuries, "would overflow"},
		{"99999999999999999999", centuries, "overflows even 64 bits"},
		{"Sat, 01 Jan 2000 00:00:30 GMT", 30 * time.Second, "a date"},
		{"Saturday, 01-Jan-00 00:01:00 GMT", time.Minute, "a date of RFC 850"},
		{"Sat Jan  1 01:00:00 2000", time.Hour, "a date of C"},
		{"Sat, 01 Jan 2000 00:00:00 GMT", 0, "now"},
		{"Fri, 31 Dec 1999 23:59:59 GMT", 0, "past"},
		{"Fri, 31 Dec 9999 23:59:59 GMT", 1<<63 - 1, "saturates"},
		{"2000-01-01T00:00:30Z", 0, "no date of HTTP's"},
		{"Sat, 32 Jan 2000 00:00:30 GMT", 0, "no date"},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			err := getSession(t, http.StatusServiceUnavailable, "", "Retry-After", test.value)
			var apiErr *yotiface.APIError
			require.ErrorAs(t, err, &apiErr)
			assert.Equal(t, test.want, apiErr.RetryAfter, "%s: %q", test.reason, test.value)
			assert.Zero(t, time.Since(start))
		})
	}
}

// Only the pointer and the kind of what is wrong are printed.
func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	const prefix = "yotiface: GET /sessions/{session_id}: the answer cannot be read: "
	for _, test := range []struct {
		name, body string
		path       string
		text       string // after the prefix, without the path
	}{
		{"empty", "", "", "an empty body"},
		{"white space", " \r\n\t", "", "an empty body"},
		{"HTML", "<!DOCTYPE html><title>WORD</title>", "", "HTML or XML, perhaps the page of a proxy or a login (check the base URL and the proxy)"},
		{"HTML after white space", "\n\n  <html>WORD", "", "HTML or XML, perhaps the page of a proxy or a login (check the base URL and the proxy)"},
		{"byte order mark", "\xef\xbb\xbf" + `{"session_id":"ID1"}`, "", "a byte order mark before the JSON"},
		{"null", "null", "", "null in place of an object"},
		{"null in white space", " null\n", "", "null in place of an object"},
		{"words", "WORD WORD", "", "broken JSON"},
		{"truncated", `{"session_id":"ID1","state":"WO`, "/state", "JSON that ends too early"},
		{"truncated after a name", `{"session_id"`, "/session_id", "JSON that ends too early"},
		{"data after the value", `{"session_id":"ID1"} WORD`, "", "broken JSON"},
		{"second value", `{"session_id":"ID1"}{"session_id":"WORD"}`, "", "broken JSON"},
		{"single quotes", `{'session_id':'WORD'}`, "", "broken JSON"},
		{"trailing comma", `{"session_id":"ID1","checks":[{},]}`, "/checks", "broken JSON"},
		{"duplicate name", `{"session_id":"ID1","state":"WORD","state":"COMPLETED"}`, "/state", "a name that appears twice in one object"},
		{"duplicate name below", `{"session_id":"ID1","checks":[{"report":{"recommendation":{"value":"REJECT","value":"APPROVE"}}}]}`, "/checks/0/report/recommendation/value", "a name that appears twice in one object"},
		{"duplicate name in an object that is kept raw", `{"session_id":"ID1","identity_profile":{"a":"WORD","a":1}}`, "/identity_profile/a", "a name that appears twice in one object"},
		{"lone surrogate", `{"session_id":"ID1","state":"\ud800WORD"}`, "/state", "broken JSON"},
		{"invalid UTF-8", "{\"session_id\":\"ID1\",\"state\":\"\xffWORD\"}", "/state", "broken JSON"},
		{"list", `["WORD"]`, "", "an array where something else is due"},
		{"string", `"WORD"`, "", "a string where something else is due"},
		{"number", `4711`, "", "a number where something else is due"},
		{"wrong type: number", `{"session_id":4711}`, "/session_id", "a number where something else is due"},
		{"wrong type: object", `{"session_id":"ID1","checks":{"WORD":"WORD"}}`, "/checks", "an object where something else is due"},
		{"wrong type: string", `{"session_id":"ID1","checks":"WORD"}`, "/checks", "a string where something else is due"},
		{"wrong type: deep", `{"session_id":"ID1","checks":[{},{"report":{"breakdown":[{"details":[{"value":4711}]}]}}]}`, "/checks/1/report/breakdown/0/details/0/value", "a number where something else is due"},
		{"fraction for an integer", `{"session_id":"ID1","client_session_token_ttl":4711.5}`, "/client_session_token_ttl", "a number where something else is due"},
		{"20 digits for an integer", `{"session_id":"ID1","client_session_token_ttl":47110000000000000000}`, "/client_session_token_ttl", "a number where something else is due"},
		{"number for a time", `{"session_id":"ID1","biometric_consent":4711}`, "/biometric_consent", "a number where something else is due"},
		{"no ID", `{"state":"COMPLETED"}`, "/session_id", "the ID is missing"},
		{"empty ID", `{"session_id":"","state":"COMPLETED"}`, "/session_id", "the ID is missing"},
		{"null for an ID", `{"session_id":null,"state":"COMPLETED"}`, "/session_id", "the ID is missing"},
		{"empty object", `{}`, "/session_id", "the ID is missing"},
		{"ID in another case of the name", `{"Session_ID":"ID1"}`, "/session_id", "the ID is missing"},
		{"another ID", `{"session_id":"WORD","state":"COMPLETED"}`, "/session_id", "the ID is not the one that was asked for"},
		{"an ID that begins in the same way", `{"session_id":"ID1WORD"}`, "/session_id", "the ID is not the one that was asked for"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := getSession(t, http.StatusOK, test.body, "Content-Type", "text/WORD")
			var decodeErr *yotiface.DecodeError
			require.ErrorAs(t, err, &decodeErr)
			assert.Equal(t, "GET", decodeErr.Method)
			assert.Equal(t, "/sessions/{session_id}", decodeErr.Endpoint)
			assert.Equal(t, test.path, decodeErr.Path)
			assert.Equal(t, test.body, string(decodeErr.Body))
			require.Error(t, decodeErr.Err)
			require.ErrorIs(t, err, decodeErr.Err)
			want := prefix + test.text
			if test.path != "" {
				want += " at " + test.path
			}
			assert.Equal(t, want, err.Error())
			for _, quoted := range []string{"WORD", "4711", "APPROVE"} {
				assert.NotContains(t, err.Error(), quoted)
			}
		})
	}
}

func TestIDsAreComparedWithoutRegardToCase(t *testing.T) {
	t.Parallel()
	client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
		return reply(req, http.StatusOK, `{"session_id":"7938AC1E-0A4A-49B7-953F-08CFA764358F","state":"COMPLETED"}`), nil
	})
	session, err := client.GetSession(t.Context(), "7938ac1e-0a4a-49b7-953f-08cfa764358f")
	require.NoError(t, err)
	assert.Equal(t, "7938AC1E-0A4A-49B7-953F-08CFA764358F", session.ID)
}

// A pointer is made of names, and names can hold anything.
func TestPathOfADecodeErrorIsMasked(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, member, printed string }{
		{"UUID", "f7a1b2c3-9d8e-4c5b-a6f7-1234567890ab", "…"},
		{"ID of the call", "of ID1", "of …"},
		{"SDK ID", ownSDKID, "…"},
		{"lines", "a\nb\u202ec", "a b c"},
		{"slash and tilde", "a/~b", "a~1~0b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			member, err := json.Marshal(test.member)
			require.NoError(t, err)
			err = getSession(t, http.StatusOK, fmt.Sprintf(`{"identity_profile":{%s:{"a":1,"a":2}}}`, member))
			assert.Equal(t, "yotiface: GET /sessions/{session_id}: the answer cannot be read: a name that appears twice in one object at /identity_profile/"+test.printed+"/a", err.Error())
		})
	}
	err := getSession(t, http.StatusOK, `{"identity_profile":{"`+strings.Repeat("long name ", 5_000)+`":{"a":1,"a":2}}}`)
	assert.Less(t, len(err.Error()), 300)
}

func TestAtMost64KiBOfAnUnreadableBodyAreKept(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"<html>" + strings.Repeat("x", 100<<10),
		`{"session_id":"` + strings.Repeat("x", 100<<10) + `"}`,
	} {
		err := getSession(t, http.StatusOK, body)
		var decodeErr *yotiface.DecodeError
		require.ErrorAs(t, err, &decodeErr)
		assert.Equal(t, body[:64<<10], string(decodeErr.Body))
		assert.LessOrEqual(t, cap(decodeErr.Body), 80<<10, "the rest is not kept behind it")
	}
}

func TestDecodeErrorsOfApplicants(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ body, text string }{
		{"", "an empty body"},
		{"null", "null in place of an object"},
		{`{"id":"WORD"}`, "the ID is not the one that was asked for at /id"},
		{`{}`, "the ID is missing at /id"},
		{`{"id":"ID1","faces":{"faces":[{"id":1}]}}`, "a number where something else is due at /faces/faces/0/id"},
	} {
		client := newOwnClient(t, func(req *http.Request) (*http.Response, error) { return reply(req, http.StatusOK, test.body), nil })
		applicant, err := client.GetApplicant(t.Context(), "ID1")
		assert.Nil(t, applicant)
		var decodeErr *yotiface.DecodeError
		require.ErrorAs(t, err, &decodeErr)
		assert.Equal(t, "yotiface: GET /applicant/{applicant_id}: the answer cannot be read: "+test.text, err.Error())
		assert.Equal(t, test.body, string(decodeErr.Body))
	}
}

// Half a face is a face: nothing of such a body is kept.
func TestDecodeErrorsOfFacesKeepNoBody(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ body, text string }{
		{"", "an empty body"},
		{"null", "null in place of an object"},
		{"<html>WORD", "HTML or XML, perhaps the page of a proxy or a login (check the base URL and the proxy)"},
		{`{"face":{"data":"/9j/WORD`, "JSON that ends too early at /face/data"},
		{`{"face":[]}`, "an array where something else is due at /face"},
		{`{"face":{"data":4711}}`, "a number where something else is due at /face/data"},
		{`{"face":{"data":"/9j/4AAQSkZJRgABAQAAAQ==","data":""}}`, "a name that appears twice in one object at /face/data"},
	} {
		client := newOwnClient(t, func(req *http.Request) (*http.Response, error) { return reply(req, http.StatusOK, test.body), nil }, onlyOneAttempt)
		face, err := client.GetFace(t.Context(), "ID1", "ID2")
		assert.Nil(t, face)
		var decodeErr *yotiface.DecodeError
		require.ErrorAs(t, err, &decodeErr, test.body)
		assert.Equal(t, "yotiface: GET /applicant/{applicant_id}/faces/{face_id}: the answer cannot be read: "+test.text, err.Error())
		assert.Empty(t, decodeErr.Body)
	}
}

func TestSuccessesThatCannotBeOne(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, body string
		status     int
		header     []string
		is         error
		text       string
	}{
		{"204", "", http.StatusNoContent, nil, yotiface.ErrNoContent, "answered no content"},
		{"204 with a session", `{"session_id":"ID1"}`, http.StatusNoContent, nil, yotiface.ErrNoContent, "answered no content"},
		{"too large", `{"session_id":"ID1","state":"WORD"}`, http.StatusOK, nil, yotiface.ErrResponseTooLarge, "response too large: the answer has more than 30 bytes (see WithMaxResponseBytes)"},
		{"a compression that was not asked for", "WORD", http.StatusOK, []string{"Content-Encoding", "br"}, nil, "the answer cannot be read: a compression that was not asked for"},
	} {
		client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
			return reply(req, test.status, test.body, test.header...), nil
		}, yotiface.WithMaxResponseBytes(30))
		session, err := client.GetSession(t.Context(), "ID1")
		require.Error(t, err, test.name)
		assert.Nil(t, session)
		if test.is != nil {
			require.ErrorIs(t, err, test.is)
		}
		assert.Equal(t, "yotiface: GET /sessions/{session_id}: "+test.text, err.Error(), test.name)
	}

	for _, test := range []struct{ name, body, text string }{
		{"no image", `{"face":{}}`, "the answer holds no image data"},
		{"not base64", `{"face":{"data":"WORD WORD"}}`, "the image data is not standard base64 with padding"},
		{"words", `{"face":{"data":"V09SRA=="}}`, "the bytes are of another kind of data"},
		{"declared as text", `{"face":{"data":"/9j/4AAQSkZJRgABAQAAAQ==","content_type":"text/WORD"}}`, "the declared content type is not image/…"},
	} {
		client := newOwnClient(t, func(req *http.Request) (*http.Response, error) { return reply(req, http.StatusOK, test.body), nil })
		face, err := client.GetFace(t.Context(), "ID1", "ID2")
		assert.Nil(t, face)
		require.ErrorIs(t, err, yotiface.ErrNotAnImage, test.name)
		assert.Equal(t, "yotiface: GET /applicant/{applicant_id}/faces/{face_id}: not an image: "+test.text, err.Error(), test.name)
	}
}

func TestJSONIsReadWhateverItsContentType(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{"", "text/html", "application/octet-stream", ";;;", "application/json; charset=latin1"} {
		client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
			return reply(req, http.StatusOK, `{"session_id":"ID1"}`, "Content-Type", contentType), nil
		})
		session, err := client.GetSession(t.Context(), "ID1")
		require.NoError(t, err, contentType)
		assert.Equal(t, "ID1", session.ID)
	}
}

func TestErrorsTellHowManyAttemptsThereWere(t *testing.T) {
	t.Parallel()
	const text = "yotiface: GET /sessions/{session_id}: 503 Service Unavailable: C (the service or a proxy before it failed, try again later)"
	for _, test := range []struct {
		attempts int
		suffix   string
	}{{1, ""}, {2, " [2 attempts]"}, {11, " [11 attempts]"}} {
		client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
			return reply(req, http.StatusServiceUnavailable, `{"code":"C"}`), nil
		}, yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxAttempts: test.attempts, MaxBackoff: time.Nanosecond}))
		_, err := client.GetSession(t.Context(), "ID1")
		assert.Equal(t, text+test.suffix, err.Error())
		var apiErr *yotiface.APIError
		require.ErrorAs(t, err, &apiErr)
		assert.Equal(t, "C", apiErr.Code)
		require.ErrorIs(t, err, yotiface.ErrUnavailable)
	}
}

// signed is everything of a request that must be in no text.
func signed(req *http.Request) []string {
	query := req.URL.Query()
	return []string{
		req.URL.String(), req.URL.RequestURI(), req.URL.RawQuery, query.Get("sdkId"), query.Get("nonce"), query.Get("timestamp"),
		req.Header.Get("X-Yoti-Auth-Digest"), "https://", "person-0815",
	}
}

func TestTransportErrorsLoseTheURLAndKeepTheirIdentity(t *testing.T) {
	t.Parallel()
	dns := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "api.yoti.com", IsNotFound: true}}
	for _, test := range []struct {
		name    string
		fail    func(*http.Request) error
		is      func(error) bool
		timeout bool
		text    string
	}{
		{
			"host does not resolve", func(*http.Request) error { return dns },
			func(err error) bool {
				var target *net.DNSError
				return errors.As(err, &target) && target.IsNotFound
			}, false, "dial tcp: lookup api.yoti.com: no such host (check the base URL, and the network)",
		},
		{
			"refused", func(*http.Request) error {
				return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
			},
			func(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }, false, "dial tcp: connection refused (check the base URL)",
		},
		{
			"reset", func(*http.Request) error { return &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET} },
			func(err error) bool { return errors.Is(err, syscall.ECONNRESET) }, false, "the connection was reset",
		},
		{
			"closed", func(*http.Request) error { return io.EOF },
			func(err error) bool { return errors.Is(err, io.EOF) }, false, "the connection was closed before the answer",
		},
		{
			"ended early", func(*http.Request) error { return io.ErrUnexpectedEOF },
			func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }, false, "the answer ended too early",
		},
		{
			"timeout of a read", func(*http.Request) error {
				return &net.OpError{Op: "read", Net: "tcp", Err: context.DeadlineExceeded}
			},
			func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }, true, "no complete answer in time (see WithAttemptTimeout, and the Timeout of an HTTP client)",
		},
		{
			"timeout of a dial", func(*http.Request) error {
				return &net.OpError{Op: "dial", Net: "tcp", Err: context.DeadlineExceeded}
			},
			func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }, true, "no connection in time (check the network, the base URL and the proxy)",
		},
		{
			"unknown authority", func(*http.Request) error { return x509.UnknownAuthorityError{} },
			func(err error) bool { return errors.As(err, new(x509.UnknownAuthorityError)) }, false,
			"the server cannot be trusted: x509: certificate signed by unknown authority (check the base URL, the proxy, and the system's certificates)",
		},
		{
			"error with the URL", func(req *http.Request) error { return fmt.Errorf("no cassette for %s", req.URL) },
			func(error) bool { return true }, false, "no cassette for …",
		},
		{
			"error with the quoted URL", func(req *http.Request) error { return fmt.Errorf("no cassette for %q", req.URL.String()) },
			func(error) bool { return true }, false, "no cassette for …",
		},
		{
			"url.Error of an inner client", func(req *http.Request) error {
				return &url.Error{Op: "Get", URL: req.URL.String(), Err: io.ErrClosedPipe}
			},
			func(err error) bool { return errors.Is(err, io.ErrClosedPipe) }, false, "io: read/write on closed pipe",
		},
		{
			"lines", func(*http.Request) error { return errors.New("a\nb\x1b[2J") },
			func(error) bool { return true }, false, "a b [2J",
		},
		{
			"long", func(*http.Request) error { return errors.New(strings.Repeat("é ", 1000)) },
			func(error) bool { return true }, false, "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var secrets []string
			client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
				secrets = signed(req)
				return nil, test.fail(req)
			}, onlyOneAttempt)
			session, err := client.GetSession(t.Context(), "person-0815")
			require.Error(t, err)
			assert.Nil(t, session)
			assert.True(t, test.is(err), "identity of %v", err)
			assertOneLine(t, err.Error())
			if test.text != "" {
				assert.Equal(t, "yotiface: GET /sessions/{session_id}: "+test.text, err.Error())
			}
			for _, secret := range secrets {
				assert.NotContains(t, err.Error(), secret)
			}
			var urlErr *url.Error
			assert.NotErrorAs(t, err, &urlErr, "it holds the signed URL")

			var timeout interface{ Timeout() bool }
			require.ErrorAs(t, err, &timeout)
			assert.Equal(t, test.timeout, timeout.Timeout())
			assert.NotErrorIs(t, err, yotiface.ErrUnavailable, "there was no answer")
		})
	}
}

// What a transport says of a request is masked like what a service says.
func TestTransportErrorsRepeatNothingOfTheRequest(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		repeat func(*http.Request) string
	}{
		{"path", func(req *http.Request) string { return req.URL.Path }},
		{"path and query", func(req *http.Request) string { return req.URL.RequestURI() }},
		{"SDK ID", func(req *http.Request) string { return req.URL.Query().Get("sdkId") }},
		{"nonce", func(req *http.Request) string { return req.URL.Query().Get("nonce") }},
		{"timestamp", func(req *http.Request) string { return req.URL.Query().Get("timestamp") }},
		{"signature", func(req *http.Request) string { return req.Header.Get("X-Yoti-Auth-Digest") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var secrets []string
			client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
				secrets = signed(req)
				return nil, fmt.Errorf("refused by policy: %s", test.repeat(req))
			}, yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxBackoff: time.Nanosecond}))
			_, err := client.GetSession(t.Context(), "person-0815")
			require.Error(t, err)
			assert.Contains(t, err.Error(), "refused by policy: ")
			for _, secret := range secrets {
				assert.NotContains(t, err.Error(), secret)
			}
		})
	}
}

func TestAttemptTimeoutsKeepTheirIdentity(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		})
		_, err := client.GetSession(t.Context(), "ID1")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		var timeout interface{ Timeout() bool }
		require.ErrorAs(t, err, &timeout)
		assert.True(t, timeout.Timeout())
		assert.Equal(t, "yotiface: GET /sessions/{session_id}: no complete answer in time (see WithAttemptTimeout, and the Timeout of an HTTP client) [3 attempts]", err.Error())
	})
}

func TestErrorsOfTheCallersContext(t *testing.T) {
	t.Parallel()
	errCause := errors.New("the shop closes")
	for _, test := range []struct {
		name string
		end  func(*testing.T) (context.Context, context.CancelFunc)
		is   []error
		text string
	}{
		{"canceled before the call", func(t *testing.T) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(errCause)
			return ctx, func() {}
		}, []error{context.Canceled, errCause}, "context canceled before anything was sent"},
		{"deadline during the first attempt", func(t *testing.T) (context.Context, context.CancelFunc) {
			return context.WithTimeoutCause(t.Context(), time.Second, errCause)
		}, []error{context.DeadlineExceeded, errCause}, "context deadline exceeded"},
		{"deadline during the second attempt", func(t *testing.T) (context.Context, context.CancelFunc) {
			return context.WithTimeout(t.Context(), 40*time.Second)
		}, []error{context.DeadlineExceeded}, "context deadline exceeded after 2 attempts; last: GET /sessions/{session_id}: no complete answer in time (see WithAttemptTimeout, and the Timeout of an HTTP client)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
					<-req.Context().Done()
					return nil, req.Context().Err()
				})
				ctx, cancel := test.end(t)
				defer cancel()
				_, err := client.GetSession(ctx, "ID1")
				for _, is := range test.is {
					require.ErrorIs(t, err, is)
				}
				assert.Equal(t, "yotiface: GET /sessions/{session_id}: "+test.text, err.Error())
				var timeout interface{ Timeout() bool }
				require.ErrorAs(t, err, &timeout)
				assert.Equal(t, errors.Is(err, context.DeadlineExceeded), timeout.Timeout())
			})
		})
	}
}

func TestUntrustedServer(t *testing.T) {
	t.Parallel()
	var handshakes atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request was sent")
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			handshakes.Add(1)
		}
	}
	server.StartTLS()
	client, err := yotiface.NewClient(ownSDKID, ownPEM(), yotiface.WithBaseURL(server.URL))
	require.NoError(t, err)
	_, err = client.GetSession(t.Context(), "ID1")
	server.Close()
	var unknown x509.UnknownAuthorityError
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, int64(1), handshakes.Load(), "never tried again")
	assertOneLine(t, err.Error())
	assert.Contains(t, err.Error(), "GET /sessions/{session_id}: the server cannot be trusted: ")
	assert.NotContains(t, err.Error(), "https://")
}

// net/http quotes what it cannot read; all that is readable of a malformed answer here is the word WORD.
func TestMalformedAnswersAreNotQuoted(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, test := range []struct{ name, answer string }{
		{"nothing", ""},
		{"no HTTP", "WORD\r\n\r\n"},
		{"no HTTP, with a quote", "WO\"RD WORD \"WORD\r\n\r\n"},
		{"another protocol", "SSH-2.0-WORD\r\n"},
		{"version", "HTTP/WORD 200 OK\r\n\r\n"},
		{"status", "HTTP/1.1 WORD OK\r\n\r\n"},
		{"status of four digits", "HTTP/1.1 2000 WORD\r\n\r\n"},
		{"negative status", "HTTP/1.1 -20 WORD\r\n\r\n"},
		{"header without a colon", ok + "X-WORD\r\n\r\n"},
		{"header without a colon, but quotes", ok + "X-\"WORD\" WORD\r\n\r\n"},
		{"header that begins with a space", ok + " WORD: WORD\r\n\r\n"},
		{"header with an odd name", ok + "WORD WORD: WORD\r\n\r\n"},
		{"header with an odd name, empty", ok + ": WORD\r\n\r\n"},
		{"header with NUL", ok + "X-Word: WORD\x00WORD\r\n\r\n"},
		{"header cut off", ok + "X-Word: WORD"},
		{"length", ok + "Content-Length: WORD\r\n\r\n"},
		{"negative length", ok + "Content-Length: -4711\r\n\r\nWORD"},
		{"two lengths", ok + "Content-Length: 4711\r\nContent-Length: 4712\r\n\r\nWORD"},
		{"encoding", ok + "Transfer-Encoding: WORD\r\n\r\nWORD"},
		{"two encodings", ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: WORD\r\n\r\nWORD"},
		{"short body", ok + "Content-Length: 4711\r\n\r\nWORD"},
		{"chunk length", ok + "Transfer-Encoding: chunked\r\n\r\nWORD\r\nWORD\r\n0\r\n\r\n"},
		{"chunk too short", ok + "Transfer-Encoding: chunked\r\n\r\nff\r\nWORD"},
		{"chunk without an end", ok + "Transfer-Encoding: chunked\r\n\r\n4\r\nWORDWORD\r\n0\r\n\r\n"},
		{"chunk line too long", ok + "Transfer-Encoding: chunked\r\n\r\n4;" + strings.Repeat("WORD", 4<<10) + "\r\n"},
		{"trailer", ok + "Transfer-Encoding: chunked\r\nTrailer: X-Word\r\n\r\n2\r\n{}\r\n0\r\nWORD\r\n\r\n"},
		{"not gzip", ok + "Content-Encoding: gzip\r\nContent-Length: 40\r\n\r\nWORDWORDWORDWORDWORDWORDWORDWORDWORDWORD"},
		{"header of 2 MiB", ok + "X-Word: " + strings.Repeat("WORD", 512<<10) + "\r\n\r\n"},
		{"many headers", ok + strings.Repeat("X-Word: WORD WORD WORD WORD\r\n", 64<<10) + "\r\n"},
		{"many provisional answers", strings.Repeat("HTTP/1.1 103 WORD\r\nLink: <WORD>\r\n\r\n", 64<<10)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			baseURL, _ := rawServer(t, test.answer)
			client, err := yotiface.NewClient(ownSDKID, ownPEM(), yotiface.WithBaseURL(baseURL), onlyOneAttempt)
			require.NoError(t, err)
			session, err := client.GetSession(t.Context(), "person-0815")
			require.Error(t, err)
			assert.Nil(t, session)
			assertOneLine(t, err.Error())
			assert.True(t, strings.HasPrefix(err.Error(), "yotiface: GET /sessions/{session_id}: "), err.Error())
			for _, hidden := range []string{"WORD", "Word", "4711", "person-0815", ownSDKID, baseURL, "nonce"} {
				assert.NotContains(t, err.Error(), hidden)
			}
		})
	}
}

// What a proxy says when it refuses a tunnel is neither of the service nor quoted.
func TestWordsOfAProxyAreMasked(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.MethodConnect, r.Method)
		conn, _, err := http.NewResponseController(w).Hijack()
		if assert.NoError(t, err) {
			_, _ = io.WriteString(conn, "HTTP/1.1 403 not for person-0815 or "+ownSDKID+"\r\nX-Reason: WORD\r\n\r\nWORD")
			conn.Close()
		}
	}))
	defer server.Close()
	proxy, err := url.Parse(server.URL)
	require.NoError(t, err)
	client, err := yotiface.NewClient(ownSDKID, ownPEM(), yotiface.WithHTTPClient(&http.Client{
		Transport: &http.Transport{Proxy: http.ProxyURL(proxy)},
	}), onlyOneAttempt)
	require.NoError(t, err)
	_, err = client.GetSession(t.Context(), "person-0815")
	require.Error(t, err)
	assertOneLine(t, err.Error())
	for _, hidden := range []string{"WORD", "person-0815", ownSDKID} {
		assert.NotContains(t, err.Error(), hidden)
	}
}

// Only a 404 says that the applicant may be elsewhere.
func TestOtherRouteIsNotAskedAfterAnotherError(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusFound, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusGone, http.StatusInternalServerError} {
		client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
			assert.Equal(t, "/idverify/v1/applicant/ID1", req.URL.Path)
			return reply(req, status, ""), nil
		}, onlyOneAttempt)
		_, err := client.GetApplicant(t.Context(), "ID1")
		var apiErr *yotiface.APIError
		require.ErrorAs(t, err, &apiErr)
		assert.Equal(t, status, apiErr.StatusCode)
		assert.Equal(t, "/applicant/{applicant_id}", apiErr.Endpoint)
	}
}

// unencodable is a specification that says why it cannot be encoded, at length.
type unencodable string

func (u unencodable) MarshalJSON() ([]byte, error) { return nil, errors.New(string(u)) }

func TestSpecificationThatCannotBeEncoded(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		spec any
		says string
	}{
		{"a function", func() {}, "the session specification cannot be encoded: json: unsupported type: func()"},
		{"broken JSON", json.RawMessage("{"), "the session specification cannot be encoded: "},
		{"an error of a marshaler", unencodable("no ttl"), "the session specification cannot be encoded: "},
		{"a long error of a marshaler", unencodable(strings.Repeat("no ttl\nlevel=INFO\x1b[2J ", 100)), "the session specification cannot be encoded: "},
		{"nil", nil, "the session specification does not encode to a JSON object"},
		{"a list", []int{1}, "the session specification does not encode to a JSON object"},
		{"text", "{}", "the session specification does not encode to a JSON object"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			session, err := newOwnClient(t, nothingSent(t)).CreateSession(t.Context(), test.spec)
			assert.Nil(t, session)
			require.ErrorIs(t, err, yotiface.ErrInvalidArgument)
			assertOneLine(t, err.Error())
			assert.True(t, strings.HasPrefix(err.Error(), "yotiface: invalid argument: "+test.says), err.Error())
		})
	}
}

func TestErrorBodiesAreDecompressed(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(http.StatusUnauthorized)
		zip := gzip.NewWriter(w)
		_, err := io.WriteString(zip, `{"code":"BAD_TOKEN","message":"bad token"}`)
		assert.NoError(t, err)
		assert.NoError(t, zip.Close())
	}))
	defer server.Close()
	client, err := yotiface.NewClient(ownSDKID, ownPEM(), yotiface.WithBaseURL(server.URL))
	require.NoError(t, err)
	_, err = client.GetSession(t.Context(), "ID1")
	var apiErr *yotiface.APIError
	require.ErrorAs(t, err, &apiErr)
	assert.Equal(t, "BAD_TOKEN", apiErr.Code)
	assert.Equal(t, `{"code":"BAD_TOKEN","message":"bad token"}`, string(apiErr.Body))
}
