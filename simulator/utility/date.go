package utility

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// parseDate reads a date as date -d and touch -d do.
func (t *tool) parseDate(text string, now time.Time) (time.Time, bool) {
	if t.gnu {
		return parseDateGNU(text, now.UTC())
	}
	return parseDate(text, now)
}

// dateFormats are the dates that BusyBox reads, besides digits alone and "@".
var dateFormats = []string{"%R", "%T", "%m.%d-%R", "%m.%d-%T", "%Y.%m.%d-%R", "%Y.%m.%d-%T", "%b %d %T %Y", "%Y-%m-%d %R", "%Y-%m-%d %T",
	"%Y-%m-%d %R %z", "%Y-%m-%d %T %z", "%Y-%m-%d %H", "%Y-%m-%d"}

// parseDate reads the dates that BusyBox reads. What a date does not tell is taken from now.
func parseDate(text string, now time.Time) (time.Time, bool) {
	base := brokenDown(now.UTC())
	for _, format := range dateFormats {
		if b, rest, ok := strptime(text, format, base); ok && rest == "" {
			return valid(b.time())
		}
	}
	if seconds, ok := strings.CutPrefix(text, "@"); ok {
		n, err := strconv.ParseInt(seconds, 10, 64)
		if err != nil || seconds[0] == '+' {
			return now, false
		}
		return valid(time.Unix(n, 0).UTC())
	}
	return digitsDate(text, base)
}

// valid refuses the time that C's mktime takes for an error.
func valid(t time.Time) (time.Time, bool) { return t, t.Unix() != -1 }

// digitsDate reads [[[[[YY]YY]MM]DD]hh]mm[.ss].
func digitsDate(text string, b broken) (time.Time, bool) {
	digits, seconds, dotted := strings.Cut(text, ".")
	if len(digits)%2 != 0 || len(digits) < 2 || len(digits) > 12 || strings.Trim(digits, "0123456789") != "" {
		return time.Time{}, false
	}
	thisYear := b.year
	fields := []*int{&b.minute, &b.hour, &b.day, &b.month, &b.year}
	for i := 0; i < len(fields) && digits != ""; i++ {
		n := len(digits) - 2
		if i == 4 {
			n = 0
		}
		*fields[i] = atoi(digits[n:])
		digits = digits[:n]
	}
	if len(text)-len(seconds)-btoi(dotted) == 10 { // a year of two digits is the nearest one
		b.year += thisYear / 100 * 100
		if b.year < thisYear-50 {
			b.year += 100
		} else if b.year > thisYear+50 {
			b.year -= 100
		}
	}
	b.second = 0
	if dotted {
		if seconds == "" || strings.Trim(seconds, "0123456789") != "" || len(seconds) > 9 {
			return time.Time{}, false
		}
		b.second = atoi(seconds)
	}
	if b.month < 1 || b.month > 12 || b.day < 1 || b.day > 31 || b.hour > 23 || b.minute > 59 {
		return time.Time{}, false
	}
	return valid(b.time())
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
	opts, rest, ok := t.options(args, "d:r:s:uD:IR", false, map[string]string{"utc": "u", "date": "d:", "rfc-2822": "R", "reference": "r:", "set": "s:"})
	if !ok {
		return t.end()
	}
	if has(opts, 'R') && has(opts, 'I') {
		return t.usage()
	}
	if precision == "" {
		precision = last(opts, 'I')
	}
	format, given := "", len(rest) > 0 && strings.HasPrefix(rest[0], "+")
	if given {
		format, rest = rest[0][1:], rest[1:]
	}
	text, asked, set := last(opts, 'd'), has(opts, 'd'), has(opts, 's')
	if set {
		text, asked = last(opts, 's'), true
	} else if !asked && !t.gnu && len(rest) > 0 { // an operand sets the clock
		text, asked, set, rest = rest[0], true, true, rest[1:]
	}
	if len(rest) > 0 {
		if t.gnu {
			return t.fail("invalid date '%s'", rest[0])
		}
		return t.usage()
	}
	when := p.Now().UTC()
	switch {
	case asked:
		if when, ok = t.readDate(opts, text, when); !ok {
			return t.fail("invalid date '%s'", text)
		}
	case has(opts, 'r'):
		info, err := p.Stat(last(opts, 'r'))
		if err != nil {
			t.failed(last(opts, 'r'), err)
			return t.end()
		}
		when = info.ModTime().UTC()
	}
	if set {
		before := t.status
		t.complain("can't set date: Operation not permitted")
		if !t.gnu {
			t.status = before
		}
	}
	if !given {
		if format, ok = dateStyle(opts, precision); !ok {
			return t.usage()
		}
	}
	t.passing(strings.Count(format, "%") * mostPadded)
	if t.gnu || !given {
		t.out.WriteString(strftimeGNU(format, when) + "\n")
	} else {
		t.out.WriteString(Strftime(format, when) + "\n")
	}
	return t.end()
}

// readDate reads the date of -d, by the format of -D if there is one.
func (t *tool) readDate(opts map[byte][]string, text string, now time.Time) (time.Time, bool) {
	if t.gnu {
		return t.parseDate(text, now)
	}
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	if !has(opts, 'D') {
		return parseDate(text, midnight)
	}
	b, _, ok := strptime(text, last(opts, 'D'), brokenDown(midnight))
	if !ok {
		return now, false
	}
	return valid(b.time())
}

// dateStyle is the format of date's output, if the operands have none. It is false if there is no such precision of -I.
func dateStyle(opts map[byte][]string, precision string) (string, bool) {
	switch {
	case has(opts, 'R'):
		return "%a, %d %b %Y %H:%M:%S %z", true
	case has(opts, 'I'):
		for _, style := range []struct{ name, format string }{
			{"date", "%Y-%m-%d"}, {"hours", "%Y-%m-%dT%H+00:00"}, {"minutes", "%Y-%m-%dT%H:%M+00:00"}, {"seconds", "%Y-%m-%dT%H:%M:%S+00:00"}, {"ns", "%Y-%m-%dT%H:%M:%S,%N+00:00"},
		} {
			if precision == "" || strings.HasPrefix(style.name, precision) {
				return style.format, true
			}
		}
		return "", false
	case has(opts, '3'):
		for _, style := range []struct{ name, format string }{{"date", "%Y-%m-%d"}, {"seconds", "%Y-%m-%d %H:%M:%S+00:00"}, {"ns", "%Y-%m-%d %H:%M:%S.%N+00:00"}} {
			if strings.HasPrefix(style.name, last(opts, '3')) {
				return style.format, true
			}
		}
		return "", false
	}
	return "%a %b %e %H:%M:%S %Z %Y", true
}
