package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/internal/mutants/operators"
	"github.com/plumbline-ci/plumbline/internal/mutants/recall"
)

// runRecall changes the reference mechanically and says what the suite notices, as it would of a stranger's.
func runRecall(ctx context.Context, o options, root, dir string) (err error) {
	parts := recall.Parts()
	if o.packages != "" {
		wanted := strings.Split(o.packages, ",")
		parts = slices.DeleteFunc(parts, func(p operators.Part) bool { return !slices.Contains(wanted, p.Package) })
		if len(parts) != len(wanted) {
			return fmt.Errorf("-package %s: the packages are %v", o.packages, recall.Parts())
		}
	}
	excuses, err := recall.Excuses()
	if err != nil {
		return err
	}
	began := time.Now()
	prepared, err := recall.Judge{Root: root, Dir: dir, Parts: parts, Jobs: o.jobs, Limit: o.endless, Profile: o.profile, Excuses: excuses}.Prepare(ctx)
	if err != nil {
		return err
	}
	wrong := 0
	var chosen []operators.Mutation
	for _, p := range prepared.Packages {
		for _, e := range recall.Stale(excuses, p) {
			fmt.Println("stale in unbound.yaml:", e)
			wrong++
		}
		chosen = append(chosen, p.Mutations...)
	}
	if o.only != "" {
		texts := strings.Split(o.only, ",")
		chosen = slices.DeleteFunc(chosen, func(m operators.Mutation) bool {
			about := m.String() + " " + m.Function
			return !slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(about, text) })
		})
	}
	chosen = operators.Sample(chosen, o.sample)
	fmt.Printf("%d changes to judge; built after %s\n", len(chosen), time.Since(began).Round(time.Second))
	log, err := outcomeLog(o.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.close()) }()
	outcomes, err := prepared.Judge(ctx, chosen, func(outcome recall.Outcome) {
		log.add(outcome)
		if o.verbose {
			fmt.Printf("%-11s  %s  %s %s\n", outcome.Verdict, outcome.Change, outcome.Phase, outcome.By)
		}
	})
	if err != nil {
		return err
	}
	var total recall.Tally
	for _, outcome := range outcomes {
		total.Add(outcome)
		if outcome.Verdict == recall.Overlooked {
			fmt.Printf("excused in unbound.yaml, yet %s notices: %s\n", outcome.By, outcome.Change)
			wrong++
		}
	}
	for _, s := range recall.Survivors(outcomes) {
		fmt.Printf("%-9s  %3d  %s  %s\n", s.Verdict, s.Reach, s.Change, s.Change.Function)
	}
	whole := o.sample <= 0 && o.only == "" && o.packages == "" && o.profile == ""
	if whole {
		for _, e := range recall.Idle(excuses, outcomes) {
			fmt.Println("in unbound.yaml, yet all of it is noticed:", e)
			wrong++
		}
	}
	packages, _ := recall.ByPackage(outcomes)
	fmt.Print("\n" + recall.Head)
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		fmt.Print(recall.Row(name, packages[name]))
	}
	fmt.Print(recall.Row("all", total))
	if o.page != "" && whole {
		if err := writePart(filepath.Join(root, o.page), "recall", recall.Page(outcomes)); err != nil {
			return err
		}
	}
	fmt.Printf("\n%.1f %% of the changes that bind are noticed, in %s\n", total.Ratio(), time.Since(began).Round(time.Second))
	switch {
	case wrong > 0:
		return fmt.Errorf("%d entries of unbound.yaml are wrong", wrong)
	case total.Ratio() < o.least:
		return fmt.Errorf("%.1f %% is less than %.0f %%", total.Ratio(), o.least)
	}
	return nil
}

// lines is a file with an outcome a line, or nothing.
type lines struct {
	file *os.File
	err  error
}

func outcomeLog(path string) (*lines, error) {
	if path == "" {
		return &lines{}, nil
	}
	file, err := os.Create(path)
	return &lines{file: file}, err
}

func (l *lines) add(o recall.Outcome) {
	if l.file == nil {
		return
	}
	l.err = errors.Join(l.err, json.NewEncoder(l.file).Encode(o))
}

func (l *lines) close() error {
	if l.file == nil {
		return nil
	}
	return errors.Join(l.err, l.file.Close())
}
