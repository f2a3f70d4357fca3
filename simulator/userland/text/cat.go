package text

import (
	"fmt"
	"io"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Cat is the utility cat.
func Cat(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	letters := "nbvteAu"
	if t.GNU {
		letters = "nbvteAusET"
	}
	opts, names, ok := t.Options(args, letters, false, nil)
	if !ok {
		return t.End()
	}
	c := catter{
		t: t, visible: kit.Has(opts, 'v') || kit.Has(opts, 'e') || kit.Has(opts, 't') || kit.Has(opts, 'A'), ends: kit.Has(opts, 'E') || kit.Has(opts, 'e') || kit.Has(opts, 'A'),
		tabs: kit.Has(opts, 'T') || kit.Has(opts, 't') || kit.Has(opts, 'A'), number: kit.Has(opts, 'n') || kit.Has(opts, 'b'), filled: kit.Has(opts, 'b'), squeeze: kit.Has(opts, 's'),
	}
	t.Inputs(names, func(name string, r io.Reader) bool {
		if !c.visible && !c.ends && !c.tabs && !c.number && !c.squeeze {
			if err := copyInput(t, r); err != nil {
				t.Complain("write error: %s", kit.Message(err))
				return !t.GNU
			}
			return true
		}
		if !t.GNU {
			r = kit.Unchecked(r)
		}
		if err := t.Lines(r, c.line); err != nil && (c.visible || c.ends || c.tabs) {
			t.Status = 1
		}
		return true
	})
	return t.End()
}

// catter is a cat that changes lines.
type catter struct {
	t                                            *kit.Tool
	visible, ends, tabs, number, filled, squeeze bool
	n                                            int
	blank                                        bool // the line before was empty
}

func (c *catter) line(line string, ended bool) bool {
	out := c.t.Out
	if c.squeeze && line == "" && c.blank {
		return true
	}
	c.blank = line == ""
	if c.number && (line != "" || !c.filled) {
		c.n++
		if c.visible && !c.t.GNU {
			fmt.Fprintf(out, "%6d  ", c.n)
		} else {
			fmt.Fprintf(out, "%6d\t", c.n)
		}
	}
	for _, b := range []byte(line) {
		switch {
		case b == '\t' && c.tabs:
			out.WriteString("^I")
		case b == '\t' || !c.visible:
			out.WriteByte(b)
		default:
			out.WriteString(shown(b))
		}
	}
	if c.ends && ended {
		out.WriteByte('$')
	}
	if ended || c.number && !c.visible && !c.t.GNU {
		out.WriteByte('\n')
	}
	return true
}

// shown is a byte as cat -v shows it.
func shown(c byte) string {
	prefix := ""
	if c >= 128 {
		prefix, c = "M-", c-128
	}
	switch {
	case c < ' ':
		return prefix + "^" + string(c+'@')
	case c == 127:
		return prefix + "^?"
	}
	return prefix + string(c)
}

// copyInput copies input to output as it comes: nothing waits in a buffer. The error is one of writing.
func copyInput(t *kit.Tool, r io.Reader) error {
	buf := make([]byte, 1024)
	if t.Out.Buffered() > 0 {
		_ = t.Out.Flush()
	}
	for {
		n, err := r.Read(buf)

		if n > 0 {
			if _, werr := t.P.Write(1, buf[:n]); werr != nil {
				return werr
			}
			t.P.Spend(0)
			if n == len(buf) && n < 32<<10 {
				buf = make([]byte, 32<<10)
			}
		}
		if err != nil {
			return nil //nolint:nilerr // the end of the input, or what the caller has told already
		}
	}
}
