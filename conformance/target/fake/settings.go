package fake

import (
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/simulator/informer"
)

// settings are the implementation's ConfigMaps, parsed again when they change. A ConfigMap that cannot be parsed leaves
// the configuration as it was.
type settings struct {
	current *config.Config
	data    map[string]map[string]string
	// refused is why the last change was not taken over.
	refused error
}

// newSettings parses what a setup asks for; what it does not name has its default.
func newSettings(c fixture.Config) (*settings, error) {
	s := &settings{data: map[string]map[string]string{}}
	for _, name := range []string{config.DefaultsName, config.FeatureFlagsName} {
		s.data[name] = maps.Clone(c[name])
	}
	parsed, err := config.Parse(s.data[config.DefaultsName], s.data[config.FeatureFlagsName])
	if err != nil {
		return nil, fmt.Errorf("the configuration cannot be used: %w", err)
	}
	s.current = parsed
	return s, nil
}

// now is the configuration that is in force.
func (s *settings) now() *config.Config { return s.current }

// objects are the ConfigMaps to create.
func (s *settings) objects() []client.Object {
	var out []client.Object
	for _, name := range []string{config.DefaultsName, config.FeatureFlagsName} {
		out = append(out, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: SystemNamespace, Labels: map[string]string{"app.kubernetes.io/part-of": "tekton-pipelines"}},
			Data:       s.data[name],
		})
	}
	return out
}

// follow takes over changes of the ConfigMaps.
func (s *settings) follow(e informer.Event) {
	m, ok := e.Object.(*corev1.ConfigMap)
	if !ok || m.Namespace != SystemNamespace {
		return
	}
	if _, ours := s.data[m.Name]; !ours {
		return
	}
	s.data[m.Name] = m.Data
	parsed, err := config.Parse(s.data[config.DefaultsName], s.data[config.FeatureFlagsName])
	s.refused = err
	if err == nil {
		s.current = parsed
	}
}
