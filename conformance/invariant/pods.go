package invariant

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
)

// pod is one Pod of a run.
type pod struct {
	name    string
	run     *run
	attempt int
	object  *unstructured.Unstructured
	gone    bool
	// endedAt is when it, or each of its steps, was seen to have ended.
	endedAt time.Time
	visited visits
}

// live: it runs, or may yet. A Pod without a phase has not been picked up by a kubelet.
func (p *pod) live() bool {
	return !p.gone && !ended(p.object) && text(mapping(p.object.Object, "status"), "phase") != ""
}

// does says what a live Pod does: "runs step-a", or "is Pending".
func (p *pod) does() string {
	if alive := running(p.object); len(alive) > 0 {
		return "runs " + strings.Join(alive, ", ")
	}
	return "is " + text(mapping(p.object.Object, "status"), "phase")
}

func (m *Monitor) sawPod(event watch.EventType, o *unstructured.Unstructured) {
	uid := string(o.GetUID())
	p := m.pods[uid]
	if p == nil {
		r := m.runs[m.ownerOf(o)]
		if r == nil || !r.kind.pods || event == watch.Deleted {
			return // it has no owner that is watched
		}
		p = &pod{name: o.GetName(), run: r, attempt: r.attempt, object: o}
		m.pods[uid] = p
		r.pods = append(r.pods, p)
		for _, other := range r.pods {
			if other != p && other.attempt == p.attempt && other.live() {
				m.violated(OnePod, r.name, r.kind.backing(OnePod, anyCase), "attempt %d has two live Pods, %s and %s", p.attempt, other.name, p.name)
			}
		}
	}
	p.object = o
	p.gone = event == watch.Deleted
	if p.endedAt.IsZero() && (ended(o) || stepsEnded(o)) {
		p.endedAt = m.o.Now()
	}
	m.checkVisits("pod/"+p.name, p.run.kind, &p.visited, o)
}

// stepsEnded reports whether every step of a Pod has ended, though sidecars may run.
func stepsEnded(o *unstructured.Unstructured) bool {
	steps := 0
	for _, item := range list(mapping(o.Object, "spec"), "containers") {
		if strings.HasPrefix(text(mapping(item), "name"), "step-") {
			steps++
		}
	}
	over := 0
	for _, item := range list(mapping(o.Object, "status"), "containerStatuses") {
		if c := mapping(item); strings.HasPrefix(text(c, "name"), "step-") && mapping(c, "state", "terminated") != nil {
			over++
		}
	}
	return steps > 0 && over == steps
}

func (m *Monitor) checkSteps(r *run, status map[string]any) {
	for _, item := range list(status, "steps") {
		if s := mapping(item); mapping(s, "terminated") == nil {
			m.violated(StepsEnded, r.name, r.kind.backing(StepsEnded, anyCase), "the run is over (%s), but step %s has not terminated", r.condition.reason, text(s, "name"))
		}
	}
}

// checkResults compares a run's results with what its last Pod has written.
func (m *Monitor) checkResults(r *run, status map[string]any) {
	results := list(status, "taskResults")
	if results == nil {
		results = list(status, "results") // of version v1
	}
	if len(results) == 0 || m.o.AnyResults {
		return
	}
	backing := r.kind.backing(LastResults, anyCase)
	var last *pod
	for _, p := range r.pods {
		if p.name == text(status, "podName") && p.attempt == r.attempt {
			last = p
		}
	}
	if last == nil {
		m.violated(LastResults, r.name, backing, "the run has results, but its last attempt no Pod")
		return
	}
	values, known := written(last.object)
	if !known {
		return
	}
	for _, item := range results {
		result := mapping(item)
		name := text(result, "name")
		wrote := values[name]
		value, plain := result["value"].(string)
		if len(wrote) == 0 {
			m.violated(LastResults, r.name, backing, "result %s is not what the last attempt wrote: it wrote none", name)
		} else if plain && value != wrote[len(wrote)-1] && !slices.Contains(wrote, value) {
			m.violated(LastResults, r.name, backing, "result %s is %q, but the last attempt wrote %q", name, value, wrote)
		}
	}
}

// checkPast asks whether what past attempts ran has stopped.
func (m *Monitor) checkPast(r *run) {
	if r.attempt == 0 || m.o.Now().Sub(m.since(r.attemptAt)) <= Grace {
		return
	}
	for _, p := range r.pods {
		if alive := running(p.object); p.attempt < r.attempt && !p.gone && len(alive) > 0 {
			m.violated(PastStopped, r.name, r.kind.backing(PastStopped, anyCase), "attempt %d is past, but its Pod %s still runs %s", p.attempt, p.name, strings.Join(alive, ", "))
		}
	}
}

// checkSuccess asks whether the steps of a run that has succeeded have.
func (m *Monitor) checkSuccess(r *run, status map[string]any) {
	backing := r.kind.backing(RightState, succeeds)
	for _, item := range list(status, "steps") {
		s := mapping(item)
		t := mapping(s, "terminated")
		if code, ok := number(t, "exitCode"); ok && code != 0 && !mayFail(status, text(s, "name"), text(s, "container")) {
			m.violated(RightState, r.name, backing, "it succeeded, but step %s ended with exit code %v", text(s, "name"), t["exitCode"])
		}
	}
	if steps := list(mapping(status, "taskSpec"), "steps"); len(steps) > 0 && len(steps) != len(list(status, "steps")) {
		m.violated(RightState, r.name, backing, "it succeeded, but shows %d of its %d steps", len(list(status, "steps")), len(steps))
	}
}

// mayFail reports whether a step's failure is not the run's.
func mayFail(status map[string]any, name, container string) bool {
	for i, item := range list(mapping(status, "taskSpec"), "steps") {
		s := mapping(item)
		if n := text(s, "name"); (n == name && n != "" || container == fmt.Sprintf("step-unnamed-%d", i)) && text(s, "onError") == "continue" {
			return true
		}
	}
	return false
}
