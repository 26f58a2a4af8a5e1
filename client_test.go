package yotiface_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
)

// ownSDKID is what the application of these tests is called. It is no UUID, so that what finds UUIDs does not find it.
const ownSDKID = "casino-sdk-0451"

// An apiCall is a method of the client that asks the service.
type apiCall struct {
	name     string
	ids      []string // what the errors call each ID
	requests []string // what is asked for ID1, ID2 and ID3 where everything is answered with 404
	body     string   // what is sent with it
	do       func(ctx context.Context, c *yotiface.Client, ids []string) error
}

// aJPEG is an image by its first bytes; in base64 it is "/9j/4A==".
var aJPEG = []byte("\xff\xd8\xff\xe0")

// apiCalls are all of them. What has to hold for every call is tested with this table.
var apiCalls = []apiCall{
	{"GetSession", []string{"session"}, []string{"GET /sessions/ID1"}, "", func(ctx context.Context, c *yotiface.Client, ids []string) error {
		return onlyError(c.GetSession(ctx, ids[0]))
	}},
	{"WaitForSession", []string{"session"}, []string{"GET /sessions/ID1"}, "", func(ctx context.Context, c *yotiface.Client, ids []string) error {
		return onlyError(c.WaitForSession(ctx, ids[0], time.Hour))
	}},
	{"CreateSession", nil, []string{"POST /sessions"}, `{"ttl":600}`, func(ctx context.Context, c *yotiface.Client, _ []string) error {
		return onlyError(c.CreateSession(ctx, json.RawMessage(`{"ttl":600}`)))
	}},
	{"DeleteSession", []string{"session"}, []string{"DELETE /sessions/ID1"}, "", func(ctx context.Context, c *yotiface.Client, ids []string) error {
		return c.DeleteSession(ctx, ids[0])
	}},
	{"GetApplicant", []string{"applicant"}, []string{"GET /applicant/ID1", "GET /applicants/ID1"}, "", func(ctx context.Context, c *yotiface.Client, ids []string) error {
		return onlyError(c.GetApplicant(ctx, ids[0]))
	}},
	{"CreateApplicant", nil, []string{"POST /applicants"}, "", func(ctx context.Context, c *yotiface.Client, _ []string) error {
		return onlyError(c.CreateApplicant(ctx))
	}},
	{"CreateApplicantWithFace", nil, []string{"POST /applicants"}, `{"face":{"data":"/9j/4A=="}}`, func(ctx context.Context, c *yotiface.Client, _ []string) error {
		return onlyError(c.CreateApplicantWithFace(ctx, aJPEG))
	}},
	{"DeleteApplicant", []string{"applicant"}, []string{"DELETE /applicants/ID1"}, "", func(ctx context.Context, c *yotiface.Client, ids []string) error {
		return c.DeleteApplicant(ctx, ids[0])
	}},
	{"GetFace", []string{"applicant", "face"}, []string{"GET /applicant/ID1/faces/ID2", "GET /applicants/ID1/faces/ID2"}, "", func(ctx context.Context, c *yotiface.Client, ids []string) error {
		return onlyError(c.GetFace(ctx, ids[0], ids[1]))
	}},
	{"DownloadFace", []string{"applicant", "face"}, []string{"GET /applicant/ID1/faces/ID2", "GET /applicants/ID1/faces/ID2"}, "", func(ctx context.Context, c *yotiface.Client, ids []string) error {
		return onlyError(c.DownloadFace(ctx, ids[0], ids[1], io.Discard))
	}},
	{"AddFace", []string{"applicant"}, []string{"POST /applicants/ID1/faces"}, `{"face":{"data":"/9j/4A=="}}`, func(ctx context.Context, c *yotiface.Client, ids []string) error {
		return onlyError(c.AddFace(ctx, ids[0], yotiface.FaceFromImage(aJPEG)))
	}},
	{"AddFace from a session", []string{"applicant", "session", "media"}, []string{"POST /applicants/ID1/faces"}, `{"face":{"source":{"session_id":"ID2","media_id":"ID3"}}}`, func(ctx context.Context, c *yotiface.Client, ids []string) error {
		return onlyError(c.AddFace(ctx, ids[0], yotiface.FaceFromSession(ids[1], ids[2])))
	}},
	{"DeleteFace", []string{"applicant", "face"}, []string{"DELETE /applicants/ID1/faces/ID2"}, "", func(ctx context.Context, c *yotiface.Client, ids []string) error {
		return c.DeleteFace(ctx, ids[0], ids[1])
	}},
	{"CreatePool", nil, []string{"POST /pools"}, `{"label":"Staff"}`, func(ctx context.Context, c *yotiface.Client, _ []string) error {
		return onlyError(c.CreatePool(ctx, "Staff"))
	}},
	{"DeletePool", []string{"pool"}, []string{"DELETE /pools/ID1"}, "", func(ctx context.Context, c *yotiface.Client, ids []string) error {
		return c.DeletePool(ctx, ids[0])
	}},
	{"AddApplicantToPool", []string{"pool", "applicant"}, []string{"POST /pools/ID1/applicants"}, `{"applicant_id":"ID2"}`, func(ctx context.Context, c *yotiface.Client, ids []string) error {
		return c.AddApplicantToPool(ctx, ids[0], ids[1])
	}},
	{"RemoveApplicantFromPool", []string{"pool", "applicant"}, []string{"DELETE /pools/ID1/applicants/ID2"}, "", func(ctx context.Context, c *yotiface.Client, ids []string) error {
		return c.RemoveApplicantFromPool(ctx, ids[0], ids[1])
	}},
	{"GetMedia", []string{"session", "media"}, []string{"GET /sessions/ID1/media/ID2/content"}, "", func(ctx context.Context, c *yotiface.Client, ids []string) error {
		return onlyError(c.GetMedia(ctx, ids[0], ids[1]))
	}},
	{"DownloadMedia", []string{"session", "media"}, []string{"GET /sessions/ID1/media/ID2/content"}, "", func(ctx context.Context, c *yotiface.Client, ids []string) error {
		return onlyError(c.DownloadMedia(ctx, ids[0], ids[1], io.Discard))
	}},
	{"DeleteMedia", []string{"session", "media"}, []string{"DELETE /sessions/ID1/media/ID2/content"}, "", func(ctx context.Context, c *yotiface.Client, ids []string) error {
		return c.DeleteMedia(ctx, ids[0], ids[1])
	}},
}

