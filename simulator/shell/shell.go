// Package shell interprets shell scripts inside simulated containers: as BusyBox ash, dash and bash do.
//
// Scripts are parsed by package syntax; expansion and execution are done here, over a [container.Process]: each stage of
// a pipeline, each background job, each substitution is a process of the container, with its pipes, descriptors and
// signals.
//
// An [Interpreter] keeps the scripts it has parsed, so that a script that runs in a thousand containers is parsed once; a
// [Library] keeps them for the interpreters of many kernels.
//
// Not supported: job control (fg, bg, and process groups for background jobs), history, line editing. Ash and
// dash read a script that comes by standard input as a whole before it runs. A subshell that outlives its parent works; stopped jobs do not exist.
package shell

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Interpreter runs shells and remembers parsed scripts. It belongs to one kernel: it is not safe for concurrent use.
type Interpreter struct {
	own    scripts
	shared *Library // may be nil
	eras   uint64
}

// New returns an interpreter that has seen no script yet.
func New() *Interpreter { return NewWith(nil) }

// NewWith returns an interpreter that shares scripts with others.
func NewWith(l *Library) *Interpreter { return &Interpreter{own: newScripts(), shared: l} }

// The names of the shells as programs, for images to place.
const (
	// Ash is BusyBox's shell, as busybox and alpine have it as /bin/sh.
	Ash = "ash"
	// Dash is the /bin/sh of Debian and Ubuntu and of the images that are built on them.
	Dash = "dash"
	// Bash is bash.
	Bash = "bash"
	// BashAsSh is bash under the name sh, the /bin/sh of Red Hat's images: in POSIX mode.
	BashAsSh = "bash-as-sh"
)

// Programs returns the shells by the names that images use. "sh" is ash by its other name.
func (i *Interpreter) Programs() map[string]container.Program {
	return map[string]container.Program{
		"sh":     func(p *container.Process) int { return i.main(p, ash, false) },
		Ash:      func(p *container.Process) int { return i.main(p, ash, false) },
		Dash:     func(p *container.Process) int { return i.main(p, dash, false) },
		Bash:     func(p *container.Process) int { return i.main(p, bash, false) },
		BashAsSh: func(p *container.Process) int { return i.main(p, bash, true) },
	}
}

// dialect is a kind of shell.
type dialect = syntax.Dialect

const (
	ash  = syntax.Ash
	dash = syntax.Dash
	bash = syntax.Bash
)

// flow says how the execution goes on after a command.
type flow uint8

const (
	goOn flow = iota
	breaking
	continuing
	returning
	discarding // bash gives up the line at an error of an expansion
	exiting
)

// ending says what bash leaves before the EXIT trap runs.
type ending uint8

const (
	unwound   ending = iota // all functions: a mistake ends the shell
	inPlace                 // nothing: exit does
	localless               // the variables of functions: set -e does
	popped                  // these, and the innermost function: set -e does inside of eval and source, with a complaint
)

// function is a function as it was defined.
type function struct {
	*syntax.Func
	base     int // what its lines are counted from
	source   string
	exported bool
	readonly bool
}

// frame is a function or sourced file at work.
type frame struct {
	name   string
	source string // where the caller is
	line   int    // of the call
}

