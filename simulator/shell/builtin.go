package shell

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// builtin is a command that runs in the shell's own process. args has the name first.
type builtin func(s *shell, args []string) int

// builtin returns the built-in of that name, or nil.
func (s *shell) builtin(name string) builtin {
	if s.disabled[name] {
		return nil
	}
	switch name {
	case ":", "true":
		return func(*shell, []string) int { return 0 }
	case "false":
		return func(*shell, []string) int { return 1 }
	case ".":
		return builtinSource
	case "break", "continue":
		return builtinLoop
	case "cd":
		return builtinCd
	case "command":
		return builtinCommand
	case "echo":
		return builtinEcho
	case "eval":
		return builtinEval
	case "exec":
		return builtinExec
	case "exit":
		return builtinExit
	case "export", "readonly", "local":
		return builtinDeclare
	case "getopts":
		return builtinGetopts
	case "hash":
		return builtinHash
	case "alias":
		return builtinAlias
	case "unalias":
		return builtinUnalias
	case "fg", "bg":
		return builtinForeground
	case "jobs":
		return builtinJobs
	case "kill":
		return builtinKill
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
	case "test", "[":
		return builtinTest
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
	switch s.kind {
	case ash:
		switch name {
		case "[[":
			return builtinTest
		case "chdir":
			return builtinCd
		case "help":
			return builtinHelpOfAsh
		case "let":
			return builtinLet
		case "source":
			return builtinSource
		}
	case dash:
		if name == "chdir" {
			return builtinCd
		}
	case bash:
		return builtinOfBash(name)
	}
	return nil
}

// builtinOfBash returns a built-in that only bash has.
func builtinOfBash(name string) builtin {
	switch name {
	case "builtin":
		return builtinBuiltin
	case "caller":
		return builtinCaller
	case "compgen":
		return builtinCompgen
	case "declare", "typeset":
		return builtinDeclare
	case "dirs", "pushd", "popd":
		return builtinDirs
	case "let":
		return builtinLet
	case "shopt":
		return builtinShopt
	case "mapfile", "readarray":
		return builtinMapfile
	case "source":
		return builtinSource
	case "disown":
		return builtinDisown
	case "suspend":
		return func(s *shell, _ []string) int {
			s.complain("cannot suspend: no job control")
			return 1
		}
	case "logout":
		return func(s *shell, _ []string) int {
			s.complain("not login shell: use `exit'")
			return 1
		}
	case "enable":
		return builtinEnable
	case "help":
		return builtinHelp
	case "compopt":
		return func(s *shell, args []string) int {
			if len(args) == 1 {
				s.complain("not currently executing completion function")
				return 1
			}
			return 0
		}
	case "complete", "history", "bind", "fc":
		return builtinNothing
	}
	return nil
}

// builtinBuiltin is bash's builtin.
func builtinBuiltin(s *shell, args []string) int {
	if len(args) > 1 && args[1] == "--" {
		s.arrayShift++
		args = args[1:]
	}
	if len(args) < 2 {
		return 0
	}
	if b := s.builtin(args[1]); b != nil {
		s.command = args[1]
		s.arrayShift++
		return s.performBuiltin(b, args[1:])
	}
	s.complain(args[1] + ": not a shell builtin")
	return 1
}

// isSpecial reports whether a function cannot take the name, and assignments before it last.
func (s *shell) isSpecial(name string) bool {
	return (s.kind != bash || s.options.posix) && s.isSpecialName(name)
}

// becomesSpecial reports whether a built-in of bash is a special one since an assignment before it turns POSIX mode on.
func (s *shell) becomesSpecial(assigns []*syntax.Assign, name string) bool {
	return s.kind == bash && s.isSpecialName(name) && slices.ContainsFunc(assigns, func(a *syntax.Assign) bool { return a.Name == posixVariable })
}

// isSpecialName reports whether POSIX, or the shell, has such a special built-in.
func (s *shell) isSpecialName(name string) bool {
	switch name {
	case "local":
		return s.kind != bash
	case "source":
		return s.kind == bash
	case ":", ".", "break", "continue", "eval", "exec", "exit", "export", "readonly", "return", "set", "shift", "trap", "unset", "times":
		return true
	}
	return false
}

func builtinNothing(*shell, []string) int { return 0 }

func builtinSource(s *shell, args []string) int {
	if len(args) > 1 && args[1] == "--" {
		args = args[1:]
	}
	if len(args) < 2 {
		switch s.kind {
		case dash:
			return 0
		case bash:
			s.complain("filename argument required")
			s.usage(".")
			s.misused = true
		}
		return statusUsage
	}
	name, data, err := s.sourceFile(args[1])
	if err != nil {
		text := files.Message(err)
		switch s.kind {
		case bash:
			s.command = ""
			s.complain(args[1] + ": " + text)
			if s.returned(); s.options.posix && !s.commanded || s.options.errexit {
				s.flow, s.raised = exiting, true
			}
			return 1
		case dash:
			s.command = "."
			if strings.Contains(args[1], "/") {
				s.cannotOpen(args[1], err)
			} else {
				s.complain(args[1] + ": not found")
			}
		default:
			s.command = "."
			if len(args) > 2 { // traps see them already
				s.args = args[2:]
			}
			if strings.Contains(args[1], "/") {
				s.complain(fmt.Sprintf("can't open '%s': %s", args[1], text))
			} else {
				s.complain(args[1] + ": not found")
			}
		}
		s.raised = true
		s.flow = exiting
		return statusUsage
	}
	if s.kind == bash && bytes.Count(data, []byte{0}) > mostZeros {
		s.command = args[0]
		s.complain(args[1] + ": cannot execute binary file")
		return statusNoExec
	}
	before, command, loops, base, source, line := s.args, s.command, s.loops, s.base, s.source, s.line
	running, heading := s.running, s.heading
	replaced := len(args) > 2 && s.kind != dash
	if replaced {
		s.args = args[2:]
	}
	s.command = ""
	if s.kind != bash {
		s.command = name
	}
	s.frames = append(s.frames, frame{"source", s.source, s.line})
	s.sourcing++
	s.base = 0
	if s.kind == bash {
		s.source = name
	}
	s.enterEval(1)
	isJob, evaluated := s.isJob, s.evaluated
	s.isJob, s.argsSet, s.evaluated = isJob && s.calls > 0, false, s.isStage && s.calls == 0
	tolerant := s.tolerant
	s.forgetTests()
	debug := s.traps["DEBUG"]
	if s.kind == bash && debug != "" && !s.options.functrace { // it is not for the file
		delete(s.traps, "DEBUG")
	}
	s.deeper("scripts")
	sc := s.parse(scriptText(data))
	s.settle(sc)
	inEval, commanded := s.inEval, s.commanded
	s.inEval = true
	s.lines(sc, false)
	s.inEval, s.commanded = inEval, commanded
	s.release(sc)
	s.shallower()
	if debug != "" && s.traps["DEBUG"] == "" {
		s.traps["DEBUG"] = debug
	}
	s.isJob, s.evaluated, s.tolerant = isJob, evaluated, tolerant
	s.enterEval(-1)
	if s.kind == bash {
		s.line = line // that of the command, in the trap too
	}
	s.returned()
	if s.kind == bash && !s.inTrap {
		s.running, s.heading = running, heading
	}
	s.sourcing--
	s.frames = s.frames[:len(s.frames)-1]
	s.command, s.loops, s.base, s.source, s.line = command, loops, base, source, line
	if replaced && !(s.kind == bash && s.argsSet && s.calls == 0) {
		s.args = before
	}
	s.argsSet = false
	if s.flow == returning {
		s.flow = goOn
	}
	return s.status
}

// mostZeros is how many zeros a file may have that bash sources.
const mostZeros = 256

// sourceFile reads a file to be sourced, from PATH if its name has no slash.
func (s *shell) sourceFile(name string) (string, []byte, error) {
	if !strings.Contains(name, "/") {
		for _, dir := range strings.Split(s.value("PATH"), ":") {
			if dir == "" {
				dir = "."
			}
			if info, err := s.p.Stat(dir + "/" + name); err == nil && !info.IsDir() {
				if data, err := s.readFile(dir + "/" + name); err == nil {
					return dir + "/" + name, data, nil
				}
			}
		}
		if s.kind != bash || s.options.posix {
			return name, nil, syscall.ENOENT
		}
	}
	data, err := s.readFile(name)
	return name, data, err
}

func builtinLoop(s *shell, args []string) int {
	if s.kind == bash {
		return s.loopOfBash(args)
	}
	n := 1
	if len(args) > 1 {
		var err error
		if n, err = strconv.Atoi(args[1]); err != nil || n < 1 {
			s.complain("Illegal number: " + args[1])
			s.flow = exiting
			return statusUsage
		}
	}
	if s.loops > 0 {
		s.leaveLoops(args[0], n)
	}
	return 0
}

// leaveLoops makes break or continue take effect.
func (s *shell) leaveLoops(name string, n int) {
	s.levels = int32(min(n, int(s.loops)))
	s.flow = breaking
	if name == "continue" {
		s.flow = continuing
	}
}

// loopOfBash is break and continue of bash.
func (s *shell) loopOfBash(args []string) int {
	name := args[0]
	if args = args[1:]; len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if s.loops == 0 {
		if !s.options.posix {
			s.complain("only meaningful in a `for', `while', or `until' loop")
		}
		return 0
	}
	n := 1
	if len(args) > 0 {
		var err error
		if n, err = strconv.Atoi(strings.TrimSpace(args[0])); err != nil {
			s.complain(args[0] + ": numeric argument required")
			s.flow = exiting
			return s.status | statusSignalBase
		}
		if len(args) > 1 {
			return s.tooMany()
		}
		if n < 1 {
			s.complain(args[0] + ": loop count out of range")
			s.levels, s.flow = s.loops, breaking
			return 1
		}
	}
	s.leaveLoops(name, n)
	return 0
}

func builtinEval(s *shell, args []string) int {
	if len(args) > 1 && args[1] == "--" {
		args = args[1:]
	}
	text := strings.Join(args[1:], " ")
	command, base, line := s.command, s.base, s.line
	running, heading := s.running, s.heading
	s.traced++
	switch s.kind {
	case bash:
		s.base = max(s.line, 1) - 1
	case ash:
		s.base = s.line - 1
	default:
		s.base = 0
	}
	s.lost = false
	sc := s.parse(text)
	s.command = ""
	if s.kind != bash { // whose messages do not name it
		s.command = "eval"
	}
	s.deeper("evals")
	s.enterEval(1)
	s.settle(sc)
	isJob, evaluated := s.isJob, s.evaluated
	s.isJob, s.evaluated = isJob && s.calls > 0, s.isStage && s.calls == 0
	inEval, commanded := s.inEval, s.commanded
	s.inEval = true
	err := s.readLines(sc, false)
	s.isJob, s.evaluated, s.inEval = isJob, evaluated, inEval
	s.enterEval(-1)
	if err != nil && s.flow == goOn {
		s.command = "eval"
		s.syntaxError(err)
	}
	s.commanded = commanded
	s.release(sc)
	s.shallower()
	s.traced--
	s.command, s.base = command, base
	if s.kind == bash && s.flow == goOn {
		s.line = line
	}
	if s.kind == bash && !s.inTrap {
		s.running, s.heading = running, heading
	}
	return s.status
}

// settle makes the status of a text 0 that has no commands. Otherwise its first one finds that of the command before.
func (s *shell) settle(sc *syntax.Script) {
	if nested := sc.Err != nil && sc.Err.Nested; sc.Rest == "" && !nested && !slices.ContainsFunc(sc.Lines, func(line []*syntax.Stmt) bool { return len(line) > 0 }) {
		s.status = 0
	}
}

// enterEval counts eval and source inside of functions.
func (s *shell) enterEval(n int16) {
	if s.calls > 0 {
		s.evals += n
	}
}

func builtinExec(s *shell, args []string) int {
	args = args[1:]
	var how execution
	if s.kind == bash {
		args = how.options(args)
	} else {
		for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
			if s.kind == ash && args[0] != "--" && args[0] != "-a" {
				s.illegalOption(rune(args[0][1]))
				s.flow = exiting
				return statusUsage
			}
			if args[0] == "-a" && len(args) > 1 {
				args = args[2:]
				continue
			}
			if args[0] == "--" {
				args = args[1:]
			}
			break
		}
	}
	if len(args) == 0 {
		return 0
	}
	s.command = "exec"
	level := s.value("SHLVL")
	if s.kind == bash {
		s.lowerLevel()
	}
	status := s.execAs(args, s.value("PATH"), nil, how)
	if s.kind == bash && s.options.others[slices.Index(shoptOrder, "execfail")] {
		s.setValue("SHLVL", level)
		return status
	}
	if s.kind == bash { // which ends here, inside of all redirections
		s.status = status
		s.runTraps()
		s.exitTrap()
		status = s.status
	}
	s.flow, s.ending = exiting, inPlace
	return status
}

