package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface/yotitest"
)

const (
	postApplicant = "/applicants"
	postFace      = "/applicants/{applicant_id}/faces"
	postMember    = "/pools/{pool_id}/applicants"
)

func TestARefusalOfTheKeyEndsTheRun(t *testing.T) {
	t.Parallel()
	for _, code := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		for _, endpoint := range []string{postApplicant, postFace, postMember} {
			s := newService(t)
			pool, from := s.PutPool("STAFF"), portraits(t, 10)
			s.Inject(yotitest.Status(code).Times(1000).On(http.MethodPost, endpoint))
			exit, r, output := s.attempt(t, nil, "-from", from, "-pool", pool, "-concurrency", "2")
			assert.Equal(t, exitError, exit)
			assert.Contains(t, output, http.StatusText(code))
			assert.Equal(t, 1, r.Counts[statusFailed])
			assert.LessOrEqual(t, len(s.Requests()), 3, "one image, three steps")
			assert.Empty(t, s.count(t, pool, 0).enrolled)
			assert.Zero(t, r.Doubtful, "an applicant that was denied is not in doubt")
		}
	}
}

func TestAServiceThatIsDownEndsTheRun(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]yotitest.Fault{
		"unavailable": yotitest.Status(503), "hangs up": yotitest.Drop(), "talks nonsense": yotitest.Garbage(),
		"knows nothing": yotitest.Status(404), "understands nothing": yotitest.Status(400),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			pool, from := s.PutPool("STAFF"), portraits(t, 20)
			s.Inject(fault.Times(100_000))
			exit, r, output := s.attempt(t, nil, "-from", from, "-pool", pool, "-tries", "3")
			assert.Equal(t, exitError, exit)
			assert.Contains(t, output, "3 images in a row have failed", "nothing has ever worked")
			assert.Equal(t, map[status]int{statusFailed: 3, statusOpen: 17}, r.Counts)
			assert.LessOrEqual(t, len(s.Requests()), 3*3)

			var members atomic.Int32
			s = newService(t)
			pool, from = s.PutPool("STAFF"), portraits(t, 20)
			s.watch(func(m moment, r *http.Request) bool {
				if m == carriedOut && strings.HasSuffix(r.URL.Path, "/applicants") && !isCreation(r) && members.Add(1) == 2 {
					s.Inject(fault.Times(100_000))
				}
				return true
			})
			exit, r, output = s.attempt(t, nil, "-from", from, "-pool", pool, "-tries", "3", "-concurrency", "1")
			assert.Equal(t, exitError, exit)
			assert.Contains(t, output, "10 images in a row have failed")
			assert.Equal(t, map[status]int{statusEnrolled: 2, statusFailed: 10, statusOpen: 8}, r.Counts)
		})
	}
}

// A passing fault costs a moment, whatever the service did before it.
func TestPassingFaults(t *testing.T) {
	t.Parallel()
	acted := yotitest.Truncate(5) // the service has done it, and nobody can read the answer
	rows := []struct {
		name     string
		fault    yotitest.Fault
		empty    int // applicants that nobody knows
		doubtful int
	}{
		{"creation unavailable", yotitest.Status(503).On(http.MethodPost, postApplicant), 0, 1},
		{"creation rate limited", yotitest.Status(429).On(http.MethodPost, postApplicant), 0, 0},
		{"creation dropped", yotitest.Drop().On(http.MethodPost, postApplicant), 0, 1},
		{"creation done, answer garbled", yotitest.Garbage().On(http.MethodPost, postApplicant), 0, 1},
		{"face unavailable", yotitest.Status(503).Times(2).On(http.MethodPost, postFace), 0, 0},
		{"face dropped", yotitest.Drop().On(http.MethodPost, postFace), 0, 0},
		{"face added, answer cut", acted.On(http.MethodPost, postFace), 0, 0},
		{"face garbled", yotitest.Garbage().On(http.MethodPost, postFace), 0, 0},
		{"face of an applicant not known yet", yotitest.Status(404).On(http.MethodPost, postFace), 0, 0},
		{"member unavailable", yotitest.Status(500).On(http.MethodPost, postMember), 0, 0},
		{"member dropped", yotitest.Drop().On(http.MethodPost, postMember), 0, 0},
		{"member conflict", yotitest.Status(409).On(http.MethodPost, postMember), 0, 0},
		{"pool not known yet", yotitest.Status(404).Times(2).On(http.MethodPost, postMember), 0, 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			pool := s.PutPool("STAFF")
			s.Inject(row.fault)
			exit, r, output := s.attempt(t, nil, "-from", portraits(t, 3), "-pool", pool)
			assert.Equal(t, exitEnrolled, exit, output)
			found := s.count(t, pool, 0)
			found.requireOnce(t, faces(3))
			assert.Equal(t, row.empty, found.empty)
			assert.Equal(t, row.doubtful, r.Doubtful)
		})
	}
}