// shell is one shell: a process, or a forked part of one.
type shell struct {
	in *Interpreter
	p  *container.Process

	name      string // $0, as messages show it
	command   string // the running built-in, for messages
	line      int
	base      int    // the number of the line before the text at work
	source    string // the file that the text at work is from, for bash
	frames    []frame
	running   *syntax.Stmt // for BASH_COMMAND
	heading   string       // of a loop or case, in its place
	own       *syntax.Call // the one command that this child of bash is there for
	args      []string
	vars      map[string]variable
	scopes    []map[string]saved
	temporary map[string]saved // what the assignments before a built-in hide, which listings of bash do not show
	nextOrder int
	layer     int      // how many functions, and commands with assignments, are around
	env       []string // cached environment of children
	functions map[string]*function

	era  uint64 // arrays of another era are copied before they are changed
	held int64  // bytes of variables not yet accounted for

	traps     map[string]string // by signal name
	inherited map[string]string // of the parent, to be listed
	caught    []container.Signal

	status       int               // $?
	pid          int               // $$
	programs     map[string]hashed // that are remembered
	aliases      map[string]string
	aliasOrder   []string          // the oldest first
	disabled     map[string]bool   // built-ins
	lastArg      string            // $_
	asked        map[string]string // computed variables that were asked for; see [shell.remember]
	jobs         []*job
	unlisted     []unlisted     // of bash
	substitution *syntax.Script // of bash, which does not show it for set -v
	last         *syntax.Call   // that bash executes in place of the shell, and says so in SHLVL
	unfinished   *endedFunction // by set -e
	outerArgs    []string       // the positional parameters outside of functions
	tolerant     int            // > 0: a failing command does not end the shell
	started      time.Time
	random       *uint64
	pipestatus   []int
	opened       []int              // of process substitutions, until the command ends
	timing       *[]savedDescriptor // what is undone when bash's time, which the shell ends in, has printed
	optIndex     int                // inside a group of options, for getopts of bash
	nextOptions  optionPlace
	dirs         []string
	fieldsHeld   int64                  // bytes of fields that commands at work have
	argsHeld     int64                  // bytes of positional parameters that set has made
	unwritten    error                  // why the output of a built-in was not written
	arrayArgs    map[int]*syntax.Assign // arguments of a declaring command that are assignments to arrays

	depth    int32 // of what is nested in what; see [shell.deeper]
	loops    int32
	calls    int32
	lastJob  int32 // $!
	input    int32 // where the script comes from bit by bit, or -1
	levels   int32 // of break and continue
	lists    int32 // lists of several commands, with ; or && between them, that are being executed
	evals    int16 // eval and source inside of functions
	sourcing int16
	moves    int32 // how often cd has changed the directory
	around   int32 // the line that bash is at between simple commands; see [shell.redirectionLine]
	// tolerantText is what tolerant was where the text at work began; stageDepth is where the one command of a child runs.
	tolerantText, stageDepth int32
	substatus                int32  // of the last command substitution
	traceFD                  int16  // where the trace goes, if not to standard error
	deathFD                  int16  // where it is told that a child was killed, if not there
	arrayShift               int32  // words before the name of that command
	traced                   int16  // how deep in substitutions and evals, for the trace
	subshells                int16  // BASH_SUBSHELL
	evaluating               int32  // variables that name each other in an expression
	deaf                     uint32 // the signals that were ignored when the shell began, and stay so
	options                  options
	// Each fork copies the shell, so what is small is together.
	kind      dialect
	tries     uint8 // of patterns, that are not yet accounted for
	isScript  bool  // messages have line numbers
	isCommand bool  // the script is the argument of -c
	// Whether a fork has the same map, so that it has to be copied before it is changed.
	varsShared, functionsShared bool
	inTrap                      bool
	within                      uint8 // the traps for DEBUG, ERR and RETURN that are at work, and that for EXIT
	preceding                   uint8 // $? before the last return, which bash's RETURN trap sees
	prior                       int16 // $? where the trap began whose commands run, plus one: exit without an argument gives it
	trapped                     bool  // a subshell has set a trap of its own
	hadTraps                    bool  // the shell has set a trap since it began
	interrupted                 bool  // SIGINT ends the shell
	mistaken                    bool  // a mistake in an expansion has ended the command, or the shell
	lost                        bool  // bash has met the end of a text inside of quotes; see [syntax.Options]
	stuck                       bool  // bash has met a mistake inside of [[ ]]; see [syntax.Options]
	reverses                    bool  // the shell is a group of bash with one command and ! before it
	raised                      bool  // the shell ends because a built-in has found no file to read, or a mistake in what it has read
	commanded                   bool  // bash has run a program by command, and since takes the errors of built-ins for those of command
	misused                     bool  // a built-in was given options that it does not have, or fails in another way that is no answer
	misassigned                 bool  // an assignment of a declaring built-in has failed
	solo                        bool  // it is a stage of a pipeline or a job
	announced                   bool  // the parent of this shell has run the DEBUG trap for its own command
	refused                     bool  // the redirections of a compound command have failed in bash
	fatal                       bool  // the command has failed so that bash in POSIX mode ends where no failure is expected
	plain                       bool  // the last return had no argument
	left                        bool  // return has ended the shell, not a function
	substituted                 bool
	fed                         bool // the standard input is a pipe or a file of the script, which jobs of bash keep
	// Whether $_ is still the one that the environment had.
	lastArgExported bool
	isStage         bool // the shell is there for one command, of a pipeline or in the background
	inSubstitution  bool // the shell is the child of a command substitution, and none of its own
	flow            flow
	ending          ending
	mortal          bool // signals end the shell after its EXIT trap
	argsSet         bool // set has set the positional parameters, outside of functions
	subshell        bool
	evaluated       bool // by eval or . that is the one command of a child
	inEval          bool // the shell executes what eval, . or a process substitution has read, and has begun that itself
	isJob           bool // the subshell was made by the main shell, for one simple command
}

