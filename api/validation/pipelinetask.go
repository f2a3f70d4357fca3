package validation

import (
	"strings"

	utilvalidation "k8s.io/apimachinery/pkg/util/validation"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// pipelineTasks checks the name of each task of a section, and what it runs: P-02 to P-09. names are those of the tasks before it,
// in both sections.
func (c *checker) pipelineTasks(s *section, names map[string]bool, standalone bool) {
	for i := range s.tasks {
		t, at := &s.tasks[i], s.at(i)
		if len(utilvalidation.IsDNS1123Label(t.Name)) > 0 {
			c.refuse("P-02", at, t.Name)
		}
		if names[t.Name] {
			c.refuse("P-03", at)
		}
		names[t.Name] = true
		switch {
		case t.TaskRef != nil && t.TaskSpec != nil:
			c.refuse("P-04/both", at)
		case t.TaskRef == nil && t.TaskSpec == nil:
			c.refuse("P-04/neither", at)
		}
		if t.TaskSpec != nil && len(t.TaskSpec.Steps) > 0 {
			if t.TaskSpec.APIVersion != "" {
				c.refuse("P-05/apiVersion", at)
			}
			if t.TaskSpec.Kind != "" {
				c.refuse("P-05/kind", at)
			}
		}
		c.pipelineTaskTarget(at, t, standalone)
	}
}

// pipelineTaskTarget checks what a task runs, by the kind of it: a custom task has an apiVersion.
func (c *checker) pipelineTaskTarget(at string, t *v1beta1.PipelineTask, standalone bool) {
	flags := &c.cfg.FeatureFlags
	switch {
	case flags.EnableCustomTasks && (t.TaskRef != nil && t.TaskRef.APIVersion != "" || t.TaskSpec != nil && t.TaskSpec.APIVersion != ""):
		c.customTask(at, t)
	case flags.EnableTektonOCIBundles && t.TaskRef != nil && t.TaskRef.Bundle != "":
		if t.TaskRef.Name == "" {
			c.refuse("P-07/name", at)
		}
		if reason := badImageReference(t.TaskRef.Bundle); reason != "" {
			c.refuse("P-07/reference", at, reason)
		}
		c.oneSource(at+".taskRef", originOf(t.TaskRef))
	default:
		if t.TaskSpec != nil {
			c.taskSpec(at+".taskSpec.", &t.TaskSpec.TaskSpec, standalone)
		}
		if t.TaskRef != nil {
			c.plainTaskRef(at, t.TaskRef)
		}
	}
}

// customTask checks P-06.
func (c *checker) customTask(at string, t *v1beta1.PipelineTask) {
	if t.TaskRef != nil {
		if t.TaskRef.Kind == "" {
			c.refuse("P-06/refKind", at)
		}
		if t.TaskRef.APIVersion == "" {
			c.refuse("P-06/refVersion", at)
		}
	}
	if t.TaskSpec != nil {
		if t.TaskSpec.Kind == "" {
			c.refuse("P-06/specKind", at)
		}
		if t.TaskSpec.APIVersion == "" {
			c.refuse("P-06/specVersion", at)
		}
	}
	if t.Resources != nil {
		c.refuse("P-06/resources", at)
	}
}

// plainTaskRef checks a reference to a Task: P-07/gate, P-08 and P-09. As in a TaskRun, a reference to a resolver must not name a Task
// too (V-06 to V-10). The reference implementation notices that only when the TaskRun cannot be created.
func (c *checker) plainTaskRef(at string, ref *v1beta1.TaskRef) {
	switch {
	case ref.Name != "":
		if wrong := utilvalidation.IsQualifiedName(ref.Name); len(wrong) > 0 {
			c.refuse("P-08/name", at, strings.Join(wrong, ","))
		}
	case ref.Resolver == "":
		c.refuse("P-08/none", at)
	}
	if ref.Bundle != "" {
		c.refuse("P-07/gate", at)
	}
	if !c.cfg.FeatureFlags.Beta() {
		if ref.Resolver != "" {
			c.refuse("P-09/resolver", at)
		}
		if len(ref.Params) > 0 {
			c.refuse("P-09/params", at)
		}
	}
	c.oneSource(at+".taskRef", originOf(ref))
}
