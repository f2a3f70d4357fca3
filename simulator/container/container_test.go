package container_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/image"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/shell"
	"github.com/plumbline-ci/plumbline/simulator/userland"
)

// started is a container and what it has logged.
type started struct {
	*container.Container
	k   *kernel.Kernel
	log strings.Builder
}

// start runs main as process 1 of a busybox container, by way of the file /main.
func start(t *testing.T, main container.Program, edit func(*kernel.Kernel, *container.Config)) *started {
	t.Helper()
	s := &started{}
	var cfg container.Config
	s.k, cfg = config(t, main, func(k *kernel.Kernel, c *container.Config) {
		c.Log = func(stream int, data []byte) { fmt.Fprintf(&s.log, "%d:%s", stream, data) }
		if edit != nil {
			edit(k, c)
		}
	})
	var err error
	if s.Container, err = container.Start(cfg); err != nil {
		t.Fatal(err)
	}
	return s
}

// config describes a busybox container whose command is main, in the file /main.
func config(t *testing.T, main container.Program, edit func(*kernel.Kernel, *container.Config)) (*kernel.Kernel, container.Config) {
	t.Helper()
	tree := image.Busybox()
	tree.Programs["main"] = "main"
	root, err := image.NewRoot(tree)
	if err != nil {
		t.Fatal(err)
	}
	programs := userland.Programs()
	maps.Copy(programs, shell.New().Programs())
	programs["main"] = main
	k := kernel.New(kernel.Options{Seed: 5})
	cfg := container.Config{Kernel: k, Actor: "test", Image: &image.Image{Reference: "docker.io/x/y:z", Root: root, Entrypoint: []string{"/main"}}, Programs: programs}
	edit(k, &cfg)
	return k, cfg
}

func (s *started) after(d time.Duration) *started {
	s.k.RunUntil(s.k.Now().Add(d))
	return s
}

// launcher waits for a file, runs a command in a group of its own, forwards signals to it, and kills it at a deadline.
func launcher(p *container.Process) int {
	found := func() bool { _, err := p.Stat("/run/0/out"); return err == nil }
	for !found() {
		changed := false
		sub := p.Watch(func() { changed = true }, "/run/0/out")
		if !found() {
			if err := p.Block(time.Time{}, func() bool { return changed }); err != nil {
				return 99
			}
		}
		sub.Close()
	}
	for _, s := range []container.Signal{container.SIGTERM, container.SIGINT} {
		p.Handle(s)
	}
	child, err := p.Spawn(container.Command{Path: p.Args[1], Args: p.Args[1:], Stdin: -1, NewGroup: true, Stdout: func(b []byte) error {
		_, err := fmt.Fprintf(p.Stdout(), "[%s]", b)
		return err
	}})
	if err != nil {
		fmt.Fprintf(p.Stderr(), "Error executing command: %v", err)
		return 1
	}
	deadline := p.Now().Add(10 * time.Second)
	for {
		st, err := p.Wait(child, deadline)
		switch {
		case err == nil:
			return st.Code
		case errors.Is(err, syscall.EINTR):
			for s, ok := p.TakeSignal(); ok; s, ok = p.TakeSignal() {
				_ = p.Kill(-child.PID(), s)
			}
		case errors.Is(err, container.ErrTimeout):
			_ = p.Kill(-child.PID(), container.SIGKILL)
			deadline = time.Time{}
		}
	}
}

func TestLauncher(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		args   []string
		signal container.Signal
		code   int
		log    string
		wait   time.Duration
	}{
		{"the command's code", []string{"sh", "-c", "echo hi; cat; exit 4"}, 0, 4, "1:[hi\n]", time.Second},
		{"a missing command", []string{"nosuch"}, 0, 1, `2:Error executing command: exec: "nosuch": executable file not found in $PATH`, time.Second},
		{"a signal goes to the group", []string{"sh", "-c", "trap 'echo term; exit 3' TERM; while :; do sleep 0.1; done"}, container.SIGTERM, 3, "2:Terminated\n1:[term\n]", time.Second},
		{"a signal kills the group", []string{"sh", "-c", "sleep 100; echo no"}, container.SIGTERM, 143, "", time.Second},
		{"the deadline kills the whole group", []string{"sh", "-c", "sleep 100 & sleep 100"}, 0, 137, "", 11 * time.Second},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			run := (*files.Volume)(nil)
			s := start(t, launcher, func(k *kernel.Kernel, c *container.Config) {
				run = files.NewVolume(k.Now, files.Options{})
				c.Mounts = []files.Mount{{Volume: run, Path: "/run/0", ReadOnly: true}}
				c.Args = r.args
			})
			exits := 0
			s.OnExit(func(container.ExitStatus) { exits++ })
			if s.after(time.Hour); !s.Running() || s.log.Len() > 0 {
				t.Fatalf("it did not wait: %q", s.log.String())
			}
			if err := run.WriteFile("out", nil, 0o644); err != nil {
				t.Fatal(err)
			}
			s.after(500 * time.Millisecond)
			if r.signal != 0 {
				s.Signal(r.signal)
			}
			s.after(r.wait)
			st, _ := s.ExitStatus()
			if s.Running() || st.Code != r.code || exits != 1 || s.Processes() != 0 {
				t.Errorf("running %v status %+v exits %d processes %d", s.Running(), st, exits, s.Processes())
			}
			if d := cmp.Diff(r.log, s.log.String()); d != "" {
				t.Errorf("log (-want +got):\n%s", d)
			}
		})
	}
}

