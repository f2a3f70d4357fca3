package shell

import (
	"strconv"

	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// coprocess starts bash's coproc: a job with a pipe to it and one from it, whose descriptors are in an array.
func (s *shell) coprocess(cmd *syntax.Coproc) {
	pipe := func() (r, w int, err error) {
		lowR, lowW, err := s.p.Pipe()
		if err != nil {
			return 0, 0, err
		}
		defer s.p.Close(lowR)
		defer s.p.Close(lowW)
		if r, err = s.p.Dup(lowR, 60, true); err == nil {
			w, err = s.p.Dup(lowW, 60, true)
		}
		return r, w, err
	}
	in, toChild, err := pipe()
	fromChild, out := 0, 0
	if err == nil {
		fromChild, out, err = pipe()
	}
	if err != nil {
		s.complain(files.Message(err))
		s.status = 1
		return
	}
	child := s.fork(func(c *shell) int {
		_ = c.p.Dup2(in, 0)
		_ = c.p.Dup2(out, 1)
		for _, fd := range []int{in, out, toChild, fromChild} {
			c.p.Close(fd)
		}
		c.tolerant = 0
		c.enter(cmd)
		c.statement(cmd.Stmt, true)
		return c.leave()
	})
	s.p.Close(in)
	s.p.Close(out)
	s.startJob(child, &syntax.Stmt{Line: cmd.Stmt.Line, Cmd: cmd})
	s.store(cmd.Name, variable{list: listOf([]string{strconv.Itoa(fromChild), strconv.Itoa(toChild)}), set: true})
	s.setValue(cmd.Name+"_PID", strconv.Itoa(child.PID()))
	s.status = 0
}
