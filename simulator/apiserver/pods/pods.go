// Package pods holds what a Kubernetes API server knows about Pods: how it fills
// in what a manifest leaves out, what it refuses, which changes it allows, and the
// quality of service it works out.
//
// Everything here is a function of Pods alone, with no store and no clock. The
// texts of the errors are kube-apiserver's. Left out are features that a Pod of a
// build does not meet: Windows, ephemeral containers, resource claims, in-place
// resizing.
package pods

import (
	corev1 "k8s.io/api/core/v1"
)

// Containers calls fn with every init container and container of a Pod.
func Containers(spec *corev1.PodSpec, fn func(c *corev1.Container)) {
	for i := range spec.InitContainers {
		fn(&spec.InitContainers[i])
	}
	for i := range spec.Containers {
		fn(&spec.Containers[i])
	}
}

// Terminal reports whether a Pod has ended for good.
func Terminal(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// Sidecar reports whether an init container is a native sidecar.
func Sidecar(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}
