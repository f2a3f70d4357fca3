package validation

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

const resultNameFormat = `^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$`

var (
	resultName     = regexp.MustCompile(resultNameFormat)
	paramName      = regexp.MustCompile(`^[_a-zA-Z][_a-zA-Z0-9.-]*$`)
	objectName1123 = regexp.MustCompile(`^[_a-zA-Z][_a-zA-Z0-9-]*$`)
)

// taskSpec checks a Task's spec at path p, which ends with a dot unless it is empty. Standing alone, every variable has to be declared by the Task itself;
// embedded in a run, the run's own params count too, and propagatedParams checks that.
func (c *checker) taskSpec(p string, spec *v1beta1.TaskSpec, standalone bool) {
	if len(spec.Steps) == 0 {
		c.refuse("V-42", p)
	}
	volumes := map[string]bool{}
	for i, v := range spec.Volumes {
		if volumes[v.Name] {
			c.refuse("V-43", p, i, v.Name)
		}
		volumes[v.Name] = true
	}
	steps := merged(spec)
	c.workspaceDeclarations(p, spec)
	c.workspaceUsages(p, spec)
	c.steps(p, steps)
	for i := range spec.Sidecars {
		if spec.Sidecars[i].Name == v1beta1.ReservedSidecarName {
			c.refuse("V-49", p)
		}
	}
	c.paramSpecs(p, spec.Params, standalone)
	c.resources(p, spec.Resources)
	for i := range spec.Results {
		c.result(fmt.Sprintf("%sresults[%d]", p, i), &spec.Results[i])
	}
	v := newVariables(spec.Params, spec.Resources)
	for i := range steps {
		q := fmt.Sprintf("%ssteps[%d]", p, i)
		if standalone {
			v.declared(c, q, &steps[i])
		}
		v.arrays(c, q, &steps[i])
		v.contexts(c, q, &steps[i])
	}
}

// merged lays the steps over the template as far as the checks can see it.
func merged(spec *v1beta1.TaskSpec) []v1beta1.Step {
	if spec.StepTemplate == nil {
		return spec.Steps
	}
	t := spec.StepTemplate
	out := slices.Clone(spec.Steps)
	for i := range out {
		s := &out[i]
		if s.Image == "" {
			s.Image = t.Image
		}
		if len(s.Command) == 0 {
			s.Command = t.Command
		}
		if len(s.Args) == 0 {
			s.Args = t.Args
		}
		if s.WorkingDir == "" {
			s.WorkingDir = t.WorkingDir
		}
		s.Env = overlay(t.Env, s.Env, func(e corev1.EnvVar) string { return e.Name })
		s.VolumeMounts = overlay(t.VolumeMounts, s.VolumeMounts, func(m corev1.VolumeMount) string { return m.MountPath })
	}
	return out
}

// overlay is the step's list followed by what only the template has.
func overlay[T any](base, over []T, key func(T) string) []T {
	out := slices.Clone(over)
	for _, b := range base {
		if !slices.ContainsFunc(over, func(o T) bool { return key(o) == key(b) }) {
			out = append(out, b)
		}
	}
	return out
}

// workspaceDeclarations checks V-44 and V-45.
func (c *checker) workspaceDeclarations(p string, spec *v1beta1.TaskSpec) {
	names, mounts := map[string]bool{}, map[string]bool{}
	for i := range spec.Steps {
		for _, m := range spec.Steps[i].VolumeMounts {
			mounts[path.Clean(m.MountPath)] = true
		}
	}
	if spec.StepTemplate != nil {
		for _, m := range spec.StepTemplate.VolumeMounts {
			mounts[path.Clean(m.MountPath)] = true
		}
	}
	for i := range spec.Workspaces {
		w := &spec.Workspaces[i]
		if names[w.Name] {
			c.refuse("V-44", p, i, w.Name)
		}
		names[w.Name] = true
		at := path.Clean(w.GetMountPath())
		if mounts[at] {
			c.refuse("V-45", p, i, at)
		}
		mounts[at] = true
	}
}

// workspaceUsages checks V-46 and V-47.
func (c *checker) workspaceUsages(p string, spec *v1beta1.TaskSpec) {
	declared := map[string]bool{}
	for _, w := range spec.Workspaces {
		declared[w.Name] = true
	}
	check := func(list string, i int, usages []v1beta1.WorkspaceUsage) {
		if len(usages) > 0 {
			c.alpha("V-46/" + list)
		}
		for j, u := range usages {
			if !declared[u.Name] {
				c.refuse("V-47", p, list, i, j, u.Name)
			}
		}
	}
	for i := range spec.Steps {
		check("steps", i, spec.Steps[i].Workspaces)
	}
	for i := range spec.Sidecars {
		check("sidecars", i, spec.Sidecars[i].Workspaces)
	}
}

