package apifacts

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// configMap is the plainest object there is.
const configMap = `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v}}`

func metadataRows() []row {
	return []row{
		{"create/answers the stored object", func(w *world) {
			o := w.create(configMap)
			w.fields(o, "metadata.uid", "metadata.creationTimestamp", "metadata.generation", "metadata.selfLink", "data")
			w.note("resourceVersion is set: %v", o.GetResourceVersion() != "")
		}},
		{"create/already exists", func(w *world) { w.create(configMap); w.create(configMap) }},
		{"create/with a resourceVersion", func(w *world) {
			w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, resourceVersion: "5"}}`)
		}},
		{"create/without a name", func(w *world) { w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {}}`) }},
		{"create/generateName", func(w *world) {
			o := w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {generateName: generated-}}`)
			w.fields(o, "metadata.name", "metadata.generateName")
			w.note("length of the suffix: %d", len(strings.TrimPrefix(o.GetName(), "generated-")))
		}},
		{"create/name wins over generateName", func(w *world) {
			w.fields(w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, generateName: b-}}`), "metadata.name", "metadata.generateName")
		}},
		{"create/long generateName is cut", func(w *world) {
			o := w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {generateName: ` + strings.Repeat("x", 70) + `}}`)
			w.note("length of the name: %d", len(o.GetName()))
		}},
		{"create/invalid name", func(w *world) { w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: Not_Good}}`) }},
		{"create/invalid label", func(w *world) {
			w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {"a b": "c"}}}`)
			w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {x: "y z"}}}`)
		}},
		{"create/invalid annotation key", func(w *world) {
			w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {"a b": "c d"}}}`)
		}},
		{"create/annotations too long", func(w *world) {
			w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {x: "` + strings.Repeat("y", 262144) + `"}}}`)
		}},
		{"create/uid and creationTimestamp are the server's", func(w *world) {
			o := w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, uid: mine, creationTimestamp: "2001-01-01T00:00:00Z", generation: 7}}`)
			w.note("uid kept: %v; year kept: %v", o.GetUID() == "mine", o.GetCreationTimestamp().Year() == 2001)
			w.fields(o, "metadata.generation")
		}},
		{"create/deletionTimestamp is dropped", func(w *world) {
			o := w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, deletionTimestamp: "2001-01-01T00:00:00Z", deletionGracePeriodSeconds: 5}}`)
			w.fields(o, "metadata.deletionTimestamp", "metadata.deletionGracePeriodSeconds")
		}},
		{"create/namespace that does not exist", func(w *world) {
			w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: $NS-none}}`)
		}},
		{"create/unknown field is dropped", func(w *world) {
			w.fields(w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, nonsense: 1}`), "nonsense")
		}},
		{"create/unknown field under strict validation", func(w *world) {
			w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, nonsense: 1}`, client.FieldValidation("Strict"))
		}},
		{"create/wrong type of a field", func(w *world) {
			w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: 5}}`)
		}},
		{"create/dry run stores nothing", func(w *world) {
			w.create(configMap, client.DryRunAll)
			w.get(w.object(configMap))
		}},
		{"create/ownerReference without uid", func(w *world) {
			w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, ownerReferences: [{apiVersion: v1, kind: Pod, name: p, uid: ""}]}}`)
		}},
		{"create/two controllers", func(w *world) {
			w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, ownerReferences: [
				{apiVersion: v1, kind: Pod, name: p, uid: u1, controller: true}, {apiVersion: v1, kind: Pod, name: q, uid: u2, controller: true}]}}`)
		}},
		{"create/finalizer without a domain", func(w *world) {
			w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, finalizers: [nodomain]}}`)
		}},
		{"get/not found", func(w *world) { w.get(w.object(configMap)) }},
		{"update/without resourceVersion", func(w *world) {
			w.given(configMap)
			w.update(w.object(configMap))
		}},
		{"update/stale resourceVersion", func(w *world) {
			old := w.given(configMap)
			fresh := old.DeepCopy()
			w.patch(fresh, types.MergePatchType, `{"data":{"k":"w"}}`)
			w.update(old)
		}},
		{"update/unchanged keeps the resourceVersion", func(w *world) {
			o := w.given(configMap)
			before := o.GetResourceVersion()
			w.update(o)
			w.note("kept: %v", before == o.GetResourceVersion())
		}},
		{"update/other uid", func(w *world) {
			o := w.given(configMap)
			o.SetUID("other")
			w.update(o)
		}},
		{"update/not found", func(w *world) { w.update(w.object(configMap)) }},
		{"update/not found with a resourceVersion", func(w *world) {
			o := w.object(configMap)
			o.SetResourceVersion("1")
			w.update(o)
		}},
		{"update/creationTimestamp and generateName", func(w *world) {
			o := w.given(configMap)
			o.Object["metadata"].(map[string]any)["creationTimestamp"] = "2001-01-01T00:00:00Z"
			o.SetGenerateName("g-")
			w.update(o)
			w.note("year kept: %v", o.GetCreationTimestamp().Year() == 2001)
			w.fields(o, "metadata.generateName")
		}},
		{"update/immutable ConfigMap", func(w *world) {
			o := w.given(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, immutable: true, data: {k: v}}`)
			o.Object["data"] = map[string]any{"k": "w"}
			w.update(o)
		}},
		{"update/malformed resourceVersion", func(w *world) {
			o := w.given(configMap)
			o.SetResourceVersion("abc")
			w.update(o)
		}},
		{"delete/not found", func(w *world) { w.delete(w.object(configMap)) }},
		{"delete/uid precondition", func(w *world) {
			o := w.given(configMap)
			other := types.UID("other")
			w.delete(o, client.Preconditions{UID: &other})
			w.get(o)
		}},
		{"delete/resourceVersion precondition", func(w *world) {
			o := w.given(configMap)
			version := "1"
			err := w.client.Delete(ctx, o.DeepCopy(), client.Preconditions{ResourceVersion: &version})
			w.note("delete: %s", strings.ReplaceAll(describe(err), "("+o.GetResourceVersion()+")", "(CURRENT)"))
		}},
		{"delete/finalizer keeps the object", func(w *world) {
			o := w.given(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, finalizers: [example.com/x]}}`)
			w.delete(o)
			w.get(o)
			w.fields(o, "metadata.deletionTimestamp", "metadata.deletionGracePeriodSeconds", "metadata.finalizers")
			w.delete(o)
			o.SetFinalizers(nil)
			w.update(o)
			w.get(o)
		}},
		{"delete/a finalizer cannot be added on the way out", func(w *world) {
			o := w.given(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, finalizers: [example.com/x]}}`)
			w.delete(o)
			w.get(o)
			o.SetFinalizers([]string{"example.com/x", "example.com/y"})
			w.update(o)
		}},
		{"delete/deletionTimestamp cannot be taken back", func(w *world) {
			o := w.given(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, finalizers: [example.com/x]}}`)
			w.delete(o)
			w.get(o)
			o.SetDeletionTimestamp(nil)
			w.update(o)
			w.fields(o, "metadata.deletionTimestamp")
		}},
		{"delete/foreground adds a finalizer", func(w *world) {
			o := w.given(configMap)
			w.delete(o, client.PropagationPolicy(metav1.DeletePropagationForeground))
			w.get(o)
			w.fields(o, "metadata.finalizers", "metadata.deletionTimestamp")
		}},
		{"delete/orphan adds a finalizer", func(w *world) {
			o := w.given(configMap)
			w.delete(o, client.PropagationPolicy(metav1.DeletePropagationOrphan))
			w.get(o)
			w.fields(o, "metadata.finalizers")
		}},
		{"delete/unknown propagation policy", func(w *world) {
			w.delete(w.given(configMap), client.PropagationPolicy("Sideways"))
		}},
		{"delete/collection by label", func(w *world) {
			w.given(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {x: "y"}}}`)
			w.given(`{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}`)
			w.answer("delete all", w.client.DeleteAllOf(ctx, w.object(configMap), client.InNamespace(w.ns), client.MatchingLabels{"x": "y"}))
			w.list("v1", "ConfigMap")
		}},
		{"delete/dry run", func(w *world) {
			o := w.given(configMap)
			w.delete(o, client.DryRunAll)
			w.note("still there: %v", w.get(o))
		}},
		{"nil and empty/of a typed kind", func(w *world) {
			o := w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {}, annotations: null, finalizers: []}, data: {}}`)
			w.fields(o, "metadata.labels", "metadata.annotations", "metadata.finalizers", "data")
		}},
		{"patch/merge removes by null", func(w *world) {
			o := w.given(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v, l: w}}`)
			w.patch(o, types.MergePatchType, `{"data":{"k":null,"m":"x"}}`)
			w.fields(o, "data")
		}},
		{"patch/merge with a stale resourceVersion", func(w *world) {
			o := w.given(configMap)
			w.patch(o, types.MergePatchType, `{"metadata":{"resourceVersion":"1"},"data":{"k":"w"}}`)
		}},
		{"patch/merge of a missing object", func(w *world) { w.patch(w.object(configMap), types.MergePatchType, `{}`) }},
		{"patch/merge changes the name", func(w *world) {
			w.patch(w.given(configMap), types.MergePatchType, `{"metadata":{"name":"b"}}`)
		}},
		{"patch/merge that is not JSON", func(w *world) { w.patch(w.given(configMap), types.MergePatchType, `{nonsense`) }},
		{"patch/merge that changes nothing", func(w *world) {
			o := w.given(configMap)
			before := o.GetResourceVersion()
			w.patch(o, types.MergePatchType, `{"data":{"k":"v"}}`)
			w.note("resourceVersion kept: %v", before == o.GetResourceVersion())
		}},
		{"patch/JSON", func(w *world) {
			o := w.given(configMap)
			w.patch(o, types.JSONPatchType, `[{"op":"test","path":"/data/k","value":"v"},{"op":"replace","path":"/data/k","value":"w"},{"op":"add","path":"/data/l","value":"x"}]`)
			w.fields(o, "data")
		}},
		{"patch/JSON test that fails", func(w *world) {
			w.patch(w.given(configMap), types.JSONPatchType, `[{"op":"test","path":"/data/k","value":"other"}]`)
		}},
		{"patch/JSON path that is missing", func(w *world) {
			w.patch(w.given(configMap), types.JSONPatchType, `[{"op":"remove","path":"/data/none"}]`)
		}},
		{"patch/JSON that is not a list", func(w *world) { w.patch(w.given(configMap), types.JSONPatchType, `{"a":1}`) }},
		{"patch/strategic merges finalizers", func(w *world) {
			o := w.given(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, finalizers: [example.com/x]}}`)
			w.patch(o, types.StrategicMergePatchType, `{"metadata":{"finalizers":["example.com/y"]}}`)
			w.fields(o, "metadata.finalizers")
			w.patch(o, types.StrategicMergePatchType, `{"metadata":{"$deleteFromPrimitiveList/finalizers":["example.com/x"]}}`)
			w.fields(o, "metadata.finalizers")
		}},
		{"patch/leads to an invalid object", func(w *world) {
			w.patch(w.given(configMap), types.MergePatchType, `{"metadata":{"labels":{"x":"not good"}}}`)
		}},
	}
}
