package command

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/conformance/statement"
	"github.com/plumbline-ci/plumbline/fixtures"
)

func newFixture(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "fixture",
		Aliases: []string{"fixtures"},
		Short:   "Show the requirements, and check your own",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newFixtureLint(s), newFixtureList(s), newFixtureShow(s), newFixtureSchema(s), newFixtureCoverage(s))
	return cmd
}

// embedded reads the suite in the binary.
func embedded() ([]*fixture.Fixture, error) {
	list, err := fixture.LoadFS(fixtures.FS, "fixtures")
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b *fixture.Fixture) int { return strings.Compare(a.Name(), b.Name()) })
	return list, nil
}

// outlines are the outlines of the suite in the binary, by which a fixture is found.
func outlines() ([]*fixture.Fixture, error) { return fixture.LoadOutlines(fixtures.FS, "fixtures") }

// read reads fixtures from folders and files. Both what is right and a source.Errors of what is wrong come back. A file
// that is named twice is read once; "-" is in.
func read(paths []string, in io.Reader) ([]*fixture.Fixture, error) {
	var (
		list []*fixture.Fixture
		errs source.Errors
	)
	for _, p := range paths {
		var data []byte
		info, err := os.Stat(p)
		switch {
		case p == stdin:
			p = stdinName
			data, err = source.Read(in)
		case err != nil:
			return nil, notFound("%s: %w; give a folder of fixtures, a fixture or -", p, pathReason(err))
		case info.IsDir():
			some, err := loadFolder(p)
			list = append(list, some...)
			if errors.Is(err, fixture.ErrNoFixtures) {
				return nil, notFound("%s: %w", p, err)
			}
			if err != nil && !collect(&errs, err) {
				return nil, err
			}
			continue
		default:
			data, err = source.ReadFile(p)
		}
		if err != nil {
			return nil, err
		}
		cases, err := fixture.LoadCases(p, data)
		for _, f := range cases {
			if err == nil {
				err = beside(f)
			}
		}
		if err != nil {
			if !collect(&errs, err) {
				return nil, err
			}
			continue
		}
		list = append(list, cases...)
	}
	list, taken := distinct(list)
	errs = append(errs, taken...)
	if len(errs) > 0 {
		return list, errs
	}
	return list, nil
}

// distinct drops files that were read before, and refuses names that another file has.
func distinct(list []*fixture.Fixture) ([]*fixture.Fixture, source.Errors) {
	var (
		out   []*fixture.Fixture
		errs  source.Errors
		first = map[string]*fixture.Fixture{}
	)
	cases := map[string]bool{}
	for _, f := range list {
		other := first[f.Metadata.Name]
		switch {
		case other == nil:
			first[f.Metadata.Name] = f
		case filepath.Clean(other.File) != filepath.Clean(f.File):
			errs.Add(&source.Error{Position: f.Metadata.Pos, Path: "metadata.name",
				Message: fmt.Sprintf("the name %q is taken by %s", f.Metadata.Name, other.Metadata.Pos), Hint: "names are unique in a suite: rename one"})
			continue
		}
		if !cases[f.Name()] {
			cases[f.Name()] = true
			out = append(out, f)
		}
	}
	return out, errs
}

// Standard input, as flags name it and as messages do.
const (
	stdin     = "-"
	stdinName = "<stdin>"
)

func collect(into *source.Errors, err error) bool {
	var some source.Errors
	if !errors.As(err, &some) {
		return false
	}
	*into = append(*into, some...)
	return true
}

func newFixtureList(s Streams) *cobra.Command {
	var (
		files  []string
		output string
	)
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the requirements, one a line",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := oneOf("output", output, "table", "wide", "name", "json"); err != nil {
				return err
			}
			list, err := embedded()
			if len(files) > 0 {
				list, err = read(files, s.In)
			}
			if err != nil {
				return err
			}
			return listFixtures(s, list, output)
		},
	}
	cmd.Flags().StringArrayVarP(&files, "filename", "f", nil, filesUsage)
	cmd.Flags().StringVarP(&output, "output", "o", "table", "table, wide, name or json")
	completes(cmd, map[string]func() []string{"output": always("table", "wide", "name", "json")})
	return cmd
}

