package fake

import (
	"context"
	"time"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// Attached is a subject that runs by itself, as the cluster drives it. Its methods are called on the kernel's goroutine,
// where it makes its requests too, and only while one of its methods runs.
//
// The rule is that the clock moves only when the subject is quiet: when all of it waits, for the cluster or for time to
// pass. So it is never too slow, whatever the machine is doing.
type Attached interface {
	// Settle lets the subject work, at this instant, until it is quiet.
	Settle() error
	// Advance lets time pass for a quiet subject, up to t or until it asks the cluster for something; then the kernel's
	// clock has come along. It returns what time it is.
	Advance(t time.Time) (time.Time, error)
	// Check says what the subject has done that nobody may do, such as changing objects of its caches.
	Check() error
	// Close ends the subject. The error says what of it is left.
	Close() error
}

// waitAttached is WaitUntil for a subject that runs by itself.
func (c *Cluster) waitAttached(ctx context.Context, deadline time.Time, cond func() bool) error {
	k := c.sim.Kernel()
	for steps := uint64(0); ; steps++ {
		if err := c.attached.Settle(); err != nil {
			return err
		}
		if c.failed != nil {
			return c.failed
		}
		if cond() {
			return c.attached.Check()
		}
		if steps >= c.maxEvents {
			return &kernel.BudgetError{Steps: steps, After: k.Elapsed(), Reason: "event budget"}
		}
		if steps%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		next, any := k.Next()
		last := !any || next.After(deadline)
		if last {
			next = deadline
		}
		if next.After(k.Now()) {
			now, err := c.attached.Advance(next)
			if err != nil {
				return err
			}
			if now.Before(next) {
				continue // it has asked for something, so there may be other events
			}
		}
		if !last {
			k.Step()
			continue
		}
		if k.Now().Before(deadline) {
			k.RunUntil(deadline)
			continue // who waited for this very instant has its turn
		}
		if err := c.attached.Check(); err != nil {
			return err
		}
		return conformance.ErrDeadline
	}
}

// detach ends a subject that runs by itself.
func (c *Cluster) detach() error {
	if c.attached == nil {
		return nil
	}
	return c.attached.Close()
}
