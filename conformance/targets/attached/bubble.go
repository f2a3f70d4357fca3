package attached

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/clientset"
)

// bubble is the subject's side. Its gate is a goroutine in the subject's world that carries out the orders of the cluster's
// side, since time can pass only there, and only there can others' waiting be waited for.
//
// Channels made outside connect the two sides. A goroutine of the world that waits on one of them is not idle to synctest,
// so the world's clock stands still while a request is under way, and while the gate has nothing to do.
type bubble struct {
	orders   chan order
	reports  chan report
	requests chan request
	// free are the channels on which requests are answered.
	free chan chan struct{}
	// done is closed when the world has ended; end says how.
	done chan struct{}
	end  any

	// wake is made in the world: a request wakes the gate while it lets time pass.
	wake chan struct{}

	// posts are run in the world before anything else happens.
	posts []func()

	mu sync.Mutex
	// failed is why the subject has ended, before it was told to end.
	failed error
	// told says that the subject was told to end.
	told bool
	ctx  context.Context
	stop context.CancelFunc
	// id names the world in stack traces.
	id string
}

var _ clientset.Door = (*bubble)(nil)

// order is an order to the gate: to run posts and then to wait for the subject to be quiet, to let time pass until then, or
// to end the subject and leave.
type order struct {
	posts []func()
	until time.Time
	end   bool
	leave time.Duration
}

// report is the gate's answer: what time it is, and whether the order was carried out.
type report struct {
	now  time.Time
	left string // the goroutines that are left at the end
}

// request is something to be done on the kernel's goroutine.
type request struct {
	fn   func()
	at   time.Time
	done chan struct{}
}

// answers is how many requests can be under way at a time; more wait for their turn.
const answers = 64

// open makes a world and starts the subject in it, when the world's clock shows the given time.
func open(t *testing.T, at time.Time, run func(ctx context.Context) error) *bubble {
	b := &bubble{
		orders: make(chan order), reports: make(chan report), requests: make(chan request),
		free: make(chan chan struct{}, answers), done: make(chan struct{}),
	}
	for range answers {
		b.free <- make(chan struct{})
	}
	go func() {
		defer close(b.done)
		defer func() { b.end = recover() }()
		synctest.Test(t, func(*testing.T) { b.gate(at, run) })
	}()
	return b
}

// gate is the main goroutine of the world.
func (b *bubble) gate(at time.Time, run func(ctx context.Context) error) {
	b.wake = make(chan struct{}, 1)
	b.id = world()
	worlds.Store(b.id, b)
	defer worlds.Delete(b.id)
	time.Sleep(time.Until(at))
	b.ctx, b.stop = context.WithCancel(context.Background())
	started := false
	for o := range b.orders {
		if !started { // not before the other side can answer it
			started = true
			b.start(func() { b.subject(run) })
		}
		for _, fn := range o.posts {
			fn()
		}
		switch {
		case o.end:
			b.finish(o.leave)
			b.reports <- report{now: time.Now(), left: goroutines(b.id, false)}
			return
		case o.until.IsZero():
			synctest.Wait()
		default:
			select { // a wake-up of long ago
			case <-b.wake:
			default:
			}
			timer := time.NewTimer(time.Until(o.until))
			select {
			case <-timer.C:
			case <-b.wake:
			}
			timer.Stop()
		}
		b.reports <- report{now: time.Now()}
	}
}

// subject runs the subject to its end.
func (b *bubble) subject(run func(ctx context.Context) error) {
	err := run(b.ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.failed != nil:
	case err != nil && !(b.told && isContext(err)):
		b.failed = fmt.Errorf("the subject has ended: %w", err)
	case !b.told:
		b.failed = errReturned
	}
}

// finish tells the subject to end and gives it some time for it.
func (b *bubble) finish(leave time.Duration) {
	b.mu.Lock()
	b.told = true
	b.mu.Unlock()
	b.stop()
	synctest.Wait()
	for limit := time.Now().Add(leave); time.Now().Before(limit); {
		if goroutines(b.id, false) == "" {
			return
		}
		time.Sleep(leave / 60)
		synctest.Wait()
	}
}

// start starts a goroutine whose panic is the subject's.
func (b *bubble) start(fn func()) {
	go func() {
		defer func() {
			if v := recover(); v != nil {
				b.fail(&PanicError{Value: v, Stack: debug.Stack()})
			}
		}()
		fn()
	}()
}

func (b *bubble) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed == nil {
		b.failed = err
	}
}

// over says that the subject was told to end.
func (b *bubble) over() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.told
}

func (b *bubble) failure() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed
}

// Enter implements clientset.Door.
func (b *bubble) Enter(fn func()) {
	select {
	case b.wake <- struct{}{}:
	default:
	}
	done := <-b.free
	b.requests <- request{fn: fn, at: time.Now(), done: done}
	<-done
	b.free <- done
}

// Post implements clientset.Door.
func (b *bubble) Post(fn func()) { b.posts = append(b.posts, fn) }

// world names the bubble that the caller is in, as stack traces do.
func world() string {
	buf := make([]byte, 256)
	head, _, _ := strings.Cut(string(buf[:runtime.Stack(buf, false)]), "\n")
	_, id, _ := strings.Cut(head, ", synctest bubble ")
	return strings.TrimSuffix(id, "]:")
}

// goroutines shows the stacks of the goroutines of a world that are not its own machinery's; busy leaves out those that
// wait for something in their world.
func goroutines(id string, busy bool) string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	var out []string
	for _, g := range strings.Split(string(buf), "\n\n") {
		head, stack, _ := strings.Cut(g, "\n")
		switch {
		case !strings.HasSuffix(head, ", synctest bubble "+id+"]:"):
		case busy && strings.Contains(head, "(durable)"):
		case strings.Contains(stack, "attached.(*bubble).gate(") || strings.Contains(stack, "internal/synctest.Run(") || strings.Contains(stack, "synctest.testingSynctestTest("):
		default:
			out = append(out, g)
		}
	}
	return strings.Join(out, "\n\n")
}