// options are the flags of set.
type options struct {
	errexit, noglob, noexec, xtrace, verbose, noclobber, allexport, nounset, pipefail                           bool
	ignoreeof, monitor, notify, errtrace, vi, functrace, posix                                                  bool
	nullglob, dotglob, extglob, globskipdots, globstar, nocaseglob, nocasematch, lastpipe, inheritErr, failglob bool
	xpgEcho, shiftVerbose, aliases                                                                              bool
	// Those of bash that are known and change nothing, or little.
	braceexpand, hashall, histexpand, history, comments, emacs, keyword, nolog, onecmd, physical, privileged bool
	others                                                                                                   [57]bool // of shopt, by their place in its list
	interactive, stdin, debug                                                                                bool     // of dash
	listed                                                                                                   [3]bool  // see [options.posixChanges]
}

// main is the program of a shell.
func (i *Interpreter) main(p *container.Process, kind dialect, posix bool) int {
	s := &shell{in: i, p: p, kind: kind, name: p.Args[0], pid: p.PID(), input: -1, nextOptions: firstOption, vars: make(map[string]variable, len(p.Env)+8), started: p.Now()}
	var inherited []string
	for _, kv := range p.Env {
		if kind == bash && strings.HasPrefix(kv, functionPrefix) {
			inherited = append(inherited, kv)
			continue
		}
		if key, value, ok := strings.Cut(kv, "="); ok && syntax.IsName(key) {
			if kind == bash && key == "_" {
				s.lastArg, s.lastArgExported = value, true
				continue
			}
			s.nextOrder++
			s.vars[key] = variable{value: value, entry: kv, set: true, exported: true, order: s.nextOrder}
		}
	}
	_, given := s.vars[posixVariable]
	_, pedantic := s.vars["POSIX_PEDANTIC"]
	if s.options.posix = posix || kind == bash && (given || pedantic); s.options.posix && !given {
		s.nextOrder++
		s.vars[posixVariable] = variable{value: "y", set: true, order: s.nextOrder}
	}
	for sig := container.Signal(1); sig < 32; sig++ {
		if p.Ignores(sig) {
			s.deaf |= 1 << sig
		}
	}
	if kind != dash {
		s.untrap(container.SIGQUIT)
	}
	if kind != bash {
		s.untrap(container.SIGINT)
	}
	s.prepare()
	s.inheritFunctions(inherited)
	read := s.arguments
	if kind == bash {
		read = s.argumentsOfBash
	}
	text, code, ok := read(p.Args[1:])
	if !ok {
		return code
	}
	s.options.listed = s.options.posixChanges()
	if s.input >= 0 {
		s.runInput()
		return s.leave()
	}
	// Ash looks for the end of the text right behind a command, not behind the newline. Dash does not find it at all.
	s.run(text, s.isCommand && (kind == bash || kind == ash && !strings.HasSuffix(text, "\n")))
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
	switch s.kind {
	case bash:
		s.prepareBash()
	case ash:
		s.prepareAsh()
	default:
		s.prepareDash()
	}
}

