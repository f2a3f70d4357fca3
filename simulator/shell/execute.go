package shell

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"mvdan.cc/sh/v3/syntax"
)

// Exit codes of shells.
const (
	statusUsage      = 2
	statusNoExec     = 126
	statusNotFound   = 127
	statusSignalBase = 128
)

// statements runs a list. With tail, the shell has nothing to do after it: the last command may replace it.
func (s *shell) statements(list []*syntax.Stmt, tail bool) {
	for i, st := range list {
		s.statement(st, tail && i == len(list)-1)
		if s.flow != goOn {
			return
		}
	}
}

// statement runs one command with its redirections.
func (s *shell) statement(st *syntax.Stmt, tail bool) {
	s.runTraps()
	if s.flow != goOn {
		return
	}
	if s.options.noexec {
		return
	}
	if st.Background || st.Coprocess {
		s.background(st)
		return
	}
	if st.Negated {
		s.tolerant++
		s.redirected(st, false)
		s.tolerant--
		if s.flow == goOn {
			if s.status == 0 {
				s.status = 1
			} else {
				s.status = 0
			}
		}
		s.runTraps()
		return
	}
	s.redirected(st, tail)
	s.runTraps()
	if s.status != 0 && s.flow == goOn && s.tolerant == 0 && fallible(st.Cmd) {
		s.failed()
	}
}

// fallible reports whether set -e looks at the status of such a command: lists and compound commands have been judged
// inside.
func fallible(cmd syntax.Command) bool {
	switch cmd := cmd.(type) {
	case *syntax.BinaryCmd:
		return cmd.Op == syntax.Pipe || cmd.Op == syntax.PipeAll
	case *syntax.IfClause, *syntax.WhileClause, *syntax.ForClause, *syntax.CaseClause, *syntax.Block, *syntax.FuncDecl, *syntax.TimeClause:
		return false
	}
	return true
}

// failed acts on a command that failed: the ERR trap, and set -e.
func (s *shell) failed() {
	if action, ok := s.traps["ERR"]; ok && action != "" && !s.inTrap && (s.calls == 0 || s.options.errtrace) {
		s.trapAction(action)
		if s.flow != goOn {
			return
		}
	}
	if s.options.errexit {
		s.flow = exiting
	}
}

// redirected runs a command with its redirections.
func (s *shell) redirected(st *syntax.Stmt, tail bool) {
	if st.Position.IsValid() {
		s.line = st.Position.Line()
	}
	if call, ok := st.Cmd.(*syntax.CallExpr); ok {
		s.call(call, st.Redirs, tail)
		return
	}
	if len(st.Redirs) == 0 {
		s.compound(st.Cmd, tail)
		return
	}
	undo, ok := s.redirect(st.Redirs, true)
	defer s.undo(undo)
	if !ok {
		s.status = 1
		return
	}
	if st.Cmd == nil {
		s.status = 0
		return
	}
	s.compound(st.Cmd, false)
}

// background starts a job.
func (s *shell) background(st *syntax.Stmt) {
	plain := *st
	plain.Background = false
	child := s.fork(func(c *shell) int {
		p := c.p
		// Without job control, a background job reads nothing and ignores the keyboard's signals.
		p.Ignore(container.SIGINT)
		p.Ignore(container.SIGQUIT)
		if fd, err := p.OpenFile("/dev/null", files.Read, 0); err == nil && fd != 0 {
			_ = p.Dup2(fd, 0)
			p.Close(fd)
		}
		c.tolerant = 0
		c.statement(&plain, true)
		return c.leave()
	})
	s.lastJob = child.PID()
	s.jobs = append(s.jobs, &job{proc: child, pid: child.PID()})
	if len(s.jobs) > 256 {
		s.forgetJobs()
	}
	s.status = 0
}

// compound runs anything but a simple command.
func (s *shell) compound(cmd syntax.Command, tail bool) {
	switch cmd := cmd.(type) {
	case *syntax.Block:
		s.statements(cmd.Stmts, tail)
	case *syntax.Subshell:
		s.subshellOf(cmd.Stmts)
	case *syntax.BinaryCmd:
		s.binaryCommand(cmd, tail)
	case *syntax.IfClause:
		s.ifClause(cmd, tail)
	case *syntax.WhileClause:
		s.while(cmd)
	case *syntax.ForClause:
		s.forClause(cmd)
	case *syntax.CaseClause:
		s.caseClause(cmd, tail)
	case *syntax.FuncDecl:
		if cmd.Name == nil || cmd.Body == nil {
			s.syntaxError(syntax.ParseError{Pos: cmd.Pos(), Text: `unexpected ")"`})
			return
		}
		s.define(cmd.Name.Value, cmd.Body)
		s.status = 0
	case *syntax.ArithmCmd:
		n, err := s.arithmetic(cmd.X)
		if s.problem(err) {
			return
		}
		s.status = int(1 - truth(n != 0))
	case *syntax.TestClause:
		ok, err := s.condition(cmd.X)
		if err != nil {
			s.problem(err)
			if s.flow == goOn {
				s.status = statusUsage
			}
			return
		}
		s.status = int(1 - truth(ok))
	case *syntax.DeclClause:
		s.declare(cmd)
	case *syntax.LetClause:
		var n int64
		for _, x := range cmd.Exprs {
			var err error
			if n, err = s.arithmetic(x); s.problem(err) {
				return
			}
		}
		s.status = int(1 - truth(n != 0))
	case *syntax.TimeClause:
		s.timed(cmd)
	default:
		s.complain("unsupported command")
		s.status = statusUsage
	}
}

