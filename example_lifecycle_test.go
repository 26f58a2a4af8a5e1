package yotiface_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/getyoti/yoti-go-sdk/v3/docscan/session/create"
	"github.com/getyoti/yoti-go-sdk/v3/docscan/session/create/check"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

// Two people are enrolled: one with the face at once, the other with the face later.
func ExampleClient_CreatePool() {
	server := yotitest.NewServer() // stands for Yoti
	defer server.Close()
	ctx, client := context.Background(), server.Client()
	enrol := func() error {
		pool, err := client.CreatePool(ctx, "self-excluded")
		if err != nil {
			return err
		}
		alice, err := client.CreateApplicantWithFace(ctx, yotitest.DrawFace(1)) // the contents of a JPEG or PNG file
		if err != nil {
			return err
		}
		bob, err := client.CreateApplicant(ctx)
		if err != nil {
			return err
		}
		if _, err := client.AddFace(ctx, bob.ID, yotiface.FaceFromImage(yotitest.DrawFace(2))); err != nil {
			return err
		}
		for _, applicantID := range []string{alice.ID, bob.ID} { // keep the IDs: the service lists neither pools nor applicants
			if err := client.AddApplicantToPool(ctx, pool.ID, applicantID); err != nil {
				return err
			}
			applicant, err := client.GetApplicant(ctx, applicantID)
			if err != nil {
				return err
			}
			fmt.Println(len(applicant.FaceIDs()), "face, in", applicant.Pools[0].Label)
		}
		return nil
	}
	if err := enrol(); err != nil {
		log.Print(err)
	}

	_, err := client.CreateApplicantWithFace(ctx, []byte("%PDF-1.7"))
	fmt.Println(errors.Is(err, yotiface.ErrNotAnImage))
	// Output:
	// 1 face, in self-excluded
	// 1 face, in self-excluded
	// true
}

// A session is created with the official builders, its user is sent to Yoti, and the verdict is waited for.
func ExampleClient_CreateSession() {
	server := yotitest.NewServer()
	defer server.Close()
	poolID := server.PutPool("self-excluded")
	ctx, client := context.Background(), server.Client()

	liveness, err := check.NewRequestedLivenessCheckBuilder().ForStaticLiveness().WithMaxRetries(3).Build()
	if err != nil {
		log.Fatal(err)
	}
	search, err := yotiface.NewFamiliarFaceSearchCheck(poolID, yotiface.CriteriaNoMatch) // approve who is not in the pool
	if err != nil {
		log.Fatal(err)
	}
	spec, err := create.NewSessionSpecificationBuilder().
		WithClientSessionTokenTTL(900).
		WithRequestedCheck(liveness). // the search is made on its image
		WithRequestedCheck(search).
		Build()
	if err != nil {
		log.Fatal(err)
	}
	created, err := client.CreateSession(ctx, spec)
	if err != nil {
		log.Fatal(err)
	}
	page := created.ClientURL() // send the user's browser there, and show it to nobody else
	fmt.Println(strings.HasPrefix(page, server.URL()+"/web/index.html?sessionID="))
	fmt.Println(created) // without the token

	go server.CompleteSession(created.SessionID) // the user comes, and is not in the pool

	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	session, err := client.WaitForSession(ctx, created.SessionID, 10*time.Millisecond) // seconds with the real service
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(session.State, session.FaceSearchOutcome())
	// Output:
	// true
	// yotiface.CreatedSession{ClientSessionTokenTTL: 900}
	// COMPLETED APPROVED
}

// The image that a search looked at is shown to a reviewer, and enrolled as the face of an applicant.
func ExampleSession_CapturedImages() {
	server := yotitest.NewServer()
	defer server.Close()
	ctx, client := context.Background(), server.Client()
	sessionID := completedSession(server)

	session, err := client.GetSession(ctx, sessionID)
	if err != nil {
		log.Fatal(err)
	}
	for _, search := range session.FamiliarFaceSearches() {
		for _, image := range session.CapturedImages(search) {
			media, err := client.GetMedia(ctx, session.ID, image.ID)
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(media.ContentType, len(media.Data) > 0)

			var page bytes.Buffer // or an http.ResponseWriter, or a file
			info, err := client.DownloadMedia(ctx, session.ID, image.ID, &page)
			if err != nil {
				log.Fatal(err) // what was written so far is no image
			}
			fmt.Println(info.Size == int64(page.Len()))

			applicant, err := client.CreateApplicant(ctx)
			if err != nil {
				log.Fatal(err)
			}
			faceID, err := client.AddFace(ctx, applicant.ID, yotiface.FaceFromSession(session.ID, image.ID))
			if err != nil {
				log.Fatal(err)
			}
			face, err := client.GetFace(ctx, applicant.ID, faceID) // a copy, which stays when the session has gone
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(bytes.Equal(face.Data, media.Data))
		}
	}
	// Output:
	// image/jpeg true
	// true
	// true
}

