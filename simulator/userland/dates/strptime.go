package dates

import (
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// broken is a time as C's struct tm has it. Its fields may exceed their ranges.
type broken struct {
	year, month, day, hour, minute, second int // a month counts from 1
	zone                                   int // seconds east of UTC
	century                                int // -1 if none was read
	afternoon                              bool
	twelve                                 bool // the hour is one of twelve
	at                                     *time.Time
}

// BrokenDown splits a time.
func BrokenDown(t time.Time) broken {
	return broken{year: t.Year(), month: int(t.Month()), day: t.Day(), hour: t.Hour(), minute: t.Minute(), second: t.Second(), century: -1}
}

// time puts the fields together.
func (b broken) time() time.Time {
	if b.at != nil {
		return *b.at
	}
	return time.Date(b.year, time.Month(b.month), b.day, b.hour, b.minute, b.second-b.zone, 0, time.UTC)
}

// strptime reads a time by a format, as strptime of the GNU C library does in the locale C, over the fields of b. It
// returns the text that is left.
func strptime(text, format string, b broken) (result broken, rest string, ok bool) {
	p := strptimer{text: text, b: b}
	if !p.read(format) {
		return b, "", false
	}
	if p.b.twelve {
		p.b.hour %= 12
		if p.b.afternoon {
			p.b.hour += 12
		}
	}
	if p.b.century >= 0 {
		p.b.year = p.b.century*100 + p.yearIn
	}
	return p.b, p.text, true
}

// strptimer is a strptime at work.
type strptimer struct {
	text   string
	b      broken
	yearIn int // the year in a century, if it was read
}

// number reads digits behind white space; the value has to be between two bounds.
func (p *strptimer) number(low, high, digits int) (n int, ok bool) {
	p.text = strings.TrimLeft(p.text, " ")
	i := 0
	for i < len(p.text) && i < digits && kit.Digit(p.text[i]) {
		n = n*10 + int(p.text[i]-'0')
		i++
	}
	p.text = p.text[i:]
	return n, i > 0 && n >= low && n <= high
}

// word reads one of some words, in full or its first three letters, and returns its index.
func (p *strptimer) word(words ...string) (int, bool) {
	for i, w := range words {
		for _, form := range []string{w, w[:min(3, len(w))]} {
			if len(p.text) >= len(form) && strings.EqualFold(p.text[:len(form)], form) {
				p.text = p.text[len(form):]
				return i, true
			}
		}
	}
	return 0, false
}

func (p *strptimer) read(format string) bool {
	for i := 0; i < len(format); i++ {
		switch c := format[i]; {
		case strings.IndexByte(" \t\n\v\f\r", c) >= 0:
			p.text = strings.TrimLeft(p.text, " \t\n\v\f\r")
		case c != '%' || i+1 >= len(format):
			if p.text == "" || p.text[0] != c {
				return false
			}
			p.text = p.text[1:]
		default:
			i++
			for i < len(format) && strings.IndexByte("-_0^#", format[i]) >= 0 {
				i++
			}
			if i+1 < len(format) && (format[i] == 'E' && strings.IndexByte("cCyYxX", format[i+1]) >= 0 || format[i] == 'O' && strings.IndexByte("deHImMSUVwWy", format[i+1]) >= 0) {
				i++
			}
			if i >= len(format) || !p.conversion(format[i]) {
				return false
			}
		}
	}
	return true
}

// conversion reads what one letter stands for.
func (p *strptimer) conversion(letter byte) (ok bool) {
	switch letter {
	case '%':
		ok = strings.HasPrefix(p.text, "%")
		p.text = strings.TrimPrefix(p.text, "%")
	case 'n', 't':
		p.text = strings.TrimLeft(p.text, " \t\n\v\f\r")
		return true
	case 'Y':
		p.b.century = -1
		p.b.year, ok = p.number(0, 9999, 4)
	case 'y':
		var n int
		if n, ok = p.number(0, 99, 2); ok {
			p.yearIn, p.b.year = n, n+1900
			if n < 69 {
				p.b.year += 100
			}
		}
	case 'C':
		p.b.century, ok = p.number(0, 99, 2)
	case 'm':
		p.b.month, ok = p.number(1, 12, 2)
	case 'd', 'e':
		p.b.day, ok = p.number(1, 31, 2)
	case 'H', 'k':
		p.b.twelve = false
		p.b.hour, ok = p.number(0, 23, 2)
	case 'I', 'l':
		p.b.twelve = true
		p.b.hour, ok = p.number(1, 12, 2)
	case 'M':
		p.b.minute, ok = p.number(0, 59, 2)
	case 'S':
		p.b.second, ok = p.number(0, 61, 2)
	case 'j':
		_, ok = p.number(1, 366, 3)
	case 'u':
		_, ok = p.number(1, 7, 1)
	case 'w':
		_, ok = p.number(0, 6, 1)
	case 'U', 'W':
		_, ok = p.number(0, 53, 2)
	case 'V':
		_, ok = p.number(0, 53, 2)
	case 'g':
		_, ok = p.number(0, 99, 2)
	case 'G':
		_, ok = p.number(0, 9999, 4)
	case 'b', 'B', 'h':
		var n int
		n, ok = p.word("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
		p.b.month = n + 1
	case 'a', 'A':
		_, ok = p.word("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
	case 'p', 'P':
		var n int
		n, ok = p.word("AM", "PM")
		p.b.afternoon = n == 1
	case 's':
		var n int
		if n, ok = p.number(0, 1<<60, 18); ok {
			at := BrokenDown(time.Unix(int64(n), 0).UTC())
			p.b.year, p.b.month, p.b.day, p.b.hour, p.b.minute, p.b.second = at.year, at.month, at.day, at.hour, at.minute, at.second
		}
	case 'Z':
		return true
	case 'z':
		return p.offset()
	case 'F':
		return p.read("%Y-%m-%d")
	case 'T', 'X':
		return p.read("%H:%M:%S")
	case 'R':
		return p.read("%H:%M")
	case 'r':
		return p.read("%I:%M:%S %p")
	case 'D', 'x':
		return p.read("%m/%d/%y")
	case 'c':
		return p.read("%a %b %e %H:%M:%S %Y")
	}
	return ok
}

// offset reads a zone: Z, or hours and minutes with a sign.
func (p *strptimer) offset() bool {
	p.text = strings.TrimLeft(p.text, " ")
	if strings.HasPrefix(p.text, "Z") {
		p.text, p.b.zone = p.text[1:], 0
		return true
	}
	if p.text == "" || p.text[0] != '+' && p.text[0] != '-' {
		return false
	}
	sign := 1
	if p.text[0] == '-' {
		sign = -1
	}
	p.text = p.text[1:]
	n, digits := 0, 0
	for digits < 4 && p.text != "" {
		if digits == 2 && p.text[0] == ':' {
			p.text = p.text[1:]
			continue
		}
		if !kit.Digit(p.text[0]) {
			break
		}
		n = n*10 + int(p.text[0]-'0')
		p.text = p.text[1:]
		digits++
	}
	if digits == 2 {
		n *= 100
	} else if digits != 4 {
		return false
	}
	if n > 1400 || n%100 >= 60 {
		return false
	}
	p.b.zone = sign * (n/100*3600 + n%100*60)
	return true
}
