package shell

import (
	"slices"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// pipeline runs the stages of a pipeline as processes of their own.
func (s *shell) pipeline(cmd *syntax.Pipeline) {
	stages, both := cmd.Stages, cmd.Both
	children := make([]*container.Process, 0, len(stages))
	input := -1
	s.takePlace()
	for _, st := range stages {
		if call, ok := st.Cmd.(*syntax.Call); ok && len(call.Args) > 0 && s.kind != bash {
			if name, ok := call.Args[0].Literal(); ok && syntax.IsName(name) {
				s.remembers(name)
			}
		}
	}
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
			tolerant := s.tolerant
			if fallible(st) { // for the failure of which the pipeline stands
				s.tolerant++
			}
			s.statement(st, false)
			s.tolerant = tolerant
			s.undo(undo)
			input = -1
			children = append(children, nil)
			break
		}
		in := input
		s.announceChild(st)
		jobs := s.frozen(st)
		child := s.fork(func(c *shell) int {
			p := c.p
			if w >= 0 {
				p.Close(r)
			}
			if in > 0 {
				_ = p.Dup2(in, 0)
				p.Close(in)
			}
			if w >= 0 {
				if w != 1 {
					_ = p.Dup2(w, 1)
					p.Close(w)
				}
				if both[i] && c.kind != bash {
					_ = p.Dup2(1, 2)
				}
			}
			if both[i] && c.kind == bash {
				st = withErrors(st)
			}
			c.jobs = jobs
			if _, group := st.Cmd.(*syntax.Subshell); group {
				c.fed = false
			}
			c.fed = c.fed || in >= 0 && c.kind == bash
			c.tolerant = min(c.tolerant, 1)
			c.enter(st.Cmd)
			c.isJob = c.isStage && (!s.subshell || s.isJob)
			c.only(st)
			return c.leave()
		})
		children = append(children, child)
		if isControl(st.Cmd) {
			s.forgetSubstitutions()
		}
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
	s.finishPipeline(children, cmd)
}

func (s *shell) finishPipeline(children []*container.Process, cmd *syntax.Pipeline) {
	var statuses []int
	if s.kind == bash {
		statuses = s.awaitStages(children, &syntax.Stmt{Cmd: cmd})
	} else {
		for _, child := range children {
			statuses = append(statuses, s.await(child, nil))
		}
	}
	failed := 0
	for _, status := range statuses {
		if status != 0 {
			failed = status
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
	if s.kind == bash {
		s.lastStage(cmd.Stages[len(cmd.Stages)-1])
	}
}

// lastStage has bash's line after a pipeline, and the failure of a subshell at its end, which counts by itself.
func (s *shell) lastStage(st *syntax.Stmt) {
	switch cmd := st.Cmd.(type) {
	case *syntax.Call:
		s.line = cmd.Line + s.base
	case *syntax.Subshell:
		s.line = cmd.Line + s.base
		if status := s.pipestatus[len(s.pipestatus)-1]; status != 0 && s.tolerant == 0 && !st.Negated {
			all := s.status
			s.status = status
			s.failed(true)
			s.status = all
		}
	}
}

// withErrors returns a stage whose standard error goes into the pipe too, which is the last of its redirections.
func withErrors(st *syntax.Stmt) *syntax.Stmt {
	out := *st
	out.Redirs = append(slices.Clone(st.Redirs), &syntax.Redirect{N: "2", Op: ">&", Word: &syntax.Word{Parts: []syntax.Part{&syntax.Lit{Value: "1"}}}, Line: st.Line})
	return &out
}
