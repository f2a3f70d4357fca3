package shell

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// Exit codes of shells.
const (
	statusUsage      = 2
	statusNoExec     = 126
	statusNotFound   = 127
	statusSignalBase = 128
)

// How deep a shell goes: functions, scripts that it reads, expressions.
const (
	maxDepth       = 4000
	levelSize      = 4 << 10 // what a level takes on the stack, about
	maxCallsOfDash = 1000    // dash's own limit
)

// deeper accounts for one more level of nesting before it is entered, shallower for leaving it.
func (s *shell) deeper(what string) {
	if s.depth++; s.depth > maxDepth {
		s.p.Exceed(fmt.Sprintf("its shell nested %s more than %d deep", what, maxDepth))
	}
	s.p.Allocate(levelSize)
}

func (s *shell) shallower() {
	s.depth--
	s.p.Allocate(-levelSize)
}

// statements runs a list. With tail, the shell has nothing to do after it: the last command may replace it.
func (s *shell) statements(list []*syntax.Stmt, tail bool) {
	several := len(list) > 1
	if several {
		s.lists++
		defer func() { s.lists-- }()
	}
	for i, st := range list {
		s.statement(st, tail && i == len(list)-1)
		if s.flow != goOn {
			return
		}
	}
}

// body runs the commands inside of a compound command.
func (s *shell) body(list []*syntax.Stmt, tail bool) {
	s.statements(list, tail)
	s.endSubstitutions()
}

// statement runs one command with its redirections.
func (s *shell) statement(st *syntax.Stmt, tail bool) {
	s.runTraps()
	if s.flow != goOn || s.options.noexec {
		return
	}
	if st.Background {
		s.background(st)
		return
	}
	if st.Negated {
		before := s.tolerant
		if s.kind != bash || s.options.errexit { // to bash without the option, what fails inside is a failure
			s.tolerant++
		}
		s.refused = false
		s.redirected(st, false)
		if s.tolerant = before; s.refused { // which bash does not reverse
			return
		}
		if s.flow == goOn || s.flow <= continuing && s.kind != dash || s.kind == ash && (s.flow == returning || s.left) {
			s.status = int(truth(s.status == 0))
		}
		switch st.Cmd.(type) {
		case *syntax.Arith, *syntax.Cond:
			s.pipestatus = []int{s.status}
		}
		s.runTraps()
		return
	}
	watched := s.watched()
	s.redirected(st, tail)
	failed := s.status != 0 // whatever the traps that run now leave behind
	s.runTraps()
	goesOn := s.flow == goOn || s.kind != bash && (s.flow == returning || s.flow == exiting && s.left) // ash and dash look at the status of return itself
	if failed && goesOn && s.tolerant == 0 && fallible(st) {
		s.failed(watched)
	}
	if s.fatal && s.flow == goOn && s.tolerant <= int(s.tolerantText) && fallible(st) {
		s.endInPlace()
	}
	if flow := s.flow; s.kind == bash && (flow == breaking || flow == continuing) && s.options.errexit && s.status != 0 && s.tolerant == 0 && fallible(st) {
		s.flow = goOn // a count that is out of range is a failure, and breaks
		if s.failed(watched); s.flow == goOn {
			s.flow = flow
		}
	}
}

// fallible reports whether set -e looks at the status of such a command: lists and compound commands have been judged
// inside.
func fallible(st *syntax.Stmt) bool {
	switch st.Cmd.(type) {
	case *syntax.AndOr, *syntax.If, *syntax.While, *syntax.For, *syntax.ArithFor, *syntax.Case, *syntax.Block, *syntax.Func, *syntax.Time:
		return false
	}
	return true
}

// watched reports whether there is a trap for what fails. To bash it has to be there before the command.
func (s *shell) watched() bool { return s.kind != bash || s.traps["ERR"] != "" }

