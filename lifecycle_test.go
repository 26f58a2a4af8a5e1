package yotiface_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getyoti/yoti-go-sdk/v3/docscan/session/create"
	"github.com/getyoti/yoti-go-sdk/v3/docscan/session/create/check"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

// lifeSpec is a session specification by the official builders: liveness, and a search of a pool of those who are barred.
func lifeSpec(t *testing.T, poolID string) *create.SessionSpecification {
	t.Helper()
	liveness, err := check.NewRequestedLivenessCheckBuilder().ForStaticLiveness().WithMaxRetries(3).Build()
	require.NoError(t, err)
	search, err := yotiface.NewFamiliarFaceSearchCheck(poolID, yotiface.CriteriaNoMatch)
	require.NoError(t, err)
	spec, err := create.NewSessionSpecificationBuilder().
		WithClientSessionTokenTTL(900).WithRequestedCheck(liveness).WithRequestedCheck(search).Build()
	require.NoError(t, err)
	return spec
}

// lifeNotifying is a specification with notifications that carry a bearer token.
func lifeNotifying(spec *create.SessionSpecification, endpoint, token string) any {
	return struct {
		*create.SessionSpecification
		Notifications any `json:"notifications"`
	}{spec, map[string]any{
		"endpoint":   endpoint,
		"topics":     []string{"session_completion", "check_completion"},
		"auth_type":  "BEARER",
		"auth_token": token,
	}}
}

// TestLifecycle goes the whole way, from the first pool to the last trace: whoever is barred is turned away.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	server := yotitest.NewServer(yotitest.WithTLS())
	defer server.Close()
	ctx, client := t.Context(), server.Client()
	aliceFace, bobFace, guestCapture := yotitest.DrawFace(1), yotitest.DrawFace(2), yotitest.DrawCapture(3)

	// Two people are enrolled.
	pool, err := client.CreatePool(ctx, "self-excluded")
	require.NoError(t, err)
	assert.Equal(t, "self-excluded", pool.Label)
	alice, err := client.CreateApplicantWithFace(ctx, aliceFace)
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now(), alice.Created, time.Minute)
	bob, err := client.CreateApplicant(ctx)
	require.NoError(t, err)
	_, ok := bob.FaceID()
	assert.False(t, ok)
	bobFaceID, err := client.AddFace(ctx, bob.ID, yotiface.FaceFromImage(bobFace))
	require.NoError(t, err)
	for _, applicant := range []*yotiface.Applicant{alice, bob} {
		require.NoError(t, client.AddApplicantToPool(ctx, pool.ID, applicant.ID))
	}
	bob, err = client.GetApplicant(ctx, bob.ID)
	require.NoError(t, err)
	assert.Equal(t, []yotiface.Pool{*pool}, bob.Pools)
	assert.Equal(t, []string{bobFaceID}, bob.FaceIDs())

	// A backend waits for notifications.
	var mu sync.Mutex
	var received []yotiface.Notification
	backend := httptest.NewTLSServer(yotiface.NewNotificationHandler(yotiface.BearerToken("s3cret"),
		func(_ context.Context, n yotiface.Notification) error {
			mu.Lock()
			defer mu.Unlock()
			received = append(received, n)
			return nil
		}))
	defer backend.Close()

	// A guest comes whom nobody knows yet.
	created, err := client.CreateSession(ctx, lifeNotifying(lifeSpec(t, pool.ID), backend.URL, "s3cret"))
	require.NoError(t, err)
	assert.Equal(t, 900, created.ClientSessionTokenTTL)
	page, err := url.Parse(created.ClientURL())
	require.NoError(t, err)
	assert.Equal(t, server.URL()+"/web/index.html", page.Scheme+"://"+page.Host+page.Path)
	assert.Equal(t, url.Values{"sessionID": {created.SessionID}, "sessionToken": {created.ClientSessionToken}}, page.Query())
	ongoing, err := client.GetSession(ctx, created.SessionID)
	require.NoError(t, err)
	assert.Equal(t, yotiface.OutcomePending, ongoing.FaceSearchOutcome())
	assert.Equal(t, created.ClientSessionToken, ongoing.ClientSessionToken)
	require.ErrorIs(t, client.DeleteSession(ctx, created.SessionID), yotiface.ErrConflict)

	waited := make(chan *yotiface.Session)
	go func() {
		session, err := client.WaitForSession(ctx, created.SessionID, time.Millisecond)
		assert.NoError(t, err)
		waited <- session
	}()
	server.CompleteSession(created.SessionID, yotitest.NoMatch(), yotitest.WithCapture(guestCapture))
	session := <-waited
	require.NotNil(t, session)
	assert.Equal(t, yotiface.OutcomeApproved, session.FaceSearchOutcome())
	search := session.FamiliarFaceSearches()[0]
	assert.Equal(t, yotiface.MatchNotFound, search.MatchStatus())
	faces, err := client.MatchedFaces(ctx, search)
	require.NoError(t, err)
	assert.Empty(t, faces)
	mu.Lock()
	assert.Equal(t, []yotiface.Notification{
		{SessionID: session.ID, Topic: yotiface.TopicCheckCompletion, CheckID: session.Checks[0].ID},
		{SessionID: session.ID, Topic: yotiface.TopicCheckCompletion, CheckID: search.ID},
		{SessionID: session.ID, Topic: yotiface.TopicSessionCompletion},
	}, received)
	mu.Unlock()

	// The guest is captured, and wants to be excluded from now on.
	images := session.CapturedImages(search)
	require.Len(t, images, 1)
	media, err := client.GetMedia(ctx, session.ID, images[0].ID)
	require.NoError(t, err)
	assert.Equal(t, yotiface.Media{ContentType: "image/jpeg", Data: guestCapture}, *media)
	var downloaded bytes.Buffer
	info, err := client.DownloadMedia(ctx, session.ID, images[0].ID, &downloaded)
	require.NoError(t, err)
	assert.Equal(t, yotiface.MediaInfo{ContentType: "image/jpeg", Size: int64(len(guestCapture))}, info)
	assert.Equal(t, guestCapture, downloaded.Bytes())
	carol, err := client.CreateApplicant(ctx)
	require.NoError(t, err)
	_, err = client.AddFace(ctx, carol.ID, yotiface.FaceFromSession(session.ID, images[0].ID))
	require.NoError(t, err)
	require.NoError(t, client.AddApplicantToPool(ctx, pool.ID, carol.ID))

	// The next time they are recognised.
	again, err := client.CreateSession(ctx, lifeSpec(t, pool.ID))
	require.NoError(t, err)
	server.CompleteSession(again.SessionID, yotitest.Matches(carol.ID))
	session, err = client.WaitForSession(ctx, again.SessionID, time.Millisecond)
	require.NoError(t, err)
	assert.Equal(t, yotiface.OutcomeRejected, session.FaceSearchOutcome())
	faces, err = client.MatchedFaces(ctx, session.FamiliarFaceSearches()[0])
	require.NoError(t, err)
	require.Len(t, faces, 1)
	assert.Equal(t, yotiface.Match{ApplicantID: carol.ID, PoolID: pool.ID}, faces[0].Match)
	assert.Equal(t, yotiface.Face{ContentType: "image/jpeg", Data: guestCapture}, *faces[0].Face)

	// Everything is erased, and has gone.
	require.NoError(t, client.DeleteMedia(ctx, created.SessionID, images[0].ID))
	_, err = client.GetMedia(ctx, created.SessionID, images[0].ID)
	require.ErrorIs(t, err, yotiface.ErrNotFound)
	for _, id := range []string{created.SessionID, again.SessionID} {
		require.NoError(t, client.DeleteSession(ctx, id))
		_, err = client.GetSession(ctx, id)
		require.ErrorIs(t, err, yotiface.ErrNotFound)
		require.ErrorIs(t, client.DeleteSession(ctx, id), yotiface.ErrNotFound)
	}
	for _, id := range []string{alice.ID, bob.ID, carol.ID} {
		applicant, err := client.GetApplicant(ctx, id)
		require.NoError(t, err)
		faceID, ok := applicant.FaceID()
		require.True(t, ok)
		require.NoError(t, client.DeleteFace(ctx, id, faceID))
		_, err = client.GetFace(ctx, id, faceID)
		require.ErrorIs(t, err, yotiface.ErrNotFound)
		require.NoError(t, client.RemoveApplicantFromPool(ctx, pool.ID, id))
		require.ErrorIs(t, client.RemoveApplicantFromPool(ctx, pool.ID, id), yotiface.ErrNotFound)
		require.NoError(t, client.DeleteApplicant(ctx, id))
		_, err = client.GetApplicant(ctx, id)
		require.ErrorIs(t, err, yotiface.ErrNotFound)
		require.ErrorIs(t, client.DeleteApplicant(ctx, id), yotiface.ErrNotFound)
	}
	require.NoError(t, client.DeletePool(ctx, pool.ID))
	require.ErrorIs(t, client.DeletePool(ctx, pool.ID), yotiface.ErrNotFound)
	require.ErrorIs(t, client.AddApplicantToPool(ctx, pool.ID, alice.ID), yotiface.ErrNotFound)
	_, err = client.CreateSession(ctx, lifeSpec(t, pool.ID))
	require.ErrorIs(t, err, yotiface.ErrBadRequest)
	var refused *yotiface.APIError
	require.ErrorAs(t, err, &refused)
	require.Len(t, refused.Errors, 1)
	assert.Equal(t, "requested_checks[1].config.pool_id", refused.Errors[0].Property)
}

