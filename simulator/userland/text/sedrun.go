package text

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
	"github.com/plumbline-ci/plumbline/simulator/userland/posix"
)

// sedLine is a line of the input and what ended it: "\n", "\x00", or nothing at the end of a file.
type sedLine struct{ text, end string }

// sizeOfQueued is what a line that waits takes besides its text.
const sizeOfQueued = 32

// sedOutput is where lines go. One that is not ended is ended when the next comes.
type sedOutput struct {
	w    io.Writer
	open bool
}

// put writes a line; a failed write is met again by the next flush.
func (o *sedOutput) put(text, end string) {
	if o.open {
		_, _ = io.WriteString(o.w, "\n")
	}
	_, _ = io.WriteString(o.w, text)
	_, _ = io.WriteString(o.w, end)
	o.open = end == "" && text != ""
}

// sedRun is a sed at work.
type sedRun struct {
	t        *kit.Tool
	quiet    bool
	separate bool // files are edited one by one
	newline  string
	commands []*sedCommand
	labels   map[string]int // of the commands after them
	files    map[string]*sedOutput
	out      *sedOutput

	names  []string // of the files that are still to be read
	in     *kit.LineReader
	done   func()
	ahead  *sedLine // the next line
	line   int      // lines read
	file   string   // that is read
	space  sedSpace
	end    string // what ended the line of the pattern space
	hold   sedSpace
	queued []sedLine // text to be printed at the end of the cycle
	lastRE *posix.Regexp

	status   int
	replaced bool
	steps    int
}

// Sed is the utility sed.
func Sed(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	if len(args) == 2 && args[1] == "--version" && !t.GNU {
		t.Out.WriteString("This is not GNU sed version 4.0\n")
		return t.End()
	}
	opts, rest, ok := t.Options(sedInPlace(args), "nrEe:f:i:", false, map[string]string{"quiet": "n", "silent": "n", "expression": "e:",
		"regexp-extended": "E", "in-place": "I", "file": "f:"})
	if !ok {
		return t.End()
	}
	if kit.Has(opts, 'I') {
		opts['i'] = opts['I']
	}
	parts := opts['e']
	for _, name := range opts['f'] {
		r, done, err := t.Open(name)
		if err != nil {
			t.Failed(name, err)
			return t.End()
		}
		data, _ := t.ReadAll(r)
		done()
		parts = append(parts, strings.TrimSuffix(string(data), "\n"))
	}
	if !kit.Has(opts, 'e') && !kit.Has(opts, 'f') {
		if len(rest) == 0 {
			return t.Usage()
		}
		parts, rest = rest[:1], rest[1:]
	}
	parser := sedParser{p: p, GNU: t.GNU, extended: kit.Has(opts, 'r') || kit.Has(opts, 'E')}
	if err := parser.parse(parts); err != nil {
		return t.Fail("%s", err)
	}
	t.Zero = kit.Has(opts, 'z')
	t.Nul = !t.GNU
	r := sedRun{t: t, newline: "\n", quiet: kit.Has(opts, 'n') || parser.quiet, commands: parser.commands, separate: kit.Has(opts, 's'), out: &sedOutput{w: t.Out}}
	if t.Zero {
		r.newline = "\x00"
	}
	if err := r.prepare(); err != nil {
		return t.Fail("%s", err)
	}
	if kit.Has(opts, 'i') {
		return r.inPlace(rest, kit.Last(opts, 'i'))
	}
	if r.names = rest; len(rest) == 0 {
		r.names = []string{"-"}
	}
	if r.separate {
		for _, name := range r.names {
			if err := r.each(name); err != nil {
				return t.Fail("%s", err)
			}
		}
	} else if err := r.run(); err != nil {
		return t.Fail("%s", err)
	}
	if r.status != 0 {
		t.Status = r.status
	}
	return t.End()
}

// each edits one of several files as if it were the only one. BusyBox's sed reads on in a file in which it met q when it
// comes to the next one.
func (r *sedRun) each(name string) error {
	for _, c := range r.commands {
		if c.spent = false; r.t.GNU { // BusyBox's ranges go on in the next file
			c.active = false
		}
	}
	if r.ahead, r.line = nil, 0; r.t.GNU {
		r.names, r.in = nil, nil
	}
	r.names = append(r.names, name)
	return r.run()
}

