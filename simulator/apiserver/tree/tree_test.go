package tree_test

import (
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/randfill"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/apiserver/tree"
)

func filler(seed int64) *randfill.Filler {
	return randfill.NewWithSeed(seed).NilChance(0.3).NumElements(0, 3).MaxDepth(14).Funcs(
		func(t *metav1.Time, c randfill.Continue) {
			if c.Bool() {
				t.Time = time.Unix(c.Int63n(4e9), 0)
			}
		},
		func(q *resource.Quantity, c randfill.Continue) {
			*q = resource.MustParse([]string{"0", "1500m", "1Gi"}[c.Intn(3)])
		},
		func(v *intstr.IntOrString, c randfill.Continue) {
			v.Type, v.IntVal, v.StrVal = intstr.Type(c.Intn(2)), c.Int31(), c.String(5)
		},
		func(r *runtime.RawExtension, c randfill.Continue) { r.Raw = []byte(`{"a":[1,2]}`) },
		func(f *metav1.FieldsV1, c randfill.Continue) { f.SetRawString(`{"f:x":{}}`) },
		func(j *apiextensionsv1.JSON, c randfill.Continue) { j.Raw = []byte(`{"b": 1}`) },
		func(s *apiextensionsv1.JSONSchemaProps, c randfill.Continue) {
			c.Fill(&s.Title)
			c.Fill(&s.Enum)
		},
		func(v *any, c randfill.Continue) {
			*v = []any{nil, map[string]any{"a": 1.5, "b": []any{int64(3), "x"}}, []any{true}, "text", []string{"x"}}[c.Intn(5)]
		},
	)
}

// odd holds what built-in kinds happen not to use.
type odd struct {
	metav1.TypeMeta `json:",inline"`
	Hidden          string             `json:"-"`
	Untagged        string             // has no tag on purpose
	Any             any                `json:"any,omitempty"`
	Nil             []string           `json:"nil"`
	Sized           uint16             `json:"sized"`
	Half            float32            `json:"half,omitempty"`
	Zero            metav1.Time        `json:"zero,omitzero"`
	Empty           struct{ A string } `json:"empty,omitempty"`
	Counts          map[string]int     `json:"counts,omitempty"`
	Before          []odd              `json:"before,omitempty"`
	Like            *odd               `json:"like,omitempty"`
	Embedding       embedding          `json:"embedding"`
}

// embedding is left to the converter of package runtime.
type embedding struct {
	*Below
	Other string `json:"other"`
}

// Below is embedded by pointer.
type Below struct {
	Deep string `json:"deep,omitempty"`
}

// types are all kinds that a server has by itself, and odd.
func types(t *testing.T) []reflect.Type {
	scheme := apiserver.NewScheme()
	list := []reflect.Type{reflect.TypeFor[odd]()}
	for _, gvk := range slices.SortedFunc(maps.Keys(scheme.AllKnownTypes()), func(a, b schema.GroupVersionKind) int { return strings.Compare(a.String(), b.String()) }) {
		object, err := scheme.New(gvk)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := object.(metav1.Object); ok {
			list = append(list, reflect.TypeOf(object).Elem())
		}
	}
	return list
}

