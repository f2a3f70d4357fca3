package roundtrip

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/randfill"
)

// filler makes random values that JSON can carry, with plenty of what a round
// trip changes: empty but not nil, fractions of seconds, zero times behind
// pointers, quantities spelt strangely.
func filler(seed int64) *randfill.Filler {
	return randfill.NewWithSeed(seed).NilChance(0.3).NumElements(0, 3).MaxDepth(14).Funcs(
		func(t *metav1.Time, c randfill.Continue) {
			if c.Bool() {
				t.Time = time.Unix(c.Int63n(4e9), c.Int63n(1e9)).In(time.FixedZone("X", 3600))
			}
		},
		func(t *metav1.MicroTime, c randfill.Continue) {
			if c.Bool() {
				t.Time = time.Unix(c.Int63n(4e9), c.Int63n(1e9))
			}
		},
		func(q *resource.Quantity, c randfill.Continue) {
			spellings := []string{"0", "1", "1000m", "0.5", "1024Mi", "1500Ki", "1e3", "12345678901234567890", "100n", "-5"}
			*q = resource.MustParse(spellings[c.Intn(len(spellings))])
		},
		func(v *intstr.IntOrString, c randfill.Continue) {
			v.Type = intstr.Type(c.Intn(2))
			v.IntVal, v.StrVal = c.Int31(), c.String(5)
		},
		func(r *runtime.RawExtension, c randfill.Continue) {
			if c.Bool() {
				r.Raw = []byte(`{ "a" : [1, "<"] }`)
			}
		},
		func(f *metav1.FieldsV1, c randfill.Continue) { f.SetRawString(`{"f:x":{}}`) },
		func(j *apiextensionsv1.JSON, c randfill.Continue) { j.Raw = []byte(`{"b": 1}`) },
		func(s *apiextensionsv1.JSONSchemaProps, c randfill.Continue) {
			c.Fill(&s.Title)
			c.Fill(&s.Required)
			c.Fill(&s.MaxLength)
			c.Fill(&s.Enum)
			s.Properties = map[string]apiextensionsv1.JSONSchemaProps{}
			if c.Bool() {
				s.Properties["p"] = apiextensionsv1.JSONSchemaProps{Type: c.String(4), Required: []string{}}
				s.Items = &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &apiextensionsv1.JSONSchemaProps{Type: "x", Format: "y"}}
			}
		},
		func(s *string, c randfill.Continue) {
			*s = c.String(6)
			if c.Intn(20) == 0 {
				*s += "\xff\xfe"
			}
		},
		func(f *float64, c randfill.Continue) { *f = c.NormFloat64() },
		func(v *any, c randfill.Continue) {
			*v = []any{nil, map[string]any{"a": 1.5, "b": float64(3), "c": []any{}}, float64(1e21), []string{"x"}}[c.Intn(4)]
		},
	)
}

// viaRealJSON is what this package replaces.
func viaRealJSON(t *testing.T, in any) any {
	t.Helper()
	data, err := json.Marshal(in)
	if err != nil {
		t.Fatalf("encoding %T: %v", in, err)
	}
	out := reflect.New(reflect.TypeOf(in).Elem()).Interface()
	if err := kjson.UnmarshalCaseSensitivePreserveInts(data, out); err != nil {
		t.Fatalf("decoding %T: %v", in, err)
	}
	return out
}

var sameMeaning = cmp.Options{
	cmp.Comparer(func(a, b metav1.Time) bool { return a.Time.Equal(b.Time) }),
	cmp.Comparer(func(a, b metav1.MicroTime) bool { return a.Time.Equal(b.Time) }),
	cmp.Comparer(func(a, b resource.Quantity) bool { return a.String() == b.String() && a.Format == b.Format }),
	cmp.Exporter(func(reflect.Type) bool { return true }),
}

func kinds() []any {
	return []any{
		&corev1.Pod{}, &corev1.Namespace{}, &corev1.ConfigMap{}, &corev1.Secret{}, &corev1.ServiceAccount{}, &corev1.Event{},
		&corev1.PersistentVolumeClaim{}, &corev1.PersistentVolume{}, &corev1.Node{}, &corev1.LimitRange{}, &corev1.ResourceQuota{},
		&corev1.Service{}, &corev1.Binding{}, &appsv1.StatefulSet{}, &appsv1.Deployment{}, &coordinationv1.Lease{}, &policyv1.Eviction{},
		&apiextensionsv1.CustomResourceDefinition{}, &odd{},
	}
}

