package taskrun

import (
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/resolve"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	const steps = "steps: [{name: a, image: i}]\n"
	for _, tt := range []struct {
		reason, task, run string
		alpha             bool
		want              string
	}{
		{"nothing wanted, nothing given", steps, "{}", false, ""},
		{"a request above its limit", "steps: [{image: i, resources: {requests: {cpu: 2}, limits: {cpu: 1}}}]", "{}", false,
			"Invalid request resource value: 2 must be less or equal to limit 1"},
		{"a request above the template's limit", "{stepTemplate: {resources: {limits: {cpu: 1}}}, steps: [{image: i, resources: {requests: {cpu: 2}}}]}", "{}", false,
			"Invalid request resource value: 2 must be less or equal to limit 1"},
		{"its own limit counts first", "{stepTemplate: {resources: {limits: {cpu: 1}}}, steps: [{image: i, resources: {requests: {cpu: 2}, limits: {cpu: 2}}}]}", "{}", false, ""},

		{"params without value, in the order of the Task", "params: [{name: b}, {name: a}, {name: c, default: x}]\n" + steps, "{}", false,
			"invalid input params for task t: missing values for these params which have no default values: [b a]"},
		{"params that the Task does not know", steps, "params: [{name: extra, value: x}]", false, ""},
		{"an array for a string, a string for an array", "params: [{name: p}, {name: q, type: array}, {name: r, type: array}]\n" + steps,
			"params: [{name: p, value: [x]}, {name: q, value: x}, {name: r, value: [x]}]", false,
			"invalid input params for task t: param types don't match the user-specified type: [p q]"},
		{"a reference may become an array", "params: [{name: q, type: array}]\n" + steps, `params: [{name: q, value: "$(tasks.x.results.y[*])"}]`, false, ""},
		{"an object without a key", "params: [{name: o, type: object, properties: {k: {}, l: {}, m: {}}, default: {l: x}}]\n" + steps, "params: [{name: o, value: {z: v}}]", false,
			"invalid input params for task t: missing keys for these params which are required in ParamSpec's properties map[o:[k m]]"},
		{"an object whose default lacks a key", "params: [{name: o, type: object, properties: {k: {}, l: {}}, default: {l: x}}]\n" + steps, "{}", false,
			"invalid input params for task t: missing keys for these params which are required in ParamSpec's properties map[o:[k]]"},
		{"an object that is complete", "params: [{name: o, type: object, properties: {k: {}, l: {}}, default: {l: x}}]\n" + steps, "params: [{name: o, value: {k: v}}]", false, ""},

		{"an index beyond the end", "params: [{name: q, type: array}]\nsteps: [{image: i, args: ['$(params.q[5])']}]", "params: [{name: q, value: [x]}]", true,
			"non-existent param references:[$(params.q[5])]"},
		{"is text without the gate", "params: [{name: q, type: array}]\nsteps: [{image: i, args: ['$(params.q[5])']}]", "params: [{name: q, value: [x]}]", false, ""},

		{"a binding without a volume", "workspaces: [{name: w}]\n" + steps, "workspaces: [{name: w}]", false, `binding "w" is invalid: `},
		{"a workspace that is not bound", "workspaces: [{name: w}]\n" + steps, "{}", false, `declared workspace "w" is required but has not been bound`},
		{"an optional one", "workspaces: [{name: w, optional: true}]\n" + steps, "{}", false, ""},
		{"a workspace that is not declared", steps, "workspaces: [{name: w, emptyDir: {}}]", false, `workspace binding "w" does not match any declared workspace`},
		{"it declares itself, to an embedded Task", steps, "{workspaces: [{name: w, emptyDir: {}}]}", true, ""},
		{"but not to a Task that is referred to", steps, "{taskRef: {name: t}, workspaces: [{name: w, emptyDir: {}}]}", true, `workspace binding "w" does not match any declared workspace`},

		{"overrides of missing steps", steps, "{stepOverrides: [{name: a}, {name: nosuch}], sidecarOverrides: [{name: none}]}", false,
			"2 errors occurred:\n\t* invalid StepOverride: No Step named nosuch\n\t* invalid SidecarOverride: No Sidecar named none\n\n"},

		{"a resource that is required", "resources: {inputs: [{name: r, type: git}, {name: o, type: git, optional: true}]}\n" + steps, "{}", false,
			"invalid input resources for task t: Task's declared required resources are missing from the TaskRun: [r]"},
		{"a resource that is not declared", steps, "resources: {inputs: [{name: r}]}", false,
			"invalid input resources for task t: TaskRun's declared resources didn't match usage in Task: [r]"},
		{"a resource", "resources: {inputs: [{name: r, type: git}]}\n" + steps, "resources: {inputs: [{name: r}]}", false, "PipelineResources are not supported: [r]"},
	} {
		tr := taskRun(t, "run", tt.run)
		err := validate(tr, resolve.Task{Name: "t", Spec: &task(t, "t", tt.task).Spec}, tr.Spec.Workspaces, tt.alpha)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.reason, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: got %v, want %s", tt.reason, err, tt.want)
		}
	}
}

func TestAssistantTakesOneClaim(t *testing.T) {
	t.Parallel()
	const same = "workspaces: [{name: a, persistentVolumeClaim: {claimName: c}}, {name: b, persistentVolumeClaim: {claimName: c}}, {name: e, emptyDir: {}}]"
	const more = "workspaces: [{name: a, persistentVolumeClaim: {claimName: c}}, {name: b, volumeClaimTemplate: {spec: {}}}, {name: e, emptyDir: {}}]"
	of := resolve.Task{Name: "t", Spec: &task(t, "t", "{workspaces: [{name: a}, {name: b}, {name: e}], steps: [{image: i}]}").Spec}
	for _, tt := range []struct {
		spec     string
		annotate bool
		fails    bool
	}{{same, true, false}, {more, true, true}, {more, false, false}} {
		tr := taskRun(t, "run", tt.spec)
		if tt.annotate {
			tr.Annotations = map[string]string{v1beta1.AnnotationAffinityAssistant: ""}
		}
		err := validate(tr, of, tr.Spec.Workspaces, false)
		if got := err != nil && err.Error() == "more than one PersistentVolumeClaim is bound"; got != tt.fails {
			t.Errorf("%s, annotated %t: %v", tt.spec, tt.annotate, err)
		}
	}
}
