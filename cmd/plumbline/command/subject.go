package command

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/source"
)

func newSubject(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "subject",
		Short: "Check subject files, which describe an implementation and what it claims",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSubjectCheck(s), &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of subject files",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			schema, err := conformance.SubjectSchema()
			if err != nil {
				return err
			}
			_, err = s.Out.Write(schema)
			return err
		},
	})
	return cmd
}

func newSubjectCheck(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:     "check FILE...",
		Short:   "Check subject files without running anything",
		Example: "  plumbline subject check docs/subjects/tekton-pipelines-v0.43.yaml",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{fmt.Errorf("%s needs a file; see '%s --help'", cmd.CommandPath(), cmd.CommandPath())}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			var all source.Errors
			for _, file := range args {
				subject, err := readSubject(file)
				if err == nil {
					err = subject.Check(nil)
				}
				var places source.Errors
				switch {
				case errors.As(err, &places):
					all = append(all, places...)
				case err != nil:
					return err
				default:
					fmt.Fprintf(s.Out, "%s: %s %s, %d features beyond the mandatory ones, %d statements known to be missed\n",
						file, subject.Implementation.Project, subject.Implementation.Version, len(subject.Features), len(subject.Misses))
				}
			}
			return all.Err()
		},
	}
}