func onlyError[T any](_ T, err error) error { return err }

// someIDs are as many as a call takes.
func (c apiCall) someIDs() []string {
	return []string{
		"7938ac1e-0a4a-49b7-953f-08cfa764358f", "8b9c3ea5-ebd4-436b-836d-ba8dbc80b57e", "29a8110f-3eb6-496a-a2ee-5fc56a9758ac",
	}[:len(c.ids)]
}

// shortIDs are as many as a call takes, by the names that the table gives them.
func (c apiCall) shortIDs() []string { return []string{"ID1", "ID2", "ID3"}[:len(c.ids)] }

func TestEveryCallIsInTheTable(t *testing.T) {
	t.Parallel()
	inTable := map[string]bool{
		"MatchedFaces": true, // takes no ID, and has tests of its own
	}
	for _, call := range apiCalls {
		name, _, _ := strings.Cut(call.name, " ")
		inTable[name] = true
	}
	for method := range reflect.TypeFor[*yotiface.Client]().Methods() {
		if method.Type.NumIn() > 1 && method.Type.In(1) == reflect.TypeFor[context.Context]() {
			assert.True(t, inTable[method.Name], "%s is not tested for what holds for every call", method.Name)
		}
	}
}

// A transportFunc is a transport in memory.
type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// reply answers a request. The header is given as names and values in turn.
func reply(req *http.Request, status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Add(header[i], header[i+1])
	}
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: req,
	}
}

// newOwnClient returns a client of the service at https://api.yoti.com/idverify/v1 that sends to transport instead.
func newOwnClient(t *testing.T, transport transportFunc, opts ...yotiface.Option) *yotiface.Client {
	t.Helper()
	opts = append([]yotiface.Option{yotiface.WithHTTPClient(&http.Client{Transport: transport})}, opts...)
	client, err := yotiface.NewClient(ownSDKID, ownPEM(), opts...)
	require.NoError(t, err)
	return client
}

// nothingSent is a transport for calls that must not get that far.
func nothingSent(t *testing.T) transportFunc {
	t.Helper()
	return func(req *http.Request) (*http.Response, error) {
		t.Errorf("a request was sent: %s %s", req.Method, req.URL.Path)
		return reply(req, http.StatusTeapot, ""), nil
	}
}

// rawServer listens on loopback, reads the header of one request on each connection, writes an answer byte for byte and
// hangs up. It returns its base URL, and a function that waits for all that the last connection sent.
func rawServer(t *testing.T, answer string) (baseURL string, received func() string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	requests := make(chan string, 16)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				var got bytes.Buffer
				r := bufio.NewReader(io.TeeReader(conn, &got))
				for line := ""; line != "\r\n"; {
					if line, err = r.ReadString('\n'); err != nil {
						return
					}
				}
				_, _ = io.WriteString(conn, answer)
				_ = conn.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, r) // until the client hangs up too
				requests <- got.String()
			}()
		}
	}()
	return "http://" + listener.Addr().String() + "/idverify/v1", func() string { return <-requests }
}

