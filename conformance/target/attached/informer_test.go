package attached_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/target/attached"
)

// loose is an object of the API without a Go type.
func loose(version, kind string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{}}
	o.SetGroupVersionKind(schema.GroupVersionKind{Group: v1beta1.Group, Version: version, Kind: kind})
	return o
}

// TestAnInformerOfLooseObjects has one of each version, for subjects with Go types of their own and for those without.
func TestAnInformerOfLooseObjects(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason, version string
		scheme          *runtime.Scheme
	}{
		{"the version that is stored", "v1beta1", nil},
		{"the version that is converted to", "v1", nil},
		{"a subject with a scheme that does not know the kind", "v1", runtime.NewScheme()},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var heard []string
			c, err := cluster(t, attached.Options{Scheme: tt.scheme, Run: func(ctx context.Context, d attached.Deps) error {
				runs, err := d.Informer(loose(tt.version, "TaskRun"))
				if err != nil {
					return err
				}
				say := func(what string, object any) {
					mu.Lock()
					defer mu.Unlock()
					o, ok := object.(*unstructured.Unstructured)
					if !ok {
						t.Errorf("%s of a %T", what, object)
						return
					}
					heard = append(heard, what+" "+o.GroupVersionKind().Version+" "+o.GetKind()+" "+o.GetName())
				}
				if _, err := runs.AddEventHandler(cache.ResourceEventHandlerFuncs{
					AddFunc: func(o any) { say("add", o) }, DeleteFunc: func(o any) { say("delete", o) },
				}); err != nil {
					return err
				}
				d.Go(func() { runs.RunWithContext(ctx) })
				cache.WaitForCacheSync(ctx.Done(), runs.HasSynced)
				return idle(ctx)
			}})
			if err != nil {
				t.Fatal(err)
			}
			o := loose(tt.version, "TaskRun")
			o.SetNamespace("default")
			o.SetName("mine")
			o.Object["spec"] = map[string]any{"taskSpec": map[string]any{"steps": []any{map[string]any{"name": "only", "image": "busybox", "script": "true"}}}}
			for _, do := range []func() error{
				func() error { return c.Client().Create(t.Context(), o) },
				func() error { return c.Client().Delete(t.Context(), o) },
			} {
				if err := do(); err != nil {
					t.Fatal(err)
				}
				if err := c.WaitUntil(t.Context(), c.Now().Add(time.Second), func() bool { return false }); !errors.Is(err, conformance.ErrDeadline) {
					t.Fatal(err)
				}
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			kind := tt.version + " TaskRun mine"
			if got, want := strings.Join(heard, ", "), "add "+kind+", delete "+kind; got != want {
				t.Errorf("heard %q, want %q", got, want)
			}
		})
	}
}
