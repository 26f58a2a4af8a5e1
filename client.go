package yotiface

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// Version is the version of this library, as sent in the User-Agent.
const Version = "0.1.0"

// A Client asks Yoti's identity-verification service. It is made by [NewClient], never changes, and is safe for concurrent
// use; one for each application is enough.
type Client struct {
	config
	signer *signer
	route  atomic.Pointer[applicantRoute] // where applicants are read, once an answer has told
}

// NewClient returns a client for the application with an SDK ID and its private key, the contents of the .pem file from
// the Yoti Hub: RSA of at least 2048 bits, PKCS #1 or PKCS #8. The key is read before NewClient returns; pemKey can be
// overwritten then.
//
// Whatever is wrong with an argument or an option matches [ErrInvalidArgument], and says what was given instead.
func NewClient(sdkID string, pemKey []byte, opts ...Option) (*Client, error) {
	if strings.Contains(sdkID, "-----BEGIN") {
		return nil, invalid("the SDK ID holds a key; are the arguments swapped?")
	}
	if err := checkID("the SDK ID", sdkID); err != nil {
		return nil, err
	}
	key, err := parseKey(pemKey)
	if err != nil {
		return nil, err
	}
	c := &Client{config: defaultConfig()}
	for _, opt := range opts {
		if opt == nil {
			return nil, invalid("an option is nil")
		}
		if err := opt(&c.config); err != nil {
			return nil, err
		}
	}
	c.signer = &signer{key: key, sdkID: sdkID, baseURL: c.baseURL}
	return c, nil
}

// The environment variables that [NewClientFromEnv] reads; the official SDKs use the same.
const (
	envSDKID   = "YOTI_CLIENT_SDK_ID"
	envKeyFile = "YOTI_KEY_FILE_PATH"
	envBaseURL = "YOTI_DOC_SCAN_API_URL"
)

// NewClientFromEnv returns a client for the SDK ID in YOTI_CLIENT_SDK_ID and the key in the file that YOTI_KEY_FILE_PATH
// names. YOTI_DOC_SCAN_API_URL, if set, is the base URL, unless an option says otherwise. Nothing else in this package
// reads the environment, but for the proxy settings that net/http knows.
//
// What is missing or wrong matches [ErrInvalidArgument]; a file that cannot be read also matches the file system's error,
// such as [fs.ErrNotExist].
func NewClientFromEnv(opts ...Option) (*Client, error) {
	sdkID := os.Getenv(envSDKID)
	if sdkID == "" {
		return nil, invalid("%s is not set; it holds the SDK ID of the application", envSDKID)
	}
	path := os.Getenv(envKeyFile)
	if path == "" {
		return nil, invalid("%s is not set; it names the .pem file of the application's key", envKeyFile)
	}
	if strings.Contains(path, "-----BEGIN") {
		return nil, invalid("%s holds a key; it should hold the path of the key's file", envKeyFile)
	}
	pemKey, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	if rawURL := os.Getenv(envBaseURL); rawURL != "" {
		opts = append([]Option{WithBaseURL(rawURL)}, opts...)
	}
	return NewClient(sdkID, pemKey, opts...)
}

// readKeyFile reads a key. Its errors name the variable and not the path, which may be anything that somebody pasted.
func readKeyFile(path string) ([]byte, error) {
	const most = 64 << 10      // no key is longer
	file, err := os.Open(path) //nolint:gosec // G304: the caller's environment names its own key
	if err == nil {
		var pemKey []byte
		pemKey, err = io.ReadAll(io.LimitReader(file, most))
		_ = file.Close()
		if err == nil {
			return pemKey, nil
		}
	}
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	return nil, fmt.Errorf("yotiface: %w: the file that %s names cannot be read: %w", ErrInvalidArgument, envKeyFile, err)
}

// CloseIdleConnections closes the connections that no call is using, for tests that count them and for shutdown. Without
// [WithHTTPClient] these are the connections of all clients of the process.
func (c *Client) CloseIdleConnections() {
	if c != nil && c.http != nil {
		c.http.CloseIdleConnections()
	}
}

// Format prints where the client sends its requests, whatever the verb, and no more.
func (c *Client) Format(f fmt.State, verb rune) {
	if c == nil || c.signer == nil {
		formatAs(f, verb, "yotiface.Client{}")
		return
	}
	formatAs(f, verb, "yotiface.Client{"+c.baseURL+"}")
}

// LogValue does for log/slog what Format does for fmt.
func (c *Client) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// A request is one call of the service: the template of its path, the IDs that fill it, and the JSON to send.
type request struct {
	method   string
	endpoint string   // such as "/sessions/{session_id}"
	ids      []string // in the order of the template
	body     []byte   // nil for none
	accept   string   // the content type to ask for; "" for JSON
}

