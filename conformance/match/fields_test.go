package match_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/conformance/match"
)

func TestFieldsOfAnExpression(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		reason, cel, want string
	}{
		{"a path, and what leads to it", "self.status.podName == 'x'", "self.status.podName self.status"},
		{"has asks for its field, too", "has(self.status.retriesStatus)", "self.status.retriesStatus self.status"},
		{"what is looked through", "self.status.taskResults.exists(r, r.value == 'x')", "self.status.taskResults self.status"},
		{"indices are left out", "self.status.steps[0].terminated.exitCode == 1", "self.status.steps.terminated.exitCode self.status.steps.terminated self.status.steps self.status.steps self.status"},
		{"a field as a key", "self.metadata.labels['a/b'] == 'c'", "self.metadata.labels.a/b self.metadata.labels self.metadata"},
		{"another object", `objects["taskrun/right"].status.podName == ""`, "taskrun/right.status.podName taskrun/right.status"},
		{"optional fields", `self.?status.?sidecars.orValue([]) == []`, "self.status.sidecars self.status"},
	} {
		e, err := match.Compile(row.cel)
		if err != nil {
			t.Fatalf("%s: %v", row.reason, err)
		}
		var got []string
		for _, f := range e.Fields() {
			object := f.Object
			if object == "" {
				object = "self"
			}
			got = append(got, object+"."+strings.Join(f.Path, "."))
		}
		if diff := cmp.Diff(row.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.reason, diff)
		}
	}
}
