package apiserver_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// TestEventsExpire: an event goes an hour after it was written last, and nothing else does.
func TestEventsExpire(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	k := kernel.New(kernel.Options{})
	s := apiserver.New(apiserver.Options{Kernel: k})
	c := s.Client("test")
	event := func(name string) *corev1.Event {
		return &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{Namespace: "default", Name: name},
			InvolvedObject: corev1.ObjectReference{Kind: "ConfigMap", Namespace: "default", Name: "m"},
		}
	}
	at := func(elapsed time.Duration) {
		k.RunUntil(kernel.Epoch.Add(elapsed))
	}
	for _, o := range []client.Object{
		event("once.1"), event("repeated.1"),
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "m"}},
	} {
		if err := c.Create(ctx, o); err != nil {
			t.Fatal(err)
		}
	}
	at(30 * time.Minute)
	if err := c.Patch(ctx, event("repeated.1"), client.RawPatch(types.MergePatchType, []byte(`{"count":2}`))); err != nil {
		t.Fatal(err)
	}
	names := func() (out []string) {
		var list corev1.EventList
		if err := c.List(ctx, &list); err != nil {
			t.Fatal(err)
		}
		for _, e := range list.Items {
			out = append(out, e.Name)
		}
		return out
	}
	for _, row := range []struct {
		at   time.Duration
		want string
	}{
		{apiserver.EventTTL - time.Second, "[once.1 repeated.1]"},
		{apiserver.EventTTL, "[repeated.1]"},
		{apiserver.EventTTL + 29*time.Minute, "[repeated.1]"},
		{apiserver.EventTTL + 30*time.Minute, "[]"},
	} {
		at(row.at)
		if got := fmt.Sprint(names()); got != row.want {
			t.Errorf("after %v: %s, want %s", row.at, got, row.want)
		}
	}
	if err := c.Get(ctx, client.ObjectKey{Namespace: "default", Name: "m"}, &corev1.ConfigMap{}); err != nil {
		t.Error(err)
	}
}
