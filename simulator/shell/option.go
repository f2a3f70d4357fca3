package shell

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
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
	switch s.kind {
	case dash:
		return []optionName{{"errexit", 'e', &o.errexit}, {"noglob", 'f', &o.noglob}, {"ignoreeof", 'I', &o.ignoreeof}, {"interactive", 'i', &o.interactive},
			{"monitor", 'm', &o.monitor}, {"noexec", 'n', &o.noexec}, {"stdin", 's', &o.stdin}, {"xtrace", 'x', &o.xtrace}, {"verbose", 'v', &o.verbose},
			{"vi", 'V', &o.vi}, {"emacs", 'E', &o.emacs}, {"noclobber", 'C', &o.noclobber}, {"allexport", 'a', &o.allexport}, {"notify", 'b', &o.notify},
			{"nounset", 'u', &o.nounset}, {"privileged", 'p', &o.privileged}, {"nolog", 0, &o.nolog}, {"debug", 0, &o.debug}}
	case ash:
		return []optionName{{"errexit", 'e', &o.errexit}, {"noglob", 'f', &o.noglob}, {"ignoreeof", 'I', &o.ignoreeof}, {"monitor", 'm', &o.monitor},
			{"noexec", 'n', &o.noexec}, {"xtrace", 'x', &o.xtrace}, {"verbose", 'v', &o.verbose}, {"noclobber", 'C', &o.noclobber},
			{"allexport", 'a', &o.allexport}, {"notify", 'b', &o.notify}, {"nounset", 'u', &o.nounset}, {"errtrace", 'E', &o.errtrace},
			{"vi", 'V', &o.vi}, {"pipefail", 0, &o.pipefail}}
	}
	return []optionName{{"allexport", 'a', &o.allexport}, {"braceexpand", 'B', &o.braceexpand}, {"emacs", 0, &o.emacs}, {"errexit", 'e', &o.errexit},
		{"errtrace", 'E', &o.errtrace}, {"functrace", 'T', &o.functrace}, {"hashall", 'h', &o.hashall}, {"histexpand", 'H', &o.histexpand},
		{"history", 0, &o.history}, {"ignoreeof", 0, &o.ignoreeof}, {"interactive-comments", 0, &o.comments}, {"keyword", 'k', &o.keyword},
		{"monitor", 'm', &o.monitor}, {"noclobber", 'C', &o.noclobber}, {"noexec", 'n', &o.noexec}, {"noglob", 'f', &o.noglob}, {"nolog", 0, &o.nolog},
		{"notify", 'b', &o.notify}, {"nounset", 'u', &o.nounset}, {"onecmd", 't', &o.onecmd}, {"physical", 'P', &o.physical},
		{"pipefail", 0, &o.pipefail}, {"posix", 0, &o.posix}, {"privileged", 'p', &o.privileged}, {"verbose", 'v', &o.verbose}, {"vi", 0, &o.vi},
		{"xtrace", 'x', &o.xtrace}}
}

// option sets a named option.
func (s *shell) option(name string, on bool) bool {
	if name == "" && s.kind == ash { // finds the first that has no name
		s.options.interactive = on
		return true
	}
	for _, o := range s.optionNames() {
		if o.name != name {
			continue
		}
		if s.kind == bash && name == "posix" {
			s.setPosix(on)
			return true
		}
		s.turn(o, on)
		if s.kind == bash && on { // one way to edit lines, or the other
			s.options.vi = s.options.vi && name != "emacs"
			s.options.emacs = s.options.emacs && name != "vi"
		}
		return true
	}
	return false
}

// flag sets an option by its letter.
func (s *shell) flag(letter rune, on bool) bool {
	for _, o := range s.optionNames() {
		if o.letter == letter {
			s.turn(o, on)
			return true
		}
	}
	return false
}

// turn sets an option. Without a terminal, ash and dash do not control jobs.
func (s *shell) turn(o optionName, on bool) {
	if on && o.letter == 'm' && s.kind != bash {
		s.complain("can't access tty; job control turned off")
		return
	}
	*o.state = on
}

func (s *shell) optionState(name string) (on, known bool) {
	for _, o := range s.optionNames() {
		if o.name == name {
			return *o.state, true
		}
	}
	return false, false
}

// flagOrder is the order in which $- of bash lists its letters.
const flagOrder = "abefhkmnptuvxBCEHPT"

// flags is $-.
func (s *shell) flags() string {
	out := ""
	for _, o := range s.optionNames() {
		if o.letter != 0 && *o.state {
			if s.kind == bash {
				out += string(o.letter)
			} else { // which begin with the last
				out = string(o.letter) + out
			}
		}
		if o.name == "ignoreeof" && s.kind == ash && s.options.interactive {
			out = "i" + out
		}
		if o.name == "noexec" && s.kind == ash { // options without a name stand here
			if s.options.stdin {
				out = "s" + out
			}
			if s.isCommand {
				out = "c" + out
			}
		}
	}
	if s.kind != bash {
		return out
	}
	letters := []byte(out)
	slices.SortFunc(letters, func(a, b byte) int { return strings.IndexByte(flagOrder, a) - strings.IndexByte(flagOrder, b) })
	out = string(letters)
	switch {
	case s.isCommand:
		out += "c"
	case !s.isScript:
		out += "s"
	}
	return out
}

