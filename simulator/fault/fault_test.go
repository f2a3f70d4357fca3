package fault_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/fault"
	"github.com/plumbline-ci/plumbline/simulator/informer"
)

const namespace = "ns"

// world is a cluster with faults, which strike the actor "controller".
type world struct {
	t  *testing.T
	in *fault.Injector
	c  *simulator.Cluster
	// client is the controller's.
	client client.Client
	died   []*fault.Crashed
}

func newWorld(t *testing.T, faults ...fault.Fault) *world {
	t.Helper()
	in, err := fault.NewInjector(faults)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, in: in}
	w.c, err = simulator.New(simulator.Options{
		Seed: 1, API: apiserver.Options{Intercept: []apiserver.Interceptor{in.Intercept}}, Faults: in.Node(), Disturb: in.Source,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.client = in.Client(w.c.Client(fault.DefaultActor))
	if err := w.c.CreateNamespace(namespace, nil); err != nil {
		t.Fatal(err)
	}
	w.c.RunFor(time.Second)
	in.Begin(w.c, func(why *fault.Crashed) { w.died = append(w.died, why) })
	return w
}

func configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

func (w *world) exists(name string) bool {
	return w.c.Client("user").Get(context.Background(), client.ObjectKey{Namespace: namespace, Name: name}, &corev1.ConfigMap{}) == nil
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		what  string
		is    func(error) bool
		wrote bool
	}{
		{fault.InternalError, apierrors.IsInternalError, false},
		{fault.Timeout, apierrors.IsTimeout, false},
		{fault.ServerTimeout, apierrors.IsServerTimeout, false},
		{fault.TooManyRequests, apierrors.IsTooManyRequests, false},
		{fault.ServiceUnavailable, apierrors.IsServiceUnavailable, false},
		{fault.ConnectionRefused, func(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }, false},
		{fault.Conflict, apierrors.IsConflict, false},
		{fault.AlreadyExists, apierrors.IsAlreadyExists, false},
		{fault.NotFound, apierrors.IsNotFound, false},
		{fault.Forbidden, apierrors.IsForbidden, false},
		{fault.TimeoutAfterWrite, apierrors.IsTimeout, true},
		{fault.ConnectionReset, func(err error) bool { return errors.Is(err, syscall.ECONNRESET) }, true},
	} {
		t.Run(tt.what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fault.Fault{Point: fault.API, What: tt.what, Verb: "create", Kind: "ConfigMap"})
			sent := configMap("a")
			if err := w.client.Create(context.Background(), sent); err == nil || !tt.is(err) {
				t.Errorf("the answer is %v", err)
			}
			if w.exists("a") != tt.wrote {
				t.Errorf("it took effect: %v, want %v", !tt.wrote, tt.wrote)
			}
			if sent.UID != "" || sent.ResourceVersion != "" {
				t.Errorf("the client got what the server answered: %+v", sent.ObjectMeta)
			}
			w.must(client.IgnoreAlreadyExists(w.client.Create(context.Background(), configMap("a"))))
			if len(w.in.Strikes()) != 1 || len(w.in.Unused()) != 0 {
				t.Errorf("strikes %+v, unused %v", w.in.Strikes(), w.in.Unused())
			}
		})
	}
	for _, what := range fault.Kinds(fault.API) {
		if !strings.Contains("InternalError Timeout ServerTimeout TooManyRequests ServiceUnavailable ConnectionRefused Conflict AlreadyExists NotFound Forbidden TimeoutAfterWrite ConnectionReset", what) {
			t.Errorf("%s is not in the table", what)
		}
	}
}

