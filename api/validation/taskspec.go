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

// taskSpec checks a Task's spec below path p. Standing alone, every variable has to be declared by the Task itself;
// embedded in a run, the run's own params count too, and propagatedParams checks that.
func (c *checker) taskSpec(p string, spec *v1beta1.TaskSpec, standalone bool) {
	at := func(field string) string { return join(p, field) }
	if len(spec.Steps) == 0 {
		c.errs.missing(at("steps")) // V-42
	}
	volumes := map[string]bool{}
	for i, v := range spec.Volumes {
		if volumes[v.Name] { // V-43
			c.errs.add(fmt.Sprintf("multiple volumes with same name %q", v.Name), at(fmt.Sprintf("volumes[%d].name", i)))
		}
		volumes[v.Name] = true
	}
	steps := merged(spec)
	c.workspaceDeclarations(p, spec)
	c.workspaceUsages(p, spec)
	c.steps(at("steps"), steps)
	for i := range spec.Sidecars {
		if spec.Sidecars[i].Name == v1beta1.ReservedSidecarName { // V-49
			c.errs.add(fmt.Sprintf("Invalid: cannot use reserved sidecar name %s ", v1beta1.ReservedSidecarName), at("sidecars"))
		}
	}
	c.paramSpecs(p, spec.Params, standalone)
	c.resources(p, spec.Resources)
	for i := range spec.Results {
		c.result(at(fmt.Sprintf("results[%d]", i)), &spec.Results[i])
	}
	v := newVariables(spec.Params, spec.Resources)
	for i := range steps {
		q := at(fmt.Sprintf("steps[%d]", i))
		if standalone {
			v.declared(c.errs, q, &steps[i])
		}
		v.arrays(c.errs, q, &steps[i])
		v.contexts(c.errs, q, &steps[i])
	}
}

func join(p, field string) string {
	if p == "" {
		return field
	}
	return p + "." + field
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
			c.errs.add(fmt.Sprintf("workspace name %q must be unique", w.Name), join(p, fmt.Sprintf("workspaces[%d].name", i)))
		}
		names[w.Name] = true
		at := path.Clean(w.GetMountPath())
		if mounts[at] {
			c.errs.add(fmt.Sprintf("workspace mount path %q must be unique", at), join(p, fmt.Sprintf("workspaces[%d].mountpath", i)))
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
	check := func(feature, list string, i int, usages []v1beta1.WorkspaceUsage) {
		if len(usages) > 0 {
			c.alpha(feature)
		}
		for j, u := range usages {
			if !declared[u.Name] {
				c.errs.add(fmt.Sprintf("undefined workspace %q", u.Name), join(p, fmt.Sprintf("%s[%d].workspaces[%d].name", list, i, j)))
			}
		}
	}
	for i := range spec.Steps {
		check("step workspaces", "steps", i, spec.Steps[i].Workspaces)
	}
	for i := range spec.Sidecars {
		check("sidecar workspaces", "sidecars", i, spec.Sidecars[i].Workspaces)
	}
}

