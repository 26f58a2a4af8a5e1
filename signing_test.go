package yotiface_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface"
)

// ownKey is the key that the application of these tests has.
var ownKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// ownPEM is the key as the Yoti Hub hands it out: PKCS #1. It is a copy: tests change it.
func ownPEM() []byte { return []byte(ownPEMText()) }

var ownPEMText = sync.OnceValue(func() string {
	return string(inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(ownKey())))
})

func inPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// inPKCS8 puts a key into PKCS #8 whatever its algorithm is said to be.
func inPKCS8(t *testing.T, algorithm asn1.ObjectIdentifier, key []byte) []byte {
	t.Helper()
	return marshalASN1(t, struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
	}{0, pkix.AlgorithmIdentifier{Algorithm: algorithm, Parameters: asn1.NullRawValue}, key})
}

func ownPKCS8(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(ownKey())
	require.NoError(t, err)
	return der
}

func marshalASN1(t *testing.T, v any) []byte {
	t.Helper()
	der, err := asn1.Marshal(v)
	require.NoError(t, err)
	return der
}

// shortKey makes a PKCS #1 key that is right in all but its size, which crypto/rsa refuses to do.
func shortKey(t *testing.T, bits int) []byte {
	t.Helper()
	one, e := big.NewInt(1), big.NewInt(65537)
	for {
		p, err := rand.Prime(rand.Reader, bits/2)
		require.NoError(t, err)
		q, err := rand.Prime(rand.Reader, bits-bits/2)
		require.NoError(t, err)
		p1, q1 := new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)
		d := new(big.Int).ModInverse(e, new(big.Int).Mul(p1, q1))
		n := new(big.Int).Mul(p, q)
		if p.Cmp(q) == 0 || d == nil || n.BitLen() != bits {
			continue
		}
		return marshalASN1(t, struct {
			Version                      int
			N, E, D, P, Q, DP, DQ, QInvP *big.Int
		}{0, n, e, d, p, q, new(big.Int).Mod(d, p1), new(big.Int).Mod(d, q1), new(big.Int).ModInverse(q, p)})
	}
}

func certificate(t *testing.T) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "casino.example"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, ownKey().Public(), ownKey())
	require.NoError(t, err)
	return inPEM("CERTIFICATE", der)
}

func ecKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}

