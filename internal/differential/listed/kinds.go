package listed

import (
	"regexp"
	"strings"

	"github.com/plumbline-ci/plumbline/internal/differential/script"
)

var (
	asksForProgram = regexp.MustCompile(`\b(type|command -[vV]p?|which|hash)\b`)
	changesInside  = regexp.MustCompile(`\(\([^)]*(\+\+|--|[^=!<>]=[^=])`)
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
