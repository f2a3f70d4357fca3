package advice_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/cmd/plumbline/advice"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/reports"
)

// ended is a run of an embedded Task that has ended. Its manifest has the Task as it is given.
func ended(t *testing.T, task, status, params string) advice.Run {
	t.Helper()
	const indent = "\n    "
	manifest := "apiVersion: tekton.dev/v1beta1\nkind: TaskRun\nmetadata: {name: r}\nspec:\n  taskSpec:" + indent + strings.ReplaceAll(strings.TrimSpace(task), "\n", indent)
	if params != "" {
		manifest += "\n  params: " + params
	}
	f, err := fixture.LoadAny("r.yaml", []byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	var object, spec, more map[string]any
	for text, into := range map[string]*map[string]any{manifest: &object, task: &spec, status: &more} {
		if err := yaml.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	all := map[string]any{"podName": "r-pod", "taskSpec": spec, "conditions": []any{map[string]any{"type": "Succeeded", "status": "True"}}}
	for k, v := range more {
		all[k] = v
	}
	object["status"] = all
	return advice.Run{Object: object, Manifest: f.Manifests[0]}
}

func TestNotesAboutARun(t *testing.T) {
	t.Parallel()
	rows := []struct {
		reason               string
		task, status, params string
		want                 []string
	}{
		{reason: "a result is written", task: "results: [{name: a}]", status: `taskResults: [{name: a, value: "x"}]`},
		{reason: "an empty result is written", task: "results: [{name: a}]", status: `taskResults: [{name: a, value: ""}]`},
		{reason: "a failed run writes what it can", task: "results: [{name: a}]", status: `conditions: [{type: Succeeded, status: "False"}]`},
		{
			reason: "a line break inside a result is its author's", task: "results: [{name: a}]", status: `taskResults: [{name: a, value: "x\ny"}]`,
		},
		{
			reason: "the line break of Windows is one", task: "results: [{name: a}]", status: `taskResults: [{name: a, value: "x\r\n"}]`,
			want: []string{`r.yaml:6:15: r: the result "a" ends with a line break, which is part of its value; printf, echo -n or tr -d '\n' write it without`},
		},
		{
			reason: "a result that is nearly declared", task: "results: [{name: digest}]\nsteps: [{name: s, script: 'echo $(results.digets.path)'}]",
			status: `taskResults: [{name: digest, value: x}]`,
			want:   []string{`r.yaml:7:31: step s of r: $(results.digets.path) in the script is not replaced: the Task does not declare a result "digets"; did you mean "digest"?; the shell runs it as a command`},
		},
		{
			reason: "the folder of results is not a result", task: "steps: [{script: 'ls /tekton/results /tekton/results/'}]",
		},
		{
			reason: "params that an embedded Task uses", task: "steps: [{name: s, image: '$(params.image)', args: ['$(params[\"tag\"])']}]",
			status: "taskSpec: {steps: [{name: s, image: x, args: [y]}]}", params: "[{name: image, value: x}, {name: tag, value: y}]",
		},
		{
			reason: "params that nothing uses", task: "params: [{name: url, default: x}]", params: "[{name: ulr, value: x}, {name: other, value: y}]",
			want: []string{`r.yaml:7:12: r: nothing uses the param "ulr"; did you mean "url"?`, `r.yaml:7:35: r: nothing uses the param "other"; the Task has no such param`},
		},
		{
			reason: "variables of Kubernetes and of shells", task: "steps: [{args: ['$(HOME) ${HOME} $(date) $((1+1)) ${params}', '{{.Names}} {{ json .State }}'], script: 'x=${context}; echo ${results[0]} {{ .Values.x }}'}]",
		},
		{
			reason: "of a Pod that never was, nothing is replaced", task: "steps: [{args: ['$(params.x)']}]", status: "podName: ''",
		},
		{
			reason: "each kind of variable says what it has", task: "workspaces: [{name: src}]\nparams: [{name: p}]\nsteps: [{name: s, args: ['$(workspaces.scr.path)', '$(workspaces.src.pth)', '$(steps.a.results.x)', '$(tasks.a.results.b)', '$(params.p.q)']}]",
			want: []string{
				`r.yaml:8:30: step s of r: $(workspaces.scr.path) is not replaced: the Task does not declare a workspace "scr"; did you mean "src"?`,
				`r.yaml:8:56: step s of r: $(workspaces.src.pth) is not replaced: a workspace has the variables path, bound, claim and volume`,
				`r.yaml:8:81: step s of r: $(steps.a.results.x) is not replaced: a step has only the variable $(steps.step-NAME.exitCode.path)`,
				`r.yaml:8:105: step s of r: $(tasks.a.results.b) is not replaced: it is a variable of Pipelines, not of Tasks`,
				`r.yaml:8:129: step s of r: $(params.p.q) is not replaced: this field does not support variables`,
			},
		},
		{
			reason: "texts for people", task: "description: see $(params.x)\nresults: [{name: a, description: '$(params.x)'}]", status: "taskResults: [{name: a, value: x}]",
		},
		{
			reason: "templates of JavaScript are not variables", task: "params: [{name: url}]\nsteps: [{name: s, script: \"#!/usr/bin/env node\\nconsole.log(`${params.url}`)\"}]",
		},
		{
			reason: "line ends of Windows, with and without a first line", task: `steps: [{name: a, script: "echo a\r\necho b"}, {name: b, script: "#!/bin/bash -e\r\necho"}, {name: c, script: "printf 'a\rb'"}]`,
			want: []string{
				"r.yaml:6:31: step a of r: the script has Windows line endings (CR LF), so the carriage return is part of each command; save it with LF",
				`r.yaml:6:70: step b of r: the script has Windows line endings (CR LF), so the interpreter gets the argument "-e\r"; save it with LF`,
			},
		},
	}
	for _, r := range rows {
		t.Run(r.reason, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, n := range advice.About(ended(t, r.task, r.status, r.params)) {
				got = append(got, n.String())
			}
			if d := cmp.Diff(r.want, got); d != "" {
				t.Errorf("notes (-want +got):\n%s", d)
			}
		})
	}
}

func TestScriptsInLogs(t *testing.T) {
	t.Parallel()
	const own = "steps:\n- name: s\n  script: |\n    true\n    nosuch\n- name: t\n  script: |\n    #!/bin/bash\n    nosuch\n"
	rows := []struct {
		reason, log string
		missing     []string
		failed      bool
		want        []string
	}{
		{reason: "the lines that are put before a script do not count", log: "/tekton/scripts/script-0-ab1: line 4: nosuch: not found\n", want: []string{"r.yaml:10:1: step s of r: line 4 of /tekton/scripts/script-0-ab1 in the log is: nosuch"}},
		{reason: "dash says it in another way", log: "/tekton/scripts/script-0-ab1: 4: nosuch: not found\n", want: []string{"r.yaml:10:1: step s of r: line 4 of /tekton/scripts/script-0-ab1 in the log is: nosuch"}},
		{reason: "a line that the script does not have", log: "/tekton/scripts/script-0-ab1: line 1: set\n"},
		{reason: "the end of the script", log: "/tekton/scripts/script-0-ab1: line 5: syntax error: unexpected end of file\n"},
		{reason: "the file alone, of a step that succeeded", log: "I am /tekton/scripts/script-0-ab1\n"},
		{reason: "the file alone, of a step that failed", log: "fork/exec /tekton/scripts/script-0-ab1: no\n", failed: true, want: []string{"r.yaml:8:15: step s of r: /tekton/scripts/script-0-ab1 in the log is a copy of this script"}},
		{
			reason: "a missing command is reported once", log: "/tekton/scripts/script-0-ab1: line 4: nosuch: not found\n", missing: []string{"nosuch"},
			want: []string{"r.yaml:10:1: step s of r: nosuch is not in the image x (line 4 of /tekton/scripts/script-0-ab1 in the log)"},
		},
	}
	for _, r := range rows {
		t.Run(r.reason, func(t *testing.T) {
			t.Parallel()
			status := ""
			if r.failed {
				status = "steps: [{name: s, terminated: {exitCode: 1}}]"
			}
			run := ended(t, own, status, "")
			run.Logs = []advice.Log{{Container: "prepare", Text: []byte("/tekton/scripts/script-0-ab1: line 4: x")}, {Container: "step-s", Text: []byte(r.log)}}
			if r.missing != nil {
				run.Missing = []reports.MissingCommand{{Container: "step-s", Image: "x", Command: r.missing}}
			}
			var got []string
			for _, n := range advice.About(run) {
				got = append(got, n.String())
			}
			if d := cmp.Diff(r.want, got); d != "" {
				t.Errorf("notes (-want +got):\n%s", d)
			}
		})
	}
}

func TestBlockage(t *testing.T) {
	t.Parallel()
	rows := []struct{ reason, pod, want string }{
		{"scheduled and waiting for its turn", `status: {conditions: [{type: PodScheduled, status: "True"}], containerStatuses: [{name: a, state: {waiting: {reason: ContainerCreating}}}]}`, ""},
		{"not scheduled", `status: {conditions: [{type: PodScheduled, status: "False", message: "0/1 nodes "}]}`, "the Pod could not be scheduled: 0/1 nodes"},
		{"not pulled, in an init container", `status: {initContainerStatuses: [{name: i, state: {waiting: {reason: ErrImagePull, message: gone}}}]}`, "i waited: ErrImagePull: gone"},
		{"without a message", `status: {containerStatuses: [{name: a, state: {waiting: {reason: CrashLoopBackOff}}}]}`, "a waited: CrashLoopBackOff"},
	}
	for _, r := range rows {
		var pod map[string]any
		if err := yaml.Unmarshal([]byte(r.pod), &pod); err != nil {
			t.Fatal(err)
		}
		blocked, ok := advice.Blockage(pod)
		got := ""
		if ok {
			got = blocked.String()
		}
		if got != r.want {
			t.Errorf("%s: %q, want %q", r.reason, got, r.want)
		}
	}
}
