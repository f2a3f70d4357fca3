package entrypoint

import (
	"errors"
	"path"
	"strings"
	"time"
)

// NopRunIndefinitely is the argument that makes [Nop] stay until it is told to end.
const NopRunIndefinitely = "tekton_run_indefinitely"

// Nop is the program that takes the place of a sidecar to be stopped: it ends at once, or, given
// [NopRunIndefinitely], on SIGINT or SIGTERM.
func Nop(sys System, args []string) int {
	if len(args) == 0 || args[0] != NopRunIndefinitely {
		return exitOK
	}
	sub, err := sys.Watcher.Watch()
	if err != nil {
		sys.log("%v", err)
		return exitFailure
	}
	defer func() { _ = sub.Close() }()
	for {
		err := sub.Wait(time.Time{})
		var interrupted *Interrupted
		switch {
		case errors.As(err, &interrupted):
			if interrupted.Signal == SIGINT || interrupted.Signal == SIGTERM {
				return exitOK
			}
		case err != nil:
			sys.log("%v", err)
			return exitFailure
		}
	}
}

// WorkingDirInit is the init container that creates the steps' working directories: those of args that are relative, or
// below the workspace directory (POD-12).
func WorkingDirInit(sys System, args []string) int {
	sys = sys.withDefaults()
	for _, arg := range args {
		dir := path.Clean(arg)
		if !path.IsAbs(dir) {
			dir = path.Join(sys.Paths.Workspace, dir)
		} else if !strings.HasPrefix(dir, sys.Paths.Workspace+"/") {
			continue
		}
		if err := sys.Files.MkdirAll(dir, 0o755); err != nil {
			sys.log("Failed to mkdir %q: %v", dir, err)
			return exitFailure
		}
	}
	return exitOK
}
