// Package validation is what the validating webhook checks of TaskRuns and Tasks: spec §2.3 to §2.5, rule by rule, with
// the exact words and field paths that the API promises. A function here is cited by the ids of its rules.
//
// Validation sees objects after defaulting. It knows no cluster: whether a Task exists, whether params are given or
// workspaces bound is found out when the run starts.
package validation

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// maxNameLength bounds the names of TaskRuns and Tasks, which become label values.
const maxNameLength = 63

// TaskRun checks a TaskRun at creation and at every update (V-01 to V-41).
func TaskRun(tr *v1beta1.TaskRun, cfg *config.Config) error {
	var errs Errors
	objectName(&errs, tr.Name)
	c := checker{cfg: cfg, errs: &errs}
	c.taskRunSpec(&tr.Spec)
	return errs.OrNil()
}

// TaskRunUpdate checks what has changed: once created, a run's spec is fixed except for the request to cancel it
// (L-20; the overview of TaskRuns says that parameters cannot be modified once started).
func TaskRunUpdate(old, updated *v1beta1.TaskRun) error {
	before := old.Spec // a shallow copy: only strings of it are replaced
	done := old.IsDone()
	if !done {
		before.Status, before.StatusMessage = updated.Spec.Status, updated.Spec.StatusMessage
	}
	if equality.Semantic.DeepEqual(&before, &updated.Spec) {
		return nil
	}
	var errs Errors
	if done {
		errs.invalid("Once the TaskRun is complete, no updates are allowed", "spec")
	} else {
		errs.invalid("Once the TaskRun has started, only status and statusMessage updates are allowed", "spec")
	}
	return errs
}

// Task checks a Task or ClusterTask (V-42 to V-88).
func Task(name string, spec *v1beta1.TaskSpec, cfg *config.Config) error {
	var errs Errors
	objectName(&errs, name)
	c := checker{cfg: cfg, errs: &errs}
	c.taskSpec("spec", spec, true)
	return errs.OrNil()
}

// TaskSpec checks the spec of a Task wherever it stands, as the controller does with the substituted one before it makes
// a Pod (LC-44). Paths start at the spec.
func TaskSpec(spec *v1beta1.TaskSpec, cfg *config.Config) error {
	var errs Errors
	c := checker{cfg: cfg, errs: &errs}
	c.taskSpec("", spec, true)
	return errs.OrNil()
}

func objectName(errs *Errors, name string) {
	if name == "" {
		return // a generated name is checked once it is known
	}
	if len(utilvalidation.IsDNS1123Subdomain(name)) > 0 {
		errs.add(fmt.Sprintf("invalid resource name %q: must be a valid DNS label", name), "metadata.name") // V-01
	}
	if len(name) > maxNameLength {
		errs.add(fmt.Sprintf("Invalid resource name: length must be no more than %d characters", maxNameLength), "metadata.name") // V-02
	}
}

// checker collects the problems of one object.
type checker struct {
	cfg  *config.Config
	errs *Errors
}

// alpha demands the gate for alpha features.
func (c *checker) alpha(feature string) {
	if !c.cfg.FeatureFlags.Alpha() {
		c.errs.add(fmt.Sprintf("%s requires %q feature gate to be %q but it is %q", feature, config.KeyEnableAPIFields, config.AlphaAPIFields, c.cfg.FeatureFlags.EnableAPIFields))
	}
}

