package container

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// Process is a process of a container, as its program sees it. Files are reached through the embedded Caller; paths
// are relative to its Dir.
type Process struct {
	files.Caller
	// Args are the arguments, the program's name first.
	Args []string
	// Env is "key=value".
	Env []string
	// Path is the executable.
	Path string
	// Limits are what the process has set with setrlimit, by the letter that shells have for them. They are shared with other
	// processes: use SetLimit.
	Limits map[byte]Limit
	// State is for the program: whatever a shell wants its forked self to find.
	State any

	c        *Container
	co       *kernel.Coroutine
	pid      int
	pgid     int
	parent   *Process
	children []*Process
	fds      []descriptor

	dispositions [maxSignal + 1]disposition
	pending      uint64

	status   ExitStatus
	running  bool // it is the one that runs now
	ending   bool // its end is decided
	dead     bool // a zombie, or gone
	reaped   bool
	launcher bool // it only starts the container's command
	orphan   bool // its parent died before it
	onExit   func(ExitStatus)

	debt   time.Duration // computing not yet paid with time
	late   time.Duration // what the parent had not paid when it made the process: so much later it began
	memory int64
}

// ended unwinds a process whose status is set; replaced one that executes another program.
type ended struct{}
type replaced struct{ run Program }

func (c *Container) newProcess(parent *Process) *Process {
	p := &Process{c: c, pid: c.nextPID}
	c.nextPID++
	if parent == nil {
		p.Caller = c.cred
		p.fds = make([]descriptor, 3, 4)
		p.fds[0] = descriptor{file: &openFile{refs: 1, null: true}}
	} else {
		p.Caller = parent.Caller
		p.Args, p.Env, p.Path, p.Limits = parent.Args, parent.Env, parent.Path, parent.Limits
		p.parent, p.pgid = parent, parent.pgid
		p.dispositions = parent.dispositions
		p.fds = make([]descriptor, len(parent.fds), max(4, len(parent.fds)))
		copy(p.fds, parent.fds)
		for _, d := range p.fds {
			if d.file != nil {
				d.file.refs++
			}
		}
		parent.children = append(parent.children, p)
	}
	c.procs = append(c.procs, p)
	return p
}

// discard takes back a process that never started.
func (c *Container) discard(p *Process) {
	p.ending, p.dead = true, true
	p.closeAll()
	c.reap(p)
}

// start makes the process run its program from the next event on.
func (p *Process) start(run Program) {
	p.co = p.c.kernel.Go(p.c.cfg.Actor, func(*kernel.Coroutine) {
		p.running = true
		for run != nil {
			run = p.run(run)
		}
		p.running = false
	})
	p.co.OnDone(p.finish)
}

// run runs one program and returns the next one if the process executed another.
func (p *Process) run(program Program) (next Program) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case ended:
		case replaced:
			next = r.run
		case runtime.Error:
			// A defect of a program: here is the last place that knows where.
			panic(fmt.Sprintf("program %q: %v\n%s", p.Args, r, debug.Stack()))
		default:
			panic(r)
		}
	}()
	code := program(p)
	if !p.ending {
		p.ending, p.status = true, ExitStatus{Code: code & 0xff}
	}
	return nil
}

// finish is called when the process's coroutine has ended, however it did.
func (p *Process) finish() {
	p.running = false
	if !p.ending {
		p.ending, p.status = true, ExitStatus{Code: 128 + int(SIGKILL), Signal: SIGKILL}
	}
	p.dead = true
	p.closeAll()
	p.c.memory -= p.memory
	p.State, p.Env, p.Args = nil, nil, nil
	if p == p.c.main {
		p.c.mainEnded(p.status)
		return
	}
	if p.c.exited {
		if p.onExit != nil {
			p.onExit(p.status)
		}
		return
	}
	for _, child := range slices.Clone(p.children) {
		child.parent, child.orphan = p.c.main, true
		if child.dead {
			p.c.reap(child)
		}
	}
	p.children = nil
	if p.parent == nil || p.orphan {
		p.c.reap(p) // process 1 is not asked to
	} else {
		p.parent.debt += p.debt
		p.parent.deliver(SIGCHLD)
		p.parent.wake()
	}
	if p.onExit != nil {
		p.onExit(p.status)
	}
}

// reap forgets a zombie.
func (c *Container) reap(p *Process) {
	p.reaped = true
	if i := slices.Index(c.procs, p); i >= 0 {
		c.procs = slices.Delete(c.procs, i, i+1)
	}
	if p.parent != nil {
		if i := slices.Index(p.parent.children, p); i >= 0 {
			p.parent.children = slices.Delete(p.parent.children, i, i+1)
		}
	}
}

