package yotiface_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/yotiface/yotiface"
)

// readFaceWays are the two ways by which a face is fetched. They have one verdict, always.
var readFaceWays = []struct {
	name string
	get  func(context.Context, *yotiface.Client) (contentType string, image []byte, err error)
}{
	{"GetFace", func(ctx context.Context, c *yotiface.Client) (string, []byte, error) {
		face, err := c.GetFace(ctx, readApplicantID, readFaceID)
		if err != nil {
			if face != nil {
				return "", nil, errors.New("a face beside an error")
			}
			return "", nil, err
		}
		return face.ContentType, face.Data, nil
	}},
	{"DownloadFace", func(ctx context.Context, c *yotiface.Client) (string, []byte, error) {
		var image bytes.Buffer
		info, err := c.DownloadFace(ctx, readApplicantID, readFaceID, &image)
		if info.Size != int64(image.Len()) {
			return "", nil, fmt.Errorf("%d bytes written, and %d reported", image.Len(), info.Size)
		}
		return info.ContentType, image.Bytes(), err
	}},
}

// readJPEG is an image of n bytes as far as its first bytes tell, which is all that anybody looks at here.
func readJPEG(n int) []byte {
	image := make([]byte, n)
	random := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range image {
		image[i] = byte(random.Uint32())
	}
	copy(image, "\xff\xd8\xff")
	return image
}

// readFaceJSON is the documented answer for an image.
func readFaceJSON(image []byte) []byte {
	return []byte(`{"face":{"data":"` + base64.StdEncoding.EncodeToString(image) + `","content_type":"image/jpeg"}}`)
}

// readFaceVerdict is what becomes of an answer.
type readFaceVerdict int

const (
	isImage readFaceVerdict = iota
	isNoImage
	isNoJSON
	isNeither // refused; by whom is a matter of who looks first
)

// readCheckFace asserts one verdict on one answer, whichever way it is fetched, and whether its length is declared or not.
func readCheckFace(t *testing.T, body string, verdict readFaceVerdict, contentType string, image []byte, because string) {
	t.Helper()
	for _, way := range readFaceWays {
		for _, declared := range []bool{true, false} {
			tries := new(readCount)
			client := readClient(t, readTrip(func(req *http.Request) (*http.Response, error) {
				tries.Add(1)
				length := int64(len(body))
				if !declared {
					length = -1
				}
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: length, Request: req}, nil
			}))
			gotType, got, err := way.get(t.Context(), client)
			assert.EqualValues(t, 1, tries.Load(), "%s: no other answer would come", way.name)
			var decodeErr *yotiface.DecodeError
			switch verdict {
			case isImage:
				require.NoError(t, err, "%s: %s", way.name, because)
				assert.Equal(t, contentType, gotType, "%s: %s", way.name, because)
				assert.True(t, bytes.Equal(image, got), "%s: %d bytes, not %d: %s", way.name, len(got), len(image), because)
				continue
			case isNoImage:
				require.ErrorIs(t, err, yotiface.ErrNotAnImage, "%s: %s", way.name, because)
			case isNoJSON:
				require.ErrorAs(t, err, &decodeErr, "%s: %s", way.name, because)
			default:
				require.Error(t, err, "%s: %s", way.name, because)
				assert.True(t, errors.Is(err, yotiface.ErrNotAnImage) || errors.As(err, &decodeErr), "%s: %v", way.name, err)
			}
			if errors.As(err, &decodeErr) {
				assert.Empty(t, decodeErr.Body, "%s: it may hold a face", way.name)
				assert.Equal(t, "/applicant/{applicant_id}/faces/{face_id}", decodeErr.Endpoint)
			}
			assert.Empty(t, gotType, "%s: of no image", way.name)
			assert.NotContains(t, err.Error(), "4AAQ", "%s: the text repeats the image", way.name)
		}
	}
}

