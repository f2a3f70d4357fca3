package utility

import (
	"io"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// sedRun is a sed at work.
type sedRun struct {
	t        *tool
	quiet    bool
	script   []*sedCommand
	input    []string
	ended    bool // the last line had a newline
	line     int  // lines read
	space    string
	hold     string
	appended []string
	out      io.Writer
	quit     bool
	noPrint  bool
	status   int
	replaced bool
	steps    int
	deleted  bool
	label    string
}

func sed(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, rest, ok := t.options(sedInPlace(args), "nrEsze:f:i:u", false, map[string]string{"quiet": "n", "silent": "n", "expression": "e:",
		"regexp-extended": "E", "in-place": "I", "file": "f:"})
	if !ok {
		return t.end()
	}
	if has(opts, 'I') {
		opts['i'] = opts['I']
	}
	script := strings.Join(opts['e'], "\n")
	for _, name := range opts['f'] {
		data, err := p.ReadFile(name)
		if err != nil {
			t.failed(name, err)
			return t.end()
		}
		script += "\n" + string(data)
	}
	if !has(opts, 'e') && !has(opts, 'f') {
		if len(rest) == 0 {
			return t.fail("no script")
		}
		script, rest = rest[0], rest[1:]
	}
	parser := sedParser{text: script, extended: has(opts, 'r') || has(opts, 'E')}
	if after, found := strings.CutPrefix(script, "#n\n"); found {
		parser.text = after
		opts['n'] = []string{""}
	}
	commands, err := parser.commands(false)
	if err != nil {
		return t.fail("%s", err)
	}
	if has(opts, 'i') {
		for _, name := range rest {
			data, err := p.ReadFile(name)
			if err != nil {
				t.failed(name, err)
				continue
			}
			var out strings.Builder
			r := sedRun{t: t, quiet: has(opts, 'n'), script: commands, out: &out}
			r.feed(string(data))
			r.run()
			if suffix := last(opts, 'i'); suffix != "" {
				if err := p.WriteFile(name+suffix, data, 0o644); err != nil {
					t.failed(name+suffix, err)
				}
			}
			if err := p.WriteFile(name, []byte(out.String()), 0o644); err != nil {
				t.failed(name, err)
			}
		}
		return t.end()
	}
	r := sedRun{t: t, quiet: has(opts, 'n'), script: commands, out: t.out}
	t.inputs(rest, func(_ string, in io.Reader) bool {
		data, _ := t.readAll(in)
		if len(r.input) > 0 && !r.ended {
			r.ended = true
		}
		r.feed(string(data))
		return true
	})
	r.run()
	if r.status != 0 {
		t.status = r.status
	}
	return t.end()
}

// sedInPlace makes the value of -i, which must be attached, one for the parser of options.
func sedInPlace(args []string) []string {
	out := make([]string, 0, len(args)+1)
	for i, a := range args {
		if i > 0 && len(a) > 1 && a[0] == '-' && a[1] != '-' && strings.HasSuffix(a, "i") && strings.Trim(a[1:], "nrEsi") == "" {
			out = append(out, a, "")
			continue
		}
		out = append(out, a)
	}
	return out
}

func (r *sedRun) feed(data string) {
	if data == "" {
		return
	}
	r.ended = strings.HasSuffix(data, "\n")
	r.input = append(r.input, strings.Split(strings.TrimSuffix(data, "\n"), "\n")...)
}

func (r *sedRun) isLast() bool { return r.line >= len(r.input) }

// write writes to where output goes now; a failed write is met again by the next flush.
func (r *sedRun) write(text string) { _, _ = io.WriteString(r.out, text) }

// emit prints a line; the last line of an input without a newline at its end gets none.
func (r *sedRun) emit(line string) {
	r.write(line)
	if !r.isLast() || r.ended {
		r.write("\n")
	}
}

func (r *sedRun) next() bool {
	if r.line >= len(r.input) {
		return false
	}
	r.space = r.input[r.line]
	r.line++
	return true
}

func (r *sedRun) flush() {
	for _, text := range r.appended {
		if r.isLast() && !r.ended {
			r.write("\n")
		}
		r.write(text)
	}
	r.appended = nil
}

func (r *sedRun) run() {
	restart := false
	for !r.quit {
		if !restart && !r.next() {
			return
		}
		restart = false
		r.noPrint, r.replaced, r.deleted = false, false, false
		r.execute(r.script)
		if r.deleted && r.name('D') && strings.Contains(r.space, "\n") {
			_, r.space, _ = strings.Cut(r.space, "\n")
			restart = true
			r.flush()
			continue
		}
		if !r.quiet && !r.noPrint {
			r.emit(r.space)
		}
		r.flush()
	}
}

func (r *sedRun) name(c byte) bool { return r.label == string(c) }

func (a *sedAddress) matches(r *sedRun) bool {
	switch {
	case a.re != nil:
		return a.re.MatchString(r.space)
	case a.last:
		return r.isLast()
	case a.step > 0:
		return r.line >= a.line && (r.line-a.line)%a.step == 0
	}
	return r.line == a.line
}

func (c *sedCommand) selected(r *sedRun) bool {
	if c.from == nil {
		return true
	}
	if c.to == nil {
		return c.from.matches(r)
	}
	if c.active {
		switch {
		case c.to.re == nil && !c.to.last && c.to.line > 0:
			if r.line >= c.to.line {
				c.active = false
			}
			return r.line <= c.to.line
		case c.to.matches(r):
			c.active = false
		}
		return true
	}
	if !c.from.matches(r) {
		return false
	}
	if c.to.plus > 0 {
		c.to = &sedAddress{line: r.line + c.to.plus}
	}
	c.active = c.to.re != nil || c.to.last && !r.isLast() || c.to.line > r.line
	return true
}

// execute runs commands and reports whether the cycle goes on.
func (r *sedRun) execute(commands []*sedCommand) bool {
	for i := 0; i < len(commands); i++ {
		c := commands[i]
		if r.steps++; r.steps&0xff == 0 {
			r.t.p.Spend(container.CommandCost)
		}
		if c.selected(r) == c.negate {
			continue
		}
		if jump, on := r.one(c); jump != "" {
			if jump == "\x00" {
				return false
			}
			for j, target := range r.script {
				if target.name == ':' && target.label == jump {
					return r.execute(r.script[j:])
				}
			}
			return false
		} else if !on {
			return false
		}
	}
	return true
}

func (r *sedRun) one(c *sedCommand) (jump string, on bool) {
	switch c.name {
	case '{':
		return "", r.execute(c.body)
	case 'p':
		r.write(r.space + "\n")
	case 'd':
		r.noPrint = true
		return "", false
	case 'D':
		r.noPrint, r.deleted, r.label = true, true, "D"
		return "", false
	case 'P':
		first, _, _ := strings.Cut(r.space, "\n")
		r.write(first + "\n")
	case 'q', 'Q':
		r.quit, r.status = true, c.nth
		r.noPrint = c.name == 'Q'
		return "", false
	case '=':
		r.write(strconv.Itoa(r.line) + "\n")
	case 'h':
		r.hold = r.space
	case 'H':
		r.hold += "\n" + r.space
	case 'g':
		r.space = r.hold
	case 'G':
		r.space += "\n" + r.hold
	case 'x':
		r.space, r.hold = r.hold, r.space
	case 'n', 'N':
		if r.isLast() {
			r.quit = true
			return "", false
		}
		if c.name == 'n' {
			if !r.quiet {
				r.emit(r.space)
			}
			r.flush()
			r.next()
			break
		}
		before := r.space
		r.flush()
		r.next()
		r.space = before + "\n" + r.space
	case 'a':
		r.appended = append(r.appended, c.text)
	case 'i':
		r.write(c.text)
	case 'c':
		r.noPrint = true
		if c.to == nil || !c.active {
			r.write(c.text)
		}
		return "", false
	case 'r':
		if data, err := r.t.p.ReadFile(c.writeFile); err == nil {
			r.appended = append(r.appended, string(data))
		}
	case 'y':
		from, to := []rune(c.text), []rune(c.with)
		r.space = strings.Map(func(x rune) rune {
			for i, f := range from {
				if f == x {
					return to[i]
				}
			}
			return x
		}, r.space)
	case 's':
		r.substitute(c)
	case 'b':
		return r.to(c.label), true
	case 't', 'T':
		if r.replaced == (c.name == 't') {
			r.replaced = false
			return r.to(c.label), true
		}
		r.replaced = false
	}
	return "", true
}

func (r *sedRun) to(label string) string {
	if label == "" {
		return "\x00"
	}
	return label
}

func (r *sedRun) substitute(c *sedCommand) {
	var b strings.Builder
	at, n, done := 0, 0, false
	for _, m := range c.re.FindAllStringSubmatchIndex(r.space, -1) {
		n++
		if c.nth > 0 && n < c.nth || done && !c.global {
			continue
		}
		b.WriteString(r.space[at:m[0]])
		expandSed(&b, c.with, r.space, m)
		at, done = m[1], true
	}
	if !done {
		return
	}
	b.WriteString(r.space[at:])
	r.space, r.replaced = b.String(), true
	if c.print {
		r.write(r.space + "\n")
	}
}

// expandSed writes a replacement: & and \n are what was matched, \U \L \E change case.
func expandSed(b *strings.Builder, with, text string, m []int) {
	mode := byte(0)
	put := func(s string) {
		switch mode {
		case 'U':
			s = strings.ToUpper(s)
		case 'L':
			s = strings.ToLower(s)
		}
		b.WriteString(s)
	}
	for i := 0; i < len(with); i++ {
		c := with[i]
		switch {
		case c == '&':
			put(text[m[0]:m[1]])
		case c == '\\' && i+1 < len(with):
			i++
			switch d := with[i]; {
			case d >= '0' && d <= '9':
				g := 2 * int(d-'0')
				if g+1 < len(m) && m[g] >= 0 {
					put(text[m[g]:m[g+1]])
				}
			case d == 'n':
				b.WriteByte('\n')
			case d == 't':
				b.WriteByte('\t')
			case d == 'U' || d == 'L':
				mode = d
			case d == 'E':
				mode = 0
			default:
				b.WriteByte(d)
			}
		default:
			put(string(c))
		}
	}
}
