package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCSV(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, text string
		want       []image // file and reference
		message    string  // of the error, if there is one
	}{
		{name: "plain", text: "file,reference\na.jpg,Ann\nb.jpg,Bob\n", want: []image{{file: "a.jpg", reference: "Ann"}, {file: "b.jpg", reference: "Bob"}}},
		{name: "no reference", text: "file\na.jpg\n", want: []image{{file: "a.jpg"}}},
		{name: "no line end at the end", text: "file\na.jpg", want: []image{{file: "a.jpg"}}},
		{name: "CRLF", text: "file,reference\r\na.jpg,Ann\r\n", want: []image{{file: "a.jpg", reference: "Ann"}}},
		{name: "byte order mark", text: "\ufefffile,reference\na.jpg,Ann\n", want: []image{{file: "a.jpg", reference: "Ann"}}},
		{name: "byte order mark and quotes", text: "\ufeff\"file\"\n\"a.jpg\"\n", want: []image{{file: "a.jpg"}}},
		{
			name: "quotes", text: "file,reference\n\"a, b.jpg\",\"Ann \"\"Annie\"\"\nSmith\"\n",
			want: []image{{file: "a, b.jpg", reference: "Ann \"Annie\"\nSmith"}},
		},
		{name: "other order, other columns", text: "name,Reference, FILE \nAnn,7,a.jpg\n", want: []image{{file: "a.jpg", reference: "7"}}},
		{name: "semicolons", text: "file;reference\na.jpg;Smith, Ann\n", want: []image{{file: "a.jpg", reference: "Smith, Ann"}}},
		{name: "empty lines", text: "file\n\na.jpg\n\n", want: []image{{file: "a.jpg"}}},
		{name: "a row without a reference", text: "file,reference\na.jpg\n", want: []image{{file: "a.jpg"}}},
		{name: "the same file twice", text: "file\na.jpg\na.jpg\n", want: []image{{file: "a.jpg"}, {file: "a.jpg"}}},

		{name: "empty", text: "", message: "first line"},
		{name: "only a header", text: "file,reference\n", message: "no images"},
		{name: "no header", text: "a.jpg,Ann\n", message: "first line"},
		{name: "a row without a file", text: "file,reference\na.jpg,Ann\n,Bob\n", message: "line 3 names no file"},
		{name: "a row that is too long", text: "file,reference\na, b.jpg,Ann\n", message: "line 2 has more values"},
		{name: "a quote that is not closed", text: "file\n\"a.jpg\n", message: "extraneous or missing"},
		{name: "not UTF-8", text: "file\nM\xfcller.jpg\n", message: "UTF-8"},
		{name: "an image", text: "\xff\xd8\xff\xe0", message: "UTF-8"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "people.csv")
			require.NoError(t, os.WriteFile(path, []byte(row.text), 0o600))
			s, err := openSource(path)
			if row.message != "" {
				require.ErrorContains(t, err, row.message)
				return
			}
			require.NoError(t, err)
			defer s.close()
			var got []image
			for _, img := range s.images {
				got = append(got, *img)
			}
			assert.Equal(t, row.want, got)
		})
	}
}

// pixel is the least that counts as an image.
var pixel = []byte("\x89PNG\r\n\x1a\n")

// checked opens and checks a source, and returns what is wrong with each file.
func checked(tb testing.TB, from string, own ...string) map[string]string {
	tb.Helper()
	s, err := openSource(from, own...)
	require.NoError(tb, err)
	defer s.close()
	require.NoError(tb, s.check(tb.Context()))
	wrong := map[string]string{}
	for _, img := range s.images {
		o := img.outcome(nil)
		wrong[img.file] = fmt.Sprintf("%s: %s", o.status, o.reason)
	}
	return wrong
}

const fine = "open: not reached"

