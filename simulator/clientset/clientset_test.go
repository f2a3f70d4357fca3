package clientset_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	policyv1beta1 "k8s.io/api/policy/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/clientset"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

const ns = "default"

// taskRun stands for a kind without a Go type.
var taskRun = schema.GroupVersionKind{Group: "tekton.dev", Version: "v1beta1", Kind: "TaskRun"}

// world is a server with its clients, on one goroutine.
type world struct {
	k *kernel.Kernel
	s *apiserver.Server
	o clientset.Options
	c *clientset.Clientset
}

func newWorld(t *testing.T) *world {
	t.Helper()
	k := kernel.New(kernel.Options{Seed: 1})
	s := apiserver.New(apiserver.Options{Kernel: k, Kinds: []apiserver.Kind{{GVK: taskRun, Plural: "taskruns", Namespaced: true, Status: true}}})
	if err := s.CreateNamespace(ns, nil); err != nil {
		t.Fatal(err)
	}
	w := &world{k: k, s: s, o: clientset.Options{Server: s, Actor: "subject", Actions: 10,
		Logs: func(_, pod, container string) ([]byte, error) {
			if container == "late" {
				return nil, errors.New("ContainerCreating")
			}
			return []byte("first\nsecond of " + pod + "\nthird\n"), nil
		}}}
	w.c = clientset.New(w.o)
	return w
}

func pod(name string, labels map[string]string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "busybox"}}}}
}

