// Package quota writes the status of ResourceQuotas, as the quota controller of kube-controller-manager does: an API
// server refuses Pods by it, and counts new ones in it, but never counts those that are gone out of it.
//
// The simulated API server does this itself, so this controller is for real ones. It counts Pods and
// PersistentVolumeClaims; other objects are not limited.
package quota

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

const (
	actor = "resourcequota-controller"
	lag   = 20 * time.Millisecond
	retry = time.Second
)

// Options configure a Controller. All fields are needed.
type Options struct {
	Kernel *kernel.Kernel
	Client client.Client
	Source informer.Source
}

// Controller counts.
type Controller struct {
	o Options
	// limited are the namespaces that have a quota, or had one.
	limited map[string]bool
	due     map[string]*kernel.Event
	stop    []func()
}

// New returns a Controller. Start makes it work.
func New(o Options) *Controller {
	return &Controller{o: o, limited: map[string]bool{}, due: map[string]*kernel.Event{}}
}

// Start begins to watch quotas and what they count.
func (c *Controller) Start() error {
	for _, w := range []struct {
		kind    string
		handler func(informer.Event)
	}{
		{"ResourceQuota", func(e informer.Event) {
			c.limited[e.Object.GetNamespace()] = true
			c.later(e.Object.GetNamespace(), lag)
		}},
		{"Pod", func(e informer.Event) { c.later(e.Object.GetNamespace(), lag) }},
		{"PersistentVolumeClaim", func(e informer.Event) { c.later(e.Object.GetNamespace(), lag) }},
	} {
		stop, err := c.o.Source.Watch(corev1.SchemeGroupVersion.WithKind(w.kind), w.handler)
		if err != nil {
			return fmt.Errorf("watching %s: %w", w.kind, err)
		}
		c.stop = append(c.stop, stop)
	}
	return nil
}

// Stop ends all watches.
func (c *Controller) Stop() {
	for _, stop := range c.stop {
		stop()
	}
	c.stop = nil
}

func (c *Controller) later(namespace string, d time.Duration) {
	if !c.limited[namespace] || c.due[namespace].Scheduled() {
		return
	}
	c.due[namespace] = c.o.Kernel.After(d, actor, "count", func() {
		if err := c.count(namespace); err != nil {
			c.later(namespace, retry)
		}
	})
}

// count writes the status of every quota of a namespace that has changed.
func (c *Controller) count(namespace string) error {
	ctx := context.Background()
	var (
		quotas corev1.ResourceQuotaList
		pods   corev1.PodList
		claims corev1.PersistentVolumeClaimList
	)
	if err := c.o.Client.List(ctx, &quotas, client.InNamespace(namespace)); err != nil {
		return fmt.Errorf("listing quotas: %w", err)
	}
	if len(quotas.Items) == 0 {
		delete(c.limited, namespace)
		delete(c.due, namespace)
		return nil
	}
	if err := c.o.Client.List(ctx, &pods, client.InNamespace(namespace)); err != nil {
		return fmt.Errorf("listing Pods: %w", err)
	}
	if err := c.o.Client.List(ctx, &claims, client.InNamespace(namespace)); err != nil {
		return fmt.Errorf("listing claims: %w", err)
	}
	for i := range quotas.Items {
		q := &quotas.Items[i]
		used := apiserver.QuotaUsed(q, func(yield func(client.Object) bool) {
			for n := range pods.Items {
				if !yield(&pods.Items[n]) {
					return
				}
			}
			for n := range claims.Items {
				if !yield(&claims.Items[n]) {
					return
				}
			}
		})
		want := corev1.ResourceQuotaStatus{Hard: q.Spec.Hard, Used: used}
		if equality.Semantic.DeepEqual(q.Status, want) {
			continue
		}
		q.Status = want
		if err := c.o.Client.Status().Update(ctx, q); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("writing the status of quota %s: %w", q.Name, err)
		}
	}
	return nil
}
