package advice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/source"
)

// notScheduled is what happens to a Pod that no node can take.
const notScheduled = "the Pod could not be scheduled"

// transient are the reasons of containers that wait for nothing but their turn.
var transient = []string{"", "PodInitializing", "ContainerCreating"}

// nowhere says how to see the rest of a run whose Pod no node could take.
func nowhere(t *task) []Note {
	if len(t.Pods) == 0 {
		return nil
	}
	if b, ok := Blockage(t.Pods[len(t.Pods)-1]); !ok || b.What != notScheduled {
		return nil
	}
	return []Note{t.note(source.Position{}, "no node has what its Pod requests; --any-node runs it on a node that has everything")}
}

// Blocked is what keeps a Pod from running: what happens, and the cluster's reason for it.
type Blocked struct{ What, Why string }

// String renders "what: why".
func (b Blocked) String() string { return strings.TrimSuffix(b.What+": "+b.Why, ": ") }

// Blockage says what keeps a Pod from running, as its status has it now.
func Blockage(pod map[string]any) (b Blocked, ok bool) {
	for _, c := range mappings(pod, "status", "conditions") {
		if c["type"] == "PodScheduled" && c["status"] == "False" {
			return Blocked{notScheduled, strings.TrimSpace(text(c, "message"))}, true
		}
	}
	for _, list := range []string{"initContainerStatuses", "containerStatuses"} {
		for _, s := range mappings(pod, "status", list) {
			wait := mapping(s, "state", "waiting")
			if reason := text(wait, "reason"); !slices.Contains(transient, reason) {
				return Blocked{fmt.Sprintf("%s waited: %s", text(s, "name"), reason), strings.TrimSpace(text(wait, "message"))}, true
			}
		}
	}
	return Blocked{}, false
}
