//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface/yotitest"
)

const kills = 50

// TestKilledAndStartedAgain kills real processes, at random moments, until there were enough of them; each round of it begins
// with nothing, and is let finish. Then everybody has to be in the pool once. ENROL_SEED repeats the choices of an earlier
// run.
func TestKilledAndStartedAgain(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if given := os.Getenv("ENROL_SEED"); given != "" {
		var err error
		seed, err = strconv.ParseUint(given, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("ENROL_SEED=%d", seed)
	k := &killer{service: newService(t), random: rand.New(rand.NewPCG(seed, 0))}
	k.service.refuse(faces(40)[36:]...)
	k.service.watch(k.hook)

	began, rounds := time.Now(), 0
	for ; k.died < kills; rounds++ {
		k.round(t)
	}
	t.Logf("%d rounds, %d processes: %d died by the signal, %d of them with work left; %d before a request was carried out, "+
		"%d before its answer, %d after it; %d answers lost, %d of them of creations; %d empty applicants left behind; %v",
		rounds, k.started, k.died, k.inTheMiddle, k.moments[arrived], k.moments[carriedOut], k.moments[answered],
		k.lost, k.lostCreations, k.leftBehind, time.Since(began))
	assert.Equal(t, kills, k.died)
	assert.GreaterOrEqual(t, k.inTheMiddle, kills*9/10, "kills have to hit the work")
}

// A killer lets processes live until a random request, and picks answers that get lost.
type killer struct {
	service *service
	victim  atomic.Pointer[victim]

	mu            sync.Mutex
	random        *rand.Rand
	faulty        bool // answers get lost
	lost          int
	lostCreations int

	started, died, inTheMiddle, leftBehind int

	moments [answered + 1]int
}

// A victim is a process that dies at a moment of one of its next requests.
type victim struct {
	process *os.Process
	moment  moment
	left    atomic.Int32 // requests before that
	delay   time.Duration
}

// hook kills, and hangs up now and then although the request was carried out.
func (k *killer) hook(m moment, r *http.Request) bool {
	if v := k.victim.Load(); v != nil && v.moment == m && v.left.Add(-1) == 0 {
		time.Sleep(v.delay)
		_ = v.process.Kill() // it may have ended by itself
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if m != carriedOut || !k.faulty || k.random.IntN(12) > 0 {
		return true
	}
	k.lost++
	if isCreation(r) {
		k.lostCreations++
	}
	return false
}

// choose picks when a process dies.
func (k *killer) choose(process *os.Process) *victim {
	k.mu.Lock()
	defer k.mu.Unlock()
	v := &victim{process: process, moment: moment(k.random.IntN(len(k.moments)))}
	v.left.Store(1 + k.random.Int32N(14))
	if v.moment == answered {
		// What happens then takes about as long: reading the answer, a line of the journal, the next signature.
		v.delay = time.Duration(k.random.IntN(3000)) * time.Microsecond
	}
	return v
}

// round kills until the work is done or enough have died, lets a last process finish, and looks at what the service knows.
func (k *killer) round(t *testing.T) {
	t.Helper()
	good, faceless := faces(40)[:36], faces(40)[36:]
	files := map[string][]byte{
		"duplicate.jpg": good[3], "text.jpg": []byte("not an image"), "form.pdf": []byte("%PDF-1.7\n"), "empty.jpg": {},
	}
	for i, face := range good {
		files[fmt.Sprintf("good-%02d.jpg", i)] = face
	}
	for i, face := range faceless {
		files[fmt.Sprintf("faceless-%d.jpg", i)] = face
	}
	j := newJob(t, k.service, len(good)+len(faceless), files)
	require.NoError(t, os.Symlink("nowhere", filepath.Join(j.folder, "unreadable.jpg")))

	before, died, lost := len(k.service.everybody()), k.died, k.lostCreations
	k.disturb(true)
	for k.died < kills && k.run(t, j, true) < 0 {
	}
	k.disturb(false)
	require.Equal(t, exitError, k.run(t, j, false), "a file is unreadable")

	found := k.service.count(t, j.pool, before)
	found.requireOnce(t, good)
	assert.LessOrEqual(t, found.empty, (k.died-died)*concurrency+k.lostCreations-lost)
	k.leftBehind += found.empty
	k.requireReport(t, j, found)
}

func (k *killer) disturb(faulty bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.faulty = faulty
}

// requireReport compares the report with what the service knows.
func (k *killer) requireReport(t *testing.T, j job, found census) {
	t.Helper()
	var r report
	data, err := os.ReadFile(j.report)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &r))
	assert.LessOrEqual(t, found.empty, r.Doubtful)
	assert.Len(t, r.of(statusRefused), len(k.service.faceless)+3, "three of them by the tool")
	require.Len(t, r.of(statusFailed), 1)
	assert.Equal(t, "unreadable.jpg", r.of(statusFailed)[0].File)
	enrolled := append(r.of(statusEnrolled), r.of(statusAlready)...)
	assert.Len(t, enrolled, len(found.enrolled)+1, "one of them is there twice")
	for _, l := range enrolled {
		assert.Equal(t, found.enrolled[l.Hash], []string{l.ApplicantID}, l.File)
	}
	assert.Len(t, r.Images, len(enrolled)+len(r.of(statusRefused))+1)
}

// run runs a process to its end and returns its exit status, -1 if it was killed.
func (k *killer) run(t *testing.T, j job, kill bool) (exit int) {
	t.Helper()
	if kill {
		k.service.Inject(yotitest.Status(503).Times(1+k.started%2), yotitest.Status(429), yotitest.Drop())
	}
	tool := j.command(t)
	require.NoError(t, tool.Start())
	k.started++
	v := k.choose(tool.Process)
	if kill {
		k.victim.Store(v)
	}
	_ = tool.Wait()
	k.victim.Store(nil)
	j.settle(t)
	if tool.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		return tool.ProcessState.ExitCode()
	}
	k.died++
	k.moments[v.moment]++
	if j.left(t) > 0 {
		k.inTheMiddle++
	}
	return -1
}