// What arrives, byte for byte: no header more, and no body where there is nothing to say.
func TestRequestsOnTheWire(t *testing.T) {
	t.Parallel()
	for _, call := range apiCalls {
		t.Run(call.name, func(t *testing.T) {
			t.Parallel()
			baseURL, received := rawServer(t, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			client, err := yotiface.NewClient(ownSDKID, ownPEM(), yotiface.WithBaseURL(baseURL))
			require.NoError(t, err)
			require.ErrorIs(t, call.do(t.Context(), client, call.shortIDs()), yotiface.ErrNotFound)

			var got []string
			for range call.requests {
				head, body, _ := strings.Cut(received(), "\r\n\r\n")
				assert.Equal(t, call.body, body)
				lines := strings.Split(head, "\r\n")
				requestLine := regexp.MustCompile(`^([A-Z]+ )/idverify/v1(/\S+)\?\S+ HTTP/1\.1$`).FindStringSubmatch(lines[0])
				require.Len(t, requestLine, 3, lines[0])
				got = append(got, requestLine[1]+requestLine[2])

				header := map[string]string{}
				for _, line := range lines[1:] {
					name, value, _ := strings.Cut(line, ": ")
					assert.NotContains(t, header, name, "a header that is sent twice")
					header[name] = value
				}
				assert.Len(t, header["X-Yoti-Auth-Digest"], 344, "base64 of 256 bytes")
				delete(header, "X-Yoti-Auth-Digest")
				want := map[string]string{ // and so no Transfer-Encoding, Idempotency-Key or Cookie
					"Host":               strings.TrimSuffix(strings.TrimPrefix(baseURL, "http://"), "/idverify/v1"),
					"User-Agent":         "yotiface/" + yotiface.Version,
					"Accept":             "application/json",
					"Accept-Encoding":    "gzip",
					"X-Yoti-Sdk":         "Go",
					"X-Yoti-Sdk-Version": "3.9.0",
				}
				if strings.HasSuffix(call.name, "Media") && requestLine[1] == "GET " {
					want["Accept"] = "*/*"
				}
				if call.body != "" {
					want["Content-Type"] = "application/json"
				}
				if requestLine[1] == "POST " {
					want["Content-Length"] = strconv.Itoa(len(call.body))
				}
				assert.Equal(t, want, header)
			}
			assert.ElementsMatch(t, call.requests, got)
		})
	}
}

func TestUserAgentNamesProductAndVersionOnly(t *testing.T) {
	t.Parallel()
	var got []string
	record := func(req *http.Request) (*http.Response, error) {
		got = append(got, req.UserAgent())
		return reply(req, http.StatusNotFound, ""), nil
	}
	for _, opts := range [][]yotiface.Option{nil, {yotiface.WithUserAgent("acme-casino/1.2 (self-exclusion)")}} {
		_, err := newOwnClient(t, record, opts...).GetSession(t.Context(), "ID1")
		require.ErrorIs(t, err, yotiface.ErrNotFound)
	}
	assert.Equal(t, []string{"yotiface/" + yotiface.Version, "acme-casino/1.2 (self-exclusion) yotiface/" + yotiface.Version}, got)
}

// badIDs are what somebody could pass for an ID. All of the longer ones hold a word that no error may repeat.
var badIDs = []struct{ name, id, reason string }{
	{"empty", "", "asks for the collection"},
	{"dot", ".", "an element of a path"},
	{"dots", "..", "asks for what is above"},
	{"traversal", "../applicants/WORD", "asks for something else, rightly signed"},
	{"slash", "a/WORD", "another resource"},
	{"leading slash", "/WORD", "another resource"},
	{"trailing slash", "WORD/", "another resource"},
	{"backslash", `..\WORD`, "a slash to some servers"},
	{"query", "WORD?sdkId=evil&", "parameters of its own"},
	{"ampersand", "WORD&nonce=1", "parameters of its own"},
	{"equals sign", "WORD=1", "reserved"},
	{"semicolon", "WORD;v=1", "reserved"},
	{"colon", "WORD:1", "reserved"},
	{"comma", "WORD,1", "reserved"},
	{"plus", "WORD+1", "a space to some servers"},
	{"tilde", "~WORD", "no ID has one"},
	{"at sign", "WORD@evil.example", "user information"},
	{"fragment", "WORD#b", "cuts the signed query off"},
	{"escaped slash", "WORD%2fb", "a slash after unescaping"},
	{"escaped dot", "%2e%2e%2fWORD", "a path after unescaping"},
	{"percent", "WORD%", "broken escape"},
	{"space", "WORD b", "splits the request line"},
	{"leading space", " WORD", "pasted"},
	{"trailing line end", "WORD\n", "read from a file"},
	{"header injection", "WORD HTTP/1.1\r\nHost: evil.example\r\n\r\n", "a request of its own"},
	{"tab", "WORD\tb", "a control character"},
	{"NUL", "WORD\x00", "ends strings elsewhere"},
	{"DEL", "WORD\x7f", "a control character"},
	{"umlaut", "WORDü", "not ASCII"},
	{"full-width letter", "ＷWORD", "looks like ASCII"},
	{"Kelvin sign", "WORD\u212a", "folds to k"},
	{"right-to-left override", "WORD\u202egpj", "prints as something else"},
	{"invalid UTF-8", "WORD\xff", "not text"},
	{"quote", `"WORD"`, "pasted from JSON"},
	{"braces", "{WORD}", "a template that nobody filled"},
	{"template of the endpoint", "{face_id}WORD", "would be filled by the next ID"},
	{"129 bytes", strings.Repeat("WORD", 32) + "D", "longer than any ID"},
	{"64 KiB", strings.Repeat("WORD", 16<<10), "longer than any ID"},
}

func TestIDsThatCannotBeOneAreRefused(t *testing.T) {
	t.Parallel()
	for _, call := range apiCalls {
		for position, name := range call.ids {
			t.Run(call.name+", "+name, func(t *testing.T) {
				t.Parallel()
				client := newOwnClient(t, nothingSent(t))
				for _, bad := range badIDs {
					ids := call.someIDs()
					ids[position] = bad.id
					err := call.do(t.Context(), client, ids)
					if assert.ErrorIs(t, err, yotiface.ErrInvalidArgument, "%s: %s", bad.name, bad.reason) {
						assert.Contains(t, err.Error(), "the "+name+" ID ", bad.name)
						assertHoldsNoID(t, err, bad.id)
					}
				}
			})
		}
	}
}

// assertHoldsNoID makes sure that neither an error nor what it wraps repeats an ID, and that the text is one line.
func assertHoldsNoID(t *testing.T, err error, id string) {
	t.Helper()
	assertOneLine(t, err.Error())
	for _, text := range everyError(err) {
		if len(id) > len("..") {
			assert.NotContains(t, text, id)
		}
		assert.NotContains(t, text, "WORD", "nor a part of it, quoted or not")
	}
}

func TestIDsOfAllPossibleCharactersAreSent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ id, reason string }{
		{"7938ac1e-0a4a-49b7-953f-08cfa764358f", "what the service uses"},
		{"7938AC1E-0A4A-49B7-953F-08CFA764358F", "the same in capitals"},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", "everything that needs no escape"},
		{"a", "short"},
		{"...", "odd, and no element of a path"},
		{".a", "odd"},
		{"-", "odd"},
		{strings.Repeat("x", 128), "the longest"},
	} {
		var path string
		client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
			path = req.URL.EscapedPath()
			return reply(req, http.StatusNotFound, ""), nil
		})
		_, err := client.GetSession(t.Context(), test.id)
		require.ErrorIs(t, err, yotiface.ErrNotFound, test.reason)
		assert.Equal(t, "/idverify/v1/sessions/"+test.id, path, test.reason)
	}
}

