package shell

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/utility"
	"mvdan.cc/sh/v3/syntax"
)

// builtin is a command that runs in the shell's own process. args has the name first.
type builtin func(s *shell, args []string) int

// builtin returns the built-in of that name, or nil.
func (s *shell) builtin(name string) builtin {
	switch name {
	case ":", "true":
		return func(*shell, []string) int { return 0 }
	case "false":
		return func(*shell, []string) int { return 1 }
	case ".":
		return builtinSource
	case "break", "continue":
		return builtinLoop
	case "cd", "chdir":
		return builtinCd
	case "command":
		return builtinCommand
	case "echo":
		if s.kind == bash {
			return runUtility(utility.EchoPlain)
		}
		return runUtility(utility.Echo)
	case "eval":
		return builtinEval
	case "exec":
		return builtinExec
	case "exit":
		return builtinExit
	case "export", "readonly", "local":
		return builtinDeclareText
	case "getopts":
		return builtinGetopts
	case "hash", "alias", "unalias", "fg", "bg":
		return builtinNothing
	case "jobs":
		return builtinJobs
	case "kill":
		return builtinKill
	case "let":
		return builtinLet
	case "printf":
		return builtinPrintf
	case "pwd":
		return builtinPwd
	case "read":
		return builtinRead
	case "return":
		return builtinReturn
	case "set":
		return builtinSet
	case "shift":
		return builtinShift
	case "source":
		return builtinSource
	case "test", "[":
		return runUtility(utility.Test)
	case "[[":
		return runUtility(utility.Test)
	case "times":
		return func(s *shell, _ []string) int {
			s.print(1, "0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n")
			return 0
		}
	case "trap":
		return builtinTrap
	case "type":
		return builtinType
	case "ulimit":
		return builtinUlimit
	case "umask":
		return builtinUmask
	case "unset":
		return builtinUnset
	case "wait":
		return builtinWait
	}
	if s.kind != bash {
		return nil
	}
	switch name {
	case "builtin":
		return func(s *shell, args []string) int {
			if len(args) < 2 {
				return 0
			}
			if b := s.builtin(args[1]); b != nil {
				return b(s, args[1:])
			}
			s.complain(args[1] + ": not a shell builtin")
			return 1
		}
	case "declare", "typeset":
		return builtinDeclareText
	case "shopt":
		return builtinShopt
	case "mapfile", "readarray":
		return builtinMapfile
	case "disown", "enable":
		return builtinNothing
	}
	return nil
}

// isSpecial reports whether a function cannot take the name, and assignments before it last.
func (s *shell) isSpecial(name string) bool {
	if s.kind == bash {
		return false
	}
	switch name {
	case ":", ".", "break", "continue", "eval", "exec", "exit", "export", "readonly", "return", "set", "shift", "trap", "unset", "times":
		return true
	}
	return false
}

func builtinNothing(*shell, []string) int { return 0 }

func builtinSource(s *shell, args []string) int {
	if len(args) < 2 {
		s.complain("filename argument required")
		return statusUsage
	}
	name := args[1]
	data, err := s.p.ReadFile(name)
	if !strings.Contains(name, "/") {
		for _, dir := range strings.Split(s.value("PATH"), ":") {
			if dir == "" {
				dir = "."
			}
			if d, perr := s.p.ReadFile(dir + "/" + name); perr == nil {
				data, err = d, nil
				break
			}
		}
	}
	if err != nil {
		if s.kind == bash {
			s.complain(name + ": " + files.Message(err))
			return 1
		}
		s.command = "."
		s.complain(fmt.Sprintf("can't open '%s': %s", name, files.Message(err)))
		s.flow = exiting
		return statusUsage
	}
	if s.sourcing >= maxDepth {
		s.complain("too many nested files")
		return 1
	}
	before, command, loops := s.args, s.command, s.loops
	if len(args) > 2 {
		s.args = args[2:]
	}
	if s.isScript {
		s.command = s.name
	} else {
		s.command = ""
	}
	s.sourcing++
	s.status = 0
	s.run(string(data), false)
	s.sourcing--
	s.command, s.loops = command, loops
	if len(args) > 2 {
		s.args = before
	}
	if s.flow == returning {
		s.flow = goOn
	}
	return s.status
}

