package yotiface_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
)

// The verdict, written down once more as data: first what each ingredient of a check is evidence of, then which
// outcome each kind of check has. Nothing here computes a verdict; the tests only look rows up, for every combination.

// Who and where. The configured pool is tablePool.
const (
	tablePool      = "a8b2e5de-a31f-4e82-b2ac-557a492fa88e"
	tablePoolUpper = "A8B2E5DE-A31F-4E82-B2AC-557A492FA88E"
	tableElsewhere = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
	tableAlice     = "b1ac68ca-c692-449f-b6cc-1ee7c0d366ea"
	tableBob       = "db59ddde-ca99-48aa-ac77-e59be74fc0d1"
	tableCarol     = "0c4f8a52-1d0e-4f0b-9a51-6f3d9a7b2c11"
	tableDave      = "5e0d7c9b-7c3a-4a0e-8f55-90aa3b1f4d22"
	tableErin      = "f7a1b2c3-9d8e-4c5b-a6f7-1234567890ab"
)

// tableIDs must never be in a sentence or an error.
var tableIDs = []string{tablePool, tableElsewhere, tableAlice, tableBob, tableCarol, tableDave, tableErin}

// One row for each kind of check, by the words that the ingredients below are given; "any" stands for all of them.
// The column pool says whether a matching_pool other than the configured one is reported.
// Exactly one row is about each check.
const tableOutcomes = `
	type     state    recommendation  criterion  evidence        pool     outcome

	another  any      any             any        any             any      UNDETERMINED
	ours     waiting  any             any        any             any      PENDING
	ours     other    any             any        any             any      UNDETERMINED

	ours     DONE     APPROVE         any        none            ours     APPROVED
	ours     DONE     APPROVE         MATCH      match           ours     APPROVED
	ours     DONE     APPROVE         NO_MATCH   no-match        ours     APPROVED
	ours     DONE     APPROVE         other      match|no-match  ours     APPROVED

	ours     DONE     REJECT          any        none            ours     REJECTED
	ours     DONE     REJECT          MATCH      no-match        ours     REJECTED
	ours     DONE     REJECT          NO_MATCH   match           ours     REJECTED
	ours     DONE     REJECT          other      match|no-match  ours     REJECTED

	ours     DONE     APPROVE         MATCH      no-match        ours     UNDETERMINED
	ours     DONE     APPROVE         NO_MATCH   match           ours     UNDETERMINED
	ours     DONE     REJECT          MATCH      match           ours     UNDETERMINED
	ours     DONE     REJECT          NO_MATCH   no-match        ours     UNDETERMINED
	ours     DONE     APPROVE|REJECT  any        both            ours     UNDETERMINED
	ours     DONE     APPROVE|REJECT  any        any             another  UNDETERMINED

	ours     DONE     other           any        any             any      UNDETERMINED
`

// Inconsistency is an error where at least one row applies, whatever type and state are.
const tableInconsistencies = `
	recommendation  criterion  evidence  pool

	any             any        both      any
	any             any        any       another
	APPROVE         MATCH      no-match  any
	APPROVE         NO_MATCH   match     any
	REJECT          MATCH      match     any
	REJECT          NO_MATCH   no-match  any
`

// MatchStatus is the evidence alone.
var tableStatuses = map[string]yotiface.MatchStatus{
	"none":     yotiface.MatchUnknown,
	"match":    yotiface.MatchFound,
	"no-match": yotiface.MatchNotFound,
	"both":     yotiface.MatchUnknown,
}

var tableTypes = []struct {
	typ yotiface.CheckType
	is  string
}{
	{"FAMILIAR_FACE_SEARCH", "ours"},
	{"", "ours"},
	{"LIVENESS", "another"},
}

var tableStates = []struct {
	state yotiface.CheckState
	is    string
}{
	{"CREATED", "waiting"},
	{"PENDING", "waiting"},
	{"DONE", "DONE"},
	{"", "other"},
	{"done", "other"},
	{"READY", "other"},
	{"INTERNAL_ERROR", "other"},
	{"SOMETHING_NEW", "other"},
}

var tableRecommendations = []struct {
	value yotiface.RecommendationValue
	is    string
}{
	{"APPROVE", "APPROVE"},
	{"REJECT", "REJECT"},
	{"NOT_AVAILABLE", "other"},
	{"", "other"},
	{"approve", "other"},
	{" APPROVE", "other"},
	{"APPROVED", "other"},
	{"CONSIDER", "other"},
}

var tableCriteria = []struct {
	criterion yotiface.ApprovalCriteria
	is        string
}{
	{"MATCH", "MATCH"},
	{"NO_MATCH", "NO_MATCH"},
	{"NO MATCH", "NO_MATCH"},
	{"NO_ MATCH", "NO_MATCH"},
	{"", "other"},
	{"SOMETHING_NEW", "other"},
	{"no_match", "other"},
}

var tableReasons = []struct {
	reason   string
	evidence string
}{
	{"", "none"},
	{"MATCH", "match"},
	{"MATCH_FOUND", "match"},
	{"NO_MATCH", "no-match"},
	{"NO_MATCH_FOUND", "no-match"},
	{"NO MATCH", "no-match"},
	{"NO_ MATCH", "no-match"},
	{"POTENTIAL_MATCH", "none"},
}

// The check without any sub-check is added by the test.
var tableSubChecks = []struct {
	name     string
	result   yotiface.Result
	evidence string
}{
	{"face_found_in_pool", "PASS", "match"},
	{"face_found_in_pool", "FAIL", "no-match"},
	{"face_found_in_pool", "", "none"},
	{"face_found_in_pool", "PARTIAL", "none"},
	{"face_found_in_pool", "pass", "none"},

	{"face_not_found_in_pool", "PASS", "no-match"},
	{"face_not_found_in_pool", "FAIL", "match"},
	{"face_not_found_in_pool", "", "none"},
	{"face_not_found_in_pool", "PARTIAL", "none"},
	{"face_not_found_in_pool", "pass", "none"},

	{"liveness_auth", "PASS", "none"},
	{"liveness_auth", "FAIL", "none"},
	{"liveness_auth", "", "none"},
	{"liveness_auth", "PARTIAL", "none"},
	{"liveness_auth", "pass", "none"},
}

// Details count whatever the sub-check is that they are in.
var tableDetails = []struct {
	name     string
	details  []yotiface.Detail
	evidence string
	pool     string
}{
	{"nothing", nil, "none", "ours"},
	{"pool and applicant", []yotiface.Detail{tableInPool(tablePool), tableApplicant(tableAlice)}, "match", "ours"},
	{"applicant alone", []yotiface.Detail{tableApplicant(tableAlice)}, "match", "ours"},
	{"empty applicant", []yotiface.Detail{tableApplicant("")}, "none", "ours"},
	{"another pool and applicant", []yotiface.Detail{tableInPool(tableElsewhere), tableApplicant(tableAlice)}, "match", "another"},
	{"pool in capitals and applicant", []yotiface.Detail{tableInPool(tablePoolUpper), tableApplicant(tableAlice)}, "match", "ours"},
	{"pool alone", []yotiface.Detail{tableInPool(tablePool)}, "none", "ours"},
	{"another pool alone", []yotiface.Detail{tableInPool(tableElsewhere)}, "none", "another"},
	{"something else", []yotiface.Detail{{Name: "confidence_score", Value: "0.68"}}, "none", "ours"},
}

func tableInPool(id string) yotiface.Detail {
	return yotiface.Detail{Name: "matching_pool", Value: id}
}

