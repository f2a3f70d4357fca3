package shell

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/files"
)

func builtinCd(s *shell, args []string) int {
	physical := s.options.physical
	args = args[1:]
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		if args[0] == "--" {
			args = args[1:]
			break
		}
		physical = strings.HasSuffix(args[0], "P")
		args = args[1:]
	}
	target, show := s.value("HOME"), false
	switch {
	case len(args) > 1 && s.kind == bash:
		s.complain("too many arguments")
		return 1
	case len(args) > 0:
		target = args[0]
	case s.kind == bash && !s.vars["HOME"].set:
		s.complain("HOME not set")
		return 1
	}
	if len(args) > 0 && target == "-" {
		if target = s.value("OLDPWD"); target == "" {
			if s.kind == bash && !s.vars["OLDPWD"].set {
				s.complain("OLDPWD not set")
				return 1
			}
			if s.kind != bash {
				target = s.value("PWD")
			}
		}
		show = true
	}
	if cdpath := s.value("CDPATH"); cdpath != "" && len(args) > 0 && !strings.HasPrefix(target, "/") && !strings.HasPrefix(target, ".") {
		for _, dir := range strings.Split(cdpath, ":") {
			if info, err := s.p.Stat(dir + "/" + target); dir != "" && err == nil && info.IsDir() {
				target, show = dir+"/"+target, true
				break
			}
		}
	}
	before := s.value("PWD")
	if s.kind != bash { // which do not rely on the variable
		before = s.here()
	}
	logical := target
	if !strings.HasPrefix(target, "/") {
		logical = before + "/" + target
	}
	logical = cleanPath(logical)
	var err error
	if !physical {
		err = s.p.Chdir(logical)
	}
	if physical || err != nil && (s.kind == bash || files.Errno(err) != syscall.ENAMETOOLONG) {
		err = s.p.Chdir(cmp.Or(target, "."))
	}
	if err != nil {
		if s.kind == bash {
			s.complain(s.printable(target) + ": " + files.Message(err))
		} else if s.kind == dash {
			s.complain("can't cd to " + target)
		} else {
			s.complain("can't cd to " + target + ": " + files.Message(err))
		}
		if s.kind == bash {
			return 1
		}
		return statusUsage
	}
	if physical {
		logical = s.p.Dir
	}
	s.moves++
	for _, v := range [][2]string{{"OLDPWD", before}, {"PWD", logical}} {
		if s.vars[v[0]].readonly && s.kind != bash { // the directory has changed none the less
			s.complain(s.readonly(v[0]).Error())
			return statusUsage
		}
		s.setPlace(v[0], v[1])
	}
	if show && len(args) > 0 && target == "" {
		logical = ""
	}
	if show {
		s.print(1, logical+"\n")
	}
	return 0
}

// setPlace sets PWD or OLDPWD. Ash and dash export them then.
func (s *shell) setPlace(name, value string) {
	s.setValue(name, value)
	if v := s.vars[name]; s.kind != bash && !v.exported {
		v.exported = true
		s.store(name, v)
		s.env = nil
	}
}

// cleanPath removes dots from an absolute path.
func cleanPath(p string) string {
	var out []string
	for _, part := range strings.Split(p, "/") {
		switch part {
		case "", ".":
		case "..":
			if len(out) > 0 {
				out = out[:len(out)-1]
			}
		default:
			out = append(out, part)
		}
	}
	return "/" + strings.Join(out, "/")
}

// here is the working directory as the shell has come to it.
func (s *shell) here() string {
	if dir := s.value("PWD"); s.isHere(dir) {
		return dir
	}
	return s.p.Dir
}

func builtinPwd(s *shell, args []string) int {
	dir := s.here()
	if len(args) > 1 && args[1] == "-P" {
		dir = s.p.Dir
	}
	return s.write([]byte(dir + "\n"))
}

