package text

import (
	"errors"
	"fmt"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
	"github.com/plumbline-ci/plumbline/simulator/userland/posix"
)

// sedCommand is one command of a sed script.
type sedCommand struct {
	from, to *sedAddress
	negate   bool
	name     byte
	re       *posix.Regexp // nil: the one that was used last
	with     string
	global   bool
	print    bool
	nth      int
	text     string
	label    string
	file     string // that r reads, or w or a flag of s writes to
	active   bool   // inside its range
	spent    bool   // its range began at a line number, and cannot begin again
	until    int    // the line that ends the range, if its end is a number
	close    int    // of a block: the place of its end
}

// table is what y makes of each byte.
func (c *sedCommand) table() (table [256]byte) {
	for i := range table {
		table[i] = byte(i)
	}
	for i := len(c.text) - 1; i >= 0; i-- { // the first of a byte counts
		table[c.text[i]] = c.text[i]
		if i < len(c.with) {
			table[c.text[i]] = c.with[i]
		}
	}
	return table
}

// sedAddress selects lines. Line 0 of BusyBox's sed selects all of them.
type sedAddress struct {
	line     int
	last     bool
	plus     bool          // of a second address: so many lines further
	re       *posix.Regexp // nil: the one that was used last
	matching bool          // it is an expression
	step     int           // of GNU's sed: every so many lines from the line on
	upTo     int           // of GNU's sed, second: the next line whose number it divides
}

// sedParser reads a sed script.
type sedParser struct {
	text     string
	extended bool
	GNU      bool
	quiet    bool // the script says so
	lastRE   *posix.Regexp
	p        *container.Process
	commands []*sedCommand
}

func (s *sedParser) space() { s.text = strings.TrimLeft(s.text, " \t\r\v\f") }

// sedLines splits a script at the newlines that are not escaped. The backslash before an escaped one is dropped.
func sedLines(script string) []string {
	var out []string
	var b strings.Builder
	slashes := 0
	for i := 0; i < len(script); i++ {
		c := script[i]
		if c == '\n' {
			line := b.String()
			if slashes%2 == 0 {
				out = append(out, line)
				b.Reset()
				slashes = 0
				continue
			}
			b.Reset()
			b.WriteString(line[:len(line)-1])
		}
		if slashes++; c != '\\' {
			slashes = 0
		}
		b.WriteByte(c)
	}
	return append(out, b.String())
}

