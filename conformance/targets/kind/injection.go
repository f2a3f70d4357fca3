package kind

import (
	"context"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/certificate"
	"github.com/plumbline-ci/plumbline/conformance/targets/kind/injector"
	"github.com/plumbline-ci/plumbline/kindconfig"
)

// Where fixtures say what is injected, a mutating webhook injects it: one Deployment of the program injector, and for each such fixture
// a configuration that is about its namespace alone. Like installations, both are found by their label if a run was killed.

//go:embed injector.yaml
var injectorObjects []byte

const (
	injectorNamespace = "plumbline-injector"
	// injectorPort is that of the manifest.
	injectorPort = "18443"
	injectorHook = "injector.plumbline.dev"
	// injectorLabel is the value of labelInstallation.
	injectorLabel = "injector"
)

// injecting has the containers injected into the Pods of a namespace, and returns what ends that.
func (t *Target) injecting(ctx context.Context, namespace string, list []fixture.Injected) (end func() error, err error) {
	authority, err := t.injector(ctx)
	if err != nil {
		return nil, fmt.Errorf("installing the injector: %w", err)
	}
	path, err := t.injected(list).Path()
	if err != nil {
		return nil, err
	}
	address, err := t.addressOf(ctx, injectorNamespace)
	if err != nil {
		return nil, err
	}
	url := "https://" + net.JoinHostPort(address, injectorPort) + path
	fail, never := admissionregistrationv1.Fail, admissionregistrationv1.SideEffectClassNone
	hook := &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: injectorHook + "." + namespace, Labels: map[string]string{labelInstallation: injectorLabel}},
		Webhooks: []admissionregistrationv1.MutatingWebhook{{
			Name: injectorHook,
			ClientConfig: admissionregistrationv1.WebhookClientConfig{
				URL: &url, CABundle: authority,
			},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
			}},
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: namespace}},
			FailurePolicy:     &fail, SideEffects: &never, AdmissionReviewVersions: []string{"v1"},
		}},
	}
	if err := t.client.Create(ctx, hook); err != nil {
		return nil, fmt.Errorf("configuring the injector: %w", err)
	}
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), cleaningTimeout)
		defer cancel()
		return client.IgnoreNotFound(t.client.Delete(ctx, hook))
	}, nil
}

// injected are the containers as they are called here.
func (t *Target) injected(list []fixture.Injected) injector.Containers {
	var out injector.Containers
	for _, i := range list {
		c := corev1.Container{Name: i.Name, Image: i.Image, Command: i.Command, Args: i.Args}
		if here, ok := t.o.Images[i.Image]; ok {
			c.Image = here
		}
		if i.Init {
			out.Before = append(out.Before, c)
		} else {
			out.After = append(out.After, c)
		}
	}
	return out
}

// injector runs the webhook, if it does not run yet, and returns the authority of its certificate.
func (t *Target) injector(ctx context.Context) ([]byte, error) {
	t.mu.Lock()
	o := t.opened
	t.mu.Unlock()
	o.injecting.Lock()
	defer o.injecting.Unlock()
	if o.authority != nil {
		return o.authority, nil
	}
	nodes := &corev1.NodeList{}
	if err := t.client.List(ctx, nodes); err != nil {
		return nil, err
	}
	var addresses []string
	for i := range nodes.Items {
		for _, a := range nodes.Items[i].Status.Addresses {
			if a.Type == corev1.NodeInternalIP {
				addresses = append(addresses, a.Address)
			}
		}
	}
	made, err := certificate.Make(addresses...)
	if err != nil {
		return nil, err
	}
	objects, err := kindconfig.Parse(injectorObjects)
	if err != nil {
		return nil, err
	}
	for _, u := range objects {
		labels := u.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[labelInstallation], labels[labelManaged] = injectorLabel, managedBy
		u.SetLabels(labels)
		switch u.GetKind() {
		case "Secret":
			u.Object["data"] = map[string]any{
				corev1.TLSCertKey: base64.StdEncoding.EncodeToString(made.Certificate), corev1.TLSPrivateKeyKey: base64.StdEncoding.EncodeToString(made.Key),
			}
		case "Deployment":
			at := []string{"spec", "template", "spec", "containers"}
			containers, _, err := unstructured.NestedSlice(u.Object, at...)
			if err != nil {
				return nil, err
			}
			if len(containers) != 1 {
				return nil, fmt.Errorf("its Deployment has %d containers, not one", len(containers))
			}
			if container, ok := containers[0].(map[string]any); ok {
				container["image"] = t.o.Injector
			}
			if err := unstructured.SetNestedSlice(u.Object, containers, at...); err != nil {
				return nil, err
			}
		}
	}
	if err := t.apply(ctx, objects); err != nil {
		return nil, err
	}
	if err := t.ready(ctx, o.world, injectorNamespace); err != nil {
		return nil, err
	}
	o.authority = made.Authority
	return o.authority, nil
}

// dismiss ends the injector, if there is one.
func (t *Target) dismiss(ctx context.Context, o *opened) error {
	o.injecting.Lock()
	defer o.injecting.Unlock()
	if o.authority == nil {
		return nil
	}
	return client.IgnoreNotFound(t.client.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: injectorNamespace}}))
}

// heeded waits until a new Pod of a namespace gets what is injected: the API server hears of a webhook a little later.
func (c *Cluster) heeded(ctx context.Context, namespace string) error {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "asking", Namespace: namespace},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "asking", Image: "busybox"}}},
	}
	want := c.target.injected(c.injects)
	var last error
	err := wait.PollUntilContextTimeout(ctx, askAgain, readyTimeout, true, func(ctx context.Context) (bool, error) {
		one, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		got := pod.DeepCopy()
		last = c.target.client.Create(one, got, client.DryRunAll)
		return last == nil && hasAll(got.Spec.InitContainers, want.Before) && hasAll(got.Spec.Containers, want.After), nil
	})
	if err != nil {
		return fmt.Errorf("waiting until the injector is asked: %w", errors.Join(err, last))
	}
	return nil
}

// hasAll reports whether a list has containers of all those names.
func hasAll(list, wanted []corev1.Container) bool {
	for _, w := range wanted {
		if !slices.ContainsFunc(list, func(c corev1.Container) bool { return c.Name == w.Name }) {
			return false
		}
	}
	return true
}
