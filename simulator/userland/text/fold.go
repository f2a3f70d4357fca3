package text

import (
	"io"
	"slices"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// folder is a fold at work.
type folder struct {
	t      *kit.Tool
	width  int
	spaces bool // lines are broken behind blanks
	bytes  bool // bytes are counted, not columns
	line   []byte
	column int
}

// Fold is the utility fold.
func Fold(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	for i, a := range args[1:] { // -5 is -w5
		if len(a) > 1 && a[0] == '-' && kit.Digit(a[1]) {
			args = slices.Clone(args)
			args[i+1] = "-w" + a[1:]
		}
	}
	opts, names, ok := t.Options(args, "w:bs", false, nil)
	if !ok {
		return t.End()
	}
	width, ok := t.Within(opts, 'w', 80, 1, 10000)
	if !ok {
		return t.End()
	}
	f := folder{t: t, width: width, spaces: kit.Has(opts, 's'), bytes: kit.Has(opts, 'b')}
	t.InputsOf(names, "", func(_ string, r io.Reader) bool {
		_ = t.Lines(r, func(line string, ended bool) bool {
			for i := range len(line) {
				f.put(line[i])
			}
			t.Out.Write(f.line)
			if ended {
				t.Out.WriteByte('\n')
			}
			f.line, f.column = f.line[:0], 0
			return true
		})
		return true
	})
	return t.End()
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
	f.t.Out.Write(f.line[:end])
	f.t.Out.WriteByte('\n')
	f.line = append(f.line[:0], f.line[end:]...)
	f.column = 0
	for _, c := range f.line {
		f.advance(c)
	}
}
