package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var staff = line{SDKID: "an SDK ID", Pool: "5b6e1b5b-6a8c-4f5b-9d0a-000000000001"}

func TestJournalRemembers(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	j, err := openJournal(path, staff)
	require.NoError(t, err)
	for _, l := range []line{
		{Step: stepCreating, Image: "done"},
		{Step: stepCreated, Image: "done", Applicant: "A"},
		{Step: stepEnrolled, Image: "done"},
		{Step: stepCreating, Image: "bad"},
		{Step: stepCreated, Image: "bad", Applicant: "B"},
		{Step: stepRefusing, Image: "bad", Reason: "no face"},
		{Step: stepRefused, Image: "bad"},
		{Step: stepCreating, Image: "half"},
		{Step: stepCreated, Image: "half", Applicant: "C"},
		{Step: stepCreating, Image: "lost once"},
		{Step: stepCreating, Image: "lost once"},
		{Step: stepCreated, Image: "lost once", Applicant: "D"},
		{Step: stepCreating, Image: "lost"},
		{Step: stepCreating, Image: "not created"},
		{Step: stepVoid, Image: "not created"},
	} {
		require.NoError(t, j.append(l))
	}
	require.NoError(t, j.close())
	assert.Equal(t, os.FileMode(0o600), mode(t, path))
	assert.Equal(t, os.FileMode(0o600), mode(t, path+".lock"))

	j, err = openJournal(path, staff)
	require.NoError(t, err)
	assert.Equal(t, staff.Pool, j.pool)
	assert.Equal(t, record{stepEnrolled, "A", ""}, j.image("done"))
	assert.Equal(t, record{stepRefused, "", "no face"}, j.image("bad"))
	assert.Equal(t, record{stepCreated, "C", ""}, j.image("half"))
	assert.Equal(t, record{stepCreated, "D", ""}, j.image("lost once"))
	assert.Equal(t, record{step: stepCreating}, j.image("lost"))
	assert.Equal(t, record{step: stepVoid}, j.image("not created"))
	assert.Equal(t, record{}, j.image("never seen"))
	assert.ElementsMatch(t, []string{"half", "lost once"}, j.unfinished())
	assert.Equal(t, 2, j.doubtfulApplicants(), "one answer was lost, and then another image's")
	require.NoError(t, j.close())
}

const header = `{"journal":1,"sdk_id":"an SDK ID","pool":"5b6e1b5b-6a8c-4f5b-9d0a-000000000001"}` + "\n"

// A journal is cut off after its last whole line, wherever in it a power cut came.
func TestJournalWithATornLine(t *testing.T) {
	t.Parallel()
	whole := header +
		`{"step":"creating","image":"x"}` + "\n" +
		`{"step":"created","image":"x","applicant":"A"}` + "\n"
	long := `{"step":"creating","image":"` + strings.Repeat("x", 1000) // longer than what will be written over it
	for cut := len(whole); cut >= 0; cut -= 7 {
		path, torn := filepath.Join(t.TempDir(), "journal"), whole[:cut]
		if cut > len(header) && whole[cut-1] != '\n' {
			torn += long
		}
		require.NoError(t, os.WriteFile(path, []byte(torn), 0o600))
		j, err := openJournal(path, staff)
		require.NoError(t, err, cut)
		before := j.image("x")
		switch {
		case cut == len(whole):
			assert.Equal(t, record{stepCreated, "A", ""}, before)
		default:
			assert.Contains(t, []step{"", stepCreating}, before.step)
		}
		if end := strings.LastIndexByte(torn, '\n') + 1; end > 0 {
			assert.Equal(t, torn[:end], readFile(t, path))
		}
		require.NoError(t, j.append(line{Step: stepCreating, Image: "y"}))
		require.NoError(t, j.close())

		j, err = openJournal(path, staff)
		require.NoError(t, err, cut)
		assert.Equal(t, before, j.image("x"))
		assert.Equal(t, stepCreating, j.image("y").step)
		require.NoError(t, j.close())
	}
}

