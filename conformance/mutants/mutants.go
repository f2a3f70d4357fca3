// Package mutants proves that the suite can fail. A mutant is one deliberate
// fault in the reference implementation; the suite has to notice it, by a fixture
// that the mutant's entry names.
//
// A fault is a replacement of text in one source file. It never touches the tree:
// the changed file goes to a temporary directory, and `go build -overlay` builds
// the command line tool as if it stood in its place. A text that does not occur
// exactly once is an error, so an entry cannot go stale in silence.
package mutants

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Mutant is one fault and what must notice it.
type Mutant struct {
	// Name says what the fault makes of the implementation.
	Name string `yaml:"name"`
	// Rule is the requirement it breaks, by the suite's ids.
	Rule string `yaml:"rule"`
	// File is the source file, relative to the module's root.
	File string `yaml:"file"`
	// Replace is replaced by With; it occurs in File exactly once.
	Replace string `yaml:"replace"`
	With    string `yaml:"with"`
	// CaughtBy are fixtures that must fail on this mutant.
	CaughtBy []string `yaml:"caughtBy"`
}

//go:embed mutants.yaml
var table []byte

// Table returns the mutants of the reference implementation.
func Table() ([]Mutant, error) {
	var out []Mutant
	dec := yaml.NewDecoder(bytes.NewReader(table))
	dec.KnownFields(true)
	if err := dec.Decode(&out); err != nil {
		return nil, fmt.Errorf("mutants.yaml: %w", err)
	}
	seen := map[string]bool{}
	for _, m := range out {
		switch {
		case m.Name == "" || m.File == "" || m.Replace == "" || m.Rule == "":
			return nil, fmt.Errorf("mutants.yaml: mutant %q needs name, rule, file and replace", m.Name)
		case len(m.CaughtBy) == 0:
			return nil, fmt.Errorf("mutants.yaml: mutant %q names no fixture that catches it", m.Name)
		case seen[m.Name]:
			return nil, fmt.Errorf("mutants.yaml: mutant %q appears twice", m.Name)
		}
		seen[m.Name] = true
	}
	return out, nil
}

// Outcome is what the suite said of one mutant.
type Outcome struct {
	Mutant Mutant
	// Failed are the fixtures that failed.
	Failed []string
	// Missed are the fixtures that should have failed and did not.
	Missed []string
}

// Caught reports whether the suite noticed the fault where it should.
func (o Outcome) Caught() bool { return len(o.Failed) > 0 && len(o.Missed) == 0 }

// Apply returns the mutated source of the mutant's file.
func (m Mutant) Apply(source []byte) ([]byte, error) {
	if n := bytes.Count(source, []byte(m.Replace)); n != 1 {
		return nil, fmt.Errorf("mutant %q: the text to replace occurs %d times in %s, want once; bring mutants.yaml up to date", m.Name, n, m.File)
	}
	return bytes.Replace(source, []byte(m.Replace), []byte(m.With), 1), nil
}

// Runner builds and judges mutants of the module at Root.
type Runner struct {
	Root string
	// Dir receives binaries and overlays; it must exist.
	Dir string
	// Arguments go to `plumbline run`, for example a label filter.
	Arguments []string
}

// Build compiles cmd/plumbline with the mutant in place and returns the binary's
// path. The zero Mutant builds the tree as it is.
func (r Runner) Build(ctx context.Context, m Mutant) (string, error) {
	binary := filepath.Join(r.Dir, "plumbline")
	args := []string{"build", "-o", binary}
	if m.File != "" {
		path := filepath.Join(r.Root, filepath.FromSlash(m.File))
		source, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("mutant %q: %w", m.Name, err)
		}
		mutated, err := m.Apply(source)
		if err != nil {
			return "", err
		}
		replacement := filepath.Join(r.Dir, "mutant.go")
		if err := os.WriteFile(replacement, mutated, 0o600); err != nil {
			return "", err
		}
		overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: replacement}})
		if err != nil {
			return "", err
		}
		overlayFile := filepath.Join(r.Dir, "overlay.json")
		if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
			return "", err
		}
		args = append(args, "-overlay", overlayFile)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/plumbline")...)
	cmd.Dir = r.Root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("mutant %q does not compile: %w\n%s", m.Name, err, out)
	}
	return binary, nil
}

// exitRequirementFailed is the exit code of `plumbline run` for a failed requirement.
const exitRequirementFailed = 1

// Judge builds the mutant, runs the suite on it and says what the suite noticed.
func (r Runner) Judge(ctx context.Context, m Mutant) (Outcome, error) {
	binary, err := r.Build(ctx, m)
	if err != nil {
		return Outcome{}, err
	}
	cmd := exec.CommandContext(ctx, binary, append([]string{"run", "-o", "json"}, r.Arguments...)...)
	cmd.Dir = r.Dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != exitRequirementFailed) {
		return Outcome{}, fmt.Errorf("mutant %q: the suite itself broke: %w\n%s", m.Name, err, lastLines(stderr.String(), 20))
	}
	var report struct {
		Fixtures []struct{ Name, Verdict string }
	}
	if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
		return Outcome{}, fmt.Errorf("mutant %q: the report cannot be read: %w", m.Name, err)
	}
	o := Outcome{Mutant: m}
	for _, f := range report.Fixtures {
		if f.Verdict == "fail" {
			o.Failed = append(o.Failed, f.Name)
		}
	}
	for _, want := range m.CaughtBy {
		if !slices.Contains(o.Failed, want) {
			o.Missed = append(o.Missed, want)
		}
	}
	return o, nil
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
