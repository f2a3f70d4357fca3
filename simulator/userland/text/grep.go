package text

import (
	"bytes"
	"errors"
	"io"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
	"github.com/plumbline-ci/plumbline/simulator/userland/posix"
	"github.com/plumbline-ci/plumbline/simulator/userland/regex"
)

// grepper is a grep at work.
type grepper struct {
	t             *kit.Tool
	opts          map[byte][]string
	patterns      []*grepPattern
	invert        bool
	limit         int // of the lines of a file; -1 without one
	before, after int
	names         bool // each line is printed with its file
	found         bool
	met           bool // a line was selected
	failed        bool // a file cannot be opened
	printed       bool // something was printed, so that context is set off
	last          int  // the number of the line that was printed last
}

// Grep is the utilities grep, egrep and fgrep.
func Grep(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, rest, ok := t.Options(args, "EFqvionclLsrRhHwxe:f:m:A:B:C:zaI", false, map[string]string{"color": "a?"})
	if !ok {
		return t.End()
	}
	g := grepper{t: t, opts: opts, invert: kit.Has(opts, 'v'), limit: -1}
	if !g.numbers() {
		t.Status = 2
		return t.End()
	}
	patterns := opts['e']
	for _, name := range opts['f'] {
		r, done, err := t.Open(name)
		if err != nil {
			t.Failed(name, err)
			t.Status = 2
			return t.End()
		}
		_ = t.Lines(r, func(line string, _ bool) bool {
			t.Hold(line)
			patterns = append(patterns, line)
			return true
		})
		done()
	}
	t.Zero = kit.Has(opts, 'z')
	switch {
	case len(patterns) > 0:
	case kit.Has(opts, 'f'): // of which all are empty: nothing matches
		patterns, g.invert = []string{""}, !g.invert
	case len(rest) == 0:
		return t.Usage()
	default:
		patterns, rest = rest[:1], rest[1:]
	}
	if !t.GNU { // BusyBox's grep tries the last one first
		patterns = slices.Clone(patterns)
		slices.Reverse(patterns)
	}
	g.compilers(patterns)
	if t.GNU {
		for _, pattern := range g.patterns {
			if !pattern.ready(&g) {
				return t.End()
			}
		}
	}
	g.names = (len(rest) > 1 || kit.Has(opts, 'H')) && bytes.LastIndexByte(t.Given, 'h') <= bytes.LastIndexByte(t.Given, 'H')
	return g.search(rest)
}

// numbers reads the options that have one.
func (g *grepper) numbers() bool {
	both, ok := g.t.Within(g.opts, 'C', 0, 0, math.MaxInt32)
	if !ok {
		return false
	}
	if g.before, ok = g.t.Within(g.opts, 'B', both, 0, math.MaxInt32); !ok {
		return false
	}
	if g.after, ok = g.t.Within(g.opts, 'A', both, 0, math.MaxInt32); !ok {
		return false
	}
	if g.limit, ok = g.t.Within(g.opts, 'm', -1, 0, math.MaxInt32); !ok {
		return false
	}
	if g.silent() {
		g.before, g.after = 0, 0
	}
	return true
}

// silent reports whether no lines are printed.
func (g *grepper) silent() bool {
	return kit.Has(g.opts, 'q') || kit.Has(g.opts, 'c') || kit.Has(g.opts, 'l') || kit.Has(g.opts, 'L')
}

// compilers prepares the patterns. BusyBox compiles each when it is needed first.
func (g *grepper) compilers(patterns []string) {
	literal := kit.Has(g.opts, 'F') || g.t.Name == "fgrep"
	for _, text := range patterns {
		if !literal {
			g.patterns = append(g.patterns, &grepPattern{text: text})
			continue
		}
		for part := range strings.SplitSeq(text, "\n") {
			g.patterns = append(g.patterns, &grepPattern{text: part, literal: true})
		}
	}
}

// search goes through the files and returns the exit code.
func (g *grepper) search(names []string) int {
	t := g.t
	recursive := kit.Has(g.opts, 'r') || kit.Has(g.opts, 'R')
	if len(names) == 0 {
		names = []string{"-"}
		if recursive && t.GNU {
			names[0] = "."
		}
	}
	for _, name := range names {
		if info, err := t.P.Stat(name); recursive && err == nil && info.IsDir() && name != "-" {
			g.directory(name)
		} else {
			g.file(name)
		}
		if g.over() {
			break
		}
	}
	status := 1
	switch {
	case g.answered():
		status = 0
	case g.failed || t.Status == 2:
		status = 2
	case g.found:
		status = 0
	}
	t.Status = 0
	if code := t.End(); code != 0 {
		return code
	}
	return status
}

// over reports whether no more files need to be read.
func (g *grepper) over() bool { return g.answered() || g.t.Status == 2 }

// answered reports whether grep -q knows its answer. A file that -L finds is none to BusyBox.
func (g *grepper) answered() bool {
	return kit.Has(g.opts, 'q') && (g.met || g.found && g.t.GNU)
}

