//go:build linux

// Package real runs scripts with the real programs: bash, BusyBox, dash and jq, from Debian's packages.
//
// Each script runs in a root of its own that is thrown away afterwards: a tmpfs with the programs mounted read-only, in
// namespaces of its own for mounts and processes. The shell is process 1, as in a container, and everything it leaves
// running is killed with it. CPU time, memory, the size of files and the time on the clock are limited. All of this
// needs root.
package real

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plumbline-ci/plumbline/internal/differential/outcome"
)

// Limits of one run.
const (
	mostTime   = 10 * time.Second
	mostCPU    = 5 * time.Second // of one process; see the wrapper
	mostOutput = 4 << 20
	// wrapper is what process 1 does before it becomes the shell: /proc has to be mounted from inside its namespace. The
	// number of the processes that it starts is known to package simulated.
	wrapper = `mount -t proc -o ro proc /proc && hostname host && ulimit -t 5 -v 2000000 -f 131072 && unset SHLVL PWD OLDPWD && exec "$@"`
)

// Runner runs scripts one after the other on a thread of its own.
type Runner struct {
	// Applets are the utilities that the simulated image and this BusyBox both have.
	Applets []string

	base string
	jobs chan job
	gone chan struct{}
}

type job struct {
	sh     string
	argv   []string
	answer chan<- outcome.Outcome
}

// New prepares a runner. The error says why scripts cannot be run here: a program is missing, or the right to make
// namespaces is.
func New() (*Runner, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("only root may make a root directory and namespaces")
	}
	restoreSignals()
	base, err := os.MkdirTemp("", "differential")
	if err != nil {
		return nil, err
	}
	r := &Runner{base: base, jobs: make(chan job), gone: make(chan struct{})}
	if r.Applets, err = buildRoot(filepath.Join(base, "programs")); err != nil {
		return nil, errors.Join(err, os.RemoveAll(base))
	}
	if err := os.Mkdir(filepath.Join(base, "root"), 0o755); err != nil {
		return nil, errors.Join(err, os.RemoveAll(base))
	}
	started := make(chan error)
	go r.serve(started)
	if err := <-started; err != nil {
		return nil, errors.Join(err, r.Close())
	}
	if o := r.Run("ash", []string{"sh", "-c", "echo $$"}); o.Failure != "" || o.Stdout != "1\n" {
		return nil, errors.Join(fmt.Errorf("a trial run has failed: %+v", o), r.Close())
	}
	return r, nil
}

// restoreSignals makes scripts start with the default action of every signal, as in a container. What this process ignores,
// as under nohup or in the background of a shell, they would ignore too; what it catches, they do not inherit.
func restoreSignals() {
	for n := syscall.Signal(1); n < 32; n++ {
		if signal.Ignored(n) {
			signal.Notify(make(chan os.Signal, 1), n)
		}
	}
}

// Close ends the runner and removes its files.
func (r *Runner) Close() error {
	close(r.jobs)
	<-r.gone
	return os.RemoveAll(r.base)
}

// Run runs a script: argv, where sh is the program that is named (ash or dash).
func (r *Runner) Run(sh string, argv []string) outcome.Outcome {
	answer := make(chan outcome.Outcome, 1)
	r.jobs <- job{sh, argv, answer}
	return <-answer
}

// serve does the runs. It keeps its thread, which is the only one that sees the mounts.
func (r *Runner) serve(started chan<- error) {
	defer close(r.gone)
	runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
	err := unix.Unshare(unix.CLONE_NEWNS)
	if err == nil {
		err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	}
	if err != nil {
		err = fmt.Errorf("a namespace of mounts: %w", err)
	} else {
		err = drop()
	}
	started <- err
	for j := range r.jobs {
		j.answer <- r.one(j)
	}
}

// kept are the capabilities that root has in containers, and the one to mount /proc with. Without dropping the others a
// script could set the machine's clock.
var kept = []int{unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FOWNER, unix.CAP_FSETID, unix.CAP_KILL, unix.CAP_SETGID, unix.CAP_SETUID,
	unix.CAP_SETPCAP, unix.CAP_NET_BIND_SERVICE, unix.CAP_NET_RAW, unix.CAP_SYS_CHROOT, unix.CAP_MKNOD, unix.CAP_AUDIT_WRITE,
	unix.CAP_SETFCAP, unix.CAP_SYS_ADMIN}