func TestKeysThatAreAccepted(t *testing.T) {
	t.Parallel()
	lines := func(old, with string) func(*testing.T) []byte {
		return func(*testing.T) []byte { return bytes.ReplaceAll(ownPEM(), []byte(old), []byte(with)) }
	}
	around := func(before, after string) func(*testing.T) []byte {
		return func(*testing.T) []byte { return slices.Concat([]byte(before), ownPEM(), []byte(after)) }
	}
	for _, test := range []struct {
		name, reason string
		give         func(*testing.T) []byte
	}{
		{"PKCS #1", "what the Yoti Hub hands out", lines("", "")},
		{"PKCS #8", "what openssl 3 writes", func(t *testing.T) []byte { return inPEM("PRIVATE KEY", ownPKCS8(t)) }},
		{"CRLF", "saved by an editor on Windows", lines("\n", "\r\n")},
		{"byte order mark", "saved by another editor on Windows", around("\xef\xbb\xbf", "")},
		{"byte order mark and CRLF", "saved by a third", func(*testing.T) []byte {
			return append([]byte("\xef\xbb\xbf"), bytes.ReplaceAll(ownPEM(), []byte("\n"), []byte("\r\n"))...)
		}},
		{"indented by spaces", "cut out of YAML", lines("\n", "\n    ")},
		{"indented by tabs, the first line too", "cut out of source code", func(*testing.T) []byte {
			return append([]byte("\t"), bytes.ReplaceAll(ownPEM(), []byte("\n"), []byte("\n\t"))...)
		}},
		{"trailing spaces", "copied from a terminal", lines("\n", "  \n")},
		{"no line end at the end", "shells strip it", func(*testing.T) []byte { return bytes.TrimSpace(ownPEM()) }},
		{"empty lines around", "here-documents add them", around("\n\n", "\n\n")},
		{`literal \n`, "environment variables hold keys like this", lines("\n", `\n`)},
		{`literal \r\n`, "the same, of a file from Windows", lines("\n", `\r\n`)},
		{`literal \n and a real line end`, "the same, through echo", func(*testing.T) []byte {
			return append(bytes.ReplaceAll(ownPEM(), []byte("\n"), []byte(`\n`)), '\n')
		}},
		{`byte order mark and literal \n`, "both at once", func(*testing.T) []byte {
			return append([]byte("\xef\xbb\xbf"), bytes.ReplaceAll(ownPEM(), []byte("\n"), []byte(`\n`))...)
		}},
		{"text before", "openssl pkcs12 writes attributes", around("Bag Attributes\n    friendlyName: casino\nKey Attributes: <No Attributes>\n", "")},
		{"text after", "people write notes", around("", "this is the key of the casino\n")},
		{"certificate before the key", "openssl pkcs12 writes both", func(t *testing.T) []byte { return append(certificate(t), ownPEM()...) }},
		{"certificate after the key", "in either order", func(t *testing.T) []byte { return append(ownPEM(), certificate(t)...) }},
		{"public key before the key", "key pairs in one file", func(*testing.T) []byte {
			return append(inPEM("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&ownKey().PublicKey)), ownPEM()...)
		}},
		{"two keys", "the first is used; the second would be refused", func(t *testing.T) []byte {
			return append(ownPEM(), inPEM("RSA PRIVATE KEY", shortKey(t, 512))...)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			give := test.give(t)
			asked := 0
			client, err := yotiface.NewClient(ownSDKID, give, yotiface.WithHTTPClient(&http.Client{
				Transport: transportFunc(func(req *http.Request) (*http.Response, error) {
					asked++
					assertSigned(t, req, req.URL.RequestURI(), "/idverify/v1")
					return reply(req, http.StatusNotFound, ""), nil
				}),
			}))
			require.NoError(t, err, test.reason)
			clear(give) // the caller may: the key was read

			_, err = client.GetSession(t.Context(), "ID1")
			require.ErrorIs(t, err, yotiface.ErrNotFound)
			assert.Equal(t, 1, asked)
		})
	}
}

func TestKeysThatAreRefused(t *testing.T) {
	t.Parallel()
	rsaEncryption := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	text := func(s string) func(*testing.T) []byte { return func(*testing.T) []byte { return []byte(s) } }
	ofPEM := func(change func([]byte) []byte) func(*testing.T) []byte {
		return func(*testing.T) []byte { return change(ownPEM()) }
	}
	pkcs8 := func(key any) func(*testing.T) []byte {
		return func(t *testing.T) []byte {
			der, err := x509.MarshalPKCS8PrivateKey(key)
			require.NoError(t, err)
			return inPEM("PRIVATE KEY", der)
		}
	}
	garbage := make([]byte, 1200)
	for i := range garbage {
		garbage[i] = byte(i * 7)
	}
	const damaged = "the key is damaged inside its PEM frame"

	for _, test := range []struct {
		name, reason string
		give         func(*testing.T) []byte
		says         string
	}{
		{"nil", "a variable that was never set", func(*testing.T) []byte { return nil }, "the key is empty"},
		{"empty", "an empty file", text(""), "the key is empty"},
		{"white space", "an empty file, through an editor", text(" \r\n\t\n"), "the key is empty"},
		{"byte order mark", "an empty file, through an editor on Windows", text("\xef\xbb\xbf"), "the key is empty"},

		{"public key", "the wrong one of the pair", func(t *testing.T) []byte {
			der, err := x509.MarshalPKIXPublicKey(ownKey().Public())
			require.NoError(t, err)
			return inPEM("PUBLIC KEY", der)
		}, "this is a public key; use the private key"},
		{"PKCS #1 public key", "the wrong one, in an older frame", func(*testing.T) []byte {
			return inPEM("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&ownKey().PublicKey))
		}, "this is a public key; use the private key"},
		{"certificate", "never chosen silently", certificate, "this is a certificate; use the private key"},
		{"certificate request", "lies beside the key", func(t *testing.T) []byte {
			der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, ownKey())
			require.NoError(t, err)
			return inPEM("CERTIFICATE REQUEST", der)
		}, "this is a certificate; use the private key"},
		{"PEM of another kind", "anything can be PEM", func(*testing.T) []byte { return inPEM("DH PARAMETERS", garbage) }, "this is a PEM block of another kind"},

		{"EC key", "SEC 1", func(t *testing.T) []byte {
			der, err := x509.MarshalECPrivateKey(ecKey(t))
			require.NoError(t, err)
			return inPEM("EC PRIVATE KEY", der)
		}, "the key is an EC key; Yoti uses RSA keys"},
		{"EC parameters and key", "what openssl ecparam writes", func(t *testing.T) []byte {
			der, err := x509.MarshalECPrivateKey(ecKey(t))
			require.NoError(t, err)
			return append(inPEM("EC PARAMETERS", marshalASN1(t, asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7})), inPEM("EC PRIVATE KEY", der)...)
		}, "the key is an EC key"},
		{"EC key in PKCS #8", "the frame does not tell", func(t *testing.T) []byte { return pkcs8(ecKey(t))(t) }, "the key is an EC key; Yoti uses RSA keys"},
		{"EC key, then an RSA key", "the first private key counts, or nothing", func(t *testing.T) []byte {
			return append(pkcs8(ecKey(t))(t), ownPEM()...)
		}, "the key is an EC key"},
		{"Ed25519 key", "what ssh-keygen makes by default", func(t *testing.T) []byte {
			_, key, err := ed25519.GenerateKey(rand.Reader)
			require.NoError(t, err)
			return pkcs8(key)(t)
		}, "the key is an Ed25519 key; Yoti uses RSA keys"},
		{"X25519 key", "an algorithm without a name here", func(t *testing.T) []byte {
			key, err := ecdh.X25519().GenerateKey(rand.Reader)
			require.NoError(t, err)
			return pkcs8(key)(t)
		}, "the key is of another algorithm; Yoti uses RSA keys"},
		{"RSA-PSS key", "an RSA key that must not sign PKCS #1 v1.5", func(t *testing.T) []byte {
			pss := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
			return inPEM("PRIVATE KEY", inPKCS8(t, pss, x509.MarshalPKCS1PrivateKey(ownKey())))
		}, "the key is an RSA-PSS key; Yoti uses RSA keys"},
		{"OpenSSH key", "in OpenSSH's own format", func(*testing.T) []byte {
			return inPEM("OPENSSH PRIVATE KEY", append([]byte("openssh-key-v1\x00"), garbage...))
		}, "the key is an OpenSSH key"},

		{"encrypted key, old style", "openssl genrsa -aes256", func(*testing.T) []byte {
			return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: garbage, Headers: map[string]string{
				"Proc-Type": "4,ENCRYPTED",
				"DEK-Info":  "AES-256-CBC,0123456789ABCDEF0123456789ABCDEF",
			}})
		}, "the key is encrypted; decrypt it first"},
		{"encrypted key in PKCS #8", "openssl genpkey -aes256", func(t *testing.T) []byte {
			pbes2 := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
			return inPEM("ENCRYPTED PRIVATE KEY", marshalASN1(t, struct {
				Algorithm pkix.AlgorithmIdentifier
				Key       []byte
			}{pkix.AlgorithmIdentifier{Algorithm: pbes2}, garbage}))
		}, "the key is encrypted; decrypt it first"},

		{"DER", "the file without its frame", func(*testing.T) []byte { return x509.MarshalPKCS1PrivateKey(ownKey()) }, "the key is DER; convert it to PEM"},
		{"DER of PKCS #8", "the other file without its frame", ownPKCS8, "the key is DER; convert it to PEM"},
		{"path", "the argument is the contents", text("/etc/yoti/casino-key.pem"), "this looks like the path of a key; pass the contents"},
		{"path without a folder", "the same", text("casino-key.pem\n"), "this looks like the path of a key; pass the contents"},
		{"path on Windows", "the same", text(`C:\yoti\casino-key.txt`), "this looks like the path of a key; pass the contents"},
		{"words", "anything else", text("the key is under the doormat"), "the key is not PEM; it should begin with -----BEGIN"},
		{"base64 without its frame", "somebody kept the middle only", ofPEM(func(pem []byte) []byte {
			lines := bytes.Split(bytes.TrimSpace(pem), []byte("\n"))
			return bytes.Join(lines[1:len(lines)-1], []byte("\n"))
		}), "the key is not PEM; it should begin with -----BEGIN"},
		{"base64 of the PEM", "as Kubernetes keeps secrets", ofPEM(func(pem []byte) []byte {
			return []byte(base64.StdEncoding.EncodeToString(pem))
		}), "the key is not PEM; it should begin with -----BEGIN"},

		{"spaces for line ends", "pasted into a one-line field", ofPEM(func(pem []byte) []byte {
			return bytes.ReplaceAll(pem, []byte("\n"), []byte(" "))
		}), `the key has lost its line ends; restore them, or write \n for each`},
		{"nothing for line ends", "pasted into another", ofPEM(func(pem []byte) []byte {
			return bytes.ReplaceAll(pem, []byte("\n"), nil)
		}), "the key has lost its line ends"},
		{"cut off", "half of it was copied", ofPEM(func(pem []byte) []byte { return pem[:len(pem)/2] }), "the PEM of the key is broken or cut off"},
		{"a character that is not base64", "edited by hand", ofPEM(func(pem []byte) []byte {
			pem[200] = '!'
			return pem
		}), "the PEM of the key is broken or cut off"},
		{"inside JSON", "a file of credentials", ofPEM(func(pem []byte) []byte {
			return fmt.Appendf(nil, `{"private_key":%q}`, pem)
		}), "the PEM of the key is broken or cut off"},

		{"garbage in the frame", "nothing of the frame's word is true", func(*testing.T) []byte { return inPEM("RSA PRIVATE KEY", garbage) }, damaged},
		{"garbage in the frame of PKCS #8", "the same", func(*testing.T) []byte { return inPEM("PRIVATE KEY", garbage) }, damaged},
		{"empty frame", "the same", func(*testing.T) []byte { return inPEM("RSA PRIVATE KEY", nil) }, damaged},
		{"DER cut off", "base64 was lost by whole lines", func(*testing.T) []byte {
			der := x509.MarshalPKCS1PrivateKey(ownKey())
			return inPEM("RSA PRIVATE KEY", der[:len(der)-96])
		}, damaged},
		{"DER with more after it", "two files in one frame", func(*testing.T) []byte {
			return inPEM("RSA PRIVATE KEY", append(x509.MarshalPKCS1PrivateKey(ownKey()), garbage...))
		}, damaged},
		{"one bit of the modulus changed", "a key that would sign wrongly", func(*testing.T) []byte {
			der := x509.MarshalPKCS1PrivateKey(ownKey())
			der[100] ^= 1
			return inPEM("RSA PRIVATE KEY", der)
		}, damaged},
		{"public key in a private frame", "renamed by hand", func(*testing.T) []byte {
			return inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PublicKey(&ownKey().PublicKey))
		}, damaged},
		{"PKCS #1 in the frame of PKCS #8", "renamed by hand", func(*testing.T) []byte {
			return inPEM("PRIVATE KEY", x509.MarshalPKCS1PrivateKey(ownKey()))
		}, damaged},
		{"garbage inside PKCS #8", "an RSA key by its outside", func(t *testing.T) []byte {
			return inPEM("PRIVATE KEY", inPKCS8(t, rsaEncryption, garbage))
		}, damaged},

		{"512 bits", "Go itself refuses it without saying why", func(t *testing.T) []byte {
			return inPEM("RSA PRIVATE KEY", shortKey(t, 512))
		}, "the key has 512 bits; at least 2048 are needed"},
		{"1024 bits", "Go signs with it", func(t *testing.T) []byte {
			return inPEM("RSA PRIVATE KEY", shortKey(t, 1024))
		}, "the key has 1024 bits; at least 2048 are needed"},
		{"512 bits in PKCS #8", "the same", func(t *testing.T) []byte {
			return inPEM("PRIVATE KEY", inPKCS8(t, rsaEncryption, shortKey(t, 512)))
		}, "the key has 512 bits; at least 2048 are needed"},
		{"2047 bits", "one too few; the rest of the key is not looked at then", func(t *testing.T) []byte {
			return inPEM("RSA PRIVATE KEY", marshalASN1(t, struct {
				Version int
				N, E    *big.Int
			}{0, new(big.Int).Rsh(ownKey().N, 1), big.NewInt(65537)}))
		}, "the key has 2047 bits; at least 2048 are needed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			give := test.give(t)
			client, err := yotiface.NewClient(ownSDKID, give)
			assert.Nil(t, client)
			require.ErrorIs(t, err, yotiface.ErrInvalidArgument, test.reason)
			assert.Contains(t, err.Error(), test.says, test.reason)
			assertOneLine(t, err.Error())

			secrets := [][]byte{give}
			for block, rest := pem.Decode(give); block != nil; block, rest = pem.Decode(rest) {
				secrets = append(secrets, block.Bytes)
			}
			for _, secret := range secrets {
				for _, printed := range append(everyError(err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)) {
					assertNoPieceOf(t, printed, string(secret))
					assertNoPieceOf(t, printed, base64.StdEncoding.EncodeToString(secret))
					assertNoPieceOf(t, strings.ToLower(printed), hex.EncodeToString(secret))
				}
			}
		})
	}
}

