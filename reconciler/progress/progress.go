// Package progress is how far a PipelineRun is: which of its tasks ran, run, failed or were cancelled, which are skipped and why,
// what is to start next, and what the run's condition follows to be (spec of Pipelines §2.15 to §2.18).
//
// It is a function of what is known at one moment: the Pipeline, what the user asked for, which timeouts have passed, and the
// children. It has no client, no clock and no memory, so that the order in which events arrived cannot show in its answers. Its cost
// is linear in the size of the graph.
//
//	progress.go     New: from what is known to a Run
//	child.go        one child, and how it stands
//	task.go         one task, and how it stands
//	skip.go         why a task does not run
//	condition.go    the condition Succeeded, and the tasks that were skipped
//	results.go      what tasks hand on
package progress

import (
	"github.com/plumbline-ci/plumbline/api/pipelinegraph"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/substitution"
)

// Known is what is known of a run.
type Known struct {
	Name string // of the PipelineRun
	Spec *v1beta1.PipelineSpec
	// Asked is what the user asked for.
	Asked v1beta1.PipelineRunSpecStatus
	// PipelineOver, TasksOver and FinallyOver say which timeouts have passed.
	PipelineOver, TasksOver, FinallyOver bool
	// Settled are the tasks that were skipped when the final tasks began, and why; nil before. They stay skipped, even if the user
	// takes back what was asked for.
	Settled map[string]v1beta1.SkippingReason
	// Problems are tasks that were found impossible to start, by their names.
	Problems map[string]Problem
	// Child looks up a child by what a task would make and its name. Recorded reports whether a child of that name is known to have
	// been made: others are not looked up as long as the task cannot have begun.
	Child    func(t *Task, name string) *Child
	Recorded func(name string) bool
	// ChildName is the name of a child: of the task, or of one combination of its matrix.
	ChildName func(t *Task, combination int) string
	// Custom reports whether a task is a custom one.
	Custom func(*v1beta1.PipelineTask) bool
}

// Problem is why a task cannot be started, ever.
type Problem struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// Run is how far a run is.
type Run struct {
	known Known
	// Tasks are those of the graph and Finally the final ones, in the order of the Pipeline.
	Tasks, Finally []*Task
	all            []*Task
	names          map[string]*Task
	results        substitution.Results
	stopping       bool
	tasksDone      bool
}

// New works out how far a run is.
func New(known Known, graph *pipelinegraph.Graph) *Run {
	tasks, n := len(known.Spec.Tasks), len(known.Spec.Tasks)+len(known.Spec.Finally)
	r := &Run{known: known, names: make(map[string]*Task, n), results: substitution.NewResults(), all: make([]*Task, n)}
	room := make([]Task, n)
	for i := range known.Spec.Tasks {
		r.all[i] = r.fill(&room[i], &known.Spec.Tasks[i], false)
	}
	for i := range known.Spec.Finally {
		r.all[tasks+i] = r.fill(&room[tasks+i], &known.Spec.Finally[i], true)
	}
	r.Tasks, r.Finally = r.all[:tasks:tasks], r.all[tasks:]
	for _, name := range graph.Order() {
		t := r.names[name]
		for _, d := range graph.Dependencies(name) {
			t.parents = append(t.parents, r.names[d])
		}
		t.resolve(r.results.Replacements)
		t.observe(&known, t.reachable())
		t.handOn(r.results)
	}
	for _, t := range r.Tasks {
		t.problem = t.findProblem(r)
		r.stopping = r.stopping || t.failed() || t.cancelled() || t.problem != nil
	}
	for _, t := range r.Tasks {
		t.halted = t.partly() && (r.stopping || known.Asked != "" || known.TasksOver || known.PipelineOver || known.Settled != nil)
	}
	r.tasksDone = true
	for _, name := range graph.Order() {
		t := r.names[name]
		t.skip = r.skipTask(t)
		r.tasksDone = r.tasksDone && t.over()
	}
	for _, t := range r.Finally {
		t.resolve(r.results.Replacements)
		if r.tasksDone {
			t.resolved = substitution.PipelineTask(t.resolved, substitution.Statuses(r.statuses()))
		}
		t.observe(&known, r.tasksDone)
		t.halted = t.partly() && (known.FinallyOver || known.PipelineOver)
		if r.tasksDone {
			t.skip = r.skipFinal(t)
		}
	}
	return r
}

func (r *Run) fill(t *Task, pt *v1beta1.PipelineTask, final bool) *Task {
	*t = Task{Spec: pt, Final: final, Custom: r.known.Custom(pt), resolved: pt, refers: len(pipelinegraph.References(pt)) > 0}
	if p, known := r.known.Problems[pt.Name]; known {
		problem := p
		t.problem = &problem
	}
	r.names[pt.Name] = t
	return t
}

// TasksDone reports whether every task of the graph has ended or is skipped, so that the final ones are due.
func (r *Run) TasksDone() bool { return r.tasksDone }

// All are the tasks of the graph and the final ones, in the order of the Pipeline. The list is not to be changed.
func (r *Run) All() []*Task { return r.all }

// Next are the tasks that are to start now, or of which some children are still to be made, in the order of the Pipeline.
func (r *Run) Next() []*Task {
	if r.known.Asked == v1beta1.PipelineRunSpecStatusCancelled || r.known.PipelineOver {
		return nil
	}
	var next []*Task
	if !r.stopping && !r.tasksDone && r.known.Asked == "" && !r.known.TasksOver {
		for _, t := range r.Tasks {
			if t.startable() {
				next = append(next, t)
			}
		}
	}
	if r.tasksDone && !r.known.FinallyOver {
		for _, t := range r.Finally {
			if t.startable() {
				next = append(next, t)
			}
		}
	}
	return next
}

// Due are the tasks that may have been started already without that being known: those that could have started by now and have
// children that were not found.
func (r *Run) Due() []*Task {
	var due []*Task
	for _, t := range r.All() {
		if t.due(r) {
			due = append(due, t)
		}
	}
	return due
}

// Complete is a task with everything put in that is known, for what is made of it: also in an embedded Task, which has results of other
// tasks although it does not wait for them.
func (r *Run) Complete(t *Task) *v1beta1.PipelineTask {
	return substitution.PipelineTask(t.resolved, r.results.Replacements)
}

// Begun reports whether any task has a child.
func (r *Run) Begun() bool {
	for _, t := range r.All() {
		if t.Begun() {
			return true
		}
	}
	return false
}
