package awk

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/userland/posix"
)

func (m *machine) builtin(e *builtin) value {
	switch e.name {
	case "length":
		return m.length(e)
	case "split":
		return m.divided(e)
	case "sub", "gsub":
		return m.substitute(e)
	case "match":
		return m.find(e)
	case "gensub":
		return m.gensub(e)
	}
	args := make([]value, len(e.args))
	for i, a := range e.args {
		args[i] = m.eval(a)
		if e.name != "substr" { // which does not read its string
			m.reads(args[i])
		}
	}
	at := func(i int) float64 {
		if i < len(args) {
			return args[i].number()
		}
		return 0
	}
	switch e.name {
	case "substr":
		return m.substr(args)
	case "index":
		if m.string(args[1]) == "" {
			return num(0)
		}
		return num(float64(strings.Index(m.string(args[0]), m.string(args[1])) + 1))
	case "sprintf":
		text, _, _ := strings.Cut(m.sprintf(args), "\x00")
		return str(text)
	case "tolower":
		return str(mapASCII(m.passing(m.string(args[0])), 'A', 'Z', 'a'-'A'))
	case "toupper":
		return str(mapASCII(m.passing(m.string(args[0])), 'a', 'z', 'A'-'a'))
	case "sin":
		return num(math.Sin(at(0)))
	case "cos":
		return num(math.Cos(at(0)))
	case "atan2":
		return num(math.Atan2(at(0), at(1)))
	case "exp":
		return num(math.Exp(at(0)))
	case "log":
		return num(math.Log(at(0)))
	case "sqrt":
		return num(math.Sqrt(at(0)))
	case "int":
		return num(math.Trunc(at(0)))
	case "rand":
		return num(m.rand())
	case "srand":
		before := m.seed
		seed := float64(m.w.Now().Unix())
		if len(args) > 0 {
			seed = at(0)
		}
		m.reseed(seed)
		return num(before)
	case "system":
		m.flush()
		return num(float64(m.w.System(m.string(args[0]))))
	case "close":
		return num(float64(m.shut(m.string(args[0]))))
	case "fflush":
		m.flush()
		return num(0)
	case "systime":
		return num(float64(m.w.Now().Unix()))
	case "strftime":
		format, when := "%a %b %e %H:%M:%S %Z %Y", m.w.Now()
		if len(args) > 0 {
			format = m.string(args[0])
		}
		if len(args) > 1 {
			when = time.Unix(int64(at(1)), 0)
		}
		return str(m.passing(m.o.Strftime(format, when.UTC())))
	case "mktime":
		return num(mktime(m.string(args[0])))
	case "compl":
		return num(float64(^uint64(at(0)) & (1<<53 - 1)))
	case "lshift":
		return num(float64(uint64(at(0)) << uint64(min(max(at(1), 0), 64))))
	case "rshift":
		return num(float64(uint64(at(0)) >> uint64(min(max(at(1), 0), 64))))
	}
	// and, or, xor
	u := uint64(at(0))
	for i := 1; i < len(args); i++ {
		switch x := uint64(at(i)); e.name {
		case "and":
			u &= x
		case "or":
			u |= x
		default:
			u ^= x
		}
	}
	return num(float64(u))
}

func mapASCII(s string, from, to byte, by int) string {
	for i := range len(s) {
		if s[i] >= from && s[i] <= to {
			b := []byte(s)
			for ; i < len(b); i++ {
				if b[i] >= from && b[i] <= to {
					b[i] = byte(int(b[i]) + by)
				}
			}
			return string(b)
		}
	}
	return s
}

func (m *machine) length(e *builtin) value {
	if len(e.args) == 0 {
		return num(float64(len(m.whole())))
	}
	if v, ok := e.args[0].(*variable); ok {
		if c := m.cellOf(v); c.a != nil {
			return num(float64(c.a.live))
		}
	}
	return num(float64(len(m.string(m.eval(e.args[0])))))
}

// substr rounds its numbers before it cuts. As in busybox, the length counts from the first character even if the
// beginning lies before it.
func (m *machine) substr(args []value) value {
	s := m.string(args[0])
	from := max(math.Trunc(args[1].number()), 1)
	to := math.Inf(1)
	if len(args) > 2 {
		to = from + math.Floor(args[2].number()+0.5)
	}
	if math.IsNaN(from) || math.IsNaN(to) {
		return str("")
	}
	to = min(to, float64(len(s)+1))
	if from >= to {
		return str("")
	}
	return str(s[int(from)-1 : int(to)-1])
}

func (m *machine) divided(e *builtin) value {
	s := m.string(m.eval(e.args[0]))
	var by *string
	var re *posix.Regexp
	if len(e.args) > 2 {
		if p, ok := e.args[2].(*pattern); ok {
			re = m.dynamic(p.source)
		} else {
			text := m.string(m.eval(e.args[2]))
			by = &text
		}
	}
	v, ok := e.args[1].(*variable)
	if !ok {
		m.fail("Not an array")
	}
	a := m.arrayOf(v)
	for _, it := range a.list {
		m.hold(-len(it.key) - len(it.v.s) - itemSize)
	}
	a.clear()
	n := 0
	emit := func(part string) {
		n++
		m.items(2 * perItems) // an element takes longer to make than to go through
		m.hold(len(part) + itemSize)
		a.set(strconv.Itoa(n), input(part))
	}
	switch {
	case s == "":
	case re != nil:
		m.divideBy(s, re, emit)
	default:
		if by == nil {
			fs := m.global(vFS)
			by = &fs
		}
		m.divide(s, by, emit)
	}
	return num(float64(n))
}

