package reference

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/entrypoint/contract"
	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/image"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/shell"
	"github.com/plumbline-ci/plumbline/simulator/userland"
)

// TestLauncherInSimulatedContainers holds the launcher to the same cases here as on a real operating system: one
// implementation, two worlds, the same files, exit codes and messages.
func TestLauncherInSimulatedContainers(t *testing.T) {
	t.Parallel()
	contract.Run(t, simulatedWorld{})
}

// TestLauncherInSimulatedContainersOfAnotherUser: without the rights of root.
func TestLauncherInSimulatedContainersOfAnotherUser(t *testing.T) {
	t.Parallel()
	contract.Run(t, simulatedWorld{user: 1000})
}

// simulatedWorld runs each case as process 1 of a container of its own.
type simulatedWorld struct {
	// user owns the files of the cases and runs the programs.
	user int64
}

// binaries are where the programs of the contract are in the container.
func binaries() map[string]string {
	return map[string]string{
		contract.Launcher: programEntrypoint, contract.Nop: programNop, contract.WorkingDirInit: programWorkingDirInit,
		contract.SidecarLogResults: programSidecarLogResults,
	}
}

func (w simulatedWorld) Run(t *testing.T, c contract.Case) contract.Outcome {
	k := kernel.New(kernel.Options{Seed: 1})
	tree := image.Busybox()
	for name, program := range binaries() {
		tree.Programs["ko-app/"+name] = program
	}
	root, err := image.NewRoot(tree)
	if err != nil {
		t.Fatal(err)
	}
	root.Freeze()
	available := userland.Programs()
	maps.Copy(available, shell.New().Programs())
	maps.Copy(available, programsWithGrace(contract.Grace))
	program := c.Program
	if program == "" {
		program = contract.Launcher
	}
	var log [3]strings.Builder
	box, err := container.Start(container.Config{
		Kernel: k, Actor: "case", Programs: available, Platform: contract.Platform,
		Image:     &image.Image{Reference: "example.com/step:1", Root: root},
		RunAsUser: &w.user, RunAsGroup: &w.user,
		Command: append([]string{"/ko-app/" + program}, c.Args...),
		Env:     append([]string{"HOME=/home/user"}, c.Env...),
		Log:     func(stream int, data []byte) { log[stream].Write(data) },
	})
	if err != nil {
		t.Fatal(err)
	}
	owner := box.Files()
	for _, top := range []string{"/tekton", "/workspace", "/home"} { // as mounted
		check(t, owner.MkdirAll(top, 0o755))
		check(t, owner.Chown(top, int(w.user), int(w.user), false))
	}
	owner.UID, owner.GID = uint32(w.user), uint32(w.user)
	place(t, owner, "/tekton/", "") // the program itself starts with the kernel's first event
	for name, content := range c.Before {
		place(t, owner, name, content)
	}
	left := happen(t, k, box, owner, c.Events)
	if err := k.RunWhile(box.Running, k.Now().Add(time.Minute), 0); err != nil {
		t.Fatal(err)
	}
	if box.Running() {
		t.Fatal("nothing will ever end it")
	}
	if n := left(); n > 0 {
		t.Errorf("did not come to event %+v", c.Events[len(c.Events)-n])
	}
	status, _ := box.ExitStatus()
	got := contract.Outcome{Code: status.Code, Stdout: log[1].String(), Stderr: log[2].String(),
		Files: map[string]string{}, Modes: map[string]string{}}
	for _, top := range []string{"/tekton", "/workspace", "/home"} {
		collect(t, box.Files(), top, got)
	}
	return got
}

// happen looks once a millisecond whether the next events can happen. It returns how many are left.
func happen(t *testing.T, k *kernel.Kernel, box *container.Container, owner *files.Caller, events []contract.Event) (left func() int) {
	hasContent := func(name string) bool {
		info, err := owner.Stat(name)
		return err == nil && info.Size() > 0
	}
	var look func()
	look = func() {
		for len(events) > 0 && (events[0].After == "" || hasContent(events[0].After)) {
			if e := events[0]; e.Signal != 0 {
				box.Signal(container.Signal(e.Signal))
			} else {
				place(t, owner, e.Put, e.Content)
			}
			events = events[1:]
		}
		if len(events) > 0 && box.Running() {
			k.After(time.Millisecond, "case", "look", look)
		}
	}
	k.After(time.Millisecond, "case", "look", look)
	return func() int { return len(events) }
}

// place makes a file as a case describes it, at once.
func place(t *testing.T, owner *files.Caller, name, content string) {
	t.Helper()
	if strings.HasSuffix(name, "/") {
		check(t, owner.MkdirAll(name, 0o755))
		return
	}
	check(t, owner.MkdirAll(path.Dir(name), 0o755))
	neighbour := name + ".new"
	if target, ok := strings.CutPrefix(content, "-> "); ok {
		check(t, owner.Symlink(target, neighbour))
	} else {
		check(t, owner.WriteFile(neighbour, []byte(content), 0o644))
	}
	check(t, owner.Rename(neighbour, name))
}

// collect is all that is below dir, as a contract.Outcome tells it.
func collect(t *testing.T, admin *files.Caller, dir string, into contract.Outcome) {
	t.Helper()
	info, err := admin.Lstat(dir)
	check(t, err)
	into.Modes[dir+"/"] = fmt.Sprintf("%#o", info.Mode().Perm())
	children, err := admin.ReadDir(dir)
	check(t, err)
	for _, child := range children {
		name := path.Join(dir, child.Name())
		switch {
		case child.IsDir():
			collect(t, admin, name, into)
		case child.Mode()&fs.ModeSymlink != 0:
			into.Files[name] = "-> " + child.Target()
		default:
			content, err := admin.ReadFile(name)
			check(t, err)
			into.Files[name], into.Modes[name] = string(content), fmt.Sprintf("%#o", child.Mode().Perm())
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