// failed acts on a command that failed: the ERR trap, and set -e.
func (s *shell) failed(watched bool) {
	if action := s.pseudoTrap("ERR"); action != "" && watched {
		flow := s.flow // ash and dash look at return itself
		s.flow = goOn
		status := s.status
		s.trapAction("ERR", action, true)
		if s.flow != goOn {
			if s.kind == ash && (s.flow == returning || s.left) { // whose return has no status here
				s.status = status
			}
			return
		}
		s.flow = flow
	}
	if s.options.errexit {
		s.endInPlace()
	}
}

// endInPlace ends the shell because of a failure.
func (s *shell) endInPlace() {
	s.flow, s.ending, s.mistaken = exiting, inPlace, true
	if s.kind == bash && s.evaluated && s.calls == 0 {
		s.status = 1
	}
	if s.kind == bash && s.calls > 0 && !s.subshell {
		s.ending = localless
		if s.evals > 0 {
			s.ending = popped
			s.print(2, s.prefixOf("")+"pop_var_context: head of shell_variables not a function context\n")
		}
	}
}

// redirected runs a command with its redirections.
func (s *shell) redirected(st *syntax.Stmt, tail bool) {
	mark, held := len(s.opened), s.fieldsHeld
	s.perform(st, tail)
	s.releaseFields(held)
	if s.calls > 0 || s.lists > 0 { // elsewhere what is around the command does it
		s.closeSubstitutions(mark)
	}
}

func (s *shell) perform(st *syntax.Stmt, tail bool) {
	if call, ok := st.Cmd.(*syntax.Call); ok {
		s.call(call, st.Redirs, tail)
		return
	}
	if len(st.Redirs) == 0 {
		s.compound(st.Cmd, tail)
		s.refused = false
		return
	}
	s.line = s.redirectionLine(st)
	if st.Cmd == nil && s.kind == bash {
		s.announce(st)
		s.substituted = false
		if needsChild(st.Redirs) {
			s.redirectInChild(st.Redirs, false)
			return
		}
	}
	_, group := st.Cmd.(*syntax.Subshell)
	how := restorable
	if group {
		how = ofChild
	}
	undo, ok := s.redirect(st.Redirs, how)
	defer func() {
		switch {
		case s.flow >= discarding && s.endsWithRedirects():
		case s.timing != nil && (s.flow >= discarding || group && s.calls == 0 && s.status != 0 && s.options.errexit && s.tolerant == 0):
			*s.timing = append(undo, *s.timing...)
		default:
			s.undo(undo)
		}
	}()
	if s.refused = !ok && s.kind == bash && st.Cmd != nil; !ok {
		if group || s.kind == bash && st.Cmd == nil {
			s.pipestatus = []int{s.status}
		}
		if group && s.kind == ash { // whose child it was that failed
			s.status = statusUsage
		}
		if s.status != 0 && s.flow == goOn && s.tolerant == 0 && !st.Negated && !fallible(st) && s.kind != ash {
			s.failed(true)
		}
		return
	}
	if st.Cmd == nil {
		s.status = 0
		if s.kind == bash && s.substituted {
			s.status = int(s.substatus)
		}
		if s.options.xtrace && s.kind != bash { // which show an empty command
			s.traceFD = max(0, savedError(undo)) // if it was closed, that of the command
			s.traceLine("")
			s.traceFD = 0
		}
		return
	}
	if group, ok := st.Cmd.(*syntax.Subshell); ok && tail && s.takesOver() {
		s.keep(undo)
		undo = nil
		s.overtake(group)
		return
	}
	fed := s.fed
	s.fed = fed || s.kind == bash && feeds(st.Redirs)
	if group, ok := st.Cmd.(*syntax.Subshell); ok {
		s.redirectedSubshell(group, st, undo)
	} else {
		s.compound(st.Cmd, false)
	}
	s.fed, s.refused = fed, false
}

// redirectedSubshell runs a subshell whose redirections are its own: what killed it is told where standard error was before.
func (s *shell) redirectedSubshell(group *syntax.Subshell, st *syntax.Stmt, undo []savedDescriptor) {
	if !s.inTrap {
		s.running, s.heading = st, ""
	}
	s.deathFD = savedError(undo)
	s.subshellOf(group, st, false)
	s.deathFD = 0
}

