package validation

import (
	"fmt"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// propagated are the params that what is embedded in a run can refer to: those that it declares and those that it is given, wherever
// that is. A value's type counts, not the declared one.
type propagated struct {
	specs []v1beta1.ParamSpec
	index map[string]int
}

func (e *propagated) find(name string) *v1beta1.ParamSpec {
	if i, has := e.index[name]; has {
		return &e.specs[i]
	}
	return nil
}

func (e *propagated) add(ps v1beta1.ParamSpec) {
	if e.index == nil {
		e.index = map[string]int{}
	}
	e.index[ps.Name] = len(e.specs)
	e.specs = append(e.specs, ps)
}

// give adds values. The keys of an object that is there already are added to it.
func (e *propagated) give(params []v1beta1.Param) {
	for i := range params {
		p := &params[i]
		if e.find(p.Name) == nil {
			e.add(v1beta1.ParamSpec{Name: p.Name, Type: p.Value.Type})
		}
		if p.Value.Type == v1beta1.ParamTypeObject {
			ps := e.find(p.Name)
			for key := range p.Value.ObjectVal {
				property(ps, key, v1beta1.PropertySpec{Type: v1beta1.ParamTypeString})
			}
			if ps.Properties == nil {
				ps.Properties = map[string]v1beta1.PropertySpec{}
			}
		}
	}
}

// declare adds declarations. Where the param has a value already, only the declared keys are added, and an object has to declare them
// (V-39).
func (e *propagated) declare(c *checker, declared []v1beta1.ParamSpec) {
	for i := range declared {
		d := &declared[i]
		ps := e.find(d.Name)
		if ps == nil {
			own := *d
			own.Properties = nil
			for key, p := range d.Properties {
				property(&own, key, p)
			}
			if own.Properties == nil && d.Properties != nil {
				own.Properties = map[string]v1beta1.PropertySpec{}
			}
			e.add(own)
			continue
		}
		object := d.Default != nil && d.Default.Type == v1beta1.ParamTypeObject
		if (object || ps.Type == v1beta1.ParamTypeObject) && d.Properties == nil {
			c.refuse("V-39", d.Name)
		}
		for key, p := range d.Properties {
			property(ps, key, p)
		}
		if object {
			for key := range d.Default.ObjectVal {
				property(ps, key, v1beta1.PropertySpec{Type: v1beta1.ParamTypeString})
			}
		}
	}
}

func property(ps *v1beta1.ParamSpec, key string, p v1beta1.PropertySpec) {
	if ps.Properties == nil {
		ps.Properties = map[string]v1beta1.PropertySpec{}
	}
	ps.Properties[key] = p
}

// steps checks what the steps of an embedded Task refer to (V-38, V-40). Their paths leave out where the Task stands.
func (v *variables) steps(c *checker, spec *v1beta1.TaskSpec) {
	own := *v
	own.resources = spec.Resources
	steps := merged(spec)
	for i := range steps {
		p := fmt.Sprintf("spec.steps[%d]", i)
		own.declared(c, p, &steps[i])
		own.arrays(c, p, &steps[i])
	}
}

// propagatedParams checks the Task that is embedded in a TaskRun against what it and its run declare together (V-38 to V-40).
func (c *checker) propagatedParams(spec *v1beta1.TaskRunSpec) {
	var e propagated
	e.give(spec.Params)
	e.declare(c, spec.TaskSpec.Params)
	c.paramTypes("spec.", e.specs, false)
	newVariables(e.specs, nil).steps(c, spec.TaskSpec)
}

// propagatedToPipeline checks the Pipeline that is embedded in a PipelineRun against what it, its run and its tasks declare together.
// The paths leave out where the Pipeline and its tasks stand, and final tasks are not looked at.
func (c *checker) propagatedToPipeline(spec *v1beta1.PipelineRunSpec) {
	var e propagated
	e.give(spec.Params)
	e.declare(c, spec.PipelineSpec.Params)
	tasks := spec.PipelineSpec.Tasks
	for i := range tasks {
		e.give(tasks[i].Params)
		if tasks[i].TaskSpec != nil {
			e.declare(c, tasks[i].TaskSpec.Params)
		}
	}
	if len(tasks) == 0 {
		return
	}
	c.paramTypes("spec.params.", e.specs, true)
	v := newVariables(e.specs, nil)
	embedded := false
	for i := range tasks {
		v.pipelineTask(c, fmt.Sprintf("spec[%d]", i), &tasks[i])
		if tasks[i].TaskSpec != nil && len(tasks[i].TaskSpec.Steps) > 0 {
			v.steps(c, &tasks[i].TaskSpec.TaskSpec)
			embedded = true
		}
	}
	if embedded {
		c.paramTypes("spec.", e.specs, false)
	}
}

// propagatedWorkspaces checks P-18 of the Pipeline that is embedded in a PipelineRun. Its tasks can use the run's workspaces although
// the Pipeline does not declare them. The paths leave out where the Pipeline stands.
func (c *checker) propagatedWorkspaces(spec *v1beta1.PipelineRunSpec) {
	names := map[string]bool{}
	for i := range spec.Workspaces {
		names[spec.Workspaces[i].Name] = true
	}
	for _, w := range spec.PipelineSpec.Workspaces {
		names[w.Name] = true
	}
	for _, tasks := range [][]v1beta1.PipelineTask{spec.PipelineSpec.Tasks, spec.PipelineSpec.Finally} {
		for i := range tasks {
			for _, w := range tasks[i].Workspaces {
				names[w.Name] = true
			}
			c.workspacesOfTask(fmt.Sprintf("spec[%d]", i), &tasks[i], names)
		}
	}
}
