package fake

import (
	"context"
	"time"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

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