// odd holds what built-in kinds happen not to use.
type odd struct {
	Hidden   string            `json:"-"`
	private  int               //nolint:unused // JSON does not see it, and that is what is tested
	Any      any               `json:"any,omitempty"`
	List     []string          `json:"list"`
	Times    []metav1.Time     `json:"times,omitempty"`
	When     *metav1.Time      `json:"when,omitempty"`
	Array    [2]*string        `json:"array"`
	Pointed  pointed           `json:"pointed"`
	Mapped   map[string]*int32 `json:"mapped"`
	Pointeds map[string]pointed
	Numbers  map[int]float64 `json:"numbers,omitempty"`
	Zero     metav1.Time     `json:"zero,omitzero"`
	inlined  `json:",inline"`
	Embeds   embeds `json:"embeds"`
}

type embeds struct {
	*Below
	Other string
}

type inlined struct {
	Inner []byte   `json:"inner"`
	Other []string `json:"other,omitempty"`
}

// Below is embedded by pointer.
type Below struct {
	Deep string `json:"deep,omitempty"`
}

// pointed encodes itself only where it can be addressed.
type pointed struct{ S string }

func (p *pointed) MarshalJSON() ([]byte, error) {
	return json.Marshal("p" + strings.TrimPrefix(p.S, "p"))
}
func (p *pointed) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		var plain struct{ S string }
		if err := json.Unmarshal(b, &plain); err != nil {
			return err
		}
		s = plain.S
	}
	p.S = s
	return nil
}

func TestSettleEqualsTheJSONRoundTrip(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		typ := reflect.TypeOf(kind).Elem()
		t.Run(typ.Name(), func(t *testing.T) {
			t.Parallel()
			plan, err := NewCompiler().Compile(typ)
			if err != nil {
				t.Fatal(err)
			}
			f, f2 := filler(1), filler(1)
			changed := false
			for i := range 60 {
				in := reflect.New(typ)
				f.Fill(in.Interface())
				before := reflect.New(typ)
				f2.Fill(before.Interface())
				want := viaRealJSON(t, in.Interface())
				got, err := plan.Copy(in)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(want, got.Interface(), sameMeaning); d != "" {
					t.Fatalf("value %d (-real JSON +plan):\n%s", i, d)
				}
				changed = changed || !cmp.Equal(in.Interface(), got.Interface(), sameMeaning)
				if !plan.Equal(got.UnsafePointer(), reflect.ValueOf(want).UnsafePointer()) {
					t.Fatalf("value %d: Equal says that the settled value differs from itself by way of JSON", i)
				}
				if typ != reflect.TypeFor[odd]() && !cmp.Equal(in.Interface(), before.Interface(), sameMeaning) {
					t.Fatalf("value %d: Copy changed its input", i)
				}
			}
			if !changed {
				t.Error("no random value was changed by a round trip: the test compares nothing")
			}
		})
	}
}

// TestEqualSeesEveryField changes one leaf at a time.
func TestEqualSeesEveryField(t *testing.T) {
	t.Parallel()
	plan, err := NewCompiler().Compile(reflect.TypeFor[corev1.Pod]())
	if err != nil {
		t.Fatal(err)
	}
	for seed := range int64(300) {
		var pod corev1.Pod
		filler(seed % 7).Fill(&pod)
		a, err := plan.Copy(reflect.ValueOf(&pod))
		if err != nil {
			t.Fatal(err)
		}
		b := reflect.ValueOf(pod.DeepCopy())
		b, err = plan.Copy(b)
		if err != nil {
			t.Fatal(err)
		}
		if !plan.Equal(a.UnsafePointer(), b.UnsafePointer()) {
			t.Fatalf("seed %d: a copy is not equal", seed)
		}
		where := mutate(b, rand.New(rand.NewSource(seed)), "pod")
		if where != "" && plan.Equal(a.UnsafePointer(), b.UnsafePointer()) {
			t.Errorf("seed %d: a change of %s goes unseen", seed, where)
		}
	}
}

