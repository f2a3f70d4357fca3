package text

import (
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// SortLines is the utility sort.
func SortLines(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "ngMVucszbrdfimS:T:o:k:t:", false, nil)
	if !ok {
		return t.End()
	}
	if len(opts['o']) > 1 || len(opts['t']) > 1 {
		return t.Usage()
	}
	s, err := newSorter(t, opts)
	if err != nil {
		t.Complain("%s", err)
		t.Status = 2
		return t.End()
	}
	t.Zero = kit.Has(opts, 'z')
	t.Nul = !t.GNU && !t.Zero
	if len(names) == 0 {
		names = []string{"-"}
	}
	var all []sortLine
	for _, name := range names {
		r, done, err := t.Open(name)
		if errors.Is(err, kit.ErrDirectory) && !t.GNU {
			continue
		}
		if err == nil {
			err = t.Lines(r, func(line string, _ bool) bool {
				t.Hold(line)
				all = append(all, sortLine{line, len(all)})
				return true
			})
			if done(); !t.GNU { // which takes a failed read for the end
				err = nil
			}
		}
		if err != nil {
			t.Failed(name, err)
			t.Status = 2
			return t.End()
		}
	}
	if kit.Has(opts, 'c') {
		return s.check(all)
	}
	slices.SortStableFunc(all, s.order)
	if s.lost {
		return s.unknown()
	}
	if kit.Has(opts, 'u') {
		s.ties = false
		all = slices.CompactFunc(all, func(a, b sortLine) bool { return s.order(a, b) == 0 })
	}
	end := byte('\n')
	if t.Zero {
		end = 0
	}
	if name := kit.Last(opts, 'o'); kit.Has(opts, 'o') {
		fd, err := p.OpenFile(name, files.Write|files.Create|files.Truncate, 0o666)
		if err != nil {
			t.Complain("can't open '%s': %s", name, kit.Message(err))
			t.Status = 2
			return t.End()
		}
		t.Out.Reset(p.Descriptor(fd))
	}
	for _, line := range all {
		t.Out.WriteString(line.text)
		t.Out.WriteByte(end)
	}
	return t.End()
}

// sortLine is a line and its place in the input.
type sortLine struct {
	text   string
	number int
}

// perComparison is what it takes to compare two lines, besides reading them.
const perComparison = 32

// sorter is the order that a sort puts lines in.
type sorter struct {
	t         *kit.Tool
	keys      []sortKey
	separator byte // 0: blanks
	flags     string
	ties      bool // equal lines are compared byte by byte
	stable    bool // of equal lines the one that comes first counts as less
	lost      bool // a comparison came to a key that BusyBox can't compare
}

// sortKey is a part of a line: from a field and a byte of it to others, which count from 1.
type sortKey struct {
	from, fromByte, to, toByte int
	flags                      string // b takes off leading blanks, B trailing ones
}

func newSorter(t *kit.Tool, opts map[byte][]string) (*sorter, error) {
	s := &sorter{t: t, ties: !kit.Has(opts, 's') && !(t.GNU && kit.Has(opts, 'u'))}
	s.stable = kit.Has(opts, 's') && !t.GNU
	for _, l := range []byte("ngMVhubrdfi") {
		if kit.Has(opts, l) {
			s.flags += string(l)
		}
	}
	if kit.Has(opts, 'b') && !t.GNU {
		s.flags += "B"
	}
	if kit.Has(opts, 't') {
		text := kit.Last(opts, 't')
		if text == `\0` && t.GNU {
			text = "\x00"
		}
		if len(text) != 1 {
			return nil, errors.New("bad -t parameter")
		}
		s.separator = text[0]
	}
	for _, text := range opts['k'] {
		k, err := s.key(text)
		if err != nil {
			return nil, err
		}
		s.keys = append(s.keys, k)
	}
	if len(s.keys) == 0 {
		s.keys = []sortKey{{from: 1}}
	}
	return s, nil
}

