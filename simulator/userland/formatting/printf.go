package formatting

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Printf is printf.
func Printf(p *container.Process, args []string) int {
	_, gnu := p.State.(kit.GNUTools)
	if !gnu && !p.IsOpen(1) { // BusyBox asks that before all else
		return 1
	}
	args = args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(p.Stderr(), kit.By(p, "printf")+": usage: printf FORMAT [ARGUMENT...]")
		return 2
	}
	f := Formatter{Process: p, Style: PrintfOfBusybox}
	if gnu {
		f.Style = PrintfOfGNU
	}
	var unwritten error
	flush := func() {
		if _, err := p.Write(1, f.out); err != nil && len(f.out) > 0 {
			unwritten = err
		}
		f.out = f.out[:0]
	}
	// What comes before a mistake is written before its message.
	f.Complain = func(text string) {
		flush()
		fmt.Fprintln(p.Stderr(), kit.By(p, "printf")+": "+text)
	}
	_, status := f.Format(args[0], args[1:])
	defer f.Release()
	if flush(); unwritten != nil {
		return 1
	}
	return status
}

// PrintfStyle says whose printf it is.
type PrintfStyle uint8

// The programs that have a printf of their own.
const (
	PrintfOfBusybox PrintfStyle = iota // and of ash, which has it built in
	PrintfOfGNU
	PrintfOfDash
	PrintfOfBash
)

// Formatter formats as printf does. Its output is accounted for before it grows.
type Formatter struct {
	Process *container.Process
	Style   PrintfStyle
	// Complain prints a message.
	Complain func(text string)
	// Escapes replaces the escapes of a format or, with argument, those of an argument of %b. By default they are those
	// of the utility.
	Escapes func(text string, argument bool) (out string, stop bool)
	// Quote is %q, or nil. With precise, it is %Q.
	Quote func(text string) string
	// Time is %(layout)T, or nil.
	Time func(layout string, seconds int64, given bool) string
	// Count is %n, which sets a variable to how many bytes came before it, or nil.
	Count func(name string, n int) error

	out    []byte
	held   int
	args   []string
	status int
	stop   bool // no further output
}

// Format uses the format as long as arguments are left. It returns what is to be written, and the exit code.
func (f *Formatter) Format(format string, args []string) (out []byte, status int) {
	f.args = args
	if f.Escapes == nil {
		f.Escapes = f.ownEscapes
	}
	for {
		before := len(f.args)
		f.once(format)
		if f.stop || len(f.args) == 0 || len(f.args) == before {
			return f.out, f.status
		}
		f.Process.Work(1)
	}
}

// TakeLines returns the lines of the output that are complete, which Format does not return then.
func (f *Formatter) TakeLines() []byte {
	n := bytes.LastIndexByte(f.out, '\n') + 1
	lines := f.out[:n:n]
	f.out = f.out[n:]
	return lines
}

// Release says that the output is no longer held.
func (f *Formatter) Release() {
	f.Process.Allocate(-int64(f.held))
	f.held = 0
}

// room accounts for n more bytes of output.
func (f *Formatter) room(n int) {
	if need := len(f.out) + n; need > f.held {
		need += need / 2
		f.Process.Work(uint32(min(n>>11, math.MaxInt32)))
		f.Process.Allocate(int64(need - f.held))
		f.held = need
	}
}

func (f *Formatter) add(text string) {
	f.room(len(text))
	f.out = append(f.out, text...)
}

func (f *Formatter) next() (text string, given bool) {
	if len(f.args) == 0 {
		return "", false
	}
	text, f.args = f.args[0], f.args[1:]
	return text, true
}

// bad complains and fails.
func (f *Formatter) bad(text string) {
	f.Complain(text)
	f.status = 1
}

// ownEscapes are the escapes of the utility.
func (f *Formatter) ownEscapes(text string, argument bool) (string, bool) {
	if f.Style == PrintfOfBusybox {
		return BusyboxEscapes(text, argument)
	}
	if argument {
		return Escapes(Octal(text), EchoArgument)
	}
	return Escapes(text, FormatString)
}

