package shell

import (
	"errors"
	"strconv"
	"strings"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/utility"
	"mvdan.cc/sh/v3/syntax"
)

// call runs a simple command.
func (s *shell) call(cmd *syntax.CallExpr, redirs []*syntax.Redirect, tail bool) {
	s.p.Spend(container.CommandCost)
	s.substituted = false
	fields, err := s.fieldsOf(cmd.Args)
	if s.problem(err) {
		return
	}
	if len(fields) == 0 {
		s.assignments(cmd, redirs)
		return
	}
	if s.options.xtrace {
		s.trace(cmd.Assigns, fields)
	}
	name := fields[0]
	if body := s.functions[name]; body != nil && !s.isSpecial(name) {
		s.withRedirects(cmd.Assigns, redirs, false, false, func() { s.callFunction(name, body, fields[1:]) })
		return
	}
	if b := s.builtin(name); b != nil {
		s.withRedirects(cmd.Assigns, redirs, s.isSpecial(name) && s.kind == ash, name == "exec", func() {
			before := s.command
			s.command = name
			s.status = b(s, fields)
			s.command = before
		})
		return
	}
	s.external(cmd, redirs, fields, tail)
}

// assignments runs a command that has no name.
func (s *shell) assignments(cmd *syntax.CallExpr, redirs []*syntax.Redirect) {
	undo, ok := s.redirect(redirs, true)
	defer s.undo(undo)
	if !ok {
		s.status = 1
		return
	}
	var traced []string
	for _, a := range cmd.Assigns {
		if err := s.assignment(a); s.problem(err) {
			return
		}
		if s.options.xtrace {
			traced = append(traced, a.Name.Value+"="+s.value(a.Name.Value))
		}
	}
	if len(traced) > 0 {
		s.trace(nil, traced)
	}
	s.status = 0
	if s.substituted {
		s.status = s.substatus
	}
}

// assignment performs one assignment.
func (s *shell) assignment(a *syntax.Assign) error {
	name := a.Name.Value
	if a.Array != nil {
		return s.assignArray(name, a.Array, a.Append)
	}
	value, err := s.assigned(a.Value)
	if err != nil {
		return err
	}
	if a.Index != nil {
		return s.assignIndex(name, a.Index, value, a.Append)
	}
	if a.Append {
		v := s.vars[s.target(name)]
		if v.integer {
			n, err := s.arithmeticText(value)
			if err != nil {
				return err
			}
			old, err := s.arithmeticText(v.value)
			if err != nil {
				return err
			}
			value = strconv.FormatInt(old+n, 10)
		} else {
			old, _ := v.scalar()
			value = old + value
		}
	}
	return s.assign(name, value)
}

// withRedirects runs a function or built-in with assignments and redirections that last as long, or, if they stick or
// are kept, for ever.
func (s *shell) withRedirects(assigns []*syntax.Assign, redirs []*syntax.Redirect, stick, keep bool, run func()) {
	var scope map[string]saved
	if len(assigns) > 0 && !stick {
		scope = map[string]saved{}
	}
	for _, a := range assigns {
		if scope != nil {
			v, ok := s.vars[a.Name.Value]
			if _, seen := scope[a.Name.Value]; !seen {
				scope[a.Name.Value] = saved{v, ok}
			}
		}
		if err := s.assignment(a); s.problem(err) {
			s.restore(scope)
			return
		}
		v := s.vars[a.Name.Value]
		v.exported = true
		s.store(a.Name.Value, v)
	}
	if len(redirs) > 0 {
		undo, ok := s.redirect(redirs, true)
		if !ok {
			s.undo(undo)
			s.restore(scope)
			s.status = 1
			if stick && s.kind == ash {
				s.status = statusUsage
				s.flow = exiting
			}
			return
		}
		if keep {
			s.keep(undo)
		} else {
			defer s.undo(undo)
		}
	}
	run()
	if scope != nil {
		s.restore(scope)
	}
}

