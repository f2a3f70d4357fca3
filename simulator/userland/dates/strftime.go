package dates

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Strftime formats a time as strftime of the GNU C library does in the locale C. What it does not know stays as it is.
func Strftime(format string, t time.Time) string { return strftime(format, t, false) }

// StrftimeGNU is the strftime of GNU's utilities, which also knows nanoseconds (%N) and zones with colons (%:z).
func StrftimeGNU(format string, t time.Time) string { return strftime(format, t, true) }

// conversion is one % of a format.
type conversion struct {
	pad    byte // '_', '-', '0' or 0
	upper  bool
	other  bool // the other case
	width  int  // -1 if none is given
	letter byte
}

func strftime(format string, t time.Time, gnu bool) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		start := i
		c := conversion{width: -1}
		for i++; i < len(format) && strings.IndexByte("_-0^#", format[i]) >= 0; i++ {
			switch format[i] {
			case '^':
				c.upper = true
			case '#':
				c.other = true
			default:
				c.pad = format[i]
			}
		}
		for ; i < len(format) && kit.Digit(format[i]); i++ {
			c.width = min(max(c.width, 0)*10+int(format[i]-'0'), kit.MostPadded)
		}
		modifier := byte(0)
		if i < len(format) && (format[i] == 'E' || format[i] == 'O') {
			modifier = format[i]
			i++
		}
		colons := 0
		for gnu && i < len(format) && format[i] == ':' {
			colons++
			i++
		}
		if i >= len(format) {
			b.WriteString(format[start:])
			break
		}
		c.letter = format[i]
		text, known := c.format(t, gnu, colons)
		if !known || modifier == 'E' && strings.IndexByte("cCyYxX", c.letter) < 0 || modifier == 'O' && strings.IndexByte("deHIkmMSuUVwWy", c.letter) < 0 || colons > 0 && c.letter != 'z' {
			text = format[start : i+1]
		}
		b.WriteString(text)
	}
	return b.String()
}

// number formats a number that is padded to some digits unless the conversion says otherwise.
func (c conversion) number(n, digits int, fill byte) string {
	switch c.pad {
	case '-':
		digits, fill = 1, ' '
	case '_':
		fill = ' '
	case '0':
		fill = '0'
	}
	width := digits
	if c.width >= 0 {
		width = max(width, c.width)
	}
	text := strconv.Itoa(n)
	return strings.Repeat(string(fill), max(0, width-len(text))) + text
}

// text formats words.
func (c conversion) text(s string) string {
	if c.upper {
		s = strings.ToUpper(s)
	}
	fill := " "
	if c.pad == '0' {
		fill = "0"
	}
	if c.pad == '-' {
		return s
	}
	return strings.Repeat(fill, max(0, c.width-len(s))) + s
}

// name formats a name that # makes upper case.
func (c conversion) name(s string) string {
	c.upper = c.upper || c.other
	return c.text(s)
}

// format returns what the conversion stands for, if that is known.
func (c conversion) format(t time.Time, gnu bool, colons int) (text string, known bool) {
	isoYear, week := t.ISOWeek()
	weekday := int(t.Weekday())
	fromMonday := (weekday + 6) % 7
	part := func(format string) string { return c.text(strftime(format, t, gnu)) }
	switch c.letter {
	case 'Y':
		return c.number(t.Year(), 1, '0'), true
	case 'y':
		return c.number((t.Year()%100+100)%100, 2, '0'), true
	case 'C':
		return c.number(t.Year()/100, 2, '0'), true
	case 'G':
		return c.number(isoYear, 1, '0'), true
	case 'g':
		return c.number((isoYear%100+100)%100, 2, '0'), true
	case 'm':
		return c.number(int(t.Month()), 2, '0'), true
	case 'd':
		return c.number(t.Day(), 2, '0'), true
	case 'e':
		return c.number(t.Day(), 2, ' '), true
	case 'H':
		return c.number(t.Hour(), 2, '0'), true
	case 'k':
		return c.number(t.Hour(), 2, ' '), true
	case 'I':
		return c.number((t.Hour()+11)%12+1, 2, '0'), true
	case 'l':
		return c.number((t.Hour()+11)%12+1, 2, ' '), true
	case 'M':
		return c.number(t.Minute(), 2, '0'), true
	case 'S':
		return c.number(t.Second(), 2, '0'), true
	case 'j':
		return c.number(t.YearDay(), 3, '0'), true
	case 'V':
		return c.number(week, 2, '0'), true
	case 'u':
		return c.number(fromMonday+1, 1, '0'), true
	case 'w':
		return c.number(weekday, 1, '0'), true
	case 'U':
		return c.number((t.YearDay()+6-weekday)/7, 2, '0'), true
	case 'W':
		return c.number((t.YearDay()+6-fromMonday)/7, 2, '0'), true
	case 's':
		return c.number(int(t.Unix()), 1, ' '), true
	case 'F':
		return part("%Y-%m-%d"), true
	case 'T', 'X':
		return part("%H:%M:%S"), true
	case 'R':
		return part("%H:%M"), true
	case 'D', 'x':
		return part("%m/%d/%y"), true
	case 'r':
		return part("%I:%M:%S %p"), true
	case 'c':
		return part("%a %b %e %H:%M:%S %Y"), true
	case 'a':
		return c.name(t.Format("Mon")), true
	case 'A':
		return c.name(t.Format("Monday")), true
	case 'b', 'h':
		return c.name(t.Format("Jan")), true
	case 'B':
		return c.name(t.Format("January")), true
	case 'p':
		if c.other {
			return c.text(t.Format("pm")), true
		}
		return c.text(t.Format("PM")), true
	case 'P':
		return c.text(t.Format("pm")), true
	case 'Z':
		if c.other {
			return c.text("utc"), true
		}
		return c.text("UTC"), true
	case 'z':
		return c.zone(colons), true
	case 'n':
		return c.text("\n"), true
	case 't':
		return c.text("\t"), true
	case '%':
		return c.text("%"), true
	case 'N':
		if !gnu {
			return "", false
		}
		return c.nanoseconds(t.Nanosecond()), true
	}
	return "", false
}

// zone is the zone, which is always UTC, with the given number of colons.
func (c conversion) zone(colons int) string {
	switch colons {
	case 0:
		if c.width > 5 {
			return "+" + strings.Repeat("0", c.width-1)
		}
		return "+0000"
	case 1:
		return "+00:00"
	case 2:
		return "+00:00:00"
	}
	return "+00"
}

// nanoseconds is %N: a width takes the first digits.
func (c conversion) nanoseconds(n int) string {
	text := fmt.Sprintf("%09d", n)
	switch {
	case c.width > 9:
		text += strings.Repeat("0", c.width-9)
	case c.width > 0:
		text = text[:c.width]
	}
	return text
}