// prepareAsh and prepareDash set the variables that these shells have besides.
func (s *shell) prepareAsh() {
	s.setValue("PS1", `\w \$ `)
	s.setValue("PS2", "> ")
	s.setValue("FUNCNAME", "")
	level, _ := strconv.Atoi(s.value("SHLVL"))
	s.export("SHLVL", strconv.Itoa(level+1))
	s.export("PWD", s.value("PWD"))
}

func (s *shell) prepareDash() {
	prompt := "$ "
	if s.p.UID == 0 {
		prompt = "# "
	}
	s.setValue("PS1", prompt)
	s.setValue("PS2", "> ")
	s.export("PWD", s.value("PWD"))
}

// export sets a variable that children see.
func (s *shell) export(name, value string) {
	s.nextOrder++
	s.put(name, variable{value: value, set: true, exported: true, order: s.nextOrder})
	s.env = nil
}

// prepareBash sets the variables that bash has besides.
func (s *shell) prepareBash() {
	uid := strconv.FormatUint(uint64(s.p.UID), 10)
	for _, kv := range [][2]string{{"BASH", "/bin/bash"}, {"BASH_VERSION", bashVersion}, {"UID", uid}, {"EUID", uid}, {"HOSTTYPE", "x86_64"},
		{"OSTYPE", "linux-gnu"}, {"MACHTYPE", "x86_64-pc-linux-gnu"}, {"HOSTNAME", s.p.Container().Hostname()}, {"OPTERR", "1"}} {
		if _, ok := s.vars[kv[0]]; !ok || kv[0] != "HOSTNAME" {
			s.setValue(kv[0], kv[1])
		}
	}
	for _, name := range []string{"UID", "EUID", "PPID", "OPTIND"} {
		v := s.vars[name]
		v.readonly, v.integer = name != "OPTIND", true
		s.put(name, v)
	}
	s.prepareFurther()
	versions := newList()
	for i, text := range []string{"5", "2", "15", "1", "release", "x86_64-pc-linux-gnu"} {
		versions.set(i, text)
	}
	s.put("BASH_VERSINFO", variable{list: versions, set: true, readonly: true, order: 1})
	level, _ := strconv.Atoi(s.value("SHLVL"))
	s.export("SHLVL", strconv.Itoa(level+1))
	v := s.vars["PWD"]
	v.exported = true
	s.put("PWD", v)
	if _, ok := s.vars["OLDPWD"]; !ok {
		s.nextOrder++
		s.put("OLDPWD", variable{exported: true, order: s.nextOrder})
	}
	s.env = nil
}

// prepareFurther sets the variables of bash that scripts hardly ask for, and its options.
func (s *shell) prepareFurther() {
	s.options.braceexpand, s.options.hashall = true, true
	for _, o := range s.shoptNames() {
		*o.state = slices.Contains(shoptDefaults, o.name)
	}
	if s.options.posix {
		s.posixOptions(true)
	}
	s.options.listed = s.options.posixChanges()
	login := "/bin/sh"
	if own, ok := s.p.Container().UserShell(s.p.UID); ok && own != "" {
		login = own
	}
	for _, kv := range [][2]string{{"SHELL", login}, {"TERM", "dumb"}, {"BASH_LOADABLES_PATH", loadables}} {
		if _, ok := s.vars[kv[0]]; !ok {
			s.setValue(kv[0], kv[1])
		}
	}
	for _, name := range []string{"BASH_ALIASES", "BASH_CMDS"} {
		s.put(name, variable{table: newTable(), set: true})
	}
	if !s.lastArgExported {
		s.lastArg = s.name
	}
}

// loadables is where bash looks for built-ins to load.
const loadables = "/usr/local/lib/bash:/usr/lib/bash:/opt/local/lib/bash:/usr/pkg/lib/bash:/opt/pkg/lib/bash:."

