package progress

import (
	"slices"

	"github.com/plumbline-ci/plumbline/api/pipelinegraph"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/substitution"
)

// Task is a task of the Pipeline, and how it stands.
type Task struct {
	// Spec is the task as the Pipeline has it.
	Spec   *v1beta1.PipelineTask
	Final  bool
	Custom bool
	// Names are those of its children, as far as they can be known: those of a matrix are once its values are.
	Names []string
	// Children has what was found under each of the names, or nil.
	Children []*Child
	// Combinations are the params that each child of a matrix has in addition.
	Combinations [][]v1beta1.Param

	resolved *v1beta1.PipelineTask // with results and statuses put in
	parents  []*Task
	problem  *Problem
	skip     v1beta1.SkippingReason
	refers   bool // to results of other tasks
	reached  bool // it can have begun
	// halted: some children are missing, and will not be made, since the run stops.
	halted bool
	// name and child are what Names and Children are of, unless the task has a matrix.
	name  [1]string
	child [1]*Child
}

// Resolved is the task with results of other tasks put in.
func (t *Task) Resolved() *v1beta1.PipelineTask { return t.resolved }

// Begun reports whether the task has a child.
func (t *Task) Begun() bool {
	return slices.ContainsFunc(t.Children, func(c *Child) bool { return c != nil })
}

// partly reports whether some of the children of the task are there, and some are not.
func (t *Task) partly() bool { return t.Begun() && len(t.Missing()) > 0 }

// Running reports whether a child of the task runs.
func (t *Task) Running() bool {
	return slices.ContainsFunc(t.Children, func(c *Child) bool { return c != nil && !c.Done(t.Spec.Retries) })
}

// Missing are the positions of children that are not found.
func (t *Task) Missing() []int {
	var out []int
	for i, c := range t.Children {
		if c == nil {
			out = append(out, i)
		}
	}
	return out
}

// resolve puts results in for variables.
func (t *Task) resolve(values substitution.Replacements) {
	if !t.refers {
		return
	}
	t.resolved = substitution.PipelineTask(t.resolved, values)
}

// resolvable reports whether every result that the task refers to has its value.
func (t *Task) resolvable() bool {
	return !t.refers || len(pipelinegraph.References(t.resolved)) == 0
}

// reachable reports whether a task can have begun: each of its parents has ended, or can be skipped by now.
func (t *Task) reachable() bool {
	return !slices.ContainsFunc(t.parents, func(p *Task) bool { return p.Running() || !p.Begun() && !p.reached })
}

// observe finds the children. Those of a matrix have their names once the values are known.
func (t *Task) observe(known *Known, reachable bool) {
	t.reached = reachable
	switch {
	case t.resolved.Matrix == nil:
		t.name[0] = known.ChildName(t, -1)
		t.Names, t.Children = t.name[:], t.child[:]
	case t.resolvable():
		t.Combinations = combinations(t.resolved.Matrix)
		for i := range t.Combinations {
			t.Names = append(t.Names, known.ChildName(t, i))
		}
		t.Children = make([]*Child, len(t.Names))
	}
	for i, name := range t.Names {
		if reachable || known.Recorded(name) {
			t.Children[i] = known.Child(t, name)
		}
	}
}

// ended reports whether the task has begun and none of its children runs.
func (t *Task) ended() bool { return t.Begun() && !t.Running() }

func (t *Task) succeeded() bool {
	return len(t.Children) > 0 && !slices.ContainsFunc(t.Children, func(c *Child) bool { return c == nil || !c.succeeded() })
}

func (t *Task) cancelled() bool {
	return t.ended() && slices.ContainsFunc(t.Children, func(c *Child) bool { return c != nil && c.cancelled() })
}

func (t *Task) failed() bool {
	return t.ended() && !t.cancelled() && slices.ContainsFunc(t.Children, func(c *Child) bool { return c != nil && c.Succeeded.IsFalse() })
}

// over reports whether the task has come to its end, or will never begin.
func (t *Task) over() bool {
	if t.Running() {
		return false
	}
	return t.skip != "" || t.problem != nil || t.halted || t.succeeded() || t.failed() || t.cancelled()
}

func (t *Task) parentsOver() bool {
	return !slices.ContainsFunc(t.parents, func(p *Task) bool { return !p.over() })
}

// startable reports whether children of the task are to be made.
func (t *Task) startable() bool {
	return t.skip == "" && t.problem == nil && !t.halted && t.resolvable() && t.parentsOver() && (len(t.Names) == 0 || len(t.Missing()) > 0) &&
		!t.failed() && !t.cancelled()
}

// due reports whether the task may have children that were not found.
func (t *Task) due(r *Run) bool {
	if len(t.Missing()) == 0 || t.Final && !r.tasksDone {
		return false
	}
	// Only an ending run makes a task with all its parents over a skipped one after it could have begun.
	switch t.skip {
	case v1beta1.SkippedWhen, v1beta1.SkippedMissingResults, v1beta1.SkippedParent, v1beta1.SkippedEmptyMatrix:
		return false
	default:
		return t.parentsOver() && t.resolvable()
	}
}

// handOn makes the task's results known to others.
func (t *Task) handOn(results substitution.Results) {
	if t.Spec.Matrix != nil || len(t.Children) != 1 || t.Children[0] == nil || !t.Children[0].Done(t.Spec.Retries) {
		return
	}
	for _, result := range t.Children[0].Results {
		results.Add(t.Spec.Name, result.Name, result.Value)
	}
}

// combinations are those of a matrix: the first param varies fastest (spec §2.19). Without params, or with an empty one, there
// are none.
func combinations(m *v1beta1.Matrix) [][]v1beta1.Param {
	total := 1
	for _, p := range m.Params {
		total *= len(p.Value.ArrayVal)
	}
	if len(m.Params) == 0 || total == 0 {
		return nil
	}
	out := make([][]v1beta1.Param, total)
	for i := range out {
		rest := i
		for _, p := range m.Params {
			n := len(p.Value.ArrayVal)
			out[i] = append(out[i], v1beta1.Param{Name: p.Name, Value: v1beta1.StringValue(p.Value.ArrayVal[rest%n])})
			rest /= n
		}
	}
	return out
}
