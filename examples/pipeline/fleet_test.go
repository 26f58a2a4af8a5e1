package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface/examples/pipeline/internal/flow"
	"github.com/yotiface/yotiface/examples/pipeline/internal/rig"
)

// One worker is told to wait, and all of them do: between the 429 and the end of its Retry-After the service is left alone,
// but for the requests that were on their way already.
func TestTheWholeFleetPauses(t *testing.T) {
	t.Parallel()
	const workers, concurrency, wait = 3, 4, 3 * time.Second
	s := newStage(t, 1, "-concurrency", strconv.Itoa(concurrency), "-backoff", "100ms")
	var fleet []*rig.Process
	for range workers {
		fleet = append(fleet, s.start("worker"))
	}
	const sessions = 400
	for i := range sessions {
		s.tell(rig.Command{Do: "put", JSON: session("s" + strconv.Itoa(i))})
	}
	s.report()
	s.tell(rig.Command{Do: "inject", Faults: "slow", Times: sessions / 4}) // so that the first ones take a moment
	var publishing sync.WaitGroup
	publishing.Go(func() {
		for i := range sessions {
			_, err := s.queue.Publish(t.Context(), flow.Job{SessionID: "s" + strconv.Itoa(i), Topic: "session_completion"})
			assert.NoError(t, err)
			pause(t.Context(), 15*time.Millisecond)
		}
	})
	require.Eventually(t, func() bool { return s.final() >= sessions/10 }, 30*time.Second, 20*time.Millisecond)
	s.tell(rig.Command{Do: "inject", Faults: "429", Times: 1, RetryAfter: wait})
	publishing.Wait()
	require.Eventually(t, func() bool { return s.final() == sessions }, 60*time.Second, 50*time.Millisecond)

	r := s.report()
	require.Len(t, r.Limited, 1)
	limited, during, last, after := r.Limited[0], 0, time.Duration(0), 0
	for _, at := range r.Times {
		switch since := at.Sub(limited); {
		case since > 0 && since < wait:
			during++
			last = max(last, since)
		case since >= wait:
			after++
		}
	}
	assert.LessOrEqual(t, during, workers*concurrency, "no more than were on their way")
	assert.Less(t, last, wait/2, "and soon nothing any more")
	assert.Positive(t, after)

	for _, p := range fleet {
		require.NoError(t, p.Terminate())
		require.NoError(t, p.Wait(20*time.Second))
	}
	asked := regexp.MustCompile(`counts\.asked=(\d+)`).FindAllString(s.log.String(), -1)
	assert.Len(t, asked, workers, "each worker has asked for something")
	t.Logf("figures: 429 with Retry-After %s; in that time %d requests arrived, the last after %s; then %d more; %s",
		wait, during, last.Round(time.Millisecond), after, strings.Join(asked, ", "))
}

// SIGTERM: what is in flight is finished, what is not begun goes back at once, and nothing is asked for twice.
func TestAWorkerDrains(t *testing.T) {
	t.Parallel()
	const sessions = 60
	s := newStage(t, 1, "-concurrency", "4", "-ack-wait", "5m") // so whatever was not given back would be missing
	s.tell(rig.Command{Do: "inject", Faults: "slow", Times: sessions})
	s.put("s", sessions)
	first := s.start("worker")
	require.Eventually(t, func() bool { return s.final() >= 10 }, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, first.Terminate())
	began := time.Now()
	require.NoError(t, first.Wait(15*time.Second), "exit status 0")
	took := time.Since(began)
	asked, judged := s.report().Requests, s.final()
	assert.Equal(t, asked, judged, "each request has led to a verdict")
	assert.Less(t, judged, sessions)

	s.start("worker")
	require.Eventually(t, func() bool { return s.final() == sessions }, 60*time.Second, 50*time.Millisecond)
	assert.Equal(t, sessions, s.report().Requests, "no session was asked for twice")
	t.Logf("figures: SIGTERM with %d of %d judged; ended after %s; %s", judged, sessions, took.Round(time.Millisecond),
		strings.Join(regexp.MustCompile(`counts\.returned=\d+`).FindAllString(s.log.String(), 1), ""))
}

