package command

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/disturbance"
	"github.com/plumbline-ci/plumbline/conformance/target/fake"
	"github.com/plumbline-ci/plumbline/reports"
)

// Values of --faults.
const (
	faultsNone   = "none"
	faultsRandom = "random"
)

// sweepOptions are the flags of run that make it a sweep.
type sweepOptions struct {
	seeds  int
	faults string
}

// wanted says whether one run under one seed, with the faults of the fixtures alone, is not what is asked for.
func (o *sweepOptions) wanted() bool { return o.seeds != 1 || o.faults != faultsNone }

// sweep is what --seeds and --faults ask for.
func (o *sweepOptions) sweep(first uint64) (conformance.Sweep, error) {
	s := conformance.Sweep{First: first, Seeds: o.seeds}
	mode, places, some := strings.Cut(o.faults, ":")
	switch {
	case o.seeds < 1:
		return s, &usageError{fmt.Errorf("--seeds %d: want how many, from 1", o.seeds)}
	case o.faults == faultsNone:
		return s, nil
	case mode != faultsRandom:
		return s, oneOf("faults", o.faults, faultsNone, faultsRandom)
	}
	s.Faults = true
	if !some {
		return s, nil
	}
	s.Keep = []int{}
	for word := range strings.SplitSeq(places, ",") {
		if word == "" {
			continue
		}
		n, err := strconv.Atoi(word)
		if err != nil || n < 0 {
			return s, &usageError{fmt.Errorf("--faults %s: %q is no place in the list of faults; want random:0,2", o.faults, word)}
		}
		s.Keep = append(s.Keep, n)
	}
	return s, nil
}

// sweep runs the fixtures under many seeds.
func (o *runOptions) sweep(ctx context.Context, options conformance.Options) error {
	if err := oneOf("target", o.target, fake.Name); err != nil {
		return err
	}
	if err := oneOf("output", o.output, reports.FormatTable, reports.FormatJSON); err != nil {
		return err
	}
	s, err := o.sweepOptions.sweep(o.seed)
	if err != nil {
		return err
	}
	runner, err := conformance.NewRunner(options)
	if err != nil {
		return err
	}
	line, watched := terminal(o.streams.Err)
	s.Progress = func(done, total int) {
		if watched && !o.quiet {
			fmt.Fprintf(line, clearLine+"%d/%d schedules", done, total)
		}
	}
	began := time.Now()
	report, err := runner.Sweep(ctx, s)
	took := time.Since(began)
	if watched && !o.quiet {
		fmt.Fprint(line, clearLine)
	}
	if err != nil {
		return err
	}
	if o.output == reports.FormatJSON {
		err = printJSON(o.streams.Out, report)
	} else {
		printSweep(o.streams.Out, report, s)
	}
	if err != nil {
		return err
	}
	if !o.quiet && took > 0 {
		fmt.Fprintf(o.streams.Err, "%.0f schedules per second\n", float64(report.Schedules)/took.Seconds())
	}
	switch {
	case ctx.Err() != nil:
		return failed(exitBudget)
	case len(report.Breaches) > 0:
		for _, b := range report.Breaches {
			if b.Result.Verdict == reports.Error {
				return failed(exitBroken)
			}
		}
		return failed(exitFailed)
	case report.Schedules == 0:
		return failed(exitFailed)
	}
	return nil
}

func printSweep(w io.Writer, report *conformance.SweepReport, s conformance.Sweep) {
	for i := range report.Breaches {
		printBreach(w, &report.Breaches[i], s)
	}
	what := "every fixture as it expects"
	if s.Faults {
		what = fmt.Sprintf("%d faults have struck; what holds of every run held, and every run came to a right end", report.Struck)
	}
	verdict := "PASSED"
	if n := len(report.Breaches); n > 0 {
		verdict, what = "FAILED", fmt.Sprintf("%d did not pass", n)
		if report.Ended {
			what += ", where the sweep ended"
		}
	} else if report.Schedules == 0 {
		verdict, what = "INCONCLUSIVE", "no fixture applies"
	}
	fmt.Fprintf(w, "%s: %d schedules, %d fixtures under the seeds %d to %d: %s\n", verdict, report.Schedules, report.Fixtures, s.First, s.First+uint64(s.Seeds)-1, what)
	if report.Skipped > 0 {
		fmt.Fprintf(w, "%d fixtures do not apply\n", report.Skipped)
	}
}

// aroundIt is how much of the trace is shown.
const aroundIt = 25

func printBreach(w io.Writer, b *conformance.Breach, s conformance.Sweep) {
	r := b.Result
	fmt.Fprintf(w, "%s of %s, seed %d\n", r.Verdict, b.Fixture, b.Seed)
	if v := b.Violation; v != nil {
		fmt.Fprintf(w, "  invariant  %s\n  object     %s\n  saw        %s\n", v.Rule, v.Object, v.Message)
	} else if r.Failure != nil {
		fmt.Fprintf(w, "  check      %s at %s\n  saw        %s\n", r.Failure.Check, r.Failure.At, r.Failure.Message)
		if r.Failure.Path != "" {
			fmt.Fprintf(w, "  path       %s\n  want       %s\n  got        %s\n", r.Failure.Path, r.Failure.Want, r.Failure.Got)
		}
	} else {
		fmt.Fprintf(w, "  because    %s\n", r.Reason)
	}
	section := func(title string, lines []string) {
		if len(lines) == 0 {
			return
		}
		fmt.Fprintf(w, "  %s\n", title)
		for _, line := range lines {
			fmt.Fprintf(w, "    %s\n", line)
		}
	}
	if s.Faults {
		section(fmt.Sprintf("faults, %d of %d drawn", len(b.Schedule), b.Drawn), disturbance.Text(b.Schedule))
		var strikes []string
		for _, x := range b.Strikes {
			strikes = append(strikes, fmt.Sprintf("%s %s: %s", x.At.Format("15:04:05.000"), x.Fault, x.On))
		}
		section("what they hit", strikes)
	}
	if r.Failure != nil {
		section("history", r.Failure.History)
	}
	section("trace", b.Trace[max(0, len(b.Trace)-aroundIt):])
	section("see it again", []string{b.Replay})
	fmt.Fprintln(w)
}
