package yotiface

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/getyoti/yoti-go-sdk/v3/consts"
)

// The headers of a request. Only the digest is said to be needed; the others are those of Yoti's own client for Go, as which
// the service knows this way of signing.
const (
	digestHeader     = "X-Yoti-Auth-Digest" // where the signature goes
	sdkHeader        = "X-Yoti-Sdk"
	sdkVersionHeader = "X-Yoti-Sdk-Version"
)

// A signer proves who sends a request: SHA-256 and RSA PKCS #1 v1.5 over the method, the path below the base URL with the
// query, and the base64 of the body.
//
// The official package requests signs the same, and a test holds this against it. It is not used, as it holds a body several
// times while it signs: an image of 5 MB takes 45 MB.
type signer struct {
	key     *rsa.PrivateKey
	sdkID   string
	baseURL string
}

// A proof is what makes a request one of the application's, and what no error text may repeat.
type proof struct{ sdkID, nonce, timestamp, digest string }

// sign makes a request with a nonce and a timestamp of its own. It adds to header and keeps it.
func (s *signer) sign(ctx context.Context, method, path string, header http.Header, body []byte) (*http.Request, proof, error) {
	p := proof{sdkID: s.sdkID, nonce: newNonce(), timestamp: strconv.FormatInt(time.Now().UnixMilli(), 10)}
	said := method + "&" + path + "?sdkId=" + p.sdkID + "&nonce=" + p.nonce + "&timestamp=" + p.timestamp
	digest, err := s.digest(said, body)
	if err != nil {
		return nil, p, err
	}
	p.digest = digest
	var content io.Reader = http.NoBody
	if len(body) > 0 {
		content = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.baseURL+said[len(method+"&"):], content)
	if err != nil {
		return nil, p, err
	}
	req.Header = header
	header[digestHeader] = []string{digest}
	header[sdkHeader], header[sdkVersionHeader] = []string{consts.SDKIdentifier}, []string{consts.SDKVersionIdentifier}
	// net/http repeats a request by itself, nonce and all, if a kept-alive connection dies before the answer and it can get
	// the body again. A body that is neither nil nor gettable stops that; an empty one leaves the bytes on an HTTP/1.1 wire
	// as they are. Without the encoding net/http would try the body for 200 ms, and send chunks where that is not enough,
	// as on a busy machine. A POST is not repeated, and should say that its body is empty.
	if len(body) == 0 && method != http.MethodPost {
		req.Body = eof{}
		req.TransferEncoding = []string{"identity"}
	}
	req.GetBody = nil
	return req, p, nil
}

// digest signs what a request says. The base64 of the body goes into the hash in pieces, as it may be large.
func (s *signer) digest(said string, body []byte) (string, error) {
	hash := sha256.New()
	_, _ = io.WriteString(hash, said) // a hash takes everything
	if len(body) > 0 {
		_, _ = io.WriteString(hash, "&")
		encoder := base64.NewEncoder(base64.StdEncoding, hash)
		_, _ = encoder.Write(body)
		_ = encoder.Close()
	}
	signature, err := rsa.SignPKCS1v15(nil, s.key, crypto.SHA256, hash.Sum(nil))
	var text [1 << 10]byte // on the stack, enough for a key of 6,144 bits
	return string(base64.StdEncoding.AppendEncode(text[:0], signature)), err
}

// newNonce returns a random UUID, in upper case as Yoti's own client writes it.
func newNonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	digits := strings.ToUpper(hex.EncodeToString(b[:]))
	return digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:]
}

// eof is an empty body that net/http does not know.
type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }
func (eof) Close() error             { return nil }

// WriteTo spares net/http a buffer of 32 KiB to copy nothing with.
func (eof) WriteTo(io.Writer) (int64, error) { return 0, nil }

// minKeyBits is the shortest RSA key that is accepted.
const minKeyBits = 2048

// parseKey reads an RSA private key from PEM, PKCS #1 or PKCS #8. It tolerates what keys go through on their way: CRLF, a
// byte order mark, indentation, quotes, text around the block, and a literal \n for each line end. For all else the error says
// what was given, and nothing of it.
func parseKey(given []byte) (*rsa.PrivateKey, error) {
	text := bytes.TrimPrefix(given, []byte("\xef\xbb\xbf"))
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 1 && (trimmed[0] == '"' || trimmed[0] == '\'') && trimmed[len(trimmed)-1] == trimmed[0] {
		text = trimmed[1 : len(trimmed)-1] // an environment file's quotes
	}
	if literal := bytes.ReplaceAll(text, []byte(`\r`), nil); bytes.Contains(literal, []byte(`-----\n`)) {
		text = bytes.ReplaceAll(literal, []byte(`\n`), []byte("\n"))
	}
	lines := bytes.Split(text, []byte("\n"))
	for i := range lines {
		lines[i] = bytes.TrimSpace(lines[i])
	}
	rest := bytes.Join(lines, []byte("\n"))
	other := ""
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		switch block.Type {
		case "RSA PRIVATE KEY":
			if block.Headers["DEK-Info"] != "" {
				return nil, invalid("the key is encrypted; decrypt it first (openssl rsa -in key.pem)")
			}
			return parsePKCS1(block.Bytes)
		case "PRIVATE KEY":
			return parsePKCS8(block.Bytes)
		case "ENCRYPTED PRIVATE KEY":
			return nil, invalid("the key is encrypted; decrypt it first (openssl pkey -in key.pem)")
		case "EC PRIVATE KEY":
			return nil, invalid("the key is an EC key; Yoti uses RSA keys")
		case "OPENSSH PRIVATE KEY":
			return nil, invalid("the key is an OpenSSH key; use the .pem file from the Yoti Hub")
		case "PUBLIC KEY", "RSA PUBLIC KEY":
			other = "a public key"
		case "CERTIFICATE", "CERTIFICATE REQUEST":
			other = "a certificate"
		default:
			other = "a PEM block of another kind"
		}
	}
	if other != "" {
		return nil, invalid("this is %s; use the private key, the .pem file from the Yoti Hub", other)
	}
	return nil, invalid("%s", notPEM(text))
}

