package flow

import (
	"context"
	"errors"
	"net/http"

	"github.com/yotiface/yotiface"
)

// Why a session cannot be judged, as in a dead letter.
const (
	reasonNotFound   = "not found"        // 404
	reasonRefused    = "refused"          // 401 or 403, while other sessions are not
	reasonClient     = "client error"     // another 4xx
	reasonInvalid    = "invalid argument" // nothing was sent
	reasonUndecoded  = "undecodable"      // not the session that it should be
	reasonGaveUp     = "gave up"          // MaxDeliveries
	reasonUnreadable = "not a job"        // somebody else writes into the queue
	reasonPanic      = "panic"
)

// A trouble is why a session could not be read, and what to do.
type trouble struct {
	kind   troubleKind
	reason string // of a hopeless one
	err    error
}

type troubleKind int

const (
	none        troubleKind = iota
	interrupted             // the worker stops, or all pause: nothing was learned
	passing                 // the service, or the way to it, fails: again later
	limited                 // it asks everybody to wait
	refused                 // this session or the whole application is: that is to be found out
	hopeless                // this session cannot be read
)

var (
	errPaused       = errors.New("all workers pause")
	errNobodyServed = errors.New("no session is known that it serves")
)

// diagnose says what an error means. One that it does not know is a connection that could not be made or broke.
func diagnose(err error) trouble {
	if err == nil {
		return trouble{}
	}
	if answer, ok := errors.AsType[*yotiface.APIError](err); ok {
		return trouble{kindOf(answer), reasonOf(answer.StatusCode), err}
	}
	if _, ok := errors.AsType[*yotiface.DecodeError](err); ok ||
		errors.Is(err, yotiface.ErrNoContent) || errors.Is(err, yotiface.ErrResponseTooLarge) {
		return trouble{hopeless, reasonUndecoded, err}
	}
	if errors.Is(err, yotiface.ErrInvalidArgument) {
		return trouble{hopeless, reasonInvalid, err}
	}
	return trouble{passing, "", err}
}

func kindOf(answer *yotiface.APIError) troubleKind {
	switch status := answer.StatusCode; {
	case status == http.StatusTooManyRequests, answer.RetryAfter > 0:
		return limited
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusProxyAuthRequired:
		return refused
	case status == http.StatusRequestTimeout:
		return passing
	case status/100 == 4:
		return hopeless
	case status/100 == 3: // a login page or a moved service: nobody's session is at fault
		return refused
	}
	return passing
}

func reasonOf(status int) string {
	switch {
	case status == http.StatusNotFound:
		return reasonNotFound
	case status/100 == 3, status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusProxyAuthRequired:
		return reasonRefused
	case status/100 == 4:
		return reasonClient
	}
	return ""
}

const (
	// confirmations is how often a session must fail in the same way to be a hopeless case: a proxy's page in place of
	// an answer, or a replica that has not heard of the session yet, is gone the next time.
	confirmations = 3

	// breaking is after how many failures in a row a worker lets all pause: the service is down, not this session.
	breaking = 20
)

// read asks for a session until it is clear what is the matter with it.
func (w *Worker) read(ctx context.Context, sessionID string) (*yotiface.Session, trouble) {
	var last string
	for times := 1; ; {
		session, t := w.ask(ctx, sessionID)
		switch t.kind {
		case none:
			w.lastRead.Store(&sessionID)
			return session, t
		case refused:
			switch other := w.askAnother(ctx, sessionID); other.kind {
			case none:
				t.kind = hopeless
			case refused:
				w.gate.Pause(ctx, w.config.RefusedPause, "the service refuses this application: "+other.err.Error())
				return nil, t
			default:
				return nil, other // nothing is clear yet
			}
		case hopeless:
		default:
			return nil, t
		}
		switch {
		case t.reason == reasonInvalid:
			return nil, t // nothing was sent, and nothing will be
		case t.reason != last:
			last, times = t.reason, 1
		default:
			times++
		}
		if times >= confirmations {
			return nil, t
		}
		if !sleep(ctx, w.config.ConfirmAfter) {
			return nil, trouble{interrupted, "", ctx.Err()}
		}
	}
}

// askAnother finds out whether it is only this session that is refused. A 401 or 403 should concern the whole application:
// a key that was replaced, a clock that is wrong, a service that is not enabled any more. Then every session is refused,
// and none is at fault: dead letters would empty the queue in a minute and bury what is fine, while a pause keeps
// everything and ends by itself once the key is right. But one odd session must not stop the others. So the worker asks
// once more for a session that it has read before: if that is answered, it is the odd one.
func (w *Worker) askAnother(ctx context.Context, odd string) trouble {
	known := w.lastRead.Load()
	if known == nil || *known == odd {
		return trouble{refused, "", errNobodyServed}
	}
	_, t := w.ask(ctx, *known)
	if t.kind == hopeless {
		w.lastRead.CompareAndSwap(known, nil) // it has been deleted since
		return trouble{refused, "", errNobodyServed}
	}
	return t
}

// ask asks for a session once, under the rate limit and while the gate is open, and shuts the gate where everybody has to
// know of the answer.
func (w *Worker) ask(ctx context.Context, sessionID string) (*yotiface.Session, trouble) {
	if err := w.limit.Wait(ctx); err != nil {
		return nil, trouble{interrupted, "", err}
	}
	if w.gate.left() > 0 {
		return nil, trouble{interrupted, "", errPaused}
	}
	w.stats.Asked.Add(1)
	session, err := w.client.GetSession(ctx, sessionID)
	if err != nil && ctx.Err() != nil {
		return nil, trouble{interrupted, "", err}
	}
	t := diagnose(err)
	switch t.kind {
	case limited:
		d := w.config.RatePause
		if answer, ok := errors.AsType[*yotiface.APIError](err); ok && answer.RetryAfter > 0 {
			d = answer.RetryAfter
		}
		w.gate.Pause(ctx, d, "the service asks to slow down")
	case passing:
		if w.inVain.Add(1) >= breaking {
			w.gate.Pause(ctx, w.config.RatePause, "the service does not answer")
		}
	default:
		w.inVain.Store(0)
	}
	return session, t
}
