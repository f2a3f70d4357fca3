package envtest

import (
	"context"
	"errors"

	"github.com/plumbline-ci/plumbline/conformance/reference"
	simulated "github.com/plumbline-ci/plumbline/conformance/targets/node"
	"github.com/plumbline-ci/plumbline/simulator"
)

// node is the simulated part of the cluster. All of it runs on the goroutine of its kernel.
type node struct {
	*simulated.Node
	actors *simulator.Actors
}

// startNode starts the simulated part, which lasts as long as the machine.
func (m *machine) startNode(t *Target) (*node, error) {
	images, err := t.images.Pullable(nil)
	if err != nil {
		return nil, err
	}
	images.Guess()
	n := &node{}
	n.Node, err = simulated.Start(m.running, simulated.Options{
		Config: m.plane.Config, Scheme: t.scheme, Name: simulator.DefaultNode, Kinds: reference.Kinds(), Catalogue: images, Transient: true,
	})
	if err != nil {
		return nil, err
	}
	m.spawn("the simulated node", func(ctx context.Context) error {
		select {
		case <-ctx.Done():
		case <-n.Running().Done():
		}
		return errors.Join(n.Stop(), ctx.Err())
	})
	return n, n.Do(m.running, func(a *simulator.Actors) { n.actors = a })
}

// do has work done on the kernel's goroutine, and waits for it.
func (n *node) do(ctx context.Context, run func()) error {
	return n.Do(ctx, func(*simulator.Actors) { run() })
}