// BusyboxEscapes replaces the escapes that BusyBox knows in the format of printf or, with argument, in an argument of %b
// or of echo -e, where an octal number may have a further zero before it. stop reports a \c, which ends all output.
func BusyboxEscapes(text string, argument bool) (out string, stop bool) {
	if !strings.Contains(text, `\`) {
		return text, false
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		rest := text[i+1:]
		if rest[0] == 'c' {
			return b.String(), true
		}
		if argument && rest[0] == '0' && len(rest) > 1 && rest[1] >= '0' && rest[1] <= '7' {
			i++
			rest = rest[1:]
		}
		c, used := busyboxEscape(rest)
		b.WriteByte(c)
		i += used
	}
	return b.String(), false
}

// busyboxEscape reads what stands behind a backslash: up to three octal digits of a number that is a byte, two
// hexadecimal ones, or a letter. What is unknown is the backslash alone.
func busyboxEscape(text string) (c byte, used int) {
	base, most, digits := uint64(8), 3, text
	if text[0] == 'x' {
		base, most, digits = 16, 2, text[1:]
	}
	n := uint64(0)
	for used < most && used < len(digits) {
		d := hexDigit(digits[used])
		if d >= base || n*base+d > math.MaxUint8 {
			break
		}
		n = n*base + d
		used++
	}
	if used > 0 {
		return byte(n), used + len(text) - len(digits)
	}
	if at := strings.IndexByte(`abefnrtv\`, text[0]); at >= 0 {
		return "\a\b\x1b\f\n\r\t\v\\"[at], 1
	}
	return '\\', 0
}

// once goes through the format one time.
func (f *Formatter) once(format string) {
	for i := 0; i < len(format) && !f.stop; {
		switch format[i] {
		case '\\':
			n := escapeLength(format[i:])
			var text string
			text, f.stop = f.Escapes(format[i:i+n], false)
			f.add(text)
			i += n
		case '%':
			if strings.HasPrefix(format[i+1:], "%") {
				f.add("%")
				i += 2
				continue
			}
			i += 1 + f.directive(format[i+1:])
		default:
			n := strings.IndexAny(format[i:], `\%`)
			if n < 0 {
				n = len(format) - i
			}
			f.add(format[i : i+n])
			i += n
		}
	}
}

// escapeLength returns the length of the escape at the beginning of text.
func escapeLength(text string) int {
	if len(text) < 2 {
		return len(text)
	}
	most, digits := 0, "0123456789abcdefABCDEF"
	switch c := text[1]; {
	case c == 'x':
		most = 2
	case c == 'u':
		most = 4
	case c == 'U':
		most = 8
	case c >= '0' && c <= '7':
		most, digits = 2, "01234567"
	}
	n := 2
	for n < len(text) && n-2 < most && strings.IndexByte(digits, text[n]) >= 0 {
		n++
	}
	return n
}

// directive is what stands between the percent sign and the letter.
type directive struct {
	flags            string
	width, precision int // precision is negative without one
}

func (d *directive) has(flag byte) bool { return strings.IndexByte(d.flags, flag) >= 0 }

// sign is what stands before a number.
func (d *directive) sign(negative bool) string {
	switch {
	case negative:
		return "-"
	case d.has('+'):
		return "+"
	case d.has(' '):
		return " "
	}
	return ""
}

// flagsOf are the flags that a program knows.
func (f *Formatter) flagsOf() string {
	if f.Style == PrintfOfBash || f.Style == PrintfOfGNU {
		return "-+ #0'"
	}
	return "-+ #0"
}

// sizes are the letters that a program skips before the conversion.
func (f *Formatter) sizes() string {
	switch f.Style {
	case PrintfOfDash:
		return ""
	case PrintfOfBusybox:
		return "lLhz"
	}
	return "hlLzjt"
}

// directive formats one directive and returns its length.
func (f *Formatter) directive(text string) int {
	if f.Style == PrintfOfBusybox && strings.HasPrefix(text, "b") {
		a, _ := f.next()
		a, f.stop = f.Escapes(a, true)
		f.add(a)
		return 1
	}
	i := 0
	for i < len(text) && strings.IndexByte(f.flagsOf(), text[i]) >= 0 {
		i++
	}
	d := directive{flags: text[:i], precision: -1}
	var n int
	if d.width, n = f.number(text[i:]); d.width < 0 {
		d.flags, d.width = d.flags+"-", -d.width
	}
	i += n
	if i < len(text) && text[i] == '.' {
		d.precision, n = f.number(text[i+1:])
		i += 1 + n
	}
	for i < len(text) && strings.IndexByte(f.sizes(), text[i]) >= 0 {
		i++
	}
	if i >= len(text) {
		f.unfinished(text)
		return len(text)
	}
	if text[i] == '(' && f.Time != nil {
		if end := strings.IndexByte(text[i:], ')'); end > 0 && strings.HasPrefix(text[i+end+1:], "T") {
			seconds := int64(0)
			a, given := f.next()
			if given {
				seconds = f.integer(a)
			}
			f.pad(d.cut(f.Time(text[i+1:i+end], seconds, given)), &d)
			return i + end + 2
		}
		f.Complain("warning: `': invalid time format specification")
		f.add("%" + text[:i+1])
		return i + 1
	}
	if !f.verb(text[i], &d) {
		f.unknown(text, i)
	}
	return i + 1
}