// inPlace edits files.
func (r *sedRun) inPlace(names []string, suffix string) int {
	p, t := r.t.P, r.t
	if len(names) == 0 {
		return t.Usage()
	}
	for _, name := range names {
		info, err := p.Stat(name)
		if err == nil && info.Kind() != files.Regular {
			t.Complain("%s: not a regular file", name)
			continue
		}
		if err == nil {
			err = p.Access(name, 4)
		}
		if err != nil {
			t.Failed(name, err)
			continue
		}
		var out strings.Builder
		r.out = &sedOutput{w: bufio.NewWriterSize(&out, 1024)}
		if err := r.each(name); err != nil { // the file stays what it was
			return t.Fail("%s", err)
		}
		_ = r.out.w.(*bufio.Writer).Flush()
		if suffix != "" {
			backup := name + suffix
			if t.GNU && strings.Contains(suffix, "*") {
				backup = strings.ReplaceAll(suffix, "*", name)
			}
			if err := p.Rename(name, backup); err != nil {
				t.Failed(backup, err)
			}
		}
		if err := r.replaceFile(name, info, out.String()); err != nil {
			if t.GNU {
				t.Status = 4
				return t.Fail("couldn't open temporary file %s/sedXXXXXX: %s", path.Dir(name), files.Message(err))
			}
			return t.Fail("can't create temp file '%sXXXXXX': %s", name, files.Message(err))
		}
		if r.status != 0 {
			t.Status = r.status
			break
		}
	}
	if !t.GNU { // what is still to be read, it treats as one more file, and prints
		for _, c := range r.commands {
			c.spent = false
		}
		r.out, r.ahead, r.line = &sedOutput{w: t.Out}, nil, 0
		if err := r.run(); err != nil {
			return t.Fail("%s", err)
		}
	}
	return t.End()
}

// replaceFile puts a new file in the place of an old one, or of a link to it. A program that has the old one open keeps it.
func (r *sedRun) replaceFile(name string, old *files.Info, text string) error {
	p := r.t.P
	fresh := name + "XXXXXX"
	if err := p.WriteFile(fresh, []byte(text), 0o600); err != nil {
		return err
	}
	_ = p.Chown(fresh, int(old.UID()), int(old.GID()), false) // as far as the user may
	if err := p.Chmod(fresh, old.Perm()); err != nil {
		return err
	}
	return p.Rename(fresh, name)
}

// sedInPlace makes the value of -i, which must be attached, one for the parser of options.
func sedInPlace(args []string) []string {
	out := make([]string, 0, len(args)+1)
	for i, a := range args {
		if i > 0 && len(a) > 1 && a[0] == '-' && a[1] != '-' && strings.HasSuffix(a, "i") && strings.Trim(a[1:], "nrEsiz") == "" {
			out = append(out, a, "")
			continue
		}
		out = append(out, a)
	}
	return out
}

// prepare finds the labels and the ends of blocks, and opens the files that are written to.
func (r *sedRun) prepare() error {
	r.labels, r.files = map[string]int{}, map[string]*sedOutput{}
	var open []*sedCommand
	for i, c := range r.commands {
		switch c.name {
		case '{':
			c.close = -1
			open = append(open, c)
		case '}':
			if len(open) > 0 {
				open[len(open)-1].close = i
				open = open[:len(open)-1]
			}
		case ':':
			r.labels[c.label] = i + 1
		}
		if c.file != "" && c.name != 'r' {
			r.create(c.file)
		}
	}
	if r.t.GNU { // BusyBox's sed looks for a label when it jumps
		for _, c := range r.commands {
			if _, ok := r.labels[c.label]; !ok && c.label != "" {
				return errors.New("can't find label for jump to '" + c.label + "'")
			}
		}
	}
	return nil
}

// create opens a file that w writes to.
func (r *sedRun) create(name string) {
	if r.files[name] != nil {
		return
	}
	if name == "/dev/stdout" {
		r.files[name] = r.out
		return
	}
	fd, err := r.t.P.OpenFile(name, files.Write|files.Create|files.Truncate, 0o666)
	if err != nil {
		r.t.Failed(name, err)
		return
	}
	r.files[name] = &sedOutput{w: r.t.P.Descriptor(fd)}
}

