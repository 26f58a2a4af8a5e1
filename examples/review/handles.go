package main

import (
	"crypto/rand"
	"sync"
)

// handles names things in URLs, which get into logs and histories where no ID of a person should be. A handle is random,
// always the same for the same thing, and worthless when the process has ended.
type handles[T comparable] struct {
	limit int // how many are kept, the newest ones; 0: all

	mu    sync.Mutex
	names map[T]string
	told  map[string]T
	order []string
}

func newHandles[T comparable](limit int) *handles[T] {
	return &handles[T]{limit: limit, names: map[T]string{}, told: map[string]T{}}
}

// of returns the handle of a thing.
func (h *handles[T]) of(thing T) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if name, ok := h.names[thing]; ok {
		return name
	}
	name := rand.Text()
	h.names[thing], h.told[name] = name, thing
	h.order = append(h.order, name)
	if h.limit > 0 && len(h.order) > h.limit {
		oldest := h.order[0]
		h.order = h.order[1:]
		delete(h.names, h.told[oldest])
		delete(h.told, oldest)
	}
	return name
}

// lookUp returns what a handle was given to.
func (h *handles[T]) lookUp(name string) (thing T, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	thing, ok = h.told[name]
	return thing, ok
}
