package yotiface

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func ongoing(req *http.Request) (*http.Response, error) {
	body := `{"session_id":"s","state":"ONGOING"}`
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1, Request: req}, nil
}

func TestWaitThatIsCutOffKeepsTheLastAnswer(t *testing.T) {
	t.Parallel()
	once := WithRetryPolicy(RetryPolicy{MaxAttempts: 1})
	for _, test := range []struct {
		name  string
		steps []step
		want  error  // nil: none
		says  string // at the end
	}{
		{"in flight, after an error", []step{ongoing, status(http.StatusServiceUnavailable), hangs}, ErrUnavailable, "try again later)"},
		{"in flight, after a session", []step{status(http.StatusServiceUnavailable), ongoing, hangs}, nil, "; last: the session was ONGOING"},
		{"in the interval, after an error", []step{ongoing, status(http.StatusTooManyRequests, "Retry-After", "60")}, ErrRateLimited, "wait 1m0s)"},
		{"in the interval, after a session", []step{ongoing}, nil, "context deadline exceeded; last: the session was ONGOING"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				session, err := scripted(t, &script{steps: test.steps}, once).WaitForSession(ctx, "s", time.Second)
				assert.Nil(t, session)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				for _, sentinel := range []error{ErrUnavailable, ErrRateLimited} {
					assert.Equal(t, sentinel == test.want, errors.Is(err, sentinel)) //nolint:errorlint // which sentinel the row wants
				}
				assert.True(t, strings.HasSuffix(err.Error(), test.says), err)
			})
		})
	}
}

// Of a call's own attempts the last answer counts, and not that of the call before.
func TestWaitThatIsCutOffBetweenAttemptsKeepsTheLastAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		s := &script{steps: []step{ongoing, status(http.StatusServiceUnavailable), hangs}}
		_, err := scripted(t, s).WaitForSession(ctx, "s", time.Second)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, ErrUnavailable)
	})
}

func TestWaitWithTheLongestInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		s := &script{steps: []step{ongoing}}
		_, err := scripted(t, s).WaitForSession(ctx, "s", math.MaxInt64)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Len(t, s.times, 1, "it does not wrap around to a busy loop")
	})
}