func tableApplicant(id string) yotiface.Detail {
	return yotiface.Detail{Name: "matching_applicant", Value: id}
}

// tableTogether: evidence on both sides contradicts itself.
func tableTogether(evidence ...string) string {
	match := slices.Contains(evidence, "match") || slices.Contains(evidence, "both")
	noMatch := slices.Contains(evidence, "no-match") || slices.Contains(evidence, "both")
	switch {
	case match && noMatch:
		return "both"
	case match:
		return "match"
	case noMatch:
		return "no-match"
	}
	return "none"
}

// tablePools: one matching_pool other than the configured one is enough.
func tablePools(pools ...string) string {
	if slices.Contains(pools, "another") {
		return "another"
	}
	return "ours"
}

var tableOutcomeNames = map[string]yotiface.ApprovalOutcome{
	"UNDETERMINED": yotiface.OutcomeUndetermined,
	"PENDING":      yotiface.OutcomePending,
	"APPROVED":     yotiface.OutcomeApproved,
	"REJECTED":     yotiface.OutcomeRejected,
}

// tableRows is a table without its heading, cell by cell.
func tableRows(table string) [][]string {
	var rows [][]string
	for line := range strings.Lines(table) {
		if cells := strings.Fields(line); len(cells) > 0 {
			rows = append(rows, cells)
		}
	}
	return rows[1:]
}

// tableApplies says whether a row is about what the words describe.
func tableApplies(row []string, words ...string) bool {
	for i, word := range words {
		if row[i] != "any" && !slices.Contains(strings.Split(row[i], "|"), word) {
			return false
		}
	}
	return true
}

// tableWant is what the tables say about the checks that differ in type and state only.
type tableWant struct {
	status       yotiface.MatchStatus
	inconsistent bool
	outcome      [][]yotiface.ApprovalOutcome // by index of tableStates, of tableTypes
}

// tableWants has looked up every class of checks there is, once.
var tableWants = sync.OnceValues(func() (map[[4]string]tableWant, error) {
	wants := make(map[[4]string]tableWant)
	for _, recommendation := range []string{"APPROVE", "REJECT", "other"} {
		for _, criterion := range []string{"MATCH", "NO_MATCH", "other"} {
			for _, evidence := range []string{"none", "match", "no-match", "both"} {
				for _, pool := range []string{"ours", "another"} {
					words := [4]string{recommendation, criterion, evidence, pool}
					want, err := tableLookUp(words[:])
					if err != nil {
						return nil, err
					}
					wants[words] = want
				}
			}
		}
	}
	return wants, nil
})

func tableLookUp(words []string) (tableWant, error) {
	want := tableWant{status: tableStatuses[words[2]]}
	for _, row := range tableRows(tableInconsistencies) {
		want.inconsistent = want.inconsistent || tableApplies(row, words...)
	}
	rows := tableRows(tableOutcomes)
	for _, state := range tableStates {
		var byType []yotiface.ApprovalOutcome
		for _, typ := range tableTypes {
			all := append([]string{typ.is, state.is}, words...)
			var about [][]string
			for _, row := range rows {
				if tableApplies(row, all...) {
					about = append(about, row)
				}
			}
			if len(about) != 1 {
				return want, fmt.Errorf("%d rows about %q", len(about), all)
			}
			outcome, known := tableOutcomeNames[about[0][len(all)]]
			if !known {
				return want, fmt.Errorf("no outcome in %q", about[0])
			}
			byType = append(byType, outcome)
		}
		want.outcome = append(want.outcome, byType)
	}
	return want, nil
}

// tableRun compares checks with the tables; it counts what differs and keeps the first few.
type tableRun struct {
	wants    map[[4]string]tableWant
	seen     map[[2]string]string // method and text to complaint
	compared int
	failed   int
	first    []string

	explained int // of how many checks one is asked to explain itself: that costs more than all the rest
}

func newTableRun(t *testing.T) *tableRun {
	t.Helper()
	wants, err := tableWants()
	require.NoError(t, err, "the table of outcomes is not one row for each check")
	return &tableRun{wants: wants, seen: make(map[[2]string]string), explained: 1}
}

// compare sets f to each of the types in each of the states, and compares it with what the tables say about the words.
func (r *tableRun) compare(f *yotiface.FamiliarFaceSearch, types, states int, recommendation, criterion, evidence, pool string) {
	want, known := r.wants[[4]string{recommendation, criterion, evidence, pool}]
	if !known {
		r.fail(f, fmt.Sprintf("the tables do not know %q", []string{recommendation, criterion, evidence, pool}))
		return
	}
	for i := range states {
		f.State = tableStates[i].state
		for j := range types {
			f.Type = tableTypes[j].typ
			r.compared++
			outcome, status, err := f.ApprovalOutcome(), f.MatchStatus(), f.Inconsistency()
			if outcome != want.outcome[i][j] {
				r.fail(f, fmt.Sprintf("ApprovalOutcome is %v, not %v", outcome, want.outcome[i][j]))
			}
			if outcome == yotiface.OutcomeApproved && (f.State != "DONE" || f.Report.Recommendation.Value != "APPROVE") {
				r.fail(f, "approved without DONE and APPROVE")
			}
			if status != want.status {
				r.fail(f, fmt.Sprintf("MatchStatus is %v, not %v", status, want.status))
			}
			if (err != nil) != want.inconsistent {
				r.fail(f, fmt.Sprintf("Inconsistency is %v; should there be one: %t", err, want.inconsistent))
			}
			if err != nil {
				r.read(f, "Inconsistency", err.Error(), tableLine)
			}
			if r.compared%r.explained == 0 {
				r.read(f, "Explain", f.Explain(), tableSentence)
			}
		}
	}
}

// read judges each text once.
func (r *tableRun) read(f *yotiface.FamiliarFaceSearch, method, text string, judge func(string) string) {
	complaint, known := r.seen[[2]string{method, text}]
	if !known {
		complaint = judge(text)
		r.seen[[2]string{method, text}] = complaint
	}
	if complaint != "" {
		r.fail(f, fmt.Sprintf("%s %s: %.300q", method, complaint, text))
	}
}

// tableSentence says what is wrong with a sentence for a human reviewer.
func tableSentence(text string) string {
	if complaint := tableLine(text); complaint != "" {
		return complaint
	}
	for _, end := range []string{". ", "! ", "? "} {
		if strings.Contains(text, end) {
			return "is more than one sentence"
		}
	}
	return ""
}

// tableLine says what is wrong with one line that names nobody.
func tableLine(text string) string {
	if strings.TrimSpace(text) == "" {
		return "is empty"
	}
	if strings.ContainsAny(text, "\n\r") {
		return "has more than one line"
	}
	lower := strings.ToLower(text)
	for _, id := range tableIDs {
		if strings.Contains(lower, id) {
			return "has an ID"
		}
	}
	return ""
}

func (r *tableRun) fail(f *yotiface.FamiliarFaceSearch, complaint string) {
	r.failed++
	if len(r.first) >= 5 {
		return
	}
	r.first = append(r.first, fmt.Sprintf("%s\n\ttype %q, state %q, recommendation %q, reason %q, criterion %q, pool_id %q, breakdown %q",
		complaint, f.Type, f.State, f.Report.Recommendation.Value, f.Report.Recommendation.Reason,
		f.Config.ApprovalCriteria, f.Config.PoolID, f.Report.Breakdown))
}

