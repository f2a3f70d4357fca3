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
	physical := false
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
	if len(args) > 0 {
		target = args[0]
	} else if target == "" && s.kind == bash {
		s.complain("HOME not set")
		return 1
	}
	if target == "-" {
		if target = s.value("OLDPWD"); target == "" {
			if s.kind == bash {
				s.complain("OLDPWD not set")
				return 1
			}
			target = s.value("PWD")
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
	logical := target
	if !strings.HasPrefix(target, "/") {
		logical = s.value("PWD") + "/" + target
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
			s.complain(target + ": " + files.Message(err))
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
	s.setValue("OLDPWD", s.value("PWD"))
	s.setValue("PWD", logical)
	if show {
		s.print(1, logical+"\n")
	}
	return 0
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

func builtinPwd(s *shell, args []string) int {
	dir := s.value("PWD")
	if len(args) > 1 && args[1] == "-P" || !s.isHere(dir) {
		dir = s.p.Dir
	}
	return s.write([]byte(dir + "\n"))
}

// builtinDirs is bash's dirs, pushd and popd.
func builtinDirs(s *shell, args []string) int {
	name := args[0]
	args = args[1:]
	plain, long, lines, numbered := false, false, false, false
	which := ""
	for _, a := range args {
		switch {
		case a == "-c" && name == "dirs":
			s.dirs = nil
			return 0
		case a == "-l" && name == "dirs":
			long = true
		case a == "-p" && name == "dirs":
			lines = true
		case a == "-v" && name == "dirs":
			lines, numbered = true, true
		case a == "-n" && name != "dirs":
			plain = true
		case a == "--":
		default:
			which = a
		}
	}
	stack := append([]string{s.value("PWD")}, s.dirs...)
	index, hasIndex := stackIndex(which, len(stack))
	if hasIndex && index < 0 {
		s.complain(which + ": directory stack index out of range")
		return 1
	}
	switch name {
	case "dirs":
		if hasIndex {
			stack = stack[index : index+1]
		}
		s.showDirs(stack, long, lines, numbered)
		return 0
	case "pushd":
		switch {
		case hasIndex:
			stack = append(slices.Clone(stack[index:]), stack[:index]...)
		case which == "":
			if len(stack) < 2 {
				s.complain("no other directory")
				return 1
			}
			stack[0], stack[1] = stack[1], stack[0]
		case plain:
			stack = slices.Insert(stack, 1, which)
		default:
			if status := builtinCd(s, []string{"cd", which}); status != 0 {
				return status
			}
			stack = append([]string{s.value("PWD")}, stack...)
		}
	default:
		if len(stack) < 2 {
			s.complain("directory stack empty")
			return 1
		}
		if plain && !hasIndex {
			index = 1
		}
		stack = slices.Delete(stack, index, index+1)
	}
	if !plain && stack[0] != s.value("PWD") {
		if status := builtinCd(s, []string{"cd", stack[0]}); status != 0 {
			return status
		}
	}
	s.dirs = slices.Clone(stack[1:])
	s.showDirs(append([]string{s.value("PWD")}, s.dirs...), false, false, false)
	return 0
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

func (s *shell) showDirs(stack []string, long, lines, numbered bool) {
	home := s.value("HOME")
	var b strings.Builder
	for i, dir := range stack {
		if rest, ok := strings.CutPrefix(dir, home); ok && !long && home != "" && (rest == "" || rest[0] == '/') {
			dir = "~" + rest
		}
		switch {
		case numbered:
			fmt.Fprintf(&b, "%2d  %s\n", i, dir)
		case lines:
			b.WriteString(dir + "\n")
		case i > 0:
			b.WriteString(" " + dir)
		default:
			b.WriteString(dir)
		}
	}
	if !lines {
		b.WriteByte('\n')
	}
	s.print(1, b.String())
}
