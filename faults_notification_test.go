package yotiface_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
)

const (
	notified = `{"session_id":"` + faultID + `","topic":"session_completion"}`
	hookUser = "yoti"
	hookPass = "correct horse: battery staple" // with a colon, as a password may have
)

// A hook is a server that receives notifications.
type hook struct {
	url      string
	client   *http.Client
	log      *bytes.Buffer // what the server had to complain about; read it after close
	received chan yotiface.Notification
	close    func()
}

// newHook starts a server of a handler over HTTP/1.1 or HTTP/2. handle says what becomes of a notification; nil: all is
// well.
func newHook(t *testing.T, major int, auth yotiface.NotificationAuth, handle func(context.Context) error) *hook {
	t.Helper()
	h := &hook{log: new(bytes.Buffer), received: make(chan yotiface.Notification, 100)}
	server := httptest.NewUnstartedServer(yotiface.NewNotificationHandler(auth, func(ctx context.Context, n yotiface.Notification) error {
		h.received <- n
		if handle == nil {
			return nil
		}
		return handle(ctx)
	}))
	server.Config.ErrorLog = log.New(h.log, "", 0)
	server.Config.ReadTimeout = time.Minute
	server.EnableHTTP2 = major == 2
	server.StartTLS()
	h.url, h.client = server.URL, server.Client()
	h.close = sync.OnceFunc(server.Close)
	t.Cleanup(h.close)
	return h
}

// send sends a request. A refusal hangs up, and on a busy machine that can overtake the answer, for a client that is still
// sending: then it sends again.
func (h *hook) send(t *testing.T, method string, body io.ReadSeeker, header http.Header) *http.Response {
	t.Helper()
	for {
		_, err := body.Seek(0, io.SeekStart)
		require.NoError(t, err)
		req, err := http.NewRequestWithContext(t.Context(), method, h.url, body)
		require.NoError(t, err)
		req.Header = header
		resp, err := h.client.Do(req)
		if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
			continue
		}
		require.NoError(t, err)
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
}

// assertRefused checks the answer to a request that is not taken for a notification.
func (h *hook) assertRefused(t *testing.T, resp *http.Response, status int) {
	t.Helper()
	assert.Equal(t, status, resp.StatusCode)
	body, err := io.ReadAll(resp.Body)
	assert.NoError(t, err)
	assert.Equal(t, http.StatusText(status)+"\n", string(body), "no detail")
	if resp.ProtoMajor == 1 {
		assert.True(t, resp.Close, "the connection is closed")
	}
	assert.Empty(t, h.received, "handle is not called")
}

func basic(token string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(token)) }

// protocols are the versions of HTTP that a server may be asked in.
var protocols = []int{1, 2}

