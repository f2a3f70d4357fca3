package recall

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"slices"
	"time"

	"github.com/plumbline-ci/plumbline/internal/mutants/hits"
	"github.com/plumbline-ci/plumbline/internal/mutants/operators"
)

// Reached is what one fixture reaches without a change, and what it costs: the blocks of each package, by their numbers.
type Reached struct {
	Case  Case             `json:"case"`
	Took  time.Duration    `json:"took"`
	Plain map[string][]int `json:"plain"`
	// All is what it reaches in any phase.
	All map[string][]int `json:"all"`
}

// Reach runs each fixture without a change, and tells what it reaches. What is done once in a process, by whichever fixture
// comes first, counts as reached by that one; so the first is run twice, and what it does but once, all reach.
func (s *Stranger) Reach(ctx context.Context, cases []Case) ([]Reached, error) {
	if len(cases) == 0 {
		return nil, nil
	}
	begun, err := s.reach(ctx, cases[0])
	if err != nil {
		return nil, err
	}
	out := make([]Reached, len(cases))
	for i, c := range cases {
		if out[i], err = s.reach(ctx, c); err != nil {
			return nil, err
		}
	}
	for name, list := range begun.All {
		for _, id := range list {
			if slices.Contains(out[0].All[name], id) {
				continue
			}
			for i := range out {
				out[i].Plain[name] = append(out[i].Plain[name], id)
				out[i].All[name] = append(out[i].All[name], id)
			}
		}
	}
	return out, nil
}

func (s *Stranger) reach(ctx context.Context, c Case) (Reached, error) {
	out := Reached{Case: c}
	one := []Case{c}
	hits.Reset()
	answer, err := s.Ask(ctx, Question{Plain: one})
	if err != nil {
		return out, err
	}
	out.Took, out.Plain = answer.Took[c.Name], hits.Reached()
	if answer.By == "" {
		if answer, err = s.Ask(ctx, Question{Faulty: one}); err != nil {
			return out, err
		}
	}
	if answer.By != "" {
		return out, fmt.Errorf("%s fails without a change (%s): %s", c.Name, answer.Phase, answer.Says)
	}
	out.All = hits.Reached()
	return out, nil
}

// reach asks the program, without a change, what the fixtures reach. Each of its processes takes a part of them.
func (p *Prepared) reach(ctx context.Context, cases []Case) error {
	jobs := max(1, p.j.Jobs)
	parts := make([][]Reached, jobs)
	errs := make([]error, jobs+1)
	p.j.inParallel(ctx, jobs, func(i int) {
		var own []Case
		for n := i; n < len(cases); n += jobs {
			own = append(own, cases[n])
		}
		parts[i], errs[i] = p.reachOf(ctx, own)
	})
	for _, part := range parts {
		for _, r := range part {
			f := reached{fixture: r.Case, took: r.Took, plain: set(r.Plain), all: set(r.All)}
			p.fixtures = append(p.fixtures, f)
		}
	}
	errs[jobs] = ctx.Err()
	return errors.Join(errs...)
}

func (p *Prepared) reachOf(ctx context.Context, cases []Case) ([]Reached, error) {
	question, err := json.Marshal(cases)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, p.binary, "-reach")
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(question), &stdout, &stderr
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("the fixtures without a change: %w\n%s", err, stderr.Bytes())
	}
	var out []Reached
	return out, json.Unmarshal(stdout.Bytes(), &out)
}

// reached is a fixture and the blocks that it reaches.
type reached struct {
	fixture    Case
	took       time.Duration
	plain, all map[string]map[int]bool
}

func set(lists map[string][]int) map[string]map[int]bool {
	out := map[string]map[int]bool{}
	for name, list := range lists {
		out[name] = map[int]bool{}
		for _, id := range list {
			out[name][id] = true
		}
	}
	return out
}

// reaches reports whether blocks hold a change. What lies outside of functions, all reach.
func reaches(blocks map[string]map[int]bool, m operators.Mutation) bool {
	return m.Block < 0 || blocks[path.Dir(m.File)][m.Block]
}
