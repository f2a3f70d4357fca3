package verdict

import (
	"fmt"
	"slices"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/policy"
	"github.com/plumbline-ci/plumbline/reports"
)

// fieldVerdicts are the verdicts that a field can have, the strongest first: of several fixtures the strongest holds.
func fieldVerdicts() []reports.Verdict {
	return []reports.Verdict{reports.Fail, reports.Error, reports.NotRun, reports.Excluded, reports.Unsupported, reports.NotOnThisTarget, reports.Pass}
}

// ByPolicy judges results by a policy alone: it passes only if all of its fields do, and a field passes if all fixtures
// that judge it do, whatever their level. Reasons say in words what stands against it. all are the fixtures of the suite.
func ByPolicy(p *policy.Policy, all []*fixture.Fixture, results []reports.Fixture) (out *reports.Policy, reasons []string) {
	came := map[string]reports.Verdict{}
	for _, f := range results {
		came[f.Name] = f.Verdict
	}
	out = &reports.Policy{Name: p.Name, Title: p.Title, Source: p.Source, Result: reports.Passed}
	by := map[reports.Verdict][]string{}
	for _, field := range p.Fields {
		row := reports.PolicyField{Field: field.String(), Verdict: reports.Pass}
		for _, f := range all {
			if !field.Of(f) {
				continue
			}
			v, selected := came[f.Name()]
			if !selected {
				v = reports.NotRun
			}
			row.Fixtures = append(row.Fixtures, f.Name())
			if slices.Index(fieldVerdicts(), v) < slices.Index(fieldVerdicts(), row.Verdict) {
				row.Verdict = v
			}
		}
		if len(row.Fixtures) == 0 { // nothing was shown
			row.Verdict = reports.NotRun
		}
		by[row.Verdict] = append(by[row.Verdict], row.Field)
		out.Fields = append(out.Fields, row)
	}
	for _, x := range []struct {
		v    reports.Verdict
		r    reports.Result
		what string
	}{
		{reports.Fail, reports.Failed, "failed"},
		{reports.Error, reports.Errored, "broke and were not judged"},
		{reports.NotRun, reports.Incomplete, "were not run"},
		{reports.Excluded, reports.Partial, "are excluded"},
		{reports.Unsupported, reports.Partial, "are unsupported"},
		{reports.NotOnThisTarget, reports.Partial, "cannot be judged on this target"},
	} {
		if names := by[x.v]; len(names) > 0 {
			out.Result = Worse(out.Result, x.r)
			reasons = append(reasons, fmt.Sprintf("policy %s: %d of %d fields %s: %s", p.Name, len(names), len(p.Fields), x.what, some(names)))
		}
	}
	return out, reasons
}