// The image is standard base64 with padding; line breaks are skipped, as JSON writes them.
func TestFaceBase64(t *testing.T) {
	t.Parallel()
	jpeg := []byte("\xff\xd8\xff\xe0\x00\x10")            // /9j/4AAQ
	plus := []byte("\xff\xd8\xff\xfb\xef\xbe")            // /9j/+++
	one, two := jpeg[:4], []byte("\xff\xd8\xff\xe0\x00")  // /9j/4A== and /9j/4AA=
	png := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + // 33 bytes
		"\x00\x00\xc3\x50\x00\x00\xc3\x50\x08\x02\x00\x00\x00" + // of 50 000 × 50 000 pixels
		"\x12\x34\x56\x78")
	for _, test := range []struct {
		name, data string // as between the quotes
		verdict    readFaceVerdict
		image      []byte
		because    string
	}{
		{"no padding needed", `/9j/4AAQ`, isImage, jpeg, "standard"},
		{"one byte of padding", `/9j/4AA=`, isImage, two, "standard"},
		{"two bytes of padding", `/9j/4A==`, isImage, one, "standard"},
		{"plus", `/9j/++++`, isImage, plus, "the standard alphabet"},
		{"trailing bits", `/9j/4B==`, isImage, one, "only a strict decoder minds, and both ways agree"},
		{"more trailing bits", `/9j/4AB=`, isImage, two, "as above"},

		{"a line break", `/9j/\n4AAQ`, isImage, jpeg, "MIME breaks lines"},
		{"CR LF", `/9j/\r\n4AAQ`, isImage, jpeg, "MIME breaks lines"},
		{"line breaks everywhere", `\n/\n\n9\rj\r\n/4\nA\nA\nQ\n`, isImage, jpeg, "also between the characters of a quantum"},
		{"a line break at the end", `/9j/4AAQ\n`, isImage, jpeg, "text files end with one"},
		{"line breaks around padding", `/9j/4A\n=\r\n=\n`, isImage, one, "skipped as well"},
		{"an escaped line break", `/9j/\u000a4AA\u000DQ`, isImage, jpeg, "another way to write it"},
		{"an escaped slash", `\/9j\/4AAQ`, isImage, jpeg, "as PHP writes JSON"},
		{"a slash by number", `\u002F9j\u002f4AAQ`, isImage, jpeg, "in either case"},
		{"a plus by number", `/9j/\u002b\u002B\u002b+`, isImage, plus, "as .NET writes JSON"},
		{"all by number", `\u002f\u0039\u006a\u002f\u0034\u0041\u0041\u0051`, isImage, jpeg, "escapes do not make another text"},
		{"padding by number", `/9j/4A\u003d\u003D`, isImage, one, "as .NET and Go write JSON"},
		{"a large image that is none", base64.StdEncoding.EncodeToString(png), isImage, png, "pixels are never decoded here"},

		{"empty", ``, isNoImage, nil, "nothing is no image"},
		{"line breaks only", `\n\r\n`, isNoImage, nil, "nothing is no image"},
		{"one character", `/`, isNoImage, nil, "cut off"},
		{"two characters", `/9`, isNoImage, nil, "cut off"},
		{"three characters", `/9j`, isNoImage, nil, "cut off"},
		{"no padding", `/9j/4A`, isNoImage, nil, "cut off, perhaps"},
		{"half of the padding", `/9j/4A=`, isNoImage, nil, "cut off"},
		{"too much padding", `/9j/4A===`, isNoImage, nil, "not base64"},
		{"padding without need", `/9j/4AAQ=`, isNoImage, nil, "not base64"},
		{"padding alone", `====`, isNoImage, nil, "not base64"},
		{"one sign of padding", `=`, isNoImage, nil, "not base64"},
		{"padding in the middle", `/9j/4A==/9j/`, isNoImage, nil, "two images are none"},
		{"padding and one character", `/9j/4A==A`, isNoImage, nil, "not base64"},
		{"the URL alphabet", `_9j_4AAQ`, isNoImage, nil, "not the standard one"},
		{"a minus", `/9j/----`, isNoImage, nil, "not the standard alphabet"},
		{"a data URL", `data:image/jpeg;base64,/9j/4AAQ`, isNoImage, nil, "nothing is guessed"},
		{"a space", `/9j/ 4AAQ`, isNoImage, nil, "only line breaks are skipped"},
		{"a space at the end", `/9j/4AAQ `, isNoImage, nil, "only line breaks are skipped"},
		{"a tab", `/9j/\t4AAQ`, isNoImage, nil, "only line breaks are skipped"},
		{"a tab by number", `/9j/\u00094AAQ`, isNoImage, nil, "only line breaks are skipped"},
		{"a form feed", `/9j/\f4AAQ`, isNoImage, nil, "only line breaks are skipped"},
		{"a backspace", `/9j/\b4AAQ`, isNoImage, nil, "only line breaks are skipped"},
		{"a NUL", `/9j/\u00004AAQ`, isNoImage, nil, "only line breaks are skipped"},
		{"a quote", `/9j/\"4AAQ`, isNoImage, nil, "not base64"},
		{"a quote by number", `/9j/\u00224AAQ`, isNoImage, nil, "not base64"},
		{"a backslash", `/9j/\\4AAQ`, isNoImage, nil, "not base64"},
		{"a backslash at the end", `/9j/4AAQ\\`, isNoImage, nil, "not base64"},
		{"a letter above ASCII", `/9j/4AAQü`, isNoImage, nil, "not base64"},
		{"such a letter by number", `/9j/4AA\u0151`, isNoImage, nil, "its low byte would be a Q"},
		{"an emoji", `/9j/\ud83d\ude004AAQ`, isNoImage, nil, "not base64"},
		{"words", `base64 string`, isNoImage, nil, "what the documentation shows"},

		{"a lone surrogate", `/9j/\ud8004AAQ`, isNeither, nil, "not JSON, not base64"},
		{"invalid UTF-8", "/9j/\xff4AAQ", isNeither, nil, "not JSON, not base64"},
		{"a raw line break", "/9j/\n4AAQ", isNeither, nil, "not JSON, though base64 decoders skip it"},
		{"a raw line break at the end", "/9j/4AAQ\n", isNeither, nil, "as above"},
		{"four raw line breaks", "/9j/\n\n\n\n4AAQ", isNeither, nil, "as above, with a length that fits"},
		{"raw CR LF after the padding", "/9j/4A==\r\n", isNeither, nil, "as above"},
		{"an unknown escape", `/9j/\x4AAQ`, isNeither, nil, "not JSON"},
		{"an octal escape", `/9j/\0574AAQ`, isNeither, nil, "not JSON"},
		{"a broken number", `/9j/\u00zz4AAQ`, isNeither, nil, "not JSON"},
		{"a number with a sign", `/9j/\u+02f4AAQ`, isNeither, nil, "not JSON"},
		{"a number with an underscore", `/9j/\u0_2f4AAQ`, isNeither, nil, "not JSON"},
		{"a number in a capital U", `/9j/\U002f4AAQ`, isNeither, nil, "not JSON"},
		{"a number cut off", `/9j/4AAQ\u00`, isNeither, nil, "not JSON"},
		{"an escape cut off", `/9j/4AAQ\u`, isNeither, nil, "not JSON"},
		{"an escaped end", `/9j/4AAQ\`, isNeither, nil, "not JSON: the string does not end"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			contentType := "image/jpeg"
			readCheckFace(t, `{"face":{"data":"`+test.data+`","content_type":"`+contentType+`"}}`, test.verdict, contentType, test.image, test.because)
		})
	}
}

// What the bytes are, decides; what they are declared as, can only spoil it.
func TestFaceContentType(t *testing.T) {
	t.Parallel()
	images := map[string]struct{ data, sniffed string }{
		"jpeg": {"/9j/4AAQ", "image/jpeg"},
		"html": {base64.StdEncoding.EncodeToString([]byte("<!DOCTYPE html><script>alert(1)</script>")), ""},
		"svg":  {base64.StdEncoding.EncodeToString([]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)), ""},
		"pdf":  {base64.StdEncoding.EncodeToString([]byte("%PDF-1.7\n")), ""},
		"text": {base64.StdEncoding.EncodeToString([]byte("base64 string")), ""},
		"zero": {base64.StdEncoding.EncodeToString(make([]byte, 600)), ""},
		"late": {base64.StdEncoding.EncodeToString(append([]byte("   \n  "), "\xff\xd8\xff\xe0"...)), ""},
		"png":  {base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\n")), "image/png"},
		"gif":  {base64.StdEncoding.EncodeToString([]byte("GIF89a")), "image/gif"},
		"webp": {base64.StdEncoding.EncodeToString([]byte("RIFF\x00\x00\x00\x00WEBPVP")), "image/webp"},
		"bmp":  {base64.StdEncoding.EncodeToString([]byte("BM")), "image/bmp"},
	}
	for _, test := range []struct {
		name, image, before, after string
		verdict                    readFaceVerdict
		contentType                string
		because                    string
	}{
		{"declared after", "jpeg", ``, `,"content_type":"image/jpeg"`, isImage, "image/jpeg", "as documented"},
		{"declared before", "jpeg", `"content_type":"image/jpeg",`, ``, isImage, "image/jpeg", "members have no order"},
		{"not declared", "jpeg", ``, ``, isImage, "image/jpeg", "by its bytes"},
		{"declared as nothing", "jpeg", ``, `,"content_type":""`, isImage, "image/jpeg", "by its bytes"},
		{"declared as null", "jpeg", `"content_type":null,`, ``, isImage, "image/jpeg", "absent and null are the same"},
		{"declared as another image", "jpeg", ``, `,"content_type":"image/png"`, isImage, "image/png", "as declared; it is an image all the same"},
		{"declared with a parameter", "jpeg", ``, `,"content_type":"image/jpeg; q=1"`, isImage, "image/jpeg; q=1", "as declared"},
		{"declared in capitals", "jpeg", ``, `,"content_type":"IMAGE/JPEG"`, isImage, "IMAGE/JPEG", "media types have no case"},
		{"declared with escapes", "jpeg", ``, `,"content_type":"image\/jpeg"`, isImage, "image/jpeg", "JSON"},
		{"declared under an escaped name", "jpeg", ``, `,"content\u005ftype":"image/png"`, isImage, "image/png", "escapes do not make another name"},
		{"declared elsewhere", "jpeg", `"meta":{"content_type":"text/html"},`, ``, isImage, "image/jpeg", "not the image's"},
		{"declared in capitals' name", "jpeg", `"Content_Type":"text/html",`, ``, isImage, "image/jpeg", "names are case-sensitive"},
		{"png", "png", ``, ``, isImage, "image/png", "by its bytes"},
		{"gif", "gif", ``, ``, isImage, "image/gif", "by its bytes"},
		{"webp", "webp", ``, ``, isImage, "image/webp", "by its bytes"},
		{"bmp", "bmp", ``, ``, isImage, "image/bmp", "by its bytes"},

		{"HTML declared as an image", "html", ``, `,"content_type":"image/jpeg"`, isNoImage, "", "a script in the reviewer's browser"},
		{"HTML declared before", "html", `"content_type":"image/jpeg",`, ``, isNoImage, "", "as above"},
		{"HTML", "html", ``, ``, isNoImage, "", "by its bytes"},
		{"SVG", "svg", ``, `,"content_type":"image/svg+xml"`, isNoImage, "", "it can hold scripts, and no sniffer calls it an image"},
		{"PDF", "pdf", ``, `,"content_type":"image/jpeg"`, isNoImage, "", "by its bytes"},
		{"text", "text", ``, `,"content_type":"image/jpeg"`, isNoImage, "", "by its bytes"},
		{"zeros", "zero", ``, `,"content_type":"image/jpeg"`, isNoImage, "", "by its bytes"},
		{"an image behind white space", "late", ``, `,"content_type":"image/jpeg"`, isNoImage, "", "by its first bytes"},
		{"an image declared as JSON", "jpeg", ``, `,"content_type":"application/json"`, isNoImage, "", "one of the two is wrong"},
		{"an image declared as HTML before", "jpeg", `"content_type":"text/html",`, ``, isNoImage, "", "one of the two is wrong"},
		{"an image declared as bytes", "jpeg", ``, `,"content_type":"application/octet-stream"`, isNoImage, "", "declared as anything but image/*"},
		{"half a type", "jpeg", ``, `,"content_type":"image/"`, isNoImage, "", "no type"},
		{"another half", "jpeg", ``, `,"content_type":"image"`, isNoImage, "", "no type"},
		{"nearly a type", "jpeg", ``, `,"content_type":"imagejpeg"`, isNoImage, "", "no type"},
		{"two types", "jpeg", ``, `,"content_type":"text/html, image/jpeg"`, isNoImage, "", "no type"},
		{"a header in a type", "jpeg", ``, `,"content_type":"image/jpeg\r\nX-Evil: 1"`, isNoImage, "", "it might be written into an answer"},

		{"a number for a type", "jpeg", ``, `,"content_type":1`, isNoJSON, "", "not the documented type"},
		{"an array for a type", "jpeg", `"content_type":["image/jpeg"],`, ``, isNoJSON, "", "not the documented type"},
		{"a type twice", "jpeg", `"content_type":"image/jpeg",`, `,"content_type":"image/jpeg"`, isNoJSON, "", "which of them?"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			data, ok := images[test.image]
			require.True(t, ok)
			image, err := base64.StdEncoding.DecodeString(data.data)
			require.NoError(t, err)
			readCheckFace(t, `{"face":{`+test.before+`"data":"`+data.data+`"`+test.after+`}}`, test.verdict, test.contentType, image, test.because)
		})
	}
}

// The image is at /face/data and nowhere else, whatever the document looks like around it.
func TestFaceIsFoundWhereItIs(t *testing.T) {
	t.Parallel()
	const image, other = `"/9j/4AAQ"`, `"/9j/BBBB"`
	for _, test := range []struct {
		name, body string
		verdict    readFaceVerdict
		because    string
	}{
		{"as documented", `{"face":{"data":` + image + `}}`, isImage, ""},
		{"white space", " \r\n\t{ \"face\" : { \"data\" :\n" + image + " } } \n", isImage, "JSON has it anywhere"},
		{"an escaped name", `{"face":{"d\u0061ta":` + image + `}}`, isImage, "escapes do not make another name"},
		{"both names escaped", `{"\u0066ace":{"\u0064\u0061\u0074\u0061":` + image + `}}`, isImage, "escapes do not make another name"},
		{"an escaped name and escapes in the image", `{"face":{"dat\u0061":"\/9j\/\n4AA\u0051"}}`, isImage, "escapes do not make another name"},
		{"a name escaped outside", `{"fac\u0065":{"data":` + image + `}}`, isImage, "escapes do not make another name"},

		{"other members before", `{"id":"x","n":[1,{"data":` + other + `}],"face":{"id":"y","data":` + image + `}}`, isImage, "unknown members pass"},
		{"other members after", `{"face":{"data":` + image + `,"id":"y"},"id":"x","data":` + other + `}`, isImage, "unknown members pass"},
		{"data at the top", `{"data":` + other + `,"face":{"data":` + image + `}}`, isImage, "not in the face"},
		{"data in a sibling", `{"other":{"data":` + other + `},"face":{"data":` + image + `}}`, isImage, "not in the face"},
		{"data in a later sibling", `{"face":{"data":` + image + `},"other":{"data":` + other + `}}`, isImage, "not in the face"},
		{"data in siblings with names like it", `{"fac":{"data":` + other + `},"faces":{"data":` + other + `},"facet":{"data":` + other + `},"Face":{"data":` + other + `},"":{"data":` + other + `},"face":{"data":` + image + `}}`, isImage, "other names"},
		{"names like data", `{"face":{"dat":` + other + `,"data2":` + other + `,"datas":` + other + `,"Data":` + other + `,"":` + other + `,"data":` + image + `}}`, isImage, "other names"},
		{"data deeper", `{"face":{"meta":{"data":` + other + `,"face":{"data":` + other + `}},"data":` + image + `}}`, isImage, "too deep"},
		{"a face deeper", `{"a":{"face":{"data":` + other + `}},"face":{"data":` + image + `}}`, isImage, "too deep"},
		{"a face in a face", `{"face":{"face":{"data":` + other + `},"data":` + image + `}}`, isImage, "too deep"},
		{"data in an array", `{"face":{"list":[{"data":` + other + `},"data",` + other + `],"data":` + image + `}}`, isImage, "too deep"},
		{"data after an array", `{"list":[["face"],{"face":{"data":` + other + `}}],"face":{"data":` + image + `}}`, isImage, "too deep"},
		{"data as a value", `{"x":"face","face":{"y":"data","z":` + other + `,"data":` + image + `}}`, isImage, "a value is no name"},
		{"a face as an array's element", `{"x":["face",{"data":` + other + `}],"face":{"data":` + image + `}}`, isImage, "a value is no name"},
		{"brackets in strings", `{"a":"}}{\"face\":{\"data\":\"x\"","b]":"[[[","face":{"c":"}","data":` + image + `}}`, isImage, "they are text"},
		{"backslashes in strings", `{"a\\":"\\","b\"":"\\\"","face":{"\\\\":"\\\\","data":` + image + `}}`, isImage, "they are text"},
		{"null after", `{"face":{"data":` + image + `,"content_type":null,"other":null}}`, isImage, "absent"},
		{"depth", `{"deep":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `,"face":{"data":` + image + `}}`, isImage, "within reason"},

		{"no face", `{}`, isNoImage, "nothing is no image"},
		{"a null face", `{"face":null}`, isNoImage, "nothing is no image"},
		{"an empty face", `{"face":{}}`, isNoImage, "nothing is no image"},
		{"null data", `{"face":{"data":null}}`, isNoImage, "nothing is no image"},
		{"a type alone", `{"face":{"content_type":"image/jpeg"}}`, isNoImage, "nothing is no image"},
		{"data elsewhere only", `{"data":` + other + `,"other":{"data":` + other + `},"a":{"face":{"data":` + other + `}}}`, isNoImage, "not in the face"},
		{"DATA", `{"face":{"DATA":` + other + `}}`, isNoImage, "names are case-sensitive"},
		{"FACE", `{"FACE":{"data":` + other + `}}`, isNoImage, "names are case-sensitive"},
		{"a long s", `{"face":{"data` + "\u017f" + `":` + other + `}}`, isNoImage, "another name"},

		{"data twice", `{"face":{"data":` + image + `,"data":` + image + `}}`, isNoJSON, "which of them?"},
		{"data twice, the second escaped", `{"face":{"data":` + image + `,"d\u0061ta":` + image + `}}`, isNoJSON, "which of them?"},
		{"data twice, the first escaped", `{"face":{"d\u0061ta":` + image + `,"data":` + image + `}}`, isNoJSON, "which of them?"},
		{"null data and data", `{"face":{"data":null,"data":` + image + `}}`, isNoJSON, "which of them?"},
		{"two faces", `{"face":{"data":` + image + `},"face":{"data":` + image + `}}`, isNoJSON, "which of them?"},
		{"two faces, the second empty", `{"face":{"data":` + image + `},"face":{}}`, isNoJSON, "which of them?"},
		{"two faces, the first null", `{"face":null,"face":{"data":` + image + `}}`, isNoJSON, "which of them?"},
		{"another name twice", `{"face":{"data":` + image + `},"a":{"b":1,"b":2}}`, isNoJSON, "which of them?"},
		{"another name twice before", `{"a":1,"a":2,"face":{"data":` + image + `}}`, isNoJSON, "which of them?"},

		{"data as a number", `{"face":{"data":1}}`, isNoJSON, "not the documented type"},
		{"data as an object", `{"face":{"data":{"data":` + other + `}}}`, isNoJSON, "not the documented type"},
		{"data as an array", `{"face":{"data":[` + other + `]}}`, isNoJSON, "not the documented type"},
		{"data as true", `{"face":{"data":true}}`, isNoJSON, "not the documented type"},
		{"the face as a string", `{"face":` + other + `}`, isNoJSON, "not the documented type"},
		{"the face as an array", `{"face":[{"data":` + other + `}]}`, isNoJSON, "not the documented type"},
		{"the face in an array", `[{"face":{"data":` + other + `}}]`, isNoJSON, "not the documented type"},
		{"an array of words", `["face",{"data":` + other + `}]`, isNoJSON, "not the documented type"},
		{"the image alone", image, isNoJSON, "not the documented type"},
		{"null", `null`, isNoJSON, "nothing at all"},
		{"nothing", ``, isNoJSON, "200 without a body"},
		{"white space alone", " \n", isNoJSON, "200 without a body"},
		{"HTML", `<html></html>`, isNoJSON, "a login page"},
		{"a byte order mark", "\xef\xbb\xbf" + `{"face":{"data":` + image + `}}`, isNoJSON, "no JSON"},
		{"something behind it", `{"face":{"data":` + image + `}} {}`, isNoJSON, "not one value"},
		{"a bracket too much", `{"face":{"data":` + image + `}}}`, isNoJSON, "not one value"},
		{"a bracket too few", `{"face":{"data":` + image + `}`, isNoJSON, "cut off"},
		{"cut off after the image", `{"face":{"data":` + image, isNoJSON, "cut off"},
		{"cut off in the image", `{"face":{"data":"/9j/4A`, isNoJSON, "cut off"},
		{"cut off in an escape", `{"face":{"data":"/9j/4A\u00`, isNoJSON, "cut off"},
		{"cut off before the image", `{"face":{"data":`, isNoJSON, "cut off"},
		{"no colon", `{"face":{"data" ` + image + `}}`, isNoJSON, "not JSON"},
		{"two colons", `{"face":{"data"::` + image + `}}`, isNoJSON, "not JSON"},
		{"no comma", `{"face":{"data":` + image + ` "content_type":"image/jpeg"}}`, isNoJSON, "not JSON"},
		{"a comma too much", `{"face":{"data":` + image + `,}}`, isNoJSON, "not JSON"},
		{"two images", `{"face":{"data":` + image + image + `}}`, isNoJSON, "not JSON"},
		{"a closing bracket first", `}{"face":{"data":` + image + `}}`, isNoJSON, "not JSON"},
		{"the wrong bracket", `{"face":{"data":` + image + `]}`, isNoJSON, "not JSON"},
		{"a comment", `{"face":{"data":/**/` + image + `}}`, isNoJSON, "not JSON"},
		{"invalid UTF-8 behind it", `{"face":{"data":` + image + `,"x":"` + "\xff" + `"}}`, isNoJSON, "not JSON"},
		{"a lone surrogate before it", `{"face":{"x":"\ud800","data":` + image + `}}`, isNoJSON, "not JSON"},
		{"10 001 arrays", `{"a":` + strings.Repeat("[", 10001) + strings.Repeat("]", 10001) + `}`, isNoJSON, "no stack overflow"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			readCheckFace(t, test.body, test.verdict, "image/jpeg", []byte("\xff\xd8\xff\xe0\x00\x10"), test.because)
		})
	}
}

