//go:build !unix

package osadapter

import (
	"errors"
	"runtime"
	"syscall"

	"github.com/plumbline-ci/plumbline/entrypoint"
)

// processes says that commands cannot be started here.
type processes struct {
	signals *signals
	retired *retired
	init    bool
	running map[int]*process
}

type process struct{}

// Start implements [entrypoint.Processes].
func (*processes) Start(entrypoint.Command) (entrypoint.Process, error) {
	return nil, errors.New("running commands is not supported on " + runtime.GOOS)
}

func (*processes) reapOrphans() {}

func endOfChild(syscall.Signal) bool { return false }

func ownSignal(syscall.Signal) bool { return false }