func TestPipes(t *testing.T) {
	t.Parallel()
	s := start(t, func(p *container.Process) int {
		r, w, err := p.Pipe()
		if err != nil {
			return 1
		}
		const size = 200_000 // more than a pipe holds: the writer has to wait
		child := p.Fork(func(q *container.Process) int {
			q.Close(r)
			if n, err := q.Write(w, make([]byte, size)); n != size || err != nil {
				return 1
			}
			return 0
		})
		p.Close(w)
		_ = p.Sleep(time.Second)
		got, err := io.Copy(io.Discard, p.Descriptor(r))
		st, werr := p.Wait(child, time.Time{})
		fmt.Fprintf(p.Stdout(), "%d %v %d %v;", got, err, st.Code, werr)
		r2, w2, _ := p.Pipe()
		p.Close(r2)
		_, err = p.Write(w2, []byte("x"))
		fmt.Fprintf(p.Stdout(), "%v", files.Errno(err))
		return 0
	}, nil).after(time.Minute)
	if d := cmp.Diff("1:200000 <nil> 0 <nil>;1:broken pipe", s.log.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestOrphansDieWithTheContainer(t *testing.T) {
	t.Parallel()
	s := start(t, func(p *container.Process) int {
		p.Fork(func(q *container.Process) int {
			q.Fork(func(r *container.Process) int {
				_ = r.Sleep(5 * time.Second)
				fmt.Fprintf(r.Stdout(), "parent %d;", r.PPID())
				_ = r.Sleep(time.Hour)
				fmt.Fprint(r.Stdout(), "no")
				return 0
			})
			return 0
		})
		_ = p.Sleep(10 * time.Second)
		return 2
	}, nil).after(2 * time.Hour)
	if st, _ := s.ExitStatus(); s.log.String() != "1:parent 1;" || st.Code != 2 {
		t.Errorf("log %q, status %+v", s.log.String(), st)
	}
}

func TestReadOnlyRootAndLimits(t *testing.T) {
	t.Parallel()
	s := start(t, func(p *container.Process) int {
		err := p.WriteFile("/x", nil, 0o644)
		fmt.Fprintf(p.Stdout(), "%v %v", files.Errno(err), p.WriteFile("/v/x", nil, 0o644))
		return 0
	}, func(k *kernel.Kernel, c *container.Config) {
		c.ReadOnlyRoot = true
		c.Mounts = []files.Mount{{Volume: files.NewVolume(k.Now, files.Options{}), Path: "/v"}}
	}).after(time.Second)
	if got := s.log.String(); got != "1:read-only file system <nil>" {
		t.Errorf("got %q", got)
	}
}

func TestScriptsAndInterpreters(t *testing.T) {
	t.Parallel()
	list, err := image.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	images, err := image.NewCatalogue(list...)
	if err != nil {
		t.Fatal(err)
	}
	programs := userland.Programs()
	maps.Copy(programs, shell.New().Programs())
	rows := []struct {
		name, image, script string
		args                []string
		log                 string
		code                int
	}{
		{"bash by env", "ubuntu", "#!/usr/bin/env bash\na=(1 2); echo ${a[1]} $0", nil, "1:2 /s/x\n", 0},
		{"bash by env where there is none", "alpine", "#!/usr/bin/env bash\necho no", nil, "2:env: can't execute 'bash': No such file or directory\n", 127},
		{"an interpreter that is missing", "busybox", "#!/bin/nosuch\n", nil, "2:exec /s/x: no such file or directory\n", 255},
		{"no interpreter", "busybox", "\n#!/bin/sh\necho no\n", nil, "2:exec /s/x: exec format error\n", 255},
		{"the image bash", "bash", "", []string{"-c", "echo $BASH_VERSION"}, "1:5.2.15(1)-release\n", 0},
		{"the image bash, another command", "bash", "", []string{"cat", "/etc/hostname"}, "1:pod\n", 0},
		{"the image bash, no command", "bash", "", nil, "", 0},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			k := kernel.New(kernel.Options{})
			i, err := images.Pull(r.image)
			if err != nil {
				t.Fatal(err)
			}
			v := files.NewVolume(k.Now, files.Options{})
			log := ""
			cfg := container.Config{Kernel: k, Actor: "test", Image: i, Programs: programs, Args: r.args, Hostname: "pod", Mounts: []files.Mount{{Volume: v, Path: "/s"}},
				Log: func(stream int, data []byte) { log += fmt.Sprintf("%d:%s", stream, data) }}
			if r.script != "" {
				if err := v.WriteFile("x", []byte(r.script), 0o755); err != nil {
					t.Fatal(err)
				}
				cfg.Command = []string{"/s/x"}
			}
			c, err := container.Start(cfg)
			if err != nil {
				t.Fatal(err)
			}
			k.RunUntil(k.Now().Add(time.Minute))
			if st, ok := c.ExitStatus(); !ok || st.Code != r.code || log != r.log {
				t.Errorf("got %q, %+v, %v; want %q, code %d", log, st, ok, r.log, r.code)
			}
		})
	}
}
