package kubelet

import (
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// refresh is the pending update of a projection.
type refresh struct {
	event *kernel.Event
	seen  bool // an update has been called for before
}

// refreshProjections brings new labels and annotations into the Pod's files, with
// the kubelet's lag.
func (w *worker) refreshProjections(old *corev1.Pod) {
	if maps.Equal(old.Annotations, w.pod.Annotations) && maps.Equal(old.Labels, w.pod.Labels) {
		return
	}
	for _, p := range w.projections {
		if !p.meta {
			continue
		}
		lag := w.draw(w.k.timing.Projection)
		if !p.refresh.seen && w.k.o.Faults.LostProjection > 0 && w.stream.Chance(w.k.o.Faults.LostProjection) {
			lag = w.draw(w.k.timing.Stall)
			w.k.kernel.Note(w.actor, "lost update", p.name)
		}
		if late := w.k.o.Faults.Projection; late != nil {
			lag += late(w.pod)
		}
		p.refresh.seen = true
		p.later(lag, "downward API")
	}
}

// later rewrites the projection's files after a lag, or earlier if that is planned.
func (p *projection) later(lag time.Duration, what string) {
	at := p.w.now().Add(lag)
	if p.refresh.event.Scheduled() && !p.refresh.event.When().After(at) {
		return
	}
	p.refresh.event.Cancel()
	p.refresh.event = p.w.k.kernel.At(at, p.w.actor, what, func() {
		if p.w.projections == nil {
			return
		}
		files, err := p.build()
		if err == nil {
			err = p.volume.Replace(files)
		}
		if err != nil {
			p.w.event("", corev1.EventTypeWarning, reasonFailedMount, fmt.Sprintf("MountVolume.SetUp failed for volume %q : %s", p.name, err))
		}
	})
}

// contentKey names a configMap or secret.
type contentKey struct{ kind, namespace, name string }

// contentWatch tells projections of configMaps and secrets that they have changed.
// It watches a kind from the first time that a Pod mounts one.
type contentWatch struct {
	followers map[contentKey][]*projection
	watched   map[string]bool
	versions  map[contentKey]string
}

// follow keeps a projection up to date with the objects it shows.
func (k *Kubelet) follow(p *projection) {
	c := &k.content
	if c.followers == nil {
		c.followers = map[contentKey][]*projection{}
		c.watched = map[string]bool{}
		c.versions = map[contentKey]string{}
	}
	for _, key := range p.objects {
		c.followers[key] = append(c.followers[key], p)
		if c.watched[key.kind] {
			continue
		}
		c.watched[key.kind] = true
		stop, err := k.o.Source.Watch(corev1.SchemeGroupVersion.WithKind(key.kind), func(e Event) { c.changed(key.kind, e) })
		if err == nil { // without a watch the files stay as they were mounted
			k.stop = append(k.stop, stop)
		}
	}
}

// changed schedules the refresh of every projection of an object.
func (c *contentWatch) changed(kind string, e Event) {
	key := contentKey{kind, e.Object.GetNamespace(), e.Object.GetName()}
	followers := c.followers[key]
	if len(followers) == 0 {
		return
	}
	version := e.Object.GetResourceVersion()
	first := c.versions[key] == ""
	if c.versions[key] == version {
		return
	}
	c.versions[key] = version
	if first && e.Type == "ADDED" {
		return // the version that was mounted
	}
	for _, p := range followers {
		p.later(p.w.draw(p.w.k.timing.Content), "content")
	}
}

// unfollow forgets the projections of a Pod that has ended.
func (k *Kubelet) unfollow(w *worker) {
	for _, p := range w.projections {
		p.refresh.event.Cancel()
		for _, key := range p.objects {
			rest := k.content.followers[key][:0]
			for _, other := range k.content.followers[key] {
				if other.w != w {
					rest = append(rest, other)
				}
			}
			if len(rest) == 0 {
				delete(k.content.followers, key)
				delete(k.content.versions, key)
			} else {
				k.content.followers[key] = rest
			}
		}
	}
}

// Refresh rewrites all projected files of a Pod now, as a periodic sync does.
func (k *Kubelet) Refresh(name types.NamespacedName) {
	if w := k.worker(name.Namespace, name.Name); w != nil {
		for _, p := range w.projections {
			p.later(0, "refresh")
		}
	}
}
