package utility

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// Printf is printf.
func Printf(p *container.Process, args []string) int {
	args = args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(p.Stderr(), by(p, "printf")+": usage: printf FORMAT [ARGUMENT...]")
		return 2
	}
	f := formatter{p: p, args: args[1:], complain: func(msg string) { fmt.Fprintln(p.Stderr(), by(p, "printf")+": "+msg) }}
	defer f.release()
	f.all(args[0])
	if len(f.out) > 0 {
		if _, err := p.Write(1, f.out); err != nil {
			return 1
		}
	}
	return f.status
}

// formatter formats as printf does. Its output is accounted for before it grows.
type formatter struct {
	p        *container.Process
	out      []byte
	held     int
	args     []string
	complain func(string)
	status   int
}

// all uses the format again as long as arguments are left.
func (f *formatter) all(format string) {
	for {
		before := len(f.args)
		if f.once(format) || len(f.args) == 0 || len(f.args) == before {
			return
		}
		f.p.Work(1)
	}
}

// room accounts for n more bytes of output.
func (f *formatter) room(n int) {
	if need := len(f.out) + n; need > f.held {
		need += need / 2
		f.p.Allocate(int64(need - f.held))
		f.held = need
	}
}

// release says that the output is no longer held.
func (f *formatter) release() {
	f.p.Allocate(-int64(f.held))
	f.held = 0
}

func (f *formatter) add(text string) {
	f.room(len(text))
	f.out = append(f.out, text...)
}

func (f *formatter) next() (string, bool) {
	if len(f.args) == 0 {
		return "", false
	}
	a := f.args[0]
	f.args = f.args[1:]
	return a, true
}

// once goes through the format one time. It reports whether all output ends here.
func (f *formatter) once(format string) (stop bool) {
	for i := 0; i < len(format); i++ {
		switch c := format[i]; c {
		case '\\':
			end := min(i+12, len(format))
			chunk := format[i:end]
			text, used, halt := firstEscape(chunk)
			f.add(text)
			if halt {
				return true
			}
			i += used - 1
		case '%':
			if i+1 < len(format) && format[i+1] == '%' {
				f.add("%")
				i++
				continue
			}
			j := i + 1
			for j < len(format) && strings.IndexByte("-+ 0#'", format[j]) >= 0 {
				j++
			}
			d := directive{flags: format[i+1 : j], precision: -1}
			var n int
			d.width, n = f.number(format[j:])
			j += n
			if j < len(format) && format[j] == '.' {
				d.precision, n = f.number(format[j+1:])
				j += 1 + n
			}
			for j < len(format) && strings.IndexByte("hlLzjt", format[j]) >= 0 {
				j++
			}
			if j >= len(format) {
				f.bad("%" + format[i+1:] + ": invalid format")
				return true
			}
			if format[j] == '(' {
				if end := strings.IndexByte(format[j:], ')'); end > 0 && j+end+1 < len(format) && format[j+end+1] == 'T' {
					f.next()
					f.add(Strftime(format[j+1:j+end], f.p.Now()))
					i = j + end + 1
					continue
				}
			}
			if f.verb(d, format[j]) {
				return true
			}
			i = j
		default:
			f.add(format[i : i+1])
		}
	}
	return false
}

// firstEscape replaces the escape at the beginning of text.
func firstEscape(text string) (out string, used int, stop bool) {
	for n := 2; n <= len(text); n++ {
		whole, halt := Escapes(text[:n], FormatString)
		if halt {
			return "", n, true
		}
		if n == len(text) {
			return whole, n, false
		}
		longer, _ := Escapes(text[:n+1], FormatString)
		if strings.HasPrefix(longer, whole) && len(longer) == len(whole)+1 && longer[len(whole)] == text[n] {
			return whole, n, false
		}
		if text[n] == '\\' {
			return whole, n, false
		}
	}
	return text, len(text), false
}

// number reads a width or precision; "*" takes an argument.
func (f *formatter) number(text string) (n, used int) {
	if strings.HasPrefix(text, "*") {
		a, _ := f.next()
		n, _ = strconv.Atoi(a)
		return max(min(n, math.MaxInt32), -math.MaxInt32), 1
	}
	for used < len(text) && text[used] >= '0' && text[used] <= '9' {
		n = min(n*10+int(text[used]-'0'), math.MaxInt32)
		used++
	}
	return n, used
}

func (f *formatter) bad(msg string) {
	f.complain(msg)
	f.status = 1
}

// directive is what stands between the percent sign and the letter.
type directive struct {
	flags            string
	width, precision int // precision is negative without one
}

