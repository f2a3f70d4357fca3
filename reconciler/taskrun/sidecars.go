package taskrun

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/podspec"
	"github.com/plumbline-ci/plumbline/reconciler/podstatus"
)

// afterEnd is the pass of a run that is over: its Sidecars are stopped and shown as stopped. Nothing else of it changes.
func (p *taskRunPass) afterEnd(ctx context.Context) error {
	if err := p.stopPastAttempts(ctx); err != nil {
		return err
	}
	if p.Run.Status.PodName == "" || podIsDeleted(p.Run.Status.Succeeded().Reason) {
		return nil
	}
	pod, err := p.cachedPod(ctx, p.Run.Status.PodName)
	if err != nil || pod == nil {
		return err
	}
	if abandoned(&p.Run.Status) {
		_, err := p.deletePod(ctx)
		return err
	}
	if err := p.stopSidecars(ctx, pod); err != nil {
		return fmt.Errorf("error stopping sidecars of Pod %q: %w", pod.Name, err)
	}
	states := podstatus.StoppedSidecars(pod, p.Deps.Images.Nop)
	if len(states) == 0 || equality.Semantic.DeepEqual(states, p.Stored.Status.Sidecars) {
		return nil
	}
	updated := p.Stored.DeepCopy()
	updated.Status.Sidecars = states
	return p.Deps.Client.Status().Update(ctx, updated)
}

// podIsDeleted reports whether an attempt that ends for that reason takes its Pod with it.
func podIsDeleted(reason string) bool {
	switch reason {
	case v1beta1.TaskRunReasonCancelled, v1beta1.TaskRunReasonTimedOut, v1beta1.TaskRunReasonImagePullFailed, v1beta1.TaskRunReasonCreateContainerConfigError,
		v1beta1.TaskRunReasonResultLargerThanAllowedLimit:
		return true
	}
	return false
}

// stopPastAttempts stops what still runs beside the Steps of attempts that have failed.
func (p *taskRunPass) stopPastAttempts(ctx context.Context) error {
	for i := range p.Run.Status.RetriesStatus {
		name := p.Run.Status.RetriesStatus[i].PodName
		if name == "" {
			continue
		}
		pod, err := p.cachedPod(ctx, name)
		if err != nil {
			return err
		}
		if pod == nil {
			continue
		}
		if err := p.stopSidecars(ctx, pod); err != nil {
			return fmt.Errorf("error stopping sidecars of Pod %q: %w", name, err)
		}
	}
	return nil
}

// cachedPod is the run's Pod of that name, or nil.
func (p *taskRunPass) cachedPod(ctx context.Context, name string) (*corev1.Pod, error) {
	pod := &corev1.Pod{}
	err := p.Deps.Client.Get(ctx, client.ObjectKey{Namespace: p.Run.Namespace, Name: name}, pod)
	if err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	if !metav1.IsControlledBy(pod, p.Run) || pod.DeletionTimestamp != nil {
		return nil, nil
	}
	return pod, nil
}

// operation is one of a JSON patch.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// stopSidecars gives what runs beside the Steps an image that does nothing, all at once. The kubelet then restarts those
// containers, which end at once.
func (p *taskRunPass) stopSidecars(ctx context.Context, pod *corev1.Pod) error {
	var operations []operation
	for _, i := range podstatus.ToStop(pod, p.Deps.Images.Nop) {
		path := fmt.Sprintf("/spec/containers/%d", i)
		operations = append(operations,
			operation{Op: "test", Path: path + "/name", Value: pod.Spec.Containers[i].Name},
			operation{Op: "replace", Path: path + "/image", Value: p.Deps.Images.Nop},
		)
	}
	if len(operations) == 0 {
		return nil
	}
	return client.IgnoreNotFound(p.patchPod(ctx, pod, types.JSONPatchType, operations))
}

// loggedResults are the results that a Sidecar has printed, if results come from there (§7.6). It prints them as the last
// thing it does, and before it has, there may be no log to read.
func (p *taskRunPass) loggedResults(ctx context.Context, pod *corev1.Pod) ([]podstatus.LoggedResult, error) {
	flags := &p.Config.FeatureFlags
	container := podspec.SidecarContainerName(v1beta1.ReservedSidecarName)
	if p.Deps.Logs == nil || flags.ResultsFrom != config.ResultsFromSidecarLogs || !hasSucceeded(pod, container) {
		return nil, nil
	}
	log, err := p.Deps.Logs.Logs(ctx, pod.Namespace, pod.Name, container)
	if err != nil {
		return nil, err
	}
	return podstatus.ParseResultLog(log, flags.MaxResultSize)
}

func hasSucceeded(pod *corev1.Pod, container string) bool {
	for i := range pod.Status.ContainerStatuses {
		if s := &pod.Status.ContainerStatuses[i]; s.Name == container {
			return s.State.Terminated != nil && s.State.Terminated.ExitCode == 0
		}
	}
	return false
}
