package kinds_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	resolutionv1alpha1 "github.com/plumbline-ci/plumbline/api/resolution/v1alpha1"
	resolutionv1beta1 "github.com/plumbline-ci/plumbline/api/resolution/v1beta1"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// TestFieldsAreThoseOfTheSpecification holds the types against the specification (of TaskRuns §1, of Pipelines §1.1, §2.1, §2.2 and
// §2.20): the name of every field, and which of them are written although they are empty.
func TestFieldsAreThoseOfTheSpecification(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		object any
		fields string // in any order
		empty  string // what an empty one is as JSON
	}{
		{v1.TaskRun{}, "apiVersion kind metadata spec status", `{"metadata":{},"spec":{"serviceAccountName":""}}`},
		{v1.TaskRunSpec{}, "debug params serviceAccountName taskRef taskSpec status statusMessage retries timeout podTemplate workspaces stepSpecs sidecarSpecs computeResources",
			`{"serviceAccountName":""}`},
		{v1.TaskRunStepSpec{}, "name computeResources", `{"name":"","computeResources":{}}`},
		{v1.TaskRunSidecarSpec{}, "name computeResources", `{"name":"","computeResources":{}}`},
		{v1.TaskRunStatus{}, "observedGeneration conditions annotations podName startTime completionTime steps sidecars retriesStatus results taskSpec provenance",
			`{"podName":""}`},
		{v1.Task{}, "apiVersion kind metadata spec", `{"metadata":{},"spec":{}}`},
		{v1.TaskSpec{}, "params description steps volumes stepTemplate sidecars workspaces results", `{}`},
		{v1.TaskRef{}, "name kind apiVersion resolver params", `{}`},
		{v1.Step{}, "name image command args workingDir envFrom env computeResources volumeMounts volumeDevices imagePullPolicy securityContext " +
			"script timeout workspaces onError stdoutConfig stderrConfig", `{"name":"","computeResources":{}}`},
		{v1.StepTemplate{}, "image command args workingDir envFrom env computeResources volumeMounts volumeDevices imagePullPolicy securityContext", `{"computeResources":{}}`},
		{v1.Sidecar{}, "name image command args workingDir ports envFrom env computeResources volumeMounts volumeDevices livenessProbe readinessProbe startupProbe lifecycle " +
			"terminationMessagePath terminationMessagePolicy imagePullPolicy securityContext stdin stdinOnce tty script workspaces", `{"name":"","computeResources":{}}`},
		{v1.Param{Value: v1.ParamValue{Type: "string"}}, "name value", `{"name":"","value":""}`},
		{v1.ParamSpec{}, "name type description properties default", `{"name":""}`},
		{v1.TaskResult{}, "name type properties description", `{"name":""}`},
		{v1.WorkspaceDeclaration{}, "name description mountPath readOnly optional", `{"name":""}`},
		{v1.WorkspaceUsage{}, "name mountPath", `{"name":"","mountPath":""}`},
		{v1.WorkspaceBinding{}, "name subPath volumeClaimTemplate persistentVolumeClaim emptyDir configMap secret projected csi", `{"name":""}`},
		{v1.PodTemplate{}, "nodeSelector env tolerations affinity securityContext volumes runtimeClassName automountServiceAccountToken dnsPolicy dnsConfig " +
			"enableServiceLinks priorityClassName schedulerName imagePullSecrets hostAliases hostNetwork topologySpreadConstraints", `{}`},

		{v1.Pipeline{}, "apiVersion kind metadata spec", `{"metadata":{},"spec":{}}`},
		{v1.PipelineSpec{}, "description tasks params workspaces results finally", `{}`},
		{v1.PipelineTask{}, "name taskRef taskSpec when retries runAfter params matrix workspaces timeout", `{}`},
		{v1.EmbeddedTask{}, "apiVersion kind spec metadata params description steps volumes stepTemplate sidecars workspaces results", `{"spec":null,"metadata":{}}`},
		{v1.PipelineRun{}, "apiVersion kind metadata spec status", `{"metadata":{},"spec":{"taskRunTemplate":{}}}`},
		{v1.PipelineRunSpec{}, "pipelineRef pipelineSpec params status timeouts taskRunTemplate workspaces taskRunSpecs", `{"taskRunTemplate":{}}`},
		{v1.PipelineTaskRunTemplate{}, "podTemplate serviceAccountName", `{}`},
		{v1.PipelineRef{}, "name apiVersion resolver params", `{}`},
		{v1.PipelineTaskRunSpec{}, "pipelineTaskName serviceAccountName podTemplate stepSpecs sidecarSpecs metadata computeResources", `{}`},
		{v1.PipelineRunStatus{}, "observedGeneration conditions annotations startTime completionTime results pipelineSpec skippedTasks childReferences finallyStartTime provenance", `{}`},

		{v1beta1.Pipeline{}, "apiVersion kind metadata spec", `{"metadata":{},"spec":{}}`},
		{v1beta1.PipelineSpec{}, "description resources tasks params workspaces results finally", `{}`},
		{v1beta1.PipelineDeclaredResource{}, "name type optional", `{"name":"","type":""}`},
		{v1beta1.PipelineTask{}, "name taskRef taskSpec when retries runAfter resources params matrix workspaces timeout", `{}`},
		{v1beta1.EmbeddedTask{}, "apiVersion kind spec metadata resources params description steps volumes stepTemplate sidecars workspaces results", `{"spec":null,"metadata":{}}`},
		{v1beta1.PipelineTaskMetadata{}, "labels annotations", `{}`},
		{v1beta1.PipelineTaskResources{}, "inputs outputs", `{}`},
		{v1beta1.PipelineTaskInputResource{}, "name resource from", `{"name":"","resource":""}`},
		{v1beta1.PipelineTaskOutputResource{}, "name resource", `{"name":"","resource":""}`},
		{v1beta1.Matrix{}, "params", `{}`},
		{v1beta1.WhenExpression{}, "input operator values", `{"input":"","operator":"","values":null}`},
		{v1beta1.PipelineWorkspaceDeclaration{}, "name description optional", `{"name":""}`},
		{v1beta1.WorkspacePipelineTaskBinding{}, "name workspace subPath", `{"name":""}`},
		{v1beta1.PipelineResult{Value: v1beta1.StringValue("")}, "name type description value", `{"name":"","description":"","value":""}`},
		{v1beta1.PipelineRun{}, "apiVersion kind metadata spec status", `{"metadata":{},"spec":{}}`},
		{v1beta1.PipelineRunSpec{}, "pipelineRef pipelineSpec resources params serviceAccountName status timeouts timeout podTemplate workspaces taskRunSpecs", `{}`},
		{v1beta1.PipelineRef{}, "name apiVersion bundle resolver params", `{}`},
		{v1beta1.TimeoutFields{}, "pipeline tasks finally", `{}`},
		{v1beta1.PipelineTaskRunSpec{}, "pipelineTaskName taskServiceAccountName taskPodTemplate stepOverrides sidecarOverrides metadata computeResources", `{}`},
		{v1beta1.PipelineResourceBinding{}, "name resourceRef resourceSpec", `{}`},
		{v1beta1.PipelineRunStatus{}, "observedGeneration conditions annotations startTime completionTime taskRuns runs pipelineResults pipelineSpec skippedTasks childReferences finallyStartTime provenance", `{}`},
		{v1beta1.PipelineRunTaskRunStatus{}, "pipelineTaskName status whenExpressions", `{}`},
		{v1beta1.PipelineRunRunStatus{}, "pipelineTaskName status whenExpressions", `{}`},
		{v1beta1.PipelineRunResult{Value: v1beta1.StringValue("")}, "name value", `{"name":"","value":""}`},
		{v1beta1.SkippedTask{}, "name reason whenExpressions", `{"name":"","reason":""}`},
		{v1beta1.ChildStatusReference{}, "apiVersion kind name pipelineTaskName whenExpressions", `{}`},

		{v1alpha1.Run{}, "apiVersion kind metadata spec status", `{"metadata":{},"spec":{"serviceAccountName":""}}`},
		{v1alpha1.RunSpec{}, "ref spec params status statusMessage retries serviceAccountName podTemplate timeout workspaces", `{"serviceAccountName":""}`},
		{v1alpha1.RunRef{}, "name kind apiVersion bundle resolver params namespace", `{}`},
		{v1alpha1.EmbeddedRunSpec{}, "apiVersion kind metadata spec", `{"metadata":{},"spec":null}`},
		{v1beta1.CustomRun{}, "apiVersion kind metadata spec status", `{"metadata":{},"spec":{"serviceAccountName":""}}`},
		{v1beta1.CustomRunSpec{}, "customRef customSpec params status statusMessage retries serviceAccountName timeout workspaces", `{"serviceAccountName":""}`},
		{v1beta1.CustomRunStatus{}, "observedGeneration conditions annotations startTime completionTime results retriesStatus extraFields", `{"extraFields":null}`},
		{v1beta1.CustomRunResult{}, "name value", `{"name":"","value":""}`},

		{resolutionv1beta1.ResolutionRequest{}, "apiVersion kind metadata spec status", `{"metadata":{},"spec":{}}`},
		{resolutionv1beta1.ResolutionRequestSpec{}, "params", `{}`},
		{resolutionv1beta1.ResolutionRequestStatus{}, "observedGeneration conditions annotations data source", `{"data":"","source":null}`},
		{v1beta1.ConfigSource{}, "uri digest entryPoint", `{}`},
		{resolutionv1alpha1.ResolutionRequest{}, "apiVersion kind metadata spec status", `{"metadata":{},"spec":{}}`},
		{resolutionv1alpha1.ResolutionRequestSpec{}, "params", `{}`},
	} {
		name := reflect.TypeOf(row.object).String()
		want := strings.Fields(row.fields)
		got := fields(reflect.TypeOf(row.object))
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("fields of %s (-specification +type):\n%s", name, diff)
		}
		empty, err := json.Marshal(row.object)
		if err != nil {
			t.Fatal(err)
		}
		if string(empty) != row.empty {
			t.Errorf("an empty %s is %s, want %s", name, empty, row.empty)
		}
	}
}

// fields are the names that JSON has for the fields of a struct, those of embedded ones included.
func fields(t reflect.Type) []string {
	var out []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case name == "" && f.Anonymous:
			out = append(out, fields(f.Type)...)
		default:
			out = append(out, name)
		}
	}
	return out
}
