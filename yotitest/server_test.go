package yotitest_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

func TestServerServesASessionByteForByte(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	session := []byte(" {\n\t\"checks\" : [1.50, \"\\u0041\"], \"session_id\":\"7938ac1e\",\"checks\":null } \n")
	id := server.PutSession(session)
	assert.Equal(t, "7938ac1e", id)

	resp := get(t, server, "/sessions/7938ac1e")
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
	assert.Equal(t, strconv.Itoa(len(session)), resp.Header.Get("Content-Length"))
	assert.Equal(t, session, resp.body)
}

func TestServerKeepsItsOwnCopies(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	session, data := []byte(`{"session_id":"a"}`), []byte("data")
	id, mediaID := server.PutSession(session), server.PutMedia("a", "text/plain", data)
	clear(session)
	clear(data)
	assert.JSONEq(t, `{"session_id":"a"}`, string(get(t, server, "/sessions/"+id).body))
	assert.Equal(t, "data", string(get(t, server, "/sessions/a/media/"+mediaID+"/content").body))
}

func TestPutSessionPutsInAnIDWhereThereIsNone(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for session, want := range map[string]string{
		`{}`:                    `{"session_id":"ID"}`,
		` { "state": "DONE" } `: ` {"session_id":"ID", "state": "DONE" } `,
		`{"SESSION_ID":"x"}`:    `{"session_id":"ID","SESSION_ID":"x"}`,
	} {
		id := server.PutSession([]byte(session))
		assert.Len(t, id, 36)
		assert.Equal(t, strings.Replace(want, "ID", id, 1), string(get(t, server, "/sessions/"+id).body))
	}
}

func TestPutSessionReplacesTheSessionWithTheSameID(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.PutSession([]byte(`{"session_id":"a","state":"ONGOING"}`))
	server.PutSession([]byte(`{"session_id":"a","state":"COMPLETED"}`))
	assert.Contains(t, string(get(t, server, "/sessions/a").body), "COMPLETED")
}

func TestPutSessionPanicsOnWhatIsNoSession(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for _, session := range []string{``, `{`, `null`, `[]`, `"{}"`, `{}{}`, `{"session_id":""}`, `{"session_id":1}`, `{"session_id":null}`} {
		func() {
			defer func() { assert.Contains(t, fmt.Sprint(recover()), "yotitest: PutSession: not a", "%s", session) }()
			server.PutSession([]byte(session))
		}()
	}
}

func TestServerServesApplicantsAndTheirFaces(t *testing.T) {
	t.Parallel()
	png, gif := []byte("\x89PNG\r\n\x1a\n…"), []byte("GIF89a…")
	routes := map[string]struct {
		opts      []yotitest.Option
		on, other string
	}{
		"singular": {nil, "/applicant/", "/applicants/"},
		"plural":   {[]yotitest.Option{yotitest.WithPluralRoutes()}, "/applicants/", "/applicant/"},
	}
	for name, route := range routes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(t, route.opts...)
			id := server.PutApplicant(png, gif)

			var applicant struct {
				ID    string
				Faces struct {
					ArchetypeFace string `json:"archetype_face"`
					Faces         []struct{ ID string }
				}
				Pools []any
			}
			resp := get(t, server, route.on+id)
			require.NoError(t, json.Unmarshal(resp.body, &applicant))
			assert.Equal(t, id, applicant.ID)
			require.Len(t, applicant.Faces.Faces, 2)
			assert.Equal(t, applicant.Faces.ArchetypeFace, applicant.Faces.Faces[0].ID)
			assert.NotNil(t, applicant.Pools)

			for i, want := range []string{
				`{"face":{"data":"iVBORw0KGgrigKY=","content_type":"image/png"}}`,
				`{"face":{"data":"R0lGODlh4oCm","content_type":"image/gif"}}`,
			} {
				resp := get(t, server, route.on+id+"/faces/"+applicant.Faces.Faces[i].ID)
				assert.JSONEq(t, want, string(resp.body))
				assert.Equal(t, strconv.Itoa(len(resp.body)), resp.Header.Get("Content-Length"))
			}

			for _, off := range []string{route.other + id, route.other + id + "/faces/" + applicant.Faces.ArchetypeFace} {
				assert.Equal(t, http.StatusNotFound, get(t, server, off).StatusCode)
			}
			endpoint := server.Requests()[3].Endpoint
			assert.Equal(t, route.other+"{applicant_id}", endpoint, "a path that is not served has its template all the same")
		})
	}
}

