package shell

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/utility"
	"mvdan.cc/sh/v3/syntax"
)

// builtin is a command that runs in the shell's own process. args has the name first.
type builtin func(s *shell, args []string) int

// builtin returns the built-in of that name, or nil.
func (s *shell) builtin(name string) builtin {
	switch name {
	case ":", "true":
		return func(*shell, []string) int { return 0 }
	case "false":
		return func(*shell, []string) int { return 1 }
	case ".":
		return builtinSource
	case "break", "continue":
		return builtinLoop
	case "cd", "chdir":
		return builtinCd
	case "command":
		return builtinCommand
	case "echo":
		if s.kind == bash {
			return runUtility(utility.EchoPlain)
		}
		return runUtility(utility.Echo)
	case "eval":
		return builtinEval
	case "exec":
		return builtinExec
	case "exit":
		return builtinExit
	case "export", "readonly", "local":
		return builtinDeclareText
	case "getopts":
		return builtinGetopts
	case "hash", "alias", "unalias", "fg", "bg":
		return builtinNothing
	case "jobs":
		return builtinJobs
	case "kill":
		return builtinKill
	case "let":
		return builtinLet
	case "printf":
		return builtinPrintf
	case "pwd":
		return builtinPwd
	case "read":
		return builtinRead
	case "return":
		return builtinReturn
	case "set":
		return builtinSet
	case "shift":
		return builtinShift
	case "source":
		return builtinSource
	case "test", "[":
		return runUtility(utility.Test)
	case "[[":
		return runUtility(utility.Test)
	case "times":
		return func(s *shell, _ []string) int {
			s.print(1, "0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n")
			return 0
		}
	case "trap":
		return builtinTrap
	case "type":
		return builtinType
	case "ulimit":
		return builtinUlimit
	case "umask":
		return builtinUmask
	case "unset":
		return builtinUnset
	case "wait":
		return builtinWait
	}
	if s.kind != bash {
		return nil
	}
	switch name {
	case "builtin":
		return func(s *shell, args []string) int {
			if len(args) < 2 {
				return 0
			}
			if b := s.builtin(args[1]); b != nil {
				return b(s, args[1:])
			}
			s.complain(args[1] + ": not a shell builtin")
			return 1
		}
	case "declare", "typeset":
		return builtinDeclareText
	case "shopt":
		return builtinShopt
	case "mapfile", "readarray":
		return builtinMapfile
	case "disown", "enable":
		return builtinNothing
	}
	return nil
}

// isSpecial reports whether a function cannot take the name, and assignments before it last.
func (s *shell) isSpecial(name string) bool {
	if s.kind == bash {
		return false
	}
	switch name {
	case ":", ".", "break", "continue", "eval", "exec", "exit", "export", "readonly", "return", "set", "shift", "trap", "unset", "times":
		return true
	}
	return false
}

func builtinNothing(*shell, []string) int { return 0 }

func builtinSource(s *shell, args []string) int {
	if len(args) < 2 {
		s.complain("filename argument required")
		return statusUsage
	}
	name := args[1]
	data, err := s.p.ReadFile(name)
	if !strings.Contains(name, "/") {
		for _, dir := range strings.Split(s.value("PATH"), ":") {
			if dir == "" {
				dir = "."
			}
			if d, perr := s.p.ReadFile(dir + "/" + name); perr == nil {
				data, err = d, nil
				break
			}
		}
	}
	if err != nil {
		if s.kind == bash {
			s.complain(name + ": " + files.Message(err))
			return 1
		}
		s.command = "."
		s.complain(fmt.Sprintf("can't open '%s': %s", name, files.Message(err)))
		s.flow = exiting
		return statusUsage
	}
	if s.sourcing >= maxDepth {
		s.complain("too many nested files")
		return 1
	}
	before, command, loops := s.args, s.command, s.loops
	if len(args) > 2 {
		s.args = args[2:]
	}
	if s.isScript {
		s.command = s.name
	} else {
		s.command = ""
	}
	s.sourcing++
	s.status = 0
	s.run(string(data), false)
	s.sourcing--
	s.command, s.loops = command, loops
	if len(args) > 2 {
		s.args = before
	}
	if s.flow == returning {
		s.flow = goOn
	}
	return s.status
}

func builtinLoop(s *shell, args []string) int {
	n := 1
	if len(args) > 1 {
		var err error
		if n, err = strconv.Atoi(args[1]); err != nil || n < 1 {
			s.complain("Illegal number: " + args[1])
			s.flow = exiting
			return statusUsage
		}
	}
	if s.loops == 0 {
		return 0
	}
	s.levels = min(n, s.loops)
	s.flow = breaking
	if args[0] == "continue" {
		s.flow = continuing
	}
	return 0
}

func builtinEval(s *shell, args []string) int {
	if len(args) > 1 && args[1] == "--" {
		args = args[1:]
	}
	text := strings.Join(args[1:], " ")
	command := s.command
	s.command = ""
	if s.isScript {
		s.command = s.name
	}
	s.depth++
	if s.depth > maxDepth {
		s.complain("eval: maximum nesting level exceeded")
		s.flow = exiting
		return 1
	}
	s.status = 0
	s.run(text, false)
	s.depth--
	s.command = command
	return s.status
}

