package shell

import (
	"cmp"
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
	s.print(1, dir+"\n")
	return 0
}