func (w *world) pod(t *testing.T, name string, labels map[string]string) *corev1.Pod {
	t.Helper()
	p, err := w.c.CoreV1().Pods(ns).Create(t.Context(), pod(name, labels), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestARequestIsAnsweredByTheServer(t *testing.T) {
	t.Parallel()
	uid := types.UID("another")
	foreground := metav1.DeletePropagationForeground
	for _, tt := range []struct {
		reason string
		do     func(context.Context, *world, *corev1.Pod) (string, error)
		want   string
		err    string // of the error, if one is wanted
	}{
		{"a creation is defaulted", func(_ context.Context, _ *world, p *corev1.Pod) (string, error) {
			return fmt.Sprint(p.Namespace, " ", p.Spec.RestartPolicy, " ", p.Status.Phase, " ", p.UID != "", " ", p.ResourceVersion != ""), nil
		}, "default Always Pending true true", ""},
		{"an unknown name is not found", func(ctx context.Context, w *world, _ *corev1.Pod) (string, error) {
			_, err := w.c.CoreV1().Pods(ns).Get(ctx, "other", metav1.GetOptions{})
			return fmt.Sprint(apierrors.IsNotFound(err)), err
		}, "true", `pods "other" not found`},
		{"a dry run leaves nothing", func(ctx context.Context, w *world, _ *corev1.Pod) (string, error) {
			if _, err := w.c.CoreV1().Pods(ns).Create(ctx, pod("dry", nil), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}); err != nil {
				return "", err
			}
			_, err := w.c.CoreV1().Pods(ns).Get(ctx, "dry", metav1.GetOptions{})
			return "", err
		}, "", `pods "dry" not found`},
		{"an object of another namespace is refused", func(ctx context.Context, w *world, _ *corev1.Pod) (string, error) {
			p := pod("other", nil)
			p.Namespace = "elsewhere"
			_, err := w.c.CoreV1().Pods(ns).Create(ctx, p, metav1.CreateOptions{})
			return "", err
		}, "", "the namespace of the provided object does not match the namespace sent on the request"},
		{"an update of an old version is a conflict", func(ctx context.Context, w *world, p *corev1.Pod) (string, error) {
			old := p.DeepCopy()
			p.Labels = map[string]string{"a": "b"}
			if _, err := w.c.CoreV1().Pods(ns).Update(ctx, p, metav1.UpdateOptions{}); err != nil {
				return "", err
			}
			old.Labels = map[string]string{"a": "c"}
			_, err := w.c.CoreV1().Pods(ns).Update(ctx, old, metav1.UpdateOptions{})
			return fmt.Sprint(apierrors.IsConflict(err)), err
		}, "true", "the object has been modified"},
		{"a status update changes the status alone", func(ctx context.Context, w *world, p *corev1.Pod) (string, error) {
			p.Status.Message, p.Spec.Containers[0].Image = "seen", "alpine"
			got, err := w.c.CoreV1().Pods(ns).UpdateStatus(ctx, p, metav1.UpdateOptions{})
			return got.Status.Message + " " + got.Spec.Containers[0].Image, err
		}, "seen busybox", ""},
		{"an update does not change the status", func(ctx context.Context, w *world, p *corev1.Pod) (string, error) {
			p.Status.Message, p.Spec.Containers[0].Image = "seen", "alpine"
			got, err := w.c.CoreV1().Pods(ns).Update(ctx, p, metav1.UpdateOptions{})
			return got.Status.Message + " " + got.Spec.Containers[0].Image, err
		}, " alpine", ""},
		{"a patch of the status", func(ctx context.Context, w *world, _ *corev1.Pod) (string, error) {
			got, err := w.c.CoreV1().Pods(ns).Patch(ctx, "p", types.MergePatchType, []byte(`{"status":{"message":"seen"},"metadata":{"labels":{"a":"b"}}}`), metav1.PatchOptions{}, "status")
			return got.Status.Message, err
		}, "seen", ""},
		{"a JSON patch", func(ctx context.Context, w *world, _ *corev1.Pod) (string, error) {
			got, err := w.c.CoreV1().Pods(ns).Patch(ctx, "p", types.JSONPatchType, []byte(`[{"op":"add","path":"/metadata/annotations","value":{"a":"b"}}]`), metav1.PatchOptions{})
			return got.Annotations["a"], err
		}, "b", ""},
		{"a strategic merge patch knows the keys of lists", func(ctx context.Context, w *world, _ *corev1.Pod) (string, error) {
			got, err := w.c.CoreV1().Pods(ns).Patch(ctx, "p", types.StrategicMergePatchType, []byte(`{"spec":{"containers":[{"name":"main","image":"alpine"}]}}`), metav1.PatchOptions{})
			return fmt.Sprint(len(got.Spec.Containers), " ", got.Spec.Containers[0].Image), err
		}, "1 alpine", ""},
		{"a deletion honours preconditions", func(ctx context.Context, w *world, _ *corev1.Pod) (string, error) {
			err := w.c.CoreV1().Pods(ns).Delete(ctx, "p", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
			return fmt.Sprint(apierrors.IsConflict(err)), err
		}, "true", "the UID in the precondition (another) does not match"},
		{"and the grace period", func(ctx context.Context, w *world, _ *corev1.Pod) (string, error) {
			if err := w.bind(ctx); err != nil {
				return "", err
			}
			grace := int64(7)
			if err := w.c.CoreV1().Pods(ns).Delete(ctx, "p", metav1.DeleteOptions{GracePeriodSeconds: &grace}); err != nil {
				return "", err
			}
			p, err := w.c.CoreV1().Pods(ns).Get(ctx, "p", metav1.GetOptions{})
			return fmt.Sprint(*p.DeletionGracePeriodSeconds), err
		}, "7", ""},
		{"and the propagation policy", func(ctx context.Context, w *world, _ *corev1.Pod) (string, error) {
			if err := w.c.CoreV1().Pods(ns).Delete(ctx, "p", metav1.DeleteOptions{PropagationPolicy: &foreground}); err != nil {
				return "", err
			}
			p, err := w.c.CoreV1().Pods(ns).Get(ctx, "p", metav1.GetOptions{})
			return fmt.Sprint(p.Finalizers), err
		}, "[foregroundDeletion]", ""},
		{"and the outdated way to say orphan", func(ctx context.Context, w *world, _ *corev1.Pod) (string, error) {
			orphan := true
			if err := w.c.CoreV1().Pods(ns).Delete(ctx, "p", metav1.DeleteOptions{OrphanDependents: &orphan}); err != nil { //nolint:staticcheck // clients may still send it
				return "", err
			}
			p, err := w.c.CoreV1().Pods(ns).Get(ctx, "p", metav1.GetOptions{})
			return fmt.Sprint(p.Finalizers), err
		}, "[orphan]", ""},
		{"and a dry run", func(ctx context.Context, w *world, _ *corev1.Pod) (string, error) {
			if err := w.c.CoreV1().Pods(ns).Delete(ctx, "p", metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}}); err != nil {
				return "", err
			}
			p, err := w.c.CoreV1().Pods(ns).Get(ctx, "p", metav1.GetOptions{})
			return p.Name, err
		}, "p", ""},
		{"a Pod is bound", func(ctx context.Context, w *world, _ *corev1.Pod) (string, error) {
			if err := w.bind(ctx); err != nil {
				return "", err
			}
			p, err := w.c.CoreV1().Pods(ns).Get(ctx, "p", metav1.GetOptions{})
			return p.Spec.NodeName, err
		}, "node", ""},
		{"a Pod is evicted", func(ctx context.Context, w *world, _ *corev1.Pod) (string, error) {
			if err := w.c.CoreV1().Pods(ns).EvictV1(ctx, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: ns}}); err != nil {
				return "", err
			}
			_, err := w.c.CoreV1().Pods(ns).Get(ctx, "p", metav1.GetOptions{})
			return "", err
		}, "", `pods "p" not found`},
		{"by the older API too, under its options", func(ctx context.Context, w *world, _ *corev1.Pod) (string, error) {
			err := w.c.CoreV1().Pods(ns).EvictV1beta1(ctx, &policyv1beta1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: ns},
				DeleteOptions: &metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}})
			return "", err
		}, "", "the UID in the precondition (another) does not match"},
		{"the finalizers of a namespace", func(ctx context.Context, w *world, _ *corev1.Pod) (string, error) {
			n, err := w.c.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
			if err != nil {
				return "", err
			}
			n.Spec.Finalizers = nil
			n, err = w.c.CoreV1().Namespaces().Finalize(ctx, n, metav1.UpdateOptions{})
			return fmt.Sprint(len(n.Spec.Finalizers)), err
		}, "0", ""},
		{"a subresource that is not served is not found", func(ctx context.Context, w *world, p *corev1.Pod) (string, error) {
			_, err := w.c.CoreV1().Pods(ns).UpdateEphemeralContainers(ctx, "p", p, metav1.UpdateOptions{})
			return fmt.Sprint(apierrors.IsNotFound(err)), err
		}, "true", "the server could not find the requested resource"},
		{"nor is a kind that is not served", func(ctx context.Context, w *world, _ *corev1.Pod) (string, error) {
			_, err := w.c.BatchV1().Jobs(ns).List(ctx, metav1.ListOptions{})
			return fmt.Sprint(apierrors.IsNotFound(err)), err
		}, "true", "the server could not find the requested resource"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			got, err := tt.do(t.Context(), w, w.pod(t, "p", nil))
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if text := fmt.Sprint(err); (tt.err == "") != (err == nil) || !strings.Contains(text, tt.err) && err != nil {
				t.Errorf("error %q, want %q", text, tt.err)
			}
		})
	}
}

