package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/plain"
)

// gateKind is the kind of a Gate as a document.
const gateKind = "ReportGate"

// Gate is the answer to whether a run is worse than the one before.
//
// These are worse: a fixture that fails now and did not before; a fixture that passed and
// is now not shown to pass, since it is not run, excluded, unsupported or removed; a
// feature that is no longer claimed; and a run that broke or was cut short. Fixtures that
// failed before may fail, and so may new ones: the gate protects what was once achieved.
// A renamed fixture is not new.
type Gate struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Baseline   Side   `json:"baseline"`
	Report     Side   `json:"report"`
	// Passed says that nothing is worse.
	Passed bool `json:"passed"`
	// Worse makes the gate fail; so do Lost, Broken and Profiles.
	Worse []Change `json:"worse"`
	// Lost are features that were judged, and are no longer claimed.
	Lost []LostFeature `json:"lost,omitempty"`
	// Broken is set when the run as a whole broke, was cut short or judged nothing, and the one before did not.
	Broken *BrokenRun `json:"broken,omitempty"`
	// Profiles passed before and do not now, although neither a fixture nor a lost feature explains it.
	Profiles []ProfileChange `json:"profiles,omitempty"`
	// Better passes now, and did not.
	Better []Change `json:"better,omitempty"`
	// New are fixtures that the baseline does not have and that do not pass.
	New []Change `json:"new,omitempty"`
	// Renamed are fixtures that have another name in the baseline.
	Renamed []Rename `json:"renamed,omitempty"`
	// Known are fixtures that failed before and fail still.
	Known []string `json:"known,omitempty"`
	// Part says that only a part of the suite was to be run this time, and all or another part before.
	Part string `json:"part,omitempty"`
}

// LostFeature is a feature that was judged, and is no longer claimed.
type LostFeature struct {
	Profile string `json:"profile"`
	Feature string `json:"feature"`
	// Fixtures are those of the feature that passed before, and do not now.
	Fixtures []string `json:"fixtures,omitempty"`
}

// BrokenRun is a run that shows less than it should.
type BrokenRun struct {
	A       reports.Result `json:"a"`
	B       reports.Result `json:"b"`
	Reasons []string       `json:"reasons,omitempty"`
}

// BaselineError says why a report cannot be the baseline of another.
type BaselineError struct {
	Message string
	// Target says that the reason is another target.
	Target bool
}

// Error implements error.
func (e *BaselineError) Error() string { return e.Message }

// CheckBaseline refuses a baseline that would let everything pass, or says nothing of a report: one in which no fixture of
// the levels was judged, and one of another target. The error is a *BaselineError.
func CheckBaseline(baseline, report *reports.ConformanceReport, levels ...string) error {
	judged := slices.ContainsFunc(baseline.Fixtures, func(f reports.Fixture) bool {
		return (f.Verdict == reports.Pass || f.Verdict == reports.Fail) && (len(levels) == 0 || slices.Contains(levels, f.Level))
	})
	switch {
	case !judged && len(levels) > 0:
		return &BaselineError{Message: fmt.Sprintf("no fixture of level %s was judged in the baseline (%s): nothing could be worse", strings.Join(levels, ", "), side(baseline))}
	case !judged:
		return &BaselineError{Message: fmt.Sprintf("no fixture was judged in the baseline (%s): nothing could be worse", side(baseline))}
	case baseline.Target.Name != report.Target.Name:
		return &BaselineError{Target: true, Message: fmt.Sprintf("the baseline is of target %s, the report of target %s", plain.Dash(baseline.Target.Name), plain.Dash(report.Target.Name))}
	}
	return nil
}

