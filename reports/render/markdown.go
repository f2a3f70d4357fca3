package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/failure"
	"github.com/plumbline-ci/plumbline/reports/internal/harmless"
	"github.com/plumbline-ci/plumbline/reports/internal/markdown"
	"github.com/plumbline-ci/plumbline/reports/internal/plain"
)

// writeMarkdown writes a page for a step summary or a comment: the verdict, the profiles,
// the failures with their evidence folded, the rest as lists. It is GitHub's dialect,
// and stays below the size that a step summary may have.
func writeMarkdown(w io.Writer, r *reports.ConformanceReport) error {
	r = harmless.Copy(r)
	var b bytes.Buffer
	var total reports.Tally
	for _, f := range r.Fixtures {
		total.Add(f.Verdict)
	}
	fmt.Fprintf(&b, "## %s %s: %s\n\n%s.\n\n", markdown.Badge(r.Result == reports.Passed, r.Result == reports.Failed || r.Result == reports.Errored), markdown.Text(about(r)), r.Result, total)
	for _, reason := range r.Reasons {
		fmt.Fprintf(&b, "- %s\n", markdown.Text(reason))
	}
	if len(r.Reasons) > 0 {
		fmt.Fprintln(&b)
	}
	markdownFindings(&b, r)
	markdownPolicy(&b, r)
	if r.Selection != nil && r.Policy == nil {
		fmt.Fprintf(&b, "%d of %d fixtures were selected by %s, which does not judge a profile.\n\n", r.Selection.Selected, r.Selection.Of, markdown.Code(r.Selection.Filter))
	}
	if len(r.Profiles) > 0 {
		fmt.Fprint(&b, "| Profile | Result | Required | Recommended | Reference |\n|---|---|---|---|---|\n")
		for _, p := range r.Profiles {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", markdown.Text(p.Name), p.Result, ratio(p.Required), ratio(p.Recommended), ratio(p.Reference))
		}
		fmt.Fprintln(&b)
	}
	markdownSummary(&b, r)
	markdownFailed(&b, r)
	markdownOthers(&b, r)
	markdownAll(&b, r)
	var about []string
	for _, p := range facts(r) {
		about = append(about, markdown.Text(p.name)+" "+markdown.Code(p.value))
	}
	fmt.Fprintf(&b, "<sub>%s</sub>\n", strings.Join(about, " · "))
	return harmless.Write(w, b.Bytes())
}

// markdownPolicy is a table of the fields of a policy: those that did not pass first, the others folded.
func markdownPolicy(b *bytes.Buffer, r *reports.ConformanceReport) {
	p := r.Policy
	if p == nil {
		return
	}
	fmt.Fprintf(b, "### Policy %s\n\n", markdown.Text(p.String()))
	if p.Title != "" {
		fmt.Fprintf(b, "%s. The run is judged by it alone.\n\n", markdown.Text(p.Title))
	}
	table := func(passed bool) string {
		var rows bytes.Buffer
		n := 0
		for _, f := range p.Fields {
			if (f.Verdict == reports.Pass) != passed {
				continue
			}
			n++
			if n <= markdown.MostRows {
				fmt.Fprintf(&rows, "| %s | %s | %s |\n", f.Verdict, markdown.Text(f.Field), markdown.Text(strings.Join(f.Fixtures, ", ")))
			}
		}
		if n == 0 {
			return ""
		}
		return "| Verdict | Field | Fixtures |\n|---|---|---|\n" + rows.String() + "\n"
	}
	fmt.Fprint(b, table(false))
	if rows := table(true); rows != "" {
		fmt.Fprintf(b, "<details><summary>Fields that passed</summary>\n\n%s</details>\n\n", rows)
	}
}

