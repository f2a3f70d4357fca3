package substitution

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// spec reads a TaskSpec from YAML.
func spec(t *testing.T, text string) *v1beta1.TaskSpec {
	t.Helper()
	s := &v1beta1.TaskSpec{}
	if err := yaml.UnmarshalStrict([]byte(text), s); err != nil {
		t.Fatal(err)
	}
	return s
}

// given are the params of the run in these tests.
func given(t *testing.T) []v1beta1.Param {
	t.Helper()
	var params []v1beta1.Param
	if err := yaml.UnmarshalStrict([]byte(`
- {name: s, value: text}
- {name: empty, value: ""}
- {name: dotted.name, value: dot}
- {name: list, value: [one, two]}
- {name: none, value: []}
- {name: object, value: {key: given, extra: more}}
- {name: nested, value: "$(params.s) $(context.taskRun.name) $(workspaces.w.path)"}
- {name: shorter, value: [only]}
`), &params); err != nil {
		t.Fatal(err)
	}
	return params
}

// input is what else variables refer to in these tests.
func input() Input {
	return Input{
		Bindings: []v1beta1.WorkspaceBinding{{Name: "w"}, {Name: "extra"}},
		Volumes:  map[string]string{"w": "ws-12345"},
	}
}

// apply replaces the variables of the params, of the contexts, and of in.
func apply(t *testing.T, s *v1beta1.TaskSpec, in Input, indexing bool) *v1beta1.TaskSpec {
	t.Helper()
	in.Variables = []Replacements{
		Params(s.Params, given(t), indexing),
		Contexts(map[string]string{"taskRun.name": "run", "taskRun.namespace": "ns", "taskRun.uid": "u-1", "task.name": "task", "task.retry-count": "2"}),
	}
	return Apply(s, in)
}

const declared = `
params:
- {name: s}
- {name: default, default: fallback}
- {name: list, type: array}
- {name: shorter, type: array, default: [a, b, c]}
- {name: object, type: object, properties: {key: {type: string}, other: {type: string}}, default: {key: lost, other: kept}}
results: [{name: r}, {name: dotted.r}]
workspaces: [{name: w}, {name: opt, optional: true}, {name: placed, mountPath: "/$(params.s)"}]
`

// TestVariables replaces variables in a script, which takes any text.
func TestVariables(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, in, want string }{
		{"a string param, by dot", "$(params.s)", "text"},
		{"by brackets and double quotes", `$(params["s"])`, "text"},
		{"by brackets and single quotes", "$(params['s'])", "text"},
		{"in the legacy form", "$(inputs.params.s)", "text"},
		{"with a dot in its name", `$(params["dotted.name"]) $(params.dotted.name)`, "dot dot"},
		{"within other text", "a$(params.s)b$(params.s)", "atextbtext"},
		{"an empty value", "[$(params.empty)]", "[]"},
		{"a default", "$(params.default)", "fallback"},
		{"a param that is not declared", "$(params.nested)", "$(params.s) run /workspace/w"},
		{"an object's key that is given", "$(params.object.key)", "given"},
		{"an object's key of the default", "$(params.object.other)", "kept"},
		{"an object's key that is not declared", "$(params.object.extra)", "more"},
		{"an object's key has only the dot form", `$(params["object"].key)`, `$(params["object"].key)`},
		{"an array is not text", "$(params.list) $(params.list[*])", "$(params.list) $(params.list[*])"},
		{"indexing has a gate", "$(params.list[1])", "$(params.list[1])"},
		{"contexts", "$(context.taskRun.name) $(context.taskRun.namespace) $(context.taskRun.uid) $(context.task.name) $(context.task.retry-count)",
			"run ns u-1 task 2"},
		{"the path of a result", `$(results.r.path) $(results["dotted.r"].path) $(results['r'].path)`,
			"/tekton/results/r /tekton/results/dotted.r /tekton/results/r"},
		{"the path of a result that is not declared stays", "$(results.nosuch.path)", "$(results.nosuch.path)"},
		{"the path of an exit code", "$(steps.step-named.exitCode.path) $(steps.step-unnamed-1.exitCode.path)",
			"/tekton/steps/step-named/exitCode /tekton/steps/step-unnamed-1/exitCode"},
		{"of a missing step", "$(steps.step-unnamed-0.exitCode.path)", "$(steps.step-unnamed-0.exitCode.path)"},
		{"a workspace", "$(workspaces.w.path) $(workspaces.w.bound) [$(workspaces.w.claim)] $(workspaces.w.volume)", "/workspace/w true [] ws-12345"},
		{"an optional workspace that is not bound", "[$(workspaces.opt.path)] $(workspaces.opt.bound) [$(workspaces.opt.claim)]", "[] false []"},
		{"a workspace at a path that is a param", "$(workspaces.placed.path)", "/text"},
		{"a workspace that is bound but not declared", "$(workspaces.extra.path)", "$(workspaces.extra.path)"},
		{"the credentials' path is for the Pod", "$(credentials.path)", "$(credentials.path)"},
		{"what is unknown", "$(nope) $(date) $HOME $$(x) $(", "$(nope) $(date) $HOME $$(x) $("},
		{"there is no escape", "$$(params.s)", "$text"},
		{"a variable inside of something unknown", "$(echo $(params.s))", "$(echo text)"},
	} {
		s := spec(t, declared+"steps: [{name: named, image: i}, {image: i}]")
		s.Steps[0].Script = tt.in
		if got := apply(t, s, input(), false).Steps[0].Script; got != tt.want {
			t.Errorf("%s: %s became %s, want %s", tt.reason, tt.in, got, tt.want)
		}
		if s.Steps[0].Script != tt.in {
			t.Errorf("%s: the spec that was given was changed", tt.reason)
		}
	}
}

