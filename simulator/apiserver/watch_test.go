package apiserver_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/informer"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var configMaps = corev1.SchemeGroupVersion.WithKind("ConfigMap")

// recorder writes down what a watch delivers.
type recorder []string

func (r *recorder) handle(e informer.Event) {
	*r = append(*r, fmt.Sprintf("%s %s", e.Type, e.Object.GetName()))
}

func TestWatchesBeginWithExistingObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, a := simpleConfigMap("b"), simpleConfigMap("a")
	w.create(b)
	w.create(a)
	var got recorder
	stop, err := w.WatchWith(configMaps, apiserver.WatchOptions{Namespace: "ns", Synced: func() { got = append(got, "synced") }}, got.handle)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 0 {
		t.Error("events came before the kernel delivered any")
	}
	a.Data["k"] = "w"
	w.update(a)
	w.delete(b)
	w.run(time.Second)
	want := recorder{"ADDED a", "ADDED b", "ADDED kube-root-ca.crt", "synced", "MODIFIED a", "DELETED b"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
	stop()
	w.create(simpleConfigMap("c"))
	w.run(time.Second)
	if len(got) != len(want) {
		t.Error("a stopped watch goes on")
	}
}

func TestDeletionsHaveTheirOwnResourceVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var last informer.Event
	if _, err := w.Watch(configMaps, func(e informer.Event) { last = e }); err != nil {
		t.Fatal(err)
	}
	cm := simpleConfigMap("a")
	w.create(cm)
	w.delete(cm)
	w.run(time.Second)
	if last.Type != watch.Deleted || last.Object.GetResourceVersion() != w.ResourceVersion() || last.Object.GetResourceVersion() == cm.ResourceVersion {
		t.Errorf("%s at %s, created at %s", last.Type, last.Object.GetResourceVersion(), cm.ResourceVersion)
	}
}

func TestForcedPodDeletionIsTwoEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var got recorder
	pod := w.bound("p")
	if _, err := w.WatchWith(corev1.SchemeGroupVersion.WithKind("Pod"), apiserver.WatchOptions{Namespace: "ns"}, got.handle); err != nil {
		t.Fatal(err)
	}
	w.delete(pod, client.GracePeriodSeconds(0))
	w.run(time.Second)
	if d := cmp.Diff(recorder{"ADDED p", "MODIFIED p", "DELETED p"}, got); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
}

func TestSelectedWatchesAddAndDeleteWhenMatchingChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var got recorder
	selector := labels.SelectorFromSet(labels.Set{"in": "yes"})
	if _, err := w.WatchWith(configMaps, apiserver.WatchOptions{Labels: selector}, got.handle); err != nil {
		t.Fatal(err)
	}
	cm := simpleConfigMap("a")
	w.create(cm)
	for _, in := range []string{"yes", "yes", "no", "yes"} {
		cm.Labels = map[string]string{"in": in}
		cm.Data["n"] += "x"
		w.update(cm)
	}
	w.delete(cm)
	w.run(time.Second)
	if d := cmp.Diff(recorder{"ADDED a", "MODIFIED a", "DELETED a", "ADDED a", "DELETED a"}, got); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
}

func TestWatchesOfThePast(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *apiserver.Options) { o.History = 10 })
	cm := simpleConfigMap("a")
	w.create(cm)
	since, _ := strconv.ParseUint(cm.ResourceVersion, 10, 64)
	for i := range 5 {
		cm.Data["n"] = fmt.Sprint(i)
		w.update(cm)
	}
	var got recorder
	if _, err := w.WatchWith(configMaps, apiserver.WatchOptions{Since: since}, got.handle); err != nil {
		t.Fatal(err)
	}
	w.run(time.Second)
	if len(got) != 5 {
		t.Errorf("%d events since then, want 5: %v", len(got), got)
	}
	for i := range 10 {
		cm.Data["n"] = fmt.Sprint("more", i)
		w.update(cm)
	}
	_, err := w.WatchWith(configMaps, apiserver.WatchOptions{Since: since}, got.handle)
	if !apierrors.IsResourceExpired(err) {
		t.Errorf("a watch from too long ago: %v", err)
	}
}

func TestEveryWatchKeepsTheOrderOfWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *apiserver.Options) { o.WatchLag = apiserver.Lag{Min: 0, Max: time.Second} })
	orders := make([][]string, 2)
	for i := range orders {
		if _, err := w.WatchWith(configMaps, apiserver.WatchOptions{Namespace: "ns"}, func(e informer.Event) {
			orders[i] = append(orders[i], e.Object.GetResourceVersion())
		}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 200 {
		w.create(simpleConfigMap(fmt.Sprint("c", i)))
		w.run(10 * time.Millisecond)
	}
	w.run(time.Minute)
	for i, order := range orders {
		if len(order) != 201 {
			t.Fatalf("watch %d got %d events", i, len(order))
		}
		last := uint64(0)
		for _, v := range order[1:] {
			n, _ := strconv.ParseUint(v, 10, 64)
			if n <= last {
				t.Fatalf("watch %d: %d after %d", i, n, last)
			}
			last = n
		}
	}
}

func TestObserversSeeEveryWriteAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var got []string
	stop := w.Observe(func(c apiserver.Change) {
		got = append(got, fmt.Sprintf("%s %s/%s by %s old=%v new=%v", c.Verb, c.GVK.Kind, c.Subresource, c.Actor, c.Old() != nil, c.New != nil))
	})
	pod := simplePod("p")
	w.create(pod)
	pod.Status.Phase = corev1.PodRunning
	w.updateStatus(pod)
	w.delete(pod)
	stop()
	w.create(simplePod("q"))
	want := []string{
		"create Pod/ by test old=false new=true", "update Pod/status by test old=true new=true",
		"delete Pod/ by test old=true new=true", "delete Pod/ by test old=true new=false",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
}

func TestClientWatchesAreReadThroughAChannel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.Client("subject")
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var list corev1.ConfigMapList
	if err := c.List(ctx, &list); err != nil {
		t.Fatal(err)
	}
	events, err := c.Watch(ctx, &corev1.ConfigMapList{}, client.InNamespace("ns"), &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: list.ResourceVersion}})
	if err != nil {
		t.Fatal(err)
	}
	w.create(simpleConfigMap("a"))
	w.run(time.Second)
	e, ok := <-events.ResultChan()
	cm, typed := e.Object.(*corev1.ConfigMap)
	if !ok || !typed || e.Type != watch.Added || cm.Name != "a" || cm.Kind != "ConfigMap" {
		t.Errorf("got %+v", e)
	}
	cm.Data["k"] = "the reader's own copy"
	events.Stop()
	events.Stop()
	if _, more := <-events.ResultChan(); more {
		t.Error("a stopped watch has more")
	}
	w.create(simpleConfigMap("b"))
	w.run(time.Second)
}
