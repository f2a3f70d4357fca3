package disturbance

import (
	"fmt"
	"slices"
	"time"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

// The kinds of trouble that can be drawn.
const (
	// Random is anything: requests that fail, watches that are late, a controller that dies, a node that is lost, Pods and
	// containers that are taken away.
	Random = "random"
	// Transient is what the implementation meets, passes, and touches no Pod: requests that fail for a while or whose answer
	// is lost, late and lost watch events, a controller that dies and comes back. It must not change how a run ends.
	Transient = "transient"
	// Refusals are one kind of create that is refused for good. What cannot be made ends the run soon.
	Refusals = "refusals"
	// Visitors are users who put labels and annotations on runs and Pods at any time, a controller that is replaced
	// meanwhile, and, long after the end, users who tidy up. It must not change how a run ends, or what it shows.
	Visitors = "visitors"
)

// Troubles lists the kinds of trouble.
func Troubles() []string { return []string{Random, Transient, Refusals, Visitors} }

// DrawTrouble returns the faults of a kind of trouble for a fixture under a seed.
func DrawTrouble(trouble, name string, seed uint64, table Table) []fixture.Fault {
	switch trouble {
	case "", Random:
		return Draw(name, seed, table)
	case Transient:
		return newDrawer(name+" "+trouble, seed, table).transient()
	case Refusals:
		return newDrawer(name+" "+trouble, seed, table).refusal(seed)
	case Visitors:
		return newDrawer(name+" "+trouble, seed, table).visitors()
	}
	panic(fmt.Sprintf("there is no trouble %q", trouble))
}

func (d *drawer) transient() []fixture.Fault {
	n := 1
	for n < most && d.chance(0.6) {
		n++
	}
	var list []fixture.Fault
	for len(list) < n {
		f := d.fault()
		// What a kubelet or a scheduler meets is not an answer that the implementation gets.
		if !slices.Contains([]string{fixture.PointAPI, fixture.PointController, fixture.PointWatch}, f.Point) || f.Actor != "" {
			continue
		}
		list = append(list, f)
	}
	return list
}

// forGood is more often than anything is tried.
const forGood = 1_000_000

// refusal takes the creates of the table in turn, so that a few seeds see all of them.
func (d *drawer) refusal(seed uint64) []fixture.Fault {
	var creates []request
	for _, w := range d.table.writes {
		if w.what.verb == "create" {
			creates = append(creates, w.what)
		}
	}
	r := creates[int(seed%uint64(len(creates)))]
	f := fixture.Fault{Point: fixture.PointAPI, Verb: r.verb, Kind: r.kind, Error: "Forbidden", Nth: 1, Times: forGood}
	return []fixture.Fault{f}
}

func (d *drawer) visitors() []fixture.Fault {
	var list []fixture.Fault
	for n := d.between(1, 4); n > 0; n-- {
		kind := pick(d, d.table.watched)
		list = append(list, fixture.Fault{Point: fixture.PointVisitor, Kind: kind, After: d.duration(10*time.Millisecond, 2*time.Minute)})
	}
	if d.chance(0.5) {
		list = append(list, fixture.Fault{Point: fixture.PointController, Delay: d.duration(10*time.Millisecond, 10*time.Second), After: d.duration(10*time.Millisecond, 2*time.Minute)})
	}
	return list
}

// Lasting reports whether a kind of trouble must leave the ends of runs as they are.
func Lasting(trouble string, faults []fixture.Fault) bool {
	switch trouble {
	case Transient, Visitors:
		return true
	case Refusals:
		// An event is for people: that it cannot be written is no reason to fail.
		return slices.ContainsFunc(faults, func(f fixture.Fault) bool { return f.Kind == "Event" })
	}
	return false
}
