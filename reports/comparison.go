package reports

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Comparison is a Difference, a Gate or a Table: what comes of several reports.
type Comparison interface {
	// Render writes it in one of ComparisonFormats; a Table, in one of TableFormats.
	Render(w io.Writer, format string) error
}

var (
	_ Comparison = (*Difference)(nil)
	_ Comparison = (*Gate)(nil)
)

// ComparisonFormats lists the formats of comparisons.
func ComparisonFormats() []string {
	return []string{FormatTable, FormatJSON, FormatMarkdown, FormatGitHub}
}

// Render implements Comparison.
func (d *Difference) Render(w io.Writer, format string) error {
	people := shown(d)
	return render(w, format, d, people.table, people.markdown, people.github)
}

// Render implements Comparison.
func (g *Gate) Render(w io.Writer, format string) error {
	people := shown(g)
	return render(w, format, g, people.table, people.markdown, people.github)
}

func render(w io.Writer, format string, document any, table, markdown, github func(*bytes.Buffer)) error {
	var b bytes.Buffer
	switch format {
	case FormatTable, "":
		table(&b)
		return write(w, b.Bytes())
	case FormatMarkdown:
		markdown(&b)
		return write(w, b.Bytes())
	case FormatGitHub:
		github(&b)
	case FormatJSON:
		data, err := encode(document, "comparison")
		if err != nil {
			return err
		}
		b.Write(data)
	default:
		return fmt.Errorf("unknown format %q; use one of %v", format, ComparisonFormats())
	}
	_, err := w.Write(b.Bytes())
	return err
}

// name is the fixture's name, and the one that it had.
func (c *Change) name() string {
	if c.Was != "" {
		return c.Fixture + " (was " + c.Was + ")"
	}
	return c.Fixture
}

// verdicts are the two verdicts, - for none.
func (c *Change) verdicts() (a, b string) { return dash(string(c.A)), dash(string(c.B)) }

// tell tells why a change is none for the better, if the report knows.
func (c *Change) tell(b *bytes.Buffer) {
	switch {
	case c.Failure != nil:
		fmt.Fprintf(b, "FAIL %s: %s\n", c.Fixture, c.Requirement)
		account(b, &Fixture{Failure: c.Failure}, c.Proves)
		fmt.Fprintln(b)
	case c.Reason != "":
		fmt.Fprintf(b, "%s %s: %s\n\n", strings.ToUpper(string(c.B)), c.Fixture, hang(c.Reason))
	}
}

// sides are what the columns of the two reports are called.
type sides struct{ a, b string }

func rows(b *bytes.Buffer, list []Change, called sides) {
	if len(list) == 0 {
		return
	}
	w := tabwriter.NewWriter(b, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "CHANGE\tFIXTURE\tLEVEL\t%s\t%s\tEXPLAINED\n", strings.ToUpper(called.a), strings.ToUpper(called.b))
	for i := range list {
		c := &list[i]
		x, y := c.verdicts()
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", c.Change, c.name(), c.Level, x, y, dash(c.Why))
	}
	_ = w.Flush() // a bytes.Buffer takes everything
	fmt.Fprintln(b)
}

func (d *Difference) table(b *bytes.Buffer) {
	fmt.Fprintf(b, "A  %s\nB  %s\n", d.A, d.B)
	if d.A.Digest != d.B.Digest {
		fmt.Fprintln(b, "The suites differ: fixtures of the same name may have changed.")
	}
	fmt.Fprintln(b)
	rows(b, d.Changes, sides{"A", "B"})
	for i := range d.Changes {
		if d.Changes[i].Why == "" {
			d.Changes[i].tell(b)
		}
	}
	profileRows(b, d.Profiles)
	renamedRows(b, d.Renamed)
	for _, x := range d.Stale {
		fmt.Fprintf(b, "%s is explained, but does not differ that way\n", x.Fixture)
	}
	fmt.Fprintln(b, d.verdict())
}

func profileRows(b *bytes.Buffer, list []ProfileChange) {
	for _, p := range list {
		fmt.Fprintf(b, "%s: %s, was %s\n", p.Profile, dash(string(p.B)), dash(string(p.A)))
		for _, reason := range p.Reasons {
			fmt.Fprintf(b, "  %s\n", reason)
		}
	}
	if len(list) > 0 {
		fmt.Fprintln(b)
	}
}

func renamedRows(b *bytes.Buffer, list []Rename) {
	for _, r := range list {
		fmt.Fprintf(b, "renamed: %s is now %s\n", r.A, r.B)
	}
}

