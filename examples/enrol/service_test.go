package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

// A service is a Yoti in memory behind a gateway, which sees what nobody else can: every applicant that was ever created,
// and how many requests there are at the same time. What a gateway does not change is what was signed.
type service struct {
	*yotitest.Server
	gateway *httptest.Server
	client  *yotiface.Client

	mu       sync.Mutex
	faceless [][]byte // images in which the service sees no face, in base64
	created  []string // applicant IDs
	inFlight int
	peak     int

	peep hook
}

// A hook is called at the moments of a request. If it returns false, the gateway hangs up.
type hook func(moment, *http.Request) bool

type moment int

const (
	arrived moment = iota
	carriedOut
	answered
)

func newService(tb testing.TB) *service {
	tb.Helper()
	s := &service{Server: yotitest.NewServer()}
	s.gateway = httptest.NewServer(http.HandlerFunc(s.serve))
	s.client = s.Client()
	tb.Cleanup(func() {
		s.Close() // first: it may have requests that it never answers
		s.gateway.Close()
	})
	return s
}

// watch makes the gateway call a hook from now on.
func (s *service) watch(h hook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peep = h
}

func (s *service) hook(m moment, r *http.Request) bool {
	s.mu.Lock()
	h := s.peep
	s.mu.Unlock()
	return h == nil || h(m, r)
}

// url is the base URL of the API behind the gateway.
func (s *service) url() string {
	base, _ := url.Parse(s.URL())
	return s.gateway.URL + base.Path
}

// account is one that goes through the gateway.
func (s *service) account(tb testing.TB, set settings) *account {
	tb.Helper()
	client, err := yotiface.NewClient(s.SDKID(), s.KeyPEM(), append(set.options(), yotiface.WithBaseURL(s.url()))...)
	require.NoError(tb, err)
	return &account{client, s.SDKID(), func() {}}
}

func (s *service) serve(w http.ResponseWriter, r *http.Request) {
	s.enter()
	defer s.leave()
	body, err := io.ReadAll(r.Body)
	if err != nil || !s.hook(arrived, r) {
		panic(http.ErrAbortHandler)
	}
	// Whoever sent it may be dead by now. That does not stop a request.
	header, status, answer, err := s.forward(context.WithoutCancel(r.Context()), r, body)
	if err != nil || !s.hook(carriedOut, r) {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), header)
	w.WriteHeader(status)
	_, _ = w.Write(answer)
	_ = http.NewResponseController(w).Flush()
	if !s.hook(answered, r) {
		panic(http.ErrAbortHandler)
	}
}

func (s *service) forward(ctx context.Context, r *http.Request, body []byte) (header http.Header, status int, answer []byte, err error) {
	if s.isFaceless(body) {
		return nil, http.StatusUnprocessableEntity, []byte(`{"code":"NO_FACE","message":"there is no face in this"}`), nil
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, strings.TrimSuffix(s.URL(), "/idverify/v1")+r.RequestURI, bytes.NewReader(body))
	if err != nil {
		return nil, 0, nil, err
	}
	request.Header = r.Header
	resp, err := s.HTTPClient().Do(request)
	if err != nil {
		return nil, 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	if isCreation(r) && resp.StatusCode == http.StatusCreated {
		var applicant struct{ ID string }
		err = errors.Join(err, json.Unmarshal(answer, &applicant))
		s.mu.Lock()
		s.created = append(s.created, applicant.ID)
		s.mu.Unlock()
	}
	return resp.Header, resp.StatusCode, answer, err
}

func isCreation(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/v1/applicants")
}

// refuse makes the service see no face in these images, and in no others.
func (s *service) refuse(images ...[]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faceless = nil
	for _, data := range images {
		s.faceless = append(s.faceless, base64.StdEncoding.AppendEncode(nil, data))
	}
}

// isFaceless reports whether a request brings such an image.
func (s *service) isFaceless(body []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.faceless, func(data []byte) bool { return bytes.Contains(body, data) })
}

func (s *service) enter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight++
	s.peak = max(s.peak, s.inFlight)
}

func (s *service) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight--
}

// census is who the service knows, as its own answers tell.
type census struct {
	enrolled map[string][]string // applicant IDs in the pool, by the hash of their only face
	empty    int                 // applicants without a face and in no pool
	odd      []string            // what should not be
}

// everybody returns the IDs of all applicants that were ever created.
func (s *service) everybody() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.created)
}

// count asks for every applicant that was created since.
func (s *service) count(tb testing.TB, pool string, since int) census {
	tb.Helper()
	c := census{enrolled: map[string][]string{}}
	for _, id := range s.everybody()[since:] {
		applicant, err := s.client.GetApplicant(tb.Context(), id)
		if errors.Is(err, yotiface.ErrNotFound) {
			continue // deleted
		}
		require.NoError(tb, err)
		faces := applicant.FaceIDs()
		switch {
		case len(faces) == 0 && len(applicant.Pools) == 0:
			c.empty++
		case len(faces) == 1 && len(applicant.Pools) == 1 && applicant.Pools[0].ID == pool:
			face, err := s.client.GetFace(tb.Context(), id, faces[0])
			require.NoError(tb, err)
			hash := hashOf(face.Data)
			c.enrolled[hash] = append(c.enrolled[hash], id)
		default:
			c.odd = append(c.odd, fmt.Sprintf("an applicant with %d faces in %d pools", len(faces), len(applicant.Pools)))
		}
	}
	return c
}

// requireOnce requires that each of the images has exactly one applicant in the pool, and that nobody else is there.
func (c census) requireOnce(tb testing.TB, images [][]byte) {
	tb.Helper()
	want := map[string]bool{}
	for _, data := range images {
		want[hashOf(data)] = true
	}
	require.Empty(tb, c.odd)
	require.ElementsMatch(tb, slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(c.enrolled)))
	for _, ids := range c.enrolled {
		require.Len(tb, ids, 1, "nobody is enrolled twice")
	}
}