func TestCredentialsOfANotification(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdef"
	right := basic(hookUser + ":" + hookPass)
	auths := map[string]yotiface.NotificationAuth{
		"Basic":                yotiface.BasicAuth(hookUser, hookPass),
		"Basic, no password":   yotiface.BasicAuth(hookUser, ""),
		"Basic, no username":   yotiface.BasicAuth("", hookPass),
		"Basic, nothing":       yotiface.BasicAuth("", ""),
		"Bearer":               yotiface.BearerToken(token),
		"Bearer, nothing":      yotiface.BearerToken(""),
		"nothing at all, zero": {},
	}
	type try struct {
		name          string
		authorization []string
		reason        string
		accepted      bool
	}
	empty := []try{
		{"no header", nil, "", false},
		{"an empty header", []string{""}, "", false},
		{"Basic and nothing", []string{"Basic"}, "", false},
		{"Basic and a space", []string{"Basic "}, "", false},
		{"Basic of nothing and a colon", []string{basic(":")}, "", false},
		{"Bearer and nothing", []string{"Bearer"}, "", false},
		{"Bearer and a space", []string{"Bearer "}, "", false},
		{"a space", []string{" "}, "", false},
	}
	for name, tries := range map[string][]try{
		"Basic": append([]try{
			{"right", []string{right}, "", true},
			{"scheme in lower case", []string{"basic " + strings.TrimPrefix(right, "Basic ")}, "schemes have no case", true},
			{"scheme in capitals", []string{"BASIC " + strings.TrimPrefix(right, "Basic ")}, "schemes have no case", true},
			{"two spaces", []string{"Basic  " + strings.TrimPrefix(right, "Basic ")}, "as HTTP allows", true},
			{"right twice", []string{right, right}, "which one counts is not said", false},
			{"right, then wrong", []string{right, basic("a:b")}, "which one counts is not said", false},
			{"wrong, then right", []string{basic("a:b"), right}, "which one counts is not said", false},
			{"right twice in one header", []string{right + ", " + right}, "not a credential", false},
			{"wrong username", []string{basic("yeti:" + hookPass)}, "", false},
			{"wrong password", []string{basic(hookUser + ":wrong")}, "", false},
			{"password in capitals", []string{basic(hookUser + ":" + strings.ToUpper(hookPass))}, "passwords have case", false},
			{"beginning of the password", []string{basic(hookUser + ":" + hookPass[:len(hookPass)-1])}, "", false},
			{"more than the password", []string{basic(hookUser + ":" + hookPass + "!")}, "", false},
			{"no password", []string{basic(hookUser + ":")}, "", false},
			{"username only", []string{basic(hookUser)}, "", false},
			{"not base64", []string{"Basic " + hookUser + ":" + hookPass}, "", false},
			{"URL alphabet without padding", []string{"Basic " + base64.RawURLEncoding.EncodeToString([]byte(hookUser+":"+hookPass)) + "?"}, "", false},
			{"a megabyte less a bit", []string{"Basic " + strings.Repeat("A", 500_000)}, "", false},
			{"as Bearer", []string{"Bearer " + strings.TrimPrefix(right, "Basic ")}, "another scheme", false},
			{"as Digest", []string{"Digest " + strings.TrimPrefix(right, "Basic ")}, "another scheme", false},
			{"without a scheme", []string{strings.TrimPrefix(right, "Basic ")}, "", false},
		}, empty...),
		"Basic, no password": append([]try{
			{"username and a colon", []string{basic(hookUser + ":")}, "", true},
			{"username only", []string{basic(hookUser)}, "a token without a colon, as it was given to Yoti", true},
			{"any password", []string{basic(hookUser + ":x")}, "", false},
		}, empty...),
		"Basic, no username": append([]try{
			{"colon and password", []string{basic(":" + hookPass)}, "", true},
			{"password only", []string{basic(hookPass)}, "", false},
		}, empty...),
		"Basic, nothing": append([]try{{"anything", []string{right}, "", false}}, empty...),
		"Bearer": append([]try{
			{"right", []string{"Bearer " + token}, "", true},
			{"scheme in lower case", []string{"bearer " + token}, "schemes have no case", true},
			{"right twice", []string{"Bearer " + token, "Bearer " + token}, "which one counts is not said", false},
			{"right twice in one header", []string{"Bearer " + token + ", Bearer " + token}, "not a credential", false},
			{"beginning", []string{"Bearer " + token[:15]}, "", false},
			{"more", []string{"Bearer " + token + "0"}, "", false},
			{"in capitals", []string{"Bearer " + strings.ToUpper(token)}, "tokens have case", false},
			{"as Basic", []string{basic(token)}, "another scheme", false},
			{"without a scheme", []string{token}, "", false},
		}, empty...),
		"Bearer, nothing":      append([]try{{"anything", []string{"Bearer " + token}, "", false}}, empty...),
		"nothing at all, zero": append([]try{{"anything", []string{right}, "", false}, {"a scheme of nothing", []string{" " + token}, "", false}}, empty...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, major := range protocols {
				t.Run("HTTP/"+strconv.Itoa(major), func(t *testing.T) {
					t.Parallel()
					h := newHook(t, major, auths[name], nil)
					for _, try := range tries {
						header := http.Header{}
						if try.authorization != nil {
							header["Authorization"] = try.authorization
						}
						resp := h.send(t, http.MethodPost, strings.NewReader(notified), header)
						assert.Equal(t, major, resp.ProtoMajor)
						if try.accepted {
							require.Equal(t, http.StatusOK, resp.StatusCode, "%s: %s", try.name, try.reason)
							assert.Equal(t, faultID, (<-h.received).SessionID)
							continue
						}
						h.assertRefused(t, resp, http.StatusUnauthorized)
						scheme, _, _ := strings.Cut(name, ",")
						if strings.Contains(name, "nothing") {
							scheme = ""
						}
						assert.Equal(t, scheme, resp.Header.Get("WWW-Authenticate"), "%s: %s", try.name, try.reason)
					}
				})
			}
		})
	}
}

