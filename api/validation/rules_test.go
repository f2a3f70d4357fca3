package validation_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/defaulting"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/api/validation"
)

// What an input is the YAML of.
const (
	inRun       = "TaskRun"      // a spec
	inNamedRun  = "TaskRun/name" // a name, with a spec that is right
	inTask      = "Task"         // a spec
	inTaskSteps = "Task/steps"   // the list of steps of a Task
)

// rule is one row: an input that breaks the rule, and every word of the answer. It is a row for each API version.
type rule struct {
	id     string // of the table; a family stands for all its cases
	reason string
	only   string // the version that has the rule; empty means both
	kind   string
	input  string
	// v1 and wantV1 are input and want in v1, where they differ.
	v1          string
	wantV1      []string
	alpha, beta bool
	config      map[string]string // config-defaults
	want        []string          // lines
}

// name is what a broken rule is reported under.
func (r rule) name(version string) string { return version + "/" + r.id + " " + r.reason }

func (r rule) in(version string) bool { return r.only == "" || r.only == version }

const (
	old       = v1beta1.Version
	now       = v1.Version
	gateAlpha = ` requires "enable-api-fields" feature gate to be "alpha" but it is "stable": `
	gateBeta  = ` requires "enable-api-fields" feature gate to be "alpha" or "beta" but it is "stable": `
	fiveWays  = `spec.workspaces[0].configmap, spec.workspaces[0].emptydir, spec.workspaces[0].persistentvolumeclaim, spec.workspaces[0].secret, spec.workspaces[0].volumeclaimtemplate`
	dnsLabel  = `Task step name must be a valid DNS Label, For more info refer to https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#names`
)

var long = strings.Repeat("a", 64)

