package container

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/image"
)

// maxInterpreters is how many scripts may interpret one another.
const maxInterpreters = 4

// formatError says that a file is there and executable and yet cannot be executed: its interpreter is missing, or it
// is not a program. A runtime meets it too late to refuse the start.
type formatError struct {
	path   string
	reason syscall.Errno
	asked  []string // the command line of the interpreter that is missing
}

func (e *formatError) Error() string { return "exec " + e.path + ": " + e.reason.Error() }

func (e *formatError) Unwrap() error { return e.reason }

// NotFoundError says that a command is not in PATH.
type NotFoundError struct{ Name string }

func (e *NotFoundError) Error() string {
	return "exec: " + strconv.Quote(e.Name) + ": executable file not found in $PATH"
}

func (e *NotFoundError) Unwrap() error { return syscall.ENOENT }

// LookPath finds a command in PATH; a name with a slash is only checked. A command that only a mock stands in for seems to
// be there. The error is a *NotFoundError, or for a path the reason why it cannot be executed.
func (p *Process) LookPath(name string) (string, error) {
	found, err := p.lookPath(name, p.searched())
	return p.orMocked(name, found, err)
}

// searched is the PATH of the process.
func (p *Process) searched() string {
	if path, ok := lookup(p.Env, "PATH"); ok {
		return path
	}
	return defaultPath[len("PATH="):]
}

// orMocked is the result of a search, or where a mock of that name seems to be.
func (p *Process) orMocked(name, found string, err error) (string, error) {
	var missing *NotFoundError
	if errors.As(err, &missing) && name != "" {
		if mocked, ok := p.c.cfg.Mocks.path(name, p.c.cfg.Image); ok {
			return mocked, nil
		}
	}
	return found, err
}

func (p *Process) lookPath(name, path string) (string, error) {
	if strings.Contains(name, "/") {
		return name, p.Executable(name)
	}
	if name == "" {
		return "", &NotFoundError{name}
	}
	return p.searchPath(name, path)
}

// SearchPath finds a command in the directories of a PATH. A command that only a mock stands in for seems to be there.
func (p *Process) SearchPath(name, path string) (string, error) {
	found, err := p.searchPath(name, path)
	return p.orMocked(name, found, err)
}

func (p *Process) searchPath(name, path string) (string, error) {
	var denied error
	for {
		dir, rest, more := strings.Cut(path, ":")
		candidate := name
		if dir != "" {
			candidate = dir + "/" + name
		}
		if !p.Exists(candidate) {
			// on to the next
		} else if err := p.Executable(candidate); err == nil {
			return candidate, nil
		} else if files.Errno(err) == syscall.EACCES {
			if info, serr := p.Stat(candidate); serr == nil && !info.IsDir() {
				denied = err
			}
		}
		if !more {
			break
		}
		path = rest
	}
	if denied != nil {
		return "", denied
	}
	return "", &NotFoundError{name}
}

// executable is what a command line runs.
type executable struct {
	// name is the file.
	name string
	run  Program
	// args are what the program gets.
	args []string
	// launcher says that it only starts the container's command.
	launcher bool
	// env says that it is env, which starts what stands behind it.
	env bool
	// unknown says that the image has it and the simulation does not.
	unknown bool
}

// find finds what a command line runs: a mock, or the executable that its first word names, in the directories of a PATH.
// own says that the container itself runs it.
func (p *Process) find(argv []string, path string, own bool) (executable, error) {
	return p.findFile(argv[0], argv, path, own)
}