func TestArrays(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason   string
		in, want []string
	}{
		{"an array is as many elements as it has", []string{"a", "$(params.list[*])", "b"}, []string{"a", "one", "two", "b"}},
		{"the star may be missing", []string{"$(params.list)"}, []string{"one", "two"}},
		{"in any spelling", []string{`$(params["list"][*])`, "$(params['list'])", "$(inputs.params.list[*])"}, []string{"one", "two", "one", "two", "one", "two"}},
		{"an empty array adds no element", []string{"a", "$(params.none[*])", "b"}, []string{"a", "b"}},
		{"only a whole element is an array", []string{"x$(params.list[*])"}, []string{"x$(params.list[*])"}},
		{"strings are replaced as everywhere", []string{"$(params.s)-$(params.s)"}, []string{"text-text"}},
	} {
		s := spec(t, declared+"steps: [{image: i}]")
		s.Steps[0].Command, s.Steps[0].Args = tt.in, tt.in
		got := apply(t, s, input(), false).Steps[0]
		if diff := cmp.Diff([][]string{tt.want, tt.want}, [][]string{got.Command, got.Args}); diff != "" {
			t.Errorf("%s: command and args (-want +got):\n%s", tt.reason, diff)
		}
	}
}

func TestIndexing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, in, want string }{
		{"elements count from zero", "$(params.list[0]) $(params.list[1])", "one two"},
		{"in any spelling", `$(params["list"][0]) $(params['list'][1]) $(inputs.params.list[0])`, "one two one"},
		{"beyond the end there is nothing", "$(params.list[2])", "$(params.list[2])"},
		{"a given array replaces all of a longer default", "$(params.shorter[0]) $(params.shorter[1])", "only $(params.shorter[1])"},
	} {
		s := spec(t, declared+"steps: [{image: i}]")
		s.Steps[0].Script = tt.in
		if got := apply(t, s, input(), true).Steps[0].Script; got != tt.want {
			t.Errorf("%s: %s became %s, want %s", tt.reason, tt.in, got, tt.want)
		}
	}
}