func builtinExit(s *shell, args []string) int {
	status := s.status
	if s.kind != bash || s.within&withinExit != 0 {
		status = s.statusBefore()
	}
	if s.kind == bash {
		var ok bool
		if status, ok = s.statusArgument(args[1:], status); !ok {
			return status
		}
	} else if len(args) > 1 {
		n, err := strconv.Atoi(args[1])
		if err != nil || n < 0 {
			s.complain("Illegal number: " + args[1])
			s.flow = exiting
			return statusUsage
		}
		if status = n; s.kind == ash {
			status &= 0xff
		}
	}
	s.flow, s.ending = exiting, inPlace
	return status
}

// statusBefore is $?, or in a trap what it was when the trap began.
func (s *shell) statusBefore() int {
	if s.prior > 0 {
		return int(s.prior) - 1
	}
	return s.status
}

// statusArgument reads the argument of exit and return of bash, which may be left out. It is not ok if there are too many.
func (s *shell) statusArgument(args []string, otherwise int) (status int, ok bool) {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return otherwise, true
	}
	n, err := strconv.ParseInt(strings.TrimSpace(args[0]), 10, 64)
	switch {
	case err != nil:
		s.complain(args[0] + ": numeric argument required")
		return statusUsage, true
	case len(args) > 1:
		return s.tooMany(), false
	}
	return int(n & 0xff), true
}

