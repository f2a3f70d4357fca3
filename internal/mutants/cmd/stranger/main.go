// Command stranger puts fixtures to the reference as to anybody's implementation, with one of the changes that are
// compiled into it switched on. It reads a recall.Question from its input and writes a recall.Answer.
//
// With -reach FOLDER, where it is built for coverage, it writes which statements were reached: in FOLDER/plain by the
// plain run, in FOLDER/all by all phases.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"github.com/plumbline-ci/plumbline/internal/mutants/recall"
)

func main() {
	reach := flag.String("reach", "", "folder for coverage counters")
	flag.Parse()
	if err := run(*reach); err != nil {
		fmt.Fprintln(os.Stderr, "stranger:", err)
		os.Exit(1)
	}
}

func run(reach string) error {
	var q recall.Question
	if err := json.NewDecoder(os.Stdin).Decode(&q); err != nil {
		return fmt.Errorf("the question: %w", err)
	}
	s, err := recall.NewStranger()
	if err != nil {
		return err
	}
	if reach != "" {
		return recall.Reach(context.Background(), s, q, reach)
	}
	answer, err := s.Ask(context.Background(), q)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(answer)
}
