// Package wall keeps a simulation from taking the machine down.
//
// Whatever simulated containers do is charged against limits of their own before memory is taken (package
// simulator/container). The wall stands behind these: on Linux, the command line runs a simulation in a child process whose
// address space is limited. A child that dies of the limit, or of a stack that grew too deep, is reported as a
// SimulationLimit with the containers that ran, and never as a crash of the tool.
//
//	parent                              child
//	Guard: starts the child             Guard: sets its own limit, and returns
//	waits                               works; Turns notes which container runs
//	passes on its exit code             Done notes that it ended by itself
//	or tells what it died of
//
// The two share a page of notes in memory and the file that the child's standard error leads to, which only the Go runtime
// writes to: what people read goes to the descriptor that [Stderr] returns.
//
// # Limits
//
// Elsewhere than on Linux there is no wall. The limit is for addresses and not for pages in use: a Go program of this size
// has 1 to 2 GiB of them before it does anything.
package wall

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Variable names the limit of the child's address space, as a Kubernetes quantity; 0 is no child and no limit.
const Variable = "PLUMBLINE_MEMORY"

// DefaultLimit is the limit where Variable is not set.
const DefaultLimit = 8 << 30

// smallest is the least that the tool itself runs in.
const smallest = 3 << 30

// simulates reports whether a command line runs containers in this process.
func simulates(args []string) bool {
	if len(args) == 0 || args[0] != "run" && args[0] != "simulate" {
		return false
	}
	for i, arg := range args {
		target, given := strings.CutPrefix(arg, "--target=")
		if arg == "--target" && i+1 < len(args) {
			target, given = args[i+1], true
		}
		if given && target != "fake" {
			return false
		}
	}
	return !slices.Contains(args, "--help") && !slices.Contains(args, "-h")
}

// limit reads Variable.
func limit() (int64, error) {
	text := os.Getenv(Variable)
	if text == "" {
		return DefaultLimit, nil
	}
	q, err := resource.ParseQuantity(text)
	if err != nil {
		return 0, fmt.Errorf("%s=%s: want a quantity, such as 8Gi, or 0: %w", Variable, text, err)
	}
	if n := q.Value(); n == 0 || n >= smallest {
		return n, nil
	}
	return 0, fmt.Errorf("%s=%s: want at least %s, or 0 for no limit", Variable, text, resource.NewQuantity(smallest, resource.BinarySI))
}

// deaths are how the Go runtime says that it cannot go on for want of memory.
var deaths = []struct{ says, limit string }{
	{"out of memory", "memory"},
	{"cannot allocate memory", "memory"},
	{"failed to create new OS thread", "memory"},
	{"stack exceeds", "stack depth"},
	{"stack overflow", "stack depth"},
}

// verdict says what a process that has not ended by itself died of, from what its runtime wrote.
func verdict(crash string, killed bool, limit int64, ran []string) (text string, ofLimit bool) {
	which := "none: the tool itself was running"
	if len(ran) > 0 {
		which = strings.Join(ran, ", ")
	}
	for _, d := range deaths {
		if strings.Contains(crash, d.says) {
			return fmt.Sprintf("SimulationLimit: the simulation exceeded its last limit, %s (%s of addresses, %s); running containers: %s",
				d.limit, resource.NewQuantity(limit, resource.BinarySI), Variable, which), true
		}
	}
	if killed {
		return fmt.Sprintf("SimulationLimit: the simulation was killed, probably because the machine is out of memory; running containers: %s", which), true
	}
	return crash, false
}

// container is a container's name as people know it, from the name that it has in the trace: kubelet/NODE/NAMESPACE/POD/NAME.
func container(actor string) string {
	if parts := strings.Split(actor, "/"); len(parts) == 5 && parts[0] == "kubelet" {
		return fmt.Sprintf("%s of the Pod %s/%s", parts[4], parts[2], parts[3])
	}
	return actor
}
