package apiserver_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/informer"
)

var gadgetV2 = schema.GroupVersionKind{Group: "example.com", Version: "v2", Kind: "Gadget"}

// size is the converter of gadgets: what is spec.size in v1 is spec.volume in v2.
type size struct{ asked int }

func (s *size) Convert(obj client.Object, to schema.GroupVersionKind) (client.Object, error) {
	s.asked++
	u, ok := obj.DeepCopyObject().(*unstructured.Unstructured)
	if !ok {
		return nil, fmt.Errorf("a %T", obj)
	}
	if u.GetLabels()["broken"] != "" {
		return nil, errors.New("it is broken")
	}
	from, into := "size", "volume"
	if to.Version == "v1" {
		from, into = into, from
	}
	if spec, ok := u.Object["spec"].(map[string]any); ok {
		if v, has := spec[from]; has {
			spec[into] = v
			delete(spec, from)
		}
	}
	u.SetGroupVersionKind(to)
	// A real server does not let a converter write to the rest of the metadata.
	u.SetFinalizers([]string{"example.com/of-the-converter"})
	return u, nil
}

func twoVersions(c apiserver.Converter) func(*apiserver.Options) {
	return func(o *apiserver.Options) {
		o.Kinds[0].Versions = []string{"v2"}
		o.Converter = c
	}
}

// read gets an object in a version and returns its spec.
func (w *world) read(gvk schema.GroupVersionKind, name string) *unstructured.Unstructured {
	w.t.Helper()
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gvk)
	if err := w.c.Get(ctx, client.ObjectKey{Namespace: "ns", Name: name}, u); err != nil {
		w.t.Fatal(err)
	}
	return u
}

