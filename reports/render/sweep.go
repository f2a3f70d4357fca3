package render

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/annotation"
	"github.com/plumbline-ci/plumbline/reports/internal/failure"
	"github.com/plumbline-ci/plumbline/reports/internal/formats"
	"github.com/plumbline-ci/plumbline/reports/internal/harmless"
	"github.com/plumbline-ci/plumbline/reports/internal/markdown"
	"github.com/plumbline-ci/plumbline/reports/internal/plain"
)

// mostTrace is how many lines of a trace are shown.
const mostTrace = 25

// SweepFormats lists the formats of a SweepReport.
func SweepFormats() []string {
	return []string{FormatTable, FormatJSON, FormatJUnit, FormatMarkdown, FormatGitHub}
}

// Sweep writes a SweepReport in one of the SweepFormats. took is how long each fixture took by the clock, all its runs
// together. Only JUnit shows it; it may be nil.
func Sweep(w io.Writer, report *reports.SweepReport, format string, took map[string]time.Duration) error {
	people := sweep{harmless.Copy(report)}
	if format == FormatJUnit {
		return people.junit(w, took)
	}
	return formats.Write(w, format, SweepFormats(), formats.Forms{Document: report, Table: people.table, Markdown: people.markdown, GitHub: people.github})
}

// sweep is a SweepReport for people.
type sweep struct{ *reports.SweepReport }

// of returns the breaches of a fixture.
func (s sweep) of(fixture string) []*reports.Breach {
	var out []*reports.Breach
	for i := range s.Breaches {
		if s.Breaches[i].Fixture == fixture {
			out = append(out, &s.Breaches[i])
		}
	}
	return out
}

// breachHeadline describes a breach in one line.
func breachHeadline(b *reports.Breach) string {
	switch {
	case b.Violation != nil:
		return b.Violation.Rule + ": " + b.Violation.Object + ": " + plain.FirstLine(b.Violation.Message)
	case b.Failure != nil:
		return failure.Headline(b.Failure)
	}
	return plain.FirstLine(b.Reason)
}

func (s sweep) table(b *bytes.Buffer) {
	for i := range s.Breaches {
		s.breach(b, &s.Breaches[i])
		fmt.Fprintln(b)
	}
	for _, reason := range s.Reasons {
		fmt.Fprintln(b, reason)
	}
	fmt.Fprintln(b, s.verdict())
	if s.Skipped > 0 {
		fmt.Fprintf(b, "%d fixtures do not apply\n", s.Skipped)
	}
}

// verdict is the result in a line.
func (s sweep) verdict() string {
	what := "every fixture met its expectations"
	switch {
	case len(s.Breaches) > 0:
		what = fmt.Sprintf("%d did not pass", len(s.Breaches))
		if s.Result != reports.Incomplete && s.Schedules < max(s.Planned, len(s.Fixtures)*s.Seeds) {
			what += ", and the sweep ended there"
		}
	case s.Result == reports.Incomplete:
		what = "everything that was run passed"
	case s.Schedules == 0:
		what = "no fixture applies"
	case s.RandomFaults:
		of := ""
		if s.Trouble != "" {
			of = " (" + s.Trouble + ")"
		}
		what = fmt.Sprintf("%d faults%s struck; all invariants held, and every run ended properly", s.Struck, of)
	}
	return fmt.Sprintf("%s: %d schedules, %d fixtures under the seeds %d to %d: %s", strings.ToUpper(string(s.Result)), s.Schedules, len(s.Fixtures), s.FirstSeed, s.FirstSeed+uint64(max(s.Seeds, 1))-1, what)
}

// proven returns the statements that a fixture proves.
func (s sweep) proven(fixture string) []reports.Statement {
	var out []reports.Statement
	for _, f := range s.Fixtures {
		for _, x := range s.Statements {
			if f.Name == fixture && slices.Contains(f.Proves, x.ID) {
				out = append(out, x)
			}
		}
	}
	return out
}

