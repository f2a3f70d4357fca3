package jq

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Times are numbers of seconds, or "broken down": year, month from 0, day, hour, minute, second, day of the week, day of
// the year from 0. All are in UTC.

func (m *Machine) brokenDown(t time.Time, second float64) any {
	m.reserve(arraySize + 8*(cellSize+numberSize))
	return newArray([]any{float64(t.Year()), float64(t.Month() - 1), float64(t.Day()), float64(t.Hour()), float64(t.Minute()), second,
		float64(t.Weekday()), float64(t.YearDay() - 1)})
}

// mostSeconds bounds times: years have four digits or some more.
const mostSeconds = 1e15

func gmtime(m *Machine, in any, _ []any) (any, error) {
	f, ok := in.(float64)
	if !ok {
		return nil, failure("gmtime() requires a number")
	}
	if math.IsNaN(f) || math.Abs(f) > mostSeconds {
		return nil, failure("error converting number of seconds since epoch to datetime")
	}
	t := time.Unix(int64(f), 0).UTC() // towards zero
	return m.brokenDown(t, float64(t.Second())+(f-math.Floor(f))), nil
}

// when reads a broken down time.
func when(v any) (time.Time, bool) {
	a, ok := v.(*Array)
	if !ok || len(a.items) < 6 {
		return time.Time{}, false
	}
	var n [6]int
	for i := range n {
		f, ok := a.items[i].(float64)
		if !ok || math.IsNaN(f) || math.Abs(f) > 1e9 {
			return time.Time{}, false
		}
		n[i] = int(math.Floor(f))
	}
	return time.Date(n[0], time.Month(n[1]+1), n[2], n[3], n[4], n[5], 0, time.UTC), true
}

func mktime(_ *Machine, in any, _ []any) (any, error) {
	if _, ok := in.(*Array); !ok {
		return nil, failure("mktime requires array of 6 numbers")
	}
	t, ok := when(in)
	if !ok {
		return nil, failure("mktime requires parsed datetime inputs")
	}
	switch n := t.Unix(); n { // what C and jq take for errors
	case -1:
		return nil, failure("invalid gmtime representation")
	case -2:
		return nil, failure("mktime not supported on this platform")
	default:
		return float64(n), nil
	}
}

func strftime(m *Machine, in any, args []any) (any, error) {
	format, ok := args[0].(string)
	if f, number := in.(float64); number {
		broken, err := gmtime(m, f, nil)
		if err != nil {
			return nil, err
		}
		in = broken
	} else if _, array := in.(*Array); !array {
		return nil, failure("strftime/1 requires parsed datetime inputs")
	}
	if !ok {
		return nil, failure("strftime/1 requires a string format")
	}
	t, ok := when(in)
	if !ok {
		return nil, failure("strftime/1 requires parsed datetime inputs")
	}
	m.reserve(int64(len(format)) * 16)
	return m.world.Strftime(format, t.Unix()), nil
}

// strptime reads a time by a format.
func strptime(m *Machine, in any, args []any) (any, error) {
	text, ok := in.(string)
	if !ok {
		return nil, failure("strptime/1 requires string inputs and arguments")
	}
	format, ok := args[0].(string)
	if !ok {
		return nil, failure("strptime/1 requires string inputs and arguments")
	}
	r := reading{rest: text, year: 1900, day: 0}
	if !r.read(format) || strings.TrimLeft(r.rest, " \t\n") != "" {
		return nil, failure("date \"%s\" does not match format \"%s\"", text, format)
	}
	t := time.Date(r.year, time.Month(r.month+1), r.day, r.hour, r.minute, r.second, 0, time.UTC)
	if r.epoch {
		t = time.Unix(r.seconds, 0).UTC()
		return m.brokenDown(t, float64(t.Second())), nil
	}
	out := m.brokenDown(t, float64(r.second)).(*Array)
	out.items[0], out.items[1], out.items[2] = float64(r.year), float64(r.month), float64(r.day)
	return out, nil
}

// reading is a time while it is read. The month counts from 0, and a day that is not given is 0, as in C.
type reading struct {
	rest                                   string
	year, month, day, hour, minute, second int
	afternoon, half                        bool
	epoch                                  bool
	seconds                                int64
}

var (
	months   = []string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"}
	weekdays = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
)

func (r *reading) space() { r.rest = strings.TrimLeft(r.rest, " \t\n\r\v\f") }

