package yotiface

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A script is a transport that plays steps in order, the last one for ever, and records when each was asked for.
type script struct {
	steps []step

	mu     sync.Mutex
	times  []time.Time
	nonces map[string]bool
}

type step func(*http.Request) (*http.Response, error)

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	n := len(s.times)
	s.times = append(s.times, time.Now())
	if s.nonces == nil {
		s.nonces = map[string]bool{}
	}
	s.nonces[req.URL.Query().Get("nonce")] = true
	s.mu.Unlock()
	return s.steps[min(n, len(s.steps)-1)](req)
}

// waits returns the time between the attempts.
func (s *script) waits() []time.Duration {
	var waits []time.Duration
	for i := 1; i < len(s.times); i++ {
		waits = append(waits, s.times[i].Sub(s.times[i-1]))
	}
	return waits
}

func status(code int, header ...string) step {
	return func(req *http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		body := fmt.Sprintf(`{"code":"CODE_%d"}`, code)
		return &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: req}, nil
	}
}

func fails(err error) step {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// hangs answers nothing until the request's context ends.
func hangs(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

var scriptKey = sync.OnceValue(func() []byte {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
})

// scripted returns a client that talks to a script.
func scripted(t *testing.T, s *script, opts ...Option) *Client {
	t.Helper()
	c, err := NewClient("sdk-id", scriptKey(), append([]Option{WithHTTPClient(&http.Client{Transport: s})}, opts...)...)
	require.NoError(t, err)
	return c
}

// call makes a call that expects no content in return.
func (c *Client) call(ctx context.Context, method string) error {
	return c.do(ctx, request{method: method, endpoint: "/things/{thing_id}", ids: []string{"1"}}, nil)
}

const once, thrice = 1, 3

func TestRetryDependsOnStatusAndMethod(t *testing.T) {
	t.Parallel()
	rows := []struct {
		status        int
		get, del, pst int // attempts
		why           string
	}{
		{200, once, once, once, "a success is a success"},
		{204, once, once, once, "a success is a success"},
		{302, once, once, once, "redirects are never followed"},
		{304, once, once, once, "nothing was conditional"},
		{400, once, once, once, "the same request stays wrong"},
		{401, once, once, once, "the same key stays wrong"},
		{403, once, once, once, "the same application stays not allowed"},
		{404, once, once, once, "what is not there stays away"},
		{407, once, once, once, "the proxy still wants credentials"},
		{408, thrice, thrice, once, "a POST may have arrived"},
		{409, once, once, once, "it has three meanings, none of which passes in seconds"},
		{422, once, once, once, "the same image stays unusable"},
		{429, thrice, thrice, thrice, "the service did not act"},
		{500, thrice, thrice, once, "a POST may have been done"},
		{501, once, once, once, "what the service lacks it will lack again"},
		{502, thrice, thrice, once, "a POST may have been done"},
		{503, thrice, thrice, once, "a POST may have been done"},
		{504, thrice, thrice, once, "a POST may have been done"},
		{505, once, once, once, "the version stays unsupported"},
		{600, once, once, once, "not a status of HTTP"},
		{999, once, once, once, "not a status of HTTP"},
	}
	for _, row := range rows {
		for method, want := range map[string]int{http.MethodGet: row.get, http.MethodDelete: row.del, http.MethodPost: row.pst} {
			t.Run(fmt.Sprint(row.status, " ", method), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := &script{steps: []step{status(row.status)}}
					err := scripted(t, s).call(t.Context(), method)
					assert.Len(t, s.times, want, row.why)
					assert.Len(t, s.nonces, want, "every attempt has a nonce of its own")
					if row.status < 300 {
						require.NoError(t, err)
						return
					}
					var answer *APIError
					require.ErrorAs(t, err, &answer)
					assert.Equal(t, row.status, answer.StatusCode)
					if want > 1 {
						assert.Contains(t, err.Error(), "[3 attempts]")
					} else {
						assert.NotContains(t, err.Error(), "attempt")
					}
				})
			})
		}
	}
}

