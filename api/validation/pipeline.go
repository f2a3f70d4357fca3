package validation

import (
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/conversion"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Pipeline checks a Pipeline (spec §2.5).
func Pipeline(name string, spec *v1beta1.PipelineSpec, cfg *config.Config) error {
	return pipeline(v1beta1.Version, name, spec, cfg)
}

// PipelineV1 is Pipeline for v1.
func PipelineV1(name string, spec *v1.PipelineSpec, cfg *config.Config) error {
	return pipeline(v1.Version, name, conversion.PipelineSpecFromV1(spec), cfg)
}

func pipeline(version, name string, spec *v1beta1.PipelineSpec, cfg *config.Config) error {
	var errs Errors
	c := checker{version: version, cfg: cfg, errs: &errs}
	c.objectName(name)
	c.pipelineSpec("spec.", spec)
	return errs.OrNil()
}

// PipelineSpec checks the spec of a Pipeline as the controller does before it runs it. Paths start at the spec.
func PipelineSpec(spec *v1beta1.PipelineSpec, cfg *config.Config) error {
	var errs Errors
	c := checker{version: v1beta1.Version, cfg: cfg, errs: &errs}
	c.pipelineSpec("", spec)
	return errs.OrNil()
}

// pipelineSpec checks the spec of a Pipeline at path p, which ends with a dot unless it is empty.
func (c *checker) pipelineSpec(p string, spec *v1beta1.PipelineSpec) {
	if equality.Semantic.DeepEqual(spec, &v1beta1.PipelineSpec{}) {
		c.refuse("P-01", p)
		return
	}
}