// unfinished refuses a format that ends in a directive.
func (f *Formatter) unfinished(text string) {
	f.stop = true
	switch f.Style {
	case PrintfOfDash:
		f.bad("missing format character")
		f.status = 2
	case PrintfOfBash:
		f.bad("`%" + text + "': missing format character")
	case PrintfOfGNU:
		f.bad("%" + text + ": invalid conversion specification")
	default:
		f.bad("%" + text + ": invalid format")
	}
}

// unknown refuses a letter: the one at i.
func (f *Formatter) unknown(text string, i int) {
	f.stop = true
	switch f.Style {
	case PrintfOfDash:
		f.bad("%" + text[:i+1] + ": invalid directive")
		f.status = 2
	case PrintfOfBash:
		f.bad("`" + text[i:i+1] + "': invalid format character")
	case PrintfOfGNU:
		f.bad("%" + text[:i+1] + ": invalid conversion specification")
	default: // which has removed the sizes
		f.bad("%" + strings.TrimRight(text[:i], f.sizes()) + text[i:] + ": invalid format")
	}
}

// number reads a width or precision; "*" takes an argument.
func (f *Formatter) number(text string) (n, used int) {
	if strings.HasPrefix(text, "*") {
		a, given := f.next()
		if !given {
			return 0, 1
		}
		if f.Style == PrintfOfBusybox {
			return f.plainWidth(a), 1
		}
		v := f.integer(a)
		if f.Style == PrintfOfDash { // an int of C
			v = int64(int32(v))
		}
		if f.Style == PrintfOfBash && (v > math.MaxInt32 || v < -math.MaxInt32) { // which complains, and has none then
			return 0, 1
		}
		return int(min(max(v, -math.MaxInt32), math.MaxInt32)), 1
	}
	for used < len(text) && text[used] >= '0' && text[used] <= '9' {
		n = min(n*10+int(text[used]-'0'), math.MaxInt32)
		used++
	}
	return n, used
}

// plainWidth reads a width of BusyBox, which is decimal. A wrong one is reported and does not fail.
func (f *Formatter) plainWidth(text string) int {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || text[0] == '+' {
		status := f.status
		f.bad("invalid number '" + text + "'")
		f.status = status
		return 0
	}
	return int(max(n, -math.MaxInt32))
}

