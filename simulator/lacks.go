package simulator

import (
	"maps"
	"slices"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// Command is what a container is asked to run.
type Command struct {
	// Image is a reference.
	Image string
	// Command and Args are as in a Pod.
	Command, Args []string
	// Script is the content of a file that is run instead of Command; it begins with "#!".
	Script string
}

// scriptPath is where [Lacks] puts a script.
const scriptPath = "/tekton/scripts/script"

// Lacks says which command a container would not find when it starts, on a cluster of these options. Nothing is run. The
// error is an *image.PullError where the image cannot be had, and a *container.StartError where it could not start.
func Lacks(o Options, c Command) ([]container.MissingCommand, error) {
	img, err := o.Images.Pull(c.Image)
	if err != nil {
		return nil, err
	}
	programs := builtinPrograms(nil)
	maps.Copy(programs, o.Programs)
	cfg := container.Config{
		Kernel: kernel.New(kernel.Options{Seed: o.Seed}), Actor: "preview", Image: img, Programs: programs, Mocks: o.Mocks,
		Command: c.Command, Args: c.Args, Launchers: slices.Sorted(maps.Keys(o.Programs)),
	}
	var script []byte
	if c.Script != "" {
		cfg.Command, script = []string{scriptPath}, []byte(c.Script)
	}
	return container.Lacks(cfg, script)
}
