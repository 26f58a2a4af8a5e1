// Package flow is the way of a session through the pipeline: a notification becomes a job in a durable queue, a worker
// takes the job and asks Yoti, and the verdict goes into a bucket, or the job to the dead letters.
//
// The engine is NATS JetStream. It keeps, replicated:
//
//	jobs      a work queue: a job stays until a worker has acknowledged it
//	dead      a stream with the last dead letter of each session that cannot be judged
//	verdicts  a bucket with one verdict for each session
//	awaited   a bucket with the sessions that have no verdict yet, for the sweep
//	control   a bucket with one key: until when all workers pause
package flow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/yotiface/yotiface"
)

// The names in the engine.
const (
	jobsStream   = "jobs"
	jobsSubject  = "jobs."
	judges       = "judges" // the consumer that all workers share
	deadStream   = "dead"
	deadSubject  = "dead."
	verdicts     = "verdicts"
	awaited      = "awaited"
	control      = "control"
	topicSweep   = "sweep"   // of a job that no notification asked for
	topicRequeue = "requeue" // of a job that was a dead letter
)

const (
	// duplicates is for how long the engine remembers the ID of a job, so that the same notification makes no second one. A
	// node on its own that is restarted has forgotten those of jobs that are done: then the worker finds the verdict.
	duplicates = 10 * time.Minute

	// maxJobs is how many jobs may wait. Beyond that notifications are refused, and sent again or swept up.
	maxJobs = 5_000_000

	// history is how many values of a verdict are kept: it shows how the last one came about.
	history = 4

	// publishTime is for how long a notification's sender is kept waiting for the engine, and attemptTime for how long
	// one attempt may take: while a cluster elects a leader nobody answers.
	publishTime = 8 * time.Second
	attemptTime = 2 * time.Second
)

// A Queue is the engine as the pipeline sees it.
type Queue struct {
	config Config
	log    *slog.Logger
	js     jetstream.JetStream

	verdicts, awaited, control jetstream.KeyValue
}

// Open makes sure that the engine has the streams and buckets, and returns them. It waits for an engine that is not there
// yet, or has no leader, as long as ctx allows.
func Open(ctx context.Context, nc *nats.Conn, config Config, log *slog.Logger) (*Queue, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	q := &Queue{config: config, log: log, js: js}
	for try := 1; ; try++ {
		err := q.setUp(ctx)
		if err == nil {
			return q, nil
		}
		if try%10 == 0 {
			log.WarnContext(ctx, "still waiting for the engine", "error", err)
		}
		if !sleep(ctx, 300*time.Millisecond) {
			return nil, fmt.Errorf("the engine is not ready: %w", errors.Join(ctx.Err(), err))
		}
	}
}

func (q *Queue) setUp(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	streams := []jetstream.StreamConfig{
		{
			Name: jobsStream, Subjects: []string{jobsSubject + ">"}, Replicas: q.config.Replicas,
			Retention: jetstream.WorkQueuePolicy, Duplicates: duplicates,
			MaxMsgs: maxJobs, Discard: jetstream.DiscardNew, // refuse the new, never forget the old
		},
		{
			Name: deadStream, Subjects: []string{deadSubject + ">"}, Replicas: q.config.Replicas,
			MaxMsgsPerSubject: 1, // a subject for each session
			MaxAge:            q.config.Keep,
		},
	}
	for _, s := range streams {
		if _, err := q.js.CreateOrUpdateStream(ctx, s); err != nil {
			return err
		}
	}
	_, err = q.js.CreateOrUpdateConsumer(ctx, jobsStream, jetstream.ConsumerConfig{
		Durable: judges, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: q.config.AckWait, MaxAckPending: q.config.MaxAckPending,
		MaxDeliver: -1, // nothing is dropped in silence: the worker counts, and writes a dead letter
		// No BackOff: the engine adds it to the delay of a NakWithDelay, and the worker knows better what it waits for.
	})
	if err != nil {
		return err
	}
	for _, b := range []struct {
		bucket *jetstream.KeyValue
		config jetstream.KeyValueConfig
	}{
		{&q.verdicts, jetstream.KeyValueConfig{Bucket: verdicts, History: history, TTL: q.config.Keep}},
		{&q.awaited, jetstream.KeyValueConfig{Bucket: awaited, LimitMarkerTTL: time.Minute}},
		{&q.control, jetstream.KeyValueConfig{Bucket: control}},
	} {
		b.config.Replicas = q.config.Replicas
		if *b.bucket, err = q.js.CreateOrUpdateKeyValue(ctx, b.config); err != nil {
			return err
		}
	}
	return nil
}

// A Job is one reason to look at a session.
type Job struct {
	SessionID string `json:"session_id"`
	Topic     string `json:"topic"`
	CheckID   string `json:"check_id,omitempty"`
	Round     uint64 `json:"round,omitempty"` // tells apart the jobs that no notification asked for
}

// id is the same for the same event, however often it is notified. It is a hash, as a check ID can be any text.
func (j Job) id() string {
	text := fmt.Sprintf("%s\n%s\n%d\n%s", strings.ToLower(j.SessionID), j.Topic, j.Round, strings.ToLower(j.CheckID))
	hash := sha256.Sum256([]byte(text))
	return hex.EncodeToString(hash[:16])
}

// key is the name of a session in a bucket or a subject. The case of an ID means nothing; the full stop, which an ID may
// have anywhere, means something in a subject; and the equals sign is in no ID. What cannot be an ID has a key too, so that
// it can be a dead letter.
func key(sessionID string) string {
	id := strings.ToLower(sessionID)
	if id == "" || strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	}) {
		hash := sha256.Sum256([]byte(id))
		return "/" + hex.EncodeToString(hash[:])
	}
	return strings.ReplaceAll(id, ".", "=")
}

// Publish puts a job into the queue and returns when the engine has it for good, be it from an earlier time. It tries
// again where the engine does not answer, which the job's ID makes safe.
func (q *Queue) Publish(ctx context.Context, job Job) (duplicate bool, err error) {
	body, err := json.Marshal(job)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	for {
		attempt, cancel := context.WithTimeout(ctx, attemptTime)
		ack, err := q.js.Publish(attempt, jobsSubject+job.Topic, body,
			jetstream.WithMsgID(job.id()), jetstream.WithExpectStream(jobsStream))
		cancel()
		if err == nil {
			return ack.Duplicate, nil
		}
		if !sleep(ctx, 200*time.Millisecond) {
			return false, fmt.Errorf("the engine has not taken a job: %w", errors.Join(ctx.Err(), err))
		}
	}
}

// decides reports whether what a notification is about can change a verdict. The others are not worth a signature.
func decides(t yotiface.Topic) bool {
	return t == yotiface.TopicSessionCompletion || t == yotiface.TopicCheckCompletion
}

// sleep waits for d, give or take a fifth, or returns false as soon as the context is done.
func sleep(ctx context.Context, d time.Duration) bool {
	return sleepFor(ctx, jitter(d))
}

func jitter(d time.Duration) time.Duration {
	return d - d/5 + rand.N(2*d/5+1) //nolint:gosec // G404: jitter is no secret
}

func sleepFor(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
