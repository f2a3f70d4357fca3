package shell

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// collect takes the signals that have arrived, for the next time the shell may act on them. It reports whether there
// were any.
func (s *shell) collect() bool {
	got := false
	for {
		sig, ok := s.p.TakeSignal()
		if !ok {
			return got
		}
		got = true
		if _, trapped := s.traps[sig.Name()]; !trapped {
			switch {
			case s.mortal && isDeadly(sig):
				s.die(sig)
			case sig == container.SIGINT && s.kind != bash:
				s.interrupted = true
				continue
			case sig == container.SIGQUIT:
				continue
			}
		}
		if !slices.Contains(s.caught, sig) {
			s.caught = append(s.caught, sig)
		}
	}
}

// deadly lists the signals that end bash, after its EXIT trap.
var deadly = []container.Signal{container.SIGHUP, container.SIGINT, container.SIGILL, container.SIGTRAP, container.SIGABRT, container.SIGFPE, container.SIGBUS,
	container.SIGSEGV, container.SIGSYS, container.SIGPIPE, container.SIGALRM, container.SIGTERM, container.SIGXCPU, container.SIGXFSZ, container.SIGVTALRM,
	container.SIGPROF, container.SIGUSR1, container.SIGUSR2}

func isDeadly(sig container.Signal) bool { return slices.Contains(deadly, sig) }

// becomeMortal makes bash handle the signals that end it. It does so when it has an EXIT trap to run, or has listed its
// traps; before that they have their default action, which does nothing for process 1.
func (s *shell) becomeMortal() {
	if s.kind != bash || s.mortal {
		return
	}
	s.mortal = true
	for _, sig := range deadly {
		if _, trapped := s.traps[sig.Name()]; !trapped && !s.p.Ignores(sig) {
			s.p.Handle(sig)
		}
	}
}

// die ends bash by a signal. Its EXIT trap runs outside of all functions.
func (s *shell) die(sig container.Signal) {
	for i := len(s.scopes) - 1; i >= 0; i-- {
		s.restore(s.scopes[i])
	}
	s.scopes, s.frames = nil, nil
	if s.calls > 0 {
		s.args, s.calls = s.outerArgs, 0
	}
	s.exitTrap()
	s.p.Die(sig)
}

// untrap gives a signal the action that it has without a trap. Ash and bash themselves do not mind SIGQUIT. Ash and dash
// mind SIGINT even as process 1, which the default action of a signal does not touch.
func (s *shell) untrap(sig container.Signal) {
	switch {
	case sig > 0 && sig < 32 && s.deaf&(1<<sig) != 0:
	case s.kind != bash && sig == container.SIGINT && s.p.PID() == 1:
		s.p.Handle(sig)
	case s.mortal && isDeadly(sig), s.kind != dash && sig == container.SIGQUIT && !s.subshell:
		s.p.Handle(sig)
	default:
		s.p.Default(sig)
	}
}

// endsByInterrupt notes the signals that have arrived, and reports whether SIGINT ends the shell: ash or dash.
func (s *shell) endsByInterrupt() bool {
	if s.p.SignalPending() {
		s.collect()
	}
	if !s.interrupted {
		return false
	}
	s.interrupted = false
	s.flow, s.ending, s.status = exiting, inPlace, statusSignalBase+int(container.SIGINT)
	return true
}

// runTraps acts on the signals that have arrived.
func (s *shell) runTraps() {
	s.endsByInterrupt()
	for len(s.caught) > 0 && s.flow == goOn {
		sig := s.caught[0]
		s.caught = s.caught[1:]
		if action := s.traps[sig.Name()]; action != "" {
			s.trapAction(sig.Name(), action, false)
		}
	}
}

// trapAction runs the commands of a trap; they leave $? as it was. With here, $LINENO goes on to be the line of the
// command that the trap is about.
//
// One for DEBUG, ERR or RETURN does not run again inside of itself.
func (s *shell) trapAction(name, action string, here bool) {
	defer func(within uint8) { s.within = within }(s.within)
	s.within = s.within&^withinExit | pseudoSignals[name]
	status, in, tolerant, base, line, pipes := s.status, s.inTrap, s.tolerant, s.base, s.line, s.pipestatus
	lost, prior := s.lost, s.prior
	switch {
	case s.kind == bash || name == "ERR" || prior == 0:
		s.prior = int16(status&0xff) + 1
	default: // ash and dash go on with the status that the trap around, or ash's last one for ERR, has kept
		status = int(prior) - 1
	}
	s.inTrap, s.lost = true, false
	s.forgetTests()
	switch {
	case here && s.kind == bash:
		s.base = max(s.line, 1) - 1
	case s.kind == ash:
		s.base = s.line - 1
	default:
		s.base = 0
	}
	s.run(action, false)
	s.inTrap, s.tolerant, s.base, s.line, s.lost = in, tolerant, base, line, lost
	switch {
	case s.kind == bash && !in: // the trap around has lost its own
		s.prior = 0
	case s.kind != bash && name != "ERR":
		s.prior = prior
	}
	switch {
	case s.flow == goOn:
		s.status, s.pipestatus = status, pipes
	case s.kind != bash && s.plain && (s.flow == returning || s.flow == exiting && s.left):
		s.status = status
	}
}

