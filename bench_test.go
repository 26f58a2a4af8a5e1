package yotiface_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getyoti/yoti-go-sdk/v3/docscan"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
)

// What a call costs, beside what it cannot cost less than: the signature that the protocol demands, and one exchange over
// HTTP. Only ratios are asserted, and only of memory; times are for the reader of a benchmark.

// benchBoth returns one call of the library, and its floor: the same bytes signed and exchanged with nothing around.
func benchBoth(tb testing.TB) (library, floor func()) {
	tb.Helper()
	body := readFile(tb, "session_completed.json")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body)
	}))
	client := readNewClient(tb, yotiface.WithBaseURL(server.URL+"/idverify/v1"))
	tb.Cleanup(func() {
		client.CloseIdleConnections()
		server.Close()
	})
	block, _ := pem.Decode(readKeyPEM())
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	require.NoError(tb, err)
	bare := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 10}}

	library = func() {
		session, err := client.GetSession(tb.Context(), readSessionID)
		if err != nil || session.State != yotiface.SessionCompleted {
			tb.Fatal(session, err)
		}
	}
	floor = func() {
		path := fmt.Sprintf("/sessions/%s?sdkId=%s&nonce=244822f1-9a7c-4f7d-b1ba-5f8b8d5c473b&timestamp=%d", readSessionID, readSDKID, time.Now().UnixMilli())
		digest := sha256.Sum256([]byte("GET&" + path))
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
		if err != nil {
			tb.Fatal(err)
		}
		req, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, server.URL+"/idverify/v1"+path, http.NoBody)
		if err != nil {
			tb.Fatal(err)
		}
		req.Header = http.Header{
			"Accept": {"application/json"}, "User-Agent": {"yotiface/" + yotiface.Version}, "X-Yoti-SDK": {"Go"}, "X-Yoti-SDK-Version": {"3.9.0"},
			"X-Yoti-Auth-Digest": {base64.StdEncoding.EncodeToString(signature)},
		}
		resp, err := bare.Do(req)
		if err != nil {
			tb.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		if err != nil || len(got) != len(body) {
			tb.Fatal(len(got), err)
		}
		_ = resp.Body.Close()
	}
	library() // both have a connection now
	floor()
	return library, floor
}

func BenchmarkGetSession(b *testing.B) {
	library, _ := benchBoth(b)
	b.ReportAllocs()
	for b.Loop() {
		library()
	}
}

func BenchmarkFloor(b *testing.B) {
	_, floor := benchBoth(b)
	b.ReportAllocs()
	for b.Loop() {
		floor()
	}
}

// BenchmarkShare makes one call and one floor in turns, so that both meet the same noise, and reports the library's own
// share of a call, by the medians.
func BenchmarkShare(b *testing.B) {
	library, floor := benchBoth(b)
	var calls, floors []time.Duration
	took := func(f func()) time.Duration {
		start := time.Now()
		f()
		return time.Since(start)
	}
	for b.Loop() {
		calls, floors = append(calls, took(library)), append(floors, took(floor))
	}
	slices.Sort(calls)
	slices.Sort(floors)
	call, least := calls[len(calls)/2], floors[len(floors)/2]
	b.ReportMetric(float64(call.Microseconds()), "µs/call")
	b.ReportMetric(float64(least.Microseconds()), "µs/floor")
	b.ReportMetric(100*float64(call-least)/float64(call), "%own")
}

// benchFaceSize is the size of a large image.
const benchFaceSize = 5 << 20

// benchFace is a client of a service in memory that answers with an image, so that only what the client allocates counts.
func benchFace(tb testing.TB, image []byte) *yotiface.Client {
	tb.Helper()
	body := readFaceJSON(image)
	return benchAnswer(tb, body, int64(len(body)))
}

// benchAnswer is a client of a service that gives one answer, and says what it likes about its length.
func benchAnswer(tb testing.TB, body []byte, declared int64) *yotiface.Client {
	tb.Helper()
	return readClient(tb, readTrip(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: declared, Request: req}, nil
	}))
}

func BenchmarkGetFace5MB(b *testing.B) {
	client := benchFace(b, readJPEG(benchFaceSize))
	benchMemory(b, func() {
		face, err := client.GetFace(b.Context(), readApplicantID, readFaceID)
		if err != nil || len(face.Data) != benchFaceSize {
			b.Fatal(face, err)
		}
	})
}

