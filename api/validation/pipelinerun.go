package validation

import (
	"k8s.io/apimachinery/pkg/api/equality"

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
	if spec.PipelineSpec != nil {
		c.pipelineSpec("spec.pipelineSpec.", spec.PipelineSpec)
	}
	switch spec.Status {
	case "", v1beta1.PipelineRunSpecStatusCancelled, v1beta1.PipelineRunSpecStatusCancelledRunFinally, v1beta1.PipelineRunSpecStatusStoppedRunFinally:
	case v1beta1.PipelineRunSpecStatusPending:
		if started {
			c.refuse("P-42")
		}
	default:
		c.refuse("P-48", spec.Status)
	}
	return errs.OrNil()
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