// directory searches the files below a directory.
func (g *grepper) directory(dir string) {
	names := g.names
	if !kit.Has(g.opts, 'h') {
		g.names = true
	}
	defer func() {
		if g.t.GNU {
			g.names = names
		}
	}()
	visit := func(name string, info *files.Info) {
		if g.over() {
			return
		}
		if info.Kind() == files.Symlink {
			target, err := g.t.P.Stat(name)
			if err != nil {
				if !kit.Has(g.opts, 's') {
					g.t.Complain("%s: %s", name, kit.Message(err))
					g.t.Status = 0
				}
				return
			}
			if target.IsDir() || g.t.GNU && !kit.Has(g.opts, 'R') {
				return
			}
			info = target
		}
		if info.Kind() == files.Regular && wanted(g.opts, dir, name) {
			g.file(name)
		}
	}
	g.t.Walk(dir, visit)
}

// file searches a file.
func (g *grepper) file(name string) {
	r, done, err := g.t.Open(name)
	switch {
	case errors.Is(err, kit.ErrDirectory):
		if g.t.GNU && !kit.Has(g.opts, 's') {
			g.t.Complain("%s: Is a directory", name)
			g.t.Status = 0
		}
		r, done = strings.NewReader(""), func() {}
	case err != nil:
		g.failed = true
		if !kit.Has(g.opts, 's') {
			g.t.Complain("%s: %s", name, kit.Message(err))
			g.t.Status = 0
		}
		return
	}
	defer done()
	if name == "-" {
		name = "(standard input)"
	}
	g.lines(name, r)
}

// lines searches the lines of a file.
func (g *grepper) lines(name string, r io.Reader) {
	number, hits, owed := 0, 0, 0
	var kept []string
	stop := false
	_ = g.t.Lines(r, func(line string, _ bool) bool {
		number++
		pattern, at := g.match(line)
		if g.t.Status == 2 {
			return false
		}
		if (pattern != nil) != g.invert {
			hits++
			g.met = true
			g.found = g.found || !kit.Has(g.opts, 'L') || kit.Has(g.opts, 'l') || kit.Has(g.opts, 'q') && !g.t.GNU
			if kit.Has(g.opts, 'q') || kit.Has(g.opts, 'l') || kit.Has(g.opts, 'L') {
				stop = true
				return false
			}
			if g.limit >= 0 && hits > g.limit {
				hits--
				return false
			}
			if !kit.Has(g.opts, 'c') {
				for i, k := range kept {
					g.print(name, k, number-len(kept)+i, '-')
				}
				kept, owed = nil, g.after
				g.show(name, line, number, pattern, at)
			}
		} else if owed > 0 {
			g.print(name, line, number, '-')
			owed--
		} else if g.before > 0 {
			kept = append(kept, line)
			kept = kept[max(0, len(kept)-g.before):]
		}
		return g.limit < 0 || owed > 0 || hits != g.limit
	})
	switch {
	case g.t.Status == 2:
		return
	case kit.Has(g.opts, 'q') && stop:
		return
	case kit.Has(g.opts, 'l') && stop:
		g.t.Out.WriteString(name + "\n")
		return
	case stop:
		return
	}
	if kit.Has(g.opts, 'c') {
		if g.names {
			g.t.Out.WriteString(name + ":")
		}
		g.t.Out.WriteString(strconv.Itoa(hits) + "\n")
	}
	if kit.Has(g.opts, 'L') {
		g.found = true
		g.t.Out.WriteString(name + "\n")
	}
}

// match returns the first pattern that a line matches, and where.
func (g *grepper) match(line string) (*grepPattern, [2]int) {
	for _, pattern := range g.patterns {
		if !pattern.ready(g) {
			return nil, [2]int{}
		}
		g.t.Effort(perPattern)
		if at, ok := g.selects(pattern, line); ok {
			return pattern, at
		}
	}
	return nil, [2]int{}
}

// selects reports whether a pattern selects a line: with -x all of it, with -w as a word.
func (g *grepper) selects(pattern *grepPattern, line string) (at [2]int, ok bool) {
	for from := 0; from <= len(line); {
		if at, ok = pattern.find(line, from); !ok {
			return at, false
		}
		switch {
		case kit.Has(g.opts, 'x'):
			if at[0] == 0 && at[1] == len(line) {
				return at, true
			}
			return at, false
		case !kit.Has(g.opts, 'w'), isolated(line, at):
			return at, true
		case pattern.literal:
			from = at[0] + 1
		case at[1] > from:
			from = at[1]
		default:
			return at, false
		}
	}
	return at, false
}

