package kernel

import (
	"iter"
	"time"
)

// Coroutine is code that runs in slices: from its start or its last resumption
// to the next time it parks. Only one coroutine or event runs at any time, and
// it runs to its parking place undisturbed, so coroutines need no locks.
//
// A coroutine parks on nothing in particular. The code that makes it wait keeps a
// reference and calls Wake; as with a condition variable, the sleeper checks its
// condition again, because a wake-up may be meant for another one. A Wake that
// comes while the coroutine is running is kept until it parks the next time.
type Coroutine struct {
	k      *Kernel
	actor  string
	body   func(*Coroutine)
	lane   *lane
	parked bool
	permit bool // a Wake arrived while it was not parked
	killed bool
	done   bool
	resume *Event // scheduled resumption, by Wake or by a timer
	onDone []func()

	firstDone [1]func() // where onDone begins
	running   func()    // is run, made once
	expiring  func()    // is expire, made once
	timedOut  bool      // the timer of ParkFor has run
}

// killed unwinds a coroutine that has been killed; deferred calls run.
type killed struct{}

// Go starts body as a coroutine. It begins in an event of its own at this
// instant. actor names it in the trace.
func (k *Kernel) Go(actor string, body func(*Coroutine)) *Coroutine {
	c := &Coroutine{k: k, actor: actor, body: body, parked: true}
	c.onDone = c.firstDone[:0]
	c.running = c.run
	c.resume = k.Soon(actor, "start", c.running)
	return c
}

// lane is a stack that coroutines run on, one after the other: a stack that has
// grown once need not grow again for each of the many short lives of a cluster.
type lane struct {
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
	now   *Coroutine // the coroutine that runs on it; nil while it is free
	over  bool
}

// board gives the coroutine a free lane.
func (k *Kernel) board(c *Coroutine) {
	if n := len(k.lanes); n > 0 {
		c.lane = k.lanes[n-1]
		k.lanes[n-1] = nil
		k.lanes = k.lanes[:n-1]
	} else {
		c.lane = newLane()
		k.every = append(k.every, c.lane)
	}
	c.lane.now = c
}

func newLane() *lane {
	l := &lane{}
	l.next, l.stop = iter.Pull(func(yield func(struct{}) bool) {
		l.yield = yield
		for {
			l.carry()
			l.now = nil
			if l.over || !yield(struct{}{}) {
				return
			}
		}
	})
	return l
}

// carry runs the coroutine to its end; that it was killed is one.
func (l *lane) carry() {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
		}
	}()
	l.now.body(l.now)
}

// run resumes the coroutine until it parks or ends.
func (c *Coroutine) run() {
	if c.done {
		return
	}
	c.resume = nil
	if c.lane == nil {
		c.k.board(c)
	}
	c.parked = false
	c.advance()
}

// advance has the coroutine's lane go on until the coroutine parks or has ended.
func (c *Coroutine) advance() {
	l := c.lane
	if c.k.onTurn != nil {
		c.k.onTurn(c.actor)
	}
	if _, more := l.next(); !more {
		panic("kernel: a lane has ended") // only free ones are stopped
	}
	if c.k.onTurn != nil {
		c.k.onTurn("")
	}
	if l.now == nil {
		c.lane = nil
		c.k.lanes = append(c.k.lanes, l)
		c.finish()
	}
}

func (c *Coroutine) finish() {
	if c.done {
		return
	}
	c.done, c.parked = true, false
	c.resume.Cancel()
	c.resume, c.body = nil, nil
	for _, f := range c.onDone {
		f()
	}
	c.onDone = nil
}

// Close ends the world: coroutines are unwound where they are parked, which makes no
// events, and their stacks are given back. A world that is merely dropped
// keeps them, and through them itself, in memory. The kernel must not be used
// afterwards.
func (k *Kernel) Close() {
	for _, l := range k.every {
		l.over = true
		if l.now != nil {
			l.now.killed = true
		}
		l.stop()
	}
	k.every, k.lanes = nil, nil
}

// Done reports whether the coroutine has ended.
func (c *Coroutine) Done() bool { return c.done }

// OnDone calls f when the coroutine has ended, at once if it already has.
func (c *Coroutine) OnDone(f func()) {
	if c.done {
		f()
		return
	}
	c.onDone = append(c.onDone, f)
}

// Park waits for a Wake. It returns at once if one came since the last Park.
// Only the coroutine itself may call it.
func (c *Coroutine) Park() { c.park(nil) }

// ParkFor waits for a Wake, at most for d. It reports whether it was woken
// rather than timed out. d <= 0 lets other events of this instant run first.
func (c *Coroutine) ParkFor(d time.Duration) (woken bool) {
	if c.killed {
		panic(killed{})
	}
	if c.permit {
		c.permit = false
		return true
	}
	if c.expiring == nil {
		c.expiring = c.expire
	}
	c.timedOut = false
	c.park(c.k.After(d, c.actor, "timer", c.expiring))
	return !c.timedOut
}

// expire is the end of the time that ParkFor waits.
func (c *Coroutine) expire() {
	c.timedOut = true
	c.run()
}

// Sleep waits for d, whatever wakes it in between.
func (c *Coroutine) Sleep(d time.Duration) {
	until := c.k.Elapsed() + d
	for {
		left := until - c.k.Elapsed()
		if left <= 0 && d > 0 {
			return
		}
		if !c.ParkFor(left) && c.k.Elapsed() >= until {
			return
		}
	}
}

func (c *Coroutine) park(timer *Event) {
	if c.killed {
		timer.Cancel()
		panic(killed{})
	}
	if c.permit {
		c.permit = false
		timer.Cancel()
		return
	}
	c.parked = true
	c.lane.yield(struct{}{})
	timer.Cancel()
	if c.killed {
		panic(killed{})
	}
}

// Wake resumes the coroutine in an event of this instant, or keeps the wake-up
// for its next Park. Waking twice before it runs, or after its end, changes
// nothing.
func (c *Coroutine) Wake() {
	switch {
	case c.done:
	case !c.parked:
		c.permit = true
	case c.resume == nil:
		c.resume = c.k.Soon(c.actor, "wake", c.running)
	}
}

// Kill ends the coroutine: where it is parked, a panic unwinds it, so deferred
// calls run; parking again unwinds further. A coroutine that kills itself is
// unwound at its next parking place. Killing one that has ended does nothing.
func (c *Coroutine) Kill() {
	if c.done || c.killed {
		return
	}
	c.killed = true
	if !c.parked {
		return
	}
	c.resume.Cancel()
	c.resume = nil
	if c.lane == nil { // it has not begun
		c.finish()
		return
	}
	c.parked = false
	c.advance()
}
