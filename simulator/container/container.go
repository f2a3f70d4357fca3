// Package container runs the processes of simulated containers.
//
// A [Container] is a PID namespace and a mount namespace ([files.View]) over an image. Its processes are coroutines of
// the kernel; a program is a Go function over a [Process], which offers what Linux offers: files, descriptors, pipes,
// signals, children, a clock. Nothing reaches the machine that the simulation runs on.
//
// Process 1 is the container's command. As in a real PID namespace it is deaf to signals it has no handler for, except
// SIGKILL from outside, it inherits orphans, and when it ends everything else is killed.
//
// Computing costs virtual time: [Process.Spend] is called for every command of a shell and every started program, and
// the time is paid in slices of a millisecond, so that a loop that does nothing lets the world go on. A process that
// computes very long without ever waiting is charged more and more ([hotFrom]), which keeps an endless loop cheap. The
// [Budget] ends what would never end.
//
// Not simulated: stopped processes (SIGSTOP), sessions and terminals, capabilities, sockets.
package container

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/image"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// Program is what an executable file does: it runs as process p and returns the exit code. p.Args[0] is the name that
// it was called by.
type Program func(p *Process) int

// Config describes a container. Kernel, Actor, Image and Programs are required.
type Config struct {
	Kernel *kernel.Kernel
	// Actor names the container in the trace and for its entropy.
	Actor string
	Image *image.Image
	// Programs are the programs that executable files name.
	Programs map[string]Program
	// Command and Args are as in a Pod: a Command replaces the image's entrypoint and command, Args the image's command.
	Command, Args []string
	// Env is "key=value", over the image's.
	Env []string
	// WorkingDir, if empty, is the image's. It is made if it does not exist.
	WorkingDir string
	// Mounts are made in order of their depth.
	Mounts                []files.Mount
	RunAsUser, RunAsGroup *int64
	// Groups are supplemental groups.
	Groups       []int64
	ReadOnlyRoot bool
	// Hostname is the Pod's; it is in /etc/hostname.
	Hostname string
	// Log receives everything written to standard output (1) and standard error (2) as it is written.
	Log func(stream int, data []byte)
	// Limit is the size of the root file system in bytes, 0 for no limit.
	Limit int64
	// MemoryLimit is what programs may hold before the OOM killer comes, 0 for no limit.
	MemoryLimit int64
	Budget      Budget
	// Mocks stand in for commands that cannot be interpreted.
	Mocks *Mocks
	// Launchers are those of Programs that only start the container's command. No mock stands in for them.
	Launchers []string
	// OnMissing, if set, sees each command line that could not be found, once.
	OnMissing func(MissingCommand)
	// StubMissing makes commands that cannot be found succeed without doing anything.
	StubMissing bool
	// Platform is os/arch of the node; default linux/amd64.
	Platform string
}

// ExitStatus is how a container or a process ended.
type ExitStatus struct {
	// Code is the exit code; of a process that was killed, 128 and the signal.
	Code int
	// Signal is what killed it, or 0.
	Signal Signal
	// OOMKilled says that a process of the container was killed for want of memory.
	OOMKilled bool
	// Message says why the simulation itself ended it: a budget ran out.
	Message string
}

// Container is a started container.
type Container struct {
	cfg     Config
	kernel  *kernel.Kernel
	view    *files.View
	root    *files.Volume
	env     []string
	cred    files.Caller
	procs   []*Process // living and zombies, by pid
	main    *Process
	nextPID int
	random  *kernel.Stream
	started time.Time

	steps  uint64
	bytes  int64
	looked int64         // bytes, when the files were looked at last
	output int64         // bytes
	hot    uint32        // commands since the container was idle
	busy   time.Duration // spent computing, until busyUntil

	busyUntil time.Duration
	memory    int64
	oom       bool
	message   string
	exited    bool
	status    ExitStatus
	watchers  []func(ExitStatus)
	missing   []MissingCommand
}

// StartError says that the runtime could not start the container's command; the kubelet shows it as reason StartError
// with exit code 128.
type StartError struct{ Message string }

func (e *StartError) Error() string { return e.Message }

