package yotitest

import (
	"errors"
	"fmt"
	"mime"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// fieldError is what is wrong with one part of a payload.
type fieldError struct {
	Property string `json:"property"`
	Message  string `json:"message"`
}

// invalidPayload answers a request whose JSON is not what it should be.
func invalidPayload(errs ...fieldError) answer {
	return document(http.StatusBadRequest, struct {
		Code    string       `json:"code"`
		Message string       `json:"message"`
		Errors  []fieldError `json:"errors"`
	}{"PAYLOAD_VALIDATION", "There were errors validating the payload", errs})
}

// read decodes the JSON object that a request has brought. Members that v does
// not have are passed over.
func (c *call) read(v any) (refusal answer, ok bool) {
	if mediaType, _, err := mime.ParseMediaType(c.contentType); err != nil || mediaType != "application/json" {
		return malformed("the Content-Type is not application/json"), false
	}
	if jsontext.Value(c.body).Kind() != jsontext.KindBeginObject {
		return malformed("the body is not a JSON object"), false
	}
	err := json.Unmarshal(c.body, v)
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		return invalidPayload(fieldError{property(semantic.JSONPointer), "is of the wrong type"}), false
	}
	if err != nil {
		return malformed("the body is not valid JSON"), false
	}
	return answer{}, true
}

// property writes a JSON pointer as the service writes the name of a property:
// requested_checks[0].config.
func property(pointer jsontext.Pointer) string {
	name := ""
	for token := range pointer.Tokens() {
		switch {
		case token[0] >= '0' && token[0] <= '9':
			name += fmt.Sprintf("[%s]", token)
		case name == "":
			name = token
		default:
			name += "." + token
		}
	}
	return name
}
