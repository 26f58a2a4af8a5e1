package yotitest

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/yotiface/yotiface"
)

// The topics of the notifications that the server sends.
const (
	topicSession      = string(yotiface.TopicSessionCompletion)
	topicCheck        = string(yotiface.TopicCheckCompletion)
	topicResource     = string(yotiface.TopicResourceUpdate)
	topicTokenDeleted = string(yotiface.TopicClientSessionTokenDeleted)
)

// Delivery is a notification that a [Server] has sent, or tried to.
type Delivery struct {
	yotiface.Notification

	Endpoint string // where to, as the session was created with
	Status   int    // of the answer; 0 where there was none
	Err      error  // why there was none; nil where there was one, of whatever status
}

// Notifications returns the notifications that have been sent so far, in the
// order in which they were answered. Those that were dropped are not among them.
func (s *Server) Notifications() []Delivery {
	return s.deliveries.list()
}

type deliveries struct {
	mu   sync.Mutex
	sent []Delivery
}

func (d *deliveries) add(delivery Delivery) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sent = append(d.sent, delivery)
}

func (d *deliveries) list() []Delivery {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.sent)
}

// wants reports whether notifications of a topic are to be sent. Where no topic
// was named that is the completion of the session alone.
func (sub *subscription) wants(topic yotiface.Topic) bool {
	if len(sub.Topics) == 0 {
		return topic == yotiface.TopicSessionCompletion
	}
	return slices.ContainsFunc(sub.Topics, func(t string) bool { return strings.EqualFold(t, string(topic)) })
}

// authorization is the header that notifications carry; "" for none. Without an
// auth_type it is a Basic one. The token is encoded as it is, whether it has a
// colon or not.
func (sub *subscription) authorization() string {
	switch {
	case sub.AuthToken == "":
		return ""
	case sub.AuthType == authBearer:
		return "Bearer " + sub.AuthToken
	default:
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(sub.AuthToken))
	}
}

// notify sends what has happened to whoever wants to know, one after the other,
// and returns when the last has been answered.
func (s *Server) notify(sub *subscription, events []yotiface.Notification) {
	for _, event := range events {
		delivery := Delivery{Notification: event, Endpoint: sub.Endpoint}
		delivery.Status, delivery.Err = s.deliver(sub, event)
		s.deliveries.add(delivery)
	}
}

var errNotLoopback = errors.New("yotitest: notifications are sent to this machine only")

// maxDeliveryTime is how long a notification may wait for its answer.
const maxDeliveryTime = 10 * time.Second

// courier is what notifications go through. It keeps no connection, so that none
// is left when a test ends, and follows no redirect.
var courier = &http.Client{
	Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{
			MinVersion:         tls.VersionTLS12,
			InsecureSkipVerify: true, //nolint:gosec // G402: it talks to this machine only, where tests make their own certificates
		},
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// deliver sends one notification and returns the status of the answer.
func (s *Server) deliver(sub *subscription, event yotiface.Notification) (status int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), maxDeliveryTime)
	defer cancel()
	go func() {
		select {
		case <-s.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	body := document(0, struct {
		SessionID  string `json:"session_id"`
		CheckID    string `json:"check_id,omitempty"`
		ResourceID string `json:"resource_id,omitempty"`
		Topic      string `json:"topic"`
	}{event.SessionID, event.CheckID, event.ResourceID, string(event.Topic)}).body
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, sub.Endpoint, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	if !isLoopback(r.URL.Hostname()) {
		return 0, errNotLoopback
	}
	r.Header.Set("Content-Type", "application/json")
	if authorization := sub.authorization(); authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	resp, err := courier.Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, maxRequestBytes) // the status is the answer
	return resp.StatusCode, nil
}
