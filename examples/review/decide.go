package main

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const maxNote = 500 // characters

// decide keeps what a reviewer says about a match. Nothing is sent to Yoti.
func (a *app) decide(w http.ResponseWriter, r *http.Request) {
	it, found := a.desk.find(r.PathValue("session"))
	handle := r.PostFormValue("subject")
	chosen, known := a.subjects.lookUp(handle)
	if !found || !known || !strings.EqualFold(chosen.about.session, it.ID) {
		a.undecided(w, r, nothingChosen(handle))
		return
	}
	d := decision{
		Verdict: verdict(r.PostFormValue("verdict")), By: reviewer(r), At: time.Now().UTC().Truncate(time.Second),
		Note: note(r.PostFormValue("note")), Saw: chosen.saw,
	}
	at, _ := url.ParseQuery(r.PostFormValue("at"))
	back := "/review/" + it.Handle + placeOf(at).query()
	p, refused, err := a.keep(chosen, d, r.PostFormValue("seen"))
	switch {
	case err != nil:
		a.failed(w, r, err)
	case refused:
		p.Back = back
		a.undecided(w, r, p)
	default:
		http.Redirect(w, r, back, http.StatusSeeOther)
	}
}

// keep keeps a decision, or says why it cannot be kept as it is. seen is how many decisions the page showed.
func (a *app) keep(c choice, d decision, seen string) (p problem, refused bool, err error) {
	history, err := a.store.history(c.about)
	if err != nil {
		return problem{}, false, err
	}
	known, ok := countOf(seen, len(history))
	if !ok {
		return nothingDecided("The form does not rightly say which decisions its page showed. Look at the session again, then decide."), true, nil
	}
	if known < len(history) {
		return overtaken(history[len(history)-1], d.By), true, nil
	}
	if text := lacking(c, d, history, a.losses.any(d.By, c.captured, c.face)); text != "" {
		return nothingDecided(text), true, nil
	}
	err = a.store.decide(c.about, d, known)
	if errors.Is(err, errDecided) {
		return a.keep(c, d, seen) // by now the history tells who was faster
	}
	return problem{}, false, err
}

// countOf reads a number of decisions, of which there are so many at most.
func countOf(text string, most int) (n int, ok bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0 && n <= most
}

// lacking says what is wrong with a decision; "" if nothing is. lost is whether the reviewer could not see one of the
// faces, which comes out only after the page was sent.
func lacking(c choice, d decision, history []decision, lost bool) string {
	fits := map[verdict]bool{
		verdictConfirmed: c.about.applicant != "",
		verdictDismissed: c.about.applicant != "",
		verdictHandled:   c.about.applicant == "",
		verdictReopened:  true,
	}
	compares := d.Verdict != verdictReopened
	switch {
	case !fits[d.Verdict]:
		return "That is not a decision that this search can have."
	case utf8.RuneCountInString(d.Note) > maxNote:
		return "The note is too long: " + strconv.Itoa(maxNote) + " characters are kept."
	case d.Note != "":
		return ""
	case compares && c.faceless:
		return "There were no two faces to compare, so a note has to say what the decision rests on."
	case compares && lost:
		return "One of the faces could not be shown, so a note has to say what the decision rests on."
	case overrules(history, d.By):
		return "It would overrule somebody else, so a note has to say why."
	}
	return ""
}

// overrules reports whether a decision of another reviewer holds.
func overrules(history []decision, by string) bool {
	if len(history) == 0 {
		return false
	}
	last := history[len(history)-1]
	return last.Verdict != verdictReopened && last.By != by
}

func nothingDecided(text string) problem {
	return problem{Kind: "changed", Status: http.StatusUnprocessableEntity, Title: "Nothing was decided", Text: text}
}

// nothingChosen is for a form that does not say what it is about, or not in a way that is understood any more.
func nothingChosen(handle string) problem {
	p := problem{
		Kind: "unknown", Status: http.StatusNotFound, Title: "This page is too old to decide on", Back: "/",
		Text: "It is from an earlier run of the program. Nothing was decided: open the session again from the list.",
	}
	if handle == "" {
		p.Title = "This form is incomplete or too old"
		p.Text = "It does not say what the decision is about. Nothing was decided: open the session again from the list."
	}
	return p
}

// overtaken is for a decision made without knowledge of the last one.
func overtaken(last decision, by string) problem {
	p := problem{
		Kind: "changed", Status: http.StatusConflict, Title: "Somebody else has decided in the meantime",
		Text: "Your decision was not kept, so that neither of you overrules the other unawares. Look at what was decided, then decide again if you have to.",
	}
	if last.By == by {
		p.Title = "You have already decided"
		p.Text = "There is a decision under your name that this page did not show yet. It holds, and this one was not kept. Look at it, then decide again if you have to."
	}
	return p
}

func (a *app) undecided(w http.ResponseWriter, r *http.Request, p problem) {
	a.render(w, p.Status, "problem", problemView{page: a.page(r, p.Title), Problem: p})
}

// note is text of a reviewer on one line.
func note(text string) string {
	const much = 4 * maxNote // so that what is too long is found out and not cut
	return strings.TrimSpace(cleanTo(text, much))
}
