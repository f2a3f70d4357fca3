// Package recall asks how many mechanical changes of the reference the suite notices as a stranger's: by the fixtures
// and invariants that bind an implementation which is not the reference, and by nothing else. Unit tests have no say.
//
// All changes are compiled into one program, cmd/stranger, of which the environment switches one on (see schemata). First
// the program is run without a change, to learn which fixtures reach which statements. Then each change gets a process,
// which puts to it the fixtures that reach it, cheapest first, and stops at the first that fails:
//
//  1. plain, under one seed;
//  2. under one further seed, as another order of events;
//  3. under a few seeds with random faults, where only the invariants judge.
//
// What survives has been reached and not been noticed. It is a requirement without a fixture, or it is excused in
// unbound.yaml: as equivalent, since nothing visible is different, or as unspecified, since no document
// says how it has to be.
//
//	recall.go    what is changed; outcomes, counts and excuses
//	stranger.go  one process: the fixtures that a change is put to
//	reach.go     which fixtures reach which statements
//	judge.go     building, and a process for each change
//	table.go     the tables of docs/mutants.md
package recall

import (
	"bytes"
	_ "embed"
	"fmt"
	"path"

	"gopkg.in/yaml.v3"

	"github.com/plumbline-ci/plumbline/internal/mutants/operators"
)

// Parts are the packages that are changed: the pure ones, the lifecycles of runs, and the step launcher.
func Parts() []operators.Part {
	var out []operators.Part
	for _, name := range []string{
		"api/config", "api/conversion", "api/defaulting", "api/pipelinegraph", "api/validation",
		"entrypoint", "entrypoint/termination",
		"reconciler/childname", "reconciler/fit", "reconciler/pass", "reconciler/pipelinerun", "reconciler/podspec", "reconciler/podstatus",
		"reconciler/progress", "reconciler/resolve", "reconciler/substitution", "reconciler/taskrun",
	} {
		out = append(out, operators.Part{Package: name})
	}
	return out
}

// Verdict is what the suite said of a change.
type Verdict string

// The verdicts.
const (
	Noticed     Verdict = "noticed"
	Survived    Verdict = "SURVIVED"    // fixtures reach it, and all of them pass
	Unreached   Verdict = "UNREACHED"   // no fixture that binds reaches it
	Equivalent  Verdict = "equivalent"  // it survived, and unbound.yaml says that nothing is different
	Unspecified Verdict = "unspecified" // it survived, and unbound.yaml says what leaves it open
	Overlooked  Verdict = "NOTICED, AND EXCUSED"
)

// Outcome is a change and what was said of it.
type Outcome struct {
	Change  operators.Mutation
	Verdict Verdict
	// By is the fixture that noticed, Phase when: plain, seeds, faults, or endless if the process did not end.
	By, Phase string
	// Says is what the fixture's failure says.
	Says string
	// Reach is how many fixtures reach the change.
	Reach int
}

// Tally counts outcomes.
type Tally struct{ Changes, Noticed, ByFaults, Survived, Unreached, Equivalent, Unspecified int }

// Add counts one.
func (t *Tally) Add(o Outcome) {
	t.Changes++
	switch o.Verdict {
	case Noticed, Overlooked:
		t.Noticed++
		if o.Phase == PhaseFaults {
			t.ByFaults++
		}
	case Survived:
		t.Survived++
	case Unreached:
		t.Unreached++
	case Equivalent:
		t.Equivalent++
	case Unspecified:
		t.Unspecified++
	}
}

// Plus is both together.
func (t Tally) Plus(o Tally) Tally {
	return Tally{t.Changes + o.Changes, t.Noticed + o.Noticed, t.ByFaults + o.ByFaults, t.Survived + o.Survived,
		t.Unreached + o.Unreached, t.Equivalent + o.Equivalent, t.Unspecified + o.Unspecified}
}

// Ratio is the share of what is neither equivalent nor unspecified that is noticed, in percent.
func (t Tally) Ratio() float64 {
	n := t.Changes - t.Equivalent - t.Unspecified
	if n == 0 {
		return 100
	}
	return 100 * float64(t.Noticed) / float64(n)
}

// Excuse is why a change, or all changes of a function, need not be noticed.
type Excuse struct {
	File     string `yaml:"file"`
	Function string `yaml:"function"`
	// Operator, Before and After say which change of the function it is; without Before it is each that survives.
	Operator string `yaml:"operator"`
	Before   string `yaml:"before"`
	After    string `yaml:"after"`
	// Verdict is equivalent or unspecified.
	Verdict Verdict `yaml:"verdict"`
	// Reason is one line. Of what is unspecified it cites what leaves it open.
	Reason string `yaml:"reason"`
}

func (e Excuse) of(m operators.Mutation) bool {
	if e.Before == "" {
		return e.File == m.File && (e.Function == m.Function || e.Function == "*") && (e.Operator == "" || e.Operator == m.Operator)
	}
	return operators.Equivalent{File: e.File, Function: e.Function, Operator: e.Operator, Before: e.Before, After: e.After}.Is(m)
}

//go:embed unbound.yaml
var unbound []byte

// Excuses are those of unbound.yaml, and the equivalent changes that package operators lists.
func Excuses() ([]Excuse, error) {
	var out []Excuse
	dec := yaml.NewDecoder(bytes.NewReader(unbound))
	dec.KnownFields(true)
	if err := dec.Decode(&out); err != nil {
		return nil, fmt.Errorf("unbound.yaml: %w", err)
	}
	for _, e := range out {
		switch {
		case e.File == "" || len(e.Reason) < 10:
			return nil, fmt.Errorf("unbound.yaml: the entry of %s, %s needs file and a reason", e.File, e.Function)
		case e.Verdict != Equivalent && e.Verdict != Unspecified:
			return nil, fmt.Errorf("unbound.yaml: the entry of %s, %s has the verdict %q, want equivalent or unspecified", e.File, e.Function, e.Verdict)
		case e.Function == "" && e.Before == "":
			return nil, fmt.Errorf("unbound.yaml: an entry of %s needs a function or the change", e.File)
		}
	}
	equivalents, err := operators.Equivalents()
	if err != nil {
		return nil, err
	}
	for _, e := range equivalents {
		out = append(out, Excuse{e.File, e.Function, e.Operator, e.Before, e.After, Equivalent, e.Reason})
	}
	return out, nil
}

// Stale are the excuses of a package that are about none of its changes.
func Stale(all []Excuse, p *operators.Package) []Excuse {
	var out []Excuse
	for _, e := range all {
		if path.Dir(e.File) != p.Name {
			continue
		}
		found := false
		for _, m := range p.Mutations {
			found = found || e.of(m)
		}
		if !found {
			out = append(out, e)
		}
	}
	return out
}
