package entrypoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
)

// System is everything of the world that the launcher touches. All fields without a default are required.
type System struct {
	Files     Files
	Watcher   Watcher
	Processes Processes
	Clock     Clock

	// Env is the container's environment, as "key=value". The command receives all of it.
	Env []string
	// Platform is this machine as os/arch or os/arch/variant, for example linux/arm64/v8.
	Platform string
	// Stdout and Stderr are the launcher's own streams: the container's log.
	Stdout, Stderr io.Writer
	// Paths are the fixed places of the Pod; empty fields have the defaults of [DefaultPaths].
	Paths Paths
	// Grace is the time between SIGTERM and SIGKILL for a command that ran out of time; default [DefaultGrace].
	Grace time.Duration
}

// DefaultGrace is how long a timed-out command may take to end after SIGTERM.
const DefaultGrace = 5 * time.Second

// Paths are the places that the launcher knows without being told by an argument.
type Paths struct {
	// Steps holds one link per step, by name and by index, to that step's status directory below Run.
	Steps string
	Run   string
	// Results holds one file per result.
	Results string
	// Creds receives the credential files made from the secrets mounted below CredsSecrets.
	Creds, CredsSecrets string
	// Workspace is where relative working directories start.
	Workspace string
	// Home is the user's home directory; default $HOME, or no home at all.
	Home string
}

// DefaultPaths is the layout of a step's container.
func DefaultPaths() Paths {
	return Paths{
		Steps:        "/tekton/steps",
		Run:          "/tekton/run",
		Results:      "/tekton/results",
		Creds:        "/tekton/creds",
		CredsSecrets: "/tekton/creds-secrets",
		Workspace:    "/workspace",
	}
}

// Files is the container's file system. Paths are absolute, or relative to the container's working directory. Errors
// satisfy errors.Is for the sentinels of io/fs (fs.ErrNotExist and so on) and name the path.
type Files interface {
	FileReader
	FileWriter
	Links
}

// FileReader looks at files. Stat, ReadFile and ReadDir follow symbolic links; Lstat does not.
type FileReader interface {
	Stat(path string) (fs.FileInfo, error)
	Lstat(path string) (fs.FileInfo, error)
	ReadDir(path string) ([]fs.DirEntry, error) // sorted by name
	ReadFile(path string) ([]byte, error)
	// ReadBeneath reads the regular file called name in dir. It follows no link that leaves dir, blocks on no pipe or
	// device ([ErrNotRegular]), and reports a file longer than limit bytes ([ErrTooLong]). The package's function
	// of the same name does this over any FileReader and Links whose file system does not change meanwhile.
	ReadBeneath(dir, name string, limit int64) ([]byte, error)
}

// FileWriter changes files.
type FileWriter interface {
	// WriteFile replaces the content of the file at path in place, which works on a file that is a mount point. A new
	// file is created with exactly perm; an existing one keeps its mode. A link at path is not followed.
	WriteFile(path string, data []byte, perm fs.FileMode) error
	// WriteFileAtomic puts a new file with exactly perm (no umask) at path, such that a reader sees the old file or the
	// whole new one. A link at path is replaced, not followed.
	WriteFileAtomic(path string, data []byte, perm fs.FileMode) error
	// OpenAppend opens path for appending and creates it with perm, less the umask, if need be. It follows no link that
	// leaves the path's directory, and does not wait for a reader of a pipe. See [ResolveBeneath].
	OpenAppend(path string, perm fs.FileMode) (io.WriteCloser, error)
	// MkdirAll creates path and its parents as far as they are missing, with perm less the umask.
	MkdirAll(path string, perm fs.FileMode) error
}

// Links makes and reads symbolic links.
type Links interface {
	Symlink(target, link string) error
	Readlink(path string) (string, error)
}

// Why a file is not read: ErrTooLong, it is longer than its reader allows; ErrNotRegular, it is a directory or a device.
var (
	ErrTooLong    = errors.New("file too long")
	ErrNotRegular = errors.New("not a regular file")
)