func taskRunRules() []rule {
	return []rule{
		{id: "V-01", reason: "not a DNS name", kind: inNamedRun, input: `Not_A_Name`, want: []string{`invalid resource name "Not_A_Name": must be a valid DNS label: metadata.name`}},
		{id: "V-02", reason: "64 characters", kind: inNamedRun, input: long, want: []string{`Invalid resource name: length must be no more than 63 characters: metadata.name`}},
		{id: "V-03", reason: "nothing to run", kind: inRun, input: `{}`, want: []string{`expected exactly one, got neither: spec.taskRef, spec.taskSpec`}},
		{id: "V-04", reason: "two things to run", kind: inRun, input: `{taskRef: {name: t}, taskSpec: {steps: [{image: i}]}}`, want: []string{`expected exactly one, got both: spec.taskRef, spec.taskSpec`}},
		{id: "V-05", reason: "a reference to nothing", kind: inRun, input: `{taskRef: {kind: Task}}`, want: []string{`missing field(s): spec.taskRef.name`}},
		{id: "V-06", reason: "local and remote", kind: inRun, beta: true, input: `{taskRef: {name: t, resolver: git}}`, want: []string{`expected exactly one, got both: spec.taskRef.name, spec.taskRef.resolver`}},
		{id: "V-07", reason: "bundle and remote", only: old, kind: inRun, alpha: true, input: `{taskRef: {bundle: b, resolver: git}}`, want: []string{`expected exactly one, got both: spec.taskRef.bundle, spec.taskRef.resolver`}},
		{id: "V-08", reason: "params are for resolvers, not names", kind: inRun, beta: true, input: `{taskRef: {name: t, params: [{name: p, value: v}]}}`, want: []string{
			`expected exactly one, got both: spec.taskRef.name, spec.taskRef.params`,
			`missing field(s): spec.taskRef.resolver`}},
		{id: "V-08", reason: "params are for resolvers, not bundles", only: old, kind: inRun, alpha: true, input: `{taskRef: {bundle: b, params: [{name: p, value: v}]}}`, want: []string{
			`expected exactly one, got both: spec.taskRef.bundle, spec.taskRef.params`,
			`missing field(s): spec.taskRef.resolver`}},
		{id: "V-09", reason: "params for no resolver", kind: inRun, beta: true, input: `{taskRef: {params: [{name: p, value: v}]}}`, want: []string{`missing field(s): spec.taskRef.resolver`}},
		{id: "V-10", reason: "case does not tell params apart", kind: inRun, beta: true, input: `{taskRef: {resolver: git, params: [{name: url, value: a}, {name: URL, value: b}]}}`, want: []string{`expected exactly one, got both: spec.taskRef[URL].name`}},
		{id: "V-11", reason: "bundles are off", only: old, kind: inRun, input: `{taskRef: {name: t, bundle: example.com/b}}`, want: []string{`bundle requires "enable-tekton-oci-bundles" feature gate to be true but it is false: `}},
		{id: "V-12", reason: "no image reference", only: old, kind: inRun, alpha: true, input: `{taskRef: {name: t, bundle: "not a reference"}}`, want: []string{
			`invalid value: invalid bundle reference: spec.taskRef.bundle`, `could not parse reference: not a reference`}},
		{id: "V-13", reason: "case does not tell params apart", kind: inRun, input: `{taskRef: {name: t}, params: [{name: a, value: b}, {name: A, value: c}]}`, want: []string{`expected exactly one, got both: spec.params[A].name`}},
		{id: "V-14", reason: "objects are alpha", kind: inRun, input: `{taskRef: {name: t}, params: [{name: a, value: {k: v}}]}`, want: []string{`object type parameter` + gateAlpha}},
		{id: "V-15", reason: "an empty binding", kind: inRun, input: `{taskRef: {name: t}, workspaces: [{}]}`, want: []string{`missing field(s): spec.workspaces[0]`}},
		{id: "V-16", reason: "two sources", kind: inRun, input: `{taskRef: {name: t}, workspaces: [{name: w, emptyDir: {}, configMap: {name: c}}]}`, want: []string{`expected exactly one, got both: ` + fiveWays}},
		{id: "V-17", reason: "no source", kind: inRun, input: `{taskRef: {name: t}, workspaces: [{name: w}]}`, want: []string{`expected exactly one, got neither: ` + fiveWays}},
		{id: "V-18", reason: "a claim without name", kind: inRun, input: `{taskRef: {name: t}, workspaces: [{name: w, persistentVolumeClaim: {}}]}`, want: []string{`missing field(s): spec.workspaces[0].persistentvolumeclaim.claimname`}},
		{id: "V-19", reason: "a ConfigMap without name", kind: inRun, input: `{taskRef: {name: t}, workspaces: [{name: w, configMap: {}}]}`, want: []string{`missing field(s): spec.workspaces[0].configmap.name`}},
		{id: "V-20", reason: "a Secret without name", kind: inRun, input: `{taskRef: {name: t}, workspaces: [{name: w, secret: {}}]}`, want: []string{`missing field(s): spec.workspaces[0].secret.secretName`}},
		{id: "V-21", reason: "nothing projected", kind: inRun, input: `{taskRef: {name: t}, workspaces: [{name: w, projected: {}}]}`, wantV1: []string{`missing field(s): spec.workspaces[0].projected.sources`, `projected workspace type` + gateBeta}, want: []string{`missing field(s): spec.workspaces[0].projected.sources`}},
		{id: "V-22", reason: "no driver", kind: inRun, input: `{taskRef: {name: t}, workspaces: [{name: w, csi: {driver: ""}}]}`, wantV1: []string{`csi workspace type` + gateBeta, `missing field(s): spec.workspaces[0].csi.driver`}, want: []string{`missing field(s): spec.workspaces[0].csi.driver`}},
		{id: "V-23", reason: "bound twice", kind: inRun, input: `{taskRef: {name: t}, workspaces: [{name: w, emptyDir: {}}, {name: W, emptyDir: {}}]}`, want: []string{`expected exactly one, got both: spec.workspaces[1].name`}},
		{id: "V-24", reason: "debugging is alpha", kind: inRun, input: `{taskRef: {name: t}, debug: {breakpoint: [onFailure]}}`, want: []string{`debug` + gateAlpha}},
		{id: "V-25", reason: "no such breakpoint", kind: inRun, alpha: true, input: `{taskRef: {name: t}, debug: {breakpoint: [onSuccess]}}`, want: []string{`invalid value: onSuccess is not a valid breakpoint. Available valid breakpoints include [onFailure]: spec.debug.breakpoint`}},
		{id: "V-26", reason: "overrides are alpha", kind: inRun, input: `{taskRef: {name: t}, stepOverrides: [{name: s, resources: {}}]}`, v1: `{taskRef: {name: t}, stepSpecs: [{name: s, computeResources: {}}]}`, want: []string{`stepOverrides` + gateAlpha}, wantV1: []string{`stepSpecs` + gateAlpha}},
		{id: "V-27", reason: "overrides are alpha", kind: inRun, input: `{taskRef: {name: t}, sidecarOverrides: [{name: s, resources: {}}]}`, v1: `{taskRef: {name: t}, sidecarSpecs: [{name: s, computeResources: {}}]}`, want: []string{`sidecarOverrides` + gateAlpha}, wantV1: []string{`sidecarSpecs` + gateAlpha}},
		{id: "V-28", reason: "overrides of nothing", kind: inRun, alpha: true, input: `{taskRef: {name: t}, stepOverrides: [{resources: {}}], sidecarOverrides: [{resources: {}}]}`, v1: `{taskRef: {name: t}, stepSpecs: [{computeResources: {}}], sidecarSpecs: [{computeResources: {}}]}`, want: []string{`missing field(s): spec.sidecarOverrides[0].name, spec.stepOverrides[0].name`}, wantV1: []string{`missing field(s): spec.sidecarSpecs[0].name, spec.stepSpecs[0].name`}},
		{id: "V-29", reason: "overridden twice", kind: inRun, alpha: true, input: `{taskRef: {name: t}, stepOverrides: [{name: s, resources: {}}, {name: S, resources: {}}], sidecarOverrides: [{name: c, resources: {}}, {name: c, resources: {}}]}`, v1: `{taskRef: {name: t}, stepSpecs: [{name: s, computeResources: {}}, {name: S, computeResources: {}}], sidecarSpecs: [{name: c, computeResources: {}}, {name: c, computeResources: {}}]}`, want: []string{`expected exactly one, got both: spec.sidecarOverrides[1].name, spec.stepOverrides[1].name`}, wantV1: []string{`expected exactly one, got both: spec.sidecarSpecs[1].name, spec.stepSpecs[1].name`}},
		{id: "V-30", reason: "task-level resources are alpha", kind: inRun, input: `{taskRef: {name: t}, computeResources: {requests: {cpu: 1}}}`, want: []string{`computeResources` + gateAlpha}},
		{id: "V-31", reason: "resources of the Task and of a step", kind: inRun, alpha: true, input: `{taskRef: {name: t}, computeResources: {requests: {cpu: 1}}, stepOverrides: [{name: s, resources: {limits: {cpu: 1}}}]}`, v1: `{taskRef: {name: t}, computeResources: {requests: {cpu: 1}}, stepSpecs: [{name: s, computeResources: {limits: {cpu: 1}}}]}`, want: []string{`expected exactly one, got both: spec.computeResources, spec.stepOverrides.resources`}, wantV1: []string{`expected exactly one, got both: spec.computeResources, spec.stepSpecs.resources`}},
		{id: "V-32", reason: "cancelling is all one can ask for", kind: inRun, input: `{taskRef: {name: t}, status: Paused}`, want: []string{`invalid value: Paused should be TaskRunCancelled: spec.status`}},
		{id: "V-33", reason: "a message about nothing", kind: inRun, input: `{taskRef: {name: t}, statusMessage: why}`, want: []string{`invalid value: statusMessage should not be set if status is not set, but it is currently set to why: spec.statusMessage`}},
		{id: "V-34", reason: "time does not run backwards", kind: inRun, input: `{taskRef: {name: t}, timeout: -48h}`, want: []string{`invalid value: -48h0m0s should be >= 0: spec.timeout`}},
		{id: "V-35", reason: "the operator forbids it", kind: inRun, config: map[string]string{config.KeyForbiddenEnv: "B, A"}, input: `{taskRef: {name: t}, podTemplate: {env: [{name: A, value: x}, {name: C, value: x}]}}`, want: []string{`invalid value: PodTemplate cannot update a forbidden env: A: spec.PodTemplate.Env`}},
		{id: "V-36", reason: "bound twice; the path names its list once", only: old, kind: inRun, input: `{taskRef: {name: t}, resources: {inputs: [{name: r, resourceRef: {name: x}}, {name: R, resourceRef: {name: x}}]}}`, want: []string{`expected exactly one, got both: spec.resources.inputs.name`}},
		{id: "V-37", reason: "by reference and in place", only: old, kind: inRun, input: `{taskRef: {name: t}, resources: {inputs: [{name: r, resourceRef: {name: x}, resourceSpec: {type: git, params: []}}]}}`, want: []string{`must not set the field(s): spec.resources.inputs.name.resourceRef, spec.resources.inputs.name.resourceSpec`}},
		{id: "V-37", reason: "neither", only: old, kind: inRun, input: `{taskRef: {name: t}, resources: {outputs: [{name: r}]}}`, want: []string{`missing field(s): spec.resources.outputs.name.resourceRef, spec.resources.outputs.name.resourceSpec`}},
		{id: "V-38", reason: "the value's type counts, not the declared one", kind: inRun, input: `{params: [{name: p, value: [x]}], taskSpec: {params: [{name: p}], steps: [{image: i, script: "$(params.p)"}]}}`, want: []string{`variable type invalid in "$(params.p)": spec.steps[0].script`}},
		{id: "V-38", reason: "the keys of a value are its properties", kind: inRun, alpha: true, input: `{params: [{name: p, value: {k: v}}], taskSpec: {steps: [{image: i, script: "$(params.p.k) $(params.p.nope)"}]}}`, want: []string{`non-existent variable in "$(params.p.k) $(params.p.nope)": spec.steps[0].script`}},
		{id: "V-39", reason: "an object default wants properties once a value is given", kind: inRun, alpha: true, input: `{params: [{name: p, value: {k: v}}], taskSpec: {params: [{name: p, default: {k: w}}], steps: [{image: i}]}}`, want: []string{`missing field(s): spec.p.properties`}},
		{id: "V-40", reason: "the paths of propagated params leave taskSpec out", kind: inRun, input: `{taskSpec: {steps: [{image: i, command: [x], args: ["$(params.task-words[*])"]}]}}`, want: []string{`non-existent variable in "$(params.task-words[*])": spec.steps[0].args[0]`}},
		{id: "V-40", reason: "types are checked twice", kind: inRun, input: `{taskSpec: {params: [{name: x, type: number}], steps: [{image: i}]}}`, want: []string{`invalid value: number: spec.taskSpec.params.x.type, spec.x.type`}},
	}
}

