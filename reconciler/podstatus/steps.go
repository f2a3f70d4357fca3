package podstatus

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/entrypoint/termination"
)

// report is what the launcher of a Step says in its termination message.
type report struct {
	container string
	results   []termination.Entry
	others    []termination.Entry
	reason    string
	message   string
	unread    error
}

// States are the states of the Steps and Sidecars of a Pod.
func States(pod *corev1.Pod) ([]v1beta1.StepState, []v1beta1.SidecarState) {
	var o Observation
	readContainers(pod, &o)
	return o.Steps, o.Sidecars
}

// readContainers fills in the states of Steps and Sidecars, and returns what the Steps report, in their order.
func readContainers(pod *corev1.Pod, o *Observation) []report {
	var reports []report
	list := statuses(pod)
	for _, s := range list {
		var state corev1.ContainerState
		s.State.DeepCopyInto(&state)
		switch {
		case isStep(s.Name):
			if t := state.Terminated; t != nil && t.Message != "" && t.Reason != reasonUnknownStatus {
				r, problems := readReport(s.Name, t)
				reports = append(reports, r)
				o.Problems = append(o.Problems, problems...)
			}
			if o.Steps == nil {
				o.Steps = make([]v1beta1.StepState, 0, len(list))
			}
			o.Steps = append(o.Steps, v1beta1.StepState{
				ContainerState: state,
				Name:           strings.TrimPrefix(s.Name, v1beta1.StepContainerPrefix),
				ContainerName:  s.Name,
				ImageID:        s.ImageID,
			})
		case isSidecar(s.Name):
			o.Sidecars = append(o.Sidecars, sidecarState(s.Name, s.ImageID, state))
		}
	}
	return reports
}

func sidecarState(name, imageID string, state corev1.ContainerState) v1beta1.SidecarState {
	return v1beta1.SidecarState{
		ContainerState: state,
		Name:           strings.TrimPrefix(name, v1beta1.SidecarContainerPrefix),
		ContainerName:  name,
		ImageID:        imageID,
	}
}

// readReport reads a termination message, and replaces in the state what the launcher knows better: when the command
// started, and with what it exited if that is ignored. The message keeps what is not the launcher's own (§6.6).
func readReport(container string, state *corev1.ContainerStateTerminated) (report, []error) {
	r := report{container: container}
	entries, err := termination.Decode([]byte(state.Message))
	if err != nil {
		r.unread = err
		return r, []error{err}
	}
	var problems []error
	var kept []termination.Entry
	for _, e := range termination.Latest(entries) {
		switch e.Type {
		case termination.Internal:
			if err := r.apply(e, state); err != nil {
				problems = append(problems, err)
			}
			continue
		case termination.Result:
			r.results = append(r.results, e)
		default:
			r.others = append(r.others, e)
		}
		kept = append(kept, e)
	}
	state.Message = ""
	if len(kept) > 0 {
		message, err := json.Marshal(kept)
		if err != nil {
			return r, append(problems, err)
		}
		state.Message = string(message)
	}
	return r, problems
}

func (r *report) apply(e termination.Entry, state *corev1.ContainerStateTerminated) error {
	switch e.Key {
	case termination.KeyStartedAt:
		t, err := termination.ParseTime(e.Value)
		if err != nil {
			return fmt.Errorf("could not parse time value %q in StartedAt field: %w", e.Value, err)
		}
		state.StartedAt = metav1.NewTime(t).Rfc3339Copy()
	case termination.KeyExitCode:
		code, err := strconv.ParseUint(e.Value, 10, 32)
		if err != nil {
			return fmt.Errorf("could not parse int value %q in ExitCode field: %w", e.Value, err)
		}
		state.ExitCode = int32(code) //nolint:gosec // as many bits
	case termination.KeyReason:
		r.reason = e.Value
	case termination.KeyMessage:
		r.message = e.Value
	}
	return nil
}
