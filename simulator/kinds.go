package simulator

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/statefulset"
)

// kindsToWatch returns the kinds that the garbage collector watches, and those that
// a namespace is emptied of. Events have no owners, so no collector looks at them.
func kindsToWatch(kinds []apiserver.Kind) (owners, content []schema.GroupVersionKind) {
	core, apps := corev1.SchemeGroupVersion, appsv1.SchemeGroupVersion
	for _, kind := range []string{"Pod", "ConfigMap", "Secret", "ServiceAccount", "PersistentVolumeClaim", "Service"} {
		content = append(content, core.WithKind(kind))
	}
	content = append(content, apps.WithKind("StatefulSet"), apps.WithKind("Deployment"))
	owners = append(owners, content...)
	var own []schema.GroupVersionKind
	for _, k := range kinds {
		owners = append(owners, k.GVK)
		if k.Namespaced {
			own = append(own, k.GVK)
		}
	}
	content = append(own, content...) // owners first: fewer objects are deleted twice
	for _, kind := range []string{"LimitRange", "ResourceQuota", "Event"} {
		content = append(content, core.WithKind(kind))
	}
	return owners, append(content, coordinationv1.SchemeGroupVersion.WithKind("Lease"))
}

// awaitStatefulSets starts the controller of StatefulSets with the first of them: most clusters have none, and need not
// tell a further controller of every Pod.
func (c *Cluster) awaitStatefulSets() error {
	if !c.plays(RoleStatefulSets) {
		return nil
	}
	var stop func()
	stop = c.server.Observe(func(ch apiserver.Change) {
		if ch.GVK != statefulset.GVK {
			return
		}
		stop()
		c.kernel.Soon(statefulset.Actor, "start", func() {
			if err := c.sets.Start(); err != nil {
				c.kernel.Note(statefulset.Actor, "no watch", err.Error())
			}
		})
	})
	return nil
}

// watchDefinitions takes in the kinds that CustomResourceDefinitions add.
func (c *Cluster) watchDefinitions() error {
	gvk := apiextensionsv1.SchemeGroupVersion.WithKind("CustomResourceDefinition")
	_, err := c.server.Watch(gvk, func(e informer.Event) {
		d, ok := e.Object.(*apiextensionsv1.CustomResourceDefinition)
		if !ok || e.Type == watch.Deleted {
			return
		}
		for _, v := range d.Spec.Versions {
			if !v.Served || !v.Storage {
				continue // another version has no objects of its own
			}
			kind := schema.GroupVersionKind{Group: d.Spec.Group, Version: v.Name, Kind: d.Spec.Names.Kind}
			if err := c.collector.Watch(kind); err != nil {
				c.kernel.Note("garbage-collector", "no watch", kind.String()+": "+err.Error())
				continue
			}
			if d.Spec.Scope == apiextensionsv1.NamespaceScoped {
				c.namespaces.Watch(kind)
			}
		}
	})
	if err != nil {
		return fmt.Errorf("watching CustomResourceDefinitions: %w", err)
	}
	return nil
}
