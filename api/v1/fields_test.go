package v1_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	v1 "github.com/plumbline-ci/plumbline/api/v1"
)

// TestFieldsAreThoseOfTheSpecification holds the types against spec §1: the name of every field, and which of them are
// written although they are empty.
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
	} {
		name := reflect.TypeOf(row.object).Name()
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
