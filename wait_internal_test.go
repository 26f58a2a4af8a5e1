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
		want  error // nil: none
		why   string
	}{
		{"in flight, after an error", []step{ongoing, status(http.StatusServiceUnavailable), hangs}, ErrUnavailable, "the last answer was an error"},
		{"in flight, after a session", []step{status(http.StatusServiceUnavailable), ongoing, hangs}, nil, "the last answer was a session"},
		{"in the interval, after an error", []step{ongoing, status(http.StatusTooManyRequests, "Retry-After", "60")}, ErrRateLimited, "the last answer was an error"},
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
					assert.Equal(t, sentinel == test.want, errors.Is(err, sentinel), test.why) //nolint:errorlint // which sentinel the row wants
				}
			})
		})
	}
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
