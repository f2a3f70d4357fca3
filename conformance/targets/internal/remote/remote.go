// Package remote is what the targets with a real API server have in common: watches that show every version, and waiting on
// real time.
//
// A [World] lasts as long as its context. The code that finds it broken ends it, and every call that waits returns the reason.
//
//	remote.go    the world, and waiting for it to change
//	observer.go  watches
package remote

import (
	"context"
	"fmt"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance"
)

// PollInterval is how often a condition is asked without news.
const PollInterval = 500 * time.Millisecond

// World is a cluster behind a real API server. It is safe for concurrent use.
type World struct {
	// Client reaches the API server, without a cache.
	Client client.WithWatch
	// News has everything that happens.
	News *News
	// Running is done when the world has ended; its cause says why.
	Running context.Context
	// Broke ends Running, for a reason.
	Broke context.CancelCauseFunc
}

// NewWorld returns a world that lasts until End, longer than ctx.
func NewWorld(ctx context.Context, c client.WithWatch) *World {
	w := &World{Client: c, News: NewNews()}
	w.Running, w.Broke = context.WithCancelCause(context.WithoutCancel(ctx))
	return w
}

// End ends the world, for a reason.
func (w *World) End(why error) {
	w.Broke(why)
	w.News.Tell()
}

// WaitUntil is that of conformance.Cluster.
func (w *World) WaitUntil(ctx context.Context, deadline time.Time, cond func() bool) error {
	late := time.NewTimer(time.Until(deadline))
	defer late.Stop()
	again := time.NewTicker(PollInterval)
	defer again.Stop()
	for {
		news := w.News.Next() // before cond: what happens meanwhile is not missed
		if cond() {
			return nil
		}
		select {
		case <-news:
		case <-again.C:
		case <-late.C:
			if cond() {
				return nil
			}
			return conformance.ErrDeadline
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-w.Running.Done():
			return fmt.Errorf("the cluster broke: %w", context.Cause(w.Running))
		}
	}
}

// News wakes all goroutines that wait for something to happen.
type News struct {
	mu   sync.Mutex
	some chan struct{}
}

// NewNews returns news of which there are none yet.
func NewNews() *News { return &News{some: make(chan struct{})} }

// Next returns a channel that is closed at the next news.
func (n *News) Next() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.some
}

// Tell says that something happened.
func (n *News) Tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.some)
	n.some = make(chan struct{})
}
