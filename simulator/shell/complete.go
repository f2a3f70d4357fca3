package shell

import (
	"maps"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// actions are the kinds of names that compgen lists, by the words behind -A.
var actions = map[string]rune{"alias": 'a', "arrayvar": 'V', "binding": 0, "builtin": 'b', "command": 'c', "directory": 'd', "disabled": 0, "enabled": 'b',
	"export": 'e', "file": 'f', "function": 'F', "group": 'g', "helptopic": 'H', "hostname": 0, "job": 'j', "keyword": 'k', "running": 'j', "service": 0,
	"setopt": 'O', "shopt": 'S', "signal": 'G', "stopped": 0, "user": 'u', "variable": 'v'}

// completion is what a call of compgen asks for.
type completion struct {
	kinds          []rune
	words, glob    string
	hasWords       bool
	hasGlob        bool
	prefix, suffix string
	exclude        string
}

// builtinCompgen is bash's compgen, for the lists that scripts ask for: of variables, functions, commands, files and
// words.
func builtinCompgen(s *shell, args []string) int {
	var c completion
	if len(args) < 2 {
		return 0
	}
	args, status := c.options(s, args[1:])
	if status != 0 {
		return status
	}
	prefix := ""
	if len(args) > 0 {
		prefix = args[0]
	}
	found := c.candidates(s, prefix)
	for _, name := range found {
		s.print(1, c.prefix+name+c.suffix+"\n")
	}
	if len(c.kinds) == 0 && !c.hasWords && !c.hasGlob {
		return 0
	}
	return int(1 - truth(len(found) > 0))
}

// options reads the options of compgen and returns the words behind them.
func (c *completion) options(s *shell, args []string) (rest []string, status int) {
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		flags := args[0][1:]
		if args = args[1:]; flags == "-" {
			break
		}
		for i := 0; i < len(flags); i++ {
			l := rune(flags[i])
			if !strings.ContainsRune("AGWPSXFCo", l) {
				if !strings.ContainsRune("pr", l) {
					c.kinds = append(c.kinds, l)
				}
				continue
			}
			value := flags[i+1:]
			if value == "" {
				value, args = args[0], args[1:]
			}
			if status := c.option(s, l, value); status != 0 {
				return nil, status
			}
			break
		}
	}
	return args, 0
}

// option takes an option that has an argument.
func (c *completion) option(s *shell, letter rune, value string) (status int) {
	switch letter {
	case 'A':
		kind, ok := actions[value]
		if !ok {
			s.complain(value + ": invalid action name")
			return statusUsage
		}
		c.kinds = append(c.kinds, kind)
	case 'G':
		c.glob, c.hasGlob = value, true
	case 'W':
		c.words, c.hasWords = value, true
	case 'P':
		c.prefix = value
	case 'S':
		c.suffix = value
	case 'X':
		c.exclude = value
	case 'C':
		s.complain("warning: -C option may not work as you expect")
	case 'F':
		s.complain("warning: -F option may not work as you expect")
	case 'o':
		if !slices.Contains([]string{"bashdefault", "default", "dirnames", "filenames", "noquote", "nosort", "nospace", "plusdirs"}, value) {
			s.complain(value + ": invalid option name")
			return statusUsage
		}
	}
	return 0
}

// candidates returns the names that begin with a prefix.
func (c *completion) candidates(s *shell, prefix string) []string {
	var found []string
	add := func(names []string) {
		for _, n := range names {
			if strings.HasPrefix(n, prefix) {
				found = append(found, n)
			}
		}
	}
	for _, kind := range c.kinds {
		names := s.completions(kind, prefix)
		if kind != 'k' { // which come as bash has them
			slices.Sort(names)
		}
		add(names)
	}
	if c.hasGlob {
		names, _ := s.globbed(c.glob)
		found = append(found, names...)
	}
	if c.hasWords {
		noglob := s.options.noglob
		s.options.noglob = true
		e := expander{s: s, split: true, ifs: s.ifs()}
		if err := e.value(c.words, false); err == nil {
			_ = e.end()
		}
		s.options.noglob = noglob
		add(e.fields)
	}
	if c.exclude != "" {
		pattern, not := strings.CutPrefix(c.exclude, "!")
		found = slices.DeleteFunc(found, func(n string) bool { return s.match(pattern, n) != not })
	}
	return found
}

// completions lists the names of one kind.
func (s *shell) completions(kind rune, prefix string) []string {
	var out []string
	keywords := []string{"if", "then", "else", "elif", "fi", "case", "esac", "for", "select", "while", "until", "do", "done", "in", "function", "time", "{", "}", "!", "[[", "]]", "coproc"}
	switch kind {
	case 'v', 'e', 'V':
		all := s.shown()
		for _, name := range slices.Sorted(maps.Keys(all)) {
			v := all[name]
			if (kind == 'v' && (v.set || v.isArray() || slices.Contains(remembered, name))) || kind == 'e' && v.exported || kind == 'V' && v.isArray() {
				out = append(out, name)
			}
		}
	case 'F':
		out = slices.Sorted(maps.Keys(s.functions))
	case 'a':
		out = slices.Sorted(maps.Keys(s.aliases))
	case 'H':
		out = slices.Sorted(maps.Keys(topics()))
	case 'O':
		for _, o := range s.optionNames() {
			out = append(out, o.name)
		}
	case 'S':
		out = slices.Clone(shoptOrder)
	case 'G':
		for n := container.Signal(1); n < 65; n++ {
			if name := signalName(n); !isNumber(name) {
				out = append(out, "SIG"+name)
			}
		}
	case 'j':
		for _, j := range s.jobs {
			name, _, _ := strings.Cut(syntax.PrintStmt(j.stmt), " ")
			out = append(out, name)
		}
	case 'u', 'g':
		out = s.p.Container().Accounts(kind == 'g')
	case 'k':
		out = keywords
	case 'b':
		out = slices.Clone(builtinsOfBash)
	case 'c':
		out = append(keywords, builtinsOfBash...)
		out = append(out, slices.Sorted(maps.Keys(s.functions))...)
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
	return out
}

// splitPath returns the directory of a path, with its slash, and the name.
func splitPath(path string) (dir, name string) {
	i := strings.LastIndexByte(path, '/') + 1
	return path[:i], path[i:]
}

// builtinsOfBash lists bash's built-ins.
var builtinsOfBash = strings.Fields(`. : [ alias bg bind break builtin caller cd command compgen complete compopt continue declare dirs disown echo
	enable eval exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd printf pushd pwd read readarray
	readonly return set shift shopt source suspend test times trap true type typeset ulimit umask unalias unset wait`)
