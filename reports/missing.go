package reports

import (
	"fmt"
	"strings"
)

// MissingCommand is a command that a simulated container tried to run and that its image does not have.
type MissingCommand struct {
	Namespace string `json:"namespace,omitempty"`
	Pod       string `json:"pod"`
	Container string `json:"container"`
	// Image is the image's reference, as a mock names it.
	Image string `json:"image"`
	// Command is the command line, as a mock matches it: "*" stands for an argument that another run may have otherwise.
	Command []string `json:"command,omitempty"`
	// Args are the arguments alone, if the command is the image's entrypoint, which is not known. Then there is no Command.
	Args []string `json:"args,omitempty"`
	// Interpreter says that the first line of a script asks for the command.
	Interpreter bool `json:"interpreter,omitempty"`
	// Present says that the image has the command: only the simulation cannot run it.
	Present bool `json:"present,omitempty"`
	// Near says why a mock of the same command was not used.
	Near string `json:"near,omitempty"`
	// Stubbed says that it was made to succeed.
	Stubbed bool `json:"stubbed,omitempty"`
}

// Title names the command with the first words of its arguments: "git clone".
func (m MissingCommand) Title() string {
	if len(m.Command) == 0 {
		return "the entrypoint of " + m.Image
	}
	words := m.Command[:1]
	if len(m.Command) > 1 && plainWord(m.Command[1]) {
		words = m.Command[:2]
	}
	return strings.Join(words, " ")
}

// String says that the image does not have the command, and how the call ended.
func (m MissingCommand) String() string {
	var b strings.Builder
	switch {
	case len(m.Command) == 0:
		fmt.Fprintf(&b, "the command of the image %s is not known", m.Image)
	case m.Interpreter && m.Present:
		fmt.Fprintf(&b, "the first line of the script needs %s of the image %s, which the simulation cannot run", m.Command[0], m.Image)
	case m.Present:
		fmt.Fprintf(&b, "the simulation cannot run %s of the image %s", m.Title(), m.Image)
	case m.Interpreter:
		fmt.Fprintf(&b, "the first line of the script needs %s, which is not in the image %s", m.Command[0], m.Image)
	default:
		fmt.Fprintf(&b, "%s is not in the image %s", m.Title(), m.Image)
	}
	if m.Near != "" {
		fmt.Fprintf(&b, "; the mock of %s was not used: %s", m.Title(), m.Near)
	}
	if m.Stubbed {
		b.WriteString("; it succeeded without doing anything")
	}
	return b.String()
}

// plainWord reports whether an argument reads like the name of a subcommand.
func plainWord(s string) bool {
	return s != "" && len(s) < 20 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz-") == "" && s[0] != '-'
}
