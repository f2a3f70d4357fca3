package reports

// Timeline is what was seen of a fixture's objects, by time: the runs' conditions, the
// Pods, and in them the containers. It is what the engine's watches saw, so on a real
// cluster it comes a little later than the node; a state that no version showed is not
// in it. All times are milliseconds since the fixture began, on the target's clock.
type Timeline struct {
	// End is when judging ended.
	End int64 `json:"end"`
	// Objects are those with conditions, sorted by kind and name, without Pods.
	Objects []ObjectLine `json:"objects,omitempty"`
	// Pods are in the order of their creation.
	Pods []PodLine `json:"pods,omitempty"`
}

// ObjectLine is the conditions of one object.
type ObjectLine struct {
	// Object is its kind and name, as taskrun/build.
	Object      string       `json:"object"`
	Transitions []Transition `json:"transitions"`
}

// Transition is a condition that changed its status or its reason.
type Transition struct {
	At int64 `json:"at"`
	// Type is the condition's type; Status is True, False or Unknown.
	Type   string `json:"type"`
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

// PodLine is the life of one Pod.
type PodLine struct {
	Name string `json:"name"`
	// Of is the object that the Pod belongs to, as taskrun/build.
	Of string `json:"of,omitempty"`
	// Attempt counts the Pods of an object that has had several, from 1: retries.
	Attempt int   `json:"attempt,omitempty"`
	From    int64 `json:"from"`
	// To is when it was deleted; without it, it was still there at the end.
	To *int64 `json:"to,omitempty"`
	// Phase is its last phase.
	Phase string `json:"phase,omitempty"`
	// Spans are the times its containers ran: init containers first, then in the Pod's
	// order. One that was restarted has several.
	Spans []Span `json:"spans,omitempty"`
}

// Role is what a container is in its Pod.
type Role string

// The roles.
const (
	RoleInit    Role = "init"
	RoleStep    Role = "step"
	RoleSidecar Role = "sidecar"
	// RoleOther is a container that is neither: Pods of someone else.
	RoleOther Role = "other"
)

// Roles lists all roles.
func Roles() []Role { return []Role{RoleInit, RoleStep, RoleSidecar, RoleOther} }

// Span is one time that a container ran.
type Span struct {
	Container string `json:"container"`
	Role      Role   `json:"role"`
	From      int64  `json:"from"`
	// To is when it ended; without it, it was not seen to end.
	To *int64 `json:"to,omitempty"`
	// Exit and Reason are of its end: 0 and Completed, 137 and OOMKilled.
	Exit   *int64 `json:"exit,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Work is when a step did its work, as the run's status tells, to the second; before, it waited for its turn.
	Work *Work `json:"work,omitempty"`
}

// Work is the part of a step's span in which it worked.
type Work struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}
