package envtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

// settings are the ConfigMaps of one installation, watched. Webhooks, reconcilers and the engine use them at the same time.
type settings struct {
	*config.Store
	namespace string

	mu sync.Mutex
	// written and read are resourceVersions of the ConfigMaps, as we wrote and as the watch showed them.
	written, read map[string]string
}

// configMaps are the names of what is watched.
func configMaps() []string { return []string{config.DefaultsName, config.FeatureFlagsName} }

func newSettings(namespace string) *settings {
	return &settings{namespace: namespace, Store: config.NewStore(), written: map[string]string{}, read: map[string]string{}}
}

// write creates the ConfigMaps as a setup asks for; what it does not name has its default.
func (s *settings) write(ctx context.Context, c client.Client, want fixture.Config) error {
	if _, err := config.Parse(want[config.DefaultsName], want[config.FeatureFlagsName]); err != nil {
		return fmt.Errorf("the configuration cannot be used: %w", err)
	}
	for _, name := range configMaps() {
		m := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace, Labels: map[string]string{"app.kubernetes.io/part-of": "tekton-pipelines"}},
			Data:       maps.Clone(want[name]),
		}
		if err := c.Create(ctx, m); err != nil {
			return fmt.Errorf("creating ConfigMap %s: %w", name, err)
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

// follow takes over what the watch shows of the system namespace.
func (s *settings) follow(m *corev1.ConfigMap) {
	if !slices.Contains(configMaps(), m.Name) {
		return
	}
	// A change that cannot be parsed is ignored without a message.
	_ = s.Update(m.Name, m.Data)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read[m.Name] = m.ResourceVersion
}
