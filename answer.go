package yotiface

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// An answer is the response to one attempt, with a body that can be read to its limit and whose errors say what they
// are.
type answer struct {
	*http.Response
	request
	body *bodyReader
	hide *secrets
}

func newAnswer(ctx context.Context, r request, resp *http.Response, hide *secrets, limit int64) *answer {
	a := &answer{Response: resp, request: r, hide: hide}
	a.body = &bodyReader{
		from:  resp.Body,
		limit: limit,
		fail:  func(err error) error { return newTransportError(ctx, a.request, a.hide, err) },
	}
	return a
}

// acceptable refuses a success that cannot hold what was asked for.
func (a *answer) acceptable() error {
	if a.StatusCode == http.StatusNoContent {
		return a.noContent()
	}
	if a.ContentLength > a.body.limit {
		return a.named(tooLarge(a.body.limit))
	}
	// net/http takes the header away where it has decompressed the body.
	if encoding := a.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return a.named(&DecodeError{Err: errEncoding, reason: errEncoding.Error()})
	}
	return nil
}

func (a *answer) noContent() error {
	return &callError{a.method, a.endpoint, ErrNoContent.Error(), ErrNoContent}
}

var errEncoding = errors.New("a compression that was not asked for")

// named puts the call into an error of reading the answer.
func (a *answer) named(err error) error {
	if e, ok := err.(*DecodeError); ok { //nolint:errorlint // only one that is not wrapped yet
		e.Method, e.Endpoint, e.hide = a.method, a.endpoint, a.hide
		return e
	}
	if errors.Is(err, ErrNotAnImage) || errors.Is(err, ErrResponseTooLarge) {
		return &callError{a.method, a.endpoint, strings.TrimPrefix(err.Error(), "yotiface: "), err}
	}
	return err
}

// readAll reads the whole body, into one piece of memory where its length is declared. A longer one than believed has to
// arrive first: the header's word is not worth more memory in advance.
func (a *answer) readAll(believed int64) ([]byte, error) {
	size := int64(4 << 10)
	if a.ContentLength > 0 {
		size = min(a.ContentLength, believed)
	}
	body := make([]byte, 0, size+1) // with room for the read that finds the end
	for {
		n, err := a.body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if err == io.EOF { //nolint:errorlint // a wrapped one is a failure
			return body, nil
		}
		if err != nil {
			return nil, err
		}
		if len(body) == cap(body) {
			have := int64(len(body))
			more := min(have, a.body.limit+1-have)
			if rest := a.ContentLength + 1 - have; rest > 0 && rest <= 2*have {
				more = rest
			}
			body = roomier(body, int(more))
		}
	}
}

// roomier returns b with room for so many bytes more, and no others: append would go there in steps of a quarter, copying
// each time, and past it.
func roomier(b []byte, more int) []byte { return append(make([]byte, 0, len(b)+more), b...) }

// readError reads what is worth reading of an error's body.
func (a *answer) readError() []byte {
	if a.StatusCode < 200 {
		return nil // reading the body of a 101 would wait for ever
	}
	body, _ := io.ReadAll(io.LimitReader(a.body, maxErrorBody)) // what cannot be read is missing; the status counts
	return body
}

// drain reads what nobody wants, within reason, so that the connection can be used again.
func (a *answer) drain() { _, _ = io.CopyN(io.Discard, a.body, maxErrorBody) }

// contentType is the declared type without parameters, for an error text.
func (a *answer) contentType() string {
	mediaType, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil {
		return "no content type"
	}
	return shorten(a.hide.mask(mediaType), 60)
}

// A bodyReader reads a body to its limit. It says of an error whether the transport failed or the body is too large, and
// keeps saying so.
type bodyReader struct {
	from  io.Reader
	limit int64
	read  int64
	fail  func(error) error // makes a transport error
	err   error
}

func (b *bodyReader) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	left := b.limit - b.read
	if int64(len(p)) > left {
		p = p[:left+1] // one more than there may be
	}
	n, err := b.from.Read(p)
	b.read += int64(n)
	switch {
	case b.read > b.limit:
		n, b.err = int(left), tooLarge(b.limit)
	case err == io.EOF:
		b.err = err
	case err != nil:
		b.err = b.fail(err)
	}
	return n, b.err
}

// failed returns why the body could not be read to its end, nil if it could.
func (b *bodyReader) failed() error {
	if b.err == io.EOF { //nolint:errorlint // a wrapped one is a failure
		return nil
	}
	return b.err
}

func tooLarge(limit int64) error {
	return fmt.Errorf("yotiface: %w: the answer has more than %d bytes (see WithMaxResponseBytes)", ErrResponseTooLarge, limit)
}
