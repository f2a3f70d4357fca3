package apifacts

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// raw gives options that the client has no words for.
func raw(o metav1.ListOptions) client.ListOption { return &client.ListOptions{Raw: &o} }

const (
	exact        = metav1.ResourceVersionMatchExact
	notOlderThan = metav1.ResourceVersionMatchNotOlderThan
	// future is a version that no server of these tests comes to.
	future = "900000000"
)

func pagingRows() []row {
	three := func(w *world) {
		for _, name := range []string{"a", "b", "c"} {
			w.given(fmt.Sprintf(`{apiVersion: v1, kind: ConfigMap, metadata: {name: %s}, data: {k: v}}`, name))
		}
	}
	yes, no := true, false
	soon := int64(5)
	return []row{
		{"list/pages are of one version", func(w *world) {
			three(w)
			first := w.list("v1", "ConfigMap", client.Limit(1))
			w.delete(w.object(`{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}`))
			w.patch(w.object(`{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}`), types.MergePatchType, `{"data":{"k":"w"}}`)
			w.given(`{apiVersion: v1, kind: ConfigMap, metadata: {name: d}}`)
			rest := w.list("v1", "ConfigMap", client.Continue(first.GetContinue()))
			w.note("same version: %v", rest.GetResourceVersion() == first.GetResourceVersion())
			for i := range rest.Items {
				w.fields(&rest.Items[i], "data")
			}
		}},
		{"list/pages of a selector do not count what is left", func(w *world) {
			three(w)
			l := w.list("v1", "ConfigMap", client.Limit(1), raw(metav1.ListOptions{LabelSelector: "!none"}))
			w.note("continue is set: %v; remaining: %s", l.GetContinue() != "", value(l.Object, "metadata.remainingItemCount"))
		}},
		{"list/continue with a version", func(w *world) {
			three(w)
			first := w.list("v1", "ConfigMap", client.Limit(1))
			w.list("v1", "ConfigMap", client.Limit(1), client.Continue(first.GetContinue()), raw(metav1.ListOptions{ResourceVersion: "1"}))
		}},
		{"list/the past by exact version", func(w *world) {
			three(w)
			past := w.list("v1", "ConfigMap").GetResourceVersion()
			w.delete(w.object(`{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}`))
			w.given(`{apiVersion: v1, kind: ConfigMap, metadata: {name: d}}`)
			l := w.list("v1", "ConfigMap", raw(metav1.ListOptions{ResourceVersion: past, ResourceVersionMatch: exact}))
			w.note("that version: %v", l.GetResourceVersion() == past)
			l = w.list("v1", "ConfigMap", client.Limit(1), raw(metav1.ListOptions{ResourceVersion: past, ResourceVersionMatch: exact}))
			w.note("that version: %v; continue is set: %v", l.GetResourceVersion() == past, l.GetContinue() != "")
		}},
		{"list/not older than a version", func(w *world) {
			three(w)
			past := w.list("v1", "ConfigMap").GetResourceVersion()
			w.delete(w.object(`{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}`))
			w.awaitList("v1", "ConfigMap", 2, raw(metav1.ListOptions{ResourceVersion: past, ResourceVersionMatch: notOlderThan}))
			w.list("v1", "ConfigMap", raw(metav1.ListOptions{ResourceVersion: past, ResourceVersionMatch: notOlderThan}))
		}},
		{"list/a version of the future", func(w *world) {
			w.list("v1", "ConfigMap", raw(metav1.ListOptions{ResourceVersion: future}))
		}},
		{"list/exactly a version of the future", func(w *world) {
			w.list("v1", "ConfigMap", raw(metav1.ListOptions{ResourceVersion: future, ResourceVersionMatch: exact}))
		}},
		{"list/version zero", func(w *world) {
			three(w)
			w.awaitList("v1", "ConfigMap", 3, raw(metav1.ListOptions{ResourceVersion: "0"}))
			w.list("v1", "ConfigMap", raw(metav1.ListOptions{ResourceVersion: "0"}))
		}},
		{"list/malformed version", func(w *world) {
			w.list("v1", "ConfigMap", raw(metav1.ListOptions{ResourceVersion: "abc"}))
		}},
		{"list/options that do not go together", func(w *world) {
			for _, o := range []metav1.ListOptions{
				{ResourceVersionMatch: exact},
				{ResourceVersionMatch: exact, ResourceVersion: "0"},
				{ResourceVersionMatch: "Sideways", ResourceVersion: "1"},
				{ResourceVersionMatch: exact, ResourceVersion: "1", Continue: "x"},
				{SendInitialEvents: &yes},
			} {
				w.list("v1", "ConfigMap", raw(o))
			}
		}},
		{"list/malformed label selector", func(w *world) {
			for _, s := range []string{"a b", "x in", "x=$", "=", "x>text"} {
				w.list("v1", "ConfigMap", raw(metav1.ListOptions{LabelSelector: s}))
			}
		}},
		{"list/malformed field selector", func(w *world) {
			w.list("v1", "ConfigMap", raw(metav1.ListOptions{FieldSelector: "nonsense"}))
			w.list("v1", "ConfigMap", raw(metav1.ListOptions{FieldSelector: "metadata.name=a\\"}))
		}},
		{"list/field selectors of other kinds", func(w *world) {
			w.given(`{apiVersion: v1, kind: Secret, metadata: {name: s}, type: Opaque}`)
			w.list("v1", "Secret", client.MatchingFields{"type": "Opaque"})
			w.list("v1", "Secret", client.MatchingFields{"data": "x"})
			w.given(`{apiVersion: v1, kind: Event, metadata: {name: e}, involvedObject: {kind: Pod, name: p, namespace: $NS, apiVersion: v1, fieldPath: f}, reason: R, type: Normal, source: {component: c}, reportingComponent: rc}`)
			for _, s := range []string{"involvedObject.name=p", "involvedObject.kind=Pod", "involvedObject.apiVersion=v1", "involvedObject.fieldPath=f", "involvedObject.resourceVersion=",
				"reason=R", "type=Normal", "source=c", "reportingComponent=rc", "action=x"} {
				w.list("v1", "Event", raw(metav1.ListOptions{FieldSelector: s}))
			}
			w.list("v1", "ServiceAccount", raw(metav1.ListOptions{FieldSelector: "secrets=x"}))
			w.list("v1", "PersistentVolumeClaim", raw(metav1.ListOptions{FieldSelector: "status.phase=Bound"}))
			w.list("coordination.k8s.io/v1", "Lease", raw(metav1.ListOptions{FieldSelector: "spec.holderIdentity=x"}))
		}},
		{"list/field selectors of Pods in full", func(w *world) {
			w.given(pod("p"))
			for _, s := range []string{"spec.restartPolicy=Always", "spec.schedulerName=default-scheduler", "spec.serviceAccountName=default", "spec.hostNetwork=false",
				"status.podIP=", "status.podIPs=", "status.nominatedNodeName=", "metadata.namespace=$NS", "metadata.uid=x", "status.phase in (Pending)"} {
				w.list("v1", "Pod", raw(metav1.ListOptions{FieldSelector: strings.ReplaceAll(s, "$NS", w.ns)}))
			}
		}},
		{"watch/expired version", func(w *world) {
			widget := w.widgets()
			w.given(widget("a", `spec: {size: 1}`))
			e := w.watch(w.ns+".example.com/v1", "Widget", raw(metav1.ListOptions{ResourceVersion: "1"}))
			e.next(1)
			e.closes()
		}},
		{"watch/initial events", func(w *world) {
			three(w)
			e := w.watch("v1", "ConfigMap", raw(metav1.ListOptions{SendInitialEvents: &yes, ResourceVersionMatch: notOlderThan, AllowWatchBookmarks: true}))
			e.next(4, "metadata.annotations")
			w.given(`{apiVersion: v1, kind: ConfigMap, metadata: {name: d}}`)
			e.next(1)
		}},
		{"watch/initial events without bookmarks", func(w *world) {
			three(w)
			e := w.watch("v1", "ConfigMap", raw(metav1.ListOptions{SendInitialEvents: &yes, ResourceVersionMatch: notOlderThan}))
			e.next(3)
		}},
		{"watch/no initial events", func(w *world) {
			three(w)
			e := w.watch("v1", "ConfigMap", raw(metav1.ListOptions{SendInitialEvents: &no, ResourceVersionMatch: notOlderThan, AllowWatchBookmarks: true}))
			w.given(`{apiVersion: v1, kind: ConfigMap, metadata: {name: d}}`)
			e.next(1)
		}},
		{"watch/initial events of a definition's kind", func(w *world) {
			widget := w.widgets()
			w.given(widget("a", `spec: {size: 1}`))
			e := w.watch(w.ns+".example.com/v1", "Widget", raw(metav1.ListOptions{SendInitialEvents: &yes, ResourceVersionMatch: notOlderThan, AllowWatchBookmarks: true}))
			e.next(2, "kind", "metadata.annotations", "spec")
		}},
		{"watch/options that do not go together", func(w *world) {
			for _, o := range []metav1.ListOptions{
				{SendInitialEvents: &yes},
				{SendInitialEvents: &yes, ResourceVersionMatch: exact},
				{ResourceVersionMatch: notOlderThan, ResourceVersion: "1"},
			} {
				w.watch("v1", "ConfigMap", raw(o))
			}
		}},
		{"watch/bookmark before the time is up", func(w *world) {
			three(w)
			l := w.list("v1", "ConfigMap")
			e := w.watch("v1", "ConfigMap", raw(metav1.ListOptions{ResourceVersion: l.GetResourceVersion(), LabelSelector: "x=y", AllowWatchBookmarks: true, TimeoutSeconds: &soon}))
			w.given(`{apiVersion: v1, kind: ConfigMap, metadata: {name: d}}`)
			e.next(1, "kind", "metadata.name", "metadata.annotations", "data")
			e.closes()
		}},
		{"watch/ends when its time is up", func(w *world) {
			short := int64(1)
			e := w.watch("v1", "ConfigMap", raw(metav1.ListOptions{TimeoutSeconds: &short}))
			e.closes()
		}},
		{"watch/field selector", func(w *world) {
			e := w.watch("v1", "ConfigMap", client.MatchingFields{"metadata.name": "b"})
			three(w)
			e.next(1)
			w.watch("v1", "ConfigMap", client.MatchingFields{"data": "b"})
		}},
		{"get/a version of the future", func(w *world) {
			o := w.given(configMap)
			err := w.client.Get(ctx, client.ObjectKeyFromObject(o), o, &client.GetOptions{Raw: &metav1.GetOptions{ResourceVersion: future}})
			w.answer("get", err)
		}},
		{"get/malformed version", func(w *world) {
			o := w.given(configMap)
			err := w.client.Get(ctx, client.ObjectKeyFromObject(o), o, &client.GetOptions{Raw: &metav1.GetOptions{ResourceVersion: "abc"}})
			w.answer("get", err)
		}},
	}
}
