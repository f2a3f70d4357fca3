package envtest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/subject"
)

// installation is the implementation under one configuration: ConfigMaps in a system namespace of their own, and
// reconcilers that know them. Several share the API server, its definitions, the webhooks' server and the Manager; each
// is responsible for its tenants, namespaces of fixtures, alone.
type installation struct {
	settings *settings
	// tenancy is how its roles are bound; without one it may do everything.
	tenancy string
	// reconcilers are by their controllers' names.
	reconcilers map[string]reconcile.Reconciler
}

// installations record which installation is responsible for what. Where there is none, the built-in configuration is in
// force and nothing is reconciled.
type installations struct {
	mu       sync.RWMutex
	byConfig map[string]*installation
	bySystem map[string]*installation
	byTenant map[string]*installation
}

func newInstallations() *installations {
	return &installations{byConfig: map[string]*installation{}, bySystem: map[string]*installation{}, byTenant: map[string]*installation{}}
}

// config is the configuration in force in a namespace, or for what is in none.
func (s *installations) config(namespace string) *config.Config {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if i := s.byTenant[namespace]; i != nil {
		return i.settings.Now()
	}
	return config.Default()
}

// let makes a namespace a tenant of an installation, or of none.
func (s *installations) let(namespace string, to *installation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if to == nil {
		delete(s.byTenant, namespace)
		return
	}
	s.byTenant[namespace] = to
}

// routed is a controller of all installations: each object goes to the reconciler of who is responsible.
type routed struct {
	*installations
	controller string
}

// Reconcile implements reconcile.Reconciler.
func (c routed) Reconcile(ctx context.Context, r reconcile.Request) (reconcile.Result, error) {
	c.mu.RLock()
	i := c.byTenant[r.Namespace]
	c.mu.RUnlock()
	if i == nil {
		return reconcile.Result{}, nil
	}
	return i.reconcilers[c.controller].Reconcile(ctx, r)
}

// follow takes over what the watch of ConfigMaps shows.
func (s *installations) follow(object any) {
	m, ok := object.(*corev1.ConfigMap)
	if !ok {
		return
	}
	s.mu.RLock()
	i := s.bySystem[m.Namespace]
	s.mu.RUnlock()
	if i != nil {
		i.settings.follow(m)
	}
}

// add registers an installation, so that it sees its ConfigMaps from the first on.
func (s *installations) add(key string, i *installation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byConfig[key], s.bySystem[i.settings.namespace] = i, i
}

// under returns the installation for a configuration, and whether there is one; if not, the system namespace for it.
func (s *installations) under(key string) (*installation, string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if i := s.byConfig[key]; i != nil {
		return i, ""
	}
	if len(s.bySystem) == 0 {
		return nil, config.Namespace
	}
	return nil, fmt.Sprintf("%s-%d", config.Namespace, len(s.bySystem)+1)
}

// install returns the installation for a configuration and a tenancy, with what lies outside the cluster. Calls come one after the
// other.
func (m *machine) install(ctx context.Context, want fixture.Config, around fixture.Remote, tenancy string) (*installation, error) {
	if m.outside == nil || around.Empty() {
		around = fixture.Remote{}
	}
	key, err := json.Marshal([]any{want, around, tenancy}) // maps are encoded in the order of their keys
	if err != nil {
		return nil, fmt.Errorf("naming the configuration: %w", err)
	}
	i, system := m.installations.under(string(key))
	if i != nil {
		return i, nil
	}
	i = &installation{settings: newSettings(system), tenancy: tenancy, reconcilers: map[string]reconcile.Reconciler{}}
	deps := m.deps
	if err := m.bind(ctx, i, &deps); err != nil {
		return nil, fmt.Errorf("installing: %w", err)
	}
	deps.Config = func() config.Config { return *i.settings.Now() }
	judged, err := m.around(around, &deps)
	if err != nil {
		return nil, fmt.Errorf("serving what lies outside the cluster: %w", err)
	}
	for _, c := range judged.Controllers() {
		deps.Recorder = m.recorder(c.Source())
		if i.reconcilers[c.Name], err = c.New(deps); err != nil {
			return nil, fmt.Errorf("making the reconciler %s: %w", c.Name, err)
		}
	}
	if err := m.client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: system}}); err != nil {
		return nil, fmt.Errorf("installing: creating namespace %s: %w", system, err)
	}
	m.installations.add(string(key), i)
	if err := i.settings.write(ctx, m.client, want); err != nil {
		return nil, fmt.Errorf("installing: %w", err)
	}
	if err := m.world().WaitUntil(ctx, time.Now().Add(startTimeout), i.settings.seen); err != nil {
		return nil, fmt.Errorf("waiting for the configuration to be taken over: %w", err)
	}
	return i, nil
}

// around returns the subject with what lies outside the cluster.
func (m *machine) around(r fixture.Remote, deps *subject.Deps) (*subject.Subject, error) {
	if m.outside == nil {
		return m.subject, nil
	}
	reached, end, err := m.outside(m.running, r)
	if err != nil {
		return nil, err
	}
	m.endings = append(m.endings, end)
	deps.Bundles = reached.Bundles
	return reference.Subject(reached.Resolvers...), nil
}
