// Package disturbance draws lists of faults: what may go wrong in a cluster while a
// fixture runs that does not expect it.
//
// A list is decided by the fixture's name and a seed. It is short, each of its
// faults strikes a few times at most, and nothing is away for more than a few
// minutes: after the last fault an implementation has all the time it needs to reach
// a right end. Faults that lie (such as reporting an object that does not exist) are
// not drawn, because no implementation could handle them correctly.
package disturbance

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
)

// most is how many faults a list has at most.
const most = 6

// Draw returns the faults of a fixture under a seed. They strike the kinds of the table.
func Draw(name string, seed uint64, table Table) []fixture.Fault {
	d := newDrawer(name, seed, table)
	n := 1
	for n < most && d.chance(0.6) {
		n++
	}
	list := make([]fixture.Fault, n)
	for i := range list {
		list[i] = d.fault()
		if d.chance(0.15) {
			list[i].After = d.duration(time.Second, 5*time.Minute)
		}
	}
	return list
}

type drawer struct {
	*rand.Rand
	table Table
}

func newDrawer(name string, seed uint64, table Table) *drawer {
	h := fnv.New128a()
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], seed)
	h.Write(b[:])
	h.Write([]byte(name))
	sum := h.Sum(nil)
	return &drawer{rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:]))), table}
}

func (d *drawer) chance(p float64) bool { return d.Float64() < p }

func (d *drawer) between(lo, hi int) int { return lo + d.IntN(hi-lo+1) }

// duration is as likely to be between 1 and 10 seconds as between 10 and 100.
func (d *drawer) duration(lo, hi time.Duration) source.Duration {
	x := math.Exp(math.Log(float64(lo)) + d.Float64()*math.Log(float64(hi)/float64(lo)))
	return source.Duration(time.Duration(x).Round(time.Millisecond))
}

// weighted is one of several things, each as likely as its weight says.
type weighted[T any] struct {
	weight int
	what   T
}

func pick[T any](d *drawer, list []weighted[T]) T {
	sum := 0
	for _, w := range list {
		sum += w.weight
	}
	n := d.IntN(sum)
	for _, w := range list {
		if n -= w.weight; n < 0 {
			return w.what
		}
	}
	return list[0].what
}

func (d *drawer) fault() fixture.Fault {
	point := pick(d, []weighted[string]{
		{34, fixture.PointAPI}, {16, fixture.PointController}, {20, fixture.PointWatch}, {6, fixture.PointDownwardAPI}, {4, fixture.PointPull},
		{7, fixture.PointPod}, {5, fixture.PointContainer}, {4, fixture.PointNode}, {4, fixture.PointKubelet},
	})
	f := fixture.Fault{Point: point}
	switch point {
	case fixture.PointAPI:
		d.api(&f)
	case fixture.PointController:
		f.Delay = d.duration(10*time.Millisecond, 2*time.Minute)
		if d.chance(0.2) {
			f.After = d.duration(10*time.Millisecond, time.Minute)
			break // at this time, whatever it is doing
		}
		if d.chance(0.5) {
			r := pick(d, d.table.writes)
			f.Verb, f.Kind, f.Subresource = r.verb, r.kind, r.subresource
		}
		f.Nth = d.between(1, 12)
	case fixture.PointWatch:
		f.Actor = pick(d, []weighted[string]{{3, ""}, {1, "kubelet"}})
		f.Kind = pick(d, d.table.watched)
		f.Error = pick(d, []weighted[string]{{3, "delayed"}, {3, "lost"}, {1, "repeated"}})
		f.Nth, f.Times = d.between(1, 15), d.between(1, 3)
		f.Delay = d.duration(10*time.Millisecond, 2*time.Minute)
		if f.Actor != "" {
			f.Kind = "Pod"
		}
	case fixture.PointDownwardAPI:
		f.Error = pick(d, []weighted[string]{{1, "delayed"}, {1, "lost-update"}})
		f.Delay = d.duration(100*time.Millisecond, 2*time.Minute)
	case fixture.PointPull:
		f.Nth, f.Times = d.between(1, 6), d.between(1, 3)
	case fixture.PointPod:
		f.Error = pick(d, []weighted[string]{{1, "evicted"}, {1, "deleted"}})
		f.Nth = d.between(1, 2)
		f.Delay = d.duration(time.Millisecond, 30*time.Second)
	case fixture.PointContainer:
		f.Nth = d.between(1, 4)
		f.Delay = d.duration(time.Millisecond, 10*time.Second)
	case fixture.PointNode, fixture.PointKubelet:
		f.Delay = d.duration(time.Second, 3*time.Minute)
		if d.chance(0.3) {
			f.Nth = 1
		} else {
			f.After = d.duration(10*time.Millisecond, time.Minute)
		}
	}
	return f
}

// api draws a fault of a request. Writes are what matters most.
func (d *drawer) api(f *fixture.Fault) {
	f.Actor = pick(d, []weighted[string]{{16, ""}, {3, "kubelet"}, {1, "default-scheduler"}, {1, "garbage-collector"}})
	f.Nth, f.Times = d.between(1, 8), d.between(1, 5)
	var r request
	switch {
	case f.Actor == "kubelet":
		r = pick(d, []weighted[request]{{3, request{"update", "Pod", "status"}}, {1, request{"delete", "Pod", ""}}, {1, request{}}})
	case f.Actor != "" || d.chance(0.2):
	case d.chance(0.25):
		r = pick(d, d.table.reads)
	default:
		r = pick(d, d.table.writes)
	}
	f.Verb, f.Kind, f.Subresource = r.verb, r.kind, r.subresource
	errors := []weighted[string]{
		{3, "InternalError"}, {3, "Timeout"}, {1, "ServerTimeout"}, {2, "TooManyRequests"}, {1, "ServiceUnavailable"}, {2, "ConnectionRefused"},
		{5, "TimeoutAfterWrite"}, {2, "ConnectionReset"},
	}
	if r.verb == "update" || r.verb == "patch" {
		errors = append(errors, weighted[string]{4, "Conflict"})
	}
	f.Error = pick(d, errors)
}

// Keep returns the faults at some places of a list.
func Keep(list []fixture.Fault, places []int) []fixture.Fault {
	out := make([]fixture.Fault, 0, len(places))
	for _, i := range places {
		if i >= 0 && i < len(list) {
			out = append(out, list[i])
		}
	}
	return out
}

// Text renders a list as the field faults of a header, one fault a line.
func Text(list []fixture.Fault) []string {
	lines := make([]string, len(list))
	for i, f := range list {
		parts := []string{"point: " + f.Point}
		add := func(key, value string) {
			if value != "" && value != "0" && value != "0s" {
				parts = append(parts, key+": "+value)
			}
		}
		add("actor", f.Actor)
		add("verb", f.Verb)
		add("kind", f.Kind)
		add("subresource", f.Subresource)
		add("name", f.Name)
		add("image", f.Image)
		add("error", f.Error)
		add("nth", strconv.Itoa(f.Nth))
		add("times", strconv.Itoa(f.Times))
		add("delay", time.Duration(f.Delay).String())
		add("after", time.Duration(f.After).String())
		lines[i] = fmt.Sprintf("- {%s}", strings.Join(parts, ", "))
	}
	return lines
}
