// Package broken has, for each rule of admission, an input that breaks it and the exact answer. It serves the tests of the
// code that refuses: the rules as functions, and a webhook before a real API server.
package broken

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/api/config"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// What an input is the YAML of.
const (
	InRun       = "TaskRun"      // a spec
	InNamedRun  = "TaskRun/name" // a name, with a spec that is right
	InTask      = "Task"         // a spec
	InTaskSteps = "Task/steps"   // the list of steps of a Task

	// InCustomRun is the spec of a CustomRun, or of a Run, whose fields customRef and customSpec are called ref and spec.
	InCustomRun      = "CustomRun"
	InNamedCustomRun = "CustomRun/name" // a name, with a spec that is right
)

// Rule is one row: an input that breaks the rule, and every word of the answer. It is a row for each API version.
type Rule struct {
	ID     string // of the table; a family stands for all its cases
	Reason string
	Only   string // the version that has the rule; empty means each that has the kind
	Kind   string
	Input  string
	// V1 and WantV1 are Input and Want in v1, where they differ.
	V1          string
	WantV1      []string
	Alpha, Beta bool
	Config      map[string]string // config-defaults
	Want        []string          // lines
}

// Name is what a broken rule is reported under.
func (r Rule) Name(version string) string { return version + "/" + r.ID + " " + r.Reason }

// In reports whether a version of the API has the rule.
func (r Rule) In(version string) bool {
	switch {
	case r.Only != "":
		return r.Only == version
	case r.ofCustomRun():
		return version != now
	}
	return version != first
}

func (r Rule) ofCustomRun() bool { return r.Kind == InCustomRun || r.Kind == InNamedCustomRun }

const (
	first     = v1alpha1.Version
	old       = v1beta1.Version
	now       = v1.Version
	gateAlpha = ` requires "enable-api-fields" feature gate to be "alpha" but it is "stable": `
	gateBeta  = ` requires "enable-api-fields" feature gate to be "alpha" or "beta" but it is "stable": `
	fiveWays  = `spec.workspaces[0].configmap, spec.workspaces[0].emptydir, spec.workspaces[0].persistentvolumeclaim, spec.workspaces[0].secret, spec.workspaces[0].volumeclaimtemplate`
	dnsLabel  = `Task step name must be a valid DNS Label, For more info refer to https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#names`
)

var long = strings.Repeat("a", 64)