// everyError is the text of an error and of all that it wraps.
func everyError(err error) []string {
	if err == nil {
		return nil
	}
	texts := []string{err.Error()}
	switch wrapping := err.(type) { //nolint:errorlint // this is what walks the tree
	case interface{ Unwrap() error }:
		texts = append(texts, everyError(wrapping.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, err := range wrapping.Unwrap() {
			texts = append(texts, everyError(err)...)
		}
	}
	return texts
}

// assertNoPieceOf makes sure that twelve characters of a secret are nowhere in text.
func assertNoPieceOf(t *testing.T, text, secret string) {
	t.Helper()
	const size = 12
	if secret = strings.TrimSpace(secret); secret == "" {
		return
	}
	for i := 0; i == 0 || i+size <= len(secret); i++ {
		if piece := secret[i:min(len(secret), i+size)]; strings.Contains(text, piece) {
			assert.Failf(t, "a piece of the secret is printed", "%q in %q", piece, text)
			return
		}
	}
}

// assertSigned verifies a request as it arrived: the target is path and query as sent, base the path of the base URL. It
// reads the body, and returns it.
func assertSigned(t *testing.T, req *http.Request, target, base string) (body []byte) {
	t.Helper()
	endpoint, ok := strings.CutPrefix(target, base)
	assert.True(t, ok, "the request is not below the base URL")
	body, err := io.ReadAll(req.Body)
	assert.NoError(t, err)
	said := req.Method + "&" + endpoint
	if len(body) > 0 {
		said += "&" + base64.StdEncoding.EncodeToString(body)
	}
	digests := req.Header.Values("X-Yoti-Auth-Digest")
	if !assert.Len(t, digests, 1) {
		return body
	}
	signature, err := base64.StdEncoding.DecodeString(digests[0])
	assert.NoError(t, err)
	hash := sha256.Sum256([]byte(said))
	assert.NoError(t, rsa.VerifyPKCS1v15(&ownKey().PublicKey, crypto.SHA256, hash[:], signature))
	return body
}

// The IDs of this test are made of all that an ID can be made of.
func TestWhatIsSignedIsWhatArrives(t *testing.T) {
	t.Parallel()
	odd := strings.NewReplacer(" ", " /idverify/v1", "ID1", "AZaz09-_.ID1", "ID2", "..-_ID2", "ID3", "_ID3")
	for _, call := range apiCalls {
		t.Run(call.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body := assertSigned(t, r, r.RequestURI, "/idverify/v1")
				assert.Equal(t, odd.Replace(call.body), string(body))
				path, query, _ := strings.Cut(r.RequestURI, "?")
				got = append(got, r.Method+" "+path)

				values, err := url.ParseQuery(query)
				assert.NoError(t, err)
				assert.Len(t, values, 3)
				assert.Equal(t, []string{ownSDKID}, values["sdkId"])
				assert.Len(t, values["nonce"], 1)
				assert.Len(t, values["timestamp"], 1)
				assert.Equal(t, 3, strings.Count(query, "="), "each parameter once")
				w.WriteHeader(http.StatusNotFound)
			}))
			defer server.Close()
			client, err := yotiface.NewClient(ownSDKID, ownPEM(), yotiface.WithBaseURL(server.URL+"/idverify/v1/"))
			require.NoError(t, err)

			ids := call.shortIDs()
			for i := range ids {
				ids[i] = odd.Replace(ids[i])
			}
			require.ErrorIs(t, call.do(t.Context(), client, ids), yotiface.ErrNotFound)

			want := slices.Clone(call.requests)
			for i := range want {
				want[i] = odd.Replace(want[i])
			}
			assert.Equal(t, want, got)
		})
	}
}

