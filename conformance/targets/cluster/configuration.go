package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/targets/internal/remote"
)

// annotationOriginal is on a ConfigMap that was changed: what it was before. If the run is killed, a person finds there
// what to put back, and the next run does so.
const annotationOriginal = "plumbline.dev/original"

const (
	// configTimeout is how long the API server may take to show a change.
	configTimeout = 30 * time.Second
	// DefaultSettle is how long an implementation that watches its ConfigMaps takes to notice, generously.
	DefaultSettle = 3 * time.Second
)

// original is a ConfigMap before it was changed.
type original struct {
	// Absent says that there was none.
	Absent bool              `json:"absent,omitempty"`
	Data   map[string]string `json:"data,omitempty"`
}

// change is what was done to the configuration.
type change struct {
	target *Target
	// names are the ConfigMaps that were changed.
	names []string
}

// configurable reports whether a key may be set.
func (t *Target) configurable(configMap, key string) bool {
	if t.o.Configuration == nil || !t.found.writable[configMap] {
		return false
	}
	return t.o.Configuration.Allows(configMap, key)
}

// configure changes the ConfigMaps: what a setup names, over what is there.
func (t *Target) configure(ctx context.Context, w *remote.World, want fixture.Config) (*change, error) {
	c := &change{target: t}
	if t.o.Configuration == nil {
		return c, nil
	}
	if err := t.repair(ctx, w); err != nil {
		return nil, err
	}
	if len(want) == 0 {
		return c, t.settled(ctx, w, t.restored)
	}
	versions := map[string]string{}
	var failed error
	for _, of := range slices.Sorted(maps.Keys(want)) {
		name := t.o.Configuration.ConfigMap(of)
		c.names = append(c.names, name) // before: a request without an answer may have changed it
		version, err := t.overlay(ctx, name, want[of])
		if err != nil {
			failed = fmt.Errorf("changing ConfigMap %s: %w", name, err)
			break
		}
		versions[name] = version
	}
	if failed == nil {
		failed = t.inForce(ctx, w, versions)
	}
	if failed != nil {
		return nil, errors.Join(failed, c.undo(w))
	}
	return c, nil
}

// repair puts back what a run has left that was killed.
func (t *Target) repair(ctx context.Context, w *remote.World) error {
	left := &change{target: t}
	for _, x := range t.o.Configuration.Changes {
		m := &corev1.ConfigMap{}
		err := t.client.Get(ctx, t.key(x.ConfigMap()), m)
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			return fmt.Errorf("reading ConfigMap %s: %w", x.ConfigMap(), err)
		case m.Annotations[annotationOriginal] != "":
			left.names = append(left.names, m.Name)
		}
	}
	if err := left.undo(w); err != nil {
		return fmt.Errorf("putting back what an earlier run has left: %w", err)
	}
	return nil
}

func (t *Target) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: t.o.Configuration.Namespace, Name: name}
}

// overlay sets keys of a ConfigMap, remembers in it what it was, and returns its version.
func (t *Target) overlay(ctx context.Context, name string, keys map[string]string) (version string, err error) {
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		m := &corev1.ConfigMap{}
		before := original{}
		err := t.client.Get(ctx, t.key(name), m)
		switch {
		case apierrors.IsNotFound(err):
			before.Absent = true
			m.ObjectMeta = metav1.ObjectMeta{Name: name, Namespace: t.o.Configuration.Namespace}
		case err != nil:
			return err
		default:
			before.Data = maps.Clone(m.Data)
		}
		text, err := json.Marshal(before)
		if err != nil {
			return fmt.Errorf("encoding what was there: %w", err)
		}
		if m.Data == nil {
			m.Data = map[string]string{}
		}
		maps.Copy(m.Data, keys)
		metav1.SetMetaDataAnnotation(&m.ObjectMeta, annotationOriginal, string(text))
		if before.Absent {
			err = t.client.Create(ctx, m)
		} else {
			err = t.client.Update(ctx, m)
		}
		version = m.ResourceVersion
		return err
	})
	return version, err
}

// inForce waits until the versions are shown to who watches, and then until the implementation should have noticed.
func (t *Target) inForce(ctx context.Context, w *remote.World, versions map[string]string) error {
	if len(versions) == 0 {
		return nil
	}
	var mu sync.Mutex
	shown := map[string]string{}
	stop, err := w.Observe(corev1.SchemeGroupVersion.WithKind("ConfigMap"), t.o.Configuration.Namespace, func(event watch.EventType, o *unstructured.Unstructured) {
		mu.Lock()
		defer mu.Unlock()
		shown[o.GetName()] = o.GetResourceVersion()
		if event == watch.Deleted {
			shown[o.GetName()] = ""
		}
	})
	if err != nil {
		return err
	}
	defer stop()
	err = w.WaitUntil(ctx, time.Now().Add(configTimeout), func() bool {
		mu.Lock()
		defer mu.Unlock()
		for name, version := range versions {
			if shown[name] != version {
				return false
			}
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("waiting for the configuration to be seen: %w", err)
	}
	return t.settled(ctx, w, time.Now())
}

// settled waits until the implementation should have noticed what was changed then.
func (t *Target) settled(ctx context.Context, w *remote.World, changed time.Time) error {
	settle := time.Duration(t.o.Configuration.Settle)
	if settle == 0 {
		settle = DefaultSettle
	}
	deadline := changed.Add(settle)
	if err := w.WaitUntil(ctx, deadline, func() bool { return !time.Now().Before(deadline) }); err != nil && !errors.Is(err, conformance.ErrDeadline) {
		return err
	}
	return nil
}

// undo restores everything, whatever happened to the caller that asked for the change: it has time of its own. If another
// run has taken over, that run has already restored it.
func (c *change) undo(w *remote.World) error {
	if len(c.names) == 0 || c.target.lost() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.Running), configTimeout)
	defer cancel()
	var failed error
	for _, name := range c.names {
		if err := c.target.restore(ctx, name); err != nil {
			failed = errors.Join(failed, fmt.Errorf("ConfigMap %s is still changed, its annotation %s has what it was: %w", name, annotationOriginal, err))
		}
	}
	c.names = nil
	c.target.restored = time.Now()
	return failed
}

// restore makes a ConfigMap what its annotation says.
func (t *Target) restore(ctx context.Context, name string) error {
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		m := &corev1.ConfigMap{}
		if err := t.client.Get(ctx, t.key(name), m); err != nil {
			return client.IgnoreNotFound(err)
		}
		text := m.Annotations[annotationOriginal]
		if text == "" {
			return nil // it was never changed
		}
		var before original
		if err := json.Unmarshal([]byte(text), &before); err != nil {
			return fmt.Errorf("decoding what was there: %w", err)
		}
		if before.Absent {
			return client.IgnoreNotFound(t.client.Delete(ctx, m))
		}
		m.Data = before.Data
		delete(m.Annotations, annotationOriginal)
		return t.client.Update(ctx, m)
	})
}
