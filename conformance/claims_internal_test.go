package conformance

import (
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/verdict"
	"github.com/plumbline-ci/plumbline/fixtures"
)

// TestClaimsReachTheVerdict: the claims that verdicts are reached by have every field of those that a caller gives.
func TestClaimsReachTheVerdict(t *testing.T) {
	t.Parallel()
	given := Claims{
		Profiles: []string{"p"}, Features: []string{"f"}, Lacks: []string{"l"}, Served: map[string][]string{"taskruns": {"v1"}}, Reference: true,
		Exclusions: []Exclusion{{Fixture: "x", Statement: "s", By: "b", Why: "w"}}, Misses: []Miss{{Statement: "s", Fixtures: []string{"x"}, Why: "w"}},
	}
	want := verdict.Claims{
		Profiles: []string{"p"}, Features: []string{"f"}, Lacks: []string{"l"}, Served: map[string][]string{"taskruns": {"v1"}}, Reference: true,
		Exclusions: []verdict.Exclusion{{Fixture: "x", Statement: "s", By: "b", Why: "w"}}, Misses: []verdict.Miss{{Statement: "s", Fixtures: []string{"x"}, Why: "w"}},
	}
	if diff := cmp.Diff(want, given.plan()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, v := range []reflect.Value{reflect.ValueOf(given), reflect.ValueOf(given.plan())} {
		for i := range v.NumField() {
			if v.Type().Field(i).Name == "CustomTask" {
				continue // the fixtures have its values before verdicts are reached
			}
			if v.Field(i).IsZero() {
				t.Errorf("%s.%s is not part of this test", v.Type(), v.Type().Field(i).Name)
			}
		}
	}
}

// The name of a file with a matrix stands for all of its cases, in a selection, an exclusion and a list of misses.
func TestFileStandsForItsCases(t *testing.T) {
	t.Parallel()
	const text = `apiVersion: plumbline.dev/v1alpha1
kind: Fixture
metadata: {name: many}
spec:
  requirement: R.
  profile: example.com/p
  matrix: {one: {word: a}, two-b: {word: b}}
  then:
  - eventually: {on: taskrun/x, match: {status: {podName: $<word>}}}
---
apiVersion: tekton.dev/v1beta1
kind: TaskRun
metadata: {name: x}
`
	list, err := fixture.LoadCases("m.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		want []bool
	}{
		{"many", []bool{true, true}},
		{"many[two-b]", []bool{false, true}},
		{"many*", []bool{true, true}},
		{"man", []bool{false, false}},
		{"many[three]", []bool{false, false}},
	} {
		for i, f := range list {
			selected := Filter{Names: []string{tt.name}}.Selects(f)
			excluded := verdict.Exclusion{Fixture: tt.name, By: "b", Why: "w"}.Of(f)
			missed := verdict.Miss{Fixtures: []string{tt.name}}.Of(f)
			pattern := tt.name == "many*" // a selection alone has patterns
			if selected != tt.want[i] || excluded != (tt.want[i] && !pattern) || missed != (tt.want[i] && !pattern) {
				t.Errorf("%s and %s: selected %v, excluded %v, missed %v", tt.name, f.Name(), selected, excluded, missed)
			}
		}
	}
}

// A brief selection has one case of each file that the rest of the filter selects, whatever other files there are, and not the
// same place of every matrix.
func TestBriefHasOneCaseOfEachFile(t *testing.T) {
	t.Parallel()
	list, err := fixture.LoadFS(fixtures.FS, "fixtures")
	if err != nil {
		t.Fatal(err)
	}
	for _, filter := range []Filter{{}, {Levels: []string{fixture.Required}}, {Features: []string{"v1"}}, {Names: []string{"timeouts-that-follow"}}} {
		all := filter.Select(list)
		filter.Brief = true
		brief := filter.Select(list)
		chosen, places := map[string]int{}, map[int]bool{}
		at := map[string]int{}
		for _, f := range brief {
			chosen[f.File]++
			if !slices.Contains(all, f) {
				t.Errorf("%s: %s is not selected without it", filter, f.Name())
			}
		}
		for _, f := range all {
			if slices.Contains(brief, f) && f.Case != "" {
				places[at[f.File]] = true
			}
			at[f.File]++
		}
		for _, f := range all {
			if n := chosen[f.File]; n > 1 || n == 0 && len(f.Spec.Config) == 0 {
				t.Errorf("%s: %d cases of %s, want 1", filter, n, f.File)
			}
		}
		shared := map[string]int{}
		for _, f := range brief {
			shared[configKey(f)]++
		}
		for key, n := range shared {
			if n < fewConfigured && key != "null" {
				t.Errorf("%s: only %d fixtures with %s", filter, n, key)
			}
		}
		if len(brief) > 1 && (len(brief) >= len(all) || len(places) < 3) {
			t.Errorf("%s: %d of %d cases, of the places %v alone", filter, len(brief), len(all), places)
		}
	}
	if got, want := (Filter{Brief: true, Levels: []string{fixture.Required}}).String(), "level=required,brief"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
