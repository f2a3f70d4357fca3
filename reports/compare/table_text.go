package compare

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/formats"
	"github.com/plumbline-ci/plumbline/reports/internal/harmless"
	"github.com/plumbline-ci/plumbline/reports/internal/plain"
)

// TableFormats lists the formats of a Table.
func TableFormats() []string {
	return []string{formats.Table, formats.JSON, formats.Markdown, formats.HTML, formats.GitHub}
}

// Render writes it in one of the TableFormats.
func (t *Table) Render(w io.Writer, format string) error {
	people := harmless.Copy(t)
	if format == formats.HTML {
		return people.html(w)
	}
	return formats.Write(w, format, TableFormats(), formats.Forms{Document: t, Table: people.table, Markdown: people.markdown, GitHub: people.github})
}

// differing lists the reason of each column of a row that is not a pass, such as "kind: …".
func (t *Table) differing(row *Row) []string {
	var out []string
	for i, c := range row.Cells {
		if c.Reason != "" && c.Verdict != reports.Pass {
			out = append(out, t.Columns[i].Name+": "+string(c.Verdict)+": "+c.Reason)
		}
	}
	return out
}

func (t *Table) table(b *bytes.Buffer) {
	w := tabwriter.NewWriter(b, 0, 4, 2, ' ', 0)
	for i := range t.Columns {
		c := &t.Columns[i]
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.Name, c.Run.about(), c.summary())
	}
	_ = w.Flush() // a bytes.Buffer takes everything
	if t.suites() {
		fmt.Fprintln(b, "The suites differ: fixtures of the same name may have changed.")
	}
	fmt.Fprintln(b)
	if len(t.Rows) > 0 {
		head := []string{"AGREE", "FIXTURE", "LEVEL"}
		for _, c := range t.Columns {
			head = append(head, strings.ToUpper(c.Name))
		}
		fmt.Fprintln(w, strings.Join(head, "\t"))
		for i := range t.Rows {
			row := &t.Rows[i]
			cells := []string{string(row.Agree), row.Fixture, row.Level}
			for _, c := range row.Cells {
				cells = append(cells, plain.Dash(string(c.Verdict)))
			}
			fmt.Fprintln(w, strings.Join(cells, "\t"))
		}
		_ = w.Flush() // as above
		fmt.Fprintln(b)
	}
	for i := range t.Rows {
		row := &t.Rows[i]
		if row.Agree != Contradiction && row.Why == "" {
			continue
		}
		fmt.Fprintf(b, "%s: %s\n", row.Fixture, row.Requirement)
		for _, line := range t.differing(row) {
			fmt.Fprintf(b, "  %s\n", line)
		}
		if row.Why != "" {
			fmt.Fprintf(b, "  explained: %s\n", row.Why)
		}
		fmt.Fprintln(b)
	}
	for _, x := range t.Stale {
		fmt.Fprintf(b, "%s is explained, but does not differ that way\n", x.Fixture)
	}
	fmt.Fprintln(b, t.verdict())
}