// Nobody's image is too small, too large, or of the wrong length to be split into blocks.
func TestFaceOfAnySize(t *testing.T) {
	t.Parallel()
	sizes := []int{3, 4, 5, 6, 7, 511, 512, 513, 3 * 4096, 12287, 12288, 12289, 12290, 16383, 16384, 16385, 24575, 24576, 24577, 100_000, 5 << 20}
	client, _ := readServer(t, func(w http.ResponseWriter, r *http.Request) {
		var size int
		var how string
		_, err := fmt.Sscanf(r.URL.Path, "/idverify/v1/applicant/"+readApplicantID+"/faces/%d-%s", &size, &how)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		body := readFaceJSON(readJPEG(size))
		switch how {
		case "declared":
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			_, _ = w.Write(body)
		case "chunked":
			for chunk := range slices.Chunk(body, len(body)/7+1) {
				_, _ = w.Write(chunk)
				w.(http.Flusher).Flush()
			}
		case "gzip":
			readGzip(w, body)
		}
	})
	for _, size := range sizes {
		for _, how := range []string{"declared", "chunked", "gzip"} {
			if how == "gzip" && size > 100_000 {
				continue // compressing takes longer than all the rest
			}
			t.Run(fmt.Sprint(size, " bytes, ", how), func(t *testing.T) {
				t.Parallel()
				want, faceID := readJPEG(size), fmt.Sprintf("%d-%s", size, how)
				face, err := client.GetFace(t.Context(), readApplicantID, faceID)
				require.NoError(t, err)
				assert.True(t, bytes.Equal(want, face.Data), "GetFace: %d bytes", len(face.Data))
				assert.Equal(t, "image/jpeg", face.ContentType)

				var image bytes.Buffer
				info, err := client.DownloadFace(t.Context(), readApplicantID, faceID, &image)
				require.NoError(t, err)
				assert.True(t, bytes.Equal(want, image.Bytes()), "DownloadFace: %d bytes", image.Len())
				assert.Equal(t, yotiface.MediaInfo{ContentType: "image/jpeg", Size: int64(size)}, info)
			})
		}
	}
	for size, test := range map[int]struct {
		image       string
		contentType string // "" for what cannot be told from so few bytes
	}{
		1: {"\xff", ""},
		2: {"BM", "image/bmp"},
		3: {"\xff\xd8\xff", "image/jpeg"},
		4: {"\x00\x00\x01\x00", "image/x-icon"},
		5: {"BM\x00\x00\x00", "image/bmp"},
	} {
		t.Run(fmt.Sprint("an image of ", size), func(t *testing.T) {
			t.Parallel()
			require.Len(t, test.image, size)
			body := `{"face":{"data":"` + base64.StdEncoding.EncodeToString([]byte(test.image)) + `"}}`
			verdict := isImage
			if test.contentType == "" {
				verdict = isNoImage
			}
			readCheckFace(t, body, verdict, test.contentType, []byte(test.image), "by its first bytes")
		})
	}
}

