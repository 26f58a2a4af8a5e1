package main

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"os"
	"path/filepath"

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
			c.FaceFile, saveErr = a.save("captured", media.ContentType, media.Data)
			err = errors.Join(err, saveErr)
		}
	}
	return err
}

// addMatched saves the faces of those who matched.
func (a *album) addMatched(ctx context.Context, client *yotiface.Client, f *yotiface.FamiliarFaceSearch, matches []match) error {
	found, err := client.MatchedFaces(ctx, f) // in the order of the matches
	for i, m := range found {
		if m.Face == nil {
			matches[i].Missing = "no face any more"
			continue
		}
		var saveErr error
		matches[i].FaceFile, saveErr = a.save("match", m.Face.ContentType, m.Face.Data)
		err = errors.Join(err, saveErr)
	}
	return err
}

// save writes a face to a file of its own and returns its path.
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
	if err := os.WriteFile(path, data, 0o600); err != nil {
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
