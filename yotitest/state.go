package yotitest

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"sync"
)

// state is everything that the service knows. What is in its maps is never
// changed, only replaced, so that it can be read without the lock.
type state struct {
	mu         sync.RWMutex
	sessions   map[string]session
	media      map[mediaKey]blob
	applicants map[string]applicant
	pools      map[string]pool
}

type mediaKey struct{ sessionID, mediaID string }

// blob is bytes of a type, such as a picture, which may be drawn only when it is
// asked for.
type blob struct {
	contentType string
	data        func() []byte
}

func newBlob(contentType string, data []byte) blob {
	data = bytes.Clone(data)
	return blob{contentType, func() []byte { return data }}
}

func newState() state {
	return state{
		sessions:   make(map[string]session),
		media:      make(map[mediaKey]blob),
		applicants: make(map[string]applicant),
		pools:      make(map[string]pool),
	}
}

// newUUID returns a random (version 4) UUID.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, by its documentation
	return formatUUID(b)
}

// formatUUID marks b as a version 4 UUID, whatever its bytes come from.
func formatUUID(b [16]byte) string {
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
