package apiserver_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestWritesShareOneIncreasingResourceVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var last uint64
	step := func(obj client.Object) {
		t.Helper()
		v, err := strconv.ParseUint(obj.GetResourceVersion(), 10, 64)
		if err != nil || v != last+1 && last != 0 {
			t.Fatalf("resourceVersion %q after %d", obj.GetResourceVersion(), last)
		}
		last = v
	}
	cm, g := simpleConfigMap("a"), newGadget("g")
	w.create(cm)
	step(cm)
	w.create(g)
	step(g)
	cm.Data["k"] = "w"
	w.update(cm)
	step(cm)
	if w.ResourceVersion() != cm.ResourceVersion {
		t.Errorf("server is at %s, the last write was %s", w.ResourceVersion(), cm.ResourceVersion)
	}
}

func TestErrorsOfTheAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cm := simpleConfigMap("taken")
	w.create(cm)
	stale := cm.DeepCopy()
	cm.Data["k"] = "w"
	w.update(cm)
	g := newGadget("g")
	w.create(g)
	unversioned := g.DeepCopy()
	unversioned.SetResourceVersion("")
	unversioned.Object["spec"] = map[string]any{"size": int64(2)}
	otherUID := cm.DeepCopy()
	otherUID.UID = "other"
	uid, version := types.UID("other"), "1"

	for _, test := range []struct {
		reason  string
		do      func() error
		code    int32
		want    metav1.StatusReason
		message string
	}{
		{"get of nothing", func() error { return w.c.Get(ctx, key("ns", "no"), &corev1.ConfigMap{}) },
			404, metav1.StatusReasonNotFound, `configmaps "no" not found`},
		{"get of nothing, custom kind", func() error { return w.c.Get(ctx, key("ns", "no"), newGadget("no")) },
			404, metav1.StatusReasonNotFound, `gadgets.example.com "no" not found`},
		{"the name is taken", func() error { return w.c.Create(ctx, simpleConfigMap("taken")) },
			409, metav1.StatusReasonAlreadyExists, `configmaps "taken" already exists`},
		{"the object has changed", func() error { stale.Data["k"] = "x"; return w.c.Update(ctx, stale) },
			409, metav1.StatusReasonConflict, `Operation cannot be fulfilled on configmaps "taken": the object has been modified; please apply your changes to the latest version and try again`},
		{"update of nothing", func() error { o := simpleConfigMap("no"); return w.c.Update(ctx, o) },
			404, metav1.StatusReasonNotFound, `configmaps "no" not found`},
		{"delete of nothing", func() error { return w.c.Delete(ctx, simpleConfigMap("no")) },
			404, metav1.StatusReasonNotFound, `configmaps "no" not found`},
		{"custom kinds need a resourceVersion to be updated", func() error { return w.c.Update(ctx, unversioned) },
			422, metav1.StatusReasonInvalid, `Gadget.example.com "g" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update`},
		{"another object of the same name", func() error { return w.c.Update(ctx, otherUID) },
			409, metav1.StatusReasonConflict, `Operation cannot be fulfilled on configmaps "taken": StorageError: invalid object, Code: 4, Key: /registry/configmaps/ns/taken, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: other, UID in object meta: ` + string(cm.UID)},
		{"resourceVersion on create", func() error {
			o := simpleConfigMap("new")
			o.ResourceVersion = "5"
			return w.c.Create(ctx, o)
		}, 500, "", `resourceVersion should not be set on objects to be created`},
		{"no such namespace", func() error { o := simpleConfigMap("x"); o.Namespace = "nowhere"; return w.c.Create(ctx, o) },
			404, metav1.StatusReasonNotFound, `namespaces "nowhere" not found`},
		{"upper case in a name", func() error { return w.c.Create(ctx, simpleConfigMap("A-Upper")) },
			422, metav1.StatusReasonInvalid, `ConfigMap "A-Upper" is invalid: metadata.name: Invalid value: "A-Upper": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`},
		{"no name at all", func() error { return w.c.Create(ctx, simpleConfigMap("")) },
			422, metav1.StatusReasonInvalid, `ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required`},
		{"a label value with a space", func() error {
			o := simpleConfigMap("x")
			o.Labels = map[string]string{"a": "b c"}
			return w.c.Create(ctx, o)
		}, 422, metav1.StatusReasonInvalid, ""},
		{"uid precondition", func() error { return w.c.Delete(ctx, cm, client.Preconditions{UID: &uid}) },
			409, metav1.StatusReasonConflict, `Operation cannot be fulfilled on ConfigMap "taken": the UID in the precondition (other) does not match the UID in record (` + string(cm.UID) + `). The object might have been deleted and then recreated`},
		{"version precondition", func() error { return w.c.Delete(ctx, cm, client.Preconditions{ResourceVersion: &version}) },
			409, metav1.StatusReasonConflict, `Operation cannot be fulfilled on ConfigMap "taken": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (` + cm.ResourceVersion + `). The object might have been modified`},
		{"a field that Pods cannot be selected by", func() error {
			return w.c.List(ctx, &corev1.PodList{}, client.MatchingFields{"spec.nope": "x"})
		}, 400, metav1.StatusReasonBadRequest, `field label not supported: spec.nope`},
		{"no status subresource", func() error { return w.c.Status().Update(ctx, cm) },
			404, metav1.StatusReasonNotFound, `the server could not find the requested resource`},
		{"a status subresource of nothing", func() error { return w.c.Status().Update(ctx, newGadget("no")) },
			404, metav1.StatusReasonNotFound, `gadgets.example.com "no" not found`},
		{"a namespace that the cluster needs", func() error {
			return w.c.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}})
		}, 403, metav1.StatusReasonForbidden, `namespaces "default" is forbidden: this namespace may not be deleted`},
		{"a bad dry-run", func() error {
			return w.c.Create(ctx, simpleConfigMap("x"), &client.CreateOptions{DryRun: []string{"Some"}})
		},
			422, metav1.StatusReasonInvalid, ""},
		{"a continue token made up", func() error { return w.c.List(ctx, &corev1.PodList{}, client.Continue("nonsense")) },
			400, metav1.StatusReasonBadRequest, ""},
	} {
		t.Run(test.reason, func(t *testing.T) { refused(t, test.do(), test.code, test.want, test.message) })
	}
}