func (c *checker) taskRunSpec(spec *v1beta1.TaskRunSpec) {
	const p = "spec."
	switch {
	case spec.TaskRef == nil && spec.TaskSpec == nil:
		c.errs.neither(p+"taskRef", p+"taskSpec") // V-03
	case spec.TaskRef != nil && spec.TaskSpec != nil:
		c.errs.both(p+"taskRef", p+"taskSpec") // V-04
	}
	if spec.TaskRef != nil {
		c.taskRef(p+"taskRef", spec.TaskRef)
	}
	if spec.TaskSpec != nil {
		c.taskSpec(p+"taskSpec", spec.TaskSpec, false)
		c.propagatedParams(spec)
	}
	c.params(spec.Params)
	c.workspaceBindings(spec.Workspaces)
	if spec.Debug != nil {
		c.alpha("debug") // V-24
		for _, b := range spec.Debug.Breakpoint {
			if b != v1beta1.BreakpointOnFailure { // V-25
				c.errs.invalid(fmt.Sprintf("%s is not a valid breakpoint. Available valid breakpoints include [%s]", b, v1beta1.BreakpointOnFailure), p+"debug.breakpoint")
			}
		}
	}
	c.overrides(spec)
	if spec.Status != "" && spec.Status != v1beta1.TaskRunSpecStatusCancelled { // V-32
		c.errs.invalid(fmt.Sprintf("%s should be %s", spec.Status, v1beta1.TaskRunSpecStatusCancelled), p+"status")
	}
	if spec.Status == "" && spec.StatusMessage != "" { // V-33
		c.errs.invalid(fmt.Sprintf("statusMessage should not be set if status is not set, but it is currently set to %s", spec.StatusMessage), p+"statusMessage")
	}
	if spec.Timeout != nil && spec.Timeout.Duration < 0 { // V-34
		c.errs.invalid(fmt.Sprintf("%s should be >= 0", spec.Timeout.Duration), p+"timeout")
	}
	if spec.PodTemplate != nil {
		for _, env := range spec.PodTemplate.Env {
			if slices.Contains(c.cfg.Defaults.ForbiddenEnv, env.Name) { // V-35
				c.errs.invalid("PodTemplate cannot update a forbidden env: "+env.Name, p+"PodTemplate.Env")
			}
		}
	}
	c.resourceBindings(spec.Resources)
}

// taskRef checks V-05 to V-12.
func (c *checker) taskRef(p string, ref *v1beta1.TaskRef) {
	switch {
	case ref.Resolver != "" || len(ref.Params) > 0:
		if ref.Resolver != "" {
			if ref.Name != "" {
				c.errs.both(p+".name", p+".resolver")
			}
			if ref.Bundle != "" {
				c.errs.both(p+".bundle", p+".resolver")
			}
		}
		if len(ref.Params) > 0 {
			if ref.Name != "" {
				c.errs.both(p+".name", p+".params")
			}
			if ref.Bundle != "" {
				c.errs.both(p+".bundle", p+".params")
			}
			if ref.Resolver == "" {
				c.errs.missing(p + ".resolver")
			}
			for _, name := range duplicates(paramNames(ref.Params)) {
				c.errs.both(p + "[" + name + "].name")
			}
		}
	case ref.Name == "":
		c.errs.missing(p + ".name")
	}
	if ref.Bundle != "" {
		if !c.cfg.FeatureFlags.EnableTektonOCIBundles {
			c.errs.add(fmt.Sprintf("bundle requires %q feature gate to be true but it is false", config.KeyEnableTektonOCIBundles))
		}
		if reason := badImageReference(ref.Bundle); reason != "" {
			c.errs.explain("invalid value: invalid bundle reference", reason, p+".bundle")
		}
	}
}

// params checks V-13 and V-14.
func (c *checker) params(params []v1beta1.Param) {
	for _, name := range duplicates(paramNames(params)) {
		c.errs.both("spec.params[" + name + "].name")
	}
	for _, p := range params {
		if p.Value.Type == v1beta1.ParamTypeObject {
			c.alpha("object type parameter")
			return
		}
	}
}

func paramNames(params []v1beta1.Param) []string {
	names := make([]string, len(params))
	for i, p := range params {
		names[i] = p.Name
	}
	return names
}

// duplicates returns the names that occurred before, whatever their case, as they are written the second time.
func duplicates(names []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, name := range names {
		if key := strings.ToLower(name); seen[key] {
			out = append(out, name)
		} else {
			seen[key] = true
		}
	}
	return out
}

