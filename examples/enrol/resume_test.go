package main

import (
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

// TestResume goes on after a death at every point of the way of one image.
func TestResume(t *testing.T) {
	t.Parallel()
	face := faces(1)[0]
	type world struct {
		*service
		pool, applicant string
	}
	create := func(t *testing.T, w *world) {
		t.Helper()
		w.applicant = w.PutApplicant()
		w.created = append(w.created, w.applicant)
	}
	addFace := func(t *testing.T, w *world) {
		t.Helper()
		_, err := w.client.AddFace(t.Context(), w.applicant, yotiface.FaceFromImage(face))
		require.NoError(t, err)
	}
	join := func(t *testing.T, w *world) {
		t.Helper()
		require.NoError(t, w.client.AddApplicantToPool(t.Context(), w.pool, w.applicant))
	}
	remove := func(t *testing.T, w *world) {
		t.Helper()
		require.NoError(t, w.client.DeleteApplicant(t.Context(), w.applicant))
	}
	type deed func(*testing.T, *world)
	rows := []struct {
		name     string
		steps    []step
		deeds    []deed // what the service has done
		faceless bool
		gone     bool // the image is not in the source any more
		args     []string

		exit, created, empty int
		refused              bool
	}{
		{name: "before the creation", steps: []step{stepCreating}, created: 1},
		{name: "before the answer to it", steps: []step{stepCreating}, deeds: []deed{create}, created: 2, empty: 1},
		{name: "before the face", steps: []step{stepCreating, stepCreated}, deeds: []deed{create}, created: 1},
		{name: "before the answer to the face", steps: []step{stepCreating, stepCreated}, deeds: []deed{create, addFace}, created: 1},
		{name: "before the answer to the pool", steps: []step{stepCreating, stepCreated}, deeds: []deed{create, addFace, join}, created: 1},
		{name: "with two faces", steps: []step{stepCreating, stepCreated}, deeds: []deed{create, addFace, addFace}, created: 1},
		{name: "with two faces, and in the pool", steps: []step{stepCreating, stepCreated}, deeds: []deed{create, addFace, join, addFace}, created: 1},
		{name: "deleted by somebody", steps: []step{stepCreating, stepCreated}, deeds: []deed{create, addFace, remove}, created: 2},
		{name: "after a creation that was denied", steps: []step{stepCreating, stepVoid}, created: 1},

		{name: "before the image is refused", steps: []step{stepCreating, stepCreated}, deeds: []deed{create}, faceless: true, exit: exitRefused, created: 1, refused: true},
		{name: "before the deletion", steps: []step{stepCreating, stepCreated, stepRefusing}, deeds: []deed{create}, exit: exitRefused, created: 1, refused: true},
		{name: "before the answer to the deletion", steps: []step{stepCreating, stepCreated, stepRefusing}, deeds: []deed{create, remove}, exit: exitRefused, created: 1, refused: true},
		{name: "before the deletion, to be tried again", steps: []step{stepCreating, stepCreated, stepRefusing}, deeds: []deed{create}, args: []string{"-retry-refused"}, created: 2},
		{name: "refused, to be tried again", steps: []step{stepCreating, stepCreated, stepRefusing, stepRefused}, deeds: []deed{create, remove}, args: []string{"-retry-refused"}, created: 2},

		{name: "the image is gone before the face", steps: []step{stepCreating, stepCreated}, deeds: []deed{create}, gone: true, exit: exitError, created: 1, empty: 1, refused: true},
		{name: "the image is gone after all was done", steps: []step{stepCreating, stepCreated}, deeds: []deed{create, addFace, join}, gone: true, created: 1},
		{name: "the image is gone before the deletion", steps: []step{stepCreating, stepCreated, stepRefusing}, deeds: []deed{create}, gone: true, exit: exitRefused, created: 1, refused: true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := &world{service: newService(t)}
			w.pool = w.PutPool("STAFF")
			for _, deed := range row.deeds {
				deed(t, w)
			}
			files := map[string][]byte{"face.jpg": face}
			want := [][]byte{face}
			if row.faceless {
				w.refuse(want...)
			}
			if row.gone {
				files = map[string][]byte{"other.jpg": faces(2)[1]}
				want = append(want, faces(2)[1])
				row.created++
			}
			if row.refused {
				want = want[1:]
			}
			from := folder(t, files)
			j, err := openJournal(from+".journal", line{SDKID: w.SDKID(), Pool: w.pool})
			require.NoError(t, err)
			for _, step := range row.steps {
				l := line{Step: step, Image: hashOf(face), Reason: "no face"}
				if step == stepCreated {
					l.Applicant = w.applicant
				}
				require.NoError(t, j.append(l))
			}
			require.NoError(t, j.close())

			exit, _, output := w.attempt(t, nil, append([]string{"-from", from, "-pool", w.pool}, row.args...)...)
			assert.Equal(t, row.exit, exit, output)
			found := w.count(t, w.pool, 0)
			found.requireOnce(t, want)
			assert.Equal(t, row.empty, found.empty)
			assert.Len(t, w.everybody(), row.created)
		})
	}
}

