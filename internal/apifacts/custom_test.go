package apifacts

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// taskRun is a manifest of our own kind, whose schema is open.
func taskRun(name, spec string) string {
	return fmt.Sprintf(`{apiVersion: tekton.dev/v1beta1, kind: TaskRun, metadata: {name: %s}, spec: {%s}}`, name, spec)
}

const runnable = `taskSpec: {steps: [{image: busybox, script: "true"}]}`

// widgets defines a kind of the row's own with a schema, and waits until it is served.
func (w *world) widgets(more ...string) func(name, fields string) string {
	group := w.ns + ".example.com"
	w.given(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.` + group + `}
spec:
  group: ` + group + `
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            properties:
              size: {type: integer, minimum: 1, maximum: 9}
              color: {type: string, enum: [red, green], default: red}
              words: {type: array, items: {type: string}, maxItems: 2}
              name: {type: string, pattern: "^[a-z]+$", maxLength: 3}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true}
              nothing: {type: string, nullable: true}
` + strings.Join(more, "\n") + `
          status: {type: object, properties: {phase: {type: string}}}
`)
	manifest := func(name, fields string) string {
		return fmt.Sprintf(`{apiVersion: %s/v1, kind: Widget, metadata: {name: %s}, %s}`, group, name, fields)
	}
	probe := &unstructured.UnstructuredList{}
	probe.SetAPIVersion(group + "/v1")
	probe.SetKind("WidgetList")
	awaitChannel(func() bool { return w.client.List(ctx, probe, client.InNamespace(w.ns)) == nil }, patience)
	return manifest
}

func customRows() []row {
	return []row{
		{"definition/pruning", func(w *world) {
			widget := w.widgets()
			w.fields(w.create(widget("a", `spec: {size: 1, unknown: x, free: {any: thing}}, other: 1`)), "spec", "other")
		}},
		{"definition/defaulting", func(w *world) {
			widget := w.widgets()
			w.fields(w.create(widget("a", `spec: {size: 1}`)), "spec.color")
			w.fields(w.create(widget("b", `spec: {size: 1, color: null}`)), "spec.color")
		}},
		{"definition/nullable", func(w *world) {
			widget := w.widgets()
			w.fields(w.create(widget("a", `spec: {size: 1, nothing: null}`)), "spec")
			w.create(widget("b", `spec: {size: 1, name: null}`))
		}},
		{"definition/validation", func(w *world) {
			widget := w.widgets()
			for i, spec := range []string{`{}`, `{size: 0}`, `{size: 10}`, `{size: text}`, `{size: 1, color: blue}`, `{size: 1, words: [a, b, c]}`, `{size: 1, words: [1]}`,
				`{size: 1, name: ABCD}`, `text`} {
				w.create(widget(fmt.Sprintf("w%d", i), "spec: "+spec))
			}
		}},
		{"definition/rules in CEL", func(w *world) {
			widget := w.widgets(`            x-kubernetes-validations: [{rule: "!has(self.words) || self.size >= size(self.words)", message: more words than size}]`)
			w.create(widget("a", `spec: {size: 1, words: [a, b]}`))
		}},
		{"definition/several errors at once", func(w *world) {
			widget := w.widgets()
			var status *apierrors.StatusError
			if err := w.client.Create(ctx, w.object(widget("a", `spec: {size: 0, color: blue, name: ABCD}`))); errors.As(err, &status) {
				for _, c := range status.ErrStatus.Details.Causes {
					w.note("%s %s: %s", c.Field, c.Type, c.Message)
				}
			}
			slices.Sort(w.lines) // a real server has them in no order
		}},
		{"definition/status is apart", func(w *world) {
			widget := w.widgets()
			o := w.create(widget("a", `spec: {size: 1}, status: {phase: x}`))
			w.fields(o, "status", "metadata.generation")
			o.Object["status"] = map[string]any{"phase": "done"}
			o.Object["spec"].(map[string]any)["size"] = int64(2)
			w.updateStatus(o)
			w.fields(o, "status", "spec.size", "metadata.generation")
			o.Object["status"] = map[string]any{"phase": "other"}
			o.Object["spec"].(map[string]any)["size"] = int64(3)
			w.update(o)
			w.fields(o, "status", "spec.size", "metadata.generation")
		}},
		{"definition/generation counts changes of the spec", func(w *world) {
			widget := w.widgets()
			o := w.create(widget("a", `spec: {size: 1}`))
			w.patch(o, types.MergePatchType, `{"metadata":{"labels":{"x":"y"}}}`)
			w.fields(o, "metadata.generation")
			w.patch(o, types.MergePatchType, `{"spec":{"size":2}}`)
			w.fields(o, "metadata.generation")
			w.patch(o, types.MergePatchType, `{"spec":{"size":2}}`)
			w.fields(o, "metadata.generation")
		}},
		{"definition/invalid label in an update", func(w *world) {
			widget := w.widgets()
			w.patch(w.create(widget("a", `spec: {size: 1}`)), types.MergePatchType, `{"metadata":{"labels":{"x":"not good"}}}`)
		}},
		{"definition/strategic merge patch is refused", func(w *world) {
			widget := w.widgets()
			w.patch(w.create(widget("a", `spec: {size: 1}`)), types.StrategicMergePatchType, `{"spec":{"size":2}}`)
		}},
		{"definition/numbers and fractions", func(w *world) {
			widget := w.widgets()
			w.create(widget("a", `spec: {size: 1.5}`))
			w.fields(w.create(widget("b", `spec: {size: 1, free: {whole: 3.0, part: 2.5, big: 9007199254740993}}`)), "spec.free")
		}},
		{"definition/deletion and generation", func(w *world) {
			widget := w.widgets()
			o := w.object(widget("a", `spec: {size: 1}`))
			o.SetFinalizers([]string{"example.com/x"})
			w.answer("create", w.client.Create(ctx, o))
			w.delete(o)
			w.get(o)
			w.fields(o, "metadata.generation", "metadata.deletionGracePeriodSeconds")
		}},
		{"taskrun/defaulting", func(w *world) {
			w.fields(w.create(taskRun("a", runnable)), "spec.timeout", "spec.serviceAccountName", "spec.resources", "metadata.labels", "metadata.annotations", "metadata.generation", "status")
		}},
		{"taskrun/nil and empty", func(w *world) {
			o := w.create(taskRun("a", runnable+`, params: [], workspaces: null`))
			w.fields(o, "spec.params", "spec.workspaces")
		}},
		{"taskrun/unknown field", func(w *world) { w.create(taskRun("a", runnable+`, nonsense: 1`)) }},
		{"taskrun/unknown field in the metadata", func(w *world) {
			w.create(`{apiVersion: tekton.dev/v1beta1, kind: TaskRun, metadata: {name: a, nonsense: 1}, spec: {` + runnable + `}}`)
		}},
		{"taskrun/unknown field beside the spec", func(w *world) {
			w.create(`{apiVersion: tekton.dev/v1beta1, kind: TaskRun, metadata: {name: a}, spec: {` + runnable + `}, nonsense: 1}`)
		}},
		{"taskrun/wrong type of a field", func(w *world) { w.create(taskRun("a", `taskRef: 5`)) }},
		{"taskrun/refused by validation", func(w *world) { w.create(taskRun("a", `timeout: 1h`)) }},
		{"taskrun/invalid name and invalid spec", func(w *world) { w.create(taskRun("Not_Good", `timeout: 1h`)) }},
		{"taskrun/invalid label and invalid spec", func(w *world) {
			w.create(`{apiVersion: tekton.dev/v1beta1, kind: TaskRun, metadata: {name: a, labels: {x: "a b"}}, spec: {timeout: 1h}}`)
		}},
		{"taskrun/dry run is defaulted and validated", func(w *world) {
			w.fields(w.create(taskRun("a", runnable), client.DryRunAll), "spec.timeout")
			w.create(taskRun("b", `timeout: 1h`), client.DryRunAll)
		}},
		{"taskrun/exists and is invalid", func(w *world) {
			w.create(taskRun("a", runnable))
			w.create(taskRun("a", `timeout: 1h`))
		}},
		{"taskrun/in a namespace that does not exist", func(w *world) {
			w.create(`{apiVersion: tekton.dev/v1beta1, kind: TaskRun, metadata: {name: a, namespace: $NS-none}, spec: {timeout: 1h}}`)
		}},
		{"taskrun/spec may not change", func(w *world) {
			o := w.create(taskRun("a", runnable))
			w.patch(o, types.MergePatchType, `{"spec":{"timeout":"5m"}}`)
			w.patch(o, types.MergePatchType, `{"spec":{"status":"TaskRunCancelled"}}`)
			w.fields(o, "spec.status", "metadata.generation")
		}},
		{"taskrun/stale and invalid update", func(w *world) {
			o := w.create(taskRun("a", runnable))
			o.SetResourceVersion("1")
			o.Object["spec"].(map[string]any)["timeout"] = "5m"
			w.update(o)
		}},
		{"taskrun/status update", func(w *world) {
			o := w.create(taskRun("a", runnable))
			o.Object["status"] = map[string]any{"podName": "p", "startTime": "2001-02-03T04:05:06.789Z", "nonsense": int64(1)}
			w.updateStatus(o)
			w.fields(o, "status.podName", "status.nonsense", "metadata.generation")
			w.note("fraction kept: %v", len(value(o.Object, "status.startTime")) > len(`"2001-02-03T04:05:06Z"`))
		}},
		{"taskrun/status at creation is dropped", func(w *world) {
			w.fields(w.create(`{apiVersion: tekton.dev/v1beta1, kind: TaskRun, metadata: {name: a}, spec: {`+runnable+`}, status: {podName: p}}`), "status")
		}},
		{"taskrun/field selector", func(w *world) {
			w.create(taskRun("a", runnable))
			w.list("tekton.dev/v1beta1", "TaskRun", client.MatchingFields{"metadata.name": "a"})
			w.list("tekton.dev/v1beta1", "TaskRun", client.MatchingFields{"spec.timeout": "1h"})
		}},
		{"taskrun/watch", func(w *world) {
			e := w.watch("tekton.dev/v1beta1", "TaskRun")
			o := w.create(taskRun("a", runnable))
			w.patch(o, types.MergePatchType, `{"spec":{"status":"TaskRunCancelled"}}`)
			e.next(2, "spec.status", "metadata.generation")
		}},
		{"taskrun/quantities in steps", func(w *world) {
			w.fields(w.create(taskRun("a", `taskSpec: {steps: [{image: x, resources: {requests: {cpu: "1000m", memory: 0.5}}}]}`)), "spec.taskSpec.steps[0].resources")
		}},
		{"task/dry run of an invalid Task", func(w *world) {
			w.create(`{apiVersion: tekton.dev/v1beta1, kind: Task, metadata: {name: a}, spec: {steps: []}}`, client.DryRunAll)
		}},
		{"namespace/deletion without a controller", func(w *world) {
			ns := w.given(`{apiVersion: v1, kind: Namespace, metadata: {name: $NS-more}}`)
			w.fields(ns, "spec.finalizers", "status.phase", "metadata.labels")
			w.delete(ns)
			w.get(ns)
			w.fields(ns, "status.phase", "spec.finalizers")
			w.delete(ns)
			w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: $NS-more}}`)
		}},
		{"node/a new node is tainted", func(w *world) {
			o := w.create(`{apiVersion: v1, kind: Node, metadata: {name: $NS-node}}`)
			w.fields(o, "spec.taints", "metadata.labels", "status")
		}},
		{"event/validation", func(w *world) {
			w.create(`{apiVersion: v1, kind: Event, metadata: {name: e}, involvedObject: {kind: Pod, name: p, namespace: other}}`)
			w.fields(w.create(`{apiVersion: v1, kind: Event, metadata: {name: f}, involvedObject: {kind: Pod, name: p, namespace: $NS}, firstTimestamp: "2001-02-03T04:05:06Z"}`),
				"firstTimestamp", "lastTimestamp", "eventTime", "type", "count", "reportingComponent")
		}},
		{"event/times", func(w *world) {
			o := w.create(`{apiVersion: v1, kind: Event, metadata: {name: f}, involvedObject: {kind: Pod, name: p, namespace: $NS}, type: Normal, reason: R, action: A, reportingComponent: c.example.com, reportingInstance: i, eventTime: "2001-02-03T04:05:06.123456Z"}`)
			w.fields(o, "eventTime")
		}},
		{"secret/stringData and type", func(w *world) {
			o := w.create(`{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: b}}`)
			w.fields(o, "data", "stringData", "type")
			o.Object["type"] = "other"
			w.update(o)
		}},
		{"secret/required keys", func(w *world) {
			w.create(`{apiVersion: v1, kind: Secret, metadata: {name: s}, type: kubernetes.io/basic-auth}`)
			w.create(`{apiVersion: v1, kind: Secret, metadata: {name: t}, type: kubernetes.io/ssh-auth}`)
			w.create(`{apiVersion: v1, kind: Secret, metadata: {name: u}, type: kubernetes.io/dockerconfigjson, stringData: {".dockerconfigjson": "no"}}`)
		}},
		{"claim/defaults", func(w *world) {
			w.fields(w.create(`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}`),
				"spec.volumeMode", "status", "metadata.finalizers")
			w.create(`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: d}, spec: {resources: {}}}`)
		}},
	}
}