func TestNilContextAndWriterAreRefused(t *testing.T) {
	t.Parallel()
	client := newOwnClient(t, nothingSent(t))
	var none context.Context
	for _, call := range apiCalls {
		err := call.do(none, client, call.someIDs())
		require.ErrorIs(t, err, yotiface.ErrInvalidArgument, call.name)
		assert.Contains(t, err.Error(), "the context is nil", call.name)
	}
	faces, err := client.MatchedFaces(none, &yotiface.FamiliarFaceSearch{})
	require.ErrorIs(t, err, yotiface.ErrInvalidArgument)
	assert.Nil(t, faces)

	info, err := client.DownloadFace(t.Context(), "ID1", "ID2", nil)
	require.ErrorIs(t, err, yotiface.ErrInvalidArgument)
	assert.Contains(t, err.Error(), "the writer is nil")
	assert.Zero(t, info)
}

// matched is a face search that reports applicants.
func matched(applicantIDs ...string) *yotiface.FamiliarFaceSearch {
	f := &yotiface.FamiliarFaceSearch{}
	sub := yotiface.SubCheck{Name: "face_found_in_pool", Result: yotiface.ResultPass}
	for _, id := range applicantIDs {
		sub.Details = append(sub.Details, yotiface.Detail{Name: "matching_applicant", Value: id})
	}
	f.Report.Breakdown = []yotiface.SubCheck{sub}
	return f
}

