package recorder_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/recorder"
)

var ctx = context.Background()

type world struct {
	*testing.T
	k *kernel.Kernel
	client.Client
	r *recorder.Recorder
}

func newWorld(t *testing.T) *world {
	t.Helper()
	k := kernel.New(kernel.Options{})
	server := apiserver.New(apiserver.Options{Kernel: k})
	if err := server.CreateNamespace("ns", nil); err != nil {
		t.Fatal(err)
	}
	c := server.Client("test")
	return &world{t, k, c, recorder.New(recorder.Options{Clock: k, Client: c, Component: "tester", Host: "here"})}
}

func (w *world) events() []corev1.Event {
	w.Helper()
	list := &corev1.EventList{}
	if err := w.List(ctx, list); err != nil {
		w.Fatal(err)
	}
	return list.Items
}

func object(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, UID: types.UID("uid-" + name)}}
}

func TestEventNamesItsObject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.r.Event(object("m"), corev1.EventTypeNormal, "Done", "it is done")
	got := w.events()
	if len(got) != 1 {
		t.Fatalf("%d events", len(got))
	}
	e := got[0]
	if o := e.InvolvedObject; o.Kind != "ConfigMap" || o.APIVersion != "v1" || o.Namespace != "ns" || o.Name != "m" || o.UID != "uid-m" {
		t.Errorf("involved object %+v", o)
	}
	if e.Namespace != "ns" || e.Type != "Normal" || e.Reason != "Done" || e.Message != "it is done" || e.Count != 1 ||
		e.Source != (corev1.EventSource{Component: "tester", Host: "here"}) || !e.FirstTimestamp.Time.Equal(w.k.Now()) {
		t.Errorf("event %+v", e)
	}
}

func TestClusterWideObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.r.Event(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", UID: "u"}}, corev1.EventTypeNormal, "Up", "")
	if got := w.events(); len(got) != 1 || got[0].Namespace != "default" {
		t.Errorf("events %+v", got)
	}
}

func TestRepetitionsAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 3 {
		w.r.Event(object("m"), corev1.EventTypeWarning, "Unhealthy", "probe failed")
		w.k.RunUntil(w.k.Now().Add(time.Second))
	}
	w.r.Event(object("m"), corev1.EventTypeWarning, "Unhealthy", "another message")
	w.r.Event(object("other"), corev1.EventTypeWarning, "Unhealthy", "probe failed")
	got := w.events()
	counts := map[int32]int{}
	for _, e := range got {
		counts[e.Count]++
		if e.Count == 3 && e.LastTimestamp.Sub(e.FirstTimestamp.Time) != 2*time.Second {
			t.Errorf("from %s to %s", e.FirstTimestamp, e.LastTimestamp)
		}
	}
	if len(got) != 3 || counts[3] != 1 || counts[1] != 2 {
		t.Errorf("%d events with counts %v", len(got), counts)
	}
}

func TestDeletedEventIsCreatedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.r.Event(object("m"), corev1.EventTypeNormal, "Done", "")
	for _, e := range w.events() {
		if err := w.Delete(ctx, &e); err != nil {
			t.Fatal(err)
		}
	}
	w.r.Event(object("m"), corev1.EventTypeNormal, "Done", "")
	if got := w.events(); len(got) != 1 || got[0].Count != 1 {
		t.Errorf("events %+v", got)
	}
}

func TestObjectsHaveABudget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 100 {
		w.r.Event(object("noisy"), corev1.EventTypeNormal, "Talk", fmt.Sprint(i))
	}
	w.r.Event(object("quiet"), corev1.EventTypeNormal, "Talk", "once")
	if got := len(w.events()); got != 26 {
		t.Errorf("%d events, want 25 of the noisy and one of the quiet", got)
	}
	w.k.RunUntil(w.k.Now().Add(6 * time.Minute))
	w.r.Event(object("noisy"), corev1.EventTypeNormal, "Talk", "again")
	if got := len(w.events()); got != 27 {
		t.Errorf("%d events after six minutes, want one more", got)
	}
}

// TestLongMemory: what is kept for merging is bounded, and what has been forgotten
// starts again.
func TestLongMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 10_000 {
		w.r.Event(object(fmt.Sprint("m", i)), corev1.EventTypeNormal, "Done", "")
	}
	w.r.Event(object("m0"), corev1.EventTypeNormal, "Done", "")
	if got := len(w.events()); got != 10_001 {
		t.Errorf("%d events, want the first one twice", got)
	}
}

// refusing is a client whose writes fail.
type refusing struct{ client.Client }

func (refusing) Create(context.Context, client.Object, ...client.CreateOption) error {
	return errors.New("no")
}

func TestRefusedEventsAreDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := recorder.New(recorder.Options{Clock: w.k, Client: refusing{w.Client}, Component: "tester"})
	r.Event(object("m"), corev1.EventTypeNormal, "Done", "")
	if got := len(w.events()); got != 0 {
		t.Errorf("%d events", got)
	}
}