// v1Rules are those of v1 alone (§2.6).
func v1Rules() []rule {
	return []rule{
		{id: "2.6/resolver", reason: "resolvers are beta", only: now, kind: inRun, input: `{taskRef: {resolver: git}}`, want: []string{`resolver` + gateBeta}},
		{id: "2.6/params", reason: "their params, too", only: now, kind: inRun, input: `{taskRef: {resolver: git, params: [{name: url, value: x}]}}`, want: []string{`params` + gateBeta, `resolver` + gateBeta}},
		{id: "2.6/projected", reason: "projected volumes are beta", only: now, kind: inRun, input: `{taskRef: {name: t}, workspaces: [{name: w, projected: {sources: [{secret: {name: s}}]}}]}`, want: []string{`projected workspace type` + gateBeta}},
		{id: "2.6/csi", reason: "volumes of drivers are beta", only: now, kind: inRun, input: `{taskRef: {name: t}, workspaces: [{name: w, csi: {driver: d}}]}`, want: []string{`csi workspace type` + gateBeta}},
	}
}

func taskRules() []rule {
	return []rule{
		{id: "V-42", reason: "nothing to do", kind: inTask, input: `{}`, want: []string{`missing field(s): spec.steps`}},
		{id: "V-43", reason: "one name, two volumes", kind: inTask, input: `{steps: [{image: i}], volumes: [{name: v, emptyDir: {}}, {name: v, emptyDir: {}}]}`, want: []string{`multiple volumes with same name "v": spec.volumes[1].name`}},
		{id: "V-44", reason: "one name, two workspaces", kind: inTask, input: `{steps: [{image: i}], workspaces: [{name: w}, {name: w, mountPath: /x}]}`, want: []string{`workspace name "w" must be unique: spec.workspaces[1].name`}},
		{id: "V-45", reason: "one place, two workspaces", kind: inTask, input: `{steps: [{image: i}], workspaces: [{name: a, mountPath: /x/}, {name: b, mountPath: /y/../x}]}`, want: []string{`workspace mount path "/x" must be unique: spec.workspaces[1].mountpath`}},
		{id: "V-45", reason: "a step's volume is there", kind: inTask, input: `{steps: [{image: i, volumeMounts: [{name: v, mountPath: /workspace/w}]}], workspaces: [{name: w}]}`, want: []string{`workspace mount path "/workspace/w" must be unique: spec.workspaces[0].mountpath`}},
		{id: "V-45", reason: "the template's volume is there", kind: inTask, input: `{stepTemplate: {volumeMounts: [{name: v, mountPath: /workspace/w}]}, steps: [{image: i}], workspaces: [{name: w}]}`, want: []string{`workspace mount path "/workspace/w" must be unique: spec.workspaces[0].mountpath`}},
		{id: "V-46", reason: "isolated workspaces are alpha", kind: inTask, input: `{workspaces: [{name: w}], steps: [{image: i, workspaces: [{name: w, mountPath: /x}]}], sidecars: [{name: s, image: i, workspaces: [{name: w, mountPath: /x}]}]}`, want: []string{`sidecar workspaces` + gateAlpha, `step workspaces` + gateAlpha}},
		{id: "V-47", reason: "undeclared workspaces", kind: inTask, alpha: true, input: `{steps: [{image: i, workspaces: [{name: w}]}], sidecars: [{name: s, image: i, workspaces: [{name: w}]}]}`, want: []string{`undefined workspace "w": spec.sidecars[0].workspaces[0].name, spec.steps[0].workspaces[0].name`}},
		{id: "V-49", reason: "the name is taken", kind: inTask, input: `{steps: [{image: i}], sidecars: [{name: tekton-log-results, image: i}]}`, want: []string{`Invalid: cannot use reserved sidecar name tekton-log-results : spec.sidecars`}},
		{id: "V-51", reason: "declared twice", kind: inTask, input: `{params: [{name: x}, {name: x}], steps: [{image: i}]}`, want: []string{`parameter appears more than once: spec.params[x]`}},
		{id: "V-52", reason: "objects are alpha", kind: inTask, input: `{params: [{name: o, type: object, properties: {k: {}}}], steps: [{image: i}]}`, want: []string{`object type parameter` + gateAlpha}},
		{id: "V-53", reason: "no such type", kind: inTask, input: `{params: [{name: x, type: number}], steps: [{image: i}]}`, want: []string{`invalid value: number: spec.params.x.type`}},
		{id: "V-54", reason: "the default is of another type", kind: inTask, input: `{params: [{name: a, type: string, default: [x]}], steps: [{image: i}]}`, want: []string{`"string" type does not match default value's type: "array": spec.params.a.default.type, spec.params.a.type`}},
		{id: "V-55", reason: "an object of nothing", kind: inTask, alpha: true, input: `{params: [{name: o, type: object}], steps: [{image: i}]}`, want: []string{`missing field(s): spec.params.o.properties`}},
		{id: "V-55", reason: "keys are strings", kind: inTask, alpha: true, input: `{params: [{name: o, type: object, properties: {b: {type: array}, a: {type: number}, c: {type: string}}}], steps: [{image: i}]}`, want: []string{`The value type specified for these keys [a b] is invalid: spec.params.o.properties`}},
		{id: "V-55", reason: "keys are strings, in embedded specs too", kind: inRun, alpha: true, input: `{taskSpec: {params: [{name: o, type: object, properties: {a: {type: number}}}], steps: [{image: i}]}}`, want: []string{`The value type specified for these keys [a] is invalid: spec.o.properties, spec.taskSpec.params.o.properties`}},
		{id: "V-56", reason: "names that cannot be referred to, sorted", kind: inTask, input: `{params: [{name: "c d"}, {name: "1a"}], steps: [{image: i}]}`, want: []string{`The format of following array and string variable names is invalid: [1a c d]: spec.params`,
			`String/Array Names: `, `Must only contain alphanumeric characters, hyphens (-), underscores (_), and dots (.)`, `Must begin with a letter or an underscore (_)`}},
		{id: "V-57", reason: "dots are what separates objects from keys", kind: inTask, alpha: true, input: `{params: [{name: o.p, type: object, properties: {k: {}}}, {name: q, type: object, properties: {a.b: {}, c: {}}}], steps: [{image: i}]}`, want: []string{`Object param name and key name format is invalid: map[o.p:[] q:[a.b]]: spec.params`,
			`Object Names: `, `Must only contain alphanumeric characters, hyphens (-), underscores (_) `, `Must begin with a letter or an underscore (_)`}},
		{id: "V-58", reason: "no such type, and a name twice", only: old, kind: inTask, input: `{resources: {inputs: [{name: r, type: nope}, {name: R, type: git}]}, steps: [{image: i}]}`, want: []string{
			`expected exactly one, got both: spec.resources.inputs.name`, `invalid value: nope: spec.resources.inputs[0].r.type`}},

		{id: "V-61", reason: "no image", kind: inTaskSteps, input: `[{name: s}]`, want: []string{`missing field(s): spec.steps[0].Image`}},
		{id: "V-62", reason: "two programs", kind: inTaskSteps, input: `[{image: i, script: x, command: [y]}]`, want: []string{`script cannot be used with command: spec.steps[0].script`}},
		{id: "V-62", reason: "two programs, one of them the template's", kind: inTask, input: `{stepTemplate: {command: [y]}, steps: [{image: i, script: x}]}`, want: []string{`script cannot be used with command: spec.steps[0].script`}},
		{id: "V-63", reason: "one name, two steps", kind: inTaskSteps, input: `[{name: s, image: i}, {name: s, image: i}]`, want: []string{`invalid value: s: spec.steps[1].name`}},
		{id: "V-64", reason: "not a DNS label", kind: inTaskSteps, input: `[{name: a.b, image: i}]`, want: []string{`invalid value "a.b": spec.steps[0].name`, dnsLabel}},
		{id: "V-65", reason: "time does not run backwards, and nothing else is said of that step", kind: inTaskSteps, input: `[{name: Bad_, timeout: -10s}, {name: ok}]`, want: []string{
			`invalid value: -10s: spec.steps[0].negative timeout`, `missing field(s): spec.steps[1].Image`}},
		{id: "V-66", reason: "the launcher's directories", kind: inTaskSteps, input: `[{image: i, volumeMounts: [{name: v, mountPath: /tekton/foo}]}]`, want: []string{`volumeMount cannot be mounted under /tekton/ (volumeMount "v" mounted at "/tekton/foo"): spec.steps[0].volumeMounts[0].mountPath`}},
		{id: "V-66", reason: "however they are spelt", kind: inTaskSteps, input: `[{image: i, volumeMounts: [{name: v, mountPath: /tekton/home/../run}]}]`, want: []string{`volumeMount cannot be mounted under /tekton/ (volumeMount "v" mounted at "/tekton/home/../run"): spec.steps[0].volumeMounts[0].mountPath`}},
		{id: "V-66", reason: "and all of them at once", kind: inTaskSteps, input: `[{image: i, volumeMounts: [{name: v, mountPath: /tekton/}]}]`, want: []string{`volumeMount cannot be mounted under /tekton/ (volumeMount "v" mounted at "/tekton/"): spec.steps[0].volumeMounts[0].mountPath`}},
		{id: "V-67", reason: "the launcher's volumes", kind: inTaskSteps, input: `[{image: i, volumeMounts: [{name: tekton-internal-x, mountPath: /x}]}]`, want: []string{`volumeMount name "tekton-internal-x" cannot start with "tekton-internal-": spec.steps[0].volumeMounts[0].name`}},
		{id: "V-68", reason: "no such behaviour", kind: inTaskSteps, input: `[{image: i, onError: maybe}]`, want: []string{`invalid value: "maybe": spec.steps[0].onError`, `Task step onError must be either "continue" or "stopAndFail"`}},
		{id: "V-69", reason: "Windows is alpha", kind: inTaskSteps, input: `[{image: i, script: "\n  #!win powershell"}]`, want: []string{`windows script support` + gateAlpha}},
		{id: "V-70", reason: "streams are alpha", kind: inTaskSteps, input: `[{image: i, stdoutConfig: {path: /x}, stderrConfig: {path: /x}}]`, want: []string{`step stderr stream support` + gateAlpha, `step stdout stream support` + gateAlpha}},

		{id: "V-71", reason: "a name that is no file name", kind: inTask, input: `{results: [{name: -x}], steps: [{image: i}]}`, want: []string{`invalid key name "-x": spec.results[0].name`,
			`Name must consist of alphanumeric characters, '-', '_', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my-name',  or 'my_name', regex used for validation is '^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$')`}},
		{id: "V-72", reason: "typed results are alpha", kind: inTask, input: `{results: [{name: r, type: array}, {name: s, type: object, properties: {k: {}}}], steps: [{image: i}]}`, want: []string{`results type` + gateAlpha}},
		{id: "V-73", reason: "an object of nothing", kind: inTask, alpha: true, input: `{results: [{name: r, type: object}], steps: [{image: i}]}`, want: []string{`missing field(s): spec.results[0].r.properties`}},
		{id: "V-74", reason: "keys are strings", kind: inTask, alpha: true, input: `{results: [{name: r, type: object, properties: {k: {type: array}}}], steps: [{image: i}]}`, want: []string{`The value type specified for these keys [k] is invalid, the type must be string: spec.results[0].r.properties`}},
		{id: "V-75", reason: "no such type", kind: inTask, input: `{results: [{name: r, type: number}], steps: [{image: i}]}`, want: []string{`invalid value: number: spec.results[0].type`, `type must be string`}},
	}
}

