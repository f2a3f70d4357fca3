package reference

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/entrypoint"
	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
)

// Names of the programs that stand for our container binaries in the catalogue's images.
const (
	programEntrypoint        = "plumbline/entrypoint"
	programNop               = "plumbline/nop"
	programWorkingDirInit    = "plumbline/workingdirinit"
	programSidecarLogResults = "plumbline/sidecarlogresults"
)

// Programs are the container binaries as simulated containers run them: the launcher's own code, on a process of the
// simulation instead of an operating system.
func Programs() map[string]container.Program { return programsWithGrace(entrypoint.DefaultGrace) }

// programsWithGrace are the programs with another time between SIGTERM and SIGKILL.
func programsWithGrace(grace time.Duration) map[string]container.Program {
	return map[string]container.Program{
		programEntrypoint:        onProcess(entrypoint.Main, grace),
		programNop:               onProcess(entrypoint.Nop, grace),
		programWorkingDirInit:    onProcess(entrypoint.WorkingDirInit, grace),
		programSidecarLogResults: onProcess(entrypoint.SidecarLogResults, grace),
	}
}

func onProcess(main func(entrypoint.System, []string) int, grace time.Duration) container.Program {
	return func(p *container.Process) int {
		for s := container.SIGHUP; s <= container.SIGSYS; s++ {
			if forwarded(s) {
				p.Handle(s)
			}
		}
		w := &world{p: p}
		return launching(path.Base(p.Args[0]), func() int {
			return main(entrypoint.System{
				Files:     w,
				Watcher:   w,
				Processes: w,
				Clock:     p,
				Env:       p.Env,
				Platform:  p.Container().Platform(),
				Stdout:    p.Stdout(),
				Stderr:    p.Stderr(),
				Grace:     grace,
			}, p.Args[1:])
		})
	}
}

// launching runs a program of the reference's images. A panic that is no way for a process to end is the program's.
func launching(name string, run func() int) int {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case runtime.Error, error, string:
			panic(conformance.Crash("the program "+name, v, debug.Stack()))
		default:
			panic(v) // a process that ends or turns into another one
		}
	}()
	return run()
}

// forwarded reports whether the launcher takes the signal for its command: all that a process can catch and that are
// not about the process itself.
func forwarded(s container.Signal) bool {
	switch s {
	case container.SIGKILL, container.SIGSTOP, container.SIGCHLD, container.SIGPIPE, container.SIGURG:
		return false
	}
	return true
}

// world is a simulated process as the launcher wants its operating system.
type world struct {
	p *container.Process
	// temporaries numbers the files that WriteFileAtomic makes before it renames them.
	temporaries int
}

var (
	_ entrypoint.Files     = (*world)(nil)
	_ entrypoint.Watcher   = (*world)(nil)
	_ entrypoint.Processes = (*world)(nil)
	_ entrypoint.Clock     = (*container.Process)(nil)
)

func (w *world) Stat(name string) (fs.FileInfo, error)  { return info(w.p.Stat(name)) }
func (w *world) Lstat(name string) (fs.FileInfo, error) { return info(w.p.Lstat(name)) }

// info keeps a nil pointer from becoming an interface that is not nil.
func info(i *files.Info, err error) (fs.FileInfo, error) {
	if err != nil {
		return nil, err
	}
	return i, nil
}

func (w *world) ReadDir(name string) ([]fs.DirEntry, error) {
	infos, err := w.p.ReadDir(name)
	if err != nil {
		return nil, err
	}
	entries := make([]fs.DirEntry, len(infos))
	for i := range infos {
		entries[i] = infos[i]
	}
	return entries, nil
}

func (w *world) ReadFile(name string) ([]byte, error) { return w.p.ReadFile(name) }

func (w *world) ReadBeneath(dir, name string, limit int64) ([]byte, error) {
	return entrypoint.ReadBeneath(w, dir, name, limit)
}