// What is no image any more at the border of a block is none as a whole.
func TestFaceThatBreaksLater(t *testing.T) {
	t.Parallel()
	long := base64.StdEncoding.EncodeToString(readJPEG(5 * 12288))
	padded := base64.StdEncoding.EncodeToString(readJPEG(12287)) // ends a block with padding
	at := func(i int, what string) string { return long[:i] + what + long[i+len(what):] }
	for _, test := range []struct {
		name, data string
		verdict    readFaceVerdict
	}{
		{"a wrong character in the second block", at(16384, "*"), isNoImage},
		{"a wrong character at the end of the second block", at(2*16384-1, "-"), isNoImage},
		{"padding at the end of a block, and more", padded + "/9j/", isNoImage},
		{"padding at the end of a block, and a block more", padded + long[:16384], isNoImage},
		{"padding at the end of a block, and padding", padded + "====", isNoImage},
		{"padding in a block", at(20_000, "="), isNoImage},
		{"padding that a block cuts", long[:16382] + "==", isImage},
		{"padding behind a block", long[:16384] + "==", isNoImage},
		{"one character behind a block", long[:16385], isNoImage},
		{"a raw line break at a block's border", at(16383, "\n") + "A", isNeither},
		{"a quote in the second block", at(20_000, `\"`), isNoImage},
		{"an escape on a block's border", long[:16383] + `\u00` + fmt.Sprintf("%02x", long[16383]) + long[16384:], isImage},
		{"line breaks of 76 characters", func() string {
			var lines []string
			for line := range slices.Chunk([]byte(long), 76) {
				lines = append(lines, string(line))
			}
			return strings.Join(lines, `\r\n`)
		}(), isImage},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := readJPEG(5 * 12288)
			if test.name == "padding that a block cuts" {
				var err error
				want, err = base64.StdEncoding.DecodeString(test.data)
				require.NoError(t, err)
			}
			readCheckFace(t, `{"face":{"data":"`+test.data+`"}}`, test.verdict, "image/jpeg", want, "")
		})
	}
}

