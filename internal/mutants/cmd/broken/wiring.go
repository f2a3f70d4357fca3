package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/plumbline-ci/plumbline/internal/mutants"
	"github.com/plumbline-ci/plumbline/internal/mutants/schemata"
	"github.com/plumbline-ci/plumbline/kindconfig/images"
	"github.com/plumbline-ci/plumbline/kindconfig/kindcluster"
)

// wiring is what a demonstration is made with on this machine.
type wiring struct {
	cluster string
	dir     string
	errs    io.Writer
}

// building is how long the controller may take to compile, for a fifth of it.
const building = 3 * time.Minute

// build compiles the controller with the faults in it, and makes an image for each.
func (w wiring) build(ctx context.Context, faults []mutants.Mutant) ([]images.Image, error) {
	root, err := mutants.ModuleRoot(ctx)
	if err != nil {
		return nil, err
	}
	programs, err := images.Select(images.Controller)
	if err != nil {
		return nil, err
	}
	r := mutants.Runner{Root: root, Dir: w.dir, Limit: building, Package: programs[0].Package, Environment: []string{"CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=-trimpath"}}
	program, err := r.BuildProgram(ctx, faults)
	if err != nil {
		return nil, err
	}
	binary, err := os.ReadFile(program.Binary)
	if err != nil {
		return nil, err
	}
	base, err := images.Builder{Directory: root}.Image(programs[0], binary)
	if err != nil {
		return nil, err
	}
	var out []images.Image
	for _, m := range faults {
		id, ok := program.Faults[m.Name]
		if !ok {
			return nil, fmt.Errorf("the fault %q lies in no function of its own, and cannot be switched on", m.Name)
		}
		config, err := base.ConfigFile()
		if err != nil {
			return nil, err
		}
		changed := *config.Config.DeepCopy()
		changed.Env = append(slices.Clone(changed.Env), schemata.Environment+"="+strconv.Itoa(id))
		image, err := mutate.Config(base, changed)
		if err != nil {
			return nil, err
		}
		out = append(out, images.Image{Name: images.Controller, Image: image})
	}
	return out, nil
}

func (w wiring) tell(text string) { fmt.Fprintln(w.errs, text) }

// install has the cluster run the sound installation, but for these images.
func (w wiring) install(ctx context.Context, instead ...images.Image) error {
	_, err := kindcluster.Up(ctx, kindcluster.Options{Name: w.cluster, Programs: instead, Tell: w.tell})
	return err
}

// tool compiles the command line tool, and returns where it is.
func (w wiring) tool(ctx context.Context) (string, error) {
	binary := filepath.Join(w.dir, "plumbline")
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	root, err := mutants.ModuleRoot(ctx)
	if err != nil {
		return "", err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/plumbline")
	build.Dir, build.Stderr = root, w.errs
	if err := build.Run(); err != nil {
		return "", fmt.Errorf("building plumbline: %w", err)
	}
	return binary, nil
}

// plumbline runs the command line tool.
func (w wiring) plumbline(ctx context.Context, args ...string) (int, []byte, error) {
	binary, err := w.tool(ctx)
	if err != nil {
		return 0, nil, err
	}
	if args[0] == "run" {
		args = append(slices.Clone(args), "--kind-cluster", w.cluster)
	}
	w.tell("plumbline " + strings.Join(args, " "))
	run := exec.CommandContext(ctx, binary, args...)
	run.Stderr = w.errs
	out, err := run.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return exit.ExitCode(), out, ctx.Err()
	}
	return 0, out, err
}