// path fills the template. An ID that cannot be one is refused here, for every call: unescaped in a path, it could change
// what is signed and asked.
func (r request) path() (string, error) {
	path := r.endpoint
	for _, id := range r.ids {
		before, rest, _ := strings.Cut(path, "{")
		name, after, _ := strings.Cut(rest, "}")
		if err := checkID("the "+strings.TrimSuffix(name, "_id")+" ID", id); err != nil {
			return "", err
		}
		path = before + id + after
	}
	return path, nil
}

// remove is the road of a call that deletes.
func (c *Client) remove(ctx context.Context, endpoint string, ids ...string) error {
	return c.do(ctx, request{method: http.MethodDelete, endpoint: endpoint, ids: ids}, nil)
}

// do is the road of every call: attempt it, and again as far as the retry policy goes. accept reads a success; it is nil
// where the service has nothing to say, and is called anew for every attempt that gets so far.
func (c *Client) do(ctx context.Context, r request, accept func(*answer) error) error {
	switch {
	case ctx == nil:
		return invalid("the context is nil")
	case c == nil || c.signer == nil:
		return invalid("the client was not made by NewClient")
	}
	path, err := r.path()
	if err != nil {
		return err
	}
	var last error // of the attempts that the context did not end
	for attempt := 1; ; attempt++ {
		if ctx.Err() != nil {
			return newStoppedError(ctx, r, attempt-1, last)
		}
		err := c.attempt(ctx, r, path, attempt, accept)
		if err == nil {
			return nil
		}
		if lost, ok := errors.AsType[*sinkError](err); ok {
			return lost.err
		}
		answer, answered := errors.AsType[*APIError](err)
		if answered || ctx.Err() == nil {
			last = err
		}
		if ctx.Err() != nil {
			return newStoppedError(ctx, r, attempt, last)
		}
		if answered && r.method == http.MethodDelete && answer.StatusCode == http.StatusNotFound && attempt > 1 {
			return nil // an earlier attempt has done it
		}
		wait, again := c.retry.next(r.method, attempt, err)
		if again && !endsBefore(ctx, wait) && pause(ctx, wait) {
			continue
		}
		switch {
		case ctx.Err() != nil:
			return newStoppedError(ctx, r, attempt, last)
		case attempt > 1:
			return &repeatedError{attempt, err}
		}
		return err
	}
}

// attempt makes one attempt: sign, send, check the status, hand the answer to accept.
func (c *Client) attempt(ctx context.Context, r request, path string, try int, accept func(*answer) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, c.attemptTimeout)
	defer cancel()
	status, start := 0, time.Now()
	defer func() { c.log(ctx, r, try, status, time.Since(start), err) }()

	header := http.Header{"Accept": {cmp.Or(r.accept, "application/json")}, "User-Agent": {c.userAgent}}
	if r.body != nil {
		header.Set("Content-Type", "application/json")
	}
	req, proof, err := c.signer.sign(ctx, r.method, path, header, r.body)
	if err != nil {
		return &callError{r.method, r.endpoint, "the request cannot be signed", err}
	}
	hide := &secrets{proof, r.ids}
	resp, err := c.send(req)
	if err != nil {
		return newTransportError(ctx, r, hide, err)
	}
	defer resp.Body.Close()
	status = resp.StatusCode
	a := newAnswer(ctx, r, resp, hide, c.maxResponseBytes)
	success := status >= 200 && status <= 299
	if !success || accept == nil {
		// The status has decided. What follows it is worth some time, but not all of the attempt's.
		defer time.AfterFunc(afterStatus, cancel).Stop()
	}
	if !success {
		return newAPIError(a)
	}
	if accept == nil {
		a.drain() // for the connection's sake
		return nil
	}
	if err := a.acceptable(); err != nil {
		return err
	}
	return a.named(accept(a))
}

// afterStatus is how long the body of an answer is waited for whose status says all that counts.
const afterStatus = 2 * time.Second

// send sends a request through a copy of the HTTP client. The copy is made here and not in NewClient, so that a mock that
// replaces the transport afterwards is seen.
func (c *Client) send(req *http.Request) (*http.Response, error) {
	hc := *c.http
	hc.Transport = unredirected{hc.Transport}
	return hc.Do(req)
}

// log records one attempt, without anything that identifies a person. The error is that of a transport that gave no
// complete answer: the caller may never see it, as another attempt follows.
func (c *Client) log(ctx context.Context, r request, try, status int, took time.Duration, err error) {
	if !c.logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", r.method), slog.String("endpoint", r.endpoint),
		slog.Int("status", status), slog.Duration("duration", took), slog.Int("try", try),
	}
	if broken, ok := errors.AsType[*transportError](err); ok {
		attrs = append(attrs, slog.String("error", shorten(broken.text, maxErrorText)))
	}
	c.logger.LogAttrs(ctx, slog.LevelDebug, "yotiface: attempt", attrs...)
}
