package shell

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/utility"
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
	child := s.p.Fork(func(p *container.Process) int {
		c := s.fork(p)
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
		if s.functions == nil {
			s.functions = map[string]*syntax.Stmt{}
		}
		s.functions[cmd.Name.Value] = cmd.Body
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
	child := s.p.Fork(func(p *container.Process) int {
		c := s.fork(p)
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

// pipeline runs the stages of a pipeline as processes of their own.
func (s *shell) pipeline(cmd *syntax.BinaryCmd) {
	var stages []*syntax.Stmt
	var both []bool
	var flatten func(st *syntax.Stmt, all bool)
	flatten = func(st *syntax.Stmt, all bool) {
		if b, ok := st.Cmd.(*syntax.BinaryCmd); ok && (b.Op == syntax.Pipe || b.Op == syntax.PipeAll) && len(st.Redirs) == 0 && !st.Negated {
			flatten(b.X, b.Op == syntax.PipeAll)
			flatten(b.Y, all)
			return
		}
		stages = append(stages, st)
		both = append(both, all)
	}
	flatten(cmd.X, cmd.Op == syntax.PipeAll)
	flatten(cmd.Y, false)
	children := make([]*container.Process, 0, len(stages))
	input := -1
	for i, st := range stages {
		last := i == len(stages)-1
		r, w := -1, -1
		if !last {
			var err error
			if r, w, err = s.p.Pipe(); err != nil {
				s.complain(files.Message(err))
				s.status = 1
				break
			}
		}
		if last && s.options.lastpipe && s.kind == bash {
			undo := []savedDescriptor{s.save(0)}
			_ = s.p.Dup2(input, 0)
			s.p.Close(input)
			s.tolerant++
			s.statement(st, false)
			s.tolerant--
			s.undo(undo)
			input = -1
			children = append(children, nil)
			break
		}
		in := input
		child := s.p.Fork(func(p *container.Process) int {
			if in >= 0 {
				_ = p.Dup2(in, 0)
				p.Close(in)
			}
			if w >= 0 {
				p.Close(r)
				_ = p.Dup2(w, 1)
				if both[i] {
					_ = p.Dup2(1, 2)
				}
				if w > 2 {
					p.Close(w)
				}
			}
			c := s.fork(p)
			c.tolerant = 0
			if s.tolerant > 0 {
				c.tolerant = 1
			}
			c.statement(st, true)
			return c.leave()
		})
		children = append(children, child)
		if in >= 0 {
			s.p.Close(in)
		}
		if w >= 0 {
			s.p.Close(w)
		}
		input = r
	}
	if input >= 0 {
		s.p.Close(input)
	}
	s.finishPipeline(children)
}

func (s *shell) finishPipeline(children []*container.Process) {
	statuses := make([]int, len(children))
	failed := 0
	for i, child := range children {
		if child == nil {
			statuses[i] = s.status
		} else {
			statuses[i] = s.await(child)
		}
		if statuses[i] != 0 {
			failed = statuses[i]
		}
	}
	s.pipestatus = statuses
	if len(statuses) == 0 {
		return
	}
	s.status = statuses[len(statuses)-1]
	if s.options.pipefail {
		s.status = failed
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

// loop runs the body of a loop once and reports whether the loop goes on.
func (s *shell) loop(body []*syntax.Stmt) bool {
	s.loops++
	s.statements(body, false)
	s.loops--
	return s.loopOn()
}

// loopOn consumes break and continue.
func (s *shell) loopOn() bool {
	switch s.flow {
	case goOn:
		return true
	case breaking:
		if s.levels--; s.levels <= 0 {
			s.flow = goOn
		}
		return false
	case continuing:
		if s.levels--; s.levels <= 0 {
			s.flow = goOn
			return true
		}
		return false
	}
	return false
}

func (s *shell) while(cmd *syntax.WhileClause) {
	status := 0
	for {
		s.p.Spend(container.CommandCost)
		s.loops++
		ok := s.test(cmd.Cond)
		s.loops--
		if s.flow != goOn {
			if s.loopOn() {
				continue
			}
			break
		}
		if ok == cmd.Until {
			break
		}
		if !s.loop(cmd.Do) {
			status = s.status
			break
		}
		status = s.status
	}
	if s.flow != exiting && s.flow != returning {
		s.status = status
	}
}

func (s *shell) forClause(cmd *syntax.ForClause) {
	switch l := cmd.Loop.(type) {
	case *syntax.WordIter:
		items := s.args
		if l.InPos.IsValid() {
			var err error
			if items, err = s.fieldsOf(l.Items); s.problem(err) {
				return
			}
		}
		if cmd.Select {
			s.selectClause(l.Name.Value, items, cmd.Do)
			return
		}
		s.status = 0
		for _, item := range items {
			s.p.Spend(container.CommandCost)
			if err := s.assign(l.Name.Value, item); s.problem(err) {
				return
			}
			if !s.loop(cmd.Do) {
				return
			}
		}
	case *syntax.CStyleLoop:
		if l.Init != nil {
			if _, err := s.arithmetic(l.Init); s.problem(err) {
				return
			}
		}
		s.status = 0
		for {
			s.p.Spend(container.CommandCost)
			if l.Cond != nil {
				n, err := s.arithmetic(l.Cond)
				if s.problem(err) {
					return
				}
				if n == 0 {
					return
				}
			}
			if !s.loop(cmd.Do) {
				return
			}
			if l.Post != nil {
				if _, err := s.arithmetic(l.Post); s.problem(err) {
					return
				}
			}
		}
	}
}

// selectClause is bash's menu loop.
func (s *shell) selectClause(name string, items []string, body []*syntax.Stmt) {
	for {
		for i, item := range items {
			s.print(2, fmt.Sprintf("%d) %s\n", i+1, item))
		}
		s.print(2, "#? ")
		line, ok := s.readLine(0, '\n')
		if !ok && line == "" {
			s.print(1, "\n")
			s.status = 1
			return
		}
		s.setValue("REPLY", line)
		choice := ""
		if n, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && n >= 1 && n <= len(items) {
			choice = items[n-1]
		}
		if err := s.assign(name, choice); s.problem(err) {
			return
		}
		if !s.loop(body) {
			return
		}
	}
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
			c.vars[a.Name.Value] = v
		}
		return c.exec(fields)
	}
	if tail && !s.trapsSet() && s.depth+s.calls < maxDepth {
		s.status = run(s)
		s.flow = exiting
		return
	}
	child := s.p.Fork(func(p *container.Process) int {
		c := *s
		c.p = p
		if len(cmd.Assigns) > 0 {
			c = *s.fork(p)
		}
		c.traps, c.caught = nil, nil
		return run(&c)
	})
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
