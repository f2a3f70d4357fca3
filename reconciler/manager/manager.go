//plumbline:adapter it runs reconcilers on the machine's goroutines

// Package manager runs the reconcilers and the webhooks as one program before any API server: what cmd/controller is.
//
//	manager.go        what is put together, and run
//	controllers.go    the reconcilers of all kinds, as package controllers declares them
//	flags.go          how it is told what to do
//	configuration.go  the two ConfigMaps, watched
//	registry.go       asks registries about images
//	resolvers.go      finds remote Tasks and Pipelines
//	logs.go           asks the API server for what containers print
//	metrics.go        what can be scraped
//
// Every replica serves the webhooks; one, the leader, reconciles. There is no other state than what is in the cluster: a
// replica that is killed at any moment is replaced by another one, which goes on where it was (package taskrun).
//
// # Memory
//
// What the controllers declare as watched is kept, as TaskRuns, Tasks and Pods; what they declare as unwatched, as Secrets,
// service accounts, claims and limit ranges, is read when it is needed, so the right to list it is needed nowhere.
//
// # Limits
//
// A leader that cannot reach the API server for ten seconds ends and has to be restarted, as a kubelet does. The webhooks
// of a single replica are away for that long.
package manager

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	ctrl "sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	served "sigs.k8s.io/controller-runtime/pkg/webhook"

	apiconfig "github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/kinds"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/controllers"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
	"github.com/plumbline-ci/plumbline/reconciler/webhook"
)

// Name is how the program is called: its lease, and the manager of the fields that it writes.
const Name = "tekton-pipelines-controller"

// Options say what is run.
type Options struct {
	// Namespace has the ConfigMaps, the webhooks' Secret and the lease.
	Namespace string
	// Tenants, if any, are the only namespaces that are looked at.
	Tenants []string
	Images  reconciler.Images
	// Resolvers answer requests beside the resolver of the cluster; Bundles fetches what the field bundle names. Bundles may be nil.
	Resolvers []resolver.Resolver
	Bundles   resolver.Bundles
	// Examples has the example custom tasks run, which are to be tried and copied.
	Examples bool
	// Workers is how many objects of each kind are reconciled at once.
	Workers int
	// LeaderElection is needed as soon as there is more than one replica.
	LeaderElection bool
	// Lease is how long a leader that is silent stays one; zero means 15 seconds.
	Lease time.Duration
	// MetricsAddress and HealthAddress are host:port; "0" means that nothing is served there.
	MetricsAddress, HealthAddress string
	// MetricsInsecure serves metrics over plain HTTP to every client. Otherwise they are served over TLS, to clients whose
	// token the API server knows and that may get the URL /metrics.
	MetricsInsecure bool
	Webhook         Webhook
	Log             logr.Logger
	// Revision names the build in the Pods that it makes.
	Revision string
	// Metrics is where what can be scraped is registered; nil means controller-runtime's registry, which is what is served.
	Metrics prometheus.Registerer
}

// controllers are those that the program runs.
func (o *Options) controllers() []reconciler.Controller {
	list := controllers.All(o.Resolvers...)
	if o.Examples {
		list = append(list, controllers.Examples()...)
	}
	return list
}

// Webhook says where the webhooks are served.
type Webhook struct {
	// Port of the webhooks; negative means that there are none.
	Port int
	Host string
	// Hosts are the names in their certificate.
	Hosts     []string
	Secret    string
	Lifetimes webhook.Lifetimes
}

