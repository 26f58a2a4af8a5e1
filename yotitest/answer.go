package yotitest

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"
)

// answer is what the service has to say to one request.
type answer struct {
	status int
	header http.Header
	body   []byte
	length int // what Content-Length says
}

// write sends a. A fault may have left a.body shorter than it says.
func (a answer) write(w http.ResponseWriter) {
	a.writeHeader(w)
	_, _ = w.Write(a.body) // if this fails there is nobody left to tell
}

func (a answer) writeHeader(w http.ResponseWriter) {
	header := w.Header()
	for name, values := range a.header {
		header[name] = values
	}
	if header.Get("Content-Type") == "" {
		header["Content-Type"] = nil // or net/http would guess one
	}
	if mayHaveBody(a.status) {
		header.Set("Content-Length", strconv.Itoa(a.length))
	}
	w.WriteHeader(a.status)
}

// mayHaveBody reports whether HTTP lets an answer with the status have a body.
func mayHaveBody(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// content answers with bytes of any type; "" stands for none declared.
func content(status int, contentType string, body []byte) answer {
	a := answer{status: status, header: make(http.Header), body: body, length: len(body)}
	if contentType != "" {
		a.header.Set("Content-Type", contentType)
	}
	return a
}

// noContent answers that all is done.
func noContent() answer { return content(http.StatusNoContent, "", nil) }

// document answers with v as JSON.
func document(status int, v any) answer {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("yotitest: encoding an answer: %v", err)) // v is ours
	}
	return content(status, "application/json", body)
}

// failure answers with the service's JSON for errors.
func failure(status int, code, message string) answer {
	return document(status, struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}{code, message})
}

func malformed(message string) answer {
	return failure(http.StatusBadRequest, "MALFORMED_REQUEST", message)
}

// unprocessable answers for an image that cannot be used. The service's own code
// for it is not documented.
func unprocessable(message string) answer {
	return failure(http.StatusUnprocessableEntity, "UNPROCESSABLE_ENTITY", message)
}

func unauthorized(code, message string) answer {
	return failure(http.StatusUnauthorized, code, message)
}

// notFound answers for an ID that is not known. The service's own code for it is
// not documented.
func notFound(what string) answer {
	return failure(http.StatusNotFound, "NOT_FOUND", what+" not found")
}

func noSuchEndpoint() answer { return notFound("endpoint") }