// verdict counts the changes in a line.
func (d *Difference) verdict() string {
	count := map[ChangeKind]int{}
	for _, c := range d.Changes {
		count[c.Change]++
	}
	words := map[ChangeKind]string{NewlyFailing: "newly failing", OnlyInA: "only in A", Changed: "with a changed verdict", OnlyInB: "only in B", NewlyPassing: "newly passing"}
	var parts []string
	for _, kind := range ChangeKinds() {
		if count[kind] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[kind], words[kind]))
		}
	}
	same := plural(d.Same, "fixture") + " with the same verdict in both"
	switch explained := len(d.Changes) > 0 && d.Unexplained == 0; {
	case explained:
		return "EXPLAINED: " + strings.Join(parts, ", ") + "; " + same
	case len(parts) > 0:
		text := "DIFFERENT: " + strings.Join(parts, ", ") + "; " + same
		if n := len(d.Changes) - d.Unexplained; n > 0 {
			text += fmt.Sprintf("; %d explained", n)
		}
		return text
	case d.Unexplained > 0:
		return "DIFFERENT: a profile's result; " + same
	}
	return "SAME: " + same
}

func (g *Gate) table(b *bytes.Buffer) {
	fmt.Fprintf(b, "baseline  %s\nreport    %s\n\n", g.Baseline, g.Report)
	rows(b, slices.Concat(g.Worse, g.New, g.Better), sides{"baseline", "report"})
	for i := range g.Worse {
		g.Worse[i].tell(b)
	}
	for _, line := range g.whole() {
		fmt.Fprintln(b, line)
	}
	profileRows(b, g.Profiles)
	renamedRows(b, g.Renamed)
	if g.Part != "" {
		fmt.Fprintln(b, g.Part)
	}
	if len(g.Known) > 0 {
		fmt.Fprintf(b, "failed before and still fails: %s\n", strings.Join(g.Known, ", "))
	}
	fmt.Fprintln(b, g.verdict())
}

// whole tells what is worse besides single fixtures: features that are lost, a run that broke.
func (g *Gate) whole() []string {
	var out []string
	for _, x := range g.Lost {
		line := fmt.Sprintf("lost: feature %s of %s is no longer claimed", x.Feature, x.Profile)
		if len(x.Fixtures) > 0 {
			line += "; it passed " + strings.Join(x.Fixtures, ", ")
		}
		out = append(out, line)
	}
	if x := g.Broken; x != nil {
		out = append(out, fmt.Sprintf("the run as a whole is worse: %s, was %s", x.B, x.A))
		for _, reason := range x.Reasons {
			out = append(out, "  "+reason)
		}
	}
	return out
}

// worse counts what makes the gate fail.
func (g *Gate) worse() int {
	n := len(g.Worse) + len(g.Lost) + len(g.Profiles)
	if g.Broken != nil {
		n++
	}
	return n
}

func (g *Gate) verdict() string {
	word := "PASSED"
	if !g.Passed {
		word = "FAILED"
	}
	text := fmt.Sprintf("%s: %d worse, %d better", word, g.worse(), len(g.Better))
	if len(g.New) > 0 {
		text += fmt.Sprintf(", %d new and not passing", len(g.New))
	}
	if len(g.Known) > 0 {
		text += fmt.Sprintf(", %d known", len(g.Known))
	}
	return text
}

func markdownChanges(b *bytes.Buffer, list []Change, called sides) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "| Change | Fixture | Level | %s | %s | Explained |\n|---|---|---|---|---|---|\n", called.a, called.b)
	for i := range list {
		if i == markdownRows {
			fmt.Fprintf(b, "\n… and %d more.\n", len(list)-i)
			break
		}
		c := &list[i]
		x, y := c.verdicts()
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", c.Change, text(c.name()), text(c.Level), x, y, text(dash(c.Why)))
	}
	fmt.Fprintln(b)
}

// markdownTold tells the changes for the worse, folded.
func markdownTold(b *bytes.Buffer, list []Change) {
	n := 0
	for i := range list {
		c := &list[i]
		var told bytes.Buffer
		if c.tell(&told); told.Len() == 0 || c.Why != "" {
			continue
		}
		if n++; n > markdownFailures {
			continue
		}
		fmt.Fprintf(b, "<details><summary><b>%s</b>: %s</summary>\n\n%s\n\n</details>\n\n", escapeHTML(c.Fixture), escapeHTML(c.Requirement), fence(cut(told.String(), markdownAccount)))
	}
	if n > markdownFailures {
		fmt.Fprintf(b, "… and %d more.\n\n", n-markdownFailures)
	}
}

