package apiserver

import (
	"encoding/base64"
	"encoding/json"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// get returns the stored, shared object, in the version of r.
func (s *Server) get(r *resource, key client.ObjectKey) (client.Object, error) {
	if !r.Namespaced {
		key.Namespace = ""
	}
	e := r.stored().table.get(key)
	if e == nil {
		return nil, r.notFound(key.Name)
	}
	return s.shown(r, e.obj)
}

// selection is what a list asks for.
type selection struct {
	namespace string
	labels    labels.Selector
	fields    fields.Selector
	limit     int64
	token     string
}

// page is what a list answers.
type page struct {
	objects   []client.Object
	token     string
	remaining *int64
}

// continuation is what a continue token holds, in the form of a real one.
type continuation struct {
	APIVersion      string `json:"v"`
	ResourceVersion uint64 `json:"rv"`
	StartKey        string `json:"start"`
}

const continuationVersion = "meta.k8s.io/v1"

func (s *Server) list(r *resource, sel selection) (page, error) {
	if r.view != nil {
		return s.listShown(r, sel)
	}
	if err := r.checkFields(sel.fields); err != nil {
		return page{}, err
	}
	if !r.Namespaced {
		sel.namespace = ""
	}
	start := ""
	if sel.token != "" {
		data, err := base64.RawURLEncoding.DecodeString(sel.token)
		var c continuation
		if err != nil || json.Unmarshal(data, &c) != nil || c.APIVersion != continuationVersion {
			return page{}, apierrors.NewBadRequest("invalid value for the continue token: continue key is not valid: continue key is not valid")
		}
		start = c.StartKey
	}
	var p page
	var more int64
	next := ""
	if sel.fields != nil {
		// The one field selector that names a single object need not look at others.
		if name, ok := sel.fields.RequiresExactMatch(metav1.ObjectNameField); ok && (sel.namespace != "" || !r.Namespaced) && start == "" {
			if e := r.table.get(client.ObjectKey{Namespace: sel.namespace, Name: name}); e != nil && r.selected(e.obj, sel.labels, sel.fields) {
				p.objects = append(p.objects, e.obj)
			}
			return p, nil
		}
	}
	r.table.each(sel.namespace, start, func(e *entry) bool {
		if !r.selected(e.obj, sel.labels, sel.fields) {
			return true
		}
		if sel.limit > 0 && int64(len(p.objects)) == sel.limit {
			if next == "" {
				next = e.path
			}
			more++
			return true
		}
		p.objects = append(p.objects, e.obj)
		return true
	})
	if more > 0 {
		data, err := json.Marshal(continuation{APIVersion: continuationVersion, ResourceVersion: s.version, StartKey: next})
		if err != nil {
			return page{}, err
		}
		p.token = base64.RawURLEncoding.EncodeToString(data)
		if (sel.labels == nil || sel.labels.Empty()) && (sel.fields == nil || sel.fields.Empty()) {
			p.remaining = &more // a real server does not count what a selector would leave
		}
	}
	return p, nil
}

func (s *Server) listMeta(p page, into client.ObjectList) {
	into.SetResourceVersion(strconv.FormatUint(s.version, 10))
	into.SetContinue(p.token)
	into.SetRemainingItemCount(p.remaining)
	into.SetSelfLink("")
}
