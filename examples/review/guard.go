package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// policy lets a page load its own files, and nothing else: no script or style inside the page, no frame around it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guarded puts before a handler what holds for every request: the headers, the Host check, and a line in the log that
// names the route and nothing of what it was asked for.
func guarded(next http.Handler, hosts map[string]bool, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, seen := time.Now(), &statusWriter{ResponseWriter: w, status: http.StatusOK}
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), clipboard-read=()")
		h.Set("X-Robots-Tag", "noindex")
		defer func() { //nolint:contextcheck // it logs with the one of the request
			log.InfoContext(r.Context(), "request", slog.String("method", r.Method), slog.String("route", r.Pattern),
				slog.Int("status", seen.status), slog.Duration("took", time.Since(start).Round(time.Millisecond)))
		}()
		if !hosts[strings.ToLower(r.Host)] {
			// A stranger's page can make a name of its own point to this machine, and would be "same origin" then.
			http.Error(seen, "This page is not served under that name.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(seen, r)
	})
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController flush.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// address is where the page listens, and under which names it is reached.
type address struct {
	listen   string // for net.Listen
	origin   string // "" for the loopback address
	loopback bool
	secure   bool // reached over https
}

// newAddress checks what was asked for: a page with faces is served to this machine alone or, through a proxy that
// speaks https, under a name that was said.
func newAddress(listen, origin string) (address, error) {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return address{}, fmt.Errorf("-addr should look like 127.0.0.1:8080: %w", err)
	}
	a := address{listen: listen, loopback: isLoopback(host)}
	if origin == "" {
		if !a.loopback {
			return address{}, errors.New("-addr is not a loopback address, so faces would go over the network in the clear: " +
				"put a proxy with https before it, and say with -origin https://… how it is reached")
		}
		return a, nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return address{}, errors.New("-origin should look like https://review.example.com")
	}
	a.secure = u.Scheme == "https"
	if !a.secure && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return address{}, errors.New("-origin should begin with https:// unless it is on this machine")
	}
	a.origin = u.Scheme + "://" + strings.ToLower(u.Host)
	return a, nil
}

// hosts are the values of the Host header that are answered, for a page that listens on port.
func (a address) hosts(port string) map[string]bool {
	hosts := map[string]bool{}
	if a.loopback {
		for _, name := range []string{"localhost", "127.0.0.1", "[::1]"} {
			hosts[name+":"+port] = true
			if port == "80" {
				hosts[name] = true
			}
		}
	}
	if _, host, ok := strings.Cut(a.origin, "://"); ok {
		hosts[host] = true
	}
	return hosts
}

// url is what to open in a browser.
func (a address) url(listening net.Addr) string {
	if a.origin != "" {
		return a.origin + "/"
	}
	return "http://" + listening.String() + "/"
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || (err == nil && addr.IsLoopback())
}
