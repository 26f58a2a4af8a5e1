package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/yotiface/yotiface"
)

// A problem is why there is nothing to review, in the words of a reviewer, and what to do about it.
type problem struct {
	Kind   string // "unknown", "down", "refused", "changed"
	Status int    // of the answer
	Title  string
	Text   string
	Detail string        // in the words of the library, which hold no IDs
	Wait   time.Duration // how long the service asks to wait
	Retry  string        // the URL to try again; "" where that is no use
	Back   string        // the URL to go back to
	Remove string        // the URL to post to, to take the session off the list
}

// problemView is the page for one.
type problemView struct {
	page
	Nav     nav
	Problem problem
}

// maxDetail is as much as the library says.
const maxDetail = 500

// problemOf puts an error of the library into words.
func problemOf(err error) problem {
	p := problem{Detail: cleanTo(strings.TrimPrefix(err.Error(), "yotiface: "), maxDetail)}
	if answer, ok := errors.AsType[*yotiface.APIError](err); ok {
		p.Wait = answer.RetryAfter
	}
	_, unreadable := errors.AsType[*yotiface.DecodeError](err)
	switch {
	case errors.Is(err, yotiface.ErrNotFound):
		p.Kind, p.Status, p.Title = "unknown", http.StatusNotFound, "Yoti does not know this session"
		p.Text = "The ID is wrong, or the session has been deleted, expired long ago or belongs to another application."
	case errors.Is(err, yotiface.ErrUnauthorized), errors.Is(err, yotiface.ErrForbidden):
		p.Kind, p.Status, p.Title = "refused", http.StatusBadGateway, "Yoti refuses this application"
		p.Text = "The key, the SDK ID or the permissions do not fit. Whoever runs this page has to see to it; trying again is no use before."
	case errors.Is(err, yotiface.ErrRateLimited):
		p.Kind, p.Status, p.Title = "down", http.StatusServiceUnavailable, "Yoti asks to slow down"
		p.Text = "There were too many requests in a short time. Nothing is lost."
	case unreadable:
		p.Kind, p.Status, p.Title = "refused", http.StatusBadGateway, "Yoti’s answer cannot be trusted"
		p.Text = "It is not the session that was asked for, in a form that can be read without doubt. So nothing of it is shown."
	case isDown(err):
		p.Kind, p.Status, p.Title = "down", http.StatusServiceUnavailable, "Yoti does not answer"
		p.Text = "The service or the network is down, or slow. Nothing is lost: try again in a while."
	default:
		p.Kind, p.Status, p.Title = "refused", http.StatusBadGateway, "The session could not be read"
		p.Text = "Yoti’s answer was not what it should be."
	}
	return p
}

// isDown reports whether an error is likely to go away by itself.
func isDown(err error) bool {
	if err == nil {
		return false
	}
	if answer, ok := errors.AsType[*yotiface.APIError](err); ok {
		return errors.Is(err, yotiface.ErrUnavailable) || errors.Is(err, yotiface.ErrRateLimited) ||
			answer.StatusCode == http.StatusRequestTimeout
	}
	_, unreadable := errors.AsType[*yotiface.DecodeError](err)
	for _, certain := range []error{
		yotiface.ErrInvalidArgument, yotiface.ErrNoContent, yotiface.ErrNotAnImage, yotiface.ErrResponseTooLarge, context.Canceled,
	} {
		if errors.Is(err, certain) {
			return false
		}
	}
	return !unreadable // the connection, then, or the time that there was for it
}