func builtinLoop(s *shell, args []string) int {
	n := 1
	if len(args) > 1 {
		var err error
		if n, err = strconv.Atoi(args[1]); err != nil || n < 1 {
			s.complain("Illegal number: " + args[1])
			s.flow = exiting
			return statusUsage
		}
	}
	if s.loops == 0 {
		return 0
	}
	s.levels = min(n, s.loops)
	s.flow = breaking
	if args[0] == "continue" {
		s.flow = continuing
	}
	return 0
}

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
	goal := logical
	if physical || s.p.Chdir(goal) != nil {
		goal = target
		if target == "" {
			goal = "."
		}
	}
	if err := s.p.Chdir(goal); err != nil {
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

func builtinCommand(s *shell, args []string) int {
	args = args[1:]
	verbose := byte(0)
	path := ""
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		if args[0] == "--" {
			args = args[1:]
			break
		}
		for _, l := range args[0][1:] {
			switch l {
			case 'v', 'V':
				verbose = byte(l)
			case 'p':
				path = "/usr/sbin:/usr/bin:/sbin:/bin"
			default:
				s.complain("illegal option -" + string(l))
				return statusUsage
			}
		}
		args = args[1:]
	}
	if len(args) == 0 {
		return 0
	}
	if verbose == 'v' {
		status := 0
		for _, name := range args {
			text, ok := s.describe(name, false)
			if !ok {
				status = 127
				if s.kind == bash {
					status = 1
				}
				continue
			}
			s.print(1, text+"\n")
		}
		return status
	}
	if verbose == 'V' {
		return builtinType(s, append([]string{"type"}, args...))
	}
	if b := s.builtin(args[0]); b != nil {
		return b(s, args)
	}
	if path != "" {
		if found, err := s.p.SearchPath(args[0], path); err == nil {
			args = append([]string{found}, args[1:]...)
		}
	}
	return s.runExternal(args)
}

// runExternal runs a program as a child.
func (s *shell) runExternal(args []string) int {
	child := s.p.Fork(func(p *container.Process) int {
		c := *s
		c.p = p
		c.command = ""
		if c.isScript {
			c.command = c.name
		}
		return c.exec(args)
	})
	return s.await(child)
}

// describe says what a command name means: for command -v, or at length for type.
func (s *shell) describe(name string, long bool) (string, bool) {
	say := func(short, text string) (string, bool) {
		if long {
			return name + " is " + text, true
		}
		return short, true
	}
	switch {
	case syntax.IsKeyword(name) && name != "[[" || name == "!" || name == "{" || name == "}" || name == "[[" && s.kind == bash:
		return say(name, "a shell keyword")
	case s.functions[name] != nil:
		return say(name, "a function")
	case s.isSpecial(name):
		return say(name, "a special shell builtin")
	case s.builtin(name) != nil:
		return say(name, "a shell builtin")
	}
	found, err := s.p.SearchPath(name, s.value("PATH"))
	if strings.Contains(name, "/") {
		found, err = name, s.p.Executable(name)
	}
	if err != nil {
		return "", false
	}
	return say(found, found)
}

