//plumbline:adapter it waits for real processes

package contract

import (
	"errors"
	"os"
	"time"

	"github.com/plumbline-ci/plumbline/entrypoint"
)

// DeadlinesAfter wraps real processes so that no deadline strikes before file has content or the process has ended. A
// test that times a command out uses it to let the command come as far as the test needs, however slow the machine is.
func DeadlinesAfter(file string, p entrypoint.Processes) entrypoint.Processes {
	return lateProcesses{Processes: p, file: file}
}

type lateProcesses struct {
	entrypoint.Processes
	file string
}

func (p lateProcesses) Start(c entrypoint.Command) (entrypoint.Process, error) {
	started, err := p.Processes.Start(c)
	if err != nil {
		return nil, err
	}
	return lateProcess{Process: started, file: p.file}, nil
}

type lateProcess struct {
	entrypoint.Process
	file string
}

// Wait implements [entrypoint.Process].
func (p lateProcess) Wait(deadline time.Time) (entrypoint.Exit, error) {
	for !deadline.IsZero() && !HasContent(p.file) {
		exit, err := p.Process.Wait(time.Now().Add(time.Millisecond))
		if !errors.Is(err, entrypoint.ErrDeadline) {
			return exit, err
		}
	}
	return p.Process.Wait(deadline)
}

// HasContent reports whether a file is there and not empty.
func HasContent(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Size() > 0
}