// overrides checks V-26 to V-31.
func (c *checker) overrides(spec *v1beta1.TaskRunSpec) {
	type override struct {
		name string
		path string
	}
	unique := func(list []override) {
		seen := map[string]bool{}
		for _, o := range list {
			key := strings.ToLower(o.name)
			switch {
			case o.name == "":
				c.errs.missing(o.path)
			case seen[key]:
				c.errs.both(o.path)
			}
			seen[key] = true
		}
	}
	var steps, sidecars []override
	if spec.StepOverrides != nil {
		c.alpha("stepOverrides")
		for i, o := range spec.StepOverrides {
			steps = append(steps, override{o.Name, fmt.Sprintf("spec.stepOverrides[%d].name", i)})
		}
	}
	if spec.SidecarOverrides != nil {
		c.alpha("sidecarOverrides")
		for i, o := range spec.SidecarOverrides {
			sidecars = append(sidecars, override{o.Name, fmt.Sprintf("spec.sidecarOverrides[%d].name", i)})
		}
	}
	unique(steps)
	unique(sidecars)
	if spec.ComputeResources != nil {
		c.alpha("computeResources")
		for _, o := range spec.StepOverrides {
			if len(o.Resources.Requests)+len(o.Resources.Limits)+len(o.Resources.Claims) > 0 {
				c.errs.both("spec.computeResources", "spec.stepOverrides.resources")
				break
			}
		}
	}
}

// resourceBindings checks V-36 and V-37. The path of a duplicate names its list once; the reference names it twice.
func (c *checker) resourceBindings(r *v1beta1.TaskRunResources) {
	if r == nil {
		return
	}
	for _, list := range []struct {
		name     string
		bindings []v1beta1.TaskResourceBinding
	}{{"inputs", r.Inputs}, {"outputs", r.Outputs}} {
		p := "spec.resources." + list.name + ".name"
		seen := map[string]bool{}
		for _, b := range list.bindings {
			key := strings.ToLower(b.Name)
			if seen[key] {
				c.errs.both(p)
			}
			seen[key] = true
			named := b.ResourceRef != nil && b.ResourceRef.Name != ""
			switch {
			case named && b.ResourceSpec != nil:
				c.errs.disallowed(p+".resourceRef", p+".resourceSpec")
			case !named && b.ResourceSpec == nil:
				c.errs.missing(p+".resourceRef", p+".resourceSpec")
			}
		}
	}
}

// workspaceBindings checks V-15 to V-23.
func (c *checker) workspaceBindings(bindings []v1beta1.WorkspaceBinding) {
	seen := map[string]bool{}
	for i := range bindings {
		p := fmt.Sprintf("spec.workspaces[%d]", i)
		key := strings.ToLower(bindings[i].Name)
		if seen[key] {
			c.errs.both(p + ".name")
		}
		seen[key] = true
		*c.errs = append(*c.errs, WorkspaceBinding(p, &bindings[i])...)
	}
}

// WorkspaceBinding checks that a binding has exactly one source, and that source what it needs. Paths begin with p.
func WorkspaceBinding(p string, b *v1beta1.WorkspaceBinding) Errors {
	var errs Errors
	if reflect.ValueOf(*b).IsZero() {
		errs.missing(p)
		return errs
	}
	sources := 0
	for _, set := range []bool{
		b.VolumeClaimTemplate != nil, b.PersistentVolumeClaim != nil, b.EmptyDir != nil, b.ConfigMap != nil,
		b.Secret != nil, b.Projected != nil, b.CSI != nil,
	} {
		if set {
			sources++
		}
	}
	// The reference lists these five and spells them so.
	all := []string{p + ".configmap", p + ".emptydir", p + ".persistentvolumeclaim", p + ".secret", p + ".volumeclaimtemplate"}
	switch {
	case sources > 1:
		errs.both(all...)
	case sources == 0:
		errs.neither(all...)
	}
	if b.PersistentVolumeClaim != nil && b.PersistentVolumeClaim.ClaimName == "" {
		errs.missing(p + ".persistentvolumeclaim.claimname")
	}
	if b.ConfigMap != nil && b.ConfigMap.Name == "" {
		errs.missing(p + ".configmap.name")
	}
	if b.Secret != nil && b.Secret.SecretName == "" {
		errs.missing(p + ".secret.secretName")
	}
	if b.Projected != nil && len(b.Projected.Sources) == 0 {
		errs.missing(p + ".projected.sources")
	}
	if b.CSI != nil && b.CSI.Driver == "" {
		errs.missing(p + ".csi.driver")
	}
	return errs
}