// endsWithRedirects reports whether the shell is a subshell of bash in parentheses: where it ends inside of redirections, its
// EXIT trap has them too, unless eval or . has begun them.
func (s *shell) endsWithRedirects() bool {
	return s.kind == bash && s.subshell && !s.inSubstitution && !s.inTrap && !s.inEval
}

// redirectionLine is the number of the line that messages about the redirections of a command have. Bash knows the lines of
// few compound commands. For the others it takes the line up to which it has read, or that of the function, loop or case
// around, where that is known.
func (s *shell) redirectionLine(st *syntax.Stmt) int {
	if s.kind != bash {
		return st.Line + s.base
	}
	switch cmd := st.Cmd.(type) {
	case nil:
		return st.Line + s.base
	case *syntax.Subshell:
		return cmd.Line + s.base
	case *syntax.Arith:
		return cmd.Line + s.base
	case *syntax.Cond:
		return cmd.Line + s.base
	case *syntax.ArithFor:
		return cmd.Line + s.base
	}
	return int(s.around)
}

// functionLine is the line of a function that bash knows: none for most compound commands.
func (s *shell) functionLine(body *syntax.Stmt) int {
	switch cmd := body.Cmd.(type) {
	case *syntax.If, *syntax.While, *syntax.For, *syntax.Case, *syntax.ArithFor, *syntax.Arith, *syntax.Cond:
		return 0
	case *syntax.Subshell:
		return cmd.Line + s.base
	}
	return body.Line + s.base
}

// feeds reports whether redirections concern the standard input.
func feeds(redirs []*syntax.Redirect) bool {
	return slices.ContainsFunc(redirs, func(r *syntax.Redirect) bool { return r.Op[0] == '<' && (r.N == "" || r.N == "0") })
}

// ignoreKeyboard makes a job ignore the keyboard's signals, as it does without job control.
func ignoreKeyboard(p *container.Process) {
	p.Ignore(container.SIGINT)
	p.Ignore(container.SIGQUIT)
}

// background starts a job, which reads nothing.
func (s *shell) background(st *syntax.Stmt) {
	plain := *st
	plain.Background = false
	run := plain
	s.announceChild(&plain)
	child := s.fork(func(c *shell) int {
		p := c.p
		ignoreKeyboard(p)
		if c.kind != bash {
			c.deaf |= 1<<container.SIGINT | 1<<container.SIGQUIT
		}
		if !c.fed {
			if fd, err := p.OpenFile("/dev/null", files.Read, 0); err == nil && fd != 0 {
				_ = p.Dup2(fd, 0)
				p.Close(fd)
			}
		}
		if c.kind != bash { // where the child fails as the command around it does
			c.tolerant = 0
		} else if run.Negated {
			if c.options.errexit {
				c.tolerant++
			}
			run.Negated = false // that status is never asked for
		}
		c.enter(plain.Cmd)
		if _, group := plain.Cmd.(*syntax.Subshell); group {
			c.fed = false
		}
		_, stages := plain.Cmd.(*syntax.Pipeline)
		c.isJob = (c.isStage || stages) && (!s.subshell || s.isJob)
		if c.kind == bash && !c.isStage && !stages { // it lists that among its traps
			c.ignoreTrap("INT")
		}
		c.last = lastCall([]*syntax.Stmt{&run}, true)
		c.only(&run)
		return c.leave()
	})
	ignoreKeyboard(child) // which a signal may reach before it runs
	if isControl(plain.Cmd) {
		s.forgetSubstitutions()
	}
	s.startJob(child, &plain)
	s.status = 0
}

// isControl reports whether a command is one for which bash makes a child that does the rest of the work.
func isControl(cmd syntax.Command) bool {
	switch cmd.(type) {
	case *syntax.Call, *syntax.Pipeline, nil:
		return false
	}
	return true
}

