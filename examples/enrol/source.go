package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxImage is far more than a photograph of a face needs; what is larger is a mistake, and is not read into memory.
const maxImage = 20 << 20

// An image is a line of the source: a file that shows a face to be enrolled.
type image struct {
	file      string // as the source names it
	reference string // whatever the CSV calls the person; it stays on this machine

	hash    string // the SHA-256 of the bytes, "" if they cannot be read
	refused string // why there is nothing to enrol in it, "" if there may be
	failed  string // why it cannot be read, "" if it can
}

// A source is a folder of images, or a CSV that names images below its own folder. No file outside that folder is read,
// whatever a CSV or a link says.
type source struct {
	root   *os.Root
	path   string // of the root
	images []*image
}

// openSource lists the images. The files of the tool itself are left out, in case they lie among them.
func openSource(from string, own ...string) (*source, error) {
	info, err := os.Stat(from)
	if err != nil {
		return nil, err
	}
	s := &source{path: from}
	if !info.IsDir() {
		s.path = filepath.Dir(from)
	}
	if s.root, err = os.OpenRoot(s.path); err != nil {
		return nil, err
	}
	if info.IsDir() {
		err = s.listFolder(own)
	} else {
		err = s.listCSV(from)
	}
	if err == nil && len(s.images) == 0 {
		err = fmt.Errorf("there are no images in %s", from)
	}
	if err != nil {
		return nil, errors.Join(err, s.root.Close())
	}
	return s, nil
}

// close lets go of the folder. It was only read, so nothing can be lost.
func (s *source) close() { _ = s.root.Close() }

// listFolder lists every file in the folder and in those below, but for what is hidden.
func (s *source) listFolder(own []string) error {
	return fs.WalkDir(s.root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != "." && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		}
		path = filepath.FromSlash(path)
		if !slices.ContainsFunc(own, func(file string) bool { return samePath(file, filepath.Join(s.path, path)) }) {
			s.images = append(s.images, &image{file: path})
		}
		return nil
	})
}

// samePath reports whether two paths name the same file, which need not exist.
func samePath(a, b string) bool {
	a, errA := filepath.Abs(a)
	b, errB := filepath.Abs(b)
	return errA == nil && errB == nil && a == b
}

// listCSV lists the files that a CSV names. Its first line names the columns: file and, if there are any, reference;
// others are ignored. Values are separated by commas, or by semicolons as some spreadsheets have it.
func (s *source) listCSV(path string) error {
	data, err := os.ReadFile(path) //nolint:gosec // G304: the operator names the file
	if err != nil {
		return err
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return fmt.Errorf("%s is not a CSV in UTF-8", path)
	}
	rows := csv.NewReader(bytes.NewReader(data))
	rows.FieldsPerRecord = -1
	if first, _, _ := bytes.Cut(data, []byte("\n")); !bytes.Contains(first, []byte(",")) && bytes.Contains(first, []byte(";")) {
		rows.Comma = ';'
	}
	columns, err := rows.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %w", path, err)
	}
	column := func(name string) int {
		return slices.IndexFunc(columns, func(c string) bool { return strings.EqualFold(strings.TrimSpace(c), name) })
	}
	file, reference := column("file"), column("reference")
	if file < 0 {
		return fmt.Errorf("%s: the first line has to name the columns: file and, if there are any, reference", path)
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := s.addRow(row, len(columns), file, reference); err != nil {
			number, _ := rows.FieldPos(0)
			return fmt.Errorf("%s: line %d %w", path, number, err)
		}
	}
}

func (s *source) addRow(row []string, columns, file, reference int) error {
	if len(row) > columns {
		return errors.New("has more values than there are columns: a value with a comma needs quotes")
	}
	if len(row) <= file || row[file] == "" {
		return errors.New("names no file")
	}
	img := &image{file: row[file]}
	if reference >= 0 && reference < len(row) {
		img.reference = row[reference]
	}
	s.images = append(s.images, img)
	return nil
}

// check reads every image once, and notes its hash and whatever is wrong with it.
func (s *source) check(ctx context.Context) error {
	for _, img := range s.images {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		data, err := s.read(img)
		switch {
		case errors.Is(err, errOutside), errors.Is(err, errNoFile), errors.Is(err, errTooLarge):
			img.refused = err.Error()
		case err != nil:
			img.failed = "cannot be read: " + withoutPath(err)
		case len(data) == 0:
			img.refused = "is empty"
		case !strings.HasPrefix(http.DetectContentType(data), "image/"):
			img.refused = "is not an image"
		}
		if err == nil {
			img.hash = hashOf(data)
		}
	}
	return nil
}

var (
	errOutside  = errors.New("is outside the folder of the CSV")
	errNoFile   = errors.New("is not a file")
	errTooLarge = fmt.Errorf("has more than %d MiB", maxImage>>20)
)

// read reads an image. It asks for the kind of file first, since opening a pipe would wait for somebody to write into it.
func (s *source) read(img *image) ([]byte, error) {
	path := img.file
	if filepath.IsAbs(path) {
		folder, err := filepath.Abs(s.path)
		if err != nil {
			return nil, err
		}
		if path, err = filepath.Rel(folder, path); err != nil {
			return nil, errOutside
		}
	}
	if !filepath.IsLocal(path) {
		return nil, errOutside
	}
	switch info, err := s.root.Stat(path); {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errNoFile
	case info.Size() > maxImage:
		return nil, errTooLarge
	}
	file, err := s.root.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()                                //nolint:errcheck // it was only read
	return io.ReadAll(io.LimitReader(file, maxImage)) // should it grow meanwhile, its hash will not be right
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// withoutPath is the text of an error of the file system, whose path stands beside it anyway.
func withoutPath(err error) string {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	return err.Error()
}
