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
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/plumbline-ci/plumbline/internal/mutants/operators"
)

// Parts are the packages that are changed: the pure ones, the lifecycles of runs, and the step launcher.
func Parts() []operators.Part {
	var out []operators.Part
	for _, name := range []string{
		"api/config", "api/conversion", "api/defaulting", "api/pipelinegraph", "api/validation",
		"entrypoint", "entrypoint/termination",
		"reconciler/childname", "reconciler/customrun", "reconciler/fit", "reconciler/pass", "reconciler/pipelinerun", "reconciler/podspec", "reconciler/podstatus",
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

// Excuse is why some changes need not be noticed.
type Excuse struct {
	// File is the changed file. A * in its name stands for anything.
	File string `yaml:"file"`
	// Function is the changed function, or Functions are. A * stands for anything, and alone also for what is in no function.
	Function  string   `yaml:"function"`
	Functions []string `yaml:"functions"`
	// Operator, Before and After say which change of the function it is; without Before it is each that survives.
	Operator string `yaml:"operator"`
	Before   string `yaml:"before"`
	After    string `yaml:"after"`
	// Like narrows an entry without Before down to the changes of a text that the regular expression matches.
	Like string `yaml:"like"`
	// Verdict is equivalent or unspecified.
	Verdict Verdict `yaml:"verdict"`
	// Reason is one line. Of what is unspecified it cites what leaves it open.
	Reason string `yaml:"reason"`

	like *regexp.Regexp
}

// About reports whether the excuse is about a change.
func (e Excuse) About(m operators.Mutation) bool {
	if e.Before != "" {
		return operators.Equivalent{File: e.File, Function: e.Function, Operator: e.Operator, Before: e.Before, After: e.After}.Is(m)
	}
	return alike(e.File, m.File) && (e.Operator == "" || e.Operator == m.Operator) && (e.like == nil || e.like.MatchString(m.Before)) &&
		slices.ContainsFunc(e.functions(), func(f string) bool { return alike(f, m.Function) })
}

// String names the entry.
func (e Excuse) String() string {
	text := e.File + ", " + strings.Join(e.functions(), ", ")
	if e.Like != "" {
		text += fmt.Sprintf(", like %q", e.Like)
	}
	if e.Before != "" {
		text += fmt.Sprintf(", %q -> %q", e.Before, e.After)
	}
	return text
}

func (e Excuse) functions() []string {
	if e.Function != "" {
		return []string{e.Function}
	}
	return e.Functions
}

// alike reports whether a name is as a pattern has it.
func alike(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// check says what is wrong with an entry, and makes it ready for use.
func (e *Excuse) check() (err error) {
	switch {
	case e.File == "" || len(e.Reason) < 10:
		return errors.New("it needs file and a reason")
	case e.Verdict != Equivalent && e.Verdict != Unspecified:
		return fmt.Errorf("it has the verdict %q, want equivalent or unspecified", e.Verdict)
	case len(e.functions()) == 0 && e.Before == "":
		return errors.New("it needs a function or the change")
	case e.Function != "" && e.Functions != nil:
		return errors.New("it has both function and functions")
	case e.Before != "" && (e.Functions != nil || e.Like != ""):
		return errors.New("it is about one change, and so has no functions and no like")
	}
	for _, pattern := range append(e.functions(), e.File) {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("%q: %w", pattern, err)
		}
	}
	if e.Like != "" {
		e.like, err = regexp.Compile(e.Like)
	}
	return err
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
	for i := range out {
		if err := out[i].check(); err != nil {
			return nil, fmt.Errorf("unbound.yaml: the entry of %s: %w", out[i], err)
		}
	}
	equivalents, err := operators.Equivalents()
	if err != nil {
		return nil, err
	}
	for _, e := range equivalents {
		out = append(out, Excuse{
			File: e.File, Function: e.Function, Operator: e.Operator, Before: e.Before, After: e.After,
			Verdict: Equivalent, Reason: e.Reason,
		})
	}
	return out, nil
}

// Stale are the excuses of a package that are about none of its changes. An excuse for several functions is stale if it is
// about none in one of them.
func Stale(all []Excuse, p *operators.Package) []Excuse {
	var out []Excuse
	for _, e := range all {
		if path.Dir(e.File) == p.Name && e.stale(p.Mutations) {
			out = append(out, e)
		}
	}
	return out
}

func (e Excuse) stale(changes []operators.Mutation) bool {
	if e.Before != "" {
		return !slices.ContainsFunc(changes, e.About)
	}
	for _, f := range e.functions() {
		one := e
		one.Function, one.Functions = f, nil
		if !slices.ContainsFunc(changes, one.About) {
			return true
		}
	}
	return false
}

// Idle are the excuses that excuse nothing, since all that they are about is noticed. The outcomes must be those of every
// change.
func Idle(all []Excuse, outcomes []Outcome) []Excuse {
	return slices.DeleteFunc(slices.Clone(all), func(e Excuse) bool {
		return slices.ContainsFunc(outcomes, func(o Outcome) bool { return o.Verdict != Noticed && e.About(o.Change) })
	})
}