const (
	createPrefix = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
	execPrefix   = "failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: "
	startProcess = "unable to start container process: "
	unknownCode  = ": unknown"
	defaultPath  = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

// Start makes the container and starts its command. The command itself runs in later events. An error is a
// *StartError: the command could not be started.
func Start(cfg Config) (*Container, error) {
	c, err := prepare(cfg)
	if err != nil {
		return nil, err
	}
	dir := cfg.WorkingDir
	if dir == "" {
		dir = cfg.Image.WorkingDir
	}
	if dir == "" {
		dir = "/"
	}
	if !strings.HasPrefix(dir, "/") {
		return nil, &StartError{createPrefix + "Cwd must be an absolute path" + unknownCode}
	}
	if err := c.enter(dir); err != nil {
		return nil, err
	}
	argv := c.argv()
	if len(argv) == 0 {
		return nil, &StartError{"failed to generate container spec: no command specified"}
	}
	p, err := c.launch(argv, c.env, createPrefix, true)
	if err != nil {
		return nil, err
	}
	c.main = p
	return c, nil
}

// prepare makes a container with its files, its user and its environment, in which nothing runs.
func prepare(cfg Config) (*Container, error) {
	c := &Container{cfg: cfg, kernel: cfg.Kernel, nextPID: 1, started: cfg.Kernel.Now()}
	c.cfg.Budget = cfg.Budget.withDefaults(cfg.MemoryLimit)
	if c.cfg.Platform == "" {
		c.cfg.Platform = "linux/amd64"
	}
	if err := c.mount(); err != nil {
		return nil, err
	}
	if err := c.identify(); err != nil {
		return nil, err
	}
	c.environment()
	return c, nil
}

// argv combines the Pod's command and args with the image's.
func (c *Container) argv() []string {
	if len(c.cfg.Command) > 0 {
		return slices.Concat(c.cfg.Command, c.cfg.Args)
	}
	args := c.cfg.Args
	if len(args) == 0 {
		args = c.cfg.Image.Cmd
	}
	return slices.Concat(c.cfg.Image.Entrypoint, args)
}

// mount builds the view.
func (c *Container) mount() error {
	c.root = files.NewOverlay(c.kernel.Now, c.cfg.Image.Root, files.Options{Limit: c.cfg.Limit})
	c.view = files.NewView(c.root, c.cfg.ReadOnlyRoot, len(c.cfg.Mounts), func(b []byte) {
		r := c.entropy()
		for i := range b {
			b[i] = byte(r.Uint32())
		}
	})
	c.view.Generate = c.generate
	mounts := slices.Clone(c.cfg.Mounts)
	slices.SortStableFunc(mounts, func(a, b files.Mount) int { return depth(a.Path) - depth(b.Path) })
	for _, m := range mounts {
		if err := c.view.Mount(m); err != nil {
			return &StartError{fmt.Sprintf("%s%serror during container init: error mounting %q to rootfs at %q: %v%s", createPrefix, startProcess, m.SubPath, m.Path, err, unknownCode)}
		}
	}
	return nil
}

func depth(p string) int {
	clean := files.Absolute(p)
	if clean == "/" {
		return 0
	}
	return strings.Count(clean, "/")
}

// identify finds user and groups.
func (c *Container) identify() error {
	c.cred = files.Caller{View: c.view, Dir: "/", Umask: 0o022}
	user, group, hasGroup := strings.Cut(c.cfg.Image.User, ":")
	if c.cfg.RunAsUser != nil {
		c.cred.UID = uint32(*c.cfg.RunAsUser)
		if e, ok := c.account(accounts, strconv.FormatInt(*c.cfg.RunAsUser, 10), 2); ok {
			c.cred.GID = e.gid()
		}
	} else if user != "" {
		e, ok := c.account(accounts, user, 0, 2)
		switch {
		case ok:
			c.cred.UID, c.cred.GID = e.id(), e.gid()
		default:
			id, err := strconv.ParseUint(user, 10, 32)
			if err != nil {
				return &StartError{createPrefix + startProcess + "error during container init: unable to find user " + user + ": no matching entries in passwd file" + unknownCode}
			}
			c.cred.UID = uint32(id)
		}
		if hasGroup {
			if e, ok := c.account(groups, group, 0, 2); ok {
				c.cred.GID = e.id()
			} else if id, err := strconv.ParseUint(group, 10, 32); err == nil {
				c.cred.GID = uint32(id)
			}
		}
	}
	if c.cfg.RunAsGroup != nil {
		c.cred.GID = uint32(*c.cfg.RunAsGroup)
	}
	for _, g := range c.cfg.Groups {
		c.cred.Groups = append(c.cred.Groups, uint32(g))
	}
	return nil
}

// environment combines the image's variables with the Pod's.
func (c *Container) environment() {
	const added = 3 // at most, below
	c.env = append(make([]string, 0, len(c.cfg.Image.Env)+len(c.cfg.Env)+added), c.cfg.Image.Env...)
	set := func(kv string) {
		key, _, _ := strings.Cut(kv, "=")
		for i, old := range c.env {
			if k, _, _ := strings.Cut(old, "="); k == key {
				c.env[i] = kv
				return
			}
		}
		c.env = append(c.env, kv)
	}
	for _, kv := range c.cfg.Env {
		set(kv)
	}
	if _, ok := lookup(c.env, "PATH"); !ok {
		c.env = append(c.env, defaultPath)
	}
	if c.cfg.Hostname != "" {
		if _, ok := lookup(c.env, "HOSTNAME"); !ok {
			c.env = append(c.env, "HOSTNAME="+c.cfg.Hostname)
		}
	}
	if _, ok := lookup(c.env, "HOME"); !ok {
		home := "/"
		if e, ok := c.account(accounts, strconv.FormatUint(uint64(c.cred.UID), 10), 2); ok {
			home = e.field(5)
		}
		c.env = append(c.env, "HOME="+home)
	}
}

func lookup(env []string, key string) (string, bool) {
	for i := len(env) - 1; i >= 0; i-- {
		if kv := env[i]; len(kv) > len(key) && kv[len(key)] == '=' && kv[:len(key)] == key {
			return kv[len(key)+1:], true
		}
	}
	return "", false
}

// enter makes the working directory if need be, as root, and goes there.
func (c *Container) enter(dir string) error {
	root := c.cred
	root.UID, root.GID = 0, 0
	if _, err := root.Stat(dir); err != nil {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return &StartError{fmt.Sprintf("%s%serror during container init: mkdir %s: %v%s", createPrefix, startProcess, dir, files.Errno(err), unknownCode)}
		}
	}
	if err := c.cred.Chdir(dir); err != nil {
		return &StartError{fmt.Sprintf("%s%schdir to cwd (%q) set in config.json failed: %v%s", createPrefix, startProcess, dir, files.Errno(err), unknownCode)}
	}
	return nil
}