func builtinType(s *shell, args []string) int {
	status := 0
	args = args[1:]
	kindOnly, pathOnly := false, false
	for len(args) > 0 && s.kind == bash && len(args[0]) > 1 && args[0][0] == '-' {
		kindOnly = kindOnly || strings.Contains(args[0], "t")
		pathOnly = pathOnly || strings.ContainsAny(args[0], "pP")
		args = args[1:]
	}
	for _, name := range args {
		text, ok := s.describe(name, true)
		switch {
		case !ok && (kindOnly || pathOnly):
			status = 1
		case !ok:
			if s.kind == bash {
				s.complain(name + ": not found")
			} else {
				s.print(2, name+": not found\n")
			}
			status = 1
			if s.kind == ash {
				status = 127
			}
		case kindOnly:
			word := "file"
			for _, k := range []string{"keyword", "function", "builtin"} {
				if strings.HasSuffix(text, k) {
					word = k
				}
			}
			s.print(1, word+"\n")
		case pathOnly:
			if i := strings.LastIndex(text, " is "); strings.HasPrefix(text[i+4:], "/") {
				s.print(1, text[i+4:]+"\n")
			}
		default:
			s.print(1, text+"\n")
		}
	}
	return status
}

func builtinEval(s *shell, args []string) int {
	if len(args) > 1 && args[1] == "--" {
		args = args[1:]
	}
	text := strings.Join(args[1:], " ")
	command := s.command
	s.command = ""
	if s.isScript {
		s.command = s.name
	}
	s.depth++
	if s.depth > maxDepth {
		s.complain("eval: maximum nesting level exceeded")
		s.flow = exiting
		return 1
	}
	s.status = 0
	s.run(text, false)
	s.depth--
	s.command = command
	return s.status
}

func builtinExec(s *shell, args []string) int {
	args = args[1:]
	name := ""
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		switch {
		case args[0] == "--":
			args = args[1:]
		case args[0] == "-a" && len(args) > 1:
			name = args[1]
			args = args[2:]
			continue
		case args[0] == "-c":
			s.env = []string{}
			args = args[1:]
			continue
		}
		break
	}
	_ = name
	if len(args) == 0 {
		return 0
	}
	s.command = ""
	if s.isScript {
		s.command = s.name
	}
	if s.kind == ash {
		s.command = "exec"
	}
	status := s.exec(args)
	s.flow = exiting
	return status
}

func builtinExit(s *shell, args []string) int {
	status := s.status
	if len(args) > 1 {
		n, err := strconv.Atoi(args[1])
		if err != nil {
			if s.kind == bash {
				s.complain(args[1] + ": numeric argument required")
			} else {
				s.complain("Illegal number: " + args[1])
			}
			n = statusUsage
		}
		status = n & 0xff
	}
	s.flow = exiting
	return status
}

func builtinReturn(s *shell, args []string) int {
	status := s.status
	if len(args) > 1 {
		n, err := strconv.Atoi(args[1])
		if err != nil {
			s.complain("Illegal number: " + args[1])
			s.flow = exiting
			return statusUsage
		}
		status = n & 0xff
	}
	switch {
	case s.calls > 0 || s.sourcing > 0:
		s.flow = returning
	case s.kind == ash:
		s.flow = exiting
	default:
		s.complain("can only `return' from a function or sourced script")
		return 1
	}
	return status
}

func builtinShift(s *shell, args []string) int {
	n := 1
	if len(args) > 1 {
		var err error
		if n, err = strconv.Atoi(args[1]); err != nil || n < 0 {
			s.complain("Illegal number: " + args[1])
			return 1
		}
	}
	if n > len(s.args) {
		if s.kind == ash {
			return 1
		}
		return 1
	}
	s.args = s.args[n:]
	return 0
}

func builtinUnset(s *shell, args []string) int {
	functions, variables := false, false
	args = args[1:]
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		functions = functions || args[0] == "-f"
		variables = variables || args[0] == "-v"
		args = args[1:]
	}
	status := 0
	for _, name := range args {
		if functions {
			delete(s.functions, name)
			continue
		}
		if base, index, ok := strings.Cut(strings.TrimSuffix(name, "]"), "["); ok {
			s.unsetElement(base, index)
			continue
		}
		if !syntax.ValidName(name) {
			s.complain(name + ": bad variable name")
			status = 1
			continue
		}
		if _, ok := s.vars[name]; !ok && !variables && s.kind == bash {
			delete(s.functions, name)
			continue
		}
		if err := s.unset(name); err != nil {
			s.complain(err.Error())
			status = 1
		}
	}
	return status
}

