package regex

import (
	"slices"
	"unicode"
)

// class is a set of characters.
type class struct {
	ranges []rune // pairs
	tables []*unicode.RangeTable
	inner  []*class
	not    bool
	fold   bool
}

func (c *class) add(low, high rune) { c.ranges = append(c.ranges, low, high) }

func (c *class) has(r rune) bool {
	if c.holds(r) {
		return !c.not
	}
	if c.fold {
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			if c.holds(f) {
				return !c.not
			}
		}
	}
	return c.not
}

func (c *class) holds(r rune) bool {
	for i := 0; i < len(c.ranges); i += 2 {
		if r >= c.ranges[i] && r <= c.ranges[i+1] {
			return true
		}
	}
	return slices.ContainsFunc(c.inner, func(in *class) bool { return in.has(r) }) ||
		slices.ContainsFunc(c.tables, func(t *unicode.RangeTable) bool { return unicode.Is(t, r) })
}

// fold is a letter in lower case.
func fold(r rune) rune {
	if r < 128 {
		if r >= 'A' && r <= 'Z' {
			return r + 32
		}
		return r
	}
	return unicode.ToLower(r)
}

// shorthand is the class of a letter behind a backslash.
func shorthand(letter rune) *class {
	c := &class{}
	switch letter {
	case 'd', 'D':
		c.add('0', '9')
	case 'w', 'W':
		c.add('0', '9')
		c.add('a', 'z')
		c.add('A', 'Z')
		c.add('_', '_')
	case 's', 'S':
		c.add('\t', '\r')
		c.add(' ', ' ')
	case 'h', 'H':
		c.add('\t', '\t')
		c.add(' ', ' ')
		c.add(0xa0, 0xa0)
	case 'v', 'V':
		c.add('\n', '\r')
		c.add(0x85, 0x85)
		c.add(0x2028, 0x2029)
	case 'N':
		c.add('\n', '\n')
	default:
		return nil
	}
	c.not = letter < 'a'
	return c
}

// named is a class of POSIX.
func named(name string) *class {
	c := &class{}
	switch name {
	case "alpha":
		c.add('a', 'z')
		c.add('A', 'Z')
	case "digit":
		c.add('0', '9')
	case "alnum":
		c.add('a', 'z')
		c.add('A', 'Z')
		c.add('0', '9')
	case "upper":
		c.add('A', 'Z')
	case "lower":
		c.add('a', 'z')
	case "space":
		c.add('\t', '\r')
		c.add(' ', ' ')
	case "blank":
		c.add('\t', '\t')
		c.add(' ', ' ')
	case "punct":
		c.add('!', '/')
		c.add(':', '@')
		c.add('[', '`')
		c.add('{', '~')
	case "print":
		c.add(' ', '~')
	case "graph":
		c.add('!', '~')
	case "cntrl":
		c.add(0, 31)
		c.add(127, 127)
	case "xdigit":
		c.add('0', '9')
		c.add('a', 'f')
		c.add('A', 'F')
	case "word":
		return shorthand('w')
	default:
		return nil
	}
	return c
}
