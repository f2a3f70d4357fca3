package jq

import (
	"unicode/utf8"

	"github.com/plumbline-ci/plumbline/simulator/userland/regex"
)

// expression is a regular expression with its flags.
type expression struct {
	re       *regex.Regexp
	global   bool
	notEmpty bool
}

// Allocate and Spend make the machine the meter of its regular expressions.
func (m *Machine) Allocate(n int64) { m.meter.Allocate(n) }

// Spend charges steps.
func (m *Machine) Spend(n int) { m.meter.Spend(n) }

// compile compiles a regular expression; the last one is remembered.
func (m *Machine) compile(in, re, flags any) (string, *expression, error) {
	s, ok := in.(string)
	if !ok {
		return "", nil, failure("%s (%s) cannot be matched, as it is not a string", kind(in), m.brief(in, 15))
	}
	source, ok := re.(string)
	if !ok {
		return "", nil, failure("%s (%s) cannot be matched, as it is not a string", kind(re), m.brief(re, 15))
	}
	e := &expression{}
	var options regex.Options
	if flags != nil {
		letters, ok := flags.(string)
		if !ok {
			return "", nil, failure("%s (%s) is not a string", kind(flags), m.brief(flags, 15))
		}
		for _, f := range letters {
			switch f {
			case 'g':
				e.global = true
			case 'i':
				options.IgnoreCase = true
			case 'x':
				options.Extended = true
			case 's', 'l':
			case 'p':
				options.DotAll = true
			case 'n':
				e.notEmpty = true
			default:
				return "", nil, failure("%s is not a valid modifier string", letters)
			}
		}
	}
	if m.regex.source == source && m.regex.options == options && m.regex.re != nil {
		e.re = m.regex.re
		return s, e, nil
	}
	m.work(len(source))
	m.reserve(int64(64 * len(source)))
	compiled, err := regex.Compile(source, options)
	if err != nil {
		return "", nil, failure("Regex failure: %v", err)
	}
	m.regex.source, m.regex.options, m.regex.re = source, options, compiled
	e.re = compiled
	return s, e, nil
}

// remembered is the last regular expression.
type remembered struct {
	source  string
	options regex.Options
	re      *regex.Regexp
}

// all calls f for each match. With again, an empty match may come again.
func (m *Machine) all(s string, e *expression, again bool, f func(at []int)) {
	for from := 0; from < len(s) || from == 0; {
		at := e.re.Match(m, s, from)
		if at == nil {
			return
		}
		empty := at[0] == at[1]
		if !empty || !e.notEmpty {
			f(at)
			if !e.global {
				return
			}
		}
		if !empty {
			from = at[1]
			continue
		}
		if !again { // jq 1.6 looks one further than it last began to, and may find the same place again
			from = at[1]
		}
		_, size := utf8.DecodeRuneInString(s[from:])
		from += max(size, 1)
	}
}

func (m *Machine) matching(in, re, flags any) (any, error) {
	s, e, err := m.compile(in, re, flags)
	if err != nil {
		return nil, err
	}
	e.global = false
	found := false
	m.all(s, e, false, func([]int) { found = true })
	return found, nil
}

// matches returns the matches as objects. Places are those of characters.
func (m *Machine) matches(in, re, flags any) (any, error) {
	s, e, err := m.compile(in, re, flags)
	if err != nil {
		return nil, err
	}
	out := newArray(nil)
	counted, characters := 0, 0
	place := func(at int) float64 {
		if at >= counted {
			characters += length(s[counted:at])
			m.work((at - counted) / 64)
		} else {
			characters = length(s[:at])
			m.work(at / 64)
		}
		counted = at
		return float64(characters)
	}
	m.all(s, e, true, func(at []int) {
		captures := newArray(nil)
		start := place(at[0])
		for g := 1; g < len(at)/2; g++ {
			m.reserve(objectSize + 4*(cellSize+keySize))
			var offset float64 = -1
			var text any
			size := 0.0
			if from, to := at[2*g], at[2*g+1]; from >= 0 && to >= from {
				offset, text, size = place(from), s[from:to], float64(length(s[from:to]))
			}
			captures = m.append(captures, capture(offset, size, text).with("name", name(e.re.Names[g])))
		}
		m.reserve(objectSize + 4*(cellSize+keySize))
		out = m.append(out, capture(start, float64(length(s[at[0]:at[1]])), s[at[0]:at[1]]).with("captures", captures))
	})
	return out, nil
}

func capture(offset, size float64, text any) *Object {
	return newObject().with("offset", offset).with("length", size).with("string", text)
}

func name(n string) any {
	if n == "" {
		return nil
	}
	return n
}

// pieces cuts a string at the matches: for each the text before it and its named groups, then the rest.
func (m *Machine) pieces(in, re, flags any) (any, error) {
	s, e, err := m.compile(in, re, flags)
	if err != nil {
		return nil, err
	}
	out := newArray(nil)
	from := 0
	m.all(s, e, false, func(at []int) {
		groups := newObject()
		for g := 1; g < len(at)/2; g++ {
			if e.re.Names[g] == "" {
				continue
			}
			var text any
			if at[2*g] >= 0 && at[2*g+1] >= at[2*g] {
				text = s[at[2*g]:at[2*g+1]]
			}
			groups = m.set(groups, e.re.Names[g], text)
		}
		m.reserve(arraySize)
		out = m.append(out, newArray([]any{s[from:max(from, at[0])], groups}))
		from = at[1]
	})
	return m.append(out, newArray([]any{s[from:]})), nil
}
