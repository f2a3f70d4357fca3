package kind

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/targets/internal/remote"
	"github.com/plumbline-ci/plumbline/kindconfig"
)

const (
	// readyTimeout is how long a controller may take to be there: it may have to be pulled on a busy machine.
	readyTimeout = 3 * time.Minute
	// cleaningTimeout is how long the API server may take for what is undone at the end.
	cleaningTimeout = time.Minute

	secretWebhooks  = "tekton-pipelines-webhook-certs"
	webhookMutating = "webhook.pipeline.tekton.dev"
	labelManaged    = "app.kubernetes.io/managed-by"
	managedBy       = "plumbline"
)

// NotInstalledError says that the reference implementation is not what is installed.
type NotInstalledError struct {
	Host string
	Err  error
}

func (e *NotInstalledError) Error() string {
	return fmt.Sprintf("the cluster %s has not the reference implementation: %v: plumbline install puts it there", e.Host, e.Err)
}

func (e *NotInstalledError) Unwrap() error { return e.Err }

// opened is a target in use.
type opened struct {
	world   *remote.World
	release release
	// authority is that of the injector's certificate; nil if there is no injector yet.
	injecting sync.Mutex
	authority []byte
}

// errClosed is why the world ends at the end.
var errClosed = errors.New("the target was closed")

// Open makes the first installation ready for others beside it, as the first Start does of itself. Calls after the first
// wait for it. The error is a *NotInstalledError or a *cluster.InUseError if that is what is wrong.
func (t *Target) Open(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.opened != nil || t.broken != nil {
		return t.broken
	}
	if err := t.there.Hold(ctx, kindconfig.Namespace); err != nil {
		return err
	}
	o := &opened{world: remote.NewWorld(ctx, t.client)}
	if err := t.prepare(ctx, o); err != nil {
		o.world.End(err)
		if ctx.Err() == nil {
			t.broken = err
		}
		return err
	}
	t.opened, t.made = o, 1
	return nil
}

func (t *Target) prepare(ctx context.Context, o *opened) error {
	d := &unstructured.Unstructured{}
	d.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind("Deployment"))
	err := t.client.Get(ctx, client.ObjectKey{Namespace: kindconfig.Namespace, Name: kindconfig.Deployment}, d)
	if err == nil {
		o.release, err = installed(d)
	}
	if err != nil {
		return &NotInstalledError{Host: t.o.Config.Host, Err: err}
	}
	if err := t.sweep(ctx); err != nil {
		return fmt.Errorf("removing what an earlier run has left: %w", err)
	}
	objects, err := o.release.first()
	if err != nil {
		return err
	}
	if err := t.apply(ctx, objects); err != nil {
		return err
	}
	if err := kindconfig.Unbind(ctx, t.client, objects, ignore); err != nil {
		return err
	}
	for _, name := range []string{fixture.ConfigDefaults, fixture.ConfigFeatureFlags} {
		if err := t.empty(ctx, name); err != nil {
			return err
		}
	}
	if err := t.ready(ctx, o.world, kindconfig.Namespace); err != nil {
		return err
	}
	return t.readTrust(ctx, o)
}

func ignore(*unstructured.Unstructured) {}

func (t *Target) apply(ctx context.Context, objects []*unstructured.Unstructured) error {
	return kindconfig.Apply(ctx, t.client, objects, ignore)
}

// empty takes the keys out of a ConfigMap of the first installation, which runs under the default configuration.
func (t *Target) empty(ctx context.Context, name string) error {
	m := &corev1.ConfigMap{}
	err := t.client.Get(ctx, client.ObjectKey{Namespace: kindconfig.Namespace, Name: name}, m)
	if err != nil || len(m.Data) == 0 {
		return err
	}
	m.Data = nil
	return t.client.Update(ctx, m)
}

// readTrust reads the certificate that all installations share.
func (t *Target) readTrust(ctx context.Context, o *opened) error {
	secret := &corev1.Secret{}
	if err := t.client.Get(ctx, client.ObjectKey{Namespace: kindconfig.Namespace, Name: secretWebhooks}, secret); err != nil {
		return fmt.Errorf("reading the certificate of the webhooks: %w", err)
	}
	hooks := &admissionregistrationv1.MutatingWebhookConfiguration{}
	if err := t.client.Get(ctx, client.ObjectKey{Name: webhookMutating}, hooks); err != nil {
		return fmt.Errorf("reading the authority of the webhooks: %w", err)
	}
	o.release.certificate = secret.Data
	o.release.authority = hooks.Webhooks[0].ClientConfig.CABundle
	return nil
}

// ready waits until the controller in a namespace is the one that was applied, alone.
func (t *Target) ready(ctx context.Context, w *remote.World, namespace string) error {
	var seen holder
	stop, err := w.Observe(appsv1.SchemeGroupVersion.WithKind("Deployment"), namespace, seen.put)
	if err != nil {
		return err
	}
	defer stop()
	var pods counter
	stopPods, err := w.Observe(corev1.SchemeGroupVersion.WithKind("Pod"), namespace, pods.put)
	if err != nil {
		return err
	}
	defer stopPods()
	err = w.WaitUntil(ctx, time.Now().Add(readyTimeout), func() bool {
		wanted, rolled := rolledOut(seen.get())
		return rolled && pods.count() == wanted
	})
	if errors.Is(err, conformance.ErrDeadline) {
		return fmt.Errorf("the controller in namespace %s is not ready after %v: %s", namespace, readyTimeout, pods.why())
	}
	return err
}

