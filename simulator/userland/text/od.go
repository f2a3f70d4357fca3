package text

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// odType is one way to print data: a letter and the number of bytes that are printed together.
type odType struct {
	letter byte
	size   int
}

// odShort are the types of the options without a value.
var odShort = map[byte]odType{'a': {'a', 1}, 'b': {'o', 1}, 'c': {'c', 1}, 'd': {'u', 2}, 'f': {'f', 4}, 'h': {'x', 2}, 'i': {'d', 2}, 'l': {'d', 4},
	'o': {'o', 2}, 's': {'d', 2}, 'x': {'x', 2}}

// odTypes reads the value of -t.
func odTypes(text string) (out []odType, err error) {
	whole := text
	for text != "" {
		letter := text[0]
		text = text[1:]
		t := odType{letter, 4}
		sizes := map[string]int{"C": 1, "S": 2, "I": 4, "L": 8}
		switch letter {
		case 'a', 'c':
			out = append(out, odType{letter, 1})
			continue
		case 'f':
			t.size = 8
			sizes = map[string]int{"F": 4, "D": 8, "L": 16}
		case 'd', 'o', 'u', 'x':
		default:
			return nil, fmt.Errorf("invalid character '%c' in type string '%s'", letter, whole)
		}
		if text != "" && sizes[text[:1]] > 0 {
			t.size, text = sizes[text[:1]], text[1:]
		} else if digits := kit.DigitRun(text); digits != "" {
			if t.size = kit.Atoi(digits); len(digits) < len(text) {
				t.size = math.MaxUint32
			}
			text = text[len(digits):]
		}
		if t.size != 1 && t.size != 2 && t.size != 4 && t.size != 8 || letter == 'f' && t.size < 4 {
			return nil, fmt.Errorf("invalid type string '%s'; %d-byte integral type is not supported", whole, t.size)
		}
		out = append(out, t)
	}
	return out, nil
}

// odRun is an od at work.
type odRun struct {
	t     *kit.Tool
	types []odType
	radix byte
	width int
	all   bool // equal lines are printed, too
}

// Od is the utility od.
func Od(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(odWidth(args), "abcdfhilovxsA:t:N:j:S:w:", false, nil)
	if !ok {
		return t.End()
	}
	o := odRun{t: t, radix: 'o', all: kit.Has(opts, 'v')}
	if kit.Has(opts, 'A') {
		if o.radix = (kit.Last(opts, 'A') + " ")[0]; strings.IndexByte("doxn", o.radix) < 0 {
			return t.Fail("bad output address radix '%s' (must be [doxn])", kit.Last(opts, 'A'))
		}
	}
	strs := opts['t']
	order := t.Given
	if !t.GNU { // BusyBox's od does not care for their order
		order = nil
		for _, letter := range []byte("abcdfhilotxs") {
			if n := len(opts[letter]); letter == 't' {
				order = append(order, bytes.Repeat([]byte("t"), n)...)
			} else if n > 0 {
				order = append(order, letter)
			}
		}
	}
	for _, letter := range order {
		if letter != 't' {
			if short, ok := odShort[letter]; ok {
				o.types = append(o.types, short)
			}
			continue
		}
		types, err := odTypes(strs[0])
		if err != nil {
			return t.Fail("%s", err)
		}
		o.types, strs = append(o.types, types...), strs[1:]
	}
	if len(o.types) == 0 {
		o.types = []odType{{'o', 2}}
	}
	skip, limit := int64(0), int64(-1)
	for _, n := range []struct {
		letter byte
		to     *int64
	}{{'j', &skip}, {'N', &limit}} {
		if !kit.Has(opts, n.letter) {
			continue
		}
		if *n.to, ok = odNumber(kit.Last(opts, n.letter)); !ok {
			return t.Fail("invalid number '%s'", kit.Last(opts, n.letter))
		}
	}
	unit := 1
	for _, ty := range o.types {
		unit = max(unit, ty.size)
	}
	o.width = 16
	if kit.Has(opts, 'w') {
		if o.width, ok = t.Within(opts, 'w', 32, 1, math.MaxInt32); !ok {
			return t.End()
		}
		if o.width%unit != 0 {
			o.width = unit
		}
	}
	return o.dump(names, skip, limit)
}

// odWidth gives -w, whose value must be attached, the one that it has without.
func odWidth(args []string) []string {
	out := make([]string, 0, len(args))
	for _, a := range args {
		if a == "-w" {
			a = "-w32"
		}
		out = append(out, a)
	}
	return out
}

