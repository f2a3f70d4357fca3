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
	s.TaskRuns, s.Runs, s.ChildReferences = nil, nil, nil
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
				embed(s, t, c, guards)
			}
		}
	}
	s.SkippedTasks = run.Skipped()
}

func embed(s *v1beta1.PipelineRunStatus, t *progress.Task, c *progress.Child, guards v1beta1.WhenExpressions) {
	switch status := c.Status.(type) {
	case *v1beta1.TaskRunStatus:
		if s.TaskRuns == nil {
			s.TaskRuns = map[string]*v1beta1.PipelineRunTaskRunStatus{}
		}
		s.TaskRuns[c.Name] = &v1beta1.PipelineRunTaskRunStatus{PipelineTaskName: t.Spec.Name, Status: status, WhenExpressions: guards}
	case *v1beta1.CustomRunStatus:
		if s.Runs == nil {
			s.Runs = map[string]*v1beta1.PipelineRunRunStatus{}
		}
		s.Runs[c.Name] = &v1beta1.PipelineRunRunStatus{PipelineTaskName: t.Spec.Name, Status: status, WhenExpressions: guards}
	}
}

// recordedName is the name of the child that the status has for a task without a matrix, or "".
func recordedName(s *v1beta1.PipelineRunStatus, task string) string {
	names := map[string]bool{}
	for i := range s.ChildReferences {
		if s.ChildReferences[i].PipelineTaskName == task {
			names[s.ChildReferences[i].Name] = true
		}
	}
	if len(names) != 1 {
		return ""
	}
	for i := range s.ChildReferences {
		if s.ChildReferences[i].PipelineTaskName == task {
			return s.ChildReferences[i].Name
		}
	}
	return ""
}

// recordedKind is the kind of a child that the status has, or "".
func recordedKind(s *v1beta1.PipelineRunStatus, name string) string {
	switch {
	case s.TaskRuns[name] != nil:
		return v1beta1.KindTaskRun
	case s.Runs[name] != nil:
		return v1alpha1.KindRun
	}
	for i := range s.ChildReferences {
		if s.ChildReferences[i].Name == name {
			return s.ChildReferences[i].Kind
		}
	}
	return ""
}

// recordedChild is a child that is gone and had ended before, as the status keeps it, or nil. It is not made again.
func recordedChild(s *v1beta1.PipelineRunStatus, name string) *progress.Child {
	var c *progress.Child
	if tr := s.TaskRuns[name]; tr != nil && tr.Status != nil {
		c = childOf(&v1beta1.TaskRun{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: *tr.Status})
	}
	if r := s.Runs[name]; r != nil && r.Status != nil {
		c = childOf(&v1alpha1.Run{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: *r.Status})
	}
	if c == nil || c.Succeeded.IsUnknown() {
		return nil
	}
	return c
}

func recordedSkipped(s *v1beta1.PipelineRunStatus, task string) bool {
	for i := range s.SkippedTasks {
		if s.SkippedTasks[i].Name == task {
			return true
		}
	}
	return false
}
