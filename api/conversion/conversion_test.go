package conversion_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/randfill"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/conversion"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// objects is how many random objects of each kind are converted.
const objects = 40

// filler fills objects with what can be stored: the same for the same seed.
func filler(seed int64, nilChance float64) *randfill.Filler {
	value := func(c randfill.Continue) v1beta1.ParamValue {
		switch c.Intn(3) {
		case 0:
			return v1beta1.ArrayValue(c.String(5), c.String(5))
		case 1:
			return v1beta1.ObjectValue(map[string]string{c.String(5): c.String(5)})
		}
		return v1beta1.StringValue("v" + c.String(5))
	}
	return randfill.NewWithSeed(seed).NilChance(nilChance).NumElements(1, 2).MaxDepth(24).Funcs(
		func(t *metav1.Time, c randfill.Continue) { t.Time = time.Unix(1+c.Int63n(4e9), 0).UTC() },
		func(d *metav1.Duration, c randfill.Continue) { d.Duration = time.Duration(1 + c.Int63n(1e12)) },
		func(q *resource.Quantity, c randfill.Continue) {
			*q = resource.MustParse(fmt.Sprintf("%dm", 1001+c.Intn(8)))
		},
		func(v *intstr.IntOrString, c randfill.Continue) { *v = intstr.FromInt32(1 + c.Int31n(9)) },
		func(f *metav1.FieldsV1, c randfill.Continue) { f.SetRawString(`{"f:a":{}}`) },
		func(v *v1beta1.ParamValue, c randfill.Continue) { *v = value(c) },
		func(t *metav1.TypeMeta, c randfill.Continue) {}, // each test sets its own
		func(r *runtime.RawExtension, c randfill.Continue) {
			r.Raw = []byte(fmt.Sprintf(`{"own":%d}`, c.Intn(100)))
		},
		func(b *bool, c randfill.Continue) { *b = true },
		func(s *string, c randfill.Continue) { *s = "s" + c.String(6) },
		func(t *v1beta1.ParamType, c randfill.Continue) { *t = v1beta1.ParamTypeArray }, // without one it becomes a string
		// An archived attempt has no past of its own.
		func(s *v1beta1.TaskRunStatus, c randfill.Continue) {
			c.FillNoCustom(s)
			for i := range s.RetriesStatus {
				s.RetriesStatus[i].RetriesStatus = nil
			}
		},
		func(s *v1.TaskRunStatus, c randfill.Continue) {
			c.FillNoCustom(s)
			for i := range s.RetriesStatus {
				s.RetriesStatus[i].RetriesStatus = nil
			}
		},
	)
}

// lost takes out of a v1beta1 object what the specification says v1 cannot hold (§1.11), and nothing else.
func lost(tr *v1beta1.TaskRun) {
	embedded := func(spec *v1beta1.TaskSpec) {
		if spec != nil {
			spec.Resources = nil
			lostOfTask(spec)
		}
	}
	embedded(tr.Spec.TaskSpec)
	embedded(tr.Status.TaskSpec)
	for i := range tr.Status.RetriesStatus {
		embedded(tr.Status.RetriesStatus[i].TaskSpec)
	}
	if ref := tr.Spec.TaskRef; ref != nil && ref.Bundle != "" {
		ref.ResolverRef = v1beta1.ResolverRef{Resolver: "bundles", Params: []v1beta1.Param{
			{Name: "bundle", Value: v1beta1.StringValue(ref.Bundle)},
			{Name: "name", Value: v1beta1.StringValue(ref.Name)},
			{Name: "kind", Value: v1beta1.StringValue("Task")},
		}}
		ref.Name, ref.Bundle = "", ""
	}
}

func lostOfTask(spec *v1beta1.TaskSpec) {
	for i := range spec.Steps {
		s := &spec.Steps[i]
		s.Ports, s.LivenessProbe, s.ReadinessProbe, s.StartupProbe, s.Lifecycle = nil, nil, nil, nil, nil
		s.TerminationMessagePath, s.TerminationMessagePolicy = "", ""
		s.Stdin, s.StdinOnce, s.TTY = false, false, false
	}
	if s := spec.StepTemplate; s != nil {
		s.Name = ""
		s.Ports, s.LivenessProbe, s.ReadinessProbe, s.StartupProbe, s.Lifecycle = nil, nil, nil, nil, nil
		s.TerminationMessagePath, s.TerminationMessagePolicy = "", ""
		s.Stdin, s.StdinOnce, s.TTY = false, false, false
	}
}