// mutate changes one random string or integer below v and says which.
func mutate(v reflect.Value, r *rand.Rand, path string) string {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return ""
		}
		return mutate(v.Elem(), r, path)
	case reflect.Slice:
		if v.Len() == 0 || v.Type().Elem().Kind() == reflect.Uint8 {
			return ""
		}
		i := r.Intn(v.Len())
		return mutate(v.Index(i), r, fmt.Sprintf("%s[%d]", path, i))
	case reflect.Struct:
		for range 20 {
			i := r.Intn(v.NumField())
			f := v.Type().Field(i)
			if !f.IsExported() || v.Type() == reflect.TypeFor[intstr.IntOrString]() || v.Type() == reflect.TypeFor[resource.Quantity]() ||
				v.Type() == reflect.TypeFor[time.Time]() {
				continue
			}
			if p := mutate(v.Field(i), r, path+"."+f.Name); p != "" {
				return p
			}
		}
	case reflect.String:
		v.SetString(v.String() + "!")
		return path
	case reflect.Int32, reflect.Int64:
		v.SetInt(v.Int() ^ 1)
		return path
	case reflect.Bool:
		v.SetBool(!v.Bool())
		return path
	}
	return ""
}

func TestSettleRefusesWhatJSONRefuses(t *testing.T) {
	t.Parallel()
	type number struct {
		F float64 `json:"f"`
	}
	plan, err := NewCompiler().Compile(reflect.TypeFor[number]())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Copy(reflect.ValueOf(&number{F: math.NaN()})); err == nil {
		t.Error("a NaN was settled")
	}
	if _, err := NewCompiler().Compile(reflect.TypeFor[struct{ C chan int }]()); err == nil {
		t.Error("a channel was compiled")
	}
}

func TestValueComesBackAsDecoded(t *testing.T) {
	t.Parallel()
	in := map[string]any{
		"whole": float64(3), "fraction": 3.5, "int": 7, "big": 1e21, "large": 1e19, "typed": []string{"a"}, "time": metav1.NewTime(time.Unix(5, 7)),
		"nil": nil, "emptyMap": map[string]any{}, "emptyList": []any{}, "nilList": []any(nil),
	}
	got, err := Value(in)
	if err != nil {
		t.Fatal(err)
	}
	data, _ := json.Marshal(in)
	var want any
	if err := kjson.UnmarshalCaseSensitivePreserveInts(data, &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-real JSON +ours):\n%s", d)
	}
}

func BenchmarkSettlePod(b *testing.B) {
	plan, err := NewCompiler().Compile(reflect.TypeFor[corev1.Pod]())
	if err != nil {
		b.Fatal(err)
	}
	var pod corev1.Pod
	filler(3).Fill(&pod)
	b.Run("plan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := plan.Copy(reflect.ValueOf(&pod)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			data, err := json.Marshal(&pod)
			if err != nil {
				b.Fatal(err)
			}
			var out corev1.Pod
			if err := kjson.UnmarshalCaseSensitivePreserveInts(data, &out); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestMergeSettlesAndShares compares Merge with Settle: the result is the same, and
// what both values have in common is shared, not copied.
func TestMergeSettlesAndShares(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		typ := reflect.TypeOf(kind).Elem()
		t.Run(typ.Name(), func(t *testing.T) {
			t.Parallel()
			plan, err := NewCompiler().Compile(typ)
			if err != nil {
				t.Fatal(err)
			}
			f := filler(2)
			for i := range 20 {
				base, other := reflect.New(typ), reflect.New(typ)
				f.Fill(base.Interface())
				f.Fill(other.Interface())
				base, err := plan.Copy(base)
				if err != nil {
					t.Fatal(err)
				}
				keep, _ := plan.Copy(base)
				for _, in := range []reflect.Value{other, base} {
					want, err := plan.Copy(in)
					if err != nil {
						t.Fatal(err)
					}
					got := reflect.New(typ)
					got.Elem().Set(in.Elem())
					if err := plan.Merge(got.UnsafePointer(), base.UnsafePointer()); err != nil {
						t.Fatal(err)
					}
					if d := cmp.Diff(want.Interface(), got.Interface(), sameMeaning); d != "" {
						t.Fatalf("value %d (-settled +merged):\n%s", i, d)
					}
				}
				if !plan.Equal(base.UnsafePointer(), keep.UnsafePointer()) {
					t.Fatal("Merge changed its base")
				}
			}
		})
	}
	plan, err := NewCompiler().Compile(reflect.TypeFor[corev1.Pod]())
	if err != nil {
		t.Fatal(err)
	}
	old := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Args: []string{"x"}}, {Name: "b", Args: []string{"y"}}}}}
	in := old.DeepCopy()
	in.Spec.Containers[1].Name = "c"
	out := *in
	if err := plan.Merge(reflect.ValueOf(&out).UnsafePointer(), reflect.ValueOf(old).UnsafePointer()); err != nil {
		t.Fatal(err)
	}
	if &out.Spec.Containers[0].Args[0] != &old.Spec.Containers[0].Args[0] || &out.Spec.Containers[1].Args[0] != &old.Spec.Containers[1].Args[0] {
		t.Error("what did not change was copied")
	}
	if out.Spec.Containers[1].Name != "c" || old.Spec.Containers[1].Name != "b" || &out.Spec.Containers[0] == &in.Spec.Containers[0] {
		t.Error("what did change is shared")
	}
}

