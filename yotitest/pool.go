package yotitest

import (
	"fmt"
	"net/http"
	"slices"
)

// pool is a set of applicants that are searched together. The applicants know
// their pools; a pool does not know its applicants.
type pool struct {
	ID    string `json:"id"`
	Label string `json:"label"`
}

// PutPool makes the server know a pool with applicants in it, and returns the
// pool's ID. It panics if there is no such applicant.
func (s *Server) PutPool(label string, applicantIDs ...string) (poolID string) {
	p := pool{newUUID(), label}
	s.state.putPool(p)
	for _, id := range applicantIDs {
		if a := s.state.join(p.ID, id); a.status != http.StatusNoContent {
			panic(fmt.Sprintf("yotitest: PutPool: there is no applicant %q", id))
		}
	}
	return p.ID
}

func (st *state) putPool(p pool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.pools[p.ID] = p
}

func (st *state) pool(id string) (pool, bool) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	p, ok := st.pools[id]
	return p, ok
}

// createPool answers POST /pools.
func (s *Server) createPool(c *call) answer {
	var payload struct {
		Label string `json:"label"`
	}
	if refusal, ok := c.read(&payload); !ok {
		return refusal
	}
	if payload.Label == "" {
		return invalidPayload(fieldError{"label", "must not be empty"})
	}
	p := pool{newUUID(), payload.Label}
	s.state.putPool(p)
	return document(http.StatusCreated, p)
}

// deletePool answers DELETE /pools/{pool_id}. The applicants stay, and are in one
// pool less.
func (s *Server) deletePool(c *call) answer {
	st := &s.state
	st.mu.Lock()
	defer st.mu.Unlock()
	p, ok := st.pools[c.ids[0]]
	if !ok {
		return notFound("pool")
	}
	delete(st.pools, p.ID)
	for id, a := range st.applicants {
		st.applicants[id] = a.without(p)
	}
	return noContent()
}

// addToPool answers POST /pools/{pool_id}/applicants. Whoever is in the pool
// already stays in it, once.
func (s *Server) addToPool(c *call) answer {
	var payload struct {
		ApplicantID string `json:"applicant_id"`
	}
	if refusal, ok := c.read(&payload); !ok {
		return refusal
	}
	if payload.ApplicantID == "" {
		return invalidPayload(fieldError{"applicant_id", "must not be empty"})
	}
	return s.state.join(c.ids[0], payload.ApplicantID)
}

func (st *state) join(poolID, applicantID string) answer {
	st.mu.Lock()
	defer st.mu.Unlock()
	p, ok := st.pools[poolID]
	if !ok {
		return notFound("pool")
	}
	a, ok := st.applicants[applicantID]
	if !ok {
		return notFound("applicant")
	}
	a = a.without(p)
	a.pools = append(a.pools, p)
	st.applicants[applicantID] = a
	return noContent()
}

// removeFromPool answers DELETE /pools/{pool_id}/applicants/{applicant_id}.
func (s *Server) removeFromPool(c *call) answer {
	st := &s.state
	st.mu.Lock()
	defer st.mu.Unlock()
	p, ok := st.pools[c.ids[0]]
	if !ok {
		return notFound("pool")
	}
	a := st.applicants[c.ids[1]]
	if !slices.Contains(a.pools, p) {
		return notFound("applicant")
	}
	st.applicants[c.ids[1]] = a.without(p)
	return noContent()
}

// without returns an applicant who is not in a pool, with a list of their own.
func (a applicant) without(p pool) applicant {
	a.pools = slices.DeleteFunc(slices.Clone(a.pools), func(other pool) bool { return other == p })
	return a
}
