package fake

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/admission"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
)

// kinds are the API's, as its CustomResourceDefinitions declare them: v1beta1 is stored, v1 is served.
func kinds() []apiserver.Kind {
	both := []string{v1.Version}
	return []apiserver.Kind{
		{GVK: v1beta1.GroupVersion.WithKind(v1beta1.KindTaskRun), Plural: "taskruns", Namespaced: true, Status: true, Versions: both},
		{GVK: v1beta1.GroupVersion.WithKind(v1beta1.KindTask), Plural: "tasks", Namespaced: true, Status: true, Versions: both},
		{GVK: v1beta1.GroupVersion.WithKind(v1beta1.KindClusterTask), Plural: "clustertasks", Status: true},
	}
}

// AddToScheme registers the Go types of the API's kinds, in both versions.
func AddToScheme(s *apiruntime.Scheme) error {
	for _, add := range []func(*apiruntime.Scheme) error{v1beta1.AddToScheme, v1.AddToScheme} {
		if err := add(s); err != nil {
			return fmt.Errorf("the API's kinds: %w", err)
		}
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

// shown is a stored object in a version, without a Go type.
func (c *Cluster) shown(object client.Object, gvk schema.GroupVersionKind) *unstructured.Unstructured {
	as, err := c.sim.Server().In(gvk, object)
	if err == nil {
		var u *unstructured.Unstructured
		if u, err = tree(as, gvk); err == nil {
			return u
		}
	}
	panic(fmt.Sprintf("showing %s %s: %v", gvk.Kind, object.GetName(), err))
}