func builtinReturn(s *shell, args []string) int {
	status := s.status
	s.plain = len(args) < 2
	switch {
	case s.kind == bash && s.within&withinDebug == 0:
		status = s.statusBefore()
	case s.kind != bash && s.plain && s.calls == 0 && s.sourcing == 0 && s.subshell:
		status = s.statusBefore()
	}
	if s.kind == bash {
		var ok bool
		if status, ok = s.statusArgument(args[1:], status); !ok {
			return status
		}
	} else if len(args) > 1 {
		n, err := strconv.Atoi(args[1])
		if err != nil || n < 0 {
			s.complain("Illegal number: " + args[1])
			s.flow = exiting
			return statusUsage
		}
		status = n
		if s.kind != dash { // which keeps all of it until the shell ends
			status &= 0xff
		}
	}
	switch {
	case s.calls > 0 || s.sourcing > 0:
		s.flow, s.preceding = returning, uint8(s.status)
	case s.kind != bash:
		s.flow, s.ending = exiting, inPlace
		s.left = status == 0 || !s.options.errexit || s.tolerant > 0 // with set -e it ends the shell as a failure
	default:
		s.complain("can only `return' from a function or sourced script")
		s.misused = true
		return statusUsage
	}
	return status
}

func builtinShift(s *shell, args []string) int {
	n := 1
	if len(args) > 1 && args[1] == "--" && s.kind == bash {
		args = args[1:]
	}
	if len(args) > 1 {
		var err error
		text := args[1]
		if s.kind == bash {
			text = strings.TrimSpace(text)
		}
		if n, err = strconv.Atoi(text); err != nil || n < 0 {
			switch {
			case s.kind != bash:
				s.complain("Illegal number: " + args[1])
				s.flow = exiting
				return statusUsage
			case err != nil:
				s.complain(args[1] + ": numeric argument required")
			default:
				s.complain(args[1] + ": shift count out of range")
			}
			return 1
		}
		if len(args) > 2 && s.kind == bash {
			return s.tooMany()
		}
	}
	if n > len(s.args) {
		if s.options.shiftVerbose || s.kind == bash && s.options.posix {
			complaint := "shift count out of range"
			if len(args) > 1 {
				complaint = args[1] + ": " + complaint
			}
			s.complain(complaint)
		}
		if s.kind == dash {
			s.complain("can't shift that many")
			s.flow = exiting
			return statusUsage
		}
		return 1
	}
	s.args = s.args[n:]
	s.nextOptions = firstOption
	return 0
}

