package shell

import (
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

func builtinGetopts(s *shell, args []string) int {
	if s.kind != bash {
		return s.getopts(args)
	}
	if len(args) < 3 {
		s.complain("usage: getopts optstring var [arg]")
		return statusUsage
	}
	spec, name := args[1], args[2]
	params := s.args
	if len(args) > 3 {
		params = args[3:]
	}
	silent := strings.HasPrefix(spec, ":")
	index, err := strconv.Atoi(s.value("OPTIND"))
	if err != nil || index < 1 {
		index, s.optIndex = 1, 0
	}
	failed := 0
	set := func(option, argument string, hasArg bool) {
		if !syntax.IsName(name) {
			s.complain("`" + name + "': not a valid identifier")
			failed = 1
		} else if err := s.assign(name, option); err != nil {
			s.failing("", err)
			failed = statusUsage
		}
		switch {
		case hasArg:
			s.setValue("OPTARG", argument)
		default:
			_ = s.unset("OPTARG")
		}
		s.setValue("OPTIND", strconv.Itoa(index))
	}
	if index <= len(params) && s.optIndex >= len(params[index-1]) { // of other arguments than the last time
		s.optIndex = 0
	}
	if s.optIndex == 0 {
		if index > len(params) || len(params[index-1]) < 2 || params[index-1][0] != '-' || params[index-1] == "--" {
			if index <= len(params) && params[index-1] == "--" {
				index++
			}
			if s.kind == bash {
				index = min(index, len(params)+1)
			}
			set("?", "", false)
			return 1
		}
		s.optIndex = 1
	}
	arg := params[min(index, len(params))-1]
	if s.optIndex >= len(arg) {
		s.optIndex = 0
		set("?", "", false)
		return 1
	}
	letter := arg[s.optIndex]
	s.optIndex++
	at := strings.IndexByte(strings.TrimPrefix(spec, ":"), letter)
	spec = strings.TrimPrefix(spec, ":")
	if at < 0 || letter == ':' {
		if s.optIndex >= len(arg) {
			s.optIndex = 0
			index++
		}
		if silent {
			set("?", string(letter), true)
		} else {
			s.print(2, s.name+": illegal option -- "+string(letter)+"\n")
			set("?", "", false)
		}
		return failed
	}
	if at+1 < len(spec) && spec[at+1] == ':' {
		rest := arg[s.optIndex:]
		s.optIndex = 0
		index++
		if rest == "" {
			if index > len(params) {
				if silent {
					set(":", string(letter), true)
				} else {
					s.print(2, s.name+": option requires an argument -- "+string(letter)+"\n")
					set("?", "", false)
				}
				return failed
			}
			rest = params[index-1]
			index++
		}
		set(string(letter), rest, true)
		return failed
	}
	if s.optIndex >= len(arg) {
		s.optIndex = 0
		index++
	}
	set(string(letter), "", false)
	return failed
}