func (r *tableRun) report(t *testing.T) {
	t.Helper()
	if r.failed > 0 {
		t.Errorf("%d failures in %d checks, the first of them:\n%s", r.failed, r.compared, strings.Join(r.first, "\n"))
	}
}

// Every combination of the ingredients above with one sub-check, and all that there are without one.
func TestTableOneSubCheck(t *testing.T) {
	t.Parallel()
	for _, criterion := range tableCriteria {
		t.Run(fmt.Sprintf("criterion=%q", criterion.criterion), func(t *testing.T) {
			t.Parallel()
			run := newTableRun(t)
			run.explained = 61 // a prime, so that each ingredient has its turn with each of the others
			f := &yotiface.FamiliarFaceSearch{Config: yotiface.FamiliarFaceSearchConfig{
				PoolID: tablePool, PoolLabel: "Test Pool", ApprovalCriteria: criterion.criterion,
			}}
			everything := func(evidence, pool string) {
				for _, reason := range tableReasons {
					f.Report.Recommendation.Reason = reason.reason
					evidence := tableTogether(evidence, reason.evidence)
					for _, recommendation := range tableRecommendations {
						f.Report.Recommendation.Value = recommendation.value
						run.compare(f, len(tableTypes), len(tableStates), recommendation.is, criterion.is, evidence, pool)
					}
				}
			}

			everything("none", "ours")
			f.Report.Breakdown = make([]yotiface.SubCheck, 1)
			for _, sub := range tableSubChecks {
				for _, detail := range tableDetails {
					f.Report.Breakdown[0] = yotiface.SubCheck{Name: sub.name, Result: sub.result, Details: detail.details, Process: "AUTOMATED"}
					everything(tableTogether(sub.evidence, detail.evidence), detail.pool)
				}
			}

			run.report(t)
			perBreakdown := len(tableReasons) * len(tableRecommendations) * len(tableStates) * len(tableTypes)
			assert.Equal(t, (1+len(tableSubChecks)*len(tableDetails))*perBreakdown, run.compared)
		})
	}
}

// Sub-checks to be combined, two and three at a time.
var tableCombined = []struct {
	sub      yotiface.SubCheck
	evidence string
	pool     string
}{
	{yotiface.SubCheck{Name: "face_found_in_pool", Result: "PASS"}, "match", "ours"},
	{yotiface.SubCheck{Name: "face_found_in_pool", Result: "FAIL"}, "no-match", "ours"},
	{yotiface.SubCheck{Name: "face_not_found_in_pool", Result: "PASS"}, "no-match", "ours"},
	{yotiface.SubCheck{Name: "face_not_found_in_pool", Result: "FAIL"}, "match", "ours"},
	{yotiface.SubCheck{Name: "face_found_in_pool", Result: "PASS", Details: []yotiface.Detail{
		tableInPool(tablePool), tableApplicant(tableAlice), tableApplicant(tableBob),
	}}, "match", "ours"},
	{yotiface.SubCheck{Name: "face_not_found_in_pool", Result: "FAIL", Details: []yotiface.Detail{
		tableInPool(tablePoolUpper), tableApplicant(""), tableApplicant(tableCarol),
	}}, "match", "ours"},
	{yotiface.SubCheck{Name: "face_not_found_in_pool", Result: "PASS", Details: []yotiface.Detail{tableApplicant(tableBob)}}, "both", "ours"},
	{yotiface.SubCheck{Name: "face_found_in_pool", Result: "FAIL", Details: []yotiface.Detail{tableInPool(tableElsewhere)}}, "no-match", "another"},
	{yotiface.SubCheck{Name: "face_found_in_pool", Result: "PASS", Details: []yotiface.Detail{
		tableInPool(tablePool), tableApplicant(tableAlice), tableInPool(tableElsewhere), tableApplicant(tableBob),
	}}, "match", "another"},
	{yotiface.SubCheck{Name: "liveness_auth", Result: "FAIL"}, "none", "ours"},
	{yotiface.SubCheck{Name: "liveness_auth", Result: "PASS", Details: []yotiface.Detail{tableApplicant(tableAlice)}}, "match", "ours"},
	{yotiface.SubCheck{}, "none", "ours"},
}

// Evidence counts wherever it is: in the first sub-check or the last, and in several together.
func TestTableSeveralSubChecks(t *testing.T) {
	t.Parallel()
	run := newTableRun(t)
	f := &yotiface.FamiliarFaceSearch{Config: yotiface.FamiliarFaceSearchConfig{PoolID: tablePool}}
	everything := func(evidence, pool string) {
		for _, criterion := range []yotiface.ApprovalCriteria{"MATCH", "NO_MATCH", ""} {
			f.Config.ApprovalCriteria = criterion
			word := cmp.Or(string(criterion), "other")
			for _, recommendation := range tableRecommendations[:3] {
				f.Report.Recommendation.Value = recommendation.value
				run.compare(f, 1, 3, recommendation.is, word, evidence, pool) // FAMILIAR_FACE_SEARCH, the states up to DONE
			}
		}
	}

	for _, a := range tableCombined {
		for _, b := range tableCombined {
			evidence, pool := tableTogether(a.evidence, b.evidence), tablePools(a.pool, b.pool)
			f.Report.Breakdown = []yotiface.SubCheck{a.sub, b.sub}
			everything(evidence, pool)
			for _, c := range tableCombined {
				f.Report.Breakdown = []yotiface.SubCheck{a.sub, b.sub, c.sub}
				everything(tableTogether(evidence, c.evidence), tablePools(pool, c.pool))
			}
		}
	}
	run.report(t)
}

