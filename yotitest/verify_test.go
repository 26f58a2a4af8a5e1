package yotitest_test

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface/yotitest"
)

// message is a request as it is signed and as it is sent, which differ where a
// test wants them to.
type message struct {
	method, path, query string
	body                string
	signed              string // "" for what it should be
	digest              []string
}

const nonce = "24483f0a-3c5b-4a2c-9f0e-6d1a7b2c473b"

// newMessage returns a request that is all right.
func newMessage(server *yotitest.Server) message {
	return message{
		method: http.MethodGet,
		path:   "/sessions/unknown",
		query:  fmt.Sprintf("sdkId=%s&nonce=%s&timestamp=%d", server.SDKID(), nonce, time.Now().UnixMilli()),
	}
}

func (m message) send(tb testing.TB, server *yotitest.Server) response {
	tb.Helper()
	if m.signed == "" {
		m.signed = m.method + "&" + m.path + "?" + m.query
		if m.body != "" {
			m.signed += "&" + base64.StdEncoding.EncodeToString([]byte(m.body))
		}
	}
	if m.digest == nil {
		m.digest = []string{sign(tb, server.KeyPEM(), m.signed)}
	}
	r, err := http.NewRequestWithContext(tb.Context(), m.method, server.URL()+m.path+"?"+m.query, strings.NewReader(m.body))
	require.NoError(tb, err)
	r.Header["X-Yoti-Auth-Digest"] = m.digest
	return send(tb, server, r)
}

func sign(tb testing.TB, keyPEM []byte, text string) string {
	tb.Helper()
	block, _ := pem.Decode(keyPEM)
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	require.NoError(tb, err)
	hash := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, hash[:])
	require.NoError(tb, err)
	return base64.StdEncoding.EncodeToString(signature)
}

func TestServerAcceptsWhatIsSignedAsDocumented(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*message){
		"as documented":        func(*message) {},
		"another order":        func(m *message) { m.query = swapParameters(m.query) },
		"an upper-case nonce":  func(m *message) { m.query = strings.Replace(m.query, nonce, strings.ToUpper(nonce), 1) },
		"an escaped path":      func(m *message) { m.path = "/sessions/a%2Fb" },
		"a minute behind":      func(m *message) { m.at(-time.Minute) },
		"a minute ahead":       func(m *message) { m.at(time.Minute) },
		"a POST with a body":   func(m *message) { m.method, m.body = http.MethodPost, `{"a":"<&>"}` },
		"a body of any bytes":  func(m *message) { m.method, m.body = http.MethodPost, "\x00\xff&\r\n" },
		"a POST without body":  func(m *message) { m.method = http.MethodPost },
		"a method of any name": func(m *message) { m.method = "BREW" },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(t)
			m := newMessage(server)
			change(&m)
			assert.Contains(t, []string{"NOT_FOUND", "METHOD_NOT_ALLOWED"}, m.send(t, server).code(t))
		})
	}
}

