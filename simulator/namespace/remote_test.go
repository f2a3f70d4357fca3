package namespace_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/namespace"
)

// remote is an API server that answers when the test has it answer.
type remote struct {
	asked   []string
	pending []func()
	// answers are by kind, one for each round; what has no answer is empty.
	answers map[string][]answer
}

type answer struct {
	objects int
	err     error
}

func (r *remote) Do(work, then func()) {
	r.pending = append(r.pending, func() { work(); then() })
}

func (r *remote) DeleteAll(_ context.Context, gvk schema.GroupVersionKind, _ string) ([]metav1.PartialObjectMetadata, error) {
	r.asked = append(r.asked, gvk.Kind)
	if len(r.answers[gvk.Kind]) == 0 {
		return nil, nil
	}
	a := r.answers[gvk.Kind][0]
	r.answers[gvk.Kind] = r.answers[gvk.Kind][1:]
	return make([]metav1.PartialObjectMetadata, a.objects), a.err
}

// TestRemoteNamespaceTakesOneRequestForEachKind empties a namespace of an API server that takes its time: one request for
// each kind, a second one only for what was not empty, and none of them where the kernel works.
func TestRemoteNamespaceTakesOneRequestForEachKind(t *testing.T) {
	t.Parallel()
	k := kernel.New(kernel.Options{Seed: 1})
	server := apiserver.New(apiserver.Options{Kernel: k})
	core := corev1.SchemeGroupVersion
	notFound := apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, "")
	r := &remote{answers: map[string][]answer{
		"Pod":       {{objects: 3}, {objects: 1}},
		"Secret":    {{err: notFound}},
		"ConfigMap": {{err: apierrors.NewInternalError(context.DeadlineExceeded)}},
	}}
	kinds := []schema.GroupVersionKind{core.WithKind("ConfigMap"), core.WithKind("Pod"), core.WithKind("Secret"), core.WithKind("ServiceAccount"), core.WithKind("Service")}
	c := namespace.New(namespace.Options{Kernel: k, Client: server.Client("namespace"), Source: server, Kinds: kinds, Remote: r, KeepBare: true})
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	user := server.Client("test")
	if err := user.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "old"}}); err != nil {
		t.Fatal(err)
	}
	k.RunUntil(k.Now().Add(time.Second))
	if err := user.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "old"}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]string{{"ConfigMap", "Pod", "Secret", "ServiceAccount", "Service"}, {"ConfigMap", "Pod"}, {"Pod"}} {
		k.RunUntil(k.Now().Add(3 * time.Second))
		if len(r.asked) > 0 {
			t.Fatalf("the kernel has asked for %q", r.asked)
		}
		if len(r.pending) != 1 {
			t.Fatalf("%d rounds are under way at once", len(r.pending))
		}
		work := r.pending[0]
		r.pending = nil
		work()
		if diff := cmp.Diff(want, r.asked); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		r.asked = nil
	}
	k.RunUntil(k.Now().Add(3 * time.Second))
	if exists(t, user, &corev1.Namespace{}, "", "old") || len(r.pending) > 0 {
		t.Error("the namespace is empty, and still there")
	}
}