func BenchmarkDownloadFace5MB(b *testing.B) {
	client := benchFace(b, readJPEG(benchFaceSize))
	benchMemory(b, func() {
		info, err := client.DownloadFace(b.Context(), readApplicantID, readFaceID, io.Discard)
		if err != nil || info.Size != benchFaceSize {
			b.Fatal(info, err)
		}
	})
}

// benchMemory reports what a call allocates as a multiple of the image.
func benchMemory(b *testing.B, call func()) {
	b.Helper()
	b.SetBytes(benchFaceSize)
	b.ReportAllocs()
	var calls uint64
	allocated := readAllocated(func() {
		for b.Loop() {
			call()
			calls++
		}
	})
	b.ReportMetric(float64(allocated)/float64(calls)/benchFaceSize, "images/op")
}

func BenchmarkApprovalOutcome(b *testing.B) {
	search := benchSearch(b)
	b.ReportAllocs()
	for b.Loop() {
		if search.ApprovalOutcome() != yotiface.OutcomeRejected {
			b.Fatal("not rejected")
		}
	}
}

func benchSearch(tb testing.TB) *yotiface.FamiliarFaceSearch {
	tb.Helper()
	search := new(yotiface.FamiliarFaceSearch)
	require.NoError(tb, json.Unmarshal(readFile(tb, "check_no_match_criteria.json"), search))
	return search
}

func BenchmarkDecodeSession(b *testing.B) {
	body := readFile(b, "session_completed.json")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var session yotiface.Session
		if err := session.UnmarshalJSON(body); err != nil {
			b.Fatal(err)
		}
	}
}

// A face whose length is declared costs one allocation of its own size, and next to nothing beside it.
func TestGetFaceAllocatesTheImageOnce(t *testing.T) { //nolint:paralleltest // it counts the bytes that the process allocates
	image := readJPEG(benchFaceSize)
	client := benchFace(t, image)
	var face *yotiface.Face
	get := func() {
		var err error
		face, err = client.GetFace(t.Context(), readApplicantID, readFaceID)
		require.NoError(t, err)
	}
	get() // what is made once for the process
	times := float64(readAllocated(get)) / benchFaceSize
	assert.True(t, bytes.Equal(image, face.Data))
	assert.LessOrEqual(t, times, 1.05, "times the image")
	assert.LessOrEqual(t, cap(face.Data), benchFaceSize+benchFaceSize/100, "what is kept")
}

// A face whose length is not declared, as where it was compressed, costs a few times its size.
func TestGetFaceAllocatesLittleWithoutALength(t *testing.T) { //nolint:paralleltest // it counts the bytes that the process allocates
	client := benchAnswer(t, readFaceJSON(readJPEG(benchFaceSize)), -1)
	get := func() {
		face, err := client.GetFace(t.Context(), readApplicantID, readFaceID)
		require.NoError(t, err)
		require.Len(t, face.Data, benchFaceSize)
		require.Less(t, cap(face.Data), 5*benchFaceSize/2, "what is kept")
	}
	get()
	assert.LessOrEqual(t, float64(readAllocated(get))/benchFaceSize, 4.0, "times the image")
}

// A download needs the same few kilobytes, whatever the size.
func TestDownloadFaceAllocatesNoImage(t *testing.T) { //nolint:paralleltest // it counts the bytes that the process allocates
	for _, size := range []int{100 << 10, benchFaceSize} {
		client := benchFace(t, readJPEG(size))
		download := func() {
			info, err := client.DownloadFace(t.Context(), readApplicantID, readFaceID, io.Discard)
			require.NoError(t, err)
			require.EqualValues(t, size, info.Size)
		}
		download()
		assert.Less(t, readAllocated(download), uint64(64<<10), "%d bytes of image", size)
	}
}

// Enrolment costs the base64 of an image, which is four thirds of it, and not much beside that.
func TestEnrolmentAllocatesTheImageOnce(t *testing.T) { //nolint:paralleltest // it counts the bytes that the process allocates
	image := readJPEG(benchFaceSize)
	client := readClient(t, readTrip(func(req *http.Request) (*http.Response, error) {
		if n, err := io.Copy(io.Discard, req.Body); err != nil || n < benchFaceSize {
			t.Error(n, err)
		}
		return reply(req, http.StatusCreated, `{"id":"`+readApplicantID+`"}`), nil
	}))
	enrol := func() {
		_, err := client.CreateApplicantWithFace(t.Context(), image)
		require.NoError(t, err)
	}
	enrol()
	assert.LessOrEqual(t, float64(readAllocated(enrol))/benchFaceSize, 1.5, "times the image")
}

