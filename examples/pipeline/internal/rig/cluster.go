package rig

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"

	"github.com/yotiface/yotiface/examples/pipeline/internal/engine"
)

// A Cluster is a number of nodes, each a process.
type Cluster struct {
	Nodes []*Process

	descriptions []string
	urls         []string
	log          io.Writer
}

// StartCluster starts n nodes on loopback that keep their streams below the folder. A single node is no cluster.
func StartCluster(n int, folder string, log io.Writer) (*Cluster, error) {
	ports, err := freePorts(2 * n)
	if err != nil {
		return nil, err
	}
	var peers []string
	for _, port := range ports[n:] {
		peers = append(peers, fmt.Sprintf("nats://127.0.0.1:%d", port))
	}
	c := &Cluster{log: log}
	for i := range n {
		node := engine.Node{Name: fmt.Sprintf("node%d", i), Dir: filepath.Join(folder, fmt.Sprint("node", i)), Port: ports[i]}
		if n > 1 {
			node.ClusterPort, node.Peers = ports[n+i], peers
		}
		description, err := json.Marshal(node)
		if err != nil {
			return nil, err
		}
		c.descriptions = append(c.descriptions, string(description))
		c.urls = append(c.urls, fmt.Sprintf("nats://127.0.0.1:%d", ports[i]))
		c.Nodes = append(c.Nodes, nil)
		if err := c.StartNode(i); err != nil {
			return nil, errors.Join(err, c.Stop())
		}
	}
	return c, nil
}

// StartNode starts a node for the first time, or again.
func (c *Cluster) StartNode(i int) error {
	p, err := Start("engine", c.log, nil, c.descriptions[i])
	if err != nil {
		return err
	}
	c.Nodes[i] = p
	if line, err := p.Out.ReadString('\n'); err != nil || line != "ready\n" {
		return fmt.Errorf("rig: node %d does not start: %w", i, err)
	}
	return nil
}

// URLs are those of all nodes, with commas between them.
func (c *Cluster) URLs() string { return strings.Join(c.urls, ",") }

// Stop stops all nodes.
func (c *Cluster) Stop() error {
	var errs []error
	for _, p := range c.Nodes {
		if p != nil {
			errs = append(errs, p.Stop())
		}
	}
	return errors.Join(errs...)
}

// freePorts finds ports that nobody listens on.
func freePorts(n int) (ports []int, err error) {
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close() // only at the end, so that all are different
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
