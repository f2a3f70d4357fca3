package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/reports"
)

// groupTekton is the API group of what is judged.
const groupTekton = "tekton.dev"

// found is what the cluster has.
type found struct {
	version     string
	realKubelet bool
	// substituted are components that are not the implementation's own there.
	substituted []string
	// kinds are those of the group tekton.dev that are served.
	kinds []schema.GroupVersionKind
	// writable says of the implementation's ConfigMaps whether this user may change them.
	writable map[string]bool
}

// discover looks at the cluster.
func (t *Target) discover(ctx context.Context) (found, error) {
	var f found
	version, err := t.clientset.Discovery().ServerVersion()
	if err != nil {
		return f, err
	}
	f.version = version.GitVersion
	if f.kinds, err = t.servedKinds(); err != nil {
		return f, err
	}
	if len(f.kinds) == 0 {
		return f, &NotInstalledError{Host: t.o.Config.Host}
	}
	if err := t.lookAtNodes(ctx, &f); err != nil {
		return f, err
	}
	f.writable, err = t.writable(ctx)
	return f, err
}

// NotInstalledError says that the cluster has nothing to be judged.
type NotInstalledError struct{ Host string }

func (e *NotInstalledError) Error() string {
	return fmt.Sprintf("the cluster %s serves nothing of %s: install an implementation, or name another kubeconfig or context", e.Host, groupTekton)
}

// servedKinds lists what of the group is served.
func (t *Target) servedKinds() ([]schema.GroupVersionKind, error) {
	groups, err := t.clientset.Discovery().ServerGroups()
	if err != nil {
		return nil, err
	}
	var kinds []schema.GroupVersionKind
	for _, g := range groups.Groups {
		if g.Name != groupTekton {
			continue
		}
		for _, v := range g.Versions {
			list, err := t.clientset.Discovery().ServerResourcesForGroupVersion(v.GroupVersion)
			if err != nil {
				return nil, err
			}
			for _, r := range list.APIResources {
				if !strings.Contains(r.Name, "/") {
					kinds = append(kinds, schema.GroupVersionKind{Group: groupTekton, Version: v.Version, Kind: r.Kind})
				}
			}
		}
	}
	return kinds, nil
}

// Kinds are those of the group tekton.dev that the cluster serves.
func (t *Target) Kinds() []schema.GroupVersionKind { return slices.Clone(t.found.kinds) }

// lookAtNodes finds out whether there is a node that is ready and of which all such are real, and what simulated ones
// put into the implementation's place. A user who may not list nodes is taken to be one of an ordinary cluster.
func (t *Target) lookAtNodes(ctx context.Context, f *found) error {
	nodes, err := t.clientset.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if apierrors.IsForbidden(err) {
		f.realKubelet = true
		return nil
	}
	if err != nil {
		return err
	}
	f.realKubelet, f.substituted = realNodes(nodes.Items), substitutedOn(nodes.Items)
	return nil
}

// substitutedOn are the components that simulated nodes say are not the implementation's own on them.
func substitutedOn(nodes []corev1.Node) []string {
	var out []string
	for i := range nodes {
		if text := nodes[i].Annotations[annotationSubstituted]; text != "" {
			out = append(out, strings.Split(text, ",")...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// realNodes reports whether there are nodes that are ready, and all of them have a kubelet that told its version. A simulated
// node has none to tell.
func realNodes(nodes []corev1.Node) bool {
	ready := slices.DeleteFunc(slices.Clone(nodes), func(n corev1.Node) bool {
		return !slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
			return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
		})
	})
	return len(ready) > 0 && !slices.ContainsFunc(ready, func(n corev1.Node) bool { return simulated(&n) })
}

// What simulated nodes are known by: ours, and kwok's.
const (
	labelSimulated = "plumbline.dev/simulated"
	// annotationSubstituted lists components, separated by commas.
	annotationSubstituted = "plumbline.dev/substituted"

	labelKwok = "type"
	valueKwok = "kwok"
)

// simulated recognizes a node whose containers are not real: it is labelled so, or its kubelet has no version.
func simulated(n *corev1.Node) bool {
	return n.Labels[labelSimulated] != "" || n.Labels[labelKwok] == valueKwok || n.Status.NodeInfo.KubeletVersion == ""
}

// writable asks the API server which of the ConfigMaps may be changed.
func (t *Target) writable(ctx context.Context) (map[string]bool, error) {
	out := map[string]bool{}
	if t.o.Configuration == nil {
		return out, nil
	}
	for _, c := range t.o.Configuration.Changes {
		review, err := t.clientset.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
			Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: t.o.Configuration.Namespace, Verb: "update", Resource: "configmaps", Name: c.ConfigMap(),
			}},
		}, metav1.CreateOptions{})
		if err != nil {
			return nil, fmt.Errorf("asking whether ConfigMap %s may be changed: %w", c.ConfigMap(), err)
		}
		out[c.Of] = review.Status.Allowed
	}
	return out, nil
}

// Probe implements conformance.Prober: versions of kinds by discovery, and rights by asking for them.
func (t *Target) Probe(claims conformance.Claims) []reports.Finding {
	var out []reports.Finding
	add := func(kind reports.FindingKind, plural, version, says string) {
		of := fmt.Sprintf("%s.%s/%s", plural, groupTekton, version)
		out = append(out, reports.Finding{Kind: kind, Of: of, Message: of + says})
	}
	for _, plural := range slices.Sorted(maps.Keys(claims.Served)) {
		var served []string
		for _, k := range t.found.kinds {
			if fixture.Plural(k.Kind) == plural {
				served = append(served, k.Version)
			}
		}
		slices.Sort(served)
		claimed := claims.Served[plural]
		for _, v := range claimed {
			if !slices.Contains(served, v) {
				add(reports.ClaimedNotServed, plural, v, " is claimed, and not served")
			}
		}
		for _, v := range served {
			if !slices.Contains(claimed, v) {
				add(reports.ServedUnclaimed, plural, v, " is served, and not claimed")
			}
		}
	}
	for _, of := range slices.Sorted(maps.Keys(t.found.writable)) {
		if !t.found.writable[of] {
			name := t.o.Configuration.ConfigMap(of)
			out = append(out, reports.Finding{Kind: reports.NotWritable, Of: name,
				Message: fmt.Sprintf("ConfigMap %s may be changed, as its owner says, and this user is not allowed to", t.key(name))})
		}
	}
	return out
}
