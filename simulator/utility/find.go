package utility

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/utility/posix"
)

// findTest is a test or an action of find.
type findTest func(name string, info *files.Info, depth int) bool

type finder struct {
	t                  *tool
	root               string // the starting point that is being searched
	extended           bool   // -regextype
	args               []string
	minDepth, maxDepth int
	deep               int // how deep the expression nests
	depthFirst         bool
	acted              bool
	pruned             bool
	batch              []*batch
}

type batch struct {
	argv  []string
	names []string
}

func find(p *container.Process, args []string) int {
	t := begin(p, args)
	f := &finder{t: t, maxDepth: 1 << 20}
	rest := args[1:]
	var roots []string
	for len(rest) > 0 && !strings.HasPrefix(rest[0], "-") && rest[0] != "(" && rest[0] != "!" {
		roots = append(roots, rest[0])
		rest = rest[1:]
	}
	if len(roots) == 0 {
		roots = []string{"."}
	}
	f.args = rest
	var test findTest = func(string, *files.Info, int) bool { return true }
	if len(rest) > 0 {
		var problem string
		if test, problem = f.or(); problem == "" && len(f.args) > 0 {
			problem = "unrecognized: " + f.args[0]
		}
		if problem != "" {
			return t.fail("%s", problem)
		}
	}
	for _, root := range roots {
		info, err := p.Lstat(root)
		if err != nil {
			t.failed(root, err)
			continue
		}
		f.root = root
		f.visit(root, info, 0, test)
	}
	for _, b := range f.batch {
		if len(b.names) > 0 {
			f.run(append(append([]string{}, b.argv...), b.names...))
		}
	}
	return t.end()
}

func (f *finder) visit(name string, info *files.Info, depth int, test findTest) {
	f.t.p.Spend(0)
	f.pruned = false
	act := func() {
		if depth >= f.minDepth && test(name, info, depth) && !f.acted {
			f.t.out.WriteString(name + "\n")
		}
	}
	if !f.depthFirst {
		act()
	}
	if info.IsDir() && depth < f.maxDepth && !f.pruned {
		entries, err := f.t.p.ReadDir(name)
		if err != nil {
			f.t.failed(name, err)
		}
		for _, e := range entries {
			f.visit(strings.TrimSuffix(name, "/")+"/"+e.Name(), e, depth+1, test)
		}
	}
	if f.depthFirst {
		act()
	}
}

func (f *finder) peek() string {
	if len(f.args) == 0 {
		return ""
	}
	return f.args[0]
}

func (f *finder) or() (findTest, string) {
	left, problem := f.and()
	for problem == "" && (f.peek() == "-o" || f.peek() == "-or") {
		f.args = f.args[1:]
		var right findTest
		right, problem = f.and()
		a := left
		left = func(n string, i *files.Info, d int) bool { return a(n, i, d) || right(n, i, d) }
	}
	return left, problem
}

func (f *finder) and() (findTest, string) {
	left, problem := f.primary()
	for problem == "" && f.peek() != "" && f.peek() != "-o" && f.peek() != "-or" && f.peek() != ")" {
		if f.peek() == "-a" || f.peek() == "-and" {
			f.args = f.args[1:]
		}
		var right findTest
		right, problem = f.primary()
		a := left
		left = func(n string, i *files.Info, d int) bool { return a(n, i, d) && right(n, i, d) }
	}
	return left, problem
}

