package container

import (
	"fmt"
	"math"
	"time"
)

// Budget bounds what a container may do before the simulation ends it. Zero fields have defaults.
type Budget struct {
	// Steps is the number of commands; a program that is started counts as 32, and a command of a container that has
	// computed two million without a pause as 128. Default 20 million.
	Steps uint64
	// Bytes is the number of bytes read from files and written to files, pipes and logs; default 512 MiB.
	Bytes int64
	// Output is the number of bytes written to standard output and standard error of the container; default 64 MiB.
	Output int64
	// Memory is what programs may hold, in bytes; default 64 MiB, or the container's own limit up to 256 MiB.
	Memory int64
	// Storage is what the files may hold that the container sees and that are not the image's, in bytes; default
	// 128 MiB. Files is their number; default 32768.
	Storage int64
	Files   int
	// Depth is how long the path of a working directory may be, in bytes; default 8 KiB. No path that is given to the
	// system may be longer than 4 KiB, so only going down step by step leads further.
	Depth int
	// Processes is the number of processes at one time; default 512.
	Processes int
}

const (
	defaultMemory = 64 << 20
	mostMemory    = 256 << 20
)

func (b Budget) withDefaults(limit int64) Budget {
	if b.Steps == 0 {
		b.Steps = 20_000_000
	}
	if b.Bytes == 0 {
		b.Bytes = 512 << 20
	}
	if b.Memory == 0 {
		b.Memory = max(defaultMemory, min(limit, mostMemory))
	}
	if b.Output == 0 {
		b.Output = 64 << 20
	}
	if b.Storage == 0 {
		b.Storage = 128 << 20
	}
	if b.Files == 0 {
		b.Files = 1 << 15
	}
	if b.Depth == 0 {
		b.Depth = 8 << 10
	}
	if b.Processes == 0 {
		b.Processes = 512
	}
	return b
}

// What computing costs.
const (
	// CommandCost is the time of one command that a shell runs by itself.
	CommandCost = 2 * time.Microsecond
	forkCost    = 200 * time.Microsecond
	execCost    = 400 * time.Microsecond
	// quantum is how much is computed before time passes.
	quantum = time.Millisecond
	// hotFrom is the number of commands without an idle moment from which on each hotEvery further ones double the cost.
	hotFrom, hotEvery = 1 << 20, 1 << 16
	maxHot            = 19 // times it is doubled at most: about a second a command
	// endless is how many commands one counts as that costs the most time: nothing but a loop without end comes so far.
	endless = 128
	// startWeight is how many commands a fork counts as, and the start of a program again.
	startWeight = 16
	// walkedAStep is how many directories that were walked through, on the way to files, count as a command.
	walkedAStep = 4
	// idle is how long a container has to do nothing to cool down.
	idle = 5 * time.Millisecond
	// lookEvery is how many commands, or bytes written, pass between two looks at what the files hold.
	lookEvery      = 1 << 8
	lookEveryBytes = 1 << 20
)

// Spend accounts for computing: it lets time pass, and ends a container that has used up its budget.
func (p *Process) Spend(d time.Duration) { p.spend(d, 1) }

// Compute accounts for steps of a program that computes without a shell: each is as much as a command, in time too.
func (p *Process) Compute(steps int) {
	p.spend(time.Duration(steps)*CommandCost, uint32(max(0, min(steps, math.MaxInt32))))
}

// spend is Spend for something that counts as several commands.
func (p *Process) spend(d time.Duration, weight uint32) {
	c := p.c
	before := c.steps
	if walked := p.Walked / walkedAStep; walked > 0 {
		p.Walked %= walkedAStep
		d += time.Duration(walked) * CommandCost
		weight += walked
	}
	steps := uint64(weight)
	if c.hot += weight; c.hot > hotFrom {
		doubled := min((c.hot-hotFrom)/hotEvery+1, maxHot)
		if d <<= doubled; doubled == maxHot {
			steps *= endless
		}
	}
	if c.steps += steps; c.steps > c.cfg.Budget.Steps {
		c.abort(fmt.Sprintf("it ran more than %d commands", c.cfg.Budget.Steps))
		p.unwind()
	}
	if before/lookEvery != c.steps/lookEvery {
		p.look()
	}
	p.debt += d
	p.pay()
}

// Work accounts for n commands' worth of computing that takes no simulated time: reading a script, growing a word.
func (p *Process) Work(n uint32) {
	c := p.c
	if c.steps += uint64(n); c.steps > c.cfg.Budget.Steps {
		c.abort(fmt.Sprintf("it ran more than %d commands", c.cfg.Budget.Steps))
		p.unwind()
	}
}