// What looks like evidence, or like a criterion, and is none; and letter case of pools.
func TestTableNearMisses(t *testing.T) {
	t.Parallel()
	sub := func(name string, result yotiface.Result, details ...yotiface.Detail) []yotiface.SubCheck {
		return []yotiface.SubCheck{{Name: name, Result: result, Details: details}}
	}
	tests := []struct {
		name      string
		config    yotiface.FamiliarFaceSearchConfig
		reason    string
		breakdown []yotiface.SubCheck

		criterion, evidence, pool string
	}{
		{
			name:   "a pool is reported and none configured: nothing to contradict",
			config: yotiface.FamiliarFaceSearchConfig{ApprovalCriteria: "MATCH"}, breakdown: sub("face_found_in_pool", "PASS", tableInPool(tableElsewhere)),
			criterion: "MATCH", evidence: "match", pool: "ours",
		},
		{
			name:   "two pools are reported and none configured",
			config: yotiface.FamiliarFaceSearchConfig{ApprovalCriteria: "NO_MATCH"}, breakdown: sub("face_not_found_in_pool", "FAIL", tableInPool(tableElsewhere), tableInPool(tablePool)),
			criterion: "NO_MATCH", evidence: "match", pool: "ours",
		},
		{
			name:   "the configured pool is in capitals",
			config: yotiface.FamiliarFaceSearchConfig{PoolID: tablePoolUpper, ApprovalCriteria: "MATCH"}, breakdown: sub("face_found_in_pool", "PASS", tableInPool(tablePool)),
			criterion: "MATCH", evidence: "match", pool: "ours",
		},
		{
			name:   "the right pool first, then another",
			config: yotiface.FamiliarFaceSearchConfig{PoolID: tablePool, ApprovalCriteria: "MATCH"}, breakdown: sub("face_found_in_pool", "PASS", tableInPool(tablePool), tableInPool(tableElsewhere)),
			criterion: "MATCH", evidence: "match", pool: "another",
		},
		{
			name:   "another pool whose ID begins like the configured one",
			config: yotiface.FamiliarFaceSearchConfig{PoolID: tablePool, ApprovalCriteria: "MATCH"}, breakdown: sub("face_found_in_pool", "PASS", tableInPool(tablePool+"0")),
			criterion: "MATCH", evidence: "match", pool: "another",
		},
		{
			name:   "the label is no pool",
			config: yotiface.FamiliarFaceSearchConfig{PoolID: tablePool, PoolLabel: tableElsewhere, ApprovalCriteria: "MATCH"}, breakdown: sub("face_found_in_pool", "PASS", tableInPool(tableElsewhere)),
			criterion: "MATCH", evidence: "match", pool: "another",
		},
		{
			name:   "a criterion in lower case is another criterion",
			config: yotiface.FamiliarFaceSearchConfig{PoolID: tablePool, ApprovalCriteria: "match"}, breakdown: sub("face_found_in_pool", "FAIL"),
			criterion: "other", evidence: "no-match", pool: "ours",
		},
		{
			name:   "a result in lower case",
			config: yotiface.FamiliarFaceSearchConfig{PoolID: tablePool, ApprovalCriteria: "MATCH"}, breakdown: sub("face_found_in_pool", "fail"),
			criterion: "MATCH", evidence: "none", pool: "ours",
		},
		{
			name:   "a result of other documents",
			config: yotiface.FamiliarFaceSearchConfig{PoolID: tablePool, ApprovalCriteria: "MATCH"}, breakdown: sub("face_found_in_pool", "NO_MATCH"),
			criterion: "MATCH", evidence: "none", pool: "ours",
		},
		{
			name:   "a sub-check whose name goes on",
			config: yotiface.FamiliarFaceSearchConfig{PoolID: tablePool, ApprovalCriteria: "MATCH"}, breakdown: sub("face_found_in_pool_2", "FAIL"),
			criterion: "MATCH", evidence: "none", pool: "ours",
		},
		{
			name:   "the reason of an image that shows no face",
			config: yotiface.FamiliarFaceSearchConfig{PoolID: tablePool, ApprovalCriteria: "MATCH"}, reason: "FACE_NOT_FOUND",
			criterion: "MATCH", evidence: "none", pool: "ours",
		},
		{
			name:   "a reason in lower case",
			config: yotiface.FamiliarFaceSearchConfig{PoolID: tablePool, ApprovalCriteria: "NO_MATCH"}, reason: "match_found",
			criterion: "NO_MATCH", evidence: "none", pool: "ours",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			run := newTableRun(t)
			f := &yotiface.FamiliarFaceSearch{Config: tt.config}
			f.Report.Recommendation.Reason, f.Report.Breakdown = tt.reason, tt.breakdown
			for _, recommendation := range tableRecommendations {
				f.Report.Recommendation.Value = recommendation.value
				run.compare(f, len(tableTypes), len(tableStates), recommendation.is, tt.criterion, tt.evidence, tt.pool)
			}
			run.report(t)
		})
	}
}

// Explain and Inconsistency stay one line that names nobody, whatever the service puts where.
func TestTableTextsOfHostileChecks(t *testing.T) {
	t.Parallel()
	const hostile = "x\r\ny " + tableAlice + "\n" + tablePoolUpper
	long := strings.Repeat("ü", 2_000)
	fields := map[string]func(*yotiface.FamiliarFaceSearch, string){
		"type":           func(f *yotiface.FamiliarFaceSearch, s string) { f.Type = yotiface.CheckType(s) },
		"id":             func(f *yotiface.FamiliarFaceSearch, s string) { f.ID = s },
		"state":          func(f *yotiface.FamiliarFaceSearch, s string) { f.State = yotiface.CheckState(s) },
		"resources_used": func(f *yotiface.FamiliarFaceSearch, s string) { f.ResourcesUsed = []string{s} },
		"value": func(f *yotiface.FamiliarFaceSearch, s string) {
			f.Report.Recommendation.Value = yotiface.RecommendationValue(s)
		},
		"reason":              func(f *yotiface.FamiliarFaceSearch, s string) { f.Report.Recommendation.Reason = s },
		"recovery_suggestion": func(f *yotiface.FamiliarFaceSearch, s string) { f.Report.Recommendation.RecoverySuggestion = s },
		"sub_check":           func(f *yotiface.FamiliarFaceSearch, s string) { f.Report.Breakdown[0].Name = s },
		"result":              func(f *yotiface.FamiliarFaceSearch, s string) { f.Report.Breakdown[0].Result = yotiface.Result(s) },
		"process":             func(f *yotiface.FamiliarFaceSearch, s string) { f.Report.Breakdown[0].Process = s },
		"detail name":         func(f *yotiface.FamiliarFaceSearch, s string) { f.Report.Breakdown[0].Details[0].Name = s },
		"matching_pool":       func(f *yotiface.FamiliarFaceSearch, s string) { f.Report.Breakdown[0].Details[0].Value = s },
		"matching_applicant":  func(f *yotiface.FamiliarFaceSearch, s string) { f.Report.Breakdown[0].Details[1].Value = s },
		"pool_id":             func(f *yotiface.FamiliarFaceSearch, s string) { f.Config.PoolID = s },
		"approval_criteria": func(f *yotiface.FamiliarFaceSearch, s string) {
			f.Config.ApprovalCriteria = yotiface.ApprovalCriteria(s)
		},
		// A label is the integrator's own text, so only its lines are looked at.
		"pool_label": func(f *yotiface.FamiliarFaceSearch, s string) {
			f.Config.PoolLabel = strings.NewReplacer(tableAlice, "", tablePoolUpper, "").Replace(s)
		},
	}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		for _, recommendation := range tableRecommendations[:3] {
			for _, criterion := range tableCriteria[:2] {
				for _, state := range tableStates[1:4] {
					for _, text := range []string{hostile, long, "\n", "\x00\xff", "%s%d%!"} {
						f := tableDocumentedMatch(criterion.criterion, recommendation.value)
						f.State = state.state
						fields[field](f, text)

						sentence := f.Explain()
						assert.Empty(t, tableLine(sentence), "Explain with a hostile %s, %s, %s: %.200q", field, recommendation.value, criterion.criterion, sentence)
						if err := f.Inconsistency(); err != nil {
							assert.Empty(t, tableLine(err.Error()), "Inconsistency with a hostile %s: %.200q", field, err)
							assert.LessOrEqual(t, len(err.Error()), 500, "Inconsistency with a hostile %s", field)
						}
					}
				}
			}
		}
	}
}

// tableDocumentedMatch is a check in the documented form in which somebody was found.
func tableDocumentedMatch(criterion yotiface.ApprovalCriteria, value yotiface.RecommendationValue) *yotiface.FamiliarFaceSearch {
	f := &yotiface.FamiliarFaceSearch{
		Check: yotiface.Check{
			Type: "FAMILIAR_FACE_SEARCH", ID: "c9f2b0c0-df4d-472a-93cb-3f93c7ad9196", State: "DONE",
			ResourcesUsed: []string{"e3d4ce28-4291-4dd4-a650-33fd5c3b0e0f"},
		},
		Config: yotiface.FamiliarFaceSearchConfig{PoolID: tablePool, PoolLabel: "Test Pool", ApprovalCriteria: criterion},
	}
	f.Report.Recommendation.Value = value
	f.Report.Breakdown = []yotiface.SubCheck{{
		Name: "face_found_in_pool", Result: "PASS", Process: "AUTOMATED",
		Details: []yotiface.Detail{tableInPool(tablePool), tableApplicant(tableAlice)},
	}}
	return f
}

