package dates

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// The dates that GNU's date -d and touch -d read, as the manual of coreutils lists them ("Date input formats"): a date,
// a time of day, a zone, a day of the week and any number of relative items, in any order.

// gnuDate is a date while it is read.
type gnuDate struct {
	now                        time.Time
	year, month, day           int
	hour, minute, second, nano int
	zone                       int // seconds east
	hasDate, hasTime, hasZone  bool
	clocked                    bool // the item before was a time of day without a zone
	weekday, ordinal           int  // weekday -1: none
	years, months, days        int
	span                       time.Duration
	epoch                      *time.Time
}

// parseDateGNU reads a date as GNU's date does.
func parseDateGNU(text string, now time.Time) (time.Time, bool) {
	d := gnuDate{now: now, weekday: -1}
	words := strings.Fields(strings.ToLower(strings.NewReplacer(",", " ").Replace(text)))
	for i := 0; i < len(words); {
		n := d.item(words[i:])
		if n == 0 {
			return now, false
		}
		i += n
	}
	return d.time()
}

func (d *gnuDate) time() (time.Time, bool) {
	if d.epoch != nil {
		return d.epoch.AddDate(d.years, d.months, d.days).Add(d.span), true
	}
	base := d.now
	year, month, day := base.Date()
	if d.hasDate {
		year, month, day = d.year, time.Month(d.month), d.day
		if check := time.Date(year, month, day, 0, 0, 0, 0, time.UTC); check.Day() != day || month < 1 || month > 12 {
			return d.now, false
		}
	}
	hour, minute, second, nano := base.Hour(), base.Minute(), base.Second(), base.Nanosecond()
	switch {
	case d.hasTime:
		hour, minute, second, nano = d.hour, d.minute, d.second, d.nano
	case d.hasDate || d.weekday >= 0 || d.hasZone:
		hour, minute, second, nano = 0, 0, 0, 0
	}
	t := time.Date(year, month, day, hour, minute, second, nano, time.UTC)
	if d.weekday >= 0 && !d.hasDate {
		ahead := (d.weekday - int(t.Weekday()) + 7) % 7
		n := d.ordinal
		if n > 0 && ahead != 0 {
			n--
		}
		t = t.AddDate(0, 0, ahead+7*n)
	}
	t = t.AddDate(d.years, d.months, d.days).Add(d.span)
	if d.hasZone {
		t = t.Add(-time.Duration(d.zone) * time.Second)
	}
	return t, true
}

var (
	gnuUnits = map[string]string{"year": "y", "month": "m", "fortnight": "f", "week": "w", "day": "d", "hour": "h", "minute": "M", "min": "M", "second": "s", "sec": "s"}
	gnuWords = map[string]int{"last": -1, "this": 0, "next": 1, "first": 1, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
		"tenth": 10, "eleventh": 11, "twelfth": 12}
	gnuDays   = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
	gnuMonths = []string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"}
	gnuZones  = map[string]int{"utc": 0, "gmt": 0, "z": 0, "ut": 0, "wet": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "cet": 1,
		"cest": 2, "met": 1, "eet": 2, "msk": 3, "ist": 5, "jst": 9}
)

// named finds a name or its beginning of three letters and more.
func named(names []string, word string) int {
	word = strings.TrimSuffix(word, ".")
	for i, name := range names {
		if len(word) >= 3 && strings.HasPrefix(name, word) {
			return i
		}
	}
	return -1
}