// builtinDirs is bash's dirs, pushd and popd.
func builtinDirs(s *shell, args []string) int {
	words := dirWords{s: s, name: args[0]}
	if !words.read(args[1:]) {
		return words.status
	}
	stack := append([]string{s.value("PWD")}, s.dirs...)
	index, hasIndex := stackIndex(words.index, len(stack))
	empty := len(stack) < 2
	switch {
	case words.name == "popd" && empty, words.name == "pushd" && hasIndex && empty, hasIndex && index < 0 && empty:
		s.complain("directory stack empty")
		return 1
	case hasIndex && index < 0:
		s.complain(words.index[1:] + ": directory stack index out of range")
		return 1
	}
	switch words.name {
	case "dirs":
		if words.clear {
			s.dirs = nil
			return 0
		}
		first := 0
		if hasIndex {
			stack, first = stack[index:index+1], index
		}
		s.showDirs(stack, first, words)
		return 0
	case "pushd":
		switch {
		case hasIndex:
			stack = append(slices.Clone(stack[index:]), stack[:index]...)
		case !words.hasDir:
			if empty {
				s.complain("no other directory")
				return 1
			}
			stack[0], stack[1] = stack[1], stack[0]
		case words.plain:
			stack = slices.Insert(stack, 1, words.dir)
		default:
			if status := builtinCd(s, []string{"cd", words.dir}); status != 0 {
				return status
			}
			stack = append([]string{s.value("PWD")}, stack...)
		}
	default:
		if words.plain && !hasIndex {
			index = 1
		}
		stack = slices.Delete(stack, index, index+1)
	}
	if !words.plain && stack[0] != s.value("PWD") {
		if status := builtinCd(s, []string{"cd", stack[0]}); status != 0 {
			return status
		}
	}
	s.dirs = slices.Clone(stack[1:])
	s.showDirs(append([]string{s.value("PWD")}, s.dirs...), 0, dirWords{})
	return 0
}

// dirWords are the words of dirs, pushd or popd.
type dirWords struct {
	s               *shell
	name            string
	plain           bool // -n: the working directory stays
	clear, long     bool // of dirs
	lines, numbered bool
	index           string // +n or -n
	dir             string
	hasDir          bool
	status          int
}

// read reads the words, and reports whether they make sense.
func (w *dirWords) read(args []string) bool {
	for i, a := range args {
		switch {
		case a == "--":
			args = args[i+1:]
			if len(args) > 0 {
				return w.directory(args)
			}
			return true
		case w.name == "dirs" && len(a) > 1 && a[0] == '-' && strings.Trim(a[1:], "clpv") == "":
			w.clear = w.clear || strings.Contains(a, "c")
			w.long = w.long || strings.Contains(a, "l")
			w.lines = w.lines || strings.ContainsAny(a, "pv")
			w.numbered = w.numbered || strings.Contains(a, "v")
		case a == "-n" && w.name != "dirs":
			w.plain = true
		case len(a) > 1 && (a[0] == '+' || a[0] == '-') && isNumber(a[1:]):
			w.index = a
		case a == "-" && w.name == "pushd":
			return w.directory(args[i:])
		case a != "" && a[0] == '-':
			return w.fail(a + ": invalid number")
		case w.name == "dirs" || w.name == "popd":
			if w.name == "popd" {
				return w.fail(a + ": invalid argument")
			}
			return w.fail(a + ": invalid option")
		default:
			return w.directory(args[i:])
		}
	}
	return true
}

func (w *dirWords) directory(args []string) bool {
	if len(args) > 1 {
		w.s.complain("too many arguments")
		w.status = 1
		return false
	}
	w.dir, w.hasDir = args[0], true
	return true
}

func (w *dirWords) fail(text string) bool {
	w.s.complain(text)
	w.s.usage(w.name)
	w.status = statusUsage
	return false
}

// stackIndex reads +n and -n; the index is -1 if it is not in the stack.
func stackIndex(text string, n int) (int, bool) {
	if len(text) < 2 || text[0] != '+' && text[0] != '-' {
		return 0, false
	}
	i, err := strconv.Atoi(text[1:])
	if err != nil {
		return 0, false
	}
	if text[0] == '-' {
		i = n - 1 - i
	}
	if i < 0 || i >= n {
		return -1, true
	}
	return i, true
}

// showDirs prints directories of the stack, the first of which has a number there.
func (s *shell) showDirs(stack []string, first int, how dirWords) {
	home := s.value("HOME")
	var b strings.Builder
	for i, dir := range stack {
		if rest, ok := strings.CutPrefix(dir, home); ok && !how.long && home != "" && (rest == "" || rest[0] == '/') {
			dir = "~" + rest
		}
		switch {
		case how.numbered:
			fmt.Fprintf(&b, "%2d  %s\n", first+i, dir)
		case how.lines:
			b.WriteString(dir + "\n")
		case i > 0:
			b.WriteString(" " + dir)
		default:
			b.WriteString(dir)
		}
	}
	if !how.lines {
		b.WriteByte('\n')
	}
	s.print(1, b.String())
}
