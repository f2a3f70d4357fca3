package kind

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	proxyAgain   = 500 * time.Millisecond
	proxyTimeout = time.Minute
)

// proxyAnew has kube-proxy set up all Services anew. On a loaded node, with nftables 1.0.6, it has been seen to lose every one of them
// when another was added or removed during a run; from then on nothing could be pulled from the registry in the cluster. What its
// predecessor has set up serves until the new one is there. A cluster without kube-proxy is left as it is.
func (t *Target) proxyAnew(ctx context.Context) error {
	mine := []client.ListOption{client.InNamespace(metav1.NamespaceSystem), client.MatchingLabels{"k8s-app": "kube-proxy"}}
	pods := &corev1.PodList{}
	if err := t.client.List(ctx, pods, mine...); err != nil {
		return fmt.Errorf("looking for kube-proxy: %w", err)
	}
	var old []types.UID
	for i := range pods.Items {
		old = append(old, pods.Items[i].UID)
		if err := t.client.Delete(ctx, &pods.Items[i]); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("starting kube-proxy anew: %w", err)
		}
	}
	err := wait.PollUntilContextTimeout(ctx, proxyAgain, proxyTimeout, false, func(ctx context.Context) (bool, error) {
		if err := t.client.List(ctx, pods, mine...); err != nil {
			return false, err
		}
		ready := 0
		for i := range pods.Items {
			if p := &pods.Items[i]; !slices.Contains(old, p.UID) && isReady(p) {
				ready++
			}
		}
		return ready >= len(old), nil
	})
	if err != nil {
		return fmt.Errorf("waiting for kube-proxy: %w", err)
	}
	return nil
}

func isReady(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}
