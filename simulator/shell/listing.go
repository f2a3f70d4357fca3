package shell

import (
	"maps"
	"slices"
	"strconv"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// remembered lists the variables that bash computes when they are asked for. A listing shows the value that was last
// asked for, or none.
var remembered = []string{"BASHPID", "BASH_ARGV0", "BASH_COMMAND", "BASH_SUBSHELL", "COMP_WORDBREAKS", "EPOCHREALTIME", "EPOCHSECONDS", "HISTCMD",
	"LINENO", "RANDOM", "SECONDS", "SRANDOM"}

// remember notes the value of a computed variable for listings.
func (s *shell) remember(name, value string) {
	if old, ok := s.asked[name]; ok && old == value || !slices.Contains(remembered, name) && name != "DIRSTACK" && name != "GROUPS" {
		return
	}
	asked := make(map[string]string, len(s.asked)+1) // a fork may have the same map
	maps.Copy(asked, s.asked)
	asked[name] = value
	s.asked = asked
}

// shown returns the variables that listings show: those of the script, and in bash those that it computes.
func (s *shell) shown() map[string]variable {
	all := maps.Clone(s.vars)
	if s.kind != bash {
		return all
	}
	for name, old := range s.temporary {
		if delete(all, name); old.ok {
			all[name] = old.v
		}
	}
	add := func(name string, v variable) {
		if _, ok := all[name]; !ok {
			all[name] = v
		}
	}
	for _, name := range remembered {
		value, set := s.asked[name]
		add(name, variable{value: value, set: set, integer: slices.Contains([]string{"BASHPID", "HISTCMD", "RANDOM", "SRANDOM"}, name)})
	}
	for _, name := range []string{"BASH_ARGC", "BASH_ARGV", "BASH_LINENO", "BASH_SOURCE", "DIRSTACK", "FUNCNAME", "GROUPS", "PIPESTATUS"} {
		v, ok := s.arrayOfBash(name)
		switch {
		case name == "PIPESTATUS" && s.pipestatus == nil:
			continue
		case (name == "DIRSTACK" || name == "GROUPS") && s.asked[name] == "":
			v = variable{list: newList(), set: true}
		case !ok:
			v = variable{list: newList()}
		case name == "BASH_SOURCE":
			v.set = true
		}
		add(name, v)
	}
	add("BASHOPTS", variable{value: s.shoptList(), set: true, readonly: true})
	add("SHELLOPTS", variable{value: s.optionList(), set: true, readonly: true})
	add("_", variable{value: s.lastArg, set: true, exported: s.lastArgExported})
	return all
}

// listVariables prints all variables and, in bash, functions: for set without arguments.
func (s *shell) listVariables() {
	all := s.shown()
	if _, own := all["LINENO"]; s.kind == ash && !own {
		all["LINENO"] = variable{set: true}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		v := all[name]
		switch {
		case !v.set:
		case v.isArray():
			s.print(1, name+"="+s.arrayText(v)+"\n")
		case s.kind == bash:
			s.print(1, name+"="+s.quoteVariable(v.value)+"\n")
		default:
			s.print(1, name+"="+s.quoted(v.value)+"\n")
		}
	}
	if s.kind == bash && !s.options.posix {
		for _, name := range slices.Sorted(maps.Keys(s.functions)) {
			s.print(1, syntax.PrintFunction(s.functions[name].Func)+"\n")
		}
	}
}

// groupIDs returns $GROUPS.
func (s *shell) groupIDs() []string {
	return []string{strconv.FormatUint(uint64(s.p.GID), 10)}
}
