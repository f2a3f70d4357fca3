//go:build linux

package osadapter_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/plumbline-ci/plumbline/entrypoint/contract"
)

// What a machine refuses: room, rights, open files, inotify instances.

// asUser is a user namespace in which the test's own user has another number; as 0 it may mount and set limits, as
// another it has no rights but those of a files' owner.
func asUser(id int, flags uintptr) *syscall.SysProcAttr {
	is := func(host int) []syscall.SysProcIDMap {
		return []syscall.SysProcIDMap{{ContainerID: id, HostID: host, Size: 1}}
	}
	return &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | flags,
		UidMappings: is(os.Getuid()), GidMappings: is(os.Getgid())}
}

// cannot says that the machine does not let tests have namespaces, which shows when the command could not be started or
// ended with unable, the code by which the scripts here say so.
func cannot(t *testing.T, err error) bool {
	t.Helper()
	var failed *exec.ExitError
	if err == nil || errors.As(err, &failed) && failed.ExitCode() != unable {
		return false
	}
	t.Logf("this machine does not let tests do this: %v", err)
	return true
}

const unable = 77

// TestOpenFileLimitIsHandedOn: the limit that the container was given, not the one that Go's runtime raised for itself.
func TestOpenFileLimitIsHandedOn(t *testing.T) {
	t.Parallel()
	for _, flags := range []string{"", "-stdout_path log"} {
		root := newRoot(t)
		cmd := launcher(t, root, "")
		cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", fmt.Sprintf("ulimit -S -n 64; ulimit -H -n 128; "+
			"exec %s -termination_path tekton/termination %s -entrypoint sh -- -c 'ulimit -S -n; ulimit -H -n'", self(t), flags)}
		if out, err := cmd.Output(); err != nil || string(out) != "64\n128\n" {
			t.Errorf("%q: the command may open %q files, want 64 and 128 at the most (%v)", flags, out, err)
		}
	}
}

// TestLauncherAsAnotherUser is the contract without the rights of root.
func TestLauncherAsAnotherUser(t *testing.T) {
	t.Parallel()
	probe := exec.Command("true")
	probe.SysProcAttr = asUser(1000, 0)
	if !cannot(t, probe.Run()) {
		contract.Run(t, realWorld{attributes: probe.SysProcAttr})
	}
}

