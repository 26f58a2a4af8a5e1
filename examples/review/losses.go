package main

import "sync"

// losses remember which faces reviewers asked for in vain: somebody who could not see a face has not compared it. It is
// known of each face and reviewer, the newest ones, how it went the last time.
type losses struct {
	limit int

	mu    sync.Mutex
	lost  map[asked]bool
	order []asked
}

// asked is a face, by its URL, and who wanted to see it.
type asked struct{ by, src string }

func newLosses(limit int) *losses { return &losses{limit: limit, lost: map[asked]bool{}} }

// keep remembers whether a face was lost.
func (l *losses) keep(face asked, lost bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.put(face, lost)
}

// left remembers that a browser did not wait for a face. It may have it already, and then this was about nothing.
func (l *losses) left(face asked) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.lost[face]; !known {
		l.put(face, true)
	}
}

func (l *losses) put(face asked, lost bool) {
	if _, known := l.lost[face]; !known {
		l.order = append(l.order, face)
	}
	l.lost[face] = lost
	if len(l.order) > l.limit {
		delete(l.lost, l.order[0])
		l.order = l.order[1:]
	}
}

// any reports whether a reviewer could not see one of these faces.
func (l *losses) any(by string, srcs ...string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, src := range srcs {
		if l.lost[asked{by, src}] {
			return true
		}
	}
	return false
}
