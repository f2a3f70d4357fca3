package compare

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/failure"
	"github.com/plumbline-ci/plumbline/reports/internal/formats"
	"github.com/plumbline-ci/plumbline/reports/internal/harmless"
	"github.com/plumbline-ci/plumbline/reports/internal/plain"
)

// Formats lists the formats of comparisons.
func Formats() []string {
	return []string{formats.Table, formats.JSON, formats.Markdown, formats.GitHub}
}

// Render writes it in one of the Formats.
func (d *Difference) Render(w io.Writer, format string) error {
	people := harmless.Copy(d)
	return formats.Write(w, format, Formats(), formats.Forms{Document: d, Table: people.table, Markdown: people.markdown, GitHub: people.github})
}

// Render writes it in one of the Formats.
func (g *Gate) Render(w io.Writer, format string) error {
	people := harmless.Copy(g)
	return formats.Write(w, format, Formats(), formats.Forms{Document: g, Table: people.table, Markdown: people.markdown, GitHub: people.github})
}

// name is the fixture's name, and the one that it had.
func (c *Change) name() string {
	if c.Was != "" {
		return c.Fixture + " (was " + c.Was + ")"
	}
	return c.Fixture
}

// verdicts are the two verdicts, - for none.
func (c *Change) verdicts() (a, b string) { return plain.Dash(string(c.A)), plain.Dash(string(c.B)) }

// tell writes why a fixture does not pass, if the report says so.
func (c *Change) tell(b *bytes.Buffer) {
	switch {
	case c.Failure != nil:
		fmt.Fprintf(b, "FAIL %s: %s\n", c.Fixture, c.Requirement)
		failure.Account(b, &reports.Fixture{Failure: c.Failure}, c.Proves)
		fmt.Fprintln(b)
	case c.Reason != "":
		fmt.Fprintf(b, "%s %s: %s\n\n", strings.ToUpper(string(c.B)), c.Fixture, plain.Hang(c.Reason))
	}
}

// sides are the names of the columns of the two reports.
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
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", c.Change, c.name(), c.Level, x, y, plain.Dash(c.Why))
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
		fmt.Fprintf(b, "%s: %s, was %s\n", p.Profile, plain.Dash(string(p.B)), plain.Dash(string(p.A)))
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
	for _, kind := range changeKinds() {
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

// whole lists what is worse besides single fixtures: lost features, and a run that broke.
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

// plural renders "1 fixture", "3 fixtures".
func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