func (s *shell) unsetElement(name, index string) {
	v := s.vars[name]
	switch {
	case v.table != nil:
		v.table = cloneWithout(v.table, strings.Trim(index, `"'`))
	case v.list != nil:
		n, err := s.arithmeticText(index)
		if err != nil {
			return
		}
		v.list = cloneWithout(v.list, int(n))
	default:
		return
	}
	s.store(name, v)
}

func cloneWithout[K comparable](m map[K]string, key K) map[K]string {
	out := make(map[K]string, len(m))
	for k, v := range m {
		if k != key {
			out[k] = v
		}
	}
	return out
}

func builtinPrintf(s *shell, args []string) int {
	if s.kind == bash && len(args) > 2 && args[1] == "-v" {
		text, status := utility.Format(args[3:], func(msg string) { s.complain(msg) }, s.p.Now())
		if err := s.assign(args[2], text); err != nil {
			s.complain(err.Error())
			return 1
		}
		return status
	}
	if s.env == nil {
		s.p.Env = s.environment()
	}
	return utility.Printf(s.p, args)
}

func builtinUmask(s *shell, args []string) int {
	if len(args) < 2 || args[1] == "-S" {
		if len(args) > 1 {
			text := ""
			for i, who := range []string{"u=", ",g=", ",o="} {
				bits := ^s.p.Umask >> (6 - 3*i) & 7
				text += who
				for j, l := range "rwx" {
					if bits&(4>>j) != 0 {
						text += string(l)
					}
				}
			}
			s.print(1, text+"\n")
			return 0
		}
		s.print(1, fmt.Sprintf("%04o\n", s.p.Umask))
		return 0
	}
	if n, err := strconv.ParseUint(args[1], 8, 16); err == nil {
		s.p.Umask = uint16(n) & 0o777
		return 0
	}
	mode, ok := utility.ParseMode(args[1], ^s.p.Umask&0o777, true)
	if !ok {
		s.complain("Illegal mode: " + args[1])
		return 1
	}
	s.p.Umask = ^mode & 0o777
	return 0
}

func builtinUlimit(s *shell, args []string) int {
	for _, a := range args[1:] {
		switch a {
		case "-n":
			if len(args) == 2 {
				s.print(1, "1048576\n")
			}
			return 0
		case "-a":
			s.print(1, "core file size (blocks)         (-c) 0\nopen files                      (-n) 1048576\n")
			return 0
		}
	}
	if len(args) == 2 && strings.HasPrefix(args[1], "-") || len(args) == 1 {
		s.print(1, "unlimited\n")
	}
	return 0
}

func builtinLet(s *shell, args []string) int {
	var n int64
	for _, text := range args[1:] {
		var err error
		if n, err = s.arithmeticText(text); err != nil {
			s.complain(err.Error())
			return 1
		}
	}
	return int(1 - truth(n != 0))
}

