package substitution

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Whatever the texts, variables are replaced once, in a copy; a text without any stays as it is, and so does a value that
// looks like a variable.
func FuzzApply(f *testing.F) {
	for _, text := range []string{
		"$(params.p)", "$(inputs.params.p)", "$(params[\"p\"]) $(params['p'])", "$(params.list[*])", "$(params.list[1])", "$(params.o.k)", "$$(params.p)",
		"$(workspaces.w.path)", "$(results.r.path)", "$(steps.step-s.exitCode.path)", "$(context.taskRun.name)", "$(", "$()", "$(params.)", "$(params.list[99999999999999999999])", "\xff$(params.p)",
	} {
		f.Add(text, "value $(params.p)")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		spec := &v1beta1.TaskSpec{
			Params:     []v1beta1.ParamSpec{{Name: "p", Type: v1beta1.ParamTypeString}, {Name: "list", Type: v1beta1.ParamTypeArray}, {Name: "o", Type: v1beta1.ParamTypeObject}},
			Results:    []v1beta1.TaskResult{{Name: "r"}},
			Workspaces: []v1beta1.WorkspaceDeclaration{{Name: "w"}},
			Steps:      []v1beta1.Step{{Name: "s", Image: "busybox", Script: text, Args: []string{text}, Env: []corev1.EnvVar{{Name: "E", Value: text}}}},
		}
		in := Input{Variables: []Replacements{Params(spec.Params, []v1beta1.Param{
			{Name: "p", Value: v1beta1.StringValue(value)},
			{Name: "list", Value: v1beta1.ArrayValue(value, "b")},
			{Name: "o", Value: v1beta1.ObjectValue(map[string]string{"k": value})},
		}, true)}}
		before := spec.DeepCopy()
		got := Apply(spec, in)
		if diff := cmp.Diff(before, spec); diff != "" {
			t.Fatalf("the Task that was given is changed (-before +after):\n%s", diff)
		}
		if !strings.Contains(text, "$(") && !cmp.Equal(got, spec) {
			t.Fatalf("without a variable something changes: %s", cmp.Diff(spec, got))
		}
		if text == "$(params.p)" && !strings.Contains(value, "$(") && got.Steps[0].Script != value {
			t.Fatalf("%q becomes %q", value, got.Steps[0].Script)
		}
		if again := Apply(spec, in); !cmp.Equal(got, again) {
			t.Fatalf("the second time it is another: %s", cmp.Diff(got, again))
		}
	})
}
