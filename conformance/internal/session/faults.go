package session

import (
	"fmt"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/verdict"
	"github.com/plumbline-ci/plumbline/conformance/source"
)

// FaultUser clusters let go wrong what a fixture asks for; package conformance documents it.
type FaultUser interface {
	UnusedFaults() []fixture.Fault
	StopFaults()
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

// unusedFaults returns an error if a fault has not struck, since the fixture then proves nothing about faults. For the
// reference that is a mistake in the fixture. Another implementation may work differently, for example with an update instead
// of a patch, so that the fault cannot strike. Then nothing was judged, but neither side is wrong.
func (s *Session) unusedFaults() error {
	user, ok := s.cluster.(FaultUser)
	if !ok || len(s.fixture.Spec.Faults) == 0 {
		return nil
	}
	unused := user.UnusedFaults()
	if s.watch.foreign && len(unused) > 0 {
		e := &verdict.Unstruck{}
		for _, f := range unused {
			e.Faults = append(e.Faults, describe(f))
		}
		return e
	}
	for _, f := range unused {
		return &source.Error{Position: f.Pos, Path: "spec.faults", Message: fmt.Sprintf("the fault at the point %s has not struck", f.Point),
			Hint: "remove it, or correct what it strikes"}
	}
	return nil
}
