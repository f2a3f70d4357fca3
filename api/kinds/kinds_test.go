package kinds_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/kinds"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

func TestEveryKindIsComplete(t *testing.T) {
	t.Parallel()
	scheme := runtime.NewScheme()
	if err := kinds.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	for _, k := range kinds.API().All() {
		if k.Name == "" || k.Plural == "" || len(k.Versions) == 0 {
			t.Errorf("%+v lacks a name, a plural or a version", k)
		}
		for i := range k.Versions {
			v := &k.Versions[i]
			o := v.New()
			gvks, _, err := scheme.ObjectKinds(o)
			if err != nil || len(gvks) != 1 || gvks[0] != k.GroupVersionKind(v) {
				t.Errorf("%s %s is registered as %v: %v", v.Name, k.Name, gvks, err)
			}
			if found, version, ok := kinds.API().Of(o); !ok || found.Name != k.Name || version.Name != v.Name {
				t.Errorf("%T is not found by its type", o)
			}
			if got := kinds.API().New(v.Name, k.Name); got == nil {
				t.Errorf("%s %s cannot be made", v.Name, k.Name)
			}
			if stored := v.Name == k.Storage().Name; stored != (v.ToStorage == nil) || stored != (v.FromStorage == nil) {
				t.Errorf("%s %s: the ways to and from the stored version", v.Name, k.Name)
			}
			if v.ToStorage != nil {
				there, err := v.ToStorage(o)
				if err != nil {
					t.Errorf("%s %s: %v", v.Name, k.Name, err)
					continue
				}
				if _, version, ok := kinds.API().Of(there); !ok || version != k.Storage() {
					t.Errorf("%s %s is stored as %T", v.Name, k.Name, there)
				}
				if _, err := v.FromStorage(o); err == nil {
					t.Errorf("%s %s is taken for the stored version", v.Name, k.Name)
				}
			}
			v.Fill(o, config.Default())
			if err := v.Admit(o, nil, config.Default()); err == nil {
				t.Errorf("%s %s: an object without a spec is admitted", v.Name, k.Name)
			}
		}
	}
}

func TestEveryTypeOfTheGroupIsInTheTable(t *testing.T) {
	t.Parallel()
	scheme := runtime.NewScheme()
	if err := kinds.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	var missing []string
	for gvk := range scheme.AllKnownTypes() {
		if gvk.Group != v1beta1.Group {
			continue
		}
		o, err := scheme.New(gvk)
		if err != nil {
			t.Fatal(err)
		}
		_, isObject := o.(metav1.Object)
		if k := kinds.API().Named(gvk.Kind); isObject && (k == nil || k.Version(gvk.Version) == nil) {
			missing = append(missing, gvk.String())
		}
	}
	if diff := cmp.Diff([]string(nil), missing); diff != "" {
		t.Errorf("types without a row (-want +got):\n%s", diff)
	}
}

func TestUnknownKindsAreNotFound(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ version, kind string }{{"", "Pod"}, {"v2", "TaskRun"}, {"v1", "ClusterTask"}, {"", ""}} {
		if o := kinds.API().New(tt.version, tt.kind); o != nil {
			t.Errorf("%s %q is %T", tt.kind, tt.version, o)
		}
	}
	if _, _, ok := kinds.API().Of(&metav1.Status{}); ok {
		t.Error("a Status is a kind of the API")
	}
}
