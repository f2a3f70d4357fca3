package shell

import "github.com/plumbline-ci/plumbline/simulator/shell/syntax"

// prepared runs a command of ash or dash: they perform its redirections, then its assignments, and all of that
// themselves even if the command is a program, so that a mistake in one of them ends the shell. What is left of both
// afterwards is nothing, unless the assignments stick or the redirections are kept. A command whose assignments do not stick
// has a scope, also without any: local in its substitutions, or evaluated by it, is not out of a function.
func (s *shell) prepared(assigns []*syntax.Assign, fields []string, redirs []*syntax.Redirect, stick, keep bool, run func()) {
	if !stick {
		outer := len(s.scopes)
		s.scopes = append(s.scopes, nil)
		defer func() { s.leaveScopes(outer) }()
	}
	undo, ok := s.redirect(redirs, restorable)
	if !ok && (s.kind == dash || s.flow != goOn) {
		s.unprepared(undo, stick, fields)
		return
	}
	status := s.status
	var traced []string
	for _, a := range assigns {
		if !stick {
			s.local(a.Name)
		}
		if err := s.assignment(a); s.problem(err) {
			s.undo(undo)
			return
		}
		if s.options.xtrace {
			traced = append(traced, s.assignmentText(a))
		}
		if !stick || keep && len(fields) > 1 {
			v := s.vars[a.Name]
			v.exported = true
			s.store(a.Name, v)
		}
	}
	if s.options.xtrace && ok {
		s.traceFD = max(0, savedError(undo)) // if it was closed, that of the command
		s.trace(traced, fields)
		s.traceFD = 0
	}
	if !ok {
		s.status = status
		s.unprepared(undo, stick, fields)
		return
	}
	run()
	if keep && s.flow != exiting { // after exec of a program that cannot be run, they end before the shell
		s.keep(undo)
		undo = nil
	}
	s.undo(undo)
}

// leaveScopes gives the variables of the scopes inside of the outer ones the values back that they had before. A shell of
// ash or dash that ends leaves them as they are for its EXIT trap.
func (s *shell) leaveScopes(outer int) {
	if s.flow == exiting && s.kind != bash {
		return
	}
	for i := len(s.scopes) - 1; i >= outer; i-- {
		s.restore(s.scopes[i])
	}
	s.scopes = s.scopes[:min(outer, len(s.scopes))]
}

// unprepared gives up a command whose redirections failed. If it is a special built-in, the shell ends.
func (s *shell) unprepared(undo []savedDescriptor, stick bool, fields []string) {
	s.undo(undo)
	if stick || fields[0] == "local" {
		s.flow = exiting
	}
}

// savedError returns where standard error is kept while it is redirected, or 0: the trace goes there. It is -1 if it was closed.
func savedError(undo []savedDescriptor) int16 {
	for _, d := range undo {
		if d.fd == 2 {
			return int16(d.copy)
		}
	}
	return 0
}
