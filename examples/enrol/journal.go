package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// A journal is an append-only file that tells what has been done, one JSON object a line. It holds IDs and hashes, no faces.
type journal struct {
	path string
	lock *flock.Flock

	mu       sync.Mutex
	file     *os.File
	broken   error // of the first write that failed; what the file ends with is unknown from then on
	header   line
	pool     string
	images   map[string]record
	doubtful int // creations whose answer nobody has seen, but for those that are the last line of their image
}

// openJournal locks and reads a journal, or begins one. A last line that a killed run did not finish is cut off.
func openJournal(path string, header line) (*journal, error) {
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	switch locked, err := lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("the journal cannot be locked: %w", err)
	case !locked:
		return nil, fmt.Errorf("the journal %s is in use by another run", path)
	}
	j, err := loadJournal(path, header)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	j.lock = lock
	return j, nil
}

func loadJournal(path string, header line) (*journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // G304: the operator names the file
	if err != nil {
		return nil, err
	}
	j, err := continueJournal(file, header)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the journal %s %w", path, err), file.Close())
	}
	j.path = path
	return j, nil
}

func continueJournal(file *os.File, header line) (*journal, error) {
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	j, whole, err := parseJournal(data)
	if err != nil {
		return nil, err
	}
	j.file = file
	if whole < len(data) {
		if err := errors.Join(file.Truncate(int64(whole)), file.Sync()); err != nil {
			return nil, err
		}
	}
	if _, err := file.Seek(int64(whole), io.SeekStart); err != nil {
		return nil, err
	}
	if whole > 0 {
		return j, j.isOf(header)
	}
	header.Version = journalVersion
	return j, errors.Join(j.append(header), syncFolder(filepath.Dir(file.Name())))
}

// peekJournal reads a journal for a dry run: it changes nothing. One that does not exist is an empty one.
func peekJournal(path string, header line) (*journal, error) {
	data, err := os.ReadFile(path) //nolint:gosec // G304: the operator names the file
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	j, whole, err := parseJournal(data)
	if err == nil && whole > 0 {
		err = j.isOf(header)
	}
	if err != nil {
		return nil, fmt.Errorf("the journal %s %w", path, err)
	}
	return j, nil
}

// isOf tells whether the journal is of the pool and of the account that a run is about.
func (j *journal) isOf(want line) error {
	switch {
	case j.header.SDKID != want.SDKID:
		return errors.New("is of another SDK ID: its applicants are not known to this one")
	case want.Pool != "" && !strings.EqualFold(want.Pool, j.pool):
		return errors.New("is of another pool: name another with -journal")
	case want.Pool == "" && want.Label != j.header.Label:
		return errors.New("is not of a pool that was created with this label: name another with -journal")
	}
	return nil
}

// append writes a line and returns when it is on the disk.
func (j *journal) append(l line) error {
	l.Time = time.Now().UTC().Truncate(time.Millisecond)
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return j.broken
	}
	_, err = j.file.Write(append(text, '\n'))
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.broken = fmt.Errorf("the journal cannot be written: %w", err)
		return j.broken
	}
	return j.fold(l, l.Version != 0)
}

// image tells where an image has got to.
func (j *journal) image(hash string) record {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.images[hash]
}

// unfinished returns the hashes of the images that are.
func (j *journal) unfinished() (hashes []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for hash, r := range j.images {
		if r.unfinished() {
			hashes = append(hashes, hash)
		}
	}
	return hashes
}

// proven reports whether somebody has been enrolled, so that account and pool are known to be right.
func (j *journal) proven() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.images {
		if r.step == stepEnrolled {
			return true
		}
	}
	return false
}

// doubtfulApplicants counts the creations whose answer nobody has seen. Each may have left an applicant whose ID is not
// known, without a face and in no pool.
func (j *journal) doubtfulApplicants() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := j.doubtful
	for _, r := range j.images {
		if r.step == stepCreating {
			n++
		}
	}
	return n
}

// close closes the file and lets other runs have the journal.
func (j *journal) close() error {
	if j.file == nil {
		return nil // it was only read
	}
	return errors.Join(j.file.Close(), j.lock.Close())
}

// syncFolder makes the name of a new file survive a power cut.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // it cannot be done there, and need not be
	}
	folder, err := os.Open(path) //nolint:gosec // G304: the operator names the file in it
	if err != nil {
		return err
	}
	defer folder.Close() //nolint:errcheck // it was only read
	return folder.Sync()
}
