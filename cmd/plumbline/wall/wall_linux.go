package wall

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// inChild is set in the child's environment, to its limit.
const inChild = "PLUMBLINE_WALL"

// Descriptors that the child has besides the standard ones.
const (
	fdStderr = 3
	fdPage   = 4
)

// maxStack bounds a goroutine's stack in the child: evaluators bound their depth long before.
const maxStack = 512 << 20

// exitBudget is the command line's exit code for a budget that ran out, exitInvalid for a wrong setting, exitBroken for a
// crash of the tool.
const (
	exitInvalid = 3
	exitBudget  = 4
	exitBroken  = 10
)

// notes is the child's page; nil elsewhere.
var notes page

// Guard runs a command line that simulates containers in a child process, and returns that process's exit code and true. In
// the child, and for all other command lines, it returns false: the caller does the work.
func Guard(args []string) (code int, done bool) {
	if text := os.Getenv(inChild); text != "" {
		settle(text)
		return 0, false
	}
	if !simulates(args[1:]) {
		return 0, false
	}
	most, err := limit()
	if err != nil {
		fmt.Fprintln(os.Stderr, "plumbline:", err)
		return exitInvalid, true
	}
	if most == 0 {
		return 0, false
	}
	code, err = parent(args, most)
	if err != nil { // a machine that has no such things goes without
		return 0, false
	}
	return code, true
}

// parent starts the child and waits for it. An error means that it was not started.
func parent(args []string, most int64) (int, error) {
	shared, err := memory("notes")
	if err != nil {
		return 0, err
	}
	defer shared.Close() //nolint:errcheck // it is in memory
	if err := shared.Truncate(pageSize); err != nil {
		return 0, err
	}
	said, err := memory("runtime")
	if err != nil {
		return 0, err
	}
	defer said.Close() //nolint:errcheck // it is in memory
	view, err := unix.Mmap(int(shared.Fd()), 0, pageSize, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return 0, err
	}
	defer unix.Munmap(view) //nolint:errcheck // the process ends
	runtime.LockOSThread()  // Pdeathsig is about the thread that started the child
	defer runtime.UnlockOSThread()
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: args, Env: append(os.Environ(), inChild+"="+strconv.FormatInt(most, 10)),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: said, ExtraFiles: []*os.File{os.Stderr, shared},
		SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for waiting := true; waiting; {
		select {
		case s := <-signals:
			_ = cmd.Process.Signal(s) // it may have ended
		case err = <-ended:
			waiting = false
		}
	}
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		fmt.Fprintln(os.Stderr, "plumbline:", err)
		return exitBroken, nil
	}
	text, err := io.ReadAll(io.NewSectionReader(said, 0, 1<<20))
	if err != nil {
		text = []byte(err.Error())
	}
	p := page(view)
	if p.finished() {
		_, _ = os.Stderr.Write(text) // of a library that does not know where people read
		return cmd.ProcessState.ExitCode(), nil
	}
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() && status.Signal() == syscall.SIGPIPE {
		return 128 + int(syscall.SIGPIPE), nil // the reader wants no more, as head does
	}
	message, ofLimit := verdict(string(text), status.Signal() == syscall.SIGKILL, most, p.ran())
	if !ofLimit {
		fmt.Fprintf(os.Stderr, "plumbline: the tool crashed (%s):\n%s\n", cmd.ProcessState, strings.TrimSpace(message))
		return exitBroken, nil
	}
	fmt.Fprintln(os.Stderr, "plumbline:", message)
	return exitBudget, nil
}

// memory is a file without a place in the file system.
func memory(name string) (*os.File, error) {
	fd, err := unix.MemfdCreate("plumbline-"+name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("making a file in memory: %w", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// settle gives the child its limit and its notes.
func settle(text string) {
	if err := os.Unsetenv(inChild); err != nil {
		return
	}
	most, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return
	}
	unix.CloseOnExec(fdStderr)
	unix.CloseOnExec(fdPage)
	view, err := unix.Mmap(fdPage, 0, pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return
	}
	notes = view
	debug.SetMaxStack(maxStack)
	debug.SetMemoryLimit(most / 2)    // the collector works harder before the wall is reached
	if addresses() > uint64(most)/2 { // as under the race detector, which reserves terabytes
		return
	}
	_ = unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: uint64(most), Max: uint64(most)})
}

// addresses is how large this process's address space is.
func addresses() uint64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	size, _, _ := strings.Cut(string(text), " ")
	pages, err := strconv.ParseUint(size, 10, 64)
	if err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}

// Stderr is where people read.
func Stderr() *os.File {
	if notes == nil {
		return os.Stderr
	}
	return os.NewFile(fdStderr, "/dev/stderr")
}

// Done notes that the process ends by itself.
func Done() {
	if notes != nil {
		notes.finish()
	}
}

// Turns returns a function that notes which container of one cluster has its turn, or nil if the notes are not read. Each
// cluster needs its own function.
func Turns() func(actor string) {
	if notes == nil {
		return nil
	}
	return notes.slot()
}
