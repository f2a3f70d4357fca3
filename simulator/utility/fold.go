package utility

import (
	"io"
	"slices"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// folder is a fold at work.
type folder struct {
	t      *tool
	width  int
	spaces bool // lines are broken behind blanks
	bytes  bool // bytes are counted, not columns
	line   []byte
	column int
}

func fold(p *container.Process, args []string) int {
	t := begin(p, args)
	for i, a := range args[1:] { // -5 is -w5
		if len(a) > 1 && a[0] == '-' && digit(a[1]) {
			args = slices.Clone(args)
			args[i+1] = "-w" + a[1:]
		}
	}
	opts, names, ok := t.options(args, "w:bs", false, nil)
	if !ok {
		return t.end()
	}
	width, ok := t.within(opts, 'w', 80, 1, 10000)
	if !ok {
		return t.end()
	}
	f := folder{t: t, width: width, spaces: has(opts, 's'), bytes: has(opts, 'b')}
	t.inputsOf(names, "", func(_ string, r io.Reader) bool {
		_ = t.lines(r, func(line string, ended bool) bool {
			for i := range len(line) {
				f.put(line[i])
			}
			t.out.Write(f.line)
			if ended {
				t.out.WriteByte('\n')
			}
			f.line, f.column = f.line[:0], 0
			return true
		})
		return true
	})
	return t.end()
}

// advance moves the column on by a byte.
func (f *folder) advance(c byte) {
	switch {
	case f.bytes:
		f.column++
	case c == '\b':
		f.column = max(0, f.column-1)
	case c == '\r':
		f.column = 0
	case c == '\t':
		f.column += 8 - f.column%8
	default:
		f.column++
	}
}

// put adds a byte to the line, which is broken before it if it does not fit.
func (f *folder) put(c byte) {
	for {
		f.advance(c)
		if f.column <= f.width || len(f.line) == 0 {
			f.line = append(f.line, c)
			return
		}
		f.breakLine()
	}
}

// breakLine prints the line up to its last blank, if it is to be broken there and has one, or all of it.
func (f *folder) breakLine() {
	end := len(f.line)
	if f.spaces {
		for i, c := range slices.Backward(f.line) {
			if c == ' ' || c == '\t' {
				end = i + 1
				break
			}
		}
	}
	f.t.out.Write(f.line[:end])
	f.t.out.WriteByte('\n')
	f.line = append(f.line[:0], f.line[end:]...)
	f.column = 0
	for _, c := range f.line {
		f.advance(c)
	}
}
