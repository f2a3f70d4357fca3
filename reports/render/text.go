package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/failure"
	"github.com/plumbline-ci/plumbline/reports/internal/harmless"
	"github.com/plumbline-ci/plumbline/reports/internal/plain"
	"github.com/plumbline-ci/plumbline/reports/visible"
)

// Text renders a table, the failures in full, and the verdict as its last line.
type Text struct {
	// Wide adds columns, and the reasons of everything that was not judged.
	Wide bool
	// Style, if set, marks up a cell or word of this verdict or result: with colour, say. It must not change the visible width.
	Style func(word, text string) string
}

// Render implements Renderer.
func (t Text) Render(w io.Writer, r *reports.ConformanceReport) error {
	r = harmless.Copy(r)
	var b bytes.Buffer
	t.table(&b, r)
	for i := range r.Fixtures {
		t.fixture(&b, &r.Fixtures[i], r.Proven(&r.Fixtures[i]))
	}
	summary(&b, r)
	t.profiles(&b, r)
	t.policy(&b, r)
	findings(&b, r)
	t.verdict(&b, r)
	return harmless.Write(w, b.Bytes())
}

func (t Text) style(word, text string) string {
	if t.Style == nil {
		return text
	}
	return t.Style(word, text)
}

func (t Text) table(b *bytes.Buffer, r *reports.ConformanceReport) {
	if len(r.Fixtures) == 0 {
		return
	}
	header := []string{"VERDICT", "FIXTURE", "PROFILE", "LEVEL", "TIME"}
	if t.Wide {
		header = append(header, "COMPONENT", "FEATURES", "PROVES", "FILE")
	}
	rows := [][]string{header}
	for _, f := range r.Fixtures {
		row := []string{string(f.Verdict), f.Name, f.Profile, f.Level, plain.Dash(f.Duration)}
		if t.Wide {
			row = append(row, f.Component, plain.Dash(strings.Join(f.Features, ",")), plain.Dash(strings.Join(f.Proves, ",")), f.File)
		}
		rows = append(rows, row)
	}
	widths := make([]int, len(header))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2)
			if i == 0 && n > 0 {
				cell = t.style(cell, cell)
			}
			line.WriteString(cell + pad)
		}
		fmt.Fprintln(b, strings.TrimRight(line.String(), " "))
	}
	fmt.Fprintln(b)
}

// Explain renders the account of one fixture: its failure in full, or the reason for its verdict.
// proven are the statements that it proves.
func Explain(f *reports.Fixture, proven ...reports.Statement) string {
	one := harmless.Copy(&reports.ConformanceReport{Fixtures: []reports.Fixture{*f}, Statements: proven})
	var b bytes.Buffer
	Text{Wide: true}.fixture(&b, &one.Fixtures[0], one.Statements)
	return strings.TrimRight(string(visible.Commands(b.Bytes())), "\n")
}

// fixture writes what does not fit into the table.
func (t Text) fixture(b *bytes.Buffer, f *reports.Fixture, proven []reports.Statement) {
	switch {
	case f.Failure != nil:
		fmt.Fprintf(b, "%s %s: %s\n", t.style(string(f.Verdict), "FAIL"), f.Name, f.Requirement)
		failure.Account(b, f, proven)
		fmt.Fprintln(b)
	case f.Verdict == reports.Error || f.Verdict == reports.Excluded || t.Wide && f.Reason != "":
		fmt.Fprintf(b, "%s %s: %s\n", t.style(string(f.Verdict), strings.ToUpper(string(f.Verdict))), f.Name, plain.Hang(f.Reason))
		fmt.Fprintln(b)
	}
}

func (t Text) profiles(b *bytes.Buffer, r *reports.ConformanceReport) {
	for _, p := range r.Profiles {
		fmt.Fprintf(b, "%s: %s\n", p.Name, t.style(string(p.Result), string(p.Result)))
		for _, level := range []struct {
			name  string
			tally reports.Tally
		}{{"required", p.Required}, {"recommended", p.Recommended}, {"reference", p.Reference}} {
			if level.tally.Total > 0 {
				fmt.Fprintf(b, "  %-12s %s\n", level.name, level.tally)
			}
		}
		if len(p.Missing) > 0 {
			fmt.Fprintf(b, "  mandatory features not claimed: %s\n", strings.Join(p.Missing, ", "))
		}
	}
	if len(r.Profiles) > 0 {
		fmt.Fprintln(b)
	}
}

// policy tells what was shown of the fields of a policy: all of them if the table is wide, otherwise those that did not pass.
func (t Text) policy(b *bytes.Buffer, r *reports.ConformanceReport) {
	p := r.Policy
	if p == nil {
		return
	}
	fmt.Fprintf(b, "policy %s: %s\n", p.Name, t.style(string(p.Result), string(p.Result)))
	for _, line := range []string{p.Title, p.Source} {
		if line != "" {
			fmt.Fprintf(b, "  %s\n", line)
		}
	}
	for _, f := range p.Fields {
		if t.Wide || f.Verdict != reports.Pass {
			fmt.Fprintf(b, "  %s  %s (%s)\n", t.style(string(f.Verdict), fmt.Sprintf("%-11s", f.Verdict)), f.Field, strings.Join(f.Fixtures, ", "))
		}
	}
	fmt.Fprintf(b, "  %s\n\n", p)
}

// findings lists the differences between claims and observations.
func findings(b *bytes.Buffer, r *reports.ConformanceReport) {
	if len(r.Findings) == 0 {
		return
	}
	fmt.Fprintln(b, "findings")
	for _, f := range r.Findings {
		fmt.Fprintf(b, "  %s\n", f.Message)
	}
	fmt.Fprintln(b)
}

func (t Text) verdict(b *bytes.Buffer, r *reports.ConformanceReport) {
	about := r.Implementation.Project
	if r.Implementation.Version != "" {
		about += " " + r.Implementation.Version
	}
	fmt.Fprintf(b, "%s on %s", strings.TrimSpace(about), r.Target.Name)
	if r.Target.KubernetesVersion != "" {
		fmt.Fprintf(b, " (Kubernetes %s)", r.Target.KubernetesVersion)
	}
	if r.Seed != nil {
		fmt.Fprintf(b, ", seed %d", *r.Seed)
	}
	if r.TraceHash != "" {
		fmt.Fprintf(b, ", trace %.16s", r.TraceHash)
	}
	fmt.Fprintln(b)
	if len(r.Target.Substituted) > 0 {
		fmt.Fprintf(b, "  not the implementation's own here, and not judged: %s\n", strings.Join(r.Target.Substituted, ", "))
	}
	for _, reason := range r.Reasons {
		fmt.Fprintf(b, "  %s\n", reason)
	}
	var total reports.Tally
	for _, f := range r.Fixtures {
		total.Add(f.Verdict)
	}
	fmt.Fprintf(b, "%s: %s", t.style(string(r.Result), strings.ToUpper(string(r.Result))), total)
	switch {
	case r.Policy != nil:
		fmt.Fprintf(b, "; judged by policy %s, and by nothing else", r.Policy.Name)
	case r.Selection != nil:
		fmt.Fprintf(b, "; %d of %d fixtures selected by %s, which does not judge a profile", r.Selection.Selected, r.Selection.Of, r.Selection.Filter)
	}
	fmt.Fprintln(b)
}