// launch starts a process without a parent: the container's own command, or one that is executed from outside.
func (c *Container) launch(argv, env []string, prefix string, own bool) (*Process, error) {
	p := c.newProcess(nil)
	p.Args, p.Env = argv, env
	p.pgid = p.pid
	e, err := p.find(argv, p.searched(), own)
	if err == nil {
		err = fit(e.name, e.args, env)
	}
	var failed *formatError
	if errors.As(err, &failed) {
		// The runtime learns of this only when it has become the process.
		e.run, e.args = func(p *Process) int {
			fmt.Fprintf(p.Stderr(), "exec %s: %s\n", e.name, failed.reason)
			return 255
		}, argv
	} else if err != nil {
		c.discard(p)
		return nil, &StartError{prefix + startProcess + "exec: " + startReason(argv[0], err) + unknownCode}
	}
	p.Path, p.Args, p.launcher = e.name, e.args, e.launcher
	p.openLog(1)
	p.openLog(2)
	p.start(e.run)
	return p, nil
}

// entropy is the container's stream of random numbers.
func (c *Container) entropy() *kernel.Stream {
	if c.random == nil {
		c.random = c.kernel.Stream(c.cfg.Actor + "/" + strconv.FormatInt(c.started.UnixNano(), 36))
	}
	return c.random
}

// Running reports whether the container's command has not ended yet.
func (c *Container) Running() bool { return !c.exited }

// ExitStatus returns how the command ended, and whether it has.
func (c *Container) ExitStatus() (ExitStatus, bool) { return c.status, c.exited }

// OnExit calls f in an event of its own when the command has ended, or as soon as possible if it already has.
func (c *Container) OnExit(f func(ExitStatus)) {
	if c.exited {
		c.kernel.Soon(c.cfg.Actor, "exited", func() { f(c.status) })
		return
	}
	c.watchers = append(c.watchers, f)
}

// Signal sends a signal to process 1, from outside.
func (c *Container) Signal(s Signal) {
	if c.exited {
		return
	}
	if s == SIGKILL {
		c.main.terminate(SIGKILL)
		return
	}
	c.main.deliver(s)
}

// Kill kills the container.
func (c *Container) Kill() { c.Signal(SIGKILL) }

// Exec runs a further command in the container, with the container's environment and directory. done is called with
// its exit code, in an event of its own. The error is a *StartError: the command could not be started.
func (c *Container) Exec(argv []string, stdout, stderr io.Writer, done func(code int)) error {
	_, err := c.exec(argv, stdout, stderr, done)
	return err
}

// ExecInput is Exec for a command that has standard input: what is written to the Input that it returns.
func (c *Container) ExecInput(argv []string, stdout, stderr io.Writer, done func(code int)) (*Input, error) {
	p, err := c.exec(argv, stdout, stderr, done)
	if err != nil {
		return nil, err
	}
	q := &pipe{readers: 1, writers: 1}
	p.set(0, descriptor{file: &openFile{refs: 1, pipe: q}})
	return &Input{pipe: q}, nil
}

