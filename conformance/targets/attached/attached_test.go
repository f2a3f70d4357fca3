package attached_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/targets/attached"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
)

// cluster starts a cluster with a subject.
func cluster(t *testing.T, o attached.Options) (conformance.Cluster, error) {
	t.Helper()
	if o.Name == "" {
		o.Name = "toy"
	}
	target, err := fake.New(fake.Options{Subject: attached.Subject(t, o)})
	if err != nil {
		t.Fatal(err)
	}
	return target.Start(t.Context(), conformance.Setup{Name: "test", Seed: 1})
}

// idle waits for the end.
func idle(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func TestSubjectUsesTheClockOfTheCluster(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var ticks []string
	c, err := cluster(t, attached.Options{Run: func(ctx context.Context, d attached.Deps) error {
		ticker := time.NewTicker(time.Hour)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-ticker.C:
				m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("at-%d", time.Now().Hour())}}
				m, err := d.Clientset.CoreV1().ConfigMaps("default").Create(ctx, m, metav1.CreateOptions{})
				if err != nil {
					return err
				}
				mu.Lock()
				ticks = append(ticks, time.Now().UTC().Format(time.TimeOnly)+" "+m.CreationTimestamp.UTC().Format(time.TimeOnly))
				mu.Unlock()
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	began := c.Now()
	if err := c.WaitUntil(t.Context(), began.Add(150*time.Minute), func() bool { return false }); !errors.Is(err, conformance.ErrDeadline) {
		t.Fatal(err)
	}
	if got := c.Now().Sub(began); got != 150*time.Minute {
		t.Errorf("%v have passed", got)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if got, want := fmt.Sprint(ticks), "[01:00:00 01:00:00 02:00:00 02:00:00]"; got != want {
		t.Errorf("ticks %s, want %s", got, want)
	}
}

// TestMany has goroutines that want to be served at the same time, more than there are answers.
func TestManyGoroutinesAreServed(t *testing.T) {
	t.Parallel()
	const many = 200
	c, err := cluster(t, attached.Options{Run: func(ctx context.Context, d attached.Deps) error {
		var wg sync.WaitGroup
		for i := range many {
			wg.Go(func() {
				m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("m-%d", i)}}
				if _, err := d.Clientset.CoreV1().ConfigMaps("default").Create(ctx, m, metav1.CreateOptions{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		return idle(ctx)
	}})
	if err != nil {
		t.Fatal(err)
	}
	list := &corev1.ConfigMapList{}
	if err := c.Client().List(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	if len(list.Items) < many {
		t.Errorf("%d objects, want %d", len(list.Items), many)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// TestInformersSeeWritesAtOnce counts the events that handlers have received at the instant after a write.
func TestInformersSeeWritesAtOnce(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var heard []string
	hear := func(from string) cache.ResourceEventHandlerFuncs {
		say := func(what string, object any) {
			if m, ok := object.(*corev1.ConfigMap); ok && m.Namespace == "default" && strings.HasPrefix(m.Name, "mine") {
				mu.Lock()
				defer mu.Unlock()
				heard = append(heard, from+" "+what+" "+m.Name)
			}
		}
		return cache.ResourceEventHandlerFuncs{
			AddFunc: func(o any) { say("add", o) }, UpdateFunc: func(_, o any) { say("update", o) }, DeleteFunc: func(o any) { say("delete", o) },
		}
	}
	c, err := cluster(t, attached.Options{Run: func(ctx context.Context, d attached.Deps) error {
		if _, err := d.Informers.Core().V1().ConfigMaps().Informer().AddEventHandler(hear("clientset")); err != nil {
			return err
		}
		own, err := d.Informer(&corev1.ConfigMap{})
		if err != nil {
			return err
		}
		if _, err := own.AddEventHandler(hear("client")); err != nil {
			return err
		}
		d.Informers.Start(ctx.Done())
		d.Go(func() { own.RunWithContext(ctx) })
		<-ctx.Done()
		d.Informers.Shutdown()
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "mine", Namespace: "default"}}
	for _, do := range []func() error{
		func() error { return c.Client().Create(t.Context(), m) },
		func() error { m.Data = map[string]string{"a": "b"}; return c.Client().Update(t.Context(), m) },
		func() error { return c.Client().Delete(t.Context(), m) },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
		if err := c.WaitUntil(t.Context(), c.Now().Add(time.Second), func() bool { return false }); !errors.Is(err, conformance.ErrDeadline) {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	got := strings.Join(heard, "\n")
	for _, want := range []string{"clientset add mine", "clientset update mine", "clientset delete mine", "client add mine", "client update mine", "client delete mine"} {
		if strings.Count(got, want) != 1 {
			t.Errorf("%q is not heard once in\n%s", want, got)
		}
	}
}

// TestAllClientsReachTheAPI writes with each client, in both versions, and reads with the dynamic one.
func TestAllClientsReachTheAPI(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	c, err := cluster(t, attached.Options{Run: func(ctx context.Context, d attached.Deps) error {
		for _, version := range []string{"v1beta1", "v1"} {
			gvk := schema.GroupVersionKind{Group: "tekton.dev", Version: version, Kind: "TaskRun"}
			run := func(name string) *unstructured.Unstructured {
				o := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"taskSpec": map[string]any{
					"steps": []any{map[string]any{"name": "only", "image": "busybox", "script": "true"}}}}}}
				o.SetGroupVersionKind(gvk)
				o.SetNamespace("default")
				o.SetName(name)
				return o
			}
			runs := d.Dynamic.Resource(gvk.GroupVersion().WithResource("taskruns"))
			if _, err := runs.Namespace("default").Create(ctx, run("dynamic-"+version), metav1.CreateOptions{}); err != nil {
				return err
			}
			if err := d.Client.Create(ctx, run("client-"+version)); err != nil {
				return err
			}
			list, err := runs.List(ctx, metav1.ListOptions{})
			if err != nil {
				return err
			}
			for _, o := range list.Items {
				got[version] += o.GetName() + " " + o.GroupVersionKind().Version + ", "
			}
		}
		return idle(ctx)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	want := map[string]string{
		"v1beta1": "client-v1beta1 v1beta1, dynamic-v1beta1 v1beta1, ",
		"v1":      "client-v1 v1, client-v1beta1 v1, dynamic-v1 v1, dynamic-v1beta1 v1, ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestASubjectThatMisbehavesIsAnError has one for each way to do so.
func TestASubjectThatMisbehavesIsAnError(t *testing.T) {
	t.Parallel()
	never := make(chan struct{})
	for _, tt := range []struct {
		reason string
		run    func(ctx context.Context, d attached.Deps) error
		says   []string
	}{
		{"it panics", func(context.Context, attached.Deps) error { panic("out of cheese") },
			[]string{"subject toy: the subject panicked: out of cheese", "attached_test.go"}},
		{"a goroutine of it panics", func(ctx context.Context, d attached.Deps) error {
			d.Go(func() { panic("out of cheese") })
			return idle(ctx)
		}, []string{"subject toy: the subject panicked: out of cheese"}},
		{"it fails", func(context.Context, attached.Deps) error { return errors.New("no such kind") },
			[]string{"subject toy: the subject has ended: no such kind"}},
		{"it ends by itself", func(context.Context, attached.Deps) error { return nil },
			[]string{"subject toy: the subject has ended: Run returned before its context ended"}},
		{"it asks without end", func(ctx context.Context, d attached.Deps) error {
			for {
				if _, err := d.Clientset.CoreV1().Pods("default").List(ctx, metav1.ListOptions{}); err != nil {
					return err
				}
			}
		}, []string{"subject toy: the subject never gets quiet: it has made 100 requests at one instant, 2000-01-01T00:00:00Z"}},
		{"it is in a deadlock", func(context.Context, attached.Deps) error {
			var mu sync.Mutex
			mu.Lock()
			mu.Lock()
			return nil
		}, []string{"subject toy: the subject never gets quiet: for 1s of real time", "is in a deadlock", "sync.Mutex.Lock", "attached_test.go"}},
		{"it waits for something outside its world", func(context.Context, attached.Deps) error {
			<-never
			return nil
		}, []string{"subject toy: the subject never gets quiet: for 1s of real time", "a channel made elsewhere", "chan receive", "attached_test.go"}},
		{"it leaves goroutines behind", func(ctx context.Context, _ attached.Deps) error {
			forgotten := make(chan struct{})
			go func() { <-forgotten }()
			return idle(ctx)
		}, []string{"subject toy: the subject has left goroutines behind, 1m0s after its context ended", "chan receive", "attached_test.go"}},
		{"it does not end", func(context.Context, attached.Deps) error {
			for {
				time.Sleep(time.Minute)
			}
		}, []string{"subject toy: the subject has left goroutines behind, 1m0s after its context ended", "sleep"}},
		{"it changes what others read", func(ctx context.Context, d attached.Deps) error {
			configMaps := d.Informers.Core().V1().ConfigMaps()
			lister := configMaps.Lister()
			d.Informers.Start(ctx.Done())
			d.Informers.WaitForCacheSync(ctx.Done())
			m, err := lister.ConfigMaps(config.Namespace).Get("kube-root-ca.crt")
			if err != nil {
				return err
			}
			m.Data["ca.crt"] = "spoilt"
			<-ctx.Done()
			d.Informers.Shutdown()
			return nil
		}, []string{"subject toy: the subject has changed v1.ConfigMap tekton-pipelines/kube-root-ca.crt of resourceVersion ", "copy it before", `"spoilt"`}},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			o := attached.Options{Run: tt.run, Requests: 100}
			if strings.Contains(strings.Join(tt.says, ""), "never gets quiet: for 1s") {
				o.Stuck = time.Second
			}
			c, err := cluster(t, o)
			if err == nil {
				err = c.WaitUntil(t.Context(), c.Now().Add(time.Hour), func() bool { return false })
				if errors.Is(err, conformance.ErrDeadline) {
					err = c.Close()
				} else if again := c.Close(); again != nil {
					t.Errorf("reported twice: %v", again)
				}
			}
			var own *conformance.ImplementationError
			if !errors.As(err, &own) {
				t.Fatalf("got %v, want an error of the implementation", err)
			}
			for _, want := range tt.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("it does not say %q:\n%v", want, err)
				}
			}
		})
	}
}

func TestAttachedSubjectNeedsATest(t *testing.T) {
	t.Parallel()
	target, err := fake.New(fake.Options{Subject: attached.Subject(nil, attached.Options{Name: "toy", Run: func(ctx context.Context, _ attached.Deps) error { return idle(ctx) }})})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := target.Start(t.Context(), conformance.Setup{Name: "test"}); err == nil || !strings.Contains(err.Error(), "needs a *testing.T") {
		t.Errorf("got %v", err)
	}
}
