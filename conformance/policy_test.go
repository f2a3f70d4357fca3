package conformance_test

import (
	"context"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/policy"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/reports"
)

// Each field of a policy is judged: an implementation without it fails a fixture of the field, and so the
// policy. It is the reference behind an API that drops the field from what is sent and from what is shown.
func TestEveryFieldOfAPolicyIsJudged(t *testing.T) {
	t.Parallel()
	for _, name := range policy.Names() {
		p, _ := policy.Named(name)
		for _, field := range p.Fields {
			t.Run(name+"/"+field.String(), func(t *testing.T) {
				t.Parallel()
				if !known(field.Type, field.Name) {
					t.Fatalf("this test does not know where %s stands", field)
				}
				target, err := fake.New(fake.Options{})
				if err != nil {
					t.Fatal(err)
				}
				report, err := conformance.Judge(t.Context(), conformance.Options{
					Target: without{target, field}, Claims: reference.Claims(), Parallel: 1,
					Filter: conformance.Filter{Policy: name, Names: field.Fixtures},
				})
				if err != nil {
					t.Fatal(err)
				}
				i := slices.IndexFunc(report.Policy.Fields, func(f reports.PolicyField) bool { return f.Field == field.String() })
				if v := report.Policy.Fields[i].Verdict; v != reports.Fail && v != reports.Error {
					t.Errorf("without it %v come to %s", field.Fixtures, v)
				}
				if report.Result == reports.Passed {
					t.Error("the run passes")
				}
			})
		}
	}
}

// parts says of what types the fields of a type are; those of the API's kinds are below their kinds' names.
func parts() map[string]map[string]string {
	return map[string]map[string]string{
		"Task":              {"metadata": "ObjectMeta", "spec": "TaskSpec"},
		"TaskRun":           {"metadata": "ObjectMeta", "spec": "TaskRunSpec", "status": "TaskRunStatus"},
		"PipelineRun":       {"metadata": "ObjectMeta", "spec": "PipelineRunSpec", "status": "PipelineRunStatus"},
		"ObjectMeta":        {"name": "", "creationTimestamp": ""},
		"TaskRunSpec":       {"params": "Param", "taskRef": "", "taskSpec": "TaskSpec", "workspaces": "WorkspaceBinding", "timeout": ""},
		"TaskSpec":          {"description": "", "params": "ParamSpec", "steps": "Step", "sidecars": "Sidecar", "results": "TaskResult", "workspaces": ""},
		"Step":              {"name": "", "image": "", "args": "", "command": "", "workingDir": "", "env": "EnvVar", "script": "", "securityContext": "SecurityContext"},
		"Sidecar":           {"name": "", "image": "", "args": "", "command": "", "script": "", "securityContext": "SecurityContext"},
		"SecurityContext":   {"privileged": ""},
		"EnvVar":            {"name": "", "value": ""},
		"TaskResult":        {"name": "", "type": ""},
		"WorkspaceBinding":  {"name": "", "emptyDir": ""},
		"PipelineRunSpec":   {"params": "Param", "pipelineSpec": "PipelineSpec", "timeouts": "TimeoutFields", "workspaces": "WorkspaceBinding"},
		"PipelineSpec":      {"params": "ParamSpec", "tasks": "PipelineTask", "results": "", "finally": "PipelineTask", "workspaces": ""},
		"PipelineTask":      {"name": "", "taskSpec": "TaskSpec", "runAfter": "", "params": "Param", "workspaces": "", "timeout": ""},
		"TimeoutFields":     {"pipeline": "", "tasks": "", "finally": ""},
		"PipelineRunStatus": {"conditions": "Condition", "startTime": "", "completionTime": "", "childReferences": "ChildStatusReference"},
		"TaskRunStatus":     {"conditions": "Condition", "startTime": "", "completionTime": "", "taskSpec": "TaskSpec", "steps": "StepState", "results": "TaskResult"},
		"Condition":         {"type": "", "status": "", "reason": ""},
		"StepState":         {"name": "", "imageID": "", "terminated": "ContainerStateTerminated"},

		"ContainerStateTerminated": {"exitCode": "", "reason": "", "startedAt": "", "finishedAt": ""},
		"ChildStatusReference":     {"name": "", "pipelineTaskName": ""},
		// Of these no field is dropped, but values of one type.
		"Param":     {},
		"ParamSpec": {},
	}
}

const paramType = "ParamType"

func known(typ, field string) bool {
	_, ok := parts()[typ][field]
	return ok || typ == paramType && (field == "string" || field == "array")
}

// drop takes a field of a type out of a value of a type, wherever it is.
func drop(v any, typ string, field policy.Field) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			drop(item, typ, field)
		}
	case map[string]any:
		if typ == field.Type {
			delete(v, field.Name)
		}
		if field.Type == paramType && (typ == "Param" || typ == "ParamSpec") {
			for _, key := range []string{"value", "default"} {
				_, text := v[key].(string)
				_, list := v[key].([]any)
				if text && field.Name == "string" || list && field.Name == "array" {
					delete(v, key)
				}
			}
		}
		for name, of := range parts()[typ] {
			if inner, ok := v[name]; ok && of != "" {
				drop(inner, of, field)
			}
		}
	}
}

// without is a target whose API does not know a field.
type without struct {
	conformance.Target
	field policy.Field
}

func (t without) Start(ctx context.Context, s conformance.Setup) (conformance.Cluster, error) {
	c, err := t.Target.Start(ctx, s)
	return withoutCluster{c, t.field}, err
}

type withoutCluster struct {
	conformance.Cluster
	field policy.Field
}

func (c withoutCluster) Client() client.Client { return withoutClient{c.Cluster.Client(), c.field} }

func (c withoutCluster) Observe(gvk schema.GroupVersionKind, namespace string, handler func(watch.EventType, *unstructured.Unstructured)) (func(), error) {
	return c.Cluster.Observe(gvk, namespace, func(e watch.EventType, o *unstructured.Unstructured) {
		shown := o.DeepCopy()
		drop(shown.Object, shown.GetKind(), c.field)
		handler(e, shown)
	})
}

type withoutClient struct {
	client.Client
	field policy.Field
}

func (c withoutClient) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	if u, ok := o.(*unstructured.Unstructured); ok {
		drop(u.Object, u.GetKind(), c.field)
	}
	return c.Client.Create(ctx, o, opts...)
}