// TestNoInotifyInstanceIsLeft: waiting goes on without events (EP-10, EP-11).
func TestNoInotifyInstanceIsLeft(t *testing.T) {
	t.Parallel()
	for _, limit := range []string{"max_inotify_instances", "max_inotify_watches"} {
		root := newRoot(t)
		cmd := launcher(t, root, "")
		cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", fmt.Sprintf(`f=/proc/sys/user/%s
{ echo 0 > $f && [ $(cat $f) = 0 ]; } 2>/dev/null || exit 77
echo up > ready
exec %s -wait_file go/now -termination_path tekton/termination -entrypoint echo -- ran`, limit, self(t))}
		cmd.SysProcAttr = asUser(0, 0)
		var stdout bytes.Buffer
		cmd.Stdout = &stdout
		err := cmd.Start()
		if err == nil {
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			await(t, "waiting", func() bool { return contract.HasContent(root+"/ready") || len(ended) > 0 })
			put(t, root, "/go/now", "")
			err = <-ended
		}
		if cannot(t, err) {
			return
		}
		if err != nil || stdout.String() != "ran\n" {
			t.Errorf("%s: %v, %q", limit, err, stdout.String())
		}
	}
}

// TestFullDevice: EP-46 where the file takes nothing.
func TestFullDevice(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	cmd := launcher(t, root, "echo one", "-stdout_path", "/dev/full")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	got, err := cmd.Output()
	if err == nil || string(got) != "one\n" {
		t.Errorf("%q, %v", got, err)
	}
	if want := "Error executing command: writing output to \"/dev/full\": write /dev/full: no space left on device\n"; stderr.String() != want {
		t.Errorf("%q, want %q", stderr.String(), want)
	}
}

// TestPipeAsAResult: EP-31 as decided; nothing that a step leaves behind holds the launcher.
func TestPipeAsAResult(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	put(t, root, "/tekton/results/", "")
	cmd := launcher(t, root, "mkfifo tekton/results/a", "-results", "a")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	var failed *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &failed) || failed.ExitCode() != 1 || !strings.Contains(stderr.String(), "not a regular file") {
		t.Errorf("%v, %q", err, stderr.String())
	}
}

// TestPipeAsOutputFile: a pipe without a reader does not hold the launcher.
func TestPipeAsOutputFile(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	if err := syscall.Mkfifo(root+"/log", 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := launcher(t, root, "echo never", "-stdout_path", root+"/log")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	var failed *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &failed) || failed.ExitCode() != 1 || !strings.Contains(stderr.String(), "no such device or address") {
		t.Errorf("%v, %q", err, stderr.String())
	}
}

// TestNoRights: a user other than root, to which files are closed: a result fails the step (EP-31 as decided), a wait file
// ends the waiting (EP-12), a secret is a bad argument (EP-33); each time the following steps are notified.
func TestNoRights(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason, locked string
		flags          []string
		code           int
		stderr         string
	}{
		{"a result that may not be read", "/tekton/results/a", []string{"-results", "a"}, 1,
			"Error while handling results: result \"a\": open ROOT/tekton/results/a: permission denied\n"},
		{"results that may not be reached", "/tekton/results/", []string{"-results", "a"}, 1,
			"Error while handling results: result \"a\": open ROOT/tekton/results: permission denied\n"},
		{"a wait file that may not be reached", "/tekton/before/", []string{"-wait_file", "ROOT/tekton/before/out"}, 1,
			"Error executing command: waiting for \"ROOT/tekton/before/out\": stat ROOT/tekton/before/out: permission denied\n"},
		{"a secret that may not be read", "/tekton/creds-secrets/s/.dockercfg", []string{"-docker-cfg", "s"}, 2,
			"invalid value \"s\" for flag -docker-cfg: open ROOT/tekton/creds-secrets/s/.dockercfg: permission denied\n"},
	} {
		root := newRoot(t)
		put(t, root, tt.locked, "")
		if err := os.Chmod(root+tt.locked, 0); err != nil {
			t.Fatal(err)
		}
		inside := strings.NewReplacer("ROOT", root)
		for i := range tt.flags {
			tt.flags[i] = inside.Replace(tt.flags[i])
		}
		cmd := launcher(t, root, "exit 0", tt.flags...)
		cmd.SysProcAttr = asUser(1000, 0)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		err := cmd.Run()
		if cannot(t, err) {
			return
		}
		if got, want := stderr.String(), inside.Replace(tt.stderr); cmd.ProcessState.ExitCode() != tt.code || got != want {
			t.Errorf("%s: exit code %d, want %d; %q, want %q", tt.reason, cmd.ProcessState.ExitCode(), tt.code, got, want)
		}
		if _, err := os.Stat(root + "/tekton/run/0/out.err"); err != nil {
			t.Errorf("%s: %v", tt.reason, err)
		}
		if err := os.Chmod(root+tt.locked, 0o700); err != nil { // so that it can be removed
			t.Error(err)
		}
	}
}

// TestFullDisk runs the launcher on a disk without room, where the machine lets tests mount one: nothing can be written,
// but the following steps are still notified, since an empty file takes no room.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	put(t, root, "/disk/", "")
	script := fmt.Sprintf(`mount -t tmpfs -o size=4k tmpfs disk || exit 77
mkdir -p disk/run/0; head -c 10000 /dev/zero > disk/filler 2>/dev/null
%s -post_file disk/run/0/out -termination_path disk/termination -step_metadata_dir disk/run/0/status -entrypoint true
echo $? $(ls disk/run/0)`, self(t))
	cmd := exec.Command("sh", "-c", script)
	cmd.Env = []string{atOnce, envProgram + "=" + contract.Launcher, envRoot + "=" + root, "PATH=" + os.Getenv("PATH")}
	cmd.Dir = root
	cmd.SysProcAttr = asUser(0, syscall.CLONE_NEWNS)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	got, err := cmd.Output()
	if cannot(t, err) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if want := "1 out.err status\n"; string(got) != want || !strings.Contains(stderr.String(), "no space left on device") {
		t.Errorf("%q, want %q: %s", got, want, stderr.String())
	}
}
