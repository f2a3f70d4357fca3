package node

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/discovery"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/informer"
)

// known are the kinds that the actors watch, or empty namespaces of, without being told.
func known() []string {
	return []string{"Pod", "ConfigMap", "Secret", "ServiceAccount", "PersistentVolumeClaim", "Service", "LimitRange", "ResourceQuota", "Event",
		"StatefulSet", "Deployment", "Lease"}
}

// UnreachableError says that there is no API server to talk to.
type UnreachableError struct {
	Host string
	Err  error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("the API server %s does not answer: %v", e.Host, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// discover lists what the API server serves and what can be watched and deleted, besides what is known.
func (n *Node) discover(ctx context.Context) ([]apiserver.Kind, error) {
	client, err := discovery.NewDiscoveryClientForConfig(n.o.Config)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", n.o.Config.Host, err)
	}
	lists, err := client.WithLegacy().ServerPreferredResources()
	if err != nil {
		if len(lists) == 0 {
			return nil, &UnreachableError{Host: n.o.Config.Host, Err: err}
		}
		n.o.Tell(fmt.Sprintf("not all that the API server serves could be found out, and is not collected: %v", err))
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	var out []apiserver.Kind
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, fmt.Errorf("what the API server serves: %w", err)
		}
		for i := range list.APIResources {
			if r := &list.APIResources[i]; collected(r) {
				out = append(out, apiserver.Kind{GVK: gv.WithKind(r.Kind), Plural: r.Name, Namespaced: r.Namespaced})
			}
		}
	}
	return out, nil
}

// collected reports whether objects of a resource can be collected, and are not anyhow.
func collected(r *metav1.APIResource) bool {
	for _, verb := range []string{"list", "watch", "delete", "patch"} {
		if !slices.Contains(r.Verbs, verb) {
			return false
		}
	}
	return !strings.Contains(r.Name, "/") && !slices.Contains(known(), r.Kind)
}

// followDefinitions takes in kinds that are defined while the node runs.
func (n *Node) followDefinitions() error {
	_, err := n.source.Watch(apiextensionsv1.SchemeGroupVersion.WithKind("CustomResourceDefinition"), func(e informer.Event) {
		d, ok := e.Object.(*apiextensionsv1.CustomResourceDefinition)
		if !ok || e.Type == watch.Deleted || !established(d) {
			return
		}
		kind, ok := preferred(d)
		if !ok {
			return
		}
		n.takeIn(kind, d.Spec.Scope == apiextensionsv1.NamespaceScoped, discoveryTries)
	})
	return err
}

// What is defined can be found a moment later, as a rule. How often that is tried, and how long is waited in between.
const (
	discoveryTries = 20
	discoveryWait  = 500 * time.Millisecond
)

// takeIn takes in a kind. It is called on the kernel's goroutine.
func (n *Node) takeIn(kind schema.GroupVersionKind, namespaced bool, tries int) {
	err := n.actors.Watch(kind, namespaced)
	switch {
	case err == nil:
	case tries > 0:
		time.AfterFunc(discoveryWait, func() {
			n.time.Post(actorOutside, "take in a kind", func() { n.takeIn(kind, namespaced, tries-1) })
		})
	default:
		n.o.Tell(fmt.Sprintf("objects of kind %s are not collected: %v", kind, err))
	}
}

// established reports whether what is defined is served.
func established(d *apiextensionsv1.CustomResourceDefinition) bool {
	return slices.ContainsFunc(d.Status.Conditions, func(c apiextensionsv1.CustomResourceDefinitionCondition) bool {
		return c.Type == apiextensionsv1.Established && c.Status == apiextensionsv1.ConditionTrue
	})
}

// preferred is one of the versions in which a kind is served: the one that discovery prefers, or else its objects would be
// watched twice.
func preferred(d *apiextensionsv1.CustomResourceDefinition) (schema.GroupVersionKind, bool) {
	var served []string
	for _, v := range d.Spec.Versions {
		if v.Served {
			served = append(served, v.Name)
		}
	}
	if len(served) == 0 {
		return schema.GroupVersionKind{}, false
	}
	slices.SortFunc(served, func(a, b string) int { return version.CompareKubeAwareVersionStrings(b, a) })
	return schema.GroupVersionKind{Group: d.Spec.Group, Version: served[0], Kind: d.Spec.Names.Kind}, true
}
