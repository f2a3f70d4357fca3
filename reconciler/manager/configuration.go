//plumbline:adapter watches on the machine's goroutines
package manager

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	apiconfig "github.com/plumbline-ci/plumbline/api/config"
)

// load takes over what is stored now. A ConfigMap that does not exist says nothing.
func load(ctx context.Context, c client.Reader, namespace string, into *apiconfig.Store, log logr.Logger) error {
	for _, name := range []string{apiconfig.DefaultsName, apiconfig.FeatureFlagsName} {
		m := &corev1.ConfigMap{}
		err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, m)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading the configuration %s/%s: %w", namespace, name, err)
		}
		take(m, namespace, into, log)
	}
	return nil
}

// follow takes over every change. A ConfigMap that is deleted leaves what it said in force.
func follow(ctx context.Context, from cache.Informers, namespace string, into *apiconfig.Store, log logr.Logger) error {
	informer, err := from.GetInformer(ctx, &corev1.ConfigMap{}, cache.BlockUntilSynced(false))
	if err == nil {
		_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
			AddFunc:    func(o any) { take(o, namespace, into, log) },
			UpdateFunc: func(_, o any) { take(o, namespace, into, log) },
		})
	}
	if err != nil {
		return fmt.Errorf("watching the configuration: %w", err)
	}
	return nil
}

// take takes over one ConfigMap, or says why not.
func take(object any, namespace string, into *apiconfig.Store, log logr.Logger) {
	m, ok := object.(*corev1.ConfigMap)
	if !ok || m.Namespace != namespace {
		return
	}
	if err := into.Update(m.Name, m.Data); err != nil {
		log.Error(err, "what the configuration said before stays in force", "configMap", m.Name, "resourceVersion", m.ResourceVersion)
	}
}
