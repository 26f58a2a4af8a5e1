package yotiface

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	mathrand "math/rand/v2"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
)

// The streaming decoder against the plain way: the whole answer through json/v2, its text without line breaks through
// encoding/base64, its bytes through http.DetectContentType. Whatever one accepts, so does the other, with the same bytes;
// into memory and into a writer alike; in whatever pieces the answer comes.
//
// The mutator seldom finds texts as long as a block, so "####" in an answer stands for long of them.
func FuzzFace(f *testing.F) {
	recorded, err := os.ReadFile(filepath.Join("testdata", "face.json"))
	require.NoError(f, err)
	f.Add(recorded, uint16(0), uint64(0))
	for i, body := range []string{
		`{"face":{"data":"/9j/4AAQ","content_type":"image/jpeg"}}`,
		`{"face":{"data":"/9j/####","content_type":"image/jpeg"}}`,
		`{"face":{"content_type":"image/png","data":"\/9j\u002f####4A=="}}`,
		`{"face":{"data":"/9j/\r\n####\n4A=\n="}}`,
		`{"fac\u0065":{"d\u0061ta":"/9j/####"},"more":[{"data":"x"},"face"]}`,
		`{"data":"x","face":{"a":{"data":"y"},"data":"Qk0=","b":"}{\"\\"}}`,
		`{"face":{"data":"/9j/","data":"/9j/"}}`,
		`{"face":{"data":null,"content_type":null}}`,
		`{"face":{"data":"/9j/4B=="}}`,
		"{\"face\":{\"data\":\"/9j/\n4AAQ\"}}",
		`{"face":{"data":"####"}} x`,
		`{"face":{"data":"/9j/\u00`,
		`{"x":"####","face":{"data":"/9j/\/"}}`,
		`null`, ``, `[]`, `{"face":[]}`,
	} {
		f.Add([]byte(body), uint16(1+4096*i), uint64(i))
	}
	f.Fuzz(func(t *testing.T, body []byte, long uint16, pieces uint64) {
		body = bytes.Replace(body, []byte("####"), bytes.Repeat([]byte("/9j+"), int(long)), 1)
		wantType, wantImage, accepted := plainFace(body)

		room := make([]byte, 0, pieces%uint64(len(body)+1)) // enough for the image or not
		inMemory, gotType, err := decodeFace(faceBody(&piecesReader{rest: body, random: mathrand.New(mathrand.NewPCG(pieces, 1))}), room, nil)
		compareFace(t, "into memory", accepted, err, wantType, gotType, wantImage, inMemory)

		var written bytes.Buffer
		out := &sink{w: &written}
		_, gotType, err = decodeFace(faceBody(&piecesReader{rest: body, random: mathrand.New(mathrand.NewPCG(pieces, 2))}), nil, out)
		compareFace(t, "into a writer", accepted, out.final(err), wantType, gotType, wantImage, written.Bytes())
		if out.written != int64(written.Len()) {
			t.Fatalf("%d bytes written, %d counted", written.Len(), out.written)
		}
	})
}

// plainFace is the oracle.
func plainFace(body []byte) (contentType string, image []byte, ok bool) {
	var document struct {
		Face struct {
			Data        string `json:"data"`
			ContentType string `json:"content_type"`
		} `json:"face"`
	}
	if json.Unmarshal(body, &document) != nil || jsontext.Value(body).Kind() == 'n' {
		return "", nil, false
	}
	text := strings.ReplaceAll(strings.ReplaceAll(document.Face.Data, "\n", ""), "\r", "")
	image, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(image) == 0 {
		return "", nil, false
	}
	contentType = http.DetectContentType(image)
	if !strings.HasPrefix(contentType, "image/") {
		return "", nil, false
	}
	if declared := document.Face.ContentType; declared != "" {
		mediaType, _, err := mime.ParseMediaType(declared)
		if err != nil || !strings.HasPrefix(mediaType, "image/") {
			return "", nil, false
		}
		contentType = declared
	}
	return contentType, image, true
}

