package manager

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/controllers"
)

// TestCacheFollowsControllers: what is watched follows from what controllers declare, also if there are several.
func TestCacheFollowsControllers(t *testing.T) {
	t.Parallel()
	core := corev1.SchemeGroupVersion.WithKind
	pods := func(label string) reconciler.Controller {
		return reconciler.Controller{For: core("Node"), Owns: []reconciler.Owned{{Kind: core("Pod"), Label: label}}}
	}
	watching := reconciler.Controller{For: core("Node"), Watches: []reconciler.Watch{{Kind: core("Pod")}}, Unwatched: []schema.GroupVersionKind{core("Secret"), core("Secret")}}
	for _, row := range []struct {
		reason    string
		list      []reconciler.Controller
		labelled  []string
		unwatched []string
	}{
		{"those of this repository", controllers.All(), []string{"*v1.Pod tekton.dev/taskRun", "*v1alpha1.Run tekton.dev/pipelineRun", "*v1beta1.CustomRun tekton.dev/pipelineRun"},
			[]string{"*v1.LimitRange", "*v1.PersistentVolumeClaim", "*v1.Secret", "*v1.ServiceAccount", "*v1.StatefulSet"}},
		{"one label", []reconciler.Controller{pods("a"), pods("a")}, []string{"*v1.Pod a"}, nil},
		{"two labels", []reconciler.Controller{pods("a"), pods("b")}, nil, nil},
		{"a label, and none", []reconciler.Controller{pods("a"), pods("")}, nil, nil},
		{"a label, and a watch", []reconciler.Controller{pods("a"), watching}, nil, []string{"*v1.Secret"}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			scheme, err := Scheme()
			if err != nil {
				t.Fatal(err)
			}
			byObject, err := labelled(row.list, scheme)
			if err != nil {
				t.Fatal(err)
			}
			var selected, direct []string
			for o, by := range byObject {
				selected = append(selected, fmt.Sprintf("%T %s", o, by.Label))
			}
			list, err := unwatched(row.list, scheme)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range list {
				direct = append(direct, fmt.Sprintf("%T", o))
			}
			slices.Sort(selected)
			slices.Sort(direct)
			if diff := cmp.Diff(row.labelled, selected); diff != "" {
				t.Errorf("labelled (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(row.unwatched, direct); diff != "" {
				t.Errorf("unwatched (-want +got):\n%s", diff)
			}
		})
	}
}

// TestEveryControllerIsDeclaredInFull: what is forgotten in a declaration is nowhere else.
func TestEveryControllerIsDeclaredInFull(t *testing.T) {
	t.Parallel()
	scheme, err := Scheme()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, c := range controllers.All() {
		if c.Name == "" || names[c.Name] || c.EventSource == "" || c.New == nil || c.Needs.Tenancy.Verb == "" || c.Needs.Tenancy.Namespace != "" {
			t.Errorf("controller %q lacks a name of its own, a source of events, New, or the right of its tenants: %+v", c.Name, c)
		}
		names[c.Name] = true
		o, err := object(scheme, c.For)
		if err != nil {
			t.Errorf("controller %s: %v", c.Name, err)
		}
		if _, run := o.(reconciler.Run); run != (c.Metrics != nil) {
			t.Errorf("controller %s: %s is a run: %v, and is measured: %v", c.Name, c.For.Kind, run, c.Metrics != nil)
		}
		list, err := scheme.New(c.For.GroupVersion().WithKind(c.For.Kind + "List"))
		if err != nil {
			t.Errorf("controller %s: %T: %v", c.Name, list, err)
		}
	}
}