// An applicant whose ID was lost stays behind, empty, and is counted.
func TestALostCreationIsCounted(t *testing.T) {
	t.Parallel()
	s := newService(t)
	pool := s.PutPool("STAFF")
	var once sync.Once
	s.watch(func(m moment, r *http.Request) (answer bool) {
		answer = true
		if m == carriedOut && isCreation(r) {
			once.Do(func() { answer = false })
		}
		return answer
	})
	exit, r, output := s.attempt(t, nil, "-from", portraits(t, 3), "-pool", pool)
	assert.Equal(t, exitEnrolled, exit)
	found := s.count(t, pool, 0)
	found.requireOnce(t, faces(3))
	assert.Equal(t, 1, found.empty)
	assert.Equal(t, 1, r.Doubtful)
	assert.Contains(t, output, "at most 1.\n")
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	s := newService(t)
	pool := s.PutPool("STAFF")
	s.Inject(yotitest.Status(503).RetryAfter(time.Second).On(http.MethodPost, postFace))
	began := time.Now()
	exit, _, _ := s.attempt(t, nil, "-from", portraits(t, 1), "-pool", pool)
	assert.Equal(t, exitEnrolled, exit)
	assert.GreaterOrEqual(t, time.Since(began), time.Second)

	s.Inject(yotitest.Status(503).RetryAfter(time.Hour).On(http.MethodPost, postFace))
	exit, r, _ := s.attempt(t, nil, "-from", portraits(t, 2), "-pool", pool, "-concurrency", "1")
	assert.Equal(t, exitError, exit, "nobody waits for an hour")
	assert.Equal(t, 1, r.Counts[statusFailed])
}

// An image that is replaced while the run is on its way is not enrolled under the hash of another.
func TestAnImageThatChangesMeanwhile(t *testing.T) {
	t.Parallel()
	s := newService(t)
	pool, from := s.PutPool("STAFF"), portraits(t, 2)
	s.watch(func(m moment, r *http.Request) bool {
		if m == arrived && isCreation(r) {
			_ = os.WriteFile(filepath.Join(from, "01.jpg"), faces(3)[2], 0o600)
		}
		return true
	})
	exit, r, _ := s.attempt(t, nil, "-from", from, "-pool", pool)
	assert.Equal(t, exitError, exit)
	require.Len(t, r.of(statusFailed), 1)
	assert.Contains(t, r.of(statusFailed)[0].Reason, "changed")
	s.watch(nil)

	exit, r, _ = s.attempt(t, nil, "-from", from, "-pool", pool)
	assert.Equal(t, exitError, exit, "what was begun with the old one cannot be finished")
	require.Len(t, r.of(statusFailed), 1)
	assert.Empty(t, r.of(statusFailed)[0].File)
	require.NoError(t, os.WriteFile(filepath.Join(from, "old.jpg"), faces(2)[1], 0o600))
	exit, _, _ = s.attempt(t, nil, "-from", from, "-pool", pool)
	assert.Equal(t, exitEnrolled, exit)
	s.count(t, pool, 0).requireOnce(t, faces(3))
}
