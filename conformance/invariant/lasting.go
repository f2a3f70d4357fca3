package invariant

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What follows are rules about what stays as it is, once it exists.

// checkKept asks whether the status of a run that has been over for a while is as it was. Sidecars may still be on their way
// to their end; what a controller adds in the first moments is part of the end.
func (m *Monitor) checkKept(r *run, status map[string]any) {
	now := m.o.Now()
	if r.kept == nil || r.doneAt.IsZero() || now.Sub(m.since(r.doneAt)) <= Grace {
		r.kept = status
		return
	}
	for _, key := range slices.Concat(slices.Sorted(maps.Keys(r.kept)), slices.Sorted(maps.Keys(status))) {
		if key != "sidecars" && key != "annotations" && !reflect.DeepEqual(r.kept[key], status[key]) {
			m.violated(Kept, r.name, r.kind.backing(Kept, anyCase), "it has been over for %s, but its status.%s was %v and became %v", now.Sub(r.doneAt), key, r.kept[key], status[key])
			return
		}
	}
}

// checkStart asks whether the start of the attempt is where it was.
func (m *Monitor) checkStart(r *run, status map[string]any) {
	start := text(status, "startTime")
	if r.started != "" && start != r.started {
		m.violated(StartKept, r.name, r.kind.backing(StartKept, anyCase), "attempt %d had the startTime %s, and then %q", r.attempt, r.started, start)
	}
	r.started = start
}

// checkShown asks whether the ends of steps that were shown are as they were.
func (m *Monitor) checkShown(r *run, status map[string]any) {
	if !r.kind.pods {
		return
	}
	now := map[string]string{}
	for _, item := range list(status, "steps") {
		s := mapping(item)
		if t := mapping(s, "terminated"); t != nil {
			code, _ := number(t, "exitCode")
			now[text(s, "name")+"/"+text(s, "container")] = fmt.Sprintf("exit code %d at %s", code, text(t, "finishedAt"))
		}
	}
	for _, step := range slices.Sorted(maps.Keys(r.shown)) {
		if end, shown := now[step]; end != r.shown[step] && (shown || len(list(status, "steps")) > 0) {
			if !shown {
				end = "nothing"
			}
			m.violated(StepEnds, r.name, r.kind.backing(StepEnds, anyCase), "step %s had ended with %s, and now shows %s", strings.TrimSuffix(step, "/"), r.shown[step], end)
		}
	}
	if len(now) > 0 {
		r.shown = now
	}
}

// checkListed asks whether a run that is over lists the steps that began in its Pod. Of a run that never lists any, not even
// without trouble, fixtures about steps tell better.
func (m *Monitor) checkListed(r *run, status map[string]any) {
	last := r.last()
	if last == nil || last.gone || !r.lists && m.o.Expect[r.name].Steps == 0 {
		return
	}
	listed := map[string]bool{}
	for _, item := range list(status, "steps") {
		listed[text(mapping(item), "container")] = true
	}
	for _, name := range begun(last.object) {
		if strings.HasPrefix(name, "step-") && !listed[name] {
			m.violated(StepsListed, r.name, r.kind.backing(StepsListed, anyCase), "the run is over (%s), but its status does not list %s, which began", r.condition.reason, name)
		}
	}
}

// begun names the containers of a Pod that run or have run.
func begun(o *unstructured.Unstructured) []string {
	var names []string
	for _, item := range list(mapping(o.Object, "status"), "containerStatuses") {
		c := mapping(item)
		if mapping(c, "state", "running") != nil || text(mapping(c, "state", "terminated"), "startedAt") != "" {
			names = append(names, text(c, "name"))
		}
	}
	return names
}

// last is the last Pod of the attempt that is under way, or nil.
func (r *run) last() *pod {
	for _, p := range slices.Backward(r.pods) {
		if p.attempt == r.attempt {
			return p
		}
	}
	return nil
}

// checkSoon asks whether an attempt is over soon after its Pod.
func (m *Monitor) checkSoon(r *run) {
	last := r.last()
	if last == nil || last.gone || last.endedAt.IsZero() {
		return
	}
	if late := m.o.Now().Sub(m.since(last.endedAt)); late > Soon {
		m.violated(EndsSoon, r.name, r.kind.backing(EndsSoon, anyCase), "the steps of its Pod %s had ended %s before the run was over, or tried again", last.name, late)
	}
}

// quickly is a timeout that trouble which passes may use up.
const quickly = 30 * time.Minute

// refused is how long an attempt may go on that needs what is refused for good.
const refused = 5 * time.Minute

