package yotiface

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Hundreds of matches do not become hundreds of requests at the same time, and come back in their order.
func TestMatchedFacesAreFetchedAFewAtATime(t *testing.T) {
	t.Parallel()
	const matches = 300
	connectionsKey() // outside of the bubble
	synctest.Test(t, func(t *testing.T) {
		var now, most, all atomic.Int64
		client := connectionsClient(t, "http://localhost", roundTripFunc(func(req *http.Request) (*http.Response, error) {
			n := now.Add(1)
			defer now.Add(-1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			all.Add(1)
			time.Sleep(time.Second) // of the bubble's time: all that are asked at the same time are here now
			_, rest, _ := strings.Cut(req.URL.Path, "/applicant/")
			id, _, face := strings.Cut(rest, "/faces/")
			body := fmt.Sprintf(`{"id":%q,"faces":{"archetype_face":"f"}}`, id)
			if face {
				body = fmt.Sprintf(`{"face":{"data":%q}}`, base64.StdEncoding.EncodeToString([]byte("\xff\xd8\xff"+id)))
			}
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1, Request: req}, nil
		}))
		search := new(FamiliarFaceSearch)
		for i := range matches {
			search.Report.Breakdown = append(search.Report.Breakdown, SubCheck{Details: []Detail{{Name: "matching_applicant", Value: fmt.Sprint("applicant-", i)}}})
		}
		start := time.Now()
		got, err := client.MatchedFaces(t.Context(), search)
		require.NoError(t, err)
		require.Len(t, got, matches)
		for i, face := range got {
			want := fmt.Sprint("applicant-", i)
			if face.ApplicantID != want || face.Applicant.ID != want || string(face.Face.Data) != "\xff\xd8\xff"+want {
				t.Fatalf("number %d is %q, with the face of %q", i, face.ApplicantID, face.Face.Data)
			}
		}
		assert.EqualValues(t, 2*matches, all.Load(), "an applicant and a face each")
		assert.EqualValues(t, matchedAtOnce, most.Load(), "at the same time")
		assert.LessOrEqual(t, matchedAtOnce, 8, "a few")
		assert.Equal(t, 2*matches/matchedAtOnce*time.Second, time.Since(start), "without a pause in between")
	})
}
