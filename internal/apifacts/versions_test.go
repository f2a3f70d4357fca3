package apifacts

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// taskRunV1 is a manifest in the API's other version.
func taskRunV1(name, spec string) string {
	return fmt.Sprintf(`{apiVersion: tekton.dev/v1, kind: TaskRun, metadata: {name: %s}, spec: {%s}}`, name, spec)
}

// as reads the object again in another version.
func (w *world) as(o *unstructured.Unstructured, apiVersion string) *unstructured.Unstructured {
	other := &unstructured.Unstructured{}
	other.SetAPIVersion(apiVersion)
	other.SetKind(o.GetKind())
	other.SetNamespace(o.GetNamespace())
	other.SetName(o.GetName())
	w.get(other)
	return other
}

// settings is a ConfigMap that says that it is the implementation's.
func settings(name, data string) string {
	return fmt.Sprintf(`{apiVersion: v1, kind: ConfigMap, metadata: {name: %s, labels: {app.kubernetes.io/part-of: tekton-pipelines}}, data: {%s}}`, name, data)
}

// versionRows are about kinds of two versions and the webhook that converts them, and the one that checks configuration.
func versionRows() []row {
	const (
		old   = "tekton.dev/v1beta1"
		newer = "tekton.dev/v1"
	)
	return []row{
		{"versions/written as v1, read as v1beta1", func(w *world) {
			o := w.create(taskRunV1("a", `taskSpec: {steps: [{image: busybox, script: "true", computeResources: {limits: {cpu: 1}}}]}`))
			w.fields(o, "apiVersion", "spec", "metadata.generation", "metadata.annotations")
			w.fields(w.as(o, old), "apiVersion", "spec", "metadata.generation", "metadata.annotations")
		}},
		{"versions/written as v1beta1, read as v1", func(w *world) {
			o := w.create(taskRun("a", `taskSpec: {steps: [{image: busybox, script: "true", resources: {limits: {cpu: 1}}}]}`))
			w.fields(w.as(o, newer), "apiVersion", "spec", "metadata.generation", "metadata.annotations")
		}},
		{"versions/what only v1beta1 has comes back", func(w *world) {
			o := w.create(taskRun("a", runnable))
			o.Object["status"] = map[string]any{"podName": "p", "cloudEvents": []any{map[string]any{"target": "http://sink"}}}
			w.updateStatus(o)
			other := w.as(o, newer)
			w.fields(other, "status", "metadata.annotations")
			other.SetLabels(map[string]string{"seen": "yes"})
			w.update(other)
			w.fields(w.as(o, old), "status", "metadata.labels", "metadata.annotations")
		}},
		{"versions/one object, one version and generation", func(w *world) {
			o := w.create(taskRun("a", runnable))
			other := w.as(o, newer)
			w.note("same resourceVersion: %v, same uid: %v", o.GetResourceVersion() == other.GetResourceVersion(), o.GetUID() == other.GetUID())
			w.patch(other, types.MergePatchType, `{"spec":{"status":"TaskRunCancelled"}}`)
			w.fields(w.as(o, old), "metadata.generation", "spec.status")
		}},
		{"versions/a field of the other version is refused", func(w *world) {
			w.create(taskRunV1("a", `taskSpec: {steps: [{image: busybox, resources: {limits: {cpu: 1}}}]}`))
			w.create(taskRun("b", `taskSpec: {steps: [{image: busybox, computeResources: {limits: {cpu: 1}}}]}`))
		}},
		{"versions/v1 is validated", func(w *world) {
			w.create(taskRunV1("a", ``))
			w.create(taskRunV1("b", `taskSpec: {steps: [{image: busybox}]}, timeout: -1s`))
		}},
		{"versions/conflict across versions", func(w *world) {
			o := w.create(taskRun("a", runnable))
			other := w.as(o, newer)
			o.SetLabels(map[string]string{"a": "1"})
			w.update(o)
			other.SetLabels(map[string]string{"a": "2"})
			w.update(other)
		}},
		{"versions/status through v1", func(w *world) {
			o := w.as(w.create(taskRun("a", runnable)), newer)
			o.Object["status"] = map[string]any{"podName": "p", "results": []any{map[string]any{"name": "r", "type": "string", "value": "x"}}}
			w.updateStatus(o)
			w.fields(w.as(o, old), "status", "metadata.generation")
		}},
		{"versions/lists and watches show the version that is asked for", func(w *world) {
			w.create(taskRun("a", runnable))
			w.create(taskRunV1("b", runnable))
			for _, version := range []string{old, newer} {
				for _, item := range w.list(version, "TaskRun").Items {
					w.fields(&item, "apiVersion")
				}
			}
			e := w.watch(newer, "TaskRun")
			e.next(2, "apiVersion")
			w.create(taskRun("c", runnable))
			e.next(1, "apiVersion")
		}},
		{"versions/a kind of one version has no other", func(w *world) {
			w.list(newer, "ClusterTask")
		}},
		{"versions/tasks", func(w *world) {
			o := w.create(`{apiVersion: tekton.dev/v1, kind: Task, metadata: {name: t}, spec: {stepTemplate: {computeResources: {requests: {cpu: 1}}}, steps: [{image: busybox}]}}`)
			w.fields(w.as(o, old), "spec", "metadata.annotations")
		}},
		{"configuration/what cannot be parsed is refused", func(w *world) {
			w.create(settings("config-defaults", `default-timeout-minutes: soon`))
			o := w.create(settings("config-defaults", `default-timeout-minutes: "5"`))
			w.patch(o, types.MergePatchType, `{"data":{"default-timeout-minutes":"later"}}`)
		}},
		{"configuration/other ConfigMaps are not looked at", func(w *world) {
			w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: config-defaults}, data: {default-timeout-minutes: soon}}`)
			w.create(settings("feature-flags", `enable-api-fields: everything`))
		}},
	}
}