func compareFace(t *testing.T, way string, accepted bool, err error, wantType, gotType string, want, got []byte) {
	t.Helper()
	if (err == nil) != accepted {
		t.Fatalf("%s: the plain way accepts it: %t; here: %v", way, accepted, err)
	}
	if err == nil {
		if wantType != gotType || !bytes.Equal(want, got) {
			t.Fatalf("%s: %q and %d bytes, not %q and %d", way, gotType, len(got), wantType, len(want))
		}
		return
	}
	decodeErr, broken := errors.AsType[*DecodeError](err)
	if broken && decodeErr.Body != nil {
		t.Fatalf("%s: an error with a face in it", way)
	}
	if !broken && !errors.Is(err, ErrNotAnImage) || gotType != "" {
		t.Fatalf("%s: %q, %v", way, gotType, err)
	}
}

// A piecesReader gives what it has in pieces of random sizes, now and then none, and sometimes the end with the last one.
type piecesReader struct {
	rest   []byte
	random *mathrand.Rand
}

func (r *piecesReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	most := []int{0, 1, 1, 2, 7, 100, 5000, 1 << 20}[r.random.IntN(8)]
	n := copy(p[:min(most, len(p))], r.rest)
	r.rest = r.rest[n:]
	if len(r.rest) == 0 && r.random.IntN(2) == 0 {
		return n, io.EOF
	}
	return n, nil
}