func TestOutOfBounds(t *testing.T) {
	t.Parallel()
	s := spec(t, strings.Replace(declared, "params:", "params:\n- {name: lengthy, type: array, default: [a, b]}", 1)+`
steps:
- {image: i, args: ["$(params.list[1])", "$(params.list[5])", "$(params.shorter[1])"], script: "$(params['list'][2]) $(params.unknown[3]) $(params.s[1])"}
volumes: [{name: "$(params.lengthy[2])"}, {name: "$(params.lengthy[1])"}]
sidecars:
- {name: x, env: [{name: E, value: '$(inputs.params.list[99999999999999999999])'}]}`)
	got := OutOfBounds(s, given(t))
	want := []string{"$(inputs.params.list[99999999999999999999])", "$(params.lengthy[2])", "$(params.list[5])", "$(params.shorter[1])", "$(params['list'][2])"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}

// TestFields has the variable in every field of every object: those of §8.4 are replaced, the others are not.
func TestFields(t *testing.T) {
	t.Parallel()
	const container = `
  name: $(params.s)
  image: $(params.s)
  imagePullPolicy: $(params.s)
  command: [$(params.s)]
  args: [$(params.s)]
  workingDir: $(params.s)
  env:
  - {name: $(params.s), value: $(params.s)}
  - {name: x, valueFrom: {secretKeyRef: {name: $(params.s), key: $(params.s)}}}
  - {name: y, valueFrom: {configMapKeyRef: {name: $(params.s), key: $(params.s)}}}
  - {name: z, valueFrom: {fieldRef: {fieldPath: $(params.s)}}}
  envFrom: [{prefix: $(params.s), configMapRef: {name: $(params.s)}}, {secretRef: {name: $(params.s)}}]
  volumeMounts: [{name: $(params.s), mountPath: $(params.s), subPath: $(params.s), subPathExpr: $(params.s)}]
  securityContext: {seLinuxOptions: {user: $(params.s)}}
`
	const replaced = `
  name: text
  image: text
  imagePullPolicy: text
  command: [text]
  args: [text]
  workingDir: text
  env:
  - {name: $(params.s), value: text}
  - {name: x, valueFrom: {secretKeyRef: {name: text, key: text}}}
  - {name: y, valueFrom: {configMapKeyRef: {name: text, key: text}}}
  - {name: z, valueFrom: {fieldRef: {fieldPath: $(params.s)}}}
  envFrom: [{prefix: text, configMapRef: {name: text}}, {secretRef: {name: text}}]
  volumeMounts: [{name: text, mountPath: text, subPath: text, subPathExpr: $(params.s)}]
  securityContext: {seLinuxOptions: {user: $(params.s)}}
`
	const others = `
description: $(params.s)
results: [{name: r, description: $(params.s)}]
`
	volumes := func(v string) string {
		return `
workspaces: [{name: w, mountPath: ` + v + `, description: $(params.s)}]
volumes:
- {name: ` + v + `, configMap: {name: ` + v + `, items: [{key: ` + v + `, path: ` + v + `}]}}
- {name: ` + v + `, secret: {secretName: ` + v + `, items: [{key: ` + v + `, path: ` + v + `}]}}
- {name: ` + v + `, persistentVolumeClaim: {claimName: ` + v + `}}
- {name: ` + v + `, csi: {driver: $(params.s), nodePublishSecretRef: {name: ` + v + `}, volumeAttributes: {a: ` + v + `}}}
- {name: ` + v + `, hostPath: {path: $(params.s)}}
- name: ` + v + `
  projected: {sources: [{configMap: {name: ` + v + `}}, {secret: {name: ` + v + `}}, {serviceAccountToken: {audience: ` + v + `, path: $(params.s)}}]}
`
	}
	steps := func(c, v string) string {
		return "steps:\n-" + c[2:] + `  script: ` + v + `
  onError: ` + v + `
  stdoutConfig: {path: ` + v + `}
  stderrConfig: {path: ` + v + `}
  workspaces: [{name: $(params.s), mountPath: $(params.s)}]
`
	}
	sidecars := func(c, v string) string {
		return "sidecars:\n-" + c[2:] + `  script: ` + v + `
  readinessProbe: {exec: {command: [$(params.s)]}}
  workspaces: [{name: $(params.s), mountPath: $(params.s)}]
`
	}
	document := func(c, v string) *v1beta1.TaskSpec {
		return spec(t, others+volumes(v)+steps(c, v)+sidecars(c, v)+"stepTemplate:"+c)
	}
	got := apply(t, document(container, "$(params.s)"), input(), false)
	if diff := cmp.Diff(document(replaced, "text"), got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestPropagatedWorkspaces(t *testing.T) {
	t.Parallel()
	in := input()
	in.PropagatedWorkspaces = true
	s := spec(t, declared+"steps: [{image: i, script: $(workspaces.extra.path)}]")
	got := apply(t, s, in, false)
	if got.Steps[0].Script != "/workspace/extra" {
		t.Errorf("the path is %s", got.Steps[0].Script)
	}
	if diff := cmp.Diff(v1beta1.WorkspaceDeclaration{Name: "extra"}, got.Workspaces[len(got.Workspaces)-1]); diff != "" || len(got.Workspaces) != 4 {
		t.Errorf("declarations are %+v", got.Workspaces)
	}
}

func TestIsolatedWorkspaces(t *testing.T) {
	t.Parallel()
	s := spec(t, declared+`
steps:
- {image: i, script: $(workspaces.w.path), workspaces: [{name: w, mountPath: /mine}]}
- {image: i, script: $(workspaces.w.path), workspaces: [{name: w}]}
sidecars:
- {name: x, script: $(workspaces.w.path), workspaces: [{name: w, mountPath: /its}]}`)
	in := input()
	paths := func(s *v1beta1.TaskSpec) []string {
		return []string{s.Steps[0].Script, s.Steps[1].Script, s.Sidecars[0].Script}
	}
	if diff := cmp.Diff([]string{"/workspace/w", "/workspace/w", "/workspace/w"}, paths(apply(t, s, in, false))); diff != "" {
		t.Errorf("without the gate (-want +got):\n%s", diff)
	}
	in.IsolatedWorkspaces = true
	if diff := cmp.Diff([]string{"/mine", "/workspace/w", "/its"}, paths(apply(t, s, in, false))); diff != "" {
		t.Errorf("with the gate (-want +got):\n%s", diff)
	}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	in := input()
	if err := yaml.UnmarshalStrict([]byte("{name: w, persistentVolumeClaim: {claimName: mine}}"), &in.Bindings[0]); err != nil {
		t.Fatal(err)
	}
	s := spec(t, declared+"steps: [{image: i, script: $(workspaces.w.claim)}]")
	if got := apply(t, s, in, false).Steps[0].Script; got != "mine" {
		t.Errorf("the claim is %q", got)
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	s := spec(t, "steps: [{image: i, script: 'ls $(credentials.path)'}]")
	Credentials(s, "/tekton/creds")
	if got := s.Steps[0].Script; got != "ls /tekton/creds" {
		t.Errorf("the script is %q", got)
	}
}
