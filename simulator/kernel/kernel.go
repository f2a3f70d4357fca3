// Package kernel is the heart of the simulated world: one heap of events, one
// clock, one seed.
//
// Everything that happens is an event. Events are taken from a heap in the order
// of (time, tie, sequence) and run one at a time on the caller's goroutine; the
// tie of an event is drawn from the seed when the event is scheduled, so events
// of one instant come in an order that differs from seed to seed and never from
// run to run. An actor that needs its own events in order (a watch, a pipe) keeps
// its own queue and lets each event take the head of it.
//
// Long-running code (a container's process) is a [Coroutine]: it runs until it
// parks, and an event resumes it.
//
// Time is virtual: Step jumps to the next event. [RealTime] drives the same heap
// against the machine's clock, so that the same actors can serve a real API
// server. Nothing else in the simulator knows which of the two is at work.
//
// A Kernel is not safe for concurrent use; RealTime.Post is the one door for
// other goroutines.
package kernel

import (
	"container/heap"
	"fmt"
	"hash"
	"hash/fnv"
	"time"
)

// Epoch is when virtual time begins unless Options say otherwise.
var Epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// Options configure a Kernel. The zero value is a kernel of seed 0 at Epoch.
type Options struct {
	// Seed decides everything that is random in this world.
	Seed uint64
	// Epoch is the first instant; zero means the package's Epoch.
	Epoch time.Time
	// OnRecord, if set, sees every trace record as it is made.
	OnRecord func(Record)
	// OnTurn, if set, is called with a coroutine's actor before it goes on, and with the empty string when it has parked or
	// ended.
	OnTurn func(actor string)
}

// Kernel owns the clock, the events, the entropy and the trace of one world.
type Kernel struct {
	epoch   time.Time
	now     time.Duration // since epoch
	seq     uint64
	queue   eventQueue
	slab    []Event // made ahead
	seed    uint64
	hash    hash.Hash // of streams' names, and room for one
	name    []byte
	ties    *Stream
	trace   trace
	steps   uint64
	running bool
	lanes   []*lane // free ones
	every   []*lane
	wall    func() time.Duration // real driver only: elapsed time since epoch
	onTurn  func(actor string)
}

// New returns a kernel at its epoch with nothing scheduled.
func New(o Options) *Kernel {
	if o.Epoch.IsZero() {
		o.Epoch = Epoch
	}
	k := &Kernel{epoch: o.Epoch.UTC(), seed: o.Seed, hash: fnv.New128a()}
	k.trace.init(o.OnRecord)
	k.onTurn = o.OnTurn
	k.ties = k.Stream("kernel/ties")
	return k
}

// Seed returns the seed this world was made from.
func (k *Kernel) Seed() uint64 { return k.seed }

// Now returns the current time of this world, in UTC.
func (k *Kernel) Now() time.Time {
	if k.wall != nil {
		return k.epoch.Add(max(k.now, k.wall()))
	}
	return k.epoch.Add(k.now)
}

// Elapsed returns the time since the epoch.
func (k *Kernel) Elapsed() time.Duration { return k.Now().Sub(k.epoch) }

// Steps returns how many events have run.
func (k *Kernel) Steps() uint64 { return k.steps }

// Pending returns how many events are scheduled.
func (k *Kernel) Pending() int { return len(k.queue) }

// Event is something scheduled to happen. It happens at most once.
type Event struct {
	at    time.Duration
	tie   uint32
	seq   uint64
	index int // in the heap; -1 when it ran or was cancelled
	actor string
	what  string
	run   func()
	k     *Kernel
}

// slabSize is how many events are allocated at once. An event that is still referenced keeps its neighbours, which hold
// nothing after they ran.
const slabSize = 32

// At schedules run for time t, or for now if t has passed. actor and what name
// the event in the trace; both should be constant for the life of the actor.
func (k *Kernel) At(t time.Time, actor, what string, run func()) *Event {
	return k.schedule(t.Sub(k.epoch), actor, what, run)
}

// After schedules run for d from now; a negative d counts as zero.
func (k *Kernel) After(d time.Duration, actor, what string, run func()) *Event {
	return k.schedule(k.Elapsed()+d, actor, what, run)
}