func TestEveryAttemptIsSignedAfresh(t *testing.T) {
	t.Parallel()
	nonces := map[string]bool{}
	digests := map[string]bool{}
	before := time.Now().Truncate(time.Second)
	client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
		assertSigned(t, req, req.URL.RequestURI(), "/idverify/v1")
		query := req.URL.Query()
		assert.Regexp(t, `^[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}$`, query.Get("nonce"))
		ms, err := strconv.ParseInt(query.Get("timestamp"), 10, 64)
		assert.NoError(t, err)
		assert.WithinRange(t, time.UnixMilli(ms), before, time.Now(), "milliseconds since 1970")
		nonces[query.Get("nonce")] = true
		digests[req.Header.Get("X-Yoti-Auth-Digest")] = true
		return reply(req, http.StatusServiceUnavailable, ""), nil
	}, yotiface.WithRetryPolicy(yotiface.RetryPolicy{MaxAttempts: 5, MaxBackoff: time.Nanosecond}))

	_, err := client.GetSession(t.Context(), "ID1")
	require.ErrorIs(t, err, yotiface.ErrUnavailable)
	assert.Len(t, nonces, 5)
	assert.Len(t, digests, 5)
}

// net/http sends a request again by itself where it can get the body again, or where a header says that it may.
func TestNothingInvitesNetHTTPToRepeatARequest(t *testing.T) {
	t.Parallel()
	client := newOwnClient(t, func(req *http.Request) (*http.Response, error) {
		assert.NotNil(t, req.Body)
		assert.Nil(t, req.GetBody)
		assert.NotContains(t, req.Header, "Idempotency-Key")
		assert.NotContains(t, req.Header, "X-Idempotency-Key")
		return reply(req, http.StatusNotFound, ""), nil
	})
	for _, call := range apiCalls {
		require.ErrorIs(t, call.do(t.Context(), client, call.shortIDs()), yotiface.ErrNotFound, call.name)
	}
}