func variableRules() []rule {
	const allFields = `spec.steps[0].args[0], spec.steps[0].command[0], spec.steps[0].env[E], spec.steps[0].image, spec.steps[0].name, spec.steps[0].script, ` +
		`spec.steps[0].volumeMount[0].MountPath, spec.steps[0].volumeMount[0].SubPath, spec.steps[0].volumeMount[0].name, spec.steps[0].workingDir`
	step := func(v string) string {
		return fmt.Sprintf(`{name: %[1]q, image: %[1]q, workingDir: %[1]q, script: %[1]q, command: [%[1]q], args: [%[1]q], env: [{name: E, value: %[1]q}], volumeMounts: [{name: %[1]q, mountPath: %[1]q, subPath: %[1]q}]`, v)
	}
	both := []string{
		`invalid value "$(params.x)": spec.steps[0].name`, dnsLabel,
	}
	return []rule{
		{id: "V-80", reason: "unknown, in every field that is looked at", kind: inTaskSteps, input: `[` + step("$(params.x)") + `, onError: "$(params.x)"}]`, want: append(both,
			`non-existent variable in "$(params.x)": `+strings.Replace(allFields, `spec.steps[0].name, `, `spec.steps[0].name, spec.steps[0].onError, `, 1),
			`script cannot be used with command: spec.steps[0].script`)},
		{id: "V-80", reason: "in brackets", kind: inTaskSteps, input: `[{image: i, script: "$(params[\"x\"]) $(params['y'])"}]`, want: []string{`non-existent variable in "$(params[\"x\"]) $(params['y'])": spec.steps[0].script`}},
		{id: "V-80", reason: "a name with dots is referred to in brackets", kind: inTask, input: `{params: [{name: a.b}], steps: [{image: i, script: "$(params.a.b)"}]}`, want: []string{`non-existent variable in "$(params.a.b)": spec.steps[0].script`}},
		{id: "V-80", reason: "each step has its own path", kind: inTaskSteps, input: `[{image: i, script: "$(params.x)"}, {image: i}, {image: i, script: "$(params.x)"}]`, want: []string{`non-existent variable in "$(params.x)": spec.steps[0].script, spec.steps[2].script`}},
		{id: "V-81", reason: "objects do not nest", kind: inTask, input: `{params: [{name: a}], steps: [{image: i, script: "$(params.a.b.c)"}]}`, want: []string{`Invalid referencing of parameters in "$(params.a.b.c)"! Only two dot-separated components after the prefix "params" are allowed.: spec.steps[0].script`}},
		{id: "V-82", reason: "no such key", kind: inTask, alpha: true, input: `{params: [{name: o, properties: {k: {}}}], steps: [{image: i, script: "$(params.o.nope)"}]}`, want: []string{`non-existent variable in "$(params.o.nope)": spec.steps[0].script`}},
		{id: "V-83", reason: "a whole object fits nowhere", kind: inTask, alpha: true, input: `{params: [{name: o, properties: {k: {}}}], steps: [{image: i, command: ["$(params.o[*])"]}, {image: i, script: "$(params.o)"}]}`, want: []string{
			`variable type invalid in "$(params.o)": spec.steps[1].script`, `variable type invalid in "$(params.o[*])": spec.steps[0].command[0]`}},
		{id: "V-84", reason: "a whole array fits only a list; with three steps the path is still the step's own", kind: inTask, input: `{params: [{name: a, type: array}], steps: [{image: "$(params.a)", workingDir: "$(params.a)", env: [{name: E, value: "$(params.a)"}]}, {image: i}, {image: i, script: "$(params.a)"}]}`, want: []string{
			`variable type invalid in "$(params.a)": spec.steps[0].env[E], spec.steps[0].image, spec.steps[0].workingDir, spec.steps[2].script`}},
		{id: "V-85", reason: "a whole array stands alone", kind: inTask, input: `{params: [{name: a, type: array}], steps: [{image: i, command: [x], args: ["-$(params.a[*])"]}]}`, want: []string{`variable is not properly isolated in "-$(params.a[*])": spec.steps[0].args[0]`}},
		{id: "V-86", reason: "no such thing of the run", kind: inTaskSteps, input: `[{image: i, script: "$(context.taskRun.nope)"}]`, want: []string{`non-existent variable in "$(context.taskRun.nope)": spec.steps[0].script`}},
		{id: "V-87", reason: "no such thing of the Task", kind: inTaskSteps, input: `[{image: i, script: "$(context.task.uid)"}]`, want: []string{`non-existent variable in "$(context.task.uid)": spec.steps[0].script`}},
		{id: "V-88", reason: "no such resource", only: old, kind: inTask, input: `{resources: {inputs: [{name: r, type: git}]}, steps: [{image: i, script: "$(resources.inputs.r.path) $(resources.inputs.nope.path)"}]}`, want: []string{`non-existent variable in "$(resources.inputs.r.path) $(resources.inputs.nope.path)": spec.steps[0].script`}},
	}
}

