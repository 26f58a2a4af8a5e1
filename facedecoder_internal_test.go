package yotiface

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// faceBody is a body without a limit that matters, whose failures are the reader's own.
func faceBody(r io.Reader) *bodyReader {
	return &bodyReader{from: r, limit: 1 << 40, fail: func(err error) error { return err }}
}

// faceImage is an image of n bytes as far as its first bytes tell.
func faceImage(n int) []byte {
	image := make([]byte, n)
	random := rand.New(rand.NewPCG(2, uint64(n)))
	for i := range image {
		image[i] = byte(random.Uint32())
	}
	copy(image, "\xff\xd8\xff")
	return image
}

// However the body comes in, and wherever a block ends, the image comes out.
func TestDecodeFaceInPieces(t *testing.T) {
	t.Parallel()
	readers := map[string]func(io.Reader) io.Reader{
		"as it is":           func(r io.Reader) io.Reader { return r },
		"one byte at a time": iotest.OneByteReader,
		"halves":             iotest.HalfReader,
		"the end with data":  iotest.DataErrReader,
		"now and then empty": func(r io.Reader) io.Reader { return &hesitantReader{from: r} },
	}
	writings := map[string]func(string) string{
		"plain":       func(s string) string { return s },
		"slashes":     func(s string) string { return strings.ReplaceAll(s, "/", `\/`) },
		"by number":   func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "/", `\u002f`), "+", `\u002B`) },
		"line breaks": func(s string) string { return strings.ReplaceAll(s, "A", `A\r\n`) },
	}
	for readerName, reader := range readers {
		for writingName, writing := range writings {
			t.Run(readerName+", "+writingName, func(t *testing.T) {
				t.Parallel()
				for _, size := range []int{3, 4, 5, 511, 512, 513, 3071, 3072, 3073, 12287, 12288, 12289, blockBytes - 1, blockBytes, blockBytes + 1, 2*blockBytes - 1, 2 * blockBytes, 2*blockBytes + 1, 2*blockBytes + 2} {
					image := faceImage(size)
					body := `{"face":{"data":"` + writing(base64.StdEncoding.EncodeToString(image)) + `","content_type":"image/jpeg"}}`
					var got bytes.Buffer
					_, contentType, err := decodeFace(faceBody(reader(strings.NewReader(body))), nil, &got)
					require.NoError(t, err, size)
					assert.Equal(t, "image/jpeg", contentType, size)
					assert.True(t, bytes.Equal(image, got.Bytes()), "%d bytes, not %d", got.Len(), size)

					kept, _, err := decodeFace(faceBody(reader(strings.NewReader(body))), nil, nil)
					require.NoError(t, err, size)
					assert.True(t, bytes.Equal(image, kept), "%d bytes kept, not %d", len(kept), size)
				}
			})
		}
	}
}

// What a face is, and that it is none, does not depend on where the pieces end.
func TestDecodeFaceWhereverItIsCut(t *testing.T) {
	t.Parallel()
	png := append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 2000)...)
	for _, test := range []struct{ name, data, contentType string }{
		{"a PNG, which is known by its first eight bytes", base64.StdEncoding.EncodeToString(png), "image/png"},
		{"a WebP, which is known by its first fourteen", base64.StdEncoding.EncodeToString([]byte("RIFF____WEBPVP8 ____")), "image/webp"},
		{"padding, and more", "/9j/AA==AAAA", ""},
		{"padding, and padding", "/9j/AA====", ""},
		{"padding of one, and more", "/9j/AAA=AAA=", ""},
		{"three characters", "/9j/AAA", ""},
		{"text", base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("text "), 300)), ""},
	} {
		for _, reader := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.HalfReader} {
			var written bytes.Buffer
			_, contentType, err := decodeFace(faceBody(reader(strings.NewReader(`{"face":{"data":"`+test.data+`"}}`))), nil, &written)
			if test.contentType != "" {
				require.NoError(t, err, test.name)
				assert.Equal(t, test.contentType, contentType, test.name)
				continue
			}
			require.ErrorIs(t, err, ErrNotAnImage, test.name)
		}
	}
}

// A hesitantReader gives nothing at every other call, as an io.Reader may.
type hesitantReader struct {
	from  io.Reader
	calls int
}

