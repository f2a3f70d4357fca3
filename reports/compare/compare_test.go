package compare

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/formats"
)

// of makes a report of fixtures: name=verdict, name=verdict:level.
func of(result reports.Result, fixtures ...string) *reports.ConformanceReport {
	r := &reports.ConformanceReport{APIVersion: reports.APIVersion, Kind: reports.Kind, Result: result, Profiles: []reports.Profile{{Name: "p", Result: result}}}
	for _, text := range fixtures {
		name, rest, _ := strings.Cut(text, "=")
		verdict, level, ok := strings.Cut(rest, ":")
		if !ok {
			level = "required"
		}
		f := reports.Fixture{Name: name, Profile: "p", Level: level, Verdict: reports.Verdict(verdict)}
		if f.Verdict == reports.Fail {
			f.Failure = &reports.Failure{At: "f.yaml:1:1", Check: "c", Message: "m"}
		}
		r.Fixtures = append(r.Fixtures, f)
	}
	return r
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason      string
		a, b        *reports.ConformanceReport
		o           DiffOptions
		want        string
		unexplained int
	}{
		{"the same", of(reports.Passed, "x=pass"), of(reports.Passed, "x=pass"), DiffOptions{}, "[]", 0},
		{"a pass that fails", of(reports.Passed, "x=pass"), of(reports.Failed, "x=fail"), DiffOptions{}, "[newly-failing x]", 1},
		{"a failure that passes", of(reports.Failed, "x=fail"), of(reports.Passed, "x=pass"), DiffOptions{}, "[newly-passing x]", 1},
		{"an error that fails", of(reports.Errored, "x=error"), of(reports.Failed, "x=fail"), DiffOptions{}, "[newly-failing x]", 1},
		{"neither", of(reports.Partial, "x=excluded"), of(reports.Partial, "x=unsupported"), DiffOptions{}, "[changed x]", 1},
		{"each has what the other does not have", of(reports.Passed, "x=pass"), of(reports.Passed, "y=pass"), DiffOptions{}, "[only-in-a x only-in-b y]", 2},
		{"a profile alone", of(reports.Passed, "x=pass"), of(reports.Partial, "x=pass"), DiffOptions{}, "[]", 1},
		{"only what both judged", of(reports.Passed, "x=pass", "y=pass", "z=pass"), of(reports.Failed, "x=not-on-this-target", "y=fail"), DiffOptions{Judged: true}, "[newly-failing y]", 1},
		{"explained", of(reports.Passed, "x=pass"), of(reports.Failed, "x=fail"), DiffOptions{Explained: []Explanation{{Fixture: "x", Why: "w"}}}, "[newly-failing x w]", 0},
		{"explained for these verdicts", of(reports.Passed, "x=pass"), of(reports.Failed, "x=fail"), DiffOptions{Explained: []Explanation{{Fixture: "x", A: reports.Pass, B: reports.Fail, Why: "w"}}}, "[newly-failing x w]", 0},
		{"explained for others", of(reports.Passed, "x=pass"), of(reports.Failed, "x=fail"), DiffOptions{Explained: []Explanation{{Fixture: "x", A: reports.Pass, B: reports.Error, Why: "w"}}}, "[newly-failing x stale x]", 1},
		{"an explanation of equal verdicts", of(reports.Passed, "x=pass"), of(reports.Passed, "x=pass"), DiffOptions{Explained: []Explanation{{Fixture: "x", Why: "w"}}}, "[stale x]", 0},
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

func TestGateFailsOnlyWhenAVerdictGetsWorse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		a, b   *reports.ConformanceReport
		levels []string
		worse  string
		passed bool
	}{
		{"the same", of(reports.Passed, "x=pass"), of(reports.Passed, "x=pass"), nil, "", true},
		{"a pass that fails", of(reports.Passed, "x=pass"), of(reports.Failed, "x=fail"), nil, "x", false},
		{"a failure that fails still", of(reports.Failed, "x=fail"), of(reports.Failed, "x=fail"), nil, "", true},
		{"better", of(reports.Failed, "x=fail"), of(reports.Passed, "x=pass"), nil, "", true},
		{"a new failure", of(reports.Passed, "x=pass"), of(reports.Failed, "x=pass", "y=fail"), nil, "", true},
		{"an unsupported fixture that fails", of(reports.Partial, "x=unsupported"), of(reports.Failed, "x=fail"), nil, "x", false},
		{"a pass that is no longer claimed", of(reports.Passed, "x=pass"), of(reports.Partial, "x=unsupported"), nil, "x", false},
		{"a pass that was not reached", of(reports.Passed, "x=pass"), of(reports.Incomplete, "x=not-run"), nil, "x", false},
		{"a pass that is no longer there", of(reports.Passed, "x=pass", "y=pass"), of(reports.Passed, "y=pass"), nil, "x", false},
		{"an empty report", of(reports.Passed, "x=pass"), of(reports.Inconclusive), nil, "x", false},
		{"a failure whose machine broke: nothing is shown", of(reports.Failed, "x=fail"), of(reports.Errored, "x=error"), nil, "", false},
		{"a run that broke beside what it shows", of(reports.Partial, "x=fail:reference", "y=pass"), of(reports.Errored, "x=error:reference", "y=pass"), nil, "", false},
		{"and broke before", of(reports.Errored, "x=error", "y=pass"), of(reports.Errored, "x=error", "y=pass"), nil, "", true},
		{"the broken fixture has a level that is not compared", of(reports.Partial, "x=fail:reference", "y=pass"), of(reports.Errored, "x=error:reference", "y=pass"), []string{"required"}, "", true},
		{"a run that crashed at once", of(reports.Passed, "x=pass", "y=pass"), of(reports.Errored, "x=error", "y=not-run"), nil, "x y", false},
		{"a run that was cut short before what fails anyway", of(reports.Failed, "x=fail", "y=pass"), of(reports.Incomplete, "x=not-run", "y=pass"), nil, "", false},
		{"a new fixture that was not reached", of(reports.Passed, "x=pass"), of(reports.Failed, "x=pass", "y=fail", "z=not-run"), nil, "", true},
		{"a new fixture that is left out", of(reports.Passed, "x=pass"), of(reports.Partial, "x=pass", "y=excluded"), nil, "", true},
		{"a new fixture of a mandatory feature that is not claimed", of(reports.Passed, "x=pass"), of(reports.Partial, "x=pass", "y=unsupported"), nil, "", true},
		{"a fixture that is required no more, and fails", of(reports.Passed, "x=pass"), of(reports.Passed, "x=fail:recommended"), []string{"required"}, "x", false},
		{"a failure that is no longer there", of(reports.Failed, "x=fail", "y=pass"), of(reports.Passed, "y=pass"), nil, "", true},
		{"a profile that does not pass, and no fixture tells why", of(reports.Passed, "x=pass"), of(reports.Partial, "x=pass"), nil, "", false},
		{"recommended fixtures count, too", of(reports.Passed, "x=pass:recommended"), of(reports.Passed, "x=fail:recommended"), nil, "x", false},
		{"unless only required fixtures are compared", of(reports.Passed, "x=pass:recommended"), of(reports.Passed, "x=fail:recommended"), []string{"required"}, "", true},
		{"and a profile's result is what its fixtures tell", of(reports.Passed, "x=pass"), of(reports.Failed, "x=fail"), []string{"recommended"}, "", true},
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

// with changes a report.
func with(r *reports.ConformanceReport, change func(*reports.ConformanceReport)) *reports.ConformanceReport {
	change(r)
	return r
}

// requires gives fixtures their requirements, by name.
func requires(texts ...string) func(*reports.ConformanceReport) {
	return func(r *reports.ConformanceReport) {
		for i := 0; i < len(texts); i += 2 {
			byName(r)[texts[i]].Requirement = texts[i+1]
		}
	}
}

// features gives the profile features that are judged, and every fixture the first of list.
func features(judged []string, missing []string, ofFixtures ...string) func(*reports.ConformanceReport) {
	return func(r *reports.ConformanceReport) {
		r.Profiles[0].Features, r.Profiles[0].Missing = judged, missing
		for i := range r.Fixtures {
			r.Fixtures[i].Features = ofFixtures
		}
	}
}

func on(target string) func(*reports.ConformanceReport) {
	return func(r *reports.ConformanceReport) { r.Target.Name = target }
}

func TestGateFollowsRenamesFeaturesAndTargets(t *testing.T) {
	t.Parallel()
	list := func(names ...string) []string { return names }
	for _, tt := range []struct {
		reason string
		a, b   *reports.ConformanceReport
		want   string // the table, without its head
	}{
		{"a renamed fixture that passes still", with(of(reports.Passed, "x=pass"), requires("x", "It is.")), with(of(reports.Passed, "y=pass"), requires("y", "It is.")),
			"renamed: x is now y\nPASSED: 0 worse, 0 better\n"},
		{"a renamed fixture that fails", with(of(reports.Passed, "x=pass"), requires("x", "It is.")), with(of(reports.Failed, "y=fail"), requires("y", "It is.")),
			"CHANGE         FIXTURE    LEVEL     BASELINE  REPORT  EXPLAINED\nnewly-failing  y (was x)  required  pass      fail    -\n\nFAIL y: It is.\n  f.yaml:1:1: c: m\n\nrenamed: x is now y\nFAILED: 1 worse, 0 better\n"},
		{"a renamed fixture that failed before", with(of(reports.Failed, "x=fail", "z=pass"), requires("x", "It is.")), with(of(reports.Failed, "y=fail", "z=pass"), requires("y", "It is.")),
			"renamed: x is now y\nfailed before and still fails: y\nPASSED: 0 worse, 0 better, 1 known\n"},
		{"two that require the same are not guessed", with(of(reports.Passed, "x=pass", "w=pass"), requires("x", "It is.", "w", "It is.")), with(of(reports.Passed, "y=pass"), requires("y", "It is.")),
			"CHANGE     FIXTURE  LEVEL     BASELINE  REPORT  EXPLAINED\nonly-in-a  w        required  pass      -       -\nonly-in-a  x        required  pass      -       -\n\nFAILED: 2 worse, 0 better\n"},
		{"a feature that is no longer claimed, whose fixture failed", with(of(reports.Failed, "x=fail"), features(list("f"), nil, "f")), with(of(reports.Partial, "x=unsupported"), features(nil, nil, "f")),
			"lost: feature f of p is no longer claimed\nthe run as a whole is worse: partial, was failed\nFAILED: 2 worse, 0 better\n"},
		{"a feature that is claimed no more", with(of(reports.Passed, "x=pass", "y=pass"), features(list("f"), nil, "f")), with(of(reports.Partial, "x=unsupported", "y=pass"), features(nil, nil, "f")),
			"CHANGE   FIXTURE  LEVEL     BASELINE  REPORT       EXPLAINED\nchanged  x        required  pass      unsupported  -\n\nlost: feature f of p is no longer claimed; it passed x\nFAILED: 2 worse, 0 better\n"},
		{"a mandatory feature without fixtures", of(reports.Passed, "x=pass"), with(of(reports.Partial, "x=pass"), features(nil, list("m"))),
			"lost: feature m of p is no longer claimed\nFAILED: 1 worse, 0 better\n"},
		{"a mandatory feature that a new suite has", of(reports.Passed, "x=pass"), with(of(reports.Partial, "x=pass", "y=unsupported"), func(r *reports.ConformanceReport) { r.Suite.Digest = "new"; features(nil, list("m"))(r) }),
			"PASSED: 0 worse, 0 better\n"},
		{"a feature whose fixtures are gone is named by them", with(of(reports.Passed, "x=pass", "y=pass"), features(list("f"), nil, "f")), with(of(reports.Passed, "y=pass"), features(nil, nil)),
			"CHANGE     FIXTURE  LEVEL     BASELINE  REPORT  EXPLAINED\nonly-in-a  x        required  pass      -       -\n\nFAILED: 1 worse, 0 better\n"},
		{"a fixture that the other target cannot run", with(of(reports.Passed, "x=pass", "y=pass"), on("fake")), with(of(reports.Passed, "x=not-on-this-target", "y=pass"), on("kind")),
			"PASSED: 0 worse, 0 better\n"},
		{"a fixture that this target could run before", with(of(reports.Passed, "x=pass", "y=pass"), on("kind")), with(of(reports.Passed, "x=not-on-this-target", "y=pass"), on("kind")),
			"CHANGE   FIXTURE  LEVEL     BASELINE  REPORT              EXPLAINED\nchanged  x        required  pass      not-on-this-target  -\n\nFAILED: 1 worse, 0 better\n"},
		{"a part against all", of(reports.Passed, "x=pass", "y=pass"), with(of(reports.Passed, "y=pass"), func(r *reports.ConformanceReport) { r.Selection = &reports.Selection{Filter: "name=y"} }),
			"CHANGE     FIXTURE  LEVEL     BASELINE  REPORT  EXPLAINED\nonly-in-a  x        required  pass      -       -\n\nthe report covers the fixtures selected by name=y, the baseline all fixtures: fixtures that were not selected count as removed\nFAILED: 1 worse, 0 better\n"},
		{"a part against the same part", with(of(reports.Passed, "y=pass"), func(r *reports.ConformanceReport) { r.Selection = &reports.Selection{Filter: "name=y"} }), with(of(reports.Passed, "y=pass"), func(r *reports.ConformanceReport) { r.Selection = &reports.Selection{Filter: "name=y"} }),
			"PASSED: 0 worse, 0 better\n"},
	} {
		for _, format := range Formats() {
			var b bytes.Buffer
			if err := NewGate(tt.a, tt.b).Render(&b, format); err != nil {
				t.Fatal(err)
			}
			if _, got, _ := strings.Cut(b.String(), "\n\n"); format == formats.Table && got != tt.want {
				t.Errorf("%s: got\n%s\nwant\n%s", tt.reason, got, tt.want)
			}
			// Every form names what is worse.
			for line := range strings.SplitSeq(tt.want, "\n") {
				if name, ok := strings.CutPrefix(line, "lost: "); ok && format != formats.JSON && !strings.Contains(b.String(), name) {
					t.Errorf("%s: %s does not say %q:\n%s", tt.reason, format, name, b.String())
				}
			}
		}
	}
}

func TestReportsThatCannotBeABaseline(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		a, b   *reports.ConformanceReport
		levels []string
		want   string
	}{
		{"one that judged something", of(reports.Failed, "x=fail"), of(reports.Failed, "x=fail"), nil, ""},
		{"an empty one", of(reports.Inconclusive), of(reports.Passed, "x=pass"), nil, "no fixture was judged in the baseline ( on , suite : inconclusive, 0 fixtures): nothing could be worse"},
		{"one of a run that crashed", of(reports.Errored, "x=error", "y=not-run"), of(reports.Passed, "x=pass"), nil, "no fixture was judged in the baseline ( on , suite : error, 2 fixtures): nothing could be worse"},
		{"one that judged nothing of the level", of(reports.Passed, "x=pass"), of(reports.Passed, "x=pass"), []string{"reference"}, "no fixture of level reference was judged in the baseline ( on , suite : passed, 1 fixture): nothing could be worse"},
		{"one of another target", with(of(reports.Passed, "x=pass"), on("fake")), with(of(reports.Passed, "x=pass"), on("kind")), nil, "the baseline is of target fake, the report of target kind"},
	} {
		got := ""
		if err := CheckBaseline(tt.a, tt.b, tt.levels...); err != nil {
			got = err.Error()
			var baseline *BaselineError
			if !errors.As(err, &baseline) {
				t.Errorf("%s: the error is a %T", tt.reason, err)
			}
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.reason, got, tt.want)
		}
	}
}