func TestAnApplicantMayHaveNoFace(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	id := server.PutApplicant()
	assert.JSONEq(t, `{"id":"`+id+`","faces":{"faces":[]},"pools":[]}`, string(get(t, server, "/applicant/"+id).body))
}

func TestServerServesMediaAsTheyWerePut(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for _, contentType := range []string{"image/jpeg", "application/json; charset=utf-8", "nonsense", ""} {
		id := server.PutMedia("session", contentType, []byte("<html>"))
		resp := get(t, server, "/sessions/session/media/"+id+"/content")
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		assert.Equal(t, contentType, resp.Header.Get("Content-Type"))
		assert.Equal(t, "6", resp.Header.Get("Content-Length"))
		assert.Equal(t, "<html>", string(resp.body))
	}
	id := server.PutMedia("session", "image/jpeg", nil)
	assert.Equal(t, http.StatusNoContent, get(t, server, "/sessions/session/media/"+id+"/content").StatusCode)
}

func TestServerKnowsOnlyWhatWasPut(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	mediaID := server.PutMedia(server.PutSession([]byte(`{"session_id":"a"}`)), "image/jpeg", []byte("x"))
	applicantID := server.PutApplicant([]byte("face"))
	for _, path := range []string{
		"/sessions/b",
		"/sessions/A",
		"/sessions/a%20",
		"/sessions/",
		"/sessions/a/",
		"/sessions//media/x/content",
		"/sessions/b/media/" + mediaID + "/content",
		"/sessions/a/media/b/content",
		"/sessions/a/media/" + mediaID,
		"/applicant/b",
		"/applicant/b/faces/c",
		"/applicant/" + applicantID + "/faces/c",
		"/applicant/" + applicantID + "/faces",
		"/nonsense",
		"/",
		"/../sessions/a",
	} {
		resp := get(t, server, path)
		assert.Equalf(t, http.StatusNotFound, resp.StatusCode, path)
		assert.Equalf(t, "NOT_FOUND", resp.code(t), path)
	}
}

func TestServerSaysWhichMethodsAnEndpointHas(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	resp := send(t, server, newRequest(t.Context(), t, server, http.MethodPut, "/sessions/a"))
	assert.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode)
	assert.Equal(t, "METHOD_NOT_ALLOWED", resp.code(t))
	assert.Contains(t, resp.Header.Get("Allow"), http.MethodGet)
}

func TestServerIsNowhereButBelowItsBasePath(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.PutSession([]byte(`{"session_id":"a"}`))
	root := strings.TrimSuffix(server.URL(), "/idverify/v1")
	require.NotEqual(t, server.URL(), root)
	for _, path := range []string{"/sessions/a", "/idverify/v1sessions/a", "/idverify/v1", "/idverify/v2/sessions/a"} {
		r := newRequest(t.Context(), t, server, http.MethodGet, "/sessions/a")
		moved, err := http.NewRequestWithContext(t.Context(), r.Method, root+path+"?"+r.URL.RawQuery, http.NoBody)
		require.NoError(t, err)
		moved.Header = r.Header
		assert.Equalf(t, http.StatusNotFound, send(t, server, moved).StatusCode, path)
	}
}