// forgetTests makes ash and dash mind set -e again: what they read anew, a trap or a file, does not know that its status is
// tested.
func (s *shell) forgetTests() {
	if s.kind != bash {
		s.tolerant = 0
	}
}

// pseudoSignals are the conditions of traps that are no signals, as bits.
var pseudoSignals = map[string]uint8{"DEBUG": withinDebug, "ERR": withinErr, "RETURN": withinReturn}

// What is at work of the traps that are not for signals.
const (
	withinDebug = 1 << iota
	withinErr
	withinReturn
	withinExit
)

// pseudoTrap returns the commands of the trap for one of these, unless that is at work already; in ash, unless any trap is.
func (s *shell) pseudoTrap(name string) string {
	if len(s.traps) == 0 || s.within&pseudoSignals[name] != 0 {
		return ""
	}
	return s.traps[name]
}

// hideTraps takes the traps away that a function does not inherit, and returns them. It may set its own.
func (s *shell) hideTraps() map[string]string {
	if len(s.traps) == 0 {
		return nil
	}
	var hidden map[string]string
	for _, name := range []string{"DEBUG", "ERR", "RETURN"} {
		if action := s.traps[name]; action != "" && !s.passesOn(name) && !(name == "ERR" && s.options.errtrace) {
			if hidden == nil {
				hidden = map[string]string{}
			}
			hidden[name] = action
			delete(s.traps, name)
		}
	}
	return hidden
}

// showTraps brings back what hideTraps took away. What the function has set stays.
func (s *shell) showTraps(hidden map[string]string) {
	for name, action := range hidden {
		if _, set := s.traps[name]; !set {
			s.traps[name] = action
		}
	}
}

// announce notes the command that is about to run, and runs the DEBUG trap.
func (s *shell) announce(st *syntax.Stmt) {
	if !s.inTrap {
		s.running, s.heading = st, ""
	}
	if call, ok := st.Cmd.(*syntax.Call); ok && call == s.own && s.announced {
		s.announced = false
		return
	}
	s.debug()
}

// announceHeading does the same for a loop or case.
func (s *shell) announceHeading(text string) {
	if !s.inTrap {
		s.heading = text
	}
	s.debug()
}

// announceChild does the same for a simple command that is to run in a child, where there is no trap.
func (s *shell) announceChild(st *syntax.Stmt) {
	call, ok := st.Cmd.(*syntax.Call)
	if !ok || s.kind != bash || s.traps["DEBUG"] == "" {
		return
	}
	s.line = call.Line + s.base
	s.announce(&syntax.Stmt{Cmd: call, Redirs: st.Redirs})
}

// debug runs bash's DEBUG trap before a command.
func (s *shell) debug() {
	if action := s.pseudoTrap("DEBUG"); action != "" {
		s.trapAction("DEBUG", action, true)
	}
}

// returned runs bash's RETURN trap behind a function or a sourced file.
func (s *shell) returned() {
	if action := s.pseudoTrap("RETURN"); action != "" && (s.flow == goOn || s.flow == returning) {
		flow, status := s.flow, s.status
		if s.flow = goOn; flow == returning {
			s.status = int(s.preceding)
		}
		s.trapAction("RETURN", action, true)
		if s.flow == goOn {
			s.flow, s.status = flow, status
		}
	}
}

// trapsSet reports whether anything is to be done at the end or on a signal, so that the shell cannot be replaced.
// Ash does not notice that a trap has been taken back.
func (s *shell) trapsSet() bool {
	if s.kind == ash && s.hadTraps {
		return true
	}
	for _, action := range s.traps {
		if action != "" {
			return true
		}
	}
	return len(s.caught) > 0
}

// trapName returns the canonical name of a condition.
func (s *shell) trapName(text string) (string, bool) {
	switch {
	case s.kind == bash && slices.Contains([]string{"DEBUG", "RETURN", "ERR"}, strings.ToUpper(text)):
		return strings.ToUpper(text), true
	case s.kind == ash && text == "ERR":
		return text, true
	}
	sig, ok := s.signal(text)
	if !ok {
		return "", false
	}
	return sig.Name(), true
}

