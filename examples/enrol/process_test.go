//go:build unix

package main

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A job is what real processes are started for, one after the other: a folder, a pool, and a journal.
type job struct {
	*service
	folder, journal, report, key, pool string
	images                             int // that the service is asked about
}

func newJob(tb testing.TB, s *service, images int, files map[string][]byte) job {
	tb.Helper()
	j := job{service: s, folder: folder(tb, files), pool: s.PutPool("STAFF"), images: images}
	beside := filepath.Dir(j.folder)
	j.journal, j.report, j.key = filepath.Join(beside, "journal"), filepath.Join(beside, "report.json"), filepath.Join(beside, "key.pem")
	require.NoError(tb, os.WriteFile(j.key, s.KeyPEM(), 0o600))
	return j
}

const concurrency = 4

// command is the tool, as an operator would start it.
func (j job) command(tb testing.TB) *exec.Cmd {
	tb.Helper()
	tool := exec.CommandContext(tb.Context(), binary(), "-from", j.folder, "-pool", j.pool, "-journal", j.journal, "-report", j.report,
		"-concurrency", strconv.Itoa(concurrency), "-backoff", "1ms", "-settle", "0", "-tries", "20")
	tool.Env = append(os.Environ(), "YOTI_CLIENT_SDK_ID="+j.SDKID(), "YOTI_KEY_FILE_PATH="+j.key, "YOTI_DOC_SCAN_API_URL="+j.url())
	return tool
}

// settle waits until the requests of a dead process have been carried out, as -settle does.
func (j job) settle(tb testing.TB) {
	tb.Helper()
	require.Eventually(tb, func() bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		return j.inFlight == 0
	}, 10*time.Second, time.Millisecond)
}

// left counts the images that are not done with, by the journal.
func (j job) left(tb testing.TB) int {
	tb.Helper()
	data, err := os.ReadFile(j.journal)
	require.NoError(tb, err)
	read, _, err := parseJournal(data)
	require.NoError(tb, err)
	left := j.images
	for _, r := range read.images {
		if r.step == stepEnrolled || r.step == stepRefused {
			left--
		}
	}
	return left
}

// TestKilledAtEveryRequest kills once at every moment of every kind of request, and starts again.
func TestKilledAtEveryRequest(t *testing.T) {
	t.Parallel()
	kinds := []struct {
		name     string
		is       func(*http.Request) bool
		perished int // applicants that nobody knows, if it is carried out and the answer is not noted
	}{
		{"creation", isCreation, 1},
		{"face", func(r *http.Request) bool {
			return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/faces")
		}, 0},
		{"membership", func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/pools/") }, 0},
		{"deletion", func(r *http.Request) bool { return r.Method == http.MethodDelete }, 0},
	}
	moments := []struct {
		name       string
		moment     moment
		carriedOut bool
	}{
		{"sent, and lost", arrived, false},
		{"sent", arrived, true},
		{"carried out", carriedOut, true},
		{"answered", answered, true},
	}
	for _, kind := range kinds {
		for _, at := range moments {
			t.Run(kind.name+" "+at.name, func(t *testing.T) {
				t.Parallel()
				s := newService(t)
				s.refuse(faces(40)[39:]...)
				j := newJob(t, s, 2, map[string][]byte{"a.jpg": faces(1)[0], "faceless.jpg": faces(40)[39]})
				tool, started := j.command(t), make(chan struct{})
				var once sync.Once
				s.watch(func(m moment, r *http.Request) (goOn bool) {
					goOn = true
					if m == at.moment && kind.is(r) {
						once.Do(func() {
							<-started
							_ = tool.Process.Kill()
							goOn = at.carriedOut
						})
					}
					return goOn
				})
				require.NoError(t, tool.Start())
				close(started)
				_ = tool.Wait()
				if code := tool.ProcessState.ExitCode(); at.moment != answered || code != exitRefused { // after its last answer it may be faster
					require.Equal(t, -1, code, "it was killed")
				}
				j.settle(t)
				s.watch(nil)

				tool = j.command(t)
				_ = tool.Run()
				assert.Equal(t, exitRefused, tool.ProcessState.ExitCode())
				assert.Zero(t, j.left(t))
				found := s.count(t, j.pool, 0)
				found.requireOnce(t, faces(1))
				switch {
				case !at.carriedOut:
					assert.Zero(t, found.empty)
				case at.moment == answered: // there may have been time to note it
					assert.LessOrEqual(t, found.empty, kind.perished)
				default:
					assert.Equal(t, kind.perished, found.empty)
				}
			})
		}
	}
}

// TestTerminated asks a real process to end, as a service manager does.
func TestTerminated(t *testing.T) {
	t.Parallel()
	s := newService(t)
	files := map[string][]byte{}
	for i, face := range faces(30) {
		files[strconv.Itoa(i)] = face
	}
	j := newJob(t, s, len(files), files)
	tool, started := j.command(t), make(chan struct{})
	var screen bytes.Buffer
	tool.Stderr = &screen
	var requests atomic.Int32
	s.watch(func(m moment, _ *http.Request) bool {
		if m == carriedOut && requests.Add(1) == 20 {
			<-started
			_ = tool.Process.Signal(syscall.SIGTERM)
		}
		return true
	})
	require.NoError(t, tool.Start())
	close(started)
	_ = tool.Wait()
	assert.Equal(t, exitInterrupted, tool.ProcessState.ExitCode())
	assert.Contains(t, screen.String(), "Finishing what is in flight")
	assert.NotZero(t, j.left(t))
	journal, err := peekJournal(j.journal, line{SDKID: s.SDKID(), Pool: j.pool})
	require.NoError(t, err)
	assert.Empty(t, journal.unfinished())
	assert.Zero(t, journal.doubtfulApplicants())
}
