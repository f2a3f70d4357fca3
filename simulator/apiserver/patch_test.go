package apiserver_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func raw(kind types.PatchType, format string, args ...any) client.Patch {
	return client.RawPatch(kind, fmt.Appendf(nil, format, args...))
}

func TestPatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	annotated := func() client.Object {
		pod := simplePod("")
		pod.GenerateName = "p-"
		pod.Annotations = map[string]string{"a": "b"}
		return pod
	}
	fresh := func() client.Object { g := newGadget(""); g.SetGenerateName("g-"); return g }
	for _, test := range []struct {
		reason string
		obj    func() client.Object
		patch  client.Patch
		check  func(client.Object) bool
		code   int32 // of the refusal
		want   string
	}{
		{reason: "replace of a missing annotation is accepted, as on a real server", obj: annotated,
			patch: raw(types.JSONPatchType, `[{"op":"replace","path":"/metadata/annotations/tekton.dev~1ready","value":"READY"}]`),
			check: func(o client.Object) bool {
				return o.GetAnnotations()["tekton.dev/ready"] == "READY" && o.GetAnnotations()["a"] == "b"
			}},
		{reason: "add below a missing field", obj: func() client.Object { o := annotated(); o.SetAnnotations(nil); return o },
			patch: raw(types.JSONPatchType, `[{"op":"add","path":"/metadata/annotations/x","value":"y"}]`),
			code:  422, want: "the server rejected our request due to an error in our request"},
		{reason: "a test that fails", obj: annotated,
			patch: raw(types.JSONPatchType, `[{"op":"test","path":"/metadata/annotations/a","value":"c"}]`),
			code:  422, want: "the server rejected our request due to an error in our request"},
		{reason: "a test that holds, over several fields", obj: annotated,
			patch: raw(types.JSONPatchType, `[{"op":"test","path":"/spec/containers/0/image","value":"busybox:1"},{"op":"replace","path":"/spec/containers/0/image","value":"nop"},{"op":"remove","path":"/metadata/annotations/a"}]`),
			check: func(o client.Object) bool {
				return o.(*corev1.Pod).Spec.Containers[0].Image == "nop" && o.GetAnnotations() == nil && o.GetGeneration() == 2
			}},
		{reason: "removal of a missing field", obj: annotated, patch: raw(types.JSONPatchType, `[{"op":"remove","path":"/metadata/annotations/none"}]`),
			code: 422, want: "the server rejected our request due to an error in our request"},
		{reason: "not a JSON patch", obj: annotated, patch: raw(types.JSONPatchType, `{"a":1}`), code: 400},
		{reason: "merge patch of metadata", obj: annotated, patch: raw(types.MergePatchType, `{"metadata":{"annotations":{"a":null,"c":"d"}}}`),
			check: func(o client.Object) bool { return cmp.Equal(o.GetAnnotations(), map[string]string{"c": "d"}) }},
		{reason: "merge patch of a tree", obj: fresh, patch: raw(types.MergePatchType, `{"spec":{"size":2,"more":{"x":1.5}}}`),
			check: func(o client.Object) bool {
				x, _, _ := unstructured.NestedFloat64(o.(*unstructured.Unstructured).Object, "spec", "more", "x")
				return x == 1.5 && o.GetGeneration() == 2
			}},
		{reason: "merge patch that removes spec", obj: fresh, patch: raw(types.MergePatchType, `{"spec":null}`),
			check: func(o client.Object) bool {
				_, found := o.(*unstructured.Unstructured).Object["spec"]
				return !found
			}},
		{reason: "merge patch with an old resourceVersion", obj: annotated, patch: raw(types.MergePatchType, `{"metadata":{"resourceVersion":"1","labels":{"a":"b"}}}`), code: 409},
		{reason: "merge patch of another uid", obj: annotated, patch: raw(types.MergePatchType, `{"metadata":{"uid":"x"}}`), code: 422},
		{reason: "merge patch of the name", obj: func() client.Object { p := simplePod("named"); return p }, patch: raw(types.MergePatchType, `{"metadata":{"name":"other"}}`),
			code: 400, want: "the name of the object (other) does not match the name on the URL (named)"},
		{reason: "merge patch with a wrong type", obj: annotated, patch: raw(types.MergePatchType, `{"spec":{"activeDeadlineSeconds":"x"}}`), code: 422},
		{reason: "merge patch of status through the main endpoint", obj: annotated, patch: raw(types.MergePatchType, `{"status":{"phase":"Running"}}`),
			check: func(o client.Object) bool { return o.(*corev1.Pod).Status.Phase == corev1.PodPending }},
		{reason: "strategic merge patch merges containers by name", obj: annotated,
			patch: raw(types.StrategicMergePatchType, `{"spec":{"containers":[{"name":"main","image":"nop"}]}}`),
			check: func(o client.Object) bool {
				c := o.(*corev1.Pod).Spec.Containers
				return len(c) == 1 && c[0].Image == "nop" && c[0].TerminationMessagePath != ""
			}},
		{reason: "custom kinds take no strategic merge patch", obj: fresh, patch: raw(types.StrategicMergePatchType, `{}`), code: 415,
			want: "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"},
		{reason: "an apply needs a manager", obj: annotated, patch: raw(types.ApplyYAMLPatchType, `{}`), code: 422},
		{reason: "whole document", obj: fresh, patch: raw(types.JSONPatchType, `[{"op":"copy","from":"/spec","path":"/twin"}]`),
			check: func(o client.Object) bool {
				n, _, _ := unstructured.NestedInt64(o.(*unstructured.Unstructured).Object, "twin", "size")
				return n == 1
			}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			obj := test.obj()
			w.create(obj)
			err := w.c.Patch(ctx, obj, test.patch)
			if test.code != 0 {
				refusedCode(t, err, test.code, test.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !test.check(obj) {
				t.Errorf("answered: %+v", obj)
			}
			stored := obj.DeepCopyObject().(client.Object)
			w.get(stored)
			if d := cmp.Diff(obj, stored); d != "" {
				t.Errorf("the answer differs from what is stored:\n%s", d)
			}
		})
	}
}

