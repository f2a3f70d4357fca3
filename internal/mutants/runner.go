package mutants

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/internal/mutants/schemata"
)

// Runner judges mutants of the module at Root.
type Runner struct {
	Root string
	// Dir receives binaries and overlays; it must exist and belong to this Runner alone.
	Dir string
	// Program has mutants in it that need no build of their own; the zero Program has none.
	Program Program
	// Package is what BuildProgram compiles; empty means the command line tool.
	Package string
	// Environment is added to that of the go command, for BuildProgram: CGO_ENABLED=0, say.
	Environment []string
	// Limit is the real time that one mutant may take to build, and again to run; 0 means two minutes.
	Limit time.Duration
	// OnlyNamed runs only the fixtures that are to notice a mutant: who else would is not learned then.
	OnlyNamed bool
	// Arguments go to `plumbline run`, for example a filter.
	Arguments []string
}

const defaultLimit = 2 * time.Minute

// patience is how long a process that was killed may keep its pipes open.
const patience = 5 * time.Second

func (r Runner) limit() time.Duration {
	if r.Limit > 0 {
		return r.Limit
	}
	return defaultLimit
}

// ModuleRoot returns the folder of the module that the working directory is in.
func ModuleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("asking for the module: %w", err)
	}
	mod := strings.TrimSpace(string(out))
	if mod == "" || mod == os.DevNull {
		return "", errors.New("not inside the module: run it from a folder of the repository")
	}
	return filepath.Dir(mod), nil
}

// Build compiles cmd/plumbline with the mutant in place and returns the binary's
// path. The zero Mutant builds the tree as it is.
func (r Runner) Build(ctx context.Context, m Mutant) (string, error) {
	binary := filepath.Join(r.Dir, "plumbline")
	// A mutant is linked once and run once: what only debuggers and bug reports need is left out.
	args := []string{"build", "-o", binary, "-buildvcs=false", "-ldflags=-s -w"}
	if m.File != "" {
		overlay, err := r.overlay(m)
		if err != nil {
			return "", err
		}
		args = append(args, "-overlay", overlay)
	}
	ctx, cancel := context.WithTimeout(ctx, r.limit())
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/plumbline")...)
	cmd.Dir, cmd.WaitDelay = r.Root, patience
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("it does not compile: %w\n%s", err, lastLines(string(out), 20))
	}
	return binary, nil
}

// overlay writes the mutated file and the overlay that puts it in the original's place.
func (r Runner) overlay(m Mutant) (string, error) {
	path := filepath.Join(r.Root, filepath.FromSlash(m.File))
	source, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	mutated, err := m.Apply(source)
	if err != nil {
		return "", err
	}
	return schemata.WriteOverlay(r.Dir, map[string][]byte{path: mutated})
}

// Judge builds the mutant, runs the suite on it and says what the suite noticed. An error is the context's; whatever
// else goes wrong is an outcome.
func (r Runner) Judge(ctx context.Context, m Mutant) (Outcome, error) {
	began := time.Now()
	o := r.judge(ctx, m)
	o.Took = time.Since(began)
	return o, ctx.Err()
}

func (r Runner) judge(ctx context.Context, m Mutant) Outcome {
	if id, ok := r.Program.fault(m); ok {
		return r.suite(ctx, r.Program.Binary, id, m)
	}
	binary, err := r.Build(ctx, m)
	if err != nil {
		return Outcome{Mutant: m, Verdict: Unbuilt, Trouble: err}
	}
	return r.suite(ctx, binary, 0, m)
}

// suite runs the suite in the binary, with one of its faults switched on, or none for 0.
func (r Runner) suite(ctx context.Context, binary string, id int, m Mutant) Outcome {
	limited, cancel := context.WithTimeout(ctx, r.limit())
	defer cancel()
	args := append([]string{"run", "-q", "-o", "json"}, r.Arguments...)
	if r.OnlyNamed {
		args = append(args, "--name", strings.Join(m.CaughtBy, ","))
	}
	cmd := exec.CommandContext(limited, binary, args...)
	cmd.Dir, cmd.WaitDelay = r.Dir, patience
	cmd.Env = append(os.Environ(), schemata.Environment+"="+strconv.Itoa(id))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	// The exit code is that of a failed or broken run; the report says it better.
	exit := cmd.Run()
	if limited.Err() != nil {
		return Outcome{Mutant: m, Verdict: TimedOut, Trouble: fmt.Errorf("the run was ended after %s", r.limit())}
	}
	o, err := judge(m, stdout.Bytes())
	if err != nil {
		return Outcome{Mutant: m, Verdict: Unbuilt, Trouble: fmt.Errorf("%w (exit: %s)\n%s", err, fmt.Sprint(exit), lastLines(stderr.String(), 20))}
	}
	return o
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