func (s *shell) timed(cmd *syntax.TimeClause) {
	start := s.p.Now()
	if cmd.Stmt != nil {
		s.statement(cmd.Stmt, false)
	}
	took := s.p.Now().Sub(start)
	if s.kind == bash && !cmd.PosixFormat {
		s.print(2, fmt.Sprintf("\nreal\t%dm%.3fs\nuser\t0m0.000s\nsys\t0m0.000s\n", int(took.Minutes()), took.Seconds()-60*float64(int(took.Minutes()))))
		return
	}
	s.print(2, fmt.Sprintf("real\t%dm %.2fs\nuser\t0m 0.00s\nsys\t0m 0.00s\n", int(took.Minutes()), took.Seconds()-60*float64(int(took.Minutes()))))
}

// subshellOf runs commands in a child.
func (s *shell) subshellOf(list []*syntax.Stmt) {
	if s.depth >= maxDepth {
		s.complain("too many nested subshells")
		s.status = statusUsage
		return
	}
	child := s.fork(func(c *shell) int {
		c.depth++
		c.statements(list, true)
		return c.leave()
	})
	s.status = s.await(child)
}

// await waits for a child in the foreground; signals are acted upon when it has ended.
func (s *shell) await(child *container.Process) int {
	for {
		st, err := s.p.Wait(child, time.Time{})
		switch {
		case err == nil:
			if st.Signal != 0 && !s.subshell {
				s.reportSignal(child, st)
			}
			return st.Code
		case errors.Is(err, syscall.EINTR):
			s.collect()
		default:
			return statusNotFound
		}
	}
}

// reportSignal says that a child was killed, as shells do.
func (s *shell) reportSignal(child *container.Process, st container.ExitStatus) {
	text := st.Signal.Description()
	if text == "" {
		return
	}
	if s.kind == bash {
		text = fmt.Sprintf("%s: line %d: %5d %s", s.name, s.line, child.PID(), text)
	}
	s.print(2, text+"\n")
}

func (s *shell) binaryCommand(cmd *syntax.BinaryCmd, tail bool) {
	switch cmd.Op {
	case syntax.Pipe, syntax.PipeAll:
		s.pipeline(cmd)
		return
	}
	s.tolerant++
	s.statement(cmd.X, false)
	s.tolerant--
	if s.flow != goOn {
		return
	}
	if (s.status == 0) == (cmd.Op == syntax.AndStmt) {
		s.statement(cmd.Y, tail)
	}
}

// test runs a condition: its failure is no failure of the script.
func (s *shell) test(list []*syntax.Stmt) bool {
	s.tolerant++
	s.statements(list, false)
	s.tolerant--
	return s.status == 0
}

func (s *shell) ifClause(cmd *syntax.IfClause, tail bool) {
	for cmd != nil {
		if len(cmd.Cond) == 0 { // else
			s.statements(cmd.Then, tail)
			return
		}
		ok := s.test(cmd.Cond)
		if s.flow != goOn {
			return
		}
		if ok {
			s.status = 0
			s.statements(cmd.Then, tail)
			return
		}
		cmd = cmd.Else
	}
	s.status = 0
}

func (s *shell) caseClause(cmd *syntax.CaseClause, tail bool) {
	word, err := s.single(cmd.Word)
	if s.problem(err) {
		return
	}
	s.status = 0
	matched := false
	for _, item := range cmd.Items {
		if !matched {
			for _, p := range item.Patterns {
				pat, err := s.pattern(p)
				if s.problem(err) {
					return
				}
				if s.matches(pat, word) {
					matched = true
					break
				}
			}
		}
		if !matched {
			continue
		}
		s.statements(item.Stmts, tail && item.Op == syntax.Break)
		if s.flow != goOn {
			return
		}
		switch item.Op {
		case syntax.Fallthrough:
		case syntax.Resume, syntax.ResumeKorn:
			matched = false
		default:
			return
		}
	}
}

// matches is match under the shell's options.
func (s *shell) matches(pat, text string) bool {
	if s.options.nocasematch {
		pat, text = strings.ToLower(pat), strings.ToLower(text)
	}
	return match(pat, text)
}
