package apifacts

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// apply applies a manifest and notes the answer.
func (w *world) apply(manager, manifest string, opts ...client.PatchOption) *unstructured.Unstructured {
	w.t.Helper()
	o := w.object(manifest)
	w.applyBody(manager, o, manifest, opts...)
	return o
}

// applyBody applies a manifest to the object o and takes in the answer.
func (w *world) applyBody(manager string, o *unstructured.Unstructured, manifest string, opts ...client.PatchOption) bool {
	w.t.Helper()
	body := strings.ReplaceAll(manifest, "$NS", w.ns)
	if manager != "" {
		opts = append(opts, client.FieldOwner(manager))
	}
	return w.answer(fmt.Sprintf("apply %s by %q", label(o), manager), w.client.Patch(ctx, o, client.RawPatch(types.ApplyYAMLPatchType, []byte(body)), opts...))
}

// managers notes who owns what, without the times.
func (w *world) managers(o *unstructured.Unstructured) {
	var lines []string
	for _, e := range o.GetManagedFields() {
		fields := ""
		if e.FieldsV1 != nil {
			fields = e.FieldsV1.GetRawString()
		}
		lines = append(lines, fmt.Sprintf("  %s %s %s %s %s dated:%v", e.Operation, e.Manager, e.Subresource, e.APIVersion, fields, e.Time != nil))
	}
	slices.Sort(lines)
	w.note("managers: %d", len(lines))
	for _, line := range lines {
		w.note("%s", line)
	}
}

const (
	applied   = `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v, l: w}}`
	byOwner   = client.FieldOwner("owner")
	runnable2 = `{apiVersion: tekton.dev/v1beta1, kind: TaskRun, metadata: {name: a, labels: {x: "y"}}, spec: {taskSpec: {steps: [{image: busybox, script: "true"}]}}}`
)