// read reads the next line ahead. Before that it prints what is queued.
func (r *sedRun) read() {
	r.dequeue()
	r.ahead = nil
	for {
		if r.in == nil {
			if len(r.names) == 0 {
				return
			}
			name := r.names[0]
			r.names = r.names[1:]
			in, done, err := r.t.Open(name)
			if err != nil {
				r.t.Failed(name, err)
				if r.t.GNU && !errors.Is(err, kit.ErrDirectory) {
					r.status = 2
				}
				continue
			}
			r.in, r.done, r.file = r.t.LineReader(in), done, name
		}
		text, ended, err := r.in.Next()
		if err == nil {
			r.ahead = &sedLine{text: text}
			if ended {
				r.ahead.end = string([]byte{r.in.Met})
			}
			return
		}
		r.done()
		r.in = nil
	}
}

// next makes the line that was read ahead the current one, which it returns.
func (r *sedRun) next() sedLine {
	line := *r.ahead
	r.line++
	r.read()
	return line
}

func (r *sedRun) run() error {
	r.read()
	for r.ahead != nil {
		r.take(r.next())
		if err := r.cycle(); err != nil {
			return err
		}
	}
	return nil
}

// cycle runs the script for a line, and again as long as D leaves something of it.
func (r *sedRun) cycle() error {
	r.replaced = false
	for {
		end, err := r.execute()
		if err != nil {
			return err
		}
		if end == printed && !r.quiet {
			r.out.put(r.get(&r.space), r.end)
		}
		if end != again || r.t.GNU {
			r.dequeue()
		}
		if end != again {
			return nil
		}
		if r.t.GNU { // BusyBox's t goes by what was replaced before the D
			r.replaced = false
		}
	}
}

// take makes a line the pattern space.
func (r *sedRun) take(line sedLine) {
	r.space.set(line.text)
	r.end = line.end
}

// dequeue prints the text of a and r.
func (r *sedRun) dequeue() {
	queued := r.queued
	r.queued = nil
	for _, line := range queued {
		r.out.put(line.text, line.end)
		r.t.P.Allocate(-int64(len(line.text)) - sizeOfQueued)
	}
}

// matches reports whether an address selects the current line.
func (r *sedRun) matches(a *sedAddress) (bool, error) {
	switch {
	case a.matching:
		re := a.re
		if re == nil {
			re = r.lastRE
		}
		if re == nil {
			return false, errNoRegexp
		}
		if re.Matches(r.get(&r.space)) {
			r.lastRE = re
			return true, nil
		}
		return false, nil
	case a.last:
		return r.ahead == nil, nil
	case a.step > 0:
		return r.line >= a.line && (r.line-a.line)%a.step == 0, nil
	}
	return r.line == a.line, nil
}

// selected reports whether a command is for the current line.
func (r *sedRun) selected(c *sedCommand) (bool, error) {
	if c.from == nil || c.from.line == 0 && c.to == nil && !c.from.last && !c.from.matching && c.from.step == 0 {
		return true, nil
	}
	if c.to == nil {
		return r.matches(c.from)
	}
	numbered := !c.from.last && !c.from.matching && c.from.step == 0
	first := !c.active
	if first {
		var begins bool
		var err error
		switch {
		case numbered && r.t.GNU:
			begins = r.line == c.from.line
			if c.from.line == 0 && !c.spent { // 0,/x/: as if it had begun before the first line
				c.active, c.spent = true, true
				return r.ends(c)
			}
		case numbered: // a range whose first line was skipped begins late, but only once
			begins = c.from.line > 0 && c.from.line <= r.line && !c.spent
		default:
			begins, err = r.matches(c.from)
		}
		if !begins {
			return false, err
		}
		c.active, c.spent = true, numbered
		c.until = c.to.line
		if c.to.plus {
			c.until += r.line
		}
		if c.to.upTo > 0 {
			c.until = (r.line + c.to.upTo - 1) / c.to.upTo * c.to.upTo
		}
	}
	switch {
	case c.to.matching:
		if !first {
			return r.ends(c)
		}
	case c.to.last:
		c.active = r.ahead != nil
	default:
		c.active = c.until > r.line
		if !first && r.t.GNU && r.line > c.until {
			return false, nil
		}
	}
	return true, nil
}

