package controller_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/controller"
	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

var (
	configMaps = corev1.SchemeGroupVersion.WithKind("ConfigMap")
	secrets    = corev1.SchemeGroupVersion.WithKind("Secret")
)

// world is a server with one controller over ConfigMaps that own Secrets.
type world struct {
	t      *testing.T
	k      *kernel.Kernel
	s      *apiserver.Server
	client client.Client
	cache  *informer.Cache
	c      *controller.Controller
	log    []string
}

func newWorld(t *testing.T, seed uint64, reconciler func(w *world) reconcile.Func, edit func(*controller.Options)) *world {
	t.Helper()
	k := kernel.New(kernel.Options{Seed: seed})
	w := &world{t: t, k: k, s: apiserver.New(apiserver.Options{Kernel: k})}
	w.client = w.s.Client("test")
	w.cache = informer.NewCache(informer.CacheOptions{Kernel: k, Source: w.s, Scheme: w.s.Scheme(), Live: w.client})
	o := controller.Options{
		Kernel: k, Name: "subject", Reconciler: reconciler(w), Informers: w.cache,
		For: configMaps, Owns: []schema.GroupVersionKind{secrets},
	}
	if edit != nil {
		edit(&o)
	}
	var err error
	if w.c, err = controller.New(o); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) run(d time.Duration) { w.k.RunUntil(w.k.Now().Add(d)) }

func (w *world) create(objs ...client.Object) {
	w.t.Helper()
	for _, o := range objs {
		if err := w.client.Create(context.Background(), o); err != nil {
			w.t.Fatal(err)
		}
	}
}

func configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
}

func logging(w *world) reconcile.Func {
	return func(_ context.Context, r reconcile.Request) (reconcile.Result, error) {
		w.log = append(w.log, r.Name)
		return reconcile.Result{}, nil
	}
}

func TestChangesOfOwnedObjectsReconcileTheirOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, logging, nil)
	owner := configMap("a")
	w.create(owner)
	w.run(time.Second)
	yes := true
	child := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "child", OwnerReferences: []metav1.OwnerReference{
		{APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID, Controller: &yes},
	}}}
	stranger := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "stranger", OwnerReferences: []metav1.OwnerReference{
		{APIVersion: "v1", Kind: "Pod", Name: "p", UID: "1", Controller: &yes},
	}}}
	w.create(child, stranger)
	w.run(time.Second)
	if d := cmp.Diff([]string{"a", "a"}, w.log); d != "" {
		t.Errorf("reconciled (-want +got):\n%s", d)
	}
}

func TestKeysAreReconciledOnceHoweverOftenTheyChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, logging, nil)
	w.c.Pause()
	cm := configMap("a")
	w.create(cm)
	for i := range 5 {
		cm.Data = map[string]string{"n": fmt.Sprint(i)}
		if err := w.client.Update(context.Background(), cm); err != nil {
			t.Fatal(err)
		}
	}
	w.run(time.Second)
	w.c.Resume()
	w.run(time.Second)
	if d := cmp.Diff([]string{"a"}, w.log); d != "" {
		t.Errorf("reconciled (-want +got):\n%s", d)
	}
}

func TestErrorsBackOffExponentially(t *testing.T) {
	t.Parallel()
	var at []time.Duration
	w := newWorld(t, 1, func(w *world) reconcile.Func {
		return func(context.Context, reconcile.Request) (reconcile.Result, error) {
			at = append(at, w.k.Elapsed())
			if len(at) == 6 {
				return reconcile.Result{RequeueAfter: time.Minute}, nil
			}
			if len(at) >= 8 {
				return reconcile.Result{}, reconcile.TerminalError(errors.New("no"))
			}
			return reconcile.Result{}, errors.New("again")
		}
	}, nil)
	w.create(configMap("a"))
	w.run(time.Hour)
	var gaps []time.Duration
	for i := 1; i < len(at); i++ {
		gaps = append(gaps, at[i]-at[i-1])
	}
	const ms = time.Millisecond
	// A success resets the delay; a terminal error is not retried.
	want := []time.Duration{5 * ms, 10 * ms, 20 * ms, 40 * ms, 80 * ms, time.Minute, 5 * ms}
	if d := cmp.Diff(want, gaps); d != "" {
		t.Errorf("time between reconciles (-want +got):\n%s", d)
	}
	if got := w.c.Counters(); got != (controller.Counters{Reconciles: 8, Errors: 7, Requeues: 1}) {
		t.Errorf("counters %+v", got)
	}
}

