package command_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/cmd/plumbline/command"
)

// TestMistakesInPipelinesAreFound gives Pipelines, alone and embedded in a run, in both versions, that are wrong in one way. Each is
// refused with the place and the path of the field.
func TestMistakesInPipelinesAreFound(t *testing.T) {
	t.Parallel()
	const (
		ok  = `taskSpec: {steps: [{image: busybox, script: "true"}]}`
		one = `taskSpec: {params: [{name: x}], steps: [{image: busybox, script: "true"}]}`
	)
	for _, tt := range []struct {
		name string
		// lines of the spec.
		lines []string
		// at is the line of lines and the column in it, both from 1, and path the field below the Pipeline's spec.
		line, column int
		path, says   string
		// flags are those that make only this one mistake.
		flags []string
	}{
		{name: "a cycle", lines: []string{"tasks:", "- name: a", "  runAfter: [b]", "  " + ok, "- name: b", "  runAfter: [a]", "  " + ok},
			line: 3, column: 14, path: "tasks[0].runAfter[0]", says: `cycle detected; task "a" depends on "b"; remove one of the links`},
		{name: "a cycle of results", lines: []string{"tasks:", "- name: a", "  params: [{name: x, value: $(tasks.b.results.r)}]", "  " + one, "- name: b", "  runAfter: [a]", "  " + ok},
			line: 3, column: 29, path: "tasks[0].params[0].value", says: `cycle detected`},
		{name: "an unknown task in runAfter", lines: []string{"tasks:", "- name: build", "  " + ok, "- name: a", "  runAfter: [biuld]", "  " + ok},
			line: 5, column: 14, path: "tasks[1].runAfter[0]", says: `task a depends on biuld but biuld wasn't present in Pipeline; did you mean "build"?`},
		{name: "a result of an unknown task", lines: []string{"tasks:", "- name: a", "  params: [{name: x, value: $(tasks.other.results.r)}]", "  " + one},
			line: 3, column: 29, path: "tasks[0].params[0].value", says: `task a depends on other but other wasn't present in Pipeline; there is no such task`},
		{name: "a finally task that waits for another", lines: []string{"tasks:", "- name: a", "  " + ok, "finally:", "- name: f", "  " + ok, "- name: g", "  runAfter: [f]", "  " + ok},
			line: 7, column: 3, path: "finally[1]", says: "no runAfter allowed under spec.finally"},
		{name: "a finally task that needs another", lines: []string{"tasks:", "- name: a", "  " + ok, "finally:", "- name: f", "  " + ok, "- name: g", "  params: [{name: x, value: $(tasks.f.results.r)}]", "  " + one},
			line: 8, column: 29, path: "finally[1].params[x].value", says: "final task has task result reference from a final task f"},
		{name: "two tasks of one name", lines: []string{"tasks:", "- name: a", "  " + ok, "- name: a", "  " + ok},
			line: 4, column: 9, path: "tasks[1].name", says: "another task of the Pipeline has this name; rename one of them"},
		{name: "a finally task with the name of a task", lines: []string{"tasks:", "- name: a", "  " + ok, "finally:", "- name: a", "  " + ok},
			line: 5, column: 9, path: "finally[0].name", says: "another task of the Pipeline has this name"},
		{name: "an unknown operator", lines: []string{"tasks:", "- name: a", "  when:", "  - input: x", "    operator: equals", "    values: [x]", "  " + ok},
			line: 4, column: 5, path: "tasks[0].when[0]", says: `operator "equals" is not recognized. valid operators: in,notin; write in or notin`}, //nolint:misspell // the words are the reference's
		{name: "a matrix over the limit", flags: []string{"--like", "v1", "--default", "default-max-matrix-combinations-count=2"},
			lines: []string{"tasks:", "- name: a", "  matrix:", "    params: [{name: x, value: [a, b, c]}]", "  " + one},
			line:  4, column: 5, path: "tasks[0].matrix", says: "expected 0 <= 3 <= 2; give fewer values, or more room by the key default-max-matrix-combinations-count"},
		{name: "a misspelt param", lines: []string{"params: [{name: version, default: x}]", "tasks:", "- name: a", "  params: [{name: x, value: $(params.versoin)}]", "  " + one},
			line: 4, column: 29, path: "tasks[0].params[x]", says: `there is no param for the variable $(params.versoin); did you mean "version"?`},
		{name: "an unknown variable", lines: []string{"tasks:", "- name: a", "  params: [{name: x, value: $(context.pipelineRun.nme)}]", "  " + one},
			line: 3, column: 29, path: "tasks[0].params[0].value", says: "there is no variable $(context.pipelineRun.nme); use $(context.pipelineRun.name)"},
		{name: "an unknown workspace", lines: []string{"workspaces: [{name: shared, optional: true}]", "tasks:", "- name: a", "  workspaces: [{name: w, workspace: shraed}]", "  " + ok},
			line: 4, column: 16, path: "tasks[0].workspaces[0]", says: `pipeline task "a" expects workspace with name "shraed" but none exists`},
		{name: "a Task twice", lines: []string{"tasks:", "- name: a", "  taskRef: {name: a}", "  " + ok},
			line: 3, column: 12, path: "tasks[0].taskRef", says: "expected exactly one, got both"},
		{name: "no Task", lines: []string{"tasks:", "- name: a"}, line: 2, column: 3, path: "tasks[0].taskRef", says: "expected exactly one, got neither"},
		{name: "a step twice", lines: []string{"tasks:", "- name: a", "  taskSpec:", "    steps:", "    - {name: s, image: busybox}", "    - {name: s, image: busybox}"},
			line: 6, column: 14, path: "tasks[0].taskSpec.steps[1].name", says: "invalid value: s"},
		{name: "a result of nothing", lines: []string{"results: [{name: r, value: $(tasks.missing.results.x)}]", "tasks:", "- name: a", "  " + ok},
			line: 1, column: 28, path: "results[0].value", says: "referencing a nonexistent task"},
		{name: "a param without a value", lines: []string{"tasks:", "- name: a", "  params: [{name: x}]", "  " + one},
			line: 3, column: 12, path: "tasks[0].params[0]", says: `the param "x" has no value`},
	} {
		for _, version := range []string{"v1beta1", "v1"} {
			for _, form := range []struct{ kind, indent, path string }{{"Pipeline", "  ", "spec."}, {"PipelineRun", "    ", "spec.pipelineSpec."}} {
				t.Run(tt.name+"/"+version+"/"+form.kind, func(t *testing.T) {
					t.Parallel()
					text := "apiVersion: tekton.dev/" + version + "\nkind: " + form.kind + "\nmetadata: {name: wrong}\nspec:\n"
					if form.kind == "PipelineRun" {
						text += "  pipelineSpec:\n"
					}
					before := strings.Count(text, "\n")
					for _, line := range tt.lines {
						text += form.indent + line + "\n"
					}
					var out, errs bytes.Buffer
					code := command.Main(t.Context(), append([]string{"simulate", "-f", "-"}, tt.flags...), command.Streams{In: strings.NewReader(text), Out: &out, Err: &errs})
					said := errs.String()
					want := strings.ToLower(form.kind) + "/wrong was refused: "
					if code != 3 || !strings.Contains(said, tt.says) || !strings.Contains(said, want) || strings.Count(said, "\n") != 1 {
						t.Errorf("exit code %d, it says\n%swant %s\nof\n%s", code, said, tt.says, text)
					}
					if prefix := fmt.Sprintf(":%d:%d: %s%s: ", before+tt.line, len(form.indent)+tt.column, form.path, tt.path); !strings.Contains(said, prefix) {
						t.Errorf("want %s in\n%s\nof\n%s", prefix, said, text)
					}
				})
			}
		}
	}
}