// A faultNotification is a fault of a request, and the status that it is refused with. In this order: where several
// coincide, the first is the one that counts.
var faultNotifications = []struct {
	name   string
	status int
	spoil  func(method, body *string, header http.Header)
}{
	{"wrong credentials", http.StatusUnauthorized, func(_, _ *string, h http.Header) { h.Set("Authorization", basic("a:b")) }},
	{"PUT", http.StatusMethodNotAllowed, func(method, _ *string, _ http.Header) { *method = http.MethodPut }},
	{"a form", http.StatusUnsupportedMediaType, func(_, _ *string, h http.Header) {
		h.Set("Content-Type", "application/x-www-form-urlencoded")
	}},
	{"65537 bytes", http.StatusRequestEntityTooLarge, func(_, body *string, _ http.Header) {
		*body += strings.Repeat(" ", 64<<10+1-len(*body))
	}},
	{"broken JSON", http.StatusBadRequest, func(_, body *string, _ http.Header) {
		*body = strings.Replace(*body, "{", "[", 1)
	}},
}

func TestFaultsOfANotificationThatCoincide(t *testing.T) {
	t.Parallel()
	for _, major := range protocols {
		t.Run("HTTP/"+strconv.Itoa(major), func(t *testing.T) {
			t.Parallel()
			h := newHook(t, major, yotiface.BasicAuth(hookUser, hookPass), nil)
			for set := range 1 << len(faultNotifications) {
				method, body, header := http.MethodPost, notified, http.Header{
					"Authorization": {basic(hookUser + ":" + hookPass)}, "Content-Type": {"application/json"},
				}
				status, name := http.StatusOK, "none"
				for i := len(faultNotifications) - 1; i >= 0; i-- {
					if fault := faultNotifications[i]; set&(1<<i) != 0 {
						fault.spoil(&method, &body, header)
						status, name = fault.status, fault.name+", "+name
					}
				}
				resp := h.send(t, method, strings.NewReader(body), header)
				if status == http.StatusOK {
					require.Equal(t, status, resp.StatusCode)
					<-h.received
					continue
				}
				h.assertRefused(t, resp, status)
				assert.Equal(t, status == http.StatusMethodNotAllowed, resp.Header.Get("Allow") == http.MethodPost, name)
				assert.Equal(t, status == http.StatusUnauthorized, resp.Header.Get("Www-Authenticate") == "Basic", name)
			}
		})
	}
}

func TestMethodsThatAreNotPOST(t *testing.T) {
	t.Parallel()
	for _, major := range protocols {
		t.Run("HTTP/"+strconv.Itoa(major), func(t *testing.T) {
			t.Parallel()
			h := newHook(t, major, yotiface.BasicAuth(hookUser, hookPass), nil)
			for _, method := range []string{"GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "POSTS", "post"} {
				if method == "post" && major == 2 {
					continue // net/http sends it in capitals
				}
				resp := h.send(t, method, strings.NewReader(""), http.Header{"Authorization": {basic(hookUser + ":" + hookPass)}})
				h.assertRefused(t, resp, http.StatusMethodNotAllowed)
				assert.Equal(t, []string{"POST"}, resp.Header["Allow"], method)
			}
		})
	}
}

func TestContentTypesOfANotification(t *testing.T) {
	t.Parallel()
	for _, major := range protocols {
		t.Run("HTTP/"+strconv.Itoa(major), func(t *testing.T) {
			t.Parallel()
			h := newHook(t, major, yotiface.BasicAuth(hookUser, hookPass), nil)
			for contentType, accepted := range map[string]bool{
				"":                                true, // which the documentation does not rule out
				"application/json":                true,
				"application/json; charset=utf-8": true,
				"Application/JSON":                true,
				"application/vnd.yoti+json":       true,
				"text/plain":                      false,
				"text/json+x":                     false,
				"image/json":                      false,
				"application/jsonp":               false,
				"application/json, text/plain":    false,
				"multipart/form-data; boundary=x": false,
				"json":                            false,
				";;;":                             false,
			} {
				header := http.Header{"Authorization": {basic(hookUser + ":" + hookPass)}}
				if contentType != "" {
					header.Set("Content-Type", contentType)
				}
				resp := h.send(t, http.MethodPost, strings.NewReader(notified), header)
				if accepted {
					require.Equal(t, http.StatusOK, resp.StatusCode, contentType)
					<-h.received
				} else {
					h.assertRefused(t, resp, http.StatusUnsupportedMediaType)
				}
			}
		})
	}
}