func builtinUnset(s *shell, args []string) int {
	functions, variables, references := false, false, false
	args = args[1:]
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		if args[0] == "--" {
			args = args[1:]
			break
		}
		for _, l := range args[0][1:] {
			switch {
			case l == 'f':
				functions = true
			case l == 'v':
				variables = true
			case l == 'n' && s.kind == bash:
				references = true
			case s.kind == bash:
				s.complain("-" + string(l) + ": invalid option")
				s.print(2, "unset: usage: unset [-f] [-v] [-n] [name ...]\n")
				return statusUsage
			default:
				s.illegalOption(l)
				s.flow = exiting
				return statusUsage
			}
		}
		args = args[1:]
	}
	status := 0
	for _, name := range args {
		if functions {
			if !s.unsetFunction(name) {
				status = 1
			}
			continue
		}
		if base, index, ok := strings.Cut(name, "["); ok && strings.HasSuffix(index, "]") && s.kind == bash && syntax.IsName(base) {
			err := s.unsetElement(base, strings.TrimSuffix(index, "]"))
			if errors.As(err, new(*abandonError)) {
				s.problem(err)
				return s.status
			}
			if err != nil {
				s.complain(err.Error())
				status = 1
			}
			continue
		}
		if !syntax.IsName(name) {
			if s.kind == bash {
				if !variables {
					if !s.unsetFunction(name) {
						status = 1
					}
					continue
				}
				s.complain("`" + name + "': not a valid identifier")
				status = 1
				continue
			}
			s.complain(name + ": bad variable name")
			s.flow = exiting
			return statusUsage
		}
		if !references {
			name = s.target(name)
		}
		if _, ok := s.vars[name]; !ok && !variables && s.kind == bash {
			if !s.unsetFunction(name) {
				status = 1
			}
			continue
		}
		if err := s.unset(name); err != nil {
			if s.kind == bash {
				s.complain(name + ": cannot unset: readonly variable")
				status = 1
				continue
			}
			s.problem(err)
			return s.status
		}
	}
	return status
}

