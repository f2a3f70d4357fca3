//go:build unix

//plumbline:adapter the launcher on a real operating system

package osadapter

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/plumbline-ci/plumbline/entrypoint"
)

// processes starts commands and reaps them.
type processes struct {
	signals *signals
	retired *retired
	// init says that this process is the parent of all orphans.
	init bool

	mu      sync.Mutex
	running map[int]*process
}

var _ entrypoint.Processes = (*processes)(nil)

// process is a started command.
type process struct {
	pid int
	// outputs are the pipes that the command writes to, if it does not write to the launcher's own streams.
	outputs []*output
	// done is closed once exit is known and the outputs are written.
	done chan struct{}
	exit entrypoint.Exit
}

// Start implements [entrypoint.Processes].
func (ps *processes) Start(c entrypoint.Command) (entrypoint.Process, error) {
	program, err := findProgram(c.Path, c.Env)
	if err != nil {
		return nil, err
	}
	isolation, err := isolate(c.Hermetic)
	if err != nil {
		return nil, err
	}
	isolation.Setpgid = true
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer func() { _ = null.Close() }()
	p := &process{done: make(chan struct{})}
	stdout, err := p.redirect(c.Stdout, os.Stdout)
	if err != nil {
		return nil, err
	}
	stderr, err := p.redirect(c.Stderr, os.Stderr)
	if err != nil {
		p.discardOutputs()
		return nil, err
	}
	err = ps.signals.handOver(func() (func(syscall.Signal), error) {
		ps.mu.Lock() // so that a command that ends at once is found by who reaps it
		defer ps.mu.Unlock()
		p.pid, err = syscall.ForkExec(program, append([]string{c.Path}, c.Args...), &syscall.ProcAttr{
			Env:   c.Env,
			Files: []uintptr{null.Fd(), stdout.Fd(), stderr.Fd()},
			Sys:   isolation,
		})
		if err != nil {
			return nil, &fs.PathError{Op: "fork/exec", Path: program, Err: err}
		}
		ps.running[p.pid] = p
		return func(sig syscall.Signal) { _ = syscall.Kill(-p.pid, sig) }, nil
	})
	if err != nil {
		p.discardOutputs()
		return nil, err
	}
	for _, o := range p.outputs {
		go o.copy()
	}
	go ps.reap(p.pid)
	go ps.retired.close()
	return p, nil
}

// reap collects the command with that pid. The first process of a container collects whatever else ends, and goes on
// until there is nothing left.
func (ps *processes) reap(pid int) {
	wanted := pid
	if ps.init {
		wanted = -1
	}
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(wanted, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return
		default:
			ps.collect(ended, status)
			if ended == pid && !ps.init {
				return
			}
		}
	}
}

// reapOrphans collects what has ended by now. The first process of a container is given orphans also while no command
// of its own runs: those of a person who looks around in a container that waits, or is held at a breakpoint.
func (ps *processes) reapOrphans() {
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil || ended == 0:
			return
		default:
			ps.collect(ended, status)
		}
	}
}

func (ps *processes) collect(pid int, status syscall.WaitStatus) {
	ps.mu.Lock()
	p := ps.running[pid]
	delete(ps.running, pid)
	ps.mu.Unlock()
	if p == nil {
		return // an orphan
	}
	ps.signals.takeBack()
	if status.Signaled() {
		p.exit.Signal = entrypoint.Signal(status.Signal())
	} else {
		p.exit.Code = status.ExitStatus()
	}
	for _, o := range p.outputs {
		o.finish()
	}
	close(p.done)
}

// Wait implements [entrypoint.Process].
func (p *process) Wait(deadline time.Time) (entrypoint.Exit, error) {
	var expired <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case <-p.done:
		return p.exit, nil
	case <-expired:
		return entrypoint.Exit{}, entrypoint.ErrDeadline
	}
}

// SignalGroup implements [entrypoint.Process].
func (p *process) SignalGroup(sig entrypoint.Signal) error {
	err := syscall.Kill(-p.pid, syscall.Signal(sig))
	if err == nil || errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return fmt.Errorf("signalling process group %d: %w", p.pid, err)
}

// redirect is what the command gets as an output: own itself, or a pipe to writer.
func (p *process) redirect(writer io.Writer, own *os.File) (*os.File, error) {
	if writer == nil {
		return own, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.outputs = append(p.outputs, &output{reader: r, commandEnd: w, writer: writer, copied: make(chan struct{})})
	return w, nil
}

func (p *process) discardOutputs() {
	for _, o := range p.outputs {
		_ = o.reader.Close()
		_ = o.commandEnd.Close()
	}
}

// output is a pipe from the command to a writer.
type output struct {
	reader, commandEnd *os.File
	writer             io.Writer
	copied             chan struct{}
}

// lastWords is how long the output of an ended command is still read, if a process it left behind keeps it open.
const lastWords = 100 * time.Millisecond

func (o *output) copy() {
	_ = o.commandEnd.Close() // the command has its own by now
	if _, err := io.Copy(o.writer, o.reader); errors.Is(err, os.ErrDeadlineExceeded) {
		o.drain()
	}
	close(o.copied)
}

// mostLeft is the most that a pipe can hold, unless the administrator allows more.
const mostLeft = 1 << 20

// drain copies what is in the pipe, which is something if the writer was slow to take what came before, and does not
// wait for more.
func (o *output) drain() {
	_ = o.reader.SetReadDeadline(time.Time{})
	raw, err := o.reader.SyscallConn()
	if err != nil {
		return
	}
	buffer := make([]byte, 32<<10)
	for left := mostLeft; left > 0; {
		n := 0
		err := raw.Read(func(fd uintptr) bool {
			n, _ = syscall.Read(int(fd), buffer)
			return true // also if there is nothing
		})
		if err != nil || n <= 0 {
			return
		}
		if _, err := o.writer.Write(buffer[:n]); err != nil {
			return
		}
		left -= n
	}
}

// finish copies what an ended command has written.
func (o *output) finish() {
	_ = o.reader.SetReadDeadline(time.Now().Add(lastWords))
	<-o.copied
	_ = o.reader.Close()
}

// findProgram looks a program without a slash up in the PATH of env.
func findProgram(name string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	search := ""
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, "PATH="); ok {
			search = value
		}
	}
	failure := errNotFound
	for _, dir := range filepath.SplitList(search) {
		if dir == "" {
			dir = "." // what an empty element means to execvp
		}
		candidate := filepath.Join(dir, name)
		info, err := os.Stat(candidate)
		switch {
		case err != nil || info.IsDir():
		case info.Mode()&0o111 == 0:
			failure = fs.ErrPermission
		case !strings.Contains(candidate, "/"):
			return "./" + candidate, nil
		default:
			return candidate, nil
		}
	}
	return "", fmt.Errorf("exec: %q: %w", name, failure)
}

var errNotFound = errors.New("executable file not found in $PATH")

// endOfChild reports whether a signal announces the end of a process.
func endOfChild(sig syscall.Signal) bool { return sig == syscall.SIGCHLD }

// ownSignal says that a signal is the launcher's own business: its children, its pipes, its runtime's scheduling.
func ownSignal(sig syscall.Signal) bool {
	return sig == syscall.SIGCHLD || sig == syscall.SIGPIPE || sig == syscall.SIGURG
}
