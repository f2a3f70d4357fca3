// Package foreign is a small controller of TaskRuns in a different style from the reference's, to show how a controller on
// a cluster is judged: informers of client-go, a goroutine for each run, and no controller-runtime. It does not depend on
// the code that judges it.
//
// It does three things, and claims no more: scripts, timeouts and cancellation. All steps of a Task but the last are init
// containers, which Kubernetes runs one after the other. It has no launcher and no webhooks, and does not support retries,
// params, workspaces, sidecars or references to Tasks.
//
//	foreign.go  informers, which wake the clerks
//	clerk.go    a goroutine that looks after one run
//	status.go   what a run says of itself
//	pod.go      the Pod of a run
//
// A [Fault] can be switched on, to show that it is found.
package foreign

import (
	"context"
	"errors"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// Fault is something that the controller does wrong.
type Fault string

// The faults.
const (
	// NoFault: it does what it claims.
	NoFault Fault = ""
	// DeafToTimeouts: runs may take as long as they like.
	DeafToTimeouts Fault = "deaf-to-timeouts"
	// LeavesPods: the Pod of a run that was cancelled is left.
	LeavesPods Fault = "leaves-pods"
	// DropsMessages: the message that comes with a cancellation is not passed on.
	DropsMessages Fault = "drops-messages"
)

// Controller runs TaskRuns.
type Controller struct {
	Clientset kubernetes.Interface
	Dynamic   dynamic.Interface
	// Responsible says whose namespaces it looks after; nil means all.
	Responsible func(namespace string) bool
	Fault       Fault

	mu      sync.Mutex
	clerks  map[cache.ObjectName]*clerk
	running sync.WaitGroup
}

var errNoSync = errors.New("the informers have not caught up")

// taskRuns is what is looked after.
func taskRuns() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "tekton.dev", Version: "v1beta1", Resource: "taskruns"}
}

// Run works until the context ends.
func (c *Controller) Run(ctx context.Context) error {
	c.clerks = map[cache.ObjectName]*clerk{}
	pods := informers.NewSharedInformerFactory(c.Clientset, 0)
	runs := dynamicinformer.NewDynamicSharedInformerFactory(c.Dynamic, 0)
	ofRuns, ofPods := runs.ForResource(taskRuns()).Informer(), pods.Core().V1().Pods().Informer()
	if _, err := ofRuns.AddEventHandler(on(func(o metav1.Object) {
		c.wake(ctx, cache.MetaObjectToName(o))
	})); err != nil {
		return err
	}
	if _, err := ofPods.AddEventHandler(on(func(o metav1.Object) {
		if owner := metav1.GetControllerOf(o); owner != nil && owner.Kind == "TaskRun" {
			c.wake(ctx, cache.ObjectName{Namespace: o.GetNamespace(), Name: owner.Name})
		}
	})); err != nil {
		return err
	}
	pods.Start(ctx.Done())
	runs.Start(ctx.Done())
	synced := cache.WaitForCacheSync(ctx.Done(), ofRuns.HasSynced, ofPods.HasSynced)
	<-ctx.Done()
	pods.Shutdown()
	runs.Shutdown()
	c.running.Wait()
	if !synced {
		return errNoSync
	}
	return nil
}

// on calls f for every change.
func on(f func(metav1.Object)) cache.ResourceEventHandler {
	changed := func(object any) {
		if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = gone.Obj
		}
		if o, ok := object.(metav1.Object); ok {
			f(o)
		}
	}
	return cache.ResourceEventHandlerFuncs{AddFunc: changed, UpdateFunc: func(_, after any) { changed(after) }, DeleteFunc: changed}
}

// wake tells the clerk of a run that something happened; a run without one is given one.
func (c *Controller) wake(ctx context.Context, name cache.ObjectName) {
	if c.Responsible != nil && !c.Responsible(name.Namespace) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.clerks[name]
	if !ok {
		k = &clerk{controller: c, name: name, bell: make(chan struct{}, 1)}
		c.clerks[name] = k
		c.running.Go(func() { k.work(ctx) })
	}
	select {
	case k.bell <- struct{}{}:
	default: // it was told already
	}
}

// dismiss forgets a clerk that has nothing left to do, unless the bell has rung meanwhile.
func (c *Controller) dismiss(k *clerk) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(k.bell) > 0 {
		return false
	}
	delete(c.clerks, k.name)
	return true
}

// pod is the Pod of a run, or nil.
func (c *Controller) pod(ctx context.Context, namespace, name string) (*corev1.Pod, error) {
	return c.Clientset.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
}
