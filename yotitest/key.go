package yotitest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"sync"
)

const keyBits = 2048 // the least that Yoti issues

type signingKey struct{ private *rsa.PrivateKey }

// spareKeys are the keys of servers that have been closed. Making a key takes
// longer than most tests, so the next server takes over a used one. Two servers
// that are open at the same time never share a key, and every server has an SDK
// ID of its own, so a client of one is of no use at another.
var spareKeys struct {
	sync.Mutex
	keys []*signingKey
}

func takeKey() *signingKey {
	spareKeys.Lock()
	if last := len(spareKeys.keys) - 1; last >= 0 {
		defer spareKeys.Unlock()
		key := spareKeys.keys[last]
		spareKeys.keys = spareKeys.keys[:last]
		return key
	}
	spareKeys.Unlock()

	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		panic(fmt.Sprintf("yotitest: making a key: %v", err))
	}
	return &signingKey{private}
}

func (k *signingKey) giveBack() {
	spareKeys.Lock()
	defer spareKeys.Unlock()
	spareKeys.keys = append(spareKeys.keys, k)
}

func (k *signingKey) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{
		Type:  "RSA PRIVATE KEY",
		Bytes: x509.MarshalPKCS1PrivateKey(k.private),
	})
}