// parse reads the parts of a script: the values of -e and the contents of the files of -f. One that ends with a
// backslash goes on in the next.
func (s *sedParser) parse(parts []string) error {
	open := ""
	for _, part := range parts {
		for _, line := range sedLines(part) {
			line = open + line
			open = ""
			if strings.HasSuffix(line, `\`) {
				open = line[:len(line)-1] + "\n"
				continue
			}
			if err := s.line(line); err != nil {
				return err
			}
		}
	}
	if open != "" {
		if err := s.line(strings.TrimSuffix(open, "\n") + "\n"); err != nil {
			return err
		}
	}
	if s.GNU {
		return s.balanced()
	}
	return nil
}

// balanced checks the braces, which BusyBox's sed does only when it meets a block that it has to leave out.
func (s *sedParser) balanced() error {
	open := 0
	for _, c := range s.commands {
		switch c.name {
		case '{':
			open++
		case '}':
			if open--; open < 0 {
				return errors.New("unexpected '}'")
			}
		}
	}
	if open > 0 {
		return errors.New("unmatched '{'")
	}
	return nil
}

func (s *sedParser) line(line string) error {
	s.text = line
	for {
		s.text = strings.TrimLeft(s.text, "; \n\r\t\v\f")
		switch {
		case s.text == "":
			return nil
		case s.text[0] == '#':
			if first := len(s.commands) == 0; s.text == "#n" && (first || !s.GNU) {
				s.quiet = true
			}
			_, s.text, _ = strings.Cut(s.text, "\n")
			continue
		}
		c, err := s.command()
		if err != nil {
			return err
		}
		s.commands = append(s.commands, c)
	}
}

// address reads an address. It returns nil if there is none.
func (s *sedParser) address() (*sedAddress, error) {
	if s.text == "" {
		return nil, nil
	}
	switch c := s.text[0]; {
	case kit.Digit(c):
		run := kit.DigitRun(s.text)
		s.text = s.text[len(run):]
		a := &sedAddress{line: kit.Atoi(run)}
		if s.GNU && strings.HasPrefix(s.text, "~") {
			step := kit.DigitRun(s.text[1:])
			s.text = s.text[1+len(step):]
			a.step = kit.Atoi(step)
		}
		return a, nil
	case c == '$':
		s.text = s.text[1:]
		return &sedAddress{last: true}, nil
	case c == '/' || c == '\\' && len(s.text) > 1:
		if c == '\\' {
			s.text = s.text[1:]
		}
		expr, err := s.delimited(true)
		if err != nil {
			return nil, err
		}
		fold := false
		for s.GNU && s.text != "" && (s.text[0] == 'I' || s.text[0] == 'M') {
			fold = fold || s.text[0] == 'I'
			s.text = s.text[1:]
		}
		re, err := s.compile(expr, fold)
		if err == nil && re == nil && !s.GNU {
			err = errNoRegexp
		}
		if s.GNU && expr == "" {
			re = nil // the one that was used last
		}
		return &sedAddress{matching: true, re: re}, err
	}
	return nil, nil
}

// second reads the address behind the comma.
func (s *sedParser) second() (*sedAddress, error) {
	if s.GNU {
		s.space()
	}
	if len(s.text) > 1 && s.text[0] == '+' && kit.Digit(s.text[1]) || len(s.text) > 1 && s.GNU && s.text[0] == '~' {
		run := kit.DigitRun(s.text[1:])
		a := &sedAddress{plus: true, line: kit.Atoi(run)}
		if s.text[0] == '~' {
			a = &sedAddress{upTo: kit.Atoi(run)}
		}
		s.text = s.text[1+len(run):]
		return a, nil
	}
	a, err := s.address()
	if a == nil && err == nil {
		err = errors.New("no address after comma")
	}
	return a, err
}

var errNoRegexp = errors.New("no previous regexp")

// compile compiles an expression. An empty one is that before; nil if there is none.
func (s *sedParser) compile(expr string, fold bool) (*posix.Regexp, error) {
	if expr == "" {
		return s.lastRE, nil
	}
	re, err := kit.CompilePattern(s.p, expr, posix.Options{Extended: s.extended, Fold: fold})
	if err != nil {
		return nil, fmt.Errorf("bad regex '%s': %w", expr, err)
	}
	s.lastRE = re
	return re, nil
}

// delimited reads up to an unescaped delimiter; the text begins with the opening one. Inside brackets of an expression
// the delimiter stands for itself.
func (s *sedParser) delimited(expression bool) (string, error) {
	delim := s.text[0]
	bracket := -1
	for i := 1; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case bracket >= 0:
			if c == ']' && bracket != i-1 && !(bracket == i-2 && s.text[i-1] == '^') {
				bracket = -1
			}
		case c == '\\':
			i++
		case c == '[' && expression && delim != '[':
			bracket = i
		case c == delim:
			out := s.text[1:i]
			s.text = s.text[i+1:]
			if s.GNU && expression && delim != '/' {
				out = strings.ReplaceAll(out, `\`+string(delim), string(delim))
			}
			return sedEscapes(out), nil
		}
	}
	return "", fmt.Errorf("unmatched '%c'", delim)
}

// sedEscapes replaces \n, \t and \r.
func sedEscapes(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		if at := strings.IndexByte("ntr", text[i]); at >= 0 {
			b.WriteByte("\n\t\r"[at])
			continue
		}
		b.WriteByte('\\')
		b.WriteByte(text[i])
	}
	return b.String()
}

// unescape drops backslashes: of those before one character, or of all.
func unescape(text string, only byte) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && (only == 0 || text[i+1] == only) {
			i++
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func (s *sedParser) command() (*sedCommand, error) {
	c := &sedCommand{}
	var err error
	if c.from, err = s.address(); err != nil {
		return nil, err
	}
	if s.GNU && c.from != nil {
		s.space()
	}
	if strings.HasPrefix(s.text, ",") && (c.from != nil || !s.GNU) {
		s.text = s.text[1:]
		if c.to, err = s.second(); err != nil {
			return nil, err
		}
	}
	s.space()
	for strings.HasPrefix(s.text, "!") {
		s.text = s.text[1:]
		s.space()
		if c.negate = true; !s.GNU {
			break
		}
	}
	if s.text == "" {
		return nil, errors.New("missing command")
	}
	c.name = s.text[0]
	s.text = s.text[1:]
	return c, s.arguments(c)
}

// arguments reads what stands behind the letter of a command.
func (s *sedParser) arguments(c *sedCommand) error {
	switch c.name {
	case '{', '}', '=', 'd', 'D', 'g', 'G', 'h', 'H', 'l', 'n', 'N', 'p', 'P', 'x':
		return nil
	case 'q', 'Q', 'z', 'F':
		if c.name != 'q' && !s.GNU {
			break
		}
		if s.GNU && (c.name == 'q' || c.name == 'Q') {
			s.space()
			run := kit.DigitRun(s.text)
			c.nth, s.text = kit.Atoi(run), s.text[len(run):]
		}
		return nil
	case 's':
		return s.substitution(c)
	case 'y':
		return s.transliteration(c)
	case 'a', 'i', 'c':
		if c.name != 'c' && c.to != nil && !s.GNU {
			return fmt.Errorf("command '%c' uses only one address", c.name)
		}
		s.insertion(c)
		return nil
	case 'r', 'w':
		if c.name == 'r' && c.to != nil && !s.GNU {
			return fmt.Errorf("command '%c' uses only one address", c.name)
		}
		return s.filename(c)
	case ':', 'b', 't', 'T':
		s.space()
		end := strings.IndexAny(s.text, "; \t\n\r\v\f")
		if s.GNU && c.name != ':' {
			end = strings.IndexAny(s.text, ";}\n")
		}
		if end < 0 {
			end = len(s.text)
		}
		c.label, s.text = strings.TrimSpace(s.text[:end]), s.text[end:]
		return nil
	}
	return fmt.Errorf("unsupported command %c", c.name)
}

// insertion reads the text of a, i and c, which goes to the end of the line.
func (s *sedParser) insertion(c *sedCommand) {
	text := s.text
	s.text = ""
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' || text[i] == '\\' {
			text = text[i+1:]
			if s.GNU && strings.HasPrefix(text, "\n") {
				text = text[1:]
			}
			break
		}
		if !strings.ContainsRune(" \t\r\v\f", rune(text[i])) {
			text = text[i:]
			break
		}
	}
	c.text = unescape(sedEscapes(text), 0)
}

// filename reads the name of a file, which goes to the end of the line.
func (s *sedParser) filename(c *sedCommand) error {
	s.space()
	c.file, s.text, _ = strings.Cut(s.text, "\n")
	if c.file == "" {
		return errors.New("empty filename")
	}
	return nil
}

// transliteration reads the two sets of y.
func (s *sedParser) transliteration(c *sedCommand) error {
	if s.text == "" {
		return errSubstitution
	}
	delim := s.text[0]
	from, err := s.delimited(true)
	if err != nil {
		return err
	}
	s.text = string(delim) + s.text
	to, err := s.delimited(false)
	if err != nil {
		return err
	}
	c.text, c.with = unescape(unescape(from, delim), '\\'), unescape(unescape(to, delim), '\\')
	if s.GNU && len(c.text) != len(c.with) {
		return errors.New("strings for 'y' command are different lengths")
	}
	return nil
}

var errSubstitution = errors.New("bad option in substitution expression")

func (s *sedParser) substitution(c *sedCommand) error {
	if s.text == "" {
		return errSubstitution
	}
	delim := s.text[0]
	expr, err := s.delimited(true)
	if err != nil {
		return err
	}
	s.text = string(delim) + s.text
	if c.with, err = s.delimited(false); err != nil {
		return err
	}
	fold, err := s.flags(c, strings.HasPrefix(expr, "^"))
	if err != nil || expr == "" {
		return err
	}
	if c.re, err = s.compileOnly(expr, fold); err == nil && s.GNU {
		err = s.references(c)
	}
	return err
}

// compileOnly compiles the expression of s, which an empty address does not stand for.
func (s *sedParser) compileOnly(expr string, fold bool) (*posix.Regexp, error) {
	before := s.lastRE
	re, err := s.compile(expr, fold)
	if !s.GNU {
		s.lastRE = before
	}
	return re, err
}

// references checks that the replacement refers to groups that there are.
func (s *sedParser) references(c *sedCommand) error {
	for i := 0; i+1 < len(c.with); i++ {
		if c.with[i] != '\\' {
			continue
		}
		if i++; kit.Digit(c.with[i]) && int(c.with[i]-'0') > c.re.Groups() {
			return fmt.Errorf("invalid reference \\%c on s command's RHS", c.with[i])
		}
	}
	return nil
}

// flags reads the flags of s. An expression for the beginning of a line can match once only, so that a count means
// nothing to BusyBox's sed; and a g behind a count means all.
func (s *sedParser) flags(c *sedCommand, once bool) (fold bool, err error) {
	for s.text != "" {
		switch f := s.text[0]; {
		case f == 'g':
			if c.global = !once || s.GNU; !s.GNU {
				c.nth = 0
			}
		case f == 'p':
			c.print = true
		case f == 'i' || f == 'I':
			fold = true
		case f == 'w':
			s.text = s.text[1:]
			return fold, s.filename(c)
		case kit.Digit(f) && !(f == '0' && s.GNU):
			run := kit.DigitRun(s.text)
			if s.text = s.text[len(run):]; !once || s.GNU {
				if c.nth = kit.Atoi(run); !s.GNU {
					c.global = c.nth == 0
				}
			}
			continue
		case f == 'm' && s.GNU, f == 'M' && s.GNU:
		case f == ';' || f == '}' || f == '#':
			return fold, nil
		case strings.IndexByte(" \t\n\r\v\f", f) >= 0:
		default:
			return false, errSubstitution
		}
		s.text = s.text[1:]
	}
	return fold, nil
}