func refusedCode(t *testing.T, err error, code int32, want string) {
	t.Helper()
	reason := map[int32]metav1.StatusReason{400: metav1.StatusReasonBadRequest, 409: metav1.StatusReasonConflict, 415: metav1.StatusReasonUnsupportedMediaType, 422: metav1.StatusReasonInvalid}
	refused(t, err, code, reason[code], want)
}

func TestPatchesOfAMissingObject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refused(t, w.c.Patch(ctx, simplePod("no"), raw(types.MergePatchType, `{}`)), 404, metav1.StatusReasonNotFound, `pods "no" not found`)
}

func TestMergeFromPatchesOfStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := newGadget("g")
	w.create(g)
	before := g.DeepCopy()
	g.Object["status"] = map[string]any{"phase": "x"}
	_ = unstructured.SetNestedField(g.Object, int64(9), "spec", "size")
	if err := w.c.Status().Patch(ctx, g, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	size, _, _ := unstructured.NestedInt64(g.Object, "spec", "size")
	phase, _, _ := unstructured.NestedString(g.Object, "status", "phase")
	if size != 1 || phase != "x" || g.GetGeneration() != 1 {
		t.Errorf("size %d, phase %q, generation %d", size, phase, g.GetGeneration())
	}
	locked := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	refused(t, w.c.Status().Patch(ctx, g, locked), 409, metav1.StatusReasonConflict, "")
}

