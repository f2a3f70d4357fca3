package shell

import (
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

func builtinCommand(s *shell, args []string) int {
	args = args[1:]
	verbose := byte(0)
	path := ""
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		if args[0] == "--" {
			args = args[1:]
			break
		}
		for _, l := range args[0][1:] {
			switch l {
			case 'v', 'V':
				verbose = byte(l)
			case 'p':
				path = "/usr/sbin:/usr/bin:/sbin:/bin"
			default:
				s.complain("illegal option -" + string(l))
				return statusUsage
			}
		}
		args = args[1:]
	}
	if len(args) == 0 {
		return 0
	}
	if verbose == 'v' {
		status := 0
		if s.kind != bash { // which look at one name only
			args = args[:1]
		}
		for _, name := range args {
			text, ok := s.describe(name, false)
			if !ok {
				status = 127
				if s.kind == bash {
					status = 1
				}
				continue
			}
			s.print(1, text+"\n")
		}
		return status
	}
	if verbose == 'V' {
		return builtinType(s, append([]string{"type"}, args...))
	}
	if b := s.builtin(args[0]); b != nil {
		s.raised = false
		if s.kind == bash {
			s.command = args[0]
		}
		status := s.performBuiltin(b, args)
		switch args[0] {
		case "exit", "exec", "eval":
		case ".":
			if s.raised && s.kind != bash {
				s.flow = goOn
			}
		default: // an error of the command is not the shell's
			if s.flow == exiting && s.kind != bash {
				s.flow = goOn
			}
		}
		return status
	}
	if path != "" {
		if found, err := s.p.SearchPath(args[0], path); err == nil {
			args = append([]string{found}, args[1:]...)
		}
	}
	return s.runExternal(args)
}

// runExternal runs a program as a child.
func (s *shell) runExternal(args []string) int {
	child := s.fork(func(c *shell) int {
		c.command = ""
		if c.isScript {
			c.command = c.name
		}
		return c.exec(args)
	})
	return s.await(child, s.running)
}

// describe says what a command name means: for command -v, or at length for type.
func (s *shell) describe(name string, long bool) (string, bool) {
	say := func(short, text string) (string, bool) {
		if long {
			return name + " is " + text, true
		}
		return short, true
	}
	switch {
	case s.kind.IsKeyword(name):
		return say(name, "a shell keyword")
	case s.functions[name] != nil && s.kind == dash:
		return say(name, "a shell function")
	case s.functions[name] != nil:
		return say(name, "a function")
	case s.isSpecial(name):
		return say(name, "a special shell builtin")
	case s.builtin(name) != nil:
		return say(name, "a shell builtin")
	}
	found, err := s.p.SearchPath(name, s.value("PATH"))
	if strings.Contains(name, "/") {
		found, err = name, s.p.Executable(name)
	}
	if err != nil {
		return "", false
	}
	return say(found, found)
}

func builtinType(s *shell, args []string) int {
	status := 0
	args = args[1:]
	kindOnly, pathOnly := false, false
	for len(args) > 0 && s.kind == bash && len(args[0]) > 1 && args[0][0] == '-' {
		kindOnly = kindOnly || strings.Contains(args[0], "t")
		pathOnly = pathOnly || strings.ContainsAny(args[0], "pP")
		args = args[1:]
	}
	short := s.kind == ash && len(args) > 0 && strings.HasPrefix(args[0], "-") // whatever stands behind the sign
	if short {
		args = args[1:]
	}
	for _, name := range args {
		text, ok := s.describe(name, !short)
		switch {
		case !ok && short:
			status = statusNotFound
		case !ok && (kindOnly || pathOnly):
			status = 1
		case !ok:
			if s.kind == bash {
				s.complain(name + ": not found")
			} else {
				s.print(1, name+": not found\n")
			}
			status = 1
			if s.kind != bash {
				status = 127
			}
		case kindOnly:
			word := "file"
			for _, k := range []string{"keyword", "function", "builtin"} {
				if strings.HasSuffix(text, k) {
					word = k
				}
			}
			s.print(1, word+"\n")
		case pathOnly:
			if i := strings.LastIndex(text, " is "); strings.HasPrefix(text[i+4:], "/") {
				s.print(1, text[i+4:]+"\n")
			}
		default:
			s.print(1, text+"\n")
			if fn := s.functions[name]; fn != nil && s.kind == bash && strings.HasSuffix(text, "is a function") {
				s.print(1, syntax.PrintFunction(fn.Func)+"\n")
			}
		}
	}
	return status
}