// Watcher waits for changes of files and for signals.
type Watcher interface {
	// Watch subscribes to changes of the given paths. Changes made after it returns are not lost: subscribe first,
	// look, and only then wait. The paths, and directories on the way to them, need not exist yet; links on the way
	// may be exchanged. Without paths, only signals end a wait.
	Watch(paths ...string) (Subscription, error)
}

// Subscription is a pending interest in some paths.
type Subscription interface {
	// Wait blocks until something under the subscribed paths may have changed (it may return without cause), and then
	// returns nil. It returns [ErrDeadline] when a deadline that is not zero has come, and an [*Interrupted] when the
	// launcher received SIGTERM, SIGINT, SIGQUIT or SIGHUP while none of its processes was running.
	Wait(deadline time.Time) error
	Close() error
}

// ErrDeadline ends a wait whose deadline has come.
var ErrDeadline = errors.New("deadline exceeded")

// Interrupted ends a wait because of a signal to the launcher.
type Interrupted struct{ Signal Signal }

func (e *Interrupted) Error() string { return fmt.Sprintf("interrupted by signal %d", int(e.Signal)) }

// Signal is a signal by its Linux number.
type Signal int

// The signals that the launcher itself sends or acts upon.
const (
	SIGHUP  Signal = 1
	SIGINT  Signal = 2
	SIGQUIT Signal = 3
	SIGKILL Signal = 9
	SIGTERM Signal = 15
)

// Processes starts the step's command.
type Processes interface {
	// Start runs a command as the leader of a new process group, with standard input at its end (EP-45). Until Wait has
	// reported its end, every signal that the launcher receives, except SIGCHLD, goes to the whole group (EP-44). An
	// error means that the command did not run.
	Start(Command) (Process, error)
}

// Command is a program to start.
type Command struct {
	// Path is the program; without a slash it is looked up in the PATH of Env.
	Path string
	Args []string // without the program's name
	Env  []string
	// Stdout and Stderr receive the command's output; nil is the launcher's own stream, handed on as it is.
	Stdout, Stderr io.Writer
	// Hermetic asks for namespaces without a network (EP-47).
	Hermetic bool
}

// Process is a started command.
type Process interface {
	// Wait blocks until the command has ended and its output is written, or returns [ErrDeadline] when a deadline that
	// is not zero has come. It may be called again after ErrDeadline.
	Wait(deadline time.Time) (Exit, error)
	// SignalGroup sends a signal to every process of the command's group. A group that is gone is not an error.
	SignalGroup(Signal) error
}

// Exit is how a command ended: by itself with Code, or by Signal if that is not zero.
type Exit struct {
	Code   int
	Signal Signal
}

// code is the exit code by the convention of shells.
func (e Exit) code() int {
	if e.Signal != 0 {
		return exitSignalBase + int(e.Signal)
	}
	return e.Code
}

// Clock tells the time.
type Clock interface {
	Now() time.Time
}

func (s System) withDefaults() System {
	fixed := DefaultPaths()
	for _, p := range []struct {
		path *string
		is   string
	}{
		{&s.Paths.Steps, fixed.Steps},
		{&s.Paths.Run, fixed.Run},
		{&s.Paths.Results, fixed.Results},
		{&s.Paths.Creds, fixed.Creds},
		{&s.Paths.CredsSecrets, fixed.CredsSecrets},
		{&s.Paths.Workspace, fixed.Workspace},
		{&s.Paths.Home, s.getenv("HOME")},
	} {
		if *p.path == "" {
			*p.path = p.is
		}
	}
	if s.Grace == 0 {
		s.Grace = DefaultGrace
	}
	return s
}

// getenv is the last value of an environment variable, or empty.
func (s System) getenv(key string) string {
	value, _ := s.lookupEnv(key)
	return value
}

func (s System) lookupEnv(key string) (value string, found bool) {
	for _, entry := range s.Env {
		if k, v, ok := strings.Cut(entry, "="); ok && k == key {
			value, found = v, true
		}
	}
	return value, found
}
