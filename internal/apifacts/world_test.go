package apifacts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

var ctx = context.Background()

// row is a fact, or a few that belong together.
type row struct {
	name string
	ask  func(*world)
}

// world is one server as a row sees it, with a namespace of its own.
type world struct {
	t      *testing.T
	client client.WithWatch
	ns     string
	// settle lets what is under way arrive; it returns at once when something did.
	settle func(arrived func() bool)
	lines  []string
}

// ask puts a row to a server and returns the lines.
func (r row) on(t *testing.T, c client.WithWatch, ns string, settle func(func() bool)) []string {
	t.Helper()
	w := &world{t: t, client: c, ns: ns, settle: settle}
	if err := c.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}); err != nil {
		t.Fatal(err)
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default", Namespace: ns}}
	if err := c.Create(ctx, account); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	r.ask(w)
	return w.lines
}

var replacements = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "UID"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z`), "MICROTIME"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "TIME"},
	{regexp.MustCompile(`, current: \d+`), ", current: N"},
	{regexp.MustCompile(`too old resource version: \d+ \(\d+\)`), "too old resource version: N (N)"},
	{regexp.MustCompile(`patch: Invalid value: "\{.*?\}": `), `patch: Invalid value: "OBJECT": `},
	{regexp.MustCompile(`kube-api-access-[a-z0-9]{5}`), "kube-api-access-RANDOM"},
	{regexp.MustCompile(`generated-[a-z0-9]{5}\b`), "generated-RANDOM"},
}

// note adds a line.
func (w *world) note(format string, args ...any) {
	line := strings.ReplaceAll(fmt.Sprintf(format, args...), w.ns, "NS")
	for _, r := range replacements {
		line = r.pattern.ReplaceAllString(line, r.with)
	}
	w.lines = append(w.lines, strings.ReplaceAll(line, "\n", `\n`))
}

// answer notes how a request went.
func (w *world) answer(what string, err error) bool {
	w.note("%s: %s", what, describe(err))
	return err == nil
}

// describe renders an error with everything that a client can decide on.
func describe(err error) string {
	var status apierrors.APIStatus
	switch {
	case err == nil:
		return "ok"
	case !errors.As(err, &status):
		return "client: " + err.Error()
	}
	s := status.Status()
	out := fmt.Sprintf("%d %s: %s", s.Code, s.Reason, s.Message)
	if d := s.Details; d != nil {
		out += fmt.Sprintf(" | %s.%s %q", d.Kind, d.Group, d.Name)
		if d.RetryAfterSeconds != 0 {
			out += fmt.Sprintf(" retry after %d s", d.RetryAfterSeconds)
		}
		for _, c := range d.Causes {
			out += fmt.Sprintf(" | %s %s: %s", c.Type, c.Field, c.Message)
		}
	}
	return out
}

// object reads a manifest; $NS stands for the row's namespace.
func (w *world) object(manifest string) *unstructured.Unstructured {
	w.t.Helper()
	u := &unstructured.Unstructured{}
	data, err := yaml.YAMLToJSON([]byte(strings.ReplaceAll(manifest, "$NS", w.ns)))
	if err == nil {
		err = u.UnmarshalJSON(data)
	}
	if err != nil {
		w.t.Fatalf("%v in\n%s", err, manifest)
	}
	if u.GetNamespace() == "" && !slices.Contains([]string{"Namespace", "Node", "CustomResourceDefinition", "ClusterTask", "PriorityClass"}, u.GetKind()) {
		u.SetNamespace(w.ns)
	}
	return u
}

func label(o client.Object) string {
	name := o.GetName()
	if name == "" {
		name = o.GetGenerateName() + "*"
	}
	return o.GetObjectKind().GroupVersionKind().Kind + " " + name
}

// create creates a manifest's object, and notes the answer.
func (w *world) create(manifest string, opts ...client.CreateOption) *unstructured.Unstructured {
	w.t.Helper()
	o := w.object(manifest)
	what := "create " + label(o)
	w.answer(what, w.client.Create(ctx, o, opts...))
	return o
}

// given is create for what a row takes for granted.
func (w *world) given(manifest string) *unstructured.Unstructured {
	w.t.Helper()
	o := w.object(manifest)
	if err := w.client.Create(ctx, o); err != nil {
		w.t.Fatalf("%s: %v", label(o), err)
	}
	return o
}

func (w *world) update(o *unstructured.Unstructured, opts ...client.UpdateOption) bool {
	return w.answer("update "+label(o), w.client.Update(ctx, o, opts...))
}

func (w *world) updateStatus(o *unstructured.Unstructured) bool {
	return w.answer("update status of "+label(o), w.client.Status().Update(ctx, o))
}

// patch patches an object, and takes in the answer.
func (w *world) patch(o *unstructured.Unstructured, t types.PatchType, body string, opts ...client.PatchOption) bool {
	kind, _, _ := strings.Cut(strings.TrimPrefix(string(t), "application/"), "+")
	body = strings.ReplaceAll(body, "$NS", w.ns)
	return w.answer(kind+" "+label(o), w.client.Patch(ctx, o, client.RawPatch(t, []byte(body)), opts...))
}

func (w *world) delete(o *unstructured.Unstructured, opts ...client.DeleteOption) bool {
	return w.answer("delete "+label(o), w.client.Delete(ctx, o, opts...))
}

// get reads the object again.
func (w *world) get(o *unstructured.Unstructured) bool {
	fresh := &unstructured.Unstructured{}
	fresh.SetGroupVersionKind(o.GroupVersionKind())
	err := w.client.Get(ctx, client.ObjectKeyFromObject(o), fresh)
	if err != nil {
		return w.answer("get "+label(o), err)
	}
	o.Object = fresh.Object
	return true
}

// fields notes fields of an object by path.
func (w *world) fields(o *unstructured.Unstructured, paths ...string) {
	for _, path := range paths {
		w.note("  %s = %s", path, value(o.Object, path))
	}
}

// value finds a field by its path (a.b[0].c) and renders it as JSON.
func value(tree any, path string) string {
	for _, part := range regexp.MustCompile(`[^.\[\]]+|\[\d+\]`).FindAllString(path, -1) {
		switch at := tree.(type) {
		case map[string]any:
			v, ok := at[strings.ReplaceAll(part, "~", ".")]
			if !ok {
				return "absent"
			}
			tree = v
		case []any:
			var i int
			if _, err := fmt.Sscanf(part, "[%d]", &i); err != nil || i >= len(at) {
				return "absent"
			}
			tree = at[i]
		default:
			return "absent"
		}
	}
	out, err := json.Marshal(tree)
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// list notes the names of a list.
func (w *world) list(apiVersion, kind string, opts ...client.ListOption) *unstructured.UnstructuredList {
	l := &unstructured.UnstructuredList{}
	l.SetAPIVersion(apiVersion)
	l.SetKind(kind + "List")
	err := w.client.List(ctx, l, append([]client.ListOption{client.InNamespace(w.ns)}, opts...)...)
	if err != nil {
		w.answer("list "+kind, err)
		return l
	}
	var names []string
	for _, item := range l.Items {
		names = append(names, item.GetName())
	}
	w.note("list %s: %q", kind, names)
	return l
}

// events is a watch.
type events struct {
	w     *world
	inner watch.Interface
}

// watch begins a watch of the row's namespace.
func (w *world) watch(apiVersion, kind string, opts ...client.ListOption) *events {
	l := &unstructured.UnstructuredList{}
	l.SetAPIVersion(apiVersion)
	l.SetKind(kind + "List")
	inner, err := w.client.Watch(ctx, l, append([]client.ListOption{client.InNamespace(w.ns)}, opts...)...)
	if err != nil {
		w.answer("watch "+kind, err)
		return nil
	}
	w.t.Cleanup(inner.Stop)
	return &events{w: w, inner: inner}
}

// next notes the next n events, and fields of their objects.
func (e *events) next(n int, paths ...string) {
	if e == nil {
		return
	}
	for range n {
		var got watch.Event
		e.w.settle(func() bool {
			select {
			case got = <-e.inner.ResultChan():
				return true
			default:
				return false
			}
		})
		switch o := got.Object.(type) {
		case *unstructured.Unstructured:
			e.w.note("event %s %s", got.Type, o.GetName())
			e.w.fields(o, paths...)
		case *metav1.Status:
			e.w.note("event %s %d %s: %s", got.Type, o.Code, o.Reason, o.Message)
		default:
			e.w.note("event: none")
			return
		}
	}
}

const (
	// patience is how long a watch of a real server is waited for.
	patience = 5 * time.Second
	// moment is how long an event takes from the kernel to its reader.
	moment = 50 * time.Millisecond
)

// closes notes whether a watch ends. How many bookmarks come before is a matter of time.
func (e *events) closes() {
	if e == nil {
		return
	}
	closed := false
	e.w.settle(func() bool {
		select {
		case got, open := <-e.inner.ResultChan():
			switch {
			case open && got.Type == watch.Bookmark:
				return false
			case open:
				e.w.note("event %s instead of the end", got.Type)
			}
			closed = !open
			return true
		default:
			return false
		}
	})
	e.w.note("watch has ended: %v", closed)
}