// builtinTrap is trap.
func builtinTrap(s *shell, args []string) int {
	args = args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) > 0 && s.kind != bash && len(args[0]) > 1 && args[0][0] == '-' {
		s.illegalOption(rune(args[0][1]))
		s.flow = exiting
		return statusUsage
	}
	if len(args) == 0 || args[0] == "-p" {
		s.becomeMortal()
		traps := s.traps
		if s.subshell && !s.trapped {
			traps = s.inherited // a subshell shows what its parent had until it sets one itself
		}
		wanted, status := args, 0
		if len(args) > 0 && s.kind == bash {
			wanted, status = s.trapNames(args[1:])
		}
		for _, name := range trapOrder(traps) {
			if len(args) > 1 && !slices.Contains(wanted, name) {
				continue
			}
			shown := name
			if sig, ok := container.ParseSignal(name); ok && sig > 0 && s.kind != bash {
				shown = s.nameInKill(sig)
			}
			if s.kind == bash && name != "EXIT" && name != "ERR" && name != "DEBUG" && name != "RETURN" {
				if !s.options.posix {
					shown = "SIG" + name
				}
				if n, err := strconv.Atoi(name); err == nil {
					shown = "SIG" + signalName(container.Signal(n))
				}
			}
			s.print(1, "trap -- "+s.trapText(traps[name])+" "+shown+"\n")
		}
		return status
	}
	if args[0] == "-l" && s.kind == bash {
		s.print(1, signalTable())
		return 0
	}
	if args[0] == "-l" {
		for n := container.Signal(1); n < 32; n++ {
			s.print(1, strconv.Itoa(int(n))+") "+n.Name()+"\n")
		}
		return 0
	}
	action, names := args[0], args[1:]
	_, isNumber := strconv.Atoi(action)
	_, isSignal := s.trapName(action)
	switch {
	case s.kind == bash && len(names) == 0 && (!isSignal || s.options.posix && isNumber != nil):
		s.usage("trap")
		return statusUsage
	case len(names) == 0 || isNumber == nil && (isSignal || s.kind != bash):
		action, names = "-", args
	}
	status := 0
	for _, text := range names {
		name, ok := s.trapName(text)
		if !ok {
			if s.kind == dash {
				s.print(2, "trap: "+text+": bad trap\n")
			} else {
				s.complain(text + ": invalid signal specification")
			}
			status = 1
			continue
		}
		if s.traps == nil {
			s.traps = map[string]string{}
		}
		if !s.trapped && s.subshell {
			s.trapped = true
		}
		sig, _ := container.ParseSignal(name)
		deaf := sig > 0 && sig < 32 && s.deaf&(1<<sig) != 0
		switch action {
		case "-":
			delete(s.traps, name)
			s.untrap(sig)
		case "":
			s.traps[name] = ""
			s.p.Ignore(sig)
		default:
			s.traps[name], s.hadTraps = action, true
			if !deaf {
				s.p.Handle(sig)
			}
			if name == "EXIT" {
				s.becomeMortal()
			}
		}
	}
	return status
}

// ignoreTrap notes that a signal is ignored.
func (s *shell) ignoreTrap(name string) {
	with := func(traps map[string]string) map[string]string {
		out := maps.Clone(traps)
		if out == nil {
			out = map[string]string{}
		}
		out[name] = ""
		return out
	}
	s.traps, s.inherited = with(s.traps), with(s.inherited)
}

// trapNames returns the canonical names of conditions, and complains about others.
func (s *shell) trapNames(words []string) (names []string, status int) {
	for _, text := range words {
		name, ok := s.trapName(text)
		if !ok {
			s.complain(text + ": invalid signal specification")
			status = 1
		}
		names = append(names, name)
	}
	return names, status
}

// trapText quotes the commands of a trap.
func (s *shell) trapText(text string) string {
	if s.kind == bash {
		return quoteSingle(text)
	}
	return s.quoted(text)
}

// trapOrder lists the conditions that have traps: EXIT, then by signal number.
func trapOrder(traps map[string]string) []string {
	names := slices.Sorted(maps.Keys(traps))
	slices.SortStableFunc(names, func(a, b string) int { return trapNumber(a) - trapNumber(b) })
	return names
}

// trapNumber is where a condition stands in the list: bash's own come last.
func trapNumber(name string) int {
	switch name {
	case "DEBUG":
		return 100
	case "ERR":
		return 101
	case "RETURN":
		return 102
	}
	sig, _ := container.ParseSignal(name)
	return int(sig)
}
