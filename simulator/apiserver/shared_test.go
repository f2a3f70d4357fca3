package apiserver_test

import (
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// TestWritesDoNotChangeEarlierVersions writes in all the ways that edit part of what
// versions of an object share; the world verifies at its end that no version was
// changed.
func TestWritesDoNotChangeEarlierVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *apiserver.Options) {
		o.Admission = []apiserver.Admission{apiserver.AdmissionFunc(func(r *apiserver.Request) error {
			switch obj := r.Object.(type) {
			case *corev1.Pod:
				obj.Labels["edited"] += "x"
				obj.Spec.Containers[0].Args = append(obj.Spec.Containers[0].Args, "smuggled")[:len(obj.Spec.Containers[0].Args)]
				for i := range obj.Status.Conditions {
					obj.Status.Conditions[i].Reason += "x"
				}
			case *corev1.ConfigMap:
				obj.Data["edited"] += "x"
			}
			return nil
		})}
	})
	var versions []*corev1.Pod
	w.Observe(func(c apiserver.Change) {
		if pod, ok := c.New.(*corev1.Pod); ok {
			versions = append(versions, pod, pod.DeepCopy())
		}
	})
	pod := simplePod("p")
	pod.Labels = map[string]string{"a": "b"}
	pod.Spec.Containers[0].Args = []string{"1"}
	pod.Status.Conditions = []corev1.PodCondition{{Type: "x"}}
	w.create(pod)
	pod.Status.Conditions = []corev1.PodCondition{{Type: "x"}, {Type: "y"}}
	w.updateStatus(pod)
	w.updateStatus(pod)
	pod.Spec.Containers[0].Image = "other"
	w.update(pod)
	if err := w.c.Patch(ctx, pod, raw(types.MergePatchType, `{"metadata":{"annotations":{"a":"b"}}}`)); err != nil {
		t.Fatal(err)
	}
	pod.Spec.Containers[0].Resources.Limits = corev1.ResourceList{"cpu": resource.MustParse("1")}
	if err := w.c.Update(ctx, pod); err == nil {
		t.Error("a change of limits was accepted")
	}
	for i := 0; i < len(versions); i += 2 {
		if !equalPods(versions[i], versions[i+1]) {
			t.Errorf("version %s was modified after it was stored", versions[i+1].ResourceVersion)
		}
	}
	if last := versions[len(versions)-1]; last.Labels["edited"] != strings.Repeat("x", 5) {
		t.Errorf("admission edited %d times: %v", len(last.Labels["edited"]), last.Labels)
	}
	cm := simpleConfigMap("c")
	w.create(cm)
	cm.Labels = map[string]string{"a": "b"}
	w.update(cm)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "s"}, StringData: map[string]string{"a": "1"}}
	w.create(secret)
	if err := w.c.Patch(ctx, secret, raw(types.MergePatchType, `{"stringData":{"b":"2"}}`)); err != nil {
		t.Fatal(err)
	}
	if string(secret.Data["a"])+string(secret.Data["b"]) != "12" || secret.StringData != nil {
		t.Errorf("secret %v", secret.Data)
	}
}

func equalPods(a, b *corev1.Pod) bool { return a.String() == b.String() }

// only selects one subresource of Pods.
type only struct {
	apiserver.AdmissionFunc
	subresource string
}

func (o only) Selects(gvk schema.GroupVersionKind, subresource string) bool {
	return gvk.Kind == "Pod" && subresource == o.subresource
}

func TestSelectiveAdmissionIsAskedAboutItsRequestsOnly(t *testing.T) {
	t.Parallel()
	var seen []string
	w := newWorld(t, func(o *apiserver.Options) {
		o.Admission = []apiserver.Admission{only{func(r *apiserver.Request) error {
			seen = append(seen, string(r.Operation)+" "+r.GVK.Kind+"/"+r.Subresource)
			return nil
		}, "status"}}
	})
	pod := simplePod("p")
	w.create(pod)
	pod.Status.Phase = corev1.PodRunning
	w.updateStatus(pod)
	if got := strings.Join(seen, ","); got != "UPDATE Pod/status" {
		t.Errorf("asked about %s", got)
	}
}