// drop takes the other capabilities from what this thread executes.
func drop() error {
	for c := range unix.CAP_LAST_CAP + 1 {
		if slices.Contains(kept, c) {
			continue
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0); err != nil && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	return nil
}

// one runs one script.
func (r *Runner) one(j job) outcome.Outcome {
	root := filepath.Join(r.base, "root")
	if err := unix.Mount("tmpfs", root, "tmpfs", 0, "size=64m,nr_inodes=16k,mode=755"); err != nil {
		return outcome.Outcome{Failure: "tmpfs: " + err.Error()}
	}
	defer unix.Unmount(root, unix.MNT_DETACH) //nolint:errcheck // the namespace takes it along
	if err := r.furnish(root, j.sh); err != nil {
		return outcome.Outcome{Failure: err.Error()}
	}
	stdout, stderr := &limited{}, &limited{}
	c := &exec.Cmd{
		Path:   "/bin/busybox",
		Args:   append([]string{"sh", "-c", wrapper, "sh"}, j.argv...),
		Dir:    "/tmp/w",
		Env:    []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=host", "HOME=/root"},
		Stdout: stdout, Stderr: stderr,
		WaitDelay: time.Second,
		SysProcAttr: &syscall.SysProcAttr{
			Chroot: root, Setsid: true, Credential: &syscall.Credential{Groups: []uint32{0}}, // as runtimes start containers
			Pdeathsig:  syscall.SIGKILL,
			Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWNET,
		},
	}
	if err := c.Start(); err != nil {
		return outcome.Outcome{Failure: "start: " + err.Error()}
	}
	pid := c.Process.Pid
	late := make(chan struct{})
	timer := time.AfterFunc(mostTime, func() {
		close(late)
		_ = syscall.Kill(-pid, syscall.SIGKILL) // it may have ended
	})
	err := c.Wait()
	timer.Stop()
	_ = syscall.Kill(-pid, syscall.SIGKILL) // what it left behind, if anything
	o := outcome.Outcome{Stdout: stdout.String(), Stderr: stderr.String()}
	var exited *exec.ExitError
	killed := false
	switch status := c.ProcessState.Sys().(syscall.WaitStatus); {
	case err != nil && !errors.As(err, &exited):
		o.Failure = err.Error()
	case status.Signaled():
		o.Code = 128 + int(status.Signal())
		killed = status.Signal() == syscall.SIGKILL
	default:
		o.Code = status.ExitStatus()
	}
	select {
	case <-late:
		o.Failure = fmt.Sprintf("the script took longer than %v", mostTime)
	default:
	}
	used := c.ProcessState.UserTime() + c.ProcessState.SystemTime() // with all that it waited for
	if used >= mostCPU || killed {                                  // by the limit, which the kernel counts coarsely; no program inside can kill process 1
		o.Failure = fmt.Sprintf("the script computed for more than %v", mostCPU)
	}
	if noMemory.MatchString(o.Stderr) {
		o.Failure = "a program ran out of memory"
	}
	if filled(root) {
		o.Failure = "the script filled its files"
	}
	if stdout.full || stderr.full {
		o.Failure = fmt.Sprintf("the script printed more than %d bytes", mostOutput)
	}
	return o
}

// noMemory is what programs say when they reach the limit of memory.
var noMemory = regexp.MustCompile(`(?i)(cannot allocate memory|out of memory|memory exhausted)`)

// filled reports whether a script has written so much that a write may have failed for want of space.
func filled(root string) bool {
	var st unix.Statfs_t
	return unix.Statfs(root, &st) == nil && st.Bfree < st.Blocks/2
}

// furnish puts into the root what the simulated image has too.
func (r *Runner) furnish(root, sh string) error {
	for _, dir := range []string{"tmp/w", "proc", "dev/shm", "etc", "root", "bin", "lib", "lib64", "var/tmp", "usr/bin", "home", "opt", "run", "sys"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	if err := errors.Join(unix.Chmod(filepath.Join(root, "tmp"), 0o1777), os.Chmod(filepath.Join(root, "root"), 0o700)); err != nil {
		return err
	}
	for _, dir := range []string{"bin", "lib", "lib64"} {
		from := filepath.Join(r.base, "programs", dir)
		if _, err := os.Stat(from); err != nil {
			continue
		}
		if err := unix.Mount(from, filepath.Join(root, dir), "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount %s: %w", dir, err)
		}
	}
	target := map[string]string{"ash": "busybox", "dash": "dash", "bash": "bash"}[sh]
	if target == "" {
		return fmt.Errorf("no shell is called %q", sh)
	}
	// The directory of programs is shared, so only what it does not yet have is written to it.
	link := filepath.Join(root, "bin/sh")
	if old, err := os.Readlink(link); err != nil || old != target {
		if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Symlink(target, link); err != nil {
			return err
		}
	}
	if err := unix.Mount("", filepath.Join(root, "bin"), "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("mount bin read-only: %w", err)
	}
	for name, number := range map[string][2]uint32{"null": {1, 3}, "zero": {1, 5}, "full": {1, 7}, "random": {1, 8}, "urandom": {1, 9}, "tty": {5, 0}} {
		path := filepath.Join(root, "dev", name)
		if err := unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(number[0], number[1]))); err != nil {
			return fmt.Errorf("device %s: %w", name, err)
		}
		if err := os.Chmod(path, 0o666); err != nil {
			return err
		}
	}
	for name, target := range map[string]string{"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"} {
		if err := os.Symlink(target, filepath.Join(root, "dev", name)); err != nil {
			return err
		}
	}
	if err := os.Symlink("../../bin/env", filepath.Join(root, "usr/bin/env")); err != nil {
		return err
	}
	files := map[string][]string{
		"etc/passwd": {"root:x:0:0:root:/root:/bin/sh", "daemon:x:1:1:daemon:/usr/sbin:/bin/false", "www-data:x:33:33:www-data:/var/www:/bin/false", "nobody:x:65534:65534:nobody:/home:/bin/false"},
		"etc/group":  {"root:x:0:", "daemon:x:1:", "www-data:x:33:", "nobody:x:65534:"},
	}
	for name, lines := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// limited keeps what is written to it, up to a limit. The buffer is not embedded, because it would be read into without a
// limit then.
type limited struct {
	kept bytes.Buffer
	full bool
}

func (l *limited) Write(b []byte) (int, error) {
	if l.kept.Len()+len(b) > mostOutput {
		l.full = true
		return len(b), nil
	}
	return l.kept.Write(b)
}

func (l *limited) String() string { return l.kept.String() }