// verb formats an argument. It returns false if there is no such letter.
func (f *Formatter) verb(letter byte, d *directive) bool {
	switch letter {
	case 'd', 'i':
		a, _ := f.next()
		n := f.integer(a)
		magnitude := uint64(n)
		if n < 0 {
			magnitude = -magnitude
		}
		f.digits(d.sign(n < 0), strconv.FormatUint(magnitude, 10), d.precision, d)
	case 'o', 'u', 'x', 'X':
		a, _ := f.next()
		f.unsigned(f.natural(a), letter, d)
	case 'e', 'E', 'f', 'F', 'g', 'G', 'a', 'A':
		if f.Style == PrintfOfBusybox && letter|0x20 == 'a' || f.Style == PrintfOfBusybox && letter == 'F' {
			return false
		}
		a, _ := f.next()
		f.float(a, letter, d)
	case 'c':
		a, _ := f.next()
		if a == "" {
			a = "\x00"
		}
		f.pad(a[:1], d)
	case 's':
		a, _ := f.next()
		f.pad(d.cut(a), d)
	case 'b':
		if f.Style == PrintfOfBusybox { // which takes no width
			return false
		}
		a, _ := f.next()
		a, f.stop = f.Escapes(a, true)
		f.pad(d.cut(a), d)
	case 'n':
		if f.Count == nil {
			return false
		}
		if name, _ := f.next(); name != "" {
			if err := f.Count(name, len(f.out)); err != nil {
				f.bad(err.Error())
				f.stop = true
			}
		}
	case 'q', 'Q':
		quote := f.Quote
		switch {
		case f.Style == PrintfOfGNU && letter == 'q':
			quote = func(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
		case quote == nil:
			return false
		}
		a, _ := f.next()
		if letter == 'Q' {
			f.pad(quote(d.cut(a)), d)
		} else {
			f.pad(d.cut(quote(a)), d)
		}
	default:
		return false
	}
	return true
}

// cut is the part of a text that the precision leaves.
func (d *directive) cut(text string) string {
	if d.precision >= 0 && d.precision < len(text) {
		return text[:d.precision]
	}
	return text
}

// pad appends text in a field, which is counted in bytes.
func (f *Formatter) pad(text string, d *directive) {
	missing := max(0, d.width-len(text))
	f.room(missing + len(text))
	if d.has('-') {
		f.out = append(f.out, text...)
	}
	for range missing {
		f.out = append(f.out, ' ')
	}
	if !d.has('-') {
		f.out = append(f.out, text...)
	}
}

// digits appends digits behind their sign, with the zeros between that the precision wants, or flag 0.
func (f *Formatter) digits(sign, digits string, precision int, d *directive) {
	if precision == 0 && digits == "0" {
		digits = ""
	}
	zeros := precision - len(digits)
	if precision < 0 && d.has('0') && !d.has('-') {
		zeros = d.width - len(sign) - len(digits)
	}
	if zeros > 0 {
		f.room(max(zeros+len(sign)+len(digits), d.width))
		digits = strings.Repeat("0", zeros) + digits
	}
	f.pad(sign+digits, d)
}

func (f *Formatter) unsigned(n uint64, letter byte, d *directive) {
	base := map[byte]int{'o': 8, 'u': 10, 'x': 16, 'X': 16}[letter]
	digits, sign := strconv.FormatUint(n, base), ""
	if letter == 'X' {
		digits = strings.ToUpper(digits)
	}
	switch {
	case n == 0 || !d.has('#'):
	case base == 8:
		digits = "0" + digits
	case base == 16:
		sign = "0" + string(letter)
	}
	f.digits(sign, digits, d.precision, d)
}

// float formats a number with a fraction.
func (f *Formatter) float(a string, letter byte, d *directive) {
	n, isNumber := f.decimal(a)
	sign := d.sign(n.Signbit())
	if !isNumber || n.IsInf() {
		text := "inf"
		if !isNumber {
			text, sign = "nan", d.sign(strings.HasPrefix(strings.TrimLeft(a, blanks), "-"))
		}
		if letter < 'a' {
			text = strings.ToUpper(text)
		}
		f.pad(sign+text, d)
		return
	}
	f.room(max(d.precision, 0) + n.MantExp(nil)/3 + 400)
	text := f.fraction(new(big.Float).Abs(n), letter|0x20, d)
	if letter|0x20 == 'a' {
		sign, text = sign+text[:2], text[2:]
	}
	if letter < 'a' {
		sign, text = strings.ToUpper(sign), strings.ToUpper(text)
	}
	f.digits(sign, text, -1, d)
}
