package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/compare"
	"github.com/plumbline-ci/plumbline/reports/render"
)

func newReport(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Show and compare reports",
		Long: `Show and compare the reports that run writes.

Reports may be JSON or YAML; - is standard input.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newReportShow(s), newReportCompare(s), newReportDiff(s), newReportGate(s))
	return cmd
}

func newReportShow(s Streams) *cobra.Command {
	var (
		output string
		also   []string
	)
	cmd := &cobra.Command{
		Use:   "show FILE|-",
		Short: "Show a report in another format",
		Long:  "Show a report in another format. The exit code is 0, whatever the report's result.",
		Example: `  plumbline report show report.json
  plumbline report show report.json -o html > report.html
  plumbline run -o json | plumbline report show - -o markdown`,
		Args: takes("the file of a report, or -", 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := oneOf("output", output, render.Formats()...); err != nil {
				return err
			}
			files, err := outputFiles(also)
			if err != nil {
				return err
			}
			report, err := readReport(s, args[0])
			if err != nil {
				return err
			}
			write := reportWriter(report, nil)
			return errors.Join(writeFiles(files, write), write(s.Out, output))
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", render.FormatTable, "format of the report: "+strings.Join(render.Formats(), ", "))
	cmd.Flags().StringArrayVar(&also, "report", nil, reportUsage)
	completeReport(cmd)
	completes(cmd, map[string]func() []string{"output": render.Formats})
	return cmd
}

func newReportDiff(s Streams) *cobra.Command {
	var (
		output, explained string
		judged            bool
	)
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Show how two reports differ, fixture by fixture",
		Long: `Show how two reports differ, fixture by fixture. Use it for two versions, two implementations or two targets.

The exit code is 0 if they do not differ, or only in ways that a file explains, otherwise 1. A file of explanations:

  apiVersion: plumbline.dev/v1alpha1
  kind: ExplainedDifferences
  differences:
  - fixture: timeout-of-an-hour
    a: pass
    b: not-on-this-target
    why: an hour is too long on a real cluster

The verdicts a and b may be left out. Explanations that match no difference are reported.`,
		Example: `  plumbline report diff before.json after.json
  plumbline report diff fake.json kind.json --judged --explained divergences.yaml -o markdown`,
		Args: takes("the files of two reports", 2),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := oneOf("output", output, compare.Formats()...); err != nil {
				return err
			}
			a, b, err := readReports(s, args[0], args[1])
			if err != nil {
				return err
			}
			o := compare.DiffOptions{Judged: judged}
			if o.Explained, err = readExplained(s, explained); err != nil {
				return err
			}
			d := compare.Diff(a, b, o)
			if err := d.Render(behind(s.Out), output); err != nil {
				return err
			}
			if d.Unexplained > 0 {
				return failed(exitFailed)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&output, "output", "o", render.FormatTable, "format: "+strings.Join(compare.Formats(), ", "))
	f.StringVar(&explained, "explained", "", explainedUsage)
	completes(cmd, map[string]func() []string{"output": compare.Formats})
	f.BoolVar(&judged, "judged", false, "only fixtures that passed or failed in both, for targets with different capabilities")
	return cmd
}

func newReportGate(s Streams) *cobra.Command {
	var (
		output, baseline string
		levels           []string
		otherTarget      bool
	)
	cmd := &cobra.Command{
		Use:   "gate --baseline FILE REPORT|-",
		Short: "Fail only on what got worse",
		Long: `Fail only on what got worse since a saved report, the baseline.

These count as worse:
  - a fixture that fails now and did not before,
  - a fixture that passed before and is now not shown to pass: not run, broken, excluded, unsupported, or removed,
  - a feature that was judged before and is no longer claimed,
  - a run that broke, was cut short or judged nothing, if the previous one did not,
  - a profile that passed before and does not now, if none of the above explains it.
Fixtures that failed before may fail, and so may new ones. A renamed fixture is recognised if its requirement is unchanged.

Exit codes: 0 nothing is worse, whatever the report's own result; 1 something is worse, and each item is named; 2 a file does
not exist; 3 a file is not a report, or the baseline judged nothing, so nothing could be worse, or the baseline is of another
target. --other-target allows another target; fixtures that this target cannot run then do not count as worse.`,
		Example: `  plumbline report gate --baseline baseline.json report.json
  plumbline report gate --baseline baseline.json report.json --level required -o github`,
		Args: takes("the file of a report, or -", 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if baseline == "" {
				return &usageError{fmt.Errorf("--baseline is missing: the file of the report to compare with")}
			}
			if err := oneOf("output", output, compare.Formats()...); err != nil {
				return err
			}
			for _, level := range levels {
				if err := oneOf("level", level, fixture.Required, fixture.Recommended, fixture.Reference); err != nil {
					return err
				}
			}
			before, after, err := readReports(s, baseline, args[0])
			if err != nil {
				return err
			}
			if err := checkBaseline(before, after, otherTarget, levels); err != nil {
				return err
			}
			g := compare.NewGate(before, after, levels...)
			if err := g.Render(behind(s.Out), output); err != nil {
				return err
			}
			if !g.Passed {
				return failed(exitFailed)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&baseline, "baseline", "", "the report to compare with")
	f.StringVarP(&output, "output", "o", render.FormatTable, "format: "+strings.Join(compare.Formats(), ", "))
	f.StringSliceVar(&levels, "level", nil, "only fixtures of these levels: required, recommended, reference; default: all")
	completes(cmd, map[string]func() []string{"output": compare.Formats, "level": fixtureLevels})
	f.BoolVar(&otherTarget, "other-target", false, "the baseline may be of another target")
	return cmd
}

// checkBaseline refuses a report that cannot be a baseline.
func checkBaseline(before, after *reports.ConformanceReport, otherTarget bool, levels []string) error {
	err := compare.CheckBaseline(before, after, levels...)
	var wrong *compare.BaselineError
	switch {
	case errors.As(err, &wrong) && wrong.Target && otherTarget:
		return nil
	case errors.As(err, &wrong) && wrong.Target:
		return invalid("%w; --other-target compares them anyway", err)
	case err != nil:
		return invalid("%w", err)
	}
	return nil
}

// takes wants arguments, all of them files.
func takes(what string, n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return &usageError{fmt.Errorf("%s takes %s, got %d; see '%s --help'", cmd.CommandPath(), what, len(args), cmd.CommandPath())}
		}
		return nil
	}
}

// standardInput is the name of standard input as a file.
const standardInput = "-"

func readReports(s Streams, a, b string) (x, y *reports.ConformanceReport, err error) {
	if a == standardInput && b == standardInput {
		return nil, nil, &usageError{fmt.Errorf("only one of the two reports can be standard input")}
	}
	if x, err = readReport(s, a); err != nil {
		return nil, nil, err
	}
	y, err = readReport(s, b)
	return x, y, err
}

func readReport(s Streams, file string) (*reports.ConformanceReport, error) {
	data, err := readFile(s, file)
	if err != nil {
		return nil, err
	}
	if file == standardInput {
		file = "standard input"
	}
	return reports.Read(file, data)
}

func readFile(s Streams, file string) ([]byte, error) {
	if file == standardInput {
		data, err := io.ReadAll(s.In)
		if err != nil {
			return nil, fmt.Errorf("reading standard input: %w", err)
		}
		return data, nil
	}
	return os.ReadFile(file)
}
