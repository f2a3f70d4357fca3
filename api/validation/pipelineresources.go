package validation

import (
	"slices"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// declaredResources checks P-10 and P-11: the PipelineResources that tasks use are declared, each once.
func (c *checker) declaredResources(p string, spec *v1beta1.PipelineSpec) {
	declared := map[string]bool{}
	for _, r := range spec.Resources {
		if declared[r.Name] {
			c.refuse("P-10", p, r.Name)
			return
		}
		declared[r.Name] = true
	}
	var missing []string
	for _, tasks := range [][]v1beta1.PipelineTask{spec.Tasks, spec.Finally} {
		for i := range tasks {
			r := tasks[i].Resources
			if r == nil {
				continue
			}
			for _, input := range r.Inputs {
				if !declared[input.Resource] {
					missing = append(missing, input.Resource)
				}
			}
			for _, output := range r.Outputs {
				if !declared[output.Resource] {
					missing = append(missing, output.Resource)
				}
			}
		}
	}
	if len(missing) > 0 {
		c.refuse("P-11", p, missing)
	}
}

// resourcesFrom checks P-12: a resource comes from tasks that put it out.
func (c *checker) resourcesFrom(s *section) {
	outputs := map[string][]v1beta1.PipelineTaskOutputResource{}
	for i := range s.tasks {
		if r := s.tasks[i].Resources; r != nil {
			outputs[s.tasks[i].Name] = r.Outputs
		}
	}
	for i := range s.tasks {
		if s.tasks[i].Resources == nil {
			continue
		}
		for j, input := range s.tasks[i].Resources.Inputs {
			for _, from := range input.From {
				switch {
				case !s.names[from]:
					c.refuse("P-12/task", s.at(i), j, input.Resource, from)
				case !slices.ContainsFunc(outputs[from], func(o v1beta1.PipelineTaskOutputResource) bool { return o.Resource == input.Resource }):
					c.refuse("P-12/output", s.at(i), j, input.Resource, from)
				}
			}
		}
	}
}
