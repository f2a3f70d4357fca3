package garbagecollector_test

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/garbagecollector"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

var ctx = context.Background()

type world struct {
	*testing.T
	k *kernel.Kernel
	client.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	k := kernel.New(kernel.Options{Seed: 1})
	server := apiserver.New(apiserver.Options{Kernel: k})
	if err := server.CreateNamespace("ns", nil); err != nil {
		t.Fatal(err)
	}
	core := corev1.SchemeGroupVersion
	c := garbagecollector.New(garbagecollector.Options{Kernel: k, Client: server.Client("gc"), Source: server,
		Kinds: []schema.GroupVersionKind{core.WithKind("ConfigMap"), core.WithKind("Secret")}})
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return &world{T: t, k: k, Client: server.Client("test")}
}

func (w *world) run(d time.Duration) { w.k.RunUntil(w.k.Now().Add(d)) }

func (w *world) owner(name string) *corev1.ConfigMap {
	w.Helper()
	o := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}}
	if err := w.Create(ctx, o); err != nil {
		w.Fatal(err)
	}
	return o
}

func (w *world) dependent(name string, owners ...*corev1.ConfigMap) *corev1.Secret {
	w.Helper()
	o := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}}
	block := true
	for _, owner := range owners {
		o.OwnerReferences = append(o.OwnerReferences, metav1.OwnerReference{
			APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID, BlockOwnerDeletion: &block})
	}
	if err := w.Create(ctx, o); err != nil {
		w.Fatal(err)
	}
	return o
}

func (w *world) exists(o client.Object) bool {
	w.Helper()
	err := w.Get(ctx, client.ObjectKeyFromObject(o), o)
	if err != nil && !apierrors.IsNotFound(err) {
		w.Fatal(err)
	}
	return err == nil
}

func (w *world) delete(o client.Object, policy metav1.DeletionPropagation) {
	w.Helper()
	if err := w.Delete(ctx, o, client.PropagationPolicy(policy)); err != nil {
		w.Fatal(err)
	}
}

func TestDependentsAreDeletedWithTheirOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.owner("a"), w.owner("b")
	mine, both, other := w.dependent("mine", a), w.dependent("both", a, b), w.dependent("other", b)
	w.run(time.Second)
	w.delete(a, metav1.DeletePropagationBackground)
	w.run(time.Second)
	if w.exists(mine) || !w.exists(both) || !w.exists(other) || !w.exists(b) {
		t.Fatalf("left: mine %v, both %v, other %v, b %v", w.exists(mine), w.exists(both), w.exists(other), w.exists(b))
	}
	if len(both.OwnerReferences) != 1 || both.OwnerReferences[0].Name != "b" {
		t.Errorf("owners of what had two: %+v", both.OwnerReferences)
	}
	w.delete(b, metav1.DeletePropagationBackground)
	w.run(time.Second)
	if w.exists(both) || w.exists(other) {
		t.Error("dependents outlive their last owner")
	}
}

func TestOwnersAreKnownByUID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.owner("a")
	w.delete(a, metav1.DeletePropagationBackground)
	again := w.owner("a")
	late := w.dependent("late", a) // names the one that is gone
	fine := w.dependent("fine", again)
	w.run(time.Second)
	if w.exists(late) || !w.exists(fine) {
		t.Errorf("of the old owner %v, of the new one %v", w.exists(late), w.exists(fine))
	}
}

func TestUnservedOwnersCountAsExisting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "s", OwnerReferences: []metav1.OwnerReference{
		{APIVersion: "example.com/v1", Kind: "Thing", Name: "t", UID: "u"}}}}
	if err := w.Create(ctx, o); err != nil {
		t.Fatal(err)
	}
	w.run(time.Minute)
	if !w.exists(o) {
		t.Error("an object was deleted whose owner is of an unknown kind")
	}
}

func TestForegroundDeletionWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.owner("a")
	d := w.dependent("d", a)
	d.Finalizers = []string{"example.com/wait"}
	if err := w.Update(ctx, d); err != nil {
		t.Fatal(err)
	}
	w.run(time.Second)
	w.delete(a, metav1.DeletePropagationForeground)
	w.run(10 * time.Second)
	if !w.exists(a) || !w.exists(d) || d.DeletionTimestamp == nil {
		t.Fatalf("owner %v, dependent %v (deleted at %v)", w.exists(a), w.exists(d), d.DeletionTimestamp)
	}
	d.Finalizers = nil
	if err := w.Update(ctx, d); err != nil {
		t.Fatal(err)
	}
	w.run(5 * time.Second)
	if w.exists(a) || w.exists(d) {
		t.Errorf("owner %v, dependent %v", w.exists(a), w.exists(d))
	}
}

func TestOrphansLoseTheirOwnerReference(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.owner("a")
	d := w.dependent("d", a)
	w.run(time.Second)
	w.delete(a, metav1.DeletePropagationOrphan)
	w.run(5 * time.Second)
	if w.exists(a) || !w.exists(d) || len(d.OwnerReferences) != 0 {
		t.Errorf("owner %v, dependent %v with owners %v", w.exists(a), w.exists(d), d.OwnerReferences)
	}
}
