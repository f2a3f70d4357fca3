// Package invariant watches over what holds of every run, whatever a fixture
// wants of it and whatever goes wrong in the cluster.
//
// A [Monitor] is shown every version of every run and Pod and says, at once,
// which [Rule] was broken. The table of kinds (fixture.Kinds) says which kinds are
// runs, and where they show what all runs have: a kind with a row there is judged.
// Some rules hold of any run (runs.go), others of runs that have Pods (pods.go), or that make other runs (parents.go).
// What must happen eventually, rather than never, is checked at the end by
// [Monitor.Finish], when nothing has gone wrong for a while.
//
// The monitor is black-box, as all of conformance: it sees objects without Go
// types. It reads of a run its spec.status, retries and timeout, its Succeeded
// condition, times, steps, retriesStatus and results; of a Pod its owner, phase and
// containers.
//
// # The right state
//
// When a run is over and faults have stopped for a while, it is in a right state if
//
//   - its Succeeded condition is True or False, and it is so within its time: each
//     attempt has the run's timeout (a run without a timeout may take as long as it
//     likes);
//   - True means that every step of the last attempt has ended with exit code 0, or
//     with one that the step may have (onError: continue);
//   - TaskRunCancelled means that spec.status asked for it, and TaskRunTimeout that
//     as much time has passed;
//   - nothing below it is alive: each of its Pods, and each run that it has made, has ended or is gone.
//
// Under trouble that passes ([Options.Expect]) it is also the state that the run reaches without trouble.
//
// # Backing
//
// A rule that the documents state names the statement that does. Others are how the
// reference wants to be, and never held against another implementation.
package invariant

import (
	"fmt"
	"time"
)

// Names of the rules.
const (
	OnePod         = "one-pod"
	Final          = "final"
	Kept           = "kept"
	StepEnds       = "step-ends"
	StepsListed    = "steps-listed"
	EndsSoon       = "ends-soon"
	SameEnd        = "same-end"
	RefusedSoon    = "refused-soon"
	OthersKept     = "others-kept"
	StartKept      = "start-kept"
	CompletionTime = "completion-time"
	StepsEnded     = "steps-ended"
	NothingRuns    = "nothing-runs"
	PastStopped    = "past-stopped"
	LastResults    = "last-results"
	RetriesBounded = "retries-bounded"
	NoStorm        = "no-storm"
	Progress       = "progress"
	RightState     = "right-state"
	ReadsUnchanged = "reads-unchanged"
	PodAccepted    = "pod-accepted"
	OneChild       = "one-child"
	ParentLast     = "parent-last"
	NothingBegins  = "nothing-begins"
	OneOutcome     = "one-outcome"
)

// Rule is one thing that always holds.
type Rule struct {
	Name string
	// Says is the rule in one sentence.
	Says string
	// Backing are the statements that make it binding for every implementation. Where
	// it is empty for some cases only, the violation says which it is.
	Backing []string
}

// Rules lists all rules. The last two are for a target to watch over, which knows
// what an implementation reads and asks for.
func Rules() []Rule {
	return []Rule{
		{OnePod, "An attempt has one live Pod at most.", allBacking(OnePod)},
		{Final, "A condition that is True or False no longer changes.", allBacking(Final)},
		{Kept, "What a run that is over shows in its status stays as it is, whatever is done around it.", allBacking(Kept)},
		{StepEnds, "The end of a step, once it is shown, does not change.", allBacking(StepEnds)},
		{StepsListed, "A run that is over lists each step that began.", allBacking(StepsListed)},
		{StartKept, "The start of an attempt, once it is shown, neither moves nor disappears.", allBacking(StartKept)},
		{EndsSoon, "A run is over, or tried again, within a minute of the end of its last step.", allBacking(EndsSoon)},
		{SameEnd, "Trouble that passes does not change how a run ends.", allBacking(SameEnd)},
		{RefusedSoon, "A run that needs what is refused for good fails soon, not at its timeout.", allBacking(RefusedSoon)},
		{OthersKept, "Labels and annotations that another client has put on a run or its Pod stay.", allBacking(OthersKept)},
		{CompletionTime, "completionTime is set exactly when the run is over.", allBacking(CompletionTime)},
		{StepsEnded, "All steps are shown as terminated when the run is over.", allBacking(StepsEnded)},
		{NothingRuns, "Nothing of a run that is over still runs after a grace, sidecars included.", allBacking(NothingRuns)},
		{PastStopped, "Nothing of a past attempt still runs after a grace.", allBacking(PastStopped)},
		{LastResults, "Results are what the last attempt wrote.", allBacking(LastResults)},
		{RetriesBounded, "There are no more entries in retriesStatus than spec.retries.", allBacking(RetriesBounded)},
		{NoStorm, "A run is written a bounded number of times, and not at all when it has been over for a while.", allBacking(NoStorm)},
		{Progress, "A run is over within its time.", allBacking(Progress)},
		{RightState, "A run ends in a state that agrees with its spec and its Pods.", allBacking(RightState)},
		{OneChild, "A task of a Pipeline has one child at most; with a matrix, one for each combination.", allBacking(OneChild)},
		{ParentLast, "A run that was neither cancelled nor out of time is over no earlier than the runs that it has made.", allBacking(ParentLast)},
		{NothingBegins, "A run that is over makes no more runs.", allBacking(NothingBegins)},
		{OneOutcome, "Each task of a Pipeline that came to its own end ran, or is listed as skipped, and not both.", allBacking(OneOutcome)},
		{ReadsUnchanged, "A reconcile changes nothing of what it has read from the cache.", allBacking(ReadsUnchanged)},
		{PodAccepted, "The API accepts the Pod of an admitted TaskRun.", allBacking(PodAccepted)},
	}
}

// Violation is a rule that was broken.
type Violation struct {
	// Rule is its name.
	Rule string
	// At is when it was seen.
	At time.Time
	// Object is what it was seen on, as taskrun/slow.
	Object string
	// Message says what was seen.
	Message string
	// Backing are the statements that this breaks; without any it is no fault of an
	// implementation other than the reference.
	Backing []string
}

// String renders the violation in one line.
func (v Violation) String() string { return fmt.Sprintf("%s: %s: %s", v.Rule, v.Object, v.Message) }

// VisitorPrefix begins the labels and annotations that a visitor puts on objects, to see whether they stay.
const VisitorPrefix = "visitor.plumbline.dev/"

// Bounds of the rules.
const (
	// Soon is how long a run may be seen as under way when its Pod has ended.
	Soon = time.Minute
	// Grace is how long what is to stop may go on: the 30 seconds that containers have
	// to end, twice, and what the cluster takes to notice it.
	Grace = 2 * time.Minute
	// Slack is how much later than its time a run may be over: an implementation that
	// met errors may wait as long as a work queue makes it wait.
	Slack = 20 * time.Minute
	// writesPerAttempt and writesPerPart bound how often a run is written: a part is a step, or a run that it has made.
	writesPerAttempt, writesPerPart = 60, 15
)