func (w *world) bind(ctx context.Context) error {
	return w.c.CoreV1().Pods(ns).Bind(ctx, &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: ns}, Target: corev1.ObjectReference{Kind: "Node", Name: "node"}}, metav1.CreateOptions{})
}

func TestListsAndDeletionsSelect(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		o      metav1.ListOptions
		want   []string
	}{
		{"all", metav1.ListOptions{}, []string{"a", "b", "c"}},
		{"by label", metav1.ListOptions{LabelSelector: "app in (x),!old"}, []string{"a"}},
		{"by name", metav1.ListOptions{FieldSelector: "metadata.name=b"}, []string{"b"}},
		{"by a field that is not the name", metav1.ListOptions{FieldSelector: "spec.nodeName=node"}, []string{"c"}},
		{"by both", metav1.ListOptions{FieldSelector: "metadata.name!=a", LabelSelector: "app=x"}, []string{"b"}},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.pod(t, "a", map[string]string{"app": "x"})
			w.pod(t, "b", map[string]string{"app": "x", "old": "yes"})
			c := pod("c", nil)
			c.Spec.NodeName = "node"
			if _, err := w.c.CoreV1().Pods(ns).Create(t.Context(), c, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			dynamic := clientset.NewDynamic(w.o, nil).Resource(corev1.SchemeGroupVersion.WithResource("pods")).Namespace(ns)
			list, err := w.c.CoreV1().Pods(ns).List(t.Context(), tt.o)
			if err != nil {
				t.Fatal(err)
			}
			loose, err := dynamic.List(t.Context(), tt.o)
			if err != nil {
				t.Fatal(err)
			}
			var got, gotLoose []string
			for _, p := range list.Items {
				got = append(got, p.Name)
			}
			for _, p := range loose.Items {
				gotLoose = append(gotLoose, p.GetName())
			}
			if !slices.Equal(got, tt.want) || !slices.Equal(gotLoose, tt.want) {
				t.Errorf("listed %q and %q, want %q", got, gotLoose, tt.want)
			}
			if list.ResourceVersion == "" || loose.GetResourceVersion() != list.ResourceVersion {
				t.Errorf("resourceVersions %q and %q", list.ResourceVersion, loose.GetResourceVersion())
			}
			now := int64(0)
			if err := w.c.CoreV1().Pods(ns).DeleteCollection(t.Context(), metav1.DeleteOptions{GracePeriodSeconds: &now}, tt.o); err != nil {
				t.Fatal(err)
			}
			if left := w.s.Len(corev1.SchemeGroupVersion.WithKind("Pod")); left != 3-len(tt.want) {
				t.Errorf("%d are left of 3", left)
			}
		})
	}
}

func TestUnsupportedFieldSelectorIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.c.CoreV1().ConfigMaps(ns).List(t.Context(), metav1.ListOptions{FieldSelector: "data=x"})
	if !apierrors.IsBadRequest(err) {
		t.Errorf("got %v", err)
	}
	if _, err = w.c.CoreV1().ConfigMaps(ns).Watch(t.Context(), metav1.ListOptions{FieldSelector: "data=x"}); !apierrors.IsBadRequest(err) {
		t.Errorf("got %v", err)
	}
}

// TestEveryBuiltInKind goes through all that discovery names, with both clients.
func TestEveryBuiltInKind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	specs := map[string]string{
		"Pod":                   `{"spec":{"containers":[{"name":"main","image":"busybox"}]}}`,
		"PersistentVolumeClaim": `{"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}`,
		"PersistentVolume":      `{"spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"1Gi"},"hostPath":{"path":"/x"}}}`,
		"Event":                 `{"involvedObject":{"namespace":"default"}}`,
		"CustomResourceDefinition": `{"metadata":{"name":"xs.example.com"},"spec":{"group":"example.com","scope":"Namespaced","names":{"kind":"X","plural":"xs"},
			"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}}`,
		"StatefulSet": `{"spec":{"serviceName":"mine","selector":{"matchLabels":{"app":"mine"}},"template":{"metadata":{"labels":{"app":"mine"}},
			"spec":{"containers":[{"name":"main","image":"busybox"}]}}}}`,
		"PriorityClass":      `{"value":7}`,
		"RoleBinding":        `{"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"reader"}}`,
		"ClusterRoleBinding": `{"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"reader"}}`,
	}
	dynamic := clientset.NewDynamic(w.o, map[schema.GroupVersionResource]string{taskRun.GroupVersion().WithResource("taskruns"): "TaskRun"})
	_, lists, err := w.c.Discovery().ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	lists = append(lists, &metav1.APIResourceList{GroupVersion: "tekton.dev/v1beta1", APIResources: []metav1.APIResource{{Name: "taskruns", Kind: "TaskRun", Namespaced: true}}})
	seen := 0
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list.APIResources {
			seen++
			o := &unstructured.Unstructured{Object: map[string]any{}}
			if text := specs[r.Kind]; text != "" {
				if err := o.UnmarshalJSON([]byte(strings.Replace(text, "{", fmt.Sprintf(`{"apiVersion":%q,"kind":%q,`, gv.String(), r.Kind), 1))); err != nil {
					t.Fatal(err)
				}
			}
			o.SetGroupVersionKind(gv.WithKind(r.Kind))
			if o.GetName() == "" {
				o.SetName("mine")
			}
			face := dynamic.Resource(gv.WithResource(r.Name))
			at := face.Namespace(ns)
			if !r.Namespaced {
				at = face
			}
			created, err := at.Create(t.Context(), o, metav1.CreateOptions{})
			if err != nil {
				t.Errorf("%s: %v", r.Kind, err)
				continue
			}
			got, err := at.Get(t.Context(), o.GetName(), metav1.GetOptions{})
			if err != nil {
				t.Errorf("%s: %v", r.Kind, err)
				continue
			}
			if diff := cmp.Diff(created.Object, got.Object); diff != "" || got.GetKind() != r.Kind || got.GetUID() == "" {
				t.Errorf("%s: created and read differ, or are nothing:\n%s", r.Kind, diff)
			}
			listed, err := face.List(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=" + o.GetName()})
			if err != nil || len(listed.Items) != 1 || listed.GetKind() != r.Kind+"List" {
				t.Errorf("%s: listed %v, %v", r.Kind, listed, err)
			}
			if err := at.Delete(t.Context(), o.GetName(), metav1.DeleteOptions{}); err != nil {
				t.Errorf("%s: %v", r.Kind, err)
			}
		}
	}
	if seen < 17 {
		t.Errorf("only %d kinds were seen", seen)
	}
}

