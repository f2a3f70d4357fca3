package utility

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// EscapeStyle says where escapes are read.
type EscapeStyle uint8

// The places that have escapes.
const (
	FormatString EscapeStyle = iota // printf's format: \ddd
	EchoArgument                    // echo -e and %b: \0ddd, \c
	DollarQuote                     // $'…': \ddd, \e, \', \cx, \u
)

// Escapes replaces backslash escapes. stop reports a \c, which ends all output.
func Escapes(text string, style EscapeStyle) (out string, stop bool) {
	if !strings.Contains(text, `\`) {
		return text, false
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 >= len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		switch c := text[i]; c {
		case 'a':
			b.WriteByte('\a')
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'v':
			b.WriteByte('\v')
		case '\\':
			b.WriteByte('\\')
		case 'e', 'E':
			b.WriteByte(0x1b)
		case 'c':
			if style == DollarQuote && i+1 < len(text) {
				i++
				b.WriteByte(text[i] & 0x1f)
				continue
			}
			return b.String(), true
		case '\'', '"', '?':
			if style == EchoArgument {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		case 'x', 'u', 'U':
			size := 2
			if c == 'u' {
				size = 4
			} else if c == 'U' {
				size = 8
			}
			n, used := digitsOf(text[i+1:], size, 16)
			if used == 0 {
				b.WriteByte('\\')
				b.WriteByte(c)
				continue
			}
			i += used
			if c == 'x' {
				b.WriteByte(byte(n))
			} else {
				b.WriteString(string(rune(n)))
			}
		case '0', '1', '2', '3', '4', '5', '6', '7':
			size := 3
			if style == EchoArgument {
				if c != '0' {
					b.WriteByte('\\')
					b.WriteByte(c)
					continue
				}
				n, used := digitsOf(text[i+1:], 3, 8)
				i += used
				b.WriteByte(byte(n))
				continue
			}
			n, used := digitsOf(text[i:], size, 8)
			i += used - 1
			b.WriteByte(byte(n))
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String(), false
}

// Octal makes \101 what some shells take it for in an argument: \0101.
func Octal(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			if c := text[i+1]; c >= '1' && c <= '7' {
				b.WriteString(`\0`)
				continue
			}
			b.WriteString(text[i : i+2])
			i++
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func digitsOf(text string, limit, base int) (n uint64, used int) {
	for used < limit && used < len(text) {
		d, err := strconv.ParseUint(text[used:used+1], base, 8)
		if err != nil {
			break
		}
		n = n*uint64(base) + d
		used++
	}
	return n, used
}

// Echo is echo as busybox has it: options -n, -e and -E.
func Echo(p *container.Process, args []string) int { return echo(p, args) }

// EchoPlain is echo as bash has it, which is the same.
func EchoPlain(p *container.Process, args []string) int { return echo(p, args) }

func echo(p *container.Process, args []string) int {
	args = args[1:]
	newline, escapes := true, false
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && strings.Trim(args[0][1:], "neE") == "" {
		for _, l := range args[0][1:] {
			switch l {
			case 'n':
				newline = false
			case 'e':
				escapes = true
			case 'E':
				escapes = false
			}
		}
		args = args[1:]
	}
	size := 1
	for _, a := range args {
		size += len(a) + 1
	}
	out := make([]byte, 0, size)
	for i, a := range args {
		if i > 0 {
			out = append(out, ' ')
		}
		if escapes {
			text, stop := Escapes(a, EchoArgument)
			out = append(out, text...)
			if stop {
				newline = false
				break
			}
			continue
		}
		out = append(out, a...)
	}
	if newline {
		out = append(out, '\n')
	}
	if _, err := p.Write(1, out); err != nil {
		t := begin(p, []string{"echo"})
		t.complain("write error: %s", message(err))
		return 1
	}
	return 0
}

// by is who a message of a utility is from: the shell, if it runs the utility itself.
func by(p *container.Process, name string) string {
	switch shell := base(p.Args[0]); shell {
	case "sh", "ash":
		return shell
	}
	return name
}

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
	text, status := Format(args, func(msg string) { fmt.Fprintln(p.Stderr(), by(p, "printf")+": "+msg) }, p.Now())
	if text != "" {
		if _, err := p.Write(1, []byte(text)); err != nil {
			return 1
		}
	}
	return status
}

// Format formats as printf does: args[0] is the format, used again as long as arguments are left.
func Format(args []string, complain func(string), now time.Time) (text string, status int) {
	f := formatter{args: args[1:], complain: complain, now: now}
	for {
		before := len(f.args)
		if f.once(args[0]) || len(f.args) == 0 || len(f.args) == before || f.out.Len() > 64<<20 {
			break
		}
	}
	return f.out.String(), f.status
}

type formatter struct {
	out      strings.Builder
	args     []string
	complain func(string)
	status   int
	now      time.Time
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
			f.out.WriteString(text)
			if halt {
				return true
			}
			i += used - 1
		case '%':
			if i+1 < len(format) && format[i+1] == '%' {
				f.out.WriteByte('%')
				i++
				continue
			}
			j := i + 1
			for j < len(format) && strings.IndexByte("-+ 0#'", format[j]) >= 0 {
				j++
			}
			spec := format[i:j]
			width, n := f.number(format[j:])
			j += n
			precision := -1
			if j < len(format) && format[j] == '.' {
				precision, n = f.number(format[j+1:])
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
					f.out.WriteString(Strftime(format[j+1:j+end], f.now))
					i = j + end + 1
					continue
				}
			}
			if f.verb(spec, width, precision, format[j]) {
				return true
			}
			i = j
		default:
			f.out.WriteByte(c)
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
		return max(min(n, 1<<16), -1<<16), 1
	}
	for used < len(text) && text[used] >= '0' && text[used] <= '9' {
		n = min(n*10+int(text[used]-'0'), 1<<16)
		used++
	}
	return n, used
}

func (f *formatter) bad(msg string) {
	f.complain(msg)
	f.status = 1
}

func (f *formatter) verb(flags string, width, precision int, verb byte) (stop bool) {
	spec := strings.ReplaceAll(flags, "'", "")
	if width != 0 {
		if width < 0 {
			spec, width = spec+"-", -width
		}
		spec += strconv.Itoa(width)
	}
	withPrecision := spec
	if precision >= 0 {
		withPrecision += "." + strconv.Itoa(precision)
	}
	a, given := f.next()
	switch verb {
	case 's':
		fmt.Fprintf(&f.out, strings.ReplaceAll(withPrecision, "0-", "-")+"s", a)
	case 'b':
		text, halt := Escapes(Octal(a), EchoArgument)
		fmt.Fprintf(&f.out, withPrecision+"s", text)
		return halt
	case 'q':
		f.out.WriteString("'" + strings.ReplaceAll(a, "'", `'\''`) + "'")
	case 'c':
		if a == "" {
			a = "\x00"
		}
		fmt.Fprintf(&f.out, spec+"s", a[:1])
	case 'd', 'i', 'u', 'o', 'x', 'X':
		n, ok := integer(a)
		if !ok {
			f.bad(fmt.Sprintf("invalid number '%s'", a))
		}
		if n == 0 {
			withPrecision = strings.ReplaceAll(withPrecision, "#", "")
		}
		if verb == 'i' {
			verb = 'd'
		}
		switch {
		case verb == 'u':
			fmt.Fprintf(&f.out, withPrecision+"d", uint64(n))
		case verb == 'd':
			fmt.Fprintf(&f.out, withPrecision+"d", n)
		default:
			fmt.Fprintf(&f.out, withPrecision+string(verb), uint64(n))
		}
	case 'e', 'E', 'f', 'F', 'g', 'G':
		n, err := strconv.ParseFloat(strings.TrimSpace(a), 64)
		if given && err != nil {
			f.bad(fmt.Sprintf("invalid number '%s'", a))
		}
		if precision < 0 && verb != 'g' && verb != 'G' {
			withPrecision += ".6"
		}
		if precision < 0 && (verb == 'g' || verb == 'G') {
			withPrecision += ".6"
		}
		fmt.Fprintf(&f.out, withPrecision+string(verb), n)
	default:
		f.bad(fmt.Sprintf("%s%c: invalid format", flags, verb))
		return true
	}
	return false
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
