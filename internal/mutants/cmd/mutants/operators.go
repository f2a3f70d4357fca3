package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/internal/mutants"
	"github.com/plumbline-ci/plumbline/internal/mutants/operators"
)

// runOperators changes the pure packages mechanically and says what their tests notice.
func runOperators(ctx context.Context, o options, root, dir string) error {
	names := operators.Packages()
	if o.packages != "" {
		wanted := strings.Split(o.packages, ",")
		names = slices.DeleteFunc(names, func(n string) bool { return !slices.Contains(wanted, n) })
		if len(names) != len(wanted) {
			return fmt.Errorf("-package %s: the pure packages are %s", o.packages, strings.Join(operators.Packages(), ", "))
		}
	}
	equivalents, err := operators.Equivalents()
	if err != nil {
		return err
	}
	packages, err := operators.Load(ctx, root, names)
	if err != nil {
		return err
	}
	judge := operators.Judge{Root: root, Dir: dir, Jobs: o.jobs, Limit: o.endless, Equivalents: equivalents}
	var total operators.Tally
	measured := map[string]operators.Tally{}
	wrong := 0
	began := time.Now()
	tallyRow(os.Stdout, "PACKAGE", "CHANGES", "KILLED", "SURVIVED", "UNREACHED", "EQUIVALENT", "RATIO")
	for _, p := range packages {
		for _, e := range operators.Stale(equivalents, p.Name, p.Mutations) {
			fmt.Printf("    stale in equivalent.yaml: %s, %s, %q -> %q\n", e.File, e.Function, e.Before, e.After)
			wrong++
		}
		chosen := operators.Sample(p.Mutations, o.sample)
		outcomes, err := judge.Package(ctx, p, chosen)
		if err != nil {
			return err
		}
		var tally operators.Tally
		var survivors []operators.Mutation
		for _, outcome := range outcomes {
			tally.Add(outcome.Verdict)
			total.Add(outcome.Verdict)
			switch outcome.Verdict {
			case operators.Survived, operators.Unreached:
				survivors = append(survivors, outcome.Mutation)
			case operators.Overlooked:
				fmt.Printf("    excused in equivalent.yaml, yet a test notices: %s\n", outcome.Mutation)
				wrong++
			}
			if o.verbose {
				fmt.Printf("    %-9s  %s\n", outcome.Verdict, outcome.Mutation)
			}
		}
		tallyOf(os.Stdout, p.Name, tally)
		measured[p.Name] = tally
		for _, m := range survivors {
			fmt.Println("   ", m)
		}
	}
	tallyOf(os.Stdout, "all", total)
	if o.page != "" && o.sample <= 0 {
		if err := writeTallies(filepath.Join(root, o.page), measured); err != nil {
			return err
		}
	}
	fmt.Printf("\n%.1f %% of the changes are noticed, in %s\n", total.Ratio(), time.Since(began).Round(time.Second))
	switch {
	case wrong > 0:
		return fmt.Errorf("%d entries of equivalent.yaml are wrong", wrong)
	case total.Ratio() < o.least:
		return fmt.Errorf("%.1f %% is less than %.0f %%", total.Ratio(), o.least)
	}
	return nil
}

func tallyOf(out io.Writer, name string, t operators.Tally) {
	number := func(n int) string { return fmt.Sprint(n) }
	tallyRow(out, name, number(t.Mutations), number(t.Killed), number(t.Survived), number(t.Unreached), number(t.Excused), fmt.Sprintf("%.1f %%", t.Ratio()))
}

// writeTallies writes what was measured into the page, and leaves the rows of other packages as they are.
func writeTallies(file string, measured map[string]operators.Tally) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	part, err := mutants.Part(text, "operators")
	if err != nil {
		return err
	}
	var page bytes.Buffer
	page.WriteString("| package | changes | noticed | survived | unreached | equivalent | ratio |\n|---|---:|---:|---:|---:|---:|---:|\n")
	var total operators.Tally
	row := func(name string, t operators.Tally) {
		fmt.Fprintf(&page, "| %s | %d | %d | %d | %d | %d | %.1f %% |\n", name, t.Mutations, t.Killed, t.Survived, t.Unreached, t.Excused, t.Ratio())
	}
	for _, name := range operators.Packages() {
		t, ok := measured[name]
		if !ok {
			t, ok = tallyIn(string(part), "| `"+name+"` |")
		}
		if ok {
			row("`"+name+"`", t)
			total = total.Plus(t)
		}
	}
	row("all", total)
	return writePart(file, "operators", page.Bytes())
}

// tallyIn reads the row of a table that begins so.
func tallyIn(table, begin string) (t operators.Tally, ok bool) {
	for line := range strings.Lines(table) {
		if rest, found := strings.CutPrefix(line, begin); found {
			_, err := fmt.Sscanf(rest, "%d | %d | %d | %d | %d", &t.Mutations, &t.Killed, &t.Survived, &t.Unreached, &t.Excused)
			return t, err == nil
		}
	}
	return t, false
}

func tallyRow(out io.Writer, name string, columns ...string) {
	fmt.Fprintf(out, "%-24s", name)
	for _, c := range columns {
		fmt.Fprintf(out, "  %10s", c)
	}
	fmt.Fprintln(out)
}
