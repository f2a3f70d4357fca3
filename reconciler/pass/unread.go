package pass

import (
	"errors"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// unread is the error of reading an object of the cluster that another try may read.
type unread struct{ cause error }

func (e *unread) Error() string { return e.cause.Error() }

// Unwrap returns the cause.
func (e *unread) Unwrap() error { return e.cause }

// Reading marks those errors of a reader that are about the state of the API server, also where there is no answer at all. Behind
// it they can be told from those of other servers: see Unread.
func Reading(read func(client.ObjectKey, client.Object) error) func(client.ObjectKey, client.Object) error {
	return func(key client.ObjectKey, into client.Object) error {
		err := read(key, into)
		if err != nil && Passes(err) {
			return &unread{err}
		}
		return err
	}
}

// Unread reports whether something failed because an object could not be read now.
func Unread(err error) bool {
	var read *unread
	return errors.As(err, &read)
}
