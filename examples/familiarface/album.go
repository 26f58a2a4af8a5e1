package main

import (
	"fmt"
	"mime"
	"os"
	"path/filepath"

	"github.com/yotiface/yotiface"
)

// An album is a folder that faces are saved to. They are biometric data: only their owner can read the files, and the
// names say nothing about whose they are.
type album struct {
	folder string // "": a new temporary one as soon as there is a face
	saved  int
}

// save writes a face and returns its path, "" for no face.
func (a *album) save(face *yotiface.Face) (path string, err error) {
	if face == nil {
		return "", nil
	}
	if a.folder == "" {
		a.folder, err = os.MkdirTemp("", "familiarface-")
	} else {
		err = os.MkdirAll(a.folder, 0o700)
	}
	if err != nil {
		return "", err
	}
	a.saved++
	path = filepath.Join(a.folder, fmt.Sprintf("match-%d%s", a.saved, extension(face.ContentType)))
	return path, os.WriteFile(path, face.Data, 0o600)
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
