package fake

import (
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/simulator/informer"
)

// settings are the implementation's ConfigMaps, watched.
type settings struct {
	*config.Store
	// initial is what the ConfigMaps are created with.
	initial map[string]map[string]string
}

// newSettings parses what a setup asks for; what it does not name has its default.
func newSettings(c fixture.Config) (*settings, error) {
	s := &settings{Store: config.NewStore(), initial: map[string]map[string]string{}}
	for _, name := range []string{config.DefaultsName, config.FeatureFlagsName} {
		s.initial[name] = maps.Clone(c[name])
		if err := s.Update(name, c[name]); err != nil {
			return nil, fmt.Errorf("the configuration cannot be used: %w", err)
		}
	}
	return s, nil
}

// now is the configuration that is in force.
func (s *settings) now() *config.Config { return s.Now() }

// objects are the ConfigMaps to create.
func (s *settings) objects() []client.Object {
	var out []client.Object
	for _, name := range []string{config.DefaultsName, config.FeatureFlagsName} {
		out = append(out, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: config.Namespace, Labels: map[string]string{"app.kubernetes.io/part-of": "tekton-pipelines"}},
			Data:       s.initial[name],
		})
	}
	return out
}

// follow takes over changes of the ConfigMaps.
func (s *settings) follow(e informer.Event) {
	m, ok := e.Object.(*corev1.ConfigMap)
	if !ok || m.Namespace != config.Namespace {
		return
	}
	if e.Type == watch.Deleted {
		return // what it said stays in force
	}
	// A change that cannot be parsed is ignored without a message. On a cluster it is one line in the controller's log.
	_ = s.Update(m.Name, m.Data)
}
