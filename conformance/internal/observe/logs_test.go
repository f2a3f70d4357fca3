package observe

import (
	"context"
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
)

// logged is a cluster that can read logs until its Pod is gone.
type logged struct {
	logs  map[string]string
	asked int
}

func (l *logged) Logs(_ context.Context, _, pod, container string) (string, error) {
	l.asked++
	if text, ok := l.logs[pod+"/"+container]; ok {
		return text, nil
	}
	return "", errors.New("no log")
}

func TestALogIsReadBeforeItsPodIsGone(t *testing.T) {
	t.Parallel()
	pod := func(deleted bool) *unstructured.Unstructured {
		o := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
			"initContainers": []any{map[string]any{"name": "prepare"}},
			"containers":     []any{map[string]any{"name": "step-a"}, map[string]any{"name": "step-b"}},
		}}}
		o.SetName("p")
		o.SetNamespace("n")
		o.SetUID("u")
		if deleted {
			o.SetDeletionTimestamp(&metav1.Time{Time: time.Unix(1, 0)})
		}
		return o
	}
	cluster := &logged{logs: map[string]string{"p/prepare": "ready", "p/step-a": "the reason\n"}}
	l := &Logs{Read: cluster.Logs}
	seen := 0
	handler := l.rescuing(t.Context(), func(watch.EventType, *unstructured.Unstructured) { seen++ })
	handler(watch.Added, pod(false))
	handler(watch.Modified, pod(false))
	if l.Wait(); cluster.asked != 0 {
		t.Errorf("%d logs were read of a Pod that stays", cluster.asked)
	}
	handler(watch.Modified, pod(true))
	handler(watch.Modified, pod(true))
	l.Wait()
	clear(cluster.logs)
	handler(watch.Deleted, pod(true))
	if seen != 5 || cluster.asked != 3 {
		t.Errorf("%d versions were passed on, %d logs read; want 5, and 3 once", seen, cluster.asked)
	}
	for container, want := range map[string]string{"prepare": "ready", "step-a": "the reason", "step-b": ""} {
		if got, ok := l.Kept("n", "p", container); got != want || ok != (want != "") {
			t.Errorf("the log of %s is %q, %t, want %q", container, got, ok, want)
		}
	}
}
