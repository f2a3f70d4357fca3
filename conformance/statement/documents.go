package statement

import (
	"cmp"
	"fmt"
	"strings"
	"sync"

	"github.com/plumbline-ci/plumbline/fixtures"
)

// documents are what statements are from, by the first part of their ids.
var documents = map[string]struct {
	// title is in the words under which the project publishes the document; source is short, for a line of a report.
	title, source string
}{
	"S000": {"TaskRuns, an overview (a knowledge-base article)", "overview of TaskRuns"},
	"S001": {"Runs (docs/runs.md)", "runs.md"},
	"S002": {"Concept model (tekton.dev/docs)", "concept model"},
	"S003": {"For developers (docs/developers/README.md)", "developers/README.md"},
	"S004": {"TaskRuns (docs/taskruns.md)", "taskruns.md"},
}

// Source says where a statement is, such as: taskruns.md, line 1086, "Example".
func (s *Statement) Source() string {
	prefix, _, _ := strings.Cut(s.ID, "-")
	where := cmp.Or(documents[prefix].source, prefix)
	if s.Line != "" {
		where += ", line " + s.Line
	}
	if s.Section != "" {
		where += fmt.Sprintf(", %q", s.Section)
	}
	return where
}

// Embedded returns the statements that the embedded suite's fixtures prove. They are read once, since a table does not
// change.
func Embedded() (*Table, error) { return embedded() }

var embedded = sync.OnceValues(func() (*Table, error) {
	table, err := Parse("fixtures/statements.tsv", fixtures.Statements)
	if err != nil {
		return nil, fmt.Errorf("the embedded statements: %w", err)
	}
	return table, nil
})
