package conformance

import "fmt"

// ImplementationError is an error of a target that is the implementation's own: it crashed, hangs, or did what no
// implementation may do. It fails the fixture. Every other error of a target says nothing about the implementation.
type ImplementationError struct {
	Err error
	// Told is the fixture that has told this already, of an error that is the same for all that follow; those refer to it.
	Told string
}

// Error returns what the implementation did.
func (e *ImplementationError) Error() string { return e.Err.Error() }

// Unwrap returns the error itself.
func (e *ImplementationError) Unwrap() error { return e.Err }

// ToldBy returns Told.
func (e *ImplementationError) ToldBy() string { return e.Told }

// Crash returns the error of a part of the implementation that panicked.
func Crash(part string, value any, stack []byte) *ImplementationError {
	return &ImplementationError{Err: fmt.Errorf("%s panicked: %v\n%s", part, value, stack)}
}