func TestColumnNamesAreUnique(t *testing.T) {
	t.Parallel()
	report := func(target, version string) *reports.ConformanceReport {
		return &reports.ConformanceReport{Target: reports.Target{Name: target}, Implementation: reports.Implementation{Version: version}}
	}
	for _, tt := range []struct {
		reason string
		list   []Named
		want   string
	}{
		{"targets", []Named{{Report: report("fake", "v1")}, {Report: report("kind", "v1")}}, "fake, kind"},
		{"versions on one target", []Named{{Report: report("kind", "v1")}, {Report: report("kind", "v2")}, {Report: report("fake", "v2")}}, "kind v1, kind v2, fake"},
		{"the same twice", []Named{{Report: report("kind", "v1")}, {Report: report("kind", "v1")}}, "kind v1 (1), kind v1 (2)"},
		{"without a version", []Named{{Report: report("kind", "")}, {Report: report("kind", "")}}, "kind (1), kind (2)"},
		{"names that are given", []Named{{Name: "old", Report: report("kind", "v1")}, {Name: "new", Report: report("kind", "v1")}}, "old, new"},
		{"one that is given twice", []Named{{Name: "a", Report: report("kind", "v1")}, {Name: "a", Report: report("kind", "v1")}}, "a (1), a (2)"},
		{"no target", []Named{{Report: report("", "")}}, "report"},
	} {
		if got := strings.Join(columnNames(tt.list), ", "); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.reason, got, tt.want)
		}
	}
}

