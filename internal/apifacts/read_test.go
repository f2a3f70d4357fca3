package apifacts

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func readRows() []row {
	three := func(w *world) {
		for i, name := range []string{"c", "a", "b"} {
			w.given(fmt.Sprintf(`{apiVersion: v1, kind: ConfigMap, metadata: {name: %s, labels: {n: "%d", even: "%t"}}}`, name, i, i%2 == 0))
		}
	}
	selector := func(s string) client.ListOption {
		parsed, err := labels.Parse(s)
		if err != nil {
			panic(err)
		}
		return client.MatchingLabelsSelector{Selector: parsed}
	}
	return []row{
		{"list/by name", func(w *world) { three(w); w.list("v1", "ConfigMap") }},
		{"list/label selectors", func(w *world) {
			three(w)
			for _, s := range []string{"even=true", "even!=true", "n in (0,1)", "n notin (0)", "none", "!none", "n>1"} {
				w.list("v1", "ConfigMap", selector(s))
			}
		}},
		{"list/field selector on the name", func(w *world) {
			three(w)
			w.list("v1", "ConfigMap", client.MatchingFields{"metadata.name": "b"})
		}},
		{"list/field selector that is not supported", func(w *world) {
			w.list("v1", "ConfigMap", client.MatchingFields{"data.k": "v"})
		}},
		{"list/field selectors of Pods", func(w *world) {
			w.given(pod("p"))
			w.list("v1", "Pod", client.MatchingFields{"status.phase": "Pending"})
			w.list("v1", "Pod", client.MatchingFields{"spec.nodeName": ""})
			w.list("v1", "Pod", client.MatchingFieldsSelector{Selector: fields.ParseSelectorOrDie("status.phase!=Pending")})
			w.list("v1", "Pod", client.MatchingFields{"spec.hostname": "x"})
		}},
		{"list/limit and continue", func(w *world) {
			three(w)
			first := w.list("v1", "ConfigMap", client.Limit(2))
			w.note("continue is set: %v; remaining: %s", first.GetContinue() != "", value(first.Object, "metadata.remainingItemCount"))
			rest := w.list("v1", "ConfigMap", client.Limit(2), client.Continue(first.GetContinue()))
			w.note("continue is set: %v; same version: %v", rest.GetContinue() != "", rest.GetResourceVersion() == first.GetResourceVersion())
		}},
		{"list/malformed continue", func(w *world) { w.list("v1", "ConfigMap", client.Limit(1), client.Continue("nonsense")) }},
		{"list/kind that is not served", func(w *world) { w.list("example.org/v1", "Nothing") }},
		{"list/version is newer than its objects", func(w *world) {
			o := w.given(configMap)
			l := w.list("v1", "ConfigMap")
			w.note("not older: %v", len(l.GetResourceVersion()) >= len(o.GetResourceVersion()) && l.GetResourceVersion() >= o.GetResourceVersion())
		}},
		{"watch/from a list", func(w *world) {
			w.given(configMap)
			l := w.list("v1", "ConfigMap")
			e := w.watch("v1", "ConfigMap", &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: l.GetResourceVersion()}})
			o := w.given(`{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}`)
			w.patch(o, types.MergePatchType, `{"data":{"k":"w"}}`)
			w.delete(o)
			e.next(3, "data")
		}},
		{"watch/from nothing begins with what exists", func(w *world) {
			w.given(configMap)
			e := w.watch("v1", "ConfigMap")
			e.next(1, "data")
		}},
		{"watch/selector sees objects come and go", func(w *world) {
			o := w.given(configMap)
			e := w.watch("v1", "ConfigMap", client.MatchingLabels{"x": "y"})
			w.patch(o, types.MergePatchType, `{"metadata":{"labels":{"x":"y"}}}`)
			w.patch(o, types.MergePatchType, `{"data":{"k":"w"}}`)
			w.patch(o, types.MergePatchType, `{"metadata":{"labels":{"x":"z"}}}`)
			e.next(3, "metadata.labels", "data")
		}},
		{"watch/a deletion has a version of its own", func(w *world) {
			o := w.given(configMap)
			e := w.watch("v1", "ConfigMap", &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: o.GetResourceVersion()}})
			w.delete(o)
			e.next(1, "data")
		}},
		{"watch/finalizers are changes before the deletion", func(w *world) {
			o := w.given(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, finalizers: [example.com/x]}}`)
			e := w.watch("v1", "ConfigMap", &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: o.GetResourceVersion()}})
			w.delete(o)
			w.patch(o, types.MergePatchType, `{"metadata":{"finalizers":null}}`)
			e.next(2, "metadata.finalizers", "metadata.deletionTimestamp")
		}},
		{"watch/write that changes nothing is silent", func(w *world) {
			o := w.given(configMap)
			e := w.watch("v1", "ConfigMap", &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: o.GetResourceVersion()}})
			w.patch(o, types.MergePatchType, `{"data":{"k":"v"}}`)
			w.patch(o, types.MergePatchType, `{"data":{"k":"last"}}`)
			e.next(1, "data")
		}},
		{"watch/malformed version", func(w *world) {
			w.watch("v1", "ConfigMap", &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: "abc"}})
		}},
	}
}
