package conformance

import (
	"fmt"
	"slices"

	"github.com/plumbline-ci/plumbline/conformance/disturbance"
	"github.com/plumbline-ci/plumbline/conformance/internal/verdict"
	"github.com/plumbline-ci/plumbline/reports"
)

// SweepReport makes a document of what a sweep has shown.
func (r *Runner) SweepReport(o Sweep, found *SweepReport) *reports.SweepReport {
	if o.First == 0 {
		o.First = DefaultSeed
	}
	whole := r.Report(nil)
	out := &reports.SweepReport{
		APIVersion: reports.APIVersion, Kind: reports.SweepKind,
		Implementation: whole.Implementation, Suite: whole.Suite, Target: whole.Target, Statements: whole.Statements,
		FirstSeed: o.First, Seeds: o.Seeds, RandomFaults: o.Faults, Trouble: o.Trouble, Filter: r.o.Filter.String(), Result: reports.Passed,
		Schedules: found.Schedules, Planned: found.Planned, Struck: found.Struck, Skipped: found.Skipped,
		Fixtures: []reports.SweepFixture{}, Breaches: []reports.Breach{},
	}
	for _, b := range found.Breaches {
		out.Breaches = append(out.Breaches, b.document(o.Faults))
	}
	for _, f := range r.selected {
		runs, applies := found.Runs[f.Name()]
		if !applies {
			continue
		}
		x := outcome(f)
		breaches := 0
		for _, b := range found.Breaches {
			if b.Fixture == f.Name() {
				breaches++
			}
		}
		out.Fixtures = append(out.Fixtures, reports.SweepFixture{Name: x.Name, File: x.File, Requirement: x.Requirement, Profile: x.Profile,
			Level: x.Level, Features: x.Features, Proves: x.Proves, Schedules: runs, Breaches: breaches})
	}
	switch {
	case slices.ContainsFunc(found.Breaches, func(b Breach) bool { return b.Result.Verdict == reports.Error }):
		out.Result = reports.Errored
	case len(found.Breaches) > 0:
		out.Result = reports.Failed
	case found.Cut == "" && found.Schedules == 0:
		out.Result = reports.Inconclusive
		out.Reasons = []string{"no fixture applies: nothing was run"}
	}
	if found.Cut != "" {
		out.Result = verdict.Worse(out.Result, reports.Incomplete)
		out.Reasons = append(out.Reasons, fmt.Sprintf("the sweep was cut short after %d of %d schedules: %s", found.Schedules, found.Planned, found.Cut))
	}
	return out
}

func (b *Breach) document(faults bool) reports.Breach {
	out := reports.Breach{Fixture: b.Fixture, Seed: b.Seed, Permuted: b.Permuted, Verdict: b.Result.Verdict, Failure: b.Result.Failure, Reason: b.Result.Reason, Trace: b.Trace, Replay: b.Replay}
	if v := b.Violation; v != nil {
		out.Violation = &reports.Violation{Rule: v.Rule, Object: v.Object, Message: v.Message}
	}
	if faults {
		out.Faults, out.Drawn = disturbance.Text(b.Schedule), b.Drawn
		out.Strikes = b.Strikes
	}
	return out
}