func taskRunRules() []Rule {
	return []Rule{
		{ID: "V-01", Reason: "not a DNS name", Kind: InNamedRun, Input: `Not_A_Name`, Want: []string{`invalid resource name "Not_A_Name": must be a valid DNS label: metadata.name`}},
		{ID: "V-02", Reason: "64 characters", Kind: InNamedRun, Input: long, Want: []string{`Invalid resource name: length must be no more than 63 characters: metadata.name`}},
		{ID: "V-03", Reason: "nothing to run", Kind: InRun, Input: `{}`, Want: []string{`expected exactly one, got neither: spec.taskRef, spec.taskSpec`}},
		{ID: "V-04", Reason: "two things to run", Kind: InRun, Input: `{taskRef: {name: t}, taskSpec: {steps: [{image: i}]}}`, Want: []string{`expected exactly one, got both: spec.taskRef, spec.taskSpec`}},
		{ID: "V-05", Reason: "a reference to nothing", Kind: InRun, Input: `{taskRef: {kind: Task}}`, Want: []string{`missing field(s): spec.taskRef.name`}},
		{ID: "V-06", Reason: "local and remote", Kind: InRun, Beta: true, Input: `{taskRef: {name: t, resolver: git}}`, Want: []string{`expected exactly one, got both: spec.taskRef.name, spec.taskRef.resolver`}},
		{ID: "V-07", Reason: "bundle and remote", Only: old, Kind: InRun, Alpha: true, Input: `{taskRef: {bundle: bundle, resolver: git}}`, Want: []string{`expected exactly one, got both: spec.taskRef.bundle, spec.taskRef.resolver`}},
		{ID: "V-08", Reason: "params are for resolvers, not names", Kind: InRun, Beta: true, Input: `{taskRef: {name: t, params: [{name: p, value: v}]}}`, Want: []string{
			`expected exactly one, got both: spec.taskRef.name, spec.taskRef.params`,
			`missing field(s): spec.taskRef.resolver`}},
		{ID: "V-08", Reason: "params are for resolvers, not bundles", Only: old, Kind: InRun, Alpha: true, Input: `{taskRef: {bundle: bundle, params: [{name: p, value: v}]}}`, Want: []string{
			`expected exactly one, got both: spec.taskRef.bundle, spec.taskRef.params`,
			`missing field(s): spec.taskRef.resolver`}},
		{ID: "V-09", Reason: "params for no resolver", Kind: InRun, Beta: true, Input: `{taskRef: {params: [{name: p, value: v}]}}`, Want: []string{`missing field(s): spec.taskRef.resolver`}},
		{ID: "V-10", Reason: "case does not tell params apart", Kind: InRun, Beta: true, Input: `{taskRef: {resolver: git, params: [{name: url, value: a}, {name: URL, value: b}]}}`, Want: []string{`expected exactly one, got both: spec.taskRef[URL].name`}},
		{ID: "V-11", Reason: "bundles are off", Only: old, Kind: InRun, Input: `{taskRef: {name: t, bundle: example.com/bundle}}`, Want: []string{`bundle requires "enable-tekton-oci-bundles" feature gate to be true but it is false: `}},
		{ID: "V-12", Reason: "no image reference", Only: old, Kind: InRun, Alpha: true, Input: `{taskRef: {name: t, bundle: "not a reference"}}`, Want: []string{
			`invalid value: invalid bundle reference: spec.taskRef.bundle`, `could not parse reference: not a reference`}},
		{ID: "V-13", Reason: "case does not tell params apart", Kind: InRun, Input: `{taskRef: {name: t}, params: [{name: a, value: b}, {name: A, value: c}]}`, Want: []string{`expected exactly one, got both: spec.params[A].name`}},
		{ID: "V-14", Reason: "objects are alpha", Kind: InRun, Input: `{taskRef: {name: t}, params: [{name: a, value: {k: v}}]}`, Want: []string{`object type parameter` + gateAlpha}},
		{ID: "V-15", Reason: "an empty binding", Kind: InRun, Input: `{taskRef: {name: t}, workspaces: [{}]}`, Want: []string{`missing field(s): spec.workspaces[0]`}},
		{ID: "V-16", Reason: "two sources", Kind: InRun, Input: `{taskRef: {name: t}, workspaces: [{name: w, emptyDir: {}, configMap: {name: c}}]}`, Want: []string{`expected exactly one, got both: ` + fiveWays}},
		{ID: "V-17", Reason: "no source", Kind: InRun, Input: `{taskRef: {name: t}, workspaces: [{name: w}]}`, Want: []string{`expected exactly one, got neither: ` + fiveWays}},
		{ID: "V-18", Reason: "a claim without name", Kind: InRun, Input: `{taskRef: {name: t}, workspaces: [{name: w, persistentVolumeClaim: {}}]}`, Want: []string{`missing field(s): spec.workspaces[0].persistentvolumeclaim.claimname`}},
		{ID: "V-19", Reason: "a ConfigMap without name", Kind: InRun, Input: `{taskRef: {name: t}, workspaces: [{name: w, configMap: {}}]}`, Want: []string{`missing field(s): spec.workspaces[0].configmap.name`}},
		{ID: "V-20", Reason: "a Secret without name", Kind: InRun, Input: `{taskRef: {name: t}, workspaces: [{name: w, secret: {}}]}`, Want: []string{`missing field(s): spec.workspaces[0].secret.secretName`}},
		{ID: "V-21", Reason: "nothing projected", Kind: InRun, Input: `{taskRef: {name: t}, workspaces: [{name: w, projected: {}}]}`, WantV1: []string{`missing field(s): spec.workspaces[0].projected.sources`, `projected workspace type` + gateBeta}, Want: []string{`missing field(s): spec.workspaces[0].projected.sources`}},
		{ID: "V-22", Reason: "no driver", Kind: InRun, Input: `{taskRef: {name: t}, workspaces: [{name: w, csi: {driver: ""}}]}`, WantV1: []string{`csi workspace type` + gateBeta, `missing field(s): spec.workspaces[0].csi.driver`}, Want: []string{`missing field(s): spec.workspaces[0].csi.driver`}},
		{ID: "V-23", Reason: "bound twice", Kind: InRun, Input: `{taskRef: {name: t}, workspaces: [{name: w, emptyDir: {}}, {name: W, emptyDir: {}}]}`, Want: []string{`expected exactly one, got both: spec.workspaces[1].name`}},
		{ID: "V-24", Reason: "debugging is alpha", Kind: InRun, Input: `{taskRef: {name: t}, debug: {breakpoint: [onFailure]}}`, Want: []string{`debug` + gateAlpha}},
		{ID: "V-25", Reason: "no such breakpoint", Kind: InRun, Alpha: true, Input: `{taskRef: {name: t}, debug: {breakpoint: [onSuccess]}}`, Want: []string{`invalid value: onSuccess is not a valid breakpoint. Available valid breakpoints include [onFailure]: spec.debug.breakpoint`}},
		{ID: "V-26", Reason: "overrides are alpha", Kind: InRun, Input: `{taskRef: {name: t}, stepOverrides: [{name: s, resources: {}}]}`, V1: `{taskRef: {name: t}, stepSpecs: [{name: s, computeResources: {}}]}`, Want: []string{`stepOverrides` + gateAlpha}, WantV1: []string{`stepSpecs` + gateAlpha}},
		{ID: "V-27", Reason: "overrides are alpha", Kind: InRun, Input: `{taskRef: {name: t}, sidecarOverrides: [{name: s, resources: {}}]}`, V1: `{taskRef: {name: t}, sidecarSpecs: [{name: s, computeResources: {}}]}`, Want: []string{`sidecarOverrides` + gateAlpha}, WantV1: []string{`sidecarSpecs` + gateAlpha}},
		{ID: "V-28", Reason: "overrides of nothing", Kind: InRun, Alpha: true, Input: `{taskRef: {name: t}, stepOverrides: [{resources: {}}], sidecarOverrides: [{resources: {}}]}`, V1: `{taskRef: {name: t}, stepSpecs: [{computeResources: {}}], sidecarSpecs: [{computeResources: {}}]}`, Want: []string{`missing field(s): spec.sidecarOverrides[0].name, spec.stepOverrides[0].name`}, WantV1: []string{`missing field(s): spec.sidecarSpecs[0].name, spec.stepSpecs[0].name`}},
		{ID: "V-29", Reason: "overridden twice", Kind: InRun, Alpha: true, Input: `{taskRef: {name: t}, stepOverrides: [{name: s, resources: {}}, {name: S, resources: {}}], sidecarOverrides: [{name: c, resources: {}}, {name: c, resources: {}}]}`, V1: `{taskRef: {name: t}, stepSpecs: [{name: s, computeResources: {}}, {name: S, computeResources: {}}], sidecarSpecs: [{name: c, computeResources: {}}, {name: c, computeResources: {}}]}`, Want: []string{`expected exactly one, got both: spec.sidecarOverrides[1].name, spec.stepOverrides[1].name`}, WantV1: []string{`expected exactly one, got both: spec.sidecarSpecs[1].name, spec.stepSpecs[1].name`}},
		{ID: "V-30", Reason: "task-level resources are alpha", Kind: InRun, Input: `{taskRef: {name: t}, computeResources: {requests: {cpu: 1}}}`, Want: []string{`computeResources` + gateAlpha}},
		{ID: "V-31", Reason: "resources of the Task and of a step", Kind: InRun, Alpha: true, Input: `{taskRef: {name: t}, computeResources: {requests: {cpu: 1}}, stepOverrides: [{name: s, resources: {limits: {cpu: 1}}}]}`, V1: `{taskRef: {name: t}, computeResources: {requests: {cpu: 1}}, stepSpecs: [{name: s, computeResources: {limits: {cpu: 1}}}]}`, Want: []string{`expected exactly one, got both: spec.computeResources, spec.stepOverrides.resources`}, WantV1: []string{`expected exactly one, got both: spec.computeResources, spec.stepSpecs.resources`}},
		{ID: "V-32", Reason: "cancelling is all one can ask for", Kind: InRun, Input: `{taskRef: {name: t}, status: Paused}`, Want: []string{`invalid value: Paused should be TaskRunCancelled: spec.status`}},
		{ID: "V-33", Reason: "a message about nothing", Kind: InRun, Input: `{taskRef: {name: t}, statusMessage: why}`, Want: []string{`invalid value: statusMessage should not be set if status is not set, but it is currently set to why: spec.statusMessage`}},
		{ID: "V-34", Reason: "time does not run backwards", Kind: InRun, Input: `{taskRef: {name: t}, timeout: -48h}`, Want: []string{`invalid value: -48h0m0s should be >= 0: spec.timeout`}},
		{ID: "V-35", Reason: "the operator forbids it", Kind: InRun, Config: map[string]string{config.KeyForbiddenEnv: "B, A"}, Input: `{taskRef: {name: t}, podTemplate: {env: [{name: A, value: x}, {name: C, value: x}]}}`, Want: []string{`invalid value: PodTemplate cannot update a forbidden env: A: spec.PodTemplate.Env`}},
		{ID: "V-36", Reason: "bound twice; the path names its list once", Only: old, Kind: InRun, Input: `{taskRef: {name: t}, resources: {inputs: [{name: r, resourceRef: {name: x}}, {name: R, resourceRef: {name: x}}]}}`, Want: []string{`expected exactly one, got both: spec.resources.inputs.name`}},
		{ID: "V-37", Reason: "by reference and in place", Only: old, Kind: InRun, Input: `{taskRef: {name: t}, resources: {inputs: [{name: r, resourceRef: {name: x}, resourceSpec: {type: git, params: []}}]}}`, Want: []string{`must not set the field(s): spec.resources.inputs.name.resourceRef, spec.resources.inputs.name.resourceSpec`}},
		{ID: "V-37", Reason: "neither", Only: old, Kind: InRun, Input: `{taskRef: {name: t}, resources: {outputs: [{name: r}]}}`, Want: []string{`missing field(s): spec.resources.outputs.name.resourceRef, spec.resources.outputs.name.resourceSpec`}},
		{ID: "V-38", Reason: "the value's type counts, not the declared one", Kind: InRun, Input: `{params: [{name: p, value: [x]}], taskSpec: {params: [{name: p}], steps: [{image: i, script: "$(params.p)"}]}}`, Want: []string{`variable type invalid in "$(params.p)": spec.steps[0].script`}},
		{ID: "V-38", Reason: "the keys of a value are its properties", Kind: InRun, Alpha: true, Input: `{params: [{name: p, value: {k: v}}], taskSpec: {steps: [{image: i, script: "$(params.p.k) $(params.p.nope)"}]}}`, Want: []string{`non-existent variable in "$(params.p.k) $(params.p.nope)": spec.steps[0].script`}},
		{ID: "V-39", Reason: "an object default wants properties once a value is given", Kind: InRun, Alpha: true, Input: `{params: [{name: p, value: {k: v}}], taskSpec: {params: [{name: p, default: {k: w}}], steps: [{image: i}]}}`, Want: []string{`missing field(s): spec.p.properties`}},
		{ID: "V-40", Reason: "the paths of propagated params leave taskSpec out", Kind: InRun, Input: `{taskSpec: {steps: [{image: i, command: [x], args: ["$(params.task-words[*])"]}]}}`, Want: []string{`non-existent variable in "$(params.task-words[*])": spec.steps[0].args[0]`}},
		{ID: "V-40", Reason: "types are checked twice", Kind: InRun, Input: `{taskSpec: {params: [{name: x, type: number}], steps: [{image: i}]}}`, Want: []string{`invalid value: number: spec.taskSpec.params.x.type, spec.x.type`}},
	}
}