// TestTreesAreThoseOfTheOldConverter compares trees with those of package runtime; the trees of later versions are made from
// random others, which nearly nothing is like, and from small changes.
func TestTreesAreThoseOfTheOldConverter(t *testing.T) {
	t.Parallel()
	converter := tree.NewConverter()
	for _, typ := range types(t) {
		fill := filler(1)
		var base any
		var before map[string]any
		for range 6 {
			object := reflect.New(typ).Interface()
			fill.Fill(object)
			want, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
			if err != nil {
				t.Fatalf("%s: %v", typ, err)
			}
			got, err := converter.Tree(object)
			if err != nil {
				t.Fatalf("%s: %v", typ, err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("%s (-package runtime +ours):\n%s", typ, d)
			}
			copied := runtime.DeepCopyJSON(before)
			next, err := converter.Next(object, base, before)
			if err != nil {
				t.Fatalf("%s: %v", typ, err)
			}
			if d := cmp.Diff(want, next); d != "" {
				t.Fatalf("%s after another version (-package runtime +ours):\n%s", typ, d)
			}
			if d := cmp.Diff(copied, before); d != "" {
				t.Fatalf("%s: the tree before was changed (-was +is):\n%s", typ, d)
			}
			base, before = object, next
		}
	}
}

// TestVersionsShareWhatDidNotChange changes a version of a Pod in one place after the other.
func TestVersionsShareWhatDidNotChange(t *testing.T) {
	t.Parallel()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", ResourceVersion: "1", Labels: map[string]string{"a": "b"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "one"}, {Name: "two"}}},
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{
			{Name: "one", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}},
			{Name: "two"},
		}},
	}
	converter := tree.NewConverter()
	first, err := converter.Tree(pod)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		reason string
		change func(*corev1.Pod)
		shared [][]string // paths of what both trees have in common
		apart  [][]string
	}{
		{"nothing is known to differ but by its address", func(*corev1.Pod) {}, [][]string{{}}, nil},
		{
			"one word of the metadata", func(p *corev1.Pod) { p.ResourceVersion = "2" },
			[][]string{{"spec"}, {"status"}, {"metadata", "labels"}}, [][]string{{}, {"metadata"}},
		},
		{
			"one of two containers", func(p *corev1.Pod) { p.Status.ContainerStatuses[1].Ready = true },
			[][]string{{"spec"}, {"metadata"}, {"status", "containerStatuses", "0"}}, [][]string{{"status", "containerStatuses", "1"}},
		},
		{
			"a container less", func(p *corev1.Pod) { p.Spec.Containers = p.Spec.Containers[:1] },
			[][]string{{"spec", "containers", "0"}, {"status"}}, [][]string{{"spec"}, {"spec", "containers"}},
		},
		{
			"what is left out now", func(p *corev1.Pod) { p.Labels = nil },
			[][]string{{"spec"}, {"status"}}, [][]string{{"metadata"}},
		},
	} {
		later := pod.DeepCopy()
		tt.change(later)
		next, err := converter.Next(later, pod, first)
		if err != nil {
			t.Fatal(err)
		}
		want, err := runtime.DefaultUnstructuredConverter.ToUnstructured(later)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, next); d != "" {
			t.Errorf("%s (-package runtime +ours):\n%s", tt.reason, d)
		}
		for _, path := range tt.shared {
			if !identical(at(first, path), at(next, path)) {
				t.Errorf("%s: %q is not shared", tt.reason, path)
			}
		}
		for _, path := range tt.apart {
			if identical(at(first, path), at(next, path)) {
				t.Errorf("%s: %q is shared", tt.reason, path)
			}
		}
	}
}

// TestWholeTreesAreTheCallers changes everything in a tree and looks at the object.
func TestWholeTreesAreTheCallers(t *testing.T) {
	t.Parallel()
	object := &odd{Any: map[string]any{"deep": map[string]any{"list": []any{"x"}}}}
	before, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	made, err := tree.NewConverter().Tree(object)
	if err != nil {
		t.Fatal(err)
	}
	deep, _ := made["any"].(map[string]any)["deep"].(map[string]any)
	deep["list"].([]any)[0] = "changed"
	deep["more"] = true
	after, err := json.Marshal(object)
	if err != nil || string(after) != string(before) {
		t.Errorf("got %s, want %s (%v)", after, before, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	converter := tree.NewConverter()
	for _, tt := range []struct {
		reason string
		object any
	}{
		{"what is no pointer", corev1.Pod{}},
		{"a nil pointer", (*corev1.Pod)(nil)},
		{"a pointer to something else", new(int)},
		{"a number too large", &struct{ N uint64 }{math.MaxUint64}},
		{"keys that are no strings", &struct{ M map[int]string }{map[int]string{1: "x"}}},
	} {
		if made, err := converter.Tree(tt.object); err == nil {
			t.Errorf("%s is converted: %v", tt.reason, made)
		}
	}
}

// TestVersionsCostWhatChanged holds the number of allocations for a status update.
func TestVersionsCostWhatChanged(t *testing.T) {
	pod := &corev1.Pod{}
	filler(3).Fill(pod)
	pod.Status.Phase = corev1.PodPending
	later := *pod
	later.Status.Phase = corev1.PodRunning
	converter := tree.NewConverter()
	first, err := converter.Tree(pod)
	if err != nil {
		t.Fatal(err)
	}
	got := testing.AllocsPerRun(20, func() {
		if _, err := converter.Next(&later, pod, first); err != nil {
			t.Fatal(err)
		}
	})
	if got > 20 {
		t.Errorf("a version that differs in one word costs %v allocations", got)
	}
}

// at follows a path of keys and indices.
func at(in any, path []string) any {
	for _, step := range path {
		switch x := in.(type) {
		case map[string]any:
			in = x[step]
		case []any:
			in = x[int(step[0]-'0')]
		}
	}
	return in
}

// identical reports whether two maps are one.
func identical(a, b any) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	return x.Kind() == y.Kind() && x.UnsafePointer() == y.UnsafePointer()
}
