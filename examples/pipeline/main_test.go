package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/examples/pipeline/internal/engine"
	"github.com/yotiface/yotiface/examples/pipeline/internal/flow"
	"github.com/yotiface/yotiface/examples/pipeline/internal/rig"
)

// The test binary is also the processes that the tests start.
func TestMain(m *testing.M) {
	if status, ok := rig.Main(); ok {
		os.Exit(status)
	}
	if rig.Role() == "pipeline" {
		main()
	}
	for _, name := range []string{"YOTI_CLIENT_SDK_ID", "YOTI_KEY_FILE_PATH", "YOTI_DOC_SCAN_API_URL", "YOTI_NOTIFICATION_AUTH"} {
		os.Unsetenv(name)
	}
	os.Exit(m.Run())
}

func TestDemo(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	require.Equal(t, 0, run(t.Context(), nil, &stdout, &stderr), stderr.String())
	out := stdout.String()
	for outcome, n := range map[string]int{"APPROVED": 5, "REJECTED": 6, "UNDETERMINED": 3, "PENDING": 1, "dead letter": 1} {
		assert.Equal(t, n, strings.Count(out, "  "+outcome+"  "), outcome)
	}
	assert.Contains(t, out, "duplicates=3")
}

func TestWrongArguments(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{"-nonsense"}, "nonsense"},
		{[]string{"-role", "judge"}, "no role"},
		{[]string{"-role", "worker"}, "-nats"},
		{[]string{"-concurrency", "0"}, "-concurrency"},
		{[]string{"-ack-wait", "-1s"}, "-ack-wait"},
		{[]string{"-rate", "-1"}, "-rate"},
		{[]string{"more"}, "more"},
	} {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, 1, run(t.Context(), row.args, &stdout, &stderr), row.args)
		assert.Contains(t, stderr.String(), row.want)
	}
	assert.Equal(t, 0, run(t.Context(), []string{"-h"}, io.Discard, io.Discard))
}

func TestNotificationAuth(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", ":", ":password"} {
		_, err := notificationAuth(text)
		assert.Error(t, err, text)
	}
	for text, want := range map[string]string{"a:b": "Basic", "token": "Basic", "Bearer x": "Bearer"} {
		auth, err := notificationAuth(text)
		require.NoError(t, err)
		assert.Contains(t, fmt.Sprint(auth), want)
	}
}

// stage is a Yoti process, an engine, and what the test knows of both.
type stage struct {
	t       *testing.T
	cluster *rig.Cluster
	yoti    *rig.Process
	world   rig.World
	client  *yotiface.Client
	env     []string
	flags   []string // of every process
	queue   *flow.Queue
	js      jetstream.JetStream
	log     *logBook
}

const testUser, testPassword = "user", "password"

func newStage(t *testing.T, nodes int, flags ...string) *stage {
	t.Helper()
	s := &stage{t: t, log: &logBook{}, flags: flags}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("the last of what the processes logged:\n" + s.log.tail())
		}
	})
	var err error
	s.cluster, err = rig.StartCluster(nodes, t.TempDir(), s.log)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.cluster.Stop() })
	s.yoti, s.world, err = rig.StartYoti(s.log)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.yoti.Stop() })
	s.client, err = s.world.Client()
	require.NoError(t, err)
	s.env, err = s.world.Env(t.TempDir())
	require.NoError(t, err)
	s.env = append(s.env, "YOTI_NOTIFICATION_AUTH="+testUser+":"+testPassword)

	replicas := 1
	if nodes > 1 {
		replicas = 3
	}
	s.flags = append([]string{"-nats", s.cluster.URLs(), "-replicas", fmt.Sprint(replicas)}, flags...)
	settings, err := parse(append([]string{"-role", "sweep"}, s.flags...), io.Discard)
	require.NoError(t, err)
	nc, err := engine.Connect(s.cluster.URLs(), "test", s.log.logger(), nats.MaxReconnects(-1))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s.queue, err = flow.Open(ctx, nc, settings.Config, s.log.logger())
	require.NoError(t, err)
	s.js, err = jetstream.New(nc)
	require.NoError(t, err)
	return s
}

// start starts a part of the pipeline.
func (s *stage) start(role string, flags ...string) *rig.Process {
	p, err := rig.Start("pipeline", s.log, s.env, append(append([]string{"-role", role}, s.flags...), flags...)...)
	require.NoError(s.t, err)
	s.t.Cleanup(p.Kill)
	return p
}

// tell tells the Yoti process what to do.
func (s *stage) tell(c rig.Command) { require.NoError(s.t, s.yoti.Tell(c)) }

func (s *stage) report() (r rig.Report) {
	s.tell(rig.Command{Do: "report"})
	require.NoError(s.t, s.yoti.Hear(&r))
	return r
}

// put puts n completed sessions with these IDs into Yoti and makes a job of each.
func (s *stage) put(prefix string, n int) {
	for i := range n {
		id := fmt.Sprint(prefix, i)
		s.tell(rig.Command{Do: "put", JSON: session(id)})
	}
	s.report() // they are there now
	for i := range n {
		_, err := s.queue.Publish(s.t.Context(), flow.Job{SessionID: fmt.Sprint(prefix, i), Topic: "session_completion"})
		require.NoError(s.t, err)
	}
}

// session is a session whose face search approves.
func session(id string) []byte {
	return fmt.Appendf(nil, `{"session_id":%q,"state":"COMPLETED","checks":[{"type":"FAMILIAR_FACE_SEARCH","id":"c","state":"DONE",
		"report":{"recommendation":{"value":"APPROVE"},"breakdown":[]}}]}`, id)
}

// final returns how many sessions have a final verdict.
func (s *stage) final() (n int) {
	require.NoError(s.t, s.queue.Verdicts(s.t.Context(), func(v flow.Verdict) error {
		if v.Final {
			n++
		}
		return nil
	}))
	return n
}

// logBook keeps what processes write to their standard error.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logBook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *logBook) tail() string {
	text := l.String()
	return text[max(0, len(text)-6000):]
}
