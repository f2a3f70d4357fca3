package shell

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// grammar has what help says of the commands that are no built-ins, and of built-ins that have no options.
var grammar = map[string]string{
	"%": "job_spec [&]", "(( ... ))": "(( expression ))", ":": ":", "[": "[ arg... ]", "[[ ... ]]": "[[ expression ]]", "break": "break [n]",
	"case": "case WORD in [PATTERN [| PATTERN]...) COMMANDS ;;]... esac", "continue": "continue [n]", "coproc": "coproc [NAME] command [redirections]",
	"echo": "echo [-neE] [arg ...]", "exit": "exit [n]", "false": "false", "for": "for NAME [in WORDS ... ] ; do COMMANDS; done",
	"for ((": "for (( exp1; exp2; exp3 )); do COMMANDS; done", "function": "function name { COMMANDS ; } or name () { COMMANDS ; }",
	"if":  "if COMMANDS; then COMMANDS; [ elif COMMANDS; then COMMANDS; ]... [ else COMMANDS; ] fi",
	"let": "let arg [arg ...]", "logout": "logout [n]", "return": "return [n]", "select": "select NAME [in WORDS ... ;] do COMMANDS; done",
	"shift": "shift [n]", "test": "test [expr]", "time": "time [-p] pipeline", "true": "true", "until": "until COMMANDS; do COMMANDS-2; done",
	"variables": "variables - Names and meanings of some shell variables", "while": "while COMMANDS; do COMMANDS-2; done", "{ ... }": "{ COMMANDS ; }",
}

// topics returns what help knows, by name.
func topics() map[string]string {
	all := maps.Clone(grammar)
	for name, u := range usages {
		all[name] = strings.TrimRight(name+" "+u.usage, " ")
	}
	return all
}

// builtinHelp is bash's help: how each command is called and what it is for. The text that explains it further is bash's
// documentation, which is not part of the simulation.
func builtinHelp(s *shell, args []string) int {
	args = args[1:]
	show := helpTopic
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		flags := args[0]
		if args = args[1:]; flags == "--" {
			break
		}
		switch { // the first of these counts
		case strings.Contains(flags, "d"):
			show = helpPurpose
		case strings.Contains(flags, "m"):
			show = helpManual
		case strings.Contains(flags, "s"):
			show = helpUsage
		}
	}
	all := topics()
	names := slices.Sorted(maps.Keys(all))
	if len(args) == 0 {
		s.print(1, helpTable(all, names))
		return 0
	}
	if isGlob(args[0]) {
		plural := ""
		if len(args) > 1 {
			plural = "s"
		}
		s.print(1, "Shell commands matching keyword"+plural+" `"+strings.Join(args, ", ")+"'\n\n")
	}
	found := false
	for _, pattern := range args {
		matching := selected(names, func(name string) bool { return s.match(pattern, name) })
		if len(matching) == 0 {
			matching = selected(names, func(name string) bool { return strings.HasPrefix(name, pattern) })
		}
		for _, name := range matching {
			found = true
			s.print(1, show(name, all[name]))
		}
	}
	if found {
		return 0
	}
	last := args[len(args)-1]
	s.complain(fmt.Sprintf("no help topics match `%s'.  Try `help help' or `man -k %s' or `info %s'.", last, last, last))
	return 1
}

// selected returns the names for which a condition holds.
func selected(names []string, holds func(string) bool) (out []string) {
	for _, name := range names {
		if holds(name) {
			out = append(out, name)
		}
	}
	return out
}

// The forms in which help shows a topic.

func helpTopic(name, usage string) string { return helpUsage(name, usage) + helpIndented(name) }

func helpUsage(name, usage string) string { return name + ": " + usage + "\n" }

func helpPurpose(name, _ string) string { return name + " - " + purposes[name] + "\n" }

func helpIndented(name string) string { return "    " + purposes[name] + "\n" }

func helpManual(name, usage string) string {
	return "NAME\n    " + helpPurpose(name, usage) + "\nSYNOPSIS\n    " + usage + "\n\nDESCRIPTION\n" + helpIndented(name) +
		"\nSEE ALSO\n    bash(1)\n\nIMPLEMENTATION\n    " + helpVersion + "\n"
}

// helpVersion is how help names the shell.
const helpVersion = "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)"

// helpWidth is the width of a column of help on a terminal of 80 columns.
const helpWidth = 40

// helpTable lists all topics in two columns.
func helpTable(all map[string]string, names []string) string {
	var b strings.Builder
	b.WriteString(helpVersion + "\n" +
		"These shell commands are defined internally.  Type `help' to see this list.\n" +
		"Type `help name' to find out more about the function `name'.\n" +
		"Use `info bash' to find out more about the shell in general.\n" +
		"Use `man -k' or `info' to find out more about commands not in this list.\n\n" +
		"A star (*) next to a name means that the command is disabled.\n\n")
	half := (len(names) + 1) / 2
	for i := range half {
		left := helpCell(all[names[i]], helpWidth-2)
		if i+half >= len(names) {
			b.WriteString(" " + left + "\n")
			continue
		}
		fmt.Fprintf(&b, " %-*s%s\n", helpWidth-1, left, " "+helpCell(all[names[i+half]], helpWidth-3))
	}
	return b.String()
}

// helpCell shortens what does not fit.
func helpCell(text string, width int) string {
	if len(text) > width {
		return text[:width-1] + ">"
	}
	return text
}

// isGlob reports whether a text is a pattern.
func isGlob(text string) bool {
	open := strings.IndexByte(text, '[')
	return strings.ContainsAny(text, "*?") || open >= 0 && strings.Contains(text[open:], "]")
}

// builtinsOfAsh are the names that ash's help lists.
var builtinsOfAsh = strings.Fields(`. : [ [[ alias bg break cd chdir command continue echo eval exec exit export false fg getopts hash help history jobs kill
	let local printf pwd read readonly return set shift source test times trap true type ulimit umask unalias unset wait`)

// builtinHelpOfAsh is ash's help, which lists the built-ins and takes no notice of arguments.
func builtinHelpOfAsh(s *shell, _ []string) int {
	var b strings.Builder
	b.WriteString("Built-in commands:\n------------------\n")
	width := 0
	for _, name := range builtinsOfAsh {
		sign := byte(' ')
		if width == 0 {
			sign = '\t'
		}
		b.WriteByte(sign)
		b.WriteString(name)
		if width += 1 + len(name); width > 60 {
			b.WriteByte('\n')
			width = 0
		}
	}
	s.print(1, b.String()+"\n\n")
	return 0
}