// v1Rules are those of v1 alone (§2.6).
func v1Rules() []Rule {
	return []Rule{
		{ID: "2.6/resolver", Reason: "resolvers are beta", Only: now, Kind: InRun, Input: `{taskRef: {resolver: git}}`, Want: []string{`resolver` + gateBeta}},
		{ID: "2.6/params", Reason: "their params, too", Only: now, Kind: InRun, Input: `{taskRef: {resolver: git, params: [{name: url, value: x}]}}`, Want: []string{`params` + gateBeta, `resolver` + gateBeta}},
		{ID: "2.6/projected", Reason: "projected volumes are beta", Only: now, Kind: InRun, Input: `{taskRef: {name: t}, workspaces: [{name: w, projected: {sources: [{secret: {name: s}}]}}]}`, Want: []string{`projected workspace type` + gateBeta}},
		{ID: "2.6/csi", Reason: "volumes of drivers are beta", Only: now, Kind: InRun, Input: `{taskRef: {name: t}, workspaces: [{name: w, csi: {driver: d}}]}`, Want: []string{`csi workspace type` + gateBeta}},
	}
}

func taskRules() []Rule {
	return []Rule{
		{ID: "V-42", Reason: "nothing to do", Kind: InTask, Input: `{}`, Want: []string{`missing field(s): spec.steps`}},
		{ID: "V-43", Reason: "one name, two volumes", Kind: InTask, Input: `{steps: [{image: i}], volumes: [{name: v, emptyDir: {}}, {name: v, emptyDir: {}}]}`, Want: []string{`multiple volumes with same name "v": spec.volumes[1].name`}},
		{ID: "V-44", Reason: "one name, two workspaces", Kind: InTask, Input: `{steps: [{image: i}], workspaces: [{name: w}, {name: w, mountPath: /x}]}`, Want: []string{`workspace name "w" must be unique: spec.workspaces[1].name`}},
		{ID: "V-45", Reason: "one place, two workspaces", Kind: InTask, Input: `{steps: [{image: i}], workspaces: [{name: a, mountPath: /x/}, {name: b, mountPath: /y/../x}]}`, Want: []string{`workspace mount path "/x" must be unique: spec.workspaces[1].mountpath`}},
		{ID: "V-45", Reason: "a step's volume is there", Kind: InTask, Input: `{steps: [{image: i, volumeMounts: [{name: v, mountPath: /workspace/w}]}], workspaces: [{name: w}]}`, Want: []string{`workspace mount path "/workspace/w" must be unique: spec.workspaces[0].mountpath`}},
		{ID: "V-45", Reason: "the template's volume is there", Kind: InTask, Input: `{stepTemplate: {volumeMounts: [{name: v, mountPath: /workspace/w}]}, steps: [{image: i}], workspaces: [{name: w}]}`, Want: []string{`workspace mount path "/workspace/w" must be unique: spec.workspaces[0].mountpath`}},
		{ID: "V-46", Reason: "isolated workspaces are alpha", Kind: InTask, Input: `{workspaces: [{name: w}], steps: [{image: i, workspaces: [{name: w, mountPath: /x}]}], sidecars: [{name: s, image: i, workspaces: [{name: w, mountPath: /x}]}]}`, Want: []string{`sidecar workspaces` + gateAlpha, `step workspaces` + gateAlpha}},
		{ID: "V-47", Reason: "undeclared workspaces", Kind: InTask, Alpha: true, Input: `{steps: [{image: i, workspaces: [{name: w}]}], sidecars: [{name: s, image: i, workspaces: [{name: w}]}]}`, Want: []string{`undefined workspace "w": spec.sidecars[0].workspaces[0].name, spec.steps[0].workspaces[0].name`}},
		{ID: "V-49", Reason: "the name is taken", Kind: InTask, Input: `{steps: [{image: i}], sidecars: [{name: tekton-log-results, image: i}]}`, Want: []string{`Invalid: cannot use reserved sidecar name tekton-log-results : spec.sidecars`}},
		{ID: "V-51", Reason: "declared twice", Kind: InTask, Input: `{params: [{name: x}, {name: x}], steps: [{image: i}]}`, Want: []string{`parameter appears more than once: spec.params[x]`}},
		{ID: "V-52", Reason: "objects are alpha", Kind: InTask, Input: `{params: [{name: o, type: object, properties: {k: {}}}], steps: [{image: i}]}`, Want: []string{`object type parameter` + gateAlpha}},
		{ID: "V-53", Reason: "no such type", Kind: InTask, Input: `{params: [{name: x, type: number}], steps: [{image: i}]}`, Want: []string{`invalid value: number: spec.params.x.type`}},
		{ID: "V-54", Reason: "the default is of another type", Kind: InTask, Input: `{params: [{name: a, type: string, default: [x]}], steps: [{image: i}]}`, Want: []string{`"string" type does not match default value's type: "array": spec.params.a.default.type, spec.params.a.type`}},
		{ID: "V-55", Reason: "an object of nothing", Kind: InTask, Alpha: true, Input: `{params: [{name: o, type: object}], steps: [{image: i}]}`, Want: []string{`missing field(s): spec.params.o.properties`}},
		{ID: "V-55", Reason: "keys are strings", Kind: InTask, Alpha: true, Input: `{params: [{name: o, type: object, properties: {b: {type: array}, a: {type: number}, c: {type: string}}}], steps: [{image: i}]}`, Want: []string{`The value type specified for these keys [a b] is invalid: spec.params.o.properties`}},
		{ID: "V-55", Reason: "keys are strings, in embedded specs too", Kind: InRun, Alpha: true, Input: `{taskSpec: {params: [{name: o, type: object, properties: {a: {type: number}}}], steps: [{image: i}]}}`, Want: []string{`The value type specified for these keys [a] is invalid: spec.o.properties, spec.taskSpec.params.o.properties`}},
		{ID: "V-56", Reason: "names that cannot be referred to, sorted", Kind: InTask, Input: `{params: [{name: "c d"}, {name: "1a"}], steps: [{image: i}]}`, Want: []string{`The format of following array and string variable names is invalid: [1a c d]: spec.params`,
			`String/Array Names: `, `Must only contain alphanumeric characters, hyphens (-), underscores (_), and dots (.)`, `Must begin with a letter or an underscore (_)`}},
		{ID: "V-57", Reason: "dots are what separates objects from keys", Kind: InTask, Alpha: true, Input: `{params: [{name: o.p, type: object, properties: {k: {}}}, {name: q, type: object, properties: {a.b: {}, c: {}}}], steps: [{image: i}]}`, Want: []string{`Object param name and key name format is invalid: map[o.p:[] q:[a.b]]: spec.params`,
			`Object Names: `, `Must only contain alphanumeric characters, hyphens (-), underscores (_) `, `Must begin with a letter or an underscore (_)`}},
		{ID: "V-58", Reason: "no such type, and a name twice", Only: old, Kind: InTask, Input: `{resources: {inputs: [{name: r, type: nope}, {name: R, type: git}]}, steps: [{image: i}]}`, Want: []string{
			`expected exactly one, got both: spec.resources.inputs.name`, `invalid value: nope: spec.resources.inputs[0].r.type`}},

		{ID: "V-61", Reason: "no image", Kind: InTaskSteps, Input: `[{name: s}]`, Want: []string{`missing field(s): spec.steps[0].Image`}},
		{ID: "V-62", Reason: "two programs", Kind: InTaskSteps, Input: `[{image: i, script: x, command: ["y"]}]`, Want: []string{`script cannot be used with command: spec.steps[0].script`}},
		{ID: "V-62", Reason: "two programs, one of them the template's", Kind: InTask, Input: `{stepTemplate: {command: ["y"]}, steps: [{image: i, script: x}]}`, Want: []string{`script cannot be used with command: spec.steps[0].script`}},
		{ID: "V-63", Reason: "one name, two steps", Kind: InTaskSteps, Input: `[{name: s, image: i}, {name: s, image: i}]`, Want: []string{`invalid value: s: spec.steps[1].name`}},
		{ID: "V-64", Reason: "not a DNS label", Kind: InTaskSteps, Input: `[{name: a.b, image: i}]`, Want: []string{`invalid value "a.b": spec.steps[0].name`, dnsLabel}},
		{ID: "V-65", Reason: "time does not run backwards, and nothing else is said of that step", Kind: InTaskSteps, Input: `[{name: Bad_, timeout: -10s}, {name: ok}]`, Want: []string{
			`invalid value: -10s: spec.steps[0].negative timeout`, `missing field(s): spec.steps[1].Image`}},
		{ID: "V-66", Reason: "the launcher's directories", Kind: InTaskSteps, Input: `[{image: i, volumeMounts: [{name: v, mountPath: /tekton/foo}]}]`, Want: []string{`volumeMount cannot be mounted under /tekton/ (volumeMount "v" mounted at "/tekton/foo"): spec.steps[0].volumeMounts[0].mountPath`}},
		{ID: "V-66", Reason: "however they are spelt", Kind: InTaskSteps, Input: `[{image: i, volumeMounts: [{name: v, mountPath: /tekton/home/../run}]}]`, Want: []string{`volumeMount cannot be mounted under /tekton/ (volumeMount "v" mounted at "/tekton/home/../run"): spec.steps[0].volumeMounts[0].mountPath`}},
		{ID: "V-66", Reason: "and all of them at once", Kind: InTaskSteps, Input: `[{image: i, volumeMounts: [{name: v, mountPath: /tekton/}]}]`, Want: []string{`volumeMount cannot be mounted under /tekton/ (volumeMount "v" mounted at "/tekton/"): spec.steps[0].volumeMounts[0].mountPath`}},
		{ID: "V-67", Reason: "the launcher's volumes", Kind: InTaskSteps, Input: `[{image: i, volumeMounts: [{name: tekton-internal-x, mountPath: /x}]}]`, Want: []string{`volumeMount name "tekton-internal-x" cannot start with "tekton-internal-": spec.steps[0].volumeMounts[0].name`}},
		{ID: "V-68", Reason: "no such behaviour", Kind: InTaskSteps, Input: `[{image: i, onError: maybe}]`, Want: []string{`invalid value: "maybe": spec.steps[0].onError`, `Task step onError must be either "continue" or "stopAndFail"`}},
		{ID: "V-69", Reason: "Windows is alpha", Kind: InTaskSteps, Input: `[{image: i, script: "\n  #!win powershell"}]`, Want: []string{`windows script support` + gateAlpha}},
		{ID: "V-70", Reason: "streams are alpha", Kind: InTaskSteps, Input: `[{image: i, stdoutConfig: {path: /x}, stderrConfig: {path: /x}}]`, Want: []string{`step stderr stream support` + gateAlpha, `step stdout stream support` + gateAlpha}},

		{ID: "V-71", Reason: "a name that is not a file name", Kind: InTask, Input: `{results: [{name: -x}], steps: [{image: i}]}`, Want: []string{`invalid key name "-x": spec.results[0].name`,
			`Name must consist of alphanumeric characters, '-', '_', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my-name',  or 'my_name', regex used for validation is '^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$')`}},
		{ID: "V-72", Reason: "typed results are alpha", Kind: InTask, Input: `{results: [{name: r, type: array}, {name: s, type: object, properties: {k: {}}}], steps: [{image: i}]}`, Want: []string{`results type` + gateAlpha}},
		{ID: "V-73", Reason: "an object of nothing", Kind: InTask, Alpha: true, Input: `{results: [{name: r, type: object}], steps: [{image: i}]}`, Want: []string{`missing field(s): spec.results[0].r.properties`}},
		{ID: "V-74", Reason: "keys are strings", Kind: InTask, Alpha: true, Input: `{results: [{name: r, type: object, properties: {k: {type: array}}}], steps: [{image: i}]}`, Want: []string{`The value type specified for these keys [k] is invalid, the type must be string: spec.results[0].r.properties`}},
		{ID: "V-75", Reason: "no such type", Kind: InTask, Input: `{results: [{name: r, type: number}], steps: [{image: i}]}`, Want: []string{`invalid value: number: spec.results[0].type`, `type must be string`}},
	}
}

