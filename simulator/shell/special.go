package shell

import (
	"strconv"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// specialOfBash returns the value of a parameter that bash computes, and remembers it.
func (s *shell) specialOfBash(name string) (value string, isSet, found bool) {
	value, isSet, found = s.computed(name)
	if found {
		s.remember(name, value)
	}
	return value, isSet, found
}

func (s *shell) computed(name string) (value string, isSet, found bool) {
	switch name {
	case "LINENO":
		if _, ok := s.vars[name]; !ok {
			return strconv.Itoa(max(s.line, 0)), true, true
		}
	case "RANDOM":
		return strconv.Itoa(s.nextRandom()), true, true
	case "BASH_ARGV0":
		return s.name, true, true
	case "HISTCMD":
		return "0", true, true
	case "COMP_WORDBREAKS":
		return " \t\n\"'@><=;|&(:", true, true
	case "SECONDS":
		return strconv.Itoa(int(s.p.Now().Sub(s.started).Seconds())), true, true
	case "BASHPID":
		return strconv.Itoa(s.p.PID()), true, true
	case "EPOCHSECONDS":
		return strconv.FormatInt(s.p.Now().Unix(), 10), true, true
	case "EPOCHREALTIME":
		now := s.p.Now()
		micros := strconv.Itoa(1_000_000 + now.Nanosecond()/1000)
		return strconv.FormatInt(now.Unix(), 10) + "." + micros[1:], true, true
	case "SRANDOM":
		return strconv.FormatUint(uint64(s.p.Random().IntN(1<<32)), 10), true, true
	case "BASH_SUBSHELL":
		return strconv.Itoa(int(s.subshells)), true, true
	case "BASH_COMMAND":
		if s.heading != "" {
			return s.heading, true, true
		}
		if s.running == nil {
			return "", false, true
		}
		return syntax.PrintStmt(s.running), true, true
	case "BASHOPTS":
		return s.shoptList(), true, true
	case "SHELLOPTS":
		return s.optionList(), true, true
	case "_":
		return s.lastArg, true, true
	case "PIPESTATUS", "FUNCNAME", "BASH_SOURCE", "BASH_LINENO", "DIRSTACK", "GROUPS", "BASH_ARGC", "BASH_ARGV":
		v, ok := s.arrayOfBash(name)
		if !ok {
			return "", false, false
		}
		value, isSet = v.list.get(0)
		return value, isSet, true
	}
	return "", false, false
}

// arrayOfBash returns an array that bash computes.
func (s *shell) arrayOfBash(name string) (variable, bool) {
	var elems []string
	switch name {
	case "PIPESTATUS":
		for _, st := range s.pipestatus {
			elems = append(elems, strconv.Itoa(st))
		}
	case "FUNCNAME":
		if s.calls == 0 {
			return variable{}, false
		}
		for i := len(s.frames) - 1; i >= 0; i-- {
			elems = append(elems, s.frames[i].name)
		}
		if s.isScript {
			elems = append(elems, "main")
		}
	case "BASH_SOURCE":
		if len(s.frames) == 0 && !s.isScript {
			return variable{list: newList()}, true
		}
		elems = append(elems, s.source)
		for i := len(s.frames) - 1; i >= 0; i-- {
			if i > 0 || s.isScript {
				elems = append(elems, s.frames[i].source)
			}
		}
	case "BASH_LINENO":
		for i := len(s.frames) - 1; i >= 0; i-- {
			elems = append(elems, strconv.Itoa(s.frames[i].line))
		}
		if s.isScript {
			elems = append(elems, "0")
		}
	case "GROUPS":
		elems = s.groupIDs()
	case "BASH_ARGC", "BASH_ARGV":
	case "DIRSTACK":
		elems = append([]string{s.value("PWD")}, s.dirs...)
	default:
		return variable{}, false
	}
	return variable{list: listOf(elems), set: true}, true
}

// builtinCaller is bash's caller.
func builtinCaller(s *shell, args []string) int {
	if s.calls == 0 && s.sourcing == 0 {
		return 1
	}
	n := 0
	if len(args) > 1 {
		var err error
		if n, err = strconv.Atoi(args[1]); err != nil || n < 0 {
			s.complain(args[1] + ": invalid number")
			return statusUsage
		}
	}
	i := len(s.frames) - 1 - n
	if i < 0 {
		return 1
	}
	f := s.frames[i]
	source := f.source
	if source == "" || i == 0 && !s.isScript {
		source = "NULL"
	}
	text := strconv.Itoa(f.line)
	if len(args) > 1 {
		function := "main"
		if i > 0 {
			function = s.frames[i-1].name
		} else if !s.isScript {
			return 1
		}
		text += " " + function
	}
	s.print(1, text+" "+source+"\n")
	return 0
}
