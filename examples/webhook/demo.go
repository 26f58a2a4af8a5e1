package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

// runDemo has three users finish in a Yoti in memory, which notifies the receiver of each, twice; then it stops.
func runDemo(ctx context.Context, listener net.Listener, log *slog.Logger) error {
	log.InfoContext(ctx, "demo: no account is set, so this is a Yoti in memory, and its users are drawings")
	yoti := yotitest.NewServer()
	defer yoti.Close()
	client := yoti.Client()
	const token = "a secret of this demo"

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	r := newReceiver(client, log)
	served := make(chan error, 1)
	go func() { served <- serve(ctx, listener, r, yotiface.BearerToken(token), log) }()

	excluded := yoti.PutApplicant(yotitest.DrawFace(1))
	poolID := yoti.PutPool("self-excluded", excluded)
	endpoint := fmt.Sprintf("http://%s/notifications", listener.Addr())
	for _, user := range []yotitest.CompleteOption{yotitest.NoMatch(), yotitest.Matches(excluded), yotitest.NoMatch()} {
		created, err := client.CreateSession(ctx, specification(poolID, endpoint, token))
		if err != nil {
			stop()
			return errors.Join(err, <-served)
		}
		//nolint:contextcheck // it has no context to take
		yoti.CompleteSession(created.SessionID, user, yotitest.DoubleNotifications())
	}
	stop()
	return <-served
}

// specification is that of a session with a face search, written as JSON: the official builder has no bearer tokens for
// notifications.
func specification(poolID, endpoint, token string) any {
	return map[string]any{
		"client_session_token_ttl": 900,
		"requested_checks": []any{
			map[string]any{"type": "LIVENESS", "config": map[string]any{"liveness_type": "STATIC", "max_retries": 3}},
			map[string]any{"type": "FAMILIAR_FACE_SEARCH", "config": map[string]any{
				"pool_id": poolID, "approval_criteria": yotiface.CriteriaNoMatch,
			}},
		},
		"notifications": map[string]any{
			"endpoint": endpoint, "auth_type": "BEARER", "auth_token": token,
			"topics": []string{"session_completion", "check_completion"},
		},
	}
}
