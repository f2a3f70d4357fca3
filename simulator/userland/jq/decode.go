package jq

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxParsed is how deep a JSON text may nest.
const maxParsed = 256

// Decoder reads the values of a JSON text, one after the other.
type Decoder struct {
	m    *Machine
	text string
	at   int
	line int // of at, from 1
	from int // where the line begins
	base int // the number of the line before the last text
	more func() (string, bool)
	// sequence is set for texts that are introduced by a record separator each. What stands before the first one is
	// left out.
	sequence, begun bool
}

// Sequence makes the decoder read texts that a record separator introduces.
func (d *Decoder) Sequence() { d.sequence = true }

// begin goes to the first record separator.
func (d *Decoder) begin() error {
	d.begun = true
	for ; !d.end(); d.at++ {
		switch d.text[d.at] {
		case '\x1e':
			return nil
		case '\n':
			d.line++
			d.from = d.at + 1
		}
	}
	return d.short("Unfinished abandoned text")
}

// NewDecoder returns a decoder of a text.
func (m *Machine) NewDecoder(text string) *Decoder {
	return &Decoder{m: m, text: strings.TrimPrefix(text, "\ufeff"), line: 1}
}

// GoOn gives the decoder texts that go on where the one before has ended, be it inside of a value.
func (d *Decoder) GoOn(more func() (text string, ok bool)) { d.more = more }

// More reports whether anything stands right behind what has been read.
func (d *Decoder) More() bool { return d.has(1) }

// end reports whether there is nothing left.
func (d *Decoder) end() bool { return d.at >= len(d.text) && !d.has(1) }

// has reports whether there are n more bytes.
func (d *Decoder) has(n int) bool {
	for len(d.text)-d.at < n && d.more != nil {
		text, ok := d.more()
		if !ok {
			d.more = nil
			break
		}
		d.m.work((len(d.text) + len(text)) / 64)
		d.base = d.line - 1
		d.text += text
	}
	return len(d.text)-d.at >= n
}

// Lines is the number of lines of the last text that have been read: jq reads whole ones.
func (d *Decoder) Lines() int {
	d.m.work((len(d.text) - d.at) / 64)
	if strings.IndexByte(d.text[d.at:], '\n') >= 0 && d.at > d.from {
		return d.line - d.base
	}
	return d.line - 1 - d.base
}

func (d *Decoder) wrong(what string) error {
	return fmt.Errorf("%s at line %d, column %d", what, d.line, d.at-d.from)
}

func (d *Decoder) short(what string) error {
	d.at = len(d.text)
	return fmt.Errorf("%s at EOF at line %d, column %d", what, d.line, d.at-d.from)
}

func (d *Decoder) space() {
	for ; !d.end(); d.at++ {
		switch d.text[d.at] {
		case '\n':
			d.line++
			d.from = d.at + 1
		case ' ', '\t', '\r', '\x1e':
		default:
			return
		}
	}
}

// Next returns the next value; at the end, io.EOF.
func (d *Decoder) Next() (any, error) {
	if d.sequence && !d.begun {
		if err := d.begin(); err != nil {
			return nil, err
		}
	}
	d.space()
	if d.end() {
		return nil, io.EOF
	}
	if d.more != nil { // what has been read need not be copied again
		d.text, d.from, d.at = d.text[d.at:], d.from-d.at, 0
	}
	return d.value(0)
}

func (d *Decoder) value(depth int) (any, error) {
	d.m.work(1)
	switch c := d.text[d.at]; c {
	case '[', '{':
		if depth >= maxParsed {
			return nil, d.wrong("Exceeds depth limit for parsing")
		}
		d.at++
		if c == '[' {
			return d.array(depth)
		}
		return d.object(depth)
	case '"':
		return d.string()
	case ',':
		d.at++
		return nil, d.wrong("Expected value before ','")
	case ':':
		d.at++
		return nil, d.wrong("Expected string key before ':'")
	case ']', '}':
		d.at++
		return nil, d.wrong("Unmatched '" + string(c) + "'")
	}
	return d.word()
}

