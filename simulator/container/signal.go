package container

import (
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Signal is a signal by its Linux number.
type Signal int

// The signals that have a meaning here.
const (
	SIGHUP    Signal = 1
	SIGINT    Signal = 2
	SIGQUIT   Signal = 3
	SIGILL    Signal = 4
	SIGTRAP   Signal = 5
	SIGABRT   Signal = 6
	SIGBUS    Signal = 7
	SIGFPE    Signal = 8
	SIGKILL   Signal = 9
	SIGUSR1   Signal = 10
	SIGSEGV   Signal = 11
	SIGUSR2   Signal = 12
	SIGPIPE   Signal = 13
	SIGALRM   Signal = 14
	SIGTERM   Signal = 15
	SIGSTKFLT Signal = 16
	SIGCHLD   Signal = 17
	SIGCONT   Signal = 18
	SIGSTOP   Signal = 19
	SIGTSTP   Signal = 20
	SIGTTIN   Signal = 21
	SIGTTOU   Signal = 22
	SIGURG    Signal = 23
	SIGXCPU   Signal = 24
	SIGXFSZ   Signal = 25
	SIGVTALRM Signal = 26
	SIGPROF   Signal = 27
	SIGWINCH  Signal = 28
	SIGIO     Signal = 29
	SIGPWR    Signal = 30
	SIGSYS    Signal = 31

	maxSignal = 64
)

func signalNames() []string {
	return []string{"EXIT", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
		"STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS"}
}

// Name returns the signal's name without SIG, or its number.
func (s Signal) Name() string {
	if names := signalNames(); s >= 0 && int(s) < len(names) {
		return names[s]
	}
	return strconv.Itoa(int(s))
}

// Description is what a shell says of a process that the signal killed, empty where it says nothing.
func (s Signal) Description() string {
	switch s {
	case SIGINT, SIGPIPE:
		return ""
	case SIGHUP:
		return "Hangup"
	case SIGQUIT:
		return "Quit"
	case SIGABRT:
		return "Aborted"
	case SIGKILL:
		return "Killed"
	case SIGSEGV:
		return "Segmentation fault"
	case SIGALRM:
		return "Alarm clock"
	case SIGTERM:
		return "Terminated"
	case SIGUSR1:
		return "User defined signal 1"
	case SIGUSR2:
		return "User defined signal 2"
	}
	return "Signal " + strconv.Itoa(int(s))
}

// ParseSignal reads a signal by number or by name, with or without SIG, in any case. EXIT is 0.
func ParseSignal(text string) (Signal, bool) {
	if n, err := strconv.Atoi(text); err == nil {
		return Signal(n), n >= 0 && n <= maxSignal
	}
	i := slices.Index(signalNames(), strings.TrimPrefix(strings.ToUpper(text), "SIG"))
	return Signal(i), i >= 0
}

// disposition is what a process does with a signal.
type disposition uint8

const (
	byDefault disposition = iota
	ignored
	handled
)

// Handle makes signal s pending when it arrives, for [Process.TakeSignal], instead of its default action. A blocked
// call then returns EINTR.
func (p *Process) Handle(s Signal) { p.dispose(s, handled) }

// Ignore makes the process ignore signal s; its children will, too.
func (p *Process) Ignore(s Signal) { p.dispose(s, ignored) }

// Ignores reports whether the process ignores signal s.
func (p *Process) Ignores(s Signal) bool {
	return s > 0 && s <= maxSignal && p.dispositions[s] == ignored
}

// Default gives signal s its default action.
func (p *Process) Default(s Signal) { p.dispose(s, byDefault) }

func (p *Process) dispose(s Signal, d disposition) {
	if s <= 0 || s > maxSignal || s == SIGKILL || s == SIGSTOP {
		return
	}
	p.dispositions[s] = d
	if d != handled {
		p.pending &^= s.bit()
	}
}

// bit is the place of a signal among those that are pending.
func (s Signal) bit() uint64 { return 1 << (s - 1) }

// TakeSignal returns the pending signal with the lowest number.
func (p *Process) TakeSignal() (Signal, bool) {
	if p.pending == 0 {
		return 0, false
	}
	for s := Signal(1); s <= maxSignal; s++ {
		if p.pending&s.bit() != 0 {
			p.pending &^= s.bit()
			return s, true
		}
	}
	return 0, false
}

// SignalPending reports whether TakeSignal would return one.
func (p *Process) SignalPending() bool { return p.pending != 0 }

// deliver acts on a signal as the process wants it.
func (p *Process) deliver(s Signal) {
	if p.dead || s == 0 || s < 0 || s > maxSignal {
		return
	}
	switch p.dispositions[s] {
	case ignored:
		return
	case handled:
		p.pending |= s.bit()
		p.wake()
		return
	}
	switch s {
	case SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU:
		return
	}
	if p.pid == 1 {
		return // deaf without a handler, as the init of a PID namespace
	}
	p.terminate(s)
}

// terminate ends the process by a signal.
func (p *Process) terminate(s Signal) {
	if p.dead || p.ending {
		return
	}
	p.ending = true
	p.status = ExitStatus{Code: 128 + int(s), Signal: s}
	if p.running {
		panic(ended{})
	}
	p.co.Kill()
}

// Die ends the process by a signal that it has handled before. Process 1, which no signal of its own reaches, exits with the
// code that shells have for it.
func (p *Process) Die(s Signal) {
	if p.pid == 1 {
		p.Exit(128 + int(s))
	}
	p.terminate(s)
}

// Kill sends a signal to a process (pid > 0), to a process group (pid < -1), to the caller's own group (0), or to every
// process but 1 and the caller (-1). Signal 0 only asks whether there is such a process.
func (p *Process) Kill(pid int, s Signal) error {
	var targets []*Process
	for _, q := range p.c.procs {
		if q.ending {
			continue
		}
		switch {
		case pid > 0 && q.pid == pid, pid == 0 && q.pgid == p.pgid, pid < -1 && q.pgid == -pid, pid == -1 && q.pid != 1 && q != p:
			targets = append(targets, q)
		}
	}
	if pid > 0 && len(targets) == 0 {
		for _, q := range p.c.procs {
			if q.pid == pid {
				return nil // a zombie
			}
		}
	}
	if len(targets) == 0 {
		return syscall.ESRCH
	}
	allowed := targets[:0]
	for _, q := range targets {
		if p.UID == 0 || p.UID == q.UID {
			allowed = append(allowed, q)
		}
	}
	if len(allowed) == 0 {
		return syscall.EPERM
	}
	self := false
	for _, q := range allowed {
		if q == p {
			self = true
			continue
		}
		if s == SIGKILL {
			if q.pid != 1 {
				q.terminate(s)
			}
			continue
		}
		q.deliver(s)
	}
	if self {
		if s == SIGKILL && p.pid != 1 {
			p.terminate(s)
		}
		p.deliver(s)
	}
	return nil
}
