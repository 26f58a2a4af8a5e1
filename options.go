package yotiface

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// An Option changes a default of [NewClient].
type Option func(*config) error

// config is what the options fill.
type config struct {
	baseURL          string
	http             *http.Client
	retry            RetryPolicy
	attemptTimeout   time.Duration
	maxResponseBytes int64
	logger           *slog.Logger
	userAgent        string
}

const defaultBaseURL = "https://api.yoti.com/idverify/v1"

func defaultConfig() config {
	return config{
		baseURL:          defaultBaseURL,
		http:             &http.Client{Transport: sharedTransport},
		retry:            defaultRetryPolicy,
		attemptTimeout:   30 * time.Second,
		maxResponseBytes: 32 << 20,
		logger:           slog.New(slog.DiscardHandler),
		userAgent:        "yotiface/" + Version,
	}
}

// WithBaseURL sets where the service is; the default is https://api.yoti.com/idverify/v1, and Yoti's sandbox is at
// https://api.yoti.com/sandbox/idverify/v1. Plain http is accepted only to a loopback host. A trailing slash is trimmed; a
// query, a fragment or user information is refused.
func WithBaseURL(rawURL string) Option {
	return func(c *config) error {
		u, err := url.Parse(rawURL)
		switch {
		case err != nil:
			return invalid("the base URL cannot be parsed") // the parser's error repeats the URL
		case strings.ContainsFunc(rawURL, unicode.IsSpace):
			return invalid("the base URL holds white space")
		case u.User != nil:
			return invalid("the base URL holds user information")
		case u.RawQuery != "" || u.ForceQuery:
			return invalid("the base URL has a query")
		case u.Fragment != "" || strings.HasSuffix(rawURL, "#"):
			return invalid("the base URL has a fragment")
		case u.Hostname() == "":
			return invalid("the base URL names no host; it should look like https://api.yoti.com/idverify/v1")
		case u.Scheme == "http" && !isLoopback(u.Hostname()):
			return invalid("the base URL is plain http to a host that is not this machine; use https")
		case u.Scheme != "http" && u.Scheme != "https":
			return invalid("the base URL is neither https nor http")
		}
		c.baseURL = strings.TrimRight(u.String(), "/")
		return nil
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || (ip != nil && ip.IsLoopback())
}

// WithHTTPClient makes the client send through hc: its Transport, Jar and Timeout are used. Redirects are never followed,
// whatever its CheckRedirect says. hc is copied for each attempt and never changed, so a mock can be activated on it
// before or after NewClient.
//
// The default has a transport of the package, which speaks HTTP/1.1 and keeps enough idle connections for hundreds of
// callers; [http.DefaultTransport] keeps two. [Transport] returns it, to be wrapped.
func WithHTTPClient(hc *http.Client) Option {
	return func(c *config) error {
		if hc == nil {
			return invalid("the HTTP client is nil")
		}
		c.http = hc
		return nil
	}
}

// WithRetryPolicy sets what is tried again; see [RetryPolicy] for the defaults. Negative values and a MinBackoff above
// MaxBackoff are refused.
func WithRetryPolicy(p RetryPolicy) Option {
	return func(c *config) (err error) {
		c.retry, err = p.withDefaults()
		return err
	}
}

// WithAttemptTimeout sets how long one attempt may take, its body included; the default is 30 seconds. For how long a call
// may take as a whole, give its context a deadline.
func WithAttemptTimeout(d time.Duration) Option {
	return func(c *config) error {
		if d <= 0 {
			return invalid("the attempt timeout is not positive")
		}
		c.attemptTimeout = d
		return nil
	}
}

// WithMaxResponseBytes sets how large an answer may be, counted after decompression; the default is 32 MiB. A larger one
// is [ErrResponseTooLarge].
func WithMaxResponseBytes(n int64) Option {
	return func(c *config) error {
		if n <= 0 {
			return invalid("the response limit is not positive")
		}
		c.maxResponseBytes = n
		return nil
	}
}

// WithLogger makes the client write a debug record of every attempt, with the context of the call: method and endpoint
// template, status, duration, which try it was, and the error where there was no complete answer; no IDs. Without it, or with
// nil, nothing is logged.
func WithLogger(l *slog.Logger) Option {
	return func(c *config) error {
		if l == nil {
			l = slog.New(slog.DiscardHandler)
		}
		c.logger = l
		return nil
	}
}

// WithUserAgent puts a product, such as "acme-casino/1.2", before the library's own name and version in the User-Agent.
// Anything but printable ASCII is refused.
func WithUserAgent(product string) Option {
	return func(c *config) error {
		if product == "" || strings.ContainsFunc(product, func(r rune) bool { return r < ' ' || r > '~' }) {
			return invalid("the user agent is empty or not printable ASCII")
		}
		c.userAgent = product + " yotiface/" + Version
		return nil
	}
}

// invalid makes an error that matches ErrInvalidArgument. What it says must not repeat the argument.
func invalid(format string, args ...any) error {
	return fmt.Errorf("yotiface: %w: %s", ErrInvalidArgument, fmt.Sprintf(format, args...))
}