func TestMatchedFacesDoesNotTrustIDsOfAResponse(t *testing.T) {
	t.Parallel()
	for _, bad := range badIDs {
		if bad.id == "" {
			continue // no match at all
		}
		faces, err := newOwnClient(t, nothingSent(t)).MatchedFaces(t.Context(), matched(bad.id))
		require.ErrorIs(t, err, yotiface.ErrInvalidArgument, "%s: %s", bad.name, bad.reason)
		assert.Nil(t, faces)
		assertHoldsNoID(t, err, bad.id)
	}

	t.Run("beside a good one", func(t *testing.T) {
		t.Parallel()
		client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
			assert.Equal(t, "/idverify/v1/applicant/ID1", req.URL.Path)
			return reply(req, http.StatusOK, `{"id":"ID1"}`), nil
		})
		faces, err := client.MatchedFaces(t.Context(), matched("ID1", "../sessions/WORD"))
		require.ErrorIs(t, err, yotiface.ErrInvalidArgument)
		assert.Nil(t, faces)
		assertHoldsNoID(t, err, "../sessions/WORD")
	})

	t.Run("face ID", func(t *testing.T) {
		t.Parallel()
		client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
			assert.Equal(t, "/idverify/v1/applicant/ID1", req.URL.Path, "the face must not be asked for")
			return reply(req, http.StatusOK, `{"id":"ID1","faces":{"archetype_face":"../../sessions/WORD"}}`), nil
		})
		faces, err := client.MatchedFaces(t.Context(), matched("ID1"))
		require.ErrorIs(t, err, yotiface.ErrInvalidArgument)
		assert.Nil(t, faces)
		assertHoldsNoID(t, err, "../../sessions/WORD")
	})
}

func TestSDKIDsThatCannotBeOneAreRefused(t *testing.T) {
	t.Parallel()
	for _, bad := range badIDs {
		client, err := yotiface.NewClient(bad.id, ownPEM())
		assert.Nil(t, client)
		require.ErrorIs(t, err, yotiface.ErrInvalidArgument, "%s: %s", bad.name, bad.reason)
		assert.Contains(t, err.Error(), "the SDK ID ")
		assertHoldsNoID(t, err, bad.id)
	}
}

// A mock must be seen whether it is activated before or after NewClient: people write tests in both orders.
//
//nolint:paralleltest // the registry of httpmock's functions is one for the process
func TestHTTPMockOnTheCallersClient(t *testing.T) {
	for _, test := range []struct {
		name          string
		before, after bool
	}{
		{"activated before NewClient", true, false},
		{"activated after NewClient", false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			hc := &http.Client{Transport: nothingSent(t)}
			activate := func(now bool) {
				if now {
					httpmock.ActivateNonDefault(hc)
					httpmock.RegisterResponder(http.MethodGet, "https://api.yoti.com/idverify/v1/sessions/ID1",
						httpmock.NewStringResponder(http.StatusOK, `{"session_id":"ID1","state":"COMPLETED"}`))
				}
			}
			activate(test.before)
			client, err := yotiface.NewClient(ownSDKID, ownPEM(), yotiface.WithHTTPClient(hc))
			require.NoError(t, err)
			activate(test.after)
			defer httpmock.DeactivateNonDefault(hc)

			session, err := client.GetSession(t.Context(), "ID1")
			require.NoError(t, err)
			assert.Equal(t, yotiface.SessionCompleted, session.State)
			session, err = client.GetSession(t.Context(), "ID2")
			require.Error(t, err, "nobody has registered this one")
			assert.Nil(t, session)
			assertOneLine(t, err.Error())
			assert.NotContains(t, err.Error(), "https://")
		})
	}
}

