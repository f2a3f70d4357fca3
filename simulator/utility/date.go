package utility

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// Strftime formats a time by a strftime format.
func Strftime(format string, t time.Time) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 >= len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		pad := byte(0)
		if (format[i] == '-' || format[i] == '_' || format[i] == '0') && i+1 < len(format) {
			pad = format[i]
			i++
		}
		digits := 0
		for i+1 < len(format) && digit(format[i]) {
			digits = digits*10 + int(format[i]-'0')
			i++
		}
		number := func(n, width int, fill byte) {
			switch pad {
			case '-':
				width = 0
			case '_':
				fill = ' '
			case '0':
				fill = '0'
			}
			text := strconv.Itoa(n)
			for len(text) < width {
				text = string(fill) + text
			}
			b.WriteString(text)
		}
		_, week := t.ISOWeek()
		isoYear, _ := t.ISOWeek()
		hour12 := (t.Hour()+11)%12 + 1
		switch format[i] {
		case 'Y':
			number(t.Year(), 0, '0')
		case 'y':
			number(t.Year()%100, 2, '0')
		case 'C':
			number(t.Year()/100, 2, '0')
		case 'G':
			number(isoYear, 0, '0')
		case 'm':
			number(int(t.Month()), 2, '0')
		case 'd':
			number(t.Day(), 2, '0')
		case 'e':
			number(t.Day(), 2, ' ')
		case 'H':
			number(t.Hour(), 2, '0')
		case 'k':
			number(t.Hour(), 2, ' ')
		case 'I':
			number(hour12, 2, '0')
		case 'l':
			number(hour12, 2, ' ')
		case 'M':
			number(t.Minute(), 2, '0')
		case 'S':
			number(t.Second(), 2, '0')
		case 'N':
			text := fmt.Sprintf("%09d", t.Nanosecond())
			if digits > 0 && digits < 9 {
				text = text[:digits]
			}
			b.WriteString(text)
		case 'j':
			number(t.YearDay(), 3, '0')
		case 'V':
			number(week, 2, '0')
		case 'u':
			number((int(t.Weekday())+6)%7+1, 1, '0')
		case 'w':
			number(int(t.Weekday()), 1, '0')
		case 'U':
			number((t.YearDay()+6-int(t.Weekday()))/7, 2, '0')
		case 'W':
			number((t.YearDay()+6-(int(t.Weekday())+6)%7)/7, 2, '0')
		case 's':
			b.WriteString(strconv.FormatInt(t.Unix(), 10))
		case 'F':
			b.WriteString(t.Format("2006-01-02"))
		case 'T':
			b.WriteString(t.Format("15:04:05"))
		case 'R':
			b.WriteString(t.Format("15:04"))
		case 'D', 'x':
			b.WriteString(t.Format("01/02/06"))
		case 'X':
			b.WriteString(t.Format("15:04:05"))
		case 'r':
			b.WriteString(t.Format("03:04:05 PM"))
		case 'c':
			b.WriteString(t.Format("Mon Jan _2 15:04:05 2006"))
		case 'a':
			b.WriteString(t.Format("Mon"))
		case 'A':
			b.WriteString(t.Format("Monday"))
		case 'b', 'h':
			b.WriteString(t.Format("Jan"))
		case 'B':
			b.WriteString(t.Format("January"))
		case 'p':
			b.WriteString(t.Format("PM"))
		case 'P':
			b.WriteString(t.Format("pm"))
		case 'Z':
			b.WriteString("UTC")
		case 'z':
			b.WriteString("+0000")
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case '%':
			b.WriteByte('%')
		default:
			b.WriteByte('%')
			b.WriteByte(format[i])
		}
	}
	return b.String()
}

// parseDate reads a date as date -d and touch -d do.
func (t *tool) parseDate(text string, now time.Time) (time.Time, bool) {
	if t.gnu {
		if when, ok := parseDateGNU(text, now.UTC()); ok {
			return when, true
		}
	}
	return parseDate(text, now)
}

