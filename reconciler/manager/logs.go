package manager

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
)

// podLogs reads logs through the API server.
type podLogs struct{ api kubernetes.Interface }

// Logs implements taskrun.PodLogs.
func (l podLogs) Logs(ctx context.Context, namespace, pod, container string) ([]byte, error) {
	return l.api.CoreV1().Pods(namespace).GetLogs(pod, &corev1.PodLogOptions{Container: container}).DoRaw(ctx)
}
