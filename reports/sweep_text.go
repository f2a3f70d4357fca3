package reports

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// mostTrace is how many lines of a trace are shown.
const mostTrace = 25

func (s *SweepReport) table(b *bytes.Buffer) {
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
func (s *SweepReport) verdict() string {
	what := "every fixture met its expectations"
	switch {
	case len(s.Breaches) > 0:
		what = fmt.Sprintf("%d did not pass", len(s.Breaches))
		if s.Result != Incomplete && s.Schedules < len(s.Fixtures)*s.Seeds {
			what += ", and the sweep ended there"
		}
	case s.Result == Incomplete:
		what = "everything that was run passed"
	case s.Schedules == 0:
		what = "no fixture applies"
	case s.RandomFaults:
		what = fmt.Sprintf("%d faults struck; all invariants held, and every run ended properly", s.Struck)
	}
	return fmt.Sprintf("%s: %d schedules, %d fixtures under the seeds %d to %d: %s", strings.ToUpper(string(s.Result)), s.Schedules, len(s.Fixtures), s.FirstSeed, s.FirstSeed+uint64(max(s.Seeds, 1))-1, what)
}

// proven returns the statements that a fixture proves.
func (s *SweepReport) proven(fixture string) []Statement {
	var out []Statement
	for _, f := range s.Fixtures {
		for _, x := range s.Statements {
			if f.Name == fixture && slices.Contains(f.Proves, x.ID) {
				out = append(out, x)
			}
		}
	}
	return out
}

// breach tells of one run that did not pass.
func (s *SweepReport) breach(b *bytes.Buffer, x *Breach) {
	fmt.Fprintf(b, "%s of %s, seed %d\n", x.Verdict, x.Fixture, x.Seed)
	switch f := x.Failure; {
	case x.Violation != nil:
		fmt.Fprintf(b, "  invariant  %s\n  object     %s\n  saw        %s\n", x.Violation.Rule, x.Violation.Object, hang(x.Violation.Message))
	case f != nil:
		fmt.Fprintf(b, "  check      %s at %s\n  saw        %s\n", f.Check, f.At, hang(f.Message))
		if f.Path != "" {
			fmt.Fprintf(b, "  path       %s\n  want       %s\n  got        %s\n", f.Path, hang(f.Want), hang(f.Got))
		}
	default:
		fmt.Fprintf(b, "  because    %s\n", hang(x.Reason))
	}
	for _, p := range s.proven(x.Fixture) {
		fmt.Fprintf(b, "  source     %s (%s): %s\n", p.ID, p.Source, p.Text)
	}
	if s.RandomFaults {
		block(b, fmt.Sprintf("faults, %d of %d drawn", len(x.Faults), x.Drawn), strings.Join(x.Faults, "\n"))
		block(b, "what they hit", strings.Join(x.Strikes, "\n"))
	}
	if x.Failure != nil {
		block(b, "history", strings.Join(x.Failure.History, "\n"))
	}
	block(b, "trace", strings.Join(x.Trace[max(0, len(x.Trace)-mostTrace):], "\n"))
	block(b, "see it again", x.Replay)
}

func (s *SweepReport) markdown(b *bytes.Buffer) {
	fmt.Fprintf(b, "## %s %s\n\n", badge(s.Result == Passed, s.Result == Failed || s.Result == Errored), text(s.verdict()))
	for _, reason := range s.Reasons {
		fmt.Fprintf(b, "- %s\n", text(reason))
	}
	if len(s.Reasons) > 0 {
		fmt.Fprintln(b)
	}
	for i := range s.Breaches {
		x := &s.Breaches[i]
		if i == markdownFailures {
			fmt.Fprintf(b, "… and %d more.\n\n", len(s.Breaches)-i)
			break
		}
		var told bytes.Buffer
		s.breach(&told, x)
		fmt.Fprintf(b, "<details><summary><b>%s</b>, seed %d: %s</summary>\n\n%s\n\n</details>\n\n", escapeHTML(x.Fixture), x.Seed, escapeHTML(x.headline()), fence(cut(told.String(), markdownAccount)))
	}
	fmt.Fprintf(b, "<details><summary>All %d fixtures</summary>\n\n| Fixture | Level | Schedules | Did not pass |\n|---|---|---|---|\n", len(s.Fixtures))
	for i, f := range s.Fixtures {
		if i == markdownRows {
			fmt.Fprintf(b, "\n… and %d more.\n", len(s.Fixtures)-i)
			break
		}
		fmt.Fprintf(b, "| %s | %s | %d | %d |\n", text(f.Name), text(f.Level), f.Schedules, f.Breaches)
	}
	fmt.Fprint(b, "\n</details>\n")
}

func (s *SweepReport) github(b *bytes.Buffer) {
	for _, f := range s.Fixtures {
		for _, x := range s.of(f.Name) {
			at := f.File
			if x.Failure != nil {
				at = x.Failure.At
			}
			lines := []string{f.Requirement, x.headline(), "replay: " + x.Replay}
			for _, p := range s.proven(f.Name) {
				lines = append(lines, fmt.Sprintf("%s (%s): %s", p.ID, p.Source, p.Text))
			}
			annotate(b, "error", at, fmt.Sprintf("%s, seed %d", f.Name, x.Seed), lines...)
		}
	}
	level := "notice"
	if s.Result != Passed {
		level = "error"
	}
	annotate(b, level, "", "sweep: "+string(s.Result), append([]string{s.verdict()}, s.Reasons...)...)
}

// JUnit writes JUnit XML: a suite for each profile, a case for each fixture under all its seeds. took is how long the
// fixtures took by the clock, all their runs together.
func (s *SweepReport) JUnit(w io.Writer, took map[string]time.Duration) error {
	return shown(s).junit(w, took)
}

func (s *SweepReport) junit(w io.Writer, took map[string]time.Duration) error {
	all := junitSuites{Name: "sweep of " + about(&ConformanceReport{Implementation: s.Implementation, Target: s.Target})}
	run := []junitProperty{{"implementation", s.Implementation.Project}, {"implementation version", s.Implementation.Version}, {"suite", s.Suite.Version},
		{"suite digest", s.Suite.Digest}, {"target", s.Target.Name}, {"first seed", fmt.Sprint(s.FirstSeed)}, {"seeds", fmt.Sprint(s.Seeds)},
		{"random faults", fmt.Sprint(s.RandomFaults)}, {"result", string(s.Result)}}
	told := strings.Join(append([]string{s.verdict()}, s.Reasons...), "\n") + "\n"
	places := map[string]int{}
	for _, f := range s.Fixtures {
		at, there := places[f.Profile]
		if !there {
			at = len(all.Suites)
			places[f.Profile] = at
			all.Suites = append(all.Suites, junitSuite{Name: f.Profile, Properties: run, Output: &junitText{told}})
		}
		suite := &all.Suites[at]
		c := junitCase{Class: f.Profile, Name: f.Name, File: f.File, Line: 1,
			Properties: &junitProperties{[]junitProperty{{"schedules", fmt.Sprint(f.Schedules)}}}, Output: &junitText{"requirement: " + f.Requirement + "\n"}}
		if d, ok := took[f.Name]; ok {
			c.Time = seconds(d)
			suite.took += d
			suite.timed = true
		}
		s.judge(suite, &c, f)
		suite.Tests++
		suite.Cases = append(suite.Cases, c)
	}
	if len(all.Suites) == 0 { // there is no test, and still something to tell
		all.Suites = []junitSuite{{Name: "plumbline", Properties: run, Output: &junitText{told}}}
	}
	return all.render(w)
}

// judge gives a case its verdict.
func (s *SweepReport) judge(suite *junitSuite, c *junitCase, f SweepFixture) {
	list := s.of(f.Name)
	if len(list) == 0 {
		if f.Schedules == 0 {
			c.Skipped = &junitState{Message: "not run: the sweep ended first", Type: string(NotRun)}
			suite.Skipped++
		}
		return
	}
	var account bytes.Buffer
	broke := true
	for _, x := range list {
		s.breach(&account, x)
		broke = broke && x.Verdict == Error
		if file, line, _ := place(x.at()); file == f.File && line > 0 {
			c.Line = line
		}
	}
	state := &junitState{Message: fmt.Sprintf("%d of %d schedules did not pass; seed %d: %s", len(list), f.Schedules, list[0].Seed, list[0].headline()), Type: string(list[0].Verdict), Text: account.String()}
	if broke {
		c.Error = state
		suite.Errors++
		return
	}
	c.Failure = state
	suite.Failures++
}

// at is the place of the check that failed, if one did.
func (b *Breach) at() string {
	if b.Failure == nil {
		return ""
	}
	return b.Failure.At
}
