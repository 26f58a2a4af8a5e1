package yotitest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"log"
	"net/http"
	"time"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

func Example() {
	server := yotitest.NewServer()
	defer server.Close()

	applicantID := server.PutApplicant(yotitest.DrawFace(1))
	sessionID := server.PutSession(fmt.Appendf(nil, `{
		"state": "COMPLETED",
		"checks": [{
			"type": "FAMILIAR_FACE_SEARCH",
			"state": "DONE",
			"report": {
				"recommendation": {"value": "APPROVE"},
				"breakdown": [{
					"sub_check": "face_found_in_pool",
					"result": "PASS",
					"details": [{"name": "matching_applicant", "value": %q}]
				}]
			},
			"config": {"pool_id": "staff", "approval_criteria": "MATCH"}
		}]
	}`, applicantID))

	ctx := context.Background()
	client := server.Client()
	session, err := client.GetSession(ctx, sessionID)
	if err != nil {
		log.Fatal(err)
	}
	for _, search := range session.FamiliarFaceSearches() {
		faces, err := client.MatchedFaces(ctx, search)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(search.ApprovalOutcome(), len(faces), faces[0].Face.ContentType)
	}
	// Output: APPROVED 1 image/jpeg
}

func ExampleServer_Inject() {
	server := yotitest.NewServer()
	defer server.Close()
	id := server.PutSession([]byte(`{"state":"ONGOING"}`))

	server.Inject(
		yotitest.Status(http.StatusServiceUnavailable),
		yotitest.Truncate(10),
	)
	client := server.Client(yotiface.WithRetryPolicy(yotiface.RetryPolicy{MinBackoff: time.Millisecond}))
	session, err := client.GetSession(context.Background(), id)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.State)
	for _, r := range server.Requests() {
		fmt.Println(r.Method, r.Endpoint, r.Status)
	}
	// Output:
	// ONGOING
	// GET /sessions/{session_id} 503
	// GET /sessions/{session_id} 200
	// GET /sessions/{session_id} 200
}

func ExampleFault_On() {
	server := yotitest.NewServer()
	defer server.Close()
	server.Inject(yotitest.Status(http.StatusTooManyRequests).
		RetryAfter(time.Hour).
		On(http.MethodGet, "/applicant/{applicant_id}"))

	_, err := server.Client().GetApplicant(context.Background(), server.PutApplicant())
	fmt.Println(errors.Is(err, yotiface.ErrRateLimited))
	// Output: true
}

func ExampleWithPluralRoutes() {
	server := yotitest.NewServer(yotitest.WithPluralRoutes())
	defer server.Close()

	if _, err := server.Client().GetApplicant(context.Background(), server.PutApplicant()); err != nil {
		log.Fatal(err)
	}
	for _, r := range server.Requests() {
		fmt.Println(r.Endpoint, r.Status)
	}
	// Output:
	// /applicant/{applicant_id} 404
	// /applicants/{applicant_id} 200
}

func ExampleDemo() {
	world := yotitest.Demo()
	defer world.Close()

	client := world.Client()
	for _, demo := range world.Sessions {
		session, err := client.GetSession(context.Background(), demo.ID)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%-12v %s\n", session.FaceSearchOutcome(), demo.Title)
	}
	// Output:
	// REJECTED     The documented session: a barred face is found
	// APPROVED     Staff entrance: the face is found
	// REJECTED     Staff entrance: the face is not found
	// APPROVED     Guest entrance: no barred face is found
	// PENDING      Guest entrance: the search is still pending
	// UNDETERMINED Guest entrance: approved, though a barred face is found
	// REJECTED     Guest entrance: two barred faces are found
	// REJECTED     Guest entrance: a barred face is found, which has been deleted since
	// UNDETERMINED Guest entrance: the session expired before anybody came
}

func ExampleDrawFace() {
	picture, err := jpeg.DecodeConfig(bytes.NewReader(yotitest.DrawFace(1)))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(picture.Width, picture.Height)
	// Output: 480 600
}
