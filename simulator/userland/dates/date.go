package dates

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// ParseDate reads a date as date -d and touch -d do.
func ParseDate(t *kit.Tool, text string, now time.Time) (time.Time, bool) {
	if t.GNU {
		return parseDateGNU(text, now.UTC())
	}
	return parseDate(text, now)
}

// dateFormats are the dates that BusyBox reads, besides digits alone and "@".
var dateFormats = []string{"%R", "%T", "%m.%d-%R", "%m.%d-%T", "%Y.%m.%d-%R", "%Y.%m.%d-%T", "%b %d %T %Y", "%Y-%m-%d %R", "%Y-%m-%d %T",
	"%Y-%m-%d %R %z", "%Y-%m-%d %T %z", "%Y-%m-%d %H", "%Y-%m-%d"}

// parseDate reads the dates that BusyBox reads. What a date does not tell is taken from now.
func parseDate(text string, now time.Time) (time.Time, bool) {
	base := BrokenDown(now.UTC())
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
	return DigitsDate(text, base)
}

// valid refuses the time that C's mktime takes for an error.
func valid(t time.Time) (time.Time, bool) { return t, t.Unix() != -1 }

// DigitsDate reads [[[[[YY]YY]MM]DD]hh]mm[.ss].
func DigitsDate(text string, b broken) (time.Time, bool) {
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
		*fields[i] = kit.Atoi(digits[n:])
		digits = digits[:n]
	}
	if len(text)-len(seconds)-kit.Btoi(dotted) == 10 { // a year of two digits is the nearest one
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
		b.second = kit.Atoi(seconds)
	}
	if b.month < 1 || b.month > 12 || b.day < 1 || b.day > 31 || b.hour > 23 || b.minute > 59 {
		return time.Time{}, false
	}
	return valid(b.time())
}

// Date is the utility date.
func Date(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	args = slices.Clone(args)
	precision := ""
	for i, a := range args { // -I takes its value attached, if at all
		if len(a) > 2 && strings.HasPrefix(a, "-I") {
			args[i], precision = "-I", a[2:]
		}
	}
	opts, rest, ok := t.Options(args, "d:r:s:uD:IR", false, map[string]string{"utc": "u", "date": "d:", "rfc-2822": "R", "reference": "r:", "set": "s:"})
	if !ok {
		return t.End()
	}
	if kit.Has(opts, 'R') && kit.Has(opts, 'I') {
		return t.Usage()
	}
	if precision == "" {
		precision = kit.Last(opts, 'I')
	}
	format, given := "", len(rest) > 0 && strings.HasPrefix(rest[0], "+")
	if given {
		format, rest = rest[0][1:], rest[1:]
	}
	text, asked, set := kit.Last(opts, 'd'), kit.Has(opts, 'd'), kit.Has(opts, 's')
	if set {
		text, asked = kit.Last(opts, 's'), true
	} else if !asked && !t.GNU && len(rest) > 0 { // an operand sets the clock
		text, asked, set, rest = rest[0], true, true, rest[1:]
	}
	if len(rest) > 0 {
		if t.GNU {
			return t.Fail("invalid date '%s'", rest[0])
		}
		return t.Usage()
	}
	when := p.Now().UTC()
	switch {
	case asked:
		if when, ok = readDate(t, opts, text, when); !ok {
			return t.Fail("invalid date '%s'", text)
		}
	case kit.Has(opts, 'r'):
		info, err := p.Stat(kit.Last(opts, 'r'))
		if err != nil {
			t.Failed(kit.Last(opts, 'r'), err)
			return t.End()
		}
		when = info.ModTime().UTC()
	}
	if set {
		before := t.Status
		t.Complain("can't set date: Operation not permitted")
		if !t.GNU {
			t.Status = before
		}
	}
	if !given {
		if format, ok = dateStyle(opts, precision); !ok {
			return t.Usage()
		}
	}
	t.Passing(strings.Count(format, "%") * kit.MostPadded)
	if t.GNU || !given {
		t.Out.WriteString(StrftimeGNU(format, when) + "\n")
	} else {
		t.Out.WriteString(Strftime(format, when) + "\n")
	}
	return t.End()
}

// readDate reads the date of -d, by the format of -D if there is one.
func readDate(t *kit.Tool, opts map[byte][]string, text string, now time.Time) (time.Time, bool) {
	if t.GNU {
		return ParseDate(t, text, now)
	}
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	if !kit.Has(opts, 'D') {
		return parseDate(text, midnight)
	}
	b, _, ok := strptime(text, kit.Last(opts, 'D'), BrokenDown(midnight))
	if !ok {
		return now, false
	}
	return valid(b.time())
}

// dateStyle is the format of date's output, if the operands have none. It is false if there is no such precision of -I.
func dateStyle(opts map[byte][]string, precision string) (string, bool) {
	switch {
	case kit.Has(opts, 'R'):
		return "%a, %d %b %Y %H:%M:%S %z", true
	case kit.Has(opts, 'I'):
		for _, style := range []struct{ name, format string }{
			{"date", "%Y-%m-%d"}, {"hours", "%Y-%m-%dT%H+00:00"}, {"minutes", "%Y-%m-%dT%H:%M+00:00"}, {"seconds", "%Y-%m-%dT%H:%M:%S+00:00"}, {"ns", "%Y-%m-%dT%H:%M:%S,%N+00:00"},
		} {
			if precision == "" || strings.HasPrefix(style.name, precision) {
				return style.format, true
			}
		}
		return "", false
	case kit.Has(opts, '3'):
		for _, style := range []struct{ name, format string }{{"date", "%Y-%m-%d"}, {"seconds", "%Y-%m-%d %H:%M:%S+00:00"}, {"ns", "%Y-%m-%d %H:%M:%S.%N+00:00"}} {
			if strings.HasPrefix(style.name, kit.Last(opts, '3')) {
				return style.format, true
			}
		}
		return "", false
	}
	return "%a %b %e %H:%M:%S %Z %Y", true
}
