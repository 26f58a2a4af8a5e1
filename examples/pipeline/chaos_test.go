package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/examples/pipeline/internal/flow"
	"github.com/yotiface/yotiface/examples/pipeline/internal/rig"
)

var (
	chaosSessions = flag.Int("sessions", 1000, "how many sessions TestChaos puts through the pipeline")
	chaosWorkers  = flag.Int("workers", 4, "how many worker processes TestChaos has")
)

// TestChaos puts sessions through a pipeline of real processes whose workers are killed all the time, whose engine loses a
// node, whose Yoti fails at random, and whose notifications are doubled, lost, reordered and forged. At the end each
// session has its one right verdict, or its dead letter.
func TestChaos(t *testing.T) {
	t.Parallel()
	c := &chaos{
		stage: newStage(t, 3, "-concurrency", "8", "-ack-wait", "3s", "-attempt-timeout", "2s",
			"-backoff", "100ms", "-max-backoff", "2s", "-confirm-after", "50ms", "-check-delay", "500ms", "-pending-tries", "4",
			"-rate-pause", "100ms", "-refused-pause", "300ms", "-sweep-every", "1s", "-sweep-after", "4s"),
		want: map[string]yotiface.ApprovalOutcome{},
		dead: map[string]string{},
	}
	began := time.Now()
	c.begin()
	rest := c.disturb()
	c.send()
	c.await(time.Duration(60+*chaosSessions/10) * time.Second)
	took := time.Since(began)
	rest()
	c.check()
	c.figures(took)
}

type chaos struct {
	*stage
	endpoint string

	mu   sync.Mutex
	want map[string]yotiface.ApprovalOutcome // by session
	dead map[string]string                   // the reason, by session

	judged, buried           atomic.Int64
	workerKills, engineKills int
	sent                     map[string]int
}

// begin starts the processes: two receivers would need a balancer, so there is one; it is not killed.
func (c *chaos) begin() {
	address, err := freeAddress()
	require.NoError(c.t, err)
	c.endpoint = "http://" + address
	c.start("receiver", "-listen", address)
	c.start("sweep")
	require.Eventually(c.t, func() bool { return strings.Contains(c.log.String(), "receiving notifications") }, 30*time.Second, 50*time.Millisecond)
	c.tell(rig.Command{Do: "fail", Faults: "mixed", Share: 0.05})
}

// disturb starts the workers, and kills one after the other, and in the middle a node of the engine. What it returns ends
// that, with all workers and nodes running.
func (c *chaos) disturb() (rest func()) {
	ctx, cancel := context.WithCancel(c.t.Context())
	workers := make([]*rig.Process, *chaosWorkers)
	for i := range workers {
		workers[i] = c.start("worker")
	}
	var disturbing sync.WaitGroup
	disturbing.Go(func() {
		for pause(ctx, time.Second+rand.N(time.Second)) {
			i := rand.IntN(len(workers))
			workers[i].Kill()
			workers[i] = c.start("worker")
			c.workerKills++
		}
	})
	disturbing.Go(func() {
		kills := 1 + *chaosSessions/4000
		for n := range kills {
			for c.judged.Load() < int64(*chaosSessions*(n+1)/(kills+1)) {
				if !pause(ctx, 50*time.Millisecond) {
					return
				}
			}
			c.cluster.Nodes[n%3].Kill()
			c.engineKills++
			pause(c.t.Context(), 3*time.Second)
			assert.NoError(c.t, c.cluster.StartNode(n%3))
		}
	})
	c.watch(ctx)
	return func() {
		cancel()
		disturbing.Wait()
	}
}

// watch counts what has been decided.
func (c *chaos) watch(ctx context.Context) {
	bucket, err := c.js.KeyValue(ctx, "verdicts")
	require.NoError(c.t, err)
	watcher, err := bucket.WatchAll(ctx)
	require.NoError(c.t, err)
	go func() {
		final := map[string]bool{}
		for entry := range watcher.Updates() {
			var v flow.Verdict
			if entry != nil && json.Unmarshal(entry.Value(), &v) == nil && v.Final {
				final[v.SessionID] = true
				c.judged.Store(int64(len(final)))
			}
		}
	}()
	stream, err := c.js.Stream(ctx, "dead")
	require.NoError(c.t, err)
	go func() {
		for pause(ctx, 200*time.Millisecond) {
			if info, err := stream.Info(ctx); err == nil {
				c.buried.Store(int64(info.State.Msgs))
			}
		}
	}()
}