// bashVersion is the version of bash that is simulated.
const bashVersion = "5.2.15(1)-release"

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
	for len(args) > 0 && args[0] != "" && args[0] != "+" && (args[0][0] == '-' || args[0][0] == '+') {
		arg := args[0]
		args = args[1:]
		if arg == "--" || arg == "-" {
			break
		}
		if strings.HasPrefix(arg, "--") {
			switch arg {
			case "--login", "--norc", "--noprofile", "--posix":
				continue
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
					s.listFresh(arg[0] == '+')
					continue
				}
				if !s.option(args[0], arg[0] == '-') {
					s.print(2, s.name+": illegal option "+arg[:1]+"o "+args[0]+"\n")
					if s.kind == ash { // which ends without a status
						return "", 0, false
					}
					return "", 2, false
				}
				args = args[1:]
			default:
				if !s.flag(letter, arg[0] == '-') {
					s.print(2, s.name+": illegal option -"+string(letter)+"\n")
					return "", 2, false
				}
			}
		}
	}
	if len(args) > 0 && args[0] == "-" {
		args = args[1:]
	}
	switch {
	case isCommand:
		if len(args) == 0 {
			zero := ""
			if s.kind == dash {
				zero = "0: "
			}
			s.print(2, s.name+": "+zero+"-c requires an argument\n")
			return "", 2, false
		}
		s.isCommand = true
		if s.kind == ash { // counts the lines of -c from 0
			s.base = -1
		}
		text = args[0]
		if len(args) > 1 {
			s.name, s.args, s.command = args[1], args[2:], args[1]
		}
		return text, 0, true
	case len(args) > 0 && !stdin:
		file := args[0]
		data, err := s.scriptFile(&file)
		if err != nil {
			switch s.kind {
			case dash:
				s.print(2, s.name+": 0: cannot open "+file+": "+strings.Replace(files.Message(err), " or directory", "", 1)+"\n")
			default:
				s.print(2, fmt.Sprintf("%s: can't open '%s': %s\n", s.name, file, files.Message(err)))
			}
			return "", 2, false
		}
		s.name, s.args, s.isScript, s.command = file, args[1:], true, file
		return scriptText(data), 0, true
	}
	s.args, s.options.stdin = args, true
	data, err := kit.ReadAll(s.p, 0)
	if err != nil {
		return "", int(truth(s.kind == bash)), false
	}
	return scriptText(data), 0, true
}

// scriptFile reads a script; bash looks into PATH if there is no such file, and names the one that is there.
func (s *shell) scriptFile(name *string) ([]byte, error) {
	if info, err := s.p.Stat(*name); err == nil && s.kind == bash && info.Kind() != files.Regular && !info.IsDir() {
		return nil, s.openScript(*name)
	}
	data, err := s.readFile(*name)
	if err != nil && !strings.Contains(*name, "/") && s.kind == bash {
		if found, lerr := s.p.SearchPath(*name, s.value("PATH")); lerr == nil {
			*name = found
			return s.readFile(found)
		}
	}
	return data, err
}

// scriptText is a script as shells read it: without its zeros.
func scriptText(data []byte) string { return strings.ReplaceAll(string(data), "\x00", "") }

// isBinary says that a file is not a script: bash finds a zero in its first line, of which it looks at 80 bytes.
func isBinary(data []byte) bool {
	head, _, _ := bytes.Cut(data[:min(len(data), 80)], []byte("\n"))
	return bytes.IndexByte(head, 0) >= 0
}

// readFile reads a file to its end, or a pipe that has a name.
func (s *shell) readFile(name string) ([]byte, error) {
	if info, err := s.p.Stat(name); err == nil && info.Kind() == files.Regular {
		return s.p.ReadFile(name)
	}
	fd, err := s.p.OpenFile(name, files.Read, 0)
	if err != nil {
		return nil, err
	}
	defer s.p.Close(fd)
	if info, err := s.p.Stat(name); err == nil && info.IsDir() {
		return nil, syscall.EISDIR
	}
	return s.readAll(fd), nil
}

// run executes the text of a script. With tail, the last command may take the place of the shell.
func (s *shell) run(text string, tail bool) {
	s.deeper("scripts")
	sc := s.parse(text)
	s.lines(sc, tail)
	s.release(sc)
	s.shallower()
}

// lines executes a parsed script, line by line.
func (s *shell) lines(sc *syntax.Script, tail bool) {
	if err := s.readLines(sc, tail); err != nil {
		s.syntaxError(err)
	}
}

