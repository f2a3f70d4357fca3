// Package script generates random scripts, always the same ones from the same seed.
//
// A shell script sets up a few files and variables and then runs some statements. Statements come from a grammar
// (command.go, compound.go, word.go, expansion.go, arithmetic.go, condition.go) and from snippets that exercise one
// feature with random parts (feature.go, job.go, bash.go). A utility call is one command line with random options and
// input (utility*.go, jq.go). Every part marks the constructs that it uses.
//
// Only deterministic scripts are wanted, so some things are avoided by construction: process numbers and times are not
// printed, two processes never write to the same place at the same time, the first command of a pipeline whose reader
// may end early writes a single line, and signals are sent only between commands of the main shell.
package script

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// Dialect is what a script is written for.
type Dialect string

// The dialects.
const (
	Ash       Dialect = "ash"
	Bash      Dialect = "bash"
	Dash      Dialect = "dash"
	Utilities Dialect = "utilities"
)

// Dialects returns all of them.
func Dialects() []Dialect { return []Dialect{Ash, Bash, Dash, Utilities} }

// Sh is the program that sh is while a script of this dialect runs.
func (d Dialect) Sh() string {
	if d == Dash {
		return "dash"
	}
	return "ash"
}

// Argv is the command that runs a text of this dialect.
func (d Dialect) Argv(text string) []string {
	switch d {
	case Bash:
		return []string{"bash", "-c", text}
	case Dash:
		return []string{"dash", "-c", text}
	}
	return []string{"sh", "-c", text}
}

// Script is a generated script.
type Script struct {
	Dialect Dialect
	// Parts are joined by newlines. Any of them can be left out.
	Parts []string
	// Constructs are what the script uses, sorted.
	Constructs []string
}

// Text is the script as the shell gets it.
func (s Script) Text() string { return strings.Join(s.Parts, "\n") + "\n" }

// Generate returns script number index of a seed.
func Generate(d Dialect, seed, index uint64) Script {
	g := &generator{r: rand.New(rand.NewPCG(seed, index*4+uint64(slices.Index(Dialects(), d)))), d: d, marks: map[string]bool{}}
	s := Script{Dialect: d}
	if d == Utilities {
		s.Parts = g.utilityCall()
	} else {
		s.Parts = g.shellScript()
	}
	s.Constructs = slices.Sorted(maps.Keys(g.marks))
	return s
}

// generator makes one script.
type generator struct {
	r     *rand.Rand
	d     Dialect
	marks map[string]bool
	depth int
	names int

	inFunction bool // calls of functions could recurse
	noPipe     bool // the two outputs go to the same place
	inJob      bool // runs beside other commands
	statusSeen bool // the status of every command of a pipeline shows
	hereDocs   bool // a here-document cannot stand here
}

// mark notes that the script uses a construct.
func (g *generator) mark(construct string) { g.marks[construct] = true }

// chance reports true with probability p.
func (g *generator) chance(p float64) bool { return g.r.Float64() < p }

// one returns one of the strings.
func (g *generator) one(choices ...string) string { return choices[g.r.IntN(len(choices))] }

// do calls one of the functions. A nil function stands for what the dialect does not have.
func (g *generator) do(choices ...func() string) string {
	for {
		if f := choices[g.r.IntN(len(choices))]; f != nil {
			return f()
		}
	}
}

// when returns f if the condition holds.
func when(condition bool, f func() string) func() string {
	if condition {
		return f
	}
	return nil
}

// many joins from low to high results of f.
func (g *generator) many(low, high int, sep string, f func() string) string {
	var out []string
	for range low + g.r.IntN(high-low+1) {
		out = append(out, f())
	}
	return strings.Join(out, sep)
}

// fresh returns a variable that no other part of the script uses.
func (g *generator) fresh() string {
	g.names++
	return fmt.Sprintf("k%d", g.names)
}

// with runs f with a flag set.
func with(flag *bool, f func() string) string {
	old := *flag
	*flag = true
	defer func() { *flag = old }()
	return f()
}

// nested runs f one level deeper.
func (g *generator) nested(f func() string) string {
	g.depth++
	defer func() { g.depth-- }()
	return f()
}

func (g *generator) bash() bool { return g.d == Bash }

// substrings reports whether the dialect knows ${x:1:2} and ${x/a/b}.
func (g *generator) substrings() bool { return g.d != Dash }

// shellScript is the parts of a script.
func (g *generator) shellScript() []string {
	parts := []string{
		`printf 'one two  three\n four\\t five\nlast' > t1; printf 'a:b:c\n' > t2; mkdir -p d1; : > d1/foo.txt; : > a.b`,
		fmt.Sprintf("a=%s b=%s c=%s n=%s e='' p=/usr/lib/foo.tar.gz q=b", g.one("foo", "'foo bar'", "'*'", "'  in out '", "'a:b:c'", `'x\ty'`, "foobar", "Hello", "'a.b'"),
			g.one("bar", "'a*b'", "o", "'1 2'", "''", "-n"), g.one("'é'", "A", "'a b c'", "1"), g.one("0", "1", "3", "5", "10")),
		`f1() { echo "f1:$#:$1"; return 3; }; f2() { local a=loc; echo "$a $*"; }`,
		"set -- " + g.one("", "one 'two three'", "'' x", "a b c", "'*' '  y '"),
	}
	if g.bash() {
		parts = append(parts, "arr=(p 'q r' s); declare -A map=([k]=v [z]=)")
	}
	if g.chance(0.3) {
		parts = append(parts, g.option())
	}
	if g.chance(0.06) {
		parts = append(parts, g.aliases())
	}
	g.statusSeen = g.bash() && g.chance(0.3)
	for range 2 + g.r.IntN(4) {
		parts = append(parts, g.statement())
	}
	return append(parts, `echo "rc=$?"`)
}

// option is a set command at the head of a script.
func (g *generator) option() string {
	g.mark("set options")
	choices := []string{"-e", "-u", "-f", "-eu", "-a", "-C"}
	if g.d != Dash && g.chance(0.5) {
		g.statusSeen = true
		choices = []string{"-o pipefail", "-euo pipefail"}
	}
	return "set " + g.one(choices...)
}

// statement is one statement of the main shell.
func (g *generator) statement() string {
	if !g.bash() && g.chance(0.05) {
		return g.shared()
	}
	if g.chance(0.45) {
		return g.command()
	}
	if g.bash() && g.chance(0.5) {
		return g.bashFeature()
	}
	return g.feature()
}