// markdownFindings is a table of what is claimed and seen differently.
func markdownFindings(b *bytes.Buffer, r *reports.ConformanceReport) {
	if len(r.Findings) == 0 {
		return
	}
	fmt.Fprint(b, "### Where claims and observations differ\n\n| Finding | Subject | Observation |\n|---|---|---|\n")
	for i, f := range r.Findings {
		if i == markdown.MostRows {
			fmt.Fprintf(b, "\n… and %d more.\n", len(r.Findings)-i)
			break
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", f.Kind, markdown.Text(strings.TrimSpace(f.Profile+" "+f.Of)), markdown.Text(f.Message))
	}
	fmt.Fprintln(b)
}

// markdownSummary has the score of each feature and the causes of failures.
func markdownSummary(b *bytes.Buffer, r *reports.ConformanceReport) {
	list := causes(r)
	if len(list) == 0 {
		return
	}
	if board := scoreboard(r); len(board) > 0 {
		fmt.Fprintf(b, "### Features: %s\n\n| | Features |\n|---|---|\n", scores(board))
		for _, of := range standings() {
			if names := ofStanding(board, of); len(names) > 0 {
				fmt.Fprintf(b, "| %s | %s |\n", of, markdown.Text(strings.Join(names, ", ")))
			}
		}
		fmt.Fprintln(b)
	}
	fmt.Fprint(b, "### Failures by cause\n\n| Failures | Cause | Fixtures |\n|---|---|---|\n")
	for i, c := range list {
		if i == markdown.MostFailures {
			fmt.Fprintf(b, "\n… and %d more.\n", len(list)-i)
			break
		}
		count := fmt.Sprint(len(c.Fixtures))
		if !c.Counts {
			count += " (does not count)"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", count, markdown.Text(c.What), markdown.Text(someNames(c.Fixtures)))
	}
	fmt.Fprintln(b)
}

func markdownFailed(b *bytes.Buffer, r *reports.ConformanceReport) {
	n := 0
	for i := range r.Fixtures {
		f := &r.Fixtures[i]
		if f.Failure == nil {
			continue
		}
		n++
		if n == 1 {
			fmt.Fprint(b, "### Failures\n\n")
		}
		if n > markdown.MostFailures {
			continue
		}
		uncounted := ""
		if !r.Binds(f) {
			uncounted = " (" + f.Level + ", does not count)"
		}
		var told bytes.Buffer
		failure.Account(&told, f, r.Proven(f))
		fmt.Fprintf(b, "<details><summary><b>%s</b>%s: %s</summary>\n\n", markdown.HTML(f.Name), uncounted, markdown.HTML(f.Requirement))
		fmt.Fprintf(b, "%s\n\n", markdown.Fence(markdown.Cut(told.String(), markdown.MostAccount)))
		fmt.Fprint(b, "</details>\n\n")
	}
	if n > markdown.MostFailures {
		fmt.Fprintf(b, "… and %d more.\n\n", n-markdown.MostFailures)
	}
}

// markdownOthers lists what was not judged.
func markdownOthers(b *bytes.Buffer, r *reports.ConformanceReport) {
	n := 0
	for _, f := range r.Fixtures {
		if f.Verdict == reports.Pass || f.Verdict == reports.Fail {
			continue
		}
		n++
		if n == 1 {
			fmt.Fprint(b, "### Not judged\n\n| Fixture | Verdict | Reason |\n|---|---|---|\n")
		}
		if n <= markdown.MostRows {
			fmt.Fprintf(b, "| %s | %s | %s |\n", markdown.Text(f.Name), f.Verdict, markdown.Text(plain.Short(f.Reason)))
		}
	}
	if n > markdown.MostRows {
		fmt.Fprintf(b, "\n… and %d more.\n", n-markdown.MostRows)
	}
	if n > 0 {
		fmt.Fprintln(b)
	}
}

func markdownAll(b *bytes.Buffer, r *reports.ConformanceReport) {
	if len(r.Fixtures) == 0 {
		return
	}
	fmt.Fprintf(b, "<details><summary>All %d fixtures</summary>\n\n| Verdict | Fixture | Profile | Level | Time |\n|---|---|---|---|---|\n", len(r.Fixtures))
	for i, f := range r.Fixtures {
		if i == markdown.MostRows {
			fmt.Fprintf(b, "\n… and %d more.\n", len(r.Fixtures)-i)
			break
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", f.Verdict, markdown.Text(f.Name), markdown.Text(f.Profile), markdown.Text(f.Level), plain.Dash(f.Duration))
	}
	fmt.Fprint(b, "\n</details>\n\n")
}

func ratio(t reports.Tally) string {
	if t.Total == 0 {
		return "-"
	}
	return t.String()
}
