package toy

import (
	"context"
	"errors"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corev1listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Controller is the implementation with goroutines of its own, as controllers with client-go are written.
type Controller struct {
	// Clientset is for Pods, Client for TaskRuns.
	Clientset kubernetes.Interface
	Client    client.Client
	// Pods and Runs are the informers of both kinds.
	Pods informers.SharedInformerFactory
	Runs cache.SharedIndexInformer
	// Workers is how many runs are worked on at a time.
	Workers int

	queue workqueue.TypedRateLimitingInterface[cache.ObjectName]
	pods  corev1listers.PodLister
}

var errNoSync = errors.New("the informers have not caught up")

// Run works until the context ends.
func (c *Controller) Run(ctx context.Context) error {
	c.queue = workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[cache.ObjectName]())
	pods := c.Pods.Core().V1().Pods()
	c.pods = pods.Lister()
	changed := func(object any) {
		if name, err := cache.DeletionHandlingObjectToName(object); err == nil {
			c.queue.Add(name)
		}
	}
	podChanged := func(object any) {
		if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = gone.Obj
		}
		if pod, ok := object.(*corev1.Pod); ok {
			if owner := metav1.GetControllerOf(pod); owner != nil && owner.Kind == "TaskRun" {
				c.queue.Add(cache.ObjectName{Namespace: pod.Namespace, Name: owner.Name})
			}
		}
	}
	handler := func(f func(any)) cache.ResourceEventHandlerFuncs {
		return cache.ResourceEventHandlerFuncs{AddFunc: f, UpdateFunc: func(_, new any) { f(new) }, DeleteFunc: f}
	}
	if _, err := c.Runs.AddEventHandler(handler(changed)); err != nil {
		return err
	}
	if _, err := pods.Informer().AddEventHandler(handler(podChanged)); err != nil {
		return err
	}

	var wg sync.WaitGroup
	c.Pods.Start(ctx.Done())
	wg.Go(func() { c.Runs.RunWithContext(ctx) })
	synced := cache.WaitForCacheSync(ctx.Done(), c.Runs.HasSynced, pods.Informer().HasSynced)
	if synced {
		for range c.Workers {
			wg.Go(func() { c.work(ctx) })
		}
	}
	<-ctx.Done()
	c.queue.ShutDown()
	wg.Wait()
	c.Pods.Shutdown()
	if !synced {
		return errNoSync
	}
	return nil
}

// work takes names from the queue until it is shut down.
func (c *Controller) work(ctx context.Context) {
	for {
		name, end := c.queue.Get()
		if end {
			return
		}
		again, err := c.sync(ctx, name)
		switch {
		case err != nil:
			c.queue.AddRateLimited(name)
		case again > 0:
			c.queue.Forget(name)
			c.queue.AddAfter(name, again)
		default:
			c.queue.Forget(name)
		}
		c.queue.Done(name)
	}
}

// sync does for a run what is to be done now.
func (c *Controller) sync(ctx context.Context, name cache.ObjectName) (again time.Duration, err error) {
	cached, exists, err := c.Runs.GetStore().GetByKey(name.String())
	if err != nil || !exists {
		return 0, err
	}
	before, ok := cached.(*TaskRun)
	if !ok || before.DeletionTimestamp != nil || before.Status.Done() {
		return 0, nil
	}
	run := before.DeepCopy() // others read what is in the cache
	pod, err := c.pods.Pods(run.Namespace).Get(podName(run))
	switch {
	case apierrors.IsNotFound(err):
		if pod = PodFor(run); pod == nil {
			return 0, nil
		}
		if _, err := c.Clientset.CoreV1().Pods(run.Namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return 0, err
		}
		pod = nil
	case err != nil:
		return 0, err
	}
	run.Status, again = Next(run, pod, time.Now())
	if expired(&run.Status) {
		if err := c.Clientset.CoreV1().Pods(run.Namespace).Delete(ctx, podName(run), metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return 0, err
		}
	}
	return again, c.Client.Status().Patch(ctx, run, client.MergeFrom(before))
}
