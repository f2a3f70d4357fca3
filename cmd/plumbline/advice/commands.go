package advice

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/reports"
)

// noCommand matches what a shell takes for a command and is none: a variable that was left as it is, the interpreter of a
// script with the line ends of Windows. Other rules are about those.
var noCommand = regexp.MustCompile(`^(params|results|workspaces|context|steps|tasks)[.\[]|\r$`)

// Meant reports whether a missing command was meant to be run, and is not a variable that was not replaced.
func Meant(m reports.MissingCommand) bool {
	return len(m.Command) == 0 || !noCommand.MatchString(m.Command[0])
}

// commands returns a note for each command that the image of a step does not have. Calls that differ only in their arguments
// share one note.
func commands(t *task) []Note {
	type key struct{ container, title, near string }
	seen := map[key]bool{}
	var notes []Note
	for _, m := range t.Missing {
		k := key{m.Container, m.Title(), m.Near}
		if seen[k] {
			continue
		}
		seen[k] = true
		n := t.note(source.Position{}, "%s", m)
		i := t.step(m.Container)
		if i < 0 {
			n.Text = m.Container + ": " + n.Text
		} else {
			n.Step = stepName(i, t.steps()[i])
		}
		if i >= 0 {
			n.At = t.call(i, m)
		}
		if i >= 0 && len(m.Command) > 0 {
			if line, ok := t.logged(i); ok && strings.Contains(line.text, m.Command[0]) {
				n.At = t.scriptLine(i, line.number)
				n.Text += fmt.Sprintf(" (line %d of %s in the log)", line.inCopy, line.file)
			}
		}
		notes = append(notes, n)
	}
	return notes
}

// call is where a step calls a command.
func (t *task) call(step int, m reports.MissingCommand) source.Position {
	if t.manifest == nil {
		return source.Position{}
	}
	under := t.path + "." + stepPath(step)
	if len(m.Command) == 0 {
		return t.manifest.PlaceOf(under + ".image")
	}
	for _, words := range []string{strings.Join(m.Command, " "), m.Title(), m.Command[0]} {
		for _, field := range []string{".script", ".command", ".args"} {
			if at, ok := t.manifest.Find(words, under+field); ok {
				return at
			}
		}
	}
	return t.manifest.PlaceOf(under)
}
