package apiserver

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/plumbline-ci/plumbline/simulator/apiserver/roundtrip"
	"github.com/plumbline-ci/plumbline/simulator/apiserver/tree"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/randfill"
)

// TestTreesEqualTheJSONRoundTrip reads random objects of every built-in kind as trees,
// once by way of JSON.
func TestTreesEqualTheJSONRoundTrip(t *testing.T) {
	t.Parallel()
	f := randfill.NewWithSeed(1).NilChance(0.3).NumElements(0, 3).MaxDepth(12).Funcs(
		func(t *metav1.Time, c randfill.Continue) {
			if c.Bool() {
				t.Time = time.Unix(c.Int63n(4e9), 0)
			}
		},
		func(t *metav1.MicroTime, c randfill.Continue) {
			if c.Bool() {
				t.Time = time.Unix(c.Int63n(4e9), c.Int63n(1e9))
			}
		},
		func(q *quantity.Quantity, c randfill.Continue) { *q = quantity.MustParse("1500m") },
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
		func(s *string, c randfill.Continue) { *s = fmt.Sprint(c.Int31()) },
	)
	scheme, plans := NewScheme(), roundtrip.NewCompiler()
	for _, b := range builtins() {
		obj, err := scheme.New(b.GVK)
		if err != nil {
			t.Fatal(err)
		}
		l, err := newLayout(plans, b.GVK, reflect.TypeOf(obj).Elem())
		if err != nil {
			t.Fatal(err)
		}
		sh := newTypedShape(l)
		for range 30 {
			random := sh.empty()
			f.Fill(random)
			settled, err := sh.settle(random, nil)
			if err != nil {
				t.Fatalf("%s: %v", b.GVK.Kind, err)
			}
			data, err := json.Marshal(settled)
			if err != nil {
				t.Fatalf("%s: %v", b.GVK.Kind, err)
			}
			want := map[string]any{}
			if err := kjson.UnmarshalCaseSensitivePreserveInts(data, &want); err != nil {
				t.Fatal(err)
			}
			got, err := tree.NewConverter().Tree(settled)
			if err != nil {
				t.Fatalf("%s: %v", b.GVK.Kind, err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("%s (-JSON +ours):\n%s", b.GVK.Kind, d)
			}
		}
	}
}
