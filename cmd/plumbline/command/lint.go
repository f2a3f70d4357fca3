package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/plumbline-ci/plumbline/cmd/plumbline/advice"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/conformance/statement"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
)

func newFixtureLint(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "lint [FOLDER|FILE]...",
		Short: "Check fixtures: format, references, fairness, images",
		Long: `Check fixtures: their format, what they refer to, and the rules that make a fixture fair to every implementation.
For your own fixtures, notes also name images that the simulated cluster cannot pull, and steps that it cannot start because
their image has neither the command nor a mock of it. Notes are not failures.
Without arguments the command checks the suite in the binary.`,
		RunE: func(_ *cobra.Command, args []string) error {
			list, err := read(args, s.In)
			if len(args) == 0 {
				list, err = embedded()
			}
			var errs source.Errors
			if err != nil && !collect(&errs, err) {
				return err
			}
			table, err := statement.Embedded()
			if err != nil {
				return err
			}
			if len(args) > 0 {
				errs = append(errs, fixture.LintAll(list, table)...)
			} else {
				errs = append(errs, fixture.LintSuite(list, table)...)
			}
			notes, err := unstartable(list)
			if err != nil {
				return err
			}
			for _, n := range notes {
				fmt.Fprintln(s.Out, "note: "+n.String())
			}
			if len(errs) > 0 {
				return errs
			}
			noun := "fixtures"
			if len(list) == 1 {
				noun = "fixture"
			}
			said := "no mistakes"
			if len(notes) > 0 {
				said = "no mistakes, see the notes"
			}
			fmt.Fprintf(s.Out, "%d %s, %s\n", len(list), noun, said)
			if len(args) == 0 {
				fmt.Fprintln(s.Out, fixture.ShareOf(list))
			}
			return nil
		},
	}
}

// unstartable says which containers of private fixtures the simulated cluster could not start. Published fixtures are left
// out: some of them are about images that cannot be pulled.
func unstartable(list []*fixture.Fixture) ([]advice.Note, error) {
	var (
		target *fake.Target
		notes  []advice.Note
	)
	for _, f := range list {
		if !fixture.Private(f.Spec.Profile) {
			continue
		}
		if target == nil {
			var err error
			if target, err = fake.New(fake.Options{}); err != nil {
				return nil, err
			}
		}
		lacks, err := target.Lacks(f.Spec.Images, f.Spec.Mocks)
		if err != nil {
			return nil, err
		}
		for _, m := range f.Manifests {
			notes = append(notes, advice.BeforeRun(m, lacks.Of)...)
		}
	}
	return notes, nil
}
