//go:build unix

package envtest

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// guarding makes the test binary a process that has another under guard, for a test to kill.
const guarding = "PLUMBLINE_TEST_GUARDING"

func TestMain(m *testing.M) {
	if os.Getenv(guarding) == "" {
		os.Exit(m.Run())
	}
	if err := guard(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// guard starts a process under guard, prints it, and waits to be killed.
func guard() error {
	g, err := newGuardian()
	if err != nil {
		return err
	}
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		return err
	}
	wrapped, err := g.wrap(sleep)
	if err != nil {
		return err
	}
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	_ = in // held open
	cmd := exec.Command(wrapped, "1000")
	if err := cmd.Start(); err != nil {
		return err
	}
	for {
		// The wrapper has become the binary once it has left its id.
		if data, err := os.ReadFile(wrapped + ".pid"); err == nil && strings.HasSuffix(string(data), "\n") {
			break
		}
	}
	fmt.Println(cmd.Process.Pid, g.dir)
	_, err = out.Read(make([]byte, 1))
	return err
}

func TestKilledProcessLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), guarding+"=yes")
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			id, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
			guarded, err := strconv.Atoi(id)
			if err != nil {
				t.Fatalf("it says %q: %v", line, err)
			}
			if !runs(guarded) {
				t.Fatal("the process under guard has not been started")
			}
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // killed
			until(t, "the process under guard ends", func() bool { return !runs(guarded) })
			until(t, "the directory goes", func() bool {
				_, err := os.Stat(dir)
				return errors.Is(err, fs.ErrNotExist)
			})
		})
	}
}

func TestDismissedGuardianKillsNoProcess(t *testing.T) {
	t.Parallel()
	g, err := newGuardian()
	if err != nil {
		t.Fatal(err)
	}
	own := fmt.Appendln(nil, os.Getpid())
	if err := os.WriteFile(g.dir+"/test.pid", own, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := g.dismiss(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(g.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
}

func TestGuardianWrapsPathsWithSpecialCharacters(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + "/it's $HOME"
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/etcd", []byte("#!/bin/sh\necho $# \"$2\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	g, err := newGuardian()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.dismiss(); err != nil {
			t.Error(err)
		}
	})
	wrapped, err := g.wrap(dir + "/etcd")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(wrapped, "a", "b  c").Output()
	if err != nil || string(out) != "2 b  c\n" {
		t.Errorf("it prints %q, %v", out, err)
	}
}

// runs reports whether there is a process.
func runs(id int) bool { return syscall.Kill(id, 0) == nil }

// until waits for the world outside.
func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(time.Minute); !cond(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("it did not happen: " + what)
		}
	}
}
