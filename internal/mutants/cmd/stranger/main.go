// Command stranger puts fixtures to the reference as to any implementation, with one of the changes that are
// compiled into it switched on. It reads a recall.Question from its input and writes a recall.Answer.
//
// With -reach it reads a list of recall.Case and writes a list of recall.Reached.
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
	reach := flag.Bool("reach", false, "tell what fixtures reach, instead of judging")
	flag.Parse()
	if err := run(*reach); err != nil {
		fmt.Fprintln(os.Stderr, "stranger:", err)
		os.Exit(1)
	}
}

func run(reach bool) error {
	s, err := recall.NewStranger()
	if err != nil {
		return err
	}
	question := json.NewDecoder(os.Stdin)
	if reach {
		var cases []recall.Case
		if err := question.Decode(&cases); err != nil {
			return fmt.Errorf("the fixtures: %w", err)
		}
		reached, err := s.Reach(context.Background(), cases)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(reached)
	}
	var q recall.Question
	if err := question.Decode(&q); err != nil {
		return fmt.Errorf("the question: %w", err)
	}
	answer, err := s.Ask(context.Background(), q)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(answer)
}
