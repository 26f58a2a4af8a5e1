package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/yotiface/yotiface/yotitest"
)

// world is what the service tells the client about itself.
type world struct {
	URL, SDKID string
	Key        []byte
	Sessions   []string
	Applicants []string
	Media      []string // of the first session
	Blob       []byte   // the content of all media
	Face       []byte   // the face of all applicants
}

// served is what the service tells at the end.
type served struct {
	Requests    int
	NoncesTwice int
	Faults      map[string]int
}

// service is the process that serves.
type service struct {
	world   world
	process *exec.Cmd
	input   io.Closer
	output  *bufio.Reader
}

func startService(seed uint64) (*service, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &service{process: exec.Command(self, "-serve", "-seed", strconv.FormatUint(seed, 10))} //nolint:gosec // itself
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

func (s *service) stop() (end served, err error) {
	if err := s.input.Close(); err != nil {
		return end, err
	}
	if err := s.read(&end); err != nil {
		return end, err
	}
	return end, s.process.Wait()
}

// faults are what can go wrong with a request, by name. Those that last are short, so that there is time for many.
var faults = []struct {
	name string
	make func(*rand.Rand) yotitest.Fault
}{
	{"500", func(*rand.Rand) yotitest.Fault { return yotitest.Status(500) }},
	{"502 with HTML", func(*rand.Rand) yotitest.Fault { return yotitest.Status(502).Body([]byte("<html>bad gateway</html>")) }},
	{"503", func(*rand.Rand) yotitest.Fault { return yotitest.Status(503) }},
	{"429", func(*rand.Rand) yotitest.Fault { return yotitest.Status(429) }},
	{"401", func(*rand.Rand) yotitest.Fault { return yotitest.Status(401) }},
	{"redirect", func(*rand.Rand) yotitest.Fault { return yotitest.Redirect("https://elsewhere.example/") }},
	{"204", func(*rand.Rand) yotitest.Fault { return yotitest.Status(204) }},
	{"drop", func(*rand.Rand) yotitest.Fault { return yotitest.Drop() }},
	{"drop unread", func(*rand.Rand) yotitest.Fault { return yotitest.DropUnread() }},
	{"drip", func(r *rand.Rand) yotitest.Fault {
		return yotitest.Drip(time.Duration(r.IntN(int(time.Millisecond))))
	}},
	{"stall", func(*rand.Rand) yotitest.Fault { return yotitest.Stall() }},
	{"truncate", func(r *rand.Rand) yotitest.Fault { return yotitest.Truncate(r.IntN(4000)) }},
	{"slow", func(r *rand.Rand) yotitest.Fault {
		return yotitest.Slow(time.Duration(r.IntN(200)) * time.Millisecond)
	}},
	{"garbage", func(*rand.Rand) yotitest.Fault { return yotitest.Garbage() }},
}

// serve is the service: it tells the world, injects a fault every few milliseconds, and tells what it saw when its input
// ends.
func serve(seed uint64) {
	demo := yotitest.Demo()
	defer demo.Close()
	w := world{
		URL: demo.URL(), SDKID: demo.SDKID(), Key: demo.KeyPEM(),
		Face: yotitest.DrawFace(1), Blob: yotitest.DrawCapture(1),
	}
	for _, s := range demo.Sessions {
		w.Sessions = append(w.Sessions, s.ID)
	}
	for range 4 {
		w.Applicants = append(w.Applicants, demo.PutApplicant(w.Face))
		w.Media = append(w.Media, demo.PutMedia(w.Sessions[0], "image/jpeg", w.Blob))
	}
	tell := json.NewEncoder(os.Stdout)
	_ = tell.Encode(w)

	closed := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(closed)
	}()
	end := served{Faults: map[string]int{}}
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // repeatable on purpose
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			fault := faults[random.IntN(len(faults))]
			demo.Inject(fault.make(random))
			end.Faults[fault.name]++
			continue
		case <-closed:
		}
		break
	}
	seen := map[string]bool{}
	for _, r := range demo.Requests() {
		end.Requests++
		if seen[r.Nonce] {
			end.NoncesTwice++
		}
		seen[r.Nonce] = true
	}
	_ = tell.Encode(end)
}