// A call allocates little more than its floor does: no buffer, for one, for a body that it does not send.
func TestGetSessionAllocatesLittleMoreThanItsFloor(t *testing.T) { //nolint:paralleltest // it counts the bytes that the process allocates
	library, floor := benchBoth(t)
	const times = 100
	per := func(call func()) float64 {
		return float64(readAllocated(func() {
			for range times {
				call()
			}
		})) / times
	}
	assert.Less(t, per(library)-per(floor), float64(16<<10), "bytes for a call")
}

// Beside the official client a call costs half of the allocations, and two thirds of the bytes.
func TestGetSessionAllocatesLessThanTheOfficialClient(t *testing.T) { //nolint:paralleltest // testing.AllocsPerRun counts for the process
	body := readFile(t, "session_completed.json")
	answer := readTrip(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: req}, nil
	})
	client := readClient(t, answer)
	official, err := docscan.NewClient(readSDKID, readKeyPEM())
	require.NoError(t, err)
	official.HTTPClient = &http.Client{Transport: answer}

	ours := func() {
		_, err := client.GetSession(t.Context(), readSessionID)
		require.NoError(t, err)
	}
	theirs := func() {
		_, err := official.GetSession(readSessionID)
		require.NoError(t, err)
	}
	const calls = 20
	assert.Less(t, testing.AllocsPerRun(calls, ours)/testing.AllocsPerRun(calls, theirs), 0.5)
	allocated := func(call func()) float64 {
		return float64(readAllocated(func() {
			for range calls {
				call()
			}
		}))
	}
	assert.Less(t, allocated(ours)/allocated(theirs), 0.7)
}

// A session costs a few times its bytes, however its length is declared, and not what is declared and does not come.
func TestGetSessionAllocatesByWhatArrives(t *testing.T) { //nolint:paralleltest // it counts the bytes that the process allocates
	large := `{"session_id":"` + readSessionID + `","state":"COMPLETED","user_tracking_id":"` + strings.Repeat("x", 2<<20) + `"}`
	small := `{"session_id":"` + readSessionID + `"}`
	for _, test := range []struct {
		name, body string
		declared   int64
		most       int // bytes
	}{
		{"declared", large, int64(len(large)), 4 * len(large)},
		{"not declared, as where it was compressed", large, -1, 5 * len(large)},
		{"30 MiB are declared and a few bytes come", small, 30 << 20, 4 << 20},
	} {
		client := benchAnswer(t, []byte(test.body), test.declared)
		get := func() {
			_, err := client.GetSession(t.Context(), readSessionID)
			require.NoError(t, err)
		}
		get()
		assert.Less(t, readAllocated(get), uint64(test.most), test.name)
	}
}

// To judge a search costs no memory, however often it is asked for.
func TestVerdictAllocatesNothing(t *testing.T) { //nolint:paralleltest // testing.AllocsPerRun counts for the process
	search := benchSearch(t)
	for name, judge := range map[string]func(){
		"ApprovalOutcome": func() { search.ApprovalOutcome() },
		"Inconsistency":   func() { _ = search.Inconsistency() },
		"MatchStatus":     func() { search.MatchStatus() },
	} {
		assert.Zero(t, testing.AllocsPerRun(100, judge), name)
	}
}

// To read a session costs a few times its JSON, which it keeps.
func TestDecodeSessionAllocatesLittle(t *testing.T) { //nolint:paralleltest // testing.AllocsPerRun counts for the process
	body := readFile(t, "session_completed.json")
	decode := func() {
		var session yotiface.Session
		require.NoError(t, session.UnmarshalJSON(body))
	}
	decode()
	assert.Less(t, testing.AllocsPerRun(100, decode), 150.0, "allocations; the official types take 194 for less")
	const times = 100
	allocated := readAllocated(func() {
		for range times {
			decode()
		}
	})
	assert.Less(t, float64(allocated)/times/float64(len(body)), 6.0, "times the JSON")
}
