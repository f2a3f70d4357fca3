package podspec

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// TestMergeContainer goes through the fields of a container: the template's, the Step's, and the merged ones.
func TestMergeContainer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, template, step, want string }{
		{"a field of the template alone", "{tty: true, stdin: true, stdinOnce: true, livenessProbe: {periodSeconds: 1}, lifecycle: {preStop: {sleep: {seconds: 1}}}, terminationMessagePolicy: File}", "{}",
			"{tty: true, stdin: true, stdinOnce: true, livenessProbe: {periodSeconds: 1}, lifecycle: {preStop: {sleep: {seconds: 1}}}, terminationMessagePolicy: File}"},
		{"a field of the step alone", "{}", "{tty: true, stdin: true, stdinOnce: true, securityContext: {runAsUser: 1}, readinessProbe: {periodSeconds: 1}, startupProbe: {periodSeconds: 2}}",
			"{tty: true, stdin: true, stdinOnce: true, securityContext: {runAsUser: 1}, readinessProbe: {periodSeconds: 1}, startupProbe: {periodSeconds: 2}}"},
		{"structures are merged by field", "{startupProbe: {periodSeconds: 1, timeoutSeconds: 1}, securityContext: {seLinuxOptions: {user: t, role: t}}}",
			"{startupProbe: {periodSeconds: 2}, securityContext: {seLinuxOptions: {user: s}}}",
			"{startupProbe: {periodSeconds: 2, timeoutSeconds: 1}, securityContext: {seLinuxOptions: {user: s, role: t}}}"},
		{"a template's name means nothing", "{name: t}", "{name: s}", "{name: s}"},
		{"devices by path", "{volumeDevices: [{name: t, devicePath: /a}, {name: t, devicePath: /b}]}", "{volumeDevices: [{name: s, devicePath: /b}]}",
			"{volumeDevices: [{name: t, devicePath: /a}, {name: s, devicePath: /b}]}"},
		{"ports by number", "{ports: [{containerPort: 1, name: t, hostPort: 5, hostIP: a, protocol: TCP}, {containerPort: 2}]}", "{ports: [{containerPort: 1, name: s, protocol: UDP}]}",
			"{ports: [{containerPort: 1, name: s, hostPort: 5, hostIP: a, protocol: UDP}, {containerPort: 2}]}"},
		{"mounts by path", "{volumeMounts: [{mountPath: /a, name: t, subPath: t, mountPropagation: None, subPathExpr: t, recursiveReadOnly: Enabled}]}", "{volumeMounts: [{mountPath: /a, subPath: s, readOnly: true}]}",
			"{volumeMounts: [{mountPath: /a, name: t, subPath: s, mountPropagation: None, subPathExpr: t, readOnly: true, recursiveReadOnly: Enabled}]}"},
		{"a variable without a value takes the template's", "{env: [{name: A, value: t}]}", "{env: [{name: A}]}", "{env: [{name: A, value: t}]}"},
		{"a variable has one source", "{env: [{name: A, value: t}]}", "{env: [{name: A, valueFrom: {fieldRef: {fieldPath: s}}}]}", "{env: [{name: A, valueFrom: {fieldRef: {fieldPath: s}}}]}"},
		{"what the template has first stays first", "{env: [{name: A}, {name: B}, {name: C}]}", "{env: [{name: C, value: s}, {name: X}, {name: B, value: s}]}",
			"{env: [{name: A}, {name: C, value: s}, {name: X}, {name: B, value: s}]}"},
		{"claims of resources are a list", "{resources: {claims: [{name: t}]}}", "{resources: {claims: [{name: s}]}}", "{resources: {claims: [{name: s}]}}"},
		{"where the message goes", "{terminationMessagePath: t, terminationMessagePolicy: File}", "{terminationMessagePath: s}", "{terminationMessagePath: s, terminationMessagePolicy: File}"},
	} {
		template, step, want := containerOf(t, tt.template), containerOf(t, tt.step), containerOf(t, tt.want)
		got, err := mergeContainer(template, step)
		if err != nil {
			t.Errorf("%s: %v", tt.reason, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
		}
		why, differs := unlikeKubernetes[tt.reason]
		if diff := cmp.Diff(got, byKubernetes(t, template, step)); differs != (diff != "") {
			t.Errorf("%s: it should differ from Kubernetes' merge: %v %s (-ours +Kubernetes'):\n%s", tt.reason, differs, why, diff)
		}
	}
}