func key(ns, name string) client.ObjectKey { return client.ObjectKey{Namespace: ns, Name: name} }

func TestErrorsOfTheClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, test := range []struct {
		reason, want string
		do           func() error
	}{
		{"create without a namespace", "an empty namespace may not be set during creation", func() error {
			return w.c.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "x"}})
		}},
		{"get without a namespace", "an empty namespace may not be set when a resource name is provided", func() error {
			return w.c.Get(ctx, key("", "x"), &corev1.ConfigMap{})
		}},
		{"get without a name", "resource name may not be empty", func() error { return w.c.Get(ctx, key("ns", ""), &corev1.ConfigMap{}) }},
	} {
		if err := test.do(); err == nil || err.Error() != test.want {
			t.Errorf("%s: error %v, want %s", test.reason, err, test.want)
		}
	}
	var noMatch *meta.NoKindMatchError
	unknown := tree(schema.GroupVersionKind{Group: "g", Version: "v1", Kind: "Unknown"}, "ns", "x", nil)
	if err := w.c.Get(ctx, key("ns", "x"), unknown); !errors.As(err, &noMatch) || !meta.IsNoMatchError(err) {
		t.Errorf("get of a kind that is not served: %v, want a NoKindMatchError", err)
	}
}

func TestGenerateName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seen := map[string]bool{}
	for range 50 {
		cm := simpleConfigMap("")
		cm.GenerateName = "x-"
		w.create(cm)
		suffix, ok := strings.CutPrefix(cm.Name, "x-")
		if !ok || len(suffix) != 5 || strings.Trim(suffix, "bcdfghjklmnpqrstvwxz2456789") != "" || seen[cm.Name] {
			t.Fatalf("generated name %q", cm.Name)
		}
		seen[cm.Name] = true
	}
	long := simpleConfigMap("")
	long.GenerateName = strings.Repeat("a", 100)
	w.create(long)
	if len(long.Name) != 63 {
		t.Errorf("a long base makes a name of %d characters, want 63", len(long.Name))
	}
}