// item reads one item and returns how many words it took; 0 is none.
func (d *gnuDate) item(words []string) int {
	w := words[0]
	if strings.HasPrefix(w, "@") {
		f, err := strconv.ParseFloat(w[1:], 64)
		if err != nil || math.Abs(f) > 6e16 || strings.ContainsAny(w, "xpnie") {
			return 0
		}
		whole := math.Floor(f)
		t := time.Unix(int64(whole), int64((f-whole)*1e9)).UTC()
		d.epoch = &t
		return 1
	}
	switch w {
	case "now", "today":
		return 1
	case "yesterday":
		d.days--
		return 1
	case "tomorrow":
		d.days++
		return 1
	}
	if (w == "+" || w == "-") && len(words) > 1 && digits(words[1]) {
		if n := d.item(append([]string{w + words[1]}, words[2:]...)); n > 0 {
			return n + 1
		}
		return 0
	}
	if d.clocked && (w[0] == '+' || w[0] == '-') && d.offset(w) { // "12:00 +3 hours" is in a zone, and an hour later
		d.clocked = false
		return 1
	}
	d.clocked = false
	if n := d.relative(words); n > 0 {
		return n
	}
	if at := named(gnuDays, w); at >= 0 {
		d.weekday = at
		return 1
	}
	if date, clock, ok := strings.Cut(w, "t"); ok && strings.Contains(date, "-") {
		if d.date(date) && d.clock(clock) > 0 {
			return 1
		}
		return 0
	}
	if strings.Contains(w, ":") {
		n := d.clock(w)
		if n > 0 && len(words) > 1 && (words[1] == "am" || words[1] == "pm") {
			return d.half(words[1])
		}
		return n
	}
	if for12, ok := strings.CutSuffix(w, "am"); ok && digits(for12) {
		return d.clock(for12+":00") * min(1, d.half("am"))
	}
	if for12, ok := strings.CutSuffix(w, "pm"); ok && digits(for12) {
		return d.clock(for12+":00") * min(1, d.half("pm"))
	}
	if zone, ok := gnuZones[w]; ok {
		d.zone, d.hasZone = zone*3600, true
		return 1
	}
	if n := d.spelled(words); n > 0 {
		return n
	}
	if d.date(w) {
		return 1
	}
	return 0
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// half makes an hour of twelve one of the day. It returns the words that a clock and "pm" take.
func (d *gnuDate) half(word string) int {
	d.hour %= 12
	if word == "pm" {
		d.hour += 12
	}
	return 2
}

// relative reads "2 days ago", "next month", "-1 week", "+3hours", "last monday".
func (d *gnuDate) relative(words []string) int {
	n, unit, used := 1, words[0], 1
	sign := strings.TrimLeft(unit, "+-")
	number := sign[:len(sign)-len(strings.TrimLeft(sign, "0123456789"))]
	switch ordinal, isWord := gnuWords[unit]; {
	case isWord && len(words) > 1:
		if at := named(gnuDays, words[1]); at >= 0 && gnuUnits[strings.TrimSuffix(words[1], "s")] == "" {
			d.weekday, d.ordinal = at, ordinal
			return 2
		}
		n, unit, used = ordinal, words[1], 2
	case number != "" && len(number) < 10:
		n, _ = strconv.Atoi(number)
		if strings.HasPrefix(unit, "-") {
			n = -n
		}
		if unit = sign[len(number):]; unit == "" {
			if len(words) < 2 {
				return 0
			}
			unit, used = words[1], 2
		}
	}
	kind := gnuUnits[unit]
	if kind == "" {
		kind = gnuUnits[strings.TrimSuffix(unit, "s")]
	}
	if kind == "" {
		return 0
	}
	if len(words) > used && words[used] == "ago" {
		n = -n
		used++
	}
	switch kind {
	case "y":
		d.years += n
	case "m":
		d.months += n
	case "f":
		d.days += 14 * n
	case "w":
		d.days += 7 * n
	case "d":
		d.days += n
	case "h":
		d.span += time.Duration(n) * time.Hour
	case "M":
		d.span += time.Duration(n) * time.Minute
	default:
		d.span += time.Duration(n) * time.Second
	}
	return used
}

// clock reads a time of day with an optional zone.
func (d *gnuDate) clock(w string) int {
	zone := ""
	if at := strings.IndexAny(w, "+-z"); at > 0 {
		w, zone = w[:at], w[at:]
	}
	parts := strings.Split(w, ":")
	if len(parts) > 3 {
		return 0
	}
	var n [3]int
	for i, part := range parts {
		whole, fraction, has := strings.Cut(part, ".")
		if !digits(whole) || len(whole) > 2 || has && (i != 2 || !digits(fraction)) {
			return 0
		}
		n[i], _ = strconv.Atoi(whole)
		if has {
			d.nano, _ = strconv.Atoi((fraction + "000000000")[:9])
		}
	}
	if n[0] > 24 || n[1] > 59 || n[2] > 60 {
		return 0
	}
	d.hour, d.minute, d.second, d.hasTime, d.clocked = n[0], n[1], n[2], true, zone == ""
	switch {
	case zone == "z":
		d.hasZone = true
	case zone != "" && !d.offset(zone):
		return 0
	}
	return 1
}

// offset reads a zone like +02:00.
func (d *gnuDate) offset(w string) bool {
	text := strings.ReplaceAll(w[1:], ":", "")
	if !digits(text) || len(text) > 4 {
		return false
	}
	n, _ := strconv.Atoi(text)
	if len(text) <= 2 {
		n *= 100
	}
	d.zone, d.hasZone = (n/100*60+n%100)*60, true
	if w[0] == '-' {
		d.zone = -d.zone
	}
	return true
}

// date reads a date of numbers.
func (d *gnuDate) date(w string) bool {
	ints := func(parts []string, order ...*int) bool {
		if len(parts) != len(order) {
			return false
		}
		for i, part := range parts {
			if !digits(part) || len(part) > 4 {
				return false
			}
			*order[i], _ = strconv.Atoi(part)
		}
		d.hasDate = true
		return true
	}
	if !d.hasDate {
		d.year = d.now.Year()
	}
	switch {
	case digits(w) && len(w) == 8:
		return ints([]string{w[:4], w[4:6], w[6:]}, &d.year, &d.month, &d.day)
	case digits(w) && d.hasDate && d.hasTime && len(w) == 4: // a year behind a day and month
		return ints([]string{w}, &d.year)
	case digits(w) && len(w) <= 4 && len(w) != 3:
		return !d.hasTime && d.clock(strings.TrimPrefix(w[:max(0, len(w)-2)]+":"+w[max(0, len(w)-2):], ":")) > 0
	case strings.Count(w, "/") == 2 && strings.IndexByte(w, '/') == 4:
		return ints(strings.Split(w, "/"), &d.year, &d.month, &d.day)
	case strings.Count(w, "/") == 2:
		return ints(strings.Split(w, "/"), &d.month, &d.day, &d.year)
	case strings.Count(w, "/") == 1:
		return ints(strings.Split(w, "/"), &d.month, &d.day)
	}
	parts := strings.Split(w, "-")
	if len(parts) == 3 && named(gnuMonths, parts[1]) >= 0 {
		parts[0], parts[1], parts[2] = parts[2], strconv.Itoa(named(gnuMonths, parts[1])+1), parts[0]
	}
	return ints(parts, &d.year, &d.month, &d.day)
}

// spelled reads "2 jan 2024", "jan 2 2024", "jan 2".
func (d *gnuDate) spelled(words []string) int {
	month, used := named(gnuMonths, words[0]), 2
	var day string
	switch {
	case month >= 0 && len(words) > 1 && digits(words[1]) && len(words[1]) <= 2:
		day = words[1]
	case month < 0 && digits(words[0]) && len(words[0]) <= 2 && len(words) > 1:
		if month = named(gnuMonths, words[1]); month < 0 {
			return 0
		}
		day = words[0]
	default:
		return 0
	}
	d.year, d.month, d.hasDate = d.now.Year(), month+1, true
	d.day, _ = strconv.Atoi(day)
	if len(words) > used && digits(words[used]) && len(words[used]) == 4 {
		d.year, _ = strconv.Atoi(words[used])
		used++
	}
	return used
}
