package conformance

import (
	"fmt"
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

// unusedFaults is a mistake of the fixture: what it proves, it proves of a sound cluster.
func (s *session) unusedFaults() error {
	user, ok := s.cluster.(FaultUser)
	if !ok || len(s.fixture.Spec.Faults) == 0 {
		return nil
	}
	for _, f := range user.UnusedFaults() {
		return &source.Error{Position: f.Pos, Path: "spec.faults", Message: fmt.Sprintf("the fault at the point %s has not struck", f.Point),
			Hint: "remove it, or correct what it is to strike"}
	}
	return nil
}
