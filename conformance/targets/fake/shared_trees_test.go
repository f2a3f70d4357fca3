package fake_test

import (
	"context"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/reports"
)

// copying is a target that keeps a copy of everything that observers see.
type copying struct {
	*fake.Target
	mu       sync.Mutex
	versions []copied
}

type copied struct {
	seen *unstructured.Unstructured
	then map[string]any // its content when it was seen
}

func (t *copying) Start(_ context.Context, s conformance.Setup) (conformance.Cluster, error) {
	c, err := t.Cluster(s)
	return copyingCluster{c, t}, err
}

type copyingCluster struct {
	*fake.Cluster
	target *copying
}

func (c copyingCluster) Observe(gvk schema.GroupVersionKind, namespace string, handler func(watch.EventType, *unstructured.Unstructured)) (func(), error) {
	return c.Cluster.Observe(gvk, namespace, func(event watch.EventType, o *unstructured.Unstructured) {
		c.target.mu.Lock()
		c.target.versions = append(c.target.versions, copied{o, runtime.DeepCopyJSON(o.Object)})
		c.target.mu.Unlock()
		handler(event, o)
	})
}

func (c copyingCluster) ObserveLazily(gvk schema.GroupVersionKind, namespace string, handler func(watch.EventType, metav1.Object, func() *unstructured.Unstructured)) (func(), error) {
	return c.Observe(gvk, namespace, func(event watch.EventType, o *unstructured.Unstructured) {
		handler(event, o, func() *unstructured.Unstructured { return o })
	})
}

// TestSharedTreesAreNotChanged judges some fixtures and looks at what was observed again: versions share what they have
// in common, so neither the engine nor the conversion of a later version may change any of it.
func TestSharedTreesAreNotChanged(t *testing.T) {
	t.Parallel()
	target := &copying{Target: newTarget(t, fake.Options{})}
	report, err := conformance.Judge(t.Context(), conformance.Options{Target: target, Fixtures: small(t), Claims: coreClaims(), Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Fixtures {
		if f.Verdict != reports.Pass {
			t.Errorf("%s: %s", f.Name, f.Verdict)
		}
	}
	if len(target.versions) < 100 {
		t.Errorf("only %d versions were observed", len(target.versions))
	}
	for _, v := range target.versions {
		if d := cmp.Diff(v.then, v.seen.Object); d != "" {
			t.Errorf("%s %s was changed (-was +is):\n%s", v.seen.GetKind(), v.seen.GetName(), d)
		}
	}
}