// key reads the value of -k: START[.BYTE][FLAGS][,END[.BYTE][FLAGS]].
func (s *sorter) key(text string) (k sortKey, err error) {
	bad := errors.New("bad field specification")
	number := func(zero bool) (n int) {
		run := kit.DigitRun(text)
		text = text[len(run):]
		n, converted := strconv.Atoi(run)
		if converted != nil || n == 0 && !zero || n > math.MaxInt32 {
			err = bad
		}
		return n
	}
	for second := false; text != "" && err == nil; {
		field, char := number(false), 0
		if strings.HasPrefix(text, ".") {
			text = text[1:]
			char = number(second && s.t.GNU)
		}
		if second {
			k.to, k.toByte = field, char
		} else {
			k.from, k.fromByte = field, char
		}
		for text != "" && err == nil {
			flag := text[0]
			text = text[1:]
			if flag == ',' && !second {
				second = true
				break
			}
			switch {
			case strings.IndexByte("ngMrdfi", flag) >= 0, s.t.GNU && (flag == 'V' || flag == 'h'):
			case flag == 'b' && second && !s.t.GNU:
				flag = 'B'
			case flag == 'b':
			case strings.IndexByte("VucszmSTokt:", flag) >= 0:
				err = errors.New("unknown sort type")
			default:
				err = errors.New("unknown key option")
			}
			k.flags += string(flag)
		}
	}
	return k, err
}

// contradictory reports whether a key is to be compared in more than one way.
func contradictory(flags string) bool {
	n := 0
	for _, l := range []byte("ngMV") {
		n += kit.Btoi(strings.IndexByte(flags, l) >= 0)
	}
	return n > 1
}

// unknown ends BusyBox's sort when it has reached a key that it cannot compare.
func (s *sorter) unknown() int {
	s.t.Complain("unknown sort type")
	s.t.Status = 2
	return s.t.End()
}

func (s *sorter) flagsOf(k sortKey) string {
	if k.flags == "" {
		return s.flags
	}
	return k.flags
}

// check looks for a line that is out of order.
func (s *sorter) check(all []sortLine) int {
	most := 0
	if strings.Contains(s.flags, "u") {
		most = -1
	}
	for i := 1; i < len(all); i++ {
		order := s.order(all[i-1], all[i])
		switch {
		case s.lost:
			return s.unknown()
		case order <= most:
			continue
		}
		_ = s.t.Out.Flush()
		if s.t.GNU {
			return s.t.Fail("-:%d: disorder: %s", i+1, all[i].text)
		}
		_, _ = io.WriteString(s.t.P.Stderr(), "Check line "+strconv.Itoa(i)+"\n")
		s.t.Status = 1
		break
	}
	return s.t.End()
}

// order compares two lines by the keys and then, unless the order is to be stable, byte by byte. Whether the result is
// turned round says the key that was compared last.
func (s *sorter) order(a, b sortLine) int {
	s.t.Effort(perComparison + (len(a.text)+len(b.text))/16)
	c, flags := 0, s.flags
	for _, k := range s.keys {
		flags = s.flagsOf(k)
		if !s.t.GNU && contradictory(flags) {
			s.lost = true
			return 0
		}
		if c = compareKeys(s.pick(a.text, k), s.pick(b.text, k), flags); c != 0 {
			break
		}
	}
	switch {
	case c == 0 && s.stable: // nothing is equal
		c = a.number - b.number
	case c == 0 && s.ties:
		c, flags = strings.Compare(a.text, b.text), s.flags
	}
	if strings.Contains(flags, "r") {
		return -c
	}
	return c
}

// pick cuts the key out of a line.
func (s *sorter) pick(line string, k sortKey) string {
	flags := s.flagsOf(k)
	start := s.field(line, k.from, 0)
	end := len(line)
	if k.to > 0 {
		end = s.field(line, k.to, 1)
	}
	if strings.Contains(flags, "b") {
		for start < len(line) && kit.IsSpace(line[start]) {
			start++
		}
	}
	if strings.Contains(flags, "B") {
		for end > start && kit.IsSpace(line[end-1]) {
			end--
		}
	}
	if k.toByte > 0 {
		if end = min(k.toByte, len(line)); s.t.GNU {
			end = min(s.field(line, k.to, 0)+k.toByte, len(line))
		}
	}
	if k.fromByte > 0 {
		start = min(start+k.fromByte-1, len(line))
	}
	out := line[start:max(start, end)]
	dictionary := strings.Contains(flags, "d")
	if dictionary {
		out = filtered(out, func(c byte) bool { return kit.IsSpace(c) || c != '_' && wordByte(c) })
	}
	if strings.Contains(flags, "i") && !(dictionary && s.t.GNU) { // of GNU's two, -d counts alone
		out = filtered(out, func(c byte) bool { return c >= ' ' && c <= '~' })
	}
	if strings.Contains(flags, "f") {
		out = strings.ToUpper(out)
	}
	return out
}

