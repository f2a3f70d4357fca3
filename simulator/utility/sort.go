package utility

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

func sortLines(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "rnugfbVcsk:t:o:z", false, nil)
	if !ok {
		return t.end()
	}
	end := "\n"
	if t.zero = has(opts, 'z'); t.zero {
		end = "\x00"
	}
	var all []string
	for _, name := range names {
		if _, err := p.Stat(name); err != nil && name != "-" {
			t.failed(name, err)
			t.status = 2
			return t.end()
		}
	}
	t.inputs(names, func(_ string, r io.Reader) bool {
		_ = t.lines(r, func(line string, _ bool) bool {
			t.hold(line)
			all = append(all, line)
			return true
		})
		return true
	})
	keys := make([]sortKey, 0, len(opts['k'])+1)
	for _, k := range opts['k'] {
		keys = append(keys, parseKey(k, opts))
	}
	if len(keys) == 0 {
		keys = append(keys, sortKey{flags: flagsOf(opts)})
	}
	separator := last(opts, 't')
	compare := func(a, b string) int {
		for _, k := range keys {
			if c := k.compare(k.pick(a, separator), k.pick(b, separator)); c != 0 {
				return c
			}
		}
		return 0
	}
	order := func(a, b string) int {
		c := compare(a, b)
		if c == 0 && !has(opts, 's') && !has(opts, 'u') {
			c = strings.Compare(a, b)
			if has(opts, 'r') {
				c = -c
			}
		}
		return c
	}
	if has(opts, 'c') {
		for i := 1; i < len(all); i++ {
			if order(all[i-1], all[i]) > 0 {
				return t.fail("-:%d: disorder: %s", i+1, all[i])
			}
		}
		return t.end()
	}
	slices.SortStableFunc(all, order)
	if has(opts, 'u') {
		all = slices.CompactFunc(all, func(a, b string) bool { return compare(a, b) == 0 })
	}
	var b strings.Builder
	for _, line := range all {
		b.WriteString(line + end)
	}
	if has(opts, 'o') {
		if err := p.WriteFile(last(opts, 'o'), []byte(b.String()), 0o666); err != nil {
			t.failed(last(opts, 'o'), err)
		}
		return t.end()
	}
	t.out.WriteString(b.String())
	return t.end()
}

type sortKey struct {
	from, fromChar, to, toChar int
	flags                      string
}

func flagsOf(opts map[byte][]string) string {
	out := ""
	for _, l := range []byte("rnghfbV") {
		if has(opts, l) {
			out += string(l)
		}
	}
	return out
}

func parseKey(text string, opts map[byte][]string) sortKey {
	var k sortKey
	from, to, _ := strings.Cut(text, ",")
	position := func(s string) (field, char int) {
		i := 0
		for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.') {
			i++
		}
		k.flags += s[i:]
		f, c, _ := strings.Cut(s[:i], ".")
		return atoi(f), atoi(c)
	}
	k.from, k.fromChar = position(from)
	k.to, k.toChar = position(to)
	if k.flags == "" {
		k.flags = flagsOf(opts)
	}
	return k
}

func (k sortKey) pick(line, separator string) string {
	if k.from == 0 {
		return line
	}
	var fields []string
	if separator != "" {
		fields = strings.Split(line, separator)
	} else {
		fields = strings.Fields(line)
		separator = " "
	}
	if k.from > len(fields) {
		return ""
	}
	end := len(fields)
	if k.to > 0 {
		end = min(k.to, end)
	}
	if end < k.from {
		return ""
	}
	out := strings.Join(fields[k.from-1:end], separator)
	if k.fromChar > 1 {
		out = out[min(len(out), k.fromChar-1):]
	}
	return out
}

func (k sortKey) compare(a, b string) int {
	c := 0
	switch {
	case strings.ContainsAny(k.flags, "ngh"):
		x, y := leadingNumber(a, strings.Contains(k.flags, "h")), leadingNumber(b, strings.Contains(k.flags, "h"))
		switch {
		case x < y:
			c = -1
		case x > y:
			c = 1
		}
	case strings.Contains(k.flags, "V"):
		c = compareVersions(a, b)
	case strings.Contains(k.flags, "f"):
		c = strings.Compare(strings.ToUpper(a), strings.ToUpper(b))
	default:
		c = strings.Compare(a, b)
	}
	if strings.Contains(k.flags, "r") {
		c = -c
	}
	return c
}

func leadingNumber(text string, units bool) float64 {
	text = strings.TrimLeft(text, " \t")
	end := 0
	for end < len(text) && (text[end] >= '0' && text[end] <= '9' || text[end] == '.' || end == 0 && text[0] == '-') {
		end++
	}
	n, _ := strconv.ParseFloat(text[:end], 64)
	if units && end < len(text) {
		if i := strings.IndexByte("KMGT", text[end]&^0x20); i >= 0 {
			n *= float64(int64(1) << (10 * (i + 1)))
		}
	}
	return n
}

// compareVersions compares runs of digits as numbers.
func compareVersions(a, b string) int {
	for a != "" && b != "" {
		if digit(a[0]) && digit(b[0]) {
			x, y := digitRun(a), digitRun(b)
			a, b = a[len(x):], b[len(y):]
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if len(x) != len(y) {
				return len(x) - len(y)
			}
			if c := strings.Compare(x, y); c != 0 {
				return c
			}
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func digitRun(s string) string {
	i := 0
	for i < len(s) && digit(s[i]) {
		i++
	}
	return s[:i]
}
