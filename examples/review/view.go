package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/yotiface/yotiface"
)

// reviewView is a session as a reviewer sees it: one match of it, or one search without a match.
type reviewView struct {
	page
	Nav      nav
	Session  sessionView
	Tabs     []tab
	Captured faceView
	Known    faceView
	Search   *searchView // nil: the session has none
	Notice   notice
	Decision *decisionView // nil: there is nothing to decide
	Checks   []checkView
	IDs      []idView
	Again    int // seconds after which there may be something new; 0: there will not be
}

type sessionView struct {
	State string
	Began time.Time
	Read  time.Time
}

// A tab leads to another match of the session.
type tab struct {
	Href    string
	Label   string
	Verdict verdict // "" if there is none yet
	Current bool
}

// faceView is a frame with a face in it, or with why there is none.
type faceView struct {
	Caption string
	Detail  string
	Time    time.Time
	TimeOf  string // what happened then
	Src     string
	Alt     string
	Missing string // the reason for an empty frame
	Hint    string
	Coming  bool   // there may be one later
	Retry   string // the URL to try again
	Pager   pager
}

// A pager leads through several images of one person.
type pager struct {
	At, Of         int
	Previous, Next string
}

type searchView struct {
	Outcome     string
	Word        string
	Explanation string
	Pool        string
	Criterion   string
	Means       string
	Value       string
	Reason      string
	Suggestion  string
	Evidence    []evidence
	Updated     time.Time
}

type evidence struct{ Name, Result, Means, Process string }

// A notice is what has to be said before anything else.
type notice struct{ Kind, Title, Text string }

type decisionView struct {
	Action   string
	Subject  string
	Seen     int
	At       string
	Match    bool // two faces were found alike; or else the search has to be seen to
	NeedNote bool
	Why      string // the reason for needing a note

	Overrules bool // what is decided now replaces what somebody else has decided, so that reopening needs a note, too
	Current   *decision
	History   []decision
	Closed    string // why nothing can be decided right now
	Next      string // the URL to go on to
	NextWord  string
}

type checkView struct {
	Type, Code, State, Value, Reason string
	Steps                            []evidence
	Updated                          time.Time
}

type idView struct{ Name, Value string }

// tabLabel numbers the matches, and names the pool where several are searched.
func tabLabel(findings []finding, i int) string {
	label := fmt.Sprintf("Match %d", i+1)
	if findings[i].match == nil {
		label = "No match"
	}
	for _, f := range findings {
		if f.search != findings[i].search {
			return label + " in " + cmp.Or(clean(findings[i].search.Config.PoolLabel), "a pool without a label")
		}
	}
	return label
}

func pagerOf(n, of int, url func(int) string) pager {
	p := pager{At: n, Of: of}
	if n > 1 {
		p.Previous = url(n - 1)
	}
	if n < of {
		p.Next = url(n + 1)
	}
	return p
}

func searchViewOf(f *yotiface.FamiliarFaceSearch) *searchView {
	o := f.ApprovalOutcome()
	v := &searchView{
		Outcome: strings.ToLower(o.String()), Word: outcomeWord(o), Explanation: withoutOutcome(f.Explain()),
		Pool:      cmp.Or(clean(f.Config.PoolLabel), "without a label"),
		Criterion: clean(string(f.Config.ApprovalCriteria)), Means: criterionMeans(f.Config.ApprovalCriteria),
		Value: clean(string(f.Report.Recommendation.Value)), Reason: clean(f.Report.Recommendation.Reason),
		Suggestion: clean(f.Report.Recommendation.RecoverySuggestion), Updated: f.LastUpdated,
		Evidence: steps(f.Report.Breakdown),
	}
	return v
}

func steps(breakdown []yotiface.SubCheck) (all []evidence) {
	for _, sub := range breakdown {
		all = append(all, evidence{clean(sub.Name), clean(string(sub.Result)), evidenceMeans(sub), sentence(sub.Process)})
	}
	return all
}

// checkViews are the checks beside the search that is looked at.
func checkViews(s *yotiface.Session, looked *yotiface.FamiliarFaceSearch) (views []checkView) {
	for _, c := range s.Checks {
		if looked != nil && c.ID == looked.ID {
			continue
		}
		views = append(views, checkView{
			Type: sentence(string(c.Type)), Code: clean(string(c.Type)), State: sentence(string(c.State)),
			Value: clean(string(c.Report.Recommendation.Value)), Reason: clean(c.Report.Recommendation.Reason),
			Steps: steps(c.Report.Breakdown), Updated: c.LastUpdated,
		})
	}
	return views
}

// noticeOf is what a reviewer has to know before looking at the faces.
func noticeOf(s *yotiface.Session, f *yotiface.FamiliarFaceSearch) notice {
	if f.Inconsistency() != nil {
		return notice{"undetermined", "The answer contradicts itself", "Trust neither side of it: look for yourself."}
	}
	switch {
	case f.ApprovalOutcome() == yotiface.OutcomePending && s.State == yotiface.SessionExpired:
		return notice{"expired", "The session has expired", "The search in it will not get a result any more."}
	case f.ApprovalOutcome() == yotiface.OutcomePending:
		return notice{"pending", "There is no result yet", "This page looks again by itself."}
	case s.State == yotiface.SessionExpired:
		return notice{"expired", "The session has expired", "Its images may be gone already."}
	}
	return notice{}
}

// noticeWithout is for a session without a face search.
func noticeWithout(s *yotiface.Session) notice {
	switch s.State {
	case yotiface.SessionOngoing:
		return notice{"pending", "The search has not begun", "Yoti begins it when the user has finished. This page looks again by itself."}
	case yotiface.SessionExpired:
		return notice{"expired", "The session has expired", "The user did not finish in time, so no face was searched for. There is nothing to review."}
	default:
		return notice{"undetermined", "There is no face search in this session", "It was created without one, or Yoti did not report it."}
	}
}