func TestBackoffHasALimit(t *testing.T) {
	t.Parallel()
	n := 0
	w := newWorld(t, 1, func(w *world) reconcile.Func {
		return func(context.Context, reconcile.Request) (reconcile.Result, error) {
			n++
			return reconcile.Result{}, errors.New("again")
		}
	}, func(o *controller.Options) { o.Backoff = controller.Backoff{Base: time.Second, Max: 4 * time.Second} })
	w.create(configMap("a"))
	w.run(time.Second + 2*time.Second + 40*time.Second + time.Millisecond*500)
	if n != 13 { // at 0, 1, 3, 7, 11, …, 43 seconds
		t.Errorf("%d reconciles, want 13", n)
	}
}

func TestPanicIsReportedAsACrash(t *testing.T) {
	t.Parallel()
	var crash *controller.Crash
	w := newWorld(t, 1, func(w *world) reconcile.Func {
		return func(_ context.Context, r reconcile.Request) (reconcile.Result, error) {
			w.log = append(w.log, r.Name)
			if r.Name == "b" && crash == nil {
				panic("nil map")
			}
			return reconcile.Result{}, nil
		}
	}, func(o *controller.Options) { o.OnCrash = func(c *controller.Crash) { crash = c } })
	w.create(configMap("b"))
	w.run(time.Second)
	w.create(configMap("c"))
	w.run(time.Second)
	if crash == nil || crash.Value != "nil map" || len(crash.Stack) == 0 || crash.Request.Name != "b" {
		t.Fatalf("crash reported: %+v", crash)
	}
	if d := cmp.Diff([]string{"b"}, w.log); d != "" {
		t.Errorf("a crashed controller went on (-want +got):\n%s", d)
	}
	if err := w.c.Restart(nil); err != nil {
		t.Fatal(err)
	}
	w.run(time.Second)
	if d := cmp.Diff([]string{"b", "b", "c"}, w.log); d != "" {
		t.Errorf("after the restart (-want +got):\n%s", d)
	}
}

func TestReconcileSeesOnlyWhatTheCacheKnows(t *testing.T) {
	t.Parallel()
	stale := 0
	for seed := range uint64(20) {
		w := newWorld(t, seed, func(w *world) reconcile.Func {
			return func(ctx context.Context, r reconcile.Request) (reconcile.Result, error) {
				var cached, live corev1.ConfigMap
				if err := w.cache.Get(ctx, r.NamespacedName, &cached); err != nil {
					return reconcile.Result{}, err
				}
				if err := w.client.Get(ctx, r.NamespacedName, &live); err != nil {
					return reconcile.Result{}, err
				}
				if cached.ResourceVersion != live.ResourceVersion {
					stale++
				}
				live.Data = map[string]string{"n": fmt.Sprint(len(w.log))}
				w.log = append(w.log, r.Name)
				if len(w.log) > 20 {
					return reconcile.Result{}, nil
				}
				// Two writes; their events arrive one after the other.
				if err := w.client.Update(ctx, &live); err != nil {
					return reconcile.Result{}, err
				}
				live.Data["m"] = "x"
				return reconcile.Result{}, w.client.Update(ctx, &live)
			}
		}, nil)
		w.create(configMap("a"))
		w.run(time.Minute)
	}
	if stale == 0 {
		t.Error("the cache was never behind the server")
	}
}

func TestSameSeedSameTrace(t *testing.T) {
	t.Parallel()
	trace := func(seed uint64) string {
		w := newWorld(t, seed, logging, nil)
		for i := range 10 {
			w.create(configMap(fmt.Sprint("c", i)))
		}
		w.run(time.Minute)
		return w.k.TraceHash()
	}
	if again := trace(7); again != trace(7) {
		t.Error("two runs of one seed differ")
	}
	if trace(7) == trace(8) {
		t.Error("two seeds do not differ")
	}
}
