package text

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
	"github.com/plumbline-ci/plumbline/simulator/userland/posix"
)

// cutRange is a range of positions, which count from 0.
type cutRange struct{ from, to int }

// cutRanges reads a list of ranges: 1,3-5,7-. BusyBox takes 0 for 1 and a single dash for everything.
func cutRanges(text string, gnu bool) ([]cutRange, error) {
	var out []cutRange
	position := func(s string) (int, error) {
		n, err := strconv.ParseUint(s, 10, 31)
		if err != nil || s[0] == '+' {
			return 0, fmt.Errorf("invalid number '%s'", s)
		}
		if n == 0 && gnu {
			return 0, errors.New("fields are numbered from 1")
		}
		return int(n), nil
	}
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			continue
		}
		first, second, dash := strings.Cut(part, "-")
		r := cutRange{0, math.MaxInt32 - 1}
		var err error
		if first != "" {
			if r.from, err = position(first); err != nil {
				return nil, err
			}
			r.from = max(0, r.from-1)
		}
		switch {
		case !dash:
			r.to = r.from
		case second != "":
			if r.to, err = position(second); err != nil {
				return nil, err
			}
			r.to--
		case first == "" && gnu:
			return nil, errors.New("invalid range with no endpoint: -")
		}
		if gnu && r.to < r.from {
			return nil, errors.New("invalid decreasing range")
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		return nil, errors.New("missing list of positions")
	}
	return out, nil
}

// cutter is a cut at work.
type cutter struct {
	t         *kit.Tool
	ranges    []cutRange
	delimiter string
	joined    string        // what stands between the fields that are printed
	blank     *posix.Regexp // of -F: what stands between fields
	only      bool          // lines without a delimiter are left out
	unsorted  bool          // -D: fields are printed in the order of the list
}

// Cut is the utility cut.
func Cut(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "b:c:f:d:O:sDF:n", false, nil)
	if !ok {
		return t.End()
	}
	list := slices.Concat(opts['b'], opts['c'], opts['f'], opts['F'])
	fields := kit.Has(opts, 'f') || kit.Has(opts, 'F')
	switch {
	case len(list) > 1:
		return t.Usage()
	case len(list) == 0:
		return t.Fail("expected a list of bytes, characters, or fields")
	case !fields && kit.Has(opts, 's'):
		return t.Fail("suppressing non-delimited lines makes sense only when operating on fields")
	case !fields && kit.Has(opts, 'd'):
		return t.Fail("a delimiter may be specified only when operating on fields")
	}
	c := cutter{t: t, delimiter: kit.Last(opts, 'd'), only: kit.Has(opts, 's'), unsorted: kit.Has(opts, 'D')}
	var err error
	if c.ranges, err = cutRanges(list[0], t.GNU); err != nil {
		return t.Fail("%s", err)
	}
	if !c.unsorted {
		slices.SortStableFunc(c.ranges, func(a, b cutRange) int { return a.from - b.from })
	}
	if c.delimiter == "" {
		c.delimiter = "\t"
	}
	if t.GNU && len(c.delimiter) > 1 {
		t.Complain("the delimiter must be a single character")
		return t.Usage()
	}
	if c.joined = c.delimiter; kit.Has(opts, 'O') {
		c.joined = kit.Last(opts, 'O')
	}
	if kit.Has(opts, 'F') {
		if err := c.byExpression(opts); err != nil {
			return t.Fail("%s", err)
		}
	}
	t.Nul = !t.GNU
	t.InputsOf(names, "", func(_ string, r io.Reader) bool {
		number := 0
		_ = t.Lines(r, func(line string, _ bool) bool {
			switch {
			case !fields:
				c.bytes(line)
			case c.delimiter == "\n" && c.blank == nil:
				c.lines(line, number)
			case t.GNU && c.blank == nil:
				c.fieldsOfGNU(line)
			default:
				c.fields(line)
			}
			number++
			return true
		})
		return true
	})
	return t.End()
}