// readLines executes a parsed script and returns the syntax error that it meets. What could not be parsed before is
// parsed on the way.
func (s *shell) readLines(sc *syntax.Script, tail bool) *syntax.Error {
	base, around, tolerant := s.base, s.around, s.tolerantText
	defer func() { s.base, s.around, s.tolerantText = base, around, tolerant }()
	if sc != s.substitution {
		s.tolerantText = int32(s.tolerant)
	}
	rest, err := s.parsedLines(sc, tail)
	for rest != "" && err == nil {
		next := s.parse(rest)
		rest, err = s.parsedLines(next, tail)
		s.release(next)
	}
	if err != nil && s.base != base {
		moved := *err
		moved.Line += s.base - base
		err = &moved
	}
	return err
}

// readsScript reports whether the text at work is a script from a file or the standard input, and nothing that it evaluates.
func (s *shell) readsScript() bool {
	depth := int32(1)
	if s.input >= 0 {
		depth = 0
	}
	return s.depth == depth && !s.isCommand && !s.subshell && !s.inTrap
}

// parsedLines executes the lines of a script that can be taken as they have been parsed. It returns what has to be parsed
// after them, from the line behind s.base on.
func (s *shell) parsedLines(sc *syntax.Script, tail bool) (rest string, err *syntax.Error) {
	for i, line := range sc.Lines {
		if s.options.noexec {
			s.warnOfEnd(sc)
			return "", sc.Err
		}
		if s.readOtherwise(sc, i) {
			return s.from(sc, i), nil
		}
		s.echo(sc, i)
		if i == len(sc.Lines)-1 {
			s.warnOfEnd(sc)
		}
		last := tail && i == len(sc.Lines)-1 && sc.Err == nil && sc.Rest == ""
		if last && s.kind == bash && !s.subshell {
			s.last = lastCall(line, false)
		}
		if s.kind == bash {
			s.around = int32(sc.Ends[i] + s.base)
		}
		s.statements(line, last)
		if s.readsScript() {
			s.endSubstitutions()
		}
		if s.flow == discarding && !s.subshell {
			s.flow = goOn
			s.closeSubstitutions(0)
		}
		if s.flow == goOn && s.options.onecmd {
			s.flow = exiting
		}
		if s.flow != goOn {
			return "", nil
		}
	}
	if n := len(sc.Lines); sc.Err != nil && s.readOtherwise(sc, n) {
		return s.from(sc, n), nil
	}
	if sc.Rest == "" {
		s.echo(sc, len(sc.Lines))
	}
	if sc.Rest == "" || sc.Err != nil && s.inSubstitution {
		return "", sc.Err
	}
	if sc.Err != nil {
		if s.syntaxError(sc.Err); s.flow != goOn {
			return "", nil
		}
	}
	s.base += sc.RestLine - 1
	return sc.Rest, nil
}

// warnOfEnd warns that a script has ended inside of a here-document, as bash does.
func (s *shell) warnOfEnd(sc *syntax.Script) {
	if sc.Unended != nil && s.kind == bash {
		s.print(2, s.prefixOf("")+fmt.Sprintf("warning: here-document at line %d delimited by end-of-file (wanted `%s')\n", sc.Unended.Line+s.base, syntax.EndWord(sc.Unended)))
	}
}

// echo prints a line before it runs, for set -v in bash.
func (s *shell) echo(sc *syntax.Script, line int) {
	if !s.options.verbose || s.kind != bash || line >= len(sc.Starts) || sc == s.substitution {
		return
	}
	end := len(sc.Text) - len(sc.Rest)
	if line+1 < len(sc.Starts) {
		end = sc.Starts[line+1]
	}
	text := sc.Text[min(sc.Starts[line], end):end]
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	s.print(2, text)
}

