package apiserver_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// What an apply answers is compared with a real server in internal/apifacts.
// Here is what is this server's own: what is tracked when, and the typed client.

func applyText(w *world, manager, text string, obj client.Object) error {
	w.t.Helper()
	return w.c.Patch(ctx, obj, client.RawPatch(types.ApplyYAMLPatchType, []byte(text)), client.FieldOwner(manager))
}

func managersOf(obj client.Object) []string {
	var out []string
	for _, e := range obj.GetManagedFields() {
		out = append(out, string(e.Operation)+" "+e.Manager)
	}
	return out
}

func TestOnlyAppliedObjectsAreTracked(t *testing.T) {
	w := newWorld(t)
	cm := simpleConfigMap("a")
	w.create(cm)
	cm.Data["k"] = "w"
	w.update(cm)
	if got := cm.ManagedFields; got != nil {
		t.Errorf("managedFields of an object that was never applied: %v", got)
	}
	err := applyText(w, "one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v}}`, simpleConfigMap("a"))
	if !apierrors.IsConflict(err) {
		t.Fatalf("apply over a field that was written before: %v, want a conflict", err)
	}
	if err := applyText(w, "one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {l: x}}`, cm); err != nil {
		t.Fatal(err)
	}
	cm.Data["m"] = "y"
	w.update(cm)
	if diff := cmp.Diff([]string{"Apply one", "Update before-first-apply", "Update test"}, managersOf(cm)); diff != "" {
		t.Errorf("managers (-want +got):\n%s", diff)
	}
	// Those of a list are answered as well, and of metadata alone.
	meta := &metav1.PartialObjectMetadata{}
	meta.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMap"))
	meta.Namespace, meta.Name = "ns", "a"
	w.get(meta)
	if diff := cmp.Diff(managersOf(cm), managersOf(meta)); diff != "" {
		t.Errorf("managers in metadata alone:\n%s", diff)
	}
}

func TestEveryObjectIsTrackedOnDemand(t *testing.T) {
	w := newWorld(t, func(o *apiserver.Options) { o.ManageFields = true })
	for _, obj := range []client.Object{simpleConfigMap("a"), simplePod("p"), newGadget("g")} {
		w.create(obj, client.FieldOwner("maker"))
		if diff := cmp.Diff([]string{"Update maker"}, managersOf(obj)); diff != "" {
			t.Errorf("managers of a %T (-want +got):\n%s", obj, diff)
		}
	}
}

func TestManagersAreDatedByTheKernel(t *testing.T) {
	w := newWorld(t)
	cm := simpleConfigMap("a")
	if err := applyText(w, "one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v}}`, cm); err != nil {
		t.Fatal(err)
	}
	first := cm.CreationTimestamp
	w.run(time.Minute)
	w.get(cm)
	cm.Data["l"] = "w"
	w.update(cm)
	want := map[string]time.Time{"one": first.Time, "test": first.Add(time.Minute)}
	got := map[string]time.Time{}
	for _, e := range cm.ManagedFields {
		got[e.Manager] = e.Time.Time
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("times (-want +got):\n%s", diff)
	}
}

func TestApplyOfATypedConfiguration(t *testing.T) {
	w := newWorld(t)
	config := applycore.ConfigMap("a", "ns").WithData(map[string]string{"k": "v"})
	if err := w.c.Apply(ctx, config, client.FieldOwner("one")); err != nil {
		t.Fatal(err)
	}
	if config.UID == nil || *config.UID == "" {
		t.Error("the answer was not read into the configuration")
	}
	cm := simpleConfigMap("a")
	w.get(cm)
	if diff := cmp.Diff(map[string]string{"k": "v"}, cm.Data); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	err := w.c.Apply(ctx, applycore.ConfigMap("a", "ns").WithData(map[string]string{"k": "w"}), client.FieldOwner("two"))
	if !apierrors.IsConflict(err) {
		t.Errorf("second manager: %v, want a conflict", err)
	}
	if err := w.c.Apply(ctx, applycore.ConfigMap("a", "ns").WithData(map[string]string{"k": "w"}), client.FieldOwner("two"), client.ForceOwnership); err != nil {
		t.Error(err)
	}
}

func TestApplyToTheStatusOfACustomKind(t *testing.T) {
	w := newWorld(t)
	w.create(newGadget("a"))
	config := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "example.com/v1", "kind": "Gadget",
		"metadata": map[string]any{"name": "a", "namespace": "ns"},
		"spec":     map[string]any{"size": int64(5)}, "status": map[string]any{"phase": "done"},
	}}
	if err := w.c.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(config), client.FieldOwner("one"), client.ForceOwnership); err != nil {
		t.Fatal(err)
	}
	got := newGadget("a")
	w.get(got)
	want := map[string]any{"spec": map[string]any{"size": int64(1)}, "status": map[string]any{"phase": "done"}}
	if diff := cmp.Diff(want, map[string]any{"spec": got.Object["spec"], "status": got.Object["status"]}); diff != "" {
		t.Errorf("object (-want +got):\n%s", diff)
	}
}
