package apiserver_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var (
	ctx    = context.Background()
	gadget = schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Gadget"}
	plain  = schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Plain"}
	global = schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Global"}
)

// world is a server with the namespace ns, three custom kinds that have no Go type,
// and a client. Shared objects are verified at its end.
type world struct {
	*apiserver.Server
	t        *testing.T
	k        *kernel.Kernel
	c        client.WithWatch
	warnings []string
}

func newWorld(t *testing.T, edit ...func(*apiserver.Options)) *world {
	t.Helper()
	w := &world{t: t, k: kernel.New(kernel.Options{Seed: 42})}
	o := apiserver.Options{
		Kernel: w.k, VerifyShared: true,
		Kinds: []apiserver.Kind{
			{GVK: gadget, Namespaced: true, Status: true},
			{GVK: plain, Namespaced: true},
			{GVK: global, Plural: "globals"},
		},
		OnWarning: func(x apiserver.Warning) { w.warnings = append(w.warnings, x.Text) },
	}
	for _, e := range edit {
		e(&o)
	}
	w.Server = apiserver.New(o)
	w.c = w.Client("test")
	if err := w.CreateNamespace("ns", nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, err := range w.VerifyShared() {
			t.Error(err)
		}
	})
	return w
}

func (w *world) create(obj client.Object, opts ...client.CreateOption) {
	w.t.Helper()
	if err := w.c.Create(ctx, obj, opts...); err != nil {
		w.t.Fatalf("create %s: %v", obj.GetName(), err)
	}
}

func (w *world) update(obj client.Object) {
	w.t.Helper()
	if err := w.c.Update(ctx, obj); err != nil {
		w.t.Fatalf("update %s: %v", obj.GetName(), err)
	}
}

func (w *world) updateStatus(obj client.Object) {
	w.t.Helper()
	if err := w.c.Status().Update(ctx, obj); err != nil {
		w.t.Fatalf("update the status of %s: %v", obj.GetName(), err)
	}
}

func (w *world) delete(obj client.Object, opts ...client.DeleteOption) {
	w.t.Helper()
	if err := w.c.Delete(ctx, obj, opts...); err != nil {
		w.t.Fatalf("delete %s: %v", obj.GetName(), err)
	}
}

func (w *world) get(obj client.Object) {
	w.t.Helper()
	if err := w.c.Get(ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
		w.t.Fatalf("get %s: %v", obj.GetName(), err)
	}
}

func (w *world) gone(obj client.Object) bool {
	w.t.Helper()
	err := w.c.Get(ctx, client.ObjectKeyFromObject(obj), obj)
	if err != nil && !apierrors.IsNotFound(err) {
		w.t.Fatal(err)
	}
	return err != nil
}

func (w *world) run(d time.Duration) { w.k.RunUntil(w.k.Now().Add(d)) }

// refused checks an error of the API to the letter.
func refused(t *testing.T, err error, code int32, reason metav1.StatusReason, message string) {
	t.Helper()
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		t.Fatalf("error is %T %v, want a status with code %d", err, err, code)
	}
	if s := status.Status(); s.Code != code || s.Reason != reason || message != "" && s.Message != message {
		t.Errorf("status %d %s\n  got:  %s\n  want: %d %s\n        %s", s.Code, s.Reason, s.Message, code, reason, message)
	}
}

func tree(gvk schema.GroupVersionKind, ns, name string, fields map[string]any) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	for k, v := range fields {
		u.Object[k] = v
	}
	u.SetGroupVersionKind(gvk)
	u.SetNamespace(ns)
	u.SetName(name)
	return u
}

func newGadget(name string) *unstructured.Unstructured {
	return tree(gadget, "ns", name, map[string]any{"spec": map[string]any{"size": int64(1)}})
}

func simplePod(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "busybox:1"}}},
	}
}

func simpleConfigMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}, Data: map[string]string{"k": "v"}}
}
