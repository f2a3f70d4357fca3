// Package command is the command line of plumbline: what each verb takes, prints and exits with.
//
// Data goes to standard output, talk to standard error. A verb ends with an error, or with nil; [Main] turns the error
// into a message and one of the exit codes.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/reports/visible"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// Exit codes.
const (
	exitOK        = 0
	exitFailed    = 1  // a requirement failed, a run did not succeed
	exitNotFound  = 2  // a file, a fixture, an object does not exist
	exitInvalid   = 3  // arguments, a fixture or a manifest are wrong
	exitBudget    = 4  // a time or step budget ran out
	exitForbidden = 5  // the cluster does not allow it
	exitBroken    = 10 // the machine or the suite itself broke
)

// Streams are where a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Turns makes, for each simulated cluster, what is told which container runs; nil: nothing is.
	Turns func() func(actor string)
}

// coded is an error that knows its exit code.
type coded struct {
	code int
	err  error
	// told: everything has been said; only the code remains.
	told bool
}

func (c *coded) Error() string { return c.err.Error() }
func (c *coded) Unwrap() error { return c.err }

func invalid(format string, args ...any) error {
	return &coded{code: exitInvalid, err: fmt.Errorf(format, args...)}
}

func notFound(format string, args ...any) error {
	return &coded{code: exitNotFound, err: fmt.Errorf(format, args...)}
}

// failed ends a command whose output has said everything.
func failed(code int) error {
	return &coded{code: code, err: errors.New("failed"), told: true}
}

// Main runs the command line and returns the exit code.
//
// What others have written (names, messages, logs) passes a [visible.Writer] before a person, a terminal or the runner of
// a CI job reads it.
func Main(ctx context.Context, args []string, s Streams) int {
	out, errs := visible.NewWriter(s.Out), visible.NewWriter(s.Err)
	s.Out, s.Err = out, errs
	unlogged()
	code := execute(ctx, args, s)
	if err := errors.Join(out.Close(), errs.Close()); err != nil && code == exitOK {
		return exitBroken
	}
	return code
}

func execute(ctx context.Context, args []string, s Streams) int {
	root := newRoot(s)
	root.SetArgs(args)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code, told := exitCode(err)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		code, err = exitBudget, fmt.Errorf("the command was interrupted: %w", context.Cause(ctx))
	}
	if !told {
		tell(s.Err, err)
	}
	return code
}

// tell prints an error. Mistakes in files stand at the beginning of their lines, where editors look for file:line:column.
func tell(w io.Writer, err error) {
	var places source.Errors
	if !errors.As(err, &places) || len(places) == 0 {
		fmt.Fprintln(w, "plumbline: "+strings.TrimRight(err.Error(), "\n"))
		return
	}
	fmt.Fprintln(w, places.Error())
	if len(places) > 1 {
		fmt.Fprintf(w, "plumbline: %d mistakes\n", len(places))
	}
}

func exitCode(err error) (code int, told bool) {
	var (
		c      *coded
		places source.Errors
		place  *source.Error
		budget *kernel.BudgetError
		usage  *usageError
	)
	switch {
	case errors.As(err, &c):
		return c.code, c.told
	case errors.As(err, &places), errors.As(err, &place), errors.As(err, &usage):
		return exitInvalid, false
	case errors.As(err, &budget), errors.Is(err, context.DeadlineExceeded):
		return exitBudget, false
	case errors.Is(err, fs.ErrNotExist):
		return exitNotFound, false
	case errors.Is(err, fs.ErrPermission):
		return exitForbidden, false
	}
	return exitBroken, false
}

// usageError is a wrong flag or argument.
type usageError struct{ err error }

func (u *usageError) Error() string { return u.err.Error() }
func (u *usageError) Unwrap() error { return u.err }

func newRoot(s Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "plumbline",
		Short: "Check whether an implementation really runs what Tekton does",
		Long: `Plumbline checks whether an implementation that claims to run Tekton Tasks and Pipelines really does.

  plumbline run                     judge the reference implementation on the simulated cluster
  plumbline run -f DIR              judge it by your own fixtures
  plumbline run --target cluster    judge what is installed on your cluster
  plumbline simulate -f run.yaml    run your own Tasks and Pipelines without a cluster
  plumbline kubelet                 run a simulated node for an API server
  plumbline outside                 serve the repositories and registries of fixtures
  plumbline fixture list            list the requirements
  plumbline report compare A B C    show several reports side by side
  plumbline report diff A B         show how two reports differ
  plumbline install                 install the reference implementation in a cluster
  plumbline kind up                 create a kind cluster with it

Exit codes: 0 all required fixtures passed; 1 one failed; 2 not found; 3 invalid input; 4 a budget ran out; 5 forbidden; 10 the machine broke.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.Version = conformance.SuiteVersion // --version and -v
	root.SetVersionTemplate(versionText() + "\n")
	root.SetFlagErrorFunc(flagError)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return checkLists(cmd) }
	root.AddCommand(newRun(s), newKubelet(s), newSimulate(s), newFixture(s), newSubject(s), newReport(s), newInstall(s), newKind(s), newOutside(s), newVersion(s))
	return root
}

// unknownCommand names the command that was probably meant.
func unknownCommand(cmd *cobra.Command, name string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return &usageError{fmt.Errorf("%s has no command %q; %s See '%s --help'", cmd.CommandPath(), name, sentence(source.DidYouMean(name, names)), cmd.CommandPath())}
}

// sentence ends a hint with a mark, if it has none.
func sentence(hint string) string {
	if strings.HasSuffix(hint, "?") {
		return hint
	}
	return hint + "."
}

// noArgs refuses arguments with a hint.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &usageError{fmt.Errorf("%s takes no argument, got %q; see '%s --help'", cmd.CommandPath(), args[0], cmd.CommandPath())}
	}
	return nil
}
