package apiserver_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var widget = schema.GroupVersionKind{Group: "example.org", Version: "v1", Kind: "Widget"}

func widgetDefinition() *apiextensionsv1.CustomResourceDefinition {
	max := float64(10)
	return &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "widgets.example.org"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: "example.org", Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "widgets", Kind: "Widget"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Subresources: &apiextensionsv1.CustomResourceSubresources{Status: &apiextensionsv1.CustomResourceSubresourceStatus{}},
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
					Type: "object", Required: []string{"spec"},
					Properties: map[string]apiextensionsv1.JSONSchemaProps{
						"spec": {Type: "object", Required: []string{"size"}, Properties: map[string]apiextensionsv1.JSONSchemaProps{
							"size":   {Type: "integer", Maximum: &max},
							"colour": {Type: "string", Default: &apiextensionsv1.JSON{Raw: []byte(`"red"`)}, Enum: []apiextensionsv1.JSON{{Raw: []byte(`"red"`)}, {Raw: []byte(`"blue"`)}}},
							"name":   {Type: "string", Pattern: "^[a-z]+$"},
						}},
						"status": {Type: "object"},
					},
				}},
			}},
		},
	}
}

func TestDefinitionsAddKinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	obj := tree(widget, "ns", "w", map[string]any{"spec": map[string]any{"size": int64(3), "unknown": "x"}})
	if err := w.c.Create(ctx, obj); !meta.IsNoMatchError(err) {
		t.Fatalf("before the definition: %v", err)
	}
	d := widgetDefinition()
	w.create(d)
	if len(d.Status.Conditions) != 2 || d.Status.AcceptedNames.Singular != "widget" || d.Status.StoredVersions[0] != "v1" {
		t.Errorf("status of the definition: %+v", d.Status)
	}
	w.create(obj)
	if d := cmp.Diff(map[string]any{"size": int64(3), "colour": "red"}, obj.Object["spec"]); d != "" {
		t.Errorf("stored spec (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{`unknown field "spec.unknown"`}, w.warnings); d != "" {
		t.Errorf("warnings (-want +got):\n%s", d)
	}
	for reason, test := range map[string]struct {
		spec map[string]any
		want string
	}{
		"a required field is missing": {map[string]any{}, `Widget.example.org "x" is invalid: spec.size: Required value`},
		"a wrong type":                {map[string]any{"size": "big"}, `Widget.example.org "x" is invalid: spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"`},
		"too much":                    {map[string]any{"size": int64(11)}, `Widget.example.org "x" is invalid: spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10`},
		"not one of the values":       {map[string]any{"size": int64(1), "colour": "green"}, `Widget.example.org "x" is invalid: spec.colour: Unsupported value: "green": supported values: "red", "blue"`},
		"not in the pattern":          {map[string]any{"size": int64(1), "name": "A"}, `Widget.example.org "x" is invalid: spec.name: Invalid value: "A": spec.name in body should match '^[a-z]+$'`},
	} {
		refusedNamed(t, reason, w.c.Create(ctx, tree(widget, "ns", "x", map[string]any{"spec": test.spec})), test.want)
	}
	patch := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"size":11}}`))
	refusedNamed(t, "a patch beyond the maximum", w.c.Patch(ctx, obj, patch),
		`Widget.example.org "w" is invalid: spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10`)
	w.delete(d)
	if err := w.c.Get(ctx, key("ns", "w"), obj); !meta.IsNoMatchError(err) {
		t.Errorf("after the definition: %v", err)
	}
}

func refusedNamed(t *testing.T, reason string, err error, want string) {
	t.Helper()
	t.Run(reason, func(t *testing.T) { refused(t, err, 422, metav1.StatusReasonInvalid, want) })
}

func TestDefinitionsAreValidated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := widgetDefinition()
	d.Name = "wrong.example.org"
	refused(t, w.c.Create(ctx, d), 422, metav1.StatusReasonInvalid,
		`CustomResourceDefinition.apiextensions.k8s.io "wrong.example.org" is invalid: metadata.name: Invalid value: "wrong.example.org": must be spec.names.plural+"."+spec.group`)
	d = widgetDefinition()
	d.Spec.Versions[0].Storage = false
	refused(t, w.c.Create(ctx, d), 422, metav1.StatusReasonInvalid, "")
}