// startJob notes a background job.
func (s *shell) startJob(child *container.Process, stmt *syntax.Stmt) {
	s.lastJob = int32(child.PID())
	s.jobs = append(s.jobs, &job{proc: child, pid: child.PID(), stmt: stmt, number: s.jobNumber()})
}

// compound runs anything but a simple command.
func (s *shell) compound(cmd syntax.Command, tail bool) {
	switch cmd := cmd.(type) {
	case *syntax.Block:
		s.statements(cmd.List, tail)
	case *syntax.Subshell:
		if !s.inTrap {
			s.running, s.heading = &syntax.Stmt{Cmd: cmd}, ""
		}
		s.subshellOf(cmd, &syntax.Stmt{Cmd: cmd}, tail)
	case *syntax.Pipeline:
		s.pipeline(cmd)
	case *syntax.AndOr:
		s.andOr(cmd, tail)
	case *syntax.If:
		s.ifClause(cmd, tail)
	case *syntax.While:
		s.while(cmd)
	case *syntax.For:
		s.forClause(cmd)
	case *syntax.ArithFor:
		s.arithmeticFor(cmd)
	case *syntax.Case:
		s.caseClause(cmd, tail)
	case *syntax.Func:
		s.defineFunction(cmd)
	case *syntax.Arith:
		s.line = cmd.Line + s.base
		if s.announce(&syntax.Stmt{Cmd: cmd}); s.flow != goOn {
			return
		}
		tolerant := s.strict()
		text, err := s.arithmeticString(cmd.X)
		s.tolerant = tolerant
		if s.problem(err) {
			return
		}
		if s.options.xtrace {
			s.traceLine("(( " + text + " ))")
		}
		n, err := s.evaluate(text)
		s.status = int(1 - truth(n != 0))
		if err != nil {
			s.failing("((", err)
		}
		s.pipestatus = []int{s.status}
	case *syntax.Cond:
		s.line = cmd.Line + s.base
		if s.announce(&syntax.Stmt{Cmd: cmd}); s.flow != goOn {
			return
		}
		ok, err := s.condition(cmd.X)
		s.status = int(1 - truth(ok))
		if err != nil {
			s.failing("[[", err)
			var usage *conditionError
			if errors.As(err, &usage) {
				s.status = statusUsage
			}
		}
		s.pipestatus = []int{s.status}
	case *syntax.Time:
		s.timed(cmd)
	case *syntax.Coproc:
		s.coprocess(cmd)
	}
}

func (s *shell) defineFunction(cmd *syntax.Func) {
	source := s.source
	if s.kind == bash && source == "" {
		source = "environment"
	}
	switch {
	case s.kind != bash || !s.options.posix:
	case s.isSpecialName(cmd.Name):
		s.misname(cmd.Name, "is a special builtin")
		return
	case !syntax.IsName(cmd.Name):
		s.misname(cmd.Name, "not a valid identifier")
		return
	}
	s.status = 0
	fn := &function{Func: cmd, base: s.base, source: source, exported: s.options.allexport && s.kind == bash}
	if old := s.functions[cmd.Name]; old != nil {
		if old.readonly {
			s.complain(cmd.Name + ": readonly function")
			s.status = 1
			return
		}
		fn.exported = fn.exported || old.exported
	}
	if fn.exported {
		s.env = nil
	}
	s.define(cmd.Name, fn)
}

func (s *shell) timed(cmd *syntax.Time) {
	start := s.p.Now()
	if s.kind == bash {
		around, undone := s.timing, []savedDescriptor{}
		s.timing = &undone
		defer func() {
			s.timing = around
			s.undo(undone)
		}()
	}
	s.statement(cmd.Stmt, false)
	if s.flow == returning && s.kind == bash {
		return
	}
	took := s.p.Now().Sub(start)
	minutes := int(took.Minutes())
	seconds := took.Seconds() - 60*float64(minutes)
	if cmd.Posix {
		s.print(2, fmt.Sprintf("real %.2f\nuser 0.00\nsys 0.00\n", took.Seconds()))
		return
	}
	s.print(2, fmt.Sprintf("\nreal\t%dm%.3fs\nuser\t0m0.000s\nsys\t0m0.000s\n", minutes, seconds))
}

