package advice

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/reports"
)

// lineEnds finds scripts with the line ends of Windows.
func lineEnds(t *task) []Note {
	var notes []Note
	for _, list := range []string{"steps", "sidecars"} {
		for i, c := range mappings(t.spec, list) {
			script := text(c, "script")
			if !windows(script) {
				continue
			}
			what := "the carriage return is part of each command"
			if first, _, _ := strings.Cut(script, "\n"); strings.HasPrefix(first, "#!") && strings.HasSuffix(first, "\r") {
				interpreter, argument, _ := strings.Cut(strings.TrimLeft(first[2:], " \t"), " ")
				what = fmt.Sprintf("the kernel looks for an interpreter %q", interpreter)
				if argument != "" {
					what = fmt.Sprintf("the interpreter gets the argument %q", argument)
				}
			}
			n := t.note(t.at("%s[%d].script", list, i), "the script has Windows line endings (CR LF), so %s; save it with LF", what)
			n.Step = stepName(i, c)
			notes = append(notes, n)
		}
	}
	return notes
}

// windows reports whether a script has the line ends of Windows.
func windows(script string) bool {
	return strings.Contains(script, "\r\n") || strings.HasSuffix(script, "\r")
}

// scriptFile is the file of a script in a log, with the line that a shell names after it: "line 3", or dash's "3".
var scriptFile = regexp.MustCompile(`(/tekton/scripts/script-\d+-[a-z0-9]+)(?:: (?:line )?(\d+):)?`)

// preamble is how many lines a script gets that does not begin with "#!".
const preamble = 2

// scriptFiles returns notes that map the script lines in a step's log to the manifest: the file that the log names is a copy
// with a generated name. Missing commands have their own notes.
func scriptFiles(t *task) []Note {
	var notes []Note
	for i, step := range t.steps() {
		name := stepName(i, step)
		line, ok := t.logged(i)
		told := slices.ContainsFunc(t.Missing, func(m reports.MissingCommand) bool {
			return m.Container == "step-"+name && (m.Interpreter || len(m.Command) > 0 && line.number > 0 && strings.Contains(line.text, m.Command[0]))
		})
		if !ok || told || line.number > 0 && strings.TrimSpace(line.text) == "" { // a blank line is the script's end
			continue
		}
		n := t.note(t.scriptLine(i, line.number), "line %d of %s in the log is: %s", line.inCopy, line.file, clip(strings.TrimSpace(line.text)))
		if line.number == 0 {
			if !t.failed(i) || windows(text(step, "script")) {
				continue
			}
			n = t.note(t.at("steps[%d].script", i), "%s in the log is a copy of this script", line.file)
		}
		n.Step = name
		notes = append(notes, n)
	}
	return notes
}

// scriptLine is a line of a script that a log names.
type scriptLine struct {
	file   string // the copy
	inCopy int
	number int // as the author counts; 0 if the log names the file alone
	text   string
}

// logged finds the first line of a step's script that its log names.
func (t *task) logged(step int) (scriptLine, bool) {
	script := text(t.steps()[step], "script")
	for _, log := range t.Logs {
		found := scriptFile.FindSubmatch(log.Text)
		if script == "" || found == nil || t.step(log.Container) != step {
			continue
		}
		line := scriptLine{file: string(found[1])}
		var err error
		if line.inCopy, err = strconv.Atoi(string(found[2])); err != nil {
			return line, true
		}
		line.number = line.inCopy
		if !strings.HasPrefix(script, "#!") {
			line.number -= preamble
		}
		lines := strings.Split(script, "\n")
		if line.number < 1 || line.number > len(lines) {
			return scriptLine{}, false
		}
		line.text = lines[line.number-1]
		return line, true
	}
	return scriptLine{}, false
}

// failed reports whether a step ended with an error.
func (t *task) failed(step int) bool {
	name := stepName(step, t.steps()[step])
	return slices.ContainsFunc(mappings(t.Object, "status", "steps"), func(s map[string]any) bool {
		code := fmt.Sprint(mapping(s, "terminated")["exitCode"])
		return s["name"] == name && code != "0" && code != "<nil>"
	})
}

// scriptLine is where a line of a step's script is written.
func (t *task) scriptLine(step, line int) source.Position {
	if t.manifest == nil {
		return source.Position{}
	}
	return t.manifest.LineOf(fmt.Sprintf("%s.steps[%d].script", t.path, step), line)
}

// clip keeps the beginning of a long line.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
