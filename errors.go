package yotiface

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// What an error is, for [errors.Is]. The first eight are matched by an [*APIError] of their status.
var (
	ErrBadRequest    = errors.New("bad request")         // 400
	ErrUnauthorized  = errors.New("unauthorized")        // 401: SDK ID, key and signature do not fit
	ErrForbidden     = errors.New("forbidden")           // 403: the SDK ID may not use this service
	ErrNotFound      = errors.New("not found")           // 404
	ErrConflict      = errors.New("conflict")            // 409: expired, locked, or not finished yet
	ErrUnprocessable = errors.New("unprocessable")       // 422: such as an image without a usable face
	ErrRateLimited   = errors.New("rate limited")        // 429
	ErrUnavailable   = errors.New("service unavailable") // 5xx
	ErrNoContent     = errors.New("answered no content") // 204 where content is due
	ErrNotAnImage    = errors.New("not an image")        // of a face or media, received or to be sent

	// ErrInvalidArgument is a mistake of the caller that was found before anything was sent.
	ErrInvalidArgument = errors.New("invalid argument")

	// ErrResponseTooLarge is an answer larger than [WithMaxResponseBytes] allows.
	ErrResponseTooLarge = errors.New("response too large")
)

// An APIError is an answer of the service, or of something on the way to it, that is not a success. It matches the
// sentinel of its status with [errors.Is].
//
// Its text is one line without IDs, whatever the service wrote; the fields are as received. Where the body was not
// Yoti's error JSON, Code, Message and Errors are empty.
type APIError struct {
	StatusCode int
	Code       string        // such as "PAYLOAD_VALIDATION"
	Message    string        // as received: it may hold IDs, so log the error and not the field
	Errors     []FieldError  // what is wrong with which part of the request
	Method     string        // such as "GET"
	Endpoint   string        // the template, such as "/sessions/{session_id}"
	RetryAfter time.Duration // how long the service asks to wait; 0 where it does not say
	Body       []byte        // at most 4 KiB of what was received; never printed

	notJSON string        // what the body was if it was not Yoti's JSON
	ahead   time.Duration // by how much this machine's clock is, if it is enough to speak of
	hide    *secrets      // what the text must not repeat
}

// FieldError is one entry of an APIError's Errors.
type FieldError struct {
	Property string `json:"property"` // free text, such as "requested_checks"
	Message  string `json:"message"`
}

// Error says which call failed, what came back in the service's words, and what to try.
func (e *APIError) Error() string {
	text := fmt.Sprintf("yotiface: %s %s: %d", e.Method, e.Endpoint, e.StatusCode)
	if status := http.StatusText(e.StatusCode); status != "" {
		text += " " + status
	}
	if e.Code != "" {
		text += ": " + e.words(e.Code)
	}
	if e.Message != "" {
		text += ": " + e.words(e.Message)
	}
	for i, f := range e.Errors {
		if i == maxFieldErrors {
			text += fmt.Sprintf("; and %d more", len(e.Errors)-i)
			break
		}
		text += "; " + e.words(f.Property) + ": " + e.words(f.Message)
	}
	if e.notJSON != "" {
		text += ": the body is " + e.notJSON
	}
	if advice := e.advice(); advice != "" {
		text = shorten(text, maxErrorText-len(advice)-len(" ()")) + " (" + advice + ")"
	}
	return shorten(text, maxErrorText)
}

// maxFieldErrors is how many field errors are printed.
const maxFieldErrors = 3

func (e *APIError) words(text string) string { return shorten(e.hide.mask(text), 160) }

