package apifacts

import (
	"context"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// budget is a PodDisruptionBudget of the Pods labelled x=y.
const budget = `{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: b}, spec: {minAvailable: 1, selector: {matchLabels: {x: "y"}}}}`

// runningPod is a Pod that a budget protects.
func (w *world) runningPod() *unstructured.Unstructured {
	o := w.given(`{apiVersion: v1, kind: Pod, metadata: {name: p, labels: {x: "y"}}, spec: {nodeName: node-1, containers: [{name: c, image: i}]}}`)
	o.Object["status"] = map[string]any{"phase": "Running", "conditions": []any{map[string]any{"type": "Ready", "status": "True"}}}
	if err := w.client.Status().Update(ctx, o); err != nil {
		w.t.Fatal(err)
	}
	return o
}

// evict asks for the eviction of a Pod.
func (w *world) evict(o *unstructured.Unstructured, e *policyv1.Eviction, opts ...client.SubResourceCreateOption) {
	of := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: o.GetName(), Namespace: w.ns}}
	w.answer("evict "+label(o), w.client.SubResource("eviction").Create(ctx, of, e, opts...))
}

// budgetStatus plays the controller of budgets.
func (w *world) budgetStatus(o *unstructured.Unstructured, allowed, healthy, desired int64) {
	o.Object["status"] = map[string]any{
		"observedGeneration": o.GetGeneration(), "disruptionsAllowed": allowed, "currentHealthy": healthy, "desiredHealthy": desired, "expectedPods": int64(1),
	}
	if err := w.client.Status().Update(ctx, o); err != nil {
		w.t.Fatal(err)
	}
}