// An applicant is read or refused, never half read, and strictly.
func FuzzDecodeApplicant(f *testing.F) {
	recorded, err := os.ReadFile(filepath.Join("testdata", "applicant.json"))
	require.NoError(f, err)
	f.Add(recorded)
	for _, body := range []string{
		``, `null`, `{}`, `{"id":"a","ID":"b"}`, `{"id":"a","id":"b"}`, `{"id":"a","faces":{"archetype_face":"x","faces":["y",{"id":"x"},null]}}`,
		`{"id":"a","created_at":"yesterday"}`, `{"id":"a","created_at":1}`, `{"id":"\ud800"}`, `{"id":"a"}{}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		applicant, decodeErr := decode[Applicant](body)
		if (applicant == nil) == (decodeErr == nil) {
			t.Fatal("either an applicant or an error")
		}
		var strict struct {
			ID    string `json:"id"`
			Faces struct {
				ArchetypeFaceID string           `json:"archetype_face"`
				Faces           []jsontext.Value `json:"faces"`
			} `json:"faces"`
			Pools []struct {
				ID    string `json:"id"`
				Label string `json:"label"`
			} `json:"pools"`
			Created     *string `json:"created_at"`
			LastUpdated *string `json:"last_updated"`
		}
		accepted := json.Unmarshal(body, &strict) == nil && jsontext.Value(body).Kind() == '{'
		for _, ref := range strict.Faces.Faces {
			var object struct {
				ID string `json:"id"`
			}
			accepted = accepted && (ref.Kind() == '"' || json.Unmarshal(ref, &object) == nil)
		}
		if accepted != (decodeErr == nil) {
			t.Fatalf("the plain way accepts it: %t; here: %v", accepted, decodeErr)
		}
		if decodeErr != nil {
			oneLine(t, decodeErr.Error())
			return
		}
		if applicant.ID != strict.ID || applicant.Faces.ArchetypeFaceID != strict.Faces.ArchetypeFaceID || len(applicant.Faces.Faces) != len(strict.Faces.Faces) || len(applicant.Pools) != len(strict.Pools) {
			t.Fatalf("another applicant: %+v", applicant)
		}
	})
}

// Whatever is given for a key: no panic, no key that is too short, and no error that says more than it says of anything
// else, least of all what was given.
func FuzzParseKey(f *testing.F) {
	seeds := keySeeds(f)
	said := map[string]bool{}
	for _, seed := range seeds {
		f.Add(seed)
		if _, err := parseKey(seed); err != nil {
			said[digits.ReplaceAllString(err.Error(), "N")] = true
		}
	}
	f.Fuzz(func(t *testing.T, given []byte) {
		before := bytes.Clone(given)
		key, err := parseKey(given)
		if !bytes.Equal(before, given) {
			t.Fatal("the caller's key was changed")
		}
		if (key == nil) == (err == nil) {
			t.Fatal("either a key or an error")
		}
		if err == nil {
			if key.N.BitLen() < minKeyBits {
				t.Fatalf("a key of %d bits", key.N.BitLen())
			}
			return
		}
		if !errors.Is(err, ErrInvalidArgument) {
			t.Fatalf("not an ErrInvalidArgument: %v", err)
		}
		if text := digits.ReplaceAllString(err.Error(), "N"); !said[text] {
			t.Fatalf("a text that is not one of the %d known ones; does it repeat what was given? %q", len(said), err)
		}
	})
}

var digits = regexp.MustCompile(`\d+`)

// keySeeds are keys, and what people take for one. Together they make parseKey say all that it can say.
func keySeeds(f *testing.F) (seeds [][]byte) {
	f.Helper()
	block := func(name string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: name, Bytes: der}) }
	pkcs8 := func(key any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		require.NoError(f, err)
		return der
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(f, err)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(f, err)
	ecDER, err := x509.MarshalECPrivateKey(ec)
	require.NoError(f, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(f, err)
	pkcs1 := x509.MarshalPKCS1PrivateKey(key)
	good := block("RSA PRIVATE KEY", pkcs1)
	damaged := bytes.Clone(pkcs1)
	damaged[len(damaged)/2] ^= 1
	short := x509.MarshalPKCS1PrivateKey(&rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: big.NewInt(3233), E: 17}, D: big.NewInt(413), Primes: []*big.Int{big.NewInt(61), big.NewInt(53)},
	})
	pss := bytes.Replace(pkcs8(key), []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"), []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), 1)
	unknown := bytes.Replace(pkcs8(key), []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"), []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x7f"), 1)
	encrypted := pem.EncodeToMemory(&pem.Block{
		Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"}, Bytes: []byte("x"),
	})
	return append(seeds,
		good, block("PRIVATE KEY", pkcs8(key)),
		bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")), bytes.ReplaceAll(good, []byte("\n"), []byte(`\n`)), bytes.ReplaceAll(good, []byte("\n"), []byte("\n\t")),
		append([]byte("\xef\xbb\xbf"), good...), append([]byte("Bag Attributes\n"), good...), append(block("CERTIFICATE", []byte("x")), good...),
		nil, []byte(" \n"), pkcs1, []byte("/etc/yoti/key.pem"), []byte("key.pem"), []byte("swordfish"), []byte(strings.Repeat("swordfish\n", 200)),
		bytes.ReplaceAll(good, []byte("\n"), []byte(" ")), good[:len(good)/2],
		block("PUBLIC KEY", x509.MarshalPKCS1PublicKey(&key.PublicKey)), block("RSA PUBLIC KEY", []byte("x")), block("CERTIFICATE", []byte("x")), block("CERTIFICATE REQUEST", []byte("x")),
		block("DH PARAMETERS", []byte("x")), block("EC PRIVATE KEY", ecDER), block("OPENSSH PRIVATE KEY", []byte("x")), block("ENCRYPTED PRIVATE KEY", []byte("x")), encrypted,
		block("PRIVATE KEY", pkcs8(ec)), block("PRIVATE KEY", pkcs8(ed)), block("PRIVATE KEY", pss), block("PRIVATE KEY", unknown),
		block("RSA PRIVATE KEY", damaged), block("RSA PRIVATE KEY", []byte("x")), block("RSA PRIVATE KEY", short), block("PRIVATE KEY", []byte("x")),
	)
}

// Whatever a service or a proxy writes there, the wait is not negative, not longer than asked for, and not an overflow.
func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{
		"", "0", "5", " 5 ", "05", "+5", "-5", "5.0", "5s", "1e3", "3600", "9223372036", "9223372037", "99999999999999999999", "99999999999999999999 seconds", "Wed, 04 Jun 2025 08:51:05 GMT",
		"Wednesday, 04-Jun-25 08:51:05 GMT", "Wed Jun  4 08:51:05 2025", "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "soon", "٥",
	} {
		f.Add(value, int64(1_749_027_000))
	}
	f.Add("Fri, 31 Dec 9999 23:59:59 GMT", int64(math.MinInt32))
	f.Fuzz(func(t *testing.T, value string, unix int64) {
		now := time.Unix(unix%253402300800, 0) // a clock that is wrong, but not after the year 9999
		got := retryAfter(http.Header{"Retry-After": {value}}, now)
		var want time.Duration
		text := strings.TrimSpace(value)
		if onlyDigits.MatchString(text) {
			seconds, _ := new(big.Int).SetString(text, 10)
			most := big.NewInt(int64(math.MaxInt64 / time.Second))
			if seconds.Cmp(most) > 0 {
				seconds = most
			}
			want = time.Duration(seconds.Int64()) * time.Second
		} else if date, err := http.ParseTime(text); err == nil && date.After(now) {
			want = date.Sub(now)
		}
		if got != want {
			t.Fatalf("%s, not %s", got, want)
		}
		wait, again := defaultRetryPolicy.next(http.MethodGet, 1, &APIError{StatusCode: http.StatusServiceUnavailable, RetryAfter: got})
		if again && (wait < 0 || wait > defaultRetryPolicy.MaxBackoff) || !again && got <= defaultRetryPolicy.MaxBackoff {
			t.Fatalf("for %s: again %t, after %s", got, again, wait)
		}
	})
}

var onlyDigits = regexp.MustCompile(`^[0-9]+$`)

// Whatever comes back as an error, its text is one short line in which no ID is.
func FuzzErrorText(f *testing.F) {
	const sdkID, sessionID, playerID = "b3c60000-0000-4000-8000-000000000b79", "7938ac1e-0a4a-49b7-953f-08cfa764358f", "player-0042"
	for _, body := range []string{
		``, `null`, `{}`, `[]`, `<html>`, `"7938ac1e-0a4a-49b7-953f-08cfa764358f"`,
		`{"code":"PAYLOAD_VALIDATION","message":"There were errors validating the payload","errors":[{"property":"requested_checks","message":"is empty"}]}`,
		`{"code":"NOT_FOUND","message":"session 7938AC1E-0A4A-49B7-953F-08CFA764358F of b3c60000-0000-4000-8000-000000000b79 not found"}`,
		`{"code":"player-0042","message":"PLAYER-0042 at https://api.yoti.com/x?sdkId=b3c60000","errors":{"property":"x"}}`,
		`{"message":"two\nlines and \u001b[31mcolours\u202e and \ud800","errors":[{"property":"7938ac1e0a4a49b7953f08cfa764358f","message":"\u0000"}]}`,
		`{"code":"` + strings.Repeat("ü", 600) + `","errors":[` + strings.Repeat(`{"property":"p","message":"`+strings.Repeat("m", 300)+`"},`, 9) + `{}]}`,
	} {
		for _, status := range []int{302, 400, 401, 404, 409, 422, 429, 503} {
			f.Add(status, "application/json; charset=utf-8", "3", []byte(body))
		}
	}
	f.Add(502, "text/html; 7938ac1e-0a4a-49b7-953f-08cfa764358f", "99999999999", []byte("<html>"))
	f.Add(999, "7938ac1e-0a4a-49b7-953f-08cfa764358f/player-0042", "soon", []byte("x"))
	f.Fuzz(func(t *testing.T, status int, contentType, wait string, body []byte) {
		r := request{method: http.MethodGet, endpoint: "/sessions/{session_id}", ids: []string{sessionID, playerID}}
		resp := &http.Response{
			StatusCode: status, ContentLength: -1, Body: io.NopCloser(bytes.NewReader(body)),
			Header: http.Header{"Content-Type": {contentType}, "Retry-After": {wait}},
		}
		apiErr := newAPIError(newAnswer(context.Background(), r, resp, &secrets{proof{sdkID: sdkID}, r.ids}, 1<<20))
		if apiErr.StatusCode != status || len(apiErr.Body) > maxKeptErrorBody {
			t.Fatalf("status %d, %d bytes kept", apiErr.StatusCode, len(apiErr.Body))
		}
		canceled, cancel := context.WithCancel(context.Background())
		cancel()
		for _, err := range []error{apiErr, &repeatedError{3, apiErr}, newStoppedError(canceled, r, 3, apiErr)} {
			for _, text := range []string{err.Error(), fmt.Sprintf("%v", err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
				oneLine(t, text)
				lower := strings.ToLower(text)
				for _, id := range []string{sdkID, sessionID, playerID} {
					if strings.Contains(lower, id) || anyUUID.MatchString(text) {
						t.Fatalf("an ID in %q", text)
					}
				}
			}
			if !strings.HasPrefix(err.Error(), "yotiface: GET /sessions/{session_id}: ") {
				t.Fatalf("which call failed? %q", err)
			}
		}
	})
}

var anyUUID = regexp.MustCompile(`(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}`)

func oneLine(t *testing.T, text string) {
	t.Helper()
	if text == "" || len(text) > maxErrorText || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Fatalf("not one printable line of at most %d bytes: %q", maxErrorText, text)
	}
}
