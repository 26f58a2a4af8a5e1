package yotiface_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/yotiface/yotiface"
)

// Whatever arrives, it is either a notification whose session can be asked for, or refused with one of five statuses.
func FuzzParseNotification(f *testing.F) {
	const right = "Bearer right"
	for _, body := range []string{
		`{"session_id":"7938ac1e-0a4a-49b7-953f-08cfa764358f","topic":"session_completion"}`,
		`{"session_id":"s","check_id":"c","topic":"CHECK_COMPLETION","new":{"a":[1]}}`,
		`{"session_id":"../x","topic":"session_completion"}`,
		`{"session_id":"s","session_id":"t"}`, `{"Session_id":"s"}`, `{"session_id":1}`, `{}`, `null`, `[]`, ``, `{"session_id":"s"} x`,
		`{"session_id":"s","topic":"` + strings.Repeat("x", 70_000) + `"}`,
	} {
		f.Add(http.MethodPost, right, "application/json", body)
	}
	f.Add(http.MethodGet, right, "", `{"session_id":"s"}`)
	f.Add(http.MethodPost, "Bearer wrong", "text/plain", `{"session_id":"s"}`)
	f.Add(http.MethodPost, "bearer  right ", "application/problem+json; charset=utf-8", `{"session_id":"s"}`)
	f.Add(http.MethodPost, right, "text/html", `{"session_id":"s"}`)
	auth := yotiface.BearerToken("right")
	f.Fuzz(func(t *testing.T, method, authorization, contentType, body string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		r.Method = method
		r.Header.Set("Authorization", authorization)
		r.Header.Set("Content-Type", contentType)
		got, err := yotiface.ParseNotification(r, auth)
		if err != nil {
			refused, ok := err.(*yotiface.NotificationError) //nolint:errorlint // this type and no wrapper, by the doc comment
			if !ok || got != (yotiface.Notification{}) {
				t.Fatalf("%T beside %+v", err, got)
			}
			switch refused.StatusCode {
			case http.StatusBadRequest, http.StatusUnauthorized, http.StatusMethodNotAllowed,
				http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
			default:
				t.Fatalf("status %d", refused.StatusCode)
			}
			return
		}
		if method != http.MethodPost || !strings.EqualFold(strings.Fields(authorization)[0], "bearer") || len(body) > 64<<10 {
			t.Fatalf("%s with %q and %d bytes is accepted", method, authorization, len(body))
		}
		var want struct {
			SessionID string `json:"session_id"`
			Topic     string `json:"topic"`
		}
		if err := jsonv2.Unmarshal([]byte(body), &want); err != nil {
			t.Fatalf("what is no JSON is accepted: %v", err)
		}
		if got.SessionID != want.SessionID || string(got.Topic) != strings.ToLower(want.Topic) {
			t.Fatalf("%+v from %q", got, body)
		}
		if strings.Trim(got.SessionID, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
			t.Fatalf("session ID %q cannot be asked for", got.SessionID)
		}
	})
}