func TestJournalsThatAreRefused(t *testing.T) {
	t.Parallel()
	pending := `{"journal":1,"sdk_id":"an SDK ID","label":"STAFF"}` + "\n"
	rows := []struct {
		name, text string
		want       line
		message    string
	}{
		{"of another pool", header, line{SDKID: staff.SDKID, Pool: "another"}, "of another pool"},
		{"of another account", header, line{SDKID: "another", Pool: staff.Pool}, "another SDK ID"},
		{"of a pool that was not created", header, line{SDKID: staff.SDKID, Label: "STAFF"}, "created with this label"},
		{"of a pool with another label", pending, line{SDKID: staff.SDKID, Label: "GUESTS"}, "created with this label"},
		{"of a pool that is still to be created", pending, staff, "of another pool"},
		{"something else altogether", "file,reference\n", staff, "line 1"},
		{"something on one line", "a photograph, say", staff, "no journal"},
		{"JSON of something else", `{"name":"x"}` + "\n", staff, "version 1"},
		{"of a later version", `{"journal":2,"sdk_id":"an SDK ID"}` + "\n", staff, "version 1"},
		{"broken in the middle", header + "{\"step\":\n" + `{"step":"creating","image":"x"}` + "\n", staff, "line 2"},
		{"with a step of a later version", header + `{"step":"dancing","image":"x"}` + "\n", staff, "line 2"},
		{"enrolled without an applicant", header + `{"step":"enrolled","image":"x"}` + "\n", staff, "line 2"},
		{"created without an ID", header + `{"step":"created","image":"x"}` + "\n", staff, "line 2"},
		{"of no image", header + `{"step":"creating"}` + "\n", staff, "line 2"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "journal")
			require.NoError(t, os.WriteFile(path, []byte(row.text), 0o600))
			for _, open := range []func(string, line) (*journal, error){openJournal, peekJournal} {
				_, err := open(path, row.want)
				require.ErrorContains(t, err, row.message)
			}
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, row.text, string(after), "what is refused is not changed")
		})
	}
}

func TestJournalOfAPoolThatWasCreated(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	byLabel := line{SDKID: staff.SDKID, Label: "STAFF"}
	j, err := openJournal(path, byLabel)
	require.NoError(t, err)
	assert.Empty(t, j.pool)
	require.NoError(t, j.append(line{Step: stepPool, Pool: "A-POOL"}))
	require.NoError(t, j.close())
	for _, want := range []line{byLabel, {SDKID: staff.SDKID, Pool: "a-pool"}} {
		j, err = openJournal(path, want)
		require.NoError(t, err)
		assert.Equal(t, "A-POOL", j.pool)
		require.NoError(t, j.close())
	}
}

func TestTwoRunsCannotShareAJournal(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	j, err := openJournal(path, staff)
	require.NoError(t, err)
	_, err = openJournal(path, staff)
	require.ErrorContains(t, err, "in use by another run")
	_, err = peekJournal(path, staff)
	require.NoError(t, err, "a dry run may look")
	require.NoError(t, j.close())
	j, err = openJournal(path, staff)
	require.NoError(t, err)
	require.NoError(t, j.close())
}

// After a write that failed nobody knows how the file ends, so nothing more is written.
func TestJournalThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	j, err := openJournal(filepath.Join(t.TempDir(), "journal"), staff)
	require.NoError(t, err)
	file := j.file
	j.file, err = os.Open(file.Name())
	require.NoError(t, err)
	require.ErrorContains(t, j.append(line{Step: stepCreating, Image: "x"}), "cannot be written")
	require.NoError(t, j.file.Close())
	j.file = file
	require.ErrorContains(t, j.append(line{Step: stepCreating, Image: "y"}), "cannot be written")
	assert.Equal(t, record{}, j.image("x"))
	require.NoError(t, j.close())
}

func TestJournalLinesHaveATime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	j, err := openJournal(path, staff)
	require.NoError(t, err)
	require.NoError(t, j.close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Contains(t, string(data), `"time":"`+time.Now().UTC().Format("2006-"))
}