func (f *finder) primary() (findTest, string) {
	f.deep++
	defer func() { f.deep-- }()
	nested(f.t.p, "find", f.deep)
	if len(f.args) == 0 {
		return nil, "missing expression"
	}
	op := f.args[0]
	f.args = f.args[1:]
	always := func(string, *files.Info, int) bool { return true }
	switch op {
	case "!", "-not":
		t, problem := f.primary()
		return func(n string, i *files.Info, d int) bool { return !t(n, i, d) }, problem
	case "(":
		t, problem := f.or()
		if problem == "" && f.peek() != ")" {
			return nil, "unpaired '('"
		}
		if problem == "" {
			f.args = f.args[1:]
		}
		return t, problem
	case "-print":
		f.acted = true
		return func(n string, _ *files.Info, _ int) bool {
			f.t.out.WriteString(n + "\n")
			return true
		}, ""
	case "-print0":
		f.acted = true
		return func(n string, _ *files.Info, _ int) bool {
			f.t.out.WriteString(n + "\x00")
			return true
		}, ""
	case "-depth":
		f.depthFirst = true
		return always, ""
	case "-xdev", "-mount", "-follow":
		return always, ""
	case "-delete":
		f.acted, f.depthFirst = true, true
		return func(n string, _ *files.Info, _ int) bool {
			if err := f.t.p.Remove(n); err != nil {
				f.t.failed(n, err)
				return false
			}
			return true
		}, ""
	case "-prune":
		return func(string, *files.Info, int) bool {
			f.pruned = true
			return true
		}, ""
	case "-quit":
		return func(string, *files.Info, int) bool {
			_ = f.t.out.Flush()
			f.t.p.Exit(f.t.status)
			return true
		}, ""
	case "-empty":
		return func(n string, i *files.Info, _ int) bool {
			if i.IsDir() {
				entries, err := f.t.p.ReadDir(n)
				return err == nil && len(entries) == 0
			}
			return i.Kind() == files.Regular && i.Size() == 0
		}, ""
	case "-exec", "-ok":
		return f.exec()
	}
	if f.t.gnu {
		if test, problem, ok := f.gnuPrimary(op); ok {
			return test, problem
		}
	}
	if len(f.args) == 0 {
		return nil, op + " requires an argument"
	}
	value := f.args[0]
	f.args = f.args[1:]
	switch op {
	case "-name", "-iname", "-path", "-wholename":
		if _, err := path.Match(value, ""); err != nil {
			return nil, "bad pattern"
		}
		return func(n string, _ *files.Info, _ int) bool {
			pat := value
			if op == "-path" || op == "-wholename" {
				ok, _ := path.Match(strings.ReplaceAll(pat, "/", "\x01"), strings.ReplaceAll(n, "/", "\x01"))
				return ok
			}
			b := path.Base(n)
			if op == "-iname" {
				pat, b = strings.ToLower(pat), strings.ToLower(b)
			}
			ok, _ := path.Match(pat, b)
			return ok
		}, ""
	case "-regex", "-iregex":
		expr := value
		if f.t.gnu && !f.extended {
			expr = emacs(value)
		}
		re, err := compilePattern(f.t.p, expr, posix.Options{Extended: f.extended, Fold: op == "-iregex"})
		if err != nil {
			return nil, "bad regex '" + value + "': " + err.Error()
		}
		return func(n string, _ *files.Info, _ int) bool { // all of the path
			loc := re.Match(n, 0, false)
			return loc != nil && loc[0] == 0 && loc[1] == len(n)
		}, ""
	case "-type":
		return func(_ string, i *files.Info, _ int) bool {
			return strings.Contains(value, map[files.Kind]string{files.Regular: "f", files.Directory: "d", files.Symlink: "l", files.CharDevice: "c", files.Fifo: "p"}[i.Kind()])
		}, ""
	case "-maxdepth":
		f.maxDepth = atoi(value)
		return always, ""
	case "-mindepth":
		f.minDepth = atoi(value)
		return always, ""
	case "-newer":
		ref, err := f.t.p.Stat(value)
		if err != nil {
			return nil, value + ": " + message(err)
		}
		return func(_ string, i *files.Info, _ int) bool { return i.ModTime().After(ref.ModTime()) }, ""
	case "-user":
		uid, _ := strconv.ParseUint(value, 10, 32)
		if id, ok := f.t.p.Container().UserID(value); ok {
			uid = uint64(id)
		}
		return func(_ string, i *files.Info, _ int) bool { return uint64(i.UID()) == uid }, ""
	case "-perm":
		any := strings.TrimLeft(value, "-/+")
		mode, ok := ParseMode(any, 0, false)
		if !ok {
			return nil, "invalid mode '" + value + "'"
		}
		return func(_ string, i *files.Info, _ int) bool {
			switch value[0] {
			case '-':
				return i.Perm()&mode == mode
			case '/', '+':
				return i.Perm()&mode != 0
			}
			return i.Perm() == mode
		}, ""
	case "-size", "-mtime", "-mmin", "-links":
		sign := value[0]
		n, ok := count(strings.TrimSuffix(strings.TrimLeft(value, "+-"), "c"))
		if !ok {
			return nil, "invalid number '" + value + "'"
		}
		unit := int64(1)
		if op == "-size" && strings.Trim(value, "+-0123456789") == "" {
			unit = 512
		}
		return func(_ string, i *files.Info, _ int) bool {
			got := (i.Size() + unit - 1) / unit
			switch op {
			case "-mtime":
				got = int64(f.t.p.Now().Sub(i.ModTime()) / (24 * time.Hour))
			case "-mmin":
				got = int64(f.t.p.Now().Sub(i.ModTime()) / time.Minute)
			case "-links":
				got = int64(i.Links())
			}
			switch sign {
			case '+':
				return got > n
			case '-':
				return got < n
			}
			return got == n
		}, ""
	}
	return nil, "unrecognized: " + op
}