func applyRows() []row {
	return []row{
		{"apply/creates", func(w *world) {
			o := w.apply("one", applied)
			w.fields(o, "data", "metadata.generation")
			w.managers(o)
		}},
		{"apply/again changes nothing", func(w *world) {
			before := w.apply("one", applied)
			after := w.apply("one", applied)
			w.note("resourceVersion kept: %v", before.GetResourceVersion() == after.GetResourceVersion())
			w.managers(after)
		}},
		{"apply/what is left out is removed", func(w *world) {
			w.apply("one", applied)
			o := w.apply("one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v}}`)
			w.fields(o, "data")
			w.managers(o)
		}},
		{"apply/shared fields are kept", func(w *world) {
			w.apply("one", applied)
			w.apply("two", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v}}`)
			o := w.apply("one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {l: w}}`)
			w.fields(o, "data")
			w.managers(o)
		}},
		{"apply/one conflict", func(w *world) {
			w.apply("one", applied)
			w.apply("two", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: other}}`)
		}},
		{"apply/several conflicts", func(w *world) {
			w.apply("one", applied)
			w.apply("two", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {x: "y"}}, data: {m: n}}`)
			w.apply("three", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {x: "z"}}, data: {k: other, l: other, m: other}}`)
		}},
		{"apply/force takes fields over", func(w *world) {
			w.apply("one", applied)
			o := w.apply("two", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: other}}`, client.ForceOwnership)
			w.fields(o, "data")
			w.managers(o)
			w.fields(w.apply("one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {l: w}}`), "data")
		}},
		{"apply/conflict with an update", func(w *world) {
			o := w.object(applied)
			w.answer("create", w.client.Create(ctx, o, byOwner))
			w.apply("one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: other}}`)
		}},
		{"apply/an update takes fields from an apply", func(w *world) {
			o := w.apply("one", applied)
			o.Object["data"].(map[string]any)["k"] = "updated"
			w.update(o, byOwner)
			w.managers(o)
			w.applyBody("one", w.object(applied), applied)
		}},
		{"apply/a patch of another manager", func(w *world) {
			o := w.apply("one", applied)
			w.patch(o, types.MergePatchType, `{"metadata":{"annotations":{"x":"y"}},"data":{"l":null}}`, byOwner)
			w.managers(o)
			o = w.apply("one", applied)
			w.fields(o, "data")
			w.managers(o)
		}},
		{"apply/an update that changes nothing", func(w *world) {
			o := w.apply("one", applied)
			before := o.GetResourceVersion()
			w.update(o, byOwner)
			w.note("resourceVersion kept: %v", before == o.GetResourceVersion())
			w.managers(o)
		}},
		{"apply/managedFields are reset by an empty entry", func(w *world) {
			o := w.apply("one", applied)
			w.patch(o, types.MergePatchType, `{"metadata":{"managedFields":[{}]}}`, byOwner)
			w.managers(o)
			o = w.apply("two", applied)
			w.managers(o)
		}},
		{"apply/managedFields in the configuration", func(w *world) {
			w.apply("one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, managedFields: [{manager: x, operation: Apply, apiVersion: v1}]}}`)
		}},
		{"apply/without a manager", func(w *world) { w.apply("", applied) }},
		{"apply/long manager", func(w *world) { w.apply(strings.Repeat("m", 129), applied) }},
		{"apply/force of another kind of patch", func(w *world) {
			w.patch(w.given(configMap), types.MergePatchType, `{"data":{"k":"w"}}`, client.ForceOwnership)
		}},
		{"apply/unknown field", func(w *world) {
			w.apply("one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, nonsense: 1}`)
		}},
		{"apply/wrong type of a field", func(w *world) {
			w.apply("one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: 5}}`)
		}},
		{"apply/not YAML", func(w *world) { w.applyBody("one", w.object(applied), "{nonsense") }},
		{"apply/of another kind", func(w *world) {
			w.applyBody("one", w.object(applied), `{apiVersion: v1, kind: Secret, metadata: {name: a}}`)
		}},
		{"apply/other name than the URL", func(w *world) {
			w.applyBody("one", w.object(applied), `{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}`)
		}},
		{"apply/no name in the configuration", func(w *world) {
			w.applyBody("one", w.object(applied), `{apiVersion: v1, kind: ConfigMap, data: {k: v}}`)
		}},
		{"apply/other namespace than the URL", func(w *world) {
			w.applyBody("one", w.object(applied), `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: other}}`)
		}},
		{"apply/uid of an object that is not there", func(w *world) {
			w.apply("one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, uid: u}}`)
		}},
		{"apply/resourceVersion of an object that is not there", func(w *world) {
			w.apply("one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, resourceVersion: "1"}}`)
		}},
		{"apply/stale resourceVersion", func(w *world) {
			w.apply("one", applied)
			w.apply("one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, resourceVersion: "1"}, data: {k: w}}`)
		}},
		{"apply/namespace that does not exist", func(w *world) {
			w.apply("one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: $NS-none}}`)
		}},
		{"apply/dry run", func(w *world) {
			o := w.apply("one", applied, client.DryRunAll)
			w.managers(o)
			w.get(w.object(applied))
			w.apply("one", applied)
			w.fields(w.apply("one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: w}}`, client.DryRunAll), "data")
			w.get(o)
			w.fields(o, "data")
		}},
		{"apply/finalizers are a set", func(w *world) {
			w.apply("one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, finalizers: [example.com/x]}}`)
			o := w.apply("two", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, finalizers: [example.com/y]}}`)
			w.fields(o, "metadata.finalizers")
			w.managers(o)
			w.fields(w.apply("one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}`), "metadata.finalizers")
			w.apply("one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, finalizers: [example.com/x, example.com/x]}}`)
		}},
		{"apply/containers are a map", func(w *world) {
			p := func(container string) string {
				return `{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [` + container + `]}}`
			}
			w.apply("one", p(`{name: c, image: i, env: [{name: A, value: b}]}`))
			w.apply("two", p(`{name: c, image: j}`))
			o := w.apply("two", p(`{name: c, image: j}`), client.ForceOwnership)
			w.fields(o, "spec.containers[0].image", "spec.containers[0].env")
			w.managers(o)
		}},
		{"apply/key of a list is missing", func(w *world) {
			w.apply("one", `{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{image: i}]}}`)
		}},
		{"apply/invalid object", func(w *world) {
			w.apply("one", `{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c}]}}`)
		}},
		{"apply/status of a Pod", func(w *world) {
			w.given(pod("p"))
			body := `{apiVersion: v1, kind: Pod, metadata: {name: p}, status: {message: hello, conditions: [{type: Ready, status: "False"}]}}`
			o := w.object(body)
			err := w.client.SubResource("status").Patch(ctx, o, client.RawPatch(types.ApplyYAMLPatchType, []byte(body)), client.FieldOwner("kubelet"))
			w.answer("apply status", err)
			w.fields(o, "status.message", "status.phase", "status.conditions")
			for _, e := range o.GetManagedFields() {
				if e.Manager == "kubelet" {
					w.note("%s %s %s", e.Operation, e.Subresource, e.FieldsV1.GetRawString())
				}
			}
		}},
		{"apply/status through the main endpoint is not owned", func(w *world) {
			o := w.apply("one", `{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}]}, status: {message: hello}}`)
			w.fields(o, "status.message")
			w.managers(o)
		}},
		{"apply/status of an object that is not there", func(w *world) {
			o := w.object(pod("p"))
			body := `{apiVersion: v1, kind: Pod, metadata: {name: p}, status: {message: hello}}`
			w.answer("apply status", w.client.SubResource("status").Patch(ctx, o, client.RawPatch(types.ApplyYAMLPatchType, []byte(body)), client.FieldOwner("kubelet")))
		}},
		{"apply/a definition's kind", func(w *world) {
			widget := w.widgets()
			o := w.apply("one", widget("a", `spec: {size: 1, words: [a, b], free: {x: 1, y: [1]}}`))
			w.managers(o)
			w.apply("two", widget("a", `spec: {size: 2, words: [c]}`))
			o = w.apply("two", widget("a", `spec: {size: 1, color: green}`))
			w.managers(o)
		}},
		{"apply/list types of a definition", func(w *world) {
			widget := w.widgets(`
              parts: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [name], items: {type: object, required: [name], properties: {name: {type: string}, n: {type: integer}}}}
              marks: {type: array, x-kubernetes-list-type: set, items: {type: string}}
              atom: {type: object, x-kubernetes-map-type: atomic, additionalProperties: {type: string}}`)
			w.apply("one", widget("a", `spec: {size: 1, parts: [{name: a, n: 1}], marks: [x], atom: {k: v}}`))
			o := w.apply("two", widget("a", `spec: {parts: [{name: b, n: 2}], marks: ["y"]}`))
			w.fields(o, "spec.parts", "spec.marks", "spec.atom")
			w.managers(o)
			w.apply("two", widget("a", `spec: {atom: {l: w}}`))
		}},
		{"apply/unknown field of a definition's kind", func(w *world) {
			widget := w.widgets()
			w.apply("one", widget("a", `spec: {size: 1, nonsense: 1}`))
		}},
		{"apply/status of a definition's kind", func(w *world) {
			widget := w.widgets()
			w.apply("one", widget("a", `spec: {size: 1}, status: {phase: x}`))
			body := widget("a", `status: {phase: done}`)
			o := w.object(body)
			w.answer("apply status", w.client.SubResource("status").Patch(ctx, o, client.RawPatch(types.ApplyYAMLPatchType, []byte(body)), client.FieldOwner("two")))
			w.fields(o, "spec", "status")
			w.managers(o)
		}},
		{"apply/a TaskRun", func(w *world) {
			o := w.apply("one", runnable2)
			w.fields(o, "spec.timeout", "metadata.labels")
			w.managers(o)
			w.apply("two", `{apiVersion: tekton.dev/v1beta1, kind: TaskRun, metadata: {name: a}, spec: {taskSpec: {steps: [{image: other, script: "true"}]}}}`)
			o = w.apply("two", `{apiVersion: tekton.dev/v1beta1, kind: TaskRun, metadata: {name: a}, spec: {status: TaskRunCancelled}}`)
			w.fields(o, "spec.status", "metadata.generation")
		}},
		{"apply/a TaskRun in two versions", func(w *world) {
			w.apply("one", runnable2)
			v1 := strings.Replace(runnable2, "tekton.dev/v1beta1", "tekton.dev/v1", 1)
			o := w.apply("two", v1)
			w.managers(o)
			w.apply("two", strings.Replace(v1, `x: "y"`, `x: "z"`, 1))
			o = w.apply("two", strings.Replace(v1, `x: "y"`, `x: "z"`, 1), client.ForceOwnership)
			w.managers(o)
			w.patch(o, types.MergePatchType, `{"metadata":{"labels":{"w":"x"}}}`, byOwner)
			w.managers(o)
		}},
		{"apply/a TaskRun that is refused", func(w *world) { w.apply("one", taskRun("a", `timeout: 1h`)) }},
		{"apply/an object older than its first apply", func(w *world) {
			o := w.given(configMap)
			w.patch(o, types.MergePatchType, `{"metadata":{"managedFields":[{}]}}`)
			w.managers(o)
			w.apply("one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: other}}`)
			o = w.apply("one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {l: x}}`)
			w.managers(o)
		}},
	}
}