func builtinGetopts(s *shell, args []string) int {
	if len(args) < 3 {
		s.complain("usage: getopts optstring var [arg]")
		return statusUsage
	}
	spec, name := args[1], args[2]
	params := s.args
	if len(args) > 3 {
		params = args[3:]
	}
	silent := strings.HasPrefix(spec, ":")
	index, err := strconv.Atoi(s.value("OPTIND"))
	if err != nil || index < 1 {
		index, s.optIndex = 1, 0
	}
	set := func(option, argument string, hasArg bool) {
		s.setValue(name, option)
		if hasArg {
			s.setValue("OPTARG", argument)
		} else {
			_ = s.unset("OPTARG")
		}
		s.setValue("OPTIND", strconv.Itoa(index))
	}
	if s.optIndex == 0 {
		if index > len(params) || len(params[index-1]) < 2 || params[index-1][0] != '-' || params[index-1] == "--" {
			if index <= len(params) && params[index-1] == "--" {
				index++
			}
			set("?", "", false)
			return 1
		}
		s.optIndex = 1
	}
	arg := params[min(index, len(params))-1]
	if s.optIndex >= len(arg) {
		s.optIndex = 0
		set("?", "", false)
		return 1
	}
	letter := arg[s.optIndex]
	s.optIndex++
	at := strings.IndexByte(strings.TrimPrefix(spec, ":"), letter)
	spec = strings.TrimPrefix(spec, ":")
	if at < 0 || letter == ':' {
		if s.optIndex >= len(arg) {
			s.optIndex = 0
			index++
		}
		if silent {
			set("?", string(letter), true)
		} else {
			s.print(2, s.name+": illegal option -"+dashes(s.kind)+string(letter)+"\n")
			set("?", "", false)
		}
		return 0
	}
	if at+1 < len(spec) && spec[at+1] == ':' {
		rest := arg[s.optIndex:]
		s.optIndex = 0
		index++
		if rest == "" {
			if index > len(params) {
				if silent {
					set(":", string(letter), true)
				} else {
					if s.kind == bash {
						s.print(2, s.name+": option requires an argument -- "+string(letter)+"\n")
					} else {
						s.print(2, s.name+": no arg for -"+string(letter)+" option\n")
					}
					set("?", "", false)
				}
				return 0
			}
			rest = params[index-1]
			index++
		}
		set(string(letter), rest, true)
		return 0
	}
	if s.optIndex >= len(arg) {
		s.optIndex = 0
		index++
	}
	set(string(letter), "", false)
	return 0
}

func dashes(kind dialect) string {
	if kind == bash {
		return "- "
	}
	return ""
}

// builtinRead is read.
func builtinRead(s *shell, args []string) int {
	raw, array, count, exact := false, "", -1, -1
	delim := byte('\n')
	fd := 0
	var deadline time.Time
	args = args[1:]
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		opts := args[0][1:]
		args = args[1:]
		if opts == "-" {
			break
		}
		for i := 0; i < len(opts); i++ {
			l := opts[i]
			if l == 'r' {
				raw = true
				continue
			}
			if l == 's' || l == 'e' {
				continue
			}
			value := opts[i+1:]
			if value == "" && len(args) > 0 {
				value = args[0]
				args = args[1:]
			}
			i = len(opts)
			switch l {
			case 'p':
				if s.p.IsOpen(0) && utility.TestUnary(s.p, "-t", "0") {
					s.print(2, value)
				}
			case 'd':
				delim = 0
				if value != "" {
					delim = value[0]
				}
			case 'n', 'N':
				n, err := strconv.Atoi(value)
				if err != nil {
					s.complain("Illegal number: " + value)
					return statusUsage
				}
				if count = n; l == 'N' {
					exact = n
				}
			case 'u':
				fd, _ = strconv.Atoi(value)
			case 't':
				secs, err := strconv.ParseFloat(value, 64)
				if err != nil {
					s.complain("invalid timeout: " + value)
					return 1
				}
				deadline = s.p.Now().Add(time.Duration(secs * float64(time.Second)))
			case 'a':
				array = value
			default:
				s.complain("illegal option -" + string(l))
				return statusUsage
			}
		}
	}
	line, escaped, ended := s.readInput(fd, delim, raw, count, exact >= 0, deadline)
	status := 0
	if !ended {
		status = 1
	}
	if len(s.caught) > 0 && !ended && line == "" {
		status = statusSignalBase + int(s.caught[0])
	}
	if array != "" {
		v := variable{list: map[int]string{}, set: true}
		for i, f := range s.splitRead(line, escaped, -1) {
			v.list[i] = f
		}
		s.store(array, v)
		return status
	}
	if len(args) == 0 {
		s.setValue("REPLY", line)
		return status
	}
	var parts []string
	if exact >= 0 {
		parts = []string{line}
	} else {
		parts = s.splitRead(line, escaped, len(args))
	}
	for i, name := range args {
		value := ""
		if i < len(parts) {
			value = parts[i]
		}
		if err := s.assign(name, value); err != nil {
			s.complain(err.Error())
			return 1
		}
	}
	return status
}

