package utility

import (
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
)

// sedRun is a sed at work.
type sedRun struct {
	t        *tool
	quiet    bool
	end      string // what ends a line
	flat     []*sedCommand
	labels   map[string]int // of the commands after them
	files    map[string]int // that w writes to: descriptors
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
	opts, rest, ok := t.options(sedInPlace(args), "nrEe:f:i:", false, map[string]string{"quiet": "n", "silent": "n", "expression": "e:",
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
	end := "\n"
	if has(opts, 'z') {
		end = "\x00"
	}
	parser := sedParser{p: t.p, text: script, extended: has(opts, 'r') || has(opts, 'E')}
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
			r := sedRun{t: t, end: end, quiet: has(opts, 'n'), out: &out}
			if problem := r.prepare(commands); problem != "" {
				return t.fail("%s", problem)
			}
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
	r := sedRun{t: t, end: end, quiet: has(opts, 'n'), out: t.out}
	if problem := r.prepare(commands); problem != "" {
		return t.fail("%s", problem)
	}
	t.inputsOf(rest, "", func(_ string, in io.Reader) bool {
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
	r.ended = strings.HasSuffix(data, r.end)
	r.input = append(r.input, strings.Split(strings.TrimSuffix(data, r.end), r.end)...)
}

func (r *sedRun) isLast() bool { return r.line >= len(r.input) }

// write writes to where output goes now; a failed write is met again by the next flush.
func (r *sedRun) write(text string) { _, _ = io.WriteString(r.out, text) }

// emit prints a line; the last line of an input without a newline at its end gets none.
func (r *sedRun) emit(line string) {
	r.write(line)
	if !r.isLast() || r.ended {
		r.write(r.end)
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
			r.write(r.end)
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
		r.execute()
		if r.deleted && r.name('D') && strings.Contains(r.space, r.end) {
			_, r.space, _ = strings.Cut(r.space, r.end)
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

// flatten puts the commands of blocks behind their opening, which knows where its block ends.
func (r *sedRun) flatten(commands []*sedCommand) {
	for _, c := range commands {
		r.flat = append(r.flat, c)
		switch c.name {
		case '{':
			r.flatten(c.body)
			c.end = len(r.flat)
		case ':':
			r.labels[c.label] = len(r.flat)
		}
		if c.writeFile != "" && c.name != 'r' {
			r.create(c.writeFile)
		}
	}
}

// prepare makes the script ready to run. It returns what is wrong with it.
func (r *sedRun) prepare(script []*sedCommand) string {
	r.labels, r.files = map[string]int{}, map[string]int{}
	r.flatten(script)
	for _, c := range r.flat {
		if _, ok := r.labels[c.label]; !ok && c.label != "" && c.name != ':' {
			return "can't find label for jump to '" + c.label + "'"
		}
	}
	return ""
}

// create opens a file that w writes to.
func (r *sedRun) create(name string) {
	if _, ok := r.files[name]; ok || name == "/dev/stdout" {
		return
	}
	fd, err := r.t.p.OpenFile(name, files.Write|files.Create|files.Truncate, 0o666)
	if err != nil {
		r.t.failed(name, err)
		return
	}
	r.files[name] = fd
}

// save writes the pattern space to a file.
func (r *sedRun) save(name string) {
	if name == "/dev/stdout" {
		r.write(r.space + r.end)
	} else if fd, ok := r.files[name]; ok {
		_, _ = r.t.p.Write(fd, []byte(r.space+r.end))
	}
}

// execute runs the script once.
func (r *sedRun) execute() {
	for pc := 0; pc < len(r.flat); {
		c := r.flat[pc]
		if r.steps++; r.steps&7 == 0 {
			r.t.p.Spend(container.CommandCost)
		}
		switch {
		case c.selected(r) == c.negate:
			pc++
			if c.name == '{' {
				pc = c.end
			}
			continue
		case c.name == '{':
			pc++
			continue
		}
		jump, on := r.one(c)
		switch {
		case jump == "" && !on, jump == "\x00":
			return
		case jump != "":
			pc = r.labels[jump]
		default:
			pc++
		}
	}
}

// grown accounts for a pattern or hold space that became long.
func (r *sedRun) grown(text string) string {
	if r.room(len(text)); len(text) > 1<<16 {
		r.t.p.Spend(container.CommandCost)
	}
	return text
}

func (r *sedRun) one(c *sedCommand) (jump string, on bool) {
	switch c.name {
	case 'p':
		r.write(r.space + r.end)
	case 'd':
		r.noPrint = true
		return "", false
	case 'D':
		r.noPrint, r.deleted, r.label = true, true, "D"
		return "", false
	case 'P':
		first, _, _ := strings.Cut(r.space, r.end)
		r.write(first + r.end)
	case 'q', 'Q':
		r.quit, r.status = true, c.nth
		r.noPrint = c.name == 'Q'
		return "", false
	case '=':
		r.write(strconv.Itoa(r.line) + "\n")
	case 'h':
		r.hold = r.space
	case 'H':
		r.hold = r.grown(r.hold + r.end + r.space)
	case 'g':
		r.space = r.hold
	case 'G':
		r.space = r.grown(r.space + r.end + r.hold)
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
		r.space = before + r.end + r.space
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
	case 'w':
		r.save(c.writeFile)
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

// countMatches accounts for the list of all matches in a long pattern space.
func (r *sedRun) countMatches(of pattern) {
	re, ok := of.(*regexp.Regexp)
	if !ok || len(r.space) <= 1<<16 {
		return
	}
	n, size := 0, 24+16*(1+re.NumSubexp())
	re.ReplaceAllStringFunc(r.space, func(string) string {
		if n++; n%(1<<14) == 0 {
			r.room(n * size)
		}
		return ""
	})
}

// room accounts for n bytes that a pattern space is about to have.
func (r *sedRun) room(n int) {
	if n > 1<<16 {
		r.t.p.Allocate(int64(n))
		r.t.p.Allocate(-int64(n))
	}
}

func (r *sedRun) substitute(c *sedCommand) {
	var b strings.Builder
	at, n, done := 0, 0, false
	references := strings.Count(c.with, "&") + strings.Count(c.with, `\`)
	most := max(1, c.nth)
	if c.global {
		most = -1
		r.countMatches(c.re)
	}
	for _, m := range c.re.FindAllStringSubmatchIndex(r.space, most) {
		n++
		if c.nth > 0 && n < c.nth || done && !c.global {
			continue
		}
		b.WriteString(r.space[at:m[0]])
		r.room(b.Len() + len(c.with) + references*(m[1]-m[0]))
		expandSed(&b, c.with, r.space, m)
		at, done = m[1], true
	}
	if !done {
		return
	}
	b.WriteString(r.space[at:])
	r.space, r.replaced = r.grown(b.String()), true
	if c.print {
		r.write(r.space + r.end)
	}
	if c.writeFile != "" {
		r.save(c.writeFile)
	}
}

// expandSed writes a replacement: & and \n are what was matched, \U \L \E change case.
func expandSed(b *strings.Builder, with, text string, m []int) {
	mode, once := byte(0), byte(0)
	put := func(s string) {
		if once != 0 && s != "" {
			first := s[:1]
			if once == 'u' {
				first = strings.ToUpper(first)
			} else {
				first = strings.ToLower(first)
			}
			b.WriteString(first)
			s, once = s[1:], 0
		}
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
			case d == 'u' || d == 'l':
				once = d
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