// ends closes the range if the line matches its end. The line itself belongs to the range.
func (r *sedRun) ends(c *sedCommand) (bool, error) {
	over, err := r.matches(c.to)
	c.active = !over
	return true, err
}

// outcome is how a script ends for a line.
type outcome uint8

const (
	printed outcome = iota // the pattern space is printed
	deleted
	again // the script begins again, and no line is read
)

// execute runs the script once.
func (r *sedRun) execute() (outcome, error) {
	for pc := 0; pc < len(r.commands); {
		c := r.commands[pc]
		if r.steps++; r.steps&7 == 0 {
			r.t.P.Spend(container.CommandCost)
		}
		chosen, err := r.selected(c)
		if err != nil {
			return 0, err
		}
		pc++
		if chosen == c.negate {
			if c.name == '{' {
				if c.close < 0 {
					return 0, errors.New("unterminated {")
				}
				pc = c.close
			}
			continue
		}
		switch c.name {
		case 'b', 't', 'T':
			taken := c.name == 'b' || r.replaced == (c.name == 't')
			if c.name == 't' || r.t.GNU && c.name == 'T' {
				r.replaced = false
			}
			switch to, known := r.labels[c.label]; {
			case !taken:
			case c.label == "":
				return printed, nil
			case !known:
				return 0, errors.New("can't find label for jump to '" + c.label + "'")
			default:
				pc = to
			}
		default:
			end, over, err := r.one(c)
			if over || err != nil {
				return end, err
			}
		}
	}
	return printed, nil
}

// one carries out a command. It reports whether the script ends with it.
func (r *sedRun) one(c *sedCommand) (end outcome, over bool, err error) {
	nl := r.newline
	switch c.name {
	case 'p':
		r.out.put(r.get(&r.space), nl)
	case 'P':
		first, _, _ := strings.Cut(r.get(&r.space), nl)
		r.out.put(first, nl)
	case 'd':
		return deleted, true, nil
	case 'D':
		_, rest, more := strings.Cut(r.get(&r.space), nl)
		if !more {
			return deleted, true, nil
		}
		r.space.set(rest)
		return again, true, nil
	case 'q', 'Q':
		if r.status, r.ahead = c.nth, nil; r.t.GNU {
			r.names = nil
		}
		if c.name == 'Q' {
			return deleted, true, nil
		}
		return printed, true, nil
	case '=':
		r.out.put(strconv.Itoa(r.line), "\n")
	case 'h':
		r.hold.set(r.get(&r.space))
	case 'H':
		r.extend(&r.hold, r.get(&r.space))
	case 'g':
		r.space.set(r.get(&r.hold))
	case 'G':
		r.extend(&r.space, r.get(&r.hold))
		r.ended()
	case 'x':
		r.space, r.hold = r.hold, r.space
		r.ended()
	case 'z':
		r.space.set("")
	case 'F':
		r.out.put(r.file, "\n")
	case 'l':
		if r.t.GNU {
			r.out.put(visibly(r.get(&r.space)), "\n")
		}
	case 'n', 'N':
		return r.more(c)
	case 'a':
		r.t.P.Allocate(int64(len(c.text)) + sizeOfQueued)
		r.queued = append(r.queued, sedLine{c.text, "\n"})
	case 'i':
		r.out.put(c.text, "\n")
	case 'c':
		if c.to == nil || !c.active || c.negate && r.t.GNU {
			r.out.put(c.text, "\n")
		}
		return deleted, true, nil
	case 'w':
		if out := r.files[c.file]; out != nil {
			out.put(r.get(&r.space), r.end)
		}
	case 'r':
		r.queue(c.file)
	case 'y':
		text := []byte(r.get(&r.space))
		r.grown(2 * len(text))
		for table, i := c.table(), 0; i < len(text); i++ {
			text[i] = table[text[i]]
		}
		r.space.set(string(text))
	case 's':
		return 0, false, r.substitute(c)
	}
	return 0, false, nil
}

// ended says that the pattern space is no longer the last line of a file.
func (r *sedRun) ended() {
	if !r.t.GNU {
		r.end = r.newline
	}
}