// rolledOut reports whether all replicas are those of the last change and ready, and how many there are.
func rolledOut(u *unstructured.Unstructured) (int, bool) {
	if u == nil {
		return 0, false
	}
	number := func(fields ...string) int64 {
		n, _, _ := unstructured.NestedInt64(u.Object, fields...)
		return n
	}
	wanted := number("spec", "replicas")
	return int(wanted), number("status", "observedGeneration") >= u.GetGeneration() && number("status", "updatedReplicas") == wanted &&
		number("status", "readyReplicas") == wanted && number("status", "replicas") == wanted
}

// installation is the implementation under a configuration.
type installation struct {
	number  int
	objects []*unstructured.Unstructured
}

// install adds one.
func (t *Target) install(ctx context.Context, s conformance.Setup) (*installation, error) {
	t.mu.Lock()
	t.made++
	number, o := t.made, t.opened
	t.mu.Unlock()
	if number > mostInstallations {
		return nil, fmt.Errorf("there are %d configurations already", mostInstallations)
	}
	i := &installation{number: number}
	var err error
	if i.objects, err = o.release.under(number, s.Config, s.Tenancy, s.Namespaces); err != nil {
		return nil, err
	}
	if !s.Remote.Empty() {
		err = t.surround(ctx, o, i, &s.Remote)
	}
	if err == nil {
		err = t.apply(ctx, i.objects)
	}
	if err == nil {
		err = t.ready(ctx, o.world, namespaceOf(number))
	}
	if err != nil {
		return nil, errors.Join(err, t.uninstall(i))
	}
	return i, nil
}

// uninstall removes what belongs to one installation alone, the webhooks first, because they are no longer served.
func (t *Target) uninstall(i *installation) error {
	ctx, cancel := context.WithTimeout(context.Background(), cleaningTimeout)
	defer cancel()
	var failed error
	for n := len(i.objects) - 1; n >= 0; n-- {
		u := i.objects[n]
		if u.GetNamespace() == namespaceOf(i.number) {
			continue // it goes with the namespace
		}
		if err := t.client.Delete(ctx, u); client.IgnoreNotFound(err) != nil {
			failed = errors.Join(failed, fmt.Errorf("removing %s: %w", kindconfig.Describe(u), err))
		}
	}
	return failed
}

// sweep removes the installations that a run has left that was killed, and waits until their names are free.
func (t *Target) sweep(ctx context.Context) error {
	for _, list := range []client.ObjectList{
		&admissionregistrationv1.MutatingWebhookConfigurationList{}, &admissionregistrationv1.ValidatingWebhookConfigurationList{},
		&rbacv1.ClusterRoleBindingList{}, &rbacv1.RoleBindingList{}, &corev1.NamespaceList{},
	} {
		if err := t.sweepKind(ctx, list); err != nil {
			return err
		}
	}
	return t.gone(ctx)
}

func (t *Target) sweepKind(ctx context.Context, list client.ObjectList) error {
	if err := t.client.List(ctx, list, client.HasLabels{labelInstallation}); err != nil {
		return err
	}
	return eachItem(list, func(o client.Object) error {
		return client.IgnoreNotFound(t.client.Delete(ctx, o))
	})
}

// gone waits until no namespace of an earlier installation is left.
func (t *Target) gone(ctx context.Context) error {
	w := remote.NewWorld(ctx, t.client)
	defer w.End(errClosed)
	var left counter
	stop, err := w.Observe(corev1.SchemeGroupVersion.WithKind("Namespace"), "", func(e watch.EventType, u *unstructured.Unstructured) {
		if _, ok := u.GetLabels()[labelInstallation]; ok {
			left.put(e, u)
		}
	})
	if err != nil {
		return err
	}
	defer stop()
	return w.WaitUntil(ctx, time.Now().Add(readyTimeout), func() bool { return left.count() == 0 })
}

// Close leaves the first installation as it was found and removes the ones beside it. The target can be started again.
func (t *Target) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.opened
	t.opened, t.broken = nil, nil
	if o == nil {
		return t.there.Close()
	}
	o.world.End(errClosed)
	return errors.Join(t.putBack(o), t.there.Close())
}

// putBack makes the first installation what it was.
func (t *Target) putBack(o *opened) error {
	ctx, cancel := context.WithTimeout(context.Background(), cleaningTimeout)
	defer cancel()
	objects, err := kindconfig.Objects(o.release.options())
	if err != nil {
		return err
	}
	if err := errors.Join(t.dismiss(ctx, o), t.apply(ctx, objects)); err != nil {
		return fmt.Errorf("putting the installation back: %w", err)
	}
	return kindconfig.Unbind(ctx, t.client, objects, ignore)
}

// label is the installation's label, for namespaces.
func (i *installation) label() map[string]string {
	return map[string]string{labelInstallation: strconv.Itoa(i.number)}
}