func TestFolder(t *testing.T) {
	t.Parallel()
	path := folder(t, map[string][]byte{
		"a.png": pixel, "b": pixel, "below/c.png": pixel, ".hidden.png": pixel, ".git/d.png": pixel,
		"text.jpg": []byte("hello"), "form.pdf": []byte("%PDF-1.7"), "empty.jpg": {}, "huge.png": pixel, "large.png": pixel,
		"journal": pixel, "journal.lock": {}, "report.csv": []byte("x"),
	})
	require.NoError(t, os.Truncate(filepath.Join(path, "huge.png"), maxImage+1))
	require.NoError(t, os.Truncate(filepath.Join(path, "large.png"), maxImage/100))
	outside := filepath.Join(t.TempDir(), "outside.png")
	require.NoError(t, os.WriteFile(outside, pixel, 0o600))
	for name, target := range map[string]string{"link.png": "a.png", "dangling.png": "nowhere", "folder-link": "below", "escaping.png": outside} {
		require.NoError(t, os.Symlink(target, filepath.Join(path, name)))
	}
	assert.Equal(t, map[string]string{
		"a.png": fine, "b": fine, "below/c.png": fine, "link.png": fine, "large.png": fine,
		"text.jpg": "refused: is not an image", "form.pdf": "refused: is not an image", "empty.jpg": "refused: is empty",
		"huge.png": "refused: has more than 20 MiB", "folder-link": "refused: is not a file",
		"dangling.png": "failed: cannot be read: no such file or directory",
		"escaping.png": "failed: cannot be read: path escapes from parent",
	}, checked(t, path, filepath.Join(path, "journal"), filepath.Join(path, "journal.lock"), filepath.Join(path, "report.csv")))
}

// A list may come from anybody. It names images in its own folder and no other files.
func TestCSVCannotReachOutsideItsFolder(t *testing.T) {
	t.Parallel()
	path := folder(t, map[string][]byte{"a.png": pixel, "below/b.png": pixel})
	outside := filepath.Join(filepath.Dir(path), "outside.png")
	require.NoError(t, os.WriteFile(outside, pixel, 0o600))
	require.NoError(t, os.Symlink("../../outside.png", filepath.Join(path, "below", "link.png")))
	inside := filepath.Join(path, "a.png")
	list := filepath.Join(path, "people.csv")
	require.NoError(t, os.WriteFile(list, []byte(strings.Join([]string{
		"file", "a.png", "below/b.png", "below/../a.png", inside, "../outside.png", outside, "below/link.png", "missing.png", ".", "below",
	}, "\n")), 0o600))
	const escapes = "refused: is outside the folder of the CSV"
	assert.Equal(t, map[string]string{
		"a.png": fine, "below/b.png": fine, "below/../a.png": fine, inside: fine,
		"../outside.png": escapes, outside: escapes, "below/link.png": "failed: cannot be read: path escapes from parent",
		"missing.png": "failed: cannot be read: no such file or directory",
		".":           "refused: is not a file", "below": "refused: is not a file",
	}, checked(t, list))
}

func TestSourcesThatAreNone(t *testing.T) {
	t.Parallel()
	_, err := openSource(filepath.Join(t.TempDir(), "nowhere"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = openSource(t.TempDir())
	require.ErrorContains(t, err, "no images")
}

func TestCheckStopsWhenTold(t *testing.T) {
	t.Parallel()
	s, err := openSource(folder(t, map[string][]byte{"a.png": pixel}))
	require.NoError(t, err)
	defer s.close()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	require.ErrorIs(t, s.check(ctx), errInterrupted)
}

func TestTheJournalOfASourceIsBesideIt(t *testing.T) {
	t.Parallel()
	path := folder(t, map[string][]byte{"a.png": pixel})
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(path, link))
	real, err := filepath.EvalSymlinks(path)
	require.NoError(t, err)
	for _, from := range []string{path, path + "/", path + "/../faces", link} {
		journal, err := beside(from)
		require.NoError(t, err)
		assert.Equal(t, real+".journal", journal, "whatever name the folder goes by")
	}
}