func TestServerRefusesWhatIsNotSignedAsDocumented(t *testing.T) {
	t.Parallel()
	other := newServer(t)
	cases := map[string]struct {
		change func(*message)
		status int
		code   string
	}{
		"no query":          {func(m *message) { m.query = "" }, 400, "MALFORMED_REQUEST"},
		"no SDK ID":         {func(m *message) { m.drop("sdkId") }, 400, "MALFORMED_REQUEST"},
		"no nonce":          {func(m *message) { m.drop("nonce") }, 400, "MALFORMED_REQUEST"},
		"no timestamp":      {func(m *message) { m.drop("timestamp") }, 400, "MALFORMED_REQUEST"},
		"two SDK IDs":       {func(m *message) { m.query += "&sdkId=x" }, 400, "MALFORMED_REQUEST"},
		"two nonces":        {func(m *message) { m.query += "&nonce=x" }, 400, "MALFORMED_REQUEST"},
		"two timestamps":    {func(m *message) { m.query += "&timestamp=1" }, 400, "MALFORMED_REQUEST"},
		"another parameter": {func(m *message) { m.query += "&x=1" }, 400, "MALFORMED_REQUEST"},
		"a broken query":    {func(m *message) { m.query += "&x=%zz" }, 400, "MALFORMED_REQUEST"},
		"sdkID for sdkId":   {func(m *message) { m.replace("sdkId", "sdkID") }, 400, "MALFORMED_REQUEST"},

		"another SDK ID":  {func(m *message) { m.set("sdkId", other.SDKID()) }, 404, "APP_NOT_FOUND"},
		"an empty SDK ID": {func(m *message) { m.set("sdkId", "") }, 404, "APP_NOT_FOUND"},

		"an empty nonce":   {func(m *message) { m.set("nonce", "") }, 401, "INVALID_NONCE"},
		"a nonce of words": {func(m *message) { m.set("nonce", "once-upon-a-time") }, 401, "INVALID_NONCE"},
		"a bare nonce":     {func(m *message) { m.replace(nonce, strings.ReplaceAll(nonce, "-", "")) }, 401, "INVALID_NONCE"},
		"a longer nonce":   {func(m *message) { m.replace(nonce, nonce+"0") }, 401, "INVALID_NONCE"},

		"an empty timestamp":       {func(m *message) { m.set("timestamp", "") }, 401, "INVALID_TIMESTAMP"},
		"a timestamp of words":     {func(m *message) { m.set("timestamp", "now") }, 401, "INVALID_TIMESTAMP"},
		"an hour behind":           {func(m *message) { m.at(-time.Hour) }, 401, "INVALID_TIMESTAMP"},
		"an hour ahead":            {func(m *message) { m.at(time.Hour) }, 401, "INVALID_TIMESTAMP"},
		"a timestamp in seconds":   {func(m *message) { m.set("timestamp", fmt.Sprint(time.Now().Unix())) }, 401, "INVALID_TIMESTAMP"},
		"a timestamp in µs":        {func(m *message) { m.set("timestamp", fmt.Sprint(time.Now().UnixMicro())) }, 401, "INVALID_TIMESTAMP"},
		"a timestamp out of range": {func(m *message) { m.set("timestamp", "99999999999999999999") }, 401, "INVALID_TIMESTAMP"},

		"no signature":           {func(m *message) { m.digest = []string{} }, 401, "INVALID_YOTI_AUTH_DIGEST"},
		"two signatures":         {func(m *message) { m.digest = []string{"AAAA", "AAAA"} }, 401, "INVALID_YOTI_AUTH_DIGEST"},
		"not base64":             {func(m *message) { m.digest = []string{"%"} }, 401, "INVALID_YOTI_AUTH_DIGEST"},
		"base64 without padding": {func(m *message) { m.digest = []string{"AAA"} }, 401, "INVALID_YOTI_AUTH_DIGEST"},

		"an empty signature": {func(m *message) { m.digest = []string{""} }, 401, "INVALID_SIGNATURE"},
		"another key":        {func(m *message) { m.digest = []string{sign(t, other.KeyPEM(), m.text())} }, 401, "INVALID_SIGNATURE"},
		"another method":     {func(m *message) { m.signed = strings.Replace(m.text(), "GET", "POST", 1) }, 401, "INVALID_SIGNATURE"},
		"a small method":     {func(m *message) { m.signed = strings.Replace(m.text(), "GET", "get", 1) }, 401, "INVALID_SIGNATURE"},
		"another path":       {func(m *message) { m.signed = strings.Replace(m.text(), "unknown", "other", 1) }, 401, "INVALID_SIGNATURE"},
		"another order":      {func(m *message) { m.signed = m.method + "&" + m.path + "?" + swapParameters(m.query) }, 401, "INVALID_SIGNATURE"},
		"the base path too":  {func(m *message) { m.signed = strings.Replace(m.text(), "&/", "&/idverify/v1/", 1) }, 401, "INVALID_SIGNATURE"},
		"a third part":       {func(m *message) { m.signed = m.text() + "&" }, 401, "INVALID_SIGNATURE"},
		"a line break":       {func(m *message) { m.signed = m.text() + "\n" }, 401, "INVALID_SIGNATURE"},
		"no third part": {func(m *message) {
			m.method = http.MethodPost
			m.signed = m.text()
			m.body = "{}"
		}, 401, "INVALID_SIGNATURE"},
		"another body": {func(m *message) {
			m.method, m.body = http.MethodPost, "{}"
			m.signed = m.text() + "&" + base64.StdEncoding.EncodeToString([]byte("{ }"))
		}, 401, "INVALID_SIGNATURE"},

		"a GET with a body":    {func(m *message) { m.body = "{}" }, 400, "MALFORMED_REQUEST"},
		"a DELETE with a body": {func(m *message) { m.method, m.body = http.MethodDelete, "{}" }, 400, "MALFORMED_REQUEST"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(t)
			m := newMessage(server)
			c.change(&m)
			resp := m.send(t, server)
			assert.Equal(t, c.status, resp.StatusCode)
			assert.Equal(t, c.code, resp.code(t))
			assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
		})
	}
}