func allRules() []rule {
	return slices.Concat(taskRunRules(), v1Rules(), taskRules(), variableRules())
}

// TestEveryRuleRefusesWithItsWords has a subtest for each rule of each version: v1/V-26 overrides are alpha.
func TestEveryRuleRefusesWithItsWords(t *testing.T) {
	t.Parallel()
	for _, version := range validation.Versions() {
		for _, r := range allRules() {
			if !r.in(version) {
				continue
			}
			t.Run(r.name(version), func(t *testing.T) {
				t.Parallel()
				want := r.want
				if version == now && r.wantV1 != nil {
					want = r.wantV1
				}
				errs := validate(t, r, version)
				if diff := cmp.Diff(strings.Join(want, "\n"), text(errs)); diff != "" {
					t.Errorf("answer (-want +got):\n%s", diff)
				}
				if _, other := aboutOthers()[r.id]; !other && !slices.ContainsFunc(errs, func(p validation.Problem) bool { return isCase(r.id, p.Rule) }) {
					t.Errorf("it was not %s that refused: %v", r.id, errs)
				}
			})
		}
	}
}

// isCase reports whether a row of the table is the rule, or one of its cases.
func isCase(id, row string) bool { return row == id || strings.HasPrefix(row, id+"/") }

// aboutOthers are rules without words of their own, and why.
func aboutOthers() map[string]string {
	return map[string]string{
		"V-38": "says what the variable rules and the type rules go by",
		"V-40": "says where they are reported",
		"V-41": "says that nothing is checked: see the accepted inputs",
		"V-48": "merging typed values cannot fail",
		"V-50": "not an id", "V-59": "not an id", "V-60": "not an id",
		"V-76": "not an id", "V-77": "not an id", "V-78": "not an id", "V-79": "not an id",
	}
}