func TestObjectsOfTheSameSeedAreTheSame(t *testing.T) {
	t.Parallel()
	make := func() client.Object {
		w := newWorld(t)
		w.run(90 * time.Second)
		cm := simpleConfigMap("")
		cm.GenerateName = "x-"
		w.create(cm)
		return cm
	}
	a, b := make(), make()
	if d := cmp.Diff(a, b); d != "" {
		t.Errorf("two worlds of one seed differ:\n%s", d)
	}
	if got := a.GetCreationTimestamp(); !got.Time.Equal(kernel.Epoch.Add(90 * time.Second)) {
		t.Errorf("created at %s", got)
	}
	if len(a.GetUID()) != 36 {
		t.Errorf("uid %q", a.GetUID())
	}
}

func TestGenerationCountsChangesOfSpec(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := func(obj client.Object, n int64, why string) {
		t.Helper()
		if obj.GetGeneration() != n {
			t.Errorf("%s: generation %d, want %d", why, obj.GetGeneration(), n)
		}
	}
	g := newGadget("g")
	w.create(g)
	want(g, 1, "a new object")
	g.SetLabels(map[string]string{"a": "b"})
	w.update(g)
	want(g, 1, "metadata does not count")
	_ = unstructured.SetNestedField(g.Object, "x", "status", "phase")
	w.updateStatus(g)
	want(g, 1, "status does not count")
	_ = unstructured.SetNestedField(g.Object, int64(2), "spec", "size")
	w.update(g)
	want(g, 2, "spec counts")

	p := tree(plain, "ns", "p", map[string]any{"status": map[string]any{"phase": "x"}})
	w.create(p)
	if v, _, _ := unstructured.NestedString(p.Object, "status", "phase"); v != "x" {
		t.Error("a kind without a status subresource lost its status on create")
	}
	_ = unstructured.SetNestedField(p.Object, "y", "status", "phase")
	w.update(p)
	want(p, 2, "without a status subresource, status counts")

	pod := simplePod("p")
	w.create(pod)
	want(pod, 1, "a new Pod")
	pod.Spec.Containers[0].Image = "busybox:2"
	w.update(pod)
	want(pod, 2, "a Pod's spec counts")
	cm := simpleConfigMap("c")
	w.create(cm)
	cm.Data["k"] = "new"
	w.update(cm)
	want(cm, 0, "ConfigMaps have no generation")
}

func TestStatusAndSpecAreWrittenSeparately(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	t.Run("custom kind", func(t *testing.T) {
		g := newGadget("g")
		g.Object["status"] = map[string]any{"phase": "smuggled"}
		w.create(g)
		if _, found := g.Object["status"]; found {
			t.Error("status was set on create")
		}
		g.Object["status"] = map[string]any{"phase": "smuggled"}
		_ = unstructured.SetNestedField(g.Object, int64(2), "spec", "size")
		w.update(g)
		if _, found := g.Object["status"]; found {
			t.Error("status was set through the main endpoint")
		}
		g.Object["status"] = map[string]any{"phase": "x"}
		_ = unstructured.SetNestedField(g.Object, int64(99), "spec", "size")
		g.SetLabels(map[string]string{"smuggled": "yes"})
		w.updateStatus(g)
		size, _, _ := unstructured.NestedInt64(g.Object, "spec", "size")
		phase, _, _ := unstructured.NestedString(g.Object, "status", "phase")
		if size != 2 || phase != "x" || len(g.GetLabels()) != 0 {
			t.Errorf("after a status update: size %d, phase %s, labels %v", size, phase, g.GetLabels())
		}
	})
	t.Run("pod", func(t *testing.T) {
		pod := simplePod("p")
		pod.Status.Phase = corev1.PodRunning
		w.create(pod)
		if pod.Status.Phase != corev1.PodPending || pod.Status.QOSClass != corev1.PodQOSBestEffort {
			t.Errorf("status of a new Pod: %+v", pod.Status)
		}
		pod.Status.Phase = corev1.PodRunning
		pod.Labels = map[string]string{"a": "b"}
		w.update(pod)
		if pod.Status.Phase != corev1.PodPending || pod.Labels["a"] != "b" {
			t.Errorf("after an update: phase %s, labels %v", pod.Status.Phase, pod.Labels)
		}
		pod.Status.Phase = corev1.PodRunning
		pod.Spec.Containers[0].Image = "other"
		pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "x", UID: "1"}}
		pod.Labels["c"] = "d"
		w.updateStatus(pod)
		if pod.Status.Phase != corev1.PodRunning || pod.Spec.Containers[0].Image != "busybox:1" || pod.OwnerReferences != nil {
			t.Errorf("after a status update: %+v", pod)
		}
		if pod.Labels["c"] != "d" {
			t.Error("pods/status lets kubelets change labels, and did not")
		}
	})
}

func TestNoOpWritesKeepTheResourceVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cm := simpleConfigMap("a")
	w.create(cm)
	pod := simplePod("p")
	w.create(pod)
	before := w.ResourceVersion()
	w.update(cm)
	w.update(pod)
	w.updateStatus(pod)
	if err := w.c.Patch(ctx, cm, client.RawPatch(types.MergePatchType, []byte(`{"data":{"k":"v"}}`))); err != nil {
		t.Fatal(err)
	}
	if w.ResourceVersion() != before {
		t.Errorf("resourceVersion went from %s to %s", before, w.ResourceVersion())
	}
}

func TestAnswersAreCopies(t *testing.T) {
	t.Parallel()
	w := newWorld(t) // verifies shared objects at the end
	cm := simpleConfigMap("a")
	w.create(cm)
	cm.Data["k"] = "changed by the client that created it"
	var list corev1.ConfigMapList
	if err := w.c.List(ctx, &list, client.InNamespace("ns")); err != nil {
		t.Fatal(err)
	}
	for i := range list.Items {
		for k := range list.Items[i].Data {
			list.Items[i].Data[k] = "changed by the client that listed it"
		}
	}
	var got corev1.ConfigMap
	if err := w.c.Get(ctx, key("ns", "a"), &got); err != nil {
		t.Fatal(err)
	}
	if got.Data["k"] != "v" {
		t.Errorf("stored: %q", got.Data["k"])
	}
}