// An answer is read to its limit.
func TestFaceKeepsToTheLimit(t *testing.T) {
	t.Parallel()
	image := readJPEG(20_000)
	body := readFaceJSON(image)
	exactly := int64(len(body))
	for _, way := range readFaceWays {
		for _, how := range []string{"declared", "chunked", "gzip"} {
			for more, fits := range map[int64]bool{-1: false, 0: true, 1: true} {
				t.Run(fmt.Sprintf("%s, %s, limit %+d", way.name, how, more), func(t *testing.T) {
					t.Parallel()
					client, tries := readServer(t, func(w http.ResponseWriter, _ *http.Request) {
						switch how {
						case "declared":
							w.Header().Set("Content-Length", fmt.Sprint(len(body)))
						case "chunked":
							w.(http.Flusher).Flush()
						case "gzip":
							readGzip(w, body)
							return
						}
						_, _ = w.Write(body)
					}, yotiface.WithMaxResponseBytes(exactly+more))
					contentType, got, err := way.get(t.Context(), client)
					assert.EqualValues(t, 1, tries.Load(), "a larger answer does not shrink")
					if fits {
						require.NoError(t, err)
						assert.Equal(t, "image/jpeg", contentType)
						assert.True(t, bytes.Equal(image, got))
						return
					}
					require.ErrorIs(t, err, yotiface.ErrResponseTooLarge)
					assert.Empty(t, contentType)
					if how == "declared" {
						assert.Empty(t, got, "refused by its declared length, before a byte is read")
					}
				})
			}
		}
	}
}

// A declared length over the limit is refused before anything is read or allocated for it.
func TestFaceOfATebibyte(t *testing.T) { //nolint:paralleltest // it counts the bytes that the process allocates
	for _, way := range readFaceWays {
		body := &readCounter{Reader: bytes.NewReader(readFaceJSON(readJPEG(600)))}
		client := readClient(t, readTrip(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body, ContentLength: 1 << 40, Request: req}, nil
		}))
		var err error
		allocated := readAllocated(func() { _, _, err = way.get(t.Context(), client) })
		require.ErrorIs(t, err, yotiface.ErrResponseTooLarge, way.name)
		assert.Zero(t, body.reads.Load(), way.name)
		assert.True(t, body.closed.Load(), way.name)
		assert.Less(t, allocated, uint64(1<<20), way.name)
	}
}

// A larger limit is no reason to believe a header either.
func TestFaceOfATebibyteUnderALargerLimit(t *testing.T) {
	t.Parallel()
	image := readJPEG(600)
	for _, way := range readFaceWays {
		client := readClient(t, readTrip(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(readFaceJSON(image))), ContentLength: math.MaxInt64, Request: req}, nil
		}), yotiface.WithMaxResponseBytes(math.MaxInt64))
		_, got, err := way.get(t.Context(), client)
		require.NoError(t, err, way.name)
		assert.True(t, bytes.Equal(image, got), way.name)
	}
}

