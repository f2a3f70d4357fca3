package shell

import (
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// needsChild reports whether bash makes a child to perform the redirections of a command without a name. It does so where
// they concern the standard input, which it may read the script from, or set a variable.
func needsChild(redirs []*syntax.Redirect) bool {
	for _, r := range redirs {
		if strings.HasPrefix(r.N, "{") {
			return true
		}
		input := r.N == "0" || r.N == "" && r.Op[0] == '<'
		switch r.Op {
		case "<", "<>":
		case "<&", ">&":
			input = input && !namesDescriptor(r.Word)
		default:
			input = false
		}
		if input {
			return true
		}
	}
	return false
}

// namesDescriptor reports whether a word behind <& is the number of a descriptor as it stands, also one to be moved.
func namesDescriptor(w *syntax.Word) bool {
	text, ok := w.Literal()
	digits := strings.TrimSuffix(text, "-")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// redirectInChild performs the redirections of a command without a name in a child. Where the shell is itself a child that is
// there for this command alone, it does not ask how they went.
func (s *shell) redirectInChild(redirs []*syntax.Redirect, alone bool) {
	child := s.fork(func(c *shell) int {
		c.isJob = !s.subshell || s.isJob
		if _, ok := c.redirect(redirs, final); !ok {
			return c.status & 0xff
		}
		return 0
	})
	s.status = s.await(child, s.running)
	if alone {
		s.status = 0
	}
}
