package interplay

import (
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/fixtures"
)

func TestTableNamesFixturesThatExist(t *testing.T) {
	t.Parallel()
	suite, err := fixture.LoadFS(fixtures.FS, "fixtures")
	if err != nil {
		t.Fatal(err)
	}
	exists := func(name string) bool {
		for _, f := range suite {
			if f.Called(name) {
				return true
			}
		}
		return false
	}
	for _, of := range []func() (*Table, error){Embedded, Pipelines} {
		table, err := of()
		if err != nil {
			t.Fatal(err)
		}
		if unknown := table.Unknown(exists); len(unknown) > 0 {
			t.Errorf("the table names fixtures that do not exist: %s", strings.Join(unknown, ", "))
		}
	}
	if !exists("single-step-succeeds") || exists("nothing-of-the-kind") {
		t.Error("the test takes any name for a fixture's, or none")
	}
}

func TestTableHasNoEmptyCell(t *testing.T) {
	t.Parallel()
	const features = "features: [{id: a, is: a}, {id: b, is: b}, {id: c, is: c}]\npairs:\n"
	for _, tt := range []struct{ reason, pairs, want string }{
		{"a pair is missing", "- {of: a, with: [b, c], why: W.}\n", "b with c is missing"},
		{"a pair is there twice", "- {of: a, with: [b, c], why: W.}\n- {of: b, with: [c, a], why: W.}\n", "b with a is there twice"},
		{"a pair has neither", "- {of: a, with: [b]}\n", "a with b: name fixtures, or say why"},
		{"a pair has both", "- {of: a, with: [b], why: W., fixtures: [f]}\n", "a with b: name fixtures, or say why"},
		{"a feature does not exist", "- {of: a, with: [d], why: W.}\n", "a with d: name two features"},
		{"a feature meets itself", "- {of: a, with: [a], why: W.}\n", "a with a: name two features"},
		{"a field does not exist", "- {of: a, with: [b], because: W.}\n", "because"},
		{"nothing is wrong", "- {of: a, with: [b, c], why: W.}\n- {of: b, with: [c], fixtures: [f]}\n", ""},
	} {
		got := ""
		if _, err := read("a.yaml", []byte(features+tt.pairs)); err != nil {
			got = err.Error()
		}
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.reason, got, tt.want)
		}
	}
}