func TestTableMatches(t *testing.T) {
	t.Parallel()
	type (
		details = []yotiface.Detail
		matches = []yotiface.Match
	)
	alice, bob, carol, dave, erin := tableApplicant(tableAlice), tableApplicant(tableBob), tableApplicant(tableCarol), tableApplicant(tableDave), tableApplicant(tableErin)
	inPool, elsewhere := tableInPool(tablePool), tableInPool(tableElsewhere)
	tests := []struct {
		name       string
		configured string
		subChecks  []details
		want       matches
		wantIDs    []string
	}{
		{"no sub-check", tablePool, nil, nil, nil},
		{"no details", tablePool, []details{{}, {}}, nil, nil},
		{"as documented", tablePool, []details{{inPool, alice}}, matches{{tableAlice, tablePool}}, []string{tableAlice}},
		{"no pool reported: the configured one", tablePool, []details{{alice}}, matches{{tableAlice, tablePool}}, []string{tableAlice}},
		{"no pool at all", "", []details{{alice}}, matches{{tableAlice, ""}}, []string{tableAlice}},
		{"no pool configured", "", []details{{inPool, alice}}, matches{{tableAlice, tablePool}}, []string{tableAlice}},
		{"another pool is reported as it is", tablePool, []details{{elsewhere, alice}}, matches{{tableAlice, tableElsewhere}}, []string{tableAlice}},
		{"a pool after the applicant is not his", tablePool, []details{{alice, elsewhere}}, matches{{tableAlice, tablePool}}, []string{tableAlice}},
		{
			"one pool, two applicants", tablePool,
			[]details{{elsewhere, alice, bob}},
			matches{{tableAlice, tableElsewhere}, {tableBob, tableElsewhere}},
			[]string{tableAlice, tableBob},
		},
		{
			"each its pool", tablePool,
			[]details{{elsewhere, alice, inPool, bob}},
			matches{{tableAlice, tableElsewhere}, {tableBob, tablePool}},
			[]string{tableAlice, tableBob},
		},
		{
			"something between pool and applicant", tablePool,
			[]details{{elsewhere, {Name: "confidence_score", Value: "0.68"}, alice}},
			matches{{tableAlice, tableElsewhere}},
			[]string{tableAlice},
		},
		{
			"a pool stays in its sub-check", tablePool,
			[]details{{elsewhere, alice}, {bob}},
			matches{{tableAlice, tableElsewhere}, {tableBob, tablePool}},
			[]string{tableAlice, tableBob},
		},
		{
			"a pool in one sub-check, the applicant in the next", tablePool,
			[]details{{elsewhere}, {alice}},
			matches{{tableAlice, tablePool}},
			[]string{tableAlice},
		},
		{
			"spread over three sub-checks", tablePool,
			[]details{{inPool, carol}, {elsewhere, alice}, {bob}},
			matches{{tableCarol, tablePool}, {tableAlice, tableElsewhere}, {tableBob, tablePool}},
			[]string{tableCarol, tableAlice, tableBob},
		},
		{
			"five applicants, in the order reported", tablePool,
			[]details{{inPool, erin, dave}, {}, {inPool, carol, bob, alice}},
			matches{{tableErin, tablePool}, {tableDave, tablePool}, {tableCarol, tablePool}, {tableBob, tablePool}, {tableAlice, tablePool}},
			[]string{tableErin, tableDave, tableCarol, tableBob, tableAlice},
		},
		{
			"twice in one sub-check", tablePool,
			[]details{{inPool, alice, bob, alice}},
			matches{{tableAlice, tablePool}, {tableBob, tablePool}},
			[]string{tableAlice, tableBob},
		},
		{
			"twice, in two sub-checks", tablePool,
			[]details{{inPool, alice}, {inPool, bob, alice}},
			matches{{tableAlice, tablePool}, {tableBob, tablePool}},
			[]string{tableAlice, tableBob},
		},
		{
			"twice, in capitals the second time", tablePool,
			[]details{{inPool, alice}, {tableInPool(tablePoolUpper), tableApplicant(strings.ToUpper(tableAlice)), bob}},
			matches{{tableAlice, tablePool}, {tableBob, tablePoolUpper}},
			[]string{tableAlice, tableBob},
		},
		{
			"twice, once with the configured pool not repeated", tablePool,
			[]details{{inPool, alice}, {alice}},
			matches{{tableAlice, tablePool}},
			[]string{tableAlice},
		},
		{
			"empty applicants are nobody", tablePool,
			[]details{{inPool, tableApplicant("")}, {tableApplicant(""), alice, tableApplicant("")}},
			matches{{tableAlice, tablePool}},
			[]string{tableAlice},
		},
		{"only an empty applicant", tablePool, []details{{tableApplicant("")}}, nil, nil},
	}
	// Who matched is what the details say: the sub-checks around them make no difference.
	around := []struct {
		name   string
		result yotiface.Result
	}{
		{"face_found_in_pool", "PASS"},
		{"face_found_in_pool", "FAIL"},
		{"face_not_found_in_pool", "PASS"},
		{"face_not_found_in_pool", "FAIL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for shift := range around {
				f := &yotiface.FamiliarFaceSearch{Config: yotiface.FamiliarFaceSearchConfig{PoolID: tt.configured, ApprovalCriteria: "NO_MATCH"}}
				for i, d := range tt.subChecks {
					sub := around[(i+shift)%len(around)]
					f.Report.Breakdown = append(f.Report.Breakdown, yotiface.SubCheck{Name: sub.name, Result: sub.result, Details: d})
				}
				if len(tt.want) == 0 {
					assert.Empty(t, f.Matches())
					assert.Empty(t, f.MatchingApplicantIDs())
					id, ok := f.MatchingApplicantID()
					assert.Empty(t, id)
					assert.False(t, ok)
					continue
				}
				assert.Equal(t, tt.want, f.Matches())
				assert.Equal(t, tt.wantIDs, f.MatchingApplicantIDs())
				id, ok := f.MatchingApplicantID()
				assert.Equal(t, tt.wantIDs[0], id)
				assert.True(t, ok)
			}
		})
	}
}

// One applicant in two pools is one person.
func TestTableApplicantInTwoPools(t *testing.T) {
	t.Parallel()
	f := tableDocumentedMatch("MATCH", "APPROVE")
	f.Report.Breakdown[0].Details = []yotiface.Detail{
		tableInPool(tablePool), tableApplicant(tableAlice), tableInPool(tableElsewhere), tableApplicant(tableAlice), tableApplicant(tableBob),
	}
	assert.Equal(t, []string{tableAlice, tableBob}, f.MatchingApplicantIDs())
}

// The pool is asked for only where the first match has it from its own sub-check, and where there is nothing at all.
func TestTableMatchingPoolID(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		details [][]yotiface.Detail
		want    string
		wantOK  bool
	}{
		{"no sub-check", nil, "", false},
		{"no details", [][]yotiface.Detail{{}, {}}, "", false},
		{"only an empty applicant", [][]yotiface.Detail{{tableApplicant("")}}, "", false},
		{"as documented", [][]yotiface.Detail{{tableInPool(tablePool), tableApplicant(tableAlice)}}, tablePool, true},
		{"another than configured", [][]yotiface.Detail{{tableInPool(tableElsewhere), tableApplicant(tableAlice)}}, tableElsewhere, true},
		{"of the first match", [][]yotiface.Detail{
			{},
			{tableInPool(tableElsewhere), tableApplicant(tableAlice)},
			{tableInPool(tablePool), tableApplicant(tableBob)},
		}, tableElsewhere, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := &yotiface.FamiliarFaceSearch{Config: yotiface.FamiliarFaceSearchConfig{PoolID: tablePool}}
			for _, d := range tt.details {
				f.Report.Breakdown = append(f.Report.Breakdown, yotiface.SubCheck{Name: "face_found_in_pool", Result: "PASS", Details: d})
			}
			id, ok := f.MatchingPoolID()
			assert.Equal(t, tt.want, id)
			assert.Equal(t, tt.wantOK, ok)
		})
	}
}