func listFixtures(s Streams, list []*fixture.Fixture, output string) error {
	switch output {
	case "name":
		for _, f := range list {
			fmt.Fprintln(s.Out, f.Name())
		}
		return nil
	case "json":
		type row struct {
			Name        string            `json:"name"`
			File        string            `json:"file"`
			Profile     string            `json:"profile"`
			Level       string            `json:"level"`
			Component   string            `json:"component"`
			Features    []string          `json:"features,omitempty"`
			Needs       []string          `json:"needs,omitempty"`
			Gates       map[string]string `json:"gates,omitempty"`
			Proves      []string          `json:"proves,omitempty"`
			Requirement string            `json:"requirement"`
		}
		rows := make([]row, 0, len(list))
		for _, f := range list {
			rows = append(rows, row{f.Name(), f.File, f.Spec.Profile, f.Spec.Level, f.Spec.Component, f.Spec.Features, f.Spec.Needs, f.Spec.Gates, proves(f), f.Spec.Requirement})
		}
		return printJSON(s.Out, rows)
	}
	w := tabwriter.NewWriter(s.Out, 0, 4, 2, ' ', 0)
	if output == "wide" {
		fmt.Fprintln(w, "NAME\tPROFILE\tLEVEL\tCOMPONENT\tFEATURES\tNEEDS\tGATES\tPROVES\tREQUIREMENT")
	} else {
		fmt.Fprintln(w, "NAME\tLEVEL\tFEATURES\tREQUIREMENT")
	}
	for _, f := range list {
		features := strings.Join(f.Spec.Features, ",")
		if output == "wide" {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Name(), f.Spec.Profile, f.Spec.Level, f.Spec.Component, features,
				strings.Join(f.Spec.Needs, ","), gates(f), strings.Join(proves(f), ","), f.Spec.Requirement)
		} else {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.Name(), f.Spec.Level, features, f.Spec.Requirement)
		}
	}
	return w.Flush()
}

// gates renders the gates of a fixture: enable-api-fields=alpha.
func gates(f *fixture.Fixture) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(f.Spec.Gates)) {
		list = append(list, name+"="+f.Spec.Gates[name])
	}
	return strings.Join(list, ",")
}

func proves(f *fixture.Fixture) []string {
	var ids []string
	for _, s := range f.Spec.Proves {
		ids = append(ids, s.ID)
	}
	return ids
}

func newFixtureShow(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:               "show NAME",
		Short:             "Print a fixture of the suite as it is written",
		ValidArgsFunction: completeFixture,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{fmt.Errorf("%s takes the name of one fixture; see 'plumbline fixture list'", cmd.CommandPath())}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			list, err := embedded()
			if err != nil {
				return err
			}
			for _, f := range list {
				if f.Called(args[0]) {
					_, err := behind(s.Out).Write(f.Source) // as it is written: it is the suite's
					return err
				}
			}
			names := make([]string, len(list))
			for i, f := range list {
				names[i] = f.Name()
			}
			if near := source.Nearest(args[0], names); near != "" {
				return notFound("the suite has no fixture %q; did you mean %q? See 'plumbline fixture list'", args[0], near)
			}
			return notFound("the suite has no fixture %q; see 'plumbline fixture list'", args[0])
		},
	}
}

func newFixtureSchema(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of a fixture's header, for editors",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			data, err := fixture.Schema()
			if err != nil {
				return err
			}
			_, err = s.Out.Write(data)
			return err
		},
	}
}

func newFixtureCoverage(s Streams) *cobra.Command {
	var (
		all    bool
		format string
	)
	cmd := &cobra.Command{
		Use:   "coverage",
		Short: "Show which statements of the documents the suite proves",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			list, err := embedded()
			if err != nil {
				return err
			}
			table, err := statement.Embedded()
			if err != nil {
				return err
			}
			switch format {
			case "table":
				return printCoverage(s, table, list, all)
			case "markdown":
				return coverageDocument(s, table, list)
			default:
				return invalid("unknown output format %q for -o: use table or markdown", format)
			}
		},
	}
	cmd.Flags().BoolVar(&all, "unproven", false, "also list the statements that no fixture proves")
	cmd.Flags().StringVarP(&format, "output", "o", "table", "table or markdown")
	completes(cmd, map[string]func() []string{"output": always("table", "markdown")})
	return cmd
}

// coverageDocument prints what docs/requirements.md is.
func coverageDocument(s Streams, table *statement.Table, list []*fixture.Fixture) error {
	files := map[string]string{}
	for _, f := range list {
		files[f.Metadata.Name] = "../" + f.File
	}
	return table.Markdown(s.Out, fixture.Claims(list), func(name string) string { return files[name] })
}

func printCoverage(s Streams, table *statement.Table, list []*fixture.Fixture, unproven bool) error {
	by := map[string][]string{}
	for _, f := range list {
		for _, id := range proves(f) {
			if !slices.Contains(by[id], f.Metadata.Name) {
				by[id] = append(by[id], f.Metadata.Name)
			}
		}
	}
	w := tabwriter.NewWriter(s.Out, 0, 4, 2, ' ', 0)
	proven, binding, bindingProven := 0, 0, 0
	for _, st := range table.All() {
		names := by[st.ID]
		judged := st.Level == statement.Required && st.Judgeable
		if judged {
			binding++
		}
		if len(names) > 0 {
			proven++
			if judged {
				bindingProven++
			}
		}
		if unproven == (len(names) == 0) {
			row := []string{st.ID, st.Level, st.Words}
			if len(names) > 0 {
				row = append(row, strings.Join(names, ","))
			}
			fmt.Fprintln(w, strings.Join(row, "\t"))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "%d statements proven by %d fixtures; of the %d required statements that a cluster can show, %d\n", proven, len(list), binding, bindingProven)
	return nil
}
