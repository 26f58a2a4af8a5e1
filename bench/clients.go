package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	stdjson "encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/getyoti/yoti-go-sdk/v3/docscan"
	"github.com/getyoti/yoti-go-sdk/v3/requests"
	"github.com/go-json-experiment/json"

	"github.com/yotiface/yotiface"
)

// clients are what is compared.
type clients struct {
	yotiface, yotifaceHeldBack, yotifaceUndeclared *yotiface.Client
	official, officialHTTP2, officialTuned         *docscan.Client

	tuned          *http.Transport // of officialTuned
	bare           bare
	hand, handSlow byHand
}

const sdkID = "7f2b1c9e-5d0a-4c3b-9a61-0d5e8f4b2a17"

func newClients(w world) (*clients, error) {
	certificate, err := x509.ParseCertificate(w.Certificate)
	if err != nil {
		return nil, err
	}
	// What all clients trust, so that each can be measured as it comes. See the go:debug line in main.go.
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	x509.SetFallbackRoots(roots)

	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	pemKey := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})

	c := &clients{tuned: newTunedTransport()}
	for _, each := range []struct {
		client **yotiface.Client
		url    string
	}{
		{&c.yotiface, w.URLs[forYotiface] + basePath},
		{&c.yotifaceHeldBack, w.URLs[forYotiface] + heldBack + basePath},
		{&c.yotifaceUndeclared, w.URLs[forYotiface] + undeclared + basePath},
	} {
		*each.client, err = yotiface.NewClient(sdkID, pemKey, yotiface.WithBaseURL(each.url), yotiface.WithMaxResponseBytes(64<<20))
		if err != nil {
			return nil, err
		}
	}
	for _, each := range []struct {
		client **docscan.Client
		url    string
	}{
		{&c.official, w.URLs[forOfficial] + basePath},
		{&c.officialHTTP2, w.URLs[forHTTP2] + basePath},
		{&c.officialTuned, w.URLs[forTuned] + basePath},
	} {
		*each.client, err = docscan.NewClient(sdkID, pemKey)
		if err != nil {
			return nil, err
		}
		(*each.client).OverrideAPIURL(each.url)
	}
	c.officialTuned.HTTPClient = &http.Client{Transport: c.tuned}
	c.bare = bare{key: key, url: w.URLs[forOthers] + basePath, http: &http.Client{Transport: newTunedTransport()}}
	c.hand = byHand{key: key, url: w.URLs[forOthers] + basePath, http: &http.Client{Transport: newTunedTransport()}}
	c.handSlow = byHand{key: key, url: w.URLs[forOthers] + heldBack + basePath, http: c.hand.http}
	return c, nil
}

// newTunedTransport is a transport with room for every connection that the callers use.
func newTunedTransport() *http.Transport {
	var http1 http.Protocols
	http1.SetHTTP1(true)
	return &http.Transport{Protocols: &http1, MaxIdleConns: 1024, MaxIdleConnsPerHost: 1024}
}

// bare does the least that reading a session takes: one signature, one exchange, one decoding. It signs only what it
// sends, looks at nothing and tries nothing again.
type bare struct {
	key  *rsa.PrivateKey
	url  string
	http *http.Client
}

// plainSession is the library's type without its methods.
type plainSession yotiface.Session

func (b bare) getSession(id string) (*plainSession, error) {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:])
	path := "/sessions/" + id + "?sdkId=" + sdkID +
		fmt.Sprintf("&nonce=%X-%X-%X-%X-%X", nonce[:4], nonce[4:6], nonce[6:8], nonce[8:10], nonce[10:]) +
		"&timestamp=" + strconv.FormatInt(time.Now().UnixMilli(), 10)
	signature, err := b.sign("GET&" + path)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, b.url+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header = http.Header{
		"Accept":             {"application/json"},
		"User-Agent":         {"yotiface/" + yotiface.Version},
		"X-Yoti-Auth-Digest": {base64.StdEncoding.EncodeToString(signature)},
		"X-Yoti-Sdk":         {"Go"},
		"X-Yoti-Sdk-Version": {"3.9.0"},
	}
	resp, err := b.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	var session plainSession
	err = json.Unmarshal(body, &session)
	return &session, err
}

func (b bare) sign(text string) ([]byte, error) {
	digest := sha256.Sum256([]byte(text))
	return rsa.SignPKCS1v15(rand.Reader, b.key, crypto.SHA256, digest[:])
}

// byHand is what a team writes that needs what the official client lacks: requests signed by the official package,
// io.ReadAll, encoding/json.
type byHand struct {
	key  *rsa.PrivateKey
	url  string
	http *http.Client
}

// do makes a request and returns the response to a success.
func (h byHand) do(method, path string, body []byte) (*http.Response, error) {
	req, err := requests.SignedRequest{
		Key:        h.key,
		HTTPMethod: method,
		BaseURL:    h.url,
		Endpoint:   path,
		Headers:    requests.JSONHeaders(),
		Params:     map[string]string{"sdkId": sdkID},
		Body:       body,
	}.Request()
	if err != nil {
		return nil, err
	}
	resp, err := h.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, errors.Join(errors.New(resp.Status), resp.Body.Close())
	}
	return resp, nil
}

func (h byHand) read(method, path string, body []byte, v any) error {
	resp, err := h.do(method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return stdjson.Unmarshal(answer, v)
}

func facePath(applicantID, faceID string) string {
	return "/applicant/" + applicantID + "/faces/" + faceID
}

// discardFace receives a face and looks at nothing.
func (h byHand) discardFace(applicantID, faceID string) error {
	resp, err := h.do(http.MethodGet, facePath(applicantID, faceID), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func (h byHand) getFace(applicantID, faceID string) ([]byte, error) {
	var answer struct {
		Face struct {
			Data        string `json:"data"`
			ContentType string `json:"content_type"`
		} `json:"face"`
	}
	if err := h.read(http.MethodGet, facePath(applicantID, faceID), nil, &answer); err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(answer.Face.Data)
}

// matchedFaces reads a session, and then the applicants and their faces one after the other.
func (h byHand) matchedFaces(sessionID string) (images [][]byte, err error) {
	var session struct {
		Checks []struct {
			Type   string `json:"type"`
			Report struct {
				Breakdown []struct {
					Details []struct {
						Name  string `json:"name"`
						Value string `json:"value"`
					} `json:"details"`
				} `json:"breakdown"`
			} `json:"report"`
		} `json:"checks"`
	}
	if err := h.read(http.MethodGet, "/sessions/"+sessionID, nil, &session); err != nil {
		return nil, err
	}
	for _, check := range session.Checks {
		for _, sub := range check.Report.Breakdown {
			for _, d := range sub.Details {
				if check.Type != "FAMILIAR_FACE_SEARCH" || d.Name != "matching_applicant" {
					continue
				}
				var applicant struct {
					Faces struct {
						Archetype string `json:"archetype_face"`
					} `json:"faces"`
				}
				if err := h.read(http.MethodGet, "/applicant/"+d.Value, nil, &applicant); err != nil {
					return nil, err
				}
				image, err := h.getFace(d.Value, applicant.Faces.Archetype)
				if err != nil {
					return nil, err
				}
				images = append(images, image)
			}
		}
	}
	return images, nil
}

// enrol creates an applicant with a face.
func (h byHand) enrol(image []byte) (id string, err error) {
	body, err := stdjson.Marshal(map[string]any{"face": map[string]any{"data": image}})
	if err != nil {
		return "", err
	}
	var applicant struct {
		ID string `json:"id"`
	}
	err = h.read(http.MethodPost, "/applicants", body, &applicant)
	return applicant.ID, err
}