// A service that never answers cannot keep a worker from ending in time; nor can a pause, or an engine that has gone.
func TestAWorkerEndsInTime(t *testing.T) {
	t.Parallel()
	t.Run("while the service is silent", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, 1, "-concurrency", "4", "-ack-wait", "5m", "-drain", "1s")
		s.tell(rig.Command{Do: "inject", Faults: "stall", Times: 4})
		s.put("s", 20)
		p := s.start("worker")
		require.Eventually(t, func() bool { return s.report().Requests == 4 }, 30*time.Second, 20*time.Millisecond)
		require.NoError(t, p.Terminate())
		require.NoError(t, p.Wait(10*time.Second))
		s.start("worker")
		require.Eventually(t, func() bool { return s.final() == 20 }, 30*time.Second, 50*time.Millisecond, "given back")
	})
	t.Run("during a pause", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, 1, "-ack-wait", "5m")
		s.tell(rig.Command{Do: "inject", Faults: "429", Times: 1, RetryAfter: 5 * time.Minute})
		s.put("s", 20)
		p := s.start("worker")
		require.Eventually(t, func() bool { return strings.Contains(s.log.String(), "all workers pause") }, 30*time.Second, 20*time.Millisecond)
		require.NoError(t, p.Terminate())
		require.NoError(t, p.Wait(10*time.Second))
	})
	t.Run("without an engine", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, 1, "-drain", "1s")
		address, err := freeAddress()
		require.NoError(t, err)
		parts := []*rig.Process{s.start("worker"), s.start("sweep"), s.start("receiver", "-listen", address)}
		require.Eventually(t, func() bool { return strings.Count(s.log.String(), "msg=running") == 3 }, 30*time.Second, 20*time.Millisecond)
		s.cluster.Nodes[0].Kill()
		for _, p := range parts {
			require.NoError(t, p.Terminate())
		}
		for _, p := range parts {
			assert.NoError(t, p.Wait(20*time.Second))
		}
	})
}

func TestRequeue(t *testing.T) {
	t.Parallel()
	s := newStage(t, 1, "-confirm-after", "10ms")
	s.start("worker")
	for _, id := range []string{"a", "b"} {
		_, err := s.queue.Publish(t.Context(), flow.Job{SessionID: id, Topic: "session_completion"})
		require.NoError(t, err)
	}
	dead := func() (ids []string) {
		require.NoError(t, s.queue.DeadLetters(t.Context(), func(_ uint64, d flow.DeadLetter) error {
			ids = append(ids, d.SessionID)
			return nil
		}))
		slices.Sort(ids)
		return ids
	}
	require.Eventually(t, func() bool { return slices.Equal(dead(), []string{"a", "b"}) }, 30*time.Second, 20*time.Millisecond)
	for _, id := range []string{"a", "b"} {
		s.tell(rig.Command{Do: "put", JSON: session(id)})
	}
	s.report()
	p := s.start("requeue")
	require.NoError(t, p.Wait(20*time.Second))
	require.Eventually(t, func() bool { return s.final() == 2 }, 30*time.Second, 20*time.Millisecond)
	assert.Empty(t, dead())
}

// All parts and the engine in one process, with an account: what it knew before SIGKILL it knows afterwards.
func TestAllInOneProcess(t *testing.T) {
	t.Parallel()
	s := newStage(t, 1) // for its Yoti
	s.tell(rig.Command{Do: "put", JSON: session("s")})
	address, err := freeAddress()
	require.NoError(t, err)
	store := t.TempDir()
	start := func() *rig.Process {
		p, err := rig.Start("pipeline", s.log, s.env, "-listen", address, "-store", store)
		require.NoError(t, err)
		t.Cleanup(p.Kill)
		require.Eventually(t, func() bool {
			status, err := notify(t.Context(), "http://"+address, testUser, testPassword, "s")
			return err == nil && status == 200
		}, 30*time.Second, 50*time.Millisecond)
		return p
	}
	first := start()
	require.Eventually(t, func() bool { return s.report().Requests == 1 }, 30*time.Second, 50*time.Millisecond)
	pause(t.Context(), 2*time.Second) // for the verdict, which cannot be seen from here
	first.Kill()
	second := start()
	require.Eventually(t, func() bool { return strings.Count(s.log.String(), "msg=running") == 2 }, 30*time.Second, 20*time.Millisecond)
	pause(t.Context(), time.Second)
	require.NoError(t, second.Terminate())
	require.NoError(t, second.Wait(20*time.Second))
	assert.Equal(t, 1, s.report().Requests, "the session was asked for once")
	assert.Regexp(t, `counts\.(duplicates|skipped)=1`, s.log.String(), "the engine knew the notification, or the worker found the verdict")
}
