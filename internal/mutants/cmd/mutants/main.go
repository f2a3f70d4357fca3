// Command mutants puts each fault of the table into the reference implementation,
// runs the suite on it, and prints which fixtures noticed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/fixtures"
	"github.com/plumbline-ci/plumbline/internal/mutants"
)

type options struct {
	sample  int
	only    string
	jobs    int
	limit   time.Duration
	verbose bool
	quick   bool

	operators bool
	recall    bool
	log       string
	packages  string
	profile   string
	endless   time.Duration
	least     float64

	page string
}

func main() {
	var o options
	flag.IntVar(&o.sample, "sample", 0, "judge only this many mutants, spread over the table; 0 is all")
	flag.StringVar(&o.only, "only", "", "judge only mutants of this family, or whose name contains this text; several with commas")
	flag.IntVar(&o.jobs, "j", runtime.NumCPU(), "how many mutants are built and judged at once")
	flag.DurationVar(&o.limit, "limit", 2*time.Minute, "how long one mutant may build, and again run")
	flag.BoolVar(&o.verbose, "v", false, "name every fixture that noticed")
	flag.BoolVar(&o.quick, "quick", false, "run only the fixtures that are to notice a fault, not the whole suite")
	flag.BoolVar(&o.operators, "operators", false, "instead change the pure packages mechanically, and ask their own tests; -sample is then of each package")
	flag.BoolVar(&o.recall, "suite", false, "instead change the packages, the lifecycle and the launcher mechanically, and ask the suite as it judges a stranger")
	flag.StringVar(&o.log, "log", "", "with -suite: write each outcome into this file, a line of JSON each")
	flag.StringVar(&o.packages, "package", "", "with -operators or -suite: only these packages, with commas between them")
	flag.StringVar(&o.profile, "profile", "", "with -suite: only the fixtures of this profile")
	flag.DurationVar(&o.endless, "endless", 10*time.Second, "with -operators or -suite: after how long what does not end counts as failed")
	flag.Float64Var(&o.least, "least", 80, "with -operators or -suite: the share that must be noticed, in percent")
	flag.StringVar(&o.page, "page", "", "write the tables into this page, docs/mutants.md; only when everything is judged, of a package named by -suite -package too")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	root, err := mutants.ModuleRoot(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "plumbline-mutants-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if o.recall {
		return runRecall(ctx, o, root, dir)
	}
	if o.operators {
		return runOperators(ctx, o, root, dir)
	}
	return runFaults(ctx, o, root, dir)
}

// runFaults puts the faults of the table in, and says what the suite notices.
func runFaults(ctx context.Context, o options, root, dir string) error {
	all, err := mutants.Table()
	if err != nil {
		return err
	}
	chosen := mutants.Select(all, o.only, o.sample)
	if len(chosen) == 0 {
		return fmt.Errorf("no mutant's name or family contains %q", o.only)
	}
	jobs := max(1, min(o.jobs, len(chosen)))
	runners := make([]mutants.Runner, jobs)
	for i := range runners {
		own := filepath.Join(dir, strconv.Itoa(i))
		if err := os.Mkdir(own, 0o700); err != nil {
			return err
		}
		runners[i] = mutants.Runner{Root: root, Dir: own, Limit: o.limit, OnlyNamed: o.quick}
	}

	program, err := runners[0].BuildProgram(ctx, chosen)
	if err != nil {
		return err
	}
	for i := range runners {
		runners[i].Program = program
	}

	// Without a fault nothing fails.
	var none mutants.Mutant
	for _, m := range chosen {
		none.CaughtBy = append(none.CaughtBy, m.CaughtBy...)
	}
	sound, err := runners[0].Judge(ctx, none)
	switch {
	case err != nil:
		return err
	case sound.Trouble != nil:
		return fmt.Errorf("the suite cannot be run without any fault: %w", sound.Trouble)
	case len(sound.Failed)+len(sound.Errors) > 0:
		return fmt.Errorf("the suite fails without any fault: %s", strings.Join(append(sound.Failed, sound.Errors...), ", "))
	}

	t := newTable(os.Stdout, chosen, o.verbose)
	escaped := 0
	var outcomes []mutants.Outcome
	began := time.Now()
	err = judgeAll(ctx, runners, chosen, func(outcome mutants.Outcome) {
		t.row(outcome)
		outcomes = append(outcomes, outcome)
		if !outcome.Noticed() {
			escaped++
		}
	})
	if err != nil {
		return err
	}
	fmt.Printf("\n%d of %d faults caught, in %s\n", len(chosen)-escaped, len(chosen), time.Since(began).Round(time.Second))
	if o.page != "" && len(chosen) == len(all) && !o.quick {
		suite, err := listed()
		if err != nil {
			return err
		}
		if err := writePart(filepath.Join(root, o.page), "faults", mutants.Matrix(outcomes, suite)); err != nil {
			return err
		}
	}
	if escaped > 0 {
		return fmt.Errorf("%d faults escaped the fixtures that should catch them", escaped)
	}
	return nil
}

