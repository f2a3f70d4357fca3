package conformance

import (
	"fmt"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
)

// FaultUser clusters let go wrong what Setup.Faults says.
type FaultUser interface {
	// UnusedFaults are those that have not struck.
	UnusedFaults() []fixture.Fault
	// StopFaults keeps them from striking from now on.
	StopFaults()
	// Strikes tells what has gone wrong so far.
	Strikes() []Strike
}

// Strike is one thing that went wrong.
type Strike struct {
	At time.Time
	// Fault is what, On is what it hit.
	Fault, On string
}

// describe names a fault as a reader of the fixture knows it: "the point api, patch of TaskRun/status (a.yaml:9:5)".
func describe(f fixture.Fault) string {
	text := "the point " + f.Point
	what := f.Kind
	if f.Subresource != "" {
		what += "/" + f.Subresource
	}
	switch {
	case f.Verb != "" && what != "":
		text += ", " + f.Verb + " of " + what
	case f.Verb+what != "":
		text += ", " + f.Verb + what
	}
	return fmt.Sprintf("%s (%s)", text, f.Pos)
}

// unstruckError says that faults of a fixture could not strike an implementation that is not the reference.
type unstruckError struct{ faults []string }

func (e *unstruckError) Error() string {
	faults, they := "the fault", "it"
	if len(e.faults) > 1 {
		faults, they = "the faults", "they"
	}
	return fmt.Sprintf("%s at %s could not strike: the implementation never did what %s would break, so nothing was judged", faults, strings.Join(e.faults, " and "), they)
}

// unusedFaults returns an error if a fault has not struck, since the fixture then proves nothing about faults. For the
// reference that is a mistake in the fixture. Another implementation may work differently, for example with an update instead
// of a patch, so that the fault cannot strike. Then nothing was judged, but neither side is wrong.
func (s *session) unusedFaults() error {
	user, ok := s.cluster.(FaultUser)
	if !ok || len(s.fixture.Spec.Faults) == 0 {
		return nil
	}
	unused := user.UnusedFaults()
	if s.foreign && len(unused) > 0 {
		e := &unstruckError{}
		for _, f := range unused {
			e.faults = append(e.faults, describe(f))
		}
		return e
	}
	for _, f := range unused {
		return &source.Error{Position: f.Pos, Path: "spec.faults", Message: fmt.Sprintf("the fault at the point %s has not struck", f.Point),
			Hint: "remove it, or correct what it strikes"}
	}
	return nil
}
