// Package shell interprets shell scripts inside simulated containers: sh as busybox ash understands it, and bash.
//
// Scripts are parsed by mvdan.cc/sh/v3/syntax; expansion and execution are done here, over a [container.Process]: each
// stage of a pipeline, each background job, each substitution is a process of the container, with its pipes,
// descriptors and signals. (That module's own expansion and interpreter would reach the machine's users and goroutines,
// and evaluate defaults that are not needed.)
//
// An [Interpreter] keeps the scripts it has parsed, so that a script that runs in a thousand containers is parsed once.
//
// Not supported: aliases, job control (fg, bg, and process groups for background jobs), history, line editing,
// coprocesses. A subshell that outlives its parent works; stopped jobs do not exist.
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

// Interpreter runs shells and remembers parsed scripts. It belongs to one kernel: it is not safe for concurrent use.
type Interpreter struct {
	parsed map[cacheKey]*script
}

// New returns an interpreter that has seen no script yet.
func New() *Interpreter {
	return &Interpreter{parsed: map[cacheKey]*script{}}
}

// Programs returns the programs sh and bash.
func (i *Interpreter) Programs() map[string]container.Program {
	return map[string]container.Program{
		"sh":   func(p *container.Process) int { return i.main(p, ash) },
		"bash": func(p *container.Process) int { return i.main(p, bash) },
	}
}

// dialect is a kind of shell.
type dialect uint8

const (
	ash dialect = iota
	bash
)

// flow says how the execution goes on after a command.
type flow uint8

const (
	goOn flow = iota
	breaking
	continuing
	returning
	exiting
)

// shell is one shell: a process, or a forked part of one.
type shell struct {
	in   *Interpreter
	p    *container.Process
	kind dialect

	name      string // $0, as messages show it
	command   string // the running built-in, for messages
	isScript  bool   // messages have line numbers
	line      uint
	args      []string
	vars      map[string]variable
	scopes    []map[string]saved
	nextOrder int
	env       []string // cached environment of children
	functions map[string]*syntax.Stmt
	// Whether a fork has the same map, so that it has to be copied before it is changed.
	varsShared, functionsShared bool

	options   options
	traps     map[string]string // by signal name
	caught    []container.Signal
	inTrap    bool

	status      int // $?
	substatus   int // of the last command substitution
	substituted bool
	pid         int // $$
	lastJob     int // $!
	jobs        []*job
	flow        flow
	levels      int // of break and continue
	loops       int
	calls       int
	sourcing    int
	tolerant    int // > 0: a failing command does not end the shell
	started     time.Time
	random      *uint64
	pipestatus  []int
	subshell    bool
	depth       int
	optIndex    int // inside a group of options, for getopts
	logical     string
}

// options are the flags of set.
type options struct {
	errexit, noglob, noexec, xtrace, verbose, noclobber, allexport, nounset, pipefail             bool
	ignoreeof, monitor, notify, errtrace, vi, functrace                                           bool
	nullglob, dotglob, extglob, globstar, nocaseglob, nocasematch, lastpipe, inheritErr, failglob bool
}

// maxDepth bounds the nesting of functions, sources and substitutions.
const maxDepth = 250

// main is the program sh or bash.
func (i *Interpreter) main(p *container.Process, kind dialect) int {
	s := &shell{in: i, p: p, kind: kind, name: p.Args[0], pid: p.PID(), vars: make(map[string]variable, len(p.Env)+8), started: p.Now()}
	for _, kv := range p.Env {
		if key, value, ok := strings.Cut(kv, "="); ok && syntax.ValidName(key) {
			s.nextOrder++
			s.vars[key] = variable{value: value, entry: kv, set: true, exported: true, order: s.nextOrder}
		}
	}
	s.prepare()
	text, code, ok := s.arguments(p.Args[1:])
	if !ok {
		return code
	}
	s.run(text, len(p.Args) > 1 && !s.isScript)
	return s.leave()
}

// prepare sets the variables that every shell has.
func (s *shell) prepare() {
	s.setValue("IFS", " \t\n")
	if v, ok := s.vars["PWD"]; !ok || !s.isHere(v.value) {
		s.setValue("PWD", s.p.Dir)
	}
	s.setValue("PPID", strconv.Itoa(s.p.PPID()))
	s.setValue("OPTIND", "1")
	if _, ok := s.vars["PATH"]; !ok {
		s.setValue("PATH", "/sbin:/usr/sbin:/bin:/usr/bin")
	}
	s.setValue("PS4", "+ ")
	if s.kind == bash {
		s.setValue("BASH", "/bin/bash")
		s.setValue("BASH_VERSION", "5.2.15(1)-release")
		s.setValue("UID", strconv.FormatUint(uint64(s.p.UID), 10))
		s.setValue("EUID", strconv.FormatUint(uint64(s.p.UID), 10))
		s.setValue("HOSTTYPE", "x86_64")
		s.setValue("OSTYPE", "linux-gnu")
		s.options.extglob = true // as a pattern language it does no harm
	}
	s.logical = s.value("PWD")
}

// isHere reports whether an inherited PWD names the working directory.
func (s *shell) isHere(dir string) bool {
	if dir == s.p.Dir {
		return true
	}
	if !strings.HasPrefix(dir, "/") {
		return false
	}
	a, err := s.p.Stat(dir)
	if err != nil {
		return false
	}
	b, err := s.p.Stat(".")
	return err == nil && a.Same(b)
}