// TestNoRuleIsForgotten counts the rows of the table against the ids of the specification, and those that an input breaks
// against the rows.
func TestNoRuleIsForgotten(t *testing.T) {
	t.Parallel()
	table := validation.Rules()
	for n := 1; n <= 88; n++ {
		id := fmt.Sprintf("V-%02d", n)
		_, without := aboutOthers()[id]
		if has := slices.ContainsFunc(table, func(r validation.Rule) bool { return isCase(id, r.ID) }); has == without {
			t.Errorf("%s: has a row = %v, is listed as without = %v", id, has, without)
		}
	}
	for _, version := range validation.Versions() {
		broken := map[string]bool{}
		for _, r := range allRules() {
			if r.in(version) {
				for _, p := range validate(t, r, version) {
					broken[p.Rule] = true
				}
			}
		}
		seen := map[string]bool{}
		for _, r := range table {
			if r.Only != "" && r.Only != version || strings.HasPrefix(r.ID, "L-") { // updates: see package admission
				continue
			}
			if !broken[r.ID] {
				t.Errorf("%s %s: no input breaks it", version, r.ID)
			}
			if seen[r.ID] {
				t.Errorf("%s %s: has two rows", version, r.ID)
			}
			seen[r.ID] = true
			if (r.Gate == "") == (r.Message == "") {
				t.Errorf("%s: a row has a message or a gate, got %+v", r.ID, r)
			}
		}
	}
}

