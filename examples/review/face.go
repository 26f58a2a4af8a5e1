package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/yotiface/yotiface"
)

// Faces go from Yoti to the browser and stay nowhere: not on a disk, not in a cache, not in the memory of this process.

func (a *app) showCaptured(w http.ResponseWriter, r *http.Request) {
	c, ok := a.captures.lookUp(r.PathValue("capture"))
	a.showFace(w, r, ok, func(ctx context.Context, out *imageWriter) (yotiface.MediaInfo, error) {
		return a.client.DownloadMedia(ctx, c.session, c.media, out)
	})
}

func (a *app) showKnown(w http.ResponseWriter, r *http.Request) {
	k, ok := a.known.lookUp(r.PathValue("face"))
	a.showFace(w, r, ok, func(ctx context.Context, out *imageWriter) (yotiface.MediaInfo, error) {
		return a.client.DownloadFace(ctx, k.applicant, k.face, out)
	})
}

func (a *app) showFace(w http.ResponseWriter, r *http.Request, ok bool, download func(context.Context, *imageWriter) (yotiface.MediaInfo, error)) {
	if !ok {
		http.Error(w, "This address is from an earlier run of the page. Open the session again.", http.StatusNotFound)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	out := &imageWriter{w: w}
	_, err := download(ctx, out)
	if err == nil {
		err = out.end()
	}
	a.noteLoss(r, err)
	switch {
	case err == nil:
	case out.begun:
		panic(http.ErrAbortHandler) // half a face must not look like a whole one
	default:
		status, text := faceProblem(err)
		http.Error(w, text, status)
	}
}

// noteLoss remembers whether a face was shown, for who decides on it.
func (a *app) noteLoss(r *http.Request, err error) {
	face := asked{reviewer(r), r.URL.Path}
	switch {
	case err != nil && r.Context().Err() != nil:
		a.losses.left(face)
	case err != nil:
		a.losses.keep(face, true)
	case r.Header.Get("Sec-Fetch-Dest") != "empty": // a script that asks why there is no face does not show one
		a.losses.keep(face, false)
	}
}

// faceProblem says why there is no picture.
func faceProblem(err error) (status int, text string) {
	switch {
	case errors.Is(err, yotiface.ErrNotFound):
		return http.StatusNotFound, "Yoti does not have this image any more: it has expired or was deleted."
	case errors.Is(err, yotiface.ErrNoContent):
		return http.StatusNotFound, "Yoti withholds this image."
	case errors.Is(err, yotiface.ErrNotAnImage), errors.Is(err, errKind):
		return http.StatusBadGateway, "What Yoti sent is not an image that can be shown safely."
	case isDown(err):
		return http.StatusServiceUnavailable, "Yoti did not answer when it was asked for this image."
	default:
		return http.StatusBadGateway, "The image could not be read."
	}
}

// The kinds of images that are passed on. SVG, for one, is a program.
var shownKinds = map[string]bool{"image/jpeg": true, "image/png": true, "image/webp": true, "image/gif": true}

var errKind = errors.New("not a kind of image that is shown")

// An imageWriter passes an image on once its first bytes have shown what it is, whatever it was declared as.
type imageWriter struct {
	w     http.ResponseWriter
	start []byte // held back
	begun bool
}

const sniffLen = 512 // how many bytes http.DetectContentType looks at

func (i *imageWriter) Write(p []byte) (int, error) {
	if i.begun {
		return i.w.Write(p)
	}
	i.start = append(i.start, p...)
	if len(i.start) < sniffLen {
		return len(p), nil
	}
	if err := i.begin(); err != nil {
		return 0, err
	}
	return len(p), nil
}

// end passes on an image that is shorter than what Write waits for.
func (i *imageWriter) end() error {
	if i.begun {
		return nil
	}
	return i.begin()
}

func (i *imageWriter) begin() error {
	kind := http.DetectContentType(i.start)
	if !shownKinds[kind] {
		return errKind
	}
	i.begun = true
	i.w.Header().Set("Content-Type", kind)
	_, err := i.w.Write(i.start)
	i.start = nil
	return err
}