// listOptions prints set -o, or with plus the commands that restore them.
func (s *shell) listOptions(plus bool) {
	if s.kind == dash && !plus {
		s.print(1, "Current option settings\n")
	}
	for _, o := range s.optionNames() {
		switch {
		case plus:
			s.print(1, restoring(o, true)+"\n")
		case s.kind != bash:
			s.print(1, fmt.Sprintf("%-16s%s\n", o.name, onOff(*o.state)))
		default:
			s.print(1, fmt.Sprintf("%-15s\t%s\n", o.name, onOff(*o.state)))
		}
	}
}

// optionsName is what stands for the options of set in the scope of a function: local - keeps them.
const optionsName = "-"

// optionStates tells which options are on, in the order of their names.
func (s *shell) optionStates() string {
	var states []byte
	for _, o := range s.optionNames() {
		states = append(states, "01"[truth(*o.state)])
	}
	return string(states)
}

func (s *shell) setOptionStates(states string) {
	for i, o := range s.optionNames() {
		*o.state = states[i] == '1'
	}
}

// listFresh prints the options of ash or dash while they read those of their command line: none is off yet.
func (s *shell) listFresh(plus bool) {
	before := s.options
	for _, o := range s.optionNames() {
		*o.state = true
	}
	s.listOptions(plus)
	s.options = before
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
			s.setArgs(args[1:])
			return 0
		}
		if arg == "-" {
			s.options.xtrace, s.options.verbose = false, false
			args = args[1:]
			if len(args) > 0 {
				s.setArgs(args)
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
				if s.kind == bash && len(args) > 0 && args[0] != "" && (args[0][0] == '-' || args[0][0] == '+') {
					s.listOptions(!on)
					continue
				}
				if len(args) == 0 {
					s.listOptions(!on)
					if s.kind == bash {
						return 0
					}
					continue
				}
				if !s.option(args[0], on) {
					if s.kind == bash {
						s.complain(args[0] + ": invalid option name")
						return statusUsage
					}
					if s.kind == dash {
						s.flow = exiting
						s.complain("Illegal option " + arg[:1] + "o " + args[0])
						return statusUsage
					}
					s.complain("illegal option " + arg[:1] + "o " + args[0])
					return 1
				}
				args = args[1:]
				continue
			}
			if !s.flag(letter, on) {
				if s.kind == bash {
					s.invalidOption("set", string(arg[0])+string(letter))
					return statusUsage
				}
				s.illegalOption(letter)
				s.flow = exiting
				return statusUsage
			}
		}
	}
	if len(args) > 0 {
		s.setArgs(args)
	}
	return 0
}

// shoptOrder lists the names of bash's further options in the order in which shopt lists them.
var shoptOrder = strings.Fields(`autocd assoc_expand_once cdable_vars cdspell checkhash checkjobs checkwinsize cmdhist compat31 compat32 compat40
	compat41 compat42 compat43 compat44 complete_fullquote direxpand dirspell dotglob execfail expand_aliases extdebug extglob extquote failglob
	force_fignore globasciiranges globskipdots globstar gnu_errfmt histappend histreedit histverify hostcomplete huponexit inherit_errexit
	interactive_comments lastpipe lithist localvar_inherit localvar_unset login_shell mailwarn no_empty_cmd_completion nocaseglob nocasematch
	noexpand_translation nullglob patsub_replacement progcomp progcomp_alias promptvars restricted_shell shift_verbose sourcepath varredir_close
	xpg_echo`)

// shoptDefaults lists those that are on in a shell that is not interactive.
var shoptDefaults = strings.Fields(`checkwinsize cmdhist complete_fullquote extquote force_fignore globasciiranges globskipdots hostcomplete
	interactive_comments patsub_replacement progcomp promptvars sourcepath`)

// shoptNames lists bash's further options.
func (s *shell) shoptNames() []optionName {
	o := &s.options
	out := make([]optionName, len(shoptOrder))
	for i, name := range shoptOrder {
		state := &o.others[i]
		switch name {
		case "expand_aliases":
			state = &o.aliases
		case "dotglob":
			state = &o.dotglob
		case "extglob":
			state = &o.extglob
		case "failglob":
			state = &o.failglob
		case "globskipdots":
			state = &o.globskipdots
		case "globstar":
			state = &o.globstar
		case "inherit_errexit":
			state = &o.inheritErr
		case "interactive_comments":
			state = &o.comments
		case "lastpipe":
			state = &o.lastpipe
		case "nocaseglob":
			state = &o.nocaseglob
		case "nocasematch":
			state = &o.nocasematch
		case "nullglob":
			state = &o.nullglob
		case "shift_verbose":
			state = &o.shiftVerbose
		case "xpg_echo":
			state = &o.xpgEcho
		}
		out[i] = optionName{name: name, state: state}
	}
	return out
}