// advice says what to try, where experience tells.
func (e *APIError) advice() string {
	switch e.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		if bytes.HasPrefix(bytes.TrimSpace(e.Body), []byte("<")) { // a page
			return "it may come from something on the way, so check the proxy and the base URL"
		}
	}
	switch e.StatusCode {
	case http.StatusUnauthorized:
		switch {
		case e.Code == "INVALID_NONCE" || e.Code == "INVALID_YOTI_AUTH_DIGEST":
			return "check that nothing between here and Yoti, such as an HTTP client's transport, changes or repeats requests"
		case e.ahead != 0 && e.Code == "INVALID_TIMESTAMP":
			return "set the clock of this machine: it is " + offBy(e.ahead)
		}
		advice := "check that the key is the newest one of the application with this SDK ID, that the base URL is that of its " +
			"environment, sandbox or production, and the clock"
		if e.ahead != 0 {
			advice += ": it is " + offBy(e.ahead)
		}
		return advice
	case http.StatusForbidden:
		return "ask Yoti to enable this service for the SDK ID"
	case http.StatusNotFound:
		if e.Code == "APP_NOT_FOUND" {
			return "check that the base URL is that of the SDK ID's environment, sandbox or production"
		}
		return "unknown ID, already deleted, of another kind or application, or a wrong base URL"
	case http.StatusProxyAuthRequired:
		return "the proxy wants credentials, put them into its URL"
	case http.StatusConflict:
		return "not finished yet, expired, or locked"
	case http.StatusUnprocessableEntity:
		return "check that the image shows one clear face"
	case http.StatusTooManyRequests:
		if e.RetryAfter > 0 {
			return fmt.Sprintf("too many requests, wait %s", e.RetryAfter)
		}
		return "too many requests, slow down"
	}
	switch e.StatusCode / 100 {
	case 3:
		return "redirects are not followed, check the base URL"
	case 5:
		return "the service or a proxy before it failed, try again later"
	}
	return ""
}

// Is matches the sentinel of the status.
func (e *APIError) Is(target error) bool {
	switch e.StatusCode {
	case http.StatusBadRequest:
		return target == ErrBadRequest
	case http.StatusUnauthorized:
		return target == ErrUnauthorized
	case http.StatusForbidden:
		return target == ErrForbidden
	case http.StatusNotFound:
		return target == ErrNotFound
	case http.StatusConflict:
		return target == ErrConflict
	case http.StatusUnprocessableEntity:
		return target == ErrUnprocessable
	case http.StatusTooManyRequests:
		return target == ErrRateLimited
	}
	return e.StatusCode/100 == 5 && target == ErrUnavailable
}

// Format prints the text of the error, whatever the verb.
func (e APIError) Format(f fmt.State, verb rune) { formatAs(f, verb, e.Error()) }