func (r *hesitantReader) Read(p []byte) (int, error) {
	if r.calls++; r.calls%2 == 1 {
		return 0, nil
	}
	return r.from.Read(p)
}

// At whichever byte the body ends or breaks, the face is refused, and for that reason.
func TestDecodeFaceOfEveryPrefix(t *testing.T) {
	t.Parallel()
	body := `{"a":[{"data":"x"}],"face":{"content_type":"image\/jpeg","data":"\/9j\u002f4AA\nQ","more":null}}`
	broken := errors.New("broken")
	for cut := range len(body) {
		for _, reader := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.DataErrReader} {
			_, _, err := decodeFace(faceBody(reader(strings.NewReader(body[:cut]))), nil, io.Discard)
			var decodeErr *DecodeError
			require.ErrorAs(t, err, &decodeErr, "cut off after %q", body[:cut])
			assert.Empty(t, decodeErr.Body)

			_, _, err = decodeFace(faceBody(reader(io.MultiReader(strings.NewReader(body[:cut]), iotest.ErrReader(broken)))), nil, io.Discard)
			require.Equal(t, broken, err, "broken after %q", body[:cut])
		}
	}
	_, _, err := decodeFace(faceBody(io.MultiReader(strings.NewReader(body), iotest.ErrReader(broken))), nil, io.Discard)
	require.Equal(t, broken, err, "all was there, but not the end")
	_, _, err = decodeFace(faceBody(strings.NewReader(body)), nil, io.Discard)
	require.NoError(t, err)
}

// A body that times out says so.
func TestDecodeFaceTimesOut(t *testing.T) {
	t.Parallel()
	body := `{"face":{"data":"` + base64.StdEncoding.EncodeToString(faceImage(100_000)) + `"}}`
	_, _, err := decodeFace(faceBody(iotest.TimeoutReader(strings.NewReader(body))), nil, io.Discard)
	require.ErrorIs(t, err, iotest.ErrTimeout)
}

// The JSON decoder sees all of the document but the image, whatever the size of its buffer.
func TestFaceReaderPassesOnAllButTheImage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, body, want, image string }{
		{"an image", `{"face":{"data":"/9j/4AAQ","content_type":"image/jpeg"}}`, `{"face":{"data":"","content_type":"image/jpeg"}}`, "\xff\xd8\xff\xe0\x00\x10"},
		{"white space", " {\n\"face\" : {\t\"data\" : \"/9j/\" } } ", " {\n\"face\" : {\t\"data\" : \"\" } } ", "\xff\xd8\xff"},
		{"no image", `{"faces":{"data":"/9j/"},"x":["face",{"data":"/9j/"}]}`, `{"faces":{"data":"/9j/"},"x":["face",{"data":"/9j/"}]}`, ""},
		{"quotes in names", `{"a\"":1,"\\":2,"face":{"\\\"":3,"data":"/9j/"}}`, `{"a\"":1,"\\":2,"face":{"\\\"":3,"data":""}}`, "\xff\xd8\xff"},
		{"quotes in strings", `{"a":"\"","b":"\\","face":{"c":"\\\"","data":"/9j/"}}`, `{"a":"\"","b":"\\","face":{"c":"\\\"","data":""}}`, "\xff\xd8\xff"},
		{"a second one", `{"face":{"data":"/9j/","data":"AAAA"}}`, `{"face":{"data":"","data":"AAAA"}}`, "\xff\xd8\xff"},
		{"no JSON", `}]"{x`, `}]"{x`, ""},
	} {
		for _, buffer := range []int{1, 2, 3, 7, 64, 1 << 20} {
			t.Run(fmt.Sprintf("%s, %d bytes", test.name, buffer), func(t *testing.T) {
				t.Parallel()
				var image, got bytes.Buffer
				r := &faceReader{from: strings.NewReader(test.body), to: &image}
				_, err := io.CopyBuffer(struct{ io.Writer }{&got}, r, make([]byte, buffer))
				require.NoError(t, err)
				assert.Equal(t, test.want, got.String())
				assert.Equal(t, test.image, image.String())
			})
		}
	}
}

