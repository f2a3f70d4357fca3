package shell

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
	"github.com/plumbline-ci/plumbline/simulator/utility"
)

// builtinPrintf is printf: bash's and dash's own, and the utility that ash has built in.
func builtinPrintf(s *shell, args []string) int {
	if s.kind == ash {
		if s.env == nil {
			s.p.Env = s.environment()
		}
		args = slices.Clone(args)
		for i, a := range args[1:] {
			if a != "--" { // the format: BusyBox knows no \u
				args[i+1] = withoutUnicode(a)
				break
			}
		}
		return utility.Printf(s.p, args)
	}
	words := args[1:]
	name, toVariable := "", false
	for s.kind == bash && len(words) > 0 && strings.HasPrefix(words[0], "-") && words[0] != "-" && words[0] != "--" {
		if !strings.HasPrefix(words[0], "-v") {
			s.complain(words[0][:2] + ": invalid option")
			s.print(2, "printf: usage: printf [-v var] format [arguments]\n")
			return statusUsage
		}
		toVariable = true
		if name = words[0][2:]; name == "" && len(words) > 1 {
			name, words = words[1], words[1:]
		}
		words = words[1:]
		if base, _, _ := strings.Cut(name, "["); !syntax.IsName(base) {
			s.complain("`" + name + "': not a valid identifier")
			return statusUsage
		}
	}
	if s.kind == dash && len(words) > 0 && len(words[0]) > 1 && words[0][0] == '-' && words[0] != "--" {
		s.illegalOption(rune(words[0][1]))
		return statusUsage
	}
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	if len(words) == 0 {
		if s.kind == dash {
			s.complain("usage: printf format [arg ...]")
		} else {
			s.print(2, "printf: usage: printf [-v var] format [arguments]\n")
		}
		return statusUsage
	}
	f := formatter{s: s, args: words[1:]}
	f.all(words[0])
	if toVariable {
		var err error
		if base, index, ok := strings.Cut(strings.TrimSuffix(name, "]"), "["); ok {
			err = s.assignElement(base, index, string(f.out), false)
		} else {
			err = s.assign(name, string(f.out))
		}
		if err != nil {
			s.failing("", err)
			return s.status
		}
		return f.status
	}
	if status := s.write(f.out); status != 0 {
		return status
	}
	return f.status
}

// formatter formats as printf does. Its output is accounted for before it grows.
type formatter struct {
	s      *shell
	args   []string
	out    []byte
	status int
	stop   bool
}

// all uses the format again as long as arguments are left.
func (f *formatter) all(format string) {
	for {
		before := len(f.args)
		f.once(format)
		if f.stop || len(f.args) == 0 || len(f.args) == before {
			return
		}
		f.s.p.Work(1)
	}
}

func (f *formatter) add(text string) {
	f.s.grow(len(f.out) + len(text))
	f.out = append(f.out, text...)
}

// pad appends text in a field.
func (f *formatter) pad(text string, d *directive) {
	missing := d.width - len(text)
	if missing <= 0 {
		f.add(text)
		return
	}
	f.s.grow(len(f.out) + d.width)
	if d.left {
		f.add(text)
	}
	for range missing {
		f.out = append(f.out, ' ')
	}
	if !d.left {
		f.add(text)
	}
}

func (f *formatter) next() (string, bool) {
	if len(f.args) == 0 {
		return "", false
	}
	a := f.args[0]
	f.args = f.args[1:]
	return a, true
}

func (f *formatter) bad(text string) {
	f.s.complain(text)
	f.status = 1
}

// directive is what stands between the percent sign and the letter.
type directive struct {
	left, plus, space, alt, zero bool
	width, precision             int // precision is -1 without one
}

func (f *formatter) once(format string) {
	for i := 0; i < len(format) && !f.stop; i++ {
		switch format[i] {
		case '\\':
			n := escapeLength(format[i:])
			text, stop := f.escape(format[i : i+n])
			f.add(text)
			f.stop = stop
			i += n - 1
		case '%':
			if i+1 < len(format) && format[i+1] == '%' {
				f.add("%")
				i++
				continue
			}
			i += f.directive(format[i+1:])
		default:
			j := i + 1
			for j < len(format) && format[j] != '\\' && format[j] != '%' {
				j++
			}
			f.add(format[i:j])
			i = j - 1
		}
	}
}

// escapeLength returns the length of the escape at the beginning of text.
func escapeLength(text string) int {
	if len(text) < 2 {
		return len(text)
	}
	most, base := 0, "0123456789abcdefABCDEF"
	n := 2
	switch c := text[1]; {
	case c == 'x':
		most = 2
	case c == 'u':
		most = 4
	case c == 'U':
		most = 8
	case c >= '0' && c <= '7':
		most, base = 2, "01234567"
	}
	for n < len(text) && n-2 < most && strings.IndexByte(base, text[n]) >= 0 {
		n++
	}
	return n
}

