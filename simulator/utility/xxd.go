package utility

import (
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"path"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

func xxd(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "pric:l:s:g:o:n:", false, nil)
	if !ok || t.misused(names, 0, 1) {
		return t.end()
	}
	columns, group := 16, 2
	if has(opts, 'p') {
		columns, group = 30, 0
	}
	if has(opts, 'i') {
		columns = 12
	}
	given, ok := t.within(opts, 'c', 0, 0, math.MaxInt32)
	if !ok {
		return t.end()
	}
	if given > 0 {
		columns = given
	}
	if group, ok = t.within(opts, 'g', group, 0, math.MaxInt32); !ok {
		return t.end()
	}
	limit, skip, shift := int64(math.MaxInt64), int64(0), int64(0)
	for i, letter := range []byte("lnso") {
		if !has(opts, letter) {
			continue
		}
		n, ok := odNumber(last(opts, letter))
		if !ok {
			return t.fail("invalid number '%s'", last(opts, letter))
		}
		*[]*int64{&limit, &limit, &skip, &shift}[i] = n
	}
	t.inputsOf(names, "", func(name string, r io.Reader) bool {
		data, _ := t.readAll(r)
		data = data[min(int64(len(data)), skip):]
		data = data[:min(int64(len(data)), limit)]
		switch {
		case has(opts, 'r'):
			t.unhex(string(data), has(opts, 'p'))
		case has(opts, 'p'):
			for at := 0; at < len(data); at += columns {
				t.out.WriteString(hex.EncodeToString(data[at:min(len(data), at+columns)]) + "\n")
			}
		case has(opts, 'i'):
			t.include(name, data, columns)
		default:
			t.passing(3 * columns)
			for at := 0; at < len(data); at += columns {
				t.hexRow(int64(at)+skip+shift, data[at:min(len(data), at+columns)], columns, group)
			}
		}
		return true
	})
	return t.end()
}

// hexRow prints a row of bytes in groups, and then as text.
func (t *tool) hexRow(at int64, row []byte, columns, group int) {
	fmt.Fprintf(t.out, "%08x: ", at)
	for i := range columns {
		if i < len(row) {
			fmt.Fprintf(t.out, "%02x", row[i])
		} else {
			t.out.WriteString("  ")
		}
		if group > 0 && (i+1)%group == 0 && i+1 < columns {
			t.out.WriteByte(' ')
		}
	}
	t.out.WriteString("  ")
	for _, c := range row {
		if c < ' ' || c > '~' {
			c = '.'
		}
		t.out.WriteByte(c)
	}
	t.out.WriteByte('\n')
}

// include prints bytes as a definition of C.
func (t *tool) include(name string, data []byte, columns int) {
	named := name != "-"
	name = strings.Map(func(c rune) rune {
		if c < 128 && c != '_' && wordByte(byte(c)) {
			return c
		}
		return '_'
	}, path.Clean(name))
	if named {
		fmt.Fprintf(t.out, "unsigned char %s[] = {\n", name)
	}
	for i, c := range data {
		switch {
		case i%columns == 0:
			fmt.Fprintf(t.out, "  0x%02x,", c)
		default:
			fmt.Fprintf(t.out, " 0x%02x,", c)
		}
		if i%columns == columns-1 || i == len(data)-1 {
			t.out.WriteByte('\n')
		}
	}
	if named {
		fmt.Fprintf(t.out, "};\nunsigned int %s_len = %d;\n", name, len(data))
	}
}

// unhex writes what a dump stands for.
func (t *tool) unhex(text string, plain bool) {
	for line := range strings.Lines(text) {
		if !plain {
			_, line, _ = strings.Cut(line, ": ")
			line, _, _ = strings.Cut(line, "  ")
		}
		digits := strings.Map(func(c rune) rune {
			if strings.ContainsRune("0123456789abcdefABCDEF", c) {
				return c
			}
			return -1
		}, line)
		out, _ := hex.DecodeString(digits[:len(digits)&^1]) // digits alone
		t.out.Write(out)
	}
}
