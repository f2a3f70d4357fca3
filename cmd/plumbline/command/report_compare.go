package command

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plumbline-ci/plumbline/reports/compare"
	"github.com/plumbline-ci/plumbline/reports/render"
)

func newReportCompare(s Streams) *cobra.Command {
	var (
		output, explained string
		differing         bool
	)
	cmd := &cobra.Command{
		Use:   "compare [NAME=]FILE…",
		Short: "Show several reports side by side: a row for each fixture, a column for each report",
		Long: `Show several reports side by side: a row for each fixture, a column for each report. A column has the name of its report's
target, or the name that is given before the file.

AGREE is "no" if a fixture passes in one report and fails in another, "partly" if only some reports judged it, and "yes" if
all agree. Rows that do not agree come first.

Exit codes: 0 no fixture is judged differently, or only in ways that a file explains (see report diff); 1 one is; 2 a file
does not exist; 3 a file is not a report.`,
		Example: `  plumbline report compare fake.json envtest.json kind.json
  plumbline report compare before=main.json after=branch.json --differing
  plumbline report compare fake.json kind.json -o html > targets.html`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{fmt.Errorf("%s takes the files of reports, got none; see '%s --help'", cmd.CommandPath(), cmd.CommandPath())}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if err := oneOf("output", output, compare.TableFormats()...); err != nil {
				return err
			}
			list, err := readNamed(s, args)
			if err != nil {
				return err
			}
			o := compare.TableOptions{Differing: differing}
			if o.Explained, err = readExplained(s, explained); err != nil {
				return err
			}
			t := compare.NewTable(list, o)
			if err := t.Render(behind(s.Out), output); err != nil {
				return err
			}
			if t.Unexplained > 0 {
				return failed(exitFailed)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&output, "output", "o", render.FormatTable, "format: "+strings.Join(compare.TableFormats(), ", "))
	completes(cmd, map[string]func() []string{"output": compare.TableFormats})
	f.StringVar(&explained, "explained", "", explainedUsage)
	f.BoolVar(&differing, "differing", false, "only fixtures on which the reports do not agree")
	return cmd
}

// columnName is what may stand before a file as the name of its column: no path, so that a = in a file's name is one.
var columnName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._-]*$`)

// readNamed reads reports, each with the name that is given to it.
func readNamed(s Streams, args []string) ([]compare.Named, error) {
	var (
		list  []compare.Named
		files []string
	)
	for _, arg := range args {
		name, file, ok := strings.Cut(arg, "=")
		if !ok || !columnName.MatchString(name) {
			name, file = "", arg
		}
		if file == standardInput && slices.Contains(files, file) {
			return nil, &usageError{fmt.Errorf("only one of the reports can be standard input")}
		}
		list, files = append(list, compare.Named{Name: name}), append(files, file)
	}
	for i, file := range files {
		r, err := readReport(s, file)
		if err != nil {
			return nil, err
		}
		list[i].Report = r
	}
	return list, nil
}

// explainedUsage describes the flag that names accepted differences.
const explainedUsage = "a file of known and accepted differences"

// readExplained reads a file of explanations, if there is one.
func readExplained(s Streams, file string) ([]compare.Explanation, error) {
	if file == "" {
		return nil, nil
	}
	data, err := readFile(s, file)
	if err != nil {
		return nil, err
	}
	return compare.ReadExplained(file, data)
}
