package foreign

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/cache"
)

// retryAfter is how long a clerk waits after an error.
const retryAfter = 200 * time.Millisecond

// Words of the API.
const (
	statusTrue, statusFalse, statusUnknown = "True", "False", "Unknown"

	reasonPending   = "Pending"
	reasonRunning   = "Running"
	reasonSucceeded = "Succeeded"
	reasonFailed    = "Failed"
	reasonTimeout   = "TaskRunTimeout"
	reasonCancelled = "TaskRunCancelled"
)

// clerk looks after one run, until it is over.
type clerk struct {
	controller *Controller
	name       cache.ObjectName
	bell       chan struct{}
}

// work goes on until there is nothing to do.
func (k *clerk) work(ctx context.Context) {
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.bell:
		case <-again.C:
		}
		over, next, err := k.look(ctx)
		switch {
		case err != nil:
			again.Reset(retryAfter)
		case !over:
			again.Reset(max(next, time.Millisecond))
		case k.controller.dismiss(k):
			return
		}
	}
}

// look does what is to be done now, and says when to look again if nothing happens.
func (k *clerk) look(ctx context.Context) (over bool, next time.Duration, err error) {
	runs := k.controller.Dynamic.Resource(taskRuns()).Namespace(k.name.Namespace)
	run, err := runs.Get(ctx, k.name.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return true, 0, nil
	case err != nil:
		return false, 0, err
	case run.GetDeletionTimestamp() != nil || ended(run):
		return true, 0, nil
	}
	before := run.DeepCopy()
	next, err = k.advance(ctx, run)
	if err != nil {
		return false, 0, err
	}
	if !equal(before, run) {
		if _, err := runs.UpdateStatus(ctx, run, metav1.UpdateOptions{}); err != nil {
			return false, 0, err
		}
	}
	return ended(run), next, nil
}

// advance makes of the status what it should be, and has the Pod follow.
func (k *clerk) advance(ctx context.Context, run *unstructured.Unstructured) (next time.Duration, err error) {
	now := time.Now()
	started, err := begin(run, now)
	if err != nil {
		return 0, err
	}
	if cancelled, message := cancellation(run); cancelled {
		if k.controller.Fault == DropsMessages {
			message = ""
		}
		if k.controller.Fault != LeavesPods {
			if err := k.removePod(ctx, run); err != nil {
				return 0, err
			}
		}
		text := fmt.Sprintf("TaskRun %q was cancelled. %s", run.GetName(), message)
		return 0, conclude(run, now, statusFalse, reasonCancelled, text)
	}
	pod, err := k.controller.pod(ctx, run.GetNamespace(), podName(run))
	if apierrors.IsNotFound(err) {
		pod, err = k.createPod(ctx, run)
	}
	if err != nil {
		return 0, err
	}
	limit, limited := timeout(run)
	left := limit - now.Sub(started)
	switch {
	case pod == nil:
		return 0, conclude(run, now, statusFalse, reasonFailed, "there is nothing to run: only embedded Tasks with steps are known")
	case pod.Status.Phase == corev1.PodSucceeded:
		if err := setResults(run, pod); err != nil {
			return 0, err
		}
		return 0, conclude(run, now, statusTrue, reasonSucceeded, "All Steps have completed executing")
	case pod.Status.Phase == corev1.PodFailed:
		return 0, conclude(run, now, statusFalse, reasonFailed, "a Step has failed")
	case limited && left <= 0 && k.controller.Fault != DeafToTimeouts:
		if err := k.removePod(ctx, run); err != nil {
			return 0, err
		}
		return 0, conclude(run, now, statusFalse, reasonTimeout, fmt.Sprintf("TaskRun %q failed to finish within %q", run.GetName(), limit))
	case working(pod):
		err = setCondition(run, now, statusUnknown, reasonRunning, "Not all Steps in the Task have finished executing")
	default:
		err = setCondition(run, now, statusUnknown, reasonPending, "The Pod is not running yet")
	}
	if !limited || k.controller.Fault == DeafToTimeouts {
		left = time.Hour
	}
	return left, err
}

// createPod makes the run's Pod; nil means that there is none to make.
func (k *clerk) createPod(ctx context.Context, run *unstructured.Unstructured) (*corev1.Pod, error) {
	pod, err := podFor(run)
	if pod == nil || err != nil {
		return nil, err
	}
	if k.controller.Fault == DeafToTimeouts {
		pod.Spec.ActiveDeadlineSeconds = nil
	}
	made, err := k.controller.Clientset.CoreV1().Pods(run.GetNamespace()).Create(ctx, pod, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	return made, unstructured.SetNestedField(run.Object, made.Name, "status", "podName")
}

func (k *clerk) removePod(ctx context.Context, run *unstructured.Unstructured) error {
	err := k.controller.Clientset.CoreV1().Pods(run.GetNamespace()).Delete(ctx, podName(run), metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
