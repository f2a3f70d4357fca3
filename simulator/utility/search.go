package utility

import (
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
)

// translate turns a POSIX regular expression into Go's syntax. In a basic one, the operators are written with a backslash.
func translate(expr string, extended bool) string {
	var b strings.Builder
	for i := 0; i < len(expr); i++ {
		c := expr[i]
		switch {
		case c == '[':
			end := bracketEnd(expr[i:])
			if end < 0 {
				b.WriteString(expr[i:]) // an error
				return b.String()
			}
			set := expr[i+1 : i+end]
			b.WriteByte('[')
			if strings.HasPrefix(set, "^") {
				b.WriteByte('^')
				set = set[1:]
			}
			if strings.HasPrefix(set, "]") {
				b.WriteString(`\]`)
				set = set[1:]
			}
			set = strings.ReplaceAll(set, `\`, `\\`)
			for j := 0; j < len(set); j++ {
				if set[j] == '[' && !strings.HasPrefix(set[j:], "[:") {
					b.WriteByte('\\')
				}
				if strings.HasPrefix(set[j:], "[:") {
					if e := strings.Index(set[j:], ":]"); e > 0 {
						b.WriteString(set[j : j+e+2])
						j += e + 1
						continue
					}
				}
				b.WriteByte(set[j])
			}
			b.WriteByte(']')
			i += end
		case c == '\\' && i+1 < len(expr):
			i++
			switch d := expr[i]; {
			case strings.IndexByte("(){}|+?", d) >= 0 && !extended:
				b.WriteByte(d)
			case d == '<' || d == '>':
				b.WriteString(`\b`)
			case d == '\'' || d == '`' || d == '/':
				b.WriteString(regexp.QuoteMeta(string(d)))
			case d == 'n':
				b.WriteString(`\n`)
			default:
				b.WriteByte('\\')
				b.WriteByte(d)
			}
		case strings.IndexByte("(){}|+?", c) >= 0 && !extended:
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '{' && extended && !strings.ContainsAny(expr[i:min(len(expr), i+2)], "0123456789"):
			b.WriteString(`\{`)
		case c == '*' && !extended && (i == 0 || strings.HasSuffix(expr[:i], `\(`) || strings.HasSuffix(expr[:i], `\|`) || expr[:i] == "^"):
			b.WriteString(`\*`)
		case c == '^' && !extended && i > 0 && !strings.HasSuffix(expr[:i], `\(`) && !strings.HasSuffix(expr[:i], `\|`):
			b.WriteString(`\^`)
		case c == '$' && !extended && i < len(expr)-1 && !strings.HasPrefix(expr[i+1:], `\)`) && !strings.HasPrefix(expr[i+1:], `\|`):
			b.WriteString(`\$`)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// bracketEnd returns the place of the "]" that ends a bracket expression, or -1.
func bracketEnd(text string) int {
	i := 1
	if i < len(text) && text[i] == '^' {
		i++
	}
	if i < len(text) && text[i] == ']' {
		i++
	}
	for ; i < len(text); i++ {
		if strings.HasPrefix(text[i:], "[:") {
			if e := strings.Index(text[i:], ":]"); e > 0 {
				i += e + 1
				continue
			}
		}
		if text[i] == ']' {
			return i
		}
	}
	return -1
}

// sizeOfPattern is what a byte of a regular expression takes when it is compiled.
const sizeOfPattern = 256

func compile(expr string, extended, fold bool) (*regexp.Regexp, error) {
	text := translate(expr, extended)
	if fold {
		text = "(?i)" + text
	}
	re, err := regexp.Compile(text)
	if err == nil {
		re.Longest()
	}
	return re, err
}

func grep(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, rest, ok := t.options(args, "EFqvionclLsrRhHwxe:f:m:A:B:C:za", false, map[string]string{"color": "a?"})
	if !ok {
		t.status = 2
		return t.end()
	}
	patterns := opts['e']
	for _, name := range opts['f'] {
		data, err := p.ReadFile(name)
		if err != nil {
			t.failed(name, err)
			t.status = 2
			return t.end()
		}
		patterns = append(patterns, strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")...)
	}
	if !has(opts, 'e') && !has(opts, 'f') {
		if len(rest) == 0 {
			fmt.Fprintf(p.Stderr(), "%s: no pattern\n", t.name)
			return 2
		}
		patterns, rest = []string{rest[0]}, rest[1:]
	}
	var all []string
	for _, pat := range patterns {
		all = append(all, strings.Split(pat, "\n")...)
	}
	extended := has(opts, 'E') || has(opts, 'P') || t.name == "egrep"
	parts := make([]string, len(all))
	for i, pat := range all {
		if has(opts, 'P') {
			parts[i] = pat
		} else if has(opts, 'F') || t.name == "fgrep" {
			parts[i] = regexp.QuoteMeta(pat)
		} else {
			parts[i] = translate(pat, extended)
		}
		if has(opts, 'w') {
			parts[i] = `\b(?:` + parts[i] + `)\b`
		}
		if has(opts, 'x') {
			parts[i] = `^(?:` + parts[i] + `)$`
		}
	}
	text := strings.Join(parts, "|")
	if has(opts, 'i') {
		text = "(?i:" + text + ")"
	}
	re, err := t.expression(text, has(opts, 'P'))
	if err != nil {
		fmt.Fprintf(p.Stderr(), "%s: bad regex '%s'\n", t.name, strings.Join(patterns, "\n"))
		return 2
	}
	g := grepper{t: t, re: re, opts: opts, limit: -1}
	if has(opts, 'm') {
		g.limit, _ = strconv.Atoi(last(opts, 'm'))
	}
	for i, l := range []byte("BA") {
		n := max(atoi(last(opts, l)), atoi(last(opts, 'C')))
		if i == 0 {
			g.before = n
		} else {
			g.after = n
		}
	}
	recursive := has(opts, 'r') || has(opts, 'R')
	if recursive && len(rest) == 0 {
		rest = []string{"."}
	}
	var names []string
	directory := false
	for _, name := range rest {
		info, err := p.Stat(name)
		if recursive && err == nil && info.IsDir() {
			directory = true
			t.walk(name, func(file string, info *files.Info) {
				if info.Kind() == files.Regular && wanted(opts, name, file) {
					names = append(names, file)
				}
			})
			continue
		}
		names = append(names, name)
	}
	g.names = !has(opts, 'h') && (len(rest) > 1 || directory || has(opts, 'H'))
	if recursive && len(names) == 0 {
		return 1
	}
	if len(names) == 0 {
		names = []string{"-"}
	}
	failed := false
	for _, name := range names {
		r, done, err := t.open(name)
		if errors.Is(err, errDirectory) {
			continue
		}
		if err != nil {
			failed = true
			if !has(opts, 's') {
				t.failed(name, err)
			}
			continue
		}
		g.file(name, r)
		done()
		if g.found && has(opts, 'q') {
			break
		}
	}
	t.status = 0
	code := t.end()
	switch {
	case g.found && has(opts, 'q'):
		return 0
	case failed:
		return 2
	case !g.found:
		return 1
	}
	return code
}

func atoi(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

type grepper struct {
	t             *tool
	re            *expression
	opts          map[byte][]string
	limit         int
	before, after int
	names         bool
	found         bool
}

func (g *grepper) file(name string, r io.Reader) {
	n, hits, owed := 0, 0, 0
	shown := name
	if name == "-" {
		shown = "(standard input)"
	}
	var kept []string
	lastShown := 0
	show := func(line string, number int, mark string) {
		if (g.before > 0 || g.after > 0) && lastShown > 0 && number > lastShown+1 {
			g.t.out.WriteString("--\n")
		}
		lastShown = number
		if g.names {
			g.t.out.WriteString(shown + mark)
		}
		if has(g.opts, 'n') {
			g.t.out.WriteString(strconv.Itoa(number) + mark)
		}
		g.t.out.WriteString(line + "\n")
	}
	quiet := has(g.opts, 'q') || has(g.opts, 'c') || has(g.opts, 'l') || has(g.opts, 'L')
	_ = g.t.lines(r, func(line string, _ bool) bool {
		n++
		if g.re.matches(line) == has(g.opts, 'v') {
			if owed > 0 && !quiet {
				owed--
				show(line, n, "-")
			} else if g.before > 0 {
				kept = append(kept, line)
				kept = kept[max(0, len(kept)-g.before):]
			}
			return g.limit < 0 || hits < g.limit || owed > 0
		}
		if g.limit >= 0 && hits >= g.limit {
			return false
		}
		hits++
		g.found = true
		switch {
		case has(g.opts, 'q') || has(g.opts, 'l') || has(g.opts, 'L'):
			return false
		case has(g.opts, 'c'):
		case has(g.opts, 'o'):
			if !has(g.opts, 'v') {
				g.re.all(line, func(from, to int) {
					if from < to {
						show(line[from:to], n, ":")
					}
				})
			}
		default:
			for i, k := range kept {
				show(k, n-len(kept)+i, "-")
			}
			kept = nil
			show(line, n, ":")
			owed = g.after
		}
		return g.limit < 0 || hits < g.limit || owed > 0
	})
	switch {
	case has(g.opts, 'c') && !has(g.opts, 'q'):
		if g.names {
			g.t.out.WriteString(shown + ":")
		}
		g.t.out.WriteString(strconv.Itoa(hits) + "\n")
	case has(g.opts, 'l') && hits > 0, has(g.opts, 'L') && hits == 0:
		g.t.out.WriteString(shown + "\n")
	}
}

// walk calls f for everything below a directory, in order of names.
func (t *tool) walk(dir string, f func(name string, info *files.Info)) {
	entries, err := t.p.ReadDir(dir)
	if err != nil {
		t.failed(dir, err)
		return
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if dir == "." {
			name = "./" + e.Name()
		}
		f(name, e)
		if e.IsDir() {
			t.walk(name, f)
		}
	}
}
