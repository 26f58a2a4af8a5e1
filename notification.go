package yotiface

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"
)

// A Notification is a hint that something about a session has changed. It proves nothing: it carries no signature, and can
// come twice, late, out of order, or not at all. Take its session ID, read the session with [Client.GetSession], act on
// that, and be idempotent for each session and check.
//
// Documented at https://developers.yoti.com/identity-verification/notifications.
type Notification struct {
	SessionID  string
	Topic      Topic  // in lower case
	CheckID    string // with TopicCheckCompletion; Session.Check finds it
	TaskID     string // with TopicTaskCompletion
	ResourceID string // with TopicResourceUpdate
}

// Topic is what a notification is about. Topics are requested in either case and compared in lower case; unknown ones are
// passed on.
type Topic string

// The documented topics.
const (
	TopicSessionCompletion         Topic = "session_completion"
	TopicCheckCompletion           Topic = "check_completion"
	TopicTaskCompletion            Topic = "task_completion"
	TopicResourceUpdate            Topic = "resource_update"
	TopicClientSessionTokenDeleted Topic = "client_session_token_deleted" // the user has finished
)

// NotificationAuth is the credential that notifications have to carry: [BasicAuth] or [BearerToken], as the session was
// created with. The zero value matches nothing.
type NotificationAuth struct {
	scheme string
	hashes [][sha256.Size]byte // of the credentials that match
}

// BasicAuth is for a session whose auth_token is "username:password", with auth_type BASIC or none. A token without a
// colon is a username without a password. If both are empty, nothing matches.
func BasicAuth(username, password string) NotificationAuth {
	if username == "" && password == "" {
		return NotificationAuth{}
	}
	auth := NotificationAuth{"Basic", [][sha256.Size]byte{sha256.Sum256([]byte(username + ":" + password))}}
	if password == "" {
		auth.hashes = append(auth.hashes, sha256.Sum256([]byte(username))) // Yoti encodes the token as it is
	}
	return auth
}

// BearerToken is for a session whose auth_token is token, with auth_type BEARER. If it is empty, nothing matches. A token
// that begins with "Bearer " matches with and without that, as it may be the token or the header.
func BearerToken(token string) NotificationAuth {
	bare := strings.TrimPrefix(token, "Bearer ")
	if bare == "" {
		return NotificationAuth{}
	}
	auth := NotificationAuth{"Bearer", [][sha256.Size]byte{sha256.Sum256([]byte(token))}}
	if bare != token {
		auth.hashes = append(auth.hashes, sha256.Sum256([]byte(bare)))
	}
	return auth
}

// Format prints the scheme, whatever the verb.
func (a NotificationAuth) Format(f fmt.State, verb rune) { formatAs(f, verb, a.summary()) }

// LogValue does for log/slog what Format does for fmt.
func (a NotificationAuth) LogValue() slog.Value { return slog.StringValue(a.summary()) }

func (a NotificationAuth) summary() string { return "yotiface.NotificationAuth{" + a.scheme + "}" }

// matches compares the one Authorization header of a request, in a time that does not depend on what it holds.
func (a NotificationAuth) matches(h http.Header) bool {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return false
	}
	scheme, credential, _ := strings.Cut(values[0], " ")
	credential = strings.TrimSpace(credential)
	if a.scheme == "Basic" {
		decoded, err := base64.StdEncoding.DecodeString(credential)
		if err != nil {
			return false
		}
		credential = string(decoded)
	}
	got, same := sha256.Sum256([]byte(credential)), 0
	for _, want := range a.hashes {
		same |= subtle.ConstantTimeCompare(got[:], want[:])
	}
	return same == 1 && strings.EqualFold(scheme, a.scheme)
}

// A NotificationError is a request that is not taken for a notification, and the status to answer it with.
type NotificationError struct {
	StatusCode int
	Err        error
}

// Error says why the request was refused, and nothing of what it held.
func (e *NotificationError) Error() string {
	return fmt.Sprintf("yotiface: notification refused with %d: %v", e.StatusCode, e.Err)
}

// Unwrap returns Err.
func (e *NotificationError) Unwrap() error { return e.Err }

// Why a notification is refused.
var (
	errCredentials  = errors.New("the credentials are missing or wrong")
	errMethod       = errors.New("the method is not POST")
	errContentType  = errors.New("the content type is not JSON")
	errTooLong      = errors.New("the body is too long")
	errBody         = errors.New("the body cannot be read to its end")
	errNotifiedBody = errors.New("the body is not the JSON of a notification")
	errNoSession    = errors.New("the body names no session")
	errHandlerPanic = errors.New("the handler panicked")
)

