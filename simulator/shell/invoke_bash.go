package shell

import (
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// usageOfBash is what bash prints behind a complaint about its options.
const usageOfBash = `Usage:	bash [GNU long option] [option] ...
	bash [GNU long option] [option] script-file ...
GNU long options:
	--debug
	--debugger
	--dump-po-strings
	--dump-strings
	--help
	--init-file
	--login
	--noediting
	--noprofile
	--norc
	--posix
	--pretty-print
	--rcfile
	--restricted
	--verbose
	--version
Shell options:
	-ilrsD or -c command or -O shopt_option		(invocation only)
	-abefhkmnptuvxBCEHPT or -o option
`

// invocation is what the arguments of bash ask for.
type invocation struct {
	s       *shell
	args    []string
	command bool
	stdin   bool
	code    int // of the shell, if the arguments make no sense
}

// argumentsOfBash reads bash's own arguments and returns the script, unless it has to be read bit by bit; see
// [shell.runInput].
func (s *shell) argumentsOfBash(args []string) (text string, code int, ok bool) {
	inv := invocation{s: s, args: args}
	if !inv.options() {
		return "", inv.code, false
	}
	args = inv.args
	switch {
	case inv.command && len(args) == 0:
		s.print(2, s.name+": -c: option requires an argument\n")
		if s.options.errexit {
			return "", 1, false
		}
		return "", statusUsage, false
	case inv.command:
		s.isCommand = true
		if len(args) > 1 {
			s.name, s.args, s.command = args[1], args[2:], args[1]
		}
		s.setValue("BASH_EXECUTION_STRING", args[0])
		return args[0], 0, true
	case len(args) == 0 || inv.stdin:
		s.args, s.input = args, 0
		return "", 0, true
	}
	return s.scriptOfBash(args[0], args[1:])
}

// options reads the options. It returns false if the shell is to end.
func (inv *invocation) options() bool {
	for len(inv.args) > 0 && strings.HasPrefix(inv.args[0], "--") && inv.args[0] != "--" {
		if !inv.long() {
			return false
		}
	}
	inv.s.options.emacs = true // until it is known that the shell is not interactive
	defer func() { inv.s.options.emacs = false }()
	for len(inv.args) > 0 && inv.args[0] != "" && (inv.args[0][0] == '-' || inv.args[0][0] == '+') {
		arg := inv.args[0]
		inv.args = inv.args[1:]
		if arg == "-" || arg == "--" {
			break
		}
		for _, letter := range arg[1:] {
			if !inv.letter(letter, arg[0] == '-') {
				return false
			}
		}
	}
	return true
}

// long reads an option that is a word.
func (inv *invocation) long() bool {
	s, arg := inv.s, inv.args[0]
	inv.args = inv.args[1:]
	switch arg {
	case "--login", "--norc", "--noprofile", "--noediting", "--debugger":
	case "--posix":
		s.setPosix(true)
	case "--verbose":
		s.options.verbose = true
	case "--rcfile", "--init-file":
		if len(inv.args) == 0 {
			s.print(2, s.name+": "+arg[2:]+": option requires an argument\n")
			inv.code = statusUsage
			return false
		}
		inv.args = inv.args[1:]
	case "--version":
		s.print(1, "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n")
		return false
	default:
		s.print(2, s.name+": "+arg+": invalid option\n"+usageOfBash)
		inv.code = statusUsage
		return false
	}
	return true
}

// letter reads an option that is a letter, with the argument that it takes.
func (inv *invocation) letter(letter rune, on bool) bool {
	s := inv.s
	next := func() (string, bool) {
		if len(inv.args) == 0 {
			return "", false
		}
		arg := inv.args[0]
		inv.args = inv.args[1:]
		return arg, true
	}
	switch letter {
	case 'c':
		inv.command = true
	case 's':
		inv.stdin = true
	case 'i', 'l', 'r', 'D':
	case 'o':
		name, given := next()
		switch {
		case !given:
			s.listOptions(!on)
		case !s.option(name, on):
			s.print(2, s.name+": line 0: "+s.name+": "+name+": invalid option name\n")
			inv.code = statusUsage
			return false
		}
	case 'O':
		name, given := next()
		switch {
		case !given:
			for _, o := range s.shoptNames() {
				s.print(1, shoptLine(o, !on))
			}
		case !s.shopt(name, on):
			s.print(2, s.name+": line 0: "+name+": invalid shell option name\n")
			inv.code = statusUsage
			return false
		}
	default:
		if !s.flag(letter, on) {
			sign := map[bool]string{true: "-", false: "+"}[on]
			s.print(2, s.name+": "+sign+string(letter)+": invalid option\n")
			if inv.code = 1; !s.options.errexit { // which an error of bash itself minds too
				s.print(2, usageOfBash)
				inv.code = statusUsage
			}
			return false
		}
	}
	return true
}

// scriptOfBash opens a script.
func (s *shell) scriptOfBash(file string, args []string) (text string, code int, ok bool) {
	data, err := s.scriptFile(&file)
	switch {
	case err != nil && files.Message(err) == "Is a directory":
		s.print(2, file+": "+file+": Is a directory\n")
		return "", statusNoExec, false
	case err != nil:
		s.print(2, s.name+": "+file+": "+files.Message(err)+"\n")
		return "", statusNotFound, false
	case isBinary(data):
		s.print(2, file+": "+file+": cannot execute binary file\n")
		return "", statusNoExec, false
	}
	s.name, s.args, s.isScript, s.source = file, args, true, file
	return scriptText(data), 0, true
}

// openScript opens a script that is not a regular file, to be read bit by bit.
func (s *shell) openScript(name string) error {
	fd, err := s.p.OpenFile(name, files.Read, 0)
	if err != nil {
		return err
	}
	defer s.p.Close(fd)
	at, err := s.p.Dup(fd, firstInput, true)
	s.input = int32(at)
	return err
}

// firstInput is where bash has the descriptor of its script.
const firstInput = 63

// runInput runs a script that comes from a descriptor, which is read no further than to the end of the command at hand:
// the rest is there for the commands to read.
func (s *shell) runInput() {
	lines := 0
	for s.flow == goOn {
		text, end := s.nextCommands()
		if text != "" {
			s.base = lines
			lines += strings.Count(text, "\n")
			sc := s.parse(text)
			s.lines(sc, false)
			failed := sc.Err != nil && !sc.Err.Array
			s.release(sc)
			if failed {
				return
			}
		}
		if end {
			return
		}
	}
}

// nextCommands reads lines until they are whole commands, or the input ends.
func (s *shell) nextCommands() (text string, end bool) {
	var b strings.Builder
	until := "" // the line that ends the here-document at hand
	for {
		line, ended := s.readLine(int(s.input), '\n')
		b.WriteString(line)
		if !ended {
			return b.String(), true
		}
		b.WriteByte('\n')
		if until != "" && strings.TrimLeft(line, "\t") != until {
			continue
		}
		s.grow(b.Len())
		lost := s.lost
		sc := s.parse(b.String())
		s.lost = lost
		whole := sc.Whole()
		if until = ""; sc.Unended != nil {
			until = syntax.EndWord(sc.Unended)
		}
		s.release(sc)
		if whole {
			return b.String(), false
		}
	}
}
