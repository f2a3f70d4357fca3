//go:build !unix

package osadapter

// Flags of open that only Unix systems have.
const (
	noFollow = 0
	nonBlock = 0
)
