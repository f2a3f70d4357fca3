package progress

import (
	"slices"
	"time"

	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Child is a TaskRun, Run or CustomRun that a task has made.
type Child struct {
	APIVersion, Kind, Name string
	Succeeded              *v1beta1.Condition
	// Began is when it started, or was made.
	Began time.Time
	// Asked reports whether the child is asked to end, and Message says why.
	Asked   bool
	Message string
	Results []Result
	// Attempts is the number of attempts that are over.
	Attempts int
	// Status is the whole status: a *v1beta1.TaskRunStatus or *v1beta1.CustomRunStatus.
	Status any
}

// Result is a value that a child has produced.
type Result struct {
	Name  string
	Value v1beta1.ParamValue
}

// cancelReasons are the reasons of the ends of children that were cancelled. Controllers of Runs use either.
var cancelReasons = []string{v1beta1.TaskRunReasonCancelled, v1beta1.RunReasonCancelled, v1beta1.CustomRunReasonCancelled}

// timeoutMessages are those with which a PipelineRun ends children that take too long.
var timeoutMessages = []string{
	string(v1beta1.TaskRunTimedOutByPipeline), string(v1beta1.RunTimedOutByPipeline), string(v1beta1.CustomRunTimedOutByPipeline),
}

// Done reports whether the child has ended. A Run that failed and has attempts left goes on: its controller may say so late.
func (c *Child) Done(retries int) bool {
	return !c.Succeeded.IsUnknown() && (c.succeeded() || c.wasCancelled() || c.Kind != v1alpha1.KindRun || c.Attempts >= retries)
}

func (c *Child) succeeded() bool { return c.Succeeded.IsTrue() }

func (c *Child) wasCancelled() bool {
	return c.Succeeded.IsFalse() && slices.Contains(cancelReasons, c.Succeeded.Reason)
}

// tookTooLong reports whether it was ended because the PipelineRun ran out of time, whichever clock was faster.
func (c *Child) tookTooLong() bool { return slices.Contains(timeoutMessages, c.Message) }

func (c *Child) cancelled() bool { return c.wasCancelled() && !c.tookTooLong() }
