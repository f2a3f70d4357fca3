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

// builtinHelp is bash's help, with how each command is called and no more.
func builtinHelp(s *shell, args []string) int {
	args = args[1:]
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		args = args[1:]
	}
	all := topics()
	names := slices.Sorted(maps.Keys(all))
	if len(args) == 0 {
		s.print(1, helpTable(all, names))
		return 0
	}
	found := false
	if strings.ContainsAny(strings.Join(args, ""), "*?[") {
		s.print(1, "Shell commands matching keyword `"+strings.Join(args, ", ")+"'\n\n")
	}
	for _, pattern := range args {
		for _, name := range names {
			if name == pattern || strings.HasPrefix(name, pattern) && all[pattern] == "" || s.match(pattern, name) {
				found = true
				s.print(1, name+": "+all[name]+"\n")
			}
		}
	}
	if found {
		return 0
	}
	last := args[len(args)-1]
	s.complain(fmt.Sprintf("no help topics match `%s'.  Try `help help' or `man -k %s' or `info %s'.", last, last, last))
	return 1
}

// helpWidth is the width of a column of help on a terminal of 80 columns.
const helpWidth = 40

// helpTable lists all topics in two columns.
func helpTable(all map[string]string, names []string) string {
	var b strings.Builder
	b.WriteString("GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n" +
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
