package command_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/cmd/plumbline/command"
)

// A valid manifest, in each version of the API, as a run with an embedded Task and as a run of a Task of the same file.
// Each mistake changes one line of it.
const (
	embeddedRun = `apiVersion: tekton.dev/VERSION
kind: TaskRun
metadata: {name: build}
spec:
  params:
  - name: message
    value: hello
  timeout: 10m
  workspaces:
  - name: data
    emptyDir: {}
  taskSpec:
    params:
    - name: message
    - name: list
      type: array
      default: [a, b]
    workspaces:
    - name: data
    results:
    - name: said
    steps:
    - name: say
      image: busybox
      timeout: 1m
      onError: continue
      script: |
        echo $(params.message)
        printf x > $(results.said.path)
`
	referringRun = `apiVersion: tekton.dev/VERSION
kind: Task
metadata: {name: say}
spec:
  params:
  - name: message
  - name: list
    type: array
    default: [a, b]
  workspaces:
  - name: data
  results:
  - name: said
  steps:
  - name: say
    image: busybox
    timeout: 1m
    onError: continue
    script: |
      echo $(params.message)
      printf x > $(results.said.path)
---
apiVersion: tekton.dev/VERSION
kind: TaskRun
metadata: {name: build}
spec:
  params:
  - name: message
    value: hello
  timeout: 10m
  workspaces:
  - name: data
    emptyDir: {}
  taskRef: {name: say}
`
)

// mistake changes a line of a manifest. What is wrong is told at the line that the change is in, or as many lines above it.
type mistake struct {
	name string
	line string // its text, without blanks before it, as it is first found
	into string // with the blanks of the line; further lines get the same; empty removes it
	says string // part of the message
	exit int
	up   int    // how many lines above the change
	only string // the base that has it: embedded or referring
	in   string // the API version that has it
}

