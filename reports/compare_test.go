package reports

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// of makes a report of fixtures: name=verdict, name=verdict:level.
func of(result Result, fixtures ...string) *ConformanceReport {
	r := &ConformanceReport{APIVersion: APIVersion, Kind: Kind, Result: result, Profiles: []Profile{{Name: "p", Result: result}}}
	for _, text := range fixtures {
		name, rest, _ := strings.Cut(text, "=")
		verdict, level, ok := strings.Cut(rest, ":")
		if !ok {
			level = levelRequired
		}
		f := Fixture{Name: name, Profile: "p", Level: level, Verdict: Verdict(verdict)}
		if f.Verdict == Fail {
			f.Failure = &Failure{At: "f.yaml:1:1", Check: "c", Message: "m"}
		}
		r.Fixtures = append(r.Fixtures, f)
	}
	return r
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason      string
		a, b        *ConformanceReport
		o           DiffOptions
		want        string
		unexplained int
	}{
		{"the same", of(Passed, "x=pass"), of(Passed, "x=pass"), DiffOptions{}, "[]", 0},
		{"a pass that fails", of(Passed, "x=pass"), of(Failed, "x=fail"), DiffOptions{}, "[newly-failing x]", 1},
		{"a failure that passes", of(Failed, "x=fail"), of(Passed, "x=pass"), DiffOptions{}, "[newly-passing x]", 1},
		{"an error that fails", of(Errored, "x=error"), of(Failed, "x=fail"), DiffOptions{}, "[newly-failing x]", 1},
		{"neither", of(Partial, "x=excluded"), of(Partial, "x=unsupported"), DiffOptions{}, "[changed x]", 1},
		{"each has what the other has not", of(Passed, "x=pass"), of(Passed, "y=pass"), DiffOptions{}, "[only-in-a x only-in-b y]", 2},
		{"a profile alone", of(Passed, "x=pass"), of(Partial, "x=pass"), DiffOptions{}, "[]", 1},
		{"only what both judged", of(Passed, "x=pass", "y=pass", "z=pass"), of(Failed, "x=not-on-this-target", "y=fail"), DiffOptions{Judged: true}, "[newly-failing y]", 1},
		{"explained", of(Passed, "x=pass"), of(Failed, "x=fail"), DiffOptions{Explained: []Explanation{{Fixture: "x", Why: "w"}}}, "[newly-failing x w]", 0},
		{"explained for these verdicts", of(Passed, "x=pass"), of(Failed, "x=fail"), DiffOptions{Explained: []Explanation{{Fixture: "x", A: Pass, B: Fail, Why: "w"}}}, "[newly-failing x w]", 0},
		{"explained for others", of(Passed, "x=pass"), of(Failed, "x=fail"), DiffOptions{Explained: []Explanation{{Fixture: "x", A: Pass, B: Error, Why: "w"}}}, "[newly-failing x stale x]", 1},
		{"an explanation of what is the same", of(Passed, "x=pass"), of(Passed, "x=pass"), DiffOptions{Explained: []Explanation{{Fixture: "x", Why: "w"}}}, "[stale x]", 0},
	} {
		d := Diff(tt.a, tt.b, tt.o)
		var got []string
		for _, c := range d.Changes {
			got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", c.Change, c.Fixture, c.Why)))
		}
		for _, x := range d.Stale {
			got = append(got, "stale "+x.Fixture)
		}
		if fmt.Sprint(got) != tt.want || d.Unexplained != tt.unexplained {
			t.Errorf("%s: got %v and %d unexplained, want %s and %d", tt.reason, got, d.Unexplained, tt.want, tt.unexplained)
		}
	}
}