// odNumber reads a number of bytes, which may be octal or hexadecimal.
func odNumber(text string) (int64, bool) {
	if n, err := strconv.ParseInt(text, 0, 64); err == nil && n >= 0 {
		return n, true
	}
	n, ok := kit.Count(text)
	return n, ok && n >= 0
}

// dump prints the files as one.
func (o *odRun) dump(names []string, skip, limit int64) int {
	t := o.t
	if len(names) == 0 {
		names = []string{"-"}
	}
	var data []byte
	some := false
	for _, name := range names {
		r, done, err := t.Open(name)
		switch {
		case errors.Is(err, kit.ErrDirectory):
			t.Complain("%s: read error", name)
			some = true
			continue
		case err != nil:
			t.Failed(name, err)
			continue
		}
		some = true
		if limit >= 0 {
			r = io.LimitReader(r, max(0, skip+limit-int64(len(data))))
		}
		in := &kit.Checked{Reader: r}
		chunk, _ := t.ReadAll(in)
		done()
		t.Unread(name, in.Err)
		data = append(data, chunk...)
	}
	if !some {
		return t.End()
	}
	if skip > int64(len(data)) {
		return t.Fail("can't skip past end of combined input")
	}
	data = data[skip:]
	squeezed := false
	for i := 0; i < len(data); i += o.width {
		row := data[i:min(len(data), i+o.width)]
		if i > 0 && !o.all && len(row) == o.width && bytes.Equal(row, data[i-o.width:i]) {
			if !squeezed {
				t.Out.WriteString("*\n")
			}
			squeezed = true
			continue
		}
		squeezed = false
		o.row(int(skip)+i, row)
	}
	if o.radix != 'n' {
		t.Out.WriteString(o.address(int(skip)+len(data)) + "\n")
	}
	if !t.GNU && !t.P.IsOpen(0) { // it is closed at the end
		t.Complain("standard input: Bad file descriptor")
	}
	return t.End()
}

func (o *odRun) address(n int) string {
	switch o.radix {
	case 'n':
		return ""
	case 'd':
		return fmt.Sprintf("%07d", n)
	case 'x':
		return fmt.Sprintf("%06x", n)
	}
	return fmt.Sprintf("%07o", n)
}

// row prints some bytes in all types, a line for each.
func (o *odRun) row(at int, row []byte) {
	prefix := o.address(at)
	for _, ty := range o.types {
		o.t.Out.WriteString(prefix)
		prefix = strings.Repeat(" ", len(prefix))
		for i := 0; i < len(row); i += ty.size {
			var unit [8]byte
			copy(unit[:ty.size], row[i:])
			o.t.Out.WriteString(ty.text(unit))
		}
		o.t.Out.WriteByte('\n')
	}
}

// text is a number in a type. Its bytes come with the lowest first.
func (ty odType) text(unit [8]byte) string {
	u := binary.LittleEndian.Uint64(unit[:])
	signed := int64(u<<(64-8*ty.size)) >> (64 - 8*ty.size)
	place := map[int]int{1: 0, 2: 1, 4: 2, 8: 3}[ty.size]
	switch ty.letter {
	case 'a':
		return fmt.Sprintf(" %3s", asciiName(unit[0]))
	case 'c':
		return fmt.Sprintf(" %3s", character(unit[0]))
	case 'd':
		return fmt.Sprintf(" %*d", []int{4, 6, 11, 20}[place], signed)
	case 'u':
		return fmt.Sprintf(" %*d", []int{3, 5, 10, 20}[place], u)
	case 'x':
		return fmt.Sprintf(" %0*x", 2*ty.size, u)
	case 'f':
		if ty.size == 4 {
			return fmt.Sprintf(" %15.7e", math.Float32frombits(uint32(u)))
		}
		return fmt.Sprintf(" %23.15e", math.Float64frombits(u))
	}
	return fmt.Sprintf(" %0*o", []int{3, 6, 11, 22}[place], u)
}

// asciiName is a byte by its name in ASCII.
func asciiName(c byte) string {
	c &= 0x7f
	names := strings.Fields("nul soh stx etx eot enq ack bel bs ht nl vt ff cr so si dle dc1 dc2 dc3 dc4 nak syn etb can em sub esc fs gs rs us sp")
	switch {
	case int(c) < len(names):
		return names[c]
	case c == 127:
		return "del"
	}
	return string(rune(c))
}

// character is a byte as a character, an escape or an octal number.
func character(c byte) string {
	if at := strings.IndexByte("\x00\a\b\t\n\v\f\r", c); at >= 0 {
		return `\` + "0abtnvfr"[at:at+1]
	}
	if c >= ' ' && c < 127 {
		return string(rune(c))
	}
	return fmt.Sprintf("%03o", c)
}
