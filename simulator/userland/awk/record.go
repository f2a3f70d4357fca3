package awk

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/userland/posix"
)

// whole returns $0.
func (m *machine) whole() string {
	if m.stale {
		m.items(len(m.fields))
		m.room(len(m.fields) * keySize)
		parts := make([]string, len(m.fields))
		for i, f := range m.fields {
			parts[i] = m.string(f)
		}
		joined := m.passing(strings.Join(parts, m.global(vOFS)))
		m.hold(len(joined) - len(m.record))
		m.record = joined
		m.stale = false
	}
	return m.record
}

// setRecord makes text $0.
func (m *machine) setRecord(text string) {
	m.hold(len(text) - len(m.record) - m.changed)
	m.changed = 0
	m.record, m.split, m.stale = text, false, false
}

// splitRecord splits $0 into fields, if that has not been done.
func (m *machine) splitRecord() {
	if m.split {
		return
	}
	m.split = true
	m.fields = m.fields[:0]
	m.divide(m.record, nil, func(part string) {
		m.makeRoom(len(m.fields) + 1)
		m.fields = append(m.fields, input(part))
	})
	m.items(len(m.fields))
	m.globals[vNF].v = num(float64(len(m.fields)))
}

// makeRoom makes room for n fields, which the fields of later records use again.
func (m *machine) makeRoom(n int) {
	if c := cap(m.fields); n > c {
		grown := max(n, 2*c)
		m.hold((grown - c) * itemSize)
		m.fields = append(make([]value, 0, grown), m.fields...)
	}
}

