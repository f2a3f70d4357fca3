//go:build unix

package osadapter

import "syscall"

// Flags of open that only Unix systems have.
const (
	noFollow = syscall.O_NOFOLLOW
	nonBlock = syscall.O_NONBLOCK
)