// listed are the fixtures of the suite.
func listed() ([]mutants.Listed, error) {
	suite, err := fixture.LoadFS(fixtures.FS, "fixtures")
	if err != nil {
		return nil, err
	}
	var out []mutants.Listed
	for _, f := range suite {
		out = append(out, mutants.Listed{Name: f.Name(), Level: f.Spec.Level})
	}
	return out, nil
}

// writePart writes a generated part of a page.
func writePart(file, part string, text []byte) error {
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	page, err = mutants.Replace(page, part, text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, page, 0o644) //nolint:gosec // a page of the documentation
}

// judgeAll judges the mutants on all runners, and tells the outcomes one at a time in the order of the table.
func judgeAll(ctx context.Context, runners []mutants.Runner, chosen []mutants.Mutant, tell func(mutants.Outcome)) error {
	var wg sync.WaitGroup
	next := make(chan int)
	done := make([]chan mutants.Outcome, len(chosen))
	for i := range done {
		done[i] = make(chan mutants.Outcome, 1)
	}
	for _, r := range runners {
		wg.Go(func() {
			for i := range next {
				if outcome, err := r.Judge(ctx, chosen[i]); err == nil {
					done[i] <- outcome
				}
			}
		})
	}
	wg.Go(func() {
		defer close(next)
		for i := range chosen {
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	})
	defer wg.Wait()
	for i := range done {
		select {
		case outcome := <-done[i]:
			tell(outcome)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// table prints a row as soon as it is known, in columns as wide as the mutants need.
type table struct {
	out           io.Writer
	verbose       bool
	family, fault int
	headed        bool
}

func newTable(out io.Writer, chosen []mutants.Mutant, verbose bool) *table {
	t := &table{out: out, verbose: verbose, family: len("FAMILY"), fault: len("FAULT")}
	for _, m := range chosen {
		t.family, t.fault = max(t.family, len(m.Family)), max(t.fault, len(m.Name))
	}
	return t
}

func (t *table) row(o mutants.Outcome) {
	line := func(family, fault, rule, verdict, by string) {
		fmt.Fprintf(t.out, "%-*s  %-*s  %-8s  %-9s  %s\n", t.family, family, t.fault, fault, rule, verdict, by)
	}
	if !t.headed {
		line("FAMILY", "FAULT", "RULE", "VERDICT", "CAUGHT BY")
		t.headed = true
	}
	by := strings.Join(o.Mutant.CaughtBy, ", ")
	if n := o.Others(); n > 0 {
		by += fmt.Sprintf(", and %d more", n)
	}
	line(o.Mutant.Family, o.Mutant.Name, o.Mutant.Rule, string(o.Verdict), by)
	for _, l := range strings.Split(o.Detail(), "\n") {
		if l != "" {
			fmt.Fprintln(t.out, "   ", l)
		}
	}
	if t.verbose {
		fmt.Fprintf(t.out, "    failed: %s\n    broke: %s\n    took: %s\n", strings.Join(o.Failed, " "), strings.Join(o.Errors, " "), o.Took.Round(time.Millisecond))
	}
}
