package container

import (
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/image"
)

// MissingCommand is a command that a process tried to run and that the container does not have: what a [Mock] could
// stand in for.
type MissingCommand struct {
	// Image is the full name of the container's image.
	Image string
	// Args is the command line. Its first word is as the caller wrote it, by name or by path.
	Args []string
	// Entrypoint says that the command is the image's, which is not known: Args are then the arguments alone.
	Entrypoint bool
	// Script is the file whose "#!" line asks for the command, or empty.
	Script string
	// Present says that the image has the command: only the simulation cannot run it.
	Present bool
	// Near is the mock that came closest, if one is of the same command.
	Near *NearMiss
	// Stubbed says that the command counted as succeeded, without doing anything ([Config.StubMissing]).
	Stubbed bool
}

// NearMiss is a mock of a command that does not match a call of it.
type NearMiss struct {
	Mock Mock
	// Why says where the two differ.
	Why string
}

// maxMissing bounds how many missing commands one container reports.
const maxMissing = 100

// absent reports a command that could not be found. It returns the program that takes its place, or nil if the failure
// stands.
func (p *Process) absent(call Call, err error) Program {
	missing := MissingCommand{Args: call.Argv}
	var notFound *NotFoundError
	var format *formatError
	switch {
	case errors.As(err, &notFound):
	case errors.As(err, &format):
		if format.asked == nil {
			return nil // the file exists, but is not a program
		}
		missing.Args, missing.Script = format.asked, format.path
		call = p.interprets(format.asked)
	default:
		if reason := files.Errno(err); reason != syscall.ENOENT && reason != syscall.ENOTDIR {
			return nil // the file exists, but is not executable
		}
	}
	return p.c.without(missing, call)
}

// without tells the container's owner of a missing command, once for each command line. It returns the program that takes
// its place, or nil.
func (c *Container) without(m MissingCommand, call Call) Program {
	m.Image, m.Stubbed = c.cfg.Image.Name(), c.cfg.StubMissing
	known := slices.ContainsFunc(c.missing, func(k MissingCommand) bool { return slices.Equal(k.Args, m.Args) })
	if !known && len(c.missing) < maxMissing {
		m.Args = slices.Clone(m.Args)
		m.Near = c.cfg.Mocks.near(call)
		c.missing = append(c.missing, m)
		if c.cfg.OnMissing != nil {
			c.cfg.OnMissing(m)
		}
	}
	if !m.Stubbed {
		return nil
	}
	return func(*Process) int { return 0 }
}

// notSimulated is the program of what an image has and the simulation cannot run.
func notSimulated(p *Process) int {
	why := p.Args[0] + ": this program is not simulated: mock it"
	if p.Path == image.UnknownEntrypoint {
		why = "the entrypoint of the image " + p.c.cfg.Image.Name() + " is not known: mock it, or describe the image"
	}
	fmt.Fprintln(p.Stderr(), why)
	return exitNotFound
}

// exitNotFound is a shell's exit code for a command that does not exist.
const exitNotFound = 127
