//go:build unix && !linux

package osadapter

import (
	"errors"
	"runtime"
	"syscall"
)

// isolate refuses hermetic commands.
func isolate(hermetic bool) (*syscall.SysProcAttr, error) {
	if hermetic {
		return nil, errors.New("hermetic steps are not supported on " + runtime.GOOS)
	}
	return &syscall.SysProcAttr{}, nil
}
