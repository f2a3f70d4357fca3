package node_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance/targets/node"
	"github.com/plumbline-ci/plumbline/simulator"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
)

// administrator is a client of the shared API server for objects of any kind.
func administrator(t *testing.T) client.Client {
	t.Helper()
	c, err := client.New(server(t), client.Options{Scheme: apiserver.NewScheme()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// define makes a kind of objects on the API server, which lasts as long as the test.
func define(t *testing.T, w *world, c client.Client, kind string) schema.GroupVersionKind {
	t.Helper()
	const group = "node.example.com"
	plural := strings.ToLower(kind) + "s"
	definition := &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: plural + "." + group},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: group, Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: plural, Kind: kind},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object"}},
			}},
		},
	}
	if err := c.Create(t.Context(), definition); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Delete(context.WithoutCancel(t.Context()), definition); err != nil {
			t.Error(err)
		}
	})
	gvk := schema.GroupVersionKind{Group: group, Version: "v1", Kind: kind}
	w.until("the kind is served", func() bool {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(gvk.GroupVersion().WithKind(kind + "List"))
		return c.List(t.Context(), list) == nil
	})
	return gvk
}

func object(w *world, gvk schema.GroupVersionKind, name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gvk)
	u.SetNamespace(w.namespace)
	u.SetName(name)
	return u
}

func TestOwnedPodIsDeletedWithItsOwner(t *testing.T) {
	t.Parallel()
	w, c := newWorld(t), administrator(t)
	owner := object(w, define(t, w, c, "Owner"), "owner") // of a kind that is defined while the node runs
	if err := c.Create(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	owned := func(m *metav1.ObjectMeta) {
		m.OwnerReferences = []metav1.OwnerReference{{APIVersion: owner.GetAPIVersion(), Kind: owner.GetKind(), Name: owner.GetName(), UID: owner.GetUID()}}
	}
	w.pod("owned", "busybox", "trap 'exit 0' TERM; sleep 3600 & wait", on("all"), func(p *corev1.Pod) { owned(&p.ObjectMeta) })
	w.phase("owned", corev1.PodRunning)
	w.pod("free", "busybox", "true", on("all"))
	if err := c.Delete(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	w.until("the owned Pod is gone", func() bool {
		_, err := w.clientset.CoreV1().Pods(w.namespace).Get(t.Context(), "owned", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
	w.phase("free", corev1.PodSucceeded)
}

func TestADeletedNamespaceIsEmptied(t *testing.T) {
	t.Parallel()
	w, c := newWorld(t), administrator(t)
	if err := c.Create(t.Context(), object(w, define(t, w, c, "Tenant"), "tenant")); err != nil {
		t.Fatal(err)
	}
	w.pod("runs", "busybox", "sleep 3600", on("all"))
	w.phase("runs", corev1.PodRunning)
	if err := w.clientset.CoreV1().Namespaces().Delete(t.Context(), w.namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	w.until("the namespace is gone", func() bool {
		_, err := w.clientset.CoreV1().Namespaces().Get(t.Context(), w.namespace, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}

func TestTwoNodesShareAnAPIServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// Even if both play all roles, each Pod runs once.
	second, err := node.Start(t.Context(), node.Options{Config: server(t), Name: "second", Timing: quick(), Endpoint: &node.Endpoint{}, Labels: map[string]string{"which": "second"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		w.pod(name, "busybox", "echo once", func(p *corev1.Pod) {
			p.Spec.NodeSelector = map[string]string{corev1.LabelHostname: map[string]string{"a": "all", "b": "second"}[name]}
		})
	}
	for _, name := range []string{"a", "b"} {
		w.phase(name, corev1.PodSucceeded)
		if got := w.log(name, corev1.PodLogOptions{}); got != "once\n" {
			t.Errorf("the log of %s is %q", name, got)
		}
	}
	w.pod("left", "busybox", "sleep 3600", on("second"))
	w.phase("left", corev1.PodRunning)
	if _, err := node.Start(t.Context(), node.Options{Config: server(t), Name: "second", Without: simulator.Roles()}); !isTaken(err) {
		t.Errorf("a third node of the same name: %v", err)
	}
	if err := second.Stop(); err != nil {
		t.Fatal(err)
	}
	if p := w.get("left"); p.Status.Phase != corev1.PodFailed || p.Status.Reason != "Terminated" {
		t.Errorf("after its node has stopped the Pod is %s: %s", p.Status.Phase, p.Status.Reason)
	}
	if _, err := w.clientset.CoreV1().Nodes().Get(t.Context(), "second", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("after it has stopped the node is still there: %v", err)
	}
}

func isTaken(err error) bool {
	var taken *node.AlreadyThereError
	return errors.As(err, &taken) && taken.Simulated
}

func TestAKilledNodeIsTakenOver(t *testing.T) {
	t.Parallel()
	w, c := newWorld(t), administrator(t)
	// What a killed process leaves behind: a Node, an old Lease, and a Pod that ran.
	made := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "killed", Labels: map[string]string{node.LabelSimulated: "true"}}}
	old := metav1.NewMicroTime(time.Now().Add(-time.Hour))
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: corev1.NamespaceNodeLease, Name: "killed"}, Spec: coordinationv1.LeaseSpec{RenewTime: &old}}
	for _, o := range []client.Object{made, lease} {
		if err := c.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	w.pod("ran", "busybox", "echo again; sleep 3600", on("killed"))
	p := w.get("ran")
	p.Status.Phase, p.Status.StartTime = corev1.PodRunning, new(metav1.Now())
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "main", Image: "busybox", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}}}
	if err := c.Status().Update(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	w.pod("waited", "busybox", "true", on("killed"))
	start(t, node.Options{Name: "killed"})
	p = w.phase("ran", corev1.PodFailed)
	if s := p.Status.ContainerStatuses[0].State.Terminated; s == nil || s.Reason != "ContainerStatusUnknown" || s.ExitCode != 137 {
		t.Errorf("its container ended as %+v", s)
	}
	w.phase("waited", corev1.PodSucceeded)
}

func TestSecretsOfAccountsGetTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secrets := w.clientset.CoreV1().Secrets(w.namespace)
	_, err := secrets.Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "token", Annotations: map[string]string{corev1.ServiceAccountNameKey: "robot"}}, Type: corev1.SecretTypeServiceAccountToken,
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "robot"}}
	if account, err = w.clientset.CoreV1().ServiceAccounts(w.namespace).Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	var filled *corev1.Secret
	w.until("the Secret has a token", func() bool {
		filled, err = secrets.Get(t.Context(), "token", metav1.GetOptions{})
		return err == nil && len(filled.Data["token"]) > 0
	})
	if got := filled.Annotations[corev1.ServiceAccountUIDKey]; got != string(account.UID) || string(filled.Data["namespace"]) != w.namespace || len(filled.Data["ca.crt"]) == 0 {
		t.Errorf("the Secret has account %s, %d fields", got, len(filled.Data))
	}
	robot := rest.AnonymousClientConfig(server(t))
	robot.BearerToken = string(filled.Data["token"])
	if _, err := node.Start(t.Context(), node.Options{Config: robot, Name: "robot"}); err == nil || !strings.Contains(err.Error(), "create nodes") {
		t.Errorf("a robot that may do nothing: %v", err)
	}
}

func TestUnreachableAPIServerIsReported(t *testing.T) {
	t.Parallel()
	_, err := node.Start(t.Context(), node.Options{Config: &rest.Config{Host: "https://127.0.0.1:1"}})
	var unreachable *node.UnreachableError
	if !errors.As(err, &unreachable) {
		t.Errorf("it says %v", err)
	}
}
