// Command mutants puts each fault of the table into the reference implementation,
// runs the suite on it, and prints which fixtures noticed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"text/tabwriter"

	"github.com/plumbline-ci/plumbline/conformance/mutants"
)

func main() {
	sample := flag.Int("sample", 0, "judge only this many mutants, spread over the table; 0 is all")
	only := flag.String("only", "", "judge only mutants whose name contains this")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *sample, *only); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, sample int, only string) error {
	all, err := mutants.Table()
	if err != nil {
		return err
	}
	chosen := choose(all, sample, only)
	if len(chosen) == 0 {
		return fmt.Errorf("no mutant's name contains %q", only)
	}
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "plumbline-mutants-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	runner := mutants.Runner{Root: root, Dir: dir}

	sound, err := runner.Judge(ctx, mutants.Mutant{})
	if err != nil {
		return err
	}
	if len(sound.Failed) > 0 {
		return fmt.Errorf("the suite fails without any fault: %s", strings.Join(sound.Failed, ", "))
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(out, "FAULT\tRULE\tVERDICT\tCAUGHT BY\tALSO FAILED")
	escaped := 0
	for _, m := range chosen {
		o, err := runner.Judge(ctx, m)
		if err != nil {
			return err
		}
		verdict := "caught"
		if !o.Caught() {
			verdict = "ESCAPED " + strings.Join(o.Missed, ", ")
			escaped++
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%d\n", m.Name, m.Rule, verdict, strings.Join(m.CaughtBy, ", "), len(o.Failed)-len(m.CaughtBy)+len(o.Missed))
		out.Flush()
	}
	fmt.Printf("%d of %d faults caught\n", len(chosen)-escaped, len(chosen))
	if escaped > 0 {
		return fmt.Errorf("%d faults escaped the fixtures that should catch them", escaped)
	}
	return nil
}

// choose spreads a sample evenly over the table.
func choose(all []mutants.Mutant, sample int, only string) []mutants.Mutant {
	var named []mutants.Mutant
	for _, m := range all {
		if strings.Contains(m.Name, only) {
			named = append(named, m)
		}
	}
	if sample <= 0 || sample >= len(named) {
		return named
	}
	out := make([]mutants.Mutant, 0, sample)
	for i := range sample {
		out = append(out, named[i*len(named)/sample])
	}
	return out
}