func (s *shell) shopt(name string, on bool) bool {
	for _, o := range s.shoptNames() {
		if o.name == name {
			*o.state = on
			return true
		}
	}
	return false
}

// builtinShopt is bash's shopt.
func builtinShopt(s *shell, args []string) int {
	set, unset, quiet, again := false, false, false, false
	names, invalid := s.shoptNames(), "invalid shell option name"
	args = args[1:]
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		flags := args[0][1:]
		if args = args[1:]; flags == "-" {
			break
		}
		for _, l := range flags {
			switch l {
			case 's':
				set = true
			case 'u':
				unset = true
			case 'q':
				quiet = true
			case 'p':
				again = true
			case 'o':
				names, invalid = s.optionNames(), "invalid option name"
			}
		}
	}
	if set && unset {
		s.complain("cannot set and unset shell options simultaneously")
		return 1
	}
	status := 0
	show := func(o optionName) {
		switch {
		case quiet:
		case again:
			s.print(1, restoring(o, invalid == "invalid option name")+"\n")
		default:
			s.print(1, shoptLine(o, false))
		}
	}
	if len(args) == 0 {
		for _, o := range names {
			if set && !*o.state || unset && *o.state {
				continue
			}
			show(o)
		}
		return 0
	}
	for _, name := range args {
		i := slices.IndexFunc(names, func(o optionName) bool { return o.name == name })
		switch {
		case i < 0:
			s.complain(name + ": " + invalid)
			status = 1
		case set || unset:
			*names[i].state = set
			s.options.listed = s.options.posixChanges()
		default:
			if !*names[i].state {
				status = 1
			}
			show(names[i])
		}
	}
	return status
}

// shoptLine is an option as shopt lists it, or with again the command that restores it.
func shoptLine(o optionName, again bool) string {
	if again {
		return restoring(o, false) + "\n"
	}
	return fmt.Sprintf("%-15s\t%s\n", o.name, onOff(*o.state))
}

// restoring returns the command that sets an option to what it is.
func restoring(o optionName, ofSet bool) string {
	switch {
	case ofSet && *o.state:
		return "set -o " + o.name
	case ofSet:
		return "set +o " + o.name
	case *o.state:
		return "shopt -s " + o.name
	}
	return "shopt -u " + o.name
}

// quoteVariable quotes a value as bash's set lists it.
func (s *shell) quoteVariable(v string) string {
	if v == "" {
		return ""
	}
	if s.options.posix && strings.ContainsFunc(v, unicode.IsControl) { // which knows no $'…'
		if strings.ContainsAny(v, " \t\n'\"\\|&;()<>!{}*[]?^$`") {
			return quoteSingle(v)
		}
		return v
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
func (s *shell) optionList() string { return listOn(s.optionNames()) }

// posixVariable is the variable that bash has as long as it is in POSIX mode: each of the two brings the other.
const posixVariable = "POSIXLY_CORRECT"

// setPosix turns POSIX mode of bash on or off.
func (s *shell) setPosix(on bool) {
	switch {
	case on == s.options.posix:
	case on:
		s.setValue(posixVariable, "y")
	default:
		s.drop(posixVariable)
		s.env = nil
	}
	s.posixFollows(posixVariable, on)
}

// posixFollows turns POSIX mode on or off after a change of a variable, if it is the one that stands for the mode.
func (s *shell) posixFollows(name string, on bool) {
	if len(name) == len(posixVariable) && name == posixVariable && s.kind == bash && on != s.options.posix {
		s.options.posix = on
		s.posixOptions(on)
	}
}

// posixOptions changes the options of shopt that go with POSIX mode.
func (s *shell) posixOptions(on bool) {
	s.options.aliases, s.options.shiftVerbose = on, on
	if on {
		s.options.inheritErr, s.options.comments = true, true
	}
}

// posixChanges returns the options that POSIX mode changes, of which $BASHOPTS is not told: it has them as they were when
// shopt was called last.
func (o *options) posixChanges() [3]bool { return [3]bool{o.aliases, o.inheritErr, o.shiftVerbose} }

// shoptList is $BASHOPTS.
func (s *shell) shoptList() string {
	before := s.options
	o := &s.options
	o.aliases, o.inheritErr, o.shiftVerbose = o.listed[0], o.listed[1], o.listed[2]
	text := listOn(s.shoptNames())
	s.options = before
	return text
}

func listOn(names []optionName) string {
	var on []string
	for _, o := range names {
		if *o.state {
			on = append(on, o.name)
		}
	}
	return strings.Join(on, ":")
}
