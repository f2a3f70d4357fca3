package compare

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/reports/internal/markdown"
	"github.com/plumbline-ci/plumbline/reports/internal/plain"
)

func markdownChanges(b *bytes.Buffer, list []Change, called sides) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "| Change | Fixture | Level | %s | %s | Explained |\n|---|---|---|---|---|---|\n", called.a, called.b)
	for i := range list {
		if i == markdown.MostRows {
			fmt.Fprintf(b, "\n… and %d more.\n", len(list)-i)
			break
		}
		c := &list[i]
		x, y := c.verdicts()
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", c.Change, markdown.Text(c.name()), markdown.Text(c.Level), x, y, markdown.Text(plain.Dash(c.Why)))
	}
	fmt.Fprintln(b)
}

// markdownTold writes the accounts of changes for the worse, folded.
func markdownTold(b *bytes.Buffer, list []Change) {
	n := 0
	for i := range list {
		c := &list[i]
		var told bytes.Buffer
		if c.tell(&told); told.Len() == 0 || c.Why != "" {
			continue
		}
		if n++; n > markdown.MostFailures {
			continue
		}
		fmt.Fprintf(b, "<details><summary><b>%s</b>: %s</summary>\n\n%s\n\n</details>\n\n", markdown.HTML(c.Fixture), markdown.HTML(c.Requirement), markdown.Fence(markdown.Cut(told.String(), markdown.MostAccount)))
	}
	if n > markdown.MostFailures {
		fmt.Fprintf(b, "… and %d more.\n\n", n-markdown.MostFailures)
	}
}

func markdownProfiles(b *bytes.Buffer, list []ProfileChange) {
	for _, p := range list {
		fmt.Fprintf(b, "- %s: %s, was %s\n", markdown.Text(p.Profile), plain.Dash(string(p.B)), plain.Dash(string(p.A)))
		for _, reason := range p.Reasons {
			fmt.Fprintf(b, "  - %s\n", markdown.Text(reason))
		}
	}
	if len(list) > 0 {
		fmt.Fprintln(b)
	}
}

func markdownRenamed(b *bytes.Buffer, list []Rename) {
	for _, r := range list {
		fmt.Fprintf(b, "- renamed: %s is now %s\n", markdown.Text(r.A), markdown.Text(r.B))
	}
	if len(list) > 0 {
		fmt.Fprintln(b)
	}
}

func (d *Difference) markdown(b *bytes.Buffer) {
	fmt.Fprintf(b, "## %s %s\n\n- A: %s\n- B: %s\n\n", markdown.Badge(d.Unexplained == 0, d.Unexplained > 0), markdown.Text(d.verdict()), markdown.Text(d.A.String()), markdown.Text(d.B.String()))
	markdownChanges(b, d.Changes, sides{"A", "B"})
	markdownTold(b, d.Changes)
	markdownProfiles(b, d.Profiles)
	markdownRenamed(b, d.Renamed)
	for _, x := range d.Stale {
		fmt.Fprintf(b, "- %s is explained, but does not differ that way\n", markdown.Text(x.Fixture))
	}
}

func (g *Gate) markdown(b *bytes.Buffer) {
	fmt.Fprintf(b, "## %s Gate %s\n\n- baseline: %s\n- report: %s\n\n", markdown.Badge(g.Passed, !g.Passed), markdown.Text(g.verdict()), markdown.Text(g.Baseline.String()), markdown.Text(g.Report.String()))
	markdownChanges(b, slices.Concat(g.Worse, g.New, g.Better), sides{"Baseline", "Report"})
	markdownTold(b, g.Worse)
	for _, line := range g.whole() {
		mark := "- "
		if strings.HasPrefix(line, " ") {
			mark = "  - "
		}
		fmt.Fprintln(b, mark+markdown.Text(line))
	}
	if g.Lost != nil || g.Broken != nil {
		fmt.Fprintln(b)
	}
	markdownProfiles(b, g.Profiles)
	markdownRenamed(b, g.Renamed)
	if g.Part != "" {
		fmt.Fprintf(b, "%s\n\n", markdown.Text(g.Part))
	}
	if len(g.Known) > 0 {
		fmt.Fprintf(b, "Failed before and still fails: %s\n", markdown.Text(strings.Join(g.Known, ", ")))
	}
}
