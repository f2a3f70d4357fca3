package jq

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Format says how a value is printed.
type Format struct {
	// Indent is what a level is indented by; empty prints all in one line.
	Indent string
	// Sorted prints the keys of objects sorted.
	Sorted bool
	// ASCII escapes all other characters.
	ASCII bool
	// Color is that of a terminal.
	Color bool
}

// maxPrinted is the depth from which on a value is no longer printed.
const maxPrinted = 256

// encoder writes values.
type encoder struct {
	Format
	m   *Machine
	out strings.Builder
	// sink takes what is written, in parts; without one, it stays in out and is accounted for.
	sink func(string)
	held int
	most int // bytes that are wanted; 0 is all
}

// Encode writes a value in parts.
func (m *Machine) Encode(v any, f Format, sink func(string)) {
	e := encoder{Format: f, m: m, sink: sink}
	e.value(v, 0)
	sink(e.out.String())
}

// text returns a value in one line.
func (m *Machine) text(v any) string {
	e := encoder{m: m}
	e.value(v, 0)
	return e.out.String()
}

// flush accounts for what was written or passes it on.
func (e *encoder) flush() {
	const part = 4096
	if e.sink != nil {
		if e.out.Len() >= part {
			e.sink(e.out.String())
			e.out.Reset()
		}
		return
	}
	if n := e.out.Len(); n-e.held >= part {
		e.m.reserve(int64(2 * (n - e.held))) // a buffer doubles
		e.held = n
	}
}

func (e *encoder) line(depth int) {
	if e.Indent == "" {
		return
	}
	e.out.WriteByte('\n')
	for range depth {
		e.out.WriteString(e.Indent)
	}
}

// The colours of jq 1.6: null, false, true, numbers, strings, arrays, objects; a field's name.
const (
	colorReset = "\x1b[0m"
	colorField = "\x1b[34;1m"
)

func color(v any) string {
	switch v.(type) {
	case nil:
		return "\x1b[1;30m"
	case string:
		return "\x1b[0;32m"
	case *Array, *Object:
		return "\x1b[1;39m"
	}
	return "\x1b[0;39m"
}

func (e *encoder) value(v any, depth int) {
	e.m.work(1)
	e.flush()
	if e.full() {
		return
	}
	if depth > maxPrinted {
		e.out.WriteString("<stripped: exceeds max depth>")
		return
	}
	start, end := "", ""
	if e.Color {
		start, end = color(v), colorReset
	}
	e.out.WriteString(start)
	switch v := v.(type) {
	case nil:
		e.out.WriteString("null")
	case bool:
		e.out.WriteString(strconv.FormatBool(v))
	case float64:
		e.out.WriteString(Number(v))
	case string:
		e.string(v)
	case *Array:
		e.array(v, depth, start)
	case *Object:
		e.object(v, depth, start, end)
	}
	e.out.WriteString(end)
}

func (e *encoder) array(v *Array, depth int, start string) {
	e.out.WriteByte('[')
	for i, x := range v.items {
		if i > 0 {
			e.out.WriteString(start + ",")
		}
		e.line(depth + 1)
		e.value(x, depth+1)
		if e.full() {
			return
		}
	}
	if len(v.items) > 0 {
		e.out.WriteString(start)
		e.line(depth)
		e.out.WriteString(start)
	}
	e.out.WriteByte(']')
}

func (e *encoder) object(v *Object, depth int, start, end string) {
	e.out.WriteByte('{')
	var order []int
	if e.Sorted {
		order = e.m.sorted(v)
	}
	for i := range v.items {
		if i > 0 {
			e.out.WriteString(start + ",")
		}
		e.line(depth + 1)
		at := i
		if e.Sorted {
			at = order[i]
		}
		if e.Color {
			e.out.WriteString(end + colorField)
		}
		e.string(v.Key(at))
		e.out.WriteString(end + start + ":")
		if e.Indent != "" {
			e.out.WriteByte(' ')
		}
		e.out.WriteString(end)
		e.value(v.items[at], depth+1)
		if e.full() {
			return
		}
	}
	if len(v.items) > 0 {
		e.out.WriteString(start)
		e.line(depth)
		e.out.WriteString(start)
	}
	e.out.WriteByte('}')
}

// full reports whether enough was written of what is to be cut.
func (e *encoder) full() bool { return e.most > 0 && e.out.Len() > e.most }

// Number writes a number as jq does: the shortest digits that mean it, with an exponent where many zeros would follow.
func Number(f float64) string {
	if math.IsNaN(f) {
		return "null"
	}
	f = min(max(f, -math.MaxFloat64), math.MaxFloat64)
	text := strconv.FormatFloat(f, 'e', -1, 64)
	mantissa, exponent, _ := strings.Cut(text, "e")
	digits := len(strings.ReplaceAll(strings.TrimPrefix(mantissa, "-"), ".", ""))
	e, _ := strconv.Atoi(exponent)
	if point := e + 1; f != 0 && (point <= -4 || point > digits+15) {
		sign := "+"
		if e < 0 {
			sign, e = "-", -e
		}
		return fmt.Sprintf("%se%s%02d", mantissa, sign, e)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func (e *encoder) string(s string) {
	b := &e.out
	b.WriteByte('"')
	counted := 0
	for i := 0; i < len(s); {
		if i-counted >= 1024 {
			counted = i
			e.m.work(16)
			e.flush()
			if e.full() {
				return
			}
		}
		c := s[i]
		if c >= ' ' && c < 127 && c != '"' && c != '\\' {
			b.WriteByte(c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\b':
			b.WriteString(`\b`)
		case r == '\f':
			b.WriteString(`\f`)
		case r < ' ' || r == 127:
			fmt.Fprintf(b, `\u%04x`, r)
		case e.ASCII && r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		case e.ASCII:
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		i += size
	}
	b.WriteByte('"')
}

// brief is a value in a message: less than size bytes.
func (m *Machine) brief(v any, size int) string {
	e := encoder{m: m, most: size}
	e.value(v, 0)
	text := e.out.String()
	if len(text) > size-1 {
		text = text[:size-4] + "..."
	}
	return text
}
