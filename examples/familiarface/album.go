package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"os"
	"path/filepath"
	"strings"

	"github.com/yotiface/yotiface"
)

// An album is a folder that faces are saved to. They are biometric data: only their owner can read the files, and the
// names say nothing about whose they are.
type album struct {
	folder string         // "": a new temporary one as soon as there is a face
	saved  map[string]int // how many of each kind
}

// addCaptured saves the images that a session captured. They do not last, so one that is gone is no error.
func (a *album) addCaptured(ctx context.Context, client *yotiface.Client, sessionID string, images []captured) (err error) {
	for i := range images {
		c := &images[i]
		media, fetchErr := client.GetMedia(ctx, sessionID, c.MediaID)
		switch {
		case errors.Is(fetchErr, yotiface.ErrNotFound):
			c.Missing = "no image any more: it has expired or was deleted"
		case errors.Is(fetchErr, yotiface.ErrNoContent):
			c.Missing = "no image: Yoti withholds it"
		case fetchErr != nil:
			err = errors.Join(err, fetchErr)
		default:
			var saveErr error
			c.FaceFile, saveErr = a.save(kindCaptured, media.ContentType, media.Data)
			err = errors.Join(err, saveErr)
		}
	}
	return err
}

// addMatched saves the faces of those who matched. Each is fetched by itself, so that one who was deleted since hides nobody
// else.
func (a *album) addMatched(ctx context.Context, client *yotiface.Client, matches []match) (err error) {
	for i := range matches {
		err = errors.Join(err, a.addMatch(ctx, client, &matches[i]))
	}
	return err
}

func (a *album) addMatch(ctx context.Context, client *yotiface.Client, m *match) error {
	applicant, err := client.GetApplicant(ctx, m.ApplicantID)
	if errors.Is(err, yotiface.ErrNotFound) {
		m.Missing = "applicant deleted"
		return nil
	} else if err != nil {
		return err
	}
	const faceless = "no face any more"
	faceID, ok := applicant.FaceID()
	if !ok {
		m.Missing = faceless
		return nil
	}
	face, err := client.GetFace(ctx, m.ApplicantID, faceID)
	if errors.Is(err, yotiface.ErrNotFound) {
		m.Missing = faceless
		return nil
	} else if err != nil {
		return err
	}
	m.FaceFile, err = a.save(kindMatch, face.ContentType, face.Data)
	return err
}

// The kinds of faces, which the names of their files begin with.
const (
	kindCaptured = "captured"
	kindMatch    = "match"
)

// checkEmpty refuses a folder that holds faces: those of another session beside new ones would be taken for one person's.
// A folder that cannot be read is left to save.
func (a *album) checkEmpty() error {
	if a.folder == "" {
		return nil
	}
	entries, _ := os.ReadDir(a.folder)
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), kindCaptured+"-") || strings.HasPrefix(entry.Name(), kindMatch+"-") {
			return a.full()
		}
	}
	return nil
}

func (a *album) full() error {
	return fmt.Errorf("the folder %s has faces already: name another one with -out", a.folder)
}

// save writes a face to a new file of its own and returns its path.
func (a *album) save(kind, contentType string, data []byte) (path string, err error) {
	if a.folder == "" {
		a.folder, err = os.MkdirTemp("", "familiarface-")
	} else {
		err = os.MkdirAll(a.folder, 0o700)
	}
	if err != nil {
		return "", err
	}
	a.saved[kind]++
	path = filepath.Join(a.folder, fmt.Sprintf("%s-%d%s", kind, a.saved[kind], extension(contentType)))
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // G304: the folder is for the user to choose
	if errors.Is(err, fs.ErrExist) {
		return "", a.full()
	} else if err != nil {
		return "", err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Close()); err != nil {
		return "", err
	}
	return path, nil
}

// extension returns the usual file name extension of an image type, "" if it is not known.
func extension(contentType string) string {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	switch mediaType {
	case "image/jpeg":
		return ".jpg"
	case "image/png":
		return ".png"
	case "image/webp":
		return ".webp"
	case "image/gif":
		return ".gif"
	default:
		return ""
	}
}
