package apiserver

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/plumbline-ci/plumbline/simulator/apiserver/roundtrip"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// shape is how the objects of a kind lie in memory: as a Go struct or as a tree.
// All objects it handles but those given to settle are settled.
type shape interface {
	goType() reflect.Type // of the struct; nil for trees
	empty() client.Object
	// settle returns a detached copy as a JSON round trip would leave it. It shares
	// with old, which may be nil, what did not change.
	settle(obj, old client.Object) (client.Object, error)
	// shallow returns a new object that shares its content with obj, but whose
	// fields, and whose metadata's fields, can be set without changing obj.
	shallow(obj client.Object) client.Object
	// settleStatus and settleMeta replace one part of dst, a shallow copy of old, by
	// a settled copy of obj's that shares with old what did not change.
	settleStatus(dst, obj, old client.Object) error
	settleMeta(dst, obj, old client.Object) error
	// copyInto makes into, a client's object, a copy of the stored one. What the
	// client has already is left alone.
	copyInto(into, stored client.Object)
	// takeStatus makes dst share src's status; a nil src empties it.
	takeStatus(dst, src client.Object)
	// takeRest makes dst share everything of src but metadata and status.
	takeRest(dst, src client.Object)
	sameMeta(a, b client.Object) bool
	sameStatus(a, b client.Object) bool
	// sameRest compares everything but metadata and status.
	sameRest(a, b client.Object) bool
	// text returns how much text the largest of the parts has that are asked about.
	text(obj client.Object, rest, status bool) int
}

// layout is where the parts of a Go struct with TypeMeta, ObjectMeta and, maybe, Status lie. It belongs to no server.
type layout struct {
	gvk    schema.GroupVersionKind
	kind   metav1.TypeMeta // the same, as objects have it
	t      reflect.Type
	whole  *roundtrip.Plan
	meta   part
	status *part
	rest   []part
	parts  []part // all of them
}

// typedShape handles objects of one layout.
type typedShape struct {
	*layout
	// scratch is where a client's object is put together. A server serves one
	// request at a time.
	scratch reflect.Value
}

// part is a top-level field.
type part struct {
	index  int
	offset uintptr
	plan   *roundtrip.Plan
}

func newTypedShape(l *layout) *typedShape { return &typedShape{layout: l} }

func newLayout(c *roundtrip.Compiler, gvk schema.GroupVersionKind, t reflect.Type) (*layout, error) {
	whole, err := c.Compile(t)
	if err != nil {
		return nil, err
	}
	sh := &layout{gvk: gvk, t: t, whole: whole}
	sh.kind.APIVersion, sh.kind.Kind = gvk.ToAPIVersionAndKind()
	found := false
	for f := range t.Fields() {
		if !f.IsExported() || f.Tag.Get("json") == "-" {
			continue
		}
		plan, err := c.Compile(f.Type)
		if err != nil {
			return nil, err
		}
		p := part{index: f.Index[0], offset: f.Offset, plan: plan}
		switch {
		case f.Type == reflect.TypeFor[metav1.TypeMeta]():
		case f.Type == reflect.TypeFor[metav1.ObjectMeta]():
			sh.meta, found = p, true
		case f.Name == "Status":
			sh.status = &p
		default:
			sh.rest = append(sh.rest, p)
		}
		if f.Type != reflect.TypeFor[metav1.TypeMeta]() {
			sh.parts = append(sh.parts, p)
		}
	}
	if !found {
		return nil, fmt.Errorf("%s has no ObjectMeta", t)
	}
	return sh, nil
}

func address(obj client.Object) unsafe.Pointer { return reflect.ValueOf(obj).UnsafePointer() }

func (sh *typedShape) goType() reflect.Type { return sh.t }

func (sh *typedShape) empty() client.Object { return reflect.New(sh.t).Interface().(client.Object) }

func (sh *typedShape) metaOf(obj client.Object) *metav1.ObjectMeta {
	return (*metav1.ObjectMeta)(unsafe.Add(address(obj), sh.meta.offset))
}

func (sh *typedShape) settle(obj, old client.Object) (client.Object, error) {
	out := sh.shallow(obj)
	sh.metaOf(out).ManagedFields = nil
	var err error
	if old == nil {
		err = sh.whole.Settle(address(out))
	} else {
		err = sh.whole.Merge(address(out), address(old))
	}
	if err != nil {
		return nil, err
	}
	if k, ok := out.GetObjectKind().(*metav1.TypeMeta); ok {
		*k = sh.kind
	} else {
		out.GetObjectKind().SetGroupVersionKind(sh.gvk)
	}
	return out, nil
}

func (sh *typedShape) shallow(obj client.Object) client.Object {
	out := reflect.New(sh.t)
	out.Elem().Set(reflect.ValueOf(obj).Elem())
	return out.Interface().(client.Object)
}

func (sh *typedShape) copyInto(into, stored client.Object) {
	if !sh.scratch.IsValid() {
		sh.scratch = reflect.New(sh.t)
	}
	out := sh.scratch.Elem()
	out.Set(reflect.ValueOf(stored).Elem())
	if err := sh.whole.Merge(sh.scratch.UnsafePointer(), address(into)); err != nil {
		panic(err) // it has been settled before
	}
	reflect.ValueOf(into).Elem().Set(out)
	out.SetZero()
}

// settlePart replaces a part of dst by a settled copy of obj's.
func (sh *typedShape) settlePart(p part, dst, obj, old client.Object) error {
	sh.take(p, dst, obj)
	if p.offset == sh.meta.offset {
		sh.metaOf(dst).ManagedFields = nil
	}
	return p.plan.Merge(unsafe.Add(address(dst), p.offset), unsafe.Add(address(old), p.offset))
}

