package yotiface

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// decodeFace reads {"face":{"data":"<base64>","content_type":"image/jpeg"}} and decodes the image into room, which grows where
// it has to. If to is not nil, what is in room goes there whenever it is nearly full. Between the body and the JSON decoder
// stands a reader that takes the one large string out; the decoder sees an empty one in its place and checks all the rest.
func decodeFace(body *bodyReader, room []byte, to io.Writer) (image []byte, contentType string, err error) {
	var document struct {
		Face struct {
			Data        string `json:"data"`
			ContentType string `json:"content_type"`
		} `json:"face"`
	}
	r := &faceReader{from: body, image: room, to: to}
	err = json.UnmarshalRead(r, &document)
	switch {
	case r.err != nil:
		return nil, "", r.err
	case body.failed() != nil:
		return nil, "", body.failed()
	case err == nil && r.first == 'n':
		err = errNull
	}
	if err != nil {
		decodeErr := newDecodeError(bytes.Trim([]byte{r.first}, "\x00"), err)
		decodeErr.Body = nil // it may hold a face
		return nil, "", decodeErr
	}
	if !r.taken {
		// The decoder has what the reader did not know: a name that was written with escapes.
		r.take([]byte(withoutLineBreaks.Replace(document.Face.Data)))
		r.finish()
	}
	declared := cmp.Or(document.Face.ContentType, r.sniffed)
	switch {
	case r.err != nil:
		return nil, "", r.err
	case !isImage(declared):
		return nil, "", errDeclared
	}
	return r.image, declared, nil
}

var withoutLineBreaks = strings.NewReplacer("\n", "", "\r", "")

// decodedSize is how large the image in an answer of a length can be.
func decodedSize(length int64) int { return base64.StdEncoding.DecodedLen(int(length)) }

// How much text is read at a time, and about how much of the image is written: enough that the loops around it do not count.
// The buffers do not serve the next face. Some wrappers of a body go on reading into a buffer after its call has ended, and
// would mix one person's face into another's.
const (
	blockText  = 4 << 10
	blockBytes = 16 << 10
)

// A faceReader passes JSON on, and takes the string at /face/data out of it.
//
// It understands just enough JSON to find that string in a well-formed text. In any other it may take the wrong thing, but
// the decoder that reads from it refuses the text then: brackets, names and quotes go through unchanged.
type faceReader struct {
	from  io.Reader
	image []byte    // what was decoded and not written
	to    io.Writer // where it goes; nil: it stays
	err   error     // why this is no image, or the writer's error; for good

	in       [blockText]byte // what was read; in[pos:end] is not used yet
	pos, end int
	first    byte // the first byte of the text that is not white space

	place  place
	depth  int    // of brackets
	last   byte   // the last structural character
	names  [2]tag // the last member name at depth 1 and 2
	inFace bool   // the object at depth 2 is the value of "face"
	taken  bool   // the string was found

	text    [4]byte // base64 that waits for the rest of four characters
	n       int
	padded  bool   // padding has been seen: nothing may follow it
	sniffed string // the type of the image by its first bytes
}

// A place is what the next byte belongs to.
type place uint8

const (
	inStructure place = iota // brackets, commas, colons, numbers, literals, white space
	inName
	inNameEscape
	inString
	inStringEscape
	inImage // the string that is taken
)

// A tag is the beginning of a member name, enough to tell the two that matter from all others.
type tag struct {
	text [len("face") + 1]byte
	n    int
}

func (t *tag) add(c byte) {
	if t.n < len(t.text) {
		t.text[t.n] = c
		t.n++
	}
}

func (t *tag) is(name string) bool { return string(t.text[:t.n]) == name }

// Read passes on everything but the image.
func (r *faceReader) Read(p []byte) (int, error) {
	for n := range p {
		if r.place == inImage {
			r.takeImage()
		}
		if r.err != nil {
			return n, r.err
		}
		if r.pos == r.end {
			if n > 0 {
				return n, nil // rather than wait for more
			}
			if err := r.fill(); err != nil {
				return 0, err
			}
		}
		p[n] = r.in[r.pos]
		r.pos++
		r.step(p[n])
	}
	return len(p), nil
}

// fill reads more behind what is not used yet.
func (r *faceReader) fill() error {
	r.end = copy(r.in[:], r.in[r.pos:r.end])
	r.pos = 0
	for {
		n, err := r.from.Read(r.in[r.end:])
		if r.first == 0 {
			if start := bytes.TrimLeft(r.in[:n], " \t\r\n"); len(start) > 0 {
				r.first = start[0]
			}
		}
		r.end += n
		if n > 0 {
			return nil // an error comes again
		}
		if err != nil {
			return err
		}
	}
}

// step follows the structure of the text by one byte.
func (r *faceReader) step(c byte) {
	switch {
	case r.place == inStructure:
		r.stepStructure(c)
	case r.place == inNameEscape:
		r.place = inName
	case r.place == inStringEscape:
		r.place = inString
	case c == '"':
		r.place = inStructure
	case r.place == inName:
		r.names[r.depth-1].add(c)
		if c == '\\' {
			r.place = inNameEscape // and the backslash in the tag makes it a name that is not known
		}
	case c == '\\':
		r.place = inStringEscape
	}
}

