package pipelinerun

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/progress"
)

// Values of the flag embedded-status.
const (
	embedFull    = "full"
	embedMinimal = "minimal"
)

// record writes the children into the status: copies of their statuses, references to them, or both (spec §2.18).
func record(s *v1beta1.PipelineRunStatus, run *progress.Run, embedded string) {
	before, many := s.TaskRuns, 0
	s.TaskRuns, s.Runs, s.ChildReferences = nil, nil, nil
	for _, t := range run.All() {
		many += len(t.Children)
	}
	if embedded != embedFull && run.Begun() {
		s.ChildReferences = make([]v1beta1.ChildStatusReference, 0, many)
	}
	for _, t := range run.All() {
		for _, c := range t.Children {
			if c == nil {
				continue
			}
			guards := t.Resolved().WhenExpressions
			if embedded != embedFull {
				s.ChildReferences = append(s.ChildReferences, v1beta1.ChildStatusReference{
					TypeMeta: metav1.TypeMeta{APIVersion: c.APIVersion, Kind: c.Kind}, Name: c.Name, PipelineTaskName: t.Spec.Name, WhenExpressions: guards,
				})
			}
			if embedded != embedMinimal {
				if known := before[c.Name]; known != nil && known.Status != nil && settled(known.Status, c) {
					keep(s, c.Name, known)
					continue
				}
				embed(s, t, c, guards)
			}
		}
	}
	s.SkippedTasks = run.Skipped()
}

// settled reports whether what the status has of a child is all that there will be.
func settled(known *v1beta1.TaskRunStatus, c *progress.Child) bool {
	return !known.Succeeded().IsUnknown() && !c.Succeeded.IsUnknown()
}

// keep keeps what the status has of a child: what is not copied need not be compared.
func keep(s *v1beta1.PipelineRunStatus, name string, known *v1beta1.PipelineRunTaskRunStatus) {
	if s.TaskRuns == nil {
		s.TaskRuns = map[string]*v1beta1.PipelineRunTaskRunStatus{}
	}
	s.TaskRuns[name] = known
}

func embed(s *v1beta1.PipelineRunStatus, t *progress.Task, c *progress.Child, guards v1beta1.WhenExpressions) {
	switch status := c.Status.(type) {
	case *v1beta1.TaskRunStatus:
		keep(s, c.Name, &v1beta1.PipelineRunTaskRunStatus{PipelineTaskName: t.Spec.Name, Status: status, WhenExpressions: guards})
	case *v1beta1.CustomRunStatus:
		if s.Runs == nil {
			s.Runs = map[string]*v1beta1.PipelineRunRunStatus{}
		}
		s.Runs[c.Name] = &v1beta1.PipelineRunRunStatus{PipelineTaskName: t.Spec.Name, Status: status, WhenExpressions: guards}
	}
}

// recorded is what a status says about children, and about tasks without any, by names.
type recorded struct {
	kinds   map[string]string // of children
	names   map[string]string // of the child of a task, if it has one alone
	skipped map[string]bool
}

func recordedIn(s *v1beta1.PipelineRunStatus) recorded {
	n := max(len(s.TaskRuns)+len(s.Runs), len(s.ChildReferences))
	r := recorded{kinds: make(map[string]string, n), names: make(map[string]string, n), skipped: make(map[string]bool, len(s.SkippedTasks))}
	several := map[string]bool{}
	add := func(name, kind, task string) {
		r.kinds[name] = kind
		if other, known := r.names[task]; known && other != name {
			several[task] = true
		}
		r.names[task] = name
	}
	//plumbline:unordered one map is made of another
	for name, tr := range s.TaskRuns {
		if tr != nil {
			add(name, v1beta1.KindTaskRun, tr.PipelineTaskName)
		}
	}
	//plumbline:unordered one map is made of another
	for name, run := range s.Runs {
		if run != nil {
			add(name, v1alpha1.KindRun, run.PipelineTaskName)
		}
	}
	for i := range s.ChildReferences {
		c := &s.ChildReferences[i]
		add(c.Name, c.Kind, c.PipelineTaskName)
	}
	//plumbline:unordered keys are only deleted
	for task := range several {
		delete(r.names, task)
	}
	for i := range s.SkippedTasks {
		r.skipped[s.SkippedTasks[i].Name] = true
	}
	return r
}

// recordedChild is a child that is gone and had ended before, as the status keeps it, or nil. It is not made again.
func (p *pipelineRunPass) recordedChild(name string) *progress.Child {
	s := &p.Stored.Status
	var c *progress.Child
	if tr := s.TaskRuns[name]; tr != nil && tr.Status != nil {
		c = p.embeddedChild(name, tr.Status)
	}
	if r := s.Runs[name]; r != nil && r.Status != nil {
		c = p.childOf(&v1alpha1.Run{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: *r.Status})
	}
	if c == nil || c.Succeeded.IsUnknown() {
		return nil
	}
	return c
}

// settledChild is a child whose end the status has, so that it need not be looked at again, or nil. Whose idea a cancellation was, only
// the child itself tells.
func (p *pipelineRunPass) settledChild(name string) *progress.Child {
	tr := p.Stored.Status.TaskRuns[name]
	if tr == nil || tr.Status == nil {
		return nil
	}
	if c := tr.Status.Succeeded(); c.IsUnknown() || c.Reason == v1beta1.TaskRunReasonCancelled {
		return nil
	}
	return p.embeddedChild(name, tr.Status)
}

// embeddedChild is a TaskRun of which there is no more than its status, which stays shared.
func (p *pipelineRunPass) embeddedChild(name string, s *v1beta1.TaskRunStatus) *progress.Child {
	c := p.newChild()
	c.Name, c.Status = name, s
	taskRunStands(c, s)
	return c
}
