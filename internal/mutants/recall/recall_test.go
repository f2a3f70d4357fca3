package recall

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/internal/mutants"
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
			t.Errorf("%s is unspecified, but %q cites nothing", e, e.Reason)
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
		{Excuse{File: "a/b*.go", Function: "f"}, true},
		{Excuse{File: "a/c*.go", Function: "f"}, false},
		{Excuse{File: "a/b.go", Functions: []string{"g", "f"}}, true},
		{Excuse{File: "a/b.go", Functions: []string{"g", "h"}}, false},
		{Excuse{File: "a/b.go", Function: "*", Like: "^x"}, true},
		{Excuse{File: "a/b.go", Function: "*", Like: "^y"}, false},
	} {
		tt.excuse.Verdict, tt.excuse.Reason = Equivalent, "nothing is different"
		if err := tt.excuse.check(); err != nil {
			t.Errorf("%+v: %v", tt.excuse, err)
		}
		if got := tt.excuse.About(m); got != tt.want {
			t.Errorf("%+v is about the change: %v, want %v", tt.excuse, got, tt.want)
		}
	}
}

func TestWrongExcuses(t *testing.T) {
	t.Parallel()
	right := Excuse{File: "a/b.go", Function: "f", Verdict: Equivalent, Reason: "nothing is different"}
	for want, spoil := range map[string]func(*Excuse){
		"file and a reason": func(e *Excuse) { e.Reason = "so" },
		"the verdict":       func(e *Excuse) { e.Verdict = Noticed },
		"a function":        func(e *Excuse) { e.Function = "" },
		"both":              func(e *Excuse) { e.Functions = []string{"g"} },
		"no like":           func(e *Excuse) { e.Before, e.Like = "x", "x" },
		"syntax error":      func(e *Excuse) { e.Function = "[" },
		"missing closing )": func(e *Excuse) { e.Like = "(" },
	} {
		e := right
		spoil(&e)
		if err := e.check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", e, err, want)
		}
	}
	if err := right.check(); err != nil {
		t.Error(err)
	}
}

func TestExcusesThatExcuseNothing(t *testing.T) {
	t.Parallel()
	change := func(function string) operators.Mutation {
		return operators.Mutation{File: "a/b.go", Function: function}
	}
	both := Excuse{File: "a/b.go", Functions: []string{"f", "g"}}
	p := &operators.Package{Name: "a", Mutations: []operators.Mutation{change("f")}}
	if got := Stale([]Excuse{both, {File: "a/b.go", Function: "f"}, {File: "c/b.go", Function: "f"}}, p); len(got) != 1 || got[0].Functions == nil {
		t.Errorf("stale are %+v, want the one whose function g has no changes", got)
	}
	outcomes := []Outcome{{Change: change("f"), Verdict: Noticed}, {Change: change("g"), Verdict: Unspecified}}
	if got := Idle([]Excuse{both, {File: "a/b.go", Function: "f"}}, outcomes); len(got) != 1 || got[0].Function != "f" {
		t.Errorf("idle are %+v, want the one of f", got)
	}
}

// TestNoExcuseIsStale looks for the changes that the excuses are about.
func TestNoExcuseIsStale(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it type-checks all packages that are changed")
	}
	root, err := mutants.ModuleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	excuses, err := Excuses()
	if err != nil {
		t.Fatal(err)
	}
	packages, err := operators.LoadParts(t.Context(), root, Parts())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		for _, e := range Stale(excuses, p) {
			t.Errorf("about no change: %s", e)
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
	binding, err := Binding("")
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