func (f *formatter) escape(text string) (string, bool) {
	if f.s.kind == dash {
		return dashEscapes(text, false)
	}
	if text == `\c` { // in a format it means nothing
		return text, false
	}
	if !f.s.wide() {
		text = narrow(text)
	}
	return utility.Escapes(text, utility.FormatString)
}

// directive formats one directive and returns its length.
func (f *formatter) directive(text string) int {
	d := directive{precision: -1}
	i := 0
	for ; i < len(text); i++ {
		switch text[i] {
		case '-':
			d.left = true
			continue
		case '+':
			d.plus = true
			continue
		case ' ':
			d.space = true
			continue
		case '#':
			d.alt = true
			continue
		case '0':
			d.zero = true
			continue
		case '\'':
			if f.s.kind == bash {
				continue
			}
		}
		break
	}
	var n int
	if d.width, n = f.number(text[i:]); d.width < 0 {
		d.left, d.width = true, -d.width
	}
	i += n
	if i < len(text) && text[i] == '.' {
		d.precision, n = f.number(text[i+1:])
		i += n + 1
	}
	if f.s.kind == bash {
		for i < len(text) && strings.IndexByte("hlLzjt", text[i]) >= 0 {
			i++
		}
	}
	if i >= len(text) {
		f.stop, f.status = true, 1
		if f.s.kind == dash {
			f.s.complain("missing format character")
			f.status = statusUsage
		} else {
			f.s.complain("`" + text[max(0, len(text)-1):] + "': missing format character")
		}
		return len(text)
	}
	if text[i] == '(' && f.s.kind == bash {
		if end := strings.IndexByte(text[i:], ')'); end > 0 && i+end+1 < len(text) && text[i+end+1] == 'T' {
			f.time(text[i+1:i+end], &d)
			return i + end + 2
		}
	}
	if !f.verb(text[i], &d) {
		f.stop, f.status = true, 1
		if f.s.kind == dash {
			f.s.complain("%" + text[:i+1] + ": invalid directive")
			f.status = statusUsage
		} else {
			f.s.complain("`" + text[i:i+1] + "': invalid format character")
		}
	}
	return i + 1
}

// number reads a width or precision; "*" takes an argument.
func (f *formatter) number(text string) (n, used int) {
	if strings.HasPrefix(text, "*") {
		a, _ := f.next()
		v := f.integer(a)
		return int(min(max(v, -math.MaxInt32), math.MaxInt32)), 1
	}
	for used < len(text) && text[used] >= '0' && text[used] <= '9' {
		n = min(n*10+int(text[used]-'0'), math.MaxInt32)
		used++
	}
	return n, used
}

