package yotitest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

// admit is what is tested: it lets in who is staff, and nobody whom it cannot be
// sure about.
func admit(ctx context.Context, client *yotiface.Client, sessionID string) (bool, error) {
	session, err := client.GetSession(ctx, sessionID)
	if err != nil {
		return false, err
	}
	return session.FaceSearchOutcome() == yotiface.OutcomeApproved, nil
}

// What a test of one's own code can look like: the same question again and again,
// with something else going wrong each time.
func Example_faults() {
	server := yotitest.NewServer()
	defer server.Close()
	ctx := context.Background()
	client := server.Client(yotiface.WithRetryPolicy(yotiface.RetryPolicy{MinBackoff: time.Millisecond}))

	alice := server.PutApplicant(yotitest.DrawFace(1))
	created, err := client.CreateSession(ctx, staffEntrance(server.PutPool("staff", alice)))
	if err != nil {
		log.Fatal(err)
	}
	server.CompleteSession(created.SessionID, yotitest.Matches(alice))

	for _, test := range []struct {
		name  string
		fault yotitest.Fault
	}{
		{"busy", yotitest.Status(http.StatusServiceUnavailable).Times(2)},
		{"busy for long", yotitest.Status(http.StatusServiceUnavailable).Times(3)},
		{"hung up on", yotitest.DropUnread()},
		{"cut off", yotitest.Truncate(100)},
		{"slow", yotitest.Drip(time.Microsecond)},
		{"garbled", yotitest.Garbage()},
		{"sent elsewhere", yotitest.Redirect("https://example.com")},
	} {
		server.Inject(test.fault)
		admitted, err := admit(ctx, client, created.SessionID)
		fmt.Println(test.name+":", admitted, err != nil)
	}
	// Output:
	// busy: true false
	// busy for long: false true
	// hung up on: true false
	// cut off: true false
	// slow: true false
	// garbled: false true
	// sent elsewhere: false true
}

// staffEntrance is the specification of a session; the official builders make
// such ones too.
func staffEntrance(poolID string) json.RawMessage {
	return fmt.Appendf(nil, `{"requested_checks": [
		{"type": "LIVENESS", "config": {"liveness_type": "STATIC"}},
		{"type": "FAMILIAR_FACE_SEARCH", "config": {"pool_id": %q, "approval_criteria": "MATCH"}}
	]}`, poolID)
}

// A whole round: the session is created, its user comes, the notification arrives
// at the backend, and the backend asks for the verdict.
func ExampleServer_CompleteSession() {
	server := yotitest.NewServer()
	defer server.Close()
	ctx, client := context.Background(), server.Client()

	backend := httptest.NewTLSServer(yotiface.NewNotificationHandler(yotiface.BearerToken("s3cret"),
		func(ctx context.Context, n yotiface.Notification) error {
			session, err := client.GetSession(ctx, n.SessionID)
			if err == nil {
				fmt.Println(n.Topic, session.FaceSearchOutcome())
			}
			return err
		}))
	defer backend.Close()

	alice := server.PutApplicant(yotitest.DrawFace(1))
	created, err := client.CreateSession(ctx, map[string]any{
		"requested_checks": []any{
			map[string]any{"type": "LIVENESS"},
			map[string]any{"type": "FAMILIAR_FACE_SEARCH", "config": map[string]any{
				"pool_id": server.PutPool("barred", alice), "approval_criteria": "NO_MATCH",
			}},
		},
		"notifications": map[string]any{
			"endpoint": backend.URL, "auth_type": "BEARER", "auth_token": "s3cret",
		},
	})
	if err != nil {
		log.Print(err)
		return
	}

	server.CompleteSession(created.SessionID, yotitest.Matches(alice), yotitest.WithCapture(yotitest.DrawCapture(1)))
	for _, n := range server.Notifications() {
		fmt.Println(n.Topic, n.Status, n.Err)
	}
	// Output:
	// session_completion REJECTED
	// session_completion 200 <nil>
}

// Yoti promises neither that a notification comes once nor that they come in
// order: a test can make sure that the backend does not rely on it.
func ExampleDoubleNotifications() {
	server := yotitest.NewServer()
	defer server.Close()
	done := map[string]bool{}
	backend := httptest.NewServer(yotiface.NewNotificationHandler(yotiface.BasicAuth("user", "password"),
		func(_ context.Context, n yotiface.Notification) error {
			if done[n.SessionID] {
				fmt.Println("again:", n.Topic)
				return nil
			}
			done[n.SessionID] = true
			fmt.Println("first:", n.Topic)
			return nil
		}))
	defer backend.Close()

	created, err := server.Client().CreateSession(context.Background(), map[string]any{
		"requested_checks": []any{map[string]any{"type": "LIVENESS"}},
		"notifications": map[string]any{
			"endpoint":   backend.URL,
			"topics":     []string{"check_completion", "session_completion"},
			"auth_token": "user:password",
		},
	})
	if err != nil {
		log.Print(err)
		return
	}
	server.CompleteSession(created.SessionID, yotitest.DoubleNotifications(), yotitest.ReverseNotifications())
	// Output:
	// first: session_completion
	// again: session_completion
	// again: check_completion
	// again: check_completion
}

func ExampleServer_PendSession() {
	server := yotitest.NewServer()
	defer server.Close()
	ctx, client := context.Background(), server.Client()
	created, err := client.CreateSession(ctx, staffEntrance(server.PutPool("staff")))
	if err != nil {
		log.Fatal(err)
	}
	show := func() {
		session, err := client.GetSession(ctx, created.SessionID)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(session.State, len(session.Checks), session.FaceSearchOutcome())
	}

	show() // the user has not come yet
	server.PendSession(created.SessionID)
	show() // Yoti is still searching
	server.CompleteSession(created.SessionID, yotitest.NoMatch())
	show()
	// Output:
	// ONGOING 0 PENDING
	// ONGOING 2 PENDING
	// COMPLETED 2 REJECTED
}

func ExampleServer_ExpireSession() {
	server := yotitest.NewServer()
	defer server.Close()
	ctx, client := context.Background(), server.Client()
	created, err := client.CreateSession(ctx, staffEntrance(server.PutPool("staff")))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(errors.Is(client.DeleteSession(ctx, created.SessionID), yotiface.ErrConflict))

	server.ExpireSession(created.SessionID)
	session, err := client.WaitForSession(ctx, created.SessionID, time.Minute)
	fmt.Println(session.State, err)
	// Output:
	// true
	// EXPIRED <nil>
}

// A call that creates something is not repeated when nobody can know whether it
// has been done.
func ExampleDropUnread() {
	server := yotitest.NewServer()
	defer server.Close()
	server.Inject(yotitest.DropUnread().On(http.MethodPost, "/applicants"))

	_, err := server.Client().CreateApplicant(context.Background())
	fmt.Println(err)
	fmt.Println(len(server.Requests()))
	// Output:
	// yotiface: POST /applicants: the connection was reset
	// 1
}
