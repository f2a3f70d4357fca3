package manager

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/plumbline-ci/plumbline/reconciler"
)

// PodLogs reads logs through the API server.
func PodLogs(api kubernetes.Interface) reconciler.PodLogs {
	return reconciler.PodLogsFunc(func(ctx context.Context, namespace, pod, container string) ([]byte, error) {
		return api.CoreV1().Pods(namespace).GetLogs(pod, &corev1.PodLogOptions{Container: container}).DoRaw(ctx)
	})
}
