package fake

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/tenancy"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/controller"
	"github.com/plumbline-ci/plumbline/simulator/fault"
	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/recorder"
)

// process is the reconcilers of a subject, which live and die together.
type process []*controller.Controller

// Crashed returns what ended the process, or nil.
func (p process) Crashed() *controller.Crash {
	for _, c := range p {
		if crash := c.Crashed(); crash != nil {
			return crash
		}
	}
	return nil
}

// Kill ends what of the process is still alive.
func (p process) Kill(why *controller.Crash) {
	for _, c := range p {
		if c.Crashed() == nil {
			c.Kill(why)
		}
	}
}

// admit puts the subject's own webhooks into an API server that is to be made, in place of the reference's.
func (c *Cluster) admit(s *subject.Subject, o *apiserver.Options) {
	if s.Admission != nil {
		o.Admission = s.Webhooks(c.Config)
		o.Intercept = nil // objects that do not fit are the subject's to refuse
	}
	o.VerifyShared = !s.Trusted && s.Attach == nil
}

// employ starts the subject, with nothing in its memory.
func (c *Cluster) employ(t *Target) error {
	s := c.subject
	if s.Attach != nil {
		var err error
		if c.attached, err = s.Attach(c); err != nil {
			return fmt.Errorf("attaching %s: %w", s.Name, err)
		}
		return nil
	}
	live := c.faults.client(c.sim.Client(actorController))
	cache := informer.NewCache(informer.CacheOptions{
		Kernel: c.sim.Kernel(), Source: c.faults.source(c.watching()), Scheme: t.scheme, Live: live, Share: s.SharedReads,
	})
	c.cache = cache
	deps := subject.Deps{
		Client:      s.Client(cachedClient{Client: live, cache: cache, guard: c.guard, direct: c.direct(t)}),
		Reader:      s.Client(live),
		Clock:       c.sim.Kernel(),
		Config:      c.Config,
		Images:      reference.Images(),
		ImageConfig: reference.Registry(c.sim.Images()),
		Logs:        podLogs(c.sim),
		Bundles:     c.remote.Bundles,
	}
	if c.tenancy != "" {
		deps.Rights = tenancy.Asking{Client: live}
	}
	recorders := map[string]reconciler.Recorder{}
	var p process
	for _, o := range s.Controllers() {
		source := o.Source()
		if recorders[source] == nil {
			recorders[source] = events{recorder.New(recorder.Options{Clock: c.sim.Kernel(), Client: live, Component: source})}
		}
		deps.Recorder = recorders[source]
		r, err := making("making the reconciler "+o.Name, func() (reconcile.Reconciler, error) { return o.New(deps) })
		if err != nil {
			return err
		}
		if !s.Trusted {
			r = &guarded{Reconciler: r, limit: reconcileLimit}
		}
		made, err := controller.New(controller.Options{
			Kernel: c.sim.Kernel(), Name: o.Name, Reconciler: r, Informers: cache, For: o.For, Owns: o.Owns,
			Predicates: c.watchedPredicates(o.Name, o.Predicates), Watches: c.watchedMaps(o.Name, o.Watches),
			After: c.after(s),
			OnCrash: func(crash *controller.Crash) {
				if p, ok := crash.Value.(*panicked); ok {
					crash.Value, crash.Stack = p.value, p.stack
				}
				c.controller.Kill(nil)
				c.crashed(t, crash)
			},
		})
		if err != nil {
			return err
		}
		c.guard.kinds[o.Name] = strings.ToLower(o.For.Kind)
		p = append(p, made)
	}
	c.controller = p
	return nil
}

// after looks at what a reconcile has left behind: objects that others share must be as they were.
func (c *Cluster) after(s *subject.Subject) func(controller.Outcome) {
	return func(o controller.Outcome) {
		c.reconciles++
		c.guard.reconciled(o)
		if s.Trusted {
			return
		}
		if spoilt := c.sim.Server().VerifyShared(); len(spoilt) > 0 {
			c.fail(&conformance.ImplementationError{Err: &controller.Crash{Controller: o.Controller, Request: o.Request, Value: errors.Join(spoilt...), At: c.Now()}})
		}
	}
}

// Name is that of the fixture which the cluster is for.
func (c *Cluster) Name() string { return c.name }

// Config is the configuration of the implementation as of now.
func (c *Cluster) Config() config.Config { return *c.settings.now() }

// pass lets time pass.
func (c *Cluster) pass(d time.Duration) error {
	if c.attached == nil {
		c.sim.RunFor(d)
		return nil
	}
	err := c.waitAttached(context.Background(), c.Now().Add(d), func() bool { return false })
	if errors.Is(err, conformance.ErrDeadline) {
		return nil
	}
	return err
}

// reconcileLimit is the real time after which a reconcile is taken for stuck. In a simulated cluster nothing takes time
// but computing.
const reconcileLimit = 30 * time.Second

// guarded is a foreign reconciler, which may never return.
type guarded struct {
	reconcile.Reconciler
	limit time.Duration
}

// stuck says that a reconcile has not returned.
type stuck struct{ after time.Duration }

func (s *stuck) Error() string {
	return fmt.Sprintf("the reconcile has not returned after %v: it waits for something that never happens, as other goroutines or the machine's clock", s.after)
}

// panicked carries a panic from the reconcile's goroutine to the kernel's.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprint(p.value) }

// Reconcile implements reconcile.Reconciler. The caller waits, so there is still one goroutine at work at a time.
func (g *guarded) Reconcile(ctx context.Context, r reconcile.Request) (result reconcile.Result, err error) {
	var crash *panicked
	done := make(chan struct{})
	finished := false
	go func() {
		defer close(done)
		defer func() {
			if v := recover(); v != nil {
				crash = &panicked{value: v, stack: debug.Stack()}
			} else if !finished {
				crash = &panicked{value: "the reconcile ended its goroutine (runtime.Goexit, as t.FailNow does)"}
			}
		}()
		result, err = g.Reconciler.Reconcile(ctx, r)
		finished = true
	}()
	timer := time.NewTimer(g.limit)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		panic(&stuck{after: g.limit})
	}
	if crash != nil {
		if _, meant := crash.value.(*fault.Crashed); meant {
			panic(crash.value)
		}
		panic(crash)
	}
	return result, err
}