// The signature is for one path of one host.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("followed to another host: %s %s", r.Method, r.URL.Path)
	}))
	t.Cleanup(elsewhere.Close)

	for _, status := range []int{
		http.StatusMultipleChoices, http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusNotModified, http.StatusTemporaryRedirect, http.StatusPermanentRedirect,
	} {
		for _, location := range []struct{ name, value, reason string }{
			{"another host", elsewhere.URL + "/login?next=WORD", "would carry the signature away"},
			{"the same host", "/idverify/v2/sessions/WORD", "the signature is for another path"},
			{"a signed URL", elsewhere.URL + "/sessions/WORD?sdkId=" + ownSDKID + "&nonce=1&timestamp=2", "a credential"},
			{"broken", "http://[::1/WORD", "net/http quotes it in an error"},
			{"broken escape", "/WORD%zz", "the same"},
			{"no host", "http:///WORD", "the same"},
			{"another scheme", "ftp://files.example/WORD", "the same"},
			{"missing", "", "an error of net/http otherwise"},
		} {
			t.Run(strconv.Itoa(status)+" "+location.name, func(t *testing.T) {
				t.Parallel()
				var asked atomic.Int64
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					asked.Add(1)
					if location.value != "" {
						w.Header().Set("Location", location.value)
					}
					w.WriteHeader(status)
				}))
				defer server.Close()
				transport := &http.Transport{}
				defer transport.CloseIdleConnections()
				hc := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
					t.Error("the caller's CheckRedirect was asked")
					return nil
				}}
				client, err := yotiface.NewClient(ownSDKID, ownPEM(), yotiface.WithBaseURL(server.URL+"/idverify/v1"), yotiface.WithHTTPClient(hc))
				require.NoError(t, err)
				session, err := client.GetSession(t.Context(), "ID1")
				assert.Nil(t, session)
				var apiErr *yotiface.APIError
				require.ErrorAs(t, err, &apiErr, location.reason)
				assert.Equal(t, status, apiErr.StatusCode)
				assert.Equal(t, int64(1), asked.Load(), "neither followed nor tried again")
				assertHoldsNoID(t, err, location.value+"?")
				assert.Contains(t, err.Error(), "(redirects are not followed, check the base URL)")

				assert.Same(t, transport, hc.Transport, "the caller's client is not changed")
				assert.NotNil(t, hc.CheckRedirect)
			})
		}
	}
}

// A mock may return the same response again, so what takes the location off works on a copy.
func TestRedirectOfAMockIsNotChanged(t *testing.T) {
	t.Parallel()
	header := http.Header{"Location": {"https://elsewhere.example/"}}
	client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
		resp := reply(req, http.StatusFound, "")
		resp.Header = header
		return resp, nil
	})
	for range 2 {
		_, err := client.GetSession(t.Context(), "ID1")
		var apiErr *yotiface.APIError
		require.ErrorAs(t, err, &apiErr)
		assert.Equal(t, http.StatusFound, apiErr.StatusCode)
	}
	assert.Equal(t, http.Header{"Location": {"https://elsewhere.example/"}}, header)
}

func TestJarOfTheCallersClientIsUsed(t *testing.T) {
	t.Parallel()
	var cookies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookies = append(cookies, r.Header.Get("Cookie"))
		http.SetCookie(w, &http.Cookie{Name: "balancer", Value: "7", Path: "/"})
		w.WriteHeader(http.StatusNotFound)
	}))
	defer server.Close()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client, err := yotiface.NewClient(ownSDKID, ownPEM(), yotiface.WithBaseURL(server.URL), yotiface.WithHTTPClient(&http.Client{Jar: jar}))
	require.NoError(t, err)
	for range 2 {
		_, err := client.GetSession(t.Context(), "ID1")
		require.ErrorIs(t, err, yotiface.ErrNotFound)
	}
	assert.Equal(t, []string{"", "balancer=7"}, cookies)
	client.CloseIdleConnections()
}

func TestCloseIdleConnections(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		opts []yotiface.Option
	}{
		{"of the library's transport", nil},
		{"of the caller's client", []yotiface.Option{yotiface.WithHTTPClient(&http.Client{Transport: &http.Transport{}})}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			idle, closed := make(chan struct{}, 8), make(chan struct{}, 8)
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				switch state {
				case http.StateIdle:
					idle <- struct{}{}
				case http.StateClosed:
					closed <- struct{}{}
				default:
				}
			}
			server.Start()
			defer server.Close()
			client, err := yotiface.NewClient(ownSDKID, ownPEM(), append(test.opts, yotiface.WithBaseURL(server.URL))...)
			require.NoError(t, err)
			_, err = client.GetSession(t.Context(), "ID1")
			require.ErrorIs(t, err, yotiface.ErrNotFound)
			<-idle
			client.CloseIdleConnections()
			<-closed // or the test never ends
		})
	}
}

