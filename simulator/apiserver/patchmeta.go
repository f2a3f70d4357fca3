package apiserver

import (
	"bytes"
	"maps"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	kjson "sigs.k8s.io/json"
)

// metadataPatch is the commonest patch there is: labels and annotations to set, perhaps under the condition of a version.
type metadataPatch struct {
	Metadata struct {
		Labels          map[string]string `json:"labels"`
		Annotations     map[string]string `json:"annotations"`
		ResourceVersion *string           `json:"resourceVersion"`
		UID             *types.UID        `json:"uid"`
	} `json:"metadata"`
}

// metadataOf recognises a merge patch that only sets labels and annotations. It needs no JSON of the object. Whatever is
// out of the ordinary, such as a null or a directive, is left to the general way.
func metadataOf(kind types.PatchType, data []byte) *metadataPatch {
	if kind != types.MergePatchType && kind != types.StrategicMergePatchType || bytes.Contains(data, []byte("null")) || bytes.ContainsRune(data, '$') {
		return nil
	}
	p := &metadataPatch{}
	if strict, err := kjson.UnmarshalStrict(data, p); err != nil || len(strict) > 0 {
		return nil
	}
	return p
}

func (p *metadataPatch) apply(r *resource, old client.Object) client.Object {
	obj := r.shape.shallow(old)
	obj.SetLabels(overlaid(old.GetLabels(), p.Metadata.Labels))
	obj.SetAnnotations(overlaid(old.GetAnnotations(), p.Metadata.Annotations))
	if v := p.Metadata.ResourceVersion; v != nil {
		obj.SetResourceVersion(*v)
	}
	if v := p.Metadata.UID; v != nil {
		obj.SetUID(*v)
	}
	return obj
}

// overlaid is base with the entries of set; base itself if that changes nothing.
func overlaid(base, set map[string]string) map[string]string {
	changed := false
	for k, v := range set {
		if was, ok := base[k]; !ok || was != v {
			changed = true
		}
	}
	if !changed {
		return base
	}
	out := make(map[string]string, len(base)+len(set))
	maps.Copy(out, base)
	maps.Copy(out, set)
	return out
}