func (r *faceReader) stepStructure(c byte) {
	switch c {
	case '{', '[':
		r.depth++
		if r.depth == len(r.names) {
			r.inFace = c == '{' && r.last == ':' && r.names[0].is("face")
		}
	case '}', ']':
		r.depth--
	case ':', ',':
	case '"':
		value := r.last == ':'
		named := r.depth >= 1 && r.depth <= len(r.names)
		switch {
		case value && r.depth == len(r.names) && r.inFace && r.names[1].is("data") && !r.taken:
			r.place = inImage
		case named && !value:
			r.names[r.depth-1] = tag{}
			r.place = inName
		default:
			r.place = inString
		}
		return
	default:
		return
	}
	r.last = c
}

// takeImage takes the string up to its closing quote.
func (r *faceReader) takeImage() {
	r.taken = true
	for r.err == nil {
		rest := r.in[r.pos:r.end]
		quote := bytes.IndexByte(rest, '"')
		if quote >= 0 {
			rest = rest[:quote]
		}
		used := r.takeEscaped(rest)
		r.pos += used
		switch {
		case quote >= 0 && used < quote:
			r.err = errBase64 // an escaped quote, or an escape that the quote cuts off
		case quote >= 0:
			r.finish()
			r.place = inString // whose end comes next
			return
		case r.fill() != nil:
			r.place = inString // the decoder finds that it has no end
			return
		}
	}
}

// takeEscaped takes a piece of a JSON string, up to an escape that the end of the piece cuts off. It returns how much that
// was.
func (r *faceReader) takeEscaped(piece []byte) (used int) {
	for r.err == nil {
		rest := piece[used:]
		escape := bytes.IndexByte(rest, '\\')
		if escape < 0 {
			r.take(rest)
			return len(piece)
		}
		r.take(rest[:escape])
		used += escape
		c, size := unescape(rest[escape:])
		if size == 0 {
			return used
		}
		if c != '\n' && c != '\r' {
			r.take([]byte{c})
		}
		used += size
	}
	return used
}

// unescape reads the JSON escape at the start of s; size is 0 if s ends before the escape does. What is no character of
// base64, escaped or broken, comes back as one that is none either.
func unescape(s []byte) (c byte, size int) {
	const none = '!'
	switch {
	case len(s) < len(`\n`):
		return 0, 0
	case s[1] == 'n':
		return '\n', 2
	case s[1] == 'r':
		return '\r', 2
	case s[1] == '/':
		return '/', 2
	case s[1] != 'u':
		return none, 2
	case len(s) < len(`\u0000`):
		return 0, 0
	}
	code, err := strconv.ParseUint(string(s[2:6]), 16, 16)
	if err != nil || code > '~' {
		return none, 6
	}
	return byte(code), 6
}

// take adds base64 without escapes. Four characters stand for three bytes, and what is left over waits for more.
func (r *faceReader) take(text []byte) {
	if r.n > 0 {
		n := copy(r.text[r.n:], text)
		r.n += n
		text = text[n:]
		if r.n < len(r.text) {
			return
		}
		r.decode(r.text[:])
	}
	whole := len(text) &^ 3
	r.decode(text[:whole])
	r.n = copy(r.text[:], text[whole:])
}

// decode adds what whole groups of four characters stand for.
func (r *faceReader) decode(text []byte) {
	if len(text) == 0 || r.err != nil {
		return
	}
	before := len(r.image)
	if most := len(text) / 4 * 3; cap(r.image)-before < most { // the length was not declared
		r.image = roomier(r.image, max(before, most))
	}
	var err error
	r.image, err = base64.StdEncoding.AppendDecode(r.image, text)
	padding := len(text) - len(bytes.TrimRight(text, "="))
	// The decoder skips line breaks, which JSON allows in a string as escapes only: then fewer bytes come out.
	if err != nil || r.padded || len(r.image)-before != len(text)/4*3-padding {
		r.err = errBase64
		return
	}
	r.padded = padding > 0
	if len(r.image) >= sniffLen {
		r.sniff()
	}
	if r.sniffed != "" && cap(r.image)-len(r.image) < blockText {
		r.write()
	}
}

// finish is the end of the image.
func (r *faceReader) finish() {
	switch {
	case r.err != nil:
	case r.n > 0:
		r.err = errBase64
	case len(r.image) == 0 && r.sniffed == "":
		r.err = errNoImage
	default:
		r.sniff()
		r.write()
	}
}

// sniff looks at the first bytes of the image, once.
func (r *faceReader) sniff() {
	if r.sniffed == "" && r.err == nil {
		r.sniffed, r.err = sniffImage(r.image)
	}
}

// write passes on what was decoded, if it goes anywhere.
func (r *faceReader) write() {
	if r.to != nil && r.err == nil && len(r.image) > 0 {
		_, r.err = r.to.Write(r.image)
		r.image = r.image[:0]
	}
}