// A map of which one entry changes shares the others.
func TestMergeSharesEntriesOfMaps(t *testing.T) {
	t.Parallel()
	type ledger struct {
		Pages map[string]*family `json:"pages,omitempty"`
	}
	plan, err := NewCompiler().Compile(reflect.TypeFor[ledger]())
	if err != nil {
		t.Fatal(err)
	}
	old := &ledger{Pages: map[string]*family{"a": {Name: "a", Numbers: []int{1}}, "b": {Name: "b"}, "gone": {}}}
	in := &ledger{Pages: map[string]*family{"a": {Name: "a", Numbers: []int{1}}, "b": {Name: "c"}, "new": {Name: "n"}}}
	out := *in
	if err := plan.Merge(reflect.ValueOf(&out).UnsafePointer(), reflect.ValueOf(old).UnsafePointer()); err != nil {
		t.Fatal(err)
	}
	if out.Pages["a"] != old.Pages["a"] {
		t.Error("an entry that did not change was copied")
	}
	if out.Pages["b"] == in.Pages["b"] || out.Pages["b"].Name != "c" || old.Pages["b"].Name != "b" || out.Pages["new"] == in.Pages["new"] || len(out.Pages) != len(in.Pages) {
		t.Error("an entry that did change is not one of its own")
	}
}

// family leads back to itself in every way that there is.
type family struct {
	Name     string             `json:"name,omitempty"`
	Children []family           `json:"children,omitempty"`
	Parent   *family            `json:"parent,omitempty"`
	Friends  map[string]family  `json:"friends,omitempty"`
	Numbers  []int              `json:"numbers,omitempty"`
	Sizes    map[string]float64 `json:"sizes,omitempty"`
}

// TestTextIsCountedInFull, also behind types that lead back to themselves.
func TestTextIsCountedInFull(t *testing.T) {
	t.Parallel()
	compiler := NewCompiler()
	plan := &Plan{text: compiler.countOf(reflect.TypeFor[family]())}
	many := strings.Repeat("x", 1000)
	for _, tt := range []struct {
		reason string
		value  family
		want   int
	}{
		{"nothing", family{}, 0},
		{"its own", family{Name: many}, 1000},
		{"children of children", family{Children: []family{{Name: many}, {Children: []family{{Name: many}}}}}, 2000},
		{"behind a pointer", family{Parent: &family{Parent: &family{Name: many}}}, 1000},
		{"in a map", family{Friends: map[string]family{"a": {Name: many}, "b": {Children: []family{{Name: many}}}}}, 2000 + 2*entrySize},
		{"elements without text", family{Numbers: make([]int, 100)}, 100 * elementSize},
		{"entries without text", family{Sizes: map[string]float64{"a": 1, "b": 2}}, 2 * entrySize},
	} {
		if got := plan.Text(unsafe.Pointer(&tt.value)); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.reason, got, tt.want)
		}
	}
}