func TestRequestsAreListedInOrder(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.PutSession([]byte(`{"session_id":"a"}`))
	start := time.Now()
	signed := newRequest(t.Context(), t, server, http.MethodGet, "/sessions/a")
	send(t, server, signed)
	get(t, server, "/sessions/a/media/b/content")
	unsigned, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL()+"/applicant/b/faces/c?nonce=n", http.NoBody)
	require.NoError(t, err)
	send(t, server, unsigned)
	get(t, server, "/nonsense")

	requests := server.Requests()
	require.Len(t, requests, 4)
	assert.Equal(t, signed.URL.Query().Get("nonce"), requests[0].Nonce)
	assert.Equal(t, "n", requests[2].Nonce)
	for i, want := range []yotitest.Request{
		{Method: "GET", Endpoint: "/sessions/{session_id}", Status: 200},
		{Method: "GET", Endpoint: "/sessions/{session_id}/media/{media_id}/content", Status: 404},
		{Method: "POST", Endpoint: "/applicant/{applicant_id}/faces/{face_id}", Status: 400},
		{Method: "GET", Endpoint: "/nonsense", Status: 404},
	} {
		assert.WithinRange(t, requests[i].Time, start, time.Now())
		want.Time, want.Nonce = requests[i].Time, requests[i].Nonce
		assert.Equal(t, want, requests[i])
	}

	requests[0].Method = "changed"
	assert.Equal(t, "GET", server.Requests()[0].Method, "the list is a copy")
}

func TestServersThatAreOpenShareNothing(t *testing.T) {
	t.Parallel()
	one, other := newServer(t), newServer(t)
	assert.NotEqual(t, one.URL(), other.URL())
	assert.NotEqual(t, one.SDKID(), other.SDKID())
	assert.NotEqual(t, one.KeyPEM(), other.KeyPEM())

	block, rest := pem.Decode(one.KeyPEM())
	require.Empty(t, rest)
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	require.NoError(t, err)
	assert.Equal(t, 2048, key.N.BitLen())
}

func TestClientAsksTheServer(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]yotitest.Option{
		"http":  nil,
		"https": {yotitest.WithTLS()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(t, opts...)
			assert.True(t, strings.HasPrefix(server.URL(), name+"://"))
			id := server.PutSession([]byte(`{"state":"COMPLETED"}`))
			session, err := server.Client().GetSession(t.Context(), id)
			require.NoError(t, err)
			assert.Equal(t, yotiface.SessionCompleted, session.State)
			assert.Equal(t, http.StatusOK, get(t, server, "/sessions/"+id).StatusCode)
		})
	}
}

func TestClientTakesOptions(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.Inject(yotitest.Status(http.StatusServiceUnavailable))
	client := server.Client(yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxAttempts: 1}))
	_, err := client.GetSession(t.Context(), "a")
	require.ErrorIs(t, err, yotiface.ErrUnavailable)
	assert.Panics(t, func() { server.Client(yotiface.WithBaseURL("nonsense")) })
}

func TestOnlyItsClientsTrustAServerWithTLS(t *testing.T) {
	t.Parallel()
	server := newServer(t, yotitest.WithTLS())
	client := server.Client(yotiface.WithHTTPClient(&http.Client{Transport: &http.Transport{}}))
	_, err := client.GetSession(t.Context(), "a")
	_, untrusted := errorAs[x509.UnknownAuthorityError](err)
	assert.Truef(t, untrusted, "%v", err)
}

func TestServerMayBeUsedByManyAtOnce(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 8 {
				id := server.PutSession(fmt.Appendf(nil, `{"session_id":"%d-%d"}`, i, j))
				server.Inject(yotitest.Status(http.StatusTeapot).On(http.MethodGet, "/applicant/{applicant_id}"))
				applicantID := server.PutApplicant([]byte("face"))
				mediaID := server.PutMedia(id, "text/plain", []byte(id))
				assert.Equal(t, http.StatusOK, get(t, server, "/sessions/"+id).StatusCode)
				assert.Equal(t, id, string(get(t, server, "/sessions/"+id+"/media/"+mediaID+"/content").body))
				assert.Equal(t, http.StatusTeapot, get(t, server, "/applicant/"+applicantID).StatusCode)
				assert.NotEmpty(t, server.Requests())
			}
		})
	}
	wg.Wait()
	nonces := make(map[string]bool)
	for _, r := range server.Requests() {
		nonces[r.Nonce] = true
	}
	assert.Len(t, nonces, 8*8*3)
}

func TestCloseMayBeCalledAgain(t *testing.T) {
	t.Parallel()
	server := yotitest.NewServer()
	url := server.URL()
	server.Close()
	server.Close()
	assert.Equal(t, url, server.URL())
	assert.Empty(t, server.Requests())
}
