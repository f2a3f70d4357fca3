package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// visitorPrefix begins the names of labels and annotations that a visitor puts on objects.
const visitorPrefix = "visitor.plumbline.dev/"

// visitor is who puts them there.
const visitor = "visitor"

// visit puts a label and an annotation on every object of the fault's kind that there is, as any user may.
func (in *Injector) visit(f *armed) {
	gvk, ok := in.served(f.Kind)
	if !ok {
		return
	}
	c := in.cluster.Client(visitor)
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	if err := c.List(context.Background(), list); err != nil {
		return
	}
	in.visits++
	key := fmt.Sprintf("%svisit-%d", visitorPrefix, in.visits)
	value := map[string]string{key: in.kernel.Now().UTC().Format("150405.000")}
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": value, "annotations": value}})
	if err != nil {
		return
	}
	for i := range list.Items {
		o := &list.Items[i]
		if f.Name != "" && f.Name != o.GetName() {
			continue
		}
		if err := c.Patch(context.Background(), o, client.RawPatch(types.MergePatchType, body)); err == nil {
			in.strike(f, f.Kind+" "+o.GetNamespace()+"/"+o.GetName())
		}
	}
}

// served is the version in which the API server has a kind.
func (in *Injector) served(kind string) (schema.GroupVersionKind, bool) {
	groups := map[string]bool{}
	for gvk := range in.cluster.Server().Scheme().AllKnownTypes() {
		if gvk.Kind == kind {
			groups[gvk.Group] = true
		}
	}
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		if mapping, err := in.cluster.Server().RESTMapper().RESTMapping(schema.GroupKind{Group: group, Kind: kind}); err == nil {
			return mapping.GroupVersionKind, true
		}
	}
	return schema.GroupVersionKind{}, false
}
