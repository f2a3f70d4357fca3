package validation

import "github.com/plumbline-ci/plumbline/api/v1beta1"

// pipelineWorkspaces checks P-17: what a Pipeline declares has a name, which is its own.
func (c *checker) pipelineWorkspaces(p string, declared []v1beta1.PipelineWorkspaceDeclaration) {
	names := map[string]bool{}
	for i, w := range declared {
		if w.Name == "" {
			c.refuse("P-17/empty", p, i)
		}
		if names[w.Name] {
			c.refuse("P-17/twice", p, i, w.Name)
		}
		names[w.Name] = true
	}
}

// workspacesOfTasks checks P-18 of a Pipeline that stands alone: tasks use what it declares.
func (c *checker) workspacesOfTasks(s *section, declared []v1beta1.PipelineWorkspaceDeclaration) {
	names := make(map[string]bool, len(declared))
	for _, w := range declared {
		names[w.Name] = true
	}
	for i := range s.tasks {
		c.workspacesOfTask(s.at(i), &s.tasks[i], names)
	}
}

func (c *checker) workspacesOfTask(at string, t *v1beta1.PipelineTask, declared map[string]bool) {
	bound := map[string]bool{}
	for i, w := range t.Workspaces {
		if bound[w.Name] {
			c.refuse("P-18/twice", at, i, w.Name)
		}
		bound[w.Name] = true
		name := w.Workspace
		if name == "" {
			name = w.Name
		}
		if !declared[name] {
			c.refuse("P-18/undeclared", at, i, t.Name, name)
		}
	}
}