// checkEnd asks whether a run has ended as it does without trouble.
func (m *Monitor) checkEnd(r *run) {
	want, known := m.o.Expect[r.name]
	if !known || want.Status == "" || want.Status == "Unknown" {
		return
	}
	got := m.end(r)
	if m.o.Refused && got.Status == "False" {
		if allowed := time.Duration(r.attempt+1) * refused; got.Took > want.Took+allowed {
			m.violated(RefusedSoon, r.name, r.kind.backing(RefusedSoon, anyCase), "what it needs is refused for good, and it is over after %s, want %s at most", got.Took, want.Took+allowed)
		}
		return
	}
	if r.outOfTime(got) || r.unresolved(got) || m.childOutOfTime(r) {
		return // the trouble may have lasted as long
	}
	if r.owner != "" && got.Status == "False" && (r.asked() || got.Status == want.Status && slices.Contains(r.kind.TimedOut, got.Reason)) {
		return // its parent has stopped it, or was about to when its own time was over: the end of the parent is judged
	}
	if got.Status == want.Status && slices.Contains(r.kind.TimedOut, want.Reason) {
		return // what was late may have ended by the Pod's own deadline first
	}
	if got.Status != want.Status || got.Status != "True" && got.Reason != want.Reason || got.Attempts > want.Attempts {
		m.violated(SameEnd, r.name, r.kind.backing(SameEnd, want.Status),
			"without trouble it ends with %s/%s after %d earlier attempts; trouble that has passed made it %s/%s after %d", want.Status, want.Reason, want.Attempts, got.Status, got.Reason, got.Attempts)
	}
}

// outOfTime reports whether a run has used up a time which trouble that passes may take: it says so, or its Pod ended by its own
// deadline before that could be said.
func (r *run) outOfTime(e End) bool {
	limit, bounded := r.kind.timeout(r.spec())
	return bounded && limit < quickly && e.Status == "False" && (slices.Contains(r.kind.TimedOut, e.Reason) || e.Took >= limit)
}

// resolution is how long a run waits for what is remote.
const resolution = time.Minute

// unresolved reports whether a run has waited in vain for what is remote, which trouble that passes may have delayed for longer.
func (r *run) unresolved(e End) bool {
	remote := text(mapping(r.spec(), "taskRef"), "resolver")+text(mapping(r.spec(), "pipelineRef"), "resolver") != ""
	return remote && e.Status == "False" && e.Took >= resolution
}

// childOutOfTime reports whether a child has used up such a time: its own, or that of its phase, for which the run has stopped it.
func (m *Monitor) childOutOfTime(r *run) bool {
	hurried := !r.asked() && (r.phaseIsShort("tasks") || r.phaseIsShort("finally"))
	//plumbline:unordered any of them is enough
	for _, c := range m.runs {
		if c.owner == r.uid && (c.outOfTime(m.end(c)) || hurried && c.asked()) {
			return true
		}
	}
	return false
}

// phaseIsShort reports whether the tasks or the final tasks of a run have a time which trouble that passes may take.
func (r *run) phaseIsShort(phase string) bool {
	limit, err := time.ParseDuration(text(mapping(r.spec(), "timeouts"), phase))
	return err == nil && limit > 0 && limit < quickly
}

// visits are the labels and annotations of visitors that an object has shown, and how often they have changed.
type visits struct{ labels, annotations map[string]string }

// checkVisits asks whether what visitors have put on an object is still there, and reports whether this version is a visit.
func (m *Monitor) checkVisits(name string, k *kind, v *visits, o *unstructured.Unstructured) (visited bool) {
	labels, annotations := ofVisitors(o, "labels"), ofVisitors(o, "annotations")
	for _, x := range []struct {
		what      string
		had, have map[string]string
	}{{"label", v.labels, labels}, {"annotation", v.annotations, annotations}} {
		for _, key := range slices.Sorted(maps.Keys(x.had)) {
			if _, there := x.have[key]; !there {
				m.violated(OthersKept, name, k.backing(OthersKept, anyCase), "the %s %s that a user had put on it is gone", x.what, key)
			}
		}
		visited = visited || !reflect.DeepEqual(x.had, x.have)
	}
	v.labels, v.annotations = labels, annotations
	return visited
}

// ofVisitors are the labels or annotations that visitors have put on an object, or nil.
func ofVisitors(o *unstructured.Unstructured, field string) map[string]string {
	var out map[string]string
	for key, value := range mapping(o.Object, "metadata", field) {
		if strings.HasPrefix(key, VisitorPrefix) {
			if out == nil {
				out = map[string]string{}
			}
			out[key], _ = value.(string)
		}
	}
	return out
}
