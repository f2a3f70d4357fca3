package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/internal/mutants"
	"github.com/plumbline-ci/plumbline/kindconfig/images"
	"github.com/plumbline-ci/plumbline/reports"
)

// demonstration breaks the controller, fault by fault, and sees the gate fail.
type demonstration struct {
	faults []mutants.Mutant
	// reports is the folder that they are written to.
	reports string
	out     io.Writer

	// build makes an image of the controller for each fault, in order.
	build func(ctx context.Context, faults []mutants.Mutant) ([]images.Image, error)
	// install puts the sound installation into the cluster, with the given images in place of its own.
	install func(ctx context.Context, instead ...images.Image) error
	// plumbline runs the command line tool.
	plumbline func(ctx context.Context, args ...string) (code int, stdout []byte, err error)
}

// fixtures are those that are to notice one of the faults.
func (d *demonstration) fixtures() []string {
	var out []string
	for _, m := range d.faults {
		out = append(out, m.CaughtBy...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// exitWorse is what the gate exits with when something got worse.
const exitWorse = 1

func (d *demonstration) run(ctx context.Context) (err error) {
	fmt.Fprintf(d.out, "building the controller with %d faults\n", len(d.faults))
	broken, err := d.build(ctx, d.faults)
	if err != nil {
		return err
	}
	if err := d.install(ctx); err != nil {
		return err
	}
	baseline := filepath.Join(d.reports, "baseline.json")
	before, err := d.judge(ctx, baseline)
	if err != nil {
		return err
	}
	for _, f := range before.Fixtures {
		if f.Verdict != reports.Pass {
			return fmt.Errorf("with the sound controller %s is %s already: nothing can be shown by it", f.Name, f.Verdict)
		}
	}
	fmt.Fprintf(d.out, "the sound controller passes %s\n", strings.Join(d.fixtures(), ", "))
	defer func() {
		err = errors.Join(err, d.install(context.WithoutCancel(ctx)))
	}()
	var missed []error
	for i, m := range d.faults {
		fmt.Fprintf(d.out, "\n=== fault %d: %s\n", i+1, m.Name)
		if err := d.install(ctx, broken[i]); err != nil {
			return err
		}
		report := filepath.Join(d.reports, fmt.Sprintf("fault-%d.json", i+1))
		if _, err := d.judge(ctx, report); err != nil {
			return err
		}
		if err := d.gate(ctx, baseline, report, m); err != nil {
			missed = append(missed, err)
			fmt.Fprintf(d.out, "NOT NAMED: %v\n", err)
		} else {
			fmt.Fprintf(d.out, "NAMED: %q by %s\n", m.Name, strings.Join(m.CaughtBy, ", "))
		}
	}
	if len(missed) == 0 {
		fmt.Fprintf(d.out, "\nthe gate has named all %d faults\n", len(d.faults))
	}
	return errors.Join(missed...)
}

// judge runs the fixtures on the cluster and keeps the report.
func (d *demonstration) judge(ctx context.Context, file string) (*reports.ConformanceReport, error) {
	// Of an earlier time, it would be taken for this run's.
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	// What the run exits with is in its report.
	if _, _, err := d.plumbline(ctx, "run", "--target", "kind", "--name", strings.Join(d.fixtures(), ","), "--output", "name", "--report", "json="+file); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the run has left no report: %w", err)
	}
	r, err := reports.Read(file, data)
	if err != nil {
		return nil, err
	}
	if got, want := len(r.Fixtures), len(d.fixtures()); got != want {
		return nil, fmt.Errorf("%d fixtures were run, want %d", got, want)
	}
	return r, nil
}

// gate has the gate compare two reports, shows what it says, and checks that it fails and names the fixtures.
func (d *demonstration) gate(ctx context.Context, baseline, report string, m mutants.Mutant) error {
	code, out, err := d.plumbline(ctx, "report", "gate", "--baseline", baseline, report)
	if err != nil {
		return err
	}
	if _, err := d.out.Write(out); err != nil {
		return err
	}
	if code != exitWorse {
		return fmt.Errorf("%s: the gate exits with %d, want %d", m.Name, code, exitWorse)
	}
	var missing []string
	for _, name := range m.CaughtBy {
		if !bytes.Contains(out, []byte(fmt.Sprintf("\nFAIL %s: ", name))) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s: the gate does not name %s", m.Name, strings.Join(missing, ", "))
	}
	return nil
}
