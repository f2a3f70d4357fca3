package namespace

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Reasons of a namespace's conditions, as the original has them.
const (
	reasonDiscovered   = "ResourcesDiscovered"
	reasonParsed       = "ParsedGroupVersions"
	reasonDeleted      = "ContentDeleted"
	reasonNotDeleted   = "ContentDeletionFailed"
	reasonRemoved      = "ContentRemoved"
	reasonRemain       = "SomeResourcesRemain"
	reasonNoFinalizers = "ContentHasNoFinalizers"
	reasonFinalizers   = "SomeFinalizersRemain"
)

// remains is what a round of deletions has left in a namespace.
type remains struct {
	resources  map[string]int // by plural and group
	finalizers map[string]int
	failures   []string
}

func newRemains() *remains {
	return &remains{resources: map[string]int{}, finalizers: map[string]int{}}
}

// count looks at what is left of a kind.
func (c *Controller) count(name string, gvk schema.GroupVersionKind, left *remains) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	if err := c.o.Client.List(context.Background(), list, client.InNamespace(name)); err != nil || len(list.Items) == 0 {
		return // one that failed is met again in the next round
	}
	plural := strings.ToLower(gvk.Kind) + "s"
	if m, err := c.o.Client.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version); err == nil {
		plural = m.Resource.Resource
	}
	left.resources[plural+"."+gvk.Group] = len(list.Items)
	for i := range list.Items {
		for _, f := range list.Items[i].Finalizers {
			left.finalizers[f]++
		}
	}
}

// conditions says in words what is left.
func (r *remains) conditions() []corev1.NamespaceCondition {
	fine := func(t corev1.NamespaceConditionType, reason, message string) corev1.NamespaceCondition {
		return corev1.NamespaceCondition{Type: t, Status: corev1.ConditionFalse, Reason: reason, Message: message}
	}
	out := []corev1.NamespaceCondition{
		fine(corev1.NamespaceDeletionDiscoveryFailure, reasonDiscovered, "All resources successfully discovered"),
		fine(corev1.NamespaceDeletionGVParsingFailure, reasonParsed, "All legacy kube types successfully parsed"),
		fine(corev1.NamespaceDeletionContentFailure, reasonDeleted, "All content successfully deleted, may be waiting on finalization"), //nolint:misspell // the controller's words
		fine(corev1.NamespaceContentRemaining, reasonRemoved, "All content successfully removed"),
		fine(corev1.NamespaceFinalizersRemaining, reasonNoFinalizers, "All content-preserving finalizers finished"),
	}
	set := func(i int, reason, message string) {
		out[i].Status, out[i].Reason, out[i].Message = corev1.ConditionTrue, reason, message
	}
	if len(r.failures) > 0 {
		slices.Sort(r.failures)
		set(2, reasonNotDeleted, fmt.Sprintf("Failed to delete all resource types, %d remaining: %v", len(r.failures), strings.Join(r.failures, ", ")))
	}
	if len(r.resources) > 0 {
		set(3, reasonRemain, "Some resources are remaining: "+counted(r.resources, "%s has %d resource instances"))
	}
	if len(r.finalizers) > 0 {
		set(4, reasonFinalizers, "Some content in the namespace has finalizers remaining: "+counted(r.finalizers, "%s in %d resource instances"))
	}
	return out
}

func counted(n map[string]int, format string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(n)) {
		parts = append(parts, fmt.Sprintf(format, k, n[k]))
	}
	return strings.Join(parts, ", ")
}

// report writes the conditions of a namespace that cannot go yet. One that goes at once
// does without, since they would not be seen.
func (c *Controller) report(name string, left *remains, now time.Time) {
	ctx := context.Background()
	ns := &corev1.Namespace{}
	if err := c.o.Client.Get(ctx, client.ObjectKey{Name: name}, ns); err != nil {
		return
	}
	before := ns.Status.Conditions
	conditions := left.conditions()
	for i := range conditions {
		n := &conditions[i]
		n.LastTransitionTime = metav1.NewTime(now)
		for _, was := range before {
			if was.Type == n.Type && was.Status == n.Status {
				n.LastTransitionTime = was.LastTransitionTime
			}
		}
	}
	same := func(a, b corev1.NamespaceCondition) bool {
		return a.Type == b.Type && a.Status == b.Status && a.Reason == b.Reason && a.Message == b.Message
	}
	if slices.EqualFunc(before, conditions, same) {
		return
	}
	ns.Status.Conditions = conditions
	_ = c.o.Client.Status().Update(ctx, ns) // a write that failed is made up for in the next round
}
