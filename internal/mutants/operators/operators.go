// Package operators changes the pure packages mechanically, one small place at a
// time, and asks their own unit tests whether they notice: mutation testing.
//
// All changes of a package are compiled into one test binary (see schemata), which
// is run once for each: a change costs the milliseconds of a run of the package's
// tests. Statements that no test reaches are found by coverage first; a change in
// them survives without being run.
//
//	sites.go     the operators: where a package can be changed, and into what
//	load.go      type checking, and leaving out what would not compile
//	judge.go     building and running the test binary
//	equivalent.yaml   changes that change nothing that can be seen, each with its reason
//
// Limits: a change is judged by the tests of its own package alone, with the machine
// that they run on; a change that makes a test run without end counts as noticed.
// Texts for people are not changed: those inside fmt.Errorf and errors.New, prose of the package that is given as a
// format or a message, and what goes to a log.
package operators

import (
	"bytes"
	_ "embed"
	"fmt"
	"path"
	"strings"

	"gopkg.in/yaml.v3"
)

// Packages are the packages that are pure: functions of their arguments.
func Packages() []string {
	return []string{
		"api/config", "api/conversion", "api/defaulting", "api/validation",
		"entrypoint", "entrypoint/termination",
		"reconciler/childname", "reconciler/podspec", "reconciler/podstatus", "reconciler/resolve", "reconciler/substitution",
	}
}

// files are the files of a package that are pure, where the others are not.
func files(pkg string) []string {
	if pkg == "entrypoint" {
		return []string{"arguments.go"}
	}
	return nil
}

// Mutation is one mechanical change.
type Mutation struct {
	ID           int
	File         string // relative to the module's root
	Line, Column int
	Function     string // empty outside functions
	// Block is the block of the package that holds it, or -1 if none does (see schemata.Blocks). It is known when the
	// package's sources have been asked for.
	Block    int
	Operator string
	Before   string // the changed text
	After    string // "" where it is removed

	site site
}

// String is the place, the operator and the change, on one line.
func (m Mutation) String() string {
	after := shorten(m.After)
	if after == "" {
		after = "(removed)"
	}
	return fmt.Sprintf("%s:%d:%d  %s  %s -> %s", m.File, m.Line, m.Column, m.Operator, shorten(m.Before), after)
}

func shorten(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 100 {
		return string(r[:60]) + " … " + string(r[len(r)-35:])
	}
	return text
}

// Equivalent is a change that no test can notice, because nothing that can be seen depends on it.
type Equivalent struct {
	File     string `yaml:"file"`
	Function string `yaml:"function"`
	Operator string `yaml:"operator"`
	Before   string `yaml:"before"`
	After    string `yaml:"after"`
	Reason   string `yaml:"reason"`
}

// Is reports whether the entry is about a change.
func (e Equivalent) Is(m Mutation) bool {
	return e.File == m.File && e.Function == m.Function && e.Operator == m.Operator && e.Before == shorten(m.Before) && e.After == shorten(m.After)
}

//go:embed equivalent.yaml
var equivalentTable []byte

// Equivalents is the table of them.
func Equivalents() ([]Equivalent, error) {
	var out []Equivalent
	dec := yaml.NewDecoder(bytes.NewReader(equivalentTable))
	dec.KnownFields(true)
	if err := dec.Decode(&out); err != nil {
		return nil, fmt.Errorf("equivalent.yaml: %w", err)
	}
	for _, e := range out {
		if e.File == "" || e.Operator == "" || e.Before == "" || len(e.Reason) < 10 {
			return nil, fmt.Errorf("equivalent.yaml: the entry of %s, %q, needs file, operator, before and a reason", e.File, e.Before)
		}
	}
	return out, nil
}

// Stale are the entries for one package that none of its mutations is.
func Stale(all []Equivalent, pkg string, mutations []Mutation) []Equivalent {
	var out []Equivalent
	for _, e := range all {
		if path.Dir(e.File) != pkg {
			continue
		}
		found := false
		for _, m := range mutations {
			found = found || e.Is(m)
		}
		if !found {
			out = append(out, e)
		}
	}
	return out
}

// Sample returns n of the mutations, spread evenly; all of them if n is not positive.
func Sample(all []Mutation, n int) []Mutation {
	if n <= 0 || n >= len(all) {
		return all
	}
	out := make([]Mutation, 0, n)
	for i := range n {
		out = append(out, all[(2*i+1)*len(all)/(2*n)])
	}
	return out
}
