package shell

import (
	"bytes"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// substitute runs a command substitution and returns its output without the newlines at the end.
func (s *shell) substitute(cs *syntax.CmdSubst) (string, error) {
	s.substituted = true
	sc := cs.Script
	if sc == nil {
		text := syntax.PrintSubst(cs)
		s.p.Allocate(int64(len(text)))
		defer s.p.Allocate(-int64(len(text)))
		sc = s.parseSubstitution(text, cs.Backquote)
		defer s.release(sc)
	}
	if s.stuck && sc.Err != nil && !cs.Backquote {
		return "", &usageError{"command substitution: " + sc.Err.Message(bash)}
	}
	if cs.Raw && !cs.Backquote && sc.Err != nil && sc.Err.End && !sc.Err.Condition {
		return "", &usageError{"bad substitution: no closing `)' in $(" + cs.Text + ")"}
	}
	if len(sc.Lines) == 0 && sc.Err == nil {
		s.substatus = 0
		return "", nil
	}
	if name, ok := onlyRedirect(sc); ok { // $(< file)
		return s.readSubstitution(name)
	}
	s.deeper("substitutions")
	defer s.shallower()
	r, w, err := s.p.Pipe()
	if err != nil {
		return "", err
	}
	s.takePlace()
	var jobs []*job
	if len(sc.Lines) == 1 && len(sc.Lines[0]) == 1 && sc.Rest == "" {
		jobs = s.frozen(sc.Lines[0][0])
	}
	child := s.fork(func(c *shell) int {
		p := c.p
		p.Close(r)
		if w != 1 {
			_ = p.Dup2(w, 1)
			if w != 2 || c.kind != bash { // which leaves it where the standard error was closed
				p.Close(w)
			}
		}
		c.traced++
		c.forgetTests()
		if c.kind == ash && onlyTrap(sc) {
			c.inherited = s.traps
		}
		if c.kind == ash || c.kind == bash && !c.options.inheritErr && !c.options.posix {
			c.options.errexit = false
		}
		if c.kind == bash {
			c.base = max(c.line, 1) - 1
		}
		c.inSubstitution, c.substitution = true, sc
		if n := len(sc.Lines); n > 0 && sc.Rest == "" {
			c.last = lastCall(sc.Lines[n-1], false)
		}
		c.jobs = jobs
		c.lines(sc, true)
		return c.leave()
	})
	s.p.Close(w)
	out := s.readAll(r)
	s.p.Close(r)
	if s.kind == bash {
		st, _ := s.waitChild(child)
		s.substatus = int32(st.Code)
		s.status = st.Code // which the rest of the command sees
	} else {
		s.substatus = int32(s.await(child, nil))
	}
	if i := bytes.IndexByte(out, 0); i >= 0 {
		if s.kind == bash {
			s.complain("warning: command substitution: ignored null byte in input")
		}
		out = bytes.ReplaceAll(out, []byte{0}, nil)
	}
	return strings.TrimRight(string(out), "\n"), nil
}

// parseSubstitution parses the commands of a substitution of bash. In POSIX mode aliases have been replaced when the
// commands around were read, except between backquotes: those that it defines itself do not count. What had been taken for
// arithmetic has none replaced.
func (s *shell) parseSubstitution(text string, backquoted bool) *syntax.Script {
	defer func(lost bool) { s.lost = lost }(s.lost)
	s.lost = false
	if !s.options.posix || backquoted {
		return s.parse(text)
	}
	sc := *s.parsePlain(text)
	sc.Literal = true
	return &sc
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

// onlyTrap recognises $(trap), which shows the traps of the shell around it.
func onlyTrap(sc *syntax.Script) bool {
	if sc.Err != nil || sc.Rest != "" || len(sc.Lines) != 1 || len(sc.Lines[0]) != 1 {
		return false
	}
	st := sc.Lines[0][0]
	for {
		block, ok := st.Cmd.(*syntax.Block)
		if !ok || len(block.List) != 1 || len(st.Redirs) > 0 {
			break
		}
		st = block.List[0]
	}
	call, ok := st.Cmd.(*syntax.Call)
	if !ok || len(call.Args) != 1 {
		return false
	}
	name, ok := call.Args[0].Literal()
	return ok && name == "trap"
}

// onlyRedirect recognises $(< file).
func onlyRedirect(sc *syntax.Script) (*syntax.Word, bool) {
	if sc.Err != nil || sc.Rest != "" || len(sc.Lines) != 1 || len(sc.Lines[0]) != 1 {
		return nil, false
	}
	st := sc.Lines[0][0]
	if st.Cmd != nil || len(st.Redirs) != 1 || st.Redirs[0].Op != "<" || st.Redirs[0].N != "" || st.Background || st.Negated {
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
	if s.kind == bash {
		s.status = 0
	}
	fd, err := s.p.OpenFile(name, files.Read, 0)
	if err != nil {
		s.cannotOpen(name, err)
		switch s.substatus = 1; s.kind {
		case dash:
			s.substatus = statusUsage
		case bash:
			s.status = 1
		}
		return "", nil
	}
	data := s.readAll(fd)
	s.p.Close(fd)
	return strings.TrimRight(string(bytes.ReplaceAll(data, []byte{0}, nil)), "\n"), nil
}