func TestBodiesOfANotification(t *testing.T) {
	t.Parallel()
	full := func(n int) string { return notified + strings.Repeat(" ", n-len(notified)) }
	for _, test := range []struct {
		name, body string
		status     int
	}{
		{"64 KiB", full(64 << 10), http.StatusOK},
		{"one more", full(64<<10 + 1), http.StatusRequestEntityTooLarge},
		{"1 MiB", full(1 << 20), http.StatusRequestEntityTooLarge},
		{"1 MiB of garbage", strings.Repeat("[", 1<<20), http.StatusRequestEntityTooLarge},
		{"empty", "", http.StatusBadRequest},
		{"null", "null", http.StatusBadRequest},
		{"a list", "[" + notified + "]", http.StatusBadRequest},
		{"cut off", notified[:len(notified)-1], http.StatusBadRequest},
		{"two", notified + notified, http.StatusBadRequest},
		{"a byte order mark", "\xef\xbb\xbf" + notified, http.StatusBadRequest},
		{"invalid UTF-8", strings.Replace(notified, "session_completion", "\xff", 1), http.StatusBadRequest},
		{"a name twice", `{"session_id":"` + faultID + `","session_id":"` + faultFaceID + `"}`, http.StatusBadRequest},
		{"a name twice where nobody looks", `{"session_id":"` + faultID + `","x":{"y":1,"y":2}}`, http.StatusBadRequest},
		{"another case", `{"SESSION_ID":"` + faultID + `"}`, http.StatusBadRequest},
		{"no session", `{"topic":"session_completion"}`, http.StatusBadRequest},
		{"an empty session ID", `{"session_id":""}`, http.StatusBadRequest},
		{"a number for a session ID", `{"session_id":1}`, http.StatusBadRequest},
		{"null for a session ID", `{"session_id":null}`, http.StatusBadRequest},
		{"a path for a session ID", `{"session_id":"../applicants/x"}`, http.StatusBadRequest},
		{"a query in the session ID", `{"session_id":"x?sdkId=evil"}`, http.StatusBadRequest},
		{"nested deeply", `{"session_id":"` + faultID + `","x":` + strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000) + `}`, http.StatusBadRequest},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, major := range protocols {
				t.Run("HTTP/"+strconv.Itoa(major), func(t *testing.T) {
					t.Parallel()
					h := newHook(t, major, yotiface.BasicAuth(hookUser, hookPass), nil)
					for _, declared := range []bool{true, false} {
						var body io.ReadSeeker = strings.NewReader(test.body)
						if !declared {
							body = struct{ io.ReadSeeker }{body} // whose length net/http does not know
						}
						resp := h.send(t, http.MethodPost, body, http.Header{"Authorization": {basic(hookUser + ":" + hookPass)}})
						if test.status == http.StatusOK {
							require.Equal(t, test.status, resp.StatusCode)
							<-h.received
						} else {
							h.assertRefused(t, resp, test.status)
						}
					}
				})
			}
		})
	}
}