func TestWhichOccurrence(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		fault  fault.Fault
		want   string // of the requests made below, F is one that fails
	}{
		{"any request of the controller", fault.Fault{Times: 99}, "FFFFFF...FF"},
		{"the first", fault.Fault{}, "F.........."},
		{"the second and third", fault.Fault{Nth: 2, Times: 2}, ".FF........"},
		{"a verb", fault.Fault{Verb: "create", Times: 99}, "F...F......"},
		{"a kind, whatever its case", fault.Fault{Kind: "secret", Times: 99}, "....FF....."},
		{"a name", fault.Fault{Name: "b", Times: 99}, "....FF....."},
		{"a subresource", fault.Fault{Subresource: "status", Times: 99}, ".........F."},
		{"another's", fault.Fault{Actor: "kubelet", Times: 99}, "......FFF.."},
		{"not before its time", fault.Fault{After: time.Minute, Times: 99}, ".........FF"},
		{"nothing like it", fault.Fault{Kind: "Task", Times: 99}, "..........."},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			tt.fault.Point = fault.API
			w := newWorld(t, tt.fault)
			ctx, got := context.Background(), ""
			try := func(err error) {
				if apierrors.IsInternalError(err) {
					got += "F"
				} else {
					got += "."
				}
			}
			a, kubelet := client.ObjectKeyFromObject(configMap("a")), w.c.Client("kubelet")
			try(w.client.Create(ctx, configMap("a")))
			try(w.client.Get(ctx, a, &corev1.ConfigMap{}))
			try(w.client.List(ctx, &corev1.ConfigMapList{}))
			try(w.client.Patch(ctx, configMap("a"), client.RawPatch("application/merge-patch+json", []byte(`{}`))))
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "b"}}
			try(w.client.Create(ctx, secret))
			try(w.client.Delete(ctx, secret))
			try(kubelet.Create(ctx, configMap("c")))
			try(kubelet.Get(ctx, a, &corev1.ConfigMap{}))
			try(kubelet.List(ctx, &corev1.ConfigMapList{}))
			w.c.RunFor(time.Minute)
			try(w.client.Status().Update(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "p"}}))
			try(w.client.Get(ctx, a, &corev1.ConfigMap{}))
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			w.in.Stop()
			w.must(client.IgnoreNotFound(w.client.Get(ctx, a, &corev1.ConfigMap{})))
		})
	}
}

func TestControllerDiesAfterItsWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fault.Fault{Point: fault.Controller, Nth: 2, Delay: 7 * time.Second})
	ctx := context.Background()
	w.must(w.client.Create(ctx, configMap("a")))
	w.must(w.client.Get(ctx, client.ObjectKeyFromObject(configMap("a")), &corev1.ConfigMap{}))
	died := func() (crash any) {
		defer func() { crash = recover() }()
		w.must(w.client.Create(ctx, configMap("b")))
		return nil
	}()
	if c, ok := died.(*fault.Crashed); !ok || c.Delay != 7*time.Second || !strings.Contains(c.Behind, "create ConfigMap ns/b") {
		t.Errorf("it died of %v", died)
	}
	if !w.exists("b") {
		t.Error("its last write is lost")
	}
	w.must(w.client.Create(ctx, configMap("c")))
}

func TestControllerDiesAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fault.Fault{Point: fault.Controller, After: time.Minute})
	w.c.RunFor(59 * time.Second)
	if len(w.died) != 0 {
		t.Error("it died too early")
	}
	w.c.RunFor(2 * time.Second)
	if len(w.died) != 1 {
		t.Errorf("it died %d times", len(w.died))
	}
}

// watched returns the changes that an informer reports, and when; they happen a second apart.
func (w *world) watched() []string {
	var log []string
	begun := w.c.Kernel().Now()
	gvk := corev1.SchemeGroupVersion.WithKind("ConfigMap")
	i := informer.New(w.c.Kernel(), w.in.Source(fault.DefaultActor, w.c.Server()), gvk)
	i.AddHandler(func(old, new client.Object) {
		o, sign := new, "~"
		if old == nil {
			sign = "+"
		}
		if new == nil {
			o, sign = old, "-"
		}
		if o.GetNamespace() == namespace && len(o.GetName()) == 1 {
			log = append(log, fmt.Sprintf("%ds %s%s", w.c.Kernel().Now().Sub(begun)/time.Second, sign, o.GetName()))
		}
	})
	ctx, user := context.Background(), w.c.Client("user")
	b := configMap("b")
	for _, do := range []func() error{
		func() error { return user.Create(ctx, configMap("a")) },
		func() error { return user.Create(ctx, b) },
		func() error { b.Data = map[string]string{"k": "1"}; return user.Update(ctx, b) },
		func() error { return user.Delete(ctx, configMap("a")) },
		func() error { b.Data = map[string]string{"k": "2"}; return user.Update(ctx, b) },
	} {
		w.must(do())
		w.c.RunFor(time.Second)
	}
	w.c.RunFor(time.Minute)
	return log
}

func TestWatches(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		fault  fault.Fault
		want   []string
	}{
		{"another kind's events", fault.Fault{Kind: "Pod"}, []string{"0s +a", "1s +b", "2s ~b", "3s -a", "4s ~b"}},
		{"a late event holds up those after it", fault.Fault{What: fault.Delayed, Name: "b", Delay: 10 * time.Second}, []string{"0s +a", "11s +b", "11s ~b", "11s -a", "11s ~b"}},
		{"a connection that is lost is made again: only the last state is seen", fault.Fault{What: fault.Lost, Name: "b", Delay: 10 * time.Second}, []string{"0s +a", "11s +b", "11s -a"}},
		{"a lost connection that is back soon", fault.Fault{What: fault.Lost, Name: "b", Delay: 1500 * time.Millisecond}, []string{"0s +a", "2s ~a", "2s +b", "3s -a", "4s ~b"}},
		{"an object that has gone meanwhile", fault.Fault{What: fault.Lost, Name: "a", Nth: 2, Delay: 10 * time.Second}, []string{"0s +a", "1s +b", "2s ~b", "13s ~b", "13s -a"}},
		{"a repeated event", fault.Fault{What: fault.Repeated, Name: "b"}, []string{"0s +a", "1s +b", "1s ~b", "2s ~b", "3s -a", "4s ~b"}},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			tt.fault.Point = fault.Watch
			w := newWorld(t, tt.fault)
			if diff := cmp.Diff(tt.want, w.watched()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if struck := len(w.in.Unused()) == 0; struck != (tt.fault.Kind == "") {
				t.Errorf("it has struck: %v", struck)
			}
		})
	}
}

