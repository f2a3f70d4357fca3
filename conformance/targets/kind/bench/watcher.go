package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	"github.com/plumbline-ci/plumbline/internal/untyped"
)

// watcher notes when the watch shows how TaskRuns ended.
type watcher struct {
	cancel context.CancelFunc
	ended  sync.WaitGroup
	now    func() time.Time

	mu   sync.Mutex
	runs map[string]*seen
}

// seen is what the watch has shown of one TaskRun.
type seen struct {
	// podded is when the status first named a Pod, over when the run was.
	podded, over time.Time
	pod          string
	containers   []string
	succeeded    bool
	message      string
	done         chan struct{}
}

// watch begins to watch the TaskRuns of the namespace.
func watch(ctx context.Context, c *there, now func() time.Time) (*watcher, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w := &watcher{cancel: cancel, now: now, runs: map[string]*seen{}}
	informer := dynamicinformer.NewFilteredDynamicInformer(c.dynamic, c.resource, c.namespace, 0, cache.Indexers{}, nil).Informer()
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: w.note, UpdateFunc: func(_, o any) { w.note(o) }}); err != nil {
		cancel()
		return nil, err
	}
	w.ended.Go(func() { informer.RunWithContext(ctx) })
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		w.stop()
		return nil, fmt.Errorf("the TaskRuns cannot be watched")
	}
	return w, nil
}

func (w *watcher) stop() {
	w.cancel()
	w.ended.Wait()
}

// of returns what is seen of a TaskRun, whether it is there yet or not.
func (w *watcher) of(name string) *seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at(name)
}

func (w *watcher) at(name string) *seen {
	s := w.runs[name]
	if s == nil {
		s = &seen{done: make(chan struct{})}
		w.runs[name] = s
	}
	return s
}

// note looks at a TaskRun as it is now.
func (w *watcher) note(object any) {
	u, ok := object.(*unstructured.Unstructured)
	if !ok {
		return
	}
	at := w.now()
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.at(u.GetName())
	if !s.over.IsZero() {
		return
	}
	if pod, _, _ := unstructured.NestedString(u.Object, "status", "podName"); pod != "" && s.pod == "" {
		s.pod, s.podded = pod, at
	}
	c := untyped.Succeeded(u.Object)
	if !c.Done() {
		return
	}
	s.over, s.succeeded = at, c.Status == string(metav1.ConditionTrue)
	s.message = c.Reason + ": " + c.Message
	for _, step := range untyped.Maps(u.Object, "status", "steps") {
		s.containers = append(s.containers, untyped.Text(step["container"]))
	}
	close(s.done)
}

// wait waits until a TaskRun is over, and has succeeded.
func (w *watcher) wait(ctx context.Context, name string) (*seen, error) {
	s := w.of(name)
	select {
	case <-s.done:
	case <-ctx.Done():
		return nil, fmt.Errorf("TaskRun %s is not over: %w", name, context.Cause(ctx))
	}
	if !s.succeeded {
		return nil, fmt.Errorf("TaskRun %s has not succeeded: %s", name, s.message)
	}
	return s, nil
}