func tree(t *testing.T, object any) any {
	t.Helper()
	raw, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestConversionRoundTripLosesNothingElse: v1beta1 → v1 → v1beta1, by way of JSON, as an API server does it.
func TestConversionRoundTripLosesNothingElse(t *testing.T) {
	t.Parallel()
	seen := coverage{}
	for seed := range int64(objects) {
		f := filler(seed, float64(seed%4)*0.2)
		tr := &v1beta1.TaskRun{}
		f.Fill(tr)
		tr.TypeMeta = metav1.TypeMeta{APIVersion: "tekton.dev/v1beta1", Kind: "TaskRun"}
		if seed%2 == 0 && tr.Spec.TaskRef != nil {
			tr.Spec.TaskRef.Bundle = ""
		}
		seen.add(tr)
		untouched := tree(t, tr)
		asV1, err := conversion.TaskRunToV1(tr)
		if err != nil {
			t.Fatal(err)
		}
		stored := &v1.TaskRun{}
		reread(t, asV1, stored)
		back, err := conversion.TaskRunFromV1(stored)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(untouched, tree(t, tr)); diff != "" {
			t.Fatalf("seed %d: the TaskRun was written to:\n%s", seed, diff)
		}
		lost(tr)
		if diff := cmp.Diff(tree(t, tr), tree(t, back)); diff != "" {
			t.Fatalf("seed %d: TaskRun (-before +after):\n%s", seed, diff)
		}

		task := &v1beta1.Task{}
		f.Fill(task)
		task.TypeMeta = metav1.TypeMeta{APIVersion: "tekton.dev/v1beta1", Kind: "Task"}
		taskV1, err := conversion.TaskToV1(task)
		if err != nil {
			t.Fatal(err)
		}
		storedTask := &v1.Task{}
		reread(t, taskV1, storedTask)
		taskBack, err := conversion.TaskFromV1(storedTask)
		if err != nil {
			t.Fatal(err)
		}
		lostOfTask(&task.Spec)
		if diff := cmp.Diff(tree(t, task), tree(t, taskBack)); diff != "" {
			t.Fatalf("seed %d: Task (-before +after):\n%s", seed, diff)
		}
	}
	seen.complete(t)
}

// TestV1LosesNothing: v1 → v1beta1 → v1.
func TestV1LosesNothing(t *testing.T) {
	t.Parallel()
	seen := coverage{}
	for seed := range int64(objects) {
		f := filler(seed, float64(seed%4)*0.2)
		tr := &v1.TaskRun{}
		f.Fill(tr)
		tr.TypeMeta = metav1.TypeMeta{APIVersion: "tekton.dev/v1", Kind: "TaskRun"}
		seen.add(tr)
		old, err := conversion.TaskRunFromV1(tr)
		if err != nil {
			t.Fatal(err)
		}
		stored := &v1beta1.TaskRun{}
		reread(t, old, stored)
		back, err := conversion.TaskRunToV1(stored)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tree(t, tr), tree(t, back)); diff != "" {
			t.Fatalf("seed %d: TaskRun (-before +after):\n%s", seed, diff)
		}

		task := &v1.Task{}
		f.Fill(task)
		task.TypeMeta = metav1.TypeMeta{APIVersion: "tekton.dev/v1", Kind: "Task"}
		oldTask, err := conversion.TaskFromV1(task)
		if err != nil {
			t.Fatal(err)
		}
		storedTask := &v1beta1.Task{}
		reread(t, oldTask, storedTask)
		taskBack, err := conversion.TaskToV1(storedTask)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tree(t, task), tree(t, taskBack)); diff != "" {
			t.Fatalf("seed %d: Task (-before +after):\n%s", seed, diff)
		}
	}
	seen.complete(t)
}

func reread(t *testing.T, from, into any) {
	t.Helper()
	raw, err := json.Marshal(from)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		t.Fatal(err)
	}
}

// coverage knows of each field whether any object had it. A field that none has is one that no test converts.
type coverage map[string]bool

func (c coverage) add(object any) { c.visit("", reflect.ValueOf(object).Elem()) }

