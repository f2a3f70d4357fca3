package apiserver_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/informer"
)

// TestObjectsAtRestAreAsTheyWere ends more Pods than a server keeps unpacked. Every way of reading shows them as they were
// written, and writing them goes on as before.
func TestObjectsAtRestAreAsTheyWere(t *testing.T) {
	t.Parallel()
	const many = 300
	w := newWorld(t, func(o *apiserver.Options) { o.VerifyShared = false })
	cache := informer.New(w.k, w.Server, corev1.SchemeGroupVersion.WithKind("Pod"))
	written := map[string]*corev1.Pod{}
	for n := range many {
		pod := simplePod(fmt.Sprintf("pod-%03d", n))
		pod.Labels = map[string]string{"n": fmt.Sprint(n)}
		w.create(pod)
		pod.Status.Phase = corev1.PodSucceeded
		pod.Status.Message = fmt.Sprintf("ended as number %d", n)
		w.updateStatus(pod)
		written[pod.Name] = pod.DeepCopy()
	}
	w.run(time.Second)
	same := func(how string, got *corev1.Pod) {
		t.Helper()
		got = got.DeepCopy()
		got.TypeMeta = written[got.Name].TypeMeta // clients decode it in some ways of reading only
		if d := cmp.Diff(written[got.Name], got); d != "" {
			t.Fatalf("%s by %s (-written +read):\n%s", got.Name, how, d)
		}
	}
	for round := range 2 {
		for name := range written {
			got := &corev1.Pod{}
			got.Namespace, got.Name = "ns", name
			w.get(got)
			same("get", got)
			shared, ok := cache.Get(client.ObjectKey{Namespace: "ns", Name: name})
			if !ok {
				t.Fatalf("round %d: the cache has no %s", round, name)
			}
			same("cache", shared.(*corev1.Pod))
		}
		var list corev1.PodList
		if err := w.c.List(ctx, &list, client.InNamespace("ns")); err != nil || len(list.Items) != many {
			t.Fatalf("%d items, %v", len(list.Items), err)
		}
		for i := range list.Items {
			same("list", &list.Items[i])
		}
	}
	if err := w.c.List(ctx, &corev1.PodList{}, client.MatchingLabels{"n": "7"}); err != nil {
		t.Fatal(err)
	}
	pod := simplePod("pod-000")
	if err := w.c.Patch(ctx, pod, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"more":"yes"}}}`))); err != nil {
		t.Fatal(err)
	}
	if pod.Labels["more"] != "yes" || pod.Labels["n"] != "0" || pod.Status.Message != written["pod-000"].Status.Message {
		t.Errorf("after a patch: %v, %q", pod.Labels, pod.Status.Message)
	}
	w.delete(pod, client.GracePeriodSeconds(0))
	w.run(time.Second)
	if _, there := cache.Get(client.ObjectKeyFromObject(pod)); there || !w.gone(pod) {
		t.Error("it is still there")
	}
}

// TestEventsAreForgotten deletes most events, and has the others expire in time.
func TestEventsAreForgotten(t *testing.T) {
	t.Parallel()
	const many = 3000
	w := newWorld(t, func(o *apiserver.Options) { o.VerifyShared = false })
	event := func(n int) *corev1.Event {
		e := &corev1.Event{Reason: "Counted", InvolvedObject: corev1.ObjectReference{Namespace: "ns"}}
		e.Namespace, e.Name = "ns", fmt.Sprintf("event.%d", n)
		return e
	}
	for n := range many {
		w.create(event(n))
	}
	for n := range many {
		if n%10 != 0 {
			w.delete(event(n))
		}
	}
	for _, tt := range []struct {
		after time.Duration
		left  int
	}{{apiserver.EventTTL - time.Second, many / 10}, {time.Second, 0}} {
		w.run(tt.after)
		var list corev1.EventList
		if err := w.c.List(ctx, &list); err != nil || len(list.Items) != tt.left {
			t.Errorf("%d events are left after a further %v, want %d: %v", len(list.Items), tt.after, tt.left, err)
		}
	}
}
