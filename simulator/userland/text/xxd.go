package text

import (
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"path"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Xxd is the utility xxd.
func Xxd(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "pric:l:s:g:o:n:", false, nil)
	if !ok || t.Misused(names, 0, 1) {
		return t.End()
	}
	columns, group := 16, 2
	if kit.Has(opts, 'p') {
		columns, group = 30, 0
	}
	if kit.Has(opts, 'i') {
		columns = 12
	}
	given, ok := t.Within(opts, 'c', 0, 0, math.MaxInt32)
	if !ok {
		return t.End()
	}
	if given > 0 {
		columns = given
	}
	if group, ok = t.Within(opts, 'g', group, 0, math.MaxInt32); !ok {
		return t.End()
	}
	limit, skip, shift := int64(math.MaxInt64), int64(0), int64(0)
	for i, letter := range []byte("lnso") {
		if !kit.Has(opts, letter) {
			continue
		}
		n, ok := odNumber(kit.Last(opts, letter))
		if !ok {
			return t.Fail("invalid number '%s'", kit.Last(opts, letter))
		}
		*[]*int64{&limit, &limit, &skip, &shift}[i] = n
	}
	t.InputsOf(names, "", func(name string, r io.Reader) bool {
		data, err := t.ReadAll(r)
		if err != nil && !t.GNU {
			unreadDump(t, args, err)
		}
		if kit.Has(opts, 'r') {
			unhex(t, data, kit.Has(opts, 'p'))
			return true
		}
		data = data[min(int64(len(data)), skip):]
		data = data[:min(int64(len(data)), limit)]
		switch {
		case kit.Has(opts, 'p'):
			for at := 0; at < len(data); at += columns {
				t.Out.WriteString(hex.EncodeToString(data[at:min(len(data), at+columns)]) + "\n")
			}
		case kit.Has(opts, 'i'):
			include(t, name, data, columns)
		default:
			t.Passing(3 * columns)
			for at := 0; at < len(data); at += columns {
				hexRow(t, int64(at)+skip+shift, data[at:min(len(data), at+columns)], columns, group)
			}
		}
		return true
	})
	return t.End()
}

// hexRow prints a row of bytes in groups, and then as text.
func hexRow(t *kit.Tool, at int64, row []byte, columns, group int) {
	fmt.Fprintf(t.Out, "%08x: ", at)
	for i := range columns {
		if i < len(row) {
			fmt.Fprintf(t.Out, "%02x", row[i])
		} else {
			t.Out.WriteString("  ")
		}
		if group > 0 && (i+1)%group == 0 && i+1 < columns {
			t.Out.WriteByte(' ')
		}
	}
	t.Out.WriteString("  ")
	for _, c := range row {
		if c < ' ' || c > '~' {
			c = '.'
		}
		t.Out.WriteByte(c)
	}
	t.Out.WriteByte('\n')
}

// include prints bytes as a definition of C.
func include(t *kit.Tool, name string, data []byte, columns int) {
	named := name != "-"
	name = strings.Map(func(c rune) rune {
		if c < 128 && c != '_' && wordByte(byte(c)) {
			return c
		}
		return '_'
	}, path.Clean(name))
	if named {
		fmt.Fprintf(t.Out, "unsigned char %s[] = {\n", name)
	}
	for i, c := range data {
		switch {
		case i%columns == 0:
			fmt.Fprintf(t.Out, "  0x%02x,", c)
		default:
			fmt.Fprintf(t.Out, " 0x%02x,", c)
		}
		if i%columns == columns-1 || i == len(data)-1 {
			t.Out.WriteByte('\n')
		}
	}
	if named {
		fmt.Fprintf(t.Out, "};\nunsigned int %s_len = %d;\n", name, len(data))
	}
}

// unhex writes what a dump stands for: bytes of two digits, between which there may be white space and newlines. A line
// that begins with digits has an address, which is left out unless the dump is plain. What is no digit is left out with
// the digit before it.
func unhex(t *kit.Tool, text []byte, plain bool) {
	begins := true // a line, not between the digits of a byte
	for len(text) > 0 {
		if begins && !plain {
			text = text[hexDigits(text):]
		}
		begins = false
		var high byte
		for n := 0; n < 2; n++ {
			for len(text) > 0 && kit.IsSpace(text[0]) {
				begins = begins || n == 0 && text[0] == '\n'
				text = text[1:]
				if begins {
					break
				}
			}
			if begins || len(text) == 0 {
				break
			}
			digit, ok := hexDigit(text[0])
			text = text[1:]
			if !ok {
				break
			}
			if n == 0 {
				high = digit
				continue
			}
			t.Out.WriteByte(high<<4 | digit)
		}
	}
}

// hexDigits is how many hexadecimal digits a text begins with.
func hexDigits(text []byte) int {
	n := 0
	for n < len(text) {
		if _, ok := hexDigit(text[n]); !ok {
			break
		}
		n++
	}
	return n
}

func hexDigit(c byte) (digit byte, ok bool) {
	switch {
	case kit.Digit(c):
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}