// readInput reads up to a delimiter. escaped marks the bytes that a backslash protects from being split. ended is
// false at the end of the input, a timeout or a signal.
func (s *shell) readInput(fd int, delim byte, raw bool, count int, exact bool, deadline time.Time) (line string, escaped []bool, ended bool) {
	var out []byte
	buf := make([]byte, 1)
	slash := false
	for count < 0 || len(out) < count {
		if !deadline.IsZero() && !s.p.Readable(fd, deadline) {
			return string(out), escaped, false
		}
		n, err := s.p.Read(fd, buf)
		if err != nil || n == 0 {
			s.collect()
			return string(out), escaped, false
		}
		c := buf[0]
		switch {
		case c == 0 && delim != 0:
			continue
		case slash:
			slash = false
			if c == '\n' {
				continue
			}
			out, escaped = append(out, c), append(escaped, true)
			continue
		case c == '\\' && !raw:
			slash = true
			continue
		case c == delim && !exact:
			return string(out), escaped, true
		}
		out, escaped = append(out, c), append(escaped, false)
	}
	return string(out), escaped, true
}

func (s *shell) readLine(fd int, delim byte) (string, bool) {
	line, _, ok := s.readInput(fd, delim, true, -1, false, time.Time{})
	return line, ok
}

// splitRead splits a line for read into at most n fields; the last takes the rest.
func (s *shell) splitRead(line string, escaped []bool, n int) []string {
	ifs := s.ifs()
	isSpace := func(i int) bool {
		return !escaped[i] && strings.IndexByte(ifs, line[i]) >= 0 && strings.IndexByte(" \t\n", line[i]) >= 0
	}
	isDelim := func(i int) bool { return !escaped[i] && strings.IndexByte(ifs, line[i]) >= 0 }
	i, end := 0, len(line)
	for i < end && isSpace(i) {
		i++
	}
	for end > i && isSpace(end-1) {
		end--
	}
	var out []string
	for i < end {
		if n > 0 && len(out) == n-1 {
			rest := line[i:end]
			// One delimiter at the end of the rest goes, if it is the only one.
			if isDelim(end-1) && !isSpace(end-1) {
				only := true
				for j := i; j < end-1; j++ {
					only = only && (!isDelim(j) || isSpace(j))
				}
				if only {
					rest = strings.TrimRight(line[i:end-1], " \t\n")
				}
			}
			return append(out, rest)
		}
		start := i
		for i < end && !isDelim(i) {
			i++
		}
		out = append(out, line[start:i])
		for i < end && isSpace(i) {
			i++
		}
		if i < end && isDelim(i) && (i == start || !isSpace(i)) {
			i++
			for i < end && isSpace(i) {
				i++
			}
		}
	}
	return out
}

// builtinMapfile is bash's mapfile.
func builtinMapfile(s *shell, args []string) int {
	trim, name := false, "MAPFILE"
	for _, a := range args[1:] {
		if a == "-t" {
			trim = true
		} else if !strings.HasPrefix(a, "-") {
			name = a
		}
	}
	v := variable{list: map[int]string{}, set: true}
	i := 0
	for line := range strings.Lines(string(s.readAll(0))) {
		if trim {
			line = strings.TrimSuffix(line, "\n")
		}
		v.list[i] = line
		i++
	}
	s.store(name, v)
	return 0
}
