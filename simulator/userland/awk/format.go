package awk

import (
	"math"
	"strconv"
	"strings"
)

// maxWidth is the largest width or precision: as large as C has.
const maxWidth = math.MaxInt32

// spec is one conversion of a format.
type spec struct {
	minus, plus, space, zero, alt bool
	width, precision              int // precision -1: none
}

// sprintf formats values by the first of them. What it makes is copied several times on the way.
func (m *machine) sprintf(args []value) string {
	text := m.passing(sprintf(m.string(args[0]), args[1:], m.global(vCONVFMT), m.o.Long, m.room))
	m.copies(4 * len(text))
	return text
}

// sprintf formats as C does; numbers that become strings use convert. It tells room how many bytes a conversion makes
// before it makes them.
func sprintf(format string, args []value, convert string, long bool, room func(n int)) string {
	var b strings.Builder
	next := func() value {
		if len(args) == 0 {
			return value{}
		}
		v := args[0]
		args = args[1:]
		return v
	}
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		from := i
		i++
		s := spec{precision: -1}
	flags:
		for ; i < len(format); i++ {
			switch format[i] {
			case '-':
				s.minus = true
			case '+':
				s.plus = true
			case ' ':
				s.space = true
			case '0':
				s.zero = true
			case '#':
				s.alt = true
			case '\'':
			default:
				break flags
			}
		}
		size := func() int {
			if i < len(format) && format[i] == '*' {
				i++
				return int(max(min(next().number(), maxWidth), -maxWidth))
			}
			n := 0
			for ; i < len(format) && digit(format[i]); i++ {
				n = min(n*10+int(format[i]-'0'), maxWidth)
			}
			return n
		}
		if s.width = size(); s.width < 0 {
			s.minus, s.width = true, -s.width
		}
		if i < len(format) && format[i] == '.' {
			i++
			s.precision = max(size(), 0)
		}
		for i < len(format) && strings.IndexByte("hlLqjzt", format[i]) >= 0 {
			i++
		}
		if i >= len(format) {
			b.WriteString(format[from:])
			break
		}
		if n := s.width + max(s.precision, 0); n > 0 {
			room(2*b.Len() + n)
		}
		switch c := format[i]; c {
		case '%':
			b.WriteByte('%')
		case 'd', 'i':
			n := next().number()
			if !long {
				n = float64(asInt(n))
			}
			b.WriteString(s.integer(n))
		case 'o', 'x', 'X', 'u':
			n := next().number()
			if !long {
				n = float64(uint32(asInt(n)))
			}
			b.WriteString(s.unsigned(n, c))
		case 'e', 'E', 'f', 'F', 'g', 'G', 'a', 'A':
			b.WriteString(s.float(next().number(), c))
		case 'c':
			b.WriteString(s.pad(character(next(), long), false))
		case 's':
			text := next().text(convert)
			if s.precision >= 0 && s.precision < len(text) {
				text = text[:s.precision]
			}
			b.WriteString(s.pad(text, false))
		default:
			b.WriteString(format[from : i+1])
		}
	}
	return b.String()
}

func character(v value, long bool) string {
	if v.kind == isNumber || v.kind == isInput && looksNumeric(v.s) {
		n := v.number()
		if n >= 256 && n <= 0x10ffff && long {
			return string(rune(n))
		}
		return string([]byte{byte(int64(n))})
	}
	switch {
	case v.s != "":
		return v.s[:1]
	case long:
		return ""
	}
	return "\x00"
}

// asInt converts a number to an int of C, as the processor does: what does not fit becomes the smallest one.
func asInt(n float64) int32 {
	if n > math.MinInt32-1 && n < math.MaxInt32+1 {
		return int32(n)
	}
	return math.MinInt32
}

// pad brings text to the width; zeros go between sign and digits.
func (s spec) pad(text string, number bool) string {
	fill := s.width - len(text)
	switch {
	case fill <= 0:
		return text
	case s.minus:
		return text + strings.Repeat(" ", fill)
	case s.zero && number:
		at := 0
		if text != "" && strings.IndexByte("+- ", text[0]) >= 0 {
			at = 1
		}
		if strings.HasPrefix(text[at:], "0x") || strings.HasPrefix(text[at:], "0X") {
			at += 2
		}
		return text[:at] + strings.Repeat("0", fill) + text[at:]
	}
	return strings.Repeat(" ", fill) + text
}

func (s spec) sign(negative bool) string {
	switch {
	case negative:
		return "-"
	case s.plus:
		return "+"
	case s.space:
		return " "
	}
	return ""
}

func (s spec) integer(n float64) string {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return s.float(n, 'f')
	}
	digits := strconv.FormatFloat(math.Abs(math.Trunc(n)), 'f', 0, 64)
	digits = strings.Repeat("0", max(0, s.precision-len(digits))) + digits
	return s.pad(s.sign(math.Trunc(n) < 0)+digits, s.precision < 0)
}

func (s spec) unsigned(n float64, verb byte) string {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return s.float(n, 'f')
	}
	u := uint64(int64(n))
	if n >= 1<<63 {
		u = uint64(n)
	}
	base := map[byte]int{'o': 8, 'x': 16, 'X': 16, 'u': 10}[verb]
	digits := strconv.FormatUint(u, base)
	if verb == 'X' {
		digits = strings.ToUpper(digits)
	}
	digits = strings.Repeat("0", max(0, s.precision-len(digits))) + digits
	if s.alt && u != 0 {
		switch verb {
		case 'o':
			digits = "0" + digits
		case 'x', 'X':
			digits = "0" + string(verb) + digits
		}
	}
	return s.pad(digits, s.precision < 0)
}

func (s spec) float(n float64, verb byte) string {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		text := strings.TrimLeft(strings.ToLower(strconv.FormatFloat(n, 'g', -1, 64)), "+-")
		if verb < 'a' {
			text = strings.ToUpper(text)
		}
		s.zero = false
		return s.pad(s.sign(math.IsInf(n, -1))+text, false)
	}
	precision := s.precision
	if precision < 0 {
		precision = 6
	}
	lower := verb | 0x20
	if lower == 'g' && precision == 0 {
		precision = 1
	}
	var text string
	switch lower {
	case 'a':
		text = strconv.FormatFloat(math.Abs(n), 'x', -1, 64)
	default:
		text = strconv.FormatFloat(math.Abs(n), lower, precision, 64)
	}
	if verb < 'a' {
		text = strings.ToUpper(text)
	}
	return s.pad(s.sign(math.Signbit(n))+text, true)
}
