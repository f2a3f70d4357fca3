package envtest

import (
	"context"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/config"
)

// TestInstallationsKeepToTheirTenants routes objects, configuration and changes of it among two installations.
func TestInstallationsKeepToTheirTenants(t *testing.T) {
	t.Parallel()
	all := newInstallations()
	var asked []string
	for _, name := range []string{"one", "two"} {
		all.add(name, &installation{settings: newSettings("system-" + name), reconcilers: map[string]reconcile.Reconciler{
			"taskrun": reconcile.Func(func(_ context.Context, r reconcile.Request) (reconcile.Result, error) {
				asked = append(asked, name+" "+r.String())
				return reconcile.Result{}, nil
			}),
		}})
		i, _ := all.under(name)
		all.let("tenant-of-"+name, i)
	}
	all.let("former", all.byConfig["one"])
	all.let("former", nil)

	for _, namespace := range []string{"tenant-of-two", "tenant-of-one", "stranger", "former"} {
		request := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: "run"}}
		if _, err := (routed{all, "taskrun"}).Reconcile(t.Context(), request); err != nil {
			t.Errorf("%s: %v", namespace, err)
		}
	}
	if want := []string{"two tenant-of-two/run", "one tenant-of-one/run"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}

	for _, m := range []*corev1.ConfigMap{
		configured("system-two", config.DefaultsName, "7"),
		configured("system-one", "other", "8"),
		configured("elsewhere", config.DefaultsName, "9"),
	} {
		all.follow(m)
	}
	for namespace, want := range map[string]int{"tenant-of-two": 7, "tenant-of-one": 60, "former": 60, "stranger": 60, "": 60} {
		if got := all.config(namespace).Defaults.TimeoutMinutes; got != want {
			t.Errorf("the default timeout in %q is %d minutes, want %d", namespace, got, want)
		}
	}
}

func configured(namespace, name, minutes string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: map[string]string{"default-timeout-minutes": minutes}}
}

func TestEachConfigurationHasItsSystemNamespace(t *testing.T) {
	t.Parallel()
	all := newInstallations()
	var names []string
	for _, key := range []string{"a", "b", "a", "c"} {
		i, system := all.under(key)
		if i != nil {
			names = append(names, "again "+i.settings.namespace)
			continue
		}
		names = append(names, system)
		all.add(key, &installation{settings: newSettings(system)})
	}
	if want := []string{"tekton-pipelines", "tekton-pipelines-2", "again tekton-pipelines", "tekton-pipelines-3"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}