func (m *machine) find(e *builtin) value {
	s := m.string(m.eval(e.args[0]))
	m.passing(s)
	loc := m.regex(e.args[1]).Match(s, 0, false)
	start, length := 0, -1
	if loc != nil {
		start, length = loc[0]+1, loc[1]-loc[0]
	}
	m.globals[vRSTART].v, m.globals[vRLENGTH].v = num(float64(start)), num(float64(length))
	if len(e.args) > 2 {
		v, ok := e.args[2].(*variable)
		if !ok {
			m.fail("Not an array")
		}
		a := m.arrayOf(v)
		a.clear()
		for i := 0; i+1 < len(loc); i += 2 {
			if loc[i] >= 0 {
				a.set(strconv.Itoa(i/2), input(s[loc[i]:loc[i+1]]))
			}
		}
	}
	return num(float64(start))
}

// substitute is sub and gsub.
func (m *machine) substitute(e *builtin) value {
	re := m.regex(e.args[0])
	with := m.string(m.eval(e.args[1]))
	var to expression = &field{&number{num(0)}}
	if len(e.args) > 2 {
		to = e.args[2]
	}
	s := m.string(m.eval(to))
	m.passing(s)
	var b strings.Builder
	count := 0
	rest := occurrences(re, s, func(before, match string, _ []int, _ string) bool {
		count++
		b.WriteString(before)
		m.room(b.Len() + len(with) + strings.Count(with, "&")*len(match))
		replacement(&b, with, match)
		return e.name == "gsub"
	})
	if count == 0 {
		return num(0)
	}
	b.WriteString(rest)
	if assignable(to) {
		m.store(to, str(m.passing(b.String())))
	}
	return num(float64(count))
}

// replacement writes what a match is replaced by: & is the match, \& an ampersand.
func replacement(b *strings.Builder, with, match string) {
	for i := 0; i < len(with); i++ {
		switch {
		case with[i] == '&':
			b.WriteString(match)
		case with[i] == '\\' && i+1 < len(with) && (with[i+1] == '&' || with[i+1] == '\\'):
			i++
			b.WriteByte(with[i])
		default:
			b.WriteByte(with[i])
		}
	}
}

// gensub is gawk's: it returns the result, and \1 is what a group matched.
func (m *machine) gensub(e *builtin) value {
	re := m.regex(e.args[0])
	with := m.string(m.eval(e.args[1]))
	how := m.eval(e.args[2])
	s := m.whole()
	if len(e.args) > 3 {
		s = m.string(m.eval(e.args[3]))
	}
	all := strings.HasPrefix(m.string(how), "g") || strings.HasPrefix(m.string(how), "G")
	which := int(max(how.number(), 1))
	var b strings.Builder
	count := 0
	rest := occurrences(re, s, func(before, match string, loc []int, text string) bool {
		b.WriteString(before)
		if count++; !all && count != which {
			b.WriteString(match)
			return true
		}
		m.room(b.Len() + len(with) + (strings.Count(with, "&")+strings.Count(with, `\`))*len(match))
		for j := 0; j < len(with); j++ {
			switch {
			case with[j] == '&':
				b.WriteString(match)
			case with[j] == '\\' && j+1 < len(with):
				j++
				if !digit(with[j]) {
					b.WriteByte(with[j])
				} else if g := 2 * int(with[j]-'0'); g+1 < len(loc) && loc[g] >= 0 {
					b.WriteString(text[loc[g]:loc[g+1]])
				}
			default:
				b.WriteByte(with[j])
			}
		}
		return all
	})
	b.WriteString(rest)
	return str(m.passing(b.String()))
}

// occurrences calls f for the matches in a string, until it wants no more: with what stands before the match, and with
// the text that the groups are places of. It returns what stands behind the last match.
func occurrences(re *posix.Regexp, s string, f func(before, match string, groups []int, text string) (more bool)) (rest string) {
	at := 0
	for from, last := 0, false; !last; {
		text := s[from:]
		loc := re.Match(text, 0, from > 0)
		if loc == nil {
			break
		}
		more := f(s[at:from+loc[0]], text[loc[0]:loc[1]], loc, text)
		at = from + loc[1]
		empty := loc[0] == loc[1]
		last = !more || empty && at == len(s)
		if from = at; empty {
			from++
		}
	}
	return s[at:]
}

// reseed and rand are a generator of their own: what a program draws depends on its seed alone.
func (m *machine) reseed(seed float64) {
	m.seed = seed
	m.random = math.Float64bits(seed)*2862933555777941757 + 3037000493
}

func (m *machine) rand() float64 {
	m.random += 0x9e3779b97f4a7c15
	z := m.random
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64((z^z>>31)>>11) / (1 << 53)
}

// mktime reads "YYYY MM DD HH MM SS".
func mktime(text string) float64 {
	f := strings.Fields(text)
	if len(f) < 6 {
		return -1
	}
	var n [6]int
	for i := range n {
		v, err := strconv.Atoi(f[i])
		if err != nil {
			return -1
		}
		n[i] = v
	}
	return float64(time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC).Unix())
}
