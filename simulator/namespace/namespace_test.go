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
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/namespace"
)

var ctx = context.Background()

func start(t *testing.T) (*kernel.Kernel, client.Client) {
	t.Helper()
	k := kernel.New(kernel.Options{Seed: 1})
	server := apiserver.New(apiserver.Options{Kernel: k})
	core := corev1.SchemeGroupVersion
	c := namespace.New(namespace.Options{Kernel: k, Client: server.Client("namespace"), Source: server,
		Kinds: []schema.GroupVersionKind{core.WithKind("ConfigMap"), core.WithKind("Secret"), core.WithKind("ServiceAccount")}})
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return k, server.Client("test")
}

func exists(t *testing.T, c client.Client, o client.Object, ns, name string) bool {
	t.Helper()
	err := c.Get(ctx, client.ObjectKey{Namespace: ns, Name: name}, o)
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	return err == nil
}

func TestNewNamespacesGetTheirDefaults(t *testing.T) {
	t.Parallel()
	k, c := start(t)
	if err := c.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "new"}}); err != nil {
		t.Fatal(err)
	}
	k.RunUntil(k.Now().Add(time.Second))
	for _, ns := range []string{"new", "default"} {
		ca := &corev1.ConfigMap{}
		if !exists(t, c, &corev1.ServiceAccount{}, ns, "default") || !exists(t, c, ca, ns, "kube-root-ca.crt") || ca.Data["ca.crt"] == "" {
			t.Errorf("namespace %s lacks something", ns)
		}
	}
	if err := c.Delete(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "new", Name: "default"}}); err != nil {
		t.Fatal(err)
	}
	k.RunUntil(k.Now().Add(time.Second))
	if !exists(t, c, &corev1.ServiceAccount{}, "new", "default") {
		t.Error("the default ServiceAccount was not made again")
	}
}

func TestNamespacesAreEmptied(t *testing.T) {
	t.Parallel()
	k, c := start(t)
	if err := c.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "old"}}); err != nil {
		t.Fatal(err)
	}
	k.RunUntil(k.Now().Add(time.Second))
	held := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "old", Name: "held", Finalizers: []string{"example.com/wait"}}}
	if err := c.Create(ctx, held); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "old"}}); err != nil {
		t.Fatal(err)
	}
	k.RunUntil(k.Now().Add(10 * time.Second))
	if !exists(t, c, &corev1.Namespace{}, "", "old") || exists(t, c, &corev1.ServiceAccount{}, "old", "default") {
		t.Fatal("the namespace should wait, emptied of all but what is held")
	}
	ns, said := &corev1.Namespace{}, map[corev1.NamespaceConditionType]string{}
	if exists(t, c, ns, "", "old") {
		for _, condition := range ns.Status.Conditions {
			said[condition.Type] = string(condition.Status) + " " + condition.Reason + ": " + condition.Message
		}
	}
	want := map[corev1.NamespaceConditionType]string{
		corev1.NamespaceDeletionDiscoveryFailure: "False ResourcesDiscovered: All resources successfully discovered",
		corev1.NamespaceDeletionGVParsingFailure: "False ParsedGroupVersions: All legacy kube types successfully parsed",
		corev1.NamespaceDeletionContentFailure:   "False ContentDeleted: All content successfully deleted, may be waiting on finalization", //nolint:misspell // the controller's words
		corev1.NamespaceContentRemaining:         "True SomeResourcesRemain: Some resources are remaining: secrets. has 1 resource instances",
		corev1.NamespaceFinalizersRemaining:      "True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: example.com/wait in 1 resource instances",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
	if !exists(t, c, held, "old", "held") {
		t.Fatal("the held object is gone")
	}
	held.Finalizers = nil
	if err := c.Update(ctx, held); err != nil {
		t.Fatal(err)
	}
	k.RunUntil(k.Now().Add(10 * time.Second))
	if exists(t, c, &corev1.Namespace{}, "", "old") {
		t.Error("the empty namespace is still there")
	}
}
