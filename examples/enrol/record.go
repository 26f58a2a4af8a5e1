package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A step is what a line of the journal says about an image. The line of a step that changes something at the service is
// on the disk before the next request goes out, so whatever a killed run has done can be told from its last lines.
type step string

const (
	stepCreating step = "creating" // an applicant is about to be created: from here on there may be one
	stepCreated  step = "created"  // there is one, and this is its ID
	stepVoid     step = "void"     // there is none after all, or no longer
	stepEnrolled step = "enrolled" // it has the face and is in the pool; this is final
	stepRefusing step = "refusing" // the service refused the image: the applicant is about to be deleted
	stepRefused  step = "refused"  // it has been deleted; this is final unless -retry-refused says otherwise

	stepPool step = "pool" // the pool has been created, and this is its ID; of no image
)

const (
	journalVersion = 1
	journalStart   = `{"journal":` // how every journal begins: no other file is taken for a torn one, and emptied
)

// A line is one line of a journal. The first one is its header: Version and what the journal is of. All others have a Step.
type line struct {
	Version int    `json:"journal,omitzero"`
	SDKID   string `json:"sdk_id,omitzero"`
	Label   string `json:"label,omitzero"` // of a pool that has to be created

	Time      time.Time `json:"time,omitzero"`
	Step      step      `json:"step,omitzero"`
	Pool      string    `json:"pool,omitzero"`
	Image     string    `json:"image,omitzero"` // the SHA-256 of its bytes
	Applicant string    `json:"applicant,omitzero"`
	Reason    string    `json:"reason,omitzero"`
}

// A record is where an image has got to. The zero record is that of an image that was never seen.
type record struct {
	step      step
	applicant string
	reason    string
}

// unfinished reports whether the service holds something of the image that is neither complete nor gone.
func (r record) unfinished() bool { return r.step == stepCreated || r.step == stepRefusing }

// parseJournal reads the lines that are whole, and tells how many bytes they are. Bytes after the last line end are what a
// write left behind that was interrupted: nothing has been done on their strength, so they are no loss.
func parseJournal(data []byte) (j *journal, whole int, err error) {
	j = &journal{images: map[string]record{}}
	for n := 1; ; n++ {
		end := bytes.IndexByte(data[whole:], '\n')
		if end < 0 && whole == 0 && !bytes.HasPrefix(data, []byte(journalStart)[:min(len(data), len(journalStart))]) {
			return nil, 0, errors.New("cannot be read: it is no journal")
		}
		if end < 0 {
			return j, whole, nil
		}
		var l line
		err := json.Unmarshal(data[whole:whole+end], &l)
		if err == nil {
			err = j.fold(l, n == 1)
		}
		if err != nil {
			return nil, 0, fmt.Errorf("cannot be read: line %d: %w", n, err)
		}
		whole += end + 1
	}
}

// fold takes account of a line.
func (j *journal) fold(l line, first bool) error {
	if first {
		if l.Version != journalVersion {
			return fmt.Errorf("it does not begin as a journal of version %d does", journalVersion)
		}
		j.header, j.pool = l, l.Pool
		return nil
	}
	if l.Step == stepPool {
		j.pool = l.Pool
		return nil
	}
	before := j.images[l.Image]
	if l.Image == "" {
		return errors.New("it is of no image")
	}
	if l.Step == stepCreating && before.step == stepCreating {
		j.doubtful++
	}
	switch l.Step {
	case stepCreating, stepVoid:
		j.images[l.Image] = record{step: l.Step}
	case stepCreated:
		if l.Applicant == "" {
			return errors.New("it names no applicant")
		}
		j.images[l.Image] = record{step: l.Step, applicant: l.Applicant}
	case stepEnrolled, stepRefusing:
		if before.applicant == "" {
			return errors.New("it is of an image without an applicant")
		}
		j.images[l.Image] = record{step: l.Step, applicant: before.applicant, reason: l.Reason}
	case stepRefused:
		j.images[l.Image] = record{step: l.Step, reason: before.reason}
	default:
		return errors.New("it has a step that this version does not know")
	}
	return nil
}