// maxNotification is how long a notification's body may be.
const maxNotification = 64 << 10

// ParseNotification reads a notification from a request, for programs with a handler of their own; the others take
// [NewNotificationHandler]. The body is read only after the credentials have matched, up to 64 KiB.
//
// Every error is a [*NotificationError]: 401 for credentials that do not match exactly once, 405 for another method than
// POST, 415 for a declared type that is not JSON, 413 for a body that is too long, 400 for one that is not the JSON of a
// notification, in this order. Unknown topics and members are accepted.
func ParseNotification(r *http.Request, auth NotificationAuth) (Notification, error) {
	refuse := func(status int, why error) (Notification, error) {
		return Notification{}, &NotificationError{status, why}
	}
	switch {
	case !auth.matches(r.Header):
		return refuse(http.StatusUnauthorized, errCredentials)
	case r.Method != http.MethodPost:
		return refuse(http.StatusMethodNotAllowed, errMethod)
	case !declaresJSON(r.Header.Get("Content-Type")):
		return refuse(http.StatusUnsupportedMediaType, errContentType)
	case r.ContentLength > maxNotification:
		return refuse(http.StatusRequestEntityTooLarge, errTooLong)
	case r.Body == nil:
		return refuse(http.StatusBadRequest, errNotifiedBody)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxNotification+1))
	switch {
	case len(body) > maxNotification:
		return refuse(http.StatusRequestEntityTooLarge, errTooLong)
	case err != nil:
		return refuse(http.StatusBadRequest, errBody)
	}
	read, decodeErr := decode[struct {
		SessionID  string `json:"session_id"`
		Topic      string `json:"topic"`
		CheckID    string `json:"check_id"`
		TaskID     string `json:"task_id"`
		ResourceID string `json:"resource_id"`
	}](body)
	switch {
	case decodeErr != nil:
		return refuse(http.StatusBadRequest, errNotifiedBody)
	case checkID("the session ID", read.SessionID) != nil:
		return refuse(http.StatusBadRequest, errNoSession)
	}
	return Notification{
		SessionID:  read.SessionID,
		Topic:      Topic(strings.ToLower(read.Topic)),
		CheckID:    read.CheckID,
		TaskID:     read.TaskID,
		ResourceID: read.ResourceID,
	}, nil
}

// declaresJSON accepts JSON and, as the documentation does not say what notifications declare, nothing.
func declaresJSON(contentType string) bool {
	if contentType == "" {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && (mediaType == "application/json" ||
		(strings.HasPrefix(mediaType, "application/") && strings.HasSuffix(mediaType, "+json")))
}

// NewNotificationHandler returns a handler that receives Yoti's notifications: it refuses what [ParseNotification] refuses,
// without a detail in the answer and without waiting for the rest of the body, and calls handle for the others.
//
// It answers 200 after handle returned nil, and 500 where it returned an error or panicked, so that Yoti may send the
// notification again. Let handle be quick: put the session ID into a queue, or read the session with [Client.GetSession].
// Its context is the request's. Errors are not logged here: handle can. Give the server a ReadTimeout, as any server on
// the internet needs one.
//
// A nil handle panics.
func NewNotificationHandler(auth NotificationAuth, handle func(context.Context, Notification) error) http.Handler {
	if handle == nil {
		panic("yotiface: NewNotificationHandler: handle is nil")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		notification, err := ParseNotification(r, auth)
		if refused, ok := errors.AsType[*NotificationError](err); ok {
			refuseNotification(w, auth, refused.StatusCode)
			return
		}
		if callHandler(r.Context(), handle, notification) != nil {
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		}
	})
}

// callHandler turns a panic into an error.
func callHandler(ctx context.Context, handle func(context.Context, Notification) error, n Notification) (err error) {
	defer func() {
		if recover() != nil {
			err = errHandlerPanic
		}
	}()
	return handle(ctx, n)
}

// refuseNotification answers and hangs up, so that nobody can keep a connection busy with a body that is not wanted.
func refuseNotification(w http.ResponseWriter, auth NotificationAuth, status int) {
	switch status {
	case http.StatusUnauthorized:
		if auth.scheme != "" {
			w.Header().Set("WWW-Authenticate", auth.scheme)
		}
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	}
	w.Header().Set("Connection", "close")
	http.Error(w, http.StatusText(status), status)
	controller := http.NewResponseController(w)
	_ = controller.Flush()
	_ = controller.SetReadDeadline(time.Unix(1, 0)) // or the server would read on; a recorder cannot, and need not
}
