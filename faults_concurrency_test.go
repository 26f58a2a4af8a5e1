package yotiface_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

func TestThousandCallersOfOneClient(t *testing.T) {
	t.Parallel()
	const callers = 1000
	server := yotitest.NewServer() // which verifies every signature
	t.Cleanup(server.Close)
	id := server.PutSession([]byte(`{"state":"COMPLETED"}`))
	hc := yotiface.NewOwnHTTPClient(func(*http.Transport) {})
	t.Cleanup(hc.CloseIdleConnections)
	client := server.Client(yotiface.WithHTTPClient(hc))
	start := make(chan struct{})
	var running sync.WaitGroup
	for range callers {
		running.Go(func() {
			<-start
			session, err := client.GetSession(context.Background(), id)
			if assert.NoError(t, err) {
				assert.Equal(t, id, session.ID)
			}
		})
	}
	close(start)
	running.Wait()

	nonces := map[string]bool{}
	requests := server.Requests() // more than callers, where a machine is so busy that attempts time out
	for _, request := range requests {
		nonces[request.Nonce] = true
	}
	assert.Len(t, requests, len(nonces))
	assert.GreaterOrEqual(t, len(nonces), callers)
}

func TestCallersOpenNoMoreConnectionsThanTheyAre(t *testing.T) {
	t.Parallel()
	const callers, calls = 64, 10
	authority := newFaultAuthority(t)
	var conns atomic.Int64
	server := newFaultTLSServer(t, authority.issue(t, x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}), &conns,
		func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, faultBodies[r.Method+" "+strings.TrimPrefix(r.URL.Path, "/idverify/v1")])
		})
	hc := authority.client()
	t.Cleanup(hc.CloseIdleConnections)
	var attempts atomic.Int64
	client := newFaultClient(t, server.URL+"/idverify/v1", yotiface.WithHTTPClient(hc),
		yotiface.WithLogger(slog.New(faultLog{func() { attempts.Add(1) }})))
	start := make(chan struct{})
	var running sync.WaitGroup
	for range callers {
		running.Go(func() {
			<-start
			for range calls {
				_, err := client.GetSession(context.Background(), faultID)
				assert.NoError(t, err)
			}
		})
	}
	close(start)
	running.Wait()
	failed := attempts.Load() - callers*calls // where a machine is so busy that a handshake times out
	assert.LessOrEqual(t, conns.Load(), callers+failed)
	t.Logf("%d calls of %d callers took %d connections", callers*calls, callers, conns.Load())
}

// Whoever finds the route first, all get their applicant and their face, and the choice is made for good.
func TestRouteIsRacedForOverTheWire(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		opts []yotitest.Option
		kept string
	}{
		{"singular", nil, "/applicant/{applicant_id}"},
		{"plural", []yotitest.Option{yotitest.WithPluralRoutes()}, "/applicants/{applicant_id}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := yotitest.NewServer(test.opts...)
			t.Cleanup(server.Close)
			id := server.PutApplicant([]byte(faultImage))
			applicant, err := server.Client().GetApplicant(t.Context(), id)
			require.NoError(t, err)
			faceID, _ := applicant.FaceID()
			for range 5 {
				client := server.Client()
				start := make(chan struct{})
				var running sync.WaitGroup
				for i := range 16 {
					running.Go(func() {
						<-start
						if i%2 == 0 {
							_, err := client.GetApplicant(context.Background(), id)
							assert.NoError(t, err)
						} else {
							_, err := client.GetFace(context.Background(), id, faceID)
							assert.NoError(t, err)
						}
					})
				}
				close(start)
				running.Wait()
				_, err := client.GetApplicant(t.Context(), id)
				require.NoError(t, err)
				requests := server.Requests()
				assert.Equal(t, test.kept, requests[len(requests)-1].Endpoint)
			}
		})
	}
}

// What only reads does not write, not even a cache: the race detector is the judge, and the values the jury.
func TestOneSessionReadByMany(t *testing.T) {
	t.Parallel()
	raw := slices.Concat([]byte(`{"session_id":"`+faultID+`","state":"COMPLETED","checks":[`), readFile(t, "check_match.json"), []byte(","),
		readFile(t, "check_no_match_criteria.json"), []byte(`]}`))
	var session yotiface.Session
	require.NoError(t, json.Unmarshal(raw, &session))
	searches := session.FamiliarFaceSearches()
	require.Len(t, searches, 2)
	read := func() string {
		var b strings.Builder
		fmt.Fprint(&b, session.FaceSearchOutcome(), session, string(session.RawJSON()), session.ChecksOfType("FAMILIAR_FACE_SEARCH"))
		for _, f := range slices.Concat(searches, session.FamiliarFaceSearches()) {
			id, _ := f.MatchingApplicantID()
			pool, _ := f.MatchingPoolID()
			check, ok := session.Check(f.ID)
			fmt.Fprint(&b, f.ApprovalOutcome(), f.Inconsistency(), f.MatchStatus(), f.Matches(), f.MatchingApplicantIDs(), id, pool, f.Explain(), ok, check.ID)
		}
		encoded, err := json.Marshal(session)
		fmt.Fprint(&b, string(encoded), err)
		return b.String()
	}
	want := read()
	assert.NotContains(t, want, "UNDETERMINED")
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			for range 20 {
				assert.Equal(t, want, read())
			}
		})
	}
	running.Wait()
}

