//go:build linux

package osadapter_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/entrypoint/contract"
)

// launcher is a command that runs the launcher for a script.
func launcher(t *testing.T, root, script string, flags ...string) *exec.Cmd {
	t.Helper()
	put(t, root, "/tekton/", "")
	args := append(flags, "-post_file", root+"/tekton/run/0/out", "-termination_path", root+"/tekton/termination")
	cmd := exec.Command(self(t), append(args, "-entrypoint", "sh", "--", "-c", script)...)
	cmd.Env = []string{atOnce, envProgram + "=" + contract.Launcher, envRoot + "=" + root, "PATH=" + os.Getenv("PATH")}
	cmd.Dir = root
	return cmd
}

// await waits until ready.
func await(t *testing.T, what string, ready func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for start := time.Now(); !ready(); <-tick.C {
		if time.Since(start) > 30*time.Second {
			t.Fatalf("no %s", what)
		}
	}
}

// state is the state of a process, such as "S" or "Z", or empty if there is none.
func state(pid string) string {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return ""
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return after[:1]
}

// TestTimeoutEndsTheWholeGroup: what the command left in the background, deaf to SIGTERM, ends with it (EP-37 as
// departed from).
func TestTimeoutEndsTheWholeGroup(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	cmd := launcher(t, root, "trap '' TERM; sleep 300 & echo $! > child; (sleep 300 & echo $! > grandchild); wait", "-timeout", "10ms")
	cmd.Env = append(cmd.Env, envAfter+"="+root+"/grandchild")
	var failed *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &failed) || failed.ExitCode() != 1 {
		t.Errorf("exit: %v", err)
	}
	for _, name := range []string{"child", "grandchild"} {
		pid, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		await(t, "end of "+name, func() bool {
			s := state(strings.TrimSpace(string(pid)))
			return s == "" || s == "Z" // its reaper is the machine's init here
		})
	}
}

// TestCommandInheritsNoDescriptors: a command gets the standard streams and no descriptor that the launcher has or was
// given.
func TestCommandInheritsNoDescriptors(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	cmd := launcher(t, root, "for n in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$n ] && echo $n; done; true", "-stderr_path", root+"/err")
	leak, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer leak.Close()
	cmd.ExtraFiles = []*os.File{leak, leak}
	got, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("0\n1\n2\n", string(got)); diff != "" {
		t.Error(diff)
	}
}

