package informer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var (
	ctx        = context.Background()
	configMaps = corev1.SchemeGroupVersion.WithKind("ConfigMap")
)

func configMap(ns, name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}}
}

type world struct {
	t *testing.T
	k *kernel.Kernel
	s *apiserver.Server
	c client.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	k := kernel.New(kernel.Options{Seed: 3})
	w := &world{t: t, k: k, s: apiserver.New(apiserver.Options{Kernel: k, VerifyShared: true})}
	w.c = w.s.Client("test")
	t.Cleanup(func() {
		for _, err := range w.s.VerifyShared() {
			t.Error(err)
		}
	})
	return w
}

func (w *world) run() { w.k.RunUntil(w.k.Now().Add(time.Second)) }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// told records the calls of a handler.
func told(log *[]string) informer.Handler {
	return func(old, new client.Object) {
		switch {
		case old == nil:
			*log = append(*log, "+"+new.GetName())
		case new == nil:
			*log = append(*log, "-"+old.GetName())
		case old == new:
			*log = append(*log, "="+new.GetName())
		default:
			*log = append(*log, "~"+new.GetName())
		}
	}
}

func TestInformersFollowTheirKind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.c.Create(ctx, configMap("default", "before")))
	i := informer.New(w.k, w.s, configMaps)
	var log []string
	i.AddHandler(told(&log))
	if i.Synced() || i.Len() != 0 {
		t.Error("synced before anything was delivered")
	}
	w.run()
	if !i.Synced() {
		t.Error("not synced after a second")
	}
	cm := configMap("default", "a")
	w.must(w.c.Create(ctx, cm))
	if _, ok := i.Get(client.ObjectKeyFromObject(cm)); ok {
		t.Error("an informer knows of a write in the instant it was made")
	}
	w.run()
	cm.Data = map[string]string{"k": "v"}
	w.must(w.c.Update(ctx, cm))
	w.run()
	got, ok := i.Get(client.ObjectKeyFromObject(cm))
	if !ok || got.(*corev1.ConfigMap).Data["k"] != "v" {
		t.Errorf("known: %v", got)
	}
	i.Resync()
	w.must(w.c.Delete(ctx, cm))
	w.run()
	if d := cmp.Diff([]string{"+before", "+a", "~a", "=a", "=before", "-a"}, log); d != "" {
		t.Errorf("told (-want +got):\n%s", d)
	}
	var late []string
	i.AddHandler(told(&late))
	if d := cmp.Diff([]string{"+before"}, late); d != "" {
		t.Errorf("a late handler was told (-want +got):\n%s", d)
	}
	i.Stop()
	w.must(w.c.Create(ctx, cm2("b")))
	w.run()
	if i.Len() != 1 {
		t.Error("a stopped informer goes on")
	}
}

func cm2(name string) *corev1.ConfigMap { return configMap("default", name) }

// lossy is a source that drops events on demand.
type lossy struct {
	informer.ListSource
	drop bool
}

func (l *lossy) WatchList(gvk schema.GroupVersionKind, handler func(informer.Event), synced func()) (func(), error) {
	return l.ListSource.WatchList(gvk, func(e informer.Event) {
		if !l.drop {
			handler(e)
		}
	}, synced)
}

func TestRelistFindsMissedChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	src := &lossy{ListSource: w.s}
	gone, changed, replaced := cm2("gone"), cm2("changed"), cm2("replaced")
	for _, o := range []*corev1.ConfigMap{gone, changed, replaced} {
		w.must(w.c.Create(ctx, o))
	}
	i := informer.New(w.k, src, configMaps)
	w.run()
	var log []string
	i.AddHandler(told(&log))
	log = nil
	src.drop = true
	w.must(w.c.Delete(ctx, gone))
	changed.Data = map[string]string{"k": "v"}
	w.must(w.c.Update(ctx, changed))
	w.must(w.c.Delete(ctx, replaced))
	w.must(w.c.Create(ctx, cm2("replaced")))
	w.must(w.c.Create(ctx, cm2("new")))
	w.run()
	src.drop = false
	if len(log) != 0 {
		t.Fatalf("lost events were reported: %v", log)
	}
	w.must(i.Relist())
	w.run()
	if d := cmp.Diff([]string{"~changed", "+new", "-replaced", "+replaced", "-gone"}, log); d != "" {
		t.Errorf("told (-want +got):\n%s", d)
	}
}

// plain hides that a source can tell when a list is complete.
type plain struct{ informer.Source }

func TestSourceWithoutASyncSignalIsSyncedByItsFirstEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := informer.New(w.k, plain{w.s}, configMaps)
	w.must(w.c.Create(ctx, cm2("a")))
	synced := false
	i.OnSynced(func() { synced = true })
	w.run()
	if !i.Synced() || !synced || i.Len() != 1 {
		t.Errorf("synced %v, %d objects", i.Synced(), i.Len())
	}
}

func TestUnknownKindsAreAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := informer.Start(w.k, w.s, schema.GroupVersionKind{Version: "v1", Kind: "Unknown"}); err == nil {
		t.Error("no error")
	}
}

func names(objs []client.Object) string {
	var out []string
	for _, o := range objs {
		out = append(out, o.GetNamespace()+"/"+o.GetName())
	}
	return strings.Join(out, " ")
}

