package conformance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// documentTitle names the document that a statement is from, by the first part of its id.
func documentTitle(id string) string {
	series, _, _ := strings.Cut(id, "-")
	switch series {
	case "S000":
		return "overview of TaskRuns"
	case "S001":
		return "runs.md"
	case "S002":
		return "concept model"
	case "S003":
		return "developers/README.md"
	case "S004":
		return "taskruns.md"
	}
	return series
}

// proven returns the texts of the statements that fixtures prove, sorted by id. Ids of
// a user's own documents have no text.
func proven(list []*fixture.Fixture) []reports.Statement {
	table, err := Statements()
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
			where := documentTitle(x.ID)
			if x.Line != "" {
				where += ", line " + x.Line
			}
			if x.Section != "" {
				where += fmt.Sprintf(", %q", x.Section)
			}
			out = append(out, reports.Statement{ID: x.ID, Source: where, Text: x.Words})
		}
	}
	slices.SortFunc(out, func(a, b reports.Statement) int { return strings.Compare(a.ID, b.ID) })
	return slices.Compact(out)
}

// binding lists the levels whose failures count.
func (c Claims) binding() []string {
	if c.Reference {
		return []string{fixture.Reference, fixture.Required}
	}
	return []string{fixture.Required}
}

// Explain tells the result of one fixture as the report's text does, for a test that shows its failure by itself.
func (r *Runner) Explain(f *fixture.Fixture, result *reports.Fixture) string {
	return render.Explain(result, proven([]*fixture.Fixture{f})...)
}
