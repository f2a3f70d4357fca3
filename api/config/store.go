package config

import (
	"sync"
	"sync/atomic"
)

// Store is the configuration of an installation while it runs. A change of a ConfigMap is in force for everything that
// asks from then on; what was asked before goes on with what it got. Data that cannot be parsed leaves what its ConfigMap
// said before in force, and does not hold up changes of the other one.
//
// It may be used by many goroutines. The zero value is not ready: see [NewStore].
type Store struct {
	current atomic.Pointer[Config]
	writing sync.Mutex
}

// NewStore returns a store of the built-in configuration, which is in force until the ConfigMaps are seen.
func NewStore() *Store {
	s := &Store{}
	s.current.Store(Default())
	return s
}

// Now returns the configuration in force. It is shared, so callers must not write to it.
func (s *Store) Now() *Config { return s.current.Load() }

// Update takes over the data of a ConfigMap. Of those that are not the API's it says nothing. An error says why the data
// was not taken over.
func (s *Store) Update(configMap string, data map[string]string) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	next := *s.current.Load()
	switch configMap {
	case DefaultsName:
		d, err := ParseDefaults(data)
		if err != nil {
			return err
		}
		next.Defaults = *d
	case FeatureFlagsName:
		f, err := ParseFeatureFlags(data)
		if err != nil {
			return err
		}
		next.FeatureFlags = *f
	default:
		return nil
	}
	s.current.Store(&next)
	return nil
}
