package clientset

import (
	"fmt"
	"strconv"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/informer"
)

//plumbline:adapter channels and a goroutine for subjects that have goroutines of their own

// source says what is watched, and in which form.
type source struct {
	actor     string
	gvk       schema.GroupVersionKind
	namespace string
	options   metav1.ListOptions
	empty     func() (client.Object, error)
}

// open begins a watch. Objects are copies, the reader's to keep.
func open(server *apiserver.Server, door Door, from source) (*stream, error) {
	o := apiserver.WatchOptions{Actor: from.actor, Namespace: from.namespace}
	var err error
	if s := from.options.LabelSelector; s != "" {
		if o.Labels, err = labels.Parse(s); err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
	}
	if s := from.options.FieldSelector; s != "" {
		if o.Fields, err = fields.ParseSelector(s); err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
	}
	initial := from.options.SendInitialEvents != nil && *from.options.SendInitialEvents
	if v := from.options.ResourceVersion; v != "" && v != "0" && !initial {
		if o.Since, err = strconv.ParseUint(v, 10, 64); err != nil {
			return nil, apierrors.NewBadRequest("invalid resource version: " + v)
		}
	}
	s := newStream()
	if initial && from.options.AllowWatchBookmarks {
		o.Synced = func() {
			mark, err := from.empty()
			if err != nil {
				return
			}
			mark.SetResourceVersion(server.ResourceVersion())
			mark.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
			door.Post(func() { s.put(watch.Event{Type: watch.Bookmark, Object: mark}) })
		}
	}
	door.Enter(func() {
		var stop func()
		stop, err = server.WatchWith(from.gvk, o, func(e informer.Event) {
			// Stop may be called by any goroutine, so the server's watch is ended here, by the first event after it.
			if s.ended() {
				stop()
				return
			}
			object, err := from.empty()
			if err == nil {
				err = copyInto(e.Object, object)
			}
			if err != nil {
				status := apierrors.NewInternalError(fmt.Errorf("showing %s %s: %w", from.gvk.Kind, e.Object.GetName(), err)).Status()
				door.Post(func() { s.put(watch.Event{Type: watch.Error, Object: &status}) })
				return
			}
			door.Post(func() { s.put(watch.Event{Type: e.Type, Object: object}) })
		})
	})
	if err != nil {
		return nil, err
	}
	go s.pump()
	return s, nil
}

// copyInto gives a reader a copy of a shared object, in the form that it wants.
func copyInto(shared, into client.Object) error {
	switch out := into.(type) {
	case *unstructured.Unstructured:
		if u, ok := shared.(*unstructured.Unstructured); ok {
			u.DeepCopyInto(out)
			return nil
		}
		gvk := out.GroupVersionKind()
		tree, err := runtime.DefaultUnstructuredConverter.ToUnstructured(shared)
		if err != nil {
			return err
		}
		out.Object = tree
		out.SetGroupVersionKind(gvk)
		return nil
	case *metav1.PartialObjectMetadata:
		gvk := out.GroupVersionKind()
		copied, ok := shared.DeepCopyObject().(client.Object)
		if !ok {
			return fmt.Errorf("a %T has no metadata", shared)
		}
		out.ObjectMeta = objectMeta(copied)
		out.SetGroupVersionKind(gvk)
		return nil
	}
	if u, ok := shared.(*unstructured.Unstructured); ok {
		return runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, into)
	}
	return assign(into, shared.DeepCopyObject())
}

// stream is a watch.Interface over a queue without bound: the kernel never waits for the reader.
type stream struct {
	mu      sync.Mutex
	more    *sync.Cond
	queue   []watch.Event
	stopped bool
	out     chan watch.Event
	done    chan struct{}
}

var _ watch.Interface = (*stream)(nil)

func newStream() *stream {
	s := &stream{out: make(chan watch.Event), done: make(chan struct{})}
	s.more = sync.NewCond(&s.mu)
	return s
}

func (s *stream) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

func (s *stream) put(e watch.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.queue = append(s.queue, e)
		s.more.Signal()
	}
}

func (s *stream) pump() {
	defer close(s.out)
	for {
		s.mu.Lock()
		for len(s.queue) == 0 && !s.stopped {
			s.more.Wait()
		}
		if s.stopped {
			s.mu.Unlock()
			return
		}
		e := s.queue[0]
		s.queue = s.queue[1:]
		s.mu.Unlock()
		select {
		case s.out <- e:
		case <-s.done:
			return
		}
	}
}

// Stop implements watch.Interface.
func (s *stream) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return
	}
	s.stopped = true
	close(s.done)
	s.more.Broadcast()
}

// ResultChan implements watch.Interface.
func (s *stream) ResultChan() <-chan watch.Event { return s.out }