func (sh *typedShape) take(p part, dst, src client.Object) {
	reflect.ValueOf(dst).Elem().Field(p.index).Set(reflect.ValueOf(src).Elem().Field(p.index))
}

func (sh *typedShape) settleStatus(dst, obj, old client.Object) error {
	if sh.status == nil {
		return nil
	}
	return sh.settlePart(*sh.status, dst, obj, old)
}

func (sh *typedShape) settleMeta(dst, obj, old client.Object) error {
	return sh.settlePart(sh.meta, dst, obj, old)
}

func (sh *typedShape) takeStatus(dst, src client.Object) {
	switch {
	case sh.status == nil:
	case src == nil:
		reflect.ValueOf(dst).Elem().Field(sh.status.index).SetZero()
	default:
		sh.take(*sh.status, dst, src)
	}
}

func (sh *typedShape) takeRest(dst, src client.Object) {
	for _, p := range sh.rest {
		sh.take(p, dst, src)
	}
}

func (sh *typedShape) same(p part, a, b client.Object) bool {
	return p.plan.Equal(unsafe.Add(address(a), p.offset), unsafe.Add(address(b), p.offset))
}

func (sh *typedShape) sameMeta(a, b client.Object) bool { return sh.same(sh.meta, a, b) }

func (sh *typedShape) sameStatus(a, b client.Object) bool {
	return sh.status == nil || sh.same(*sh.status, a, b)
}

func (sh *typedShape) sameRest(a, b client.Object) bool {
	for _, p := range sh.rest {
		if !sh.same(p, a, b) {
			return false
		}
	}
	return true
}

// looseShape handles trees.
type looseShape struct{ gvk schema.GroupVersionKind }

func (looseShape) goType() reflect.Type { return nil }

func (sh looseShape) empty() client.Object {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(sh.gvk)
	return u
}

func content(obj client.Object) map[string]any { return obj.(*unstructured.Unstructured).Object }

func (sh looseShape) settle(obj, _ client.Object) (client.Object, error) {
	tree, err := roundtrip.Value(content(obj))
	if err != nil {
		return nil, err
	}
	m, _ := tree.(map[string]any)
	if m == nil {
		m = map[string]any{}
	}
	u := &unstructured.Unstructured{Object: m}
	u.SetGroupVersionKind(sh.gvk)
	sh.settleMetadata(u)
	return u, nil
}

// settleMetadata gives metadata the form that decoding into ObjectMeta and
// encoding it again would: a server does that for every custom resource.
func (looseShape) settleMetadata(u *unstructured.Unstructured) {
	md, ok := u.Object["metadata"].(map[string]any)
	if !ok {
		u.Object["metadata"] = map[string]any{}
		return
	}
	delete(md, "managedFields")
	if md["creationTimestamp"] == nil {
		delete(md, "creationTimestamp")
	}
	for _, k := range []string{"labels", "annotations", "finalizers", "ownerReferences"} {
		switch v := md[k].(type) {
		case nil:
			delete(md, k)
		case map[string]any:
			if len(v) == 0 {
				delete(md, k)
			}
		case []any:
			if len(v) == 0 {
				delete(md, k)
			}
		}
	}
}

func (sh looseShape) shallow(obj client.Object) client.Object {
	src := content(obj)
	m := make(map[string]any, len(src))
	for k, v := range src {
		m[k] = v
	}
	if md, ok := src["metadata"].(map[string]any); ok {
		fresh := make(map[string]any, len(md))
		for k, v := range md {
			fresh[k] = v
		}
		m["metadata"] = fresh
	}
	return &unstructured.Unstructured{Object: m}
}

func (looseShape) copyInto(into, stored client.Object) {
	into.(*unstructured.Unstructured).Object = runtime.DeepCopyJSON(content(stored))
}

func (sh looseShape) settleStatus(dst, obj, _ client.Object) error {
	return sh.settleField("status", dst, obj)
}

func (sh looseShape) settleMeta(dst, obj, _ client.Object) error {
	if err := sh.settleField("metadata", dst, obj); err != nil {
		return err
	}
	sh.settleMetadata(dst.(*unstructured.Unstructured))
	return nil
}

func (looseShape) settleField(name string, dst, obj client.Object) error {
	v, ok := content(obj)[name]
	if !ok {
		delete(content(dst), name)
		return nil
	}
	settled, err := roundtrip.Value(v)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	content(dst)[name] = settled
	return nil
}

func (looseShape) takeStatus(dst, src client.Object) {
	if src != nil {
		if v, ok := content(src)["status"]; ok {
			content(dst)["status"] = v
			return
		}
	}
	delete(content(dst), "status")
}

func isRest(key string) bool {
	return key != "metadata" && key != "status" && key != "apiVersion" && key != "kind"
}

func (looseShape) takeRest(dst, src client.Object) {
	d, s := content(dst), content(src)
	for k := range d {
		if isRest(k) {
			delete(d, k)
		}
	}
	for k, v := range s {
		if isRest(k) {
			d[k] = v
		}
	}
}

func (looseShape) sameMeta(a, b client.Object) bool {
	return roundtrip.EqualValues(content(a)["metadata"], content(b)["metadata"])
}

func (looseShape) sameStatus(a, b client.Object) bool {
	x, inA := content(a)["status"]
	y, inB := content(b)["status"]
	return inA == inB && roundtrip.EqualValues(x, y)
}

func (looseShape) sameRest(a, b client.Object) bool {
	x, y := content(a), content(b)
	n := 0
	for k, v := range x {
		if !isRest(k) {
			continue
		}
		n++
		if w, ok := y[k]; !ok || !roundtrip.EqualValues(v, w) {
			return false
		}
	}
	for k := range y {
		if isRest(k) {
			n--
		}
	}
	return n == 0
}
