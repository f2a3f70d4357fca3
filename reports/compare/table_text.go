package compare

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/annotation"
	"github.com/plumbline-ci/plumbline/reports/internal/formats"
	"github.com/plumbline-ci/plumbline/reports/internal/harmless"
	"github.com/plumbline-ci/plumbline/reports/internal/markdown"
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

func (t *Table) markdown(b *bytes.Buffer) {
	fmt.Fprintf(b, "## %s %s\n\n| | Implementation | Suite | Result | Passed | Failed | Not judged | Time |\n|---|---|---|---|---|---|---|---|\n", markdown.Badge(t.Contradicted == 0, t.Unexplained > 0), markdown.Text(t.verdict()))
	for i := range t.Columns {
		c := &t.Columns[i]
		fmt.Fprintf(b, "| **%s** | %s | %s | %s | %d of %d | %d | %d | %s |\n", markdown.Text(c.Name), markdown.Text(strings.TrimSpace(c.Run.Implementation+" "+c.Run.Version)), markdown.Text(c.Run.Suite),
			c.Run.Result, c.Tally.Pass, c.Tally.Total, c.Tally.Fail, c.Tally.Total-c.Tally.Pass-c.Tally.Fail, markdown.Text(plain.Dash(c.time())))
	}
	fmt.Fprintln(b)
	if t.suites() {
		fmt.Fprint(b, "The suites differ: fixtures of the same name may have changed.\n\n")
	}
	for _, part := range []struct {
		agree  Agreement
		title  string
		folded bool
	}{{Contradiction, "Judged differently", false}, {PartAgreement, "Judged in some columns only", false}, {FullAgreement, "Same verdict everywhere", true}} {
		t.markdownPart(b, part.agree, part.title, part.folded)
	}
	for _, x := range t.Stale {
		fmt.Fprintf(b, "- %s is explained, but does not differ that way\n", markdown.Text(x.Fixture))
	}
}

func (t *Table) markdownPart(b *bytes.Buffer, agree Agreement, title string, folded bool) {
	n := 0
	var told []string
	for i := range t.Rows {
		row := &t.Rows[i]
		if row.Agree != agree {
			continue
		}
		n++
		if n == 1 {
			if folded {
				fmt.Fprintf(b, "<details><summary>%s</summary>\n\n", title)
			} else {
				fmt.Fprintf(b, "### %s\n\n", title)
			}
			fmt.Fprint(b, "| Fixture | Level |")
			for _, c := range t.Columns {
				fmt.Fprintf(b, " %s |", markdown.Text(c.Name))
			}
			fmt.Fprintf(b, "\n|---|---|%s\n", strings.Repeat("---|", len(t.Columns)))
		}
		if n > markdown.MostRows {
			continue
		}
		fmt.Fprintf(b, "| %s | %s |", markdown.Text(row.Fixture), markdown.Text(row.Level))
		for _, c := range row.Cells {
			fmt.Fprintf(b, " %s |", plain.Dash(string(c.Verdict)))
		}
		fmt.Fprintln(b)
		if row.Agree == Contradiction || row.Why != "" {
			lines := t.differing(row)
			if row.Why != "" {
				lines = append(lines, "explained: "+row.Why)
			}
			told = append(told, fmt.Sprintf("- **%s**: %s", markdown.Text(row.Fixture), markdown.Text(row.Requirement)))
			for _, line := range lines {
				told = append(told, "  - "+markdown.Text(line))
			}
		}
	}
	if n > markdown.MostRows {
		fmt.Fprintf(b, "\n… and %d more.\n", n-markdown.MostRows)
	}
	if len(told) > 0 {
		fmt.Fprintf(b, "\n%s\n", strings.Join(told, "\n"))
	}
	switch {
	case n > 0 && folded:
		fmt.Fprint(b, "\n</details>\n\n")
	case n > 0:
		fmt.Fprintln(b)
	}
}

func (t *Table) github(b *bytes.Buffer) {
	for i := range t.Rows {
		row := &t.Rows[i]
		if row.Agree == Contradiction && row.Why == "" {
			annotation.Write(b, "warning", row.File, row.Fixture+" ("+row.Level+")", append([]string{row.Requirement}, t.differing(row)...)...)
		}
	}
	level := "notice"
	if t.Unexplained > 0 {
		level = "error"
	}
	lines := []string{t.verdict()}
	for i := range t.Columns {
		lines = append(lines, t.Columns[i].Name+": "+t.Columns[i].summary())
	}
	annotation.Write(b, level, "", "reports", lines...)
}
