package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// The ports of the service: one for each client whose connections are counted, so that a late one of another client does
// not count.
const (
	forYotiface = iota
	forOfficial
	forTuned
	forHTTP2 // this one speaks HTTP/2 too, the others only HTTP/1.1
	forOthers
	ports
)

// world is what the service tells the client about itself.
type world struct {
	URLs        [ports]string
	Certificate []byte // DER
}

// opened is how many connections were opened to each port.
type opened [ports]int

// service is the process that serves.
type service struct {
	world   world
	process *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Reader
}

// startService starts this program again, as the service: a process of its own, so that what is measured is the client.
func startService() (*service, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &service{process: exec.Command(self, "-serve")} //nolint:gosec,noctx // itself; it ends with its input
	s.process.Stderr = os.Stderr
	if s.input, err = s.process.StdinPipe(); err != nil {
		return nil, err
	}
	output, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.output = bufio.NewReader(output)
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	return s, s.read(&s.world)
}

func (s *service) read(v any) error {
	line, err := s.output.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the service has gone: %w", err)
	}
	return json.Unmarshal(line, v)
}

// opened tells how many connections were opened to each port since it was last called.
func (s *service) opened() (o opened, err error) {
	if _, err := io.WriteString(s.input, "\n"); err != nil {
		return o, err
	}
	return o, s.read(&o)
}

func (s *service) stop() error {
	if err := s.input.Close(); err != nil {
		return err
	}
	return s.process.Wait()
}

// serve is the service, until its input ends. It answers from memory and verifies no signature: its work is not to be
// noticed beside the client's.
func serve() error {
	certificate, err := newCertificate()
	if err != nil {
		return err
	}
	session, err := documentedSession()
	if err != nil {
		return err
	}
	var counts [ports]atomic.Int64
	answer := handler(newAnswers(session))
	listen := func(port int) (string, error) {
		listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // at once
		if err != nil {
			return "", err
		}
		var protocols http.Protocols
		protocols.SetHTTP1(true)
		protocols.SetHTTP2(port == forHTTP2)
		server := &http.Server{
			Handler:           answer,
			Protocols:         &protocols,
			TLSConfig:         &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
			ErrorLog:          log.New(io.Discard, "", 0), // clients that hang up while they connect
			ReadHeaderTimeout: time.Minute,
			ConnState: func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					counts[port].Add(1)
				}
			},
		}
		go func() { _ = server.ServeTLS(listener, "", "") }()
		return "https://" + listener.Addr().String(), nil
	}
	w := world{Certificate: certificate.Certificate[0]}
	for port := range w.URLs {
		if w.URLs[port], err = listen(port); err != nil {
			return err
		}
	}
	tell := json.NewEncoder(os.Stdout)
	if err := tell.Encode(w); err != nil {
		return err
	}
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
		var o opened
		for port := range o {
			o[port] = int(counts[port].Swap(0))
		}
		if err := tell.Encode(o); err != nil {
			return err
		}
	}
	return nil
}

// Variants of every path: an answer that is held back, as by a network, and one whose length is not declared.
const (
	heldBack   = "/held-back"
	undeclared = "/undeclared"
	delay      = 20 * time.Millisecond
)

func handler(answers answers) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		path, late := strings.CutPrefix(r.URL.Path, heldBack)
		path, chunked := strings.CutPrefix(path, undeclared)
		if r.Method == http.MethodPost {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		if late {
			time.Sleep(delay)
		}
		body := answers.to(path)
		if body == nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if !chunked {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		}
		_, _ = w.Write(body)
	}
}

// newCertificate makes a certificate for the loopback address, signed by itself.
func newCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