func variableRules() []Rule {
	const allFields = `spec.steps[0].args[0], spec.steps[0].command[0], spec.steps[0].env[E], spec.steps[0].image, spec.steps[0].name, spec.steps[0].script, ` +
		`spec.steps[0].volumeMount[0].MountPath, spec.steps[0].volumeMount[0].SubPath, spec.steps[0].volumeMount[0].name, spec.steps[0].workingDir`
	step := func(v string) string {
		return fmt.Sprintf(`{name: %[1]q, image: %[1]q, workingDir: %[1]q, script: %[1]q, command: [%[1]q], args: [%[1]q], env: [{name: E, value: %[1]q}], volumeMounts: [{name: %[1]q, mountPath: %[1]q, subPath: %[1]q}]`, v)
	}
	both := []string{
		`invalid value "$(params.x)": spec.steps[0].name`, dnsLabel,
	}
	return []Rule{
		{ID: "V-80", Reason: "unknown, in every field that is looked at", Kind: InTaskSteps, Input: `[` + step("$(params.x)") + `, onError: "$(params.x)"}]`, Want: append(both,
			`non-existent variable in "$(params.x)": `+strings.Replace(allFields, `spec.steps[0].name, `, `spec.steps[0].name, spec.steps[0].onError, `, 1),
			`script cannot be used with command: spec.steps[0].script`)},
		{ID: "V-80", Reason: "in brackets", Kind: InTaskSteps, Input: `[{image: i, script: "$(params[\"x\"]) $(params['y'])"}]`, Want: []string{`non-existent variable in "$(params[\"x\"]) $(params['y'])": spec.steps[0].script`}},
		{ID: "V-80", Reason: "a name with dots is referred to in brackets", Kind: InTask, Input: `{params: [{name: a.b}], steps: [{image: i, script: "$(params.a.b)"}]}`, Want: []string{`non-existent variable in "$(params.a.b)": spec.steps[0].script`}},
		{ID: "V-80", Reason: "each step has its own path", Kind: InTaskSteps, Input: `[{image: i, script: "$(params.x)"}, {image: i}, {image: i, script: "$(params.x)"}]`, Want: []string{`non-existent variable in "$(params.x)": spec.steps[0].script, spec.steps[2].script`}},
		{ID: "V-81", Reason: "objects do not nest", Kind: InTask, Input: `{params: [{name: a}], steps: [{image: i, script: "$(params.a.b.c)"}]}`, Want: []string{`Invalid referencing of parameters in "$(params.a.b.c)"! Only two dot-separated components after the prefix "params" are allowed.: spec.steps[0].script`}},
		{ID: "V-82", Reason: "no such key", Kind: InTask, Alpha: true, Input: `{params: [{name: o, properties: {k: {}}}], steps: [{image: i, script: "$(params.o.nope)"}]}`, Want: []string{`non-existent variable in "$(params.o.nope)": spec.steps[0].script`}},
		{ID: "V-83", Reason: "a whole object fits nowhere", Kind: InTask, Alpha: true, Input: `{params: [{name: o, properties: {k: {}}}], steps: [{image: i, command: ["$(params.o[*])"]}, {image: i, script: "$(params.o)"}]}`, Want: []string{
			`variable type invalid in "$(params.o)": spec.steps[1].script`, `variable type invalid in "$(params.o[*])": spec.steps[0].command[0]`}},
		{ID: "V-84", Reason: "a whole array fits only a list; with three steps the path is still the step's own", Kind: InTask, Input: `{params: [{name: a, type: array}], steps: [{image: "$(params.a)", workingDir: "$(params.a)", env: [{name: E, value: "$(params.a)"}]}, {image: i}, {image: i, script: "$(params.a)"}]}`, Want: []string{
			`variable type invalid in "$(params.a)": spec.steps[0].env[E], spec.steps[0].image, spec.steps[0].workingDir, spec.steps[2].script`}},
		{ID: "V-85", Reason: "a whole array stands alone", Kind: InTask, Input: `{params: [{name: a, type: array}], steps: [{image: i, command: [x], args: ["-$(params.a[*])"]}]}`, Want: []string{`variable is not properly isolated in "-$(params.a[*])": spec.steps[0].args[0]`}},
		{ID: "V-86", Reason: "no such thing of the run", Kind: InTaskSteps, Input: `[{image: i, script: "$(context.taskRun.nope)"}]`, Want: []string{`non-existent variable in "$(context.taskRun.nope)": spec.steps[0].script`}},
		{ID: "V-87", Reason: "no such thing of the Task", Kind: InTaskSteps, Input: `[{image: i, script: "$(context.task.uid)"}]`, Want: []string{`non-existent variable in "$(context.task.uid)": spec.steps[0].script`}},
		{ID: "V-88", Reason: "no such resource", Only: old, Kind: InTask, Input: `{resources: {inputs: [{name: r, type: git}]}, steps: [{image: i, script: "$(resources.inputs.r.path) $(resources.inputs.nope.path)"}]}`, Want: []string{`non-existent variable in "$(resources.inputs.r.path) $(resources.inputs.nope.path)": spec.steps[0].script`}},
	}
}