// Soon schedules run for this same instant, after what is running now.
func (k *Kernel) Soon(actor, what string, run func()) *Event {
	return k.schedule(k.Elapsed(), actor, what, run)
}

func (k *Kernel) schedule(at time.Duration, actor, what string, run func()) *Event {
	if now := k.now; at < now {
		at = now
	}
	k.seq++
	if len(k.slab) == 0 {
		k.slab = make([]Event, slabSize)
	}
	e := &k.slab[0]
	k.slab = k.slab[1:]
	*e = Event{at: at, tie: k.ties.Uint32(), seq: k.seq, actor: actor, what: what, run: run, k: k}
	heap.Push(&k.queue, e)
	return e
}

// Cancel takes the event back. It reports whether the event had still been
// going to happen. Cancelling a nil event is allowed.
func (e *Event) Cancel() bool {
	if e == nil || e.index < 0 {
		return false
	}
	heap.Remove(&e.k.queue, e.index)
	e.run = nil
	return true
}

// Scheduled reports whether the event is still going to happen.
func (e *Event) Scheduled() bool { return e != nil && e.index >= 0 }

// When returns the time the event is or was scheduled for.
func (e *Event) When() time.Time { return e.k.epoch.Add(e.at) }

// Next returns the time of the next event, and false if none is scheduled.
func (k *Kernel) Next() (time.Time, bool) {
	if len(k.queue) == 0 {
		return time.Time{}, false
	}
	return k.epoch.Add(k.queue[0].at), true
}

// Step moves time to the next event and runs it. It reports false, and does
// nothing, when no event is scheduled.
func (k *Kernel) Step() bool {
	if len(k.queue) == 0 {
		return false
	}
	if k.running {
		panic("kernel: Step called from inside an event")
	}
	e := heap.Pop(&k.queue).(*Event)
	k.now = max(k.now, e.at)
	k.steps++
	k.trace.event(k.now, e.actor, e.what)
	k.running = true
	defer func() { k.running = false }()
	run := e.run
	e.run = nil
	run()
	return true
}

// RunUntil runs every event up to and including time t and leaves the clock at
// t. It returns the number of events it ran.
func (k *Kernel) RunUntil(t time.Time) uint64 {
	limit, before := t.Sub(k.epoch), k.steps
	for len(k.queue) > 0 && k.queue[0].at <= limit {
		k.Step()
	}
	k.now = max(k.now, limit)
	return k.steps - before
}

// BudgetError says that a world was still busy when its budget ran out.
type BudgetError struct {
	Steps  uint64        // events run
	After  time.Duration // virtual time since the epoch
	Reason string        // which budget
}

func (e *BudgetError) Error() string {
	return fmt.Sprintf("the simulation ran out of its %s after %d events and %s of virtual time", e.Reason, e.Steps, e.After)
}

// RunWhile runs events while more() reports true. It stops without error when
// nothing is scheduled, and with a BudgetError when the next event lies beyond
// deadline or maxSteps events (if positive) have run.
func (k *Kernel) RunWhile(more func() bool, deadline time.Time, maxSteps uint64) error {
	start, limit := k.steps, deadline.Sub(k.epoch)
	for more() {
		if len(k.queue) == 0 {
			return nil
		}
		if k.queue[0].at > limit {
			k.now = max(k.now, limit)
			return &BudgetError{Steps: k.steps - start, After: k.now, Reason: "time budget"}
		}
		if maxSteps > 0 && k.steps-start >= maxSteps {
			return &BudgetError{Steps: k.steps - start, After: k.now, Reason: "event budget"}
		}
		k.Step()
	}
	return nil
}

// eventQueue is a binary heap of events by (time, tie, sequence).
type eventQueue []*Event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	a, b := q[i], q[j]
	if a.at != b.at {
		return a.at < b.at
	}
	if a.tie != b.tie {
		return a.tie < b.tie
	}
	return a.seq < b.seq
}
func (q eventQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}
func (q *eventQueue) Push(x any) {
	e := x.(*Event)
	e.index = len(*q)
	*q = append(*q, e)
}
func (q *eventQueue) Pop() any {
	old := *q
	n := len(old) - 1
	e := old[n]
	old[n] = nil
	e.index = -1
	*q = old[:n]
	return e
}
