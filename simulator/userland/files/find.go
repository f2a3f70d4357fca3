package files

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
	"github.com/plumbline-ci/plumbline/simulator/userland/posix"
)

// findTest is a test or an action of find.
type findTest func(name string, info *files.Info, depth int) bool

type finder struct {
	t                  *kit.Tool
	root               string // the starting point that is being searched
	extended           bool   // -regextype
	args               []string
	minDepth, maxDepth int
	deep               int  // how deep the expression nests
	follow             bool // go where links point to
	unknown            bool // the problem is one that shows how find is called
	depthFirst         bool
	acted              bool
	pruned             bool
	batch              []*batch
}

type batch struct {
	argv, after []string // the arguments before and behind the names
	names       []string
}

// Find is the utility find.
func Find(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	f := &finder{t: t, maxDepth: 1 << 20}
	rest := args[1:]
	followRoots := false
	for len(rest) > 0 && len(rest[0]) > 1 && rest[0][0] == '-' && strings.Trim(rest[0][1:], "HLP-") == "" {
		f.follow = f.follow || strings.Contains(rest[0], "L")
		followRoots = followRoots || strings.Contains(rest[0], "H")
		rest = rest[1:]
	}
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
			if t.Complain("%s", problem); f.unknown && !t.GNU {
				return t.Usage()
			}
			return t.End()
		}
	}
	for _, root := range roots {
		info, err := p.Lstat(root)
		if to, there := p.Stat(root); (f.follow || followRoots) && there == nil {
			info, err = to, nil
		}
		if err != nil {
			t.Failed(root, err)
			continue
		}
		f.root = root
		f.visit(root, info, 0, test, nil)
	}
	for _, b := range f.batch {
		if len(b.names) > 0 && f.run(slices.Concat(b.argv, b.names, b.after)) != 0 {
			t.Status = 1
		}
	}
	return t.End()
}

// within reports whether a directory is one of those that are being searched, which links can lead to.
func within(above []*files.Info, dir *files.Info) bool {
	return slices.ContainsFunc(above, func(i *files.Info) bool { return i.Same(dir) })
}

