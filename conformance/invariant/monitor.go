package invariant

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

// Options are what a Monitor is made of. Now is required.
type Options struct {
	// Now is the cluster's time.
	Now func() time.Time
	// Found, if set, is called with each violation as it is found.
	Found func(Violation)
	// Faulty says that things may go wrong until Disturbed is called: until then nothing
	// is asked of what takes its time.
	Faulty bool
	// AnyResults says that results need not come from termination messages.
	AnyResults bool
	// Expect are the ends that runs have without trouble, by kind and name as taskrun/slow, where the trouble is such that
	// they have to end so.
	Expect map[string]End
	// Refused says that a create is refused for good: Expect are the ends of runs that do not need it.
	Refused bool
}

// End is how a run has ended.
type End struct {
	Status, Reason string
	// Attempts is how many were archived, Steps how many steps its status lists.
	Attempts, Steps int
	// Took is the time from when it was seen first.
	Took time.Duration
}

// Ends are the ends of all runs that are there, by kind and name. A run that is not over has the status Unknown or none.
func (m *Monitor) Ends() map[string]End {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]End{}
	for _, r := range m.runs {
		if !r.gone {
			out[r.name] = m.end(r)
		}
	}
	return out
}

func (m *Monitor) end(r *run) End {
	e := End{Status: r.condition.status, Reason: r.condition.reason, Attempts: r.attempt, Steps: len(list(r.status(), "steps"))}
	if !r.doneAt.IsZero() {
		e.Took = r.doneAt.Sub(r.firstAt)
	}
	return e
}

// Monitor watches over the runs of one namespace. It is safe for concurrent use.
type Monitor struct {
	o     Options
	kinds []*kind
	mu    sync.Mutex
	runs  map[string]*run // by UID
	pods  map[string]*pod // by UID
	told  map[string]bool
	// calm is when things that could keep something running have last gone wrong.
	calm time.Time
}

// NewMonitor returns a Monitor that has seen nothing. It judges every kind of run in the table of kinds.
func NewMonitor(o Options) *Monitor {
	return &Monitor{o: o, kinds: kindsOf(fixture.Kinds()), runs: map[string]*run{}, pods: map[string]*pod{}, told: map[string]bool{}}
}

// Saw shows the monitor a version of an object, or its end. Kinds other than
// runs and Pods are nothing to it.
func (m *Monitor) Saw(event watch.EventType, o *unstructured.Unstructured) {
	name, version := o.GetKind(), o.GetAPIVersion()
	if name == "Pod" && version == "v1" {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.sawPod(event, o)
		return
	}
	if k := m.kindOf(name, version); k != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.sawRun(k, event, o)
	}
}

func (m *Monitor) kindOf(name, apiVersion string) *kind {
	for _, k := range m.kinds {
		if k.is(name, apiVersion) {
			return k
		}
	}
	return nil
}

// ownerOf is the UID of the run that controls an object.
func (m *Monitor) ownerOf(o *unstructured.Unstructured) string {
	for _, item := range list(mapping(o.Object, "metadata"), "ownerReferences") {
		ref := mapping(item)
		if controls, _ := ref["controller"].(bool); controls && m.kindOf(text(ref, "kind"), text(ref, "apiVersion")) != nil {
			return text(ref, "uid")
		}
	}
	return ""
}

// Disturbed says that something has gone wrong that may keep things running: graces
// count from now on.
func (m *Monitor) Disturbed() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calm = m.o.Now()
}

func (m *Monitor) violated(rule, object string, backing []string, format string, args ...any) {
	key := rule + " " + object
	if m.told[key] {
		return // once is enough
	}
	m.told[key] = true
	if m.o.Found != nil {
		m.o.Found(Violation{Rule: rule, At: m.o.Now(), Object: object, Message: fmt.Sprintf(format, args...), Backing: backing})
	}
}

// since is when a grace begins that a disturbance prolongs.
func (m *Monitor) since(t time.Time) time.Time {
	if m.o.Faulty && m.calm.IsZero() {
		return m.o.Now()
	}
	if m.calm.After(t) {
		return m.calm
	}
	return t
}

// Settled reports whether everything has come to its end that must: no run is under
// way, and nothing runs of those that are over.
func (m *Monitor) Settled() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.done() && m.quiet()
}

// Done reports whether every run that there is is over.
func (m *Monitor) Done() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.done()
}

func (m *Monitor) done() bool {
	for _, r := range m.runs {
		if !r.gone && r.doneAt.IsZero() {
			return false
		}
	}
	return true
}

func (m *Monitor) quiet() bool {
	for _, p := range m.pods {
		if p.live() && (!p.run.doneAt.IsZero() || p.run.gone) {
			return false
		}
	}
	return true
}

// Orphans reports whether a run that is over has a run below it that is not.
func (m *Monitor) Orphans() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.runs {
		if parent := m.runs[r.owner]; parent != nil && !r.gone && r.doneAt.IsZero() && !parent.doneAt.IsZero() {
			return true
		}
	}
	return false
}

// Deadline is when the last run must be over, and false if one need not be.
func (m *Monitor) Deadline() (time.Time, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	end := m.since(time.Time{})
	for _, r := range m.runs {
		if r.gone || !r.doneAt.IsZero() {
			continue
		}
		at, bounded := m.deadline(r)
		if !bounded {
			return time.Time{}, false
		}
		if at.After(end) {
			end = at
		}
	}
	return end, true
}

// Finish checks what must have happened by now.
func (m *Monitor) Finish() {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.o.Now()
	for _, uid := range slices.Sorted(maps.Keys(m.runs)) {
		r := m.runs[uid]
		if !r.gone && r.doneAt.IsZero() {
			if at, bounded := m.deadline(r); bounded && now.After(at) {
				m.violated(Progress, r.name, r.kind.backing(Progress, anyCase), "it is not over, but %s, although its time was up at %s", r.condition, at.Format(time.RFC3339))
			}
		}
		m.checkPast(r)
		m.checkStopped(r, now)
		if !r.gone && !r.doneAt.IsZero() {
			m.right(r)
			m.checkEnd(r)
		}
	}
}

// Any reports whether there has been a run.
func (m *Monitor) Any() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.runs) > 0
}