func builtinExec(s *shell, args []string) int {
	args = args[1:]
	name := ""
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		switch {
		case args[0] == "--":
			args = args[1:]
		case args[0] == "-a" && len(args) > 1:
			name = args[1]
			args = args[2:]
			continue
		case args[0] == "-c":
			s.env = []string{}
			args = args[1:]
			continue
		}
		break
	}
	_ = name
	if len(args) == 0 {
		return 0
	}
	s.command = ""
	if s.isScript {
		s.command = s.name
	}
	if s.kind == ash {
		s.command = "exec"
	}
	status := s.exec(args)
	s.flow = exiting
	return status
}

func builtinExit(s *shell, args []string) int {
	status := s.status
	if len(args) > 1 {
		n, err := strconv.Atoi(args[1])
		if err != nil {
			if s.kind == bash {
				s.complain(args[1] + ": numeric argument required")
			} else {
				s.complain("Illegal number: " + args[1])
			}
			n = statusUsage
		}
		status = n & 0xff
	}
	s.flow = exiting
	return status
}

func builtinReturn(s *shell, args []string) int {
	status := s.status
	if len(args) > 1 {
		n, err := strconv.Atoi(args[1])
		if err != nil {
			s.complain("Illegal number: " + args[1])
			s.flow = exiting
			return statusUsage
		}
		status = n & 0xff
	}
	switch {
	case s.calls > 0 || s.sourcing > 0:
		s.flow = returning
	case s.kind == ash:
		s.flow = exiting
	default:
		s.complain("can only `return' from a function or sourced script")
		return 1
	}
	return status
}

func builtinShift(s *shell, args []string) int {
	n := 1
	if len(args) > 1 {
		var err error
		if n, err = strconv.Atoi(args[1]); err != nil || n < 0 {
			s.complain("Illegal number: " + args[1])
			return 1
		}
	}
	if n > len(s.args) {
		if s.kind == ash {
			return 1
		}
		return 1
	}
	s.args = s.args[n:]
	return 0
}

func builtinUnset(s *shell, args []string) int {
	functions, variables := false, false
	args = args[1:]
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		functions = functions || args[0] == "-f"
		variables = variables || args[0] == "-v"
		args = args[1:]
	}
	status := 0
	for _, name := range args {
		if functions {
			s.define(name, nil)
			continue
		}
		if base, index, ok := strings.Cut(strings.TrimSuffix(name, "]"), "["); ok {
			s.unsetElement(base, index)
			continue
		}
		if !syntax.ValidName(name) {
			s.complain(name + ": bad variable name")
			status = 1
			continue
		}
		if _, ok := s.vars[name]; !ok && !variables && s.kind == bash {
			s.define(name, nil)
			continue
		}
		if err := s.unset(name); err != nil {
			s.complain(err.Error())
			status = 1
		}
	}
	return status
}

func (s *shell) unsetElement(name, index string) {
	v := s.vars[name]
	switch {
	case v.table != nil:
		v.table = cloneWithout(v.table, strings.Trim(index, `"'`))
	case v.list != nil:
		n, err := s.arithmeticText(index)
		if err != nil {
			return
		}
		v.list = cloneWithout(v.list, int(n))
	default:
		return
	}
	s.store(name, v)
}

func cloneWithout[K comparable](m map[K]string, key K) map[K]string {
	out := make(map[K]string, len(m))
	for k, v := range m {
		if k != key {
			out[k] = v
		}
	}
	return out
}

func builtinPrintf(s *shell, args []string) int {
	if s.kind == bash && len(args) > 2 && args[1] == "-v" {
		text, status := utility.Format(args[3:], func(msg string) { s.complain(msg) }, s.p.Now())
		if err := s.assign(args[2], text); err != nil {
			s.complain(err.Error())
			return 1
		}
		return status
	}
	if s.env == nil {
		s.p.Env = s.environment()
	}
	return utility.Printf(s.p, args)
}

func builtinUmask(s *shell, args []string) int {
	if len(args) < 2 || args[1] == "-S" {
		if len(args) > 1 {
			text := ""
			for i, who := range []string{"u=", ",g=", ",o="} {
				bits := ^s.p.Umask >> (6 - 3*i) & 7
				text += who
				for j, l := range "rwx" {
					if bits&(4>>j) != 0 {
						text += string(l)
					}
				}
			}
			s.print(1, text+"\n")
			return 0
		}
		s.print(1, fmt.Sprintf("%04o\n", s.p.Umask))
		return 0
	}
	if n, err := strconv.ParseUint(args[1], 8, 16); err == nil {
		s.p.Umask = uint16(n) & 0o777
		return 0
	}
	mode, ok := utility.ParseMode(args[1], ^s.p.Umask&0o777, true)
	if !ok {
		s.complain("Illegal mode: " + args[1])
		return 1
	}
	s.p.Umask = ^mode & 0o777
	return 0
}

func builtinUlimit(s *shell, args []string) int {
	for _, a := range args[1:] {
		switch a {
		case "-n":
			if len(args) == 2 {
				s.print(1, "1048576\n")
			}
			return 0
		case "-a":
			s.print(1, "core file size (blocks)         (-c) 0\nopen files                      (-n) 1048576\n")
			return 0
		}
	}
	if len(args) == 2 && strings.HasPrefix(args[1], "-") || len(args) == 1 {
		s.print(1, "unlimited\n")
	}
	return 0
}

func builtinLet(s *shell, args []string) int {
	var n int64
	for _, text := range args[1:] {
		var err error
		if n, err = s.arithmeticText(text); err != nil {
			s.complain(err.Error())
			return 1
		}
	}
	return int(1 - truth(n != 0))
}
