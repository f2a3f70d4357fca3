package shell

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// aliasesAtWork returns the aliases that are expanded, or nil. Bash expands them if it is told to, or in POSIX mode.
func (s *shell) aliasesAtWork() map[string]string {
	if len(s.aliases) == 0 || s.kind == bash && !s.options.aliases {
		return nil
	}
	return s.aliases
}

func (s *shell) hasAlias(name string) bool {
	_, ok := s.aliases[name]
	return ok
}

// setAlias changes a copy of the aliases: a fork, and what is being parsed, may have the same map.
func (s *shell) setAlias(name, value string) {
	aliases := make(map[string]string, len(s.aliases)+1)
	maps.Copy(aliases, s.aliases)
	s.hold(len(name) + len(value) + elementSize)
	s.p.Work(uint32(len(aliases)))
	if !s.hasAlias(name) {
		s.aliasOrder = append(slices.Clip(s.aliasOrder), name)
	}
	aliases[name] = value
	s.aliases = aliases
}

// aliasNames returns the aliases in the order in which the shell lists them.
func (s *shell) aliasNames() []string {
	if s.kind == bash { // which takes the first byte for a number with a sign
		names := slices.Sorted(maps.Keys(s.aliases))
		slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(int8(a[0]), int8(b[0])) })
		return names
	}
	// By their places in a table, and there by age.
	names := slices.Clone(s.aliasOrder)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(aliasBucket(a), aliasBucket(b)) })
	return names
}

// aliasBucket is the place of an alias in the table of ash and dash.
func aliasBucket(name string) int {
	sum := int(name[0]) << 4
	for i := range len(name) {
		sum += int(name[i])
	}
	return sum % 39
}

// showAlias prints an alias as a command that defines it or, in ash and dash, as what such a command is given.
func (s *shell) showAlias(name string, before string) {
	if s.kind == bash {
		s.print(1, before+name+"="+quoteSingle(s.aliases[name])+"\n")
		return
	}
	s.print(1, name+"="+s.quoted(s.aliases[name])+"\n")
}

func builtinAlias(s *shell, args []string) int {
	args = args[1:]
	list := len(args) == 0
	before := "alias "
	if s.kind == bash {
		var flags string
		flags, args = leadingFlags(args)
		list = flags != "" || len(args) == 0
		if list && len(s.aliases) == 0 {
			return 0
		}
		if s.options.posix && flags == "" {
			before = ""
		}
	}
	if list {
		for _, name := range s.aliasNames() {
			s.showAlias(name, before)
		}
	}
	status := 0
	for _, arg := range args {
		end := strings.IndexByte(arg[min(1, len(arg)):], '=') + 1 // a name has at least one byte
		switch {
		case end > 0 && s.kind == bash && !isAliasName(arg[:end]):
			s.complain("`" + arg[:end] + "': invalid alias name")
			status = 1
		case end > 0:
			s.setAlias(arg[:end], arg[end+1:])
		case s.hasAlias(arg):
			s.showAlias(arg, before)
		default:
			s.noAlias("alias", arg)
			status = 1
		}
	}
	if s.kind == bash && len(args) > 0 { // it does not look whether its output could be written
		s.unwritten = nil
	}
	return status
}

// isAliasName reports whether bash takes a name for an alias.
func isAliasName(name string) bool { return !strings.ContainsAny(name, " \t\n|&;()<>\\'\"`$/") }

func (s *shell) noAlias(command, name string) {
	if s.kind == bash {
		s.complain(name + ": not found")
		return
	}
	s.print(2, command+": "+name+" not found\n")
}

func builtinUnalias(s *shell, args []string) int {
	flags, names := leadingFlags(args[1:])
	if s.kind != bash && flags != "" && flags[0] != 'a' {
		s.illegalOption(rune(flags[0]))
		return statusUsage
	}
	switch {
	case flags != "":
		s.aliases, s.aliasOrder = nil, nil
		return 0
	case len(names) == 0 && s.kind == bash:
		s.usage("unalias")
		return statusUsage
	}
	status := 0
	for _, name := range names {
		if !s.hasAlias(name) {
			s.noAlias("unalias", name)
			status = 1
			continue
		}
		aliases := maps.Clone(s.aliases)
		s.p.Work(uint32(len(aliases)))
		delete(aliases, name)
		s.aliases = aliases
		s.aliasOrder = slices.DeleteFunc(slices.Clone(s.aliasOrder), func(n string) bool { return n == name })
	}
	return status
}