func TestRowsShowWhetherColumnsAgree(t *testing.T) {
	t.Parallel()
	a := with(of(reports.Failed, "same=pass", "both-fail=fail", "contradicts=fail", "not-here=not-on-this-target", "broke=error", "only-here=pass", "three=pass"), on("fake"))
	b := with(of(reports.Failed, "same=pass", "both-fail=fail", "contradicts=pass", "not-here=pass", "broke=pass", "three=not-on-this-target"), on("envtest"))
	c := with(of(reports.Failed, "same=pass", "both-fail=fail", "contradicts=pass", "not-here=pass", "broke=pass", "three=fail"), on("kind"))
	for _, tt := range []struct {
		reason string
		o      TableOptions
		want   string
	}{
		{"all", TableOptions{}, "no contradicts, no three, partly broke, partly not-here, partly only-here, yes both-fail, yes same; 2 unexplained"},
		{"only those that differ", TableOptions{Differing: true}, "no contradicts, no three, partly broke, partly not-here, partly only-here; 2 unexplained"},
		{"explained", TableOptions{Differing: true, Explained: []Explanation{{Fixture: "contradicts", Why: "w"}, {Fixture: "three", A: reports.Pass, B: reports.Error, Why: "w"}, {Fixture: "not-here", A: reports.NotOnThisTarget, B: reports.Pass, Why: "w"}, {Fixture: "same", Why: "w"}}},
			"no contradicts w, no three, partly broke, partly not-here w, partly only-here; 1 unexplained, stale three, stale same"},
	} {
		table := NewTable([]Named{{Report: a}, {Report: b}, {Report: c}}, tt.o)
		var rows []string
		for _, r := range table.Rows {
			rows = append(rows, strings.TrimSpace(string(r.Agree)+" "+r.Fixture+" "+r.Why))
		}
		got := fmt.Sprintf("%s; %d unexplained", strings.Join(rows, ", "), table.Unexplained)
		for _, x := range table.Stale {
			got += ", stale " + x.Fixture
		}
		if got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.reason, got, tt.want)
		}
		if n := table.Contradicted + table.Partly + table.Agreed; n != 7 {
			t.Errorf("%s: %d rows are counted, want 7", tt.reason, n)
		}
	}
}

func TestExplanationsAreDecodedStrictly(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: plumbline.dev/v1alpha1\nkind: ExplainedDifferences\ndifferences:\n"
	if got, err := ReadExplained("x.yaml", []byte(head+"- fixture: a\n  a: pass\n  b: not-on-this-target\n  why: because\n- {fixture: b, why: \"no\"}\n")); err != nil || len(got) != 2 || got[0].B != reports.NotOnThisTarget {
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
		if !errors.Is(err, reports.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}