// Rules are all of them.
func Rules() []Rule {
	return slices.Concat(taskRunRules(), v1Rules(), taskRules(), variableRules(), customRunRules(), pipelineRules(), pipelineValueRules(), pipelineRunRules())
}

// Wanted are the lines of the answer in a version.
func (r Rule) Wanted(version string) []string {
	switch {
	case version == now && r.WantV1 != nil:
		return r.WantV1
	case version == first:
		return strings.Split(runWords.Replace(strings.Join(r.Want, "\n")), "\n")
	}
	return r.Want
}

// runWords are how a Run calls the fields of a CustomRun.
var runWords = strings.NewReplacer("customRef", "ref", "customSpec", "spec")

// Object is the input in a version: the kind and the name of the object, and the YAML of its spec.
func (r Rule) Object(version string) (kind, name, spec string) {
	kind, _, _ = strings.Cut(r.Kind, "/")
	name, spec = "r", r.Input
	if version == now && r.V1 != "" {
		spec = r.V1
	}
	switch r.Kind {
	case InNamedRun:
		name, spec = r.Input, `{taskRef: {name: t}}`
	case InTaskSteps:
		spec = "{steps: " + spec + "}"
	case InNamedPipeline:
		name, spec = r.Input, `{tasks: [{name: a, taskRef: {name: t}}]}`
	case InNamedPipelineRun:
		name, spec = r.Input, `{pipelineRef: {name: p}}`
	case InPipelineTasks, InPipelineFinally:
		spec = ofPipelineTasks(r.Kind, spec)
	case InTimeouts:
		spec = "{pipelineRef: {name: p}, timeouts: " + spec + "}"
	case InEmbeddedPipeline:
		spec = "{pipelineSpec: " + spec + "}"
	case InNamedCustomRun:
		name, spec = r.Input, `{customRef: {apiVersion: example.dev/v1, kind: E}}`
	}
	if version == first {
		kind, spec = v1alpha1.KindRun, runWords.Replace(spec)
	}
	return kind, name, spec
}

// Flags are the feature-flags under which the input is looked at; Config has the config-defaults.
func (r Rule) Flags() map[string]string {
	switch {
	case r.Alpha:
		return map[string]string{config.KeyEnableAPIFields: config.AlphaAPIFields}
	case r.Beta:
		return map[string]string{config.KeyEnableAPIFields: config.BetaAPIFields}
	}
	return map[string]string{}
}
