package kit

import (
	"syscall"

	"github.com/plumbline-ci/plumbline/simulator/files"
)

// ErrDirectory is what reading a directory gives.
const ErrDirectory = syscall.EISDIR

// Message is what an error is called in messages.
func Message(err error) string { return files.Message(err) }