// A session's outcome, by the outcomes that there are among its face searches, however many of each.
const tableSessionOutcomes = `
	searches                               COMPLETED     ONGOING       any-other

	none                                   UNDETERMINED  PENDING       UNDETERMINED
	APPROVED                               APPROVED      PENDING       UNDETERMINED
	PENDING                                PENDING       PENDING       UNDETERMINED
	PENDING+APPROVED                       PENDING       PENDING       UNDETERMINED
	UNDETERMINED                           UNDETERMINED  UNDETERMINED  UNDETERMINED
	UNDETERMINED+APPROVED                  UNDETERMINED  UNDETERMINED  UNDETERMINED
	UNDETERMINED+PENDING                   UNDETERMINED  UNDETERMINED  UNDETERMINED
	UNDETERMINED+PENDING+APPROVED          UNDETERMINED  UNDETERMINED  UNDETERMINED
	REJECTED                               REJECTED      REJECTED      REJECTED
	REJECTED+APPROVED                      REJECTED      REJECTED      REJECTED
	REJECTED+PENDING                       REJECTED      REJECTED      REJECTED
	REJECTED+PENDING+APPROVED              REJECTED      REJECTED      REJECTED
	REJECTED+UNDETERMINED                  REJECTED      REJECTED      REJECTED
	REJECTED+UNDETERMINED+APPROVED         REJECTED      REJECTED      REJECTED
	REJECTED+UNDETERMINED+PENDING          REJECTED      REJECTED      REJECTED
`

var tableSessionStates = []struct {
	state  yotiface.SessionState
	column int
}{
	{"COMPLETED", 1},
	{"ONGOING", 2},
	{"EXPIRED", 3},
	{"", 3},
	{"SUSPENDED", 3},
	{"completed", 3},
	{"ongoing", 3},
}

// Face searches with their outcome, as they are in a session. What they say otherwise differs on purpose.
var tableSearches = []struct {
	check   yotiface.Check
	outcome string
}{
	{tableSearch("DONE", "APPROVE", "MATCH", "face_found_in_pool", "PASS"), "APPROVED"},
	{tableSearch("DONE", "APPROVE", "NO_MATCH", "face_not_found_in_pool", "PASS"), "APPROVED"},
	{tableSearch("DONE", "REJECT", "NO_MATCH", "face_not_found_in_pool", "FAIL"), "REJECTED"},
	{tableSearch("PENDING", "APPROVE", "MATCH", "face_found_in_pool", "PASS"), "PENDING"},
	{tableSearch("DONE", "APPROVE", "NO_MATCH", "face_not_found_in_pool", "FAIL"), "UNDETERMINED"},
	{tableSearch("READY", "APPROVE", "MATCH", "face_found_in_pool", "PASS"), "UNDETERMINED"},
}

func tableSearch(state yotiface.CheckState, value yotiface.RecommendationValue, criterion, name string, result yotiface.Result) yotiface.Check {
	return yotiface.Check{
		Type:  "FAMILIAR_FACE_SEARCH",
		State: state,
		Report: yotiface.Report{
			Recommendation: yotiface.Recommendation{Value: value},
			Breakdown:      []yotiface.SubCheck{{Name: name, Result: result}},
		},
		Config: json.RawMessage(`{"pool_id":"` + tablePool + `","pool_label":"Test Pool","approval_criteria":"` + criterion + `"}`),
	}
}

func TestTableSession(t *testing.T) {
	t.Parallel()
	rows := make(map[string][]string)
	for _, row := range tableRows(tableSessionOutcomes) {
		rows[row[0]] = row
	}
	require.Len(t, rows, 15, "all sets of four outcomes but the one with all of them, which three searches cannot have")

	// Sequences of indices into tableSearches, of every length up to three.
	sequences := [][]int{{}}
	for i := 0; len(sequences[i]) < 3; i++ {
		for next := range tableSearches {
			sequences = append(sequences, append(slices.Clone(sequences[i]), next))
		}
	}
	require.Len(t, sequences, 1+6+36+216)

	// Other checks decide nothing, whatever they say.
	other := func(typ yotiface.CheckType, value yotiface.RecommendationValue) yotiface.Check {
		check := tableSearch("DONE", value, "MATCH", "liveness_auth", "PASS")
		check.Type, check.Config = typ, nil
		return check
	}
	others := [][]yotiface.Check{nil, {other("LIVENESS", "REJECT"), other("ID_DOCUMENT_FACE_MATCH", "APPROVE"), other("SOMETHING_NEW", "")}}

	for _, sequence := range sequences {
		present := make(map[string]bool)
		for _, i := range sequence {
			present[tableSearches[i].outcome] = true
		}
		var words []string
		for _, word := range []string{"REJECTED", "UNDETERMINED", "PENDING", "APPROVED"} {
			if present[word] {
				words = append(words, word)
			}
		}
		set := strings.Join(words, "+")
		if set == "" {
			set = "none"
		}
		row, known := rows[set]
		require.True(t, known, "no row for %s", set)

		for _, extra := range others {
			checks := slices.Clone(extra)
			for _, i := range sequence {
				checks = append(checks, tableSearches[i].check)
				checks = append(checks, extra...)
			}
			for _, state := range tableSessionStates {
				s := &yotiface.Session{State: state.state, Checks: checks}
				want, known := tableOutcomeNames[row[state.column]]
				if !known {
					t.Fatalf("no outcome %q", row[state.column])
				}
				if got := s.FaceSearchOutcome(); got != want {
					t.Errorf("session %q with searches %s, %d other checks: %v, not %v", state.state, set, len(checks)-len(sequence), got, want)
				}
			}
		}
	}
}

// The outcomes of the searches above are what TestTableSession takes them for.
func TestTableSessionSearches(t *testing.T) {
	t.Parallel()
	for i, search := range tableSearches {
		s := &yotiface.Session{Checks: []yotiface.Check{{Type: "LIVENESS"}, search.check, {Type: "ID_DOCUMENT_FACE_MATCH"}}}
		searches := s.FamiliarFaceSearches()
		require.Len(t, searches, 1)
		assert.Equal(t, tableOutcomeNames[search.outcome], searches[0].ApprovalOutcome(), "search %d", i)
		assert.Equal(t, tablePool, searches[0].Config.PoolID)
		assert.Equal(t, "Test Pool", searches[0].Config.PoolLabel)
	}
}