func TestRetryDependsOnHowTheConnectionFailed(t *testing.T) {
	t.Parallel()
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	rows := []struct {
		name      string
		err       error
		get, post int
		text      string
		why       string
	}{
		{"refused", dial, thrice, thrice, "connection refused", "no connection was made"},
		{"unknown host", &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "api.example"}}, thrice, thrice, "no such host", "no connection was made"},
		{"reset", &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}, thrice, once, "reset", "a POST may have arrived"},
		{"closed", io.EOF, thrice, once, "closed before the answer", "a POST may have arrived"},
		{"cut off", io.ErrUnexpectedEOF, thrice, once, "ended too early", "a POST may have arrived"},
		{"unknown authority", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, once, once, "unknown authority", "it does not become trusted"},
		{"wrong host", x509.HostnameError{Certificate: &x509.Certificate{}, Host: "api.example"}, once, once, "cannot be trusted", "it does not become trusted"},
		{"expired", x509.CertificateInvalidError{Reason: x509.Expired}, once, once, "expired", "it does not become trusted"},
		{"plain HTTP on a TLS port", tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, once, once, "TLS handshake", "it does not become TLS"},
		{"plain HTTP as net/http says it", errors.New("http: server gave HTTP response to HTTPS client"), once, once, "HTTP response to HTTPS client", "it does not become TLS"},
	}
	for _, row := range rows {
		for method, want := range map[string]int{http.MethodGet: row.get, http.MethodDelete: row.get, http.MethodPost: row.post} {
			t.Run(row.name+" "+method, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := &script{steps: []step{fails(row.err)}}
					err := scripted(t, s).call(t.Context(), method)
					require.ErrorIs(t, err, row.err, "the identity is kept")
					assert.Len(t, s.times, want, row.why)
					assert.Contains(t, err.Error(), row.text)
					assert.NotContains(t, err.Error(), "nonce")
				})
			})
		}
	}
}

func TestRetrySucceedsAfterFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{status(503), fails(io.EOF), status(204)}}
		require.NoError(t, scripted(t, s).call(t.Context(), http.MethodGet))
		assert.Len(t, s.nonces, 3)
	})
}

func TestDeleteThatFindsNothing(t *testing.T) {
	t.Parallel()
	t.Run("on the first try is not found", func(t *testing.T) {
		t.Parallel()
		s := &script{steps: []step{status(404)}}
		require.ErrorIs(t, scripted(t, s).call(t.Context(), http.MethodDelete), ErrNotFound)
	})
	t.Run("on a later try is a success, as an earlier one has done it", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &script{steps: []step{fails(io.EOF), status(404)}}
			require.NoError(t, scripted(t, s).call(t.Context(), http.MethodDelete))
		})
	})
	t.Run("is not forgiven for a GET", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &script{steps: []step{fails(io.EOF), status(404)}}
			require.ErrorIs(t, scripted(t, s).call(t.Context(), http.MethodGet), ErrNotFound)
		})
	})
}

func TestBackoffIsFullJitterUnderADoublingCeiling(t *testing.T) {
	t.Parallel()
	policy := RetryPolicy{MaxAttempts: 8, MinBackoff: 100 * time.Millisecond, MaxBackoff: time.Second}
	ceilings := []time.Duration{100, 200, 400, 800, 1000, 1000, 1000} // ms
	const runs = 200
	sums := make([]time.Duration, len(ceilings))
	for range runs {
		synctest.Test(t, func(t *testing.T) {
			s := &script{steps: []step{status(503)}}
			require.Error(t, scripted(t, s, WithRetryPolicy(policy)).call(t.Context(), http.MethodGet))
			require.Len(t, s.waits(), len(ceilings))
			for i, wait := range s.waits() {
				require.LessOrEqual(t, wait, ceilings[i]*time.Millisecond)
				sums[i] += wait
			}
		})
	}
	for i, sum := range sums {
		// Uniform from 0: the mean of 200 is within a fifth of the middle, but for one time in 10¹².
		middle := float64(ceilings[i]*time.Millisecond) / 2
		assert.InEpsilon(t, middle, float64(sum)/runs, 0.3, "wait %d", i+1)
	}
}

func TestAnHourOfBackoffTakesNoTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &script{steps: []step{status(429, "Retry-After", "60")}}
		policy := RetryPolicy{MaxAttempts: 61, MaxBackoff: time.Minute}
		err := scripted(t, s, WithRetryPolicy(policy)).call(t.Context(), http.MethodGet)
		require.ErrorIs(t, err, ErrRateLimited)
		assert.Len(t, s.nonces, 61)
		assert.Equal(t, time.Hour, time.Since(start))
	})
}