func TestNotificationsArePassedOn(t *testing.T) {
	t.Parallel()
	for _, major := range protocols {
		t.Run("HTTP/"+strconv.Itoa(major), func(t *testing.T) {
			t.Parallel()
			h := newHook(t, major, yotiface.BasicAuth(hookUser, hookPass), nil)
			all := []struct {
				body string
				want yotiface.Notification
			}{
				{`{"session_id":"2","topic":"session_completion"}`, yotiface.Notification{SessionID: "2", Topic: yotiface.TopicSessionCompletion}},
				{`{"session_id":"1","topic":"CHECK_COMPLETION","check_id":"c"}`, yotiface.Notification{SessionID: "1", Topic: yotiface.TopicCheckCompletion, CheckID: "c"}},
				{`{"session_id":"1","topic":"task_completion","task_id":"t"}`, yotiface.Notification{SessionID: "1", Topic: yotiface.TopicTaskCompletion, TaskID: "t"}},
				{`{"session_id":"1","topic":"resource_update","resource_id":"r"}`, yotiface.Notification{SessionID: "1", Topic: yotiface.TopicResourceUpdate, ResourceID: "r"}},
				{`{"session_id":"1","topic":"Face_Of_The_Year","new":{"a":[1,null]},"z":1.5}`, yotiface.Notification{SessionID: "1", Topic: "face_of_the_year"}},
				{`{"session_id":"1"}`, yotiface.Notification{SessionID: "1"}},
				{`{"session_id":"2","topic":"session_completion"}`, yotiface.Notification{SessionID: "2", Topic: yotiface.TopicSessionCompletion}}, // again
			}
			for _, n := range all {
				resp := h.send(t, http.MethodPost, strings.NewReader(n.body), http.Header{"Authorization": {basic(hookUser + ":" + hookPass)}})
				assert.Equal(t, http.StatusOK, resp.StatusCode)
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				assert.Empty(t, body)
				assert.Equal(t, n.want, <-h.received)
			}
		})
	}
}

func TestHandleThatFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		handle func(context.Context) error
	}{
		{"error", func(context.Context) error { return errors.New("WORD") }},
		{"refusal of its own", func(context.Context) error {
			return &yotiface.NotificationError{StatusCode: 200, Err: errors.New("WORD")}
		}},
		{"panic", func(context.Context) error { panic("WORD") }},
		{"panic with an error", func(context.Context) error { panic(errors.New("WORD")) }},
		{"panic with nil", func(context.Context) error { panic(nil) }},
		{"panic of net/http", func(context.Context) error { panic(http.ErrAbortHandler) }},
		{"nil pointer", func(context.Context) error { var n *yotiface.Notification; n.SessionID = "WORD"; return nil }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, major := range protocols {
				t.Run("HTTP/"+strconv.Itoa(major), func(t *testing.T) {
					t.Parallel()
					h := newHook(t, major, yotiface.BasicAuth(hookUser, hookPass), test.handle)
					resp := h.send(t, http.MethodPost, strings.NewReader(notified), http.Header{"Authorization": {basic(hookUser + ":" + hookPass)}})
					<-h.received
					assert.Equal(t, http.StatusInternalServerError, resp.StatusCode, "so that it is sent again")
					body, err := io.ReadAll(resp.Body)
					require.NoError(t, err)
					assert.Equal(t, "Internal Server Error\n", string(body), "no detail")
					assert.NotContains(t, fmt.Sprint(resp.Header), "WORD")

					resp = h.send(t, http.MethodPost, strings.NewReader(notified), http.Header{"Authorization": {basic(hookUser + ":" + hookPass)}})
					<-h.received
					assert.Equal(t, http.StatusInternalServerError, resp.StatusCode, "and it goes on")
					h.close()
					assert.Empty(t, h.log.String(), "nor in the server's log")
				})
			}
		})
	}
	t.Run("end of the goroutine", func(t *testing.T) { // as testing.T.FailNow does it
		t.Parallel()
		h := newHook(t, 1, yotiface.BasicAuth(hookUser, hookPass), func(context.Context) error { runtime.Goexit(); return nil })
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url, strings.NewReader(notified))
		require.NoError(t, err)
		req.Header.Set("Authorization", basic(hookUser+":"+hookPass))
		resp, err := h.client.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		require.ErrorIs(t, err, io.EOF, "no answer, which is no success either")
	})
	t.Run("nil", func(t *testing.T) {
		t.Parallel()
		assert.Panics(t, func() { yotiface.NewNotificationHandler(yotiface.BearerToken("token"), nil) })
	})
}

// An unreadBody fails the test when it is read.
type unreadBody struct{ t *testing.T }

func (b unreadBody) Read([]byte) (int, error) {
	b.t.Error("the body is read")
	return 0, io.EOF
}

