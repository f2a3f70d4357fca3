package apiserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/mergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
	kjson "sigs.k8s.io/json"
)

// acceptedByCustom are the media types of patches that custom kinds take, as a refusal
// lists them.
const acceptedByCustom = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"

// maxPatchOperations is how long a JSON patch may be.
const maxPatchOperations = 10000

// patched is the next of a PATCH. It edits the object's JSON, or as much of it as
// the patch can reach: an annotation is set without encoding a whole Pod.
func (s *Server) patched(c *Call, r *resource, kind types.PatchType, data []byte, o writeOptions) func(client.Object) (decoded, error) {
	return func(old client.Object) (decoded, error) {
		if p := metadataOf(kind, data); p != nil && r.typed() {
			return decoded{obj: p.apply(r, old)}, nil
		}
		if p := textsOf(kind, data); p != nil && r.typed() {
			if obj, fields, ok := p.apply(r, old); ok {
				obj, err := r.settlePatched(obj, old, fields)
				if err != nil {
					return decoded{}, internal(err)
				}
				return decoded{obj: obj}, nil
			}
		}
		apply, fields, err := r.patchFunc(kind, data)
		if err != nil {
			return decoded{}, err
		}
		before, err := r.encodeFields(old, fields)
		if err != nil {
			return decoded{}, internal(err)
		}
		after, err := apply(before)
		if err != nil {
			return decoded{}, err
		}
		d, err := s.decodePatched(c, r, old, after, fields, o, asPatch{kind, data})
		if err != nil {
			return decoded{}, err
		}
		if name := d.obj.GetName(); name != old.GetName() {
			return decoded{}, apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", name, old.GetName()))
		}
		if ns := d.obj.GetNamespace(); ns != old.GetNamespace() {
			return decoded{}, apierrors.NewBadRequest(namespaceMismatch)
		}
		return d, nil
	}
}

// patchFunc returns how to apply a patch to a document, and the top-level fields
// that it can read or write; nil means all.
func (r *resource) patchFunc(kind types.PatchType, data []byte) (apply func([]byte) ([]byte, error), fields []string, err error) {
	switch kind {
	case types.JSONPatchType:
		patch, err := jsonpatch.DecodePatch(data)
		if err != nil {
			if err := json.Unmarshal(data, new([]jsonPatchOp)); err != nil {
				text := strings.Replace(err.Error(), "apiserver.", "handlers.", 1)
				return nil, nil, apierrors.NewBadRequest("error decoding patch: " + text)
			}
			return nil, nil, apierrors.NewBadRequest(err.Error())
		}
		if len(patch) > maxPatchOperations {
			return nil, nil, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf(
				"The allowed maximum operations in a JSON patch is %d, got %d", maxPatchOperations, len(patch)))
		}
		return func(doc []byte) ([]byte, error) {
			out, err := patch.Apply(doc)
			if err != nil {
				return nil, apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", err.Error(), 0, false)
			}
			return out, nil
		}, fieldsOfJSONPatch(patch), nil
	case types.MergePatchType:
		tree, err := patchTree(data)
		if err != nil {
			return nil, nil, err
		}
		return func(doc []byte) ([]byte, error) {
			out, err := jsonpatch.MergePatch(doc, data)
			if errors.Is(err, jsonpatch.ErrBadJSONPatch) {
				return nil, apierrors.NewBadRequest(err.Error())
			}
			return out, err
		}, fieldsOfTree(tree), nil
	case types.StrategicMergePatchType:
		if r.strategy.custom || !r.typed() {
			return nil, nil, unsupportedMediaType(acceptedByCustom)
		}
		tree, err := patchTree(data)
		if err != nil {
			return nil, nil, err
		}
		return func(doc []byte) ([]byte, error) {
			out, err := strategicpatch.StrategicMergePatch(doc, data, r.shape.empty())
			if err != nil {
				return nil, strategicError(err)
			}
			return out, nil
		}, fieldsOfTree(tree), nil
	default:
		if r.strategy.custom {
			return nil, nil, unsupportedMediaType(acceptedByCustom)
		}
		return nil, nil, unknownMediaType()
	}
}