func (c coverage) visit(path string, v reflect.Value) {
	c[path] = c[path] || !v.IsZero()
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			c.visit(path, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			c.visit(path+"[]", v.Index(i))
		}
	case reflect.Struct:
		if strings.HasPrefix(v.Type().PkgPath(), "github.com/plumbline-ci/") && v.Type() != reflect.TypeFor[v1beta1.ParamValue]() {
			for f, value := range v.Fields() {
				c.visit(path+"."+f.Name, value)
			}
		}
	}
}

func (c coverage) complete(t *testing.T) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(c)) {
		if !c[path] && !strings.Contains(path, "RetriesStatus[].TaskRunStatusFields.RetriesStatus") {
			t.Errorf("no object had %s", strings.TrimPrefix(path, "."))
		}
	}
	if len(c) < 200 {
		t.Errorf("only %d fields", len(c))
	}
}

// TestConversions are the rows of the specification's table, in words that one can read.
func TestConversions(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		reason   string
		old, new string // YAML of a TaskRun, without apiVersion and kind
		back     string // what comes back, if not old
	}{
		{
			reason: "overrides are specs",
			old:    `{spec: {serviceAccountName: "", stepOverrides: [{name: a, resources: {limits: {cpu: 1}}}], sidecarOverrides: [{name: b, resources: {}}]}, status: {podName: ""}}`,
			new:    `{spec: {serviceAccountName: "", stepSpecs: [{name: a, computeResources: {limits: {cpu: 1}}}], sidecarSpecs: [{name: b, computeResources: {}}]}, status: {podName: ""}}`,
		},
		{
			reason: "requirements are computeResources",
			old:    `{spec: {serviceAccountName: "", taskSpec: {stepTemplate: {name: "", resources: {requests: {cpu: 1}}}, steps: [{name: a, resources: {requests: {cpu: 2}}}], sidecars: [{name: b, resources: {requests: {cpu: 3}}}]}}}`,
			new:    `{spec: {serviceAccountName: "", taskSpec: {stepTemplate: {computeResources: {requests: {cpu: 1}}}, steps: [{name: a, computeResources: {requests: {cpu: 2}}}], sidecars: [{name: b, computeResources: {requests: {cpu: 3}}}]}}}`,
		},
		{
			reason: "taskResults are results, of past attempts too",
			old:    `{spec: {serviceAccountName: ""}, status: {podName: p, taskResults: [{name: r, type: string, value: x}], retriesStatus: [{podName: q, taskResults: [{name: r, value: [y]}]}]}}`,
			new:    `{spec: {serviceAccountName: ""}, status: {podName: p, results: [{name: r, type: string, value: x}], retriesStatus: [{podName: q, results: [{name: r, value: [y]}]}]}}`,
		},
		{
			reason: "resources wait in an annotation",
			old:    `{metadata: {annotations: {a: b}}, spec: {serviceAccountName: "", resources: {inputs: [{name: r, resourceRef: {name: x}}]}}}`,
			new:    `{metadata: {annotations: {a: b, tekton.dev/v1beta1Resources: '{"inputs":[{"name":"r","resourceRef":{"name":"x"}}]}'}}, spec: {serviceAccountName: ""}}`,
		},
		{
			reason: "and leave no empty annotations behind",
			old:    `{spec: {serviceAccountName: ""}, status: {podName: "", cloudEvents: [{target: t, status: {condition: Sent, message: "", retryCount: 1}}], resourcesResult: [{key: k, value: v, resourceName: o, type: 2}]}}`,
			new:    `{metadata: {annotations: {tekton.dev/v1beta1CloudEvents: '[{"target":"t","status":{"condition":"Sent","message":"","retryCount":1}}]', tekton.dev/v1beta1ResourcesResult: '[{"key":"k","value":"v","resourceName":"o","type":2}]'}}, spec: {serviceAccountName: ""}, status: {podName: ""}}`,
		},
		{
			reason: "a bundle is what a resolver finds, for good",
			old:    `{spec: {serviceAccountName: "", taskRef: {name: the-name, bundle: b, kind: Task}}}`,
			new:    `{spec: {serviceAccountName: "", taskRef: {kind: Task, resolver: bundles, params: [{name: bundle, value: b}, {name: name, value: the-name}, {name: kind, value: Task}]}}}`,
			back:   `{spec: {serviceAccountName: "", taskRef: {kind: Task, resolver: bundles, params: [{name: bundle, value: b}, {name: name, value: the-name}, {name: kind, value: Task}]}}}`,
		},
		{
			reason: "a Step has no ports in v1, and an embedded Task no resources",
			old:    `{spec: {serviceAccountName: "", taskSpec: {resources: {inputs: [{name: r, type: git}]}, steps: [{name: a, resources: {}, tty: true, ports: [{containerPort: 80}]}]}}}`,
			new:    `{spec: {serviceAccountName: "", taskSpec: {steps: [{name: a, computeResources: {}}]}}}`,
			back:   `{spec: {serviceAccountName: "", taskSpec: {steps: [{name: a, resources: {}}]}}}`,
		},
		{
			reason: "provenance without a source stays one",
			old:    `{spec: {serviceAccountName: ""}, status: {podName: "", provenance: {}}}`,
			new:    `{spec: {serviceAccountName: ""}, status: {podName: "", provenance: {}}}`,
		},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			parse := func(text, version string, into any) {
				t.Helper()
				if err := yaml.UnmarshalStrict([]byte("apiVersion: tekton.dev/"+version+"\nkind: TaskRun\n"+strings.TrimSuffix(asBlock(t, text), "\n")), into); err != nil {
					t.Fatal(err)
				}
			}
			var old, back v1beta1.TaskRun
			var want v1.TaskRun
			parse(row.old, "v1beta1", &old)
			parse(row.new, "v1", &want)
			if row.back == "" {
				row.back = row.old
			}
			parse(row.back, "v1beta1", &back)
			got, err := conversion.TaskRunToV1(&old)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tree(t, want), tree(t, got)); diff != "" {
				t.Errorf("in v1 (-want +got):\n%s", diff)
			}
			again, err := conversion.TaskRunFromV1(got)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tree(t, back), tree(t, again)); diff != "" {
				t.Errorf("back in v1beta1 (-want +got):\n%s", diff)
			}
		})
	}
}