func mistakes() []mistake {
	return []mistake{
		{name: "a field of a step is misspelt", line: "image: busybox", into: "imag: busybox", says: `unknown field "imag"; did you mean "image"?`},
		{name: "a field of a run is misspelt", line: "timeout: 10m", into: "timeuot: 10m", says: `unknown field "timeuot"; did you mean "timeout"?`},
		{name: "the script is misspelt", line: "script: |", into: "scirpt: |", says: `unknown field "scirpt"; did you mean "script"?`}, //nolint:misspell // on purpose
		{name: "a param has no value", line: "value: hello", into: "", says: `the param "message" has no value; add one`, up: 1},
		{name: "the timeout of a run has no such unit", line: "timeout: 10m", into: "timeout: 10x", says: `the string "10x" is not a duration; write a number with a unit`},
		{name: "the timeout of a run has no unit", line: "timeout: 10m", into: `timeout: "10"`, says: "is not a duration"},
		{name: "the timeout of a run is negative", line: "timeout: 10m", into: "timeout: -10m", says: "should be >= 0"},
		{name: "the timeout of a step is a word", line: "timeout: 1m", into: "timeout: soon", says: `the string "soon" is not a duration`},
		{name: "the timeout of a step is negative", line: "timeout: 1m", into: "timeout: -1m", says: "invalid value: -1m0s", up: 2},
		{name: "an image is a list", line: "image: busybox", into: "image: [busybox]", says: "must be a string, got a list"},
		{name: "an image is a number", line: "image: busybox", into: "image: 5", says: "must be a string, got the number 5; put it in quotes"},
		{name: "a list is a string", line: "image: busybox", into: "image: busybox\nargs: one", says: `must be a list, got the string "one"`, up: -1},
		{name: "a variable of no param", line: "echo $(params.message)", into: "echo $(params.mesage)", says: `there is no param for the variable $(params.mesage); did you mean "message"?`},
		{name: "a variable of no param, below", line: "echo $(params.message)", into: "echo one\necho two $(params.other)", says: "there is no param for the variable $(params.other)", up: -1},
		{name: "an array in a script", line: "echo $(params.message)", into: "echo one\necho $(params.list[*])", says: "$(params.list[*]) is a list or an object", up: -1},
		{name: "an unknown context variable", line: "echo $(params.message)", into: "echo $(context.taskRun.names)", says: "there is no variable $(context.taskRun.names)"},
		{name: "an array beside other text", line: "image: busybox", into: "image: busybox\nargs: [\"x$(params.list[*])\"]", says: "$(params.list[*]) is a list, but there is other text beside it", up: -1},
		{name: "a script and a command", line: "image: busybox", into: "image: busybox\ncommand: [echo]", says: "script cannot be used with command", up: -4},
		{name: "a step's name", line: "- name: say", into: "- name: Say_it", says: `invalid value "Say_it"`, only: "embedded"},
		{name: "an unknown onError", line: "onError: continue", into: "onError: ignore", says: `invalid value: "ignore"`},
		{name: "a param's name", line: "- name: list", into: `- name: "0list"`, says: "names is invalid: [0list]", up: 1},
		{name: "a param's type", line: "type: array", into: "type: text", says: "invalid value: text"},
		{name: "a default of another type", line: "default: [a, b]", into: "default: a", says: `"array" type does not match default value's type: "string"`, up: 1},
		{name: "a result's name", line: "- name: said", into: `- name: "-said"`, says: `invalid key name "-said"`},
		{name: "a result of a gated type", line: "- name: said", into: "- name: said\n  type: array", says: "results type needs the feature gate enable-api-fields=alpha, which is stable; give --feature-flag enable-api-fields=alpha", up: -1},
		{name: "a gated field of a run", line: "timeout: 10m", into: "debug: {breakpoint: [onFailure]}", says: "debug needs the feature gate enable-api-fields=alpha"},
		{name: "an unknown value of status", line: "timeout: 10m", into: "status: Stopped", says: "invalid value: Stopped should be TaskRunCancelled"},
		{name: "two sources of a workspace", line: "emptyDir: {}", into: "emptyDir: {}\nsecret: {secretName: s}", says: "expected exactly one, got both"},
		{name: "no source of a workspace", line: "emptyDir: {}", into: "", says: "expected exactly one, got neither", up: 1},
		{name: "a StepAction", line: "image: busybox", into: "ref: {name: some}", says: `the field "ref" is not supported: StepActions came with Tekton v0.54`},
		{name: "when of a step", line: "onError: continue", into: "when: []", says: `when expressions of a step came with Tekton v0.62`},
		{name: "results of a step", line: "onError: continue", into: "results: [{name: r}]", says: "results of a step came with Tekton v0.54"},
		{name: "params of a step", line: "onError: continue", into: "params: []", says: "came with Tekton v0.54"},
		{name: "the display name of a step", line: "onError: continue", into: "displayName: Say", says: "the display name of a step came with Tekton v1.6"},
		{name: "the enum of a param", line: "type: array", into: "enum: [a]", says: "the enum of a param came with Tekton v0.54"},
		{name: "the value of a result", line: "- name: said", into: "- name: said\n  value: $(steps.say.results.r)", says: "came with Tekton v0.54", up: -1},
		{name: "resources of a step in v1", line: "onError: continue", into: "resources: {}", says: `v1 has no field "resources" here; v1 calls it computeResources`, in: "v1"},
		{name: "computeResources of a step in v1beta1", line: "onError: continue", into: "computeResources: {}", says: "v1beta1 calls it resources", in: "v1beta1"},
		{name: "PipelineResources of a run in v1", line: "timeout: 10m", into: "resources: {inputs: []}", says: "PipelineResources, which v1 does not have", in: "v1"},
		{name: "overrides of a run in v1", line: "timeout: 10m", into: "stepOverrides: []", says: "v1 calls it stepSpecs", in: "v1"},
		{name: "a version that does not exist", line: "apiVersion: tekton.dev/VERSION", into: "apiVersion: tekton.dev/v2", says: "write apiVersion: tekton.dev/v1beta1 or tekton.dev/v1"},
		{name: "a kind of Tekton that is not simulated", line: "kind: TaskRun", into: "kind: PipelineResource", says: "PipelineResources are not simulated, and Tekton removed them in v0.46"},
		{name: "a kind that is misspelt", line: "kind: TaskRun", into: "kind: TaskRunn", says: `did you mean "TaskRun"?`},
		{name: "an invalid name", line: "metadata: {name: build}", into: "metadata: {name: Build}", says: "a lowercase RFC 1123 subdomain"},
		{name: "no name", line: "metadata: {name: build}", into: "metadata: {}", says: "the manifest has no metadata.name"},
		{name: "a key given twice", line: "timeout: 10m", into: "timeout: 10m\ntimeout: 5m", says: `"timeout" is given twice`, up: -1},
		{name: "a tab", line: "timeout: 10m", into: "\ttimeout: 10m", says: "YAML is not indented with tabs"},

		{name: "a param that is not given", line: "- name: message", into: "- name: missage", says: "missing values for these params which have no default values: [message]", exit: 1, only: "referring-given"},
		{name: "a workspace that is not bound", line: "- name: data", into: "- name: date", says: "failed: ", exit: 1, only: "given"},
		{name: "a Task that does not exist", line: "taskRef: {name: say}", into: "taskRef: {name: sya}", says: `did you mean "say"?`, exit: 1},
	}
}

