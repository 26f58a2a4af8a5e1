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
	chosen, known := a.subjects.lookUp(r.PostFormValue("subject"))
	if !found || !known || !strings.EqualFold(chosen.about.session, it.ID) {
		a.undecided(w, r, problem{
			Kind: "unknown", Status: http.StatusNotFound, Title: "This page is too old to decide on", Back: "/",
			Text: "It is from an earlier run of the program. Nothing was decided: open the session again from the list.",
		})
		return
	}
	d := decision{
		Verdict: verdict(r.PostFormValue("verdict")), By: reviewer(r), At: time.Now().UTC().Truncate(time.Second),
		Note: note(r.PostFormValue("note")), Saw: chosen.saw,
	}
	at, _ := url.ParseQuery(r.PostFormValue("at"))
	back := "/review/" + it.Handle + placeOf(at).query()
	if p, ok := refused(chosen, d); ok {
		p.Back = back
		a.undecided(w, r, p)
		return
	}
	seen, err := strconv.Atoi(r.PostFormValue("seen"))
	if err == nil {
		err = a.store.decide(chosen.about, d, seen)
	} else {
		err = errDecided
	}
	switch {
	case errors.Is(err, errDecided):
		a.undecided(w, r, problem{
			Kind: "changed", Status: http.StatusConflict, Title: "Somebody else has decided in the meantime", Back: back,
			Text: "Your decision was not kept, so that neither of you overrules the other unawares. Look at what was decided, then decide again if you have to.",
		})
	case err != nil:
		a.failed(w, r, err)
	default:
		http.Redirect(w, r, back, http.StatusSeeOther)
	}
}

// refused says why a decision cannot be kept as it is.
func refused(c choice, d decision) (problem, bool) {
	fits := map[verdict]bool{
		verdictConfirmed: c.about.applicant != "",
		verdictDismissed: c.about.applicant != "",
		verdictHandled:   c.about.applicant == "",
		verdictReopened:  true,
	}
	p := problem{Kind: "changed", Status: http.StatusUnprocessableEntity, Title: "Nothing was decided"}
	switch {
	case !fits[d.Verdict]:
		p.Text = "That is not a decision that this search can have."
	case utf8.RuneCountInString(d.Note) > maxNote:
		p.Text = "The note is too long: " + strconv.Itoa(maxNote) + " characters are kept."
	case c.faceless && d.Note == "" && d.Verdict != verdictReopened:
		p.Text = "There were no two faces to compare, so a note has to say what the decision rests on."
	default:
		return problem{}, false
	}
	return p, true
}

func (a *app) undecided(w http.ResponseWriter, r *http.Request, p problem) {
	a.render(w, p.Status, "problem", problemView{page: a.page(r, p.Title), Problem: p})
}

// note is text of a reviewer on one line.
func note(text string) string {
	const much = 4 * maxNote // so that what is too long is found out and not cut
	return strings.TrimSpace(cleanTo(text, much))
}