// breach describes one run that did not pass.
func (s sweep) breach(b *bytes.Buffer, x *reports.Breach) {
	order := ""
	if x.Permuted {
		order = ", tasks in another order"
	}
	fmt.Fprintf(b, "%s of %s, seed %d%s\n", x.Verdict, x.Fixture, x.Seed, order)
	switch f := x.Failure; {
	case x.Violation != nil:
		fmt.Fprintf(b, "  invariant  %s\n  object     %s\n  saw        %s\n", x.Violation.Rule, x.Violation.Object, plain.Hang(x.Violation.Message))
	case f != nil:
		fmt.Fprintf(b, "  check      %s at %s\n  saw        %s\n", f.Check, f.At, plain.Hang(f.Message))
		if f.Path != "" {
			fmt.Fprintf(b, "  path       %s\n  want       %s\n  got        %s\n", f.Path, plain.Hang(f.Want), plain.Hang(f.Got))
		}
	default:
		fmt.Fprintf(b, "  because    %s\n", plain.Hang(x.Reason))
	}
	for _, p := range s.proven(x.Fixture) {
		fmt.Fprintf(b, "  source     %s (%s): %s\n", p.ID, p.Source, p.Text)
	}
	if s.RandomFaults {
		plain.Block(b, fmt.Sprintf("faults, %d of %d drawn", len(x.Faults), x.Drawn), strings.Join(x.Faults, "\n"))
		plain.Block(b, "what they hit", strings.Join(x.Strikes, "\n"))
	}
	if x.Failure != nil {
		plain.Block(b, "history", strings.Join(x.Failure.History, "\n"))
	}
	plain.Block(b, "trace", strings.Join(x.Trace[max(0, len(x.Trace)-mostTrace):], "\n"))
	plain.Block(b, "see it again", x.Replay)
}

func (s sweep) markdown(b *bytes.Buffer) {
	fmt.Fprintf(b, "## %s %s\n\n", markdown.Badge(s.Result == reports.Passed, s.Result == reports.Failed || s.Result == reports.Errored), markdown.Text(s.verdict()))
	for _, reason := range s.Reasons {
		fmt.Fprintf(b, "- %s\n", markdown.Text(reason))
	}
	if len(s.Reasons) > 0 {
		fmt.Fprintln(b)
	}
	for i := range s.Breaches {
		x := &s.Breaches[i]
		if i == markdown.MostFailures {
			fmt.Fprintf(b, "… and %d more.\n\n", len(s.Breaches)-i)
			break
		}
		var told bytes.Buffer
		s.breach(&told, x)
		fmt.Fprintf(b, "<details><summary><b>%s</b>, seed %d: %s</summary>\n\n%s\n\n</details>\n\n", markdown.HTML(x.Fixture), x.Seed, markdown.HTML(breachHeadline(x)), markdown.Fence(markdown.Cut(told.String(), markdown.MostAccount)))
	}
	fmt.Fprintf(b, "<details><summary>All %d fixtures</summary>\n\n| Fixture | Level | Schedules | Did not pass |\n|---|---|---|---|\n", len(s.Fixtures))
	for i, f := range s.Fixtures {
		if i == markdown.MostRows {
			fmt.Fprintf(b, "\n… and %d more.\n", len(s.Fixtures)-i)
			break
		}
		fmt.Fprintf(b, "| %s | %s | %d | %d |\n", markdown.Text(f.Name), markdown.Text(f.Level), f.Schedules, f.Breaches)
	}
	fmt.Fprint(b, "\n</details>\n")
}

func (s sweep) github(b *bytes.Buffer) {
	for _, f := range s.Fixtures {
		for _, x := range s.of(f.Name) {
			at := f.File
			if x.Failure != nil {
				at = x.Failure.At
			}
			lines := []string{f.Requirement, breachHeadline(x), "replay: " + x.Replay}
			for _, p := range s.proven(f.Name) {
				lines = append(lines, fmt.Sprintf("%s (%s): %s", p.ID, p.Source, p.Text))
			}
			annotation.Write(b, "error", at, fmt.Sprintf("%s, seed %d", f.Name, x.Seed), lines...)
		}
	}
	level := "notice"
	if s.Result != reports.Passed {
		level = "error"
	}
	annotation.Write(b, level, "", "sweep: "+string(s.Result), append([]string{s.verdict()}, s.Reasons...)...)
}

// breachPlace is the place of the check that failed, if one did.
func breachPlace(b *reports.Breach) string {
	if b.Failure == nil {
		return ""
	}
	return b.Failure.At
}
