package main

import (
	"fmt"
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

func TestEnrolsAFolder(t *testing.T) {
	t.Parallel()
	s := newService(t)
	pool := s.PutPool("STAFF")
	from := folder(t, map[string][]byte{"a.jpg": faces(2)[0], "b/b.jpg": faces(2)[1], "copy of a.jpg": faces(2)[0]})

	exit, r, output := s.attempt(t, nil, "-from", from, "-pool", pool)
	assert.Equal(t, exitEnrolled, exit, output)
	found := s.count(t, pool, 0)
	found.requireOnce(t, faces(2))
	assert.Zero(t, found.empty)
	a, b := hashOf(faces(2)[0]), hashOf(faces(2)[1])
	assert.Equal(t, report{
		Pool:   pool,
		Counts: map[status]int{statusEnrolled: 2, statusAlready: 1},
		Images: []reportLine{
			{"a.jpg", "", statusEnrolled, "", found.enrolled[a][0], a},
			{"b/b.jpg", "", statusEnrolled, "", found.enrolled[b][0], b},
			{"copy of a.jpg", "", statusAlready, "the same image as a.jpg", found.enrolled[a][0], a},
		},
	}, r)
	assert.Contains(t, output, "enrolled  a.jpg\n")
	assert.Contains(t, output, "enrolled  2\n")
	for _, l := range r.Images {
		assert.NotContains(t, output, l.ApplicantID, "no IDs on the screen")
	}

	// Again, under other names.
	require.NoError(t, os.Rename(filepath.Join(from, "a.jpg"), filepath.Join(from, "z.jpg")))
	before := len(s.Requests())
	exit, r, _ = s.attempt(t, nil, "-from", from, "-pool", pool)
	assert.Equal(t, exitEnrolled, exit)
	assert.Equal(t, map[status]int{statusAlready: 3}, r.Counts)
	assert.Equal(t, found.enrolled[a][0], r.Images[2].ApplicantID)
	assert.Len(t, s.Requests(), before, "nothing is sent")
}

func TestEnrolsACSV(t *testing.T) {
	t.Parallel()
	s := newService(t)
	pool := s.PutPool("STAFF")
	from := filepath.Join(folder(t, map[string][]byte{
		"a.jpg": faces(1)[0], "text.jpg": []byte("text"),
		"people.csv": []byte("file,reference\na.jpg,\"Smith, Ann\"\ntext.jpg,Bob\nmissing.jpg,Cid\n"),
	}), "people.csv")
	file := filepath.Join(t.TempDir(), "report.csv")
	exit, _, output := s.attempt(t, nil, "-from", from, "-pool", pool, "-report", file)
	assert.Equal(t, exitError, exit, output)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "file,reference,status,reason,applicant_id,sha256\n"+
		fmt.Sprintf("a.jpg,\"Smith, Ann\",enrolled,,%s,%s\n", s.everybody()[0], hashOf(faces(1)[0]))+
		"text.jpg,Bob,refused,is not an image,,"+hashOf([]byte("text"))+"\n"+
		"missing.jpg,Cid,failed,cannot be read: no such file or directory,,\n", string(data))
	assert.Equal(t, os.FileMode(0o600), mode(t, file))
	assert.FileExists(t, from+".journal")
	assert.NotContains(t, readFile(t, from+".journal"), "Ann", "the journal knows no references")
}

func readFile(tb testing.TB, path string) string {
	tb.Helper()
	data, err := os.ReadFile(path)
	require.NoError(tb, err)
	return string(data)
}