// Input is the writing end of a standard input. Like everything of a container it is for the kernel's goroutine.
type Input struct{ pipe *pipe }

// Write implements io.Writer. It never waits; data that is no longer read is dropped.
func (i *Input) Write(b []byte) (int, error) {
	if i.pipe.readers > 0 && i.pipe.writers > 0 {
		i.pipe.data = append(i.pipe.data, b...)
		i.pipe.wakeAll()
	}
	return len(b), nil
}

// Close ends the input: the command reads what is left, and then that there is no more.
func (i *Input) Close() error {
	if i.pipe.writers > 0 {
		i.pipe.closeEnd(true)
	}
	return nil
}

func (c *Container) exec(argv []string, stdout, stderr io.Writer, done func(code int)) (*Process, error) {
	if c.exited {
		return nil, &StartError{"failed to exec in container: container is in CONTAINER_EXITED state"}
	}
	if len(argv) == 0 {
		return nil, &StartError{execPrefix + "no command specified" + unknownCode}
	}
	p, err := c.launch(argv, c.env, execPrefix, false)
	if err != nil {
		return nil, err
	}
	p.openWriter(1, stdout)
	p.openWriter(2, stderr)
	p.onExit = func(s ExitStatus) {
		if done != nil {
			c.kernel.Soon(c.cfg.Actor, "exec done", func() { done(s.Code) })
		}
	}
	return p, nil
}

// ReadFile returns the content of a file of the container, as root, also after its end.
func (c *Container) ReadFile(name string) ([]byte, error) {
	root := files.Caller{View: c.view, Dir: "/"}
	return root.ReadFile(name)
}

// Files returns a caller with root's rights, also after the container's end.
func (c *Container) Files() *files.Caller { return &files.Caller{View: c.view, Dir: "/", Umask: 0o022} }

// Written returns the bytes that the container holds in its own root file system.
func (c *Container) Written() int64 { return c.root.Used() }

// Processes returns how many processes live, zombies not counted.
func (c *Container) Processes() int {
	n := 0
	for _, p := range c.procs {
		if !p.dead {
			n++
		}
	}
	return n
}

// mainEnded is called when process 1 has ended: everything else is killed.
func (c *Container) mainEnded(s ExitStatus) {
	c.exited = true
	for _, p := range slices.Clone(c.procs) {
		switch {
		case p.dead || p.ending:
		case p.running: // it brought this about, and is unwound when it comes to it
			p.ending, p.status = true, ExitStatus{Code: 128 + int(SIGKILL), Signal: SIGKILL}
		default:
			p.terminate(SIGKILL)
		}
	}
	c.procs = nil
	s.OOMKilled, s.Message = c.oom, c.message
	c.status = s
	watchers := c.watchers
	c.watchers = nil
	c.kernel.Note(c.cfg.Actor, "exit", strconv.Itoa(s.Code))
	for _, f := range watchers {
		c.kernel.Soon(c.cfg.Actor, "exited", func() { f(s) })
	}
}

// generate makes the content of the files that depend on the container.
func (c *Container) generate(key string) []byte {
	switch key {
	case "hostname":
		return []byte(c.cfg.Hostname + "\n")
	case "hosts":
		return []byte("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n10.244.0.2\t" + c.cfg.Hostname + "\n")
	case "resolv.conf":
		return []byte("search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n")
	case "mounts":
		var b strings.Builder
		for _, m := range c.view.Mounts() {
			access := "rw"
			if m.ReadOnly {
				access = "ro"
			}
			fmt.Fprintf(&b, "%s %s %s %s,relatime 0 0\n", m.Source, m.Path, m.Type, access)
		}
		return []byte(b.String())
	case "uptime":
		up := c.kernel.Elapsed().Seconds()
		return fmt.Appendf(nil, "%.2f %.2f\n", up, up)
	case "uuid":
		return []byte(c.entropy().UUID() + "\n")
	case "meminfo":
		return []byte("MemTotal:        8388608 kB\nMemFree:         4194304 kB\nMemAvailable:    6291456 kB\n")
	case "cpuinfo":
		return []byte("processor\t: 0\n\nprocessor\t: 1\n")
	}
	return nil
}

// Platform returns os/arch of the node.
func (c *Container) Platform() string { return c.cfg.Platform }

// Hostname returns the Pod's hostname.
func (c *Container) Hostname() string { return c.cfg.Hostname }

// View returns the mount namespace.
func (c *Container) View() *files.View { return c.view }