func TestDynamicClientReachesSubresources(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	runs := clientset.NewDynamic(w.o, map[schema.GroupVersionResource]string{taskRun.GroupVersion().WithResource("taskruns"): "TaskRunList"}).
		Resource(taskRun.GroupVersion().WithResource("taskruns")).Namespace(ns)
	o := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"timeout": "1h"}}}
	o.SetGroupVersionKind(taskRun)
	o.SetName("run")
	o, err := runs.Create(t.Context(), o, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	o.Object["status"] = map[string]any{"podName": "run-pod"}
	o.Object["spec"] = map[string]any{"timeout": "2h"}
	if o, err = runs.UpdateStatus(t.Context(), o, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"spec": map[string]any{"timeout": "1h"}, "status": map[string]any{"podName": "run-pod"}}
	if diff := cmp.Diff(want, map[string]any{"spec": o.Object["spec"], "status": o.Object["status"]}); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	o, err = runs.Patch(t.Context(), "run", types.MergePatchType, []byte(`{"status":{"podName":"other"}}`), metav1.PatchOptions{}, "status")
	if name, _, _ := unstructured.NestedString(o.Object, "status", "podName"); err != nil || name != "other" {
		t.Errorf("patched %q, %v", name, err)
	}
	w.pod(t, "p", nil)
	pods := clientset.NewDynamic(w.o, nil).Resource(corev1.SchemeGroupVersion.WithResource("pods")).Namespace(ns)
	eviction := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": map[string]any{"name": "p"}}}
	if _, err := pods.Create(t.Context(), eviction, metav1.CreateOptions{}, "eviction"); err != nil {
		t.Error(err)
	}
	if n := w.s.Len(corev1.SchemeGroupVersion.WithKind("Pod")); n != 0 {
		t.Errorf("%d Pods are left", n)
	}
}

