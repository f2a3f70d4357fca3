//plumbline:adapter the driver of real time

package kernel

import (
	"context"
	"time"
)

// RealTime drives a kernel by the machine's clock: an event runs when its time
// has come, and other goroutines may hand in work. It is an adapter to the world
// outside; a kernel under it promises no determinism.
type RealTime struct {
	k     *Kernel
	inbox chan posted
	done  chan struct{}
}

type posted struct {
	actor, what string
	run         func()
}

// NewRealTime puts k under the machine's clock. The kernel's epoch becomes the
// present, unless events have run already.
func NewRealTime(k *Kernel) *RealTime {
	start := time.Now()
	if k.steps == 0 && k.now == 0 {
		k.epoch = start.UTC()
	}
	offset := k.now
	k.wall = func() time.Duration { return offset + time.Since(start) }
	return &RealTime{k: k, inbox: make(chan posted, 1024), done: make(chan struct{})}
}

// Post hands run to the kernel; it is called on the kernel's goroutine as an
// event of the moment. Safe for concurrent use. It reports false once Run has
// returned: then run is never called.
func (r *RealTime) Post(actor, what string, run func()) bool {
	select {
	case <-r.done:
		return false
	default:
	}
	select {
	case r.inbox <- posted{actor, what, run}:
		return true
	case <-r.done:
		return false
	}
}

// Run runs events as their time comes until ctx ends. It returns ctx's error.
// It may be called once.
func (r *RealTime) Run(ctx context.Context) error {
	defer close(r.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		for {
			at, ok := r.k.Next()
			if !ok || at.After(r.k.Now()) || ctx.Err() != nil {
				break
			}
			r.k.Step()
			r.drain()
		}
		wait := time.Hour
		if at, ok := r.k.Next(); ok {
			wait = at.Sub(r.k.Now())
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case p := <-r.inbox:
			r.k.Soon(p.actor, p.what, p.run)
			r.drain()
		case <-timer.C:
		}
	}
}

// drain schedules everything that has been handed in, without waiting.
func (r *RealTime) drain() {
	for {
		select {
		case p := <-r.inbox:
			r.k.Soon(p.actor, p.what, p.run)
		default:
			return
		}
	}
}