// unsetFunction removes a function, and reports whether it could.
func (s *shell) unsetFunction(name string) bool {
	fn := s.functions[name]
	if fn == nil {
		return true
	}
	if fn.readonly {
		s.complain(name + ": cannot unset: readonly function")
		return false
	}
	if fn.exported {
		s.env = nil
	}
	s.define(name, nil)
	return true
}

func (s *shell) unsetElement(name, index string) error {
	name = s.target(name)
	v := s.vars[name]
	switch {
	case v.readonly:
		return &usageError{name + ": cannot unset: readonly variable"}
	case index == "@" || index == "*":
		return s.unset(name)
	case v.table != nil:
		index, err := s.argumentSubscript(name, index)
		if err != nil {
			return err
		}
		delete(s.ownTable(&v).entries, index)
	case v.list != nil:
		index, err := s.runtimeSubscript(name, index)
		if err != nil {
			return err
		}
		n, err := s.indexNumber(name, v, index)
		if err != nil {
			return err
		}
		s.ownList(&v).remove(n)
	case !v.set:
		return nil
	default:
		index, err := s.runtimeSubscript(name, index)
		if err != nil {
			return err
		}
		n, err := s.evaluate(index)
		if err != nil {
			return &abandonError{err}
		}
		if n == 0 {
			return s.unset(name)
		}
		if v.set {
			return &usageError{name + ": not an array variable"}
		}
		return nil
	}
	s.store(name, v)
	return nil
}

func builtinUmask(s *shell, args []string) int {
	if s.kind == bash {
		return s.umaskOfBash(args[1:])
	}
	flags, args := leadingFlags(args[1:])
	if at := strings.IndexFunc(flags, func(l rune) bool { return l != 'S' }); at >= 0 {
		s.illegalOption(rune(flags[at]))
		return statusUsage
	}
	switch {
	case len(args) > 0:
		return s.setUmask(args[0])
	case flags != "":
		s.print(1, s.symbolicUmask()+"\n")
	default:
		s.print(1, fmt.Sprintf("%04o\n", s.p.Umask))
	}
	return 0
}

