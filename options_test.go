package yotiface_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
)

func TestOptionsThatAreRefused(t *testing.T) {
	t.Parallel()
	policy := func(attempts int, lowest, highest time.Duration) yotiface.Option {
		return yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxAttempts: attempts, MinBackoff: lowest, MaxBackoff: highest})
	}
	for _, test := range []struct {
		name, reason string
		opt          yotiface.Option
		says         string
	}{
		{"nil", "a condition that was not met", nil, "an option is nil"},

		{"base URL: empty", "a variable that was not set", yotiface.WithBaseURL(""), "the base URL names no host"},
		{"base URL: path only", "half of it", yotiface.WithBaseURL("/idverify/WORD"), "the base URL names no host"},
		{"base URL: no scheme", "as browsers show it", yotiface.WithBaseURL("api.yoti.com/WORD"), "the base URL names no host"},
		{"base URL: no scheme, but a port", "the host reads as a scheme", yotiface.WithBaseURL("localhost:8080/WORD"), "the base URL names no host"},
		{"base URL: no host", "a host that was not filled in", yotiface.WithBaseURL("https:///WORD"), "the base URL names no host"},
		{"base URL: port only", "a host that was not filled in", yotiface.WithBaseURL("https://:443/WORD"), "the base URL names no host"},
		{"base URL: no slashes", "opaque to net/url", yotiface.WithBaseURL("https:api.yoti.com/WORD"), "the base URL names no host"},
		{"base URL: broken host", "the parser would quote it", yotiface.WithBaseURL("https://[::1/WORD"), "the base URL cannot be parsed"},
		{"base URL: broken escape", "the parser would quote it", yotiface.WithBaseURL("https://api.yoti.com/WORD%zz"), "the base URL cannot be parsed"},
		{"base URL: line end", "read from a file", yotiface.WithBaseURL("https://api.yoti.com/WORD\n"), "the base URL cannot be parsed"},
		{"base URL: leading space", "pasted", yotiface.WithBaseURL(" https://api.yoti.com/WORD"), "the base URL cannot be parsed"},
		{"base URL: file", "no service is there", yotiface.WithBaseURL("file://host/WORD"), "the base URL is neither https nor http"},
		{"base URL: ftp", "no service is there", yotiface.WithBaseURL("ftp://localhost/WORD"), "the base URL is neither https nor http"},
		{"base URL: web socket", "no service is there", yotiface.WithBaseURL("wss://api.yoti.com/WORD"), "the base URL is neither https nor http"},
		{"base URL: plain http", "signatures and faces in the clear", yotiface.WithBaseURL("http://WORD.yoti.com/idverify/v1"), "the base URL is plain http to a host that is not this machine"},
		{"base URL: plain http in capitals", "the scheme has no case", yotiface.WithBaseURL("HTTP://WORD.yoti.com"), "the base URL is plain http"},
		{"base URL: plain http in the local network", "still a network", yotiface.WithBaseURL("http://192.168.0.1/WORD"), "the base URL is plain http"},
		{"base URL: plain http to all addresses", "no loopback address", yotiface.WithBaseURL("http://0.0.0.0/WORD"), "the base URL is plain http"},
		{"base URL: plain http, localhost in front", "another host", yotiface.WithBaseURL("http://localhost.WORD.example"), "the base URL is plain http"},
		{"base URL: plain http, localhost behind", "whoever answers for that name", yotiface.WithBaseURL("http://WORD.localhost"), "the base URL is plain http"},
		{"base URL: plain http, loopback in front", "another host", yotiface.WithBaseURL("http://127.0.0.1.WORD.example"), "the base URL is plain http"},
		{"base URL: plain http, odd number", "not everybody reads it as loopback", yotiface.WithBaseURL("http://0177.0.0.1/WORD"), "the base URL is plain http"},
		{"base URL: user", "would be sent, and printed", yotiface.WithBaseURL("https://WORD@api.yoti.com"), "the base URL holds user information"},
		{"base URL: password", "would be sent, and printed", yotiface.WithBaseURL("https://me:WORD@api.yoti.com"), "the base URL holds user information"},
		{"base URL: empty user", "a host that looks like a user", yotiface.WithBaseURL("https://@api.yoti.com/WORD"), "the base URL holds user information"},
		{"base URL: query", "the signed parameters follow", yotiface.WithBaseURL("https://api.yoti.com/v1?key=WORD"), "the base URL has a query"},
		{"base URL: empty query", "the signed parameters follow", yotiface.WithBaseURL("https://api.yoti.com/WORD?"), "the base URL has a query"},
		{"base URL: fragment", "would cut the parameters off", yotiface.WithBaseURL("https://api.yoti.com/v1#WORD"), "the base URL has a fragment"},
		{"base URL: empty fragment", "would cut the parameters off", yotiface.WithBaseURL("https://api.yoti.com/WORD#"), "the base URL has a fragment"},

		{"HTTP client: nil", "never set", yotiface.WithHTTPClient(nil), "the HTTP client is nil"},

		{"retries: negative attempts", "means nothing", policy(-1, 0, 0), "the retry policy has a negative value"},
		{"retries: negative MinBackoff", "means nothing", policy(0, -1, 0), "the retry policy has a negative value"},
		{"retries: negative MaxBackoff", "means nothing", policy(0, 0, -1), "the retry policy has a negative value"},
		{"retries: swapped", "a mistake", policy(0, 2*time.Second, time.Second), "a MinBackoff of 2s above its MaxBackoff of 1s"},

		{"attempt timeout: zero", "means nothing", yotiface.WithAttemptTimeout(0), "the attempt timeout is not positive"},
		{"attempt timeout: negative", "means nothing", yotiface.WithAttemptTimeout(-time.Second), "the attempt timeout is not positive"},
		{"response limit: zero", "means nothing", yotiface.WithMaxResponseBytes(0), "the response limit is not positive"},
		{"response limit: negative", "means nothing", yotiface.WithMaxResponseBytes(-1), "the response limit is not positive"},

		{"user agent: empty", "never set", yotiface.WithUserAgent(""), "the user agent is empty or not printable ASCII"},
		{"user agent: line end", "a header of its own", yotiface.WithUserAgent("WORD\r\nCookie: a"), "the user agent is empty or not printable ASCII"},
		{"user agent: NUL", "no header value", yotiface.WithUserAgent("WORD\x00"), "the user agent is empty or not printable ASCII"},
		{"user agent: DEL", "not printable", yotiface.WithUserAgent("WORD\x7f"), "the user agent is empty or not printable ASCII"},
		{"user agent: tab", "not printable", yotiface.WithUserAgent("WORD\t1"), "the user agent is empty or not printable ASCII"},
		{"user agent: umlaut", "not ASCII", yotiface.WithUserAgent("WORD-Glück/1"), "the user agent is empty or not printable ASCII"},
		{"user agent: invalid UTF-8", "not text", yotiface.WithUserAgent("WORD\xff"), "the user agent is empty or not printable ASCII"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			client, err := yotiface.NewClient(ownSDKID, ownPEM(), test.opt)
			assert.Nil(t, client)
			require.ErrorIs(t, err, yotiface.ErrInvalidArgument, test.reason)
			assert.Contains(t, err.Error(), test.says, test.reason)
			assertHoldsNoID(t, err, "WORD") // what is refused is not repeated: it may be a credential
		})
	}
}

