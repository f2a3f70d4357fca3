package conformance

import (
	"errors"
	"fmt"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/reports"
)

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

// Crash returns the error of a part of the implementation that panicked.
func Crash(part string, value any, stack []byte) *ImplementationError {
	return &ImplementationError{Err: fmt.Errorf("%s panicked: %v\n%s", part, value, stack)}
}

// crashed is the verdict on a fixture whose implementation failed as a whole, or nil if the error is something else.
// What it did is the message; where, such as a stack, is what was got.
func (r *Runner) crashed(err error, at string) *failed {
	var own *ImplementationError
	if !errors.As(err, &own) {
		return nil
	}
	message, rest, _ := strings.Cut(strings.TrimSpace(own.Error()), "\n")
	if own.Told != "" {
		message, rest = reports.ToldBy(message, own.Told), ""
	}
	f := &failed{reports.Failure{At: at, Check: "implementation", Message: message}}
	if rest = strings.TrimSpace(rest); rest != "" {
		f.Got = stackHead(rest)
	}
	return f
}

// toldElsewhere says whether another fixture tells all that there is to tell of an error.
func toldElsewhere(err error) bool {
	var own *ImplementationError
	return errors.As(err, &own) && own.Told != ""
}

// stackHead returns the beginning of a stack, which has the place.
func stackHead(text string) string {
	const most = 40
	lines := strings.Split(text, "\n")
	if len(lines) > most {
		lines = append(lines[:most], fmt.Sprintf("… %d more lines …", len(lines)-most))
	}
	return strings.Join(lines, "\n")
}

// broke gives a fixture the verdict on an error of its target: failed if it is the implementation's.
func (r *Runner) broke(out *reports.Fixture, at string, err error) {
	if f := r.crashed(err, at); f != nil {
		out.Verdict, out.Failure, out.Reason = reports.Fail, &f.Failure, ""
		return
	}
	var mistake *source.Error
	out.Verdict, out.Reason, out.Invalid = reports.Error, err.Error(), errors.As(err, &mistake)
}
