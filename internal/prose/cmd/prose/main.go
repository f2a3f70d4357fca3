// Command prose prints the wording of files that reads like a word-for-word translation. Without files it lists those of
// the repository that have such wording, most of it first; with -todo it prints what todo.txt has to be.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"

	"github.com/plumbline-ci/plumbline/internal/prose"
)

func main() {
	todo := flag.Bool("todo", false, "print the list of files that are still to be edited")
	flag.Parse()
	if err := run(flag.Args(), *todo); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(names []string, todo bool) error {
	c, err := prose.New()
	if err != nil {
		return err
	}
	if len(names) > 0 {
		return each(c, names)
	}
	files, err := prose.Files(".")
	if err != nil {
		return err
	}
	counts := map[string]int{}
	for _, name := range files {
		found, err := c.Read(".", name)
		if err != nil {
			return err
		}
		if counts[name] = len(found); len(found) > 0 && todo {
			fmt.Println(name)
		}
	}
	if todo {
		return nil
	}
	slices.SortStableFunc(files, func(a, b string) int { return cmp.Compare(counts[b], counts[a]) })
	for _, name := range files {
		if counts[name] > 0 {
			fmt.Printf("%4d %s\n", counts[name], name)
		}
	}
	return nil
}

func each(c *prose.Checker, names []string) error {
	total := 0
	for _, name := range names {
		found, err := c.Read(".", name)
		if err != nil {
			return err
		}
		for _, f := range found {
			fmt.Printf("%s:%d: %q; write: %s\n", name, f.Line, f.Text, f.Instead)
		}
		total += len(found)
	}
	if total > 0 {
		return fmt.Errorf("%d places to edit", total)
	}
	return nil
}