func TestListsAndIndexes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.s.CreateNamespace("a", nil))
	i := informer.New(w.k, w.s, configMaps)
	i.IndexLabel("colour")
	for n, ns := range []string{"default", "a", "default", "a"} {
		cm := configMap(ns, fmt.Sprint("c", 9-n))
		cm.Labels = map[string]string{"colour": []string{"red", "blue"}[n/2], "n": fmt.Sprint(n)}
		cm.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: "p", UID: types.UID(fmt.Sprint("owner", n%2))}}
		w.must(w.c.Create(ctx, cm))
	}
	w.run()
	red := labels.SelectorFromSet(labels.Set{"colour": "red"})
	odd, _ := labels.Parse("n in (1,3)")
	for _, test := range []struct{ reason, got, want string }{
		{"all, in order of namespace and name", names(i.List("", labels.Everything())), "a/c6 a/c8 a/kube-root-ca.crt default/c7 default/c9"},
		{"of a namespace", names(i.List("default", nil)), "default/c7 default/c9"},
		{"of a namespace without objects", names(i.List("none", nil)), ""},
		{"by an indexed label", names(i.List("", red)), "a/c8 default/c9"},
		{"by an indexed label in a namespace", names(i.List("a", red)), "a/c8"},
		{"by a value that no object has", names(i.List("", labels.SelectorFromSet(labels.Set{"colour": "green"}))), ""},
		{"by a label without an index", names(i.List("", odd)), "a/c6 a/c8"},
		{"by owner", names(i.OwnedBy("owner0")), "default/c7 default/c9"},
	} {
		if test.got != test.want {
			t.Errorf("%s: %q, want %q", test.reason, test.got, test.want)
		}
	}
	var cm corev1.ConfigMap
	w.must(w.c.Get(ctx, client.ObjectKey{Namespace: "a", Name: "c8"}, &cm))
	cm.Labels["colour"] = "blue"
	cm.OwnerReferences = nil
	w.must(w.c.Update(ctx, &cm))
	w.must(w.c.Delete(ctx, configMap("default", "c9")))
	w.run()
	if got := names(i.List("", red)) + "|" + names(i.OwnedBy("owner0")) + "|" + names(i.OwnedBy("owner1")); got != "|default/c7|a/c6" {
		t.Errorf("after changes: %q", got)
	}
}

func TestCacheAnswersLikeControllerRuntime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cache := informer.NewCache(informer.CacheOptions{Kernel: w.k, Source: w.s, Scheme: w.s.Scheme()})
	var notSynced *informer.NotSyncedError
	if err := cache.Get(ctx, client.ObjectKey{Namespace: "default", Name: "a"}, &corev1.ConfigMap{}); !errors.As(err, &notSynced) {
		t.Errorf("a read before the sync: %v", err)
	}
	w.must(cache.IndexField(ctx, &corev1.ConfigMap{}, "data.k", func(o client.Object) []string { return []string{o.(*corev1.ConfigMap).Data["k"]} }))
	for _, name := range []string{"b", "a"} {
		cm := cm2(name)
		cm.Data = map[string]string{"k": name}
		w.must(w.c.Create(ctx, cm))
	}
	w.run()
	err := cache.Get(ctx, client.ObjectKey{Namespace: "default", Name: "no"}, &corev1.ConfigMap{})
	if !apierrors.IsNotFound(err) || err.Error() != `ConfigMap "no" not found` {
		t.Errorf("get of nothing: %v", err)
	}
	var cm corev1.ConfigMap
	w.must(cache.Get(ctx, client.ObjectKey{Namespace: "default", Name: "a"}, &cm))
	if cm.Kind != "ConfigMap" || cm.Data["k"] != "a" {
		t.Errorf("got %+v", cm)
	}
	cm.Data["k"] = "the reader's own" // the world verifies that this is a copy
	var list corev1.ConfigMapList
	w.must(cache.List(ctx, &list, client.InNamespace("default"), client.MatchingFields{"data.k": "b"}))
	if len(list.Items) != 1 || list.Items[0].Name != "b" {
		t.Errorf("by field: %d items", len(list.Items))
	}
	w.must(cache.List(ctx, &list, client.Limit(1)))
	if len(list.Items) != 1 || list.Items[0].Name != "a" {
		t.Errorf("limited: %v", list.Items)
	}
	if err := cache.List(ctx, &list, client.MatchingFields{"none": "b"}); err == nil || err.Error() != "Index with name field:none does not exist" {
		t.Errorf("by a field without an index: %v", err)
	}
	u := &unstructured.UnstructuredList{}
	u.SetGroupVersionKind(configMaps.GroupVersion().WithKind("ConfigMapList"))
	w.must(cache.List(ctx, u))
	if len(u.Items) != 2 || u.Items[0].GetName() != "a" || u.Items[0].GetKind() != "ConfigMap" {
		t.Errorf("as trees: %+v", u.Items)
	}
	md := &metav1.PartialObjectMetadata{}
	md.SetGroupVersionKind(configMaps)
	w.must(cache.Get(ctx, client.ObjectKey{Namespace: "default", Name: "a"}, md))
	if md.UID == "" || md.Name != "a" {
		t.Errorf("metadata: %+v", md)
	}
	if !cache.Synced() {
		t.Error("not synced")
	}
}

func TestCacheReadsLiveUntilSynced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cache := informer.NewCache(informer.CacheOptions{Kernel: w.k, Source: w.s, Scheme: w.s.Scheme(), Live: w.c})
	w.must(w.c.Create(ctx, cm2("a")))
	w.must(cache.Get(ctx, client.ObjectKey{Namespace: "default", Name: "a"}, &corev1.ConfigMap{}))
	var list corev1.ConfigMapList
	w.must(cache.List(ctx, &list))
	if len(list.Items) != 1 {
		t.Errorf("%d items", len(list.Items))
	}
}