// findFile is find with a file that need not be what the first argument says.
func (p *Process) findFile(file string, argv []string, path string, own bool) (executable, error) {
	name, missing := p.lookPath(file, path)
	program := ""
	if missing == nil {
		if program = p.program(name); slices.Contains(p.c.cfg.Launchers, program) {
			return p.resolve(name, argv)
		}
	}
	call := Call{Image: p.c.cfg.Image, Argv: argv, Own: own, Found: missing == nil && program != image.UnknownProgram}
	if run := p.c.cfg.Mocks.program(call); run != nil {
		return executable{name: argv[0], run: run, args: argv}, nil
	}
	found, err := executable{name: name}, missing
	if err == nil {
		found, err = p.resolve(name, argv)
	}
	if err != nil {
		if stub := p.absent(call, err); stub != nil {
			return executable{name: argv[0], run: stub, args: argv}, nil
		}
		return found, err
	}
	found.launcher = found.launcher || own && found.env
	if found.unknown {
		m := MissingCommand{Args: found.args, Present: true}
		if found.args[0] == image.UnknownEntrypoint {
			m = MissingCommand{Args: found.args[1:], Entrypoint: true}
		} else if len(found.args) > len(argv) {
			m.Script, call = name, p.interprets(found.args)
		}
		if stub := p.c.without(m, call); stub != nil {
			found.run = stub
		}
	}
	return found, nil
}

// program returns the program that an executable file runs, or nothing.
func (p *Process) program(name string) string {
	content, err := p.ExecContent(name)
	if err != nil {
		return ""
	}
	program, _ := image.ProgramOf(content)
	return program
}

// resolve finds what an executable file runs, through "#!" lines.
func (p *Process) resolve(name string, argv []string) (executable, error) {
	found := executable{name: name, args: argv}
	for depth, file := 0, name; ; depth++ {
		content, err := p.ExecContent(file)
		if err != nil {
			if depth == 0 {
				return found, err
			}
			failed := &formatError{path: name, reason: files.Errno(err)}
			if failed.reason == syscall.ENOENT || failed.reason == syscall.ENOTDIR {
				failed.asked = found.args
			}
			return found, failed
		}
		if program, ok := image.ProgramOf(content); ok {
			if program == image.UnknownProgram {
				found.run, found.unknown = notSimulated, true
			} else {
				found.run, found.launcher = p.c.cfg.Programs[program], slices.Contains(p.c.cfg.Launchers, program)
				found.env = program == "env" || program == image.GNU("env")
			}
			if found.run == nil {
				return found, &formatError{path: name, reason: syscall.ENOEXEC}
			}
			return found, nil
		}
		interpreter, arg, errno := shebang(content)
		if errno == 0 && depth >= maxInterpreters {
			errno = syscall.ELOOP
		}
		if errno != 0 {
			return found, &formatError{path: name, reason: errno}
		}
		words := []string{interpreter}
		if arg != "" {
			words = append(words, arg)
		}
		found.args = append(append(words, file), found.args[1:]...)
		file = interpreter
		if run := p.c.cfg.Mocks.program(p.interprets(found.args)); run != nil {
			found.run = run
			return found, nil
		}
	}
}

// interprets is the call of an interpreter, which no manifest writes out.
func (p *Process) interprets(argv []string) Call {
	return Call{Image: p.c.cfg.Image, Argv: argv, Found: p.Exists(argv[0])}
}

// shebang takes the first line of a script apart.
func shebang(content []byte) (interpreter, arg string, errno syscall.Errno) {
	if len(content) < 2 || content[0] != '#' || content[1] != '!' {
		return "", "", syscall.ENOEXEC
	}
	line, _, _ := strings.Cut(string(content[2:min(len(content), 256)]), "\n")
	interpreter = strings.Trim(line, " \t")
	if i := strings.IndexAny(interpreter, " \t"); i >= 0 {
		interpreter, arg = interpreter[:i], strings.TrimLeft(interpreter[i:], " \t")
	}
	if interpreter == "" {
		return "", "", syscall.ENOEXEC
	}
	return interpreter, arg, 0
}

// startReason is how the runtime says why a command cannot be started.
func startReason(name string, err error) string {
	quoted := strconv.Quote(name)
	var missing *NotFoundError
	if errors.As(err, &missing) {
		return quoted + ": executable file not found in $PATH"
	}
	switch errno := files.Errno(err); errno {
	case syscall.ENOENT, syscall.ENOTDIR:
		return quoted + ": stat " + name + ": " + errno.Error()
	default:
		return quoted + ": " + errno.Error()
	}
}