// unlikeKubernetes are the rows of TestMergeContainer in which a strategic merge of whole containers gives something else.
var unlikeKubernetes = map[string]string{
	"mounts by path":            "the JSON of a mount has an empty name, which would replace the template's",
	"a variable has one source": "a variable would keep the template's value beside the step's source, which no Pod may have",
}

func containerOf(t *testing.T, text string) corev1.Container {
	t.Helper()
	var c corev1.Container
	if err := yaml.UnmarshalStrict([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestEveryFieldIsMergedOrListed goes by reflection through what a stepTemplate can have, so that no field of it is lost on the
// way to the Steps: neither one of a container, nor one in a list that is merged by a key.
func TestEveryFieldIsMergedOrListed(t *testing.T) {
	t.Parallel()
	notTaken := map[string]string{"Name": "a template's name means nothing (POD-50)"}
	for i := range reflect.TypeFor[v1beta1.StepTemplate]().NumField() {
		template := v1beta1.StepTemplate{}
		field := reflect.TypeOf(template).Field(i)
		set(reflect.ValueOf(&template).Elem().Field(i))
		want := reflect.ValueOf(template).Field(i).Interface()
		steps, err := mergeTemplate(&v1beta1.TaskSpec{StepTemplate: &template, Steps: []v1beta1.Step{{}}})
		if err != nil {
			t.Fatal(err)
		}
		got := reflect.ValueOf(steps[0]).FieldByName(field.Name).Interface()
		if _, listed := notTaken[field.Name]; listed == reflect.DeepEqual(want, got) {
			t.Errorf("the template's %s is %v in the step, want %v, or a reason in the list", field.Name, got, want)
		}
	}
	keptApart(t, "ContainerPort", mergePort)
	keptApart(t, "MountPath", mergeMount)
	keptApart(t, "DevicePath", mergeDevice)
	keptApart(t, "Name", mergeEnv)
}

// keptApart checks that an item of a list keeps each of its fields if the other item of its key does not have it.
func keptApart[T any](t *testing.T, key string, merge func(base, over T) T) {
	t.Helper()
	for i := range reflect.TypeFor[T]().NumField() {
		var full, bare T
		set(reflect.ValueOf(&full).Elem().Field(i))
		set(reflect.ValueOf(&full).Elem().FieldByName(key))
		set(reflect.ValueOf(&bare).Elem().FieldByName(key))
		name := reflect.TypeOf(full).Name() + "." + reflect.TypeOf(full).Field(i).Name
		if got := merge(full, bare); !reflect.DeepEqual(got, full) {
			t.Errorf("the template's %s is lost: %+v", name, got)
		}
		if got := merge(bare, full); !reflect.DeepEqual(got, full) {
			t.Errorf("the step's %s is lost: %+v", name, got)
		}
	}
}

// set gives v a value that is not zero: one element in lists and maps, something behind pointers, and the first field of
// structures.
func set(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		set(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		set(v.Index(0))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		set(key)
		set(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[resource.Quantity]() {
			v.Set(reflect.ValueOf(resource.MustParse("1")))
			return
		}
		set(v.Field(0))
	}
}

// byKubernetes is the strategic merge of whole containers, as an API server does it.
func byKubernetes(t *testing.T, template, step corev1.Container) corev1.Container {
	t.Helper()
	base, err := json.Marshal(template)
	if err != nil {
		t.Fatal(err)
	}
	over, err := json.Marshal(step)
	if err != nil {
		t.Fatal(err)
	}
	text, err := strategicpatch.StrategicMergePatch(base, over, corev1.Container{})
	if err != nil {
		t.Fatal(err)
	}
	var out corev1.Container
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func BenchmarkMergeContainer(b *testing.B) {
	template := corev1.Container{Image: "i", Env: []corev1.EnvVar{{Name: "A", Value: "t"}}}
	step := corev1.Container{Name: "s", Command: []string{"c"}, Env: []corev1.EnvVar{{Name: "B", Value: "s"}}}
	b.Run("by field", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := mergeContainer(template, step); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("strategic merge", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := mergePart(&template, &step); err != nil {
				b.Fatal(err)
			}
		}
	})
}
