package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/yotiface/yotiface"
	"github.com/yotiface/yotiface/yotitest"
)

// connect returns an account of Yoti's if one is set, and else one of a demo world, and completes the settings.
func connect(s *settings, stdout io.Writer) (*account, error) {
	if os.Getenv("YOTI_CLIENT_SDK_ID") == "" && os.Getenv("YOTI_KEY_FILE_PATH") == "" {
		return connectDemo(s, stdout)
	}
	if s.from == "" {
		return nil, errors.New("which images? Name a folder or a CSV with -from")
	}
	if s.pool == "" && s.label == "" {
		return nil, errors.New("which pool? Name it with -pool, or have one created with -create-pool")
	}
	client, err := yotiface.NewClientFromEnv(s.options()...)
	if err == nil && s.journal == "" {
		s.journal, err = beside(s.from)
	}
	if err != nil {
		return nil, err
	}
	return &account{client, os.Getenv("YOTI_CLIENT_SDK_ID"), client.CloseIdleConnections}, nil
}

// options are those of the client. It tries again by itself what is safe to send twice; for the rest see steps.go.
func (s *settings) options() []yotiface.Option {
	return []yotiface.Option{
		yotiface.WithAttemptTimeout(s.timeout),
		yotiface.WithRetryPolicy(yotiface.RetryPolicy{MinBackoff: min(s.backoff, maxBackoff), MaxBackoff: maxBackoff}),
		yotiface.WithUserAgent("yotiface-enrol"),
	}
}

// connectDemo starts a demo world. What it does not know after its end is kept in a temporary folder, the journal above all.
func connectDemo(s *settings, stdout io.Writer) (*account, error) {
	folder, err := os.MkdirTemp("", "enrol-")
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(stdout, "Demo world: no account is set, so this asks a Yoti in memory, on this machine. Nobody in it exists.")
	if s.from == "" {
		if s.from, err = drawFaces(folder); err != nil {
			return nil, err
		}
		fmt.Fprintln(stdout, "The faces were drawn into", s.from)
	}
	if s.pool == "" {
		s.label = cmp.Or(s.label, "DEMO")
	}
	s.journal = cmp.Or(s.journal, filepath.Join(folder, "journal"))
	s.report = cmp.Or(s.report, filepath.Join(folder, "report.csv"))
	fmt.Fprintf(stdout, "The journal is %s\nThe report is %s\n\n", s.journal, s.report)

	world := yotitest.Demo()
	client := world.Client(s.options()...)
	return &account{client, world.SDKID(), func() {
		client.CloseIdleConnections()
		world.Close()
	}}, nil
}

// drawFaces draws a few people into a folder below another one. The last picture is there twice.
func drawFaces(parent string) (folder string, err error) {
	folder = filepath.Join(parent, "faces")
	root, err := os.OpenRoot(parent)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if err := root.Mkdir("faces", 0o700); err != nil {
		return "", err
	}
	var face []byte
	for i := range 8 {
		if i < 7 {
			face = yotitest.DrawFace(int64(100 + i))
		}
		if err := root.WriteFile(fmt.Sprintf("faces/person-%d.jpg", i+1), face, 0o600); err != nil {
			return "", err
		}
	}
	return folder, nil
}