// apply makes the mistake in a manifest, and says on which line; 0 means that the manifest does not have the line.
func (m mistake) apply(base string) (text string, line int) {
	lines := strings.Split(base, "\n")
	from := 0
	if strings.HasSuffix(m.only, "given") { // of the run, not of its Task
		from = strings.Count(base[:strings.Index(base, "kind: TaskRun")], "\n")
	}
	for i := from; i < len(lines); i++ {
		trimmed := strings.TrimLeft(lines[i], " ")
		if trimmed != m.line {
			continue
		}
		indent := lines[i][:len(lines[i])-len(trimmed)]
		var into []string
		if m.into != "" {
			for _, l := range strings.Split(m.into, "\n") {
				into = append(into, indent+l)
			}
		}
		return strings.Join(append(append(append([]string{}, lines[:i]...), into...), lines[i+1:]...), "\n"), i + 1 - m.up
	}
	return base, 0
}

// TestMistakesAreReportedWithTheirPosition makes every mistake in every manifest that can have it. Input that is refused
// exits with 3, a run that fails because of its manifest with 1; both say file, line and what to do.
func TestMistakesAreReportedWithTheirPosition(t *testing.T) {
	t.Parallel()
	place := regexp.MustCompile(`(?m)^[^\s:]*manifest\.yaml:(\d+):\d+: `)
	count := 0
	for _, version := range []string{"v1beta1", "v1"} {
		for _, base := range []struct{ name, text string }{{"embedded", embeddedRun}, {"referring", referringRun}} {
			for _, m := range mistakes() {
				text, line := m.apply(base.text)
				if line == 0 || m.in != "" && m.in != version || m.only != "" && !strings.HasPrefix(m.only, base.name) && m.only != "given" {
					continue
				}
				count++
				t.Run(fmt.Sprintf("%s/%s/%s", version, base.name, m.name), func(t *testing.T) {
					t.Parallel()
					text := strings.ReplaceAll(text, "VERSION", version)
					file := filepath.Join(t.TempDir(), "manifest.yaml")
					if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
					var out, errs bytes.Buffer
					code := command.Main(t.Context(), []string{"simulate", "-f", file, "-o", "name"}, command.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
					said := errs.String()
					want := 3
					if m.exit != 0 {
						want = m.exit
					}
					if code != want || !strings.Contains(said, m.says) {
						t.Errorf("exit code %d, want %d; it says\n%s\nwant %s\nof\n%s", code, want, said, m.says, text)
					}
					found := place.FindStringSubmatch(said)
					if found == nil || found[1] != fmt.Sprint(line) {
						t.Errorf("the place is line %v, want %d:\n%s\nof\n%s", found, line, said, text)
					}
					if strings.Contains(said, "printf x >") {
						t.Errorf("it prints the whole script:\n%s", said)
					}
				})
			}
		}
	}
	if count < 100 {
		t.Errorf("%d manifests with mistakes, want 100", count)
	}
}

// TestTooLargeObjectIsRefused gives objects that a file may hold, but that no cluster stores.
func TestTooLargeObjectIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ manifest, says string }{
		{"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: large}\ndata: {text: %s}\n", "configmap/large was refused: Too long: may not be more than 1048576 bytes"},
		{"apiVersion: tekton.dev/v1beta1\nkind: TaskRun\nmetadata: {name: large}\nspec: {taskSpec: {steps: [{image: busybox, script: %s}]}}\n",
			"taskrun/large was refused: etcdserver: request is too large; make it smaller"},
	} {
		file := filepath.Join(t.TempDir(), "large.yaml")
		if err := os.WriteFile(file, fmt.Appendf(nil, tt.manifest, strings.Repeat("a", 2<<20)), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		code := command.Main(t.Context(), []string{"simulate", "-f", file}, command.Streams{Out: &out, Err: &errs})
		want := filepath.ToSlash(file) + ":1:1: " + tt.says
		if code != 3 || !strings.HasPrefix(errs.String(), want) {
			t.Errorf("exit code %d, want 3; want %s; got %.300s", code, tt.says, errs.String())
		}
	}
}