// number reads at most width digits.
func (r *reading) number(width, low, high int) (int, bool) {
	r.space()
	n := 0
	for n < len(r.rest) && n < width && r.rest[n] >= '0' && r.rest[n] <= '9' {
		n++
	}
	v, err := strconv.Atoi(r.rest[:n])
	if err != nil || v < low || v > high {
		return 0, false
	}
	r.rest = r.rest[n:]
	return v, true
}

// name reads one of the names, or its first three letters.
func (r *reading) name(names []string) (int, bool) {
	r.space()
	low := strings.ToLower(cut(r.rest, 16))
	for i, name := range names {
		for _, form := range []string{name, name[:3]} {
			if strings.HasPrefix(low, form) {
				r.rest = r.rest[len(form):]
				return i, true
			}
		}
	}
	return 0, false
}

func (r *reading) read(format string) bool {
	for i := 0; i < len(format); i++ {
		c := format[i]
		if c == ' ' || c == '\t' || c == '\n' {
			r.space()
			continue
		}
		if c != '%' || i+1 == len(format) {
			if !strings.HasPrefix(r.rest, string(c)) {
				return false
			}
			r.rest = r.rest[1:]
			continue
		}
		i++
		if !r.directive(format[i]) {
			return false
		}
	}
	if r.half {
		r.hour %= 12
		if r.afternoon {
			r.hour += 12
		}
	}
	return true
}

func (r *reading) directive(c byte) (ok bool) {
	composed := map[byte]string{'T': "%H:%M:%S", 'R': "%H:%M", 'D': "%m/%d/%y", 'F': "%Y-%m-%d", 'c': "%a %b %e %H:%M:%S %Y", 'x': "%m/%d/%y", 'X': "%H:%M:%S",
		'r': "%I:%M:%S %p"}
	if inner := composed[c]; inner != "" {
		return r.read(inner)
	}
	var n int
	switch c {
	case 'Y':
		r.year, ok = r.number(4, 0, 9999)
	case 'm':
		n, ok = r.number(2, 1, 12)
		r.month = n - 1
	case 'd', 'e':
		r.day, ok = r.number(2, 1, 31)
	case 'H', 'k':
		r.hour, ok = r.number(2, 0, 23)
	case 'I', 'l':
		r.hour, ok = r.number(2, 1, 12)
		r.half = true
	case 'M':
		r.minute, ok = r.number(2, 0, 59)
	case 'S':
		r.second, ok = r.number(2, 0, 61)
	case 'y':
		n, ok = r.number(2, 0, 99)
		r.year = 1900 + n
		if n < 69 {
			r.year += 100
		}
	case 'j':
		n, ok = r.number(3, 1, 366)
		r.day, r.month = n, 0
	case 'b', 'B', 'h':
		r.month, ok = r.name(months)
	case 'a', 'A':
		_, ok = r.name(weekdays)
	case 'p':
		r.half = true
		switch strings.ToUpper(cut(r.rest, 2)) {
		case "AM", "PM":
			r.afternoon = r.rest[0]|0x20 == 'p'
			r.rest, ok = r.rest[2:], true
		}
	case 'Z':
		end := 0
		for end < len(r.rest) && r.rest[end] >= 'A' && r.rest[end] <= 'Z' {
			end++
		}
		r.rest, ok = r.rest[end:], true
	case 'z':
		r.space()
		if strings.HasPrefix(r.rest, "Z") {
			r.rest, ok = r.rest[1:], true
		} else if len(r.rest) > 0 && (r.rest[0] == '+' || r.rest[0] == '-') {
			r.rest = r.rest[1:]
			if _, ok = r.number(2, 0, 24); ok {
				r.rest = strings.TrimPrefix(r.rest, ":")
				r.number(2, 0, 59)
			}
		}
	case 's':
		end := 0
		for end < len(r.rest) && end < 12 && r.rest[end] >= '0' && r.rest[end] <= '9' {
			end++
		}
		v, err := strconv.ParseInt(r.rest[:end], 10, 64)
		r.rest, r.seconds, r.epoch, ok = r.rest[end:], v, true, err == nil
	case 'n', 't':
		r.space()
		ok = true
	case '%':
		ok = strings.HasPrefix(r.rest, "%")
		r.rest = strings.TrimPrefix(r.rest, "%")
	}
	return ok
}