// word reads a number or one of true, false, null and nan.
func (d *Decoder) word() (any, error) {
	from := d.at
	for !d.end() && strings.IndexByte(" \t\r\n[]{},:\"", d.text[d.at]) < 0 {
		d.at++
	}
	switch text := d.text[from:d.at]; text {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	default:
		if f, ok := parseNumber(text); ok {
			return f, nil
		}
		if f, err := strconv.ParseFloat(text, 64); err == nil && strings.IndexByte("IiNn+-", text[0]) >= 0 && text[0] != 'n' && text[len(text)-1] > '9' {
			return f, nil // infinity or NaN
		}
	}
	what := "Invalid numeric literal"
	if strings.IndexByte("tfn", d.text[from]) >= 0 {
		what = "Invalid literal"
	}
	if d.end() {
		return nil, d.short(what)
	}
	d.pass()
	return nil, d.wrong(what)
}

// pass goes over one character.
func (d *Decoder) pass() {
	if d.text[d.at] == '\n' {
		d.line++
		d.from = d.at + 1
	}
	d.at++
}

// parseNumber reads a decimal number.
func parseNumber(text string) (float64, bool) {
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && strings.IndexByte("+-.eE", c) < 0 {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	return f, true
}

func (d *Decoder) array(depth int) (any, error) {
	a := newArray(nil)
	for {
		d.space()
		if d.end() {
			return nil, d.short("Unfinished JSON term")
		}
		if d.text[d.at] == ']' && a.Len() == 0 {
			d.at++
			d.m.reserve(arraySize)
			return a, nil
		}
		if d.text[d.at] == ']' {
			d.at++
			return nil, d.wrong("Expected another array element")
		}
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		a = d.m.append(a, v)
		d.space()
		if d.end() {
			return nil, d.short("Unfinished JSON term")
		}
		switch c := d.text[d.at]; c {
		case ',':
			d.at++
		case ']':
			d.at++
			return a, nil
		case '}':
			d.at++
			return nil, d.wrong("Unmatched '}'")
		case ':':
			d.at++
			return nil, d.wrong("':' not as part of an object")
		default:
			return nil, d.separator(depth, "")
		}
	}
}

// separator is the error about what stands where a separator should: a value, which is read first, or something else.
func (d *Decoder) separator(depth int, otherwise string) error {
	switch c := d.text[d.at]; {
	case strings.IndexByte(",]}:", c) >= 0:
		d.at++
		return d.wrong(otherwise)
	case c == '[' || c == '{':
		d.at++
	case c == '"':
		if _, err := d.string(); err != nil {
			return err
		}
	default:
		if _, err := d.word(); err != nil {
			return err
		}
		if !d.end() {
			d.pass()
		}
	}
	return d.wrong("Expected separator between values")
}

func (d *Decoder) object(depth int) (any, error) {
	o := newObject()
	for {
		d.space()
		if d.end() {
			return nil, d.short("Unfinished JSON term")
		}
		switch c := d.text[d.at]; {
		case c == '}' && o.Len() == 0:
			d.at++
			d.m.reserve(objectSize)
			return o, nil
		case c == '}':
			d.at++
			return nil, d.wrong("Expected another key-value pair")
		case c != '"':
			if _, err := d.value(depth + 1); err != nil {
				return nil, err
			}
			if !d.end() {
				d.pass()
			}
			return nil, d.wrong("Object keys must be strings")
		}
		key, err := d.string()
		if err != nil {
			return nil, err
		}
		d.space()
		if d.end() {
			return nil, d.short("Unfinished JSON term")
		}
		if d.text[d.at] != ':' {
			return nil, d.separator(depth, "Objects must consist of key:value pairs")
		}
		d.at++
		d.space()
		if d.end() {
			return nil, d.short("Unfinished JSON term")
		}
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		o = d.m.set(o, key, v)
		d.space()
		if d.end() {
			return nil, d.short("Unfinished JSON term")
		}
		switch c := d.text[d.at]; c {
		case ',':
			d.at++
		case '}':
			d.at++
			return o, nil
		case ']':
			d.at++
			return nil, d.wrong("Unmatched ']'")
		default:
			return nil, d.separator(depth, "':' not as part of an object")
		}
	}
}

func (d *Decoder) string() (string, error) {
	var b strings.Builder
	d.at++
	from, escaped, control := d.at, false, false
	for {
		if d.end() {
			return "", d.short("Unfinished string")
		}
		switch c := d.text[d.at]; c {
		case '"':
			if control {
				d.at++
				return "", d.wrong("Invalid string: control characters from U+0000 through U+001F must be escaped")
			}
			if !escaped {
				text := Valid(d.text[from:d.at])
				d.at++
				d.m.reserve(int64(len(text)))
				return text, nil
			}
			b.WriteString(d.text[from:d.at])
			d.at++
			d.m.reserve(int64(b.Len()))
			return Valid(b.String()), nil
		case '\\':
			b.WriteString(d.text[from:d.at])
			if !d.has(2) {
				return "", d.short("Unfinished string")
			}
			if err := d.escape(&b); err != nil {
				return "", err
			}
			from, escaped = d.at, true
		default:
			control = control || c < ' '
			d.pass()
		}
	}
}

// escape reads what stands behind a backslash.
func (d *Decoder) escape(b *strings.Builder) error {
	c := d.text[d.at+1]
	if at := strings.IndexByte(`"\/bfnrt`, c); at >= 0 {
		b.WriteByte("\"\\/\b\f\n\r\t"[at])
		d.at += 2
		return nil
	}
	if c != 'u' {
		d.at += 2
		return d.wrong("Invalid escape")
	}
	r, ok := d.hex(d.at + 2)
	if !ok {
		if end := strings.IndexByte(d.text[d.at:], '"'); end >= 0 {
			d.at += end + 1
		}
		return d.wrong("Invalid \\uXXXX escape")
	}
	d.at += 6
	if r >= 0xd800 && r < 0xdc00 && d.has(2) && strings.HasPrefix(d.text[d.at:], `\u`) {
		if low, ok := d.hex(d.at + 2); ok && low >= 0xdc00 && low < 0xe000 {
			r = 0x10000 + (r-0xd800)<<10 + (low - 0xdc00)
			d.at += 6
		}
	}
	if r >= 0xd800 && r < 0xe000 {
		if end := strings.IndexByte(d.text[d.at:], '"'); end >= 0 {
			d.at += end + 1
		}
		return d.wrong("Invalid \\uXXXX\\uXXXX surrogate pair escape")
	}
	b.WriteRune(r)
	return nil
}

func (d *Decoder) hex(at int) (rune, bool) {
	if !d.has(at + 4 - d.at) {
		return 0, false
	}
	n, err := strconv.ParseUint(d.text[at:at+4], 16, 32)
	return rune(n), err == nil
}

// Valid replaces what is not UTF-8 as jq does: each byte that is out of place and each sequence that breaks off is one
// character. Of a sequence that the end of the text cuts short, nothing is read again.
func Valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if r, size := utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || size > 1 {
			b.WriteString(s[i : i+size])
			i += size
			continue
		}
		b.WriteRune(utf8.RuneError)
		i += broken(s[i:])
	}
	return b.String()
}

// broken is the number of bytes that a sequence which is not UTF-8 takes.
func broken(s string) int {
	want := 1
	switch first := s[0]; {
	case first >= 0xc2 && first < 0xe0:
		want = 2
	case first >= 0xe0 && first < 0xf0:
		want = 3
	case first >= 0xf0 && first < 0xf5:
		want = 4
	}
	if want > len(s) {
		return len(s)
	}
	for i := 1; i < want; i++ {
		if s[i]&0xc0 != 0x80 {
			return i
		}
	}
	return want
}

// Parse reads a text that is one value.
func (m *Machine) Parse(text string) (any, error) {
	m.work(len(text) / 4)
	d := m.NewDecoder(text)
	v, err := d.Next()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("Expected JSON value")
	}
	if err != nil {
		return nil, err
	}
	d.space()
	if !d.end() {
		return nil, errors.New("Unexpected extra JSON values")
	}
	return v, nil
}