func TestServerRefusesANonceThatItHasSeen(t *testing.T) {
	t.Parallel()
	cases := map[string]func(first, second *message){
		"the same request":        func(_, _ *message) {},
		"another endpoint":        func(_, second *message) { second.path = "/sessions/other" },
		"the nonce in other case": func(_, second *message) { second.replace(nonce, strings.ToUpper(nonce)) },
		"the first was no good":   func(first, _ *message) { first.signed = "nonsense" },
		"the first had no SDK ID": func(first, _ *message) { first.drop("sdkId") },
		"the first was too late":  func(first, _ *message) { first.at(-time.Hour) },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(t)
			first, second := newMessage(server), newMessage(server)
			change(&first, &second)
			assert.NotEqual(t, "INVALID_NONCE", first.send(t, server).code(t))
			assert.Equal(t, "INVALID_NONCE", second.send(t, server).code(t))
		})
	}
}

func TestServerRefusesAGETWithABodyOfNoBytes(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	m := newMessage(server)
	conn := dial(t, server)
	_, err := fmt.Fprintf(conn, "GET /idverify/v1%s?%s HTTP/1.1\r\nHost: yoti\r\nX-Yoti-Auth-Digest: %s\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		m.path, m.query, sign(t, server.KeyPEM(), m.text()))
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
}

func TestAClientMayLeaveInTheMiddleOfItsRequest(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	conn := dial(t, server)
	_, err := fmt.Fprintf(conn, "POST /idverify/v1/sessions HTTP/1.1\r\nHost: yoti\r\nContent-Length: 9\r\n\r\nhalf")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(server.Requests()) == 1 }, 5*time.Second, time.Millisecond)
	require.NoError(t, conn.Close())
	server.Close()
	assert.Zero(t, server.Requests()[0].Status)
}

func TestServerRefusesMoreThanAnyRequestNeeds(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL()+"/sessions", bytes.NewReader(make([]byte, 33<<20)))
	require.NoError(t, err)
	resp, _, err := try(server, r)
	if err == nil { // the client may be still sending when it is hung up on
		assert.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
	}
	require.Len(t, server.Requests(), 1)
	assert.Equal(t, http.StatusRequestEntityTooLarge, server.Requests()[0].Status)
}

// dial connects to the server without a client in between.
func dial(tb testing.TB, server *yotitest.Server) net.Conn {
	tb.Helper()
	base, err := url.Parse(server.URL())
	require.NoError(tb, err)
	conn, err := new(net.Dialer).DialContext(tb.Context(), "tcp", base.Host)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = conn.Close() })
	return conn
}

// text is what should be signed of a message without a body.
func (m *message) text() string { return m.method + "&" + m.path + "?" + m.query }

func (m *message) replace(old, with string) { m.query = strings.Replace(m.query, old, with, 1) }

func (m *message) drop(name string) { m.edit(func(q url.Values) { q.Del(name) }) }

func (m *message) set(name, value string) { m.edit(func(q url.Values) { q.Set(name, value) }) }

func (m *message) at(fromNow time.Duration) {
	m.set("timestamp", fmt.Sprint(time.Now().Add(fromNow).UnixMilli()))
}

func (m *message) edit(change func(url.Values)) {
	query, err := url.ParseQuery(m.query)
	if err != nil {
		panic(err)
	}
	change(query)
	m.query = query.Encode()
}

func swapParameters(query string) string {
	first, rest, _ := strings.Cut(query, "&")
	return rest + "&" + first
}
