package container

import (
	"errors"
	"strconv"
	"strings"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/image"
)

// maxInterpreters is how many scripts may interpret one another.
const maxInterpreters = 4

// formatError says that a file is there and executable and yet cannot be executed: its interpreter is missing, or it
// is no program. A runtime meets it too late to refuse the start.
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

// LookPath finds a command in PATH; a name with a slash is only checked. The error is a *NotFoundError, or for a path
// the reason why it cannot be executed.
func (p *Process) LookPath(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, p.Executable(name)
	}
	if name == "" {
		return "", &NotFoundError{name}
	}
	path, ok := lookup(p.Env, "PATH")
	if !ok {
		path = defaultPath[len("PATH="):]
	}
	return p.SearchPath(name, path)
}

// SearchPath finds a command in the directories of a PATH.
func (p *Process) SearchPath(name, path string) (string, error) {
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

// find finds what a command line runs: a mock, or the executable that its first word names. The arguments are what the
// program gets.
func (p *Process) find(argv []string) (name string, run Program, args []string, err error) {
	if run = p.mock(argv); run != nil {
		return argv[0], run, argv, nil
	}
	if name, err = p.LookPath(argv[0]); err == nil {
		run, args, err = p.resolve(name, argv, 0)
	}
	if err != nil {
		if stub := p.absent(argv, err); stub != nil {
			return argv[0], stub, argv, nil
		}
	}
	return name, run, args, err
}

// resolve finds what an executable file runs, through "#!" lines. The arguments are what the program gets.
func (p *Process) resolve(name string, argv []string, depth int) (Program, []string, error) {
	content, err := p.ExecContent(name)
	if err != nil {
		if depth > 0 && files.Errno(err) == syscall.ENOENT {
			return nil, nil, &formatError{path: name, reason: syscall.ENOENT, asked: argv}
		}
		return nil, nil, err
	}
	if program, ok := image.ProgramOf(content); ok {
		run := p.c.cfg.Programs[program]
		if run == nil {
			return nil, nil, &formatError{path: name, reason: syscall.ENOEXEC}
		}
		return run, argv, nil
	}
	if len(content) < 2 || content[0] != '#' || content[1] != '!' {
		return nil, nil, &formatError{path: name, reason: syscall.ENOEXEC}
	}
	if depth >= maxInterpreters {
		return nil, nil, &formatError{path: name, reason: syscall.ELOOP}
	}
	line, _, _ := strings.Cut(string(content[2:min(len(content), 256)]), "\n")
	interpreter, arg := strings.Trim(line, " \t"), ""
	if i := strings.IndexAny(interpreter, " \t"); i >= 0 {
		interpreter, arg = interpreter[:i], strings.TrimLeft(interpreter[i:], " \t")
	}
	if interpreter == "" {
		return nil, nil, &formatError{path: name, reason: syscall.ENOEXEC}
	}
	next := make([]string, 0, len(argv)+2)
	next = append(next, interpreter)
	if arg != "" {
		next = append(next, arg)
	}
	next = append(next, name)
	if len(argv) > 1 {
		next = append(next, argv[1:]...)
	}
	run, final, err := p.resolve(interpreter, next, depth+1)
	if err != nil && depth == 0 {
		failed := &formatError{path: name, reason: files.Errno(err)}
		var inner *formatError
		if errors.As(err, &inner) {
			failed.asked = inner.asked
		}
		return nil, nil, failed
	}
	return run, final, err
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