// steps checks V-61 to V-70. A negative timeout is reported alone: the other problems of that step are not (V-65).
func (c *checker) steps(p string, steps []v1beta1.Step) {
	names := map[string]bool{}
	for i := range steps {
		s, at := &steps[i], fmt.Sprintf("%s[%d].", p, i)
		if s.Timeout != nil && s.Timeout.Duration < 0 {
			c.errs.invalid(s.Timeout.Duration.String(), at+"negative timeout")
			if s.Name != "" {
				names[s.Name] = true
			}
			continue
		}
		if s.Image == "" {
			c.errs.missing(at + "Image")
		}
		if s.Script != "" && len(s.Command) > 0 {
			c.errs.add("script cannot be used with command", at+"script")
		}
		if s.Name != "" {
			if names[s.Name] {
				c.errs.invalid(s.Name, at+"name")
			}
			names[s.Name] = true
			if len(utilvalidation.IsDNS1123Label(s.Name)) > 0 {
				c.errs.explain(fmt.Sprintf("invalid value %q", s.Name),
					"Task step name must be a valid DNS Label, For more info refer to https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#names", at+"name")
			}
		}
		for j, m := range s.VolumeMounts {
			q := fmt.Sprintf("%svolumeMounts[%d].", at, j)
			if belowTekton(m.MountPath) {
				c.errs.add(fmt.Sprintf("volumeMount cannot be mounted under /tekton/ (volumeMount %q mounted at %q)", m.Name, m.MountPath), q+"mountPath")
			}
			if strings.HasPrefix(m.Name, v1beta1.InternalVolumePrefix) {
				c.errs.add(fmt.Sprintf("volumeMount name %q cannot start with %q", m.Name, v1beta1.InternalVolumePrefix), q+"name")
			}
		}
		if s.OnError != "" && s.OnError != v1beta1.OnErrorContinue && s.OnError != v1beta1.OnErrorStopAndFail && !strings.HasPrefix(string(s.OnError), "$(params") {
			c.errs.explain(fmt.Sprintf("invalid value: %q", s.OnError), `Task step onError must be either "continue" or "stopAndFail"`, at+"onError")
		}
		if strings.HasPrefix(strings.TrimSpace(s.Script), "#!win") {
			c.alpha("windows script support")
		}
		if s.StdoutConfig != nil {
			c.alpha("step stdout stream support")
		}
		if s.StderrConfig != nil {
			c.alpha("step stderr stream support")
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

// paramSpecs checks V-51 to V-57 below p.params.
func (c *checker) paramSpecs(p string, params []v1beta1.ParamSpec, standalone bool) {
	c.paramTypes(join(p, "params."), params, standalone)
	seen := map[string]bool{}
	var badNames []string
	badObjects := map[string][]string{}
	for _, ps := range params {
		if seen[ps.Name] {
			c.errs.add("parameter appears more than once", join(p, "params["+ps.Name+"]"))
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
		c.errs.explain(fmt.Sprintf("The format of following array and string variable names is invalid: %s", badNames),
			"String/Array Names: \nMust only contain alphanumeric characters, hyphens (-), underscores (_), and dots (.)\nMust begin with a letter or an underscore (_)", join(p, "params"))
	}
	if len(badObjects) > 0 {
		c.errs.explain(fmt.Sprintf("Object param name and key name format is invalid: %v", badObjects),
			"Object Names: \nMust only contain alphanumeric characters, hyphens (-), underscores (_) \nMust begin with a letter or an underscore (_)", join(p, "params"))
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
			c.alpha("object type parameter")
			if ps.Properties != nil || mustList {
				c.objectProperties(at, ps)
			}
		default:
			c.errs.invalid(string(ps.Type), at+".type")
			continue
		}
		if ps.Default != nil && ps.Default.Type != ps.Type {
			c.errs.add(fmt.Sprintf("%q type does not match default value's type: %q", ps.Type, ps.Default.Type), at+".type", at+".default.type")
		}
	}
}

func (c *checker) objectProperties(at string, ps *v1beta1.ParamSpec) {
	if ps.Properties == nil {
		c.errs.missing(at + ".properties")
		return
	}
	var bad []string
	for _, key := range slices.Sorted(maps.Keys(ps.Properties)) {
		if ps.Properties[key].Type != v1beta1.ParamTypeString {
			bad = append(bad, key)
		}
	}
	if len(bad) > 0 {
		c.errs.add(fmt.Sprintf("The value type specified for these keys %s is invalid", bad), at+".properties")
	}
}

// propagatedParams checks an embedded spec against what it and its run declare together (V-38 to V-40).
func (c *checker) propagatedParams(spec *v1beta1.TaskRunSpec) {
	var effective []v1beta1.ParamSpec
	given := map[string]bool{}
	for _, p := range spec.Params {
		if given[p.Name] {
			continue
		}
		given[p.Name] = true
		ps := v1beta1.ParamSpec{Name: p.Name, Type: p.Value.Type}
		i := slices.IndexFunc(spec.TaskSpec.Params, func(d v1beta1.ParamSpec) bool { return d.Name == p.Name })
		if p.Value.Type == v1beta1.ParamTypeObject {
			ps.Properties = map[string]v1beta1.PropertySpec{}
			for key := range p.Value.ObjectVal {
				ps.Properties[key] = v1beta1.PropertySpec{Type: v1beta1.ParamTypeString}
			}
		}
		if i >= 0 {
			declared := &spec.TaskSpec.Params[i]
			object := p.Value.Type == v1beta1.ParamTypeObject || declared.Default != nil && declared.Default.Type == v1beta1.ParamTypeObject
			if object && declared.Properties == nil {
				c.errs.missing("spec." + p.Name + ".properties") // V-39
			}
			for key, property := range declared.Properties {
				if ps.Properties == nil {
					ps.Properties = map[string]v1beta1.PropertySpec{}
				}
				ps.Properties[key] = property
			}
			if declared.Default != nil && declared.Default.Type == v1beta1.ParamTypeObject {
				for key := range declared.Default.ObjectVal {
					if ps.Properties == nil {
						ps.Properties = map[string]v1beta1.PropertySpec{}
					}
					ps.Properties[key] = v1beta1.PropertySpec{Type: v1beta1.ParamTypeString}
				}
			}
		}
		effective = append(effective, ps)
	}
	for _, ps := range spec.TaskSpec.Params {
		if !given[ps.Name] {
			given[ps.Name] = true
			effective = append(effective, ps)
		}
	}
	c.paramTypes("spec.", effective, false)
	v := newVariables(effective, spec.TaskSpec.Resources)
	steps := merged(spec.TaskSpec)
	for i := range steps {
		p := fmt.Sprintf("spec.steps[%d]", i)
		v.declared(c.errs, p, &steps[i])
		v.arrays(c.errs, p, &steps[i])
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
				c.errs.both(join(p, "resources."+list.name+".name"))
			}
			seen[key] = true
			if !slices.Contains(v1beta1.PipelineResourceTypes(), res.Type) {
				c.errs.invalid(res.Type, join(p, fmt.Sprintf("resources.%s[%d].%s.type", list.name, i, res.Name)))
			}
		}
	}
}

// result checks V-71 to V-75.
func (c *checker) result(p string, r *v1beta1.TaskResult) {
	if !resultName.MatchString(r.Name) {
		c.errs.explain(fmt.Sprintf("invalid key name %q", r.Name),
			fmt.Sprintf("Name must consist of alphanumeric characters, '-', '_', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my-name',  or 'my_name', regex used for validation is '%s')", resultNameFormat), p+".name")
	}
	switch r.Type {
	case "", v1beta1.ResultsTypeString:
	case v1beta1.ResultsTypeArray:
		c.alpha("results type")
	case v1beta1.ResultsTypeObject:
		c.alpha("results type")
		if r.Properties == nil {
			c.errs.missing(p + "." + r.Name + ".properties")
			return
		}
		var bad []string
		for _, key := range slices.Sorted(maps.Keys(r.Properties)) {
			if r.Properties[key].Type != v1beta1.ParamTypeString {
				bad = append(bad, key)
			}
		}
		if len(bad) > 0 {
			c.errs.add(fmt.Sprintf("The value type specified for these keys %s is invalid, the type must be string", bad), p+"."+r.Name+".properties")
		}
	default:
		c.errs.explain("invalid value: "+string(r.Type), "type must be string", p+".type")
	}
}
