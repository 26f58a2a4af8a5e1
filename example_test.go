package yotiface_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

// The demo world stands for Yoti here; with an account it is yotiface.NewClientFromEnv() and nothing else changes.
func Example() {
	demo := yotitest.Demo()
	defer demo.Close()
	ctx, client := context.Background(), demo.Client()

	session, err := client.GetSession(ctx, demo.Sessions[0].ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.FaceSearchOutcome())
	for _, search := range session.FamiliarFaceSearches() {
		fmt.Println(search.Explain())
		faces, err := client.MatchedFaces(ctx, search)
		if err != nil {
			log.Fatal(err)
		}
		for i, m := range faces {
			if m.Face != nil { // nil: the applicant has no face any more
				fmt.Println("match", i+1, m.Face.ContentType)
			}
		}
	}
	// Output:
	// REJECTED
	// Rejected: Yoti recommends rejection under the criterion NO_MATCH, and the face was found in the pool "POOL EXAMPLE"; let a person compare the faces before acting on it.
	// match 1 image/jpeg
}

// A wrapper around the package's own transport sees every attempt. It must not record the URL, which has IDs in it.
func ExampleTransport() {
	demo := yotitest.Demo()
	defer demo.Close()
	demo.Inject(yotitest.Status(http.StatusServiceUnavailable))

	watched := transportFunc(func(req *http.Request) (*http.Response, error) {
		resp, err := yotiface.Transport().RoundTrip(req)
		if err == nil {
			fmt.Println(req.Method, resp.StatusCode)
		}
		return resp, err
	})
	client := demo.Client(yotiface.WithHTTPClient(&http.Client{Transport: watched}))
	if _, err := client.GetSession(context.Background(), demo.Sessions[0].ID); err != nil {
		log.Fatal(err)
	}
	// Output:
	// GET 503
	// GET 200
}

func ExampleNewClient() {
	server := yotitest.NewServer()
	defer server.Close()

	client, err := yotiface.NewClient(server.SDKID(), server.KeyPEM(), // the contents of the .pem file
		yotiface.WithBaseURL(server.URL()), // without it, Yoti's production service
		yotiface.WithAttemptTimeout(20*time.Second),
		yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxAttempts: 2}), // the rest keeps its default
		yotiface.WithMaxResponseBytes(8<<20),
		yotiface.WithUserAgent("acme-casino/1.2"),
		yotiface.WithHTTPClient(&http.Client{Timeout: time.Minute}),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.CloseIdleConnections()
	_, err = client.GetSession(context.Background(), "no-such-session")
	fmt.Println(errors.Is(err, yotiface.ErrNotFound))

	_, err = yotiface.NewClient(server.SDKID(), []byte("/etc/yoti/key.pem"))
	fmt.Println(err)
	// Output:
	// true
	// yotiface: invalid argument: this looks like the path of a key; pass the contents of the file
}

func ExampleNewClientFromEnv() {
	server := yotitest.NewServer()
	defer server.Close()
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	keyFile := filepath.Join(folder, "key.pem")
	if err := os.WriteFile(keyFile, server.KeyPEM(), 0o600); err != nil {
		log.Print(err)
		return
	}

	for name, value := range map[string]string{
		"YOTI_CLIENT_SDK_ID":    server.SDKID(),
		"YOTI_KEY_FILE_PATH":    keyFile,
		"YOTI_DOC_SCAN_API_URL": server.URL(), // optional
	} {
		_ = os.Setenv(name, value)
		defer func() { _ = os.Unsetenv(name) }()
	}
	client, err := yotiface.NewClientFromEnv()
	fmt.Println(client != nil, err)
	// Output: true <nil>
}

func ExampleClient_GetSession() {
	demo := yotitest.Demo()
	defer demo.Close()

	session, err := demo.Client().GetSession(context.Background(), demo.Sessions[0].ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.State, session.BiometricConsent.Format(time.DateOnly))
	for _, check := range session.Checks {
		fmt.Println(check.Type, check.State, check.Report.Recommendation.Value)
	}
	liveness := session.ChecksOfType(yotiface.CheckTypeLiveness)[0]
	same, ok := session.Check(liveness.ID)
	fmt.Println(same == liveness, ok, len(session.RawJSON()) > 0)
	// Output:
	// COMPLETED 2025-06-04
	// LIVENESS DONE APPROVE
	// FAMILIAR_FACE_SEARCH DONE REJECT
	// true true true
}

