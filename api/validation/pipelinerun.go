package validation

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/conversion"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// PipelineRun checks a PipelineRun at creation and at every update (spec §2.6).
func PipelineRun(pr *v1beta1.PipelineRun, cfg *config.Config) error {
	return pipelineRun(v1beta1.Version, pr.Name, &pr.Spec, pr.Status.StartTime != nil, cfg)
}

// PipelineRunV1 is PipelineRun for v1.
func PipelineRunV1(pr *v1.PipelineRun, cfg *config.Config) error {
	spec := conversion.PipelineRunSpecFromV1(&pr.Spec)
	return pipelineRun(v1.Version, pr.Name, &spec, pr.Status.StartTime != nil, cfg)
}

func pipelineRun(version, name string, spec *v1beta1.PipelineRunSpec, started bool, cfg *config.Config) error {
	var errs Errors
	c := checker{version: version, cfg: cfg, errs: &errs}
	c.objectName(name)
	switch {
	case spec.PipelineRef == nil && spec.PipelineSpec == nil:
		c.refuse("P-41/neither")
	case spec.PipelineRef != nil && spec.PipelineSpec != nil:
		c.refuse("P-41/both")
	}
	if r := spec.PipelineRef; r != nil {
		c.origin("spec.pipelineRef", origin{name: r.Name, bundle: r.Bundle, ResolverRef: r.ResolverRef})
	}
	if spec.PipelineSpec != nil {
		c.pipelineSpec("spec.pipelineSpec.", spec.PipelineSpec, false)
		c.propagatedToPipeline(spec)
		c.propagatedWorkspaces(spec)
	}
	c.params(spec.Params)
	c.resultsInParams(spec.Params)
	c.pipelineTimeouts(spec)
	c.pipelineRunStatus(spec.Status, started)
	c.pipelineRunWorkspaces(spec.Workspaces)
	for i := range spec.TaskRunSpecs {
		s, at := &spec.TaskRunSpecs[i], fmt.Sprintf("spec.taskRunSpecs[%d].", i)
		c.overrides(at, s.StepOverrides, s.SidecarOverrides, s.ComputeResources)
		c.forbiddenEnv(at, s.TaskPodTemplate)
	}
	template := "spec."
	if version == v1.Version {
		template = "spec.taskRunTemplate."
	}
	c.forbiddenEnv(template, spec.PodTemplate)
	return errs.OrNil()
}

// resultsInParams checks P-43: no task has run yet, so that no result can be a param of the run.
func (c *checker) resultsInParams(params []v1beta1.Param) {
	for i := range params {
		if alike, refs := likeResults(variablesOf(params[i].Value)); len(refs) > 0 {
			c.refuse("P-43", params[i].Name, alike)
		}
	}
}

// pipelineTimeouts checks P-44 to P-47. Two of the parts may not be longer together than the whole; the reference demands that of a
// whole without a bound, too, and so do we.
func (c *checker) pipelineTimeouts(spec *v1beta1.PipelineRunSpec) {
	if spec.Timeout != nil && spec.Timeout.Duration < 0 {
		c.refuse("P-44", spec.Timeout.Duration)
	}
	t := spec.Timeouts
	if t == nil {
		return
	}
	if spec.Timeout != nil {
		c.refuse("P-45")
	}
	whole := time.Duration(0)
	if t.Pipeline != nil {
		whole = t.Pipeline.Duration
		if whole < 0 {
			c.refuse("P-46", "pipeline", whole)
		}
	}
	for _, part := range []struct {
		field string
		limit *metav1.Duration
	}{{"tasks", t.Tasks}, {"finally", t.Finally}} {
		switch {
		case part.limit == nil:
			continue
		case part.limit.Duration < 0:
			c.refuse("P-46", part.field, part.limit.Duration)
		}
		if t.Pipeline == nil || whole == 0 {
			continue
		}
		switch {
		case part.limit.Duration == 0:
			c.refuse("P-47/none", part.field, part.limit.Duration)
		case part.limit.Duration > whole:
			c.refuse("P-47/part", part.field, part.limit.Duration)
		}
	}
	if t.Pipeline != nil && t.Tasks != nil && t.Finally != nil && longer(t.Tasks.Duration, t.Finally.Duration, whole) {
		c.refuse("P-47/sum", t.Tasks.Duration, t.Finally.Duration)
	}
}

// longer reports whether two durations are longer together than a third, even if no Duration can hold what they are together.
func longer(a, b, whole time.Duration) bool {
	sum := a + b
	return sum > whole || a > 0 && b > 0 && sum < 0
}

// pipelineRunStatus checks P-42 and P-48.
func (c *checker) pipelineRunStatus(status v1beta1.PipelineRunSpecStatus, started bool) {
	switch status {
	case "", v1beta1.PipelineRunSpecStatusCancelled, v1beta1.PipelineRunSpecStatusCancelledRunFinally, v1beta1.PipelineRunSpecStatusStoppedRunFinally:
	case v1beta1.PipelineRunSpecStatusPending:
		if started {
			c.refuse("P-42")
		}
	default:
		c.refuse("P-48", status)
	}
}

// pipelineRunWorkspaces checks V-15 to V-22 and P-49.
func (c *checker) pipelineRunWorkspaces(bindings []v1beta1.WorkspaceBinding) {
	seen := map[string]int{}
	for i := range bindings {
		c.gatedWorkspaceBinding(fmt.Sprintf("spec.workspaces[%d]", i), &bindings[i])
		name := bindings[i].Name
		if before, twice := seen[name]; twice {
			c.refuse("P-49", before, i, name)
		}
		seen[name] = i
	}
}

// PipelineRunUpdate checks what has changed: once started, a run's spec is fixed except for the request to cancel or stop it.
func PipelineRunUpdate(old, updated *v1beta1.PipelineRun) error {
	if old.Status.StartTime == nil && !old.Status.IsDone() {
		return nil
	}
	before := old.Spec // a shallow copy: only a string of it is replaced
	done := old.Status.IsDone()
	if !done {
		before.Status = updated.Spec.Status
	}
	if equality.Semantic.DeepEqual(&before, &updated.Spec) {
		return nil
	}
	var errs Errors
	c := checker{version: v1beta1.Version, errs: &errs}
	if done {
		c.refuse("P-20/complete")
	} else {
		c.refuse("P-20/started")
	}
	return errs.OrNil()
}
