package reference

import (
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/admission"
	"github.com/plumbline-ci/plumbline/api/kinds"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/controllers"
	"github.com/plumbline-ci/plumbline/reconciler/customrun"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
)

// Kinds returns the API's kinds, as its CustomResourceDefinitions declare them, and those of the example custom tasks.
func Kinds() []apiserver.Kind {
	var out []apiserver.Kind
	for _, k := range kinds.API().All() {
		row := apiserver.Kind{GVK: k.GroupVersionKind(k.Storage()), Plural: k.Plural, Namespaced: k.Namespaced, Status: true, AtRest: ended}
		for _, v := range k.Versions[1:] {
			row.Versions = append(row.Versions, v.Name)
		}
		out = append(out, row)
	}
	examples := controllers.ExampleKinds()
	for _, kind := range slices.Sorted(maps.Keys(examples)) {
		out = append(out, apiserver.Kind{GVK: customrun.GroupVersion.WithKind(kind), Plural: examples[kind], Namespaced: true})
	}
	return out
}

// ended reports whether a run has come to its end, and is not looked at again. The children of others are, as long as those last.
func ended(obj client.Object) bool {
	if metav1.GetControllerOf(obj) != nil {
		return false
	}
	run, ok := obj.(interface{ CommonStatus() *v1beta1.Status })
	return ok && run.CommonStatus().IsDone()
}

// AddToScheme registers the Go types of the API's kinds, in all versions.
func AddToScheme(s *apiruntime.Scheme) error {
	if err := kinds.AddToScheme(s); err != nil {
		return fmt.Errorf("the API's kinds: %w", err)
	}
	return nil
}

// conversion is the API's conversion webhook in process, the same function that a webhook server calls.
type conversion struct{}

var _ apiserver.Converter = conversion{}

// Convert implements apiserver.Converter.
func (conversion) Convert(obj client.Object, to schema.GroupVersionKind) (client.Object, error) {
	out, err := admission.Convert(obj, to.GroupVersion())
	if err != nil {
		return nil, err
	}
	converted, ok := out.(client.Object)
	if !ok {
		return nil, fmt.Errorf("a %T has no metadata", out)
	}
	return converted, nil
}