func TestWatchesSelectAndShowWhatHappens(t *testing.T) {
	t.Parallel()
	yes := true
	for _, tt := range []struct {
		reason string
		o      metav1.ListOptions
		want   []string
	}{
		{"existing objects, and then changes", metav1.ListOptions{}, []string{"ADDED a", "ADDED b", "MODIFIED b", "MODIFIED a", "DELETED a"}},
		{"by label, as it begins and ceases to match", metav1.ListOptions{LabelSelector: "app=x"}, []string{"ADDED a", "ADDED b", "MODIFIED a", "DELETED a"}},
		{"by field", metav1.ListOptions{FieldSelector: "metadata.name=b"}, []string{"ADDED b", "MODIFIED b"}},
		{"from a version on", metav1.ListOptions{ResourceVersion: "now"}, []string{"ADDED b", "MODIFIED b", "MODIFIED a", "DELETED a"}},
		{"with a bookmark after the existing objects", metav1.ListOptions{SendInitialEvents: &yes, AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan},
			[]string{"ADDED a", "BOOKMARK ", "ADDED b", "MODIFIED b", "MODIFIED a", "DELETED a"}},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.pod(t, "a", map[string]string{"app": "x"})
			o := tt.o
			if o.ResourceVersion == "now" {
				o.ResourceVersion = w.s.ResourceVersion()
			}
			typed, err := w.c.CoreV1().Pods(ns).Watch(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			loose, err := clientset.NewDynamic(w.o, nil).Resource(corev1.SchemeGroupVersion.WithResource("pods")).Watch(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			own, err := clientset.NewClient(w.o).Watch(t.Context(), &corev1.PodList{}, client.InNamespace(ns), &client.ListOptions{Raw: &o})
			if err != nil {
				t.Fatal(err)
			}
			w.k.RunUntil(w.k.Now().Add(time.Second))
			b := w.pod(t, "b", nil)
			b.Labels = map[string]string{"app": "x"}
			if _, err := w.c.CoreV1().Pods(ns).Update(t.Context(), b, metav1.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
			now := int64(0)
			if err := w.c.CoreV1().Pods(ns).Delete(t.Context(), "a", metav1.DeleteOptions{GracePeriodSeconds: &now}); err != nil {
				t.Fatal(err)
			}
			w.k.RunUntil(w.k.Now().Add(time.Second))
			for i, x := range []watch.Interface{typed, loose, own} {
				var got []string
				for range tt.want {
					e := <-x.ResultChan()
					o, ok := e.Object.(client.Object)
					if !ok {
						t.Fatalf("event %+v", e)
					}
					got = append(got, string(e.Type)+" "+o.GetName())
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("watch %d shows %q, want %q", i, got, tt.want)
				}
				x.Stop()
				if e, open := <-x.ResultChan(); open {
					t.Errorf("watch %d shows %v after its end", i, e)
				}
			}
		})
	}
}

func TestWatchOfAnOldVersionExpires(t *testing.T) {
	t.Parallel()
	k := kernel.New(kernel.Options{})
	s := apiserver.New(apiserver.Options{Kernel: k, History: 1})
	if err := s.CreateNamespace(ns, nil); err != nil {
		t.Fatal(err)
	}
	c := clientset.New(clientset.Options{Server: s, Actor: "subject"})
	for _, name := range []string{"a", "b", "c"} {
		if _, err := c.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.CoreV1().ConfigMaps(ns).Watch(t.Context(), metav1.ListOptions{ResourceVersion: "1"}); !apierrors.IsResourceExpired(err) {
		t.Errorf("got %v", err)
	}
}

// TestChangingAReadObjectDoesNotAffectOthers has readers change the objects that they were given.
func TestChangingAReadObjectDoesNotAffectOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pod(t, "p", map[string]string{"a": "b"})
	seen, err := w.c.CoreV1().Pods(ns).Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.k.RunUntil(w.k.Now().Add(time.Second))
	e := <-seen.ResultChan()
	shown, ok := e.Object.(*corev1.Pod)
	if !ok {
		t.Fatalf("event %+v", e)
	}
	for _, mine := range []*corev1.Pod{p, shown} {
		mine.Labels["a"] = "spoilt"
		mine.Spec.Containers[0].Image = "spoilt"
	}
	stored, ok := w.s.Shared(corev1.SchemeGroupVersion.WithKind("Pod"), client.ObjectKey{Namespace: ns, Name: "p"}).(*corev1.Pod)
	if !ok || stored.Labels["a"] != "b" || stored.Spec.Containers[0].Image != "busybox" {
		t.Errorf("the stored Pod was changed: %+v", stored)
	}
}

func TestLogs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pod(t, "p", nil)
	two := pod("two", nil)
	two.Spec.Containers = append(two.Spec.Containers, corev1.Container{Name: "late", Image: "busybox"})
	two.Spec.InitContainers = []corev1.Container{{Name: "prepare", Image: "busybox"}}
	if _, err := w.c.CoreV1().Pods(ns).Create(t.Context(), two, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	number := func(n int64) *int64 { return &n }
	for _, tt := range []struct {
		pod       string
		o         corev1.PodLogOptions
		want, err string
	}{
		{pod: "p", want: "first\nsecond of p\nthird\n"},
		{pod: "p", o: corev1.PodLogOptions{TailLines: number(2)}, want: "second of p\nthird\n"},
		{pod: "p", o: corev1.PodLogOptions{TailLines: number(9)}, want: "first\nsecond of p\nthird\n"},
		{pod: "p", o: corev1.PodLogOptions{TailLines: number(0)}, want: ""},
		{pod: "p", o: corev1.PodLogOptions{LimitBytes: number(5)}, want: "first"},
		{pod: "two", o: corev1.PodLogOptions{Container: "prepare"}, want: "first\nsecond of two\nthird\n"},
		{pod: "two", err: "a container name must be specified for pod two, choose one of: [main late] or one of the init containers: [prepare]"},
		{pod: "two", o: corev1.PodLogOptions{Container: "other"}, err: "container other is not valid for pod two"},
		{pod: "two", o: corev1.PodLogOptions{Container: "late"}, err: `container "late" in pod "two" is waiting to start: ContainerCreating`},
		{pod: "p", o: corev1.PodLogOptions{Previous: true}, err: `previous terminated container "main" in pod "p" not found`},
		{pod: "none", err: `pods "none" not found`},
	} {
		var got []byte
		stream, err := w.c.CoreV1().Pods(ns).GetLogs(tt.pod, &tt.o).Stream(t.Context())
		if err == nil {
			got, err = io.ReadAll(stream)
		}
		if string(got) != tt.want && err == nil || fmt.Sprint(err) != tt.err && (err != nil || tt.err != "") {
			t.Errorf("%s %+v: got %q, %v; want %q, %s", tt.pod, tt.o, got, err, tt.want, tt.err)
		}
	}
	w.c.PrependReactor("get", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		return a.GetSubresource() == "log", &runtime.Unknown{Raw: []byte("told by a test")}, nil
	})
	if got, err := w.c.CoreV1().Pods(ns).GetLogs("p", nil).DoRaw(t.Context()); string(got) != "told by a test" {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestServerSideApply goes through all three clients.
func TestServerSideApply(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const manager = "me"
	m, err := w.c.CoreV1().ConfigMaps(ns).Apply(t.Context(), applycorev1.ConfigMap("m", ns).WithData(map[string]string{"a": "typed"}), metav1.ApplyOptions{FieldManager: manager})
	if err != nil || m.Data["a"] != "typed" {
		t.Fatalf("got %v, %v", m, err)
	}
	loose := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "m", "namespace": ns}, "data": map[string]any{"b": "dynamic"}}}
	maps := clientset.NewDynamic(w.o, nil).Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).Namespace(ns)
	if _, err := maps.Apply(t.Context(), "m", loose, metav1.ApplyOptions{FieldManager: "other"}); err != nil {
		t.Fatal(err)
	}
	own := client.ApplyConfigurationFromUnstructured(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "m", "namespace": ns}, "data": map[string]any{"b": "stolen"}}})
	if err := clientset.NewClient(w.o).Apply(t.Context(), own, client.FieldOwner(manager)); !apierrors.IsConflict(err) {
		t.Errorf("a field of another manager: %v", err)
	}
	if err := clientset.NewClient(w.o).Apply(t.Context(), own, client.FieldOwner(manager), client.ForceOwnership); err != nil {
		t.Error(err)
	}
	m, err = w.c.CoreV1().ConfigMaps(ns).Get(t.Context(), "m", metav1.GetOptions{})
	if diff := cmp.Diff(map[string]string{"b": "stolen"}, m.Data); err != nil || diff != "" {
		t.Errorf("%v, (-want +got)\n%s", err, diff)
	}
}

