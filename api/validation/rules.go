package validation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/api/config"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Rule is one row of the table: what is said, and of which fields, when an object breaks it. A rule that is not in the
// table for an API version does not exist in that version, whatever the code looks at.
type Rule struct {
	// ID is the rule's in the specification; what follows a slash is one of its cases. The rules of v1 alone have no
	// number there: they begin with their section, 2.6.
	ID string
	// Only is the API version that has the rule; empty means each that has the kind.
	Only string
	// Message, Details and Paths are formats over the same arguments, which are numbered: %[2]q.
	Message, Details string
	Paths            []string
	// Gate is the feature that a gated rule is about; its message says which gate it needs, and it names no field.
	Gate string
	Beta bool // the gate for beta features will do
}

// The messages that several rules share (spec §2.1).
const (
	missing    = "missing field(s)"
	neither    = "expected exactly one, got neither"
	both       = "expected exactly one, got both"
	disallowed = "must not set the field(s)"
	invalid    = "invalid value: "
	unknown    = "non-existent variable in %[2]q"
	badType    = "variable type invalid in %[2]q"
)

// Versions are the API versions that rules tell apart.
func Versions() []string { return []string{v1alpha1.Version, v1beta1.Version, v1.Version} }

// Rules is the table, in the order of the specification: TaskRuns and Tasks, Runs, Pipelines, PipelineRuns. Everything of these kinds
// that admission refuses for its content is refused by one of these rows.
func Rules() []Rule { return slices.Clone(rules) }

// find is the rule in an API version; without one the version has no such rule.
func find(id, version string) (Rule, bool) {
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id && (r.Only == "" || r.Only == version) })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}

// problem is what the rule says of one place.
func (r Rule) problem(flags *config.FeatureFlags, args ...any) Problem {
	if r.Gate != "" {
		want := fmt.Sprintf("%q", config.AlphaAPIFields)
		if r.Beta {
			want += fmt.Sprintf(" or %q", config.BetaAPIFields)
		}
		return Problem{Rule: r.ID, Message: fmt.Sprintf("%s requires %q feature gate to be %s but it is %q", r.Gate, config.KeyEnableAPIFields, want, flags.EnableAPIFields)}
	}
	p := Problem{Rule: r.ID, Message: format(r.Message, args), Details: format(r.Details, args)}
	for _, path := range r.Paths {
		p.Paths = append(p.Paths, format(path, args))
	}
	return p
}

// format is Sprintf for formats that number their arguments, and need not use any.
func format(text string, args []any) string {
	if !strings.Contains(text, "%") {
		return text
	}
	return fmt.Sprintf(text, args...)
}

const (
	old = v1beta1.Version
	now = v1.Version
)

