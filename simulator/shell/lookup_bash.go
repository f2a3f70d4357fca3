package shell

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"

	"github.com/plumbline-ci/plumbline/simulator/files"
)

// hashed is a program that the shell remembers where it has found.
type hashed struct {
	path string
	hits int // of bash

	index int   // of its directory in PATH, and the rest of ash and dash
	order int   // when it came to the table
	moves int32 // how often cd had been called
}

// hashChains is how many chains the table of remembered programs has.
const hashChains = 256

// rememberProgram notes where a program was found and, with used, that it was run.
func (s *shell) rememberProgram(name, path string, used bool) {
	if !s.options.hashall {
		return
	}
	programs := make(map[string]hashed, len(s.programs)+1) // a fork may have the same map
	maps.Copy(programs, s.programs)
	h := programs[name]
	h.path = path
	if used {
		h.hits++
	}
	programs[name] = h
	s.programs = programs
}

// builtinHashOfBash is bash's hash.
func builtinHashOfBash(s *shell, args []string) int {
	flags, path := "", ""
	args = args[1:]
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		flag := args[0][1:]
		if args = args[1:]; flag == "-" {
			break
		}
		if i := strings.IndexByte(flag, 'p'); i >= 0 {
			if path = flag[i+1:]; path == "" {
				path, args = args[0], args[1:]
			}
			flag = flag[:i]
		}
		flags += flag
	}
	for _, flag := range []string{"d", "t"} {
		if len(args) == 0 && strings.Contains(flags, flag) {
			s.complain("-" + flag + ": option requires an argument")
			return 1
		}
	}
	if strings.Contains(flags, "r") {
		s.programs = nil
	}
	if len(args) == 0 {
		switch {
		case strings.Contains(flags, "r") || len(s.programs) == 0 && strings.Contains(flags, "l"):
		case len(s.programs) == 0:
			s.print(1, "hash: hash table empty\n")
		default:
			s.listPrograms(strings.Contains(flags, "l"))
		}
		return 0
	}
	status := 0
	for _, name := range args {
		if err := s.hashOne(name, flags, path, len(args) > 1); err != nil {
			s.complain(err.Error())
			status = 1
		}
	}
	return status
}

// hashOne does what hash does with one name.
func (s *shell) hashOne(name, flags, path string, several bool) error {
	known, ok := s.programs[name]
	missing := errors.New(name + ": not found")
	switch {
	case path != "":
		if info, err := s.p.Stat(path); err == nil && info.IsDir() {
			return errors.New(path + ": " + files.Message(syscall.EISDIR))
		}
		s.rememberProgram(name, path, false)
	case strings.Contains(flags, "t"):
		if ok {
			s.rememberProgram(name, known.path, true)
		}
		if ok && several {
			s.print(1, name+"\t"+s.shownPath(known.path)+"\n")
		} else if ok {
			s.print(1, s.shownPath(known.path)+"\n")
		}
		if !ok {
			return missing
		}
	case strings.Contains(flags, "d"):
		programs := maps.Clone(s.programs)
		delete(programs, name)
		s.programs = programs
		if !ok {
			return missing
		}
	case strings.Contains(name, "/") || s.builtin(name) != nil || s.functions[name] != nil:
	default:
		found, err := s.p.SearchPath(name, s.value("PATH"))
		if err != nil {
			return missing
		}
		s.rememberProgram(name, found, false)
	}
	return nil
}

// shownPath returns where a remembered program is, as bash says it: one in a relative directory from the working directory on.
func (s *shell) shownPath(path string) string {
	if strings.HasPrefix(path, "/") || strings.HasPrefix(path, "./") || s.p.Executable("./"+path) != nil {
		return path
	}
	return "./" + path
}

// listPrograms prints the remembered programs by their places in the table.
func (s *shell) listPrograms(again bool) {
	names := slices.Sorted(maps.Keys(s.programs))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(fnv(a)%hashChains, fnv(b)%hashChains) })
	if !again {
		s.print(1, "hits\tcommand\n")
	}
	for _, name := range names {
		h := s.programs[name]
		if again {
			s.print(1, "builtin hash -p "+h.path+" "+name+"\n")
		} else {
			s.print(1, fmt.Sprintf("%4d\t%s\n", h.hits, h.path))
		}
	}
}

// meaning is one thing that a command name stands for.
type meaning struct {
	kind string // alias, keyword, function, builtin or file
	path string
}

