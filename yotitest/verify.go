package yotitest

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	digestHeader = "X-Yoti-Auth-Digest"

	// maxClockSkew is how far a timestamp may be from now, either way. The
	// service accepts some difference and does not say how much.
	maxClockSkew = 5 * time.Minute
)

// uuidShape accepts what the official SDK for Go sends: upper-case digits, and
// none that say which version of UUID it is.
var uuidShape = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// verifier decides whether a request was signed by the holder of the key, for
// this very call, just now and for the first time.
//
// What it refuses is answered with the service's status. PAYLOAD_TOO_LARGE,
// APP_NOT_FOUND and the INVALID_ codes are not documented for identity
// verification: they are those of a sister service with the same signatures.
type verifier struct {
	sdkID string
	key   *rsa.PublicKey

	mu     sync.Mutex
	nonces map[string]bool
}

func newVerifier(sdkID string, key *rsa.PublicKey) *verifier {
	return &verifier{sdkID: sdkID, key: key, nonces: make(map[string]bool)}
}

// verify reports whether c may be answered, and if not, what to say instead.
func (v *verifier) verify(c *call) (refusal answer, ok bool) {
	// Remembered whatever else is wrong with the request: a client that repeats
	// a nonce has a bug even if neither request was any good.
	fresh := v.remember(c.query.Get("nonce"))

	switch {
	case c.path == "":
		return noSuchEndpoint(), false
	case !c.hasOnly("sdkId", "nonce", "timestamp"):
		return malformed("the query must have sdkId, nonce and timestamp once each, and nothing else"), false
	case c.query.Get("sdkId") != v.sdkID:
		return failure(http.StatusNotFound, "APP_NOT_FOUND", "there is no application with this SDK ID"), false
	case !uuidShape.MatchString(c.query.Get("nonce")):
		return unauthorized("INVALID_NONCE", "the nonce is not a UUID"), false
	case !fresh:
		return unauthorized("INVALID_NONCE", "the nonce has been used before"), false
	case !recent(c.query.Get("timestamp")):
		return unauthorized("INVALID_TIMESTAMP", "the timestamp is not the present time in milliseconds"), false
	case len(c.digests) != 1:
		return unauthorized("INVALID_YOTI_AUTH_DIGEST", "there must be one "+digestHeader+" header"), false
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(c.digests[0])
	if err != nil {
		return unauthorized("INVALID_YOTI_AUTH_DIGEST", "the signature is not base64"), false
	}
	hash := sha256.Sum256(signedText(c))
	if rsa.VerifyPKCS1v15(v.key, crypto.SHA256, hash[:], signature) != nil {
		return unauthorized("INVALID_SIGNATURE", "the signature is not one of this key over this request"), false
	}
	if c.hasBody() && (c.method == http.MethodGet || c.method == http.MethodDelete) {
		return malformed("a " + c.method + " has no body"), false
	}
	return answer{}, true
}

// signedText is what a client has to have signed: METHOD&/path?query, and
// &base64(body) if there is a body, of exactly the bytes that arrived. The path
// is the one below the base path.
func signedText(c *call) []byte {
	text := c.method + "&" + c.path + "?" + c.rawQuery
	if len(c.body) > 0 {
		text += "&" + base64.StdEncoding.EncodeToString(c.body)
	}
	return []byte(text)
}

// remember reports whether nonce is new, and makes it an old one.
func (v *verifier) remember(nonce string) (fresh bool) {
	nonce = strings.ToLower(nonce) // the case of a UUID means nothing
	v.mu.Lock()
	defer v.mu.Unlock()
	fresh = !v.nonces[nonce]
	v.nonces[nonce] = true
	return fresh
}

func recent(timestamp string) bool {
	ms, err := strconv.ParseInt(timestamp, 10, 64)
	return err == nil && time.Since(time.UnixMilli(ms)).Abs() <= maxClockSkew
}
