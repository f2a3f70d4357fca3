package envtest

import (
	"context"
	"errors"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance/target/fake"
	"github.com/plumbline-ci/plumbline/simulator"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// actorOutside is who does what other goroutines ask for.
const actorOutside = "outside"

// node is the simulated part of the cluster. All of it runs on the goroutine of its kernel.
type node struct {
	time    *kernel.RealTime
	actors  *simulator.Actors
	running context.Context
}

// api is the real API server as the actors know it.
type api struct {
	client borrowing
	source *source
}

// Client implements simulator.API. The server does not tell actors apart.
func (a api) Client(string) client.Client { return a.client }

// Source implements simulator.API.
func (a api) Source() informer.Source { return a.source }

// startNode starts the simulated part.
func (m *machine) startNode(t *Target) (*node, error) {
	shared, err := cache.New(m.plane.Config, cache.Options{Scheme: t.scheme})
	if err != nil {
		return nil, fmt.Errorf("making the node's cache: %w", err)
	}
	images, err := t.parts.Pullable()
	if err != nil {
		return nil, err
	}
	k := kernel.New(kernel.Options{})
	n := &node{time: kernel.NewRealTime(k), running: m.running}
	events := &source{ctx: m.running, cache: shared, scheme: t.scheme, post: func(what string, run func()) bool {
		return n.time.Post(actorOutside, what, run)
	}}
	written := newBacklog()
	m.spawn("the node's cache", shared.Start)
	m.spawn("the events of the node", written.run)
	m.spawn("the simulated node", n.time.Run)
	failed := n.do(m.running, func() {
		n.actors, err = simulator.Attach(k, api{borrowing{m.client, written}, events}, simulator.Options{
			Programs: fake.Programs(), Images: images, API: apiserver.Options{Kinds: fake.Kinds()},
		})
	})
	return n, errors.Join(failed, err)
}

// do has work done on the kernel's goroutine, and waits for it.
func (n *node) do(ctx context.Context, run func()) error {
	done := make(chan struct{})
	if !n.time.Post(actorOutside, "call", func() { defer close(done); run() }) {
		return context.Cause(n.running)
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-n.running.Done():
		return context.Cause(n.running)
	}
}