// byExpression prepares -F.
func (c *cutter) byExpression(opts map[byte][]string) error {
	expr := "[[:space:]]+"
	if kit.Last(opts, 'd') != "" {
		expr = kit.Last(opts, 'd')
	}
	if !kit.Has(opts, 'O') {
		c.joined = " "
	}
	var err error
	if c.blank, err = kit.CompilePattern(c.t.P, expr, posix.Options{Extended: true}); err != nil {
		return fmt.Errorf("bad regex '%s': %w", expr, err)
	}
	return nil
}

// bytes prints the bytes at the positions, each once.
func (c *cutter) bytes(line string) {
	c.t.Effort(len(c.ranges) + len(line))
	done := make([]bool, len(line))
	for _, r := range c.ranges {
		for i := r.from; i < len(line); i++ {
			if !done[i] {
				c.t.Out.WriteByte(line[i])
				done[i] = true
			}
			if i >= r.to {
				break
			}
		}
	}
	c.t.Out.WriteByte('\n')
}

// lines prints the line if its number is one of the positions.
func (c *cutter) lines(line string, number int) {
	c.t.Effort(len(c.ranges))
	for _, r := range c.ranges {
		if number >= r.from && (number <= r.to || number == r.from) {
			c.t.Out.WriteString(line + "\n")
			return
		}
	}
}

// fieldsOfGNU prints the fields at the positions that the line has.
func (c *cutter) fieldsOfGNU(line string) {
	if !strings.Contains(line, c.delimiter) {
		if !c.only {
			c.t.Out.WriteString(line + "\n")
		}
		return
	}
	first := true
	for i, field := range strings.Split(line, c.delimiter) {
		c.t.Effort(len(c.ranges))
		if !slices.ContainsFunc(c.ranges, func(r cutRange) bool { return i >= r.from && i <= r.to }) {
			continue
		}
		if !first {
			c.t.Out.WriteString(c.joined)
		}
		first = false
		c.t.Out.WriteString(field)
	}
	c.t.Out.WriteByte('\n')
}

// fields goes through the delimiters of a line and through the ranges side by side, as BusyBox's cut does: a range that
// the line has no fields for gives an empty one.
func (c *cutter) fields(line string) {
	at, start, end := 0, 0, 0 // in the line, and of the field
	seen, current, printed := 0, 0, 0
	for {
		c.t.Effort(2)
		if end == len(line) || seen > c.ranges[current].to {
			if current++; current >= len(c.ranges) {
				break
			}
			if end = 0; c.unsorted {
				start, seen, at = 0, 0, 0
			}
		}
		if at == len(line) {
			switch {
			case current == 0 && seen == 0 && c.blank == nil:
				if c.only {
					return
				}
			case seen < c.ranges[current].from:
				start = len(line)
			}
			end = len(line)
		} else {
			begin, next := c.delimiterAt(line, at)
			if begin < 0 {
				if c.blank == nil {
					end = at
				}
				at = next
				continue
			}
			at = next
			if end, seen = begin, seen+1; seen-1 < c.ranges[current].from {
				start = at
				continue
			}
		}
		if end != start || c.blank == nil {
			if printed++; printed > 1 {
				c.t.Out.WriteString(c.joined)
			}
			c.t.Out.WriteString(line[start:max(start, end)])
		}
		if start = at; seen == 0 {
			break
		}
	}
	c.t.Out.WriteByte('\n')
}

// delimiterAt looks for a delimiter: one byte at this place, or the next match of the expression. It returns where it
// begins, or -1, and the place to go on at.
func (c *cutter) delimiterAt(line string, at int) (begin, next int) {
	if c.blank == nil {
		if line[at] == c.delimiter[0] {
			return at, at + 1
		}
		return -1, at + 1
	}
	m := c.blank.Match(line[at:], 0, true)
	if m == nil || m[1] == 0 {
		return -1, len(line)
	}
	return at + m[0], at + m[1]
}
