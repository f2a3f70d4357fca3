package attached

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// errReturned is of a subject that does not run until it is told to end.
var errReturned = errors.New("the subject has ended: Run returned before its context ended")

func isContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// PanicError is a panic of a subject.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("the subject panicked: %v\n%s", e.Value, e.Stack)
}

// BusyError is of a subject that never waits: it asks again and again, and the clock cannot move.
type BusyError struct {
	Requests int
	At       time.Time
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("the subject never gets quiet: it has made %d requests at one instant, %s", e.Requests, e.At.UTC().Format(time.RFC3339Nano))
}

// StuckError is of a subject that does not come to wait for anything in its world.
type StuckError struct {
	After      time.Duration
	Goroutines string
}

func (e *StuckError) Error() string {
	return fmt.Sprintf("the subject never gets quiet: for %v of real time it has neither asked for anything nor waited for the cluster or for its own clock. "+
		"It computes, is in a deadlock, or waits for what is not in its world, such as a network or a channel made elsewhere:\n%s", e.After, e.Goroutines)
}

// LeakError is of a subject that has not ended when it was told to.
type LeakError struct {
	After      time.Duration
	Goroutines string
}

func (e *LeakError) Error() string {
	return fmt.Sprintf("the subject has left goroutines behind, %v after its context ended:\n%s", e.After, e.Goroutines)
}

// driver is the cluster's side. It is used by one goroutine at a time, the kernel's.
type driver struct {
	o         Options
	cluster   subject.World
	kernel    *kernel.Kernel
	bubble    *bubble
	mutations mutations
	told      *told
	// patient is when the subject has waited for its informers for too long; zero if that has been looked at.
	patient time.Time
	// dirty says that something has happened to the subject since it was quiet.
	dirty bool
	// asked counts the requests of one instant.
	asked   int
	instant time.Time
	// broken is why there is no going on; then the subject may be lost, in the middle of something that never ends.
	broken error
	lost   bool
	closed bool
}

var _ subject.Attached = (*driver)(nil)

func start(t *testing.T, o Options, c subject.World, told *told) (*driver, error) {
	d := &driver{o: o, told: told, cluster: c, kernel: c.Simulation().Kernel(), dirty: true}
	d.patient = d.kernel.Now().Add(DefaultSync)
	d.bubble = open(t, d.kernel.Now(), func(ctx context.Context) error { return o.Run(ctx, d.deps()) })
	return d, nil
}

// named says whose fault it is.
func (d *driver) named(err error) error {
	if err == nil {
		return nil
	}
	return &conformance.ImplementationError{Err: fmt.Errorf("subject %s: %w", d.o.Name, err), Told: d.told.before(d.cluster.Name(), err)}
}

// Settle implements subject.Attached.
func (d *driver) Settle() error {
	if d.broken != nil {
		return d.broken
	}
	for d.dirty || len(d.bubble.posts) > 0 {
		d.dirty = false
		posts := d.bubble.posts
		d.bubble.posts = nil
		if _, err := d.tell(order{posts: posts}); err != nil {
			return err
		}
	}
	if err := d.bubble.failure(); err != nil {
		d.broken = d.named(err)
	}
	return d.broken
}

// Advance implements subject.Attached.
func (d *driver) Advance(t time.Time) (time.Time, error) {
	if d.broken != nil {
		return d.kernel.Now(), d.broken
	}
	r, err := d.tell(order{until: t})
	d.dirty = true // its timers may have gone off
	if err != nil {
		return d.kernel.Now(), err
	}
	d.follow(r.now, t)
	d.impatient(r.now)
	return r.now, nil
}

// impatient looks once, after DefaultSync, whether the subject still waits for its informers.
func (d *driver) impatient(now time.Time) {
	if d.patient.IsZero() || now.Before(d.patient) {
		return
	}
	d.patient = time.Time{}
	if waiting := awaitingSync(goroutines(d.bubble.id, false)); waiting != "" {
		d.bubble.fail(&UnsyncedError{After: DefaultSync, Goroutines: waiting})
	}
}

// follow takes the kernel's clock along with the subject's. At the instant t itself the kernel has events of its own.
func (d *driver) follow(now, t time.Time) {
	if now.Before(t) && d.kernel.Now().Before(now) {
		d.kernel.RunUntil(now)
	}
}

// Check implements subject.Attached.
func (d *driver) Check() error {
	if d.broken == nil {
		d.broken = d.named(d.mutations.check())
	}
	return d.broken
}

// Close implements subject.Attached.
func (d *driver) Close() error {
	if d.closed {
		return nil
	}
	d.closed = true
	if d.lost {
		return nil // its goroutines cannot be ended, and it has been reported
	}
	told := d.broken != nil
	d.broken = nil
	d.asked = 0
	posts := d.bubble.posts
	d.bubble.posts = nil
	r, err := d.tell(order{posts: posts, end: true, leave: d.o.Leave})
	if err == nil && r.left != "" {
		err = d.named(&LeakError{After: d.o.Leave, Goroutines: r.left})
	}
	if err == nil {
		err = d.named(d.bubble.failure())
	}
	if err == nil {
		err = d.named(d.mutations.check())
	}
	d.await()
	if told {
		err = nil // once is enough
	}
	return err
}

// await waits for the world's end. What has been left behind cannot be ended; if it computes, the world goes on.
func (d *driver) await() {
	timer := time.NewTimer(d.o.Stuck)
	defer timer.Stop()
	for {
		select {
		case <-d.bubble.done:
			return
		case q := <-d.bubble.requests:
			q.done <- struct{}{} // the other side no longer answers
		case <-timer.C:
			return
		}
	}
}

// tell gives the gate an order and serves the subject until it is carried out.
func (d *driver) tell(o order) (report, error) {
	timer := time.NewTimer(d.o.Stuck)
	defer timer.Stop()
	orders := d.bubble.orders
	for {
		select {
		case orders <- o:
			orders = nil
		case r := <-d.bubble.reports:
			return r, nil
		case q := <-d.bubble.requests:
			if err := d.serve(q); err != nil {
				return report{}, d.lose(err)
			}
			timer.Reset(d.o.Stuck)
		case <-d.bubble.done:
			return report{}, d.lose(fmt.Errorf("its world has ended: %v", d.bubble.end))
		case <-timer.C:
			return report{}, d.lose(&StuckError{After: d.o.Stuck, Goroutines: goroutines(d.bubble.id, true)})
		}
	}
}

// lose gives the subject up.
func (d *driver) lose(err error) error {
	d.lost, d.broken = true, d.named(err)
	return d.broken
}

// serve answers a request. The subject's clock may be ahead of the kernel's, if a timer of the subject has gone off.
func (d *driver) serve(q request) error {
	if !d.closed && d.kernel.Now().Before(q.at) {
		d.kernel.RunUntil(q.at)
	}
	if !q.at.Equal(d.instant) {
		d.instant, d.asked = q.at, 0
	}
	d.asked++
	if d.asked > d.o.Requests {
		return &BusyError{Requests: d.o.Requests, At: q.at}
	}
	q.fn()
	d.dirty = true
	q.done <- struct{}{}
	return nil
}
