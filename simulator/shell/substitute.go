package shell

import (
	"bytes"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// substitute runs a command substitution and returns its output without the newlines at the end.
func (s *shell) substitute(cs *syntax.CmdSubst) (string, error) {
	s.substituted = true
	if len(cs.Stmts) == 0 {
		s.substatus = 0
		return "", nil
	}
	if s.depth >= maxDepth {
		return "", &usageError{"too many nested substitutions"}
	}
	if s.kind == bash || s.kind == ash {
		if name, ok := onlyRedirect(cs); ok { // $(< file)
			return s.readSubstitution(name)
		}
	}
	r, w, err := s.p.Pipe()
	if err != nil {
		return "", err
	}
	child := s.fork(func(c *shell) int {
		p := c.p
		p.Close(r)
		if w != 1 {
			_ = p.Dup2(w, 1)
			p.Close(w)
		}
		c.depth++
		if c.kind == bash && !c.options.inheritErr {
			c.options.errexit = false
		}
		c.statements(cs.Stmts, true)
		return c.leave()
	})
	s.p.Close(w)
	out := s.readAll(r)
	s.p.Close(r)
	s.substatus = s.await(child)
	if i := bytes.IndexByte(out, 0); i >= 0 {
		out = bytes.ReplaceAll(out, []byte{0}, nil)
	}
	return strings.TrimRight(string(out), "\n"), nil
}

// readAll reads a descriptor to its end, through signals.
func (s *shell) readAll(fd int) []byte {
	out := make([]byte, 0, 256)
	held := int64(0)
	defer func() { s.p.Allocate(-held) }()
	for {
		if len(out) == cap(out) {
			s.p.Allocate(int64(cap(out)))
			held += int64(cap(out))
			out = append(out, 0)[:len(out)]
		}
		n, err := s.p.Read(fd, out[len(out):cap(out)])
		out = out[:len(out)+n]
		if err != nil {
			if s.collect() {
				continue
			}
			return out
		}
	}
}

// onlyRedirect recognises $(< file).
func onlyRedirect(cs *syntax.CmdSubst) (*syntax.Word, bool) {
	if len(cs.Stmts) != 1 {
		return nil, false
	}
	st := cs.Stmts[0]
	if st.Cmd != nil || len(st.Redirs) != 1 || st.Redirs[0].Op != syntax.RdrIn || st.Background || st.Negated {
		return nil, false
	}
	return st.Redirs[0].Word, true
}

func (s *shell) readSubstitution(w *syntax.Word) (string, error) {
	name, err := s.single(w)
	if err != nil {
		return "", err
	}
	s.substatus = 0
	data, err := s.p.ReadFile(name)
	if err != nil {
		s.cannotOpen(name, err)
		s.substatus = 1
	}
	return strings.TrimRight(string(data), "\n"), nil
}
