package yotiface

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// forgiveTimes reads a string that is not an RFC 3339 time as the zero time, so that a verdict is not lost over it.
// Anything but a string is left to the decoder, which refuses it.
var forgiveTimes = json.WithUnmarshalers(json.UnmarshalFromFunc(func(d *jsontext.Decoder, t *time.Time) error {
	if d.PeekKind() != '"' {
		return errors.ErrUnsupported
	}
	text, err := d.ReadToken()
	if err != nil {
		return err
	}
	if t.UnmarshalText([]byte(text.String())) != nil {
		*t = time.Time{}
	}
	return nil
}))

// decode reads a T from a JSON object, strictly: names are case-sensitive and appear once, text is valid UTF-8, nothing
// follows the value, and null is no value. An error comes without a value, never with the half that was read.
func decode[T any](body []byte) (*T, *DecodeError) {
	v := new(T)
	err := json.Unmarshal(body, v, forgiveTimes)
	if err == nil && jsontext.Value(body).Kind() == 'n' {
		err = errNull
	}
	if err != nil {
		return nil, newDecodeError(body, err)
	}
	return v, nil
}

// readJSON decodes the whole body of an answer. The ID has to be the one that was asked for or, where that is empty,
// any; an answer about somebody else is the worst answer.
func readJSON[T any](a *answer, decode func([]byte) (*T, *DecodeError), path, wantID string, id func(*T) string) (*T, error) {
	body, err := a.readAll(maxDeclaredJSON)
	if err != nil {
		return nil, err
	}
	v, decodeErr := decode(body)
	if decodeErr != nil {
		return nil, decodeErr
	}
	reason := errOtherID
	switch got := id(v); {
	case got == "":
		reason = errMissingID
	case wantID == "" || strings.EqualFold(got, wantID):
		return v, nil
	}
	return nil, &DecodeError{Path: path, Body: keep(body), Err: reason, reason: reason.Error()}
}

// maxDeclaredJSON is how much of a declared length is believed of JSON before the bytes are there.
const maxDeclaredJSON = 1 << 20

var (
	errMissingID = errors.New("the ID is missing")
	errOtherID   = errors.New("the ID is not the one that was asked for")
)

var errNull = errors.New("null in place of an object")

// maxKeptBody is how much of an undecodable body a DecodeError keeps.
const maxKeptBody = 64 << 10

var kindNames = map[jsontext.Kind]string{
	jsontext.KindInvalid:     "a value",
	jsontext.KindNull:        "null",
	jsontext.KindFalse:       "a boolean",
	jsontext.KindTrue:        "a boolean",
	jsontext.KindString:      "a string",
	jsontext.KindNumber:      "a number",
	jsontext.KindBeginObject: "an object",
	jsontext.KindBeginArray:  "an array",
}

func keep(body []byte) []byte { return bytes.Clone(body[:min(len(body), maxKeptBody)]) }

// newDecodeError describes what is wrong with body by pointer and kind. It never takes over the decoder's text, which
// quotes the body.
func newDecodeError(body []byte, err error) *DecodeError {
	e := &DecodeError{Err: err, Body: keep(body)}
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		e.Path = string(semantic.JSONPointer)
		e.reason = kindNames[semantic.JSONKind] + " where something else is due"
	}
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		e.Path = string(syntactic.JSONPointer)
		e.reason = "broken JSON"
	}
	start := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(start) == 0:
		e.reason = "an empty body"
	case errors.Is(err, errNull):
		e.reason = err.Error()
	case errors.Is(err, jsontext.ErrDuplicateName):
		e.reason = "a name that appears twice in one object"
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.reason = "JSON that ends too early"
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		e.reason = "a byte order mark before the JSON"
	case e.Path == "" && start[0] == '<':
		e.reason = "HTML or XML, perhaps the page of a proxy or a login (check the base URL and the proxy)"
	}
	return e
}

// unmarshalStringOr reads a JSON string into text, and anything else into object.
func unmarshalStringOr(b []byte, text *string, object any) error {
	if jsontext.Value(b).Kind() == '"' {
		return json.Unmarshal(b, text)
	}
	return json.Unmarshal(b, object)
}