func ExampleFamiliarFaceSearch_ApprovalOutcome() {
	search := yotiface.FamiliarFaceSearch{
		Check: yotiface.Check{
			Type:  yotiface.CheckTypeFamiliarFaceSearch,
			State: yotiface.CheckDone,
			Report: yotiface.Report{
				Recommendation: yotiface.Recommendation{Value: yotiface.RecommendationApprove},
				Breakdown: []yotiface.SubCheck{{
					Name:   "face_not_found_in_pool",
					Result: yotiface.ResultFail,
				}},
			},
		},
		Config: yotiface.FamiliarFaceSearchConfig{PoolLabel: "self-excluded", ApprovalCriteria: yotiface.CriteriaNoMatch},
	}
	switch search.ApprovalOutcome() {
	case yotiface.OutcomeApproved:
		fmt.Println("let in")
	case yotiface.OutcomeRejected:
		fmt.Println("turn away")
	case yotiface.OutcomePending:
		fmt.Println("ask again later")
	case yotiface.OutcomeUndetermined:
		fmt.Println("let a person decide:", search.Inconsistency())
	}
	fmt.Println(search.MatchStatus())
	fmt.Println(search.Explain())
	// Output:
	// let a person decide: yotiface: approved under the criterion NO_MATCH, although the face was found in the pool
	// FOUND
	// Undetermined: approved under the criterion NO_MATCH, although the face was found in the pool, so let a person decide.
}

func ExampleFamiliarFaceSearch_Matches() {
	demo := yotitest.Demo()
	defer demo.Close()
	session, err := demo.Client().GetSession(context.Background(), demo.Sessions[0].ID)
	if err != nil {
		log.Fatal(err)
	}
	search := session.FamiliarFaceSearches()[0]
	for _, match := range search.Matches() {
		fmt.Println(match.ApplicantID, "in", match.PoolID)
	}
	first, _ := search.MatchingApplicantID()
	pool, _ := search.MatchingPoolID()
	fmt.Println(first == search.MatchingApplicantIDs()[0], pool == search.Config.PoolID)
	// Output:
	// b1ac68ca-c692-449f-b6cc-1ee7c0d366ea in a8b2e5de-a31f-4e82-b2ac-557a492fa88e
	// true true
}

func ExampleClient_GetFace() {
	server := yotitest.NewServer()
	defer server.Close()
	applicantID := server.PutApplicant(yotitest.DrawFace(1))
	ctx, client := context.Background(), server.Client()

	applicant, err := client.GetApplicant(ctx, applicantID)
	if err != nil {
		log.Fatal(err)
	}
	faceID, ok := applicant.FaceID()
	if !ok {
		log.Print("no face any more")
		return
	}
	face, err := client.GetFace(ctx, applicantID, faceID)
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(face.ContentType, len(applicant.FaceIDs()))
	fmt.Println(bytes.Equal(face.Data, yotitest.DrawFace(1)))
	// Output:
	// image/jpeg 1
	// true
}

func ExampleClient_DownloadFace() {
	server := yotitest.NewServer()
	defer server.Close()
	applicantID := server.PutApplicant(yotitest.DrawFace(1))
	ctx, client := context.Background(), server.Client()
	applicant, err := client.GetApplicant(ctx, applicantID)
	if err != nil {
		log.Fatal(err)
	}
	faceID, _ := applicant.FaceID()

	var image bytes.Buffer // or an http.ResponseWriter, or a file
	info, err := client.DownloadFace(ctx, applicantID, faceID, &image)
	if err != nil {
		log.Print(err) // what was written so far is no image
		return
	}
	fmt.Println(info.ContentType, info.Size == int64(image.Len()))
	// Output: image/jpeg true
}

func ExampleAPIError() {
	server := yotitest.NewServer()
	defer server.Close()

	_, err := server.Client().GetSession(context.Background(), "7938ac1e-0a4a-49b7-953f-08cfa764358f")
	fmt.Println(errors.Is(err, yotiface.ErrNotFound))
	var apiErr *yotiface.APIError
	if errors.As(err, &apiErr) {
		fmt.Println(apiErr.StatusCode, apiErr.Method, apiErr.Endpoint)
	}
	// Output:
	// true
	// 404 GET /sessions/{session_id}
}

func ExampleDecodeError() {
	server := yotitest.NewServer()
	defer server.Close()
	sessionID := server.PutSession([]byte(`{"state": "COMPLETED", "checks": {"not": "an array"}}`))

	_, err := server.Client().GetSession(context.Background(), sessionID)
	fmt.Println(err)
	var decodeErr *yotiface.DecodeError
	fmt.Println(errors.As(err, &decodeErr), decodeErr.Path)
	// Output:
	// yotiface: GET /sessions/{session_id}: the answer cannot be read: an object where something else is due at /checks
	// true /checks
}
