package validation

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// overrides checks V-26 to V-31 of what is at p, which ends with a dot: the spec of a TaskRun, or what a PipelineRun says of one
// task.
func (c *checker) overrides(p string, steps []v1beta1.TaskRunStepOverride, sidecars []v1beta1.TaskRunSidecarOverride, resources *corev1.ResourceRequirements) {
	names := make([]string, len(steps))
	for i := range steps {
		names[i] = steps[i].Name
	}
	if steps != nil {
		c.alpha("V-26")
	}
	c.overridden(p, "V-28/step", "V-29/step", names)
	names = make([]string, len(sidecars))
	for i := range sidecars {
		names[i] = sidecars[i].Name
	}
	if sidecars != nil {
		c.alpha("V-27")
	}
	c.overridden(p, "V-28/sidecar", "V-29/sidecar", names)
	if resources != nil {
		c.alpha("V-30")
		for i := range steps {
			if r := &steps[i].Resources; len(r.Requests)+len(r.Limits)+len(r.Claims) > 0 {
				c.refuse("V-31", p)
				break
			}
		}
	}
}

// overridden checks that each of the overrides has a name of its own.
func (c *checker) overridden(p, unnamed, twice string, names []string) {
	seen := map[string]bool{}
	for i, name := range names {
		key := strings.ToLower(name)
		switch {
		case name == "":
			c.refuse(unnamed, p, i)
		case seen[key]:
			c.refuse(twice, p, i)
		}
		seen[key] = true
	}
}

// forbiddenEnv checks V-35 of the template at p, which ends with a dot.
func (c *checker) forbiddenEnv(p string, template *v1beta1.PodTemplate) {
	if template == nil {
		return
	}
	for _, env := range template.Env {
		if slices.Contains(c.cfg.Defaults.ForbiddenEnv, env.Name) {
			c.refuse("V-35", p, env.Name)
		}
	}
}
