package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/plumbline-ci/plumbline/conformance/source"
)

// Pace says what a wait may cost, and what it is for.
type Pace int

const (
	// Real time passes while a wait lasts.
	Real Pace = iota
	// Tried is real time, for a fixture that counts for nothing.
	Tried
	// Virtual time costs nothing.
	Virtual
	// Disturbed is virtual time in which faults strike that the fixture does not know.
	Disturbed
)

// virtual reports whether waiting costs nothing.
func (p Pace) virtual() bool { return p == Virtual || p == Disturbed }

// Time allowed for waiting.
const (
	// DefaultBudget is what a wait gets on real time: thirty TaskRuns at once take half a minute.
	DefaultBudget = 120 * time.Second
	// triedBudget is what a wait gets on real time in a fixture that counts for nothing.
	triedBudget = 45 * time.Second
	// virtualBudget is what a wait gets on virtual time, where it costs nothing.
	virtualBudget = 24 * time.Hour
	// onceDisturbed is how long an action waits for what a fault may have prevented.
	onceDisturbed = 70 * time.Minute
)

// waits let the world go on.
type waits struct {
	clock Cluster
	pace  Pace
	// fixture is what the fixture allows for a wait, least what it gets at least on real time.
	fixture, least time.Duration
	// watch ends a wait when an invariant is broken.
	watch *oversight
}

// allowance is how long a wait under test may take; within is what the check says.
func (w *waits) allowance(within source.Duration) time.Duration {
	switch {
	case within > 0:
		return time.Duration(within)
	case w.pace.virtual():
		return max(virtualBudget, w.fixture)
	case w.pace == Tried:
		return triedBudget
	case w.fixture > 0:
		return max(w.fixture, w.least)
	}
	return max(DefaultBudget, w.least)
}

// patience is how long a wait may take that is not under test.
func (w *waits) patience() time.Duration {
	if w.pace == Tried {
		return w.allowance(0)
	}
	return max(DefaultBudget, w.allowance(0))
}

// wait lets the world go on until cond holds or the time is up (false, nil).
func (w *waits) wait(ctx context.Context, d time.Duration, cond func() bool) (bool, error) {
	held, hopeless := false, func() bool { return false }
	if w.pace == Disturbed {
		d, hopeless = min(d, onceDisturbed), w.watch.hopeless(w.clock.Now)
	}
	err := w.clock.WaitUntil(ctx, w.clock.Now().Add(d), func() bool {
		held = cond()
		return held || w.watch.broken() || hopeless()
	})
	if w.watch.broken() {
		return held, w.watch.violated()
	}
	switch {
	case err == nil:
		return held, nil
	case errors.Is(err, ErrDeadline):
		return false, nil
	}
	return false, fmt.Errorf("waiting: %w", err)
}

// until lets the world go on until cond holds, the time is up, or an invariant is broken, which is the error.
func (w *waits) until(ctx context.Context, d time.Duration, cond func() bool) error {
	_, err := w.wait(ctx, d, cond)
	return err
}

// waitWhile is wait, and ends as well when doomed has been true for the grace that what is over has: then early is true.
func (w *waits) waitWhile(ctx context.Context, d time.Duration, cond, doomed func() bool) (held, early bool, err error) {
	deadline := w.clock.Now().Add(d)
	for {
		stopped, err := w.wait(ctx, deadline.Sub(w.clock.Now()), func() bool {
			held = cond()
			return held || doomed()
		})
		if err != nil || held || !stopped {
			return held, false, err
		}
		grace := min(overGrace, deadline.Sub(w.clock.Now()))
		revived, err := w.wait(ctx, grace, func() bool {
			held = cond()
			return held || !doomed()
		})
		if err != nil || held || !revived {
			return held, !revived, err
		}
	}
}