// arguments reads the shell's own arguments and returns the script.
func (s *shell) arguments(args []string) (text string, code int, ok bool) {
	isCommand, stdin := false, false
	for len(args) > 0 && len(args[0]) > 1 && (args[0][0] == '-' || args[0][0] == '+') {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			break
		}
		if strings.HasPrefix(arg, "--") {
			switch arg {
			case "--login", "--norc", "--noprofile", "--posix":
				continue
			case "--version":
				if s.kind == bash {
					s.print(1, "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n")
					return "", 0, false
				}
			}
			s.print(2, s.name+": "+arg+": invalid option\n")
			return "", 2, false
		}
		for _, letter := range arg[1:] {
			switch letter {
			case 'c':
				isCommand = true
			case 's':
				stdin = true
			case 'i', 'l', 'p':
			case 'o':
				if len(args) == 0 {
					s.print(2, s.name+": -o: option requires an argument\n")
					return "", 2, false
				}
				if !s.option(args[0], arg[0] == '-') {
					s.print(2, s.name+": illegal option -o "+args[0]+"\n")
					return "", 2, false
				}
				args = args[1:]
			case 'O':
				if len(args) > 0 {
					s.shopt(args[0], arg[0] == '-')
					args = args[1:]
				}
			default:
				if !s.flag(letter, arg[0] == '-') {
					s.print(2, s.name+": illegal option -"+string(letter)+"\n")
					return "", 2, false
				}
			}
		}
	}
	switch {
	case isCommand:
		if len(args) == 0 {
			s.print(2, s.name+": -c requires an argument\n")
			return "", 2, false
		}
		text = args[0]
		if len(args) > 1 {
			s.name, s.args, s.command = args[1], args[2:], args[1]
		}
		return text, 0, true
	case len(args) > 0 && !stdin:
		file := args[0]
		data, err := s.scriptFile(file)
		if err != nil {
			if s.kind == bash {
				s.print(2, s.name+": "+file+": "+files.Message(err)+"\n")
			} else {
				s.print(2, fmt.Sprintf("%s: can't open '%s': %s\n", s.name, file, files.Message(err)))
			}
			if s.kind == bash && files.Message(err) == "Is a directory" {
				return "", 126, false
			}
			if s.kind == ash {
				return "", 2, false
			}
			return "", 127, false
		}
		s.name, s.args, s.isScript, s.command = file, args[1:], true, file
		return string(data), 0, true
	}
	s.args = args
	data, err := utility.ReadAll(s.p, 0)
	if err != nil {
		return "", 1, false
	}
	return string(data), 0, true
}

// scriptFile reads a script; bash and ash look into PATH if there is no such file.
func (s *shell) scriptFile(name string) ([]byte, error) {
	data, err := s.p.ReadFile(name)
	if err != nil && !strings.Contains(name, "/") {
		if found, lerr := s.p.SearchPath(name, s.value("PATH")); lerr == nil {
			return s.p.ReadFile(found)
		}
	}
	return data, err
}

// run executes the text of a script. With tail, the last command may take the place of the shell.
func (s *shell) run(text string, tail bool) {
	sc := s.in.parse(text, s.kind)
	for i, st := range sc.stmts {
		if s.options.noexec {
			break
		}
		s.statement(st, tail && i == len(sc.stmts)-1 && sc.err == nil)
		if s.flow != goOn {
			return
		}
	}
	if sc.err != nil {
		s.syntaxError(sc.err)
	}
}

// leave ends the shell: the EXIT trap, then the status.
func (s *shell) leave() int {
	s.runTraps()
	if action, ok := s.traps["EXIT"]; ok && action != "" {
		delete(s.traps, "EXIT")
		status := s.status
		s.flow, s.levels = goOn, 0
		s.run(action, false)
		if s.flow != exiting {
			s.status = status
		}
	}
	return s.status
}

// fork starts a child process that runs body in a copy of the shell. The copy is taken at once, although the child
// runs later: what the parent changes in between is not the child's.
func (s *shell) fork(body func(c *shell) int) *container.Process {
	c := s.snapshot()
	return s.p.Fork(func(p *container.Process) int {
		c.p = p
		return body(c)
	})
}

// snapshot returns a copy of the shell. Variables and functions are shared until one of the two changes them.
func (s *shell) snapshot() *shell {
	s.varsShared, s.functionsShared = true, true
	c := *s
	c.scopes = make([]map[string]saved, len(s.scopes))
	for i := range c.scopes {
		c.scopes[i] = map[string]saved{}
	}
	c.traps = nil
	for name, action := range s.traps {
		if action == "" { // ignored signals stay ignored
			if c.traps == nil {
				c.traps = map[string]string{}
			}
			c.traps[name] = ""
		}
	}
	c.caught, c.jobs, c.subshell, c.inTrap, c.loops = nil, nil, true, false, 0
	c.random = nil
	return &c
}

// job is a background job.
type job struct {
	proc   *container.Process
	pid    int
	status int
	done   bool
}

func (s *shell) print(fd int, text string) { s.p.Write(fd, []byte(text)) }
