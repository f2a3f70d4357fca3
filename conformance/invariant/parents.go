package invariant

import (
	"slices"
	"strings"
	"time"
)

// labelTask names the task of a Pipeline that a run was made for.
const labelTask = "tekton.dev/pipelineTask"

// tick is what times that are stored in whole seconds, by controllers with clocks of their own, may differ without meaning anything.
const tick = time.Second

// task is the task of a Pipeline that a run was made for, or "".
func (r *run) task() string {
	return text(mapping(r.object.Object, "metadata", "labels"), labelTask)
}

// fans reports whether a task of a parent makes several children.
func (r *run) fans(task string) bool {
	for _, t := range r.tasks() {
		if m := mapping(t); text(m, "name") == task {
			return m["matrix"] != nil
		}
	}
	return false
}

// tasks are the tasks of the Pipeline that a run runs, final ones included, as its status or its spec has them.
func (r *run) tasks() []any {
	pipeline := mapping(r.status(), "pipelineSpec")
	if pipeline == nil {
		pipeline = mapping(r.spec(), "pipelineSpec")
	}
	return slices.Concat(list(pipeline, "tasks"), list(pipeline, "finally"))
}

// wasCut reports whether a run was ended before its children were: because it was asked to, or ran out of time.
func (r *run) wasCut() bool {
	asked := text(r.spec(), "status")
	return slices.Contains(r.kind.TimedOut, r.condition.reason) || slices.Contains(r.kind.Cancelled, r.condition.reason) && asked == r.kind.Cancel
}

// checkChild asks whether a run that another one has made may be there.
func (m *Monitor) checkChild(r *run) {
	parent := m.runs[r.owner]
	if parent == nil || parent.object == nil {
		return
	}
	task := r.task()
	if task == "" {
		return
	}
	if !parent.fans(task) {
		for _, other := range m.children(parent) {
			if other != r && !other.gone && other.object != nil && other.task() == task {
				m.violated(OneChild, parent.name, parent.kind.backing(OneChild, anyCase), "its task %s has two children: %s and %s", task, other.name, r.name)
			}
		}
	}
	m.checkSkipped(parent)
}

// checkSkipped asks whether a task is listed as skipped that has a child.
func (m *Monitor) checkSkipped(parent *run) {
	for _, item := range list(parent.status(), "skippedTasks") {
		name := text(mapping(item), "name")
		for _, child := range m.children(parent) {
			if child.object != nil && child.task() == name {
				m.violated(OneOutcome, parent.name, parent.kind.backing(OneOutcome, anyCase), "its task %s is listed as skipped (%s), but has %s", name, text(mapping(item), "reason"), child.name)
			}
		}
	}
}

// asked reports whether the run has been asked to stop. Its parent need not wait for it then: one whose status cannot be stored asks
// its children to stop, and ends.
func (r *run) asked() bool { return text(mapping(r.object.Object, "spec"), "status") != "" }

// checkParent asks whether the end of a run agrees with those of its children.
func (m *Monitor) checkParent(r *run) {
	children := m.children(r)
	end, over := moment(r.status(), "completionTime")
	for _, c := range children {
		if c.object == nil || !over {
			continue
		}
		made, _ := moment(mapping(c.object.Object, "metadata"), "creationTimestamp")
		if made.Sub(end) > tick {
			m.violated(NothingBegins, r.name, r.kind.backing(NothingBegins, anyCase), "it was over at %s, and %s was made at %s", end.Format(time.RFC3339), c.name, made.Format(time.RFC3339))
			continue
		}
		last, ended := moment(c.status(), "completionTime")
		late := c.doneAt.IsZero() || ended && last.Sub(end) > tick
		if c.gone || c.asked() {
			continue
		}
		if r.wasCut() {
			if late {
				m.violated(ParentLast, r.name, r.kind.backing(ParentLast, anyCase), "it was over with %s, and its %s, which had not ended, was not asked to stop", r.condition, c.name)
			}
			continue
		}
		switch {
		case c.doneAt.IsZero():
			m.violated(ParentLast, r.name, r.kind.backing(ParentLast, anyCase), "it is over with %s, but its %s is not", r.condition, c.name)
		case late:
			m.violated(ParentLast, r.name, r.kind.backing(ParentLast, anyCase), "it was over at %s, before its %s was at %s", end.Format(time.RFC3339), c.name, last.Format(time.RFC3339))
		}
		if r.condition.status == "True" && c.condition.status == "False" && c.task() != "" {
			m.violated(RightState, r.name, r.kind.backing(RightState, succeeds), "it has succeeded, although its %s failed: %s", c.name, c.condition)
		}
	}
	m.checkOutcomes(r, children)
}

// checkOutcomes asks of a run that came to its own end whether each of its tasks ran or is listed as skipped.
func (m *Monitor) checkOutcomes(r *run, children []*run) {
	if r.wasCut() || len(children) == 0 && r.condition.status != "True" {
		return // of what could not begin at all, no task is listed
	}
	outcome := map[string]bool{}
	for _, c := range children {
		if c.object != nil {
			outcome[c.task()] = true
		}
	}
	for _, item := range list(r.status(), "skippedTasks") {
		outcome[text(mapping(item), "name")] = true
	}
	var none []string
	for _, t := range r.tasks() {
		if name := text(mapping(t), "name"); name != "" && !outcome[name] {
			none = append(none, name)
		}
	}
	if len(none) > 0 {
		m.violated(OneOutcome, r.name, r.kind.backing(OneOutcome, anyCase), "it is over with %s, but these of its tasks neither ran nor are listed as skipped: %s", r.condition, strings.Join(none, ", "))
	}
}

// someCancelled reports whether a run that another one has made was cancelled.
func (m *Monitor) someCancelled(r *run) bool {
	return slices.ContainsFunc(m.children(r), func(c *run) bool { return slices.Contains(c.kind.Cancelled, c.condition.reason) })
}
