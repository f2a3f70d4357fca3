// Package simulated runs a script in a simulated container that holds the same programs as the root of package real.
package simulated

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/internal/differential/outcome"
	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/image"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/shell"
	"github.com/plumbline-ci/plumbline/simulator/userland"
)

const (
	// mostVirtual is how much virtual time a script may take.
	mostVirtual = 100 * time.Hour
	mostEvents  = 20_000_000
	// wrapperPrograms is how many processes the wrapper of package real starts before the shell, which numbers its own
	// processes from there on.
	wrapperPrograms = 2
	// mostReal is how long the simulator may compute for one script before that counts as a failure.
	mostReal = 60 * time.Second
)

// Runner runs scripts one after the other. It is not safe for concurrent use.
type Runner struct {
	applets  []string
	programs map[string]container.Program
	images   map[string]*image.Image // by the shell that sh is
}

// New returns a runner whose image has these utilities.
func New(applets []string) *Runner {
	r := &Runner{applets: applets, programs: userland.Programs(), images: map[string]*image.Image{}}
	maps.Copy(r.programs, shell.New().Programs())
	return r
}

// Has reports whether the simulator has that program.
func (r *Runner) Has(program string) bool { return r.programs[program] != nil }

// image returns an image of BusyBox, bash and jq, in which sh is the given program.
func (r *Runner) image(sh string) (*image.Image, error) {
	if i := r.images[sh]; i != nil {
		return i, nil
	}
	tree := image.Busybox()
	for _, name := range image.Applets() {
		if !slices.Contains(r.applets, name) {
			delete(tree.Programs, "bin/"+name)
		}
	}
	if sh != "ash" { // whose program is called sh
		tree.Programs["bin/sh"] = sh
	}
	tree.Programs["bin/jq"] = "jq"
	if tree.Files == nil {
		tree.Files = map[string]string{}
	}
	tree.Files["lib/libc.so.6"], tree.Files["lib64/ld-linux-x86-64.so.2"] = "", "" // directories that the real root has
	for _, name := range []string{"bash", "dash"} {
		if r.Has(name) {
			tree.Programs["bin/"+name] = name
		}
	}
	root, err := image.NewRoot(tree)
	if err != nil {
		return nil, err
	}
	i := &image.Image{Reference: "docker.io/differential/" + sh + ":latest", Root: root}
	r.images[sh] = i
	return i, nil
}

// Run runs a script: argv, in an image in which sh is the program that is named.
func (r *Runner) Run(sh string, argv []string) outcome.Outcome {
	i, err := r.image(sh)
	if err != nil {
		return outcome.Outcome{Failure: err.Error()}
	}
	ended := make(chan outcome.Outcome, 1)
	go func() { ended <- r.run(i, argv) }()
	select {
	case o := <-ended:
		return o
	case <-time.After(mostReal):
		// The goroutine is lost, and what it shares with others must not be used again.
		*r = *New(r.applets)
		return outcome.Outcome{Failure: fmt.Sprintf("the simulator computed for more than %v", mostReal)}
	}
}

func (r *Runner) run(i *image.Image, argv []string) (o outcome.Outcome) {
	defer func() {
		if p := recover(); p != nil {
			o.Failure = fmt.Sprintf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	k := kernel.New(kernel.Options{Seed: 1, Epoch: time.Now()}) // the real programs see this time too
	var stdout, stderr strings.Builder
	scratch := files.NewVolume(k.Now, files.Options{Memory: true, Mode: fs.ModeSticky | 0o777}) // as the real root is
	c, err := container.Start(container.Config{
		Kernel: k, Actor: "differential", Image: i, Programs: r.programs, Hostname: "host", Command: argv, WorkingDir: "/tmp/w",
		Mounts: []files.Mount{{Path: "/tmp", Volume: scratch}},
		Log: func(stream int, data []byte) {
			if stream == 1 {
				stdout.Write(data)
			} else {
				stderr.Write(data)
			}
		},
	})
	if err != nil {
		return outcome.Outcome{Failure: err.Error()}
	}
	for range wrapperPrograms {
		if err := c.Exec([]string{"true"}, io.Discard, io.Discard, func(int) {}); err != nil {
			return outcome.Outcome{Failure: err.Error()}
		}
	}
	if err := k.RunWhile(c.Running, k.Now().Add(mostVirtual), mostEvents); err != nil {
		o.Failure = err.Error()
	}
	status, ok := c.ExitStatus()
	switch {
	case o.Failure != "":
	case !ok:
		o.Failure = "the script waits for something that will never happen"
	case status.Message != "":
		o.Failure = status.Message
	}
	o.Stdout, o.Stderr, o.Code = stdout.String(), stderr.String(), status.Code
	return o
}