func (f *finder) visit(name string, info *files.Info, depth int, test findTest, above []*files.Info) {
	f.t.P.Spend(0)
	f.pruned = false
	act := func() {
		if depth >= f.minDepth && test(name, info, depth) && !f.acted {
			f.t.Out.WriteString(name + "\n")
		}
	}
	if !f.depthFirst {
		act()
	}
	if info.IsDir() && depth < f.maxDepth && !f.pruned && !(f.follow && within(above, info)) {
		above = append(above[:len(above):len(above)], info)
		entries, err := f.t.P.ReadDir(name)
		if err != nil {
			f.t.Failed(name, err)
		}
		for _, e := range entries {
			file := strings.TrimSuffix(name, "/") + "/" + e.Name()
			if to, err := f.t.P.Stat(file); f.follow && err == nil {
				e = to
			}
			f.visit(file, e, depth+1, test, above)
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
	if !f.t.GNU {
		return f.all()
	}
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

// all reads the tests up to an "or" or a parenthesis, of which there may be none at all, as BusyBox does.
func (f *finder) all() (findTest, string) {
	all := func(string, *files.Info, int) bool { return true }
	inverted := false
	for {
		switch f.peek() {
		case "", "-o", "-or", ")":
			return all, ""
		case "-a", "-and":
			f.args = f.args[1:]
		case "!", "-not":
			inverted = !inverted
			f.args = f.args[1:]
		default:
			test, problem := f.primary()
			if problem != "" {
				return nil, problem
			}
			before, wanted := all, !inverted
			all = func(n string, i *files.Info, d int) bool { return before(n, i, d) && test(n, i, d) == wanted }
			inverted = false
		}
	}
}

func (f *finder) primary() (findTest, string) {
	f.deep++
	defer func() { f.deep-- }()
	kit.Nested(f.t.P, "find", f.deep)
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
			f.t.Out.WriteString(n + "\n")
			return true
		}, ""
	case "-print0":
		f.acted = true
		return func(n string, _ *files.Info, _ int) bool {
			f.t.Out.WriteString(n + "\x00")
			return true
		}, ""
	case "-depth":
		f.depthFirst = true
		return always, ""
	case "-xdev":
		return always, ""
	case "-follow":
		f.follow = true
		return always, ""
	case "-executable":
		return func(n string, _ *files.Info, _ int) bool { return f.t.P.Access(n, 1) == nil }, ""
	case "-delete":
		f.acted, f.depthFirst = true, true
		return func(n string, _ *files.Info, _ int) bool {
			if err := f.t.P.Remove(n); err != nil {
				f.t.Failed(n, err)
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
			_ = f.t.Out.Flush()
			f.t.P.Exit(f.t.Status)
			return true
		}, ""
	case "-empty":
		return func(n string, i *files.Info, _ int) bool {
			if i.IsDir() {
				entries, err := f.t.P.ReadDir(n)
				return err == nil && len(entries) == 0
			}
			return i.Kind() == files.Regular && i.Size() == 0
		}, ""
	case "-exec":
		return f.exec()
	}
	if f.t.GNU {
		if test, problem, ok := f.gnuPrimary(op); ok {
			return test, problem
		}
	}
	if !valued[op] {
		f.unknown = true
		return nil, "unrecognized: " + op
	}
	if len(f.args) == 0 {
		return nil, op + " requires an argument"
	}
	value := f.args[0]
	f.args = f.args[1:]
	switch op {
	case "-name", "-iname":
		return func(n string, _ *files.Info, _ int) bool {
			name := path.Base(n)
			f.t.P.Work(uint32(len(value) * len(name) >> 11))
			return kit.Fnmatch{Fold: op == "-iname", Wide: f.t.Unicode()}.Matches(value, name)
		}, ""
	case "-path", "-wholename", "-ipath":
		return func(n string, _ *files.Info, _ int) bool {
			f.t.P.Work(uint32(len(value) * len(n) >> 11))
			return kit.Fnmatch{Fold: op == "-ipath", Wide: f.t.Unicode()}.Matches(value, n)
		}, ""
	case "-regex", "-iregex":
		expr := value
		if f.t.GNU && !f.extended {
			expr = emacs(value)
		}
		re, err := kit.CompilePattern(f.t.P, expr, posix.Options{Extended: f.extended, Fold: op == "-iregex"})
		if err != nil {
			return nil, "bad regex '" + value + "': " + err.Error()
		}
		return func(n string, _ *files.Info, _ int) bool { // all of the path
			loc := re.Match(n, 0, false)
			return loc != nil && loc[0] == 0 && loc[1] == len(n)
		}, ""
	case "-type":
		letters := value
		if f.t.GNU {
			letters = strings.ReplaceAll(value, ",", "")
		}
		if len(letters) != 1 && !f.t.GNU || letters == "" || strings.Trim(letters, "fdlbcsp") != "" {
			return nil, "invalid argument '" + value + "' to '-type'"
		}
		return func(_ string, i *files.Info, _ int) bool { return strings.Contains(letters, kindLetter(i)) }, ""
	case "-maxdepth", "-mindepth":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return nil, "invalid number '" + value + "'"
		}
		if op == "-maxdepth" {
			f.maxDepth = n
		} else {
			f.minDepth = n
		}
		return always, ""
	case "-newer", "-samefile":
		ref, err := f.t.P.Stat(value)
		if err != nil {
			return nil, "can't stat '" + value + "': " + kit.Message(err)
		}
		if op == "-samefile" {
			return func(_ string, i *files.Info, _ int) bool { return i.Same(ref) }, ""
		}
		return func(_ string, i *files.Info, _ int) bool { return i.ModTime().After(ref.ModTime()) }, ""
	case "-user", "-group":
		lookup := f.t.P.Container().UserID
		if op == "-group" {
			lookup = f.t.P.Container().GroupID
		}
		id, known := lookup(value)
		if n, err := strconv.ParseUint(value, 10, 32); !known && err == nil {
			id, known = uint32(n), true
		}
		if !known {
			return nil, "unknown " + op[1:] + " " + value
		}
		if op == "-group" {
			return func(_ string, i *files.Info, _ int) bool { return i.GID() == id }, ""
		}
		return func(_ string, i *files.Info, _ int) bool { return i.UID() == id }, ""
	case "-perm":
		mode, ok := kit.ParseMode(strings.TrimLeft(value, "-/+"), 0, false)
		if !ok {
			return nil, "invalid mode '" + value + "'"
		}
		return func(_ string, i *files.Info, _ int) bool {
			switch value[0] {
			case '-':
				return i.Perm()&mode == mode
			case '/', '+':
				return i.Perm()&mode != 0 || f.t.GNU && mode == 0
			}
			return i.Perm() == mode
		}, ""
	}
	return f.numeric(op, value)
}

// valued are the tests that take an argument.
var valued = map[string]bool{"-name": true, "-iname": true, "-path": true, "-ipath": true, "-wholename": true, "-regex": true, "-type": true, "-maxdepth": true, "-mindepth": true,
	"-newer": true, "-samefile": true, "-user": true, "-group": true, "-perm": true, "-size": true, "-mtime": true, "-mmin": true, "-atime": true, "-amin": true, "-ctime": true,
	"-cmin": true, "-links": true, "-inum": true, "-iregex": true}

func kindLetter(i *files.Info) string {
	return map[files.Kind]string{files.Regular: "f", files.Directory: "d", files.Symlink: "l", files.CharDevice: "c", files.Fifo: "p"}[i.Kind()]
}

// numeric reads a test that compares with a number: equal to it, above it (+) or below it (-).
func (f *finder) numeric(op, value string) (findTest, string) {
	digits, unit := strings.TrimPrefix(strings.TrimPrefix(value, "+"), "-"), int64(1)
	if value != "" && value[0] != '+' && value[0] != '-' {
		digits = value
	}
	if op == "-size" {
		unit = 512
		units := map[byte]int64{'c': 1, 'w': 2, 'b': 512, 'k': 1024}
		if f.t.GNU {
			units['M'], units['G'] = 1<<20, 1<<30
		}
		if n := len(digits); n > 0 && units[digits[n-1]] > 0 {
			unit, digits = units[digits[n-1]], digits[:n-1]
		}
	}
	n, err := strconv.ParseInt(digits, 10, 40)
	if err != nil || strings.Trim(digits, "0123456789") != "" {
		return nil, "invalid number '" + strings.TrimLeft(value, "+-") + "'"
	}
	measure := func(i *files.Info) int64 { return f.t.P.Now().Unix() - i.ModTime().Unix() }
	switch op {
	case "-size":
		measure = func(i *files.Info) int64 { return i.Size() }
		if f.t.GNU { // which counts the units that are begun
			measure = func(i *files.Info) int64 { return (i.Size() + unit - 1) / unit * unit }
		}
	case "-links":
		measure = func(i *files.Info) int64 { return int64(i.Links()) }
	case "-inum":
		measure = func(i *files.Info) int64 { return int64(i.Inode()) }
	case "-mtime", "-atime", "-ctime":
		unit = 24 * 60 * 60
	case "-mmin", "-amin", "-cmin":
		unit = 60
	}
	aged := strings.HasSuffix(op, "time") || strings.HasSuffix(op, "min")
	return func(_ string, i *files.Info, _ int) bool {
		got := measure(i)
		switch {
		case value[0] == '-':
			return got < n*unit
		case value[0] == '+' && aged:
			return got >= (n+1)*unit
		case value[0] == '+':
			return got > n*unit
		case aged:
			return got >= n*unit && got < (n+1)*unit
		}
		return got == n*unit
	}, ""
}

// exec is -exec … ; and -exec … +.
func (f *finder) exec() (findTest, string) {
	f.acted = true
	var argv []string
	for len(f.args) > 0 && f.args[0] != ";" && !(f.args[0] == "+" && (!f.t.GNU || len(argv) > 0 && argv[len(argv)-1] == "{}")) {
		argv = append(argv, f.args[0])
		f.args = f.args[1:]
	}
	if len(f.args) == 0 || len(argv) == 0 {
		return nil, "-exec requires an argument"
	}
	end := f.args[0]
	f.args = f.args[1:]
	if end == "+" {
		places := 0
		for _, a := range argv {
			places += strings.Count(a, "{}")
		}
		if places != 1 {
			return nil, "only one '{}' allowed for -exec +"
		}
		at := slices.Index(argv, "{}")
		if at < 0 {
			at = len(argv) - 1
		}
		b := &batch{argv: argv[:at], after: argv[at+1:]}
		f.batch = append(f.batch, b)
		return func(n string, _ *files.Info, _ int) bool {
			f.t.Hold(n)
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
	_ = f.t.Out.Flush()
	return command(f.t, argv, 0)
}

// command runs a program as a child and returns its exit code: 127 if there is none, 126 if it cannot be executed.
func command(t *kit.Tool, argv []string, stdin int) int {
	child, err := t.P.Spawn(container.Command{Path: argv[0], Args: argv, Stdin: stdin})
	if err != nil {
		if t.Name == "xargs" || t.Name == "find" && !t.GNU {
			before := t.Status
			if t.Failed(argv[0], err); t.Name == "find" {
				t.Status = before
			}
		} else {
			t.Complain("can't execute '%s': %s", argv[0], kit.Message(err))
		}
		if kit.Message(err) == "No such file or directory" {
			return 127
		}
		return 126
	}
	st, err := t.P.Wait(child, kit.NoDeadline)
	if err != nil {
		return 1
	}
	return st.Code
}
