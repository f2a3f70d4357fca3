package crds_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/crds"
)

// TestDefinitionsSayWhatTheAPIPromises holds the generated files against spec §1.1.
func TestDefinitionsSayWhatTheAPIPromises(t *testing.T) {
	t.Parallel()
	column := func(name, kind, path string) apiextensionsv1.CustomResourceColumnDefinition {
		return apiextensionsv1.CustomResourceColumnDefinition{Name: name, Type: kind, JSONPath: path}
	}
	type facts struct {
		Kind, Singular string
		ShortNames     []string
		Scope          apiextensionsv1.ResourceScope
		Columns        []apiextensionsv1.CustomResourceColumnDefinition
	}
	want := map[string]facts{
		"clustertasks.tekton.dev": {Kind: "ClusterTask", Singular: "clustertask", Scope: apiextensionsv1.ClusterScoped},
		"tasks.tekton.dev":        {Kind: "Task", Singular: "task", Scope: apiextensionsv1.NamespaceScoped},
		"taskruns.tekton.dev": {
			Kind: "TaskRun", Singular: "taskrun", ShortNames: []string{"tr", "trs"}, Scope: apiextensionsv1.NamespaceScoped,
			Columns: []apiextensionsv1.CustomResourceColumnDefinition{
				column("Succeeded", "string", `.status.conditions[?(@.type=="Succeeded")].status`),
				column("Reason", "string", `.status.conditions[?(@.type=="Succeeded")].reason`),
				column("StartTime", "date", ".status.startTime"),
				column("CompletionTime", "date", ".status.completionTime"),
			},
		},
	}
	documents, err := crds.All()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]facts{}
	for _, data := range documents {
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(data, &crd); err != nil {
			t.Fatal(err)
		}
		names := crd.Spec.Names
		if diff := cmp.Diff([]string{"tekton", "tekton-pipelines"}, names.Categories); diff != "" {
			t.Errorf("%s: categories (-want +got):\n%s", crd.Name, diff)
		}
		if len(crd.Spec.Versions) != 1 {
			t.Fatalf("%s: %d versions, want 1", crd.Name, len(crd.Spec.Versions))
		}
		version := crd.Spec.Versions[0]
		if version.Name != "v1beta1" || !version.Served || !version.Storage {
			t.Errorf("%s: version %s served=%v storage=%v, want v1beta1 served and stored", crd.Name, version.Name, version.Served, version.Storage)
		}
		if version.Subresources == nil || version.Subresources.Status == nil {
			t.Errorf("%s: no status subresource, so generation would move with the status", crd.Name)
		}
		open := &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: ptr.To(true)}
		if diff := cmp.Diff(open, version.Schema.OpenAPIV3Schema); diff != "" {
			t.Errorf("%s: schema (-want +got):\n%s", crd.Name, diff)
		}
		got[crd.Name] = facts{Kind: names.Kind, Singular: names.Singular, ShortNames: names.ShortNames, Scope: crd.Spec.Scope, Columns: version.AdditionalPrinterColumns}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("definitions (-want +got):\n%s", diff)
	}
}