// callFunction runs a function.
func (s *shell) callFunction(name string, body *syntax.Stmt, args []string) {
	if s.calls >= maxDepth*4 {
		s.complain(name + ": maximum function nesting level exceeded")
		s.status = 1
		s.flow = exiting
		return
	}
	before := s.args
	s.args = args
	s.calls++
	s.scopes = append(s.scopes, map[string]saved{})
	loops := s.loops
	s.loops = 0
	s.statement(body, false)
	s.loops = loops
	s.restore(s.scopes[len(s.scopes)-1])
	s.scopes = s.scopes[:len(s.scopes)-1]
	s.calls--
	s.args = before
	if s.flow == returning {
		s.flow = goOn
	}
}

// external runs a command that is a program.
func (s *shell) external(cmd *syntax.CallExpr, redirs []*syntax.Redirect, fields []string, tail bool) {
	run := func(c *shell) int {
		undo, ok := c.redirect(redirs, false)
		_ = undo
		if !ok {
			return 1
		}
		for _, a := range cmd.Assigns {
			value, err := c.assigned(a.Value)
			if err == nil {
				err = c.assign(a.Name.Value, value)
			}
			if c.problem(err) {
				return c.status
			}
			v := c.vars[a.Name.Value]
			v.exported = true
			c.env = nil
			c.put(a.Name.Value, v)
		}
		return c.exec(fields)
	}
	if tail && !s.trapsSet() && s.depth+s.calls < maxDepth {
		s.status = run(s)
		s.flow = exiting
		return
	}
	shared := s.varsShared
	child := s.fork(func(c *shell) int {
		c.traps = nil
		return run(c)
	})
	if len(redirs) == 0 && len(cmd.Assigns) == 0 {
		s.varsShared = shared // the child changes nothing before it executes the program, and has no child of its own
	}
	s.status = s.await(child)
	s.pipestatus = nil
}

// exec replaces the process by a program. It returns the status if there is no such program.
func (s *shell) exec(fields []string) int {
	env := s.environment()
	err := s.p.Exec(fields, env)
	var missing *container.NotFoundError
	name := fields[0]
	errno := files.Errno(err)
	switch {
	case errors.As(err, &missing):
		s.commandError(name, s.notFound())
		return statusNotFound
	case errno == syscall.ENOEXEC:
		return s.execScript(fields)
	case errno == syscall.ENOENT || errno == syscall.ENOTDIR:
		if s.kind == bash {
			if _, serr := s.p.Stat(name); serr == nil {
				s.commandError(name, "cannot execute: required file not found")
			} else {
				s.commandError(name, files.Message(err))
			}
		} else {
			s.commandError(name, "not found")
		}
		return statusNotFound
	}
	if info, serr := s.p.Stat(name); s.kind == bash && serr == nil && info.IsDir() {
		s.commandError(name, "Is a directory")
	} else {
		s.commandError(name, files.Message(err))
	}
	return statusNoExec
}

func (s *shell) notFound() string {
	if s.kind == bash {
		return "command not found"
	}
	return "not found"
}

// execScript runs a file without header as a script of this shell.
func (s *shell) execScript(fields []string) int {
	name, err := s.p.LookPath(fields[0])
	if err != nil {
		return statusNotFound
	}
	data, err := s.p.ReadFile(name)
	if err != nil {
		s.commandError(name, files.Message(err))
		return statusNoExec
	}
	head, _, _ := strings.Cut(string(data), "\n")
	if strings.ContainsRune(head, 0) {
		if s.kind == bash {
			s.commandError(name, "cannot execute binary file: Exec format error")
		} else {
			s.commandError(name, "Exec format error")
		}
		return statusNoExec
	}
	s.p.Args, s.p.Env = append([]string{"sh", name}, fields[1:]...), s.environment()
	return s.in.main(s.p, s.kind)
}

// runUtility runs a utility inside the shell's process.
func runUtility(u utility.Utility) builtin {
	return func(s *shell, args []string) int {
		if s.env == nil {
			s.p.Env = s.environment()
		}
		return u(s.p, args)
	}
}
