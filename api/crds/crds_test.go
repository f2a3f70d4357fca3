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
		Versions       []string
		// Older are the columns of a version that shows others.
		Older map[string][]apiextensionsv1.CustomResourceColumnDefinition
	}
	both := []string{"v1", "v1beta1"}
	ofRuns := []apiextensionsv1.CustomResourceColumnDefinition{
		column("Succeeded", "string", `.status.conditions[?(@.type=="Succeeded")].status`),
		column("Reason", "string", `.status.conditions[?(@.type=="Succeeded")].reason`),
		column("StartTime", "date", ".status.startTime"),
		column("CompletionTime", "date", ".status.completionTime"),
	}
	want := map[string]facts{
		"clustertasks.tekton.dev": {Kind: "ClusterTask", Singular: "clustertask", Scope: apiextensionsv1.ClusterScoped, Versions: []string{"v1beta1"}},
		"tasks.tekton.dev":        {Kind: "Task", Singular: "task", Scope: apiextensionsv1.NamespaceScoped, Versions: both},
		"pipelines.tekton.dev":    {Kind: "Pipeline", Singular: "pipeline", Scope: apiextensionsv1.NamespaceScoped, Versions: both},
		"taskruns.tekton.dev":     {Kind: "TaskRun", Singular: "taskrun", ShortNames: []string{"tr", "trs"}, Scope: apiextensionsv1.NamespaceScoped, Versions: both, Columns: ofRuns},
		"pipelineruns.tekton.dev": {Kind: "PipelineRun", Singular: "pipelinerun", ShortNames: []string{"pr", "prs"}, Scope: apiextensionsv1.NamespaceScoped, Versions: both, Columns: ofRuns},
		"runs.tekton.dev":         {Kind: "Run", Singular: "run", Scope: apiextensionsv1.NamespaceScoped, Versions: []string{"v1alpha1"}, Columns: ofRuns},
		"customruns.tekton.dev":   {Kind: "CustomRun", Singular: "customrun", Scope: apiextensionsv1.NamespaceScoped, Versions: []string{"v1beta1"}, Columns: ofRuns},
		"resolutionrequests.resolution.tekton.dev": {
			Kind: "ResolutionRequest", Singular: "resolutionrequest", Scope: apiextensionsv1.NamespaceScoped, Versions: []string{"v1alpha1", "v1beta1"},
			Columns: []apiextensionsv1.CustomResourceColumnDefinition{
				column("OwnerKind", "string", ".metadata.ownerReferences[0].kind"),
				column("Owner", "string", ".metadata.ownerReferences[0].name"),
				ofRuns[0], ofRuns[1],
				column("StartTime", "string", ".metadata.creationTimestamp"),
				column("EndTime", "string", `.status.conditions[?(@.type=="Succeeded")].lastTransitionTime`),
			},
			Older: map[string][]apiextensionsv1.CustomResourceColumnDefinition{"v1alpha1": ofRuns[:2]},
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
		var versions []string
		for _, version := range crd.Spec.Versions {
			versions = append(versions, version.Name)
			if !version.Served || version.Storage != (version.Name == "v1beta1" || len(crd.Spec.Versions) == 1) {
				t.Errorf("%s: version %s served=%v storage=%v, want all served, and v1beta1 stored where it is one of them", crd.Name, version.Name, version.Served, version.Storage)
			}
			if version.Subresources == nil || version.Subresources.Status == nil {
				t.Errorf("%s %s: no status subresource, so generation would move with the status", crd.Name, version.Name)
			}
			open := &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: ptr.To(true)}
			if diff := cmp.Diff(open, version.Schema.OpenAPIV3Schema); diff != "" {
				t.Errorf("%s %s: schema (-want +got):\n%s", crd.Name, version.Name, diff)
			}
			columns := want[crd.Name].Columns
			if older, other := want[crd.Name].Older[version.Name]; other {
				columns = older
			}
			if diff := cmp.Diff(columns, version.AdditionalPrinterColumns); diff != "" {
				t.Errorf("%s %s: columns (-want +got):\n%s", crd.Name, version.Name, diff)
			}
		}
		converted := &apiextensionsv1.CustomResourceConversion{
			Strategy: apiextensionsv1.WebhookConverter,
			Webhook: &apiextensionsv1.WebhookConversion{
				ConversionReviewVersions: []string{"v1beta1", "v1"},
				ClientConfig: &apiextensionsv1.WebhookClientConfig{Service: &apiextensionsv1.ServiceReference{
					Namespace: "tekton-pipelines", Name: "tekton-pipelines-webhook", Path: ptr.To("/resource-conversion"),
				}},
			},
		}
		if len(versions) == 1 {
			converted = nil
		}
		if diff := cmp.Diff(converted, crd.Spec.Conversion); diff != "" {
			t.Errorf("%s: conversion (-want +got):\n%s", crd.Name, diff)
		}
		got[crd.Name] = facts{Kind: names.Kind, Singular: names.Singular, ShortNames: names.ShortNames, Scope: crd.Spec.Scope, Columns: want[crd.Name].Columns, Older: want[crd.Name].Older, Versions: versions}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("definitions (-want +got):\n%s", diff)
	}
}
