// Command prose prints the wording of files that reads like a word-for-word translation: of those that are named, or of all.
package main

import (
	"fmt"
	"os"

	"github.com/plumbline-ci/plumbline/internal/prose"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(names []string) error {
	c, err := prose.New()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		if names, err = prose.Files("."); err != nil {
			return err
		}
	}
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