func TestClientPrintsWhereItSendsRequestsAndNoMore(t *testing.T) {
	t.Parallel()
	client, err := yotiface.NewClient(ownSDKID, ownPEM(), yotiface.WithBaseURL("https://api.yoti.com/sandbox/idverify/v1/"))
	require.NoError(t, err)
	const want = "yotiface.Client{https://api.yoti.com/sandbox/idverify/v1}"
	for _, verb := range []string{"%v", "%+v", "%s"} {
		assert.Equal(t, want, fmt.Sprintf(verb, client), verb)
	}
	for _, verb := range []string{"%#v", "%q"} {
		assert.Equal(t, `"`+want+`"`, fmt.Sprintf(verb, client), verb)
	}
	assert.Equal(t, "%!d(string="+want+")", fmt.Sprintf("%d", client))
	assert.Equal(t, "   "+want, fmt.Sprintf("%60v", client), "widths work")
	assert.Equal(t, want, client.LogValue().String())

	var log strings.Builder
	handler := slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "client" {
			return a
		}
		return slog.Attr{}
	}})
	slog.New(handler).Info("ready", "client", client)
	assert.Equal(t, "client="+want+"\n", log.String())

	var none *yotiface.Client
	assert.Equal(t, "yotiface.Client{}", fmt.Sprint(none))
	assert.Equal(t, "yotiface.Client{}", fmt.Sprint(&yotiface.Client{}))
}

// setEnv sets the three variables that NewClientFromEnv reads; empty is as good as not set.
func setEnv(t *testing.T, sdkID, keyFile, baseURL string) {
	t.Helper()
	t.Setenv("YOTI_CLIENT_SDK_ID", sdkID)
	t.Setenv("YOTI_KEY_FILE_PATH", keyFile)
	t.Setenv("YOTI_DOC_SCAN_API_URL", baseURL)
}

func writeFile(t *testing.T, name string, contents []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, contents, 0o600))
	return path
}

//nolint:paralleltest // the environment is one for the process
func TestClientFromEnvironment(t *testing.T) {
	keyFile := writeFile(t, "key.pem", ownPEM())
	for _, test := range []struct {
		name, baseURL string
		opts          []yotiface.Option
		want          string
	}{
		{"default base URL", "", nil, "https://api.yoti.com/idverify/v1/sessions/ID1"},
		{"base URL of the environment", "https://api.yoti.com/sandbox/idverify/v1/", nil, "https://api.yoti.com/sandbox/idverify/v1/sessions/ID1"},
		{"an option overrides it", "https://api.yoti.com/sandbox/idverify/v1", []yotiface.Option{yotiface.WithBaseURL("https://eu.example/x")}, "https://eu.example/x/sessions/ID1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			setEnv(t, ownSDKID, keyFile, test.baseURL)
			var got string
			client, err := yotiface.NewClientFromEnv(append(test.opts, yotiface.WithHTTPClient(&http.Client{
				Transport: transportFunc(func(req *http.Request) (*http.Response, error) {
					got, _, _ = strings.Cut(req.URL.String(), "?")
					assert.Equal(t, ownSDKID, req.URL.Query().Get("sdkId"))
					return reply(req, http.StatusNotFound, ""), nil
				}),
			}))...)
			require.NoError(t, err)
			_, err = client.GetSession(t.Context(), "ID1")
			require.ErrorIs(t, err, yotiface.ErrNotFound)
			assert.Equal(t, test.want, got)
		})
	}
}

