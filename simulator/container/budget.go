package container

import (
	"fmt"
	"time"
)

// Budget bounds what a container may do before the simulation ends it. Zero fields have defaults.
type Budget struct {
	// Steps is the number of commands and programs; default 20 million.
	Steps uint64
	// Bytes is the number of bytes read from files and written to files, pipes and logs; default 512 MiB.
	Bytes int64
	// Memory is what programs may hold, in bytes: the container's memory limit. Beyond it the container is killed as
	// the kernel's OOM killer does. Default 256 MiB.
	Memory int64
	// Processes is the number of processes at one time; default 512.
	Processes int
}

func (b Budget) withDefaults() Budget {
	if b.Steps == 0 {
		b.Steps = 20_000_000
	}
	if b.Bytes == 0 {
		b.Bytes = 512 << 20
	}
	if b.Memory == 0 {
		b.Memory = 256 << 20
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
	// hotFrom is the number of commands without waiting from which on each hotEvery further ones double the cost.
	hotFrom, hotEvery = 1 << 20, 1 << 16
	maxHot            = 19 // times it is doubled at most: about a second a command
)

// Spend accounts for computing: it lets time pass, and ends a container that has used up its budget.
func (p *Process) Spend(d time.Duration) {
	c := p.c
	if c.steps++; c.steps > c.cfg.Budget.Steps {
		c.abort(fmt.Sprintf("it ran more than %d commands", c.cfg.Budget.Steps))
		p.unwind()
	}
	if p.hot++; p.hot > hotFrom {
		d <<= min((p.hot-hotFrom)/hotEvery+1, maxHot)
	}
	if p.debt += d; p.debt < quantum || !p.running {
		return
	}
	d, p.debt = p.debt, 0
	until := c.kernel.Elapsed() + d
	p.running = false
	for left := d; left > 0; left = until - c.kernel.Elapsed() {
		p.co.ParkFor(left)
	}
	p.running = true
}

// transfers accounts for bytes that are read from a file or written.
func (c *Container) transfers(p *Process, n int64) {
	if c.bytes += n; c.bytes > c.cfg.Budget.Bytes {
		c.abort(fmt.Sprintf("it read and wrote more than %d bytes", c.cfg.Budget.Bytes))
		p.unwind()
	}
	p.debt += time.Duration(n) // a gigabyte a second
	if p.debt >= quantum {
		p.hot-- // this by itself is no command
		c.steps--
		p.Spend(0)
	}
}

// Allocate accounts for memory that the program holds more (or, if negative, less). A container that holds more than
// its limit is killed, all of it.
func (p *Process) Allocate(n int64) {
	p.memory += n
	if p.c.memory += n; p.c.memory > p.c.cfg.Budget.Memory && n > 0 && !p.c.exited {
		p.c.oom = true
		p.c.main.terminate(SIGKILL)
		p.unwind()
	}
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