// completedSession is a session whose user was looked for among the staff, and not found.
func completedSession(server *yotitest.Server) (sessionID string) {
	search, err := yotiface.NewFamiliarFaceSearchCheck(server.PutPool("staff"), yotiface.CriteriaMatch)
	if err != nil {
		log.Fatal(err)
	}
	created, err := server.Client().CreateSession(context.Background(), map[string]any{"requested_checks": []any{search}})
	if err != nil {
		log.Fatal(err)
	}
	server.CompleteSession(created.SessionID)
	return created.SessionID
}

// Yoti tells the backend that something has happened, and the backend reads what it was.
func ExampleNewNotificationHandler() {
	server := yotitest.NewServer()
	defer server.Close()
	client := server.Client()

	handler := yotiface.NewNotificationHandler(yotiface.BearerToken("s3cret"), // or BasicAuth("user", "password")
		func(ctx context.Context, n yotiface.Notification) error {
			if n.Topic != yotiface.TopicSessionCompletion {
				return nil
			}
			session, err := client.GetSession(ctx, n.SessionID) // the notification itself proves nothing
			if err != nil {
				return err // 500: Yoti may send it again
			}
			fmt.Println(session.State)
			return nil
		})
	backend := httptest.NewServer(handler) // in production: https, mux.Handle("/yoti", handler)
	defer backend.Close()

	specification, err := create.NewSessionSpecificationBuilder().WithClientSessionTokenTTL(900).Build()
	if err != nil {
		log.Print(err)
		return
	}
	spec := struct { // the official builder knows no bearer tokens
		*create.SessionSpecification
		Notifications any `json:"notifications"`
	}{specification, map[string]any{
		"endpoint":   backend.URL + "/yoti",
		"topics":     []string{"session_completion"},
		"auth_type":  "BEARER",
		"auth_token": "s3cret",
	}}
	created, err := client.CreateSession(context.Background(), spec)
	if err != nil {
		log.Print(err)
		return
	}
	server.CompleteSession(created.SessionID) // returns when the notification has been answered
	// Output: COMPLETED
}

// A handler of one's own: it puts the session into a queue, and answers.
func ExampleParseNotification() {
	auth := yotiface.BasicAuth("user", "password") // auth_token "user:password"
	queue := make(chan string, 1)
	handler := func(w http.ResponseWriter, r *http.Request) {
		notification, err := yotiface.ParseNotification(r, auth)
		var refused *yotiface.NotificationError
		if errors.As(err, &refused) {
			http.Error(w, "refused", refused.StatusCode)
			return
		}
		queue <- notification.SessionID
	}

	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/yoti", strings.NewReader(`{"session_id":"04f3b176","topic":"session_completion"}`))
	answer := httptest.NewRecorder()
	handler(answer, r)
	fmt.Println(answer.Code)

	r.SetBasicAuth("user", "password")
	answer = httptest.NewRecorder()
	handler(answer, r)
	fmt.Println(answer.Code, <-queue)
	// Output:
	// 401
	// 200 04f3b176
}

// Someone asks to be forgotten: whether faces and memberships go with the applicant is not documented, so each is deleted.
func ExampleClient_DeleteApplicant() {
	server := yotitest.NewServer()
	defer server.Close()
	applicantID := server.PutApplicant(yotitest.DrawFace(1), yotitest.DrawFace(2))
	poolID := server.PutPool("staff", applicantID)
	ctx, client := context.Background(), server.Client()
	forget := func() error {
		applicant, err := client.GetApplicant(ctx, applicantID)
		if err != nil {
			return err
		}
		for _, faceID := range applicant.FaceIDs() {
			if err := client.DeleteFace(ctx, applicantID, faceID); err != nil {
				return err
			}
		}
		for _, pool := range applicant.Pools {
			if err := client.RemoveApplicantFromPool(ctx, pool.ID, applicantID); err != nil {
				return err
			}
		}
		return client.DeleteApplicant(ctx, applicantID)
	}
	fmt.Println(forget())
	_, err := client.GetApplicant(ctx, applicantID)
	fmt.Println(errors.Is(err, yotiface.ErrNotFound))
	fmt.Println(client.DeletePool(ctx, poolID)) // when nobody needs it any more
	// Output:
	// <nil>
	// true
	// <nil>
}

// What a session captured expires by itself, after a week by default. It can be deleted before: one image, or all of it.
func ExampleClient_DeleteSession() {
	server := yotitest.NewServer()
	defer server.Close()
	ctx, client := context.Background(), server.Client()
	session, err := client.GetSession(ctx, completedSession(server))
	if err != nil {
		log.Fatal(err)
	}
	image := session.CapturedImages(session.FamiliarFaceSearches()[0])[0]

	fmt.Println(client.DeleteMedia(ctx, session.ID, image.ID))
	_, err = client.GetMedia(ctx, session.ID, image.ID)
	fmt.Println(errors.Is(err, yotiface.ErrNotFound))

	fmt.Println(client.DeleteSession(ctx, session.ID)) // with all its media
	_, err = client.GetSession(ctx, session.ID)
	fmt.Println(errors.Is(err, yotiface.ErrNotFound))
	// Output:
	// <nil>
	// true
	// <nil>
	// true
}
