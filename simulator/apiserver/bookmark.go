package apiserver

import (
	"strconv"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/informer"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// Bookmarks are events that tell a watch how far it has come. They are of two kinds:
// the one that ends the initial events, and the one before the time of a watch is up,
// which spares its successor a list.
//
// A real server sends one every minute besides. That needs a clock that always runs,
// and in a world in which nothing happens time has to be able to stand still: so this
// one does not.

// bookmarkBefore is how long before the end of a watch its bookmark comes.
const bookmarkBefore = 2 * time.Second

// bookmark is an object of the kind with nothing but a resourceVersion.
func (w *watcher) bookmark(annotations map[string]string) informer.Event {
	obj := w.r.shape.empty()
	obj.GetObjectKind().SetGroupVersionKind(w.r.GVK)
	obj.SetResourceVersion(strconv.FormatUint(w.s.version, 10))
	if annotations != nil {
		obj.SetAnnotations(annotations)
	}
	w.marked = w.s.version
	return event(watch.Bookmark, obj)
}

// markInitial ends the initial events, if the watch wants to be told.
func (w *watcher) markInitial() {
	w.marked = w.s.version
	if w.o.Marked {
		w.enqueue(delivery{event: w.bookmark(map[string]string{metav1.InitialEventsAnnotationKey: "true"})})
	}
}

// limit has a watch end when its time is up.
func (w *watcher) limit() {
	if w.o.Timeout == 0 || !w.s.options.WatchTimeouts {
		return
	}
	if early := w.o.Timeout - bookmarkBefore; w.o.Bookmarks && early > 0 {
		w.timers = append(w.timers, w.s.kernel.After(early, w.o.Actor, "bookmark "+w.r.Plural, func() {
			if w.s.version > max(w.marked, w.o.Since) {
				w.enqueue(delivery{event: w.bookmark(nil)})
			}
		}))
	}
	w.timers = append(w.timers, w.s.kernel.After(w.o.Timeout, w.o.Actor, "end watch of "+w.r.Plural, func() {
		w.stop()
		if w.o.Ended != nil {
			w.o.Ended()
		}
	}))
}

// place fills in what the raw options of a watch say about where it begins and ends.
func (o *WatchOptions) place(raw *metav1.ListOptions) error {
	if raw == nil {
		return nil
	}
	version, err := parseVersion(raw.ResourceVersion)
	if err != nil {
		return internal(err)
	}
	initial := version == 0
	if raw.SendInitialEvents != nil {
		initial = *raw.SendInitialEvents
		o.Marked = initial && raw.AllowWatchBookmarks
	}
	o.Bookmarks = raw.AllowWatchBookmarks
	o.OnlyNew = !initial
	if !initial {
		o.Since = version
	}
	if raw.TimeoutSeconds != nil {
		o.Timeout = time.Duration(*raw.TimeoutSeconds) * time.Second
	}
	return nil
}
