package validation

import (
	"strings"

	"github.com/plumbline-ci/plumbline/api/pipelinegraph"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// finalTasks checks P-22 to P-24: final tasks wait for nothing but the end of the others, whose results they may use.
func (c *checker) finalTasks(final, dag *section) {
	for i := range final.tasks {
		t, at := &final.tasks[i], final.at(i)
		if len(t.RunAfter) > 0 {
			c.refuse("P-22", at, t.Name)
		}
		for _, u := range usesOf(at, t) {
			for _, v := range u.variables {
				ref, is := pipelinegraph.Parse(v)
				switch {
				case !is:
				case final.names[ref.Task]:
					c.refuse("P-23/final", u.path, ref.Task)
				case !dag.names[ref.Task]:
					c.refuse("P-23/unknown", u.path, ref.Task)
				}
			}
		}
		if t.Resources != nil {
			for j, input := range t.Resources.Inputs {
				if len(input.From) > 0 {
					c.refuse("P-24", at, j, input.Name)
				}
			}
		}
	}
}

// use is where a task says something with variables.
type use struct {
	path      string
	variables []string
}

// usesOf returns the params, those of the matrix, and the guards of the task at a path.
func usesOf(at string, t *v1beta1.PipelineTask) []use {
	var out []use
	for i := range t.Params {
		out = append(out, use{at + ".params[" + t.Params[i].Name + "].value", variablesOf(t.Params[i].Value)})
	}
	if t.Matrix != nil {
		for i := range t.Matrix.Params {
			p := &t.Matrix.Params[i]
			out = append(out, use{at + ".matrix[" + p.Name + "].value", variablesOf(p.Value)})
		}
	}
	for i := range t.WhenExpressions {
		w := &t.WhenExpressions[i]
		out = append(out, use{guardAt(at, i), append(pipelinegraph.Variables(w.Input), variablesOf(v1beta1.ArrayValue(w.Values...))...)})
	}
	return out
}

const (
	statusPrefix = "tasks."
	statusSuffix = ".status"
	// aggregateStatus is the status of all tasks together.
	aggregateStatus = "tasks.status"
)

// statuses returns the variables of a use that stand for how a task ended. Beside a result, the reference does not look at them.
func (u use) statuses() []string {
	if alike, _ := likeResults(u.variables); len(alike) > 0 {
		return nil
	}
	var out []string
	for _, v := range u.variables {
		if strings.HasPrefix(v, statusPrefix) && strings.HasSuffix(v, statusSuffix) {
			out = append(out, v)
		}
	}
	return out
}

// statusesInTasks checks P-16/tasks: only final tasks know how others ended.
func (c *checker) statusesInTasks(dag *section) {
	for i := range dag.tasks {
		for _, u := range usesOf(dag.at(i), &dag.tasks[i]) {
			if len(u.statuses()) > 0 {
				c.refuse("P-16/tasks", u.path)
			}
		}
	}
}

// statusesInFinally checks P-16/finally: they know it of tasks that exist.
func (c *checker) statusesInFinally(final, dag *section) {
	for i := range final.tasks {
		for _, u := range usesOf(final.at(i), &final.tasks[i]) {
			for _, v := range u.statuses() {
				if task := strings.TrimSuffix(strings.TrimPrefix(v, statusPrefix), statusSuffix); v != aggregateStatus && !dag.names[task] {
					c.refuse("P-16/finally", u.path, task)
				}
			}
		}
	}
}
