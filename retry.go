package yotiface

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// RetryPolicy says how often a call is tried, and how long to wait in between. The zero value of a field is its default.
//
// Every attempt is signed afresh. Tried again are 408, 429, 500, 502, 503, 504, connections that are refused or break, and
// attempts that time out; for GET and DELETE. A POST creates something, so it is tried again only where the service cannot
// have acted: after 429, and where no connection was made, by a proxy for one. A certificate that is not trusted is final, and
// so is a proxy that refuses the connection with a 4xx other than 408, 425 and 429.
//
// The wait before attempt n+1 is random, between nothing and MinBackoff times 2ⁿ⁻¹ or MaxBackoff, whichever is less. Where
// the service sends Retry-After, that long is waited instead; if it asks for more than MaxBackoff, or if the context would
// end before the next attempt, the error is returned at once.
//
// An error of a call whose context ended also matches the last answer that came, which may be that of an earlier attempt:
// of what the attempt that was cut off has done it says nothing.
type RetryPolicy struct {
	MaxAttempts int           // 1 = never again; default 3
	MinBackoff  time.Duration // default 200 ms
	MaxBackoff  time.Duration // default 10 s; also the longest Retry-After that is waited for
}

var defaultRetryPolicy = RetryPolicy{MaxAttempts: 3, MinBackoff: 200 * time.Millisecond, MaxBackoff: 10 * time.Second}

// withDefaults fills in what was left zero, and refuses what makes no sense.
func (p RetryPolicy) withDefaults() (RetryPolicy, error) {
	if p.MaxAttempts < 0 || p.MinBackoff < 0 || p.MaxBackoff < 0 {
		return p, invalid("the retry policy has a negative value")
	}
	if p.MaxAttempts == 0 {
		p.MaxAttempts = defaultRetryPolicy.MaxAttempts
	}
	if p.MinBackoff == 0 {
		p.MinBackoff = defaultRetryPolicy.MinBackoff
		if p.MaxBackoff > 0 {
			p.MinBackoff = min(p.MinBackoff, p.MaxBackoff)
		}
	}
	if p.MaxBackoff == 0 {
		p.MaxBackoff = max(defaultRetryPolicy.MaxBackoff, p.MinBackoff)
	}
	if p.MinBackoff > p.MaxBackoff {
		return p, invalid("the retry policy has a MinBackoff of %s above its MaxBackoff of %s", p.MinBackoff, p.MaxBackoff)
	}
	return p, nil
}

// next decides whether a call goes on after an attempt that failed, and after what wait.
func (p RetryPolicy) next(method string, attempt int, err error) (wait time.Duration, again bool) {
	if attempt >= p.MaxAttempts || !retryable(method, err) {
		return 0, false
	}
	if answer, ok := errors.AsType[*APIError](err); ok && answer.RetryAfter > 0 {
		return answer.RetryAfter, answer.RetryAfter <= p.MaxBackoff
	}
	ceiling := p.MaxBackoff
	if doublings := attempt - 1; doublings < 62 && p.MinBackoff <= p.MaxBackoff>>doublings {
		ceiling = p.MinBackoff << doublings
	}
	return rand.N(ceiling + 1), true //nolint:gosec // G404: jitter is no secret
}

// retryable reports whether another attempt can help, and cannot do the same thing twice.
func retryable(method string, err error) bool {
	if answer, ok := errors.AsType[*APIError](err); ok {
		switch answer.StatusCode {
		case http.StatusTooManyRequests:
			return true
		case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
			http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return method != http.MethodPost
		}
		return false
	}
	broken, ok := errors.AsType[*transportError](err)
	if !ok || broken.final {
		return false
	}
	return method != http.MethodPost || neverConnected(err)
}

// neverConnected reports whether an attempt failed before there was a connection, so that the service has seen nothing.
func neverConnected(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	_, byProxy := errors.AsType[*proxyError](err)
	return byProxy || ok && (op.Op == "dial" || op.Op == "proxyconnect")
}

// untrusted reports whether an attempt failed because the other side is not who it should be. Trying again does not
// change that.
func untrusted(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		record       tls.RecordHeaderError
		authority    x509.UnknownAuthorityError
		hostname     x509.HostnameError
		certificate  x509.CertificateInvalidError
		roots        x509.SystemRootsError
	)
	return errors.As(err, &verification) || errors.As(err, &record) || errors.As(err, &authority) ||
		errors.As(err, &hostname) || errors.As(err, &certificate) || errors.As(err, &roots) ||
		// What net/http makes of a TLS port that answers in plain HTTP has no type.
		strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}

// endsBefore reports whether the context's deadline would cut a wait short.
func endsBefore(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) < wait
}

// pause waits, or returns false as soon as the context is done.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// retryAfter reads the header of that name, in seconds or as a date; 0 where it is absent, past, or neither.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value != "" && strings.Trim(value, "0123456789") == "" {
		seconds, _ := strconv.ParseUint(value, 10, 64) // the largest where it is too large
		const most = uint64(1<<63-1) / uint64(time.Second)
		return time.Duration(min(seconds, most)) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}

// A repeatedError is the error of the last of several attempts.
type repeatedError struct {
	attempts int
	err      error
}

func (e *repeatedError) Error() string {
	suffix := fmt.Sprintf(" [%d attempts]", e.attempts)
	return shorten(e.err.Error(), maxErrorText-len(suffix)) + suffix
}
func (e *repeatedError) Unwrap() error                 { return e.err }
func (e *repeatedError) Timeout() bool                 { return isTimeout(e.err) }
func (e *repeatedError) Format(f fmt.State, verb rune) { formatAs(f, verb, e.Error()) }

// A stoppedError is a call whose context ended. It matches the context's error and cause, and the last answer if there
// was one.
type stoppedError struct {
	method, endpoint string
	ctxErr, cause    error
	attempts         int
	last             error // may be nil
}

func newStoppedError(ctx context.Context, r request, attempts int, last error) error {
	return &stoppedError{r.method, r.endpoint, ctx.Err(), context.Cause(ctx), attempts, last}
}

func (e *stoppedError) Error() string {
	text := fmt.Sprintf("yotiface: %s %s: %v", e.method, e.endpoint, e.ctxErr)
	switch {
	case e.attempts == 0:
		text += " before anything was sent"
	case e.attempts > 1:
		text += fmt.Sprintf(" after %d attempts", e.attempts)
	}
	if e.last != nil {
		text += "; last: " + strings.TrimPrefix(e.last.Error(), "yotiface: ")
	}
	return shorten(text, maxErrorText)
}

func (e *stoppedError) Unwrap() []error {
	errs := []error{e.ctxErr, e.cause}
	if e.last != nil {
		errs = append(errs, e.last)
	}
	return errs
}
func (e *stoppedError) Timeout() bool                 { return isTimeout(e.ctxErr) }
func (e *stoppedError) Format(f fmt.State, verb rune) { formatAs(f, verb, e.Error()) }
