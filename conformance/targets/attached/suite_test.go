package attached_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/targets/attached"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/manager"
	"github.com/plumbline-ci/plumbline/reconciler/taskrun"
	"github.com/plumbline-ci/plumbline/reports"
)

// controllerOfClientGo runs the reference's reconciler as a controller of client-go does: informers, a work queue, workers.
func controllerOfClientGo(ctx context.Context, d attached.Deps) error {
	runs, err := d.Informer(&v1beta1.TaskRun{})
	if err != nil {
		return err
	}
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	if _, err := runs.AddEventHandler(handler(func(o client.Object) {
		queue.Add(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(o)})
	})); err != nil {
		return err
	}
	if _, err := d.Informers.Core().V1().Pods().Informer().AddEventHandler(handler(func(o client.Object) {
		if owner := metav1.GetControllerOf(o); owner != nil && owner.Kind == v1beta1.KindTaskRun {
			queue.Add(reconcile.Request{NamespacedName: client.ObjectKey{Namespace: o.GetNamespace(), Name: owner.Name}})
		}
	})); err != nil {
		return err
	}
	events := record.NewBroadcaster(record.WithContext(ctx))
	events.StartRecordingToSink(sink{d})
	scheme := d.Client.Scheme()
	r := taskrun.New(reconciler.Deps{
		Client: d.Client, Reader: d.Client, Clock: reconciler.WallClock{}, Config: d.Config, Images: d.Images, ImageConfig: d.ImageConfig, Logs: manager.PodLogs(d.Clientset),
		Recorder: recorder{events.NewRecorder(scheme, corev1.EventSource{Component: taskrun.Controller().EventSource})}, Revision: conformance.SuiteVersion,
	})
	ended := make(chan struct{})
	d.Informers.Start(ctx.Done())
	d.Go(func() {
		defer close(ended)
		runs.RunWithContext(ctx)
	})
	cache.WaitForCacheSync(ctx.Done(), runs.HasSynced, d.Informers.Core().V1().Pods().Informer().HasSynced)
	const workers = 3
	worked := make(chan struct{}, workers)
	for range workers {
		d.Go(func() {
			defer func() { worked <- struct{}{} }()
			work(ctx, queue, r)
		})
	}
	<-ctx.Done()
	queue.ShutDown()
	events.Shutdown()
	for range workers {
		<-worked
	}
	<-ended
	d.Informers.Shutdown()
	return nil
}

func work(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request], r reconcile.Reconciler) {
	for {
		q, end := queue.Get()
		if end {
			return
		}
		result, err := r.Reconcile(ctx, q)
		switch {
		case err != nil:
			queue.AddRateLimited(q)
		case result.RequeueAfter > 0:
			queue.Forget(q)
			queue.AddAfter(q, result.RequeueAfter)
		default:
			queue.Forget(q)
		}
		queue.Done(q)
	}
}

func handler(f func(client.Object)) cache.ResourceEventHandlerFuncs {
	g := func(o any) {
		if gone, ok := o.(cache.DeletedFinalStateUnknown); ok {
			o = gone.Obj
		}
		if o, ok := o.(client.Object); ok {
			f(o)
		}
	}
	return cache.ResourceEventHandlerFuncs{AddFunc: g, UpdateFunc: func(_, o any) { g(o) }, DeleteFunc: g}
}

// recorder is client-go's, for the reconciler.
type recorder struct{ r record.EventRecorder }

func (r recorder) Event(o runtime.Object, kind, reason, message string) {
	r.r.Event(o, kind, reason, message)
}

// sink writes events by the clientset.
type sink struct{ d attached.Deps }

func (s sink) Create(e *corev1.Event) (*corev1.Event, error) {
	return s.d.Clientset.CoreV1().Events(e.Namespace).Create(context.Background(), e, metav1.CreateOptions{})
}

func (s sink) Update(e *corev1.Event) (*corev1.Event, error) {
	return s.d.Clientset.CoreV1().Events(e.Namespace).Update(context.Background(), e, metav1.UpdateOptions{})
}

func (s sink) Patch(e *corev1.Event, data []byte) (*corev1.Event, error) {
	return s.d.Clientset.CoreV1().Events(e.Namespace).Patch(context.Background(), e.Name, "application/strategic-merge-patch+json", data, metav1.PatchOptions{})
}

// coreClaims are those of the reference that are about TaskRuns. Nothing answers what they ask of resolvers here.
func coreClaims() conformance.Claims {
	claims := reference.Claims()
	claims.Profiles = []string{fixture.ProfileTaskRunCore}
	claims.Features = slices.DeleteFunc(slices.Clone(claims.Features), func(name string) bool {
		return name == "remote-resolution" || name == "bundles" || strings.HasPrefix(name, "resolver-")
	})
	return claims
}

// TestReferencePassesWithGoroutines has all fixtures of TaskRuns judge the reference as a subject that runs by itself: what
// passes when the cluster calls it passes then too, so the mode is fair.
func TestReferencePassesWithGoroutines(t *testing.T) {
	target, err := fake.New(fake.Options{Subject: attached.Subject(t, attached.Options{Name: "taskrun", Run: controllerOfClientGo})})
	if err != nil {
		t.Fatal(err)
	}
	report := conformance.Run(t, conformance.Options{Target: target, Implementation: reference.Implementation(), Claims: coreClaims(), Seed: 1,
		Filter: conformance.Filter{Profiles: []string{fixture.ProfileTaskRunCore}}})
	if report.Result != reports.Passed {
		t.Errorf("result %s: %q", report.Result, report.Reasons)
	}
}
