package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/yotiface/yotiface"
)

// create creates an applicant without a face, and notes its ID at once. A run that is killed in between, or that never sees
// the answer, leaves an applicant that is in no pool, holds no biometric data and can match nobody.
func (e *enroller) create(ctx context.Context, t *task) error {
	if t.image == nil {
		return errNoImage
	}
	if err := e.note(t, stepCreating, "", ""); err != nil {
		return err
	}
	applicant, err := e.client.CreateApplicant(ctx)
	if err == nil {
		t.doubt, t.face, t.pooled, t.missing = false, false, false, 0 // nothing has happened to this one yet
		return e.note(t, stepCreated, applicant.ID, "")
	}
	if certainlyNot(err) {
		if noteErr := e.note(t, stepVoid, "", ""); noteErr != nil {
			return noteErr
		}
	}
	return e.again(ctx, t, err)
}

// complete gives the applicant its face and puts it into the pool. Where it is in doubt what an earlier request has done, the
// service is asked, first and last.
func (e *enroller) complete(ctx context.Context, t *task, applicantID string) error {
	if err := e.look(ctx, t, applicantID); err != nil {
		return e.missed(ctx, t, applicantID, err)
	}
	if done := t.face && t.pooled; t.image == nil && !done {
		return errNoImage
	}
	if !t.face {
		if err := e.addFace(ctx, t, applicantID); err != nil {
			if refused(err) {
				return e.note(t, stepRefusing, "", reasonOf(err))
			}
			e.doubtful(t, err)
			return e.again(ctx, t, err)
		}
		t.face = true
	}
	if !t.pooled {
		if err := e.client.AddApplicantToPool(ctx, e.journal.pool, applicantID); err != nil {
			e.doubtful(t, err)
			err := e.again(ctx, t, err)
			if errors.Is(err, yotiface.ErrNotFound) {
				return e.noSuchPool(ctx, t, applicantID, err)
			}
			return err
		}
		t.pooled = true
	}
	if err := e.look(ctx, t, applicantID); err != nil {
		return e.missed(ctx, t, applicantID, err)
	}
	return e.note(t, stepEnrolled, "", "")
}

// doubtful notes that nobody knows what a request has done. If it was not the service that said so, it may still be on its way.
func (e *enroller) doubtful(t *task, err error) {
	t.doubt = true
	if !certainlyNot(err) {
		t.quiet = time.Now().Add(e.settle)
	}
}

// look asks the service how far an applicant has got, if that is in doubt. It waits first, since a request of a run that was
// killed, or one that has timed out, may still be on its way. If the face has arrived twice, one goes.
func (e *enroller) look(ctx context.Context, t *task, applicantID string) error {
	if !t.doubt {
		return nil
	}
	if err := e.pause(ctx, time.Until(t.quiet)); err != nil {
		return err
	}
	applicant, err := e.client.GetApplicant(ctx, applicantID)
	if err != nil {
		return err
	}
	faces := applicant.FaceIDs()
	t.face = t.face || len(faces) > 0
	for _, face := range faces[min(1, len(faces)):] {
		if err := e.client.DeleteFace(ctx, applicantID, face); err != nil && !errors.Is(err, yotiface.ErrNotFound) {
			return err
		}
	}
	for _, pool := range applicant.Pools {
		t.pooled = t.pooled || strings.EqualFold(pool.ID, e.journal.pool)
	}
	return nil
}

// maxMissing is how often an applicant may not be found before that is believed: what has just been created may be unknown
// for a moment.
const maxMissing = 3

// missed deals with an applicant that could not be read. One that is missing again and again was deleted by somebody; after
// another deletion, to be sure, its image begins anew.
func (e *enroller) missed(ctx context.Context, t *task, applicantID string, err error) error {
	if errors.Is(err, yotiface.ErrNotFound) {
		if t.missing++; t.missing >= min(maxMissing, e.tries) {
			return e.void(ctx, t, applicantID)
		}
	}
	return e.again(ctx, t, err)
}

// void deletes an applicant, and makes its image one that was never seen.
func (e *enroller) void(ctx context.Context, t *task, applicantID string) error {
	if err := e.client.DeleteApplicant(ctx, applicantID); err != nil && !errors.Is(err, yotiface.ErrNotFound) {
		return e.again(ctx, t, err)
	}
	return e.note(t, stepVoid, "", "")
}

