package customtask

import (
	"context"
	"time"

	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// WallClock is the machine's clock.
type WallClock struct{}

// Now implements Clock.
func (WallClock) Now() time.Time { return time.Now() }

// Run is the timer as a program has it, with an informer, a queue and a goroutine of its own. It works until the context ends.
func (t *Timer) Run(ctx context.Context, runs cache.SharedIndexInformer) error {
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[cache.ObjectName]())
	add := func(object any) {
		if name, err := cache.DeletionHandlingObjectToName(object); err == nil {
			queue.Add(name)
		}
	}
	handler := cache.ResourceEventHandlerFuncs{AddFunc: add, UpdateFunc: func(_, object any) { add(object) }, DeleteFunc: add}
	if _, err := runs.AddEventHandler(handler); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		runs.RunWithContext(ctx)
		queue.ShutDown()
	}()
	for {
		name, end := queue.Get()
		if end {
			break
		}
		result, err := t.Reconcile(ctx, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: name.Namespace, Name: name.Name}})
		if err != nil {
			queue.AddRateLimited(name)
		} else if queue.Forget(name); result.RequeueAfter > 0 {
			queue.AddAfter(name, result.RequeueAfter)
		}
		queue.Done(name)
	}
	<-ended
	return nil
}