func TestWhatIsChangedAfterNewClient(t *testing.T) {
	t.Parallel()
	var requests []*http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assertSigned(t, r, r.RequestURI, "/idverify/v1")
		requests = append(requests, r)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(server.Close)
	key := ownPEM()
	policy := yotiface.RetryPolicy{MaxAttempts: 2, MaxBackoff: time.Millisecond}
	hc := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(hc.CloseIdleConnections)
	opts := []yotiface.Option{
		yotiface.WithBaseURL(server.URL + "/idverify/v1"), yotiface.WithRetryPolicy(policy),
		yotiface.WithHTTPClient(hc), yotiface.WithUserAgent("before/1"),
	}
	client, err := yotiface.NewClient(ownSDKID, key, opts...)
	require.NoError(t, err)

	clear(key)
	policy.MaxAttempts = 9
	opts[0], opts[3] = yotiface.WithBaseURL("https://elsewhere.invalid"), yotiface.WithUserAgent("after/2")
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return errors.New("asked") }
	_, err = client.GetSession(t.Context(), faultID)
	require.ErrorIs(t, err, yotiface.ErrUnavailable)
	assert.Len(t, requests, 2, "no effect: the key, the policy, the options")
	assert.Contains(t, requests[0].UserAgent(), "before/1")

	mocked := 0
	hc.Transport = transportFunc(func(req *http.Request) (*http.Response, error) {
		mocked++
		return reply(req, http.StatusNotFound, ""), nil
	})
	_, err = client.GetSession(t.Context(), faultID)
	require.ErrorIs(t, err, yotiface.ErrNotFound)
	assert.Equal(t, 1, mocked, "an effect, on purpose: a mock on the HTTP client is seen whenever it is put there")
	assert.Len(t, requests, 2)
}

// faultMany are as many applicants as a search hardly ever finds.
func faultMany(n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("applicant-%03d", i))
	}
	return ids
}

func TestManyMatchesAreReadAFewAtATime(t *testing.T) {
	t.Parallel()
	const matches = 100
	var asked, now, most atomic.Int64
	four := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
			continue
		}
		if asked.Add(1) == 4 {
			close(four)
		}
		<-four // so there are as many as that
		id, face, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/applicant/"), "/faces/")
		if face == "" {
			fmt.Fprintf(w, `{"id":%q,"faces":{"archetype_face":"face-of-%s"}}`, id, id)
			return
		}
		assert.Equal(t, "face-of-"+id, face)
		_, _ = io.WriteString(w, faultBodies["GET /applicant/"+faultID+"/faces/"+faultFaceID])
	}))
	t.Cleanup(server.Close)
	faces, err := newFaultClient(t, server.URL).MatchedFaces(t.Context(), matched(faultMany(matches)...))
	require.NoError(t, err)
	require.Len(t, faces, matches)
	for i, face := range faces {
		assert.Equal(t, faultMany(matches)[i], face.ApplicantID, "in order")
		assert.Equal(t, face.ApplicantID, face.Applicant.ID)
		assert.Equal(t, faultImage, string(face.Face.Data))
	}
	assert.EqualValues(t, 4, most.Load(), "and no more")
}

func TestFirstErrorStopsMatchedFaces(t *testing.T) {
	t.Parallel()
	const matches = 300
	var asked, waiting atomic.Int64
	refuse := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 4 {
			close(refuse)
		}
		if strings.HasSuffix(r.URL.Path, "-002") {
			<-refuse
			w.WriteHeader(http.StatusForbidden)
			return
		}
		waiting.Add(1)
		defer waiting.Add(-1)
		<-r.Context().Done() // the others are never answered
	}))
	client := newFaultClient(t, server.URL, yotiface.WithAttemptTimeout(time.Hour))
	faces, err := client.MatchedFaces(t.Context(), matched(faultMany(matches)...))
	assert.Nil(t, faces)
	require.ErrorIs(t, err, yotiface.ErrForbidden, "the cause, and not that the others were cancelled")
	require.NotErrorIs(t, err, context.Canceled)
	assert.EqualValues(t, 4, asked.Load(), "the other 296 are not asked for")
	server.Close() // returns when all requests have ended
	assert.Zero(t, waiting.Load())
}
