package kind

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// holder has the last version of an object.
type holder struct {
	mu   sync.Mutex
	last *unstructured.Unstructured
}

func (h *holder) put(e watch.EventType, u *unstructured.Unstructured) {
	if e == watch.Error { // versions were lost: the present state follows
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = u
}

func (h *holder) get() *unstructured.Unstructured {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}

// counter has the objects that are there.
type counter struct {
	mu    sync.Mutex
	there map[string]*unstructured.Unstructured
}

func (c *counter) put(e watch.EventType, u *unstructured.Unstructured) {
	if e == watch.Error {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.there == nil {
		c.there = map[string]*unstructured.Unstructured{}
	}
	if e == watch.Deleted {
		delete(c.there, u.GetName())
		return
	}
	c.there[u.GetName()] = u
}

func (c *counter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.there)
}

// why tells what Pods are waiting for.
func (c *counter) why() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.there) == 0 {
		return "there is no Pod"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c.there)) {
		phase, _, _ := unstructured.NestedString(c.there[name].Object, "status", "phase")
		parts = append(parts, fmt.Sprintf("Pod %s is %s", name, phase))
		statuses, _, _ := unstructured.NestedSlice(c.there[name].Object, "status", "containerStatuses")
		for _, s := range statuses {
			if m, ok := s.(map[string]any); ok {
				parts = append(parts, fmt.Sprintf("container %v: %v", m["name"], m["state"]))
			}
		}
	}
	return strings.Join(parts, "; ")
}

// eachItem calls do for each object of a list.
func eachItem(list client.ObjectList, do func(client.Object) error) error {
	return meta.EachListItem(list, func(o runtime.Object) error {
		object, ok := o.(client.Object)
		if !ok {
			return fmt.Errorf("%T is no object", o)
		}
		return do(object)
	})
}
