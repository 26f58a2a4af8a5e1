package yotiface

import "net/http"

// NewOwnHTTPClient returns an HTTP client like the one that every Client has by default, but with a transport of its own
// that change can adapt: whom it trusts, or how it finds a host.
func NewOwnHTTPClient(change func(*http.Transport)) *http.Client {
	transport := newTransport()
	change(transport)
	return &http.Client{Transport: newFrugalTransport(transport)}
}

// HostsInUse returns how many hosts the transport of an own HTTP client counts requests or connections for.
func HostsInUse(hc *http.Client) int {
	f := hc.Transport.(*frugalTransport)
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.hosts)
}
