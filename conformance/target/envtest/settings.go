package envtest

import (
	"context"
	"fmt"
	"maps"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/target/fake"
)

// settings are the implementation's ConfigMaps, parsed again when they change. A ConfigMap that cannot be parsed leaves
// the configuration as it was. Webhooks, reconcilers and the engine use it at the same time.
type settings struct {
	mu      sync.Mutex
	current *config.Config
	data    map[string]map[string]string
	// written and read are resourceVersions of the ConfigMaps, as we wrote and as the watch showed them.
	written, read map[string]string
}

// configMaps are the names of what is watched.
func configMaps() []string { return []string{config.DefaultsName, config.FeatureFlagsName} }

func newSettings() (*settings, error) {
	current, err := config.Parse(nil, nil)
	if err != nil {
		return nil, fmt.Errorf("the default configuration: %w", err)
	}
	return &settings{current: current, data: map[string]map[string]string{}, written: map[string]string{}, read: map[string]string{}}, nil
}

// now is the configuration that is in force.
func (s *settings) now() *config.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

func configMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: fake.SystemNamespace, Labels: map[string]string{"app.kubernetes.io/part-of": "tekton-pipelines"}},
		Data:       maps.Clone(data),
	}
}

// install creates the ConfigMaps, empty.
func (s *settings) install(ctx context.Context, c client.Client) error {
	for _, name := range configMaps() {
		if err := c.Create(ctx, configMap(name, nil)); err != nil {
			return fmt.Errorf("creating ConfigMap %s: %w", name, err)
		}
	}
	return nil
}

// write stores what a setup asks for; what it does not name has its default.
func (s *settings) write(ctx context.Context, c client.Client, want fixture.Config) error {
	if _, err := config.Parse(want[config.DefaultsName], want[config.FeatureFlagsName]); err != nil {
		return fmt.Errorf("the configuration cannot be used: %w", err)
	}
	for _, name := range configMaps() {
		m := configMap(name, want[name])
		if err := c.Update(ctx, m); err != nil {
			return fmt.Errorf("updating ConfigMap %s: %w", name, err)
		}
		s.mu.Lock()
		s.written[name] = m.ResourceVersion
		s.mu.Unlock()
	}
	return nil
}

// seen reports whether the watch has shown what was written last.
func (s *settings) seen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Equal(s.written, s.read)
}

// watch begins to follow the ConfigMaps; changed is called after each change.
func (s *settings) watch(ctx context.Context, c cache.Cache, changed func()) error {
	i, err := c.GetInformer(ctx, &corev1.ConfigMap{}, cache.BlockUntilSynced(false))
	if err == nil {
		_, err = i.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
			AddFunc:    func(o any) { s.follow(o); changed() },
			UpdateFunc: func(_, o any) { s.follow(o); changed() },
		})
	}
	if err != nil {
		return fmt.Errorf("watching the configuration: %w", err)
	}
	return nil
}

// follow takes over what the watch shows.
func (s *settings) follow(object any) {
	m, ok := object.(*corev1.ConfigMap)
	if !ok || m.Namespace != fake.SystemNamespace || m.Name != config.DefaultsName && m.Name != config.FeatureFlagsName {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read[m.Name], s.data[m.Name] = m.ResourceVersion, m.Data
	if parsed, err := config.Parse(s.data[config.DefaultsName], s.data[config.FeatureFlagsName]); err == nil {
		s.current = parsed
	}
}