// TestOutputOfALeftProcessDoesNotHoldTheStep: a background process that keeps the output open does not keep the step.
func TestOutputOfALeftProcessDoesNotHoldTheStep(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	cmd := launcher(t, root, "sleep 300 & echo $! > left; echo done", "-stdout_path", root+"/log")
	log, err := os.Create(filepath.Join(root, "container"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout = log
	start := time.Now()
	if err := cmd.Run(); err != nil || time.Since(start) > 30*time.Second {
		t.Errorf("after %s: %v", time.Since(start), err)
	}
	left, err := os.ReadFile(filepath.Join(root, "left"))
	if err != nil {
		t.Fatal(err)
	}
	if pid, err := strconv.Atoi(strings.TrimSpace(string(left))); err != nil || syscall.Kill(pid, syscall.SIGKILL) != nil {
		t.Errorf("process %q is not there (%v)", left, err)
	}
	if content, err := os.ReadFile(filepath.Join(root, "log")); err != nil || string(content) != "done\n" {
		t.Errorf("%q, %v", content, err)
	}
}

// TestMuchOutputIsKeptWhole: more than a pipe holds, in the file and in the log.
func TestMuchOutputIsKeptWhole(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	cmd := launcher(t, root, "yes 0123456789 | head -n 100000", "-stdout_path", root+"/log")
	got, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(filepath.Join(root, "log"))
	if err != nil || !bytes.Equal(kept, got) || len(got) != 1100000 {
		t.Errorf("%d bytes in the log, %d in the file (%v)", len(got), len(kept), err)
	}
}

// TestOutputForASlowLogIsKeptWhole: what the command has written before its end is not lost when the log takes longer.
func TestOutputForASlowLogIsKeptWhole(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	const size = 120_000 // one pipe to the launcher and one to the log hold it
	cmd := launcher(t, root, fmt.Sprintf("echo $$ > pid; head -c %d /dev/zero", size), "-stdout_path", root+"/kept")
	log, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "command", func() bool { return contract.HasContent(root + "/pid") })
	pid, err := os.ReadFile(root + "/pid")
	if err != nil {
		t.Fatal(err)
	}
	await(t, "end of the command", func() bool { return state(strings.TrimSpace(string(pid))) == "" })
	<-time.After(300 * time.Millisecond) // longer than the launcher waits for a process that was left behind
	got, err := io.ReadAll(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if kept, err := os.ReadFile(root + "/kept"); err != nil || len(got) != size || len(kept) != size {
		t.Errorf("%d bytes in the log, %d in the file, want %d (%v)", len(got), len(kept), size, err)
	}
}

// startAsFirst starts a command as PID 1 where the machine lets it.
func startAsFirst(t *testing.T, cmd *exec.Cmd) bool {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
	}
	if err := cmd.Start(); err != nil {
		t.Logf("this machine has no PID namespaces for tests: %v", err)
		return false
	}
	return true
}

// TestFirstProcessReapsOrphans runs the launcher as PID 1 where the machine lets it.
func TestFirstProcessReapsOrphans(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	cmd := launcher(t, root, "for i in 1 2 3 4 5; do (sleep 0.01 &); done; sleep 0.2; echo up > ready; while [ ! -e go ]; do sleep 0.01; done")
	if !startAsFirst(t, cmd) {
		return
	}
	await(t, "orphans", func() bool { return contract.HasContent(root + "/ready") })
	await(t, "end of the orphans", func() bool { return len(childrenOf(t, cmd.Process.Pid)) == 1 })
	for pid, state := range childrenOf(t, cmd.Process.Pid) {
		if state == "Z" {
			t.Errorf("process %s is a zombie", pid)
		}
	}
	put(t, root, "/go", "")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestFirstProcessReapsForeignOrphans: while it waits it has no command, but it is given what a person who looks around
// leaves behind.
func TestFirstProcessReapsForeignOrphans(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	put(t, root, "/tekton/creds-secrets/s/.dockerconfigjson", `{"auths":{"a":{}}}`)
	cmd := launcher(t, root, "exit 0", "-wait_file", root+"/go", "-docker-config", "s")
	if !startAsFirst(t, cmd) {
		return
	}
	await(t, "credentials", func() bool { return contract.HasContent(root + "/tekton/creds/.docker/config.json") })
	enter := exec.Command("nsenter", "--target", strconv.Itoa(cmd.Process.Pid), "--pid", "sh", "-c", "(sleep 0.2 & echo left >"+root+"/left)")
	if out, err := enter.CombinedOutput(); err != nil {
		t.Logf("this machine does not let tests enter namespaces: %v %s", err, out)
	} else {
		await(t, "orphan", func() bool { return contract.HasContent(root + "/left") })
		await(t, "end of the orphan", func() bool { return len(childrenOf(t, cmd.Process.Pid)) == 0 })
	}
	put(t, root, "/go", "")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// childrenOf are the children of a process and their states.
func childrenOf(t *testing.T, pid int) map[string]string {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	children := map[string]string{}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // gone
		}
		_, after, _ := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(after); len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			children[filepath.Base(filepath.Dir(path))] = fields[0]
		}
	}
	return children
}

// TestSignalsAsFirstProcess: PID 1 has no default actions, so what ends others must be handed on.
func TestSignalsAsFirstProcess(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	cmd := launcher(t, root, "echo up > ready; exec sleep 300")
	if !startAsFirst(t, cmd) {
		return
	}
	await(t, "command", func() bool { return contract.HasContent(root + "/ready") })
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var failed *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &failed) || failed.ExitCode() != 143 {
		t.Errorf("exit: %v, want 143", err)
	}
}

// TestHermeticStepHasNoNetwork: EP-47, where the machine lets processes have namespaces.
func TestHermeticStepHasNoNetwork(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	cmd := launcher(t, root, "cat /proc/net/dev | grep -c :; echo $$")
	cmd.Env = append(cmd.Env, "TEKTON_HERMETIC=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	got, err := cmd.Output()
	if err != nil {
		if !strings.Contains(stderr.String(), "operation not permitted") && !strings.Contains(stderr.String(), "invalid argument") {
			t.Errorf("%v: %s", err, stderr.String())
		}
		t.Logf("this machine has no namespaces for tests: %s", stderr.String())
		return
	}
	if want := "1\n1\n"; string(got) != want { // one interface, and PID 1 of its own namespace
		t.Errorf("%q, want %q", got, want)
	}
}

// TestNopEndsBySignal: §5.9.
func TestNopEndsBySignal(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		cmd := exec.Command(self(t), "tekton_run_indefinitely")
		cmd.Env = []string{atOnce, envProgram + "=" + contract.Nop, envReady + "=1"}
		ready, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := ready.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", sig, err)
		}
	}
}