func (p *Process) wake() {
	if p.co != nil {
		p.co.Wake()
	}
}

// Exit ends the process with a code. It does not return.
func (p *Process) Exit(code int) {
	if !p.ending {
		p.ending, p.status = true, ExitStatus{Code: code & 0xff}
	}
	panic(ended{})
}

// Fork starts a child that is a copy of the process: files, directory, environment, ignored signals. It runs body, in
// later events. Signals that the process handles have their default action in the child.
func (p *Process) Fork(body Program) *Process {
	if len(p.c.procs) >= p.c.cfg.Budget.Processes {
		p.c.abort("it had more than the allowed number of processes")
		p.unwind()
	}
	child := p.c.newProcess(p)
	for s, d := range child.dispositions {
		if d == handled {
			child.dispositions[s] = byDefault
		}
	}
	child.late = p.debt + p.late
	child.start(body)
	p.spend(forkCost, p.startWeight())
	return child
}

// unwind leaves a process whose end was decided while it ran.
func (p *Process) unwind() {
	if p.ending && p.running {
		panic(ended{})
	}
}

// NewGroup makes the process the leader of a new process group.
func (p *Process) NewGroup() { p.pgid = p.pid }

// PID returns the number of the process in its container.
func (p *Process) PID() int { return p.pid }

// PPID returns the parent's number, 0 for the container's command.
func (p *Process) PPID() int {
	if p.parent == nil {
		return 0
	}
	return p.parent.pid
}

// PGID returns the number of the process group.
func (p *Process) PGID() int { return p.pgid }

// Container returns the container that the process is in.
func (p *Process) Container() *Container { return p.c }

// Dead reports whether the process has ended.
func (p *Process) Dead() bool { return p.dead }

// Now returns the time.
func (p *Process) Now() time.Time { return p.c.kernel.Now() }

// Random returns the container's entropy.
func (p *Process) Random() *kernel.Stream { return p.c.entropy() }

// Getenv returns a variable of the environment, or "".
func (p *Process) Getenv(key string) string {
	v, _ := lookup(p.Env, key)
	return v
}

// LookupEnv returns a variable of the environment.
func (p *Process) LookupEnv(key string) (string, bool) { return lookup(p.Env, key) }

// ErrTimeout says that a deadline came first.
var ErrTimeout = syscall.ETIMEDOUT

// Block waits until ready reports true, the deadline (if not zero) comes, or a handled signal arrives: then the error
// is nil, ETIMEDOUT or EINTR. The code that makes it ready has to wake the process ([Process.Waker]).
func (p *Process) Block(deadline time.Time, ready func() bool) error {
	for {
		if ready() {
			return nil
		}
		if p.pending != 0 {
			return syscall.EINTR
		}
		if deadline.IsZero() {
			p.park(0)
			continue
		}
		left := deadline.Sub(p.Now())
		if left <= 0 {
			return ErrTimeout
		}
		p.park(left)
	}
}

// park gives the processor away until woken, or for d if that is positive.
func (p *Process) park(d time.Duration) {
	c := p.c
	since, computed := c.kernel.Elapsed(), c.computed()
	p.running = false
	if d > 0 {
		p.co.ParkFor(d)
	} else {
		p.co.Park()
	}
	p.running = true
	c.cool(since, computed)
}

// Sleep waits for d. A handled signal ends it early: then it returns EINTR.
func (p *Process) Sleep(d time.Duration) error {
	until := p.Now().Add(d + p.debt + p.late)
	p.c.computes(p.debt)
	p.debt, p.late = 0, 0
	err := p.Block(until, func() bool { return false })
	if errors.Is(err, ErrTimeout) {
		return nil
	}
	return err
}

// Pause waits for a handled signal, or for ever.
func (p *Process) Pause() { _ = p.Block(time.Time{}, func() bool { return false }) }

// Wait waits for the end of a child and reaps it. Errors: ECHILD, ETIMEDOUT at the deadline (if not zero), EINTR for a
// handled signal.
func (p *Process) Wait(child *Process, deadline time.Time) (ExitStatus, error) {
	if child.reaped || child.parent != p {
		if child.dead && child.reaped && child.parent == p {
			return child.status, nil
		}
		return ExitStatus{}, syscall.ECHILD
	}
	if err := p.Block(deadline, func() bool { return child.dead }); err != nil {
		return ExitStatus{}, err
	}
	p.c.reap(child)
	return child.status, nil
}

// Children returns the children that have not been reaped.
func (p *Process) Children() []*Process { return slices.Clone(p.children) }