// divide splits text as fields are split: by by, or if that is nil by FS.
func (m *machine) divide(text string, by *string, emit func(string)) {
	if text == "" {
		return
	}
	m.passing(text)
	paragraphs := m.global(vRS) == ""
	fs := m.global(vFS)
	if by != nil {
		fs = *by
	}
	switch {
	case fs == " ":
		for len(text) > 0 {
			i := 0
			for i < len(text) && isBlank(text[i]) {
				i++
			}
			text = text[i:]
			for i = 0; i < len(text) && !isBlank(text[i]); i++ {
			}
			if i > 0 {
				emit(text[:i])
			}
			text = text[i:]
		}
		return
	case fs == "":
		for i := range len(text) {
			emit(text[i : i+1])
		}
		return
	case len(fs) == 1 && fs != `\` && !paragraphs:
		for {
			before, after, found := strings.Cut(text, fs)
			emit(before)
			if !found {
				return
			}
			text = after
		}
	}
	if paragraphs && len(fs) > 1 {
		m.divideBy(text, m.dynamic(fs), emit)
		return
	}
	if len(fs) == 1 {
		fs = "[" + fs + "]"
		if fs == `[\]` {
			fs = `\\`
		}
		if fs == `[^]` {
			fs = `\^`
		}
	}
	if paragraphs {
		m.divideAt(text, m.dynamic("("+fs+")|\n"), emit)
		return
	}
	m.divideBy(text, m.dynamic(fs), emit)
}

// divideBy splits text at the non-empty matches of an expression. Where records are paragraphs, a newline ends a part, too,
// but BusyBox does not count those parts: as many are lost at the end.
func (m *machine) divideBy(text string, re *posix.Regexp, emit func(string)) {
	if m.global(vRS) != "" || !strings.Contains(text, "\n") {
		m.divideAt(text, re, emit)
		return
	}
	var parts []string
	counted := 1
	for text != "" {
		line := strings.IndexByte(text, '\n')
		if line < 0 {
			line = len(text)
		}
		m.items(1)
		if start, end := firstNonEmpty(re, text); start >= 0 && start <= line {
			parts = append(parts, text[:start])
			counted++
			text = text[end:]
			continue
		}
		parts = append(parts, text[:line])
		text = text[min(line+1, len(text)):]
	}
	for i := range counted {
		if i < len(parts) {
			emit(parts[i])
		} else {
			emit("")
		}
	}
}

// firstNonEmpty is the place of the first match that has a character; start is -1 if there is none.
func firstNonEmpty(re *posix.Regexp, text string) (start, end int) {
	for from := 0; from < len(text); from++ {
		loc := re.Match(text[from:], 0, false)
		if loc == nil {
			break
		}
		if loc[1] > loc[0] {
			return from + loc[0], from + loc[1]
		}
		from += loc[0]
	}
	return -1, -1
}

// divideAt splits text at the non-empty matches of an expression.
func (m *machine) divideAt(text string, re *posix.Regexp, emit func(string)) {
	for from := 0; from < len(text); {
		loc := re.Match(text[from:], 0, false)
		switch {
		case loc == nil:
			from = len(text)
		case loc[1] == 0:
			from++
		default:
			emit(text[:from+loc[0]])
			text, from = text[from+loc[1]:], 0
			if text == "" {
				emit("")
				return
			}
		}
	}
	emit(text)
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' }

func (m *machine) field(i int) value {
	if i == 0 {
		return input(m.whole())
	}
	m.splitRecord()
	if i > len(m.fields) {
		return value{}
	}
	return m.fields[i-1]
}

func (m *machine) setField(i int, v value) {
	if i == 0 {
		m.setRecord(m.string(v))
		return
	}
	m.splitRecord()
	if v.kind == isNumber {
		v = input(m.string(v))
	}
	m.resize(max(i, len(m.fields)))
	more := len(v.s) - len(m.fields[i-1].s)
	m.hold(more)
	m.changed += more
	m.fields[i-1] = v
	m.stale = true
}

// resize sets the number of fields.
func (m *machine) resize(n int) {
	if n > len(m.fields) {
		m.makeRoom(n)
		m.items(n - len(m.fields))
		for len(m.fields) < n {
			m.fields = append(m.fields, input(""))
		}
	}
	m.fields = m.fields[:n]
	m.globals[vNF].v = num(float64(n))
}

// setNF acts on an assignment to NF.
func (m *machine) setNF() {
	n := m.globals[vNF].v.number()
	if n < 0 || n > maxField || n != n {
		m.fail("NF set to a negative or too large value")
	}
	if !m.split {
		m.splitRecord()
	}
	m.resize(int(n))
	m.stale = true
}

// reader reads records from a stream.
type reader struct {
	m    *machine
	s    Stream
	buf  []byte
	done bool  // nothing more comes
	err  error // why not, if that is not the end
}

// fill reads more. It reports whether there was more.
func (r *reader) fill() bool {
	if r.done {
		return false
	}
	var chunk [4096]byte
	n, err := r.s.Read(chunk[:])
	if n > 0 {
		if len(r.buf)+n > 1<<16 { // a long record
			r.m.w.Hold(int64(len(r.buf)))
			r.m.w.Hold(-int64(len(r.buf)))
		}
		r.buf = append(r.buf, chunk[:n]...)
	}
	if err != nil {
		r.done = true
		if !errors.Is(err, io.EOF) && n == 0 {
			r.err = err
			return false
		}
	}
	return n > 0 || !r.done
}

// fillMuch is fill for a record whose end is looked for in everything that was read: of a long one, it reads as much again.
func (r *reader) fillMuch() bool {
	const long = 1 << 16
	want := len(r.buf)
	more := r.fill()
	for more && want >= long && len(r.buf) < 2*want {
		if !r.fill() {
			break
		}
	}
	return more
}

// next reads the next record by RS.
func (r *reader) next() (record, terminator string, ok bool) {
	rs := r.m.global(vRS)
	switch {
	case rs == "":
		return r.paragraph()
	case len(rs) == 1:
		return r.until(rs[0])
	}
	re := r.m.dynamic(rs)
	for {
		// A match at the end of what has been read may go on.
		text := r.text()
		if loc := re.Match(text, 0, false); loc != nil && loc[1] > loc[0] && (loc[1] < len(text) || r.done) {
			return r.cut(loc[0], loc[1])
		}
		if !r.fillMuch() {
			if len(r.buf) == 0 {
				return "", "", false
			}
			if loc := re.Match(text, 0, false); loc != nil && loc[1] > loc[0] {
				return r.cut(loc[0], loc[1])
			}
			if len(text) < len(r.buf) { // what follows the NUL is lost
				r.buf = nil
				return text, "", true
			}
			if r.buf[len(r.buf)-1] == '\n' {
				return r.cut(len(r.buf)-1, len(r.buf))
			}
			return r.cut(len(r.buf), len(r.buf))
		}
	}
}

// text is what has been read, as a string of C: it ends at the first NUL.
func (r *reader) text() string {
	if i := bytes.IndexByte(r.buf, 0); i >= 0 {
		return string(r.buf[:i])
	}
	return string(r.buf)
}

func (r *reader) cut(end, next int) (record, terminator string, ok bool) {
	record, terminator = string(r.buf[:end]), string(r.buf[end:next])
	if r.buf = r.buf[next:]; len(r.buf) == 0 {
		r.buf = nil
	}
	return record, terminator, true
}

// until reads up to a character, or to a NUL, which ends a record, too.
func (r *reader) until(c byte) (record, terminator string, ok bool) {
	from := 0
	for {
		i, nul := bytes.IndexByte(r.buf[from:], c), bytes.IndexByte(r.buf[from:], 0)
		if nul >= 0 && (i < 0 || nul < i) {
			record, _, ok = r.cut(from+nul, from+nul+1)
			return record, "", ok
		}
		if i >= 0 {
			return r.cut(from+i, from+i+1)
		}
		from = len(r.buf)
		if !r.fill() {
			if len(r.buf) == 0 {
				return "", "", false
			}
			return r.cut(len(r.buf), len(r.buf))
		}
	}
}

func (r *reader) paragraph() (record, terminator string, ok bool) {
	from, blank := 0, false // what stands before from was searched
	for {
		text := bytes.TrimLeft(r.buf, "\n")
		blank = blank || len(text) < len(r.buf)
		r.buf = text
		if nul := bytes.IndexByte(text[from:], 0); nul >= 0 {
			text = text[:from+nul]
		}
		if i := bytes.Index(text[from:], []byte("\n\n")); i >= 0 {
			i += from
			end := i + 2
			for end < len(r.buf) && r.buf[end] == '\n' {
				end++
			}
			if end < len(r.buf) || !r.fill() { // more newlines may come
				return r.cut(i, end)
			}
			from = i
			continue
		}
		from = max(from, len(text)-1)
		if !r.fill() {
			if len(r.buf) == 0 {
				r.buf = nil
				return "", "", blank // newlines alone are an empty record
			}
			if text := r.text(); len(text) < len(r.buf) { // what follows the NUL is lost
				r.buf = nil
				return text, "", true
			}
			return r.cut(len(r.buf), len(r.buf)) // a newline at the end belongs to the record
		}
	}
}

// nextRecord reads the next record of the input into $0. It reports false at the end. A file that cannot be read ends the program,
// which getline does not.
func (m *machine) nextRecord() bool {
	for m.current != nil || m.nextFile() {
		if record, ok := m.readCurrent(); ok {
			m.setRecord(record)
			return true
		}
		if err := m.current.err; err != nil {
			m.fail(err.Error())
		}
		m.skipFile()
	}
	return false
}

// read reads the next record of the input and counts it.
func (m *machine) read() (string, bool) {
	for {
		if m.current == nil && !m.nextFile() {
			return "", false
		}
		if record, ok := m.readCurrent(); ok {
			return record, true
		}
		m.skipFile()
	}
}

// readCurrent reads the next record of the current file and counts it.
func (m *machine) readCurrent() (string, bool) {
	record, terminator, ok := m.current.next()
	if ok {
		m.count(vNR)
		m.count(vFNR)
		m.globals[vRT].v = str(terminator)
	}
	return record, ok
}

func (m *machine) count(i int) { m.globals[i].v = num(m.globals[i].v.number() + 1) }

func (m *machine) skipFile() {
	if m.current != nil {
		m.current.s.Close()
		m.current = nil
	}
}

// nextFile opens the next file of ARGV; assignments on the way are made. Without any file it is standard input.
func (m *machine) nextFile() bool {
	for {
		if float64(m.arg+1) >= m.globals[vARGC].v.number() {
			if m.opened {
				return false
			}
			m.opened = true
			shown := "-"
			if m.o.Long {
				shown = ""
			}
			return m.openMain("-", shown)
		}
		m.arg++
		v, ok := m.globals[vARGV].array().get(strconv.Itoa(m.arg))
		name := m.string(v)
		if !ok || name == "" || m.assignment(name) {
			continue
		}
		m.opened = true
		if m.openMain(name, name) {
			return true
		}
	}
}

func (m *machine) openMain(name, shown string) bool {
	s, err := m.w.Open(name)
	if err != nil {
		panic(&RunError{0, err.Error()})
	}
	m.current = &reader{m: m, s: s}
	m.globals[vFILENAME].v = str(shown)
	m.globals[vFNR].v = num(0)
	return true
}

// assignment makes an assignment that stands among the files, if it is one.
func (m *machine) assignment(text string) bool {
	name, raw, ok := strings.Cut(text, "=")
	if !ok || !IsName(name) {
		return false
	}
	for i, g := range m.p.globals {
		if g == name && m.globals[i].a == nil {
			m.store(&variable{index: i}, input(unescape(raw)))
		}
	}
	return true
}

// IsName reports whether a text can be the name of a variable.
func IsName(text string) bool {
	for i := range len(text) {
		if !letter(text[i]) && (i == 0 || !digit(text[i])) {
			return false
		}
	}
	return text != ""
}

// getline reads a record from somewhere.
func (m *machine) getline(e *getline) value {
	var (
		record string
		ok     bool
	)
	switch {
	case e.from == nil && m.o.Long:
		if record, ok = m.read(); !ok {
			return num(0)
		}
	case e.from == nil: // in BusyBox's awk the end of a file is the end, and behind the last file nothing can be read
		if m.current == nil && !m.nextFile() {
			return num(-1)
		}
		if record, ok = m.readCurrent(); !ok {
			return num(0)
		}
	default:
		src := m.source(m.string(m.eval(e.from)), e.command)
		if src == nil {
			return num(-1)
		}
		if record, _, ok = src.r.next(); !ok {
			return num(0)
		}
	}
	if e.to == nil {
		m.setRecord(record)
	} else {
		m.store(e.to, input(record))
	}
	return num(1)
}