// takesOver reports whether a subshell behind which there is nothing to do runs in the shell itself, as that of ash and dash does
// unless there are traps.
func (s *shell) takesOver() bool { return s.kind != bash && !s.trapsSet() }

// overtake runs the commands of a subshell in the shell itself, which ends with them.
func (s *shell) overtake(cmd *syntax.Subshell) {
	s.line = cmd.Line + s.base
	s.statements(cmd.List, true)
	if s.flow == goOn {
		s.flow = exiting
	}
}

// subshellOf runs commands in a child, or in the shell itself if it has nothing to do after them.
func (s *shell) subshellOf(cmd *syntax.Subshell, st *syntax.Stmt, tail bool) {
	if tail && s.takesOver() {
		s.overtake(cmd)
		return
	}
	s.deeper("subshells")
	s.line = cmd.Line + s.base
	s.takePlace()
	child := s.fork(func(c *shell) int {
		c.around = int32(c.line)
		c.fed = feeds(st.Redirs)
		c.enter(cmd)
		c.group(cmd)
		return c.leave()
	})
	s.forgetSubstitutions()
	s.status = s.await(child, st)
	s.pipestatus = []int{s.status}
	s.shallower()
}

// only runs the one command that a child is there for. A subshell of bash needs no child of its own then.
func (s *shell) only(st *syntax.Stmt) {
	if call, ok := st.Cmd.(*syntax.Call); ok && s.kind == bash && !st.Negated { // whose traps are a matter of the parent
		s.own, s.solo, s.announced, s.stageDepth = call, true, true, s.depth
		if s.runTraps(); s.flow == goOn && !s.options.noexec {
			s.redirected(st, true)
			s.runTraps()
		}
		return
	}
	if st.Cmd == nil && s.kind == bash && !st.Negated && needsChild(st.Redirs) {
		s.line = st.Line + s.base
		s.redirectInChild(st.Redirs, true)
		return
	}
	cmd, ok := st.Cmd.(*syntax.Subshell)
	if !ok || s.kind != bash || st.Negated {
		s.statement(st, true)
		return
	}
	if _, ok := s.redirect(st.Redirs, final); !ok {
		return
	}
	s.fed = s.fed || feeds(st.Redirs)
	s.line = cmd.Line + s.base
	s.around = int32(s.line)
	s.group(cmd)
}

// group runs the commands of a subshell in its process. Where bash finds ! before the only command, it reverses the status
// of a mistake too.
func (s *shell) group(cmd *syntax.Subshell) {
	s.reverses, s.mistaken = s.kind == bash && len(cmd.List) == 1 && isReversed(cmd.List[0]), false
	if s.reverses && cmd.List[0].Negated && !cmd.List[0].Background {
		plain := *cmd.List[0]
		plain.Negated = false // the status of the child is reversed instead
		s.statements([]*syntax.Stmt{&plain}, true)
		s.mistaken = s.mistaken || s.flow == goOn
		s.reverse()
		s.reverses = false
		return
	}
	s.last = lastCall(cmd.List, true)
	if s.kind == bash && len(cmd.List) == 1 && !cmd.List[0].Background && !s.reverses { // it makes no further child
		s.own, _ = cmd.List[0].Cmd.(*syntax.Call)
		s.solo, s.announced = false, false
		if _, nested := cmd.List[0].Cmd.(*syntax.Subshell); nested {
			s.subshells++
			s.fed = false
			s.only(cmd.List[0])
			return
		}
	}
	s.statements(cmd.List, true)
	if s.flow >= discarding {
		s.reverse()
	}
	s.reverses = false
}

// isReversed reports whether a command has ! before it.
func isReversed(st *syntax.Stmt) bool {
	if timed, ok := st.Cmd.(*syntax.Time); ok {
		return isReversed(timed.Stmt)
	}
	return st.Negated
}

