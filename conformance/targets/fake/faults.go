package fake

import (
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/simulator"
	"github.com/plumbline-ci/plumbline/simulator/controller"
	"github.com/plumbline-ci/plumbline/simulator/fault"
	"github.com/plumbline-ci/plumbline/simulator/informer"
)

// faults are what goes wrong in one cluster. A nil *faults is a sound one.
type faults struct {
	given    []fixture.Fault
	injector *fault.Injector
}

func newFaults(list []fixture.Fault) (*faults, error) {
	if len(list) == 0 {
		return nil, nil
	}
	out := make([]fault.Fault, len(list))
	for i, f := range list {
		out[i] = fault.Fault{
			Point: fault.Point(f.Point), What: f.Error, Verb: f.Verb, Kind: f.Kind, Subresource: f.Subresource, Name: f.Name, Actor: f.Actor,
			Image: f.Image, Nth: f.Nth, Times: f.Times, Delay: time.Duration(f.Delay), After: time.Duration(f.After),
		}
	}
	in, err := fault.NewInjector(out)
	if err != nil {
		return nil, fmt.Errorf("the faults: %w", err)
	}
	return &faults{given: list, injector: in}, nil
}

// into puts the faults into a cluster that is to be made.
func (f *faults) into(o *simulator.Options) {
	if f == nil {
		return
	}
	o.API.Intercept = append(o.API.Intercept, f.injector.Intercept)
	o.Faults = f.injector.Node()
	o.Disturb = f.injector.Source
}

// begin lets them strike, now that the cluster stands.
func (f *faults) begin(t *Target, c *Cluster) {
	if f == nil {
		return
	}
	f.injector.Begin(c.sim, func(why *fault.Crashed) {
		if c.controller.Crashed() == nil {
			c.controller.Kill(nil)
			c.replace(t, why.Delay)
		}
	})
}

// client is the controller's, which may be the death of it.
func (f *faults) client(c client.Client) client.Client {
	if f == nil {
		return c
	}
	return f.injector.Client(c)
}

// source is what the controller watches.
func (f *faults) source(s informer.ListSource) informer.ListSource {
	if f == nil {
		return s
	}
	return f.injector.Source(actorController, s)
}

// crashed is told that the controller's process has died, of a fault or by itself.
func (c *Cluster) crashed(t *Target, crash *controller.Crash) {
	if meant, ok := crash.Value.(*fault.Crashed); ok {
		c.replace(t, meant.Delay)
		return
	}
	c.fail(&conformance.ImplementationError{Err: crash})
}

// replace has another process take over from one that has died.
func (c *Cluster) replace(t *Target, after time.Duration) {
	c.cache.Stop()
	c.sim.Kernel().After(after, actorController, "take over", func() {
		if err := c.employ(t); err != nil {
			c.fail(&conformance.ImplementationError{Err: fmt.Errorf("starting %s again: %w", t.o.Subject.Name, err)})
		}
	})
}

var _ conformance.FaultUser = (*Cluster)(nil)

// UnusedFaults implements conformance.FaultUser.
func (c *Cluster) UnusedFaults() []fixture.Fault {
	if c.faults == nil {
		return nil
	}
	var out []fixture.Fault
	for _, i := range c.faults.injector.Unused() {
		out = append(out, c.faults.given[i])
	}
	return out
}

// StopFaults implements conformance.FaultUser.
func (c *Cluster) StopFaults() {
	if c.faults != nil {
		c.faults.injector.Stop()
	}
}

// Strikes implements conformance.FaultUser.
func (c *Cluster) Strikes() []string {
	if c.faults == nil {
		return nil
	}
	list := c.faults.injector.Strikes()
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = fmt.Sprintf("%s %s: %s", s.At.Format("15:04:05.000"), s.Fault, s.On)
	}
	return out
}
