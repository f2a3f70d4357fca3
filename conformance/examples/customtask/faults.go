package customtask

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Fault is one thing that a poor controller does wrong.
type Fault string

// Faults.
const (
	IgnoresCancel      Fault = "it goes on when it is asked to stop"
	IgnoresTimeout     Fault = "it goes on when its time is up, or takes runs with a timeout that it does not keep"
	EarlyTimeout       Fault = "it ends at half of the timeout"
	ZeroIsAtOnce       Fault = "it takes a timeout of zero for one that is over"
	WrongTimeoutReason Fault = "a timeout has another reason"
	WrongCancelReason  Fault = "a cancellation has another reason"
	ResetsStart        Fault = "the end sets the start time"
	NoStart            Fault = "it has no start time in the end"
	NoCompletion       Fault = "it has no completion time"
	EarlyCompletion    Fault = "it has a completion time before it ends"
	NoReason           Fault = "it gives no reason"
	NoMessage          Fault = "it gives no message"
	LosesRetries       Fault = "it forgets past attempts in the end"
	EmptyRetries       Fault = "it does not say how past attempts ended"
	FalseBetween       Fault = "it is False between two attempts"
	NoResults          Fault = "it has no results"
	NoValues           Fault = "its results have no values"
	TakesAll           Fault = "it takes runs of other types"
	TakesNonsense      Fault = "it takes a value that it cannot read"
	SilentAboutSpecs   Fault = "it says nothing about embedded specs"
	ChangesEnds        Fault = "it changes a run that is over"
	SuccessIsUnknown   Fault = "a success is Unknown"
)

// spoil makes a status wrong in ways that need nothing but the status.
func (t *Timer) spoil(run *v1beta1.CustomRun, now metav1.Time) {
	s := &run.Status
	c := s.Succeeded()
	switch t.Fault {
	case NoStart:
		if s.IsDone() {
			s.StartTime = nil
		}
	case ResetsStart:
		if s.IsDone() {
			s.StartTime = &now
		}
	case NoCompletion:
		s.CompletionTime = nil
	case EarlyCompletion:
		if s.CompletionTime == nil {
			s.CompletionTime = &now
		}
	case NoReason:
		c.Reason = ""
	case NoMessage:
		c.Message = ""
	case FalseBetween:
		if c.Reason == retrying {
			c.Status = corev1.ConditionFalse
		}
	case NoResults:
		s.Results = nil
	case NoValues:
		for i := range s.Results {
			s.Results[i].Value = ""
		}
	case SuccessIsUnknown:
		if c.IsTrue() {
			c.Status = corev1.ConditionUnknown
		}
	case EmptyRetries:
		for i := range s.RetriesStatus {
			s.RetriesStatus[i].Conditions = nil
		}
	case LosesRetries:
		if c.IsFalse() {
			s.RetriesStatus = nil
		}
	}
}