// Exceed ends the container because its program wants more of something than the simulation has: what says of what, as
// in "its shell nested commands more than 4000 deep". It does not return.
func (p *Process) Exceed(what string) {
	p.c.abort(what)
	p.Exit(128 + int(SIGKILL))
}

// startWeight is how many commands a fork or the start of a program counts as: more where every path is long.
func (p *Process) startWeight() uint32 { return startWeight + uint32(len(p.Dir))/16 }

// pay lets the time pass that is owed, if it is enough to be worth it.
func (p *Process) pay() {
	if p.debt < quantum || !p.running {
		return
	}
	c := p.c
	d := p.debt
	p.debt = 0
	c.computes(d)
	until := c.kernel.Elapsed() + d
	p.running = false
	for left := d; left > 0; left = until - c.kernel.Elapsed() {
		p.co.ParkFor(left)
	}
	p.running = true
}

// transfers accounts for bytes that are read from a file or written.
func (c *Container) transfers(p *Process, n int64) {
	p.settle()
	if c.bytes += n; c.bytes > c.cfg.Budget.Bytes {
		c.abort(fmt.Sprintf("it read and wrote more than %d bytes", c.cfg.Budget.Bytes))
		p.unwind()
	}
	p.debt += time.Duration(n) // a gigabyte a second
	p.pay()
}

// settle accounts for calls to the system that come without anything else that is accounted for.
func (p *Process) settle() {
	const many = 1 << 10
	if p.Walked >= many {
		p.spend(0, 0)
	}
}

// look ends a container whose files hold too much, or are too deep.
func (p *Process) look() {
	c := p.c
	used, number := c.view.Usage()
	switch {
	case used > c.cfg.Budget.Storage:
		c.abort(fmt.Sprintf("its files held more than %d bytes", c.cfg.Budget.Storage))
	case number > c.cfg.Budget.Files:
		c.abort(fmt.Sprintf("it had more than %d files", c.cfg.Budget.Files))
	case len(p.Dir) > c.cfg.Budget.Depth:
		c.abort(fmt.Sprintf("the path of a working directory had more than %d bytes", c.cfg.Budget.Depth))
	default:
		return
	}
	p.unwind()
}

// printed accounts for output.
func (c *Container) printed(p *Process, n int64) {
	if c.output += n; c.output > c.cfg.Budget.Output {
		c.abort(fmt.Sprintf("it printed more than %d bytes", c.cfg.Budget.Output))
		p.unwind()
	}
}

// computes notes that some process computes for d from now on. Processes compute at the same time: what counts is when
// any of them did.
func (c *Container) computes(d time.Duration) {
	now := c.kernel.Elapsed()
	from, to := max(now, c.busyUntil), now+d
	if to > from {
		c.busy += to - from
		c.busyUntil = to
	}
}

// computed returns for how long any process has computed so far.
func (c *Container) computed() time.Duration {
	return c.busy - max(0, c.busyUntil-c.kernel.Elapsed())
}

// cool forgets how much was computed when the container has been idle: when more time passed than it computed.
func (c *Container) cool(since, computed time.Duration) {
	if c.kernel.Elapsed()-since-(c.computed()-computed) >= idle {
		c.hot = 0
	}
}

// Allocate accounts for memory that the program holds more (or, if negative, less). A container that holds more than
// its limit is killed, all of it, as the kernel's OOM killer does.
func (p *Process) Allocate(n int64) {
	c := p.c
	p.memory += n
	c.memory += n
	if n <= 0 || c.exited {
		return
	}
	switch limit := c.cfg.MemoryLimit; {
	case limit > 0 && c.memory > limit:
		c.oom = true
		c.main.terminate(SIGKILL)
	case c.memory > c.cfg.Budget.Memory:
		c.abort(fmt.Sprintf("its programs held more than %d bytes of memory", c.cfg.Budget.Memory))
	default:
		return
	}
	p.unwind()
}

// abort ends the container because the simulation has had enough of it.
func (c *Container) abort(why string) {
	if c.exited || c.message != "" {
		return
	}
	c.message = "the simulation ended the container: " + why
	if c.cfg.Log != nil {
		c.cfg.Log(2, []byte("plumbline: "+c.message+"\n"))
	}
	if c.main != nil {
		c.main.terminate(SIGKILL)
	}
}