// A shorter answer than the declared one is what it is, if the transport says that it is whole.
func TestFaceShorterThanDeclared(t *testing.T) {
	t.Parallel()
	image := readJPEG(600)
	for _, way := range readFaceWays {
		client := readClient(t, readTrip(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(readFaceJSON(image))), ContentLength: 1 << 20, Request: req}, nil
		}))
		_, got, err := way.get(t.Context(), client)
		require.NoError(t, err, way.name)
		assert.True(t, bytes.Equal(image, got), way.name)
	}
}

// A body that breaks is fetched again where nothing of it has been handed on.
func TestFaceOverABrokenConnection(t *testing.T) {
	t.Parallel()
	small, large := readJPEG(600), readJPEG(100_000)
	type answer struct {
		image []byte
		cut   int  // after so many bytes the server hangs up; 0: never
		open  bool // no length is declared
	}
	for _, test := range []struct {
		name            string
		answers         []answer // the last one again and again
		get, download   []byte   // nil: io.ErrUnexpectedEOF
		tries, attempts int64    // of GetFace, of DownloadFace
		because         string
	}{
		{"before the image", []answer{{small, 12, false}, {small, 0, false}}, small, small, 2, 2, "nothing was written"},
		{"in the first block", []answer{{small, 300, false}, {small, 0, false}}, small, small, 2, 2, "nothing was written"},
		{"in the middle", []answer{{large, 70_000, false}, {small, 0, false}}, small, nil, 2, 1, "blocks were written"},
		{"before the last bracket", []answer{{large, len(readFaceJSON(large)) - 1, false}, {small, 0, false}}, small, nil, 2, 1, "the image was written"},
		{"in the middle, of unknown length", []answer{{large, 70_000, true}, {small, 0, true}}, small, nil, 2, 1, "blocks were written"},
		{"always before the image", []answer{{small, 12, false}}, nil, nil, 3, 3, "as often as the policy says"},
		{"always in the middle", []answer{{large, 70_000, false}}, nil, nil, 3, 1, "blocks were written"},
	} {
		for _, way := range readFaceWays {
			t.Run(test.name+", "+way.name, func(t *testing.T) {
				t.Parallel()
				served := new(readCount)
				client, tries := readServer(t, func(w http.ResponseWriter, _ *http.Request) {
					a := test.answers[min(int(served.Add(1)), len(test.answers))-1]
					body := readFaceJSON(a.image)
					if a.open {
						w.(http.Flusher).Flush()
					} else {
						w.Header().Set("Content-Length", fmt.Sprint(len(body)))
					}
					if a.cut == 0 {
						_, _ = w.Write(body)
						return
					}
					_, _ = w.Write(body[:a.cut])
					w.(http.Flusher).Flush()
					panic(http.ErrAbortHandler)
				})
				want, wantTries := test.get, test.tries
				if way.name == "DownloadFace" {
					want, wantTries = test.download, test.attempts
				}
				_, got, err := way.get(t.Context(), client)
				assert.Equal(t, wantTries, tries.Load(), test.because)
				if want == nil {
					require.ErrorIs(t, err, io.ErrUnexpectedEOF, test.because)
					return
				}
				require.NoError(t, err, test.because)
				assert.True(t, bytes.Equal(want, got), "a fresh image, not one behind the other: %d bytes", len(got))
			})
		}
	}
}

// A readWriter takes so many bytes and then fails, or takes less than it is given.
type readWriter struct {
	bytes.Buffer
	takes int
	err   error
	full  bool
	more  int // calls after the error
}

func (w *readWriter) Write(p []byte) (int, error) {
	if w.full {
		w.more++
	}
	if n := min(len(p), w.takes-w.Len()); n < len(p) {
		w.full = true
		w.Buffer.Write(p[:n])
		return n, w.err
	}
	return w.Buffer.Write(p)
}

// A readBreaking breaks with the first bytes that it gives.
type readBreaking struct{ io.Reader }

func (r *readBreaking) Read(p []byte) (int, error) {
	n, _ := r.Reader.Read(p)
	return n, io.ErrUnexpectedEOF
}

// A readOwnError is an error that no wrapper may hide: a download returns it as it is.
type readOwnError struct{ what string }

func (e *readOwnError) Error() string { return e.what }

// The writer's error is the caller's own business: it comes back as it is, at once, with what was written.
func TestDownloadFaceIntoABrokenWriter(t *testing.T) {
	t.Parallel()
	image := readJPEG(50_000)
	own := &readOwnError{"the disk is full"}
	for _, test := range []struct {
		name    string
		takes   int
		err     error
		want    error
		because string
	}{
		{"at once", 0, own, own, "nothing was written, and still it is not tried again"},
		{"in the first block", 100, own, own, "written in part"},
		{"after some blocks", 24_576, own, own, "blocks were written"},
		{"in a later block", 30_000, own, own, "written in part"},
		{"at the last byte", 49_999, own, own, "written but for one"},
		{"a closed pipe", 20_000, io.ErrClosedPipe, io.ErrClosedPipe, "nobody reads on"},
		{"an error that looks like the service's", 100, yotiface.ErrUnavailable, yotiface.ErrUnavailable, "not the service's, so not tried again"},
		{"an error that looks like a wrong route", 100, yotiface.ErrNotFound, yotiface.ErrNotFound, "the writer's, so the other route is not asked"},
		{"an error that looks like a wrong route at once", 0, &yotiface.APIError{StatusCode: 404}, &yotiface.APIError{StatusCode: 404}, "as above"},
		{"an error that looks like the end", 100, io.EOF, io.EOF, "the writer's end, not the body's"},
		{"an error that looks like a broken body", 100, io.ErrUnexpectedEOF, io.ErrUnexpectedEOF, "the writer's, so not tried again"},
		{"an error that looks like a timeout", 100, context.DeadlineExceeded, context.DeadlineExceeded, "the writer's, so not tried again"},
		{"an error that looks like no image", 100, yotiface.ErrNotAnImage, yotiface.ErrNotAnImage, "the writer's, as it is"},
		{"a short write without an error", 20_000, nil, io.ErrShortWrite, "a writer must say why"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			client, tries := readServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(readFaceJSON(image)) })
			w := &readWriter{takes: test.takes, err: test.err}
			info, err := client.DownloadFace(t.Context(), readApplicantID, readFaceID, w)
			assert.Equal(t, test.want, err, "as it is, not wrapped: %s", test.because)
			assert.Equal(t, yotiface.MediaInfo{Size: int64(test.takes)}, info, "what was written")
			assert.True(t, bytes.Equal(image[:test.takes], w.Bytes()), "in order, and once")
			assert.EqualValues(t, 1, tries.Load(), "not tried again")
			assert.True(t, w.full)
			assert.Zero(t, w.more, "not called again after an error")
		})
	}
	t.Run("beside a broken body", func(t *testing.T) {
		t.Parallel()
		tries := new(readCount)
		client := readClient(t, readTrip(func(req *http.Request) (*http.Response, error) {
			tries.Add(1)
			body := &readBreaking{Reader: bytes.NewReader(readFaceJSON(readJPEG(600)))}
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(body), ContentLength: -1, Request: req}, nil
		}))
		w := &readWriter{err: own}
		info, err := client.DownloadFace(t.Context(), readApplicantID, readFaceID, w)
		assert.Equal(t, own, err, "the body broke with the bytes that the writer refused")
		assert.Zero(t, info)
		assert.EqualValues(t, 1, tries.Load(), "not tried again")
	})
	t.Run("no writer", func(t *testing.T) {
		t.Parallel()
		service := &readService{answer: readKnown("/applicant/")}
		_, err := readClient(t, service).DownloadFace(t.Context(), readApplicantID, readFaceID, nil)
		require.ErrorIs(t, err, yotiface.ErrInvalidArgument)
		assert.Empty(t, service.take(), "nothing is sent")
	})
}

