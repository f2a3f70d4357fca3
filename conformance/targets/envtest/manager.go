package envtest

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/reconciler"
)

// workers is how many objects are reconciled at once.
const workers = 8

// startManager runs the webhooks, and the subject for all installations.
func (m *machine) startManager(t *Target) error {
	hooks := m.plane.env.WebhookInstallOptions
	mgr, err := manager.New(m.plane.Config, manager.Options{
		Scheme:  t.scheme,
		Logger:  logr.Discard(),
		Metrics: server.Options{BindAddress: "0"},
		WebhookServer: webhook.NewServer(webhook.Options{
			Host: hooks.LocalServingHost, Port: hooks.LocalServingPort, CertDir: hooks.LocalServingCertDir,
		}),
		// Several targets may live in one process, one after the other.
		Controller: config.Controller{SkipNameValidation: new(true)},
	})
	if err != nil {
		return fmt.Errorf("making the manager: %w", err)
	}
	serve(mgr.GetWebhookServer(), m.installations)
	m.cache = mgr.GetCache()
	m.deps = subject.Deps{
		Client:      mgr.GetClient(),
		Reader:      mgr.GetAPIReader(),
		Clock:       reconciler.WallClock{},
		Images:      reference.Images(),
		ImageConfig: registry(m.node),
		Logs:        podLogs(m.node),
	}
	m.recorder = func(source string) reconciler.Recorder {
		return mgr.GetEventRecorderFor(source) //nolint:staticcheck // Tekton's events are of core/v1
	}
	// Which controllers there are does not depend on what lies outside the cluster.
	judged, err := m.around(fixture.Remote{}, &subject.Deps{})
	if err != nil {
		return err
	}
	for _, c := range judged.Controllers() {
		if err := m.startController(mgr, c); err != nil {
			return fmt.Errorf("making the controller %s: %w", c.Name, err)
		}
	}
	i, err := mgr.GetCache().GetInformer(m.running, &corev1.ConfigMap{}, cache.BlockUntilSynced(false))
	if err == nil {
		_, err = i.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
			AddFunc:    func(o any) { m.installations.follow(o); m.news.Tell() },
			UpdateFunc: func(_, o any) { m.installations.follow(o); m.news.Tell() },
		})
	}
	if err != nil {
		return fmt.Errorf("watching the configuration: %w", err)
	}
	m.spawn("the manager", mgr.Start)
	return served(m.running, mgr.GetWebhookServer())
}

// startController runs one of the subject's reconcilers, for all installations.
func (m *machine) startController(mgr manager.Manager, c subject.Controller) error {
	object := func(gvk schema.GroupVersionKind) (client.Object, error) {
		o, err := mgr.GetScheme().New(gvk)
		if err != nil {
			return nil, err
		}
		if typed, ok := o.(client.Object); ok {
			return typed, nil
		}
		return nil, fmt.Errorf("%s is not a kind of objects", gvk)
	}
	made, err := object(c.For)
	if err != nil {
		return err
	}
	b := builder.ControllerManagedBy(mgr).Named(c.Name).For(made, builder.WithPredicates(c.Predicates...)).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers})
	for _, gvk := range c.Owns {
		owned, err := object(gvk)
		if err != nil {
			return err
		}
		b = b.Owns(owned)
	}
	for _, w := range c.Watches {
		watched, err := object(w.GVK)
		if err != nil {
			return err
		}
		b = b.Watches(watched, handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request { return w.Map(o) }),
			builder.WithPredicates(w.Predicates...))
	}
	return b.Complete(routed{m.installations, c.Name})
}

// registry answers from the node's images.
func registry(n *node) reconciler.ImageLookup {
	return reconciler.ImageLookupFunc(func(ctx context.Context, image string, access reconciler.ImageAccess) (out reconciler.Image, err error) {
		if failed := n.do(ctx, func() { out, err = reference.Registry(n.actors.Images()).ImageConfig(ctx, image, access) }); failed != nil {
			return reconciler.Image{}, failed
		}
		return out, err
	})
}

// podLogs reads the node's logs.
func podLogs(n *node) reconciler.PodLogs {
	return reconciler.PodLogsFunc(func(ctx context.Context, namespace, pod, container string) (out []byte, err error) {
		if failed := n.do(ctx, func() { out, err = n.actors.Logs(namespace, pod, container) }); failed != nil {
			return nil, failed
		}
		return out, err
	})
}
