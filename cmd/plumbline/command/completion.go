package command

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// completes makes shells complete the values of flags that a command has. A value may be a name with a description,
// separated by a tab.
func completes(cmd *cobra.Command, values map[string]func() []string) {
	for _, flag := range slices.Sorted(maps.Keys(values)) {
		list := values[flag]
		many := strings.HasSuffix(cmd.Flag(flag).Value.Type(), "Slice")
		err := cmd.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
			done := "" // of a list, what stands before the last comma
			if i := strings.LastIndexByte(begun, ','); many && i >= 0 {
				done = begun[:i+1]
			}
			var out []string
			for _, v := range list() {
				if strings.HasPrefix(done+v, begun) {
					out = append(out, done+v)
				}
			}
			return out, cobra.ShellCompDirectiveNoFileComp
		})
		if err != nil {
			panic(err) // the flag is not there, or twice: a mistake in the command
		}
	}
}

// always completes a fixed list.
func always(values ...string) func() []string { return func() []string { return values } }

// ofFixtures completes what the suite's fixtures say of themselves, each value once.
func ofFixtures(of func(*fixture.Fixture) []string) func() []string {
	return func() []string {
		list, err := embedded()
		if err != nil {
			return nil // the command itself will tell
		}
		var out []string
		for _, f := range list {
			out = append(out, of(f)...)
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
}

func fixtureNames() []string {
	return ofFixtures(func(f *fixture.Fixture) []string { return []string{f.Name() + "\t" + f.Spec.Requirement} })()
}

func fixtureFeatures() []string {
	return ofFixtures(func(f *fixture.Fixture) []string { return f.Spec.Features })()
}

func fixtureProfiles() []string {
	return ofFixtures(func(f *fixture.Fixture) []string { return []string{f.Spec.Profile} })()
}

func fixtureLevels() []string {
	return []string{fixture.Required, fixture.Recommended, fixture.Reference}
}

// selects completes the flags that select fixtures.
func selects(cmd *cobra.Command) {
	completes(cmd, map[string]func() []string{"name": fixtureNames, "feature": fixtureFeatures, "profile": fixtureProfiles, "level": fixtureLevels})
}

// completeReport completes --report: a format, then =, then a file.
func completeReport(cmd *cobra.Command) {
	err := cmd.RegisterFlagCompletionFunc("report", func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		if strings.ContainsAny(begun, "=./") {
			return nil, cobra.ShellCompDirectiveDefault
		}
		var out []string
		for _, format := range render.Formats() {
			out = append(out, format+"=")
		}
		return out, cobra.ShellCompDirectiveNoSpace
	})
	if err != nil {
		panic(err) // as above
	}
}

// completeFixture completes an argument that is the name of a fixture of the suite.
func completeFixture(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return fixtureNames(), cobra.ShellCompDirectiveNoFileComp
}
