package recall

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/coverage"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/plumbline-ci/plumbline/internal/mutants/operators"
)

// Folders of the counters of a process.
const (
	plainFolder = "plain"
	allFolder   = "all"
)

// Reach asks, in a process that is built for coverage, and writes what was reached below dir. The answer goes to dir too.
func Reach(ctx context.Context, s *Stranger, q Question, dir string) error {
	plain, err := s.Ask(ctx, Question{Plain: q.Plain})
	if err != nil {
		return err
	}
	if err := counters(filepath.Join(dir, plainFolder)); err != nil {
		return err
	}
	if plain.By == "" {
		// A fixture whose expectations do not survive faults is judged by invariants alone.
		faulty, err := s.Ask(ctx, Question{Faulty: q.Faulty})
		if err != nil {
			return err
		}
		plain.By, plain.Phase, plain.Says = faulty.By, faulty.Phase, faulty.Says
	}
	if err := counters(filepath.Join(dir, allFolder)); err != nil {
		return err
	}
	text, err := json.Marshal(plain)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "answer.json"), text, 0o600)
}

func counters(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return errors.Join(coverage.WriteMetaDir(dir), coverage.WriteCountersDir(dir))
}

// reached is what one fixture reaches, and what it costs.
type reached struct {
	fixture Case
	took    time.Duration
	// plain and all say of each block of the program whether it is reached, in the order of blocks.
	plain, all []bool
}

// blocks are the blocks of the program, which every profile has in the same order.
type blocks struct {
	mu     sync.Mutex
	list   []operators.Block
	byFile map[string][]int
}

// read takes a profile, and returns which blocks it says are reached.
func (b *blocks) read(text []byte) ([]bool, error) {
	list, err := operators.ParseProfile(text)
	if err != nil {
		return nil, err
	}
	hits := make([]bool, len(list))
	for i := range list {
		hits[i], list[i].Hit = list[i].Hit, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byFile == nil {
		b.list, b.byFile = list, map[string][]int{}
		for i, x := range list {
			b.byFile[x.File] = append(b.byFile[x.File], i)
		}
	}
	if !slices.Equal(list, b.list) {
		return nil, errors.New("two profiles of one program list other blocks")
	}
	return hits, nil
}

// reach reports whether hits hold a change. What lies between blocks, as the expressions of a case do, is reached when its
// function is; what lies outside functions is reached by all.
func (b *blocks) reach(hits []bool, m operators.Mutation) bool {
	if m.Function == "" {
		return true
	}
	for _, i := range b.byFile[m.File] {
		if b.list[i].Holds(m.Line, m.Column) {
			return hits[i]
		}
	}
	return slices.ContainsFunc(b.byFile[m.File], func(i int) bool { return hits[i] && b.list[i].Within(m.FirstLine, m.LastLine) })
}

// reach runs each fixture in a process of its own, without a change.
func (j Judge) reach(ctx context.Context, known *blocks, cases []Case) ([]reached, error) {
	binary := filepath.Join(j.Dir, "stranger-coverage")
	var packages []string
	for _, p := range j.Parts {
		packages = append(packages, "./"+p.Package)
	}
	if err := j.goTool(ctx, "build", "-cover", "-covermode=atomic", "-coverpkg="+strings.Join(append(packages, command), ","), "-o", binary, command); err != nil {
		return nil, err
	}
	out := make([]reached, len(cases))
	var mu sync.Mutex
	var errs error
	j.inParallel(ctx, len(cases), func(i int) {
		one, err := j.reachOf(ctx, known, binary, cases[i], filepath.Join(j.Dir, "reach-"+strconv.Itoa(i)))
		mu.Lock()
		defer mu.Unlock()
		out[i] = one
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("%s: %w", cases[i].Name, err))
		}
	})
	return out, errors.Join(errs, ctx.Err())
}

func (j Judge) reachOf(ctx context.Context, known *blocks, binary string, c Case, dir string) (reached, error) {
	out := reached{fixture: c}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return out, err
	}
	one := []Case{c}
	cmd := exec.CommandContext(ctx, binary, "-reach", dir)
	question, err := json.Marshal(Question{Plain: one, Faulty: one})
	if err != nil {
		return out, err
	}
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(question), &stderr
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOCOVERDIR="+dir)
	if err := cmd.Run(); err != nil {
		return out, fmt.Errorf("%w\n%s", err, stderr.Bytes())
	}
	text, err := os.ReadFile(filepath.Join(dir, "answer.json"))
	if err != nil {
		return out, err
	}
	var answer Answer
	if err := json.Unmarshal(text, &answer); err != nil {
		return out, err
	}
	if answer.By != "" {
		return out, fmt.Errorf("it fails without a change (%s): %s", answer.Phase, answer.Says)
	}
	out.took = answer.Took[c.Name]
	if out.plain, err = j.hits(ctx, known, filepath.Join(dir, plainFolder)); err != nil {
		return out, err
	}
	if out.all, err = j.hits(ctx, known, filepath.Join(dir, allFolder)); err != nil {
		return out, err
	}
	return out, os.RemoveAll(dir)
}

// hits reads the counters of a folder.
func (j Judge) hits(ctx context.Context, known *blocks, dir string) ([]bool, error) {
	file := filepath.Join(dir, "profile")
	if err := j.goTool(ctx, "tool", "covdata", "textfmt", "-i="+dir, "-o="+file); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return known.read(text)
}