// setUmask takes the umask of ash or dash from a number or from symbols.
func (s *shell) setUmask(text string) int {
	isNumber := text != "" && text[0] >= '0' && text[0] <= '9'
	n, err := strconv.ParseUint(text, 8, 64)
	modes := kit.Modes{IsDir: true, Umask: s.p.Umask}
	if s.kind == dash {
		modes = kit.Modes{IsDir: true, GNU: true}
	}
	mode, ok := modes.Parse(text, ^s.p.Umask&0o777)
	switch {
	case s.kind == dash && strings.Trim(text, "ugoa") == "": // and nothing to do for them
	case isNumber && s.kind == dash && strings.Trim(text, "01234567") != "":
		s.complain("Illegal number: " + text)
		return statusUsage
	case isNumber && s.kind == ash && (err != nil || n > 0o777), !isNumber && !ok:
		s.complain("illegal mode: " + text)
		return statusUsage
	case isNumber:
		s.p.Umask = uint16(n) & 0o777
	default:
		s.p.Umask = ^mode & 0o777
	}
	return 0
}

// symbolicUmask is what umask -S prints.
func (s *shell) symbolicUmask() string {
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
	return text
}

// symbolicMode reads a mode as bash's umask does, or says what is wrong with it.
func symbolicMode(text string, bits uint16) (mode uint16, mistake string) {
	// Where the text ends, bash finds a zero.
	read := func(i int) byte {
		if i < len(text) {
			return text[i]
		}
		return 0
	}
	for i := 0; ; i++ {
		who, perm := uint16(0), uint16(0)
		for ; strings.IndexByte("agou", read(i)) >= 0; i++ {
			who |= map[byte]uint16{'a': 0o777, 'u': 0o700, 'g': 0o070, 'o': 0o007}[read(i)]
		}
		if who == 0 {
			who = 0o777
		}
		op := read(i)
		if strings.IndexByte("+-=", op) < 0 {
			return 0, "`" + string(rune(op)) + "': invalid symbolic mode operator"
		}
		for i++; strings.IndexByte("rwx", read(i)) >= 0; i++ {
			perm |= map[byte]uint16{'r': 0o444, 'w': 0o222, 'x': 0o111}[read(i)]
		}
		if c := read(i); c != 0 && c != ',' {
			return 0, "`" + string(rune(c)) + "': invalid symbolic mode character"
		}
		switch perm &= who; op {
		case '+':
			bits |= perm
		case '-':
			bits &^= perm
		default:
			bits = bits&^who | perm
		}
		if read(i) == 0 {
			return bits, ""
		}
	}
}

// umaskOfBash is bash's umask.
func (s *shell) umaskOfBash(args []string) int {
	flags, args := leadingFlags(args)
	symbolic := strings.Contains(flags, "S")
	if len(args) > 0 {
		digits := args[0] != "" && args[0][0] >= '0' && args[0][0] <= '9'
		n, err := strconv.ParseUint(args[0], 8, 16)
		switch {
		case digits && (err != nil || n > 0o1777):
			s.complain(args[0] + ": octal number out of range")
			return 1
		case digits:
			s.p.Umask = uint16(n) & 0o777
		default:
			mode, mistake := symbolicMode(args[0], ^s.p.Umask&0o777)
			if mistake != "" {
				s.complain(mistake)
				return 1
			}
			s.p.Umask = ^mode & 0o777
		}
		if !symbolic {
			return 0
		}
	}
	text := fmt.Sprintf("%04o", s.p.Umask)
	if symbolic {
		text = s.symbolicUmask()
	}
	switch {
	case strings.Contains(flags, "p") && symbolic && len(args) == 0:
		text = "umask -S " + text
	case strings.Contains(flags, "p") && len(args) == 0:
		text = "umask " + text
	}
	s.print(1, text+"\n")
	return 0
}

func builtinLet(s *shell, args []string) int {
	if len(args) < 2 {
		s.complain("expression expected")
		if s.kind == ash {
			return statusUsage
		}
		return 1
	}
	var n int64
	for _, text := range args[1:] {
		var err error
		if n, err = s.evaluate(text); err != nil {
			if s.kind == ash {
				s.complain(err.Error())
				return statusUsage
			}
			s.failing("", err)
			return s.status
		}
	}
	return int(1 - truth(n != 0))
}
