// Package termination is the wire format between the step launcher and the controller: the termination message of a
// step's container.
//
// The launcher has one way to tell the controller anything: a file that the kubelet copies into the container's status
// when the container has ended. It holds a JSON array of entries:
//
//	[{"key":"digest","value":"sha256:ab…","type":1},{"key":"StartedAt","value":"2022-12-22T10:00:00.123Z","type":3}]
//
// Entries of type [Result] are the results of the Task; entries of type [Internal] tell about the step itself, under the
// keys declared here. A reader drops Internal entries whose key it does not know.
//
// The kubelet cuts messages that are too long, silently: at [MaxSize] bytes, and earlier in a Pod of many containers
// (see [Budget]). Encode therefore refuses to make one longer than its limit.
package termination

import "time"

// Size limits of the kubelet, in bytes.
const (
	// MaxSize is the longest message of one container.
	MaxSize = 4096
	// MaxPodSize is what all containers of one Pod may use together (EP-55).
	MaxPodSize = 12288
)

// Budget is the length that the message of each container of a Pod with that many containers, init containers
// included, may have without being cut.
func Budget(containers int) int {
	if containers < 1 {
		return MaxSize
	}
	return min(MaxSize, MaxPodSize/containers)
}

// BudgetFlag is the launcher's flag, without its dash, that tells it how long its message may be; default MaxSize. The
// reference's launcher does not know it.
const BudgetFlag = "termination_budget"

// Keys of Internal entries.
const (
	// KeyStartedAt is when the step's command was started, after all waiting; see FormatTime.
	KeyStartedAt = "StartedAt"
	// KeyExitCode is the decimal exit code of a command whose failure the step ignores (onError: continue).
	KeyExitCode = "ExitCode"
	// KeyReason is why the step failed, if it was not for its command's exit code; see the Reason constants.
	KeyReason = "Reason"
	// KeyMessage explains the reason to a person.
	KeyMessage = "Message"
)

// Values of KeyReason.
const (
	// ReasonTimeoutExceeded: the step's timeout ran out (EP-28).
	ReasonTimeoutExceeded = "TimeoutExceeded"
	// ReasonResultsTooLarge: the results do not fit into the message's budget.
	ReasonResultsTooLarge = "ResultsTooLarge"
	// ReasonResultsUnreadable: a result exists but cannot be read as a regular file of the results directory.
	ReasonResultsUnreadable = "ResultsUnreadable"
)

// Type says what an entry is about.
type Type int

// The types of entries that a v0.43 reader knows (EP-54).
const (
	Result           Type = 1
	PipelineResource Type = 2
	Internal         Type = 3
	// Unknown is any type with another name.
	Unknown Type = 10
)

// Entry is one fact of a message.
type Entry struct {
	Key          string `json:"key"`
	Value        string `json:"value"`
	ResourceName string `json:"resourceName,omitempty"`
	Type         Type   `json:"type,omitempty"`
}

// timeLayout is RFC 3339 with exactly three fractional digits.
const timeLayout = "2006-01-02T15:04:05.000Z07:00"

// FormatTime writes the value of KeyStartedAt.
func FormatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// ParseTime reads the value of KeyStartedAt.
func ParseTime(value string) (time.Time, error) { return time.Parse(timeLayout, value) }

// StartedAt is the entry that tells when the command was started.
func StartedAt(t time.Time) Entry {
	return Entry{Key: KeyStartedAt, Value: FormatTime(t), Type: Internal}
}
