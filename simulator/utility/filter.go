package utility

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
)

// errDirectory is what reading a directory gives.
const errDirectory = syscall.EISDIR

func message(err error) string { return files.Message(err) }

func cat(p *container.Process, args []string) int {
	t := begin(p, args)
	letters := "nbvteAu"
	if t.gnu {
		letters = "nbvteAusET"
	}
	opts, names, ok := t.options(args, letters, false, nil)
	if !ok {
		return t.end()
	}
	c := catter{
		t: t, visible: has(opts, 'v') || has(opts, 'e') || has(opts, 't') || has(opts, 'A'), ends: has(opts, 'E') || has(opts, 'e') || has(opts, 'A'),
		tabs: has(opts, 'T') || has(opts, 't') || has(opts, 'A'), number: has(opts, 'n') || has(opts, 'b'), filled: has(opts, 'b'), squeeze: has(opts, 's'),
	}
	t.inputs(names, func(name string, r io.Reader) bool {
		if c.visible || c.ends || c.tabs || c.number || c.squeeze {
			_ = t.lines(r, c.line)
			return true
		}
		if err := t.copy(r); err != nil {
			t.failed(name, err)
			return t.status == 1
		}
		return true
	})
	return t.end()
}

// catter is a cat that changes lines.
type catter struct {
	t                                            *tool
	visible, ends, tabs, number, filled, squeeze bool
	n                                            int
	blank                                        bool // the line before was empty
}

func (c *catter) line(line string, ended bool) bool {
	out := c.t.out
	if c.squeeze && line == "" && c.blank {
		return true
	}
	c.blank = line == ""
	if c.number && (line != "" || !c.filled) {
		c.n++
		if c.visible && !c.t.gnu {
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
	if ended || c.number && !c.visible && !c.t.gnu {
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

// copy copies input to output as it comes: nothing waits in a buffer.
func (t *tool) copy(r io.Reader) error {
	buf := make([]byte, 1024)
	if t.out.Buffered() > 0 {
		_ = t.out.Flush()
	}
	for {
		n, err := r.Read(buf)

		if n > 0 {
			if _, werr := t.p.Write(1, buf[:n]); werr != nil {
				return werr
			}
			t.p.Spend(0)
			if n == len(buf) && n < 32<<10 {
				buf = make([]byte, 32<<10)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// follow prints what is appended to a file, for ever.
func (t *tool) follow(name string) {
	info, err := t.p.Stat(name)
	if err != nil {
		return
	}
	off := info.Size()
	changed := true
	sub := t.p.Watch(func() { changed = true }, name)
	defer sub.Close()
	for {
		data, err := t.p.ReadFile(name)
		if err == nil {
			if int64(len(data)) < off {
				off = 0
			}
			if int64(len(data)) > off {
				t.p.Write(1, data[off:])
				off = int64(len(data))
			}
		}
		changed = false
		if t.p.Block(noDeadline, func() bool { return changed }) != nil {
			return
		}
	}
}

func tee(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "ai", false, nil)
	if !ok {
		return t.end()
	}
	flags := files.Write | files.Create | files.Truncate
	if has(opts, 'a') {
		flags = files.Append | files.Create
	}
	fds := []int{1}
	for _, name := range names {
		if name == "-" && !t.gnu {
			fds = append(fds, 1)
			continue
		}
		fd, err := p.OpenFile(name, flags, 0o666)
		if err != nil {
			t.failed(name, err)
			continue
		}
		fds = append(fds, fd)
	}
	buf := make([]byte, 4096)
	for {
		n, err := p.Read(0, buf)
		for _, fd := range fds {
			if n > 0 {
				if _, werr := p.Write(fd, buf[:n]); werr != nil && t.status == 0 && (fd != 1 || t.gnu) { // BusyBox does not look at standard output
					t.complain("write error: %s", message(werr))
				}
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) && t.status == 0 {
				t.status = 1
			}
			return t.end()
		}
	}
}