// field returns where a field begins or, with end, where it ends.
func (s *sorter) field(line string, number, end int) int {
	at := 0
	separated := false
	for range max(0, number-1+end) {
		if s.separator == 0 {
			for at < len(line) && kit.IsSpace(line[at]) {
				at++
			}
			for at < len(line) && !kit.IsSpace(line[at]) {
				at++
			}
			continue
		}
		i := strings.IndexByte(line[at:], s.separator)
		if separated = i >= 0; !separated {
			at = len(line)
			break
		}
		at += i + 1
	}
	return at - kit.Btoi(end > 0 && separated)
}

func filtered(text string, keep func(c byte) bool) string {
	var b strings.Builder
	for i := range len(text) {
		if keep(text[i]) {
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

// compareKeys compares two keys in the way that the flags say.
func compareKeys(a, b, flags string) int {
	switch {
	case strings.Contains(flags, "g"):
		x, y := generalNumber(a), generalNumber(b)
		if x[0] != y[0] {
			return compareNumbers(x[0], y[0])
		}
		return compareNumbers(x[1], y[1])
	case strings.Contains(flags, "M"):
		return month(a) - month(b)
	case strings.Contains(flags, "h"):
		return compareNumbers(sized(a), sized(b))
	case strings.Contains(flags, "n"):
		x, _ := strtod(a)
		y, _ := strtod(b)
		return compareNumbers(x, y)
	case strings.Contains(flags, "V"):
		return kit.CompareVersions(a, b)
	}
	return strings.Compare(a, b)
}

func compareNumbers(x, y float64) int { return kit.Btoi(x > y) - kit.Btoi(x < y) }

// generalNumber is a number for -g: text that is not a number comes before NaN, and NaN before all others.
func generalNumber(text string) [2]float64 {
	n, used := strtod(text)
	switch {
	case used == 0:
		return [2]float64{0, 0}
	case math.IsNaN(n):
		return [2]float64{1, 0}
	}
	return [2]float64{2, n}
}

// month is the number of the month that a text begins with, or 0.
func month(text string) int {
	text = strings.ToLower(strings.TrimLeft(text, " \t\n\v\f\r"))
	for i, name := range []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"} {
		if strings.HasPrefix(text, name) {
			return i + 1
		}
	}
	return 0
}

// sized is a number with the letter of a unit, for GNU's -h.
func sized(text string) float64 {
	n, used := strtod(text)
	if used < len(text) {
		if i := strings.IndexByte("KMGTPE", text[used]&^0x20); i >= 0 {
			n *= float64(int64(1) << (10 * (i + 1)))
		}
	}
	return n
}

// strtod reads the number that a text begins with, as the C library does. It returns how much of the text that is.
func strtod(text string) (n float64, used int) {
	at := 0
	for at < len(text) && kit.IsSpace(text[at]) {
		at++
	}
	end := at
	if end < len(text) && (text[end] == '-' || text[end] == '+') {
		end++
	}
	lowered := strings.ToLower(text[end:])
	for _, word := range []string{"infinity", "inf", "nan"} {
		if strings.HasPrefix(lowered, word) {
			n, _ = strconv.ParseFloat(text[at:end]+word, 64)
			if word == "nan" {
				n = math.NaN()
			}
			return n, end + len(word)
		}
	}
	digits, exponent := "0123456789", "e"
	if strings.HasPrefix(lowered, "0x") {
		if rest := strings.TrimPrefix(lowered[2:], "."); rest != "" && strings.IndexByte("0123456789abcdef", rest[0]) >= 0 {
			digits, exponent = "0123456789abcdef", "p"
			end += 2
		}
	}
	run := func() int {
		from := end
		for end < len(text) && text[end] >= '0' && strings.IndexByte(digits, text[end]|0x20) >= 0 {
			end++
		}
		return end - from
	}
	some := run()
	if end < len(text) && text[end] == '.' {
		end++
		if n := run(); n+some == 0 {
			end--
		} else {
			some += n
		}
	}
	if some == 0 {
		return 0, 0
	}
	number := text[at:end]
	if end < len(text) && text[end]|0x20 == exponent[0] {
		sign := end + 1
		if sign < len(text) && (text[sign] == '-' || text[sign] == '+') {
			sign++
		}
		if power := kit.DigitRun(text[min(sign, len(text)):]); power != "" {
			end = sign + len(power)
			number = text[at:end]
		}
	}
	if exponent == "p" && !strings.ContainsAny(number, "pP") {
		number += "p0"
	}
	n, _ = strconv.ParseFloat(number, 64)
	return n, end
}
