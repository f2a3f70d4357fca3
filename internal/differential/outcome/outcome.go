// Package outcome is what a script leaves behind: the two outputs and the exit code. The simulator and the real
// programs give one each; two that are not the same are a difference.
package outcome

import "strings"

// Outcome is the result of one run of one script.
type Outcome struct {
	Stdout string `json:"stdout"`
	Stderr string `json:"stderr"`
	Code   int    `json:"code"`
	// Failure says why the run has no result: a panic, a limit of the simulation, or the time limit of a real program.
	Failure string `json:"failure,omitempty"`
}

// Same reports whether two outcomes are equal as far as a Task could notice: the text of messages may differ, but not
// whether there is one.
func (o Outcome) Same(other Outcome) bool {
	return o.Failure == "" && other.Failure == "" && o.Stdout == other.Stdout && o.Code == other.Code && (o.Stderr == "") == (other.Stderr == "")
}

// Facets names what differs between two outcomes.
func (o Outcome) Facets(other Outcome) []string {
	var out []string
	if o.Failure != "" || other.Failure != "" {
		out = append(out, "failure")
	}
	if o.Stdout != other.Stdout {
		out = append(out, "stdout")
	}
	if o.Code != other.Code {
		out = append(out, "exit code")
	}
	if (o.Stderr == "") != (other.Stderr == "") {
		out = append(out, "stderr")
	}
	return out
}

// IsSyntaxError reports whether a shell refused the script's syntax.
func (o Outcome) IsSyntaxError() bool {
	return strings.Contains(strings.ToLower(o.Stderr), "syntax error")
}
