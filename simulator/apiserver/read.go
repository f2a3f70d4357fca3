package apiserver

import (
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	return s.shown(r, e.object())
}

// page is what a list answers.
type page struct {
	objects   []client.Object
	token     string
	remaining *int64
	version   uint64
}

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
	version, start, err := s.place(sel)
	if err != nil {
		return page{}, err
	}
	if version != 0 && version != s.version {
		return s.listPast(r, sel, version, start)
	}
	if sel.fields != nil {
		// The one field selector that names a single object need not look at others.
		if name, ok := sel.fields.RequiresExactMatch(metav1.ObjectNameField); ok && (sel.namespace != "" || !r.Namespaced) && start == "" {
			p := page{version: s.version}
			if e := r.table.get(client.ObjectKey{Namespace: sel.namespace, Name: name}); e != nil && r.selected(e.object(), sel.labels, sel.fields) {
				p.objects = append(p.objects, e.object())
			}
			return p, nil
		}
	}
	return r.paged(sel, s.version, func(fn func(*entry) bool) { r.table.each(sel.namespace, start, fn) }), nil
}

func (s *Server) listMeta(p page, into client.ObjectList) {
	into.SetResourceVersion(strconv.FormatUint(p.version, 10))
	into.SetContinue(p.token)
	into.SetRemainingItemCount(p.remaining)
	into.SetSelfLink("")
}
