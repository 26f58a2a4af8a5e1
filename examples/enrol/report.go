package main

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// A status is what became of an image.
type status string

const (
	statusEnrolled status = "enrolled" // now, by this run
	statusAlready  status = "already"  // by an earlier run, or as another file with the same bytes
	statusRefused  status = "refused"  // there is no usable face in it
	statusFailed   status = "failed"   // something went wrong: the next run tries again
	statusOpen     status = "open"     // not reached by a run that was stopped, or not sent by a dry run
)

// An outcome is what became of an image, and why.
type outcome struct {
	status    status
	reason    string
	applicant string
}

// A report tells what became of every image of the source, in its order.
type report struct {
	Pool     string         `json:"pool_id"` // "" if a dry run would create it
	DryRun   bool           `json:"dry_run"`
	Counts   map[status]int `json:"counts"`
	Doubtful int            `json:"doubtful_applicants"` // over all runs of the journal, see the README
	Images   []reportLine   `json:"images"`
}

type reportLine struct {
	File        string `json:"file"`
	Reference   string `json:"reference"`
	Status      status `json:"status"`
	Reason      string `json:"reason"`
	ApplicantID string `json:"applicant_id"`
	Hash        string `json:"sha256"`
}

// newReport puts together what is known of every image. Files with the same bytes share one outcome, which is that of the
// first of them. Images that an earlier run has begun, and that are not in the source any more, come last, without a file.
func newReport(images []*image, outcomes map[string]outcome) *report {
	r := &report{Counts: map[status]int{}, Images: []reportLine{}}
	first := map[string]*image{}
	for _, img := range images {
		o := img.outcome(outcomes)
		if img.hash != "" && img.refused == "" {
			if original, seen := first[img.hash]; seen {
				o = o.ofTheSame(original)
			} else {
				first[img.hash] = img
			}
		}
		r.add(newReportLine(img, o))
	}
	for _, hash := range slices.Sorted(maps.Keys(outcomes)) {
		if first[hash] == nil {
			r.add(newReportLine(&image{hash: hash}, outcomes[hash]))
		}
	}
	return r
}

func (img *image) outcome(outcomes map[string]outcome) outcome {
	switch {
	case img.refused != "":
		return outcome{status: statusRefused, reason: img.refused}
	case img.failed != "":
		return outcome{status: statusFailed, reason: img.failed}
	}
	if o, ok := outcomes[img.hash]; ok {
		return o
	}
	return outcome{status: statusOpen, reason: "not reached"}
}

// ofTheSame is the outcome of a file with the same bytes as another one.
func (o outcome) ofTheSame(original *image) outcome {
	if o.status == statusEnrolled {
		o.status = statusAlready
	}
	same := "the same image as " + original.file
	o.reason = strings.Join(nonEmpty(same, o.reason), ": ")
	return o
}

func newReportLine(img *image, o outcome) reportLine {
	return reportLine{img.file, img.reference, o.status, o.reason, o.applicant, img.hash}
}

func (r *report) add(l reportLine) {
	r.Counts[l.Status]++
	r.Images = append(r.Images, l)
}

// write writes the report to a file, as JSON if that is what the name says, else as CSV. The file is there as a whole or not
// at all; only its owner can read it.
func (r *report) write(path string) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".report-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	if strings.EqualFold(filepath.Ext(path), ".json") {
		encoder := json.NewEncoder(file)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(r)
	} else {
		err = r.writeCSV(file)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

func (r *report) writeCSV(w io.Writer) error {
	rows := [][]string{{"file", "reference", "status", "reason", "applicant_id", "sha256"}}
	for _, l := range r.Images {
		rows = append(rows, []string{l.File, l.Reference, string(l.Status), l.Reason, l.ApplicantID, l.Hash})
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// print writes the figures for people, without IDs.
func (r *report) print(w io.Writer) {
	for _, s := range []status{statusEnrolled, statusAlready, statusRefused, statusFailed, statusOpen} {
		fmt.Fprintf(w, "%-9s %d\n", s, r.Counts[s])
	}
	if r.Doubtful > 0 {
		fmt.Fprintf(w, "\nEmpty applicants that may have been left behind, without a face and in no pool: at most %d.\n", r.Doubtful)
	}
}

// text is a line of a report for people.
func (l reportLine) text() string {
	return printable(strings.Join(nonEmpty(fmt.Sprintf("%-9s %s", l.Status, cmp.Or(l.File, "image "+l.Hash)), l.Reason), ": "))
}

func nonEmpty(texts ...string) (rest []string) {
	for _, text := range texts {
		if text != "" {
			rest = append(rest, text)
		}
	}
	return rest
}

// printable makes a text one that cannot steer the terminal: file names are anybody's.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '�'
	}, text)
}