// lifePNG is an image by its first bytes, and lifePNG64 its base64.
var lifePNG = []byte("\x89PNG\r\n\x1a\n<&>")

const lifePNG64 = "iVBORw0KGgo8Jj4="

// A lifeCall is a call that changes something.
type lifeCall struct {
	name   string
	do     func(context.Context, *yotiface.Client, []string) (got any, err error) // got is nil without a result
	ids    []string                                                               // what the errors call each ID
	method string
	path   string // that of ID1 and ID2
	body   string // byte for byte
	answer string // of a success; "" for 204
	want   any    // what becomes of the answer
}

const lifeApplicant = `{"id":"NEW","created_at":"2026-02-03T10:58:32Z","last_updated":"2026-02-03T10:58:33Z","faces":{"faces":[]},"pools":[]}`

var lifeWantApplicant = &yotiface.Applicant{
	ID:          "NEW",
	Faces:       yotiface.ApplicantFaces{Faces: []yotiface.FaceRef{}},
	Pools:       []yotiface.Pool{},
	Created:     time.Date(2026, 2, 3, 10, 58, 32, 0, time.UTC),
	LastUpdated: time.Date(2026, 2, 3, 10, 58, 33, 0, time.UTC),
}

var lifeCalls = []lifeCall{
	{
		"CreatePool", func(ctx context.Context, c *yotiface.Client, _ []string) (any, error) {
			return lifeResult(c.CreatePool(ctx, `the "barred" ü`))
		},
		nil, "POST", "/pools", `{"label":"the \"barred\" ü"}`,
		`{"id":"NEW","label":"POOL EXAMPLE"}`, &yotiface.Pool{ID: "NEW", Label: "POOL EXAMPLE"},
	},
	{
		"CreateApplicant", func(ctx context.Context, c *yotiface.Client, _ []string) (any, error) {
			return lifeResult(c.CreateApplicant(ctx))
		},
		nil, "POST", "/applicants", "", lifeApplicant, lifeWantApplicant,
	},
	{
		"CreateApplicantWithFace", func(ctx context.Context, c *yotiface.Client, _ []string) (any, error) {
			return lifeResult(c.CreateApplicantWithFace(ctx, lifePNG))
		},
		nil, "POST", "/applicants", `{"face":{"data":"` + lifePNG64 + `"}}`, lifeApplicant, lifeWantApplicant,
	},
	{
		"AddFace from an image", func(ctx context.Context, c *yotiface.Client, ids []string) (any, error) {
			return lifeText(c.AddFace(ctx, ids[0], yotiface.FaceFromImage(lifePNG)))
		},
		[]string{"applicant"},
		"POST", "/applicants/ID1/faces", `{"face":{"data":"` + lifePNG64 + `"}}`,
		`{"id":"NEW"}`, "NEW",
	},
	{
		"AddFace from a session", func(ctx context.Context, c *yotiface.Client, ids []string) (any, error) {
			return lifeText(c.AddFace(ctx, ids[0], yotiface.FaceFromSession("SESSION", "MEDIA")))
		},
		[]string{"applicant"},
		"POST", "/applicants/ID1/faces", `{"face":{"source":{"session_id":"SESSION","media_id":"MEDIA"}}}`,
		`{"id":"NEW"}`, "NEW",
	},
	{
		"AddApplicantToPool", func(ctx context.Context, c *yotiface.Client, ids []string) (any, error) {
			return nil, c.AddApplicantToPool(ctx, ids[0], ids[1])
		},
		[]string{"pool", "applicant"},
		"POST", "/pools/ID1/applicants", `{"applicant_id":"ID2"}`, "", nil,
	},
	{
		"CreateSession", func(ctx context.Context, c *yotiface.Client, _ []string) (any, error) {
			return lifeResult(c.CreateSession(ctx, json.RawMessage(" {\"client_session_token_ttl\" : 900}\n")))
		},
		nil, "POST", "/sessions", `{"client_session_token_ttl":900}`,
		`{"client_session_token_ttl":899,"client_session_token":"TOKEN","session_id":"NEW"}`, nil, // it has a hidden field
	},
	{
		"DeleteSession", func(ctx context.Context, c *yotiface.Client, ids []string) (any, error) {
			return nil, c.DeleteSession(ctx, ids[0])
		},
		[]string{"session"},
		"DELETE", "/sessions/ID1", "", "", nil,
	},
	{
		"DeleteMedia", func(ctx context.Context, c *yotiface.Client, ids []string) (any, error) {
			return nil, c.DeleteMedia(ctx, ids[0], ids[1])
		},
		[]string{"session", "media"},
		"DELETE", "/sessions/ID1/media/ID2/content", "", "", nil,
	},
	{
		"DeleteApplicant", func(ctx context.Context, c *yotiface.Client, ids []string) (any, error) {
			return nil, c.DeleteApplicant(ctx, ids[0])
		},
		[]string{"applicant"},
		"DELETE", "/applicants/ID1", "", "", nil,
	},
	{
		"DeleteFace", func(ctx context.Context, c *yotiface.Client, ids []string) (any, error) {
			return nil, c.DeleteFace(ctx, ids[0], ids[1])
		},
		[]string{"applicant", "face"},
		"DELETE", "/applicants/ID1/faces/ID2", "", "", nil,
	},
	{
		"RemoveApplicantFromPool", func(ctx context.Context, c *yotiface.Client, ids []string) (any, error) {
			return nil, c.RemoveApplicantFromPool(ctx, ids[0], ids[1])
		},
		[]string{"pool", "applicant"},
		"DELETE", "/pools/ID1/applicants/ID2", "", "", nil,
	},
	{
		"DeletePool", func(ctx context.Context, c *yotiface.Client, ids []string) (any, error) {
			return nil, c.DeletePool(ctx, ids[0])
		},
		[]string{"pool"},
		"DELETE", "/pools/ID1", "", "", nil,
	},
}

// lifeResult makes a nil pointer a nil.
func lifeResult[T any](got *T, err error) (any, error) {
	if got == nil {
		return nil, err
	}
	return got, err
}

func lifeText(got string, err error) (any, error) {
	if got == "" {
		return nil, err
	}
	return got, err
}

// lifeIDs are as many as a call takes.
func (c lifeCall) lifeIDs() []string { return []string{"ID1", "ID2"}[:len(c.ids)] }

// A lifeAnswer is what a service in memory says to one request.
type lifeAnswer func(*http.Request) (*http.Response, error)

