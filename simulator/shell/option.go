package shell

import (
	"fmt"
	"slices"
	"strings"
)

// optionName is a name of set -o and where its state is. A nil state is an option that exists and does nothing.
type optionName struct {
	name   string
	letter rune
	state  *bool
}

// optionNames lists the options in the order in which the shell lists them.
func (s *shell) optionNames() []optionName {
	o := &s.options
	if s.kind != bash {
		return []optionName{{"errexit", 'e', &o.errexit}, {"noglob", 'f', &o.noglob}, {"ignoreeof", 'I', &o.ignoreeof}, {"monitor", 'm', &o.monitor},
			{"noexec", 'n', &o.noexec}, {"xtrace", 'x', &o.xtrace}, {"verbose", 'v', &o.verbose}, {"noclobber", 'C', &o.noclobber},
			{"allexport", 'a', &o.allexport}, {"notify", 'b', &o.notify}, {"nounset", 'u', &o.nounset}, {"errtrace", 'E', &o.errtrace},
			{"vi", 'V', &o.vi}, {"pipefail", 0, &o.pipefail}}
	}
	return []optionName{{"allexport", 'a', &o.allexport}, {"errexit", 'e', &o.errexit}, {"errtrace", 'E', &o.errtrace}, {"functrace", 'T', &o.functrace},
		{"ignoreeof", 0, &o.ignoreeof}, {"monitor", 'm', &o.monitor}, {"noclobber", 'C', &o.noclobber}, {"noexec", 'n', &o.noexec},
		{"noglob", 'f', &o.noglob}, {"notify", 'b', &o.notify}, {"nounset", 'u', &o.nounset}, {"pipefail", 0, &o.pipefail}, {"posix", 0, &o.posix}, {"verbose", 'v', &o.verbose},
		{"vi", 0, &o.vi}, {"xtrace", 'x', &o.xtrace}}
}

// option sets a named option.
func (s *shell) option(name string, on bool) bool {
	for _, o := range s.optionNames() {
		if o.name == name {
			*o.state = on
			return true
		}
	}
	return s.kind == bash && slices.Contains([]string{"history", "hashall", "braceexpand", "interactive-comments", "physical", "privileged", "emacs"}, name)
}

// flag sets an option by its letter.
func (s *shell) flag(letter rune, on bool) bool {
	for _, o := range s.optionNames() {
		if o.letter == letter {
			*o.state = on
			return true
		}
	}
	return s.kind == bash && strings.ContainsRune("hBHPk", letter)
}

func (s *shell) optionState(name string) (on, known bool) {
	for _, o := range s.optionNames() {
		if o.name == name {
			return *o.state, true
		}
	}
	return false, false
}

// flags is $-.
func (s *shell) flags() string {
	out := ""
	for _, o := range s.optionNames() {
		if o.letter != 0 && *o.state {
			out += string(o.letter)
		}
	}
	if s.kind == bash {
		out += "hB"
	}
	if !s.isScript && s.kind == bash {
		out += "c"
	}
	return out
}

// listOptions prints set -o, or with plus the commands that restore them.
func (s *shell) listOptions(plus bool) {
	for _, o := range s.optionNames() {
		switch {
		case plus && *o.state:
			s.print(1, "set -o "+o.name+"\n")
		case plus:
			s.print(1, "set +o "+o.name+"\n")
		case s.kind != bash:
			s.print(1, fmt.Sprintf("%-16s%s\n", o.name, onOff(*o.state)))
		default:
			s.print(1, fmt.Sprintf("%-15s\t%s\n", o.name, onOff(*o.state)))
		}
	}
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

// builtinSet is set.
func builtinSet(s *shell, args []string) int {
	args = args[1:]
	if len(args) == 0 {
		s.listVariables()
		return 0
	}
	for len(args) > 0 {
		arg := args[0]
		if arg == "--" {
			s.args = slices.Clone(args[1:])
			return 0
		}
		if arg == "-" {
			s.options.xtrace, s.options.verbose = false, false
			args = args[1:]
			if len(args) > 0 {
				s.args = slices.Clone(args)
			}
			return 0
		}
		if len(arg) < 2 || arg[0] != '-' && arg[0] != '+' {
			break
		}
		args = args[1:]
		on := arg[0] == '-'
		for _, letter := range arg[1:] {
			if letter == 'o' {
				if len(args) == 0 {
					s.listOptions(!on)
					return 0
				}
				if !s.option(args[0], on) {
					if s.kind == bash {
						s.complain(args[0] + ": invalid option name")
						return statusUsage
					}
					s.flow = exiting
					if s.kind == dash {
						s.complain("Illegal option -o " + args[0])
						return statusUsage
					}
					s.complain("illegal option -o " + args[0])
					return 1
				}
				args = args[1:]
				continue
			}
			if !s.flag(letter, on) {
				if s.kind == bash {
					s.complain(string(arg[0]) + string(letter) + ": invalid option")
					return statusUsage
				}
				s.illegalOption(letter)
				s.flow = exiting
				return statusUsage
			}
		}
	}
	if len(args) > 0 {
		s.args = slices.Clone(args)
	}
	return 0
}

// shoptNames lists bash's further options.
func (s *shell) shoptNames() []optionName {
	o := &s.options
	return []optionName{{"dotglob", 0, &o.dotglob}, {"extglob", 0, &o.extglob}, {"failglob", 0, &o.failglob}, {"globstar", 0, &o.globstar},
		{"inherit_errexit", 0, &o.inheritErr}, {"lastpipe", 0, &o.lastpipe}, {"nocaseglob", 0, &o.nocaseglob}, {"nocasematch", 0, &o.nocasematch}, {"nullglob", 0, &o.nullglob}, {"xpg_echo", 0, &o.xpgEcho}}
}

func (s *shell) shopt(name string, on bool) bool {
	for _, o := range s.shoptNames() {
		if o.name == name {
			*o.state = on
			return true
		}
	}
	return slices.Contains([]string{"expand_aliases", "checkwinsize", "cmdhist", "sourcepath", "histappend", "huponexit", "interactive_comments", "localvar_inherit", "autocd", "patsub_replacement", "globskipdots"}, name)
}

// builtinShopt is bash's shopt.
func builtinShopt(s *shell, args []string) int {
	set, on, quiet := false, false, false
	args = args[1:]
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		for _, l := range args[0][1:] {
			switch l {
			case 's':
				set, on = true, true
			case 'u':
				set = true
			case 'q':
				quiet = true
			}
		}
		args = args[1:]
	}
	status := 0
	if !set {
		for _, o := range s.shoptNames() {
			if len(args) > 0 && !slices.Contains(args, o.name) {
				continue
			}
			if !*o.state && len(args) > 0 {
				status = 1
			}
			if !quiet {
				s.print(1, fmt.Sprintf("%-15s\t%s\n", o.name, onOff(*o.state)))
			}
		}
		return status
	}
	for _, name := range args {
		if !s.shopt(name, on) {
			s.complain(name + ": invalid shell option name")
			status = 1
		}
	}
	return status
}

