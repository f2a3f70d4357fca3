package apiserver

import (
	"fmt"
	"reflect"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumbline-ci/plumbline/simulator/apiserver/roundtrip"
	"github.com/plumbline-ci/plumbline/simulator/apiserver/tree"
)

// Types is what is known about the Go types of a scheme. It grows with the kinds that are served, does not depend on any
// server, and is safe for concurrent use, so all servers of a scheme share it: the second one starts much faster.
type Types struct {
	scheme *runtime.Scheme
	// builtin has the types that this package itself works with, if the scheme does not have them.
	builtin func() *runtime.Scheme
	plans   *roundtrip.Compiler
	trees   *tree.Converter

	mu     sync.Mutex
	kinds  map[kindKey]kindTypes
	mapped []mapping // what the mapper is made of
	mapper *meta.DefaultRESTMapper
}

// mapping is what a RESTMapper knows of a kind.
type mapping struct {
	gvk              schema.GroupVersionKind
	plural, singular string
	namespaced       bool
}

func (r *resource) mapping() mapping { return mapping{r.GVK, r.Plural, r.Singular, r.Namespaced} }

// mapperOf returns a mapper of kinds, which is not to be changed. Most servers have the same kinds: they share the first one made.
func (t *Types) mapperOf(list []*resource) *meta.DefaultRESTMapper {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mapper != nil && slices.EqualFunc(t.mapped, list, func(m mapping, r *resource) bool { return m == r.mapping() }) {
		return t.mapper
	}
	m := newMapper(list)
	if t.mapper == nil {
		t.mapper = m
		for _, r := range list {
			t.mapped = append(t.mapped, r.mapping())
		}
	}
	return m
}

// kindKey tells a built-in kind from one of the same name that a scheme must know.
type kindKey struct {
	gvk     schema.GroupVersionKind
	builtin bool
}

// kindTypes are the Go types of a kind: without a layout, it has none.
type kindTypes struct {
	*layout
	list reflect.Type // struct type of the typed list, or nil
}

// NewTypes returns what is known about the types of a scheme; nil means that of the built-in kinds.
func NewTypes(scheme *runtime.Scheme) *Types {
	if scheme == nil {
		scheme = NewScheme()
	}
	return &Types{
		scheme: scheme, builtin: sync.OnceValue(NewScheme), plans: roundtrip.NewCompiler(), trees: tree.NewConverter(),
		kinds: map[kindKey]kindTypes{},
	}
}

// schemeFor returns the scheme that has the Go type of a kind: the built-in kinds are typed even if the servers' scheme
// does not know them. Nil means none has.
func (t *Types) schemeFor(gvk schema.GroupVersionKind, builtin bool) *runtime.Scheme {
	switch {
	case t.scheme.Recognizes(gvk):
		return t.scheme
	case builtin && t.builtin().Recognizes(gvk):
		return t.builtin()
	}
	return nil
}

// of returns the types of a kind.
func (t *Types) of(gvk schema.GroupVersionKind, builtin bool) (k kindTypes, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := kindKey{gvk, builtin}
	if k, known := t.kinds[key]; known {
		return k, nil
	}
	scheme := t.schemeFor(gvk, builtin)
	if scheme == nil {
		return k, nil
	}
	object, err := scheme.New(gvk)
	if err != nil {
		return k, fmt.Errorf("kind %v: %w", gvk, err)
	}
	if k.layout, err = newLayout(t.plans, gvk, reflect.TypeOf(object).Elem()); err != nil {
		return k, fmt.Errorf("kind %v: %w", gvk, err)
	}
	if list, err := scheme.New(listOf(gvk)); err == nil {
		k.list = reflect.TypeOf(list).Elem()
	}
	t.kinds[key] = k
	return k, nil
}