func (b unreadBody) Close() error { return nil }

func TestBodyOfARefusedNotificationIsNotRead(t *testing.T) {
	t.Parallel()
	handler := yotiface.NewNotificationHandler(yotiface.BasicAuth(hookUser, hookPass), func(context.Context, yotiface.Notification) error {
		t.Error("handle is called")
		return nil
	})
	for _, fault := range faultNotifications[:4] {
		method, body, header := http.MethodPost, notified, http.Header{"Authorization": {basic(hookUser + ":" + hookPass)}}
		fault.spoil(&method, &body, header)
		req := httptest.NewRequestWithContext(t.Context(), method, "/yoti", unreadBody{t})
		req.Header, req.ContentLength = header, int64(len(body))
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		assert.Equal(t, fault.status, w.Code, fault.name)

		_, err := yotiface.ParseNotification(req, yotiface.BasicAuth(hookUser, hookPass))
		var refused *yotiface.NotificationError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, fault.status, refused.StatusCode)
	}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/yoti", http.NoBody)
	req.Header.Set("Authorization", basic(hookUser+":"+hookPass))
	req.Body = nil
	_, err := yotiface.ParseNotification(req, yotiface.BasicAuth(hookUser, hookPass))
	var refused *yotiface.NotificationError
	require.ErrorAs(t, err, &refused, "and one that is not there is no panic")
	assert.Equal(t, http.StatusBadRequest, refused.StatusCode)
}

// newPlainHook starts a server that speaks HTTP/1.1 over TCP, and returns how to reach it.
func newPlainHook(t *testing.T, handler http.Handler, timeout time.Duration) (address string) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ReadTimeout = timeout
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.Listener.Addr().String()
}

// speak sends a piece of HTTP over a new connection, and leaves it open.
func speak(t *testing.T, address, text string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute))) // rather than never
	_, err = io.WriteString(conn, text)
	require.NoError(t, err)
	return conn
}

// notification is a request on the wire, whose body may be another than it announces.
func notification(authorization, contentType, announced, body string) string {
	return "POST /yoti HTTP/1.1\r\nHost: example.com\r\nAuthorization: " + authorization + "\r\nContent-Type: " + contentType +
		"\r\n" + announced + "\r\n\r\n" + body
}

// Whoever is refused could keep the connection, and a goroutine with it, by sending a body that never ends.
func TestRefusalDoesNotWaitForTheBody(t *testing.T) {
	t.Parallel()
	right := basic(hookUser + ":" + hookPass)
	handler := yotiface.NewNotificationHandler(yotiface.BasicAuth(hookUser, hookPass), func(context.Context, yotiface.Notification) error {
		t.Error("handle is called")
		return nil
	})
	t.Run("a bare handler does", func(t *testing.T) {
		t.Parallel()
		address := newPlainHook(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no", http.StatusUnauthorized)
		}), time.Minute)
		conn := speak(t, address, notification(right, "application/json", "Content-Length: 60000", "{"))
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(200*time.Millisecond)))
		_, err := conn.Read(make([]byte, 1))
		var timeout net.Error
		require.ErrorAs(t, err, &timeout)
		assert.True(t, timeout.Timeout())
	})
	for _, test := range []struct {
		name, request string
		status        int
	}{
		{"401", notification(basic("a:b"), "application/json", "Content-Length: 60000", "{"), http.StatusUnauthorized},
		{"401, chunked", notification(basic("a:b"), "application/json", "Transfer-Encoding: chunked", "1\r\n{\r\n"), http.StatusUnauthorized},
		{"401, nothing of the body", notification(basic("a:b"), "application/json", "Content-Length: 60000", ""), http.StatusUnauthorized},
		{"405", strings.Replace(notification(right, "application/json", "Content-Length: 60000", "{"), "POST", "PUT", 1), http.StatusMethodNotAllowed},
		{"415", notification(right, "text/plain", "Content-Length: 60000", "{"), http.StatusUnsupportedMediaType},
		{"413", notification(right, "application/json", "Content-Length: 65537", "{"), http.StatusRequestEntityTooLarge},
		{"413, by a lie", notification(right, "application/json", "Content-Length: 9223372036854775807", "{"), http.StatusRequestEntityTooLarge},
		{"413, chunked", notification(right, "application/json", "Transfer-Encoding: chunked", "10001\r\n"+strings.Repeat(" ", 65537)), http.StatusRequestEntityTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			conn := speak(t, newPlainHook(t, handler, time.Hour), test.request)
			r := bufio.NewReader(conn)
			resp, err := http.ReadResponse(r, nil)
			require.NoError(t, err)
			assert.Equal(t, test.status, resp.StatusCode)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			resp.Body.Close()
			assert.Equal(t, http.StatusText(test.status)+"\n", string(body))
			_, err = r.ReadByte()
			require.Error(t, err)
			require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the server hangs up")
		})
	}
	t.Run("over HTTP/2", func(t *testing.T) {
		t.Parallel()
		h := newHook(t, 2, yotiface.BasicAuth(hookUser, hookPass), nil)
		body, w := io.Pipe()
		defer func() { _ = w.Close() }()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url, body)
		require.NoError(t, err)
		resp, err := h.client.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		assert.Equal(t, 2, resp.ProtoMajor)
		h.assertRefused(t, resp, http.StatusUnauthorized)
	})
	// A client that asks first is told without sending anything.
	t.Run("Expect: 100-continue", func(t *testing.T) {
		t.Parallel()
		conn := speak(t, newPlainHook(t, handler, time.Hour), notification(basic("a:b"), "application/json", "Content-Length: 60000\r\nExpect: 100-continue", ""))
		line, err := bufio.NewReader(conn).ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, "HTTP/1.1 401 Unauthorized\r\n", line, "and not 100 Continue")
	})
}