// steps checks V-61 to V-70. A negative timeout is reported alone: the other problems of that step are not (V-65).
func (c *checker) steps(p string, steps []v1beta1.Step) {
	names := map[string]bool{}
	for i := range steps {
		s, at := &steps[i], fmt.Sprintf("%ssteps[%d].", p, i)
		if s.Timeout != nil && s.Timeout.Duration < 0 {
			c.refuse("V-65", at, s.Timeout.Duration)
			if s.Name != "" {
				names[s.Name] = true
			}
			continue
		}
		if s.Image == "" {
			c.refuse("V-61", at)
		}
		if s.Script != "" && len(s.Command) > 0 {
			c.refuse("V-62", at)
		}
		if s.Name != "" {
			if names[s.Name] {
				c.refuse("V-63", at, s.Name)
			}
			names[s.Name] = true
			if len(utilvalidation.IsDNS1123Label(s.Name)) > 0 {
				c.refuse("V-64", at, s.Name)
			}
		}
		for j, m := range s.VolumeMounts {
			if belowTekton(m.MountPath) {
				c.refuse("V-66", at, j, m.Name, m.MountPath)
			}
			if strings.HasPrefix(m.Name, v1beta1.InternalVolumePrefix) {
				c.refuse("V-67", at, j, m.Name)
			}
		}
		if s.OnError != "" && s.OnError != v1beta1.OnErrorContinue && s.OnError != v1beta1.OnErrorStopAndFail && !strings.HasPrefix(string(s.OnError), "$(params") {
			c.refuse("V-68", at, s.OnError)
		}
		if strings.HasPrefix(strings.TrimSpace(s.Script), "#!win") {
			c.alpha("V-69")
		}
		if s.StdoutConfig != nil {
			c.alpha("V-70/stdout")
		}
		if s.StderrConfig != nil {
			c.alpha("V-70/stderr")
		}
	}
}

// belowTekton reports whether a mount would take over what the launcher keeps in /tekton (V-66). The path is cleaned
// first, so that no spelling gets around it: /tekton/home/../run is refused, and so is /tekton/ itself.
func belowTekton(mountPath string) bool {
	clean := path.Clean(mountPath)
	if clean == v1beta1.TektonDir {
		return mountPath != clean
	}
	return strings.HasPrefix(clean, v1beta1.TektonDir+"/") && !strings.HasPrefix(clean, v1beta1.HomeDir)
}

// paramSpecs checks V-51 to V-57 of the spec at p.
func (c *checker) paramSpecs(p string, params []v1beta1.ParamSpec, standalone bool) {
	c.paramTypes(p+"params.", params, standalone)
	seen := map[string]bool{}
	var badNames []string
	badObjects := map[string][]string{}
	for _, ps := range params {
		if seen[ps.Name] {
			c.refuse("V-51", p, ps.Name)
		}
		seen[ps.Name] = true
		if ps.Type != v1beta1.ParamTypeObject {
			if !paramName.MatchString(ps.Name) {
				badNames = append(badNames, ps.Name)
			}
			continue
		}
		var badKeys []string
		for _, key := range slices.Sorted(maps.Keys(ps.Properties)) {
			if !objectName1123.MatchString(key) {
				badKeys = append(badKeys, key)
			}
		}
		if len(badKeys) > 0 || !objectName1123.MatchString(ps.Name) {
			badObjects[ps.Name] = badKeys
		}
	}
	if len(badNames) > 0 {
		slices.Sort(badNames)
		c.refuse("V-56", p, badNames)
	}
	if len(badObjects) > 0 {
		c.refuse("V-57", p, badObjects)
	}
}

// paramTypes checks V-52 to V-55; a param's path is p followed by its name. mustList demands that objects list their
// properties, which an embedded spec need not: its run's value may bring them.
func (c *checker) paramTypes(p string, params []v1beta1.ParamSpec, mustList bool) {
	for i := range params {
		ps := &params[i]
		at := p + ps.Name
		switch ps.Type {
		case v1beta1.ParamTypeString, v1beta1.ParamTypeArray:
		case v1beta1.ParamTypeObject:
			c.alpha("V-52")
			if ps.Properties != nil || mustList {
				c.objectProperties(at, ps)
			}
		default:
			c.refuse("V-53", at, ps.Type)
			continue
		}
		if ps.Default != nil && ps.Default.Type != ps.Type {
			c.refuse("V-54", at, ps.Type, ps.Default.Type)
		}
	}
}

func (c *checker) objectProperties(at string, ps *v1beta1.ParamSpec) {
	if ps.Properties == nil {
		c.refuse("V-55/none", at)
		return
	}
	var bad []string
	for _, key := range slices.Sorted(maps.Keys(ps.Properties)) {
		if ps.Properties[key].Type != v1beta1.ParamTypeString {
			bad = append(bad, key)
		}
	}
	if len(bad) > 0 {
		c.refuse("V-55/type", at, bad)
	}
}

// resources checks V-58.
func (c *checker) resources(p string, r *v1beta1.TaskResources) {
	if r == nil {
		return
	}
	for _, list := range []struct {
		name      string
		resources []v1beta1.TaskResource
	}{{"inputs", r.Inputs}, {"outputs", r.Outputs}} {
		seen := map[string]bool{}
		for i, res := range list.resources {
			key := strings.ToLower(res.Name)
			if seen[key] {
				c.refuse("V-58/name", p, list.name)
			}
			seen[key] = true
			if !slices.Contains(v1beta1.PipelineResourceTypes(), res.Type) {
				c.refuse("V-58/type", p, list.name, i, res.Name, res.Type)
			}
		}
	}
}

// result checks V-71 to V-75.
func (c *checker) result(p string, r *v1beta1.TaskResult) {
	if !resultName.MatchString(r.Name) {
		c.refuse("V-71", p, r.Name)
	}
	switch r.Type {
	case "", v1beta1.ResultsTypeString:
	case v1beta1.ResultsTypeArray:
		c.alpha("V-72")
	case v1beta1.ResultsTypeObject:
		c.alpha("V-72")
		if r.Properties == nil {
			c.refuse("V-73", p, r.Name)
			return
		}
		var bad []string
		for _, key := range slices.Sorted(maps.Keys(r.Properties)) {
			if r.Properties[key].Type != v1beta1.ParamTypeString {
				bad = append(bad, key)
			}
		}
		if len(bad) > 0 {
			c.refuse("V-74", p, r.Name, bad)
		}
	default:
		c.refuse("V-75", p, r.Name, r.Type)
	}
}
