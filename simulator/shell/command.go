package shell

import (
	"strings"
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
				s.illegalOption(l)
				return statusUsage
			}
		}
		args = args[1:]
	}
	if len(args) == 0 {
		return 0
	}
	if verbose != 0 && s.kind == bash {
		return s.commandOfBash(args, verbose == 'V')
	}
	if verbose == 'v' {
		status := 0
		for _, name := range args[:1] { // they look at one name only
			text, ok := s.describe(name, false, path)
			if !ok {
				status = 127
				continue
			}
			s.print(1, text+"\n")
		}
		return status
	}
	if verbose == 'V' {
		return s.typesIn(path, append([]string{"type"}, args...))
	}
	if b := s.builtin(args[0]); b != nil {
		s.raised = false
		s.command = args[0]
		status := s.performBuiltin(b, args)
		switch { // an error of the command is not the shell's
		case s.kind != bash:
			if s.flow == exiting && s.ending != inPlace {
				s.flow = goOn
			}
		case s.raised:
			switch args[0] {
			case "exit", "exec", "eval", ".", "source":
				s.flow = goOn
			}
		}
		return status
	}
	s.commanded = s.kind == bash
	var err error
	switch {
	case s.kind != bash && path != "":
		_, err = s.search(args[0], path, hashed{})
	case s.kind != bash:
		var found hashed
		found, err = s.program(args[0])
		path = s.pathFrom(found)
	case path == "":
		path = s.value("PATH")
	}
	return s.runExternal(args, path, err)
}

// runExternal runs a program in the directories of path as a child. See exec for failed.
func (s *shell) runExternal(args []string, path string, failed error) int {
	child := s.fork(func(c *shell) int {
		c.command = ""
		if c.isScript {
			c.command = c.name
		}
		return c.exec(args, path, failed)
	})
	return s.await(child, s.running)
}

// describe says what a command name means to ash or dash: for command -v, or at length for type. Programs are searched in
// path, if there is one, instead of PATH.
func (s *shell) describe(name string, long bool, path string) (string, bool) {
	say := func(short, text string) (string, bool) {
		if long {
			return name + " is " + text, true
		}
		return short, true
	}
	switch {
	case s.kind.IsKeyword(name):
		return say(name, "a shell keyword")
	case s.hasAlias(name):
		return say("alias "+name+"="+s.quoted(s.aliases[name]), "an alias for "+s.aliases[name])
	case s.functions[name] != nil && s.kind == dash:
		return say(name, "a shell function")
	case s.functions[name] != nil:
		return say(name, "a function")
	case s.isSpecial(name):
		return say(name, "a special shell builtin")
	case s.builtin(name) != nil:
		return say(name, "a shell builtin")
	}
	known, ok := s.programs[name]
	if ok && s.kind == dash {
		return say(known.path, "a tracked alias for "+known.path)
	}
	var found hashed
	var err error
	switch {
	case strings.Contains(name, "/"): // any file, even one that can't be run
		found.path = name
		_, err = s.p.Stat(name)
	case path != "":
		found, err = s.search(name, path, hashed{})
	default:
		found, err = s.program(name)
	}
	if err != nil {
		return "", false
	}
	return say(found.path, found.path)
}

func builtinType(s *shell, args []string) int {
	if s.kind == bash {
		return builtinTypeOfBash(s, args)
	}
	return s.typesIn("", args)
}

// typesIn is type of ash and dash, with another PATH if there is one.
func (s *shell) typesIn(path string, args []string) int {
	status := 0
	args = args[1:]
	short := s.kind == ash && len(args) > 0 && strings.HasPrefix(args[0], "-") // whatever stands behind the sign
	if short {
		args = args[1:]
	}
	for _, name := range args {
		text, ok := s.describe(name, !short, path)
		if !ok {
			status = statusNotFound
			if short {
				continue
			}
			text = name + ": not found"
		}
		s.print(1, text+"\n")
	}
	return status
}