// What a writer said once is not asked for again, however often the reader is read.
func TestFaceReaderKeepsItsError(t *testing.T) {
	t.Parallel()
	full := errors.New("full")
	calls := 0
	r := &faceReader{
		from: strings.NewReader(`{"face":{"data":"` + base64.StdEncoding.EncodeToString(faceImage(100_000)) + `"}}`),
		to: writerFunc(func([]byte) (int, error) {
			calls++
			return 0, full
		}),
	}
	_, err := io.ReadAll(r)
	require.ErrorIs(t, err, full)
	for range 3 {
		n, err := r.Read(make([]byte, 10))
		assert.Zero(t, n)
		require.ErrorIs(t, err, full)
	}
	assert.Equal(t, 1, calls)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A hostile answer does not cost an allocation a byte: what is wrong is told after one block, at the latest.
func TestDecodeFaceOfAHostileAnswer(t *testing.T) { //nolint:paralleltest // testing.AllocsPerRun counts for the process
	for name, data := range map[string]string{
		"escapes that are no base64": strings.Repeat(`\t`, 500_000),
		"escapes by number":          strings.Repeat(`\u002f`, 200_000),
		"line breaks":                strings.Repeat(`\n`, 500_000),
		"padding":                    strings.Repeat("=", 1_000_000),
		"broken escapes":             strings.Repeat(`\u00zz`, 200_000),
		"quotes":                     strings.Repeat(`\"`, 500_000),
	} {
		body := `{"face":{"data":"` + data + `"}}`
		allocs := testing.AllocsPerRun(3, func() {
			if _, _, err := decodeFace(faceBody(strings.NewReader(body)), nil, io.Discard); err == nil {
				t.Fatal(name)
			}
		})
		assert.Less(t, allocs, 3.0*blockText, name)
	}
}

// A body that goes on writing into the buffer it was given, when its call has long ended, does not reach another face. Some
// wrappers that watch a context do that.
func TestFaceIsNotMixedWithThatOfACallThatEnded(t *testing.T) {
	t.Parallel()
	var late []byte // the buffer of the first call
	first := readerFunc(func(p []byte) (int, error) {
		late = p
		return 0, errors.New("the context ended")
	})
	_, _, err := decodeFace(faceBody(first), nil, nil)
	require.Error(t, err)

	image := faceImage(100_000)
	body := strings.NewReader(`{"face":{"data":"` + base64.StdEncoding.EncodeToString(image) + `"}}`)
	second := readerFunc(func(p []byte) (int, error) {
		n, err := body.Read(p)
		for i := range late {
			late[i] = 'A'
		}
		return n, err
	})
	got, _, err := decodeFace(faceBody(second), nil, nil)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(image, got))
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A writer that keeps what it is given, which it should not, keeps it of its own face and not of the next.
func TestWriterThatKeepsABlockSeesNoOtherFace(t *testing.T) {
	t.Parallel()
	var kept []byte
	keeper := writerFunc(func(p []byte) (int, error) {
		kept = p
		return len(p), nil
	})
	download := func(image []byte, to io.Writer) {
		body := strings.NewReader(`{"face":{"data":"` + base64.StdEncoding.EncodeToString(image) + `"}}`)
		_, _, err := decodeFace(faceBody(body), make([]byte, 0, blockBytes), to)
		require.NoError(t, err)
	}
	download(faceImage(1000), keeper)
	before := bytes.Clone(kept)
	download(bytes.Repeat([]byte("\xff\xd8\xff"), 1000), io.Discard)
	assert.True(t, bytes.Equal(before, kept))
}

// A body's end and a body's failure stay what they are, however often they are asked for.
func TestBodyReaderKeepsItsError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	fails := 0
	b := &bodyReader{from: io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)), limit: 10, fail: func(err error) error {
		fails++
		return fmt.Errorf("told: %w", err)
	}}
	read, err := io.ReadAll(b)
	assert.Equal(t, "abc", string(read))
	require.ErrorIs(t, err, broken)
	_, again := b.Read(make([]byte, 1))
	assert.Equal(t, err, again)
	assert.Equal(t, err, b.failed())
	assert.Equal(t, 1, fails)

	b = faceBody(strings.NewReader("abc"))
	_, err = io.ReadAll(b)
	require.NoError(t, err)
	_, err = b.Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err)
	require.NoError(t, b.failed())

	wrapped := fmt.Errorf("the proxy: %w", io.EOF)
	b = faceBody(iotest.ErrReader(wrapped))
	_, err = io.ReadAll(b)
	assert.Equal(t, wrapped, err, "a wrapped end is a failure")
	assert.Equal(t, wrapped, b.failed())
}