// TestAcceptedInputs are near misses: what the documents show or the rules leave alone.
func TestAcceptedInputs(t *testing.T) {
	t.Parallel()
	for _, r := range []rule{
		{reason: "V-02: 63 characters", kind: inNamedRun, input: long[:63]},
		{reason: "V-12: a reference with tag and digest", only: old, kind: inRun, alpha: true, input: `{taskRef: {name: t, bundle: "localhost:5000/a/b_c:v1@sha256:` + strings.Repeat("0", 64) + `"}}`},
		{reason: "V-34: zero means no timeout", kind: inRun, input: `{taskRef: {name: t}, timeout: "0"}`},
		{reason: "V-41: what a referenced Task declares is not known yet", kind: inRun, input: `{taskRef: {name: Not_A_Name}, params: [{name: any, value: [x]}], workspaces: [{name: any, emptyDir: {}}]}`},
		{reason: "retries are not checked", kind: inRun, input: `{taskRef: {name: t}, retries: -1}`},
		{reason: "resolvers need no gate", only: old, kind: inRun, input: `{taskRef: {resolver: git, params: [{name: url, value: x}]}}`},
		{reason: "projected and csi need no gate", only: old, kind: inRun, input: `{taskRef: {name: t}, workspaces: [{name: a, csi: {driver: d}}, {name: b, projected: {sources: [{secret: {name: s}}]}}]}`},
		{reason: "2.6: with the gate for beta there are resolvers and every kind of volume", only: now, kind: inRun, beta: true, input: `{taskRef: {resolver: git, params: [{name: url, value: x}]}, workspaces: [{name: a, csi: {driver: d}}, {name: b, projected: {sources: [{secret: {name: s}}]}}]}`},
		{reason: "V-38: params propagate", kind: inRun, input: `{params: [{name: p, value: x}], taskSpec: {steps: [{image: i, script: "$(params.p)"}]}}`},
		{reason: "V-55: an embedded object need not list properties", kind: inRun, alpha: true, input: `{taskSpec: {params: [{name: o, type: object}], steps: [{image: i}]}}`},
		{reason: "V-61: the image may be the template's", kind: inTask, input: `{stepTemplate: {image: i}, steps: [{name: s}]}`},
		{reason: "a script may have args", kind: inTaskSteps, input: `[{image: i, script: x, args: [y]}]`},
		{reason: "V-66: home is the user's", kind: inTaskSteps, input: `[{image: i, volumeMounts: [{name: v, mountPath: /tekton/home}]}]`},
		{reason: "V-66: out of /tekton again", kind: inTaskSteps, input: `[{image: i, volumeMounts: [{name: v, mountPath: /tekton/../data}]}]`},
		{reason: "V-66: only looks like it", kind: inTaskSteps, input: `[{image: i, volumeMounts: [{name: v, mountPath: /tektonic}]}]`},
		{reason: "V-68: a param may say it", kind: inTask, input: `{params: [{name: p}], steps: [{image: i, onError: "$(params.p)"}]}`},
		{reason: "V-75: results are not unique", kind: inTask, input: `{results: [{name: r}, {name: r}], steps: [{image: i}]}`},
		{reason: "V-80: brackets reach names with dots", kind: inTask, input: `{params: [{name: a.b}], steps: [{image: i, script: "$(params[\"a.b\"]) $(params['a.b'])"}]}`},
		{reason: "V-80: not every $( is a reference", kind: inTaskSteps, input: `[{image: i, script: "$(date) $(workspaces.w.path) $(results.r.path) $(steps.step-b.exitCode.path)"}]`},
		{reason: "V-82: a key", kind: inTask, alpha: true, input: `{params: [{name: o, properties: {k: {}}}], steps: [{image: i, script: "$(params.o.k)"}]}`},
		{reason: "V-84: one element of an array is a string", kind: inTask, input: `{params: [{name: a, type: array}], steps: [{image: i, script: "$(params.a[0])"}]}`},
		{reason: "V-85: alone", kind: inTask, input: `{params: [{name: a, type: array}], steps: [{image: i, command: ["$(params.a)"], args: ["$(params.a[*])", "$(params['a'][*])"]}]}`},
		{reason: "V-86, V-87: what there is", kind: inTaskSteps, input: `[{image: i, script: "$(context.taskRun.name) $(context.taskRun.namespace) $(context.taskRun.uid) $(context.task.name) $(context.task.retry-count)"}]`},
		{reason: "V-88: without declared resources nothing is known", kind: inTaskSteps, input: `[{image: i, script: "$(resources.inputs.nope.path)"}]`},
		{reason: "sidecars are Kubernetes' to check", kind: inTask, input: `{steps: [{image: i}], sidecars: [{name: s, image: i, script: x, command: [y]}, {name: s}]}`},
	} {
		for _, version := range validation.Versions() {
			if !r.in(version) {
				continue
			}
			t.Run(version+"/"+r.reason, func(t *testing.T) {
				t.Parallel()
				if got := validate(t, r, version); got != nil {
					t.Errorf("refused: %s", got.Error())
				}
			})
		}
	}
}