// jsonPatchOp is as much of an operation as a server reads before it applies any.
type jsonPatchOp struct {
	Op   string `json:"op"`
	Path string `json:"path"`
	From string `json:"from"`
}

// strategicError is what a strategic merge patch gets that cannot be applied.
func strategicError(err error) error {
	switch {
	case errors.Is(err, mergepatch.ErrBadJSONDoc), errors.Is(err, mergepatch.ErrBadPatchFormatForPrimitiveList),
		errors.Is(err, mergepatch.ErrBadPatchFormatForRetainKeys), errors.Is(err, mergepatch.ErrBadPatchFormatForSetElementOrderList),
		errors.Is(err, mergepatch.ErrUnsupportedStrategicMergePatchFormat):
		return apierrors.NewBadRequest(err.Error())
	case errors.Is(err, mergepatch.ErrNoListOfLists), errors.Is(err, mergepatch.ErrPatchContentNotMatchRetainKeys):
		return apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", err.Error(), 0, false)
	}
	return internal(err)
}

// asPatch is a patch as it came.
type asPatch struct {
	kind types.PatchType
	data []byte
}

// shown is what a refusal shows of a patch: a strategic one itself, of others the
// object that they lead to.
func (p asPatch) shown(after []byte) string {
	if p.kind != types.StrategicMergePatchType {
		return string(after)
	}
	tree := map[string]any{}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(p.data, &tree); err != nil {
		return string(p.data)
	}
	return fmt.Sprint(tree)
}

// misfit is why a tree does not fit a type, in the words of the converter that a
// strategic merge patch goes through.
func misfit(after []byte, into any, err error) error {
	tree := map[string]any{}
	if kjson.UnmarshalCaseSensitivePreserveInts(after, &tree) == nil {
		if e := runtime.DefaultUnstructuredConverter.FromUnstructured(tree, into); e != nil {
			return e
		}
	}
	return err
}

func patchTree(data []byte) (map[string]any, error) {
	tree := map[string]any{}
	if err := json.Unmarshal(data, &tree); err != nil {
		return nil, apierrors.NewBadRequest("error decoding patch: " + err.Error())
	}
	return tree, nil
}

func fieldsOfTree(tree map[string]any) []string {
	return slices.Sorted(maps.Keys(tree))
}

func fieldsOfJSONPatch(patch jsonpatch.Patch) []string {
	var fields []string
	for _, op := range patch {
		path, err := op.Path()
		if err != nil {
			return nil
		}
		paths := []string{path}
		if from, err := op.From(); err == nil {
			paths = append(paths, from)
		}
		for _, p := range paths {
			first, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
			if first == "" || !strings.HasPrefix(p, "/") {
				return nil
			}
			fields = append(fields, first)
		}
	}
	return fields
}

// encodeFields encodes the named top-level fields of a stored object; nil means
// the whole of it.
func (r *resource) encodeFields(obj client.Object, fields []string) ([]byte, error) {
	if fields == nil {
		return json.Marshal(obj)
	}
	doc := map[string]any{}
	if !r.typed() {
		for _, f := range fields {
			if v, ok := content(obj)[f]; ok {
				doc[f] = v
			}
		}
		return json.Marshal(doc)
	}
	v := reflect.ValueOf(obj).Elem()
	for _, f := range fields {
		switch i, ok := r.fieldIndex(f); {
		case f == "apiVersion":
			doc[f] = r.GVK.GroupVersion().String()
		case f == "kind":
			doc[f] = r.GVK.Kind
		case ok && !v.Field(i).IsZero():
			doc[f] = v.Field(i).Addr().Interface()
		}
	}
	return json.Marshal(doc)
}