func TestBaseURLsThatAreAccepted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ baseURL, want, reason string }{
		{"https://api.yoti.com/idverify/v1", "https://api.yoti.com/idverify/v1/sessions/ID1", "the documented one"},
		{"https://api.yoti.com/idverify/v1/", "https://api.yoti.com/idverify/v1/sessions/ID1", "a trailing slash is trimmed"},
		{"https://api.yoti.com/idverify/v1//", "https://api.yoti.com/idverify/v1/sessions/ID1", "however many"},
		{"https://api.yoti.com", "https://api.yoti.com/sessions/ID1", "no path"},
		{"https://api.yoti.com/", "https://api.yoti.com/sessions/ID1", "no path either"},
		{"https://api.yoti.com:8443/a/b", "https://api.yoti.com:8443/a/b/sessions/ID1", "a port"},
		{"HTTPS://api.yoti.com/v1", "https://api.yoti.com/v1/sessions/ID1", "the scheme has no case"},
		{"https://localhost/v1", "https://localhost/v1/sessions/ID1", "https goes everywhere"},
		{"http://localhost:8080/v1", "http://localhost:8080/v1/sessions/ID1", "loopback by name"},
		{"http://LocalHost/v1", "http://LocalHost/v1/sessions/ID1", "names have no case"},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080/sessions/ID1", "loopback"},
		{"http://127.8.9.10/v1", "http://127.8.9.10/v1/sessions/ID1", "the whole network is loopback"},
		{"http://[::1]:8080/v1", "http://[::1]:8080/v1/sessions/ID1", "loopback in IPv6"},
	} {
		var got string
		client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
			got, _, _ = strings.Cut(req.URL.String(), "?")
			path, _, _ := strings.Cut(strings.TrimPrefix(test.want, req.URL.Scheme+"://"+req.URL.Host), "/sessions")
			assertSigned(t, req, req.URL.RequestURI(), path)
			return reply(req, http.StatusNotFound, ""), nil
		}, yotiface.WithBaseURL(test.baseURL))
		_, err := client.GetSession(t.Context(), "ID1")
		require.ErrorIs(t, err, yotiface.ErrNotFound, test.reason)
		assert.Equal(t, test.want, got, test.reason)
	}
}

