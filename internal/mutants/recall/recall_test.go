package recall

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/internal/mutants/operators"
)

func TestExcuses(t *testing.T) {
	t.Parallel()
	all, err := Excuses()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if e.Verdict == Unspecified && !strings.ContainsAny(e.Reason, "0123456789") {
			t.Errorf("%s, %s is unspecified, but %q cites nothing", e.File, e.Function, e.Reason)
		}
	}
	m := operators.Mutation{File: "a/b.go", Function: "f", Operator: "drop statement", Before: "x = 1"}
	for _, tt := range []struct {
		excuse Excuse
		want   bool
	}{
		{Excuse{File: "a/b.go", Function: "f"}, true},
		{Excuse{File: "a/b.go", Function: "*"}, true},
		{Excuse{File: "a/b.go", Function: "g"}, false},
		{Excuse{File: "a/c.go", Function: "f"}, false},
		{Excuse{File: "a/b.go", Function: "f", Operator: "flip bool"}, false},
		{Excuse{File: "a/b.go", Function: "f", Operator: "drop statement", Before: "x = 1"}, true},
		{Excuse{File: "a/b.go", Function: "f", Operator: "drop statement", Before: "x = 2"}, false},
	} {
		if got := tt.excuse.of(m); got != tt.want {
			t.Errorf("%+v is about the change: %v, want %v", tt.excuse, got, tt.want)
		}
	}
}

func TestVerdictsHearExcuses(t *testing.T) {
	t.Parallel()
	m := operators.Mutation{File: "a/b.go", Function: "f", Operator: "drop statement", Before: "x = 1"}
	whole := Excuse{File: "a/b.go", Function: "f", Verdict: Unspecified}
	exact := Excuse{File: "a/b.go", Function: "f", Operator: "drop statement", Before: "x = 1", Verdict: Equivalent}
	for _, tt := range []struct {
		verdict Verdict
		excuses []Excuse
		want    Verdict
	}{
		{Survived, nil, Survived},
		{Survived, []Excuse{whole}, Unspecified},
		{Unreached, []Excuse{exact}, Equivalent},
		{Noticed, []Excuse{whole}, Noticed},
		{Noticed, []Excuse{whole, exact}, Overlooked},
	} {
		if got := excused(tt.verdict, m, tt.excuses); got != tt.want {
			t.Errorf("%s with %d excuses is %s, want %s", tt.verdict, len(tt.excuses), got, tt.want)
		}
	}
}

func TestTallies(t *testing.T) {
	t.Parallel()
	change := func(file string) operators.Mutation { return operators.Mutation{File: file, Function: "f"} }
	outcomes := []Outcome{
		{Change: change("a/x.go"), Verdict: Noticed, Phase: PhasePlain},
		{Change: change("a/x.go"), Verdict: Noticed, Phase: PhaseFaults},
		{Change: change("a/x.go"), Verdict: Survived, Reach: 3},
		{Change: change("b/y.go"), Verdict: Unreached},
		{Change: change("b/y.go"), Verdict: Equivalent},
		{Change: change("b/y.go"), Verdict: Unspecified},
		{Change: change("b/y.go"), Verdict: Survived, Reach: 9},
	}
	packages, functions := ByPackage(outcomes)
	want := map[string]Tally{"a": {Changes: 3, Noticed: 2, ByFaults: 1, Survived: 1}, "b": {Changes: 4, Survived: 1, Unreached: 1, Equivalent: 1, Unspecified: 1}}
	if diff := cmp.Diff(want, packages); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := functions["a/x.go f"]; got != want["a"] {
		t.Errorf("the function has %+v", got)
	}
	if got := want["a"].Plus(want["b"]).Ratio(); got != 40 {
		t.Errorf("the share is %v %%, want 40", got)
	}
	if got := (Tally{}).Ratio(); got != 100 {
		t.Errorf("of nothing %v %% is noticed", got)
	}
	var reach []int
	for _, s := range Survivors(outcomes) {
		reach = append(reach, s.Reach)
	}
	if !slices.Equal(reach, []int{9, 3, 0}) {
		t.Errorf("the survivors' reach is %v, want the greatest first", reach)
	}
	page := string(Page(outcomes))
	for _, line := range []string{"| `a` | 3 | 2 | 1 | 1 | 0 | 0 | 0 | 66.7 % |", "| all | 7 | 2 | 1 | 2 | 1 | 1 | 1 | 40.0 % |", "| `b/y.go f` | 4 | 0 | 2 |"} {
		if !strings.Contains(page, line) {
			t.Errorf("the page lacks %q:\n%s", line, page)
		}
	}
}

// TestStranger judges the reference as a stranger's, and learns what a fixture reaches.
func TestStranger(t *testing.T) {
	t.Parallel()
	binding, err := Binding()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(binding, func(c Case) bool { return c.Name == "single-step-succeeds" })
	if at < 0 || slices.ContainsFunc(binding, func(c Case) bool { return c.Name == "same-name-while-the-old-pod-ends" }) {
		t.Fatalf("the fixtures that bind are %v", binding)
	}
	s, err := NewStranger()
	if err != nil {
		t.Fatal(err)
	}
	one := binding[at : at+1]
	answer, err := s.Ask(t.Context(), Question{Plain: one, Faulty: one})
	if err != nil || answer.By != "" || answer.Took["single-step-succeeds"] == 0 {
		t.Errorf("%+v, %v", answer, err)
	}
	if _, err := s.Ask(t.Context(), Question{Plain: []Case{{File: one[0].File, Name: "another"}}}); err == nil {
		t.Error("a case that does not exist is run")
	}
	reached, err := s.Reach(t.Context(), one)
	if err != nil || len(reached) != 1 || reached[0].Case != one[0] {
		t.Errorf("%+v, %v", reached, err)
	}
}