// A body that does not arrive is the server's to end, with its ReadTimeout.
func TestHandleIsNotStartedForHalfABody(t *testing.T) {
	t.Parallel()
	right := basic(hookUser + ":" + hookPass)
	handler := yotiface.NewNotificationHandler(yotiface.BasicAuth(hookUser, hookPass), func(context.Context, yotiface.Notification) error {
		t.Error("handle is called")
		return nil
	})
	requests := map[string]string{
		"Content-Length":       notification(right, "application/json", "Content-Length: 1000", notified),
		"chunked":              notification(right, "application/json", "Transfer-Encoding: chunked", fmt.Sprintf("%x\r\n%s\r\n", len(notified), notified)),
		"broken chunks":        notification(right, "application/json", "Transfer-Encoding: chunked", fmt.Sprintf("%x\r\n%s\r\nWORD\r\n", len(notified), notified)),
		"less is announced":    notification(right, "application/json", "Content-Length: 10", notified),
		"all but the last one": notification(right, "application/json", fmt.Sprintf("Content-Length: %d", len(notified)), notified[:len(notified)-1]),
	}
	for name, request := range requests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Run("and the client waits", func(t *testing.T) {
				t.Parallel()
				conn := speak(t, newPlainHook(t, handler, 100*time.Millisecond), request)
				answer, err := io.ReadAll(conn)
				require.NoError(t, err, "the server hangs up")
				assert.NotContains(t, string(answer), "200 OK")
			})
			t.Run("and the client hangs up", func(t *testing.T) {
				t.Parallel()
				conn := speak(t, newPlainHook(t, handler, time.Hour), request)
				require.NoError(t, conn.(*net.TCPConn).CloseWrite())
				answer, err := io.ReadAll(conn)
				require.NoError(t, err)
				assert.NotContains(t, string(answer), "200 OK")
			})
		})
	}
}

// Its context is the request's, so a client that has gone can be noticed.
func TestHandleLearnsThatTheClientHasGone(t *testing.T) {
	t.Parallel()
	for _, major := range protocols {
		t.Run("HTTP/"+strconv.Itoa(major), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			noticed := make(chan error, 1)
			h := newHook(t, major, yotiface.BearerToken("token"), func(ctx context.Context) error {
				cancel()
				<-ctx.Done()
				noticed <- ctx.Err()
				return ctx.Err()
			})
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, strings.NewReader(notified))
			require.NoError(t, err)
			req.Header.Set("Authorization", "Bearer token")
			resp, err := h.client.Do(req)
			if err == nil {
				resp.Body.Close()
			}
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, <-noticed, context.Canceled)
		})
	}
}
