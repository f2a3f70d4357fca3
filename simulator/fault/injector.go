package fault

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// actor is who disturbs, in the trace and to the API server.
const actor = "fault"

// Strike is one thing that went wrong.
type Strike struct {
	At    time.Time
	Fault Fault
	// On says what it hit.
	On string
}

// Injector lets faults strike. It is idle until Begin and from Stop on.
type Injector struct {
	faults  []*armed
	cluster *simulator.Cluster
	kernel  *kernel.Kernel
	begun   time.Time
	active  bool
	strikes []Strike
	crash   *Crashed
	kill    func(*Crashed)
	visits  int
}

// armed is a fault and its state.
type armed struct {
	Fault
	seen, struck int
}

// NewInjector returns an injector of faults that strike nowhere yet. It refuses
// what no point has.
func NewInjector(faults []Fault) (*Injector, error) {
	in := &Injector{}
	for _, f := range faults {
		has := Kinds(f.Point)
		if len(has) == 0 {
			return nil, fmt.Errorf("there is no fault point %q", f.Point)
		}
		if f.What == "" {
			f.What = has[0]
		}
		if !slices.Contains(has, f.What) {
			return nil, fmt.Errorf("%q does not happen at fault point %s, but %s", f.What, f.Point, strings.Join(has, ", "))
		}
		if f.Point == Visitor && f.Kind == "" {
			f.Kind = "Pod"
		}
		if f.Actor == "" {
			f.Actor = DefaultActor
		}
		f.Nth, f.Times = max(f.Nth, 0), max(f.Times, 1)
		in.faults = append(in.faults, &armed{Fault: f})
	}
	return in, nil
}

// Begin makes the faults of c strike from now on. kill ends the controller's process
// and sees to it that another one takes over after c.Delay; it is called outside of
// the controller's own events.
func (in *Injector) Begin(c *simulator.Cluster, kill func(*Crashed)) {
	in.cluster, in.kernel, in.kill = c, c.Kernel(), kill
	in.begun, in.active = in.kernel.Now(), true
	if in.has(Pod, Container, Node, Kubelet) {
		c.Server().Observe(in.observe)
	}
	for _, f := range in.faults {
		if f.timed() {
			in.kernel.After(f.After, actor, string(f.Point)+" "+f.What, func() { in.timed(f) })
		}
	}
}

// Stop keeps faults from striking from now on. What is late still comes, and who is
// away comes back.
func (in *Injector) Stop() { in.active = false }

// Unused are the faults that have not struck, by their places in the list.
func (in *Injector) Unused() []int {
	var out []int
	for i, f := range in.faults {
		if f.struck == 0 {
			out = append(out, i)
		}
	}
	return out
}

// Strikes tells what has gone wrong so far.
func (in *Injector) Strikes() []Strike { return in.strikes }

// has reports whether there is a fault at one of these points.
func (in *Injector) has(points ...Point) bool {
	return slices.ContainsFunc(in.faults, func(f *armed) bool { return slices.Contains(points, f.Point) })
}

// occurs counts an occurrence of what the fault is about. It reports whether this
// is one that it hits.
func (in *Injector) occurs(f *armed) bool {
	if in.kernel.Now().Sub(in.begun) < f.After {
		return false
	}
	f.seen++
	first := max(f.Nth, 1)
	return f.seen >= first && f.seen < first+f.Times
}

// strike notes that the fault has hit.
func (in *Injector) strike(f *armed, on string) {
	f.struck++
	in.kernel.Note(actor, string(f.Point)+" "+f.What, on)
	in.strikes = append(in.strikes, Strike{At: in.kernel.Now(), Fault: f.Fault, On: on})
}

// timed is a fault that strikes at a time.
func (in *Injector) timed(f *armed) {
	if !in.active {
		return
	}
	switch f.Point {
	case Controller:
		in.strike(f, "at this time")
		in.kill(&Crashed{Behind: "a while", Delay: f.delay()})
	case Node, Kubelet:
		in.away(f, "at this time")
	case Visitor:
		in.visit(f)
	}
}

// away cuts the node off, or ends its kubelet, for a while.
func (in *Injector) away(f *armed, on string) {
	k := in.cluster.Kubelet()
	if k.Away() {
		return // it can be away but once
	}
	in.strike(f, on)
	back := in.cluster.RecoverNode
	if f.Point == Node {
		in.cluster.LoseNode()
	} else {
		k.Down()
		back = k.Up
	}
	if d := f.delay(); d > 0 {
		in.kernel.After(d, actor, string(f.Point)+" back", back)
	}
}
