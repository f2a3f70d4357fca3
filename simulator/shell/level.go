package shell

import (
	"strconv"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// lastCall returns the command at the end of a list that bash executes without a child: a simple command, alone, behind
// other commands, or at the end of a single list of && and ||. Only one that is alone may have redirections, if at all.
func lastCall(list []*syntax.Stmt, redirected bool) *syntax.Call {
	if len(list) == 0 {
		return nil
	}
	st := list[len(list)-1]
	single := len(list) == 1
	if chain, ok := st.Cmd.(*syntax.AndOr); ok && single && !st.Negated && !st.Background {
		st, single = chain.Rest[len(chain.Rest)-1].Stmt, false
	}
	if st.Negated || st.Background || len(st.Redirs) > 0 && !(single && redirected) {
		return nil
	}
	call, _ := st.Cmd.(*syntax.Call)
	return call
}

// lowerLevel makes SHLVL what it is for a program that takes the place of the shell.
func (s *shell) lowerLevel() {
	level, _ := strconv.Atoi(s.value("SHLVL"))
	s.setValue("SHLVL", strconv.Itoa(max(level-1, 0)))
}

// enter prepares a child for its command. In bash the loops around are out of reach, unless it is a simple command.
func (s *shell) enter(cmd syntax.Command) {
	_, s.isStage = cmd.(*syntax.Call)
	if s.kind == bash && !s.isStage {
		s.loops, s.prior = 0, 0
	}
}