// MarshalText returns the text of the error, so that a log handler that encodes a struct around it has that and no more.
func (e APIError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// newAPIError reads the service's error JSON as far as it is one.
func newAPIError(a *answer) *APIError {
	body, now := a.readError(), time.Now()
	e := &APIError{
		StatusCode: a.StatusCode,
		Method:     a.method,
		Endpoint:   a.endpoint,
		RetryAfter: retryAfter(a.Header, now),
		Body:       bytes.Clone(body[:min(len(body), maxKeptErrorBody)]),
		ahead:      clockAhead(a.Header, now),
		hide:       a.hide,
	}
	var fields struct {
		Code    string          `json:"code"`
		Message string          `json:"message"`
		Errors  json.RawMessage `json:"errors"`
	}
	// Read leniently: nothing is decided on these words, and half of them are better than none.
	_ = json.Unmarshal(body, &fields)
	e.Code, e.Message = fields.Code, fields.Message
	if json.Unmarshal(fields.Errors, &e.Errors) != nil {
		e.Errors = nil
	}
	if e.Code == "" && e.Message == "" && len(e.Errors) == 0 {
		e.notJSON = fmt.Sprintf("not an error of Yoti's (%s, %s)", a.contentType(), atLeast(len(body)))
	}
	return e
}

// clockAhead is by how much this machine's clock is ahead of the one that dated the answer; 0 for what is too little to
// matter, and for what is no date of today.
func clockAhead(h http.Header, now time.Time) time.Duration {
	const least, most = time.Minute, 10 * 365 * 24 * time.Hour
	date, err := http.ParseTime(h.Get("Date"))
	ahead := now.Sub(date)
	if err != nil || ahead.Abs() < least || ahead.Abs() > most {
		return 0
	}
	return ahead
}

func offBy(ahead time.Duration) string {
	if ahead < 0 {
		return (-ahead).Round(time.Minute).String() + " behind the service's"
	}
	return ahead.Round(time.Minute).String() + " ahead of the service's"
}

const (
	// maxErrorBody is how much of an error's body is read, and maxKeptErrorBody how much of it an APIError keeps.
	maxErrorBody     = 64 << 10
	maxKeptErrorBody = 4 << 10
)

func atLeast(n int) string {
	if n >= maxErrorBody {
		return fmt.Sprintf("%d bytes or more", maxErrorBody)
	}
	return fmt.Sprintf("%d bytes", n)
}

// A DecodeError is a successful answer whose body is not the JSON that it should be, or not of the object that was asked
// for. There is no value beside it.
type DecodeError struct {
	Method   string // such as "GET"; "" where a value was decoded without a call
	Endpoint string // the template, such as "/sessions/{session_id}"
	Path     string // JSON pointer to what was wrong, "" where unknown
	Body     []byte // at most 64 KiB of what was received, empty for faces; never printed
	Err      error  // the decoder's error; it may quote the body, so it is not printed

	reason string
	hide   *secrets
}

// Error says where the JSON is wrong and how, without quoting it.
func (e *DecodeError) Error() string {
	text := "yotiface: "
	if e.Endpoint != "" {
		text += e.Method + " " + e.Endpoint + ": "
	}
	text += "the answer cannot be read"
	if e.reason != "" {
		text += ": " + e.reason
	}
	if e.Path != "" {
		text += " at " + shorten(e.hide.mask(e.Path), 120)
	}
	return shorten(text, maxErrorText)
}

// Unwrap returns the decoder's error.
func (e *DecodeError) Unwrap() error { return e.Err }

// Format prints the text of the error, whatever the verb.
func (e DecodeError) Format(f fmt.State, verb rune) { formatAs(f, verb, e.Error()) }

// MarshalText returns the text of the error, so that a log handler that encodes a struct around it has that and no more.
func (e DecodeError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// A callError puts the name of a call before what went wrong in it.
type callError struct {
	method, endpoint string
	text             string // safe to print, unlike that of err
	err              error
}

func (e *callError) Error() string {
	return shorten(fmt.Sprintf("yotiface: %s %s: %s", e.method, e.endpoint, e.text), maxErrorText)
}
func (e *callError) Unwrap() error                 { return e.err }
func (e *callError) Timeout() bool                 { return isTimeout(e.err) }
func (e *callError) Format(f fmt.State, verb rune) { formatAs(f, verb, e.Error()) }

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// maxErrorText is how long the text of an error may be, in bytes.
const maxErrorText = 500

// telltale finds what the text of an error must never hold: UUIDs, URLs, and anything as long as a signature or a token.
var telltale = regexp.MustCompile(`(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}|[a-z][a-z0-9+.-]*://\S+|[a-z0-9+/=_.-]{64,}`)

// secrets are what a call must not tell: its IDs, and what proves who sent it. They are kept behind a pointer, where also
// a verb that is not meant for errors does not find them.
type secrets struct {
	proof
	ids []string
}

func (s *secrets) mask(text string) string {
	if s == nil {
		return mask(text, nil)
	}
	return mask(text, append([]string{s.sdkID, s.nonce, s.timestamp, s.digest}, s.ids...))
}

// mask replaces UUIDs, URLs, long tokens and the given secrets in text by "…".
func mask(text string, secrets []string) string {
	longestFirst := slices.SortedFunc(slices.Values(secrets), func(a, b string) int { return len(b) - len(a) })
	for _, secret := range longestFirst { // one may begin like another
		if secret != "" && containsFold(text, secret) {
			text = regexp.MustCompile(`(?i)`+regexp.QuoteMeta(secret)).ReplaceAllLiteralString(text, "…")
		}
	}
	return telltale.ReplaceAllString(text, "…")
}

func containsFold(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}

// shorten makes text one printable line of at most limit bytes.
func shorten(text string, limit int) string {
	text = printable(text)
	if len(text) <= limit {
		return text
	}
	cut := limit - len("…")
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// printable replaces what would break a line or a terminal by a space.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
}

// formatAs prints text in place of a value, whatever the verb.
func formatAs(f fmt.State, verb rune, text string) { fmt.Fprintf(f, fmt.FormatString(f, verb), text) }
