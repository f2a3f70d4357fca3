//go:build unix

package osadapter_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/entrypoint"
	"github.com/plumbline-ci/plumbline/entrypoint/contract"
	"github.com/plumbline-ci/plumbline/entrypoint/osadapter"
)

// Variables that make the test binary one of the programs, with its fixed paths below another root.
const (
	envProgram = "PLUMBLINE_TEST_PROGRAM"
	envRoot    = "PLUMBLINE_TEST_ROOT"
	envReady   = "PLUMBLINE_TEST_READY" // say so on standard output when signals are heard
	envAfter   = "PLUMBLINE_TEST_AFTER" // no timeout before this file has content
)

// atOnce keeps a program built with the race detector from sleeping for a second at its end.
const atOnce = "GORACE=atexit_sleep_ms=0"

func TestMain(m *testing.M) {
	if program := os.Getenv(envProgram); program != "" {
		os.Exit(runProgram(program, os.Getenv(envRoot)))
	}
	os.Exit(m.Run())
}

func runProgram(program, root string) int {
	sys := osadapter.New()
	if os.Getenv(envReady) != "" {
		fmt.Println("ready")
	}
	if file := os.Getenv(envAfter); file != "" {
		sys.Processes = contract.DeadlinesAfter(file, sys.Processes)
	}
	sys.Env = slices.DeleteFunc(sys.Env, func(entry string) bool { return strings.HasPrefix(entry, "PLUMBLINE_") })
	sys.Platform = contract.Platform
	sys.Grace = contract.Grace
	fixed := entrypoint.DefaultPaths()
	sys.Paths = entrypoint.Paths{
		Steps: root + fixed.Steps, Run: root + fixed.Run, Results: root + fixed.Results, Creds: root + fixed.Creds,
		CredsSecrets: root + fixed.CredsSecrets, Workspace: root + fixed.Workspace,
	}
	switch program {
	case contract.Nop:
		return entrypoint.Nop(sys, os.Args[1:])
	case contract.WorkingDirInit:
		return entrypoint.WorkingDirInit(sys, os.Args[1:])
	case contract.SidecarLogResults:
		return entrypoint.SidecarLogResults(sys, os.Args[1:])
	default:
		return entrypoint.Main(sys, os.Args[1:])
	}
}

func TestLauncherOnThisSystem(t *testing.T) {
	t.Parallel()
	contract.Run(t, realWorld{})
}

// TestLauncherByPolling is the contract for a system without file events.
func TestLauncherByPolling(t *testing.T) {
	t.Parallel()
	contract.Run(t, realWorld{env: []string{osadapter.EnvWait + "=" + osadapter.WaitByPolling}})
}

// realWorld runs the programs as real processes, in a directory that stands for the container's root.
type realWorld struct {
	env []string
	// attributes of the program's process.
	attributes *syscall.SysProcAttr
}

func (w realWorld) Run(t *testing.T, c contract.Case) contract.Outcome {
	root := newRoot(t)
	inside := strings.NewReplacer("/tekton", root+"/tekton", "/workspace", root+"/workspace", "/home/user", root+"/home/user")
	outside := strings.NewReplacer(root, "")
	put(t, root, "/tekton/", "")
	for path, content := range c.Before {
		put(t, root, path, inside.Replace(content))
	}
	program := c.Program
	if program == "" {
		program = contract.Launcher
	}
	var args []string
	for _, arg := range c.Args {
		args = append(args, inside.Replace(arg))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, self(t), args...)
	cmd.Env = slices.Concat(w.env, c.Env, []string{
		atOnce, envProgram + "=" + program, envRoot + "=" + root, "HOME=" + root + "/home/user", "PATH=" + os.Getenv("PATH"),
	})
	cmd.Dir, cmd.SysProcAttr = root, w.attributes
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	err := w.happen(t, root, c.Events, cmd.Process, ended, inside)
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	files, modes := tree(t, root)
	for path, content := range files {
		files[path] = outside.Replace(content)
	}
	return contract.Outcome{
		Code: cmd.ProcessState.ExitCode(), Stdout: outside.Replace(stdout.String()), Stderr: outside.Replace(stderr.String()),
		Files: files, Modes: modes,
	}
}

// happen lets the events happen and waits for the program's end.
func (realWorld) happen(t *testing.T, root string, events []contract.Event, p *os.Process, ended <-chan error, inside *strings.Replacer) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		for len(events) > 0 && (events[0].After == "" || contract.HasContent(root+events[0].After)) {
			if e := events[0]; e.Signal != 0 {
				if err := p.Signal(syscall.Signal(e.Signal)); err != nil {
					t.Error(err)
				}
			} else {
				put(t, root, e.Put, inside.Replace(e.Content))
			}
			events = events[1:]
		}
		select {
		case err := <-ended:
			if len(events) > 0 {
				t.Errorf("did not come to event %+v", events[0])
			}
			return err
		case <-tick.C:
		}
	}
}

// newRoot is a directory whose path is short, since messages that name it are cut.
func newRoot(t *testing.T) string {
	t.Helper()
	root, err := os.MkdirTemp("", "pl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	return root
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// put makes a file as a case describes it, at once.
func put(t *testing.T, root, path, content string) {
	t.Helper()
	full := filepath.Join(root, path)
	if strings.HasSuffix(path, "/") {
		if err := os.MkdirAll(full, 0o755); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	neighbour := full + ".new"
	var err error
	if target, ok := strings.CutPrefix(content, "-> "); ok {
		err = os.Symlink(target, neighbour)
	} else {
		err = os.WriteFile(neighbour, []byte(content), 0o644)
	}
	if err == nil {
		err = os.Rename(neighbour, full)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// tree is all files below root, as a contract.Outcome tells them.
func tree(t *testing.T, root string) (files, modes map[string]string) {
	t.Helper()
	files, modes = map[string]string{}, map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, mode := strings.TrimPrefix(path, root), fmt.Sprintf("%#o", info.Mode().Perm())
		switch {
		case d.IsDir():
			modes[name+"/"] = mode
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			files[name] = "-> " + target
		default:
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files[name], modes[name] = string(content), mode
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, modes
}
