package shell

import (
	"strconv"

	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// coprocess starts bash's coproc: a job with a pipe to it and one from it, whose descriptors are in an array.
func (s *shell) coprocess(cmd *syntax.Coproc) {
	pipe := func() (r, w int, err error) {
		if r, w, err = s.p.Pipe(); err != nil {
			return 0, 0, err
		}
		r = s.raise(r, true)
		return r, s.raise(w, true), nil
	}
	fromChild, out, err := pipe()
	in, toChild := 0, 0
	if err == nil {
		in, toChild, err = pipe()
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
	s.forgetSubstitutions()
	s.p.Close(in)
	s.p.Close(out)
	s.startJob(child, &syntax.Stmt{Line: cmd.Stmt.Line, Cmd: cmd})
	s.store(cmd.Name, variable{list: listOf([]string{strconv.Itoa(fromChild), strconv.Itoa(toChild)}), set: true})
	s.setValue(cmd.Name+"_PID", strconv.Itoa(child.PID()))
	s.status = 0
}