func TestTableNothingThere(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]*yotiface.FamiliarFaceSearch{"nil": nil, "zero": {}} {
		t.Run(name+" search", func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, yotiface.OutcomeUndetermined, f.ApprovalOutcome())
			assert.Equal(t, yotiface.MatchUnknown, f.MatchStatus())
			require.NoError(t, f.Inconsistency())
			assert.Empty(t, f.Matches())
			assert.Empty(t, f.MatchingApplicantIDs())
			applicant, ok := f.MatchingApplicantID()
			assert.Empty(t, applicant)
			assert.False(t, ok)
			pool, ok := f.MatchingPoolID()
			assert.Empty(t, pool)
			assert.False(t, ok)
			assert.Empty(t, tableSentence(f.Explain()))
		})
	}
	for name, s := range map[string]*yotiface.Session{
		"nil":                                   nil,
		"zero":                                  {},
		"completed, without checks":             {State: "COMPLETED"},
		"completed, an empty list of checks":    {State: "COMPLETED", Checks: []yotiface.Check{}},
		"completed, one zero check":             {State: "COMPLETED", Checks: []yotiface.Check{{}}},
		"completed, a search that says no more": {State: "COMPLETED", Checks: []yotiface.Check{{Type: "FAMILIAR_FACE_SEARCH"}}},
		"completed, one zero check in between":  {State: "COMPLETED", Checks: []yotiface.Check{{Type: "LIVENESS"}, {}, {Type: "LIVENESS"}}},
	} {
		t.Run(name+" session", func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, yotiface.OutcomeUndetermined, s.FaceSearchOutcome())
		})
	}
	assert.Empty(t, (*yotiface.Session)(nil).FamiliarFaceSearches())
}

func TestTableConfigThatCannotBeRead(t *testing.T) {
	t.Parallel()
	configs := []string{`"x"`, `{"pool_id":1}`, `{"pool_id":"` + tablePool + `","approval_criteria":{}}`, `[]`, `true`}
	tests := []struct {
		state, value      string
		readable          string // what the check is with a config
		want              string // what it is with one that cannot be read
		ongoing, complete string // and its session
	}{
		{"DONE", "APPROVE", "APPROVED", "UNDETERMINED", "UNDETERMINED", "UNDETERMINED"},
		{"DONE", "REJECT", "REJECTED", "UNDETERMINED", "UNDETERMINED", "UNDETERMINED"},
		{"DONE", "NOT_AVAILABLE", "UNDETERMINED", "UNDETERMINED", "UNDETERMINED", "UNDETERMINED"},
		{"READY", "APPROVE", "UNDETERMINED", "UNDETERMINED", "UNDETERMINED", "UNDETERMINED"},
		{"PENDING", "APPROVE", "PENDING", "PENDING", "PENDING", "PENDING"},
		{"CREATED", "REJECT", "PENDING", "PENDING", "PENDING", "PENDING"},
	}
	for _, tt := range tests {
		t.Run(tt.state+" "+tt.value, func(t *testing.T) {
			t.Parallel()
			check := func(config string) string {
				return `{"type":"FAMILIAR_FACE_SEARCH","id":"c9f2b0c0-df4d-472a-93cb-3f93c7ad9196","state":"` + tt.state + `",` +
					`"report":{"recommendation":{"value":"` + tt.value + `"},"breakdown":[{"sub_check":"face_in_pool","result":"PASS",` +
					`"details":[{"name":"matching_pool","value":"` + tablePool + `"}]}]}` + config + `}`
			}
			session := func(state string, checks ...string) *yotiface.Session {
				var s yotiface.Session
				body := `{"session_id":"7938ac1e-0a4a-49b7-953f-08cfa764358f","state":"` + state + `","checks":[` + strings.Join(checks, ",") + `]}`
				require.NoError(t, json.Unmarshal([]byte(body), &s), body)
				return &s
			}

			readable := []string{check(""), check(`,"config":{"pool_id":"` + tablePool + `","approval_criteria":"MATCH"}`)}
			for _, good := range readable {
				searches := session("COMPLETED", good).FamiliarFaceSearches()
				require.Len(t, searches, 1)
				assert.Equal(t, tableOutcomeNames[tt.readable], searches[0].ApprovalOutcome(), good)
			}
			for _, config := range configs {
				bad := check(`,"config":` + config)
				s := session("COMPLETED", bad)
				require.Len(t, s.Checks, 1)
				assert.JSONEq(t, config, string(s.Checks[0].Config), "the config is kept as received")

				searches := s.FamiliarFaceSearches()
				require.Len(t, searches, 1)
				assert.Equal(t, tableOutcomeNames[tt.want], searches[0].ApprovalOutcome(), config)
				copied := *searches[0]
				assert.Equal(t, tableOutcomeNames[tt.want], copied.ApprovalOutcome(), "a copy, %s", config)
				assert.Empty(t, tableLine(searches[0].Explain()), config)

				assert.Equal(t, tableOutcomeNames[tt.complete], s.FaceSearchOutcome(), config)
				assert.Equal(t, tableOutcomeNames[tt.ongoing], session("ONGOING", bad).FaceSearchOutcome(), config)
				assert.NotEqual(t, yotiface.OutcomeApproved, session("COMPLETED", readable[1], bad, readable[1]).FaceSearchOutcome(), config)
			}
		})
	}

	t.Run("the evidence is read without it", func(t *testing.T) {
		t.Parallel()
		for _, config := range configs {
			for _, sub := range []struct {
				name, result string
				want         yotiface.MatchStatus
			}{
				{"face_found_in_pool", "PASS", yotiface.MatchFound},
				{"face_found_in_pool", "FAIL", yotiface.MatchNotFound},
				{"liveness_auth", "PASS", yotiface.MatchUnknown},
			} {
				var s yotiface.Session
				require.NoError(t, json.Unmarshal([]byte(`{"session_id":"7938ac1e-0a4a-49b7-953f-08cfa764358f","state":"COMPLETED","checks":[`+
					`{"type":"FAMILIAR_FACE_SEARCH","state":"DONE","config":`+config+`,"report":{"recommendation":{"value":"APPROVE"},`+
					`"breakdown":[{"sub_check":"`+sub.name+`","result":"`+sub.result+`"}]}}]}`), &s))
				searches := s.FamiliarFaceSearches()
				require.Len(t, searches, 1)
				assert.Equal(t, sub.want, searches[0].MatchStatus(), "%s %s", config, sub.name)
			}
		}
	})
}