// noSuchPool deletes the applicant that was made before the pool turned out to be unknown, and ends the run.
func (e *enroller) noSuchPool(ctx context.Context, t *task, applicantID string, err error) error {
	if voidErr := e.void(ctx, t, applicantID); voidErr != nil || e.journal.image(t.hash).step != stepVoid {
		return voidErr
	}
	return fatalError{fmt.Errorf("the pool is unknown (before you name another one, remove the journal %s): %w", e.journal.path, err)}
}

// withdraw deletes the applicant of an image that the service has refused.
func (e *enroller) withdraw(ctx context.Context, t *task, applicantID string) error {
	if err := e.client.DeleteApplicant(ctx, applicantID); err != nil && !errors.Is(err, yotiface.ErrNotFound) {
		return e.again(ctx, t, err)
	}
	return e.note(t, stepRefused, "", "")
}

// addFace reads the image once more and sends it, if it is still the one that was looked at.
func (e *enroller) addFace(ctx context.Context, t *task, applicantID string) error {
	data, err := e.source.read(t.image)
	if err != nil {
		return unreadable(withoutPath(err))
	}
	if hashOf(data) != t.hash {
		return unreadable("it has changed since this run began")
	}
	_, err = e.client.AddFace(ctx, applicantID, yotiface.FaceFromImage(data))
	return err
}

// note writes a line of the journal. A run that cannot keep its journal ends.
func (e *enroller) note(t *task, s step, applicantID, reason string) error {
	if err := e.journal.append(line{Step: s, Image: t.hash, Applicant: applicantID, Reason: reason}); err != nil {
		return fatalError{err}
	}
	return nil
}

// An unreadable image is one that could be read when the run began.
type unreadable string

func (e unreadable) Error() string { return "cannot be read: " + string(e) }

// errNoImage is about an applicant of an earlier run whose image is gone.
var errNoImage = unreadable("an earlier run has begun it, and it is not in the source any more; put it back, or delete the applicant")

// refused reports whether the service will not have an image.
func refused(err error) bool {
	answer, ok := errors.AsType[*yotiface.APIError](err)
	return ok && slices.Contains([]int{
		http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity,
	}, answer.StatusCode)
}

// certainlyNot reports whether the service has answered that it did not do what it was asked to. An error of a call that was
// cut off may hold an answer too, but only that to an attempt before.
func certainlyNot(err error) bool {
	answer, ok := errors.AsType[*yotiface.APIError](err)
	return ok && !errors.Is(err, context.Canceled) && answer.StatusCode/100 == 4 && answer.StatusCode != http.StatusRequestTimeout
}

// passing reports whether trying again may help. What has no answer, or none that can be read, may be over in a moment; so
// may a 404 about something that has just been created.
func passing(err error) bool {
	answer, ok := errors.AsType[*yotiface.APIError](err)
	if !ok {
		_, local := errors.AsType[unreadable](err)
		return !local && !errors.Is(err, yotiface.ErrInvalidArgument) && !errors.Is(err, yotiface.ErrNotAnImage)
	}
	switch answer.StatusCode {
	case http.StatusNotFound, http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return true
	}
	return answer.StatusCode >= 500
}

// maxBackoff is the longest wait before a request is sent again.
const maxBackoff = 30 * time.Second

// again waits before a task goes on after a failure, or returns why it does not.
func (e *enroller) again(ctx context.Context, t *task, err error) error {
	if _, fatal := errors.AsType[fatalError](err); fatal || errors.Is(err, errStopped) {
		return err
	}
	if ctx.Err() != nil {
		return errStopped
	}
	t.failures++
	if !passing(err) || t.failures >= e.tries {
		return err
	}
	wait := min(e.backoff<<min(t.failures-1, 16), maxBackoff)
	wait = wait/2 + rand.N(wait/2+1) //nolint:gosec // G404: jitter is no secret
	if answer, ok := errors.AsType[*yotiface.APIError](err); ok && answer.RetryAfter > 0 {
		if wait = answer.RetryAfter; wait > maxBackoff {
			return err
		}
	}
	return e.pause(ctx, wait)
}

// pause waits, unless the run is stopped: then there is nothing to wait for.
func (e *enroller) pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-e.stopping.Done():
	case <-ctx.Done():
	}
	return errStopped
}