func text(errs validation.Errors) string {
	if errs == nil {
		return ""
	}
	return errs.Error()
}

// validate returns what is wrong with the input after defaulting, or nothing.
func validate(t *testing.T, r rule, version string) validation.Errors {
	t.Helper()
	flags := map[string]string{}
	switch {
	case r.alpha:
		flags[config.KeyEnableAPIFields] = config.AlphaAPIFields
	case r.beta:
		flags[config.KeyEnableAPIFields] = config.BetaAPIFields
	}
	cfg, err := config.Parse(r.config, flags)
	if err != nil {
		t.Fatal(err)
	}
	name, spec := "r", r.input
	if version == now && r.v1 != "" {
		spec = r.v1
	}
	switch r.kind {
	case inNamedRun:
		name, spec = r.input, `{taskRef: {name: t}}`
	case inTaskSteps:
		spec = "steps: " + spec
	}
	decode := func(into any) {
		t.Helper()
		if err := yaml.UnmarshalStrict([]byte(spec), into); err != nil {
			t.Fatalf("the row's input: %v", err)
		}
	}
	run := r.kind == inRun || r.kind == inNamedRun
	switch {
	case run && version == old:
		tr := &v1beta1.TaskRun{ObjectMeta: metav1.ObjectMeta{Name: name}}
		decode(&tr.Spec)
		defaulting.TaskRun(tr, cfg)
		err = validation.TaskRun(tr, cfg)
	case run:
		tr := &v1.TaskRun{ObjectMeta: metav1.ObjectMeta{Name: name}}
		decode(&tr.Spec)
		defaulting.TaskRunV1(tr, cfg)
		err = validation.TaskRunV1(tr, cfg)
	case version == old:
		task := &v1beta1.Task{}
		decode(&task.Spec)
		defaulting.TaskSpec(&task.Spec)
		err = validation.Task("t", &task.Spec, cfg)
	default:
		task := &v1.Task{}
		decode(&task.Spec)
		defaulting.TaskV1(task)
		err = validation.TaskV1("t", &task.Spec, cfg)
	}
	var errs validation.Errors
	if err != nil && !errors.As(err, &errs) {
		t.Fatal(err)
	}
	return errs
}