// A request of a run that was killed may still be on its way. Its applicant is not looked at before it has arrived.
func TestSettling(t *testing.T) {
	t.Parallel()
	s := newService(t)
	pool, from := s.PutPool("STAFF"), portraits(t, 2)
	applicant := s.PutApplicant()
	s.created = []string{applicant}
	j, err := openJournal(from+".journal", line{SDKID: s.SDKID(), Pool: pool})
	require.NoError(t, err)
	require.NoError(t, j.append(line{Step: stepCreated, Image: hashOf(faces(1)[0]), Applicant: applicant}))
	require.NoError(t, j.close())

	late := make(chan error)
	go func() {
		time.Sleep(100 * time.Millisecond)
		_, err := s.client.AddFace(t.Context(), applicant, yotiface.FaceFromImage(faces(1)[0]))
		late <- err
	}()
	began := time.Now()
	exit, _, output := s.attempt(t, nil, "-from", from, "-pool", pool, "-concurrency", "1", "-settle", "1s")
	assert.Equal(t, exitEnrolled, exit, output)
	require.NoError(t, <-late)
	s.count(t, pool, 0).requireOnce(t, faces(2))

	requests := s.Requests()
	for i, request := range requests {
		if request.Method == http.MethodGet {
			assert.GreaterOrEqual(t, request.Time.Sub(began), time.Second)
			assert.GreaterOrEqual(t, i, 3, "the image that nobody has begun comes first")
			break
		}
	}
}

// While it waits for that it can be interrupted.
func TestSettlingIsInterrupted(t *testing.T) {
	t.Parallel()
	s := newService(t)
	pool, from := s.PutPool("STAFF"), portraits(t, 1)
	j, err := openJournal(from+".journal", line{SDKID: s.SDKID(), Pool: pool})
	require.NoError(t, err)
	require.NoError(t, j.append(line{Step: stepCreated, Image: hashOf(faces(1)[0]), Applicant: s.PutApplicant()}))
	require.NoError(t, j.close())
	signals := make(chan os.Signal, 1)
	time.AfterFunc(50*time.Millisecond, func() { signals <- os.Interrupt })
	exit, r, _ := s.attempt(t, signals, "-from", from, "-pool", pool, "-settle", "1h")
	assert.Equal(t, exitInterrupted, exit)
	assert.Equal(t, 1, r.Counts[statusOpen])
}

// A deletion that does not succeed at first is tried again, by the client.
func TestRefusalWithAFlawedDeletion(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.refuse(faces(1)...)
	pool, from := s.PutPool("STAFF"), portraits(t, 1)
	s.Inject(yotitest.Status(503).Times(2).On(http.MethodDelete, "/applicants/{applicant_id}"))
	exit, _, output := s.attempt(t, nil, "-from", from, "-pool", pool)
	assert.Equal(t, exitRefused, exit, output)
	assert.Zero(t, s.count(t, pool, 0).empty)
}
