package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/disturbance"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// Values of --faults.
const faultsNone = "none"

// sweepOptions are the flags of run that make it a sweep.
type sweepOptions struct {
	seeds  int
	faults string
	order  string
}

// wanted reports whether one run under one seed, with the faults of the fixtures alone, is not what is asked for.
func (o *sweepOptions) wanted() bool {
	return o.seeds != 1 || o.faults != faultsNone || o.order != "" && o.order != conformance.OrderWritten
}

// sweep is what --seeds and --faults ask for.
func (o *sweepOptions) sweep(first uint64) (conformance.Sweep, error) {
	s := conformance.Sweep{First: first, Seeds: o.seeds, Order: o.order}
	if s.Order == "" && o.faults == faultsNone {
		s.Order = conformance.OrderBoth
	}
	mode, places, some := strings.Cut(o.faults, ":")
	switch {
	case o.seeds < 1:
		return s, &usageError{fmt.Errorf("--seeds %d: want a number of at least 1", o.seeds)}
	case o.order != "" && !slices.Contains(conformance.Orders(), o.order):
		return s, oneOf("order", o.order, conformance.Orders()...)
	case o.faults == faultsNone:
		return s, nil
	case !slices.Contains(disturbance.Troubles(), mode):
		return s, oneOf("faults", o.faults, append([]string{faultsNone}, disturbance.Troubles()...)...)
	}
	s.Faults = true
	if mode != disturbance.Random {
		s.Trouble = mode
	}
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
			return s, &usageError{fmt.Errorf("--faults %s: %q is not an index in the list of faults; want for example random:0,2", o.faults, word)}
		}
		s.Keep = append(s.Keep, n)
	}
	return s, nil
}

// sweep runs the fixtures under many seeds.
func (o *runOptions) sweep(ctx context.Context, options conformance.Options, files []outputFile) error {
	if err := oneOf("target", o.target, fake.Name); err != nil {
		return err
	}
	if err := oneOf("output", o.output, render.SweepFormats()...); err != nil {
		return err
	}
	for _, f := range files {
		if err := oneOf("report", f.format, render.SweepFormats()...); err != nil {
			return err
		}
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
	times := map[string]time.Duration{}
	s.Took = func(fixture string, took time.Duration) { times[fixture] += took }
	began := time.Now()
	found, err := runner.Sweep(ctx, s)
	took := time.Since(began)
	if watched && !o.quiet {
		fmt.Fprint(line, clearLine)
	}
	if err != nil {
		return err
	}
	report := runner.SweepReport(s, found)
	write := func(w io.Writer, format string) error { return render.Sweep(w, report, format, times) }
	if err := errors.Join(writeFiles(files, write), write(behind(o.streams.Out), o.output)); err != nil {
		return err
	}
	if !o.quiet && took > 0 {
		fmt.Fprintf(o.streams.Err, "%.0f schedules per second\n", float64(report.Schedules)/took.Seconds())
	}
	results := make([]reports.Fixture, len(found.Breaches))
	for i := range found.Breaches {
		results[i] = found.Breaches[i].Result
	}
	return resultError(report.Result, results)
}