func (d *directive) has(flag byte) bool { return strings.IndexByte(d.flags, flag) >= 0 }

// sign is what stands before a number that is not negative.
func (d *directive) sign() string {
	switch {
	case d.has('+'):
		return "+"
	case d.has(' '):
		return " "
	}
	return ""
}

// verb formats an argument.
func (f *formatter) verb(d directive, verb byte) (stop bool) {
	if d.width < 0 {
		d.flags, d.width = d.flags+"-", -d.width
	}
	a, given := f.next()
	switch verb {
	case 's', 'b':
		if verb == 'b' {
			a, stop = Escapes(Octal(a), EchoArgument)
		}
		if d.precision >= 0 && d.precision < len(a) {
			a = a[:d.precision]
		}
		f.pad(&d, a)
		return stop
	case 'q':
		f.add("'" + strings.ReplaceAll(a, "'", `'\''`) + "'")
	case 'c':
		if a == "" {
			a = "\x00"
		}
		f.pad(&d, a[:1])
	case 'd', 'i', 'u', 'o', 'x', 'X':
		n, ok := integer(a)
		if !ok {
			f.bad(fmt.Sprintf("invalid number '%s'", a))
		}
		f.whole(&d, n, verb)
	case 'e', 'E', 'f', 'F', 'g', 'G':
		n, err := strconv.ParseFloat(strings.TrimSpace(a), 64)
		if given && err != nil {
			f.bad(fmt.Sprintf("invalid number '%s'", a))
		}
		f.float(&d, n, verb)
	default:
		f.bad(fmt.Sprintf("%%%s%c: invalid format", d.flags, verb))
		return true
	}
	return false
}

// pad appends text in a field, which is counted in bytes.
func (f *formatter) pad(d *directive, text string) {
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
func (f *formatter) digits(d *directive, sign, digits string, precision int) {
	zeros := precision - len(digits)
	if precision < 0 && d.has('0') && !d.has('-') {
		zeros = d.width - len(sign) - len(digits)
	}
	if zeros > 0 {
		f.room(max(zeros+len(sign)+len(digits), d.width))
		digits = strings.Repeat("0", zeros) + digits
	}
	f.pad(d, sign+digits)
}

func (f *formatter) whole(d *directive, n int64, verb byte) {
	u, sign, base := uint64(n), "", 10
	switch verb {
	case 'o':
		base = 8
	case 'x', 'X':
		base = 16
	}
	if verb == 'd' || verb == 'i' {
		if sign = d.sign(); n < 0 {
			u, sign = -u, "-"
		}
	}
	digits := strconv.FormatUint(u, base)
	switch {
	case u == 0 && d.precision == 0:
		digits = ""
	case u == 0 || !d.has('#'):
	case base == 8:
		digits = "0" + digits
	case base == 16:
		sign = "0" + string(verb)
	}
	if verb == 'X' {
		digits = strings.ToUpper(digits)
	}
	f.digits(d, sign, digits, d.precision)
}

func (f *formatter) float(d *directive, n float64, verb byte) {
	precision := d.precision
	if precision < 0 {
		precision = 6
	}
	sign := d.sign()
	if math.Signbit(n) {
		n, sign = -n, "-"
	}
	f.room(precision + 400) // no number has more digits before its point
	var text string
	switch lower := verb | 0x20; {
	case math.IsInf(n, 0) || math.IsNaN(n):
		text = strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(n, 'f', 0, 64), "+"))
		d.flags = strings.ReplaceAll(d.flags, "0", "")
	case lower == 'g':
		// The digits that a float64 has are fewer than 1100.
		text = fmt.Sprintf("%"+strings.Repeat("#", btoi(d.has('#')))+"."+strconv.Itoa(max(1, min(precision, 1100)))+"g", n)
	default:
		text = strconv.FormatFloat(n, lower, precision, 64)
	}
	if verb < 'a' {
		text = strings.ToUpper(text)
	}
	f.digits(d, sign, text, -1)
}

// integer reads an integer as printf does: decimal, 0 octal, 0x hexadecimal, or 'c for a character's code.
func integer(text string) (int64, bool) {
	text = strings.TrimLeft(text, " \t")
	if text == "" {
		return 0, false
	}
	if text[0] == '\'' || text[0] == '"' {
		if len(text) == 1 {
			return 0, true
		}
		return int64(text[1]), true
	}
	n, err := strconv.ParseInt(text, 0, 64)
	if err == nil && !strings.ContainsAny(text, "_oObB") {
		return n, true
	}
	if u, uerr := strconv.ParseUint(text, 0, 64); uerr == nil {
		return int64(u), true
	}
	return 0, false
}
