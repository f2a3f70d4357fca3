package shell

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// loop runs the body of a loop once and reports whether the loop goes on.
func (s *shell) loop(body []*syntax.Stmt) bool {
	s.loops++
	s.body(body, false)
	s.leaveLoop()
	return s.loopOn()
}

// strict makes the substitutions of what is expanded next mind set -e, and returns what tolerant has to be again behind that.
// Bash lets only the words of simple commands and of [[ ]] know that a status is tested.
func (s *shell) strict() (tolerant int) {
	tolerant = s.tolerant
	if s.kind == bash {
		s.tolerant = 0
	}
	return tolerant
}

// leaveLoop counts the loops around. Where a mistake makes bash give up the line, it goes on to think that it is in the loop.
func (s *shell) leaveLoop() {
	if s.flow != discarding {
		s.loops--
	}
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

func (s *shell) while(cmd *syntax.While) {
	status := 0
	for {
		s.p.Spend(container.CommandCost)
		s.loops++
		ok := s.test(cmd.Cond)
		s.leaveLoop()
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

func (s *shell) forClause(cmd *syntax.For) {
	s.line = cmd.Line + s.base
	items := s.args
	if cmd.In {
		var err error
		s.loops++
		tolerant := s.strict()
		items, err = s.fieldsOf(cmd.Items)
		s.tolerant = tolerant
		failed := s.problem(err)
		if s.leaveLoop(); failed {
			return
		}
	}
	if !syntax.IsName(cmd.Name) && cmd.Select {
		s.complain("`" + cmd.Name + "': not a valid identifier")
		s.status = 1
		return
	}
	if !syntax.IsName(cmd.Name) {
		s.misname(cmd.Name, "not a valid identifier")
		return
	}
	if cmd.Select {
		s.announceHeading(syntax.PrintHead(cmd))
		s.selectClause(cmd, items)
		return
	}
	if len(items) == 0 {
		s.status = 0
	}
	around := s.around
	defer func() { s.around = around }()
	s.around = int32(s.line)
	for _, item := range items {
		s.p.Spend(container.CommandCost)
		if err := s.iterate(cmd, item); err != nil {
			if s.options.posix {
				s.problem(err)
			} else {
				s.failing("", err)
			}
			return
		}
		if !s.loop(cmd.Do) {
			return
		}
	}
}

// iterate sets the variable of a loop.
func (s *shell) iterate(cmd *syntax.For, item string) error {
	s.line = cmd.Line + s.base
	if s.kind == bash && (s.options.xtrace || s.traps["DEBUG"] != "") {
		head := syntax.PrintHead(cmd)
		s.announceHeading(head)
		if s.options.xtrace {
			s.traceLine(head)
		}
	}
	v := s.vars[cmd.Name]
	if v.ref { // a name reference is turned to each item
		v.value, v.set = item, true
		s.store(cmd.Name, v)
		return nil
	}
	return s.assign(cmd.Name, item)
}

func (s *shell) arithmeticFor(cmd *syntax.ArithFor) {
	evaluate := func(w *syntax.Word) (n int64, ok bool) {
		s.line = cmd.Line + s.base
		if w == nil {
			return 1, true
		}
		if s.traps["DEBUG"] != "" {
			s.announceHeading("((" + strings.TrimLeft(syntax.PrintWord(w), " \t") + "))")
		}
		tolerant := s.strict()
		text, err := s.arithmeticString(w)
		s.tolerant = tolerant
		if s.problem(err) {
			return 0, false
		}
		if s.options.xtrace {
			s.traceLine("(( " + text + " ))")
		}
		if n, err = s.evaluate(text); err != nil {
			s.failing("((", err)
			return 0, false
		}
		return n, true
	}
	if _, ok := evaluate(cmd.Init); !ok {
		return
	}
	for status := 0; ; {
		s.p.Spend(container.CommandCost)
		n, ok := evaluate(cmd.Cond)
		if !ok {
			return
		}
		if n == 0 {
			s.status = status
			return
		}
		if !s.loop(cmd.Do) {
			return
		}
		status = s.status
		if _, ok := evaluate(cmd.Post); !ok {
			return
		}
		s.status = status
	}
}

// selectClause is bash's menu loop.
func (s *shell) selectClause(cmd *syntax.For, items []string) {
	if s.options.xtrace {
		s.traceLine(syntax.PrintHead(cmd))
	}
	if len(items) == 0 {
		s.status = 0
		return
	}
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
		if err := s.assign(cmd.Name, choice); s.problem(err) {
			return
		}
		if !s.loop(cmd.Do) {
			return
		}
	}
}