func TestAGateIsAboutWhatGotWorse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		a, b   *ConformanceReport
		levels []string
		worse  string
		passed bool
	}{
		{"the same", of(Passed, "x=pass"), of(Passed, "x=pass"), nil, "", true},
		{"a pass that fails", of(Passed, "x=pass"), of(Failed, "x=fail"), nil, "x", false},
		{"a failure that fails still", of(Failed, "x=fail"), of(Failed, "x=fail"), nil, "", true},
		{"better", of(Failed, "x=fail"), of(Passed, "x=pass"), nil, "", true},
		{"a new failure", of(Passed, "x=pass"), of(Failed, "x=pass", "y=fail"), nil, "", true},
		{"what was never shown fails", of(Partial, "x=unsupported"), of(Failed, "x=fail"), nil, "x", false},
		{"a pass that is no longer claimed", of(Passed, "x=pass"), of(Partial, "x=unsupported"), nil, "x", false},
		{"a pass that was not reached", of(Passed, "x=pass"), of(Incomplete, "x=not-run"), nil, "x", false},
		{"a pass that is no longer there", of(Passed, "x=pass", "y=pass"), of(Passed, "y=pass"), nil, "x", false},
		{"an empty report", of(Passed, "x=pass"), of(Inconclusive), nil, "x", false},
		{"a failure whose machine broke", of(Failed, "x=fail"), of(Errored, "x=error"), nil, "", true},
		{"a failure that is no longer there", of(Failed, "x=fail", "y=pass"), of(Passed, "y=pass"), nil, "", true},
		{"a profile that does not pass, and no fixture tells why", of(Passed, "x=pass"), of(Partial, "x=pass"), nil, "", false},
		{"what was advised counts, too", of(Passed, "x=pass:recommended"), of(Passed, "x=fail:recommended"), nil, "x", false},
		{"unless only what is required is asked for", of(Passed, "x=pass:recommended"), of(Passed, "x=fail:recommended"), []string{levelRequired}, "", true},
		{"and a profile's result is what its fixtures tell", of(Passed, "x=pass"), of(Failed, "x=fail"), []string{"recommended"}, "", true},
	} {
		g := NewGate(tt.a, tt.b, tt.levels...)
		var worse []string
		for _, c := range g.Worse {
			worse = append(worse, c.Fixture)
		}
		if got := strings.Join(worse, " "); got != tt.worse || g.Passed != tt.passed {
			t.Errorf("%s: worse %q, passed %t, want %q, %t", tt.reason, got, g.Passed, tt.worse, tt.passed)
		}
	}
}

func TestExplanationsAreReadStrictly(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: plumbline.dev/v1alpha1\nkind: ExplainedDifferences\ndifferences:\n"
	if got, err := ReadExplained("x.yaml", []byte(head+"- fixture: a\n  a: pass\n  b: not-on-this-target\n  why: because\n- {fixture: b, why: \"no\"}\n")); err != nil || len(got) != 2 || got[0].B != NotOnThisTarget {
		t.Errorf("got %v, %v", got, err)
	}
	for text, want := range map[string]string{
		head + "- fixture: a\n":                                   "x.yaml:4:3: differences[0]: does not say why",
		head + "- why: a\n":                                       "x.yaml:4:3: differences[0]: names no fixture",
		head + "- {fixture: a, why: b, b: passed}\n":              `x.yaml:4:27: differences[0].b: unknown verdict "passed"`,
		head + "- {fixture: a, why: b, a: x}\n":                   `differences[0].a: unknown verdict "x"`,
		head + "- {fixture: a, why: b}\n- {fixture: a, why: c}\n": "x.yaml:5:3: differences[1]: a is explained twice",
		head + "- {fixture: a, wy: b}\n":                          `x.yaml:4:16: differences[0]: unknown field "wy"`,
		"apiVersion: plumbline.dev/v1alpha1\nkind: Subject\n":     `x.yaml:2:7: kind: "Subject", want "ExplainedDifferences"`,
		"kind: ExplainedDifferences\n":                            "x.yaml:1:1: has no apiVersion and kind",
	} {
		_, err := ReadExplained("x.yaml", []byte(text))
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}