// asBlock turns a mapping in one line into lines that others can stand before.
func asBlock(t *testing.T, text string) string {
	t.Helper()
	var m map[string]any
	if err := yaml.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	out, err := yaml.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestUntypedParamsBecomeStrings: a value without a type is a string after its conversion.
func TestUntypedParamsBecomeStrings(t *testing.T) {
	t.Parallel()
	old := &v1beta1.TaskRun{Spec: v1beta1.TaskRunSpec{
		Params:   []v1beta1.Param{{Name: "p", Value: v1beta1.ParamValue{StringVal: "x"}}},
		TaskSpec: &v1beta1.TaskSpec{Params: []v1beta1.ParamSpec{{Name: "p", Default: &v1beta1.ParamValue{StringVal: "y"}}}},
	}}
	old.Status.TaskRunResults = []v1beta1.TaskRunResult{{Name: "r", Value: v1beta1.ParamValue{StringVal: "z"}}}
	got, err := conversion.TaskRunToV1(old)
	if err != nil {
		t.Fatal(err)
	}
	if result := got.Status.Results[0].Value.Type; result != "string" {
		t.Errorf("the type of a result is %q", result)
	}
	declared := got.Spec.TaskSpec.Params[0]
	if got.Spec.Params[0].Value.Type != "string" || declared.Type != "string" || declared.Default.Type != "string" {
		t.Errorf("types are %q, %q, %q", got.Spec.Params[0].Value.Type, declared.Type, declared.Default.Type)
	}
	if old.Spec.TaskSpec.Params[0].Type != "" || old.Spec.TaskSpec.Params[0].Default.Type != "" {
		t.Error("the object that was converted was written to")
	}
}

func TestAnnotationThatIsNotJSON(t *testing.T) {
	t.Parallel()
	const want = `error deserializing key tekton.dev/v1beta1Resources from metadata: invalid character 'x' looking for beginning of value`
	meta := metav1.ObjectMeta{Annotations: map[string]string{v1beta1.AnnotationV1beta1Resources: "x"}}
	_, errRun := conversion.TaskRunFromV1(&v1.TaskRun{ObjectMeta: meta})
	_, errTask := conversion.TaskFromV1(&v1.Task{ObjectMeta: meta})
	for _, err := range []error{errRun, errTask} {
		if err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
