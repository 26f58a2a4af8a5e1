package rig

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/yotiface/yotiface/examples/pipeline/internal/engine"
)

const roleVariable = "PIPELINE_RIG"

// Role is what a process has been started to be, with [Start]; "" for one that a person has started.
func Role() string { return os.Getenv(roleVariable) }

// Main is the main function of a process whose role is of the rig itself; ok is false if it is not.
func Main() (status int, ok bool) {
	var err error
	switch Role() {
	case "yoti":
		err = ServeYoti(os.Stdin, os.Stdout)
	case "engine":
		err = serveEngine(os.Args[1])
	default:
		return 0, false
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1, true
	}
	return 0, true
}

// serveEngine is a node until its input ends.
func serveEngine(description string) error {
	var node engine.Node
	if err := json.Unmarshal([]byte(description), &node); err != nil {
		return err
	}
	s, err := node.Start()
	if err != nil {
		return err
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}

// A Process is another process of this program.
type Process struct {
	Out *bufio.Reader // of its standard output

	cmd   *exec.Cmd
	in    io.WriteCloser
	mu    sync.Mutex
	ended chan struct{}
	err   error
}

// Start starts this program again, to be something else. What it writes to its standard error goes to log.
func Start(role string, log io.Writer, env []string, args ...string) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &Process{cmd: exec.Command(self, args...), ended: make(chan struct{})} //nolint:gosec,noctx // itself, ended by Stop and Kill
	p.cmd.Env = append(append(os.Environ(), roleVariable+"="+role), env...)
	p.cmd.Stderr = log
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stdout = in
	p.Out = bufio.NewReader(out)
	err = p.cmd.Start()
	_ = in.Close()
	if err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// Tell writes a value to the process, and Hear reads one from it.
func (p *Process) Tell(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err = p.in.Write(append(line, '\n'))
	return err
}

// Hear reads a value that the process has written.
func (p *Process) Hear(v any) error {
	line, err := p.Out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("rig: the process has gone: %w", err)
	}
	return json.Unmarshal(line, v)
}

// Signal sends a signal.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Kill ends the process with SIGKILL, and waits for that.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.ended
}

var errStillRuns = errors.New("rig: the process does not end")

// Wait waits until the process has ended, and returns an error if its status is not 0.
func (p *Process) Wait(limit time.Duration) error {
	select {
	case <-p.ended:
		return p.err
	case <-time.After(limit):
		return errStillRuns
	}
}

// Stop closes the input of the process, which ends those of the rig.
func (p *Process) Stop() error {
	_ = p.in.Close()
	return p.Wait(20 * time.Second)
}

// CPU is what an ended process has used.
func (p *Process) CPU() time.Duration {
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// Terminate asks the process to end, as an orchestrator does.
func (p *Process) Terminate() error { return p.Signal(syscall.SIGTERM) }

// StartYoti starts a Yoti process.
func StartYoti(log io.Writer) (*Process, World, error) {
	p, err := Start("yoti", log, nil)
	if err != nil {
		return nil, World{}, err
	}
	var w World
	if err := p.Hear(&w); err != nil {
		p.Kill()
		return nil, World{}, err
	}
	return p, w, nil
}

// Env is the environment of a process that asks this Yoti. The key goes into a file in the folder.
func (w World) Env(folder string) ([]string, error) {
	file := filepath.Join(folder, "key.pem")
	if err := os.WriteFile(file, w.Key, 0o600); err != nil {
		return nil, err
	}
	return []string{"YOTI_CLIENT_SDK_ID=" + w.SDKID, "YOTI_KEY_FILE_PATH=" + file, "YOTI_DOC_SCAN_API_URL=" + w.URL}, nil
}
