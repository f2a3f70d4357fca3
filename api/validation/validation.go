// Package validation is what the validating webhook checks of each kind, in all API versions, with the exact words and field
// paths that the API promises: TaskRuns and Tasks by spec §2.3 to §2.6; Runs, Pipelines and PipelineRuns by §1.4, §2.5, §2.6 and
// §3.1 of the specification of Pipelines. The rules of the latter have ids that begin with R and P.
//
// What is said is one table, [Rules], with a row for each rule; which versions have the rule is a column of it. When it is
// said is code, written once, over v1beta1: an object of v1 is looked at in the shape that it has in v1beta1, which has a
// place for everything, and answered with the rows of v1.
//
// A rule that holds in several places is one row, whose path is an argument. The files are by subject: taskspec.go and
// variables.go for a Task wherever it stands, reference.go and overrides.go for what several kinds have, pipeline*.go for the
// parts of a Pipeline, propagated.go for what an embedded spec gets from its run, run.go for Runs and CustomRuns.
//
// Validation sees objects after defaulting. It knows no cluster: whether a Task exists, whether params are given or
// workspaces bound is found out when the run starts.
package validation

import (
	"fmt"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/conversion"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// maxNameLength bounds the names of TaskRuns and Tasks, which become label values.
const maxNameLength = 63

// TaskRun checks a TaskRun at creation and at every update.
func TaskRun(tr *v1beta1.TaskRun, cfg *config.Config) error {
	return taskRun(v1beta1.Version, tr.Name, &tr.Spec, cfg)
}

// TaskRunV1 is TaskRun for v1.
func TaskRunV1(tr *v1.TaskRun, cfg *config.Config) error {
	spec := conversion.TaskRunSpecFromV1(&tr.Spec)
	return taskRun(v1.Version, tr.Name, &spec, cfg)
}

func taskRun(version, name string, spec *v1beta1.TaskRunSpec, cfg *config.Config) error {
	var errs Errors
	c := checker{version: version, cfg: cfg, errs: &errs}
	c.objectName(name)
	c.taskRunSpec(spec)
	return errs.OrNil()
}

// TaskRunUpdate checks what has changed: once created, a run's spec is fixed except for the request to cancel it
// (L-20; the overview of TaskRuns says that parameters cannot be modified once started).
func TaskRunUpdate(old, updated *v1beta1.TaskRun) error {
	before := old.Spec // a shallow copy: only strings of it are replaced
	done := old.Status.IsDone()
	if !done {
		before.Status, before.StatusMessage = updated.Spec.Status, updated.Spec.StatusMessage
	}
	if equality.Semantic.DeepEqual(&before, &updated.Spec) {
		return nil
	}
	var errs Errors
	c := checker{version: v1beta1.Version, errs: &errs}
	if done {
		c.refuse("L-20/complete")
	} else {
		c.refuse("L-20/started")
	}
	return errs.OrNil()
}

// Task checks a Task or ClusterTask.
func Task(name string, spec *v1beta1.TaskSpec, cfg *config.Config) error {
	return task(v1beta1.Version, name, spec, cfg)
}

// TaskV1 is Task for v1.
func TaskV1(name string, spec *v1.TaskSpec, cfg *config.Config) error {
	return task(v1.Version, name, conversion.TaskSpecFromV1(spec), cfg)
}

func task(version, name string, spec *v1beta1.TaskSpec, cfg *config.Config) error {
	var errs Errors
	c := checker{version: version, cfg: cfg, errs: &errs}
	c.objectName(name)
	c.taskSpec("spec.", spec, true)
	return errs.OrNil()
}

// TaskSpec checks the spec of a Task wherever it stands, as the controller does with the substituted one before it makes
// a Pod (LC-44). Paths start at the spec.
func TaskSpec(spec *v1beta1.TaskSpec, cfg *config.Config) error {
	var errs Errors
	c := checker{version: v1beta1.Version, cfg: cfg, errs: &errs}
	c.taskSpec("", spec, true)
	return errs.OrNil()
}

// checker collects the problems of one object.
type checker struct {
	version string // of the API, whose rules count
	cfg     *config.Config
	errs    *Errors
}

// refuse says that a rule is broken; args are what its row of the table wants.
func (c *checker) refuse(id string, args ...any) {
	if rule, has := find(id, c.version); has {
		var flags *config.FeatureFlags
		if c.cfg != nil {
			flags = &c.cfg.FeatureFlags
		}
		*c.errs = append(*c.errs, rule.problem(flags, args...))
	}
}

// alpha demands the gate for alpha features.
func (c *checker) alpha(id string) {
	if !c.cfg.FeatureFlags.Alpha() {
		c.refuse(id)
	}
}

// beta demands the gate for beta features.
func (c *checker) beta(id string) {
	if !c.cfg.FeatureFlags.Beta() {
		c.refuse(id)
	}
}

func (c *checker) objectName(name string) {
	if name == "" {
		return // a generated name is checked once it is known
	}
	if len(utilvalidation.IsDNS1123Subdomain(name)) > 0 {
		c.refuse("V-01", name)
	}
	if len(name) > maxNameLength {
		c.refuse("V-02")
	}
}

func (c *checker) taskRunSpec(spec *v1beta1.TaskRunSpec) {
	switch {
	case spec.TaskRef == nil && spec.TaskSpec == nil:
		c.refuse("V-03")
	case spec.TaskRef != nil && spec.TaskSpec != nil:
		c.refuse("V-04")
	}
	if spec.TaskRef != nil {
		c.origin("spec.taskRef", originOf(spec.TaskRef))
	}
	if spec.TaskSpec != nil {
		c.taskSpec("spec.taskSpec.", spec.TaskSpec, false)
		c.propagatedParams(spec)
	}
	c.params(spec.Params)
	c.workspaceBindings(spec.Workspaces)
	if spec.Debug != nil {
		c.alpha("V-24")
		for _, b := range spec.Debug.Breakpoint {
			if b != v1beta1.BreakpointOnFailure {
				c.refuse("V-25", b)
			}
		}
	}
	c.overrides("spec.", spec.StepOverrides, spec.SidecarOverrides, spec.ComputeResources)
	if spec.Status != "" && spec.Status != v1beta1.TaskRunSpecStatusCancelled {
		c.refuse("V-32", spec.Status)
	}
	if spec.Status == "" && spec.StatusMessage != "" {
		c.refuse("V-33", spec.StatusMessage)
	}
	if spec.Timeout != nil && spec.Timeout.Duration < 0 {
		c.refuse("V-34", spec.Timeout.Duration)
	}
	c.forbiddenEnv("spec.", spec.PodTemplate)
	c.resourceBindings(spec.Resources)
}

// params checks V-13 and V-14.
func (c *checker) params(params []v1beta1.Param) {
	for _, name := range duplicates(paramNames(params)) {
		c.refuse("V-13", name)
	}
	c.objectGate(params)
}

// objectGate checks V-14: objects are alpha.
func (c *checker) objectGate(params []v1beta1.Param) {
	for _, p := range params {
		if p.Value.Type == v1beta1.ParamTypeObject {
			c.alpha("V-14")
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

// resourceBindings checks V-36 and V-37. The path of a duplicate names its list once; the reference names it twice.
func (c *checker) resourceBindings(r *v1beta1.TaskRunResources) {
	if r == nil {
		return
	}
	for _, list := range []struct {
		name     string
		bindings []v1beta1.TaskResourceBinding
	}{{"inputs", r.Inputs}, {"outputs", r.Outputs}} {
		seen := map[string]bool{}
		for _, b := range list.bindings {
			key := strings.ToLower(b.Name)
			if seen[key] {
				c.refuse("V-36", list.name)
			}
			seen[key] = true
			named := b.ResourceRef != nil && b.ResourceRef.Name != ""
			switch {
			case named && b.ResourceSpec != nil:
				c.refuse("V-37/both", list.name)
			case !named && b.ResourceSpec == nil:
				c.refuse("V-37/neither", list.name)
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
			c.refuse("V-23", p)
		}
		seen[key] = true
		c.gatedWorkspaceBinding(p, &bindings[i])
	}
}

// gatedWorkspaceBinding is workspaceBinding for runs, whose sources v1 gates.
func (c *checker) gatedWorkspaceBinding(p string, b *v1beta1.WorkspaceBinding) {
	if b.Projected != nil {
		c.beta("2.6/projected")
	}
	if b.CSI != nil {
		c.beta("2.6/csi")
	}
	c.workspaceBinding(p, b)
}

// WorkspaceBinding checks that a binding has exactly one source, and that source what it needs. Paths begin with p.
func WorkspaceBinding(p string, b *v1beta1.WorkspaceBinding) Errors {
	var errs Errors
	c := checker{version: v1beta1.Version, errs: &errs}
	c.workspaceBinding(p, b)
	return errs
}

func (c *checker) workspaceBinding(p string, b *v1beta1.WorkspaceBinding) {
	if reflect.ValueOf(*b).IsZero() {
		c.refuse("V-15", p)
		return
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
	switch {
	case sources > 1:
		c.refuse("V-16", p)
	case sources == 0:
		c.refuse("V-17", p)
	}
	if b.PersistentVolumeClaim != nil && b.PersistentVolumeClaim.ClaimName == "" {
		c.refuse("V-18", p)
	}
	if b.ConfigMap != nil && b.ConfigMap.Name == "" {
		c.refuse("V-19", p)
	}
	if b.Secret != nil && b.Secret.SecretName == "" {
		c.refuse("V-20", p)
	}
	if b.Projected != nil && len(b.Projected.Sources) == 0 {
		c.refuse("V-21", p)
	}
	if b.CSI != nil && b.CSI.Driver == "" {
		c.refuse("V-22", p)
	}
}
