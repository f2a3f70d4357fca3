package remote

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// TestName holds the names against one that the reference made.
func TestName(t *testing.T) {
	t.Parallel()
	if got, want := Name("git", "default", "my-run", ""), "git-b2142118f29889f1654a9b45c6435ce1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	names := map[string]bool{}
	for _, name := range []string{
		Name("git", "default", "my-run", ""), Name("hub", "default", "my-run", ""), Name("git", "other", "my-run", ""), Name("git", "default", "other", ""), Name("git", "default", "my-run", "uid"),
	} {
		names[name] = true
	}
	if len(names) != 5 {
		t.Errorf("two of the five are the same: %v", names)
	}
}

const head = "apiVersion: tekton.dev/v1beta1\nkind: Task\nmetadata: {name: t}\n"

func TestTask(t *testing.T) {
	t.Parallel()
	const steps = "spec: {params: [{name: p, default: [a]}], steps: [{image: i}]}\n"
	for _, row := range []struct{ reason, text, refusal string }{
		{"a Task", head + steps, ""},
		{"JSON", `{"apiVersion":"tekton.dev/v1beta1","kind":"Task","metadata":{"name":"t"},"spec":{"params":[{"name":"p","default":["a"]}],"steps":[{"image":"i"}]}}`, ""},
		{"a ClusterTask", strings.Replace(head, "Task", "ClusterTask", 1) + steps, ""},
		{"of v1", strings.Replace(head, "v1beta1", "v1", 1) + steps, ""},
		{"marks around it, and comments", "# c\n---\n" + head + steps + "---\n# c\n", ""},
		{"fields that this release does not know", head + steps + "other: 1\n", ""},
		{"two", head + steps + "---\n" + head + steps, "the text has 2 objects, want one"},
		{"two, the second on the line of its mark", head + steps + "--- {apiVersion: tekton.dev/v1beta1, kind: Task}\n", "the text has 2 objects, want one"},
		{"nothing", "", "Object 'Kind' is missing in ''"},
		{"no kind", "a: b\n", "Object 'Kind' is missing in 'a: b\n'"},
		{"a kind of another API", "apiVersion: v1\nkind: Pod\n", `no kind "Pod" is registered for version "v1"`},
		{"a Pipeline", "apiVersion: tekton.dev/v1beta1\nkind: Pipeline\n", "failed to convert obj tekton.dev/v1beta1, Kind=Pipeline into Task"},
		{"no steps", head, `the Task "t" that was fetched is invalid: missing field(s): steps`},
		{"aliases that multiply", head + bomb(), "document contains excessive aliasing"},
	} {
		task, err := read(base64.StdEncoding.EncodeToString([]byte(row.text)))
		switch {
		case row.refusal == "" && err != nil:
			t.Errorf("%s: %v", row.reason, err)
		case row.refusal == "":
			if got := task.Spec.Params[0].Type; task.Name != "t" || got != v1beta1.ParamTypeArray {
				t.Errorf("%s: the Task is %s, the param's type %q", row.reason, task.Name, got)
			}
		case err == nil || !strings.Contains(err.Error(), row.refusal):
			t.Errorf("%s: %v, want %s", row.reason, err, row.refusal)
		}
	}
}

func read(text string) (*v1beta1.Task, error) {
	o, err := Answer{Text: text}.Object()
	if err != nil {
		return nil, err
	}
	return Task(o, config.Default())
}

// bomb is a small text that stands for a large one.
func bomb() string {
	var b strings.Builder
	b.WriteString("spec:\n  description: x\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 9 {
		refs := strings.TrimSuffix(strings.Repeat("*a"+string(rune('0'+i))+", ", 10), ", ")
		b.WriteString("  a" + string(rune('1'+i)) + ": &a" + string(rune('1'+i)) + " [" + refs + "]\n")
	}
	return b.String()
}

func TestTextThatIsNotBase64(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"!", "Zm9", "Zm9vYh=="} {
		_, err := Answer{Text: text}.Object()
		var no *RequestError
		if !errors.As(err, &no) || !strings.HasPrefix(err.Error(), "error accessing data from remote resource: error decoding data from base64: ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestPipeline(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ text, refusal string }{
		{"apiVersion: tekton.dev/v1beta1\nkind: Pipeline\nmetadata: {name: p}\nspec: {tasks: [{name: a, taskRef: {name: t}}]}\n", ""},
		{"apiVersion: tekton.dev/v1\nkind: Pipeline\nmetadata: {name: p}\nspec: {tasks: [{name: a, taskRef: {name: t}}]}\n", ""},
		{head, "failed to convert obj tekton.dev/v1beta1, Kind=Task into Pipeline"},
	} {
		o, err := Decode([]byte(row.text))
		if err != nil {
			t.Fatal(err)
		}
		p, err := Pipeline(o)
		switch {
		case row.refusal != "" && (err == nil || err.Error() != row.refusal):
			t.Errorf("%v, want %s", err, row.refusal)
		case row.refusal == "" && (err != nil || p.Spec.Tasks[0].TaskRef.Kind != v1beta1.NamespacedTaskKind):
			t.Errorf("the Pipeline is %+v: %v", p, err)
		}
	}
	if _, err := Pipeline(runtime.Object(nil)); err == nil {
		t.Error("nothing is a Pipeline")
	}
}