func TestUnknownFields(t *testing.T) {
	t.Parallel()
	var seen []string
	w := newWorld(t, func(o *apiserver.Options) {
		o.Admission = []apiserver.Admission{apiserver.AdmissionFunc(func(r *apiserver.Request) error {
			if len(r.Unknown) > 0 {
				seen = append(seen, strings.Join(r.Unknown, ","))
			}
			if _, ok := r.Raw["refuse"]; ok {
				return fmt.Errorf("mutation failed: cannot decode incoming new object: json: unknown field %q", r.Unknown[0])
			}
			return nil
		})}
	})
	pod := corev1.SchemeGroupVersion.WithKind("Pod")
	spec := func(extra map[string]any) map[string]any {
		m := map[string]any{"containers": []any{map[string]any{"name": "main", "image": "busybox:1", "colour": "red"}}}
		for k, v := range extra {
			m[k] = v
		}
		return map[string]any{"spec": m}
	}
	u := tree(pod, "ns", "p", spec(nil))
	w.create(u)
	if containers, _, _ := unstructured.NestedSlice(u.Object, "spec", "containers"); containers[0].(map[string]any)["colour"] != nil {
		t.Error("an unknown field was stored")
	}
	if d := cmp.Diff([]string{`unknown field "spec.containers[0].colour"`}, w.warnings); d != "" {
		t.Errorf("warnings (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"spec.containers[0].colour"}, seen); d != "" {
		t.Errorf("admission saw (-want +got):\n%s", d)
	}
	err := w.c.Create(ctx, tree(pod, "ns", "q", spec(nil)), client.FieldValidation("Strict"))
	refused(t, err, 400, metav1.StatusReasonBadRequest, `Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].colour"`)
	bad := tree(pod, "ns", "r", spec(nil))
	bad.Object["refuse"] = true
	refused(t, w.c.Create(ctx, bad), 403, metav1.StatusReasonForbidden, `pods "r" is forbidden: mutation failed: cannot decode incoming new object: json: unknown field "refuse"`)
	wrong := tree(pod, "ns", "s", map[string]any{"spec": map[string]any{"containers": "none"}})
	refused(t, w.c.Create(ctx, wrong), 400, metav1.StatusReasonBadRequest, `Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container`)
}

func TestTypedAndUnstructuredClientsShareObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(simplePod("typed"))
	u := tree(corev1.SchemeGroupVersion.WithKind("Pod"), "ns", "typed", nil)
	w.get(u)
	grace, _, err := unstructured.NestedInt64(u.Object, "spec", "terminationGracePeriodSeconds")
	if err != nil || grace != 30 {
		t.Errorf("grace period %d, %v", grace, err)
	}
	if _, found := u.Object["metadata"].(map[string]any)["managedFields"]; found {
		t.Error("managedFields are kept")
	}
	u.SetLabels(map[string]string{"a": "b"})
	w.update(u)
	var pod corev1.Pod
	if err := w.c.Get(ctx, key("ns", "typed"), &pod); err != nil {
		t.Fatal(err)
	}
	if pod.Labels["a"] != "b" || pod.Generation != 1 {
		t.Errorf("stored: %+v", pod.ObjectMeta)
	}
	md := &metav1.PartialObjectMetadata{}
	md.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Pod"))
	if err := w.c.Get(ctx, key("ns", "typed"), md); err != nil || md.UID != pod.UID || md.Kind != "Pod" {
		t.Errorf("metadata %+v, error %v", md, err)
	}
}

// TestAdmissionEdits is about what a mutating plugin does to an object: it is
// stored, and as JSON would carry it.
func TestAdmissionEdits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *apiserver.Options) {
		o.Admission = []apiserver.Admission{apiserver.AdmissionFunc(func(r *apiserver.Request) error {
			if cm, ok := r.Object.(*corev1.ConfigMap); ok && r.Operation != apiserver.OperationDelete {
				cm.Labels = map[string]string{"by": "admission"}
				cm.BinaryData = map[string][]byte{}
			}
			return nil
		})}
	})
	cm := simpleConfigMap("c")
	w.create(cm)
	if cm.Labels["by"] != "admission" || cm.BinaryData != nil {
		t.Errorf("stored: %+v", cm)
	}
}