// listVariables prints all variables, for set without arguments.
func (s *shell) listVariables() {
	names := make([]string, 0, len(s.vars))
	for name, v := range s.vars {
		if v.set {
			names = append(names, name)
		}
	}
	if _, own := s.vars["LINENO"]; s.kind == ash && !own {
		names = append(names, "LINENO")
	}
	slices.Sort(names)
	for _, name := range names {
		v := s.vars[name]
		switch {
		case v.isArray():
			s.print(1, name+"="+s.arrayText(v)+"\n")
		case s.kind == bash:
			s.print(1, name+"="+s.quoteVariable(v.value)+"\n")
		default:
			s.print(1, name+"="+s.quoted(v.value)+"\n")
		}
	}
}

// quoteVariable quotes a value as bash's set lists it.
func (s *shell) quoteVariable(v string) string {
	if v == "" {
		return ""
	}
	if strings.ContainsAny(v, "\n\t") {
		return s.quoteDollar(v)
	}
	return s.quoteIfNeeded(v)
}

// quoted quotes a value as ash and dash list it.
func (s *shell) quoted(v string) string {
	var b strings.Builder
	for {
		n := strings.IndexByte(v, '\'')
		if n < 0 {
			n = len(v)
		}
		b.WriteString("'" + v[:n] + "'")
		v = v[n:]
		rest := strings.TrimLeft(v, "'")
		if quotes := v[:len(v)-len(rest)]; quotes != "" {
			b.WriteString(`"` + quotes + `"`)
		}
		if v = rest; v == "" {
			return b.String()
		}
	}
}

// arrayText is the value of an array as declare -p shows it.
func (s *shell) arrayText(v variable) string {
	keys, elems := v.keys(), v.elements()
	parts := make([]string, len(keys))
	for i := range keys {
		key := keys[i]
		if v.table != nil && (key == "" || s.quoteIfNeeded(key) != key) {
			key = s.quoteDouble(key)
		}
		parts[i] = "[" + key + "]=" + s.quoteDouble(elems[i])
	}
	if v.table != nil && len(parts) > 0 {
		return "(" + strings.Join(parts, " ") + " )"
	}
	return "(" + strings.Join(parts, " ") + ")"
}

// optionList is $SHELLOPTS.
func (s *shell) optionList() string {
	on := []string{"braceexpand", "hashall", "interactive-comments"}
	for _, o := range s.optionNames() {
		if *o.state {
			on = append(on, o.name)
		}
	}
	slices.Sort(on)
	return strings.Join(on, ":")
}

// shoptList is $BASHOPTS.
func (s *shell) shoptList() string {
	on := []string{"checkwinsize", "cmdhist", "complete_fullquote", "extquote", "force_fignore", "globasciiranges", "globskipdots", "hostcomplete",
		"interactive_comments", "patsub_replacement", "progcomp", "promptvars", "sourcepath"}
	for _, o := range s.shoptNames() {
		if *o.state {
			on = append(on, o.name)
		}
	}
	slices.Sort(on)
	return strings.Join(on, ":")
}
