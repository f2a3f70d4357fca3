package conformance

import (
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/statement"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// proven returns the texts of the statements that fixtures prove, sorted by id. Ids of
// a user's own documents have no text.
func proven(list []*fixture.Fixture) []reports.Statement {
	table, err := statement.Embedded()
	if err != nil {
		return nil // the fixtures' loader has told
	}
	var out []reports.Statement
	for _, f := range list {
		for _, p := range f.Spec.Proves {
			x, ok := table.Get(p.ID)
			if !ok {
				continue
			}
			out = append(out, reports.Statement{ID: x.ID, Source: x.Source(), Text: x.Words})
		}
	}
	slices.SortFunc(out, func(a, b reports.Statement) int { return strings.Compare(a.ID, b.ID) })
	return slices.Compact(out)
}

// Explain tells the result of one fixture as the report's text does, for a test that shows its failure by itself.
func (r *Runner) Explain(f *fixture.Fixture, result *reports.Fixture) string {
	return render.Explain(result, proven([]*fixture.Fixture{f})...)
}