// verb formats an argument. It returns false if there is no such letter.
func (f *formatter) verb(letter byte, d *directive) bool {
	switch letter {
	case 'd', 'i':
		a, _ := f.next()
		n := f.integer(a)
		digits := strconv.FormatUint(magnitude(n), 10)
		sign := ""
		switch {
		case n < 0:
			sign = "-"
		case d.plus:
			sign = "+"
		case d.space:
			sign = " "
		}
		f.digits(sign, digits, d)
	case 'o', 'u', 'x', 'X':
		a, _ := f.next()
		n := uint64(f.integer(a))
		base := map[byte]int{'o': 8, 'u': 10, 'x': 16, 'X': 16}[letter]
		digits, sign := strconv.FormatUint(n, base), ""
		if letter == 'X' {
			digits = strings.ToUpper(digits)
		}
		if d.alt && n != 0 {
			switch letter {
			case 'o':
				digits = "0" + digits
			case 'x', 'X':
				sign = "0" + string(letter)
			}
		}
		f.digits(sign, digits, d)
	case 'e', 'E', 'f', 'F', 'g', 'G', 'a', 'A':
		a, _ := f.next()
		f.float(f.decimal(a), letter, d)
	case 'c':
		a, given := f.next()
		if a == "" {
			if f.s.kind == bash || !given {
				a = "\x00"
			}
		} else {
			a = a[:1]
		}
		f.pad(a, d)
	case 's', 'b':
		a, _ := f.next()
		if letter == 'b' {
			a, f.stop = f.argumentEscapes(a)
		}
		if d.precision >= 0 && d.precision < len(a) {
			a = a[:d.precision]
		}
		f.pad(a, d)
	case 'q', 'Q':
		if f.s.kind != bash {
			return false
		}
		a, _ := f.next()
		if letter == 'Q' && d.precision >= 0 && d.precision < len(a) {
			a = a[:d.precision]
		}
		a = f.s.quoteBackslash(a)
		if letter == 'q' && d.precision >= 0 && d.precision < len(a) {
			a = a[:d.precision]
		}
		f.pad(a, d)
	default:
		return false
	}
	return true
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

func (f *formatter) argumentEscapes(text string) (string, bool) {
	if f.s.kind == dash {
		return dashEscapes(text, true)
	}
	return utility.Escapes(utility.Octal(text), utility.EchoArgument)
}

// digits appends a number in a field.
func (f *formatter) digits(sign, digits string, d *directive) {
	if d.precision == 0 && digits == "0" {
		digits = ""
	}
	zeros := d.precision - len(digits)
	if d.precision < 0 && d.zero && !d.left {
		zeros = d.width - len(sign) - len(digits)
	}
	if zeros > 0 {
		f.s.grow(len(f.out) + zeros)
		digits = strings.Repeat("0", zeros) + digits
	}
	f.pad(sign+digits, d)
}

func (f *formatter) float(n float64, letter byte, d *directive) {
	sign := ""
	switch {
	case math.Signbit(n):
		sign, n = "-", -n
	case d.plus:
		sign = "+"
	case d.space:
		sign = " "
	}
	precision := d.precision
	if precision < 0 {
		precision = 6
	}
	f.s.grow(len(f.out) + precision + 400)
	var text string
	switch lower := letter | 0x20; {
	case math.IsInf(n, 0):
		text, d.zero = "inf", false
	case math.IsNaN(n):
		text, d.zero, sign = "nan", false, strings.ReplaceAll(sign, "-", "")
	case lower == 'a':
		text = strconv.FormatFloat(n, 'x', d.precision, 64)
	case lower == 'g':
		spec := "%."
		if d.alt {
			spec = "%#."
		}
		text = fmt.Sprintf(spec+strconv.Itoa(max(precision, 1))+"g", n)
	default:
		text = strconv.FormatFloat(n, lower, precision, 64)
		if d.alt && precision == 0 {
			text += "."
		}
	}
	if letter < 'a' {
		text = strings.ToUpper(text)
	}
	if zeros := d.width - len(sign) - len(text); d.zero && !d.left && zeros > 0 {
		f.s.grow(len(f.out) + zeros)
		text = strings.Repeat("0", zeros) + text
	}
	f.pad(sign+text, d)
}

// integer reads a number as C does, or the code of the character behind a quote.
func (f *formatter) integer(text string) int64 {
	if text == "" {
		return 0
	}
	if text[0] == '\'' || text[0] == '"' {
		if len(text) == 1 {
			return 0
		}
		return int64(text[1])
	}
	rest := strings.TrimLeft(text, " \t\n\v\f\r")
	negative := false
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		negative = rest[0] == '-'
		rest = rest[1:]
	}
	base := uint64(10)
	switch {
	case len(rest) > 2 && rest[0] == '0' && rest[1]|0x20 == 'x' && digit(rest[2], 16) < 16:
		base, rest = 16, rest[2:]
	case len(rest) > 1 && rest[0] == '0':
		base = 8
	}
	n, used, over := uint64(0), 0, false
	for used < len(rest) {
		v := uint64(digit(rest[used], 36))
		if v >= base {
			break
		}
		if n > (math.MaxUint64-v)/base {
			over = true
		}
		n = n*base + v
		used++
	}
	switch {
	case over || n > math.MaxInt64 && (negative && n > 1<<63):
		n = math.MaxInt64
		if negative {
			n = 1 << 63
		}
		f.bad(text + ": Numerical result out of range")
	case used < len(rest) || used == 0:
		f.invalid(text, used == 0)
	}
	if negative {
		return -int64(n)
	}
	return int64(n)
}

func (f *formatter) invalid(text string, nothing bool) {
	switch {
	case f.s.kind == bash:
		f.bad(text + ": invalid number")
	case nothing:
		f.bad(text + ": expected numeric value")
	default:
		f.bad(text + ": not completely converted")
	}
}

// decimal reads a number with a fraction.
func (f *formatter) decimal(text string) float64 {
	if text == "" {
		return 0
	}
	if text[0] == '\'' || text[0] == '"' {
		return float64(f.integer(text))
	}
	rest := strings.TrimLeft(text, " \t\n\v\f\r")
	for n := len(rest); n > 0; n-- {
		v, err := strconv.ParseFloat(rest[:n], 64)
		if err != nil && !math.IsInf(v, 0) || strings.Contains(rest[:n], "_") {
			if n == len(rest) && n > 64 { // nothing that long is a number
				n = 65
			}
			continue
		}
		if n < len(rest) {
			f.invalid(text, false)
		}
		return v
	}
	f.invalid(text, true)
	return 0
}

// time formats bash's %(format)T of seconds since 1970; -1 and no argument are now, -2 is the start of the shell.
func (f *formatter) time(format string, d *directive) {
	at := f.s.p.Now()
	if a, ok := f.next(); ok {
		switch n := f.integer(a); n {
		case -1:
		case -2:
			at = f.s.started
		default:
			at = time.Unix(n, 0).UTC()
		}
	}
	if format == "" {
		format = "%X"
	}
	f.pad(utility.Strftime(format, at), d)
}

// quoteBackslash quotes text as bash's printf %q does.
func (s *shell) quoteBackslash(text string) string {
	if text == "" {
		return "''"
	}
	if s.unprintable(text, "") {
		return s.quoteDollar(text)
	}
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if strings.IndexByte(" !\"#$&'()*,;<>?[\\]^`{|}~", c) >= 0 && (c != '#' && c != '~' || i == 0) {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}
