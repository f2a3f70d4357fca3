package shell

import (
	"maps"
	"slices"
	"strconv"

	"github.com/plumbline-ci/plumbline/simulator/container"
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
		if !slices.Contains(s.caught, sig) {
			s.caught = append(s.caught, sig)
		}
	}
}

// runTraps acts on the signals that have arrived.
func (s *shell) runTraps() {
	if s.p.SignalPending() {
		s.collect()
	}
	for len(s.caught) > 0 && s.flow == goOn {
		sig := s.caught[0]
		s.caught = s.caught[1:]
		if action := s.traps[sig.Name()]; action != "" {
			s.trapAction(action)
		}
	}
}

// trapAction runs the commands of a trap; they leave $? as it was.
func (s *shell) trapAction(action string) {
	status, in, tolerant := s.status, s.inTrap, s.tolerant
	s.inTrap = true
	s.run(action, false)
	s.inTrap, s.tolerant = in, tolerant
	if s.flow == goOn {
		s.status = status
	}
}

// trapsSet reports whether anything is to be done at the end or on a signal, so that the shell cannot be replaced.
func (s *shell) trapsSet() bool {
	for _, action := range s.traps {
		if action != "" {
			return true
		}
	}
	return len(s.caught) > 0
}

// trapName returns the canonical name of a condition.
func (s *shell) trapName(text string) (string, bool) {
	if s.kind == bash || text == "ERR" {
		switch text {
		case "ERR", "DEBUG", "RETURN":
			return text, true
		}
	}
	sig, ok := container.ParseSignal(text)
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
	if len(args) == 0 || args[0] == "-p" {
		for _, name := range s.trapOrder() {
			if len(args) > 1 && !slices.Contains(args[1:], name) {
				continue
			}
			shown := name
			if s.kind == bash && name != "EXIT" && name != "ERR" {
				shown = "SIG" + name
			}
			s.print(1, "trap -- "+quoteSingle(s.traps[name])+" "+shown+"\n")
		}
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
	if len(names) == 0 || isNumber == nil {
		if len(names) > 0 || isNumber == nil || s.kind == bash {
			action, names = "-", args
		} else if _, ok := s.trapName(action); ok {
			action, names = "-", args
		}
	}
	status := 0
	for _, text := range names {
		name, ok := s.trapName(text)
		if !ok {
			if s.kind == bash {
				s.complain(text + ": invalid signal specification")
			} else {
				s.complain(text + ": invalid signal specification")
			}
			status = 1
			continue
		}
		if s.traps == nil {
			s.traps = map[string]string{}
		}
		sig, _ := container.ParseSignal(name)
		switch action {
		case "-":
			delete(s.traps, name)
			s.p.Default(sig)
		case "":
			s.traps[name] = ""
			s.p.Ignore(sig)
		default:
			s.traps[name] = action
			s.p.Handle(sig)
		}
	}
	return status
}

// trapOrder lists the conditions that have traps: EXIT, then by signal number.
func (s *shell) trapOrder() []string {
	names := slices.Sorted(maps.Keys(s.traps))
	slices.SortStableFunc(names, func(a, b string) int {
		x, _ := container.ParseSignal(a)
		y, _ := container.ParseSignal(b)
		return int(x) - int(y)
	})
	return names
}
