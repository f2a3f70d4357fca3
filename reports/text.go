package reports

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

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
func (t Text) Render(w io.Writer, r *ConformanceReport) error {
	r = shown(r)
	var b bytes.Buffer
	t.table(&b, r)
	for i := range r.Fixtures {
		t.fixture(&b, &r.Fixtures[i], r.Proven(&r.Fixtures[i]))
	}
	summary(&b, r)
	t.profiles(&b, r)
	findings(&b, r)
	t.verdict(&b, r)
	return write(w, b.Bytes())
}

func (t Text) style(word, text string) string {
	if t.Style == nil {
		return text
	}
	return t.Style(word, text)
}

func (t Text) table(b *bytes.Buffer, r *ConformanceReport) {
	if len(r.Fixtures) == 0 {
		return
	}
	header := []string{"VERDICT", "FIXTURE", "PROFILE", "LEVEL", "TIME"}
	if t.Wide {
		header = append(header, "COMPONENT", "FEATURES", "PROVES", "FILE")
	}
	rows := [][]string{header}
	for _, f := range r.Fixtures {
		row := []string{string(f.Verdict), f.Name, f.Profile, f.Level, dash(f.Duration)}
		if t.Wide {
			row = append(row, f.Component, dash(strings.Join(f.Features, ",")), dash(strings.Join(f.Proves, ",")), f.File)
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

// Explain renders the account of one fixture: its failure in full, or the reason of its verdict.
// proven are the statements that it proves.
func Explain(f *Fixture, proven ...Statement) string {
	one := shown(&ConformanceReport{Fixtures: []Fixture{*f}, Statements: proven})
	var b bytes.Buffer
	Text{Wide: true}.fixture(&b, &one.Fixtures[0], one.Statements)
	return strings.TrimRight(string(visible.Commands(b.Bytes())), "\n")
}

// fixture tells what the table has no room for.
func (t Text) fixture(b *bytes.Buffer, f *Fixture, proven []Statement) {
	switch {
	case f.Failure != nil:
		fmt.Fprintf(b, "%s %s: %s\n", t.style(string(f.Verdict), "FAIL"), f.Name, f.Requirement)
		account(b, f, proven)
		fmt.Fprintln(b)
	case f.Verdict == Error || f.Verdict == Excluded || t.Wide && f.Reason != "":
		fmt.Fprintf(b, "%s %s: %s\n", t.style(string(f.Verdict), strings.ToUpper(string(f.Verdict))), f.Name, hang(f.Reason))
		fmt.Fprintln(b)
	}
}

// account tells a failure, indented by two.
func account(b *bytes.Buffer, f *Fixture, proven []Statement) {
	x := f.Failure
	fmt.Fprintf(b, "  %s: %s: %s\n", x.At, x.Check, hang(x.Message))
	for _, s := range proven {
		fmt.Fprintf(b, "  source  %s (%s): %s\n", s.ID, s.Source, s.Text)
	}
	if x.Object != "" {
		fmt.Fprintf(b, "  object  %s\n", x.Object)
	}
	if x.Path != "" {
		fmt.Fprintf(b, "  path    %s\n", x.Path)
	}
	if x.Want != "" || x.Got != "" {
		fmt.Fprintf(b, "  want    %s\n", hang(x.Want))
		fmt.Fprintf(b, "  got     %s\n", hang(x.Got))
	}
	block(b, "diff (-want +got)", x.Diff)
	block(b, "history", strings.Join(x.History, "\n"))
	block(b, "events", strings.Join(x.Events, "\n"))
	for _, l := range x.Logs {
		block(b, "log of "+l.Pod+" "+l.Container, l.text())
	}
	if len(x.Missing) > 0 {
		var lines []string
		for _, m := range x.Missing {
			lines = append(lines, m.String())
		}
		block(b, "missing commands", strings.Join(lines, "\n"))
		block(b, "mocks for the fixture's spec", MocksFor(x.Missing))
	}
	if x.Seed != nil {
		fmt.Fprintf(b, "  seed    %d\n", *x.Seed)
	}
	if x.Replay != "" {
		fmt.Fprintf(b, "  replay  %s\n", x.Replay)
	}
}

// text is the log, or that there is none.
func (l Log) text() string {
	if l.Text == "" {
		return "(nothing)"
	}
	return l.Text
}

func block(b *bytes.Buffer, title, text string) {
	if text == "" {
		return
	}
	fmt.Fprintf(b, "  %s\n", title)
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintf(b, "    %s\n", line)
	}
}

func (t Text) profiles(b *bytes.Buffer, r *ConformanceReport) {
	for _, p := range r.Profiles {
		fmt.Fprintf(b, "%s: %s\n", p.Name, t.style(string(p.Result), string(p.Result)))
		for _, level := range []struct {
			name  string
			tally Tally
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

// findings tells where claims and what was seen differ.
func findings(b *bytes.Buffer, r *ConformanceReport) {
	if len(r.Findings) == 0 {
		return
	}
	fmt.Fprintln(b, "findings")
	for _, f := range r.Findings {
		fmt.Fprintf(b, "  %s\n", f.Message)
	}
	fmt.Fprintln(b)
}

// String renders "3 of 5 passed, 1 failed, 1 unsupported".
func (t Tally) String() string {
	text := fmt.Sprintf("%d of %d passed", t.Pass, t.Total)
	for _, part := range []struct {
		n    int
		word string
	}{{t.Fail, "failed"}, {t.Error, "broke"}, {t.Unsupported, "unsupported"}, {t.NotOnThisTarget, "not on this target"}, {t.Excluded, "excluded"}, {t.NotRun, "not run"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.word)
		}
	}
	return text
}

func (t Text) verdict(b *bytes.Buffer, r *ConformanceReport) {
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
	var total Tally
	for _, f := range r.Fixtures {
		total.Add(f.Verdict)
	}
	fmt.Fprintf(b, "%s: %s", t.style(string(r.Result), strings.ToUpper(string(r.Result))), total)
	if r.Selection != nil {
		fmt.Fprintf(b, "; %d of %d fixtures selected by %s, which does not judge a profile", r.Selection.Selected, r.Selection.Of, r.Selection.Filter)
	}
	fmt.Fprintln(b)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
