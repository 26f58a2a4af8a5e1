package yotitest

import (
	"slices"
	"sync"
	"time"
)

// Request is a request that arrived at a [Server].
type Request struct {
	Method   string
	Endpoint string    // the template, as "/sessions/{session_id}"; the path itself where there is none
	Time     time.Time // of its arrival
	Nonce    string    // as sent
	Status   int       // of the answer; 0 until there is one, and if it is dropped or stalled
}

// Requests returns the requests that have arrived so far, in the order in which
// they did, those that were refused and those that met a fault among them.
func (s *Server) Requests() []Request {
	return s.journal.list()
}

type journal struct {
	mu       sync.Mutex
	requests []Request
}

// add notes a request and returns its place in the journal.
func (j *journal) add(c *call) (entry int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.requests = append(j.requests, Request{
		Method:   c.method,
		Endpoint: c.endpoint,
		Time:     time.Now(),
		Nonce:    c.query.Get("nonce"),
	})
	return len(j.requests) - 1
}

func (j *journal) answered(entry, status int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.requests[entry].Status = status
}

func (j *journal) list() []Request {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.requests)
}