// Whoever ends the call while a face arrives gets the context's error, promptly.
func TestFaceIsCanceledInItsBody(t *testing.T) {
	t.Parallel()
	for _, way := range readFaceWays {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			client, tries := readServer(t, func(w http.ResponseWriter, r *http.Request) {
				body := readFaceJSON(readJPEG(100_000))
				w.Header().Set("Content-Length", fmt.Sprint(len(body)))
				_, _ = w.Write(body[:50_000])
				w.(http.Flusher).Flush()
				cancel()
				<-r.Context().Done()
			})
			_, _, err := way.get(ctx, client)
			require.ErrorIs(t, err, context.Canceled)
			assert.EqualValues(t, 1, tries.Load())
		})
	}
}

// A face comes whole, in whatever pieces.
func TestFaceInPieces(t *testing.T) {
	t.Parallel()
	image := readJPEG(20_000)
	body := `{"id":"x","face":{"content_type":"image/jpeg","data":"` +
		strings.ReplaceAll(base64.StdEncoding.EncodeToString(image), "/", `\u002F`) + `","more":[1,2]}}`
	for name, pieces := range map[string]func(io.Reader) io.Reader{
		"one byte at a time": iotest.OneByteReader,
		"halves":             iotest.HalfReader,
		"the end with data":  iotest.DataErrReader,
	} {
		for _, way := range readFaceWays {
			t.Run(name+", "+way.name, func(t *testing.T) {
				t.Parallel()
				client := readClient(t, readTrip(func(req *http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(pieces(strings.NewReader(body))), ContentLength: -1, Request: req}, nil
				}))
				contentType, got, err := way.get(t.Context(), client)
				require.NoError(t, err)
				assert.Equal(t, "image/jpeg", contentType)
				assert.True(t, bytes.Equal(image, got))
			})
		}
	}
}

// readSearch is a search that found applicants, in order.
func readSearch(applicantIDs ...string) *yotiface.FamiliarFaceSearch {
	search := new(yotiface.FamiliarFaceSearch)
	for _, id := range applicantIDs {
		search.Report.Breakdown = append(search.Report.Breakdown, yotiface.SubCheck{
			Name: "face_found_in_pool", Result: yotiface.ResultPass,
			Details: []yotiface.Detail{{Name: "matching_pool", Value: "pool-of-" + id}, {Name: "matching_applicant", Value: id}},
		})
	}
	return search
}

// readGallery answers for applicants by their names: the face of "anna" is "face-of-anna", and whoever begins with "faceless"
// has none.
func readGallery(path string) (status int, body string) {
	_, rest, _ := strings.Cut(path[1:], "/")
	id, faceID, face := strings.Cut(rest, "/faces/")
	switch {
	case face && faceID == "face-of-"+id:
		return http.StatusOK, string(readFaceJSON([]byte("\xff\xd8\xff" + id)))
	case face:
		return http.StatusNotFound, `{}`
	case strings.HasPrefix(id, "faceless"):
		return http.StatusOK, `{"id":"` + id + `","faces":{"faces":[]},"pools":[]}`
	case strings.HasPrefix(id, "forbidden"):
		return http.StatusForbidden, `{}`
	}
	return http.StatusOK, `{"id":"` + id + `","faces":{"archetype_face":"face-of-` + id + `","faces":["another"]}}`
}

func TestMatchedFaces(t *testing.T) {
	t.Parallel()
	matched := func(id string) yotiface.MatchedFace {
		return yotiface.MatchedFace{
			Match: yotiface.Match{ApplicantID: id, PoolID: "pool-of-" + id},
			Applicant: &yotiface.Applicant{
				ID: id, Faces: yotiface.ApplicantFaces{ArchetypeFaceID: "face-of-" + id, Faces: []yotiface.FaceRef{{ID: "another"}}},
			},
			Face: &yotiface.Face{ContentType: "image/jpeg", Data: []byte("\xff\xd8\xff" + id)},
		}
	}
	faceless := yotiface.MatchedFace{
		Match:     yotiface.Match{ApplicantID: "faceless", PoolID: "pool-of-faceless"},
		Applicant: &yotiface.Applicant{ID: "faceless", Faces: yotiface.ApplicantFaces{Faces: []yotiface.FaceRef{}}, Pools: []yotiface.Pool{}},
	}
	for _, test := range []struct {
		name    string
		search  *yotiface.FamiliarFaceSearch
		want    []yotiface.MatchedFace
		because string
	}{
		{"no search", nil, []yotiface.MatchedFace{}, "empty, not nil"},
		{"none", readSearch(), []yotiface.MatchedFace{}, "empty, not nil"},
		{"one", readSearch("anna"), []yotiface.MatchedFace{matched("anna")}, "the archetype face"},
		{"several", readSearch("dora", "anna", "carl", "bert", "emil", "anna"), []yotiface.MatchedFace{matched("dora"), matched("anna"), matched("carl"), matched("bert"), matched("emil")}, "in the order reported, without repeats"},
		{"one without a face", readSearch("faceless"), []yotiface.MatchedFace{faceless}, "found, but nothing to show"},
		{"one without a face among others", readSearch("anna", "faceless", "bert"), []yotiface.MatchedFace{matched("anna"), faceless, matched("bert")}, "the others are shown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			client := readClient(t, &readService{answer: readGallery})
			got, err := client.MatchedFaces(t.Context(), test.search)
			require.NoError(t, err)
			assert.Equal(t, test.want, got, test.because)
		})
	}
}

