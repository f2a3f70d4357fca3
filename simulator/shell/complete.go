package shell

import (
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/files"
)

// builtinCompgen is bash's compgen, for the lists that scripts ask for: of variables, functions, commands, files and
// words.
func builtinCompgen(s *shell, args []string) int {
	actions, list, hasList := "", "", false
	args = args[1:]
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		opt := args[0]
		args = args[1:]
		if opt == "--" {
			break
		}
		switch opt[1] {
		case 'A':
			if len(args) == 0 {
				s.complain("-A: option requires an argument")
				return statusUsage
			}
			letter, ok := map[string]string{"variable": "v", "function": "F", "command": "c", "builtin": "b", "keyword": "k", "file": "f",
				"directory": "d", "export": "e", "alias": "a", "arrayvar": "V"}[args[0]]
			if !ok {
				s.complain(args[0] + ": invalid action name")
				return statusUsage
			}
			actions += letter
			args = args[1:]
		case 'W':
			if len(args) == 0 {
				s.complain("-W: option requires an argument")
				return statusUsage
			}
			list, hasList = args[0], true
			args = args[1:]
		default:
			for _, l := range opt[1:] {
				if !strings.ContainsRune("vcbkfdea", l) {
					s.complain("-" + string(l) + ": invalid option")
					return statusUsage
				}
				actions += string(l)
			}
		}
	}
	prefix := ""
	if len(args) > 0 {
		prefix = args[0]
	}
	var found []string
	add := func(names []string) {
		slices.Sort(names)
		for _, n := range names {
			if strings.HasPrefix(n, prefix) {
				found = append(found, n)
			}
		}
	}
	for _, a := range actions {
		add(s.completions(a, prefix))
	}
	if hasList {
		e := expander{s: s, split: true, ifs: s.ifs()}
		if err := e.value(list, false); err == nil {
			_ = e.end()
		}
		for _, f := range e.fields {
			if strings.HasPrefix(f, prefix) {
				found = append(found, f)
			}
		}
	}
	for _, name := range found {
		s.print(1, name+"\n")
	}
	if actions == "" && !hasList {
		return 0
	}
	return int(1 - truth(len(found) > 0))
}

// completions lists the names of one kind.
func (s *shell) completions(kind rune, prefix string) []string {
	var out []string
	keywords := []string{"if", "then", "else", "elif", "fi", "case", "esac", "for", "select", "while", "until", "do", "done", "in", "function", "time", "{", "}", "!", "[[", "]]", "coproc"}
	switch kind {
	case 'v', 'e', 'V':
		for name, v := range s.shown() {
			if (kind == 'v' && (v.set || v.isArray() || slices.Contains(remembered, name))) || kind == 'e' && v.exported || kind == 'V' && v.isArray() {
				out = append(out, name)
			}
		}
	case 'F':
		for name := range s.functions {
			out = append(out, name)
		}
	case 'k':
		out = keywords
	case 'b':
		out = s.builtinNames()
	case 'c':
		out = append(keywords, s.builtinNames()...)
		for name := range s.functions {
			out = append(out, name)
		}
		for _, dir := range strings.Split(s.value("PATH"), ":") {
			entries, err := s.p.ReadDir(dir)
			if err != nil {
				continue
			}
			for _, e := range entries {
				if s.p.Executable(dir+"/"+e.Name()) == nil {
					out = append(out, e.Name())
				}
			}
		}
	case 'f', 'd':
		dir, _ := splitPath(prefix)
		entries, err := s.p.ReadDir(dir + ".")
		if err != nil {
			return nil
		}
		for _, e := range entries {
			if info, err := s.p.Stat(dir + e.Name()); kind == 'f' || err == nil && info.Kind() == files.Directory {
				out = append(out, dir+e.Name())
			}
		}
	}
	slices.Sort(out)
	return out
}

// splitPath returns the directory of a path, with its slash, and the name.
func splitPath(path string) (dir, name string) {
	i := strings.LastIndexByte(path, '/') + 1
	return path[:i], path[i:]
}

// builtinNames lists bash's built-ins.
func (s *shell) builtinNames() []string {
	var out []string
	for _, name := range []string{".", ":", "[", "alias", "bg", "bind", "break", "builtin", "caller", "cd", "command", "compgen", "complete", "compopt",
		"continue", "declare", "dirs", "disown", "echo", "enable", "eval", "exec", "exit", "export", "false", "fc", "fg", "getopts", "hash", "help", "history",
		"jobs", "kill", "let", "local", "logout", "mapfile", "popd", "printf", "pushd", "pwd", "read", "readarray", "readonly", "return", "set", "shift",
		"shopt", "source", "suspend", "test", "times", "trap", "true", "type", "typeset", "ulimit", "umask", "unalias", "unset", "wait"} {
		if s.builtin(name) != nil {
			out = append(out, name)
		}
	}
	return out
}
