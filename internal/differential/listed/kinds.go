package listed

import (
	"regexp"
	"strings"

	"github.com/plumbline-ci/plumbline/internal/differential/script"
)

var (
	asksForProgram = regexp.MustCompile(`\b(type|command -[vV]p?|which|hash)\b`)
	changesInside  = regexp.MustCompile(`\(\([^)]*(\+\+|--|[^=!<>]=[^=])`)
	swallowed      = regexp.MustCompile(`\$\{\w+:\}`)
)

// Kinds returns the list.
func Kinds() []Kind {
	return []Kind{
		{
			Name:    "BusyBox is its own path",
			Reason:  "Debian builds BusyBox so that its shell runs the applets inside without looking for files. The simulated image has them as files, as the usual images do, and says where they are.",
			Example: "type ls",
			Covers: func(c Case) bool {
				return isAsh(c) && asksForProgram.MatchString(c.Script) && strings.Contains(c.Sim.Stdout, "/bin/") && c.Sim.Code == c.Real.Code
			},
		},
		{
			Name:    "ash reads a variable late",
			Reason:  "In BusyBox ash an expression that changes a variable reads the variable's other places after the change: a defect, and nothing that a script can want.",
			Example: "n=0; echo $((010 ? n : n++))",
			Covers: func(c Case) bool {
				return isAsh(c) && changesInside.MatchString(c.Script) && c.Sim.Code == c.Real.Code
			},
		},
		{
			Name:    "$(( that is not arithmetic",
			Reason:  "Ash and dash take text behind $(( for arithmetic until two parentheses close it, wherever those are, and then do with it what they can. The simulator refuses such a script, naming what is missing.",
			Example: "while ]; do ((wait x); $((((1)))&&7))); done",
			Covers: func(c Case) bool {
				return (isAsh(c) || c.Dialect == script.Dash) && strings.Contains(strings.ToLower(c.Sim.Stderr), "missing '))'") && strings.Contains(c.Script, "$((")
			},
		},
		{
			Name:    "${x:} swallows what follows",
			Reason:  "To ash and dash the brace behind the colon is part of the mistake, and the expansion goes on to the next brace or to the end of the script. The simulator does so outside of here-documents, but reports it at another time.",
			Example: "x=${a:}; }",
			Covers: func(c Case) bool {
				return (isAsh(c) || c.Dialect == script.Dash) && swallowed.MatchString(c.Script)
			},
		},
		{
			Name:    "a pipe that nobody reads",
			Reason:  "Whether the writer of a pipeline is killed by SIGPIPE depends on which process is faster, and with pipefail or set -e that shows.",
			Example: "",
			Covers: func(c Case) bool {
				return (c.Real.Code == 141 || c.Sim.Code == 141) && strings.Contains(c.Script, "|")
			},
		},
	}
}

// isAsh reports whether the shell of a case is BusyBox ash.
func isAsh(c Case) bool { return c.Dialect == script.Ash || c.Dialect == script.Utilities }