// readOtherwise reports whether a line would be parsed in another way now than it was: extended patterns are not on or off
// as they were thought to be, a mistake in [[ ]] has been made or got over, or there are aliases.
func (s *shell) readOtherwise(sc *syntax.Script, line int) bool {
	switch {
	case len(sc.Starts) == 0 || sc.Literal:
		return false
	case s.kind == bash && (sc.Extglob[line] != s.options.extglob || sc.Stuck != s.stuck || s.lost):
		return true
	case s.kind == bash && sc.Posix != s.options.posix && strings.Contains(sc.Text, "'") && strings.Contains(sc.Text, "${"):
		return true
	}
	return !sc.Aliases && s.aliasesAtWork() != nil
}

// from returns the text of a script from a line on.
func (s *shell) from(sc *syntax.Script, line int) string {
	at := sc.Starts[line]
	s.base += strings.Count(sc.Text[:at], "\n")
	return sc.Text[at:]
}

// leave ends the shell: the EXIT trap, then the status.
func (s *shell) leave() int {
	s.runTraps()
	s.exitTrap()
	return s.status & 0xff
}

// exitTrap runs the EXIT trap. In bash it runs where the exit is, be it in a function.
func (s *shell) exitTrap() {
	action, ok := s.traps["EXIT"]
	if !ok || action == "" {
		return
	}
	delete(s.traps, "EXIT")
	status := s.status
	s.prior, s.within = int16(status&0xff)+1, s.within|withinExit
	s.flow, s.levels = goOn, 0
	switch s.base = 0; s.kind {
	case bash:
		s.line = 1
	case ash:
		s.base = s.line - 1
	}
	s.inTrap, s.left, s.ending, s.stuck, s.lost = true, false, unwound, false, false
	s.forgetTests()
	s.run(action, false)
	if s.flow != exiting && s.flow != returning || s.left || s.kind == bash && s.flow == exiting && s.ending == unwound {
		s.status = status
	}
	s.prior, s.within = 0, s.within&^withinExit
	if s.flow = goOn; s.calls > 0 {
		s.flow = exiting
	}
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

// passesOn reports whether the children of bash have a trap, too.
func (s *shell) passesOn(name string) bool {
	switch name {
	case "DEBUG", "RETURN":
		return s.options.functrace
	case "ERR":
		return s.options.errtrace && s.kind == bash
	}
	return false
}

// snapshot returns a copy of the shell. Variables and functions are shared until one of the two changes them.
func (s *shell) snapshot() *shell {
	s.varsShared, s.functionsShared = true, true
	s.newEra()
	c := *s
	s.newEra()
	c.scopes = make([]map[string]saved, len(s.scopes))
	for i, scope := range s.scopes {
		c.scopes[i] = maps.Clone(scope)
	}
	c.traps = nil
	for name, action := range s.traps {
		if action == "" || s.passesOn(name) { // ignored signals stay ignored
			if c.traps == nil {
				c.traps = map[string]string{}
			}
			c.traps[name] = action
		}
	}
	if c.within &= withinExit; c.within == 0 && c.kind == bash {
		c.prior = 0
	}
	if c.inherited = c.traps; c.kind == bash { // in ash and dash what is not ignored is gone
		c.inherited = maps.Clone(s.traps)
	}
	c.caught, c.jobs, c.unlisted, c.subshell, c.inTrap, c.lost = nil, nil, nil, true, false, false
	c.inSubstitution, c.last, c.isStage, c.isJob, c.mortal, c.mistaken, c.reverses, c.hadTraps = false, nil, false, false, false, false, false, false
	c.subshells++
	c.held, c.fieldsHeld, c.argsHeld, c.deathFD = 0, 0, 0, 0
	c.random, c.opened, c.timing, c.inEval = nil, nil, nil, false // the pipes of process substitutions stay open
	return &c
}

// newEra makes all arrays ones that are copied before they are changed.
func (s *shell) newEra() {
	s.in.eras++
	s.era = s.in.eras
}

// job is a background job.
type job struct {
	proc   *container.Process
	stmt   *syntax.Stmt
	number int
	pid    int
	status int
	signal container.Signal // that killed it
	done   bool
	waited bool // the script has waited for it
}

// print writes text. That it could not be written fails a built-in in the end.
func (s *shell) print(fd int, text string) {
	if _, err := s.p.Write(fd, []byte(text)); err != nil && fd == 1 {
		s.unwritten = err
	}
}