func TestBackoffCeilingDoesNotOverflow(t *testing.T) {
	t.Parallel()
	policy := RetryPolicy{MaxAttempts: 1 << 30, MinBackoff: time.Hour, MaxBackoff: 1<<63 - 2}
	for _, attempt := range []int{1, 2, 20, 22, 62, 63, 64, 65, 1000, 1 << 20} {
		wait, again := policy.next(http.MethodGet, attempt, &APIError{StatusCode: 503})
		assert.True(t, again)
		assert.GreaterOrEqual(t, wait, time.Duration(0))
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	tenYears := 10 * 365 * 24 * time.Hour
	rows := []struct {
		name   string
		value  func() string
		want   time.Duration // the wait, or -1 for an error at once, or -2 for back-off
		parsed time.Duration
	}{
		{"seconds", func() string { return "5" }, 5 * time.Second, 5 * time.Second},
		{"as long as the policy allows", func() string { return "10" }, 10 * time.Second, 10 * time.Second},
		{"longer than the policy allows", func() string { return "11" }, -1, 11 * time.Second},
		{"an hour", func() string { return "3600" }, -1, time.Hour},
		{"a date", func() string { return time.Now().Add(7 * time.Second).UTC().Format(http.TimeFormat) }, 7 * time.Second, 7 * time.Second},
		{"a date in ten years", func() string { return time.Now().Add(tenYears).UTC().Format(http.TimeFormat) }, -1, tenYears},
		{"a date in the past", func() string { return "Sun, 06 Nov 1994 08:49:37 GMT" }, -2, 0},
		{"now", func() string { return "0" }, -2, 0},
		{"negative", func() string { return "-5" }, -2, 0},
		{"garbage", func() string { return "soon" }, -2, 0},
		{"a fraction", func() string { return "1.5" }, -2, 0},
		{"empty", func() string { return "" }, -2, 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				// Whole seconds, as a date has no fractions.
				time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
				s := &script{steps: []step{status(429, "Retry-After", row.value())}}
				err := scripted(t, s, WithRetryPolicy(RetryPolicy{MaxAttempts: 2})).call(t.Context(), http.MethodGet)
				if row.want == -1 {
					var answer *APIError
					require.ErrorAs(t, err, &answer)
					assert.Equal(t, row.parsed, answer.RetryAfter)
					assert.Len(t, s.times, 1, "the error comes at once")
					return
				}
				require.Len(t, s.waits(), 1)
				if row.want == -2 {
					assert.LessOrEqual(t, s.waits()[0], defaultRetryPolicy.MinBackoff)
				} else {
					assert.Equal(t, row.want, s.waits()[0])
				}
			})
		})
	}
}

func TestRetryAfterThatOverflowsIsAnErrorAtOnce(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"99999999999999999999", strconv.FormatUint(1<<64-1, 10), "9223372037"} {
		s := &script{steps: []step{status(429, "Retry-After", value)}}
		err := scripted(t, s).call(t.Context(), http.MethodGet)
		var answer *APIError
		require.ErrorAs(t, err, &answer)
		assert.Len(t, s.times, 1)
		assert.Greater(t, answer.RetryAfter, 290*365*24*time.Hour)
	}
}

func TestDeadlineNearerThanTheWaitIsNotSleptTowards(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		start := time.Now()
		s := &script{steps: []step{status(429, "Retry-After", "5")}}
		err := scripted(t, s).call(ctx, http.MethodGet)
		require.ErrorIs(t, err, ErrRateLimited)
		require.NotErrorIs(t, err, context.DeadlineExceeded, "the context is not done yet")
		assert.Zero(t, time.Since(start))
		assert.Len(t, s.times, 1)
	})
}

func TestCancelDuringBackoffEndsItAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reason := errors.New("shutting down")
		ctx, cancel := context.WithCancelCause(t.Context())
		start := time.Now()
		time.AfterFunc(3*time.Second, func() { cancel(reason) })
		s := &script{steps: []step{status(503, "Retry-After", "5")}}
		err := scripted(t, s).call(ctx, http.MethodGet)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, reason, "the cause can be reached")
		require.ErrorIs(t, err, ErrUnavailable, "and so can the last answer")
		assert.Equal(t, 3*time.Second, time.Since(start))
		assert.Len(t, s.times, 1)
		assert.Contains(t, err.Error(), "context canceled")
		assert.Contains(t, err.Error(), "503")
	})
}

func TestCancelInFlightReturnsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		time.AfterFunc(time.Second, cancel)
		s := &script{steps: []step{hangs}}
		err := scripted(t, s).call(ctx, http.MethodGet)
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, time.Second, time.Since(start))
		assert.Len(t, s.times, 1)
	})
}

func TestCancelInTheSecondAttemptKeepsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		s := &script{steps: []step{status(500), hangs}}
		err := scripted(t, s).call(ctx, http.MethodGet)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, ErrUnavailable)
		assert.Contains(t, err.Error(), "after 2 attempts")
		var timeout interface{ Timeout() bool }
		require.ErrorAs(t, err, &timeout)
		assert.True(t, timeout.Timeout())
	})
}

func TestContextThatIsDoneSendsNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := &script{steps: []step{status(200)}}
	err := scripted(t, s).call(ctx, http.MethodGet)
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, s.times)
}

func TestAttemptTimeoutIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &script{steps: []step{hangs}}
		err := scripted(t, s, WithAttemptTimeout(5*time.Second), WithRetryPolicy(RetryPolicy{MaxBackoff: time.Millisecond})).
			call(t.Context(), http.MethodGet)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		var timeout net.Error
		require.ErrorAs(t, err, &timeout)
		assert.True(t, timeout.Timeout())
		assert.Len(t, s.times, 3)
		assert.InDelta(t, 15, time.Since(start).Seconds(), 0.01)
		assert.Contains(t, err.Error(), "WithAttemptTimeout")
	})
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []step{hangs}}
		require.ErrorIs(t, scripted(t, s).call(t.Context(), http.MethodPost), context.DeadlineExceeded)
		assert.Len(t, s.times, 1, "a POST may have arrived")
	})
}

// drips answers with a body that never comes to its end.
func drips(code int) step {
	return func(req *http.Request) (*http.Response, error) {
		start, end := io.Pipe()
		go func() {
			_, _ = io.WriteString(end, `{"code":"CODE"}`)
			<-req.Context().Done()
			end.CloseWithError(req.Context().Err())
		}()
		return &http.Response{StatusCode: code, Header: http.Header{}, Body: start, ContentLength: -1, Request: req}, nil
	}
}

// Where the status says it all, a body that does not end does not hold the call up for as long as an attempt may take.
func TestBodyBehindAStatusThatHasDecidedIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		require.NoError(t, scripted(t, &script{steps: []step{drips(200)}}).call(t.Context(), http.MethodDelete))
		assert.Equal(t, afterStatus, time.Since(start))
	})
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := scripted(t, &script{steps: []step{drips(422)}}).call(t.Context(), http.MethodPost)
		require.ErrorIs(t, err, ErrUnprocessable)
		assert.Contains(t, err.Error(), "CODE", "what came is read")
		assert.Equal(t, afterStatus, time.Since(start))
	})
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := scripted(t, &script{steps: []step{drips(422)}}).call(ctx, http.MethodPost)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, ErrUnprocessable)
		assert.Equal(t, time.Second, time.Since(start))
	})
}

func TestShorterTimeoutOfTheHTTPClientWins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &script{steps: []step{hangs}}
		hc := &http.Client{Transport: s, Timeout: 2 * time.Second}
		c := scripted(t, s, WithHTTPClient(hc), WithRetryPolicy(RetryPolicy{MaxBackoff: time.Millisecond}))
		err := c.call(t.Context(), http.MethodGet)
		var timeout interface{ Timeout() bool }
		require.ErrorAs(t, err, &timeout)
		assert.True(t, timeout.Timeout())
		assert.InDelta(t, 6, time.Since(start).Seconds(), 0.01)
		assert.Len(t, s.times, 3)
	})
}

func TestTransportWithoutAnAnswerIsAnError(t *testing.T) {
	t.Parallel()
	s := &script{steps: []step{func(*http.Request) (*http.Response, error) { return nil, nil }}} //nolint:nilnil // the fault
	err := scripted(t, s).call(t.Context(), http.MethodGet)
	require.ErrorContains(t, err, "neither a response nor an error")
	assert.Len(t, s.times, 1)
}