// Paths that begin with a verb are relative: %[1]s is the path of what holds the field, with the dot behind it.
var rules = []Rule{
	// Names: the name.
	{ID: "V-01", Message: "invalid resource name %[1]q: must be a valid DNS label", Paths: []string{"metadata.name"}},
	{ID: "V-02", Message: "Invalid resource name: length must be no more than 63 characters", Paths: []string{"metadata.name"}},

	// What a TaskRun runs.
	{ID: "V-03", Message: neither, Paths: []string{"spec.taskRef", "spec.taskSpec"}},
	{ID: "V-04", Message: both, Paths: []string{"spec.taskRef", "spec.taskSpec"}},

	// A reference to a Task or a Pipeline: where it is, and the name of a param or what is wrong.
	{ID: "V-05", Message: missing, Paths: []string{"%[1]s.name"}},
	{ID: "V-06", Message: both, Paths: []string{"%[1]s.name", "%[1]s.resolver"}},
	{ID: "V-07", Only: old, Message: both, Paths: []string{"%[1]s.bundle", "%[1]s.resolver"}},
	{ID: "V-08/name", Message: both, Paths: []string{"%[1]s.name", "%[1]s.params"}},
	{ID: "V-08/bundle", Only: old, Message: both, Paths: []string{"%[1]s.bundle", "%[1]s.params"}},
	{ID: "V-09", Message: missing, Paths: []string{"%[1]s.resolver"}},
	{ID: "V-10", Message: both, Paths: []string{"%[1]s[%[2]s].name"}},
	{ID: "V-11", Only: old, Message: `bundle requires "enable-tekton-oci-bundles" feature gate to be true but it is false`},
	{ID: "V-12", Only: old, Message: invalid + "invalid bundle reference", Details: "%[2]s", Paths: []string{"%[1]s.bundle"}},
	{ID: "2.6/resolver", Only: now, Gate: "resolver", Beta: true},
	{ID: "2.6/params", Only: now, Gate: "params", Beta: true},

	// Params of the run: the name as it is written the second time.
	{ID: "V-13", Message: both, Paths: []string{"spec.params[%[1]s].name"}},
	{ID: "V-14", Gate: "object type parameter"},

	// Workspaces: the path of the binding.
	{ID: "V-15", Message: missing, Paths: []string{"%[1]s"}},
	{ID: "V-16", Message: both, Paths: sources},
	{ID: "V-17", Message: neither, Paths: sources},
	{ID: "V-18", Message: missing, Paths: []string{"%[1]s.persistentvolumeclaim.claimname"}},
	{ID: "V-19", Message: missing, Paths: []string{"%[1]s.configmap.name"}},
	{ID: "V-20", Message: missing, Paths: []string{"%[1]s.secret.secretName"}},
	{ID: "V-21", Message: missing, Paths: []string{"%[1]s.projected.sources"}},
	{ID: "V-22", Message: missing, Paths: []string{"%[1]s.csi.driver"}},
	{ID: "2.6/projected", Only: now, Gate: "projected workspace type", Beta: true},
	{ID: "2.6/csi", Only: now, Gate: "csi workspace type", Beta: true},
	{ID: "V-23", Message: both, Paths: []string{"%[1]s.name"}},

	// The rest of a run: the value; or, since PipelineRuns have it for each task, where the field is, and an index.
	{ID: "V-24", Gate: "debug"},
	{ID: "V-25", Message: invalid + "%[1]s is not a valid breakpoint. Available valid breakpoints include [" + v1beta1.BreakpointOnFailure + "]", Paths: []string{"spec.debug.breakpoint"}},
	{ID: "V-26", Only: old, Gate: "stepOverrides"},
	{ID: "V-26", Only: now, Gate: "stepSpecs"},
	{ID: "V-27", Only: old, Gate: "sidecarOverrides"},
	{ID: "V-27", Only: now, Gate: "sidecarSpecs"},
	{ID: "V-28/step", Only: old, Message: missing, Paths: []string{"%[1]sstepOverrides[%[2]d].name"}},
	{ID: "V-28/step", Only: now, Message: missing, Paths: []string{"%[1]sstepSpecs[%[2]d].name"}},
	{ID: "V-28/sidecar", Only: old, Message: missing, Paths: []string{"%[1]ssidecarOverrides[%[2]d].name"}},
	{ID: "V-28/sidecar", Only: now, Message: missing, Paths: []string{"%[1]ssidecarSpecs[%[2]d].name"}},
	{ID: "V-29/step", Only: old, Message: both, Paths: []string{"%[1]sstepOverrides[%[2]d].name"}},
	{ID: "V-29/step", Only: now, Message: both, Paths: []string{"%[1]sstepSpecs[%[2]d].name"}},
	{ID: "V-29/sidecar", Only: old, Message: both, Paths: []string{"%[1]ssidecarOverrides[%[2]d].name"}},
	{ID: "V-29/sidecar", Only: now, Message: both, Paths: []string{"%[1]ssidecarSpecs[%[2]d].name"}},
	{ID: "V-30", Gate: "computeResources"},
	{ID: "V-31", Only: old, Message: both, Paths: []string{"%[1]scomputeResources", "%[1]sstepOverrides.resources"}},
	{ID: "V-31", Only: now, Message: both, Paths: []string{"%[1]scomputeResources", "%[1]sstepSpecs.resources"}},
	{ID: "V-32", Message: invalid + "%[1]s should be " + string(v1beta1.TaskRunSpecStatusCancelled), Paths: []string{"spec.status"}},
	{ID: "V-33", Message: invalid + "statusMessage should not be set if status is not set, but it is currently set to %[1]s", Paths: []string{"spec.statusMessage"}},
	{ID: "V-34", Message: invalid + "%[1]s should be >= 0", Paths: []string{"spec.timeout"}},
	{ID: "V-35", Message: invalid + "PodTemplate cannot update a forbidden env: %[2]s", Paths: []string{"%[1]sPodTemplate.Env"}},
	// The reference names the list of V-36 twice.
	{ID: "V-36", Only: old, Message: both, Paths: []string{"spec.resources.%[1]s.name"}},
	{ID: "V-37/both", Only: old, Message: disallowed, Paths: []string{"spec.resources.%[1]s.name.resourceRef", "spec.resources.%[1]s.name.resourceSpec"}},
	{ID: "V-37/neither", Only: old, Message: missing, Paths: []string{"spec.resources.%[1]s.name.resourceRef", "spec.resources.%[1]s.name.resourceSpec"}},
	{ID: "V-39", Message: missing, Paths: []string{"spec.%[1]s.properties"}},

	// A Task: where its spec is, an index, and what is wrong.
	{ID: "V-42", Message: missing, Paths: []string{"%[1]ssteps"}},
	{ID: "V-43", Message: "multiple volumes with same name %[3]q", Paths: []string{"%[1]svolumes[%[2]d].name"}},
	{ID: "V-44", Message: "workspace name %[3]q must be unique", Paths: []string{"%[1]sworkspaces[%[2]d].name"}},
	{ID: "V-45", Message: "workspace mount path %[3]q must be unique", Paths: []string{"%[1]sworkspaces[%[2]d].mountpath"}},
	{ID: "V-46/steps", Gate: "step workspaces"},
	{ID: "V-46/sidecars", Gate: "sidecar workspaces"},
	{ID: "V-47", Message: "undefined workspace %[5]q", Paths: []string{"%[1]s%[2]s[%[3]d].workspaces[%[4]d].name"}},
	{ID: "V-49", Message: "Invalid: cannot use reserved sidecar name " + v1beta1.ReservedSidecarName + " ", Paths: []string{"%[1]ssidecars"}},

	// Params of a Task: where the spec, or the param, is, and what is wrong.
	{ID: "V-51", Message: "parameter appears more than once", Paths: []string{"%[1]sparams[%[2]s]"}},
	{ID: "V-52", Gate: "object type parameter"},
	{ID: "V-53", Message: invalid + "%[2]s", Paths: []string{"%[1]s.type"}},
	{ID: "V-54", Message: "%[2]q type does not match default value's type: %[3]q", Paths: []string{"%[1]s.type", "%[1]s.default.type"}},
	{ID: "V-55/none", Message: missing, Paths: []string{"%[1]s.properties"}},
	{ID: "V-55/type", Message: "The value type specified for these keys %[2]s is invalid", Paths: []string{"%[1]s.properties"}},
	{ID: "V-56", Message: "The format of following array and string variable names is invalid: %[2]s",
		Details: "String/Array Names: \nMust only contain alphanumeric characters, hyphens (-), underscores (_), and dots (.)\nMust begin with a letter or an underscore (_)",
		Paths:   []string{"%[1]sparams"}},
	{ID: "V-57", Message: "Object param name and key name format is invalid: %[2]v",
		Details: "Object Names: \nMust only contain alphanumeric characters, hyphens (-), underscores (_) \nMust begin with a letter or an underscore (_)",
		Paths:   []string{"%[1]sparams"}},
	{ID: "V-58/name", Only: old, Message: both, Paths: []string{"%[1]sresources.%[2]s.name"}},
	{ID: "V-58/type", Only: old, Message: invalid + "%[5]s", Paths: []string{"%[1]sresources.%[2]s[%[3]d].%[4]s.type"}},

	// A Step: where it is, and what is wrong; a volume mount with its index.
	{ID: "V-61", Message: missing, Paths: []string{"%[1]sImage"}},
	{ID: "V-62", Message: "script cannot be used with command", Paths: []string{"%[1]sscript"}},
	{ID: "V-63", Message: invalid + "%[2]s", Paths: []string{"%[1]sname"}},
	{ID: "V-64", Message: "invalid value %[2]q", Paths: []string{"%[1]sname"},
		Details: "Task step name must be a valid DNS Label, For more info refer to https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#names"},
	{ID: "V-65", Message: invalid + "%[2]s", Paths: []string{"%[1]snegative timeout"}},
	{ID: "V-66", Message: "volumeMount cannot be mounted under /tekton/ (volumeMount %[3]q mounted at %[4]q)", Paths: []string{"%[1]svolumeMounts[%[2]d].mountPath"}},
	{ID: "V-67", Message: `volumeMount name %[3]q cannot start with "` + v1beta1.InternalVolumePrefix + `"`, Paths: []string{"%[1]svolumeMounts[%[2]d].name"}},
	{ID: "V-68", Message: "invalid value: %[2]q", Details: `Task step onError must be either "continue" or "stopAndFail"`, Paths: []string{"%[1]sonError"}},
	{ID: "V-69", Gate: "windows script support"},
	{ID: "V-70/stdout", Gate: "step stdout stream support"},
	{ID: "V-70/stderr", Gate: "step stderr stream support"},

	// A result: where it is, its name, and what is wrong.
	{ID: "V-71", Message: "invalid key name %[2]q", Paths: []string{"%[1]s.name"},
		Details: "Name must consist of alphanumeric characters, '-', '_', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my-name',  or 'my_name', regex used for validation is '" + resultNameFormat + "')"},
	{ID: "V-72", Gate: "results type"},
	{ID: "V-73", Message: missing, Paths: []string{"%[1]s.%[2]s.properties"}},
	{ID: "V-74", Message: "The value type specified for these keys %[3]s is invalid, the type must be string", Paths: []string{"%[1]s.%[2]s.properties"}},
	{ID: "V-75", Message: invalid + "%[3]s", Details: "type must be string", Paths: []string{"%[1]s.type"}},

	// A reference to a variable: the field, and its whole value.
	{ID: "V-80", Message: unknown, Paths: []string{"%[1]s"}},
	{ID: "V-81", Message: `Invalid referencing of parameters in %[2]q! Only two dot-separated components after the prefix "params" are allowed.`, Paths: []string{"%[1]s"}},
	{ID: "V-82", Message: unknown, Paths: []string{"%[1]s"}},
	{ID: "V-83", Message: badType, Paths: []string{"%[1]s"}},
	{ID: "V-84", Message: badType, Paths: []string{"%[1]s"}},
	{ID: "V-85", Message: "variable is not properly isolated in %[2]q", Paths: []string{"%[1]s"}},
	{ID: "V-86", Message: unknown, Paths: []string{"%[1]s"}},
	{ID: "V-87", Message: unknown, Paths: []string{"%[1]s"}},
	{ID: "V-88", Only: old, Message: unknown, Paths: []string{"%[1]s"}},

	// A Run or CustomRun: the path of its reference or of its embedded spec, the name, or the index.
	{ID: "R-02", Message: missing, Paths: []string{"spec"}},
	{ID: "R-03", Message: both, Paths: []string{"%[1]s", "%[2]s"}},
	{ID: "R-04", Message: neither, Paths: []string{"%[1]s", "%[2]s"}},
	{ID: "R-05", Message: missing, Paths: []string{"%[1]s.apiVersion"}},
	{ID: "R-06", Message: missing, Paths: []string{"%[1]s.kind"}},
	{ID: "R-07", Message: missing, Paths: []string{"%[1]s.apiVersion"}},
	{ID: "R-08", Message: missing, Paths: []string{"%[1]s.kind"}},
	{ID: "R-09", Message: invalid + "statusMessage should not be set if status is not set, but it is currently set to %[1]s", Paths: []string{"statusMessage"}},
	{ID: "R-10", Message: both, Paths: []string{"spec.params[%[1]s].name"}},
	{ID: "R-11", Gate: "object type parameter"},
	{ID: "R-13", Message: both, Paths: []string{"spec.workspaces[%[1]d].name"}},

	// A Pipeline: where its spec is, which ends with a dot, or where a task is, which does not; and what is wrong.
	{ID: "P-01", Message: "expected at least one, got none", Paths: []string{"%[1]sdescription", "%[1]sparams", "%[1]sresources", "%[1]stasks", "%[1]sworkspaces"}},
	{ID: "P-02", Message: "invalid value %[2]q", Paths: []string{"%[1]s.name"},
		Details: "Pipeline Task name must be a valid DNS Label.For more info refer to https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#names"},
	{ID: "P-03", Message: both, Paths: []string{"%[1]s.name"}},
	{ID: "P-04/both", Message: both, Paths: []string{"%[1]s.taskRef", "%[1]s.taskSpec"}},
	{ID: "P-04/neither", Message: neither, Paths: []string{"%[1]s.taskRef", "%[1]s.taskSpec"}},
	{ID: "P-05/apiVersion", Message: "taskSpec.apiVersion cannot be specified when using taskSpec.steps", Paths: []string{"%[1]s.taskSpec.apiVersion"}},
	{ID: "P-05/kind", Message: "taskSpec.kind cannot be specified when using taskSpec.steps", Paths: []string{"%[1]s.taskSpec.kind"}},
	{ID: "P-06/refKind", Message: invalid + "custom task ref must specify kind", Paths: []string{"%[1]s.taskRef.kind"}},
	{ID: "P-06/specKind", Message: invalid + "custom task spec must specify kind", Paths: []string{"%[1]s.taskSpec.kind"}},
	{ID: "P-06/refVersion", Message: invalid + "custom task ref must specify apiVersion", Paths: []string{"%[1]s.taskRef.apiVersion"}},
	{ID: "P-06/specVersion", Message: invalid + "custom task spec must specify apiVersion", Paths: []string{"%[1]s.taskSpec.apiVersion"}},
	{ID: "P-06/resources", Only: old, Message: invalid + "custom tasks do not support PipelineResources", Paths: []string{"%[1]s.resources"}},
	{ID: "P-07/name", Only: old, Message: missing, Paths: []string{"%[1]s.taskRef.name"}},
	{ID: "P-07/reference", Only: old, Message: invalid + "invalid bundle reference (%[2]s)", Paths: []string{"%[1]s.taskRef.bundle"}},
	{ID: "P-07/gate", Only: old, Message: disallowed, Paths: []string{"%[1]s.taskRef.bundle"}},
	{ID: "P-08/name", Only: old, Message: invalid + "%[2]s", Paths: []string{"%[1]s.taskRef.name"}},
	{ID: "P-08/name", Only: now, Message: invalid + "%[2]s", Paths: []string{"%[1]s.name"}},
	{ID: "P-08/none", Message: invalid + "taskRef must specify name", Paths: []string{"%[1]s.taskRef.name"}},
	{ID: "P-09/resolver", Only: now, Message: disallowed, Paths: []string{"%[1]s.taskref.resolver"}},
	{ID: "P-09/params", Only: now, Message: disallowed, Paths: []string{"%[1]s.taskref.params"}},
	{ID: "P-10", Only: old, Message: invalid + "resource with name %[2]q appears more than once", Paths: []string{"%[1]sresources"}},
	{ID: "P-11", Only: old, Message: invalid + "pipeline declared resources didn't match usage in Tasks: Didn't provide required values: %[2]s", Paths: []string{"%[1]sresources"}},
	{ID: "P-12/task", Only: old, Message: invalid + "expected resource %[3]s to be from task %[4]s, but task %[4]s doesn't exist", Paths: []string{"%[1]s.resources.inputs[%[2]d].from"}},
	{ID: "P-12/output", Only: old, Message: invalid + "the resource %[3]s from %[4]s must be an output but is an input", Paths: []string{"%[1]s.resources.inputs[%[2]d].from"}},
	{ID: "P-13", Message: invalid + "%[2]v", Paths: []string{"%[1]stasks"}},
	{ID: "P-14", Message: "params names must be unique, the same param: %[3]s is defined multiple times at", Paths: []string{"%[1]s.params[%[2]d].name"}},
	{ID: "P-15", Message: unknown, Paths: []string{"%[1]s.value"}},
	{ID: "P-16/tasks", Message: invalid + "pipeline tasks can not refer to execution status of any other pipeline task or aggregate status of tasks", Paths: []string{"%[1]s"}},
	{ID: "P-16/finally", Message: invalid + "pipeline task %[2]s is not defined in the pipeline", Paths: []string{"%[1]s"}},
	{ID: "P-17/empty", Message: invalid + "workspace %[2]d has empty name", Paths: []string{"%[1]sworkspaces[%[2]d]"}},
	{ID: "P-17/twice", Message: invalid + "workspace with name %[3]q appears more than once", Paths: []string{"%[1]sworkspaces[%[2]d]"}},
	{ID: "P-18/twice", Message: "workspace name %[3]q must be unique", Paths: []string{"%[1]s.workspaces[%[2]d]"}},
	{ID: "P-18/undeclared", Message: invalid + "pipeline task %[3]q expects workspace with name %[4]q but none exists in pipeline spec", Paths: []string{"%[1]s.workspaces[%[2]d]"}},
	{ID: "P-19/none", Message: invalid + "expected pipeline results to be task result expressions but no expressions were found", Paths: []string{"%[1]s.value"}},
	{ID: "P-19/other", Message: invalid + "expected pipeline results to be task result expressions but an invalid expressions was found", Paths: []string{"%[1]s.value"}},
	{ID: "P-19/some", Message: invalid + "expected all of the expressions %[2]v to be result expressions but only %[3]v were", Paths: []string{"%[1]s.value"}},
	{ID: "P-19/task", Message: invalid + "referencing a nonexistent task", Paths: []string{"%[1]s.value"}},
	{ID: "P-21", Message: invalid + "spec.tasks is empty but spec.finally has %[2]d tasks", Paths: []string{"%[1]sfinally"}},
	{ID: "P-22", Message: invalid + "no runAfter allowed under spec.finally, final task %[2]s has runAfter specified", Paths: []string{"%[1]s"}},
	{ID: "P-23/final", Message: invalid + "invalid task result reference, final task has task result reference from a final task %[2]s", Paths: []string{"%[1]s"}},
	{ID: "P-23/unknown", Message: invalid + "invalid task result reference, final task has task result reference from a task %[2]s which is not defined in the pipeline", Paths: []string{"%[1]s"}},
	{ID: "P-24", Only: old, Message: "no from allowed under inputs, final task %[3]s has from specified", Paths: []string{"%[1]s.resources.inputs[%[2]d]"}},
	{ID: "P-25/empty", Message: missing, Paths: []string{"%[1]s"}},
	{ID: "P-25/operator", Message: invalid + "operator %[2]q is not recognized. valid operators: in,notin", Paths: []string{"%[1]s"}}, //nolint:misspell // the words are the reference's
	{ID: "P-25/values", Message: invalid + "expecting non-empty values field", Paths: []string{"%[1]s"}},
	{ID: "P-26", Gate: "matrix"},
	{ID: "P-27", Message: `matrix requires "embedded-status" feature gate to be "minimal" but it is %[1]q`},
	{ID: "P-28", Message: "expected 0 <= %[2]d <= %[3]d", Paths: []string{"%[1]s.matrix"}},
	{ID: "P-29", Message: invalid + "parameters of type array only are allowed in matrix", Paths: []string{"%[1]s.matrix[%[2]s]"}},
	{ID: "P-30", Message: both, Paths: []string{"%[1]s.matrix[%[2]s]", "%[1]s.params[%[2]s]"}},
	{ID: "P-31", Message: invalid + "consuming results from matrixed task %[2]s is not allowed", Paths: []string{"%[1]s"}},

	// A PipelineRun: what is wrong.
	{ID: "P-41/both", Message: both, Paths: []string{"spec.pipelineRef", "spec.pipelineSpec"}},
	{ID: "P-41/neither", Message: neither, Paths: []string{"spec.pipelineRef", "spec.pipelineSpec"}},
	{ID: "P-42", Message: invalid + "PipelineRun cannot be Pending after it is started", Paths: []string{"spec.status"}},
	{ID: "P-43", Message: invalid + "cannot use result expressions in %[2]v as PipelineRun parameter values", Paths: []string{"spec.params[%[1]s].value"}},
	{ID: "P-44", Only: old, Message: invalid + "%[1]s should be >= 0", Paths: []string{"spec.timeout"}},
	{ID: "P-45", Only: old, Message: disallowed, Paths: []string{"spec.timeout", "spec.timeouts"}},
	{ID: "P-46", Message: invalid + "%[2]s should be >= 0", Paths: []string{"spec.timeouts.%[1]s"}},
	{ID: "P-47/part", Message: invalid + "%[2]s should be <= pipeline duration", Paths: []string{"spec.timeouts.%[1]s"}},
	{ID: "P-47/none", Message: invalid + "%[2]s (no timeout) should be <= pipeline duration", Paths: []string{"spec.timeouts.%[1]s"}},
	{ID: "P-47/sum", Message: invalid + "%[1]s + %[2]s should be <= pipeline duration", Paths: []string{"spec.timeouts.tasks", "spec.timeouts.finally"}},
	{ID: "P-48", Message: invalid + "%[1]s should be Cancelled, CancelledRunFinally, StoppedRunFinally or PipelineRunPending", Paths: []string{"spec.status"}},
	{ID: "P-49", Message: "workspace %[3]q provided by pipelinerun more than once, at index %[1]d and %[2]d", Paths: []string{"spec.workspaces[%[2]d].name"}},

	// An update of a PipelineRun, in the words of a later release.
	{ID: "P-20/started", Message: invalid + "Once the PipelineRun has started, only status updates are allowed", Paths: []string{"spec"}},
	{ID: "P-20/complete", Message: invalid + "Once the PipelineRun is complete, no updates are allowed", Paths: []string{"spec"}},

	// An update of a run. The reference of these texts is a later release.
	{ID: "L-20/started", Message: invalid + "Once the TaskRun has started, only status and statusMessage updates are allowed", Paths: []string{"spec"}},
	{ID: "L-20/complete", Message: invalid + "Once the TaskRun is complete, no updates are allowed", Paths: []string{"spec"}},
}

// sources are the sources of a workspace that a message about their number names, and how it spells them.
var sources = []string{"%[1]s.configmap", "%[1]s.emptydir", "%[1]s.persistentvolumeclaim", "%[1]s.secret", "%[1]s.volumeclaimtemplate"}