func TestUnknownFaultsAreRefused(t *testing.T) {
	t.Parallel()
	for _, f := range []fault.Fault{{Point: "moon"}, {Point: fault.API, What: fault.Evicted}} {
		if _, err := fault.NewInjector([]fault.Fault{f}); err == nil {
			t.Errorf("%v is accepted", f)
		}
	}
}

// TestContainersMeetTheirFaults runs Pods whose init container and containers are struck in every way, and compares how
// they end.
func TestContainersMeetTheirFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		fault  fault.Fault
		want   []string // of the statuses at the end
		seen   string   // a reason that a container waits with meanwhile
	}{
		{"nothing", fault.Fault{Point: fault.Container, What: fault.Killed, Name: "missing"}, []string{"Succeeded", "init 0 Completed 0", "a 0 Completed 0", "b 0 Completed 0"}, ""},
		{"killed", fault.Fault{Point: fault.Container, What: fault.Killed, Name: "a"}, []string{"Failed", "init 0 Completed 0", "a 137 Error 0", "b 0 Completed 0"}, ""},
		{"an init container killed", fault.Fault{Point: fault.Container, What: fault.Killed, Name: "init"}, []string{"Failed", "init 137 Error 0", "a -", "b -"}, ""},
		{"an init container out of memory", fault.Fault{Point: fault.Container, What: fault.OOMKilled, Name: "init"}, []string{"Failed", "init 137 OOMKilled 0", "a -", "b -"}, ""},
		{"an init container runs again", fault.Fault{Point: fault.Container, What: fault.Rerun}, []string{"Succeeded", "init 0 Completed 1", "a 0 Completed 0", "b 0 Completed 0"}, ""},
		{"a container that cannot be made twice", fault.Fault{Point: fault.Container, What: fault.NotCreated, Name: "b", Times: 2}, []string{"Succeeded", "init 0 Completed 0", "a 0 Completed 0", "b 0 Completed 0"}, "CreateContainerError"},
		{"a configuration that comes late", fault.Fault{Point: fault.Container, What: fault.NotReady, Times: 3}, []string{"Succeeded", "init 0 Completed 0", "a 0 Completed 0", "b 0 Completed 0"}, "CreateContainerConfigError"},
		{"an end that is noticed late", fault.Fault{Point: fault.Container, What: fault.Unnoticed, Name: "a", Delay: 20 * time.Second}, []string{"Succeeded", "init 0 Completed 0", "a 0 Completed 0", "b 0 Completed 0"}, "one at a time"},
	} {
		w := newWorld(t, tt.fault)
		command := func(name, script string) corev1.Container {
			return corev1.Container{Name: name, Image: "busybox", Command: []string{"sh", "-c", script}}
		}
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "p"}, Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, InitContainers: []corev1.Container{command("init", "true")},
			Containers: []corev1.Container{command("a", "sleep 9"), command("b", "sleep 9")},
		}}
		if err := w.client.Create(context.Background(), pod); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for range 4 * 180 {
			w.c.RunFor(250 * time.Millisecond)
			if err := w.client.Get(context.Background(), client.ObjectKeyFromObject(pod), pod); err != nil {
				t.Fatal(err)
			}
			ended := 0
			for _, s := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
				if s.State.Waiting != nil {
					seen[s.State.Waiting.Reason] = true
				}
				if s.State.Terminated != nil && s.Name != "init" {
					ended++
				}
			}
			seen["one at a time"] = seen["one at a time"] || ended == 1
		}
		got := []string{string(pod.Status.Phase)}
		for _, s := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
			if e := s.State.Terminated; e != nil {
				got = append(got, fmt.Sprintf("%s %d %s %d", s.Name, e.ExitCode, e.Reason, s.RestartCount))
			} else {
				got = append(got, s.Name+" -")
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || tt.seen != "" && !seen[tt.seen] {
			t.Errorf("%s: seen %v; (-want +got):\n%s", tt.reason, seen, diff)
		}
	}
}