func TestOptionsThatAreAccepted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, reason string
		opt          yotiface.Option
	}{
		{"one attempt", "retries switched off", yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxAttempts: 1})},
		{"zero policy", "all defaults", yotiface.WithRetryPolicy(yotiface.RetryPolicy{})},
		{"equal bounds", "not swapped", yotiface.WithRetryPolicy(yotiface.RetryPolicy{MinBackoff: time.Second, MaxBackoff: time.Second})},
		{"timeout of a nanosecond", "positive", yotiface.WithAttemptTimeout(time.Nanosecond)},
		{"limit of a byte", "positive", yotiface.WithMaxResponseBytes(1)},
		{"no logger", "nil is none", yotiface.WithLogger(nil)},
		{"a logger", "of the caller", yotiface.WithLogger(slog.New(slog.DiscardHandler))},
		{"zero HTTP client", "net/http's defaults", yotiface.WithHTTPClient(&http.Client{})},
		{"user agent with a comment", "printable ASCII", yotiface.WithUserAgent("a/1 (b; +https://c.example)")},
	} {
		client, err := yotiface.NewClient(ownSDKID, ownPEM(), test.opt)
		require.NoError(t, err, "%s: %s", test.name, test.reason)
		assert.Equal(t, "yotiface.Client{https://api.yoti.com/idverify/v1}", fmt.Sprint(client))
	}
}

func TestTheLaterOptionWins(t *testing.T) {
	t.Parallel()
	client, err := yotiface.NewClient(ownSDKID, ownPEM(), yotiface.WithBaseURL("https://one.example"), yotiface.WithBaseURL("https://two.example"))
	require.NoError(t, err)
	assert.Equal(t, "yotiface.Client{https://two.example}", fmt.Sprint(client))

	// Nil is no logger, so it takes one away.
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	silent := newOwnClient(t, func(req *http.Request) (*http.Response, error) { return reply(req, http.StatusNotFound, ""), nil },
		yotiface.WithLogger(logger), yotiface.WithLogger(nil))
	_, err = silent.GetSession(t.Context(), "ID1")
	require.ErrorIs(t, err, yotiface.ErrNotFound)
	assert.Empty(t, log.String())
}

// What is left zero takes its default. The waits are random, so only their bounds can be told; a virtual clock tells.
func TestRetryPolicyDefaults(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		policy   yotiface.RetryPolicy
		attempts int
		longest  []time.Duration // of the wait before each further attempt
	}{
		{"zero", yotiface.RetryPolicy{}, 3, []time.Duration{200 * time.Millisecond, 400 * time.Millisecond}},
		{"attempts only", yotiface.RetryPolicy{MaxAttempts: 4}, 4, []time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond}},
		{"one attempt", yotiface.RetryPolicy{MaxAttempts: 1}, 1, nil},
		{"MinBackoff only", yotiface.RetryPolicy{MinBackoff: time.Second}, 3, []time.Duration{time.Second, 2 * time.Second}},
		{"MinBackoff above the default MaxBackoff", yotiface.RetryPolicy{MinBackoff: time.Minute}, 3, []time.Duration{time.Minute, time.Minute}},
		{"MaxBackoff below the default MinBackoff", yotiface.RetryPolicy{MaxBackoff: time.Millisecond}, 3, []time.Duration{time.Millisecond, time.Millisecond}},
		{"default MaxBackoff", yotiface.RetryPolicy{MinBackoff: 6 * time.Second}, 3, []time.Duration{6 * time.Second, 10 * time.Second}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var times []time.Time
				client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
					times = append(times, time.Now())
					return reply(req, http.StatusServiceUnavailable, ""), nil
				}, yotiface.WithRetryPolicy(test.policy))
				_, err := client.GetSession(t.Context(), "ID1")
				require.ErrorIs(t, err, yotiface.ErrUnavailable)
				require.Len(t, times, test.attempts)
				for i, longest := range test.longest {
					assert.LessOrEqual(t, times[i+1].Sub(times[i]), longest)
				}
			})
		})
	}
}

func TestAttemptTimeoutDefaultIs30Seconds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		opts []yotiface.Option
		want time.Duration
	}{
		{nil, 30 * time.Second},
		{[]yotiface.Option{yotiface.WithAttemptTimeout(7 * time.Second)}, 7 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
				<-req.Context().Done()
				return nil, req.Context().Err()
			}, append(test.opts, yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxAttempts: 1}))...)
			start := time.Now()
			_, err := client.GetSession(t.Context(), "ID1")
			require.Error(t, err)
			assert.Equal(t, test.want, time.Since(start))
		})
	}
}

func TestResponseLimitCountsToTheByte(t *testing.T) {
	t.Parallel()
	const body = `{"session_id":"ID1"}` // 20 bytes
	for _, test := range []struct {
		limit   int64
		tooMany bool
	}{{20, false}, {19, true}, {1, true}} {
		for _, declared := range []int64{20, -1} {
			client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
				resp := reply(req, http.StatusOK, body)
				resp.ContentLength = declared
				return resp, nil
			}, yotiface.WithMaxResponseBytes(test.limit))
			session, err := client.GetSession(t.Context(), "ID1")
			if test.tooMany {
				require.ErrorIs(t, err, yotiface.ErrResponseTooLarge)
				assert.Nil(t, session)
				continue
			}
			require.NoError(t, err)
			assert.Equal(t, "ID1", session.ID)
		}
	}
}
