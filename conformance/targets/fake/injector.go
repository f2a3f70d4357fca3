package fake

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
)

// injector is a foreign mutating webhook, such as a service mesh's: it adds its containers to each new Pod.
type injector []fixture.Injected

var (
	_ apiserver.Admission = injector(nil)
	_ apiserver.Selective = injector(nil)
)

// Selects implements apiserver.Selective.
func (injector) Selects(gvk schema.GroupVersionKind, subresource string) bool {
	return gvk == corev1.SchemeGroupVersion.WithKind("Pod") && subresource == ""
}

// Admit implements apiserver.Admission.
func (list injector) Admit(r *apiserver.Request) error {
	pod, ok := r.Object.(*corev1.Pod)
	if !ok || r.Operation != apiserver.OperationCreate {
		return nil
	}
	var before []corev1.Container
	for _, i := range list {
		c := corev1.Container{Name: i.Name, Image: i.Image, Command: i.Command, Args: i.Args}
		if i.Init {
			before = append(before, c)
		} else {
			pod.Spec.Containers = append(pod.Spec.Containers, c)
		}
	}
	pod.Spec.InitContainers = append(before, pod.Spec.InitContainers...)
	return nil
}