func TestDryRunSendsNothing(t *testing.T) {
	t.Parallel()
	s := newService(t)
	pool := s.PutPool("STAFF")
	from := folder(t, map[string][]byte{
		"a.jpg": faces(4)[0], "b.jpg": faces(4)[1], "c.jpg": faces(4)[2], "d.jpg": faces(4)[3], "text.jpg": []byte("text"),
	})
	exit, r, _ := s.attempt(t, nil, "-dry-run", "-from", from, "-create-pool", "STAFF")
	assert.Equal(t, exitRefused, exit)
	assert.Equal(t, map[status]int{statusOpen: 4, statusRefused: 1}, r.Counts)
	assert.NoFileExists(t, from+".journal")

	before := header + "{\"step\":\"torn"
	history := ""
	for i, steps := range [][]step{{stepCreating, stepCreated, stepEnrolled}, {stepCreating, stepCreated}, {stepCreating, stepCreated, stepRefusing, stepRefused}} {
		for _, step := range steps {
			history += fmt.Sprintf("{%q:%q,%q:%q,%q:%q,%q:%q}\n", "step", step, "image", hashOf(faces(3)[i]), "applicant", "A", "reason", "no face")
		}
	}
	before = strings.Replace(before, "an SDK ID", s.SDKID(), 1)
	before = strings.Replace(before, staff.Pool, pool, 1)
	before = strings.Replace(before, "\n", "\n"+history, 1)
	require.NoError(t, os.WriteFile(from+".journal", []byte(before), 0o600))
	exit, r, output := s.attempt(t, nil, "-dry-run", "-from", from, "-pool", pool)
	assert.Equal(t, exitRefused, exit, output)
	assert.True(t, r.DryRun)
	var got []string
	for _, l := range r.Images {
		got = append(got, string(l.Status)+": "+l.Reason)
	}
	assert.Equal(t, []string{"already: ", "open: would be finished", "refused: no face", "open: would be enrolled", "refused: is not an image"}, got)
	assert.Equal(t, before, readFile(t, from+".journal"), "not even the torn line is touched")

	exit, _, output = s.attempt(t, nil, "-dry-run", "-from", from, "-pool", "another")
	assert.Equal(t, exitError, exit)
	assert.Contains(t, output, "of another pool")
	assert.Empty(t, s.Requests())
}

// Four at a time means four: no less if there is enough to do, and never more. Only the first image goes alone.
func TestConcurrencyIsBounded(t *testing.T) {
	t.Parallel()
	for _, n := range []int32{1, 4} {
		s := newService(t)
		gate, creations := make(chan struct{}), atomic.Int32{}
		s.watch(func(m moment, r *http.Request) bool {
			if m == arrived && isCreation(r) {
				switch creations.Add(1) {
				case 1:
					return true
				case 1 + n:
					close(gate)
				}
				<-gate
			}
			return true
		})
		exit, _, output := s.attempt(t, nil, "-from", portraits(t, 10), "-pool", s.PutPool("STAFF"), "-concurrency", fmt.Sprint(n))
		assert.Equal(t, exitEnrolled, exit, output)
		assert.Equal(t, int(n), s.peak)
	}
}

// What is in flight is finished, nothing new is begun, and the next run does the rest.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	s := newService(t)
	pool, from := s.PutPool("STAFF"), portraits(t, 12)
	signals := make(chan os.Signal)
	var once sync.Once
	s.watch(func(m moment, r *http.Request) bool {
		if m == carriedOut && strings.HasSuffix(r.URL.Path, "/faces") {
			once.Do(func() {
				signals <- os.Interrupt
				time.Sleep(20 * time.Millisecond) // so that it has been noticed
			})
		}
		return true
	})
	exit, r, output := s.attempt(t, signals, "-from", from, "-pool", pool, "-concurrency", "2")
	assert.Equal(t, exitInterrupted, exit)
	assert.Contains(t, output, "Finishing what is in flight")
	assert.NotZero(t, r.Counts[statusOpen])
	assert.Equal(t, 12, r.Counts[statusOpen]+r.Counts[statusEnrolled])
	found := s.count(t, pool, 0)
	assert.Len(t, found.enrolled, r.Counts[statusEnrolled])
	assert.Empty(t, found.odd)
	assert.Zero(t, found.empty)

	exit, r, _ = s.attempt(t, nil, "-from", from, "-pool", pool)
	assert.Equal(t, exitEnrolled, exit)
	assert.Zero(t, r.Doubtful)
	s.count(t, pool, 0).requireOnce(t, faces(12))
}

// The second signal cuts off what is in flight.
func TestInterruptedTwice(t *testing.T) {
	t.Parallel()
	s := newService(t)
	pool, from := s.PutPool("STAFF"), portraits(t, 4)
	s.Inject(yotitest.Stall().On(http.MethodPost, postFace))
	signals := make(chan os.Signal)
	var once sync.Once
	s.watch(func(m moment, r *http.Request) bool {
		if m == arrived && strings.HasSuffix(r.URL.Path, "/faces") {
			once.Do(func() {
				go func() {
					signals <- os.Interrupt
					signals <- os.Interrupt
				}()
			})
		}
		return true
	})
	exit, r, _ := s.attempt(t, signals, "-from", from, "-pool", pool, "-concurrency", "2")
	assert.Equal(t, exitInterrupted, exit)
	assert.NotZero(t, r.Counts[statusOpen])

	exit, _, _ = s.attempt(t, nil, "-from", from, "-pool", pool)
	assert.Equal(t, exitEnrolled, exit)
	s.count(t, pool, 0).requireOnce(t, faces(4))
}

func TestARefusedImageIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.refuse(faces(2)[1:]...)
	pool, from := s.PutPool("STAFF"), portraits(t, 2)
	exit, r, output := s.attempt(t, nil, "-from", from, "-pool", pool)
	assert.Equal(t, exitRefused, exit)
	refused := r.of(statusRefused)
	require.Len(t, refused, 1)
	assert.Equal(t, "01.jpg", refused[0].File)
	assert.Contains(t, refused[0].Reason, "422 Unprocessable Entity: NO_FACE: there is no face in this")
	assert.Empty(t, refused[0].ApplicantID)
	assert.Contains(t, output, "refused   01.jpg: POST")
	found := s.count(t, pool, 0)
	found.requireOnce(t, faces(1))
	assert.Zero(t, found.empty, "its applicant has been deleted")

	s.refuse() // the service has learned to see it
	before := len(s.Requests())
	exit, again, _ := s.attempt(t, nil, "-from", from, "-pool", pool)
	assert.Equal(t, exitRefused, exit)
	assert.Equal(t, refused, again.of(statusRefused), "with the same reason")
	assert.Len(t, s.Requests(), before)

	exit, _, _ = s.attempt(t, nil, "-from", from, "-pool", pool, "-retry-refused")
	assert.Equal(t, exitEnrolled, exit)
	s.count(t, pool, 0).requireOnce(t, faces(2))
}

// Refused again, though an answer is lost on the way: once more is enough.
func TestRetryRefusedTriesOnce(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.refuse(faces(1)...)
	pool, from := s.PutPool("STAFF"), portraits(t, 1)
	exit, _, _ := s.attempt(t, nil, "-from", from, "-pool", pool)
	assert.Equal(t, exitRefused, exit)
	s.Inject(yotitest.Drop().On(http.MethodPost, postApplicant))
	exit, r, _ := s.attempt(t, nil, "-from", from, "-pool", pool, "-retry-refused")
	assert.Equal(t, exitRefused, exit)
	assert.Equal(t, 1, r.Counts[statusRefused])
	assert.Len(t, s.everybody(), 2)
	assert.Zero(t, s.count(t, pool, 0).empty)
}

// A pool that nobody knows is found out with the first image, and nothing stays behind.
func TestAnUnknownPool(t *testing.T) {
	t.Parallel()
	s := newService(t)
	from := portraits(t, 10)
	exit, r, output := s.attempt(t, nil, "-from", from, "-pool", "5b6e1b5b-6a8c-4f5b-9d0a-000000000001", "-concurrency", "2")
	assert.Equal(t, exitError, exit)
	assert.Contains(t, output, "the pool is unknown")
	assert.Equal(t, map[status]int{statusFailed: 1, statusOpen: 9}, r.Counts)
	assert.Equal(t, census{enrolled: map[string][]string{}}, s.count(t, "", 0))
}

func TestCreatePool(t *testing.T) {
	t.Parallel()
	s := newService(t)
	from := portraits(t, 2)
	s.Inject(yotitest.Status(401).On(http.MethodPost, postApplicant))
	exit, _, _ := s.attempt(t, nil, "-from", from, "-create-pool", "STAFF")
	assert.Equal(t, exitError, exit)
	exit, r, _ := s.attempt(t, nil, "-from", from, "-create-pool", "STAFF")
	assert.Equal(t, exitEnrolled, exit)
	s.count(t, r.Pool, 0).requireOnce(t, faces(2))
	pools := 0
	for _, request := range s.Requests() {
		if request.Endpoint == "/pools" {
			pools++
		}
	}
	assert.Equal(t, 1, pools, "the second run goes on with the pool of the first")

	other := portraits(t, 1)
	s.Inject(yotitest.Drop().On(http.MethodPost, "/pools"))
	exit, _, output := s.attempt(t, nil, "-from", other, "-create-pool", "GUESTS")
	assert.Equal(t, exitError, exit)
	assert.Contains(t, output, "the pool could not be created, or")
	exit, _, _ = s.attempt(t, nil, "-from", other, "-create-pool", "GUESTS")
	assert.Equal(t, exitEnrolled, exit)
}