func TestModifyingSharedObjectsIsFound(t *testing.T) {
	t.Parallel()
	k := kernel.New(kernel.Options{})
	s := apiserver.New(apiserver.Options{Kernel: k, VerifyShared: true})
	if err := s.CreateNamespace("ns", nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Client("test").Create(ctx, simpleConfigMap("a")); err != nil {
		t.Fatal(err)
	}
	s.Shared(corev1.SchemeGroupVersion.WithKind("ConfigMap"), key("ns", "a")).(*corev1.ConfigMap).Data["k"] = "oops"
	errs := s.VerifyShared()
	var modified *apiserver.SharedModifiedError
	if len(errs) != 1 || !errors.As(errs[0], &modified) || modified.Key.Name != "a" {
		t.Errorf("found %v", errs)
	}
}

func TestListsAreInTheOrderOfKeysAndInPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, ns := range []string{"a", "a-b"} {
		if err := w.CreateNamespace(ns, nil); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 700 {
		g := newGadget(fmt.Sprintf("g-%03d", i*11%700))
		g.SetNamespace([]string{"a", "a-b"}[i%2])
		w.create(g)
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(gadget.GroupVersion().WithKind("GadgetList"))
	var names []string
	for pages := 1; ; pages++ {
		if err := w.c.List(ctx, list, client.Limit(100), client.Continue(list.GetContinue())); err != nil {
			t.Fatal(err)
		}
		for _, o := range list.Items {
			names = append(names, o.GetNamespace()+"/"+o.GetName())
		}
		if left := list.GetRemainingItemCount(); left != nil && int(*left) != 700-len(names) {
			t.Errorf("page %d: %d remain, said %d", pages, 700-len(names), *left)
		}
		if list.GetContinue() == "" {
			if pages != 7 {
				t.Errorf("%d pages", pages)
			}
			break
		}
	}
	// etcd has a-b/ before a/: a dash sorts before a slash.
	if len(names) != 700 || names[0] != "a-b/g-000" && !strings.HasPrefix(names[0], "a-b/") || !strings.HasPrefix(names[699], "a/") {
		t.Errorf("%d names from %s to %s", len(names), names[0], names[len(names)-1])
	}
	for i := 1; i < len(names); i++ {
		if names[i-1] >= names[i] {
			t.Fatalf("%s comes before %s", names[i-1], names[i])
		}
	}
	if list.GetResourceVersion() != w.ResourceVersion() {
		t.Error("the list has no resourceVersion")
	}
}

func TestSelectors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 4 {
		pod := simplePod(fmt.Sprint("p", i))
		pod.Labels = map[string]string{"even": fmt.Sprint(i%2 == 0), "n": fmt.Sprint(i)}
		w.create(pod)
		if i < 2 {
			if err := w.c.SubResource("binding").Create(ctx, pod, &corev1.Binding{Target: corev1.ObjectReference{Name: "node"}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	notEqual := fields.OneTermNotEqualSelector("spec.nodeName", "node")
	for _, test := range []struct {
		reason string
		opts   []client.ListOption
		want   string
	}{
		{"by label", []client.ListOption{client.MatchingLabels{"even": "true"}}, "p0 p2"},
		{"by existence of a label", []client.ListOption{client.HasLabels{"n"}}, "p0 p1 p2 p3"},
		{"by two labels", []client.ListOption{client.MatchingLabels{"even": "true", "n": "2"}}, "p2"},
		{"by name", []client.ListOption{client.MatchingFields{"metadata.name": "p3"}}, "p3"},
		{"by name and label", []client.ListOption{client.MatchingFields{"metadata.name": "p3"}, client.MatchingLabels{"even": "true"}}, ""},
		{"by node", []client.ListOption{client.MatchingFields{"spec.nodeName": "node"}}, "p0 p1"},
		{"by not being on a node", []client.ListOption{client.MatchingFieldsSelector{Selector: notEqual}}, "p2 p3"},
		{"by phase", []client.ListOption{client.MatchingFields{"status.phase": "Running"}}, ""},
		{"by account", []client.ListOption{client.MatchingFields{"spec.serviceAccountName": "default"}}, "p0 p1 p2 p3"},
		{"as raw options", []client.ListOption{&client.ListOptions{Raw: &metav1.ListOptions{LabelSelector: "n in (1,2)"}}}, "p1 p2"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			var list corev1.PodList
			if err := w.c.List(ctx, &list, append(test.opts, client.InNamespace("ns"))...); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range list.Items {
				got = append(got, p.Name)
			}
			if s := strings.Join(got, " "); s != test.want {
				t.Errorf("got %q, want %q", s, test.want)
			}
		})
	}
}

func TestFinalizersHoldDeletions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := newGadget("g")
	g.SetFinalizers([]string{"example.com/a", "example.com/b"})
	w.create(g)
	w.delete(g)
	w.get(g)
	if g.GetDeletionTimestamp() == nil || *g.GetDeletionGracePeriodSeconds() != 0 || g.GetGeneration() != 2 {
		t.Fatalf("a held deletion: %v", g.Object["metadata"])
	}
	version := g.GetResourceVersion()
	w.delete(g) // once more changes nothing
	w.get(g)
	if g.GetResourceVersion() != version {
		t.Error("a second deletion was a write")
	}
	more := g.DeepCopy()
	more.SetFinalizers([]string{"example.com/a", "example.com/b", "example.com/c"})
	refused(t, w.c.Update(ctx, more), 422, metav1.StatusReasonInvalid,
		`Gadget.example.com "g" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/c"}`)
	g.SetFinalizers([]string{"example.com/b"})
	w.update(g)
	if w.gone(g.DeepCopy()) {
		t.Fatal("gone although a finalizer is left")
	}
	if err := w.c.Patch(ctx, g, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))); err != nil {
		t.Fatal(err)
	}
	if !w.gone(g) {
		t.Error("still there although no finalizer is left")
	}
}

func TestPropagationPoliciesSetFinalizers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for policy, want := range map[metav1.DeletionPropagation]string{
		metav1.DeletePropagationForeground: metav1.FinalizerDeleteDependents,
		metav1.DeletePropagationOrphan:     metav1.FinalizerOrphanDependents,
	} {
		cm := simpleConfigMap("c-" + strings.ToLower(string(policy)))
		w.create(cm)
		w.delete(cm, client.PropagationPolicy(policy))
		w.get(cm)
		if len(cm.Finalizers) != 1 || cm.Finalizers[0] != want || cm.DeletionTimestamp == nil {
			t.Errorf("%s: finalizers %v", policy, cm.Finalizers)
		}
	}
	cm := simpleConfigMap("background")
	w.create(cm)
	w.delete(cm, client.PropagationPolicy(metav1.DeletePropagationBackground))
	if !w.gone(cm) {
		t.Error("a background deletion waits")
	}
}

func TestDeleteAllOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 4 {
		cm := simpleConfigMap(fmt.Sprint("c", i))
		cm.Labels = map[string]string{"even": fmt.Sprint(i%2 == 0)}
		w.create(cm)
	}
	if err := w.c.DeleteAllOf(ctx, &corev1.ConfigMap{}, client.InNamespace("ns"), client.MatchingLabels{"even": "true"}); err != nil {
		t.Fatal(err)
	}
	var list corev1.ConfigMapList
	if err := w.c.List(ctx, &list, client.InNamespace("ns"), client.HasLabels{"even"}); err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != 2 || list.Items[0].Name != "c1" || list.Items[1].Name != "c3" {
		t.Errorf("left: %d", len(list.Items))
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.ResourceVersion()
	pod := simplePod("p")
	w.create(pod, client.DryRunAll)
	if pod.UID == "" || pod.Spec.RestartPolicy != corev1.RestartPolicyAlways {
		t.Error("a dry run does not answer what would have been")
	}
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: apiserver.RootCAConfigMap}}
	w.get(cm)
	cm.Data = nil
	if err := w.c.Update(ctx, cm, client.DryRunAll); err != nil {
		t.Fatal(err)
	}
	w.delete(cm, client.DryRunAll)
	if w.ResourceVersion() != before || w.gone(cm) {
		t.Error("a dry run was a write")
	}
}

func TestInterceptorsStandInFrontOfEveryRequest(t *testing.T) {
	t.Parallel()
	var seen []string
	lose := false
	w := newWorld(t, func(o *apiserver.Options) {
		o.Intercept = []apiserver.Interceptor{func(c *apiserver.Call, next func() error) error {
			if c.Actor != "test" {
				return next()
			}
			seen = append(seen, strings.TrimSuffix(fmt.Sprintf("%s %s/%s %s", c.Verb, c.Resource.Resource, c.Subresource, c.Name), " "))
			err := next()
			if lose {
				return apierrors.NewTimeoutError("the answer was lost", 1)
			}
			return err
		}}
	})
	pod := simplePod("p")
	w.create(pod)
	w.get(pod)
	w.updateStatus(pod)
	_ = w.c.List(ctx, &corev1.PodList{})
	_ = w.c.Patch(ctx, pod, client.RawPatch(types.MergePatchType, []byte(`{}`)))
	_ = w.c.SubResource("binding").Create(ctx, pod, &corev1.Binding{Target: corev1.ObjectReference{Name: "n"}})
	lose = true
	if err := w.c.Delete(ctx, pod, client.GracePeriodSeconds(0)); !apierrors.IsTimeout(err) {
		t.Errorf("error %v, want a timeout", err)
	}
	lose = false
	if !w.gone(pod) {
		t.Error("the deletion was lost with its answer")
	}
	want := []string{"create pods/ p", "get pods/ p", "update pods/status p", "list pods/", "patch pods/ p", "create pods/binding p", "delete pods/ p", "get pods/ p"}
	if d := cmp.Diff(want, seen); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
}

func TestMappingOfKinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m, err := w.c.RESTMapper().RESTMapping(gadget.GroupKind())
	if err != nil || m.Resource.Resource != "gadgets" || m.Scope.Name() != meta.RESTScopeNameNamespace {
		t.Errorf("mapping %+v, error %v", m, err)
	}
	if ok, err := w.c.IsObjectNamespaced(&corev1.Node{}); ok || err != nil {
		t.Errorf("Nodes are namespaced: %v, %v", ok, err)
	}
	if gvk, err := w.c.GroupVersionKindFor(&corev1.PodList{}); err != nil || gvk.Kind != "PodList" {
		t.Errorf("kind of a PodList: %v, %v", gvk, err)
	}
	g := tree(global, "ignored", "g", nil)
	w.create(g)
	if g.GetNamespace() != "" {
		t.Errorf("a global object in namespace %q", g.GetNamespace())
	}
}
