package validation

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/conversion"
	"github.com/plumbline-ci/plumbline/api/pipelinegraph"
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
	c.pipelineSpec("spec.", spec, true)
	return errs.OrNil()
}

// PipelineSpec checks the spec of a Pipeline as the controller does before it runs it, wherever it came from. Paths start at the
// spec. Params and workspaces may be the run's, so that what a Pipeline does not declare is not refused.
func PipelineSpec(spec *v1beta1.PipelineSpec, cfg *config.Config) error {
	var errs Errors
	c := checker{version: v1beta1.Version, cfg: cfg, errs: &errs}
	c.pipelineSpec("", spec, false)
	return errs.OrNil()
}

// pipelineSpec checks the spec of a Pipeline at path p, which ends with a dot unless it is empty. Standing alone, the Pipeline has to
// declare the params and workspaces that its tasks use; embedded in a run it need not, since those of the run count, too.
func (c *checker) pipelineSpec(p string, spec *v1beta1.PipelineSpec, standalone bool) {
	if equality.Semantic.DeepEqual(spec, &v1beta1.PipelineSpec{}) {
		c.refuse("P-01", p)
		return
	}
	dag, final := newSection(p, "tasks", spec.Tasks), newSection(p, "finally", spec.Finally)
	names := map[string]bool{}
	for _, s := range []*section{dag, final} {
		c.pipelineTasks(s, names, standalone)
		c.pipelineParams(s, spec.Params, standalone)
		if standalone {
			c.workspacesOfTasks(s, spec.Workspaces)
		}
		c.guards(s)
		c.matrices(s)
		c.matrixedResults(s, dag)
	}
	c.declaredResources(p, spec)
	c.resourcesFrom(dag)
	if _, err := pipelinegraph.Build(spec.Tasks); err != nil {
		c.refuse("P-13", p, err)
	}
	c.statusesInTasks(dag)
	c.statusesInFinally(final, dag)
	c.pipelineWorkspaces(p, spec.Workspaces)
	c.pipelineResults(p, spec.Results, dag, final)
	if len(spec.Finally) > 0 && len(spec.Tasks) == 0 {
		c.refuse("P-21", p, len(spec.Finally))
	}
	c.finalTasks(final, dag)
}

// section is one of the two lists of tasks of a Pipeline.
type section struct {
	path  string // spec.tasks
	tasks []v1beta1.PipelineTask
	names map[string]bool
}

func newSection(p, field string, tasks []v1beta1.PipelineTask) *section {
	s := &section{path: p + field, tasks: tasks, names: make(map[string]bool, len(tasks))}
	for i := range tasks {
		s.names[tasks[i].Name] = true
	}
	return s
}

// at is the path of a task.
func (s *section) at(i int) string { return fmt.Sprintf("%s[%d]", s.path, i) }