// Status returns how the process ended, and whether it has.
func (p *Process) Status() (ExitStatus, bool) { return p.status, p.dead }

// Command describes a child to start.
type Command struct {
	// Path is the executable; without a slash it is looked up in the PATH of Env.
	Path string
	// Args are all arguments, the name first; empty means Path alone.
	Args []string
	// Env, if nil, is the parent's.
	Env []string
	// Dir, if not empty, is its working directory.
	Dir string
	// Stdin is an open file of the parent; -1 is /dev/null. Stdout and Stderr receive output; nil is the parent's own.
	Stdin          int
	Stdout, Stderr func(data []byte) error
	// NewGroup makes it the leader of a process group.
	NewGroup bool
}

// Spawn starts a child with a program. The error is an errno, if the program cannot be executed.
func (p *Process) Spawn(cmd Command) (*Process, error) {
	if len(cmd.Args) == 0 {
		cmd.Args = []string{cmd.Path}
	}
	if cmd.Env == nil {
		cmd.Env = p.Env
	}
	probe := Process{Caller: p.Caller, Env: cmd.Env, c: p.c}
	if cmd.Dir != "" {
		if err := probe.Chdir(cmd.Dir); err != nil {
			return nil, err
		}
	}
	p.handOver(cmd.Args, cmd.Env)
	e, err := probe.find(slices.Concat([]string{cmd.Path}, cmd.Args[1:]), probe.searched(), p.launcher)
	if err == nil {
		err = fit(e.name, e.args, cmd.Env)
	}
	if err != nil {
		return nil, err
	}
	if e.args[0] == cmd.Path {
		e.args[0] = cmd.Args[0]
	}
	return p.spawn(cmd, e, probe.Dir), nil
}

func (p *Process) spawn(cmd Command, e executable, dir string) *Process {
	child := p.Fork(func(q *Process) int {
		q.becomes(e, cmd.Env)
		return e.run(q)
	})
	child.Dir = dir
	if cmd.NewGroup {
		child.NewGroup()
	}
	if cmd.Stdin < 0 {
		child.set(0, descriptor{file: &openFile{refs: 1, null: true}})
	} else if cmd.Stdin > 0 {
		_ = child.Dup2(cmd.Stdin, 0)
	}
	if cmd.Stdout != nil {
		child.set(1, descriptor{file: &openFile{refs: 1, sink: cmd.Stdout}})
	}
	if cmd.Stderr != nil {
		child.set(2, descriptor{file: &openFile{refs: 1, sink: cmd.Stderr}})
	}
	child.Env = cmd.Env
	return child
}

// Exec makes the process run another program, found by the first argument. It returns only if that cannot be executed.
func (p *Process) Exec(args, env []string) error { return p.ExecFrom(p.searched(), args[0], args, env) }

// ExecFrom is Exec with another PATH to find the program in, as shells have it, where PATH may have changed since they
// started, and with a file that need not be what the first argument says.
func (p *Process) ExecFrom(path, file string, args, env []string) error {
	p.handOver(args, env)
	e, err := p.findFile(file, args, path, p.launcher)
	if err == nil {
		err = fit(e.name, e.args, env)
	}
	if err != nil {
		return err
	}
	p.becomes(e, env)
	panic(replaced{e.run})
}

// becomes does what a process goes through when it executes a program.
func (p *Process) becomes(e executable, env []string) {
	for s, d := range p.dispositions {
		if d == handled {
			p.dispositions[s] = byDefault
		}
	}
	for fd, d := range p.fds {
		if d.closeOnExec {
			p.Close(fd)
		}
	}
	p.pending = 0
	p.c.memory -= p.memory
	p.memory = 0
	p.Path, p.Args, p.Env, p.State, p.launcher = e.name, e.args, env, nil, e.launcher
	p.spend(execCost, p.startWeight())
}

// Watch subscribes to changes of paths; the process is woken from whatever it is blocked in. See files.Caller.Watch.
func (p *Process) Watch(notify func(), paths ...string) *files.Subscription {
	return p.Caller.Watch(func() {
		if notify != nil {
			notify()
		}
		p.wake()
	}, paths...)
}

// base is the last element of a path.
func base(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// Listing is one line of a list of processes.
type Listing struct {
	PID  int
	UID  uint32
	Args []string
}

// List lists the living processes by their numbers.
func (c *Container) List() []Listing {
	var out []Listing
	for _, p := range c.procs {
		if !p.dead {
			out = append(out, Listing{p.pid, p.UID, p.Args})
		}
	}
	return out
}
