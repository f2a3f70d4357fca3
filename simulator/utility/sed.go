package utility

import (
	"fmt"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/utility/awk"
)

// sedCommand is one command of a sed script.
type sedCommand struct {
	from, to  *sedAddress
	negate    bool
	name      byte
	re        pattern
	with      string
	global    bool
	print     bool
	nth       int
	text      string
	label     string
	body      []*sedCommand
	end       int  // of a block: the command after it
	active    bool // inside its range
	writeFile string
}

type sedAddress struct {
	line int // 0: none
	last bool
	plus int // of a second address: so many lines further
	re   pattern
	step int
}

// sedParser reads a sed script.
type sedParser struct {
	text     string
	extended bool
	lastRE   pattern
	p        *container.Process
	deep     int
}

func (s *sedParser) space(set string) { s.text = strings.TrimLeft(s.text, set) }

func (s *sedParser) commands(inner bool) ([]*sedCommand, error) {
	s.deep++
	defer func() { s.deep-- }()
	nested(s.p, "sed", s.deep)
	var out []*sedCommand
	for {
		s.space(" \t\n;")
		if s.text == "" {
			if inner {
				return nil, fmt.Errorf("unmatched '{'")
			}
			return out, nil
		}
		if s.text[0] == '}' {
			if !inner {
				return nil, fmt.Errorf("unexpected '}'")
			}
			s.text = s.text[1:]
			return out, nil
		}
		if s.text[0] == '#' {
			_, s.text, _ = strings.Cut(s.text, "\n")
			continue
		}
		c, err := s.command()
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
}

func (s *sedParser) address() (*sedAddress, error) {
	if s.text == "" {
		return nil, nil
	}
	switch c := s.text[0]; {
	case c >= '0' && c <= '9':
		run := digitRun(s.text)
		s.text = s.text[len(run):]
		a := &sedAddress{line: atoi(run)}
		if strings.HasPrefix(s.text, "~") {
			step := digitRun(s.text[1:])
			s.text = s.text[1+len(step):]
			a.step = atoi(step)
		}
		return a, nil
	case c == '$':
		s.text = s.text[1:]
		return &sedAddress{last: true}, nil
	case c == '+':
		run := digitRun(s.text[1:])
		s.text = s.text[1+len(run):]
		return &sedAddress{plus: atoi(run)}, nil
	case c == '/' || c == '\\' && len(s.text) > 1:
		if c == '\\' {
			s.text = s.text[1:]
		}
		expr, err := s.delimited(s.text[0])
		if err != nil {
			return nil, err
		}
		fold := false
		if strings.HasPrefix(s.text, "I") {
			fold, s.text = true, s.text[1:]
		}
		re, err := s.compile(expr, fold)
		return &sedAddress{re: re}, err
	}
	return nil, nil
}

func (s *sedParser) compile(expr string, fold bool) (pattern, error) {
	if expr == "" {
		if s.lastRE == nil {
			return nil, fmt.Errorf("no previous regexp")
		}
		return s.lastRE, nil
	}
	re, err := compilePattern(s.p, expr, s.extended, fold)
	if err != nil {
		return nil, fmt.Errorf("bad regex '%s': %s", expr, awk.Complaint(err))
	}
	s.lastRE = re
	return re, nil
}

// delimited reads up to an unescaped delimiter; the text begins with the opening one.
func (s *sedParser) delimited(delim byte) (string, error) {
	var b strings.Builder
	set := false
	for i := 1; i < len(s.text); i++ {
		c := s.text[i]
		switch {
		case c == '\\' && i+1 < len(s.text):
			i++
			if s.text[i] == delim && delim != '&' {
				b.WriteByte(delim)
			} else {
				b.WriteByte('\\')
				b.WriteByte(s.text[i])
			}
			continue
		case c == '[' && !set && delim != '[':
			set = true
		case c == ']':
			set = false
		case c == delim && !set:
			s.text = s.text[i+1:]
			return b.String(), nil
		}
		b.WriteByte(c)
	}
	return "", fmt.Errorf("unmatched '%c'", delim)
}

func (s *sedParser) command() (*sedCommand, error) {
	c := &sedCommand{}
	var err error
	if c.from, err = s.address(); err != nil {
		return nil, err
	}
	if c.from != nil {
		s.space(" \t")
		if strings.HasPrefix(s.text, ",") {
			s.text = s.text[1:]
			s.space(" \t")
			if c.to, err = s.address(); err != nil {
				return nil, err
			}
			if c.to == nil {
				return nil, fmt.Errorf("no address after comma")
			}
		}
	}
	s.space(" \t")
	for strings.HasPrefix(s.text, "!") {
		c.negate = true
		s.text = strings.TrimLeft(s.text[1:], " \t")
	}
	if s.text == "" {
		return nil, fmt.Errorf("missing command")
	}
	c.name = s.text[0]
	s.text = s.text[1:]
	switch c.name {
	case '{':
		c.body, err = s.commands(true)
		return c, err
	case 'p', 'd', 'q', 'Q', '=', 'h', 'H', 'g', 'G', 'x', 'n', 'N', 'D', 'P', 'l':
		if c.name == 'q' || c.name == 'Q' {
			s.space(" ")
			run := digitRun(s.text)
			c.nth, s.text = atoi(run), s.text[len(run):]
		}
		s.space(" \t")
		if s.text != "" && strings.IndexByte(";\n}#", s.text[0]) < 0 {
			return nil, fmt.Errorf("unknown option after '%c' command", c.name)
		}
		return c, nil
	case 's':
		return c, s.substitution(c)
	case 'y':
		if s.text == "" {
			return nil, fmt.Errorf("bad y command")
		}
		delim := s.text[0]
		if c.text, err = s.delimited(delim); err != nil {
			return nil, err
		}
		s.text = string(delim) + s.text
		if c.with, err = s.delimited(delim); err != nil {
			return nil, err
		}
		c.text, _ = Escapes(c.text, FormatString)
		c.with, _ = Escapes(c.with, FormatString)
		if len([]rune(c.text)) != len([]rune(c.with)) {
			return nil, fmt.Errorf("strings for 'y' command are different lengths")
		}
		return c, nil
	case 'a', 'i', 'c':
		s.space(" \t")
		if strings.HasPrefix(s.text, "\\") { // what follows keeps its blanks
			s.text = s.text[1:]
			if rest := strings.TrimLeft(s.text, " \t"); strings.HasPrefix(rest, "\n") {
				s.text = rest[1:]
			}
		}
		var b strings.Builder
		i := 0
		for ; i < len(s.text) && s.text[i] != '\n'; i++ {
			if s.text[i] == '\\' && i+1 < len(s.text) {
				i++
			}
			b.WriteByte(s.text[i])
		}
		s.text = s.text[i:]
		c.text = b.String() + "\n"
		return c, nil
	case ':', 'b', 't', 'T':
		s.space(" \t")
		end := strings.IndexAny(s.text, ";\n}")
		if end < 0 || c.name == ':' && !strings.ContainsAny(s.text, ";\n") {
			end = len(s.text)
		}
		c.label, s.text = strings.TrimSpace(s.text[:end]), s.text[end:]
		return c, nil
	case 'r', 'w':
		s.space(" \t")
		c.writeFile, s.text, _ = strings.Cut(s.text, "\n")
		return c, nil
	}
	return nil, fmt.Errorf("unsupported command %c", c.name)
}

func (s *sedParser) substitution(c *sedCommand) error {
	if s.text == "" {
		return fmt.Errorf("bad option in substitution expression")
	}
	delim := s.text[0]
	expr, err := s.delimited(delim)
	if err != nil {
		return err
	}
	s.text = string(delim) + s.text
	if c.with, err = s.delimited(delim); err != nil {
		return err
	}
	fold := false
flags:
	for s.text != "" {
		switch f := s.text[0]; {
		case f == 'g':
			c.global = true
		case f == 'p':
			c.print = true
		case f == 'i' || f == 'I':
			fold = true
		case f >= '1' && f <= '9':
			run := digitRun(s.text)
			c.nth = atoi(run)
			s.text = s.text[len(run)-1:]
		case f == 'w':
			c.writeFile, s.text, _ = strings.Cut(strings.TrimLeft(s.text[1:], " "), "\n")
			break flags
		case strings.IndexByte("; \t\n}#", f) >= 0:
			break flags
		default:
			return fmt.Errorf("bad option in substitution expression")
		}
		s.text = s.text[1:]
	}
	c.re, err = s.compile(expr, fold)
	return err
}