// meanings returns what a name stands for, the first thing first.
func (s *shell) meanings(name string, noFunctions bool) []meaning {
	var out []meaning
	if _, ok := s.aliases[name]; ok && s.options.aliases {
		out = append(out, meaning{kind: "alias"})
	}
	if s.kind.IsKeyword(name) {
		out = append(out, meaning{kind: "keyword"})
	}
	if s.functions[name] != nil && !noFunctions {
		out = append(out, meaning{kind: "function"})
	}
	if s.builtin(name) != nil {
		out = append(out, meaning{kind: "builtin"})
	}
	if strings.Contains(name, "/") {
		if s.p.Executable(name) == nil {
			out = append(out, meaning{"file", name})
		}
		return out
	}
	var seen []string
	for _, dir := range strings.Split(s.value("PATH"), ":") {
		if dir = cmp.Or(dir, "."); slices.Contains(seen, dir) {
			continue
		}
		seen = append(seen, dir)
		path := dir + "/" + name
		if info, err := s.p.Stat(path); name != "" && err == nil && !info.IsDir() && s.p.Executable(path) == nil {
			out = append(out, meaning{"file", path})
		}
	}
	return out
}

// builtinTypeOfBash is bash's type.
func builtinTypeOfBash(s *shell, args []string) int {
	flags, args := leadingFlags(args[1:])
	status := 0
	for _, name := range args {
		if !s.typeOf(name, flags) {
			if !strings.ContainsAny(flags, "tpP") {
				s.complain(name + ": not found")
			}
			status = 1
		}
	}
	return status
}

// typeOf says what a name stands for, and reports whether it stands for anything.
func (s *shell) typeOf(name, flags string) bool {
	all := s.meanings(name, strings.Contains(flags, "f"))
	forced := strings.Contains(flags, "P")
	if forced {
		all = slices.DeleteFunc(all, func(m meaning) bool { return m.kind != "file" })
	}
	if len(all) > 1 && !strings.Contains(flags, "a") {
		all = all[:1]
	}
	known, isHashed := s.programs[name]
	if isHashed && len(all) == 0 && !strings.Contains(flags, "a") {
		all = []meaning{{"file", known.path}}
	}
	if isHashed && len(all) > 0 && all[0].kind == "file" && !strings.Contains(flags, "a") {
		all[0].path = s.shownPath(known.path)
		s.rememberProgram(name, known.path, true)
	}
	for _, m := range all {
		switch {
		case strings.Contains(flags, "t"):
			s.print(1, m.kind+"\n")
		case forced || strings.Contains(flags, "p"):
			if m.kind == "file" {
				s.print(1, m.path+"\n")
			}
		case m.kind == "file" && isHashed && !strings.Contains(flags, "a"):
			s.print(1, name+" is hashed ("+all[0].path+")\n")
		default:
			s.describeMeaning(name, m)
		}
	}
	return len(all) > 0
}

// describeMeaning says at length what a name stands for.
func (s *shell) describeMeaning(name string, m meaning) {
	switch m.kind {
	case "alias":
		s.print(1, name+" is aliased to `"+s.aliases[name]+"'\n")
	case "function":
		s.print(1, name+" is a function\n"+syntax.PrintFunction(s.functions[name].Func)+"\n")
	case "builtin":
		s.print(1, name+" is a shell builtin\n")
	case "keyword":
		s.print(1, name+" is a shell keyword\n")
	default:
		s.print(1, name+" is "+m.path+"\n")
	}
}

// commandOfBash is command -v and -V of bash.
func (s *shell) commandOfBash(names []string, long bool) int {
	if len(names) == 0 {
		return 0
	}
	status := 1
	for _, name := range names {
		all := s.meanings(name, false)
		known, isHashed := s.programs[name]
		if isHashed && len(all) == 0 {
			all = []meaning{{"file", known.path}}
		}
		if len(all) == 0 {
			if long {
				s.complain(name + ": not found")
			}
			continue
		}
		status = 0
		if isHashed && all[0].kind == "file" {
			all[0].path = s.shownPath(known.path)
			s.rememberProgram(name, known.path, true)
		}
		switch m := all[0]; {
		case long && m.kind == "file" && isHashed:
			s.print(1, name+" is hashed ("+all[0].path+")\n")
		case long:
			s.describeMeaning(name, m)
		case m.kind == "alias":
			s.print(1, "alias "+name+"="+quoteSingle(s.aliases[name])+"\n")
		case m.kind == "file":
			s.print(1, m.path+"\n")
		default:
			s.print(1, name+"\n")
		}
	}
	return status
}

// builtinEnable is bash's enable.
func builtinEnable(s *shell, args []string) int {
	flags, args := leadingFlags(args[1:])
	off := strings.Contains(flags, "n")
	if len(args) == 0 {
		for _, name := range builtinsOfBash {
			if disabled := s.disabled[name]; disabled == off || strings.Contains(flags, "a") {
				s.print(1, map[bool]string{false: "enable ", true: "enable -n "}[disabled]+name+"\n")
			}
		}
		return 0
	}
	status := 0
	for _, name := range args {
		if !slices.Contains(builtinsOfBash, name) {
			s.complain(name + ": not a shell builtin")
			status = 1
			continue
		}
		disabled := make(map[string]bool, len(s.disabled)+1)
		maps.Copy(disabled, s.disabled)
		disabled[name] = off
		s.disabled = disabled
	}
	return status
}
