package operators

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/plumbline-ci/plumbline/internal/mutants/schemata"
)

// Verdict is the outcome of a change.
type Verdict string

// The verdicts.
const (
	Killed     Verdict = "killed"     // a test failed, or panicked
	Endless    Verdict = "endless"    // the tests did not end in time, which they do otherwise
	Survived   Verdict = "SURVIVED"   // the tests reached it and passed
	Unreached  Verdict = "UNREACHED"  // no test reaches it
	Excused    Verdict = "equivalent" // it survived, and equivalent.yaml says why that is right
	Overlooked Verdict = "KILLED, AND EXCUSED"
)

// Noticed reports whether the tests noticed.
func (v Verdict) Noticed() bool { return v == Killed || v == Endless || v == Overlooked }

// Outcome is what the tests said of one change.
type Outcome struct {
	Mutation Mutation
	Verdict  Verdict
}

// Tally counts the outcomes of a package, or of all.
type Tally struct{ Mutations, Killed, Survived, Unreached, Excused int }

// Add counts one outcome.
func (t *Tally) Add(v Verdict) {
	t.Mutations++
	switch {
	case v.Noticed():
		t.Killed++
	case v == Survived:
		t.Survived++
	case v == Unreached:
		t.Unreached++
	case v == Excused:
		t.Excused++
	}
}

// Plus is both together.
func (t Tally) Plus(o Tally) Tally {
	return Tally{t.Mutations + o.Mutations, t.Killed + o.Killed, t.Survived + o.Survived, t.Unreached + o.Unreached, t.Excused + o.Excused}
}

// Ratio is the share of the changes that can be noticed and are, in percent.
func (t Tally) Ratio() float64 {
	if t.Mutations == t.Excused {
		return 100
	}
	return 100 * float64(t.Killed) / float64(t.Mutations-t.Excused)
}

// Judge says what the tests make of changes.
type Judge struct {
	Root string
	// Dir receives binaries; it must exist.
	Dir string
	// Jobs is how many test binaries run at once; 0 means one.
	Jobs int
	// Limit is the least time after which the tests are taken to be endless; it is longer for tests that take long.
	Limit time.Duration
	// Equivalents excuse what survives.
	Equivalents []Equivalent
}

// slack is how much longer than without a change the tests may take.
const slack = 20

// Package judges the chosen changes of a package, and returns the outcomes in their order.
func (j Judge) Package(ctx context.Context, p *Package, chosen []Mutation) ([]Outcome, error) {
	reached, err := j.coverage(ctx, p)
	if err != nil {
		return nil, err
	}
	binary, err := j.build(ctx, p)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if out, err := j.run(ctx, p, binary, 0, 10*time.Minute); err != nil {
		return nil, fmt.Errorf("the tests of %s fail without any change: %w\n%s", p.Name, err, out)
	}
	limit := max(j.Limit, slack*time.Since(began))

	out := make([]Outcome, len(chosen))
	next := make(chan int)
	var wg sync.WaitGroup
	for range max(1, j.Jobs) {
		wg.Go(func() {
			for i := range next {
				out[i] = Outcome{chosen[i], j.judge(ctx, p, binary, chosen[i], reached, limit)}
			}
		})
	}
	for i := range chosen {
		next <- i
	}
	close(next)
	wg.Wait()
	return out, ctx.Err()
}

func (j Judge) judge(ctx context.Context, p *Package, binary string, m Mutation, reached func(Mutation) bool, limit time.Duration) Verdict {
	excused := false
	for _, e := range j.Equivalents {
		excused = excused || e.Is(m)
	}
	verdict := Unreached
	if reached(m) {
		verdict = Survived
		if _, err := j.run(ctx, p, binary, m.ID, limit); errors.Is(err, context.DeadlineExceeded) {
			verdict = Endless
		} else if err != nil {
			verdict = Killed
		}
	}
	switch {
	case excused && verdict.Noticed():
		return Overlooked
	case excused:
		return Excused
	}
	return verdict
}

// build compiles the package's tests with all its changes.
func (j Judge) build(ctx context.Context, p *Package) (string, error) {
	dir := filepath.Join(j.Dir, strings.ReplaceAll(p.Name, "/", "-"))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	woven, err := p.weave()
	if err != nil {
		return "", err
	}
	sources := map[string][]byte{filepath.Join(p.dir, schemata.SwitchFile): schemata.Switch(p.goName)}
	for name, w := range woven {
		sources[filepath.Join(p.dir, name)] = w.Source
	}
	file, err := schemata.WriteOverlay(dir, sources)
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "package.test")
	_, err = j.goTool(ctx, "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", file, "-o", binary, "./"+p.Name)
	return binary, err
}

func (j Judge) goTool(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = j.Root
	out, err := cmd.CombinedOutput()
	if err != nil {
		return out, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return out, nil
}

// run runs the package's tests with a change switched on; 0 is none.
func (j Judge) run(ctx context.Context, p *Package, binary string, id int, limit time.Duration) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	// A change may also ask for memory without end.
	cmd := exec.CommandContext(limited, "sh", "-c", `ulimit -v 4194304; exec "$0" -test.failfast`, binary)
	cmd.Dir, cmd.WaitDelay = p.dir, time.Second
	cmd.Env = append(os.Environ(), schemata.Environment+"="+strconv.Itoa(id), "GOMAXPROCS=1", "GOGC=400")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if limited.Err() != nil {
		return out.Bytes(), limited.Err()
	}
	return out.Bytes(), err
}

// block is a piece of code that coverage counts as one.
type block struct {
	fromLine, fromColumn, toLine, toColumn int
	hit                                    bool
}

// coverage tells which changes the tests reach when none of them is on.
func (j Judge) coverage(ctx context.Context, p *Package) (reached func(Mutation) bool, err error) {
	file := filepath.Join(j.Dir, strings.ReplaceAll(p.Name, "/", "-")+".cover")
	if _, err := j.goTool(ctx, "test", "-vet=off", "-coverprofile", file, "./"+p.Name); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	blocks, err := parseProfile(data)
	if err != nil {
		return nil, err
	}
	return func(m Mutation) bool {
		for _, b := range blocks[filepath.Base(m.File)] {
			if b.holds(m.Line, m.Column) {
				return b.hit
			}
		}
		// Between blocks, as the expressions of a case are, or outside functions: running it will tell.
		return true
	}, nil
}

func (b block) holds(line, column int) bool {
	return (line > b.fromLine || line == b.fromLine && column >= b.fromColumn) &&
		(line < b.toLine || line == b.toLine && column < b.toColumn)
}

// parseProfile reads what `go test -coverprofile` writes, by the base name of the file.
func parseProfile(data []byte) (map[string][]block, error) {
	out := map[string][]block{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		text := lines.Text()
		if strings.HasPrefix(text, "mode:") {
			continue
		}
		path, rest, _ := strings.Cut(text, ":")
		var b block
		var statements, count int
		if _, err := fmt.Sscanf(rest, "%d.%d,%d.%d %d %d", &b.fromLine, &b.fromColumn, &b.toLine, &b.toColumn, &statements, &count); err != nil {
			return nil, fmt.Errorf("the coverage profile's line %q: %w", text, err)
		}
		b.hit = count > 0
		name := path[strings.LastIndexByte(path, '/')+1:]
		out[name] = append(out[name], b)
	}
	return out, lines.Err()
}