func deletionRows() []row {
	const held = `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, finalizers: [example.com/x]}}`
	orphan := true
	orphaning := &metav1.DeleteOptions{OrphanDependents: &orphan} //nolint:staticcheck // old clients still send it
	return []row{
		{"delete/orphanDependents and a policy", func(w *world) {
			background := metav1.DeletePropagationBackground
			w.delete(w.given(configMap), &client.DeleteOptions{PropagationPolicy: &background, Raw: orphaning})
		}},
		{"delete/orphanDependents", func(w *world) {
			o := w.given(configMap)
			w.delete(o, &client.DeleteOptions{Raw: orphaning})
			w.get(o)
			w.fields(o, "metadata.finalizers")
		}},
		{"delete/right preconditions", func(w *world) {
			o := w.given(configMap)
			uid, version := o.GetUID(), o.GetResourceVersion()
			w.delete(o, client.Preconditions{UID: &uid, ResourceVersion: &version})
			w.get(o)
		}},
		{"delete/foreground and then in the background", func(w *world) {
			o := w.given(configMap)
			w.delete(o, client.PropagationPolicy(metav1.DeletePropagationForeground))
			w.delete(o)
			w.get(o)
			w.fields(o, "metadata.finalizers")
			w.delete(o, client.PropagationPolicy(metav1.DeletePropagationBackground))
			w.get(o)
		}},
		{"delete/foreground keeps the finalizers there are", func(w *world) {
			o := w.given(held)
			w.delete(o, client.PropagationPolicy(metav1.DeletePropagationForeground))
			w.get(o)
			w.fields(o, "metadata.finalizers")
			w.patch(o, types.JSONPatchType, `[{"op":"remove","path":"/metadata/finalizers"}]`)
			w.get(o)
		}},
		{"delete/creation over one that is going", func(w *world) {
			w.delete(w.given(held))
			w.create(configMap)
			w.create(configMap, client.DryRunAll)
		}},
		{"delete/one that is going can be changed", func(w *world) {
			o := w.given(held)
			w.delete(o)
			w.patch(o, types.MergePatchType, `{"data":{"k":"w"},"metadata":{"labels":{"x":"y"}}}`)
			w.fields(o, "data", "metadata.labels", "metadata.deletionTimestamp")
		}},
		{"delete/grace period of what has none", func(w *world) {
			o := w.given(configMap)
			w.delete(o, client.GracePeriodSeconds(30))
			w.get(o)
		}},
		{"delete/negative grace period", func(w *world) {
			o := w.given(`{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {nodeName: node-1, containers: [{name: c, image: i}]}}`)
			w.delete(o, client.GracePeriodSeconds(-5))
			w.get(o)
			w.fields(o, "metadata.deletionGracePeriodSeconds")
		}},
		{"delete/Pod with finalizer and grace", func(w *world) {
			o := w.given(`{apiVersion: v1, kind: Pod, metadata: {name: p, finalizers: [example.com/x]}, spec: {nodeName: node-1, containers: [{name: c, image: i}]}}`)
			w.delete(o, client.GracePeriodSeconds(5))
			w.get(o)
			w.fields(o, "metadata.deletionGracePeriodSeconds", "metadata.finalizers", "metadata.generation")
			w.delete(o, client.GracePeriodSeconds(0))
			w.get(o)
			w.fields(o, "metadata.deletionGracePeriodSeconds", "metadata.finalizers", "metadata.generation")
			w.patch(o, types.MergePatchType, `{"metadata":{"finalizers":null}}`)
			w.get(o)
		}},
		{"delete/dry run of a Pod", func(w *world) {
			o := w.runningPod()
			w.delete(o, client.DryRunAll)
			w.get(o)
			w.fields(o, "metadata.deletionTimestamp")
		}},
		{"delete/dry run is checked", func(w *world) {
			other := types.UID("other")
			w.delete(w.given(configMap), client.DryRunAll, client.Preconditions{UID: &other})
		}},
		{"delete/collection in a dry run", func(w *world) {
			w.given(configMap)
			w.answer("delete all", w.client.DeleteAllOf(ctx, w.object(configMap), client.InNamespace(w.ns), client.DryRunAll))
			w.list("v1", "ConfigMap")
		}},
		{"delete/collection with a policy", func(w *world) {
			o := w.given(configMap)
			w.answer("delete all", w.client.DeleteAllOf(ctx, w.object(configMap), client.InNamespace(w.ns), client.PropagationPolicy(metav1.DeletePropagationForeground)))
			w.get(o)
			w.fields(o, "metadata.finalizers")
		}},
		{"delete/collection by field", func(w *world) {
			w.given(configMap)
			w.given(`{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}`)
			w.answer("delete all", w.client.DeleteAllOf(ctx, w.object(configMap), client.InNamespace(w.ns), client.MatchingFields{"metadata.name": "b"}))
			w.list("v1", "ConfigMap")
			w.answer("delete all", w.client.DeleteAllOf(ctx, w.object(configMap), client.InNamespace(w.ns), client.MatchingFields{"data": "b"}))
		}},
		{"delete/collection of namespaces", func(w *world) {
			w.answer("delete all", w.client.DeleteAllOf(ctx, &corev1.Namespace{}, client.MatchingLabels{"no": "such"}))
		}},
		{"delete/collection of what has finalizers", func(w *world) {
			w.given(held)
			w.given(`{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}`)
			w.answer("delete all", w.client.DeleteAllOf(ctx, w.object(configMap), client.InNamespace(w.ns)))
			w.list("v1", "ConfigMap")
		}},
		{"namespace/finalizers of metadata", func(w *world) {
			ns := w.given(`{apiVersion: v1, kind: Namespace, metadata: {name: $NS-held, finalizers: [example.com/x]}}`)
			w.delete(ns)
			w.get(ns)
			w.fields(ns, "metadata.finalizers", "spec.finalizers", "status.phase")
			ns.Object["spec"] = map[string]any{}
			w.answer("finalize", w.client.SubResource("finalize").Update(ctx, ns))
			w.get(ns)
			w.fields(ns, "metadata.finalizers", "spec.finalizers", "status.phase")
			w.patch(ns, types.MergePatchType, `{"metadata":{"finalizers":null}}`)
			w.get(ns)
		}},
		{"namespace/one that is let go is gone", func(w *world) {
			ns := w.given(`{apiVersion: v1, kind: Namespace, metadata: {name: $NS-gone}}`)
			w.delete(ns)
			w.get(ns)
			ns.Object["spec"] = map[string]any{}
			w.answer("finalize", w.client.SubResource("finalize").Update(ctx, ns))
			w.get(ns)
		}},
		{"namespace/updates while it ends", func(w *world) {
			ns := w.given(`{apiVersion: v1, kind: Namespace, metadata: {name: $NS-end}}`)
			cm := w.given(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: $NS-end}}`)
			w.delete(ns)
			w.awaitPhase(ns, "Terminating")
			w.patch(cm, types.MergePatchType, `{"data":{"k":"w"}}`)
			w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: $NS-end}}`, client.DryRunAll)
			w.apply("one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: $NS-end}}`)
			w.apply("one", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: $NS-end}, data: {l: x}}`)
			w.delete(cm)
		}},
		{"namespace/those of the system stay", func(w *world) {
			for _, name := range []string{"default", "kube-system", "kube-public"} {
				w.delete(w.object(`{apiVersion: v1, kind: Namespace, metadata: {name: ` + name + `}}`))
			}
			w.delete(w.object(`{apiVersion: v1, kind: Namespace, metadata: {name: default}}`), client.DryRunAll)
		}},
		{"evict/without a budget", func(w *world) {
			o := w.runningPod()
			w.evict(o, &policyv1.Eviction{}, client.DryRunAll)
			w.evict(o, &policyv1.Eviction{})
			w.get(o)
			w.fields(o, "metadata.deletionGracePeriodSeconds", "status.conditions[1].type", "status.conditions[1].status", "status.conditions[1].reason", "status.conditions[1].message")
		}},
		{"evict/not found", func(w *world) { w.evict(w.object(pod("p")), &policyv1.Eviction{}) }},
		{"evict/grace period and preconditions", func(w *world) {
			o := w.runningPod()
			other, seconds := types.UID("other"), int64(3)
			w.evict(o, &policyv1.Eviction{DeleteOptions: &metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &other}}})
			w.evict(o, &policyv1.Eviction{DeleteOptions: &metav1.DeleteOptions{GracePeriodSeconds: &seconds}})
			w.get(o)
			w.fields(o, "metadata.deletionGracePeriodSeconds")
		}},
		{"evict/budget that no controller has looked at", func(w *world) {
			w.given(budget)
			w.awaitBudget()
			w.evict(w.runningPod(), &policyv1.Eviction{})
		}},
		{"evict/budget that is used up", func(w *world) {
			w.budgetStatus(w.given(budget), 0, 1, 1)
			w.awaitBudget()
			o := w.runningPod()
			w.evict(o, &policyv1.Eviction{})
			w.evict(o, &policyv1.Eviction{}, client.DryRunAll)
			w.note("still there: %v", w.get(o))
		}},
		{"evict/budget that allows it", func(w *world) {
			b := w.given(budget)
			w.budgetStatus(b, 1, 2, 1)
			w.awaitBudget()
			o := w.runningPod()
			w.evict(o, &policyv1.Eviction{})
			w.get(o)
			w.note("is going: %v", o.GetDeletionTimestamp() != nil)
			w.get(b)
			w.fields(b, "status.disruptionsAllowed", "status.disruptedPods")
		}},
		{"evict/two budgets", func(w *world) {
			w.budgetStatus(w.given(budget), 1, 2, 1)
			w.budgetStatus(w.given(strings.Replace(budget, "name: b", "name: c", 1)), 1, 2, 1)
			w.awaitBudget()
			w.evict(w.runningPod(), &policyv1.Eviction{})
		}},
		{"evict/a Pod that is not running needs no budget", func(w *world) {
			w.budgetStatus(w.given(budget), 0, 1, 1)
			w.awaitBudget()
			o := w.given(`{apiVersion: v1, kind: Pod, metadata: {name: p, labels: {x: "y"}}, spec: {containers: [{name: c, image: i}]}}`)
			w.evict(o, &policyv1.Eviction{})
			w.get(o)
		}},
		{"evict/a Pod that is not ready", func(w *world) {
			w.budgetStatus(w.given(budget), 0, 1, 1)
			w.awaitBudget()
			o := w.runningPod()
			o.Object["status"] = map[string]any{"phase": "Running", "conditions": []any{map[string]any{"type": "Ready", "status": "False"}}}
			w.updateStatus(o)
			w.evict(o, &policyv1.Eviction{})
		}},
		{"budget/defaults and validation", func(w *world) {
			b := w.create(budget)
			w.fields(b, "metadata.generation", "status", "spec")
			w.create(`{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: c}, spec: {minAvailable: 1, maxUnavailable: 1, selector: {}}}`)
			w.create(`{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: d}, spec: {minAvailable: -1}}`)
		}},
		{"subresource/that a kind does not have", func(w *world) {
			o := w.given(configMap)
			w.updateStatus(o)
			w.answer("patch status", w.client.Status().Patch(ctx, o, client.RawPatch(types.MergePatchType, []byte(`{}`))))
			p := w.given(pod("p"))
			w.answer("create nonsense", w.client.SubResource("nonsense").Create(ctx, p, p.DeepCopy()))
		}},
		{"subresource/that cannot be written so", func(w *world) {
			o := w.given(pod("p"))
			w.answer("update eviction", w.client.SubResource("eviction").Update(ctx, o))
			w.answer("create status", w.client.SubResource("status").Create(ctx, o, o.DeepCopy()))
		}},
		{"dry run/of an update", func(w *world) {
			o := w.given(configMap)
			before := o.GetResourceVersion()
			o.Object["data"] = map[string]any{"k": "w"}
			w.update(o, client.DryRunAll)
			w.fields(o, "data")
			w.note("resourceVersion kept: %v", before == o.GetResourceVersion())
			w.get(o)
			w.fields(o, "data")
		}},
		{"dry run/of a patch", func(w *world) {
			o := w.given(configMap)
			w.patch(o, types.MergePatchType, `{"data":{"k":"w"}}`, client.DryRunAll)
			w.fields(o, "data")
			w.get(o)
			w.fields(o, "data")
			w.patch(o, types.JSONPatchType, `[{"op":"remove","path":"/data/none"}]`, client.DryRunAll)
		}},
		{"dry run/of a status update", func(w *world) {
			o := w.given(pod("p"))
			o.Object["status"].(map[string]any)["message"] = "hello"
			w.answer("update status", w.client.Status().Update(ctx, o, client.DryRunAll))
			w.fields(o, "status.message")
			w.get(o)
			w.fields(o, "status.message")
		}},
		{"dry run/that takes the last finalizer", func(w *world) {
			o := w.given(held)
			w.delete(o)
			w.patch(o, types.MergePatchType, `{"metadata":{"finalizers":null}}`, client.DryRunAll)
			w.note("still there: %v", w.get(o))
		}},
		{"dry run/of a binding", func(w *world) {
			o := w.given(pod("p"))
			b := &corev1.Binding{Target: corev1.ObjectReference{Kind: "Node", Name: "n"}}
			w.answer("bind", w.client.SubResource("binding").Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: w.ns}}, b, client.DryRunAll))
			w.get(o)
			w.fields(o, "spec.nodeName")
		}},
		{"dry run/with a generated name", func(w *world) {
			o := w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {generateName: generated-}}`, client.DryRunAll)
			w.fields(o, "metadata.name", "metadata.uid", "metadata.resourceVersion")
		}},
		{"dry run/unknown directive", func(w *world) {
			w.answer("create", w.client.Create(ctx, w.object(configMap), &client.CreateOptions{DryRun: []string{"Some"}}))
			w.answer("delete", w.client.Delete(ctx, w.given(configMap), &client.DeleteOptions{DryRun: []string{"Some"}}))
			w.answer("patch", w.client.Patch(ctx, w.object(configMap), client.RawPatch(types.MergePatchType, []byte(`{}`)), &client.PatchOptions{DryRun: []string{"Some"}}))
			w.answer("update", w.client.Update(ctx, w.object(configMap), &client.UpdateOptions{DryRun: []string{"Some"}, FieldValidation: "Sideways"}))
		}},
		{"patch/other uid", func(w *world) {
			w.patch(w.given(configMap), types.MergePatchType, `{"metadata":{"uid":"other"},"data":{"k":"w"}}`)
		}},
		{"patch/other namespace", func(w *world) {
			w.patch(w.given(configMap), types.MergePatchType, `{"metadata":{"namespace":"other"}}`)
		}},
		{"patch/unknown field under strict validation", func(w *world) {
			w.patch(w.given(configMap), types.MergePatchType, `{"nonsense":1}`, &client.PatchOptions{Raw: &metav1.PatchOptions{FieldValidation: "Strict"}})
			w.patch(w.object(configMap), types.StrategicMergePatchType, `{"nonsense":1}`, &client.PatchOptions{Raw: &metav1.PatchOptions{FieldValidation: "Strict"}})
		}},
		{"patch/wrong type of a field", func(w *world) {
			o := w.given(configMap)
			w.patch(o, types.MergePatchType, `{"data":{"k":5}}`)
			w.patch(o, types.StrategicMergePatchType, `{"data":{"k":5}}`)
			w.patch(o, types.JSONPatchType, `[{"op":"add","path":"/data/k","value":5}]`)
		}},
		{"patch/strategic with unknown directive", func(w *world) {
			w.patch(w.given(configMap), types.StrategicMergePatchType, `{"$patch":"sideways"}`)
		}},
		{"patch/unknown media type", func(w *world) {
			w.patch(w.given(configMap), types.PatchType("application/nonsense"), `{}`)
		}},
		{"patch/JSON of many operations", func(w *world) {
			operation := `{"op":"test","path":"/data/k","value":"v"}`
			w.patch(w.given(configMap), types.JSONPatchType, "["+strings.Repeat(operation+",", 10000)+operation+"]")
		}},
		{"size/of a ConfigMap", func(w *world) {
			w.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: ` + strings.Repeat("v", 1<<20+1) + `}}`)
		}},
		{"size/of what is stored", func(w *world) {
			o := w.create(taskRun("a", runnable+`, params: [{name: p, value: `+strings.Repeat("v", 1600000)+`}]`))
			w.note("has a uid: %v", o.GetUID() != "")
			w.create(`{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i, args: [` + strings.Repeat("v", 1600000) + `]}]}}`)
			w.create(taskRun("b", runnable+`, params: [{name: p, value: `+strings.Repeat("v", 1500000)+`}]`))
		}},
		{"size/grown by an update", func(w *world) {
			o := w.create(taskRun("a", runnable))
			o.Object["status"] = map[string]any{"podName": strings.Repeat("v", 1600000)}
			w.updateStatus(o)
			w.patch(o, types.MergePatchType, `{"status":{"podName":"`+strings.Repeat("v", 1600000)+`"}}`)
			w.answer("patch status", w.client.Status().Patch(ctx, o, client.RawPatch(types.MergePatchType, []byte(`{"status":{"podName":"`+strings.Repeat("v", 1600000)+`"}}`))))
		}},
		{"size/of a request", func(w *world) {
			w.create(taskRun("a", runnable+`, params: [{name: p, value: `+strings.Repeat("v", 3200000)+`}]`))
			o := w.given(configMap)
			w.patch(o, types.MergePatchType, `{"data":{"k":"`+strings.Repeat("v", 3200000)+`"}}`)
		}},
	}
}

// awaitPhase waits for a server whose admission reads from a cache.
func (w *world) awaitPhase(ns *unstructured.Unstructured, phase string) {
	w.await(func() bool {
		probe := w.object(`{apiVersion: v1, kind: ConfigMap, metadata: {generateName: probe-, namespace: ` + ns.GetName() + `}}`)
		return w.client.Create(ctx, probe, client.DryRunAll) != nil
	})
}

// awaitBudget waits until a server that finds budgets in a cache has them there.
func (w *world) awaitBudget() {
	l := &policyv1.PodDisruptionBudgetList{}
	w.await(func() bool {
		return w.client.List(ctx, l, client.InNamespace(w.ns), raw(metav1.ListOptions{ResourceVersion: "0"})) == nil && len(l.Items) > 0
	})
}

// awaitList waits until a list of n is answered from a cache.
func (w *world) awaitList(apiVersion, kind string, n int, opts ...client.ListOption) {
	l := &unstructured.UnstructuredList{}
	l.SetAPIVersion(apiVersion)
	l.SetKind(kind + "List")
	w.await(func() bool {
		return w.client.List(ctx, l, append([]client.ListOption{client.InNamespace(w.ns)}, opts...)...) == nil && len(l.Items) == n
	})
}

func (w *world) await(done func() bool) {
	w.t.Helper()
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-limited.Done():
			w.t.Fatal("waited in vain")
		}
	}
}