// more is n and N.
func (r *sedRun) more(c *sedCommand) (end outcome, over bool, err error) {
	if c.name == 'N' {
		if r.ahead == nil {
			return printed, true, nil
		}
		line := r.next()
		r.extend(&r.space, line.text)
		r.end = line.end
		return 0, false, nil
	}
	if r.t.GNU && r.ahead == nil {
		return printed, true, nil
	}
	if !r.quiet {
		r.out.put(r.get(&r.space), r.end)
	}
	if r.ahead == nil {
		return deleted, true, nil
	}
	r.take(r.next())
	if !r.t.GNU {
		r.replaced = false
	}
	return 0, false, nil
}

// queue queues the lines of a file, which stay in memory until they are printed.
func (r *sedRun) queue(name string) {
	data, err := r.t.P.ReadFile(name)
	if err != nil {
		return
	}
	if len(data) == 0 {
		return
	}
	text, ended := bytes.CutSuffix(data, []byte("\n"))
	end := ""
	if ended || !r.t.GNU {
		end = "\n"
	}
	r.t.P.Allocate(int64(len(text)) + sizeOfQueued)
	r.queued = append(r.queued, sedLine{string(text), end})
}

// substitute carries out s. Each match is looked for behind the one before, where no line begins.
func (r *sedRun) substitute(c *sedCommand) error {
	re := c.re
	if re == nil {
		re = r.lastRE
	}
	if re == nil {
		return errNoRegexp
	}
	r.lastRE = re
	references := strings.Count(c.with, "&") + strings.Count(c.with, `\`)
	var b strings.Builder
	whole := r.get(&r.space)
	text, found, done := whole, 0, false
	emptyBefore, atEnd := true, false
	nth := max(c.nth, 1)
	if nth == 2 && whole == "" && !r.t.GNU {
		nth = 1 // BusyBox's matches nothing a second time
	}
	for !atEnd {
		atEnd = text == ""
		m := r.find(re, whole, text)
		if m == nil {
			break
		}
		found++
		empty := m[0] == m[1]
		if found < nth || found > nth && !c.global {
			b.WriteString(text[:m[1]])
		} else {
			b.WriteString(text[:m[0]])
			replaced := emptyBefore || m[0] > 0 || !empty
			emptyBefore = empty
			if replaced {
				r.room(b.Len() + len(c.with) + references*(m[1]-m[0]))
				r.expand(&b, c.with, text, m)
				done = true
			}
			if !c.global {
				text = text[m[1]:]
				break
			}
		}
		text = text[m[1]:]
		if empty && text != "" {
			b.WriteByte(text[0])
			text = text[1:]
		}
	}
	if !done {
		return nil
	}
	b.WriteString(text)
	r.grown(b.Len())
	r.space.set(b.String())
	r.replaced = true
	if c.print {
		r.out.put(r.get(&r.space), r.end)
	}
	if out := r.files[c.file]; c.file != "" && out != nil {
		out.put(r.get(&r.space), r.end)
	}
	return nil
}

// find finds the next match in the rest of a line. BusyBox's sed does not see what stands before the rest.
func (r *sedRun) find(re *posix.Regexp, whole, rest string) []int {
	if !r.t.GNU {
		return re.Match(rest, 0, len(rest) < len(whole))
	}
	from := len(whole) - len(rest)
	m := re.Match(whole, from, false)
	for i := range m {
		if m[i] >= 0 {
			m[i] -= from
		}
	}
	return m
}

// expand writes a replacement: & and \1 are what was matched. GNU's \U, \L, \u, \l and \E change case.
func (r *sedRun) expand(b *strings.Builder, with, text string, m []int) {
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
			case kit.Digit(d):
				if g := 2 * int(d-'0'); g+1 < len(m) && m[g] >= 0 {
					put(text[m[g]:m[g+1]])
				}
			case !r.t.GNU:
				b.WriteByte(d)
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
			put(with[i : i+1])
		}
	}
}

// visibly shows a pattern space as l does.
func visibly(text string) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if at := strings.IndexByte("\a\b\f\n\r\t\v\\", c); at >= 0 {
			b.WriteByte('\\')
			b.WriteByte(`abfnrtv\`[at])
		} else if c < ' ' || c > '~' {
			b.WriteString(`\`)
			b.WriteString(strconv.FormatInt(0o1000+int64(c), 8)[1:])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String() + "$"
}
