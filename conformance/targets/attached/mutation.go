package attached

import (
	"fmt"
	"strings"
	"sync"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
)

// mutations remembers every object that has gone into a cache, and how it was.
type mutations struct {
	mu   sync.Mutex
	lent []loan
}

type loan struct{ object, before runtime.Object }

// lend is a cache.TransformFunc.
func (m *mutations) lend(object any) (any, error) {
	o, ok := object.(runtime.Object)
	if !ok {
		return object, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lent = append(m.lent, loan{o, o.DeepCopyObject()})
	return object, nil
}

// MutationError is of a subject that has changed an object of a cache, which others read.
type MutationError struct {
	Object string
	Diff   string
}

func (e *MutationError) Error() string {
	return fmt.Sprintf("the subject has changed %s in the cache of an informer, which others read too: copy it before (-as it was +as it is)\n%s", e.Object, e.Diff)
}

// check looks at all that was lent. The subject is quiet.
func (m *mutations) check() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.lent {
		if equality.Semantic.DeepEqual(l.object, l.before) {
			continue
		}
		name := fmt.Sprintf("%T", l.object)
		if a, err := meta.Accessor(l.object); err == nil {
			name = strings.TrimPrefix(name, "*") + " " + a.GetNamespace() + "/" + a.GetName() + " of resourceVersion " + a.GetResourceVersion()
		}
		return &MutationError{Object: name, Diff: cmp.Diff(l.before, l.object)}
	}
	return nil
}