// TestRequestInsideARequestDoesNotDeadlock makes a request from an observer, which runs while the fake answers.
func TestRequestInsideARequestDoesNotDeadlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var inside []string
	stop := w.s.Observe(func(c apiserver.Change) {
		list, err := w.c.CoreV1().Pods(ns).List(context.Background(), metav1.ListOptions{})
		inside = append(inside, fmt.Sprint(len(list.Items), " ", err))
	})
	defer stop()
	w.pod(t, "p", nil)
	if !slices.Equal(inside, []string{"1 <nil>"}) {
		t.Errorf("inside: %q", inside)
	}
}

func TestOwnReactorsRunFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.c.PrependReactor("create", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewInternalError(errors.New("as a test wants it"))
	})
	if _, err := w.c.CoreV1().Pods(ns).Create(t.Context(), pod("p", nil), metav1.CreateOptions{}); !apierrors.IsInternalError(err) {
		t.Errorf("got %v", err)
	}
	if n := w.s.Len(corev1.SchemeGroupVersion.WithKind("Pod")); n != 0 {
		t.Errorf("the server has %d Pods", n)
	}
}

func TestLogOfActionsIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t) // remembers 10
	most := 0
	for range 35 {
		if _, err := w.c.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{}); err != nil {
			t.Fatal(err)
		}
		most = max(most, len(w.c.Actions()))
	}
	if most > 10 || most < 5 {
		t.Errorf("it remembered %d actions", most)
	}
}

func TestOneStoreForAllClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pod(t, "p", nil)
	p := &corev1.Pod{}
	if err := clientset.NewClient(w.o).Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "p"}, p); err != nil || p.UID == "" {
		t.Errorf("got %v, %v", p.UID, err)
	}
	u, err := clientset.NewDynamic(w.o, nil).Resource(corev1.SchemeGroupVersion.WithResource("pods")).Namespace(ns).Get(t.Context(), "p", metav1.GetOptions{})
	if err != nil || u.GetUID() != p.UID {
		t.Errorf("got %v, %v", u, err)
	}
}
