package main

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/yotiface/yotiface"
)

// What the service calls things, in the words of a reviewer. What is not known is shown as it came.

const maxWords = 120 // of text that comes from outside, in characters

// clean makes text from outside fit to be shown: one line, no control characters, none that change the direction of
// reading, not longer than a label.
func clean(text string) string { return cleanTo(text, maxWords) }

func cleanTo(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most]) + "…"
	}
	return text
}

// sentence makes a sentence out of a name such as "ID_DOCUMENT_FACE_MATCH".
func sentence(name string) string {
	words := strings.Fields(strings.ToLower(strings.ReplaceAll(clean(name), "_", " ")))
	for i, word := range words {
		if word == "id" {
			words[i] = "ID"
		}
	}
	text := strings.Join(words, " ")
	return sentenceStart(text)
}

// sentenceStart begins text with a capital letter.
func sentenceStart(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + text[size:]
}

// criterionMeans says what an approval criterion asks for.
func criterionMeans(c yotiface.ApprovalCriteria) string {
	switch c {
	case yotiface.CriteriaMatch:
		return "approve who is in the pool"
	case yotiface.CriteriaNoMatch:
		return "approve who is not in the pool"
	default:
		return "not known here"
	}
}

// evidenceMeans says what a sub-check of a face search tells.
func evidenceMeans(sub yotiface.SubCheck) string {
	found := map[yotiface.Result]string{yotiface.ResultPass: "the face was found", yotiface.ResultFail: "the face was not found"}
	notFound := map[yotiface.Result]string{yotiface.ResultPass: "the face was not found", yotiface.ResultFail: "the face was found"}
	switch sub.Name {
	case "face_found_in_pool":
		return found[sub.Result]
	case "face_not_found_in_pool":
		return notFound[sub.Result]
	default:
		return ""
	}
}

// outcomeWord is the first word of Explain.
func outcomeWord(o yotiface.ApprovalOutcome) string { return sentence(o.String()) }

// withoutOutcome is what Explain says after that word, which stands above it already.
func withoutOutcome(explanation string) string {
	_, text, ok := strings.Cut(explanation, ": ")
	if !ok || text == "" {
		return explanation
	}
	return sentenceStart(text)
}

func verdictWord(v verdict) string {
	switch v {
	case verdictConfirmed:
		return "Match confirmed"
	case verdictDismissed:
		return "Match dismissed"
	case verdictHandled:
		return "Marked as handled"
	case verdictReopened:
		return "Reopened"
	default:
		return sentence(string(v))
	}
}

// moment is a time as it is shown where no script can say it in the reader's zone.
func moment(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04 UTC") }

// stamp is a time for machines.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