func markdownProfiles(b *bytes.Buffer, list []ProfileChange) {
	for _, p := range list {
		fmt.Fprintf(b, "- %s: %s, was %s\n", text(p.Profile), dash(string(p.B)), dash(string(p.A)))
		for _, reason := range p.Reasons {
			fmt.Fprintf(b, "  - %s\n", text(reason))
		}
	}
	if len(list) > 0 {
		fmt.Fprintln(b)
	}
}

func markdownRenamed(b *bytes.Buffer, list []Rename) {
	for _, r := range list {
		fmt.Fprintf(b, "- renamed: %s is now %s\n", text(r.A), text(r.B))
	}
	if len(list) > 0 {
		fmt.Fprintln(b)
	}
}

func (d *Difference) markdown(b *bytes.Buffer) {
	fmt.Fprintf(b, "## %s %s\n\n- A: %s\n- B: %s\n\n", badge(d.Unexplained == 0, d.Unexplained > 0), text(d.verdict()), text(d.A.String()), text(d.B.String()))
	markdownChanges(b, d.Changes, sides{"A", "B"})
	markdownTold(b, d.Changes)
	markdownProfiles(b, d.Profiles)
	markdownRenamed(b, d.Renamed)
	for _, x := range d.Stale {
		fmt.Fprintf(b, "- %s is explained, but does not differ that way\n", text(x.Fixture))
	}
}

func (g *Gate) markdown(b *bytes.Buffer) {
	fmt.Fprintf(b, "## %s Gate %s\n\n- baseline: %s\n- report: %s\n\n", badge(g.Passed, !g.Passed), text(g.verdict()), text(g.Baseline.String()), text(g.Report.String()))
	markdownChanges(b, slices.Concat(g.Worse, g.New, g.Better), sides{"Baseline", "Report"})
	markdownTold(b, g.Worse)
	for _, line := range g.whole() {
		mark := "- "
		if strings.HasPrefix(line, " ") {
			mark = "  - "
		}
		fmt.Fprintln(b, mark+text(line))
	}
	if g.Lost != nil || g.Broken != nil {
		fmt.Fprintln(b)
	}
	markdownProfiles(b, g.Profiles)
	markdownRenamed(b, g.Renamed)
	if g.Part != "" {
		fmt.Fprintf(b, "%s\n\n", text(g.Part))
	}
	if len(g.Known) > 0 {
		fmt.Fprintf(b, "Failed before and still fails: %s\n", text(strings.Join(g.Known, ", ")))
	}
}

// annotateChange writes a workflow command for a change.
func annotateChange(b *bytes.Buffer, level string, c *Change) {
	x, y := c.verdicts()
	at, lines := c.File, []string{fmt.Sprintf("%s: %s, was %s", c.Change, y, x)}
	if c.Failure != nil {
		at = c.Failure.At
		lines = append(lines, pointed(&Fixture{Requirement: c.Requirement, Failure: c.Failure}, c.Proves)...)
	} else if c.Reason != "" {
		lines = append(lines, c.Reason)
	}
	annotate(b, level, at, c.name()+" ("+c.Level+")", lines...)
}

func (d *Difference) github(b *bytes.Buffer) {
	for i := range d.Changes {
		if d.Changes[i].Why == "" {
			annotateChange(b, "warning", &d.Changes[i])
		}
	}
	level := "notice"
	if d.Unexplained > 0 {
		level = "error"
	}
	annotate(b, level, "", "reports", d.verdict())
}

func (g *Gate) github(b *bytes.Buffer) {
	for i := range g.Worse {
		annotateChange(b, "error", &g.Worse[i])
	}
	for i := range g.New {
		annotateChange(b, "warning", &g.New[i])
	}
	level := "notice"
	if !g.Passed {
		level = "error"
	}
	profiles := g.whole()
	for _, p := range g.Profiles {
		profiles = append(profiles, p.Profile+": "+dash(string(p.B))+", was "+dash(string(p.A)))
	}
	if g.Part != "" {
		profiles = append(profiles, g.Part)
	}
	annotate(b, level, "", "gate", append([]string{g.verdict()}, profiles...)...)
}

// plural renders "1 fixture", "3 fixtures".
func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