// NewGate compares a report with its baseline. levels, if given, select fixtures by the level
// that they have or had. If the targets differ, a fixture that the report's target cannot run is not worse.
func NewGate(baseline, report *reports.ConformanceReport, levels ...string) *Gate {
	g := &Gate{APIVersion: reports.APIVersion, Kind: gateKind, Baseline: side(baseline), Report: side(report), Worse: []Change{}, Part: parted(baseline, report)}
	before := byName(baseline)
	d := Diff(baseline, report, DiffOptions{})
	g.Renamed = d.Renamed
	for _, r := range d.Renamed {
		before[r.B] = before[r.A]
	}
	looked := func(name, level string) bool {
		was := before[name]
		return len(levels) == 0 || slices.Contains(levels, level) || was != nil && slices.Contains(levels, was.Level)
	}
	elsewhere := baseline.Target.Name != report.Target.Name
	told := map[string]bool{} // profiles whose result a fixture tells, looked at or not
	for _, c := range d.Changes {
		beyond := elsewhere && c.B == reports.NotOnThisTarget
		worse := (c.A == reports.Pass || c.B == reports.Fail) && !beyond
		if c.Change == OnlyInB && c.B != reports.Pass || c.Change != OnlyInB && (worse || beyond) {
			told[c.Profile] = true
		}
		switch {
		case !looked(c.Fixture, c.Level):
		case c.Change == OnlyInB:
			if c.B != reports.Pass && c.B != reports.NotOnThisTarget && c.B != reports.Unsupported {
				g.New = append(g.New, c)
			}
		case worse:
			g.Worse = append(g.Worse, c)
		case c.B == reports.Pass:
			g.Better = append(g.Better, c)
		}
	}
	reached, broke := 0, false
	for i := range report.Fixtures {
		f := &report.Fixtures[i]
		if !looked(f.Name, f.Level) {
			continue
		}
		if was := before[f.Name]; was != nil && was.Verdict == reports.Fail && f.Verdict == reports.Fail {
			g.Known = append(g.Known, f.Name)
		}
		if f.Verdict == reports.Pass || f.Verdict == reports.Fail {
			reached++
		}
		broke = broke || f.Verdict == reports.Error || f.Verdict == reports.NotRun
	}
	judged := slices.ContainsFunc(baseline.Fixtures, func(f reports.Fixture) bool {
		return (f.Verdict == reports.Pass || f.Verdict == reports.Fail) && looked(f.Name, f.Level)
	})
	short := func(r reports.Result) bool { return r == reports.Errored || r == reports.Incomplete }
	if reached == 0 && judged || short(report.Result) && broke && !short(baseline.Result) {
		g.Broken = &BrokenRun{A: baseline.Result, B: report.Result, Reasons: report.Reasons}
	}
	g.Lost = lost(baseline, report, before, looked)
	for _, x := range g.Lost {
		told[x.Profile] = true
	}
	for _, p := range d.Profiles {
		if p.A == reports.Passed && !told[p.Profile] {
			g.Profiles = append(g.Profiles, p)
		}
	}
	g.Passed = len(g.Worse) == 0 && len(g.Lost) == 0 && g.Broken == nil && len(g.Profiles) == 0
	return g
}

// lost lists features that were judged before, and whose fixtures are there still but unsupported; and mandatory ones
// that are now said to be missing by the same suite.
func lost(baseline, report *reports.ConformanceReport, before map[string]*reports.Fixture, looked func(name, level string) bool) []LostFeature {
	var out []LostFeature
	for _, now := range report.Profiles {
		i := slices.IndexFunc(baseline.Profiles, func(p reports.Profile) bool { return p.Name == now.Name })
		if i < 0 {
			continue
		}
		was := baseline.Profiles[i]
		names := slices.DeleteFunc(slices.Clone(was.Features), func(name string) bool { return slices.Contains(now.Features, name) })
		if baseline.Suite.Digest == report.Suite.Digest {
			for _, name := range now.Missing {
				if !slices.Contains(was.Missing, name) {
					names = append(names, name)
				}
			}
		}
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			x, here := LostFeature{Profile: now.Name, Feature: name}, slices.Contains(now.Missing, name)
			for k := range report.Fixtures {
				f := &report.Fixtures[k]
				if f.Profile != now.Name || !slices.Contains(f.Features, name) || !looked(f.Name, f.Level) {
					continue
				}
				here = here || f.Verdict == reports.Unsupported
				if old := before[f.Name]; old != nil && old.Verdict == reports.Pass && f.Verdict != reports.Pass {
					x.Fixtures = append(x.Fixtures, f.Name)
				}
			}
			if here {
				out = append(out, x)
			}
		}
	}
	return out
}

// parted says that the runs were of different parts of the suite.
func parted(baseline, report *reports.ConformanceReport) string {
	if report.Selection == nil || baseline.Selection != nil && baseline.Selection.Filter == report.Selection.Filter {
		return ""
	}
	before := "all fixtures"
	if baseline.Selection != nil {
		before = "those selected by " + baseline.Selection.Filter
	}
	return fmt.Sprintf("the report covers the fixtures selected by %s, the baseline %s: fixtures that were not selected count as removed", report.Selection.Filter, before)
}
