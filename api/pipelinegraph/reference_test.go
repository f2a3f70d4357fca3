package pipelinegraph_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/api/pipelinegraph"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

func TestParse(t *testing.T) {
	t.Parallel()
	type ref = pipelinegraph.Reference
	for _, row := range []struct {
		text string
		want *ref
	}{
		{"tasks.a-task.results.a_result", &ref{Task: "a-task", Result: "a_result"}},
		{"finally.f.results.r", &ref{Task: "f", Result: "r", Finally: true}},
		{"tasks.a.results.r[*]", &ref{Task: "a", Result: "r", Whole: true}},
		{"tasks.a.results.r[0]", &ref{Task: "a", Result: "r", HasIndex: true}},
		{"tasks.a.results.r[12]", &ref{Task: "a", Result: "r", Index: 12, HasIndex: true}},
		{"tasks.a.results.r.key", &ref{Task: "a", Result: "r", Property: "key"}},
		{"tasks.a.results.r.key.more", nil},
		{"tasks.a.results.r.key[0]", nil},
		{"tasks.a.results.r.", nil},
		{"tasks.a.results.r[99999999999999999999]", nil},
		{"tasks.a.results.r[-1]", nil},
		{"tasks.a.results.r[i]", nil},
		{"tasks.a.status", nil},
		{"tasks.status", nil},
		{"tasks.a.results", nil},
		{"tasks.a.outputs.r", nil},
		{"params.a.results.r", nil},
		{"tasks.a.results.r) $(tasks.b.results.r", nil},
		{"", nil},
	} {
		t.Run(row.text, func(t *testing.T) {
			t.Parallel()
			got, ok := pipelinegraph.Parse(row.text)
			if ok != (row.want != nil) {
				t.Fatalf("is a reference = %v", ok)
			}
			if !ok {
				return
			}
			row.want.Text = row.text
			if diff := cmp.Diff(*row.want, got); diff != "" {
				t.Errorf("reference (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReferencesOf(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		reason string
		value  v1beta1.ParamValue
		want   []string
	}{
		{"none", v1beta1.StringValue("$(params.x) $(date) $tasks.a.results.r"), nil},
		{"several in a string, as often as they are there", v1beta1.StringValue("$(tasks.a.results.r)$(tasks.a.results.r), $(tasks.b.results.r)"), []string{"tasks.a.results.r", "tasks.a.results.r", "tasks.b.results.r"}},
		{"in each element", v1beta1.ArrayValue("$(tasks.b.results.r)", "x", "$(tasks.a.results.r[1])"), []string{"tasks.b.results.r", "tasks.a.results.r[1]"}},
		{"in the order of keys", v1beta1.ObjectValue(map[string]string{"z": "$(tasks.a.results.r)", "a": "$(tasks.b.results.r)"}), []string{"tasks.b.results.r", "tasks.a.results.r"}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, r := range pipelinegraph.ReferencesOf(row.value) {
				got = append(got, r.Text)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("references (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzParse: whatever is a reference is found again where it stands in a text.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"tasks.a.results.r", "tasks.a.results.r[*]", "tasks.a.results.r[0]", "tasks.a.results.r.k", "finally.a.results.r", "tasks.a.status", "$(", "[*]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, ok := pipelinegraph.Parse(text)
		found := pipelinegraph.ReferencesIn("x $(" + text + ") y")
		if !ok {
			return
		}
		if !slices.Contains(found, r) {
			t.Errorf("%q is a reference, but in a text there are %v", text, found)
		}
		if strings.Contains(r.Task, ".") || r.Whole && r.HasIndex || r.Property != "" && (r.Whole || r.HasIndex) {
			t.Errorf("%q is %+v", text, r)
		}
	})
}