// isolated reports whether no letter or digit stands beside a part of a line.
func isolated(line string, at [2]int) bool {
	return (at[0] == 0 || !wordByte(line[at[0]-1])) && (at[1] == len(line) || !wordByte(line[at[1]]))
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// show prints a line that was selected, or with -o what matched in it.
func (g *grepper) show(name, line string, number int, pattern *grepPattern, at [2]int) {
	switch {
	case !kit.Has(g.opts, 'o'):
		g.print(name, line, number, ':')
	case pattern == nil:
	case pattern.literal && !g.t.GNU:
		g.print(name, pattern.text, number, ':')
	default:
		for {
			if at[0] < at[1] {
				g.print(name, line[at[0]:at[1]], number, ':')
			}
			from := at[1]
			if at[0] == at[1] {
				from++
			}
			ok := at[1] < len(line)
			if ok {
				at, ok = pattern.find(line, from)
			}
			for ok && g.t.GNU && kit.Has(g.opts, 'w') && !isolated(line, at) {
				if at[1] >= len(line) {
					return
				}
				at, ok = pattern.find(line, max(at[1], at[0]+1))
			}
			if !ok {
				return
			}
		}
	}
}

// print prints a line, or a part of one, behind what says where it is from. Context is set off.
func (g *grepper) print(name, text string, number int, mark byte) {
	out := g.t.Out
	if (g.before > 0 || g.after > 0) && g.printed && g.last != number-1 && !(g.t.GNU && g.last == number) {
		out.WriteString("--\n")
	}
	g.printed, g.last = true, number
	if g.names {
		out.WriteString(name)
		out.WriteByte(mark)
	}
	if kit.Has(g.opts, 'n') {
		out.WriteString(strconv.Itoa(number))
		out.WriteByte(mark)
	}
	out.WriteString(text)
	if g.t.Zero {
		out.WriteByte(0)
	} else {
		out.WriteByte('\n')
	}
}

// grepPattern is one of the patterns: a text to be found, a regular expression of the C library, or one of Perl.
type grepPattern struct {
	text    string
	literal bool
	fold    bool
	posix   *posix.Regexp
	perl    *regex.Regexp
	meter   kit.Meter
	tool    *kit.Tool
}

// perPattern is what it takes to try a pattern, besides reading the line.
const perPattern = 4

// ready compiles the pattern. It reports whether that can be done.
func (p *grepPattern) ready(g *grepper) bool {
	var err error
	p.tool = g.t
	switch {
	case p.literal:
		if p.fold = kit.Has(g.opts, 'i'); p.fold {
			p.text = lower(p.text)
		}
	case p.posix != nil || p.perl != nil:
	case kit.Has(g.opts, 'P'):
		p.meter = kit.Meter{P: g.t.P}
		g.t.P.Allocate(int64(len(p.text)) * kit.SizeOfPattern)
		expr := p.text
		if kit.Has(g.opts, 'w') {
			expr = `\b(?:` + expr + `)\b`
		}
		if kit.Has(g.opts, 'x') {
			expr = `^(?:` + expr + `)$`
		}
		p.perl, err = regex.Compile(expr, regex.Options{IgnoreCase: kit.Has(g.opts, 'i')})
	default:
		p.posix, err = kit.CompilePattern(g.t.P, p.text, posix.Options{Extended: kit.Has(g.opts, 'E') || g.t.Name == "egrep", Fold: kit.Has(g.opts, 'i'), GNU: true})
	}
	if err != nil {
		g.t.Complain("bad regex '%s'", p.text)
		g.t.Status = 2
	}
	return err == nil
}

// find returns where the pattern matches first, not before from.
func (p *grepPattern) find(line string, from int) (at [2]int, ok bool) {
	var m []int
	switch {
	case p.literal:
		i := p.index(line[from:])
		if i < 0 {
			p.tool.Effort((len(line) - from) / 16)
			return at, false
		}
		p.tool.Effort(perPattern + i/16)
		return [2]int{from + i, from + i + len(p.text)}, true
	case p.perl != nil:
		m = p.perl.Match(p.meter, line, from)
	default:
		m = p.posix.Match(line, from, false)
	}
	if m == nil {
		return at, false
	}
	return [2]int{m[0], m[1]}, true
}

// index returns where the text stands first, or -1.
func (p *grepPattern) index(line string) int {
	if !p.fold || p.text == "" {
		return strings.Index(line, p.text)
	}
	small := p.text[0]
	big := small
	if small >= 'a' && small <= 'z' {
		big -= 'a' - 'A'
	}
	for i := 0; i+len(p.text) <= len(line); i++ {
		if c := line[i]; c != small && c != big {
			continue
		}
		j := 1
		for j < len(p.text) && smallLetter(line[i+j]) == p.text[j] {
			j++
		}
		p.tool.Effort(j / 8)
		if j == len(p.text) {
			return i
		}
	}
	return -1
}

// lower makes ASCII letters small.
func lower(text string) string {
	out := []byte(text)
	for i, c := range out {
		out[i] = smallLetter(c)
	}
	return string(out)
}

// smallLetter makes an ASCII letter small.
func smallLetter(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// wanted reports whether grep -r is to search a file, by --include, --exclude and --exclude-dir.
func wanted(opts map[byte][]string, root, file string) bool {
	fits := func(patterns []string, name string) bool {
		for _, p := range patterns {
			if ok, _ := path.Match(p, name); ok {
				return true
			}
		}
		return false
	}
	if kit.Has(opts, '1') && !fits(opts['1'], path.Base(file)) || fits(opts['2'], path.Base(file)) {
		return false
	}
	for dir := range strings.SplitSeq(strings.TrimPrefix(path.Dir(file), root), "/") {
		if fits(opts['3'], dir) {
			return false
		}
	}
	return true
}
