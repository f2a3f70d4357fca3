// Package mutants proves that the suite can fail. A mutant is one deliberate
// fault in the reference implementation; the suite has to notice it, by the
// fixtures that the mutant's entry names.
//
// A fault is a replacement of text in one source file. It never touches the tree:
// the changed files go to a temporary directory, and `go build -overlay` builds
// the command line tool as if they stood in their places. A text that does not occur
// exactly once is an error, so an entry cannot go stale in silence.
//
// All faults that lie in one function each are compiled into one binary (see
// schemata), so that each costs a run of the suite and no build; the others, of
// constants for example, are built alone.
//
//	mutants.yaml   the table of faults
//	program.go     the build of all faults
//	runner.go      the build of one fault, and the suite run on it
//	outcome.go     what the suite said
//	matrix.go      faults and fixtures, both ways, as a page
//	operators/     mechanical changes, and the unit tests that notice them
//
// Limits: faults of the suite itself, which would let everything pass, are the
// business of the engine's own tests.
package mutants

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/plumbline-ci/plumbline/internal/mutants/schemata"
)

// Mutant is one fault and what must notice it.
type Mutant struct {
	// Name says what the fault makes of the implementation.
	Name string `yaml:"name"`
	// Family is the kind of rule that it breaks: lifecycle, pod, launcher, ….
	Family string `yaml:"family"`
	// Rule is the statement that it breaks, which one of the fixtures of CaughtBy proves; where the documents state
	// nothing, the rule as the implementation names it.
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
		case m.Name == "" || m.Family == "" || m.Rule == "" || m.File == "" || m.Replace == "":
			return nil, fmt.Errorf("mutants.yaml: mutant %q needs name, family, rule, file and replace", m.Name)
		case m.Replace == m.With:
			return nil, fmt.Errorf("mutants.yaml: mutant %q changes nothing", m.Name)
		case len(m.CaughtBy) == 0:
			return nil, fmt.Errorf("mutants.yaml: mutant %q names no fixture that catches it", m.Name)
		case seen[m.Name]:
			return nil, fmt.Errorf("mutants.yaml: mutant %q appears twice", m.Name)
		}
		seen[m.Name] = true
	}
	return out, nil
}

// Select returns the mutants whose family is, or whose name contains, one of the comma-separated texts of only (all, if
// it is empty); of them n spread evenly over the table, if n is positive.
func Select(all []Mutant, only string, n int) []Mutant {
	var named []Mutant
	for _, m := range all {
		if slices.ContainsFunc(strings.Split(only, ","), func(text string) bool { return m.Family == text || strings.Contains(m.Name, text) }) {
			named = append(named, m)
		}
	}
	if n <= 0 || n >= len(named) {
		return named
	}
	out := make([]Mutant, 0, n)
	for i := range n {
		out = append(out, named[(2*i+1)*len(named)/(2*n)])
	}
	return out
}

// Apply returns the mutated source of the mutant's file.
func (m Mutant) Apply(source []byte) ([]byte, error) {
	edit, err := m.edit(source)
	if err != nil {
		return nil, err
	}
	return schemata.Apply(source, []schemata.Edit{edit})
}

// edit is the replacement in the source of the mutant's file.
func (m Mutant) edit(source []byte) (schemata.Edit, error) {
	if n := bytes.Count(source, []byte(m.Replace)); n != 1 {
		return schemata.Edit{}, fmt.Errorf("mutant %q: the text to replace occurs %d times in %s, want once; bring mutants.yaml up to date", m.Name, n, m.File)
	}
	at := bytes.Index(source, []byte(m.Replace))
	return schemata.Edit{Start: at, End: at + len(m.Replace), Text: m.With}, nil
}