// exec is -exec … ; and -exec … +.
func (f *finder) exec() (findTest, string) {
	f.acted = true
	var argv []string
	for len(f.args) > 0 && f.args[0] != ";" && !(f.args[0] == "+" && len(argv) > 0 && argv[len(argv)-1] == "{}") {
		argv = append(argv, f.args[0])
		f.args = f.args[1:]
	}
	if len(f.args) == 0 || len(argv) == 0 {
		return nil, "-exec requires an argument"
	}
	end := f.args[0]
	f.args = f.args[1:]
	if end == "+" {
		b := &batch{argv: argv[:len(argv)-1]}
		f.batch = append(f.batch, b)
		return func(n string, _ *files.Info, _ int) bool {
			b.names = append(b.names, n)
			return true
		}, ""
	}
	return func(n string, _ *files.Info, _ int) bool {
		full := make([]string, len(argv))
		for i, a := range argv {
			full[i] = strings.ReplaceAll(a, "{}", n)
		}
		return f.run(full) == 0
	}, ""
}

func (f *finder) run(argv []string) int {
	_ = f.t.out.Flush()
	return f.t.command(argv, 0)
}

// command runs a program as a child and returns its exit code: 127 if there is none, 126 if it cannot be executed.
func (t *tool) command(argv []string, stdin int) int {
	child, err := t.p.Spawn(container.Command{Path: argv[0], Args: argv, Stdin: stdin})
	if err != nil {
		if t.name == "xargs" {
			t.failed(argv[0], err)
		} else {
			t.complain("can't execute '%s': %s", argv[0], message(err))
		}
		if message(err) == "No such file or directory" {
			return 127
		}
		return 126
	}
	st, err := t.p.Wait(child, noDeadline)
	if err != nil {
		return 1
	}
	return st.Code
}

func xargs(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, rest, ok := t.options(args, "0rtn:I:P:pxs:", true, map[string]string{"no-run-if-empty": "r"})
	if !ok {
		return t.end()
	}
	if len(rest) == 0 {
		rest = []string{"echo"}
	}
	data, _ := t.readAll(p.Stdin())
	var items []string
	switch {
	case has(opts, '0'):
		items = strings.FieldsFunc(string(data), func(r rune) bool { return r == 0 })
	case has(opts, 'd'):
		sep, _ := Escapes(last(opts, 'd'), FormatString)
		items = strings.Split(strings.TrimSuffix(string(data), sep), sep)
	case has(opts, 'I'):
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimLeft(strings.TrimSuffix(line, "\n"), " \t"); line != "" {
				items = append(items, line)
			}
		}
	default:
		items = shellWords(string(data))
	}
	status := 0
	run := func(argv []string) bool {
		_ = t.out.Flush()
		if has(opts, 't') {
			fmt.Fprintln(p.Stderr(), strings.Join(argv, " "))
		}
		code := t.command(argv, -1)
		switch {
		case code == 126 || code == 127:
			status = code
			return false
		case code == 255:
			status = 124
			return false
		case code != 0:
			status = 123
		}
		return true
	}
	if has(opts, 'I') {
		for _, item := range items {
			argv := make([]string, len(rest))
			for i, a := range rest {
				argv[i] = strings.ReplaceAll(a, last(opts, 'I'), item)
			}
			if !run(argv) {
				break
			}
		}
		return status
	}
	size := len(items)
	if has(opts, 'n') {
		size = max(1, atoi(last(opts, 'n')))
	}
	if has(opts, 'L') {
		size = max(1, atoi(last(opts, 'L')))
	}
	if len(items) == 0 && !has(opts, 'r') {
		run(rest)
		return status
	}
	for len(items) > 0 {
		n := min(size, len(items))
		if !run(append(append([]string{}, rest...), items[:n]...)) {
			break
		}
		items = items[n:]
	}
	return status
}

// shellWords splits at white space, with quotes and backslashes.
func shellWords(text string) []string {
	var out []string
	var b strings.Builder
	in := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case ' ', '\t', '\n':
			if in {
				out = append(out, b.String())
				b.Reset()
				in = false
			}
		case '\'', '"':
			in = true
			end := strings.IndexByte(text[i+1:], c)
			if end < 0 {
				end = len(text) - i - 1
			}
			b.WriteString(text[i+1 : i+1+end])
			i += end + 1
		case '\\':
			in = true
			if i+1 < len(text) {
				i++
				b.WriteByte(text[i])
			}
		default:
			in = true
			b.WriteByte(c)
		}
	}
	if in {
		out = append(out, b.String())
	}
	return out
}