func (w *world) WriteFile(name string, data []byte, perm fs.FileMode) error {
	old, err := w.p.Lstat(name)
	if err == nil && old.Mode()&fs.ModeSymlink != 0 {
		return &fs.PathError{Op: "open", Path: name, Err: syscall.ELOOP}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := w.p.WriteFile(name, data, files.UnixMode(perm)); err != nil {
		return err
	}
	if old != nil {
		return nil
	}
	return w.p.Chmod(name, files.UnixMode(perm))
}

func (w *world) WriteFileAtomic(name string, data []byte, perm fs.FileMode) error {
	w.temporaries++
	temporary := path.Join(path.Dir(name), "."+path.Base(name)+"."+strconv.Itoa(w.p.PID())+"-"+strconv.Itoa(w.temporaries))
	if err := w.p.WriteFile(temporary, data, files.UnixMode(perm)); err != nil {
		return err
	}
	err := w.p.Chmod(temporary, files.UnixMode(perm))
	if err == nil {
		err = w.p.Rename(temporary, name)
	}
	if err != nil {
		return errors.Join(err, w.p.Remove(temporary))
	}
	return nil
}

func (w *world) OpenAppend(name string, perm fs.FileMode) (io.WriteCloser, error) {
	name, err := entrypoint.ResolveBeneath(w, path.Dir(name), path.Base(name))
	if err != nil {
		return nil, err
	}
	h, err := w.p.Open(name, files.Write|files.Create|files.Append, files.UnixMode(perm))
	if err != nil {
		return nil, err
	}
	return handle{h}, nil
}

// handle closes by forgetting: a simulated handle holds nothing.
type handle struct{ *files.Handle }

func (handle) Close() error { return nil }

func (w *world) MkdirAll(name string, perm fs.FileMode) error {
	return w.p.MkdirAll(name, files.UnixMode(perm))
}

func (w *world) Symlink(target, link string) error { return w.p.Symlink(target, link) }

func (w *world) Readlink(name string) (string, error) { return w.p.Readlink(name) }

// Watch subscribes to files; without paths, only signals end a wait.
func (w *world) Watch(paths ...string) (entrypoint.Subscription, error) {
	s := &subscription{p: w.p}
	s.files = w.p.Watch(func() { s.changed = true }, paths...)
	return s, nil
}

type subscription struct {
	p       *container.Process
	files   *files.Subscription
	changed bool
}

func (s *subscription) Wait(deadline time.Time) error {
	for {
		err := s.p.Block(deadline, func() bool { return s.changed })
		switch {
		case err == nil:
			s.changed = false
			return nil
		case errors.Is(err, container.ErrTimeout):
			return entrypoint.ErrDeadline
		}
		signal, _ := s.p.TakeSignal()
		switch signal {
		case container.SIGTERM, container.SIGINT, container.SIGQUIT, container.SIGHUP:
			return &entrypoint.Interrupted{Signal: entrypoint.Signal(signal)}
		}
	}
}

func (s *subscription) Close() error {
	s.files.Close()
	return nil
}

// Start runs a command in a process group of its own. A simulated container has no network to be kept from, so a
// hermetic command runs like any other.
func (w *world) Start(c entrypoint.Command) (entrypoint.Process, error) {
	child, err := w.p.Spawn(container.Command{
		Path:     c.Path,
		Args:     append([]string{c.Path}, c.Args...),
		Env:      c.Env,
		Stdin:    -1,
		Stdout:   sink(c.Stdout),
		Stderr:   sink(c.Stderr),
		NewGroup: true,
	})
	var missing *container.NotFoundError
	switch {
	case errors.As(err, &missing):
		return nil, err
	case err != nil:
		return nil, &fs.PathError{Op: "fork/exec", Path: c.Path, Err: files.Errno(err)}
	}
	return &command{p: w.p, child: child}, nil
}

func sink(w io.Writer) func([]byte) error {
	if w == nil {
		return nil
	}
	return func(data []byte) error {
		_, err := w.Write(data)
		return err
	}
}

// command is the launcher's command.
type command struct {
	p     *container.Process
	child *container.Process
}

func (c *command) Wait(deadline time.Time) (entrypoint.Exit, error) {
	for {
		status, err := c.p.Wait(c.child, deadline)
		switch {
		case err == nil:
			if status.Signal != 0 {
				return entrypoint.Exit{Signal: entrypoint.Signal(status.Signal)}, nil
			}
			return entrypoint.Exit{Code: status.Code}, nil
		case errors.Is(err, container.ErrTimeout):
			return entrypoint.Exit{}, entrypoint.ErrDeadline
		case errors.Is(err, syscall.EINTR):
			for signal, some := c.p.TakeSignal(); some; signal, some = c.p.TakeSignal() {
				if err := c.SignalGroup(entrypoint.Signal(signal)); err != nil {
					return entrypoint.Exit{}, err
				}
			}
		default:
			return entrypoint.Exit{}, err
		}
	}
}

func (c *command) SignalGroup(s entrypoint.Signal) error {
	err := c.p.Kill(-c.child.PGID(), container.Signal(s))
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}
