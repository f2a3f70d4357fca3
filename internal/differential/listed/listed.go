// Package listed is the list of differences between the simulator and the real programs that are known and may stay. It
// is short on purpose, and what it covers is rare: see Most and MostShare.
package listed

import (
	"fmt"
	"strings"

	"github.com/plumbline-ci/plumbline/internal/differential/outcome"
	"github.com/plumbline-ci/plumbline/internal/differential/script"
)

const (
	// Most is how many kinds may be listed.
	Most = 20
	// MostShare is the share of the scripts that all kinds together may cover.
	MostShare = 0.01
)

// Kind is a listed difference.
type Kind struct {
	Name string
	// Reason says why the difference may stay.
	Reason string
	// Example is a script that shows it; empty for what depends on chance.
	Example string
	// Covers reports whether a shrunk difference is of this kind.
	Covers func(c Case) bool
}

// Case is a script on which the two sides disagree.
type Case struct {
	Dialect   script.Dialect
	Script    string
	Sim, Real outcome.Outcome
}

// Find returns the name of the kind that covers a difference.
func Find(d script.Dialect, text string, sim, real outcome.Outcome) (string, bool) {
	for _, k := range Kinds() {
		if k.Covers(Case{d, text, sim, real}) {
			return k.Name, true
		}
	}
	return "", false
}

// Document is the part of docs/differences.md that lists the kinds.
func Document() string {
	var b strings.Builder
	fmt.Fprintf(&b, `
# Where the simulated shells and utilities differ from the real ones

`+"`make differential`"+` runs random scripts in the simulator and with bash 5.2.15, BusyBox 1.35.0, dash 0.5.12 and jq 1.6. It compares
standard output, whether standard error is empty, and the exit code. A difference that is not one of the %d kinds below
makes it fail, and so does a list that covers more than %.0f %% of the scripts.
`, len(Kinds()), 100*MostShare)
	for _, k := range Kinds() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", k.Name, k.Reason)
		if k.Example != "" {
			fmt.Fprintf(&b, "\n```sh\n%s\n```\n", strings.TrimSpace(k.Example))
		}
	}
	return b.String()
}