// All of them or the first error.
func TestMatchedFacesOfFailures(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		ids     []string
		answer  func(string) (int, string)
		err     error
		because string
	}{
		{"an applicant is forbidden", []string{"anna", "forbidden", "bert"}, readGallery, yotiface.ErrForbidden, ""},
		{"an applicant is gone", []string{"anna"}, readKnown("/nowhere/"), yotiface.ErrNotFound, "deleted since the search"},
		{"a face is gone", []string{"anna"}, func(path string) (int, string) {
			if strings.Contains(path, "/faces/") {
				return http.StatusNotFound, `{}`
			}
			return readGallery(path)
		}, yotiface.ErrNotFound, "deleted since the applicant was read"},
		{"a face is none", []string{"anna"}, func(path string) (int, string) {
			if strings.Contains(path, "/faces/") {
				return http.StatusOK, `{"face":{"data":"base64 string"}}`
			}
			return readGallery(path)
		}, yotiface.ErrNotAnImage, ""},
		{"a face's ID is hostile", []string{"anna"}, func(string) (int, string) {
			return http.StatusOK, `{"id":"anna","faces":{"archetype_face":"../../sessions/x"}}`
		}, yotiface.ErrInvalidArgument, "IDs that came from an answer pass the same check"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			service := &readService{answer: test.answer}
			got, err := readClient(t, service).MatchedFaces(t.Context(), readSearch(test.ids...))
			require.ErrorIs(t, err, test.err, test.because)
			assert.Nil(t, got, "never a half of them")
			for _, path := range service.take() {
				assert.NotContains(t, path, "..")
			}
		})
	}
	t.Run("another applicant is answered", func(t *testing.T) {
		t.Parallel()
		got, err := readClient(t, readAnswer(`{"id":"bert"}`)).MatchedFaces(t.Context(), readSearch("anna"))
		var decodeErr *yotiface.DecodeError
		require.ErrorAs(t, err, &decodeErr, "the wrong person's face is the worst answer")
		assert.Nil(t, got)
	})
	t.Run("the context is done", func(t *testing.T) {
		t.Parallel()
		service := &readService{answer: readGallery}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		got, err := readClient(t, service).MatchedFaces(ctx, readSearch("anna", "bert"))
		require.ErrorIs(t, err, context.Canceled)
		assert.Nil(t, got)
		assert.Empty(t, service.take(), "nothing is sent")
	})
	t.Run("there is no context", func(t *testing.T) {
		t.Parallel()
		got, err := readClient(t, &readService{answer: readGallery}).MatchedFaces(nil, readSearch("anna")) //nolint:staticcheck // SA1012: what happens then
		require.ErrorIs(t, err, yotiface.ErrInvalidArgument)
		assert.Nil(t, got)
	})
}

// readMany are the names of n applicants.
func readMany(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprint("applicant-", i)
	}
	return ids
}

// The first error stops the rest: no request is made for it, none is waited for, and no goroutine stays.
func TestMatchedFacesStopAtTheFirstError(t *testing.T) { //nolint:paralleltest // it counts the goroutines of the process
	before := goleak.IgnoreCurrent()
	requests := new(readCount)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if strings.HasSuffix(r.URL.Path, "/applicant-5") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/applicant-6") || strings.HasSuffix(r.URL.Path, "/applicant-7") {
			<-r.Context().Done() // never answers: only the end of the others ends it
			return
		}
		status, body := readGallery(strings.TrimPrefix(r.URL.Path, "/idverify/v1"))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	client := readNewClient(t, yotiface.WithBaseURL(server.URL+"/idverify/v1"))
	got, err := client.MatchedFaces(t.Context(), readSearch(readMany(300)...))
	require.ErrorIs(t, err, yotiface.ErrForbidden, "the first error, not the cancellation that followed from it")
	assert.Nil(t, got)
	assert.Less(t, requests.Load(), int64(40), "of 600")
	client.CloseIdleConnections()
	server.Close()
	goleak.VerifyNone(t, before)
}

// The caller's cancellation ends all of them, and leaves nothing behind.
func TestMatchedFacesAreCanceled(t *testing.T) { //nolint:paralleltest // it counts the goroutines of the process
	before := goleak.IgnoreCurrent()
	ctx, cancel := context.WithCancel(t.Context())
	requests := new(readCount)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 2 {
			cancel()
		}
		<-r.Context().Done()
	}))
	client := readNewClient(t, yotiface.WithBaseURL(server.URL+"/idverify/v1"))
	got, err := client.MatchedFaces(ctx, readSearch(readMany(300)...))
	require.ErrorIs(t, err, context.Canceled)
	assert.Nil(t, got)
	assert.Less(t, requests.Load(), int64(20))
	client.CloseIdleConnections()
	server.Close()
	goleak.VerifyNone(t, before)
}

// What is no image is not sent, and what could not be sent is not either.
func TestFacesThatAreNotSent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		source  yotiface.FaceSource
		err     error
		because string
	}{
		{"no source", yotiface.FaceSource{}, yotiface.ErrInvalidArgument, "nothing to send"},
		{"a nil image", yotiface.FaceFromImage(nil), yotiface.ErrInvalidArgument, "nothing to send"},
		{"an empty image", yotiface.FaceFromImage([]byte{}), yotiface.ErrInvalidArgument, "nothing to send"},
		{"text", yotiface.FaceFromImage([]byte("face.jpg")), yotiface.ErrNotAnImage, "a path in place of the contents"},
		{"base64", yotiface.FaceFromImage([]byte("/9j/4AAQ")), yotiface.ErrNotAnImage, "encoded already"},
		{"a PDF", yotiface.FaceFromImage([]byte("%PDF-1.7\n")), yotiface.ErrNotAnImage, "a scan of a document"},
		{"HTML", yotiface.FaceFromImage([]byte("<html>")), yotiface.ErrNotAnImage, "an error page in place of an image"},
		{"no session", yotiface.FaceFromSession("", readFaceID), yotiface.ErrInvalidArgument, "half a source"},
		{"no media", yotiface.FaceFromSession(readSessionID, ""), yotiface.ErrInvalidArgument, "half a source"},
		{"a hostile session", yotiface.FaceFromSession(`x","media_id":"y`, readFaceID), yotiface.ErrInvalidArgument, "no ID"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			service := &readService{answer: func(string) (int, string) { return http.StatusOK, `{"id":"x"}` }}
			id, err := readClient(t, service).AddFace(t.Context(), readApplicantID, test.source)
			require.ErrorIs(t, err, test.err, test.because)
			assert.Empty(t, id)
			assert.Empty(t, service.take(), "nothing is sent")
		})
	}
	for name, image := range map[string][]byte{"nil": nil, "text": []byte("face.jpg"), "a PDF": []byte("%PDF-1.7\n")} {
		t.Run("created with "+name, func(t *testing.T) {
			t.Parallel()
			service := &readService{answer: func(string) (int, string) { return http.StatusOK, `{"id":"x"}` }}
			applicant, err := readClient(t, service).CreateApplicantWithFace(t.Context(), image)
			require.Error(t, err)
			assert.True(t, errors.Is(err, yotiface.ErrNotAnImage) || errors.Is(err, yotiface.ErrInvalidArgument), "%v", err)
			assert.Nil(t, applicant)
			assert.Empty(t, service.take(), "nothing is sent")
		})
	}
}