func TestTableOutcomeText(t *testing.T) {
	t.Parallel()
	type document struct {
		Outcome yotiface.ApprovalOutcome `json:"outcome"`
	}
	var zero yotiface.ApprovalOutcome
	assert.Equal(t, yotiface.OutcomeUndetermined, zero)

	for text, outcome := range map[string]yotiface.ApprovalOutcome{
		"UNDETERMINED": yotiface.OutcomeUndetermined,
		"PENDING":      yotiface.OutcomePending,
		"APPROVED":     yotiface.OutcomeApproved,
		"REJECTED":     yotiface.OutcomeRejected,
	} {
		assert.Equal(t, text, outcome.String())
		assert.Equal(t, text, fmt.Sprint(outcome))
		marshaled, err := outcome.MarshalText()
		require.NoError(t, err)
		assert.Equal(t, text, string(marshaled))
		for _, before := range []yotiface.ApprovalOutcome{zero, yotiface.OutcomePending, yotiface.OutcomeApproved, yotiface.OutcomeRejected} {
			got := before
			require.NoError(t, got.UnmarshalText([]byte(text)))
			assert.Equal(t, outcome, got)
		}

		want := `{"outcome":"` + text + `"}`
		for name, codec := range tableCodecs {
			encoded, err := codec.marshal(document{outcome})
			require.NoError(t, err, name)
			assert.Equal(t, want, string(encoded), name)
			var decoded document
			require.NoError(t, codec.unmarshal([]byte(want), &decoded), name)
			assert.Equal(t, outcome, decoded.Outcome, name)
		}
		key, err := json.Marshal(map[yotiface.ApprovalOutcome]int{outcome: 1})
		require.NoError(t, err)
		assert.Equal(t, `{"`+text+`":1}`, string(key))
	}

	for _, text := range []string{"", "approved", "Approved", " APPROVED", "APPROVED ", "APPROVED\n", "APPROVE", "APPROVEDX", "2", "MATCH", "\x00", "ApprovalOutcome(2)"} {
		all := []yotiface.ApprovalOutcome{yotiface.OutcomeUndetermined, yotiface.OutcomePending, yotiface.OutcomeApproved, yotiface.OutcomeRejected}
		after := slices.Clone(all)
		for i := range after {
			require.Error(t, after[i].UnmarshalText([]byte(text)), "%q", text)
		}
		assert.Equal(t, make([]yotiface.ApprovalOutcome, len(all)), after, "%q was refused, and left a value that somebody may act on", text)

		body, err := json.Marshal(map[string]string{"outcome": text})
		require.NoError(t, err)
		for name, codec := range tableCodecs {
			var decoded document
			require.Error(t, codec.unmarshal(body, &decoded), "%s: %s", name, body)
			assert.Equal(t, yotiface.OutcomeUndetermined, decoded.Outcome, "%s: %s", name, body)
		}
	}

	for name, codec := range tableCodecs {
		var decoded document
		require.Error(t, codec.unmarshal([]byte(`{"outcome":2}`), &decoded), "%s: a number is no outcome", name)
		assert.Equal(t, yotiface.OutcomeUndetermined, decoded.Outcome, name)
	}

	for _, outcome := range []yotiface.ApprovalOutcome{-1, 4, 5, 100, math.MaxInt, math.MinInt} {
		assert.NotContains(t, outcome.String(), "APPROVED", "%d", int(outcome))
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%q"} {
			assert.NotContains(t, fmt.Sprintf(verb, outcome), "APPROVED", verb)
		}
		if text, err := outcome.MarshalText(); err == nil {
			assert.NotContains(t, string(text), "APPROVED", "%d", int(outcome))
		}
	}
}

var tableCodecs = map[string]struct {
	marshal   func(any) ([]byte, error)
	unmarshal func([]byte, any) error
}{
	"encoding/json": {json.Marshal, json.Unmarshal},
	"json v2": {
		func(v any) ([]byte, error) { return jsonv2.Marshal(v) },
		func(b []byte, v any) error { return jsonv2.Unmarshal(b, v) },
	},
}

// tableReadAll calls every accessor, and writes into whatever they return.
func tableReadAll(f *yotiface.FamiliarFaceSearch) {
	_, _, _, _ = f.ApprovalOutcome(), f.MatchStatus(), f.Inconsistency(), f.Explain()
	_, _ = f.MatchingApplicantID()
	_, _ = f.MatchingPoolID()
	clear(f.Matches())
	clear(f.MatchingApplicantIDs())
}

func TestTableAccessorsDoNotWrite(t *testing.T) {
	t.Parallel()
	build := func(value yotiface.RecommendationValue) *yotiface.FamiliarFaceSearch {
		f := tableDocumentedMatch("NO_ MATCH", value)
		f.Report.Recommendation.Reason = "NO MATCH"
		f.Report.Breakdown = append(f.Report.Breakdown, yotiface.SubCheck{
			Name: "face_not_found_in_pool", Result: "FAIL",
			Details: []yotiface.Detail{
				tableInPool(tablePoolUpper), tableApplicant(strings.ToUpper(tableAlice)), tableApplicant(""),
				tableApplicant(tableBob), tableApplicant(tableBob),
			},
		})
		return f
	}
	session := func() *yotiface.Session {
		s := &yotiface.Session{State: "COMPLETED"}
		for _, search := range tableSearches {
			check := search.check
			check.Config = slices.Clone(check.Config)
			check.Report.Breakdown = slices.Clone(check.Report.Breakdown)
			s.Checks = append(s.Checks, check)
		}
		bad := tableSearch("DONE", "APPROVE", "MATCH", "face_found_in_pool", "PASS")
		bad.Config = json.RawMessage(`"x"`)
		s.Checks = append(s.Checks, yotiface.Check{Type: "LIVENESS"}, bad)
		return s
	}

	for _, recommendation := range tableRecommendations {
		f := build(recommendation.value)
		matches := f.Matches()
		tableReadAll(f)
		assert.True(t, reflect.DeepEqual(build(recommendation.value), f), "changed by being read: %+v", f)
		assert.Equal(t, matches, f.Matches())
		assert.Equal(t, []string{tableAlice, tableBob}, f.MatchingApplicantIDs())

		var readers sync.WaitGroup // for the race detector
		for range 4 {
			readers.Go(func() { tableReadAll(f) })
		}
		readers.Wait()
	}

	s := session()
	for range 2 {
		_ = s.FaceSearchOutcome()
		for _, f := range s.FamiliarFaceSearches() {
			tableReadAll(f)
		}
	}
	assert.True(t, reflect.DeepEqual(session(), s), "changed by being read: %+v", s)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			_ = s.FaceSearchOutcome()
			for _, f := range s.FamiliarFaceSearches() {
				tableReadAll(f)
			}
		})
	}
	readers.Wait()
}

// The two documented checks, read as they are and out of a session.
//
//nolint:paralleltest // AllocsPerRun does not work beside parallel tests.
func TestTableDocumentedChecks(t *testing.T) {
	match := []yotiface.Match{{ApplicantID: tableAlice, PoolID: tablePool}}
	for file, want := range map[string]yotiface.ApprovalOutcome{
		"check_match.json":             yotiface.OutcomeApproved,
		"check_no_match_criteria.json": yotiface.OutcomeRejected,
	} {
		body, err := fs.ReadFile(os.DirFS("testdata"), file)
		require.NoError(t, err)
		searches := make(map[string]*yotiface.FamiliarFaceSearch)
		for name, codec := range tableCodecs {
			searches[name] = new(yotiface.FamiliarFaceSearch)
			require.NoError(t, codec.unmarshal(body, searches[name]), "%s with %s", file, name)
		}
		var s yotiface.Session
		require.NoError(t, json.Unmarshal([]byte(`{"session_id":"7938ac1e-0a4a-49b7-953f-08cfa764358f","state":"COMPLETED","checks":[`+string(body)+`]}`), &s))
		require.Len(t, s.FamiliarFaceSearches(), 1)
		searches["session"] = s.FamiliarFaceSearches()[0]
		assert.Equal(t, want, s.FaceSearchOutcome(), file)

		for name, f := range searches {
			t.Run(file+" "+name, func(t *testing.T) {
				assert.Equal(t, want, f.ApprovalOutcome())
				assert.Equal(t, yotiface.MatchFound, f.MatchStatus())
				require.NoError(t, f.Inconsistency())
				assert.Equal(t, match, f.Matches())
				id, ok := f.MatchingApplicantID()
				assert.Equal(t, tableAlice, id)
				assert.True(t, ok)
				id, ok = f.MatchingPoolID()
				assert.Equal(t, tablePool, id)
				assert.True(t, ok)
				assert.Empty(t, tableSentence(f.Explain()))

				var outcome yotiface.ApprovalOutcome
				allocs := testing.AllocsPerRun(100, func() { outcome = f.ApprovalOutcome() })
				assert.Zero(t, allocs)
				assert.Equal(t, want, outcome)
			})
		}
	}
}