//nolint:paralleltest // the environment is one for the process
func TestEnvironmentThatIsRefused(t *testing.T) {
	keyFile := writeFile(t, "key.pem", ownPEM())
	missing := filepath.Join(t.TempDir(), "WORD.pem")
	for _, test := range []struct {
		name, sdkID, keyFile, baseURL, reason string
		says                                  string
		is                                    error
	}{
		{name: "no SDK ID", keyFile: keyFile, reason: "not configured", says: "YOTI_CLIENT_SDK_ID is not set"},
		{name: "no key file", sdkID: ownSDKID, reason: "not configured", says: "YOTI_KEY_FILE_PATH is not set"},
		{name: "nothing", reason: "not configured", says: "YOTI_CLIENT_SDK_ID is not set"},
		{name: "SDK ID with a line end", sdkID: "WORD\n", keyFile: keyFile, reason: "read from a file", says: "the SDK ID has white space"},
		{name: "missing file", sdkID: ownSDKID, keyFile: missing, reason: "not mounted", says: "the file that YOTI_KEY_FILE_PATH names cannot be read", is: fs.ErrNotExist},
		{name: "directory", sdkID: ownSDKID, keyFile: filepath.Dir(keyFile), reason: "mounted wrongly", says: "the file that YOTI_KEY_FILE_PATH names cannot be read"},
		{name: "below a file", sdkID: ownSDKID, keyFile: filepath.Join(keyFile, "WORD"), reason: "mounted wrongly", says: "the file that YOTI_KEY_FILE_PATH names cannot be read"},
		{name: "empty file", sdkID: ownSDKID, keyFile: writeFile(t, "WORD.pem", nil), reason: "half deployed", says: "the key is empty"},
		{name: "file of words", sdkID: ownSDKID, keyFile: writeFile(t, "WORD.txt", []byte("WORD WORD WORD")), reason: "the wrong file", says: "the key is not PEM"},
		{name: "binary file", sdkID: ownSDKID, keyFile: writeFile(t, "WORD.bin", make([]byte, 1<<20)), reason: "the wrong file", says: "the key is not PEM"},
		{name: "certificate", sdkID: ownSDKID, keyFile: writeFile(t, "WORD.crt", certificate(t)), reason: "the wrong file", says: "this is a certificate"},
		{name: "key in the variable", sdkID: ownSDKID, keyFile: string(ownPEM()), reason: "pasted", says: "YOTI_KEY_FILE_PATH holds a key; it should hold the path"},
		{name: "key in one line in the variable", sdkID: ownSDKID, keyFile: strings.ReplaceAll(string(ownPEM()), "\n", `\n`), reason: "pasted", says: "YOTI_KEY_FILE_PATH holds a key; it should hold the path"},
		{
			name: "key without its frame in the variable", sdkID: ownSDKID,
			keyFile: strings.ReplaceAll(strings.TrimPrefix(string(ownPEM()), "-----BEGIN RSA PRIVATE KEY-----\n"), "\n", ""),
			reason:  "pasted", says: "the file that YOTI_KEY_FILE_PATH names cannot be read",
		},
		{name: "plain http", sdkID: ownSDKID, keyFile: keyFile, baseURL: "http://WORD.example/idverify/v1", reason: "not safe", says: "the base URL is plain http"},
		{name: "base URL with a password", sdkID: ownSDKID, keyFile: keyFile, baseURL: "https://me:WORD@yoti.example", reason: "a credential", says: "the base URL holds user information"},
	} {
		t.Run(test.name, func(t *testing.T) {
			setEnv(t, test.sdkID, test.keyFile, test.baseURL)
			client, err := yotiface.NewClientFromEnv(yotiface.WithHTTPClient(&http.Client{Transport: nothingSent(t)}))
			assert.Nil(t, client)
			require.ErrorIs(t, err, yotiface.ErrInvalidArgument, test.reason)
			assert.Contains(t, err.Error(), test.says)
			assertOneLine(t, err.Error())
			if test.is != nil {
				require.ErrorIs(t, err, test.is)
			}
			for _, text := range append(everyError(err), fmt.Sprintf("%+v", err)) {
				assertNoPieceOf(t, text, string(ownPEM()))
				assert.NotContains(t, text, "WORD")
				assert.NotContains(t, text, os.TempDir()+"/", "the path may be anything that somebody pasted")
			}
		})
	}
}

// One client is made once and used by many; here it is only made sure that options do not tie clients to each other.
func TestClientsOfOneOptionListAreIndependent(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	hosts := map[string]int{}
	shared := []yotiface.Option{yotiface.WithHTTPClient(&http.Client{Transport: transportFunc(func(req *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		hosts[req.URL.Host]++
		return reply(req, http.StatusNotFound, ""), nil
	})})}
	for _, host := range []string{"one.example", "two.example"} {
		client, err := yotiface.NewClient(ownSDKID, ownPEM(), append(shared, yotiface.WithBaseURL("https://"+host))...)
		require.NoError(t, err)
		_, err = client.GetSession(t.Context(), "ID1")
		require.ErrorIs(t, err, yotiface.ErrNotFound)
	}
	assert.Equal(t, map[string]int{"one.example": 1, "two.example": 1}, hosts)
}

// Answers that never end are cut off by the client, not by the other side.
func TestEndlessErrorBodyEndsWithTheCall(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer close(gone)
		w.WriteHeader(http.StatusBadRequest)
		piece := bytes.Repeat([]byte("WORD"), 8<<10)
		for {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	client, err := yotiface.NewClient(ownSDKID, ownPEM(), yotiface.WithBaseURL(server.URL), yotiface.WithAttemptTimeout(time.Minute))
	require.NoError(t, err)
	_, err = client.GetSession(t.Context(), "ID1")
	var apiErr *yotiface.APIError
	require.ErrorAs(t, err, &apiErr)
	assert.Equal(t, http.StatusBadRequest, apiErr.StatusCode)
	assert.Len(t, apiErr.Body, 4<<10)
	assertHoldsNoID(t, err, "WORD")
	<-gone // the connection was dropped
}