// Scheme has the kinds that the program reads and writes.
func Scheme() (*runtime.Scheme, error) {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, apiextensionsv1.AddToScheme, kinds.AddToScheme} {
		if err := add(s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Run runs the program until ctx ends, and then until what it is doing is done.
func Run(ctx context.Context, cluster *rest.Config, o Options) error {
	m, err := newManager(cluster, o)
	if err != nil {
		return fmt.Errorf("making the manager: %w", err)
	}
	store := apiconfig.NewStore()
	// Nothing may be decided under another configuration than what is stored.
	if err := load(ctx, m.GetAPIReader(), o.Namespace, store, o.Log); err != nil {
		return err
	}
	if err := follow(ctx, m.GetCache(), o.Namespace, store, o.Log); err != nil {
		return err
	}
	if err := addControllers(m, cluster, store, o); err != nil {
		return fmt.Errorf("making the controllers: %w", err)
	}
	if o.Webhook.Port >= 0 {
		if err := addWebhooks(m, store, o); err != nil {
			return fmt.Errorf("making the webhooks: %w", err)
		}
	}
	if err := m.AddHealthzCheck("alive", healthz.Ping); err != nil {
		return err
	}
	return m.Start(ctx)
}

func newManager(cluster *rest.Config, o Options) (ctrl.Manager, error) {
	scheme, err := Scheme()
	if err != nil {
		return nil, err
	}
	list := o.controllers()
	direct, err := unwatched(list, scheme)
	if err != nil {
		return nil, err
	}
	watched, err := labelled(list, scheme)
	if err != nil {
		return nil, err
	}
	own := fields.OneTermEqualSelector("metadata.name", o.Webhook.Secret)
	watched[&corev1.ConfigMap{}] = cache.ByObject{Namespaces: map[string]cache.Config{o.Namespace: {}}}
	watched[&corev1.Secret{}] = cache.ByObject{Namespaces: map[string]cache.Config{o.Namespace: {FieldSelector: own}}}
	caching := cache.Options{
		ByObject: watched,
		// The reconcilers change nothing of what they read.
		DefaultUnsafeDisableDeepCopy: new(true),
	}
	if len(o.Tenants) > 0 {
		caching.DefaultNamespaces = map[string]cache.Config{}
		for _, namespace := range o.Tenants {
			caching.DefaultNamespaces[namespace] = cache.Config{}
		}
	}
	options := ctrl.Options{
		Scheme: scheme,
		Logger: o.Log,
		Cache:  caching,
		Client: client.Options{Cache: &client.CacheOptions{DisableFor: direct}},

		LeaderElection:                o.LeaderElection,
		LeaderElectionID:              Name,
		LeaderElectionNamespace:       o.Namespace,
		LeaderElectionReleaseOnCancel: true,

		Metrics:                metricsServer(o),
		HealthProbeBindAddress: o.HealthAddress,
		Controller:             config.Controller{SkipNameValidation: new(true)},
	}
	if o.Lease > 0 {
		renew, retry := o.Lease*2/3, o.Lease/6
		options.LeaseDuration, options.RenewDeadline, options.RetryPeriod = &o.Lease, &renew, &retry
	}
	return ctrl.New(cluster, options)
}

// metricsServer says where metrics are served, and to which clients.
func metricsServer(o Options) server.Options {
	out := server.Options{BindAddress: o.MetricsAddress}
	if !o.MetricsInsecure {
		out.SecureServing, out.FilterProvider = true, filters.WithAuthenticationAndAuthorization
	}
	return out
}

// addControllers has the reconcilers of all kinds run by a Manager.
func addControllers(m ctrl.Manager, cluster *rest.Config, store *apiconfig.Store, o Options) error {
	api, err := kubernetes.NewForConfigAndClient(cluster, m.GetHTTPClient())
	if err != nil {
		return err
	}
	registerer := o.Metrics
	if registerer == nil {
		registerer = metrics.Registry
	}
	deps := reconciler.Deps{
		Client:      m.GetClient(),
		Reader:      m.GetAPIReader(),
		Clock:       reconciler.WallClock{},
		Config:      func() apiconfig.Config { return *store.Now() },
		Images:      o.Images,
		ImageConfig: &Registry{Reader: m.GetAPIReader()},
		Logs:        PodLogs(api),
		Bundles:     o.Bundles,
		Deadline:    context.WithTimeout,
		Revision:    o.Revision,
	}
	list := o.controllers()
	for i := range list {
		if err := addController(m, &list[i], deps, registerer, o.Workers); err != nil {
			return fmt.Errorf("%s: %w", list[i].Name, err)
		}
	}
	return nil
}

func addWebhooks(m ctrl.Manager, store *apiconfig.Store, o Options) error {
	live, err := client.New(m.GetConfig(), client.Options{Scheme: m.GetScheme(), Mapper: m.GetRESTMapper(), HTTPClient: m.GetHTTPClient()})
	if err != nil {
		return err
	}
	rotator := &webhook.Rotator{
		Client: live, Secret: client.ObjectKey{Namespace: o.Namespace, Name: o.Webhook.Secret}, Hosts: o.Webhook.Hosts, Lifetimes: o.Webhook.Lifetimes,
	}
	if err := rotator.SetUpWithManager(m); err != nil {
		return err
	}
	s := served.NewServer(served.Options{
		Host: o.Webhook.Host, Port: o.Webhook.Port,
		TLSOpts: []func(*tls.Config){func(c *tls.Config) { c.GetCertificate, c.MinVersion = rotator.GetCertificate, tls.VersionTLS13 }},
	})
	webhook.Register(s, func(string) *apiconfig.Config { return store.Now() })
	if err := m.Add(s); err != nil {
		return err
	}
	if err := m.AddReadyzCheck("certificate", rotator.Ready); err != nil {
		return err
	}
	return m.AddReadyzCheck("webhooks", s.StartedChecker())
}