// fieldIndex finds the struct field of a top-level JSON field.
func (r *resource) fieldIndex(name string) (int, bool) {
	for f := range r.shape.goType().Fields() {
		n, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if n == name {
			return f.Index[0], true
		}
	}
	return 0, false
}

// decodePatched lays the patched fields over the old object.
func (s *Server) decodePatched(c *Call, r *resource, old client.Object, after []byte, fields []string, o writeOptions, p asPatch) (decoded, error) {
	bad := func(err error) error {
		return apierrors.NewInvalid(schema.GroupKind{}, "", field.ErrorList{field.Invalid(field.NewPath("patch"), p.shown(after), err.Error())})
	}
	if !r.typed() {
		tree := map[string]any{}
		if err := kjson.UnmarshalCaseSensitivePreserveInts(after, &tree); err != nil {
			return decoded{}, bad(err)
		}
		obj := r.shape.shallow(old)
		if fields == nil {
			obj = r.shape.empty()
			fields = fieldsOfTree(tree)
		}
		for _, f := range fields {
			if v, ok := tree[f]; ok {
				content(obj)[f] = v
			} else {
				delete(content(obj), f)
			}
		}
		settled, err := r.shape.settle(obj, old)
		if err != nil {
			return decoded{}, bad(err)
		}
		return s.applyDefinition(c, r, decoded{obj: settled, raw: tree}, o)
	}
	fresh := r.shape.empty()
	strict, err := kjson.UnmarshalStrict(after, fresh)
	if err != nil {
		if p.kind == types.StrategicMergePatchType {
			err = misfit(after, r.shape.empty(), err)
		}
		return decoded{}, bad(err)
	}
	d := decoded{obj: fresh}
	if len(strict) > 0 {
		d.raw = map[string]any{}
		if err := kjson.UnmarshalCaseSensitivePreserveInts(after, &d.raw); err != nil {
			return decoded{}, bad(err)
		}
	}
	for _, e := range strict {
		d.unknown = append(d.unknown, fieldPathOf(e))
		if o.validation == "Warn" {
			s.warn(c, e.Error())
		}
	}
	if len(strict) > 0 && o.validation == "Strict" {
		return decoded{}, bad(fmt.Errorf("strict decoding error: %s", joinErrors(strict)))
	}
	if fields != nil {
		obj := r.shape.shallow(old)
		dst, src := reflect.ValueOf(obj).Elem(), reflect.ValueOf(fresh).Elem()
		for _, f := range fields {
			if i, ok := r.fieldIndex(f); ok {
				dst.Field(i).Set(src.Field(i))
			}
		}
		if d.obj, err = r.settlePatched(obj, old, fields); err != nil {
			return decoded{}, bad(err)
		}
		return d, nil
	}
	if d.obj, err = r.shape.settle(fresh, nil); err != nil {
		return decoded{}, bad(err)
	}
	return d, nil
}

// settlePatched settles an object of which some fields are not old's. Only they need it; the rest stays shared with the old
// object, unless the strategy is going to edit it.
func (r *resource) settlePatched(obj, old client.Object, fields []string) (client.Object, error) {
	if r.strategy.apply != nil && slices.ContainsFunc(fields, isRest) {
		return r.shape.settle(obj, nil)
	}
	return r.settleFields(obj, old, fields)
}

// settleFields settles the named top-level fields of a shallow copy in place.
func (r *resource) settleFields(obj, old client.Object, fields []string) (client.Object, error) {
	sh, ok := r.shape.(*typedShape)
	if !ok {
		return r.shape.settle(obj, old)
	}
	for _, f := range fields {
		i, ok := r.fieldIndex(f)
		if !ok {
			continue
		}
		for _, p := range sh.parts {
			if p.index != i {
				continue
			}
			if err := sh.settlePart(p, obj, obj, old); err != nil {
				return nil, err
			}
		}
	}
	return obj, nil
}