func TestBothVersionsShowTheSameObject(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoVersions(&size{}))
	var seen []string
	stop, err := w.WatchWith(gadgetV2, apiserver.WatchOptions{}, func(e informer.Event) {
		u, ok := e.Object.(*unstructured.Unstructured)
		if !ok {
			t.Errorf("a %T", e.Object)
			return
		}
		seen = append(seen, fmt.Sprint(e.Type, " ", u.GetAPIVersion(), " ", u.Object["spec"]))
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	wait := func() { w.k.RunUntil(w.k.Now().Add(time.Second)) }
	check := func(reason string, version schema.GroupVersionKind, want map[string]any) {
		t.Helper()
		u := w.read(version, "g")
		if diff := cmp.Diff(want, u.Object["spec"]); diff != "" || u.GetAPIVersion() != version.GroupVersion().String() || u.GetFinalizers() != nil {
			t.Errorf("%s: %s %v (-want +got):\n%s", reason, u.GetAPIVersion(), u.GetFinalizers(), diff)
		}
	}

	made := tree(gadgetV2, "ns", "g", map[string]any{"spec": map[string]any{"volume": int64(1)}})
	w.create(made)
	if made.GetAPIVersion() != "example.com/v2" || made.GetUID() == "" || made.GetGeneration() != 1 {
		t.Errorf("the answer is %v", made)
	}
	check("created in v2", gadget, map[string]any{"size": int64(1)})
	check("created in v2", gadgetV2, map[string]any{"volume": int64(1)})
	if a, b := w.read(gadget, "g"), w.read(gadgetV2, "g"); a.GetResourceVersion() != b.GetResourceVersion() || a.GetUID() != b.GetUID() {
		t.Errorf("resourceVersions %s and %s, UIDs %s and %s", a.GetResourceVersion(), b.GetResourceVersion(), a.GetUID(), b.GetUID())
	}
	if err := w.c.Create(ctx, tree(gadget, "ns", "g", nil)); !apierrors.IsAlreadyExists(err) {
		t.Errorf("creating it in the other version: %v", err)
	}
	wait()

	if err := w.c.Patch(ctx, w.read(gadgetV2, "g"), client.RawPatch(types.MergePatchType, []byte(`{"spec":{"volume":2}}`))); err != nil {
		t.Fatal(err)
	}
	check("merged in v2", gadget, map[string]any{"size": int64(2)})
	if err := w.c.Patch(ctx, w.read(gadget, "g"), client.RawPatch(types.JSONPatchType, []byte(`[{"op":"replace","path":"/spec/size","value":3}]`))); err != nil {
		t.Fatal(err)
	}
	check("patched in v1", gadgetV2, map[string]any{"volume": int64(3)})
	wait()

	stale := w.read(gadgetV2, "g")
	fresh := w.read(gadgetV2, "g")
	fresh.Object["spec"] = map[string]any{"volume": int64(4)}
	if err := w.c.Update(ctx, fresh); err != nil {
		t.Fatal(err)
	}
	if fresh.GetGeneration() != 4 {
		t.Errorf("generation %d after three changes, want 4", fresh.GetGeneration())
	}
	if err := w.c.Update(ctx, stale); !apierrors.IsConflict(err) {
		t.Errorf("updating what has changed: %v", err)
	}
	again := w.read(gadgetV2, "g")
	if err := w.c.Update(ctx, again); err != nil || again.GetResourceVersion() != fresh.GetResourceVersion() {
		t.Errorf("an update without a change made version %s of %s: %v", again.GetResourceVersion(), fresh.GetResourceVersion(), err)
	}
	status := w.read(gadgetV2, "g")
	status.Object["spec"] = map[string]any{"volume": int64(99)}
	status.Object["status"] = map[string]any{"done": true}
	if err := w.c.Status().Update(ctx, status); err != nil {
		t.Fatal(err)
	}
	check("a status has no spec", gadget, map[string]any{"size": int64(4)})
	if done := w.read(gadget, "g").Object["status"]; !cmp.Equal(done, map[string]any{"done": true}) {
		t.Errorf("status %v", done)
	}
	wait()

	for _, version := range []schema.GroupVersionKind{gadget, gadgetV2} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(version.GroupVersion().WithKind("GadgetList"))
		if err := w.c.List(ctx, list, client.InNamespace("ns")); err != nil || len(list.Items) != 1 || list.Items[0].GetAPIVersion() != version.GroupVersion().String() {
			t.Errorf("list in %s: %v, %v", version.Version, list.Items, err)
		}
		if n := w.Len(version); n != 1 {
			t.Errorf("%d objects in %s", n, version.Version)
		}
		if mapping, err := w.c.RESTMapper().RESTMapping(version.GroupKind(), version.Version); err != nil || mapping.GroupVersionKind != version {
			t.Errorf("mapping of %s: %v, %v", version.Version, mapping, err)
		}
	}

	if err := w.c.Delete(ctx, w.read(gadgetV2, "g")); err != nil {
		t.Fatal(err)
	}
	if w.Len(gadget) != 0 {
		t.Error("it is still there in v1")
	}
	wait()
	if diff := cmp.Diff([]string{
		"ADDED example.com/v2 map[volume:1]",
		"MODIFIED example.com/v2 map[volume:2]", "MODIFIED example.com/v2 map[volume:3]", "MODIFIED example.com/v2 map[volume:4]",
		"MODIFIED example.com/v2 map[volume:4]", "DELETED example.com/v2 map[volume:4]",
	}, seen); diff != "" {
		t.Errorf("watched (-want +got):\n%s", diff)
	}
}

// TestAdmissionSeesTheVersionOfTheRequest: webhooks are asked before the conversion, about what was there after one.
func TestAdmissionSeesTheVersionOfTheRequest(t *testing.T) {
	t.Parallel()
	var seen []string
	w := newWorld(t, twoVersions(&size{}), func(o *apiserver.Options) {
		o.Admission = append(o.Admission, apiserver.AdmissionFunc(func(r *apiserver.Request) error {
			if r.GVK.Kind != "Gadget" || r.Operation == apiserver.OperationDelete {
				return nil
			}
			text := fmt.Sprint(r.GVK.Version, " ", r.Operation, " ", r.Object.(*unstructured.Unstructured).Object["spec"])
			if r.OldObject != nil {
				text += fmt.Sprint(" was ", r.OldObject.(*unstructured.Unstructured).Object["spec"])
			}
			seen = append(seen, text)
			return nil
		}))
	})
	w.create(tree(gadget, "ns", "g", map[string]any{"spec": map[string]any{"size": int64(1)}}))
	if err := w.c.Patch(ctx, w.read(gadgetV2, "g"), client.RawPatch(types.MergePatchType, []byte(`{"spec":{"volume":2}}`))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"v1 CREATE map[size:1]", "v2 UPDATE map[volume:2] was map[volume:1]"}, seen); diff != "" {
		t.Errorf("admission saw (-want +got):\n%s", diff)
	}
}

func TestAConversionThatFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoVersions(&size{}))
	const want = "conversion webhook for example.com/v2, Kind=Gadget failed: it is broken"
	broken := tree(gadgetV2, "ns", "g", nil)
	broken.SetLabels(map[string]string{"broken": "yes"})
	if err := w.c.Create(ctx, broken); !apierrors.IsInternalError(err) && (err == nil || err.Error() != want) {
		t.Errorf("creating: %v, want %s", err, want)
	}
	if w.Len(gadget) != 0 {
		t.Error("it was stored")
	}
	stored := tree(gadget, "ns", "h", nil)
	stored.SetLabels(map[string]string{"broken": "yes"})
	w.create(stored)
	if err := w.c.Get(ctx, client.ObjectKeyFromObject(stored), tree(gadgetV2, "ns", "h", nil)); err == nil {
		t.Error("it could be read in v2")
	}
}

// TestStoredVersionIsNotConverted: a request for the stored version costs nothing.
func TestStoredVersionIsNotConverted(t *testing.T) {
	t.Parallel()
	c := &size{}
	w := newWorld(t, twoVersions(c))
	w.create(tree(gadget, "ns", "g", nil))
	w.read(gadget, "g")
	if c.asked != 0 {
		t.Errorf("the converter was asked %d times", c.asked)
	}
}

func TestDefinitionOfTwoVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := widgetDefinition()
	other := *d.Spec.Versions[0].DeepCopy()
	other.Name, other.Storage = "v1beta1", false
	hidden := *other.DeepCopy()
	hidden.Name, hidden.Served = "v1alpha1", false
	d.Spec.Versions = append(d.Spec.Versions, other, hidden)
	w.create(d)
	beta := widget.GroupKind().WithVersion("v1beta1")
	w.create(tree(beta, "ns", "w", map[string]any{"spec": map[string]any{"size": int64(3), "unknown": "x"}}))
	got := w.read(widget, "w")
	if diff := cmp.Diff(map[string]any{"size": int64(3), "colour": "red"}, got.Object["spec"]); diff != "" || got.GetAPIVersion() != "example.org/v1" {
		t.Errorf("%s (-want +got):\n%s", got.GetAPIVersion(), diff)
	}
	if err := w.c.Create(ctx, tree(widget.GroupKind().WithVersion("v1alpha1"), "ns", "x", nil)); err == nil {
		t.Error("a version that is not served takes objects")
	}
	d.Spec.Versions[1].Served, d.Spec.Versions[2].Served = false, true
	if err := w.c.Update(ctx, d); err != nil {
		t.Fatal(err)
	}
	alpha := widget.GroupKind().WithVersion("v1alpha1")
	if err := w.c.Get(ctx, client.ObjectKey{Namespace: "ns", Name: "w"}, tree(beta, "", "", nil)); err == nil {
		t.Error("a version that is served no more still is")
	}
	if got := w.read(alpha, "w"); got.GetAPIVersion() != "example.org/v1alpha1" {
		t.Errorf("the version that is served now shows %s", got.GetAPIVersion())
	}
	if err := w.c.Delete(ctx, &apiextensionsv1.CustomResourceDefinition{ObjectMeta: d.ObjectMeta}); err != nil {
		t.Fatal(err)
	}
	if err := w.c.Get(ctx, client.ObjectKey{Namespace: "ns", Name: "w"}, tree(alpha, "", "", nil)); err == nil {
		t.Error("the other version outlives the definition")
	}
}
