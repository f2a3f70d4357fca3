package compare

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/plumbline-ci/plumbline/reports/internal/markdown"
	"github.com/plumbline-ci/plumbline/reports/internal/plain"
)

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