// notPEM says what text is that has no PEM block in it.
func notPEM(text []byte) string {
	trimmed := bytes.TrimSpace(text)
	switch {
	case len(trimmed) == 0:
		return "the key is empty"
	case bytes.HasPrefix(text, []byte{0x30, 0x82}) || bytes.HasPrefix(text, []byte{0x30, 0x81}):
		return "the key is DER; convert it to PEM (openssl pkey -inform DER -in key.der)"
	case bytes.HasPrefix(trimmed, []byte("ssh-")) || bytes.HasPrefix(trimmed, []byte("ecdsa-")):
		return "this is a public key; use the private key, the .pem file from the Yoti Hub"
	case bytes.Contains(text, []byte("-----BEGIN")) && !bytes.Contains(trimmed, []byte("\n")):
		return "the key has lost its line ends; restore them, or write \\n for each"
	case bytes.Contains(text, []byte("-----BEGIN")):
		return "the PEM of the key is broken or cut off"
	case len(trimmed) < 1024 && !bytes.Contains(trimmed, []byte("\n")) && (bytes.ContainsAny(trimmed, `/\`) || bytes.HasSuffix(trimmed, []byte(".pem"))):
		return "this looks like the path of a key; pass the contents of the file"
	default:
		return "the key is not PEM; it should begin with -----BEGIN"
	}
}

func parsePKCS1(der []byte) (*rsa.PrivateKey, error) {
	var head struct {
		Version int
		N       *big.Int
	}
	if _, err := asn1.Unmarshal(der, &head); err != nil {
		return nil, invalid("the key is damaged inside its PEM frame")
	}
	// Before the key is parsed: crypto/x509 refuses a very short one in words that do not say how short.
	if bits := head.N.BitLen(); bits < minKeyBits {
		return nil, invalid("the key has %d bits; at least %d are needed", bits, minKeyBits)
	}
	key, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		return nil, invalid("the key is damaged inside its PEM frame")
	}
	return key, nil
}

func parsePKCS8(der []byte) (*rsa.PrivateKey, error) {
	var outer struct {
		Version   int
		Algorithm struct {
			OID        asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Key []byte
	}
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		return nil, invalid("the key is damaged inside its PEM frame")
	}
	if rsaEncryption := "1.2.840.113549.1.1.1"; outer.Algorithm.OID.String() != rsaEncryption {
		return nil, invalid("the key is %s; Yoti uses RSA keys", algorithm(outer.Algorithm.OID.String()))
	}
	return parsePKCS1(outer.Key)
}

func algorithm(oid string) string {
	switch oid {
	case "1.2.840.10045.2.1":
		return "an EC key"
	case "1.3.101.112":
		return "an Ed25519 key"
	case "1.2.840.113549.1.1.10":
		return "an RSA-PSS key"
	default:
		return "of another algorithm"
	}
}

// checkID refuses what cannot be part of a path. name is for the error, which does not repeat the ID.
func checkID(name, id string) error {
	const most = 128
	switch {
	case id == "":
		return invalid("%s is empty", name)
	case id == "." || id == "..":
		return invalid("%s is a path element, not an ID", name)
	case len(id) > most:
		return invalid("%s has %d bytes; at most %d are possible", name, len(id), most)
	}
	for i := range len(id) {
		switch {
		case unicode.IsSpace(rune(id[i])):
			return invalid("%s has white space at byte %d; was it trimmed, or is this a name?", name, i)
		case strings.ContainsRune(`"'`, rune(id[i])):
			return invalid("%s has a quote at byte %d; take the quotes away", name, i)
		case strings.ContainsRune(`<{`, rune(id[i])):
			return invalid("%s has a bracket at byte %d; is it a placeholder?", name, i)
		}
		if !strings.ContainsRune(idCharacters, rune(id[i])) {
			return invalid("%s has a character other than letters, digits, '-', '_' and '.' at byte %d", name, i)
		}
	}
	return nil
}

const idCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