// reverse reverses the status that a mistake has left in a group or in the child that it has made for a program.
func (s *shell) reverse() {
	if s.reverses && s.mistaken {
		s.status = int(truth(s.status == 0))
	}
}

// await waits for a child in the foreground, which runs a command.
func (s *shell) await(child *container.Process, stmt *syntax.Stmt) int {
	st, ok := s.waitChild(child)
	switch {
	case !ok || st.Signal == 0:
	case s.kind == bash:
		s.reportForeground(child, st.Signal, stmt)
	default:
		s.reportSignal(st)
	}
	s.notify()
	return st.Code
}

// printDeath prints what is said of a child that was killed.
func (s *shell) printDeath(text string) {
	fd := int16(2)
	if s.deathFD != 0 {
		fd = s.deathFD
	}
	s.print(int(fd), text)
}

// reportSignal says that a child was killed, as ash and dash do.
func (s *shell) reportSignal(st container.ExitStatus) {
	if text := st.Signal.Description(); text != "" {
		s.printDeath(text + "\n")
	}
}

func (s *shell) andOr(cmd *syntax.AndOr, tail bool) {
	s.lists++
	defer func() { s.lists-- }()
	s.tolerant++
	s.statement(cmd.First, false)
	s.tolerant--
	for i, item := range cmd.Rest {
		if s.flow != goOn {
			return
		}
		if (s.status == 0) != item.And {
			continue
		}
		if i == len(cmd.Rest)-1 {
			s.statement(item.Stmt, tail)
			return
		}
		s.tolerant++
		s.statement(item.Stmt, false)
		s.tolerant--
	}
}

// test runs a condition: its failure is no failure of the script.
func (s *shell) test(list []*syntax.Stmt) bool {
	s.tolerant++
	s.body(list, false)
	s.tolerant--
	return s.status == 0
}

func (s *shell) ifClause(cmd *syntax.If, tail bool) {
	for cmd != nil {
		if len(cmd.Cond) == 0 { // else
			s.body(cmd.Then, tail)
			return
		}
		ok := s.test(cmd.Cond)
		if s.flow != goOn {
			return
		}
		if ok {
			s.status = 0
			s.body(cmd.Then, tail)
			return
		}
		cmd = cmd.Else
	}
	s.status = 0
}

func (s *shell) caseClause(cmd *syntax.Case, tail bool) {
	s.line = cmd.Line + s.base
	if s.kind == bash {
		s.announceHeading("case " + syntax.PrintWord(cmd.Word) + " in ")
	}
	tolerant := s.strict()
	word, err := s.caseWord(cmd.Word)
	s.tolerant = tolerant
	if s.problem(err) {
		return
	}
	if s.options.xtrace && s.kind == bash {
		s.traceLine("case " + syntax.PrintWord(cmd.Word) + " in")
	}
	status := 0
	matched := false
	for i, item := range cmd.Items {
		if !matched {
			for _, p := range item.Patterns {
				s.strict()
				pat, err := s.casePattern(p)
				s.tolerant = tolerant
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
		last := i == len(cmd.Items)-1
		if len(item.List) == 0 {
			s.status = 0
		}
		around := s.around
		s.around = int32(cmd.Line + s.base)
		s.body(item.List, tail && item.After == ";;")
		s.around = around
		if s.flow != goOn {
			return
		}
		status = s.status
		if item.After == ";;" || last {
			return
		}
		if item.After == ";;&" {
			matched = false
		}
	}
	s.status = status
}

// matches is match under the shell's options.
func (s *shell) matches(pat, text string) bool {
	return s.match(s.folded(pat, text))
}

// folded returns a pattern and a text as they are compared: with nocasematch in lower case.
func (s *shell) folded(pat, text string) (string, string) {
	if s.options.nocasematch {
		pat, text = strings.ToLower(pat), strings.ToLower(text)
	}
	return pat, text
}