// send creates the sessions, as a backend does, and lets happen what happens to each.
func (c *chaos) send() {
	c.sent = map[string]int{}
	var backend sync.WaitGroup
	numbers := make(chan int)
	for range 8 {
		backend.Go(func() {
			for i := range numbers {
				c.one(i)
			}
		})
	}
	for i := range *chaosSessions {
		numbers <- i
	}
	close(numbers)
	backend.Wait()
}

// one is the way of one session. Of a hundred, two are unknown to Yoti, one cannot be read, and one notification is forged.
func (c *chaos) one(i int) {
	note := rig.Command{Do: "notify", Endpoint: c.endpoint, User: testUser, Password: testPassword}
	switch i % 100 {
	case 10, 60:
		note.Session = fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
		c.count("unknown session", note.Session, "not found")
		c.tell(note)
		return
	case 20:
		note.Session = fmt.Sprintf("00000000-0000-4000-9000-%012d", i)
		c.count("unreadable session", note.Session, "undecodable")
		c.tell(rig.Command{Do: "put", JSON: fmt.Appendf(nil, `{"session_id":%q,"state":["COMPLETED"]}`, note.Session)})
		note.After = time.Second
		c.tell(note)
		return
	case 30:
		note.Session, note.Password = fmt.Sprintf("00000000-0000-4000-a000-%012d", i), "guessed"
		c.count("forged notification", "", "")
		c.tell(note)
		return
	}
	id := c.create(i%20 == 7, i%3 == 0)
	command := rig.Command{Do: "complete", Session: id, After: rand.N(2 * time.Second), Match: i%2 == 0 && i%20 != 7}
	switch rand.IntN(10) {
	case 0, 1:
		command.Drop = true
		c.count("all notifications lost", "", "")
	case 2, 3:
		command.Double = true
		c.count("each notification doubled", "", "")
	case 4, 5:
		command.Reverse = true
		c.count("notifications reversed", "", "")
	case 6:
		c.tell(rig.Command{Do: "pend", Session: id})
		command.After += 2 * time.Second
		c.count("pending for a while", "", "")
	default:
		c.count("as it should be", "", "")
	}
	outcome := yotiface.OutcomeRejected
	switch {
	case i%20 == 7: // no face search
		outcome = yotiface.OutcomeUndetermined
	case i%20 == 13:
		command.Do, outcome = "expire", yotiface.OutcomeUndetermined
		c.count("expired instead", "", "")
	case command.Match:
		outcome = yotiface.OutcomeApproved
	}
	c.mu.Lock()
	c.want[id] = outcome
	c.mu.Unlock()
	c.tell(command)
}

// create creates a session and announces it, again and again while the engine has no leader.
func (c *chaos) create(withoutSearch, talkative bool) (id string) {
	topics := []string{"session_completion"}
	if talkative {
		topics = append(topics, "check_completion", "resource_update")
	}
	checks := []any{map[string]any{"type": "LIVENESS", "config": map[string]any{"liveness_type": "STATIC"}}}
	if !withoutSearch {
		checks = append(checks, map[string]any{
			"type": "FAMILIAR_FACE_SEARCH", "config": map[string]any{"pool_id": c.world.Pool, "approval_criteria": "MATCH"},
		})
	}
	created, err := c.client.CreateSession(c.t.Context(), map[string]any{
		"requested_checks": checks,
		"notifications": map[string]any{
			"endpoint": c.endpoint, "topics": topics,
			"auth_type": "BASIC", "auth_token": testUser + ":" + testPassword,
		},
	})
	require.NoError(c.t, err)
	for c.queue.Announce(c.t.Context(), created.SessionID) != nil {
		require.True(c.t, pause(c.t.Context(), 200*time.Millisecond))
	}
	return created.SessionID
}

func (c *chaos) count(kind, deadSession, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent[kind]++
	if deadSession != "" {
		c.dead[deadSession] = reason
	}
}

// await waits until everything is decided.
func (c *chaos) await(limit time.Duration) {
	for end := time.Now().Add(limit); ; pause(c.t.Context(), 100*time.Millisecond) {
		judged, buried := int(c.judged.Load()), int(c.buried.Load())
		if judged >= len(c.want) && buried >= len(c.dead) {
			return
		}
		if time.Now().After(end) {
			c.t.Errorf("after %s: %d of %d judged, %d of %d dead letters", limit, judged, len(c.want), buried, len(c.dead))
			return
		}
	}
}
