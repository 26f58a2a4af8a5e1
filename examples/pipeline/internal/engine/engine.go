// Package engine runs a node of the engine, NATS with JetStream, inside a Go program, and connects to one that runs
// elsewhere.
package engine

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// A Node says what a node is like.
type Node struct {
	Name string
	Dir  string // where its streams are kept
	Port int    // for clients, on loopback; -1 for any that is free, 0 for none: then only the program itself can connect

	// Of a node in a cluster:
	ClusterPort int
	Peers       []string // nats://host:port of the cluster's nodes

	// SyncAlways makes the node answer only when the disk has the data. A cluster does without: what two of three nodes
	// have survives the third. A node on its own would lose what it has acknowledged when the power fails.
	SyncAlways bool
}

const startTime = 30 * time.Second

// Start starts the node and returns when clients can connect.
func (n Node) Start() (*server.Server, error) {
	options := &server.Options{
		ServerName: n.Name,
		Host:       "127.0.0.1",
		Port:       n.Port,
		DontListen: n.Port == 0,
		JetStream:  true,
		StoreDir:   n.Dir,
		SyncAlways: n.SyncAlways,
		NoSigs:     true, // signals are the program's business
		NoLog:      true,
	}
	if n.ClusterPort != 0 {
		options.Cluster = server.ClusterOpts{Name: "pipeline", Host: "127.0.0.1", Port: n.ClusterPort}
		for _, peer := range n.Peers {
			u, err := url.Parse(peer)
			if err != nil {
				return nil, err
			}
			options.Routes = append(options.Routes, u)
		}
	}
	s, err := server.NewServer(options)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(startTime) {
		s.Shutdown()
		return nil, errors.New("engine: the node does not start")
	}
	return s, nil
}

// Connect connects to the node at a URL, or several with commas between them. The connection outlives the node: it looks
// for another one, or waits until there is one again, for ever.
func Connect(urls, name string, log *slog.Logger, opts ...nats.Option) (*nats.Conn, error) {
	opts = append([]nats.Option{
		nats.Name(name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(200 * time.Millisecond),
		nats.ReconnectJitter(200*time.Millisecond, 200*time.Millisecond),
		nats.RetryOnFailedConnect(true),
		nats.Timeout(5 * time.Second),
		nats.PingInterval(10 * time.Second),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil { // nil where the program itself hung up
				log.Warn("the connection to the engine is lost", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.Info("connected to the engine again") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if errors.Is(err, nats.ErrPermissionViolation) {
				err = nats.ErrPermissionViolation // its text has a subject, which can be the ID of a session
			}
			log.Warn("the engine complains", "error", err)
		}),
	}, opts...)
	return nats.Connect(urls, opts...)
}