// lifeSays answers with a status and a body. The header is given as names and values in turn.
func lifeSays(status int, body string, header ...string) lifeAnswer {
	return func(r *http.Request) (*http.Response, error) {
		h := http.Header{}
		for pair := range slices.Chunk(header, 2) {
			h.Set(pair[0], pair[1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}, nil
	}
}

func lifeFails(err error) lifeAnswer {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// lifeHangs answers nothing until the request is given up.
func lifeHangs(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// Ways in which a connection fails.
var (
	errLifeRefused = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	errLifeReset   = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
)

// A lifeRequest is a request as it arrived.
type lifeRequest struct {
	method, path, body string
	header             http.Header
	nonce              string
	at                 time.Time
}

// A lifeService is a service in memory that gives its answers in order, the last one for ever, and notes the requests.
type lifeService struct {
	answers []lifeAnswer

	mu       sync.Mutex
	requests []lifeRequest
}

func (s *lifeService) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		if err := r.Body.Close(); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	n := len(s.requests)
	s.requests = append(s.requests, lifeRequest{
		r.Method, strings.TrimPrefix(r.URL.EscapedPath(), "/idverify/v1"), string(body), r.Header.Clone(), r.URL.Query().Get("nonce"), time.Now(),
	})
	s.mu.Unlock()
	return s.answers[min(n, len(s.answers)-1)](r)
}

// gaps are the times between the requests.
func (s *lifeService) gaps() []time.Duration {
	var gaps []time.Duration
	for i := 1; i < len(s.requests); i++ {
		gaps = append(gaps, s.requests[i].at.Sub(s.requests[i-1].at))
	}
	return gaps
}

var lifeKey = sync.OnceValue(func() []byte {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
})

// newLifeClient returns a client of a service in memory.
func newLifeClient(t *testing.T, service http.RoundTripper, opts ...yotiface.Option) *yotiface.Client {
	t.Helper()
	opts = append([]yotiface.Option{yotiface.WithHTTPClient(&http.Client{Transport: service})}, opts...)
	client, err := yotiface.NewClient("sdk-id", lifeKey(), opts...)
	require.NoError(t, err)
	return client
}

var lifeOnce = yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxAttempts: 1})

func TestWriteCallsSendWhatIsDocumented(t *testing.T) {
	t.Parallel()
	for _, call := range lifeCalls {
		t.Run(call.name, func(t *testing.T) {
			t.Parallel()
			status := http.StatusCreated
			if call.answer == "" {
				status = http.StatusNoContent
			}
			service := &lifeService{answers: []lifeAnswer{lifeSays(status, call.answer)}}
			got, err := call.do(t.Context(), newLifeClient(t, service), call.lifeIDs())
			require.NoError(t, err)
			require.Len(t, service.requests, 1)
			sent := service.requests[0]
			assert.Equal(t, call.method, sent.method)
			assert.Equal(t, call.path, sent.path)
			assert.Equal(t, call.body, sent.body)
			assert.Equal(t, "application/json", sent.header.Get("Accept"))
			if call.body == "" {
				assert.Empty(t, sent.header.Values("Content-Type"))
			} else {
				assert.Equal(t, []string{"application/json"}, sent.header.Values("Content-Type"))
			}
			if call.name == "CreateSession" {
				created, ok := got.(*yotiface.CreatedSession)
				require.True(t, ok)
				assert.Equal(t, "NEW TOKEN 899", fmt.Sprint(created.SessionID, " ", created.ClientSessionToken, " ", created.ClientSessionTokenTTL))
				assert.Equal(t, "https://api.yoti.com/idverify/v1/web/index.html?sessionID=NEW&sessionToken=TOKEN", created.ClientURL())
				return
			}
			assert.Equal(t, call.want, got)
		})
	}
}

// What the service may say to a success besides what is documented.
func TestWriteCallsThatSucceedOtherwise(t *testing.T) {
	t.Parallel()
	for _, call := range lifeCalls {
		t.Run(call.name, func(t *testing.T) {
			t.Parallel()
			statuses, body := []int{http.StatusOK, http.StatusAccepted}, call.answer
			if body == "" {
				body = "stray bytes" // nobody needs them
			}
			for _, status := range statuses {
				_, err := call.do(t.Context(), newLifeClient(t, &lifeService{answers: []lifeAnswer{lifeSays(status, body)}}), call.lifeIDs())
				require.NoError(t, err)
			}
		})
	}
}

// Nothing is believed to have been created whose ID is not known.
func TestWriteCallsRefuseAnswersThatSayNothing(t *testing.T) {
	t.Parallel()
	for _, call := range lifeCalls {
		if call.answer == "" {
			continue
		}
		t.Run(call.name, func(t *testing.T) {
			t.Parallel()
			for _, body := range []string{``, `null`, `{}`, `[]`, `{"id":""}`, `{"session_id":""}`, `{"id":1,"session_id":1}`, `{"ID":"NEW"}`, `<html>`, call.answer + `{}`, call.answer[:len(call.answer)-1]} {
				service := &lifeService{answers: []lifeAnswer{lifeSays(http.StatusCreated, body)}}
				got, err := call.do(t.Context(), newLifeClient(t, service), call.lifeIDs())
				var unreadable *yotiface.DecodeError
				require.ErrorAs(t, err, &unreadable, body)
				assert.Nil(t, got, body)
				assert.Len(t, service.requests, 1, "it may have been created")
				assert.NotContains(t, err.Error(), "TOKEN")
			}
			got, err := call.do(t.Context(), newLifeClient(t, &lifeService{answers: []lifeAnswer{lifeSays(http.StatusNoContent, "")}}), call.lifeIDs())
			require.ErrorIs(t, err, yotiface.ErrNoContent)
			assert.Nil(t, got)
		})
	}
}

func TestSessionSpecificationsAreSentAsTheyEncode(t *testing.T) {
	t.Parallel()
	const checks = `"client_session_token_ttl":900,"requested_checks":[` +
		`{"type":"LIVENESS","config":{"max_retries":3,"liveness_type":"STATIC","manual_check":"NEVER"}},` +
		`{"type":"FAMILIAR_FACE_SEARCH","config":{"pool_id":"ID1","approval_criteria":"NO_MATCH"}}]`
	spec := lifeSpec(t, "ID1")
	for _, test := range []struct {
		name string
		spec any
		want string
	}{
		{"the official builder's", spec, `{` + checks + `}`},
		{"a copy of it", *spec, `{` + checks + `}`},
		{
			"a struct around it", lifeNotifying(spec, "https://example.com/yoti", "s3cret"),
			`{` + checks + `,"notifications":{"auth_token":"s3cret","auth_type":"BEARER","endpoint":"https://example.com/yoti","topics":["session_completion","check_completion"]}}`,
		},
		{"JSON", json.RawMessage(`{"a": [1.50, "ü"]}`), `{"a":[1.50,"ü"]}`},
		{"a map", map[string]any{"b": 1, "a": nil}, `{"a":null,"b":1}`},
		{"nothing asked for", struct{}{}, `{}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			service := &lifeService{answers: []lifeAnswer{lifeSays(http.StatusCreated, `{"session_id":"NEW"}`)}}
			created, err := newLifeClient(t, service).CreateSession(t.Context(), test.spec)
			require.NoError(t, err)
			assert.Equal(t, test.want, service.requests[0].body)
			assert.Equal(t, "NEW", created.SessionID)
		})
	}
}

func TestWriteCallsReportWhatTheServiceRefuses(t *testing.T) {
	t.Parallel()
	const body = `{"code":"SOME_CODE","message":"not ID1, not ID2","errors":[{"property":"label","message":"too long for ID1"}]}`
	for _, call := range lifeCalls {
		t.Run(call.name, func(t *testing.T) {
			t.Parallel()
			for status, sentinel := range map[int]error{
				http.StatusBadRequest:          yotiface.ErrBadRequest,
				http.StatusUnauthorized:        yotiface.ErrUnauthorized,
				http.StatusForbidden:           yotiface.ErrForbidden,
				http.StatusNotFound:            yotiface.ErrNotFound,
				http.StatusConflict:            yotiface.ErrConflict,
				http.StatusUnprocessableEntity: yotiface.ErrUnprocessable,
				http.StatusTooManyRequests:     yotiface.ErrRateLimited,
				http.StatusServiceUnavailable:  yotiface.ErrUnavailable,
			} {
				service := &lifeService{answers: []lifeAnswer{lifeSays(status, body, "Retry-After", "7")}}
				got, err := call.do(t.Context(), newLifeClient(t, service, lifeOnce), call.lifeIDs())
				assert.Nil(t, got)
				require.ErrorIs(t, err, sentinel)
				var refused *yotiface.APIError
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, status, refused.StatusCode)
				assert.Equal(t, "SOME_CODE", refused.Code)
				assert.Equal(t, []yotiface.FieldError{{Property: "label", Message: "too long for ID1"}}, refused.Errors)
				assert.Equal(t, call.method, refused.Method)
				assert.Equal(t, 7*time.Second, refused.RetryAfter)
				assert.Equal(t, strings.Count(call.path, "ID"), strings.Count(refused.Endpoint, "{"), "a template")
				assert.Len(t, service.requests, 1)
				for _, id := range strings.FieldsFunc(call.path, func(r rune) bool { return r == '/' }) {
					if strings.HasPrefix(id, "ID") {
						assert.NotContains(t, err.Error(), id)
					}
				}
				assert.NotContains(t, err.Error(), "\n")
			}
		})
	}
}

// A lifeFailure is what can go wrong, and how often a call is tried then.
type lifeFailure struct {
	name         string
	answer       lifeAnswer
	post, delete int
	reason       string
}

var lifeFailures = []lifeFailure{
	{"429", lifeSays(http.StatusTooManyRequests, ""), 3, 3, "the service did not act"},
	{"connection refused", lifeFails(errLifeRefused), 3, 3, "nothing was sent"},
	{"connection reset", lifeFails(errLifeReset), 1, 3, "a POST may have been done"},
	{"closed before the answer", lifeFails(io.EOF), 1, 3, "a POST may have been done"},
	{"no answer in time", lifeHangs, 1, 3, "a POST may have been done"},
	{"408", lifeSays(http.StatusRequestTimeout, ""), 1, 3, "a POST may have been done"},
	{"500", lifeSays(http.StatusInternalServerError, ""), 1, 3, "a POST may have been done"},
	{"502", lifeSays(http.StatusBadGateway, ""), 1, 3, "a POST may have been done"},
	{"503", lifeSays(http.StatusServiceUnavailable, ""), 1, 3, "a POST may have been done"},
	{"504", lifeSays(http.StatusGatewayTimeout, ""), 1, 3, "a POST may have been done"},
	{"307", lifeSays(http.StatusTemporaryRedirect, "", "Location", "https://example.com"), 1, 1, "a redirect is not followed"},
	{"400", lifeSays(http.StatusBadRequest, ""), 1, 1, "it stays wrong"},
	{"409", lifeSays(http.StatusConflict, ""), 1, 1, "it has three meanings"},
	{"422", lifeSays(http.StatusUnprocessableEntity, ""), 1, 1, "the image stays as it is"},
}

func TestWriteCallsAreTriedAgainOnlyWhereThatIsSafe(t *testing.T) {
	t.Parallel()
	lifeKey() // outside the bubbles
	for _, call := range lifeCalls {
		for _, failure := range lifeFailures {
			t.Run(call.name+" "+failure.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					service := &lifeService{answers: []lifeAnswer{failure.answer}}
					got, err := call.do(t.Context(), newLifeClient(t, service), call.lifeIDs())
					require.Error(t, err)
					assert.Nil(t, got)
					want := failure.post
					if call.method == http.MethodDelete {
						want = failure.delete
					}
					assert.Len(t, service.requests, want, failure.reason)
					nonces := map[string]bool{}
					for _, sent := range service.requests {
						nonces[sent.nonce] = true
						assert.Equal(t, call.body, sent.body, "the body is sent whole each time")
					}
					assert.Len(t, nonces, want, "and signed afresh")
				})
			})
		}
	}
}

// The same over real connections.
func TestWriteCallsOverConnectionsThatAreReset(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]yotitest.Option{"http": nil, "https": {yotitest.WithTLS()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := yotitest.NewServer(opts...)
			defer server.Close()
			client := server.Client(yotiface.WithRetryPolicy(yotiface.RetryPolicy{MinBackoff: time.Millisecond}))

			server.Inject(yotitest.DropUnread())
			_, err := client.CreateApplicantWithFace(t.Context(), slices.Concat(lifePNG, make([]byte, 1<<20)))
			require.Error(t, err)
			assert.Len(t, server.Requests(), 1, "nobody knows whether the applicant was created")

			server.Inject(yotitest.Status(http.StatusTooManyRequests))
			applicant, err := client.CreateApplicantWithFace(t.Context(), lifePNG)
			require.NoError(t, err)
			assert.Len(t, server.Requests(), 3)

			server.Inject(yotitest.DropUnread(), yotitest.Drop())
			require.NoError(t, client.DeleteApplicant(t.Context(), applicant.ID))
			assert.Len(t, server.Requests(), 6)

			server.Inject(yotitest.Redirect("https://example.com/"))
			_, err = client.CreatePool(t.Context(), "staff")
			var refused *yotiface.APIError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, http.StatusTemporaryRedirect, refused.StatusCode)
			server.Inject(yotitest.Drip(0))
			pool, err := client.CreatePool(t.Context(), "a label of many bytes")
			require.NoError(t, err)
			assert.Equal(t, "a label of many bytes", pool.Label)
		})
	}
}

// A DELETE that finds nothing has succeeded if an earlier attempt may have done it, and only then.
func TestDeletesThatFindNothing(t *testing.T) {
	t.Parallel()
	lifeKey()
	gone := lifeSays(http.StatusNotFound, `{"code":"NOT_FOUND","message":"gone"}`)
	for _, call := range lifeCalls {
		if call.method != http.MethodDelete {
			continue
		}
		t.Run(call.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, err := call.do(t.Context(), newLifeClient(t, &lifeService{answers: []lifeAnswer{gone}}), call.lifeIDs())
				require.ErrorIs(t, err, yotiface.ErrNotFound)
				for _, first := range []lifeAnswer{
					lifeFails(errLifeReset), lifeFails(io.EOF), lifeHangs,
					lifeSays(http.StatusBadGateway, ""), lifeSays(http.StatusServiceUnavailable, ""),
				} {
					service := &lifeService{answers: []lifeAnswer{first, gone}}
					_, err := call.do(t.Context(), newLifeClient(t, service), call.lifeIDs())
					require.NoError(t, err)
					assert.Len(t, service.requests, 2)
				}
			})
		})
	}
}

// lifeSilent is a service that nothing may be sent to.
func lifeSilent(t *testing.T) http.RoundTripper {
	t.Helper()
	return &lifeService{answers: []lifeAnswer{func(r *http.Request) (*http.Response, error) {
		t.Errorf("a request was sent: %s %s", r.Method, r.URL.Path)
		return nil, errLifeRefused
	}}}
}

func TestWriteCallsRefuseWhatCannotBeAnID(t *testing.T) {
	t.Parallel()
	for _, call := range lifeCalls {
		for position, name := range call.ids {
			t.Run(call.name+", "+name, func(t *testing.T) {
				t.Parallel()
				client := newLifeClient(t, lifeSilent(t))
				for _, bad := range []string{"", ".", "..", "../WORD", "WORD/b", "WORD b", "WORD#b", "WORD?b", "WORD%2fb", "WORDü", "WORD\n", "{WORD}", strings.Repeat("WORD", 33)} {
					ids := call.lifeIDs()
					ids[position] = bad
					got, err := call.do(t.Context(), client, ids)
					require.ErrorIs(t, err, yotiface.ErrInvalidArgument, bad)
					assert.Nil(t, got)
					assert.Contains(t, err.Error(), "the "+name+" ID ")
					assert.NotContains(t, err.Error(), "WORD")
				}
			})
		}
	}
}

func TestArgumentsThatSendNothing(t *testing.T) {
	t.Parallel()
	client := newLifeClient(t, lifeSilent(t))
	ctx := t.Context()
	for _, test := range []struct {
		name string
		do   func() (any, error)
		want error
		says string
	}{
		{"no label", func() (any, error) { return lifeResult(client.CreatePool(ctx, "")) }, yotiface.ErrInvalidArgument, "the label"},
		{"a label of other bytes", func() (any, error) { return lifeResult(client.CreatePool(ctx, "a\xff")) }, yotiface.ErrInvalidArgument, "UTF-8"},

		{"no face", func() (any, error) { return lifeResult(client.CreateApplicantWithFace(ctx, nil)) }, yotiface.ErrInvalidArgument, "no image"},
		{"an empty face", func() (any, error) { return lifeResult(client.CreateApplicantWithFace(ctx, []byte{})) }, yotiface.ErrInvalidArgument, "no image"},
		{"a face of text", func() (any, error) { return lifeResult(client.CreateApplicantWithFace(ctx, []byte("WORD"))) }, yotiface.ErrNotAnImage, "not an image"},
		{"a face of base64", func() (any, error) { return lifeResult(client.CreateApplicantWithFace(ctx, []byte(lifePNG64))) }, yotiface.ErrNotAnImage, "not an image"},
		{"a PDF", func() (any, error) {
			return lifeText(client.AddFace(ctx, "ID1", yotiface.FaceFromImage([]byte("%PDF-1.7 WORD"))))
		}, yotiface.ErrNotAnImage, "not an image"},
		{"HTML", func() (any, error) {
			return lifeText(client.AddFace(ctx, "ID1", yotiface.FaceFromImage([]byte("<html>WORD"))))
		}, yotiface.ErrNotAnImage, "not an image"},
		{"an image of nothing", func() (any, error) { return lifeText(client.AddFace(ctx, "ID1", yotiface.FaceFromImage(nil))) }, yotiface.ErrInvalidArgument, "no image"},
		{"no source", func() (any, error) { return lifeText(client.AddFace(ctx, "ID1", yotiface.FaceSource{})) }, yotiface.ErrInvalidArgument, "no image"},
		{"no session", func() (any, error) { return lifeText(client.AddFace(ctx, "ID1", yotiface.FaceFromSession("", "WORD"))) }, yotiface.ErrInvalidArgument, "the session ID is empty"},
		{"no media", func() (any, error) { return lifeText(client.AddFace(ctx, "ID1", yotiface.FaceFromSession("WORD", ""))) }, yotiface.ErrInvalidArgument, "the media ID is empty"},
		{"a session of quotes", func() (any, error) {
			return lifeText(client.AddFace(ctx, "ID1", yotiface.FaceFromSession(`"WORD"`, "ID2")))
		}, yotiface.ErrInvalidArgument, "the session ID has"},
		{"media of braces", func() (any, error) {
			return lifeText(client.AddFace(ctx, "ID1", yotiface.FaceFromSession("ID1", `{WORD}`)))
		}, yotiface.ErrInvalidArgument, "the media ID has"},

		{"no specification", func() (any, error) { return lifeResult(client.CreateSession(ctx, nil)) }, yotiface.ErrInvalidArgument, "JSON object"},
		{"a nil specification", func() (any, error) { return lifeResult(client.CreateSession(ctx, (*create.SessionSpecification)(nil))) }, yotiface.ErrInvalidArgument, "JSON object"},
		{"nil JSON", func() (any, error) { return lifeResult(client.CreateSession(ctx, json.RawMessage(nil))) }, yotiface.ErrInvalidArgument, "JSON object"},
		{"a list", func() (any, error) { return lifeResult(client.CreateSession(ctx, []any{map[string]any{}})) }, yotiface.ErrInvalidArgument, "JSON object"},
		{"JSON as text", func() (any, error) { return lifeResult(client.CreateSession(ctx, `{}`)) }, yotiface.ErrInvalidArgument, "JSON object"},
		{"JSON as bytes", func() (any, error) { return lifeResult(client.CreateSession(ctx, []byte(`{}`))) }, yotiface.ErrInvalidArgument, "JSON object"},
		{"broken JSON", func() (any, error) { return lifeResult(client.CreateSession(ctx, json.RawMessage(`{"a":`))) }, yotiface.ErrInvalidArgument, "cannot be encoded"},
		{"a channel", func() (any, error) { return lifeResult(client.CreateSession(ctx, map[string]any{"a": make(chan int)})) }, yotiface.ErrInvalidArgument, "cannot be encoded"},

		{"no pool to search", func() (any, error) {
			return lifeResult(yotiface.NewFamiliarFaceSearchCheck("", yotiface.CriteriaMatch))
		}, yotiface.ErrInvalidArgument, "the pool ID is empty"},
		{"a pool that is no ID", func() (any, error) {
			return lifeResult(yotiface.NewFamiliarFaceSearchCheck("WORD/", yotiface.CriteriaMatch))
		}, yotiface.ErrInvalidArgument, "the pool ID has"},
		{"no criterion", func() (any, error) { return lifeResult(yotiface.NewFamiliarFaceSearchCheck("ID1", "")) }, yotiface.ErrInvalidArgument, "neither MATCH nor NO_MATCH"},
		{"a criterion with a space", func() (any, error) { return lifeResult(yotiface.NewFamiliarFaceSearchCheck("ID1", "NO MATCH")) }, yotiface.ErrInvalidArgument, "neither MATCH nor NO_MATCH"},

		{"media of no session", func() (any, error) { return lifeResult(client.GetMedia(ctx, "", "ID2")) }, yotiface.ErrInvalidArgument, "the session ID is empty"},
		{"media without an ID", func() (any, error) { return lifeResult(client.GetMedia(ctx, "ID1", "../WORD")) }, yotiface.ErrInvalidArgument, "the media ID has"},
		{"no writer", func() (any, error) { return nil, lifeError(client.DownloadMedia(ctx, "ID1", "ID2", nil)) }, yotiface.ErrInvalidArgument, "the writer is nil"},
		{"a download of nothing", func() (any, error) { return nil, lifeError(client.DownloadMedia(ctx, "ID1", "", io.Discard)) }, yotiface.ErrInvalidArgument, "the media ID is empty"},

		{"no interval", func() (any, error) { return lifeResult(client.WaitForSession(ctx, "ID1", 0)) }, yotiface.ErrInvalidArgument, "the interval is not positive"},
		{"a negative interval", func() (any, error) { return lifeResult(client.WaitForSession(ctx, "ID1", -time.Second)) }, yotiface.ErrInvalidArgument, "the interval is not positive"},
		{"a wait for nothing", func() (any, error) { return lifeResult(client.WaitForSession(ctx, "", time.Second)) }, yotiface.ErrInvalidArgument, "the session ID is empty"},
	} {
		got, err := test.do()
		require.ErrorIs(t, err, test.want, test.name)
		assert.Nil(t, got, test.name)
		assert.Contains(t, err.Error(), test.says, test.name)
		assert.NotContains(t, err.Error(), "WORD", test.name)
	}

	var none context.Context
	for _, call := range lifeCalls {
		got, err := call.do(none, client, call.lifeIDs())
		require.ErrorIs(t, err, yotiface.ErrInvalidArgument, call.name)
		assert.Contains(t, err.Error(), "the context is nil", call.name)
		assert.Nil(t, got)
	}
	_, err := client.WaitForSession(none, "ID1", time.Second)
	require.ErrorIs(t, err, yotiface.ErrInvalidArgument)
	_, err = client.GetMedia(none, "ID1", "ID2")
	require.ErrorIs(t, err, yotiface.ErrInvalidArgument)
}

func lifeError[T any](_ T, err error) error { return err }

// A call whose context has ended sends nothing.
func TestWriteCallsOfAContextThatIsDone(t *testing.T) {
	t.Parallel()
	client := newLifeClient(t, lifeSilent(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, call := range lifeCalls {
		got, err := call.do(ctx, client, call.lifeIDs())
		require.ErrorIs(t, err, context.Canceled, call.name)
		assert.Nil(t, got)
	}
}

func TestRequestedFamiliarFaceSearchIsAnOfficialCheck(t *testing.T) {
	t.Parallel()
	search, err := yotiface.NewFamiliarFaceSearchCheck("a8b2e5de-a31f-4e82-b2ac-557a492fa88e", yotiface.CriteriaMatch)
	require.NoError(t, err)
	var official check.RequestedCheck = search
	assert.Equal(t, "FAMILIAR_FACE_SEARCH", official.Type())
	assert.Equal(t, yotiface.RequestedFamiliarFaceSearchConfig{PoolID: "a8b2e5de-a31f-4e82-b2ac-557a492fa88e", ApprovalCriteria: "MATCH"}, official.Config())
	encoded, err := json.Marshal(official)
	require.NoError(t, err)
	assert.Equal(t, `{"type":"FAMILIAR_FACE_SEARCH","config":{"pool_id":"a8b2e5de-a31f-4e82-b2ac-557a492fa88e","approval_criteria":"MATCH"}}`, string(encoded))
}

func TestCreatedSessionPrintsNoToken(t *testing.T) {
	t.Parallel()
	const id, token = "7938ac1e-0a4a-49b7-953f-08cfa764358f", "c0ffee00-0a4a-49b7-953f-08cfa764358f"
	service := &lifeService{answers: []lifeAnswer{lifeSays(http.StatusCreated, fmt.Sprintf(`{"session_id":%q,"client_session_token":%q,"client_session_token_ttl":599}`, id, token))}}
	created, err := newLifeClient(t, service).CreateSession(t.Context(), struct{}{})
	require.NoError(t, err)
	require.Equal(t, token, created.ClientSessionToken)

	var texts []string
	holder := struct {
		Session  yotiface.CreatedSession
		Sessions []*yotiface.CreatedSession
	}{*created, []*yotiface.CreatedSession{created}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%20v", "%-5.3s"} {
		for _, v := range []any{created, *created, holder, []yotiface.CreatedSession{*created}, map[string]*yotiface.CreatedSession{"a": created}} {
			texts = append(texts, fmt.Sprintf(verb, v))
		}
	}
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		logger := slog.New(handler)
		logger.InfoContext(t.Context(), "created", "session", created, "value", *created)
		assert.NotContains(t, log.String(), id)
		logger.InfoContext(t.Context(), "created", "all", holder)
	}
	texts = append(texts, log.String())
	encoded, err := json.Marshal(holder)
	require.NoError(t, err)
	assert.Contains(t, string(encoded), id)
	texts = append(texts, string(encoded))

	for _, text := range texts {
		for _, form := range []string{token, fmt.Sprintf("%x", token), fmt.Sprintf("%X", token), base64.StdEncoding.EncodeToString([]byte(token))} {
			assert.NotContains(t, text, form)
		}
	}
	assert.Contains(t, fmt.Sprint(created), "599")
	assert.Contains(t, created.ClientURL(), token)
}

func TestClientURLIsEscaped(t *testing.T) {
	t.Parallel()
	made := yotiface.CreatedSession{SessionID: "a b", ClientSessionToken: "t&t=#"}
	assert.Equal(t, "https://api.yoti.com/idverify/v1/web/index.html?sessionID=a+b&sessionToken=t%26t%3D%23", made.ClientURL())
	service := &lifeService{answers: []lifeAnswer{lifeSays(http.StatusCreated, `{"session_id":"NEW","client_session_token":"a&b"}`)}}
	created, err := newLifeClient(t, service, yotiface.WithBaseURL("https://api.yoti.com/sandbox/idverify/v1/")).CreateSession(t.Context(), struct{}{})
	require.NoError(t, err)
	assert.Equal(t, "https://api.yoti.com/sandbox/idverify/v1/web/index.html?sessionID=NEW&sessionToken=a%26b", created.ClientURL())
}

// Media are raw bytes: whatever they are, they come as they were sent.
func TestMediaComeAsTheyAre(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, contentType, body string }{
		{"an image", "image/jpeg", "\xff\xd8\xff…"},
		{"a type with parameters", "application/json; charset=utf-8", `{"a":1}`},
		{"no type", "", "bytes"},
		{"another type than it is", "image/png", "text"},
		{"one byte", "image/png", "\x00"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			answer := lifeSays(http.StatusOK, test.body, "Content-Type", test.contentType)
			service := &lifeService{answers: []lifeAnswer{answer}}
			client := newLifeClient(t, service)
			media, err := client.GetMedia(t.Context(), "ID1", "ID2")
			require.NoError(t, err)
			assert.Equal(t, yotiface.Media{ContentType: test.contentType, Data: []byte(test.body)}, *media)
			assert.Equal(t, "GET /sessions/ID1/media/ID2/content", service.requests[0].method+" "+service.requests[0].path)
			assert.Equal(t, "*/*", service.requests[0].header.Get("Accept"))

			var out bytes.Buffer
			info, err := client.DownloadMedia(t.Context(), "ID1", "ID2", &out)
			require.NoError(t, err)
			assert.Equal(t, yotiface.MediaInfo{ContentType: test.contentType, Size: int64(len(test.body))}, info)
			assert.Equal(t, test.body, out.String())
		})
	}
}

// What is not there must not pass for an image.
func TestMediaThatAreWithheldOrGone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		answer lifeAnswer
		want   error
	}{
		{"204", lifeSays(http.StatusNoContent, ""), yotiface.ErrNoContent},
		{"204 with stray bytes", lifeSays(http.StatusNoContent, "bytes"), yotiface.ErrNoContent},
		{"200 without a body", lifeSays(http.StatusOK, "", "Content-Type", "image/jpeg"), yotiface.ErrNoContent},
		{"404", lifeSays(http.StatusNotFound, ""), yotiface.ErrNotFound},
		{"larger than allowed", lifeSays(http.StatusOK, strings.Repeat("x", 101)), yotiface.ErrResponseTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			client := newLifeClient(t, &lifeService{answers: []lifeAnswer{test.answer}}, yotiface.WithMaxResponseBytes(100))
			media, err := client.GetMedia(t.Context(), "ID1", "ID2")
			require.ErrorIs(t, err, test.want)
			assert.Nil(t, media)
			var out bytes.Buffer
			info, err := client.DownloadMedia(t.Context(), "ID1", "ID2", &out)
			require.ErrorIs(t, err, test.want)
			assert.Equal(t, int64(out.Len()), info.Size)
		})
	}
	require.NoError(t, newLifeClient(t, &lifeService{answers: []lifeAnswer{lifeSays(http.StatusNoContent, "")}}).DeleteMedia(t.Context(), "ID1", "ID2"))
}

// lifeBroken answers 200 with the beginning of a body that then breaks off.
func lifeBroken(beginning string) lifeAnswer {
	return func(r *http.Request) (*http.Response, error) {
		resp, err := lifeSays(http.StatusOK, beginning, "Content-Type", "image/png")(r)
		resp.Body = io.NopCloser(io.MultiReader(resp.Body, lifeReader{}))
		resp.ContentLength = -1
		return resp, err
	}
}

type lifeReader struct{}

func (lifeReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

type lifeWriter struct{ err error }

func (w lifeWriter) Write([]byte) (int, error) { return 0, w.err }

// A download is tried again only as long as nothing has gone to the writer.
func TestMediaThatBreakOff(t *testing.T) {
	t.Parallel()
	lifeKey()
	whole := lifeSays(http.StatusOK, "whole", "Content-Type", "image/png")
	synctest.Test(t, func(t *testing.T) {
		service := &lifeService{answers: []lifeAnswer{lifeBroken("half"), lifeBroken(""), whole}}
		media, err := newLifeClient(t, service).GetMedia(t.Context(), "ID1", "ID2")
		require.NoError(t, err)
		assert.Equal(t, "whole", string(media.Data), "never a half with a whole behind it")

		var out bytes.Buffer
		service = &lifeService{answers: []lifeAnswer{lifeBroken(""), lifeBroken("half"), whole}}
		info, err := newLifeClient(t, service).DownloadMedia(t.Context(), "ID1", "ID2", &out)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		assert.Equal(t, "half", out.String())
		assert.Equal(t, int64(4), info.Size)
		assert.Len(t, service.requests, 2)

		full := errors.New("the disk is full")
		service = &lifeService{answers: []lifeAnswer{whole}}
		_, err = newLifeClient(t, service).DownloadMedia(t.Context(), "ID1", "ID2", lifeWriter{full})
		assert.Equal(t, full, err, "the writer's own error")
		_, err = newLifeClient(t, service).DownloadMedia(t.Context(), "ID1", "ID2", lifeWriter{})
		require.ErrorIs(t, err, io.ErrShortWrite)
		assert.Len(t, service.requests, 2)
	})
}

// lifeState is a session in a state.
func lifeState(state string) lifeAnswer {
	return lifeSays(http.StatusOK, fmt.Sprintf(`{"session_id":"ID1","state":%q}`, state))
}

func TestWaitForSessionAsksAboutEveryInterval(t *testing.T) {
	t.Parallel()
	lifeKey()
	synctest.Test(t, func(t *testing.T) {
		const polls, interval = 200, 10 * time.Second
		service := &lifeService{answers: append(slices.Repeat([]lifeAnswer{lifeState("ONGOING")}, polls), lifeState("COMPLETED"))}
		session, err := newLifeClient(t, service).WaitForSession(t.Context(), "ID1", interval)
		require.NoError(t, err)
		assert.Equal(t, yotiface.SessionCompleted, session.State)
		gaps := service.gaps()
		require.Len(t, gaps, polls)
		for _, gap := range gaps {
			assert.InDelta(t, interval, gap, float64(interval/10))
		}
		assert.Less(t, slices.Min(gaps), interval-interval/20, "it varies")
		assert.Greater(t, slices.Max(gaps), interval+interval/20, "it varies")
	})
}

func TestWaitForSessionReturnsWhatIsOver(t *testing.T) {
	t.Parallel()
	lifeKey()
	for _, test := range []struct {
		name    string
		answers []lifeAnswer
		want    yotiface.SessionState
		reason  string
	}{
		{"at once", []lifeAnswer{lifeState("COMPLETED")}, yotiface.SessionCompleted, "no wait before the first question"},
		{"expired", []lifeAnswer{lifeState("ONGOING"), lifeState("EXPIRED")}, yotiface.SessionExpired, "nothing more comes"},
		{"unknown states", []lifeAnswer{lifeState("CREATED"), lifeState("completed"), lifeState(""), lifeState("DONE"), lifeState("COMPLETED")}, yotiface.SessionCompleted, "they may be new"},
		{"503", append(slices.Repeat([]lifeAnswer{lifeSays(http.StatusServiceUnavailable, "")}, 20), lifeState("COMPLETED")), yotiface.SessionCompleted, "it passes"},
		{
			"all that passes", []lifeAnswer{
				lifeSays(http.StatusRequestTimeout, ""), lifeSays(http.StatusTooManyRequests, ""), lifeSays(http.StatusInternalServerError, ""),
				lifeSays(http.StatusBadGateway, "<html>"), lifeSays(http.StatusGatewayTimeout, ""), lifeState("COMPLETED"),
			}, yotiface.SessionCompleted, "a call would be tried again",
		},
		{
			"broken connections", []lifeAnswer{
				lifeFails(errLifeRefused), lifeFails(errLifeReset), lifeFails(io.EOF), lifeHangs, lifeBroken(`{"session_id":`), lifeState("COMPLETED"),
			}, yotiface.SessionCompleted, "a call would be tried again",
		},
	} {
		for attempts := 1; attempts <= 3; attempts++ {
			t.Run(fmt.Sprint(test.name, ", attempts ", attempts), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					service := &lifeService{answers: test.answers}
					client := newLifeClient(t, service, yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxAttempts: attempts}))
					session, err := client.WaitForSession(t.Context(), "ID1", time.Minute)
					require.NoError(t, err, test.reason)
					assert.Equal(t, test.want, session.State, test.reason)
					assert.Len(t, service.requests, len(test.answers))
				})
			})
		}
	}
}

func TestWaitForSessionHonoursALongerRetryAfter(t *testing.T) {
	t.Parallel()
	lifeKey()
	for _, test := range []struct {
		name       string
		retryAfter string
		attempts   int
		least      time.Duration
		most       time.Duration
		reason     string
	}{
		{"longer", "120", 1, 120 * time.Second, 120 * time.Second, "the service knows best"},
		{"longer, with retries", "120", 3, 120 * time.Second, 120 * time.Second, "more than a retry waits for"},
		{"shorter", "1", 1, 9 * time.Second, 11 * time.Second, "the caller knows best"},
		{"absent", "", 1, 9 * time.Second, 11 * time.Second, "the interval"},
		{"nonsense", "soon", 1, 9 * time.Second, 11 * time.Second, "the interval"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
					service := &lifeService{answers: []lifeAnswer{lifeSays(status, "", "Retry-After", test.retryAfter), lifeState("COMPLETED")}}
					client := newLifeClient(t, service, yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxAttempts: test.attempts}))
					_, err := client.WaitForSession(t.Context(), "ID1", 10*time.Second)
					require.NoError(t, err)
					require.Len(t, service.gaps(), 1)
					assert.GreaterOrEqual(t, service.gaps()[0], test.least, test.reason)
					assert.LessOrEqual(t, service.gaps()[0], test.most, test.reason)
				}
			})
		})
	}
}

func TestWaitForSessionEndsWithWhatDoesNotPass(t *testing.T) {
	t.Parallel()
	lifeKey()
	for _, test := range []struct {
		name   string
		answer lifeAnswer
		want   error
	}{
		{"404", lifeSays(http.StatusNotFound, ""), yotiface.ErrNotFound},
		{"400", lifeSays(http.StatusBadRequest, ""), yotiface.ErrBadRequest},
		{"401", lifeSays(http.StatusUnauthorized, ""), yotiface.ErrUnauthorized},
		{"403", lifeSays(http.StatusForbidden, ""), yotiface.ErrForbidden},
		{"409", lifeSays(http.StatusConflict, ""), yotiface.ErrConflict},
		{"501", lifeSays(http.StatusNotImplemented, ""), yotiface.ErrUnavailable},
		{"204", lifeSays(http.StatusNoContent, ""), yotiface.ErrNoContent},
		{"an unknown authority", lifeFails(x509.UnknownAuthorityError{}), x509.UnknownAuthorityError{}},
		{"another session", lifeSays(http.StatusOK, `{"session_id":"ID2","state":"COMPLETED"}`), nil},
		{"no session", lifeSays(http.StatusOK, `null`), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &lifeService{answers: []lifeAnswer{lifeState("ONGOING"), test.answer, lifeState("COMPLETED")}}
				session, err := newLifeClient(t, service).WaitForSession(t.Context(), "ID1", time.Minute)
				require.Error(t, err)
				assert.Nil(t, session)
				if test.want == nil {
					var unreadable *yotiface.DecodeError
					assert.ErrorAs(t, err, &unreadable)
				} else {
					assert.ErrorIs(t, err, test.want)
				}
				assert.Len(t, service.requests, 2)
			})
		})
	}
}

func TestWaitForSessionEndsWithItsContext(t *testing.T) {
	t.Parallel()
	lifeKey()
	for _, test := range []struct {
		name   string
		answer lifeAnswer
		last   error
	}{
		{"while it is ongoing", lifeState("ONGOING"), nil},
		{"while the service is down", lifeSays(http.StatusServiceUnavailable, `{"code":"DOWN","message":"ID1 is asleep"}`), yotiface.ErrUnavailable},
		{"while nobody answers", lifeFails(errLifeRefused), syscall.ECONNREFUSED},
		{"in the middle of a question", lifeHangs, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
				defer cancel()
				client := newLifeClient(t, &lifeService{answers: []lifeAnswer{test.answer}}, lifeOnce)
				session, err := client.WaitForSession(ctx, "ID1", 10*time.Second)
				assert.Nil(t, session)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				if test.last != nil {
					require.ErrorIs(t, err, test.last, "the last answer")
				}
				var timeout interface{ Timeout() bool }
				require.ErrorAs(t, err, &timeout)
				assert.True(t, timeout.Timeout())
				assert.Equal(t, 25*time.Second, time.Since(start), "not before, and not later")
				assert.NotContains(t, err.Error(), "ID1")

				start = time.Now()
				ctx, cancel = context.WithCancel(t.Context())
				time.AfterFunc(15*time.Second, cancel)
				_, err = client.WaitForSession(ctx, "ID1", 10*time.Second)
				require.ErrorIs(t, err, context.Canceled)
				assert.Equal(t, 15*time.Second, time.Since(start))
			})
		})
	}
}

// lifeNotified is a request as Yoti sends it, changed.
func lifeNotified(t *testing.T, body string, change func(*http.Request)) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/yoti", strings.NewReader(body))
	r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("user:pass:word")))
	r.Header.Set("Content-Type", "application/json")
	if change != nil {
		change(r)
	}
	return r
}

func TestNotificationsAreReadAsDocumented(t *testing.T) {
	t.Parallel()
	auth := yotiface.BasicAuth("user", "pass:word")
	for _, test := range []struct {
		name, body string
		change     func(*http.Request)
		want       yotiface.Notification
	}{
		{"the documented one", `{"session_id":"S","check_id":"C","topic":"check_completion"}`, nil, yotiface.Notification{SessionID: "S", CheckID: "C", Topic: yotiface.TopicCheckCompletion}},
		{"a session", `{"session_id":"S","topic":"session_completion"}`, nil, yotiface.Notification{SessionID: "S", Topic: yotiface.TopicSessionCompletion}},
		{"a task", `{"session_id":"S","task_id":"T","topic":"task_completion"}`, nil, yotiface.Notification{SessionID: "S", TaskID: "T", Topic: yotiface.TopicTaskCompletion}},
		{"a resource", `{"session_id":"S","resource_id":"R","topic":"resource_update"}`, nil, yotiface.Notification{SessionID: "S", ResourceID: "R", Topic: yotiface.TopicResourceUpdate}},
		{"the user has finished", `{"session_id":"S","topic":"client_session_token_deleted"}`, nil, yotiface.Notification{SessionID: "S", Topic: yotiface.TopicClientSessionTokenDeleted}},
		{"a topic in capitals", `{"session_id":"S","topic":"SESSION_COMPLETION"}`, nil, yotiface.Notification{SessionID: "S", Topic: yotiface.TopicSessionCompletion}},
		{"an unknown topic", `{"session_id":"S","topic":"first_branch_visit","mood":"good"}`, nil, yotiface.Notification{SessionID: "S", Topic: "first_branch_visit"}},
		{"no topic", `{"session_id":"S"}`, nil, yotiface.Notification{SessionID: "S"}},
		{"no declared type", `{"session_id":"S"}`, func(r *http.Request) { r.Header.Del("Content-Type") }, yotiface.Notification{SessionID: "S"}},
		{"a type with a charset", `{"session_id":"S"}`, func(r *http.Request) { r.Header.Set("Content-Type", "Application/JSON; charset=utf-8") }, yotiface.Notification{SessionID: "S"}},
		{"a type of its own", `{"session_id":"S"}`, func(r *http.Request) { r.Header.Set("Content-Type", "application/vnd.yoti+json") }, yotiface.Notification{SessionID: "S"}},
		{"a scheme in other case", `{"session_id":"S"}`, func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "Basic", "BASIC", 1))
		}, yotiface.Notification{SessionID: "S"}},
		{"64 KiB", `{"session_id":"S","mood":"` + strings.Repeat("x", 64<<10-len(`{"session_id":"S","mood":""}`)) + `"}`, nil, yotiface.Notification{SessionID: "S"}},
	} {
		got, err := yotiface.ParseNotification(lifeNotified(t, test.body, test.change), auth)
		require.NoError(t, err, test.name)
		assert.Equal(t, test.want, got, test.name)
	}
}

// Each row is wrong in one more way than the status before it tells: the first thing that is wrong decides.
func TestNotificationsThatAreRefused(t *testing.T) {
	t.Parallel()
	header := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = values }
	}
	const good = `{"session_id":"S"}`
	for _, test := range []struct {
		name, body string
		change     func(*http.Request)
		status     int
	}{
		{"no credentials", good, header("Authorization"), 401},
		{"empty credentials", good, header("Authorization", ""), 401},
		{"a scheme alone", good, header("Authorization", "Basic"), 401},
		{"another password", good, header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("user:pass"))), 401},
		{"credentials as they are", good, header("Authorization", "Basic user:pass:word"), 401},
		{"another scheme", good, header("Authorization", "Bearer "+base64.StdEncoding.EncodeToString([]byte("user:pass:word"))), 401},
		{"credentials twice", good, func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }, 401},
		{"wrong altogether", "", func(r *http.Request) {
			r.Header, r.Method = http.Header{"Content-Type": {"text/plain"}}, http.MethodGet
		}, 401},
		{"a GET", "", func(r *http.Request) { r.Method = http.MethodGet; header("Content-Type", "text/plain")(r) }, 405},
		{"a form", good, header("Content-Type", "application/x-www-form-urlencoded"), 415},
		{"a type that is none", strings.Repeat("x", 65<<10), header("Content-Type", "json;;"), 415},
		{"too long", `{"session_id":"S","mood":"` + strings.Repeat("x", 64<<10) + `"}`, nil, 413},
		{"too long, and not declared", `{"session_id":"S"}` + strings.Repeat(" ", 64<<10), func(r *http.Request) { r.ContentLength = -1 }, 413},
		{"a body that breaks off", "", func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(lifeReader{}), -1 }, 400},
		{"no body at all", "", func(r *http.Request) { r.Body = nil }, 400},
		{"an empty body", "", nil, 400},
		{"null", "null", nil, 400},
		{"a list", "[]", nil, 400},
		{"a session ID twice", `{"session_id":"S","session_id":"T"}`, nil, 400},
		{"a number for an ID", `{"session_id":1}`, nil, 400},
		{"no session", `{"topic":"session_completion"}`, nil, 400},
		{"a session that cannot be one", `{"session_id":"../S"}`, nil, 400},
	} {
		got, err := yotiface.ParseNotification(lifeNotified(t, test.body, test.change), yotiface.BasicAuth("user", "pass:word"))
		var refused *yotiface.NotificationError
		require.ErrorAs(t, err, &refused, test.name)
		assert.Equal(t, test.status, refused.StatusCode, test.name)
		assert.Zero(t, got, test.name)
		require.ErrorIs(t, err, refused.Err)
		assert.NotContains(t, err.Error(), "pass")

		handler := yotiface.NewNotificationHandler(yotiface.BasicAuth("user", "pass:word"), func(context.Context, yotiface.Notification) error {
			t.Errorf("handled: %s", test.name)
			return nil
		})
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, lifeNotified(t, test.body, test.change))
		assert.Equal(t, test.status, recorder.Code, test.name)
		assert.Equal(t, "close", recorder.Header().Get("Connection"), test.name)
		assert.Equal(t, map[bool]string{true: "Basic"}[test.status == 401], recorder.Header().Get("WWW-Authenticate"), test.name)
		assert.Equal(t, map[bool]string{true: "POST"}[test.status == 405], recorder.Header().Get("Allow"), test.name)
	}
}

func TestNotificationCredentials(t *testing.T) {
	t.Parallel()
	basic := func(token string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(token)) }
	for _, test := range []struct {
		name   string
		auth   yotiface.NotificationAuth
		header string
		ok     bool
		prints string
	}{
		{"basic", yotiface.BasicAuth("user", "s3cret"), basic("user:s3cret"), true, "yotiface.NotificationAuth{Basic}"},
		{"a token without a colon", yotiface.BasicAuth("s3cret", ""), basic("s3cret"), true, "yotiface.NotificationAuth{Basic}"},
		{"a user without a password", yotiface.BasicAuth("s3cret", ""), basic("s3cret:"), true, "yotiface.NotificationAuth{Basic}"},
		{"a password without a user", yotiface.BasicAuth("", "s3cret"), basic(":s3cret"), true, "yotiface.NotificationAuth{Basic}"},
		{"the password is missing", yotiface.BasicAuth("user", "s3cret"), basic("user"), false, "yotiface.NotificationAuth{Basic}"},
		{"bearer", yotiface.BearerToken("s3cret"), "Bearer s3cret", true, "yotiface.NotificationAuth{Bearer}"},
		{"a token with its scheme", yotiface.BearerToken("Bearer s3cret"), "Bearer s3cret", true, "yotiface.NotificationAuth{Bearer}"},
		{"a token that is its own scheme", yotiface.BearerToken("Bearer s3cret"), "Bearer Bearer s3cret", true, "yotiface.NotificationAuth{Bearer}"},
		{"a token with a scheme too many", yotiface.BearerToken("s3cret"), "Bearer Bearer s3cret", false, "yotiface.NotificationAuth{Bearer}"},
		{"a scheme and no token", yotiface.BearerToken("Bearer "), "Bearer ", false, "yotiface.NotificationAuth{}"},
		{"another token", yotiface.BearerToken("s3cret"), "Bearer S3cret", false, "yotiface.NotificationAuth{Bearer}"},
		{"bearer as basic", yotiface.BearerToken("s3cret"), basic("s3cret"), false, "yotiface.NotificationAuth{Bearer}"},
		{"nothing", yotiface.NotificationAuth{}, "", false, "yotiface.NotificationAuth{}"},
		{"an empty token", yotiface.BearerToken(""), "Bearer ", false, "yotiface.NotificationAuth{}"},
		{"an empty pair", yotiface.BasicAuth("", ""), basic(":"), false, "yotiface.NotificationAuth{}"},
	} {
		_, err := yotiface.ParseNotification(lifeNotified(t, `{"session_id":"S"}`, func(r *http.Request) { r.Header.Set("Authorization", test.header) }), test.auth)
		assert.Equal(t, test.ok, err == nil, test.name)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
			assert.NotContains(t, fmt.Sprintf(verb, test.auth), "s3cret")
		}
		assert.Equal(t, test.prints, fmt.Sprint(test.auth))
		assert.Equal(t, test.prints, test.auth.LogValue().String())
	}
}

func TestNotificationsThatTheHandlerCannotUse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		handle func(context.Context, yotiface.Notification) error
		status int
	}{
		{"taken", func(context.Context, yotiface.Notification) error { return nil }, 200},
		{"failed", func(context.Context, yotiface.Notification) error { return errors.New("WORD") }, 500},
		{"panicked", func(context.Context, yotiface.Notification) error { panic("WORD") }, 500},
		{"aborted", func(context.Context, yotiface.Notification) error { panic(http.ErrAbortHandler) }, 500},
	} {
		recorder := httptest.NewRecorder()
		handler := yotiface.NewNotificationHandler(yotiface.BasicAuth("user", "pass:word"), test.handle)
		handler.ServeHTTP(recorder, lifeNotified(t, `{"session_id":"S"}`, nil))
		assert.Equal(t, test.status, recorder.Code, test.name)
		assert.NotContains(t, recorder.Body.String(), "WORD")
	}
	assert.PanicsWithValue(t, "yotiface: NewNotificationHandler: handle is nil", func() { yotiface.NewNotificationHandler(yotiface.BearerToken("t"), nil) })
}