// parseDate reads the dates that BusyBox reads.
func parseDate(text string, now time.Time) (time.Time, bool) {
	if strings.HasPrefix(text, "@") {
		n, err := strconv.ParseInt(text[1:], 10, 64)
		return time.Unix(n, 0).UTC(), err == nil
	}
	switch text {
	case "now", "today":
		return now, true
	case "yesterday":
		return now.AddDate(0, 0, -1), true
	case "tomorrow":
		return now.AddDate(0, 0, 1), true
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02", "2006.01.02-15:04:05",
		"200601021504.05", "200601021504", "20060102", "15:04:05", "15:04", time.RFC1123Z, time.RFC1123} {
		t, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if t.Year() == 0 {
			t = time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
		}
		return t.UTC(), true
	}
	// "2 days ago", "+1 hour"
	fields := strings.Fields(strings.TrimPrefix(text, "+"))
	if len(fields) == 2 || len(fields) == 3 && fields[2] == "ago" {
		n, err := strconv.Atoi(fields[0])
		if err != nil {
			return now, false
		}
		if len(fields) == 3 {
			n = -n
		}
		switch strings.TrimSuffix(fields[1], "s") {
		case "second", "sec":
			return now.Add(time.Duration(n) * time.Second), true
		case "minute", "min":
			return now.Add(time.Duration(n) * time.Minute), true
		case "hour":
			return now.Add(time.Duration(n) * time.Hour), true
		case "day":
			return now.AddDate(0, 0, n), true
		case "week":
			return now.AddDate(0, 0, 7*n), true
		case "month":
			return now.AddDate(0, n, 0), true
		case "year":
			return now.AddDate(n, 0, 0), true
		}
	}
	return now, false
}

func date(p *container.Process, args []string) int {
	t := begin(p, args)
	args = slices.Clone(args)
	precision := ""
	for i, a := range args { // -I takes its value attached, if at all
		if len(a) > 2 && strings.HasPrefix(a, "-I") {
			args[i], precision = "-I", a[2:]
		}
	}
	opts, rest, ok := t.options(args, "ud:r:Rs:D:I", false, map[string]string{"utc": "u", "date": "d:", "rfc-2822": "R", "reference": "r:"})
	if !ok {
		return t.end()
	}
	if precision == "" {
		precision = last(opts, 'I')
	}
	when := p.Now().UTC()
	switch {
	case has(opts, 'd'):
		var good bool
		if when, good = t.parseDate(last(opts, 'd'), when); !good {
			return t.fail("invalid date '%s'", last(opts, 'd'))
		}
	case has(opts, 'r'):
		info, err := p.Stat(last(opts, 'r'))
		if err != nil {
			t.failed(last(opts, 'r'), err)
			return t.end()
		}
		when = info.ModTime().UTC()
	case has(opts, 's'):
		return t.fail("can't set date: Operation not permitted")
	}
	format := "%a %b %e %H:%M:%S %Z %Y"
	switch {
	case has(opts, 'R'):
		format = "%a, %d %b %Y %H:%M:%S %z"
	case has(opts, 'I'):
		format = map[string]string{"": "%Y-%m-%d", "date": "%Y-%m-%d", "hours": "%Y-%m-%dT%H+00:00", "minutes": "%Y-%m-%dT%H:%M+00:00", "seconds": "%Y-%m-%dT%H:%M:%S+00:00", "ns": "%Y-%m-%dT%H:%M:%S,%N+00:00"}[precision]
	case has(opts, '3'):
		format = map[string]string{"date": "%Y-%m-%d", "seconds": "%Y-%m-%d %H:%M:%S+00:00", "ns": "%Y-%m-%d %H:%M:%S.%N+00:00"}[last(opts, '3')]
	}
	if len(rest) > 0 {
		if !strings.HasPrefix(rest[0], "+") {
			return t.fail("invalid date '%s'", rest[0])
		}
		format = rest[0][1:]
	}
	t.out.WriteString(Strftime(format, when) + "\n")
	return t.end()
}
