package reports

import "slices"

// GateKind is the kind of a Gate as a document.
const GateKind = "ReportGate"

// Gate is the answer to whether a run is worse than the one before.
//
// Worse is what fails and did not, and what passed and is not shown to pass any more:
// not run, excluded, unsupported, no longer there. What has failed before may fail, and
// a fixture that is new may, too: the gate is about what was once achieved.
type Gate struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Baseline   Side   `json:"baseline"`
	Report     Side   `json:"report"`
	// Passed says that nothing is worse.
	Passed bool `json:"passed"`
	// Worse makes the gate fail.
	Worse []Change `json:"worse"`
	// Profiles passed before and do not now, although none of their fixtures is worse: a feature is no longer claimed.
	Profiles []ProfileChange `json:"profiles,omitempty"`
	// Better passes now, and did not.
	Better []Change `json:"better,omitempty"`
	// New are fixtures that the baseline does not have and that do not pass.
	New []Change `json:"new,omitempty"`
	// Known are fixtures that failed before and fail still.
	Known []string `json:"known,omitempty"`
}

// NewGate compares a report with its baseline. levels, if given, are the levels of fixtures that are looked at.
func NewGate(baseline, report *ConformanceReport, levels ...string) *Gate {
	g := &Gate{APIVersion: APIVersion, Kind: GateKind, Baseline: side(baseline), Report: side(report), Worse: []Change{}}
	looked := func(level string) bool { return len(levels) == 0 || slices.Contains(levels, level) }
	told := map[string]bool{} // profiles whose result a fixture tells, looked at or not
	d := Diff(baseline, report, DiffOptions{})
	for _, c := range d.Changes {
		if c.Change == OnlyInB && c.B == Fail || c.Change != OnlyInB && (c.A == Pass || c.B == Fail) {
			told[c.Profile] = true
		}
		switch {
		case !looked(c.Level):
		case c.Change == OnlyInB:
			if c.B != Pass && c.B != NotOnThisTarget && c.B != Unsupported {
				g.New = append(g.New, c)
			}
		case c.A == Pass || c.B == Fail:
			g.Worse = append(g.Worse, c)
		case c.B == Pass:
			g.Better = append(g.Better, c)
		}
	}
	failed := byName(baseline)
	for _, f := range report.Fixtures {
		if was := failed[f.Name]; was != nil && was.Verdict == Fail && f.Verdict == Fail && looked(f.Level) {
			g.Known = append(g.Known, f.Name)
		}
	}
	for _, p := range d.Profiles {
		if p.A == Passed && !told[p.Profile] {
			g.Profiles = append(g.Profiles, p)
		}
	}
	g.Passed = len(g.Worse) == 0 && len(g.Profiles) == 0
	return g
}
