package shell

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"mvdan.cc/sh/v3/syntax"
)

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
